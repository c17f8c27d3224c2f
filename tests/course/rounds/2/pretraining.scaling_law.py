"""pretraining.scaling_law"""
import itertools
import math
import numpy as np
import torch

from minids.errors import MinidsError


def _pairs(sizes, tokens, losses, exponents):
    n, d, loss = (np.asarray(x, dtype=np.float64) for x in (sizes, tokens, losses))
    for alpha, beta in itertools.product(exponents, exponents):
        m = np.stack([np.ones_like(n), n ** -alpha, d ** -beta], axis=1)
        s = np.linalg.lstsq(m, loss, rcond=None)[0]
        yield float(((m @ s - loss) ** 2).sum()), s, alpha, beta


def _law(s, alpha, beta):
    return {"E": float(s[0]), "A": float(s[1]), "alpha": float(alpha), "B": float(s[2]), "beta": float(beta)}


def wrong_1(sizes, tokens, losses, exponents=EXPONENTS):
    "no condition on the signs: a negative E, A or B can win"
    error, s, alpha, beta = min(_pairs(sizes, tokens, losses, exponents), key=lambda p: p[0])
    return _law(s, alpha, beta)


def wrong_2(sizes, tokens, losses, exponents=EXPONENTS):
    "only A and B are held above 0: E can be negative"
    best = min((p for p in _pairs(sizes, tokens, losses, exponents) if (p[1][1:] >= 0).all()), key=lambda p: p[0], default=None)
    if best is None:
        raise MinidsError("no law fits")
    return _law(*best[1:])


def wrong_3(sizes, tokens, losses, exponents=EXPONENTS):
    "the best pair of all is taken, and refused if a number is negative, instead of passing over such pairs"
    error, s, alpha, beta = min(_pairs(sizes, tokens, losses, exponents), key=lambda p: p[0])
    if (s < 0).any():
        raise MinidsError("no law fits")
    return _law(s, alpha, beta)


def wrong_4(sizes, tokens, losses, exponents=EXPONENTS):
    "negative solutions are cut to 0 and compete"
    n, d, loss = (np.asarray(x, dtype=np.float64) for x in (sizes, tokens, losses))
    best = None
    for alpha, beta in itertools.product(exponents, exponents):
        m = np.stack([np.ones_like(n), n ** -alpha, d ** -beta], axis=1)
        s = np.linalg.lstsq(m, loss, rcond=None)[0].clip(min=0)
        e = ((m @ s - loss) ** 2).sum()
        if best is None or e < best[0]:
            best = e, s, alpha, beta
    return _law(*best[1:])


def wrong_5(sizes, tokens, losses, exponents=EXPONENTS):
    "one exponent for both: alpha == beta"
    good = [p for p in _pairs(sizes, tokens, losses, exponents) if p[2] == p[3] and (p[1] >= 0).all()]
    if not good:
        raise MinidsError("no law fits")
    return _law(*min(good, key=lambda p: p[0])[1:])


def wrong_6(sizes, tokens, losses, exponents=EXPONENTS):
    "the exponents given are ignored, the module's are used"
    good = [p for p in _pairs(sizes, tokens, losses, EXPONENTS) if (p[1] >= 0).all()]
    if not good:
        raise MinidsError("no law fits")
    return _law(*min(good, key=lambda p: p[0])[1:])


def wrong_7(sizes, tokens, losses, exponents=EXPONENTS):
    "alpha and beta come back exchanged"
    good = [p for p in _pairs(sizes, tokens, losses, exponents) if (p[1] >= 0).all()]
    if not good:
        raise MinidsError("no law fits")
    error, s, alpha, beta = min(good, key=lambda p: p[0])
    return {"E": float(s[0]), "A": float(s[1]), "alpha": float(beta), "B": float(s[2]), "beta": float(alpha)}


def wrong_8(sizes, tokens, losses, exponents=EXPONENTS):
    "the least relative errors decide (rows divided by the loss): other numbers as soon as there is noise"
    n, d, loss = (np.asarray(x, dtype=np.float64) for x in (sizes, tokens, losses))
    best = None
    for alpha, beta in itertools.product(exponents, exponents):
        m = np.stack([np.ones_like(n), n ** -alpha, d ** -beta], axis=1) / loss[:, None]
        s = np.linalg.lstsq(m, np.ones_like(loss), rcond=None)[0]
        e = ((m @ s - 1) ** 2).sum()
        if (s >= 0).all() and (best is None or e < best[0]):
            best = e, s, alpha, beta
    if best is None:
        raise MinidsError("no law fits")
    return _law(*best[1:])


def wrong_9(sizes, tokens, losses, exponents=EXPONENTS):
    "ValueError (min of nothing) where no pair is left"
    return _law(*min((p for p in _pairs(sizes, tokens, losses, exponents) if (p[1] >= 0).all()), key=lambda p: p[0])[1:])


def wrong_10(sizes, tokens, losses, exponents=EXPONENTS):
    "the largest error of a run decides between the pairs, not the sum of squares: differs with noise"
    n, d, loss = (np.asarray(x, dtype=np.float64) for x in (sizes, tokens, losses))
    best = None
    for alpha, beta in itertools.product(exponents, exponents):
        m = np.stack([np.ones_like(n), n ** -alpha, d ** -beta], axis=1)
        s = np.linalg.lstsq(m, loss, rcond=None)[0]
        e = np.abs(m @ s - loss).max()
        if (s >= 0).all() and (best is None or e < best[0]):
            best = e, s, alpha, beta
    if best is None:
        raise MinidsError("no law fits")
    return _law(*best[1:])


def right_1(sizes, tokens, losses, exponents=EXPONENTS):
    "numpy, a loop over the pairs, a list of what is a law"
    good = [p for p in _pairs(sizes, tokens, losses, exponents) if (p[1] >= 0).all()]
    if not good:
        raise MinidsError("these losses give no law: none of the exponents has E, A and B >= 0")
    return _law(*min(good, key=lambda p: p[0])[1:])


def right_2(sizes, tokens, losses, exponents=EXPONENTS):
    "torch, two loops, the best so far"
    n, d, y = (torch.as_tensor(x, dtype=torch.float64) for x in (sizes, tokens, losses))
    best, law = math.inf, None
    for alpha in exponents:
        for beta in exponents:
            m = torch.stack((torch.ones_like(n), n.pow(-alpha), d.pow(-beta)), dim=1)
            x = torch.linalg.lstsq(m, y[:, None], driver="gelsd").solution
            error = torch.dist(m @ x, y[:, None]).item() ** 2
            if x.min() >= 0 and error < best:
                e, a, b = x.flatten().tolist()
                best, law = error, dict(E=e, A=a, alpha=float(alpha), B=b, beta=float(beta))
    if law is None:
        raise MinidsError("no pair of exponents gives a law")
    return law


def right_3(sizes, tokens, losses, exponents=EXPONENTS):
    "columns scaled to size 1 before the least squares, numbers scaled back after"
    n, d, y = (np.array(x, dtype=np.float64) for x in (sizes, tokens, losses))
    found = {}
    for alpha in exponents:
        for beta in exponents:
            m = np.column_stack([np.ones(len(n)), np.exp(-alpha * np.log(n)), np.exp(-beta * np.log(d))])
            scale = np.linalg.norm(m, axis=0)
            x, *_ = np.linalg.lstsq(m / scale, y, rcond=None)
            if min(x) < 0:
                continue
            found[float(alpha), float(beta)] = np.sum(np.square(m / scale @ x - y)), x / scale
    if not found:
        raise MinidsError("no law")
    alpha, beta = min(found, key=lambda k: found[k][0])
    e, a, b = map(float, found[alpha, beta][1])
    return {"E": e, "A": a, "alpha": alpha, "B": b, "beta": beta}


def right_4(sizes, tokens, losses, exponents=EXPONENTS):
    "all pairs at once, the errors sorted, the first that is a law"
    n_R, d_R, loss_R = (torch.as_tensor(x, dtype=torch.float64) for x in (sizes, tokens, losses))
    grid = torch.as_tensor(list(exponents), dtype=torch.float64)
    alpha_P, beta_P = grid.repeat_interleave(len(grid)), grid.repeat(len(grid))
    m = torch.ones(len(alpha_P), len(n_R), 3, dtype=torch.float64)
    m[:, :, 1] = 1 / n_R[None] ** alpha_P[:, None]
    m[:, :, 2] = 1 / d_R[None] ** beta_P[:, None]
    x = torch.linalg.lstsq(m, loss_R[None, :, None].expand(len(m), -1, -1)).solution.squeeze(2)
    error = (torch.einsum("prc,pc->pr", m, x) - loss_R).pow(2).sum(1)
    for i in error.argsort(stable=True).tolist():
        if bool((x[i] >= 0).all()):
            return dict(zip(("E", "A", "B"), x[i].tolist())) | {"alpha": alpha_P[i].item(), "beta": beta_P[i].item()}
    raise MinidsError("no law fits these losses")
