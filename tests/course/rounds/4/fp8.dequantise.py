"""fp8.dequantise"""
import torch


def _fits(q, s):
    R, C = q.shape
    need(s.shape[1] == -(-C // BLOCK) and s.shape[0] in (R, -(-R // BLOCK)), f"scales {list(s.shape)} do not fit {[R, C]}")


def wrong_1(q, s, dtype=torch.float32):
    "the width of a block from the shapes: 192 columns with 2 scales are taken for blocks of 96"
    R, C = q.shape
    _fits(q, s)
    wide = s.repeat_interleave(-(-C // s.shape[1]), 1)[:, :C]
    if s.shape[0] != R:
        wide = wide.repeat_interleave(BLOCK, 0)[:R]
    return (q.to(torch.float64 if dtype == torch.float64 else torch.float32) * wide).to(dtype)


def wrong_2(q, s, dtype=torch.float32):
    "the height of a block from the shapes: 192 rows with 2 scales are taken for blocks of 96"
    R, C = q.shape
    _fits(q, s)
    wide = s.repeat_interleave(BLOCK, 1)[:, :C]
    rows = torch.arange(R) // -(-R // s.shape[0])
    return (q.to(torch.float64 if dtype == torch.float64 else torch.float32) * wide[rows]).to(dtype)


def wrong_3(q, s, dtype=torch.float32):
    "repeat instead of repeat_interleave along the columns: the scales alternate (two blocks or more)"
    R, C = q.shape
    _fits(q, s)
    wide = s.repeat(1, BLOCK)[:, :C]
    if s.shape[0] != R:
        wide = wide.repeat_interleave(BLOCK, 0)[:R]
    return (q.to(torch.float64 if dtype == torch.float64 else torch.float32) * wide).to(dtype)


def wrong_4(q, s, dtype=torch.float32):
    "the product is taken in `dtype`: bfloat16 rounds the scale first, float16 may overflow or lose it"
    R, C = q.shape
    _fits(q, s)
    wide = s.repeat_interleave(BLOCK, 1)[:, :C]
    if s.shape[0] != R:
        wide = wide.repeat_interleave(BLOCK, 0)[:R]
    return q.to(dtype) * wide.to(dtype)


def wrong_5(q, s, dtype=torch.float32):
    "float64 is made of a float32 product"
    R, C = q.shape
    _fits(q, s)
    wide = s.repeat_interleave(BLOCK, 1)[:, :C]
    if s.shape[0] != R:
        wide = wide.repeat_interleave(BLOCK, 0)[:R]
    return (q.float() * wide).to(dtype)


def wrong_6(q, s, dtype=torch.float32):
    "ValueError instead of KernelError"
    R, C = q.shape
    if s.shape[1] != -(-C // BLOCK) or s.shape[0] not in (R, -(-R // BLOCK)):
        raise ValueError(f"scales {list(s.shape)} do not fit {[R, C]}")
    wide = s.repeat_interleave(BLOCK, 1)[:, :C]
    if s.shape[0] != R:
        wide = wide.repeat_interleave(BLOCK, 0)[:R]
    return (q.to(torch.float64 if dtype == torch.float64 else torch.float32) * wide).to(dtype)


def wrong_7(q, s, dtype=torch.float32):
    "only rows are checked: a column of scales too many is cut off silently"
    R, C = q.shape
    need(s.shape[0] in (R, -(-R // BLOCK)), "scales do not fit")
    wide = s.repeat_interleave(BLOCK, 1)[:, :C]
    need(wide.shape[1] == C, "too few scales")
    if s.shape[0] != R:
        wide = wide.repeat_interleave(BLOCK, 0)[:R]
    return (q.to(torch.float64 if dtype == torch.float64 else torch.float32) * wide).to(dtype)


def wrong_8(q, s, dtype=torch.float32):
    "s.view(-1) wants scales row by row: those that quantise lays out column by column raise RuntimeError"
    R, C = q.shape
    _fits(q, s)
    row = torch.arange(R) if s.shape[0] == R else torch.arange(R) // BLOCK
    column = torch.arange(C) // BLOCK
    wide = s.view(-1)[row[:, None] * s.shape[1] + column[None, :]]
    return (q.to(torch.float64 if dtype == torch.float64 else torch.float32) * wide).to(dtype)


def wrong_9(q, s, dtype=torch.float32):
    "a single row of scales is broadcast over any number of rows instead of a KernelError (R > 128)"
    R, C = q.shape
    need(s.shape[1] == -(-C // BLOCK) and s.shape[0] in (1, R, -(-R // BLOCK)), "scales do not fit")
    wide = s.repeat_interleave(BLOCK, 1)[:, :C]
    if s.shape[0] not in (1, R):
        wide = wide.repeat_interleave(BLOCK, 0)[:R]
    return (q.to(torch.float64 if dtype == torch.float64 else torch.float32) * wide).to(dtype)


def wrong_10(q, s, dtype=torch.float32):
    "more rows of scales than blocks are taken and cut: [5, j] for 300 rows is no KernelError"
    R, C = q.shape
    need(s.shape[1] == -(-C // BLOCK) and (s.shape[0] == R or s.shape[0] * BLOCK >= R), "scales do not fit")
    wide = s.repeat_interleave(BLOCK, 1)[:, :C]
    if s.shape[0] != R:
        wide = wide.repeat_interleave(BLOCK, 0)[:R]
    return (q.to(torch.float64 if dtype == torch.float64 else torch.float32) * wide).to(dtype)


def right_1(q, s, dtype=torch.float32):
    "indices // 128"
    R, C = q.shape
    high, wide = (R + 127) // 128, (C + 127) // 128
    if tuple(s.shape) not in ((R, wide), (high, wide)):
        raise runtime_error(s, q)
    row = torch.arange(R, device=q.device)
    each = s[row if s.shape[0] == R else row // 128][:, torch.arange(C, device=q.device) // 128]
    if dtype == torch.float64:
        return q.double() * each.double()
    return (q.float() * each).to(dtype)


def runtime_error(s, q):
    from minids.kernels.runtime import KernelError

    return KernelError(f"{tuple(s.shape)} scales do not fit {tuple(q.shape)}")


def right_2(q, s, dtype=torch.float32):
    "a loop over the blocks"
    R, C = q.shape
    need(list(s.shape) in ([R, -(-C // BLOCK)], [-(-R // BLOCK), -(-C // BLOCK)]), "scales fit no blocks")
    out = q.double() if dtype == torch.float64 else q.float()
    height = 1 if s.shape[0] == R else BLOCK
    for i in range(s.shape[0]):
        for j in range(s.shape[1]):
            out[i * height : (i + 1) * height, j * BLOCK : (j + 1) * BLOCK] *= s[i, j]
    return out.to(dtype)


def right_3(q, s, dtype=torch.float32):
    "padded to whole blocks, views of four axes, cut again"
    R, C = q.shape
    i, j = s.shape
    need(j == -(-C // BLOCK) and i in (R, -(-R // BLOCK)), "scales do not fit")
    calc = torch.double if dtype == torch.double else torch.float
    height = 1 if i == R else BLOCK
    full = q.new_zeros((i * height, j * BLOCK), dtype=calc)
    full[:R, :C] = q.to(calc)
    full = full.reshape(i, height, j, BLOCK) * s.to(calc)[:, None, :, None]
    return full.reshape(i * height, j * BLOCK)[:R, :C].to(dtype)


def right_4(q, s, dtype=torch.float32):
    "kron with a block of ones"
    R, C = q.shape
    need(s.shape[1] == (C - 1) // BLOCK + 1 and s.shape[0] in {R, (R - 1) // BLOCK + 1}, f"no: {s.shape} for {q.shape}")
    ones = torch.ones(1 if s.shape[0] == R else BLOCK, BLOCK)
    each = torch.kron(s.contiguous(), ones)[:R, :C]
    wide = torch.float64 if dtype is torch.float64 else torch.float32
    return q.to(wide).mul(each.to(wide)).to(dtype)
