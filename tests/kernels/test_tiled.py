"""Matrix products in tiles: kernel = reference = torch, on whole and ragged shapes and any strides."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from minids.kernels import quantise, runtime, tiled

interpreted = pytest.mark.skipif(not runtime.INTERPRETED, reason="Triton's interpreter is not available")
SIZE = st.integers(1, 150)


def tensor(*shape, seed=0, dtype=torch.float32):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed)).to(dtype)


def operands(M, N, K, seed=0, scales="fp32"):
    """Block-scaled operands whose scales differ from block to block by orders of magnitude."""
    make = torch.Generator().manual_seed(seed)
    spread = 10 ** (4 * torch.rand(-(-K // 128), generator=make) - 2).repeat_interleave(128)[:K]
    a, b = torch.randn(M, K, generator=make) * spread, torch.randn(N, K, generator=make) / spread.sqrt()
    return *quantise.quantise(a, scales), *quantise.quantise_weight(b, scales)


@interpreted
@settings(max_examples=12, deadline=None)
@given(SIZE, SIZE, SIZE, st.sampled_from(tiled.DTYPES), st.integers(0, 99))
def test_the_product_is_that_of_float64(M, N, K, dtype, seed):
    a, b = tensor(M, K, seed=seed, dtype=dtype), tensor(K, N, seed=seed + 1, dtype=dtype)
    want = a.double() @ b.double()
    step = {torch.float32: 1e-6, torch.float16: 2**-11, torch.bfloat16: 2**-8}[dtype]
    for backend in ("triton", "torch"):
        got = tiled.matmul(a, b, backend=backend)
        assert got.dtype == dtype and got.shape == (M, N)
        assert ((got.double() - want).abs() <= step * want.abs() + 1e-5 * K**0.5).all()


@interpreted
@pytest.mark.parametrize("turned", [(False, True), (True, False), (True, True)])
def test_strides_are_those_of_the_operands(turned):
    a, b = tensor(20, 40), tensor(40, 30, seed=1)
    laid = [x.t().contiguous().t() if turn else x for x, turn in zip((a, b), turned)]
    torch.testing.assert_close(tiled.matmul(*laid, backend="triton"), a @ b, atol=1e-5, rtol=1e-5)
    wide = torch.full((20, 100), float("nan"))
    wide[:, 10:90:2] = a
    torch.testing.assert_close(tiled.matmul(wide[:, 10:90:2], laid[1], backend="triton"), a @ b, atol=1e-5, rtol=1e-5)


@interpreted
@settings(max_examples=10, deadline=None)
@given(SIZE, SIZE, st.integers(1, 400), st.sampled_from(quantise.SCALES), st.integers(0, 99))
def test_the_scaled_product_is_that_of_the_dequantised_operands(M, N, K, scales, seed):
    given_ = operands(M, N, K, seed, scales)
    a, b = (quantise.dequantise(q, s, torch.float64) for q, s in (given_[:2], given_[2:]))
    size = a.abs() @ b.abs().t()
    for backend in ("triton", "torch"):
        got = tiled.fp8_matmul(*given_, out_dtype=torch.float32, backend=backend)
        assert ((got.double() - a @ b.t()).abs() <= 1e-6 * size).all()
        rounded = tiled.fp8_matmul(*given_, backend=backend)
        assert rounded.dtype == torch.bfloat16
        assert ((rounded.double() - a @ b.t()).abs() <= 2**-8 * (a @ b.t()).abs() + 1e-6 * size).all()


@interpreted
def test_it_is_the_product_of_gemm():
    from minids.kernels import gemm

    given_ = operands(70, 200, 300)
    ours, theirs = (fn(*given_, torch.float32, backend="triton") for fn in (tiled.fp8_matmul, gemm.matmul))
    assert gemm.difference(ours, theirs) < 1e-12


@interpreted
def test_several_tiles_in_both_directions():
    a, b = tensor(130, 40, dtype=torch.bfloat16), tensor(40, 260, seed=1, dtype=torch.bfloat16)
    want = (a.double() @ b.double()).bfloat16()
    torch.testing.assert_close(tiled.matmul(a, b, backend="triton"), want, atol=1e-2, rtol=1e-2)


@interpreted
def test_one_bad_number_stays_in_its_row_and_column():
    a, b = tensor(20, 40), tensor(40, 30, seed=1)
    a[3, 5], b[7, 11] = float("nan"), float("inf")
    got = tiled.matmul(a, b, backend="triton")
    assert got[3].isnan().all() and not got[:, 11].isfinite().any()
    keep = torch.ones(20, 30, dtype=torch.bool)
    keep[3], keep[:, 11] = False, False
    assert got[keep].isfinite().all()


X = torch.ones(4, 8)


@pytest.mark.parametrize(
    ("a", "b", "said"),
    [
        (torch.ones(3), X, "a must be a matrix"),
        (X, torch.ones(8, 2, 1), "b must be a matrix"),
        (X.int(), X.t(), "int32"),
        (X[:0], X.t(), "empty"),
        (X, X, "a's columns"),
        (X, X.t().bfloat16(), "alike"),
    ],
)
def test_bad_operands_are_refused_by_name(a, b, said):
    with pytest.raises(runtime.KernelError, match=said):
        tiled.matmul(a, b)


def test_float64_is_for_the_reference():
    a = torch.randn(3, 4, dtype=torch.float64)
    assert torch.equal(tiled.matmul(a, a.t()), a @ a.t())
    if runtime.INTERPRETED:
        with pytest.raises(runtime.KernelError, match="reference only"):
            tiled.matmul(a, a.t(), backend="triton")


def test_bad_scales_are_refused_by_name():
    a, sa, b, sb = operands(20, 300, 200)
    for given_, said in [
        ((a.float(), sa, b, sb), "quantise it first"),
        ((a, sa[:, :1], b, sb), "a_scales has shape"),
        ((a, sa, b, sb.double()), "b_scales is torch.float64"),
        ((a, sa, b[:, :150].contiguous(), sb), "differ in K"),
        ((a, sa, *quantise.quantise(torch.randn(300, 200))), "1x128 as well"),
        ((a.t(), sa, b, sb), "contiguous"),
    ]:
        with pytest.raises(runtime.KernelError, match=said):
            tiled.fp8_matmul(*given_)
    with pytest.raises(runtime.KernelError, match="out_dtype"):
        tiled.fp8_matmul(a, sa, b, sb, torch.float16)
