"""triton.quantise"""
from minids.kernels.quantise import block_amax, block_scale
from minids.kernels.runtime import tl, triton


@triton.jit
def wrong_1(x, q, s, M, K, x_row, s_col, UE8M0: tl.constexpr, ROWS: tl.constexpr):
    "the floor is put under the scale instead of the largest value: blocks below 0.0448 lose their bits"
    # breaks: "max(amax, 1e-4) / 448": a block of numbers around 1e-3
    m = tl.program_id(0) * ROWS + tl.arange(0, ROWS)
    block = tl.program_id(1)
    k = block * 128 + tl.arange(0, 128)
    inside = (m[:, None] < M) & (k[None, :] < K)
    v = tl.load(x + m[:, None] * x_row + k[None, :], inside, 0.0).to(tl.float32)
    scale = tl.div_rn(block_amax(v, 1), 448.0)
    if UE8M0:
        scale = block_scale(block_amax(v, 1), True)
    scale = tl.maximum(scale, 1e-4)
    y = tl.div_rn(v, tl.broadcast_to(scale[:, None], ROWS, 128))
    y = tl.clamp(y, -448.0, 448.0, tl.PropagateNan.ALL)
    tl.store(q + m[:, None] * K + k[None, :], y.to(tl.float8e4nv), inside)
    tl.store(s + block * s_col + m, scale, m < M)


@triton.jit
def wrong_2(x, q, s, M, K, x_row, s_col, UE8M0: tl.constexpr, ROWS: tl.constexpr):
    "no floor: a block of zeros is divided by zero and becomes NaN, one of tiny numbers has a tiny scale"
    # breaks: "max(amax, 1e-4) / 448": a row of zeros must have q = 0 and the scale 1e-4 / 448
    m = tl.program_id(0) * ROWS + tl.arange(0, ROWS)
    block = tl.program_id(1)
    k = block * 128 + tl.arange(0, 128)
    inside = (m[:, None] < M) & (k[None, :] < K)
    v = tl.load(x + m[:, None] * x_row + k[None, :], inside, 0.0).to(tl.float32)
    amax = block_amax(v, 1)
    scale = tl.div_rn(amax, 448.0)
    if UE8M0:
        scale = block_scale(amax, True)
    y = tl.div_rn(v, tl.broadcast_to(scale[:, None], ROWS, 128))
    y = tl.clamp(y, -448.0, 448.0, tl.PropagateNan.ALL)
    tl.store(q + m[:, None] * K + k[None, :], y.to(tl.float8e4nv), inside)
    tl.store(s + block * s_col + m, scale, m < M)


@triton.jit
def wrong_3(x, q, s, M, K, x_row, s_col, UE8M0: tl.constexpr, ROWS: tl.constexpr):
    "one scale for all rows of the program, the largest of them: rows next to a larger one lose bits"
    # breaks: "Blocks of 1x128 ... ROWS rows of one column of blocks, that is ROWS blocks": rows of different size
    m = tl.program_id(0) * ROWS + tl.arange(0, ROWS)
    block = tl.program_id(1)
    k = block * 128 + tl.arange(0, 128)
    inside = (m[:, None] < M) & (k[None, :] < K)
    v = tl.load(x + m[:, None] * x_row + k[None, :], inside, 0.0).to(tl.float32)
    amax = tl.max(block_amax(v, 1), 0)
    scale = block_scale(amax + tl.zeros((ROWS,), tl.float32), UE8M0)
    y = tl.div_rn(v, tl.broadcast_to(scale[:, None], ROWS, 128))
    y = tl.clamp(y, -448.0, 448.0, tl.PropagateNan.ALL)
    tl.store(q + m[:, None] * K + k[None, :], y.to(tl.float8e4nv), inside)
    tl.store(s + block * s_col + m, scale, m < M)


@triton.jit
def wrong_4(x, q, s, M, K, x_row, s_col, UE8M0: tl.constexpr, ROWS: tl.constexpr):
    "the largest number, not the largest absolute one: a block whose extreme is negative is cut off at -448"
    # breaks: "largest absolute values": a block with -60 among randn
    m = tl.program_id(0) * ROWS + tl.arange(0, ROWS)
    block = tl.program_id(1)
    k = block * 128 + tl.arange(0, 128)
    inside = (m[:, None] < M) & (k[None, :] < K)
    v = tl.load(x + m[:, None] * x_row + k[None, :], inside, 0.0).to(tl.float32)
    scale = block_scale(tl.max(v, 1), UE8M0)
    y = tl.div_rn(v, tl.broadcast_to(scale[:, None], ROWS, 128))
    y = tl.clamp(y, -448.0, 448.0, tl.PropagateNan.ALL)
    tl.store(q + m[:, None] * K + k[None, :], y.to(tl.float8e4nv), inside)
    tl.store(s + block * s_col + m, scale, m < M)


@triton.jit
def wrong_5(x, q, s, M, K, x_row, s_col, UE8M0: tl.constexpr, ROWS: tl.constexpr):
    "q is laid out like x: wrong where x is a slice of a wider matrix"
    # breaks: "q [M, K] float8e4nv, rows of K one after the other": x_row = K + 40
    m = tl.program_id(0) * ROWS + tl.arange(0, ROWS)
    block = tl.program_id(1)
    k = block * 128 + tl.arange(0, 128)
    inside = (m[:, None] < M) & (k[None, :] < K)
    v = tl.load(x + m[:, None] * x_row + k[None, :], inside, 0.0).to(tl.float32)
    scale = block_scale(block_amax(v, 1), UE8M0)
    y = tl.div_rn(v, tl.broadcast_to(scale[:, None], ROWS, 128))
    y = tl.clamp(y, -448.0, 448.0, tl.PropagateNan.ALL)
    place = m[:, None] * x_row + k[None, :]
    tl.store(q + place, y.to(tl.float8e4nv), inside & (place < M * K))
    tl.store(s + block * s_col + m, scale, m < M)


@triton.jit
def wrong_6(x, q, s, M, K, x_row, s_col, UE8M0: tl.constexpr, ROWS: tl.constexpr):
    "columns of scales are taken to lie M apart, not s_col: wrong where they are padded (M = 10, s_col = 12)"
    # breaks: "the scale of block j of row m lies at s + j * s_col + m": M = 10, s_col = 12, two blocks
    m = tl.program_id(0) * ROWS + tl.arange(0, ROWS)
    block = tl.program_id(1)
    k = block * 128 + tl.arange(0, 128)
    inside = (m[:, None] < M) & (k[None, :] < K)
    v = tl.load(x + m[:, None] * x_row + k[None, :], inside, 0.0).to(tl.float32)
    scale = block_scale(block_amax(v, 1), UE8M0)
    y = tl.div_rn(v, tl.broadcast_to(scale[:, None], ROWS, 128))
    y = tl.clamp(y, -448.0, 448.0, tl.PropagateNan.ALL)
    tl.store(q + m[:, None] * K + k[None, :], y.to(tl.float8e4nv), inside)
    tl.store(s + block * M + m, scale, m < M)


@triton.jit
def wrong_7(x, q, s, M, K, x_row, s_col, UE8M0: tl.constexpr, ROWS: tl.constexpr):
    "scales are stored without a mask: places behind row M belong to nobody or to the next column"
    # breaks: "the scale of block j of row m lies at s + j * s_col + m": M = 5, ROWS = 4 writes scales for rows that there are not
    m = tl.program_id(0) * ROWS + tl.arange(0, ROWS)
    block = tl.program_id(1)
    k = block * 128 + tl.arange(0, 128)
    inside = (m[:, None] < M) & (k[None, :] < K)
    v = tl.load(x + m[:, None] * x_row + k[None, :], inside, 0.0).to(tl.float32)
    scale = block_scale(block_amax(v, 1), UE8M0)
    y = tl.div_rn(v, tl.broadcast_to(scale[:, None], ROWS, 128))
    y = tl.clamp(y, -448.0, 448.0, tl.PropagateNan.ALL)
    tl.store(q + m[:, None] * K + k[None, :], y.to(tl.float8e4nv), inside)
    tl.store(s + block * s_col + m, scale)


@triton.jit
def wrong_8(x, q, s, M, K, x_row, s_col, UE8M0: tl.constexpr, ROWS: tl.constexpr):
    "the load masks rows only: in a short last block what lies behind the row joins the largest value"
    # breaks: "The last block of a row may be shorter": K = 300 with larger numbers behind, or in the next row
    m = tl.program_id(0) * ROWS + tl.arange(0, ROWS)
    block = tl.program_id(1)
    k = block * 128 + tl.arange(0, 128)
    inside = (m[:, None] < M) & (k[None, :] < K)
    there = (m[:, None] < M) & (m[:, None] * x_row + k[None, :] < (M - 1) * x_row + K)
    v = tl.load(x + m[:, None] * x_row + k[None, :], there, 0.0).to(tl.float32)
    scale = block_scale(block_amax(v, 1), UE8M0)
    y = tl.div_rn(v, tl.broadcast_to(scale[:, None], ROWS, 128))
    y = tl.clamp(y, -448.0, 448.0, tl.PropagateNan.ALL)
    tl.store(q + m[:, None] * K + k[None, :], y.to(tl.float8e4nv), inside)
    tl.store(s + block * s_col + m, scale, m < M)


@triton.jit
def wrong_9(x, q, s, M, K, x_row, s_col, UE8M0: tl.constexpr, ROWS: tl.constexpr):
    "the power of two is the nearest in the logarithm, not the next above: largest numbers are cut off at 448"
    # breaks: "with UE8M0 the next power of two": amax = 1.2 * 448 must have the scale 2, here 1
    m = tl.program_id(0) * ROWS + tl.arange(0, ROWS)
    block = tl.program_id(1)
    k = block * 128 + tl.arange(0, 128)
    inside = (m[:, None] < M) & (k[None, :] < K)
    v = tl.load(x + m[:, None] * x_row + k[None, :], inside, 0.0).to(tl.float32)
    scale = block_scale(block_amax(v, 1), False)
    if UE8M0:
        scale = tl.exp2(tl.floor(tl.log2(scale) + 0.5))
    y = tl.div_rn(v, tl.broadcast_to(scale[:, None], ROWS, 128))
    y = tl.clamp(y, -448.0, 448.0, tl.PropagateNan.ALL)
    tl.store(q + m[:, None] * K + k[None, :], y.to(tl.float8e4nv), inside)
    tl.store(s + block * s_col + m, scale, m < M)


@triton.jit
def wrong_10(x, q, s, M, K, x_row, s_col, UE8M0: tl.constexpr, ROWS: tl.constexpr):
    "numbers are divided by the scale as the type of x holds it, stored is the float32 one: the two do not match"
    # breaks: "q = e4m3(x / s)" (the module), "s float32": bfloat16 x, many q a step off, block_scale gives the divisor
    m = tl.program_id(0) * ROWS + tl.arange(0, ROWS)
    block = tl.program_id(1)
    k = block * 128 + tl.arange(0, 128)
    inside = (m[:, None] < M) & (k[None, :] < K)
    v = tl.load(x + m[:, None] * x_row + k[None, :], inside, 0.0).to(tl.float32)
    scale = block_scale(block_amax(v, 1), UE8M0)
    y = tl.div_rn(v, tl.broadcast_to(scale.to(x.dtype.element_ty).to(tl.float32)[:, None], ROWS, 128))
    y = tl.clamp(y, -448.0, 448.0, tl.PropagateNan.ALL)
    tl.store(q + m[:, None] * K + k[None, :], y.to(tl.float8e4nv), inside)
    tl.store(s + block * s_col + m, scale, m < M)


@triton.jit
def right_1(x, q, s, M, K, x_row, s_col, UE8M0: tl.constexpr, ROWS: tl.constexpr):
    "the hint to the letter: tl.max of tl.abs, a plain division"
    m = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)
    block = tl.program_id(1)
    k = block * 128 + tl.arange(0, 128)
    inside = (m[:, None] < M) & (k[None, :] < K)
    v = tl.load(x + m[:, None] * x_row + k[None, :], inside, 0.0).to(tl.float32)
    scale = block_scale(tl.max(tl.abs(v), 1), UE8M0)
    y = v / scale[:, None]
    tl.store(q + m[:, None] * K + k[None, :], y.to(tl.float8e4nv), inside)
    tl.store(s + block * s_col + m, scale, m < M)


@triton.jit
def right_2(x, q, s, M, K, x_row, s_col, UE8M0: tl.constexpr, ROWS: tl.constexpr):
    "axes kept, pointers moved to the program's corner"
    top, block = tl.program_id(0).to(tl.int64) * ROWS, tl.program_id(1)
    i, j = tl.arange(0, ROWS)[:, None], tl.arange(0, 128)[None, :]
    inside = (i < M - top) & (j < K - block * 128)
    v = tl.load(x + top * x_row + block * 128 + i * x_row + j, mask=inside, other=0.0).to(tl.float32)
    scale = block_scale(tl.expand_dims(block_amax(v, 1), 1), UE8M0)
    y = tl.div_rn(v, tl.broadcast_to(scale, ROWS, 128))
    tl.store(q + top * K + block * 128 + i * K + j, y.to(tl.float8e4nv), mask=inside)
    tl.store(s + block.to(tl.int64) * s_col + top + i, scale, mask=i < M - top)


@triton.jit
def right_3(x, q, s, M, K, x_row, s_col, UE8M0: tl.constexpr, ROWS: tl.constexpr):
    "row by row in a loop, a vector of 128 at a time"
    j = tl.program_id(1)
    k = j * 128 + tl.arange(0, 128)
    for row in range(ROWS):
        m = tl.program_id(0).to(tl.int64) * ROWS + row
        real = (k < K) & (m < M)
        v = tl.load(x + m * x_row + k, real, 0.0).to(tl.float32)
        scale = block_scale(tl.max(tl.abs(v), 0), UE8M0)
        y = tl.div_rn(v, tl.broadcast_to(scale, 128))
        tl.store(q + m * K + k, y.to(tl.float8e4nv), real)
        tl.store(s + j.to(tl.int64) * s_col + m + tl.arange(0, 128), scale, (tl.arange(0, 128) == 0) & (m < M))


@triton.jit
def right_4(x, q, s, M, K, x_row, s_col, UE8M0: tl.constexpr, ROWS: tl.constexpr):
    "the largest value from the largest and the smallest, scales stored before the numbers, min and max as clamp"
    m = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)
    block = tl.program_id(1)
    k = block * 128 + tl.arange(0, 128)
    inside = (m[:, None] < M) & (k[None, :] < K)
    v = tl.load(x + m[:, None] * x_row + k[None, :], inside, 0.0).to(tl.float32)
    scale = block_scale(tl.maximum(tl.max(v, 1), -tl.min(v, 1)), UE8M0)
    tl.store(s + block.to(tl.int64) * s_col + m, scale, m < M)
    y = tl.div_rn(v, tl.broadcast_to(scale[:, None], ROWS, 128))
    y = tl.minimum(tl.maximum(y, -448.0), 448.0)
    tl.store(q + m[:, None] * K + k[None, :], y.to(tl.float8e4nv), inside)
