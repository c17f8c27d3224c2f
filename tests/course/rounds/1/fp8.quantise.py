"""fp8.quantise"""
import torch
import torch.nn.functional as F

def wrong_1(x, scales="fp32"):
    "one scale for a whole row, repeated for its blocks"
    M, K = x.shape
    s = scale_of(x.float().abs().amax(1, keepdim=True), scales)
    return _to_fp8(x.float() / s), s.repeat(1, -(-K // BLOCK))

def wrong_2(x, scales="fp32"):
    "a row is cut evenly (tensor.chunk): 200 columns make two blocks of 100, not 128 + 72"
    parts = x.float().chunk(-(-x.shape[1] // BLOCK), dim=1)
    s = torch.stack([scale_of(p.abs().amax(1), scales) for p in parts], 1)
    return torch.cat([_to_fp8(p / s[:, j, None]) for j, p in enumerate(parts)], 1), s

def wrong_3(x, scales="fp32"):
    "`scales` is not handed on"
    M, K = x.shape
    blocks = _padded(x.float(), 1, BLOCK).view(M, -1, BLOCK)
    s = scale_of(blocks.abs().amax(-1))
    return _to_fp8(blocks / s[..., None]).view(M, -1)[:, :K].contiguous(), s

def wrong_4(x, scales="fp32"):
    "the padding stays in q"
    M, K = x.shape
    blocks = _padded(x.float(), 1, BLOCK).view(M, -1, BLOCK)
    s = scale_of(blocks.abs().amax(-1), scales)
    return _to_fp8(blocks / s[..., None]).view(M, -1), s

def wrong_5(x, scales="fp32"):
    "the largest value, not the largest absolute value: blocks whose largest element is negative overflow"
    M, K = x.shape
    blocks = _padded(x.float(), 1, BLOCK).view(M, -1, BLOCK)
    s = scale_of(blocks.amax(-1), scales)
    return _to_fp8(blocks / s[..., None]).view(M, -1)[:, :K].contiguous(), s

def wrong_6(x, scales="fp32"):
    "the arithmetic is in the dtype of x: in bfloat16 quotients are rounded twice"
    M, K = x.shape
    blocks = _padded(x, 1, BLOCK).view(M, -1, BLOCK)
    s = scale_of(blocks.abs().amax(-1), scales)
    return _to_fp8(blocks / s[..., None].to(x.dtype)).view(M, -1)[:, :K].contiguous(), s

def wrong_7(x, scales="fp32"):
    "divides in place: a float32 x whose K is a multiple of 128 is changed"
    M, K = x.shape
    wide = x.float()
    blocks = (wide if K % BLOCK == 0 else _padded(wide, 1, BLOCK)).view(M, -1, BLOCK)
    s = scale_of(blocks.abs().amax(-1), scales)
    blocks /= s[..., None]
    return _to_fp8(blocks).view(M, -1)[:, :K].contiguous(), s

def wrong_8(x, scales="fp32"):
    "K // 128 blocks: a short last block takes the scale of the one before it, and overflows or underflows"
    M, K = x.shape
    full = max(1, K // BLOCK)
    s = torch.stack([scale_of(x[:, j * BLOCK : (j + 1) * BLOCK].float().abs().amax(1), scales) for j in range(full)], 1)
    wide = s[:, (torch.arange(K) // BLOCK).clamp(max=full - 1)]
    s = torch.cat([s, s[:, -1:]], 1)[:, : -(-K // BLOCK)]
    return _to_fp8(x.float() / wide), s

def wrong_9(x, scales="fp32"):
    "scales come out turned, [blocks, M]"
    M, K = x.shape
    blocks = _padded(x.float(), 1, BLOCK).view(M, -1, BLOCK)
    s = scale_of(blocks.abs().amax(-1), scales)
    return _to_fp8(blocks / s[..., None]).view(M, -1)[:, :K].contiguous(), s.t().contiguous()

def wrong_10(x, scales="fp32"):
    "the reciprocal of the scale is returned: what x was multiplied with"
    M, K = x.shape
    blocks = _padded(x.float(), 1, BLOCK).view(M, -1, BLOCK)
    s = scale_of(blocks.abs().amax(-1), scales)
    return _to_fp8(blocks / s[..., None]).view(M, -1)[:, :K].contiguous(), 1 / s

def right_1(x, scales="fp32"):
    "a loop over blocks with split"
    q, s = [], []
    for part in x.float().split(BLOCK, dim=1):
        scale = scale_of(part.abs().max(dim=1).values, scales)
        s.append(scale)
        q.append(_to_fp8(part / scale[:, None]))
    return torch.cat(q, dim=1), torch.stack(s, dim=1)

def right_2(x, scales="fp32"):
    "scales are repeated over their columns"
    M, K = x.shape
    wide = x.to(torch.float32)
    padded = F.pad(wide, (0, -K % BLOCK))
    s = scale_of(padded.abs().reshape(M, -1, BLOCK).max(-1)[0], scales)
    return (wide / s.repeat_interleave(BLOCK, dim=1)[:, :K]).clamp(-448, 448).to(torch.float8_e4m3fn), s

def right_3(x, scales="fp32"):
    "an output that is filled block by block, row by row"
    M, K = x.shape
    q = torch.empty(M, K, dtype=torch.float8_e4m3fn)
    s = torch.empty(M, -(-K // BLOCK), dtype=torch.float32)
    for m in range(M):
        for j in range(s.shape[1]):
            part = x[m, j * BLOCK : (j + 1) * BLOCK].float()
            s[m, j] = scale_of(part.abs().max(), scales)
            q[m, j * BLOCK : (j + 1) * BLOCK] = _to_fp8(part / s[m, j])
    return q, s

def right_4(x, scales="fp32"):
    "the maximum by scatter over block numbers"
    M, K = x.shape
    wide = x.float()
    block = (torch.arange(K) // BLOCK).expand(M, K)
    amax = torch.zeros(M, (K + BLOCK - 1) // BLOCK).scatter_reduce(1, block, wide.abs(), "amax")
    s = scale_of(amax, scales)
    return _to_fp8(wide / s.gather(1, block)), s
