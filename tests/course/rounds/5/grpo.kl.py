"""grpo.kl"""
import torch


def wrong_1(logp, ref_logp, kind):
    "k3 has the sign of x the wrong way round"
    # breaks: "k3 = exp(-x) + x - 1" x = log 2: 0.307 instead of 0.193
    _choose("kl", kind, KLS[1:])
    x = ref_logp - logp
    if kind == "k1":
        return -x
    if kind == "k2":
        return 0.5 * x.square()
    return torch.exp(-x) + x - 1


def wrong_2(logp, ref_logp, kind):
    "k3's exponential has no gradient, it is taken as a weight"
    # breaks: "k3's that of the reverse direction" (gradients): d k3 / dx = 1 - exp(-x), here 1
    _choose("kl", kind, KLS[1:])
    x = logp - ref_logp
    if kind == "k1":
        return x
    if kind == "k2":
        return 0.5 * x.square()
    return torch.exp(-x.detach()) + x - 1


def wrong_3(logp, ref_logp, kind):
    "k2's value is right and its gradient half"
    # breaks: "k2's is the gradient of KL(pi || ref)" d k2 / dx = x, here x / 2
    _choose("kl", kind, KLS[1:])
    x = logp - ref_logp
    if kind == "k1":
        return x
    if kind == "k2":
        return 0.5 * x.detach() * x
    return torch.exp(-x) + x - 1


def wrong_4(logp, ref_logp, kind):
    "k1 is clamped at 0, as a divergence should be"
    # breaks: "k1 = x  unbiased, can be negative" logp=-2, ref_logp=-1: 0 instead of -1
    _choose("kl", kind, KLS[1:])
    x = logp - ref_logp
    if kind == "k1":
        return x.clamp(min=0)
    if kind == "k2":
        return 0.5 * x.square()
    return torch.exp(-x) + x - 1


def wrong_5(logp, ref_logp, kind):
    "\"none\" passes, and gives k3"
    # breaks: "Raises MinidsError for another kind" kind="none"
    _choose("kl", kind, KLS)
    x = logp - ref_logp
    if kind == "k1":
        return x
    if kind == "k2":
        return 0.5 * x.square()
    return torch.exp(-x) + x - 1


def wrong_6(logp, ref_logp, kind):
    "a dict of the three, a KeyError for another kind"
    # breaks: "Raises MinidsError for another kind" kind="k4"
    x = logp - ref_logp
    return {"k1": x, "k2": x**2 / 2, "k3": torch.exp(-x) + x - 1}[kind]


def wrong_7(logp, ref_logp, kind):
    "x is clamped to [-5, 5] against overflow"
    # breaks: "k1 = x", "k3 = exp(-x) + x - 1" logp=-1, ref_logp=-9: k1 is 5 instead of 8, and without a gradient
    _choose("kl", kind, KLS[1:])
    x = (logp - ref_logp).clamp(-5, 5)
    if kind == "k1":
        return x
    if kind == "k2":
        return 0.5 * x.square()
    return torch.exp(-x) + x - 1


def wrong_8(logp, ref_logp, kind):
    "the mean over tokens comes out for k2 and k3"
    # breaks: "Per-token estimates" any tensor with more than one token
    _choose("kl", kind, KLS[1:])
    x = logp - ref_logp
    if kind == "k1":
        return x
    if kind == "k2":
        return 0.5 * x.square().mean()
    return (torch.exp(-x) + x - 1).mean()


def wrong_9(logp, ref_logp, kind):
    "everything is computed in float32, float64 comes out as float32"
    # breaks: dtype; float64 in, float32 out; logp=-1, ref_logp=-1-1e-6: k2 is off by per cents
    _choose("kl", kind, KLS[1:])
    x = torch.as_tensor(logp).float() - torch.as_tensor(ref_logp).float()
    if kind == "k1":
        return x
    if kind == "k2":
        return 0.5 * x.square()
    return torch.exp(-x) + x - 1


def wrong_10(logp, ref_logp, kind):
    "the difference is taken in place: logp holds x afterwards"
    # breaks: arguments left unchanged; any logp without gradient (a leaf with gradient: RuntimeError)
    _choose("kl", kind, KLS[1:])
    logp -= ref_logp
    if kind == "k1":
        return logp.clone()
    if kind == "k2":
        return 0.5 * logp.square()
    return torch.exp(-logp) + logp - 1


def right_1(logp, ref_logp, kind):
    "expm1 for k3"
    if kind not in ("k1", "k2", "k3"):
        raise MinidsError(f"grpo: kl={kind!r} is not one of k1, k2, k3")
    x = logp - ref_logp
    if kind == "k3":
        return torch.expm1(-x) + x
    return x if kind == "k1" else x * x / 2


def right_2(logp, ref_logp, kind):
    "a dict of functions"
    _choose("kl", kind, KLS[1:])
    ways = {"k1": lambda d: d, "k2": lambda d: d**2 / 2, "k3": lambda d: (-d).exp() - (1 - d)}
    return ways[kind](logp - ref_logp)


def right_3(logp, ref_logp, kind):
    "k3 from the ratio of the reference to the policy, minus its logarithm"
    match kind:
        case "k1":
            return logp - ref_logp
        case "k2":
            return torch.pow(ref_logp - logp, 2) * 0.5
        case "k3":
            log_r = ref_logp - logp
            return log_r.exp() - 1 - log_r
        case _:
            raise MinidsError(f"grpo: kl={kind!r} is not one of k1, k2, k3")


def right_4(logp, ref_logp, kind):
    "early returns, the refusal last"
    x = torch.sub(logp, ref_logp)
    if kind == "k1":
        return x.clone()
    if kind == "k2":
        return torch.mul(x, x).div(2)
    if kind == "k3":
        return x + torch.exp(torch.neg(x)) - torch.ones_like(x)
    raise MinidsError(f"grpo: kl={kind!r}: there are k1, k2 and k3")
