"""triton.swiglu"""
import torch
import triton
import triton.language as tl



@triton.jit
def wrong_1(gate, up, y, M, F, gate_row, up_row, ROWS: tl.constexpr, COLS: tl.constexpr):
    "up is read with the stride of gate: wrong where the two differ"
    m = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)[:, None]
    k = tl.program_id(1) * COLS + tl.arange(0, COLS)[None, :]
    inside = (m < M) & (k < F)
    g = tl.load(gate + m * gate_row + k, inside, 0.0).to(tl.float32)
    u = tl.load(up + m * gate_row + k, inside, 0.0).to(tl.float32)
    tl.store(y + m * F + k, (g * tl.sigmoid(g) * u).to(y.dtype.element_ty), inside)


@triton.jit
def wrong_2(gate, up, y, M, F, gate_row, up_row, ROWS: tl.constexpr, COLS: tl.constexpr):
    "y is written with the stride of gate, not F: wrong for slices"
    m = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)[:, None]
    k = tl.program_id(1) * COLS + tl.arange(0, COLS)[None, :]
    inside = (m < M) & (k < F)
    g = tl.load(gate + m * gate_row + k, inside, 0.0).to(tl.float32)
    u = tl.load(up + m * up_row + k, inside, 0.0).to(tl.float32)
    tl.store(y + m * gate_row + k, (g * tl.sigmoid(g) * u).to(y.dtype.element_ty), inside)


@triton.jit
def wrong_3(gate, up, y, M, F, gate_row, up_row, ROWS: tl.constexpr, COLS: tl.constexpr):
    "only columns are masked: rows beyond M are read and written"
    m = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)[:, None]
    k = tl.program_id(1) * COLS + tl.arange(0, COLS)[None, :]
    inside = (k < F) & (m >= 0)
    g = tl.load(gate + m * gate_row + k, inside, 0.0).to(tl.float32)
    u = tl.load(up + m * up_row + k, inside, 0.0).to(tl.float32)
    tl.store(y + m * F + k, (g * tl.sigmoid(g) * u).to(y.dtype.element_ty), inside)


@triton.jit
def wrong_4(gate, up, y, M, F, gate_row, up_row, ROWS: tl.constexpr, COLS: tl.constexpr):
    "only rows are masked: columns beyond F run into the next row of y"
    m = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)[:, None]
    k = tl.program_id(1) * COLS + tl.arange(0, COLS)[None, :]
    inside = (m < M) & (k >= 0)
    g = tl.load(gate + m * gate_row + k, inside, 0.0).to(tl.float32)
    u = tl.load(up + m * up_row + k, inside, 0.0).to(tl.float32)
    tl.store(y + m * F + k, (g * tl.sigmoid(g) * u).to(y.dtype.element_ty), inside)


@triton.jit
def wrong_5(gate, up, y, M, F, gate_row, up_row, ROWS: tl.constexpr, COLS: tl.constexpr):
    "the mask is one too wide: column F is read and written"
    m = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)[:, None]
    k = tl.program_id(1) * COLS + tl.arange(0, COLS)[None, :]
    inside = (m < M) & (k <= F)
    g = tl.load(gate + m * gate_row + k, inside, 0.0).to(tl.float32)
    u = tl.load(up + m * up_row + k, inside, 0.0).to(tl.float32)
    tl.store(y + m * F + k, (g * tl.sigmoid(g) * u).to(y.dtype.element_ty), inside)


@triton.jit
def wrong_6(gate, up, y, M, F, gate_row, up_row, ROWS: tl.constexpr, COLS: tl.constexpr):
    "silu is rounded to the type of y before the product: twice rounded in half precision"
    m = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)[:, None]
    k = tl.program_id(1) * COLS + tl.arange(0, COLS)[None, :]
    inside = (m < M) & (k < F)
    g = tl.load(gate + m * gate_row + k, inside, 0.0).to(tl.float32)
    u = tl.load(up + m * up_row + k, inside, 0.0).to(tl.float32)
    s = (g * tl.sigmoid(g)).to(y.dtype.element_ty).to(tl.float32)
    tl.store(y + m * F + k, (s * u).to(y.dtype.element_ty), inside)


@triton.jit
def wrong_7(gate, up, y, M, F, gate_row, up_row, ROWS: tl.constexpr, COLS: tl.constexpr):
    "exp(g) / (1 + exp(g)) is NaN for a gate above 88"
    m = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)[:, None]
    k = tl.program_id(1) * COLS + tl.arange(0, COLS)[None, :]
    inside = (m < M) & (k < F)
    g = tl.load(gate + m * gate_row + k, inside, 0.0).to(tl.float32)
    u = tl.load(up + m * up_row + k, inside, 0.0).to(tl.float32)
    e = tl.exp(g)
    tl.store(y + m * F + k, (g * (e / (1 + e)) * u).to(y.dtype.element_ty), inside)


@triton.jit
def wrong_8(gate, up, y, M, F, gate_row, up_row, ROWS: tl.constexpr, COLS: tl.constexpr):
    "silu is taken of up, not of gate"
    m = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)[:, None]
    k = tl.program_id(1) * COLS + tl.arange(0, COLS)[None, :]
    inside = (m < M) & (k < F)
    g = tl.load(gate + m * gate_row + k, inside, 0.0).to(tl.float32)
    u = tl.load(up + m * up_row + k, inside, 0.0).to(tl.float32)
    tl.store(y + m * F + k, (u * tl.sigmoid(u) * g).to(y.dtype.element_ty), inside)


@triton.jit
def wrong_9(gate, up, y, M, F, gate_row, up_row, ROWS: tl.constexpr, COLS: tl.constexpr):
    "loads without a mask: memory behind the tensors is read"
    m = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)[:, None]
    k = tl.program_id(1) * COLS + tl.arange(0, COLS)[None, :]
    inside = (m < M) & (k < F)
    g = tl.load(gate + m * gate_row + k).to(tl.float32)
    u = tl.load(up + m * up_row + k).to(tl.float32)
    tl.store(y + m * F + k, (g * tl.sigmoid(g) * u).to(y.dtype.element_ty), inside)


@triton.jit
def wrong_10(gate, up, y, M, F, gate_row, up_row, ROWS: tl.constexpr, COLS: tl.constexpr):
    "the axes of the grid are taken the other way round"
    m = tl.program_id(1).to(tl.int64) * ROWS + tl.arange(0, ROWS)[:, None]
    k = tl.program_id(0) * COLS + tl.arange(0, COLS)[None, :]
    inside = (m < M) & (k < F)
    g = tl.load(gate + m * gate_row + k, inside, 0.0).to(tl.float32)
    u = tl.load(up + m * up_row + k, inside, 0.0).to(tl.float32)
    tl.store(y + m * F + k, (g * tl.sigmoid(g) * u).to(y.dtype.element_ty), inside)


@triton.jit
def right_1(gate, up, y, M, F, gate_row, up_row, ROWS: tl.constexpr, COLS: tl.constexpr):
    "vectors of rows and columns, g / (1 + exp(-g))"
    row = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)
    col = tl.program_id(1) * COLS + tl.arange(0, COLS)
    mask = (row < M)[:, None] & (col < F)[None, :]
    a = tl.load(gate + row[:, None] * gate_row + col[None, :], mask=mask, other=0.0).to(tl.float32)
    b = tl.load(up + row[:, None] * up_row + col[None, :], mask=mask, other=0.0).to(tl.float32)
    result = a / (1.0 + tl.exp(-a)) * b
    tl.store(y + row[:, None] * F + col[None, :], result.to(y.dtype.element_ty), mask=mask)


@triton.jit
def right_2(gate, up, y, M, F, gate_row, up_row, ROWS: tl.constexpr, COLS: tl.constexpr):
    "a flat tile of ROWS * COLS lanes, divided into rows and columns"
    lane = tl.arange(0, ROWS * COLS)
    m = tl.program_id(0).to(tl.int64) * ROWS + lane // COLS
    k = tl.program_id(1) * COLS + lane % COLS
    ok = (m < M) & (k < F)
    g = tl.load(gate + m * gate_row + k, ok, 0.0).to(tl.float32)
    u = tl.load(up + m * up_row + k, ok, 0.0).to(tl.float32)
    tl.store(y + m * F + k, (u * (tl.sigmoid(g) * g)).to(y.dtype.element_ty), ok)


@triton.jit
def right_3(gate, up, y, M, F, gate_row, up_row, ROWS: tl.constexpr, COLS: tl.constexpr):
    "row by row"
    k = tl.program_id(1) * COLS + tl.arange(0, COLS)
    for i in range(ROWS):
        m = tl.program_id(0).to(tl.int64) * ROWS + i
        inside = (k < F) & (m < M)
        g = tl.load(gate + m * gate_row + k, inside, 0.0).to(tl.float32)
        u = tl.load(up + m * up_row + k, inside, 0.0).to(tl.float32)
        tl.store(y + m * F + k, (g * tl.sigmoid(g) * u).to(y.dtype.element_ty), inside)


@triton.jit
def right_4(gate, up, y, M, F, gate_row, up_row, ROWS: tl.constexpr, COLS: tl.constexpr):
    "pointers moved to the tile first; a sigmoid whose exponential never grows; the store casts by itself"
    m0 = tl.program_id(0).to(tl.int64) * ROWS
    k0 = tl.program_id(1) * COLS
    i = tl.arange(0, ROWS)[:, None]
    j = tl.arange(0, COLS)[None, :]
    inside = (i < M - m0) & (j < F - k0)
    g = tl.load(gate + m0 * gate_row + k0 + i * gate_row + j, inside, 0.0).to(tl.float32)
    u = tl.load(up + m0 * up_row + k0 + i * up_row + j, inside, 0.0).to(tl.float32)
    e = tl.exp(-tl.abs(g))
    s = tl.where(g >= 0, 1 / (1 + e), e / (1 + e))
    tl.store(y + m0 * F + k0 + i * F + j, (g * s * u).to(y.dtype.element_ty), inside)

