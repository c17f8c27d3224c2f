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
from minids.model import attention, cache, layers, moe, transformer
from minids.model.attention import build_attention
from minids.model.cache import Cache, causal_mask
from minids.model.layers import rotary_table

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
