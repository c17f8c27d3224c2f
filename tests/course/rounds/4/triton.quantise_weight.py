"""triton.quantise_weight"""
import torch
import triton
import triton.language as tl



@triton.jit
def wrong_1(w, q, s, N, K, w_row, UE8M0: tl.constexpr):
    "the numbers are divided by the scale of their row, only the stored scale is that of the block"
    n = tl.program_id(0).to(tl.int64) * 128 + tl.arange(0, 128)
    k = tl.program_id(1) * 128 + tl.arange(0, 128)
    inside = (n[:, None] < N) & (k[None, :] < K)
    v = tl.load(w + n[:, None] * w_row + k[None, :], inside, 0.0).to(tl.float32)
    scale = block_scale(block_amax(block_amax(v, 1), 0), UE8M0)
    y = tl.clamp(tl.div_rn(v, tl.broadcast_to(block_scale(block_amax(v, 1), UE8M0)[:, None], 128, 128)), -448.0, 448.0, tl.PropagateNan.ALL)
    tl.store(q + n[:, None] * K + k[None, :], y.to(tl.float8e4nv), inside)
    tl.store(s + tl.program_id(0) * tl.num_programs(1) + tl.program_id(1), scale)


@triton.jit
def wrong_2(w, q, s, N, K, w_row, UE8M0: tl.constexpr):
    "scales are stored column by column: wrong with more than one row and column of blocks"
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
    "a row of scales is taken to be K // 128 long: wrong for ragged K"
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
    "the scale is the mean of the rows' scales: rows above it are cut off"
    n = tl.program_id(0).to(tl.int64) * 128 + tl.arange(0, 128)
    k = tl.program_id(1) * 128 + tl.arange(0, 128)
    inside = (n[:, None] < N) & (k[None, :] < K)
    v = tl.load(w + n[:, None] * w_row + k[None, :], inside, 0.0).to(tl.float32)
    scale = block_scale(tl.sum(block_amax(v, 1), 0) / 128, UE8M0)
    y = tl.clamp(tl.div_rn(v, tl.broadcast_to(scale, 128, 128)), -448.0, 448.0, tl.PropagateNan.ALL)
    tl.store(q + n[:, None] * K + k[None, :], y.to(tl.float8e4nv), inside)
    tl.store(s + tl.program_id(0) * tl.num_programs(1) + tl.program_id(1), scale)


@triton.jit
def wrong_5(w, q, s, N, K, w_row, UE8M0: tl.constexpr):
    "the largest number instead of the largest absolute value"
    n = tl.program_id(0).to(tl.int64) * 128 + tl.arange(0, 128)
    k = tl.program_id(1) * 128 + tl.arange(0, 128)
    inside = (n[:, None] < N) & (k[None, :] < K)
    v = tl.load(w + n[:, None] * w_row + k[None, :], inside, 0.0).to(tl.float32)
    scale = block_scale(tl.max(tl.max(v, 1), 0), UE8M0)
    y = tl.clamp(tl.div_rn(v, tl.broadcast_to(scale, 128, 128)), -448.0, 448.0, tl.PropagateNan.ALL)
    tl.store(q + n[:, None] * K + k[None, :], y.to(tl.float8e4nv), inside)
    tl.store(s + tl.program_id(0) * tl.num_programs(1) + tl.program_id(1), scale)


@triton.jit
def wrong_6(w, q, s, N, K, w_row, UE8M0: tl.constexpr):
    "w is read with the stride K: wrong for a slice"
    n = tl.program_id(0).to(tl.int64) * 128 + tl.arange(0, 128)
    k = tl.program_id(1) * 128 + tl.arange(0, 128)
    inside = (n[:, None] < N) & (k[None, :] < K)
    v = tl.load(w + n[:, None] * K + k[None, :], inside, 0.0).to(tl.float32)
    scale = block_scale(block_amax(block_amax(v, 1), 0), UE8M0)
    y = tl.clamp(tl.div_rn(v, tl.broadcast_to(scale, 128, 128)), -448.0, 448.0, tl.PropagateNan.ALL)
    tl.store(q + n[:, None] * K + k[None, :], y.to(tl.float8e4nv), inside)
    tl.store(s + tl.program_id(0) * tl.num_programs(1) + tl.program_id(1), scale)


@triton.jit
def wrong_7(w, q, s, N, K, w_row, UE8M0: tl.constexpr):
    "q is written with the stride of w: wrong for a slice"
    n = tl.program_id(0).to(tl.int64) * 128 + tl.arange(0, 128)
    k = tl.program_id(1) * 128 + tl.arange(0, 128)
    inside = (n[:, None] < N) & (k[None, :] < K)
    v = tl.load(w + n[:, None] * w_row + k[None, :], inside, 0.0).to(tl.float32)
    scale = block_scale(block_amax(block_amax(v, 1), 0), UE8M0)
    y = tl.clamp(tl.div_rn(v, tl.broadcast_to(scale, 128, 128)), -448.0, 448.0, tl.PropagateNan.ALL)
    tl.store(q + n[:, None] * w_row + k[None, :], y.to(tl.float8e4nv), inside)
    tl.store(s + tl.program_id(0) * tl.num_programs(1) + tl.program_id(1), scale)


@triton.jit
def wrong_8(w, q, s, N, K, w_row, UE8M0: tl.constexpr):
    "rows beyond N are not masked on the load: the last block sees what lies behind w"
    n = tl.program_id(0).to(tl.int64) * 128 + tl.arange(0, 128)
    k = tl.program_id(1) * 128 + tl.arange(0, 128)
    inside = (n[:, None] < N) & (k[None, :] < K)
    v = tl.load(w + n[:, None] * w_row + k[None, :], k[None, :] < K, 0.0).to(tl.float32)
    scale = block_scale(block_amax(block_amax(v, 1), 0), UE8M0)
    y = tl.clamp(tl.div_rn(v, tl.broadcast_to(scale, 128, 128)), -448.0, 448.0, tl.PropagateNan.ALL)
    tl.store(q + n[:, None] * K + k[None, :], y.to(tl.float8e4nv), inside)
    tl.store(s + tl.program_id(0) * tl.num_programs(1) + tl.program_id(1), scale)


@triton.jit
def wrong_9(w, q, s, N, K, w_row, UE8M0: tl.constexpr):
    "UE8M0 is not handed on"
    n = tl.program_id(0).to(tl.int64) * 128 + tl.arange(0, 128)
    k = tl.program_id(1) * 128 + tl.arange(0, 128)
    inside = (n[:, None] < N) & (k[None, :] < K)
    v = tl.load(w + n[:, None] * w_row + k[None, :], inside, 0.0).to(tl.float32)
    scale = block_scale(block_amax(block_amax(v, 1), 0), False)
    y = tl.clamp(tl.div_rn(v, tl.broadcast_to(scale, 128, 128)), -448.0, 448.0, tl.PropagateNan.ALL)
    tl.store(q + n[:, None] * K + k[None, :], y.to(tl.float8e4nv), inside)
    tl.store(s + tl.program_id(0) * tl.num_programs(1) + tl.program_id(1), scale)


@triton.jit
def wrong_10(w, q, s, N, K, w_row, UE8M0: tl.constexpr):
    "masked lanes get 1: a smaller block at the edge with numbers below 1 has a scale too large"
    n = tl.program_id(0).to(tl.int64) * 128 + tl.arange(0, 128)
    k = tl.program_id(1) * 128 + tl.arange(0, 128)
    inside = (n[:, None] < N) & (k[None, :] < K)
    v = tl.load(w + n[:, None] * w_row + k[None, :], inside, 1.0).to(tl.float32)
    scale = block_scale(block_amax(block_amax(v, 1), 0), UE8M0)
    y = tl.clamp(tl.div_rn(v, tl.broadcast_to(scale, 128, 128)), -448.0, 448.0, tl.PropagateNan.ALL)
    tl.store(q + n[:, None] * K + k[None, :], y.to(tl.float8e4nv), inside)
    tl.store(s + tl.program_id(0) * tl.num_programs(1) + tl.program_id(1), scale)


@triton.jit
def right_1(w, q, s, N, K, w_row, UE8M0: tl.constexpr):
    "tl.abs and tl.max over both axes"
    n = tl.program_id(0).to(tl.int64) * 128 + tl.arange(0, 128)
    k = tl.program_id(1) * 128 + tl.arange(0, 128)
    inside = (n[:, None] < N) & (k[None, :] < K)
    v = tl.load(w + n[:, None] * w_row + k[None, :], inside, 0.0).to(tl.float32)
    scale = block_scale(tl.max(tl.max(tl.abs(v), 1), 0), UE8M0)
    y = tl.clamp(tl.div_rn(v, tl.broadcast_to(scale, 128, 128)), -448.0, 448.0)
    tl.store(q + n[:, None] * K + k[None, :], y.to(tl.float8e4nv), inside)
    tl.store(s + tl.program_id(0) * tl.cdiv(K, 128) + tl.program_id(1), scale)


@triton.jit
def right_2(w, q, s, N, K, w_row, UE8M0: tl.constexpr):
    "tl.max without an axis, columns first, the scale stored first"
    i = tl.program_id(0)
    j = tl.program_id(1)
    row = i.to(tl.int64) * 128 + tl.arange(0, 128)[:, None]
    col = j * 128 + tl.arange(0, 128)[None, :]
    mask = (row < N) & (col < K)
    t = tl.load(w + row * w_row + col, mask=mask, other=0.0).to(tl.float32)
    sc = block_scale(tl.max(tl.abs(t)), UE8M0)
    tl.store(s + i * ((K + 127) // 128) + j, sc)
    t = tl.div_rn(t, tl.broadcast_to(sc, 128, 128))
    tl.store(q + row * K + col, t.to(q.dtype.element_ty), mask=mask)


@triton.jit
def right_3(w, q, s, N, K, w_row, UE8M0: tl.constexpr):
    "rows' maxima kept, their maximum with an axis of its own, the store for the first lane only"
    n = tl.program_id(0).to(tl.int64) * 128 + tl.arange(0, 128)
    k = tl.program_id(1) * 128 + tl.arange(0, 128)
    inside = (n[:, None] < N) & (k[None, :] < K)
    v = tl.load(w + n[:, None] * w_row + k[None, :], inside, 0.0).to(tl.float32)
    all_rows = tl.broadcast_to(block_amax(block_amax(v, 0), 0), 128)
    scale = block_scale(all_rows, UE8M0)
    y = tl.clamp(tl.div_rn(v, tl.broadcast_to(scale[:, None], 128, 128)), -448.0, 448.0, tl.PropagateNan.ALL)
    tl.store(q + n[:, None] * K + k[None, :], y.to(tl.float8e4nv), inside)
    place = tl.program_id(0) * tl.num_programs(1) + tl.program_id(1)
    lane = tl.arange(0, 128)
    tl.store(s + place + lane, scale, lane == 0)


@triton.jit
def right_4(w, q, s, N, K, w_row, UE8M0: tl.constexpr):
    "the maximum of the flattened tile"
    n0 = tl.program_id(0).to(tl.int64) * 128
    k0 = tl.program_id(1).to(tl.int64) * 128
    a = tl.arange(0, 128)
    inside = (a[:, None] + n0 < N) & (a[None, :] + k0 < K)
    v = tl.load(w + n0 * w_row + k0 + a[:, None] * w_row + a[None, :], inside, 0.0).to(tl.float32)
    scale = block_scale(block_amax(tl.reshape(v, 128 * 128), 0), UE8M0)
    y = tl.clamp(tl.div_rn(v, tl.broadcast_to(scale, 128, 128)), -448.0, 448.0, tl.PropagateNan.ALL)
    tl.store(q + n0 * K + k0 + a[:, None] * K + a[None, :], y.to(tl.float8e4nv), inside)
    tl.store(s + tl.program_id(0) * tl.num_programs(1) + tl.program_id(1), scale)

