"""Scaling laws: what loss a model of N parameters reaches after D tokens, fitted to small runs.

    L(N, D) = E + A / N^alpha + B / D^beta

E is what no model can predict, the second term what a model of this size lacks, the third what this much text has not
taught yet (Hoffmann et al. 2022, arXiv 2203.15556, §3.3). `fit` finds the law, `bootstrap` says how far to trust it,
`predict` and `optimum` use it. A law is a dict of five floats: E, A, alpha, B, beta. L in nats a token.

Shapes: R runs, P pairs of exponents.
Trade-off: plain least squares on L over a grid of exponents has one exact answer, in milliseconds; Hoffmann et al.
minimise a Huber loss of log L, which forgives outliers and weighs relative errors.
Left out: repeated tokens, learning rates, mixtures of data.
"""

import torch

from minids.errors import MinidsError

EXPONENTS = tuple(k / 20 for k in range(1, 31))  # 0.05 .. 1.5


def fit(sizes, tokens, losses, exponents=EXPONENTS) -> dict[str, float]:
    """The law with the least sum of squared errors over R runs of sizes[i] parameters, tokens[i] tokens -> losses[i].

    alpha and beta are the best pair from `exponents`; E, A and B are any numbers >= 0 (with A or B negative a larger
    or longer run would be worse, with E negative a loss could fall below zero): a pair of exponents whose least
    squares solution has a negative one is passed over. Returns {"E", "A", "alpha", "B", "beta"}, floats. Raises
    MinidsError if no pair is left.
    """
    n_R, d_R, loss_R = (torch.as_tensor(x, dtype=torch.float64) for x in (sizes, tokens, losses))
    grid = torch.tensor(exponents, dtype=torch.float64)
    alpha_P, beta_P = torch.cartesian_prod(grid, grid).unbind(1)
    # With both exponents given the law is linear in (E, A, B): a matrix with a column for each.
    columns_PR3 = torch.stack(
        [torch.ones(len(alpha_P), len(n_R)), n_R ** -alpha_P[:, None], d_R ** -beta_P[:, None]], dim=2
    )
    solution_P3 = torch.linalg.lstsq(columns_PR3, loss_R.expand(len(alpha_P), -1)[..., None]).solution[..., 0]
    error_P = ((columns_PR3 @ solution_P3[..., None])[..., 0] - loss_R).square().sum(1)
    # What is no law does not count.
    error_P[(solution_P3 < 0).any(1)] = torch.inf
    best = error_P.argmin()
    if error_P[best] == torch.inf:
        raise MinidsError(
            "no law fits these losses: they do not fall with both size and tokens. Measure more runs, or "
            "with less noise"
        )
    e, a, b = solution_P3[best].tolist()
    return {"E": e, "A": a, "alpha": alpha_P[best].item(), "B": b, "beta": beta_P[best].item()}


def predict(law: dict[str, float], size, tokens):
    """L(N, D), of numbers or tensors."""
    return law["E"] + law["A"] * size ** -law["alpha"] + law["B"] * tokens ** -law["beta"]


def bootstrap(sizes, tokens, losses, times: int = 100, seed: int = 0, exponents=EXPONENTS) -> list[dict[str, float]]:
    """Laws that the same runs could have given: the fitted law's errors, dealt out again at random, and fitted again.

    The spread of what they predict is the uncertainty that comes from noise between the measured points, and only
    that: not the law's form, not the choice of learning rates, not readings of one run that err together. The errors
    are enlarged by sqrt(R / (R - 5)), as five numbers were fitted to R of them. Losses that give no law are drawn anew.
    """
    n_R, d_R, loss_R = (torch.as_tensor(x, dtype=torch.float64) for x in (sizes, tokens, losses))
    if len(loss_R) <= 5:
        raise MinidsError(f"{len(loss_R)} runs say nothing about the errors of a law of five numbers: measure more")
    fitted_R = predict(fit(n_R, d_R, loss_R, exponents), n_R, d_R)
    errors_R = (loss_R - fitted_R) * (len(loss_R) / (len(loss_R) - 5)) ** 0.5
    generator, laws = torch.Generator().manual_seed(seed), []
    for _ in range(10 * times):
        drawn_R = errors_R[torch.randint(len(errors_R), (len(errors_R),), generator=generator)]
        try:
            laws.append(fit(n_R, d_R, fitted_R + drawn_R, exponents))
        except MinidsError:
            continue
        if len(laws) == times:
            return laws
    raise MinidsError("the noise between these runs is as large as what they show: measure more, or longer ones")


def optimum(law: dict[str, float], flops: float) -> tuple[float, float]:
    """(N, D) with the least loss for `flops` = 6 N D: the point where one more unit of either helps equally.

    N = G (flops / 6)^(beta / (alpha + beta)), G = (alpha A / (beta B))^(1 / (alpha + beta)); Hoffmann et al., eq. 4.
    """
    alpha, beta = law["alpha"], law["beta"]
    g = (alpha * law["A"] / (beta * law["B"])) ** (1 / (alpha + beta))
    size = g * (flops / 6) ** (beta / (alpha + beta))
    return size, flops / 6 / size
