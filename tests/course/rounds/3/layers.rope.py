"""layers.rope"""
import math

import torch
import torch.nn.functional as F




def wrong_1(x, cos, sin, interleave=True):
    'turned the other way'
    a, b = (x[..., 0::2], x[..., 1::2]) if interleave else x.chunk(2, -1)
    return torch.cat([a * cos + b * sin, b * cos - a * sin], -1)


def wrong_2(x, cos, sin, interleave=True):
    'written back interleaved: (a0, b0, a1, b1, …)'
    a, b = (x[..., 0::2], x[..., 1::2]) if interleave else x.chunk(2, -1)
    return torch.stack([a * cos - b * sin, b * cos + a * sin], -1).flatten(-2)


def wrong_3(x, cos, sin, interleave=True):
    'interleave=False comes back in the order it came only there; interleave=True is written back interleaved'
    a, b = (x[..., 0::2], x[..., 1::2]) if interleave else x.chunk(2, -1)
    y = [a * cos - b * sin, b * cos + a * sin]
    return torch.stack(y, -1).flatten(-2) if interleave else torch.cat(y, -1)


def wrong_4(x, cos, sin, interleave=True):
    'interleave is not looked at: always halves'
    a, b = x.chunk(2, -1)
    return torch.cat([a * cos - b * sin, b * cos + a * sin], -1)


def wrong_5(x, cos, sin, interleave=True):
    'interleave is not looked at: always neighbours'
    a, b = x[..., 0::2], x[..., 1::2]
    return torch.cat([a * cos - b * sin, b * cos + a * sin], -1)


def wrong_6(x, cos, sin, interleave=True):
    'b is turned with the a that is already turned'
    a, b = (x[..., 0::2], x[..., 1::2]) if interleave else x.chunk(2, -1)
    a = a * cos - b * sin
    return torch.cat([a, b * cos + a * sin], -1)


def wrong_7(x, cos, sin, interleave=True):
    'turns x itself, too'
    a, b = (x[..., 0::2], x[..., 1::2]) if interleave else x.chunk(2, -1)
    y = torch.cat([a * cos - b * sin, b * cos + a * sin], -1)
    x.detach().copy_(y.detach())
    return y


def wrong_8(x, cos, sin, interleave=True):
    'rotate_half with cos repeated for halves, used for neighbours as well: (a0, a1 | b0, b1) are mispaired'
    h = x.shape[-1] // 2
    c, s = torch.cat([cos, cos], -1), torch.cat([sin, sin], -1)
    if interleave:
        c, s = cos.repeat_interleave(2, -1), sin.repeat_interleave(2, -1)
    return x * c + torch.cat([-x[..., h:], x[..., :h]], -1) * s


def wrong_9(x, cos, sin, interleave=True):
    'cos and sin of the first row for the whole batch (differs if cos has a batch axis of its own)'
    a, b = (x[..., 0::2], x[..., 1::2]) if interleave else x.chunk(2, -1)
    if cos.dim() > 2:
        cos, sin = cos[:1], sin[:1]
    return torch.cat([a * cos - b * sin, b * cos + a * sin], -1)


def wrong_10(x, cos, sin, interleave=True):
    'no gradient'
    a, b = (x[..., 0::2], x[..., 1::2]) if interleave else x.chunk(2, -1)
    with torch.no_grad():
        return torch.cat([a * cos - b * sin, b * cos + a * sin], -1)


def right_1(x, cos, sin, interleave=True):
    'reshape to pairs, unbind'
    if interleave:
        a, b = x.unflatten(-1, (-1, 2)).unbind(-1)
    else:
        a, b = x.unflatten(-1, (2, -1)).unbind(-2)
    return torch.cat((a * cos - b * sin, a * sin + b * cos), dim=-1)


def right_2(x, cos, sin, interleave=True):
    'a permutation to halves, then rotate_half'
    R = x.shape[-1]
    order = torch.arange(R, device=x.device)
    if interleave:
        order = torch.cat([order[0::2], order[1::2]])
    x = x[..., order]
    c, s = torch.cat([cos, cos], -1), torch.cat([sin, sin], -1)
    return x * c + torch.cat([-x[..., R // 2 :], x[..., : R // 2]], -1) * s


def right_3(x, cos, sin, interleave=True):
    'a turning matrix for each pair, einsum'
    p = x.unflatten(-1, (-1, 2)) if interleave else x.unflatten(-1, (2, -1)).transpose(-1, -2)
    m = torch.stack([torch.stack([cos, -sin], -1), torch.stack([sin, cos], -1)], -2)
    y = (m * p[..., None, :]).sum(-1)
    return y.transpose(-1, -2).flatten(-2)


def right_4(x, cos, sin, interleave=True):
    'pair by pair in a loop'
    R, first, second = x.shape[-1], [], []
    for i in range(R // 2):
        a, b = (x[..., 2 * i], x[..., 2 * i + 1]) if interleave else (x[..., i], x[..., i + R // 2])
        first.append(a * cos[..., i] - b * sin[..., i])
        second.append(b * cos[..., i] + a * sin[..., i])
    return torch.stack(first + second, -1)
