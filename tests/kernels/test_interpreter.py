"""The interpreter, mended, is right; and the faults that it is mended for are still there (if not, mend less)."""

import numpy as np
import pytest
import torch

from minids.kernels import runtime
from minids.kernels.runtime import tl, triton

pytestmark = pytest.mark.skipif(not runtime.INTERPRETED, reason="Triton's interpreter is not available")
if runtime.INTERPRETED:
    from minids.kernels import interpreter


@triton.jit
def _cast(x, y, N: tl.constexpr, TO: tl.constexpr):
    i = tl.arange(0, N)
    tl.store(y + i, tl.load(x + i).to(TO))


@triton.jit
def _dot(a, b, c, N: tl.constexpr):
    i = tl.arange(0, N)
    at = i[:, None] * N + i[None, :]
    tl.store(c + at, tl.dot(tl.load(a + at), tl.load(b + at)))


@triton.jit
def _row(x, y, M, N, COLS: tl.constexpr):
    m, k = tl.program_id(0), tl.arange(0, COLS)
    inside = (m < M) & (k < N)
    tl.store(y + m * N + k, tl.load(x + m * N + k, inside), inside)


@triton.jit
def _sum(x, y, N):
    total = 0.0
    for i in range(N):
        total += tl.load(x + i)
    tl.store(y, total)


NAMES = {torch.float8_e4m3fn: "float8e4nv", torch.float8_e5m2: "float8e5", torch.bfloat16: "bfloat16"}


def cast(x, dtype):
    y = torch.empty(x.shape, dtype=dtype)
    _cast[(1,)](x, y, x.numel(), getattr(tl, NAMES.get(dtype, str(dtype).removeprefix("torch."))))
    return y


def dot(a, b):
    c = torch.empty(16, 16)
    _dot[(1,)](a, b, c, 16)
    return c


def copied():
    """A matrix [3, 5] copied by a kernel whose masks are made of a scalar and a block."""
    x, y = torch.arange(15.0).view(3, 5), torch.zeros(4, 5)
    _row[(4,)](x, y, 3, 5, 8)
    return torch.equal(y, torch.cat([x, torch.zeros(1, 5)]))


def summed():
    """The sum of three numbers by a kernel that counts to an argument."""
    y = torch.zeros(1)
    _sum[(1,)](torch.tensor([1.0, 2.0, 4.0]), y, 3)
    return y.item() == 7.0


def values():
    x = torch.randn(4096, generator=torch.Generator().manual_seed(0)) * 100
    return torch.cat([x[:-4], torch.tensor([124.3, 0.0, -0.0, 2.0**-9])])


@pytest.mark.parametrize("dtype", list(NAMES))
def test_casts_are_torchs(dtype):
    want = values().clamp(-torch.finfo(dtype).max, torch.finfo(dtype).max).to(dtype)
    assert torch.equal(cast(values(), dtype).float(), want.float())
    assert torch.equal(cast(want, torch.float32), want.float())
    assert torch.equal(cast(values().half(), dtype).float(), values().half().float().to(dtype).float())


def test_casts_beyond_the_largest_saturate_and_nan_stays():
    got = cast(torch.tensor([1e9, -1e9, float("inf"), float("nan")]), torch.float8_e4m3fn).float()
    assert got[:3].tolist() == [448.0, -448.0, 448.0] and got[3].isnan()


@pytest.mark.parametrize("dtype", list(NAMES))
def test_dot_multiplies_values(dtype):
    make = torch.Generator().manual_seed(1)
    a, b = (torch.randn(16, 16, generator=make).to(dtype) for _ in range(2))
    torch.testing.assert_close(dot(a, b), a.float() @ b.float(), rtol=1e-6, atol=1e-6)


def test_a_scalar_condition_is_part_of_a_mask():
    assert copied()


def test_an_argument_bounds_a_loop():
    assert summed()


def test_the_faults_are_still_there():
    def refused(run):
        try:
            return not run()
        except Exception:
            return True

    builder = interpreter._builder
    builder.cast_impl, builder.create_fp_to_fp = interpreter._cast, interpreter._fp_to_fp
    builder.create_dot, builder.create_splat = interpreter._dot, interpreter._splat
    interpreter.theirs._patch_lang_tensor = interpreter._patch_tensor
    try:
        wrong = {
            "cast to FP8": cast(values(), torch.float8_e4m3fn).float()[-4] != 128.0,
            "cast to bfloat16": not torch.equal(cast(values(), torch.bfloat16), values().bfloat16()),
            "scalar condition": refused(copied),
            "dot on bfloat16": (dot(*[torch.ones(16, 16).bfloat16()] * 2) != 16.0).any().item(),
            "number as a bound": refused(summed),
        }
    finally:
        interpreter.mend()
    right = {name for name, fault in wrong.items() if not fault}
    known = {"scalar condition"} if runtime.VERSION < (3, 9) else set()
    if runtime.VERSION > (3, 6) or np.lib.NumpyVersion(np.__version__) < "2.4.0":
        known |= {"number as a bound"}
    assert right == known, f"Triton {triton.__version__} is right about {right}, {known} was known: mend less or more"
