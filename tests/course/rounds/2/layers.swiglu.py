"""layers.swiglu"""
import torch
import torch.nn.functional as F


def wrong_1(gate, up):
    "exp(z) / (1 + exp(z)) by hand: NaN for large gates"
    e = torch.exp(gate)
    return gate * (e / (1 + e)) * up


def wrong_2(gate, up):
    "the other way round: silu(up) * gate"
    return gate * up * torch.sigmoid(up)


def wrong_3(gate, up):
    "GLU: the sigmoid without its z"
    return torch.sigmoid(gate) * up


def wrong_4(gate, up):
    "GELU instead of SiLU"
    return F.gelu(gate) * up


def wrong_5(gate, up):
    "the quick GELU: sigmoid(1.702 z)"
    return gate * torch.sigmoid(1.702 * gate) * up


def wrong_6(gate, up):
    "gate / (1 + exp(-gate)): the gradient is NaN for gates below -88 (the value is right)"
    return gate / (1 + torch.exp(-gate)) * up


def wrong_7(gate, up):
    "in float32, and the result stays there: bfloat16 in, float32 out; float64 loses its digits"
    return F.silu(gate.float()) * up.float()


def wrong_8(gate, up):
    "silu in place: the caller's gate is changed"
    gate *= torch.sigmoid(gate)
    return gate * up


def wrong_9(gate, up):
    "the sigmoid is treated as a constant: the gradient of gate lacks a term"
    return gate * torch.sigmoid(gate).detach() * up


def wrong_10(gate, up):
    "large gates are clamped to 20 for safety: wrong values above"
    gate = gate.clamp(-20, 20)
    return gate * torch.sigmoid(gate) * up


def right_1(gate, up):
    "torch's silu"
    return F.silu(gate) * up


def right_2(gate, up):
    "sigmoid by tanh"
    return gate * (0.5 * (1 + torch.tanh(gate / 2))) * up


def right_3(gate, up):
    "other order, Tensor methods"
    weight = gate.sigmoid()
    return (up * gate).mul(weight)


def right_4(gate, up):
    "half precision computed in float32 and converted back"
    if gate.dtype in (torch.float16, torch.bfloat16):
        return (F.silu(gate.float()) * up.float()).to(gate.dtype)
    return torch.mul(torch.mul(torch.sigmoid(gate), gate), up)
