"""grpo.kl"""
import torch

from minids.errors import MinidsError


def wrong_1(logp, ref_logp, kind):
    "k3 with the other sign of x: exp(x) - x - 1"
    _choose("kl", kind, KLS[1:])
    x = logp - ref_logp
    return {"k1": x, "k2": x * x / 2, "k3": x.exp() - x - 1}[kind]


def wrong_2(logp, ref_logp, kind):
    "k2 without the half"
    _choose("kl", kind, KLS[1:])
    x = logp - ref_logp
    return {"k1": x, "k2": x * x, "k3": (-x).exp() + x - 1}[kind]


def wrong_3(logp, ref_logp, kind):
    "the difference is made in place: the caller's log-probabilities change (and a leaf with gradient is an error)"
    _choose("kl", kind, KLS[1:])
    x = logp
    x -= ref_logp
    return {"k1": x, "k2": x * x / 2, "k3": (-x).exp() + x - 1}[kind]


def wrong_4(logp, ref_logp, kind):
    "k3 from probabilities, exp(ref) / exp(logp): 0/0 where both log-probabilities are below -104 (float32)"
    _choose("kl", kind, KLS[1:])
    x = logp - ref_logp
    if kind == "k3":
        return torch.as_tensor(ref_logp).exp() / logp.exp() + x - 1
    return x if kind == "k1" else x * x / 2


def wrong_5(logp, ref_logp, kind):
    "k2 is the square of the half, a quarter instead of a half"
    _choose("kl", kind, KLS[1:])
    x = logp - ref_logp
    return {"k1": x, "k2": (x / 2).square(), "k3": (-x).exp() + x - 1}[kind]


def wrong_6(logp, ref_logp, kind):
    "the mean of the tokens, not an estimate a token"
    _choose("kl", kind, KLS[1:])
    x = logp - ref_logp
    return {"k1": x, "k2": x * x / 2, "k3": (-x).exp() + x - 1}[kind].mean()


def wrong_7(logp, ref_logp, kind):
    "the absolute value for k1: it 'cannot' be negative"
    _choose("kl", kind, KLS[1:])
    x = logp - ref_logp
    return {"k1": x.abs(), "k2": x * x / 2, "k3": (-x).exp() + x - 1}[kind]


def wrong_8(logp, ref_logp, kind):
    "the ratio in k3 is detached: right values, the gradient of x alone"
    _choose("kl", kind, KLS[1:])
    x = logp - ref_logp
    return {"k1": x, "k2": x * x / 2, "k3": (-x).exp().detach() + x - 1}[kind]


def wrong_9(logp, ref_logp, kind):
    "the difference is clamped to [-1, 1] against overflow: large differences and their gradients are lost"
    _choose("kl", kind, KLS[1:])
    x = (logp - ref_logp).clamp(-1, 1)
    return {"k1": x, "k2": x * x / 2, "k3": (-x).exp() + x - 1}[kind]


def wrong_10(logp, ref_logp, kind):
    "weighted with the probability, as in the sum over the vocabulary: these tokens are already drawn from pi"
    _choose("kl", kind, KLS[1:])
    x = logp - ref_logp
    return logp.exp() * {"k1": x, "k2": x * x / 2, "k3": (-x).exp() + x - 1}[kind]


def right_1(logp, ref_logp, kind):
    "expm1"
    _choose("kl", kind, ("k1", "k2", "k3"))
    x = logp - ref_logp
    if kind == "k3":
        return torch.expm1(-x) + x
    return x if kind == "k1" else x.pow(2) / 2


def right_2(logp, ref_logp, kind):
    "with the ratio ref / pi; own refusal"
    if kind not in ("k1", "k2", "k3"):
        raise MinidsError(f"there is no KL estimate {kind!r}")
    log_r = ref_logp - logp
    if kind == "k1":
        return -log_r
    if kind == "k2":
        return log_r * log_r * 0.5
    return log_r.exp() - log_r - 1


def right_3(logp, ref_logp, kind):
    "a table of functions"
    table = {"k1": lambda x: x, "k2": lambda x: torch.square(x).div(2), "k3": lambda x: torch.exp(-x) - (1 - x)}
    if kind not in table:
        raise MinidsError(f"grpo: kl={kind!r} is not one of {', '.join(table)}")
    return table[kind](logp - ref_logp)


def right_4(logp, ref_logp, kind):
    "match"
    x = torch.sub(logp, ref_logp)
    match kind:
        case "k1":
            return x
        case "k2":
            return 0.5 * x**2
        case "k3":
            return 1 / torch.exp(x) + x - 1
    raise MinidsError(f"unknown kind {kind}")
