"""triton.matmul"""
from minids.kernels.runtime import tl, triton


@triton.jit
def wrong_1(
    a, b, c, M, N, K, a_row, a_col, b_row, b_col, c_row, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr
):
    "a's numbers are taken to lie side by side: wrong for a turned a"
    # breaks: "Element [m, k] of a lies at a + m * a_row + k * a_col": a = w.t(), a_col > 1
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
def wrong_2(
    a, b, c, M, N, K, a_row, a_col, b_row, b_col, c_row, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr
):
    "c is written as if contiguous: wrong where c is a part of a wider matrix"
    # breaks: "element [m, n] of c at c + m * c_row + n": c_row = N + 5
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
def wrong_3(
    a, b, c, M, N, K, a_row, a_col, b_row, b_col, c_row, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr
):
    "a's tile is not masked along k, trusting to the zeros of b's: infinity or NaN behind K times zero is NaN"
    # breaks: "M, N and K need not be multiples": K = 50, BK = 16, an infinity in row 1 of a makes row 0 NaN
    m = tl.program_id(0).to(tl.int64) * BM + tl.arange(0, BM)
    n = tl.program_id(1).to(tl.int64) * BN + tl.arange(0, BN)
    acc = tl.zeros((BM, BN), tl.float32)
    for first in range(0, K, BK):
        k = first + tl.arange(0, BK)
        there = (m[:, None] < M) & (m[:, None] * a_row + k[None, :] * a_col < (M - 1) * a_row + K * a_col)
        x = tl.load(a + m[:, None] * a_row + k[None, :] * a_col, there, 0.0)
        y = tl.load(b + k[:, None] * b_row + n[None, :] * b_col, (k[:, None] < K) & (n[None, :] < N), 0.0)
        acc = tl.dot(x, y, acc, input_precision="ieee")
    tl.store(c + m[:, None] * c_row + n[None, :], acc.to(c.dtype.element_ty), (m[:, None] < M) & (n[None, :] < N))


@triton.jit
def wrong_4(
    a, b, c, M, N, K, a_row, a_col, b_row, b_col, c_row, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr
):
    "the sum is rounded to c's type after each step"
    # breaks: "summed in float32": bfloat16, K = 130 in steps of 16 or 64
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
def wrong_5(
    a, b, c, M, N, K, a_row, a_col, b_row, b_col, c_row, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr
):
    "tiles are cast to float16 for the tensor core: float32 loses bits, bfloat16 beyond 65504 becomes infinity"
    # breaks: "c [M, N] = a [M, K] @ b [K, N], summed in float32": float32 randn; bfloat16 with 1e5
    m = tl.program_id(0).to(tl.int64) * BM + tl.arange(0, BM)
    n = tl.program_id(1).to(tl.int64) * BN + tl.arange(0, BN)
    acc = tl.zeros((BM, BN), tl.float32)
    for first in range(0, K, BK):
        k = first + tl.arange(0, BK)
        x = tl.load(a + m[:, None] * a_row + k[None, :] * a_col, (m[:, None] < M) & (k[None, :] < K), 0.0)
        y = tl.load(b + k[:, None] * b_row + n[None, :] * b_col, (k[:, None] < K) & (n[None, :] < N), 0.0)
        acc = tl.dot(x.to(tl.float16), y.to(tl.float16), acc)
    tl.store(c + m[:, None] * c_row + n[None, :], acc.to(c.dtype.element_ty), (m[:, None] < M) & (n[None, :] < N))


@triton.jit
def wrong_6(
    a, b, c, M, N, K, a_row, a_col, b_row, b_col, c_row, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr
):
    "the product is added onto what c holds"
    # breaks: "c [M, N] = a [M, K] @ b [K, N]": c comes from torch.empty; a c full of 3
    m = tl.program_id(0).to(tl.int64) * BM + tl.arange(0, BM)
    n = tl.program_id(1).to(tl.int64) * BN + tl.arange(0, BN)
    acc = tl.zeros((BM, BN), tl.float32)
    for first in range(0, K, BK):
        k = first + tl.arange(0, BK)
        x = tl.load(a + m[:, None] * a_row + k[None, :] * a_col, (m[:, None] < M) & (k[None, :] < K), 0.0)
        y = tl.load(b + k[:, None] * b_row + n[None, :] * b_col, (k[:, None] < K) & (n[None, :] < N), 0.0)
        acc = tl.dot(x, y, acc, input_precision="ieee")
    place, there = c + m[:, None] * c_row + n[None, :], (m[:, None] < M) & (n[None, :] < N)
    acc += tl.load(place, there, 0.0).to(tl.float32)
    tl.store(place, acc.to(c.dtype.element_ty), there)


@triton.jit
def wrong_7(
    a, b, c, M, N, K, a_row, a_col, b_row, b_col, c_row, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr
):
    "b's columns are masked by M: with N > M the columns from M on come out as zero"
    # breaks: "M, N and K need not be multiples": M = 20, N = 37
    m = tl.program_id(0).to(tl.int64) * BM + tl.arange(0, BM)
    n = tl.program_id(1).to(tl.int64) * BN + tl.arange(0, BN)
    acc = tl.zeros((BM, BN), tl.float32)
    for first in range(0, K, BK):
        k = first + tl.arange(0, BK)
        x = tl.load(a + m[:, None] * a_row + k[None, :] * a_col, (m[:, None] < M) & (k[None, :] < K), 0.0)
        y = tl.load(b + k[:, None] * b_row + n[None, :] * b_col, (k[:, None] < K) & ((n[None, :] < M) & (n[None, :] < N)), 0.0)
        acc = tl.dot(x, y, acc, input_precision="ieee")
    tl.store(c + m[:, None] * c_row + n[None, :], acc.to(c.dtype.element_ty), (m[:, None] < M) & (n[None, :] < N))


@triton.jit
def wrong_8(
    a, b, c, M, N, K, a_row, a_col, b_row, b_col, c_row, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr
):
    "the walk takes steps of BM, tiles are BK wide: parts of K are counted twice or left out where they differ"
    # breaks: "c [M, N] = a [M, K] @ b [K, N]": BM = 32, BK = 16
    m = tl.program_id(0).to(tl.int64) * BM + tl.arange(0, BM)
    n = tl.program_id(1).to(tl.int64) * BN + tl.arange(0, BN)
    acc = tl.zeros((BM, BN), tl.float32)
    for first in range(0, K, BM):
        k = first + tl.arange(0, BK)
        x = tl.load(a + m[:, None] * a_row + k[None, :] * a_col, (m[:, None] < M) & (k[None, :] < K), 0.0)
        y = tl.load(b + k[:, None] * b_row + n[None, :] * b_col, (k[:, None] < K) & (n[None, :] < N), 0.0)
        acc = tl.dot(x, y, acc, input_precision="ieee")
    tl.store(c + m[:, None] * c_row + n[None, :], acc.to(c.dtype.element_ty), (m[:, None] < M) & (n[None, :] < N))


@triton.jit
def wrong_9(
    a, b, c, M, N, K, a_row, a_col, b_row, b_col, c_row, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr
):
    "only whole steps along K: the last K % BK products are left out"
    # breaks: "K need not be [a multiple] of BK": K = 50, BK = 16; K = 7 gives zeros
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
def wrong_10(
    a, b, c, M, N, K, a_row, a_col, b_row, b_col, c_row, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr
):
    "places beyond K are held at the last of K instead of masked: its product is added again and again"
    # breaks: "K need not be [a multiple] of BK": K = 50, BK = 16 adds k = 49 fourteen times more
    m = tl.program_id(0).to(tl.int64) * BM + tl.arange(0, BM)
    n = tl.program_id(1).to(tl.int64) * BN + tl.arange(0, BN)
    acc = tl.zeros((BM, BN), tl.float32)
    for first in range(0, K, BK):
        k = tl.minimum(first + tl.arange(0, BK), K - 1)
        x = tl.load(a + m[:, None] * a_row + k[None, :] * a_col, (m[:, None] < M) & (k[None, :] < K), 0.0)
        y = tl.load(b + k[:, None] * b_row + n[None, :] * b_col, (k[:, None] < K) & (n[None, :] < N), 0.0)
        acc = tl.dot(x, y, acc, input_precision="ieee")
    tl.store(c + m[:, None] * c_row + n[None, :], acc.to(c.dtype.element_ty), (m[:, None] < M) & (n[None, :] < N))


@triton.jit
def right_1(
    a, b, c, M, N, K, a_row, a_col, b_row, b_col, c_row, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr
):
    "as in Triton's tutorial: pointers that walk, rows and columns modulo M and N, masks along k only"
    top = tl.program_id(0).to(tl.int64) * BM + tl.arange(0, BM)
    left = tl.program_id(1).to(tl.int64) * BN + tl.arange(0, BN)
    offs_k = tl.arange(0, BK)
    a_ptrs = a + (top % M)[:, None] * a_row + offs_k[None, :] * a_col
    b_ptrs = b + offs_k[:, None] * b_row + (left % N)[None, :] * b_col
    acc = tl.zeros((BM, BN), dtype=tl.float32)
    for step in range(0, tl.cdiv(K, BK)):
        x = tl.load(a_ptrs, mask=offs_k[None, :] < K - step * BK, other=0.0)
        y = tl.load(b_ptrs, mask=offs_k[:, None] < K - step * BK, other=0.0)
        acc += tl.dot(x, y, input_precision="ieee")
        a_ptrs += BK * a_col
        b_ptrs += BK * b_row
    where = (top[:, None] < M) & (left[None, :] < N)
    tl.store(c + top[:, None] * c_row + left[None, :], acc.to(c.dtype.element_ty), mask=where)


@triton.jit
def right_2(
    a, b, c, M, N, K, a_row, a_col, b_row, b_col, c_row, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr
):
    "operands are made float32 before tl.dot, which then multiplies them as such"
    m = tl.program_id(0).to(tl.int64) * BM + tl.arange(0, BM)
    n = tl.program_id(1).to(tl.int64) * BN + tl.arange(0, BN)
    acc = tl.zeros((BM, BN), tl.float32)
    for first in range(0, K, BK):
        k = first + tl.arange(0, BK)
        x = tl.load(a + m[:, None] * a_row + k[None, :] * a_col, (m[:, None] < M) & (k[None, :] < K), 0.0)
        y = tl.load(b + k[:, None] * b_row + n[None, :] * b_col, (k[:, None] < K) & (n[None, :] < N), 0.0)
        acc = tl.dot(x.to(tl.float32), y.to(tl.float32), acc, input_precision="ieee")
    tl.store(c + m[:, None] * c_row + n[None, :], acc.to(c.dtype.element_ty), (m[:, None] < M) & (n[None, :] < N))


@triton.jit
def right_3(
    a, b, c, M, N, K, a_row, a_col, b_row, b_col, c_row, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr
):
    "one k at a time: outer products"
    m = tl.program_id(0).to(tl.int64) * BM + tl.arange(0, BM)
    n = tl.program_id(1).to(tl.int64) * BN + tl.arange(0, BN)
    acc = tl.zeros((BM, BN), tl.float32)
    for k in range(0, K):
        x = tl.load(a + m * a_row + k * a_col, m < M, 0.0).to(tl.float32)
        y = tl.load(b + k * b_row + n * b_col, n < N, 0.0).to(tl.float32)
        acc += x[:, None] * y[None, :]
    tl.store(c + m[:, None] * c_row + n[None, :], acc.to(c.dtype.element_ty), (m[:, None] < M) & (n[None, :] < N))


@triton.jit
def right_4(
    a, b, c, M, N, K, a_row, a_col, b_row, b_col, c_row, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr
):
    "a while loop backwards along K, the steps from the last to the first"
    m = tl.program_id(0).to(tl.int64) * BM + tl.arange(0, BM)
    n = tl.program_id(1).to(tl.int64) * BN + tl.arange(0, BN)
    acc = tl.zeros((BM, BN), tl.float32)
    first = (tl.cdiv(K, BK) - 1) * BK
    while first >= 0:
        k = first + tl.arange(0, BK)
        x = tl.load(a + m[:, None] * a_row + k[None, :] * a_col, (m[:, None] < M) & (k[None, :] < K), 0.0)
        y = tl.load(b + k[:, None] * b_row + n[None, :] * b_col, (k[:, None] < K) & (n[None, :] < N), 0.0)
        acc = tl.dot(x, y, acc, input_precision="ieee")
        first -= BK
    tl.store(c + m[:, None] * c_row + n[None, :], acc.to(c.dtype.element_ty), (m[:, None] < M) & (n[None, :] < N))
