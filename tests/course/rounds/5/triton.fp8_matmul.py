"""triton.fp8_matmul"""
from minids.kernels.runtime import tl, triton


@triton.jit
def wrong_1(
    a, b, c, a_scales, b_scales, M, N, K, a_scale_col, b_scale_row, c_row, BM: tl.constexpr, BN: tl.constexpr
):
    "a row of b's scales is taken to have ceil(K / 128) of them, b_scale_row is not used"
    # breaks: "that of b[128 i …, 128 j …] at b_scales + i * b_scale_row + j": N = 200, K = 256, b_scale_row = 5
    m = tl.program_id(0).to(tl.int64) * BM + tl.arange(0, BM)
    n = tl.program_id(1).to(tl.int64) * BN + tl.arange(0, BN)
    acc = tl.zeros((BM, BN), tl.float32)
    for block in range(0, tl.cdiv(K, 128)):
        k = block * 128 + tl.arange(0, 128)
        x = tl.load(a + m[:, None] * K + k[None, :], (m[:, None] < M) & (k[None, :] < K), 0.0)
        y = tl.load(b + n[None, :] * K + k[:, None], (n[None, :] < N) & (k[:, None] < K), 0.0)
        sa = tl.load(a_scales + block * a_scale_col + m, m < M, 0.0)
        sb = tl.load(b_scales + tl.program_id(1) * BN // 128 * tl.cdiv(K, 128) + block)
        acc += tl.dot(x, y) * (sa * sb)[:, None]
    tl.store(c + m[:, None] * c_row + n[None, :], acc.to(c.dtype.element_ty), (m[:, None] < M) & (n[None, :] < N))


@triton.jit
def wrong_2(
    a, b, c, a_scales, b_scales, M, N, K, a_scale_col, b_scale_row, c_row, BM: tl.constexpr, BN: tl.constexpr
):
    "the block of b's scales is program * (BN // 128), which is 0 for tiles narrower than 128"
    # breaks: "BN divides 128, so all columns of a tile share one block i": BN = 64, N = 200
    m = tl.program_id(0).to(tl.int64) * BM + tl.arange(0, BM)
    n = tl.program_id(1).to(tl.int64) * BN + tl.arange(0, BN)
    acc = tl.zeros((BM, BN), tl.float32)
    for block in range(0, tl.cdiv(K, 128)):
        k = block * 128 + tl.arange(0, 128)
        x = tl.load(a + m[:, None] * K + k[None, :], (m[:, None] < M) & (k[None, :] < K), 0.0)
        y = tl.load(b + n[None, :] * K + k[:, None], (n[None, :] < N) & (k[:, None] < K), 0.0)
        sa = tl.load(a_scales + block * a_scale_col + m, m < M, 0.0)
        sb = tl.load(b_scales + tl.program_id(1) * (BN // 128) * b_scale_row + block)
        acc += tl.dot(x, y) * (sa * sb)[:, None]
    tl.store(c + m[:, None] * c_row + n[None, :], acc.to(c.dtype.element_ty), (m[:, None] < M) & (n[None, :] < N))


@triton.jit
def wrong_3(
    a, b, c, a_scales, b_scales, M, N, K, a_scale_col, b_scale_row, c_row, BM: tl.constexpr, BN: tl.constexpr
):
    "columns of a's scales are taken to lie M apart: wrong where they are padded to a multiple of 4"
    # breaks: "The scale of a[m, 128 j …] lies at a_scales + j * a_scale_col + m": M = 33, a_scale_col = 36
    m = tl.program_id(0).to(tl.int64) * BM + tl.arange(0, BM)
    n = tl.program_id(1).to(tl.int64) * BN + tl.arange(0, BN)
    acc = tl.zeros((BM, BN), tl.float32)
    for block in range(0, tl.cdiv(K, 128)):
        k = block * 128 + tl.arange(0, 128)
        x = tl.load(a + m[:, None] * K + k[None, :], (m[:, None] < M) & (k[None, :] < K), 0.0)
        y = tl.load(b + n[None, :] * K + k[:, None], (n[None, :] < N) & (k[:, None] < K), 0.0)
        sa = tl.load(a_scales + block * M + m, m < M, 0.0)
        sb = tl.load(b_scales + tl.program_id(1) * BN // 128 * b_scale_row + block)
        acc += tl.dot(x, y) * (sa * sb)[:, None]
    tl.store(c + m[:, None] * c_row + n[None, :], acc.to(c.dtype.element_ty), (m[:, None] < M) & (n[None, :] < N))


@triton.jit
def wrong_4(
    a, b, c, a_scales, b_scales, M, N, K, a_scale_col, b_scale_row, c_row, BM: tl.constexpr, BN: tl.constexpr
):
    "the running sum is scaled with each new block's scales, not only the new products"
    # breaks: "in blocks of 128 along K": K = 300, the first block is multiplied by all three scales
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


@triton.jit
def wrong_5(
    a, b, c, a_scales, b_scales, M, N, K, a_scale_col, b_scale_row, c_row, BM: tl.constexpr, BN: tl.constexpr
):
    "only whole blocks of 128 along K: the ragged rest is left out"
    # breaks: "M, N and K may be ragged": K = 300; K = 70 gives zeros
    m = tl.program_id(0).to(tl.int64) * BM + tl.arange(0, BM)
    n = tl.program_id(1).to(tl.int64) * BN + tl.arange(0, BN)
    acc = tl.zeros((BM, BN), tl.float32)
    for block in range(0, K // 128):
        k = block * 128 + tl.arange(0, 128)
        x = tl.load(a + m[:, None] * K + k[None, :], (m[:, None] < M) & (k[None, :] < K), 0.0)
        y = tl.load(b + n[None, :] * K + k[:, None], (n[None, :] < N) & (k[:, None] < K), 0.0)
        sa = tl.load(a_scales + block * a_scale_col + m, m < M, 0.0)
        sb = tl.load(b_scales + tl.program_id(1) * BN // 128 * b_scale_row + block)
        acc += tl.dot(x, y) * (sa * sb)[:, None]
    tl.store(c + m[:, None] * c_row + n[None, :], acc.to(c.dtype.element_ty), (m[:, None] < M) & (n[None, :] < N))


@triton.jit
def wrong_6(
    a, b, c, a_scales, b_scales, M, N, K, a_scale_col, b_scale_row, c_row, BM: tl.constexpr, BN: tl.constexpr
):
    "b's tile is not masked along k, trusting to the zeros of a's: a NaN behind K times zero is NaN"
    # breaks: "M, N and K may be ragged": K = 129, a NaN in row 1 of b makes column 0 NaN as well
    m = tl.program_id(0).to(tl.int64) * BM + tl.arange(0, BM)
    n = tl.program_id(1).to(tl.int64) * BN + tl.arange(0, BN)
    acc = tl.zeros((BM, BN), tl.float32)
    for block in range(0, tl.cdiv(K, 128)):
        k = block * 128 + tl.arange(0, 128)
        x = tl.load(a + m[:, None] * K + k[None, :], (m[:, None] < M) & (k[None, :] < K), 0.0)
        there = (n[None, :] < N) & (n[None, :] * K + k[:, None] < N * K)
        y = tl.load(b + n[None, :] * K + k[:, None], there, 0.0)
        sa = tl.load(a_scales + block * a_scale_col + m, m < M, 0.0)
        sb = tl.load(b_scales + tl.program_id(1) * BN // 128 * b_scale_row + block)
        acc += tl.dot(x, y) * (sa * sb)[:, None]
    tl.store(c + m[:, None] * c_row + n[None, :], acc.to(c.dtype.element_ty), (m[:, None] < M) & (n[None, :] < N))


@triton.jit
def wrong_7(
    a, b, c, a_scales, b_scales, M, N, K, a_scale_col, b_scale_row, c_row, BM: tl.constexpr, BN: tl.constexpr
):
    "c is written as if contiguous: wrong where c is a part of a wider matrix"
    # breaks: "Element [m, n] of c lies at c + m * c_row + n": c_row = N + 6
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
    tl.store(c + m[:, None] * N + n[None, :], acc.to(c.dtype.element_ty), (m[:, None] < M) & (n[None, :] < N))


@triton.jit
def wrong_8(
    a, b, c, a_scales, b_scales, M, N, K, a_scale_col, b_scale_row, c_row, BM: tl.constexpr, BN: tl.constexpr
):
    "the sum is rounded to bfloat16 at each promotion"
    # breaks: "the sum stays in registers, in float32, and is written once" (the module): K = 300, c float32
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
        acc = acc.to(tl.bfloat16).to(tl.float32)
    tl.store(c + m[:, None] * c_row + n[None, :], acc.to(c.dtype.element_ty), (m[:, None] < M) & (n[None, :] < N))


@triton.jit
def wrong_9(
    a, b, c, a_scales, b_scales, M, N, K, a_scale_col, b_scale_row, c_row, BM: tl.constexpr, BN: tl.constexpr
):
    "operands are dequantised to bfloat16 first: number times scale is rounded to 8 bits before the product"
    # breaks: "c [M, N] = (a * its scales) @ (b * its scales).T": scales that are no powers of two, c float32, error 2^-9
    m = tl.program_id(0).to(tl.int64) * BM + tl.arange(0, BM)
    n = tl.program_id(1).to(tl.int64) * BN + tl.arange(0, BN)
    acc = tl.zeros((BM, BN), tl.float32)
    for block in range(0, tl.cdiv(K, 128)):
        k = block * 128 + tl.arange(0, 128)
        x = tl.load(a + m[:, None] * K + k[None, :], (m[:, None] < M) & (k[None, :] < K), 0.0)
        y = tl.load(b + n[None, :] * K + k[:, None], (n[None, :] < N) & (k[:, None] < K), 0.0)
        sa = tl.load(a_scales + block * a_scale_col + m, m < M, 0.0)
        sb = tl.load(b_scales + tl.program_id(1) * BN // 128 * b_scale_row + block)
        acc += tl.dot((x.to(tl.float32) * sa[:, None]).to(tl.bfloat16), (y.to(tl.float32) * sb).to(tl.bfloat16))
    tl.store(c + m[:, None] * c_row + n[None, :], acc.to(c.dtype.element_ty), (m[:, None] < M) & (n[None, :] < N))


@triton.jit
def wrong_10(
    a, b, c, a_scales, b_scales, M, N, K, a_scale_col, b_scale_row, c_row, BM: tl.constexpr, BN: tl.constexpr
):
    "b's scales are read turned: row j, column i"
    # breaks: "that of b[128 i …, 128 j …] at b_scales + i * b_scale_row + j": N = 256, K = 256
    m = tl.program_id(0).to(tl.int64) * BM + tl.arange(0, BM)
    n = tl.program_id(1).to(tl.int64) * BN + tl.arange(0, BN)
    acc = tl.zeros((BM, BN), tl.float32)
    for block in range(0, tl.cdiv(K, 128)):
        k = block * 128 + tl.arange(0, 128)
        x = tl.load(a + m[:, None] * K + k[None, :], (m[:, None] < M) & (k[None, :] < K), 0.0)
        y = tl.load(b + n[None, :] * K + k[:, None], (n[None, :] < N) & (k[:, None] < K), 0.0)
        sa = tl.load(a_scales + block * a_scale_col + m, m < M, 0.0)
        i, rows = tl.program_id(1) * BN // 128, tl.cdiv(N, 128)
        sb = tl.load(b_scales + block * b_scale_row + i, (block < rows) & (i < b_scale_row), 1.0)
        acc += tl.dot(x, y) * (sa * sb)[:, None]
    tl.store(c + m[:, None] * c_row + n[None, :], acc.to(c.dtype.element_ty), (m[:, None] < M) & (n[None, :] < N))


@triton.jit
def right_1(
    a, b, c, a_scales, b_scales, M, N, K, a_scale_col, b_scale_row, c_row, BM: tl.constexpr, BN: tl.constexpr
):
    "a vector of b's scales, one for each column of the tile, from n // 128"
    m = tl.program_id(0).to(tl.int64) * BM + tl.arange(0, BM)
    n = tl.program_id(1).to(tl.int64) * BN + tl.arange(0, BN)
    acc = tl.zeros((BM, BN), tl.float32)
    for block in range(0, tl.cdiv(K, 128)):
        k = block * 128 + tl.arange(0, 128)
        x = tl.load(a + m[:, None] * K + k[None, :], (m[:, None] < M) & (k[None, :] < K), 0.0)
        y = tl.load(b + n[None, :] * K + k[:, None], (n[None, :] < N) & (k[:, None] < K), 0.0)
        sa = tl.load(a_scales + block * a_scale_col + m, m < M, 0.0)
        sb = tl.load(b_scales + n // 128 * b_scale_row + block, n < N, 0.0)
        acc += tl.dot(x, y) * sa[:, None] * sb[None, :]
    tl.store(c + m[:, None] * c_row + n[None, :], acc.to(c.dtype.element_ty), (m[:, None] < M) & (n[None, :] < N))


@triton.jit
def right_2(
    a, b, c, a_scales, b_scales, M, N, K, a_scale_col, b_scale_row, c_row, BM: tl.constexpr, BN: tl.constexpr
):
    "numbers times their scales in float32, then a product of float32"
    m = tl.program_id(0).to(tl.int64) * BM + tl.arange(0, BM)
    n = tl.program_id(1).to(tl.int64) * BN + tl.arange(0, BN)
    acc = tl.zeros((BM, BN), tl.float32)
    for block in range(0, tl.cdiv(K, 128)):
        k = block * 128 + tl.arange(0, 128)
        x = tl.load(a + m[:, None] * K + k[None, :], (m[:, None] < M) & (k[None, :] < K), 0.0)
        y = tl.load(b + n[None, :] * K + k[:, None], (n[None, :] < N) & (k[:, None] < K), 0.0)
        sa = tl.load(a_scales + block * a_scale_col + m, m < M, 0.0)
        sb = tl.load(b_scales + tl.program_id(1) * BN // 128 * b_scale_row + block)
        left, right = x.to(tl.float32) * sa[:, None], y.to(tl.float32) * sb
        acc = tl.dot(left, right, acc, input_precision="ieee")
    tl.store(c + m[:, None] * c_row + n[None, :], acc.to(c.dtype.element_ty), (m[:, None] < M) & (n[None, :] < N))


@triton.jit
def right_3(
    a, b, c, a_scales, b_scales, M, N, K, a_scale_col, b_scale_row, c_row, BM: tl.constexpr, BN: tl.constexpr
):
    "pointers that walk, b's tile loaded as it lies and turned with tl.trans"
    m = tl.program_id(0).to(tl.int64) * BM + tl.arange(0, BM)
    n = tl.program_id(1).to(tl.int64) * BN + tl.arange(0, BN)
    acc = tl.zeros((BM, BN), tl.float32)
    lanes = tl.arange(0, 128)
    a_ptrs, b_ptrs = a + m[:, None] * K + lanes[None, :], b + n[:, None] * K + lanes[None, :]
    sa_ptrs, sb_ptr = a_scales + m, b_scales + (tl.program_id(1) * BN) // 128 * b_scale_row
    for left in range(K, 0, -128):
        x = tl.load(a_ptrs, mask=(m < M)[:, None] & (lanes < left)[None, :], other=0.0)
        y = tl.load(b_ptrs, mask=(n < N)[:, None] & (lanes < left)[None, :], other=0.0)
        scales = tl.load(sa_ptrs, mask=m < M, other=0.0)
        scales = scales * tl.load(sb_ptr)
        acc += scales[:, None] * tl.dot(x, tl.trans(y))
        a_ptrs += 128
        b_ptrs += 128
        sa_ptrs += a_scale_col
        sb_ptr += 1
    tl.store(c + m[:, None] * c_row + n[None, :], acc.to(c.dtype.element_ty), (m[:, None] < M) & (n[None, :] < N))


@triton.jit
def right_4(
    a, b, c, a_scales, b_scales, M, N, K, a_scale_col, b_scale_row, c_row, BM: tl.constexpr, BN: tl.constexpr
):
    "the 128 of a block in four pieces of 32, scaled once they are summed"
    m = tl.program_id(0).to(tl.int64) * BM + tl.arange(0, BM)
    n = tl.program_id(1).to(tl.int64) * BN + tl.arange(0, BN)
    acc = tl.zeros((BM, BN), tl.float32)
    for block in range(0, tl.cdiv(K, 128)):
        products = tl.zeros((BM, BN), tl.float32)
        for piece in range(0, 128, 32):
            k = block * 128 + piece + tl.arange(0, 32)
            x = tl.load(a + m[:, None] * K + k[None, :], (m[:, None] < M) & (k[None, :] < K), 0.0)
            y = tl.load(b + n[None, :] * K + k[:, None], (n[None, :] < N) & (k[:, None] < K), 0.0)
            products = tl.dot(x, y, products)
        sa = tl.load(a_scales + block * a_scale_col + m, m < M, 0.0)
        sb = tl.load(b_scales + tl.program_id(1) * BN // 128 * b_scale_row + block)
        acc = acc + products * sa[:, None] * sb
    tl.store(c + m[:, None] * c_row + n[None, :], acc.to(c.dtype.element_ty), (m[:, None] < M) & (n[None, :] < N))
