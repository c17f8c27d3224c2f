"""layers.swiglu"""
import math

import torch
import torch.nn.functional as F




def wrong_1(gate, up):
    'silu of the wrong half'
    return gate * F.silu(up)


def wrong_2(gate, up):
    'sigmoid only (GLU)'
    return torch.sigmoid(gate) * up


def wrong_3(gate, up):
    'exp(z) / (1 + exp(z)): NaN for a large gate'
    e = gate.exp()
    return gate * (e / (1 + e)) * up


def wrong_4(gate, up):
    'z / (1 + exp(-z)): value right, gradient NaN for a gate below -89'
    return gate / (1 + torch.exp(-gate)) * up


def wrong_5(gate, up):
    "silu in place: the caller's gate is overwritten"
    g = gate.detach() if gate.requires_grad else gate
    F.silu(g, inplace=True)
    return g * up


def wrong_6(gate, up):
    'GELU instead of SiLU'
    return F.gelu(gate) * up


def wrong_7(gate, up):
    'float32 result for bf16 inputs'
    return F.silu(gate.float()) * up.float()


def wrong_8(gate, up):
    'the sigmoid has no gradient'
    return gate * torch.sigmoid(gate).detach() * up


def wrong_9(gate, up):
    'silu of the product'
    return F.silu(gate * up)


def wrong_10(gate, up):
    'gate clamped to -10 … 10 against overflow: another value beyond'
    g = gate.clamp(-10, 10)
    return g * torch.sigmoid(g) * up


def right_1(gate, up):
    'F.silu'
    return F.silu(gate) * up


def right_2(gate, up):
    'by tanh: sigmoid(z) = (1 + tanh(z/2)) / 2'
    return up * gate * (0.5 * (1 + torch.tanh(gate / 2)))


def right_3(gate, up):
    'in float32 for half precision, cast at the end'
    wide = torch.promote_types(gate.dtype, torch.float32)
    g = gate.to(wide)
    return (g.sigmoid() * g * up.to(wide)).to(gate.dtype)


def right_4(gate, up):
    'exp(logsigmoid)'
    return torch.exp(F.logsigmoid(gate)) * gate * up
