"""triton.quantise_weight"""
from minids.kernels.runtime import tl, triton



@triton.jit
def wrong_1(w, q, s, N, K, w_row, UE8M0: tl.constexpr):
    "the rows of scales are as long as the grid is high (num_programs(0))"
    n = tl.program_id(0).to(tl.int64) * 128 + tl.arange(0, 128)
    k = tl.program_id(1) * 128 + tl.arange(0, 128)
    inside = (n[:, None] < N) & (k[None, :] < K)
    v = tl.load(w + n[:, None] * w_row + k[None, :], inside, 0.0).to(tl.float32)
    scale = block_scale(block_amax(block_amax(v, 1), 0), UE8M0)
    y = tl.clamp(tl.div_rn(v, tl.broadcast_to(scale, 128, 128)), -448.0, 448.0, tl.PropagateNan.ALL)
    tl.store(q + n[:, None] * K + k[None, :], y.to(tl.float8e4nv), inside)
    tl.store(s + tl.program_id(0) * tl.num_programs(0) + tl.program_id(1), scale)


@triton.jit
def wrong_2(w, q, s, N, K, w_row, UE8M0: tl.constexpr):
    "K // 128 scales in a row: one too few where 128 does not divide K"
    n = tl.program_id(0).to(tl.int64) * 128 + tl.arange(0, 128)
    k = tl.program_id(1) * 128 + tl.arange(0, 128)
    inside = (n[:, None] < N) & (k[None, :] < K)
    v = tl.load(w + n[:, None] * w_row + k[None, :], inside, 0.0).to(tl.float32)
    scale = block_scale(block_amax(block_amax(v, 1), 0), UE8M0)
    y = tl.clamp(tl.div_rn(v, tl.broadcast_to(scale, 128, 128)), -448.0, 448.0, tl.PropagateNan.ALL)
    tl.store(q + n[:, None] * K + k[None, :], y.to(tl.float8e4nv), inside)
    tl.store(s + tl.program_id(0) * (K // 128) + tl.program_id(1), scale)


@triton.jit
def wrong_3(w, q, s, N, K, w_row, UE8M0: tl.constexpr):
    "scales column by column"
    n = tl.program_id(0).to(tl.int64) * 128 + tl.arange(0, 128)
    k = tl.program_id(1) * 128 + tl.arange(0, 128)
    inside = (n[:, None] < N) & (k[None, :] < K)
    v = tl.load(w + n[:, None] * w_row + k[None, :], inside, 0.0).to(tl.float32)
    scale = block_scale(block_amax(block_amax(v, 1), 0), UE8M0)
    y = tl.clamp(tl.div_rn(v, tl.broadcast_to(scale, 128, 128)), -448.0, 448.0, tl.PropagateNan.ALL)
    tl.store(q + n[:, None] * K + k[None, :], y.to(tl.float8e4nv), inside)
    tl.store(s + tl.program_id(1) * tl.num_programs(0) + tl.program_id(0), scale)


@triton.jit
def wrong_4(w, q, s, N, K, w_row, UE8M0: tl.constexpr):
    "each row is divided by its own scale, the block's is stored"
    n = tl.program_id(0).to(tl.int64) * 128 + tl.arange(0, 128)
    k = tl.program_id(1) * 128 + tl.arange(0, 128)
    inside = (n[:, None] < N) & (k[None, :] < K)
    v = tl.load(w + n[:, None] * w_row + k[None, :], inside, 0.0).to(tl.float32)
    rows = block_scale(block_amax(v, 1), UE8M0)
    scale = block_scale(block_amax(block_amax(v, 1), 0), UE8M0)
    y = tl.clamp(tl.div_rn(v, tl.broadcast_to(rows[:, None], 128, 128)), -448.0, 448.0, tl.PropagateNan.ALL)
    tl.store(q + n[:, None] * K + k[None, :], y.to(tl.float8e4nv), inside)
    tl.store(s + tl.program_id(0) * tl.num_programs(1) + tl.program_id(1), scale)


@triton.jit
def wrong_5(w, q, s, N, K, w_row, UE8M0: tl.constexpr):
    "the load has no mask: what lies beside a ragged block takes part in its maximum"
    n = tl.program_id(0).to(tl.int64) * 128 + tl.arange(0, 128)
    k = tl.program_id(1) * 128 + tl.arange(0, 128)
    inside = (n[:, None] < N) & (k[None, :] < K)
    v = tl.load(w + n[:, None] * w_row + k[None, :], (n[:, None] < N) & (k[None, :] >= 0), 0.0).to(tl.float32)
    scale = block_scale(block_amax(block_amax(v, 1), 0), UE8M0)
    y = tl.clamp(tl.div_rn(v, tl.broadcast_to(scale, 128, 128)), -448.0, 448.0, tl.PropagateNan.ALL)
    tl.store(q + n[:, None] * K + k[None, :], y.to(tl.float8e4nv), inside)
    tl.store(s + tl.program_id(0) * tl.num_programs(1) + tl.program_id(1), scale)


@triton.jit
def wrong_6(w, q, s, N, K, w_row, UE8M0: tl.constexpr):
    "the smallest of the rows' maxima (the clamp hides part of it)"
    n = tl.program_id(0).to(tl.int64) * 128 + tl.arange(0, 128)
    k = tl.program_id(1) * 128 + tl.arange(0, 128)
    inside = (n[:, None] < N) & (k[None, :] < K)
    v = tl.load(w + n[:, None] * w_row + k[None, :], inside, 0.0).to(tl.float32)
    scale = block_scale(tl.min(block_amax(v, 1), 0), UE8M0)
    y = tl.clamp(tl.div_rn(v, tl.broadcast_to(scale, 128, 128)), -448.0, 448.0, tl.PropagateNan.ALL)
    tl.store(q + n[:, None] * K + k[None, :], y.to(tl.float8e4nv), inside)
    tl.store(s + tl.program_id(0) * tl.num_programs(1) + tl.program_id(1), scale)


@triton.jit
def wrong_7(w, q, s, N, K, w_row, UE8M0: tl.constexpr):
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
def wrong_8(w, q, s, N, K, w_row, UE8M0: tl.constexpr):
    "w is read with K as the distance of rows"
    n = tl.program_id(0).to(tl.int64) * 128 + tl.arange(0, 128)
    k = tl.program_id(1) * 128 + tl.arange(0, 128)
    inside = (n[:, None] < N) & (k[None, :] < K)
    v = tl.load(w + n[:, None] * K + k[None, :], inside, 0.0).to(tl.float32)
    scale = block_scale(block_amax(block_amax(v, 1), 0), UE8M0)
    y = tl.clamp(tl.div_rn(v, tl.broadcast_to(scale, 128, 128)), -448.0, 448.0, tl.PropagateNan.ALL)
    tl.store(q + n[:, None] * K + k[None, :], y.to(tl.float8e4nv), inside)
    tl.store(s + tl.program_id(0) * tl.num_programs(1) + tl.program_id(1), scale)


@triton.jit
def wrong_9(w, q, s, N, K, w_row, UE8M0: tl.constexpr):
    "rounded to bfloat16 on the way to FP8"
    n = tl.program_id(0).to(tl.int64) * 128 + tl.arange(0, 128)
    k = tl.program_id(1) * 128 + tl.arange(0, 128)
    inside = (n[:, None] < N) & (k[None, :] < K)
    v = tl.load(w + n[:, None] * w_row + k[None, :], inside, 0.0).to(tl.float32)
    scale = block_scale(block_amax(block_amax(v, 1), 0), UE8M0)
    y = tl.clamp(tl.div_rn(v, tl.broadcast_to(scale, 128, 128)), -448.0, 448.0, tl.PropagateNan.ALL)
    tl.store(q + n[:, None] * K + k[None, :], y.to(tl.bfloat16).to(tl.float8e4nv), inside)
    tl.store(s + tl.program_id(0) * tl.num_programs(1) + tl.program_id(1), scale)


@triton.jit
def wrong_10(w, q, s, N, K, w_row, UE8M0: tl.constexpr):
    "the store of q is not masked along K: a ragged last block writes into the next row"
    n = tl.program_id(0).to(tl.int64) * 128 + tl.arange(0, 128)
    k = tl.program_id(1) * 128 + tl.arange(0, 128)
    inside = (n[:, None] < N) & (k[None, :] < K)
    v = tl.load(w + n[:, None] * w_row + k[None, :], inside, 0.0).to(tl.float32)
    scale = block_scale(block_amax(block_amax(v, 1), 0), UE8M0)
    y = tl.clamp(tl.div_rn(v, tl.broadcast_to(scale, 128, 128)), -448.0, 448.0, tl.PropagateNan.ALL)
    tl.store(q + n[:, None] * K + k[None, :], y.to(tl.float8e4nv), (n[:, None] < N) & (k[None, :] >= 0))
    tl.store(s + tl.program_id(0) * tl.num_programs(1) + tl.program_id(1), scale)


@triton.jit
def right_1(w, q, s, N, K, w_row, UE8M0: tl.constexpr):
    "max of abs, along axis 0 first"
    n = tl.program_id(0).to(tl.int64) * 128 + tl.arange(0, 128)
    k = tl.program_id(1) * 128 + tl.arange(0, 128)
    inside = (n[:, None] < N) & (k[None, :] < K)
    v = tl.load(w + n[:, None] * w_row + k[None, :], inside, 0.0).to(tl.float32)
    scale = block_scale(tl.max(tl.max(tl.abs(v), 0), 0), UE8M0)
    y = tl.clamp(tl.div_rn(v, tl.broadcast_to(scale, 128, 128)), -448.0, 448.0, tl.PropagateNan.ALL)
    tl.store(q + n[:, None] * K + k[None, :], y.to(tl.float8e4nv), inside)
    tl.store(s + tl.program_id(0) * tl.num_programs(1) + tl.program_id(1), scale)


@triton.jit
def right_2(w, q, s, N, K, w_row, UE8M0: tl.constexpr):
    "the width of the scales by cdiv"
    n = tl.program_id(0).to(tl.int64) * 128 + tl.arange(0, 128)
    k = tl.program_id(1) * 128 + tl.arange(0, 128)
    inside = (n[:, None] < N) & (k[None, :] < K)
    v = tl.load(w + n[:, None] * w_row + k[None, :], inside, 0.0).to(tl.float32)
    scale = block_scale(block_amax(block_amax(v, 1), 0), UE8M0)
    y = tl.clamp(tl.div_rn(v, tl.broadcast_to(scale, 128, 128)), -448.0, 448.0, tl.PropagateNan.ALL)
    tl.store(q + n[:, None] * K + k[None, :], y.to(tl.float8e4nv), inside)
    tl.store(s + tl.program_id(0) * tl.cdiv(K, 128) + tl.program_id(1), scale)


@triton.jit
def right_3(w, q, s, N, K, w_row, UE8M0: tl.constexpr):
    "max over the flattened tile"
    n = tl.program_id(0).to(tl.int64) * 128 + tl.arange(0, 128)
    k = tl.program_id(1) * 128 + tl.arange(0, 128)
    inside = (n[:, None] < N) & (k[None, :] < K)
    v = tl.load(w + n[:, None] * w_row + k[None, :], inside, 0.0).to(tl.float32)
    scale = block_scale(tl.max(tl.reshape(tl.abs(v), (128 * 128,)), 0), UE8M0)
    y = tl.clamp(tl.div_rn(v, tl.broadcast_to(scale, 128, 128)), -448.0, 448.0, tl.PropagateNan.ALL)
    tl.store(q + n[:, None] * K + k[None, :], y.to(tl.float8e4nv), inside)
    tl.store(s + tl.program_id(0) * tl.num_programs(1) + tl.program_id(1), scale)


@triton.jit
def right_4(w, q, s, N, K, w_row, UE8M0: tl.constexpr):
    "a maximum without an axis"
    n = tl.program_id(0).to(tl.int64) * 128 + tl.arange(0, 128)
    k = tl.program_id(1) * 128 + tl.arange(0, 128)
    inside = (n[:, None] < N) & (k[None, :] < K)
    v = tl.load(w + n[:, None] * w_row + k[None, :], mask=inside, other=0.0).to(tl.float32)
    scale = block_scale(tl.max(tl.abs(v)), UE8M0)
    y = tl.clamp(tl.div_rn(v, tl.broadcast_to(scale, 128, 128)), -448.0, 448.0, tl.PropagateNan.ALL)
    tl.store(q + n[:, None] * K + k[None, :], y.to(tl.float8e4nv), inside)
    tl.store(s + tl.program_id(0) * tl.num_programs(1) + tl.program_id(1), scale)
