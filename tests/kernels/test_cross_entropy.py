"""Cross-entropy: kernel = torch's in float64, gradients too; how much memory it takes; what is lost; bad numbers."""

import types

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils._python_dispatch import TorchDispatchMode

from minids.kernels import cross_entropy as C
from minids.kernels import runtime
from minids.model.ops import cpu
from minids.train import loss as train_loss

interpreted = pytest.mark.skipif(not runtime.INTERPRETED, reason="Triton's interpreter is not available")
STEP = {torch.bfloat16: 2.0**-7, torch.float16: 2.0**-10, torch.float32: 1e-5}
IGNORED = -100


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    monkeypatch.setattr(C, "BLOCK", 64)  # so that a small vocabulary takes several


def batch(N, V, dtype=torch.float32, seed=0, scale=3.0):
    """logits, targets of which some are ignored, and weights of which some are 0."""
    make = torch.Generator().manual_seed(seed)
    targets = torch.randint(V, (N,), generator=make)
    targets[torch.rand(N, generator=make) < 0.2] = IGNORED
    weights = torch.rand(N, generator=make) * (torch.rand(N, generator=make) < 0.8)
    return (torch.randn(N, V, generator=make) * scale).to(dtype), targets, weights


def exact(logits, targets, weights, reduction, above):
    """(loss, its gradient) from torch's cross_entropy in float64."""
    leaf = logits.double().requires_grad_()
    w = torch.where(targets == IGNORED, 0, torch.ones_like(targets) if weights is None else weights).double()
    losses = F.cross_entropy(leaf, targets.long(), reduction="none", ignore_index=IGNORED) * w
    loss = losses if reduction == "none" else losses.sum() / (w.sum() if reduction == "mean" else 1)
    return loss.detach(), torch.autograd.grad((loss * above).sum(), leaf)[0]


def close(got, want, step):
    torch.testing.assert_close(
        got.double(), want, rtol=step, atol=step * want.abs().nan_to_num().max().item(), equal_nan=True
    )


@interpreted
@settings(max_examples=25, deadline=None)
@given(
    st.integers(1, 6),
    st.integers(1, 300),
    st.sampled_from(C.DTYPES),
    st.booleans(),
    st.booleans(),
    st.sampled_from(C.REDUCTIONS),
    st.sampled_from([1.0, -0.3]),
    st.integers(0, 99),
)
def test_kernel_and_reference_equal_float64(N, V, dtype, weighted, keep, reduction, above, seed):
    logits, targets, weights = batch(N, V, dtype, seed)
    weights = weights if weighted else None
    above = above * torch.rand(N, generator=torch.Generator().manual_seed(seed)) if reduction == "none" else above
    loss64, grad64 = exact(logits, targets, weights, reduction, above)
    for backend in ("triton", "torch"):
        leaf = logits.clone().requires_grad_()
        loss = C.cross_entropy(leaf * 1, targets, weights, reduction=reduction, keep_logits=keep, backend=backend)
        assert loss.dtype == torch.float32
        close(loss, loss64, 1e-5)
        if reduction != "mean" or loss64.isfinite():  # of a mean of nothing: see below
            (loss * above).sum().backward()
            assert leaf.grad.dtype == dtype
            close(leaf.grad, grad64, STEP[dtype])


@interpreted
@pytest.mark.parametrize("V", [8192 * 2 + 17, 20_000])
def test_the_real_blocks(V, monkeypatch):
    monkeypatch.setattr(C, "BLOCK", 8192)
    logits, targets, _ = batch(3, V)
    targets[:] = torch.tensor([0, 8192, V - 1])
    leaf = logits.clone().requires_grad_()
    loss = C.cross_entropy(leaf * 1, targets, backend="triton")
    loss.backward()
    loss64, grad64 = exact(logits, targets, None, "mean", 1.0)
    close(loss, loss64, 1e-6)
    close(leaf.grad, grad64, 1e-5)


def test_reference_is_torchs_and_has_a_gradient():
    logits, targets, weights = batch(5, 7)
    logits, weights = logits.double().requires_grad_(), weights.double().requires_grad_()
    for reduction in C.REDUCTIONS:
        torch.testing.assert_close(
            C.cross_entropy(logits, targets, reduction=reduction), F.cross_entropy(logits, targets, reduction=reduction)
        )
    targets[targets == IGNORED] = 0
    assert torch.autograd.gradcheck(lambda z, w: C.cross_entropy(z, targets, w + 0.1), (logits, weights))
    hidden, matrix = (torch.randn(n, 4, dtype=torch.float64, requires_grad=True) for n in (5, 7))
    assert torch.autograd.gradcheck(
        lambda h, m: C.linear_cross_entropy(h, m, targets, reduction="sum"), (hidden, matrix)
    )


@interpreted
@pytest.mark.parametrize("backend", ["torch", "triton"])
def test_all_ignored(backend):
    for reduction, want in (("sum", 0.0), ("none", [0.0] * 3), ("mean", None)):
        leaf = torch.randn(3, 100, requires_grad=True)
        loss = C.cross_entropy(leaf * 1, torch.full((3,), IGNORED), reduction=reduction, backend=backend)
        loss.sum().backward()
        assert loss.isnan() if want is None else loss.tolist() == want  # torch, too, calls this mean NaN
        assert not leaf.grad.any()
    for reduction in ("sum", "mean"):
        hidden, matrix = torch.randn(3, 8, requires_grad=True), torch.randn(20, 8, requires_grad=True)
        loss = C.linear_cross_entropy(hidden, matrix, torch.full((3,), IGNORED), reduction=reduction, backend=backend)
        loss.backward()
        assert loss.isnan() if reduction == "mean" else loss == 0
        assert not hidden.grad.any() and not matrix.grad.any()


@interpreted
@pytest.mark.parametrize("backend", ["torch", "triton"])
def test_ignored_tokens_may_have_any_logits(backend):
    logits, targets = torch.randn(3, 70), torch.tensor([5, 0, 1])
    logits[1], logits[2, 3] = float("nan"), float("inf")
    leaf = logits.clone().requires_grad_()
    loss = C.cross_entropy(leaf * 1, targets, torch.tensor([1.0, 1.0, 0.0]), ignore_index=0, backend=backend)
    loss.backward()
    torch.testing.assert_close(loss, F.cross_entropy(logits[:1], targets[:1]))
    assert leaf.grad[0].isfinite().all() and not leaf.grad[1:].any()


@interpreted
@pytest.mark.filterwarnings("ignore:(invalid|divide|overflow)")  # numpy's way to say so
@pytest.mark.parametrize("backend", ["torch", "triton"])
def test_infinite_and_bad_logits_give_what_torch_gives(backend):
    inf, nan = float("inf"), float("nan")
    logits = torch.randn(7, 200)
    logits[0, :150] = -inf  # whole blocks of it before the first number
    logits[1, 1:] = -inf  # one token is left, the target
    logits[2, 2] = -inf  # the target: infinite loss
    logits[3] = -inf
    logits[4, 7] = inf
    logits[5, 199] = nan
    targets = torch.tensor([160, 0, 2, 3, 4, 5, 6])
    ours, theirs = logits.clone().requires_grad_(), logits.clone().requires_grad_()
    loss = C.cross_entropy(ours * 1, targets, reduction="none", backend=backend)
    want = F.cross_entropy(theirs, targets, reduction="none")
    torch.testing.assert_close(loss, want, equal_nan=True)
    assert loss.isnan().tolist() == [False, False, False, True, True, True, False] and loss[2] == inf and loss[1] == 0
    loss.sum().backward()
    want.sum().backward()
    finite = [0, 1, 2, 6]
    torch.testing.assert_close(ours.grad[finite], theirs.grad[finite])
    assert ours.grad[3:6].isnan().any(1).all()


@interpreted
@pytest.mark.parametrize("backend", ["torch", "triton"])
def test_large_logits_lose_nothing(backend):
    small = torch.randn(4, 150).mul(8).round()
    for by in (1e30, 1e6):  # added to all: beyond exp, and beyond what log(sum) + max could tell apart
        targets = torch.arange(4)
        shift = 0.0 if by == 1e30 else by
        logits = small * by if by == 1e30 else small + shift
        leaf = logits.clone().requires_grad_()
        loss = C.cross_entropy(leaf * 1, targets, reduction="none", backend=backend)
        loss.sum().backward()
        loss64, grad64 = exact(logits, targets, None, "none", 1.0)
        torch.testing.assert_close(loss.double(), loss64, rtol=1e-6, atol=1e-6)
        torch.testing.assert_close(leaf.grad.double(), grad64, rtol=1e-5, atol=1e-7)


# --- What is overwritten, and who is told -----------------------------------------------------------------------------


@interpreted
def test_the_gradient_lies_where_the_logits_were():
    for above in (1.0, 0.5):
        leaf = torch.randn(3, 100, requires_grad=True)
        logits, got = leaf * 1, []
        logits.register_hook(lambda g, got=got: got.append(g))
        (above * C.cross_entropy(logits, torch.arange(3), backend="triton")).backward()
        assert got[0].data_ptr() == logits.data_ptr() and torch.equal(logits, leaf.grad)


@interpreted
def test_logits_stay_where_there_is_no_gradient_or_where_they_are_kept():
    leaf = torch.randn(3, 100, requires_grad=True)
    logits = leaf * 1
    with torch.no_grad():
        C.cross_entropy(logits, torch.arange(3), backend="triton")
    C.cross_entropy(logits.detach(), torch.arange(3), backend="triton")
    C.cross_entropy(logits, torch.arange(3), keep_logits=True, backend="triton").backward(retain_graph=True)
    assert torch.equal(logits, leaf)


@interpreted
def test_who_still_needs_the_logits_is_told():
    leaf = torch.randn(3, 100, requires_grad=True)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        C.cross_entropy(torch.tanh(leaf), torch.arange(3), backend="triton").backward()
    C.cross_entropy(torch.tanh(leaf), torch.arange(3), keep_logits=True, backend="triton").backward()
    logits = leaf * 1
    other = logits.square().sum()
    loss = C.cross_entropy(logits, torch.arange(3), backend="triton")
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        other.backward()  # even if it comes before that of the loss
    loss.backward(retain_graph=True)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()
    with pytest.raises(runtime.KernelError, match="leaf"):
        C.cross_entropy(leaf, torch.arange(3), backend="triton")
    row = torch.randn(1, 100, requires_grad=True) * 1
    with pytest.raises(runtime.KernelError, match="overlap"):
        C.cross_entropy(row.expand(3, 100), torch.arange(3), backend="triton")
    hidden, matrix = torch.randn(3, 8, requires_grad=True), torch.randn(20, 8)
    loss = C.linear_cross_entropy(hidden, matrix, torch.arange(3), backend="triton")
    loss.backward(retain_graph=True)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


@interpreted
def test_derivatives_of_second_order_are_refused():
    hidden, matrix = torch.randn(3, 8, requires_grad=True), torch.randn(20, 8, requires_grad=True)
    for loss in (
        C.cross_entropy(hidden * 1, T, backend="triton"),
        C.linear_cross_entropy(hidden, matrix, T, backend="triton"),
    ):
        with pytest.raises(runtime.KernelError, match="second derivative"):
            torch.autograd.grad(loss, hidden, create_graph=True)


@interpreted
def test_rows_may_be_further_apart():
    wide, targets = torch.randn(4, 128), torch.tensor([1, 2, 3, 99])
    leaf = wide.clone().requires_grad_()
    (C.cross_entropy((leaf * 1)[:, :100], targets, backend="triton") * 3.0).backward()
    close(leaf.grad[:, :100], exact(wide[:, :100], targets, None, "mean", 3.0)[1], 1e-5)
    assert not leaf.grad[:, 100:].any()


# --- Memory -----------------------------------------------------------------------------------------------------------


class Allocated(TorchDispatchMode):
    """Numbers in every storage that operations make, and the most that was alive at once."""

    def __init__(self):
        super().__init__()
        self.made, self.most, self.alive = [], 0, {}

    def __torch_dispatch__(self, func, kinds, args=(), kwargs=None):
        kwargs = kwargs or {}
        known = {t.untyped_storage().data_ptr() for t in (*args, *kwargs.values()) if isinstance(t, torch.Tensor)}
        out = func(*args, **kwargs)
        if func.overloadpacket is torch.ops.aten.set_:  # the interpreter's other name for the same memory
            return out
        for t in out if isinstance(out, (tuple, list)) else (out,):
            if isinstance(t, torch.Tensor) and t.untyped_storage().data_ptr() not in known:
                numbers = t.untyped_storage().nbytes() // t.element_size()
                self.made.append(numbers)
                self.alive[StorageWeakRef(t.untyped_storage())] = numbers
        self.alive = {ref: numbers for ref, numbers in self.alive.items() if not ref.expired()}
        self.most = max(self.most, sum(self.alive.values()))
        return out


@interpreted
@pytest.mark.parametrize("above", [1.0, 0.5])
def test_no_second_tensor_of_the_logits_size_is_made(above):
    N, V = 6, 500
    logits, targets = torch.randn(N, V, requires_grad=True) * 1, torch.arange(N)
    with Allocated() as seen:
        torch.autograd.grad(C.cross_entropy(logits, targets, backend="triton") * above, logits)
    assert seen.most <= 20 * N < N * V
    with Allocated() as seen:  # the measure sees the copy that keep_logits makes, and no more than that
        torch.autograd.grad(C.cross_entropy(logits, targets, keep_logits=True, backend="triton") * above, logits)
    assert N * V <= seen.most <= (N + 1) * V
    with Allocated() as seen:  # and that torch's own keeps log-probabilities while it makes their gradient
        torch.autograd.grad(torch.nn.functional.cross_entropy(logits, targets) * above, logits)
    assert seen.most >= 2 * N * V


@pytest.mark.slow
@interpreted
def test_linear_keeps_one_chunk_of_logits():
    N, V, H = 20, 300, 4
    hidden, matrix = torch.randn(N, H, requires_grad=True), torch.randn(V, H, requires_grad=True)
    targets = torch.arange(N)
    for chunk in (1, 7):
        with Allocated() as seen:
            loss = C.linear_cross_entropy(hidden, matrix, targets, chunk=chunk, backend="triton")
            torch.autograd.grad(loss * 0.5, (hidden, matrix))
        # one piece of logits, the weight's gradient and a product of its size, some numbers a token
        assert max(seen.made) == max(chunk * V, V * H)
        assert chunk * V + V * H < seen.most <= chunk * V + 2 * V * H + (2 * H + 20) * N
    with Allocated() as seen:  # and the measure would notice
        C.linear_cross_entropy(hidden, matrix, targets, backend="torch")
    assert max(seen.made) >= N * V


# --- With the head, and in the training loss --------------------------------------------------------------------------


@pytest.mark.slow
@interpreted
@settings(max_examples=12, deadline=None)
@given(
    st.integers(1, 20),
    st.integers(1, 90),
    st.integers(1, 20),
    st.integers(1, 25),
    st.booleans(),
    st.sampled_from(["mean", "sum"]),
    st.integers(0, 99),
)
def test_linear_equals_float64(N, V, H, chunk, weighted, reduction, seed):
    _, targets, weights = batch(N, V, seed=seed)
    make = torch.Generator().manual_seed(seed)
    hidden, matrix = (torch.randn(n, H, generator=make) for n in (N, V))
    weights = weights if weighted else None
    leaves = [t.double().requires_grad_() for t in (hidden, matrix)]
    loss64, grad64 = exact((leaves[0] @ leaves[1].t()).detach(), targets, weights, reduction, 2.0)
    want = torch.autograd.grad(leaves[0] @ leaves[1].t(), leaves, grad64)
    leaves = [t.clone().requires_grad_() for t in (hidden, matrix)]
    loss = C.linear_cross_entropy(*leaves, targets, weights, chunk, reduction=reduction, backend="triton")
    close(loss, loss64, 1e-5)
    if loss64.isfinite():
        for got, w in zip(torch.autograd.grad(loss * 2.0, leaves), want):
            close(got, w, 1e-4)


@interpreted
def test_linear_equals_what_the_model_trains_with():
    N, V, H = 30, 80, 8
    _, targets, weights = batch(N, V)
    targets[targets == IGNORED] = 0
    leaves = [torch.randn(n, H, requires_grad=True) for n in (N, V)]
    want = cpu.linear_cross_entropy(*leaves, targets, weights)
    loss = C.linear_cross_entropy(*leaves, targets, weights, chunk=9, reduction="sum", backend="triton")
    torch.testing.assert_close(loss, want)
    for a, b in zip(torch.autograd.grad(loss, leaves), torch.autograd.grad(want, leaves)):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-5)


@interpreted
def test_linear_takes_the_place_of_the_loss_of_a_gpu():
    ids, weight = torch.randint(50, (3, 9)), torch.rand(3, 9) * (torch.rand(3, 9) < 0.7)
    doc_ids = torch.tensor([[0] * 5 + [1] * 4] * 3)
    head, hidden = torch.nn.Linear(8, 50), torch.randn(3, 9, 8)
    with torch.no_grad():
        head.bias.zero_()  # a bias, even of zeros, takes the path of a GPU
    some = types.SimpleNamespace(ids_BT=ids, weight_BT=weight, doc_ids_BT=doc_ids)
    want = train_loss.nll_sum(head, hidden, some, ahead=2)
    target, counts = train_loss.targets_ahead(ids, weight, doc_ids, 2)
    loss = C.linear_cross_entropy(
        hidden.flatten(0, 1), head.weight, target.flatten(), counts.flatten(), reduction="sum", backend="triton"
    )
    torch.testing.assert_close(loss, want)


@pytest.mark.slow
@interpreted
@pytest.mark.parametrize("chunk", [4, 64])
def test_linear_in_bfloat16_and_under_autocast(chunk):
    hidden, matrix = torch.randn(32, 16), torch.randn(70, 16)
    _, targets, weights = batch(32, 70)
    loss64, grad64 = exact(hidden.double() @ matrix.double().t(), targets, weights, "mean", 1.0)
    want = grad64 @ matrix.double(), grad64.t() @ hidden.double()
    half, full = torch.bfloat16, torch.float32
    for dtypes, auto in (((half, half), False), ((full, full), True), ((half, full), True)):
        leaves = [t.detach().to(dtype).requires_grad_() for t, dtype in zip((hidden, matrix), dtypes)]
        with torch.autocast("cpu", half, enabled=auto):
            loss = C.linear_cross_entropy(*leaves, targets, weights, chunk, backend="triton")
        loss.backward()
        close(loss, loss64, 0.02)
        for leaf, w, dtype in zip(leaves, want, dtypes):
            assert leaf.grad.dtype == dtype
            assert (leaf.grad - w).norm() < 0.02 * w.norm()


@interpreted
def test_linear_sums_the_weights_gradient_in_float32():
    make = torch.Generator().manual_seed(0)
    hidden, matrix = 1 + torch.rand(96, 4, generator=make).bfloat16(), torch.randn(9, 4, generator=make).bfloat16()
    targets, leaf = torch.zeros(96, dtype=torch.int64), matrix.clone().requires_grad_()
    C.linear_cross_entropy(hidden, leaf, targets, chunk=1, backend="triton").backward()
    grad64 = exact(hidden.double() @ matrix.double().t(), targets, None, "mean", 1.0)[1]
    want = grad64.t() @ hidden.double()
    assert (leaf.grad - want).norm() < 0.004 * want.norm()  # 96 roundings to bfloat16 lose more


@interpreted
@pytest.mark.parametrize("backend", ["torch", "triton"])
def test_linear_never_looks_at_tokens_without_weight(backend):
    hidden, matrix = torch.randn(4, 8), torch.randn(20, 8, requires_grad=True)
    hidden[1] = float("nan")
    hidden[3] = float("inf")
    hidden.requires_grad_()
    targets = torch.tensor([0, 1, 2, IGNORED])
    C.linear_cross_entropy(hidden, matrix, targets, torch.tensor([1.0, 0, 1, 1]), backend=backend).backward()
    assert matrix.grad.isfinite().all() and matrix.grad.any()
    assert hidden.grad[[0, 2]].any(1).all() and not hidden.grad[[1, 3]].any()


@interpreted
@pytest.mark.parametrize("asked", [(True, False), (False, True), (False, False)])
def test_linear_makes_only_the_gradients_that_are_asked_for(asked):
    hidden, matrix = (torch.randn(n, 8, requires_grad=on) for n, on in zip((6, 30), asked))
    with Allocated() as seen:
        loss = C.linear_cross_entropy(hidden, matrix, torch.arange(6), chunk=3, backend="triton")
    assert loss.requires_grad == any(asked)
    assert (30 * 8 in seen.made) == asked[1]
    if any(asked):
        leaf = hidden if asked[0] else matrix
        want = torch.autograd.grad(F.cross_entropy(hidden @ matrix.t(), torch.arange(6)), leaf)
        torch.testing.assert_close(torch.autograd.grad(loss, leaf), want, rtol=1e-4, atol=1e-6)


# --- Bad arguments ----------------------------------------------------------------------------------------------------

Z, T = torch.ones(3, 5), torch.arange(3)


@interpreted
@pytest.mark.parametrize("backend", ["torch", "triton"])
@pytest.mark.parametrize("wrong", [5, -1, -101, 2**40])
def test_targets_outside_of_the_vocabulary_are_refused(wrong, backend):
    targets = torch.tensor([0, wrong, IGNORED])
    with pytest.raises(runtime.KernelError, match=rf"targets\[1\] is {wrong}: the vocabulary has 5"):
        C.cross_entropy(Z, targets, backend=backend)
    with pytest.raises(runtime.KernelError, match=rf"targets\[1\] is {wrong}"):
        C.linear_cross_entropy(torch.ones(3, 4), torch.ones(5, 4), targets, backend=backend)


@interpreted
def test_unchecked_targets_outside_of_the_vocabulary_are_nan_and_touch_nothing_else():
    losses = C.cross_entropy(Z, torch.tensor([0, 5, -7]), reduction="none", check_targets=False, backend="triton")
    assert losses.isnan().tolist() == [False, True, True]


@interpreted
@pytest.mark.parametrize(
    ("arguments", "options", "said"),
    [
        ((torch.ones(3), T), {}, r"\[N, V\]"),
        ((torch.ones(0, 5), T[:0]), {}, "not empty"),
        ((Z.long(), T), {}, "int64"),
        ((Z, T[:2]), {}, "do not fit 3"),
        ((Z, T.float()), {}, "targets are torch.float32"),
        ((Z, T, torch.ones(2)), {}, "token_weights"),
        ((Z, T, T), {}, "token_weights"),
        ((Z, T, torch.ones(3, requires_grad=True)), {}, "token_weights get no gradient"),
        ((Z, T), {"reduction": "avg"}, "'avg'"),
        ((Z.double(), T), {}, "float64"),
        ((torch.ones(5, 3).t(), T), {}, "side by side"),
        ((Z, T.to("meta")), {}, "meta"),
    ],
)
def test_bad_arguments_are_refused_by_name(arguments, options, said):
    with pytest.raises(runtime.KernelError, match=said):
        C.cross_entropy(*arguments, **options, backend="triton")


@interpreted
@pytest.mark.parametrize(
    ("hidden", "matrix", "options", "said"),
    [
        (torch.ones(3, 4), torch.ones(5, 6), {}, r"hidden has shape \[3, 4\]"),
        (torch.ones(3), torch.ones(5, 4), {}, "hidden"),
        (torch.ones(3, 4), torch.ones(5), {}, r"\[V, H\]"),
        (torch.ones(3, 4), torch.ones(5, 4).half(), {}, "one type"),
        (torch.ones(3, 4), torch.ones(5, 4), {"reduction": "none"}, "'none'"),
        (torch.ones(3, 4), torch.ones(5, 4), {"chunk": 0}, "chunk 0"),
        (torch.ones(3, 4).double(), torch.ones(5, 4).double(), {}, "float64"),
        (torch.ones(3, 4), torch.ones(5, 4, device="meta"), {}, "meta"),
    ],
)
def test_bad_arguments_of_the_linear_one_are_refused_by_name(hidden, matrix, options, said):
    with pytest.raises(runtime.KernelError, match=said):
        C.linear_cross_entropy(hidden, matrix, T, **options, backend="triton")
