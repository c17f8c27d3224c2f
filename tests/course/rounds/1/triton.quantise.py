"""triton.quantise"""
import torch
from minids.kernels.runtime import tl, triton

@triton.jit
def wrong_1(x, q, s, M, K, x_row, s_col, UE8M0: tl.constexpr, ROWS: tl.constexpr):
    "q is written with x's stride: differs where x is a part of a wider matrix"
    m = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)
    block = tl.program_id(1)
    k = block * 128 + tl.arange(0, 128)
    inside = (m[:, None] < M) & (k[None, :] < K)
    v = tl.load(x + m[:, None] * x_row + k[None, :], inside, 0.0).to(tl.float32)
    scale = block_scale(tl.max(tl.abs(v), 1), UE8M0)
    y = tl.clamp(tl.div_rn(v, tl.broadcast_to(scale[:, None], ROWS, 128)), -448.0, 448.0, tl.PropagateNan.ALL)
    tl.store(q + m[:, None] * x_row + k[None, :], y.to(tl.float8e4nv), inside)
    tl.store(s + block.to(tl.int64) * s_col + m, scale, m < M)

@triton.jit
def wrong_2(x, q, s, M, K, x_row, s_col, UE8M0: tl.constexpr, ROWS: tl.constexpr):
    "scales are laid out row by row"
    m = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)
    block = tl.program_id(1)
    k = block * 128 + tl.arange(0, 128)
    inside = (m[:, None] < M) & (k[None, :] < K)
    v = tl.load(x + m[:, None] * x_row + k[None, :], inside, 0.0).to(tl.float32)
    scale = block_scale(tl.max(tl.abs(v), 1), UE8M0)
    y = tl.clamp(tl.div_rn(v, tl.broadcast_to(scale[:, None], ROWS, 128)), -448.0, 448.0, tl.PropagateNan.ALL)
    tl.store(q + m[:, None] * K + k[None, :], y.to(tl.float8e4nv), inside)
    tl.store(s + m * tl.num_programs(1) + block, scale, m < M)

@triton.jit
def wrong_3(x, q, s, M, K, x_row, s_col, UE8M0: tl.constexpr, ROWS: tl.constexpr):
    "scales are stored without a mask: into the padding and the next column"
    m = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)
    block = tl.program_id(1)
    k = block * 128 + tl.arange(0, 128)
    inside = (m[:, None] < M) & (k[None, :] < K)
    v = tl.load(x + m[:, None] * x_row + k[None, :], inside, 0.0).to(tl.float32)
    scale = block_scale(tl.max(tl.abs(v), 1), UE8M0)
    y = tl.clamp(tl.div_rn(v, tl.broadcast_to(scale[:, None], ROWS, 128)), -448.0, 448.0, tl.PropagateNan.ALL)
    tl.store(q + m[:, None] * K + k[None, :], y.to(tl.float8e4nv), inside)
    tl.store(s + block.to(tl.int64) * s_col + m, scale)

@triton.jit
def wrong_4(x, q, s, M, K, x_row, s_col, UE8M0: tl.constexpr, ROWS: tl.constexpr):
    "the largest value, not the largest absolute value"
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
def wrong_5(x, q, s, M, K, x_row, s_col, UE8M0: tl.constexpr, ROWS: tl.constexpr):
    "UE8M0 is not handed on: scales are never powers of two"
    m = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)
    block = tl.program_id(1)
    k = block * 128 + tl.arange(0, 128)
    inside = (m[:, None] < M) & (k[None, :] < K)
    v = tl.load(x + m[:, None] * x_row + k[None, :], inside, 0.0).to(tl.float32)
    scale = block_scale(tl.max(tl.abs(v), 1), False)
    y = tl.clamp(tl.div_rn(v, tl.broadcast_to(scale[:, None], ROWS, 128)), -448.0, 448.0, tl.PropagateNan.ALL)
    tl.store(q + m[:, None] * K + k[None, :], y.to(tl.float8e4nv), inside)
    tl.store(s + block.to(tl.int64) * s_col + m, scale, m < M)

@triton.jit
def wrong_6(x, q, s, M, K, x_row, s_col, UE8M0: tl.constexpr, ROWS: tl.constexpr):
    "one scale for all ROWS rows of the tile"
    m = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)
    block = tl.program_id(1)
    k = block * 128 + tl.arange(0, 128)
    inside = (m[:, None] < M) & (k[None, :] < K)
    v = tl.load(x + m[:, None] * x_row + k[None, :], inside, 0.0).to(tl.float32)
    scale = tl.broadcast_to(block_scale(tl.max(tl.max(tl.abs(v), 1), 0), UE8M0), [ROWS])
    y = tl.clamp(tl.div_rn(v, tl.broadcast_to(scale[:, None], ROWS, 128)), -448.0, 448.0, tl.PropagateNan.ALL)
    tl.store(q + m[:, None] * K + k[None, :], y.to(tl.float8e4nv), inside)
    tl.store(s + block.to(tl.int64) * s_col + m, scale, m < M)

@triton.jit
def wrong_7(x, q, s, M, K, x_row, s_col, UE8M0: tl.constexpr, ROWS: tl.constexpr):
    "loads without the mask of K: what lies behind a short last block takes part in its maximum"
    m = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)
    block = tl.program_id(1)
    k = block * 128 + tl.arange(0, 128)
    inside = (m[:, None] < M) & (k[None, :] < K)
    v = tl.load(x + m[:, None] * x_row + k[None, :], m[:, None] < M, 0.0).to(tl.float32)
    scale = block_scale(tl.max(tl.abs(v), 1), UE8M0)
    y = tl.clamp(tl.div_rn(v, tl.broadcast_to(scale[:, None], ROWS, 128)), -448.0, 448.0, tl.PropagateNan.ALL)
    tl.store(q + m[:, None] * K + k[None, :], y.to(tl.float8e4nv), inside)
    tl.store(s + block.to(tl.int64) * s_col + m, scale, m < M)

@triton.jit
def wrong_8(x, q, s, M, K, x_row, s_col, UE8M0: tl.constexpr, ROWS: tl.constexpr):
    "no floor: a block of zeros is divided by zero"
    m = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)
    block = tl.program_id(1)
    k = block * 128 + tl.arange(0, 128)
    inside = (m[:, None] < M) & (k[None, :] < K)
    v = tl.load(x + m[:, None] * x_row + k[None, :], inside, 0.0).to(tl.float32)
    amax = tl.max(tl.abs(v), 1)
    scale = tl.where(amax < 1e-4, amax / 448.0, block_scale(amax, UE8M0))
    y = tl.clamp(tl.div_rn(v, tl.broadcast_to(scale[:, None], ROWS, 128)), -448.0, 448.0, tl.PropagateNan.ALL)
    tl.store(q + m[:, None] * K + k[None, :], y.to(tl.float8e4nv), inside)
    tl.store(s + block.to(tl.int64) * s_col + m, scale, m < M)

@triton.jit
def wrong_9(x, q, s, M, K, x_row, s_col, UE8M0: tl.constexpr, ROWS: tl.constexpr):
    "columns of scales are taken to be M apart, not s_col"
    m = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)
    block = tl.program_id(1)
    k = block * 128 + tl.arange(0, 128)
    inside = (m[:, None] < M) & (k[None, :] < K)
    v = tl.load(x + m[:, None] * x_row + k[None, :], inside, 0.0).to(tl.float32)
    scale = block_scale(tl.max(tl.abs(v), 1), UE8M0)
    y = tl.clamp(tl.div_rn(v, tl.broadcast_to(scale[:, None], ROWS, 128)), -448.0, 448.0, tl.PropagateNan.ALL)
    tl.store(q + m[:, None] * K + k[None, :], y.to(tl.float8e4nv), inside)
    tl.store(s + block.to(tl.int64) * M + m, scale, m < M)

@triton.jit
def wrong_10(x, q, s, M, K, x_row, s_col, UE8M0: tl.constexpr, ROWS: tl.constexpr):
    "the scale is rounded to x's type before it is stored and used: differs for half precision"
    m = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)
    block = tl.program_id(1)
    k = block * 128 + tl.arange(0, 128)
    inside = (m[:, None] < M) & (k[None, :] < K)
    v = tl.load(x + m[:, None] * x_row + k[None, :], inside, 0.0).to(tl.float32)
    scale = block_scale(tl.max(tl.abs(v), 1), UE8M0).to(x.dtype.element_ty).to(tl.float32)
    y = tl.clamp(tl.div_rn(v, tl.broadcast_to(scale[:, None], ROWS, 128)), -448.0, 448.0, tl.PropagateNan.ALL)
    tl.store(q + m[:, None] * K + k[None, :], y.to(tl.float8e4nv), inside)
    tl.store(s + block.to(tl.int64) * s_col + m, scale, m < M)

@triton.jit
def right_1(x, q, s, M, K, x_row, s_col, UE8M0: tl.constexpr, ROWS: tl.constexpr):
    "scales kept as a column [ROWS, 1]"
    m = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)[:, None]
    j = tl.program_id(1)
    k = j * 128 + tl.arange(0, 128)[None, :]
    inside = (m < M) & (k < K)
    v = tl.load(x + m * x_row + k, mask=inside, other=0.0).to(tl.float32)
    scale = block_scale(tl.max(tl.abs(v), axis=1, keep_dims=True), UE8M0)
    y = tl.div_rn(v, tl.broadcast_to(scale, ROWS, 128))
    y = tl.minimum(tl.maximum(y, -448.0, tl.PropagateNan.ALL), 448.0, tl.PropagateNan.ALL)
    tl.store(q + m * K + k, y.to(tl.float8e4nv), mask=inside)
    tl.store(s + j.to(tl.int64) * s_col + m, scale, mask=m < M)

@triton.jit
def right_2(x, q, s, M, K, x_row, s_col, UE8M0: tl.constexpr, ROWS: tl.constexpr):
    "row after row in a static loop"
    j = tl.program_id(1)
    k = j * 128 + tl.arange(0, 128)
    for i in tl.static_range(ROWS):
        m = tl.program_id(0).to(tl.int64) * ROWS + i
        inside = (k < K) & (m < M)
        v = tl.load(x + m * x_row + k, inside, 0.0).to(tl.float32)
        scale = block_scale(tl.max(tl.abs(v), 0), UE8M0)
        y = tl.clamp(tl.div_rn(v, tl.broadcast_to(scale, [128])), -448.0, 448.0, tl.PropagateNan.ALL)
        tl.store(q + m * K + k, y.to(tl.float8e4nv), inside)
        tl.store(s + j.to(tl.int64) * s_col + m, scale, m < M)

@triton.jit
def right_3(x, q, s, M, K, x_row, s_col, UE8M0: tl.constexpr, ROWS: tl.constexpr):
    "the largest of maximum and negated minimum; scales stored first"
    rows = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)
    block = tl.program_id(1)
    cols = block * 128 + tl.arange(0, 128)
    mask = (rows < M)[:, None] & (cols < K)[None, :]
    tile = tl.load(x + (rows * x_row)[:, None] + cols[None, :], mask=mask, other=0.0).to(tl.float32)
    amax = tl.maximum(tl.max(tile, 1), -tl.min(tile, 1))
    scale = block_scale(amax, UE8M0)
    tl.store(s + block.to(tl.int64) * s_col + rows, scale, mask=rows < M)
    small = tl.clamp(tl.div_rn(tile, tl.broadcast_to(scale[:, None], ROWS, 128)), -448.0, 448.0, tl.PropagateNan.ALL)
    tl.store(q + (rows * K)[:, None] + cols[None, :], small.to(tl.float8e4nv), mask=mask)

@triton.jit
def right_4(x, q, s, M, K, x_row, s_col, UE8M0: tl.constexpr, ROWS: tl.constexpr):
    "pointers are moved to the block first"
    m = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)
    first = tl.program_id(1) * 128
    k = tl.arange(0, 128)
    inside = (m[:, None] < M) & (k[None, :] < K - first)
    x += first
    q += first
    s += (first // 128).to(tl.int64) * s_col
    v = tl.load(x + m[:, None] * x_row + k[None, :], inside, 0.0).to(tl.float32)
    scale = block_scale(tl.max(tl.where(inside, tl.abs(v), 0.0), 1), UE8M0)
    y = tl.clamp(tl.div_rn(v, tl.broadcast_to(scale[:, None], ROWS, 128)), -448.0, 448.0, tl.PropagateNan.ALL)
    tl.store(q + m[:, None] * K + k[None, :], y.to(tl.float8e4nv), inside)
    tl.store(s + m, scale, m < M)
