"""mla.cache"""
import torch


def _split(down, norm):
    rank = norm.weight.shape[0]
    return rank, down[..., :rank], down[..., rank:]


def wrong_1(down_BTX, norm, cos, sin, interleave=True, cache=None, layer=0):
    "rotates on reading: keys are stored plain, all of them are turned by the new tokens' angles"
    rank, latent, rope = _split(down_BTX, norm)
    new = torch.cat([norm(latent), rope], -1)
    every = new if cache is None else cache.append(layer, new)
    key = every[..., rank:]
    if cos.shape[-2] != 1 and cos.shape[-2] != key.shape[1]:
        n = cos.shape[-2]
        return every[..., :rank], torch.cat([key[:, :-n], apply_rope(key[:, -n:], cos, sin, interleave)], 1)
    return every[..., :rank], apply_rope(key, cos, sin, interleave)


def wrong_2(down_BTX, norm, cos, sin, interleave=True, cache=None, layer=0):
    "normalises on reading as well: the older latents are normalised again"
    rank, latent, rope = _split(down_BTX, norm)
    new = torch.cat([norm(latent), apply_rope(rope, cos, sin, interleave)], -1)
    every = new if cache is None else cache.append(layer, new)
    if cache is not None:
        return norm(every[..., :rank]), every[..., rank:]
    return every[..., :rank], every[..., rank:]


def wrong_3(down_BTX, norm, cos, sin, interleave=True, cache=None, layer=0):
    "layer dropped: every layer writes into layer 0"
    rank, latent, rope = _split(down_BTX, norm)
    new = torch.cat([norm(latent), apply_rope(rope, cos, sin, interleave)], -1)
    every = new if cache is None else cache.append(0, new)
    return every[..., :rank], every[..., rank:]


def wrong_4(down_BTX, norm, cos, sin, interleave=True, cache=None, layer=0):
    "interleave dropped"
    rank, latent, rope = _split(down_BTX, norm)
    new = torch.cat([norm(latent), apply_rope(rope, cos, sin)], -1)
    every = new if cache is None else cache.append(layer, new)
    return every[..., :rank], every[..., rank:]


def wrong_5(down_BTX, norm, cos, sin, interleave=True, cache=None, layer=0):
    "stores, but returns the new tokens only"
    rank, latent, rope = _split(down_BTX, norm)
    new = torch.cat([norm(latent), apply_rope(rope, cos, sin, interleave)], -1)
    if cache is not None:
        cache.append(layer, new)
    return new[..., :rank], new[..., rank:]


def wrong_6(down_BTX, norm, cos, sin, interleave=True, cache=None, layer=0):
    "norm over latent and key together: the mean square is that of C + R numbers"
    rank, latent, rope = _split(down_BTX, norm)
    rstd = torch.rsqrt(down_BTX.square().mean(-1, keepdim=True) + norm.eps)
    new = torch.cat([latent * rstd * norm.weight, apply_rope(rope, cos, sin, interleave)], -1)
    every = new if cache is None else cache.append(layer, new)
    return every[..., :rank], every[..., rank:]


def wrong_7(down_BTX, norm, cos, sin, interleave=True, cache=None, layer=0):
    "latent stored before the norm; the norm is applied to what is returned of the new ones only"
    rank, latent, rope = _split(down_BTX, norm)
    key = apply_rope(rope, cos, sin, interleave)
    if cache is None:
        return norm(latent), key
    every = cache.append(layer, torch.cat([latent, key], -1))
    T = down_BTX.shape[1]
    return torch.cat([every[:, :-T, :rank], norm(latent)], 1), every[..., rank:]


def wrong_8(down_BTX, norm, cos, sin, interleave=True, cache=None, layer=0):
    "writes the finished numbers over the argument down_BTX"
    rank, latent, rope = _split(down_BTX, norm)
    with torch.no_grad():
        done = torch.cat([norm(latent), apply_rope(rope, cos, sin, interleave)], -1)
        down_BTX.copy_(done)
    every = down_BTX if cache is None else cache.append(layer, down_BTX)
    return every[..., :rank], every[..., rank:]


def wrong_9(down_BTX, norm, cos, sin, interleave=True, cache=None, layer=0):
    "normalised by hand, without the norm's weights (differs once they are not 1; no gradient to them)"
    rank, latent, rope = _split(down_BTX, norm)
    wide = latent.to(torch.promote_types(latent.dtype, torch.float32))
    latent = (wide * torch.rsqrt(wide.square().mean(-1, keepdim=True) + norm.eps)).to(latent.dtype)
    new = torch.cat([latent, apply_rope(rope, cos, sin, interleave)], -1)
    every = new if cache is None else cache.append(layer, new)
    return every[..., :rank], every[..., rank:]


def wrong_10(down_BTX, norm, cos, sin, interleave=True, cache=None, layer=0):
    "without a cache detached from the graph: no gradient to down_BTX and norm"
    rank, latent, rope = _split(down_BTX.detach(), norm)
    new = torch.cat([norm(latent).detach(), apply_rope(rope, cos, sin, interleave)], -1)
    every = new if cache is None else cache.append(layer, new)
    return every[..., :rank], every[..., rank:]


def right_1(down_BTX, norm, cos, sin, interleave=True, cache=None, layer=0):
    "early return without a cache"
    C = norm.weight.numel()
    latent = norm(down_BTX[:, :, :C])
    key = apply_rope(down_BTX[:, :, C:], cos, sin, interleave)
    if cache is None:
        return latent, key
    both = cache.append(layer, torch.cat((latent, key), dim=2))
    return both[:, :, :C], both[:, :, C:]


def right_2(down_BTX, norm, cos, sin, interleave=True, cache=None, layer=0):
    "tensor_split by the norm's size, keyword arguments"
    latent, key = down_BTX.tensor_split([norm.weight.size(0)], dim=-1)
    done = torch.cat([norm(latent), apply_rope(key, cos, sin, interleave=interleave)], dim=-1)
    if cache is not None:
        done = cache.append(layer, done)
    out = done.tensor_split([norm.weight.size(0)], dim=-1)
    return out[0], out[1]


def right_3(down_BTX, norm, cos, sin, interleave=True, cache=None, layer=0):
    "size of the key from cos"
    R = 2 * cos.shape[-1]
    C = down_BTX.shape[-1] - R
    new = torch.cat([norm(down_BTX.narrow(-1, 0, C)), apply_rope(down_BTX.narrow(-1, C, R), cos, sin, interleave)], -1)
    stored = new if cache is None else cache.append(layer, new)
    latents, keys = stored.split((C, R), dim=-1)
    return latents, keys


def right_4(down_BTX, norm, cos, sin, interleave=True, cache=None, layer=0):
    "filled into a tensor of the same kind"
    C = len(norm.weight)
    new = torch.zeros_like(down_BTX)
    new[..., :C] = norm(down_BTX[..., :C])
    new[..., C:] = apply_rope(down_BTX[..., C:], cos, sin, interleave)
    if cache is not None:
        new = cache.append(layer, new)
    return new[..., :C], new[..., C:]
