"""triton.fp8_matmul"""
import torch
import triton
import triton.language as tl



@triton.jit
def wrong_1(a, b, c, a_scales, b_scales, M, N, K, a_scale_col, b_scale_row, c_row, BM: tl.constexpr, BN: tl.constexpr):
    "each tile of columns has a block of scales of its own: wrong for BN < 128"
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
    "all tiles take the first row of b's scales: wrong for N > 128"
    m = tl.program_id(0).to(tl.int64) * BM + tl.arange(0, BM)
    n = tl.program_id(1).to(tl.int64) * BN + tl.arange(0, BN)
    acc = tl.zeros((BM, BN), tl.float32)
    for block in range(0, tl.cdiv(K, 128)):
        k = block * 128 + tl.arange(0, 128)
        x = tl.load(a + m[:, None] * K + k[None, :], (m[:, None] < M) & (k[None, :] < K), 0.0)
        y = tl.load(b + n[None, :] * K + k[:, None], (n[None, :] < N) & (k[:, None] < K), 0.0)
        products = tl.dot(x, y)
        sa = tl.load(a_scales + block * a_scale_col + m, m < M, 0.0)
        sb = tl.load(b_scales + block)
        acc += products * (sa * sb)[:, None]
    tl.store(c + m[:, None] * c_row + n[None, :], acc.to(c.dtype.element_ty), (m[:, None] < M) & (n[None, :] < N))


@triton.jit
def wrong_3(a, b, c, a_scales, b_scales, M, N, K, a_scale_col, b_scale_row, c_row, BM: tl.constexpr, BN: tl.constexpr):
    "b's scales are read column by column"
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
def wrong_4(a, b, c, a_scales, b_scales, M, N, K, a_scale_col, b_scale_row, c_row, BM: tl.constexpr, BN: tl.constexpr):
    "a's columns of scales are taken to be M apart: wrong where they are padded"
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
def wrong_5(a, b, c, a_scales, b_scales, M, N, K, a_scale_col, b_scale_row, c_row, BM: tl.constexpr, BN: tl.constexpr):
    "a row of b's scales is taken to be K // 128 long"
    m = tl.program_id(0).to(tl.int64) * BM + tl.arange(0, BM)
    n = tl.program_id(1).to(tl.int64) * BN + tl.arange(0, BN)
    acc = tl.zeros((BM, BN), tl.float32)
    for block in range(0, tl.cdiv(K, 128)):
        k = block * 128 + tl.arange(0, 128)
        x = tl.load(a + m[:, None] * K + k[None, :], (m[:, None] < M) & (k[None, :] < K), 0.0)
        y = tl.load(b + n[None, :] * K + k[:, None], (n[None, :] < N) & (k[:, None] < K), 0.0)
        products = tl.dot(x, y)
        sa = tl.load(a_scales + block * a_scale_col + m, m < M, 0.0)
        sb = tl.load(b_scales + tl.program_id(1) * BN // 128 * (K // 128) + block)
        acc += products * (sa * sb)[:, None]
    tl.store(c + m[:, None] * c_row + n[None, :], acc.to(c.dtype.element_ty), (m[:, None] < M) & (n[None, :] < N))


@triton.jit
def wrong_6(a, b, c, a_scales, b_scales, M, N, K, a_scale_col, b_scale_row, c_row, BM: tl.constexpr, BN: tl.constexpr):
    "K // 128 whole blocks only: a ragged rest is forgotten"
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
def wrong_7(a, b, c, a_scales, b_scales, M, N, K, a_scale_col, b_scale_row, c_row, BM: tl.constexpr, BN: tl.constexpr):
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
def wrong_8(a, b, c, a_scales, b_scales, M, N, K, a_scale_col, b_scale_row, c_row, BM: tl.constexpr, BN: tl.constexpr):
    "the products are summed over all of K, and scaled by the last block's scales"
    m = tl.program_id(0).to(tl.int64) * BM + tl.arange(0, BM)
    n = tl.program_id(1).to(tl.int64) * BN + tl.arange(0, BN)
    acc = tl.zeros((BM, BN), tl.float32)
    for block in range(0, tl.cdiv(K, 128)):
        k = block * 128 + tl.arange(0, 128)
        x = tl.load(a + m[:, None] * K + k[None, :], (m[:, None] < M) & (k[None, :] < K), 0.0)
        y = tl.load(b + n[None, :] * K + k[:, None], (n[None, :] < N) & (k[:, None] < K), 0.0)
        acc = tl.dot(x, y, acc)
        sa = tl.load(a_scales + block * a_scale_col + m, m < M, 0.0)
        sb = tl.load(b_scales + tl.program_id(1) * BN // 128 * b_scale_row + block)
    acc = acc * (sa * sb)[:, None]
    tl.store(c + m[:, None] * c_row + n[None, :], acc.to(c.dtype.element_ty), (m[:, None] < M) & (n[None, :] < N))


@triton.jit
def wrong_9(a, b, c, a_scales, b_scales, M, N, K, a_scale_col, b_scale_row, c_row, BM: tl.constexpr, BN: tl.constexpr):
    "k is not masked: in a ragged last block the next row's numbers are summed"
    m = tl.program_id(0).to(tl.int64) * BM + tl.arange(0, BM)
    n = tl.program_id(1).to(tl.int64) * BN + tl.arange(0, BN)
    acc = tl.zeros((BM, BN), tl.float32)
    for block in range(0, tl.cdiv(K, 128)):
        k = block * 128 + tl.arange(0, 128)
        x = tl.load(a + m[:, None] * K + k[None, :], (m[:, None] < M) & (k[None, :] >= 0), 0.0)
        y = tl.load(b + n[None, :] * K + k[:, None], (n[None, :] < N) & (k[:, None] >= 0), 0.0)
        products = tl.dot(x, y)
        sa = tl.load(a_scales + block * a_scale_col + m, m < M, 0.0)
        sb = tl.load(b_scales + tl.program_id(1) * BN // 128 * b_scale_row + block)
        acc += products * (sa * sb)[:, None]
    tl.store(c + m[:, None] * c_row + n[None, :], acc.to(c.dtype.element_ty), (m[:, None] < M) & (n[None, :] < N))


@triton.jit
def wrong_10(a, b, c, a_scales, b_scales, M, N, K, a_scale_col, b_scale_row, c_row, BM: tl.constexpr, BN: tl.constexpr):
    "the tile is stored with the stride N: wrong for a c that is part of a wider one"
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
    "b loaded as it lies and turned by tl.trans; scales one after the other"
    m = tl.program_id(0).to(tl.int64) * BM + tl.arange(0, BM)
    n = tl.program_id(1).to(tl.int64) * BN + tl.arange(0, BN)
    i = (tl.program_id(1) * BN) // 128
    acc = tl.zeros((BM, BN), tl.float32)
    for j in range(tl.cdiv(K, 128)):
        k = j * 128 + tl.arange(0, 128)
        x = tl.load(a + m[:, None] * K + k[None, :], (m[:, None] < M) & (k[None, :] < K), 0.0)
        y = tl.load(b + n[:, None] * K + k[None, :], (n[:, None] < N) & (k[None, :] < K), 0.0)
        sa = tl.load(a_scales + j * a_scale_col + m, m < M, 0.0)
        sb = tl.load(b_scales + i * b_scale_row + j)
        acc += tl.dot(x, tl.trans(y)) * sb * sa[:, None]
    tl.store(c + m[:, None] * c_row + n[None, :], acc.to(c.dtype.element_ty), (m[:, None] < M) & (n[None, :] < N))


@triton.jit
def right_2(a, b, c, a_scales, b_scales, M, N, K, a_scale_col, b_scale_row, c_row, BM: tl.constexpr, BN: tl.constexpr):
    "a scale for each column, by n // 128"
    m = tl.program_id(0).to(tl.int64) * BM + tl.arange(0, BM)
    n = tl.program_id(1).to(tl.int64) * BN + tl.arange(0, BN)
    out = tl.zeros((BM, BN), tl.float32)
    block = 0
    for first in range(0, K, 128):
        k = first + tl.arange(0, 128)
        x = tl.load(a + m[:, None] * K + k[None, :], (m[:, None] < M) & (k[None, :] < K), 0.0)
        y = tl.load(b + n[None, :] * K + k[:, None], (n[None, :] < N) & (k[:, None] < K), 0.0)
        sa = tl.load(a_scales + first // 128 * a_scale_col + m, m < M, 0.0)
        sb = tl.load(b_scales + n // 128 * b_scale_row + first // 128, n < N, 0.0)
        out += tl.dot(x, y) * sa[:, None] * sb[None, :]
    tl.store(c + m[:, None] * c_row + n[None, :], out.to(c.dtype.element_ty), (m[:, None] < M) & (n[None, :] < N))


@triton.jit
def right_3(a, b, c, a_scales, b_scales, M, N, K, a_scale_col, b_scale_row, c_row, BM: tl.constexpr, BN: tl.constexpr):
    "operands in float32, scaled before the product"
    m = tl.program_id(0).to(tl.int64) * BM + tl.arange(0, BM)
    n = tl.program_id(1).to(tl.int64) * BN + tl.arange(0, BN)
    acc = tl.zeros((BM, BN), tl.float32)
    for block in range(0, tl.cdiv(K, 128)):
        k = block * 128 + tl.arange(0, 128)
        sa = tl.load(a_scales + block * a_scale_col + m, m < M, 0.0)
        sb = tl.load(b_scales + tl.program_id(1) * BN // 128 * b_scale_row + block)
        x = tl.load(a + m[:, None] * K + k[None, :], (m[:, None] < M) & (k[None, :] < K), 0.0).to(tl.float32) * sa[:, None]
        y = tl.load(b + n[None, :] * K + k[:, None], (n[None, :] < N) & (k[:, None] < K), 0.0).to(tl.float32) * sb
        acc = tl.dot(x, y, acc, input_precision="ieee")
    tl.store(c + m[:, None] * c_row + n[None, :], acc.to(c.dtype.element_ty), (m[:, None] < M) & (n[None, :] < N))


@triton.jit
def right_4(a, b, c, a_scales, b_scales, M, N, K, a_scale_col, b_scale_row, c_row, BM: tl.constexpr, BN: tl.constexpr):
    "pointers that move on, rows that wrap around"
    m = tl.program_id(0).to(tl.int64) * BM + tl.arange(0, BM)
    n = tl.program_id(1).to(tl.int64) * BN + tl.arange(0, BN)
    k = tl.arange(0, 128)
    left = a + (m % M)[:, None] * K + k[None, :]
    right = b + (n % N)[None, :] * K + k[:, None]
    sa_at = a_scales + m % M
    sb_at = b_scales + tl.program_id(1) * BN // 128 * b_scale_row
    acc = tl.zeros((BM, BN), tl.float32)
    for step in range(0, tl.cdiv(K, 128)):
        x = tl.load(left, k[None, :] < K - step * 128, 0.0)
        y = tl.load(right, k[:, None] < K - step * 128, 0.0)
        both = tl.load(sa_at) * tl.load(sb_at)
        acc += tl.dot(x, y) * both[:, None]
        left += 128
        right += 128
        sa_at += a_scale_col
        sb_at += 1
    tl.store(c + m[:, None] * c_row + n[None, :], acc.to(c.dtype.element_ty), (m[:, None] < M) & (n[None, :] < N))

