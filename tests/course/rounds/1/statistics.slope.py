"""statistics.slope"""
import numpy as np
import torch

def _match(x_PS, y_PS):
    if len(x_PS) != len(y_PS) or any(len(x) != len(y) for x, y in zip(x_PS, y_PS)):
        raise MinidsError("metrics: a slope needs one y for each x, problem by problem")

def _varies(x_PS):
    return any(len(x) and min(x) != max(x) for x in x_PS)

def wrong_1(x_PS, y_PS):
    "pooled: the mean over all samples is taken away, not each problem's"
    _match(x_PS, y_PS)
    x, y = np.concatenate(x_PS).astype(float), np.concatenate(y_PS).astype(float)
    x = x - x.mean()
    if not x @ x:
        raise MinidsError("metrics: x does not vary")
    return float(x @ (y - y.mean()) / (x @ x))

def wrong_2(x_PS, y_PS):
    "mean of the problems' slopes: each problem counts alike"
    _match(x_PS, y_PS)
    slopes = []
    for x, y in zip(x_PS, y_PS):
        if len(x):
            x, y = np.asarray(x, float) - np.mean(x), np.asarray(y, float)
            if x @ x:
                slopes.append(x @ y / (x @ x))
    if not slopes:
        raise MinidsError("metrics: x does not vary")
    return float(np.mean(slopes))

def wrong_3(x_PS, y_PS):
    "a problem with fewer than two samples is an error instead of adding nothing"
    _match(x_PS, y_PS)
    both = squares = 0.0
    for x, y in zip(x_PS, y_PS):
        if len(x) < 2:
            raise MinidsError("metrics: a slope needs two samples a problem")
        x = np.asarray(x, float) - np.mean(x)
        both += float(x @ np.asarray(y, float))
        squares += float(x @ x)
    if squares == 0:
        raise MinidsError("metrics: x does not vary")
    return both / squares

def wrong_4(x_PS, y_PS):
    "np.asarray of the whole table: ragged problems raise ValueError"
    x, y = np.asarray(x_PS, float), np.asarray(y_PS, float)
    if x.shape != y.shape:
        raise MinidsError("metrics: a slope needs one y for each x")
    x = x - x.mean(1, keepdims=True)
    if not (x * x).sum():
        raise MinidsError("metrics: x does not vary")
    return float((x * y).sum() / (x * x).sum())

def wrong_5(x_PS, y_PS):
    "x that does not vary gives 0.0, no error"
    _match(x_PS, y_PS)
    both = squares = 0.0
    for x, y in zip(x_PS, y_PS):
        if len(x):
            x = np.asarray(x, float) - np.mean(x)
            both += float(x @ np.asarray(y, float))
            squares += float(x @ x)
    return both / squares if squares else 0.0

def wrong_6(x_PS, y_PS):
    "zip cuts silently: lists that do not match are no error where numpy can still multiply"
    both = squares = 0.0
    for x, y in zip(x_PS, y_PS):
        n = min(len(x), len(y))
        if n:
            x = np.asarray(x[:n], float) - np.mean(x[:n])
            both += float(x @ np.asarray(y[:n], float))
            squares += float(x @ x)
    if squares == 0:
        raise MinidsError("metrics: x does not vary")
    return both / squares

def wrong_7(x_PS, y_PS):
    "correlation: divided by the root of both sums of squares"
    _match(x_PS, y_PS)
    both = xx = yy = 0.0
    for x, y in zip(x_PS, y_PS):
        if len(x):
            x, y = np.asarray(x, float) - np.mean(x), np.asarray(y, float) - np.mean(y)
            both, xx, yy = both + x @ y, xx + x @ x, yy + y @ y
    if xx == 0:
        raise MinidsError("metrics: x does not vary")
    return float(both / (xx * yy) ** 0.5) if yy else 0.0

def wrong_8(x_PS, y_PS):
    "only x - mean in the denominator: the raw x in the numerator with the raw y (problems' levels come in)"
    _match(x_PS, y_PS)
    both = squares = 0.0
    for x, y in zip(x_PS, y_PS):
        if len(x):
            x, y = np.asarray(x, float), np.asarray(y, float)
            both += float(x @ y)
            squares += float((x - x.mean()) @ (x - x.mean()))
    if squares == 0:
        raise MinidsError("metrics: x does not vary")
    return both / squares

def wrong_9(x_PS, y_PS):
    "sum of x^2 - n mean^2 in float32: for long answers of nearly equal length the difference is rounding noise"
    _match(x_PS, y_PS)
    both = squares = np.float32(0)
    for x, y in zip(x_PS, y_PS):
        if len(x):
            x, y = np.asarray(x, np.float32), np.asarray(y, np.float32)
            both += x @ y - len(x) * x.mean() * y.mean()
            squares += x @ x - len(x) * x.mean() ** 2
    if squares == 0:
        raise MinidsError("metrics: x does not vary")
    return float(both / squares)

def wrong_10(x_PS, y_PS):
    "weighted by problem: each problem's sums are divided by its number of samples (variances), ragged ones differ"
    _match(x_PS, y_PS)
    both = squares = 0.0
    for x, y in zip(x_PS, y_PS):
        if len(x):
            x = np.asarray(x, float) - np.mean(x)
            both += float(x @ np.asarray(y, float)) / len(x)
            squares += float(x @ x) / len(x)
    if squares == 0:
        raise MinidsError("metrics: x does not vary")
    return both / squares

def right_1(x_PS, y_PS):
    "plain Python, y centred too"
    _match(x_PS, y_PS)
    top = bottom = 0.0
    for xs, ys in zip(x_PS, y_PS):
        if not len(xs):
            continue
        mx, my = sum(xs) / len(xs), sum(ys) / len(ys)
        for x, y in zip(xs, ys):
            top += (x - mx) * (y - my)
            bottom += (x - mx) ** 2
    if not _varies(x_PS):
        raise MinidsError("metrics: x never varies inside a problem")
    return float(top / bottom)

def right_2(x_PS, y_PS):
    "all residuals in one long vector, then lstsq through 0"
    _match(x_PS, y_PS)
    rows = [(np.asarray(x, float) - np.mean(x), np.asarray(y, float) - np.mean(y)) for x, y in zip(x_PS, y_PS) if len(x)]
    x = np.concatenate([r[0] for r in rows]) if rows else np.zeros(1)
    y = np.concatenate([r[1] for r in rows]) if rows else np.zeros(1)
    if not _varies(x_PS):
        raise MinidsError("metrics: x never varies inside a problem")
    return float(np.linalg.lstsq(x[:, None], y, rcond=None)[0][0])

def right_3(x_PS, y_PS):
    "bincount: sums of each problem over flat arrays"
    _match(x_PS, y_PS)
    p = np.repeat(np.arange(len(x_PS)), [len(r) for r in x_PS])
    x = np.array([v for r in x_PS for v in r], dtype=float)
    y = np.array([v for r in y_PS for v in r], dtype=float)
    n = np.maximum(np.bincount(p, minlength=len(x_PS)), 1)
    x = x - (np.bincount(p, x, len(x_PS)) / n)[p]
    y = y - (np.bincount(p, y, len(x_PS)) / n)[p]
    if not _varies(x_PS):
        raise MinidsError("metrics: x never varies inside a problem")
    return float(np.sum(x * y) / np.sum(x * x))

def right_4(x_PS, y_PS):
    "torch in float64"
    if len(x_PS) != len(y_PS):
        raise MinidsError("metrics: as many problems in x as in y, please")
    top = bottom = torch.zeros((), dtype=torch.float64)
    for x, y in zip(x_PS, y_PS):
        x, y = torch.tensor([float(v) for v in x], dtype=torch.float64), torch.tensor([float(v) for v in y], dtype=torch.float64)
        if x.shape != y.shape:
            raise MinidsError("metrics: as many numbers in x as in y, please")
        if x.numel():
            x = x - x.mean()
            top, bottom = top + (x * y).sum(), bottom + x.square().sum()
    if not _varies(x_PS):
        raise MinidsError("metrics: x never varies inside a problem")
    return (top / bottom).item()
