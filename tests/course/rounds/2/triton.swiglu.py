"""triton.swiglu"""
from minids.kernels.runtime import tl, triton



@triton.jit
def wrong_1(gate, up, y, M, F, gate_row, up_row, ROWS: tl.constexpr, COLS: tl.constexpr):
    "no mask along rows: writes behind the last row where ROWS does not divide M"
    m = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)[:, None]
    k = tl.program_id(1) * COLS + tl.arange(0, COLS)[None, :]
    inside = (k < F) & (m >= 0)
    g = tl.load(gate + m * gate_row + k, inside, 0.0).to(tl.float32)
    u = tl.load(up + m * up_row + k, inside, 0.0).to(tl.float32)
    tl.store(y + m * F + k, (g * tl.sigmoid(g) * u).to(y.dtype.element_ty), inside)


@triton.jit
def wrong_2(gate, up, y, M, F, gate_row, up_row, ROWS: tl.constexpr, COLS: tl.constexpr):
    "no mask along columns: a tile that reaches beyond F writes into the next row"
    m = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)[:, None]
    k = tl.program_id(1) * COLS + tl.arange(0, COLS)[None, :]
    inside = (m < M) & (k >= 0)
    g = tl.load(gate + m * gate_row + k, inside, 0.0).to(tl.float32)
    u = tl.load(up + m * up_row + k, inside, 0.0).to(tl.float32)
    tl.store(y + m * F + k, (g * tl.sigmoid(g) * u).to(y.dtype.element_ty), inside)


@triton.jit
def wrong_3(gate, up, y, M, F, gate_row, up_row, ROWS: tl.constexpr, COLS: tl.constexpr):
    "F as the distance of rows of gate and up: wrong for slices of a wider matrix"
    m = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)[:, None]
    k = tl.program_id(1) * COLS + tl.arange(0, COLS)[None, :]
    inside = (m < M) & (k < F)
    g = tl.load(gate + m * F + k, inside, 0.0).to(tl.float32)
    u = tl.load(up + m * F + k, inside, 0.0).to(tl.float32)
    tl.store(y + m * F + k, (g * tl.sigmoid(g) * u).to(y.dtype.element_ty), inside)


@triton.jit
def wrong_4(gate, up, y, M, F, gate_row, up_row, ROWS: tl.constexpr, COLS: tl.constexpr):
    "up is read with the stride of gate"
    m = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)[:, None]
    k = tl.program_id(1) * COLS + tl.arange(0, COLS)[None, :]
    inside = (m < M) & (k < F)
    g = tl.load(gate + m * gate_row + k, inside, 0.0).to(tl.float32)
    u = tl.load(up + m * gate_row + k, inside, 0.0).to(tl.float32)
    tl.store(y + m * F + k, (g * tl.sigmoid(g) * u).to(y.dtype.element_ty), inside)


@triton.jit
def wrong_5(gate, up, y, M, F, gate_row, up_row, ROWS: tl.constexpr, COLS: tl.constexpr):
    "y is written with the stride of gate"
    m = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)[:, None]
    k = tl.program_id(1) * COLS + tl.arange(0, COLS)[None, :]
    inside = (m < M) & (k < F)
    g = tl.load(gate + m * gate_row + k, inside, 0.0).to(tl.float32)
    u = tl.load(up + m * up_row + k, inside, 0.0).to(tl.float32)
    tl.store(y + m * gate_row + k, (g * tl.sigmoid(g) * u).to(y.dtype.element_ty), inside)


@triton.jit
def wrong_6(gate, up, y, M, F, gate_row, up_row, ROWS: tl.constexpr, COLS: tl.constexpr):
    "silu is rounded to the type of y before it is multiplied: rounded twice"
    m = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)[:, None]
    k = tl.program_id(1) * COLS + tl.arange(0, COLS)[None, :]
    inside = (m < M) & (k < F)
    g = tl.load(gate + m * gate_row + k, inside, 0.0).to(tl.float32)
    u = tl.load(up + m * up_row + k, inside, 0.0).to(tl.float32)
    tl.store(y + m * F + k, ((g * tl.sigmoid(g)).to(y.dtype.element_ty).to(tl.float32) * u).to(y.dtype.element_ty), inside)


@triton.jit
def wrong_7(gate, up, y, M, F, gate_row, up_row, ROWS: tl.constexpr, COLS: tl.constexpr):
    "sigmoid as exp(g) / (1 + exp(g)): NaN for gates above 88"
    m = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)[:, None]
    k = tl.program_id(1) * COLS + tl.arange(0, COLS)[None, :]
    inside = (m < M) & (k < F)
    g = tl.load(gate + m * gate_row + k, inside, 0.0).to(tl.float32)
    u = tl.load(up + m * up_row + k, inside, 0.0).to(tl.float32)
    tl.store(y + m * F + k, (g * (tl.exp(g) / (1 + tl.exp(g))) * u).to(y.dtype.element_ty), inside)


@triton.jit
def wrong_8(gate, up, y, M, F, gate_row, up_row, ROWS: tl.constexpr, COLS: tl.constexpr):
    "the result is rounded to bfloat16 whatever y is"
    m = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)[:, None]
    k = tl.program_id(1) * COLS + tl.arange(0, COLS)[None, :]
    inside = (m < M) & (k < F)
    g = tl.load(gate + m * gate_row + k, inside, 0.0).to(tl.float32)
    u = tl.load(up + m * up_row + k, inside, 0.0).to(tl.float32)
    tl.store(y + m * F + k, (g * tl.sigmoid(g) * u).to(tl.bfloat16), inside)


@triton.jit
def wrong_9(gate, up, y, M, F, gate_row, up_row, ROWS: tl.constexpr, COLS: tl.constexpr):
    "the loads have no mask: reads behind the tensors (only the store has one)"
    m = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)[:, None]
    k = tl.program_id(1) * COLS + tl.arange(0, COLS)[None, :]
    inside = (m < M) & (k < F)
    g = tl.load(gate + m * gate_row + k).to(tl.float32)
    u = tl.load(up + m * up_row + k).to(tl.float32)
    tl.store(y + m * F + k, (g * tl.sigmoid(g) * u).to(y.dtype.element_ty), inside)


@triton.jit
def wrong_10(gate, up, y, M, F, gate_row, up_row, ROWS: tl.constexpr, COLS: tl.constexpr):
    "the mask lets one row and one column too many through (<=)"
    m = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)[:, None]
    k = tl.program_id(1) * COLS + tl.arange(0, COLS)[None, :]
    inside = (m <= M) & (k <= F)
    g = tl.load(gate + m * gate_row + k, inside, 0.0).to(tl.float32)
    u = tl.load(up + m * up_row + k, inside, 0.0).to(tl.float32)
    tl.store(y + m * F + k, (g * tl.sigmoid(g) * u).to(y.dtype.element_ty), inside)


@triton.jit
def right_1(gate, up, y, M, F, gate_row, up_row, ROWS: tl.constexpr, COLS: tl.constexpr):
    "sigmoid written out, store casts by itself, masks apart"
    m = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)[:, None]
    k = tl.program_id(1) * COLS + tl.arange(0, COLS)[None, :]
    inside = (m < M) & (k < F)
    g = tl.load(gate + m * gate_row + k, inside, 0.0).to(tl.float32)
    u = tl.load(up + m * up_row + k, inside, 0.0).to(tl.float32)
    tl.store(y + m * F + k, (g * (1.0 / (1.0 + tl.exp(-g))) * u), inside)


@triton.jit
def right_2(gate, up, y, M, F, gate_row, up_row, ROWS: tl.constexpr, COLS: tl.constexpr):
    "row pointers first"
    rows = tl.program_id(0) * ROWS + tl.arange(0, ROWS)
    cols = tl.program_id(1) * COLS + tl.arange(0, COLS)
    mask = (rows < M)[:, None] & (cols < F)[None, :]
    gates = gate + rows[:, None] * gate_row
    ups = up + rows[:, None] * up_row
    a = tl.load(gates + cols[None, :], mask=mask, other=0.0).to(tl.float32)
    b = tl.load(ups + cols[None, :], mask=mask, other=0.0).to(tl.float32)
    result = b * (a * tl.sigmoid(a))
    tl.store(y + rows[:, None] * F + cols[None, :], result.to(y.dtype.element_ty), mask=mask)


@triton.jit
def right_3(gate, up, y, M, F, gate_row, up_row, ROWS: tl.constexpr, COLS: tl.constexpr):
    "g / (1 + exp(-g)), no value for masked lanes"
    m = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)[:, None]
    k = tl.program_id(1) * COLS + tl.arange(0, COLS)[None, :]
    inside = (m < M) & (k < F)
    g = tl.load(gate + m * gate_row + k, mask=inside).to(tl.float32)
    u = tl.load(up + m * up_row + k, mask=inside).to(tl.float32)
    tl.store(y + m * F + k, (g / (1 + tl.exp(-g)) * u).to(y.dtype.element_ty), inside)


@triton.jit
def right_4(gate, up, y, M, F, gate_row, up_row, ROWS: tl.constexpr, COLS: tl.constexpr):
    "a loop over the rows of the tile"
    k = tl.program_id(1) * COLS + tl.arange(0, COLS)
    for i in range(ROWS):
        m = tl.program_id(0) * ROWS + i
        mask = (k < F) & (m < M)
        g = tl.load(gate + m * gate_row + k, mask, 0.0).to(tl.float32)
        u = tl.load(up + m * up_row + k, mask, 0.0).to(tl.float32)
        tl.store(y + m * F + k, (g * tl.sigmoid(g) * u).to(y.dtype.element_ty), mask)
