"""Chapter 13, is it thinking: pass@k, bootstrap interval, paired test, slope within problems, keys, cut thoughts."""

import itertools
import math
import random
from fractions import Fraction

import numpy as np

from minids.course.cases import case, expect


def _refuses(call, what):
    try:
        got = call()
    except Exception as error:
        assert "MinidsError" in repr(error), f"{what}: {error!r} was raised; a MinidsError would say what is wrong"
        return
    raise AssertionError(f"{what}: {got!r} came back, a MinidsError was expected")


# -- reason.metrics.pass_at_k ------------------------------------------------------------------------------------------


def _by_counting(n, c, k):
    subsets = list(itertools.combinations([True] * c + [False] * (n - c), k))
    return sum(map(any, subsets)) / len(subsets)


@case("reason.metrics.pass_at_k")
def one_right_among_four_by_hand(pass_at_k):
    # of the six pairs of four samples three hold the right one
    expect(pass_at_k(4, 1, 2), 0.5, n=4, c=1, k=2)
    # of the ten triples of five samples one holds none of the two right ones
    expect(pass_at_k(5, 2, 3), 0.9, n=5, c=2, k=3)


@case("reason.metrics.pass_at_k")
def with_one_sample_it_is_the_share_of_right_ones(pass_at_k):
    for n, c in ((8, 0), (8, 3), (5, 5)):
        expect(pass_at_k(n, c, 1), c / n, n=n, c=c, k=1)


@case("reason.metrics.pass_at_k")
def it_counts_every_subset(pass_at_k):
    n = random.randint(6, 9)
    for c in range(n + 1):
        for k in range(1, n + 1):
            expect(pass_at_k(n, c, k), _by_counting(n, c, k), n=n, c=c, k=k)


@case("reason.metrics.pass_at_k")
def its_mean_is_unbiased(pass_at_k):
    # over all outcomes of 6 samples that are right with probability p: 1 - (1 - p)^4, whatever p
    p, n, k = Fraction(random.randint(1, 9), 10), 6, 4
    chance = [math.comb(n, c) * p**c * (1 - p) ** (n - c) for c in range(n + 1)]
    mean = sum(float(chance[c]) * pass_at_k(n, c, k) for c in range(n + 1))
    expect(mean, float(1 - (1 - p) ** k), p=float(p), n=n, k=k)


@case("reason.metrics.pass_at_k")
def impossible_numbers_are_refused(pass_at_k):
    for n, c, k in ((4, 5, 1), (4, 2, 5), (4, 2, 0), (4, -1, 2)):
        _refuses(lambda n=n, c=c, k=k: pass_at_k(n, c, k), f"n={n}, c={c}, k={k}")


@case("reason.metrics.pass_at_k", held_out=True)
def ten_thousand_samples_are_no_trouble(pass_at_k):
    expect(pass_at_k(10_000, 1, 100), 0.01)
    expect(pass_at_k(10_000, 0, 10_000), 0.0)
    n, c, k = 3000, random.randint(2, 9), 700
    product = Fraction(1)
    for i in range(c):
        product *= Fraction(n - k - i, n - i)
    expect(pass_at_k(n, c, k), float(1 - product), tol=1e-9, n=n, c=c, k=k)


@case("reason.metrics.pass_at_k", held_out=True)
def a_float_comes_back(pass_at_k):
    for n, c, k in ((4, 4, 2), (4, 0, 2), (4, 1, 2)):
        assert isinstance(pass_at_k(n, c, k), float), f"n={n}, c={c}, k={k}: {pass_at_k(n, c, k)!r} is no float"


# -- reason.metrics.bootstrap_ci ---------------------------------------------------------------------------------------

FAIR = [1.0] * 8 + [0.0] * 8  # the mean of a resample is a binomial's: bounds are known, and stay clear of a tie


@case("reason.metrics.bootstrap_ci")
def eight_of_sixteen_right_by_the_binomial(bootstrap_ci):
    # a resample holds 3 right ones or fewer in 1.1 %, 4 or fewer in 3.8 % of all cases: the 2.5 % point is 4 of 16
    got = bootstrap_ci(FAIR, draws=8000, seed=random.randrange(1000))
    expect(list(got), [0.25, 0.75], values="8 ones, 8 zeros", draws=8000)


@case("reason.metrics.bootstrap_ci")
def the_level_is_the_share_that_lies_inside(bootstrap_ci):
    got = bootstrap_ci(FAIR, level=0.5, draws=8000, seed=random.randrange(1000))
    expect(list(got), [7 / 16, 9 / 16], values="8 ones, 8 zeros", level=0.5, draws=8000)


@case("reason.metrics.bootstrap_ci")
def it_need_not_lie_evenly_around_the_mean(bootstrap_ci):
    # one of ten: no right one in 35 % of the resamples, at most 2 in 93 %, at most 3 in 98.7 %
    got = bootstrap_ci([0.0] * 9 + [1.0], draws=8000, seed=random.randrange(1000))
    expect(list(got), [0.0, 0.3], values="9 zeros and a one", draws=8000)


@case("reason.metrics.bootstrap_ci")
def each_problem_can_be_drawn(bootstrap_ci):
    for values in ([1.0] + [0.0] * 5, [0.0] * 5 + [1.0], [0.0, 0.0, 1.0, 0.0, 0.0, 0.0]):
        low, high = bootstrap_ci(values, draws=500, seed=3)
        assert high > 0, f"{values}: the upper bound is {high}, as if the problem with the 1 were not there"
        assert low == 0, f"{values}: the lower bound is {low}, but most resamples hold the 1 once or never"


@case("reason.metrics.bootstrap_ci")
def a_seed_stands_for_its_draws(bootstrap_ci):
    values = [random.random() for _ in range(30)]
    one, again, other = (tuple(bootstrap_ci(values, draws=300, seed=s)) for s in (5, 5, 6))
    assert one == again, "the same seed gave another interval"
    assert one != other, "seeds 5 and 6 gave the same interval to the last bit"


@case("reason.metrics.bootstrap_ci")
def what_is_no_list_of_numbers_is_refused(bootstrap_ci):
    _refuses(lambda: bootstrap_ci([]), "an empty list")
    _refuses(lambda: bootstrap_ci([1.0, math.nan]), "a value that is NaN")
    _refuses(lambda: bootstrap_ci([1.0, 0.0], level=1.5), "level=1.5")


@case("reason.metrics.bootstrap_ci", held_out=True)
def for_many_problems_it_is_the_normal_interval(bootstrap_ci):
    values = [random.gauss(3.0, 2.0) for _ in range(300)]
    mean, error = float(np.mean(values)), float(np.std(values)) / math.sqrt(len(values))
    low, high = bootstrap_ci(values, draws=6000, seed=random.randrange(1000))
    for got, want in ((low, mean - 1.96 * error), (high, mean + 1.96 * error)):
        assert abs(got - want) < 0.25 * error, f"{got:.4f} is not near {want:.4f}; the standard error is {error:.4f}"


@case("reason.metrics.bootstrap_ci", held_out=True)
def equal_values_leave_no_width(bootstrap_ci):
    got = bootstrap_ci([0.25] * 7)
    expect(list(got), [0.25, 0.25])
    assert all(type(x) is float for x in got), f"two floats are expected, got {got!r}"
    expect(list(bootstrap_ci([0.5])), [0.5, 0.5])


# -- reason.metrics.paired_test ----------------------------------------------------------------------------------------


def _listed(differences):
    """All patterns of signs, one after the other."""
    sums = [sum(s * d for s, d in zip(signs, differences))
            for signs in itertools.product((1, -1), repeat=len(differences))]
    return sum(abs(x) >= abs(sum(differences)) for x in sums) / len(sums)


def _mcnemar(wins, losses):
    n, least = wins + losses, min(wins, losses)
    return float(min(1, Fraction(2 * sum(math.comb(n, i) for i in range(least + 1)), 2**n)))


@case("reason.metrics.paired_test")
def four_wins_and_no_loss_by_hand(paired_test):
    # of the 16 patterns two have a sum as far from 0: all plus, all minus
    expect(paired_test([1, 1, 1, 1]), 0.125, differences=[1, 1, 1, 1])


@case("reason.metrics.paired_test")
def without_a_gain_everything_is_as_extreme(paired_test):
    for differences in ([1, -1], [2, -1, -1], [0, 0, 0]):
        expect(paired_test(differences), 1.0, differences=differences)


@case("reason.metrics.paired_test")
def it_agrees_with_listing_every_pattern(paired_test):
    for size in (1, 5, 8):
        differences = [random.randint(-6, 6) for _ in range(size)]
        expect(paired_test(differences), _listed(differences), tol=1e-9, differences=differences)
    expect(paired_test([5, -1, -1, -1]), _listed([5, -1, -1, -1]), tol=1e-9, differences=[5, -1, -1, -1])


@case("reason.metrics.paired_test")
def a_loss_counts_as_much_as_a_gain(paired_test):
    for differences in ([-1, -1, -1, -1, -1], [-4, -2, 1, -3]):
        expect(paired_test(differences), _listed(differences), tol=1e-9, differences=differences)


@case("reason.metrics.paired_test")
def problems_without_a_difference_change_nothing(paired_test):
    expect(paired_test([1, 0, 1, 0, 1, 1, 0]), 0.125, differences=[1, 0, 1, 0, 1, 1, 0])


@case("reason.metrics.paired_test")
def sixty_problems_are_counted_not_listed(paired_test):
    wins, losses = random.randint(25, 35), random.randint(10, 20)
    differences = [1] * wins + [-1] * losses + [0] * (60 - wins - losses if wins + losses < 60 else 3)
    random.shuffle(differences)
    expect(paired_test(differences), _mcnemar(wins, losses), tol=1e-9, wins=wins, losses=losses)


@case("reason.metrics.paired_test")
def what_is_no_list_of_whole_numbers_is_refused(paired_test):
    _refuses(lambda: paired_test([]), "an empty list")
    _refuses(lambda: paired_test([1, 0.5]), "a difference of 0.5")


@case("reason.metrics.paired_test", held_out=True)
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


@case("reason.metrics.paired_test", held_out=True)
def the_given_list_stays_as_it_is(paired_test):
    differences = [3, -1, 0, 2]
    paired_test(differences)
    expect(differences, [3, -1, 0, 2])
    assert isinstance(paired_test([0]), float), "p is a float"


# -- reason.metrics.slope_within ---------------------------------------------------------------------------------------


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


@case("reason.metrics.slope_within")
def two_problems_by_hand(slope_within):
    x, y = [[1, 3], [12, 14]], [[0, 1], [0, 1]]
    expect(slope_within(x, y), 0.5, x=x, y=y)


@case("reason.metrics.slope_within")
def what_differs_between_problems_falls_out(slope_within):
    # longer is better in both problems, and the problem with the longer answers is the harder one
    x, y = [[10, 20], [50, 60]], [[0.6, 0.8], [0.1, 0.3]]
    expect(slope_within(x, y), 0.02, tol=1e-7, x=x, y=y)


@case("reason.metrics.slope_within")
def it_agrees_with_least_squares_on_a_column_a_problem(slope_within):
    x, y = _problems([6, 6, 6, 6])
    expect(slope_within(x, y), _with_a_column_a_problem(x, y), tol=1e-6)


@case("reason.metrics.slope_within")
def problems_may_have_different_numbers_of_samples(slope_within):
    x, y = _problems([2, 7, 1, 4])
    expect(slope_within(x, y), _with_a_column_a_problem(x, y), tol=1e-6, samples=[2, 7, 1, 4])


@case("reason.metrics.slope_within")
def a_problem_whose_x_varies_more_says_more(slope_within):
    # slopes of 1 and of 0; the first problem's x spreads ten times as far, so its squares weigh a hundred times more
    x, y = [[0, 20], [5, 7]], [[0, 20], [1, 1]]
    expect(slope_within(x, y), 200 / 202, tol=1e-7, x=x, y=y)


@case("reason.metrics.slope_within")
def a_problem_without_variation_is_no_obstacle(slope_within):
    x, y = [[4, 4, 4], [1, 3]], [[0, 1, 0], [0, 1]]
    expect(slope_within(x, y), 0.5, x=x, y=y)


@case("reason.metrics.slope_within")
def without_any_variation_there_is_no_slope(slope_within):
    _refuses(lambda: slope_within([[3, 3], [5]], [[0, 1], [1]]), "x = [[3, 3], [5]]")
    _refuses(lambda: slope_within([[1, 2], [3, 4]], [[1, 2], [3]]), "one y too few")


@case("reason.metrics.slope_within", held_out=True)
def moving_a_problem_changes_nothing(slope_within):
    x, y = _problems([5, 3, 8])
    moved_x = [[a + 100 * p for a in row] for p, row in enumerate(x)]
    moved_y = [[b - 40 * p for b in row] for p, row in enumerate(y)]
    expect(slope_within(moved_x, moved_y), slope_within(x, y), tol=1e-6)


@case("reason.metrics.slope_within", held_out=True)
def for_one_problem_it_is_the_usual_line(slope_within):
    x, y = _problems([20])
    before = [list(x[0]), list(y[0])]
    got = slope_within(x, y)
    expect(got, float(np.polyfit(*before, 1)[0]), tol=1e-6)
    expect([x[0], y[0]], before)
    assert isinstance(got, float), f"a float is expected, got {type(got).__name__}"


# -- reason.tasks.key_of -----------------------------------------------------------------------------------------------


@case("reason.tasks.key_of")
def the_sum_of_two_is_one_problem_in_either_order(key_of):
    expect(key_of((347, 5896)), "347,5896", terms=(347, 5896))
    expect(key_of((5896, 347)), "347,5896", terms=(5896, 347))


@case("reason.tasks.key_of")
def numbers_are_ordered_as_numbers(key_of):
    expect(key_of((9, 10)), "9,10", terms=(9, 10))
    expect(key_of((100, 20)), "20,100", terms=(100, 20))


@case("reason.tasks.key_of")
def a_subtraction_keeps_its_order(key_of):
    expect(key_of((12, -5)), "12,-5", terms=(12, -5))


@case("reason.tasks.key_of")
def a_longer_chain_keeps_its_order(key_of):
    for terms, want in (((12, 7, -5), "12,7,-5"), ((3, 2, 1), "3,2,1"), ((12, -5, 7), "12,-5,7")):
        expect(key_of(terms), want, terms=terms)


@case("reason.tasks.key_of")
def zero_is_not_negative(key_of):
    expect(key_of((7, 0)), "0,7", terms=(7, 0))


@case("reason.tasks.key_of")
def the_given_list_of_terms_stays_as_it_is(key_of):
    terms = [12, 3]
    expect(key_of(terms), "3,12", terms=[12, 3])
    expect(terms, [12, 3])


@case("reason.tasks.key_of", held_out=True)
def other_operands_have_another_key(key_of):
    chosen = {(1, 23), (12, 3), (1, 2, 3), (1, 2, -3), (1, -2, 3), (123, 0), (2, 22), (22, -2)}
    keys = {key_of(terms) for terms in chosen}
    assert len(keys) == len(chosen), f"{len(chosen)} different problems have {len(keys)} keys: {sorted(keys)}"


@case("reason.tasks.key_of", held_out=True)
def any_two_numbers(key_of):
    for _ in range(50):
        a, b = random.randrange(10 ** random.randint(1, 7)), random.randrange(10 ** random.randint(1, 7))
        expect([key_of((a, b)), key_of([b, a])], [f"{min(a, b)},{max(a, b)}"] * 2, a=a, b=b)


# -- reason.probe.limit_thought ----------------------------------------------------------------------------------------

LINE, THINK, CLOSE, ANSWER = 1, 2, 3, 4
BEGIN, END = [LINE, THINK, LINE], [LINE, CLOSE, LINE, ANSWER]
THOUGHT, REST = [11, 12, 13, 14, 15, 16], [21, 22, 5, 0]
REPLY = [*BEGIN, *THOUGHT, *END, *REST]
MARKS = {"begin": BEGIN, "end": END}


def _limit(limit_thought, reply, budget, begin=BEGIN, end=END):
    """With lists of its own, so that a function that changes them does no harm to the next case."""
    return limit_thought(list(reply), budget, list(begin), list(end))


@case("reason.probe.limit_thought")
def a_long_thought_is_cut_and_closed(limit_thought):
    expect(_limit(limit_thought, REPLY, 4), [*BEGIN, 11, 12, 13, 14, *END], reply=REPLY, budget=4, **MARKS)


@case("reason.probe.limit_thought")
def a_short_thought_is_kept_whole_without_its_answer(limit_thought):
    for budget in (6, 7, 100):
        expect(_limit(limit_thought, REPLY, budget), [*BEGIN, *THOUGHT, *END], reply=REPLY, budget=budget, **MARKS)


@case("reason.probe.limit_thought")
def a_budget_of_zero_leaves_no_thought(limit_thought):
    expect(_limit(limit_thought, REPLY, 0), [*BEGIN, *END], reply=REPLY, budget=0, **MARKS)


@case("reason.probe.limit_thought")
def a_line_break_inside_does_not_end_the_thought(limit_thought):
    reply = [*BEGIN, 11, LINE, 12, LINE, CLOSE, 13, *END, *REST]
    want = [*BEGIN, 11, LINE, 12, LINE, CLOSE, 13, *END]
    expect(_limit(limit_thought, reply, 50), want, reply=reply, budget=50, **MARKS)


@case("reason.probe.limit_thought")
def the_first_end_is_the_end(limit_thought):
    reply = [*BEGIN, 11, 12, *END, 21, *END, 22]
    expect(_limit(limit_thought, reply, 50), [*BEGIN, 11, 12, *END], reply=reply, budget=50, **MARKS)


@case("reason.probe.limit_thought")
def a_thought_that_was_broken_off_is_closed_too(limit_thought):
    reply = [*BEGIN, *THOUGHT]
    expect(_limit(limit_thought, reply, 50), [*BEGIN, *THOUGHT, *END], reply=reply, budget=50, **MARKS)
    expect(_limit(limit_thought, reply, 2), [*BEGIN, 11, 12, *END], reply=reply, budget=2, **MARKS)


@case("reason.probe.limit_thought")
def the_reply_stays_as_it_is(limit_thought):
    reply, begin, end = list(REPLY), list(BEGIN), list(END)
    limit_thought(reply, 3, begin, end)
    expect([reply, begin, end], [REPLY, BEGIN, END])


@case("reason.probe.limit_thought")
def a_reply_that_opens_no_thought_is_refused(limit_thought):
    _refuses(lambda: _limit(limit_thought, [ANSWER, 21, 5, 0], 4), "a reply that answers at once")


@case("reason.probe.limit_thought", held_out=True)
def a_template_without_an_opening_mark(limit_thought):
    end = [7, 8]
    expect(_limit(limit_thought, [11, 7, 12, 7, 8, 21], 9, [], end), [11, 7, 12, 7, 8], begin=[], end=end)
    expect(_limit(limit_thought, [11, 7, 12, 7, 8, 21], 2, [], end), [11, 7, 7, 8], begin=[], end=end)


@case("reason.probe.limit_thought", held_out=True)
def any_budget_gives_so_many_tokens(limit_thought):
    thought = [random.choice([LINE, CLOSE, 11, 12]) for _ in range(40)]
    thought = [t for i, t in enumerate(thought) if t != CLOSE or i % 2]
    for budget in range(0, 60, 7):
        got = _limit(limit_thought, [*BEGIN, *thought, *END, *REST], budget)
        expect(got, [*BEGIN, *thought[:budget], *END], thought=thought, budget=budget)
