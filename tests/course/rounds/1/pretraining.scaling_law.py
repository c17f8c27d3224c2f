"""pretraining.scaling_law"""
import itertools
import numpy as np
import torch

ERROR = "no law fits these losses"

def _all(sizes, tokens, losses, exponents, solve=None):
    n, d, y = (np.asarray(x, dtype=np.float64) for x in (sizes, tokens, losses))
    for alpha, beta in itertools.product(exponents, exponents):
        X = np.stack([np.ones_like(n), n**-alpha, d**-beta], 1)
        s = np.linalg.lstsq(X, y, rcond=None)[0]
        yield alpha, beta, s, float(((X @ s - y) ** 2).sum())

def _law(alpha, beta, s):
    return {"E": float(s[0]), "A": float(s[1]), "alpha": float(alpha), "B": float(s[2]), "beta": float(beta)}

def wrong_1(sizes, tokens, losses, exponents=EXPONENTS):
    "negative coefficients are not passed over"
    alpha, beta, s, _ = min(_all(sizes, tokens, losses, exponents), key=lambda r: r[3])
    return _law(alpha, beta, s)

def wrong_2(sizes, tokens, losses, exponents=EXPONENTS):
    "negative coefficients are set to 0 instead of passing the pair over"
    alpha, beta, s, _ = min(_all(sizes, tokens, losses, exponents), key=lambda r: r[3])
    return _law(alpha, beta, np.maximum(s, 0))

def wrong_3(sizes, tokens, losses, exponents=EXPONENTS):
    "one exponent for both: alpha = beta"
    ok = [r for r in _all(sizes, tokens, losses, exponents) if r[0] == r[1] and (r[2] >= 0).all()]
    if not ok:
        raise MinidsError(ERROR)
    alpha, beta, s, _ = min(ok, key=lambda r: r[3])
    return _law(alpha, beta, s)

def wrong_4(sizes, tokens, losses, exponents=EXPONENTS):
    "ValueError (of min) where no pair is left"
    ok = [r for r in _all(sizes, tokens, losses, exponents) if (r[2] >= 0).all()]
    alpha, beta, s, _ = min(ok, key=lambda r: r[3])
    return _law(alpha, beta, s)

def wrong_5(sizes, tokens, losses, exponents=EXPONENTS):
    "only A and B are checked: E may be negative"
    ok = [r for r in _all(sizes, tokens, losses, exponents) if (r[2][1:] >= 0).all()]
    if not ok:
        raise MinidsError(ERROR)
    alpha, beta, s, _ = min(ok, key=lambda r: r[3])
    return _law(alpha, beta, s)

def wrong_6(sizes, tokens, losses, exponents=EXPONENTS):
    "`exponents` is ignored: always the module's grid"
    ok = [r for r in _all(sizes, tokens, losses, EXPONENTS) if (r[2] >= 0).all()]
    if not ok:
        raise MinidsError(ERROR)
    alpha, beta, s, _ = min(ok, key=lambda r: r[3])
    return _law(alpha, beta, s)

def wrong_7(sizes, tokens, losses, exponents=EXPONENTS):
    "float32 with normal equations: the columns are nearly parallel, the solution is noise"
    n, d, y = (torch.as_tensor(x, dtype=torch.float32) for x in (sizes, tokens, losses))
    best = None
    for alpha in exponents:
        for beta in exponents:
            X = torch.stack([torch.ones_like(n), n**-alpha, d**-beta], 1)
            s = torch.linalg.pinv(X.T @ X) @ X.T @ y
            err = (X @ s - y).square().sum().item()
            if (s >= 0).all() and (best is None or err < best[0]):
                best = err, alpha, beta, s.tolist()
    if best is None:
        raise MinidsError(ERROR)
    return _law(best[1], best[2], best[3])

def wrong_8(sizes, tokens, losses, exponents=EXPONENTS):
    "best by squared errors of log L (relative errors), not of L"
    y = np.asarray(losses, dtype=np.float64)
    n, d = np.asarray(sizes, dtype=np.float64), np.asarray(tokens, dtype=np.float64)
    best = None
    for alpha, beta, s, _ in _all(sizes, tokens, losses, exponents):
        if (s < 0).any():
            continue
        p = s[0] + s[1] * n**-alpha + s[2] * d**-beta
        err = ((np.log(p) - np.log(y)) ** 2).sum()
        if best is None or err < best[0]:
            best = err, alpha, beta, s
    if best is None:
        raise MinidsError(ERROR)
    return _law(*best[1:])

def wrong_9(sizes, tokens, losses, exponents=EXPONENTS):
    "the unconstrained best pair is taken, and an error raised if it has a negative coefficient: another pair is not tried"
    alpha, beta, s, _ = min(_all(sizes, tokens, losses, exponents), key=lambda r: r[3])
    if (s < 0).any():
        raise MinidsError(ERROR)
    return _law(alpha, beta, s)

def wrong_10(sizes, tokens, losses, exponents=EXPONENTS):
    "returns tensors instead of floats"
    ok = [r for r in _all(sizes, tokens, losses, exponents) if (r[2] >= 0).all()]
    if not ok:
        raise MinidsError(ERROR)
    alpha, beta, s, _ = min(ok, key=lambda r: r[3])
    return {k: torch.tensor(v, dtype=torch.float64) for k, v in _law(alpha, beta, s).items()}

def right_1(sizes, tokens, losses, exponents=EXPONENTS):
    "numpy's lstsq, pair by pair"
    ok = [r for r in _all(sizes, tokens, losses, exponents) if (r[2] >= 0).all()]
    if not ok:
        raise MinidsError(ERROR)
    alpha, beta, s, _ = min(ok, key=lambda r: r[3])
    return _law(alpha, beta, s)

def right_2(sizes, tokens, losses, exponents=EXPONENTS):
    "torch loop, remembers the best so far"
    n, d, y = (torch.as_tensor(x, dtype=torch.float64) for x in (sizes, tokens, losses))
    best, law = float("inf"), None
    for alpha in exponents:
        for beta in exponents:
            X = torch.stack([torch.ones_like(n), n ** (-alpha), d ** (-beta)], dim=1)
            s = torch.linalg.lstsq(X, y[:, None]).solution[:, 0]
            err = float((X @ s - y).square().sum())
            if bool((s >= 0).all()) and err < best:
                best, law = err, dict(zip(("E", "A", "alpha", "B", "beta"), (s[0].item(), s[1].item(), float(alpha), s[2].item(), float(beta))))
    if law is None:
        raise MinidsError(ERROR)
    return law

def right_3(sizes, tokens, losses, exponents=EXPONENTS):
    "QR of all pairs at once"
    n, d, y = (torch.as_tensor(x, dtype=torch.float64) for x in (sizes, tokens, losses))
    e = torch.tensor(list(exponents), dtype=torch.float64)
    a, b = (x.flatten() for x in torch.meshgrid(e, e, indexing="ij"))
    X = torch.stack([n.new_ones(len(a), len(n)), torch.exp(-a[:, None] * n.log()), torch.exp(-b[:, None] * d.log())], 2)
    q, r = torch.linalg.qr(X)
    s = torch.linalg.solve_triangular(r, q.mT @ y[:, None].expand(len(a), -1, 1), upper=True)[..., 0]
    err = (torch.einsum("prk,pk->pr", X, s) - y).pow(2).sum(1)
    good = (s >= 0).all(1)
    if not good.any():
        raise MinidsError(ERROR)
    i = int(torch.where(good, err, float("inf")).argmin())
    return {"E": float(s[i, 0]), "A": float(s[i, 1]), "alpha": float(a[i]), "B": float(s[i, 2]), "beta": float(b[i])}

def right_4(sizes, tokens, losses, exponents=EXPONENTS):
    "columns scaled to length 1 before the solution, scaled back after"
    n, d, y = (np.asarray(x, dtype=np.float64) for x in (sizes, tokens, losses))
    found = []
    for alpha in exponents:
        for beta in exponents:
            X = np.column_stack([np.ones(len(n)), n**-alpha, d**-beta])
            scale = np.linalg.norm(X, axis=0)
            s = np.linalg.lstsq(X / scale, y, rcond=None)[0] / scale
            if min(s) >= 0:
                found.append((float(np.square(X @ s - y).sum()), float(alpha), float(beta), *map(float, s)))
    if not found:
        raise MinidsError(ERROR)
    _, alpha, beta, E, A, B = min(found)
    return {"E": E, "A": A, "alpha": alpha, "B": B, "beta": beta}
