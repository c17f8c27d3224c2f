"""statistics.pass_at_k"""
from fractions import Fraction
from math import comb, factorial, prod

import numpy as np


def _check(n, c, k):
    if not 0 <= c <= n or not 1 <= k <= n:
        raise MinidsError(f"metrics: pass@k needs 0 <= c <= n and 1 <= k <= n, got n={n}, c={c}, k={k}")


def wrong_1(n, c, k):
    "samples are drawn with replacement: the biased formula"
    # breaks: "drawn without replacement" n=10, c=1, k=5: 0.41 instead of 0.5
    _check(n, c, k)
    return 1 - (1 - c / n) ** k


def wrong_2(n, c, k):
    "the whole number 1 comes out where every subset holds a right one, and 0 where none is"
    # breaks: "a float" n=4, c=4, k=1 gives 1 of type int
    _check(n, c, k)
    if n - c < k:
        return 1
    if c == 0:
        return 0
    return 1 - comb(n - c, k) / comb(n, k)


def wrong_3(n, c, k):
    "off by one in the shortcut: as many wrong ones as are drawn already counts as sure"
    # breaks: "Probability that k of n samples ... hold at least one" n=4, c=2, k=2: 1.0 instead of 5/6
    _check(n, c, k)
    if n - c <= k and c > 0:
        return 1.0
    return 1 - comb(n - c, k) / comb(n, k)


def wrong_4(n, c, k):
    "k = n is refused"
    # breaks: "unless 0 <= c <= n and 1 <= k <= n" n=4, c=1, k=4 raises instead of 1.0
    if not 0 <= c <= n or not 1 <= k < n:
        raise MinidsError(f"metrics: pass@k needs 0 <= c <= n and 1 <= k <= n, got n={n}, c={c}, k={k}")
    return (comb(n, k) - comb(n - c, k)) / comb(n, k)


def wrong_5(n, c, k):
    "k = 0 and k > n are not refused, and c > n raises math.comb's ValueError"
    # breaks: "raises MinidsError unless 0 <= c <= n and 1 <= k <= n" n=4, c=1, k=0 gives 0.0
    if k > n:
        return 1.0 if c else 0.0
    return (comb(n, k) - comb(n - c, k)) / comb(n, k)


def wrong_6(n, c, k):
    "whole numbers are made floats first: OverflowError for large n"
    # breaks: "n may be 10,000" n=10000, c=5, k=5000
    _check(n, c, k)
    return 1.0 - float(comb(n - c, k)) / float(comb(n, k))


def wrong_7(n, c, k):
    "exactly one right sample instead of at least one"
    # breaks: "hold at least one of the c correct ones" n=4, c=2, k=2: 4/6 instead of 5/6
    _check(n, c, k)
    return comb(c, 1) * comb(n - c, k - 1) / comb(n, k)


def wrong_8(n, c, k):
    "numpy's whole numbers have 64 bits and wrap around"
    # breaks: "exact whole numbers" n=100, c=3, k=50
    _check(n, c, k)
    row, fails = np.zeros(k + 1, dtype=np.int64), 0
    row[0] = 1
    for i in range(n + 1):
        if i == n - c:
            fails = row[k]
        if i < n:
            row[1:] += row[:-1].copy()
    return float(1 - fails / row[k])


def wrong_9(n, c, k):
    "a recursion as deep as k: RecursionError for large k"
    # breaks: "n may be 10,000" n=10000, c=1, k=5000
    _check(n, c, k)

    def fails(i):
        if i == k:
            return Fraction(1)
        return Fraction(max(n - c - i, 0), n - i) * fails(i + 1)

    return float(1 - fails(0))


def wrong_10(n, c, k):
    "a ValueError instead of the course's own error"
    # breaks: "raises MinidsError unless" n=4, c=5, k=1
    if c < 0 or c > n or k < 1 or k > n:
        raise ValueError(f"n={n}, c={c}, k={k}")
    return (comb(n, k) - comb(n - c, k)) / comb(n, k)


def right_1(n, c, k):
    "the product of the chances that one sample after the other is wrong, as a fraction"
    _check(n, c, k)
    above = prod(max(n - c - i, 0) for i in range(k))
    below = prod(n - i for i in range(k))
    return (below - above) / below


def right_2(n, c, k):
    "the failing subsets shrink as the right samples are taken out one by one: C(m - 1, k) = C(m, k) (m - k) / m"
    _check(n, c, k)
    subsets = failing = comb(n, k)
    for m in range(n, n - c, -1):
        failing = failing * (m - k) // m
        if failing == 0:
            return 1.0
    return (subsets - failing) / subsets


def right_3(n, c, k):
    "the product over the c right samples: each lies outside the subset"
    if not (0 <= c <= n and 1 <= k <= n):
        raise MinidsError("metrics: pass@k: c lies between 0 and n, k between 1 and n")
    above = below = 1
    for i in range(c):
        above *= max(n - k - i, 0)
        below *= n - i
    return float(Fraction(below - above, below))


def right_4(n, c, k):
    "1 minus a quotient of whole numbers, with the two sure cases first"
    if c < 0 or c > n or k < 1 or k > n:
        raise MinidsError(f"metrics: n={n}, c={c}, k={k}")
    if c == 0:
        return 0.0
    if k > n - c:
        return 1.0
    ways_to_fail = Fraction(factorial(n - c) * factorial(n - k), factorial(n - c - k) * factorial(n))
    return float(1 - ways_to_fail)
