"""statistics.bootstrap"""
import numpy as np

def _checked(values_P, level, draws):
    values_P = np.asarray(values_P, dtype=np.float64)
    if values_P.ndim != 1 or not len(values_P) or not np.isfinite(values_P).all():
        raise MinidsError("metrics: an interval needs a non-empty list of finite numbers")
    if not 0 < level < 1 or draws < 1:
        raise MinidsError("metrics: level must lie between 0 and 1")
    return values_P

def wrong_1(values_P, *, level=0.95, draws=2000, seed=0):
    "resamples of `draws` values instead of P: far too narrow"
    v = _checked(values_P, level, draws)
    rng = np.random.default_rng(seed)
    means = [v[rng.integers(len(v), size=draws)].mean() for _ in range(draws)]
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)

def wrong_2(values_P, *, level=0.95, draws=2000, seed=0):
    "without replacement: every mean is the same, the interval has width 0"
    v = _checked(values_P, level, draws)
    rng = np.random.default_rng(seed)
    means = [rng.permutation(v).mean() for _ in range(draws)]
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)

def wrong_3(values_P, *, level=0.95, draws=2000, seed=0):
    "quantiles 1 - level and level: the 95 % interval holds 90 %"
    v = _checked(values_P, level, draws)
    rng = np.random.default_rng(seed)
    means = [rng.choice(v, len(v)).mean() for _ in range(draws)]
    low, high = np.quantile(means, sorted([1 - level, level]))
    return float(low), float(high)

def wrong_4(values_P, *, level=0.95, draws=2000, seed=0):
    "seeds numpy's global generator"
    v = _checked(values_P, level, draws)
    np.random.seed(seed)
    means = [np.random.choice(v, len(v)).mean() for _ in range(draws)]
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)

def wrong_5(values_P, *, level=0.95, draws=2000, seed=0):
    "quantiles of the values, not of their means"
    v = _checked(values_P, level, draws)
    rng = np.random.default_rng(seed)
    sample = v[rng.integers(len(v), size=draws)]
    low, high = np.quantile(sample, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)

def wrong_6(values_P, *, level=0.95, draws=2000, seed=0):
    "seed ignored: two calls differ"
    v = _checked(values_P, level, draws)
    rng = np.random.default_rng()
    means = v[rng.integers(len(v), size=(draws, len(v)))].mean(1)
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)

def wrong_7(values_P, *, level=0.95, draws=2000, seed=0):
    "normal approximation with 1.96, whatever the level"
    v = _checked(values_P, level, draws)
    half = 1.96 * v.std() / len(v) ** 0.5
    return float(v.mean() - half), float(v.mean() + half)

def wrong_8(values_P, *, level=0.95, draws=2000, seed=0):
    "what is not finite is let through: nan comes back"
    v = np.asarray(values_P, dtype=np.float64)
    if not len(v) or not 0 < level < 1:
        raise MinidsError("metrics: an interval needs values, and a level between 0 and 1")
    rng = np.random.default_rng(seed)
    means = [v[rng.integers(len(v), size=len(v))].mean() for _ in range(draws)]
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)

def wrong_9(values_P, *, level=0.95, draws=2000, seed=0):
    "the level is not checked: 0 and 1 are accepted, 95 gives numpy's ValueError"
    v = np.asarray(values_P, dtype=np.float64)
    if v.ndim != 1 or not len(v) or not np.isfinite(v).all():
        raise MinidsError("metrics: an interval needs a non-empty list of finite numbers")
    rng = np.random.default_rng(seed)
    means = [v[rng.integers(len(v), size=len(v))].mean() for _ in range(draws)]
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)

def wrong_10(values_P, *, level=0.95, draws=2000, seed=0):
    "integers(len - 1): the last problem is never drawn"
    v = _checked(values_P, level, draws)
    rng = np.random.default_rng(seed)
    means = [v[rng.integers(max(len(v) - 1, 1), size=len(v))].mean() for _ in range(draws)]
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)

def right_1(values_P, *, level=0.95, draws=2000, seed=0):
    "all resamples as one table of indices"
    v = _checked(values_P, level, draws)
    means = v[np.random.default_rng(seed).integers(0, len(v), (draws, len(v)))].mean(axis=1)
    tail = 50 * (1 - level)
    low, high = np.percentile(means, [tail, 100 - tail])
    return float(low), float(high)

def right_2(values_P, *, level=0.95, draws=2000, seed=0):
    "rng.choice, one at a time"
    v = _checked(list(values_P), level, draws)
    rng, means = np.random.default_rng(seed), []
    for _ in range(draws):
        means.append(float(np.mean(rng.choice(v, size=v.size, replace=True))))
    alpha = 1 - level
    return float(np.quantile(means, alpha / 2)), float(np.quantile(means, 1 - alpha / 2))

def right_3(values_P, *, level=0.95, draws=2000, seed=0):
    "how often each problem is drawn: multinomial counts"
    v = _checked(values_P, level, draws)
    counts = np.random.default_rng(seed).multinomial(len(v), np.full(len(v), 1 / len(v)), size=draws)
    low, high = np.quantile(counts @ v / len(v), [0.5 - level / 2, 0.5 + level / 2])
    return float(low), float(high)

def right_4(values_P, *, level=0.95, draws=2000, seed=0):
    "Python's own Random(seed) and linear interpolation between sorted means"
    import random
    values = [float(x) for x in _checked(values_P, level, draws)]
    rng, n = random.Random(seed), len(values)
    means = sorted(sum(rng.choices(values, k=n)) / n for _ in range(draws))
    def at(q):
        place = q * (draws - 1)
        i = min(int(place), draws - 1)
        j = min(i + 1, draws - 1)
        return means[i] + (place - i) * (means[j] - means[i])
    return at((1 - level) / 2), at((1 + level) / 2)
