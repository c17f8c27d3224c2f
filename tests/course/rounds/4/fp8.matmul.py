"""fp8.matmul"""
import torch


def _wide(out_dtype):
    return torch.float64 if out_dtype == torch.float64 else torch.float32


def wrong_1(a, a_scales, b, b_scales, out_dtype=torch.float32, promote=None):
    "float64 results come from a float32 product"
    x, y = dequantise(a, a_scales), dequantise(b, b_scales).t()
    if promote is None:
        return (x @ y).to(out_dtype)
    out = torch.zeros(a.shape[0], b.shape[0])
    for k in range(0, a.shape[1], promote):
        out += x[:, k : k + promote] @ y[k : k + promote]
    return out.to(out_dtype)


def wrong_2(a, a_scales, b, b_scales, out_dtype=torch.float32, promote=None):
    "the running sum has out_dtype: in bfloat16 it is rounded after each part"
    wide = _wide(out_dtype)
    x, y = dequantise(a, a_scales, wide), dequantise(b, b_scales, wide).t()
    if promote is None:
        return (x @ y).to(out_dtype)
    out = torch.zeros(a.shape[0], b.shape[0], dtype=out_dtype)
    for k in range(0, a.shape[1], promote):
        out += (x[:, k : k + promote] @ y[k : k + promote]).to(out_dtype)
    return out


def wrong_3(a, a_scales, b, b_scales, out_dtype=torch.float32, promote=None):
    "range over K // promote: a short last part is left out"
    wide = _wide(out_dtype)
    x, y = dequantise(a, a_scales, wide), dequantise(b, b_scales, wide).t()
    if promote is None:
        return (x @ y).to(out_dtype)
    out = torch.zeros(a.shape[0], b.shape[0], dtype=wide)
    for j in range(a.shape[1] // promote):
        part = slice(j * promote, (j + 1) * promote)
        out += x[:, part] @ y[part]
    return out.to(out_dtype)


def wrong_4(a, a_scales, b, b_scales, out_dtype=torch.float32, promote=None):
    "operands are dequantised to out_dtype: with bfloat16 they are rounded before the product"
    x, y = dequantise(a, a_scales, out_dtype), dequantise(b, b_scales, out_dtype).t()
    wide = _wide(out_dtype)
    if promote is None:
        return (x.to(wide) @ y.to(wide)).to(out_dtype)
    out = torch.zeros(a.shape[0], b.shape[0], dtype=wide)
    for k in range(0, a.shape[1], promote):
        out += x[:, k : k + promote].to(wide) @ y[k : k + promote].to(wide)
    return out.to(out_dtype)


def wrong_5(a, a_scales, b, b_scales, out_dtype=torch.float32, promote=None):
    "with promote the sum stays float32 although float64 is asked for"
    wide = _wide(out_dtype)
    x, y = dequantise(a, a_scales, wide), dequantise(b, b_scales, wide).t()
    if promote is None:
        return (x @ y).to(out_dtype)
    out = torch.zeros(a.shape[0], b.shape[0])
    for k in range(0, a.shape[1], promote):
        out += (x[:, k : k + promote] @ y[k : k + promote]).float()
    return out.to(out_dtype)


def wrong_6(a, a_scales, b, b_scales, out_dtype=torch.float32, promote=None):
    "K is viewed as parts of `promote`: RuntimeError where it does not divide K"
    wide = _wide(out_dtype)
    x, y = dequantise(a, a_scales, wide), dequantise(b, b_scales, wide)
    if promote is None:
        return (x @ y.t()).to(out_dtype)
    x, y = x.reshape(a.shape[0], -1, promote), y.reshape(b.shape[0], -1, promote)
    return torch.einsum("mjk,njk->jmn", x, y).sum(0).to(out_dtype)


def wrong_7(a, a_scales, b, b_scales, out_dtype=torch.bfloat16, promote=None):
    "the default is bfloat16, as that of the kernel"
    wide = _wide(out_dtype)
    x, y = dequantise(a, a_scales, wide), dequantise(b, b_scales, wide).t()
    if promote is None:
        return (x @ y).to(out_dtype)
    out = torch.zeros(a.shape[0], b.shape[0], dtype=wide)
    for k in range(0, a.shape[1], promote):
        out += x[:, k : k + promote] @ y[k : k + promote]
    return out.to(out_dtype)


def wrong_8(a, a_scales, b, b_scales, out_dtype=torch.float32, promote=None):
    "the scale of a part is that of block k // promote: wrong for any promote but 128"
    wide = _wide(out_dtype)
    if promote is None:
        return (dequantise(a, a_scales, wide) @ dequantise(b, b_scales, wide).t()).to(out_dtype)
    N = b.shape[0]
    sb = b_scales if b_scales.shape[0] == N else b_scales.repeat_interleave(BLOCK, 0)[:N]
    out = torch.zeros(a.shape[0], N, dtype=wide)
    for j, k in enumerate(range(0, a.shape[1], promote)):
        j = min(j, sb.shape[1] - 1)
        part = a[:, k : k + promote].to(wide) @ b[:, k : k + promote].to(wide).t()
        out += part * a_scales[:, j, None].to(wide) * sb[None, :, j].to(wide)
    return out.to(out_dtype)


def wrong_9(a, a_scales, b, b_scales, out_dtype=torch.float32, promote=None):
    "b is taken to have 128x128 blocks always: with a scale for each row (wgrad) the first rows' scales are used for all"
    wide = _wide(out_dtype)
    N, K = b.shape
    x = dequantise(a, a_scales, wide)
    sb = b_scales.repeat_interleave(BLOCK, 0)[:N].repeat_interleave(BLOCK, 1)[:, :K]
    y = (b.to(wide) * sb).t()
    if promote is None:
        return (x @ y).to(out_dtype)
    out = torch.zeros(a.shape[0], N, dtype=wide)
    for k in range(0, K, promote):
        out += x[:, k : k + promote] @ y[k : k + promote]
    return out.to(out_dtype)


def wrong_10(a, a_scales, b, b_scales, out_dtype=torch.float32, promote=None):
    "the result is cast only on the way without promote: with it, bfloat16 is asked for and float32 comes back"
    wide = _wide(out_dtype)
    x, y = dequantise(a, a_scales, wide), dequantise(b, b_scales, wide).t()
    if promote is None:
        return (x @ y).to(out_dtype)
    out = torch.zeros(a.shape[0], b.shape[0], dtype=wide)
    for k in range(0, a.shape[1], promote):
        out.addmm_(x[:, k : k + promote], y[k : k + promote])
    return out


def right_1(a, a_scales, b, b_scales, out_dtype=torch.float32, promote=None):
    "split and sum; one part where promote is None"
    wide = torch.double if out_dtype is torch.double else torch.float
    x, y = dequantise(a, a_scales, wide), dequantise(b, b_scales, wide)
    size = promote or x.shape[1]
    return sum(p @ q.T for p, q in zip(x.split(size, 1), y.split(size, 1))).to(out_dtype)


def right_2(a, a_scales, b, b_scales, out_dtype=torch.float32, promote=None):
    "einsum"
    wide = torch.promote_types(out_dtype, torch.float32)
    x, y = dequantise(a, a_scales, dtype=wide), dequantise(b, b_scales, dtype=wide)
    K = x.size(1)
    total = x.new_zeros(x.size(0), y.size(0))
    k = 0
    while k < K:
        end = K if promote is None else min(K, k + promote)
        total = total + torch.einsum("mk,nk->mn", x[:, k:end], y[:, k:end])
        k = end
    return total.to(dtype=out_dtype)


def right_3(a, a_scales, b, b_scales, out_dtype=torch.float32, promote=None):
    "everything in float64, rounded once at the end (through float32 where that is the wide type)"
    x, y = dequantise(a, a_scales, torch.float64), dequantise(b, b_scales, torch.float64)
    out = torch.zeros(len(x), len(y), dtype=torch.float64)
    step = promote if promote is not None else x.shape[1]
    for first in range(0, x.shape[1], step):
        out += torch.nn.functional.linear(x[:, first : first + step], y[:, first : first + step])
    return out.to(out_dtype)


def right_4(a, a_scales, b, b_scales, out_dtype=torch.float32, promote=None):
    "padded to whole parts and multiplied as a batch"
    wide = torch.float64 if out_dtype == torch.float64 else torch.float32
    x, y = (dequantise(q, s, wide) for q, s in ((a, a_scales), (b, b_scales)))
    if promote is None:
        return torch.matmul(x, y.mT).to(out_dtype)
    behind = -x.shape[1] % promote
    x, y = (torch.nn.functional.pad(z, (0, behind)).unflatten(1, (-1, promote)).transpose(0, 1) for z in (x, y))
    return torch.bmm(x, y.mT).sum(0).to(out_dtype)
