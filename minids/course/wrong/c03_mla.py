"""Chapter 03: plausible mistakes in multi-head latent attention and YaRN, and other right ways to write it."""

import math

import torch
import torch.nn.functional as F

from minids.course.wrong import alternative, wrong
from minids.model.attention import attend
from minids.model.layers import apply_rope, yarn_mscale

# -- expand_latent -----------------------------------------------------------------------------------------------------

EXPAND = "mla.expand"


@wrong(
    EXPAND,
    mistake="w_kv_b held the keys' rows of all heads first, and the values' rows of all heads after them",
    ask="Whose rows does the docstring put next to each other, one head's or one kind's?",
    refused_by="two_heads_worked_by_hand",
)
def all_keys_before_all_values(latent, k_rope, w_kv_b, heads, nope):
    B, S, _ = latent.shape
    keys, values = F.linear(latent, w_kv_b).split([heads * nope, w_kv_b.shape[0] - heads * nope], dim=-1)
    keys, values = (z.reshape(B, S, heads, -1).transpose(1, 2) for z in (keys, values))
    return torch.cat([keys, k_rope[:, None].expand(-1, heads, -1, -1)], dim=-1), values


@wrong(
    EXPAND,
    mistake="the rotated part stood in front of the key",
    ask="The queries are put together as [nope ; rope]. What must the order in the keys be?",
    refused_by="two_heads_worked_by_hand",
)
def rope_in_front(latent, k_rope, w_kv_b, heads, nope):
    B, S, _ = latent.shape
    kv = F.linear(latent, w_kv_b).view(B, S, heads, -1).transpose(1, 2)
    return torch.cat([k_rope[:, None].expand(-1, heads, -1, -1), kv[..., :nope]], dim=-1), kv[..., nope:]


@wrong(
    EXPAND,
    mistake="each head's value rows came before its key rows",
    ask="Which of W_UK and W_UV has `nope` rows a head, and where do they begin?",
    refused_by="two_heads_worked_by_hand",
)
def values_first(latent, k_rope, w_kv_b, heads, nope):
    B, S, _ = latent.shape
    kv = F.linear(latent, w_kv_b).view(B, S, heads, -1).transpose(1, 2)
    key = kv[..., kv.shape[-1] - nope :]
    return torch.cat([key, k_rope[:, None].expand(-1, heads, -1, -1)], dim=-1), kv[..., : kv.shape[-1] - nope]


@wrong(
    EXPAND,
    mistake="heads and positions were exchanged by a view, which reinterprets the memory, not by a transpose",
    ask="In which order do S, heads and a head's rows lie in memory after the product?",
    refused_by="keys_and_values_are_those_of_the_equations",
)
def view_for_transpose(latent, k_rope, w_kv_b, heads, nope):
    B, S, _ = latent.shape
    kv = F.linear(latent, w_kv_b).reshape(B, heads, S, -1)
    return torch.cat([kv[..., :nope], k_rope[:, None].expand(-1, heads, -1, -1)], dim=-1), kv[..., nope:]


@wrong(
    EXPAND,
    mistake="neighbouring rows of w_kv_b belonged to different heads",
    ask="Which index runs faster along the rows of w_kv_b, the head or the number within the head?",
    refused_by="two_heads_worked_by_hand",
)
def heads_interleaved(latent, k_rope, w_kv_b, heads, nope):
    B, S, _ = latent.shape
    kv = F.linear(latent, w_kv_b).view(B, S, -1, heads).permute(0, 3, 1, 2)
    return torch.cat([kv[..., :nope], k_rope[:, None].expand(-1, heads, -1, -1)], dim=-1), kv[..., nope:]


@wrong(
    EXPAND,
    mistake="only the first head got the rotated key, and the others zeros",
    ask="How many heads share the one rotated key?",
    refused_by="every_head_gets_the_whole_rotated_key",
)
def rope_for_one_head(latent, k_rope, w_kv_b, heads, nope):
    B, S, _ = latent.shape
    kv = F.linear(latent, w_kv_b).view(B, S, heads, -1).transpose(1, 2)
    first = (torch.arange(heads, device=latent.device) == 0).to(latent.dtype)
    return torch.cat([kv[..., :nope], k_rope[:, None] * first[None, :, None, None]], dim=-1), kv[..., nope:]


@wrong(
    EXPAND,
    mistake="the rotated key was divided among the heads",
    ask="A key that is shared: does each head get all of it, or its part?",
    refused_by="every_head_gets_the_whole_rotated_key",
)
def rope_divided(latent, k_rope, w_kv_b, heads, nope):
    B, S, _ = latent.shape
    kv = F.linear(latent, w_kv_b).view(B, S, heads, -1).transpose(1, 2)
    return torch.cat([kv[..., :nope], k_rope[:, None].expand(-1, heads, -1, -1) / heads], dim=-1), kv[..., nope:]


@wrong(
    EXPAND,
    mistake="no gradient reached the rotated key",
    ask="W_KR is trained too. Through which tensor does it learn?",
    refused_by="latent_key_and_weights_get_their_gradients",
)
def key_detached(latent, k_rope, w_kv_b, heads, nope):
    B, S, _ = latent.shape
    kv = F.linear(latent, w_kv_b).view(B, S, heads, -1).transpose(1, 2)
    return torch.cat([kv[..., :nope], k_rope.detach()[:, None].expand(-1, heads, -1, -1)], dim=-1), kv[..., nope:]


@wrong(
    EXPAND,
    mistake="each head's rows were halved: as many value rows as key rows",
    ask="N and V need not be equal. Which argument says where a head's key rows end?",
    refused_by="two_heads_worked_by_hand",
)
def halves(latent, k_rope, w_kv_b, heads, nope):
    B, S, _ = latent.shape
    keys, values = F.linear(latent, w_kv_b).view(B, S, heads, -1).transpose(1, 2).chunk(2, dim=-1)
    return torch.cat([keys, k_rope[:, None].expand(-1, heads, -1, -1)], dim=-1), values


@alternative(EXPAND)
def one_einsum(latent, k_rope, w_kv_b, heads, nope):
    w = w_kv_b.unflatten(0, (heads, -1))
    kv = torch.einsum("bsc,hxc->bhsx", latent, w)
    return torch.cat((kv[:, :, :, :nope], k_rope.unsqueeze(1).repeat(1, heads, 1, 1)), -1), kv[:, :, :, nope:]


@alternative(EXPAND)
def head_after_head(latent, k_rope, w_kv_b, heads, nope):
    parts = [latent @ w.T for w in w_kv_b.chunk(heads)]
    keys = torch.stack([torch.cat([p[..., :nope], k_rope], dim=-1) for p in parts], dim=1)
    return keys, torch.stack([p[..., nope:] for p in parts], dim=1)


# -- mla_naive ---------------------------------------------------------------------------------------------------------

NAIVE = "mla.naive"
EQUATIONS = "causal_attention_is_that_of_the_equations"


def keys_values(latent, k_rope, w_kv_b, heads, nope):
    return one_einsum(latent, k_rope, w_kv_b, heads, nope)


@wrong(
    NAIVE,
    mistake="the scale was 1/sqrt(N+R), whatever `scale` says",
    ask="Under YaRN the scale is another number. Where does it come in?",
    refused_by=EQUATIONS,
)
def scale_of_its_own(q_nope, q_rope, latent, k_rope, w_kv_b, scale, mask=None):
    keys, values = keys_values(latent, k_rope, w_kv_b, *q_nope.shape[2:])
    query = torch.cat([q_nope, q_rope], dim=-1).transpose(1, 2)
    return attend(query, keys, values, query.shape[-1] ** -0.5, mask).transpose(1, 2)


@wrong(
    NAIVE,
    mistake="the scale was applied twice",
    ask="Who multiplies the scores with `scale`: you, `attend`, or both?",
    refused_by=EQUATIONS,
)
def scaled_twice(q_nope, q_rope, latent, k_rope, w_kv_b, scale, mask=None):
    keys, values = keys_values(latent, k_rope, w_kv_b, *q_nope.shape[2:])
    query = torch.cat([q_nope, q_rope], dim=-1).transpose(1, 2) * scale
    return attend(query, keys, values, scale, mask).transpose(1, 2)


@wrong(
    NAIVE,
    mistake="the mask did not matter: every query saw the first positions up to its own number",
    ask="Which positions may a query see when a mask is given?",
    refused_by="a_mask_says_who_may_see",
)
def mask_forgotten(q_nope, q_rope, latent, k_rope, w_kv_b, scale, mask=None):
    keys, values = keys_values(latent, k_rope, w_kv_b, *q_nope.shape[2:])
    query = torch.cat([q_nope, q_rope], dim=-1).transpose(1, 2)
    early = torch.ones(query.shape[2], keys.shape[2], dtype=torch.bool, device=query.device).tril()
    return attend(query, keys, values, scale, early).transpose(1, 2)


@wrong(
    NAIVE,
    mistake="without a mask everybody saw everything, the future too",
    ask="What does mask=None promise?",
    refused_by=EQUATIONS,
)
def sees_the_future(q_nope, q_rope, latent, k_rope, w_kv_b, scale, mask=None):
    keys, values = keys_values(latent, k_rope, w_kv_b, *q_nope.shape[2:])
    query = torch.cat([q_nope, q_rope], dim=-1).transpose(1, 2)
    if mask is None:
        mask = torch.ones(1, 1, query.shape[2], keys.shape[2], dtype=torch.bool, device=query.device)
    return attend(query, keys, values, scale, mask).transpose(1, 2)


@wrong(
    NAIVE,
    mistake="the result was [B, H, T, V]",
    ask="Which comes first in what is returned, time or heads?",
    refused_by=EQUATIONS,
)
def heads_stay_in_front(q_nope, q_rope, latent, k_rope, w_kv_b, scale, mask=None):
    keys, values = keys_values(latent, k_rope, w_kv_b, *q_nope.shape[2:])
    query = torch.cat([q_nope, q_rope], dim=-1).transpose(1, 2)
    return attend(query, keys, values, scale, mask)


@wrong(
    NAIVE,
    mistake="the query was [rope ; nope], while the keys are [nope ; rope]",
    ask="Which numbers of the query meet which numbers of the key in the scalar product?",
    refused_by=EQUATIONS,
)
def query_the_other_way_round(q_nope, q_rope, latent, k_rope, w_kv_b, scale, mask=None):
    keys, values = keys_values(latent, k_rope, w_kv_b, *q_nope.shape[2:])
    query = torch.cat([q_rope, q_nope], dim=-1).transpose(1, 2)
    return attend(query, keys, values, scale, mask).transpose(1, 2)


@wrong(
    NAIVE,
    mistake="the rotary parts were left out of the scores: attention does not know where anything stands",
    ask="A score is the sum of two scalar products. Which is the second?",
    refused_by=EQUATIONS,
)
def without_positions(q_nope, q_rope, latent, k_rope, w_kv_b, scale, mask=None):
    keys, values = keys_values(latent, k_rope, w_kv_b, *q_nope.shape[2:])
    nope = q_nope.shape[-1]
    return attend(q_nope.transpose(1, 2), keys[..., :nope], values, scale, mask).transpose(1, 2)


@wrong(
    NAIVE,
    mistake="True in the mask meant: may not see",
    ask="What does True mean in this mask?",
    refused_by="a_mask_says_who_may_see",
)
def mask_inverted(q_nope, q_rope, latent, k_rope, w_kv_b, scale, mask=None):
    keys, values = keys_values(latent, k_rope, w_kv_b, *q_nope.shape[2:])
    query = torch.cat([q_nope, q_rope], dim=-1).transpose(1, 2)
    return attend(query, keys, values, scale, None if mask is None else ~mask).transpose(1, 2)


@wrong(
    NAIVE,
    mistake="a mask was always combined with the triangle of the last positions",
    ask="The mask says who may see. Is there anything left to add when it is given?",
    refused_by="a_mask_may_show_what_comes_later",
)
def triangle_always(q_nope, q_rope, latent, k_rope, w_kv_b, scale, mask=None):
    keys, values = keys_values(latent, k_rope, w_kv_b, *q_nope.shape[2:])
    query = torch.cat([q_nope, q_rope], dim=-1).transpose(1, 2)
    T, S = query.shape[2], keys.shape[2]
    early = torch.ones(T, S, dtype=torch.bool, device=query.device).tril(S - T)
    return attend(query, keys, values, scale, early if mask is None else mask & early).transpose(1, 2)


@wrong(
    NAIVE,
    mistake="the query's axes were exchanged by a reshape, which reinterprets the memory, not by a transpose",
    ask="In which order do T and H lie in memory, and which call changes the order of axes?",
    refused_by=EQUATIONS,
)
def reshaped_queries(q_nope, q_rope, latent, k_rope, w_kv_b, scale, mask=None):
    keys, values = keys_values(latent, k_rope, w_kv_b, *q_nope.shape[2:])
    B, T, H, _ = q_nope.shape
    query = torch.cat([q_nope, q_rope], dim=-1).reshape(B, H, T, -1)
    return attend(query, keys, values, scale, mask).transpose(1, 2)


@alternative(NAIVE)
def softmax_in_float32(q_nope, q_rope, latent, k_rope, w_kv_b, scale, mask=None):
    keys, values = keys_values(latent, k_rope, w_kv_b, *q_nope.shape[2:])
    scores = torch.cat([q_nope, q_rope], dim=-1).transpose(1, 2) @ keys.mT * scale
    if mask is None:
        mask = torch.ones(scores.shape[-2:], dtype=torch.bool).tril()
    weights = scores.masked_fill(~mask, -math.inf).softmax(-1, dtype=torch.float32)
    return (weights.to(values.dtype) @ values).transpose(1, 2)


@alternative(NAIVE)
def the_fused_kernel(q_nope, q_rope, latent, k_rope, w_kv_b, scale, mask=None):
    keys, values = keys_values(latent, k_rope, w_kv_b, *q_nope.shape[2:])
    query = torch.cat([q_nope, q_rope], dim=-1).transpose(1, 2)
    how = dict(is_causal=True) if mask is None else dict(attn_mask=mask)
    return F.scaled_dot_product_attention(query, keys, values, scale=scale, **how).transpose(1, 2)


@alternative(NAIVE)
def softmax_by_hand(q_nope, q_rope, latent, k_rope, w_kv_b, scale, mask=None):
    keys, values = keys_values(latent, k_rope, w_kv_b, *q_nope.shape[2:])
    scores = torch.einsum("bthe,bhse->bhts", torch.cat([q_nope, q_rope], dim=-1), keys) * scale
    if mask is None:
        mask = torch.tril(torch.ones(scores.shape[-2:], device=scores.device)).bool()
    weights = torch.where(mask, scores, -torch.inf).softmax(dim=-1)
    return torch.einsum("bhts,bhsv->bthv", weights, values)


@alternative(NAIVE)
def two_products_head_by_head(q_nope, q_rope, latent, k_rope, w_kv_b, scale, mask=None):
    T, heads, nope = q_nope.shape[1:]
    seen = torch.arange(T)[:, None] >= torch.arange(T) if mask is None else mask[:, 0]
    out = []
    for h, w in enumerate(w_kv_b.chunk(heads)):
        keys, values = latent @ w[:nope].T, latent @ w[nope:].T
        scores = (q_nope[:, :, h] @ keys.mT + q_rope[:, :, h] @ k_rope.mT) * scale
        out.append((scores + torch.zeros_like(scores).masked_fill(~seen, -math.inf)).softmax(-1) @ values)
    return torch.stack(out, dim=2)


# -- mla_absorbed ------------------------------------------------------------------------------------------------------

ABSORBED = "mla.absorb"


def pieces(q_nope, q_rope, latent, k_rope, w_kv_b):
    """Both parts of the scores [B, H, T, S], and W_UV [H, V, C]."""
    heads, nope = q_nope.shape[2:]
    w = w_kv_b.view(heads, -1, w_kv_b.shape[-1])
    q_latent = torch.einsum("bthn,hnc->bthc", q_nope, w[:, :nope])
    in_latents = torch.einsum("bthc,bsc->bhts", q_latent, latent)
    return in_latents, torch.einsum("bthr,bsr->bhts", q_rope, k_rope), w[:, nope:]


def averaged(scores, latent, w_uv, mask):
    if mask is None:
        mask = torch.ones(scores.shape[-2:], dtype=torch.bool, device=scores.device).tril()
    weights = scores.masked_fill(~mask, float("-inf")).softmax(-1)
    return torch.einsum("bthc,hvc->bthv", torch.einsum("bhts,bsc->bthc", weights, latent), w_uv)


@wrong(
    ABSORBED,
    mistake="the rotary parts were left out of the scores: attention does not know where anything stands",
    ask="What is in the cache beside the latent, and who multiplies it?",
    refused_by=EQUATIONS,
)
def latent_scores_alone(q_nope, q_rope, latent, k_rope, w_kv_b, scale, mask=None):
    scores, _, w_uv = pieces(q_nope, q_rope, latent, k_rope, w_kv_b)
    return averaged(scores * scale, latent, w_uv, mask)


@wrong(
    ABSORBED,
    mistake="only one of the two parts of the scores was scaled",
    ask="softmax(scale * (a + b)): where do the brackets of your line close?",
    refused_by=EQUATIONS,
)
def scales_the_rotary_part_alone(q_nope, q_rope, latent, k_rope, w_kv_b, scale, mask=None):
    scores, rotary, w_uv = pieces(q_nope, q_rope, latent, k_rope, w_kv_b)
    return averaged(scores + rotary * scale, latent, w_uv, mask)


@wrong(
    ABSORBED,
    mistake="W_UK was cut out of w_kv_b as if all heads' key rows came first",
    ask="How do the rows of one head lie in w_kv_b, and where does the next head begin?",
    refused_by=EQUATIONS,
)
def rows_of_another_head(q_nope, q_rope, latent, k_rope, w_kv_b, scale, mask=None):
    heads, nope = q_nope.shape[2:]
    w = w_kv_b.split([heads * nope, w_kv_b.shape[0] - heads * nope])
    w = torch.cat([z.view(heads, -1, z.shape[-1]) for z in w], dim=1).flatten(0, 1)
    scores, rotary, w_uv = pieces(q_nope, q_rope, latent, k_rope, w)
    return averaged((scores + rotary) * scale, latent, w_uv, mask)


@wrong(
    ABSORBED,
    mistake="the softmax ran over the queries instead of over the positions that are seen",
    ask="Along which axis must the weights of one query sum to 1?",
    refused_by=EQUATIONS,
)
def softmax_over_queries(q_nope, q_rope, latent, k_rope, w_kv_b, scale, mask=None):
    scores, rotary, w_uv = pieces(q_nope, q_rope, latent, k_rope, w_kv_b)
    if mask is None:
        mask = torch.ones(scores.shape[-2:], dtype=torch.bool, device=scores.device).tril()
    weights = ((scores + rotary) * scale).masked_fill(~mask, -1e9).softmax(-2)
    return torch.einsum("bthc,hvc->bthv", torch.einsum("bhts,bsc->bthc", weights, latent), w_uv)


@wrong(
    ABSORBED,
    mistake="hidden positions had the score 0 instead of none: they still get weight",
    ask="Which score becomes the weight 0 under the exponential function?",
    refused_by=EQUATIONS,
)
def hides_with_zero(q_nope, q_rope, latent, k_rope, w_kv_b, scale, mask=None):
    scores, rotary, w_uv = pieces(q_nope, q_rope, latent, k_rope, w_kv_b)
    if mask is None:
        mask = torch.ones(scores.shape[-2:], dtype=torch.bool, device=scores.device).tril()
    weights = ((scores + rotary) * scale * mask).softmax(-1)
    return torch.einsum("bthc,hvc->bthv", torch.einsum("bhts,bsc->bthc", weights, latent), w_uv)


@wrong(
    ABSORBED,
    mistake="without a mask everybody saw everything, the future too",
    ask="What does mask=None promise?",
    refused_by=EQUATIONS,
)
def absorbed_future(q_nope, q_rope, latent, k_rope, w_kv_b, scale, mask=None):
    scores, rotary, w_uv = pieces(q_nope, q_rope, latent, k_rope, w_kv_b)
    everything = torch.ones(scores.shape[-2:], dtype=torch.bool, device=scores.device)
    return averaged((scores + rotary) * scale, latent, w_uv, everything if mask is None else mask)


@wrong(
    ABSORBED,
    mistake="True in the mask meant: may not see",
    ask="What does True mean in this mask?",
    refused_by="a_mask_says_who_may_see",
)
def absorbed_mask_inverted(q_nope, q_rope, latent, k_rope, w_kv_b, scale, mask=None):
    scores, rotary, w_uv = pieces(q_nope, q_rope, latent, k_rope, w_kv_b)
    return averaged((scores + rotary) * scale, latent, w_uv, None if mask is None else ~mask)


@wrong(
    ABSORBED,
    mistake="all heads shared one average of the latents, that of their mean weights",
    ask="Before W_UV is applied, does each head still have an average of its own?",
    refused_by=EQUATIONS,
)
def one_average_for_all_heads(q_nope, q_rope, latent, k_rope, w_kv_b, scale, mask=None):
    scores, rotary, w_uv = pieces(q_nope, q_rope, latent, k_rope, w_kv_b)
    if mask is None:
        mask = torch.ones(scores.shape[-2:], dtype=torch.bool, device=scores.device).tril()
    weights = ((scores + rotary) * scale).masked_fill(~mask, float("-inf")).softmax(-1).mean(1)
    return torch.einsum("btc,hvc->bthv", weights @ latent, w_uv)


@wrong(
    ABSORBED,
    mistake="keys were formed after all: right where they fit, and as dear as the naive way",
    ask="In which order do q, W_UK and c have to be multiplied so that no key ever exists?",
    refused_by="keys_too_large_for_float32_do_no_harm_since_no_key_is_formed",
)
def keys_after_all(q_nope, q_rope, latent, k_rope, w_kv_b, scale, mask=None):
    return softmax_by_hand(q_nope, q_rope, latent, k_rope, w_kv_b, scale, mask)


@wrong(
    ABSORBED,
    mistake="values were formed: W_UV went to every latent before the mean was taken",
    ask="W_UV (sum of w_s c_s): how many products with W_UV does a query need, and how many do you compute?",
    refused_by="values_too_large_for_float32_do_no_harm_since_no_value_is_formed",
)
def values_formed(q_nope, q_rope, latent, k_rope, w_kv_b, scale, mask=None):
    scores, rotary, w_uv = pieces(q_nope, q_rope, latent, k_rope, w_kv_b)
    if mask is None:
        mask = torch.ones(scores.shape[-2:], dtype=torch.bool, device=scores.device).tril()
    weights = ((scores + rotary) * scale).masked_fill(~mask, float("-inf")).softmax(-1)
    return torch.einsum("bhts,bhsv->bthv", weights, torch.einsum("bsc,hvc->bhsv", latent, w_uv))


@wrong(
    ABSORBED,
    mistake="no gradient reached w_kv_b, as if its halves were prepared once for decoding",
    ask="Training may run through this function too. Where does your W_UK come from?",
    refused_by="queries_latents_keys_and_weights_get_their_gradients",
)
def weights_detached(q_nope, q_rope, latent, k_rope, w_kv_b, scale, mask=None):
    scores, rotary, w_uv = pieces(q_nope, q_rope, latent, k_rope, w_kv_b.detach())
    return averaged((scores + rotary) * scale, latent, w_uv, mask)


@wrong(
    ABSORBED,
    mistake="what may not be seen got a low score, -100, instead of none",
    ask="Scores can be any number. Which one loses against all of them?",
    refused_by="what_is_hidden_counts_nothing_however_well_it_fits",
)
def hidden_at_minus_100(q_nope, q_rope, latent, k_rope, w_kv_b, scale, mask=None):
    scores, rotary, w_uv = pieces(q_nope, q_rope, latent, k_rope, w_kv_b)
    if mask is None:
        mask = torch.ones(scores.shape[-2:], dtype=torch.bool, device=scores.device).tril()
    scores = ((scores + rotary) * scale).masked_fill(~mask, -100.0)
    return averaged(scores, latent, w_uv, torch.ones_like(mask))


@alternative(ABSORBED)
def absorbed_with_a_softmax_in_float32(q_nope, q_rope, latent, k_rope, w_kv_b, scale, mask=None):
    scores, rotary, w_uv = pieces(q_nope, q_rope, latent, k_rope, w_kv_b)
    scores = (scores + rotary) * scale
    if mask is None:
        mask = torch.ones(scores.shape[-2:], dtype=torch.bool).tril()
    weights = scores.masked_fill(~mask, float("-inf")).softmax(-1, dtype=torch.float32).to(latent.dtype)
    return torch.einsum("bthc,hvc->bthv", torch.einsum("bhts,bsc->bthc", weights, latent), w_uv)


@alternative(ABSORBED)
def head_by_head_in_latent_space(q_nope, q_rope, latent, k_rope, w_kv_b, scale, mask=None):
    T, heads, nope = q_nope.shape[1:]
    seen = torch.arange(T)[:, None] >= torch.arange(T) if mask is None else mask[:, 0]
    out = []
    for h, w in enumerate(w_kv_b.chunk(heads)):
        scores = (q_nope[:, :, h] @ w[:nope]) @ latent.mT + q_rope[:, :, h] @ k_rope.mT
        weights = (scores * scale).masked_fill(~seen, -math.inf).softmax(-1)
        out.append(weights @ latent @ w[nope:].T)
    return torch.stack(out, dim=2)


@alternative(ABSORBED)
def one_wide_key(q_nope, q_rope, latent, k_rope, w_kv_b, scale, mask=None):
    heads, nope = q_nope.shape[2:]
    w_uk, w_uv = w_kv_b.unflatten(0, (heads, -1)).tensor_split([nope], dim=1)
    query = torch.cat([(q_nope.unsqueeze(-2) @ w_uk).squeeze(-2), q_rope], dim=-1).transpose(1, 2)
    key = torch.cat([latent, k_rope], dim=-1)[:, None]
    if mask is None:
        mask = torch.ones(query.shape[2], key.shape[2], dtype=torch.bool, device=query.device).tril()
    weights = (query @ key.mT * scale + torch.where(mask, 0.0, -math.inf).to(query.dtype)).softmax(-1)
    return (weights @ latent[:, None] @ w_uv.mT).transpose(1, 2)


# -- cached_latents ----------------------------------------------------------------------------------------------------

CACHED = "mla.cache"
ONE_MORE = "one_new_token_comes_behind_the_older_ones_which_stay_as_they_are"
NO_CACHE = "without_a_cache_the_latent_is_normalised_and_the_key_rotated"


@wrong(
    CACHED,
    mistake="keys were stored unrotated, and all of them turned by the angles of the newest token when read",
    ask="A key that is read for the tenth time: by which position's angle must it have been turned, and how often?",
    refused_by=ONE_MORE,
)
def rotates_on_reading(down_BTX, norm, cos, sin, interleave=True, cache=None, layer=0):
    rank = norm.weight.shape[0]
    latent, k_rope = down_BTX.split([rank, down_BTX.shape[-1] - rank], dim=-1)
    # the latent is normalised, then both parts are stored
    new_BTX = torch.cat([norm(latent), k_rope], dim=-1)
    all_BSX = new_BTX if cache is None else cache.append(layer, new_BTX)
    # attention wants its keys rotated
    return all_BSX[..., :rank], apply_rope(all_BSX[..., rank:], cos, sin, interleave)


@wrong(
    CACHED,
    mistake="latents were stored as they come and normalised at every reading, those of the cache again",
    ask="What state are the latents in that already lie in the cache?",
    refused_by=ONE_MORE,
)
def normalises_on_reading(down_BTX, norm, cos, sin, interleave=True, cache=None, layer=0):
    rank = norm.weight.shape[0]
    latent, k_rope = down_BTX.split([rank, down_BTX.shape[-1] - rank], dim=-1)
    new = torch.cat([latent, apply_rope(k_rope, cos, sin, interleave)], dim=-1)
    both = new if cache is None else cache.append(layer, new)
    return norm(both[..., :rank]), both[..., rank:]


@wrong(
    CACHED,
    mistake="the latent was never normalised",
    ask="What stands between W_DKV x and W_UK in the equations?",
    refused_by=NO_CACHE,
)
def without_norm(down_BTX, norm, cos, sin, interleave=True, cache=None, layer=0):
    rank = norm.weight.shape[0]
    new = torch.cat([down_BTX[..., :rank], apply_rope(down_BTX[..., rank:], cos, sin, interleave)], dim=-1)
    both = new if cache is None else cache.append(layer, new)
    return both[..., :rank], both[..., rank:]


@wrong(
    CACHED,
    mistake="the root mean square was taken over the whole text instead of for each token",
    ask="When the second token comes, may the norm of the first one still change?",
    refused_by="a_token_does_not_depend_on_the_others_of_its_text",
)
def norm_over_the_text(down_BTX, norm, cos, sin, interleave=True, cache=None, layer=0):
    rank = norm.weight.shape[0]
    latent, k_rope = down_BTX.split([rank, down_BTX.shape[-1] - rank], dim=-1)
    latent = latent * torch.rsqrt(latent.square().mean((1, 2), keepdim=True) + norm.eps) * norm.weight
    new = torch.cat([latent, apply_rope(k_rope, cos, sin, interleave)], dim=-1)
    both = new if cache is None else cache.append(layer, new)
    return both[..., :rank], both[..., rank:]


@wrong(
    CACHED,
    mistake="the root mean square counted the key's numbers too",
    ask="Of which numbers does the norm have weights?",
    refused_by=NO_CACHE,
)
def norm_over_latent_and_key(down_BTX, norm, cos, sin, interleave=True, cache=None, layer=0):
    rank = norm.weight.shape[0]
    unit = down_BTX * torch.rsqrt(down_BTX.square().mean(-1, keepdim=True) + norm.eps)
    key = apply_rope(down_BTX[..., rank:], cos, sin, interleave)
    new = torch.cat([unit[..., :rank] * norm.weight, key], dim=-1)
    both = new if cache is None else cache.append(layer, new)
    return both[..., :rank], both[..., rank:]


@wrong(CACHED, mistake="the key was never rotated", ask="Where do cos and sin come in?", refused_by=NO_CACHE)
def without_rotation(down_BTX, norm, cos, sin, interleave=True, cache=None, layer=0):
    rank = norm.weight.shape[0]
    new = torch.cat([norm(down_BTX[..., :rank]), down_BTX[..., rank:]], dim=-1)
    both = new if cache is None else cache.append(layer, new)
    return both[..., :rank], both[..., rank:]


@wrong(
    CACHED,
    mistake="the key came first in W_DKV's and W_KR's common product",
    ask="Which of [W_DKV x ; W_KR x] are the first numbers?",
    refused_by=NO_CACHE,
)
def key_first(down_BTX, norm, cos, sin, interleave=True, cache=None, layer=0):
    rank = norm.weight.shape[0]
    k_rope, latent = down_BTX.split([down_BTX.shape[-1] - rank, rank], dim=-1)
    new = torch.cat([norm(latent), apply_rope(k_rope, cos, sin, interleave)], dim=-1)
    both = new if cache is None else cache.append(layer, new)
    return both[..., :rank], both[..., rank:]


@wrong(
    CACHED,
    mistake="only the new tokens were handed out, not those before them",
    ask="What does cache.append return?",
    refused_by=ONE_MORE,
)
def forgets_the_past(down_BTX, norm, cos, sin, interleave=True, cache=None, layer=0):
    rank = norm.weight.shape[0]
    latent, k_rope = norm(down_BTX[..., :rank]), apply_rope(down_BTX[..., rank:], cos, sin, interleave)
    if cache is not None:
        cache.append(layer, torch.cat([latent, k_rope], dim=-1))
    return latent, k_rope


@wrong(
    CACHED,
    mistake="`interleave` did not matter: pairs always lay side by side",
    ask="Which argument says how the pairs lie?",
    refused_by="pairs_may_also_lie_half_by_half",
)
def always_interleaved(down_BTX, norm, cos, sin, interleave=True, cache=None, layer=0):
    rank = norm.weight.shape[0]
    new = torch.cat([norm(down_BTX[..., :rank]), apply_rope(down_BTX[..., rank:], cos, sin)], dim=-1)
    both = new if cache is None else cache.append(layer, new)
    return both[..., :rank], both[..., rank:]


@wrong(
    CACHED,
    mistake="every layer wrote into the cache of layer 0",
    ask="Which of the layers of the cache belongs to this attention?",
    refused_by="several_new_tokens_come_behind_those_of_their_own_layer",
)
def always_layer_0(down_BTX, norm, cos, sin, interleave=True, cache=None, layer=0):
    rank = norm.weight.shape[0]
    new = torch.cat([norm(down_BTX[..., :rank]), apply_rope(down_BTX[..., rank:], cos, sin, interleave)], dim=-1)
    both = new if cache is None else cache.append(0, new)
    return both[..., :rank], both[..., rank:]


@wrong(
    CACHED,
    mistake="latents were stored as they come, and only the new ones normalised when handed out",
    ask="What does the next call read of the tokens that this one stores?",
    refused_by=ONE_MORE,
)
def stored_before_the_norm(down_BTX, norm, cos, sin, interleave=True, cache=None, layer=0):
    rank, T = norm.weight.shape[0], down_BTX.shape[1]
    new = torch.cat([down_BTX[..., :rank], apply_rope(down_BTX[..., rank:], cos, sin, interleave)], dim=-1)
    both = new if cache is None else cache.append(layer, new)
    latent = torch.cat([both[:, :-T, :rank], norm(both[:, -T:, :rank])], dim=1)
    return latent, both[..., rank:]


@wrong(
    CACHED,
    mistake="keys were stored unrotated, and only the new ones rotated when handed out",
    ask="Who rotates a key that is read for the second time?",
    refused_by=ONE_MORE,
)
def rotates_the_new_ones_on_reading(down_BTX, norm, cos, sin, interleave=True, cache=None, layer=0):
    rank, T = norm.weight.shape[0], down_BTX.shape[1]
    new = torch.cat([norm(down_BTX[..., :rank]), down_BTX[..., rank:]], dim=-1)
    both = new if cache is None else cache.append(layer, new)
    turned = apply_rope(both[:, -T:, rank:], cos, sin, interleave)
    return both[..., :rank], torch.cat([both[:, :-T, rank:], turned], dim=1)


@wrong(
    CACHED,
    mistake="no gradient went back through latents and keys",
    ask="Training has no cache. What does W_DKV learn from there?",
    refused_by="the_gradient_reaches_the_products",
)
def without_gradient(down_BTX, norm, cos, sin, interleave=True, cache=None, layer=0):
    rank = norm.weight.shape[0]
    latent = norm(down_BTX[..., :rank]).detach()
    new = torch.cat([latent, apply_rope(down_BTX[..., rank:], cos, sin, interleave)], dim=-1)
    both = new if cache is None else cache.append(layer, new)
    return both[..., :rank], both[..., rank:]


@alternative(CACHED)
def two_parts(down_BTX, norm, cos, sin, interleave=True, cache=None, layer=0):
    rank = len(norm.weight)
    latent, k_rope = norm(down_BTX[:, :, :rank]), apply_rope(down_BTX[:, :, rank:], cos, sin, interleave)
    if cache is None:
        return latent, k_rope
    return cache.append(layer, torch.cat((latent, k_rope), dim=2)).tensor_split([rank], dim=2)


@alternative(CACHED)
def by_hand_and_reading_the_cache(down_BTX, norm, cos, sin, interleave=True, cache=None, layer=0):
    rank = norm.weight.numel()
    latent, key = down_BTX[..., :rank], down_BTX[..., rank:]
    latent = norm.weight * (latent / (latent.pow(2).mean(-1, keepdim=True) + norm.eps).sqrt())
    half = key.shape[-1] // 2
    a, b = (key[..., ::2], key[..., 1::2]) if interleave else (key[..., :half], key[..., half:])
    key = torch.cat([a * cos - b * sin, a * sin + b * cos], dim=-1)
    if cache is not None:
        cache.append(layer, torch.cat([latent, key], dim=-1))
        stored = cache.data[layer, :, : cache.lengths[layer]]
        return stored[..., :rank], stored[..., rank:]
    return latent, key


# -- YaRN --------------------------------------------------------------------------------------------------------------

YARN = "yarn.frequencies"
RAMP = "between_them_the_share_of_slowing_is_a_straight_line"
ENDS = "of_v3_the_pairs_up_to_10_are_kept_and_those_from_23_slowed_40_times"


def rope(dim, theta):
    return 1.0 / theta ** (torch.arange(0, dim, 2, dtype=torch.float32) / dim)


def ends(dim, theta, scaling, turns=2 * math.pi):
    original = scaling["original_max_position_embeddings"]
    betas = scaling.get("beta_fast") or 32, scaling.get("beta_slow") or 1
    low, high = (dim * math.log(original / (b * turns)) / (2 * math.log(theta)) for b in betas)
    if scaling.get("truncate", True):
        low, high = math.floor(low), math.ceil(high)
    return low, high


def ramp_between(dim, low, high):
    return ((torch.arange(dim // 2, dtype=torch.float32) - low) / max(high - low, 0.001)).clamp(0, 1)


def blend(dim, theta, scaling, slowed):
    return rope(dim, theta) * (1 - slowed) + rope(dim, theta) / scaling["factor"] * slowed


@wrong(
    YARN,
    mistake="every pair was slowed: plain position interpolation",
    ask="What happens to a pair that turns many times within the trained length?",
    refused_by=ENDS,
)
def interpolates_all(dim, theta, scaling):
    return rope(dim, theta) / (scaling["factor"] if scaling else 1.0)


@wrong(
    YARN,
    mistake="the fast pairs were slowed and the slow ones kept",
    ask="Which pairs never come round within the trained length, and meet new angles beyond it?",
    refused_by=ENDS,
)
def ramp_reversed(dim, theta, scaling):
    if scaling is None:
        return rope(dim, theta)
    low, high = ends(dim, theta, scaling)
    return blend(dim, theta, scaling, 1 - ramp_between(dim, max(low, 0), min(high, dim - 1)))


@wrong(
    YARN,
    mistake="theta was made larger instead (the NTK-aware rule)",
    ask="Does that leave the fast pairs exactly as they are, and slow the slowest by the whole factor?",
    refused_by=ENDS,
)
def larger_theta(dim, theta, scaling):
    return rope(dim, theta * scaling["factor"] ** (dim / (dim - 2)) if scaling else theta)


@wrong(
    YARN,
    mistake="there was no ramp: pairs before the middle were kept, those behind it slowed",
    ask="What lies between the last pair that is kept and the first that is slowed entirely?",
    refused_by=RAMP,
)
def hard_cut(dim, theta, scaling):
    if scaling is None:
        return rope(dim, theta)
    low, high = ends(dim, theta, scaling)
    middle = (max(low, 0) + min(high, dim - 1)) / 2
    return blend(dim, theta, scaling, (torch.arange(dim // 2) > middle).float())


@wrong(
    YARN,
    mistake="wavelengths were blended instead of frequencies",
    ask="Which of the two does the straight line mix: f and f/factor, or 1/f and factor/f?",
    refused_by=RAMP,
)
def blends_wavelengths(dim, theta, scaling):
    if scaling is None:
        return rope(dim, theta)
    low, high = ends(dim, theta, scaling)
    slowed = ramp_between(dim, max(low, 0), min(high, dim - 1))
    return rope(dim, theta) / (1 + slowed * (scaling["factor"] - 1))


@wrong(
    YARN,
    mistake="turns were counted in radians: the 2 pi is missing",
    ask="How many radians are one turn?",
    refused_by=ENDS,
)
def radians_for_turns(dim, theta, scaling):
    if scaling is None:
        return rope(dim, theta)
    low, high = ends(dim, theta, scaling, turns=1.0)
    return blend(dim, theta, scaling, ramp_between(dim, max(low, 0), min(high, dim - 1)))


@wrong(
    YARN,
    mistake="the ends of the ramp were never rounded to whole pairs",
    ask="What does `truncate`, true unless it is given, do to the two ends?",
    refused_by=RAMP,
)
def never_truncates(dim, theta, scaling):
    if scaling is None:
        return rope(dim, theta)
    low, high = ends(dim, theta, scaling | {"truncate": False})
    return blend(dim, theta, scaling, ramp_between(dim, max(low, 0), min(high, dim - 1)))


@wrong(
    YARN,
    mistake="the ends of the ramp were always rounded to whole pairs",
    ask="What changes when `truncate` is false?",
    refused_by="fractional_ends_of_the_ramp_are_rounded_outwards_unless_truncate_is_false",
)
def always_truncates(dim, theta, scaling):
    if scaling is None:
        return rope(dim, theta)
    low, high = ends(dim, theta, scaling | {"truncate": True})
    return blend(dim, theta, scaling, ramp_between(dim, max(low, 0), min(high, dim - 1)))


@wrong(
    YARN,
    mistake="the ramp could begin before the first pair",
    ask="Is pair number -3 on any ramp? Where does yours begin if the formula says so?",
    refused_by="a_ramp_that_begins_before_the_first_pair_begins_at_it",
)
def ramp_not_limited(dim, theta, scaling):
    if scaling is None:
        return rope(dim, theta)
    return blend(dim, theta, scaling, ramp_between(dim, *ends(dim, theta, scaling)))


@wrong(
    YARN,
    mistake="the exponent was i/dim instead of 2i/dim: half as far as RoPE goes",
    ask="How slow is the last pair of RoPE, compared with theta?",
    refused_by="without_scaling_the_frequencies_are_those_of_rope",
)
def half_the_exponent(dim, theta, scaling):
    plain = 1.0 / theta ** (torch.arange(dim // 2, dtype=torch.float32) / dim)
    if scaling is None:
        return plain
    low, high = ends(dim, theta, scaling)
    slowed = ramp_between(dim, max(low, 0), min(high, dim - 1))
    return plain * (1 - slowed) + plain / scaling["factor"] * slowed


@wrong(
    YARN,
    mistake="the ends of the ramp were kept within the numbers of the pairs, 0 to dim/2 - 1",
    ask="The docstring names the largest end. Is it the number of the last pair?",
    refused_by="a_ramp_may_end_behind_the_last_pair_but_not_behind_dim_minus_1",
)
def ramp_within_the_pairs(dim, theta, scaling):
    if scaling is None:
        return rope(dim, theta)
    low, high = ends(dim, theta, scaling)
    return blend(dim, theta, scaling, ramp_between(dim, max(low, 0), min(high, dim // 2 - 1)))


@wrong(
    YARN,
    mistake="the ends of the ramp were rounded to the nearest pair, not outwards",
    ask="Which way is beta_fast's index rounded, and which way beta_slow's?",
    refused_by=RAMP,
)
def ends_to_the_nearest(dim, theta, scaling):
    if scaling is None:
        return rope(dim, theta)
    low, high = ends(dim, theta, scaling | {"truncate": False})
    if scaling.get("truncate", True):
        low, high = round(low), round(high)
    return blend(dim, theta, scaling, ramp_between(dim, max(low, 0), min(high, dim - 1)))


@wrong(
    YARN,
    mistake="beta_fast and beta_slow could not be None",
    ask="get(key, 32) gives 32 for a key that is missing. What does it give for one that is there and None?",
    refused_by="betas_that_are_not_given_are_32_and_1",
)
def none_is_no_beta(dim, theta, scaling):
    if scaling is None:
        return rope(dim, theta)
    betas = {"beta_fast": scaling.get("beta_fast", 32) * 1.0, "beta_slow": scaling.get("beta_slow", 1) * 1.0}
    low, high = ends(dim, theta, scaling | betas)
    return blend(dim, theta, scaling, ramp_between(dim, max(low, 0), min(high, dim - 1)))


@wrong(
    YARN,
    mistake="the ramp had no least width: its two ends may be equal",
    ask="Which number is divided by when both ends are the same?",
    refused_by="an_empty_ramp_and_a_factor_of_1_are_no_trouble",
)
def no_least_width(dim, theta, scaling):
    if scaling is None:
        return rope(dim, theta)
    low, high = ends(dim, theta, scaling)
    low, high = max(low, 0), min(high, dim - 1)
    slowed = ((torch.arange(dim // 2, dtype=torch.float32) - low) / (high - low)).clamp(0, 1)
    return blend(dim, theta, scaling, slowed)


@alternative(YARN)
def pair_by_pair(dim, theta, scaling):
    out = []
    for i in range(dim // 2):
        f = theta ** (-2 * i / dim)
        if scaling is not None:
            low, high = ends(dim, theta, scaling)
            low, high = max(low, 0), min(high, dim - 1)
            t = min(max((i - low) / (high - low if high - low > 0.001 else 0.001), 0), 1)
            f *= 1 + t * (1 / scaling["factor"] - 1)
        out.append(f)
    return torch.tensor(out, dtype=torch.float32)


@alternative(YARN)
def with_lerp(dim, theta, scaling):
    plain = torch.exp(-math.log(theta) * torch.arange(0, dim, 2).double() / dim)
    if not scaling:
        return plain.float()
    low, high = ends(dim, theta, scaling)
    low, high = max(0, low), min(dim - 1, high)
    slowed = torch.clip((torch.arange(dim // 2) - low).double() / max(high - low, 1e-3), 0, 1)
    return torch.lerp(plain, plain / scaling["factor"], slowed).float()


SCALE = "yarn.scale"
FOR_V3 = "for_v3_it_is_0_13523"
PLAIN = "without_yarn_it_is_one_over_the_root_of_all_query_dimensions"


@wrong(
    SCALE,
    mistake="the temperature was applied once: its square belongs here",
    ask="q and k each carry the factor. What does that make of their product?",
    refused_by=FOR_V3,
)
def not_squared(config):
    scale, s = config.qk_head_dim**-0.5, config.rope_scaling
    return scale * yarn_mscale(s["factor"], s["mscale_all_dim"]) if s and s.get("mscale_all_dim") else scale


@wrong(
    SCALE,
    mistake="YaRN left the softmax alone",
    ask="Which factor does rope_scaling bring in for longer texts?",
    refused_by=FOR_V3,
)
def no_temperature(config):
    return config.qk_head_dim**-0.5


@wrong(
    SCALE,
    mistake="the key `mscale` was read instead of `mscale_all_dim`",
    ask="V3 sets both to 1, which hides it. Which of the two acts on all dimensions of q and k?",
    refused_by="the_temperature_comes_from_mscale_all_dim_and_not_from_mscale",
)
def the_other_mscale(config):
    scale, s = config.qk_head_dim**-0.5, config.rope_scaling
    return scale * yarn_mscale(s["factor"], s["mscale"]) ** 2 if s and s.get("mscale_all_dim") else scale


@wrong(
    SCALE,
    mistake="a missing mscale_all_dim meant 1",
    ask="What shall happen if rope_scaling does not name mscale_all_dim?",
    refused_by="yarn_without_mscale_all_dim_leaves_the_scale_alone",
)
def always_warm(config):
    scale, s = config.qk_head_dim**-0.5, config.rope_scaling
    return scale * yarn_mscale(s["factor"], s.get("mscale_all_dim", 1.0)) ** 2 if s else scale


@wrong(
    SCALE,
    mistake="only the dimensions without rotation were counted",
    ask="How long is the query vector whose product with a key is scaled?",
    refused_by=PLAIN,
)
def root_of_nope(config):
    scale, s = config.qk_nope_head_dim**-0.5, config.rope_scaling
    return scale * yarn_mscale(s["factor"], s["mscale_all_dim"]) ** 2 if s and s.get("mscale_all_dim") else scale


@wrong(
    SCALE,
    mistake="the scale was one over the dimensions, without a root",
    ask="By how much does the spread of a scalar product grow when the vectors get four times longer?",
    refused_by=PLAIN,
)
def without_the_root(config):
    scale, s = 1 / config.qk_head_dim, config.rope_scaling
    return scale * yarn_mscale(s["factor"], s["mscale_all_dim"]) ** 2 if s and s.get("mscale_all_dim") else scale


@wrong(
    SCALE,
    mistake="the scale was divided by the temperature's square",
    ask="Over a longer text, must attention become sharper or flatter?",
    refused_by=FOR_V3,
)
def flatter(config):
    scale, s = config.qk_head_dim**-0.5, config.rope_scaling
    return scale / yarn_mscale(s["factor"], s["mscale_all_dim"]) ** 2 if s and s.get("mscale_all_dim") else scale


@wrong(
    SCALE,
    mistake="the value's dimensions were counted",
    ask="Which vectors does the score multiply: query and key, or query and value?",
    refused_by=PLAIN,
)
def root_of_v_head_dim(config):
    scale, s = config.v_head_dim**-0.5, config.rope_scaling
    return scale * yarn_mscale(s["factor"], s["mscale_all_dim"]) ** 2 if s and s.get("mscale_all_dim") else scale


@wrong(
    SCALE,
    mistake="the temperature needed the key `mscale` too",
    ask="Which fields of rope_scaling play a part here, and which does not?",
    refused_by="the_temperature_comes_from_mscale_all_dim_and_not_from_mscale",
)
def only_with_both(config):
    scale, s = config.qk_head_dim**-0.5, config.rope_scaling
    both = s and s.get("mscale") and s.get("mscale_all_dim")
    return scale * yarn_mscale(s["factor"], s["mscale_all_dim"]) ** 2 if both else scale


@wrong(
    SCALE,
    mistake="a factor below 1 lowered the temperature",
    ask="What does yarn_mscale give for a text that is not longer?",
    refused_by="a_text_that_is_not_longer_needs_no_temperature",
)
def below_1_too(config):
    scale, s = config.qk_head_dim**-0.5, config.rope_scaling
    if s and s.get("mscale_all_dim"):
        scale *= (0.1 * s["mscale_all_dim"] * math.log(s["factor"]) + 1) ** 2
    return scale


@alternative(SCALE)
def with_math(config):
    m = 1.0
    if config.rope_scaling is not None and config.rope_scaling.get("mscale_all_dim", 0):
        s = config.rope_scaling
        m = max(1.0, 0.1 * s["mscale_all_dim"] * math.log(s["factor"]) + 1)
    return m * m / math.sqrt(config.qk_nope_head_dim + config.qk_rope_head_dim)


@alternative(SCALE)
def with_torch(config):
    s = config.rope_scaling or {}
    m = yarn_mscale(s["factor"], s["mscale_all_dim"]) if s.get("mscale_all_dim") else 1.0
    return torch.tensor(config.qk_head_dim, dtype=torch.float64).rsqrt().item() * m**2
