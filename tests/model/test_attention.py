"""MLA: naive = absorbed = token by token from the cache, in float64; the cache's size; MHA, GQA; packing."""

import pytest
import torch
import torch.nn.functional as F
from tiny_models import YARN, ids_for, random_model, tiny_config

from minids import MinidsError
from minids.model import attention
from minids.model.attention import cached_latents, mla_absorbed, mla_naive
from minids.model.cache import Cache
from minids.model.layers import RMSNorm, apply_rope

FORMS = {
    "plain": {},
    "q_lora yarn": dict(q_lora_rank=14, rope_scaling=YARN),
    "half-split rope": dict(rope_interleave=False),
    "bias": dict(attention_bias=True, q_lora_rank=14),
    "mha": dict(attention="mha"),
    "gqa": dict(attention="gqa", num_key_value_heads=2),
    "gqa yarn": dict(attention="gqa", num_key_value_heads=1, rope_scaling=YARN),
}
T = 34  # beyond YARN's original 16
forms = pytest.mark.parametrize("form", FORMS)


def double(form, **more):
    return random_model(dtype=torch.float64, **FORMS[form], **more)


def worst(a, b):
    return (a - b).abs().max().item()


def written_out(q_nope, q_rope, latent, k_rope, w_kv_b, scale, seen):
    """Attention head by head and position by position, from the equations alone."""
    B, n, H, N = q_nope.shape
    w = w_kv_b.view(H, -1, latent.shape[-1])
    out = torch.empty(B, n, H, w.shape[1] - N, dtype=latent.dtype)
    for b in range(B):
        for t in range(n):
            for h in range(H):
                places = [s for s in range(latent.shape[1]) if seen(t, s)]
                keys = torch.stack([torch.cat([w[h, :N] @ latent[b, s], k_rope[b, s]]) for s in places])
                values = torch.stack([w[h, N:] @ latent[b, s] for s in places])
                q = torch.cat([q_nope[b, t, h], q_rope[b, t, h]])
                out[b, t, h] = (keys @ q * scale).softmax(0) @ values
    return out


@pytest.mark.parametrize("core", [mla_naive, mla_absorbed])
def test_both_cores_are_the_equations(core):
    B, n, H, N, R, V, C = 2, 5, 3, 4, 2, 6, 8
    q_nope, q_rope = torch.randn(B, n, H, N).double(), torch.randn(B, n, H, R).double()
    latent, k_rope, w = (
        torch.randn(B, n, C).double(),
        torch.randn(B, n, R).double(),
        torch.randn(H * (N + V), C).double(),
    )
    expected = written_out(q_nope, q_rope, latent, k_rope, w, 0.3, lambda t, s: s <= t)
    assert worst(core(q_nope, q_rope, latent, k_rope, w, 0.3), expected) < 1e-12
    window = torch.ones(n, n, dtype=torch.bool).tril().triu(-1)[None, None]
    expected = written_out(q_nope, q_rope, latent, k_rope, w, 0.3, lambda t, s: t - 1 <= s <= t)
    assert worst(core(q_nope, q_rope, latent, k_rope, w, 0.3, window), expected) < 1e-12


@forms
def test_token_by_token_is_the_whole(form):
    model = double(form)
    ids = ids_for(model, 2, T)
    with torch.no_grad():
        whole = model(ids)
        for absorb in (None, True, False):
            for sizes in ([T], [1] * T, [20] + [1] * (T - 20), [7, 3, 11, 1, T - 22]):
                cache = model.new_cache(2, T)
                parts = [model(part, cache=cache, absorb=absorb) for part in ids.split(sizes, dim=1)]
                assert worst(torch.cat(parts, 1), whole) <= 1e-10, (absorb, sizes)


def test_absorbed_without_a_cache_and_its_gradients():
    model = double("q_lora yarn").train()
    ids = ids_for(model, 2, T)
    grads = []
    for absorb in (False, True):
        logits = model(ids, absorb=absorb)
        grads.append((logits, torch.autograd.grad(logits.square().sum(), list(model.parameters()))))
    assert worst(grads[0][0], grads[1][0]) <= 1e-10
    for a, b in zip(grads[0][1], grads[1][1]):
        assert worst(a, b) <= 1e-10 * max(1.0, a.abs().max().item())


@forms
@pytest.mark.parametrize("absorb", [True, False, None])
def test_ragged_batches(form, absorb):
    """Rows of different lengths, aligned at their right end, give what each gives alone."""
    model = double(form)
    prompts = [ids_for(model, 1, n, seed=n) for n in (5, 9, 1, 22)]
    longest, more = 22, 6
    after = ids_for(model, len(prompts), more, seed=99)
    padding = torch.tensor([longest - p.shape[1] for p in prompts])
    rows = torch.cat([F.pad(p, (longest - p.shape[1], 0)) for p in prompts])
    with torch.no_grad():
        cache = model.new_cache(len(prompts), longest + more, padding)
        parts = [model(rows, cache=cache, absorb=absorb)]
        parts += [model(after[:, t : t + 1], cache=cache, absorb=absorb) for t in range(more)]
        together = torch.cat(parts, 1)
        assert together.isfinite().all()
        for i, prompt in enumerate(prompts):
            alone = model(torch.cat([prompt, after[i : i + 1]], 1))[0]
            assert worst(together[i, padding[i] :], alone) <= 1e-10


@forms
def test_bytes_of_the_cache(form):
    model = double(form).to(torch.float32)
    c = model.config
    each = {"mla": 16 + 8, "mha": 4 * (20 + 10), "gqa": c.num_key_value_heads * (20 + 10)}[c.attention]
    assert c.cache_elements == each
    cache = model.new_cache(2, 50)
    with torch.no_grad():
        model(ids_for(model, 2, 13), cache=cache)
        assert cache.nbytes == 4 * 3 * 2 * 13 * each
        model(ids_for(model, 2, 1), cache=cache)
        assert cache.nbytes == 4 * 3 * 2 * 14 * each
    assert cache.data.numel() == 3 * 2 * 50 * each  # and nothing is stored beside it
    assert model.to(torch.bfloat16).new_cache(1, 5).data.element_size() == 2


def test_what_the_cache_holds_is_finished():
    """One normalised latent and one rotated key a token, each by its own place; older columns are not touched."""
    config = double("plain").config
    C, R, S = config.kv_lora_rank, config.qk_rope_head_dim, 6
    norm, down = RMSNorm(C).double(), torch.randn(2, S, C + R).double()
    torch.nn.init.normal_(norm.weight)
    angles = torch.rand(2, S, R // 2).double() * 6
    latent = F.rms_norm(down[..., :C], (C,), norm.weight, norm.eps)
    expected = torch.cat([latent, apply_rope(down[..., C:], angles.cos(), angles.sin())], dim=-1)
    cache = Cache(config, 2, S, dtype=torch.float64)
    with torch.no_grad():
        for part in (slice(0, 3), slice(3, 4), slice(4, 6)):
            got = cached_latents(down[:, part], norm, angles.cos()[:, part], angles.sin()[:, part], True, cache, 1)
            assert worst(torch.cat(got, dim=-1), expected[:, : part.stop]) < 1e-12
            assert worst(cache.data[1, :, : part.stop], expected[:, : part.stop]) < 1e-12
    assert cache.lengths[0] == 0 and cache.data[0].abs().max() == 0


@pytest.mark.parametrize("name", ["attend", "expand_latent", "mla_naive", "cached_latents", "apply_rope"])
def test_a_replaced_function_is_called(name, monkeypatch):
    """Also by a model on the path that has a fast one beside it."""
    model, called = double("plain"), []
    own = getattr(attention, name)
    monkeypatch.setattr(attention, name, lambda *given: (called.append(name), own(*given))[1])
    ids = ids_for(model, 1, 12)
    with torch.no_grad():
        logits = model(ids)
        assert called
        monkeypatch.undo()
        assert worst(logits, model(ids)) <= 1e-10


@forms
def test_tokens_taken_back(form):
    model = double(form)
    ids = ids_for(model, 1, 20)
    cache = model.new_cache(1, 30)
    with torch.no_grad():
        model(ids[:, :10], cache=cache)
        model(ids_for(model, 1, 7, seed=5), cache=cache)
        cache.truncate(10)
        assert cache.length == 10
        cache.truncate(15)  # nothing comes back
        assert cache.length == 10
        assert worst(model(ids[:, 10:], cache=cache), model(ids)[:, 10:]) <= 1e-10


def test_a_full_cache_says_so():
    model = random_model()
    with torch.no_grad(), pytest.raises(ValueError, match="holds 4 tokens per row, 5"):
        model(ids_for(model, 1, 5), cache=model.new_cache(1, 4))


@forms
def test_packed_documents_are_separate(form):
    model = double(form)
    lengths = [[5, 11, 1, 17], [20, 3, 11]]
    documents = [[ids_for(model, 1, n, seed=7 * i + n) for n in row] for i, row in enumerate(lengths)]
    ids = torch.cat([torch.cat(row, 1) for row in documents])
    doc_ids = torch.stack([torch.arange(len(row)).repeat_interleave(torch.tensor(row)) for row in lengths])
    with torch.no_grad():
        packed = model(ids, doc_ids_BT=doc_ids)
        renamed = model(ids, doc_ids_BT=doc_ids * -3 + 50)  # only equality counts
        for b, row in enumerate(documents):
            alone = torch.cat([model(d) for d in row], 1)[0]
            assert worst(packed[b], alone) <= 1e-10
            assert worst(renamed[b], alone) <= 1e-10


def test_packed_documents_have_separate_gradients():
    model = double("q_lora yarn", num_nextn_predict_layers=1).train()
    ids = ids_for(model, 1, 20)
    doc_ids = (torch.arange(20) >= 8).long()[None]
    embedded = []
    model.embed_tokens.register_forward_hook(lambda m, i, o: (o.retain_grad(), embedded.append(o))[0] and None)
    model(ids, doc_ids_BT=doc_ids)[:, 8:].square().sum().backward()
    grad = embedded[0].grad[0]
    assert grad[:8].abs().max() == 0 and (grad[8:].abs().sum(-1) > 0).all()


@forms
def test_causality(form):
    model = double(form)
    ids = ids_for(model, 1, 12)
    changed = ids.clone()
    changed[0, 7] = (changed[0, 7] + 1) % 97
    with torch.no_grad():
        a, b = model(ids), model(changed)
    assert torch.equal(a[:, :7], b[:, :7])
    assert (a[:, 7:] - b[:, 7:]).abs().amax(-1).gt(0).all()


def test_a_layer_of_another_kind_than_the_config_says_is_refused():
    latent = tiny_config()
    grouped = latent.replace(attention="gqa", num_key_value_heads=2)
    for cls, config, other in (
        (attention.MLA, latent, grouped),
        (attention.GroupedQueryAttention, grouped, latent),
        (attention.GroupedQueryAttention, latent.replace(attention="mha"), latent),
    ):
        assert isinstance(cls(config, 0), cls)
        with pytest.raises(MinidsError, match=f"^{cls.__name__}: the config says attention = '{other.attention}'"):
            cls(other, 0)
