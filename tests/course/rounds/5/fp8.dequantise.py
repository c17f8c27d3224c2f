"""fp8.dequantise"""
import torch


def _fits(q, s):
    R, C = q.shape
    need(
        s.ndim == 2 and s.shape[1] == -(-C // BLOCK) and s.shape[0] in (R, -(-R // BLOCK)),
        f"scales {list(s.shape)} fit neither 1x128 nor 128x128 blocks of {[R, C]}",
    )


def wrong_1(q, s, dtype=torch.float32):
    "the height of a block is worked out from the shapes, rounded up: 96 for 192 rows"
    # breaks: "the last block of a row or column is then shorter, all others are whole"; q [192, 256], s [2, 2]
    _fits(q, s)
    R, C = q.shape
    high = -(-R // s.shape[0])
    wide = s.repeat_interleave(BLOCK, 1)[:, :C].repeat_interleave(high, 0)[:R]
    return (q.to(torch.float64 if dtype == torch.float64 else torch.float32) * wide).to(dtype)


def wrong_2(q, s, dtype=torch.float32):
    "the width of a block is worked out from the shapes: right rows, wrong columns at ragged C"
    # breaks: "the last block of a row or column is then shorter, all others are whole"; q [4, 192], s [4, 2]
    _fits(q, s)
    R, C = q.shape
    wide = s.repeat_interleave(-(-C // s.shape[1]), 1)[:, :C]
    if s.shape[0] != R:
        wide = wide.repeat_interleave(BLOCK, 0)[:R]
    return (q.to(torch.float64 if dtype == torch.float64 else torch.float32) * wide).to(dtype)


def wrong_3(q, s, dtype=torch.float32):
    "both factors are cast to `dtype` before they are multiplied"
    # breaks: "The product is taken in float32"; dtype float16 with the scale 1e-4 / 448 (subnormal there): off by 7 %; bfloat16: the scale is rounded first
    _fits(q, s)
    R, C = q.shape
    wide = s.repeat_interleave(BLOCK, 1)[:, :C]
    if s.shape[0] != R:
        wide = wide.repeat_interleave(BLOCK, 0)[:R]
    return q.to(dtype) * wide.to(dtype)


def wrong_4(q, s, dtype=torch.float32):
    "the product is always taken in float32, also for float64"
    # breaks: "in float64 for dtype float64"; s = 0.1 and q = 13 in float64 differ in the eighth digit
    _fits(q, s)
    R, C = q.shape
    wide = s.repeat_interleave(BLOCK, 1)[:, :C]
    if s.shape[0] != R:
        wide = wide.repeat_interleave(BLOCK, 0)[:R]
    return (q.float() * wide).to(dtype)


def wrong_5(q, s, dtype=torch.float32):
    "scales that do not fit raise a plain ValueError"
    # breaks: "KernelError if s fits neither kind of blocks"; q [4, 256], s [3, 2]
    R, C = q.shape
    if s.ndim != 2 or s.shape[1] != -(-C // BLOCK) or s.shape[0] not in (R, -(-R // BLOCK)):
        raise ValueError(f"scales {list(s.shape)} do not fit {[R, C]}")
    wide = s.repeat_interleave(BLOCK, 1)[:, :C]
    if s.shape[0] != R:
        wide = wide.repeat_interleave(BLOCK, 0)[:R]
    return (q.to(torch.float64 if dtype == torch.float64 else torch.float32) * wide).to(dtype)


def wrong_6(q, s, dtype=torch.float32):
    "columns are not checked: scales with a column too many are cut off silently"
    # breaks: "KernelError if s fits neither kind of blocks"; q [4, 256], s [4, 3]
    R, C = q.shape
    need(s.ndim == 2 and s.shape[0] in (R, -(-R // BLOCK)), f"scales {list(s.shape)} do not fit {[R, C]}")
    wide = s.repeat_interleave(BLOCK, 1)[:, :C]
    if s.shape[0] != R:
        wide = wide.repeat_interleave(BLOCK, 0)[:R]
    return (q.to(torch.float64 if dtype == torch.float64 else torch.float32) * wide).to(dtype)


def wrong_7(q, s, dtype=torch.float32):
    "scales are tiled, not repeated one by one; differs where there are two blocks in a row"
    # breaks: "each element times the scale of its block"; q [1, 256], s [[1, 2]]: scales 1, 2, 1, 2 …
    _fits(q, s)
    R, C = q.shape
    wide = s.repeat(1, BLOCK)[:, :C]
    if s.shape[0] != R:
        wide = wide.repeat_interleave(BLOCK, 0)[:R]
    return (q.to(torch.float64 if dtype == torch.float64 else torch.float32) * wide).to(dtype)


def wrong_8(q, s, dtype=torch.float32):
    "the scales are read as they lie in memory: RuntimeError, as those of quantise lie column by column"
    # breaks: "s may lie in memory as it likes: quantise lays it out column by column"; s = tensor [2, 4] .t()
    _fits(q, s)
    R, C = q.shape
    rows, cols = s.shape
    wide = s.view(-1).repeat_interleave(BLOCK).view(rows, cols * BLOCK)[:, :C]
    if rows != R:
        wide = wide.repeat_interleave(BLOCK, 0)[:R]
    return (q.to(torch.float64 if dtype == torch.float64 else torch.float32) * wide).to(dtype)


def wrong_9(q, s, dtype=torch.float32):
    "the kind of blocks is guessed from R: more than 128 rows are taken to be in squares"
    # breaks: "s float32, [R, ceil(C/128)] for blocks of 1x128"; q [200, 128], s [200, 1]: rows 1 … 127 get the scale of row 0
    _fits(q, s)
    R, C = q.shape
    wide = s.repeat_interleave(BLOCK, 1)[:, :C]
    if R > BLOCK or s.shape[0] != R:
        wide = wide.repeat_interleave(BLOCK, 0)[:R]
    return (q.to(torch.float64 if dtype == torch.float64 else torch.float32) * wide).to(dtype)


def wrong_10(q, s, dtype=torch.float32):
    "the result is float32 unless float64 is asked for: bfloat16 is never made"
    # breaks: "[R, C] in `dtype`"; dtype bfloat16 gives float32
    _fits(q, s)
    R, C = q.shape
    wide = torch.float64 if dtype == torch.float64 else torch.float32
    rows = torch.arange(R, device=q.device) if s.shape[0] == R else torch.arange(R, device=q.device) // BLOCK
    cols = torch.arange(C, device=q.device) // BLOCK
    return q.to(wide) * s[rows][:, cols]


def right_1(q, s, dtype=torch.float32):
    "the number of the block of each row and column, and indexing"
    R, C = q.shape
    need(s.ndim == 2 and tuple(s.shape) in ((R, -(-C // BLOCK)), (-(-R // BLOCK), -(-C // BLOCK))), "scales do not fit")
    row = torch.arange(R, device=q.device)
    if s.shape[0] != R:
        row = row // BLOCK
    column = torch.arange(C, device=q.device) // BLOCK
    wide = torch.float64 if dtype == torch.float64 else torch.float32
    return (q.to(wide) * s[row[:, None], column[None]].to(wide)).to(dtype)


def right_2(q, s, dtype=torch.float32):
    "a loop over the blocks"
    _fits(q, s)
    R, C = q.shape
    out = q.to(torch.float64 if dtype == torch.float64 else torch.float32)
    high = 1 if s.shape[0] == R else BLOCK
    for i in range(s.shape[0]):
        for j in range(s.shape[1]):
            out[i * high : (i + 1) * high, j * BLOCK : (j + 1) * BLOCK] *= s[i, j]
    return out.to(dtype)


def right_3(q, s, dtype=torch.float32):
    "the numbers are padded to whole blocks and multiplied with scales on axes of their own"
    _fits(q, s)
    R, C = q.shape
    high = 1 if s.shape[0] == R else BLOCK
    y = q.double() if dtype == torch.float64 else q.float()
    y = torch.nn.functional.pad(y, (0, -C % BLOCK, 0, -R % high))
    y = y.reshape(s.shape[0], high, s.shape[1], BLOCK) * s[:, None, :, None]
    return y.reshape(s.shape[0] * high, s.shape[1] * BLOCK)[:R, :C].to(dtype)


def right_4(q, s, dtype=torch.float32):
    "Kronecker product of the scales with a block of ones"
    R, C = q.shape
    rows, cols = -(-R // BLOCK), -(-C // BLOCK)
    need(list(s.shape) in ([R, cols], [rows, cols]), f"{list(s.shape)} are no scales of {[R, C]}")
    block = torch.ones(1 if s.shape[0] == R else BLOCK, BLOCK, device=q.device)
    every = torch.kron(s.contiguous(), block)[:R, :C]
    if dtype == torch.float64:
        return q.double() * every.double()
    return (q.float() * every).to(dtype)
