"""rejection.expected"""
import math
from fractions import Fraction


def wrong_1(rate, samples, keep):
    "min of the expectation, not the expectation of the minimum"
    return min(rate * samples, keep)


def wrong_2(rate, samples, keep):
    "all samples good is left out of the sum"
    return sum(math.comb(samples, g) * rate**g * (1 - rate) ** (samples - g) * min(g, keep) for g in range(samples))


def wrong_3(rate, samples, keep):
    "no binomial coefficient"
    return sum(rate**g * (1 - rate) ** (samples - g) * min(g, keep) for g in range(samples + 1))


def wrong_4(rate, samples, keep):
    "keep times the probability of at least one: right for keep = 1 only"
    return keep * (1 - (1 - rate) ** samples)


def wrong_5(rate, samples, keep):
    "the sum ends at keep: more good answers than that count nothing"
    return sum(math.comb(samples, g) * rate**g * (1 - rate) ** (samples - g) * g for g in range(min(keep, samples) + 1))


def wrong_6(rate, samples, keep):
    "only as many samples as are kept are drawn"
    return rate * min(samples, keep)


def wrong_7(rate, samples, keep):
    "by logarithms: rates of 0 and 1 are a domain error"
    total = 0.0
    for g in range(samples + 1):
        log = math.log(math.comb(samples, g)) + g * math.log(rate) + (samples - g) * math.log(1 - rate)
        total += math.exp(log) * min(g, keep)
    return total


def wrong_8(rate, samples, keep):
    "keep * P(R >= keep) and nothing for fewer"
    return keep * sum(math.comb(samples, g) * rate**g * (1 - rate) ** (samples - g) for g in range(keep, samples + 1))


def wrong_9(rate, samples, keep):
    "Poisson instead of binomial: near for many samples and small rates only"
    m = rate * samples
    return sum(math.exp(-m) * m**g / math.factorial(g) * min(g, keep) for g in range(samples + 1))


def wrong_10(rate, samples, keep):
    "more than all cannot be kept: keep above samples is cut to samples - 1"
    keep = min(keep, samples - 1) if keep > samples else keep
    return sum(math.comb(samples, g) * rate**g * (1 - rate) ** (samples - g) * min(g, keep) for g in range(samples + 1))


def right_1(rate, samples, keep):
    "sum over k <= keep of P(R >= k)"
    p = [math.comb(samples, g) * rate**g * (1 - rate) ** (samples - g) for g in range(samples + 1)]
    return float(sum(sum(p[k:]) for k in range(1, keep + 1)))


def right_2(rate, samples, keep):
    "a distribution that grows by one sample at a time, all above keep in one place"
    p = [1.0] + [0.0] * keep
    for _ in range(samples):
        new = [q * (1 - rate) for q in p]
        new[keep] += p[keep] * rate
        for g in range(keep):
            new[g + 1] += p[g] * rate
        p = new
    return sum(g * q for g, q in enumerate(p))


def right_3(rate, samples, keep):
    "keep minus what is missing to it"
    missing = 0.0
    for g in range(0, min(keep, samples + 1)):
        missing += (keep - g) * math.comb(samples, g) * math.pow(rate, g) * math.pow(1 - rate, samples - g)
    return keep - missing


def right_4(rate, samples, keep):
    "fractions"
    p = Fraction(rate)
    return float(sum(min(g, keep) * math.comb(samples, g) * p**g * (1 - p) ** (samples - g) for g in range(samples + 1)))
