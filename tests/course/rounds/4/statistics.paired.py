"""statistics.paired"""
import itertools
from collections import Counter, defaultdict
from fractions import Fraction
from math import comb, erfc, sqrt

import numpy as np

from minids.errors import MinidsError


def _checked(differences_P):
    differences = list(differences_P)
    if not differences or not all(float(d).is_integer() for d in differences):
        raise MinidsError("metrics: a paired test needs a whole number per problem")
    return [int(d) for d in differences]


def _sums(differences):
    patterns = Counter({0: 1})
    for d in differences:
        grown = Counter()
        for total, count in patterns.items():
            grown[total + d] += count
            grown[total - d] += count
        patterns = grown
    return patterns


def wrong_1(differences_P):
    "farther only: the patterns just as far are not counted ([1] gives 0 instead of 1)"
    d = _checked(differences_P)
    return sum(count for total, count in _sums(d).items() if abs(total) > abs(sum(d))) / 2 ** len(d)


def wrong_2(differences_P):
    "one direction only: half of p for a gain"
    d = _checked(differences_P)
    return sum(count for total, count in _sums(d).items() if total >= abs(sum(d))) / 2 ** len(d)


def wrong_3(differences_P):
    "twice the upper tail: right unless the sum is 0, where p comes out above 1"
    d = _checked(differences_P)
    return 2 * sum(count for total, count in _sums(d).items() if total >= abs(sum(d))) / 2 ** len(d)


def wrong_4(differences_P):
    "the exact sign test: only how many are better and worse; wrong where a difference is 2 or more"
    d = _checked(differences_P)
    up, down = sum(x > 0 for x in d), sum(x < 0 for x in d)
    n = up + down
    return min(1.0, 2 * sum(comb(n, i) for i in range(max(up, down), n + 1)) / 2**n)


def wrong_5(differences_P):
    "differences of 0 are dropped before the check: all zeros (no gain at all, p = 1) raise MinidsError"
    differences = [d for d in differences_P if d != 0]
    d = _checked(differences)
    return sum(count for total, count in _sums(d).items() if abs(total) >= abs(sum(d))) / 2 ** len(d)


def wrong_6(differences_P):
    "the table is of int64: it overflows from 64 problems on"
    d = _checked(differences_P)
    reach = sum(map(abs, d))
    table = np.zeros(2 * reach + 1, dtype=np.int64)
    table[reach] = 1
    for x in d:
        table = np.roll(table, x) + np.roll(table, -x)
    far = np.abs(np.arange(-reach, reach + 1)) >= abs(sum(d))
    return float(table[far].sum()) / 2 ** len(d)


def wrong_7(differences_P):
    "a number that is not whole is cut to a whole one instead of refused ([0.5, 1])"
    d = [int(x) for x in differences_P]
    if not d:
        raise MinidsError("metrics: a paired test needs at least one problem")
    return sum(count for total, count in _sums(d).items() if abs(total) >= abs(sum(d))) / 2 ** len(d)


def wrong_8(differences_P):
    "exact up to 12 problems, above that 20,000 random patterns"
    d = _checked(differences_P)
    observed = abs(sum(d))
    if len(d) <= 12:
        hits = [abs(sum(s * x for s, x in zip(signs, d))) >= observed
                for signs in itertools.product((-1, 1), repeat=len(d))]
        return sum(hits) / len(hits)
    signs = np.random.default_rng(0).choice([-1, 1], size=(20_000, len(d)))
    return float((np.abs(signs @ np.array(d)) >= observed).mean())


def wrong_9(differences_P):
    "a dict without +=: two ways to the same sum overwrite each other ([1, 1] has two ways to 0)"
    d = _checked(differences_P)
    patterns = {0: 1}
    for x in d:
        grown = {}
        for total, count in patterns.items():
            grown[total + x] = count
            grown[total - x] = count
        patterns = grown
    return sum(count for total, count in patterns.items() if abs(total) >= abs(sum(d))) / 2 ** len(d)


def wrong_10(differences_P):
    "the normal approximation for more than 25 problems: close, but not exact"
    d = _checked(differences_P)
    if len(d) > 25 and any(d):
        return erfc(abs(sum(d)) / sqrt(2 * sum(x * x for x in d)))
    return sum(count for total, count in _sums(d).items() if abs(total) >= abs(sum(d))) / 2 ** len(d)


def right_1(differences_P):
    "shares of patterns (floats, halved at each problem) instead of counts"
    d = _checked(differences_P)
    share = {0: 1.0}
    for x in d:
        grown = defaultdict(float)
        for total, part in share.items():
            grown[total + x] += part / 2
            grown[total - x] += part / 2
        share = grown
    observed = abs(sum(d))
    return sum(part for total, part in share.items() if abs(total) >= observed)


def right_2(differences_P):
    "zeros left out (they double everything), twice the upper tail, 1 for a sum of 0"
    d = [x for x in _checked(differences_P) if x]
    observed = abs(sum(d))
    if observed == 0:
        return 1.0
    return 2 * sum(count for total, count in _sums(d).items() if total >= observed) / 2 ** len(d)


def right_3(differences_P):
    "chooses which problems keep their sign: subset sums in a list, shifted by hand"
    d = _checked(differences_P)
    observed = abs(sum(d))
    d = [abs(x) for x in d]
    whole = sum(d)
    ways = [1] + [0] * whole  # ways[s]: subsets with the sum s; the pattern's sum is 2 s - whole
    for x in d:
        ways = [w + (ways[s - x] if s >= x else 0) for s, w in enumerate(ways)]
    return float(Fraction(sum(w for s, w in enumerate(ways) if abs(2 * s - whole) >= observed), 2 ** len(d)))


def right_4(differences_P):
    "counts the patterns that are nearer and subtracts"
    d = _checked(differences_P)
    nearer = sum(count for total, count in _sums(d).items() if abs(total) < abs(sum(d)))
    return (2 ** len(d) - nearer) / 2 ** len(d)
