"""statistics.pass_at_k"""
import math
from fractions import Fraction
import numpy as np

def _refuse(n, c, k):
    if not 0 <= c <= n or not 1 <= k <= n:
        raise MinidsError(f"metrics: pass@k needs 0 <= c <= n and 1 <= k <= n, got n={n}, c={c}, k={k}")

def _strict(n, c, k):
    if any(int(x) != x for x in (n, c, k)) or not 0 <= c <= n or not 1 <= k <= n:
        raise MinidsError(f"metrics: pass@k needs whole numbers, 0 <= c <= n and 1 <= k <= n, got n={n}, c={c}, k={k}")
    return int(n), int(c), int(k)

def wrong_1(n, c, k):
    "with replacement: 1 - (1 - c/n)^k"
    _refuse(n, c, k)
    return 1.0 - (1 - c / n) ** k

def wrong_2(n, c, k):
    "float of each binomial coefficient: overflows for n in the thousands"
    _refuse(n, c, k)
    return 1.0 - float(comb(n - c, k)) / float(comb(n, k))

def wrong_3(n, c, k):
    "nothing is refused: k > n divides by 0, c > n gives ValueError"
    return 1.0 - comb(n - c, k) / comb(n, k)

def wrong_4(n, c, k):
    "ValueError instead of MinidsError"
    if not 0 <= c <= n or not 1 <= k <= n:
        raise ValueError("pass@k needs 0 <= c <= n and 1 <= k <= n")
    return 1.0 - comb(n - c, k) / comb(n, k)

def wrong_5(n, c, k):
    "probability that all k are correct"
    _refuse(n, c, k)
    return comb(c, k) / comb(n, k)

def wrong_6(n, c, k):
    "min(1, k c / n): the union bound"
    _refuse(n, c, k)
    return min(1.0, k * c / n)

def wrong_7(n, c, k):
    "exactly one correct, not at least one"
    _refuse(n, c, k)
    return c * comb(n - c, k - 1) / comb(n, k)

def wrong_8(n, c, k):
    "the product runs over c factors from n - k + 1 off by one: (n - c - i) / (n - i) for i = 1..k"
    _refuse(n, c, k)
    fail = 1.0
    for i in range(1, k + 1):
        fail *= max(n - c - i, 0) / max(n - i, 1)
    return 1.0 - fail

def wrong_9(n, c, k):
    "k = 0 is let through (gives 0.0)"
    if not 0 <= c <= n or not 0 <= k <= n:
        raise MinidsError("metrics: pass@k needs 0 <= c <= n and k <= n")
    return 1.0 - comb(n - c, k) / comb(n, k)

def wrong_10(n, c, k):
    "whole-number division: 1 - comb // comb is 0 or 1 and an int"
    _refuse(n, c, k)
    return 1 - comb(n - c, k) // comb(n, k)

def right_1(n, c, k):
    "Fractions"
    n, c, k = _strict(n, c, k)
    return float(1 - Fraction(comb(n - c, k), comb(n, k)))

def right_2(n, c, k):
    "the product of the Codex paper's code"
    n, c, k = _strict(n, c, k)
    if n - c < k:
        return 1.0
    return float(1.0 - np.prod(1.0 - k / np.arange(n - c + 1, n + 1)))

def right_3(n, c, k):
    "a loop of factors, stopping at 0"
    n, c, k = _strict(n, c, k)
    fail = 1.0
    for i in range(k):
        if n - c - i <= 0:
            return 1.0
        fail *= (n - c - i) / (n - i)
    return 1.0 - fail

def right_4(n, c, k):
    "counts the subsets that succeed, one division"
    n, c, k = _strict(n, c, k)
    total = math.comb(n, k)
    return (total - math.comb(n - c, k)) / total
