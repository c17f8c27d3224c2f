"""statistics.bootstrap"""
import numpy as np


def _check(values_P, level, draws):
    values_P = np.asarray(values_P, dtype=np.float64)
    if values_P.ndim != 1 or not len(values_P) or not np.isfinite(values_P).all():
        raise MinidsError("metrics: an interval needs a non-empty list of finite numbers, one per problem")
    if not 0 < level < 1 or draws < 1:
        raise MinidsError(f"metrics: level={level} must lie between 0 and 1, and draws={draws} be positive")
    return values_P


def wrong_1(values_P, *, level=0.95, draws=2000, seed=0):
    "each tail gets the whole 1 - level: an interval of 90 % is called one of 95 %"
    # breaks: "the interval holds the middle `level` of those" 30 values of 0 and 1: too narrow; level=0.5 has width 0
    values_P = _check(values_P, level, draws)
    rng = np.random.default_rng(seed)
    means = values_P[rng.integers(len(values_P), size=(draws, len(values_P)))].mean(1)
    low, high = np.quantile(means, [1 - level, level])
    return float(low), float(high)


def wrong_2(values_P, *, level=0.95, draws=2000, seed=0):
    "numpy's global generator is seeded and used"
    # breaks: "The random numbers are those of a generator of its own" np.random.get_state() differs after the call
    values_P = _check(values_P, level, draws)
    np.random.seed(seed)
    means = values_P[np.random.randint(len(values_P), size=(draws, len(values_P)))].mean(1)
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def wrong_3(values_P, *, level=0.95, draws=2000, seed=0):
    "2.5 and 97.5 per cent whatever level says"
    # breaks: "the interval holds the middle `level` of those" level=0.5 is as wide as level=0.95
    values_P = _check(values_P, level, draws)
    rng = np.random.default_rng(seed)
    means = values_P[rng.integers(len(values_P), size=(draws, len(values_P)))].mean(1)
    low, high = np.percentile(means, [2.5, 97.5])
    return float(low), float(high)


def wrong_4(values_P, *, level=0.95, draws=2000, seed=0):
    "the means are of `draws` resamples or of 1000, whichever is more"
    # breaks: "`draws` of them give as many means" draws=1 has one mean, so low == high; here it has a width
    values_P = _check(values_P, level, draws)
    rng = np.random.default_rng(seed)
    draws = max(draws, 1000)
    means = values_P[rng.integers(len(values_P), size=(draws, len(values_P)))].mean(1)
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def wrong_5(values_P, *, level=0.95, draws=2000, seed=0):
    "the basic interval, mirrored at the mean, instead of the percentile one"
    # breaks: "Percentile interval (low, high) of the mean" skewed values: [0]*18 + [1]*2 has a low below 0
    values_P = _check(values_P, level, draws)
    rng = np.random.default_rng(seed)
    means = values_P[rng.integers(len(values_P), size=(draws, len(values_P)))].mean(1)
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    middle = values_P.mean()
    return float(2 * middle - high), float(2 * middle - low)


def wrong_6(values_P, *, level=0.95, draws=2000, seed=0):
    "a new generator of the same seed for each resample: all of them are the same one"
    # breaks: "`draws` of them give as many means" any values: the interval has width 0
    values_P = _check(values_P, level, draws)
    P = len(values_P)
    means = [values_P[np.random.default_rng(seed).integers(P, size=P)].mean() for _ in range(draws)]
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def wrong_7(values_P, *, level=0.95, draws=2000, seed=0):
    "level 0 and 1 are let through"
    # breaks: "Raises MinidsError ... for a level that is not between 0 and 1" level=1.0 gives the extremes, level=0 the median
    values_P = np.asarray(values_P, dtype=np.float64)
    if values_P.ndim != 1 or not len(values_P) or not np.isfinite(values_P).all():
        raise MinidsError("metrics: an interval needs a non-empty list of finite numbers, one per problem")
    if level < 0 or level > 1 or draws < 1:
        raise MinidsError(f"metrics: level={level}, draws={draws}")
    rng = np.random.default_rng(seed)
    means = values_P[rng.integers(len(values_P), size=(draws, len(values_P)))].mean(1)
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def wrong_8(values_P, *, level=0.95, draws=2000, seed=0):
    "a table is flattened instead of refused, and a single number is a list of one"
    # breaks: "Raises MinidsError for what is no list of numbers" [[1.0, 0.0], [0.0, 1.0]] gives an interval
    values_P = _check(np.ravel(np.asarray(values_P, dtype=np.float64)), level, draws)
    rng = np.random.default_rng(seed)
    means = values_P[rng.integers(len(values_P), size=(draws, len(values_P)))].mean(1)
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def wrong_9(values_P, *, level=0.95, draws=2000, seed=0):
    "what is not finite is dropped instead of refused"
    # breaks: "Raises MinidsError ... for what is not finite" [1.0, 0.0, nan] gives an interval
    values_P = np.asarray(values_P, dtype=np.float64)
    values_P = _check(values_P[np.isfinite(values_P)], level, draws)
    rng = np.random.default_rng(seed)
    means = values_P[rng.integers(len(values_P), size=(draws, len(values_P)))].mean(1)
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def wrong_10(values_P, *, level=0.95, draws=2000, seed=0):
    "the seed is not used: two calls give two intervals"
    # breaks: "a generator of its own, made of `seed`" twice the same call with 50 values that are all different
    values_P = _check(values_P, level, draws)
    rng = np.random.default_rng()
    means = values_P[rng.integers(len(values_P), size=(draws, len(values_P)))].mean(1)
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def right_1(values_P, *, level=0.95, draws=2000, seed=0):
    "all resamples in one table of places"
    values_P = _check(values_P, level, draws)
    P = len(values_P)
    places = np.random.default_rng(seed).integers(0, P, size=(draws, P))
    means = np.take(values_P, places).mean(axis=1)
    tail = 100 * (1 - level) / 2
    return float(np.percentile(means, tail)), float(np.percentile(means, 100 - tail))


def right_2(values_P, *, level=0.95, draws=2000, seed=0):
    "rng.choice in a loop"
    values = _check(values_P, level, draws)
    rng = np.random.default_rng(seed)
    means = []
    for _ in range(draws):
        means.append(rng.choice(values, size=values.shape[0], replace=True).sum() / values.shape[0])
    alpha = 1 - level
    return tuple(float(q) for q in np.quantile(means, (alpha / 2, 1 - alpha / 2)))


def right_3(values_P, *, level=0.95, draws=2000, seed=0):
    "einsum over the chosen values"
    values = _check(values_P, level, draws)
    rng = np.random.default_rng(seed)
    chosen = values[rng.integers(values.size, size=draws * values.size)].reshape(draws, values.size)
    means = np.sort(np.einsum("dp->d", chosen) / values.size)
    return float(np.quantile(means, 0.5 - level / 2)), float(np.quantile(means, 0.5 + level / 2))


def right_4(values_P, *, level=0.95, draws=2000, seed=0):
    "the quantile between two neighbours by hand"
    values = _check(values_P, level, draws)
    rng, P = np.random.default_rng(seed), len(values)
    means = sorted(float(values[rng.integers(P, size=P)].mean()) for _ in range(draws))

    def at(q):
        place = q * (draws - 1)
        below = min(int(place), draws - 1)
        above = min(below + 1, draws - 1)
        return means[below] + (place - below) * (means[above] - means[below])

    return at((1 - level) / 2), at((1 + level) / 2)
