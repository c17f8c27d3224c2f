"""triton.swiglu"""
from minids.kernels.runtime import tl, triton


@triton.jit
def wrong_1(gate, up, y, M, F, gate_row, up_row, ROWS: tl.constexpr, COLS: tl.constexpr):
    "the mask knows columns only: rows beyond M are computed and written (M = 5, ROWS = 4: three rows behind y)"
    # breaks: "tiles may reach beyond the last row and column": memory behind y is overwritten, M = 5, ROWS = 4
    m = tl.program_id(0) * ROWS + tl.arange(0, ROWS)[:, None]
    k = tl.program_id(1) * COLS + tl.arange(0, COLS)[None, :]
    inside = (k < F) & (m >= 0)
    g = tl.load(gate + m * gate_row + k, inside & (m < M), 0.0).to(tl.float32)
    u = tl.load(up + m * up_row + k, inside & (m < M), 0.0).to(tl.float32)
    tl.store(y + m * F + k, (g * tl.sigmoid(g) * u).to(y.dtype.element_ty), inside)


@triton.jit
def wrong_2(gate, up, y, M, F, gate_row, up_row, ROWS: tl.constexpr, COLS: tl.constexpr):
    "up is read with gate's stride: wrong where the two lie in matrices of different width"
    # breaks: "that of up at up + m * up_row + k": gate a slice of [M, 2F], up contiguous
    m = tl.program_id(0) * ROWS + tl.arange(0, ROWS)[:, None]
    k = tl.program_id(1) * COLS + tl.arange(0, COLS)[None, :]
    inside = (m < M) & (k < F)
    offset = m * gate_row + k
    g = tl.load(gate + offset, inside, 0.0).to(tl.float32)
    u = tl.load(up + offset, inside, 0.0).to(tl.float32)
    tl.store(y + m * F + k, (g * tl.sigmoid(g) * u).to(y.dtype.element_ty), inside)


@triton.jit
def wrong_3(gate, up, y, M, F, gate_row, up_row, ROWS: tl.constexpr, COLS: tl.constexpr):
    "silu is taken of up, and gate is the factor"
    # breaks: "y = silu(gate) * up": any gate != up
    m = tl.program_id(0) * ROWS + tl.arange(0, ROWS)[:, None]
    k = tl.program_id(1) * COLS + tl.arange(0, COLS)[None, :]
    inside = (m < M) & (k < F)
    g = tl.load(gate + m * gate_row + k, inside, 0.0).to(tl.float32)
    u = tl.load(up + m * up_row + k, inside, 0.0).to(tl.float32)
    tl.store(y + m * F + k, (g * u * tl.sigmoid(u)).to(y.dtype.element_ty), inside)


@triton.jit
def wrong_4(gate, up, y, M, F, gate_row, up_row, ROWS: tl.constexpr, COLS: tl.constexpr):
    "y's rows are taken to lie gate_row apart: wrong where gate is a slice of a wider matrix"
    # breaks: "that of y at y + m * F + k": gate_row = 2 F
    m = tl.program_id(0) * ROWS + tl.arange(0, ROWS)[:, None]
    k = tl.program_id(1) * COLS + tl.arange(0, COLS)[None, :]
    inside = (m < M) & (k < F) & (m * gate_row + k < M * F)
    g = tl.load(gate + m * gate_row + k, inside, 0.0).to(tl.float32)
    u = tl.load(up + m * up_row + k, inside, 0.0).to(tl.float32)
    tl.store(y + m * gate_row + k, (g * tl.sigmoid(g) * u).to(y.dtype.element_ty), inside)


@triton.jit
def wrong_5(gate, up, y, M, F, gate_row, up_row, ROWS: tl.constexpr, COLS: tl.constexpr):
    "rounded twice: silu(gate) is rounded to y's type before the product, as the model does it"
    # breaks: "Computed in float32, rounded once, at the end": bfloat16 randn, a step apart in many places
    m = tl.program_id(0) * ROWS + tl.arange(0, ROWS)[:, None]
    k = tl.program_id(1) * COLS + tl.arange(0, COLS)[None, :]
    inside = (m < M) & (k < F)
    g = tl.load(gate + m * gate_row + k, inside, 0.0).to(tl.float32)
    u = tl.load(up + m * up_row + k, inside, 0.0).to(tl.float32)
    silu = (g * tl.sigmoid(g)).to(y.dtype.element_ty).to(tl.float32)
    tl.store(y + m * F + k, (silu * u).to(y.dtype.element_ty), inside)


@triton.jit
def wrong_6(gate, up, y, M, F, gate_row, up_row, ROWS: tl.constexpr, COLS: tl.constexpr):
    "the result is rounded to bfloat16 whatever y holds: float32 and float16 tensors lose bits"
    # breaks: "bfloat16, float16 or float32 ... rounded once": float32 randn, relative error 2^-9
    m = tl.program_id(0) * ROWS + tl.arange(0, ROWS)[:, None]
    k = tl.program_id(1) * COLS + tl.arange(0, COLS)[None, :]
    inside = (m < M) & (k < F)
    g = tl.load(gate + m * gate_row + k, inside, 0.0).to(tl.float32)
    u = tl.load(up + m * up_row + k, inside, 0.0).to(tl.float32)
    out = (g * tl.sigmoid(g) * u).to(tl.bfloat16)
    tl.store(y + m * F + k, out.to(tl.float32).to(y.dtype.element_ty), inside)


@triton.jit
def wrong_7(gate, up, y, M, F, gate_row, up_row, ROWS: tl.constexpr, COLS: tl.constexpr):
    "sigmoid as exp(g) / (1 + exp(g)): inf / inf = NaN for a gate above 88"
    # breaks: "y = silu(gate) * up": gate = 100, up = 1 must give 100
    m = tl.program_id(0) * ROWS + tl.arange(0, ROWS)[:, None]
    k = tl.program_id(1) * COLS + tl.arange(0, COLS)[None, :]
    inside = (m < M) & (k < F)
    g = tl.load(gate + m * gate_row + k, inside, 0.0).to(tl.float32)
    u = tl.load(up + m * up_row + k, inside, 0.0).to(tl.float32)
    e = tl.exp(g)
    tl.store(y + m * F + k, (g * (e / (1 + e)) * u).to(y.dtype.element_ty), inside)


@triton.jit
def wrong_8(gate, up, y, M, F, gate_row, up_row, ROWS: tl.constexpr, COLS: tl.constexpr):
    "the mask asks for m * F + k < M * F: columns beyond F fall onto the next row, right only if all is contiguous"
    # breaks: "tiles may reach beyond the last row and column": F = 20, COLS = 16, gate and up slices of [M, 40]
    m = tl.program_id(0) * ROWS + tl.arange(0, ROWS)[:, None]
    k = tl.program_id(1) * COLS + tl.arange(0, COLS)[None, :]
    place = m * F + k
    inside = place < M * F
    exists = inside & (m * gate_row + k < (M - 1) * gate_row + F) & (m * up_row + k < (M - 1) * up_row + F)
    g = tl.load(gate + m * gate_row + k, exists, 0.0).to(tl.float32)
    u = tl.load(up + m * up_row + k, exists, 0.0).to(tl.float32)
    tl.store(y + place, (g * tl.sigmoid(g) * u).to(y.dtype.element_ty), inside)


@triton.jit
def wrong_9(gate, up, y, M, F, gate_row, up_row, ROWS: tl.constexpr, COLS: tl.constexpr):
    "silu is put down in gate, whose values backward still needs: an argument is changed"
    # breaks: "arguments left unchanged" (backward reads gate again): gate after the launch, any input
    m = tl.program_id(0) * ROWS + tl.arange(0, ROWS)[:, None]
    k = tl.program_id(1) * COLS + tl.arange(0, COLS)[None, :]
    inside = (m < M) & (k < F)
    g = tl.load(gate + m * gate_row + k, inside, 0.0).to(tl.float32)
    u = tl.load(up + m * up_row + k, inside, 0.0).to(tl.float32)
    g = g * tl.sigmoid(g)
    tl.store(gate + m * gate_row + k, g.to(gate.dtype.element_ty), inside)
    tl.store(y + m * F + k, (g * u).to(y.dtype.element_ty), inside)


@triton.jit
def wrong_10(gate, up, y, M, F, gate_row, up_row, ROWS: tl.constexpr, COLS: tl.constexpr):
    "gate is held within 30 so that exp is safe, and the held value is also the factor"
    # breaks: "y = silu(gate) * up": gate = 50, up = 1 must give 50, here 30
    m = tl.program_id(0) * ROWS + tl.arange(0, ROWS)[:, None]
    k = tl.program_id(1) * COLS + tl.arange(0, COLS)[None, :]
    inside = (m < M) & (k < F)
    g = tl.load(gate + m * gate_row + k, inside, 0.0).to(tl.float32)
    u = tl.load(up + m * up_row + k, inside, 0.0).to(tl.float32)
    g = tl.minimum(tl.maximum(g, -30.0), 30.0)
    tl.store(y + m * F + k, (g / (1 + tl.exp(-g)) * u).to(y.dtype.element_ty), inside)


@triton.jit
def right_1(gate, up, y, M, F, gate_row, up_row, ROWS: tl.constexpr, COLS: tl.constexpr):
    "one over one plus exp(-g), and pointers that are moved to the tile first"
    top, left = tl.program_id(0).to(tl.int64) * ROWS, tl.program_id(1) * COLS
    i, j = tl.arange(0, ROWS)[:, None], tl.arange(0, COLS)[None, :]
    gate += top * gate_row + left
    up += top * up_row + left
    y += top * F + left
    there = (i < M - top) & (j < F - left)
    g = tl.load(gate + i * gate_row + j, mask=there, other=0.0).to(tl.float32)
    u = tl.load(up + i * up_row + j, mask=there, other=0.0).to(tl.float32)
    sig = 1.0 / (1.0 + tl.exp(-g))
    tl.store(y + i * F + j, (g * sig * u).to(y.dtype.element_ty), mask=there)


@triton.jit
def right_2(gate, up, y, M, F, gate_row, up_row, ROWS: tl.constexpr, COLS: tl.constexpr):
    "row by row in a loop, with vectors"
    cols = tl.program_id(1) * COLS + tl.arange(0, COLS)
    for i in range(ROWS):
        row = tl.program_id(0).to(tl.int64) * ROWS + i
        mask = (cols < F) & (row < M)
        g = tl.load(gate + row * gate_row + cols, mask, 0.0).to(tl.float32)
        u = tl.load(up + row * up_row + cols, mask, 0.0).to(tl.float32)
        tl.store(y + row * F + cols, (u * (g * tl.sigmoid(g))).to(y.dtype.element_ty), mask)


@triton.jit
def right_3(gate, up, y, M, F, gate_row, up_row, ROWS: tl.constexpr, COLS: tl.constexpr):
    "a sigmoid that only takes exp of negative numbers, vectors with expand_dims"
    rows = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)
    cols = tl.program_id(1) * COLS + tl.arange(0, COLS)
    r2, c2 = tl.expand_dims(rows, 1), tl.expand_dims(cols, 0)
    mask = (r2 < M) & (c2 < F)
    g = tl.load(gate + r2 * gate_row + c2, mask, 0.0).to(tl.float32)
    u = tl.load(up + r2 * up_row + c2, mask, 0.0).to(tl.float32)
    e = tl.exp(-tl.abs(g))
    s = tl.where(g >= 0, 1 / (1 + e), e / (1 + e))
    tl.store(y + r2 * F + c2, (g * s * u).to(y.dtype.element_ty), mask)


@triton.jit
def right_4(gate, up, y, M, F, gate_row, up_row, ROWS: tl.constexpr, COLS: tl.constexpr):
    "the tile as one long vector, row and column by division"
    lane = tl.arange(0, ROWS * COLS)
    m = tl.program_id(0).to(tl.int64) * ROWS + lane // COLS
    k = tl.program_id(1) * COLS + lane % COLS
    ok = (m < M) & (k < F)
    g = tl.load(gate + m * gate_row + k, ok, other=0.0).to(tl.float32)
    u = tl.load(up + m * up_row + k, ok, other=0.0).to(tl.float32)
    tl.store(y + m * F + k, (g / (1.0 + tl.exp(-g)) * u).to(y.dtype.element_ty), ok)
