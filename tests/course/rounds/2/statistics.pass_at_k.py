"""statistics.pass_at_k"""
from fractions import Fraction
from math import comb, lgamma, exp, prod
import numpy as np

from minids.errors import MinidsError


def _check(n, c, k):
    if not 0 <= c <= n or not 1 <= k <= n:
        raise MinidsError(f"pass@k: n={n}, c={c}, k={k}")


def wrong_1(n, c, k):
    "with replacement: 1 - (1 - c/n)^k"
    _check(n, c, k)
    return 1.0 - (1 - c / n) ** k


def wrong_2(n, c, k):
    "floats of binomials: overflow for n of thousands"
    _check(n, c, k)
    return 1.0 - float(comb(n - c, k)) / float(comb(n, k))


def wrong_3(n, c, k):
    "k = 0 is let through"
    if not 0 <= c <= n or not 0 <= k <= n:
        raise MinidsError("pass@k")
    return 1.0 - comb(n - c, k) / comb(n, k)


def wrong_4(n, c, k):
    "c > n is not refused (comb's ValueError instead)"
    if not 1 <= k <= n or c < 0:
        raise MinidsError("pass@k")
    return 1.0 - comb(n - c, k) / comb(n, k)


def wrong_5(n, c, k):
    "logarithms of gamma: n - c < k is a domain error"
    _check(n, c, k)
    return 1.0 - exp(lgamma(n - c + 1) - lgamma(n - c - k + 1) - lgamma(n + 1) + lgamma(n - k + 1))


def wrong_6(n, c, k):
    "asserts instead of MinidsError"
    assert 0 <= c <= n and 1 <= k <= n
    return 1.0 - comb(n - c, k) / comb(n, k)


def wrong_7(n, c, k):
    "exactly one of the k is correct"
    _check(n, c, k)
    return c * comb(n - c, k - 1) / comb(n, k)


def wrong_8(n, c, k):
    "the share of subsets without a correct one"
    _check(n, c, k)
    return comb(n - c, k) / comb(n, k)


def wrong_9(n, c, k):
    "an int, 1, where every subset holds a correct one, and 0 for none"
    _check(n, c, k)
    if n - c < k:
        return 1
    if c == 0:
        return 0
    return 1.0 - comb(n - c, k) / comb(n, k)


def wrong_10(n, c, k):
    "the paper's product, one off: it runs over n - c .. n - 1, not n - c + 1 .. n"
    _check(n, c, k)
    if n - c < k:
        return 1.0
    return float(1.0 - np.prod(1.0 - k / np.arange(n - c, n)))


def right_1(n, c, k):
    "a fraction"
    _check(n, c, k)
    return float(1 - Fraction(comb(n - c, k), comb(n, k)))


def right_2(n, c, k):
    "counts the good subsets"
    _check(n, c, k)
    every = comb(n, k)
    return (every - comb(n - c, k)) / every


def right_3(n, c, k):
    "a product of fractions in whole numbers"
    if c < 0 or c > n or k < 1 or k > n:
        raise MinidsError(f"metrics: n={n}, c={c}, k={k} do not fit")
    over, under = prod(range(n - c - k + 1, n - c + 1)) if n - c >= k else 0, prod(range(n - k + 1, n + 1))
    return 1.0 - over / under


def right_4(n, c, k):
    "early returns, floats"
    _check(n, c, k)
    if c == 0:
        return 0.0
    if k > n - c:
        return 1.0
    return 1.0 - comb(n - k, c) / comb(n, c)
