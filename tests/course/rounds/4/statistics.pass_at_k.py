"""statistics.pass_at_k"""
from fractions import Fraction
from functools import lru_cache
from math import comb, perm, prod

import numpy as np

from minids.errors import MinidsError


def wrong_1(n, c, k):
    "the plug-in estimate 1 - (1 - c/n)^k: with replacement, too low for every 1 < k and 0 < c < n"
    if not 0 <= c <= n or not 1 <= k <= n:
        raise MinidsError(f"metrics: bad n={n}, c={c}, k={k}")
    return 1.0 - (1.0 - c / n) ** k


def wrong_2(n, c, k):
    "the numbers of subsets become floats before the division: OverflowError for n = 10,000 and k in the hundreds"
    if not 0 <= c <= n or not 1 <= k <= n:
        raise MinidsError(f"metrics: bad n={n}, c={c}, k={k}")
    return 1.0 - float(comb(n - c, k)) / float(comb(n, k))


def wrong_3(n, c, k):
    "k > n is not refused but taken for n: (4, 1, 9) gives 1.0 and no error"
    if not 0 <= c <= n or k < 1 or n < 1:
        raise MinidsError(f"metrics: bad n={n}, c={c}, k={k}")
    k = min(k, n)
    return 1.0 - comb(n - c, k) / comb(n, k)


def wrong_4(n, c, k):
    "off by one in the shortcut: n - c == k still leaves one subset that fails, as in (4, 2, 2)"
    if not 0 <= c <= n or not 1 <= k <= n:
        raise MinidsError(f"metrics: bad n={n}, c={c}, k={k}")
    if n - c <= k:
        return 1.0
    return 1.0 - comb(n - c, k) / comb(n, k)


def wrong_5(n, c, k):
    "exactly one correct instead of at least one: too low as soon as c >= 2 and k >= 2"
    if not 0 <= c <= n or not 1 <= k <= n:
        raise MinidsError(f"metrics: bad n={n}, c={c}, k={k}")
    return c * comb(n - c, k - 1) / comb(n, k)


def wrong_6(n, c, k):
    "the check forgets c < 0: (5, -1, 2) gives a negative probability"
    if c > n or not 1 <= k <= n:
        raise MinidsError(f"metrics: bad n={n}, c={c}, k={k}")
    return 1.0 - comb(n - c, k) / comb(n, k)


def wrong_7(n, c, k):
    "recursion over the draws: right, but RecursionError for n = 10,000 and k in the thousands"
    if not 0 <= c <= n or not 1 <= k <= n:
        raise MinidsError(f"metrics: bad n={n}, c={c}, k={k}")

    def fails(n, k):
        return 1.0 if k == 0 else (n - c) / n * fails(n - 1, k - 1) if n > c else 0.0

    return 1.0 - fails(n, k)


def wrong_8(n, c, k):
    "k = 0 is let through (0.0 instead of MinidsError)"
    if not 0 <= c <= n or not 0 <= k <= n:
        raise MinidsError(f"metrics: bad n={n}, c={c}, k={k}")
    return 1.0 - comb(n - c, k) / comb(n, k)


def wrong_9(n, c, k):
    "products in numpy's int64: they overflow silently from about n = 20 on"
    if not 0 <= c <= n or not 1 <= k <= n:
        raise MinidsError(f"metrics: bad n={n}, c={c}, k={k}")
    if n - c < k:
        return 1.0
    above = np.prod(np.arange(n - c - k + 1, n - c + 1, dtype=np.int64))
    below = np.prod(np.arange(n - k + 1, n + 1, dtype=np.int64))
    return 1.0 - float(above) / float(below) if below else 1.0


def wrong_10(n, c, k):
    "c = 0 and c = n are refused though the docstring allows both"
    if not 0 < c < n or not 1 <= k <= n:
        raise MinidsError(f"metrics: bad n={n}, c={c}, k={k}")
    return 1.0 - comb(n - c, k) / comb(n, k)


def right_1(n, c, k):
    "a Fraction, made a float at the end"
    if c < 0 or c > n or k < 1 or k > n:
        raise MinidsError("metrics: pass@k needs 0 <= c <= n and 1 <= k <= n")
    return float(1 - Fraction(comb(n - c, k), comb(n, k)))


def right_2(n, c, k):
    "the product of hint 2, in floats"
    if not (0 <= c <= n and 1 <= k <= n):
        raise MinidsError("metrics: pass@k needs 0 <= c <= n and 1 <= k <= n")
    if n - c < k:
        return 1.0
    fails = 1.0
    for i in range(k):
        fails *= (n - c - i) / (n - i)
    return 1.0 - fails


def right_3(n, c, k):
    "counts the subsets that succeed, one division at the end"
    if not (0 <= c <= n and 1 <= k <= n):
        raise MinidsError("metrics: pass@k needs 0 <= c <= n and 1 <= k <= n")
    subsets = comb(n, k)
    return (subsets - comb(n - c, k)) / subsets


def right_4(n, c, k):
    "ordered draws: math.perm instead of comb"
    if k > n or k <= 0 or c > n or c < 0:
        raise MinidsError("metrics: pass@k needs 0 <= c <= n and 1 <= k <= n")
    return 1 - perm(n - c, k) / perm(n, k)
