"""Block-scaled FP8 matrix product: a @ b.T with E4M3 operands, promoted to float32 each 128 of K.

    out[m, n] = sum over blocks j of 128 in K of   sa[m, j] * sb[n, j] * (sum over k in j of a[m, k] * b[n, k])

    a [M, K], b [N, K]   float8_e4m3fn, contiguous (K fastest in both: Hopper's FP8 tensor cores take nothing else)
    sa [M, ceil(K/128)]  float32, a scale for each row and block, column by column as quantise lays them out
    sb                   [ceil(N/128), ceil(K/128)], a scale for each 128x128 of b: fprop with a weight, dgrad with the
                         turned weight; or [N, ceil(K/128)] laid out like sa: wgrad, both sides from quantise_t
    out [M, N]           bfloat16 or float32

(DeepSeek-V3, arXiv 2412.19437 section 3.3: fine-grained scales, and promotion each N_C = 128 because the tensor cores
keep about 14 bits; accumulate_reference shows what happens without.)

K may be ragged: the copy engine fills with zeros. It needs rows that begin on multiples of 16 bytes, so operands whose
K is no multiple of 16 are copied to zero-padded ones first, and an output with ragged N is copied once more.

FLOPs 2MNK; bytes MK + NK + 2MN (bfloat16) if each moves once. On an H100 (1979 TFLOP/s, 3.35 TB/s) M below about 300 is
bound by reading b, larger M by the tensor cores. A step of 128x128x128 keeps these busy for 512 cycles, promoting it
the other cores for 256: in turn that is two thirds of the peak at best, side by side (`special`) nearly all of it.
Each byte that a tile reads from L2 serves 128 FLOP. Not measured yet. One kernel, run in two ways:
    many tiles     persistent programs, one an SM, tiles in groups of 8 rows for the L2; the configuration is tuned
    few tiles      K is split so that all SMs read b; partial sums in float32, added in a fixed order by a second kernel
The order of all sums follows from the shapes and the number of SMs, not from the configuration: runs repeat themselves.

Left out: E5M2, a bias or activation behind the product, adding onto an existing output, clusters with multicast.
"""

import torch
from torch import Tensor

from minids.kernels.quantise import BLOCK, dequantise
from minids.kernels.runtime import FP8, INTERPRETED, need, pick, same_device, sm_count, tensors, tl, triton

DTYPES = (torch.bfloat16, torch.float32)


# --- References -------------------------------------------------------------------------------------------------------


def matmul_reference(
    a: Tensor,
    a_scales: Tensor,
    b: Tensor,
    b_scales: Tensor,
    out_dtype: torch.dtype = torch.float32,
    promote: int | None = None,
) -> Tensor:
    """The product of the dequantised operands; also how FP8 training is emulated on a CPU.

    In float32, or float64 where out_dtype is that. promote=128 adds one product for each 128 of K, as the kernel does;
    None takes a single one. Both are exact enough: at K = 4096 they differ from float64 by 3e-14 in `difference`, a
    bfloat16 result by 1.4e-6; and a single product takes half the time where N is large.
    """
    wide = torch.float64 if out_dtype == torch.float64 else torch.float32
    x, y = dequantise(a, a_scales, wide), dequantise(b, b_scales, wide).t()
    if promote is None:
        return (x @ y).to(out_dtype)
    out = torch.zeros(a.shape[0], b.shape[0], dtype=wide, device=a.device)
    for k in range(0, a.shape[1], promote):
        out.addmm_(x[:, k : k + promote], y[k : k + promote])
    return out.to(out_dtype)


def accumulate_reference(a: Tensor, b: Tensor, bits: int = 14, promote: int | None = None) -> Tensor:
    """a [M, K] @ b [N, K].T in E4M3 as Hopper's tensor cores add it up, without scales. Small shapes only.

    An instruction takes 32 of K. Its products and the accumulator are shifted to the largest exponent among them, each
    is cut (towards zero) to `bits` bits below that, their sum is exact and is cut to `bits` bits again. promote=128
    moves the accumulator to a float32 sum each 128 of K and begins anew. (14 bits: DeepSeek-V3 section 3.5.2. The order
    of the steps: MMA-Sim, arXiv 2511.10909, whose authors found it equal bit for bit to an H100.) All of it in float64,
    where it is exact. Relative error for uniform [0, 1) at K = 4096: 8 % without promotion, 0.06 % with.
    """
    a, b = a.double(), b.double()
    a_exponent, b_exponent = _exponent(a, -6), _exponent(b, -6)  # subnormals have the exponent of the smallest normal
    acc = torch.zeros(a.shape[0], b.shape[0], dtype=torch.float64, device=a.device)
    total = torch.zeros_like(acc, dtype=torch.float32)
    for k in range(0, a.shape[1], 32):
        part = slice(k, k + 32)
        products = a[:, None, part] * b[None, :, part]
        largest = (a_exponent[:, None, part] + b_exponent[None, :, part]).amax(-1).maximum(_exponent(acc))
        acc = _cut(products, largest[..., None], bits).sum(-1) + _cut(acc, largest, bits)
        acc = _cut(acc, _exponent(acc), bits)
        if promote and (k + 32) % promote == 0:
            total, acc = total + acc.float(), torch.zeros_like(acc)
    return total + acc.float()


def _exponent(x: Tensor, smallest: int = -126) -> Tensor:
    """e where |x| = 1.something * 2^e; far below all others for 0."""
    return torch.where(x == 0, -126, (torch.frexp(x)[1] - 1).clamp(min=smallest))


def _cut(x: Tensor, exponent: Tensor, bits: int) -> Tensor:
    """x without what lies below `bits` bits from 2^exponent on, towards zero."""
    last = exponent - (bits - 1)
    return torch.ldexp(torch.ldexp(x, -last).trunc(), last)


def difference(x: Tensor, y: Tensor) -> float:
    """1 - 2<x, y> / (<x, x> + <y, y>): half the squared relative error (deepseek-ai/DeepGEMM, calc_diff)."""
    x, y = x.double(), y.double()
    return 1 - (2 * (x * y).sum() / ((x * x).sum() + (y * y).sum())).item()


# --- Kernels ----------------------------------------------------------------------------------------------------------


@triton.jit
def _corner(tile, M, N, BM: tl.constexpr):
    """First row and column of a tile. Tiles are counted down 8 rows of tiles, then on to the next column."""
    across, down = tl.cdiv(N, 128), tl.cdiv(M, BM)
    first = tile // (8 * across) * 8
    rows = tl.minimum(down - first, 8)
    within = tile % (8 * across)
    return (first + within % rows) * BM, within // rows * 128


@triton.jit(do_not_specialize=["bucket"])
def _gemm_kernel(
    a,
    b,
    c,
    a_scales,
    b_scales,
    M,
    N,
    K,
    c_row,
    a_col,
    b_row,
    b_col,
    bucket,
    WEIGHT: tl.constexpr,
    SPLITS: tl.constexpr,
    HERE: tl.constexpr,
    BM: tl.constexpr,
    FLAT: tl.constexpr,
    SPECIAL: tl.constexpr,
):
    """A program takes every num_programs-th piece of work: a tile of c [BM, 128], and one of SPLITS parts of K.

    With splits, c holds SPLITS matrices below one another, each of whole tiles. HERE: a, b and c are pointers, and
    their descriptors are made here (the compiler divides rows among specialised warps only in such descriptors).
    """
    if HERE:
        a = tl.make_tensor_descriptor(a, [M, K], [K, 1], [BM, 128])
        b = tl.make_tensor_descriptor(b, [N, K], [K, 1], [128, 128])
        c = tl.make_tensor_descriptor(c, [M, N], [c_row, 1], [BM, 128])
    steps, down = tl.cdiv(K, 128), tl.cdiv(M, BM)
    work = down * tl.cdiv(N, 128) * SPLITS
    for piece in tl.range(tl.program_id(0), work, tl.num_programs(0), flatten=FLAT, warp_specialize=SPECIAL):
        m0, n0 = _corner(piece // SPLITS, M, N, BM)
        part = piece % SPLITS
        m, n = m0 + tl.arange(0, BM), n0 + tl.arange(0, 128)
        acc = tl.zeros((BM, 128), tl.float32)
        for k in range(part * steps // SPLITS, (part + 1) * steps // SPLITS):
            x, y = a.load([m0, k * 128]), b.load([n0, k * 128])
            sa = tl.load(a_scales + k * a_col + m, m < M, 0.0)
            if WEIGHT:
                sb = tl.load(b_scales + n0 // 128 * b_row + k * b_col)
            else:
                sb = tl.load(b_scales + k * b_col + n[None, :], n[None, :] < N, 0.0)
            acc += tl.dot(x, y.T) * sb * sa[:, None]  # not sa * sb first: the product would wait for their loads
        c.store([part * down * BM + m0, n0], acc.to(c.dtype))


@triton.jit
def _add_kernel(parts, out, part_size, row, N, SPLITS: tl.constexpr, BN: tl.constexpr):
    """out[m, n] = sum of parts[:, m, n], first to last. One program: BN columns of a row."""
    m, n = tl.program_id(0), tl.program_id(1) * BN + tl.arange(0, BN)
    total = tl.zeros((BN,), tl.float32)
    for part in tl.static_range(SPLITS):
        total += tl.load(parts + part * part_size + m * row + n, n < N, 0.0)
    tl.store(out + m * N + n, total.to(out.dtype.element_ty), n < N)


def _config(bm, num_warps, num_stages, flat=False, special=False):
    return triton.Config({"BM": bm, "FLAT": flat, "SPECIAL": special}, num_warps=num_warps, num_stages=num_stages)


CONFIGS = [
    _config(128, 8, 4),  # 4 warps for each 64 rows, in step
    _config(128, 8, 4, flat=True),  # the next tile is loaded while this one is written
    _config(128, 4, 4, special=True),  # 4 warps load, 2 groups of 4 multiply and promote, out of step
    _config(64, 4, 3),  # two programs an SM
]


def _suitable(configs, arguments, **rest):
    """Off Hopper `flat` and `special` spill or do not compile."""
    hopper = torch.cuda.get_device_capability()[0] == 9
    return [config for config in configs if hopper or not config.kwargs["FLAT"] and not config.kwargs["SPECIAL"]]


_tuned = triton.autotune(
    CONFIGS[:1] if INTERPRETED else CONFIGS,
    key=["bucket", "N", "K"],
    prune_configs_by={"early_config_prune": _suitable},
)(_gemm_kernel)


# --- What is called ---------------------------------------------------------------------------------------------------


def matmul(
    a: Tensor,
    a_scales: Tensor,
    b: Tensor,
    b_scales: Tensor,
    out_dtype: torch.dtype = torch.bfloat16,
    backend: str | None = None,
) -> Tensor:
    """a [M, K] @ b [N, K].T -> [M, N] in out_dtype; operands and scales as above."""
    _check(a, a_scales, b, b_scales, out_dtype)
    if not pick(a, backend, (8, 9)):
        return matmul_reference(a, a_scales, b, b_scales, out_dtype)
    capability = torch.cuda.get_device_capability(a.device)[0] if a.is_cuda else 9
    need(capability < 12, "compute capability 12 comes with too little shared memory: use backend='torch'")
    (M, K), N, sms = a.shape, b.shape[0], sm_count(a)
    a, b = _aligned(a), _aligned(b)
    weight = b_scales.shape[0] == triton.cdiv(N, BLOCK)
    sizes, strides = (M, N, a.shape[1]), (a_scales.stride(1), *b_scales.stride())
    rows, splits = plan(M, N, K, sms)
    if M > 64 and splits == 1 or capability < 9:
        c = _rows(M, N, out_dtype, a.device)
        triton.set_allocator(_scratch)

        def programs(meta):
            return (min(sms * 128 // meta["BM"], triton.cdiv(M, meta["BM"]) * triton.cdiv(N, BLOCK)),)

        _tuned[programs](
            a,
            b,
            c,
            a_scales,
            b_scales,
            *sizes,
            c.stride(0),
            *strides,
            triton.next_power_of_2(M),
            WEIGHT=weight,
            SPLITS=1,
            HERE=True,
        )
        return c.contiguous()
    down = triton.cdiv(M, rows)
    c = _rows(M, N, out_dtype, a.device) if splits == 1 else _rows(splits * down * rows, N, torch.float32, a.device)
    _gemm_kernel[down * triton.cdiv(N, BLOCK) * splits,](
        _boxes(a, rows),
        _boxes(b, BLOCK),
        _boxes(c, rows),
        a_scales,
        b_scales,
        *sizes,
        c.stride(0),
        *strides,
        0,
        WEIGHT=weight,
        SPLITS=splits,
        HERE=False,
        BM=rows,
        FLAT=False,
        SPECIAL=False,
        num_warps=rows // 16,
        num_stages=4,
    )
    if splits == 1:
        return c.contiguous()
    out = torch.empty(M, N, dtype=out_dtype, device=a.device)
    _add_kernel[M, triton.cdiv(N, 1024)](c, out, down * rows * c.stride(0), c.stride(0), N, SPLITS=splits, BN=1024)
    return out


def plan(M: int, N: int, K: int, sms: int) -> tuple[int, int]:
    """(rows of a tile, parts that K is split into): no more programs than SMs, and at least 4 blocks of K for each."""
    rows = 64 if M <= 64 else 128
    tiles = -(-M // rows) * -(-N // BLOCK)
    return rows, max(1, min(sms // tiles, -(-K // BLOCK) // 4))


def _aligned(x: Tensor) -> Tensor:
    """x, or a copy with zeros behind its rows, so that they begin on multiples of 16 bytes."""
    if x.shape[1] % 16 == 0 and x.data_ptr() % 16 == 0:
        return x
    return torch.nn.functional.pad(x.view(torch.uint8), (0, -x.shape[1] % 16)).view(FP8)


def _rows(rows: int, cols: int, dtype: torch.dtype, device) -> Tensor:
    """[rows, cols] whose rows begin on multiples of 16 bytes."""
    step = 16 // dtype.itemsize
    return torch.empty(rows, triton.cdiv(cols, step) * step, dtype=dtype, device=device)[:, :cols]


def _boxes(x: Tensor, rows: int):
    """What the copy engine needs to know to move boxes of [rows, 128] of x."""
    from triton.tools.tensor_descriptor import TensorDescriptor

    return TensorDescriptor(x, list(x.shape), list(x.stride()), [rows, BLOCK])


def _scratch(size: int, alignment: int, stream) -> Tensor:
    """Where Triton keeps the descriptors that a kernel makes."""
    return torch.empty(size, dtype=torch.int8, device="cuda")


def _check(a: Tensor, a_scales: Tensor, b: Tensor, b_scales: Tensor, out_dtype: torch.dtype) -> None:
    tensors(a=a, a_scales=a_scales, b=b, b_scales=b_scales)
    for name, x in (("a", a), ("b", b)):
        need(x.ndim == 2, f"{name} must be a matrix, got shape {list(x.shape)}")
        need(x.dtype == FP8, f"{name} is {x.dtype}, needed is {FP8}: quantise it first")
        need(x.numel() > 0, f"{name} is empty: shape {list(x.shape)}")
        need(
            x.is_contiguous(),
            f"{name} must be contiguous, strides are {x.stride()}: FP8 tensor cores want K to run "
            "fastest in both operands; what is to be turned goes through quantise_t, else call .contiguous()",
        )
    need(a.shape[1] == b.shape[1], f"a {list(a.shape)} and b {list(b.shape)} differ in K, their last dimension")
    M, N, blocks = a.shape[0], b.shape[0], -(-a.shape[1] // BLOCK)
    for name, s, shapes in (
        ("a_scales", a_scales, [[M, blocks]]),
        ("b_scales", b_scales, [[-(-N // BLOCK), blocks], [N, blocks]]),
    ):
        need(s.dtype == torch.float32, f"{name} is {s.dtype}, needed is torch.float32")
        need(list(s.shape) in shapes, f"{name} has shape {list(s.shape)}, needed is {' or '.join(map(str, shapes))}")
        need(
            s.shape[0] == 1 or s.stride(0) == 1 or name == "b_scales" and s.shape[0] != N,
            f"{name} of 1x128 blocks must lie column by column as quantise makes them, strides are {s.stride()}",
        )
    need(out_dtype in DTYPES, f"out_dtype {out_dtype}: choose bfloat16 or float32")
    same_device(a=a, a_scales=a_scales, b=b, b_scales=b_scales)


# --- For minids dev compile-kernels -----------------------------------------------------------------------------------


def cases():
    """The launches that `minids dev compile-kernels` compiles."""
    from minids.kernels.compiled import Case

    sizes = dict.fromkeys(("M", "N", "K", "c_row", "a_col", "b_row", "b_col", "bucket"), "i32")
    scales = {"a_scales": "*fp32", "b_scales": "*fp32"}
    for pass_, weight, out, rows in (("fprop", True, "bf16", 64), ("wgrad", False, "fp32", 128)):
        for name, config in zip(("plain", "flat", "special", "small"), CONFIGS):
            only = {"oldest": 89} if name in ("plain", "small") else {"oldest": 90, "newest": 90}
            yield Case(
                f"{name}_{pass_}",
                _gemm_kernel,
                {"a": "*fp8e4nv", "b": "*fp8e4nv", "c": f"*{out}"} | scales | sizes,
                {"WEIGHT": weight, "SPLITS": 1, "HERE": True, **config.kwargs},
                {"num_warps": config.num_warps, "num_stages": config.num_stages},
                **only,
            )
        boxes = {
            "a": f"tensordesc<fp8e4nv[{rows}, 128]>",
            "b": "tensordesc<fp8e4nv[128, 128]>",
            "c": f"tensordesc<fp32[{rows}, 128]>",
        }
        yield Case(
            f"split_{pass_}",
            _gemm_kernel,
            boxes | scales | sizes,
            {"WEIGHT": weight, "SPLITS": 4, "HERE": False, "BM": rows, "FLAT": False, "SPECIAL": False},
            {"num_warps": rows // 16, "num_stages": 4},
            90,
        )
    yield Case(
        "add",
        _add_kernel,
        {"parts": "*fp32", "out": "*bf16", "part_size": "i32", "row": "i32", "N": "i32"},
        {"SPLITS": 4, "BN": 1024},
        {"num_warps": 4},
    )
