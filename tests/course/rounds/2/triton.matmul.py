"""triton.matmul"""
from minids.kernels.runtime import tl, triton



@triton.jit
def wrong_1(a, b, c, M, N, K, a_row, a_col, b_row, b_col, c_row, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr):
    "a short last step along K is left out"
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
def wrong_2(a, b, c, M, N, K, a_row, a_col, b_row, b_col, c_row, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr):
    "b is not masked along K: what lies behind it is multiplied by 0, and 0 * NaN is NaN"
    m = tl.program_id(0).to(tl.int64) * BM + tl.arange(0, BM)
    n = tl.program_id(1).to(tl.int64) * BN + tl.arange(0, BN)
    acc = tl.zeros((BM, BN), tl.float32)
    for first in range(0, K, BK):
        k = first + tl.arange(0, BK)
        x = tl.load(a + m[:, None] * a_row + k[None, :] * a_col, (m[:, None] < M) & (k[None, :] < K), 0.0)
        y = tl.load(b + k[:, None] * b_row + n[None, :] * b_col, (k[:, None] >= 0) & (n[None, :] < N), 0.0)
        acc = tl.dot(x, y, acc, input_precision="ieee")
    tl.store(c + m[:, None] * c_row + n[None, :], acc.to(c.dtype.element_ty), (m[:, None] < M) & (n[None, :] < N))


@triton.jit
def wrong_3(a, b, c, M, N, K, a_row, a_col, b_row, b_col, c_row, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr):
    "a is not masked along K: reads the next row or behind the tensor (times 0 of b)"
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
def wrong_4(a, b, c, M, N, K, a_row, a_col, b_row, b_col, c_row, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr):
    "a_col is not used: a turned a is read wrongly"
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
def wrong_5(a, b, c, M, N, K, a_row, a_col, b_row, b_col, c_row, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr):
    "b_col is not used: a turned weight is read wrongly"
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
def wrong_6(a, b, c, M, N, K, a_row, a_col, b_row, b_col, c_row, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr):
    "c is written with N as the distance of its rows"
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
def wrong_7(a, b, c, M, N, K, a_row, a_col, b_row, b_col, c_row, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr):
    "the sum is rounded to the type of c after each step"
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
    "operands are cast to bfloat16 (float32 loses 16 bits)"
    m = tl.program_id(0).to(tl.int64) * BM + tl.arange(0, BM)
    n = tl.program_id(1).to(tl.int64) * BN + tl.arange(0, BN)
    acc = tl.zeros((BM, BN), tl.float32)
    for first in range(0, K, BK):
        k = first + tl.arange(0, BK)
        x = tl.load(a + m[:, None] * a_row + k[None, :] * a_col, (m[:, None] < M) & (k[None, :] < K), 0.0)
        y = tl.load(b + k[:, None] * b_row + n[None, :] * b_col, (k[:, None] < K) & (n[None, :] < N), 0.0)
        acc = tl.dot(x.to(tl.bfloat16), y.to(tl.bfloat16), acc, input_precision="ieee")
    tl.store(c + m[:, None] * c_row + n[None, :], acc.to(c.dtype.element_ty), (m[:, None] < M) & (n[None, :] < N))


@triton.jit
def wrong_9(a, b, c, M, N, K, a_row, a_col, b_row, b_col, c_row, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr):
    "the store is masked along rows only: a ragged N writes into the next row of c"
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
def wrong_10(a, b, c, M, N, K, a_row, a_col, b_row, b_col, c_row, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr):
    "the result is rounded to bfloat16 whatever c is"
    m = tl.program_id(0).to(tl.int64) * BM + tl.arange(0, BM)
    n = tl.program_id(1).to(tl.int64) * BN + tl.arange(0, BN)
    acc = tl.zeros((BM, BN), tl.float32)
    for first in range(0, K, BK):
        k = first + tl.arange(0, BK)
        x = tl.load(a + m[:, None] * a_row + k[None, :] * a_col, (m[:, None] < M) & (k[None, :] < K), 0.0)
        y = tl.load(b + k[:, None] * b_row + n[None, :] * b_col, (k[:, None] < K) & (n[None, :] < N), 0.0)
        acc = tl.dot(x, y, acc, input_precision="ieee")
    tl.store(c + m[:, None] * c_row + n[None, :], acc.to(tl.bfloat16), (m[:, None] < M) & (n[None, :] < N))


@triton.jit
def right_1(a, b, c, M, N, K, a_row, a_col, b_row, b_col, c_row, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr):
    "acc += dot, store casts by itself"
    m = tl.program_id(0).to(tl.int64) * BM + tl.arange(0, BM)
    n = tl.program_id(1).to(tl.int64) * BN + tl.arange(0, BN)
    acc = tl.zeros((BM, BN), tl.float32)
    for first in range(0, K, BK):
        k = first + tl.arange(0, BK)
        x = tl.load(a + m[:, None] * a_row + k[None, :] * a_col, (m[:, None] < M) & (k[None, :] < K), 0.0)
        y = tl.load(b + k[:, None] * b_row + n[None, :] * b_col, (k[:, None] < K) & (n[None, :] < N), 0.0)
        acc += tl.dot(x, y, input_precision="ieee")
    tl.store(c + m[:, None] * c_row + n[None, :], acc, (m[:, None] < M) & (n[None, :] < N))


@triton.jit
def right_2(a, b, c, M, N, K, a_row, a_col, b_row, b_col, c_row, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr):
    "pointers that walk along"
    m = (tl.program_id(0) * BM + tl.arange(0, BM))[:, None]
    n = (tl.program_id(1) * BN + tl.arange(0, BN))[None, :]
    k = tl.arange(0, BK)
    pa = a + m * a_row + k[None, :] * a_col
    pb = b + k[:, None] * b_row + n * b_col
    total = tl.zeros((BM, BN), dtype=tl.float32)
    for i in range(tl.cdiv(K, BK)):
        left = K - i * BK
        x = tl.load(pa, mask=(m < M) & (k[None, :] < left), other=0.0)
        y = tl.load(pb, mask=(n < N) & (k[:, None] < left), other=0.0)
        total = tl.dot(x, y, total, input_precision="ieee")
        pa += BK * a_col
        pb += BK * b_row
    tl.store(c + m * c_row + n, total.to(c.dtype.element_ty), mask=(m < M) & (n < N))


@triton.jit
def right_3(a, b, c, M, N, K, a_row, a_col, b_row, b_col, c_row, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr):
    "b's tile is loaded turned and turned back"
    m = tl.program_id(0).to(tl.int64) * BM + tl.arange(0, BM)
    n = tl.program_id(1).to(tl.int64) * BN + tl.arange(0, BN)
    acc = tl.zeros((BM, BN), tl.float32)
    for first in range(0, K, BK):
        k = first + tl.arange(0, BK)
        x = tl.load(a + m[:, None] * a_row + k[None, :] * a_col, (m[:, None] < M) & (k[None, :] < K), 0.0)
        y = tl.trans(tl.load(b + k[None, :] * b_row + n[:, None] * b_col, (k[None, :] < K) & (n[:, None] < N), 0.0))
        acc = tl.dot(x, y, acc, input_precision="ieee")
    tl.store(c + m[:, None] * c_row + n[None, :], acc.to(c.dtype.element_ty), (m[:, None] < M) & (n[None, :] < N))


@triton.jit
def right_4(a, b, c, M, N, K, a_row, a_col, b_row, b_col, c_row, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr):
    "products by broadcasting and a sum, in float32"
    m = tl.program_id(0).to(tl.int64) * BM + tl.arange(0, BM)
    n = tl.program_id(1).to(tl.int64) * BN + tl.arange(0, BN)
    acc = tl.zeros((BM, BN), tl.float32)
    for first in range(0, K, BK):
        k = first + tl.arange(0, BK)
        x = tl.load(a + m[:, None] * a_row + k[None, :] * a_col, (m[:, None] < M) & (k[None, :] < K), 0.0)
        y = tl.load(b + k[:, None] * b_row + n[None, :] * b_col, (k[:, None] < K) & (n[None, :] < N), 0.0)
        acc += tl.sum(x.to(tl.float32)[:, :, None] * y.to(tl.float32)[None, :, :], 1)
    tl.store(c + m[:, None] * c_row + n[None, :], acc.to(c.dtype.element_ty), (m[:, None] < M) & (n[None, :] < N))
