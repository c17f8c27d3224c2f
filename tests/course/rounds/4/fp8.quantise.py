"""fp8.quantise"""
import torch


def wrong_1(x, scales="fp32"):
    "one scale for the whole row, repeated for each block: wrong for K > 128"
    M, K = x.shape
    wide = x.float()
    s = scale_of(wide.abs().amax(1), scales)
    q = _to_fp8(wide / s[:, None])
    return q, s[:, None].repeat(1, -(-K // BLOCK))


def wrong_2(x, scales="fp32"):
    "amax without abs: blocks whose largest element is negative are cut off at -448"
    M, K = x.shape
    blocks = _padded(x.float(), 1, BLOCK).view(M, -1, BLOCK)
    s = scale_of(blocks.amax(-1), scales)
    return _to_fp8(blocks / s[..., None]).view(M, -1)[:, :K].contiguous(), s


def wrong_3(x, scales="fp32"):
    "`scales` is not handed on: ue8m0 is treated as fp32"
    M, K = x.shape
    blocks = _padded(x.float(), 1, BLOCK).view(M, -1, BLOCK)
    s = scale_of(blocks.abs().amax(-1))
    return _to_fp8(blocks / s[..., None]).view(M, -1)[:, :K].contiguous(), s


def wrong_4(x, scales="fp32"):
    "division in the type of x: bfloat16 quotients are rounded twice, and by a rounded scale"
    M, K = x.shape
    blocks = _padded(x, 1, BLOCK).view(M, -1, BLOCK)
    s = scale_of(blocks.abs().amax(-1), scales)
    return _to_fp8(blocks / s[..., None].to(x.dtype)).view(M, -1)[:, :K].contiguous(), s


def wrong_5(x, scales="fp32"):
    "a short last block reaches back to 128 columns: it sees columns of the one before, whose numbers are changed too"
    M, K = x.shape
    wide, q, found = x.float(), torch.empty(M, K, dtype=FP8), []
    for start in range(0, K, BLOCK):
        start = max(0, min(start, K - BLOCK))
        part = wide[:, start : start + BLOCK]
        s = scale_of(part.abs().amax(1), scales)
        q[:, start : start + BLOCK] = _to_fp8(part / s[:, None])
        found.append(s)
    return q, torch.stack(found, 1)


def wrong_6(x, scales="fp32"):
    "the padding is not taken away again: q is wider than x where 128 does not divide K"
    M, K = x.shape
    blocks = _padded(x.float(), 1, BLOCK).view(M, -1, BLOCK)
    s = scale_of(blocks.abs().amax(-1), scales)
    return _to_fp8(blocks / s[..., None]).view(M, -1), s


def wrong_7(x, scales="fp32"):
    "NaN is made 0 before anything else and is no longer seen"
    M, K = x.shape
    blocks = _padded(torch.nan_to_num(x.float()), 1, BLOCK).view(M, -1, BLOCK)
    s = scale_of(blocks.abs().amax(-1), scales)
    return _to_fp8(blocks / s[..., None]).view(M, -1)[:, :K].contiguous(), s


def wrong_8(x, scales="fp32"):
    "divides in place: float() of a float32 x is x itself, which is then changed"
    M, K = x.shape
    wide, found = x.float(), []
    for start in range(0, K, BLOCK):
        part = wide[:, start : start + BLOCK]
        s = scale_of(part.abs().amax(1), scales)
        part /= s[:, None]
        found.append(s)
    return _to_fp8(wide).contiguous(), torch.stack(found, 1)


def wrong_9(x, scales="fp32"):
    "divides by amax / 448 whatever `scales` says, and returns the power of two: q and scale do not belong together"
    M, K = x.shape
    blocks = _padded(x.float(), 1, BLOCK).view(M, -1, BLOCK)
    amax = blocks.abs().amax(-1)
    q = _to_fp8(blocks / scale_of(amax)[..., None])
    return q.view(M, -1)[:, :K].contiguous(), scale_of(amax, scales)


def wrong_10(x, scales="fp32"):
    "NaN is left out of the maximum of the whole matrix, and where there is one every scale becomes NaN: it reaches other blocks"
    M, K = x.shape
    blocks = _padded(x.float(), 1, BLOCK).view(M, -1, BLOCK)
    amax = blocks.abs().amax(-1)
    # "somebody should see it"
    amax = amax + 0 * blocks.sum((1, 2))[:, None]
    s = scale_of(amax, scales)
    return _to_fp8(blocks / s[..., None]).view(M, -1)[:, :K].contiguous(), s


def right_1(x, scales="fp32"):
    "a loop over the blocks, no padding"
    qs, found = [], []
    for part in x.float().split(BLOCK, dim=1):
        s = scale_of(part.abs().amax(dim=1), scales)
        qs.append(_to_fp8(part / s.unsqueeze(1)))
        found.append(s)
    return torch.cat([q.view(torch.uint8) for q in qs], 1).view(FP8), torch.stack(found, 1)


def right_2(x, scales="fp32"):
    "scales spread over the columns with repeat_interleave"
    M, K = x.shape
    wide = x.to(torch.float32)
    s = torch.stack([scale_of(p.abs().max(1).values, scales) for p in wide.split(128, 1)], -1)
    each = s.repeat_interleave(128, dim=1)[:, :K]
    return (wide / each).clamp(-448, 448).to(torch.float8_e4m3fn), s


def right_3(x, scales="fp32"):
    "padding by hand, einops"
    M, K = x.shape
    n = (K + BLOCK - 1) // BLOCK
    full = torch.zeros(M, n * BLOCK)
    full[:, :K] = x
    blocks = rearrange(full, "m (j k) -> m j k", k=BLOCK)
    s = scale_of(reduce(blocks.abs(), "m j k -> m j", "max"), scales)
    q = rearrange(blocks / s.unsqueeze(-1), "m j k -> m (j k)")[:, :K]
    return _to_fp8(q).contiguous(), s


def right_4(x, scales="fp32"):
    "row by row and block by block, into tensors made beforehand"
    M, K = x.shape
    q = torch.empty(M, K, dtype=FP8)
    s = torch.empty(M, -(-K // BLOCK))
    for m in range(M):
        for j in range(s.shape[1]):
            piece = x[m, j * BLOCK : (j + 1) * BLOCK].float()
            s[m, j] = scale_of(piece.abs().max(), scales)
            q[m, j * BLOCK : (j + 1) * BLOCK] = _to_fp8(piece / s[m, j])
    return q, s
