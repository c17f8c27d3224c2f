"""statistics.slope"""
import math

import numpy as np

from minids.errors import MinidsError


def _match(x_PS, y_PS):
    if [len(row) for row in x_PS] != [len(row) for row in y_PS]:
        raise MinidsError("metrics: a slope needs one y for each x, problem by problem")


def wrong_1(x_PS, y_PS):
    "the mean of all samples is taken away, not the problem's"
    _match(x_PS, y_PS)
    x = np.array([v for row in x_PS for v in row], dtype=np.float64)
    y = np.array([v for row in y_PS for v in row], dtype=np.float64)
    x, y = x - x.mean() if len(x) else x, y - y.mean() if len(y) else y
    if not (x @ x):
        raise MinidsError("metrics: x does not vary")
    return float(x @ y / (x @ x))


def wrong_2(x_PS, y_PS):
    "a slope for each problem, then their plain mean"
    _match(x_PS, y_PS)
    slopes = []
    for x_S, y_S in zip(x_PS, y_PS):
        if len(set(x_S)) > 1:
            x, y = np.asarray(x_S, dtype=np.float64), np.asarray(y_S, dtype=np.float64)
            x = x - x.mean()
            slopes.append(x @ y / (x @ x))
    if not slopes:
        raise MinidsError("metrics: x does not vary inside any problem, so there is no slope")
    return float(np.mean(slopes))


def wrong_3(x_PS, y_PS):
    "x less its rounded mean: three times 0.1 leave a rest of 1e-17, and a slope is made of it instead of an error"
    _match(x_PS, y_PS)
    both = squares = 0.0
    for x_S, y_S in zip(x_PS, y_PS):
        if len(x_S):
            x = np.asarray(x_S, dtype=np.float64)
            y = np.asarray(y_S, dtype=np.float64)
            mean = sum(x_S) / len(x_S)
            both += float((x - mean) @ (y - y.mean()))
            squares += float((x - mean) @ (x - mean))
    if squares == 0:
        raise MinidsError("metrics: x does not vary inside any problem, so there is no slope")
    return both / squares


def wrong_4(x_PS, y_PS):
    "only the number of problems is compared: rows of different lengths are cut by zip and go unnoticed"
    if len(x_PS) != len(y_PS):
        raise MinidsError("metrics: a slope needs one y for each x")
    both = squares = 0.0
    for x_S, y_S in zip(x_PS, y_PS):
        pairs = list(zip(x_S, y_S))
        if pairs:
            x = np.array([p[0] for p in pairs], dtype=np.float64) - pairs[0][0]
            x -= x.mean()
            both += float(x @ np.array([p[1] for p in pairs], dtype=np.float64))
            squares += float(x @ x)
    if squares == 0:
        raise MinidsError("metrics: x does not vary inside any problem, so there is no slope")
    return both / squares


def wrong_5(x_PS, y_PS):
    "a problem without variation in x raises even if others vary"
    _match(x_PS, y_PS)
    both = squares = 0.0
    for x_S, y_S in zip(x_PS, y_PS):
        if len(x_S) == 0:
            continue
        if max(x_S) == min(x_S):
            raise MinidsError("metrics: x does not vary inside a problem, so there is no slope")
        x = np.asarray(x_S, dtype=np.float64)
        x = x - x.mean()
        both += float(x @ np.asarray(y_S, dtype=np.float64))
        squares += float(x @ x)
    if squares == 0:
        raise MinidsError("metrics: x does not vary")
    return both / squares


def wrong_6(x_PS, y_PS):
    "covariance and variance of each problem (divided by its number of samples): wrong weights where rows are ragged"
    _match(x_PS, y_PS)
    both = squares = 0.0
    for x_S, y_S in zip(x_PS, y_PS):
        if len(x_S):
            x = np.asarray(x_S, dtype=np.float64) - x_S[0]
            y = np.asarray(y_S, dtype=np.float64)
            both += float(((x - x.mean()) * (y - y.mean())).mean())
            squares += float(x.var())
    if squares == 0:
        raise MinidsError("metrics: x does not vary inside any problem, so there is no slope")
    return both / squares


def wrong_7(x_PS, y_PS):
    "problems whose y are all alike are skipped (they say nothing about the slope?): their x² is missing below the line"
    _match(x_PS, y_PS)
    both = squares = 0.0
    for x_S, y_S in zip(x_PS, y_PS):
        if len(set(x_S)) > 1 and len(set(y_S)) > 1:
            x = np.asarray(x_S, dtype=np.float64)
            x = x - x.mean()
            both += float(x @ np.asarray(y_S, dtype=np.float64))
            squares += float(x @ x)
    if squares == 0:
        raise MinidsError("metrics: x does not vary inside any problem, so there is no slope")
    return both / squares


def wrong_8(x_PS, y_PS):
    "takes the means away in place: rows that are float64 arrays are changed"
    _match(x_PS, y_PS)
    both = squares = 0.0
    for x_S, y_S in zip(x_PS, y_PS):
        if len(x_S):
            x, y = np.asarray(x_S, dtype=np.float64), np.asarray(y_S, dtype=np.float64)
            x -= x[0]
            x -= x.mean()
            both += float(x @ y)
            squares += float(x @ x)
    if squares == 0:
        raise MinidsError("metrics: x does not vary inside any problem, so there is no slope")
    return both / squares


def wrong_9(x_PS, y_PS):
    "sum of x² - n mean²: cancels for numbers that are large beside their spread (1e9, 1e9 + 1, 1e9 + 2)"
    _match(x_PS, y_PS)
    both = squares = 0.0
    for x_S, y_S in zip(x_PS, y_PS):
        n = len(x_S)
        if n and max(x_S) != min(x_S):
            x, y = [float(v) for v in x_S], [float(v) for v in y_S]
            both += sum(a * b for a, b in zip(x, y)) - sum(x) * sum(y) / n
            squares += sum(a * a for a in x) - sum(x) ** 2 / n
    if squares == 0:
        raise MinidsError("metrics: x does not vary inside any problem, so there is no slope")
    return both / squares


def wrong_10(x_PS, y_PS):
    "one rectangular array: problems with different numbers of samples are a ValueError"
    _match(x_PS, y_PS)
    x, y = np.array(x_PS, dtype=np.float64), np.array(y_PS, dtype=np.float64)
    if x.size == 0 or (x == x[:, :1]).all():
        raise MinidsError("metrics: x does not vary inside any problem, so there is no slope")
    x = x - x.mean(axis=1, keepdims=True)
    y = y - y.mean(axis=1, keepdims=True)
    return float((x * y).sum() / (x * x).sum())


def right_1(x_PS, y_PS):
    "plain Python with exactly rounded sums; whether x varies is asked of the numbers themselves"
    _match(x_PS, y_PS)
    if all(len(row) == 0 or min(row) == max(row) for row in x_PS):
        raise MinidsError("metrics: x does not vary inside any problem")
    tops, bottoms = [], []
    for xs, ys in zip(x_PS, y_PS):
        if len(xs) == 0 or min(xs) == max(xs):
            continue
        mx = math.fsum(float(v) for v in xs) / len(xs)
        my = math.fsum(float(v) for v in ys) / len(ys)
        tops += [(float(a) - mx) * (float(b) - my) for a, b in zip(xs, ys)]
        bottoms += [(float(a) - mx) ** 2 for a in xs]
    return math.fsum(tops) / math.fsum(bottoms)


def right_2(x_PS, y_PS):
    "all centred samples in one array, then least squares by numpy"
    _match(x_PS, y_PS)
    rows = [(np.array(a, dtype=np.float64), np.array(b, dtype=np.float64)) for a, b in zip(x_PS, y_PS) if len(a)]
    if not any(np.ptp(a) for a, _ in rows):
        raise MinidsError("metrics: x does not vary inside any problem")
    x = np.concatenate([a - a[0] - (a - a[0]).mean() for a, _ in rows])
    y = np.concatenate([b - b.mean() for _, b in rows])
    return np.linalg.lstsq(x[:, None], y, rcond=None)[0][0].item()


def right_3(x_PS, y_PS):
    "problem means by bincount"
    if len(x_PS) != len(y_PS) or any(len(a) != len(b) for a, b in zip(x_PS, y_PS)):
        raise MinidsError("metrics: a slope needs one y for each x")
    owner = np.array([p for p, row in enumerate(x_PS) for _ in row], dtype=np.int64)
    x = np.array([float(v) - float(row[0]) for row in x_PS for v in row])
    y = np.array([float(v) for row in y_PS for v in row])
    if not x.any():
        raise MinidsError("metrics: x does not vary inside any problem")
    n = np.maximum(np.bincount(owner), 1)
    x = x - (np.bincount(owner, x) / n)[owner]
    y = y - (np.bincount(owner, y) / n)[owner]
    return float(np.sum(x * y) / np.sum(x * x))


def right_4(x_PS, y_PS):
    "all pairs of samples of a problem: sum over i<j of (xi - xj)(yi - yj) / n is the same sum"
    _match(x_PS, y_PS)
    both = squares = 0.0
    for xs, ys in zip(x_PS, y_PS):
        n = len(xs)
        for i in range(n):
            for j in range(i):
                dx, dy = float(xs[i]) - float(xs[j]), float(ys[i]) - float(ys[j])
                both += dx * dy / n
                squares += dx * dx / n
    if squares == 0:
        raise MinidsError("metrics: x does not vary inside any problem")
    return both / squares
