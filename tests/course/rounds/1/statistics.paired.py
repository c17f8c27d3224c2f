"""statistics.paired"""
import itertools
import math
import random
from collections import defaultdict
import numpy as np

def _whole(differences_P):
    d = list(differences_P)
    if not d or not all(float(x).is_integer() for x in d):
        raise MinidsError("metrics: a paired test needs a whole number a problem")
    return [int(x) for x in d]

def wrong_1(differences_P):
    "one direction only: sums >= the observed"
    d = _whole(differences_P)
    patterns = Counter({0: 1})
    for x in d:
        grown = Counter()
        for t, n in patterns.items():
            grown[t + x] += n
            grown[t - x] += n
        patterns = grown
    return sum(n for t, n in patterns.items() if t >= sum(d)) / 2 ** len(d)

def wrong_2(differences_P):
    "strictly farther: those as far as the observed are not counted"
    d = _whole(differences_P)
    patterns = Counter({0: 1})
    for x in d:
        grown = Counter()
        for t, n in patterns.items():
            grown[t + x] += n
            grown[t - x] += n
        patterns = grown
    return sum(n for t, n in patterns.items() if abs(t) > abs(sum(d))) / 2 ** len(d)

def wrong_3(differences_P):
    "lists all 2^P patterns: never ends for dozens of problems"
    d = _whole(differences_P)
    far = sum(abs(sum(s * x for s, x in zip(signs, d))) >= abs(sum(d)) for signs in itertools.product((1, -1), repeat=len(d)))
    return far / 2 ** len(d)

def wrong_4(differences_P):
    "10,000 random patterns: not exact"
    d = _whole(differences_P)
    rng = np.random.default_rng(0)
    signs = rng.choice([-1, 1], size=(10_000, len(d)))
    return float((np.abs(signs @ np.array(d)) >= abs(sum(d))).mean())

def wrong_5(differences_P):
    "assignment instead of +=: a sum reached in two ways is counted once"
    d = _whole(differences_P)
    patterns = {0: 1}
    for x in d:
        grown = {}
        for t, n in patterns.items():
            grown[t + x] = n
            grown[t - x] = n
        patterns = grown
    return sum(n for t, n in patterns.items() if abs(t) >= abs(sum(d))) / sum(patterns.values())

def wrong_6(differences_P):
    "sign test: only the signs of the differences count, not their size"
    d = [(x > 0) - (x < 0) for x in _whole(differences_P)]
    patterns = Counter({0: 1})
    for x in d:
        grown = Counter()
        for t, n in patterns.items():
            grown[t + x] += n
            grown[t - x] += n
        patterns = grown
    return sum(n for t, n in patterns.items() if abs(t) >= abs(sum(d))) / 2 ** len(d)

def wrong_7(differences_P):
    "rounds what is no whole number instead of refusing it"
    d = [int(round(x)) for x in differences_P]
    if not d:
        raise MinidsError("metrics: a paired test needs at least one problem")
    patterns = Counter({0: 1})
    for x in d:
        grown = Counter()
        for t, n in patterns.items():
            grown[t + x] += n
            grown[t - x] += n
        patterns = grown
    return sum(n for t, n in patterns.items() if abs(t) >= abs(sum(d))) / 2 ** len(d)

def wrong_8(differences_P):
    "counts in float32: 2^P overflows to inf beyond 127 problems, nan"
    d = _whole(differences_P)
    reach = sum(map(abs, d))
    table = np.zeros(2 * reach + 1, np.float32)
    table[reach] = 1
    for x in d:
        table = np.roll(table, x) + np.roll(table, -x)
    far = np.abs(np.arange(-reach, reach + 1)) >= abs(sum(d))
    return float(table[far].sum() / table.sum())

def wrong_9(differences_P):
    "doubled one-sided share: 2 P(sum >= |observed|), up to 2 where the observed sum is 0"
    d = _whole(differences_P)
    patterns = Counter({0: 1})
    for x in d:
        grown = Counter()
        for t, n in patterns.items():
            grown[t + x] += n
            grown[t - x] += n
        patterns = grown
    return 2 * sum(n for t, n in patterns.items() if t >= abs(sum(d))) / 2 ** len(d)

def wrong_10(differences_P):
    "an empty list gives 1.0 instead of an error; a generator is used up by the check"
    if not all(float(x).is_integer() for x in differences_P):
        raise MinidsError("metrics: a paired test needs whole numbers")
    d = [int(x) for x in differences_P]
    patterns = Counter({0: 1})
    for x in d:
        grown = Counter()
        for t, n in patterns.items():
            grown[t + x] += n
            grown[t - x] += n
        patterns = grown
    return sum(n for t, n in patterns.items() if abs(t) >= abs(sum(d))) / 2 ** len(d)

def right_1(differences_P):
    "zeros left out (both their signs give the same); a defaultdict"
    whole = _whole(differences_P)
    signed = abs(sum(whole))
    d = [x for x in whole if x]
    ways = {0: 1}
    for x in d:
        new = defaultdict(int)
        for total in ways:
            for step in (x, -x):
                new[total + step] += ways[total]
        ways = new
    return sum(ways[t] for t in ways if t >= signed or t <= -signed) / 2 ** len(d)

def right_2(differences_P):
    "subsets: a pattern's sum is 2 * (sum of those with +) - total; ways by a list, whole numbers"
    whole = _whole(differences_P)
    sizes, observed = [abs(x) for x in whole], abs(sum(whole))
    total = sum(sizes)
    ways = [1] + [0] * total
    for x in sizes:
        ways = [w + (ways[i - x] if i >= x else 0) for i, w in enumerate(ways)]
    far = sum(w for s, w in enumerate(ways) if abs(2 * s - total) >= observed)
    return far / 2 ** len(sizes)

def right_3(differences_P):
    "a polynomial as one big whole number: digits of `width` bits are the counts"
    whole = _whole(differences_P)
    sizes, observed = [abs(x) for x in whole], abs(sum(whole))
    width, number = len(sizes) + 1, 1
    for x in sizes:
        number += number << (2 * x * width)
    reach, mask, far = sum(sizes), (1 << width) - 1, 0
    for place in range(2 * reach + 1):
        if abs(place - reach) >= observed:
            far += (number >> (place * width)) & mask
    return far / (1 << len(sizes))

def right_4(differences_P):
    "recursion over problems with a cache of (problem, sum)"
    whole = tuple(_whole(differences_P))
    observed = abs(sum(whole))
    states = {0: 1}
    def grow(states, rest):
        if not rest:
            return states
        out = {}
        for t, n in states.items():
            out[t + rest[0]] = out.get(t + rest[0], 0) + n
            out[t - rest[0]] = out.get(t - rest[0], 0) + n
        return out
    for i in range(len(whole)):
        states = grow(states, whole[i : i + 1])
    near = sum(n for t, n in states.items() if abs(t) < observed)
    return (2 ** len(whole) - near) / 2 ** len(whole)
