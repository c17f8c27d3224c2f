"""rejection.expected"""
import math
import random


def wrong_1(rate, samples, keep):
    "the minimum of the mean, not the mean of the minimum"
    return min(rate * samples, keep)


def wrong_2(rate, samples, keep):
    "all answers being good is left out (range ends one early)"
    return sum(
        math.comb(samples, r) * rate**r * (1 - rate) ** (samples - r) * min(r, keep) for r in range(samples)
    )


def wrong_3(rate, samples, keep):
    "the number of orders is forgotten (no binomial coefficient)"
    return sum(rate**r * (1 - rate) ** (samples - r) * min(r, keep) for r in range(samples + 1))


def wrong_4(rate, samples, keep):
    "with logarithms, for large numbers: rate 0 and rate 1 raise"
    total = 0.0
    for r in range(samples + 1):
        log = math.log(math.comb(samples, r)) + r * math.log(rate) + (samples - r) * math.log(1 - rate)
        total += math.exp(log) * min(r, keep)
    return total


def wrong_5(rate, samples, keep):
    "keep times the chance of at least one good answer: right for keep = 1 only"
    return keep * (1 - (1 - rate) ** samples)


def wrong_6(rate, samples, keep):
    "more good answers than `keep` count nothing"
    return sum(
        math.comb(samples, r) * rate**r * (1 - rate) ** (samples - r) * r for r in range(min(keep, samples) + 1)
    )


def wrong_7(rate, samples, keep):
    "a simulation, which seeds the global generator and is right to two digits only"
    random.seed(0)
    tries = 500
    return sum(min(sum(random.random() < rate for _ in range(samples)), keep) for _ in range(tries)) / tries


def wrong_8(rate, samples, keep):
    "keep minus what is missing, over R up to keep - 1: with keep > samples and rate 1, 0.0 ** -1 raises"
    missing = sum(
        math.comb(samples, r) * rate**r * (1 - rate) ** (samples - r) * (keep - r) for r in range(keep)
    )
    return keep - missing


def wrong_9(rate, samples, keep):
    "a normal approximation of the binomial"
    mean, std = samples * rate, math.sqrt(samples * rate * (1 - rate))
    if std == 0:
        return float(min(mean, keep))

    def below(x):
        return 0.5 * (1 + math.erf((x - mean) / std / math.sqrt(2)))

    return sum((below(r + 0.5) - below(r - 0.5)) * min(r, keep) for r in range(samples + 1))


def wrong_10(rate, samples, keep):
    "the sum of chances that the first `keep` answers are good: what is drawn after a failure is forgotten"
    return rate * min(keep, samples)


def wrong_11(rate, samples, keep):
    "sum of P(R > k) for k up to keep, one too many: P(R > keep) is added, too"
    chance = [math.comb(samples, r) * rate**r * (1 - rate) ** (samples - r) for r in range(samples + 1)]
    return sum(sum(chance[k:]) for k in range(1, keep + 2))


def wrong_12(rate, samples, keep):
    "chances by the recurrence p/(1-p), which divides by zero at rate 1"
    chance, total = (1 - rate) ** samples, 0.0
    for r in range(samples + 1):
        total += chance * min(r, keep)
        chance *= (samples - r) / (r + 1) * rate / (1 - rate)
    return total


def right_1(rate, samples, keep):
    "E[min(R, keep)] = sum over k = 1..keep of P(R >= k)"
    chance = [math.comb(samples, r) * rate**r * (1 - rate) ** (samples - r) for r in range(samples + 1)]
    return float(sum(sum(chance[k:]) for k in range(1, min(keep, samples) + 1)))


def right_2(rate, samples, keep):
    "dynamic programming: the distribution of what is kept, answer by answer"
    top = min(keep, samples)
    dist = [1.0] + [0.0] * top
    for _ in range(samples):
        new = [0.0] * (top + 1)
        for kept, p in enumerate(dist):
            new[kept] += p * (1 - rate)
            new[min(kept + 1, top)] += p * rate
        dist = new
    return sum(kept * p for kept, p in enumerate(dist))


def right_3(rate, samples, keep):
    "np less what is thrown away"
    lost = 0.0
    for good in range(keep + 1, samples + 1):
        lost += math.comb(samples, good) * math.pow(rate, good) * math.pow(1 - rate, samples - good) * (good - keep)
    return rate * samples - lost


def right_4(rate, samples, keep):
    "recursion over the answers that are still to be drawn, with a table"
    known = {}

    def expect(left, places):
        if left == 0 or places == 0:
            return 0.0
        if (left, places) not in known:
            known[left, places] = rate * (1 + expect(left - 1, places - 1)) + (1 - rate) * expect(left - 1, places)
        return known[left, places]

    return expect(samples, keep)
