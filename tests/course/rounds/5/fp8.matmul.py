"""fp8.matmul"""
import torch


def _wide(out_dtype):
    return torch.float64 if out_dtype == torch.float64 else torch.float32


def wrong_1(a, a_scales, b, b_scales, out_dtype=torch.float32, promote=None):
    "the operands are dequantised to out_dtype, which bfloat16 rounds once more before the product"
    # breaks: "In float32, or float64 where out_dtype is that"; out_dtype bfloat16; a row [1, 1] with scales [1, 1.001] (K = 256, one number a block) times [1, -1]: 0 instead of -0.001
    x, y = dequantise(a, a_scales, out_dtype), dequantise(b, b_scales, out_dtype).t()
    if promote is None:
        return x @ y
    out = torch.zeros(a.shape[0], b.shape[0], dtype=_wide(out_dtype), device=a.device)
    for k in range(0, a.shape[1], promote):
        out += x[:, k : k + promote].to(out.dtype) @ y[k : k + promote].to(out.dtype)
    return out.to(out_dtype)


def wrong_2(a, a_scales, b, b_scales, out_dtype=torch.float32, promote=None):
    "the running sum has out_dtype: a bfloat16 sum of many parts gets stuck"
    # breaks: "In float32"; out_dtype bfloat16, promote 8, K = 4096 of ones: 2048 or less, wanted 4096
    wide = _wide(out_dtype)
    x, y = dequantise(a, a_scales, wide), dequantise(b, b_scales, wide).t()
    if promote is None:
        return (x @ y).to(out_dtype)
    out = torch.zeros(a.shape[0], b.shape[0], dtype=out_dtype, device=a.device)
    for k in range(0, a.shape[1], promote):
        out += (x[:, k : k + promote] @ y[k : k + promote]).to(out_dtype)
    return out


def wrong_3(a, a_scales, b, b_scales, out_dtype=torch.float32, promote=None):
    "a short last part of K is left out"
    # breaks: "promote=128 adds one product for each 128 of K" (K = 200: the last 72 as well)
    wide = _wide(out_dtype)
    x, y = dequantise(a, a_scales, wide), dequantise(b, b_scales, wide).t()
    if promote is None:
        return (x @ y).to(out_dtype)
    out = torch.zeros(a.shape[0], b.shape[0], dtype=wide, device=a.device)
    for part in range(a.shape[1] // promote):
        out += x[:, part * promote : (part + 1) * promote] @ y[part * promote : (part + 1) * promote]
    return out.to(out_dtype)


def wrong_4(a, a_scales, b, b_scales, out_dtype=torch.float32, promote=None):
    "float64 is computed in float32 and only cast"
    # breaks: "or float64 where out_dtype is that"; out_dtype float64, random operands
    x, y = dequantise(a, a_scales), dequantise(b, b_scales).t()
    if promote is None:
        return (x @ y).to(out_dtype)
    out = torch.zeros(a.shape[0], b.shape[0], device=a.device)
    for k in range(0, a.shape[1], promote):
        out.addmm_(x[:, k : k + promote], y[k : k + promote])
    return out.to(out_dtype)


def wrong_5(a, a_scales, b, b_scales, out_dtype=torch.float32, promote=None):
    "with promote the scales of part number i are taken to be column i: right for promote = 128 only"
    # breaks: "The product of the dequantised operands"; promote 64 at K = 256: IndexError or other scales
    wide = _wide(out_dtype)
    if promote is None:
        return (dequantise(a, a_scales, wide) @ dequantise(b, b_scales, wide).t()).to(out_dtype)
    out = torch.zeros(a.shape[0], b.shape[0], dtype=wide, device=a.device)
    s_b = b_scales
    if s_b.shape[0] != b.shape[0]:
        s_b = s_b.repeat_interleave(BLOCK, 0)[: b.shape[0]]
    for i, k in enumerate(range(0, a.shape[1], promote)):
        part = a[:, k : k + promote].to(wide) @ b[:, k : k + promote].to(wide).t()
        out += part * a_scales[:, i, None].to(wide) * s_b[:, i].to(wide)
    return out.to(out_dtype)


def wrong_6(a, a_scales, b, b_scales, out_dtype=torch.float32, promote=None):
    "b is taken to be a weight in squares: with a scale for each row the first is spread over 128 rows"
    # breaks: "The product of the dequantised operands" (b_scales [N, ceil(K/128)] too, for wgrad); N = 8, b_scales [8, 1]
    wide = _wide(out_dtype)
    N, K = b.shape
    y = b.to(wide) * b_scales.repeat_interleave(BLOCK, 0)[:N].repeat_interleave(BLOCK, 1)[:, :K].to(wide)
    x = dequantise(a, a_scales, wide)
    if promote is None:
        return (x @ y.t()).to(out_dtype)
    out = torch.zeros(a.shape[0], N, dtype=wide, device=a.device)
    for k in range(0, K, promote):
        out += x[:, k : k + promote] @ y[:, k : k + promote].t()
    return out.to(out_dtype)


def wrong_7(a, a_scales, b, b_scales, out_dtype=torch.float32, promote=None):
    "with promote the sum is returned as it is, in float32"
    # breaks: "out_dtype: torch.dtype" of the result; out_dtype bfloat16, promote 128 gives float32
    wide = _wide(out_dtype)
    x, y = dequantise(a, a_scales, wide), dequantise(b, b_scales, wide).t()
    if promote is None:
        return (x @ y).to(out_dtype)
    out = torch.zeros(a.shape[0], b.shape[0], dtype=wide, device=a.device)
    for k in range(0, a.shape[1], promote):
        out += x[:, k : k + promote] @ y[k : k + promote]
    return out


def wrong_8(a, a_scales, b, b_scales, out_dtype=torch.float32, promote=None):
    "the default result is bfloat16, as that of gemm.matmul"
    # breaks: the signature, "out_dtype: torch.dtype = torch.float32"; called with four arguments
    if out_dtype is torch.float32:
        out_dtype = torch.bfloat16
    x, y = dequantise(a, a_scales), dequantise(b, b_scales).t()
    if out_dtype == torch.float64:
        x, y = dequantise(a, a_scales, out_dtype), dequantise(b, b_scales, out_dtype).t()
    if promote is None:
        return (x @ y).to(out_dtype)
    return sum(x[:, k : k + promote] @ y[k : k + promote] for k in range(0, a.shape[1], promote)).to(out_dtype)


def wrong_9(a, a_scales, b, b_scales, out_dtype=torch.float32, promote=None):
    "with promote K is viewed in parts: RuntimeError where promote does not divide K, or is larger"
    # breaks: "promote=128 adds one product for each 128 of K" (a ragged K too); K = 200, promote 128
    wide = _wide(out_dtype)
    x, y = dequantise(a, a_scales, wide), dequantise(b, b_scales, wide)
    if promote is None:
        return (x @ y.t()).to(out_dtype)
    x = x.view(a.shape[0], -1, promote).transpose(0, 1)
    y = y.view(b.shape[0], -1, promote).transpose(0, 1)
    return torch.bmm(x, y.transpose(1, 2)).sum(0).to(out_dtype)


def wrong_10(a, a_scales, b, b_scales, out_dtype=torch.float32, promote=None):
    "one scale for a whole row of a, that of its first block; right for K up to 128"
    # breaks: "The product of the dequantised operands"; K = 256 with a second block of another size
    wide = _wide(out_dtype)
    x, y = a.to(wide), dequantise(b, b_scales, wide).t()
    if promote is None:
        return ((x @ y) * a_scales[:, :1].to(wide)).to(out_dtype)
    out = torch.zeros(a.shape[0], b.shape[0], dtype=wide, device=a.device)
    for k in range(0, a.shape[1], promote):
        out += x[:, k : k + promote] @ y[k : k + promote]
    return (out * a_scales[:, :1].to(wide)).to(out_dtype)


def right_1(a, a_scales, b, b_scales, out_dtype=torch.float32, promote=None):
    "promote of None is one part of the length K; einsum"
    wide = _wide(out_dtype)
    x, y = dequantise(a, a_scales, wide), dequantise(b, b_scales, wide)
    K = a.shape[1]
    step = K if promote is None else promote
    parts = [torch.einsum("mk,nk->mn", x[:, k : k + step], y[:, k : k + step]) for k in range(0, K, step)]
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    return total.to(out_dtype)


def right_2(a, a_scales, b, b_scales, out_dtype=torch.float32, promote=None):
    "split along K, sum of a generator"
    wide = torch.float64 if out_dtype is torch.float64 else torch.float32
    x, y = dequantise(a, a_scales, wide), dequantise(b, b_scales, wide)
    if promote is None:
        return torch.nn.functional.linear(x, y).to(out_dtype)
    return sum(p @ r.mT for p, r in zip(x.split(promote, 1), y.split(promote, 1))).to(dtype=out_dtype)


def right_3(a, a_scales, b, b_scales, out_dtype=torch.float32, promote=None):
    "zeros behind K up to a multiple, then a batched product, summed"
    wide = _wide(out_dtype)
    x, y = dequantise(a, a_scales, wide), dequantise(b, b_scales, wide)
    if promote is None:
        return torch.mm(x, y.t()).to(out_dtype)
    x, y = (torch.nn.functional.pad(z, (0, -z.shape[1] % promote)).unflatten(1, (-1, promote)) for z in (x, y))
    return torch.einsum("mjk,njk->jmn", x, y).sum(0).to(out_dtype)


def right_4(a, a_scales, b, b_scales, out_dtype=torch.float32, promote=None):
    "always in float64 inside; a while loop"
    x, y = dequantise(a, a_scales, torch.float64), dequantise(b, b_scales, torch.float64).t()
    M, K = x.shape
    out, k = x.new_zeros(M, y.shape[1]), 0
    while k < K:
        end = K if promote is None else min(K, k + promote)
        out += x[:, k:end] @ y[k:end]
        k = end
    return out.to(out_dtype)
