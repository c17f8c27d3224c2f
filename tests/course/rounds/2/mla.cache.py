"""mla.cache"""
import torch
import torch.nn.functional as F


def wrong_1(down_BTX, norm, cos, sin, interleave=True, cache=None, layer=0):
    "the raw key is stored and rotated on reading, with the new tokens' angles"
    rank = norm.weight.shape[0]
    new = torch.cat([norm(down_BTX[..., :rank]), down_BTX[..., rank:]], dim=-1)
    both = new if cache is None else cache.append(layer, new)
    return both[..., :rank], apply_rope(both[..., rank:], cos, sin, interleave)


def wrong_2(down_BTX, norm, cos, sin, interleave=True, cache=None, layer=0):
    "normalised once more on reading: seen with weights other than 1"
    rank = norm.weight.shape[0]
    new = torch.cat([norm(down_BTX[..., :rank]), apply_rope(down_BTX[..., rank:], cos, sin, interleave)], dim=-1)
    if cache is None:
        return new[..., :rank], new[..., rank:]
    both = cache.append(layer, new)
    return norm(both[..., :rank]), both[..., rank:]


def wrong_3(down_BTX, norm, cos, sin, interleave=True, cache=None, layer=0):
    "raw latents are stored and normalised on reading: the result is right, what lies in the cache is not finished"
    rank = norm.weight.shape[0]
    new = torch.cat([down_BTX[..., :rank], apply_rope(down_BTX[..., rank:], cos, sin, interleave)], dim=-1)
    both = new if cache is None else cache.append(layer, new)
    return norm(both[..., :rank]), both[..., rank:]


def wrong_4(down_BTX, norm, cos, sin, interleave=True, cache=None, layer=0):
    "interleave is not passed on"
    rank = norm.weight.shape[0]
    new = torch.cat([norm(down_BTX[..., :rank]), apply_rope(down_BTX[..., rank:], cos, sin)], dim=-1)
    both = new if cache is None else cache.append(layer, new)
    return both[..., :rank], both[..., rank:]


def wrong_5(down_BTX, norm, cos, sin, interleave=True, cache=None, layer=0):
    "layer 0 of the cache, whatever is asked for"
    rank = norm.weight.shape[0]
    new = torch.cat([norm(down_BTX[..., :rank]), apply_rope(down_BTX[..., rank:], cos, sin, interleave)], dim=-1)
    both = new if cache is None else cache.append(0, new)
    return both[..., :rank], both[..., rank:]


def wrong_6(down_BTX, norm, cos, sin, interleave=True, cache=None, layer=0):
    "stored, but only the new ones come back"
    rank = norm.weight.shape[0]
    new = torch.cat([norm(down_BTX[..., :rank]), apply_rope(down_BTX[..., rank:], cos, sin, interleave)], dim=-1)
    if cache is not None:
        cache.append(layer, new)
    return new[..., :rank], new[..., rank:]


def wrong_7(down_BTX, norm, cos, sin, interleave=True, cache=None, layer=0):
    "stored twice: append is called once for the latents and once for the keys"
    rank = norm.weight.shape[0]
    new = torch.cat([norm(down_BTX[..., :rank]), apply_rope(down_BTX[..., rank:], cos, sin, interleave)], dim=-1)
    if cache is None:
        return new[..., :rank], new[..., rank:]
    return cache.append(layer, new)[..., :rank], cache.append(layer, new)[..., rank:]


def wrong_8(down_BTX, norm, cos, sin, interleave=True, cache=None, layer=0):
    "[key ; latent] in the cache: consistent with itself, but not as the docstring has it"
    rank = norm.weight.shape[0]
    latent, rope = norm(down_BTX[..., :rank]), apply_rope(down_BTX[..., rank:], cos, sin, interleave)
    if cache is None:
        return latent, rope
    both = cache.append(layer, torch.cat([rope, latent], dim=-1))
    return both[..., -rank:], both[..., :-rank]


def wrong_9(down_BTX, norm, cos, sin, interleave=True, cache=None, layer=0):
    "the rotated key is written into down: the argument is changed"
    rank = norm.weight.shape[0]
    with torch.no_grad():
        down_BTX[..., rank:] = apply_rope(down_BTX[..., rank:], cos, sin, interleave)
    new = torch.cat([norm(down_BTX[..., :rank]), down_BTX[..., rank:]], dim=-1)
    both = new if cache is None else cache.append(layer, new)
    return both[..., :rank], both[..., rank:]


def wrong_10(down_BTX, norm, cos, sin, interleave=True, cache=None, layer=0):
    "normalised by hand without the norm's weight and with eps 1e-6 whatever it has"
    rank = norm.weight.shape[0]
    latent = F.rms_norm(down_BTX[..., :rank], (rank,), eps=1e-6)
    new = torch.cat([latent, apply_rope(down_BTX[..., rank:], cos, sin, interleave)], dim=-1)
    both = new if cache is None else cache.append(layer, new)
    return both[..., :rank], both[..., rank:]


def right_1(down_BTX, norm, cos, sin, interleave=True, cache=None, layer=0):
    "the size of the key from cos"
    rope = 2 * cos.shape[-1]
    latent = norm(down_BTX[..., :-rope])
    key = apply_rope(down_BTX[..., -rope:], cos, sin, interleave)
    if cache is None:
        return latent, key
    return cache.append(layer, torch.cat((latent, key), -1)).split([latent.shape[-1], rope], dim=-1)


def right_2(down_BTX, norm, cos, sin, interleave=True, cache=None, layer=0):
    "tensor_split and early return"
    rank = norm.weight.numel()
    latent, key = down_BTX.tensor_split([rank], dim=-1)
    latent, key = norm(latent), apply_rope(key, cos, sin, interleave=interleave)
    if cache is not None:
        stored = cache.append(layer, torch.cat([latent, key], dim=2))
        latent, key = stored[:, :, :rank], stored[:, :, rank:]
    return latent, key


def right_3(down_BTX, norm, cos, sin, interleave=True, cache=None, layer=0):
    "token by token"
    rank, T = norm.weight.shape[0], down_BTX.shape[1]
    new = []
    for t in range(T):
        row = down_BTX[:, t : t + 1]
        key = apply_rope(row[..., rank:], cos[:, t : t + 1], sin[:, t : t + 1], interleave)
        new.append(torch.cat([norm(row[..., :rank]), key], dim=-1))
    both = torch.cat(new, dim=1)
    if cache is not None:
        both = cache.append(layer, both)
    return both[..., :rank], both[..., rank:]


def right_4(down_BTX, norm, cos, sin, interleave=True, cache=None, layer=0):
    "contiguous copies come back"
    rank = norm.weight.shape[0]
    key = apply_rope(down_BTX.narrow(-1, rank, down_BTX.shape[-1] - rank), cos, sin, interleave)
    new = torch.cat([norm(down_BTX.narrow(-1, 0, rank)), key], -1)
    both = cache.append(layer, new) if cache is not None else new
    return both[..., :rank].contiguous(), both[..., rank:].contiguous()
