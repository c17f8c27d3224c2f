"""layers.rope"""
import torch


def _pairs(x, interleave):
    if interleave:
        return x[..., 0::2], x[..., 1::2]
    return x.chunk(2, dim=-1)


def wrong_1(x, cos, sin, interleave=True):
    "turned the other way round (sign of sin)"
    a, b = _pairs(x, interleave)
    return torch.cat([a * cos + b * sin, b * cos - a * sin], dim=-1)


def wrong_2(x, cos, sin, interleave=True):
    "result interleaved again when the input was"
    a, b = _pairs(x, interleave)
    first, second = a * cos - b * sin, b * cos + a * sin
    if interleave:
        return torch.stack([first, second], dim=-1).flatten(-2)
    return torch.cat([first, second], dim=-1)


def wrong_3(x, cos, sin, interleave=True):
    "interleave ignored: always pairs (0, 1), (2, 3), ..."
    a, b = x[..., 0::2], x[..., 1::2]
    return torch.cat([a * cos - b * sin, b * cos + a * sin], dim=-1)


def wrong_4(x, cos, sin, interleave=True):
    "interleave ignored: always halves"
    a, b = x.chunk(2, dim=-1)
    return torch.cat([a * cos - b * sin, b * cos + a * sin], dim=-1)


def wrong_5(x, cos, sin, interleave=True):
    "the second number is computed from the first one already turned"
    a, b = _pairs(x, interleave)
    a = a * cos - b * sin
    return torch.cat([a, b * cos + a * sin], dim=-1)


def wrong_6(x, cos, sin, interleave=True):
    "in place: x of the caller is overwritten"
    a, b = _pairs(x.detach(), interleave)
    first, second = a * cos - b * sin, b * cos + a * sin
    x.detach()[..., : x.shape[-1] // 2] = first
    x.detach()[..., x.shape[-1] // 2 :] = second
    return torch.cat([first, second], dim=-1)


def wrong_7(x, cos, sin, interleave=True):
    "writes into torch.empty(x.shape) of the default dtype: float64 comes back as float32"
    a, b = _pairs(x, interleave)
    out = torch.empty(x.shape)
    half = x.shape[-1] // 2
    out[..., :half] = a * cos - b * sin
    out[..., half:] = b * cos + a * sin
    return out


def wrong_8(x, cos, sin, interleave=True):
    "with halves the angles are repeated pairwise (repeat_interleave), so entry i gets the angle i // 2"
    if interleave:
        a, b = _pairs(x, True)
        return torch.cat([a * cos - b * sin, b * cos + a * sin], dim=-1)
    c, s = cos.repeat_interleave(2, -1), sin.repeat_interleave(2, -1)
    a, b = x.chunk(2, dim=-1)
    return x * c + torch.cat([-b, a], dim=-1) * s


def wrong_9(x, cos, sin, interleave=True):
    "sin computed as sqrt(1 - cos^2): wrong sign for angles above pi, and wrong under YaRN's magnitude"
    a, b = _pairs(x, interleave)
    s = (1 - cos * cos).clamp(min=0).sqrt()
    return torch.cat([a * cos - b * s, b * cos + a * s], dim=-1)


def wrong_10(x, cos, sin, interleave=True):
    "complex numbers through .float(): float64 input is computed with float32 digits"
    a, b = _pairs(x.float(), interleave)
    z = torch.complex(a, b) * torch.complex(*torch.broadcast_tensors(cos.float(), sin.float()))
    return torch.cat([z.real, z.imag], dim=-1).to(x.dtype)


def right_1(x, cos, sin, interleave=True):
    "a view of pairs and unbind"
    half = x.shape[-1] // 2
    if interleave:
        a, b = x.unflatten(-1, (half, 2)).unbind(-1)
    else:
        a, b = x.unflatten(-1, (2, half)).unbind(-2)
    return torch.cat((cos * a - sin * b, sin * a + cos * b), -1)


def right_2(x, cos, sin, interleave=True):
    "rotate_half, after the pairs have been sorted"
    half = x.shape[-1] // 2
    if interleave:
        x = torch.cat([x[..., ::2], x[..., 1::2]], -1)
    turned = torch.cat([-x[..., half:], x[..., :half]], -1)
    return x * torch.cat([cos, cos], -1) + turned * torch.cat([sin, sin], -1)


def right_3(x, cos, sin, interleave=True):
    "index lists for the pairs, stacked then flattened"
    r = x.shape[-1]
    i = torch.arange(0, r, 2, device=x.device) if interleave else torch.arange(r // 2, device=x.device)
    j = i + 1 if interleave else i + r // 2
    a, b = x.index_select(-1, i), x.index_select(-1, j)
    return torch.stack([a * cos - b * sin, a * sin + b * cos], dim=-2).flatten(-2)


def right_4(x, cos, sin, interleave=True):
    "pair by pair in a loop"
    half = x.shape[-1] // 2
    firsts, seconds = [], []
    for i in range(half):
        a, b = (x[..., 2 * i], x[..., 2 * i + 1]) if interleave else (x[..., i], x[..., i + half])
        c, s = cos[..., i], sin[..., i]
        firsts.append(a * c - b * s)
        seconds.append(b * c + a * s)
    return torch.stack(firsts + seconds, dim=-1)
