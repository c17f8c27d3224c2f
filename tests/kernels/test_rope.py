"""RoPE: kernel = the model's own function in float64, gradients too; views, tables for every text, bad input."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from minids.kernels import rope as P
from minids.kernels import runtime
from minids.model import layers

interpreted = pytest.mark.skipif(not runtime.INTERPRETED, reason="Triton's interpreter is not available")
STEP = {torch.bfloat16: 2.0**-8, torch.float16: 2.0**-11, torch.float32: 1e-6}


def tables(*shape, seed=0):
    """cos and sin of random angles, [..., T, D/2]."""
    angle = 7 * torch.rand(shape, generator=torch.Generator().manual_seed(seed))
    return angle.cos(), angle.sin()


def vectors(*shape, seed=0, dtype=torch.float32):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed)).to(dtype)


def results(fn, x, dy):
    leaf = x.detach().clone().requires_grad_()
    y = fn(leaf)
    return [y.detach(), *torch.autograd.grad(y, leaf, dy)]


def close(got, want, dtype):
    for g, w in zip(got, want, strict=True):
        assert g.dtype == dtype
        torch.testing.assert_close(g.double(), w.double(), rtol=STEP[dtype], atol=3e-6)


@interpreted
@settings(max_examples=25, deadline=None)
@given(
    st.tuples(st.integers(1, 3), st.integers(1, 5), st.integers(1, 9)),
    st.integers(1, 40),
    st.booleans(),
    st.booleans(),
    st.sampled_from(P.DTYPES),
    st.integers(0, 99),
)
def test_kernel_and_reference_equal_float64(BHT, half, interleave, for_every_text, dtype, seed):
    B, H, T = BHT
    x, dy = vectors(B, H, T, 2 * half, seed=seed, dtype=dtype), vectors(B, H, T, 2 * half, seed=seed + 1, dtype=dtype)
    cos, sin = tables(B, T, half, seed=seed) if for_every_text else tables(T, half, seed=seed)
    cos64, sin64 = (t.double()[:, None] if for_every_text else t.double() for t in (cos, sin))
    want = results(lambda x: layers.apply_rope(x, cos64, sin64, interleave), x.double(), dy.double())
    for backend in ("triton", "torch"):
        close(results(lambda x, on=backend: P.rope(x, cos, sin, interleave, on), x, dy), want, dtype)


@interpreted
@pytest.mark.parametrize("backend", ["torch", "triton"])
def test_a_pair_is_a_complex_number(backend):
    x, (cos, sin) = vectors(2, 3, 5, 8), tables(5, 4)
    turned = torch.view_as_complex(x.unflatten(-1, (4, 2))) * torch.complex(cos, sin)
    want = torch.cat([turned.real, turned.imag], -1)
    torch.testing.assert_close(P.rope(x, cos, sin, True, backend), want)
    halves = torch.cat([x[..., 0::2], x[..., 1::2]], -1)
    torch.testing.assert_close(P.rope(halves, cos, sin, False, backend), want)


@interpreted
@pytest.mark.parametrize("interleave", [True, False])
def test_backward_turns_back(interleave):
    x, (cos, sin) = vectors(2, 3, 5, 12), tables(5, 6)
    y, dx = results(lambda x: P.rope(x, cos, sin, interleave, "triton"), x, P.rope(x, cos, sin, interleave, "triton"))
    torch.testing.assert_close(dx, x, rtol=1e-5, atol=1e-5)
    assert not torch.allclose(y, x)


@interpreted
def test_gradients_are_read_where_they_lie():
    x, (cos, sin) = vectors(2, 3, 5, 8), tables(5, 4)
    for dy in (
        vectors(2, 3, 8, 5).transpose(2, 3),
        vectors(2, 5, 3, 20)[..., :8].transpose(1, 2),
        torch.ones(1).expand(2, 3, 5, 8),
    ):
        got, want = (results(lambda x, on=on: P.rope(x, cos, sin, True, on), x, dy) for on in ("triton", "torch"))
        close(got, want, torch.float32)


@interpreted
def test_views_are_read_where_they_lie():
    wide, (cos, sin) = vectors(2, 5, 3, 20), tables(2, 5, 4)  # heads after time, and longer than what is turned
    x = wide[..., 12:].transpose(1, 2)
    want = layers.apply_rope(wide[..., 12:], cos[:, :, None], sin[:, :, None])
    y = P.rope(x, cos, sin, backend="triton")
    torch.testing.assert_close(y.transpose(1, 2), want)
    assert y.is_contiguous()
    leaf = wide.clone().requires_grad_()
    P.rope(leaf[..., 12:].transpose(1, 2), cos, sin, backend="triton").backward(x)
    (back,) = torch.autograd.grad(P.rope(x.requires_grad_(), cos, sin, backend="torch"), x, x)
    torch.testing.assert_close(leaf.grad[..., 12:].transpose(1, 2), back)
    assert not leaf.grad[..., :12].any()


@interpreted
@pytest.mark.parametrize("backend", ["torch", "triton"])
def test_fewer_axes(backend):
    x, (cos, sin) = vectors(2, 5, 8), tables(2, 5, 4)
    torch.testing.assert_close(P.rope(x, cos, sin, backend=backend), layers.apply_rope(x, cos, sin))
    torch.testing.assert_close(P.rope(x, cos[0], sin[0], backend=backend), layers.apply_rope(x, cos[0], sin[0]))
    torch.testing.assert_close(P.rope(x, cos[:1], sin[:1], backend=backend), layers.apply_rope(x, cos[0], sin[0]))
    torch.testing.assert_close(P.rope(x[1], cos[1], sin[1], backend=backend), layers.apply_rope(x[1], cos[1], sin[1]))


@interpreted
def test_position_0_leaves_numbers_as_they_are_and_bad_ones_stay_in_their_pair():
    x = vectors(1, 1, 3, 8)
    x[0, 0, 1, 2] = float("nan")
    cos, sin = torch.ones(3, 4), torch.zeros(3, 4)
    y = P.rope(x, cos, sin, backend="triton")
    assert torch.equal(y[0, 0, 0], torch.cat([x[0, 0, 0, 0::2], x[0, 0, 0, 1::2]]))
    assert y[0, 0].isnan().nonzero().tolist() == [[1, 1], [1, 5]]


def test_reference_has_a_gradient():
    x, (cos, sin) = vectors(1, 2, 3, 6).double().requires_grad_(), (t.double() for t in tables(3, 3))
    for interleave in (True, False):
        assert torch.autograd.gradcheck(lambda x, i=interleave: P.rope(x, cos, sin, i), x)


@interpreted
def test_derivatives_of_second_order_are_refused():
    x, (cos, sin) = vectors(5, 8).requires_grad_(), tables(5, 4)
    with pytest.raises(runtime.KernelError, match="second derivative"):
        torch.autograd.grad(P.rope(x, cos, sin, backend="triton").sum(), x, create_graph=True)


C = torch.ones(5, 4)


@interpreted
@pytest.mark.parametrize(
    ("x", "cos", "sin", "said"),
    [
        (torch.ones(8), C, C, r"\[B, H, T, D\]"),
        (torch.ones(0, 5, 8), C, C, "nothing"),
        (torch.ones(5, 8).int(), C, C, "int32"),
        (torch.ones(5, 7), C, C, "7 is odd"),
        (torch.ones(6, 8), C, C, r"\[6, 4\] is needed"),
        (torch.ones(5, 10), C, C, r"\[5, 5\] is needed"),
        (torch.ones(5, 8), C, C[:4], "must be alike"),
        (torch.ones(5, 8), C.long(), C.long(), "int64"),
        (torch.ones(2, 5, 8), C.expand(3, 5, 4), C.expand(3, 5, 4), "every text"),
        (torch.ones(5, 8), C[None], C[None].half(), "must be alike"),
        (torch.ones(8, 5).t(), C, C, "x: numbers of the last axis"),
        (torch.ones(5, 8), torch.ones(4, 5).t(), torch.ones(4, 5).t(), "cos: numbers of the last axis"),
        (torch.ones(5, 8).double(), C, C, "float64"),
        (torch.ones(5, 8), C.double(), C.double(), "float64"),
        (torch.ones(5, 8), C.clone().requires_grad_(), C, "no gradient"),
        (torch.ones(5, 8, device="meta"), C, C, "meta"),
    ],
)
def test_bad_arguments_are_refused_by_name(x, cos, sin, said):
    with pytest.raises(runtime.KernelError, match=said):
        P.rope(x, cos, sin, backend="triton")
