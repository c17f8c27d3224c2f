"""pretraining.scaling_law"""
import itertools

import numpy as np
import torch

from minids.errors import MinidsError

_GRID = tuple(k / 20 for k in range(1, 31))


def _search(sizes, tokens, losses, pairs, dtype=np.float64):
    "(error, [E, A, B], alpha, beta) for all pairs"
    n, d, y = (np.asarray(x, dtype=dtype) for x in (sizes, tokens, losses))
    for alpha, beta in pairs:
        columns = np.stack([np.ones_like(n), n ** dtype(-alpha), d ** dtype(-beta)], 1)
        solution = np.linalg.lstsq(columns, y, rcond=None)[0]
        yield float(((columns @ solution - y) ** 2).sum()), solution, alpha, beta


def _law(found):
    _, (e, a, b), alpha, beta = found
    return {"E": float(e), "A": float(a), "alpha": float(alpha), "B": float(b), "beta": float(beta)}


def wrong_1(sizes, tokens, losses, exponents=_GRID):
    "float32: the columns are nearly parallel, other exponents win"
    n, d, y = (torch.as_tensor(x, dtype=torch.float32) for x in (sizes, tokens, losses))
    best, law = float("inf"), None
    for alpha in exponents:
        for beta in exponents:
            columns = torch.stack([torch.ones_like(n), n**-alpha, d**-beta], 1)
            solution = torch.linalg.lstsq(columns, y[:, None]).solution[:, 0]
            error = float((columns @ solution - y).square().sum())
            if bool((solution >= 0).all()) and error < best:
                e, a, b = solution.tolist()
                best, law = error, {"E": e, "A": a, "alpha": alpha, "B": b, "beta": beta}
    if law is None:
        raise MinidsError("no law fits these losses")
    return law


def wrong_2(sizes, tokens, losses, exponents=_GRID):
    "negative numbers are set to 0 instead of passing over the pair; never an error"
    found = [
        (error, np.maximum(s, 0), a, b)
        for error, s, a, b in _search(sizes, tokens, losses, itertools.product(exponents, exponents))
    ]
    return _law(min(found, key=lambda f: f[0]))


def wrong_3(sizes, tokens, losses, exponents=_GRID):
    "E may be negative"
    found = [
        f for f in _search(sizes, tokens, losses, itertools.product(exponents, exponents)) if (f[1][1:] >= 0).all()
    ]
    if not found:
        raise MinidsError("no law fits these losses")
    return _law(min(found, key=lambda f: f[0]))


def wrong_4(sizes, tokens, losses, exponents=_GRID):
    "where no pair is left, min() of nothing raises ValueError"
    found = [f for f in _search(sizes, tokens, losses, itertools.product(exponents, exponents)) if (f[1] >= 0).all()]
    return _law(min(found, key=lambda f: f[0]))


def wrong_5(sizes, tokens, losses, exponents=_GRID):
    "pairs without order: alpha <= beta only"
    pairs = itertools.combinations_with_replacement(sorted(exponents), 2)
    found = [f for f in _search(sizes, tokens, losses, pairs) if (f[1] >= 0).all()]
    if not found:
        raise MinidsError("no law fits these losses")
    return _law(min(found, key=lambda f: f[0]))


def wrong_6(sizes, tokens, losses, exponents=_GRID):
    "relative errors: each row is divided by its loss; differs where the law does not fit exactly"
    n, d, y = (np.asarray(x, dtype=np.float64) for x in (sizes, tokens, losses))
    found = []
    for alpha, beta in itertools.product(exponents, exponents):
        columns = np.stack([np.ones_like(n), n**-alpha, d**-beta], 1) / y[:, None]
        solution = np.linalg.lstsq(columns, np.ones_like(y), rcond=None)[0]
        if (solution >= 0).all():
            found.append((((columns @ solution - 1) ** 2).sum(), solution, alpha, beta))
    if not found:
        raise MinidsError("no law fits these losses")
    return _law(min(found, key=lambda f: f[0]))


def wrong_7(sizes, tokens, losses, exponents=_GRID):
    "beta is looked for among the usual exponents, whatever is given"
    found = [f for f in _search(sizes, tokens, losses, itertools.product(exponents, _GRID)) if (f[1] >= 0).all()]
    if not found:
        raise MinidsError("no law fits these losses")
    return _law(min(found, key=lambda f: f[0]))


def wrong_8(sizes, tokens, losses, exponents=_GRID):
    "the pair with the least sum of absolute errors wins; differs on noisy losses"
    n, d, y = (np.asarray(x, dtype=np.float64) for x in (sizes, tokens, losses))
    found = []
    for _, s, alpha, beta in _search(n, d, y, itertools.product(exponents, exponents)):
        if (s >= 0).all():
            found.append((np.abs(s[0] + s[1] * n**-alpha + s[2] * d**-beta - y).sum(), s, alpha, beta))
    if not found:
        raise MinidsError("no law fits these losses")
    return _law(min(found, key=lambda f: f[0]))


def wrong_9(sizes, tokens, losses, exponents=_GRID):
    "the best pair of all, and an error if it has a negative number, although others are left"
    found = min(_search(sizes, tokens, losses, itertools.product(exponents, exponents)), key=lambda f: f[0])
    if (found[1] < 0).any():
        raise MinidsError("no law fits these losses")
    return _law(found)


def wrong_10(sizes, tokens, losses, exponents=_GRID):
    "descends one exponent at a time from the middle: ends where neither alone helps, or where pairs are passed over"
    beta, best = exponents[len(exponents) // 2], None
    for _ in range(2):
        for which in (0, 1):
            alpha = best[2] if best else exponents[0]
            beta = best[3] if best else beta
            pairs = [(x, beta) if which == 0 else (alpha, x) for x in exponents]
            found = [f for f in _search(sizes, tokens, losses, pairs) if (f[1] >= 0).all()]
            if found:
                best = min(found, key=lambda f: f[0])
    if best is None:
        raise MinidsError("no law fits these losses")
    return _law(best)


def right_1(sizes, tokens, losses, exponents=_GRID):
    "numpy, all pairs in a loop, columns scaled to a maximum of 1"
    n, d, y = (np.asarray(x, dtype=np.float64) for x in (sizes, tokens, losses))
    best, law = np.inf, None
    for alpha in exponents:
        for beta in exponents:
            columns = np.stack([np.ones_like(n), n**-alpha, d**-beta], 1)
            scale = columns.max(0)
            x = np.linalg.lstsq(columns / scale, y, rcond=None)[0] / scale
            if (x < 0).any():
                continue
            error = np.square(columns @ x - y).sum()
            if error < best:
                best = error
                law = dict(E=float(x[0]), A=float(x[1]), alpha=float(alpha), B=float(x[2]), beta=float(beta))
    if law is None:
        raise MinidsError("no law fits these losses")
    return law


def right_2(sizes, tokens, losses, exponents=_GRID):
    "torch, pair by pair, by QR"
    n, d, y = (torch.as_tensor(x, dtype=torch.float64) for x in (sizes, tokens, losses))
    laws = []
    for alpha, beta in itertools.product(exponents, repeat=2):
        columns = torch.stack((torch.ones_like(n), n.pow(-alpha), d.pow(-beta)), dim=1)
        q, r = torch.linalg.qr(columns)
        solution = torch.linalg.solve_triangular(r, (q.mT @ y)[:, None], upper=True)[:, 0]
        if solution.min() >= 0:
            error = (y - columns @ solution).square().sum().item()
            laws.append((error, alpha, beta, solution.tolist()))
    if not laws:
        raise MinidsError("there is no law in these losses")
    _, alpha, beta, (e, a, b) = min(laws)
    return {"E": e, "A": a, "alpha": alpha, "B": b, "beta": beta}


def right_3(sizes, tokens, losses, exponents=_GRID):
    "hint 3: all pairs as one batch of matrices"
    n, d, y = (torch.as_tensor(x, dtype=torch.float64) for x in (sizes, tokens, losses))
    pairs = torch.cartesian_prod(*[torch.tensor(exponents, dtype=torch.float64)] * 2)
    table = torch.ones(len(pairs), len(n), 3, dtype=torch.float64)
    table[:, :, 1] = n[None] ** -pairs[:, :1]
    table[:, :, 2] = d[None] ** -pairs[:, 1:]
    right = y[None, :, None].repeat(len(pairs), 1, 1)
    found = torch.linalg.lstsq(table, right).solution
    error = ((table @ found - right) ** 2).sum((1, 2))
    lawful = (found >= 0).all(1)[:, 0]
    if not lawful.any():
        raise MinidsError("no pair of exponents is left")
    k = int(torch.where(lawful, error, torch.inf).argmin())
    return dict(zip(("E", "A", "B", "alpha", "beta"), [*found[k, :, 0].tolist(), *pairs[k].tolist()]))


def right_4(sizes, tokens, losses, exponents=_GRID):
    "means taken off, two unknowns left: the normal equations by hand, in float64"
    n, d, y = (np.asarray(x, dtype=np.float64) for x in (sizes, tokens, losses))
    best = None
    for alpha in exponents:
        u = n ** -float(alpha)
        su = u.max()
        u = u / su
        cu = u - u.mean()
        for beta in exponents:
            v = d ** -float(beta)
            sv = v.max()
            v = v / sv
            cv, cy = v - v.mean(), y - y.mean()
            uu, vv, uv, uy, vy = cu @ cu, cv @ cv, cu @ cv, cu @ cy, cv @ cy
            det = uu * vv - uv * uv
            a, b = (uy * vv - vy * uv) / det, (vy * uu - uy * uv) / det
            e = y.mean() - a * u.mean() - b * v.mean()
            if min(e, a, b) < 0:
                continue
            error = ((e + a * u + b * v - y) ** 2).sum()
            if best is None or error < best[0]:
                best = error, float(e), float(a / su), float(alpha), float(b / sv), float(beta)
    if best is None:
        raise MinidsError("no law fits these losses")
    return dict(zip(("E", "A", "alpha", "B", "beta"), best[1:]))
