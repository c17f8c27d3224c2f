"""rejection.expected"""
import math
import numpy as np

def wrong_1(rate, samples, keep):
    "min of the mean: min(rate * samples, keep)"
    return min(rate * samples, keep)

def wrong_2(rate, samples, keep):
    "range(samples): all right is left out"
    return sum(math.comb(samples, r) * rate**r * (1 - rate) ** (samples - r) * min(r, keep) for r in range(samples))

def wrong_3(rate, samples, keep):
    "no binomial coefficient"
    return sum(rate**r * (1 - rate) ** (samples - r) * min(r, keep) for r in range(samples + 1))

def wrong_4(rate, samples, keep):
    "more than keep counts nothing: sum up to keep only"
    return sum(math.comb(samples, r) * rate**r * (1 - rate) ** (samples - r) * r for r in range(min(keep, samples) + 1))

def wrong_5(rate, samples, keep):
    "logs: rate 0 or 1 is a domain error"
    return sum(math.comb(samples, r) * math.exp(r * math.log(rate) + (samples - r) * math.log(1 - rate)) * min(r, keep) for r in range(samples + 1))

def wrong_6(rate, samples, keep):
    "keep * pass@k: as if each of the kept were found independently"
    return keep * (1 - (1 - rate) ** samples)

def wrong_7(rate, samples, keep):
    "the exponent of 1 - rate is r's, and the other way round: right at rate 1/2 only"
    return sum(math.comb(samples, r) * rate ** (samples - r) * (1 - rate) ** r * min(r, keep) for r in range(samples + 1))

def wrong_8(rate, samples, keep):
    "a Poisson of mean rate * samples instead of the binomial"
    lam = rate * samples
    return sum(math.exp(-lam) * lam**r / math.factorial(r) * min(r, keep) for r in range(100))

def wrong_9(rate, samples, keep):
    "simulated with 10,000 draws: only about right"
    rng = np.random.default_rng(0)
    return float(np.minimum(rng.binomial(samples, rate, size=10_000), keep).mean())

def wrong_10(rate, samples, keep):
    "sum_{j=1..keep} P(R > j) instead of P(R >= j)"
    def p(r):
        return math.comb(samples, r) * rate**r * (1 - rate) ** (samples - r)
    return sum(sum(p(r) for r in range(j + 1, samples + 1)) for j in range(1, keep + 1))

def right_1(rate, samples, keep):
    "tail sum: sum_{j=1..keep} P(R >= j)"
    def p(r):
        return math.comb(samples, r) * rate**r * (1 - rate) ** (samples - r)
    return float(sum(sum(p(r) for r in range(j, samples + 1)) for j in range(1, min(keep, samples) + 1)))

def right_2(rate, samples, keep):
    "one answer at a time: a table of probabilities, convolved"
    probs = [1.0]
    for _ in range(samples):
        probs = [a * (1 - rate) + b * rate for a, b in zip(probs + [0.0], [0.0] + probs)]
    return sum(p * min(r, keep) for r, p in enumerate(probs))

def right_3(rate, samples, keep):
    "keep minus what is missing: keep - sum (keep - r) P(r) over r < keep"
    missing = sum((keep - r) * math.comb(samples, r) * rate**r * (1 - rate) ** (samples - r) for r in range(min(keep, samples + 1)))
    return keep - missing

def right_4(rate, samples, keep):
    "numpy arrays"
    r = np.arange(samples + 1)
    ways = np.array([math.comb(samples, int(k)) for k in r], dtype=np.float64)
    return float((ways * rate**r * (1.0 - rate) ** (samples - r) * np.minimum(r, keep)).sum())
