"""Chapter 07: plausible mistakes in Triton kernels, and other right ways to write them."""

from minids.course.wrong import alternative, wrong
from minids.kernels.quantise import block_scale
from minids.kernels.runtime import tl, triton

# -- swiglu ------------------------------------------------------------------------------------------------------------

SWIGLU = "triton.swiglu"


@wrong(
    SWIGLU,
    mistake="the mask were missing from the store: lanes beyond the edges write into what lies behind",
    ask="The loads are masked. What do the lanes outside of the matrix do at the end?",
    refused_by="nothing_behind_y_is_written",
)
@triton.jit
def store_without_a_mask(gate, up, y, M, F, gate_row, up_row, ROWS: tl.constexpr, COLS: tl.constexpr):
    m = tl.program_id(0) * ROWS + tl.arange(0, ROWS)[:, None]
    k = tl.program_id(1) * COLS + tl.arange(0, COLS)[None, :]
    inside = (m < M) & (k < F)
    g = tl.load(gate + m * gate_row + k, inside, 0.0).to(tl.float32)
    u = tl.load(up + m * up_row + k, inside, 0.0).to(tl.float32)
    tl.store(y + m * F + k, (g * tl.sigmoid(g) * u).to(y.dtype.element_ty))


@wrong(
    SWIGLU,
    mistake="only the columns were masked, not the rows",
    ask="M is 5 and ROWS is 4. How many rows does the second program of a column have?",
    refused_by="nothing_behind_y_is_written",
)
@triton.jit
def columns_alone_are_masked(gate, up, y, M, F, gate_row, up_row, ROWS: tl.constexpr, COLS: tl.constexpr):
    m = tl.program_id(0) * ROWS + tl.arange(0, ROWS)[:, None]
    k = tl.program_id(1) * COLS + tl.arange(0, COLS)[None, :]
    inside = (m >= 0) & (k < F)
    g = tl.load(gate + m * gate_row + k, inside, 0.0).to(tl.float32)
    u = tl.load(up + m * up_row + k, inside, 0.0).to(tl.float32)
    tl.store(y + m * F + k, (g * tl.sigmoid(g) * u).to(y.dtype.element_ty), inside)


@wrong(
    SWIGLU,
    mistake="the columns were not masked, or not everywhere: the end of a row runs into the next one",
    ask="Which number lies at column F of row 0, if rows follow each other? And of the last row?",
    refused_by="nothing_behind_y_is_written",
)
@triton.jit
def rows_alone_are_masked(gate, up, y, M, F, gate_row, up_row, ROWS: tl.constexpr, COLS: tl.constexpr):
    m = tl.program_id(0) * ROWS + tl.arange(0, ROWS)[:, None]
    k = tl.program_id(1) * COLS + tl.arange(0, COLS)[None, :]
    inside = (m < M) & (k >= 0)
    g = tl.load(gate + m * gate_row + k, inside, 0.0).to(tl.float32)
    u = tl.load(up + m * up_row + k, inside, 0.0).to(tl.float32)
    tl.store(y + m * F + k, (g * tl.sigmoid(g) * u).to(y.dtype.element_ty), inside)


@wrong(
    SWIGLU,
    mistake="rows of up lay as far apart as rows of gate",
    ask="What is up_row for?",
    refused_by="gate_and_up_have_row_strides_of_their_own",
)
@triton.jit
def one_stride_for_both(gate, up, y, M, F, gate_row, up_row, ROWS: tl.constexpr, COLS: tl.constexpr):
    m = tl.program_id(0) * ROWS + tl.arange(0, ROWS)[:, None]
    k = tl.program_id(1) * COLS + tl.arange(0, COLS)[None, :]
    inside = (m < M) & (k < F)
    g = tl.load(gate + m * gate_row + k, inside, 0.0).to(tl.float32)
    u = tl.load(up + m * gate_row + k, inside, 0.0).to(tl.float32)
    tl.store(y + m * F + k, (g * tl.sigmoid(g) * u).to(y.dtype.element_ty), inside)


@wrong(
    SWIGLU,
    mistake="y were laid out like gate, with gaps between its rows",
    ask="How far apart do rows of y lie, as the docstring says?",
    refused_by="gate_and_up_have_row_strides_of_their_own",
)
@triton.jit
def output_with_the_stride_of_gate(gate, up, y, M, F, gate_row, up_row, ROWS: tl.constexpr, COLS: tl.constexpr):
    m = tl.program_id(0) * ROWS + tl.arange(0, ROWS)[:, None]
    k = tl.program_id(1) * COLS + tl.arange(0, COLS)[None, :]
    inside = (m < M) & (k < F)
    g = tl.load(gate + m * gate_row + k, inside, 0.0).to(tl.float32)
    u = tl.load(up + m * up_row + k, inside, 0.0).to(tl.float32)
    tl.store(y + m * gate_row + k, (g * tl.sigmoid(g) * u).to(y.dtype.element_ty), inside)


@wrong(
    SWIGLU,
    mistake="the gate were its sigmoid alone (a GLU, not a SwiGLU)",
    ask="What is silu(gate), written with a sigmoid?",
    refused_by="one_program_computes_silu_of_gate_times_up",
)
@triton.jit
def sigmoid_for_silu(gate, up, y, M, F, gate_row, up_row, ROWS: tl.constexpr, COLS: tl.constexpr):
    m = tl.program_id(0) * ROWS + tl.arange(0, ROWS)[:, None]
    k = tl.program_id(1) * COLS + tl.arange(0, COLS)[None, :]
    inside = (m < M) & (k < F)
    g = tl.load(gate + m * gate_row + k, inside, 0.0).to(tl.float32)
    u = tl.load(up + m * up_row + k, inside, 0.0).to(tl.float32)
    tl.store(y + m * F + k, (tl.sigmoid(g) * u).to(y.dtype.element_ty), inside)


@wrong(
    SWIGLU,
    mistake="silu were taken of up, and gate were the factor",
    ask="Which of the two goes through the sigmoid?",
    refused_by="one_program_computes_silu_of_gate_times_up",
)
@triton.jit
def gate_and_up_exchanged(gate, up, y, M, F, gate_row, up_row, ROWS: tl.constexpr, COLS: tl.constexpr):
    m = tl.program_id(0) * ROWS + tl.arange(0, ROWS)[:, None]
    k = tl.program_id(1) * COLS + tl.arange(0, COLS)[None, :]
    inside = (m < M) & (k < F)
    g = tl.load(gate + m * gate_row + k, inside, 0.0).to(tl.float32)
    u = tl.load(up + m * up_row + k, inside, 0.0).to(tl.float32)
    tl.store(y + m * F + k, (u * tl.sigmoid(u) * g).to(y.dtype.element_ty), inside)


@wrong(
    SWIGLU,
    mistake="the two axes of the grid were exchanged",
    ask="Which axis of the grid counts tiles from top to bottom?",
    refused_by="every_program_has_a_tile_of_its_own",
)
@triton.jit
def axes_of_the_grid_exchanged(gate, up, y, M, F, gate_row, up_row, ROWS: tl.constexpr, COLS: tl.constexpr):
    m = tl.program_id(1) * ROWS + tl.arange(0, ROWS)[:, None]
    k = tl.program_id(0) * COLS + tl.arange(0, COLS)[None, :]
    inside = (m < M) & (k < F)
    g = tl.load(gate + m * gate_row + k, inside, 0.0).to(tl.float32)
    u = tl.load(up + m * up_row + k, inside, 0.0).to(tl.float32)
    tl.store(y + m * F + k, (g * tl.sigmoid(g) * u).to(y.dtype.element_ty), inside)


@wrong(
    SWIGLU,
    mistake="all programs of a row of tiles wrote to the same place, one over the other",
    ask="Does the address that you store to depend on both axes of the grid?",
    refused_by="every_program_has_a_tile_of_its_own",
)
@triton.jit
def stores_overlap(gate, up, y, M, F, gate_row, up_row, ROWS: tl.constexpr, COLS: tl.constexpr):
    m = tl.program_id(0) * ROWS + tl.arange(0, ROWS)[:, None]
    lane = tl.arange(0, COLS)[None, :]
    k = tl.program_id(1) * COLS + lane
    inside = (m < M) & (k < F)
    g = tl.load(gate + m * gate_row + k, inside, 0.0).to(tl.float32)
    u = tl.load(up + m * up_row + k, inside, 0.0).to(tl.float32)
    tl.store(y + m * F + lane, (g * tl.sigmoid(g) * u).to(y.dtype.element_ty), inside)


@wrong(
    SWIGLU,
    mistake="the result of every operation were rounded to the type of the input",
    ask="How often is a number rounded between the load and the store?",
    refused_by="half_precision_is_rounded_once_at_the_end",
)
@triton.jit
def rounded_at_every_step(gate, up, y, M, F, gate_row, up_row, ROWS: tl.constexpr, COLS: tl.constexpr):
    m = tl.program_id(0) * ROWS + tl.arange(0, ROWS)[:, None]
    k = tl.program_id(1) * COLS + tl.arange(0, COLS)[None, :]
    inside = (m < M) & (k < F)
    kind = gate.dtype.element_ty
    g = tl.load(gate + m * gate_row + k, inside, 0.0)
    u = tl.load(up + m * up_row + k, inside, 0.0).to(tl.float32)
    s = (g.to(tl.float32) * tl.sigmoid(g.to(tl.float32)).to(kind).to(tl.float32)).to(kind)
    tl.store(y + m * F + k, (s.to(tl.float32) * u).to(y.dtype.element_ty), inside)


@wrong(
    SWIGLU,
    mistake="the sigmoid were exp(g) / (1 + exp(g)), which is NaN for large gates",
    ask="What is exp(89) as a float32, and what is infinity over infinity?",
    refused_by="large_gates_stay_finite",
)
@triton.jit
def overflows(gate, up, y, M, F, gate_row, up_row, ROWS: tl.constexpr, COLS: tl.constexpr):
    m = tl.program_id(0) * ROWS + tl.arange(0, ROWS)[:, None]
    k = tl.program_id(1) * COLS + tl.arange(0, COLS)[None, :]
    inside = (m < M) & (k < F)
    g = tl.load(gate + m * gate_row + k, inside, 0.0).to(tl.float32)
    u = tl.load(up + m * up_row + k, inside, 0.0).to(tl.float32)
    tl.store(y + m * F + k, (g * (tl.exp(g) / (1 + tl.exp(g))) * u).to(y.dtype.element_ty), inside)


@alternative(SWIGLU)
@triton.jit
def as_the_hints_say(gate, up, y, M, F, gate_row, up_row, ROWS: tl.constexpr, COLS: tl.constexpr):
    m = tl.program_id(0) * ROWS + tl.arange(0, ROWS)[:, None]
    k = tl.program_id(1) * COLS + tl.arange(0, COLS)[None, :]
    inside = (m < M) & (k < F)
    g = tl.load(gate + m * gate_row + k, inside, 0.0).to(tl.float32)
    u = tl.load(up + m * up_row + k, inside, 0.0).to(tl.float32)
    tl.store(y + m * F + k, (g * tl.sigmoid(g) * u).to(y.dtype.element_ty), inside)


@alternative(SWIGLU)
@triton.jit
def with_an_exponential_and_pointers_of_rows(
    gate, up, y, M, F, gate_row, up_row, ROWS: tl.constexpr, COLS: tl.constexpr
):
    rows = (tl.program_id(0) * ROWS + tl.arange(0, ROWS)).to(tl.int64)
    columns = tl.program_id(1) * COLS + tl.arange(0, COLS)
    mask = (rows < M)[:, None] & (columns < F)[None, :]
    g = tl.load((gate + rows * gate_row)[:, None] + columns[None, :], mask=mask, other=0).to(tl.float32)
    u = tl.load((up + rows * up_row)[:, None] + columns[None, :], mask=mask).to(tl.float32)
    tl.store(
        (y + rows * F)[:, None] + columns[None, :],
        g / (1 + tl.exp(-tl.abs(g))) * tl.where(g < 0, tl.exp(-tl.abs(g)), 1.0) * u,
        mask=mask,
    )


@alternative(SWIGLU)
@triton.jit
def row_after_row(gate, up, y, M, F, gate_row, up_row, ROWS: tl.constexpr, COLS: tl.constexpr):
    k = tl.program_id(1) * COLS + tl.arange(0, COLS)
    for row in range(0, ROWS):
        m = tl.program_id(0) * ROWS + row
        here = (k < F) & (m < M)
        g = tl.load(gate + m * gate_row + k, mask=here, other=0.0).to(tl.float32)
        u = tl.load(up + m * up_row + k, mask=here, other=0.0).to(tl.float32)
        tl.store(y + m * F + k, u * (tl.sigmoid(g) * g), mask=here)


# -- rms_norm ----------------------------------------------------------------------------------------------------------

NORM = "triton.rms_norm"


@wrong(
    NORM,
    mistake="the mean were over all COLS lanes, also those that hold no number",
    ask="The row has H numbers and the tile COLS. By which of them is the sum divided?",
    refused_by="rows_shorter_than_COLS_are_not_diluted",
)
@triton.jit
def mean_over_the_padding(
    x, residual, w, y, h, r, M, H, x_row, residual_row, eps, ROWS: tl.constexpr, COLS: tl.constexpr
):
    m = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)
    k = tl.arange(0, COLS)
    inside = (m[:, None] < M) & (k[None, :] < H)
    out = m[:, None] * H + k[None, :]
    v = tl.load(x + m[:, None] * x_row + k[None, :], inside, 0.0).to(tl.float32)
    if residual is not None:
        v += tl.load(residual + m[:, None] * residual_row + k[None, :], inside, 0.0).to(tl.float32)
        rounded = v.to(h.dtype.element_ty)
        tl.store(h + out, rounded, inside)
        v = rounded.to(tl.float32)
    rstd = tl.rsqrt(tl.sum(v * v, 1) / COLS + eps)
    tl.store(r + m, rstd, m < M)
    u = (v * rstd[:, None]).to(y.dtype.element_ty).to(tl.float32)
    weight = tl.load(w + k, k < H, 0.0).to(tl.float32)
    tl.store(y + out, (u * weight[None, :]).to(y.dtype.element_ty), inside)


@wrong(
    NORM,
    mistake="the load were not masked, so that numbers of the next row went into the sum",
    ask="What do lanes H to COLS - 1 hold, and what do they add to the sum of squares?",
    refused_by="rows_shorter_than_COLS_are_not_diluted",
)
@triton.jit
def load_without_a_mask(
    x, residual, w, y, h, r, M, H, x_row, residual_row, eps, ROWS: tl.constexpr, COLS: tl.constexpr
):
    m = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)
    k = tl.arange(0, COLS)
    inside = (m[:, None] < M) & (k[None, :] < H)
    out = m[:, None] * H + k[None, :]
    v = tl.load(x + m[:, None] * x_row + k[None, :]).to(tl.float32)
    if residual is not None:
        v += tl.load(residual + m[:, None] * residual_row + k[None, :]).to(tl.float32)
        rounded = v.to(h.dtype.element_ty)
        tl.store(h + out, rounded, inside)
        v = rounded.to(tl.float32)
    rstd = tl.rsqrt(tl.sum(v * v, 1) / H + eps)
    tl.store(r + m, rstd, m < M)
    u = (v * rstd[:, None]).to(y.dtype.element_ty).to(tl.float32)
    weight = tl.load(w + k, k < H, 0.0).to(tl.float32)
    tl.store(y + out, (u * weight[None, :]).to(y.dtype.element_ty), inside)


@wrong(
    NORM,
    mistake="the stores of y and h were not masked: lanes beyond a row's end write into what lies behind",
    ask="Which of your stores may write to place M * H?",
    refused_by="nothing_behind_the_outputs_is_written",
)
@triton.jit
def stores_without_a_mask(
    x, residual, w, y, h, r, M, H, x_row, residual_row, eps, ROWS: tl.constexpr, COLS: tl.constexpr
):
    m = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)
    k = tl.arange(0, COLS)
    inside = (m[:, None] < M) & (k[None, :] < H)
    out = m[:, None] * H + k[None, :]
    v = tl.load(x + m[:, None] * x_row + k[None, :], inside, 0.0).to(tl.float32)
    if residual is not None:
        v += tl.load(residual + m[:, None] * residual_row + k[None, :], inside, 0.0).to(tl.float32)
        rounded = v.to(h.dtype.element_ty)
        tl.store(h + out, rounded)
        v = rounded.to(tl.float32)
    rstd = tl.rsqrt(tl.sum(v * v, 1) / H + eps)
    tl.store(r + m, rstd, m < M)
    u = (v * rstd[:, None]).to(y.dtype.element_ty).to(tl.float32)
    weight = tl.load(w + k, k < H, 0.0).to(tl.float32)
    tl.store(y + out, (u * weight[None, :]).to(y.dtype.element_ty))


@wrong(
    NORM,
    mistake="r were stored for all ROWS rows of the program, whether they are there or not",
    ask="The tiles are masked. Which store has no tile, but one number a row?",
    refused_by="nothing_behind_the_outputs_is_written",
)
@triton.jit
def r_without_a_mask(x, residual, w, y, h, r, M, H, x_row, residual_row, eps, ROWS: tl.constexpr, COLS: tl.constexpr):
    m = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)
    k = tl.arange(0, COLS)
    inside = (m[:, None] < M) & (k[None, :] < H)
    out = m[:, None] * H + k[None, :]
    v = tl.load(x + m[:, None] * x_row + k[None, :], inside, 0.0).to(tl.float32)
    if residual is not None:
        v += tl.load(residual + m[:, None] * residual_row + k[None, :], inside, 0.0).to(tl.float32)
        rounded = v.to(h.dtype.element_ty)
        tl.store(h + out, rounded, inside)
        v = rounded.to(tl.float32)
    rstd = tl.rsqrt(tl.sum(v * v, 1) / H + eps)
    tl.store(r + m, rstd)
    u = (v * rstd[:, None]).to(y.dtype.element_ty).to(tl.float32)
    weight = tl.load(w + k, k < H, 0.0).to(tl.float32)
    tl.store(y + out, (u * weight[None, :]).to(y.dtype.element_ty), inside)


@wrong(
    NORM,
    mistake="eps were added after the root",
    ask="What is under the root, in the docstring's formula?",
    refused_by="r_keeps_one_over_the_root_with_eps_under_it",
)
@triton.jit
def eps_outside_the_root(
    x, residual, w, y, h, r, M, H, x_row, residual_row, eps, ROWS: tl.constexpr, COLS: tl.constexpr
):
    m = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)
    k = tl.arange(0, COLS)
    inside = (m[:, None] < M) & (k[None, :] < H)
    out = m[:, None] * H + k[None, :]
    v = tl.load(x + m[:, None] * x_row + k[None, :], inside, 0.0).to(tl.float32)
    if residual is not None:
        v += tl.load(residual + m[:, None] * residual_row + k[None, :], inside, 0.0).to(tl.float32)
        rounded = v.to(h.dtype.element_ty)
        tl.store(h + out, rounded, inside)
        v = rounded.to(tl.float32)
    rstd = 1 / (tl.sqrt(tl.sum(v * v, 1) / H) + eps)
    tl.store(r + m, rstd, m < M)
    u = (v * rstd[:, None]).to(y.dtype.element_ty).to(tl.float32)
    weight = tl.load(w + k, k < H, 0.0).to(tl.float32)
    tl.store(y + out, (u * weight[None, :]).to(y.dtype.element_ty), inside)


@wrong(
    NORM,
    mistake="the mean were subtracted first, as in LayerNorm",
    ask="Which of LayerNorm's two statistics does RMSNorm do without?",
    refused_by="each_row_is_divided_by_its_root_mean_square",
)
@triton.jit
def subtracts_the_mean(x, residual, w, y, h, r, M, H, x_row, residual_row, eps, ROWS: tl.constexpr, COLS: tl.constexpr):
    m = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)
    k = tl.arange(0, COLS)
    inside = (m[:, None] < M) & (k[None, :] < H)
    out = m[:, None] * H + k[None, :]
    v = tl.load(x + m[:, None] * x_row + k[None, :], inside, 0.0).to(tl.float32)
    if residual is not None:
        v += tl.load(residual + m[:, None] * residual_row + k[None, :], inside, 0.0).to(tl.float32)
        rounded = v.to(h.dtype.element_ty)
        tl.store(h + out, rounded, inside)
        v = rounded.to(tl.float32)
    v = tl.where(inside, v - (tl.sum(v, 1) / H)[:, None], 0.0)
    rstd = tl.rsqrt(tl.sum(v * v, 1) / H + eps)
    tl.store(r + m, rstd, m < M)
    u = (v * rstd[:, None]).to(y.dtype.element_ty).to(tl.float32)
    weight = tl.load(w + k, k < H, 0.0).to(tl.float32)
    tl.store(y + out, (u * weight[None, :]).to(y.dtype.element_ty), inside)


@wrong(
    NORM,
    mistake="all rows of a program shared one mean",
    ask="Along which axis of the tile [ROWS, COLS] is a sum taken that leaves one number a row?",
    refused_by="each_row_is_divided_by_its_root_mean_square",
)
@triton.jit
def one_mean_for_the_tile(
    x, residual, w, y, h, r, M, H, x_row, residual_row, eps, ROWS: tl.constexpr, COLS: tl.constexpr
):
    m = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)
    k = tl.arange(0, COLS)
    inside = (m[:, None] < M) & (k[None, :] < H)
    out = m[:, None] * H + k[None, :]
    v = tl.load(x + m[:, None] * x_row + k[None, :], inside, 0.0).to(tl.float32)
    if residual is not None:
        v += tl.load(residual + m[:, None] * residual_row + k[None, :], inside, 0.0).to(tl.float32)
        rounded = v.to(h.dtype.element_ty)
        tl.store(h + out, rounded, inside)
        v = rounded.to(tl.float32)
    rstd = tl.rsqrt(tl.sum(tl.sum(v * v, 1), 0) / (H * ROWS) + eps)
    tl.store(r + m, rstd + tl.zeros((ROWS,), tl.float32), m < M)
    u = (v * rstd).to(y.dtype.element_ty).to(tl.float32)
    weight = tl.load(w + k, k < H, 0.0).to(tl.float32)
    tl.store(y + out, (u * weight[None, :]).to(y.dtype.element_ty), inside)


@wrong(
    NORM,
    mistake="rows of the residual lay as far apart as rows of x",
    ask="What is residual_row for?",
    refused_by="x_and_residual_have_row_strides_of_their_own",
)
@triton.jit
def residual_with_the_stride_of_x(
    x, residual, w, y, h, r, M, H, x_row, residual_row, eps, ROWS: tl.constexpr, COLS: tl.constexpr
):
    m = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)
    k = tl.arange(0, COLS)
    inside = (m[:, None] < M) & (k[None, :] < H)
    out = m[:, None] * H + k[None, :]
    v = tl.load(x + m[:, None] * x_row + k[None, :], inside, 0.0).to(tl.float32)
    if residual is not None:
        v += tl.load(residual + m[:, None] * x_row + k[None, :], inside, 0.0).to(tl.float32)
        rounded = v.to(h.dtype.element_ty)
        tl.store(h + out, rounded, inside)
        v = rounded.to(tl.float32)
    rstd = tl.rsqrt(tl.sum(v * v, 1) / H + eps)
    tl.store(r + m, rstd, m < M)
    u = (v * rstd[:, None]).to(y.dtype.element_ty).to(tl.float32)
    weight = tl.load(w + k, k < H, 0.0).to(tl.float32)
    tl.store(y + out, (u * weight[None, :]).to(y.dtype.element_ty), inside)


@wrong(
    NORM,
    mistake="x alone were normed, and the residual came into h only",
    ask="Of which sum are the squares, x or h?",
    refused_by="a_residual_is_added_first_and_the_sum_is_kept",
)
@triton.jit
def residual_beside_the_norm(
    x, residual, w, y, h, r, M, H, x_row, residual_row, eps, ROWS: tl.constexpr, COLS: tl.constexpr
):
    m = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)
    k = tl.arange(0, COLS)
    inside = (m[:, None] < M) & (k[None, :] < H)
    out = m[:, None] * H + k[None, :]
    v = tl.load(x + m[:, None] * x_row + k[None, :], inside, 0.0).to(tl.float32)
    if residual is not None:
        other = tl.load(residual + m[:, None] * residual_row + k[None, :], inside, 0.0).to(tl.float32)
        tl.store(h + out, (v + other).to(h.dtype.element_ty), inside)
    rstd = tl.rsqrt(tl.sum(v * v, 1) / H + eps)
    tl.store(r + m, rstd, m < M)
    u = (v * rstd[:, None]).to(y.dtype.element_ty).to(tl.float32)
    weight = tl.load(w + k, k < H, 0.0).to(tl.float32)
    tl.store(y + out, (u * weight[None, :]).to(y.dtype.element_ty), inside)


@wrong(
    NORM,
    mistake="x * r * w were rounded once, at the end",
    ask="The model rounds twice: where, besides at the end?",
    refused_by="in_bfloat16_the_normed_row_is_rounded_before_the_weight_comes",
)
@triton.jit
def rounded_at_the_end_alone(
    x, residual, w, y, h, r, M, H, x_row, residual_row, eps, ROWS: tl.constexpr, COLS: tl.constexpr
):
    m = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)
    k = tl.arange(0, COLS)
    inside = (m[:, None] < M) & (k[None, :] < H)
    out = m[:, None] * H + k[None, :]
    v = tl.load(x + m[:, None] * x_row + k[None, :], inside, 0.0).to(tl.float32)
    if residual is not None:
        v += tl.load(residual + m[:, None] * residual_row + k[None, :], inside, 0.0).to(tl.float32)
        rounded = v.to(h.dtype.element_ty)
        tl.store(h + out, rounded, inside)
        v = rounded.to(tl.float32)
    rstd = tl.rsqrt(tl.sum(v * v, 1) / H + eps)
    tl.store(r + m, rstd, m < M)
    weight = tl.load(w + k, k < H, 0.0).to(tl.float32)
    tl.store(y + out, (v * rstd[:, None] * weight[None, :]).to(y.dtype.element_ty), inside)


@wrong(
    NORM,
    mistake="h were stored rounded, but normed as it was before",
    ask="Which sum does the next layer see? Is it the one that you have normed?",
    refused_by="in_bfloat16_it_is_the_rounded_sum_that_is_normed",
)
@triton.jit
def sum_normed_before_it_is_rounded(
    x, residual, w, y, h, r, M, H, x_row, residual_row, eps, ROWS: tl.constexpr, COLS: tl.constexpr
):
    m = tl.program_id(0) * ROWS + tl.arange(0, ROWS)
    k = tl.arange(0, COLS)
    inside = (m[:, None] < M) & (k[None, :] < H)
    out = m[:, None] * H + k[None, :]
    v = tl.load(x + m[:, None] * x_row + k[None, :], inside, 0.0).to(tl.float32)
    if residual is not None:
        v += tl.load(residual + m[:, None] * residual_row + k[None, :], inside, 0.0).to(tl.float32)
        tl.store(h + out, v.to(h.dtype.element_ty), inside)
    rstd = tl.rsqrt(tl.sum(v * v, 1) / H + eps)
    tl.store(r + m, rstd, m < M)
    u = (v * rstd[:, None]).to(y.dtype.element_ty).to(tl.float32)
    weight = tl.load(w + k, k < H, 0.0).to(tl.float32)
    tl.store(y + out, (u * weight[None, :]).to(y.dtype.element_ty), inside)


@wrong(
    NORM,
    mistake="r kept the mean of the squares, not one over its root",
    ask="What does the docstring call r?",
    refused_by="r_keeps_one_over_the_root_with_eps_under_it",
)
@triton.jit
def r_is_the_mean_square(
    x, residual, w, y, h, r, M, H, x_row, residual_row, eps, ROWS: tl.constexpr, COLS: tl.constexpr
):
    m = tl.program_id(0) * ROWS + tl.arange(0, ROWS)
    k = tl.arange(0, COLS)
    inside = (m[:, None] < M) & (k[None, :] < H)
    out = m[:, None] * H + k[None, :]
    v = tl.load(x + m[:, None] * x_row + k[None, :], inside, 0.0).to(tl.float32)
    if residual is not None:
        v += tl.load(residual + m[:, None] * residual_row + k[None, :], inside, 0.0).to(tl.float32)
        tl.store(h + out, v.to(h.dtype.element_ty), inside)
        v = v.to(h.dtype.element_ty).to(tl.float32)
    rstd = tl.rsqrt(tl.sum(v * v, 1) / H + eps)
    tl.store(r + m, tl.sum(v * v, 1) / H, m < M)
    u = (v * rstd[:, None]).to(y.dtype.element_ty).to(tl.float32)
    weight = tl.load(w + k, k < H, 0.0).to(tl.float32)
    tl.store(y + out, (u * weight[None, :]).to(y.dtype.element_ty), inside)


@wrong(
    NORM,
    mistake="y and h were laid out like x, with gaps between their rows",
    ask="How far apart do rows of y and h lie, as the docstring says?",
    refused_by="x_and_residual_have_row_strides_of_their_own",
)
@triton.jit
def h_laid_out_like_x(x, residual, w, y, h, r, M, H, x_row, residual_row, eps, ROWS: tl.constexpr, COLS: tl.constexpr):
    m = tl.program_id(0) * ROWS + tl.arange(0, ROWS)
    k = tl.arange(0, COLS)
    inside = (m[:, None] < M) & (k[None, :] < H)
    out = m[:, None] * x_row + k[None, :]
    v = tl.load(x + m[:, None] * x_row + k[None, :], inside, 0.0).to(tl.float32)
    if residual is not None:
        v += tl.load(residual + m[:, None] * residual_row + k[None, :], inside, 0.0).to(tl.float32)
        tl.store(h + out, v.to(h.dtype.element_ty), inside)
        v = v.to(h.dtype.element_ty).to(tl.float32)
    rstd = tl.rsqrt(tl.sum(v * v, 1) / H + eps)
    tl.store(r + m, rstd, m < M)
    u = (v * rstd[:, None]).to(y.dtype.element_ty).to(tl.float32)
    weight = tl.load(w + k, k < H, 0.0).to(tl.float32)
    tl.store(y + out, (u * weight[None, :]).to(y.dtype.element_ty), inside)


@alternative(NORM)
@triton.jit
def as_the_hints_say_it(
    x, residual, w, y, h, r, M, H, x_row, residual_row, eps, ROWS: tl.constexpr, COLS: tl.constexpr
):
    m = tl.program_id(0) * ROWS + tl.arange(0, ROWS)
    k = tl.arange(0, COLS)
    inside = (m[:, None] < M) & (k[None, :] < H)
    out = m[:, None] * H + k[None, :]
    v = tl.load(x + m[:, None] * x_row + k[None, :], inside, 0.0).to(tl.float32)
    if residual is not None:
        v += tl.load(residual + m[:, None] * residual_row + k[None, :], inside, 0.0).to(tl.float32)
        tl.store(h + out, v.to(h.dtype.element_ty), inside)
        v = v.to(h.dtype.element_ty).to(tl.float32)
    rstd = tl.rsqrt(tl.sum(v * v, 1) / H + eps)
    tl.store(r + m, rstd, m < M)
    u = (v * rstd[:, None]).to(y.dtype.element_ty).to(tl.float32)
    weight = tl.load(w + k, k < H, 0.0).to(tl.float32)
    tl.store(y + out, (u * weight[None, :]).to(y.dtype.element_ty), inside)


@alternative(NORM)
@triton.jit
def with_a_square_root_and_keepdims(
    x, residual, w, y, h, r, M, H, x_row, residual_row, eps, ROWS: tl.constexpr, COLS: tl.constexpr
):
    rows = tl.program_id(0) * ROWS + tl.arange(0, ROWS)[:, None]
    columns = tl.arange(0, COLS)[None, :]
    mask = (rows < M) & (columns < H)
    total = tl.load(x + rows * x_row + columns, mask=mask, other=0.0).to(tl.float32)
    if residual is not None:
        total = total + tl.load(residual + rows * residual_row + columns, mask=mask, other=0.0).to(tl.float32)
        tl.store(h + rows * H + columns, total, mask=mask)
        total = total.to(h.dtype.element_ty).to(tl.float32)
    inverse = 1.0 / tl.sqrt(tl.sum(total * total, axis=1, keep_dims=True) / H + eps)
    tl.store(r + rows, inverse, mask=rows < M)
    weight = tl.load(w + columns, mask=columns < H, other=1.0).to(tl.float32)
    tl.store(y + rows * H + columns, (total * inverse).to(y.dtype.element_ty).to(tl.float32) * weight, mask=mask)


@alternative(NORM)
@triton.jit
def one_row_at_a_time(x, residual, w, y, h, r, M, H, x_row, residual_row, eps, ROWS: tl.constexpr, COLS: tl.constexpr):
    k = tl.arange(0, COLS)
    there = k < H
    weight = tl.load(w + k, there, 0.0).to(tl.float32)
    for i in range(0, ROWS):
        m = tl.program_id(0) * ROWS + i
        if m < M:
            v = tl.load(x + m * x_row + k, there, 0.0).to(tl.float32)
            if residual is not None:
                v = v + tl.load(residual + m * residual_row + k, there, 0.0).to(tl.float32)
                tl.store(h + m * H + k, v.to(h.dtype.element_ty), there)
                v = v.to(h.dtype.element_ty).to(tl.float32)
            inverse = tl.rsqrt(tl.sum(v * v, 0) / H + eps)
            tl.store(r + m, inverse)
            u = (v * inverse).to(y.dtype.element_ty).to(tl.float32)
            tl.store(y + m * H + k, (u * weight).to(y.dtype.element_ty), there)


# -- quantise ----------------------------------------------------------------------------------------------------------

QUANTISE = "triton.quantise"
OWN_SCALE = "each_block_has_the_scale_of_its_largest_value"


@wrong(
    QUANTISE,
    mistake="a row had one scale, that of its largest value, for all of its blocks",
    ask="How many scales has a row of 256 numbers?",
    refused_by=OWN_SCALE,
)
@triton.jit
def one_scale_a_row(x, q, s, M, K, x_row, s_col, UE8M0: tl.constexpr, ROWS: tl.constexpr):
    m = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)
    block = tl.program_id(1)
    amax = tl.zeros((ROWS,), tl.float32)
    for other in range(0, tl.num_programs(1)):
        k = other * 128 + tl.arange(0, 128)
        v = tl.load(x + m[:, None] * x_row + k[None, :], (m[:, None] < M) & (k[None, :] < K), 0.0).to(tl.float32)
        amax = tl.maximum(amax, tl.max(tl.abs(v), 1))
    k = block * 128 + tl.arange(0, 128)
    inside = (m[:, None] < M) & (k[None, :] < K)
    v = tl.load(x + m[:, None] * x_row + k[None, :], inside, 0.0).to(tl.float32)
    scale = block_scale(amax, UE8M0)
    y = tl.clamp(v / scale[:, None], -448.0, 448.0)
    tl.store(q + m[:, None] * K + k[None, :], y.to(tl.float8e4nv), inside)
    tl.store(s + block * s_col + m, scale, m < M)


@wrong(
    QUANTISE,
    mistake="all ROWS blocks of a program shared one scale",
    ask="Along which axis of the tile [ROWS, 128] must the maximum be taken?",
    refused_by=OWN_SCALE,
)
@triton.jit
def one_scale_a_program(x, q, s, M, K, x_row, s_col, UE8M0: tl.constexpr, ROWS: tl.constexpr):
    m = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)
    block = tl.program_id(1)
    k = block * 128 + tl.arange(0, 128)
    inside = (m[:, None] < M) & (k[None, :] < K)
    v = tl.load(x + m[:, None] * x_row + k[None, :], inside, 0.0).to(tl.float32)
    scale = block_scale(tl.max(tl.max(tl.abs(v), 1), 0), UE8M0)
    y = tl.clamp(v / scale, -448.0, 448.0)
    tl.store(q + m[:, None] * K + k[None, :], y.to(tl.float8e4nv), inside)
    tl.store(s + block * s_col + m, scale + tl.zeros((ROWS,), tl.float32), m < M)


@wrong(
    QUANTISE,
    mistake="the largest value counted, not the largest absolute value",
    ask="What is the scale of a block whose numbers are all negative?",
    refused_by="a_block_of_negative_numbers_and_one_of_zeros",
)
@triton.jit
def maximum_without_abs(x, q, s, M, K, x_row, s_col, UE8M0: tl.constexpr, ROWS: tl.constexpr):
    m = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)
    block = tl.program_id(1)
    k = block * 128 + tl.arange(0, 128)
    inside = (m[:, None] < M) & (k[None, :] < K)
    v = tl.load(x + m[:, None] * x_row + k[None, :], inside, 0.0).to(tl.float32)
    scale = block_scale(tl.max(v, 1), UE8M0)
    y = tl.clamp(v / scale[:, None], -448.0, 448.0)
    tl.store(q + m[:, None] * K + k[None, :], y.to(tl.float8e4nv), inside)
    tl.store(s + block * s_col + m, scale, m < M)


@wrong(
    QUANTISE,
    mistake="the scale had no floor, so that a block of zeros is divided by zero",
    ask="What is the scale of a block of zeros, and what does block_scale do about it?",
    refused_by="a_block_of_negative_numbers_and_one_of_zeros",
)
@triton.jit
def scale_without_a_floor(x, q, s, M, K, x_row, s_col, UE8M0: tl.constexpr, ROWS: tl.constexpr):
    m = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)
    block = tl.program_id(1)
    k = block * 128 + tl.arange(0, 128)
    inside = (m[:, None] < M) & (k[None, :] < K)
    v = tl.load(x + m[:, None] * x_row + k[None, :], inside, 0.0).to(tl.float32)
    amax = tl.max(tl.abs(v), 1)
    scale = tl.where(amax < 1e-4, amax / 448.0, block_scale(amax, UE8M0))
    y = tl.clamp(v / scale[:, None], -448.0, 448.0, tl.PropagateNan.ALL)
    tl.store(q + m[:, None] * K + k[None, :], y.to(tl.float8e4nv), inside)
    tl.store(s + block * s_col + m, scale, m < M)


@wrong(
    QUANTISE,
    mistake="the numbers were multiplied with their scale",
    ask="A block whose largest value is 1 has the scale 1/448. What should its largest q be?",
    refused_by="q_times_the_scale_is_x_to_half_a_step",
)
@triton.jit
def multiplied_with_the_scale(x, q, s, M, K, x_row, s_col, UE8M0: tl.constexpr, ROWS: tl.constexpr):
    m = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)
    block = tl.program_id(1)
    k = block * 128 + tl.arange(0, 128)
    inside = (m[:, None] < M) & (k[None, :] < K)
    v = tl.load(x + m[:, None] * x_row + k[None, :], inside, 0.0).to(tl.float32)
    scale = block_scale(tl.max(tl.abs(v), 1), UE8M0)
    y = tl.clamp(v * scale[:, None], -448.0, 448.0)
    tl.store(q + m[:, None] * K + k[None, :], y.to(tl.float8e4nv), inside)
    tl.store(s + block * s_col + m, scale, m < M)


@wrong(
    QUANTISE,
    mistake="the factor that x was multiplied with were stored, one over the scale",
    ask="Who reads s computes q * s. What does that give here?",
    refused_by=OWN_SCALE,
)
@triton.jit
def stores_one_over_the_scale(x, q, s, M, K, x_row, s_col, UE8M0: tl.constexpr, ROWS: tl.constexpr):
    m = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)
    block = tl.program_id(1)
    k = block * 128 + tl.arange(0, 128)
    inside = (m[:, None] < M) & (k[None, :] < K)
    v = tl.load(x + m[:, None] * x_row + k[None, :], inside, 0.0).to(tl.float32)
    scale = block_scale(tl.max(tl.abs(v), 1), UE8M0)
    y = tl.clamp(v / scale[:, None], -448.0, 448.0)
    tl.store(q + m[:, None] * K + k[None, :], y.to(tl.float8e4nv), inside)
    tl.store(s + block * s_col + m, 1 / scale, m < M)


@wrong(
    QUANTISE,
    mistake="the load's mask did not know where a row ends: numbers of the next row went into the last block",
    ask="K is 200. Which numbers do lanes 72 to 127 of the second block load?",
    refused_by="the_last_block_and_the_last_rows_may_be_missing_some",
)
@triton.jit
def loads_beyond_the_row(x, q, s, M, K, x_row, s_col, UE8M0: tl.constexpr, ROWS: tl.constexpr):
    m = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)
    block = tl.program_id(1)
    k = block * 128 + tl.arange(0, 128)
    inside = (m[:, None] < M) & (k[None, :] < K)
    v = tl.load(x + m[:, None] * x_row + k[None, :]).to(tl.float32)
    scale = block_scale(tl.max(tl.abs(v), 1), UE8M0)
    y = tl.clamp(v / scale[:, None], -448.0, 448.0)
    tl.store(q + m[:, None] * K + k[None, :], y.to(tl.float8e4nv), inside)
    tl.store(s + block * s_col + m, scale, m < M)


@wrong(
    QUANTISE,
    mistake="the scales' mask were missing: programs write scales of rows that do not exist",
    ask="s has M numbers in a column. How many does a program store?",
    refused_by="nothing_beside_or_behind_is_written",
)
@triton.jit
def scales_without_a_mask(x, q, s, M, K, x_row, s_col, UE8M0: tl.constexpr, ROWS: tl.constexpr):
    m = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)
    block = tl.program_id(1)
    k = block * 128 + tl.arange(0, 128)
    inside = (m[:, None] < M) & (k[None, :] < K)
    v = tl.load(x + m[:, None] * x_row + k[None, :], inside, 0.0).to(tl.float32)
    scale = block_scale(tl.max(tl.abs(v), 1), UE8M0)
    y = tl.clamp(v / scale[:, None], -448.0, 448.0)
    tl.store(q + m[:, None] * K + k[None, :], y.to(tl.float8e4nv), inside)
    tl.store(s + block * s_col + m, scale)


@wrong(
    QUANTISE,
    mistake="scales lay row by row, one row's blocks after the other's",
    ask="What lies between the scales of two rows of the same block, and what between two blocks of the same row?",
    refused_by=OWN_SCALE,
)
@triton.jit
def scales_row_by_row(x, q, s, M, K, x_row, s_col, UE8M0: tl.constexpr, ROWS: tl.constexpr):
    m = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)
    block = tl.program_id(1)
    k = block * 128 + tl.arange(0, 128)
    inside = (m[:, None] < M) & (k[None, :] < K)
    v = tl.load(x + m[:, None] * x_row + k[None, :], inside, 0.0).to(tl.float32)
    scale = block_scale(tl.max(tl.abs(v), 1), UE8M0)
    y = tl.clamp(v / scale[:, None], -448.0, 448.0)
    tl.store(q + m[:, None] * K + k[None, :], y.to(tl.float8e4nv), inside)
    tl.store(s + m * tl.num_programs(1) + block, scale, m < M)


@wrong(
    QUANTISE,
    mistake="rows of x lay K numbers apart, whatever x_row says",
    ask="What is the address of x[1, 0]?",
    refused_by="rows_of_x_lie_x_row_apart",
)
@triton.jit
def x_without_its_stride(x, q, s, M, K, x_row, s_col, UE8M0: tl.constexpr, ROWS: tl.constexpr):
    m = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)
    block = tl.program_id(1)
    k = block * 128 + tl.arange(0, 128)
    inside = (m[:, None] < M) & (k[None, :] < K)
    v = tl.load(x + m[:, None] * K + k[None, :], inside, 0.0).to(tl.float32)
    scale = block_scale(tl.max(tl.abs(v), 1), UE8M0)
    y = tl.clamp(v / scale[:, None], -448.0, 448.0)
    tl.store(q + m[:, None] * K + k[None, :], y.to(tl.float8e4nv), inside)
    tl.store(s + block * s_col + m, scale, m < M)


@wrong(
    QUANTISE,
    mistake="UE8M0 were overlooked, and scales were always amax / 448",
    ask="Which argument of block_scale says what kind of scale is wanted?",
    refused_by="with_UE8M0_scales_are_powers_of_two",
)
@triton.jit
def never_a_power_of_two(x, q, s, M, K, x_row, s_col, UE8M0: tl.constexpr, ROWS: tl.constexpr):
    m = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)
    block = tl.program_id(1)
    k = block * 128 + tl.arange(0, 128)
    inside = (m[:, None] < M) & (k[None, :] < K)
    v = tl.load(x + m[:, None] * x_row + k[None, :], inside, 0.0).to(tl.float32)
    scale = tl.maximum(tl.max(tl.abs(v), 1), 1e-4) / 448.0
    y = tl.clamp(v / scale[:, None], -448.0, 448.0)
    tl.store(q + m[:, None] * K + k[None, :], y.to(tl.float8e4nv), inside)
    tl.store(s + block * s_col + m, scale, m < M)


@wrong(
    QUANTISE,
    mistake="q were laid out like x, with gaps between its rows",
    ask="How far apart do rows of q lie, as the docstring says?",
    refused_by="rows_of_x_lie_x_row_apart",
)
@triton.jit
def q_laid_out_like_x(x, q, s, M, K, x_row, s_col, UE8M0: tl.constexpr, ROWS: tl.constexpr):
    m = tl.program_id(0) * ROWS + tl.arange(0, ROWS)
    block = tl.program_id(1)
    k = block * 128 + tl.arange(0, 128)
    inside = (m[:, None] < M) & (k[None, :] < K)
    v = tl.load(x + m[:, None] * x_row + k[None, :], inside, 0.0).to(tl.float32)
    scale = block_scale(tl.max(tl.abs(v), 1), UE8M0)
    tl.store(q + m[:, None] * x_row + k[None, :], (v / scale[:, None]).to(tl.float8e4nv), inside)
    tl.store(s + block * s_col + m, scale, m < M)


@wrong(
    QUANTISE,
    mistake="the scale were rounded to the type of x",
    ask="How many digits of a scale are left in bfloat16? Which type does the docstring give s?",
    refused_by="half_precision_is_quantised_in_float32",
)
@triton.jit
def scales_in_the_type_of_x(x, q, s, M, K, x_row, s_col, UE8M0: tl.constexpr, ROWS: tl.constexpr):
    m = tl.program_id(0) * ROWS + tl.arange(0, ROWS)
    block = tl.program_id(1)
    k = block * 128 + tl.arange(0, 128)
    inside = (m[:, None] < M) & (k[None, :] < K)
    v = tl.load(x + m[:, None] * x_row + k[None, :], inside, 0.0).to(tl.float32)
    scale = block_scale(tl.max(tl.abs(v), 1), UE8M0).to(x.dtype.element_ty).to(tl.float32)
    tl.store(q + m[:, None] * K + k[None, :], (v / scale[:, None]).to(tl.float8e4nv), inside)
    tl.store(s + block * s_col + m, scale, m < M)


@wrong(
    QUANTISE,
    mistake="columns of scales lay M apart, whatever s_col says",
    ask="What is s_col for?",
    refused_by="each_block_has_the_scale_of_its_largest_value",
)
@triton.jit
def columns_of_scales_M_apart(x, q, s, M, K, x_row, s_col, UE8M0: tl.constexpr, ROWS: tl.constexpr):
    m = tl.program_id(0) * ROWS + tl.arange(0, ROWS)
    block = tl.program_id(1)
    k = block * 128 + tl.arange(0, 128)
    inside = (m[:, None] < M) & (k[None, :] < K)
    v = tl.load(x + m[:, None] * x_row + k[None, :], inside, 0.0).to(tl.float32)
    scale = block_scale(tl.max(tl.abs(v), 1), UE8M0)
    tl.store(q + m[:, None] * K + k[None, :], (v / scale[:, None]).to(tl.float8e4nv), inside)
    tl.store(s + block * M + m, scale, m < M)


@wrong(
    QUANTISE,
    mistake="the quotients were rounded to bfloat16 before they were rounded to FP8",
    ask="How often is a number rounded between the division and q?",
    refused_by="q_times_the_scale_is_x_to_half_a_step",
)
@triton.jit
def quotients_in_bfloat16(x, q, s, M, K, x_row, s_col, UE8M0: tl.constexpr, ROWS: tl.constexpr):
    m = tl.program_id(0) * ROWS + tl.arange(0, ROWS)
    block = tl.program_id(1)
    k = block * 128 + tl.arange(0, 128)
    inside = (m[:, None] < M) & (k[None, :] < K)
    v = tl.load(x + m[:, None] * x_row + k[None, :], inside, 0.0).to(tl.float32)
    scale = block_scale(tl.max(tl.abs(v), 1), UE8M0)
    tl.store(q + m[:, None] * K + k[None, :], (v / scale[:, None]).to(tl.bfloat16).to(tl.float8e4nv), inside)
    tl.store(s + block * s_col + m, scale, m < M)


@alternative(QUANTISE)
@triton.jit
def with_the_hints_alone(x, q, s, M, K, x_row, s_col, UE8M0: tl.constexpr, ROWS: tl.constexpr):
    m = tl.program_id(0) * ROWS + tl.arange(0, ROWS)
    block = tl.program_id(1)
    k = block * 128 + tl.arange(0, 128)
    inside = (m[:, None] < M) & (k[None, :] < K)
    v = tl.load(x + m[:, None] * x_row + k[None, :], inside, 0.0).to(tl.float32)
    scale = block_scale(tl.max(tl.abs(v), 1), UE8M0)
    tl.store(q + m[:, None] * K + k[None, :], (v / scale[:, None]).to(tl.float8e4nv), inside)
    tl.store(s + block * s_col + m, scale, m < M)


@alternative(QUANTISE)
@triton.jit
def the_larger_of_two_extremes(x, q, s, M, K, x_row, s_col, UE8M0: tl.constexpr, ROWS: tl.constexpr):
    m = tl.program_id(0) * ROWS + tl.arange(0, ROWS)
    block = tl.program_id(1)
    k = block * 128 + tl.arange(0, 128)
    inside = (m[:, None] < M) & (k[None, :] < K)
    v = tl.load(x + m[:, None] * x_row + k[None, :], inside, 0.0).to(tl.float32)
    scale = block_scale(tl.maximum(tl.max(v, 1), -tl.min(v, 1)), UE8M0)
    tl.store(q + m[:, None] * K + k[None, :], (v / scale[:, None]).to(tl.float8e4nv), inside)
    tl.store(s + block * s_col + m, scale, m < M)


@alternative(QUANTISE)
@triton.jit
def times_one_over_the_scale_and_no_clamp(x, q, s, M, K, x_row, s_col, UE8M0: tl.constexpr, ROWS: tl.constexpr):
    rows = tl.program_id(0) * ROWS + tl.arange(0, ROWS)[:, None]
    columns = tl.program_id(1) * 128 + tl.arange(0, 128)[None, :]
    mask = (rows < M) & (columns < K)
    v = tl.load(x + rows * x_row + columns, mask=mask, other=0.0).to(tl.float32)
    scale = block_scale(tl.max(tl.abs(v), axis=1, keep_dims=True), UE8M0)
    tl.store(q + rows * K + columns, (v * (1 / scale)).to(tl.float8e4nv), mask=mask)
    tl.store(s + tl.program_id(1) * s_col + rows, scale, mask=rows < M)


@alternative(QUANTISE)
@triton.jit
def block_after_block(x, q, s, M, K, x_row, s_col, UE8M0: tl.constexpr, ROWS: tl.constexpr):
    k = tl.program_id(1) * 128 + tl.arange(0, 128)
    for i in range(0, ROWS):
        m = tl.program_id(0) * ROWS + i
        if m < M:
            v = tl.load(x + m * x_row + k, k < K, 0.0).to(tl.float32)
            largest = tl.maximum(tl.max(v, 0), -tl.min(v, 0))
            scale = block_scale(largest, UE8M0)
            y = tl.minimum(tl.maximum(v / scale, -448.0, tl.PropagateNan.ALL), 448.0, tl.PropagateNan.ALL)
            tl.store(q + m * K + k, y.to(tl.float8e4nv), k < K)
            tl.store(s + tl.program_id(1) * s_col + m, scale)


# -- quantise_weight: a bug to find ------------------------------------------------------------------------------------

WEIGHT = "triton.quantise_weight"


@wrong(
    WEIGHT,
    mistake="each row of a block had a scale of its own, and 128 scales were written to one and the same place",
    ask="How many numbers are in `scale`, and how many places in s does this program have?",
    refused_by="one_block_has_one_scale",
)
@triton.jit
def a_scale_for_each_row(w, q, s, N, K, w_row, UE8M0: tl.constexpr):
    n = tl.program_id(0).to(tl.int64) * 128 + tl.arange(0, 128)
    k = tl.program_id(1) * 128 + tl.arange(0, 128)
    inside = (n[:, None] < N) & (k[None, :] < K)
    v = tl.load(w + n[:, None] * w_row + k[None, :], inside, 0.0).to(tl.float32)
    scale = block_scale(tl.max(tl.abs(v), 1), UE8M0)
    y = tl.clamp(tl.div_rn(v, tl.broadcast_to(scale[:, None], 128, 128)), -448.0, 448.0, tl.PropagateNan.ALL)
    tl.store(q + n[:, None] * K + k[None, :], y.to(tl.float8e4nv), inside)
    place = tl.program_id(0) * tl.num_programs(1) + tl.program_id(1)
    tl.store(s + place + tl.zeros((128,), tl.int32), scale)


@wrong(
    WEIGHT,
    mistake="each column of a block had a scale of its own, and the last one were stored",
    ask="How many numbers are left of a tile [128, 128] after one maximum, and how many are wanted?",
    refused_by="one_block_has_one_scale",
)
@triton.jit
def a_scale_for_each_column(w, q, s, N, K, w_row, UE8M0: tl.constexpr):
    n = tl.program_id(0).to(tl.int64) * 128 + tl.arange(0, 128)
    k = tl.program_id(1) * 128 + tl.arange(0, 128)
    inside = (n[:, None] < N) & (k[None, :] < K)
    v = tl.load(w + n[:, None] * w_row + k[None, :], inside, 0.0).to(tl.float32)
    scale = block_scale(tl.max(tl.abs(v), 0), UE8M0)
    y = tl.clamp(tl.div_rn(v, tl.broadcast_to(scale[None, :], 128, 128)), -448.0, 448.0, tl.PropagateNan.ALL)
    tl.store(q + n[:, None] * K + k[None, :], y.to(tl.float8e4nv), inside)
    place = tl.program_id(0) * tl.num_programs(1) + tl.program_id(1)
    tl.store(s + place + tl.zeros((128,), tl.int32), scale)


@wrong(
    WEIGHT,
    mistake="q were right, but the stored scale were the largest of the first row alone",
    ask="Is the number that you divide by the number that you store?",
    refused_by="one_block_has_one_scale",
)
@triton.jit
def stores_the_first_rows_scale(w, q, s, N, K, w_row, UE8M0: tl.constexpr):
    n = tl.program_id(0).to(tl.int64) * 128 + tl.arange(0, 128)
    k = tl.program_id(1) * 128 + tl.arange(0, 128)
    inside = (n[:, None] < N) & (k[None, :] < K)
    v = tl.load(w + n[:, None] * w_row + k[None, :], inside, 0.0).to(tl.float32)
    rows = tl.max(tl.abs(v), 1)
    scale = block_scale(tl.max(rows, 0), UE8M0)
    y = tl.clamp(tl.div_rn(v, tl.broadcast_to(scale, 128, 128)), -448.0, 448.0, tl.PropagateNan.ALL)
    tl.store(q + n[:, None] * K + k[None, :], y.to(tl.float8e4nv), inside)
    place = tl.program_id(0) * tl.num_programs(1) + tl.program_id(1)
    tl.store(s + place + tl.zeros((128,), tl.int32), block_scale(rows, UE8M0), tl.arange(0, 128) == 0)


@wrong(
    WEIGHT,
    mistake="scales lay column by column, as those of activations do",
    ask="Which index of s runs faster, that of N or that of K?",
    refused_by="scales_of_several_blocks_lie_row_by_row",
)
@triton.jit
def scales_column_by_column(w, q, s, N, K, w_row, UE8M0: tl.constexpr):
    n = tl.program_id(0).to(tl.int64) * 128 + tl.arange(0, 128)
    k = tl.program_id(1) * 128 + tl.arange(0, 128)
    inside = (n[:, None] < N) & (k[None, :] < K)
    v = tl.load(w + n[:, None] * w_row + k[None, :], inside, 0.0).to(tl.float32)
    scale = block_scale(tl.max(tl.max(tl.abs(v), 1), 0), UE8M0)
    y = tl.clamp(tl.div_rn(v, tl.broadcast_to(scale, 128, 128)), -448.0, 448.0, tl.PropagateNan.ALL)
    tl.store(q + n[:, None] * K + k[None, :], y.to(tl.float8e4nv), inside)
    tl.store(s + tl.program_id(1) * tl.num_programs(0) + tl.program_id(0), scale)


@wrong(
    WEIGHT,
    mistake="rows of w lay K numbers apart, whatever w_row says",
    ask="What is the address of w[1, 0]?",
    refused_by="rows_of_w_lie_w_row_apart",
)
@triton.jit
def w_without_its_stride(w, q, s, N, K, w_row, UE8M0: tl.constexpr):
    n = tl.program_id(0).to(tl.int64) * 128 + tl.arange(0, 128)
    k = tl.program_id(1) * 128 + tl.arange(0, 128)
    inside = (n[:, None] < N) & (k[None, :] < K)
    v = tl.load(w + n[:, None] * K + k[None, :], inside, 0.0).to(tl.float32)
    scale = block_scale(tl.max(tl.max(tl.abs(v), 1), 0), UE8M0)
    y = tl.clamp(tl.div_rn(v, tl.broadcast_to(scale, 128, 128)), -448.0, 448.0, tl.PropagateNan.ALL)
    tl.store(q + n[:, None] * K + k[None, :], y.to(tl.float8e4nv), inside)
    tl.store(s + tl.program_id(0) * tl.num_programs(1) + tl.program_id(1), scale)


@wrong(
    WEIGHT,
    mistake="the load were not masked, and what lies beyond the edges counted for the scale",
    ask="Whose numbers are in the tile where it reaches beyond the edge?",
    refused_by="blocks_at_the_edges_may_be_smaller",
)
@triton.jit
def weights_loaded_without_a_mask(w, q, s, N, K, w_row, UE8M0: tl.constexpr):
    n = tl.program_id(0).to(tl.int64) * 128 + tl.arange(0, 128)
    k = tl.program_id(1) * 128 + tl.arange(0, 128)
    inside = (n[:, None] < N) & (k[None, :] < K)
    v = tl.load(w + n[:, None] * w_row + k[None, :]).to(tl.float32)
    scale = block_scale(tl.max(tl.max(tl.abs(v), 1), 0), UE8M0)
    y = tl.clamp(tl.div_rn(v, tl.broadcast_to(scale, 128, 128)), -448.0, 448.0, tl.PropagateNan.ALL)
    tl.store(q + n[:, None] * K + k[None, :], y.to(tl.float8e4nv), inside)
    tl.store(s + tl.program_id(0) * tl.num_programs(1) + tl.program_id(1), scale)


@wrong(
    WEIGHT,
    mistake="the store of q had no mask: what lies behind the matrix is overwritten",
    ask="Which numbers of q do lanes beyond the edges write?",
    refused_by="nothing_behind_q_and_s_is_written",
)
@triton.jit
def weights_stored_without_a_mask(w, q, s, N, K, w_row, UE8M0: tl.constexpr):
    n = tl.program_id(0).to(tl.int64) * 128 + tl.arange(0, 128)
    k = tl.program_id(1) * 128 + tl.arange(0, 128)
    inside = (n[:, None] < N) & (k[None, :] < K)
    v = tl.load(w + n[:, None] * w_row + k[None, :], inside, 0.0).to(tl.float32)
    scale = block_scale(tl.max(tl.max(tl.abs(v), 1), 0), UE8M0)
    y = tl.clamp(tl.div_rn(v, tl.broadcast_to(scale, 128, 128)), -448.0, 448.0, tl.PropagateNan.ALL)
    tl.store(q + n[:, None] * K + k[None, :], y.to(tl.float8e4nv))
    tl.store(s + tl.program_id(0) * tl.num_programs(1) + tl.program_id(1), scale)


@wrong(
    WEIGHT,
    mistake="the largest value counted, not the largest absolute value",
    ask="What is the scale of a block whose numbers are all negative?",
    refused_by="a_block_of_zeros_and_one_of_negative_numbers",
)
@triton.jit
def largest_weight_without_abs(w, q, s, N, K, w_row, UE8M0: tl.constexpr):
    n = tl.program_id(0).to(tl.int64) * 128 + tl.arange(0, 128)
    k = tl.program_id(1) * 128 + tl.arange(0, 128)
    inside = (n[:, None] < N) & (k[None, :] < K)
    v = tl.load(w + n[:, None] * w_row + k[None, :], inside, 0.0).to(tl.float32)
    scale = block_scale(tl.max(tl.max(v, 1), 0), UE8M0)
    y = tl.clamp(tl.div_rn(v, tl.broadcast_to(scale, 128, 128)), -448.0, 448.0, tl.PropagateNan.ALL)
    tl.store(q + n[:, None] * K + k[None, :], y.to(tl.float8e4nv), inside)
    tl.store(s + tl.program_id(0) * tl.num_programs(1) + tl.program_id(1), scale)


@wrong(
    WEIGHT,
    mistake="rows of scales lay K // 128 apart, also where K ends within a block",
    ask="K is 200. How many blocks lie beside each other?",
    refused_by="scales_of_several_blocks_lie_row_by_row",
)
@triton.jit
def whole_blocks_of_a_row_counted(w, q, s, N, K, w_row, UE8M0: tl.constexpr):
    n = tl.program_id(0) * 128 + tl.arange(0, 128)
    k = tl.program_id(1) * 128 + tl.arange(0, 128)
    inside = (n[:, None] < N) & (k[None, :] < K)
    v = tl.load(w + n[:, None] * w_row + k[None, :], inside, 0.0).to(tl.float32)
    scale = block_scale(tl.max(tl.max(tl.abs(v), 1), 0), UE8M0)
    tl.store(q + n[:, None] * K + k[None, :], (v / tl.broadcast_to(scale, 128, 128)).to(tl.float8e4nv), inside)
    tl.store(s + tl.program_id(0) * (K // 128) + tl.program_id(1), scale)


@wrong(
    WEIGHT,
    mistake="UE8M0 were overlooked, and scales were always amax / 448",
    ask="What is UE8M0 handed to?",
    refused_by="with_UE8M0_the_scale_is_a_power_of_two",
)
@triton.jit
def weights_never_a_power_of_two(w, q, s, N, K, w_row, UE8M0: tl.constexpr):
    n = tl.program_id(0) * 128 + tl.arange(0, 128)
    k = tl.program_id(1) * 128 + tl.arange(0, 128)
    inside = (n[:, None] < N) & (k[None, :] < K)
    v = tl.load(w + n[:, None] * w_row + k[None, :], inside, 0.0).to(tl.float32)
    scale = block_scale(tl.max(tl.max(tl.abs(v), 1), 0), False)
    tl.store(q + n[:, None] * K + k[None, :], (v / tl.broadcast_to(scale, 128, 128)).to(tl.float8e4nv), inside)
    tl.store(s + tl.program_id(0) * tl.cdiv(K, 128) + tl.program_id(1), scale)


@wrong(
    WEIGHT,
    mistake="q were laid out like w, with gaps between its rows",
    ask="How far apart do rows of q lie, as the docstring says?",
    refused_by="rows_of_w_lie_w_row_apart",
)
@triton.jit
def q_laid_out_like_w(w, q, s, N, K, w_row, UE8M0: tl.constexpr):
    n = tl.program_id(0) * 128 + tl.arange(0, 128)
    k = tl.program_id(1) * 128 + tl.arange(0, 128)
    inside = (n[:, None] < N) & (k[None, :] < K)
    v = tl.load(w + n[:, None] * w_row + k[None, :], inside, 0.0).to(tl.float32)
    scale = block_scale(tl.max(tl.max(tl.abs(v), 1), 0), UE8M0)
    tl.store(q + n[:, None] * w_row + k[None, :], (v / tl.broadcast_to(scale, 128, 128)).to(tl.float8e4nv), inside)
    tl.store(s + tl.program_id(0) * tl.cdiv(K, 128) + tl.program_id(1), scale)


@wrong(
    WEIGHT,
    mistake="a row of scales were as long as a column of them",
    ask="s has ceil(N / 128) rows. How many scales has each?",
    refused_by="scales_of_several_blocks_lie_row_by_row",
)
@triton.jit
def rows_of_scales_as_long_as_columns(w, q, s, N, K, w_row, UE8M0: tl.constexpr):
    n = tl.program_id(0) * 128 + tl.arange(0, 128)
    k = tl.program_id(1) * 128 + tl.arange(0, 128)
    inside = (n[:, None] < N) & (k[None, :] < K)
    v = tl.load(w + n[:, None] * w_row + k[None, :], inside, 0.0).to(tl.float32)
    scale = block_scale(tl.max(tl.max(tl.abs(v), 1), 0), UE8M0)
    tl.store(q + n[:, None] * K + k[None, :], (v / tl.broadcast_to(scale, 128, 128)).to(tl.float8e4nv), inside)
    tl.store(s + tl.program_id(0) * tl.cdiv(N, 128) + tl.program_id(1), scale)


@alternative(WEIGHT)
@triton.jit
def as_in_the_hint(w, q, s, N, K, w_row, UE8M0: tl.constexpr):
    n = tl.program_id(0) * 128 + tl.arange(0, 128)
    k = tl.program_id(1) * 128 + tl.arange(0, 128)
    inside = (n[:, None] < N) & (k[None, :] < K)
    v = tl.load(w + n[:, None] * w_row + k[None, :], inside, 0.0).to(tl.float32)
    scale = block_scale(tl.max(tl.max(tl.abs(v), 1), 0), UE8M0)
    tl.store(q + n[:, None] * K + k[None, :], (v / tl.broadcast_to(scale, 128, 128)).to(tl.float8e4nv), inside)
    tl.store(s + tl.program_id(0) * tl.cdiv(K, 128) + tl.program_id(1), scale)


@alternative(WEIGHT)
@triton.jit
def scales_of_rows_then_the_largest(w, q, s, N, K, w_row, UE8M0: tl.constexpr):
    rows = tl.program_id(0) * 128 + tl.arange(0, 128)[:, None]
    columns = tl.program_id(1) * 128 + tl.arange(0, 128)[None, :]
    mask = (rows < N) & (columns < K)
    v = tl.load(w + rows * w_row + columns, mask=mask, other=0.0).to(tl.float32)
    scale = tl.max(block_scale(tl.max(tl.abs(v), 1), UE8M0), 0)
    tl.store(q + rows * K + columns, (v / scale).to(tl.float8e4nv), mask=mask)
    tl.store(s + tl.program_id(0) * tl.cdiv(K, 128) + tl.program_id(1), scale)


@alternative(WEIGHT)
@triton.jit
def one_maximum_of_all(w, q, s, N, K, w_row, UE8M0: tl.constexpr):
    n = tl.program_id(0) * 128 + tl.arange(0, 128)
    k = tl.program_id(1) * 128 + tl.arange(0, 128)
    inside = (n[:, None] < N) & (k[None, :] < K)
    v = tl.load(w + n[:, None] * w_row + k[None, :], inside, 0.0).to(tl.float32)
    scale = block_scale(tl.max(tl.abs(v)), UE8M0)
    y = tl.minimum(tl.maximum(v * (1 / scale), -448.0), 448.0)
    tl.store(q + n[:, None] * K + k[None, :], y.to(tl.float8e4nv), inside)
    tl.store(s + tl.program_id(0) * tl.num_programs(1) + tl.program_id(1), scale)


# -- matmul ------------------------------------------------------------------------------------------------------------

MATMUL = "triton.matmul"
LEFT_OVER = "sizes_need_not_be_multiples_of_the_tile"


@wrong(
    MATMUL,
    mistake="K's rest were not masked in both: the last step multiplies what lies behind the rows of a or b",
    ask="K is 27 and BK is 16. What do lanes 11 to 15 of the second step load?",
    refused_by=LEFT_OVER,
)
@triton.jit
def k_without_a_mask(
    a, b, c, M, N, K, a_row, a_col, b_row, b_col, c_row, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr
):
    m = tl.program_id(0) * BM + tl.arange(0, BM)
    n = tl.program_id(1) * BN + tl.arange(0, BN)
    acc = tl.zeros((BM, BN), tl.float32)
    for first in range(0, K, BK):
        k = first + tl.arange(0, BK)
        x = tl.load(a + m[:, None] * a_row + k[None, :] * a_col, m[:, None] < M, 0.0)
        y = tl.load(b + k[:, None] * b_row + n[None, :] * b_col, n[None, :] < N, 0.0)
        acc = tl.dot(x, y, acc)
    tl.store(c + m[:, None] * c_row + n[None, :], acc.to(c.dtype.element_ty), (m[:, None] < M) & (n[None, :] < N))


@wrong(
    MATMUL,
    mistake="the store were not masked: tiles at the edges write beyond the rows of c, and behind it",
    ask="Which lanes of the last tiles belong to no number of c?",
    refused_by="rows_of_c_lie_c_row_apart_and_nothing_else_is_written",
)
@triton.jit
def tile_stored_without_a_mask(
    a, b, c, M, N, K, a_row, a_col, b_row, b_col, c_row, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr
):
    m = tl.program_id(0) * BM + tl.arange(0, BM)
    n = tl.program_id(1) * BN + tl.arange(0, BN)
    acc = tl.zeros((BM, BN), tl.float32)
    for first in range(0, K, BK):
        k = first + tl.arange(0, BK)
        x = tl.load(a + m[:, None] * a_row + k[None, :] * a_col, (m[:, None] < M) & (k[None, :] < K), 0.0)
        y = tl.load(b + k[:, None] * b_row + n[None, :] * b_col, (k[:, None] < K) & (n[None, :] < N), 0.0)
        acc = tl.dot(x, y, acc)
    tl.store(c + m[:, None] * c_row + n[None, :], acc.to(c.dtype.element_ty))


@wrong(
    MATMUL,
    mistake="the rest of K were left out: as many steps were made as fit, and no more",
    ask="How many steps of 16 does it take to see 27 numbers?",
    refused_by=LEFT_OVER,
)
@triton.jit
def whole_steps_alone(
    a, b, c, M, N, K, a_row, a_col, b_row, b_col, c_row, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr
):
    m = tl.program_id(0) * BM + tl.arange(0, BM)
    n = tl.program_id(1) * BN + tl.arange(0, BN)
    acc = tl.zeros((BM, BN), tl.float32)
    for step in range(0, K // BK):
        k = step * BK + tl.arange(0, BK)
        x = tl.load(a + m[:, None] * a_row + k[None, :] * a_col, m[:, None] < M, 0.0)
        y = tl.load(b + k[:, None] * b_row + n[None, :] * b_col, n[None, :] < N, 0.0)
        acc = tl.dot(x, y, acc)
    tl.store(c + m[:, None] * c_row + n[None, :], acc.to(c.dtype.element_ty), (m[:, None] < M) & (n[None, :] < N))


@wrong(
    MATMUL,
    mistake="the sum began anew in every step: only the last one counts",
    ask="What happens to the sum of the first step when the second one is done?",
    refused_by="steps_along_K_add_up",
)
@triton.jit
def last_step_alone(
    a, b, c, M, N, K, a_row, a_col, b_row, b_col, c_row, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr
):
    m = tl.program_id(0) * BM + tl.arange(0, BM)
    n = tl.program_id(1) * BN + tl.arange(0, BN)
    acc = tl.zeros((BM, BN), tl.float32)
    for first in range(0, K, BK):
        k = first + tl.arange(0, BK)
        x = tl.load(a + m[:, None] * a_row + k[None, :] * a_col, (m[:, None] < M) & (k[None, :] < K), 0.0)
        y = tl.load(b + k[:, None] * b_row + n[None, :] * b_col, (k[:, None] < K) & (n[None, :] < N), 0.0)
        acc = tl.dot(x, y)
    tl.store(c + m[:, None] * c_row + n[None, :], acc.to(c.dtype.element_ty), (m[:, None] < M) & (n[None, :] < N))


@wrong(
    MATMUL,
    mistake="the sum were rounded to the type of a after every step",
    ask="In which type does the sum live between two steps?",
    refused_by="small_steps_are_not_lost_beside_a_large_sum",
)
@triton.jit
def sum_in_the_type_of_a(
    a, b, c, M, N, K, a_row, a_col, b_row, b_col, c_row, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr
):
    m = tl.program_id(0) * BM + tl.arange(0, BM)
    n = tl.program_id(1) * BN + tl.arange(0, BN)
    acc = tl.zeros((BM, BN), tl.float32)
    for first in range(0, K, BK):
        k = first + tl.arange(0, BK)
        x = tl.load(a + m[:, None] * a_row + k[None, :] * a_col, (m[:, None] < M) & (k[None, :] < K), 0.0)
        y = tl.load(b + k[:, None] * b_row + n[None, :] * b_col, (k[:, None] < K) & (n[None, :] < N), 0.0)
        acc = tl.dot(x, y, acc).to(a.dtype.element_ty).to(tl.float32)
    tl.store(c + m[:, None] * c_row + n[None, :], acc.to(c.dtype.element_ty), (m[:, None] < M) & (n[None, :] < N))


@wrong(
    MATMUL,
    mistake="the strides of b were exchanged: b is read as if it lay turned",
    ask="Which stride belongs to an index of b that runs along K?",
    refused_by="one_tile_in_one_step",
)
@triton.jit
def strides_of_b_exchanged(
    a, b, c, M, N, K, a_row, a_col, b_row, b_col, c_row, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr
):
    m = tl.program_id(0) * BM + tl.arange(0, BM)
    n = tl.program_id(1) * BN + tl.arange(0, BN)
    acc = tl.zeros((BM, BN), tl.float32)
    for first in range(0, K, BK):
        k = first + tl.arange(0, BK)
        x = tl.load(a + m[:, None] * a_row + k[None, :] * a_col, (m[:, None] < M) & (k[None, :] < K), 0.0)
        y = tl.load(b + k[:, None] * b_col + n[None, :] * b_row, (k[:, None] < K) & (n[None, :] < N), 0.0)
        acc = tl.dot(x, y, acc)
    tl.store(c + m[:, None] * c_row + n[None, :], acc.to(c.dtype.element_ty), (m[:, None] < M) & (n[None, :] < N))


@wrong(
    MATMUL,
    mistake="numbers of a row lay side by side in a and in b, whatever a_col and b_col say",
    ask="What is the address of b[0, 1] when b is a turned weight?",
    refused_by="operands_lie_as_their_strides_say",
)
@triton.jit
def rows_side_by_side(
    a, b, c, M, N, K, a_row, a_col, b_row, b_col, c_row, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr
):
    m = tl.program_id(0) * BM + tl.arange(0, BM)
    n = tl.program_id(1) * BN + tl.arange(0, BN)
    acc = tl.zeros((BM, BN), tl.float32)
    for first in range(0, K, BK):
        k = first + tl.arange(0, BK)
        x = tl.load(a + m[:, None] * a_row + k[None, :], (m[:, None] < M) & (k[None, :] < K), 0.0)
        y = tl.load(b + k[:, None] * b_row + n[None, :], (k[:, None] < K) & (n[None, :] < N), 0.0)
        acc = tl.dot(x, y, acc)
    tl.store(c + m[:, None] * c_row + n[None, :], acc.to(c.dtype.element_ty), (m[:, None] < M) & (n[None, :] < N))


@wrong(
    MATMUL,
    mistake="rows of c lay N numbers apart, whatever c_row says",
    ask="What is c_row for?",
    refused_by="rows_of_c_lie_c_row_apart_and_nothing_else_is_written",
)
@triton.jit
def c_without_its_stride(
    a, b, c, M, N, K, a_row, a_col, b_row, b_col, c_row, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr
):
    m = tl.program_id(0) * BM + tl.arange(0, BM)
    n = tl.program_id(1) * BN + tl.arange(0, BN)
    acc = tl.zeros((BM, BN), tl.float32)
    for first in range(0, K, BK):
        k = first + tl.arange(0, BK)
        x = tl.load(a + m[:, None] * a_row + k[None, :] * a_col, (m[:, None] < M) & (k[None, :] < K), 0.0)
        y = tl.load(b + k[:, None] * b_row + n[None, :] * b_col, (k[:, None] < K) & (n[None, :] < N), 0.0)
        acc = tl.dot(x, y, acc)
    tl.store(c + m[:, None] * N + n[None, :], acc.to(c.dtype.element_ty), (m[:, None] < M) & (n[None, :] < N))


@wrong(
    MATMUL,
    mistake="tiles were BM apart in both directions, so that they overlap where BN is larger",
    ask="How wide is a tile, and how far to the right does the next one begin?",
    refused_by="every_program_writes_its_own_tile",
)
@triton.jit
def tiles_overlap(
    a, b, c, M, N, K, a_row, a_col, b_row, b_col, c_row, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr
):
    m = tl.program_id(0) * BM + tl.arange(0, BM)
    n = tl.program_id(1) * BM + tl.arange(0, BN)
    acc = tl.zeros((BM, BN), tl.float32)
    for first in range(0, K, BK):
        k = first + tl.arange(0, BK)
        x = tl.load(a + m[:, None] * a_row + k[None, :] * a_col, (m[:, None] < M) & (k[None, :] < K), 0.0)
        y = tl.load(b + k[:, None] * b_row + n[None, :] * b_col, (k[:, None] < K) & (n[None, :] < N), 0.0)
        acc = tl.dot(x, y, acc)
    tl.store(c + m[:, None] * c_row + n[None, :], acc.to(c.dtype.element_ty), (m[:, None] < M) & (n[None, :] < N))


@wrong(
    MATMUL,
    mistake="all rows of tiles were stored to the first one's place, each over the one before",
    ask="Does the row that you store to depend on the program?",
    refused_by="every_program_writes_its_own_tile",
)
@triton.jit
def stored_over_each_other(
    a, b, c, M, N, K, a_row, a_col, b_row, b_col, c_row, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr
):
    row = tl.arange(0, BM)
    m = tl.program_id(0) * BM + row
    n = tl.program_id(1) * BN + tl.arange(0, BN)
    acc = tl.zeros((BM, BN), tl.float32)
    for first in range(0, K, BK):
        k = first + tl.arange(0, BK)
        x = tl.load(a + m[:, None] * a_row + k[None, :] * a_col, (m[:, None] < M) & (k[None, :] < K), 0.0)
        y = tl.load(b + k[:, None] * b_row + n[None, :] * b_col, (k[:, None] < K) & (n[None, :] < N), 0.0)
        acc = tl.dot(x, y, acc)
    tl.store(c + row[:, None] * c_row + n[None, :], acc.to(c.dtype.element_ty), (m[:, None] < M) & (n[None, :] < N))


@wrong(
    MATMUL,
    mistake="the sum were rounded to the type of c after every step",
    ask="How often is a number rounded on its way into c?",
    refused_by="half_precision_is_rounded_once",
)
@triton.jit
def sum_in_the_type_of_c(
    a, b, c, M, N, K, a_row, a_col, b_row, b_col, c_row, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr
):
    m = tl.program_id(0) * BM + tl.arange(0, BM)
    n = tl.program_id(1) * BN + tl.arange(0, BN)
    acc = tl.zeros((BM, BN), tl.float32)
    for first in range(0, K, BK):
        k = first + tl.arange(0, BK)
        x = tl.load(a + m[:, None] * a_row + k[None, :] * a_col, (m[:, None] < M) & (k[None, :] < K), 0.0)
        y = tl.load(b + k[:, None] * b_row + n[None, :] * b_col, (k[:, None] < K) & (n[None, :] < N), 0.0)
        acc = tl.dot(x, y, acc).to(c.dtype.element_ty).to(tl.float32)
    tl.store(c + m[:, None] * c_row + n[None, :], acc.to(c.dtype.element_ty), (m[:, None] < M) & (n[None, :] < N))


@wrong(
    MATMUL,
    mistake="the operands were rounded to bfloat16, whatever they are",
    ask="a and b are float32. How many of their 24 bits does your product use?",
    refused_by="one_tile_in_one_step",
)
@triton.jit
def operands_in_bfloat16(
    a, b, c, M, N, K, a_row, a_col, b_row, b_col, c_row, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr
):
    m = tl.program_id(0) * BM + tl.arange(0, BM)
    n = tl.program_id(1) * BN + tl.arange(0, BN)
    acc = tl.zeros((BM, BN), tl.float32)
    for first in range(0, K, BK):
        k = first + tl.arange(0, BK)
        x = tl.load(a + m[:, None] * a_row + k[None, :] * a_col, (m[:, None] < M) & (k[None, :] < K), 0.0)
        y = tl.load(b + k[:, None] * b_row + n[None, :] * b_col, (k[:, None] < K) & (n[None, :] < N), 0.0)
        acc = tl.dot(x.to(tl.bfloat16), y.to(tl.bfloat16), acc)
    tl.store(c + m[:, None] * c_row + n[None, :], acc.to(c.dtype.element_ty), (m[:, None] < M) & (n[None, :] < N))


@alternative(MATMUL)
@triton.jit
def rows_and_columns_wrap_around(
    a, b, c, M, N, K, a_row, a_col, b_row, b_col, c_row, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr
):
    m = tl.program_id(0) * BM + tl.arange(0, BM)
    n = tl.program_id(1) * BN + tl.arange(0, BN)
    acc = tl.zeros((BM, BN), tl.float32)
    for first in range(0, K, BK):
        k = first + tl.arange(0, BK)
        x = tl.load(a + (m % M)[:, None] * a_row + k[None, :] * a_col, k[None, :] < K, 0.0)
        y = tl.load(b + k[:, None] * b_row + (n % N)[None, :] * b_col, k[:, None] < K, 0.0)
        acc = tl.dot(x, y, acc)
    tl.store(c + m[:, None] * c_row + n[None, :], acc.to(c.dtype.element_ty), (m[:, None] < M) & (n[None, :] < N))


@alternative(MATMUL)
@triton.jit
def with_the_hints_and_nothing_else(
    a, b, c, M, N, K, a_row, a_col, b_row, b_col, c_row, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr
):
    m = tl.program_id(0) * BM + tl.arange(0, BM)
    n = tl.program_id(1) * BN + tl.arange(0, BN)
    acc = tl.zeros((BM, BN), tl.float32)
    for first in range(0, K, BK):
        k = first + tl.arange(0, BK)
        x = tl.load(a + m[:, None] * a_row + k[None, :] * a_col, (m[:, None] < M) & (k[None, :] < K), 0.0)
        y = tl.load(b + k[:, None] * b_row + n[None, :] * b_col, (k[:, None] < K) & (n[None, :] < N), 0.0)
        acc = tl.dot(x, y, acc)
    tl.store(c + m[:, None] * c_row + n[None, :], acc.to(c.dtype.element_ty), (m[:, None] < M) & (n[None, :] < N))


@alternative(MATMUL)
@triton.jit
def with_pointers_that_walk(
    a, b, c, M, N, K, a_row, a_col, b_row, b_col, c_row, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr
):
    m = (tl.program_id(0) * BM + tl.arange(0, BM))[:, None]
    n = (tl.program_id(1) * BN + tl.arange(0, BN))[None, :]
    k = tl.arange(0, BK)
    a_at, b_at = a + m * a_row + k[None, :] * a_col, b + k[:, None] * b_row + n * b_col
    acc = tl.zeros((BM, BN), dtype=tl.float32)
    for step in range(0, tl.cdiv(K, BK)):
        left = K - step * BK
        x = tl.load(a_at, mask=(m < M) & (k[None, :] < left), other=0.0)
        y = tl.load(b_at, mask=(k[:, None] < left) & (n < N), other=0.0)
        acc += tl.dot(x, y)
        a_at += BK * a_col
        b_at += BK * b_row
    tl.store(c + m * c_row + n, acc, mask=(m < M) & (n < N))


@alternative(MATMUL)
@triton.jit
def as_a_sum_of_outer_products(
    a, b, c, M, N, K, a_row, a_col, b_row, b_col, c_row, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr
):
    m = tl.program_id(0) * BM + tl.arange(0, BM)
    n = tl.program_id(1) * BN + tl.arange(0, BN)
    acc = tl.zeros((BM, BN), tl.float32)
    for k in range(0, K):
        x = tl.load(a + m * a_row + k * a_col, m < M, 0.0).to(tl.float32)
        y = tl.load(b + k * b_row + n * b_col, n < N, 0.0).to(tl.float32)
        acc += x[:, None] * y[None, :]
    tl.store(c + m[:, None] * c_row + n[None, :], acc.to(c.dtype.element_ty), (m[:, None] < M) & (n[None, :] < N))


# -- fp8_matmul --------------------------------------------------------------------------------------------------------

SCALED = "triton.fp8_matmul"
OWN_SCALES = "each_block_of_128_has_scales_of_its_own"


@wrong(
    SCALED,
    mistake="nothing were promoted: the products of all blocks are summed first, and scaled once at the end",
    ask="Two blocks have different scales. Can their sums be added before they are scaled?",
    refused_by=OWN_SCALES,
)
@triton.jit
def without_promotion(
    a, b, c, a_scales, b_scales, M, N, K, a_scale_col, b_scale_row, c_row, BM: tl.constexpr, BN: tl.constexpr
):
    m = tl.program_id(0).to(tl.int64) * BM + tl.arange(0, BM)
    n = tl.program_id(1).to(tl.int64) * BN + tl.arange(0, BN)
    acc = tl.zeros((BM, BN), tl.float32)
    sa = tl.zeros((BM,), tl.float32)
    sb = 0.0
    for block in range(0, tl.cdiv(K, 128)):
        k = block * 128 + tl.arange(0, 128)
        x = tl.load(a + m[:, None] * K + k[None, :], (m[:, None] < M) & (k[None, :] < K), 0.0)
        y = tl.load(b + n[None, :] * K + k[:, None], (n[None, :] < N) & (k[:, None] < K), 0.0)
        acc = tl.dot(x, y, acc)
        sa = tl.load(a_scales + block * a_scale_col + m, m < M, 0.0)
        sb = tl.load(b_scales + tl.program_id(1) * BN // 128 * b_scale_row + block)
    acc = acc * (sa * sb)[:, None]
    tl.store(c + m[:, None] * c_row + n[None, :], acc.to(c.dtype.element_ty), (m[:, None] < M) & (n[None, :] < N))


@wrong(
    SCALED,
    mistake="the sum so far were scaled again with every block",
    ask="By how many scales is the first block's sum multiplied when the third one is done?",
    refused_by=OWN_SCALES,
)
@triton.jit
def sum_scaled_again(
    a, b, c, a_scales, b_scales, M, N, K, a_scale_col, b_scale_row, c_row, BM: tl.constexpr, BN: tl.constexpr
):
    m = tl.program_id(0).to(tl.int64) * BM + tl.arange(0, BM)
    n = tl.program_id(1).to(tl.int64) * BN + tl.arange(0, BN)
    acc = tl.zeros((BM, BN), tl.float32)
    for block in range(0, tl.cdiv(K, 128)):
        k = block * 128 + tl.arange(0, 128)
        x = tl.load(a + m[:, None] * K + k[None, :], (m[:, None] < M) & (k[None, :] < K), 0.0)
        y = tl.load(b + n[None, :] * K + k[:, None], (n[None, :] < N) & (k[:, None] < K), 0.0)
        sa = tl.load(a_scales + block * a_scale_col + m, m < M, 0.0)
        sb = tl.load(b_scales + tl.program_id(1) * BN // 128 * b_scale_row + block)
        acc = tl.dot(x, y, acc) * (sa * sb)[:, None]
    tl.store(c + m[:, None] * c_row + n[None, :], acc.to(c.dtype.element_ty), (m[:, None] < M) & (n[None, :] < N))


@wrong(
    SCALED,
    mistake="a row of a had one scale, that of its first block",
    ask="Which index of the scales of a follows the walk along K?",
    refused_by=OWN_SCALES,
)
@triton.jit
def one_scale_for_a_row_of_a(
    a, b, c, a_scales, b_scales, M, N, K, a_scale_col, b_scale_row, c_row, BM: tl.constexpr, BN: tl.constexpr
):
    m = tl.program_id(0).to(tl.int64) * BM + tl.arange(0, BM)
    n = tl.program_id(1).to(tl.int64) * BN + tl.arange(0, BN)
    sa = tl.load(a_scales + m, m < M, 0.0)
    acc = tl.zeros((BM, BN), tl.float32)
    for block in range(0, tl.cdiv(K, 128)):
        k = block * 128 + tl.arange(0, 128)
        x = tl.load(a + m[:, None] * K + k[None, :], (m[:, None] < M) & (k[None, :] < K), 0.0)
        y = tl.load(b + n[None, :] * K + k[:, None], (n[None, :] < N) & (k[:, None] < K), 0.0)
        sb = tl.load(b_scales + tl.program_id(1) * BN // 128 * b_scale_row + block)
        acc += tl.dot(x, y) * (sa * sb)[:, None]
    tl.store(c + m[:, None] * c_row + n[None, :], acc.to(c.dtype.element_ty), (m[:, None] < M) & (n[None, :] < N))


@wrong(
    SCALED,
    mistake="the scales of a row were applied to a column",
    ask="products has the shape [BM, BN]. Along which axis do the scales of a lie?",
    refused_by="each_row_of_a_has_scales_of_its_own",
)
@triton.jit
def scales_along_the_wrong_axis(
    a, b, c, a_scales, b_scales, M, N, K, a_scale_col, b_scale_row, c_row, BM: tl.constexpr, BN: tl.constexpr
):
    m = tl.program_id(0).to(tl.int64) * BM + tl.arange(0, BM)
    n = tl.program_id(1).to(tl.int64) * BN + tl.arange(0, BN)
    turned = tl.program_id(0) * BM + tl.arange(0, BN)
    acc = tl.zeros((BM, BN), tl.float32)
    for block in range(0, tl.cdiv(K, 128)):
        k = block * 128 + tl.arange(0, 128)
        x = tl.load(a + m[:, None] * K + k[None, :], (m[:, None] < M) & (k[None, :] < K), 0.0)
        y = tl.load(b + n[None, :] * K + k[:, None], (n[None, :] < N) & (k[:, None] < K), 0.0)
        sa = tl.load(a_scales + block * a_scale_col + turned, turned < M, 0.0)
        sb = tl.load(b_scales + tl.program_id(1) * BN // 128 * b_scale_row + block)
        acc += tl.dot(x, y) * (sa * sb)[None, :]
    tl.store(c + m[:, None] * c_row + n[None, :], acc.to(c.dtype.element_ty), (m[:, None] < M) & (n[None, :] < N))


@wrong(
    SCALED,
    mistake="every column of tiles had a row of scales of its own, however narrow the tiles are",
    ask="BN is 64. Which row of the scales of b do the columns 64 to 127 have?",
    refused_by="tiles_find_their_block_of_b_scales",
)
@triton.jit
def a_row_of_scales_for_every_tile(
    a, b, c, a_scales, b_scales, M, N, K, a_scale_col, b_scale_row, c_row, BM: tl.constexpr, BN: tl.constexpr
):
    m = tl.program_id(0).to(tl.int64) * BM + tl.arange(0, BM)
    n = tl.program_id(1).to(tl.int64) * BN + tl.arange(0, BN)
    acc = tl.zeros((BM, BN), tl.float32)
    for block in range(0, tl.cdiv(K, 128)):
        k = block * 128 + tl.arange(0, 128)
        x = tl.load(a + m[:, None] * K + k[None, :], (m[:, None] < M) & (k[None, :] < K), 0.0)
        y = tl.load(b + n[None, :] * K + k[:, None], (n[None, :] < N) & (k[:, None] < K), 0.0)
        sa = tl.load(a_scales + block * a_scale_col + m, m < M, 0.0)
        sb = tl.load(b_scales + tl.program_id(1) * b_scale_row + block)
        acc += tl.dot(x, y) * (sa * sb)[:, None]
    tl.store(c + m[:, None] * c_row + n[None, :], acc.to(c.dtype.element_ty), (m[:, None] < M) & (n[None, :] < N))


@wrong(
    SCALED,
    mistake="the first block of columns had the scales of all the others",
    ask="Where does the number of the column come into the address of b's scale?",
    refused_by="tiles_find_their_block_of_b_scales",
)
@triton.jit
def first_row_of_b_scales(
    a, b, c, a_scales, b_scales, M, N, K, a_scale_col, b_scale_row, c_row, BM: tl.constexpr, BN: tl.constexpr
):
    m = tl.program_id(0).to(tl.int64) * BM + tl.arange(0, BM)
    n = tl.program_id(1).to(tl.int64) * BN + tl.arange(0, BN)
    acc = tl.zeros((BM, BN), tl.float32)
    for block in range(0, tl.cdiv(K, 128)):
        k = block * 128 + tl.arange(0, 128)
        x = tl.load(a + m[:, None] * K + k[None, :], (m[:, None] < M) & (k[None, :] < K), 0.0)
        y = tl.load(b + n[None, :] * K + k[:, None], (n[None, :] < N) & (k[:, None] < K), 0.0)
        sa = tl.load(a_scales + block * a_scale_col + m, m < M, 0.0)
        sb = tl.load(b_scales + block)
        acc += tl.dot(x, y) * (sa * sb)[:, None]
    tl.store(c + m[:, None] * c_row + n[None, :], acc.to(c.dtype.element_ty), (m[:, None] < M) & (n[None, :] < N))


@wrong(
    SCALED,
    mistake="the scales of a lay row by row, as those of b do",
    ask="How far apart are the scales of two neighbouring rows of a?",
    refused_by=OWN_SCALES,
)
@triton.jit
def a_scales_row_by_row(
    a, b, c, a_scales, b_scales, M, N, K, a_scale_col, b_scale_row, c_row, BM: tl.constexpr, BN: tl.constexpr
):
    m = tl.program_id(0).to(tl.int64) * BM + tl.arange(0, BM)
    n = tl.program_id(1).to(tl.int64) * BN + tl.arange(0, BN)
    acc = tl.zeros((BM, BN), tl.float32)
    for block in range(0, tl.cdiv(K, 128)):
        k = block * 128 + tl.arange(0, 128)
        x = tl.load(a + m[:, None] * K + k[None, :], (m[:, None] < M) & (k[None, :] < K), 0.0)
        y = tl.load(b + n[None, :] * K + k[:, None], (n[None, :] < N) & (k[:, None] < K), 0.0)
        sa = tl.load(a_scales + m * tl.cdiv(K, 128) + block, m < M, 0.0)
        sb = tl.load(b_scales + tl.program_id(1) * BN // 128 * b_scale_row + block)
        acc += tl.dot(x, y) * (sa * sb)[:, None]
    tl.store(c + m[:, None] * c_row + n[None, :], acc.to(c.dtype.element_ty), (m[:, None] < M) & (n[None, :] < N))


@wrong(
    SCALED,
    mistake="K's rest were not masked: the last block multiplies what lies behind the rows",
    ask="K is 200. What do lanes 72 to 127 of the second block load?",
    refused_by="shapes_may_be_ragged",
)
@triton.jit
def rest_of_k_without_a_mask(
    a, b, c, a_scales, b_scales, M, N, K, a_scale_col, b_scale_row, c_row, BM: tl.constexpr, BN: tl.constexpr
):
    m = tl.program_id(0).to(tl.int64) * BM + tl.arange(0, BM)
    n = tl.program_id(1).to(tl.int64) * BN + tl.arange(0, BN)
    acc = tl.zeros((BM, BN), tl.float32)
    for block in range(0, tl.cdiv(K, 128)):
        k = block * 128 + tl.arange(0, 128)
        x = tl.load(a + m[:, None] * K + k[None, :], m[:, None] < M, 0.0)
        y = tl.load(b + n[None, :] * K + k[:, None], n[None, :] < N, 0.0)
        sa = tl.load(a_scales + block * a_scale_col + m, m < M, 0.0)
        sb = tl.load(b_scales + tl.program_id(1) * BN // 128 * b_scale_row + block)
        acc += tl.dot(x, y) * (sa * sb)[:, None]
    tl.store(c + m[:, None] * c_row + n[None, :], acc.to(c.dtype.element_ty), (m[:, None] < M) & (n[None, :] < N))


@wrong(
    SCALED,
    mistake="b were read as [K, N], row by row along N",
    ask="Which of its two indices runs fastest in b's memory?",
    refused_by="one_block_with_its_two_scales",
)
@triton.jit
def b_is_not_turned(
    a, b, c, a_scales, b_scales, M, N, K, a_scale_col, b_scale_row, c_row, BM: tl.constexpr, BN: tl.constexpr
):
    m = tl.program_id(0).to(tl.int64) * BM + tl.arange(0, BM)
    n = tl.program_id(1).to(tl.int64) * BN + tl.arange(0, BN)
    acc = tl.zeros((BM, BN), tl.float32)
    for block in range(0, tl.cdiv(K, 128)):
        k = block * 128 + tl.arange(0, 128)
        x = tl.load(a + m[:, None] * K + k[None, :], (m[:, None] < M) & (k[None, :] < K), 0.0)
        y = tl.load(b + k[:, None] * N + n[None, :], (n[None, :] < N) & (k[:, None] < K), 0.0)
        sa = tl.load(a_scales + block * a_scale_col + m, m < M, 0.0)
        sb = tl.load(b_scales + tl.program_id(1) * BN // 128 * b_scale_row + block)
        acc += tl.dot(x, y) * (sa * sb)[:, None]
    tl.store(c + m[:, None] * c_row + n[None, :], acc.to(c.dtype.element_ty), (m[:, None] < M) & (n[None, :] < N))


@wrong(
    SCALED,
    mistake="the store were not masked: tiles at the edges write beyond the rows of c, and behind it",
    ask="Which lanes of the last tiles belong to no number of c?",
    refused_by="rows_of_c_lie_c_row_apart_and_nothing_behind_is_written",
)
@triton.jit
def scaled_tile_stored_without_a_mask(
    a, b, c, a_scales, b_scales, M, N, K, a_scale_col, b_scale_row, c_row, BM: tl.constexpr, BN: tl.constexpr
):
    m = tl.program_id(0).to(tl.int64) * BM + tl.arange(0, BM)
    n = tl.program_id(1).to(tl.int64) * BN + tl.arange(0, BN)
    acc = tl.zeros((BM, BN), tl.float32)
    for block in range(0, tl.cdiv(K, 128)):
        k = block * 128 + tl.arange(0, 128)
        x = tl.load(a + m[:, None] * K + k[None, :], (m[:, None] < M) & (k[None, :] < K), 0.0)
        y = tl.load(b + n[None, :] * K + k[:, None], (n[None, :] < N) & (k[:, None] < K), 0.0)
        sa = tl.load(a_scales + block * a_scale_col + m, m < M, 0.0)
        sb = tl.load(b_scales + tl.program_id(1) * BN // 128 * b_scale_row + block)
        acc += tl.dot(x, y) * (sa * sb)[:, None]
    tl.store(c + m[:, None] * c_row + n[None, :], acc.to(c.dtype.element_ty))


@wrong(
    SCALED,
    mistake="what is left of K beyond whole blocks of 128 were left out",
    ask="K is 200. How many steps does your loop make?",
    refused_by="shapes_may_be_ragged",
)
@triton.jit
def whole_blocks_alone(
    a, b, c, a_scales, b_scales, M, N, K, a_scale_col, b_scale_row, c_row, BM: tl.constexpr, BN: tl.constexpr
):
    m = tl.program_id(0) * BM + tl.arange(0, BM)
    n = tl.program_id(1) * BN + tl.arange(0, BN)
    acc = tl.zeros((BM, BN), tl.float32)
    for block in range(0, K // 128):
        k = block * 128 + tl.arange(0, 128)
        x = tl.load(a + m[:, None] * K + k[None, :], (m[:, None] < M) & (k[None, :] < K), 0.0)
        y = tl.load(b + n[None, :] * K + k[:, None], (n[None, :] < N) & (k[:, None] < K), 0.0)
        products = tl.dot(x, y)
        sa = tl.load(a_scales + block * a_scale_col + m, m < M, 0.0)
        sb = tl.load(b_scales + tl.program_id(1) * BN // 128 * b_scale_row + block)
        acc += products * (sa * sb)[:, None]
    tl.store(c + m[:, None] * c_row + n[None, :], acc.to(c.dtype.element_ty), (m[:, None] < M) & (n[None, :] < N))


@wrong(
    SCALED,
    mistake="the two indices of the scales of b were exchanged",
    ask="Which of the two axes of b's scales follows the walk along K?",
    refused_by="each_block_of_128_has_scales_of_its_own",
)
@triton.jit
def scales_of_b_exchanged(
    a, b, c, a_scales, b_scales, M, N, K, a_scale_col, b_scale_row, c_row, BM: tl.constexpr, BN: tl.constexpr
):
    m = tl.program_id(0) * BM + tl.arange(0, BM)
    n = tl.program_id(1) * BN + tl.arange(0, BN)
    acc = tl.zeros((BM, BN), tl.float32)
    for block in range(0, tl.cdiv(K, 128)):
        k = block * 128 + tl.arange(0, 128)
        x = tl.load(a + m[:, None] * K + k[None, :], (m[:, None] < M) & (k[None, :] < K), 0.0)
        y = tl.load(b + n[None, :] * K + k[:, None], (n[None, :] < N) & (k[:, None] < K), 0.0)
        products = tl.dot(x, y)
        sa = tl.load(a_scales + block * a_scale_col + m, m < M, 0.0)
        sb = tl.load(b_scales + block * b_scale_row + tl.program_id(1) * BN // 128)
        acc += products * (sa * sb)[:, None]
    tl.store(c + m[:, None] * c_row + n[None, :], acc.to(c.dtype.element_ty), (m[:, None] < M) & (n[None, :] < N))


@wrong(
    SCALED,
    mistake="rows of c lay N numbers apart, whatever c_row says",
    ask="What is c_row for?",
    refused_by="rows_of_c_lie_c_row_apart_and_nothing_behind_is_written",
)
@triton.jit
def rows_of_c_N_apart(
    a, b, c, a_scales, b_scales, M, N, K, a_scale_col, b_scale_row, c_row, BM: tl.constexpr, BN: tl.constexpr
):
    m = tl.program_id(0) * BM + tl.arange(0, BM)
    n = tl.program_id(1) * BN + tl.arange(0, BN)
    acc = tl.zeros((BM, BN), tl.float32)
    for block in range(0, tl.cdiv(K, 128)):
        k = block * 128 + tl.arange(0, 128)
        x = tl.load(a + m[:, None] * K + k[None, :], (m[:, None] < M) & (k[None, :] < K), 0.0)
        y = tl.load(b + n[None, :] * K + k[:, None], (n[None, :] < N) & (k[:, None] < K), 0.0)
        products = tl.dot(x, y)
        sa = tl.load(a_scales + block * a_scale_col + m, m < M, 0.0)
        sb = tl.load(b_scales + tl.program_id(1) * BN // 128 * b_scale_row + block)
        acc += products * (sa * sb)[:, None]
    tl.store(c + m[:, None] * N + n[None, :], acc.to(c.dtype.element_ty), (m[:, None] < M) & (n[None, :] < N))


@wrong(
    SCALED,
    mistake="the scales of a were loaded for all BM rows of a tile, also of rows that do not exist",
    ask="M is 21 and BM is 16. Which scales does the last row of the second tile load?",
    refused_by="shapes_may_be_ragged",
)
@triton.jit
def scales_loaded_without_a_mask(
    a, b, c, a_scales, b_scales, M, N, K, a_scale_col, b_scale_row, c_row, BM: tl.constexpr, BN: tl.constexpr
):
    m = tl.program_id(0) * BM + tl.arange(0, BM)
    n = tl.program_id(1) * BN + tl.arange(0, BN)
    acc = tl.zeros((BM, BN), tl.float32)
    for block in range(0, tl.cdiv(K, 128)):
        k = block * 128 + tl.arange(0, 128)
        x = tl.load(a + m[:, None] * K + k[None, :], (m[:, None] < M) & (k[None, :] < K), 0.0)
        y = tl.load(b + n[None, :] * K + k[:, None], (n[None, :] < N) & (k[:, None] < K), 0.0)
        products = tl.dot(x, y)
        sa = tl.load(a_scales + block * a_scale_col + m)
        sb = tl.load(b_scales + tl.program_id(1) * BN // 128 * b_scale_row + block)
        acc += products * (sa * sb)[:, None]
    tl.store(c + m[:, None] * c_row + n[None, :], acc.to(c.dtype.element_ty), (m[:, None] < M) & (n[None, :] < N))


@alternative(SCALED)
@triton.jit
def as_the_hints_have_it(
    a, b, c, a_scales, b_scales, M, N, K, a_scale_col, b_scale_row, c_row, BM: tl.constexpr, BN: tl.constexpr
):
    m = tl.program_id(0) * BM + tl.arange(0, BM)
    n = tl.program_id(1) * BN + tl.arange(0, BN)
    acc = tl.zeros((BM, BN), tl.float32)
    for block in range(0, tl.cdiv(K, 128)):
        k = block * 128 + tl.arange(0, 128)
        x = tl.load(a + m[:, None] * K + k[None, :], (m[:, None] < M) & (k[None, :] < K), 0.0)
        y = tl.load(b + n[None, :] * K + k[:, None], (n[None, :] < N) & (k[:, None] < K), 0.0)
        products = tl.dot(x, y)
        sa = tl.load(a_scales + block * a_scale_col + m, m < M, 0.0)
        sb = tl.load(b_scales + tl.program_id(1) * BN // 128 * b_scale_row + block)
        acc += products * (sa * sb)[:, None]
    tl.store(c + m[:, None] * c_row + n[None, :], acc.to(c.dtype.element_ty), (m[:, None] < M) & (n[None, :] < N))


@alternative(SCALED)
@triton.jit
def dequantised_before_the_product(
    a, b, c, a_scales, b_scales, M, N, K, a_scale_col, b_scale_row, c_row, BM: tl.constexpr, BN: tl.constexpr
):
    rows = (tl.program_id(0) * BM + tl.arange(0, BM))[:, None]
    columns = (tl.program_id(1) * BN + tl.arange(0, BN))[None, :]
    acc = tl.zeros((BM, BN), tl.float32)
    for first in range(0, K, 128):
        k = first + tl.arange(0, 128)
        x = tl.load(a + rows * K + k[None, :], mask=(rows < M) & (k[None, :] < K), other=0.0).to(tl.float32)
        y = tl.load(b + columns * K + k[:, None], mask=(columns < N) & (k[:, None] < K), other=0.0).to(tl.float32)
        sa = tl.load(a_scales + first // 128 * a_scale_col + rows, mask=rows < M, other=0.0)
        sb = tl.load(b_scales + columns // 128 * b_scale_row + first // 128, mask=columns < N, other=0.0)
        acc += tl.dot(x * sa, y * sb, input_precision="ieee")
    tl.store(c + rows * c_row + columns, acc, mask=(rows < M) & (columns < N))


@alternative(SCALED)
@triton.jit
def with_b_loaded_as_it_lies(
    a, b, c, a_scales, b_scales, M, N, K, a_scale_col, b_scale_row, c_row, BM: tl.constexpr, BN: tl.constexpr
):
    m = tl.program_id(0) * BM + tl.arange(0, BM)
    n = tl.program_id(1) * BN + tl.arange(0, BN)
    k = tl.arange(0, 128)
    acc = tl.zeros((BM, BN), tl.float32)
    for block in range(0, tl.cdiv(K, 128)):
        there = block * 128 + k < K
        x = tl.load(a + m[:, None] * K + block * 128 + k[None, :], (m < M)[:, None] & there[None, :], 0.0)
        y = tl.load(b + n[:, None] * K + block * 128 + k[None, :], (n < N)[:, None] & there[None, :], 0.0)
        sb = tl.load(b_scales + n // 128 * b_scale_row + block, n < N, 0.0)
        sa = tl.load(a_scales + block * a_scale_col + m, m < M, 0.0)
        acc = acc + tl.dot(x, tl.trans(y)) * sa[:, None] * sb[None, :]
    tl.store(c + m[:, None] * c_row + n[None, :], acc.to(c.dtype.element_ty), (m < M)[:, None] & (n < N)[None, :])
