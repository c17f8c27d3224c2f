"""fp8.quantise"""
import torch
import torch.nn.functional as F


def wrong_1(x, scales="fp32"):
    "one scale a row, repeated for each block; differs where blocks of a row differ in size"
    # breaks: "Columns 128 j … 128 j + 127 of row m are block [m, j]"; K = 256, second half 1000 times as large
    M, K = x.shape
    x = x.float()
    s = scale_of(x.abs().amax(1, keepdim=True), scales)
    return _to_fp8(x / s), s.repeat(1, -(-K // BLOCK))


def wrong_2(x, scales="fp32"):
    "the row is cut into equal parts: for K = 192 into twice 96"
    # breaks: "where 128 does not divide K the last block of a row is shorter" (all others are whole); K = 192
    M, K = x.shape
    parts = torch.tensor_split(x.float(), -(-K // BLOCK), dim=1)
    s = torch.stack([scale_of(p.abs().amax(1), scales) for p in parts], 1)
    q = torch.cat([_to_fp8(p / s[:, j : j + 1]) for j, p in enumerate(parts)], 1)
    return q, s


def wrong_3(x, scales="fp32"):
    "the largest value, not the largest absolute value"
    # breaks: q times its block's scale "is what is left of x"; a row of -1 … -128 comes back as some -1e-4
    M, K = x.shape
    blocks = _padded(x.float(), 1, BLOCK).view(M, -1, BLOCK)
    s = scale_of(blocks.amax(-1), scales)
    return _to_fp8(blocks / s[..., None]).flatten(1)[:, :K].contiguous(), s


def wrong_4(x, scales="fp32"):
    "divided in the dtype of x: bfloat16 rounds the quotient before E4M3 does"
    # breaks: "x [M, K] of any float type; the arithmetic is in float32"; random bfloat16 x
    M, K = x.shape
    blocks = _padded(x, 1, BLOCK).view(M, -1, BLOCK)
    s = scale_of(blocks.abs().amax(-1), scales)
    return _to_fp8(blocks / s[..., None].to(x.dtype)).flatten(1)[:, :K].contiguous(), s


def wrong_5(x, scales="fp32"):
    "`scales` is not handed on: always ordinary scales"
    # breaks: "`scales` is handed on to scale_of"; scales = "ue8m0"
    M, K = x.shape
    blocks = _padded(x.float(), 1, BLOCK).view(M, -1, BLOCK)
    s = scale_of(blocks.abs().amax(-1))
    return _to_fp8(blocks / s[..., None]).flatten(1)[:, :K].contiguous(), s


def wrong_6(x, scales="fp32"):
    "the padding is not taken away again"
    # breaks: "q [M, K] float8_e4m3fn"; K = 200 gives 256 columns
    M, K = x.shape
    blocks = _padded(x.float(), 1, BLOCK).view(M, -1, BLOCK)
    s = scale_of(blocks.abs().amax(-1), scales)
    return _to_fp8(blocks / s[..., None]).flatten(1), s


def wrong_7(x, scales="fp32"):
    "a short last block is filled up with ones, which count as its largest where it is smaller"
    # breaks: "the last block of a row is shorter"; K = 130 with elements of size 0.01: the last scale is 1 / 448
    M, K = x.shape
    blocks = F.pad(x.float(), (0, -K % BLOCK), value=1.0).view(M, -1, BLOCK)
    s = scale_of(blocks.abs().amax(-1), scales)
    return _to_fp8(blocks / s[..., None]).flatten(1)[:, :K].contiguous(), s


def wrong_8(x, scales="fp32"):
    "padded only where needed and divided in place: float32 x of whole blocks is changed"
    # breaks: arguments left unchanged; float32 x [2, 256] holds the quotients afterwards
    M, K = x.shape
    wide = x.float()
    if K % BLOCK:
        wide = _padded(wide, 1, BLOCK)
    blocks = wide.reshape(M, -1, BLOCK)
    s = scale_of(blocks.abs().amax(-1), scales)
    blocks /= s[..., None]
    return _to_fp8(blocks).flatten(1)[:, :K].contiguous(), s


def wrong_9(x, scales="fp32"):
    "NaN is made zero, so that nobody sees it"
    # breaks: "NaN stays visible in its block"; a NaN in column 3 comes back as 0
    M, K = x.shape
    blocks = _padded(torch.nan_to_num(x.float()), 1, BLOCK).view(M, -1, BLOCK)
    s = scale_of(blocks.abs().amax(-1), scales)
    return _to_fp8(blocks / s[..., None]).flatten(1)[:, :K].contiguous(), s


def wrong_10(x, scales="fp32"):
    "scales are rounded to the dtype of x, after the division with the exact ones"
    # breaks: "scales [M, ceil(K/128)] float32"; bfloat16 x gives bfloat16 scales
    M, K = x.shape
    blocks = _padded(x.float(), 1, BLOCK).view(M, -1, BLOCK)
    s = scale_of(blocks.abs().amax(-1), scales)
    return _to_fp8(blocks / s[..., None]).flatten(1)[:, :K].contiguous(), s.to(x.dtype)


def right_1(x, scales="fp32"):
    "a loop over the blocks, written into empty tensors"
    M, K = x.shape
    J = (K + BLOCK - 1) // BLOCK
    q = torch.empty(M, K, dtype=torch.float8_e4m3fn, device=x.device)
    s = torch.empty(M, J, dtype=torch.float32, device=x.device)
    for j in range(J):
        block = x[:, j * BLOCK : (j + 1) * BLOCK].float()
        s[:, j] = scale_of(block.abs().amax(1), scales)
        q[:, j * BLOCK : (j + 1) * BLOCK] = _to_fp8(block / s[:, j, None])
    return q, s


def right_2(x, scales="fp32"):
    "split and cat"
    parts = x.to(torch.float32).split(BLOCK, dim=1)
    s = [scale_of(p.abs().max(dim=1, keepdim=True).values, scales) for p in parts]
    q = [(p / one).clamp(-448, 448).to(torch.float8_e4m3fn) for p, one in zip(parts, s)]
    return torch.cat([z.view(torch.uint8) for z in q], 1).view(torch.float8_e4m3fn), torch.cat(s, 1)


def right_3(x, scales="fp32"):
    "scales repeated to the width of x, x itself is not padded for the division"
    M, K = x.shape
    wide = x.float()
    amax = F.pad(wide, (0, -K % BLOCK)).abs().unflatten(1, (-1, BLOCK)).amax(2)
    s = scale_of(amax, scales)
    return _to_fp8(wide / s.repeat_interleave(BLOCK, dim=1)[:, :K]), s


def right_4(x, scales="fp32"):
    "every block is a row of its own: [M * blocks, 128]"
    M, K = x.shape
    rows = _padded(x.float(), 1, BLOCK).reshape(-1, BLOCK)
    s = scale_of(torch.maximum(rows.amax(1), -rows.amin(1)), scales)
    q = _to_fp8(rows / s.unsqueeze(1)).reshape(M, -1)
    return q[:, :K].contiguous(), s.reshape(M, -1)
