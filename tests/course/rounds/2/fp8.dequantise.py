"""fp8.dequantise"""
import torch
import torch.nn.functional as F

from minids.kernels.runtime import KernelError


def wrong_1(q, s, dtype=torch.float32):
    "the number of rows of a block is taken from the shape: R rounded up over the scales (192 rows: blocks of 96)"
    R, C = q.shape
    need(s.shape[1] == -(-C // BLOCK) and s.shape[0] in (R, -(-R // BLOCK)), "scales do not fit")
    wide = s.repeat_interleave(BLOCK, 1)[:, :C]
    if s.shape[0] != R:
        wide = wide.repeat_interleave(-(-R // s.shape[0]), 0)[:R]
    return (q.to(torch.float64 if dtype == torch.float64 else torch.float32) * wide).to(dtype)


def wrong_2(q, s, dtype=torch.float32):
    "float64 is computed in float32"
    R, C = q.shape
    need(s.shape[1] == -(-C // BLOCK) and s.shape[0] in (R, -(-R // BLOCK)), "scales do not fit")
    wide = s.repeat_interleave(BLOCK, 1)[:, :C]
    if s.shape[0] != R:
        wide = wide.repeat_interleave(BLOCK, 0)[:R]
    return (q.to(torch.float32) * wide).to(dtype)


def wrong_3(q, s, dtype=torch.float32):
    "the scale is rounded to the result's dtype before the product (bfloat16, float16)"
    R, C = q.shape
    need(s.shape[1] == -(-C // BLOCK) and s.shape[0] in (R, -(-R // BLOCK)), "scales do not fit")
    wide = s.repeat_interleave(BLOCK, 1)[:, :C]
    if s.shape[0] != R:
        wide = wide.repeat_interleave(BLOCK, 0)[:R]
    return q.to(dtype) * wide.to(dtype)


def wrong_4(q, s, dtype=torch.float32):
    "ValueError instead of KernelError where s does not fit"
    R, C = q.shape
    if s.shape[1] != -(-C // BLOCK) or s.shape[0] not in (R, -(-R // BLOCK)):
        raise ValueError("scales do not fit")
    wide = s.repeat_interleave(BLOCK, 1)[:, :C]
    if s.shape[0] != R:
        wide = wide.repeat_interleave(BLOCK, 0)[:R]
    return (q.to(torch.float64 if dtype == torch.float64 else torch.float32) * wide).to(dtype)


def wrong_5(q, s, dtype=torch.float32):
    "only the columns of s are checked: too many rows of scales are cut off silently"
    R, C = q.shape
    need(s.shape[1] == -(-C // BLOCK) and s.shape[0] >= -(-R // BLOCK), "scales do not fit")
    wide = s.repeat_interleave(BLOCK, 1)[:, :C]
    if s.shape[0] != R:
        wide = wide.repeat_interleave(BLOCK, 0)[:R]
    return (q.to(torch.float64 if dtype == torch.float64 else torch.float32) * wide).to(dtype)


def wrong_6(q, s, dtype=torch.float32):
    "only the rows of s are checked: too many columns of scales are cut off silently"
    R, C = q.shape
    need(s.shape[1] >= -(-C // BLOCK) and s.shape[0] in (R, -(-R // BLOCK)), "scales do not fit")
    wide = s.repeat_interleave(BLOCK, 1)[:, :C]
    if s.shape[0] != R:
        wide = wide.repeat_interleave(BLOCK, 0)[:R]
    return (q.to(torch.float64 if dtype == torch.float64 else torch.float32) * wide).to(dtype)


def wrong_7(q, s, dtype=torch.float32):
    "view of s: scales that lie column by column raise RuntimeError"
    R, C = q.shape
    need(s.shape[1] == -(-C // BLOCK) and s.shape[0] in (R, -(-R // BLOCK)), "scales do not fit")
    wide = s.view(-1)[:, None].expand(-1, BLOCK).reshape(s.shape[0], -1)[:, :C]
    if s.shape[0] != R:
        wide = wide.repeat_interleave(BLOCK, 0)[:R]
    return (q.to(torch.float64 if dtype == torch.float64 else torch.float32) * wide).to(dtype)


def wrong_8(q, s, dtype=torch.float32):
    "scales are spread by a product with zeros and ones: an infinite or NaN scale makes other blocks NaN"
    R, C = q.shape
    need(s.shape[1] == -(-C // BLOCK) and s.shape[0] in (R, -(-R // BLOCK)), "scales do not fit")
    wide = s @ (torch.arange(C) // BLOCK == torch.arange(s.shape[1])[:, None]).float()
    if s.shape[0] != R:
        wide = wide.repeat_interleave(BLOCK, 0)[:R]
    return (q.to(torch.float64 if dtype == torch.float64 else torch.float32) * wide).to(dtype)


def wrong_9(q, s, dtype=torch.float32):
    "repeat instead of repeat_interleave: the blocks' scales alternate"
    R, C = q.shape
    need(s.shape[1] == -(-C // BLOCK) and s.shape[0] in (R, -(-R // BLOCK)), "scales do not fit")
    wide = s.repeat(1, BLOCK)[:, :C]
    if s.shape[0] != R:
        wide = wide.repeat_interleave(BLOCK, 0)[:R]
    return (q.to(torch.float64 if dtype == torch.float64 else torch.float32) * wide).to(dtype)


def wrong_10(q, s, dtype=torch.float32):
    "the result is always float32"
    R, C = q.shape
    need(s.shape[1] == -(-C // BLOCK) and s.shape[0] in (R, -(-R // BLOCK)), "scales do not fit")
    wide = s.repeat_interleave(BLOCK, 1)[:, :C]
    if s.shape[0] != R:
        wide = wide.repeat_interleave(BLOCK, 0)[:R]
    return (q.to(torch.float64 if dtype == torch.float64 else torch.float32) * wide).float()


def right_1(q, s, dtype=torch.float32):
    "scales picked by index"
    R, C = q.shape
    rows, cols = s.shape
    need(cols == (C + BLOCK - 1) // BLOCK and rows in (R, (R + BLOCK - 1) // BLOCK), f"{list(s.shape)} for {[R, C]}")
    i = torch.arange(R) if rows == R else torch.arange(R) // BLOCK
    j = torch.arange(C) // BLOCK
    wide = torch.float64 if dtype is torch.float64 else torch.float32
    return (q.to(wide) * s[i][:, j].to(wide)).to(dtype)


def right_2(q, s, dtype=torch.float32):
    "block by block in loops"
    R, C = q.shape
    fine = s.shape[0] == R
    need(s.shape[1] == -(-C // BLOCK) and (fine or s.shape[0] == -(-R // BLOCK)), "no")
    y = q.to(torch.float64 if dtype == torch.float64 else torch.float32)
    for j in range(s.shape[1]):
        cols = slice(j * BLOCK, (j + 1) * BLOCK)
        if fine:
            y[:, cols] *= s[:, j, None]
        else:
            for i in range(s.shape[0]):
                y[i * BLOCK:(i + 1) * BLOCK, cols] *= s[i, j]
    return y.to(dtype)


def right_3(q, s, dtype=torch.float32):
    "kron, and the product in float32 with an own raise"
    R, C = q.shape
    h = 1 if s.shape[0] == R else BLOCK
    if list(s.shape) != [-(-R // h), -(-C // BLOCK)]:
        raise KernelError("scales do not fit")
    spread = torch.kron(s.contiguous(), torch.ones(h, BLOCK))[:R, :C]
    if dtype == torch.float64:
        return q.double() * spread.double()
    return (q.float() * spread).to(dtype)


def right_4(q, s, dtype=torch.float32):
    "padded, reshaped to blocks, broadcast"
    R, C = q.shape
    need(s.shape[1] == -(-C // BLOCK), "columns")
    need(s.shape[0] == R or s.shape[0] == -(-R // BLOCK), "rows")
    h = 1 if s.shape[0] == R else BLOCK
    y = q.to(torch.promote_types(torch.float32, dtype))
    y = F.pad(y, (0, -C % BLOCK, 0, -R % h)).view(s.shape[0], h, s.shape[1], BLOCK)
    return (y * s[:, None, :, None]).reshape(s.shape[0] * h, -1)[:R, :C].to(dtype)
