"""triton.quantise"""
from minids.kernels.runtime import tl, triton



@triton.jit
def wrong_1(x, q, s, M, K, x_row, s_col, UE8M0: tl.constexpr, ROWS: tl.constexpr):
    "scales are stored without a mask: those of rows that there are not go behind the column (places of padding, the next column)"
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
def wrong_2(x, q, s, M, K, x_row, s_col, UE8M0: tl.constexpr, ROWS: tl.constexpr):
    "M as the distance of the columns of scales instead of s_col"
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
    "scales row by row: m * number of blocks + block"
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
def wrong_4(x, q, s, M, K, x_row, s_col, UE8M0: tl.constexpr, ROWS: tl.constexpr):
    "q is written with the stride of x"
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
def wrong_5(x, q, s, M, K, x_row, s_col, UE8M0: tl.constexpr, ROWS: tl.constexpr):
    "the largest number instead of the largest absolute value"
    m = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)
    block = tl.program_id(1)
    k = block * 128 + tl.arange(0, 128)
    inside = (m[:, None] < M) & (k[None, :] < K)
    v = tl.load(x + m[:, None] * x_row + k[None, :], inside, 0.0).to(tl.float32)
    scale = block_scale(tl.maximum(tl.max(v, 1), 0.0), UE8M0)
    y = tl.clamp(tl.div_rn(v, tl.broadcast_to(scale[:, None], ROWS, 128)), -448.0, 448.0, tl.PropagateNan.ALL)
    tl.store(q + m[:, None] * K + k[None, :], y.to(tl.float8e4nv), inside)
    tl.store(s + block.to(tl.int64) * s_col + m, scale, m < M)


@triton.jit
def wrong_6(x, q, s, M, K, x_row, s_col, UE8M0: tl.constexpr, ROWS: tl.constexpr):
    "UE8M0 is not handed on"
    m = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)
    block = tl.program_id(1)
    k = block * 128 + tl.arange(0, 128)
    inside = (m[:, None] < M) & (k[None, :] < K)
    v = tl.load(x + m[:, None] * x_row + k[None, :], inside, 0.0).to(tl.float32)
    scale = block_scale(block_amax(v, 1), False)
    y = tl.clamp(tl.div_rn(v, tl.broadcast_to(scale[:, None], ROWS, 128)), -448.0, 448.0, tl.PropagateNan.ALL)
    tl.store(q + m[:, None] * K + k[None, :], y.to(tl.float8e4nv), inside)
    tl.store(s + block.to(tl.int64) * s_col + m, scale, m < M)


@triton.jit
def wrong_7(x, q, s, M, K, x_row, s_col, UE8M0: tl.constexpr, ROWS: tl.constexpr):
    "columns beyond K are not masked in the store of q: a short last block writes into the next row"
    m = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)
    block = tl.program_id(1)
    k = block * 128 + tl.arange(0, 128)
    inside = (m[:, None] < M) & (k[None, :] < K)
    v = tl.load(x + m[:, None] * x_row + k[None, :], inside, 0.0).to(tl.float32)
    scale = block_scale(block_amax(v, 1), UE8M0)
    y = tl.clamp(tl.div_rn(v, tl.broadcast_to(scale[:, None], ROWS, 128)), -448.0, 448.0, tl.PropagateNan.ALL)
    tl.store(q + m[:, None] * K + k[None, :], y.to(tl.float8e4nv), (m[:, None] < M) & (k[None, :] >= 0))
    tl.store(s + block.to(tl.int64) * s_col + m, scale, m < M)


@triton.jit
def wrong_8(x, q, s, M, K, x_row, s_col, UE8M0: tl.constexpr, ROWS: tl.constexpr):
    "one scale for all rows of the program"
    m = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)
    block = tl.program_id(1)
    k = block * 128 + tl.arange(0, 128)
    inside = (m[:, None] < M) & (k[None, :] < K)
    v = tl.load(x + m[:, None] * x_row + k[None, :], inside, 0.0).to(tl.float32)
    scale = block_scale(block_amax(v, 1) * 0 + tl.max(block_amax(v, 1), 0), UE8M0)
    y = tl.clamp(tl.div_rn(v, tl.broadcast_to(scale[:, None], ROWS, 128)), -448.0, 448.0, tl.PropagateNan.ALL)
    tl.store(q + m[:, None] * K + k[None, :], y.to(tl.float8e4nv), inside)
    tl.store(s + block.to(tl.int64) * s_col + m, scale, m < M)


@triton.jit
def wrong_9(x, q, s, M, K, x_row, s_col, UE8M0: tl.constexpr, ROWS: tl.constexpr):
    "rounded to bfloat16 on the way to FP8: numbers beside the middle of two neighbours go the wrong way"
    m = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)
    block = tl.program_id(1)
    k = block * 128 + tl.arange(0, 128)
    inside = (m[:, None] < M) & (k[None, :] < K)
    v = tl.load(x + m[:, None] * x_row + k[None, :], inside, 0.0).to(tl.float32)
    scale = block_scale(block_amax(v, 1), UE8M0)
    y = tl.clamp(tl.div_rn(v, tl.broadcast_to(scale[:, None], ROWS, 128)), -448.0, 448.0, tl.PropagateNan.ALL)
    tl.store(q + m[:, None] * K + k[None, :], y.to(tl.bfloat16).to(tl.float8e4nv), inside)
    tl.store(s + block.to(tl.int64) * s_col + m, scale, m < M)


@triton.jit
def wrong_10(x, q, s, M, K, x_row, s_col, UE8M0: tl.constexpr, ROWS: tl.constexpr):
    "no floor and no powers of two: scale = amax / 448, a block of zeros becomes NaN"
    m = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)
    block = tl.program_id(1)
    k = block * 128 + tl.arange(0, 128)
    inside = (m[:, None] < M) & (k[None, :] < K)
    v = tl.load(x + m[:, None] * x_row + k[None, :], inside, 0.0).to(tl.float32)
    scale = block_amax(v, 1) / 448.0
    y = tl.clamp(tl.div_rn(v, tl.broadcast_to(scale[:, None], ROWS, 128)), -448.0, 448.0, tl.PropagateNan.ALL)
    tl.store(q + m[:, None] * K + k[None, :], y.to(tl.float8e4nv), inside)
    tl.store(s + block.to(tl.int64) * s_col + m, scale, m < M)


@triton.jit
def right_1(x, q, s, M, K, x_row, s_col, UE8M0: tl.constexpr, ROWS: tl.constexpr):
    "tl.max of tl.abs as in the hint"
    m = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)
    block = tl.program_id(1)
    k = block * 128 + tl.arange(0, 128)
    inside = (m[:, None] < M) & (k[None, :] < K)
    v = tl.load(x + m[:, None] * x_row + k[None, :], inside, 0.0).to(tl.float32)
    scale = block_scale(tl.max(tl.abs(v), 1), UE8M0)
    y = tl.clamp(tl.div_rn(v, tl.broadcast_to(scale[:, None], ROWS, 128)), -448.0, 448.0, tl.PropagateNan.ALL)
    tl.store(q + m[:, None] * K + k[None, :], y.to(tl.float8e4nv), inside)
    tl.store(s + block.to(tl.int64) * s_col + m, scale, m < M)


@triton.jit
def right_2(x, q, s, M, K, x_row, s_col, UE8M0: tl.constexpr, ROWS: tl.constexpr):
    "a loop over rows"
    k = tl.program_id(1) * 128 + tl.arange(0, 128)
    for i in range(ROWS):
        m = tl.program_id(0) * ROWS + i
        mask = (k < K) & (m < M)
        v = tl.load(x + m * x_row + k, mask, 0.0).to(tl.float32)
        scale = block_scale(block_amax(v, 0), UE8M0)
        y = tl.clamp(tl.div_rn(v, tl.broadcast_to(scale, 128)), -448.0, 448.0, tl.PropagateNan.ALL)
        tl.store(q + m * K + k, y.to(tl.float8e4nv), mask)
        tl.store(s + tl.program_id(1) * s_col + m, scale, m < M)


@triton.jit
def right_3(x, q, s, M, K, x_row, s_col, UE8M0: tl.constexpr, ROWS: tl.constexpr):
    "expand_dims, keep_dims, scales stored as a column"
    m = tl.program_id(0) * ROWS + tl.arange(0, ROWS)[:, None]
    k = tl.program_id(1) * 128 + tl.arange(0, 128)[None, :]
    mask = (m < M) & (k < K)
    v = tl.load(x + m * x_row + k, mask=mask, other=0.0).to(tl.float32)
    amax = tl.max(tl.abs(v), axis=1, keep_dims=True)
    scale = block_scale(amax, UE8M0)
    tl.store(s + tl.program_id(1) * s_col + m, scale, mask=m < M)
    tl.store(q + m * K + k, tl.clamp(tl.div_rn(v, tl.broadcast_to(scale, ROWS, 128)), -448.0, 448.0).to(tl.float8e4nv), mask=mask)


@triton.jit
def right_4(x, q, s, M, K, x_row, s_col, UE8M0: tl.constexpr, ROWS: tl.constexpr):
    "the maximum of the largest and of minus the smallest"
    m = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)
    block = tl.program_id(1)
    k = block * 128 + tl.arange(0, 128)
    inside = (m[:, None] < M) & (k[None, :] < K)
    v = tl.load(x + m[:, None] * x_row + k[None, :], inside, 0.0).to(tl.float32)
    scale = block_scale(tl.maximum(tl.max(v, 1), -tl.min(v, 1)), UE8M0)
    y = tl.clamp(tl.div_rn(v, tl.broadcast_to(scale[:, None], ROWS, 128)), -448.0, 448.0, tl.PropagateNan.ALL)
    tl.store(q + m[:, None] * K + k[None, :], y.to(tl.float8e4nv), inside)
    tl.store(s + block.to(tl.int64) * s_col + m, scale, m < M)
