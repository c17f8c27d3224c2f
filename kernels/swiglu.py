"""SwiGLU's product between its matrices, forward and backward.

    s = sigmoid(gate)                  y = silu(gate) up = gate s up
    dup = dy gate s                    dgate = dy up s (1 + gate (1 - s))

    swiglu    gate, up [..., F] -> y [..., F]

(Shazeer, arXiv 2002.05202, section 2.) Computed in float32 and rounded once, where minids.model.layers.swiglu rounds
after each of three operations. Backward keeps nothing but its inputs and computes s again. With `inplace` it even
writes dgate and dup over gate and up, which nobody may read after that: an operation that saved them for its own
backward, and a second backward, raise autograd's "modified by an inplace operation". The reference never writes over
anything.

Bytes moved for M rows of b-byte numbers: 3 MFb forward, 5 MFb backward. FLOPs: 5 MF and 12 MF, an exponential each.
Memory sets the time: at 3.35 TB/s, M = 8192, F = 14336 in bfloat16 take at least 210 us forward, 351 us backward. Peer:
Liger-Kernel, which has the same bound. Where F is no multiple of 8, rows of 2-byte numbers do not begin at multiples of
16 bytes, and loads are narrower.

Left out: limits on gate and up, other activations, derivatives of second order.
"""

import torch
from torch import Tensor

from minids.kernels.rmsnorm import DTYPES, rows
from minids.kernels.runtime import need, pick, same_device, tensors, tl, triton

# --- Reference --------------------------------------------------------------------------------------------------------


def swiglu_reference(gate: Tensor, up: Tensor) -> Tensor:
    """silu(gate) * up in plain PyTorch, in float32 or wider: gate, up [..., F] -> [..., F], in their dtype."""
    wide = torch.promote_types(gate.dtype, torch.float32)
    return (torch.nn.functional.silu(gate.to(wide)) * up.to(wide)).to(gate.dtype)


# --- Kernels ----------------------------------------------------------------------------------------------------------


@triton.jit
def swiglu_kernel(gate, up, y, M, F, gate_row, up_row, ROWS: tl.constexpr, COLS: tl.constexpr):
    """y = silu(gate) * up. One program: a tile of ROWS x COLS numbers.

    gate, up and y are pointers to [M, F], bfloat16, float16 or float32. Element [m, k] of gate lies at
    gate + m * gate_row + k, that of up at up + m * up_row + k, that of y at y + m * F + k. Grid: (ceil(M / ROWS),
    ceil(F / COLS)); tiles may reach beyond the last row and column. Computed in float32, rounded once, at the end.
    """
    # Rows m [ROWS, 1] and columns k [1, COLS] of this program's tile, and which of its numbers there are
    m = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)[:, None]
    k = tl.program_id(1) * COLS + tl.arange(0, COLS)[None, :]
    inside = (m < M) & (k < F)
    # Load, each by its own stride; in float32 from here on
    g = tl.load(gate + m * gate_row + k, inside, 0.0).to(tl.float32)
    u = tl.load(up + m * up_row + k, inside, 0.0).to(tl.float32)
    # Store what lies inside, in the type that y points to
    tl.store(y + m * F + k, (g * tl.sigmoid(g) * u).to(y.dtype.element_ty), inside)


@triton.jit
def _backward_kernel(
    dy, gate, up, dgate, dup, M, F, dy_row, gate_row, up_row, dgate_row, dup_row, ROWS: tl.constexpr, COLS: tl.constexpr
):
    """One program: ROWS x COLS numbers. dgate and dup may be gate and up: each number is read, then written."""
    m = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)[:, None]
    k = tl.program_id(1) * COLS + tl.arange(0, COLS)[None, :]
    inside = (m < M) & (k < F)
    d = tl.load(dy + m * dy_row + k, inside, 0.0).to(tl.float32)
    g = tl.load(gate + m * gate_row + k, inside, 0.0).to(tl.float32)
    u = tl.load(up + m * up_row + k, inside, 0.0).to(tl.float32)
    s = tl.sigmoid(g)
    tl.store(dgate + m * dgate_row + k, (d * u * s * (1 + g * (1 - s))).to(dgate.dtype.element_ty), inside)
    tl.store(dup + m * dup_row + k, (d * g * s).to(dup.dtype.element_ty), inside)


# --- What is called ---------------------------------------------------------------------------------------------------


def swiglu(gate: Tensor, up: Tensor, inplace: bool = False, backend: str | None = None) -> Tensor:
    """gate, up [..., F] -> silu(gate) * up. inplace: the gradients are written over gate and up, which are lost."""
    tensors(gate=gate, up=up)
    _check(gate, "gate")
    need(
        gate.shape == up.shape and gate.dtype == up.dtype,
        f"gate is {gate.dtype} {list(gate.shape)}, up {up.dtype} {list(up.shape)}: they must be alike",
    )
    same_device(gate=gate, up=up)
    if not _kernel(gate, backend):
        return swiglu_reference(gate, up)
    gates, ups = rows(gate, "gate"), rows(up, "up")
    if inplace and torch.is_grad_enabled() and (gate.requires_grad or up.requires_grad):
        _lendable(gate, "gate"), _lendable(up, "up")
        need(gate.data_ptr() != up.data_ptr(), "inplace: gate and up are one tensor, it cannot hold two gradients")
    return _SwiGLU.apply(gates, ups, inplace).view(gate.shape)


class _SwiGLU(torch.autograd.Function):
    @staticmethod
    def forward(ctx, gate, up, inplace):
        """gate, up [M, F]"""
        ctx.save_for_backward(gate, up)
        ctx.inplace = inplace
        y = torch.empty(gate.shape, dtype=gate.dtype, device=gate.device)
        grid, plan = _plan(*gate.shape)
        swiglu_kernel[grid](gate, up, y, *gate.shape, gate.stride(0), up.stride(0), **plan)
        return y

    @staticmethod
    def backward(ctx, dy):
        need(not torch.is_grad_enabled(), "swiglu has no second derivative: use the reference (backend='torch')")
        gate, up = ctx.saved_tensors
        if ctx.inplace:
            dgate, dup = gate.detach(), up.detach()
            torch.autograd.graph.increment_version([gate, up])
        else:
            dgate, dup = (torch.empty(t.shape, dtype=t.dtype, device=t.device) for t in (gate, up))
        dy = dy if dy.stride(1) == 1 else dy.contiguous()
        grid, plan = _plan(*gate.shape)
        _backward_kernel[grid](
            dy,
            gate,
            up,
            dgate,
            dup,
            *gate.shape,
            dy.stride(0),
            gate.stride(0),
            up.stride(0),
            dgate.stride(0),
            dup.stride(0),
            **plan,
        )
        return dgate, dup, None


def _plan(M: int, F: int) -> tuple[tuple[int, int], dict]:
    """Tiles of 1,024 numbers: 8 for each of 128 threads, which is one 16-byte load in bfloat16."""
    cols = min(1024, triton.next_power_of_2(F))
    tile_rows = 1024 // cols
    grid = triton.cdiv(M, tile_rows), triton.cdiv(F, cols)
    return grid, {"ROWS": tile_rows, "COLS": cols, "num_warps": 4}


def _check(x: Tensor, name: str) -> None:
    need(x.ndim >= 1 and x.numel() > 0, f"{name}: nothing to do, shape {list(x.shape)}")
    need(x.dtype in (*DTYPES, torch.float64), f"{name} is {x.dtype}: bfloat16, float16 or float32 is needed")


def _kernel(x: Tensor, backend: str | None) -> bool:
    kernel = pick(x, backend)
    need(not kernel or x.dtype in DTYPES, f"{x.dtype} is for the reference only: backend='torch'")
    return kernel


def _lendable(x: Tensor, name: str) -> None:
    need(not x.is_leaf, f"inplace: {name} is a leaf, its values would be lost in the backward pass: leave inplace out")
    distances = [step for size, step in zip(x.shape, x.stride()) if size > 1]
    need(0 not in distances, f"inplace: {name} is expanded, several of its numbers are one: leave inplace out")


# --- For minids dev compile-kernels -----------------------------------------------------------------------------------


def cases():
    """The launches that `minids dev compile-kernels` compiles."""
    from minids.kernels.compiled import Case

    sizes = {name: "i32" for name in ("M", "F", "dy_row", "gate_row", "up_row", "dgate_row", "dup_row")}
    for kind in ("bf16", "fp32"):
        tensors = {name: f"*{kind}" for name in ("dy", "gate", "up", "dgate", "dup", "y")}
        for kernel, name in ((swiglu_kernel, "forward"), (_backward_kernel, "backward")):
            types = {n: t for n, t in (tensors | sizes).items() if n in kernel.arg_names}
            yield Case(f"{name}_{kind}", kernel, types, {"ROWS": 1, "COLS": 1024}, {"num_warps": 4})
