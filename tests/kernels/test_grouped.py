"""Grouped products and the layer of experts: kernel = reference = minids' own forms = torch, forward and backward."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from minids.kernels import grouped as G
from minids.kernels import quantise as Q
from minids.kernels import runtime
from minids.model import moe

pytestmark = pytest.mark.slow  # the interpreter goes through experts one tile at a time
interpreted = pytest.mark.skipif(not runtime.INTERPRETED, reason="Triton's interpreter is not available")
BF16 = 2.0**-8  # half a step of bfloat16, relative


def normal(*shape, seed=0, dtype=torch.float32):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed)).to(dtype)


def offsets_of(sizes):
    return torch.tensor([0, *sizes]).cumsum(0).int()


def error(got, want):
    """Largest difference, as a part of the largest value."""
    return ((got.double() - want.double()).abs().max() / want.double().abs().max().clamp(min=1e-30)).item()


def gradients(fn, leaves, seed=7):
    """y and the gradients of leaves, for a random gradient of y."""
    leaves = [t.detach().clone().requires_grad_() for t in leaves]
    y = fn(*leaves)
    y.backward(normal(*y.shape, seed=seed, dtype=torch.bfloat16).to(y.dtype))  # the same numbers in every type
    return [y.detach(), *(t.grad for t in leaves)]


def layer(N, K, E, H=40, width=24, seed=0, dtype=torch.float32, chosen=None):
    """chosen, and [x, gates, gate_up, down]; the last expert is never chosen if there are enough others."""
    make = torch.Generator().manual_seed(seed)
    if chosen is None:
        chosen = torch.stack([torch.randperm(max(E - 1, K), generator=make)[:K] for _ in range(N)])
    gates = torch.rand(N, K, generator=make) + 0.1
    weights = normal(E, 2 * width, H, seed=seed + 1) / H**0.5, normal(E, H, width, seed=seed + 2) / width**0.5
    return chosen, [t.to(dtype) for t in (normal(N, H, seed=seed + 3), gates, *weights)]


def run(fn, chosen, tensors, **options):
    return gradients(lambda x, gates, gate_up, down: fn(x, chosen, gates, gate_up, down, **options), tensors)


# --- Permutation ------------------------------------------------------------------------------------------------------


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 60), st.integers(1, 6), st.integers(1, 300), st.integers(0, 99))
def test_permutation_sorts_stably(N, K, E, seed):
    chosen = torch.randint(E, (N, K), generator=torch.Generator().manual_seed(seed))
    p = G.permutation(chosen, E)
    flat = chosen.flatten()
    assert torch.equal(p.order, flat.argsort(stable=True)) and torch.equal(p.rows, p.order // K)
    assert torch.equal(p.offsets, offsets_of(flat.bincount(minlength=E))) and p.offsets.dtype == torch.int32
    assert torch.equal(p.order[p.place], torch.arange(N * K).view(N, K))
    sizes, token, place = moe.permute_tokens(chosen, E, 1)
    assert torch.equal(p.rows, token) and torch.equal(p.place, place) and p.offsets.diff().tolist() == sizes
    assert all(torch.equal(a, b) for a, b in zip(p, G.permutation(chosen.int(), E)))


def test_permutation_never_waits_for_a_number():
    """Tensors without numbers raise where somebody asks for one, as .item() and bincount do."""
    p = G.permutation(torch.zeros(5, 2, dtype=torch.long, device="meta"), 3)
    assert [list(t.shape) for t in p] == [[10], [10], [4], [5, 2]]
    with pytest.raises((RuntimeError, NotImplementedError)):
        torch.zeros(5, dtype=torch.long, device="meta").max().item()


# --- Products ---------------------------------------------------------------------------------------------------------

SIZES = st.lists(st.sampled_from([0, 1, 5, 16, 17, 40]), min_size=1, max_size=4)


@interpreted
@settings(max_examples=10, deadline=None)
@given(SIZES, st.integers(1, 40), st.integers(1, 70), st.integers(0, 99))
def test_product_and_its_gradients_are_the_references(sizes, N, K, seed):
    x, w = normal(sum(sizes), K, seed=seed), normal(len(sizes), N, K, seed=seed + 1)
    offsets = offsets_of(sizes)
    got = gradients(lambda x, w: G.grouped_matmul(x, w, offsets, backend="triton"), (x, w))
    want = gradients(lambda x, w: G.grouped_matmul(x, w, offsets, backend="torch"), (x.double(), w.double()))
    for a, b in zip(got, want):
        assert a.shape == b.shape and a.dtype == torch.float32
        if a.numel():
            assert error(a, b) < 2e-6
    assert all((got[2][e] == 0).all() for e, size in enumerate(sizes) if not size)


@interpreted
def test_product_of_bfloat16_is_rounded_once():
    offsets = offsets_of([17, 0, 30])
    x, w = normal(47, 48, dtype=torch.bfloat16), normal(3, 40, 48, seed=1, dtype=torch.bfloat16)
    got = gradients(lambda x, w: G.grouped_matmul(x, w, offsets, backend="triton"), (x, w))
    want = gradients(lambda x, w: G.grouped_matmul(x, w, offsets), (x.double(), w.double()))
    for a, b in zip(got, want):
        assert a.dtype == torch.bfloat16 and ((a - b).abs() <= BF16 * b.abs() + 1e-5).all()


@interpreted
def test_product_is_torchs_grouped_mm():
    offsets = offsets_of([16, 0, 23, 9])
    x, w = normal(48, 64, dtype=torch.bfloat16), normal(4, 32, 64, seed=1, dtype=torch.bfloat16)
    theirs = torch.nn.functional.grouped_mm(x, w.mT, offs=offsets[1:])
    assert error(G.grouped_matmul(x, w, offsets, backend="triton"), theirs) < 2 * BF16
    assert error(G.grouped_matmul(x, w, offsets, backend="torch"), theirs) < 2 * BF16


@interpreted
@pytest.mark.parametrize("fp8", [None, "fp32"])
def test_rows_of_no_expert_are_not_written(fp8):
    """Nor those of the next expert, which in the interpreter are written later and would hide it."""
    offsets, x, w = torch.tensor([3, 8, 28]).int(), normal(32, 40), normal(2, 40, 40, seed=1)
    torch.use_deterministic_algorithms(True)  # torch.empty gives NaN
    try:
        y = G.product(x, w, offsets, fp8=fp8)
        h, a = G._launch_rows(x, w, offsets, gates=x[:, 0].contiguous())
    finally:
        torch.use_deterministic_algorithms(False)
    for t in (y, h, a):
        assert t[3:28].isfinite().all() and t[:3].isnan().all() and t[28:].isnan().all()


@interpreted
@pytest.mark.filterwarnings("ignore:invalid value")
@pytest.mark.parametrize("fp8", [None, "fp32"])
def test_nan_and_infinity_stay_with_their_expert(fp8):
    offsets, x, w = offsets_of([5, 20, 3]), normal(28, 40), normal(3, 40, 40, seed=1)
    x[5:25], w[1] = float("nan"), float("inf")
    dy = normal(28, 40, seed=2)
    dy[5:25] = float("inf")
    y = G.product(x, w, offsets, fp8=fp8)
    dx = G.product(dy, w, offsets, turned=True, fp8=fp8)
    dw = G.weight_product(dy, x, offsets, fp8=fp8)
    for t in (y, dx):
        assert not t[5:25].isfinite().any() and t[:5].isfinite().all() and t[25:].isfinite().all()
    assert not dw[1].isfinite().any() and dw[[0, 2]].isfinite().all()


# --- FP8 --------------------------------------------------------------------------------------------------------------


@interpreted
@settings(max_examples=5, deadline=None)
@given(
    SIZES,
    st.sampled_from([16, 40, 140]),
    st.sampled_from([32, 129, 260]),
    st.sampled_from(Q.SCALES),
    st.integers(0, 99),
)
def test_fp8_product_is_that_of_the_dequantised_operands(sizes, N, K, scales, seed):
    offsets, E = offsets_of([*sizes, 3]), len(sizes) + 1
    x, w = normal(30, K, seed=seed), normal(E, N, K, seed=seed + 1)
    rows = torch.randint(30, (offsets[-1],), generator=torch.Generator().manual_seed(seed))
    (x_q, x_s), (w_q, w_s) = Q.quantise(x, scales), G.quantise_experts(w, scales)
    for one, q, s in zip(w, w_q, w_s):
        assert all(torch.equal(a.float(), b.float()) for a, b in zip((q, s), Q.quantise_weight(one, scales)))
    got = G.product_fp8(x_q, x_s, w_q, w_s, offsets, rows, torch.float32)
    wide = torch.stack([Q.dequantise(q, s, torch.float64) for q, s in zip(w_q, w_s)])
    want = G.grouped_matmul_reference(Q.dequantise(x_q, x_s, torch.float64)[rows], wide, offsets)
    assert error(got, want) < 1e-6


def fp8_products(x, w, dy, offsets, scales, backend):
    """y, dx and dw as the layer forms them."""
    how = {"backend": backend, "fp8": scales}
    y, dx = G.product(x, w, offsets, **how), G.product(dy, w, offsets, turned=True, **how)
    return y, dx, G.weight_product(dy, x, offsets, dtype=w.dtype, **how)


@interpreted
@pytest.mark.parametrize("backend", ["triton", "torch"])
def test_fp8_gradients_are_products_of_quantised_operands(backend):
    sizes, N, K = [130, 17, 0, 1], 24, 130  # two blocks of 128 rows in the first
    offsets = offsets_of(sizes)
    x, w = normal(148, K), normal(4, N, K, seed=1)
    dy = normal(148, N, seed=7, dtype=torch.bfloat16).float()
    y, dx, dw = fp8_products(x, w, dy, offsets, "ue8m0", backend)

    def q(t, fn):  # quantised and back
        return Q.dequantise(*fn(t.contiguous(), "ue8m0"), torch.float64)

    for e, (i, j) in enumerate(zip(offsets.tolist(), offsets[1:].tolist())):
        if i == j:
            assert (dw[e] == 0).all()
            continue
        assert error(y[i:j], q(x[i:j], Q.quantise) @ q(w[e], Q.quantise_weight).T) < 1e-6
        assert error(dx[i:j], q(dy[i:j], Q.quantise) @ q(w[e], Q.quantise_weight)) < 1e-6
        assert error(dw[e], q(dy[i:j], Q.quantise_t) @ q(x[i:j], Q.quantise_t).T) < 1e-6


@interpreted
def test_turned_blocks_are_each_experts_own():
    x, offsets, rows = normal(50, 70), offsets_of([130, 0, 17]), torch.arange(147) * 7 % 50
    q, s = G.turn(x, offsets, rows)
    want = Q.quantise_t(x[rows[:130]]), Q.quantise_t(x[rows[130:]])
    assert torch.equal(q[:, :130].float(), want[0][0].float()) and torch.equal(s[:, :2], want[0][1])
    assert torch.equal(q[:, 256 : 256 + 17].float(), want[1][0].float()) and torch.equal(s[:, 2:3], want[1][1])
    assert (q[:, 130:256].float() == 0).all() and (q[:, 273:384].float() == 0).all()


def test_error_of_fp8_is_that_of_its_rounding():
    """DeepGEMM's measure, 1 - 2 <a, b> / (<a, a> + <b, b>), for normal numbers: 6.8e-4."""
    offsets, x, w = offsets_of([256, 128]), normal(384, 1024), normal(2, 256, 1024, seed=1)
    dy = normal(384, 256, seed=7, dtype=torch.bfloat16).float()
    got = fp8_products(x, w, dy, offsets, "fp32", "torch")
    want = gradients(lambda x, w: G.grouped_matmul(x, w, offsets), (x.double(), w.double()))
    for a, b in zip(got, want):
        difference = 1 - 2 * (a * b).sum() / (a.double().square().sum() + b.square().sum())
        assert difference.item() == pytest.approx(6.8e-4, rel=0.05)


# --- The layer --------------------------------------------------------------------------------------------------------

CASES = {
    "ragged, one empty expert": layer(19, 3, 6),
    "one token": layer(1, 2, 5, seed=1),
    "all to one expert": layer(33, 1, 3, seed=2, chosen=torch.full((33, 1), 1)),
    "an expert twice in a row": layer(9, 2, 2, seed=3, chosen=torch.full((9, 2), 1)),
    "wide rows, odd sizes": layer(7, 2, 3, H=35, width=17, seed=4),
    "no tokens": layer(0, 2, 3, chosen=torch.zeros(0, 2, dtype=torch.long)),
}


@interpreted
@pytest.mark.parametrize("name", list(CASES))
def test_layer_and_its_gradients_are_the_references(name):
    chosen, tensors = CASES[name]
    got = run(G.moe_experts, chosen, tensors, backend="triton")
    want = run(G.moe_experts, chosen, [t.double() for t in tensors])
    for a, b in zip(got, want):
        assert a.shape == b.shape and a.dtype == torch.float32 and (not b.numel() or error(a, b) < 2e-6)


@interpreted
def test_layer_is_a_form_of_minids():
    chosen, tensors = layer(21, 3, 5, seed=5)
    for backend, dtype, limit in (("triton", torch.float32, 2e-6), ("torch", torch.float64, 1e-13)):
        got = run(G.moe_experts, chosen, [t.to(dtype) for t in tensors], backend=backend)
        for form in (moe.experts_loop, moe.experts_grouped):
            want = run(form, chosen, [t.double() for t in tensors])
            assert max(error(a, b) for a, b in zip(got, want)) < limit


@interpreted
def test_layer_in_bfloat16_with_float32_gates():
    chosen, tensors = layer(19, 2, 4, seed=6)
    narrow = [t if i == 1 else t.bfloat16() for i, t in enumerate(tensors)]
    got = run(G.moe_experts, chosen, narrow, backend="triton")
    want = run(G.moe_experts, chosen, [t.double() for t in narrow])
    assert [t.dtype for t in got] == [torch.bfloat16, torch.bfloat16, torch.float32, torch.bfloat16, torch.bfloat16]
    for a, b in zip(got, want):  # five roundings on the way, one of them shared by nobody
        assert (a.double() - b).norm() / b.norm() < 2 * BF16


@interpreted
def test_layer_without_a_gradient_is_the_same_and_runs_repeat():
    chosen, tensors = layer(20, 2, 4, seed=8)
    first, second = (run(G.moe_experts, chosen, tensors, backend="triton") for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(first, second))
    assert torch.equal(first[0], G.moe_experts(tensors[0], chosen, *tensors[1:], backend="triton"))
    p = G.permutation(chosen, 4)
    h, a = G._launch_rows(tensors[0], tensors[2], p.offsets, p.rows, gates=tensors[1].flatten()[p.order], keep=False)
    assert h is None and a.shape == (40, 24)


@interpreted
def test_fp8_layer_is_its_emulation(scales="ue8m0"):
    chosen, tensors = layer(20, 2, 3, H=136, width=24, seed=9)
    got = run(G.moe_experts, chosen, tensors, backend="triton", fp8=scales)
    emulated = run(G.moe_experts, chosen, tensors, backend="torch", fp8=scales)
    exact = run(G.moe_experts, chosen, [t.double() for t in tensors])
    for a, b, c in zip(got, emulated, exact):
        # an element of h that lands on the other side of a rounding moves by a step of FP8
        assert (a - b).norm() / b.norm() < 5e-3 and 0.01 < (a - c).norm() / c.norm() < 0.1


@interpreted
def test_a_choice_of_no_expert_is_refused_or_seen(monkeypatch):
    chosen, (x, gates, gate_up, down) = layer(8, 2, 3, seed=10)
    good = G.moe_experts(x, chosen, gates, gate_up, down, backend="triton")
    for wrong in (-1, 3, 2**16):
        chosen[2, 1] = wrong
        for backend in ("triton", "torch"):
            with pytest.raises(runtime.KernelError, match=f"{wrong}"):
                G.moe_experts(x, chosen, gates, gate_up, down, backend=backend)
        with monkeypatch.context() as gpu:
            gpu.setattr(G, "_check_chosen", lambda *_: None)  # where looking would cost a wait
            got = G.moe_experts(x, chosen, gates, gate_up, down, backend="triton")
        others = [n for n in range(8) if n != 2]
        assert got[2].isnan().all() and error(got[others], good[others]) < 1e-6


# --- Bad arguments ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"x": torch.ones(5, 8, 1)}, "do not fit"),
        ({"x": torch.ones(5, 7)}, "do not fit"),
        ({"w": torch.ones(2, 4, 8).bfloat16()}, "one dtype"),
        ({"x": torch.ones(8, 5).T}, "x is not contiguous"),
        ({"w": torch.ones(2, 8, 4).mT}, "w is not contiguous"),
        ({"w": torch.ones(2, 0, 8)}, "do not fit"),
        ({"offsets": torch.tensor([0, 3, 5])}, "int32"),
        ({"offsets": torch.tensor([0, 5]).int()}, "int32"),
        ({"offsets": torch.tensor([0, 3, 4]).int()}, "go up from 0 to 5"),
        ({"offsets": torch.tensor([0, 6, 5]).int()}, "go up"),
        ({"backend": "cuda"}, "cuda"),
        ({"offsets": torch.tensor([0, 3, 5], device="meta").int()}, "different devices"),
    ],
)
def test_bad_products_are_refused_by_name(change, said):
    good = {"x": torch.ones(5, 8), "w": torch.ones(2, 4, 8), "offsets": torch.tensor([0, 3, 5]).int()}
    assert G.grouped_matmul(**good).tolist() == [[8.0] * 4] * 5
    with pytest.raises(runtime.KernelError, match=said):
        G.grouped_matmul(**good | change)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"x": torch.ones(3, 7)}, "do not fit"),
        ({"chosen": torch.zeros(3, dtype=torch.long)}, "do not fit"),
        ({"gates": torch.ones(3, 1)}, "do not fit"),
        ({"down": torch.ones(2, 8, 5)}, "do not fit"),
        ({"gate_up": torch.ones(2, 9, 8)}, "do not fit"),
        ({"chosen": torch.zeros(3, 2)}, "int32 or int64"),
        ({"gates": torch.ones(3, 2, dtype=torch.long)}, "gates is torch.int64"),
        ({"x": torch.ones(8, 3).T}, "x is not contiguous"),
        ({"down": torch.ones(2, 8, 4).double()}, "one dtype"),
        ({"chosen": torch.full((3, 2), 2)}, "experts 2 to 2"),
        ({"fp8": "e4m3"}, "ue8m0"),
        ({"backend": "cuda"}, "cuda"),
        ({"gates": torch.ones(3, 2, device="meta")}, "devices"),
        ({"x": torch.ones(3, 8).double(), "fp8": "fp32"}, "x is torch.float64"),
    ],
)
def test_bad_layers_are_refused_by_name(change, said):
    good = {
        "x": torch.ones(3, 8),
        "chosen": torch.zeros(3, 2, dtype=torch.long),
        "gates": torch.ones(3, 2),
        "gate_up": torch.ones(2, 8, 8),
        "down": torch.ones(2, 8, 4),
    }
    assert G.moe_experts(**good).shape == (3, 8)
    with pytest.raises(runtime.KernelError, match=said):
        G.moe_experts(**good | change)


def test_float64_has_no_kernel():
    if runtime.why_not(torch.ones(1)) is None:
        with pytest.raises(runtime.KernelError, match="float64"):
            G.grouped_matmul(torch.ones(2, 4).double(), torch.ones(1, 3, 4).double(), offsets_of([2]), backend="triton")
