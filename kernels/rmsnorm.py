"""RMSNorm over the last axis, with the residual sum before it if there is one; forward and backward.

    h = x + residual                       r = 1 / sqrt(mean_k h_k^2 + eps)
    u = h r                                y = w u

    g = w dy                               dh = r (g - u mean_k(g_k u_k)) + what reaches h along the residual stream
    dw = sum over rows of dy u             dx = dresidual = dh

    rms_norm    x [..., H], weight [H], residual [..., H] or None -> y, or (y, h)

(Zhang and Sennrich, arXiv 1910.07467, equation 4.) Statistics and sums are float32. u is rounded to the type of x
before the weight is applied and y after it, as in minids.model.layers; torch.nn.functional.rms_norm rounds once, so in
half precision the two may differ by a step. h is rounded before it is normalised: what goes on in the residual stream
is what was normalised.

A program holds whole rows in registers, so each number is read once. Backward: a fixed number of programs walks over
the rows, each adds up its own float32 share of dw, and torch sums the shares: no atomics, the same bits at every run on
one model of GPU (the number of programs is a multiple of its processors).

Bytes moved for M rows of b-byte numbers: forward 2 MHb, with a residual 4 MHb; backward 3 MHb (4 if h has a gradient
of its own) and the shares, 8 H bytes a program. FLOPs: 4 MH forward, 10 MH backward. Memory sets the time: at 3.35
TB/s, M = 8192, H = 4096 in bfloat16 take at least 40 us forward (80 with a residual), 63 us backward (83). Peer:
Liger-Kernel, which has the same bound.

Left out: rows longer than 8,192 (backward would not fit into registers), a bias, derivatives of second order.
"""

import torch
from torch import Tensor

from minids.kernels.runtime import need, pick, same_device, sm_count, tensors, tl, triton

DTYPES = (torch.bfloat16, torch.float16, torch.float32)
LONGEST = 8192  # numbers in a row


# --- Reference --------------------------------------------------------------------------------------------------------


def rms_norm_reference(x: Tensor, weight: Tensor, eps: float, residual: Tensor | None = None):
    """weight * h / sqrt(mean(h^2) + eps) of each row in plain PyTorch; h = x + residual, or x -> y, or (y, h) with a
    residual.

    x, residual, y, h [..., H], weight [H]; sums in float32, or in float64 for float64.
    """
    h = x if residual is None else x + residual
    wide = h.to(torch.promote_types(h.dtype, torch.float32))
    u = wide * torch.rsqrt(wide.square().mean(-1, keepdim=True) + eps)
    y = (u.to(x.dtype) * weight).to(x.dtype)
    return y if residual is None else (y, h)


# --- Kernels ----------------------------------------------------------------------------------------------------------


@triton.jit
def rms_norm_kernel(x, residual, w, y, h, r, M, H, x_row, residual_row, eps, ROWS: tl.constexpr, COLS: tl.constexpr):
    """h = x + residual; r = 1 / sqrt(mean(h^2) + eps) of each row; y = w * (h * r). One program: ROWS whole rows.

    x, residual, y and h are pointers to [M, H], w to [H], r to [M] float32. Element [m, k] of x lies at
    x + m * x_row + k, of residual at residual + m * residual_row + k, of y and h at m * H + k. residual and h may be
    None, both: then x takes the place of h. COLS is a power of two, not below H. Grid: (ceil(M / ROWS),). Sums are
    float32; h is rounded to its type before it is normed, h * r to that of y before the weight comes, and y.
    """
    # Rows m [ROWS] and columns k [COLS]; the tile [ROWS, COLS] of numbers that there are
    m = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)
    k = tl.arange(0, COLS)
    inside = (m[:, None] < M) & (k[None, :] < H)
    out = m[:, None] * H + k[None, :]
    v = tl.load(x + m[:, None] * x_row + k[None, :], inside, 0.0).to(tl.float32)
    # With a residual: the sum is rounded, stored in h, and goes on as it was rounded
    if residual is not None:
        v += tl.load(residual + m[:, None] * residual_row + k[None, :], inside, 0.0).to(tl.float32)
        rounded = v.to(h.dtype.element_ty)
        tl.store(h + out, rounded, inside)
        v = rounded.to(tl.float32)
    # One number per row; zeros beyond H add nothing to the sum
    rstd = tl.rsqrt(tl.sum(v * v, 1) / H + eps)
    tl.store(r + m, rstd, m < M)
    # Rounded once before the weight comes, and once after it
    u = (v * rstd[:, None]).to(y.dtype.element_ty).to(tl.float32)
    weight = tl.load(w + k, k < H, 0.0).to(tl.float32)
    tl.store(y + out, (u * weight[None, :]).to(y.dtype.element_ty), inside)


@triton.jit
def _backward_kernel(
    dy,
    dh,
    h,
    w,
    r,
    dx,
    shares,
    M,
    H,
    dy_row,
    dh_row,
    h_row,
    ROWS: tl.constexpr,
    COLS: tl.constexpr,
    STAGES: tl.constexpr,
):
    """One program: every num_programs-th tile of ROWS rows, and one row of shares [programs, H]. dh may be None."""
    k = tl.arange(0, COLS)
    weight = tl.load(w + k, k < H, 0.0).to(tl.float32)
    share = tl.zeros((ROWS, COLS), tl.float32)
    for tile in tl.range(tl.program_id(0), tl.cdiv(M, ROWS), tl.num_programs(0), num_stages=STAGES):
        m = tile * ROWS + tl.arange(0, ROWS).to(tl.int64)
        inside = (m[:, None] < M) & (k[None, :] < H)
        v = tl.load(h + m[:, None] * h_row + k[None, :], inside, 0.0).to(tl.float32)
        grad = tl.load(dy + m[:, None] * dy_row + k[None, :], inside, 0.0).to(tl.float32)
        rstd = tl.load(r + m, m < M, 0.0)
        u = v * rstd[:, None]
        share += grad * u.to(dx.dtype.element_ty).to(tl.float32)  # y was made of the rounded u
        grad *= weight[None, :]
        grad = (grad - u * (tl.sum(grad * u, 1) / H)[:, None]) * rstd[:, None]
        if dh is not None:
            grad += tl.load(dh + m[:, None] * dh_row + k[None, :], inside, 0.0).to(tl.float32)
        tl.store(dx + m[:, None] * H + k[None, :], grad.to(dx.dtype.element_ty), inside)
    tl.store(shares + tl.program_id(0) * H + k, tl.sum(share, 0), k < H)


# --- What is called ---------------------------------------------------------------------------------------------------


def rms_norm(x: Tensor, weight: Tensor, eps: float = 1e-6, residual: Tensor | None = None, backend: str | None = None):
    """x [..., H], weight [H] -> y [..., H]; with a residual [..., H] -> (y, h), h = x + residual. All in x's type."""
    H = _check(x, weight, eps, residual)
    kernel = pick(x, backend)
    need(not kernel or x.dtype in DTYPES, f"{x.dtype} is for the reference only: backend='torch'")
    if not kernel:
        return rms_norm_reference(x, weight, eps, residual)
    need(H <= LONGEST, f"rows of {H} numbers: the kernel takes {LONGEST}, use the reference (backend='torch')")
    y, h = _RMSNorm.apply(x, weight.contiguous(), eps, residual)
    return y if residual is None else (y, h)


def rows(x: Tensor, name: str) -> Tensor:
    """x [..., H] as [M, H], never copied; a slice of the last axis may leave a gap between rows."""
    need(
        x.stride(-1) == 1 or x.shape[-1] == 1,
        f"{name}: numbers of a row must lie side by side, strides are {x.stride()}: call .contiguous()",
    )
    try:
        return x.view(-1, x.shape[-1])
    except RuntimeError:
        need(
            False,
            f"{name}: rows must lie at equal distances, shape {list(x.shape)} with strides {x.stride()} has "
            "several: call .contiguous()",
        )


class _RMSNorm(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, weight, eps, residual):
        x_rows = rows(x, "x")
        residual_rows = None if residual is None else rows(residual, "residual")
        (M, H), plan = x_rows.shape, _plan(x.shape[-1])
        y, r = torch.empty(x.shape, dtype=x.dtype, device=x.device), torch.empty(M, device=x.device)
        h = None if residual is None else torch.empty(x.shape, dtype=x.dtype, device=x.device)
        rms_norm_kernel[triton.cdiv(M, plan["ROWS"]),](
            x,
            residual,
            weight,
            y,
            h,
            r,
            M,
            H,
            x_rows.stride(0),
            0 if h is None else residual_rows.stride(0),
            eps,
            **plan,
        )
        ctx.save_for_backward(x if h is None else h, weight, r)
        ctx.set_materialize_grads(False)
        return y, h

    @staticmethod
    def backward(ctx, dy, dh):
        need(not torch.is_grad_enabled(), "rms_norm has no second derivative: use the reference (backend='torch')")
        h, weight, r = ctx.saved_tensors
        if dy is None:  # only the residual sum was used
            return dh, None, None, dh
        dx, plan, h = torch.empty(h.shape, dtype=h.dtype, device=h.device), _plan(h.shape[-1]), rows(h, "x")
        M, H = h.shape
        dy, dh = (None if g is None else g.reshape(M, H) for g in (dy, dh))
        dy, dh = (g if g is None or g.stride(1) == 1 else g.contiguous() for g in (dy, dh))
        programs = min(triton.cdiv(M, plan["ROWS"]), sm_count(h) * max(1, 16 // plan["num_warps"]))
        shares = torch.empty(programs, H, device=h.device)
        stages = 2 if plan["ROWS"] * plan["COLS"] * h.element_size() <= 16384 else 1  # shared memory of an L40S
        _backward_kernel[programs,](
            dy,
            dh,
            h,
            weight,
            r,
            dx,
            shares,
            M,
            H,
            dy.stride(0),
            0 if dh is None else dh.stride(0),
            h.stride(0),
            STAGES=stages,
            **plan,
        )
        return dx, shares.sum(0).to(weight.dtype), None, dx if ctx.needs_input_grad[3] else None


def _plan(H: int) -> dict:
    """Tiles of at least 2,048 numbers, 16 for a thread as long as 16 warps suffice."""
    cols = triton.next_power_of_2(H)
    tile_rows = max(1, 2048 // cols)
    return {"ROWS": tile_rows, "COLS": cols, "num_warps": min(16, max(4, tile_rows * cols // 512))}


def _check(x, weight, eps, residual) -> int:
    tensors(x=x, weight=weight, residual=residual)
    need(x.ndim >= 1 and x.numel() > 0, f"nothing to normalise: shape {list(x.shape)}")
    need(x.dtype in (*DTYPES, torch.float64), f"{x.dtype} cannot be normalised: bfloat16, float16 or float32")
    H = x.shape[-1]
    need(list(weight.shape) == [H], f"weight {list(weight.shape)} does not fit rows of {H}: [{H}] is needed")
    need(weight.is_floating_point(), f"weight is {weight.dtype}: a floating-point type is needed")
    need(eps >= 0, f"eps {eps} is negative")
    if residual is not None:
        need(
            residual.shape == x.shape and residual.dtype == x.dtype,
            f"residual is {residual.dtype} {list(residual.shape)}, x {x.dtype} {list(x.shape)}: they must be alike",
        )
    same_device(x=x, weight=weight, residual=residual)
    return H


# --- For minids dev compile-kernels -----------------------------------------------------------------------------------


def cases():
    """The launches that `minids dev compile-kernels` compiles."""
    from minids.kernels.compiled import Case

    forward = {
        "x": "*bf16",
        "w": "*bf16",
        "y": "*bf16",
        "r": "*fp32",
        "M": "i32",
        "H": "i32",
        "x_row": "i32",
        "residual_row": "i32",
        "eps": "fp32",
    }
    backward = {
        "dy": "*bf16",
        "h": "*bf16",
        "w": "*bf16",
        "r": "*fp32",
        "dx": "*bf16",
        "shares": "*fp32",
        "M": "i32",
        "H": "i32",
        "dy_row": "i32",
        "dh_row": "i32",
        "h_row": "i32",
    }
    both = {"residual": "*bf16", "h": "*bf16"}
    for H in (512, 1536, 4096, 7168):
        plan = _plan(H)
        sizes, warps = {"ROWS": plan["ROWS"], "COLS": plan["COLS"]}, {"num_warps": plan["num_warps"]}
        yield Case(f"forward_{H}", rms_norm_kernel, forward, sizes | {"residual": None, "h": None}, warps)
        yield Case(f"forward_residual_{H}", rms_norm_kernel, forward | both, sizes, warps)
        stages = {"STAGES": 2 if sizes["ROWS"] * sizes["COLS"] <= 8192 else 1}
        yield Case(f"backward_residual_{H}", _backward_kernel, backward | {"dh": "*bf16"}, sizes | stages, warps)
    fp32 = {name: "*fp32" if kind == "*bf16" else kind for name, kind in (backward | {"dh": "*bf16"}).items()}
    for COLS, stages, warps in ((4096, 2, 8), (8192, 1, 16)):
        yield Case(
            f"backward_fp32_{COLS}",
            _backward_kernel,
            fp32,
            {"ROWS": 1, "COLS": COLS, "STAGES": stages},
            {"num_warps": warps},
        )
