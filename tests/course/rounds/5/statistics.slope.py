"""statistics.slope"""
import numpy as np


def _check(x_PS, y_PS):
    if [len(row) for row in x_PS] != [len(row) for row in y_PS]:
        raise MinidsError("metrics: a slope needs one y for each x, problem by problem")


def _flat():
    return MinidsError("metrics: x does not vary inside any problem, so there is no slope")


def wrong_1(x_PS, y_PS):
    "the mean of the problems' slopes"
    # breaks: "what is left gives one line through 0 by least squares" x [[0, 1], [0, 10]], y [[0, 1], [0, 0]]: 0.5 instead of 1/101
    _check(x_PS, y_PS)
    slopes = []
    for x_S, y_S in zip(x_PS, y_PS):
        if len(x_S):
            x = np.asarray(x_S, dtype=np.float64) - x_S[0]
            x -= x.mean()
            if x @ x > 0:
                slopes.append(float(x @ np.asarray(y_S, dtype=np.float64)) / float(x @ x))
    if not slopes:
        raise _flat()
    return sum(slopes) / len(slopes)


def wrong_2(x_PS, y_PS):
    "x on y"
    # breaks: "Slope of y on x" x [[0, 2]], y [[0, 1]]: 2 instead of 0.5
    _check(x_PS, y_PS)
    both = squares = varies = 0.0
    for x_S, y_S in zip(x_PS, y_PS):
        if len(x_S):
            x = np.asarray(x_S, dtype=np.float64) - x_S[0]
            y = np.asarray(y_S, dtype=np.float64) - y_S[0]
            x, y = x - x.mean(), y - y.mean()
            both, squares, varies = both + float(x @ y), squares + float(y @ y), varies + float(x @ x)
    if not varies:
        raise _flat()
    return both / squares if squares else 0.0


def wrong_3(x_PS, y_PS):
    "the squares are of x itself, the mean is taken off y only"
    # breaks: "From every number its problem's mean is taken away" x [[10, 11]], y [[0, 1]]: 0.5 / 221 instead of 1
    _check(x_PS, y_PS)
    both = squares = 0.0
    for x_S, y_S in zip(x_PS, y_PS):
        if len(x_S):
            x, y = np.asarray(x_S, dtype=np.float64), np.asarray(y_S, dtype=np.float64)
            both += float(x @ (y - y.mean()))
            squares += float(x @ x)
    if not any(len(set(row)) > 1 for row in x_PS):
        raise _flat()
    return both / squares


def wrong_4(x_PS, y_PS):
    "np.cov divides by n - 1: a problem with one sample makes the slope nan"
    # breaks: "Problems may have different numbers of samples" x [[3], [0, 1]], y [[1], [0, 1]]: nan instead of 1
    _check(x_PS, y_PS)
    if not any(len(set(row)) > 1 for row in x_PS):
        raise _flat()
    both = squares = 0.0
    for x_S, y_S in zip(x_PS, y_PS):
        if len(x_S):
            table = np.cov(np.asarray(x_S, dtype=np.float64), np.asarray(y_S, dtype=np.float64))
            both += float(table[0, 1]) * (len(x_S) - 1)
            squares += float(table[0, 0]) * (len(x_S) - 1)
    return both / squares


def wrong_5(x_PS, y_PS):
    "only the total numbers of x and y are compared, not problem by problem"
    # breaks: "Raises MinidsError if the lists do not match" x [[0, 1], [2]], y [[0], [1, 2]]
    if sum(map(len, x_PS)) != sum(map(len, y_PS)):
        raise MinidsError("metrics: a slope needs one y for each x")
    both = squares = 0.0
    for x_S, y_S in zip(x_PS, y_PS):
        n = min(len(x_S), len(y_S))
        if n:
            x = np.asarray(x_S[:n], dtype=np.float64) - x_S[0]
            x -= x.mean()
            both += float(x @ np.asarray(y_S[:n], dtype=np.float64))
            squares += float(x @ x)
    return both / squares if squares else 0.0


def wrong_6(x_PS, y_PS):
    "the mean of equal numbers is rounded, and what is left of them is taken for a variation"
    # breaks: "Raises MinidsError ... if x never varies inside a problem" x [[0.1, 0.1, 0.1]], y [[0, 1, 0]]
    _check(x_PS, y_PS)
    both = squares = 0.0
    for x_S, y_S in zip(x_PS, y_PS):
        if len(x_S):
            mean_x, mean_y = sum(x_S) / len(x_S), sum(y_S) / len(y_S)
            both += sum((x - mean_x) * (y - mean_y) for x, y in zip(x_S, y_S))
            squares += sum((x - mean_x) ** 2 for x in x_S)
    if squares == 0:
        raise _flat()
    return float(both / squares)


def wrong_7(x_PS, y_PS):
    "sums of squares minus squares of sums: all digits cancel where x is far from 0"
    # breaks: "by how much y rises where x is larger by one" (numerically unstable): x [[1e9, 1e9 + 1]], y [[0, 1]]
    _check(x_PS, y_PS)
    both = squares = 0.0
    for x_S, y_S in zip(x_PS, y_PS):
        n = len(x_S)
        if n:
            x, y = np.asarray(x_S, dtype=np.float64), np.asarray(y_S, dtype=np.float64)
            both += float((x * y).sum() - x.sum() * y.sum() / n)
            squares += float((x * x).sum() - x.sum() ** 2 / n)
    if not any(len(set(row)) > 1 for row in x_PS):
        raise _flat()
    return both / squares if squares else 0.0


def wrong_8(x_PS, y_PS):
    "the mean is taken off in place: the caller's arrays are others afterwards"
    # breaks: arguments left unchanged; a list of float64 arrays as x_PS
    _check(x_PS, y_PS)
    both = squares = 0.0
    for x_S, y_S in zip(x_PS, y_PS):
        if len(x_S):
            x = np.asarray(x_S, dtype=np.float64)
            x -= float(x_S[0])
            x -= x.mean()
            both += float(x @ np.asarray(y_S, dtype=np.float64))
            squares += float(x @ x)
    if squares == 0:
        raise _flat()
    return both / squares


def wrong_9(x_PS, y_PS):
    "each problem's sums are means, so that a problem with many samples counts as one with few"
    # breaks: "one line through 0 by least squares" x [[0, 1], [0, 1, 0, 1]], y [[0, 1], [0, 0, 0, 0]]: 0.5 instead of 1/3
    _check(x_PS, y_PS)
    both = squares = 0.0
    for x_S, y_S in zip(x_PS, y_PS):
        if len(x_S):
            x = np.asarray(x_S, dtype=np.float64) - x_S[0]
            x -= x.mean()
            both += float(np.mean(x * np.asarray(y_S, dtype=np.float64)))
            squares += float(np.mean(x * x))
    if squares == 0:
        raise _flat()
    return both / squares


def wrong_10(x_PS, y_PS):
    "problems of which y is always the same are left out, though they say that x does nothing there"
    # breaks: "From every number its problem's mean is taken away; what is left gives one line" x [[0, 1], [0, 1]], y [[0, 1], [1, 1]]: 1 instead of 0.5
    _check(x_PS, y_PS)
    both = squares = varies = 0.0
    for x_S, y_S in zip(x_PS, y_PS):
        if len(x_S):
            x = np.asarray(x_S, dtype=np.float64) - x_S[0]
            x -= x.mean()
            varies += float(x @ x)
            if len(set(y_S)) > 1:
                both += float(x @ np.asarray(y_S, dtype=np.float64))
                squares += float(x @ x)
    if varies == 0:
        raise _flat()
    return both / squares if squares else 0.0


def right_1(x_PS, y_PS):
    "plain Python, both counted from the first number on"
    _check(x_PS, y_PS)
    above, below = 0.0, 0.0
    for xs, ys in zip(x_PS, y_PS):
        if not len(xs):
            continue
        xs, ys = [float(x) - float(xs[0]) for x in xs], [float(y) - float(ys[0]) for y in ys]
        mean_x, mean_y = sum(xs) / len(xs), sum(ys) / len(ys)
        above += sum((x - mean_x) * (y - mean_y) for x, y in zip(xs, ys))
        below += sum((x - mean_x) ** 2 for x in xs)
    if below == 0:
        raise _flat()
    return above / below


def right_2(x_PS, y_PS):
    "one long column and numpy's least squares; problems of which x is all the same are left out"
    if len(x_PS) != len(y_PS) or any(len(a) != len(b) for a, b in zip(x_PS, y_PS)):
        raise MinidsError("metrics: a slope needs one y for each x, problem by problem")
    xs, ys = [], []
    for x_S, y_S in zip(x_PS, y_PS):
        x, y = np.array(x_S, dtype=float), np.array(y_S, dtype=float)
        if len(x) and (x != x[0]).any():
            xs.append(x - x.mean())
            ys.append(y - y.mean())
    if not xs:
        raise MinidsError("metrics: x does not vary inside any problem")
    x, y = np.concatenate(xs), np.concatenate(ys)
    return float(np.linalg.lstsq(x[:, None], y, rcond=None)[0][0])


def right_3(x_PS, y_PS):
    "all differences between pairs of samples of a problem, divided by its number of samples"
    _check(x_PS, y_PS)
    both = squares = 0.0
    for x_S, y_S in zip(x_PS, y_PS):
        if len(x_S) < 2:
            continue
        x, y = np.asarray(x_S, dtype=np.float64), np.asarray(y_S, dtype=np.float64)
        dx, dy = x[:, None] - x[None], y[:, None] - y[None]
        both += float((dx * dy).sum()) / (2 * len(x))
        squares += float((dx * dx).sum()) / (2 * len(x))
    if squares == 0:
        raise _flat()
    return both / squares


def right_4(x_PS, y_PS):
    "problem numbers and bincount for the means, counted from the first sample of each problem"
    _check(x_PS, y_PS)
    rows = [i for i, row in enumerate(x_PS) if len(row)]
    if not rows:
        raise _flat()
    problem = np.concatenate([np.full(len(x_PS[i]), n) for n, i in enumerate(rows)])
    x = np.concatenate([np.asarray(x_PS[i], dtype=float) - float(x_PS[i][0]) for i in rows])
    y = np.concatenate([np.asarray(y_PS[i], dtype=float) - float(y_PS[i][0]) for i in rows])
    count = np.bincount(problem)
    x = x - (np.bincount(problem, x) / count)[problem]
    y = y - (np.bincount(problem, y) / count)[problem]
    below = float(np.sum(x**2))
    if not below:
        raise _flat()
    return float(np.sum(x * y)) / below
