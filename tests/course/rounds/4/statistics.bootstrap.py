"""statistics.bootstrap"""
import math
import random

import numpy as np

from minids.errors import MinidsError


def _checked(values_P, level, draws):
    values_P = np.asarray(values_P, dtype=np.float64)
    if values_P.ndim != 1 or not len(values_P) or not np.isfinite(values_P).all():
        raise MinidsError("metrics: an interval needs a non-empty list of finite numbers")
    if not 0 < level < 1 or draws < 1:
        raise MinidsError("metrics: bad level or draws")
    return values_P


def wrong_1(values_P, *, level=0.95, draws=2000, seed=0):
    "resamples without replacement: every mean is the same, the width is 0"
    values = _checked(values_P, level, draws)
    rng = np.random.default_rng(seed)
    means = [rng.permutation(values).mean() for _ in range(draws)]
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def wrong_2(values_P, *, level=0.95, draws=2000, seed=0):
    "seeds and uses numpy's global generator: the random state of the caller is changed"
    values = _checked(values_P, level, draws)
    np.random.seed(seed)
    means = np.random.choice(values, size=(draws, len(values))).mean(axis=1)
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def wrong_3(values_P, *, level=0.95, draws=2000, seed=0):
    "1 - level is cut off on each side: a level of 0.95 gives the middle 90 %"
    values = _checked(values_P, level, draws)
    rng = np.random.default_rng(seed)
    means = np.array([values[rng.integers(len(values), size=len(values))].mean() for _ in range(draws)])
    low, high = np.quantile(means, sorted([1 - level, level]))
    return float(low), float(high)


def wrong_4(values_P, *, level=0.95, draws=2000, seed=0):
    "draws right/wrong answers with the mean as their chance: too wide (or an error) unless all values are 0 or 1"
    values = _checked(values_P, level, draws)
    rng = np.random.default_rng(seed)
    n = len(values)
    means = rng.binomial(n, min(1.0, max(0.0, values.mean())), size=draws) / n
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def wrong_5(values_P, *, level=0.95, draws=2000, seed=0):
    "rng.integers(P - 1): its upper end is exclusive already, so the last problem is never drawn (P = 1: ValueError)"
    values = _checked(values_P, level, draws)
    rng = np.random.default_rng(seed)
    P = len(values)
    means = values[rng.integers(P - 1, size=(draws, P))].mean(1)
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def wrong_6(values_P, *, level=0.95, draws=2000, seed=0):
    "the basic interval (2 mean - quantile) instead of the percentile interval: mirrored where values are skewed"
    values = _checked(values_P, level, draws)
    rng = np.random.default_rng(seed)
    means = rng.choice(values, size=(draws, len(values))).mean(axis=1)
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return float(2 * values.mean() - high), float(2 * values.mean() - low)


def wrong_7(values_P, *, level=0.95, draws=2000, seed=0):
    "reads the bounds from the sorted means at round(draws * ...): IndexError for few draws, as for draws=1 or 10"
    values = _checked(values_P, level, draws)
    rng = np.random.default_rng(seed)
    means = sorted(rng.choice(values, size=len(values)).mean() for _ in range(draws))
    return float(means[round(draws * (1 - level) / 2)]), float(means[round(draws * (1 + level) / 2)])


def wrong_8(values_P, *, level=0.95, draws=2000, seed=0):
    "only NaN is refused; a list with inf gives infinite or NaN bounds instead of MinidsError"
    values_P = np.asarray(values_P, dtype=np.float64)
    if values_P.ndim != 1 or not len(values_P) or np.isnan(values_P).any():
        raise MinidsError("metrics: an interval needs a non-empty list of finite numbers, one per problem")
    if not 0 < level < 1 or draws < 1:
        raise MinidsError(f"metrics: level={level} must lie between 0 and 1, and draws={draws} be positive")
    rng = np.random.default_rng(seed)
    means = np.array([values_P[rng.integers(len(values_P), size=len(values_P))].mean() for _ in range(draws)])
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def wrong_9(values_P, *, level=0.95, draws=2000, seed=0):
    "centres the values in place: an array of float64 that was passed is changed"
    values = _checked(values_P, level, draws)
    middle = values.mean()
    values -= middle
    rng = np.random.default_rng(seed)
    means = np.array([values[rng.integers(len(values), size=len(values))].mean() for _ in range(draws)])
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return float(low + middle), float(high + middle)


def wrong_10(values_P, *, level=0.95, draws=2000, seed=0):
    "a level of exactly 0 or 1 is let through"
    values = np.asarray(values_P, dtype=np.float64)
    if values.ndim != 1 or not len(values) or not np.isfinite(values).all() or not 0 <= level <= 1 or draws < 1:
        raise MinidsError("metrics: an interval needs finite numbers, a level between 0 and 1 and draws")
    rng = np.random.default_rng(seed)
    means = np.array([values[rng.integers(len(values), size=len(values))].mean() for _ in range(draws)])
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def right_1(values_P, *, level=0.95, draws=2000, seed=0):
    "all indices at once, percentile instead of quantile"
    v = _checked(values_P, level, draws)
    picked = np.random.default_rng(seed).integers(0, v.size, size=(draws, v.size))
    tail = 50 * (1 - level)
    low, high = np.percentile(v[picked].mean(axis=1), [tail, 100 - tail])
    return float(low), float(high)


def right_2(values_P, *, level=0.95, draws=2000, seed=0):
    "rng.choice, one resample at a time, two quantiles"
    v = _checked(values_P, level, draws)
    rng = np.random.default_rng(seed)
    means = [float(np.mean(rng.choice(v, size=len(v), replace=True))) for _ in range(draws)]
    return float(np.quantile(means, (1 - level) / 2)), float(np.quantile(means, 1 - (1 - level) / 2))


def right_3(values_P, *, level=0.95, draws=2000, seed=0):
    "random.Random of its own and plain Python"
    values = [float(v) for v in values_P]
    if not values or not all(map(math.isfinite, values)):
        raise MinidsError("metrics: no values, or not finite")
    if not 0 < level < 1:
        raise MinidsError("metrics: the level must lie between 0 and 1")
    if draws < 1:
        raise MinidsError("metrics: no draws")
    own = random.Random(seed)
    means = sorted(sum(own.choices(values, k=len(values))) / len(values) for _ in range(draws))

    def at(share):
        place = share * (draws - 1)
        below = int(place)
        above = min(below + 1, draws - 1)
        return means[below] + (place - below) * (means[above] - means[below])

    return at((1 - level) / 2), at((1 + level) / 2)


def right_4(values_P, *, level=0.95, draws=2000, seed=0):
    "how often each problem is drawn (multinomial counts) instead of which"
    v = _checked(values_P, level, draws)
    P = len(v)
    counts = np.random.Generator(np.random.PCG64(seed)).multinomial(P, np.full(P, 1 / P), size=draws)
    low, high = np.quantile(counts @ v / P, [0.5 - level / 2, 0.5 + level / 2])
    return low.item(), high.item()
