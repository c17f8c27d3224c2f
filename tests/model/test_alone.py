"""Modules used alone: every combination of cache, mask, pieces, padding and dtype is right, or refused with nothing
changed."""

import doctest
import itertools

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_models import YARN, ids_for, random_model, tiny_config

import minids
from minids.errors import MinidsError
from minids.kernels import cross_entropy, decode, gemm, grouped, quantise, rmsnorm, rope, runtime, swiglu, tiled
from minids.model import attention, cache, fp8, layers, moe
from minids.model.attention import build_attention, fused_attend, mla_naive
from minids.model.cache import Cache, causal_mask
from minids.model.layers import rotary_table
from minids.model.ops.linear import Linear
from minids.model.transformer import ForwardContext

FORMS = {
    "mla": {},
    "mla, q_lora, yarn, half-split": dict(q_lora_rank=14, rope_scaling=YARN, rope_interleave=False),
    "mla, bias": dict(attention_bias=True),
    "mha": dict(attention="mha"),
    "gqa": dict(attention="gqa", num_key_value_heads=2),
}
TOLERANCE = {torch.float64: 1e-11, torch.float32: 2e-5}
REFUSED = (MinidsError, ValueError)  # a KernelError is a ValueError
forms = pytest.mark.parametrize("form", FORMS)
LONGEST = 12


def worst(a, b):
    return (a - b).abs().max().item() if a.numel() else 0.0


def one_layer(form, dtype=torch.float64, layer=1):
    torch.manual_seed(3)
    module = build_attention(tiny_config(**FORMS[form]), layer).to(dtype).requires_grad_(False)
    for name, p in module.named_parameters():
        torch.nn.init.normal_(p, 1.0 if "norm" in name else 0.0, 0.3)
    return module


def angles(module, positions_BT=None, dtype=torch.float64):
    cos, sin = rotary_table(module.config, LONGEST + 4, dtype=dtype)
    return (cos, sin) if positions_BT is None else (cos[positions_BT], sin[positions_BT])


def written_out(module, x_TD, cos, sin):
    """One text through one layer, head by head and place by place, from the projections and the equations."""
    c, T = module.config, len(x_TD)
    q, k, v = (z.double() for z in projections(module, x_TD, cos, sin))
    out = torch.zeros(T, c.num_attention_heads, c.v_head_dim, dtype=torch.float64)
    for t, h in itertools.product(range(T), range(c.num_attention_heads)):
        group = h * k.shape[1] // c.num_attention_heads
        weights = (k[: t + 1, group] @ q[t, h] * module.scale).softmax(0)
        out[t, h] = weights @ v[: t + 1, group]
    return F.linear(out.flatten(1), module.o_proj.weight.double(), _double(module.o_proj.bias))


def _double(bias):
    return None if bias is None else bias.double()


def projections(module, x_TD, cos, sin):
    """-> q [T, H, E], k [T, G, E], v [T, G, V], rotated."""
    c, x = module.config, x_TD[None]
    if isinstance(module, attention.MLA):
        q = torch.cat(module.queries(x, cos[None], sin[None]), dim=-1)
        latent, key = module.kv_a_proj_with_mqa(x).split([c.kv_lora_rank, c.qk_rope_head_dim], dim=-1)
        kv = module.kv_b_proj(module.kv_a_layernorm(latent)).unflatten(-1, (c.num_attention_heads, -1))
        key = layers.apply_rope(key, cos, sin, c.rope_interleave)[:, :, None].expand(-1, -1, c.num_attention_heads, -1)
        return q[0], torch.cat([kv[..., : c.qk_nope_head_dim], key], dim=-1)[0], kv[0, ..., c.qk_nope_head_dim :]

    def turned(z):
        nope, rope = z.split([c.qk_nope_head_dim, c.qk_rope_head_dim], dim=-1)
        return torch.cat([nope, layers.apply_rope(rope, cos[:, None], sin[:, None], c.rope_interleave)], dim=-1)

    q, k, v = (
        p(x_TD).unflatten(-1, (n, -1))
        for p, n in zip(
            (module.q_proj, module.k_proj, module.v_proj),
            (c.num_attention_heads, c.num_key_value_heads, c.num_key_value_heads),
        )
    )
    return turned(q), turned(k), v


def pieces_of(draw_sizes, T):
    """Sizes, cut so that they add up to T."""
    sizes = []
    for size in itertools.cycle(draw_sizes):
        if sum(sizes) == T:
            return sizes
        sizes.append(min(size, T - sum(sizes)))


@forms
@pytest.mark.parametrize("dtype", TOLERANCE, ids=str)
@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    st.lists(st.integers(1, LONGEST), min_size=1, max_size=3),
    st.lists(st.integers(1, LONGEST), min_size=1, max_size=3),
    st.sampled_from([None, True, False]),
)
def test_attention_in_pieces_is_the_whole(form, dtype, sizes, lengths, absorb):
    """Any pieces, any lengths of the rows, either way to compute: what each row gives alone, from the equations."""
    module, T = one_layer(form, dtype), max(lengths)
    x_BTD = torch.randn(len(lengths), T, module.config.hidden_size, dtype=dtype)
    padding = [T - n for n in lengths]
    kept = Cache(module.config, len(lengths), T, padding_B=padding, dtype=dtype)
    parts = []
    for part in x_BTD.split(pieces_of(sizes, T), dim=1):
        cos, sin = angles(module, kept.positions(part.shape[1], kept.lengths[1]), dtype)
        parts.append(module(part, cos, sin, cache=kept, absorb=absorb))
    together = torch.cat(parts, dim=1)
    assert kept.lengths == [0, T, 0] and together.dtype == dtype
    for row, empty in enumerate(padding):
        cos, sin = (table[: T - empty] for table in angles(module, dtype=dtype))
        right = written_out(module, x_BTD[row, empty:], cos, sin)
        assert worst(together[row, empty:].double(), right) < TOLERANCE[dtype]
        alone = module(x_BTD[row : row + 1, empty:], cos, sin, absorb=absorb)
        assert worst(alone[0].double(), right) < TOLERANCE[dtype]
    assert together.isfinite().all()


@forms
def test_gradients_through_a_cache(form):
    """Gradients of a forward into an empty cache are those of the same forward without one."""
    module = one_layer(form).requires_grad_()
    x_BTD, (cos, sin) = torch.randn(2, 7, module.config.hidden_size, dtype=torch.float64), angles(module)
    for absorb in (True, False):
        kept = Cache(module.config, 2, 9, dtype=torch.float64)
        plain, cached = (module(x_BTD, cos[:7], sin[:7], cache=c, absorb=absorb) for c in (None, kept))
        for a, b in zip(*(torch.autograd.grad(y.square().sum(), list(module.parameters())) for y in (plain, cached))):
            assert worst(a, b) < 1e-10


@forms
@pytest.mark.parametrize("absorb", [True, False])
def test_a_mask_of_ones_own(form, absorb):
    """A window over the older tokens too: what attention over that window gives."""
    module, (B, T, old) = one_layer(form), (2, 9, 4)
    x_BTD, (cos, sin) = torch.randn(B, T, module.config.hidden_size, dtype=torch.float64), angles(module)
    window = causal_mask(T, T).triu(-2)
    whole = module(x_BTD, cos[:T], sin[:T], mask=window, absorb=absorb)
    kept = Cache(module.config, B, T, dtype=torch.float64)
    first = module(x_BTD[:, :old], cos[:old], sin[:old], mask=window[:, :, :old, :old], cache=kept, absorb=absorb)
    mask = window[:, :, old:].expand(B, -1, -1, -1)
    rest = module(x_BTD[:, old:], cos[old:T], sin[old:T], mask=mask, cache=kept, absorb=absorb)
    assert worst(torch.cat([first, rest], 1), whole) < 1e-11


def test_fewer_queries_than_keys_are_the_last_ones():
    q, k, v = (torch.randn(2, 3, 7, 8, dtype=torch.float64) for _ in range(3))
    whole = fused_attend(q, k, v, 0.3)
    for new in (1, 4, 7):
        assert worst(fused_attend(q[:, :, -new:], k, v, 0.3), whole[:, :, -new:]) < 1e-12
    with pytest.raises(MinidsError, match="7 queries over 4 keys"):
        fused_attend(q, k[:, :, :4], v[:, :, :4], 0.3)
    q_nope, q_rope, latent, key, w = (
        torch.randn(size, dtype=torch.float64) for size in ((1, 6, 2, 4), (1, 6, 2, 2), (1, 6, 5), (1, 6, 2), (14, 5))
    )
    whole = mla_naive(q_nope, q_rope, latent, key, w, 0.3)
    assert worst(mla_naive(q_nope[:, 4:], q_rope[:, 4:], latent, key, w, 0.3), whole[:, 4:]) < 1e-12


# -- what does not fit is refused, and nothing is written --------------------------------------------------------------


def attention_arguments(module, **other):
    """Arguments that fit, three new positions behind two older ones, some of them replaced."""
    config = module.config
    cos, sin = (table[2:5] for table in angles(module, dtype=torch.float32))
    return {"x_BTD": torch.randn(2, 3, config.hidden_size), "cos": cos, "sin": sin, **other}


def half_full(config, batch=2, room=6, **how):
    kept = Cache(config, batch, room, **how)
    kept.append(1, torch.randn_like(kept.data[1, :, :2]))
    return kept


def cache_of(module, **changes):
    return half_full(tiny_config(**FORMS["mla"] | {"attention": module.config.attention} | changes))


WRONG = {
    "mask [T, S]": lambda m: dict(mask=torch.ones(3, 5).bool()),
    "mask [B, T, S]": lambda m: dict(mask=torch.ones(2, 3, 5).bool()),
    "mask for T alone": lambda m: dict(mask=torch.ones(2, 1, 3, 3).bool()),
    "mask for each key": lambda m: dict(mask=torch.ones(2, 1, 1, 5).bool()),
    "mask of three rows": lambda m: dict(mask=torch.ones(3, 1, 3, 5).bool()),
    "mask of numbers": lambda m: dict(mask=torch.zeros(2, 1, 3, 5)),
    "mask of ints": lambda m: dict(mask=torch.ones(2, 1, 3, 5).long()),
    "mask a list": lambda m: dict(mask=[[True]]),
    "cos too long": lambda m: dict(cos=angles(m, dtype=torch.float32)[0]),
    "cos and sin too short": lambda m: {k: torch.ones(2, 4) for k in ("cos", "sin")},
    "cos of one position": lambda m: {k: torch.ones(1, 4) for k in ("cos", "sin")},
    "cos of three rows": lambda m: {k: torch.ones(3, 3, 4) for k in ("cos", "sin")},
    "cos too wide": lambda m: {k: torch.ones(3, 8) for k in ("cos", "sin")},
    "sin in float64": lambda m: dict(sin=torch.ones(3, 4).double()),
    "no cos": lambda m: dict(cos=None),
    "x without rows": lambda m: dict(x_BTD=torch.randn(3, 40)),
    "x too narrow": lambda m: dict(x_BTD=torch.randn(2, 3, 39)),
    "x of one number": lambda m: dict(x_BTD=torch.randn(2, 3, 1)),
    "x in float64": lambda m: dict(x_BTD=torch.randn(2, 3, 40).double()),
    "x in bfloat16": lambda m: dict(x_BTD=torch.randn(2, 3, 40).bfloat16()),
    "x of ints": lambda m: dict(x_BTD=torch.ones(2, 3, 40).long()),
    "x without positions": lambda m: dict(x_BTD=torch.randn(2, 0, 40), cos=torch.ones(0, 4), sin=torch.ones(0, 4)),
    "x of no rows": lambda m: dict(x_BTD=torch.randn(0, 3, 40)),
    "absorb a word": lambda m: dict(absorb="no"),
    "cache of one row": lambda m: dict(cache=half_full(m.config, batch=1)),
    "cache of three rows": lambda m: dict(cache=half_full(m.config, batch=3)),
    "cache in float64": lambda m: dict(cache=half_full(m.config, dtype=torch.float64)),
    "cache in bfloat16": lambda m: dict(cache=half_full(m.config, dtype=torch.bfloat16)),
    "cache on another device": lambda m: dict(cache=half_full(m.config, device="meta")),
    "cache too short": lambda m: dict(cache=half_full(m.config, room=4)),
    "cache of other sizes": lambda m: dict(cache=cache_of(m, kv_lora_rank=18, v_head_dim=14)),
    "cache of other parts": lambda m: dict(cache=cache_of(m, kv_lora_rank=14, qk_rope_head_dim=10, v_head_dim=8)),
    "cache of one layer": lambda m: dict(cache=Cache(tiny_config(**m.changes, num_hidden_layers=1), 2, 6)),
    "cache a tensor": lambda m: dict(cache=torch.zeros(3, 2, 6, 24)),
}


@pytest.mark.parametrize("form", ["mla", "mha", "gqa"])
@pytest.mark.parametrize("absorb", [None, True])
@pytest.mark.parametrize("name", WRONG)
def test_attention_refuses_what_does_not_fit(form, absorb, name):
    module = one_layer(form, torch.float32)
    module.changes = FORMS[form]
    wrong = WRONG[name](module)
    given = attention_arguments(module, **{"cache": half_full(module.config), "absorb": absorb, **wrong})
    kept = given["cache"]
    before = (kept.lengths[:], kept.data.clone()) if isinstance(kept, Cache) else None
    with pytest.raises(REFUSED) as refused:
        module(**given)
    assert len(str(refused.value)) > 30 and type(refused.value) in (MinidsError, ValueError)
    if before:
        assert kept.lengths == before[0]
        assert kept.data.device.type == "meta" or torch.equal(kept.data, before[1])


def test_the_cache_refuses_what_does_not_fit():
    config = tiny_config()
    for wrong in (
        dict(batch=-1), dict(max_length=2.5), dict(batch=True), dict(dtype=torch.int8), dict(dtype="float32"),
        dict(padding_B=[1]), dict(padding_B=[1.0, 2.0]), dict(padding_B=[1, 7]), dict(padding_B=[-1, 0]),
        dict(padding_B=torch.ones(2).bool()), dict(padding_B=1), dict(padding_B="ab"), dict(padding_B=[[1], [1, 2]]),
        dict(config={}), dict(config=None),
    ):  # fmt: skip
        with pytest.raises(MinidsError, match="^cache: "):
            Cache(**{"config": config, "batch": 2, "max_length": 6, **wrong})
    kept = half_full(config)
    before = kept.data.clone()
    columns = torch.randn(2, 1, config.cache_elements)
    for wrong in (
        lambda: kept.append(-1, columns),
        lambda: kept.append(3, columns),
        lambda: kept.append("1", columns),
        lambda: kept.append(1, columns[:1]),
        lambda: kept.append(1, columns[..., :1]),
        lambda: kept.append(1, columns[:, 0]),
        lambda: kept.append(1, columns.double()),
        lambda: kept.append(1, columns.expand(2, 5, -1)),
        lambda: kept.truncate(-1),
        lambda: kept.truncate(1.5),
        lambda: kept.truncate(1, layer=3),
        lambda: kept.columns(3),
        lambda: kept.keys_and_values(1),
        lambda: Cache(tiny_config(attention="mha"), 2, 6).latents(0),
        lambda: rotary_table(config, -1),
        lambda: rotary_table(config, 2.5),
        lambda: rotary_table({}, 2),
    ):
        with pytest.raises(REFUSED):
            wrong()
        assert kept.lengths == [0, 2, 0] and torch.equal(kept.data, before)


def test_views_of_the_cache_are_what_the_equations_say():
    for form in FORMS:
        module = one_layer(form)
        c, (cos, sin) = module.config, angles(module)
        x_BTD, kept = torch.randn(2, 5, c.hidden_size, dtype=torch.float64), Cache(c, 2, 7, dtype=torch.float64)
        module(x_BTD, cos[:5], sin[:5], cache=kept)
        assert kept.columns(0).shape[1] == 0 and kept.columns(1).shape == (2, 5, c.cache_elements)
        for row in range(2):
            _, k, v = projections(module, x_BTD[row], cos[:5], sin[:5])
            if c.attention == "mla":
                latents, keys = kept.latents(1)
                assert worst(keys[row], k[:, 0, c.qk_nope_head_dim :]) < 1e-12
                kv = module.kv_b_proj(latents[row]).unflatten(-1, (c.num_attention_heads, -1))
                assert worst(kv, torch.cat([k[..., : c.qk_nope_head_dim], v], dim=-1)) < 1e-12
            else:
                keys, values = kept.keys_and_values(1)
                assert worst(keys[row], k) < 1e-12 and worst(values[row], v) < 1e-12
        kept.columns(1).zero_()
        assert not kept.data.any()  # a view


@pytest.mark.parametrize("backend", ["torch", pytest.param("triton", marks=pytest.mark.skipif(
    runtime.why_not(torch.empty(0)) is not None, reason="no Triton"))])  # fmt: skip
@pytest.mark.parametrize("form", [form for form in FORMS if form.startswith("mla")])
@pytest.mark.parametrize("new", [1, 3])
def test_the_cache_joins_the_decode_kernel(backend, form, new):
    module, (B, T) = one_layer(form, torch.float32), (2, 9)
    c, (cos, sin) = module.config, angles(module, dtype=torch.float32)
    x_BTD, kept = torch.randn(B, T, c.hidden_size), Cache(c, B, T)
    right = module(x_BTD, cos[:T], sin[:T], cache=kept)[:, -new:]
    queries = module.latent_queries(x_BTD[:, -new:], cos[T - new : T], sin[T - new : T])
    lengths = torch.full((B,), T, dtype=torch.int32)
    latents, _ = decode.mla_decode(queries, kept.columns(1), lengths, module.scale, c.kv_lora_rank, backend=backend)
    assert worst(module.from_latents(latents), right) < 1e-5


# -- the model and its other parts -------------------------------------------------------------------------------------


def uneven(model):
    kept = model.new_cache(2, 9)
    model(ids_for(model, 2, 3), cache=kept)
    kept.truncate(1, layer=1)
    return kept


TEXTS = {
    "ids of one row without rows": lambda m, ids: dict(ids_BT=ids[0]),
    "ids a list": lambda m, ids: dict(ids_BT=ids.tolist()),
    "ids of numbers": lambda m, ids: dict(ids_BT=ids.float()),
    "ids beyond": lambda m, ids: dict(ids_BT=ids + 90),
    "ids below": lambda m, ids: dict(ids_BT=ids - 90),
    "no rows": lambda m, ids: dict(ids_BT=ids[:0]),
    "no tokens": lambda m, ids: dict(ids_BT=ids[:, :0]),
    "documents of one row": lambda m, ids: dict(doc_ids_BT=torch.zeros(1, 6).long()),
    "documents [T]": lambda m, ids: dict(doc_ids_BT=torch.zeros(6).long()),
    "documents too short": lambda m, ids: dict(doc_ids_BT=torch.zeros(2, 5).long()),
    "documents of numbers": lambda m, ids: dict(doc_ids_BT=torch.zeros(2, 6)),
    "documents and a cache": lambda m, ids: dict(doc_ids_BT=torch.zeros(2, 6).long(), cache=m.new_cache(2, 6)),
    "valid [T]": lambda m, ids: dict(valid_BT=torch.ones(6).bool()),
    "valid of numbers": lambda m, ids: dict(valid_BT=torch.ones(2, 6)),
    "cache of one row": lambda m, ids: dict(cache=m.new_cache(1, 6)),
    "one row, cache of two": lambda m, ids: dict(ids_BT=ids[:1], cache=m.new_cache(2, 6)),
    "cache too short": lambda m, ids: dict(cache=m.new_cache(2, 5)),
    "cache of other sizes": lambda m, ids: dict(cache=Cache(tiny_config(kv_lora_rank=12), 2, 6)),
    "cache of fewer layers": lambda m, ids: dict(cache=Cache(tiny_config(num_hidden_layers=2), 2, 6)),
    "cache in float64": lambda m, ids: dict(cache=Cache(m.config, 2, 6, dtype=torch.float64)),
    "cache in pieces": lambda m, ids: dict(cache=uneven(m)),
}


@pytest.mark.parametrize("name", TEXTS)
@torch.no_grad()
def test_the_model_refuses_texts_that_do_not_fit(name):
    model = random_model()
    given = {"ids_BT": ids_for(model, 2, 6)} | TEXTS[name](model, ids_for(model, 2, 6))
    kept = given.get("cache")
    before = (kept.lengths[:], kept.data.clone()) if kept else None
    with pytest.raises(REFUSED) as refused:
        model(loads=None if kept else moe.ExpertLoad(), **given)
    assert type(refused.value) in (MinidsError, ValueError) and len(str(refused.value)) > 30
    if kept:
        assert kept.lengths == before[0] and torch.equal(kept.data, before[1])


@torch.no_grad()
def test_mtp_refuses_states_that_do_not_fit():
    model = random_model(num_nextn_predict_layers=1)
    ids = ids_for(model, 2, 6)
    hidden, embedded = model.hidden(ids), model.embed_tokens(ids)
    module, context = model.mtp[0], ForwardContext(model, ids)
    right = module(hidden, embedded, context)
    alone = torch.cat([module(hidden[b : b + 1], embedded[b : b + 1], ForwardContext(model, ids[:1])) for b in (0, 1)])
    assert worst(right, alone) < 1e-5
    for wrong in (
        lambda: module(hidden[..., :1], embedded, context),  # would have been spread over all numbers
        lambda: module(hidden[..., :1], embedded[..., :1], context),
        lambda: module(hidden[:1], embedded, context),
        lambda: module(hidden, embedded[:, :5], context),
        lambda: module(hidden[:, :5], embedded[:, :5], context),
        lambda: module(hidden.double(), embedded.double(), context),
        lambda: model.mtp_hidden(hidden[:, :5], ids),
        lambda: model.mtp_hidden(hidden, ids[:1]),
        lambda: model.mtp_hidden(hidden, ids, valid_BT=torch.ones(1, 6).bool()),
        lambda: model.layers[1](hidden[:, :5], context),
        lambda: model.layers[1](hidden[0], context),
        lambda: model.layers[1](hidden[..., :1], context),
        lambda: model.layers[1](hidden.double(), context),
    ):
        with pytest.raises(MinidsError):
            wrong()


@st.composite
def some_shape(draw):
    return draw(st.lists(st.integers(0, 4), max_size=3))


@settings(max_examples=40, deadline=None, derandomize=True)
@given(some_shape(), st.booleans())
def test_layers_take_any_leading_dimensions(shape, grad):
    """Also none, and empty ones: as if every vector were given alone."""
    torch.manual_seed(0)
    config, D = tiny_config(), 40
    modules = [Linear(D, 6), Linear(D, 6, bias=False), layers.RMSNorm(D), layers.MLP(D, 7), moe.MoE(config, 0)]
    for module in modules:
        for p in module.parameters():
            torch.nn.init.normal_(p, std=0.2)
    x = torch.randn(*shape, D)
    with torch.set_grad_enabled(grad):
        for module in modules:
            y = module(x)
            assert y.shape[:-1] == x.shape[:-1]
            each = [module(vector) for vector in x.view(-1, D)]
            if each:
                torch.testing.assert_close(y.reshape(len(each), -1), torch.stack(each), rtol=1e-4, atol=1e-5)
        assert fp8.Linear(D, 6)(x).shape == (*shape, 6)


@torch.no_grad()
def test_layers_refuse_what_does_not_fit():
    D, x = 40, torch.randn(2, 3, 40)
    modules = [Linear(D, 6), Linear(D, 6, bias=False), layers.MLP(D, 7), moe.MoE(tiny_config(), 0), fp8.Linear(D, 6)]
    wrong = [x[..., :39], x[..., :1], x[0, 0, 0], x.double(), x.long()]
    for module in (*modules, layers.RMSNorm(D)):
        for given_x in wrong:
            if isinstance(module, layers.RMSNorm) and given_x is wrong[3]:
                continue  # any floating type is normalised
            with pytest.raises(REFUSED):
                module(given_x)


@torch.no_grad()
def test_expert_loads_refuse_texts_that_do_not_fit():
    model = random_model()
    experts, x = model.layers[1].mlp, torch.randn(2, 6, 40)
    for rows in (torch.zeros(2, 5).long(), torch.zeros(1, 6).long(), torch.zeros(2, 6)):
        loads = moe.ExpertLoad()
        with pytest.raises(MinidsError, match="rows_BT must be whole numbers, one for each of 12 tokens"):
            experts(x, loads, rows)
        assert loads.counts is None and not loads.losses
    loads = moe.ExpertLoad()
    experts(x[:0], loads)
    experts(x, loads, torch.full((2, 6), -1))
    assert loads.counts.sum() == 0 and loads.balance_loss == 0
    experts(x, loads)
    assert loads.counts.sum() == 12 * model.config.num_experts_per_tok


# -- the kernels' wrappers ---------------------------------------------------------------------------------------------


def kernels_and_arguments():
    r = torch.randn
    q, s = quantise.quantise(r(32, 128))
    w, w_s = quantise.quantise_weight(r(128, 128))
    ints = {"lengths": torch.tensor([5, 16], dtype=torch.int32), "scale": 0.3, "rank": 16}
    chosen = torch.tensor([[0, 1], [1, 2], [2, 0], [0, 2]])
    targets = {"targets": torch.arange(5), "token_weights": torch.rand(5)}
    offsets = torch.tensor([0, 2, 6], dtype=torch.int32)
    yield rmsnorm.rms_norm, dict(x=r(2, 5, 8), weight=r(8), residual=r(2, 5, 8))
    yield swiglu.swiglu, dict(gate=r(2, 5, 8), up=r(2, 5, 8))
    yield rope.rope, dict(x=r(2, 3, 6, 8), cos=r(2, 6, 4), sin=r(2, 6, 4))
    yield cross_entropy.cross_entropy, dict(logits=r(5, 9), **targets)
    yield cross_entropy.linear_cross_entropy, dict(hidden=r(5, 8), weight=r(9, 8), **targets)
    yield decode.mla_decode, dict(q=r(2, 3, 24), cache=r(2, 16, 24), **ints)
    yield (
        decode.mla_decode,
        dict(q=r(2, 2, 3, 24), cache=r(2, 16, 24), table=torch.tensor([[0], [1]], dtype=torch.int32), **ints),
    )
    yield grouped.grouped_matmul, dict(x=r(6, 16), w=r(2, 16, 16), offsets=offsets)
    experts = dict(gate_up=r(3, 32, 16), down=r(3, 16, 16))
    yield grouped.moe_experts, dict(x=r(4, 16), chosen=chosen, gates=torch.rand(4, 2), **experts)
    yield tiled.matmul, dict(a=r(6, 16), b=r(16, 8))
    yield gemm.matmul, dict(a=q, a_scales=s, b=w, b_scales=w_s)
    yield quantise.quantise, dict(x=r(6, 130))
    yield quantise.quantise_weight, dict(w=r(6, 130))
    yield quantise.quantise_t, dict(x=r(6, 130))


def spoilt(x):
    """A tensor in other types and shapes."""
    plain = x.float() if x.dtype.itemsize == 1 else x
    yield from (plain.to(t) for t in (torch.float64, torch.bfloat16, torch.int64, torch.int32, torch.bool))
    for axis in range(x.ndim):
        yield from (x.narrow(axis, 0, n).contiguous() for n in {x.shape[axis] - 1, 1, 0})
    yield from (x[None].contiguous(), x[0].contiguous(), plain.tolist(), 3)
    if not x.is_floating_point():
        yield from (torch.full_like(x, n) for n in (-1, 1000))


@pytest.mark.parametrize("number", range(14))
def test_kernels_take_what_their_reference_takes_or_say_why(number):
    """Whatever is spoilt, a wrapper gives numbers of the right shape or a KernelError, never another error."""
    kernel, given = list(kernels_and_arguments())[number]
    for name, value in given.items():
        for other in spoilt(value) if torch.is_tensor(value) else (-1, "a", None, 2.5, [1]):
            try:
                kernel(**{**given, name: other}, backend="torch")
            except runtime.KernelError as error:
                assert len(str(error)) > 15


# -- the examples of the docstrings ------------------------------------------------------------------------------------


@pytest.mark.parametrize("module", [attention, cache], ids=lambda module: module.__name__)
def test_examples_of_the_docstrings_run(module):
    tried = doctest.testmod(module)
    assert tried.failed == 0 and tried.attempted >= 9


def test_the_public_names_are_these():
    assert minids.Cache is Cache and minids.rotary_table is rotary_table
