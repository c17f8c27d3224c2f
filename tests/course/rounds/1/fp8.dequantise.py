"""fp8.dequantise"""
import torch
import torch.nn.functional as F

def _check(q, s):
    R, C = q.shape
    need(s.shape[1] == -(-C // BLOCK) and s.shape[0] in (R, -(-R // BLOCK)), "scales do not fit")

def wrong_1(q, s, dtype=torch.float32):
    "rows of a block = R // rows of scales (rounded up): 192 rows in 2 blocks are taken for 96 + 96"
    _check(q, s)
    R, C = q.shape
    rows = -(-R // s.shape[0])
    wide = s.repeat_interleave(BLOCK, 1)[:, :C].repeat_interleave(rows, 0)[:R]
    return (q.to(torch.promote_types(dtype, torch.float32)) * wide).to(dtype)

def wrong_2(q, s, dtype=torch.float32):
    "columns of a block = C / columns of scales (rounded up): 192 columns are taken for 96 + 96"
    _check(q, s)
    R, C = q.shape
    cols = -(-C // s.shape[1])
    wide = s.repeat_interleave(cols, 1)[:, :C]
    if s.shape[0] != R:
        wide = wide.repeat_interleave(BLOCK, 0)[:R]
    return (q.to(torch.promote_types(dtype, torch.float32)) * wide).to(dtype)

def wrong_3(q, s, dtype=torch.float32):
    "scales that do not fit are cut or fail somewhere in torch: no KernelError"
    R, C = q.shape
    wide = s.repeat_interleave(BLOCK, 1)[:, :C]
    if s.shape[0] != R:
        wide = wide.repeat_interleave(BLOCK, 0)[:R]
    return (q.to(torch.promote_types(dtype, torch.float32)) * wide).to(dtype)

def wrong_4(q, s, dtype=torch.float32):
    "a plain ValueError for scales that do not fit, where KernelError is promised"
    R, C = q.shape
    if s.shape[1] != -(-C // BLOCK) or s.shape[0] not in (R, -(-R // BLOCK)):
        raise ValueError("scales do not fit")
    wide = s.repeat_interleave(BLOCK, 1)[:, :C]
    if s.shape[0] != R:
        wide = wide.repeat_interleave(BLOCK, 0)[:R]
    return (q.to(torch.promote_types(dtype, torch.float32)) * wide).to(dtype)

def wrong_5(q, s, dtype=torch.float32):
    "always float32, also for dtype float64: the product is rounded to 24 bits"
    _check(q, s)
    R, C = q.shape
    wide = s.repeat_interleave(BLOCK, 1)[:, :C]
    if s.shape[0] != R:
        wide = wide.repeat_interleave(BLOCK, 0)[:R]
    return (q.float() * wide).to(dtype)

def wrong_6(q, s, dtype=torch.float32):
    "the product is taken in `dtype`: in bfloat16 the scale is rounded first"
    _check(q, s)
    R, C = q.shape
    wide = s.repeat_interleave(BLOCK, 1)[:, :C]
    if s.shape[0] != R:
        wide = wide.repeat_interleave(BLOCK, 0)[:R]
    return q.to(dtype) * wide.to(dtype)

def wrong_7(q, s, dtype=torch.float32):
    "dtype is not looked at: float32 always"
    _check(q, s)
    R, C = q.shape
    wide = s.repeat_interleave(BLOCK, 1)[:, :C]
    if s.shape[0] != R:
        wide = wide.repeat_interleave(BLOCK, 0)[:R]
    return q.float() * wide

def wrong_8(q, s, dtype=torch.float32):
    "only the columns are checked: scales with too many rows of blocks are cut without a word"
    R, C = q.shape
    need(s.shape[1] == -(-C // BLOCK) and s.shape[0] >= -(-R // BLOCK), "scales do not fit")
    wide = s.repeat_interleave(BLOCK, 1)[:, :C]
    if s.shape[0] != R:
        wide = wide.repeat_interleave(BLOCK, 0)[:R]
    return (q.to(torch.promote_types(dtype, torch.float32)) * wide).to(dtype)

def wrong_9(q, s, dtype=torch.float32):
    "repeat for repeat_interleave: scales alternate from column to column"
    _check(q, s)
    R, C = q.shape
    wide = s.repeat(1, BLOCK)[:, :C]
    if s.shape[0] != R:
        wide = wide.repeat_interleave(BLOCK, 0)[:R]
    return (q.to(torch.promote_types(dtype, torch.float32)) * wide).to(dtype)

def wrong_10(q, s, dtype=torch.float32):
    "blocks of 1x128 are told by R > 128: a matrix of at most 128 rows with a scale a row uses the first row of scales for all"
    _check(q, s)
    R, C = q.shape
    wide = s.repeat_interleave(BLOCK, 1)[:, :C]
    if R <= BLOCK:
        wide = wide[:1].expand(R, C)
    elif s.shape[0] != R:
        wide = wide.repeat_interleave(BLOCK, 0)[:R]
    return (q.to(torch.promote_types(dtype, torch.float32)) * wide).to(dtype)

def right_1(q, s, dtype=torch.float32):
    "scales by index: row and column numbers over 128"
    R, C = q.shape
    need(list(s.shape) in ([R, (C + 127) // 128], [(R + 127) // 128, (C + 127) // 128]), "scales do not fit")
    row = torch.arange(R) if s.shape[0] == R else torch.arange(R) // BLOCK
    wide = s[row[:, None], torch.arange(C)[None] // BLOCK]
    kind = torch.float64 if dtype == torch.float64 else torch.float32
    return (q.to(kind) * wide.to(kind)).to(dtype)

def right_2(q, s, dtype=torch.float32):
    "kron with ones"
    _check(q, s)
    R, C = q.shape
    tall = 1 if s.shape[0] == R else BLOCK
    wide = torch.kron(s, torch.ones(tall, BLOCK))[:R, :C]
    kind = torch.float64 if dtype == torch.float64 else torch.float32
    return q.to(kind).mul(wide).to(dtype)

def right_3(q, s, dtype=torch.float32):
    "a loop over blocks"
    R, C = q.shape
    rows, cols = -(-R // BLOCK), -(-C // BLOCK)
    if s.shape[1] != cols or s.shape[0] not in (R, rows):
        need(False, f"{tuple(s.shape)} scales for {R} x {C}")
    out = q.to(torch.double if dtype == torch.double else torch.float)
    for j in range(cols):
        part = out[:, j * BLOCK : (j + 1) * BLOCK]
        if s.shape[0] == R:
            part *= s[:, j, None]
        else:
            for i in range(rows):
                part[i * BLOCK : (i + 1) * BLOCK] *= s[i, j]
    return out.to(dtype)

def right_4(q, s, dtype=torch.float32):
    "padded to whole blocks, broadcast, cut"
    R, C = q.shape
    need(s.shape[1] == -(-C // BLOCK) and (s.shape[0] == R or s.shape[0] == -(-R // BLOCK)), "scales do not fit")
    wide = torch.float64 if dtype == torch.float64 else torch.float32
    tall = 1 if s.shape[0] == R else BLOCK
    x = F.pad(q.to(wide), (0, -C % BLOCK, 0, -R % tall))
    y = x.view(s.shape[0], tall, s.shape[1], BLOCK) * s[:, None, :, None]
    return y.reshape(x.shape)[:R, :C].to(dtype)
