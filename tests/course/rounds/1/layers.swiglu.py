"""layers.swiglu"""
import torch
import torch.nn.functional as F


def wrong_1(gate, up):
    "plain GLU: sigmoid(gate) * up"
    return torch.sigmoid(gate) * up


def wrong_2(gate, up):
    "silu on the wrong one of the two"
    return gate * F.silu(up)


def wrong_3(gate, up):
    "GELU instead of silu"
    return F.gelu(gate) * up


def wrong_4(gate, up):
    "exp(z) / (1 + exp(z)): NaN for large z"
    e = torch.exp(gate)
    return gate * (e / (1 + e)) * up


def wrong_5(gate, up):
    "in place: the gate of the caller is changed"
    with torch.no_grad():
        return gate.mul_(torch.sigmoid(gate)) * up


def wrong_6(gate, up):
    "in float32 and left there: bf16 in, float32 out"
    return F.silu(gate.float()) * up.float()


def wrong_7(gate, up):
    "computed in float32 and cast back: float64 loses digits"
    return (F.silu(gate.float()) * up.float()).to(gate.dtype)


def wrong_8(gate, up):
    "the gate's sigmoid has no gradient"
    return gate * torch.sigmoid(gate.detach()) * up


def wrong_9(gate, up):
    "1 / (1 + exp(-z)) as a product: z / (1 + exp(-z)) is right forwards, but the gradient is NaN for very negative z (inf * 0)"
    return gate / (1 + torch.exp(-gate)) * up


def wrong_10(gate, up):
    "silu applied twice: F.silu(gate) * sigmoid(gate)"
    return F.silu(gate) * torch.sigmoid(gate) * up


def right_1(gate, up):
    "F.silu"
    return F.silu(gate) * up


def right_2(gate, up):
    "torch.special.expit, the weight times up first"
    share = torch.special.expit(gate)
    return (share * gate) * up


class _Swiglu(torch.autograd.Function):
    @staticmethod
    def forward(ctx, gate, up):
        ctx.save_for_backward(gate, up)
        return gate * gate.sigmoid() * up

    @staticmethod
    def backward(ctx, grad):
        gate, up = ctx.saved_tensors
        s = gate.sigmoid()
        return grad * up * s * (1 + gate * (1 - s)), grad * gate * s


def right_3(gate, up):
    "an autograd.Function with its own backward"
    return _Swiglu.apply(gate, up)


def right_4(gate, up):
    "torch.where on the sign, each branch without overflow"
    e = torch.exp(-gate.abs())
    sig = torch.where(gate >= 0, 1 / (1 + e), e / (1 + e))
    return torch.mul(gate * sig, up)
