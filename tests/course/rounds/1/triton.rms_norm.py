"""triton.rms_norm"""
import torch
from minids.kernels.runtime import tl, triton

@triton.jit
def wrong_1(x, residual, w, y, h, r, M, H, x_row, residual_row, eps, ROWS: tl.constexpr, COLS: tl.constexpr):
    "the mean is over COLS lanes, not over H numbers"
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

@triton.jit
def wrong_2(x, residual, w, y, h, r, M, H, x_row, residual_row, eps, ROWS: tl.constexpr, COLS: tl.constexpr):
    "h is normed as it was before rounding: differs in half precision"
    m = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)
    k = tl.arange(0, COLS)
    inside = (m[:, None] < M) & (k[None, :] < H)
    out = m[:, None] * H + k[None, :]
    v = tl.load(x + m[:, None] * x_row + k[None, :], inside, 0.0).to(tl.float32)
    if residual is not None:
        v += tl.load(residual + m[:, None] * residual_row + k[None, :], inside, 0.0).to(tl.float32)
        rounded = v.to(h.dtype.element_ty)
        tl.store(h + out, rounded, inside)
    rstd = tl.rsqrt(tl.sum(v * v, 1) / H + eps)
    tl.store(r + m, rstd, m < M)
    u = (v * rstd[:, None]).to(y.dtype.element_ty).to(tl.float32)
    weight = tl.load(w + k, k < H, 0.0).to(tl.float32)
    tl.store(y + out, (u * weight[None, :]).to(y.dtype.element_ty), inside)

@triton.jit
def wrong_3(x, residual, w, y, h, r, M, H, x_row, residual_row, eps, ROWS: tl.constexpr, COLS: tl.constexpr):
    "h * r is not rounded before the weight comes: differs in half precision"
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
    u = v * rstd[:, None]
    weight = tl.load(w + k, k < H, 0.0).to(tl.float32)
    tl.store(y + out, (u * weight[None, :]).to(y.dtype.element_ty), inside)

@triton.jit
def wrong_4(x, residual, w, y, h, r, M, H, x_row, residual_row, eps, ROWS: tl.constexpr, COLS: tl.constexpr):
    "the residual is read with x's stride"
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

@triton.jit
def wrong_5(x, residual, w, y, h, r, M, H, x_row, residual_row, eps, ROWS: tl.constexpr, COLS: tl.constexpr):
    "h and y are written with x's stride, where their rows are H apart"
    m = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)
    k = tl.arange(0, COLS)
    inside = (m[:, None] < M) & (k[None, :] < H)
    out = m[:, None] * x_row + k[None, :]
    v = tl.load(x + m[:, None] * x_row + k[None, :], inside, 0.0).to(tl.float32)
    if residual is not None:
        v += tl.load(residual + m[:, None] * residual_row + k[None, :], inside, 0.0).to(tl.float32)
        rounded = v.to(h.dtype.element_ty)
        tl.store(h + out, rounded, inside)
        v = rounded.to(tl.float32)
    rstd = tl.rsqrt(tl.sum(v * v, 1) / H + eps)
    tl.store(r + m, rstd, m < M)
    u = (v * rstd[:, None]).to(y.dtype.element_ty).to(tl.float32)
    weight = tl.load(w + k, k < H, 0.0).to(tl.float32)
    tl.store(y + out, (u * weight[None, :]).to(y.dtype.element_ty), inside)

@triton.jit
def wrong_6(x, residual, w, y, h, r, M, H, x_row, residual_row, eps, ROWS: tl.constexpr, COLS: tl.constexpr):
    "r is stored without a mask: written beyond M"
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

@triton.jit
def wrong_7(x, residual, w, y, h, r, M, H, x_row, residual_row, eps, ROWS: tl.constexpr, COLS: tl.constexpr):
    "r holds the mean square, not one over its root"
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
    mean = tl.sum(v * v, 1) / H
    rstd = tl.rsqrt(mean + eps)
    tl.store(r + m, mean, m < M)
    u = (v * rstd[:, None]).to(y.dtype.element_ty).to(tl.float32)
    weight = tl.load(w + k, k < H, 0.0).to(tl.float32)
    tl.store(y + out, (u * weight[None, :]).to(y.dtype.element_ty), inside)

@triton.jit
def wrong_8(x, residual, w, y, h, r, M, H, x_row, residual_row, eps, ROWS: tl.constexpr, COLS: tl.constexpr):
    "eps is added outside of the root: differs for rows of small numbers, and rows of zeros get 1 / eps"
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
    rstd = 1.0 / (tl.sqrt(tl.sum(v * v, 1) / H) + eps)
    tl.store(r + m, rstd, m < M)
    u = (v * rstd[:, None]).to(y.dtype.element_ty).to(tl.float32)
    weight = tl.load(w + k, k < H, 0.0).to(tl.float32)
    tl.store(y + out, (u * weight[None, :]).to(y.dtype.element_ty), inside)

@triton.jit
def wrong_9(x, residual, w, y, h, r, M, H, x_row, residual_row, eps, ROWS: tl.constexpr, COLS: tl.constexpr):
    "the sum is never stored in h: the residual stream is lost"
    m = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)
    k = tl.arange(0, COLS)
    inside = (m[:, None] < M) & (k[None, :] < H)
    out = m[:, None] * H + k[None, :]
    v = tl.load(x + m[:, None] * x_row + k[None, :], inside, 0.0).to(tl.float32)
    if residual is not None:
        v += tl.load(residual + m[:, None] * residual_row + k[None, :], inside, 0.0).to(tl.float32)
        rounded = v.to(h.dtype.element_ty)
        v = rounded.to(tl.float32)
    rstd = tl.rsqrt(tl.sum(v * v, 1) / H + eps)
    tl.store(r + m, rstd, m < M)
    u = (v * rstd[:, None]).to(y.dtype.element_ty).to(tl.float32)
    weight = tl.load(w + k, k < H, 0.0).to(tl.float32)
    tl.store(y + out, (u * weight[None, :]).to(y.dtype.element_ty), inside)

@triton.jit
def wrong_10(x, residual, w, y, h, r, M, H, x_row, residual_row, eps, ROWS: tl.constexpr, COLS: tl.constexpr):
    "the residual is added to what is normed but h keeps x alone"
    m = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)
    k = tl.arange(0, COLS)
    inside = (m[:, None] < M) & (k[None, :] < H)
    out = m[:, None] * H + k[None, :]
    v = tl.load(x + m[:, None] * x_row + k[None, :], inside, 0.0).to(tl.float32)
    if residual is not None:
        v += tl.load(residual + m[:, None] * residual_row + k[None, :], inside, 0.0).to(tl.float32)
        rounded = v.to(h.dtype.element_ty)
        tl.store(h + out, tl.load(x + m[:, None] * x_row + k[None, :], inside, 0.0), inside)
        v = rounded.to(tl.float32)
    rstd = tl.rsqrt(tl.sum(v * v, 1) / H + eps)
    tl.store(r + m, rstd, m < M)
    u = (v * rstd[:, None]).to(y.dtype.element_ty).to(tl.float32)
    weight = tl.load(w + k, k < H, 0.0).to(tl.float32)
    tl.store(y + out, (u * weight[None, :]).to(y.dtype.element_ty), inside)

@triton.jit
def right_1(x, residual, w, y, h, r, M, H, x_row, residual_row, eps, ROWS: tl.constexpr, COLS: tl.constexpr):
    "other order: the weight first, both parts added in one go, 1 / sqrt"
    k = tl.arange(0, COLS)
    cols = k < H
    weight = tl.load(w + k, mask=cols, other=0.0).to(tl.float32)
    m = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)
    rows = m < M
    inside = rows[:, None] & cols[None, :]
    v = tl.load(x + (m * x_row)[:, None] + k[None, :], mask=inside, other=0.0).to(tl.float32)
    if residual is not None:
        v = v + tl.load(residual + (m * residual_row)[:, None] + k[None, :], mask=inside, other=0.0).to(tl.float32)
        v = v.to(h.dtype.element_ty)
        tl.store(h + (m * H)[:, None] + k[None, :], v, mask=inside)
        v = v.to(tl.float32)
    rstd = 1.0 / tl.sqrt(tl.sum(v * v, axis=1) / H + eps)
    tl.store(r + m, rstd, mask=rows)
    normed = (v * rstd[:, None]).to(y.dtype.element_ty)
    tl.store(y + (m * H)[:, None] + k[None, :], (normed.to(tl.float32) * weight[None, :]).to(y.dtype.element_ty), mask=inside)

@triton.jit
def right_2(x, residual, w, y, h, r, M, H, x_row, residual_row, eps, ROWS: tl.constexpr, COLS: tl.constexpr):
    "row after row in a static loop"
    k = tl.arange(0, COLS)
    for i in tl.static_range(ROWS):
        m = tl.program_id(0).to(tl.int64) * ROWS + i
        inside = (k < H) & (m < M)
        v = tl.load(x + m * x_row + k, inside, 0.0).to(tl.float32)
        if residual is not None:
            v += tl.load(residual + m * residual_row + k, inside, 0.0).to(tl.float32)
            rounded = v.to(h.dtype.element_ty)
            tl.store(h + m * H + k, rounded, inside)
            v = rounded.to(tl.float32)
        rstd = tl.rsqrt(tl.sum(v * v, 0) / H + eps)
        tl.store(r + m, rstd, m < M)
        u = (v * rstd).to(y.dtype.element_ty).to(tl.float32)
        weight = tl.load(w + k, inside, 0.0).to(tl.float32)
        tl.store(y + m * H + k, (u * weight).to(y.dtype.element_ty), inside)

@triton.jit
def right_3(x, residual, w, y, h, r, M, H, x_row, residual_row, eps, ROWS: tl.constexpr, COLS: tl.constexpr):
    "the mean by a product with 1 / H of the squares under a where"
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
    mean = tl.sum(tl.where(inside, v * v / H, 0.0), 1)
    rstd = tl.rsqrt(mean + eps)
    tl.store(r + m, rstd, m < M)
    u = (v * rstd[:, None]).to(y.dtype.element_ty).to(tl.float32)
    weight = tl.load(w + k, k < H, 0.0).to(tl.float32)
    tl.store(y + out, (u * weight[None, :]).to(y.dtype.element_ty), inside)

@triton.jit
def right_4(x, residual, w, y, h, r, M, H, x_row, residual_row, eps, ROWS: tl.constexpr, COLS: tl.constexpr):
    "two branches written out"
    m = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)
    k = tl.arange(0, COLS)
    inside = (m[:, None] < M) & (k[None, :] < H)
    at = m[:, None] * H + k[None, :]
    if residual is None:
        v = tl.load(x + m[:, None] * x_row + k[None, :], inside, 0.0).to(tl.float32)
    else:
        a = tl.load(x + m[:, None] * x_row + k[None, :], inside, 0.0).to(tl.float32)
        b = tl.load(residual + m[:, None] * residual_row + k[None, :], inside, 0.0).to(tl.float32)
        both = (a + b).to(h.dtype.element_ty)
        tl.store(h + at, both, inside)
        v = both.to(tl.float32)
    square = tl.sum(v * v, axis=1, keep_dims=True)
    rstd = tl.rsqrt(square / H + eps)
    tl.store(r + m[:, None], rstd, m[:, None] < M)
    u = (v * rstd).to(y.dtype.element_ty).to(tl.float32)
    u *= tl.load(w + k[None, :], k[None, :] < H, 0.0).to(tl.float32)
    tl.store(y + at, u.to(y.dtype.element_ty), inside)
