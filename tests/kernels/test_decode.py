"""MLA decode: kernel = reference = torch's attention on expanded keys and values = minids' own absorbed path; the gates
of FlashMLA; pages, shares, several new tokens; nothing behind a sequence's length is used."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from minids.kernels import decode as D
from minids.kernels import runtime
from minids.model.attention import MLA
from minids.model.cache import Cache
from minids.model.config import ModelConfig
from minids.model.layers import rotary_table

interpreted = pytest.mark.skipif(not runtime.INTERPRETED, reason="Triton's interpreter is not available")
V3 = {"h100": (227, (9, 0)), "b200": (227, (10, 0)), "a100": (163, (8, 0)), "small": (99, (8, 9))}  # KiB, capability


def make(seed=0):
    return torch.Generator().manual_seed(seed)


def numbers(*shape, seed=0, dtype=torch.float32, times=1.0):
    return (torch.randn(shape, generator=make(seed)) * times).to(dtype)


def ints(values):
    return torch.tensor(values, dtype=torch.int32)


def poisoned(cache, lengths):
    """The cache with NaN behind each length."""
    behind = torch.arange(cache.shape[1]) >= lengths[:, None]
    return cache.masked_fill(behind[..., None], float("nan"))


def paged(cache, lengths, page, seed=0):
    """(pages, table) with the tokens of a contiguous cache: pages shuffled among pages of NaN, unused entries wild."""
    B, T, C = cache.shape
    m = -(-T // page)
    order = torch.randperm(2 * B * m, generator=make(seed))[: B * m].view(B, m)
    pages = torch.full((2 * B * m, page, C), float("nan"), dtype=cache.dtype)
    pages[order.flatten()] = F.pad(cache, (0, 0, 0, m * page - T), value=float("nan")).view(B * m, page, C)
    unused = torch.arange(m) * page >= lengths[:, None]
    return pages, order.int().masked_fill(unused, -(2**30))


def close(got, want, atol=2e-6, rtol=2e-5):
    for a, b in zip(got, want):
        torch.testing.assert_close(a, b, atol=atol, rtol=rtol)


# --- against the reference --------------------------------------------------------------------------------------------


@pytest.mark.slow
@interpreted
@settings(max_examples=15, deadline=None)
@given(st.data())
def test_kernel_equals_reference(data):
    draw = data.draw
    B, H, S = draw(st.integers(1, 3)), draw(st.integers(1, 40)), draw(st.sampled_from([1, 1, 2, 5]))
    R, P = draw(st.sampled_from([1, 8, 16, 24, 40])), draw(st.sampled_from([1, 4, 16, 20]))
    T = draw(st.integers(1, 150))
    page, splits = draw(st.sampled_from([None, 16, 48, 64])), draw(st.sampled_from([None, 1, 2, 3, 7]))
    lengths = ints([draw(st.integers(0, T)) for _ in range(B)])
    seed = draw(st.integers(0, 99))
    q = numbers(B, S, H, R + P, seed=seed) if S > 1 else numbers(B, H, R + P, seed=seed)
    cache, table = poisoned(numbers(B, T, R + P, seed=seed + 1), lengths), None
    want = D.mla_decode_reference(q, cache, lengths, 0.2, R)
    if page:
        cache, table = paged(cache, lengths, page, seed)
    close(D.mla_decode(q, cache, lengths, 0.2, R, table, splits, backend="triton"), want)
    close(D.mla_decode(q, cache, lengths, 0.2, R, table, backend="torch"), want)


def gate(got, want, absolute, relative, cosine):
    """FlashMLA's comparison (tests/kernelkit/compare.py): every number near enough in one sense or the other, infinite
    where the other is, and the whole pointing in the same direction."""
    odd = ~want.isfinite()
    assert torch.equal(got[odd], want[odd]) and got[~odd].isfinite().all()
    x, y = got[~odd].double(), want[~odd].double()
    apart = (x - y).abs()
    assert ((apart < absolute) | (apart / (y.abs() + 1e-6) < relative)).all(), apart.max()
    assert 1 - 2 * (x * y).sum() / (x * x + y * y).sum() <= cosine


@pytest.mark.slow
@interpreted
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize(("plan", "splits"), [("h100", 1), ("small", 3)])
def test_gates_of_flashmla_at_v3_sizes(monkeypatch, dtype, plan, splits):
    how = D.plan(512, 64, 2, V3[plan][0] * 1024, V3[plan][1])
    monkeypatch.setattr(D, "plan", lambda *_: dict(how))
    lengths = ints([150, 0, 64, 1])
    q, cache = numbers(4, 70, 576, dtype=dtype), numbers(4, 150, 576, seed=1, dtype=dtype, times=0.1)
    pages, table = paged(poisoned(cache, lengths), lengths, 64)
    out, lse = D.mla_decode(q, pages, lengths, 576**-0.5, 512, table, splits, backend="triton")
    exact, exact_lse = D.mla_decode_reference(q.double(), cache.double(), lengths, 576**-0.5, 512)
    assert out.dtype == dtype and lse.dtype == torch.float32
    gate(out.float(), exact.to(dtype).float(), 8e-4, 2.01 / 128, 5e-6)
    gate(lse, exact_lse.float(), 1e-6, 8.01 / 65536, 1e-7)


# --- against what is not ours -----------------------------------------------------------------------------------------


def test_reference_is_torchs_attention_on_expanded_keys_and_values():
    B, H, N, R, P, V, T, scale = 2, 3, 5, 8, 4, 6, 21, 0.3
    q_nope, q_rope = numbers(B, H, N).double(), numbers(B, H, P, seed=1).double()
    w_uk, w_uv = numbers(H, N, R, seed=2).double(), numbers(H, V, R, seed=3).double()
    cache, lengths = numbers(B, T, R + P, seed=4).double(), ints([21, 9])
    k = torch.cat(
        [torch.einsum("btr,hnr->bhtn", cache[..., :R], w_uk), cache[:, None, :, R:].expand(-1, H, -1, -1)], -1
    )
    v = torch.einsum("btr,hvr->bhtv", cache[..., :R], w_uv)
    mask = (torch.arange(T) < lengths[:, None])[:, None, None]
    want = F.scaled_dot_product_attention(torch.cat([q_nope, q_rope], -1)[:, :, None], k, v, mask, scale=scale)[:, :, 0]
    q = torch.cat([torch.einsum("bhn,hnr->bhr", q_nope, w_uk), q_rope], -1)
    out, lse = D.mla_decode_reference(q, cache, lengths, scale, R)
    torch.testing.assert_close(torch.einsum("bhr,hvr->bhv", out, w_uv), want, atol=1e-12, rtol=1e-12)
    whole = torch.cat([q_nope, q_rope], -1)[:, :, None] @ k.mT * scale
    torch.testing.assert_close(lse, whole.masked_fill(~mask, float("-inf")).logsumexp(-1)[..., 0])


@interpreted
@pytest.mark.parametrize("backend", ["torch", "triton"])
@pytest.mark.parametrize("new", [1, 3])
def test_it_continues_minids_attention_from_its_own_cache(backend, new):
    torch.manual_seed(0)
    config = ModelConfig(
        hidden_size=48,
        num_attention_heads=6,
        kv_lora_rank=24,
        q_lora_rank=None,
        num_hidden_layers=2,
        qk_rope_head_dim=8,
        qk_nope_head_dim=12,
        v_head_dim=10,
    )
    attention, x, (B, T) = MLA(config, layer=1), numbers(2, 37, 48), (2, 37)
    cos, sin = (table[None] for table in rotary_table(config, T))
    old, cache = T - new, Cache(config, B, 50)
    with torch.no_grad():
        attention(x[:, :old], cos[:, :old], sin[:, :old], cache=cache)
        seen = torch.ones(T, T, dtype=torch.bool).tril()[None, None, old:]
        want = attention(x[:, old:], cos[:, old:], sin[:, old:], mask=seen, cache=cache, absorb=True)
        cache.data[:, :, T:] = float("nan")
        q_nope, q_rope = attention.queries(x[:, old:], cos[:, old:], sin[:, old:])
        w = attention.kv_b_proj.weight.view(6, 22, 24)
        q = torch.cat([torch.einsum("bshn,hnr->bshr", q_nope, w[:, :12]), q_rope], -1)
        latents, _ = D.mla_decode(q, cache.data[1], ints([T, T]), attention.scale, 24, backend=backend)
        got = attention.o_proj(torch.einsum("bshr,hvr->bshv", latents, w[:, 12:]).flatten(2))
    torch.testing.assert_close(got, want, atol=1e-6, rtol=1e-5)


# --- shares, pages, edges ---------------------------------------------------------------------------------------------


@pytest.mark.slow
@interpreted
@pytest.mark.parametrize("plan", [*V3, None])
def test_plans_shares_and_pages_do_not_matter(monkeypatch, plan):
    if plan:
        how = D.plan(512, 64, 2, V3[plan][0] * 1024, V3[plan][1])
        monkeypatch.setattr(D, "plan", lambda *_: dict(how))
    lengths = ints([0, 1, 64, 65, 130])  # nothing, one token, a whole block, one more, and the whole cache
    q, cache = numbers(5, 2, 5, 20), poisoned(numbers(5, 130, 20, seed=1), lengths)
    want = D.mla_decode_reference(q, cache, lengths, 0.4, 16)
    assert not want[0].isnan().any() and (want[0][0] == 0).all() and (want[1][0] == float("-inf")).all()
    for splits in (1, 2, 9):  # 9: more shares than blocks
        close(D.mla_decode(q, cache, lengths, 0.4, 16, splits=splits, backend="triton"), want)
    for page in (16, 64):
        pages, table = paged(cache, lengths, page)
        close(D.mla_decode(q, pages, lengths, 0.4, 16, table, 2, backend="triton"), want)


@interpreted
def test_tokens_and_pages_may_have_any_stride():
    lengths, q = ints([33, 20]), numbers(2, 3, 12)
    wide = numbers(2, 50, 3, 15)
    cache = wide[:, 4:40, 1, :12]
    want = D.mla_decode_reference(q, cache.contiguous(), lengths, 0.4, 8)
    close(D.mla_decode(q, cache, lengths, 0.4, 8, splits=2, backend="triton"), want)


@interpreted
@pytest.mark.parametrize("backend", ["torch", "triton"])
@pytest.mark.parametrize("splits", [1, 3])
def test_large_scores_are_no_trouble_and_bad_numbers_in_use_are_seen(backend, splits):
    lengths, q, cache = ints([70, 70, 70]), numbers(3, 2, 12), numbers(3, 70, 12, seed=1)
    cache[0] *= 1e4
    cache[1, 69, 11], cache[2, 0, 3] = float("nan"), float("inf")
    out, lse = D.mla_decode(q, cache, lengths, 1.0, 8, splits=splits, backend=backend)
    close((out[:1], lse[:1]), D.mla_decode_reference(q[:1], cache[:1], lengths[:1], 1.0, 8), rtol=1e-4)
    assert out[1].isnan().all() and lse[1].isnan().all() and not out[2].isfinite().all()


@interpreted
@pytest.mark.parametrize("backend", ["torch", "triton"])
@pytest.mark.parametrize("splits", [1, 3])
def test_lengths_that_nobody_could_check_give_nan(monkeypatch, backend, splits):
    monkeypatch.setattr(D, "_check", lambda *_: None)  # on a GPU it does not look at them
    q, cache = numbers(3, 2, 12), numbers(3, 40, 12)
    out, lse = D.mla_decode(q, cache, ints([41, -1, 40]), 1.0, 8, splits=splits, backend=backend)
    assert out[:2].isnan().all() and lse[:2].isnan().all() and out[2].isfinite().all() and lse[2].isfinite().all()


def test_the_reference_has_gradients_and_the_kernel_says_that_it_has_none():
    q, cache, lengths = numbers(1, 2, 12).double(), numbers(1, 5, 12).double(), ints([4])
    wanting = q.requires_grad_(), cache.requires_grad_()
    assert torch.autograd.gradcheck(lambda *x: D.mla_decode_reference(*x, lengths, 0.5, 8), wanting)
    if runtime.INTERPRETED:
        with pytest.raises(runtime.KernelError, match="no_grad"):
            D.mla_decode(q.float(), cache.float(), lengths, 0.5, 8, backend="triton")


# --- choices ----------------------------------------------------------------------------------------------------------


def test_shares_are_as_many_as_the_gpu_can_use():
    assert D.splits_for(256, 64, 132) == 1  # 128 sequences of DeepSeek-V3 fill an H100
    assert 16 <= D.splits_for(2, 64, 132) <= 64  # one does not
    assert D.splits_for(2, 1, 132) == 1  # a single block cannot be shared out
    assert all(2 * D.splits_for(2, n, 132) <= 132 for n in (8, 500, 4000))  # never a second round for a few programs
    assert D.splits_for(1, 10**6, 10**6) <= D.MOST_SPLITS


def test_plans_fit_every_gpu():
    for kib, capability in V3.values():
        how = D.plan(512, 64, 2, kib * 1024, capability)
        buffers = how["STAGES"] if how["BRANCHES"] else how["STAGES"] // 2
        assert ((how["BLOCK_H"] + buffers * how["BLOCK_T"]) * 576 + how["BLOCK_H"] * how["BLOCK_T"]) * 2 < kib * 1024
        assert how["BRANCHES"] == (capability == (9, 0))
    assert D.plan(512, 64, 2, 99 * 1024, (12, 0)) == D.plan(512, 64, 2, 99 * 1024, (8, 9))
    assert D.plan(1024, 64, 2, 227 * 1024, (9, 0)) is None and D.plan(512, 64, 4, 227 * 1024, (9, 0)) is None


# --- refusals ---------------------------------------------------------------------------------------------------------

GOOD = dict(q=torch.ones(2, 3, 12), cache=torch.ones(2, 20, 12), lengths=ints([3, 4]), scale=1.0, rank=8)
PAGES = dict(cache=torch.ones(5, 16, 12), table=ints([[0, 1], [2, 3]]))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (dict(q=torch.ones(3, 12)), "q must be"),
        (dict(cache=torch.ones(20, 12)), "cache must be"),
        (dict(q=torch.ones(2, 3, 12).double()), "float64"),
        (dict(cache=torch.ones(2, 20, 12).half()), "one dtype"),
        (dict(q=torch.ones(2, 0, 12)), "nothing"),
        (dict(cache=torch.ones(2, 0, 12)), "nothing"),
        (dict(cache=torch.ones(2, 20, 13)), "13 per token"),
        (dict(rank=0), "rank 0"),
        (dict(rank=12), "rank 12"),
        (dict(q=torch.ones(2, 12, 3).mT), "contiguous"),
        (dict(cache=torch.ones(2, 12, 20).mT), "side by side"),
        (dict(splits=0), "splits 0"),
        (dict(splits=257), "splits 257"),
        (dict(lengths=torch.tensor([3, 4])), "lengths is torch.int64"),
        (dict(lengths=ints([3])), "lengths must"),
        (dict(lengths=ints([0, 21])), "0 to 20"),
        (dict(lengths=ints([-1, 3])), "-1"),
        (dict(cache=torch.ones(5, 16, 12)), "need a table"),
        (PAGES | dict(table=ints([0, 1])), "table must"),
        (PAGES | dict(table=torch.ones(2, 2)), "table is torch.float32"),
        (PAGES | dict(lengths=ints([3, 33])), "0 to 32"),
        (PAGES | dict(table=ints([[5, 0], [1, 2]])), "beyond 4"),
        (PAGES | dict(cache=torch.ones(5, 20, 12)), "pages of 20"),
        (PAGES | dict(table=ints([[], []])), "at least one page"),
        (dict(cache=torch.ones(2, 20, 12, device="meta")), "devices"),
        (dict(backend="cuda"), "backend"),
    ],
)
def test_bad_arguments_are_refused_by_name(change, said):
    D.mla_decode(**GOOD)
    D.mla_decode(**GOOD | PAGES)
    with pytest.raises(runtime.KernelError, match=said):
        D.mla_decode(**GOOD | change)


@interpreted
def test_sizes_that_do_not_fit_are_refused_by_the_kernel_only():
    sizes = dict(q=torch.ones(1, 1, 1100), cache=torch.ones(1, 4, 1100), lengths=ints([4]), scale=1.0, rank=1024)
    assert D.mla_decode(**sizes)[0].shape == (1, 1, 1024)
    with pytest.raises(runtime.KernelError, match="does not fit"):
        D.mla_decode(**sizes, backend="triton")
