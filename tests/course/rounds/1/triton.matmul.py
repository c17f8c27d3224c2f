"""triton.matmul"""
import torch
from minids.kernels.runtime import tl, triton

@triton.jit
def wrong_1(a, b, c, M, N, K, a_row, a_col, b_row, b_col, c_row, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr):
    "K // BK steps: what is left of a ragged K is not added"
    m = tl.program_id(0).to(tl.int64) * BM + tl.arange(0, BM)
    n = tl.program_id(1).to(tl.int64) * BN + tl.arange(0, BN)
    acc = tl.zeros((BM, BN), tl.float32)
    for step in range(0, K // BK):
        k = step * BK + tl.arange(0, BK)
        x = tl.load(a + m[:, None] * a_row + k[None, :] * a_col, (m[:, None] < M) & (k[None, :] < K), 0.0)
        y = tl.load(b + k[:, None] * b_row + n[None, :] * b_col, (k[:, None] < K) & (n[None, :] < N), 0.0)
        acc = tl.dot(x, y, acc, input_precision="ieee")
    tl.store(c + m[:, None] * c_row + n[None, :], acc.to(c.dtype.element_ty), (m[:, None] < M) & (n[None, :] < N))

@triton.jit
def wrong_2(a, b, c, M, N, K, a_row, a_col, b_row, b_col, c_row, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr):
    "columns of a are taken to lie side by side: wrong for a turned a"
    m = tl.program_id(0).to(tl.int64) * BM + tl.arange(0, BM)
    n = tl.program_id(1).to(tl.int64) * BN + tl.arange(0, BN)
    acc = tl.zeros((BM, BN), tl.float32)
    for first in range(0, K, BK):
        k = first + tl.arange(0, BK)
        x = tl.load(a + m[:, None] * a_row + k[None, :], (m[:, None] < M) & (k[None, :] < K), 0.0)
        y = tl.load(b + k[:, None] * b_row + n[None, :] * b_col, (k[:, None] < K) & (n[None, :] < N), 0.0)
        acc = tl.dot(x, y, acc, input_precision="ieee")
    tl.store(c + m[:, None] * c_row + n[None, :], acc.to(c.dtype.element_ty), (m[:, None] < M) & (n[None, :] < N))

@triton.jit
def wrong_3(a, b, c, M, N, K, a_row, a_col, b_row, b_col, c_row, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr):
    "columns of b are taken to lie side by side: wrong for w.t()"
    m = tl.program_id(0).to(tl.int64) * BM + tl.arange(0, BM)
    n = tl.program_id(1).to(tl.int64) * BN + tl.arange(0, BN)
    acc = tl.zeros((BM, BN), tl.float32)
    for first in range(0, K, BK):
        k = first + tl.arange(0, BK)
        x = tl.load(a + m[:, None] * a_row + k[None, :] * a_col, (m[:, None] < M) & (k[None, :] < K), 0.0)
        y = tl.load(b + k[:, None] * b_row + n[None, :], (k[:, None] < K) & (n[None, :] < N), 0.0)
        acc = tl.dot(x, y, acc, input_precision="ieee")
    tl.store(c + m[:, None] * c_row + n[None, :], acc.to(c.dtype.element_ty), (m[:, None] < M) & (n[None, :] < N))

@triton.jit
def wrong_4(a, b, c, M, N, K, a_row, a_col, b_row, b_col, c_row, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr):
    "rows of c are taken to be N apart: wrong for a slice of a wider matrix"
    m = tl.program_id(0).to(tl.int64) * BM + tl.arange(0, BM)
    n = tl.program_id(1).to(tl.int64) * BN + tl.arange(0, BN)
    acc = tl.zeros((BM, BN), tl.float32)
    for first in range(0, K, BK):
        k = first + tl.arange(0, BK)
        x = tl.load(a + m[:, None] * a_row + k[None, :] * a_col, (m[:, None] < M) & (k[None, :] < K), 0.0)
        y = tl.load(b + k[:, None] * b_row + n[None, :] * b_col, (k[:, None] < K) & (n[None, :] < N), 0.0)
        acc = tl.dot(x, y, acc, input_precision="ieee")
    tl.store(c + m[:, None] * N + n[None, :], acc.to(c.dtype.element_ty), (m[:, None] < M) & (n[None, :] < N))

@triton.jit
def wrong_5(a, b, c, M, N, K, a_row, a_col, b_row, b_col, c_row, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr):
    "the strides of b are swapped"
    m = tl.program_id(0).to(tl.int64) * BM + tl.arange(0, BM)
    n = tl.program_id(1).to(tl.int64) * BN + tl.arange(0, BN)
    acc = tl.zeros((BM, BN), tl.float32)
    for first in range(0, K, BK):
        k = first + tl.arange(0, BK)
        x = tl.load(a + m[:, None] * a_row + k[None, :] * a_col, (m[:, None] < M) & (k[None, :] < K), 0.0)
        y = tl.load(b + k[:, None] * b_col + n[None, :] * b_row, (k[:, None] < K) & (n[None, :] < N), 0.0)
        acc = tl.dot(x, y, acc, input_precision="ieee")
    tl.store(c + m[:, None] * c_row + n[None, :], acc.to(c.dtype.element_ty), (m[:, None] < M) & (n[None, :] < N))

@triton.jit
def wrong_6(a, b, c, M, N, K, a_row, a_col, b_row, b_col, c_row, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr):
    "the sum is rounded to the type of c at each step: differs in half precision over several steps"
    m = tl.program_id(0).to(tl.int64) * BM + tl.arange(0, BM)
    n = tl.program_id(1).to(tl.int64) * BN + tl.arange(0, BN)
    acc = tl.zeros((BM, BN), tl.float32)
    for first in range(0, K, BK):
        k = first + tl.arange(0, BK)
        x = tl.load(a + m[:, None] * a_row + k[None, :] * a_col, (m[:, None] < M) & (k[None, :] < K), 0.0)
        y = tl.load(b + k[:, None] * b_row + n[None, :] * b_col, (k[:, None] < K) & (n[None, :] < N), 0.0)
        acc = tl.dot(x, y, acc, input_precision="ieee").to(c.dtype.element_ty).to(tl.float32)
    tl.store(c + m[:, None] * c_row + n[None, :], acc.to(c.dtype.element_ty), (m[:, None] < M) & (n[None, :] < N))

@triton.jit
def wrong_7(a, b, c, M, N, K, a_row, a_col, b_row, b_col, c_row, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr):
    "each step begins anew: only the last part of K counts"
    m = tl.program_id(0).to(tl.int64) * BM + tl.arange(0, BM)
    n = tl.program_id(1).to(tl.int64) * BN + tl.arange(0, BN)
    acc = tl.zeros((BM, BN), tl.float32)
    for first in range(0, K, BK):
        k = first + tl.arange(0, BK)
        x = tl.load(a + m[:, None] * a_row + k[None, :] * a_col, (m[:, None] < M) & (k[None, :] < K), 0.0)
        y = tl.load(b + k[:, None] * b_row + n[None, :] * b_col, (k[:, None] < K) & (n[None, :] < N), 0.0)
        acc = tl.dot(x, y, input_precision="ieee")
    tl.store(c + m[:, None] * c_row + n[None, :], acc.to(c.dtype.element_ty), (m[:, None] < M) & (n[None, :] < N))

@triton.jit
def wrong_8(a, b, c, M, N, K, a_row, a_col, b_row, b_col, c_row, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr):
    "the store has only the mask of the rows: columns beyond N are written"
    m = tl.program_id(0).to(tl.int64) * BM + tl.arange(0, BM)
    n = tl.program_id(1).to(tl.int64) * BN + tl.arange(0, BN)
    acc = tl.zeros((BM, BN), tl.float32)
    for first in range(0, K, BK):
        k = first + tl.arange(0, BK)
        x = tl.load(a + m[:, None] * a_row + k[None, :] * a_col, (m[:, None] < M) & (k[None, :] < K), 0.0)
        y = tl.load(b + k[:, None] * b_row + n[None, :] * b_col, (k[:, None] < K) & (n[None, :] < N), 0.0)
        acc = tl.dot(x, y, acc, input_precision="ieee")
    tl.store(c + m[:, None] * c_row + n[None, :], acc.to(c.dtype.element_ty), (m[:, None] < M) & (n[None, :] >= 0))

@triton.jit
def wrong_9(a, b, c, M, N, K, a_row, a_col, b_row, b_col, c_row, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr):
    "k is not masked: numbers behind the rows of a and b take part in the last step"
    m = tl.program_id(0).to(tl.int64) * BM + tl.arange(0, BM)
    n = tl.program_id(1).to(tl.int64) * BN + tl.arange(0, BN)
    acc = tl.zeros((BM, BN), tl.float32)
    for first in range(0, K, BK):
        k = first + tl.arange(0, BK)
        x = tl.load(a + m[:, None] * a_row + k[None, :] * a_col, (m[:, None] < M) & (k[None, :] >= 0), 0.0)
        y = tl.load(b + k[:, None] * b_row + n[None, :] * b_col, (k[:, None] >= 0) & (n[None, :] < N), 0.0)
        acc = tl.dot(x, y, acc, input_precision="ieee")
    tl.store(c + m[:, None] * c_row + n[None, :], acc.to(c.dtype.element_ty), (m[:, None] < M) & (n[None, :] < N))

@triton.jit
def wrong_10(a, b, c, M, N, K, a_row, a_col, b_row, b_col, c_row, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr):
    "float32 operands are rounded to bfloat16 before the product"
    m = tl.program_id(0).to(tl.int64) * BM + tl.arange(0, BM)
    n = tl.program_id(1).to(tl.int64) * BN + tl.arange(0, BN)
    acc = tl.zeros((BM, BN), tl.float32)
    for first in range(0, K, BK):
        k = first + tl.arange(0, BK)
        x = tl.load(a + m[:, None] * a_row + k[None, :] * a_col, (m[:, None] < M) & (k[None, :] < K), 0.0)
        y = tl.load(b + k[:, None] * b_row + n[None, :] * b_col, (k[:, None] < K) & (n[None, :] < N), 0.0)
        acc = tl.dot(x.to(tl.bfloat16), y.to(tl.bfloat16), acc)
    tl.store(c + m[:, None] * c_row + n[None, :], acc.to(c.dtype.element_ty), (m[:, None] < M) & (n[None, :] < N))

@triton.jit
def right_1(a, b, c, M, N, K, a_row, a_col, b_row, b_col, c_row, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr):
    "pointers that walk along K"
    m = tl.program_id(0).to(tl.int64) * BM + tl.arange(0, BM)
    n = tl.program_id(1).to(tl.int64) * BN + tl.arange(0, BN)
    k = tl.arange(0, BK)
    at = a + m[:, None] * a_row + k[None, :] * a_col
    bt = b + k[:, None] * b_row + n[None, :] * b_col
    acc = tl.zeros((BM, BN), dtype=tl.float32)
    for step in range(0, tl.cdiv(K, BK)):
        left = K - step * BK
        x = tl.load(at, mask=(m[:, None] < M) & (k[None, :] < left), other=0.0)
        y = tl.load(bt, mask=(k[:, None] < left) & (n[None, :] < N), other=0.0)
        acc += tl.dot(x, y, input_precision="ieee")
        at += BK * a_col
        bt += BK * b_row
    tl.store(c + m[:, None] * c_row + n[None, :], acc.to(c.dtype.element_ty), mask=(m[:, None] < M) & (n[None, :] < N))

@triton.jit
def right_2(a, b, c, M, N, K, a_row, a_col, b_row, b_col, c_row, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr):
    "b's tile is loaded turned, [BN, BK], and turned in the product"
    m = tl.program_id(0).to(tl.int64) * BM + tl.arange(0, BM)
    n = tl.program_id(1).to(tl.int64) * BN + tl.arange(0, BN)
    acc = tl.zeros((BM, BN), tl.float32)
    for first in range(0, K, BK):
        k = first + tl.arange(0, BK)
        x = tl.load(a + m[:, None] * a_row + k[None, :] * a_col, (m[:, None] < M) & (k[None, :] < K), 0.0)
        y = tl.load(b + n[:, None] * b_col + k[None, :] * b_row, (n[:, None] < N) & (k[None, :] < K), 0.0)
        acc = tl.dot(x, tl.trans(y), acc, input_precision="ieee")
    tl.store(c + m[:, None] * c_row + n[None, :], acc.to(c.dtype.element_ty), (m[:, None] < M) & (n[None, :] < N))

@triton.jit
def right_3(a, b, c, M, N, K, a_row, a_col, b_row, b_col, c_row, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr):
    "rows and columns wrap around at the edges (they are not stored), so that only k needs a mask"
    m = tl.program_id(0).to(tl.int64) * BM + tl.arange(0, BM)
    n = tl.program_id(1).to(tl.int64) * BN + tl.arange(0, BN)
    acc = tl.zeros((BM, BN), tl.float32)
    for first in range(0, K, BK):
        k = first + tl.arange(0, BK)
        x = tl.load(a + (m % M)[:, None] * a_row + k[None, :] * a_col, k[None, :] < K, 0.0)
        y = tl.load(b + k[:, None] * b_row + (n % N)[None, :] * b_col, k[:, None] < K, 0.0)
        acc = tl.dot(x, y, acc, input_precision="ieee")
    tl.store(c + m[:, None] * c_row + n[None, :], acc.to(c.dtype.element_ty), (m < M)[:, None] & (n < N)[None, :])

@triton.jit
def right_4(a, b, c, M, N, K, a_row, a_col, b_row, b_col, c_row, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr):
    "outer products, one k at a time, in float32"
    m = tl.program_id(0).to(tl.int64) * BM + tl.arange(0, BM)
    n = tl.program_id(1).to(tl.int64) * BN + tl.arange(0, BN)
    acc = tl.zeros((BM, BN), tl.float32)
    for k in range(0, K):
        x = tl.load(a + m * a_row + k * a_col, m < M, 0.0).to(tl.float32)
        y = tl.load(b + k * b_row + n * b_col, n < N, 0.0).to(tl.float32)
        acc += x[:, None] * y[None, :]
    tl.store(c + m[:, None] * c_row + n[None, :], acc.to(c.dtype.element_ty), (m[:, None] < M) & (n[None, :] < N))
