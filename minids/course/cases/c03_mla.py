"""Chapter 03: multi-head latent attention and YaRN. References: the equations, written out with loops in float64."""

import math

import torch

from minids.course.cases import case, changes, expect, gradients
from minids.model.cache import Cache
from minids.model.config import ModelConfig
from minids.model.layers import RMSNorm

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


EXPAND = "model.attention.expand_latent"


@case(EXPAND)
def two_heads_worked_by_hand(expand_latent):
    w = torch.tensor([[1.0, 0], [0, 1], [1, 1], [2, 0], [0, 3], [1, -1]])  # a key row and two value rows, twice
    latent, k_rope = torch.tensor([[[1.0, 2]]]), torch.tensor([[[5.0, 7]]])
    want = torch.tensor([[[[1.0, 5, 7]], [[2, 5, 7]]]]), torch.tensor([[[[2.0, 3]], [[6, -1]]]])
    expect(expand_latent(latent, k_rope, w, 2, 1), want, latent=latent, k_rope=k_rope, w_kv_b=w, heads=2, nope=1)


@case(EXPAND)
def keys_and_values_are_those_of_the_equations(expand_latent):
    _, _, latent, k_rope, w = drawn()
    expect(expand_latent(latent, k_rope, w, 3, 4), expanded(latent, k_rope, w, 3, 4), 1e-10, latent=latent, heads=3)


@case(EXPAND)
def every_head_gets_the_whole_rotated_key(expand_latent):
    _, _, latent, k_rope, w = drawn()
    keys, _ = expand_latent(latent, k_rope, w, 3, 4)
    expect(keys[..., 4:], torch.stack([k_rope] * 3, dim=1), 1e-10, k_rope=k_rope)


@case(EXPAND)
def one_token_gives_what_it_gives_among_others(expand_latent):
    _, _, latent, k_rope, w = drawn(B=1, S=4)
    want = [z[:, :, 2:3] for z in expanded(latent, k_rope, w, 3, 4)]
    expect(expand_latent(latent[:, 2:3], k_rope[:, 2:3], w, 3, 4), want, 1e-10)


@case(EXPAND, held_out=True)
def parts_of_a_cache_and_half_precision_will_do(expand_latent):
    _, _, latent, k_rope, w = drawn(H=2, N=6, V=3, R=4, dtype=torch.bfloat16)
    both = torch.cat([latent, k_rope], dim=-1)
    latent, k_rope = both[..., :8], both[..., 8:]  # not contiguous
    want = [z.bfloat16() for z in expanded(latent.double(), k_rope.double(), w.double(), 2, 6)]
    expect(expand_latent(latent, k_rope, w, 2, 6), want, 0.06)


@case(EXPAND, held_out=True)
def the_gradients_are_right_and_the_arguments_untouched(expand_latent):
    _, _, latent, k_rope, w = drawn(S=3)
    before = [z.clone() for z in (latent, k_rope, w)]
    expect(gradients(expand_latent, latent, k_rope, w, 3, 4), gradients(expanded, latent, k_rope, w, 3, 4), 1e-9)
    expect([latent, k_rope, w], before, 0.0)


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


def causal_attention_is_that_of_the_equations(core):
    given = drawn()
    expect(core(*given, 0.3), written_out(*given, 0.3), 1e-9, q_nope=given[0], scale=0.3, mask=None)


def a_mask_says_who_may_see(core):
    given = drawn(T=3, S=6)
    mask = torch.tensor([[1, 0, 0, 1, 0, 0], [0, 1, 1, 1, 1, 0], [1, 1, 0, 1, 1, 1]]).bool()[None, None]
    expect(core(*given, 0.4, mask), written_out(*given, 0.4, mask), 1e-9, mask=mask, scale=0.4)


def with_a_tiny_scale_each_position_gets_the_mean_of_the_values_so_far(core):
    given = drawn(H=2)
    _, values = expanded(*given[2:], 2, 4)
    want = (values.cumsum(2) / torch.arange(1, 6)[:, None]).transpose(1, 2)
    expect(core(*given, 1e-12), want, 1e-9, scale=1e-12)


def one_new_token_over_a_long_cache(core):
    given = drawn(T=1, S=40, B=3)
    mask = torch.ones(1, 1, 1, 40, dtype=torch.bool)
    expect(core(*given, 0.2, mask), written_out(*given, 0.2, mask), 1e-9, mask=mask, scale=0.2)


def rows_of_a_batch_have_masks_of_their_own(core):
    given = drawn(B=2, T=2, S=4)
    mask = torch.tensor([[[1, 1, 1, 0], [1, 1, 1, 1]], [[0, 0, 1, 0], [0, 0, 1, 1]]]).bool()[:, None]
    expect(core(*given, 0.5, mask), written_out(*given, 0.5, mask), 1e-9, mask=mask)


def sharp_attention_and_half_precision_stay_finite(core):
    given = drawn()
    expect(core(*given, 300.0), written_out(*given, 300.0), 1e-6, scale=300.0)
    half = [z.bfloat16() for z in given]
    got = core(*half, 0.1)
    want = written_out(*[z.double() for z in half], 0.1)
    expect(got, want.bfloat16(), 0.12)


def its_gradients_are_right_and_its_arguments_untouched(core):
    given = drawn(B=1, T=3, S=3)
    before = [z.clone() for z in given]
    expect(gradients(core, *given, 0.7), gradients(written_out, *given, 0.7), 1e-8)
    expect(given, before, 0.0)


NAIVE, ABSORBED = "model.attention.mla_naive", "model.attention.mla_absorbed"
for name in (NAIVE, ABSORBED):
    for shown in (
        causal_attention_is_that_of_the_equations, a_mask_says_who_may_see,
        with_a_tiny_scale_each_position_gets_the_mean_of_the_values_so_far, one_new_token_over_a_long_cache,
    ):  # fmt: skip
        case(name)(shown)


@case(ABSORBED)
def keys_too_large_for_float32_do_no_harm_since_no_key_is_formed(mla_absorbed):
    q_nope, q_rope, latent, k_rope, w = drawn()
    w = w.view(3, 10, 8)
    w = torch.cat([w[:, :4] * 1e20, w[:, 4:] * 1e-20], dim=1).view(30, 8)
    # W_UK c, about 1e40, is infinite in float32; W_UK^T q, about 1, is not
    given = q_nope * 1e-20, q_rope * 1e20, latent * 1e20, k_rope, w
    got = mla_absorbed(*[z.float() for z in given], 1e-20)
    expect(got, written_out(*given, 1e-20).float(), 1e-3, q_nope=given[0], latent=given[2], scale=1e-20)


for name in (NAIVE, ABSORBED):
    for unseen in (
        rows_of_a_batch_have_masks_of_their_own, sharp_attention_and_half_precision_stay_finite,
        its_gradients_are_right_and_its_arguments_untouched,
    ):  # fmt: skip
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


def a_text(T, B=2, C=6, R=4, start=0, dtype=torch.float64):
    """down [B, T, C+R], its norm, and cos and sin of the places start … start+T-1."""
    norm = RMSNorm(C).to(dtype)
    with torch.no_grad():
        norm.weight.copy_(torch.linspace(0.5, 2, C))
    angles = torch.arange(start, start + T).double()[None, :, None] * torch.linspace(1.0, 0.3, R // 2).double()
    return torch.randn(B, T, C + R, dtype=dtype), norm, angles.cos().to(dtype), angles.sin().to(dtype)


def a_cache(columns, layers=1, room=12):
    """A cache whose last layer holds these finished columns, [latent ; key]."""
    B, _, width = columns.shape
    sizes = dict(kv_lora_rank=width - 4, qk_rope_head_dim=4, qk_nope_head_dim=4, v_head_dim=4, hidden_size=8)
    sizes |= dict(num_hidden_layers=layers, first_k_dense_replace=layers, num_attention_heads=2, vocab_size=8)
    cache = Cache(ModelConfig(q_lora_rank=None, **sizes), B, room, dtype=columns.dtype)
    cache.append(layers - 1, columns)
    return cache


CACHED = "model.attention.cached_latents"
changes(CACHED, "cache")


@case(CACHED)
def without_a_cache_the_latent_is_normalised_and_the_key_rotated(cached_latents):
    given = a_text(5)
    expect(cached_latents(*given), finished(*given), 1e-9, down_BTX=given[0])


@case(CACHED)
def one_new_token_comes_behind_the_older_ones_which_stay_as_they_are(cached_latents):
    down, norm, cos, sin = a_text(5)
    latent, key = finished(down, norm, cos, sin)
    cache = a_cache(torch.cat([latent, key], dim=-1)[:, :4])
    got = cached_latents(down[:, 4:], norm, cos[:, 4:], sin[:, 4:], True, cache, 0)
    expect(got, (latent, key), 1e-9, older_ones=4, new_ones=1)


@case(CACHED)
def several_new_tokens_come_behind_those_of_their_own_layer(cached_latents):
    down, norm, cos, sin = a_text(7)
    latent, key = finished(down, norm, cos, sin)
    cache = a_cache(torch.cat([latent, key], dim=-1)[:, :4], layers=3)
    got = cached_latents(down[:, 4:], norm, cos[:, 4:], sin[:, 4:], True, cache, 2)
    expect(got, (latent, key), 1e-9, older_ones=4, new_ones=3, layer=2)


@case(CACHED)
def an_empty_cache_gives_what_no_cache_gives(cached_latents):
    given = a_text(3)
    cache = a_cache(torch.zeros(2, 0, 10, dtype=torch.float64))
    expect(cached_latents(*given, True, cache, 0), finished(*given), 1e-9, down_BTX=given[0])


@case(CACHED)
def a_token_does_not_depend_on_the_others_of_its_text(cached_latents):
    down, norm, cos, sin = a_text(4)
    down[:, 0] *= 100
    latent, key = finished(down, norm, cos, sin)
    got = cached_latents(down, norm, cos, sin)
    expect([z[:, 1:] for z in got], [latent[:, 1:], key[:, 1:]], 1e-9, down_BTX=down)


@case(CACHED)
def pairs_may_also_lie_half_by_half(cached_latents):
    given = a_text(3)
    expect(cached_latents(*given, False), finished(*given, False), 1e-9, interleave=False)


@case(CACHED, held_out=True)
def rows_stand_at_places_of_their_own(cached_latents):
    down, norm, cos, sin = a_text(6)
    cos, sin = (torch.cat([z[:, :5], z[:, 1:]]) for z in (cos, sin))
    latent, key = finished(down[:, :5], norm, cos, sin)
    cache = a_cache(torch.cat([latent, key], dim=-1)[:, :4])
    got = cached_latents(down[:, 4:5], norm, cos[:, 4:], sin[:, 4:], True, cache, 0)
    expect(got, (latent, key), 1e-9)


@case(CACHED, held_out=True)
def float32_stays_float32_and_the_gradients_are_right(cached_latents):
    down, norm, cos, sin = a_text(5, dtype=torch.float32)
    expect(cached_latents(down, norm, cos, sin), [z.float() for z in finished(down, norm, cos, sin)], 1e-5)
    down, norm, cos, sin = a_text(3)
    expect(gradients(cached_latents, down, norm, cos, sin), gradients(finished, down, norm, cos, sin), 1e-8)


# -- YaRN --------------------------------------------------------------------------------------------------------------

YARN = "model.layers.yarn_inv_freq"
V3 = {
    "type": "yarn", "factor": 40, "beta_fast": 32, "beta_slow": 1, "mscale": 1.0, "mscale_all_dim": 1.0,
    "original_max_position_embeddings": 4096,
}  # fmt: skip


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
    got = yarn_inv_freq(dim, theta, scaling)
    assert isinstance(got, torch.Tensor) and got.shape == (dim // 2,), f"one number a pair was expected, got {got!r}"
    assert got.dtype == torch.float32, f"float32 was expected, got {got.dtype}"
    plain, given = frequencies(dim, theta, None), dict(dim=dim, theta=theta, scaling=scaling)
    expect(got / plain, frequencies(dim, theta, scaling) / plain, 1e-4, **given)


@case(YARN)
def without_scaling_the_frequencies_are_those_of_rope(yarn_inv_freq):
    expect(yarn_inv_freq(4, 100.0, None), torch.tensor([1.0, 0.1]), 1e-6, dim=4, theta=100.0, scaling=None)
    compared(yarn_inv_freq, 16, 1000.0, None)


@case(YARN)
def of_v3_the_pairs_up_to_10_are_kept_and_those_from_23_slowed_40_times(yarn_inv_freq):
    ratio = yarn_inv_freq(64, 10000.0, V3) / frequencies(64, 10000.0, None)
    expect(ratio[:11], torch.ones(11), 1e-4, pairs="0 to 10")
    expect(ratio[23:], torch.full((9,), 1 / 40), 1e-4, pairs="23 to 31")


@case(YARN)
def between_them_the_share_of_slowing_is_a_straight_line(yarn_inv_freq):
    compared(yarn_inv_freq, 64, 10000.0, V3)


@case(YARN)
def fractional_ends_of_the_ramp_are_rounded_outwards_unless_truncate_is_false(yarn_inv_freq):
    scaling = {"factor": 8.0, "original_max_position_embeddings": 8192, "beta_fast": 16, "beta_slow": 2}
    compared(yarn_inv_freq, 32, 500000.0, scaling)
    compared(yarn_inv_freq, 32, 500000.0, scaling | {"truncate": False})


@case(YARN)
def a_ramp_that_begins_before_the_first_pair_begins_at_it(yarn_inv_freq):
    compared(yarn_inv_freq, 16, 1000.0, {"factor": 4.0, "original_max_position_embeddings": 64, "beta_fast": 32})


@case(YARN, held_out=True)
def betas_that_are_not_given_are_32_and_1(yarn_inv_freq):
    scaling = {"factor": 16.0, "original_max_position_embeddings": 2048}
    compared(yarn_inv_freq, 48, 20000.0, scaling)
    compared(yarn_inv_freq, 48, 20000.0, scaling | {"beta_fast": None, "beta_slow": None})


@case(YARN, held_out=True)
def an_empty_ramp_and_a_factor_of_1_are_no_trouble(yarn_inv_freq):
    steep = {"factor": 4.0, "original_max_position_embeddings": 3, "beta_fast": 32, "beta_slow": 1}
    compared(yarn_inv_freq, 8, 10000.0, steep)
    compared(yarn_inv_freq, 64, 10000.0, V3 | {"factor": 1.0})


SCALE = "model.layers.softmax_scale"


def a_config(nope, rope, scaling=None, value=None):
    return ModelConfig(
        vocab_size=8, hidden_size=8, num_hidden_layers=1, first_k_dense_replace=1, num_attention_heads=2,
        qk_nope_head_dim=nope, qk_rope_head_dim=rope, v_head_dim=value or nope, rope_scaling=scaling,
    )  # fmt: skip


@case(SCALE)
def without_yarn_it_is_one_over_the_root_of_all_query_dimensions(softmax_scale):
    expect(softmax_scale(a_config(12, 4)), 0.25, 1e-6, nope=12, rope=4, rope_scaling=None)
    expect(softmax_scale(a_config(128, 64, value=32)), 1 / math.sqrt(192), 1e-6, nope=128, rope=64, rope_scaling=None)


@case(SCALE)
def for_v3_it_is_0_13523(softmax_scale):
    expect(softmax_scale(a_config(128, 64, V3)), 0.1352338, 1e-6, nope=128, rope=64, rope_scaling=V3)


@case(SCALE)
def the_temperature_comes_from_mscale_all_dim_and_not_from_mscale(softmax_scale):
    scaling = V3 | {"mscale": 1.0, "mscale_all_dim": 0.5, "factor": 10.0}
    want = 0.25 * (1 + 0.05 * math.log(10)) ** 2
    expect(softmax_scale(a_config(12, 4, scaling)), want, 1e-6, nope=12, rope=4, rope_scaling=scaling)


@case(SCALE)
def yarn_without_mscale_all_dim_leaves_the_scale_alone(softmax_scale):
    scaling = {key: value for key, value in V3.items() if key != "mscale_all_dim"}
    expect(softmax_scale(a_config(12, 4, scaling)), 0.25, 1e-6, nope=12, rope=4, rope_scaling=scaling)


@case(SCALE, held_out=True)
def a_text_that_is_not_longer_needs_no_temperature(softmax_scale):
    for factor in (1.0, 0.5):
        expect(softmax_scale(a_config(12, 4, V3 | {"factor": factor})), 0.25, 1e-6, factor=factor)
    expect(softmax_scale(a_config(12, 4, V3 | {"mscale_all_dim": 0.0})), 0.25, 1e-6, mscale_all_dim=0.0)
