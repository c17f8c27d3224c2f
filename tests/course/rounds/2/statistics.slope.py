"""statistics.slope"""
from fractions import Fraction
import numpy as np

from minids.errors import MinidsError


def _check(x_PS, y_PS):
    if [len(r) for r in x_PS] != [len(r) for r in y_PS]:
        raise MinidsError("one y for each x")


def wrong_1(x_PS, y_PS):
    "one line through all samples: the problems' difficulty is in it"
    _check(x_PS, y_PS)
    x = np.array([v for r in x_PS for v in r], dtype=float)
    y = np.array([v for r in y_PS for v in r], dtype=float)
    x = x - x.mean() if len(x) else x
    if not (x @ x):
        raise MinidsError("no slope")
    return float(x @ y / (x @ x))


def wrong_2(x_PS, y_PS):
    "the mean of the problems' own slopes"
    _check(x_PS, y_PS)
    slopes = []
    for x, y in zip(x_PS, y_PS):
        x, y = np.array(x, float), np.array(y, float)
        if len(x) and (x != x[0]).any():
            x = x - x.mean()
            slopes.append(x @ y / (x @ x))
    if not slopes:
        raise MinidsError("no slope")
    return float(np.mean(slopes))


def wrong_3(x_PS, y_PS):
    "np.array of the lists: problems with different numbers of samples fail"
    _check(x_PS, y_PS)
    x, y = np.array(x_PS, dtype=float), np.array(y_PS, dtype=float)
    x = x - x.mean(1, keepdims=True)
    if not (x * x).sum():
        raise MinidsError("no slope")
    return float((x * y).sum() / (x * x).sum())


def wrong_4(x_PS, y_PS):
    "only the numbers of problems are compared; zip cuts a longer list off"
    if len(x_PS) != len(y_PS):
        raise MinidsError("one y for each x")
    both = squares = 0.0
    for x, y in zip(x_PS, y_PS):
        n = min(len(x), len(y))
        if n:
            x, y = np.array(x[:n], float), np.array(y[:n], float)
            x = x - x[0]
            x = x - x.mean()
            both, squares = both + x @ y, squares + x @ x
    if squares == 0:
        raise MinidsError("no slope")
    return float(both / squares)


def wrong_5(x_PS, y_PS):
    "ZeroDivisionError where x never varies"
    _check(x_PS, y_PS)
    both = squares = 0.0
    for x, y in zip(x_PS, y_PS):
        if len(x):
            mx, my = sum(x) / len(x), sum(y) / len(y)
            both += sum((a - mx) * (b - my) for a, b in zip(x, y))
            squares += sum((a - mx) ** 2 for a in x)
    return both / squares


def wrong_6(x_PS, y_PS):
    "equal numbers whose mean rounds (three times 0.1) leave noise, which is taken for a slope"
    _check(x_PS, y_PS)
    both = squares = 0.0
    for x, y in zip(x_PS, y_PS):
        if len(x):
            mx, my = sum(x) / len(x), sum(y) / len(y)
            both += sum((a - mx) * (b - my) for a, b in zip(x, y))
            squares += sum((a - mx) ** 2 for a in x)
    if squares == 0:
        raise MinidsError("no slope")
    return both / squares


def wrong_7(x_PS, y_PS):
    "the correlation, not the slope"
    _check(x_PS, y_PS)
    both = sx = sy = 0.0
    for x, y in zip(x_PS, y_PS):
        if len(x):
            x, y = np.array(x, float), np.array(y, float)
            x, y = x - x.mean(), y - y.mean()
            both, sx, sy = both + x @ y, sx + x @ x, sy + y @ y
    if sx == 0:
        raise MinidsError("no slope")
    return float(both / np.sqrt(sx * sy)) if sy else 0.0


def wrong_8(x_PS, y_PS):
    "the means are not taken away from x in the sum of squares: sums of x * x by E[x^2] without the problem's mean"
    _check(x_PS, y_PS)
    both = squares = 0.0
    for x, y in zip(x_PS, y_PS):
        if len(x):
            x, y = np.array(x, float), np.array(y, float)
            both += (x - x.mean()) @ (y - y.mean())
            squares += x @ x
    if squares == 0:
        raise MinidsError("no slope")
    return float(both / squares)


def wrong_9(x_PS, y_PS):
    "every problem counts as much: sums are divided by its number of samples"
    _check(x_PS, y_PS)
    both = squares = 0.0
    for x, y in zip(x_PS, y_PS):
        if len(x):
            x, y = np.array(x, float), np.array(y, float)
            x = x - x[0]
            x = x - x.mean()
            both, squares = both + (x @ y) / len(x), squares + (x @ x) / len(x)
    if squares == 0:
        raise MinidsError("no slope")
    return float(both / squares)


def wrong_10(x_PS, y_PS):
    "a problem without samples divides by zero"
    _check(x_PS, y_PS)
    both = squares = 0.0
    for x, y in zip(x_PS, y_PS):
        x = [v - x[0] for v in x]
        m = sum(x) / len(x)
        both += sum((v - m) * w for v, w in zip(x, y))
        squares += sum((v - m) ** 2 for v in x)
    if squares == 0:
        raise MinidsError("no slope")
    return both / squares


def right_1(x_PS, y_PS):
    "fractions: exact, rounded once"
    _check(x_PS, y_PS)
    both = squares = Fraction(0)
    for x, y in zip(x_PS, y_PS):
        x, y = [Fraction(float(v)) for v in x], [Fraction(float(v)) for v in y]
        if x:
            mx, my = sum(x) / len(x), sum(y) / len(y)
            both += sum((a - mx) * (b - my) for a, b in zip(x, y))
            squares += sum((a - mx) ** 2 for a in x)
    if not squares:
        raise MinidsError("x is the same in every problem")
    return float(both / squares)


def right_2(x_PS, y_PS):
    "problems without variation are left out by comparison, then lstsq"
    _check(x_PS, y_PS)
    xs, ys = [np.zeros(0)], [np.zeros(0)]
    for x, y in zip(x_PS, y_PS):
        x, y = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
        if len(x) and x.min() != x.max():
            xs.append(x - x.mean())
            ys.append(y - y.mean())
    x, y = np.concatenate(xs), np.concatenate(ys)
    if not len(x):
        raise MinidsError("x does not vary")
    return float(np.linalg.lstsq(x[:, None], y, rcond=None)[0][0])


def right_3(x_PS, y_PS):
    "plain Python, differences of all pairs of a problem's samples"
    _check(x_PS, y_PS)
    both = squares = 0.0
    for x, y in zip(x_PS, y_PS):
        n = len(x)
        for i in range(n):
            for j in range(i):
                both += (float(x[i]) - float(x[j])) * (float(y[i]) - float(y[j])) / n
                squares += (float(x[i]) - float(x[j])) ** 2 / n
    if squares == 0:
        raise MinidsError("x does not vary inside any problem")
    return both / squares


def right_4(x_PS, y_PS):
    "bincount over the flat samples"
    if len(x_PS) != len(y_PS) or any(len(a) != len(b) for a, b in zip(x_PS, y_PS)):
        raise MinidsError("lists do not match")
    if all(len(set(map(float, r))) < 2 for r in x_PS):
        raise MinidsError("x does not vary")
    which = np.repeat(np.arange(len(x_PS)), [len(r) for r in x_PS])
    x = np.array([float(v) - float(r[0]) for r in x_PS for v in r])
    y = np.array([float(v) for r in y_PS for v in r])
    n = np.bincount(which)
    x = x - (np.bincount(which, x) / np.maximum(n, 1))[which]
    y = y - (np.bincount(which, y) / np.maximum(n, 1))[which]
    return float((x * y).sum() / (x * x).sum())
