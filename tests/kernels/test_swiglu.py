"""SwiGLU: kernel = the model's own function in float64, gradients too; in place and what guards it; bad input."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from minids.kernels import runtime
from minids.kernels import swiglu as S
from minids.model import layers

interpreted = pytest.mark.skipif(not runtime.INTERPRETED, reason="Triton's interpreter is not available")
STEP = {torch.bfloat16: 2.0**-8, torch.float16: 2.0**-11, torch.float32: 1e-6}


def tensors(shape, dtype=torch.float32, seed=0):
    make = torch.Generator().manual_seed(seed)
    return [torch.randn(shape, generator=make).mul(2).to(dtype) for _ in range(3)]


def exact(gate, up, dy):
    """[y, dgate, dup] of the model's function in float64."""
    leaves = [t.double().requires_grad_() for t in (gate, up)]
    y = layers.swiglu(*leaves)
    return [y.detach(), *torch.autograd.grad(y, leaves, dy.double())]


def close(got, want, dtype):
    for g, w in zip(got, want, strict=True):
        assert g.dtype == dtype
        torch.testing.assert_close(g.double(), w, rtol=STEP[dtype], atol=2e-5)


@interpreted
@settings(max_examples=25, deadline=None)
@given(st.integers(1, 9), st.integers(1, 1300), st.sampled_from(S.DTYPES), st.booleans(), st.integers(0, 99))
def test_kernel_and_reference_equal_float64(M, F, dtype, inplace, seed):
    gate, up, dy = tensors((M, F), dtype, seed)
    want = exact(gate, up, dy)
    for backend in ("triton", "torch"):
        # * 1 makes something of them that may be written over
        leaves = [gate.clone().requires_grad_(), up.clone().requires_grad_()]
        y = S.swiglu(*(t * 1 for t in leaves), inplace=inplace, backend=backend)
        close([y, *torch.autograd.grad(y, leaves, dy)], want, dtype)


def test_reference_is_torchs_and_has_a_gradient():
    gate, up, _ = (t.double().requires_grad_() for t in tensors((3, 7)))
    torch.testing.assert_close(S.swiglu(gate, up), torch.nn.functional.silu(gate) * up)
    assert torch.autograd.gradcheck(S.swiglu, (gate, up))


@interpreted
def test_half_precision_is_rounded_once():
    gate, up, _ = tensors((16, 200), torch.bfloat16)
    once = (torch.nn.functional.silu(gate.float()) * up.float()).bfloat16()
    assert (S.swiglu(gate, up, backend="triton") == once).float().mean() > 0.999
    assert (layers.swiglu(gate, up) == once).float().mean() < 0.9
    torch.testing.assert_close(layers.swiglu(gate, up), once, rtol=2.0**-6, atol=0)


@interpreted
def test_in_place_writes_over_the_inputs_and_nothing_else_is_made():
    inputs = [t * 1 for t in torch.randn(3, 20, requires_grad=True).chunk(2, 1)]
    got = []
    for t in inputs:
        t.register_hook(lambda g: got.append(g.data_ptr()))
    S.swiglu(*inputs, inplace=True, backend="triton").sum().backward()
    assert sorted(got) == sorted(t.data_ptr() for t in inputs)


@interpreted
def test_in_place_tells_everybody_who_still_needs_the_inputs():
    leaf = torch.randn(3, 20, requires_grad=True)
    y = S.swiglu(leaf * 1, leaf * 2, inplace=True, backend="triton").sum()
    y.backward(retain_graph=True)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.backward()
    saved = torch.tanh(leaf)  # tanh needs its result in its backward, which comes after
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        S.swiglu(saved, leaf * 2, inplace=True, backend="triton").sum().backward()


@interpreted
def test_in_place_refuses_what_must_not_be_lost():
    leaf, x = torch.randn(3, 20, requires_grad=True), torch.randn(3, 20, requires_grad=True) * 1
    one = torch.randn(1, 20, requires_grad=True) * 1
    for gate, up, said in (
        (leaf, x, "gate is a leaf"),
        (x, leaf, "up is a leaf"),
        (x, x, "one tensor"),
        (one.expand(3, 20), x, "gate is expanded"),
    ):
        with pytest.raises(runtime.KernelError, match=said):
            S.swiglu(gate, up, inplace=True, backend="triton")
    with torch.no_grad():  # nothing will be written
        S.swiglu(leaf, leaf, inplace=True, backend="triton")


@interpreted
def test_gradients_are_read_where_they_lie():
    gate, up, _ = tensors((6, 10))
    for dy in (torch.randn(10, 6).t(), torch.randn(6, 30)[:, :10], torch.ones(1).expand(6, 10)):
        leaves = [t.clone().requires_grad_() for t in (gate, up)]
        y = S.swiglu(*leaves, backend="triton")
        close([y, *torch.autograd.grad(y, leaves, dy)], exact(gate, up, dy), torch.float32)


@interpreted
def test_views_are_read_where_they_lie():
    wide = torch.randn(2, 3, 64)
    gate, up = wide[..., :30], wide[..., 30:60]
    close([S.swiglu(gate, up, backend="triton")], exact(gate, up, gate)[:1], torch.float32)
    assert S.swiglu(wide[0, 0], wide[0, 1], backend="triton").shape == (64,)


@interpreted
@pytest.mark.filterwarnings("ignore:overflow")  # exp(1e4), numpy's way to say so
def test_large_numbers_neither_overflow_nor_vanish():
    gate = torch.tensor([[-1e4, -90.0, 0.0, 90.0, 1e4]], requires_grad=True)
    y = S.swiglu(gate, torch.ones(1, 5), backend="triton")
    y.sum().backward()
    assert y.tolist() == [[0.0, pytest.approx(0.0), 0.0, 90.0, 1e4]]
    assert gate.grad.tolist() == [[0.0, pytest.approx(0.0), 0.5, 1.0, 1.0]]
    gate = torch.zeros(2, 3)
    gate[1, 1] = float("nan")
    assert S.swiglu(gate, gate + 1, backend="triton").isnan().nonzero().tolist() == [[1, 1]]


@interpreted
@pytest.mark.parametrize(
    ("gate", "up", "said"),
    [
        (torch.ones(0, 4), torch.ones(0, 4), "nothing"),
        (torch.ones(2, 3), torch.ones(2, 4), "must be alike"),
        (torch.ones(2, 3), torch.ones(2, 3).half(), "must be alike"),
        (torch.ones(2, 3).long(),) * 2 + ("int64",),
        (torch.ones(3, 2).t(), torch.ones(2, 3), "gate: numbers of a row"),
        (torch.ones(2, 3).double(),) * 2 + ("float64",),
        (torch.ones(2, 3, 4), torch.ones(3, 2, 4).transpose(0, 1), "up: rows must lie"),
        (torch.ones(2, 3), torch.ones(2, 3, device="meta"), "meta"),
    ],
)
def test_bad_arguments_are_refused_by_name(gate, up, said):
    with pytest.raises(runtime.KernelError, match=said):
        S.swiglu(gate, up, backend="triton")


@interpreted
def test_derivatives_of_second_order_are_refused():
    x = torch.ones(2, 4, requires_grad=True)
    with pytest.raises(runtime.KernelError, match="second derivative"):
        torch.autograd.grad(S.swiglu(x, x, backend="triton").sum(), x, create_graph=True)
