"""rejection.expected"""
import random
from functools import lru_cache
from math import comb, exp, factorial, log

import numpy as np


def wrong_1(rate, samples, keep):
    "the least of the mean and `keep`, not the mean of the least"
    # breaks: "E[min(R, keep)]"; expected_kept(0.5, 2, 1) gives 1.0 in place of 0.75
    return min(rate * samples, keep)


def wrong_2(rate, samples, keep):
    "more than `keep` good answers count as none"
    # breaks: "E[min(R, keep)]"; expected_kept(0.5, 2, 1) gives 0.5 in place of 0.75
    most = min(samples, keep)
    return sum(r * comb(samples, r) * rate**r * (1 - rate) ** (samples - r) for r in range(most + 1))


def wrong_3(rate, samples, keep):
    "`keep` documents as soon as one answer is good"
    # breaks: "E[min(R, keep)]"; right for keep = 1 only; expected_kept(0.5, 2, 2) gives 1.5 in place of 1.0
    return keep * (1 - (1 - rate) ** samples)


def wrong_4(rate, samples, keep):
    "goes beyond the number of answers where keep does, and divides by 0"
    # breaks: "rate: ... from 0 to 1", "samples answers drawn; keep documents made of them, at most";
    # expected_kept(1.0, 2, 4) raises ZeroDivisionError
    missing = sum(
        (keep - r) * comb(samples, r) * rate**r * (1 - rate) ** (samples - r) for r in range(keep)
    )
    return keep - missing


def wrong_5(rate, samples, keep):
    "logarithms, which a rate of 0 or 1 has not"
    # breaks: "rate: ... from 0 to 1"; expected_kept(0.0, 4, 2) raises ValueError
    total = 0.0
    for r in range(samples + 1):
        total += min(r, keep) * exp(log(comb(samples, r)) + r * log(rate) + (samples - r) * log(1 - rate))
    return total


def wrong_6(rate, samples, keep):
    "R by Poisson, which is close for rare good answers only"
    # breaks: "R ~ Binomial(samples, rate)"; expected_kept(1.0, 4, 2) gives 1.89 in place of 2
    mean = rate * samples
    return keep - sum((keep - r) * exp(-mean) * mean**r / factorial(r) for r in range(keep))


def wrong_7(rate, samples, keep):
    "the mean of a thousand tries"
    # breaks: "E[min(R, keep)]", "global random state untouched"; expected_kept(0.5, 8, 4) is off by about 0.03, and
    # the state of `random` changes
    tries = [min(sum(random.random() < rate for _ in range(samples)), keep) for _ in range(1000)]
    return sum(tries) / len(tries)


def wrong_8(rate, samples, keep):
    "the chances are updated from the bottom up, with what this answer has changed already"
    # breaks: "E[min(R, keep)] with R ~ Binomial(samples, rate)"; expected_kept(0.5, 1, 1) gives 0.25 in place of 0.5
    most = min(samples, keep)
    chance = [1.0] + [0.0] * most
    for _ in range(samples):
        for k in range(most + 1):
            stays = 1.0 if k == most else 1 - rate
            chance[k] = chance[k] * stays + (chance[k - 1] * rate if k else 0.0)
    return sum(k * p for k, p in enumerate(chance))


def wrong_9(rate, samples, keep):
    "the case that all answers are good is left out"
    # breaks: "With keep = samples that is rate * samples"; expected_kept(1.0, 4, 4) gives 0
    return sum(min(r, keep) * comb(samples, r) * rate**r * (1 - rate) ** (samples - r) for r in range(samples))


def wrong_10(rate, samples, keep):
    "without the number of orders in which R good answers can come"
    # breaks: "R ~ Binomial(samples, rate)"; expected_kept(0.5, 2, 2) gives 0.75 in place of 1.0
    return sum(min(r, keep) * rate**r * (1 - rate) ** (samples - r) for r in range(samples + 1))


def right_1(rate, samples, keep):
    "the binomial sum"
    return sum(min(r, keep) * comb(samples, r) * rate**r * (1 - rate) ** (samples - r) for r in range(samples + 1))


def right_2(rate, samples, keep):
    "the chances of all numbers by numpy's convolve"
    chance = np.ones(1)
    for _ in range(samples):
        chance = np.convolve(chance, [1 - rate, rate])
    return float(np.minimum(np.arange(len(chance)), keep) @ chance)


def right_3(rate, samples, keep):
    "recursion over answers left and places left"
    @lru_cache(maxsize=None)
    def more(left, places):
        if left == 0 or places == 0:
            return 0.0
        return rate * (1 + more(left - 1, places - 1)) + (1 - rate) * more(left - 1, places)

    return more(samples, keep)


def right_4(rate, samples, keep):
    "the sum over k of the chance of at least k good answers"
    exactly = [comb(samples, r) * rate**r * (1 - rate) ** (samples - r) for r in range(samples + 1)]
    return sum((sum(exactly[k:]) for k in range(1, min(samples, keep) + 1)), 0.0)
