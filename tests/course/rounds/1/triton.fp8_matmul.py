"""triton.fp8_matmul"""
import torch
from minids.kernels.runtime import tl, triton

@triton.jit
def wrong_1(a, b, c, a_scales, b_scales, M, N, K, a_scale_col, b_scale_row, c_row, BM: tl.constexpr, BN: tl.constexpr):
    "the block of b is the number of the program: right for BN = 128 only"
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
    "K // 128 steps: a ragged end of K is left out"
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
def wrong_3(a, b, c, a_scales, b_scales, M, N, K, a_scale_col, b_scale_row, c_row, BM: tl.constexpr, BN: tl.constexpr):
    "scales of a are read row by row"
    m = tl.program_id(0).to(tl.int64) * BM + tl.arange(0, BM)
    n = tl.program_id(1).to(tl.int64) * BN + tl.arange(0, BN)
    acc = tl.zeros((BM, BN), tl.float32)
    for block in range(0, tl.cdiv(K, 128)):
        k = block * 128 + tl.arange(0, 128)
        x = tl.load(a + m[:, None] * K + k[None, :], (m[:, None] < M) & (k[None, :] < K), 0.0)
        y = tl.load(b + n[None, :] * K + k[:, None], (n[None, :] < N) & (k[:, None] < K), 0.0)
        products = tl.dot(x, y)
        sa = tl.load(a_scales + m * tl.cdiv(K, 128) + block, m < M, 0.0)
        sb = tl.load(b_scales + tl.program_id(1) * BN // 128 * b_scale_row + block)
        acc += products * (sa * sb)[:, None]
    tl.store(c + m[:, None] * c_row + n[None, :], acc.to(c.dtype.element_ty), (m[:, None] < M) & (n[None, :] < N))

@triton.jit
def wrong_4(a, b, c, a_scales, b_scales, M, N, K, a_scale_col, b_scale_row, c_row, BM: tl.constexpr, BN: tl.constexpr):
    "the products of all K are summed first, and scaled by the last block's scales"
    m = tl.program_id(0).to(tl.int64) * BM + tl.arange(0, BM)
    n = tl.program_id(1).to(tl.int64) * BN + tl.arange(0, BN)
    acc = tl.zeros((BM, BN), tl.float32)
    for block in range(0, tl.cdiv(K, 128)):
        k = block * 128 + tl.arange(0, 128)
        x = tl.load(a + m[:, None] * K + k[None, :], (m[:, None] < M) & (k[None, :] < K), 0.0)
        y = tl.load(b + n[None, :] * K + k[:, None], (n[None, :] < N) & (k[:, None] < K), 0.0)
        acc += tl.dot(x, y)
        sa = tl.load(a_scales + block * a_scale_col + m, m < M, 0.0)
        sb = tl.load(b_scales + tl.program_id(1) * BN // 128 * b_scale_row + block)
    acc = acc * (sa * sb)[:, None]
    tl.store(c + m[:, None] * c_row + n[None, :], acc.to(c.dtype.element_ty), (m[:, None] < M) & (n[None, :] < N))

@triton.jit
def wrong_5(a, b, c, a_scales, b_scales, M, N, K, a_scale_col, b_scale_row, c_row, BM: tl.constexpr, BN: tl.constexpr):
    "the scale of b belongs to the block along K of the rows of a: indices of b's scales swapped"
    m = tl.program_id(0).to(tl.int64) * BM + tl.arange(0, BM)
    n = tl.program_id(1).to(tl.int64) * BN + tl.arange(0, BN)
    acc = tl.zeros((BM, BN), tl.float32)
    for block in range(0, tl.cdiv(K, 128)):
        k = block * 128 + tl.arange(0, 128)
        x = tl.load(a + m[:, None] * K + k[None, :], (m[:, None] < M) & (k[None, :] < K), 0.0)
        y = tl.load(b + n[None, :] * K + k[:, None], (n[None, :] < N) & (k[:, None] < K), 0.0)
        products = tl.dot(x, y)
        sa = tl.load(a_scales + block * a_scale_col + m, m < M, 0.0)
        sb = tl.load(b_scales + block * b_scale_row + tl.program_id(1) * BN // 128)
        acc += products * (sa * sb)[:, None]
    tl.store(c + m[:, None] * c_row + n[None, :], acc.to(c.dtype.element_ty), (m[:, None] < M) & (n[None, :] < N))

@triton.jit
def wrong_6(a, b, c, a_scales, b_scales, M, N, K, a_scale_col, b_scale_row, c_row, BM: tl.constexpr, BN: tl.constexpr):
    "the scale of b is forgotten"
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
        acc += products * sa[:, None]
    tl.store(c + m[:, None] * c_row + n[None, :], acc.to(c.dtype.element_ty), (m[:, None] < M) & (n[None, :] < N))

@triton.jit
def wrong_7(a, b, c, a_scales, b_scales, M, N, K, a_scale_col, b_scale_row, c_row, BM: tl.constexpr, BN: tl.constexpr):
    "a's scale is that of the tile's first row for all of its rows"
    m = tl.program_id(0).to(tl.int64) * BM + tl.arange(0, BM)
    n = tl.program_id(1).to(tl.int64) * BN + tl.arange(0, BN)
    acc = tl.zeros((BM, BN), tl.float32)
    for block in range(0, tl.cdiv(K, 128)):
        k = block * 128 + tl.arange(0, 128)
        x = tl.load(a + m[:, None] * K + k[None, :], (m[:, None] < M) & (k[None, :] < K), 0.0)
        y = tl.load(b + n[None, :] * K + k[:, None], (n[None, :] < N) & (k[:, None] < K), 0.0)
        products = tl.dot(x, y)
        sa = tl.load(a_scales + block * a_scale_col + tl.program_id(0) * BM + tl.zeros((BM,), tl.int32))
        sb = tl.load(b_scales + tl.program_id(1) * BN // 128 * b_scale_row + block)
        acc += products * (sa * sb)[:, None]
    tl.store(c + m[:, None] * c_row + n[None, :], acc.to(c.dtype.element_ty), (m[:, None] < M) & (n[None, :] < N))

@triton.jit
def wrong_8(a, b, c, a_scales, b_scales, M, N, K, a_scale_col, b_scale_row, c_row, BM: tl.constexpr, BN: tl.constexpr):
    "the sum so far is scaled again with every block"
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
def wrong_9(a, b, c, a_scales, b_scales, M, N, K, a_scale_col, b_scale_row, c_row, BM: tl.constexpr, BN: tl.constexpr):
    "the store has only the mask of the columns: rows beyond M are written"
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
    tl.store(c + m[:, None] * c_row + n[None, :], acc.to(c.dtype.element_ty), (m[:, None] >= 0) & (n[None, :] < N))

@triton.jit
def wrong_10(a, b, c, a_scales, b_scales, M, N, K, a_scale_col, b_scale_row, c_row, BM: tl.constexpr, BN: tl.constexpr):
    "rows of c are taken to be N apart"
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
def right_1(a, b, c, a_scales, b_scales, M, N, K, a_scale_col, b_scale_row, c_row, BM: tl.constexpr, BN: tl.constexpr):
    "b's tile loaded as it lies and turned; scales one after the other"
    m = tl.program_id(0).to(tl.int64) * BM + tl.arange(0, BM)
    n = tl.program_id(1).to(tl.int64) * BN + tl.arange(0, BN)
    acc = tl.zeros((BM, BN), tl.float32)
    for block in range(0, tl.cdiv(K, 128)):
        k = block * 128 + tl.arange(0, 128)
        x = tl.load(a + m[:, None] * K + k[None, :], (m[:, None] < M) & (k[None, :] < K), 0.0)
        y = tl.load(b + n[:, None] * K + k[None, :], (n[:, None] < N) & (k[None, :] < K), 0.0)
        products = tl.dot(x, tl.trans(y))
        sa = tl.load(a_scales + block * a_scale_col + m, m < M, 0.0)
        sb = tl.load(b_scales + tl.program_id(1) * BN // 128 * b_scale_row + block)
        acc += products * sa[:, None] * sb
    tl.store(c + m[:, None] * c_row + n[None, :], acc.to(c.dtype.element_ty), (m[:, None] < M) & (n[None, :] < N))

@triton.jit
def right_2(a, b, c, a_scales, b_scales, M, N, K, a_scale_col, b_scale_row, c_row, BM: tl.constexpr, BN: tl.constexpr):
    "a walk by first columns; pointers of the scales move along"
    m = tl.program_id(0).to(tl.int64) * BM + tl.arange(0, BM)
    n = tl.program_id(1).to(tl.int64) * BN + tl.arange(0, BN)
    sa_at = a_scales + m
    sb_at = b_scales + (tl.program_id(1) * BN // 128) * b_scale_row
    acc = tl.zeros((BM, BN), dtype=tl.float32)
    for first in range(0, K, 128):
        k = first + tl.arange(0, 128)
        x = tl.load(a + (m * K)[:, None] + k[None, :], mask=(m < M)[:, None] & (k < K)[None, :], other=0.0)
        y = tl.load(b + (n * K)[None, :] + k[:, None], mask=(n < N)[None, :] & (k < K)[:, None], other=0.0)
        scale = tl.load(sa_at, mask=m < M, other=0.0) * tl.load(sb_at)
        acc = acc + scale[:, None] * tl.dot(x, y)
        sa_at += a_scale_col
        sb_at += 1
    tl.store(c + m[:, None] * c_row + n[None, :], acc.to(c.dtype.element_ty), mask=(m < M)[:, None] & (n < N)[None, :])

@triton.jit
def right_3(a, b, c, a_scales, b_scales, M, N, K, a_scale_col, b_scale_row, c_row, BM: tl.constexpr, BN: tl.constexpr):
    "scales multiplied onto float32 operands before the product"
    m = tl.program_id(0).to(tl.int64) * BM + tl.arange(0, BM)
    n = tl.program_id(1).to(tl.int64) * BN + tl.arange(0, BN)
    acc = tl.zeros((BM, BN), tl.float32)
    for block in range(0, tl.cdiv(K, 128)):
        k = block * 128 + tl.arange(0, 128)
        x = tl.load(a + m[:, None] * K + k[None, :], (m[:, None] < M) & (k[None, :] < K), 0.0).to(tl.float32)
        y = tl.load(b + n[None, :] * K + k[:, None], (n[None, :] < N) & (k[:, None] < K), 0.0).to(tl.float32)
        x *= tl.load(a_scales + block * a_scale_col + m, m < M, 0.0)[:, None]
        y *= tl.load(b_scales + tl.program_id(1) * BN // 128 * b_scale_row + block)
        acc = tl.dot(x, y, acc, input_precision="ieee")
    tl.store(c + m[:, None] * c_row + n[None, :], acc.to(c.dtype.element_ty), (m[:, None] < M) & (n[None, :] < N))

@triton.jit
def right_4(a, b, c, a_scales, b_scales, M, N, K, a_scale_col, b_scale_row, c_row, BM: tl.constexpr, BN: tl.constexpr):
    "a scale of b for each column, by its own number"
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
