"""How good is it, and how sure are we: pass@k, maj@k, and a bootstrap interval.

    pass@k = mean over problems of  1 - C(n - c, k) / C(n, k)      n samples, c of them correct
    maj@k  = mean over problems of  P(the most frequent answer among k of the n samples is the right one)

Both are exact expectations over which k of the n samples are looked at, so they are unbiased for every k <= n
and use all samples. pass@k is the estimator of the Codex paper (arXiv 2107.03374, eq. 1): plugging c/n into 1
- (1-p)^k underestimates it. pass@1 is the mean accuracy at the sampling temperature, which is not greedy
accuracy: report both.

An interval over problems says how much the result would move with other problems; it does not cover other
training seeds, and with all values equal (100 %) it has width 0, where n problems only bound the failure rate
by about 3/n.

Left out: hierarchical intervals over seeds and samples; tests of significance.
"""

from collections import Counter
from functools import lru_cache
from math import comb

import numpy as np

from minids.errors import MinidsError


def pass_at_k(n, c, k):
    """Probability that k of n samples, drawn without replacement, hold one of the c correct ones."""
    if not 0 <= c <= n or not 1 <= k <= n:
        raise MinidsError(f"metrics: pass@k needs 0 <= c <= n and 1 <= k <= n, got n={n}, c={c}, k={k}")
    return 1.0 - comb(n - c, k) / comb(n, k)


def mean_pass_at_k(correct_PS, k):
    """Mean over problems; correct_PS holds for each problem the correctness of its samples."""
    return float(np.mean([pass_at_k(len(row), int(sum(map(bool, row))), k) for row in correct_PS]))


def maj_at_k(answers, right, k):
    """Probability that a majority vote over k of the answers, drawn without replacement, gives `right`.

    Answers and `right` are compared with ==, so both are integers or both are text. An answer of None
    (unreadable, cut off) takes a place and has no vote. A tie is broken by a fair draw among the tied;
    without any vote the result is wrong.
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


def mean_maj_at_k(answers_PS, rights_P, k):
    """Mean over problems of `maj_at_k`."""
    if len(answers_PS) != len(rights_P):
        raise MinidsError(f"metrics: {len(answers_PS)} problems sampled, {len(rights_P)} answers known")
    return float(np.mean([maj_at_k(row, right, k) for row, right in zip(answers_PS, rights_P)]))


def bootstrap_ci(values_P, *, level=0.95, draws=2000, seed=0):
    """Percentile interval (low, high) of the mean over problems; one value a problem (its pass@k, say).

    For a gain, pass the differences after - before on the same problems: that interval is narrower than two
    apart.
    """
    values_P = np.asarray(values_P, dtype=np.float64)
    if values_P.ndim != 1 or not len(values_P) or not np.isfinite(values_P).all():
        raise MinidsError("metrics: an interval needs a non-empty list of finite numbers, one a problem")
    if not 0 < level < 1 or draws < 1:
        raise MinidsError(f"metrics: level={level} must lie between 0 and 1, and draws={draws} be positive")
    rng = np.random.default_rng(seed)
    means = np.array([values_P[rng.integers(len(values_P), size=len(values_P))].mean() for _ in range(draws)])
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
