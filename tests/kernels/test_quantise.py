"""Quantising: kernel = reference bit for bit, reference = a loop over blocks, what ragged, zero and bad blocks give."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from minids.kernels import quantise as Q
from minids.kernels import runtime

interpreted = pytest.mark.skipif(not runtime.INTERPRETED, reason="Triton's interpreter is not available")
SHAPES = st.tuples(st.integers(1, 200), st.integers(1, 300))


def tensor(shape, seed=0, dtype=torch.float32, spread=3.0):
    make = torch.Generator().manual_seed(seed)
    x = torch.randn(shape, generator=make) * torch.exp(spread * torch.randn(shape, generator=make))
    return x.to(dtype)


def same(a, b):
    """Equal as bits: NaN is NaN, -0 is not 0."""
    assert a.shape == b.shape and a.dtype == b.dtype
    as_int = {1: torch.int8, 4: torch.int32}[a.element_size()]
    assert torch.equal(a.contiguous().view(as_int), b.contiguous().view(as_int))


@interpreted
@settings(max_examples=15, deadline=None)
@given(SHAPES, st.sampled_from(Q.SCALES), st.sampled_from(Q.DTYPES), st.integers(0, 99))
@pytest.mark.parametrize("name", ["quantise", "quantise_weight", "quantise_t"])
def test_kernel_equals_reference(name, shape, scales, dtype, seed):
    x = tensor(shape, seed, dtype)
    for got, want in zip(getattr(Q, name)(x, scales, backend="triton"), getattr(Q, name)(x, scales, backend="torch")):
        same(got, want)


@settings(deadline=None)
@given(SHAPES, st.integers(0, 99))
def test_reference_equals_a_loop_over_blocks(shape, seed):
    x = tensor(shape, seed)
    for fn, (rows, cols) in ((Q.quantise, (1, 128)), (Q.quantise_weight, (128, 128))):
        q, s = fn(x, backend="torch")
        for i in range(0, shape[0], rows):
            for j in range(0, shape[1], cols):
                block = x[i : i + rows, j : j + cols]
                scale = max(block.abs().max().item(), 1e-4) / 448
                assert s[i // rows, j // cols].item() == pytest.approx(scale, rel=1e-6)
                want = (block / s[i // rows, j // cols]).clamp(-448, 448).to(torch.float8_e4m3fn).float()
                assert torch.equal(q[i : i + rows, j : j + cols].float(), want)
    turned, scales = Q.quantise_t(x, backend="torch")
    q, s = Q.quantise(x.t().contiguous(), backend="torch")
    assert torch.equal(turned.float(), q.float()) and torch.equal(scales, s)


def test_error_is_at_most_half_a_step():
    x = tensor((64, 512), spread=1.0)
    for fn in (Q.quantise, Q.quantise_weight):
        q, s = fn(x)
        y = Q.dequantise(q, s)
        step = Q.dequantise(torch.ones_like(q.float()).to(q.dtype), s)
        assert ((x - y).abs() <= torch.maximum(x.abs() / 16, step * 2.0**-10) * 1.0001).all()


def test_ue8m0_scales_are_the_next_powers_of_two():
    x = tensor((32, 256))
    plain, powers = Q.quantise(x)[1], Q.quantise(x, "ue8m0")[1]
    assert torch.equal(torch.frexp(powers)[0], torch.full_like(powers, 0.5))
    assert (powers >= plain).all() and (powers < 2 * plain).all()
    exact = torch.full((1, 128), 448.0 * 0.25)
    assert Q.quantise(exact, "ue8m0")[1].item() == 0.25


@interpreted
@pytest.mark.parametrize("backend", ["torch", "triton"])
def test_zero_blocks_stay_zero_and_bad_numbers_stay_visible(backend):
    x = torch.zeros(4, 256)
    x[1, 130], x[2, 5] = float("nan"), float("inf")
    for fn in (Q.quantise, Q.quantise_weight, Q.quantise_t):
        q, s = fn(x, backend=backend)
        values = Q.dequantise(q, s)
        assert values.isnan().any()
        if fn is Q.quantise:
            assert torch.equal(values[0], x[0]) and torch.equal(values[3], x[3])
            assert values[1, 128:].isnan().any() and not values[1, :128].isnan().any()
            assert values[2, :128].isnan().any() and not values[2, 128:].isnan().any()


def test_scales_lie_as_scaled_mm_wants_them():
    q, s = Q.quantise(torch.randn(6, 300))
    assert s.shape == (6, 3) and s.stride() == (1, 8)


@pytest.mark.parametrize(
    ("x", "said"),
    [
        (torch.ones(3), "matrix"),
        (torch.ones(2, 3, dtype=torch.int32), "int32"),
        (torch.ones(0, 3), "nothing"),
        (torch.ones(3, 4).t(), "side by side"),
        (torch.ones(2, 2, dtype=torch.float64), "float64"),
    ],
)
def test_bad_arguments_are_refused_by_name(x, said):
    for fn in (Q.quantise, Q.quantise_weight, Q.quantise_t):
        with pytest.raises(runtime.KernelError, match=said):
            fn(x)


def test_unknown_scales_and_backends_are_refused():
    with pytest.raises(runtime.KernelError, match="ue8m0"):
        Q.quantise(torch.ones(2, 2), "e5m2")
    with pytest.raises(runtime.KernelError, match="cuda"):
        Q.quantise(torch.ones(2, 2), backend="cuda")
    with pytest.raises(runtime.KernelError, match="fit neither"):
        Q.dequantise(torch.ones(2, 2), torch.ones(5, 1))


@interpreted
@pytest.mark.parametrize("scales", Q.SCALES)
@pytest.mark.parametrize("name", ["quantise", "quantise_weight", "quantise_t"])
def test_bad_numbers_give_the_same_everywhere(name, scales):
    """NaN: the block and its scale. Infinity: the scale, NaN where it stood, zero around it. No other block."""
    x = tensor((130, 260), spread=1.0)
    x[1, 2], x[129, 130], x[0, 257] = float("nan"), float("inf"), -float("nan")
    found = {backend: getattr(Q, name)(x, scales, backend=backend) for backend in ("torch", "triton")}
    for got, want in zip(found["triton"], found["torch"]):
        assert torch.equal(got.float().nan_to_num(12345.0), want.float().nan_to_num(12345.0))
    rows, cols = {"quantise": (1, 128), "quantise_weight": (128, 128), "quantise_t": (128, 1)}[name]
    i, j = torch.arange(130)[:, None], torch.arange(260)[None]

    def block(m, k):
        return (i // rows == m // rows) & (j // cols == k // cols)

    nan, infinite = block(1, 2) | block(0, 257), block(129, 130)
    for q, s in found.values():
        q, s = (q.t(), s.t()) if name == "quantise_t" else (q, s)
        wide = s.repeat_interleave(rows, 0)[:130].repeat_interleave(cols, 1)[:, :260]
        assert torch.equal(wide.isnan(), nan) and torch.equal(wide.isinf(), infinite)
        assert (wide[~nan] > 0).all()
        assert torch.equal(q.float().isnan(), nan | ((i == 129) & (j == 130)))
        assert (q.float()[infinite & ~q.float().isnan()] == 0).all()


@pytest.mark.parametrize("scales", Q.SCALES)
def test_scales_of_nan_and_infinity(scales):
    amax = torch.tensor([float("nan"), -float("nan"), float("inf"), 448.0])
    assert torch.equal(Q.scale_of(amax, scales).nan_to_num(-1.0, 9.0), torch.tensor([-1.0, -1, 9, 1]))


@pytest.mark.parametrize("M,K", [(0, 300), (0, 128), (3, 0)])
def test_the_reference_of_nothing_is_nothing(M, K):
    q, s = Q.quantise_reference(torch.zeros(M, K))
    assert q.shape == (M, K) and s.shape == (M, -(-K // 128))


def test_scales_that_are_no_table_are_refused():
    for s in (torch.ones(2), torch.tensor(1.0), torch.ones(1, 1, 1)):
        with pytest.raises(runtime.KernelError, match="fit neither"):
            Q.dequantise(torch.zeros(2, 3).to(torch.float8_e4m3fn), s)
