"""fp8.quantise"""
import torch
import torch.nn.functional as F



def wrong_1(x, scales="fp32"):
    "blocks run on over the ends of rows where 128 does not divide K"
    M, K = x.shape
    n = -(-K // BLOCK)
    flat = F.pad(x.float().flatten(), (0, M * n * BLOCK - M * K)).view(-1, BLOCK)
    s = scale_of(flat.abs().amax(-1), scales)
    q = _to_fp8(flat / s[:, None]).flatten()[:M * K].view(M, K)
    return q, s.view(M, n)


def wrong_2(x, scales="fp32"):
    "chunk makes blocks of equal length, not of 128 (K = 130: two of 65)"
    parts = x.float().chunk(-(-x.shape[1] // BLOCK), dim=1)
    ss = [scale_of(p.abs().amax(1), scales) for p in parts]
    return torch.cat([_to_fp8(p / s[:, None]) for p, s in zip(parts, ss)], 1), torch.stack(ss, 1)


def wrong_3(x, scales="fp32"):
    "scales is not handed on"
    M, K = x.shape
    blocks = _padded(x.float(), 1, BLOCK).view(M, -1, BLOCK)
    s = scale_of(blocks.abs().amax(-1))
    q = _to_fp8(blocks / s[..., None]).view(M, -1)[:, :K].contiguous()
    return q, s


def wrong_4(x, scales="fp32"):
    "the padding of q is not taken away"
    M, K = x.shape
    blocks = _padded(x.float(), 1, BLOCK).view(M, -1, BLOCK)
    s = scale_of(blocks.abs().amax(-1), scales)
    q = _to_fp8(blocks / s[..., None]).view(M, -1)
    return q, s


def wrong_5(x, scales="fp32"):
    "the largest element without its sign forgotten: amax of x, not of |x|"
    M, K = x.shape
    blocks = _padded(x.float(), 1, BLOCK).view(M, -1, BLOCK)
    s = scale_of(blocks.amax(-1).clamp(min=0), scales)
    q = _to_fp8(blocks / s[..., None]).view(M, -1)[:, :K].contiguous()
    return q, s


def wrong_6(x, scales="fp32"):
    "divides in place: with K a multiple of 128 and float32 the caller's x is changed"
    M, K = x.shape
    y = x.float()
    if K % BLOCK:
        y = _padded(y, 1, BLOCK)
    blocks = y.reshape(M, -1, BLOCK)
    s = scale_of(blocks.abs().amax(-1), scales)
    q = _to_fp8(blocks.div_(s[..., None])).view(M, -1)[:, :K].contiguous()
    return q, s


def wrong_7(x, scales="fp32"):
    "NaN is replaced by 0 and can no longer be seen"
    M, K = x.shape
    blocks = _padded(x.float().nan_to_num(), 1, BLOCK).view(M, -1, BLOCK)
    s = scale_of(blocks.abs().amax(-1), scales)
    q = _to_fp8(blocks / s[..., None]).view(M, -1)[:, :K].contiguous()
    return q, s


def wrong_8(x, scales="fp32"):
    "the last block is filled up with ones: its scale is too large where all in it are smaller"
    M, K = x.shape
    blocks = F.pad(x.float(), (0, -K % BLOCK), value=1.0).view(M, -1, BLOCK)
    s = scale_of(blocks.abs().amax(-1), scales)
    q = _to_fp8(blocks / s[..., None]).view(M, -1)[:, :K].contiguous()
    return q, s


def wrong_9(x, scales="fp32"):
    "one NaN makes all blocks of its row NaN"
    M, K = x.shape
    blocks = _padded(x.float(), 1, BLOCK).view(M, -1, BLOCK)
    nan = blocks.isnan().any(-1).any(-1)
    blocks = torch.where(nan[:, None, None], torch.nan, blocks)
    s = scale_of(blocks.abs().amax(-1), scales)
    q = _to_fp8(blocks / s[..., None]).view(M, -1)[:, :K].contiguous()
    return q, s


def wrong_10(x, scales="fp32"):
    "view of the input itself: a turned (not contiguous) float32 x with K a multiple of 128 raises RuntimeError"
    M, K = x.shape
    y = x.float()
    if K % BLOCK:
        y = _padded(y, 1, BLOCK)
    blocks = y.view(-1, BLOCK)
    s = scale_of(blocks.abs().amax(-1), scales)
    q = _to_fp8(blocks / s[:, None]).view(M, -1)[:, :K].contiguous()
    return q, s.view(M, -1)


def right_1(x, scales="fp32"):
    "a loop over blocks with split"
    qs, ss = [], []
    for part in x.float().split(BLOCK, dim=1):
        s = scale_of(part.abs().amax(dim=1, keepdim=True), scales)
        qs.append(_to_fp8(part / s))
        ss.append(s)
    return torch.cat([q.view(torch.uint8) for q in qs], 1).view(FP8), torch.cat(ss, 1)


def right_2(x, scales="fp32"):
    "max of max and -min, scales repeated to the width of x"
    M, K = x.shape
    y = x.float()
    p = F.pad(y, (0, -K % BLOCK)).unflatten(1, (-1, BLOCK))
    s = scale_of(torch.maximum(p.amax(2), -p.amin(2)), scales)
    return _to_fp8(y / s.repeat_interleave(BLOCK, dim=1)[:, :K]), s


def right_3(x, scales="fp32"):
    "row by row into empty tensors"
    M, K = x.shape
    n = (K + BLOCK - 1) // BLOCK
    q, s = torch.empty(M, K, dtype=FP8), torch.empty(M, n)
    for j in range(n):
        part = x[:, j * BLOCK:(j + 1) * BLOCK].to(torch.float32)
        s[:, j] = scale_of(part.abs().max(dim=1).values, scales)
        q[:, j * BLOCK:(j + 1) * BLOCK] = _to_fp8(part / s[:, j:j + 1])
    return q, s


def right_4(x, scales="fp32"):
    "infinity norm by linalg over a reshaped copy"
    M, K = x.shape
    n = -(-K // BLOCK)
    y = x.new_zeros(M, n * BLOCK, dtype=torch.float32)
    y[:, :K] = x
    y = y.reshape(M, n, BLOCK)
    s = scale_of(y.abs().max(-1)[0], scales)
    return _to_fp8(y.div(s.unsqueeze(-1))).reshape(M, n * BLOCK)[:, :K].contiguous(), s
