"""triton.quantise"""
import torch
import triton
import triton.language as tl



@triton.jit
def wrong_1(x, q, s, M, K, x_row, s_col, UE8M0: tl.constexpr, ROWS: tl.constexpr):
    "scales are stored row by row: s + m * blocks + j"
    m = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)
    block = tl.program_id(1)
    k = block * 128 + tl.arange(0, 128)
    inside = (m[:, None] < M) & (k[None, :] < K)
    v = tl.load(x + m[:, None] * x_row + k[None, :], inside, 0.0).to(tl.float32)
    scale = block_scale(block_amax(v, 1), UE8M0)
    y = tl.clamp(tl.div_rn(v, tl.broadcast_to(scale[:, None], ROWS, 128)), -448.0, 448.0, tl.PropagateNan.ALL)
    tl.store(q + m[:, None] * K + k[None, :], y.to(tl.float8e4nv), inside)
    tl.store(s + m * tl.num_programs(1) + block, scale, m < M)


@triton.jit
def wrong_2(x, q, s, M, K, x_row, s_col, UE8M0: tl.constexpr, ROWS: tl.constexpr):
    "columns of scales are taken to be M apart: wrong where s_col is rounded up"
    m = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)
    block = tl.program_id(1)
    k = block * 128 + tl.arange(0, 128)
    inside = (m[:, None] < M) & (k[None, :] < K)
    v = tl.load(x + m[:, None] * x_row + k[None, :], inside, 0.0).to(tl.float32)
    scale = block_scale(block_amax(v, 1), UE8M0)
    y = tl.clamp(tl.div_rn(v, tl.broadcast_to(scale[:, None], ROWS, 128)), -448.0, 448.0, tl.PropagateNan.ALL)
    tl.store(q + m[:, None] * K + k[None, :], y.to(tl.float8e4nv), inside)
    tl.store(s + block.to(tl.int64) * M + m, scale, m < M)


@triton.jit
def wrong_3(x, q, s, M, K, x_row, s_col, UE8M0: tl.constexpr, ROWS: tl.constexpr):
    "scales are stored without a mask: rows beyond M overwrite the padding or the next column"
    m = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)
    block = tl.program_id(1)
    k = block * 128 + tl.arange(0, 128)
    inside = (m[:, None] < M) & (k[None, :] < K)
    v = tl.load(x + m[:, None] * x_row + k[None, :], inside, 0.0).to(tl.float32)
    scale = block_scale(block_amax(v, 1), UE8M0)
    y = tl.clamp(tl.div_rn(v, tl.broadcast_to(scale[:, None], ROWS, 128)), -448.0, 448.0, tl.PropagateNan.ALL)
    tl.store(q + m[:, None] * K + k[None, :], y.to(tl.float8e4nv), inside)
    tl.store(s + block.to(tl.int64) * s_col + m, scale)


@triton.jit
def wrong_4(x, q, s, M, K, x_row, s_col, UE8M0: tl.constexpr, ROWS: tl.constexpr):
    "one scale for all rows of the tile"
    m = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)
    block = tl.program_id(1)
    k = block * 128 + tl.arange(0, 128)
    inside = (m[:, None] < M) & (k[None, :] < K)
    v = tl.load(x + m[:, None] * x_row + k[None, :], inside, 0.0).to(tl.float32)
    scale = block_scale(tl.broadcast_to(tl.max(block_amax(v, 1), 0), ROWS), UE8M0)
    y = tl.clamp(tl.div_rn(v, tl.broadcast_to(scale[:, None], ROWS, 128)), -448.0, 448.0, tl.PropagateNan.ALL)
    tl.store(q + m[:, None] * K + k[None, :], y.to(tl.float8e4nv), inside)
    tl.store(s + block.to(tl.int64) * s_col + m, scale, m < M)


@triton.jit
def wrong_5(x, q, s, M, K, x_row, s_col, UE8M0: tl.constexpr, ROWS: tl.constexpr):
    "columns beyond K are not masked on the load: a short last block sees what lies behind the row"
    m = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)
    block = tl.program_id(1)
    k = block * 128 + tl.arange(0, 128)
    inside = (m[:, None] < M) & (k[None, :] < K)
    v = tl.load(x + m[:, None] * x_row + k[None, :], m[:, None] < M, 0.0).to(tl.float32)
    scale = block_scale(block_amax(v, 1), UE8M0)
    y = tl.clamp(tl.div_rn(v, tl.broadcast_to(scale[:, None], ROWS, 128)), -448.0, 448.0, tl.PropagateNan.ALL)
    tl.store(q + m[:, None] * K + k[None, :], y.to(tl.float8e4nv), inside)
    tl.store(s + block.to(tl.int64) * s_col + m, scale, m < M)


@triton.jit
def wrong_6(x, q, s, M, K, x_row, s_col, UE8M0: tl.constexpr, ROWS: tl.constexpr):
    "the largest number, not the largest absolute value"
    m = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)
    block = tl.program_id(1)
    k = block * 128 + tl.arange(0, 128)
    inside = (m[:, None] < M) & (k[None, :] < K)
    v = tl.load(x + m[:, None] * x_row + k[None, :], inside, 0.0).to(tl.float32)
    scale = block_scale(tl.max(v, 1), UE8M0)
    y = tl.clamp(tl.div_rn(v, tl.broadcast_to(scale[:, None], ROWS, 128)), -448.0, 448.0, tl.PropagateNan.ALL)
    tl.store(q + m[:, None] * K + k[None, :], y.to(tl.float8e4nv), inside)
    tl.store(s + block.to(tl.int64) * s_col + m, scale, m < M)


@triton.jit
def wrong_7(x, q, s, M, K, x_row, s_col, UE8M0: tl.constexpr, ROWS: tl.constexpr):
    "q is written with the stride of x: wrong for slices"
    m = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)
    block = tl.program_id(1)
    k = block * 128 + tl.arange(0, 128)
    inside = (m[:, None] < M) & (k[None, :] < K)
    v = tl.load(x + m[:, None] * x_row + k[None, :], inside, 0.0).to(tl.float32)
    scale = block_scale(block_amax(v, 1), UE8M0)
    y = tl.clamp(tl.div_rn(v, tl.broadcast_to(scale[:, None], ROWS, 128)), -448.0, 448.0, tl.PropagateNan.ALL)
    tl.store(q + m[:, None] * x_row + k[None, :], y.to(tl.float8e4nv), inside)
    tl.store(s + block.to(tl.int64) * s_col + m, scale, m < M)


@triton.jit
def wrong_8(x, q, s, M, K, x_row, s_col, UE8M0: tl.constexpr, ROWS: tl.constexpr):
    "divides by amax / 448 while the stored scale is a power of two with UE8M0"
    m = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)
    block = tl.program_id(1)
    k = block * 128 + tl.arange(0, 128)
    inside = (m[:, None] < M) & (k[None, :] < K)
    v = tl.load(x + m[:, None] * x_row + k[None, :], inside, 0.0).to(tl.float32)
    scale = block_scale(block_amax(v, 1), UE8M0)
    y = tl.clamp(tl.div_rn(v, tl.broadcast_to(block_scale(block_amax(v, 1), False)[:, None], ROWS, 128)), -448.0, 448.0, tl.PropagateNan.ALL)
    tl.store(q + m[:, None] * K + k[None, :], y.to(tl.float8e4nv), inside)
    tl.store(s + block.to(tl.int64) * s_col + m, scale, m < M)


@triton.jit
def wrong_9(x, q, s, M, K, x_row, s_col, UE8M0: tl.constexpr, ROWS: tl.constexpr):
    "masked lanes get 1: a short block of numbers below 1 has a scale too large"
    m = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)
    block = tl.program_id(1)
    k = block * 128 + tl.arange(0, 128)
    inside = (m[:, None] < M) & (k[None, :] < K)
    v = tl.load(x + m[:, None] * x_row + k[None, :], inside, 1.0).to(tl.float32)
    scale = block_scale(block_amax(v, 1), UE8M0)
    y = tl.clamp(tl.div_rn(v, tl.broadcast_to(scale[:, None], ROWS, 128)), -448.0, 448.0, tl.PropagateNan.ALL)
    tl.store(q + m[:, None] * K + k[None, :], y.to(tl.float8e4nv), inside)
    tl.store(s + block.to(tl.int64) * s_col + m, scale, m < M)


@triton.jit
def wrong_10(x, q, s, M, K, x_row, s_col, UE8M0: tl.constexpr, ROWS: tl.constexpr):
    "rounds to an integer before the cast: numbers below half a scale are lost"
    m = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)
    block = tl.program_id(1)
    k = block * 128 + tl.arange(0, 128)
    inside = (m[:, None] < M) & (k[None, :] < K)
    v = tl.load(x + m[:, None] * x_row + k[None, :], inside, 0.0).to(tl.float32)
    scale = block_scale(block_amax(v, 1), UE8M0)
    y = tl.clamp(tl.div_rn(v, tl.broadcast_to(scale[:, None], ROWS, 128)), -448.0, 448.0, tl.PropagateNan.ALL)
    tl.store(q + m[:, None] * K + k[None, :], tl.floor(y + 0.5).to(tl.float8e4nv), inside)
    tl.store(s + block.to(tl.int64) * s_col + m, scale, m < M)


@triton.jit
def right_1(x, q, s, M, K, x_row, s_col, UE8M0: tl.constexpr, ROWS: tl.constexpr):
    "tl.max(tl.abs(v)), as in the hint; the cast alone, no clamp: no quotient is above 448"
    m = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)
    block = tl.program_id(1)
    k = block * 128 + tl.arange(0, 128)
    inside = (m[:, None] < M) & (k[None, :] < K)
    v = tl.load(x + m[:, None] * x_row + k[None, :], inside, 0.0).to(tl.float32)
    scale = block_scale(tl.max(tl.abs(v), 1), UE8M0)
    tl.store(q + m[:, None] * K + k[None, :], tl.div_rn(v, tl.broadcast_to(scale[:, None], ROWS, 128)).to(tl.float8e4nv), inside)
    tl.store(s + block * s_col + m, scale, m < M)


@triton.jit
def right_2(x, q, s, M, K, x_row, s_col, UE8M0: tl.constexpr, ROWS: tl.constexpr):
    "row by row"
    j = tl.program_id(1)
    k = j * 128 + tl.arange(0, 128)
    for i in range(ROWS):
        m = tl.program_id(0).to(tl.int64) * ROWS + i
        inside = (k < K) & (m < M)
        v = tl.load(x + m * x_row + k, inside, 0.0).to(tl.float32)
        scale = block_scale(block_amax(v, 0), UE8M0)
        y = tl.clamp(tl.div_rn(v, tl.broadcast_to(scale, 128)), -448.0, 448.0, tl.PropagateNan.ALL)
        tl.store(q + m * K + k, y.to(tl.float8e4nv), inside)
        tl.store(s + j.to(tl.int64) * s_col + m, scale, m < M)


@triton.jit
def right_3(x, q, s, M, K, x_row, s_col, UE8M0: tl.constexpr, ROWS: tl.constexpr):
    "maximum of both signs; shapes kept with two axes"
    row = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)[:, None]
    col = tl.program_id(1) * 128 + tl.arange(0, 128)[None, :]
    mask = (row < M) & (col < K)
    t = tl.load(x + row * x_row + col, mask=mask, other=0.0).to(tl.float32)
    amax = tl.maximum(tl.max(t, 1, keep_dims=True), tl.max(-t, 1, keep_dims=True))
    sc = block_scale(amax, UE8M0)
    t = tl.minimum(tl.maximum(tl.div_rn(t, tl.broadcast_to(sc, ROWS, 128)), -448.0), 448.0)
    tl.store(q + row * K + col, t.to(tl.float8e4nv), mask=mask)
    tl.store(s + tl.program_id(1).to(tl.int64) * s_col + row, sc, mask=row < M)


@triton.jit
def right_4(x, q, s, M, K, x_row, s_col, UE8M0: tl.constexpr, ROWS: tl.constexpr):
    "the scale written first; masked lanes set to zero by tl.where"
    first = tl.program_id(0).to(tl.int64) * ROWS
    m = first + tl.arange(0, ROWS)
    j = tl.program_id(1).to(tl.int64)
    c = tl.arange(0, 128)
    inside = (m < M)[:, None] & (c < K - j * 128)[None, :]
    v = tl.where(inside, tl.load(x + j * 128 + m[:, None] * x_row + c[None, :], mask=inside, other=0.0).to(tl.float32), 0.0)
    scale = block_scale(block_amax(tl.abs(v), 1), UE8M0)
    tl.store(s + (j * s_col + m), scale, mask=m < M)
    y = tl.div_rn(v, tl.broadcast_to(scale[:, None], ROWS, 128))
    y = tl.clamp(y, -448.0, 448.0, tl.PropagateNan.ALL).to(q.dtype.element_ty)
    tl.store(q + j * 128 + m[:, None] * K + c[None, :], y, mask=inside)

