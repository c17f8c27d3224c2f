"""RMSNorm: kernel = the model's own function in float64, gradients too; where it rounds; views, bad input."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from minids.kernels import rmsnorm as R
from minids.kernels import runtime
from minids.model import layers

interpreted = pytest.mark.skipif(not runtime.INTERPRETED, reason="Triton's interpreter is not available")
STEP = {torch.bfloat16: 2.0**-7, torch.float16: 2.0**-10, torch.float32: 1e-5, torch.float64: 1e-12}


def tensors(shape, dtype=torch.float32, seed=0, scale=1.0):
    """x, residual and the gradients that come back, all of one shape, and a weight."""
    make = torch.Generator().manual_seed(seed)
    x, residual, dy, dh = (torch.randn(shape, generator=make).mul(scale).to(dtype) for _ in range(4))
    return x, residual, dy, dh, (1 + 0.3 * torch.randn(shape[-1:], generator=make)).to(dtype)


def results(fn, x, residual, weight, dy, dh):
    """[y, h, dx, dresidual, dweight], or without a residual [y, dx, dweight]."""
    leaves = [t.detach().clone().requires_grad_() for t in (x, residual, weight) if t is not None]
    out = fn(*leaves)
    out = out if isinstance(out, tuple) else (out,)
    return [*out, *torch.autograd.grad(out, leaves, [g.to(o.dtype) for g, o in zip((dy, dh), out)])]


def exact(x, residual, weight, dy, dh, eps=1e-6):
    """The same in float64, but for what is kept in x's dtype on the way: h, which the backward pass reads again, and
    the normalised row before the weight. In a small difference (dx) or a small sum (dweight) these roundings show."""

    def kept(t):
        return t + (t.to(x.dtype).double() - t).detach()

    def fn(*a):
        h = a[0] if residual is None else kept(a[0] + a[1])
        y = kept(h * (h.square().mean(-1, keepdim=True) + eps).rsqrt()) * a[-1]
        return y if residual is None else (y, h)

    return results(fn, *(None if t is None else t.double() for t in (x, residual, weight, dy, dh)))


def call(backend, residual, eps=1e-6):
    if residual is None:
        return lambda x, w: R.rms_norm(x, w, eps, backend=backend)
    return lambda x, r, w: R.rms_norm(x, w, eps, r, backend=backend)


def close(got, want, dtype, cancelled=0.0):
    """cancelled: size of the terms whose difference dx is; what float32 loses there is no fault."""
    for g, w in zip(got, want, strict=True):
        assert g.dtype == dtype
        atol = STEP[dtype] * w.abs().max().item() + 1e-6 * cancelled
        torch.testing.assert_close(g.double(), w, rtol=STEP[dtype], atol=atol)


@interpreted
@settings(max_examples=25, deadline=None)
@given(st.integers(1, 40), st.integers(2, 300), st.booleans(), st.sampled_from(R.DTYPES), st.integers(0, 99))
def test_kernel_and_reference_equal_float64(M, H, with_residual, dtype, seed):
    x, residual, dy, dh, weight = tensors((M, H), dtype, seed)
    residual = residual if with_residual else None
    want = exact(x, residual, weight, dy, dh)
    h = x.float() if residual is None else x.float() + residual
    cancelled = (dy.abs().max() * weight.abs().max() / h.square().mean(-1).min().sqrt()).item()
    close(results(call("triton", residual), x, residual, weight, dy, dh), want, dtype, cancelled)
    if dtype == torch.float32:  # in half precision autograd rounds between its operations
        close(results(call("torch", residual), x, residual, weight, dy, dh), want, dtype, cancelled)


def test_reference_is_torchs_and_has_a_gradient():
    x, residual, _, _, weight = (t.double().requires_grad_() for t in tensors((3, 7)))
    want = torch.nn.functional.rms_norm(x, (7,), weight, 1e-6)
    torch.testing.assert_close(R.rms_norm(x, weight, 1e-6), want)
    assert torch.autograd.gradcheck(lambda *a: R.rms_norm(*a[:2], 1e-6, a[2]), (x, weight, residual))


@interpreted
@pytest.mark.parametrize("backend", ["torch", "triton"])
def test_rounds_before_the_weight_as_the_model_does(backend):
    x, _, _, _, weight = tensors((64, 200), torch.bfloat16)
    y, ours, torchs = (
        R.rms_norm(x, weight, 1e-6, backend=backend),
        layers.rms_norm(x, weight, 1e-6),
        torch.nn.functional.rms_norm(x, (200,), weight, 1e-6),
    )
    assert (y == ours).float().mean() > 0.999
    assert 0.5 < (y == torchs).float().mean() < 0.95  # it rounds once
    torch.testing.assert_close(y, torchs, rtol=2.0**-7, atol=0)


@interpreted
@pytest.mark.parametrize("backend", ["torch", "triton"])
def test_the_sum_is_rounded_before_it_is_normalised(backend):
    x, residual, _, _, weight = tensors((32, 100), torch.bfloat16)
    y, h = R.rms_norm(x, weight, 1e-6, residual, backend=backend)
    assert torch.equal(h, x + residual)
    assert (y == layers.rms_norm(h, weight, 1e-6)).float().mean() > 0.999


@interpreted
def test_programs_that_take_several_tiles():
    x, residual, dy, dh, weight = tensors((37, 1500))
    assert R._plan(1500)["ROWS"] == 1  # 37 tiles, 16 programs
    runs = [results(call("triton", residual), x, residual, weight, dy, dh) for _ in range(2)]
    close(runs[0], exact(x, residual, weight, dy, dh), torch.float32)
    assert all(torch.equal(a, b) for a, b in zip(*runs))


@interpreted
def test_float32_weight_beside_bfloat16_rows():
    x, _, dy, _, weight = tensors((5, 64), torch.bfloat16)
    y, dx, dw = results(call("triton", None), x, None, weight.float(), dy, None)
    want = exact(x, None, weight, dy, None)
    assert dw.dtype == torch.float32
    close([y, dx], want[:2], torch.bfloat16)
    assert (dw - want[2]).norm() < 0.01 * want[2].norm()


@interpreted
def test_views_with_a_gap_between_rows_are_not_copied():
    wide, _, dy, _, weight = tensors((2, 3, 64))
    x = wide[..., :50]
    assert R.rows(x, "x").data_ptr() == wide.data_ptr()
    want = exact(x, None, weight[:50], dy[..., :50], None)
    close(results(call("triton", None), x, None, weight[:50], dy[..., :50], None), want, torch.float32)
    leaf = wide.clone().requires_grad_()
    R.rms_norm(leaf[..., :50], weight[:50], 1e-6, backend="triton").backward(dy[..., :50])
    torch.testing.assert_close(leaf.grad[..., :50].double(), want[1])
    assert not leaf.grad[..., 50:].any()


@interpreted
def test_gradients_are_read_where_they_lie():
    x, residual, _, dh, weight = tensors((6, 10))
    for dy in (torch.randn(10, 6).t(), torch.randn(6, 30)[:, :10], torch.ones(1).expand(6, 10)):
        want = exact(x, residual, weight, dy, dh)
        close(results(call("triton", residual), x, residual, weight, dy, dh), want, torch.float32)


@interpreted
@pytest.mark.parametrize("used", [("y",), ("h",), ("y", "h")])
def test_either_result_may_go_unused_and_gradients_are_not_shared(used):
    x, residual, dy, dh, weight = tensors((4, 30))
    got, want = [], []
    for backend, grads in (("triton", got), ("torch", want)):
        leaves = [t.clone().requires_grad_() for t in (x, residual, weight)]
        out = dict(zip("yh", R.rms_norm(leaves[0], leaves[2], 1e-6, leaves[1], backend=backend)))
        sum((out[name] * g).sum() for name, g in (("y", dy), ("h", dh)) if name in used).backward()
        grads += [leaf.grad for leaf in leaves]
    for g, w in zip(got, want):
        assert (g is None) == (w is None)
        assert g is None or torch.allclose(g, w, atol=1e-5)
    assert got[0].data_ptr() != got[1].data_ptr()


@interpreted
@pytest.mark.filterwarnings("ignore:(divide|invalid)")  # numpy's way to say so
def test_one_number_one_vector_zeros_and_large_numbers():
    x = torch.tensor([[2.0], [-4.0]], requires_grad=True)  # of a vector of one number only the sign is left
    R.rms_norm(x, torch.full((1,), 3.0), 0.0, backend="triton").sum().backward()
    assert R.rms_norm(x, torch.full((1,), 3.0), 0.0, backend="triton").tolist() == [[3.0], [-3.0]]
    assert x.grad.tolist() == [[0.0], [0.0]]
    weight = torch.ones(10)
    assert R.rms_norm(torch.ones(10), weight, 0.0, backend="triton").tolist() == [1.0] * 10
    assert R.rms_norm(torch.zeros(2, 10), weight, 1e-6, backend="triton").tolist() == [[0.0] * 10] * 2
    large = torch.full((1, 10), 6e4, dtype=torch.float16)  # its square is infinite in float16
    assert R.rms_norm(large, weight.half(), 1e-6, backend="triton").tolist() == [[1.0] * 10]


@interpreted
def test_bad_numbers_stay_in_their_row():
    x, _, _, _, weight = tensors((40, 20))
    clean = R.rms_norm(x, weight, 1e-6, backend="triton")
    x[3, 7] = float("nan")
    y = R.rms_norm(x, weight, 1e-6, backend="triton")
    assert y[3].isnan().all()
    assert torch.equal(y[torch.arange(40) != 3], clean[torch.arange(40) != 3])


ONE = torch.ones(4)


@interpreted
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((torch.ones(0, 4), ONE), "nothing"),
        ((torch.ones(2, 4, dtype=torch.int32), ONE), "int32"),
        ((torch.ones(2, 5), ONE), r"weight \[4\]"),
        ((torch.ones(2, 4), ONE.long()), "weight is torch.int64"),
        ((torch.ones(4, 2).t(), ONE), "side by side"),
        ((torch.ones(2, 3, 4).transpose(0, 1), ONE), "equal distances"),
        ((torch.ones(2, 4), ONE, -1.0), "eps"),
        ((torch.ones(2, 4), ONE, 0.0, torch.ones(3, 4)), "residual"),
        ((torch.ones(2, 4), ONE, 0.0, torch.ones(2, 4).half()), "residual"),
        ((torch.ones(2, 4).double(), ONE), "float64"),
        ((torch.ones(1, 9000), torch.ones(9000)), "9000"),
        ((torch.ones(2, 4), ONE.to("meta")), "meta"),
    ],
)
def test_bad_arguments_are_refused_by_name(arguments, said):
    with pytest.raises(runtime.KernelError, match=said):
        R.rms_norm(*arguments, backend="triton")


@interpreted
def test_derivatives_of_second_order_are_refused():
    x = torch.ones(2, 4, requires_grad=True)
    with pytest.raises(runtime.KernelError, match="second derivative"):
        torch.autograd.grad(R.rms_norm(x, ONE, backend="triton").sum(), x, create_graph=True)
