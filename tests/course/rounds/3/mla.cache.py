"""mla.cache"""
import math

import torch
import torch.nn.functional as F


def wrong_1(down_BTX, norm, cos, sin, interleave=True, cache=None, layer=0):
    'the latent is stored before the norm; normalised when read (the cache holds unfinished numbers)'
    C = norm.weight.shape[0]
    lat, key = down_BTX[..., :C], down_BTX[..., C:]
    new = torch.cat([lat, apply_rope(key, cos, sin, interleave)], -1)
    x = new if cache is None else cache.append(layer, new)
    return norm(x[..., :C]), x[..., C:]


def wrong_2(down_BTX, norm, cos, sin, interleave=True, cache=None, layer=0):
    'normalised again at every reading'
    C = norm.weight.shape[0]
    lat, key = down_BTX[..., :C], down_BTX[..., C:]
    new = torch.cat([norm(lat), apply_rope(key, cos, sin, interleave)], -1)
    if cache is None:
        return new[..., :C], new[..., C:]
    x = cache.append(layer, new)
    return norm(x[..., :C]), x[..., C:]


def wrong_3(down_BTX, norm, cos, sin, interleave=True, cache=None, layer=0):
    'interleave is not handed on'
    C = norm.weight.shape[0]
    lat, key = down_BTX[..., :C], down_BTX[..., C:]
    new = torch.cat([norm(lat), apply_rope(key, cos, sin)], -1)
    x = new if cache is None else cache.append(layer, new)
    return x[..., :C], x[..., C:]


def wrong_4(down_BTX, norm, cos, sin, interleave=True, cache=None, layer=0):
    'layer is not handed on: all in layer 0'
    C = norm.weight.shape[0]
    lat, key = down_BTX[..., :C], down_BTX[..., C:]
    new = torch.cat([norm(lat), apply_rope(key, cos, sin, interleave)], -1)
    x = new if cache is None else cache.append(0, new)
    return x[..., :C], x[..., C:]


def wrong_5(down_BTX, norm, cos, sin, interleave=True, cache=None, layer=0):
    'only the new tokens come back'
    C = norm.weight.shape[0]
    lat, key = down_BTX[..., :C], down_BTX[..., C:]
    new = torch.cat([norm(lat), apply_rope(key, cos, sin, interleave)], -1)
    if cache is not None:
        cache.append(layer, new)
    return new[..., :C], new[..., C:]


def wrong_6(down_BTX, norm, cos, sin, interleave=True, cache=None, layer=0):
    'stored as [key ; latent]'
    C = norm.weight.shape[0]
    lat, key = down_BTX[..., :C], down_BTX[..., C:]
    new = torch.cat([apply_rope(key, cos, sin, interleave), norm(lat)], -1)
    x = new if cache is None else cache.append(layer, new)
    R = key.shape[-1]
    return x[..., R:], x[..., :R]


def wrong_7(down_BTX, norm, cos, sin, interleave=True, cache=None, layer=0):
    'the key is not rotated before it is stored, the new part is rotated on the way out: old ones come back plain'
    C = norm.weight.shape[0]
    lat, key = down_BTX[..., :C], down_BTX[..., C:]
    if cache is None:
        return norm(lat), apply_rope(key, cos, sin, interleave)
    x = cache.append(layer, torch.cat([norm(lat), key], -1))
    T = key.shape[1]
    old, now = x[:, :-T, C:], apply_rope(x[:, -T:, C:], cos, sin, interleave)
    return x[..., :C], torch.cat([old, now], 1)


def wrong_8(down_BTX, norm, cos, sin, interleave=True, cache=None, layer=0):
    'no norm'
    C = norm.weight.shape[0]
    lat, key = down_BTX[..., :C], down_BTX[..., C:]
    new = torch.cat([lat, apply_rope(key, cos, sin, interleave)], -1)
    x = new if cache is None else cache.append(layer, new)
    return x[..., :C], x[..., C:]


def wrong_9(down_BTX, norm, cos, sin, interleave=True, cache=None, layer=0):
    'appended twice, once for each half returned'
    C = norm.weight.shape[0]
    lat, key = down_BTX[..., :C], down_BTX[..., C:]
    new = torch.cat([norm(lat), apply_rope(key, cos, sin, interleave)], -1)
    if cache is None:
        return new[..., :C], new[..., C:]
    return cache.append(layer, new)[..., :C], cache.append(layer, new)[..., C:]


def wrong_10(down_BTX, norm, cos, sin, interleave=True, cache=None, layer=0):
    'detached also without a cache: no gradient for W_DKV'
    C = norm.weight.shape[0]
    lat, key = down_BTX[..., :C], down_BTX[..., C:]
    new = torch.cat([norm(lat), apply_rope(key, cos, sin, interleave)], -1)
    new = new.detach()
    x = new if cache is None else cache.append(layer, new)
    return x[..., :C], x[..., C:]


def right_1(down_BTX, norm, cos, sin, interleave=True, cache=None, layer=0):
    'two returns, split'
    R = 2 * cos.shape[-1]
    latent, key = torch.split(down_BTX, [down_BTX.shape[-1] - R, R], -1)
    latent, key = norm(latent), apply_rope(key, cos, sin, interleave=interleave)
    if cache is None:
        return latent, key
    done = cache.append(layer, torch.cat((latent, key), dim=-1))
    return done[:, :, :-R], done[:, :, -R:]


def right_2(down_BTX, norm, cos, sin, interleave=True, cache=None, layer=0):
    'tensor_split'
    C = len(norm.weight)
    latent, key = down_BTX.tensor_split([C], dim=-1)
    x = torch.cat([norm(latent), apply_rope(key, cos, sin, interleave)], dim=2)
    if cache is not None:
        x = cache.append(layer, x)
    return tuple(x.tensor_split([C], dim=-1))


def right_3(down_BTX, norm, cos, sin, interleave=True, cache=None, layer=0):
    'the key first, narrow'
    C = norm.weight.numel()
    key = apply_rope(down_BTX.narrow(-1, C, down_BTX.shape[-1] - C), cos, sin, interleave)
    lat = norm(down_BTX.narrow(-1, 0, C))
    x = torch.cat([lat, key], -1)
    x = cache.append(layer, x) if cache is not None else x
    return x.narrow(-1, 0, C), x.narrow(-1, C, x.shape[-1] - C)


def right_4(down_BTX, norm, cos, sin, interleave=True, cache=None, layer=0):
    'the rotation written out'
    C = norm.weight.shape[0]
    lat, key = down_BTX[..., :C], down_BTX[..., C:]
    a, b = (key[..., ::2], key[..., 1::2]) if interleave else key.chunk(2, -1)
    new = torch.cat([norm(lat), a * cos - b * sin, b * cos + a * sin], -1)
    x = new if cache is None else cache.append(layer, new)
    return x[..., :C], x[..., C:]
