"""statistics.paired"""
import itertools
from collections import Counter
from math import comb, erfc, sqrt
import numpy as np

from minids.errors import MinidsError


def _whole(differences_P):
    d = list(differences_P)
    if not d or not all(float(x).is_integer() for x in d):
        raise MinidsError("whole numbers, please")
    return [int(x) for x in d]


def _patterns(d):
    p = {0: 1}
    for x in d:
        new = Counter()
        for s, n in p.items():
            new[s + x] += n
            new[s - x] += n
        p = new
    return p


def wrong_1(differences_P):
    "one direction only"
    d = _whole(differences_P)
    return sum(n for s, n in _patterns(d).items() if s >= sum(d)) / 2 ** len(d)


def wrong_2(differences_P):
    "farther only, not as far: never 1, too small"
    d = _whole(differences_P)
    return sum(n for s, n in _patterns(d).items() if abs(s) > abs(sum(d))) / 2 ** len(d)


def wrong_3(differences_P):
    "all patterns are listed: hundreds of problems never end (here a limit of 20 is raised as an error)"
    d = _whole(differences_P)
    if len(d) > 20:
        raise MemoryError("2 ** P patterns")
    sums = [sum(s * x for s, x in zip(signs, d)) for signs in itertools.product((1, -1), repeat=len(d))]
    return sum(abs(s) >= abs(sum(d)) for s in sums) / len(sums)


def wrong_4(differences_P):
    "only the signs of the differences count (sign test): differences beyond 1 lose their size"
    d = [(x > 0) - (x < 0) for x in _whole(differences_P)]
    return sum(n for s, n in _patterns(d).items() if abs(s) >= abs(sum(d))) / 2 ** len(d)


def wrong_5(differences_P):
    "patterns as floats: beyond about a thousand problems 2.0 ** P overflows"
    d = _whole(differences_P)
    p = {0: 1.0}
    for x in d:
        new = Counter()
        for s, n in p.items():
            new[s + x] += n
            new[s - x] += n
        p = new
    return sum(n for s, n in p.items() if abs(s) >= abs(sum(d))) / 2.0 ** len(d)


def wrong_6(differences_P):
    "problems with difference 0 are forgotten in the patterns but not in 2 ** P"
    d = _whole(differences_P)
    return sum(n for s, n in _patterns([x for x in d if x]).items() if abs(s) >= abs(sum(d))) / 2 ** len(d)


def wrong_7(differences_P):
    "twice the upper tail: above 1 for a sum of 0"
    d = _whole(differences_P)
    return 2 * sum(n for s, n in _patterns(d).items() if s >= abs(sum(d))) / 2 ** len(d)


def wrong_8(differences_P):
    "the normal approximation"
    d = _whole(differences_P)
    v = sum(x * x for x in d)
    return erfc(abs(sum(d)) / sqrt(2 * v)) if v else 1.0


def wrong_9(differences_P):
    "fractions are rounded to whole numbers instead of refused"
    d = [int(x) for x in differences_P]
    if not d:
        raise MinidsError("no problems")
    return sum(n for s, n in _patterns(d).items() if abs(s) >= abs(sum(d))) / 2 ** len(d)


def wrong_10(differences_P):
    "random signs, ten thousand times: not exact"
    d = np.array(_whole(differences_P))
    signs = np.random.default_rng(0).choice([-1, 1], size=(10_000, len(d)))
    return float((np.abs(signs @ d) >= abs(d.sum())).mean())


def right_1(differences_P):
    "the sum of those that are turned: subset sums of |d|"
    d = _whole(differences_P)
    size = sum(map(abs, d))
    ways = [1] + [0] * size
    for x in map(abs, d):
        ways = [ways[s] + (ways[s - x] if s >= x else 0) for s in range(size + 1)] if x else [2 * w for w in ways]
    far = abs(sum(d))
    return sum(n for s, n in enumerate(ways) if abs(size - 2 * s) >= far) / 2 ** len(d)


def right_2(differences_P):
    "one large whole number as a polynomial"
    d = _whole(differences_P)
    size, bits = sum(map(abs, d)), len(d) + 1
    poly = 1
    for x in d:
        poly += poly << (bits * abs(x))
    far, count = abs(sum(d)), 0
    for s in range(size + 1):
        if abs(size - 2 * s) >= far:
            count += poly >> (bits * s) & ((1 << bits) - 1)
    return count / 2 ** len(d)


def right_3(differences_P):
    "zeros are left out on both sides; equal sizes by binomials"
    d = _whole(differences_P)
    sizes = Counter(abs(x) for x in d if x)
    patterns = {0: 1}
    for size, many in sizes.items():
        new = {}
        for s, n in patterns.items():
            for up in range(many + 1):
                key = s + size * (2 * up - many)
                new[key] = new.get(key, 0) + n * comb(many, up)
        patterns = new
    return sum(n for s, n in patterns.items() if abs(s) >= abs(sum(d))) / 2 ** sum(sizes.values())


def right_4(differences_P):
    "1 minus the share of those nearer to 0"
    d = _whole(differences_P)
    near = sum(n for s, n in _patterns(d).items() if abs(s) < abs(sum(d)))
    return (2 ** len(d) - near) / 2 ** len(d)
