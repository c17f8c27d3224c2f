"""grpo.kl"""
import math

import torch


def wrong_1(logp, ref_logp, kind):
    "x has the other sign: k1 and k3 are those of KL(ref || pi)"
    _choose("kl", kind, KLS[1:])
    x = ref_logp - logp
    if kind == "k1":
        return x
    if kind == "k2":
        return x.square() / 2
    return torch.exp(-x) + x - 1


def wrong_2(logp, ref_logp, kind):
    "k3 with exp(x) - x - 1"
    _choose("kl", kind, KLS[1:])
    x = logp - ref_logp
    if kind == "k1":
        return x
    if kind == "k2":
        return x.square() / 2
    return torch.exp(x) - x - 1


def wrong_3(logp, ref_logp, kind):
    "k2 without the half"
    _choose("kl", kind, KLS[1:])
    x = logp - ref_logp
    return {"k1": lambda: x, "k2": lambda: x**2, "k3": lambda: torch.exp(-x) + x - 1}[kind]()


def wrong_4(logp, ref_logp, kind):
    "an unknown kind, and `none`, is taken for k3"
    x = logp - ref_logp
    if kind == "k1":
        return x
    if kind == "k2":
        return x.square() / 2
    return torch.exp(-x) + x - 1


def wrong_5(logp, ref_logp, kind):
    "`none` is let through (all of KLS is allowed) and gives zeros"
    _choose("kl", kind, KLS)
    x = logp - ref_logp
    if kind == "none":
        return torch.zeros_like(x)
    if kind == "k1":
        return x
    if kind == "k2":
        return x.square() / 2
    return torch.exp(-x) + x - 1


def wrong_6(logp, ref_logp, kind):
    "ValueError for an unknown kind"
    x = logp - ref_logp
    if kind == "k1":
        return x
    if kind == "k2":
        return x.square() / 2
    if kind == "k3":
        return torch.exp(-x) + x - 1
    raise ValueError(f"unknown kl {kind}")


def wrong_7(logp, ref_logp, kind):
    "k3 as a quotient of probabilities: 0/0 = NaN for tokens below 1e-45"
    _choose("kl", kind, KLS[1:])
    x = logp - ref_logp
    if kind == "k1":
        return x
    if kind == "k2":
        return 0.5 * x.square()
    ref = ref_logp if isinstance(ref_logp, torch.Tensor) else torch.tensor(ref_logp, dtype=logp.dtype)
    return ref.exp() / logp.exp() + x - 1


def wrong_8(logp, ref_logp, kind):
    "ref_logp.detach(): grpo_loss passes the difference and 0.0, which has no such method"
    _choose("kl", kind, KLS[1:])
    x = logp - ref_logp.detach()
    if kind == "k1":
        return x
    if kind == "k2":
        return 0.5 * x.square()
    return torch.exp(-x) + x - 1


def wrong_9(logp, ref_logp, kind):
    "x is cut to [-10, 10], 'for stability': values and gradients beyond are others"
    _choose("kl", kind, KLS[1:])
    x = (logp - ref_logp).clamp(-10, 10)
    if kind == "k1":
        return x
    if kind == "k2":
        return 0.5 * x.square()
    return torch.exp(-x) + x - 1


def wrong_10(logp, ref_logp, kind):
    "the exponential is a constant (detached): k3 has the gradient 1 and pulls nowhere useful"
    _choose("kl", kind, KLS[1:])
    x = logp - ref_logp
    if kind == "k1":
        return x
    if kind == "k2":
        return 0.5 * x.square()
    return torch.exp(-x.detach()) + x - 1


def wrong_11(logp, ref_logp, kind):
    "the mean instead of one number for each token"
    _choose("kl", kind, KLS[1:])
    x = logp - ref_logp
    k = x if kind == "k1" else x.square() / 2 if kind == "k2" else torch.exp(-x) + x - 1
    return k.mean()


def wrong_12(logp, ref_logp, kind):
    "k1 is made non-negative by abs, as a KL should be"
    _choose("kl", kind, KLS[1:])
    x = logp - ref_logp
    if kind == "k1":
        return x.abs()
    if kind == "k2":
        return 0.5 * x.square()
    return torch.exp(-x) + x - 1


def right_1(logp, ref_logp, kind):
    "expm1 for k3"
    if kind not in ("k1", "k2", "k3"):
        raise MinidsError(f"grpo: kl={kind!r} is not one of k1, k2, k3")
    x = logp - ref_logp
    if kind == "k3":
        return x + torch.expm1(-x)
    return x if kind == "k1" else x * x / 2


def right_2(logp, ref_logp, kind):
    "the ratio ref/pi and its logarithm, as in DeepSeekMath's equation 4"
    _choose("kl", kind, KLS[1:])
    log_r = ref_logp - logp
    if kind == "k1":
        return -log_r
    if kind == "k2":
        return torch.pow(log_r, 2).div(2)
    return log_r.exp() - log_r - 1.0


def right_3(logp, ref_logp, kind):
    "a table of formulas"
    formulas = {
        "k1": lambda x: x,
        "k2": lambda x: x**2 / 2,
        "k3": lambda x: (-x).exp() + (x - 1),
    }
    if kind not in formulas:
        raise MinidsError(f"kl: {kind}; choose one of {list(formulas)}")
    return formulas[kind](torch.sub(logp, ref_logp))


def right_4(logp, ref_logp, kind):
    "match with a default that raises"
    x = logp - ref_logp
    match kind:
        case "k1":
            return x
        case "k2":
            return (x / math.sqrt(2)).square()
        case "k3":
            return torch.exp(-x).sub(1).add(x)
        case _:
            raise MinidsError("grpo: kl must be k1, k2 or k3")
