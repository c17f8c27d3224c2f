"""layers.rope"""
import torch


def wrong_1(x, cos, sin, interleave=True):
    "the result is put back pair by pair where it was interleaved"
    if interleave:
        a, b = x[..., 0::2], x[..., 1::2]
        return torch.stack([a * cos - b * sin, b * cos + a * sin], dim=-1).flatten(-2)
    a, b = x.chunk(2, dim=-1)
    return torch.cat([a * cos - b * sin, b * cos + a * sin], dim=-1)


def wrong_2(x, cos, sin, interleave=True):
    "turned the other way round"
    a, b = (x[..., 0::2], x[..., 1::2]) if interleave else x.chunk(2, dim=-1)
    return torch.cat([a * cos + b * sin, b * cos - a * sin], dim=-1)


def wrong_3(x, cos, sin, interleave=True):
    "x is changed in place: b is turned with the new a"
    x = x.clone()
    a, b = (x[..., 0::2], x[..., 1::2]) if interleave else x.chunk(2, dim=-1)
    a.copy_(a * cos - b * sin)
    b.copy_(b * cos + a * sin)
    return torch.cat([a, b], dim=-1)


def wrong_4(x, cos, sin, interleave=True):
    "interleave is not looked at"
    a, b = x[..., 0::2], x[..., 1::2]
    return torch.cat([a * cos - b * sin, b * cos + a * sin], dim=-1)


def wrong_5(x, cos, sin, interleave=True):
    "the two values of interleave are exchanged"
    a, b = x.chunk(2, dim=-1) if interleave else (x[..., 0::2], x[..., 1::2])
    return torch.cat([a * cos - b * sin, b * cos + a * sin], dim=-1)


def wrong_6(x, cos, sin, interleave=True):
    "the argument itself is overwritten with the result"
    a, b = (x[..., 0::2], x[..., 1::2]) if interleave else x.chunk(2, dim=-1)
    out = torch.cat([a * cos - b * sin, b * cos + a * sin], dim=-1)
    with torch.no_grad():
        x.copy_(out.detach())
    return out


def wrong_7(x, cos, sin, interleave=True):
    "without interleave, the result is interleaved"
    if interleave:
        a, b = x[..., 0::2], x[..., 1::2]
        return torch.cat([a * cos - b * sin, b * cos + a * sin], dim=-1)
    a, b = x.chunk(2, dim=-1)
    return torch.stack([a * cos - b * sin, b * cos + a * sin], dim=-1).flatten(-2)


def wrong_8(x, cos, sin, interleave=True):
    "only the first batch row's cos and sin: places differ by row (left padding)"
    if cos.dim() > 2:
        cos, sin = cos[:1], sin[:1]
    a, b = (x[..., 0::2], x[..., 1::2]) if interleave else x.chunk(2, dim=-1)
    return torch.cat([a * cos - b * sin, b * cos + a * sin], dim=-1)


def wrong_9(x, cos, sin, interleave=True):
    "complex numbers in float32: float64 loses its digits and comes back as float32"
    a, b = (x[..., 0::2], x[..., 1::2]) if interleave else x.chunk(2, dim=-1)
    z = torch.complex(a.float(), b.float()) * torch.complex(cos.float(), sin.float())
    return torch.cat([z.real, z.imag], dim=-1)


def wrong_10(x, cos, sin, interleave=True):
    "sin is derived from cos, so its sign is lost"
    sin = (1 - cos.square()).clamp(min=0).sqrt()
    a, b = (x[..., 0::2], x[..., 1::2]) if interleave else x.chunk(2, dim=-1)
    return torch.cat([a * cos - b * sin, b * cos + a * sin], dim=-1)


def right_1(x, cos, sin, interleave=True):
    "reshape into pairs, unbind"
    if interleave:
        a, b = x.reshape(*x.shape[:-1], -1, 2).unbind(-1)
    else:
        a, b = x.reshape(*x.shape[:-1], 2, -1).unbind(-2)
    return torch.cat((cos * a - sin * b, sin * a + cos * b), -1)


def right_2(x, cos, sin, interleave=True):
    "Hugging Face's rotate_half after a reordering"
    if interleave:
        x = torch.cat([x[..., ::2], x[..., 1::2]], -1)
    half = x.shape[-1] // 2
    turned = torch.cat([-x[..., half:], x[..., :half]], -1)
    return x * torch.cat([cos, cos], -1) + turned * torch.cat([sin, sin], -1)


def right_3(x, cos, sin, interleave=True):
    "pair by pair in a loop"
    half = x.shape[-1] // 2
    firsts, seconds = [], []
    for i in range(half):
        j, k = (2 * i, 2 * i + 1) if interleave else (i, i + half)
        c, s = cos[..., i], sin[..., i]
        firsts.append(x[..., j] * c - x[..., k] * s)
        seconds.append(x[..., k] * c + x[..., j] * s)
    return torch.stack(firsts + seconds, dim=-1)


def right_4(x, cos, sin, interleave=True):
    "index_select"
    size = x.shape[-1]
    order = torch.arange(size, device=x.device)
    order = order.view(-1, 2).t() if interleave else order.view(2, -1)
    a, b = x.index_select(-1, order[0]), x.index_select(-1, order[1])
    return torch.cat([a * cos - b * sin, a * sin + b * cos], dim=-1)
