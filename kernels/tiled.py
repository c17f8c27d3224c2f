"""Matrix products in tiles, with plain pointers: the two kernels to read. gemm.py has the fast one.

    matmul       out[m, n] = sum over k of a[m, k] * b[k, n]
    fp8_matmul   out[m, n] = sum over blocks j of 128 in K of
                             sa[m, j] * sb[n // 128, j] * (sum over k in j of a[m, k] * b[n, k])

    matmul       a [M, K], b [K, N]   bfloat16, float16 or float32, any strides: b may be a turned weight, w.t()
    fp8_matmul   a [M, K], b [N, K]   float8_e4m3fn, contiguous; scales as kernels/quantise.py makes them:
                 sa [M, ceil(K/128)]  float32, column by column; sb [ceil(N/128), ceil(K/128)] float32
    out [M, N]                        matmul: the type of a; fp8_matmul: bfloat16 or float32

One program owns one tile of the output and walks along K; the sum stays in registers, in float32, and is written once.
With FP8 the sum of each 128 of K is scaled and *promoted*, that is, added to the sum in registers outside of the tensor
core, which keeps about 14 bits (DeepSeek-V3, arXiv 2412.19437 section 3.3.2).

FLOPs 2MNK. Each tile of the output reads its rows of a and its columns of b, so with tiles of BM x BN programs ask for
MNK (1/BM + 1/BN) numbers, many of which the L2 cache has; MN are written. At M, N, K of some thousands the tensor cores
should set the time, and gemm.py should keep them busier. float32 is multiplied as such (no TF32), without tensor cores.

Left out: an order of tiles that suits the L2 cache, TMA, persistent programs, warps with different work, tuning, few
rows over a long K, scales of 1x128 for b: all of them in gemm.py.
"""

import torch
from torch import Tensor

from minids.kernels import gemm
from minids.kernels.quantise import BLOCK
from minids.kernels.runtime import need, pick, same_device, tensors, tl, triton

DTYPES = (torch.bfloat16, torch.float16, torch.float32)

# --- References -------------------------------------------------------------------------------------------------------


def matmul_reference(a: Tensor, b: Tensor) -> Tensor:
    """a [M, K] @ b [K, N] in plain PyTorch, summed in float32 or wider -> [M, N], in the dtype of a."""
    wide = torch.promote_types(a.dtype, torch.float32)
    return (a.to(wide) @ b.to(wide)).to(a.dtype)


def fp8_matmul_reference(
    a: Tensor, a_scales: Tensor, b: Tensor, b_scales: Tensor, out_dtype: torch.dtype = torch.float32
) -> Tensor:
    """a [M, K] @ b [K, N] with their scales, summed in pieces of 128 as the kernel sums -> [M, N] in out_dtype."""
    return gemm.matmul_reference(a, a_scales, b, b_scales, out_dtype, promote=BLOCK)


# --- Kernels ----------------------------------------------------------------------------------------------------------


@triton.jit
def matmul_kernel(
    a, b, c, M, N, K, a_row, a_col, b_row, b_col, c_row, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr
):
    """c [M, N] = a [M, K] @ b [K, N], summed in float32. One program: a tile of BM x BN numbers of c.

    a, b, c are pointers. Element [m, k] of a lies at a + m * a_row + k * a_col, element [k, n] of b at
    b + k * b_row + n * b_col, element [m, n] of c at c + m * c_row + n. Grid: (ceil(M / BM), ceil(N / BN)).
    M, N and K need not be multiples of BM, BN and BK.
    """
    # Rows m and columns n of this program's tile (int64: m * a_row may be larger than int32 holds)
    m = tl.program_id(0).to(tl.int64) * BM + tl.arange(0, BM)
    n = tl.program_id(1).to(tl.int64) * BN + tl.arange(0, BN)
    acc = tl.zeros((BM, BN), tl.float32)
    # Along K in steps of BK: a tile of a [BM, BK], a tile of b [BK, BN], zeros where they reach beyond the edges
    for first in range(0, K, BK):
        k = first + tl.arange(0, BK)
        x = tl.load(a + m[:, None] * a_row + k[None, :] * a_col, (m[:, None] < M) & (k[None, :] < K), 0.0)
        y = tl.load(b + k[:, None] * b_row + n[None, :] * b_col, (k[:, None] < K) & (n[None, :] < N), 0.0)
        acc = tl.dot(x, y, acc, input_precision="ieee")
    # Round once, to the type that c points to, and write only what lies inside
    tl.store(c + m[:, None] * c_row + n[None, :], acc.to(c.dtype.element_ty), (m[:, None] < M) & (n[None, :] < N))


@triton.jit
def fp8_matmul_kernel(
    a, b, c, a_scales, b_scales, M, N, K, a_scale_col, b_scale_row, c_row, BM: tl.constexpr, BN: tl.constexpr
):
    """c [M, N] = (a * its scales) @ (b * its scales).T in blocks of 128 along K. One program: BM x BN numbers of c.

    a [M, K] and b [N, K] are FP8, rows of K one after the other. The scale of a[m, 128 j …] lies at
    a_scales + j * a_scale_col + m; that of b[128 i …, 128 j …] at b_scales + i * b_scale_row + j. Element [m, n] of c
    lies at c + m * c_row + n. BN divides 128, so all columns of a tile share one block i. Grid: (ceil(M / BM),
    ceil(N / BN)). M, N and K may be ragged.
    """
    # Rows and columns of this program's tile of c, and its sum in float32
    m = tl.program_id(0).to(tl.int64) * BM + tl.arange(0, BM)
    n = tl.program_id(1).to(tl.int64) * BN + tl.arange(0, BN)
    acc = tl.zeros((BM, BN), tl.float32)
    for block in range(0, tl.cdiv(K, 128)):
        # The products of this block of 128 along K, summed by the tensor core: x [BM, 128], y [128, BN]
        k = block * 128 + tl.arange(0, 128)
        x = tl.load(a + m[:, None] * K + k[None, :], (m[:, None] < M) & (k[None, :] < K), 0.0)
        y = tl.load(b + n[None, :] * K + k[:, None], (n[None, :] < N) & (k[:, None] < K), 0.0)
        products = tl.dot(x, y)
        # Their scales: one for each row of the tile, one for all its columns
        sa = tl.load(a_scales + block * a_scale_col + m, m < M, 0.0)
        sb = tl.load(b_scales + tl.program_id(1) * BN // 128 * b_scale_row + block)
        # Promotion: scaled, and added in float32 outside of the tensor core
        acc += products * (sa * sb)[:, None]
    # Round once, and write only what lies inside
    tl.store(c + m[:, None] * c_row + n[None, :], acc.to(c.dtype.element_ty), (m[:, None] < M) & (n[None, :] < N))


# --- What is called ---------------------------------------------------------------------------------------------------


def matmul(a: Tensor, b: Tensor, backend: str | None = None) -> Tensor:
    """a [M, K] @ b [K, N] -> [M, N] in the type of both."""
    tensors(a=a, b=b)
    for name, x in (("a", a), ("b", b)):
        need(x.ndim == 2, f"{name} must be a matrix, got shape {list(x.shape)}")
        need(x.dtype in (*DTYPES, torch.float64), f"{name} is {x.dtype}: bfloat16, float16 or float32 is needed")
        need(x.numel() > 0, f"{name} is empty: shape {list(x.shape)}")
    need(a.shape[1] == b.shape[0], f"a {list(a.shape)} and b {list(b.shape)}: a's columns are not b's rows")
    need(a.dtype == b.dtype, f"a is {a.dtype} and b {b.dtype}: they must be alike")
    same_device(a=a, b=b)
    kernel = pick(a, backend)
    need(not kernel or a.dtype in DTYPES, f"{a.dtype} is for the reference only: backend='torch'")
    if not kernel:
        return matmul_reference(a, b)
    (M, K), N = a.shape, b.shape[1]
    c = torch.empty(M, N, dtype=a.dtype, device=a.device)
    plan = _plan(M, N, a.dtype)
    grid = triton.cdiv(M, plan["BM"]), triton.cdiv(N, plan["BN"])
    matmul_kernel[grid](a, b, c, M, N, K, *a.stride(), *b.stride(), c.stride(0), **plan)
    return c


def fp8_matmul(
    a: Tensor,
    a_scales: Tensor,
    b: Tensor,
    b_scales: Tensor,
    out_dtype: torch.dtype = torch.bfloat16,
    backend: str | None = None,
) -> Tensor:
    """a [M, K] @ b [N, K].T -> [M, N] in out_dtype; a and its scales from quantise, b and its from quantise_weight."""
    gemm._check(a, a_scales, b, b_scales, out_dtype)
    (M, K), N = a.shape, b.shape[0]
    need(
        b_scales.shape[0] == -(-N // BLOCK) and b_scales.stride(1) in (1, b_scales.shape[0]) or N == 1,
        f"b_scales {list(b_scales.shape)}: here b has a scale for each 128x128; kernels/gemm.py takes 1x128 as well",
    )
    if not pick(a, backend, (8, 9)):
        return fp8_matmul_reference(a, a_scales, b, b_scales, out_dtype)
    c = torch.empty(M, N, dtype=out_dtype, device=a.device)
    plan = _plan(M, N, a.dtype)
    del plan["BK"]  # a block of scales
    b_scales = b_scales.contiguous()
    fp8_matmul_kernel[triton.cdiv(M, plan["BM"]), triton.cdiv(N, plan["BN"])](
        a, b, c, a_scales, b_scales, M, N, K, a_scales.stride(1), b_scales.stride(0), c.stride(0), **plan
    )
    return c


def _plan(M: int, N: int, dtype: torch.dtype) -> dict:
    """Tiles of 128 x 128, less where the matrix has less (the tensor cores want 16), and 128 bytes of each row of a."""
    largest = 64 if dtype == torch.float32 else 128
    rows, cols = (min(largest, max(16, triton.next_power_of_2(size))) for size in (M, N))
    warps = 8 if rows * cols * dtype.itemsize > 8192 else 4
    return {"BM": rows, "BN": cols, "BK": 128 // dtype.itemsize, "num_warps": warps, "num_stages": 3}


# --- For minids dev compile-kernels -----------------------------------------------------------------------------------


def cases():
    """The launches that `minids dev compile-kernels` compiles."""
    from minids.kernels.compiled import Case

    sizes = dict.fromkeys(("M", "N", "K", "a_row", "a_col", "b_row", "b_col", "c_row"), "i32")
    names = {torch.bfloat16: "bf16", torch.float32: "fp32", torch.float8_e4m3fn: "fp8e4nv"}

    def planned(M, N, dtype):
        plan = _plan(M, N, dtype)
        return plan, {name: plan.pop(name) for name in ("num_warps", "num_stages")}

    for M, dtype in ((16, torch.bfloat16), (4096, torch.bfloat16), (4096, torch.float32)):
        tensors = dict.fromkeys("abc", f"*{names[dtype]}")
        plan, options = planned(M, 4096, dtype)
        contiguous = {"a_col": 1, "b_col": 1}  # which Triton notices in a launch by itself
        types = {name: kind for name, kind in (tensors | sizes).items() if name not in contiguous}
        yield Case(f"matmul {names[dtype]} {plan['BM']} rows", matmul_kernel, types, plan | contiguous, options)
    for M in (16, 4096):
        types = {"a": "*fp8e4nv", "b": "*fp8e4nv", "c": "*bf16", "a_scales": "*fp32", "b_scales": "*fp32"}
        types |= dict.fromkeys(("M", "N", "K", "a_scale_col", "b_scale_row", "c_row"), "i32")
        plan, options = planned(M, 4096, torch.float8_e4m3fn)
        del plan["BK"]
        yield Case(f"fp8 {plan['BM']} rows", fp8_matmul_kernel, types, plan, options, 89)
