"""Chapter 13, is it thinking: pass@k, bootstrap interval, paired test, slope within problems, keys, cut thoughts."""

import itertools
import math
import random
from fractions import Fraction

import numpy as np

from minids.course.cases import case, expect, raises
from minids.errors import MinidsError

# -- statistics.pass_at_k ------------------------------------------------------------------------------------------


def _by_counting(n, c, k):
    subsets = list(itertools.combinations([True] * c + [False] * (n - c), k))
    return sum(map(any, subsets)) / len(subsets)


@case("statistics.pass_at_k")
def one_right_among_four_by_hand(pass_at_k):
    # of the six pairs of four samples three hold the right one
    expect(pass_at_k(4, 1, 2), 0.5, n=4, c=1, k=2)
    # of the ten triples of five samples one holds none of the two right ones
    expect(pass_at_k(5, 2, 3), 0.9, n=5, c=2, k=3)


@case("statistics.pass_at_k")
def with_one_sample_it_is_the_share_of_right_ones(pass_at_k):
    for n, c in ((8, 0), (8, 3), (5, 5)):
        expect(pass_at_k(n, c, 1), c / n, n=n, c=c, k=1)


@case("statistics.pass_at_k")
def it_counts_every_subset(pass_at_k):
    n = random.randint(6, 9)
    for c in range(n + 1):
        for k in range(1, n + 1):
            expect(pass_at_k(n, c, k), _by_counting(n, c, k), n=n, c=c, k=k)


@case("statistics.pass_at_k")
def its_mean_is_unbiased(pass_at_k):
    # over all outcomes of 6 samples that are right with probability p: 1 - (1 - p)^4, whatever p
    p, n, k = Fraction(random.randint(1, 9), 10), 6, 4
    chance = [math.comb(n, c) * p**c * (1 - p) ** (n - c) for c in range(n + 1)]
    mean = sum(float(chance[c]) * pass_at_k(n, c, k) for c in range(n + 1))
    expect(mean, float(1 - (1 - p) ** k), p=float(p), n=n, k=k)


@case("statistics.pass_at_k")
def impossible_numbers_are_refused(pass_at_k):
    for n, c, k in ((4, 5, 1), (4, 2, 5), (4, 2, 0), (4, 2, -1), (4, -1, 2), (4, 4, 5), (4, 0, 0), (0, 0, 1)):
        raises(MinidsError, pass_at_k, n, c, k, because=f"n={n}, c={c}, k={k}")


@case("statistics.pass_at_k")
def the_bounds_themselves_are_allowed(pass_at_k):
    for (n, c, k), want in (((1, 0, 1), 0.0), ((1, 1, 1), 1.0), ((5, 0, 5), 0.0), ((5, 1, 5), 1.0), ((5, 5, 1), 1.0)):
        expect(pass_at_k(n, c, k), want, n=n, c=c, k=k)


@case("statistics.pass_at_k")
def thousands_of_samples_are_no_trouble(pass_at_k):
    """Binomial coefficients of thousands of digits, and a difference from 1 that floats on the way would lose."""
    expect(pass_at_k(10_000, 1, 100), 0.01, tol=1e-9, n=10_000, c=1, k=100)
    expect(pass_at_k(10_000, 1, 1), 1e-4, tol=1e-12, n=10_000, c=1, k=1)
    expect(pass_at_k(10_000, 9_000, 9_000), 1.0, n=10_000, c=9_000, k=9_000)
    expect(pass_at_k(10_000, 0, 10_000), 0.0, n=10_000, c=0, k=10_000)


@case("statistics.pass_at_k")
def a_float_comes_back(pass_at_k):
    for n, c, k in ((4, 4, 2), (4, 0, 2), (4, 1, 2)):
        got = pass_at_k(n, c, k)
        assert type(got) is float, f"n={n}, c={c}, k={k}: a float is expected, got {got!r}"


@case("statistics.pass_at_k", held_out=True)
def three_thousand_samples(pass_at_k):
    n, c, k = 3000, random.randint(2, 9), 700
    product = Fraction(1)
    for i in range(c):
        product *= Fraction(n - k - i, n - i)
    expect(pass_at_k(n, c, k), float(1 - product), tol=1e-9, n=n, c=c, k=k)


# -- statistics.bootstrap ---------------------------------------------------------------------------------------

FAIR = (*[1.0] * 8, *[0.0] * 8)  # the mean of a resample is a binomial's: bounds are known, and stay clear of a tie


@case("statistics.bootstrap")
def eight_of_sixteen_right_by_the_binomial(bootstrap_ci):
    # a resample holds 3 right ones or fewer in 1.1 %, 4 or fewer in 3.8 % of all cases: the 2.5 % point is 4 of 16
    got = bootstrap_ci(list(FAIR), draws=8000, seed=random.randrange(1000))
    expect(list(got), [0.25, 0.75], values="8 ones, 8 zeros", draws=8000)


@case("statistics.bootstrap")
def the_level_is_the_share_that_lies_inside(bootstrap_ci):
    got = bootstrap_ci(list(FAIR), level=0.5, draws=8000, seed=random.randrange(1000))
    expect(list(got), [7 / 16, 9 / 16], values="8 ones, 8 zeros", level=0.5, draws=8000)


@case("statistics.bootstrap")
def it_need_not_lie_evenly_around_the_mean(bootstrap_ci):
    # one of ten: no right one in 35 % of the resamples, at most 2 in 93 %, at most 3 in 98.7 %
    got = bootstrap_ci([0.0] * 9 + [1.0], draws=8000, seed=random.randrange(1000))
    expect(list(got), [0.0, 0.3], values="9 zeros and a one", draws=8000)


@case("statistics.bootstrap")
def each_problem_can_be_drawn(bootstrap_ci):
    for values in ([1.0] + [0.0] * 5, [0.0] * 5 + [1.0], [0.0, 0.0, 1.0, 0.0, 0.0, 0.0]):
        low, high = bootstrap_ci(values, draws=500, seed=3)
        assert high > 0, f"{values}: the upper bound is {high}, as if the problem with the 1 were not there"
        assert low == 0, f"{values}: the lower bound is {low}, but most resamples hold the 1 once or never"


@case("statistics.bootstrap")
def a_seed_stands_for_its_draws(bootstrap_ci):
    values = [random.random() for _ in range(30)]
    one, again, other = (tuple(bootstrap_ci(values, draws=300, seed=s)) for s in (5, 5, 6))
    assert one == again, "the same seed gave another interval"
    assert one != other, "seeds 5 and 6 gave the same interval to the last bit"


@case("statistics.bootstrap")
def what_is_no_list_of_numbers_is_refused(bootstrap_ci):
    raises(MinidsError, bootstrap_ci, [], because="an empty list")
    for bad in (math.nan, math.inf, -math.inf):
        raises(MinidsError, bootstrap_ci, [1.0, bad, 0.0], because=f"a value that is {bad}")


@case("statistics.bootstrap")
def a_level_outside_0_to_1_is_refused(bootstrap_ci):
    for level in (1.5, -0.1, 0.0, 1.0, math.nan):
        raises(MinidsError, bootstrap_ci, [1.0, 0.0], level=level, because=f"level={level}")


@case("statistics.bootstrap")
def values_need_not_lie_between_0_and_1(bootstrap_ci):
    """Differences of two models, some of them negative, and an array of them."""
    values = np.array([-2.0] * 8 + [6.0] * 8)
    got = bootstrap_ci(values, draws=8000, seed=random.randrange(1000))
    expect(list(got), [0.0, 4.0], values="8 times -2, 8 times 6", draws=8000)


@case("statistics.bootstrap")
def two_floats_come_back_and_one_value_is_enough(bootstrap_ci):
    for values in ([0.25] * 7, [0.5], [1, 1, 1]):
        got = bootstrap_ci(values, draws=50)
        expect(list(got), [float(values[0])] * 2, values=values)
        assert all(type(x) is float for x in got), f"two floats are expected, got {got!r}"


@case("statistics.bootstrap")
def a_single_draw_has_no_width_and_many_draws_no_more_than_few(bootstrap_ci):
    values = [random.random() for _ in range(20)]
    low, high = bootstrap_ci(values, draws=1, seed=2)
    assert low == high, f"draws=1 gives one mean, and no width: got ({low}, {high})"
    few, many = (bootstrap_ci(values, draws=d, seed=2) for d in (1000, 4000))
    widths = few[1] - few[0], many[1] - many[0]
    assert 0.75 < widths[1] / widths[0] < 1.33, f"4000 draws gave a width of {widths[1]:.3g}, 1000 of {widths[0]:.3g}"


@case("statistics.bootstrap", held_out=True)
def for_many_problems_it_is_the_normal_interval(bootstrap_ci):
    values = [random.gauss(3.0, 2.0) for _ in range(300)]
    mean, error = float(np.mean(values)), float(np.std(values)) / math.sqrt(len(values))
    low, high = bootstrap_ci(values, draws=6000, seed=random.randrange(1000))
    for got, want in ((low, mean - 1.96 * error), (high, mean + 1.96 * error)):
        assert abs(got - want) < 0.25 * error, f"{got:.4f} is not near {want:.4f}; the standard error is {error:.4f}"


# -- statistics.paired ----------------------------------------------------------------------------------------


def _listed(differences):
    """All patterns of signs, one after the other."""
    sums = [
        sum(s * d for s, d in zip(signs, differences)) for signs in itertools.product((1, -1), repeat=len(differences))
    ]
    return sum(abs(x) >= abs(sum(differences)) for x in sums) / len(sums)


def _mcnemar(wins, losses):
    n, least = wins + losses, min(wins, losses)
    return float(min(1, Fraction(2 * sum(math.comb(n, i) for i in range(least + 1)), 2**n)))


@case("statistics.paired")
def four_wins_and_no_loss_by_hand(paired_test):
    # of the 16 patterns two have a sum as far from 0: all plus, all minus
    expect(paired_test([1, 1, 1, 1]), 0.125, differences=[1, 1, 1, 1])


@case("statistics.paired")
def without_a_gain_everything_is_as_extreme(paired_test):
    for differences in ([1, -1], [2, -1, -1], [0, 0, 0]):
        expect(paired_test(differences), 1.0, differences=differences)


@case("statistics.paired")
def it_agrees_with_listing_every_pattern(paired_test):
    for size in (1, 5, 8):
        differences = [random.randint(-6, 6) for _ in range(size)]
        expect(paired_test(differences), _listed(differences), tol=1e-9, differences=differences)
    expect(paired_test([5, -1, -1, -1]), _listed([5, -1, -1, -1]), tol=1e-9, differences=[5, -1, -1, -1])


@case("statistics.paired")
def a_loss_counts_as_much_as_a_gain(paired_test):
    for differences in ([-1, -1, -1, -1, -1], [-4, -2, 1, -3]):
        expect(paired_test(differences), _listed(differences), tol=1e-9, differences=differences)


@case("statistics.paired")
def problems_without_a_difference_change_nothing(paired_test):
    expect(paired_test([1, 0, 1, 0, 1, 1, 0]), 0.125, differences=[1, 0, 1, 0, 1, 1, 0])


@case("statistics.paired")
def sixty_problems_are_counted_not_listed(paired_test):
    wins, losses = random.randint(25, 35), random.randint(10, 20)
    differences = [1] * wins + [-1] * losses + [0] * (60 - wins - losses if wins + losses < 60 else 3)
    random.shuffle(differences)
    expect(paired_test(differences), _mcnemar(wins, losses), tol=1e-9, wins=wins, losses=losses)


@case("statistics.paired")
def what_is_no_list_of_whole_numbers_is_refused(paired_test):
    raises(MinidsError, paired_test, [], because="an empty list")
    for bad in (0.5, -1.5, 1e-9, math.nan, math.inf):
        raises(MinidsError, paired_test, [1, bad], because=f"a difference of {bad}")


@case("statistics.paired")
def hundreds_of_problems_are_counted_exactly(paired_test):
    """2^300 patterns: more than a whole number of 64 bits holds, and far below what a sum of floats tells from 0."""
    for wins, losses in ((70, 30), (60, 40), (180, 120), (150, 150), (230, 70)):
        want = _mcnemar(wins, losses)
        got = paired_test([1] * wins + [-1] * losses)
        expect(got / want, 1.0, tol=1e-6, wins=wins, losses=losses, p=want)


@case("statistics.paired")
def whole_numbers_may_be_floats_or_of_numpy(paired_test):
    for differences in ([1.0, 1.0, 1.0, 1.0], np.array([1, 1, 1, 1]), np.ones(4), (1, 1, 1, 1)):
        got = paired_test(differences)
        expect(got, 0.125, differences=differences)
    got = paired_test([0])
    assert type(got) is float, f"p is a float, got {got!r}"


@case("statistics.paired")
def large_differences_are_exact_too(paired_test):
    differences = [1000, -999, 500, 1, 1, -3, 250]
    expect(paired_test(differences), _listed(differences), tol=1e-9, differences=differences)


@case("statistics.paired", held_out=True)
def large_differences_agree_with_a_convolution(paired_test):
    differences = [random.randint(-64, 64) for _ in range(30)]
    reach = sum(map(abs, differences))
    ways = np.zeros(2 * reach + 1)
    ways[reach] = 1.0
    for d in map(abs, differences):
        ways = (np.roll(ways, d) + np.roll(ways, -d)) / 2
    observed = abs(sum(differences))
    want = float(ways[np.abs(np.arange(-reach, reach + 1)) >= observed].sum())
    expect(paired_test(differences), want, tol=1e-7, differences=differences)


@case("statistics.paired", held_out=True)
def the_given_list_stays_as_it_is(paired_test):
    differences = [3, -1, 0, 2]
    expect([paired_test(differences), differences], [_listed([3, -1, 0, 2]), [3, -1, 0, 2]])


# -- statistics.slope ---------------------------------------------------------------------------------------


def _with_a_column_a_problem(x_PS, y_PS):
    """Least squares on x and an indicator of each problem."""
    rows, right = [], []
    for p, (x_S, y_S) in enumerate(zip(x_PS, y_PS)):
        for x, y in zip(x_S, y_S):
            rows.append([x, *(float(q == p) for q in range(len(x_PS)))])
            right.append(y)
    return float(np.linalg.lstsq(np.array(rows, float), np.array(right, float), rcond=None)[0][0])


def _problems(sizes):
    """Lists that fall between problems and rise within them, with noise."""
    x_PS, y_PS = [], []
    for size in sizes:
        middle = random.uniform(0, 50)
        x_PS.append([middle + random.uniform(-5, 5) for _ in range(size)])
        y_PS.append([0.3 * (x - middle) - middle + random.gauss(0, 0.5) for x in x_PS[-1]])
    return x_PS, y_PS


@case("statistics.slope")
def two_problems_by_hand(slope_within):
    x, y = [[1, 3], [12, 14]], [[0, 1], [0, 1]]
    expect(slope_within(x, y), 0.5, x=x, y=y)


@case("statistics.slope")
def what_differs_between_problems_falls_out(slope_within):
    # longer is better in both problems, and the problem with the longer answers is the harder one
    x, y = [[10, 20], [50, 60]], [[0.6, 0.8], [0.1, 0.3]]
    expect(slope_within(x, y), 0.02, tol=1e-7, x=x, y=y)


@case("statistics.slope")
def it_agrees_with_least_squares_on_a_column_a_problem(slope_within):
    x, y = _problems([6, 6, 6, 6])
    expect(slope_within(x, y), _with_a_column_a_problem(x, y), tol=1e-6)


@case("statistics.slope")
def problems_may_have_different_numbers_of_samples(slope_within):
    x, y = _problems([2, 7, 1, 4])
    expect(slope_within(x, y), _with_a_column_a_problem(x, y), tol=1e-6, samples=[2, 7, 1, 4])


@case("statistics.slope")
def a_problem_whose_x_varies_more_says_more(slope_within):
    # slopes of 1 and of 0; the first problem's x spreads ten times as far, so its squares weigh a hundred times more
    x, y = [[0, 20], [5, 7]], [[0, 20], [1, 1]]
    expect(slope_within(x, y), 200 / 202, tol=1e-7, x=x, y=y)


@case("statistics.slope")
def a_problem_without_variation_is_no_obstacle(slope_within):
    x, y = [[4, 4, 4], [1, 3]], [[0, 1, 0], [0, 1]]
    expect(slope_within(x, y), 0.5, x=x, y=y)


@case("statistics.slope")
def without_any_variation_there_is_no_slope(slope_within):
    for x in ([[3, 3], [5]], [[0.1] * 3, [2.0]], [[1e9 + 0.1] * 7], [[], []], []):
        y = [[float(i) for i in range(len(row))] for row in x]
        raises(MinidsError, slope_within, x, y, because=f"x = {x} never varies inside a problem")


@case("statistics.slope")
def lists_that_do_not_match_are_refused(slope_within):
    for y in ([[1, 2], [3]], [[1, 2], [3, 4, 5]], [[1, 2]], [[1, 2], [3, 4], [5]], [[1], [2, 3, 4]]):
        raises(MinidsError, slope_within, [[1, 2], [3, 4]], y, because=f"x = [[1, 2], [3, 4]], y = {y}")


@case("statistics.slope")
def the_slope_of_y_on_x_and_not_of_x_on_y(slope_within):
    x, y = [[0, 2, 4]], [[1, 0, 5]]
    expect(slope_within(x, y), 1.0, x=x, y=y)
    x, y = [[0, 1, 5], [7, 9]], [[8, 6, 1], [3, 3]]
    expect(slope_within(x, y), _with_a_column_a_problem(x, y), tol=1e-7, x=x, y=y)


@case("statistics.slope")
def far_from_zero_it_is_the_same_slope(slope_within):
    """Means have to be taken away before anything is squared: squares of such numbers are rounded."""
    y = [[0, 1, 1, 0], [1, 0]]
    want = _with_a_column_a_problem([[0.1, 1, 2.3, 5], [0, 2.7]], y)
    for far in (1e6, 7_654_321.0):
        x = [[far + 0.1, far + 1, far + 2.3, far + 5], [3 * far, 3 * far + 2.7]]
        expect(slope_within(x, y), want, tol=1e-6, x=x, y=y)


@case("statistics.slope")
def rows_may_be_tuples_or_arrays_and_stay_as_they_are(slope_within):
    x, y = [[4.0, 1.0, 7.0], [2.0, 6.0]], [[1.0, 0.0, 3.0], [2.0, 5.0]]
    want = _with_a_column_a_problem(x, y)
    for kind in (tuple, np.array, lambda row: np.array(row, dtype=np.float32)):
        given = [kind(row) for row in x], [kind(row) for row in y]
        expect(slope_within(*given), want, tol=1e-6, x=given[0], y=given[1])
    table = np.array([[4.0, 1.0, 7.0], [2.0, 6.0, 3.0]]), np.array([[1.0, 0.0, 3.0], [2.0, 5.0, 1.0]])
    expect(slope_within(*table), _with_a_column_a_problem(*table), tol=1e-6, x=table[0], y=table[1])


@case("statistics.slope")
def a_problem_without_samples_says_nothing(slope_within):
    x, y = [[], [1, 3], [4]], [[], [0, 1], [9]]
    got = slope_within(x, y)
    expect(got, 0.5, x=x, y=y)
    assert type(got) is float, f"a float is expected, got {got!r}"


@case("statistics.slope", held_out=True)
def moving_a_problem_changes_nothing(slope_within):
    x, y = _problems([5, 3, 8])
    moved_x = [[a + 100 * p for a in row] for p, row in enumerate(x)]
    moved_y = [[b - 40 * p for b in row] for p, row in enumerate(y)]
    expect(slope_within(moved_x, moved_y), slope_within(x, y), tol=1e-6)


@case("statistics.slope", held_out=True)
def for_one_problem_it_is_the_usual_line(slope_within):
    x, y = _problems([20])
    expect(slope_within(x, y), float(np.polyfit(x[0], y[0], 1)[0]), tol=1e-6)


# -- held_out.key -----------------------------------------------------------------------------------------------


@case("held_out.key")
def the_sum_of_two_is_one_problem_in_either_order(key_of):
    expect(key_of((347, 5896)), "347,5896", terms=(347, 5896))
    expect(key_of((5896, 347)), "347,5896", terms=(5896, 347))


@case("held_out.key")
def numbers_are_ordered_as_numbers(key_of):
    expect(key_of((9, 10)), "9,10", terms=(9, 10))
    expect(key_of((100, 20)), "20,100", terms=(100, 20))


@case("held_out.key")
def a_subtraction_keeps_its_order(key_of):
    for terms in ((12, -5), (5, -12), (7, -7), (0, -3), (-5, 12), (-2, -9), (-9, -2)):
        expect(key_of(terms), f"{terms[0]},{terms[1]}", terms=terms)


@case("held_out.key")
def a_longer_chain_keeps_its_order(key_of):
    for terms in ((12, 7, -5), (3, 2, 1), (12, -5, 7), (9, 8, 7, 6), (5, 5, 5), (30, 4, 30)):
        expect(key_of(terms), ",".join(map(str, terms)), terms=terms)


@case("held_out.key")
def equal_numbers_are_two_numbers(key_of):
    for terms in ((5, 5), (0, 0), (120, 120)):
        expect(key_of(terms), f"{terms[0]},{terms[1]}", terms=terms)


@case("held_out.key")
def lists_are_taken_as_tuples_are_and_stay_as_they_are(key_of):
    for terms in ([12, 3], [7, 3, 5], [12, -5]):
        expect(key_of(list(terms)), key_of(tuple(terms)), terms=terms)


@case("held_out.key")
def zero_is_not_negative(key_of):
    expect(key_of((7, 0)), "0,7", terms=(7, 0))
    expect(key_of((0, 7)), "0,7", terms=(0, 7))


@case("held_out.key", held_out=True)
def other_operands_have_another_key(key_of):
    chosen = {(1, 23), (12, 3), (1, 2, 3), (1, 2, -3), (1, -2, 3), (123, 0), (2, 22), (22, -2)}
    keys = {key_of(terms) for terms in chosen}
    assert len(keys) == len(chosen), f"{len(chosen)} different problems have {len(keys)} keys: {sorted(keys)}"


@case("held_out.key", held_out=True)
def any_two_numbers(key_of):
    for _ in range(50):
        a, b = random.randrange(10 ** random.randint(1, 7)), random.randrange(10 ** random.randint(1, 7))
        expect([key_of((a, b)), key_of([b, a])], [f"{min(a, b)},{max(a, b)}"] * 2, a=a, b=b)


# -- thoughts.limit ----------------------------------------------------------------------------------------

LIMIT = "thoughts.limit"
LINE, THINK, CLOSE, ANSWER = 1, 2, 3, 4
BEGIN, END = (LINE, THINK, LINE), (LINE, CLOSE, LINE, ANSWER)
THOUGHT, REST = (11, 12, 13, 14, 15, 16), (21, 22, 5, 0)


def _limited(limit_thought, thought, budget, want, after=(*END, *REST), begin=BEGIN, end=END):
    """begin, thought, what comes after it -> begin, what is wanted of the thought, end."""
    given = dict(reply=[*begin, *thought, *after], budget=budget, begin=list(begin), end=list(end))
    got = limit_thought(*(list(v) if isinstance(v, list) else v for v in given.values()))
    expect(got, [*begin, *want, *end], **given)
    assert type(got) is list, f"a list of ids is expected, got {type(got).__name__}"


@case(LIMIT)
def a_long_thought_is_cut_and_closed(limit_thought):
    _limited(limit_thought, THOUGHT, 4, THOUGHT[:4])
    _limited(limit_thought, THOUGHT, 1, THOUGHT[:1])


@case(LIMIT)
def a_short_thought_is_kept_whole_without_its_answer(limit_thought):
    for budget in (5, 6, 7, 100):
        _limited(limit_thought, THOUGHT, budget, THOUGHT[:budget])


@case(LIMIT)
def the_digits_of_an_id_are_no_ids(limit_thought):
    _limited(limit_thought, (5, 12, 3, 6), 9, (5, 12, 3, 6), (2, 3), begin=(1,), end=(2, 3))
    _limited(limit_thought, (5, 2, 31, 6), 9, (5, 2, 31, 6), (2, 3), begin=(1,), end=(2, 3))


@case(LIMIT)
def a_budget_of_zero_leaves_no_thought(limit_thought):
    _limited(limit_thought, THOUGHT, 0, ())
    _limited(limit_thought, THOUGHT, 0, (), after=())


@case(LIMIT)
def an_empty_thought_is_a_thought(limit_thought):
    for budget in (0, 3):
        _limited(limit_thought, (), budget, ())
        _limited(limit_thought, (), budget, (), after=())  # nothing but what opens it


@case(LIMIT)
def ids_of_the_end_that_stand_alone_do_not_end_the_thought(limit_thought):
    for thought in (
        (11, LINE, 12, LINE, CLOSE, 13),
        (CLOSE, 11, ANSWER, LINE),
        (LINE, CLOSE, LINE, 12, ANSWER, 11),
        (11, LINE, LINE),
        (LINE, CLOSE, LINE, CLOSE),
        (11, LINE, CLOSE, LINE, LINE, CLOSE),
    ):
        _limited(limit_thought, thought, 50, thought)
        _limited(limit_thought, thought, 2, thought[:2])


@case(LIMIT)
def an_end_may_begin_within_what_looked_like_one(limit_thought):
    """7, 7, 8 is what ends: in 7, 7, 7, 8 it begins at the second place."""
    _limited(limit_thought, (11, 7), 9, (11, 7), after=(7, 7, 8, 21), end=(7, 7, 8))
    _limited(limit_thought, (7,), 9, (7,), after=(7, 7, 8), end=(7, 7, 8))


@case(LIMIT)
def the_first_end_is_the_end(limit_thought):
    _limited(limit_thought, (11, 12), 50, (11, 12), after=(*END, 21, *END, 22))
    _limited(limit_thought, (11, 12), 1, (11,), after=(*END, *END))


@case(LIMIT)
def an_end_at_the_very_end_of_the_reply_is_one(limit_thought):
    for budget, want in ((50, (11, 12)), (1, (11,)), (2, (11, 12)), (3, (11, 12))):
        _limited(limit_thought, (11, 12), budget, want, after=END)


@case(LIMIT)
def a_thought_that_was_broken_off_is_closed_too(limit_thought):
    _limited(limit_thought, THOUGHT, 50, THOUGHT, after=())
    _limited(limit_thought, THOUGHT, 2, THOUGHT[:2], after=())
    _limited(limit_thought, (11, *END[:3]), 50, (11, *END[:3]), after=())  # in the middle of what would close it


@case(LIMIT)
def what_opens_a_thought_does_not_count_and_may_come_again(limit_thought):
    thought = (*BEGIN, 11, *BEGIN, 12)
    _limited(limit_thought, thought, 50, thought)
    _limited(limit_thought, thought, 4, thought[:4])


@case(LIMIT)
def a_template_may_have_no_opening_mark(limit_thought):
    _limited(limit_thought, (11, 7, 12), 9, (11, 7, 12), after=(7, 8, 21), begin=(), end=(7, 8))
    _limited(limit_thought, (11, 7, 12), 2, (11, 7), after=(7, 8, 21), begin=(), end=(7, 8))
    _limited(limit_thought, (), 2, (), after=(9, 21), begin=(), end=(9,))


@case(LIMIT)
def an_end_is_looked_for_behind_what_opens_the_thought(limit_thought):
    """begin and end share ids, a line break for one: 1, 2, 1 opens and 2, 1 ends."""
    _limited(limit_thought, (11, 12), 9, (11, 12), after=(2, 1, 21), begin=(1, 2, 1), end=(2, 1))
    _limited(limit_thought, (2, 11), 9, (2, 11), after=(1, 2, 21), begin=(1,), end=(1, 2))


@case(LIMIT)
def a_reply_that_opens_no_thought_is_refused(limit_thought):
    for reply in ([ANSWER, 21, 5, 0], [], [LINE], [LINE, THINK], [LINE, THINK, 11, 12], [11, *BEGIN, 12, *END]):
        raises(MinidsError, limit_thought, reply, 4, list(BEGIN), list(END), because=f"reply {reply}, begin {BEGIN}")


@case(LIMIT)
def the_result_is_a_list_of_its_own(limit_thought):
    reply, begin, end = [*BEGIN, *THOUGHT], list(BEGIN), list(END)
    got = limit_thought(reply, 50, begin, end)
    got.append(99)
    expect([reply, begin, end], [[*BEGIN, *THOUGHT], list(BEGIN), list(END)], changed="the list that came back")


@case(LIMIT, held_out=True)
def any_budget_gives_so_many_tokens(limit_thought):
    thought = [random.choice([LINE, CLOSE, 11, 12]) for _ in range(40)]
    thought = [t for i, t in enumerate(thought) if t != CLOSE or i % 2]
    for budget in range(0, 60, 7):
        _limited(limit_thought, thought, budget, thought[:budget])


@case(LIMIT, held_out=True)
def other_marks(limit_thought):
    _limited(limit_thought, (1, 2, 1, 1), 9, (1, 2, 1, 1), after=(1, 3), begin=(5,), end=(1, 3))
    _limited(limit_thought, (1, 2, 1, 1), 3, (1, 2, 1), after=(1, 3, 1, 3), begin=(5,), end=(1, 3))
