"""Mixture of experts: choices sorted by expert, and products in which every expert works on its own rows.

    y_n = sum_k gates[n, k] * down[e] (silu(g) * u),    [g; u] = gate_up[e] x_n,    e = chosen[n, k]

    permutation         chosen [N, K]                   R = N K choices sorted by expert, and where each expert begins
    grouped_matmul      x [R, K], w [E, N, K], offsets  y [R, N]: rows offsets[e] .. offsets[e+1] times w[e]^T
    moe_experts         x [N, H], gates, weights        y [N, H], the layer: a form of experts as in minids.model.moe,
                        in FP8 too: 1x128 by 128x128 blocks for y and dx, 128x1 by 128x1 for dw

Rows (y and dx): a tile of BM rows never crosses from one expert to the next, so the last tile of an expert is ragged.
At most R // BM + E tiles are needed. A program finds its own from the offsets: the host never learns how long the
groups are, and no group is padded. Weights (dw): one program a tile of dw[e], looping over the rows of e. No atomics:
every run gives the same bits. FP8 tensor cores want the summed index side by side in memory, so dw reads copies of dy
and x that are turned and quantised in blocks of 128 rows of one expert (the last one filled up with zeros).

The layer. Forward: the first product gathers rows of x itself and applies SwiGLU and the gate as it stores; `down`
follows, then the sum over the K slots of each token. Saved for the backward: h = [g; u] [R, 2I] (not even written
where no gradient is wanted), 28 bytes a slot for gates and permutation; x and the weights are the caller's. Recomputed:
the hidden silu(g) u, in the pass that makes dh. dy of a slot is gathered inside the products, never stored. In FP8 h
stays in the type of x, and SwiGLU is a pass of its own.

FLOPs: 6 RHI forward, 12 RHI backward. Bytes, 2 a number: weights 6 EHI, h, hidden and y 4 RI + 4 RI + 4 RH, x and out
4 NH. At N=8192, E=128, H=2048, I=768, K=8 (H100: 989 TFLOP/s, 3.35 TB/s; worked out, not measured) forward takes
0.62 TFLOP = 0.63 ms and 2.2 GB = 0.66 ms, backward 1.24 TFLOP = 1.25 ms and 4.3 GB = 1.28 ms. With the larger of both
for each kernel, 0.74 ms forward and 2.3 ms with backward are the bound; at 512 rows per expert ragged tiles add 12 % to
the products on average. Peer: Liger-Kernel's fused MoE, 2.1 and 9.7 ms (its own figures).

(DeepSeekMoE: arXiv 2412.19437 section 2.1.2; FP8 in blocks, and sums in float32 every 128: section 3.3.2.)

Left out: experts on several GPUs, FP8 copies kept for the backward (x and w are quantised again), TMA.
"""

from typing import NamedTuple

import torch
from einops import rearrange, reduce
from torch import Tensor
from torch.nn.functional import pad, silu

from minids.kernels import quantise as Q
from minids.kernels.quantise import BLOCK, DTYPES, dequantise
from minids.kernels.runtime import FP8, INTERPRETED, need, pick, same_device, tensors, tl, triton


class Permutation(NamedTuple):
    """R = N K choices sorted by expert.

    order     [R] int64: slot r holds choice order[r] of the flat list
    rows      [R] int64: the token of each slot, order // K
    offsets   [E+1] int32: slots offsets[e] .. offsets[e+1] belong to expert e
    place     [N, K] int64: the slot of each choice, order[place[n, k]] = n K + k
    """

    order: Tensor
    rows: Tensor
    offsets: Tensor
    place: Tensor


def permutation(chosen: Tensor, n_experts: int) -> Permutation:
    """Stable sort of chosen [N, K] by expert, without waiting for the GPU.

    An expert that does not exist is refused on a CPU. On a GPU, where looking would mean waiting, its slots lie before
    offsets[0] or behind offsets[E], and `moe_experts` gives NaN to the tokens that chose it.
    """
    _check_chosen(chosen, n_experts)
    # int16 keys: a radix sort passes over them twice, over int64 eight times
    keys, order = chosen.flatten().clamp(-1, n_experts).to(torch.int16).sort(stable=True)
    experts = torch.arange(n_experts + 1, dtype=torch.int16, device=chosen.device)
    slot = torch.arange(len(order), device=chosen.device)
    return Permutation(
        order,
        order // chosen.shape[1],
        torch.searchsorted(keys, experts, out_int32=True),
        torch.empty_like(order).scatter_(0, order, slot).view(chosen.shape),
    )


# --- References -------------------------------------------------------------------------------------------------------


def grouped_matmul_reference(x: Tensor, w: Tensor, offsets: Tensor) -> Tensor:
    """x [R, K], w [E, N, K], offsets [E + 1] -> [R, N]: rows offsets[e] to offsets[e + 1] of x times w[e]^T."""
    bounds = offsets.tolist()
    return torch.cat([x[i:j] @ one.T for one, i, j in zip(w, bounds, bounds[1:])])


def grouped_weight_reference(dy: Tensor, x: Tensor, offsets: Tensor) -> Tensor:
    """dy [R, N], x [R, K] -> dw [E, N, K], dw[e] = dy_e^T x_e."""
    bounds = offsets.tolist()
    return torch.stack([dy[i:j].T @ x[i:j] for i, j in zip(bounds, bounds[1:])])


def moe_experts_reference(x: Tensor, chosen: Tensor, gates: Tensor, gate_up: Tensor, down: Tensor) -> Tensor:
    """A loop over the experts; the sum over the experts of a token is formed in float32 or wider."""
    y = torch.zeros_like(x, dtype=torch.promote_types(x.dtype, torch.float32))
    for e in range(len(gate_up)):
        token, k = torch.where(chosen == e)
        g, u = (x[token] @ gate_up[e].T).chunk(2, -1)
        y = y.index_add(0, token, ((silu(g) * u) @ down[e].T).to(y.dtype) * gates[token, k, None].to(y.dtype))
    return y.to(x.dtype)


def swiglu_reference(h: Tensor, gates: Tensor, da: Tensor | None = None):
    """What `_swiglu_kernel` computes: h [R, 2I], gates [R] -> a, with da [R, I] also dh and d gates."""
    wide, s = h.detach().float().requires_grad_(), gates.detach().float().requires_grad_()
    with torch.enable_grad():
        g, u = wide.chunk(2, -1)
        a = silu(g) * u * s[:, None]
    if da is None:
        return a.detach().to(h.dtype)
    dh, ds = torch.autograd.grad(a, (wide, s), da.float())
    return a.detach().to(h.dtype), dh.to(h.dtype), ds


# --- Kernels: the tiles of ragged groups ------------------------------------------------------------------------------


@triton.jit
def _find(offsets, tile, E, EXPERTS: tl.constexpr, BM: tl.constexpr):
    """Expert, first row and end of the expert's rows of the tile-th tile; past the last tile: 0 and 0 as rows."""
    e = tl.arange(0, EXPERTS)
    begin = tl.load(offsets + e, e < E, 0)
    end = tl.load(offsets + e + 1, e < E, 0)
    tiles = (end - begin + BM - 1) // BM
    upto = tl.cumsum(tiles, 0)
    expert = tl.sum((upto <= tile).to(tl.int32), 0)
    first = tl.sum(tl.where(e == expert, begin + (tile - upto + tiles) * BM, 0), 0)
    return expert, first, tl.sum(tl.where(e == expert, end, 0), 0)


def _configs(*choices):
    """(BM, BN, BK, stages, warps): tiles [BM, BN], BK a step. Small in the interpreter, so that tests have several."""
    if INTERPRETED:
        choices = [(16, 32, 128 if choices[0][2] == 128 else 32, 1, 1)]
    return [
        triton.Config({"BM": bm, "BN": bn, "BK": bk}, num_stages=stages, num_warps=warps)
        for bm, bn, bk, stages, warps in choices
    ]


FLOAT32 = triton.Config({"BM": 16, "BN": 64, "BK": 32}, num_stages=2, num_warps=4)  # has no tensor core: small tiles


def _any(configs, named, **constants):
    return [FLOAT32] if named["x"].dtype == torch.float32 else configs


def _by_rows(configs, named, **constants):
    """Tiles that an expert's rows can fill; PER is how many it has, about."""
    return [c for c in _any(configs, named) if c.kwargs["BM"] <= max(16, named["PER"])]


ROWS = _configs((128, 256, 64, 3, 8), (128, 128, 64, 3, 8), (64, 128, 64, 4, 4), (16, 128, 64, 5, 4))
ROWS_FP8 = _configs((128, 128, 128, 4, 8), (64, 128, 128, 3, 4), (16, 128, 128, 4, 4))
WEIGHTS = _configs((128, 256, 64, 4, 8), (128, 128, 64, 3, 8), (64, 64, 32, 4, 4))
WEIGHTS_FP8 = _configs((128, 128, 128, 3, 8), (64, 128, 128, 3, 4))


# --- Kernels: products ------------------------------------------------------------------------------------------------


@triton.autotune(ROWS, key=["PER", "N", "K", "TURNED"], prune_configs_by={"early_config_prune": _by_rows})
@triton.jit
def _rows_kernel(
    x,
    w,
    y,
    a,
    rows,
    gates,
    offsets,
    E,
    PER,
    N: tl.constexpr,
    K: tl.constexpr,
    TURNED: tl.constexpr,
    EXPERTS: tl.constexpr,
    BM: tl.constexpr,
    BN: tl.constexpr,
    BK: tl.constexpr,
):
    """A tile of y[r] = w[e] x[rows[r]] (rows None: x[r]); w[e] is [N, K], or [K, N] if TURNED.

    With gates, w[e] is gate over up: two accumulators, y = [g; u] (None: not wanted), a = gates silu(g) u.
    """
    HALF: tl.constexpr = gates is not None
    COLS: tl.constexpr = BN // 2 if HALF else BN
    OUT: tl.constexpr = N // 2 if HALF else N
    column = tl.cdiv(OUT, COLS)
    expert, first, end = _find(offsets, tl.program_id(0) // column, E, EXPERTS, BM)
    if first >= end:
        return
    m = first + tl.arange(0, BM)
    n = tl.program_id(0) % column * COLS + tl.arange(0, COLS)
    k = tl.arange(0, BK)
    source = tl.where(m < end, m, first)  # rows past the end repeat the first, and are not stored
    if rows is not None:
        source = tl.load(rows + source)
    n_in = (n < OUT) | (OUT % COLS == 0)  # constant where it always holds: no masks then
    x_at = x + source.to(tl.int64)[:, None] * K + k[None, :]
    w_at = w + expert.to(tl.int64) * N * K
    w_at += k[:, None] * N + n[None, :] if TURNED else k[:, None] + n[None, :] * K
    acc = tl.zeros((BM, COLS), tl.float32)
    up = tl.zeros((BM, COLS), tl.float32)
    for k0 in range(0, K, BK):
        k_in = (k < K - k0) | (K % BK == 0)
        xs = tl.load(x_at, k_in[None, :], 0.0)
        acc = tl.dot(xs, tl.load(w_at, k_in[:, None] & n_in[None, :], 0.0), acc, input_precision="ieee")
        if HALF:
            up = tl.dot(xs, tl.load(w_at + OUT * K, k_in[:, None] & n_in[None, :], 0.0), up, input_precision="ieee")
        x_at += BK
        w_at += BK * N if TURNED else BK
    inside = (m < end)[:, None] & n_in[None, :]
    row = m.to(tl.int64)[:, None]
    if y is not None:
        tl.store(y + row * N + n[None, :], acc, inside)
    if HALF:
        if y is not None:
            tl.store(y + row * N + OUT + n[None, :], up, inside)
        gate = tl.load(gates + m, m < end, 0.0)
        tl.store(a + row * OUT + n[None, :], gate[:, None] * acc * tl.sigmoid(acc) * up, inside)


@triton.autotune(ROWS_FP8, key=["PER", "N", "K"], prune_configs_by={"early_config_prune": _by_rows})
@triton.jit
def _rows_fp8_kernel(
    x,
    x_s,
    w,
    w_s,
    y,
    rows,
    offsets,
    x_col,
    E,
    PER,
    N: tl.constexpr,
    K: tl.constexpr,
    EXPERTS: tl.constexpr,
    BM: tl.constexpr,
    BN: tl.constexpr,
    BK: tl.constexpr,
):
    """The same in FP8, w[e] [N, K]. 128 numbers share a scale: their sum is scaled, then added in float32."""
    column = tl.cdiv(N, BN)
    expert, first, end = _find(offsets, tl.program_id(0) // column, E, EXPERTS, BM)
    if first >= end:
        return
    m = first + tl.arange(0, BM)
    n = tl.program_id(0) % column * BN + tl.arange(0, BN)
    k = tl.arange(0, BK)
    source = tl.where(m < end, m, first)
    if rows is not None:
        source = tl.load(rows + source)
    n_in = (n < N) | (N % BN == 0)
    x_at = x + source.to(tl.int64)[:, None] * K + k[None, :]
    w_at = w + expert.to(tl.int64) * N * K + k[:, None] + n[None, :] * K
    s_at = x_s + source
    t_at = w_s + (expert * tl.cdiv(N, 128) + tl.program_id(0) % column * BN // 128) * tl.cdiv(K, 128)
    acc = tl.zeros((BM, BN), tl.float32)
    for k0 in range(0, K, BK):
        k_in = (k < K - k0) | (K % BK == 0)
        scale = tl.load(s_at) * tl.load(t_at)  # before the product, which hides how long this takes
        xs = tl.load(x_at, k_in[None, :], 0.0)
        ws = tl.load(w_at, k_in[:, None] & n_in[None, :], 0.0)
        acc += tl.dot(xs, ws) * scale[:, None]
        x_at += BK
        w_at += BK
        s_at += x_col
        t_at += 1
    inside = (m < end)[:, None] & n_in[None, :]
    tl.store(y + m.to(tl.int64)[:, None] * N + n[None, :], acc, inside)


@triton.autotune(WEIGHTS, key=["PER", "N", "K"], prune_configs_by={"early_config_prune": _any})
@triton.jit
def _weights_kernel(
    dy,
    x,
    dw,
    dy_rows,
    x_rows,
    offsets,
    PER,
    N: tl.constexpr,
    K: tl.constexpr,
    BM: tl.constexpr,
    BN: tl.constexpr,
    BK: tl.constexpr,
):
    """A tile [BM, BN] of dw[e] [N, K] = sum over the rows r of e of dy[dy_rows[r]] x[x_rows[r]]^T, BK rows per step."""
    down, across = tl.cdiv(N, BM), tl.cdiv(K, BN)
    expert = tl.program_id(0) // (down * across)
    tile = tl.program_id(0) % (down * across)
    n = tile % down * BM + tl.arange(0, BM)
    k = tile // down * BN + tl.arange(0, BN)
    n_in = (n < N) | (N % BM == 0)
    k_in = (k < K) | (K % BN == 0)
    first, end = tl.load(offsets + expert), tl.load(offsets + expert + 1)
    acc = tl.zeros((BM, BN), tl.float32)
    r = first + tl.arange(0, BK)
    r_dy = r if dy_rows is None else tl.load(dy_rows + r, r < end, 0)
    r_x = r if x_rows is None else tl.load(x_rows + r, r < end, 0)
    for _ in range(first, end, BK):
        r_in = r < end
        left = tl.load(dy + r_dy.to(tl.int64)[None, :] * N + n[:, None], r_in[None, :] & n_in[:, None], 0.0)
        right = tl.load(x + r_x.to(tl.int64)[:, None] * K + k[None, :], r_in[:, None] & k_in[None, :], 0.0)
        r += BK
        r_dy = r if dy_rows is None else tl.load(dy_rows + r, r < end, 0)
        r_x = r if x_rows is None else tl.load(x_rows + r, r < end, 0)
        acc = tl.dot(left, right, acc, input_precision="ieee")
    at = dw + expert.to(tl.int64) * N * K + n[:, None] * K + k[None, :]
    tl.store(at, acc, n_in[:, None] & k_in[None, :])


@triton.jit
def _turn_kernel(
    x, q, s, rows, offsets, E, K, q_row, s_col, UE8M0: tl.constexpr, EXPERTS: tl.constexpr, COLS: tl.constexpr
):
    """One program: 128 rows of an expert, COLS columns, quantised in 128x1 blocks and written turned, zeros behind."""
    block = tl.program_id(0)
    expert, first, end = _find(offsets, block, E, EXPERTS, 128)
    if first >= end:
        return
    m = tl.arange(0, 128)
    k = tl.program_id(1) * COLS + tl.arange(0, COLS)
    source = first + m
    if rows is not None:
        source = tl.load(rows + source, source < end, 0)
    inside = (first + m < end)[:, None] & (k < K)[None, :]
    v = tl.load(x + source.to(tl.int64)[:, None] * K + k[None, :], inside, 0.0).to(tl.float32)
    scale = Q.block_scale(Q.block_amax(v, 0), UE8M0)
    v = tl.clamp(tl.div_rn(v, tl.broadcast_to(scale[None, :], 128, COLS)), -448.0, 448.0, tl.PropagateNan.ALL)
    at = k[:, None].to(tl.int64) * q_row + block * 128 + m[None, :]
    tl.store(q + at, tl.trans(v.to(tl.float8e4nv)), (k < K)[:, None])
    tl.store(s + block.to(tl.int64) * s_col + k, scale, k < K)


@triton.autotune(WEIGHTS_FP8, key=["PER", "N", "K"], prune_configs_by={"early_config_prune": _any})
@triton.jit
def _weights_fp8_kernel(
    dy,
    dy_s,
    x,
    x_s,
    dw,
    offsets,
    q_row,
    dy_col,
    x_col,
    E,
    PER,
    N: tl.constexpr,
    K: tl.constexpr,
    EXPERTS: tl.constexpr,
    BM: tl.constexpr,
    BN: tl.constexpr,
    BK: tl.constexpr,
):
    """A tile [BM, BN] of dw[e] [N, K] from what `_turn_kernel` made of dy and x, [N, …] and [K, …], block by block."""
    down, across = tl.cdiv(N, BM), tl.cdiv(K, BN)
    expert = tl.program_id(0) // (down * across)
    tile = tl.program_id(0) % (down * across)
    n = tile % down * BM + tl.arange(0, BM)
    k = tile // down * BN + tl.arange(0, BN)
    n_in = (n < N) | (N % BM == 0)
    k_in = (k < K) | (K % BN == 0)
    e = tl.arange(0, EXPERTS)
    blocks = (tl.load(offsets + e + 1, e < E, 0) - tl.load(offsets + e, e < E, 0) + 127) // 128
    first = tl.sum(tl.where(e < expert, blocks, 0), 0)
    count = tl.sum(tl.where(e == expert, blocks, 0), 0)
    r = first * BK + tl.arange(0, BK)
    dy_at = dy + n.to(tl.int64)[:, None] * q_row + r[None, :]
    x_at = x + k.to(tl.int64)[None, :] * q_row + r[:, None]
    s_at = dy_s + first.to(tl.int64) * dy_col + n
    t_at = x_s + first.to(tl.int64) * x_col + k
    acc = tl.zeros((BM, BN), tl.float32)
    for _ in range(count):
        s, t = tl.load(s_at, n_in, 0.0), tl.load(t_at, k_in, 0.0)
        left, right = tl.load(dy_at, n_in[:, None], 0.0), tl.load(x_at, k_in[None, :], 0.0)
        acc += tl.dot(left, right) * s[:, None] * t[None, :]
        dy_at += BK
        x_at += BK
        s_at += dy_col
        t_at += x_col
    at = dw + expert.to(tl.int64) * N * K + n[:, None] * K + k[None, :]
    tl.store(at, acc, n_in[:, None] & k_in[None, :])


# --- Kernels: what is between the products ----------------------------------------------------------------------------


@triton.jit
def _swiglu_kernel(h, gates, a, da, dh, dgates, WIDTH: tl.constexpr, COLS: tl.constexpr):
    """One program: a row of h = [g; u]. a = gate silu(g) u; with da also dh and the gradient of the gate."""
    r = tl.program_id(0).to(tl.int64)
    gate = tl.load(gates + r)
    total = tl.zeros((COLS,), tl.float32)
    for i0 in range(0, WIDTH, COLS):
        i = i0 + tl.arange(0, COLS)
        g = tl.load(h + r * 2 * WIDTH + i, i < WIDTH, 0.0).to(tl.float32)
        u = tl.load(h + r * 2 * WIDTH + WIDTH + i, i < WIDTH, 0.0).to(tl.float32)
        s = tl.sigmoid(g)
        tl.store(a + r * WIDTH + i, gate * g * s * u, i < WIDTH)
        if da is not None:
            d = tl.load(da + r * WIDTH + i, i < WIDTH, 0.0).to(tl.float32)
            total += d * g * s * u
            tl.store(dh + r * 2 * WIDTH + i, d * gate * u * s * (1 + g * (1 - s)), i < WIDTH)
            tl.store(dh + r * 2 * WIDTH + WIDTH + i, d * gate * g * s, i < WIDTH)
    if da is not None:
        tl.store(dgates + r, tl.sum(total, 0))


@triton.jit
def _combine_kernel(y, out, place, offsets, E, H, K: tl.constexpr, COLS: tl.constexpr):
    """One program: COLS columns of a token. out[n] = sum_k y[place[n, k]], k going up; NaN for no expert's slot."""
    n = tl.program_id(0).to(tl.int64)
    h = tl.program_id(1) * COLS + tl.arange(0, COLS)
    first, end = tl.load(offsets), tl.load(offsets + E)
    total = tl.zeros((COLS,), tl.float32)
    for k in tl.static_range(K):
        r = tl.load(place + n * K + k)
        v = tl.load(y + r * H + h, h < H, 0.0).to(tl.float32)
        total += tl.where((r >= first) & (r < end), v, float("nan"))
    tl.store(out + n * H + h, total, h < H)


# --- From tensors to kernels: backend is "triton" or "torch" from here on, fp8 None or the kind of scales ------------


def _per(R: int, E: int) -> int:
    """Rows an expert, rounded up to a power of two: what tuning goes by."""
    return triton.next_power_of_2(-(-R // E))


def _tiles(R: int, E: int, BM: int) -> int:
    """The most tiles of BM rows that R rows of E experts can have."""
    return R // BM + min(E, R)


def _launch_rows(x, w, offsets, rows=None, turned=False, gates=None, keep=True):
    """-> y [R, N] (None unless keep), a [R, N/2] (None without gates)"""
    R, E = len(x if rows is None else rows), len(w)
    N, K = reversed(w.shape[1:]) if turned else w.shape[1:]
    y = x.new_empty(R, N) if keep else None
    a = None if gates is None else x.new_empty(R, N // 2)
    if R:
        _rows_kernel[lambda c: (_tiles(R, E, c["BM"]) * triton.cdiv(N, c["BN"]),)](
            x, w, y, a, rows, gates, offsets, E, _per(R, E), N=N, K=K, TURNED=turned, EXPERTS=triton.next_power_of_2(E)
        )
    return y, a


def product(x, w, offsets, rows=None, turned=False, backend="triton", fp8=None):
    """y[r] = w[e] x[rows[r]], or w[e]^T x[rows[r]] if turned; rows None: x[r]. -> [R, N] in the dtype of x"""
    if fp8 is not None:
        x_q, w_q = Q.quantise(x, fp8, backend), quantise_experts(w, fp8, turned, backend)
        return product_fp8(*x_q, *w_q, offsets, rows, x.dtype, backend)
    if backend == "triton":
        return _launch_rows(x, w, offsets, rows, turned)[0]
    return grouped_matmul_reference(x if rows is None else x[rows], w.mT if turned else w, offsets)


def product_fp8(x, x_s, w, w_s, offsets, rows=None, dtype=torch.bfloat16, backend="triton"):
    """x [T, K] with scales of 1x128 blocks, w [E, N, K] with those of 128x128, both quantised -> y [R, N]"""
    if backend == "torch":
        x, w = dequantise(x, x_s), torch.stack([dequantise(*one) for one in zip(w, w_s)])
        return product(x, w, offsets, rows, backend="torch").to(dtype)
    R, (E, N, K) = len(x if rows is None else rows), w.shape
    y = torch.empty(R, N, dtype=dtype, device=x.device)
    _rows_fp8_kernel[lambda c: (_tiles(R, E, c["BM"]) * triton.cdiv(N, c["BN"]),)](
        x, x_s, w, w_s, y, rows, offsets, x_s.stride(1), E, _per(R, E), N=N, K=K, EXPERTS=triton.next_power_of_2(E)
    )
    return y


def quantise_experts(w, scales="fp32", turned=False, backend=None):
    """w [E, N, K] -> q [E, N, K], scales [E, ceil(N/128), ceil(K/128)]; turned: both with N and K exchanged."""
    E, N, K = w.shape
    padded = pad(w, (0, 0, 0, -N % BLOCK)) if N % BLOCK else w  # no block with rows of two experts
    q, s = Q.quantise_weight(rearrange(padded, "e n k -> (e n) k"), scales, backend)
    q, s = (rearrange(t, "(e n) k -> e n k", e=E) for t in (q, s))
    q = q[:, :N]
    return (q.mT.contiguous(), s.mT.contiguous()) if turned else (q.contiguous(), s)


def weight_product(dy, x, offsets, dy_rows=None, x_rows=None, dtype=None, backend="triton", fp8=None):
    """dw[e] = sum over the rows r of e of dy[dy_rows[r]] x[x_rows[r]]^T -> [E, N, K] in `dtype` (None: that of x)"""
    R, E, N, K = len(dy if dy_rows is None else dy_rows), len(offsets) - 1, dy.shape[1], x.shape[1]
    dtype = dtype or x.dtype
    if backend == "torch":
        dy, x = (t if rows is None else t[rows] for t, rows in ((dy, dy_rows), (x, x_rows)))
        if fp8 is not None:
            dy, x = _turned_reference(dy, offsets, fp8), _turned_reference(x, offsets, fp8)
        return grouped_weight_reference(dy, x, offsets).to(dtype)
    dw = torch.empty(E, N, K, dtype=dtype, device=x.device)
    grid = lambda c: (E * triton.cdiv(N, c["BM"]) * triton.cdiv(K, c["BN"]),)  # noqa: E731
    if fp8 is None:
        _weights_kernel[grid](dy, x, dw, dy_rows, x_rows, offsets, _per(R, E), N=N, K=K)
        return dw
    (dy, dy_s), (x, x_s) = turn(dy, offsets, dy_rows, fp8), turn(x, offsets, x_rows, fp8)
    _weights_fp8_kernel[grid](
        dy,
        dy_s,
        x,
        x_s,
        dw,
        offsets,
        x.stride(0),
        dy_s.stride(1),
        x_s.stride(1),
        E,
        _per(R, E),
        N=N,
        K=K,
        EXPERTS=triton.next_power_of_2(E),
    )
    return dw


def turn(x, offsets, rows=None, scales="fp32"):
    """x [T, K] -> q [K, 128 B], scales [K, B]: B blocks of 128 rows of one expert each, in the order of the tiles."""
    R, E, K, cols = len(x if rows is None else rows), len(offsets) - 1, x.shape[1], 64
    blocks = _tiles(R, E, BLOCK)
    q, s = torch.empty(K, blocks * BLOCK, dtype=FP8, device=x.device), Q.empty_scales(K, blocks, x.device)
    _turn_kernel[blocks, triton.cdiv(K, cols)](
        x,
        q,
        s,
        rows,
        offsets,
        E,
        K,
        q.stride(0),
        s.stride(1),
        UE8M0=scales == "ue8m0",
        EXPERTS=triton.next_power_of_2(E),
        COLS=cols,
        num_warps=4,
    )
    return q, s


def _turned_reference(x, offsets, scales):
    """x [R, K] quantised in blocks of 128 rows of one expert, and back, float32."""
    bounds = offsets.tolist()
    groups = [x[i:j] for i, j in zip(bounds, bounds[1:]) if i < j]
    return torch.cat([dequantise(*Q.quantise_t_reference(group, scales)).T for group in groups])


def swiglu(h, gates, da=None, backend="triton"):
    """h [R, 2I], gates [R] float32 -> a [R, I]; with da [R, I]: a, dh [R, 2I], d gates [R] float32"""
    if backend == "torch":
        return swiglu_reference(h, gates, da)
    R, width = h.shape[0], h.shape[1] // 2
    a = h.new_empty(R, width)
    dh, dgates = (None, None) if da is None else (torch.empty_like(h), torch.empty_like(gates))
    if R:
        _swiglu_kernel[R,](h, gates, a, da, dh, dgates, WIDTH=width, COLS=min(1024, triton.next_power_of_2(width)))
    return a if da is None else (a, dh, dgates)


def combine(y, p, backend="triton"):
    """y [R, H] -> [N, H], the sum over the K slots of each token"""
    (N, K), H = p.place.shape, y.shape[1]
    if backend == "torch":
        return reduce(y[p.place].float(), "n k h -> n h", "sum").to(y.dtype)
    out, cols = y.new_empty(N, H), min(2048, triton.next_power_of_2(H))
    if N:
        _combine_kernel[N, triton.cdiv(H, cols)](y, out, p.place, p.offsets, len(p.offsets) - 1, H, K=K, COLS=cols)
    return out


# --- What is called ---------------------------------------------------------------------------------------------------


class _Matmul(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, w, offsets):
        ctx.save_for_backward(x, w, offsets)
        return product(x, w, offsets)

    @staticmethod
    def backward(ctx, dy):
        x, w, offsets = ctx.saved_tensors
        dy = dy.contiguous()
        dx = product(dy, w, offsets, turned=True) if ctx.needs_input_grad[0] else None
        dw = weight_product(dy, x, offsets, dtype=w.dtype) if ctx.needs_input_grad[1] else None
        return dx, dw, None


class _Experts(torch.autograd.Function):
    """The whole layer. The gate multiplies the narrow side (I, not H), so that nobody needs y of a slot again."""

    @staticmethod
    def forward(ctx, x, chosen, gates, gate_up, down, keep, backend, fp8):
        p = permutation(chosen, len(gate_up))
        ctx.how, ctx.gates_dtype = {"backend": backend, "fp8": fp8}, gates.dtype
        gates = gates.flatten()[p.order].float()
        if fp8 is None:
            h, a = _launch_rows(x, gate_up, p.offsets, p.rows, gates=gates, keep=keep)
        else:
            h = product(x, gate_up, p.offsets, p.rows, **ctx.how)
            a = swiglu(h, gates, None, backend)
        if keep:
            ctx.save_for_backward(x, h, gates, gate_up, down, *p)
        return combine(product(a, down, p.offsets, **ctx.how), p, backend)

    @staticmethod
    def backward(ctx, dout):
        x, h, gates, gate_up, down, *p = ctx.saved_tensors
        p, how, dout = Permutation(*p), ctx.how, dout.contiguous()
        da = product(dout, down, p.offsets, p.rows, turned=True, **how)
        a, dh, dgates = swiglu(h, gates, da, how["backend"])
        ddown = weight_product(dout, a, p.offsets, p.rows, None, down.dtype, **how)
        dgate_up = weight_product(dh, x, p.offsets, None, p.rows, gate_up.dtype, **how)
        dx = combine(product(dh, gate_up, p.offsets, turned=True, **how), p, how["backend"])
        return dx, None, dgates[p.place].to(ctx.gates_dtype), dgate_up, ddown, None, None, None


def grouped_matmul(x: Tensor, w: Tensor, offsets: Tensor, backend: str | None = None) -> Tensor:
    """x [R, K], w [E, N, K], offsets [E+1] int32 -> y [R, N]: rows offsets[e] .. offsets[e+1] of x times w[e]^T.

    offsets must go up from 0 to R. On a GPU nobody looks: rows of no expert are not written.
    """
    _check(x, w, offsets)
    need(x.dtype == w.dtype, f"x is {x.dtype}, w {w.dtype}: they must have one dtype")
    if not pick(x, backend):
        return grouped_matmul_reference(x, w, offsets)
    need(x.dtype in DTYPES, f"{x.dtype} has no kernel: bfloat16, float16 or float32, or backend='torch'")
    return _Matmul.apply(x, w, offsets)


def moe_experts(
    x: Tensor,
    chosen: Tensor,
    gates: Tensor,
    gate_up: Tensor,
    down: Tensor,
    backend: str | None = None,
    fp8: str | None = None,
) -> Tensor:
    """x [N, H], chosen [N, K] int, gates [N, K], gate_up [E, 2I, H] (gate over up), down [E, H, I] -> y [N, H].

    Gradients reach x, gates, gate_up and down. fp8 "fp32" or "ue8m0": all six products in FP8 with such scales.
    """
    named = {"x": x, "gates": gates, "gate_up": gate_up, "down": down}
    tensors(**named, chosen=chosen)
    shapes = [tuple(t.shape) for t in (x, chosen, gates, gate_up, down)]
    fit = [len(shape) for shape in shapes] == [2, 2, 2, 3, 3]
    if fit:
        (N, H), (_, K), (E, _, width) = x.shape, chosen.shape, down.shape
        fit = shapes == [(N, H), (N, K), (N, K), (E, 2 * width, H), (E, H, width)] and min(H, K, E, width) > 0
    need(
        fit,
        "x [N, H], chosen [N, K], gates [N, K], gate_up [E, 2I, H] and down [E, H, I] do not fit: "
        + ", ".join(str(list(shape)) for shape in shapes),
    )
    same_device(**named, chosen=chosen)
    for name, t in named.items():
        need(t.is_contiguous(), f"{name} is not contiguous (strides {t.stride()}): call .contiguous()")
        need(t.is_floating_point(), f"{name} is {t.dtype}: a floating-point type is needed")
    if fp8 is not None:
        _check_fp8(fp8, x=x, gate_up=gate_up, down=down)
    else:
        need(
            x.dtype == gate_up.dtype == down.dtype,
            f"x is {x.dtype}, gate_up {gate_up.dtype}, down {down.dtype}: they must have one dtype",
        )
    kernel = pick(x, backend, (8, 0) if fp8 is None else (8, 9))
    if not kernel and fp8 is None:
        _check_chosen(chosen.cpu(), E)
        return moe_experts_reference(x, chosen, gates, gate_up, down)
    need(x.dtype in DTYPES, f"x is {x.dtype}, which has no kernel: bfloat16, float16 or float32, or backend='torch'")
    keep = torch.is_grad_enabled() and any(t.requires_grad for t in named.values())
    return _Experts.apply(x, chosen, gates, gate_up, down, keep, "triton" if kernel else "torch", fp8)


def _check(x: Tensor, w: Tensor, offsets: Tensor) -> None:
    tensors(x=x, w=w, offsets=offsets)
    need(
        x.ndim == 2 and w.ndim == 3 and x.shape[1] == w.shape[2] and w.numel() > 0,
        f"x [R, K] and w [E, N, K] do not fit: x {list(x.shape)}, w {list(w.shape)}",
    )
    need(
        offsets.dtype == torch.int32 and offsets.shape == (len(w) + 1,) and offsets.is_contiguous(),
        f"offsets must be int32 [E + 1] = [{len(w) + 1}], got {offsets.dtype} {list(offsets.shape)}",
    )
    same_device(x=x, w=w, offsets=offsets)
    for name, t in (("x", x), ("w", w)):
        need(t.is_contiguous(), f"{name} is not contiguous (strides {t.stride()}): call .contiguous()")
    if offsets.device.type == "cpu":
        need(
            offsets[0] == 0 and offsets[-1] == len(x) and (offsets.diff() >= 0).all(),
            f"offsets must go up from 0 to {len(x)}, the rows of x, got {offsets.tolist()}",
        )


def _check_fp8(scales: str, **tensors: Tensor) -> None:
    need(scales in Q.SCALES, f"scales {scales!r}: choose one of {', '.join(Q.SCALES)}")
    for name, t in tensors.items():
        need(t.dtype in DTYPES, f"{name} is {t.dtype}, which cannot be quantised: bfloat16, float16 or float32")
        need(t.numel() > 0, f"{name} is empty: nothing to quantise")


def _check_chosen(chosen: Tensor, n_experts: int) -> None:
    tensors(chosen=chosen)
    need(isinstance(n_experts, int), f"n_experts {n_experts!r}: a whole number is needed")
    need(
        chosen.ndim == 2 and chosen.shape[1] > 0 and chosen.dtype in (torch.int32, torch.int64),
        f"chosen [N, K] must be int32 or int64, got {chosen.dtype} {list(chosen.shape)}",
    )
    need(0 < n_experts < 2**15, f"{n_experts} experts: 1 to 32767 are possible")
    need(chosen.numel() < 2**31, f"{chosen.numel()} choices are too many for int32 offsets: split the tokens")
    if chosen.device.type == "cpu" and chosen.numel():
        low, high = chosen.min().item(), chosen.max().item()
        need(0 <= low and high < n_experts, f"chosen has experts {low} to {high}, there are only 0 to {n_experts - 1}")


# --- For minids dev compile-kernels -----------------------------------------------------------------------------------


def cases():
    """The products with every configuration that tuning may take, at N = 1536, K = 2048, 128 experts."""
    from minids.kernels.compiled import Case

    index = dict.fromkeys(("rows", "dy_rows", "x_rows", "place"), "*i64") | {"offsets": "*i32"}
    wide = dict.fromkeys(("x", "w", "y", "a", "dy", "dw", "h", "da", "dh", "out"), "*bf16")
    floats = dict.fromkeys(("gates", "dgates", "s", "x_s", "w_s", "dy_s"), "*fp32")
    counts = dict.fromkeys(("E", "PER", "K", "H", "q_row", "s_col", "x_col", "dy_col"), "i32")
    product = {"N": 1536, "K": 2048, "EXPERTS": 128, "TURNED": False}
    plain = product | {"a": None, "gates": None}

    def case(name, kernel, constants, options, oldest, fp8=""):
        """`fp8` names the tensors that are; of all the names, those that the kernel has."""
        types = index | wide | floats | counts | dict.fromkeys(fp8.split(), "*fp8e4nv")
        types = {k: v for k, v in types.items() if k in kernel.arg_names and k not in constants}
        return Case(name, kernel, types, {k: v for k, v in constants.items() if k in kernel.arg_names}, options, oldest)

    for name, kernel, configs, oldest, constants, fp8 in (
        ("up", _rows_kernel, ROWS, (90, 90, 80, 80), product, ""),
        ("rows", _rows_kernel, ROWS[::2], (90, 80), plain, ""),
        ("turned", _rows_kernel, ROWS[::2], (90, 80), plain | {"TURNED": True}, ""),
        ("weights", _weights_kernel, WEIGHTS, (90, 90, 80), product | {"dy_rows": None}, ""),
        ("rows_fp8", _rows_fp8_kernel, ROWS_FP8, (90, 89, 89), product, "x w"),
        ("weights_fp8", _weights_fp8_kernel, WEIGHTS_FP8, (90, 89), product, "dy x"),
    ):
        for config, age in zip(configs, oldest):
            yield case(
                f"{name}_{config.kwargs['BM']}x{config.kwargs['BN']}",
                kernel,
                constants | config.kwargs,
                {"num_warps": config.num_warps, "num_stages": config.num_stages},
                age,
                fp8,
            )
    four = {"num_warps": 4}
    yield case("turn", _turn_kernel, {"UE8M0": False, "EXPERTS": 128, "COLS": 64}, four, 89, "q")
    yield case("swiglu", _swiglu_kernel, {"WIDTH": 768, "COLS": 1024}, four, 80)
    yield case("combine", _combine_kernel, {"K": 8, "COLS": 2048}, four, 80)
