"""triton.swiglu"""
import torch
from minids.kernels.runtime import tl, triton

@triton.jit
def wrong_1(gate, up, y, M, F, gate_row, up_row, ROWS: tl.constexpr, COLS: tl.constexpr):
    "up is read with gate's stride: differs where the two rows are of unequal distance"
    m = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)[:, None]
    k = tl.program_id(1) * COLS + tl.arange(0, COLS)[None, :]
    inside = (m < M) & (k < F)
    g = tl.load(gate + m * gate_row + k, inside, 0.0).to(tl.float32)
    u = tl.load(up + m * gate_row + k, inside, 0.0).to(tl.float32)
    tl.store(y + m * F + k, (g * tl.sigmoid(g) * u).to(y.dtype.element_ty), inside)

@triton.jit
def wrong_2(gate, up, y, M, F, gate_row, up_row, ROWS: tl.constexpr, COLS: tl.constexpr):
    "y is written with gate's stride, where its rows are F apart"
    m = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)[:, None]
    k = tl.program_id(1) * COLS + tl.arange(0, COLS)[None, :]
    inside = (m < M) & (k < F)
    g = tl.load(gate + m * gate_row + k, inside, 0.0).to(tl.float32)
    u = tl.load(up + m * up_row + k, inside, 0.0).to(tl.float32)
    tl.store(y + m * gate_row + k, (g * tl.sigmoid(g) * u).to(y.dtype.element_ty), inside)

@triton.jit
def wrong_3(gate, up, y, M, F, gate_row, up_row, ROWS: tl.constexpr, COLS: tl.constexpr):
    "the store has only the column's mask: rows beyond M are written"
    m = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)[:, None]
    k = tl.program_id(1) * COLS + tl.arange(0, COLS)[None, :]
    inside = (m < M) & (k < F)
    g = tl.load(gate + m * gate_row + k, inside, 0.0).to(tl.float32)
    u = tl.load(up + m * up_row + k, inside, 0.0).to(tl.float32)
    tl.store(y + m * F + k, (g * tl.sigmoid(g) * u).to(y.dtype.element_ty), (k < F) & (m >= 0))

@triton.jit
def wrong_4(gate, up, y, M, F, gate_row, up_row, ROWS: tl.constexpr, COLS: tl.constexpr):
    "the store has only the row's mask: columns beyond F are written, into the next row"
    m = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)[:, None]
    k = tl.program_id(1) * COLS + tl.arange(0, COLS)[None, :]
    inside = (m < M) & (k < F)
    g = tl.load(gate + m * gate_row + k, inside, 0.0).to(tl.float32)
    u = tl.load(up + m * up_row + k, inside, 0.0).to(tl.float32)
    tl.store(y + m * F + k, (g * tl.sigmoid(g) * u).to(y.dtype.element_ty), (m < M) & (k >= 0))

@triton.jit
def wrong_5(gate, up, y, M, F, gate_row, up_row, ROWS: tl.constexpr, COLS: tl.constexpr):
    "sigmoid(gate) * up: the factor gate is missing"
    m = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)[:, None]
    k = tl.program_id(1) * COLS + tl.arange(0, COLS)[None, :]
    inside = (m < M) & (k < F)
    g = tl.load(gate + m * gate_row + k, inside, 0.0).to(tl.float32)
    u = tl.load(up + m * up_row + k, inside, 0.0).to(tl.float32)
    tl.store(y + m * F + k, (tl.sigmoid(g) * u).to(y.dtype.element_ty), inside)

@triton.jit
def wrong_6(gate, up, y, M, F, gate_row, up_row, ROWS: tl.constexpr, COLS: tl.constexpr):
    "silu of up, times gate"
    m = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)[:, None]
    k = tl.program_id(1) * COLS + tl.arange(0, COLS)[None, :]
    inside = (m < M) & (k < F)
    g = tl.load(gate + m * gate_row + k, inside, 0.0).to(tl.float32)
    u = tl.load(up + m * up_row + k, inside, 0.0).to(tl.float32)
    tl.store(y + m * F + k, (u * tl.sigmoid(u) * g).to(y.dtype.element_ty), inside)

@triton.jit
def wrong_7(gate, up, y, M, F, gate_row, up_row, ROWS: tl.constexpr, COLS: tl.constexpr):
    "exp(g) / (1 + exp(g)): NaN for gates above 88"
    m = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)[:, None]
    k = tl.program_id(1) * COLS + tl.arange(0, COLS)[None, :]
    inside = (m < M) & (k < F)
    g = tl.load(gate + m * gate_row + k, inside, 0.0).to(tl.float32)
    u = tl.load(up + m * up_row + k, inside, 0.0).to(tl.float32)
    tl.store(y + m * F + k, (g * (tl.exp(g) / (1.0 + tl.exp(g))) * u).to(y.dtype.element_ty), inside)

@triton.jit
def wrong_8(gate, up, y, M, F, gate_row, up_row, ROWS: tl.constexpr, COLS: tl.constexpr):
    "silu is rounded to the type of y before up comes: two roundings in half precision"
    m = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)[:, None]
    k = tl.program_id(1) * COLS + tl.arange(0, COLS)[None, :]
    inside = (m < M) & (k < F)
    g = tl.load(gate + m * gate_row + k, inside, 0.0).to(tl.float32)
    u = tl.load(up + m * up_row + k, inside, 0.0).to(tl.float32)
    tl.store(y + m * F + k, ((g * tl.sigmoid(g)).to(y.dtype.element_ty).to(tl.float32) * u).to(y.dtype.element_ty), inside)

@triton.jit
def wrong_9(gate, up, y, M, F, gate_row, up_row, ROWS: tl.constexpr, COLS: tl.constexpr):
    "the axes of the grid are swapped: right for a square grid's diagonal only"
    m = tl.program_id(1).to(tl.int64) * ROWS + tl.arange(0, ROWS)[:, None]
    k = tl.program_id(0) * COLS + tl.arange(0, COLS)[None, :]
    inside = (m < M) & (k < F)
    g = tl.load(gate + m * gate_row + k, inside, 0.0).to(tl.float32)
    u = tl.load(up + m * up_row + k, inside, 0.0).to(tl.float32)
    tl.store(y + m * F + k, (g * tl.sigmoid(g) * u).to(y.dtype.element_ty), inside)

@triton.jit
def wrong_10(gate, up, y, M, F, gate_row, up_row, ROWS: tl.constexpr, COLS: tl.constexpr):
    "k <= F: one number too many, the first of the next row"
    m = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)[:, None]
    k = tl.program_id(1) * COLS + tl.arange(0, COLS)[None, :]
    inside = (m < M) & (k <= F)
    g = tl.load(gate + m * gate_row + k, inside, 0.0).to(tl.float32)
    u = tl.load(up + m * up_row + k, inside, 0.0).to(tl.float32)
    tl.store(y + m * F + k, (g * tl.sigmoid(g) * u).to(y.dtype.element_ty), inside)

@triton.jit
def right_1(gate, up, y, M, F, gate_row, up_row, ROWS: tl.constexpr, COLS: tl.constexpr):
    "vectors first, tiles by broadcasting; pointers kept"
    m = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)
    k = tl.program_id(1) * COLS + tl.arange(0, COLS)
    keep = (m < M)[:, None] & (k < F)[None, :]
    g = tl.load(gate + (m * gate_row)[:, None] + k[None, :], mask=keep, other=0.0).to(tl.float32)
    u = tl.load(up + (m * up_row)[:, None] + k[None, :], mask=keep, other=0.0).to(tl.float32)
    out = g * u * tl.sigmoid(g)
    tl.store(y + (m * F)[:, None] + k[None, :], out.to(y.dtype.element_ty), mask=keep)

@triton.jit
def right_2(gate, up, y, M, F, gate_row, up_row, ROWS: tl.constexpr, COLS: tl.constexpr):
    "the sigmoid written out with exp(-g)"
    m = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)[:, None]
    k = tl.program_id(1) * COLS + tl.arange(0, COLS)[None, :]
    inside = (m < M) & (k < F)
    g = tl.load(gate + m * gate_row + k, inside, 0.0).to(tl.float32)
    u = tl.load(up + m * up_row + k, inside, 0.0).to(tl.float32)
    tl.store(y + m * F + k, (g / (1.0 + tl.exp(-g)) * u).to(y.dtype.element_ty), inside)

@triton.jit
def right_3(gate, up, y, M, F, gate_row, up_row, ROWS: tl.constexpr, COLS: tl.constexpr):
    "row after row in a static loop"
    k = tl.program_id(1) * COLS + tl.arange(0, COLS)
    first = tl.program_id(0).to(tl.int64) * ROWS
    for i in tl.static_range(ROWS):
        row = first + i
        inside = (k < F) & (row < M)
        g = tl.load(gate + row * gate_row + k, inside, 0.0).to(tl.float32)
        u = tl.load(up + row * up_row + k, inside, 0.0).to(tl.float32)
        tl.store(y + row * F + k, (g * tl.sigmoid(g) * u).to(y.dtype.element_ty), inside)

@triton.jit
def right_4(gate, up, y, M, F, gate_row, up_row, ROWS: tl.constexpr, COLS: tl.constexpr):
    "up is loaded first; a sigmoid by cases of the sign; the store rounds by itself"
    rows = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)[:, None]
    cols = tl.program_id(1) * COLS + tl.arange(0, COLS)[None, :]
    there = (rows < M) & (cols < F)
    right = tl.load(up + rows * up_row + cols, mask=there, other=0.0).to(tl.float32)
    left = tl.load(gate + rows * gate_row + cols, mask=there, other=0.0).to(tl.float32)
    small = tl.exp(-tl.abs(left))
    sigmoid = tl.where(left >= 0, 1.0, small) / (1.0 + small)
    tl.store(y + rows * F + cols, left * sigmoid * right, mask=there)
