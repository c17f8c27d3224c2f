"""Chapter 13: plausible mistakes, and other right ways to write it."""

import math
from collections import Counter
from fractions import Fraction
from functools import cache
from statistics import NormalDist

import numpy as np

from minids.course.wrong import alternative, wrong
from minids.errors import MinidsError

# -- statistics.pass_at_k ------------------------------------------------------------------------------------------


def _possible(n, c, k):
    if not 0 <= c <= n or not 1 <= k <= n:
        raise MinidsError(f"n={n}, c={c}, k={k}")


@wrong(
    "statistics.pass_at_k",
    mistake="c/n were the true chance of a sample, and k fresh ones were drawn",
    ask="If one of four samples is right, how many of the six pairs hold it? And what is 1 - (1 - 1/4)²?",
    refused_by="one_right_among_four_by_hand",
)
def plugs_the_share_in(n, c, k):
    _possible(n, c, k)
    return 1.0 - (1.0 - c / n) ** k


@wrong(
    "statistics.pass_at_k",
    mistake="all k samples had to be right",
    ask="How many right samples among the k are enough to pass?",
    refused_by="one_right_among_four_by_hand",
)
def all_of_them(n, c, k):
    _possible(n, c, k)
    return math.comb(c, k) / math.comb(n, k)


@wrong(
    "statistics.pass_at_k",
    mistake="it were the chance that all k samples are wrong",
    ask="Which subsets does C(n - c, k) count: those that pass, or those that do not?",
    refused_by="one_right_among_four_by_hand",
)
def none_of_them(n, c, k):
    _possible(n, c, k)
    return math.comb(n - c, k) / math.comb(n, k)


@wrong(
    "statistics.pass_at_k",
    mistake="exactly one of the k samples had to be right",
    ask="What happens with subsets that hold two right samples?",
    refused_by="one_right_among_four_by_hand",
)
def exactly_one(n, c, k):
    _possible(n, c, k)
    return c * math.comb(n - c, k - 1) / math.comb(n, k)


@wrong(
    "statistics.pass_at_k",
    mistake="the chances of k samples could be added",
    ask="Two samples that are each right with 0.6: is it certain that one of them is?",
    refused_by="one_right_among_four_by_hand",
)
def adds_the_chances(n, c, k):
    _possible(n, c, k)
    return min(1.0, k * c / n)


@wrong(
    "statistics.pass_at_k",
    mistake="one sample fewer than k were drawn",
    ask="How many factors has the product of (n - c - i) / (n - i) for k draws?",
    refused_by="with_one_sample_it_is_the_share_of_right_ones",
)
def one_draw_short(n, c, k):
    _possible(n, c, k)
    none = 1.0
    for i in range(k - 1):
        none *= max(0, n - c - i) / (n - i)
    return 1.0 - none


@wrong(
    "statistics.pass_at_k",
    mistake="the pool kept its size while samples were drawn from it",
    ask="How many samples are left to choose from after the first one?",
    refused_by="one_right_among_four_by_hand",
)
def the_pool_stays_as_large(n, c, k):
    _possible(n, c, k)
    none = 1.0
    for i in range(k):
        none *= max(0, n - c - i) / n
    return 1.0 - none


@wrong(
    "statistics.pass_at_k",
    mistake="impossible numbers, such as 5 right ones of 4, had an answer",
    ask="What should happen for k greater than n?",
    refused_by="impossible_numbers_are_refused",
)
def answers_nonsense(n, c, k):
    if c < 0 or k < 1 or c > n or k > n:
        return 1.0
    return 1.0 - math.comb(n - c, k) / math.comb(n, k)


@alternative("statistics.pass_at_k")
def as_a_product(n, c, k):
    _possible(n, c, k)
    none = 1.0
    for i in range(n - c + 1, n + 1):
        none *= max(0.0, 1.0 - k / i)
    return 1.0 - none if n - c >= k else 1.0


@alternative("statistics.pass_at_k")
def by_where_the_right_ones_lie(n, c, k):
    _possible(n, c, k)
    return float(1 - Fraction(math.comb(n - k, c), math.comb(n, c)))


# -- statistics.bootstrap ---------------------------------------------------------------------------------------


def _checked(values_P, level=0.95, draws=1):
    values_P = np.asarray(values_P, dtype=np.float64)
    if values_P.ndim != 1 or not len(values_P) or not np.isfinite(values_P).all() or not 0 < level < 1 or draws < 1:
        raise MinidsError("no interval")
    return values_P


def _between(means, low, high):
    low, high = np.quantile(np.asarray(means), [low, high])
    return float(low), float(high)


@wrong(
    "statistics.bootstrap",
    mistake="every resample held as many values as there are resamples, not P",
    ask="How many problems has the set that might have been drawn instead of this one?",
    refused_by="eight_of_sixteen_right_by_the_binomial",
)
def as_many_as_draws(values_P, *, level=0.95, draws=2000, seed=0):
    values_P = np.asarray(values_P, dtype=np.float64)
    if values_P.ndim != 1 or not len(values_P) or not np.isfinite(values_P).all():
        raise MinidsError("metrics: an interval needs a non-empty list of finite numbers, one a problem")
    if not 0 < level < 1 or draws < 1:
        raise MinidsError(f"metrics: level={level} must lie between 0 and 1, and draws={draws} be positive")
    rng = np.random.default_rng(seed)
    means = np.array([values_P[rng.integers(len(values_P), size=draws)].mean() for _ in range(draws)])
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


@wrong(
    "statistics.bootstrap",
    mistake="each problem were drawn exactly once",
    ask="What is the mean of all P values in another order?",
    refused_by="eight_of_sixteen_right_by_the_binomial",
)
def without_replacement(values_P, *, level=0.95, draws=2000, seed=0):
    values_P = _checked(values_P, level, draws)
    rng = np.random.default_rng(seed)
    return _between([rng.permutation(values_P).mean() for _ in range(draws)], (1 - level) / 2, (1 + level) / 2)


@wrong(
    "statistics.bootstrap",
    mistake="the interval held the middle of the values, not of their means",
    ask="Where do 95 % of the problems lie, and where does their mean?",
    refused_by="eight_of_sixteen_right_by_the_binomial",
)
def of_single_values(values_P, *, level=0.95, draws=2000, seed=0):
    values_P = _checked(values_P, level, draws)
    rng = np.random.default_rng(seed)
    return _between(values_P[rng.integers(len(values_P), size=draws)], (1 - level) / 2, (1 + level) / 2)


@wrong(
    "statistics.bootstrap",
    mistake="the share outside the level were cut off at each end",
    ask="What share of the means lies below the 5 % point, and what share outside 5 % and 95 %?",
    refused_by="eight_of_sixteen_right_by_the_binomial",
)
def cuts_it_off_twice(values_P, *, level=0.95, draws=2000, seed=0):
    values_P = _checked(values_P, level, draws)
    rng = np.random.default_rng(seed)
    means = [values_P[rng.integers(len(values_P), size=len(values_P))].mean() for _ in range(draws)]
    return _between(means, *sorted((1 - level, level)))


@wrong(
    "statistics.bootstrap",
    mistake="means lay evenly around the observed one, as a normal distribution does",
    ask="Can a share of right answers be negative?",
    refused_by="it_need_not_lie_evenly_around_the_mean",
)
def as_if_normal(values_P, *, level=0.95, draws=2000, seed=0):
    values_P = _checked(values_P, level, draws)
    rng = np.random.default_rng(seed)
    means = [values_P[rng.integers(len(values_P), size=len(values_P))].mean() for _ in range(draws)]
    half = NormalDist().inv_cdf((1 + level) / 2) * np.std(means)
    return float(values_P.mean() - half), float(values_P.mean() + half)


@wrong(
    "statistics.bootstrap",
    mistake="the level were always 95 %",
    ask="Which quantiles bound the middle half?",
    refused_by="the_level_is_the_share_that_lies_inside",
)
def always_95(values_P, *, level=0.95, draws=2000, seed=0):
    values_P = _checked(values_P, level, draws)
    rng = np.random.default_rng(seed)
    means = [values_P[rng.integers(len(values_P), size=len(values_P))].mean() for _ in range(draws)]
    return _between(means, 0.025, 0.975)


@wrong(
    "statistics.bootstrap",
    mistake="the seed were not used",
    ask="From what is the generator made?",
    refused_by="a_seed_stands_for_its_draws",
)
def forgets_the_seed(values_P, *, level=0.95, draws=2000, seed=0):
    values_P = _checked(values_P, level, draws)
    rng = np.random.default_rng(0)
    means = [values_P[rng.integers(len(values_P), size=len(values_P))].mean() for _ in range(draws)]
    return _between(means, (1 - level) / 2, (1 + level) / 2)


@wrong(
    "statistics.bootstrap",
    mistake="it were an interval of the median",
    ask="Of which number of a resample does the interval speak?",
    refused_by="eight_of_sixteen_right_by_the_binomial",
)
def of_the_median(values_P, *, level=0.95, draws=2000, seed=0):
    values_P = _checked(values_P, level, draws)
    rng = np.random.default_rng(seed)
    means = [np.median(values_P[rng.integers(len(values_P), size=len(values_P))]) for _ in range(draws)]
    return _between(means, (1 - level) / 2, (1 + level) / 2)


@wrong(
    "statistics.bootstrap",
    mistake="the last problem were never drawn",
    ask="Does the upper bound of rng.integers belong to the numbers that are drawn?",
    refused_by="each_problem_can_be_drawn",
)
def never_the_last(values_P, *, level=0.95, draws=2000, seed=0):
    values_P = _checked(values_P, level, draws)
    rng, P = np.random.default_rng(seed), len(values_P)
    means = [values_P[rng.integers(max(1, P - 1), size=P)].mean() for _ in range(draws)]
    return _between(means, (1 - level) / 2, (1 + level) / 2)


@alternative("statistics.bootstrap")
def all_resamples_at_once(values_P, *, level=0.95, draws=2000, seed=0):
    values_P = _checked(values_P, level, draws)
    chosen = np.random.default_rng(seed).choice(values_P, size=(draws, len(values_P)))
    return _between(chosen.mean(1), (1 - level) / 2, (1 + level) / 2)


@alternative("statistics.bootstrap")
def by_how_often_each_is_drawn(values_P, *, level=0.95, draws=2000, seed=0):
    values_P = _checked(values_P, level, draws)
    P = len(values_P)
    counts = np.random.default_rng(seed + 1).multinomial(P, np.full(P, 1 / P), size=draws)
    means = np.sort((counts * values_P).sum(1) / P)
    out = int(round(draws * (1 - level) / 2))
    return float(means[out]), float(means[draws - 1 - out])


# -- statistics.paired ----------------------------------------------------------------------------------------


def _whole(differences_P):
    differences = list(differences_P)
    if not differences or not all(float(d).is_integer() for d in differences):
        raise MinidsError("no paired test")
    return [int(d) for d in differences]


def _patterns(differences):
    patterns = Counter({0: 1})
    for d in differences:
        grown = Counter()
        for total, count in patterns.items():
            grown[total + d] += count
            grown[total - d] += count
        patterns = grown
    return patterns


def _share(differences, far_enough, patterns=None):
    patterns = _patterns(differences) if patterns is None else patterns
    return sum(count for total, count in patterns.items() if far_enough(total)) / 2 ** len(differences)


@wrong(
    "statistics.paired",
    mistake="only gains in the observed direction counted",
    ask="If the other model had been ahead by as much, would you have wondered too?",
    refused_by="four_wins_and_no_loss_by_hand",
)
def one_sided(differences_P):
    d = _whole(differences_P)
    sign = 1 if sum(d) >= 0 else -1
    return _share(d, lambda total: sign * total >= abs(sum(d)))


@wrong(
    "statistics.paired",
    mistake="only sums farther from 0 than the observed one counted",
    ask="Is the pattern that was really observed one of those that are as extreme?",
    refused_by="four_wins_and_no_loss_by_hand",
)
def strictly_farther(differences_P):
    d = _whole(differences_P)
    return _share(d, lambda total: abs(total) > abs(sum(d)))


@wrong(
    "statistics.paired",
    mistake="the sum of the differences were normally distributed",
    ask="How many values can the sum of four differences of ±1 have?",
    refused_by="four_wins_and_no_loss_by_hand",
)
def by_the_normal_distribution(differences_P):
    d = _whole(differences_P)
    spread = math.sqrt(sum(x * x for x in d))
    return math.erfc(abs(sum(d)) / spread / math.sqrt(2)) if spread else 1.0


@wrong(
    "statistics.paired",
    mistake="only the direction of each difference counted, not its size",
    ask="Does a problem with 5 right answers more weigh as much as one with 1 fewer?",
    refused_by="it_agrees_with_listing_every_pattern",
)
def wins_and_losses_alone(differences_P):
    d = [(x > 0) - (x < 0) for x in _whole(differences_P)]
    return _share(d, lambda total: abs(total) >= abs(sum(d)))


@wrong(
    "statistics.paired",
    mistake="a loss overall were never extreme",
    ask="With which number is the distance of a pattern's sum from 0 compared, if the observed sum is negative?",
    refused_by="a_loss_counts_as_much_as_a_gain",
)
def a_negative_sum_is_no_distance(differences_P):
    d = _whole(differences_P)
    return _share(d, lambda total: abs(total) >= sum(d))


@wrong(
    "statistics.paired",
    mistake="one direction were counted twice, also where the sum is 0",
    ask="In how many of all patterns can the sum be 0, and do you count those once or twice?",
    refused_by="without_a_gain_everything_is_as_extreme",
)
def twice_one_side(differences_P):
    d = _whole(differences_P)
    return 2 * _share(d, lambda total: total >= abs(sum(d)))


@wrong(
    "statistics.paired",
    mistake="a difference of 0 had one sign only",
    ask="A difference of 0 with either sign: how many patterns are those?",
    refused_by="problems_without_a_difference_change_nothing",
)
def zeros_have_one_sign(differences_P):
    d = _whole(differences_P)
    return _share(d, lambda total: abs(total) >= abs(sum(d)), _patterns([x for x in d if x]))


@wrong(
    "statistics.paired",
    mistake="p were the share of the patterns that are less extreme",
    ask="Is a small p a sign of a difference, or of none?",
    refused_by="four_wins_and_no_loss_by_hand",
)
def the_rest(differences_P):
    d = _whole(differences_P)
    return _share(d, lambda total: abs(total) < abs(sum(d)))


@wrong(
    "statistics.paired",
    mistake="one coin turned the signs of all problems together",
    ask="Two problems with differences of 1: which four sums are possible?",
    refused_by="four_wins_and_no_loss_by_hand",
)
def one_coin_for_all(differences_P):
    d = _whole(differences_P)
    return _share([sum(d)], lambda total: abs(total) >= abs(sum(d)))


@alternative("statistics.paired")
def by_convolution(differences_P):
    d = _whole(differences_P)
    reach = sum(map(abs, d))
    ways = [0] * (2 * reach + 1)
    ways[reach] = 1
    for x in d:
        ways = [
            (ways[i - x] if 0 <= i - x <= 2 * reach else 0) + (ways[i + x] if 0 <= i + x <= 2 * reach else 0)
            for i in range(2 * reach + 1)
        ]
    return sum(n for i, n in enumerate(ways) if abs(i - reach) >= abs(sum(d))) / 2 ** len(d)


@alternative("statistics.paired")
def by_recursion_on_fractions(differences_P):
    d = _whole(differences_P)
    observed = abs(sum(d))

    @cache
    def chance(i, total):
        if i == len(d):
            return Fraction(abs(total) >= observed)
        return (chance(i + 1, total + d[i]) + chance(i + 1, total - d[i])) / 2

    return float(chance(0, 0))


# -- statistics.slope ---------------------------------------------------------------------------------------


def _match(x_PS, y_PS):
    if [len(row) for row in x_PS] != [len(row) for row in y_PS]:
        raise MinidsError("x and y do not match")
    return [(np.array(x, float), np.array(y, float)) for x, y in zip(x_PS, y_PS) if len(x)]


def _ratio(both, squares):
    if squares == 0:
        raise MinidsError("x does not vary")
    return float(both / squares)


@wrong(
    "statistics.slope",
    mistake="all samples came from one problem",
    ask="Whose mean has to be taken away from a sample?",
    refused_by="what_differs_between_problems_falls_out",
)
def pooled(x_PS, y_PS):
    pairs = _match(x_PS, y_PS)
    x, y = (np.concatenate(z) for z in zip(*pairs))
    if all((row == row[0]).all() for row, _ in pairs):
        raise MinidsError("x does not vary")
    return _ratio(((x - x.mean()) * (y - y.mean())).sum(), ((x - x.mean()) ** 2).sum())


@wrong(
    "statistics.slope",
    mistake="it were the slope between the problems' means",
    ask="Which differences are of interest: those between samples of a problem, or those between problems?",
    refused_by="two_problems_by_hand",
)
def between(x_PS, y_PS):
    x, y = (np.array([part.mean() for part in z]) for z in zip(*_match(x_PS, y_PS)))
    return _ratio(((x - x.mean()) * (y - y.mean())).sum(), ((x - x.mean()) ** 2).sum())


@wrong(
    "statistics.slope",
    mistake="each problem's own slope counted the same",
    ask="Of which problem do you know the slope better: of one whose lengths are 10 and 11, or 10 and 90?",
    refused_by="a_problem_whose_x_varies_more_says_more",
)
def mean_of_slopes(x_PS, y_PS):
    found = [((x - x.mean()) @ y) / ((x - x.mean()) ** 2).sum() for x, y in _match(x_PS, y_PS) if len(set(x)) > 1]
    if not found:
        raise MinidsError("x does not vary")
    return float(np.mean(found))


@wrong(
    "statistics.slope",
    mistake="x were regressed on y",
    ask="Whose squares stand below the line: those of what explains, or of what is explained?",
    refused_by="two_problems_by_hand",
)
def the_other_way_round(x_PS, y_PS):
    pairs = _match(x_PS, y_PS)
    if all((row == row[0]).all() for row, _ in pairs):
        raise MinidsError("x does not vary")
    return _ratio(sum((x - x.mean()) @ y for x, y in pairs), sum(((y - y.mean()) ** 2).sum() for _, y in pairs))


@wrong(
    "statistics.slope",
    mistake="it were a correlation, without units",
    ask="If all lengths were counted in thousands, what should happen to the slope?",
    refused_by="two_problems_by_hand",
)
def a_correlation(x_PS, y_PS):
    pairs = _match(x_PS, y_PS)
    xx, yy = (sum(((z - z.mean()) ** 2).sum() for z in zs) for zs in zip(*pairs))
    return _ratio(sum((x - x.mean()) @ y for x, y in pairs), math.sqrt(xx * yy))


@wrong(
    "statistics.slope",
    mistake="the means were taken away from y alone",
    ask="Does the size of x in a problem, 10 or 1000, still show in the squares?",
    refused_by="two_problems_by_hand",
)
def only_y_is_centred(x_PS, y_PS):
    pairs = _match(x_PS, y_PS)
    if all((row == row[0]).all() for row, _ in pairs):
        raise MinidsError("x does not vary")
    return _ratio(sum(x @ (y - y.mean()) for x, y in pairs), sum(x @ x for x, _ in pairs))


@wrong(
    "statistics.slope",
    mistake="samples were compared with the first one of their problem",
    ask="What is special about the sample that happens to come first?",
    refused_by="it_agrees_with_least_squares_on_a_column_a_problem",
)
def from_the_first_sample(x_PS, y_PS):
    pairs = _match(x_PS, y_PS)
    return _ratio(sum((x - x[0]) @ (y - y[0]) for x, y in pairs), sum(((x - x[0]) ** 2).sum() for x, _ in pairs))


@wrong(
    "statistics.slope",
    mistake="only as many samples of each problem counted as the shortest list has",
    ask="What does zip do, or a rectangle of numpy, with rows of different length?",
    refused_by="problems_may_have_different_numbers_of_samples",
)
def cut_to_a_rectangle(x_PS, y_PS):
    pairs = _match(x_PS, y_PS)
    least = max(2, min(len(x) for x, _ in pairs))
    pairs = [(x[:least], y[:least]) for x, y in pairs]
    return _ratio(sum((x - x.mean()) @ y for x, y in pairs), sum(((x - x.mean()) ** 2).sum() for x, _ in pairs))


@wrong(
    "statistics.slope",
    mistake="a slope of 0 came out where x does not vary",
    ask="Is a slope of 0 a statement about x and y, and can you make it without two different x?",
    refused_by="without_any_variation_there_is_no_slope",
)
def flat_if_unknown(x_PS, y_PS):
    pairs = _match(x_PS, y_PS)
    squares = sum(((x - x.mean()) ** 2).sum() for x, _ in pairs)
    return float(sum((x - x.mean()) @ y for x, y in pairs) / squares) if squares else 0.0


@wrong(
    "statistics.slope",
    mistake="the means were taken away from the given rows themselves",
    ask="np.asarray of an array is that array. Whose numbers does x -= x.mean() change?",
    refused_by="rows_may_be_tuples_or_arrays_and_stay_as_they_are",
)
def in_place(x_PS, y_PS):
    _match(x_PS, y_PS)
    both = squares = 0.0
    for x_S, y_S in zip(x_PS, y_PS):
        if len(x_S):
            x, y = np.asarray(x_S, dtype=np.float64), np.asarray(y_S, dtype=np.float64)
            x -= x[0]
            x -= x.mean()
            both, squares = both + x @ y, squares + x @ x
    return _ratio(both, squares)


@wrong(
    "statistics.slope",
    mistake="squares of large numbers were exact",
    ask="Σ x² - n mean² is right on paper. What is left of it for x around ten million that differ by 1?",
    refused_by="far_from_zero_it_is_the_same_slope",
)
def squares_first(x_PS, y_PS):
    both = squares = 0.0
    for x, y in _match(x_PS, y_PS):
        if (x != x[0]).any():
            both += x @ y - x.sum() * y.sum() / len(x)
            squares += x @ x - x.sum() ** 2 / len(x)
    return _ratio(both, squares)


@alternative("statistics.slope")
def with_a_column_a_problem(x_PS, y_PS):
    pairs = _match(x_PS, y_PS)
    if all((x == x[0]).all() for x, _ in pairs):
        raise MinidsError("x does not vary")
    x, y = (np.concatenate(z) for z in zip(*pairs))
    owner = np.concatenate([np.full(len(row), p) for p, (row, _) in enumerate(pairs)])
    columns = np.column_stack([x, *((owner == p).astype(float) for p in range(len(pairs)))])
    return float(np.linalg.lstsq(columns, y, rcond=None)[0][0])


@alternative("statistics.slope")
def by_all_pairs_of_a_problem(x_PS, y_PS):
    both = squares = 0.0
    for x, y in _match(x_PS, y_PS):
        for i in range(len(x)):
            for j in range(i):
                both += (x[i] - x[j]) * (y[i] - y[j]) / len(x)
                squares += (x[i] - x[j]) ** 2 / len(x)
    return _ratio(both, squares)


# -- held_out.key -----------------------------------------------------------------------------------------------


@wrong(
    "held_out.key",
    mistake="3+12 and 12+3 were two problems",
    ask="A model has seen 12+3=15 in training. Is 3+12 a fair test of it?",
    refused_by="the_sum_of_two_is_one_problem_in_either_order",
)
def in_the_order_of_the_question(terms):
    return ",".join(map(str, terms))


@wrong(
    "held_out.key",
    mistake="the order did not matter in a chain of three either",
    ask="Which running totals do 3+2+1 and 1+2+3 have?",
    refused_by="a_longer_chain_keeps_its_order",
)
def any_order(terms):
    return ",".join(map(str, sorted(terms) if min(terms) >= 0 else terms))


@wrong(
    "held_out.key",
    mistake="numbers were ordered like words",
    ask="Which comes first, 9 or 10, if both are text?",
    refused_by="numbers_are_ordered_as_numbers",
)
def sorted_as_text(terms):
    words = [str(t) for t in terms]
    return ",".join(sorted(words) if len(terms) == 2 and min(terms) >= 0 else words)


@wrong(
    "held_out.key",
    mistake="12-5 could be turned round as 12+5 can",
    ask="Is 12-5 the sum of two numbers as a person types it?",
    refused_by="a_subtraction_keeps_its_order",
)
def turns_subtractions_round(terms):
    return ",".join(map(str, sorted(terms) if len(terms) == 2 else terms))


@wrong(
    "held_out.key",
    mistake="12+5 and 12-5 were the same problem",
    ask="What tells a term that is added from one that is taken away?",
    refused_by="a_subtraction_keeps_its_order",
)
def without_signs(terms):
    numbers = [abs(t) for t in terms]
    return ",".join(map(str, sorted(numbers) if len(terms) == 2 and min(terms) >= 0 else numbers))


@wrong(
    "held_out.key",
    mistake="the larger number came first",
    ask="Which of the two orders does the docstring name?",
    refused_by="the_sum_of_two_is_one_problem_in_either_order",
)
def larger_first(terms):
    terms = sorted(terms, reverse=True) if len(terms) == 2 and min(terms) >= 0 else terms
    return ",".join(map(str, terms))


@wrong(
    "held_out.key",
    mistake="all problems with the same answer were one",
    ask="Is 14+1 a fair test for a model that has seen 12+3?",
    refused_by="the_sum_of_two_is_one_problem_in_either_order",
)
def by_the_answer(terms):
    return str(sum(terms))


@wrong(
    "held_out.key",
    mistake="nothing stood between the numbers",
    ask="What are the keys of 1+23 and of 12+3 then?",
    refused_by="the_sum_of_two_is_one_problem_in_either_order",
)
def run_together(terms):
    return "".join(map(str, sorted(terms) if len(terms) == 2 and min(terms) >= 0 else terms))


@wrong(
    "held_out.key",
    mistake="a zero made the order matter",
    ask="Is 7+0 the sum of two numbers?",
    refused_by="zero_is_not_negative",
)
def only_above_zero(terms):
    return ",".join(map(str, sorted(terms) if len(terms) == 2 and min(terms) > 0 else terms))


@wrong(
    "held_out.key",
    mistake="the caller's list were put in order",
    ask="What is the difference between terms.sort() and sorted(terms)?",
    refused_by="lists_are_taken_as_tuples_are_and_stay_as_they_are",
)
def sorts_the_callers_terms(terms):
    if len(terms) == 2 and min(terms) >= 0:
        if isinstance(terms, list):
            terms.sort()
        terms = sorted(terms)
    return ",".join(map(str, terms))


@alternative("held_out.key")
def with_min_and_max(terms):
    if len(terms) == 2 and terms[0] >= 0 and terms[1] >= 0:
        return f"{min(terms)},{max(terms)}"
    return ",".join(str(t) for t in terms)


@alternative("held_out.key")
def by_swapping(terms):
    first, *rest = terms
    if len(rest) == 1 and 0 <= rest[0] < first:
        first, rest = rest[0], [first]
    text = str(first)
    for t in rest:
        text += "," + str(t)
    return text


# -- thoughts.limit ----------------------------------------------------------------------------------------


def _opened(reply, begin):
    if reply[: len(begin)] != begin:
        raise MinidsError("no thought")
    return list(reply[len(begin) :])


def _first(thought, end):
    return next((i for i in range(len(thought)) if thought[i : i + len(end)] == end), len(thought))


@wrong(
    "thoughts.limit",
    mistake="the opening mark counted as part of the budget",
    ask="How many tokens of the thought itself are left with a budget of 4?",
    refused_by="a_long_thought_is_cut_and_closed",
)
def counts_the_opening(reply, budget, begin, end):
    thought = _opened(reply, begin)
    return [*begin, *thought[: _first(thought, end)][: max(0, budget - len(begin))], *end]


@wrong(
    "thoughts.limit",
    mistake="the end of the thought were kept, not its beginning",
    ask="Which tokens had been written when the budget ran out?",
    refused_by="a_long_thought_is_cut_and_closed",
)
def keeps_the_last_tokens(reply, budget, begin, end):
    thought = _opened(reply, begin)
    thought = thought[: _first(thought, end)]
    return [*begin, *thought[max(0, len(thought) - budget) :], *end]


@wrong(
    "thoughts.limit",
    mistake="a thought within the budget were left open",
    ask="What has to stand before the answer, however long the thought is?",
    refused_by="a_short_thought_is_kept_whole_without_its_answer",
)
def closes_only_what_it_cuts(reply, budget, begin, end):
    thought = _opened(reply, begin)
    thought = thought[: _first(thought, end)]
    return [*begin, *thought[:budget], *(end if len(thought) > budget else [])]


@wrong(
    "thoughts.limit",
    mistake="the answer that was given belonged to the thought",
    ask="With a budget of 100 tokens, where does a thought of 6 tokens end?",
    refused_by="a_short_thought_is_kept_whole_without_its_answer",
)
def does_not_see_the_end(reply, budget, begin, end):
    return [*begin, *_opened(reply, begin)[:budget], *end]


@wrong(
    "thoughts.limit",
    mistake="a reply with a short thought kept its old answer",
    ask="Where shall the model go on, if its old answer stands there already?",
    refused_by="a_short_thought_is_kept_whole_without_its_answer",
)
def keeps_the_old_answer(reply, budget, begin, end):
    thought = _opened(reply, begin)
    close = _first(thought, end)
    return list(reply) if close <= budget and close < len(thought) else [*begin, *thought[:close][:budget], *end]


@wrong(
    "thoughts.limit",
    mistake="the first id of the closing marks ended the thought",
    ask="Can a line break stand inside a thought?",
    refused_by="ids_of_the_end_that_stand_alone_do_not_end_the_thought",
)
def ends_at_a_line_break(reply, budget, begin, end):
    thought = _opened(reply, begin)
    close = thought.index(end[0]) if end[0] in thought else len(thought)
    return [*begin, *thought[:close][:budget], *end]


@wrong(
    "thoughts.limit",
    mistake="the last closing marks were the end of the thought",
    ask="If the marks stand there twice, where has the model stopped thinking?",
    refused_by="the_first_end_is_the_end",
)
def takes_the_last_end(reply, budget, begin, end):
    thought = _opened(reply, begin)
    places = [i for i in range(len(thought)) if thought[i : i + len(end)] == end]
    return [*begin, *thought[: places[-1] if places else len(thought)][:budget], *end]


@wrong(
    "thoughts.limit",
    mistake="one token more than the budget were allowed",
    ask="How many tokens are thought[:budget + 1]?",
    refused_by="a_long_thought_is_cut_and_closed",
)
def one_too_many(reply, budget, begin, end):
    thought = _opened(reply, begin)
    return [*begin, *thought[: _first(thought, end)][: budget + 1], *end]


@wrong(
    "thoughts.limit",
    mistake="the opening marks were gone",
    ask="With which ids does the reply of a model begin that thinks?",
    refused_by="a_long_thought_is_cut_and_closed",
)
def forgets_the_opening(reply, budget, begin, end):
    thought = _opened(reply, begin)
    return [*thought[: _first(thought, end)][:budget], *end]


@wrong(
    "thoughts.limit",
    mistake="the caller's list were cut",
    ask="Does `del` or `+=` on a list make a new one?",
    refused_by="a_long_thought_is_cut_and_closed",
)
def cuts_the_callers_list(reply, budget, begin, end):
    thought = _opened(reply, begin)
    del reply[len(begin) + min(budget, _first(thought, end)) :]
    reply += end
    return list(reply)


@wrong(
    "thoughts.limit",
    mistake="every reply opened a thought",
    ask="What are the first ids of a reply that answers at once?",
    refused_by="a_reply_that_opens_no_thought_is_refused",
)
def takes_any_reply(reply, budget, begin, end):
    thought = list(reply[len(begin) :])
    return [*begin, *thought[: _first(thought, end)][:budget], *end]


@wrong(
    "thoughts.limit",
    mistake="the end may also stand within what opens the thought",
    ask="begin and end share a line break. From which place on can the thought end?",
    refused_by="an_end_is_looked_for_behind_what_opens_the_thought",
)
def looks_for_the_end_from_the_start(reply, budget, begin, end):
    if reply[: len(begin)] != begin:
        raise MinidsError("probe: the reply does not open a thought, so there is none to cut")
    found = (i for i in range(len(reply)) if reply[i : i + len(end)] == end)
    thought = reply[len(begin) : next(found, len(reply))]
    return [*begin, *thought[:budget], *end]


@wrong(
    "thoughts.limit",
    mistake="an end at the very end of the reply is none",
    ask="At how many places can `end` stand in a reply of n ids? Count the last one too.",
    refused_by="an_end_at_the_very_end_of_the_reply_is_one",
)
def misses_the_last_place(reply, budget, begin, end):
    if reply[: len(begin)] != begin:
        raise MinidsError("probe: the reply does not open a thought, so there is none to cut")
    thought = reply[len(begin) :]
    for i in range(len(thought) - len(end)):
        if thought[i : i + len(end)] == end:
            thought = thought[:i]
            break
    return [*begin, *thought[:budget], *end]


@alternative("thoughts.limit")
def token_by_token(reply, budget, begin, end):
    for have, want in zip(reply, begin):
        if have != want:
            raise MinidsError("no thought")
    if len(reply) < len(begin):
        raise MinidsError("no thought")
    out, at = list(begin), len(begin)
    while at < len(reply) and len(out) < len(begin) + budget:
        if list(reply[at : at + len(end)]) == list(end):
            break
        out.append(reply[at])
        at += 1
    return out + list(end)


@alternative("thoughts.limit")
def by_searching_in_text(reply, budget, begin, end):
    def spelled(ids):
        return "".join(f"<{i}>" for i in ids)

    text = spelled(reply)
    if not text.startswith(spelled(begin)):
        raise MinidsError("no thought")
    thought = text[len(spelled(begin)) :].split(spelled(end))[0]
    ids = [int(part) for part in thought.strip("<>").split("><")] if thought else []
    return list(begin) + ids[:budget] + list(end)
