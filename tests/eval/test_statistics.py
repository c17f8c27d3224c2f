"""pass@k and maj@k against counting every subset; the interval against its coverage; the paired test against listing
every pattern of signs, and against its own promise; the slope against least squares with a column a problem."""

from collections import Counter
from fractions import Fraction
from itertools import combinations, product
from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minids.errors import MinidsError
from minids.eval.statistics import bootstrap_ci, maj_at_k, mcnemar, mean_maj_at_k, paired_test, pass_at_k, slope_within


def brute_maj(answers, right, k):
    total, subsets = Fraction(0), list(combinations(answers, k))
    for subset in subsets:
        votes = Counter(a for a in subset if a is not None)
        if votes:
            best = [a for a, v in votes.items() if v == max(votes.values())]
            total += Fraction(right in best, len(best))
    return float(total / len(subsets))


@given(st.lists(st.booleans(), min_size=1, max_size=9), st.data())
def test_pass_at_k_counts_every_subset(correct, data):
    k = data.draw(st.integers(1, len(correct)))
    subsets = list(combinations(correct, k))
    expected = sum(any(s) for s in subsets) / len(subsets)
    assert pass_at_k(len(correct), sum(correct), k) == pytest.approx(expected, abs=1e-12)


@settings(max_examples=200)
@given(st.lists(st.sampled_from([None, 1, 2, 3, 4]), min_size=1, max_size=9), st.data())
def test_maj_at_k_counts_every_subset(answers, data):
    k = data.draw(st.integers(1, len(answers)))
    assert maj_at_k(answers, 1, k) == pytest.approx(brute_maj(answers, 1, k), abs=1e-12)


@given(st.integers(1, 300), st.data())
def test_pass_at_k_is_monotone_and_bounded(n, data):
    c = data.draw(st.integers(0, n))
    values = [pass_at_k(n, c, k) for k in range(1, n + 1)]
    assert values[0] == pytest.approx(c / n) and values == sorted(values)
    assert values[-1] == float(c > 0) and 0 <= values[0] and values[-1] <= 1


def test_pass_at_k_is_unbiased_where_the_plug_in_is_not():
    """Monte Carlo at p = 0.3, n = 8, k = 4: the truth is 1 - 0.7**4."""
    rng = np.random.default_rng(0)
    counts = rng.binomial(8, 0.3, size=20_000)
    truth = 1 - 0.7**4
    ours = np.mean([pass_at_k(8, int(c), 4) for c in counts])
    plug_in = np.mean(1 - (1 - counts / 8) ** 4)
    assert ours == pytest.approx(truth, abs=0.006)
    assert plug_in < truth - 0.02


def test_large_n_and_extremes():
    assert pass_at_k(10_000, 0, 100) == 0 and pass_at_k(10_000, 10_000, 1) == 1
    assert pass_at_k(10_000, 1, 100) == pytest.approx(0.01)
    assert maj_at_k([1] * 40 + [2] * 24, 1, 64) == 1 and maj_at_k([None] * 8, 1, 8) == 0
    assert maj_at_k([1, 2], 1, 2) == 0.5
    assert maj_at_k([1] * 900 + [2] * 600, 1, 700) == pytest.approx(1, abs=1e-3)
    assert maj_at_k(list(range(64)), 5, 32) == pytest.approx(1 / 64)


def test_maj_of_one_is_pass_of_one():
    answers = [1, 1, 2, None, 3, 1, 4, 2]
    assert maj_at_k(answers, 1, 1) == pytest.approx(pass_at_k(8, 3, 1))


def test_means_over_problems():
    assert mean_maj_at_k([[1, 1, 2], [2, 2, 1]], [1, 1], 3) == 0.5


def test_bootstrap_is_seeded_covers_and_matches_theory():
    rng = np.random.default_rng(1)
    values = (rng.random(1000) < 0.4).astype(float)
    low, high = bootstrap_ci(values)
    assert (low, high) == bootstrap_ci(values) and bootstrap_ci(values, seed=1) != (low, high)
    half = 1.96 * values.std() / len(values) ** 0.5
    assert low == pytest.approx(values.mean() - half, abs=0.004)
    assert high == pytest.approx(values.mean() + half, abs=0.004)
    narrow = bootstrap_ci(values, level=0.5)
    assert low < narrow[0] < values.mean() < narrow[1] < high
    samples = [(rng.random(200) < 0.4).astype(float) for _ in range(200)]
    intervals = [bootstrap_ci(s, draws=300) for s in samples]
    covered = np.mean([lo <= 0.4 <= hi for lo, hi in intervals])
    assert 0.89 <= covered <= 0.99
    assert bootstrap_ci([1.0] * 50) == (1.0, 1.0)


@settings(deadline=None)
@given(st.lists(st.integers(-9, 9), min_size=1, max_size=9))
def test_the_paired_test_lists_every_pattern_of_signs(differences):
    sums = [sum(s * d for s, d in zip(signs, differences)) for signs in product((1, -1), repeat=len(differences))]
    expected = sum(abs(x) >= abs(sum(differences)) for x in sums) / len(sums)
    assert paired_test(differences) == expected


def test_with_one_answer_a_problem_the_paired_test_is_mcnemars():
    for wins, losses in ((9, 2), (40, 25), (3, 3), (300, 240)):
        n = wins + losses
        expected = min(1, Fraction(2 * sum(comb(n, i) for i in range(min(wins, losses) + 1)), 2**n))
        assert paired_test([1] * wins + [-1] * losses + [0] * 50) == pytest.approx(float(expected), rel=1e-12)


def test_the_paired_test_errs_as_often_as_it_says():
    """Two models that are alike: p < 0.1 in at most a tenth of all comparisons, and not in far fewer."""
    rng = np.random.default_rng(2)
    found = [paired_test(list(rng.integers(0, 17, 20) - rng.integers(0, 17, 20))) for _ in range(300)]
    assert 0.05 < np.mean([p <= 0.1 for p in found]) < 0.15


@settings(max_examples=50, deadline=None)
@given(st.lists(st.lists(st.integers(0, 60), min_size=1, max_size=6), min_size=1, max_size=5), st.randoms())
def test_the_slope_is_least_squares_with_a_column_a_problem(x_PS, random):
    y_PS = [[random.uniform(-1, 1) for _ in row] for row in x_PS]
    if all(len(set(row)) == 1 for row in x_PS):
        with pytest.raises(MinidsError, match="metrics:"):
            slope_within(x_PS, y_PS)
        return
    owner = np.repeat(np.arange(len(x_PS)), [len(row) for row in x_PS])
    columns = np.column_stack([np.concatenate(x_PS), owner[:, None] == np.arange(len(x_PS))]).astype(float)
    expected = np.linalg.lstsq(columns, np.concatenate(y_PS), rcond=None)[0][0]
    assert slope_within(x_PS, y_PS) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(
    "call",
    [
        lambda: pass_at_k(4, 5, 1),
        lambda: pass_at_k(4, 2, 5),
        lambda: pass_at_k(4, 2, 0),
        lambda: maj_at_k([1], 1, 2),
        lambda: bootstrap_ci([]),
        lambda: bootstrap_ci([float("nan")]),
        lambda: bootstrap_ci([1.0], level=1.5),
        lambda: mean_maj_at_k([[1]], [], 1),
        lambda: paired_test([]),
        lambda: paired_test([1, 0.5]),
        lambda: paired_test([float("nan")]),
        lambda: slope_within([[1, 2]], [[1]]),
        lambda: slope_within([[1, 2]], []),
        lambda: slope_within([], []),
    ],
)
def test_impossible_questions_are_refused(call):
    with pytest.raises(MinidsError, match="metrics:"):
        call()


@given(st.integers(0, 40), st.integers(0, 40), st.integers(1, 5))
def test_mcnemar_is_the_paired_test_of_two_counts(better, worse, both):
    assert mcnemar(better, worse) == paired_test([1] * better + [-1] * worse + [0] * both)


def test_mcnemar_takes_counts():
    assert mcnemar(0, 0) == 1.0 and 0 < mcnemar(30_000, 29_000) < 0.05 and mcnemar(60_000, 0) == 0.0
    with pytest.raises(MinidsError, match="counts problems"):
        mcnemar(-1, 3)
