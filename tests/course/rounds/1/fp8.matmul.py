"""fp8.matmul"""
import torch

def wrong_1(a, a_scales, b, b_scales, out_dtype=torch.float32, promote=None):
    "a short last part of K is left out with promote"
    wide = torch.float64 if out_dtype == torch.float64 else torch.float32
    x, y = dequantise(a, a_scales, wide), dequantise(b, b_scales, wide).t()
    if promote is None:
        return (x @ y).to(out_dtype)
    out = torch.zeros(a.shape[0], b.shape[0], dtype=wide)
    for j in range(a.shape[1] // promote):
        out += x[:, j * promote : (j + 1) * promote] @ y[j * promote : (j + 1) * promote]
    return out.to(out_dtype)

def wrong_2(a, a_scales, b, b_scales, out_dtype=torch.float32, promote=None):
    "the running sum has the output's type: bfloat16 sums with promote"
    wide = torch.float64 if out_dtype == torch.float64 else torch.float32
    x, y = dequantise(a, a_scales, wide), dequantise(b, b_scales, wide).t()
    if promote is None:
        return (x @ y).to(out_dtype)
    out = torch.zeros(a.shape[0], b.shape[0], dtype=out_dtype)
    for k in range(0, a.shape[1], promote):
        out += (x[:, k : k + promote] @ y[k : k + promote]).to(out_dtype)
    return out

def wrong_3(a, a_scales, b, b_scales, out_dtype=torch.float32, promote=None):
    "operands are dequantised to the output's type: bfloat16 operands lose bits"
    x, y = dequantise(a, a_scales, out_dtype), dequantise(b, b_scales, out_dtype).t()
    if promote is None:
        return x @ y
    out = torch.zeros(a.shape[0], b.shape[0], dtype=torch.promote_types(out_dtype, torch.float32))
    for k in range(0, a.shape[1], promote):
        out += (x[:, k : k + promote] @ y[k : k + promote])
    return out.to(out_dtype)

def wrong_4(a, a_scales, b, b_scales, out_dtype=torch.float32, promote=None):
    "float32 throughout, out_dtype float64 too"
    x, y = dequantise(a, a_scales), dequantise(b, b_scales).t()
    if promote is None:
        return (x @ y).to(out_dtype)
    out = torch.zeros(a.shape[0], b.shape[0])
    for k in range(0, a.shape[1], promote):
        out += x[:, k : k + promote] @ y[k : k + promote]
    return out.to(out_dtype)

def wrong_5(a, a_scales, b, b_scales, out_dtype=torch.float32, promote=None):
    "out_dtype is ignored for the result: float32 (or float64) comes back where bfloat16 was asked for"
    wide = torch.float64 if out_dtype == torch.float64 else torch.float32
    x, y = dequantise(a, a_scales, wide), dequantise(b, b_scales, wide).t()
    if promote is None:
        return x @ y
    return sum(x[:, k : k + promote] @ y[k : k + promote] for k in range(0, a.shape[1], promote))

def wrong_6(a, a_scales, b, b_scales, out_dtype=torch.float32, promote=None):
    "b is taken to have 128x128 blocks always: scales of 1x128 (from quantise_t) are refused or misread"
    wide = torch.float64 if out_dtype == torch.float64 else torch.float32
    N, K = b.shape
    sb = b_scales.repeat_interleave(128, 0)[:N].repeat_interleave(128, 1)[:, :K]
    x, y = dequantise(a, a_scales, wide), (b.to(wide) * sb).t()
    if promote is None:
        return (x @ y).to(out_dtype)
    out = torch.zeros(a.shape[0], N, dtype=wide)
    for k in range(0, K, promote):
        out += x[:, k : k + promote] @ y[k : k + promote]
    return out.to(out_dtype)

def wrong_7(a, a_scales, b, b_scales, out_dtype=torch.float32, promote=None):
    "the scales of block k // promote are used: right for promote = 128, wrong for 64 or 256"
    wide = torch.float64 if out_dtype == torch.float64 else torch.float32
    if promote is None:
        return (dequantise(a, a_scales, wide) @ dequantise(b, b_scales, wide).t()).to(out_dtype)
    out = torch.zeros(a.shape[0], b.shape[0], dtype=wide)
    N = b.shape[0]
    sb = b_scales if b_scales.shape[0] == N else b_scales.repeat_interleave(128, 0)[:N]
    for j, k in enumerate(range(0, a.shape[1], promote)):
        j = min(j, a_scales.shape[1] - 1)
        part = a[:, k : k + promote].to(wide) @ b[:, k : k + promote].to(wide).t()
        out += part * a_scales[:, j, None] * sb[:, j]
    return out.to(out_dtype)

def wrong_8(a, a_scales, b, b_scales, out_dtype=torch.float32, promote=None):
    "partial products are rounded to out_dtype before they are added in float32"
    wide = torch.float64 if out_dtype == torch.float64 else torch.float32
    x, y = dequantise(a, a_scales, wide), dequantise(b, b_scales, wide).t()
    if promote is None:
        return (x @ y).to(out_dtype)
    out = torch.zeros(a.shape[0], b.shape[0], dtype=wide)
    for k in range(0, a.shape[1], promote):
        out += (x[:, k : k + promote] @ y[k : k + promote]).to(out_dtype).to(wide)
    return out.to(out_dtype)

def wrong_9(a, a_scales, b, b_scales, out_dtype=torch.float32, promote=None):
    "a short last part is made whole by reaching back: what it overlaps is added twice"
    wide = torch.float64 if out_dtype == torch.float64 else torch.float32
    x, y = dequantise(a, a_scales, wide), dequantise(b, b_scales, wide).t()
    if promote is None:
        return (x @ y).to(out_dtype)
    out, K = torch.zeros(a.shape[0], b.shape[0], dtype=wide), a.shape[1]
    for k in range(0, K, promote):
        k = max(0, min(k, K - promote))
        out += x[:, k : k + promote] @ y[k : k + promote]
    return out.to(out_dtype)

def wrong_10(a, a_scales, b, b_scales, out_dtype=torch.float32, promote=None):
    "one mean scale over K for each row, taken out of the sum"
    wide = torch.float64 if out_dtype == torch.float64 else torch.float32
    N = b.shape[0]
    sb = b_scales if b_scales.shape[0] == N else b_scales.repeat_interleave(128, 0)[:N]
    y = a.to(wide) @ b.to(wide).t()
    return (y * a_scales.mean(1, keepdim=True) * sb.mean(1)).to(out_dtype)

def right_1(a, a_scales, b, b_scales, out_dtype=torch.float32, promote=None):
    "split and a sum of parts, promote None as one part"
    wide = torch.float64 if out_dtype == torch.float64 else torch.float32
    x, y = dequantise(a, a_scales, wide), dequantise(b, b_scales, wide)
    size = promote or a.shape[1]
    total = x.new_zeros(len(a), len(b))
    for left, right in zip(x.split(size, 1), y.split(size, 1)):
        total = total + left @ right.T
    return total.to(out_dtype)

def right_2(a, a_scales, b, b_scales, out_dtype=torch.float32, promote=None):
    "einsum"
    wide = torch.promote_types(out_dtype, torch.float32)
    x, y = dequantise(a, a_scales, wide), dequantise(b, b_scales, wide)
    if promote is None:
        return torch.einsum("mk,nk->mn", x, y).to(out_dtype)
    parts = [torch.einsum("mk,nk->mn", x[:, k : k + promote], y[:, k : k + promote]) for k in range(0, x.shape[1], promote)]
    return torch.stack(parts).sum(0).to(out_dtype)

def right_3(a, a_scales, b, b_scales, out_dtype=torch.float32, promote=None):
    "padded to whole parts, one batched product, added up"
    wide = torch.float64 if out_dtype == torch.float64 else torch.float32
    x, y = dequantise(a, a_scales, wide), dequantise(b, b_scales, wide)
    if not promote:
        return torch.nn.functional.linear(x, y).to(out_dtype)
    fill = -x.shape[1] % promote
    x, y = (torch.nn.functional.pad(z, (0, fill)).view(len(z), -1, promote).transpose(0, 1) for z in (x, y))
    return torch.bmm(x, y.transpose(1, 2)).sum(0).to(out_dtype)

def right_4(a, a_scales, b, b_scales, out_dtype=torch.float32, promote=None):
    "column of b after column"
    wide = torch.float64 if out_dtype == torch.float64 else torch.float32
    x, y = dequantise(a, a_scales, wide), dequantise(b, b_scales, wide)
    K = x.shape[1]
    step = K if promote is None else promote
    out = torch.empty(len(a), len(b), dtype=out_dtype)
    for n in range(len(b)):
        column = torch.zeros(len(a), dtype=wide)
        for k in range(0, K, step):
            column += torch.mv(x[:, k : k + step], y[n, k : k + step])
        out[:, n] = column.to(out_dtype)
    return out
