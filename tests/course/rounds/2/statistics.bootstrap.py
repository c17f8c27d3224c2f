"""statistics.bootstrap"""
import math
import numpy as np

from minids.errors import MinidsError


def _check(values_P, level, draws):
    x = np.asarray(values_P, dtype=np.float64)
    if x.ndim != 1 or not len(x) or not np.isfinite(x).all() or not 0 < level < 1 or draws < 1:
        raise MinidsError("no interval of this")
    return x


def _means(x, draws, seed):
    rng = np.random.default_rng(seed)
    return x[rng.integers(len(x), size=(draws, len(x)))].mean(1)


def wrong_1(values_P, *, level=0.95, draws=2000, seed=0):
    "a resample without replacement is the same list: width 0"
    x = _check(values_P, level, draws)
    rng = np.random.default_rng(seed)
    means = [rng.permutation(x).mean() for _ in range(draws)]
    lo, hi = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return float(lo), float(hi)


def wrong_2(values_P, *, level=0.95, draws=2000, seed=0):
    "numpy's global generator is seeded: the caller's random numbers change"
    x = _check(values_P, level, draws)
    np.random.seed(seed)
    means = [x[np.random.randint(len(x), size=len(x))].mean() for _ in range(draws)]
    lo, hi = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return float(lo), float(hi)


def wrong_3(values_P, *, level=0.95, draws=2000, seed=0):
    "each side loses 1 - level: an interval of 90 % for 0.95"
    lo, hi = np.quantile(_means(_check(values_P, level, draws), draws, seed), [1 - level, level])
    return float(lo), float(hi)


def wrong_4(values_P, *, level=0.95, draws=2000, seed=0):
    "quantiles of the values, not of the means"
    x = _check(values_P, level, draws)
    lo, hi = np.quantile(x, [(1 - level) / 2, (1 + level) / 2])
    return float(lo), float(hi)


def wrong_5(values_P, *, level=0.95, draws=2000, seed=0):
    "level is ignored: always 2.5 % and 97.5 %"
    lo, hi = np.percentile(_means(_check(values_P, level, draws), draws, seed), [2.5, 97.5])
    return float(lo), float(hi)


def wrong_6(values_P, *, level=0.95, draws=2000, seed=0):
    "the normal interval, mean +- z standard deviations of the means: symmetric, and can lie outside of what a mean can be"
    m = _means(_check(values_P, level, draws), draws, seed)
    from statistics import NormalDist
    z = NormalDist().inv_cdf((1 + level) / 2)
    return float(m.mean() - z * m.std()), float(m.mean() + z * m.std())


def wrong_7(values_P, *, level=0.95, draws=2000, seed=0):
    "nan is left in and taken out of the mean (nanmean) instead of refused"
    x = np.asarray(values_P, dtype=np.float64)
    if x.ndim != 1 or not len(x) or not 0 < level < 1 or draws < 1:
        raise MinidsError("no interval of this")
    rng = np.random.default_rng(seed)
    m = np.nanmean(x[rng.integers(len(x), size=(draws, len(x)))], axis=1)
    lo, hi = np.quantile(m, [(1 - level) / 2, (1 + level) / 2])
    return float(lo), float(hi)


def wrong_8(values_P, *, level=0.95, draws=2000, seed=0):
    "the seed is ignored: no two calls agree"
    x = _check(values_P, level, draws)
    lo, hi = np.quantile(_means(x, draws, None), [(1 - level) / 2, (1 + level) / 2])
    return float(lo), float(hi)


def wrong_9(values_P, *, level=0.95, draws=2000, seed=0):
    "integers(len - 1): the last value is never drawn"
    x = _check(values_P, level, draws)
    rng = np.random.default_rng(seed)
    m = x[rng.integers(len(x) - 1, size=(draws, len(x)))].mean(1) if len(x) > 1 else np.full(draws, x[0])
    lo, hi = np.quantile(m, [(1 - level) / 2, (1 + level) / 2])
    return float(lo), float(hi)


def wrong_10(values_P, *, level=0.95, draws=2000, seed=0):
    "levels of 0 and 1 are let through (0 <= level <= 1)"
    x = np.asarray(values_P, dtype=np.float64)
    if x.ndim != 1 or not len(x) or not np.isfinite(x).all() or not 0 <= level <= 1 or draws < 1:
        raise MinidsError("no interval of this")
    lo, hi = np.quantile(_means(x, draws, seed), [(1 - level) / 2, (1 + level) / 2])
    return float(lo), float(hi)


def right_1(values_P, *, level=0.95, draws=2000, seed=0):
    "one call for all random numbers"
    lo, hi = np.quantile(_means(_check(values_P, level, draws), draws, seed), [(1 - level) / 2, (1 + level) / 2])
    return float(lo), float(hi)


def right_2(values_P, *, level=0.95, draws=2000, seed=0):
    "rng.choice and percentile"
    x = _check(values_P, level, draws)
    rng = np.random.default_rng(seed)
    means = [float(np.mean(rng.choice(x, len(x), replace=True))) for _ in range(draws)]
    edge = 50 * (1 - level)
    return float(np.percentile(means, edge)), float(np.percentile(means, 100 - edge))


def right_3(values_P, *, level=0.95, draws=2000, seed=0):
    "the standard library's generator, an own quantile"
    import random
    x = _check(values_P, level, draws).tolist()
    rng = random.Random(seed)
    means = sorted(math.fsum(rng.choices(x, k=len(x))) / len(x) for _ in range(draws))
    def quantile(q):
        at = q * (draws - 1)
        i = min(int(at), draws - 1)
        j = min(i + 1, draws - 1)
        return means[i] + (at - i) * (means[j] - means[i])
    return quantile((1 - level) / 2), quantile((1 + level) / 2)


def right_4(values_P, *, level=0.95, draws=2000, seed=0):
    "how often each value is drawn: multinomial counts"
    x = _check(values_P, level, draws)
    counts = np.random.default_rng(seed).multinomial(len(x), np.full(len(x), 1 / len(x)), size=draws)
    tail = (1 - level) / 2
    lo, hi = np.quantile(counts @ x / len(x), (tail, 1 - tail))
    return lo.item(), hi.item()
