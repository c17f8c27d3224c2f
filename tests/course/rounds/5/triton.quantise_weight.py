"""triton.quantise_weight"""
from minids.kernels.quantise import block_amax, block_scale
from minids.kernels.runtime import tl, triton


@triton.jit
def wrong_1(w, q, s, N, K, w_row, UE8M0: tl.constexpr):
    "half repaired: the scale that is stored is that of the block, numbers are still divided by that of their row"
    # breaks: "One program: one block, with one scale": q * s is not w, any random block
    n = tl.program_id(0).to(tl.int64) * 128 + tl.arange(0, 128)
    k = tl.program_id(1) * 128 + tl.arange(0, 128)
    inside = (n[:, None] < N) & (k[None, :] < K)
    v = tl.load(w + n[:, None] * w_row + k[None, :], inside, 0.0).to(tl.float32)
    rows = block_scale(block_amax(v, 1), UE8M0)
    scale = tl.max(rows, 0)
    y = tl.clamp(tl.div_rn(v, tl.broadcast_to(rows[:, None], 128, 128)), -448.0, 448.0, tl.PropagateNan.ALL)
    tl.store(q + n[:, None] * K + k[None, :], y.to(tl.float8e4nv), inside)
    tl.store(s + tl.program_id(0) * tl.num_programs(1) + tl.program_id(1), scale)


@triton.jit
def wrong_2(w, q, s, N, K, w_row, UE8M0: tl.constexpr):
    "scales are laid out column by column, as quantise does for activations"
    # breaks: "s [ceil(N / 128), ceil(K / 128)] float32, rows one after the other": N = 200, K = 300
    n = tl.program_id(0).to(tl.int64) * 128 + tl.arange(0, 128)
    k = tl.program_id(1) * 128 + tl.arange(0, 128)
    inside = (n[:, None] < N) & (k[None, :] < K)
    v = tl.load(w + n[:, None] * w_row + k[None, :], inside, 0.0).to(tl.float32)
    scale = block_scale(block_amax(block_amax(v, 1), 0), UE8M0)
    y = tl.clamp(tl.div_rn(v, tl.broadcast_to(scale, 128, 128)), -448.0, 448.0, tl.PropagateNan.ALL)
    tl.store(q + n[:, None] * K + k[None, :], y.to(tl.float8e4nv), inside)
    tl.store(s + tl.program_id(1) * tl.num_programs(0) + tl.program_id(0), scale)


@triton.jit
def wrong_3(w, q, s, N, K, w_row, UE8M0: tl.constexpr):
    "a row of s is taken to have K // 128 scales: wrong where 128 does not divide K"
    # breaks: "s [ceil(N / 128), ceil(K / 128)] float32, rows one after the other": N = 200, K = 300, row 1 begins at 2
    n = tl.program_id(0).to(tl.int64) * 128 + tl.arange(0, 128)
    k = tl.program_id(1) * 128 + tl.arange(0, 128)
    inside = (n[:, None] < N) & (k[None, :] < K)
    v = tl.load(w + n[:, None] * w_row + k[None, :], inside, 0.0).to(tl.float32)
    scale = block_scale(block_amax(block_amax(v, 1), 0), UE8M0)
    y = tl.clamp(tl.div_rn(v, tl.broadcast_to(scale, 128, 128)), -448.0, 448.0, tl.PropagateNan.ALL)
    tl.store(q + n[:, None] * K + k[None, :], y.to(tl.float8e4nv), inside)
    tl.store(s + tl.program_id(0) * (K // 128) + tl.program_id(1), scale)


@triton.jit
def wrong_4(w, q, s, N, K, w_row, UE8M0: tl.constexpr):
    "q is laid out like w: wrong where w is a slice of a wider matrix"
    # breaks: "q [N, K] is float8e4nv, rows of K one after the other": w_row = K + 40
    n = tl.program_id(0).to(tl.int64) * 128 + tl.arange(0, 128)
    k = tl.program_id(1) * 128 + tl.arange(0, 128)
    inside = (n[:, None] < N) & (k[None, :] < K)
    v = tl.load(w + n[:, None] * w_row + k[None, :], inside, 0.0).to(tl.float32)
    scale = block_scale(block_amax(block_amax(v, 1), 0), UE8M0)
    y = tl.clamp(tl.div_rn(v, tl.broadcast_to(scale, 128, 128)), -448.0, 448.0, tl.PropagateNan.ALL)
    place = n[:, None] * w_row + k[None, :]
    tl.store(q + place, y.to(tl.float8e4nv), inside & (place < N * K))
    tl.store(s + tl.program_id(0) * tl.num_programs(1) + tl.program_id(1), scale)


@triton.jit
def wrong_5(w, q, s, N, K, w_row, UE8M0: tl.constexpr):
    "the largest number of the block, its sign taken away afterwards: wrong where the extreme is negative"
    # breaks: "a scale of a largest absolute value": a block with one -300 among randn is cut off
    n = tl.program_id(0).to(tl.int64) * 128 + tl.arange(0, 128)
    k = tl.program_id(1) * 128 + tl.arange(0, 128)
    inside = (n[:, None] < N) & (k[None, :] < K)
    v = tl.load(w + n[:, None] * w_row + k[None, :], inside, 0.0).to(tl.float32)
    scale = block_scale(tl.abs(tl.max(tl.max(v, 1), 0)), UE8M0)
    y = tl.clamp(tl.div_rn(v, tl.broadcast_to(scale, 128, 128)), -448.0, 448.0, tl.PropagateNan.ALL)
    tl.store(q + n[:, None] * K + k[None, :], y.to(tl.float8e4nv), inside)
    tl.store(s + tl.program_id(0) * tl.num_programs(1) + tl.program_id(1), scale)


@triton.jit
def wrong_6(w, q, s, N, K, w_row, UE8M0: tl.constexpr):
    "columns beyond K are loaded too: at the right edge what lies behind the row joins the largest value"
    # breaks: "Blocks at the edges may be smaller": K = 100 in a matrix of 150 columns, with 1000 behind each row
    n = tl.program_id(0).to(tl.int64) * 128 + tl.arange(0, 128)
    k = tl.program_id(1) * 128 + tl.arange(0, 128)
    inside = (n[:, None] < N) & (k[None, :] < K)
    there = (n[:, None] < N) & (n[:, None] * w_row + k[None, :] < (N - 1) * w_row + K)
    v = tl.load(w + n[:, None] * w_row + k[None, :], there, 0.0).to(tl.float32)
    scale = block_scale(block_amax(block_amax(v, 1), 0), UE8M0)
    y = tl.clamp(tl.div_rn(v, tl.broadcast_to(scale, 128, 128)), -448.0, 448.0, tl.PropagateNan.ALL)
    tl.store(q + n[:, None] * K + k[None, :], y.to(tl.float8e4nv), inside)
    tl.store(s + tl.program_id(0) * tl.num_programs(1) + tl.program_id(1), scale)


@triton.jit
def wrong_7(w, q, s, N, K, w_row, UE8M0: tl.constexpr):
    "numbers are divided by a scale rounded to the type of w, stored is the float32 one: the two do not match"
    # breaks: "one block, with one scale", "q = e4m3(x / s)" (the module): bfloat16 w, many q a step off w / s
    n = tl.program_id(0).to(tl.int64) * 128 + tl.arange(0, 128)
    k = tl.program_id(1) * 128 + tl.arange(0, 128)
    inside = (n[:, None] < N) & (k[None, :] < K)
    v = tl.load(w + n[:, None] * w_row + k[None, :], inside, 0.0).to(tl.float32)
    scale = block_scale(block_amax(block_amax(v, 1), 0), UE8M0)
    y = tl.clamp(tl.div_rn(v, tl.broadcast_to(scale.to(w.dtype.element_ty).to(tl.float32), 128, 128)), -448.0, 448.0, tl.PropagateNan.ALL)
    tl.store(q + n[:, None] * K + k[None, :], y.to(tl.float8e4nv), inside)
    tl.store(s + tl.program_id(0) * tl.num_programs(1) + tl.program_id(1), scale)


@triton.jit
def wrong_8(w, q, s, N, K, w_row, UE8M0: tl.constexpr):
    "UE8M0 is not handed on: scales are never powers of two"
    # breaks: "block_scale(amax, UE8M0) makes a scale": UE8M0 = True, randn
    n = tl.program_id(0).to(tl.int64) * 128 + tl.arange(0, 128)
    k = tl.program_id(1) * 128 + tl.arange(0, 128)
    inside = (n[:, None] < N) & (k[None, :] < K)
    v = tl.load(w + n[:, None] * w_row + k[None, :], inside, 0.0).to(tl.float32)
    scale = block_scale(block_amax(block_amax(v, 1), 0), False)
    y = tl.clamp(tl.div_rn(v, tl.broadcast_to(scale, 128, 128)), -448.0, 448.0, tl.PropagateNan.ALL)
    tl.store(q + n[:, None] * K + k[None, :], y.to(tl.float8e4nv), inside)
    tl.store(s + tl.program_id(0) * tl.num_programs(1) + tl.program_id(1), scale)


@triton.jit
def wrong_9(w, q, s, N, K, w_row, UE8M0: tl.constexpr):
    "no floor: only powers of two come from block_scale, the plain scale is amax / 448, and a block of zeros is NaN"
    # breaks: "block_scale(amax, UE8M0) makes a scale of a largest absolute value" (with its 1e-4): a block of zeros, UE8M0 = False
    n = tl.program_id(0).to(tl.int64) * 128 + tl.arange(0, 128)
    k = tl.program_id(1) * 128 + tl.arange(0, 128)
    inside = (n[:, None] < N) & (k[None, :] < K)
    v = tl.load(w + n[:, None] * w_row + k[None, :], inside, 0.0).to(tl.float32)
    amax = block_amax(block_amax(v, 1), 0)
    scale = tl.div_rn(amax, 448.0)
    if UE8M0:
        scale = block_scale(amax, UE8M0)
    y = tl.clamp(tl.div_rn(v, tl.broadcast_to(scale, 128, 128)), -448.0, 448.0, tl.PropagateNan.ALL)
    tl.store(q + n[:, None] * K + k[None, :], y.to(tl.float8e4nv), inside)
    tl.store(s + tl.program_id(0) * tl.num_programs(1) + tl.program_id(1), scale)


@triton.jit
def wrong_10(w, q, s, N, K, w_row, UE8M0: tl.constexpr):
    "the mean of the rows' largest values instead of the largest of them: larger numbers are cut off at 448"
    # breaks: "a scale of a largest absolute value": a block with one row 30 times as large as the others
    n = tl.program_id(0).to(tl.int64) * 128 + tl.arange(0, 128)
    k = tl.program_id(1) * 128 + tl.arange(0, 128)
    inside = (n[:, None] < N) & (k[None, :] < K)
    v = tl.load(w + n[:, None] * w_row + k[None, :], inside, 0.0).to(tl.float32)
    scale = block_scale(tl.sum(block_amax(v, 1), 0) / 128, UE8M0)
    y = tl.clamp(tl.div_rn(v, tl.broadcast_to(scale, 128, 128)), -448.0, 448.0, tl.PropagateNan.ALL)
    tl.store(q + n[:, None] * K + k[None, :], y.to(tl.float8e4nv), inside)
    tl.store(s + tl.program_id(0) * tl.num_programs(1) + tl.program_id(1), scale)


@triton.jit
def right_1(w, q, s, N, K, w_row, UE8M0: tl.constexpr):
    "columns first, then what they leave; a plain division"
    n = tl.program_id(0).to(tl.int64) * 128 + tl.arange(0, 128)
    k = tl.program_id(1) * 128 + tl.arange(0, 128)
    inside = (n[:, None] < N) & (k[None, :] < K)
    v = tl.load(w + n[:, None] * w_row + k[None, :], inside, 0.0).to(tl.float32)
    scale = block_scale(block_amax(block_amax(v, 0), 0), UE8M0)
    y = v / scale
    tl.store(q + n[:, None] * K + k[None, :], y.to(tl.float8e4nv), inside)
    tl.store(s + tl.program_id(0) * tl.num_programs(1) + tl.program_id(1), scale)


@triton.jit
def right_2(w, q, s, N, K, w_row, UE8M0: tl.constexpr):
    "the scale of each row first, and the largest of these"
    n = tl.program_id(0).to(tl.int64) * 128 + tl.arange(0, 128)
    k = tl.program_id(1) * 128 + tl.arange(0, 128)
    inside = (n[:, None] < N) & (k[None, :] < K)
    v = tl.load(w + n[:, None] * w_row + k[None, :], inside, 0.0).to(tl.float32)
    scale = block_amax(block_scale(block_amax(v, 1), UE8M0), 0)
    y = tl.clamp(tl.div_rn(v, tl.broadcast_to(scale, 128, 128)), -448.0, 448.0, tl.PropagateNan.ALL)
    tl.store(q + n[:, None] * K + k[None, :], y.to(tl.float8e4nv), inside)
    tl.store(s + tl.program_id(0) * tl.cdiv(K, 128) + tl.program_id(1), scale)


@triton.jit
def right_3(w, q, s, N, K, w_row, UE8M0: tl.constexpr):
    "the block as one long vector of 128 * 128 numbers"
    lane = tl.arange(0, 128 * 128)
    n = tl.program_id(0).to(tl.int64) * 128 + lane // 128
    k = tl.program_id(1) * 128 + lane % 128
    inside = (n < N) & (k < K)
    v = tl.load(w + n * w_row + k, inside, 0.0).to(tl.float32)
    scale = block_scale(block_amax(v, 0), UE8M0)
    y = tl.div_rn(v, tl.broadcast_to(scale, 128 * 128))
    tl.store(q + n * K + k, y.to(tl.float8e4nv), inside)
    tl.store(s + tl.program_id(0) * tl.num_programs(1) + tl.program_id(1), scale)


@triton.jit
def right_4(w, q, s, N, K, w_row, UE8M0: tl.constexpr):
    "two passes, 16 rows at a time: the largest value, then the numbers"
    k = tl.program_id(1) * 128 + tl.arange(0, 128)
    first = tl.program_id(0).to(tl.int64) * 128
    top = tl.zeros((16, 128), tl.float32)
    for i in range(0, 128, 16):
        n = first + i + tl.arange(0, 16)
        inside = (n[:, None] < N) & (k[None, :] < K)
        v = tl.load(w + n[:, None] * w_row + k[None, :], inside, 0.0).to(tl.float32)
        top = tl.maximum(top, tl.abs(v), tl.PropagateNan.ALL)
    scale = block_scale(block_amax(block_amax(top, 0), 0), UE8M0)
    for i in range(0, 128, 16):
        n = first + i + tl.arange(0, 16)
        inside = (n[:, None] < N) & (k[None, :] < K)
        v = tl.load(w + n[:, None] * w_row + k[None, :], inside, 0.0).to(tl.float32)
        y = tl.div_rn(v, tl.broadcast_to(scale, 16, 128))
        tl.store(q + n[:, None] * K + k[None, :], y.to(tl.float8e4nv), inside)
    tl.store(s + tl.program_id(0) * tl.num_programs(1) + tl.program_id(1), scale)
