"""How good is it, how sure are we, and is it better than the other: pass@k, maj@k, an interval, a test, a slope.

    pass@k = mean over problems of  1 - C(n - c, k) / C(n, k)      n samples, c of them correct
    maj@k  = mean over problems of  P(the most frequent answer among k of the n samples is the right one)
    p      = share of the 2^P sign patterns with  |sum of ±d| >= |sum of d|      d: gain on each of P problems
    slope  = sum (x - x̄_p)(y - ȳ_p) / sum (x - x̄_p)²      between samples of the same problem p

Both are exact expectations over which k of the n samples are looked at, so they are unbiased for every k <= n
and use all samples. pass@k is the estimator of the Codex paper (arXiv 2107.03374, eq. 1): plugging c/n into 1
- (1-p)^k underestimates it. pass@1 is the mean accuracy at the sampling temperature, which is not greedy
accuracy: report both.

An interval over problems says how much the result would move with other problems; it does not cover other
training seeds, and with all values equal (100 %) it has width 0, where n problems only bound the failure rate
by about 3/n.

Left out: hierarchical intervals over seeds and samples.
"""

from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from math import comb

import numpy as np

from minids.errors import MinidsError


def pass_at_k(n, c, k):
    """Probability that k of n samples, drawn without replacement, hold at least one of the c correct ones: a float.

    Its mean over problems is the unbiased pass@k (arXiv 2107.03374, section 2.1). Whole numbers; raises MinidsError
    unless 0 <= c <= n and 1 <= k <= n. n may be 10,000: exact whole numbers, rounded once at the end.
    """
    if not 0 <= c <= n or not 1 <= k <= n:
        raise MinidsError(f"metrics: pass@k needs 0 <= c <= n and 1 <= k <= n, got n={n}, c={c}, k={k}")
    subsets = comb(n, k)
    return (subsets - comb(n - c, k)) / subsets


def maj_at_k(answers: Sequence, right: object, k: int) -> float:
    """Probability that a majority vote over k of the answers, drawn without replacement, gives `right`.

    Answers and `right` are compared with ==, so both are integers or both are text. An answer of None (unreadable, cut
    off) takes a place and has no vote. A tie is broken by a fair draw among the tied; without any vote the result is
    wrong. Raises MinidsError for a k below 1 or above the number of answers.
    """
    if not 1 <= k <= len(answers):
        raise MinidsError(f"metrics: maj@k needs 1 <= k <= number of samples, got k={k} of {len(answers)}")
    votes = Counter(a for a in answers if a is not None)
    mine = votes.pop(right, 0)
    return _majority(mine, tuple(sorted(votes.values())), len(answers) - mine - sum(votes.values()), k)


@lru_cache(maxsize=4096)
def _majority(mine, others, silent, k):
    """Counts the subsets of size k: for every number j of right votes, each other answer may have at most j, and
    those with exactly j tie. Whole numbers until the last division.
    """
    wins = Counter()  # answers tied with the right one -> subsets
    for j in range(1, min(mine, k) + 1):
        ways = {(j, 0): comb(mine, j)}  # (samples drawn, answers tied) -> subsets
        for count in others:
            grown = {}
            for (drawn, tied), number in ways.items():
                for i in range(min(count, j, k - drawn) + 1):
                    state = (drawn + i, tied + (i == j))
                    grown[state] = grown.get(state, 0) + number * comb(count, i)
            ways = grown
        for (drawn, tied), number in ways.items():
            wins[tied] += number * comb(silent, k - drawn)
    subsets = comb(mine + sum(others) + silent, k)
    return sum(number / (subsets * (1 + tied)) for tied, number in wins.items())


def mean_maj_at_k(answers_PS: Sequence[Sequence], rights_P: Sequence, k: int) -> float:
    """Mean over problems of `maj_at_k`. Raises MinidsError where problems and right answers do not match in number."""
    if len(answers_PS) != len(rights_P):
        raise MinidsError(f"metrics: {len(answers_PS)} problems sampled, {len(rights_P)} answers known")
    return float(np.mean([maj_at_k(row, right, k) for row, right in zip(answers_PS, rights_P)]))


def bootstrap_ci(values_P, *, level=0.95, draws=2000, seed=0):
    """Percentile interval (low, high) of the mean over problems, two floats; one value per problem (its pass@k, say).

    If the P problems were drawn again from the same source, which means could have come out? A resample is P of the
    values, drawn with replacement; `draws` of them give as many means, and the interval holds the middle `level` of
    those (Efron 1979). The random numbers are those of a generator of its own, made of `seed`.

    For a gain, pass the differences after - before on the same problems: that interval is narrower than two apart.
    Raises MinidsError for what is no list of numbers, for an empty one, for what is not finite, for a level that is not
    between 0 and 1, and for less than one draw.
    """
    values_P = np.asarray(values_P, dtype=np.float64)
    if values_P.ndim != 1 or not len(values_P) or not np.isfinite(values_P).all():
        raise MinidsError("metrics: an interval needs a non-empty list of finite numbers, one per problem")
    if not 0 < level < 1 or draws < 1:
        raise MinidsError(f"metrics: level={level} must lie between 0 and 1, and draws={draws} be positive")
    rng = np.random.default_rng(seed)
    means = np.array([values_P[rng.integers(len(values_P), size=len(values_P))].mean() for _ in range(draws)])
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def paired_test(differences_P):
    """How often a gain at least this large, in either direction, would come of chance alone: p, a float.

    differences_P   a whole number per problem: right answers of one model minus those of the other, on the same problem

    If the two models were alike, each difference could as well have had the other sign (Fisher 1935, section 21). p
    is the share, among all 2^P patterns of signs, of those whose sum is as far from 0 as the sum that was observed, or
    farther. Exact, for hundreds of problems: patterns are counted, not listed. With differences of -1, 0 and 1 it is
    the exact test of McNemar (1947). Raises MinidsError unless all are whole numbers and there is at least one.
    """
    differences = list(differences_P)
    if not differences or not all(float(d).is_integer() for d in differences):
        raise MinidsError("metrics: a paired test needs a whole number per problem: right answers after - before, say")
    # how many patterns of signs give each sum: one more problem at a time, each pattern goes on in two ways
    patterns = Counter({0: 1})
    for d in map(int, differences):
        grown = Counter()
        for total, count in patterns.items():
            grown[total + d] += count
            grown[total - d] += count
        patterns = grown
    observed = abs(sum(map(int, differences)))
    return sum(count for total, count in patterns.items() if abs(total) >= observed) / 2 ** len(differences)


def mcnemar(better: int, worse: int) -> float:
    """p of `paired_test` where each problem is right or wrong, from two counts: a float.

    better, worse   problems that only the one model got right, and that only the other did

    Whoever is asked the same problems twice is right in both, or wrong in both, on most of them; those add nothing. Of
    the others each could as well have gone the other way, so the smaller count is that of heads in as many throws of a
    coin (McNemar 1947), and p is the share of both tails. Exact: whole numbers, divided once. Raises MinidsError for a
    count below 0.
    """
    n, smaller = better + worse, min(better, worse)
    if smaller < 0:
        raise MinidsError(f"metrics: mcnemar counts problems, got {better} and {worse}")
    ways = total = 1  # n over 0
    for i in range(smaller):
        ways = ways * (n - i) // (i + 1)
        total += ways
    return min(1.0, 2 * total / 2**n)


def slope_within(x_PS, y_PS):
    """Slope of y on x between samples of the same problem: by how much y rises where x is larger by one. A float.

    x_PS, y_PS   for each problem a list with a number per sample (length of its answer, say, and 1 if it was right)

    From every number its problem's mean is taken away; what is left gives one line through 0 by least squares. What
    makes one problem differ from another, its difficulty above all, falls out. Problems may have different numbers of
    samples. Raises MinidsError if the lists do not match, or if x never varies inside a problem.
    """
    if [len(row) for row in x_PS] != [len(row) for row in y_PS]:
        raise MinidsError("metrics: a slope needs one y for each x, problem by problem")
    # two sums over all samples of all problems
    both = squares = 0.0
    for x_S, y_S in zip(x_PS, y_PS):
        if len(x_S):
            # from the first number on: the mean of equal numbers may round, that of zeros does not
            x = np.asarray(x_S, dtype=np.float64) - x_S[0]
            x -= x.mean()
            both += float(x @ np.asarray(y_S, dtype=np.float64))
            squares += float(x @ x)
    if squares == 0:
        raise MinidsError("metrics: x does not vary inside any problem, so there is no slope")
    return both / squares
