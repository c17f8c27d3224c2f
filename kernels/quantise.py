"""Quantising to FP8 (E4M3) in blocks, and back.

For the elements x of one block, in float32:

    s = max(amax |x|, 1e-4) / 448        (scales "ue8m0": the next power of two above)
    q = e4m3(x / s)                      y = q * s is what q stands for

    quantise        x [M, K]  blocks of 1x128    q [M, K],  scales [M, ceil(K/128)]         activations, forward
    quantise_weight w [N, K]  blocks of 128x128  q [N, K],  scales [ceil(N/128), ceil(K/128)]
    quantise_t      x [M, K]  blocks of 128x1    q [K, M],  scales [K, ceil(M/128)]         turned, for wgrad

(DeepSeek-V3, arXiv 2412.19437 section 3.3.2 and figure 7; the floor of 1e-4 is in deepseek-ai/DeepSeek-V3,
inference/kernel.py.) A ragged last block has fewer elements, a block of zeros has the scale 1e-4 / 448. A block that
holds NaN becomes NaN, all of it, and so does its scale. One that holds an infinity becomes zero, its infinities NaN,
and its scale is infinite.

Scales of 1x128 blocks lie column by column (stride [1, M], M padded to a multiple of 4): a program of the GEMM reads
those of its rows in one piece, and torch.nn.functional.scaled_mm takes them as they are.

Bytes moved for bfloat16 input: 2 MK read, MK + 4 MK/128 written. FLOPs: about 4 MK, so memory sets the time.
"""

import torch
from einops import rearrange, reduce
from torch import Tensor

from minids.kernels.runtime import FP8, FP8_MAX, need, pick, tensors, tl, triton

BLOCK = 128
FLOOR = 1e-4  # of amax
SCALES = ("fp32", "ue8m0")
DTYPES = (torch.bfloat16, torch.float16, torch.float32)


# --- References -------------------------------------------------------------------------------------------------------


def scale_of(amax: Tensor, scales: str = "fp32") -> Tensor:
    """The scale of each block from its largest absolute value: what a block is divided by so that it fits E4M3.

    amax      of any shape and float type, not negative
    scales    "fp32": amax / 448; "ue8m0": the smallest power of two that is not below that (all it keeps of a float32
              is the 8 bits of the exponent). quantise lets no other word through
    returns   float32, the shape of amax; computed in float32, whatever amax is

    An amax below FLOOR = 1e-4 counts as 1e-4, so that a block of zeros is not divided by zero. NaN stays NaN, in both.
    (DeepSeek-V3, arXiv 2412.19437 section 3.3.2; FLOOR: deepseek-ai/DeepSeek-V3, inference/kernel.py)
    """
    # in float32, whatever the block was
    s = amax.float().clamp(min=FLOOR) / FP8_MAX
    # up to a power of two: the exponent goes up by one wherever the 23 bits of the mantissa are not all zero
    if scales == "ue8m0":
        bits = s.view(torch.int32)
        power = (((bits >> 23) + ((bits & 0x7FFFFF) != 0)) << 23).view(torch.float32)
        # the bits of NaN are like any others: they would end up in the sign
        s = torch.where(s.isnan(), s, power)
    return s


def _to_fp8(y: Tensor) -> Tensor:
    """The nearest E4M3 value, ±448 at most (what torch's cast makes of larger ones depends on its version)."""
    return y.clamp(-FP8_MAX, FP8_MAX).to(FP8)


def _padded(x: Tensor, rows: int, cols: int) -> Tensor:
    """x [M, K] with zeros behind it, up to multiples of rows and cols."""
    M, K = x.shape
    return torch.nn.functional.pad(x, (0, -K % cols, 0, -M % rows))


def quantise_reference(x: Tensor, scales: str = "fp32") -> tuple[Tensor, Tensor]:
    """Each row of x in blocks of 128 -> (q [M, K] float8_e4m3fn, scales [M, ceil(K/128)] float32).

    x [M, K] of any float type; the arithmetic is in float32. Columns 128 j … 128 j + 127 of row m are block [m, j], and
    where 128 does not divide K the last block of a row is shorter. q times its block's scale is what is left of x.
    `scales` is handed on to scale_of. NaN stays visible in its block, and reaches no other. (DeepSeek-V3, arXiv
    2412.19437 section 3.3.2)
    """
    M, K = x.shape
    # zeros behind a short last block do not change its largest absolute value
    blocks = _padded(x.float(), 1, BLOCK).view(M, -(-K // BLOCK), BLOCK)
    # one scale per block
    s = scale_of(blocks.abs().amax(-1), scales)
    # divide, round, and take the padding away again
    q = _to_fp8(blocks / s[..., None]).flatten(1)[:, :K].contiguous()
    return q, s


def quantise_weight_reference(w: Tensor, scales: str = "fp32") -> tuple[Tensor, Tensor]:
    """A weight in blocks of 128 x 128 -> (q [N, K] float8_e4m3fn, scales [ceil(N/128), ceil(K/128)] float32); else
    as `quantise_reference`."""
    N, K = w.shape
    blocks = rearrange(_padded(w.float(), BLOCK, BLOCK), "(i r) (j c) -> i j r c", r=BLOCK, c=BLOCK)
    s = scale_of(reduce(blocks.abs(), "i j r c -> i j", "max"), scales)
    q = rearrange(_to_fp8(blocks / s[..., None, None]), "i j r c -> (i r) (j c)")[:N, :K].contiguous()
    return q, s


def quantise_t_reference(x: Tensor, scales: str = "fp32") -> tuple[Tensor, Tensor]:
    """`quantise_reference` of x^T: x [M, K] -> (q [K, M], scales [K, ceil(M/128)])."""
    return quantise_reference(x.t().contiguous(), scales)


def dequantise(q: Tensor, s: Tensor, dtype: torch.dtype = torch.float32) -> Tensor:
    """What q stands for: each element times the scale of its block -> [R, C] in `dtype`.

    q [R, C] float8_e4m3fn; s float32, [R, ceil(C/128)] for blocks of 1x128, [ceil(R/128), ceil(C/128)] for 128x128. R
    and C need not be multiples of 128: the last block of a row or column is then shorter, all others are whole. The
    product is taken in float32, in float64 for dtype float64. s may lie in memory as it likes: quantise lays it out
    column by column. KernelError if s fits neither kind of blocks.
    """
    R, C = q.shape
    need(
        s.ndim == 2 and s.shape[1] == -(-C // BLOCK) and s.shape[0] in (R, -(-R // BLOCK)),
        f"scales {list(s.shape)} fit neither 1x128 nor 128x128 blocks of {[R, C]}",
    )
    # every scale as often as its block is long, and what reaches beyond the edge cut off
    wide = s.repeat_interleave(BLOCK, 1)[:, :C]
    if s.shape[0] != R:
        wide = wide.repeat_interleave(BLOCK, 0)[:R]
    return (q.to(torch.float64 if dtype == torch.float64 else torch.float32) * wide).to(dtype)


def _by_column(s: Tensor) -> Tensor:
    """The same scales, laid out column by column."""
    out = empty_scales(*s.shape, s.device)
    return out.copy_(s)


def empty_scales(rows: int, cols: int, device) -> Tensor:
    """[rows, cols] float32 with stride [1, rows rounded up to 4]."""
    return torch.zeros(cols, -(-rows // 4) * 4, device=device).t()[:rows]


# --- Kernels ----------------------------------------------------------------------------------------------------------


@triton.jit
def block_amax(v, axis: tl.constexpr):
    """max |v| along an axis, float32; NaN if there is one, which tl.max would leave out.

    Without their signs the bits of floats, read as integers, have the order of the numbers, with NaN above all.
    """
    return tl.max(v.to(tl.int32, bitcast=True) & 0x7FFFFFFF, axis).to(tl.float32, bitcast=True)


@triton.jit
def block_scale(amax, UE8M0: tl.constexpr):
    """scale_of, in a kernel."""
    s = tl.div_rn(tl.maximum(amax, 1e-4, tl.PropagateNan.ALL), 448.0)
    if UE8M0:
        bits = s.to(tl.int32, bitcast=True)
        power = (((bits >> 23) + ((bits & 0x7FFFFF) != 0).to(tl.int32)) << 23).to(tl.float32, bitcast=True)
        s = tl.where(s != s, s, power)
    return s


@triton.jit
def quantise_kernel(x, q, s, M, K, x_row, s_col, UE8M0: tl.constexpr, ROWS: tl.constexpr):
    """Blocks of 1x128 to FP8. One program: ROWS rows of one column of blocks, that is ROWS blocks.

    x, q and s are pointers. x [M, K] bfloat16, float16 or float32: element [m, k] lies at x + m * x_row + k. q [M, K]
    float8e4nv, rows of K one after the other. s float32: the scale of block j of row m lies at s + j * s_col + m. The
    last block of a row may be shorter. Grid: (ceil(M / ROWS), ceil(K / 128)). block_scale(amax, UE8M0) makes scales of
    largest absolute values: max(amax, 1e-4) / 448, or with UE8M0 the next power of two.
    """
    # Rows m and columns k of this program's blocks, and which of these numbers there are
    m = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)
    block = tl.program_id(1)
    k = block * 128 + tl.arange(0, 128)
    inside = (m[:, None] < M) & (k[None, :] < K)
    # As float32; zeros outside do not change a largest absolute value
    v = tl.load(x + m[:, None] * x_row + k[None, :], inside, 0.0).to(tl.float32)
    # One scale per block: [ROWS]
    scale = block_scale(block_amax(v, 1), UE8M0)
    # Divide (div_rn rounds as IEEE 754 asks, / only nearly so on a GPU), stay within 448, round to FP8
    y = tl.clamp(tl.div_rn(v, tl.broadcast_to(scale[:, None], ROWS, 128)), -448.0, 448.0, tl.PropagateNan.ALL)
    # Numbers and scales, each only where there is one
    tl.store(q + m[:, None] * K + k[None, :], y.to(tl.float8e4nv), inside)
    tl.store(s + block.to(tl.int64) * s_col + m, scale, m < M)


@triton.jit
def quantise_weight_kernel(w, q, s, N, K, w_row, UE8M0: tl.constexpr):
    """Blocks of 128x128 to FP8. One program: one block, with one scale.

    w, q and s are pointers. Element [n, k] of w [N, K] lies at w + n * w_row + k; q [N, K] is float8e4nv, rows of K one
    after the other; s [ceil(N / 128), ceil(K / 128)] float32, rows one after the other. Blocks at the edges may be
    smaller. Grid: (ceil(N / 128), ceil(K / 128)). block_scale(amax, UE8M0) makes a scale of a largest absolute value.
    """
    n = tl.program_id(0).to(tl.int64) * 128 + tl.arange(0, 128)
    k = tl.program_id(1) * 128 + tl.arange(0, 128)
    inside = (n[:, None] < N) & (k[None, :] < K)
    v = tl.load(w + n[:, None] * w_row + k[None, :], inside, 0.0).to(tl.float32)
    # The largest of all 128x128: along one axis, then along the other
    scale = block_scale(block_amax(block_amax(v, 1), 0), UE8M0)
    y = tl.clamp(tl.div_rn(v, tl.broadcast_to(scale, 128, 128)), -448.0, 448.0, tl.PropagateNan.ALL)
    tl.store(q + n[:, None] * K + k[None, :], y.to(tl.float8e4nv), inside)
    # One program, one block, one scale
    tl.store(s + tl.program_id(0) * tl.num_programs(1) + tl.program_id(1), scale)


@triton.jit
def quantise_t_kernel(x, q, s, M, K, x_row, s_col, UE8M0: tl.constexpr, COLS: tl.constexpr):
    """One program: a block of 128 rows for COLS columns, written turned."""
    block = tl.program_id(0)
    m = block.to(tl.int64) * 128 + tl.arange(0, 128)
    k = tl.program_id(1) * COLS + tl.arange(0, COLS)
    inside = (m[:, None] < M) & (k[None, :] < K)
    v = tl.load(x + m[:, None] * x_row + k[None, :], inside, 0.0).to(tl.float32)
    scale = block_scale(block_amax(v, 0), UE8M0)
    y = tl.clamp(tl.div_rn(v, tl.broadcast_to(scale[None, :], 128, COLS)), -448.0, 448.0, tl.PropagateNan.ALL)
    turned = tl.trans(y.to(tl.float8e4nv))
    tl.store(q + k[:, None].to(tl.int64) * M + m[None, :], turned, (k[:, None] < K) & (m[None, :] < M))
    tl.store(s + block.to(tl.int64) * s_col + k, scale, k < K)


# --- What is called ---------------------------------------------------------------------------------------------------


def quantise(x: Tensor, scales: str = "fp32", backend: str | None = None) -> tuple[Tensor, Tensor]:
    """x [M, K] -> (q [M, K] float8_e4m3fn, scales [M, ceil(K/128)] float32, stride [1, M rounded up to 4])."""
    _check(x, scales)
    if not pick(x, backend, (8, 9)):
        q, s = quantise_reference(x, scales)
        return q, _by_column(s)
    M, K = x.shape
    q, s = torch.empty(M, K, dtype=FP8, device=x.device), empty_scales(M, -(-K // BLOCK), x.device)
    rows = 32
    quantise_kernel[triton.cdiv(M, rows), triton.cdiv(K, BLOCK)](
        x, q, s, M, K, x.stride(0), s.stride(1), UE8M0=scales == "ue8m0", ROWS=rows, num_warps=4
    )
    return q, s


def quantise_weight(w: Tensor, scales: str = "fp32", backend: str | None = None) -> tuple[Tensor, Tensor]:
    """w [N, K] -> (q [N, K] float8_e4m3fn, scales [ceil(N/128), ceil(K/128)] float32)."""
    _check(w, scales)
    if not pick(w, backend, (8, 9)):
        return quantise_weight_reference(w, scales)
    N, K = w.shape
    grid = triton.cdiv(N, BLOCK), triton.cdiv(K, BLOCK)
    q, s = torch.empty(N, K, dtype=FP8, device=w.device), torch.empty(grid, device=w.device)
    quantise_weight_kernel[grid](w, q, s, N, K, w.stride(0), UE8M0=scales == "ue8m0", num_warps=8)
    return q, s


def quantise_t(x: Tensor, scales: str = "fp32", backend: str | None = None) -> tuple[Tensor, Tensor]:
    """x [M, K] -> (q [K, M] float8_e4m3fn, scales [K, ceil(M/128)] float32, stride [1, K rounded up to 4])."""
    _check(x, scales)
    if not pick(x, backend, (8, 9)):
        q, s = quantise_t_reference(x, scales)
        return q, _by_column(s)
    M, K = x.shape
    q, s = torch.empty(K, M, dtype=FP8, device=x.device), empty_scales(K, -(-M // BLOCK), x.device)
    cols = 64
    quantise_t_kernel[triton.cdiv(M, BLOCK), triton.cdiv(K, cols)](
        x, q, s, M, K, x.stride(0), s.stride(1), UE8M0=scales == "ue8m0", COLS=cols, num_warps=4
    )
    return q, s


def _check(x: Tensor, scales: str) -> None:
    tensors(x=x)
    need(x.ndim == 2, f"a matrix is needed, got shape {list(x.shape)}")
    need(x.dtype in DTYPES, f"{x.dtype} cannot be quantised: bfloat16, float16 or float32")
    need(x.numel() > 0, f"nothing to quantise: shape {list(x.shape)}")
    need(
        x.stride(1) == 1 or x.shape[1] == 1,
        f"elements of a row must lie side by side, strides are {x.stride()}: call .contiguous()",
    )
    need(scales in SCALES, f"scales {scales!r}: choose one of {', '.join(SCALES)}")


# --- For minids dev compile-kernels -----------------------------------------------------------------------------------


def cases():
    """The launches that `minids dev compile-kernels` compiles."""
    from minids.kernels.compiled import Case

    sizes = {"M": "i32", "K": "i32", "x_row": "i32", "s_col": "i32"}
    tensors = {"x": "*bf16", "q": "*fp8e4nv", "s": "*fp32"}
    yield Case("quantise", quantise_kernel, tensors | sizes, {"UE8M0": False, "ROWS": 32}, {"num_warps": 4}, 89)
    yield Case("quantise_t", quantise_t_kernel, tensors | sizes, {"UE8M0": False, "COLS": 64}, {"num_warps": 4}, 89)
    yield Case(
        "quantise_weight",
        quantise_weight_kernel,
        {"w": "*bf16", "q": "*fp8e4nv", "s": "*fp32", "N": "i32", "K": "i32", "w_row": "i32"},
        {"UE8M0": True},
        {"num_warps": 8},
        89,
    )
