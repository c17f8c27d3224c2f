"""statistics.paired"""
from collections import Counter
from fractions import Fraction
from math import comb, erfc, sqrt

import numpy as np


def _check(differences_P):
    differences = list(differences_P)
    if not differences or not all(float(d).is_integer() for d in differences):
        raise MinidsError("metrics: a paired test needs a whole number per problem: right answers after - before, say")
    return [int(d) for d in differences]


def _patterns(differences):
    patterns = Counter({0: 1})
    for d in differences:
        grown = Counter()
        for total, count in patterns.items():
            grown[total + d] += count
            grown[total - d] += count
        patterns = grown
    return patterns


def wrong_1(differences_P):
    "one direction only"
    # breaks: "in either direction" [1, 1, 1, 1]: 0.0625 instead of 0.125
    differences = _check(differences_P)
    observed = abs(sum(differences))
    patterns = _patterns(differences)
    return sum(count for total, count in patterns.items() if total >= observed) / 2 ** len(differences)


def wrong_2(differences_P):
    "only those farther from 0 than what was observed"
    # breaks: "as far from 0 as the sum that was observed, or farther" [1, 1, 1, 1]: 0 instead of 0.125
    differences = _check(differences_P)
    observed = abs(sum(differences))
    patterns = _patterns(differences)
    return sum(count for total, count in patterns.items() if abs(total) > observed) / 2 ** len(differences)


def wrong_3(differences_P):
    "the sign test: how large a difference is does not matter"
    # breaks: "of those whose sum is as far from 0 as the sum" [3, -1, -1]: signs 1 and 2 give 1.0, the sums 0.75
    differences = [(d > 0) - (d < 0) for d in _check(differences_P)]
    observed = abs(sum(differences))
    patterns = _patterns(differences)
    return sum(count for total, count in patterns.items() if abs(total) >= observed) / 2 ** len(differences)


def wrong_4(differences_P):
    "twice the upper tail, without a limit: above 1 where the gains cancel"
    # breaks: "p is the share, among all 2^P patterns" [1, -1]: 1.5 instead of 1
    differences = _check(differences_P)
    observed = abs(sum(differences))
    patterns = _patterns(differences)
    return 2 * sum(count for total, count in patterns.items() if total >= observed) / 2 ** len(differences)


def wrong_5(differences_P):
    "numpy counts in 64 bits: more than 2^63 patterns wrap around"
    # breaks: "Exact, for hundreds of problems" [1] * 40 + [-1] * 40
    signed = _check(differences_P)
    differences = [abs(d) for d in signed]
    counts = np.ones(1, dtype=np.int64)
    for d in differences:
        step = np.zeros(2 * d + 1, dtype=np.int64)
        step[0] += 1
        step[-1] += 1
        counts = np.convolve(counts, step)
    totals = np.arange(len(counts)) - len(counts) // 2
    observed = abs(sum(signed))
    return int(counts[abs(totals) >= observed].sum()) / 2 ** len(differences)


def wrong_6(differences_P):
    "fractions are cut to whole numbers instead of refused"
    # breaks: "Raises MinidsError unless all are whole numbers" [0.5, 1] gives 1.0
    differences = [int(d) for d in differences_P]
    if not differences:
        raise MinidsError("metrics: a paired test needs at least one problem")
    observed = abs(sum(differences))
    patterns = _patterns(differences)
    return sum(count for total, count in patterns.items() if abs(total) >= observed) / 2 ** len(differences)


def wrong_7(differences_P):
    "no problems at all give p = 1"
    # breaks: "Raises MinidsError unless all are whole numbers and there is at least one" []
    differences = list(differences_P)
    if not all(float(d).is_integer() for d in differences):
        raise MinidsError("metrics: whole numbers, please")
    differences = [int(d) for d in differences]
    observed = abs(sum(differences))
    patterns = _patterns(differences)
    return sum(count for total, count in patterns.items() if abs(total) >= observed) / 2 ** len(differences)


def wrong_8(differences_P):
    "int(d) of what is not finite raises its own errors before the check"
    # breaks: "Raises MinidsError unless all are whole numbers" [1, inf] raises OverflowError, [1, nan] ValueError
    differences = list(differences_P)
    if not differences or any(int(d) != d for d in differences):
        raise MinidsError("metrics: a paired test needs a whole number per problem")
    differences = [int(d) for d in differences]
    observed = abs(sum(differences))
    patterns = _patterns(differences)
    return sum(count for total, count in patterns.items() if abs(total) >= observed) / 2 ** len(differences)


def wrong_9(differences_P):
    "problems without a difference are dropped, and an error raised if none is left"
    # breaks: "Raises MinidsError unless all are whole numbers and there is at least one" [0, 0] is p = 1
    differences = [d for d in _check(differences_P) if d]
    if not differences:
        raise MinidsError("metrics: no problem differs, nothing to test")
    observed = abs(sum(differences))
    patterns = _patterns(differences)
    return sum(count for total, count in patterns.items() if abs(total) >= observed) / 2 ** len(differences)


def wrong_10(differences_P):
    "the normal approximation from 20 problems on"
    # breaks: "Exact, for hundreds of problems" [1] * 13 + [-1] * 7: 0.180 instead of 0.263
    differences = _check(differences_P)
    observed = abs(sum(differences))
    if len(differences) >= 20:
        spread = sqrt(sum(d * d for d in differences))
        return erfc(observed / spread / sqrt(2)) if spread else 1.0
    patterns = _patterns(differences)
    return sum(count for total, count in patterns.items() if abs(total) >= observed) / 2 ** len(differences)


def right_1(differences_P):
    "zeros dropped: they double the patterns above and below the line"
    differences = _check(differences_P)
    observed = abs(sum(differences))
    moving = [d for d in differences if d]
    patterns = _patterns(moving)
    far = sum(count for total, count in patterns.items() if abs(total) >= observed)
    return far / 2 ** len(moving)


def right_2(differences_P):
    "a table of Python's whole numbers, shifted so that the smallest sum is at 0"
    signed = _check(differences_P)
    sizes = [abs(d) for d in signed]
    span = sum(sizes)
    # ways[s]: subsets of the sizes that add up to s; the sum of the pattern is 2 s - span
    ways = [1] + [0] * span
    for size in sizes:
        ways = [ways[s] + (ways[s - size] if s >= size else 0) for s in range(span + 1)]
    far = sum(w for s, w in enumerate(ways) if abs(2 * s - span) >= abs(sum(signed)))
    return float(Fraction(far, 2 ** len(sizes)))


def right_3(differences_P):
    "twice the upper tail, at most 1"
    try:
        whole = [float(d) for d in differences_P]
    except (TypeError, ValueError):
        raise MinidsError("metrics: a paired test needs numbers") from None
    if len(whole) == 0 or not all(d.is_integer() for d in whole):
        raise MinidsError("metrics: a paired test needs whole numbers")
    ints = [int(d) for d in whole]
    observed = abs(sum(ints))
    patterns = {0: 1}
    for d in ints:
        grown = {}
        for total in patterns:
            for new in (total + d, total - d):
                grown[new] = grown.get(new, 0) + patterns[total]
        patterns = grown
    upper = sum(count for total, count in patterns.items() if total >= observed)
    return min(1.0, 2 * upper / 2 ** len(ints))


def right_4(differences_P):
    "equal sizes taken together with binomial numbers"
    signed = _check(differences_P)
    patterns = Counter({0: 1})
    for size, many in Counter(abs(d) for d in signed).items():
        grown = Counter()
        for total, count in patterns.items():
            for plus in range(many + 1):
                grown[total + size * (2 * plus - many)] += count * comb(many, plus)
        patterns = grown
    near = sum(count for total, count in patterns.items() if abs(total) < abs(sum(signed)))
    every = 2 ** len(signed)
    return (every - near) / every
