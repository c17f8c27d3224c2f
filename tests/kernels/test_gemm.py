"""FP8 GEMM: kernel = float64 product of what the operands stand for; every configuration; the accumulator exactly."""

import math
import os
import subprocess
import sys

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from minids.kernels import gemm as G
from minids.kernels import quantise as Q
from minids.kernels import runtime
from minids.kernels.runtime import KernelError, triton

GPU = torch.cuda.is_available() and torch.cuda.get_device_capability() >= (8, 9)
DEVICE = "cuda" if GPU else "cpu"
kernel = pytest.mark.skipif(not (GPU or runtime.INTERPRETED), reason="no GPU for FP8, and no interpreter")
WAYS = {"weight": Q.quantise_weight, "1x128": Q.quantise}  # how b is quantised


def operands(M, N, K, way="weight", seed=0, spread=2.0):
    """(a, a_scales, b, b_scales) of Gaussians whose rows, and stretches of K, differ in size by powers of ten."""
    make = torch.Generator().manual_seed(seed)
    x, w = (
        torch.randn(rows, K, generator=make)
        * torch.exp(spread * torch.randn(rows, 1, generator=make))
        * torch.exp(spread * torch.randn(1, -(-K // 64), generator=make)).repeat_interleave(64, 1)[:, :K]
        for rows in (M, N)
    )
    return *Q.quantise(x.to(DEVICE)), *WAYS[way](w.to(DEVICE))


def wide(q, s):
    """What q and its scales stand for in float64; the scales are spread out by a Kronecker product."""
    block = [128 if s.shape[0] != q.shape[0] else 1, 128]
    ones = torch.ones(block, dtype=torch.float64, device=q.device)
    return q.double() * torch.kron(s.double().contiguous(), ones)[: q.shape[0], : q.shape[1]]


def right(got, inputs, dtype=torch.float32):
    x, y = wide(*inputs[:2]), wide(*inputs[2:])
    want = x @ y.t()
    assert got.dtype == dtype and got.shape == want.shape and got.is_contiguous()
    if want.numel() > 100:
        assert G.difference(got, want) <= {torch.float32: 1e-6, torch.bfloat16: 1e-5}[dtype]
    sums = x.norm(dim=1)[:, None] * y.norm(dim=1) * (1e-3 if GPU else 1e-6)
    assert ((got - want).abs() <= sums + want.abs() * (0 if dtype == torch.float32 else 2.0**-8)).all()


# --- The kernel -------------------------------------------------------------------------------------------------------


@kernel
@settings(max_examples=20, deadline=None)
@given(st.integers(1, 200), st.integers(1, 300), st.integers(1, 600), st.sampled_from(list(WAYS)), st.integers(0, 99))
def test_kernel_is_the_float64_product(M, N, K, way, seed):
    inputs = operands(M, N, K, way, seed)
    for dtype in G.DTYPES:
        right(G.matmul(*inputs, dtype, backend="triton"), inputs, dtype)


@pytest.mark.slow
@kernel
@pytest.mark.parametrize("way", list(WAYS))
@pytest.mark.parametrize(
    ("M", "N", "K"),
    [(1, 1, 1), (1, 256, 128), (3, 5, 1024), (64, 128, 1536), (65, 129, 1030), (128, 100, 129), (129, 400, 127)],
)
def test_ragged_tiny_and_split_shapes(M, N, K, way):
    inputs = operands(M, N, K, way)
    for dtype in G.DTYPES:
        right(G.matmul(*inputs, dtype, backend="triton"), inputs, dtype)


@pytest.mark.slow
@kernel
@pytest.mark.parametrize("way", list(WAYS))
@pytest.mark.parametrize("config", G.CONFIGS, ids=lambda config: str(config)[:50])
def test_every_configuration_is_right_and_repeats_itself(config, way, monkeypatch):
    if GPU and torch.cuda.get_device_capability()[0] != 9 and (config.kwargs["SPECIAL"] or config.kwargs["FLAT"]):
        pytest.skip("for Hopper only")
    tuned = triton.autotune([config], key=["bucket", "N", "K"])(G._gemm_kernel)
    monkeypatch.setattr(G, "_tuned", tuned)
    for shape in ((150, 270, 400), (300, 128, 1500)):
        inputs = operands(*shape, way)
        got = [G.matmul(*inputs, torch.float32, backend="triton") for _ in range(2)]
        right(got[0], inputs)
        assert torch.equal(*got) and tuned.best_config is config


@kernel
def test_dgrad_takes_the_turned_weight():
    """Its scales are the weight's, turned: a view, read by its strides."""
    dy, w = torch.randn(70, 300, device=DEVICE), torch.randn(300, 200, device=DEVICE)
    q, s = Q.quantise_weight(w)
    inputs = *Q.quantise(dy), q.t().contiguous(), s.t()
    right(G.matmul(*inputs, torch.float32, backend="triton"), inputs)


@kernel
def test_wgrad_takes_both_from_quantise_t():
    x, dy = torch.randn(300, 90, device=DEVICE), torch.randn(300, 140, device=DEVICE)
    inputs = *Q.quantise_t(dy), *Q.quantise_t(x)
    got = G.matmul(*inputs, torch.float32, backend="triton")
    right(got, inputs)
    assert G.difference(got, dy.t() @ x) < 1e-3


@kernel
def test_operands_that_do_not_begin_on_16_bytes():
    a, sa, b, sb = operands(70, 40, 256)
    shifted = torch.empty(a.numel() + 1, dtype=torch.uint8, device=DEVICE)[1:].view(runtime.FP8).view(a.shape)
    shifted.copy_(a)
    assert shifted.data_ptr() % 16 and shifted.is_contiguous()
    right(G.matmul(shifted, sa, b, sb, torch.float32, backend="triton"), (a, sa, b, sb))


@kernel
@pytest.mark.parametrize("backend", ["torch", "triton"])
def test_zero_blocks_give_zero_and_nan_stays_in_its_row_and_column(backend):
    x, w = torch.randn(70, 300), torch.randn(40, 300)
    x[0], x[:, 128:256], w[3] = 0, 0, 0
    x[5, 17], w[7, 299] = float("nan"), float("nan")
    out = G.matmul(*Q.quantise(x.to(DEVICE)), *Q.quantise(w.to(DEVICE)), torch.float32, backend=backend)
    bad = torch.zeros(70, 40, dtype=torch.bool, device=DEVICE)
    bad[5], bad[:, 7] = True, True
    assert torch.equal(out.isnan(), bad)
    assert (out[0, :7] == 0).all() and (out[:5, 3] == 0).all()


@given(st.integers(1, 5000), st.integers(1, 50000), st.integers(1, 20000), st.sampled_from([4, 132]))
def test_plan_splits_only_where_programs_are_too_few(M, N, K, sms):
    rows, splits = G.plan(M, N, K, sms)
    tiles = -(-M // rows) * -(-N // 128)
    assert rows == (64 if M <= 64 else 128) and splits >= 1
    if splits > 1:
        assert splits * tiles <= sms and -(-K // 128) // splits >= 4


# --- Reference and emulation ------------------------------------------------------------------------------------------


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 150), st.integers(1, 300), st.integers(1, 600), st.sampled_from(list(WAYS)), st.integers(0, 99))
def test_references_are_the_float64_product(M, N, K, way, seed):
    inputs = operands(M, N, K, way, seed)
    for promote in (None, 128):
        want = wide(*inputs[:2]) @ wide(*inputs[2:]).t()
        torch.testing.assert_close(G.matmul_reference(*inputs, torch.float64, promote), want, rtol=1e-9, atol=1e-9)
        right(G.matmul_reference(*inputs, promote=promote), inputs)
    right(G.matmul(*inputs, backend="torch"), inputs, torch.bfloat16)


def test_distance_from_the_unquantised_product():
    """6.8e-4, from E4M3 alone: vLLM quotes the same for three other kernels."""
    make = torch.Generator().manual_seed(0)
    x, w = torch.randn(512, 2048, generator=make), torch.randn(384, 2048, generator=make)
    for way in WAYS.values():
        got = G.matmul(*Q.quantise(x), *way(w), torch.float32, backend="torch")
        assert G.difference(got, x.double() @ w.double().t()) == pytest.approx(6.8e-4, rel=0.05)


def test_difference_is_half_the_squared_relative_error():
    x = torch.randn(1000)
    assert G.difference(x, x) == pytest.approx(0, abs=1e-15)
    assert G.difference(x, 1.01 * x) == pytest.approx(0.01**2 / 2, rel=0.02)


# --- The accumulator --------------------------------------------------------------------------------------------------


def one_dot(a, b, bits, promote):
    """The same model for one row and one column, number by number."""

    def split(x, smallest=-126):
        exponent = max(math.frexp(x)[1] - 1, smallest) if x else -126
        return x / 2.0**exponent, exponent

    acc, total = 0.0, torch.zeros(())
    for k in range(0, len(a), 32):
        terms = [split(acc)]
        for x, y in zip(a[k : k + 32], b[k : k + 32]):
            (m1, e1), (m2, e2) = split(x, -6), split(y, -6)
            terms.append((m1 * m2, e1 + e2))
        top = max(e for _, e in terms)
        acc = sum(math.trunc(m * 2.0 ** (e - top + bits - 1)) for m, e in terms) * 2.0 ** (top - bits + 1)
        m, e = split(acc)
        acc = math.trunc(m * 2.0 ** (bits - 1)) * 2.0 ** (e - bits + 1)
        if promote and (k + 32) % promote == 0:
            total, acc = total + acc, 0.0
    return (total + acc).item()


@settings(max_examples=15, deadline=None)
@given(
    st.integers(1, 300),
    st.sampled_from([8, 14, 26]),
    st.sampled_from([None, 32, 128]),
    st.sampled_from([1, 2**-8]),
    st.integers(0, 99),
)
def test_accumulator_equals_a_loop_over_numbers(K, bits, promote, size, seed):
    make = torch.Generator().manual_seed(seed)  # of the small size many are subnormal
    a, b = (
        (torch.randn(3, K, generator=make) * torch.exp(2 * torch.randn(3, K, generator=make)) * size)
        .clamp(-448, 448)
        .to(runtime.FP8)
        for _ in range(2)
    )
    a[0, 0], b[1] = 0, 0
    got = G.accumulate_reference(a, b, bits, promote)
    want = [[one_dot(x, y, bits, promote) for y in b.double().tolist()] for x in a.double().tolist()]
    assert torch.equal(got, torch.tensor(want))


def test_fourteen_bits_lose_what_is_smaller():
    """1 + 2^-13 is kept, 2^-14 is lost; by hand."""
    a = torch.tensor([[1.0, 2.0**-7]]).to(runtime.FP8)
    for small, want in ((2.0**-6, 1 + 2.0**-13), (2.0**-7, 1.0)):
        b = torch.tensor([[1.0, small]]).to(runtime.FP8)
        assert G.accumulate_reference(a, b).item() == want
        assert G.accumulate_reference(a, b, bits=24).item() == 1 + 2.0**-7 * small


def test_promotion_mends_the_sum_of_many_positive_numbers():
    make = torch.Generator().manual_seed(0)
    a, b = (torch.rand(8, 4096, generator=make).mul(448).to(runtime.FP8) for _ in range(2))
    exact = a.double() @ b.double().t()

    def worst(**how):
        return ((G.accumulate_reference(a, b, **how) - exact) / exact).abs().max().item()

    assert worst() > 0.02 and worst(promote=128) < 0.001 and worst(bits=26) < 1e-5


# --- What is refused --------------------------------------------------------------------------------------------------

A, SA, B, SB = operands(6, 300, 260)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"a": A.bfloat16()}, "a is torch.bfloat16"),
        ({"b": B.to(torch.float8_e5m2)}, "b is torch.float8_e5m2"),
        ({"a": A[0]}, "a must be a matrix"),
        ({"b": B[:0]}, "b is empty"),
        ({"a": A.t()}, "a must be contiguous"),
        ({"b": B[:, ::2]}, "b must be contiguous"),
        ({"b": B[:, :259].contiguous()}, "differ in K"),
        ({"a_scales": SB, "b_scales": SA}, r"a_scales has shape \[3, 3\], needed is \[6, 3\]"),
        ({"a_scales": SA[:, :2]}, r"a_scales has shape \[6, 2\]"),
        ({"b_scales": SB[:2]}, r"b_scales has shape \[2, 3\]"),
        ({"b_scales": SB.t().double()}, "b_scales is torch.float64"),
        ({"a_scales": SA.contiguous()}, "column by column"),
        ({"b_scales": torch.ones(300, 3, device=DEVICE)}, "b_scales of 1x128 blocks must lie column by column"),
        ({"out_dtype": torch.float16}, "out_dtype torch.float16"),
        ({"backend": "cuda"}, "backend 'cuda'"),
        ({"a": A.to("meta")}, "different devices"),
    ],
)
def test_bad_arguments_are_refused_by_name(change, said):
    for backend in ("torch", "triton"):
        with pytest.raises(KernelError, match=said):
            G.matmul(**{"a": A, "a_scales": SA, "b": B, "b_scales": SB, "backend": backend} | change)


OLD_TRITON = """
import importlib, torch
from minids.kernels import runtime
from minids.kernels.runtime import KernelError

for name in ("cross_entropy", "decode", "gemm", "grouped", "quantise", "rmsnorm", "rope", "swiglu", "tiled"):
    importlib.import_module(f"minids.kernels.{name}")
from minids.kernels import gemm
from minids.model import fp8

a, s = torch.ones(2, 128).to(torch.float8_e4m3fn), torch.ones(2, 1)
b, t = torch.ones(128, 128).to(torch.float8_e4m3fn), torch.ones(1, 1)
assert (gemm.matmul(a, s, b, t) == 128).all()
try:
    gemm.matmul(a, s, b, t, backend="triton")
except KernelError as error:
    print(error)
"""


def test_with_an_old_triton_all_can_be_imported_and_the_kernels_say_why_not(tmp_path):
    """torch 2.6, the oldest that minids takes, brings Triton 3.2, whose autotuner cannot be made without a GPU."""
    (tmp_path / "triton" / "language").mkdir(parents=True)
    (tmp_path / "triton" / "__init__.py").write_text('__version__ = "3.2.0"\n', encoding="utf-8")
    (tmp_path / "triton" / "language" / "__init__.py").write_text("", encoding="utf-8")
    path = os.pathsep.join([str(tmp_path), *sys.path])
    done = subprocess.run(
        [sys.executable, "-c", OLD_TRITON], env=os.environ | {"PYTHONPATH": path}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "Triton 3.2.0 is too old, the kernels need 3.6 or newer" in done.stdout
