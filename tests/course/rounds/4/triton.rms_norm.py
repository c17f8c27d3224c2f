"""triton.rms_norm"""
import torch
import triton
import triton.language as tl



@triton.jit
def wrong_1(x, residual, w, y, h, r, M, H, x_row, residual_row, eps, ROWS: tl.constexpr, COLS: tl.constexpr):
    "the mean is over COLS lanes, not H numbers"
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
    "eps is added outside of the root: 1 / (sqrt(mean) + eps), seen for large eps or small rows"
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


@triton.jit
def wrong_3(x, residual, w, y, h, r, M, H, x_row, residual_row, eps, ROWS: tl.constexpr, COLS: tl.constexpr):
    "h is normed as it was before it was rounded (bfloat16 with a residual)"
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
def wrong_4(x, residual, w, y, h, r, M, H, x_row, residual_row, eps, ROWS: tl.constexpr, COLS: tl.constexpr):
    "h * r is not rounded before the weight comes (half precision)"
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
def wrong_5(x, residual, w, y, h, r, M, H, x_row, residual_row, eps, ROWS: tl.constexpr, COLS: tl.constexpr):
    "r is stored without a mask: rows beyond M"
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
def wrong_6(x, residual, w, y, h, r, M, H, x_row, residual_row, eps, ROWS: tl.constexpr, COLS: tl.constexpr):
    "residual is read with the stride of x"
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
def wrong_7(x, residual, w, y, h, r, M, H, x_row, residual_row, eps, ROWS: tl.constexpr, COLS: tl.constexpr):
    "h is written with the stride of x, not H"
    m = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)
    k = tl.arange(0, COLS)
    inside = (m[:, None] < M) & (k[None, :] < H)
    out = m[:, None] * H + k[None, :]
    v = tl.load(x + m[:, None] * x_row + k[None, :], inside, 0.0).to(tl.float32)
    if residual is not None:
        v += tl.load(residual + m[:, None] * residual_row + k[None, :], inside, 0.0).to(tl.float32)
        rounded = v.to(h.dtype.element_ty)
        tl.store(h + m[:, None] * x_row + k[None, :], rounded, inside)
        v = rounded.to(tl.float32)
    rstd = tl.rsqrt(tl.sum(v * v, 1) / H + eps)
    tl.store(r + m, rstd, m < M)
    u = (v * rstd[:, None]).to(y.dtype.element_ty).to(tl.float32)
    weight = tl.load(w + k, k < H, 0.0).to(tl.float32)
    tl.store(y + out, (u * weight[None, :]).to(y.dtype.element_ty), inside)


@triton.jit
def wrong_8(x, residual, w, y, h, r, M, H, x_row, residual_row, eps, ROWS: tl.constexpr, COLS: tl.constexpr):
    "the mean is subtracted, and r belongs to that"
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


@triton.jit
def wrong_9(x, residual, w, y, h, r, M, H, x_row, residual_row, eps, ROWS: tl.constexpr, COLS: tl.constexpr):
    "r is rounded to the type of y before it multiplies (half precision)"
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
    u = (v * rstd.to(y.dtype.element_ty).to(tl.float32)[:, None]).to(y.dtype.element_ty).to(tl.float32)
    weight = tl.load(w + k, k < H, 0.0).to(tl.float32)
    tl.store(y + out, (u * weight[None, :]).to(y.dtype.element_ty), inside)


@triton.jit
def wrong_10(x, residual, w, y, h, r, M, H, x_row, residual_row, eps, ROWS: tl.constexpr, COLS: tl.constexpr):
    "rows beyond M are not masked where y is written"
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
    u = (v * rstd[:, None]).to(y.dtype.element_ty).to(tl.float32)
    weight = tl.load(w + k, k < H, 0.0).to(tl.float32)
    tl.store(y + out, (u * weight[None, :]).to(y.dtype.element_ty), (k[None, :] < H) & (m[:, None] >= 0))


@triton.jit
def right_1(x, residual, w, y, h, r, M, H, x_row, residual_row, eps, ROWS: tl.constexpr, COLS: tl.constexpr):
    "1 / sqrt, tl.where where the sum is taken"
    row = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)[:, None]
    col = tl.arange(0, COLS)[None, :]
    mask = (row < M) & (col < H)
    t = tl.load(x + row * x_row + col, mask=mask, other=0.0).to(tl.float32)
    if residual is not None:
        s = tl.load(residual + row * residual_row + col, mask=mask, other=0.0).to(tl.float32)
        t = (t + s).to(h.dtype.element_ty)
        tl.store(h + row * H + col, t, mask=mask)
        t = t.to(tl.float32)
    mean = tl.sum(tl.where(mask, t * t, 0.0), axis=1, keep_dims=True) / H
    inv = 1.0 / tl.sqrt(mean + eps)
    tl.store(r + row, inv, mask=row < M)
    normed = (t * inv).to(y.dtype.element_ty)
    g = tl.load(w + col, mask=col < H, other=0.0)
    tl.store(y + row * H + col, (normed.to(tl.float32) * g.to(tl.float32)).to(y.dtype.element_ty), mask=mask)


@triton.jit
def right_2(x, residual, w, y, h, r, M, H, x_row, residual_row, eps, ROWS: tl.constexpr, COLS: tl.constexpr):
    "row by row"
    k = tl.arange(0, COLS)
    here = k < H
    weight = tl.load(w + k, here, 0.0).to(tl.float32)
    for i in range(ROWS):
        m = tl.program_id(0).to(tl.int64) * ROWS + i
        inside = here & (m < M)
        v = tl.load(x + m * x_row + k, inside, 0.0).to(tl.float32)
        if h is not None:
            v = (v + tl.load(residual + m * residual_row + k, inside, 0.0).to(tl.float32)).to(h.dtype.element_ty)
            tl.store(h + m * H + k, v, inside)
            v = v.to(tl.float32)
        one = tl.rsqrt(tl.sum(v * v, 0) / H + eps)
        tl.store(r + m, one, m < M)
        u = (v * one).to(y.dtype.element_ty).to(tl.float32)
        tl.store(y + m * H + k, (u * weight).to(y.dtype.element_ty), inside)


@triton.jit
def right_3(x, residual, w, y, h, r, M, H, x_row, residual_row, eps, ROWS: tl.constexpr, COLS: tl.constexpr):
    "the two cases written apart"
    m = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)
    k = tl.arange(0, COLS)
    rows = m < M
    inside = rows[:, None] & (k < H)[None, :]
    if residual is None:
        v = tl.load(x + m[:, None] * x_row + k[None, :], inside, 0.0).to(tl.float32)
    else:
        a = tl.load(x + m[:, None] * x_row + k[None, :], inside, 0.0)
        b = tl.load(residual + m[:, None] * residual_row + k[None, :], inside, 0.0)
        total = (a.to(tl.float32) + b.to(tl.float32)).to(h.dtype.element_ty)
        tl.store(h + m[:, None] * H + k[None, :], total, inside)
        v = total.to(tl.float32)
    squares = tl.sum(v * v, axis=1)
    scale = tl.rsqrt(squares / H + eps)
    tl.store(r + m, scale, rows)
    weight = tl.load(w + k, k < H, 0.0).to(tl.float32)
    u = (v * scale[:, None]).to(y.dtype.element_ty)
    tl.store(y + m[:, None] * H + k[None, :], (weight[None, :] * u.to(tl.float32)).to(y.dtype.element_ty), inside)


@triton.jit
def right_4(x, residual, w, y, h, r, M, H, x_row, residual_row, eps, ROWS: tl.constexpr, COLS: tl.constexpr):
    "squares times 1 / H, r stored last"
    m = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)[:, None]
    k = tl.arange(0, COLS)[None, :]
    inside = (m < M) & (k < H)
    kind = y.dtype.element_ty
    v = tl.load(x + m * x_row + k, inside, 0.0).to(tl.float32)
    if residual is not None:
        v = v + tl.load(residual + m * residual_row + k, inside, 0.0).to(tl.float32)
        v = v.to(h.dtype.element_ty).to(tl.float32)
        tl.store(h + m * H + k, v.to(h.dtype.element_ty), inside)
    part = 1.0 / H
    rstd = 1.0 / tl.sqrt_rn(tl.sum(v * v, 1) * part + eps)
    u = (v * tl.expand_dims(rstd, 1)).to(kind).to(tl.float32) * tl.load(w + k, k < H, 0.0).to(tl.float32)
    tl.store(y + m * H + k, u.to(kind), inside)
    rows = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)
    tl.store(r + rows, rstd, rows < M)

