"""Cases of chapter 07: Triton kernels, launched on CPU tensors in Triton's interpreter.

Every tensor lies at the front of a larger piece of memory. Between the rows of an input and behind it stands NaN, an
output is full of NaN, within and behind. So a number is seen that was not written, or written where it should not be;
and a load of NaN is an error by itself (minids/course/memory_guard.py), whether it reaches a result or not.
"""

import torch

from minids.course.cases import case, changes, expect

BEHIND = 20_000  # numbers behind each tensor
NAN = float("nan")
FP8 = torch.float8_e4m3fn


def cdiv(a, b):
    return -(-a // b)


def laid(x, gap=0):
    """x [rows, columns] in one row of memory: `gap` times NaN after each of its rows, and more behind."""
    wide = torch.nn.functional.pad(x.float(), (0, gap), value=NAN).reshape(-1)
    return torch.cat([wide, wide.new_full((BEHIND,), NAN)]).to(x.dtype)


def unwritten(size, dtype=torch.float32):
    """Memory for an output of this size, and more behind it."""
    return torch.full((size + BEHIND,), NAN).to(dtype)


def written(name, memory, rows, columns, stride=None):
    """The output [rows, columns] at the front of its memory; an assertion if not all of it was written."""
    stride = columns if stride is None else stride
    found = memory.as_strided((rows, columns), (stride, 1)).clone()
    left = int(found.float().isnan().sum())
    assert not left, f"{left} of the {found.numel()} numbers of {name} were never written, or are NaN"
    return found


def nothing_else(name, memory, rows, columns, stride=None):
    """An assertion unless what lies between and behind the rows of an output is as it was."""
    stride = columns if stride is None else stride
    other = memory.clone()
    other.as_strided((rows, columns), (stride, 1)).copy_(torch.full((rows, columns), NAN).to(memory.dtype))
    spoilt = (~other.float().isnan()).nonzero()[:, 0]
    assert not len(spoilt), (
        f"{len(spoilt)} numbers that are not {name}'s were written, the first at place {spoilt[0]} after its beginning "
        f"({name} has {rows} x {columns} numbers, a row every {stride})"
    )


def mostly(got, want, what):
    """Equal but for the rare number that lies so near the middle of two that either may be right."""
    off = int((got != want).sum())
    assert off <= got.numel() // 50, f"{off} of {got.numel()} numbers are not {what}"


# -- swiglu ------------------------------------------------------------------------------------------------------------

SWIGLU = "triton.swiglu"
changes(SWIGLU, "y")


def gated(kernel, gate, up, rows, cols, gaps=(0, 0)):
    """Launches the kernel for every tile -> the memory of y."""
    (M, F), y = gate.shape, unwritten(gate.numel(), gate.dtype)
    strides = [F + gap for gap in gaps]
    memory = [laid(x, gap) for x, gap in zip((gate, up), gaps)]
    kernel[cdiv(M, rows), cdiv(F, cols)](*memory, y, M, F, *strides, ROWS=rows, COLS=cols)
    return y


def silu_times(gate, up):
    gate, up = gate.double(), up.double()
    return gate / (1 + torch.exp(-gate)) * up


@case(SWIGLU)
def one_program_computes_silu_of_gate_times_up(swiglu_kernel):
    gate, up = torch.randn(2, 8), torch.randn(2, 8)
    got = written("y", gated(swiglu_kernel, gate, up, 2, 8), 2, 8)
    expect(got, silu_times(gate, up).float(), gate=gate, up=up)


@case(SWIGLU)
def every_program_has_a_tile_of_its_own(swiglu_kernel):
    gate, up = torch.randn(6, 64), torch.randn(6, 64)
    got = written("y", gated(swiglu_kernel, gate, up, 2, 16), 6, 64)
    expect(got, silu_times(gate, up).float(), M=6, F=64, ROWS=2, COLS=16)


@case(SWIGLU)
def rows_and_columns_need_not_fill_the_last_tiles(swiglu_kernel):
    gate, up = torch.randn(5, 37), torch.randn(5, 37)
    got = written("y", gated(swiglu_kernel, gate, up, 4, 16), 5, 37)
    expect(got, silu_times(gate, up).float(), M=5, F=37, ROWS=4, COLS=16)


@case(SWIGLU)
def nothing_behind_y_is_written(swiglu_kernel):
    gate, up = torch.randn(5, 37), torch.randn(5, 37)
    nothing_else("y", gated(swiglu_kernel, gate, up, 4, 16), 5, 37)


@case(SWIGLU)
def gate_and_up_have_row_strides_of_their_own(swiglu_kernel):
    gate, up = torch.randn(4, 16), torch.randn(4, 16)
    got = written("y", gated(swiglu_kernel, gate, up, 2, 16, gaps=(3, 24)), 4, 16)
    expect(got, silu_times(gate, up).float(), gate_row=19, up_row=40, F=16)


@case(SWIGLU)
def half_precision_is_rounded_once_at_the_end(swiglu_kernel):
    for dtype in (torch.float16, torch.bfloat16):
        gate, up = torch.randn(4, 256).to(dtype), torch.randn(4, 256).to(dtype)
        got = written("y", gated(swiglu_kernel, gate, up, 4, 256), 4, 256)
        mostly(got, silu_times(gate, up).to(dtype), f"the product rounded once to {dtype}: is all of it in float32?")


@case(SWIGLU)
def large_gates_stay_finite(swiglu_kernel):
    gate = torch.tensor([[-90.0, -30.0, 0.0, 30.0, 90.0], [1.0, 200.0, -200.0, 89.0, -89.0]])
    up = torch.full((2, 5), 2.0)
    expect(written("y", gated(swiglu_kernel, gate, up, 2, 8), 2, 5), silu_times(gate, up).float(), gate=gate, up=2.0)


@case(SWIGLU, held_out=True)
def bfloat16_is_computed_in_float32_too(swiglu_kernel):
    gate, up = torch.randn(3, 100).bfloat16(), torch.randn(3, 100).bfloat16()
    memory = gated(swiglu_kernel, gate, up, 1, 128, gaps=(100, 4))
    mostly(written("y", memory, 3, 100), silu_times(gate, up).bfloat16(), "the product rounded once")
    nothing_else("y", memory, 3, 100)


@case(SWIGLU, held_out=True)
def many_ragged_tiles_of_slices(swiglu_kernel):
    gate, up = torch.randn(7, 50) * 30, torch.randn(7, 50)
    memory = gated(swiglu_kernel, gate, up, 2, 16, gaps=(50, 7))
    expect(written("y", memory, 7, 50), silu_times(gate, up).float(), M=7, F=50, ROWS=2, COLS=16)
    nothing_else("y", memory, 7, 50)


# -- rms_norm ----------------------------------------------------------------------------------------------------------

NORM = "triton.rms_norm"
changes(NORM, "y", "h", "r")


def normed(kernel, x, w, eps, rows, cols, residual=None, gaps=(0, 0)):
    """Launches the kernel for all rows -> the memory of y, h and r. h is None without a residual."""
    M, H = x.shape
    y, r = unwritten(M * H, x.dtype), unwritten(M)
    h = None if residual is None else unwritten(M * H, x.dtype)
    other = None if residual is None else laid(residual, gaps[1])
    kernel[cdiv(M, rows),](
        laid(x, gaps[0]), other, laid(w[None]), y, h, r, M, H, H + gaps[0], H + gaps[1], eps, ROWS=rows, COLS=cols
    )
    return y, h, r


def rstd_of(x, eps):
    return 1 / (x.double().square().mean(-1, keepdim=True) + eps).sqrt()


@case(NORM)
def each_row_is_divided_by_its_root_mean_square(rms_norm_kernel):
    x, w = torch.randn(4, 16) * torch.tensor([[1.0], [5.0], [0.1], [20.0]]) + 1, torch.rand(16) + 0.5
    y, _, _ = normed(rms_norm_kernel, x, w, 1e-6, 2, 16)
    expect(written("y", y, 4, 16), (x * rstd_of(x, 1e-6) * w).float(), 1e-5, M=4, H=16, ROWS=2, COLS=16)


@case(NORM)
def rows_shorter_than_COLS_are_not_diluted(rms_norm_kernel):
    x, w = torch.randn(5, 11), torch.rand(11) + 0.5
    y, _, _ = normed(rms_norm_kernel, x, w, 1e-6, 2, 16)
    expect(written("y", y, 5, 11), (x * rstd_of(x, 1e-6) * w).float(), 1e-5, M=5, H=11, ROWS=2, COLS=16)


@case(NORM)
def r_keeps_one_over_the_root_with_eps_under_it(rms_norm_kernel):
    x, w = torch.randn(6, 16), torch.ones(16)
    y, _, r = normed(rms_norm_kernel, x, w, 0.5, 4, 16)
    expect(written("r", r, 6, 1)[:, 0], rstd_of(x, 0.5)[:, 0].float(), 1e-5, eps=0.5)
    expect(written("y", y, 6, 16), (x * rstd_of(x, 0.5)).float(), 1e-5, eps=0.5)


@case(NORM)
def a_residual_is_added_first_and_the_sum_is_kept(rms_norm_kernel):
    x, residual, w = torch.randn(5, 12), torch.randn(5, 12) * 3, torch.rand(12) + 0.5
    y, h, r = normed(rms_norm_kernel, x, w, 1e-6, 2, 16, residual)
    total = x + residual
    expect(written("h", h, 5, 12), total, 1e-6, M=5, H=12)
    expect(written("y", y, 5, 12), (total * rstd_of(total, 1e-6) * w).float(), 1e-5, M=5, H=12)
    expect(written("r", r, 5, 1), rstd_of(total, 1e-6).float(), 1e-5, M=5, H=12)


@case(NORM)
def x_and_residual_have_row_strides_of_their_own(rms_norm_kernel):
    x, residual, w = torch.randn(4, 16), torch.randn(4, 16), torch.rand(16) + 0.5
    total = x + residual
    y, h, _ = normed(rms_norm_kernel, x, w, 1e-6, 2, 16, residual, gaps=(5, 33))
    expect(written("h", h, 4, 16), total, 1e-6, x_row=21, residual_row=49, H=16)
    expect(written("y", y, 4, 16), (total * rstd_of(total, 1e-6) * w).float(), 1e-5, x_row=21, residual_row=49, H=16)


@case(NORM)
def nothing_behind_the_outputs_is_written(rms_norm_kernel):
    x, w = torch.randn(5, 11), torch.rand(11) + 0.5
    y, h, r = normed(rms_norm_kernel, x, w, 1e-6, 4, 16, torch.randn(5, 11))
    for name, memory, columns in (("y", y, 11), ("h", h, 11), ("r", r, 1)):
        nothing_else(name, memory, 5, columns)


@case(NORM)
def in_bfloat16_the_normed_row_is_rounded_before_the_weight_comes(rms_norm_kernel):
    x, w = torch.randn(4, 256).bfloat16(), (torch.rand(256) + 0.5).bfloat16()
    y, _, _ = normed(rms_norm_kernel, x, w, 1e-6, 2, 256)
    u = (x.double() * rstd_of(x, 1e-6)).bfloat16()
    mostly(written("y", y, 4, 256), (u.double() * w.double()).bfloat16(), "round(round(x * r) * w)")


@case(NORM)
def in_bfloat16_it_is_the_rounded_sum_that_is_normed(rms_norm_kernel):
    x, residual, w = torch.randn(4, 200).bfloat16(), torch.randn(4, 200).bfloat16() * 4, torch.ones(200).bfloat16()
    y, h, r = normed(rms_norm_kernel, x, w, 1e-6, 2, 256, residual)
    total = x + residual
    expect(written("h", h, 4, 200), total, 0.0)
    mostly(written("y", y, 4, 200), (total.double() * rstd_of(total, 1e-6)).bfloat16(), "made of the rounded sum")
    expect(written("r", r, 4, 1), rstd_of(total, 1e-6).float(), 1e-5, r="of the rounded sum")


@case(NORM)
def a_single_number_a_row_and_a_row_of_zeros(rms_norm_kernel):
    y, _, r = normed(rms_norm_kernel, torch.tensor([[3.0], [-2.0], [0.0]]), torch.tensor([2.0]), 1e-6, 4, 1)
    expect(written("y", y, 3, 1), torch.tensor([[2.0], [-2.0], [0.0]]), 1e-5)
    expect(written("r", r, 3, 1), torch.tensor([[1 / 3], [0.5], [1000.0]]), 1e-4)


@case(NORM, held_out=True)
def half_precision_with_everything_at_once(rms_norm_kernel):
    x, residual, w = torch.randn(5, 90).half(), torch.randn(5, 90).half() * 3, (torch.rand(90) + 0.5).half()
    y, h, r = normed(rms_norm_kernel, x, w, 1e-3, 2, 128, residual, gaps=(8, 1))
    total = x + residual
    u = (total.double() * rstd_of(total, 1e-3)).half()
    expect(written("h", h, 5, 90), total, 0.0)
    mostly(written("y", y, 5, 90), (u.double() * w.double()).half(), "round(round(h * r) * w)")
    expect(written("r", r, 5, 1), rstd_of(total, 1e-3).float(), 1e-5)
    for name, memory, columns in (("y", y, 90), ("h", h, 90), ("r", r, 1)):
        nothing_else(name, memory, 5, columns)


@case(NORM, held_out=True)
def one_row_and_a_large_eps(rms_norm_kernel):
    x, w = torch.randn(1, 5), torch.rand(5) + 0.5
    y, _, r = normed(rms_norm_kernel, x, w, 2.0, 4, 8, gaps=(3, 0))
    expect(written("y", y, 1, 5), (x * rstd_of(x, 2.0) * w).float(), 1e-5, eps=2.0)
    nothing_else("r", r, 1, 1)


# -- quantise ----------------------------------------------------------------------------------------------------------

QUANTISE = "triton.quantise"
changes(QUANTISE, "q", "s")


def quantised(kernel, x, rows, gap=0, ue8m0=False):
    """Launches the kernel for all blocks -> the memory of q, and of s: a row for each column of blocks, s_col apart."""
    (M, K), s_col = x.shape, cdiv(x.shape[0], 4) * 4 + 4
    q, s = unwritten(M * K, FP8), unwritten(cdiv(K, 128) * s_col)
    kernel[cdiv(M, rows), cdiv(K, 128)](laid(x, gap), q, s, M, K, K + gap, s_col, UE8M0=ue8m0, ROWS=rows)
    return q, s, s_col


def scales_of(x):
    """[M, ceil(K/128)], in float64."""
    parts = [part.double().abs().amax(-1) for part in x.split(128, dim=-1)]
    return torch.stack(parts, dim=-1).clamp(min=1e-4) / 448


def same_scales(got, want, **given):
    """Equal up to float32's rounding, however small they are."""
    if not torch.allclose(got.double(), want, rtol=1e-6, atol=0.0):
        expect(got, want.float(), 0.0, **given)


def near(x, q, scale):
    """q is x / scale, to within half a step of E4M3 there: three bits of mantissa, and 2^-9 below 2^-6."""
    x, wide = x.double(), scale.double().repeat_interleave(128, -1)[:, : x.shape[1]]
    step = torch.exp2((torch.frexp((x / wide).abs())[1] - 1).clamp(min=-6).double() - 3)
    off = (q.double() - x / wide).abs() > 0.5001 * step
    if off.any():
        m, k = off.nonzero()[0].tolist()
        raise AssertionError(
            f"{int(off.sum())} of {x.numel()} numbers are not the nearest E4M3 value of x / scale\n"
            f"    the first   [{m}, {k}], where x = {x[m, k]:.6g} and the scale is {wide[m, k]:.6g}\n"
            f"    expected q  {(x[m, k] / wide[m, k]).float().to(FP8).item():g}\n"
            f"    got         {q[m, k].item():g}, which stands for {q[m, k].item() * wide[m, k]:.6g}"
        )


def ranging(M, K):
    """Rows and blocks of very different size, none of them near zero."""
    size = 10 ** (3 * torch.rand(M, cdiv(K, 128)) - 1)
    return torch.randn(M, K) * size.repeat_interleave(128, 1)[:, :K]


def scales_in(s, s_col, M, K):
    return written("s", s, cdiv(K, 128), M, s_col).T.contiguous()


@case(QUANTISE)
def each_block_has_the_scale_of_its_largest_value(quantise_kernel):
    x = ranging(4, 256)
    _, s, s_col = quantised(quantise_kernel, x, 4)
    same_scales(scales_in(s, s_col, 4, 256), scales_of(x), M=4, K=256, ROWS=4, s_col=s_col)


@case(QUANTISE)
def q_times_the_scale_is_x_to_half_a_step(quantise_kernel):
    x = ranging(4, 256)
    q, s, s_col = quantised(quantise_kernel, x, 2)
    near(x, written("q", q, 4, 256), scales_in(s, s_col, 4, 256))


@case(QUANTISE)
def a_block_of_negative_numbers_and_one_of_zeros(quantise_kernel):
    x = torch.cat([-torch.rand(2, 128) - 1, torch.zeros(2, 128)], 1)
    q, s, s_col = quantised(quantise_kernel, x, 2)
    found = scales_in(s, s_col, 2, 256)
    same_scales(found, scales_of(x), M=2, K=256)
    near(x, written("q", q, 2, 256), found)


@case(QUANTISE)
def the_last_block_and_the_last_rows_may_be_missing_some(quantise_kernel):
    x = ranging(5, 200)
    q, s, s_col = quantised(quantise_kernel, x, 4)
    found = scales_in(s, s_col, 5, 200)
    same_scales(found, scales_of(x), M=5, K=200, ROWS=4, s_col=s_col)
    near(x, written("q", q, 5, 200), found)


@case(QUANTISE)
def rows_of_x_lie_x_row_apart(quantise_kernel):
    x = ranging(4, 128)
    q, s, s_col = quantised(quantise_kernel, x, 4, gap=40)
    near(x, written("q", q, 4, 128), scales_in(s, s_col, 4, 128))


@case(QUANTISE)
def with_UE8M0_scales_are_powers_of_two(quantise_kernel):
    x = ranging(4, 256)
    q, s, s_col = quantised(quantise_kernel, x, 4, ue8m0=True)
    found = scales_in(s, s_col, 4, 256)
    same_scales(found, torch.exp2(torch.log2(scales_of(x)).ceil()), UE8M0=True)
    near(x, written("q", q, 4, 256), found)


@case(QUANTISE)
def nothing_beside_or_behind_is_written(quantise_kernel):
    q, s, s_col = quantised(quantise_kernel, ranging(5, 200), 8)
    nothing_else("q", q, 5, 200)
    nothing_else("s", s, 2, 5, s_col)


@case(QUANTISE)
def half_precision_is_quantised_in_float32(quantise_kernel):
    for dtype in (torch.bfloat16, torch.float16):
        x = ranging(3, 150).to(dtype)
        q, s, s_col = quantised(quantise_kernel, x, 2, gap=6)
        found = scales_in(s, s_col, 3, 150)
        same_scales(found, scales_of(x), M=3, K=150, x=dtype)
        near(x, written("q", q, 3, 150), found)


@case(QUANTISE, held_out=True)
def ragged_slices_with_powers_of_two(quantise_kernel):
    x = ranging(7, 300).bfloat16()
    q, s, s_col = quantised(quantise_kernel, x, 2, gap=11, ue8m0=True)
    found = scales_in(s, s_col, 7, 300)
    same_scales(found, torch.exp2(torch.log2(scales_of(x)).ceil()), UE8M0=True)
    near(x, written("q", q, 7, 300), found)
    nothing_else("q", q, 7, 300)
    nothing_else("s", s, 3, 7, s_col)


@case(QUANTISE, held_out=True)
def a_short_row_and_a_row_of_small_numbers(quantise_kernel):
    x = torch.tensor([[3.0, -5.0, 0.1], [1e-6, -1e-5, 0.0]])
    q, s, s_col = quantised(quantise_kernel, x, 4)
    found = scales_in(s, s_col, 2, 3)
    same_scales(found, scales_of(x), x=x)
    near(x, written("q", q, 2, 3), found)


# -- quantise_weight ---------------------------------------------------------------------------------------------------

WEIGHT = "triton.quantise_weight"
changes(WEIGHT, "q", "s")


def quantised_weight(kernel, w, gap=0, ue8m0=False):
    """Launches the kernel for all blocks -> the memory of q and s."""
    (N, K), grid = w.shape, (cdiv(w.shape[0], 128), cdiv(w.shape[1], 128))
    q, s = unwritten(N * K, FP8), unwritten(grid[0] * grid[1])
    kernel[grid](laid(w, gap), q, s, N, K, K + gap, UE8M0=ue8m0)
    return q, s


def blocks_of(w):
    """[ceil(N/128), ceil(K/128)] scales, in float64."""
    return torch.stack([scales_of(part.abs().amax(0, keepdim=True))[0] for part in w.split(128)])


def near_blocks(w, q, scale):
    near(w, q, scale.repeat_interleave(128, 0)[: w.shape[0]])


@case(WEIGHT)
def one_block_has_one_scale(quantise_weight_kernel):
    w = torch.randn(128, 128)
    w[40] *= 20  # the largest value stands in one row of many
    q, s = quantised_weight(quantise_weight_kernel, w)
    same_scales(written("s", s, 1, 1), blocks_of(w))
    near_blocks(w, written("q", q, 128, 128), written("s", s, 1, 1))


@case(WEIGHT)
def scales_of_several_blocks_lie_row_by_row(quantise_weight_kernel):
    w = ranging(3, 200).repeat_interleave(100, 0) * torch.randn(300, 200)  # 3 blocks by 2, neither side a multiple
    q, s = quantised_weight(quantise_weight_kernel, w)
    same_scales(written("s", s, 3, 2), blocks_of(w), N=300, K=200)
    near_blocks(w, written("q", q, 300, 200), written("s", s, 3, 2))


@case(WEIGHT)
def blocks_at_the_edges_may_be_smaller(quantise_weight_kernel):
    w = torch.randn(40, 150)
    q, s = quantised_weight(quantise_weight_kernel, w)
    same_scales(written("s", s, 1, 2), blocks_of(w), N=40, K=150)
    near_blocks(w, written("q", q, 40, 150), written("s", s, 1, 2))


@case(WEIGHT)
def rows_of_w_lie_w_row_apart(quantise_weight_kernel):
    w = torch.randn(30, 128)
    q, s = quantised_weight(quantise_weight_kernel, w, gap=9)
    same_scales(written("s", s, 1, 1), blocks_of(w), w_row=137, K=128)
    near_blocks(w, written("q", q, 30, 128), written("s", s, 1, 1))


@case(WEIGHT)
def a_block_of_zeros_and_one_of_negative_numbers(quantise_weight_kernel):
    w = torch.cat([torch.zeros(20, 128), -torch.rand(20, 128) - 1], 1)
    q, s = quantised_weight(quantise_weight_kernel, w)
    same_scales(written("s", s, 1, 2), blocks_of(w))
    near_blocks(w, written("q", q, 20, 256), written("s", s, 1, 2))


@case(WEIGHT)
def nothing_behind_q_and_s_is_written(quantise_weight_kernel):
    q, s = quantised_weight(quantise_weight_kernel, torch.randn(20, 150))
    nothing_else("q", q, 20, 150)
    nothing_else("s", s, 1, 2)


@case(WEIGHT)
def with_UE8M0_the_scale_is_a_power_of_two(quantise_weight_kernel):
    w = torch.randn(50, 130)
    q, s = quantised_weight(quantise_weight_kernel, w, ue8m0=True)
    same_scales(written("s", s, 1, 2), torch.exp2(torch.log2(blocks_of(w)).ceil()), UE8M0=True)
    near_blocks(w, written("q", q, 50, 130), written("s", s, 1, 2))


@case(WEIGHT)
def weights_in_bfloat16_are_quantised_in_float32(quantise_weight_kernel):
    w = torch.randn(20, 140).bfloat16()
    q, s = quantised_weight(quantise_weight_kernel, w)
    same_scales(written("s", s, 1, 2), blocks_of(w), w=torch.bfloat16)
    near_blocks(w, written("q", q, 20, 140), written("s", s, 1, 2))


@case(WEIGHT, held_out=True)
def ragged_weights_in_half_precision_with_powers_of_two(quantise_weight_kernel):
    w = (ranging(2, 150).repeat_interleave(70, 0) * torch.randn(140, 150)).half()
    q, s = quantised_weight(quantise_weight_kernel, w, gap=3, ue8m0=True)
    same_scales(written("s", s, 2, 2), torch.exp2(torch.log2(blocks_of(w)).ceil()))
    near_blocks(w, written("q", q, 140, 150), written("s", s, 2, 2))
    nothing_else("q", q, 140, 150)
    nothing_else("s", s, 2, 2)


# -- matmul ------------------------------------------------------------------------------------------------------------

MATMUL = "triton.matmul"
changes(MATMUL, "c")


def multiplied(kernel, a, b, tile, out=torch.float32, turned=(False, False), gaps=(0, 0, 0)):
    """Launches the kernel for every tile of a @ b -> the memory of c. A turned operand lies column by column."""
    (M, K), N, (BM, BN, BK) = a.shape, b.shape[1], tile
    c_row = N + gaps[2]
    c, memory, strides = unwritten(M * c_row, out), [], []
    for x, turn, gap in zip((a, b), turned, gaps):
        memory.append(laid(x.T if turn else x, gap))
        row = (x.shape[0] if turn else x.shape[1]) + gap
        strides += [1, row] if turn else [row, 1]
    kernel[cdiv(M, BM), cdiv(N, BN)](*memory, c, M, N, K, *strides, c_row, BM=BM, BN=BN, BK=BK)
    return c


def product(a, b):
    return (a.double() @ b.double()).float()


@case(MATMUL)
def one_tile_in_one_step(matmul_kernel):
    a, b = torch.randn(16, 16), torch.randn(16, 16)
    expect(written("c", multiplied(matmul_kernel, a, b, (16, 16, 16)), 16, 16), product(a, b), 1e-4, M=16, N=16, K=16)


@case(MATMUL)
def steps_along_K_add_up(matmul_kernel):
    a, b = torch.randn(16, 64), torch.randn(64, 16)
    got = written("c", multiplied(matmul_kernel, a, b, (16, 16, 16)), 16, 16)
    expect(got, product(a, b), 1e-4, M=16, N=16, K=64, BK=16)


@case(MATMUL)
def every_program_writes_its_own_tile(matmul_kernel):
    a, b = torch.randn(48, 16), torch.randn(16, 64)
    got = written("c", multiplied(matmul_kernel, a, b, (16, 32, 16)), 48, 64)
    expect(got, product(a, b), 1e-4, M=48, N=64, BM=16, BN=32)


@case(MATMUL)
def sizes_need_not_be_multiples_of_the_tile(matmul_kernel):
    a, b = torch.randn(21, 27), torch.randn(27, 39)
    got = written("c", multiplied(matmul_kernel, a, b, (16, 32, 16)), 21, 39)
    expect(got, product(a, b), 1e-4, M=21, N=39, K=27, BM=16, BN=32, BK=16)


@case(MATMUL)
def operands_lie_as_their_strides_say(matmul_kernel):
    a, b = torch.randn(16, 32), torch.randn(32, 16)
    for turned, gaps in (((False, True), (3, 5, 0)), ((True, False), (0, 7, 0))):
        got = written("c", multiplied(matmul_kernel, a, b, (16, 16, 16), turned=turned, gaps=gaps), 16, 16)
        expect(got, product(a, b), 1e-4, a_turned=turned[0], b_turned=turned[1])


@case(MATMUL)
def rows_of_c_lie_c_row_apart_and_nothing_else_is_written(matmul_kernel):
    a, b = torch.randn(21, 16), torch.randn(16, 20)
    c = multiplied(matmul_kernel, a, b, (16, 16, 16), gaps=(0, 0, 9))
    nothing_else("c", c, 21, 20, 29)
    expect(written("c", c, 21, 20, 29), product(a, b), 1e-4, N=20, c_row=29)


@case(MATMUL)
def small_steps_are_not_lost_beside_a_large_sum(matmul_kernel):
    a, b = torch.ones(16, 96), torch.full((96, 16), 1 / 16)
    a[:, :16] = 512.0  # the first step gives 512, each of the five others 1
    got = written("c", multiplied(matmul_kernel, a.bfloat16(), b.bfloat16(), (16, 16, 16)), 16, 16)
    expect(got, torch.full((16, 16), 517.0), 1e-6, K=96, BK=16, a="bfloat16", c="float32")


@case(MATMUL)
def half_precision_is_rounded_once(matmul_kernel):
    for dtype in (torch.bfloat16, torch.float16):
        a, b = torch.randn(30, 70).to(dtype), torch.randn(70, 50).to(dtype)
        got = written("c", multiplied(matmul_kernel, a, b, (16, 64, 32), out=dtype), 30, 50)
        mostly(got, product(a, b).to(dtype), f"the float32 sum rounded once to {dtype}")


@case(MATMUL)
def a_single_row_and_a_single_column(matmul_kernel):
    a, b = torch.randn(1, 40), torch.randn(40, 33)
    for x, y in ((a, b), (b.T.contiguous(), a.T.contiguous())):
        c = multiplied(matmul_kernel, x, y, (16, 16, 32))
        expect(written("c", c, len(x), y.shape[1]), product(x, y), 1e-4)
        nothing_else("c", c, len(x), y.shape[1])


@case(MATMUL, held_out=True)
def ragged_and_turned_at_once(matmul_kernel):
    a, b = torch.randn(35, 50), torch.randn(50, 41)
    for turned in ((True, True), (False, True), (True, False)):
        c = multiplied(matmul_kernel, a, b, (32, 16, 16), turned=turned, gaps=(2, 6, 3))
        expect(written("c", c, 35, 41, 44), product(a, b), 1e-4, a_turned=turned[0], b_turned=turned[1])
        nothing_else("c", c, 35, 41, 44)


@case(MATMUL, held_out=True)
def sums_of_half_precision_in_float32(matmul_kernel):
    a, b = torch.randn(20, 90).half(), torch.randn(90, 20).half()
    c = multiplied(matmul_kernel, a, b, (16, 16, 16), out=torch.bfloat16)
    mostly(written("c", c, 20, 20), product(a, b).bfloat16(), "the float32 sum rounded once")


# -- fp8_matmul --------------------------------------------------------------------------------------------------------

SCALED = "triton.fp8_matmul"
changes(SCALED, "c")


def operands(M, N, K, spread=2.0):
    """(a, sa, b, sb): FP8 values of moderate size, and scales that differ by powers of ten."""
    a, b = (torch.randn(rows, K).mul(4).to(FP8) for rows in (M, N))
    sa, sb = (10 ** (spread * torch.rand(rows, cdiv(K, 128)) - spread / 2) for rows in (M, cdiv(N, 128)))
    return a, sa, b, sb


def scaled(kernel, a, sa, b, sb, tile, out=torch.float32, gaps=(0, 0, 0)):
    """Launches the kernel for every tile -> the memory of c. Gaps: between columns of sa, rows of sb, rows of c."""
    (M, K), N, (BM, BN) = a.shape, b.shape[0], tile
    c, c_row = unwritten(M * (N + gaps[2]), out), N + gaps[2]
    kernel[cdiv(M, BM), cdiv(N, BN)](
        laid(a),
        laid(b),
        c,
        laid(sa.T, gaps[0]),
        laid(sb, gaps[1]),
        M,
        N,
        K,
        M + gaps[0],
        sb.shape[1] + gaps[1],
        c_row,
        BM=BM,
        BN=BN,
    )
    return c


def right(c, a, sa, b, sb, stride=None, **given):
    """c is the product of the dequantised operands, to float32's precision."""
    x = a.double() * sa.double().repeat_interleave(128, 1)[:, : a.shape[1]]
    y = b.double() * sb.double().repeat_interleave(128, 1)[:, : b.shape[1]].repeat_interleave(128, 0)[: len(b)]
    got, want, size = written("c", c, len(a), len(b), stride), x @ y.T, x.abs() @ y.abs().T
    step = 1e-6 * size if c.dtype == torch.float32 else 1e-6 * size + 2**-8 * want.abs()
    if ((got.double() - want).abs() > step).any():
        expect(got, want.to(c.dtype), 0.0, **given)


@case(SCALED)
def one_block_with_its_two_scales(fp8_matmul_kernel):
    given = operands(16, 16, 128, 0.0)
    given[1].fill_(0.5), given[3].fill_(3.0)
    right(scaled(fp8_matmul_kernel, *given, (16, 16)), *given, M=16, N=16, K=128, a_scale=0.5, b_scale=3.0)


@case(SCALED)
def each_block_of_128_has_scales_of_its_own(fp8_matmul_kernel):
    given = operands(16, 16, 384)
    given[1][:] = given[1][:1]  # for all rows the same
    right(scaled(fp8_matmul_kernel, *given, (16, 16)), *given, M=16, N=16, K=384, a_scales_of_a_row=given[1][0])


@case(SCALED)
def each_row_of_a_has_scales_of_its_own(fp8_matmul_kernel):
    given = operands(32, 16, 256)
    right(scaled(fp8_matmul_kernel, *given, (16, 16)), *given, M=32, N=16, K=256, a_scales=given[1][:4])


@case(SCALED)
def tiles_find_their_block_of_b_scales(fp8_matmul_kernel):
    given = operands(16, 256, 384)
    right(scaled(fp8_matmul_kernel, *given, (16, 64)), *given, N=256, K=384, BN=64, b_scales=given[3])


@case(SCALED)
def shapes_may_be_ragged(fp8_matmul_kernel):
    given = operands(21, 150, 200)
    right(scaled(fp8_matmul_kernel, *given, (16, 64)), *given, M=21, N=150, K=200, BM=16, BN=64)


@case(SCALED)
def scales_lie_as_their_strides_say(fp8_matmul_kernel):
    given = operands(16, 144, 256)
    right(scaled(fp8_matmul_kernel, *given, (16, 64), gaps=(4, 3, 0)), *given, a_scale_col=20, b_scale_row=5)


@case(SCALED)
def rows_of_c_lie_c_row_apart_and_nothing_behind_is_written(fp8_matmul_kernel):
    given = operands(20, 40, 128)
    c = scaled(fp8_matmul_kernel, *given, (16, 32), gaps=(0, 0, 5))
    nothing_else("c", c, 20, 40, 45)
    right(c, *given, stride=45, N=40, c_row=45)


@case(SCALED)
def a_bfloat16_result_is_rounded_once(fp8_matmul_kernel):
    given = operands(20, 40, 300)
    right(scaled(fp8_matmul_kernel, *given, (32, 32), out=torch.bfloat16), *given, M=20, N=40, K=300, of="bfloat16")


@case(SCALED)
def a_tile_may_be_as_wide_as_a_block(fp8_matmul_kernel):
    given = operands(3, 260, 130, 6.0)
    c = scaled(fp8_matmul_kernel, *given, (16, 128), gaps=(1, 1, 4))
    right(c, *given, stride=264, M=3, N=260, K=130, BN=128)
    nothing_else("c", c, 3, 260, 264)


@case(SCALED, held_out=True)
def other_tiles_of_ragged_operands(fp8_matmul_kernel):
    for M, N, K, tile in ((40, 300, 260, (16, 64)), (1, 129, 100, (16, 32))):
        given = operands(M, N, K)
        c = scaled(fp8_matmul_kernel, *given, tile, out=torch.bfloat16, gaps=(3, 2, 1))
        right(c, *given, stride=N + 1)
        nothing_else("c", c, M, N, N + 1)
