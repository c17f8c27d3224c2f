"""pretraining.scaling_law"""
from itertools import product

import numpy as np
import torch


def _search(sizes, tokens, losses, pairs, lawful, error=lambda p, y: ((p - y) ** 2).sum(), change=lambda x: x):
    "-> the law with the least error, a dict of floats, or None"
    n, d, y = (np.array(x, dtype=np.float64) for x in (sizes, tokens, losses))
    best = None
    for alpha, beta in pairs:
        columns = np.stack([np.ones_like(n), n**-alpha, d**-beta], 1)
        x = np.linalg.lstsq(columns, y, rcond=None)[0]
        if not lawful(x):
            continue
        x = change(x)
        e = error(columns @ x, y)
        if best is None or e < best[0]:
            best = e, {"E": float(x[0]), "A": float(x[1]), "alpha": alpha, "B": float(x[2]), "beta": beta}
    return best and best[1]


def _none():
    return MinidsError("no law fits these losses")


def _all_positive(x):
    return (x >= 0).all()


def wrong_1(sizes, tokens, losses, exponents=EXPONENTS):
    "negative E, A and B are allowed, so there is always a law"
    # breaks: "a pair of exponents whose least squares solution has a negative one is passed over"; losses that rise
    # with the tokens
    return _search(sizes, tokens, losses, product(exponents, exponents), lambda x: True)


def wrong_2(sizes, tokens, losses, exponents=EXPONENTS):
    "A and B are looked at, E is not"
    # breaks: "E, A and B are any numbers >= 0"; losses -1 + 10 N^-0.1 + 10 D^-0.1 fit best with E = -1
    law = _search(sizes, tokens, losses, product(exponents, exponents), lambda x: x[1] >= 0 and x[2] >= 0)
    if law is None:
        raise _none()
    return law


def wrong_3(sizes, tokens, losses, exponents=EXPONENTS):
    "a negative number is set to 0 and the pair stays in the race"
    # breaks: "a pair of exponents whose least squares solution has a negative one is passed over"; losses that rise
    # with the tokens give a law in place of MinidsError
    return _search(
        sizes, tokens, losses, product(exponents, exponents), lambda x: True, change=lambda x: np.maximum(x, 0)
    )


def wrong_4(sizes, tokens, losses, exponents=EXPONENTS):
    "ValueError where no pair is left"
    # breaks: "Raises MinidsError if no pair is left"; losses that rise with size and tokens
    law = _search(sizes, tokens, losses, product(exponents, exponents), _all_positive)
    if law is None:
        raise ValueError("no law fits")
    return law


def wrong_5(sizes, tokens, losses, exponents=EXPONENTS):
    "the pair with the least squared error of log L, as Hoffmann et al. weigh it"
    # breaks: "The law with the least sum of squared errors over R runs ... -> losses[i]"; noisy losses that reach from
    # 2 to 20: another pair of exponents
    law = _search(
        sizes,
        tokens,
        losses,
        product(exponents, exponents),
        _all_positive,
        error=lambda p, y: ((np.log(np.maximum(p, 1e-12)) - np.log(y)) ** 2).sum(),
    )
    if law is None:
        raise _none()
    return law


def wrong_6(sizes, tokens, losses, exponents=EXPONENTS):
    "the pair with the least sum of absolute errors"
    # breaks: "The law with the least sum of squared errors"; noisy losses, or one with an outlier
    law = _search(
        sizes, tokens, losses, product(exponents, exponents), _all_positive, error=lambda p, y: np.abs(p - y).sum()
    )
    if law is None:
        raise _none()
    return law


def wrong_7(sizes, tokens, losses, exponents=EXPONENTS):
    "alpha and beta are always the same number"
    # breaks: "alpha and beta are the best pair from `exponents`"; losses of a law with alpha 0.3 and beta 0.5
    law = _search(sizes, tokens, losses, zip(exponents, exponents), _all_positive)
    if law is None:
        raise _none()
    return law


def wrong_8(sizes, tokens, losses, exponents=EXPONENTS):
    "the given exponents are not used"
    # breaks: "the best pair from `exponents`"; exponents=(0.33, 0.5)
    law = _search(sizes, tokens, losses, product(EXPONENTS, EXPONENTS), _all_positive)
    if law is None:
        raise _none()
    return law


def wrong_9(sizes, tokens, losses, exponents=EXPONENTS):
    "the best pair of all is taken first, and refused if it has a negative number"
    # breaks: "Raises MinidsError if no pair is left" (others are left);
    # losses -1 + 10 N^-0.1 + 10 D^-0.1, whose best pair of all has E = -1
    law = _search(sizes, tokens, losses, product(exponents, exponents), lambda x: True)
    if min(law["E"], law["A"], law["B"]) < 0:
        raise _none()
    return law


def wrong_10(sizes, tokens, losses, exponents=EXPONENTS):
    "returns the numbers as tensors"
    # breaks: 'Returns {"E", "A", "alpha", "B", "beta"}, floats'; any law
    law = _search(sizes, tokens, losses, product(exponents, exponents), _all_positive)
    if law is None:
        raise _none()
    return {name: torch.tensor(value, dtype=torch.float64) for name, value in law.items()}


def right_1(sizes, tokens, losses, exponents=EXPONENTS):
    "a loop over pairs with numpy's lstsq"
    law = _search(sizes, tokens, losses, product(exponents, exponents), _all_positive)
    if law is None:
        raise _none()
    return law


def right_2(sizes, tokens, losses, exponents=EXPONENTS):
    "all pairs at once by QR"
    n, d, y = (torch.as_tensor(x, dtype=torch.float64) for x in (sizes, tokens, losses))
    pairs = torch.tensor([(a, b) for a in exponents for b in exponents], dtype=torch.float64)
    columns = torch.ones(len(pairs), len(n), 3, dtype=torch.float64)
    columns[:, :, 1] = n ** -pairs[:, :1]
    columns[:, :, 2] = d ** -pairs[:, 1:]
    q, r = torch.linalg.qr(columns)
    found = torch.linalg.solve_triangular(r, q.mT @ y[None, :, None], upper=True)
    error = (columns @ found - y[None, :, None]).square().sum((1, 2))
    lawful = (found[..., 0] >= 0).all(1)
    if not lawful.any():
        raise _none()
    k = int(torch.where(lawful, error, torch.inf).argmin())
    return dict(zip(("E", "A", "B", "alpha", "beta"), [*found[k, :, 0].tolist(), *pairs[k].tolist()]))


def right_3(sizes, tokens, losses, exponents=EXPONENTS):
    "candidates in a list, the best by min; torch's lstsq pair by pair"
    n, d, y = (torch.as_tensor(x, dtype=torch.float64) for x in (sizes, tokens, losses))
    candidates = []
    for alpha in exponents:
        for beta in exponents:
            columns = torch.column_stack([torch.ones_like(n), n.pow(-alpha), d.pow(-beta)])
            found = torch.linalg.lstsq(columns, y[:, None]).solution[:, 0]
            if not (found < 0).any():
                candidates.append((float((columns @ found - y).square().sum()), alpha, beta, found.tolist()))
    if not candidates:
        raise _none()
    _, alpha, beta, (e, a, b) = min(candidates, key=lambda c: c[0])
    return {"E": e, "A": a, "alpha": float(alpha), "B": b, "beta": float(beta)}


def right_4(sizes, tokens, losses, exponents=EXPONENTS):
    "centred columns: A and B from the deviations, E from the means"
    n, d, y = (np.array(x, dtype=np.float64) for x in (sizes, tokens, losses))
    best = np.inf
    for alpha, beta in product(exponents, repeat=2):
        p, q = n**-alpha, d**-beta
        centred = np.stack([p - p.mean(), q - q.mean()], 1)
        scale = np.linalg.norm(centred, axis=0)
        a, b = np.linalg.lstsq(centred / scale, y - y.mean(), rcond=None)[0] / scale
        e = y.mean() - a * p.mean() - b * q.mean()
        error = np.square(e + a * p + b * q - y).sum()
        if min(e, a, b) >= 0 and error < best:
            best, law = error, {"E": float(e), "A": float(a), "alpha": alpha, "B": float(b), "beta": beta}
    if best == np.inf:
        raise _none()
    return law
