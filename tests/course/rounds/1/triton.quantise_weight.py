"""triton.quantise_weight"""
import torch
from minids.kernels.runtime import tl, triton

@triton.jit
def wrong_1(w, q, s, N, K, w_row, UE8M0: tl.constexpr):
    "scales are stored column by column: right if one side has a single block"
    n = tl.program_id(0).to(tl.int64) * 128 + tl.arange(0, 128)
    k = tl.program_id(1) * 128 + tl.arange(0, 128)
    inside = (n[:, None] < N) & (k[None, :] < K)
    v = tl.load(w + n[:, None] * w_row + k[None, :], inside, 0.0).to(tl.float32)
    scale = block_scale(tl.max(tl.max(tl.abs(v), 1), 0), UE8M0)
    y = tl.clamp(tl.div_rn(v, tl.broadcast_to(scale, 128, 128)), -448.0, 448.0, tl.PropagateNan.ALL)
    tl.store(q + n[:, None] * K + k[None, :], y.to(tl.float8e4nv), inside)
    tl.store(s + tl.program_id(1) * tl.num_programs(0) + tl.program_id(0), scale)

@triton.jit
def wrong_2(w, q, s, N, K, w_row, UE8M0: tl.constexpr):
    "K // 128 scales a row: differs for ragged K with several rows of blocks"
    n = tl.program_id(0).to(tl.int64) * 128 + tl.arange(0, 128)
    k = tl.program_id(1) * 128 + tl.arange(0, 128)
    inside = (n[:, None] < N) & (k[None, :] < K)
    v = tl.load(w + n[:, None] * w_row + k[None, :], inside, 0.0).to(tl.float32)
    scale = block_scale(tl.max(tl.max(tl.abs(v), 1), 0), UE8M0)
    y = tl.clamp(tl.div_rn(v, tl.broadcast_to(scale, 128, 128)), -448.0, 448.0, tl.PropagateNan.ALL)
    tl.store(q + n[:, None] * K + k[None, :], y.to(tl.float8e4nv), inside)
    tl.store(s + tl.program_id(0) * (K // 128) + tl.program_id(1), scale)

@triton.jit
def wrong_3(w, q, s, N, K, w_row, UE8M0: tl.constexpr):
    "a scale for each row divides; the largest one is stored"
    n = tl.program_id(0).to(tl.int64) * 128 + tl.arange(0, 128)
    k = tl.program_id(1) * 128 + tl.arange(0, 128)
    inside = (n[:, None] < N) & (k[None, :] < K)
    v = tl.load(w + n[:, None] * w_row + k[None, :], inside, 0.0).to(tl.float32)
    scales = block_scale(tl.max(tl.abs(v), 1), UE8M0)
    scale = tl.max(scales, 0)
    y = tl.clamp(tl.div_rn(v, tl.broadcast_to(scales[:, None], 128, 128)), -448.0, 448.0, tl.PropagateNan.ALL)
    tl.store(q + n[:, None] * K + k[None, :], y.to(tl.float8e4nv), inside)
    tl.store(s + tl.program_id(0) * tl.num_programs(1) + tl.program_id(1), scale)

@triton.jit
def wrong_4(w, q, s, N, K, w_row, UE8M0: tl.constexpr):
    "the largest value, not the largest absolute value"
    n = tl.program_id(0).to(tl.int64) * 128 + tl.arange(0, 128)
    k = tl.program_id(1) * 128 + tl.arange(0, 128)
    inside = (n[:, None] < N) & (k[None, :] < K)
    v = tl.load(w + n[:, None] * w_row + k[None, :], inside, 0.0).to(tl.float32)
    scale = block_scale(tl.max(tl.max(v, 1), 0), UE8M0)
    y = tl.clamp(tl.div_rn(v, tl.broadcast_to(scale, 128, 128)), -448.0, 448.0, tl.PropagateNan.ALL)
    tl.store(q + n[:, None] * K + k[None, :], y.to(tl.float8e4nv), inside)
    tl.store(s + tl.program_id(0) * tl.num_programs(1) + tl.program_id(1), scale)

@triton.jit
def wrong_5(w, q, s, N, K, w_row, UE8M0: tl.constexpr):
    "q is written with w's stride"
    n = tl.program_id(0).to(tl.int64) * 128 + tl.arange(0, 128)
    k = tl.program_id(1) * 128 + tl.arange(0, 128)
    inside = (n[:, None] < N) & (k[None, :] < K)
    v = tl.load(w + n[:, None] * w_row + k[None, :], inside, 0.0).to(tl.float32)
    scale = block_scale(tl.max(tl.max(tl.abs(v), 1), 0), UE8M0)
    y = tl.clamp(tl.div_rn(v, tl.broadcast_to(scale, 128, 128)), -448.0, 448.0, tl.PropagateNan.ALL)
    tl.store(q + n[:, None] * w_row + k[None, :], y.to(tl.float8e4nv), inside)
    tl.store(s + tl.program_id(0) * tl.num_programs(1) + tl.program_id(1), scale)

@triton.jit
def wrong_6(w, q, s, N, K, w_row, UE8M0: tl.constexpr):
    "w is read with rows K apart: differs for a slice of a wider matrix"
    n = tl.program_id(0).to(tl.int64) * 128 + tl.arange(0, 128)
    k = tl.program_id(1) * 128 + tl.arange(0, 128)
    inside = (n[:, None] < N) & (k[None, :] < K)
    v = tl.load(w + n[:, None] * K + k[None, :], inside, 0.0).to(tl.float32)
    scale = block_scale(tl.max(tl.max(tl.abs(v), 1), 0), UE8M0)
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
    scale = block_scale(tl.max(tl.max(tl.abs(v), 1), 0), False)
    y = tl.clamp(tl.div_rn(v, tl.broadcast_to(scale, 128, 128)), -448.0, 448.0, tl.PropagateNan.ALL)
    tl.store(q + n[:, None] * K + k[None, :], y.to(tl.float8e4nv), inside)
    tl.store(s + tl.program_id(0) * tl.num_programs(1) + tl.program_id(1), scale)

@triton.jit
def wrong_8(w, q, s, N, K, w_row, UE8M0: tl.constexpr):
    "loads without the mask of K: what lies behind the last column takes part in the maximum"
    n = tl.program_id(0).to(tl.int64) * 128 + tl.arange(0, 128)
    k = tl.program_id(1) * 128 + tl.arange(0, 128)
    inside = (n[:, None] < N) & (k[None, :] < K)
    v = tl.load(w + n[:, None] * w_row + k[None, :], (n[:, None] < N) & (k[None, :] >= 0), 0.0).to(tl.float32)
    scale = block_scale(tl.max(tl.max(tl.abs(v), 1), 0), UE8M0)
    y = tl.clamp(tl.div_rn(v, tl.broadcast_to(scale, 128, 128)), -448.0, 448.0, tl.PropagateNan.ALL)
    tl.store(q + n[:, None] * K + k[None, :], y.to(tl.float8e4nv), inside)
    tl.store(s + tl.program_id(0) * tl.num_programs(1) + tl.program_id(1), scale)

@triton.jit
def wrong_9(w, q, s, N, K, w_row, UE8M0: tl.constexpr):
    "the mean of the rows' maxima in place of the largest"
    n = tl.program_id(0).to(tl.int64) * 128 + tl.arange(0, 128)
    k = tl.program_id(1) * 128 + tl.arange(0, 128)
    inside = (n[:, None] < N) & (k[None, :] < K)
    v = tl.load(w + n[:, None] * w_row + k[None, :], inside, 0.0).to(tl.float32)
    scale = block_scale(tl.sum(tl.max(tl.abs(v), 1), 0) / 128, UE8M0)
    y = tl.clamp(tl.div_rn(v, tl.broadcast_to(scale, 128, 128)), -448.0, 448.0, tl.PropagateNan.ALL)
    tl.store(q + n[:, None] * K + k[None, :], y.to(tl.float8e4nv), inside)
    tl.store(s + tl.program_id(0) * tl.num_programs(1) + tl.program_id(1), scale)

@triton.jit
def wrong_10(w, q, s, N, K, w_row, UE8M0: tl.constexpr):
    "the store of q has no mask of K: the next row's first numbers are written over"
    n = tl.program_id(0).to(tl.int64) * 128 + tl.arange(0, 128)
    k = tl.program_id(1) * 128 + tl.arange(0, 128)
    inside = (n[:, None] < N) & (k[None, :] < K)
    v = tl.load(w + n[:, None] * w_row + k[None, :], inside, 0.0).to(tl.float32)
    scale = block_scale(tl.max(tl.max(tl.abs(v), 1), 0), UE8M0)
    y = tl.clamp(tl.div_rn(v, tl.broadcast_to(scale, 128, 128)), -448.0, 448.0, tl.PropagateNan.ALL)
    tl.store(q + n[:, None] * K + k[None, :], y.to(tl.float8e4nv), (n[:, None] < N) & (k[None, :] >= 0))
    tl.store(s + tl.program_id(0) * tl.num_programs(1) + tl.program_id(1), scale)

@triton.jit
def right_1(w, q, s, N, K, w_row, UE8M0: tl.constexpr):
    "a maximum over all at once, axis None"
    n = tl.program_id(0).to(tl.int64) * 128 + tl.arange(0, 128)
    k = tl.program_id(1) * 128 + tl.arange(0, 128)
    inside = (n[:, None] < N) & (k[None, :] < K)
    v = tl.load(w + n[:, None] * w_row + k[None, :], inside, 0.0).to(tl.float32)
    scale = block_scale(tl.max(tl.abs(v)), UE8M0)
    y = tl.clamp(tl.div_rn(v, tl.broadcast_to(scale, 128, 128)), -448.0, 448.0, tl.PropagateNan.ALL)
    tl.store(q + n[:, None] * K + k[None, :], y.to(tl.float8e4nv), inside)
    tl.store(s + tl.program_id(0) * tl.num_programs(1) + tl.program_id(1), scale)

@triton.jit
def right_2(w, q, s, N, K, w_row, UE8M0: tl.constexpr):
    "along axis 0 first; scales by ceil(K / 128)"
    n = tl.program_id(0).to(tl.int64) * 128 + tl.arange(0, 128)
    k = tl.program_id(1) * 128 + tl.arange(0, 128)
    inside = (n[:, None] < N) & (k[None, :] < K)
    v = tl.load(w + n[:, None] * w_row + k[None, :], inside, 0.0).to(tl.float32)
    scale = block_scale(tl.max(tl.max(tl.abs(v), 0), 0), UE8M0)
    y = tl.clamp(tl.div_rn(v, tl.broadcast_to(scale, 128, 128)), -448.0, 448.0, tl.PropagateNan.ALL)
    tl.store(q + n[:, None] * K + k[None, :], y.to(tl.float8e4nv), inside)
    tl.store(s + tl.program_id(0) * tl.cdiv(K, 128) + tl.program_id(1), scale)

@triton.jit
def right_3(w, q, s, N, K, w_row, UE8M0: tl.constexpr):
    "two walks over the rows: the maximum, then the quotients"
    i = tl.program_id(0)
    j = tl.program_id(1)
    k = j * 128 + tl.arange(0, 128)
    amax = tl.zeros((32,), tl.float32)
    for part in tl.static_range(4):
        n = i.to(tl.int64) * 128 + part * 32 + tl.arange(0, 32)
        inside = (n[:, None] < N) & (k[None, :] < K)
        v = tl.load(w + n[:, None] * w_row + k[None, :], inside, 0.0).to(tl.float32)
        amax = tl.maximum(amax, tl.max(tl.abs(v), 1))
    scale = block_scale(tl.max(amax, 0), UE8M0)
    for part in tl.static_range(4):
        n = i.to(tl.int64) * 128 + part * 32 + tl.arange(0, 32)
        inside = (n[:, None] < N) & (k[None, :] < K)
        v = tl.load(w + n[:, None] * w_row + k[None, :], inside, 0.0).to(tl.float32)
        y = tl.clamp(tl.div_rn(v, tl.broadcast_to(scale, 32, 128)), -448.0, 448.0, tl.PropagateNan.ALL)
        tl.store(q + n[:, None] * K + k[None, :], y.to(tl.float8e4nv), inside)
    tl.store(s + i * tl.num_programs(1) + j, scale)

@triton.jit
def right_4(w, q, s, N, K, w_row, UE8M0: tl.constexpr):
    "tiles by column and row vectors; a scale of [1, 1] by keep_dims"
    n = tl.program_id(0).to(tl.int64) * 128 + tl.arange(0, 128)[:, None]
    k = tl.program_id(1) * 128 + tl.arange(0, 128)[None, :]
    inside = (n < N) & (k < K)
    v = tl.load(w + n * w_row + k, mask=inside, other=0.0).to(tl.float32)
    amax = tl.max(tl.max(tl.abs(v), axis=0, keep_dims=True), axis=1, keep_dims=True)
    scale = block_scale(amax, UE8M0)
    y = tl.clamp(tl.div_rn(v, tl.broadcast_to(scale, 128, 128)), -448.0, 448.0, tl.PropagateNan.ALL)
    tl.store(q + n * K + k, y.to(tl.float8e4nv), mask=inside)
    place = tl.program_id(0) * tl.cdiv(K, 128) + tl.program_id(1)
    tl.store(s + place + tl.zeros((1, 1), tl.int32), scale)
