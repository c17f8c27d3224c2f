"""fp8.matmul"""
import torch
import torch.nn.functional as F



def wrong_1(a, a_scales, b, b_scales, out_dtype=torch.float32, promote=None):
    "a short last part of K is left out with promote"
    wide = torch.float64 if out_dtype == torch.float64 else torch.float32
    x, y = dequantise(a, a_scales, wide), dequantise(b, b_scales, wide).t()
    if promote is None:
        return (x @ y).to(out_dtype)
    out = torch.zeros(a.shape[0], b.shape[0], dtype=wide, device=a.device)
    for k in range(0, a.shape[1] - promote + 1, promote):
        out.addmm_(x[:, k : k + promote], y[k : k + promote])
    return out.to(out_dtype)


def wrong_2(a, a_scales, b, b_scales, out_dtype=torch.float32, promote=None):
    "the running sum has the dtype of the result: with bfloat16 it is rounded after each part"
    wide = torch.float64 if out_dtype == torch.float64 else torch.float32
    x, y = dequantise(a, a_scales, wide), dequantise(b, b_scales, wide).t()
    if promote is None:
        return (x @ y).to(out_dtype)
    out = torch.zeros(a.shape[0], b.shape[0], dtype=out_dtype, device=a.device)
    for k in range(0, a.shape[1], promote):
        out += (x[:, k : k + promote] @ y[k : k + promote]).to(out_dtype)
    return out.to(out_dtype)


def wrong_3(a, a_scales, b, b_scales, out_dtype=torch.float32, promote=None):
    "operands are dequantised to out_dtype: with bfloat16 they are rounded before the product"
    wide = out_dtype
    x, y = dequantise(a, a_scales, wide), dequantise(b, b_scales, wide).t()
    if promote is None:
        return (x @ y).to(out_dtype)
    out = torch.zeros(a.shape[0], b.shape[0], dtype=wide, device=a.device)
    for k in range(0, a.shape[1], promote):
        out.addmm_(x[:, k : k + promote], y[k : k + promote])
    return out.to(out_dtype)


def wrong_4(a, a_scales, b, b_scales, out_dtype=torch.float32, promote=None):
    "float64 is computed in float32 and cast"
    wide = torch.float32
    x, y = dequantise(a, a_scales, wide), dequantise(b, b_scales, wide).t()
    if promote is None:
        return (x @ y).to(out_dtype)
    out = torch.zeros(a.shape[0], b.shape[0], dtype=wide, device=a.device)
    for k in range(0, a.shape[1], promote):
        out.addmm_(x[:, k : k + promote], y[k : k + promote])
    return out.to(out_dtype)


def wrong_5(a, a_scales, b, b_scales, out_dtype=torch.float32, promote=None):
    "the running sum is float32 also for float64"
    wide = torch.float64 if out_dtype == torch.float64 else torch.float32
    x, y = dequantise(a, a_scales, wide), dequantise(b, b_scales, wide).t()
    if promote is None:
        return (x @ y).to(out_dtype)
    out = torch.zeros(a.shape[0], b.shape[0], dtype=torch.float32, device=a.device)
    for k in range(0, a.shape[1], promote):
        out += (x[:, k : k + promote] @ y[k : k + promote]).float()
    return out.to(out_dtype)


def wrong_6(a, a_scales, b, b_scales, out_dtype=torch.float32, promote=None):
    "b always in blocks of 128x128: scales of 1x128 (wgrad) are misread or rejected"
    wide = torch.float64 if out_dtype == torch.float64 else torch.float32
    N, K = b.shape
    y = (b.to(wide) * b_scales.repeat_interleave(BLOCK, 0)[:N].repeat_interleave(BLOCK, 1)[:, :K]).t()
    x = dequantise(a, a_scales, wide)
    if promote is None:
        return (x @ y).to(out_dtype)
    out = torch.zeros(a.shape[0], b.shape[0], dtype=wide, device=a.device)
    for k in range(0, a.shape[1], promote):
        out.addmm_(x[:, k : k + promote], y[k : k + promote])
    return out.to(out_dtype)


def wrong_7(a, a_scales, b, b_scales, out_dtype=torch.float32, promote=None):
    "with promote only the last part is returned"
    wide = torch.float64 if out_dtype == torch.float64 else torch.float32
    x, y = dequantise(a, a_scales, wide), dequantise(b, b_scales, wide).t()
    if promote is None:
        return (x @ y).to(out_dtype)
    out = torch.zeros(a.shape[0], b.shape[0], dtype=wide, device=a.device)
    for k in range(0, a.shape[1], promote):
        out = x[:, k : k + promote] @ y[k : k + promote]
    return out.to(out_dtype)


def wrong_8(a, a_scales, b, b_scales, out_dtype=torch.float32, promote=None):
    "the result stays in the wide type"
    wide = torch.float64 if out_dtype == torch.float64 else torch.float32
    x, y = dequantise(a, a_scales, wide), dequantise(b, b_scales, wide).t()
    if promote is None:
        return x @ y
    out = torch.zeros(a.shape[0], b.shape[0], dtype=wide, device=a.device)
    for k in range(0, a.shape[1], promote):
        out.addmm_(x[:, k : k + promote], y[k : k + promote])
    return out


def wrong_9(a, a_scales, b, b_scales, out_dtype=torch.float32, promote=None):
    "the default of out_dtype is not used: None gives bfloat16 as gemm.matmul does"
    out_dtype = torch.bfloat16 if out_dtype == torch.float32 else out_dtype
    wide = torch.float64 if out_dtype == torch.float64 else torch.float32
    x, y = dequantise(a, a_scales, wide), dequantise(b, b_scales, wide).t()
    if promote is None:
        return (x @ y).to(out_dtype)
    out = torch.zeros(a.shape[0], b.shape[0], dtype=wide, device=a.device)
    for k in range(0, a.shape[1], promote):
        out.addmm_(x[:, k : k + promote], y[k : k + promote])
    return out.to(out_dtype)


def wrong_10(a, a_scales, b, b_scales, out_dtype=torch.float32, promote=None):
    "scales come in once, after all of K: each row's first one"
    wide = torch.float64 if out_dtype == torch.float64 else torch.float32
    sb = b_scales[:, :1] if len(b_scales) == len(b) else b_scales[:, :1].repeat_interleave(BLOCK, 0)[:len(b)]
    return ((a.to(wide) @ b.to(wide).t()) * a_scales[:, :1].to(wide) * sb.to(wide).t()).to(out_dtype)


def right_1(a, a_scales, b, b_scales, out_dtype=torch.float32, promote=None):
    "split and a sum"
    wide = torch.float64 if out_dtype == torch.float64 else torch.float32
    x, y = dequantise(a, a_scales, wide), dequantise(b, b_scales, wide).t()
    if promote is None:
        return (x @ y).to(out_dtype)
    out = sum(p @ w for p, w in zip(x.split(promote, 1), y.split(promote, 0)))
    return out.to(out_dtype)


def right_2(a, a_scales, b, b_scales, out_dtype=torch.float32, promote=None):
    "einsum, None is one part of all K"
    wide = torch.promote_types(out_dtype, torch.float32)
    x, y = dequantise(a, a_scales, wide), dequantise(b, b_scales, wide)
    K = x.shape[1]
    step = promote or K
    acc = x.new_zeros(len(x), len(y))
    for k in range(0, K, step):
        acc = acc + torch.einsum("mk,nk->mn", x[:, k:k + step], y[:, k:k + step])
    return acc.to(out_dtype)


def right_3(a, a_scales, b, b_scales, out_dtype=torch.float32, promote=None):
    "F.linear, a while loop"
    wide = torch.float64 if out_dtype == torch.float64 else torch.float32
    x, y = dequantise(a, a_scales, wide), dequantise(b, b_scales, wide)
    if promote is None:
        return F.linear(x, y).to(out_dtype)
    out, k = torch.zeros(len(x), len(y), dtype=wide), 0
    while k < x.shape[1]:
        out += F.linear(x[:, k:k + promote], y[:, k:k + promote])
        k += promote
    return out.to(out_dtype)


def right_4(a, a_scales, b, b_scales, out_dtype=torch.float32, promote=None):
    "parts stacked, padded with zeros, bmm"
    wide = torch.float64 if out_dtype == torch.float64 else torch.float32
    x, y = dequantise(a, a_scales, wide), dequantise(b, b_scales, wide)
    n = promote or x.shape[1]
    x, y = (F.pad(z, (0, -z.shape[1] % n)).unflatten(1, (-1, n)).transpose(0, 1) for z in (x, y))
    parts = x @ y.transpose(1, 2)
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    return total.to(out_dtype)
