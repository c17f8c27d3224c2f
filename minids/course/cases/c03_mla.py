"""Chapter 03: multi-head latent attention and YaRN. References: the equations, written out with loops in float64.

Tolerances are those of float32, which is right inside whatever comes in, and relative to the largest number.
"""

import math

import torch

from minids.course.cases import case, changes, expect, gradients
from minids.model.cache import Cache
from minids.model.config import ModelConfig
from minids.model.layers import RMSNorm


def near(got, want, tol=1e-4, **given):
    """`expect` for tensors of numbers far from 1: a tolerance relative to the largest of each."""
    if isinstance(want, torch.Tensor):
        largest = want.detach().double().abs().max().item() if want.numel() else 0.0
        return expect(got, want, tol * max(1.0, largest), **given)
    expect(len(got) if isinstance(got, tuple | list) else got, len(want), **given)
    for one, other in zip(got, want):
        near(one, other, tol, **given)


def same_gradients(fn, reference, names, tensors, *settings, tol=1e-4, **given):
    """Result and gradient of each of the tensors, as those of the reference."""
    result, found = gradients(fn, *tensors, *settings)
    want_result, want = gradients(reference, *tensors, *settings)
    near(result, want_result, tol, **given)
    for name, one, other in zip(names.split(), found, want):
        near(one, other, tol, gradient_of=name, **given)


# -- expand_latent -----------------------------------------------------------------------------------------------------


def drawn(B=2, T=5, S=5, H=3, N=4, R=2, V=6, C=8, dtype=torch.float64):
    """q_nope, q_rope, latent, k_rope, w_kv_b, every size different from every other."""
    shapes = (B, T, H, N), (B, T, H, R), (B, S, C), (B, S, R), (H * (N + V), C)
    return [torch.randn(shape, dtype=torch.float64).to(dtype) for shape in shapes]


def expanded(latent, k_rope, w_kv_b, heads, nope):
    """Keys and values, one head and one position at a time."""
    per_head = w_kv_b.shape[0] // heads
    keys, values = [], []
    for b in range(len(latent)):
        for h in range(heads):
            w = w_kv_b[h * per_head : (h + 1) * per_head]
            keys.append(torch.stack([torch.cat([w[:nope] @ c, r]) for c, r in zip(latent[b], k_rope[b])]))
            values.append(torch.stack([w[nope:] @ c for c in latent[b]]))
    shape = (len(latent), heads, latent.shape[1], -1)
    return torch.stack(keys).view(shape), torch.stack(values).view(shape)


EXPAND = "mla.expand"


@case(EXPAND)
def two_heads_worked_by_hand(expand_latent):
    w = torch.tensor([[1.0, 0], [0, 1], [1, 1], [2, 0], [0, 3], [1, -1]])  # a key row and two value rows, twice
    latent, k_rope = torch.tensor([[[1.0, 2]]]), torch.tensor([[[5.0, 7]]])
    want = torch.tensor([[[[1.0, 5, 7]], [[2, 5, 7]]]]), torch.tensor([[[[2.0, 3]], [[6, -1]]]])
    expect(expand_latent(latent, k_rope, w, 2, 1), want, latent=latent, k_rope=k_rope, w_kv_b=w, heads=2, nope=1)


@case(EXPAND)
def keys_and_values_are_those_of_the_equations(expand_latent):
    for sizes in (dict(), dict(B=1, H=2, N=5, V=3, R=4), dict(B=3, S=2, H=1, C=3)):
        _, _, latent, k_rope, w = drawn(**sizes)
        heads, nope = sizes.get("H", 3), sizes.get("N", 4)
        want = expanded(latent, k_rope, w, heads, nope)
        near(expand_latent(latent, k_rope, w, heads, nope), want, latent=latent, heads=heads, nope=nope)


@case(EXPAND)
def every_head_gets_the_whole_rotated_key(expand_latent):
    _, _, latent, k_rope, w = drawn()
    keys, _ = expand_latent(latent, k_rope, w, 3, 4)
    near(keys[..., 4:], torch.stack([k_rope] * 3, dim=1), k_rope=k_rope)


@case(EXPAND)
def one_token_gives_what_it_gives_among_others(expand_latent):
    _, _, latent, k_rope, w = drawn(B=1, S=4)
    want = [z[:, :, 2:3] for z in expanded(latent, k_rope, w, 3, 4)]
    near(expand_latent(latent[:, 2:3], k_rope[:, 2:3], w, 3, 4), want)


def in_a_cache(latent, k_rope):
    """The same two as views of one longer table, with NaN behind the columns in use."""
    table = torch.cat([latent, k_rope], dim=-1)
    table = torch.cat([table, torch.full_like(table[:, :3], float("nan"))], dim=1)[:, : latent.shape[1]]
    return table[..., : latent.shape[-1]], table[..., latent.shape[-1] :]


@case(EXPAND)
def parts_of_a_cache_and_half_precision_will_do(expand_latent):
    _, _, latent, k_rope, w = drawn(H=2, N=6, V=3, R=4, dtype=torch.bfloat16)
    want = [z.bfloat16() for z in expanded(latent.double(), k_rope.double(), w.double(), 2, 6)]
    near(expand_latent(*in_a_cache(latent, k_rope), w, 2, 6), want, 0.02, dtype="bfloat16")
    _, _, latent, k_rope, w = drawn(dtype=torch.float32)
    want = [z.float() for z in expanded(latent.double(), k_rope.double(), w.double(), 3, 4)]
    near(expand_latent(*in_a_cache(latent, k_rope), w, 3, 4), want, dtype="float32")


@case(EXPAND)
def latent_key_and_weights_get_their_gradients(expand_latent):
    _, _, *given = drawn(S=3)
    same_gradients(expand_latent, expanded, "latent k_rope w_kv_b", given, 3, 4)


@case(EXPAND, held_out=True)
def other_sizes(expand_latent):
    _, _, *given = drawn(B=3, S=7, H=4, N=2, V=5, R=6, C=5)
    near(expand_latent(*given, 4, 2), expanded(*given, 4, 2))
    _, _, *given = drawn(B=1, S=2, H=2, N=3, V=2)
    same_gradients(expand_latent, expanded, "latent k_rope w_kv_b", given, 2, 3)


# -- mla_naive, mla_absorbed -------------------------------------------------------------------------------------------


def written_out(q_nope, q_rope, latent, k_rope, w_kv_b, scale, mask=None):
    """Attention head by head and query by query, in the type of its arguments (float64 here)."""
    B, T, H, N = q_nope.shape
    keys, values = expanded(latent, k_rope, w_kv_b, H, N)
    seen = torch.ones(T, T).tril().bool().expand(B, 1, T, T) if mask is None else mask.expand(B, -1, -1, -1)
    rows = []
    for b in range(B):
        for t in range(T):
            for h in range(H):
                places = seen[b, 0, t].nonzero()[:, 0]
                query = torch.cat([q_nope[b, t, h], q_rope[b, t, h]])
                rows.append((keys[b, h, places] @ query * scale).softmax(0) @ values[b, h, places])
    return torch.stack(rows).view(B, T, H, -1)


def table(*rows):
    """A mask [1, 1, T, S] from rows of 0 and 1, "101"."""
    return torch.tensor([[c == "1" for c in row] for row in rows])[None, None]


def causal_attention_is_that_of_the_equations(core):
    for sizes in (dict(), dict(B=1, T=3, S=3, H=2, N=3, V=2, R=4)):
        given = drawn(**sizes)
        near(core(*given, 0.3), written_out(*given, 0.3), q_nope=given[0], scale=0.3, mask=None)


def a_mask_says_who_may_see(core):
    given, mask = drawn(T=3, S=6), table("100101", "011110", "110111")
    near(core(*given, 0.4, mask), written_out(*given, 0.4, mask), mask=mask, scale=0.4)


def a_mask_may_show_what_comes_later(core):
    given, mask = drawn(T=3, S=3), table("011", "101", "111")
    near(core(*given, 0.4, mask), written_out(*given, 0.4, mask), mask=mask, scale=0.4)
    given, mask = drawn(T=2, S=5), table("10011", "11111")
    near(core(*given, 0.4, mask), written_out(*given, 0.4, mask), mask=mask, scale=0.4)


def with_a_tiny_scale_each_position_gets_the_mean_of_the_values_so_far(core):
    given = drawn(H=2)
    _, values = expanded(*given[2:], 2, 4)
    want = (values.cumsum(2) / torch.arange(1, 6)[:, None]).transpose(1, 2)
    near(core(*given, 1e-12), want, scale=1e-12)


def one_new_token_over_a_long_cache(core):
    """Rows of different lengths: what fills a row up on the left is not seen."""
    given = drawn(T=1, S=40, B=3)
    given[2:4] = in_a_cache(*given[2:4])
    for padding in ((0, 0, 0), (0, 7, 39)):
        mask = (torch.arange(40) >= torch.tensor(padding)[:, None])[:, None, None]
        near(core(*given, 0.2, mask), written_out(*given, 0.2, mask), mask=mask, scale=0.2)


def rows_of_a_batch_have_masks_of_their_own(core):
    given = drawn(B=2, T=2, S=4)
    mask = torch.cat([table("1110", "1111"), table("0010", "0011")])
    near(core(*given, 0.5, mask), written_out(*given, 0.5, mask), mask=mask)


def what_is_hidden_counts_nothing_however_well_it_fits(core):
    """The hidden tokens' latents are a hundred thousand times larger, and so are some of their scores; those of the
    tokens that may be seen are all near -500."""
    given, mask = drawn(B=1, T=3, S=5, dtype=torch.float32), table("10010", "00110", "10110")
    given[2][:, [1, 4]] *= 1e5
    given[1][:], given[3][:] = -250.0, 1.0
    want = written_out(*[z.double() for z in given], 1.0, mask).float()
    near(core(*given, 1.0, mask), want, 1e-3, latent=given[2], mask=mask)


def large_scores_stay_finite(core):
    for dtype, tol in ((torch.float64, 0.02), (torch.float32, 0.02)):
        given = drawn(dtype=dtype)
        want = written_out(*[z.double() for z in given], 300.0)
        near(core(*given, 300.0), want.to(dtype), tol, scale=300.0, dtype=dtype)


def half_precision_stays_half_precision(core):
    given, mask = drawn(T=3, S=6, dtype=torch.bfloat16), table("100101", "011110", "110111")
    want = written_out(*[z.double() for z in given], 0.1, mask)
    near(core(*given, 0.1, mask), want.bfloat16(), 0.05, scale=0.1, dtype="bfloat16")


TENSORS = "q_nope q_rope latent k_rope w_kv_b"


def queries_latents_keys_and_weights_get_their_gradients(core):
    same_gradients(core, written_out, TENSORS, drawn(B=1, T=3, S=3), 0.7)
    mask = torch.cat([table("100", "110"), table("001", "011")])
    same_gradients(core, written_out, TENSORS, drawn(B=2, T=2, S=3, H=2), 0.5, mask, mask=mask)


def other_sizes_and_masks(core):
    given = drawn(B=3, T=4, S=7, H=2, N=5, R=4, V=3, C=6)
    mask = torch.rand(3, 1, 4, 7) < 0.6
    mask[..., 2] = True
    near(core(*given, 0.35, mask), written_out(*given, 0.35, mask), mask=mask)
    given = drawn(B=2, T=6, S=6, H=1)
    near(core(*given, 0.8), written_out(*given, 0.8))


def gradients_with_other_masks(core):
    mask = torch.rand(1, 1, 3, 4) < 0.5
    mask[..., 1] = True
    same_gradients(core, written_out, TENSORS, drawn(B=2, T=3, S=4, N=3, V=2), 0.4, mask, mask=mask)


NAIVE, ABSORBED = "mla.naive", "mla.absorb"
for name in (NAIVE, ABSORBED):
    for shown in (
        causal_attention_is_that_of_the_equations,
        a_mask_says_who_may_see,
        a_mask_may_show_what_comes_later,
        with_a_tiny_scale_each_position_gets_the_mean_of_the_values_so_far,
        one_new_token_over_a_long_cache,
        rows_of_a_batch_have_masks_of_their_own,
        what_is_hidden_counts_nothing_however_well_it_fits,
        large_scores_stay_finite,
        half_precision_stays_half_precision,
        queries_latents_keys_and_weights_get_their_gradients,
    ):
        case(name)(shown)


@case(ABSORBED)
def keys_too_large_for_float32_do_no_harm_since_no_key_is_formed(mla_absorbed):
    q_nope, q_rope, latent, k_rope, w = drawn()
    w = w.view(3, 10, 8)
    w = torch.cat([w[:, :4] * 1e20, w[:, 4:] * 1e-20], dim=1).view(30, 8)
    # W_UK c, about 1e40, is infinite in float32; W_UK^T q, about 1, is not
    given = q_nope * 1e-20, q_rope * 1e20, latent * 1e20, k_rope, w
    got = mla_absorbed(*[z.float() for z in given], 1e-20)
    near(got, written_out(*given, 1e-20).float(), 1e-3, q_nope=given[0], latent=given[2], scale=1e-20)


@case(ABSORBED)
def values_too_large_for_float32_do_no_harm_since_no_value_is_formed(mla_absorbed):
    """Two tokens that every query weighs alike, and whose latents differ in two numbers, 1e20 and -1e20: these are gone
    in the mean latent, before W_UV multiplies them by 1e20."""
    q_nope, q_rope, latent, k_rope, w = drawn(T=3, S=2, dtype=torch.float32)
    latent[:, 1], k_rope[:, 1] = latent[:, 0], k_rope[:, 0]
    w = w.view(3, 10, 8)
    w[:, :4, :2] = 0.0
    want = torch.einsum("bc,hvc->bhv", latent[:, 0, 2:], w[:, 4:, 2:])[:, None].expand(-1, 3, -1, -1)
    latent[:, 0, :2], latent[:, 1, :2], w[:, 4:, :2] = 1e20, -1e20, 1e20
    mask = torch.ones(1, 1, 3, 2, dtype=torch.bool)
    got = mla_absorbed(q_nope, q_rope, latent, k_rope, w.reshape(30, 8), 0.3, mask)
    near(got, want, 1e-3, latent=latent, mask=mask)


for name in (NAIVE, ABSORBED):
    for unseen in (other_sizes_and_masks, gradients_with_other_masks):
        case(name, held_out=True)(unseen)


# -- cached_latents ----------------------------------------------------------------------------------------------------


def finished(down, norm, cos, sin, interleave=True):
    """RMSNorm of the latent and the rotated key, token by token, in float64: [B, T, C], [B, T, R]."""
    weight, rank = norm.weight.detach().double(), len(norm.weight)
    latent, key = down.double()[..., :rank], down.double()[..., rank:]
    latent = latent / (latent.square().sum(-1, keepdim=True) / rank + norm.eps).sqrt() * weight
    half = key.shape[-1] // 2
    index = torch.arange(2 * half)
    first, second = (index[0::2], index[1::2]) if interleave else (index[:half], index[half:])
    turned = torch.complex(key[..., first], key[..., second]) * torch.complex(cos.double(), sin.double())
    return latent, torch.cat([turned.real, turned.imag], dim=-1)


def a_text(T, B=2, C=6, R=4, start=0, dtype=torch.float64, eps=1e-6):
    """down [B, T, C+R], its norm, and cos and sin of the places start … start+T-1."""
    norm = RMSNorm(C, eps).to(dtype)
    with torch.no_grad():
        norm.weight.copy_(torch.linspace(0.5, 2, C))
    angles = torch.arange(start, start + T).double()[None, :, None] * torch.linspace(1.0, 0.3, R // 2).double()
    return torch.randn(B, T, C + R, dtype=dtype), norm, angles.cos().to(dtype), angles.sin().to(dtype)


def a_cache(columns, layer=0, layers=3, room=12):
    """A cache that holds these finished columns in one layer, other numbers in the others, and NaN where nothing is.

    No two layers are filled equally far."""
    B, used, width = columns.shape
    sizes = dict(kv_lora_rank=width - 4, qk_rope_head_dim=4, qk_nope_head_dim=4, v_head_dim=4, hidden_size=8)
    sizes |= dict(num_hidden_layers=layers, first_k_dense_replace=layers, num_attention_heads=2, vocab_size=8)
    cache = Cache(ModelConfig(q_lora_rank=None, **sizes), B, room, dtype=columns.dtype)
    cache.data.fill_(float("nan"))
    for i in range(layers):
        cache.append(i, columns if i == layer else torch.randn(B, used + 1 + i, width).to(columns.dtype))
    return cache


def holds(cache, layer, columns, others):
    """The layer holds exactly these columns, and the other layers what they held."""
    expect(cache.lengths[layer], columns.shape[1], columns_in_use_in_layer=layer)
    near(cache.data[layer, :, : columns.shape[1]], columns, what_lies_in_the_cache_of_layer=layer)
    now = [cache.data[i, :, :n] for i, n in enumerate(cache.lengths) if i != layer]
    expect(now, others, 0.0, other_layers_than=layer)


def read(cached_latents, text, cache, layer, parts, interleave=True):
    """Feeds the text part by part, and checks what comes back of each; then what lies in the cache."""
    down, norm, cos, sin = text
    latent, key = finished(*text, interleave)
    others = [cache.data[i, :, :n].clone() for i, n in enumerate(cache.lengths) if i != layer]
    for start, end in zip(parts, parts[1:]):
        new = slice(start, end)
        got = cached_latents(down[:, new], norm, cos[:, new], sin[:, new], interleave, cache, layer)
        near(got, (latent[:, :end], key[:, :end]), tokens_in_the_cache=start, new_tokens=end - start, layer=layer)
    holds(cache, layer, torch.cat([latent, key], dim=-1)[:, : parts[-1]], others)


def written(text, count, interleave=True):
    """The first columns of a text, as they lie in a cache."""
    return torch.cat(finished(*text, interleave), dim=-1)[:, :count]


CACHED = "mla.cache"
changes(CACHED, "cache")


@case(CACHED)
def without_a_cache_the_latent_is_normalised_and_the_key_rotated(cached_latents):
    for text in (a_text(5), a_text(2, B=1, C=3, R=8, start=7)):
        near(cached_latents(*text), finished(*text), down_BTX=text[0])


@case(CACHED)
def one_new_token_comes_behind_the_older_ones_which_stay_as_they_are(cached_latents):
    text = a_text(6)
    read(cached_latents, text, a_cache(written(text, 4)), 0, (4, 5, 6))


@case(CACHED)
def several_new_tokens_come_behind_those_of_their_own_layer(cached_latents):
    text = a_text(9)
    for layer in (2, 1):
        read(cached_latents, text, a_cache(written(text, 4), layer), layer, (4, 7, 9))


@case(CACHED)
def an_empty_cache_gives_what_no_cache_gives(cached_latents):
    text = a_text(4)
    read(cached_latents, text, a_cache(written(text, 0)), 0, (0, 3, 4))


@case(CACHED)
def a_token_does_not_depend_on_the_others_of_its_text(cached_latents):
    down, norm, cos, sin = a_text(4)
    down[:, 0] *= 100
    latent, key = finished(down, norm, cos, sin)
    got = cached_latents(down, norm, cos, sin)
    near([z[:, 1:] for z in got], [latent[:, 1:], key[:, 1:]], down_BTX=down)


@case(CACHED)
def pairs_may_also_lie_half_by_half(cached_latents):
    text = a_text(5)
    near(cached_latents(*text, False), finished(*text, False), interleave=False)
    read(cached_latents, text, a_cache(written(text, 2, False)), 0, (2, 5), interleave=False)


@case(CACHED)
def rows_stand_at_places_of_their_own(cached_latents):
    """The second row is one place further: cos and sin are [B, T, R/2]."""
    down, norm, cos, sin = a_text(7)
    cos, sin = (torch.cat([z[:, :6], z[:, 1:]]) for z in (cos, sin))
    text = down[:, :6], norm, cos, sin
    near(cached_latents(*text), finished(*text), places_of_the_rows=(0, 1))
    read(cached_latents, text, a_cache(written(text, 4)), 0, (4, 5, 6))


@case(CACHED)
def eps_is_that_of_the_norm(cached_latents):
    down, *others = a_text(3, eps=0.25)
    text = down * 0.1, *others
    near(cached_latents(*text), finished(*text), down_BTX=text[0], eps=0.25)


@case(CACHED)
def float32_and_half_precision_stay_what_they_are(cached_latents):
    for dtype, tol in ((torch.float32, 1e-4), (torch.bfloat16, 0.03)):
        text = a_text(5, dtype=dtype)
        near(cached_latents(*text), [z.to(dtype) for z in finished(*text)], tol, dtype=dtype)


@case(CACHED)
def the_gradient_reaches_the_products(cached_latents):
    for interleave in (True, False):
        down, norm, cos, sin = a_text(3)
        got, found = gradients(cached_latents, down, norm, cos, sin, interleave)
        want, right = gradients(finished, down, norm, cos, sin, interleave)
        near(got, want)
        near(found[0], right[0], gradient_of="down_BTX", interleave=interleave)


@case(CACHED, held_out=True)
def longer_texts_in_many_parts(cached_latents):
    text = a_text(12, B=3, C=5)
    read(cached_latents, text, a_cache(written(text, 1), 1, room=14), 1, (1, 2, 5, 6, 7, 12))
    near(cached_latents(*text, False), finished(*text, False))


# -- YaRN --------------------------------------------------------------------------------------------------------------

YARN = "yarn.frequencies"


def v3(**other):
    return {
        "type": "yarn",
        "factor": 40,
        "beta_fast": 32,
        "beta_slow": 1,
        "mscale": 1.0,
        "mscale_all_dim": 1.0,
        "original_max_position_embeddings": 4096,
    } | other


def index_that_turns(turns, dim, theta, original):
    """The (fractional) pair that makes this many turns in `original` tokens, by bisection."""
    low, high = -10.0 * dim, 10.0 * dim
    for _ in range(200):
        middle = (low + high) / 2
        made = original * math.exp(-2 * middle / dim * math.log(theta)) / (2 * math.pi)
        low, high = (middle, high) if made > turns else (low, middle)
    return low


def frequencies(dim, theta, scaling):
    """Pair by pair; None, or YaRN with its ramp between two pairs."""
    plain = [math.exp(-2 * i / dim * math.log(theta)) for i in range(dim // 2)]
    if scaling is None:
        return torch.tensor(plain)
    original = scaling["original_max_position_embeddings"]
    low = index_that_turns(scaling.get("beta_fast") or 32, dim, theta, original)
    high = index_that_turns(scaling.get("beta_slow") or 1, dim, theta, original)
    if scaling.get("truncate", True):
        low, high = math.floor(low), math.ceil(high)
    low, high = max(low, 0), min(high, dim - 1)
    slowed = [min(1.0, max(0.0, (i - low) / max(high - low, 0.001))) for i in range(dim // 2)]
    return torch.tensor([f * (1 - s) + f / scaling["factor"] * s for f, s in zip(plain, slowed)])


def compared(yarn_inv_freq, dim, theta, scaling):
    """Ratio to the plain frequencies, so that slow pairs count as much as fast ones."""
    got, given = yarn_inv_freq(dim, theta, scaling), dict(dim=dim, theta=theta, scaling=scaling)
    want, plain = frequencies(dim, theta, scaling), frequencies(dim, theta, None)
    expect(got, want, 1e-4, **given)  # its shape and dtype too
    expect(got / plain, want / plain, 2e-4, ratio_to="the frequencies without scaling", **given)


@case(YARN)
def without_scaling_the_frequencies_are_those_of_rope(yarn_inv_freq):
    expect(yarn_inv_freq(4, 100.0, None), torch.tensor([1.0, 0.1]), 1e-6, dim=4, theta=100.0, scaling=None)
    compared(yarn_inv_freq, 16, 1000.0, None)
    compared(yarn_inv_freq, 6, 10000, None)  # whole numbers, as in a config.json


@case(YARN)
def of_v3_the_pairs_up_to_10_are_kept_and_those_from_23_slowed_40_times(yarn_inv_freq):
    ratio = yarn_inv_freq(64, 10000.0, v3()) / frequencies(64, 10000.0, None)
    expect(ratio[:11], torch.ones(11), 1e-4, pairs="0 to 10")
    expect(ratio[23:], torch.full((9,), 1 / 40), 1e-4, pairs="23 to 31")


@case(YARN)
def between_them_the_share_of_slowing_is_a_straight_line(yarn_inv_freq):
    compared(yarn_inv_freq, 64, 10000.0, v3())
    compared(yarn_inv_freq, 64, 10000, v3(factor=4, original_max_position_embeddings=8192))


@case(YARN)
def fractional_ends_of_the_ramp_are_rounded_outwards_unless_truncate_is_false(yarn_inv_freq):
    scaling = {"factor": 8.0, "original_max_position_embeddings": 8192, "beta_fast": 16, "beta_slow": 2}
    for truncate in ({}, {"truncate": True}, {"truncate": False}):
        compared(yarn_inv_freq, 32, 500000.0, scaling | truncate)


@case(YARN)
def a_ramp_that_begins_before_the_first_pair_begins_at_it(yarn_inv_freq):
    for truncate in (True, False):
        scaling = {"factor": 4.0, "original_max_position_embeddings": 64, "beta_fast": 32, "truncate": truncate}
        compared(yarn_inv_freq, 16, 1000.0, scaling)


@case(YARN)
def a_ramp_may_end_behind_the_last_pair_but_not_behind_dim_minus_1(yarn_inv_freq):
    """Here all pairs turn more than once: the pair that turns once would be number 9 of 8, and number 13 of 4."""
    for truncate in (True, False):
        scaling = {"factor": 8.0, "original_max_position_embeddings": 8192, "beta_fast": 128, "truncate": truncate}
        compared(yarn_inv_freq, 16, 1000.0, scaling)
        compared(yarn_inv_freq, 8, 10.0, scaling | {"beta_fast": 1000})


@case(YARN)
def betas_that_are_not_given_are_32_and_1(yarn_inv_freq):
    scaling = {"factor": 16.0, "original_max_position_embeddings": 2048}
    for betas in ({}, {"beta_fast": None, "beta_slow": None}, {"beta_fast": 8}, {"beta_slow": 4}):
        compared(yarn_inv_freq, 48, 20000.0, scaling | betas)


@case(YARN)
def an_empty_ramp_and_a_factor_of_1_are_no_trouble(yarn_inv_freq):
    steep = {"factor": 4.0, "original_max_position_embeddings": 3, "beta_fast": 32, "beta_slow": 1}
    compared(yarn_inv_freq, 8, 10000.0, steep)
    even = {"factor": 4.0, "original_max_position_embeddings": 800, "beta_fast": 3, "beta_slow": 3, "truncate": False}
    compared(yarn_inv_freq, 16, 10000.0, even)
    compared(yarn_inv_freq, 64, 10000.0, v3(factor=1.0))


@case(YARN, held_out=True)
def other_models(yarn_inv_freq):
    scaling = {"factor": 32.0, "original_max_position_embeddings": 4096, "beta_fast": 20, "beta_slow": 3}
    for truncate in ({}, {"truncate": False}):
        compared(yarn_inv_freq, 128, 150000.0, scaling | truncate)
        compared(yarn_inv_freq, 24, 500.0, scaling | truncate | {"beta_fast": 100, "beta_slow": None})
    compared(yarn_inv_freq, 10, 5.0, {"factor": 2.0, "original_max_position_embeddings": 3000})


SCALE = "yarn.scale"


def a_config(nope, rope, scaling=None, value=20):
    return ModelConfig(
        vocab_size=8,
        hidden_size=8,
        num_hidden_layers=1,
        first_k_dense_replace=1,
        num_attention_heads=2,
        qk_nope_head_dim=nope,
        qk_rope_head_dim=rope,
        v_head_dim=value,
        rope_scaling=scaling,
    )


def scaled(softmax_scale, want, scaling=None, nope=12, rope=4):
    got = softmax_scale(a_config(nope, rope, scaling))
    expect(got, want, 1e-6, qk_nope_head_dim=nope, qk_rope_head_dim=rope, rope_scaling=scaling)


@case(SCALE)
def without_yarn_it_is_one_over_the_root_of_all_query_dimensions(softmax_scale):
    scaled(softmax_scale, 0.25)
    scaled(softmax_scale, 1 / math.sqrt(192), nope=128, rope=64)


@case(SCALE)
def for_v3_it_is_0_13523(softmax_scale):
    scaled(softmax_scale, 0.1352338, v3(), nope=128, rope=64)


@case(SCALE)
def the_temperature_comes_from_mscale_all_dim_and_not_from_mscale(softmax_scale):
    want = 0.25 * (1 + 0.05 * math.log(10)) ** 2
    scaling = v3(mscale=1.0, mscale_all_dim=0.5, factor=10.0)
    scaled(softmax_scale, want, scaling)
    del scaling["mscale"]
    scaled(softmax_scale, want, scaling)


@case(SCALE)
def yarn_without_mscale_all_dim_leaves_the_scale_alone(softmax_scale):
    scaling = v3()
    del scaling["mscale_all_dim"]
    scaled(softmax_scale, 0.25, scaling)
    scaled(softmax_scale, 0.25, v3(mscale_all_dim=0.0))


@case(SCALE)
def a_text_that_is_not_longer_needs_no_temperature(softmax_scale):
    for factor in (1.0, 0.5):
        scaled(softmax_scale, 0.25, v3(factor=factor))


@case(SCALE, held_out=True)
def other_factors(softmax_scale):
    for factor, mscale_all_dim in ((4, 0.707), (2.5, 2.0), (160, 1)):
        want = (1 + 0.1 * mscale_all_dim * math.log(factor)) ** 2 / math.sqrt(24 + 16)
        scaled(softmax_scale, want, v3(factor=factor, mscale_all_dim=mscale_all_dim, mscale=0.3), nope=24, rope=16)
