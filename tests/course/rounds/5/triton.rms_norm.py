"""triton.rms_norm"""
from minids.kernels.runtime import tl, triton


@triton.jit
def wrong_1(x, residual, w, y, h, r, M, H, x_row, residual_row, eps, ROWS: tl.constexpr, COLS: tl.constexpr):
    "the mean divides by the width of the tile: wrong where H is no power of two"
    # breaks: "r = 1 / sqrt(mean(h^2) + eps) of each row": H = 20, COLS = 32
    m = tl.program_id(0) * ROWS + tl.arange(0, ROWS)
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
    "eps is added to the sum and divided by H with it: shows where a row is small, or eps is not"
    # breaks: "1 / sqrt(mean(h^2) + eps)": a row of zeros with eps = 1e-6 and H = 20 must have r = 1000
    m = tl.program_id(0) * ROWS + tl.arange(0, ROWS)
    k = tl.arange(0, COLS)
    inside = (m[:, None] < M) & (k[None, :] < H)
    out = m[:, None] * H + k[None, :]
    v = tl.load(x + m[:, None] * x_row + k[None, :], inside, 0.0).to(tl.float32)
    if residual is not None:
        v += tl.load(residual + m[:, None] * residual_row + k[None, :], inside, 0.0).to(tl.float32)
        rounded = v.to(h.dtype.element_ty)
        tl.store(h + out, rounded, inside)
        v = rounded.to(tl.float32)
    rstd = tl.rsqrt((tl.sum(v * v, 1) + eps) / H)
    tl.store(r + m, rstd, m < M)
    u = (v * rstd[:, None]).to(y.dtype.element_ty).to(tl.float32)
    weight = tl.load(w + k, k < H, 0.0).to(tl.float32)
    tl.store(y + out, (u * weight[None, :]).to(y.dtype.element_ty), inside)


@triton.jit
def wrong_3(x, residual, w, y, h, r, M, H, x_row, residual_row, eps, ROWS: tl.constexpr, COLS: tl.constexpr):
    "what is normed is the sum before it was rounded; only what is stored in h is rounded (bfloat16 with a residual)"
    # breaks: "h is rounded to its type before it is normed": r of a bfloat16 x with a residual
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


@triton.jit
def wrong_4(x, residual, w, y, h, r, M, H, x_row, residual_row, eps, ROWS: tl.constexpr, COLS: tl.constexpr):
    "rounded once, at the end: h * r meets the weight in float32 (bfloat16, weights other than powers of two)"
    # breaks: "[rounded] h * r to that of y before the weight comes, and y": bfloat16 randn, weight randn
    m = tl.program_id(0) * ROWS + tl.arange(0, ROWS)
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


@triton.jit
def wrong_5(x, residual, w, y, h, r, M, H, x_row, residual_row, eps, ROWS: tl.constexpr, COLS: tl.constexpr):
    "r is stored without a mask: the last program writes 1 / sqrt(eps) behind the M numbers of r"
    # breaks: "r to [M] float32": M = 5, ROWS = 4, three numbers behind r are overwritten
    m = tl.program_id(0) * ROWS + tl.arange(0, ROWS)
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
    # breaks: "of residual at residual + m * residual_row + k": x a slice with x_row = 29, residual contiguous, H = 20
    m = tl.program_id(0) * ROWS + tl.arange(0, ROWS)
    k = tl.arange(0, COLS)
    inside = (m[:, None] < M) & (k[None, :] < H)
    out = m[:, None] * H + k[None, :]
    place = m[:, None] * x_row + k[None, :]
    v = tl.load(x + place, inside, 0.0).to(tl.float32)
    if residual is not None:
        v += tl.load(residual + place, inside, 0.0).to(tl.float32)
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
    "the load of the residual masks rows only: its lanes beyond H are what lies there, and join the sum"
    # breaks: "r = 1 / sqrt(mean(h^2) + eps) of each row": a residual with H = 20, COLS = 32
    m = tl.program_id(0) * ROWS + tl.arange(0, ROWS)
    k = tl.arange(0, COLS)
    inside = (m[:, None] < M) & (k[None, :] < H)
    out = m[:, None] * H + k[None, :]
    v = tl.load(x + m[:, None] * x_row + k[None, :], inside, 0.0).to(tl.float32)
    if residual is not None:
        there = (m[:, None] < M) & (m[:, None] * residual_row + k[None, :] < (M - 1) * residual_row + H)
        v += tl.load(residual + m[:, None] * residual_row + k[None, :], there, 0.0).to(tl.float32)
        rounded = v.to(h.dtype.element_ty)
        tl.store(h + out, rounded, inside)
        v = rounded.to(tl.float32)
    rstd = tl.rsqrt(tl.sum(v * v, 1) / H + eps)
    tl.store(r + m, rstd, m < M)
    u = (v * rstd[:, None]).to(y.dtype.element_ty).to(tl.float32)
    weight = tl.load(w + k, k < H, 0.0).to(tl.float32)
    tl.store(y + out, (u * weight[None, :]).to(y.dtype.element_ty), inside)


@triton.jit
def wrong_8(x, residual, w, y, h, r, M, H, x_row, residual_row, eps, ROWS: tl.constexpr, COLS: tl.constexpr):
    "r is kept in the precision of y, though y itself is made with the exact one (bfloat16 and float16)"
    # breaks: "r to [M] float32", "r = 1 / sqrt(mean(h^2) + eps)": bfloat16 rows, r off by up to 2^-9
    m = tl.program_id(0) * ROWS + tl.arange(0, ROWS)
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
    tl.store(r + m, rstd.to(y.dtype.element_ty).to(tl.float32), m < M)
    u = (v * rstd[:, None]).to(y.dtype.element_ty).to(tl.float32)
    weight = tl.load(w + k, k < H, 0.0).to(tl.float32)
    tl.store(y + out, (u * weight[None, :]).to(y.dtype.element_ty), inside)


@triton.jit
def wrong_9(x, residual, w, y, h, r, M, H, x_row, residual_row, eps, ROWS: tl.constexpr, COLS: tl.constexpr):
    "squares are rounded to the type of x before they are added up: bfloat16 is coarse, float16 is inf above 256"
    # breaks: "Sums are float32": float16 x = 300 must give r = 1 / 300, here 0
    m = tl.program_id(0) * ROWS + tl.arange(0, ROWS)
    k = tl.arange(0, COLS)
    inside = (m[:, None] < M) & (k[None, :] < H)
    out = m[:, None] * H + k[None, :]
    v = tl.load(x + m[:, None] * x_row + k[None, :], inside, 0.0).to(tl.float32)
    if residual is not None:
        v += tl.load(residual + m[:, None] * residual_row + k[None, :], inside, 0.0).to(tl.float32)
        rounded = v.to(h.dtype.element_ty)
        tl.store(h + out, rounded, inside)
        v = rounded.to(tl.float32)
    squares = (v * v).to(x.dtype.element_ty).to(tl.float32)
    rstd = tl.rsqrt(tl.sum(squares, 1) / H + eps)
    tl.store(r + m, rstd, m < M)
    u = (v * rstd[:, None]).to(y.dtype.element_ty).to(tl.float32)
    weight = tl.load(w + k, k < H, 0.0).to(tl.float32)
    tl.store(y + out, (u * weight[None, :]).to(y.dtype.element_ty), inside)


@triton.jit
def wrong_10(x, residual, w, y, h, r, M, H, x_row, residual_row, eps, ROWS: tl.constexpr, COLS: tl.constexpr):
    "h is laid out like x: wrong where x is a slice of a wider matrix and there is a residual"
    # breaks: "of y and h at m * H + k": x_row = 29, H = 20, with a residual
    m = tl.program_id(0) * ROWS + tl.arange(0, ROWS)
    k = tl.arange(0, COLS)
    inside = (m[:, None] < M) & (k[None, :] < H)
    place = m[:, None] * x_row + k[None, :]
    v = tl.load(x + place, inside, 0.0).to(tl.float32)
    if residual is not None:
        v += tl.load(residual + m[:, None] * residual_row + k[None, :], inside, 0.0).to(tl.float32)
        rounded = v.to(h.dtype.element_ty)
        tl.store(h + place, rounded, inside & (place < M * H))
        v = rounded.to(tl.float32)
    rstd = tl.rsqrt(tl.sum(v * v, 1) / H + eps)
    tl.store(r + m, rstd, m < M)
    u = (v * rstd[:, None]).to(y.dtype.element_ty).to(tl.float32)
    weight = tl.load(w + k, k < H, 0.0).to(tl.float32)
    tl.store(y + m[:, None] * H + k[None, :], (u * weight[None, :]).to(y.dtype.element_ty), inside)


@triton.jit
def right_1(x, residual, w, y, h, r, M, H, x_row, residual_row, eps, ROWS: tl.constexpr, COLS: tl.constexpr):
    "row by row in a loop, with vectors and one number a row"
    k = tl.arange(0, COLS)
    real = k < H
    weight = tl.load(w + k, real, 0.0).to(tl.float32)
    for i in range(ROWS):
        m = tl.program_id(0).to(tl.int64) * ROWS + i
        ok = real & (m < M)
        v = tl.load(x + m * x_row + k, ok, 0.0).to(tl.float32)
        if residual is not None:
            total = (v + tl.load(residual + m * residual_row + k, ok, 0.0).to(tl.float32)).to(h.dtype.element_ty)
            tl.store(h + m * H + k, total, ok)
            v = total.to(tl.float32)
        rstd = 1.0 / tl.sqrt(tl.sum(v * v, 0) / H + eps)
        tl.store(r + m + k, rstd, (k == 0) & (m < M))
        u = (v * rstd).to(y.dtype.element_ty).to(tl.float32)
        tl.store(y + m * H + k, (weight * u).to(y.dtype.element_ty), ok)


@triton.jit
def right_2(x, residual, w, y, h, r, M, H, x_row, residual_row, eps, ROWS: tl.constexpr, COLS: tl.constexpr):
    "axes kept (keep_dims), one over a square root, and r stored as a column"
    rows = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)[:, None]
    cols = tl.arange(0, COLS)[None, :]
    mask = (rows < M) & (cols < H)
    if residual is None:
        v = tl.load(x + rows * x_row + cols, mask=mask, other=0.0).to(tl.float32)
    else:
        a = tl.load(x + rows * x_row + cols, mask=mask, other=0.0).to(tl.float32)
        b = tl.load(residual + rows * residual_row + cols, mask=mask, other=0.0).to(tl.float32)
        hidden = (a + b).to(h.dtype.element_ty)
        tl.store(h + rows * H + cols, hidden, mask=mask)
        v = hidden.to(tl.float32)
    mean = tl.sum(v * v, axis=1, keep_dims=True) / H
    inverse = 1 / tl.sqrt(mean + eps)
    tl.store(r + rows, inverse, mask=rows < M)
    normed = (v * inverse).to(y.dtype.element_ty).to(tl.float32)
    scale = tl.load(w + cols, mask=cols < H, other=0.0).to(tl.float32)
    tl.store(y + rows * H + cols, (normed * scale).to(y.dtype.element_ty), mask=mask)


@triton.jit
def right_3(x, residual, w, y, h, r, M, H, x_row, residual_row, eps, ROWS: tl.constexpr, COLS: tl.constexpr):
    "lanes beyond the edges load junk-free ones, and are taken out of the sum with where"
    m = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)
    k = tl.arange(0, COLS)
    inside = (m < M)[:, None] & (k < H)[None, :]
    v = tl.load(x + (m * x_row)[:, None] + k[None, :], inside, other=1.0).to(tl.float32)
    if residual is not None:
        v = v + tl.load(residual + (m * residual_row)[:, None] + k[None, :], inside, other=1.0).to(tl.float32)
        v = v.to(h.dtype.element_ty)
        tl.store(h + (m * H)[:, None] + k[None, :], v, inside)
        v = v.to(tl.float32)
    squares = tl.where(inside, v * v, 0.0)
    rstd = tl.rsqrt(tl.sum(squares, 1) / H + eps)
    tl.store(r + m, rstd, m < M)
    u = (v * rstd[:, None]).to(y.dtype.element_ty)
    weight = tl.load(w + k, k < H, other=1.0)
    product = u.to(tl.float32) * weight.to(tl.float32)[None, :]
    tl.store(y + (m * H)[:, None] + k[None, :], product.to(y.dtype.element_ty), inside)


@triton.jit
def right_4(x, residual, w, y, h, r, M, H, x_row, residual_row, eps, ROWS: tl.constexpr, COLS: tl.constexpr):
    "pointers moved to the first row, each square divided by H before the sum"
    top = tl.program_id(0).to(tl.int64) * ROWS
    i, k = tl.arange(0, ROWS), tl.arange(0, COLS)
    left = M - top  # rows that are left
    ok = (i[:, None] < left) & (k[None, :] < H)
    v = tl.load(x + top * x_row + i[:, None] * x_row + k[None, :], ok, 0.0).to(tl.float32)
    if residual is not None:
        more = tl.load(residual + top * residual_row + i[:, None] * residual_row + k[None, :], ok, 0.0)
        s = (more.to(tl.float32) + v).to(h.dtype.element_ty)
        tl.store(h + top * H + i[:, None] * H + k[None, :], s, ok)
        v = s.to(tl.float32)
    rstd = tl.rsqrt(eps + tl.sum(v * v / H, 1))
    tl.store(r + top + i, rstd, i < left)
    u = (rstd[:, None] * v).to(y.dtype.element_ty).to(tl.float32)
    g = tl.load(w + k, k < H, 0.0).to(tl.float32)
    tl.store(y + top * H + i[:, None] * H + k[None, :], (g[None, :] * u).to(y.dtype.element_ty), ok)
