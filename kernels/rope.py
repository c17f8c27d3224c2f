"""Rotary positions: each pair of numbers of the last axis turned by its angle; forward and backward.

    (a, b) -> (a cos - b sin, b cos + a sin)         backward: the same with -sin, a rotation's transpose

    rope    x [B, H, T, D] (or [B, T, D], [T, D]), cos and sin [T, D/2] or [B or 1, T, D/2] -> [B, H, T, D]

A pair is (x_2i, x_2i+1) with `interleave`, as in DeepSeek's weights, or (x_i, x_i+D/2). Either way the result holds all
turned a, then all turned b, as minids.model.layers.apply_rope has it: queries and keys are written alike, so their
products do not see the order. (Su et al., arXiv 2104.09864, section 3.2.2; deepseek-ai/DeepSeek-V3, inference/model.py,
apply_rotary_emb, keeps the pairs together.) Computed in float32, rounded once, in the type of x.

x may be any view whose last axis is contiguous: heads before or after time, the rotary part of longer heads. The
result is contiguous. Vectors are taken with the head running fastest, so that neighbours share a row of cos and sin;
whole rows are loaded and taken apart in registers, never number by number.

Bytes moved for N vectors: 2 NDb and the tables, 4 TD once from memory, after that from the caches. FLOPs: 3 ND. Memory
sets the time: at 3.35 TB/s, B = 2, H = 128, T = 4096, D = 64 in bfloat16 take at least 80 us either way.

Left out: writing over x, gradients of cos and sin, derivatives of second order.
"""

import torch
from einops import rearrange
from torch import Tensor

from minids.kernels.runtime import need, pick, same_device, tensors, tl, triton

DTYPES = (torch.bfloat16, torch.float16, torch.float32)


# --- Reference --------------------------------------------------------------------------------------------------------


def rope_reference(x: Tensor, cos: Tensor, sin: Tensor, interleave: bool = True) -> Tensor:
    """Each pair of the last axis turned by its angle, in plain PyTorch: x [..., R] -> [..., R], all turned firsts,
    then all seconds. cos, sin [..., R/2], or [B or 1, T, R/2] for x [B, H, T, R]; interleave: pairs are neighbours."""
    wide = x.to(torch.promote_types(x.dtype, torch.float32))
    a, b = rearrange(wide, "... (d two) -> two ... d" if interleave else "... (two d) -> two ... d", two=2)
    if cos.ndim == 3 and x.ndim == 4:  # between batch and time there are heads
        cos, sin = (rearrange(table, "b t d -> b 1 t d") for table in (cos, sin))
    return torch.cat([a * cos - b * sin, b * cos + a * sin], dim=-1).to(x.dtype)


# --- Kernel -----------------------------------------------------------------------------------------------------------


@triton.jit
def _rope_kernel(
    x,
    cos,
    sin,
    y,
    N,
    T,
    H,
    HALF,
    x_batch,
    x_head,
    x_time,
    table_batch,
    table_time,
    BACK: tl.constexpr,
    PAIRS_IN: tl.constexpr,
    PAIRS_OUT: tl.constexpr,
    ROWS: tl.constexpr,
    COLS: tl.constexpr,
):
    """One program: ROWS of the N vectors of 2 HALF numbers, in the order batch, time, head. COLS >= HALF."""
    row = tl.program_id(0) * ROWS + tl.arange(0, ROWS)
    head, time, batch = (row % H).to(tl.int64), (row // H % T).to(tl.int64), (row // H // T).to(tl.int64)
    source = x + (batch * x_batch + head * x_head + time * x_time)[:, None]
    target = y + (((batch * H + head) * T + time) * HALF * 2)[:, None]
    k, both = tl.arange(0, COLS)[None, :], tl.arange(0, 2 * COLS)[None, :]
    inside, inside_both = (row < N)[:, None] & (k < HALF), (row < N)[:, None] & (both < 2 * HALF)
    if PAIRS_IN:
        a, b = tl.split(tl.reshape(tl.load(source + both, inside_both, 0.0), (ROWS, COLS, 2)))
    else:
        a, b = tl.load(source + k, inside, 0.0), tl.load(source + HALF + k, inside, 0.0)
    a, b = a.to(tl.float32), b.to(tl.float32)
    angle = (batch * table_batch + time * table_time)[:, None] + k
    c, s = tl.load(cos + angle, inside, 0.0).to(tl.float32), tl.load(sin + angle, inside, 0.0).to(tl.float32)
    if BACK:
        s = -s
    first, second = (a * c - b * s).to(y.dtype.element_ty), (b * c + a * s).to(y.dtype.element_ty)
    if PAIRS_OUT:
        tl.store(target + both, tl.reshape(tl.join(first, second), (ROWS, 2 * COLS)), inside_both)
    else:
        tl.store(target + k, first, inside)
        tl.store(target + HALF + k, second, inside)


# --- What is called ---------------------------------------------------------------------------------------------------


def rope(x: Tensor, cos: Tensor, sin: Tensor, interleave: bool = True, backend: str | None = None) -> Tensor:
    """x [B, H, T, D], [B, T, D] or [T, D]; cos, sin [T, D/2] or [B or 1, T, D/2] -> x turned, contiguous."""
    _check(x, cos, sin)
    kernel = pick(x, backend)
    if not kernel:
        return rope_reference(x, cos, sin, interleave)
    need(x.dtype in DTYPES and cos.dtype in DTYPES, f"x {x.dtype}, cos {cos.dtype}: float64 is for backend='torch'")
    need(not (cos.requires_grad or sin.requires_grad), "cos and sin get no gradient here: detach them")
    for name, t in (("x", x), ("cos", cos), ("sin", sin)):
        need(
            t.stride(-1) == 1 or t.shape[-1] == 1,
            f"{name}: numbers of the last axis must lie side by side, strides are {t.stride()}: call .contiguous()",
        )
    need(x.numel() // x.shape[-1] < 2**31, f"x {list(x.shape)} has 2^31 vectors or more: turn it in parts")
    wide = x if x.ndim == 4 else x[:, None] if x.ndim == 3 else x[None, None]
    cos, sin = (t if t.ndim == 3 else t[None] for t in (cos, sin))
    return _Rope.apply(wide, cos, sin, interleave).view(x.shape)


class _Rope(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, cos, sin, interleave):
        ctx.save_for_backward(cos, sin)
        ctx.interleave = interleave
        return _turn(x, cos, sin, back=False, pairs_in=interleave, pairs_out=False)

    @staticmethod
    def backward(ctx, dy):
        need(not torch.is_grad_enabled(), "rope has no second derivative: use the reference (backend='torch')")
        dy = dy if dy.stride(-1) == 1 else dy.contiguous()
        return _turn(dy, *ctx.saved_tensors, back=True, pairs_in=False, pairs_out=ctx.interleave), None, None, None


def _turn(x, cos, sin, back, pairs_in, pairs_out):
    """x [B, H, T, D], cos and sin [B or 1, T, D/2] -> [B, H, T, D]."""
    B, H, T, D = x.shape
    y = torch.empty(x.shape, dtype=x.dtype, device=x.device)
    cols = triton.next_power_of_2(D // 2)
    tile_rows = max(1, 1024 // cols)  # 8 pairs a thread
    table_batch = cos.stride(0) if cos.shape[0] > 1 else 0
    _rope_kernel[triton.cdiv(B * H * T, tile_rows),](
        x,
        cos,
        sin,
        y,
        B * H * T,
        T,
        H,
        D // 2,
        *x.stride()[:3],
        table_batch,
        cos.stride(1),
        BACK=back,
        PAIRS_IN=pairs_in,
        PAIRS_OUT=pairs_out,
        ROWS=tile_rows,
        COLS=cols,
        num_warps=4,
    )
    return y


def _check(x, cos, sin) -> None:
    tensors(x=x, cos=cos, sin=sin)
    need(2 <= x.ndim <= 4, f"x has shape {list(x.shape)}: [B, H, T, D], [B, T, D] or [T, D] is needed")
    need(x.numel() > 0, f"nothing to turn: shape {list(x.shape)}")
    need(x.dtype in (*DTYPES, torch.float64), f"{x.dtype} cannot be turned: bfloat16, float16 or float32")
    T, D = x.shape[-2:]
    need(D % 2 == 0, f"the last axis is turned in pairs, {D} is odd")
    need(
        cos.shape == sin.shape and cos.dtype == sin.dtype and cos.stride() == sin.stride(),
        f"cos {cos.dtype} {list(cos.shape)} and sin {sin.dtype} {list(sin.shape)} must be alike, strides too",
    )
    need(cos.is_floating_point(), f"cos and sin are {cos.dtype}: a floating-point type is needed")
    batches = (1, x.shape[0]) if x.ndim > 2 else (1,)
    need(
        list(cos.shape[-2:]) == [T, D // 2] and (cos.ndim == 2 or cos.ndim == 3 and cos.shape[0] in batches),
        f"cos {list(cos.shape)} does not fit x {list(x.shape)}: [{T}, {D // 2}] is needed, or that for every text",
    )
    same_device(x=x, cos=cos, sin=sin)


# --- For minids dev compile-kernels -----------------------------------------------------------------------------------


def cases():
    """The launches that `minids dev compile-kernels` compiles."""
    from minids.kernels.compiled import Case

    sizes = ("N", "T", "H", "HALF", "x_batch", "x_head", "x_time", "table_batch", "table_time")
    types = {name: "i32" for name in sizes} | {"x": "*bf16", "y": "*bf16", "cos": "*fp32", "sin": "*fp32"}
    tile = {"ROWS": 32, "COLS": 32}
    for name, back, pairs_in, pairs_out in (
        ("pairs", False, True, False),
        ("pairs_backward", True, False, True),
        ("halves", False, False, False),
    ):
        flags = {"BACK": back, "PAIRS_IN": pairs_in, "PAIRS_OUT": pairs_out}
        yield Case(name, _rope_kernel, types, flags | tile, {"num_warps": 4})
