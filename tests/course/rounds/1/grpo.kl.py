"""grpo.kl"""
import torch

def wrong_1(logp, ref_logp, kind):
    "x the other way round"
    _choose("kl", kind, KLS[1:])
    x = ref_logp - logp
    return x if kind == "k1" else 0.5 * x.square() if kind == "k2" else torch.exp(-x) + x - 1

def wrong_2(logp, ref_logp, kind):
    "k3 = exp(x) - x - 1"
    _choose("kl", kind, KLS[1:])
    x = logp - ref_logp
    return x if kind == "k1" else 0.5 * x.square() if kind == "k2" else torch.exp(x) - x - 1

def wrong_3(logp, ref_logp, kind):
    "k2 without the half"
    _choose("kl", kind, KLS[1:])
    x = logp - ref_logp
    return x if kind == "k1" else x.square() if kind == "k2" else torch.exp(-x) + x - 1

def wrong_4(logp, ref_logp, kind):
    "unknown kinds count as k3: nothing is refused"
    x = logp - ref_logp
    return x if kind == "k1" else 0.5 * x.square() if kind == "k2" else torch.exp(-x) + x - 1

def wrong_5(logp, ref_logp, kind):
    "ValueError for an unknown kind, not MinidsError"
    x = logp - ref_logp
    if kind == "k1":
        return x
    if kind == "k2":
        return 0.5 * x.square()
    if kind == "k3":
        return torch.exp(-x) + x - 1
    raise ValueError(f"kl={kind!r}")

def wrong_6(logp, ref_logp, kind):
    "accepts 'none' and returns zeros"
    _choose("kl", kind, KLS)
    x = logp - ref_logp
    if kind == "none":
        return torch.zeros_like(x)
    return x if kind == "k1" else 0.5 * x.square() if kind == "k2" else torch.exp(-x) + x - 1

def wrong_7(logp, ref_logp, kind):
    "the mean over all tokens, not per token"
    _choose("kl", kind, KLS[1:])
    x = logp - ref_logp
    return (x if kind == "k1" else 0.5 * x.square() if kind == "k2" else torch.exp(-x) + x - 1).mean()

def wrong_8(logp, ref_logp, kind):
    "k1 clamped at 0: never negative"
    _choose("kl", kind, KLS[1:])
    x = logp - ref_logp
    return x.clamp(min=0) if kind == "k1" else 0.5 * x.square() if kind == "k2" else torch.exp(-x) + x - 1

def wrong_9(logp, ref_logp, kind):
    "k3's ratio is detached, as if it were a weight: the gradient is 1 everywhere"
    _choose("kl", kind, KLS[1:])
    x = logp - ref_logp
    return x if kind == "k1" else 0.5 * x.square() if kind == "k2" else torch.exp(-x).detach() + x - 1

def wrong_10(logp, ref_logp, kind):
    "no gradient at all: computed under no_grad"
    _choose("kl", kind, KLS[1:])
    with torch.no_grad():
        x = logp - ref_logp
        return x if kind == "k1" else 0.5 * x.square() if kind == "k2" else torch.exp(-x) + x - 1

def right_1(logp, ref_logp, kind):
    "expm1"
    _choose("kl", kind, KLS[1:])
    x = logp - ref_logp
    return {"k1": lambda: x, "k2": lambda: x * x / 2, "k3": lambda: torch.expm1(-x) + x}[kind]()

def right_2(logp, ref_logp, kind):
    "with log r = log ref - log pi, as Schulman writes it"
    if kind not in ("k1", "k2", "k3"):
        raise MinidsError(f"grpo: kl={kind!r} is not one of k1, k2, k3")
    logr = ref_logp - logp
    if kind == "k1":
        return -logr
    if kind == "k2":
        return logr**2 / 2
    return logr.exp() - 1 - logr

def right_3(logp, ref_logp, kind):
    "match"
    match kind:
        case "k1":
            return logp - ref_logp
        case "k2":
            return 0.5 * (logp - ref_logp) ** 2
        case "k3":
            return (ref_logp - logp).exp() - (ref_logp - logp) - 1
    raise MinidsError(f"grpo: no estimate of the KL is called {kind!r}")

def right_4(logp, ref_logp, kind):
    "torch.square, torch.sub; k3 last"
    _choose("kl", kind, ("k1", "k2", "k3"))
    x = torch.sub(logp, ref_logp)
    if kind == "k3":
        return x.neg().exp().add(x).sub(1)
    return x if kind == "k1" else torch.square(x).div(2)
