"""MLA decode: the attention of new tokens over the cache of latents, in its absorbed form, split over the cache.

For a sequence of `length` cached tokens, c_t being the R + P numbers that the cache keeps of token t (the normalised
latent, then the rotated key that all heads share), and q_h the query of head h moved into the same space:

    s_ht = scale q_h . c_t           a_ht = exp(s_ht) / sum_t exp(s_ht)
    out_h = sum_t a_ht c_t[:R]       lse_h = log sum_t exp(s_ht)           (t < length; natural logarithm)

The latent is key and value, so a block of the cache is copied to shared memory once and serves both products. A program
takes BLOCK_H rows (a row: one head of one new token) through its share of the tokens, block by block, and carries the
largest score, the sum of the exponentials relative to it and the weighted sum of the latents (arXiv 1805.02867). Where
the programs would be too few for the GPU, each sequence is split into equal shares; a second kernel weights their
results by exp(lse) and adds them, always in the same order (flash-decoding: Dao et al., PyTorch blog, 2023-10-13).

    q       [B, H, R+P] or [B, S, H, R+P]      S new tokens: the last one sees the whole length, each earlier one less
    cache   [B, T, R+P], or pages [n, page, R+P] with table [B, m]: token t of b is pages[table[b, t // page], t % page]
    lengths [B] int32, counted with the S new tokens, whose c are in the cache already
    out     like q with R instead of R+P, in its dtype; lse float32. A row that sees nothing: 0 and -inf.

(absorbed form: DeepSeek-V2, arXiv 2405.04434 section 2.1.2; sizes of DeepSeek-V3: H 128, R 512, P 64.) Tokens and pages
may have any stride. What lies behind `length` and in unused entries of the table may be anything, NaN too. On a GPU
nobody waits to look at `lengths`: one that is negative or beyond the cache gives NaN; page numbers are trusted there.

Bytes moved: 2 (R+P) sum(lengths) for bfloat16, and q and out; n > 1 shares write and read 4 n B S H R each. FLOPs:
2 S H (2R+P) sum(lengths). V3: 242 FLOPs a byte for one new token, near the 295 of an H100 (989 TFLOP/s over 3.35 TB/s):
128 sequences of 4096 tokens are 604 MB and 146 GFLOP, 180 us of memory or 148 us of tensor cores. The sums of 128 heads
would fill the registers of a multiprocessor, so a program takes 64 and every block is read twice, by programs started
side by side, the second time from the L2 cache. Its scores read the query from shared memory for every 32 tokens, which
takes longer than the multiplying: by count at best 80 % of the tensor cores. Up to 64 rows, memory sets the time.

Left out: balancing lengths that differ much (shares are equal within a sequence, not between), FP8 caches, a backward.
"""

from functools import lru_cache

import torch
from einops import rearrange
from torch import Tensor

from minids.kernels.runtime import INTERPRETED, VERSION, need, pick, same_device, sm_count, tensors, tl, triton

DTYPES = (torch.bfloat16, torch.float16, torch.float32)
MOST_SPLITS = 256


# --- Reference --------------------------------------------------------------------------------------------------------


def mla_decode_reference(
    q: Tensor, cache: Tensor, lengths: Tensor, scale: float, rank: int, table: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """As mla_decode, in float32, or in float64 for q in float64."""
    q_BSHC = q if q.ndim == 4 else q[:, None]
    S, wide = q_BSHC.shape[1], torch.float64 if q.dtype == torch.float64 else torch.float32
    if table is not None:  # the pages of each sequence, one after the other
        page = cache.shape[1]
        used = torch.arange(table.shape[1], device=q.device) * page < lengths[:, None]
        cache = rearrange(cache[table.masked_fill(~used, 0).long()], "b m page c -> b (m page) c")
    t = torch.arange(cache.shape[1], device=q.device)
    seen_BST = t < (lengths[:, None] - torch.arange(S - 1, -1, -1, device=q.device))[..., None]
    c_BTC = cache.to(wide).masked_fill(~seen_BST[:, -1, :, None], 0)
    scores = torch.einsum("bshc,btc->bsht", q_BSHC.to(wide), c_BTC) * scale
    scores = scores.masked_fill(~seen_BST[:, :, None], float("-inf"))
    lse = scores.logsumexp(-1)
    lse = lse.masked_fill(((lengths < 0) | (lengths > t.numel()))[:, None, None], float("nan"))
    weights = (scores - lse.masked_fill(lse == float("-inf"), 0)[..., None]).exp()
    out = torch.einsum("bsht,btr->bshr", weights, c_BTC[..., :rank]).to(q.dtype)
    return (out, lse) if q.ndim == 4 else (out[:, 0], lse[:, 0])


# --- Kernels ----------------------------------------------------------------------------------------------------------


@triton.jit
def _decode_kernel(
    q,
    cache,
    table,
    lengths,
    out,
    lse,
    scale,
    rows,
    heads,
    capacity,
    page_size,
    page_step,
    table_step,
    TOKEN_STEP: tl.constexpr,
    RANK: tl.constexpr,
    ROPE: tl.constexpr,
    RANK_WIDE: tl.constexpr,
    ROPE_WIDE: tl.constexpr,
    BLOCK_H: tl.constexpr,
    BLOCK_T: tl.constexpr,
    STAGES: tl.constexpr,
    BRANCHES: tl.constexpr,
):
    """One program: BLOCK_H rows of one sequence against one share of its tokens.

    The three conditions in the loop hold always. With BRANCHES the compiler does not know that, and does better on
    sm_90 (seen in what Triton 3.6 to 3.9 make of it): the copies of the next block start before the products of this
    one, not behind them, so that two buffers suffice; and each group of four warps computes half of the scores, where
    the layout that suits the second product best would have both groups compute all of them. Not on sm_100: with more
    than two stages Triton 3.7 copies a block into the buffer that this block's products still read.
    """
    h = tl.program_id(0) * BLOCK_H + tl.arange(0, BLOCK_H)
    split, splits, b = tl.program_id(1), tl.num_programs(1), tl.program_id(2).to(tl.int64)
    r, p, t = tl.arange(0, RANK_WIDE), RANK + tl.arange(0, ROPE_WIDE), tl.arange(0, BLOCK_T)
    in_rank, in_rope = (r < RANK)[None, :], (p < RANK + ROPE)[None, :]
    query = q + b * rows * (RANK + ROPE) + h[:, None] * (RANK + ROPE)
    q_rank = tl.load(query + r[None, :], (h < rows)[:, None] & in_rank, 0.0)
    q_rope = tl.load(query + p[None, :], (h < rows)[:, None] & in_rope, 0.0)

    asked = tl.load(lengths + b)
    length = tl.maximum(tl.minimum(asked, capacity), 0)
    share = tl.cdiv(tl.cdiv(length, BLOCK_T), splits) * BLOCK_T
    stop = tl.minimum(share * (split + 1), length)
    limit = length - (rows - 1) // heads + h // heads  # rows = S * heads: the last token sees all, the one before less
    limit = tl.minimum(limit, stop)[:, None]
    scale *= 1.4426950408889634  # log2(e): from here on powers of 2
    one, two, three = True, True, True
    if BRANCHES:
        one, two, three = rows > 0, rows > -1, rows > -2  # of one number: a register each for more would spill

    top = tl.full([BLOCK_H], -3.4028234e38, tl.float32)  # not -inf: exp2(-inf - -inf) is NaN
    total = tl.full([BLOCK_H], 0.0, tl.float32)
    total = tl.where((asked < 0) | (asked > capacity), float("nan"), total)
    sums = tl.full([BLOCK_H, RANK_WIDE], 0.0, tl.float32)
    for start in tl.range(share * split, stop, BLOCK_T, num_stages=STAGES):
        page = tl.load(table + b * table_step + start // page_size).to(tl.int64)
        token = cache + page * page_step + (start % page_size).to(tl.int64) * TOKEN_STEP
        inside = (t < stop - start)[:, None]
        c_rank = tl.load(token + t[:, None] * TOKEN_STEP + r[None, :], inside & in_rank, 0.0)  # keys and values
        c_rope = tl.load(token + t[:, None] * TOKEN_STEP + p[None, :], inside & in_rope, 0.0)
        k_rank, k_rope = tl.trans(c_rank), tl.trans(c_rope)
        if one:
            scores = tl.full([BLOCK_H, BLOCK_T], 0.0, tl.float32)
            weights = tl.full([BLOCK_H, BLOCK_T], 0.0, c_rank.dtype)
            shrink = tl.full([BLOCK_H], 1.0, tl.float32)
            if two:
                scores = tl.dot(q_rope, k_rope, input_precision="tf32x3")
            if three:
                scores = tl.dot(q_rank, k_rank, scores, input_precision="tf32x3") * scale
                scores = tl.where((start + t)[None, :] < limit, scores, float("-inf"))
                higher = tl.maximum(top, tl.max(scores, 1))
                powers = tl.exp2(scores - higher[:, None])
                shrink = tl.exp2(top - higher)
                total = total * shrink + tl.sum(powers, 1)
                weights = powers.to(c_rank.dtype)
                top = higher
            sums = tl.dot(weights, c_rank, sums * shrink[:, None], input_precision="tf32x3")

    seen = total != 0
    at = (b * splits + split) * rows + h
    total = tl.where(seen, total, 1.0)
    tl.store(lse + at, tl.where(seen, (top + tl.log2(total)) * 0.6931471805599453, float("-inf")), h < rows)
    write = (h < rows) & (seen | (splits == 1))  # nobody reads a share that saw nothing
    result = sums / total[:, None]
    tl.store(out + at[:, None] * RANK + r[None, :], result.to(out.dtype.element_ty), write[:, None] & in_rank)


@triton.jit
def _combine_kernel(
    parts, parts_lse, out, lse, splits, rows, RANK: tl.constexpr, WIDE: tl.constexpr, COLS: tl.constexpr
):
    """One program: COLS columns of one row, of all shares."""
    row, b = tl.program_id(0), tl.program_id(2).to(tl.int64)
    split, r = tl.arange(0, WIDE), tl.program_id(1) * COLS + tl.arange(0, COLS)
    at = (b * splits + split) * rows + row
    of = tl.load(parts_lse + at, split < splits, float("-inf"))
    seen = of != float("-inf")
    top = tl.max(tl.where(seen, of, -3.4028234e38), 0)
    weights = tl.exp(of - top)
    total = tl.sum(weights, 0)
    some = total != 0
    total = tl.where(some, total, 1.0)
    part = tl.load(parts + at[:, None] * RANK + r[None, :], seen[:, None] & (r < RANK)[None, :], 0.0)
    result = tl.sum(part * weights[:, None], 0) / total
    tl.store(out + (b * rows + row) * RANK + r, result.to(out.dtype.element_ty), r < RANK)
    if tl.program_id(1) == 0:
        tl.store(lse + b * rows + row, tl.where(some, top + tl.log(total), float("-inf")))


# --- What is called ---------------------------------------------------------------------------------------------------


def mla_decode(
    q: Tensor,
    cache: Tensor,
    lengths: Tensor,
    scale: float,
    rank: int,
    table: Tensor | None = None,
    splits: int | None = None,
    backend: str | None = None,
) -> tuple[Tensor, Tensor]:
    """-> (out [B, H, rank] in the dtype of q, lse [B, H] float32), or [B, S, H, …] where q has four dims.

    `scale` multiplies the scores; `rank` is R, the leading part of a cached token that is its value as well; `splits`,
    the number of shares of a sequence, is chosen where it is not given. Sizes that no plan fits (see `plan`) and
    tensors that want a gradient take the reference.
    """
    _check(q, cache, lengths, scale, rank, table, splits)
    B, H, width = q.shape[0], q.shape[-2], q.shape[-1]
    if not pick(q, backend):
        return mla_decode_reference(q, cache, lengths, scale, rank, table)
    wide = [max(16, triton.next_power_of_2(n)) for n in (rank, width - rank)]
    how, why = plan(*wide, q.element_size(), *_limits(q.device)), None
    if how is None:
        why = f"a rank of {rank} with {width - rank} rotary elements of {q.dtype} does not fit into a multiprocessor"
    elif torch.is_grad_enabled() and (q.requires_grad or cache.requires_grad):
        why = "the kernel has no backward: call it under torch.no_grad()"
    if why:
        need(backend is None, f"{why}, or use the reference (backend='torch')")
        return mla_decode_reference(q, cache, lengths, scale, rank, table)
    rows, page = q.numel() // (B * width), cache.shape[1]
    if table is None:  # a page a sequence
        table = torch.arange(B, dtype=torch.int32, device=q.device)[:, None]
    else:  # a block lies in one page
        how["BLOCK_T"] = min(how["BLOCK_T"], page & -page)
    capacity, row_blocks = page * table.shape[1], triton.cdiv(rows, how["BLOCK_H"])
    if splits is None:
        splits = splits_for(B * row_blocks, triton.cdiv(capacity, how["BLOCK_T"]), sm_count(q))
    out, lse = q.new_empty(*q.shape[:-1], rank), q.new_empty(q.shape[:-1], dtype=torch.float32)
    parts, parts_lse = out, lse
    if splits > 1:
        parts = q.new_empty(B, splits, rows, rank, dtype=torch.float32)
        parts_lse = q.new_empty(B, splits, rows, dtype=torch.float32)
    _decode_kernel[row_blocks, splits, B](
        q,
        cache,
        table,
        lengths,
        parts,
        parts_lse,
        scale,
        rows,
        H,
        capacity,
        page,
        cache.stride(0),
        table.stride(0),
        TOKEN_STEP=cache.stride(1),
        RANK=rank,
        ROPE=width - rank,
        RANK_WIDE=wide[0],
        ROPE_WIDE=wide[1],
        **how,
    )
    if splits > 1:
        many = triton.next_power_of_2(splits)
        cols = min(8192 // many, wide[0])
        _combine_kernel[rows, triton.cdiv(rank, cols), B](
            parts, parts_lse, out, lse, splits, rows, RANK=rank, WIDE=many, COLS=cols, num_warps=4
        )
    return out, lse


# Compute capability from … to, bytes an element at most, BLOCK_H, BLOCK_T, num_warps, blocks of the cache in shared
# memory. Registers hold BLOCK_H x R sums; the copies of that many blocks are under way at a time, or wait their turn.
PLANS = (
    ((9, 0), (10, 0), 2, 64, 64, 8, 2),
    ((10, 0), (11, 0), 2, 64, 32, 8, 3),
    ((8, 0), (99, 0), 2, 32, 32, 8, 2),
    ((8, 0), (99, 0), 4, 16, 32, 4, 2),
)


def plan(rank: int, rope: int, size: int, shared: int, capability: tuple[int, int]) -> dict | None:
    """How to launch for tokens of rank + rope elements (both powers of 2) of `size` bytes on a GPU with `shared` bytes
    of shared memory a program: the first of PLANS that fits, None if none does."""
    if rank + rope > (192 if size == 4 else 576):  # query and sums of 16 rows would fill the registers
        return None
    for oldest, end, most, block_h, block_t, warps, buffers in PLANS:
        if oldest == (10, 0) and VERSION and VERSION < (3, 9):  # which keeps a block more than it is asked for
            buffers -= 1
        bytes_needed = ((block_h + buffers * block_t) * (rank + rope) + block_h * block_t) * size + 64
        if oldest <= capability < end and size <= most and bytes_needed <= shared:
            hopper = end == (10, 0)  # elsewhere looking a page up takes as many stages as copying it, and one computes
            stages = buffers if hopper else 2 * buffers + 1
            return {"BLOCK_H": block_h, "BLOCK_T": block_t, "STAGES": stages, "BRANCHES": hopper, "num_warps": warps}
    return None


@lru_cache
def _limits(device: torch.device) -> tuple[int, tuple[int, int]]:
    """Bytes of shared memory a program may have, and the compute capability; in the interpreter a small GPU's."""
    if INTERPRETED:
        return 99 * 1024, (8, 9)
    properties = triton.runtime.driver.active.utils.get_device_properties(device.index or 0)
    return properties["max_shared_mem"], torch.cuda.get_device_capability(device)


@lru_cache(maxsize=4096)
def splits_for(programs: int, blocks: int, multiprocessors: int) -> int:
    """Shares of a sequence of `blocks` blocks, if without splitting there are that many programs: the least time.

    The unit is the time of a block. Rounds of programs, each taking its blocks and one unit to start; a share's result,
    512 float32 a row, is written and read again in about 1/25 of the time that its rows need for a block.
    """

    def time(splits):
        parts = programs * splits / 25 if splits > 1 else 0
        return -(-programs * splits // multiprocessors) * (-(-blocks // splits) + 1) + parts

    return min(range(1, min(blocks, MOST_SPLITS) + 1), key=time)


def _check(q, cache, lengths, scale, rank, table, splits) -> None:
    tensors(q=q, cache=cache, lengths=lengths, table=table)
    need(isinstance(rank, int), f"rank {rank!r}: a whole number is needed")
    need(isinstance(scale, (int, float)), f"scale {scale!r}: a number is needed")
    need(q.ndim in (3, 4), f"q must be [B, H, R+P] or [B, S, H, R+P], got {list(q.shape)}")
    need(cache.ndim == 3, f"the cache must be [B, T, R+P], or pages [n, page, R+P], got {list(cache.shape)}")
    need(q.dtype in DTYPES, f"q is {q.dtype}: bfloat16, float16 or float32")
    need(cache.dtype == q.dtype, f"q is {q.dtype}, the cache {cache.dtype}: they must be of one dtype")
    need(q.numel() > 0 and cache.numel() > 0, f"nothing to attend: q {list(q.shape)}, cache {list(cache.shape)}")
    need(cache.shape[2] == q.shape[-1], f"q has {q.shape[-1]} elements per head, the cache {cache.shape[2]} per token")
    need(0 < rank < q.shape[-1], f"rank {rank} must be positive and below the {q.shape[-1]} elements of a token")
    need(q.is_contiguous(), f"q must be contiguous, its strides are {q.stride()}: call .contiguous()")
    need(cache.stride(2) == 1, f"elements of a token must lie side by side, strides of the cache are {cache.stride()}")
    need(splits is None or 1 <= splits <= MOST_SPLITS, f"splits {splits}: 1 to {MOST_SPLITS}")
    B, page = q.shape[0], cache.shape[1]
    need(B <= 65535, f"{B} sequences at once: at most 65535")
    for name, x, ndim in (("lengths", lengths, 1), ("table", table, 2)):
        if x is not None:
            need(x.dtype == torch.int32, f"{name} is {x.dtype}: int32 is needed")
            need(x.ndim == ndim and x.shape[0] == B, f"{name} must have {ndim} dims, {B} first: got {list(x.shape)}")
            need(x.stride(-1) == 1 or x.shape[-1] == 1, f"strides of {name} are {x.stride()}: call .contiguous()")
    if table is None:
        need(cache.shape[0] == B, f"q has {B} sequences, the cache {cache.shape[0]} (pages need a table)")
    else:
        need(
            page % 16 == 0 and table.numel() > 0,
            f"pages of {page} tokens, {table.shape[1]} a sequence: a page must "
            "have a multiple of 16 tokens, a sequence at least one page",
        )
    same_device(q=q, cache=cache, lengths=lengths, table=table)
    if q.is_cuda:
        return  # whoever looks at the numbers waits for the GPU
    capacity = page if table is None else page * table.shape[1]
    need(
        lengths.min() >= 0 and lengths.max() <= capacity,
        f"lengths from {lengths.min()} to {lengths.max()}: the cache holds 0 to {capacity} tokens a sequence",
    )
    if table is not None:
        used = table[torch.arange(table.shape[1]) * page < lengths[:, None]]
        need(((used >= 0) & (used < cache.shape[0])).all(), f"the table names pages beyond {cache.shape[0] - 1}")


# --- For minids dev compile-kernels -----------------------------------------------------------------------------------


def cases():
    """The launches that `minids dev compile-kernels` compiles."""
    from minids.kernels.compiled import SHARED_LIMIT, Case

    sizes = ("rows", "heads", "capacity", "page_size", "page_step", "table_step")
    other = {"table": "*i32", "lengths": "*i32", "lse": "*fp32", "scale": "fp32"} | dict.fromkeys(sizes, "i32")
    for name, dtype, (rank, rope), oldest, newest in (
        ("h100", "bf16", (512, 64), 90, 90),
        ("b200", "bf16", (512, 64), 100, 100),
        ("a100", "bf16", (512, 64), 80, 80),
        ("small", "bf16", (512, 64), 89, 999),
        ("fp32", "fp32", (128, 64), 80, 999),
    ):
        how = plan(rank, rope, 4 if dtype == "fp32" else 2, SHARED_LIMIT[oldest], divmod(oldest, 10))
        constants = {key: value for key, value in how.items() if key != "num_warps"}
        constants |= {"TOKEN_STEP": rank + rope, "RANK": rank, "ROPE": rope, "RANK_WIDE": rank, "ROPE_WIDE": rope}
        yield Case(
            f"mla_decode_{name}",
            _decode_kernel,
            dict.fromkeys(("q", "cache", "out"), f"*{dtype}") | other,
            constants,
            {"num_warps": how["num_warps"]},
            oldest,
            newest,
        )
    yield Case(
        "mla_combine",
        _combine_kernel,
        {"parts": "*fp32", "parts_lse": "*fp32", "out": "*bf16", "lse": "*fp32", "splits": "i32", "rows": "i32"},
        {"RANK": 512, "WIDE": 64, "COLS": 128},
        {"num_warps": 4},
    )
