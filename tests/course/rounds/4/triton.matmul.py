"""triton.matmul"""
import torch
import triton
import triton.language as tl



@triton.jit
def wrong_1(a, b, c, M, N, K, a_row, a_col, b_row, b_col, c_row, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr):
    "b is taken to lie row by row: its columns' stride is left out (a turned weight)"
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
def wrong_2(a, b, c, M, N, K, a_row, a_col, b_row, b_col, c_row, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr):
    "a is taken to lie row by row: a_col is left out"
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
    "c is written with the stride N: wrong for a slice of a wider matrix"
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
def wrong_4(a, b, c, M, N, K, a_row, a_col, b_row, b_col, c_row, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr):
    "only K // BK whole steps: what is left of K is forgotten"
    m = tl.program_id(0).to(tl.int64) * BM + tl.arange(0, BM)
    n = tl.program_id(1).to(tl.int64) * BN + tl.arange(0, BN)
    acc = tl.zeros((BM, BN), tl.float32)
    for first in range(0, K // BK * BK, BK):
        k = first + tl.arange(0, BK)
        x = tl.load(a + m[:, None] * a_row + k[None, :] * a_col, (m[:, None] < M) & (k[None, :] < K), 0.0)
        y = tl.load(b + k[:, None] * b_row + n[None, :] * b_col, (k[:, None] < K) & (n[None, :] < N), 0.0)
        acc = tl.dot(x, y, acc, input_precision="ieee")
    tl.store(c + m[:, None] * c_row + n[None, :], acc.to(c.dtype.element_ty), (m[:, None] < M) & (n[None, :] < N))


@triton.jit
def wrong_5(a, b, c, M, N, K, a_row, a_col, b_row, b_col, c_row, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr):
    "k is not masked for a: its junk meets zeros of b, which is NaN for NaN or infinity"
    m = tl.program_id(0).to(tl.int64) * BM + tl.arange(0, BM)
    n = tl.program_id(1).to(tl.int64) * BN + tl.arange(0, BN)
    acc = tl.zeros((BM, BN), tl.float32)
    for first in range(0, K, BK):
        k = first + tl.arange(0, BK)
        x = tl.load(a + m[:, None] * a_row + k[None, :] * a_col, (m[:, None] < M) & (k[None, :] >= 0), 0.0)
        y = tl.load(b + k[:, None] * b_row + n[None, :] * b_col, (k[:, None] < K) & (n[None, :] < N), 0.0)
        acc = tl.dot(x, y, acc, input_precision="ieee")
    tl.store(c + m[:, None] * c_row + n[None, :], acc.to(c.dtype.element_ty), (m[:, None] < M) & (n[None, :] < N))


@triton.jit
def wrong_6(a, b, c, M, N, K, a_row, a_col, b_row, b_col, c_row, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr):
    "k is not masked at all: what lies behind a row is summed"
    m = tl.program_id(0).to(tl.int64) * BM + tl.arange(0, BM)
    n = tl.program_id(1).to(tl.int64) * BN + tl.arange(0, BN)
    acc = tl.zeros((BM, BN), tl.float32)
    for first in range(0, K, BK):
        k = first + tl.arange(0, BK)
        x = tl.load(a + m[:, None] * a_row + k[None, :] * a_col, (m[:, None] < M) & (k[None, :] >= 0), 0.0)
        y = tl.load(b + k[:, None] * b_row + n[None, :] * b_col, (n[None, :] < N) & (k[:, None] >= 0), 0.0)
        acc = tl.dot(x, y, acc, input_precision="ieee")
    tl.store(c + m[:, None] * c_row + n[None, :], acc.to(c.dtype.element_ty), (m[:, None] < M) & (n[None, :] < N))


@triton.jit
def wrong_7(a, b, c, M, N, K, a_row, a_col, b_row, b_col, c_row, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr):
    "the sum is rounded to the type of c after each step (half precision, K > BK)"
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
def wrong_8(a, b, c, M, N, K, a_row, a_col, b_row, b_col, c_row, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr):
    "the store masks rows only: columns beyond N of the last tile overwrite what stands behind"
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
    "pointers move on, the mask along k does not: the last step of a ragged K is not masked"
    m = tl.program_id(0).to(tl.int64) * BM + tl.arange(0, BM)
    n = tl.program_id(1).to(tl.int64) * BN + tl.arange(0, BN)
    k = tl.arange(0, BK)
    left = a + m[:, None] * a_row + k[None, :] * a_col
    right = b + k[:, None] * b_row + n[None, :] * b_col
    acc = tl.zeros((BM, BN), tl.float32)
    for step in range(0, tl.cdiv(K, BK)):
        x = tl.load(left, (m[:, None] < M) & (k[None, :] < K), 0.0)
        y = tl.load(right, (k[:, None] < K) & (n[None, :] < N), 0.0)
        acc = tl.dot(x, y, acc, input_precision="ieee")
        left += BK * a_col
        right += BK * b_row
    tl.store(c + m[:, None] * c_row + n[None, :], acc.to(c.dtype.element_ty), (m[:, None] < M) & (n[None, :] < N))


@triton.jit
def wrong_10(a, b, c, M, N, K, a_row, a_col, b_row, b_col, c_row, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr):
    "pointers of b move on by b_col instead of b_row"
    m = tl.program_id(0).to(tl.int64) * BM + tl.arange(0, BM)
    n = tl.program_id(1).to(tl.int64) * BN + tl.arange(0, BN)
    k = tl.arange(0, BK)
    left = a + m[:, None] * a_row + k[None, :] * a_col
    right = b + k[:, None] * b_row + n[None, :] * b_col
    acc = tl.zeros((BM, BN), tl.float32)
    for first in range(0, K, BK):
        x = tl.load(left, (m[:, None] < M) & (k[None, :] < K - first), 0.0)
        y = tl.load(right, (k[:, None] < K - first) & (n[None, :] < N), 0.0)
        acc = tl.dot(x, y, acc, input_precision="ieee")
        left += BK * a_col
        right += BK * b_col
    tl.store(c + m[:, None] * c_row + n[None, :], acc.to(c.dtype.element_ty), (m[:, None] < M) & (n[None, :] < N))


@triton.jit
def right_1(a, b, c, M, N, K, a_row, a_col, b_row, b_col, c_row, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr):
    "pointers that move on, K - first in the mask"
    m = tl.program_id(0).to(tl.int64) * BM + tl.arange(0, BM)
    n = tl.program_id(1).to(tl.int64) * BN + tl.arange(0, BN)
    k = tl.arange(0, BK)
    left = a + m[:, None] * a_row + k[None, :] * a_col
    right = b + k[:, None] * b_row + n[None, :] * b_col
    acc = tl.zeros((BM, BN), tl.float32)
    for first in range(0, K, BK):
        x = tl.load(left, mask=(m[:, None] < M) & (k[None, :] < K - first), other=0.0)
        y = tl.load(right, mask=(k[:, None] < K - first) & (n[None, :] < N), other=0.0)
        acc += tl.dot(x, y, input_precision="ieee")
        left += BK * a_col
        right += BK * b_row
    tl.store(c + m[:, None] * c_row + n[None, :], acc.to(c.dtype.element_ty), (m[:, None] < M) & (n[None, :] < N))


@triton.jit
def right_2(a, b, c, M, N, K, a_row, a_col, b_row, b_col, c_row, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr):
    "rows and columns beyond the edge wrap around (Triton's tutorial); only the store masks them"
    m = tl.program_id(0).to(tl.int64) * BM + tl.arange(0, BM)
    n = tl.program_id(1).to(tl.int64) * BN + tl.arange(0, BN)
    mm = m % M
    nn = n % N
    total = tl.zeros((BM, BN), dtype=tl.float32)
    for step in range(tl.cdiv(K, BK)):
        k = step * BK + tl.arange(0, BK)
        x = tl.load(a + mm[:, None] * a_row + k[None, :] * a_col, mask=k[None, :] < K, other=0.0)
        y = tl.load(b + k[:, None] * b_row + nn[None, :] * b_col, mask=k[:, None] < K, other=0.0)
        total = tl.dot(x, y, total, input_precision="ieee")
    tl.store(c + m[:, None] * c_row + n[None, :], total.to(c.dtype.element_ty), mask=(m[:, None] < M) & (n[None, :] < N))


@triton.jit
def right_3(a, b, c, M, N, K, a_row, a_col, b_row, b_col, c_row, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr):
    "the product turned: (b^T a^T)^T"
    m = tl.program_id(0).to(tl.int64) * BM + tl.arange(0, BM)
    n = tl.program_id(1).to(tl.int64) * BN + tl.arange(0, BN)
    acc = tl.zeros((BN, BM), tl.float32)
    for first in range(0, K, BK):
        k = first + tl.arange(0, BK)
        at = tl.load(a + m[None, :] * a_row + k[:, None] * a_col, (m[None, :] < M) & (k[:, None] < K), 0.0)
        bt = tl.load(b + k[None, :] * b_row + n[:, None] * b_col, (k[None, :] < K) & (n[:, None] < N), 0.0)
        acc = tl.dot(bt, at, acc, input_precision="ieee")
    tl.store(c + m[None, :] * c_row + n[:, None], acc.to(c.dtype.element_ty), (m[None, :] < M) & (n[:, None] < N))


@triton.jit
def right_4(a, b, c, M, N, K, a_row, a_col, b_row, b_col, c_row, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr):
    "operands in float32 before the product, steps counted backwards"
    m = tl.program_id(0).to(tl.int64) * BM + tl.arange(0, BM)[:, None]
    n = tl.program_id(1).to(tl.int64) * BN + tl.arange(0, BN)[None, :]
    acc = tl.zeros((BM, BN), tl.float32)
    steps = tl.cdiv(K, BK)
    for step in range(0, steps):
        first = (steps - 1 - step) * BK
        kr = first + tl.arange(0, BK)[None, :]
        kc = first + tl.arange(0, BK)[:, None]
        x = tl.load(a + m * a_row + kr * a_col, (m < M) & (kr < K), 0.0).to(tl.float32)
        y = tl.load(b + kc * b_row + n * b_col, (kc < K) & (n < N), 0.0).to(tl.float32)
        acc = tl.dot(x, y, acc, input_precision="ieee")
    tl.store(c + m * c_row + n, acc.to(c.dtype.element_ty), (m < M) & (n < N))

