"""triton.rms_norm"""
from minids.kernels.runtime import tl, triton



@triton.jit
def wrong_1(x, residual, w, y, h, r, M, H, x_row, residual_row, eps, ROWS: tl.constexpr, COLS: tl.constexpr):
    "divides by COLS, not by H"
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
    "eps is added to the root instead of under it"
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
def wrong_3(x, residual, w, y, h, r, M, H, x_row, residual_row, eps, ROWS: tl.constexpr, COLS: tl.constexpr):
    "h is stored rounded but goes on unrounded"
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
    "h * r is not rounded before the weight comes"
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
    u = (v * rstd[:, None])
    weight = tl.load(w + k, k < H, 0.0).to(tl.float32)
    tl.store(y + out, (u * weight[None, :]).to(y.dtype.element_ty), inside)


@triton.jit
def wrong_5(x, residual, w, y, h, r, M, H, x_row, residual_row, eps, ROWS: tl.constexpr, COLS: tl.constexpr):
    "r is stored without a mask: writes behind its M numbers"
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
    "the residual is read with the stride of x"
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
    "y is written with the stride of x"
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
    tl.store(y + m[:, None] * x_row + k[None, :], (u * weight[None, :]).to(y.dtype.element_ty), inside)


@triton.jit
def wrong_8(x, residual, w, y, h, r, M, H, x_row, residual_row, eps, ROWS: tl.constexpr, COLS: tl.constexpr):
    "the weight is read beyond H"
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
    weight = tl.load(w + k).to(tl.float32)
    tl.store(y + out, (u * weight[None, :]).to(y.dtype.element_ty), inside)


@triton.jit
def wrong_9(x, residual, w, y, h, r, M, H, x_row, residual_row, eps, ROWS: tl.constexpr, COLS: tl.constexpr):
    "r is only stored with a residual"
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
    if residual is not None:
        tl.store(r + m, rstd, m < M)
    u = (v * rstd[:, None]).to(y.dtype.element_ty).to(tl.float32)
    weight = tl.load(w + k, k < H, 0.0).to(tl.float32)
    tl.store(y + out, (u * weight[None, :]).to(y.dtype.element_ty), inside)


@triton.jit
def wrong_10(x, residual, w, y, h, r, M, H, x_row, residual_row, eps, ROWS: tl.constexpr, COLS: tl.constexpr):
    "the sum of squares is taken of the numbers before the residual came"
    m = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)
    k = tl.arange(0, COLS)
    inside = (m[:, None] < M) & (k[None, :] < H)
    out = m[:, None] * H + k[None, :]
    v = tl.load(x + m[:, None] * x_row + k[None, :], inside, 0.0).to(tl.float32)
    first = v
    if residual is not None:
        v += tl.load(residual + m[:, None] * residual_row + k[None, :], inside, 0.0).to(tl.float32)
        rounded = v.to(h.dtype.element_ty)
        tl.store(h + out, rounded, inside)
        v = rounded.to(tl.float32)
    rstd = tl.rsqrt(tl.sum(first * first, 1) / H + eps)
    tl.store(r + m, rstd, m < M)
    u = (v * rstd[:, None]).to(y.dtype.element_ty).to(tl.float32)
    weight = tl.load(w + k, k < H, 0.0).to(tl.float32)
    tl.store(y + out, (u * weight[None, :]).to(y.dtype.element_ty), inside)


@triton.jit
def right_1(x, residual, w, y, h, r, M, H, x_row, residual_row, eps, ROWS: tl.constexpr, COLS: tl.constexpr):
    "sqrt and a division, names of its own"
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
    rstd = 1.0 / tl.sqrt(tl.sum(v * v, 1) * (1.0 / H) + eps)
    tl.store(r + m, rstd, m < M)
    u = (v * rstd[:, None]).to(y.dtype.element_ty).to(tl.float32)
    weight = tl.load(w + k, k < H, 0.0).to(tl.float32)
    tl.store(y + out, (u * weight[None, :]).to(y.dtype.element_ty), inside)


@triton.jit
def right_2(x, residual, w, y, h, r, M, H, x_row, residual_row, eps, ROWS: tl.constexpr, COLS: tl.constexpr):
    "residual is None first, h by the type of h, keywords"
    rows = tl.program_id(0) * ROWS + tl.arange(0, ROWS)[:, None]
    cols = tl.arange(0, COLS)[None, :]
    mask = (rows < M) & (cols < H)
    if residual is None:
        v = tl.load(x + rows * x_row + cols, mask=mask, other=0.0).to(tl.float32)
    else:
        a = tl.load(x + rows * x_row + cols, mask=mask, other=0.0).to(tl.float32)
        b = tl.load(residual + rows * residual_row + cols, mask=mask, other=0.0).to(tl.float32)
        v = (a + b).to(h.dtype.element_ty).to(tl.float32)
        tl.store(h + rows * H + cols, v.to(h.dtype.element_ty), mask=mask)
    scale = tl.rsqrt(tl.sum(v * v, axis=1, keep_dims=True) / H + eps)
    tl.store(r + rows, scale, mask=rows < M)
    normed = (v * scale).to(y.dtype.element_ty)
    wt = tl.load(w + cols, mask=cols < H, other=0.0)
    tl.store(y + rows * H + cols, (normed.to(tl.float32) * wt.to(tl.float32)).to(y.dtype.element_ty), mask=mask)


@triton.jit
def right_3(x, residual, w, y, h, r, M, H, x_row, residual_row, eps, ROWS: tl.constexpr, COLS: tl.constexpr):
    "weight read first, where for lanes outside, r in its own pointer type"
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
    rstd = tl.rsqrt(tl.sum(tl.where(inside, v * v, 0.0), 1) / H + eps)
    tl.store(r + m, rstd.to(tl.float32), mask=m < M)
    u = (v * rstd[:, None]).to(y.dtype.element_ty).to(tl.float32)
    weight = tl.load(w + k, k < H, 0.0).to(tl.float32)
    tl.store(y + out, (u * weight[None, :]).to(y.dtype.element_ty), inside)


@triton.jit
def right_4(x, residual, w, y, h, r, M, H, x_row, residual_row, eps, ROWS: tl.constexpr, COLS: tl.constexpr):
    "a loop over the rows, one vector each"
    k = tl.arange(0, COLS)
    there = k < H
    weight = tl.load(w + k, there, 0.0).to(tl.float32)
    for i in range(ROWS):
        m = tl.program_id(0) * ROWS + i
        mask = there & (m < M)
        v = tl.load(x + m * x_row + k, mask, 0.0).to(tl.float32)
        if residual is not None:
            s = v + tl.load(residual + m * residual_row + k, mask, 0.0).to(tl.float32)
            t = s.to(h.dtype.element_ty)
            tl.store(h + m * H + k, t, mask)
            v = t.to(tl.float32)
        one = tl.rsqrt(tl.sum(v * v, 0) / H + eps)
        tl.store(r + m, one, m < M)
        u = (v * one).to(y.dtype.element_ty).to(tl.float32)
        tl.store(y + m * H + k, (u * weight).to(y.dtype.element_ty), mask)
