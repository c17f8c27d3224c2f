"""triton.fp8_matmul"""
from minids.kernels.runtime import tl, triton



@triton.jit
def wrong_1(a, b, c, a_scales, b_scales, M, N, K, a_scale_col, b_scale_row, c_row, BM: tl.constexpr, BN: tl.constexpr):
    "the program's number as the number of b's block: wrong where BN is less than 128"
    m = tl.program_id(0).to(tl.int64) * BM + tl.arange(0, BM)
    n = tl.program_id(1).to(tl.int64) * BN + tl.arange(0, BN)
    acc = tl.zeros((BM, BN), tl.float32)
    for block in range(0, tl.cdiv(K, 128)):
        k = block * 128 + tl.arange(0, 128)
        x = tl.load(a + m[:, None] * K + k[None, :], (m[:, None] < M) & (k[None, :] < K), 0.0)
        y = tl.load(b + n[None, :] * K + k[:, None], (n[None, :] < N) & (k[:, None] < K), 0.0)
        products = tl.dot(x, y)
        sa = tl.load(a_scales + block * a_scale_col + m, m < M, 0.0)
        sb = tl.load(b_scales + tl.program_id(1) * b_scale_row + block)
        acc += products * (sa * sb)[:, None]
    tl.store(c + m[:, None] * c_row + n[None, :], acc.to(c.dtype.element_ty), (m[:, None] < M) & (n[None, :] < N))


@triton.jit
def wrong_2(a, b, c, a_scales, b_scales, M, N, K, a_scale_col, b_scale_row, c_row, BM: tl.constexpr, BN: tl.constexpr):
    "rows of b's scales are taken to be cdiv(K, 128) apart, b_scale_row is not used"
    m = tl.program_id(0).to(tl.int64) * BM + tl.arange(0, BM)
    n = tl.program_id(1).to(tl.int64) * BN + tl.arange(0, BN)
    acc = tl.zeros((BM, BN), tl.float32)
    for block in range(0, tl.cdiv(K, 128)):
        k = block * 128 + tl.arange(0, 128)
        x = tl.load(a + m[:, None] * K + k[None, :], (m[:, None] < M) & (k[None, :] < K), 0.0)
        y = tl.load(b + n[None, :] * K + k[:, None], (n[None, :] < N) & (k[:, None] < K), 0.0)
        products = tl.dot(x, y)
        sa = tl.load(a_scales + block * a_scale_col + m, m < M, 0.0)
        sb = tl.load(b_scales + tl.program_id(1) * BN // 128 * tl.cdiv(K, 128) + block)
        acc += products * (sa * sb)[:, None]
    tl.store(c + m[:, None] * c_row + n[None, :], acc.to(c.dtype.element_ty), (m[:, None] < M) & (n[None, :] < N))


@triton.jit
def wrong_3(a, b, c, a_scales, b_scales, M, N, K, a_scale_col, b_scale_row, c_row, BM: tl.constexpr, BN: tl.constexpr):
    "columns of a's scales are taken to be M apart, a_scale_col is not used (padded to a multiple of 4)"
    m = tl.program_id(0).to(tl.int64) * BM + tl.arange(0, BM)
    n = tl.program_id(1).to(tl.int64) * BN + tl.arange(0, BN)
    acc = tl.zeros((BM, BN), tl.float32)
    for block in range(0, tl.cdiv(K, 128)):
        k = block * 128 + tl.arange(0, 128)
        x = tl.load(a + m[:, None] * K + k[None, :], (m[:, None] < M) & (k[None, :] < K), 0.0)
        y = tl.load(b + n[None, :] * K + k[:, None], (n[None, :] < N) & (k[:, None] < K), 0.0)
        products = tl.dot(x, y)
        sa = tl.load(a_scales + block * M + m, m < M, 0.0)
        sb = tl.load(b_scales + tl.program_id(1) * BN // 128 * b_scale_row + block)
        acc += products * (sa * sb)[:, None]
    tl.store(c + m[:, None] * c_row + n[None, :], acc.to(c.dtype.element_ty), (m[:, None] < M) & (n[None, :] < N))


@triton.jit
def wrong_4(a, b, c, a_scales, b_scales, M, N, K, a_scale_col, b_scale_row, c_row, BM: tl.constexpr, BN: tl.constexpr):
    "a short last block of K is left out"
    m = tl.program_id(0).to(tl.int64) * BM + tl.arange(0, BM)
    n = tl.program_id(1).to(tl.int64) * BN + tl.arange(0, BN)
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


@triton.jit
def wrong_5(a, b, c, a_scales, b_scales, M, N, K, a_scale_col, b_scale_row, c_row, BM: tl.constexpr, BN: tl.constexpr):
    "b's scale of the first block of K for all of them"
    m = tl.program_id(0).to(tl.int64) * BM + tl.arange(0, BM)
    n = tl.program_id(1).to(tl.int64) * BN + tl.arange(0, BN)
    acc = tl.zeros((BM, BN), tl.float32)
    for block in range(0, tl.cdiv(K, 128)):
        k = block * 128 + tl.arange(0, 128)
        x = tl.load(a + m[:, None] * K + k[None, :], (m[:, None] < M) & (k[None, :] < K), 0.0)
        y = tl.load(b + n[None, :] * K + k[:, None], (n[None, :] < N) & (k[:, None] < K), 0.0)
        products = tl.dot(x, y)
        sa = tl.load(a_scales + block * a_scale_col + m, m < M, 0.0)
        sb = tl.load(b_scales + tl.program_id(1) * BN // 128 * b_scale_row)
        acc += products * (sa * sb)[:, None]
    tl.store(c + m[:, None] * c_row + n[None, :], acc.to(c.dtype.element_ty), (m[:, None] < M) & (n[None, :] < N))


@triton.jit
def wrong_6(a, b, c, a_scales, b_scales, M, N, K, a_scale_col, b_scale_row, c_row, BM: tl.constexpr, BN: tl.constexpr):
    "the running sum is scaled along with each step"
    m = tl.program_id(0).to(tl.int64) * BM + tl.arange(0, BM)
    n = tl.program_id(1).to(tl.int64) * BN + tl.arange(0, BN)
    acc = tl.zeros((BM, BN), tl.float32)
    for block in range(0, tl.cdiv(K, 128)):
        k = block * 128 + tl.arange(0, 128)
        x = tl.load(a + m[:, None] * K + k[None, :], (m[:, None] < M) & (k[None, :] < K), 0.0)
        y = tl.load(b + n[None, :] * K + k[:, None], (n[None, :] < N) & (k[:, None] < K), 0.0)
        products = tl.dot(x, y)
        sa = tl.load(a_scales + block * a_scale_col + m, m < M, 0.0)
        sb = tl.load(b_scales + tl.program_id(1) * BN // 128 * b_scale_row + block)
        acc = (acc + products) * (sa * sb)[:, None]
    tl.store(c + m[:, None] * c_row + n[None, :], acc.to(c.dtype.element_ty), (m[:, None] < M) & (n[None, :] < N))


@triton.jit
def wrong_7(a, b, c, a_scales, b_scales, M, N, K, a_scale_col, b_scale_row, c_row, BM: tl.constexpr, BN: tl.constexpr):
    "the scales of a are read without a mask, behind the last row"
    m = tl.program_id(0).to(tl.int64) * BM + tl.arange(0, BM)
    n = tl.program_id(1).to(tl.int64) * BN + tl.arange(0, BN)
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


@triton.jit
def wrong_8(a, b, c, a_scales, b_scales, M, N, K, a_scale_col, b_scale_row, c_row, BM: tl.constexpr, BN: tl.constexpr):
    "a is not masked along K: the next row (or NaN behind the tensor) times 0"
    m = tl.program_id(0).to(tl.int64) * BM + tl.arange(0, BM)
    n = tl.program_id(1).to(tl.int64) * BN + tl.arange(0, BN)
    acc = tl.zeros((BM, BN), tl.float32)
    for block in range(0, tl.cdiv(K, 128)):
        k = block * 128 + tl.arange(0, 128)
        x = tl.load(a + m[:, None] * K + k[None, :], (m[:, None] < M) & (k[None, :] >= 0), 0.0)
        y = tl.load(b + n[None, :] * K + k[:, None], (n[None, :] < N) & (k[:, None] < K), 0.0)
        products = tl.dot(x, y)
        sa = tl.load(a_scales + block * a_scale_col + m, m < M, 0.0)
        sb = tl.load(b_scales + tl.program_id(1) * BN // 128 * b_scale_row + block)
        acc += products * (sa * sb)[:, None]
    tl.store(c + m[:, None] * c_row + n[None, :], acc.to(c.dtype.element_ty), (m[:, None] < M) & (n[None, :] < N))


@triton.jit
def wrong_9(a, b, c, a_scales, b_scales, M, N, K, a_scale_col, b_scale_row, c_row, BM: tl.constexpr, BN: tl.constexpr):
    "c is written with N as the distance of its rows"
    m = tl.program_id(0).to(tl.int64) * BM + tl.arange(0, BM)
    n = tl.program_id(1).to(tl.int64) * BN + tl.arange(0, BN)
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


@triton.jit
def wrong_10(a, b, c, a_scales, b_scales, M, N, K, a_scale_col, b_scale_row, c_row, BM: tl.constexpr, BN: tl.constexpr):
    "the sum is rounded to the type of c after each block (bfloat16)"
    m = tl.program_id(0).to(tl.int64) * BM + tl.arange(0, BM)
    n = tl.program_id(1).to(tl.int64) * BN + tl.arange(0, BN)
    acc = tl.zeros((BM, BN), tl.float32)
    for block in range(0, tl.cdiv(K, 128)):
        k = block * 128 + tl.arange(0, 128)
        x = tl.load(a + m[:, None] * K + k[None, :], (m[:, None] < M) & (k[None, :] < K), 0.0)
        y = tl.load(b + n[None, :] * K + k[:, None], (n[None, :] < N) & (k[:, None] < K), 0.0)
        products = tl.dot(x, y)
        sa = tl.load(a_scales + block * a_scale_col + m, m < M, 0.0)
        sb = tl.load(b_scales + tl.program_id(1) * BN // 128 * b_scale_row + block)
        acc = (acc + products * (sa * sb)[:, None]).to(c.dtype.element_ty).to(tl.float32)
    tl.store(c + m[:, None] * c_row + n[None, :], acc.to(c.dtype.element_ty), (m[:, None] < M) & (n[None, :] < N))


@triton.jit
def right_1(a, b, c, a_scales, b_scales, M, N, K, a_scale_col, b_scale_row, c_row, BM: tl.constexpr, BN: tl.constexpr):
    "b's scale as a vector over the columns"
    m = tl.program_id(0).to(tl.int64) * BM + tl.arange(0, BM)
    n = tl.program_id(1).to(tl.int64) * BN + tl.arange(0, BN)
    acc = tl.zeros((BM, BN), tl.float32)
    for block in range(0, tl.cdiv(K, 128)):
        k = block * 128 + tl.arange(0, 128)
        x = tl.load(a + m[:, None] * K + k[None, :], (m[:, None] < M) & (k[None, :] < K), 0.0)
        y = tl.load(b + n[None, :] * K + k[:, None], (n[None, :] < N) & (k[:, None] < K), 0.0)
        products = tl.dot(x, y)
        sa = tl.load(a_scales + block * a_scale_col + m, m < M, 0.0)
        sb = tl.load(b_scales + n // 128 * b_scale_row + block, n < N, 0.0)
        acc += products * sa[:, None] * sb[None, :]
    tl.store(c + m[:, None] * c_row + n[None, :], acc.to(c.dtype.element_ty), (m[:, None] < M) & (n[None, :] < N))


@triton.jit
def right_2(a, b, c, a_scales, b_scales, M, N, K, a_scale_col, b_scale_row, c_row, BM: tl.constexpr, BN: tl.constexpr):
    "b loaded as it lies and turned in registers"
    m = tl.program_id(0).to(tl.int64) * BM + tl.arange(0, BM)
    n = tl.program_id(1).to(tl.int64) * BN + tl.arange(0, BN)
    acc = tl.zeros((BM, BN), tl.float32)
    for block in range(0, tl.cdiv(K, 128)):
        k = block * 128 + tl.arange(0, 128)
        x = tl.load(a + m[:, None] * K + k[None, :], (m[:, None] < M) & (k[None, :] < K), 0.0)
        y = tl.trans(tl.load(b + n[:, None] * K + k[None, :], (n[:, None] < N) & (k[None, :] < K), 0.0))
        products = tl.dot(x, y)
        sa = tl.load(a_scales + block * a_scale_col + m, m < M, 0.0)
        sb = tl.load(b_scales + tl.program_id(1) * BN // 128 * b_scale_row + block)
        acc += products * (sa * sb)[:, None]
    tl.store(c + m[:, None] * c_row + n[None, :], acc.to(c.dtype.element_ty), (m[:, None] < M) & (n[None, :] < N))


@triton.jit
def right_3(a, b, c, a_scales, b_scales, M, N, K, a_scale_col, b_scale_row, c_row, BM: tl.constexpr, BN: tl.constexpr):
    "pointers that walk along, two multiplications"
    m = tl.program_id(0) * BM + tl.arange(0, BM)
    n = tl.program_id(1) * BN + tl.arange(0, BN)
    k = tl.arange(0, 128)
    pa = a + m[:, None] * K + k[None, :]
    pb = b + n[None, :] * K + k[:, None]
    psa = a_scales + m
    psb = b_scales + (tl.program_id(1) * BN) // 128 * b_scale_row
    acc = tl.zeros((BM, BN), dtype=tl.float32)
    for first in range(0, K, 128):
        x = tl.load(pa + first, mask=(m[:, None] < M) & (first + k[None, :] < K), other=0.0)
        y = tl.load(pb + first, mask=(n[None, :] < N) & (first + k[:, None] < K), other=0.0)
        row = tl.load(psa, mask=m < M, other=0.0)
        acc += tl.dot(x, y) * row[:, None] * tl.load(psb)
        psa += a_scale_col
        psb += 1
    tl.store(c + m[:, None] * c_row + n[None, :], acc.to(c.dtype.element_ty), mask=(m[:, None] < M) & (n[None, :] < N))


@triton.jit
def right_4(a, b, c, a_scales, b_scales, M, N, K, a_scale_col, b_scale_row, c_row, BM: tl.constexpr, BN: tl.constexpr):
    "the dot in float32, store casts by itself"
    m = tl.program_id(0).to(tl.int64) * BM + tl.arange(0, BM)
    n = tl.program_id(1).to(tl.int64) * BN + tl.arange(0, BN)
    acc = tl.zeros((BM, BN), tl.float32)
    for block in range(0, tl.cdiv(K, 128)):
        k = block * 128 + tl.arange(0, 128)
        x = tl.load(a + m[:, None] * K + k[None, :], (m[:, None] < M) & (k[None, :] < K), 0.0)
        y = tl.load(b + n[None, :] * K + k[:, None], (n[None, :] < N) & (k[:, None] < K), 0.0)
        products = tl.dot(x.to(tl.float32), y.to(tl.float32), input_precision="ieee")
        sa = tl.load(a_scales + block * a_scale_col + m, m < M, 0.0)
        sb = tl.load(b_scales + tl.program_id(1) * BN // 128 * b_scale_row + block)
        acc += products * (sa * sb)[:, None]
    tl.store(c + m[:, None] * c_row + n[None, :], acc, (m[:, None] < M) & (n[None, :] < N))
