"""Chapter 02: mistakes that are made in the parts of a transformer, and other right ways to write them."""

import math

import torch
import torch.nn.functional as F

from minids.course.wrong import alternative, wrong
from minids.errors import MinidsError
from minids.model.sampling import check_settings

# -- RMSNorm -----------------------------------------------------------------------------------------------------------

RMS = "layers.rms_norm"


def _wide(x):
    return x.to(torch.promote_types(x.dtype, torch.float32))


@wrong(
    RMS,
    mistake="the mean were subtracted first, as in LayerNorm",
    ask="Which of LayerNorm's two statistics does the formula have?",
    refused_by="matches_a_vector_worked_by_hand",
)
def subtracts_the_mean(x, weight, eps):
    wide = _wide(x) - _wide(x).mean(-1, keepdim=True)
    return ((wide * torch.rsqrt(wide.square().mean(-1, keepdim=True) + eps)).to(x.dtype) * weight).to(x.dtype)


@wrong(
    RMS,
    mistake="the weight were left out",
    ask="After the division every vector has the same size. What lets a model change that, entry by entry?",
    refused_by="matches_a_vector_worked_by_hand",
)
def forgets_the_weight(x, weight, eps):
    return (_wide(x) * torch.rsqrt(_wide(x).square().mean(-1, keepdim=True) + eps)).to(x.dtype)


@wrong(
    RMS,
    mistake="squares were added up where their mean is wanted",
    ask="What is the size of a vector of D ones, and how does your result for it depend on D?",
    refused_by="matches_a_vector_worked_by_hand",
)
def divides_by_the_length(x, weight, eps):
    return ((_wide(x) * torch.rsqrt(_wide(x).square().sum(-1, keepdim=True) + eps)).to(x.dtype) * weight).to(x.dtype)


@wrong(
    RMS,
    mistake="no root were taken of the mean square",
    ask="If x is twice as large, what should the result be, and what is yours?",
    refused_by="matches_a_vector_worked_by_hand",
)
def forgets_the_root(x, weight, eps):
    return ((_wide(x) / (_wide(x).square().mean(-1, keepdim=True) + eps)).to(x.dtype) * weight).to(x.dtype)


@wrong(
    RMS,
    mistake="the mean were taken over all entries of x at once",
    ask="Two tokens stand in one batch. May one of them change the other's result?",
    refused_by="every_vector_along_the_last_axis_is_scaled_by_itself",
)
def one_mean_for_everything(x, weight, eps):
    return ((_wide(x) * torch.rsqrt(_wide(x).square().mean() + eps)).to(x.dtype) * weight).to(x.dtype)


@wrong(
    RMS,
    mistake="eps were added to the root, not under it",
    ask="With mean square 0 and eps = 1e-6, what do you divide by: 1e-6 or 1e-3?",
    refused_by="eps_stands_inside_the_root",
)
def eps_outside_the_root(x, weight, eps):
    return ((_wide(x) / (_wide(x).square().mean(-1, keepdim=True).sqrt() + eps)).to(x.dtype) * weight).to(x.dtype)


@wrong(
    RMS,
    mistake="eps were left out",
    ask="What is your result for a vector of zeros?",
    refused_by="eps_stands_inside_the_root",
)
def forgets_eps(x, weight, eps):
    return ((_wide(x) * torch.rsqrt(_wide(x).square().mean(-1, keepdim=True))).to(x.dtype) * weight).to(x.dtype)


@wrong(
    RMS,
    mistake="squares were taken in the precision of x",
    ask="What is the largest number that float16 knows, and how large is the square of 400?",
    refused_by="half_precision_stays_half_precision_and_does_not_overflow",
)
def squares_in_half_precision(x, weight, eps):
    return (x * torch.rsqrt(x.square().mean(-1, keepdim=True) + eps) * weight).to(x.dtype)


@wrong(
    RMS,
    mistake="the result stayed in float32 when x is in half precision",
    ask="Which dtype does the next layer expect?",
    refused_by="half_precision_stays_half_precision_and_does_not_overflow",
)
def leaves_float32(x, weight, eps):
    wide = _wide(x)
    return wide * torch.rsqrt(wide.square().mean(-1, keepdim=True) + eps) * _wide(weight)


@wrong(
    RMS,
    mistake="the root mean square were a constant for the gradient",
    ask="Does x change what it is divided by? Is something detached, or inside no_grad?",
    refused_by="gradients_are_those_of_the_formula",
)
def detaches_the_statistic(x, weight, eps):
    wide = _wide(x)
    return ((wide * torch.rsqrt(wide.detach().square().mean(-1, keepdim=True) + eps)).to(x.dtype) * weight).to(x.dtype)


@alternative(RMS)
def as_the_hints_say(x, weight, eps):
    return (_wide(x) * torch.rsqrt(_wide(x).square().mean(-1, keepdim=True) + eps)).to(x.dtype) * weight


@alternative(RMS)
def in_float32_throughout(x, weight, eps):
    wide = x.float()
    return (weight.float() * wide / torch.sqrt((wide**2).mean(-1, keepdim=True) + eps)).to(x.dtype)


@alternative(RMS)
def with_vector_norm(x, weight, eps):
    size = torch.linalg.vector_norm(_wide(x), dim=-1, keepdim=True)
    return ((_wide(x) / torch.sqrt(size**2 / x.shape[-1] + eps)).type_as(x) * weight).type_as(x)


@alternative(RMS)
def weight_before_rounding(x, weight, eps):
    wide = _wide(x)
    mean = torch.einsum("...d,...d->...", wide, wide)[..., None] / x.shape[-1]
    return (wide * (mean + eps) ** -0.5 * weight).to(x.dtype)


@alternative(RMS)
def torch_has_it(x, weight, eps):
    return F.rms_norm(_wide(x), x.shape[-1:], _wide(weight), eps).to(x.dtype)


# -- RoPE --------------------------------------------------------------------------------------------------------------

ROPE = "layers.rope"


def _pairs(x, interleave):
    return (x[..., 0::2], x[..., 1::2]) if interleave else x.chunk(2, dim=-1)


@wrong(
    ROPE,
    mistake="every pair were turned the other way, by -angle",
    ask="A quarter turn of (1, 0) should give (0, 1). What does yours give?",
    refused_by="quarter_and_half_turns_are_as_worked_by_hand",
)
def turns_backwards(x, cos, sin, interleave=True):
    a, b = _pairs(x, interleave)
    return torch.cat([a * cos + b * sin, b * cos - a * sin], dim=-1)


@wrong(
    ROPE,
    mistake="both sines had the same sign",
    ask="Is the length of (1, 1) still the square root of 2 after a turn by 45 degrees?",
    refused_by="quarter_and_half_turns_are_as_worked_by_hand",
)
def adds_both_times(x, cos, sin, interleave=True):
    a, b = _pairs(x, interleave)
    return torch.cat([a * cos + b * sin, b * cos + a * sin], dim=-1)


@wrong(
    ROPE,
    mistake="the second half of each pair were computed from the first half after its turn",
    ask="Both new numbers need both old ones. Is one of the old ones gone when you use it?",
    refused_by="quarter_and_half_turns_are_as_worked_by_hand",
)
def uses_the_new_first(x, cos, sin, interleave=True):
    a, b = _pairs(x, interleave)
    a = a * cos - b * sin
    return torch.cat([a, b * cos + a * sin], dim=-1)


@wrong(
    ROPE,
    mistake="the turned pairs were written back to where they came from",
    ask="The docstring says in which order the result stands. Where does the second number of the first pair go?",
    refused_by="quarter_and_half_turns_are_as_worked_by_hand",
)
def writes_pairs_back(x, cos, sin, interleave=True):
    a, b = _pairs(x, interleave)
    a, b = a * cos - b * sin, b * cos + a * sin
    return torch.stack([a, b], dim=-1).flatten(-2) if interleave else torch.cat([a, b], dim=-1)


@wrong(
    ROPE,
    mistake="neighbours were always the pairs, whatever `interleave` says",
    ask="What does the pair of entry 0 have as its index when `interleave` is False and R is 6?",
    refused_by="entries_half_a_vector_apart_are_pairs_when_not_interleaved",
)
def ignores_interleave(x, cos, sin, interleave=True):
    a, b = x[..., 0::2], x[..., 1::2]
    return torch.cat([a * cos - b * sin, b * cos + a * sin], dim=-1)


@wrong(
    ROPE,
    mistake="the pairs were (i, i + R/2) also when `interleave` is True",
    ask="DeepSeek's weights hold pairs side by side. Which entries of x are then the firsts?",
    refused_by="neighbours_are_pairs_when_interleaved",
)
def always_halves(x, cos, sin, interleave=True):
    a, b = x.chunk(2, dim=-1)
    return torch.cat([a * cos - b * sin, b * cos + a * sin], dim=-1)


@wrong(
    ROPE,
    mistake="`interleave` meant its opposite",
    ask="Which of the two branches takes every second entry?",
    refused_by="neighbours_are_pairs_when_interleaved",
)
def interleave_the_other_way(x, cos, sin, interleave=True):
    a, b = _pairs(x, not interleave)
    return torch.cat([a * cos - b * sin, b * cos + a * sin], dim=-1)


@wrong(
    ROPE,
    mistake="only the cosine were applied",
    ask="A turn mixes the two numbers of a pair. What does a quarter turn leave of (1, 0)?",
    refused_by="quarter_and_half_turns_are_as_worked_by_hand",
)
def only_cosines(x, cos, sin, interleave=True):
    a, b = _pairs(x, interleave)
    return torch.cat([a * cos, b * cos], dim=-1)


@wrong(
    ROPE,
    mistake="the result held the seconds of all pairs before the firsts",
    ask="Of (a, b), which of the two new numbers comes first?",
    refused_by="quarter_and_half_turns_are_as_worked_by_hand",
)
def seconds_first(x, cos, sin, interleave=True):
    a, b = _pairs(x, interleave)
    return torch.cat([b * cos + a * sin, a * cos - b * sin], dim=-1)


@wrong(
    ROPE,
    mistake="x itself were overwritten",
    ask="Slices of x are views of x. Who else holds that tensor?",
    refused_by="quarter_and_half_turns_are_as_worked_by_hand",
)
def overwrites_x(x, cos, sin, interleave=True):
    a, b = _pairs(x, interleave)
    turned = torch.cat([a * cos - b * sin, b * cos + a * sin], dim=-1)
    if x.requires_grad:
        return turned
    return x.copy_(turned)


@wrong(
    ROPE,
    mistake="x had the shape of the result",
    ask="One vector and four angles: how many vectors come back, and how many fit into empty_like(x)?",
    refused_by="one_vector_turns_to_many_positions",
)
def into_the_shape_of_x(x, cos, sin, interleave=True):
    (a, b), out, half = _pairs(x, interleave), torch.empty_like(x), x.shape[-1] // 2
    out[..., :half] = a * cos - b * sin
    out[..., half:] = b * cos + a * sin
    return out


@wrong(
    ROPE,
    mistake="the sine followed from the cosine",
    ask="sin^2 + cos^2 = 1: which sign has the root? And is it true of YaRN's longer ones?",
    refused_by="cos_and_sin_are_taken_as_they_are",
)
def sine_from_cosine(x, cos, sin, interleave=True):
    a, b = _pairs(x, interleave)
    sin = (1 - cos.square()).clamp(min=0).sqrt()
    return torch.cat([a * cos - b * sin, b * cos + a * sin], dim=-1)


@alternative(ROPE)
def pair_by_pair_in_float32(x, cos, sin, interleave=True):
    n, dtype = x.shape[-1] // 2, torch.promote_types(x.dtype, cos.dtype)
    x, cos, sin = x.float(), cos.float(), sin.float()
    firsts, seconds = [], []
    for i in range(n):
        a, b = (x[..., 2 * i], x[..., 2 * i + 1]) if interleave else (x[..., i], x[..., i + n])
        firsts.append(a * cos[..., i] - b * sin[..., i])
        seconds.append(b * cos[..., i] + a * sin[..., i])
    return torch.stack(firsts + seconds, dim=-1).to(dtype)


@alternative(ROPE)
def by_complex_numbers(x, cos, sin, interleave=True):
    a, b = _pairs(_wide(x), interleave)
    turned = torch.complex(a, b) * torch.complex(_wide(cos), _wide(sin))
    return torch.cat([turned.real, turned.imag], dim=-1).to(x.dtype)


@alternative(ROPE)
def by_rotation_matrices(x, cos, sin, interleave=True):
    pairs = torch.stack(_pairs(x, interleave), dim=-1)
    matrix = torch.stack([torch.stack([cos, -sin], -1), torch.stack([sin, cos], -1)], -2)
    return (matrix @ pairs[..., None]).squeeze(-1).transpose(-1, -2).flatten(-2)


@alternative(ROPE)
def rotate_half(x, cos, sin, interleave=True):
    if interleave:
        x = x.unflatten(-1, (-1, 2)).transpose(-1, -2).flatten(-2)
    half = x.shape[-1] // 2
    swapped = torch.cat([-x[..., half:], x[..., :half]], dim=-1)
    return x * torch.cat([cos, cos], -1) + swapped * torch.cat([sin, sin], -1)


# -- SwiGLU ------------------------------------------------------------------------------------------------------------

SWIGLU = "layers.swiglu"


@wrong(
    SWIGLU,
    mistake="gate and up had changed places",
    ask="Which of the two goes through the sigmoid?",
    refused_by="matches_numbers_worked_by_hand",
)
def swaps_the_two(gate, up):
    return gate * up * torch.sigmoid(up)


@wrong(
    SWIGLU,
    mistake="the gate were only a sigmoid, as in the GLU of 2016",
    ask="silu(z) is z times something. Where is that z?",
    refused_by="matches_numbers_worked_by_hand",
)
def plain_glu(gate, up):
    return torch.sigmoid(gate) * up


@wrong(
    SWIGLU,
    mistake="up were left out",
    ask="What is the second matrix product for?",
    refused_by="matches_numbers_worked_by_hand",
)
def forgets_up(gate, up):
    return F.silu(gate)


@wrong(
    SWIGLU,
    mistake="the two were added",
    ask="What should come out where the gate is shut?",
    refused_by="matches_numbers_worked_by_hand",
)
def adds_them(gate, up):
    return F.silu(gate) + up


@wrong(
    SWIGLU,
    mistake="the gate were a ReLU (ReGLU)",
    ask="What is silu(-ln 3)? Is it 0?",
    refused_by="matches_numbers_worked_by_hand",
)
def with_relu(gate, up):
    return F.relu(gate) * up


@wrong(
    SWIGLU,
    mistake="the gate were a GELU (GEGLU)",
    ask="Which function is called Swish, or SiLU?",
    refused_by="matches_numbers_worked_by_hand",
)
def with_gelu(gate, up):
    return F.gelu(gate) * up


@wrong(
    SWIGLU,
    mistake="silu were applied to both",
    ask="Which of the two products should stay linear?",
    refused_by="matches_numbers_worked_by_hand",
)
def both_through_silu(gate, up):
    return F.silu(gate) * F.silu(up)


@wrong(
    SWIGLU,
    mistake="the sigmoid were exp(z) / (1 + exp(z))",
    ask="What is exp(200) in float32? Is there another form of the sigmoid, or a function of torch?",
    refused_by="far_from_zero_it_is_a_gate_that_is_open_or_shut",
)
def overflows(gate, up):
    return gate * (gate.exp() / (1 + gate.exp())) * up


@wrong(
    SWIGLU,
    mistake="the gate were a constant for the gradient",
    ask="Is something detached, or inside no_grad?",
    refused_by="gradients_reach_gate_and_up",
)
def detaches_the_gate(gate, up):
    return gate * torch.sigmoid(gate).detach() * up


@wrong(
    SWIGLU,
    mistake="gate were overwritten by its silu",
    ask="Functions whose names end in _ change their tensor. Which one do you use?",
    refused_by="matches_numbers_worked_by_hand",
)
def overwrites_gate(gate, up):
    if gate.requires_grad:
        return F.silu(gate) * up
    return gate.mul_(torch.sigmoid(gate)) * up


@wrong(
    SWIGLU,
    mistake="exp(-z) were never infinite",
    ask="z / (1 + exp(-z)) is 0 for z = -200, as it should be. And its gradient, where exp(200) is infinite?",
    refused_by="gradients_stay_finite_far_from_zero",
)
def gradient_overflows(gate, up):
    return gate / (1 + torch.exp(-gate)) * up


@wrong(
    SWIGLU,
    mistake="the result stayed in float32 when gate and up are in half precision",
    ask="Which dtype does the next matrix expect?",
    refused_by="half_precision_stays_half_precision",
)
def leaves_float32_there(gate, up):
    return F.silu(_wide(gate)) * _wide(up)


@alternative(SWIGLU)
def in_float32_and_back(gate, up):
    return (gate.float() * torch.sigmoid(gate.float()) * up.float()).to(gate.dtype)


@alternative(SWIGLU)
def torch_s_silu(gate, up):
    return F.silu(gate) * up


@alternative(SWIGLU)
def with_tanh(gate, up):
    return up * gate * 0.5 * (1 + torch.tanh(gate / 2))


@alternative(SWIGLU)
def as_a_glu(gate, up):
    return F.glu(torch.cat([up * gate, gate], dim=-1), dim=-1)


# -- causal attention --------------------------------------------------------------------------------------------------

ATTEND = "attention.attend"


def _causal(scores):
    return torch.ones(scores.shape[-2:], dtype=torch.bool).tril()


def _mix(scores, mask, v):
    scores = scores.masked_fill(~(_causal(scores) if mask is None else mask), float("-inf"))
    return scores.softmax(-1, dtype=torch.promote_types(scores.dtype, torch.float32)).to(v.dtype) @ v


@wrong(
    ATTEND,
    mistake="every position saw the whole text when no mask is given",
    ask="What is `mask is None` supposed to mean? What could a model learn that sees the next token?",
    refused_by="equal_scores_give_the_mean_of_what_was_seen",
)
def sees_the_future(q, k, v, scale, mask=None):
    scores = q @ k.mT * scale
    return _mix(scores, torch.ones_like(scores, dtype=torch.bool) if mask is None else mask, v)


@wrong(
    ATTEND,
    mistake="position t saw 0 … t + 1",
    ask="Is the token that position t has to predict among them?",
    refused_by="equal_scores_give_the_mean_of_what_was_seen",
)
def sees_one_ahead(q, k, v, scale, mask=None):
    scores = q @ k.mT * scale
    if mask is None:
        mask = torch.ones(scores.shape[-2:], dtype=torch.bool).tril(1)
    return _mix(scores, mask, v)


@wrong(
    ATTEND,
    mistake="position t did not see itself",
    ask="Whom can position 0 look at, then?",
    refused_by="equal_scores_give_the_mean_of_what_was_seen",
)
def not_itself(q, k, v, scale, mask=None):
    scores = q @ k.mT * scale
    if mask is None:
        mask = torch.ones(scores.shape[-2:], dtype=torch.bool).tril(-1)
    return _mix(scores, mask, v)


@wrong(
    ATTEND,
    mistake="the weights summed to 1 over the queries, not over the keys",
    ask="Along which axis of [B, H, T, S] does one query's row of weights lie?",
    refused_by="equal_scores_give_the_mean_of_what_was_seen",
)
def softmax_over_queries(q, k, v, scale, mask=None):
    scores = q @ k.mT * scale
    scores = scores.masked_fill(~(_causal(scores) if mask is None else mask), float("-inf"))
    return scores.softmax(-2).nan_to_num().to(v.dtype) @ v


@wrong(
    ATTEND,
    mistake="what may not be seen were set to 0 after the softmax, and the rest not scaled up again",
    ask="Do the weights of position 0 still sum to 1?",
    refused_by="equal_scores_give_the_mean_of_what_was_seen",
)
def masks_after_softmax(q, k, v, scale, mask=None):
    scores = q @ k.mT * scale
    mask = _causal(scores) if mask is None else mask
    return scores.softmax(-1).masked_fill(~mask, 0.0).to(v.dtype) @ v


@wrong(
    ATTEND,
    mistake="what may not be seen got the score 0",
    ask="What weight does a score of 0 become: exp(0) = ?",
    refused_by="equal_scores_give_the_mean_of_what_was_seen",
)
def score_zero_for_the_hidden(q, k, v, scale, mask=None):
    scores = q @ k.mT * scale
    scores = scores * (_causal(scores) if mask is None else mask)
    return scores.softmax(-1, dtype=torch.promote_types(scores.dtype, torch.float32)).to(v.dtype) @ v


@wrong(
    ATTEND,
    mistake="True in the mask meant hidden",
    ask="The docstring says what True means. Which entries do you fill?",
    refused_by="a_mask_says_who_may_be_seen",
)
def mask_upside_down(q, k, v, scale, mask=None):
    return _mix(q @ k.mT * scale, None if mask is None else ~mask, v)


@wrong(
    ATTEND,
    mistake="the mask that is given were ignored",
    ask="What happens in your code when `mask` is not None?",
    refused_by="a_mask_says_who_may_be_seen",
)
def ignores_the_mask(q, k, v, scale, mask=None):
    return _mix(q @ k.mT * scale, None, v)


@wrong(
    ATTEND,
    mistake="a mask that is given were made causal on top",
    ask="With a cache, T new tokens look at S > T columns. Which columns does tril leave to the first of them?",
    refused_by="a_mask_says_who_may_be_seen",
)
def causal_on_top(q, k, v, scale, mask=None):
    scores = q @ k.mT * scale
    if mask is not None:
        mask = mask & _causal(scores)
        mask = mask | ~mask.any(-1, keepdim=True)
    return _mix(scores, mask, v)


@wrong(
    ATTEND,
    mistake="the scale were 1 / sqrt(E), not the one that is given",
    ask="Where is the argument `scale` in your code?",
    refused_by="without_a_mask_position_t_sees_0_to_t",
)
def scale_of_its_own(q, k, v, scale, mask=None):
    return _mix(q @ k.mT / math.sqrt(q.shape[-1]), mask, v)


@wrong(
    ATTEND,
    mistake="scores were divided by the scale",
    ask="softmax(scale q k^T): does a scale below 1 make scores smaller or larger?",
    refused_by="without_a_mask_position_t_sees_0_to_t",
)
def divides_by_the_scale(q, k, v, scale, mask=None):
    return _mix(q @ k.mT / scale, mask, v)


@wrong(
    ATTEND,
    mistake="exp were taken of the scores as they are",
    ask="exp(1000) is infinite. What may be subtracted from a row of scores without changing its softmax?",
    refused_by="large_scores_do_not_overflow",
)
def exp_overflows(q, k, v, scale, mask=None):
    scores = q @ k.mT * scale
    weights = scores.exp() * (_causal(scores) if mask is None else mask)
    return (weights / weights.sum(-1, keepdim=True)).to(v.dtype) @ v


@wrong(
    ATTEND,
    mistake="the result stayed in float32 when v is in half precision",
    ask="The softmax may be wide; which dtype does the result have?",
    refused_by="half_precision_comes_back_as_half_precision",
)
def leaves_float32_behind(q, k, v, scale, mask=None):
    return _mix(_wide(q) @ _wide(k).mT * scale, mask, _wide(v))


@wrong(
    ATTEND,
    mistake="q were multiplied by the scale in place",
    ask="Operators such as *= change their tensor. What does the caller find in q afterwards?",
    refused_by="without_a_mask_position_t_sees_0_to_t",
)
def scales_q_in_place(q, k, v, scale, mask=None):
    if q.requires_grad:
        return _mix(q @ k.mT * scale, mask, v)
    q *= scale
    return _mix(q @ k.mT, mask, v)


@wrong(
    ATTEND,
    mistake="-100 were low enough for what is hidden",
    ask="All that may be seen scores -20,000. Which of -20,000 and -100 does softmax prefer?",
    refused_by="what_is_hidden_has_no_weight_however_low_the_rest_scores",
)
def a_low_score_for_the_hidden(q, k, v, scale, mask=None):
    scores = q @ k.mT * scale
    scores = scores.masked_fill(~(_causal(scores) if mask is None else mask), -100.0)
    return scores.softmax(-1, dtype=torch.promote_types(scores.dtype, torch.float32)).to(v.dtype) @ v


@alternative(ATTEND)
def softmax_in_float32_for_everything(q, k, v, scale, mask=None):
    scores = q @ k.transpose(-2, -1) * scale
    if mask is None:
        mask = _causal(scores)
    return scores.masked_fill(~mask, float("-inf")).softmax(-1, dtype=torch.float32).to(v.dtype) @ v


@alternative(ATTEND)
def torch_s_kernel(q, k, v, scale, mask=None):
    return F.scaled_dot_product_attention(q, k, v, attn_mask=mask, is_causal=mask is None, scale=scale)


@alternative(ATTEND)
def einsum_and_added_mask(q, k, v, scale, mask=None):
    scores = torch.einsum("bhte,bhse->bhts", _wide(q) * scale, _wide(k))
    if mask is None:
        hidden = torch.full(scores.shape[-2:], float("-inf"), dtype=scores.dtype).triu(1)
    else:
        hidden = torch.zeros(mask.shape, dtype=scores.dtype).masked_fill(~mask, float("-inf"))
    return torch.einsum("bhts,bhsv->bhtv", (scores + hidden).softmax(-1), _wide(v)).to(v.dtype)


@alternative(ATTEND)
def position_by_position(q, k, v, scale, mask=None):
    rows = []
    for t in range(q.shape[2]):
        scores = _wide(q[:, :, t : t + 1]) @ _wide(k).mT * scale
        if mask is None:
            scores = scores[..., : t + 1]
        else:
            scores = scores.masked_fill(~mask[:, :, t : t + 1], float("-inf"))
        weights = (scores - scores.amax(-1, keepdim=True)).exp()
        weights = weights / weights.sum(-1, keepdim=True)
        rows.append((weights @ _wide(v[:, :, : weights.shape[-1]])).to(v.dtype))
    return torch.cat(rows, dim=2)


# -- sampling ----------------------------------------------------------------------------------------------------------

FILTER = "sampling.filter"
INF = float("inf")


def _top_k(logits, top_k):
    if 0 < top_k < logits.shape[-1]:
        kth = logits.detach().topk(top_k, dim=-1).values[..., -1:]
        logits = logits.masked_fill(logits < kth, -INF)
    return logits


def _top_p(logits, top_p):
    if top_p >= 1:
        return logits
    ordered, index = logits.detach().sort(dim=-1, descending=True)
    probs = ordered.softmax(-1)
    drop = probs.cumsum(-1) - probs >= top_p
    return logits.masked_fill(torch.zeros_like(drop).scatter(-1, index, drop), -INF)


@wrong(
    FILTER,
    mistake="one token too many stayed after top-k",
    ask="Which index has the k-th of a sorted row?",
    refused_by="top_k_keeps_the_k_largest_as_they_are",
)
def keeps_one_more(logits, top_k=0, top_p=1.0):
    check_settings(1.0, top_k, top_p)
    return _top_p(_top_k(logits, top_k + 1 if top_k else 0), top_p)


@wrong(
    FILTER,
    mistake="exactly k tokens stayed, also where several tie with the k-th",
    ask="The docstring says what happens to ties. Do you compare indices, or values?",
    refused_by="a_tie_with_the_kth_stays",
)
def breaks_ties(logits, top_k=0, top_p=1.0):
    check_settings(1.0, top_k, top_p)
    if 0 < top_k < logits.shape[-1]:
        index = logits.detach().sort(dim=-1, descending=True, stable=True).indices[..., :top_k]
        keep = torch.zeros_like(logits, dtype=torch.bool).scatter(-1, index, True)
        logits = logits.masked_fill(~keep, -INF)
    return _top_p(logits, top_p)


@wrong(
    FILTER,
    mistake="the nucleus ended before the token that reaches p",
    ask="With probabilities 0.5 and 0.25 and p = 0.6: do the tokens that you keep sum to 0.6?",
    refused_by="top_p_keeps_the_fewest_that_reach_p",
)
def stops_short(logits, top_k=0, top_p=1.0):
    check_settings(1.0, top_k, top_p)
    logits = _top_k(logits, top_k)
    if top_p < 1:
        ordered, index = logits.detach().sort(dim=-1, descending=True)
        drop = ordered.softmax(-1).cumsum(-1) > top_p
        logits = logits.masked_fill(torch.zeros_like(drop).scatter(-1, index, drop), -INF)
    return logits


@wrong(
    FILTER,
    mistake="probabilities were added up in the order of the vocabulary",
    ask="A nucleus holds the most probable tokens. Where do you sort?",
    refused_by="top_p_keeps_the_fewest_that_reach_p",
)
def does_not_sort(logits, top_k=0, top_p=1.0):
    check_settings(1.0, top_k, top_p)
    logits = _top_k(logits, top_k)
    if top_p < 1:
        probs = logits.detach().softmax(-1)
        logits = logits.masked_fill(probs.cumsum(-1) - probs >= top_p, -INF)
    return logits


@wrong(
    FILTER,
    mistake="the decision were made in sorted order and applied to unsorted logits",
    ask="drop[0] speaks of the most probable token. Which token is logits[0]?",
    refused_by="top_p_keeps_the_fewest_that_reach_p",
)
def forgets_to_scatter(logits, top_k=0, top_p=1.0):
    check_settings(1.0, top_k, top_p)
    logits = _top_k(logits, top_k)
    if top_p < 1:
        probs = logits.detach().sort(dim=-1, descending=True).values.softmax(-1)
        logits = logits.masked_fill(probs.cumsum(-1) - probs >= top_p, -INF)
    return logits


@wrong(
    FILTER,
    mistake="the least probable tokens were kept by top-p",
    ask="In which direction do you sort?",
    refused_by="top_p_keeps_the_fewest_that_reach_p",
)
def keeps_the_tail(logits, top_k=0, top_p=1.0):
    check_settings(1.0, top_k, top_p)
    logits = _top_k(logits, top_k)
    if top_p < 1:
        ordered, index = logits.detach().sort(dim=-1)
        probs = ordered.softmax(-1)
        drop = probs.cumsum(-1) - probs >= top_p
        logits = logits.masked_fill(torch.zeros_like(drop).scatter(-1, index, drop), -INF)
    return logits


@wrong(
    FILTER,
    mistake="the nucleus were taken before top-k, from the whole distribution",
    ask="After top-k the probabilities of what is left are larger. Which of them does top-p add up?",
    refused_by="the_nucleus_is_taken_among_the_k_best",
)
def nucleus_first(logits, top_k=0, top_p=1.0):
    check_settings(1.0, top_k, top_p)
    return _top_k(_top_p(logits, top_p), top_k)


@wrong(
    FILTER,
    mistake="what is cut off got the logit 0",
    ask="Which probability does a logit of 0 have beside one of -2?",
    refused_by="top_k_keeps_the_k_largest_as_they_are",
)
def fills_with_zero(logits, top_k=0, top_p=1.0):
    check_settings(1.0, top_k, top_p)
    return _top_p(_top_k(logits, top_k), top_p).masked_fill(_top_p(_top_k(logits, top_k), top_p) == -INF, 0.0)


@wrong(
    FILTER,
    mistake="log-probabilities came back, not the logits that were kept",
    ask="Is what is kept still the number that came in?",
    refused_by="top_k_keeps_the_k_largest_as_they_are",
)
def normalises(logits, top_k=0, top_p=1.0):
    check_settings(1.0, top_k, top_p)
    return _top_p(_top_k(logits, top_k), top_p).log_softmax(-1)


@wrong(
    FILTER,
    mistake="one threshold served all rows",
    ask="Two prompts share a batch. Whose k-th largest logit is it?",
    refused_by="every_row_is_cut_by_itself",
)
def one_threshold(logits, top_k=0, top_p=1.0):
    check_settings(1.0, top_k, top_p)
    if 0 < top_k < logits.shape[-1]:
        logits = logits.masked_fill(logits < logits.detach().flatten().topk(top_k).values[-1], -INF)
    return _top_p(logits, top_p)


@wrong(
    FILTER,
    mistake="the logits that came in were overwritten",
    ask="Does an indexed assignment, or a function ending in _, make a new tensor?",
    refused_by="top_k_keeps_the_k_largest_as_they_are",
)
def overwrites_logits(logits, top_k=0, top_p=1.0):
    check_settings(1.0, top_k, top_p)
    cut = _top_p(_top_k(logits, top_k), top_p)
    return cut if logits.requires_grad else logits.copy_(cut)


@wrong(
    FILTER,
    mistake="any setting were accepted",
    ask="Which function of this module says what settings make sense?",
    refused_by="impossible_settings_are_refused",
)
def refuses_nothing(logits, top_k=0, top_p=1.0):
    return _top_p(_top_k(logits, max(top_k, 0)), top_p)


@alternative(FILTER)
def sorted_from_the_top(logits, top_k=0, top_p=1.0):
    check_settings(1.0, top_k, top_p)
    return _top_p(_top_k(logits, top_k), top_p)


@alternative(FILTER)
def row_by_row(logits, top_k=0, top_p=1.0):
    if top_k < 0 or not 0 < top_p <= 1:
        raise MinidsError("top_k or top_p is out of range")
    keep = torch.ones_like(logits, dtype=torch.bool)
    for row, kept in zip(logits.detach().reshape(-1, logits.shape[-1]), keep.view(-1, logits.shape[-1])):
        if top_k:
            kept &= row >= row.sort(descending=True).values[:top_k][-1]
        if top_p < 1:
            probs, reached = torch.where(kept, row, -INF).softmax(-1), 0.0
            for token in probs.argsort(descending=True).tolist():
                kept[token] &= reached < top_p
                reached += float(probs[token])
    return torch.where(keep, logits, -INF)


@wrong(
    FILTER,
    mistake="all that ties with the last token of the nucleus stayed",
    ask="Four equal tokens and p = 0.3: how many of them does the smallest set hold?",
    refused_by="of_four_equal_tokens_no_more_stay_than_needed",
)
def by_a_smallest_logit(logits, top_k=0, top_p=1.0):
    check_settings(1.0, top_k, top_p)
    logits = _top_k(logits, top_k)
    if top_p < 1:
        ordered = logits.detach().sort(dim=-1, descending=True).values
        count = (ordered.softmax(-1).cumsum(-1) < top_p).sum(-1, keepdim=True)
        smallest = ordered.gather(-1, count.clamp(max=logits.shape[-1] - 1))
        logits = torch.where(logits >= smallest, logits, -INF)
    return logits


@wrong(
    FILTER,
    mistake="a top_p of 1 had to be summed up to",
    ask="A token of probability 1e-20: what is the rounded sum of those before it, and is 1.0 off?",
    refused_by="off_means_off",
)
def never_off(logits, top_k=0, top_p=1.0):
    check_settings(1.0, top_k, top_p)
    return _top_p(_top_k(logits, top_k), min(top_p, 1 - 2**-24))


@wrong(
    FILTER,
    mistake="rounding could never leave a row empty",
    ask="What is 1 - 1e-8 in float32? Which token is promised to stay?",
    refused_by="the_best_token_always_stays",
)
def may_drop_the_best(logits, top_k=0, top_p=1.0):
    check_settings(1.0, top_k, top_p)
    logits = _top_k(logits, top_k)
    if top_p < 1:
        ordered, index = logits.detach().sort(dim=-1)
        drop = ordered.softmax(-1).cumsum(-1) <= 1 - top_p
        logits = logits.masked_fill(torch.zeros_like(drop).scatter(-1, index, drop), -INF)
    return logits


@alternative(FILTER)
def by_ranks(logits, top_k=0, top_p=1.0):
    check_settings(1.0, top_k, top_p)
    logits = _top_k(logits, top_k)
    if top_p < 1:
        order = logits.detach().argsort(dim=-1, descending=True)
        sums = logits.detach().double().gather(-1, order).softmax(-1).cumsum(-1)
        keep = 1 + (sums < top_p).sum(-1, keepdim=True)
        logits = torch.where(order.argsort(dim=-1) < keep, logits, -INF)
    return logits


# -- the cache ---------------------------------------------------------------------------------------------------------

STORE = "attention.cache"


def _refuse(data, end):
    if end > data.shape[1]:
        raise ValueError(f"the cache holds {data.shape[1]} tokens a row, {end} were asked for")


@wrong(
    STORE,
    mistake="only the new columns came back",
    ask="What does attention need: the new keys, or all of them?",
    refused_by="new_columns_stand_behind_those_in_use",
)
def returns_the_new(data_BSC, length, new_BTC):
    _refuse(data_BSC, length + new_BTC.shape[1])
    data_BSC[:, length : length + new_BTC.shape[1]] = new_BTC
    return data_BSC[:, length : length + new_BTC.shape[1]]


@wrong(
    STORE,
    mistake="the whole storage came back, its unused columns too",
    ask="How many columns are in use after the call?",
    refused_by="new_columns_stand_behind_those_in_use",
)
def returns_everything(data_BSC, length, new_BTC):
    _refuse(data_BSC, length + new_BTC.shape[1])
    data_BSC[:, length : length + new_BTC.shape[1]] = new_BTC
    return data_BSC


@wrong(
    STORE,
    mistake="the new columns were joined to the old ones without being written",
    ask="The next call gets the same storage. What does it find there?",
    refused_by="the_storage_itself_is_written",
)
def does_not_write(data_BSC, length, new_BTC):
    _refuse(data_BSC, length + new_BTC.shape[1])
    return torch.cat([data_BSC[:, :length], new_BTC], dim=1)


@wrong(
    STORE,
    mistake="new columns were always written at the beginning",
    ask="Where is `length` in your slice?",
    refused_by="new_columns_stand_behind_those_in_use",
)
def writes_at_the_beginning(data_BSC, length, new_BTC):
    _refuse(data_BSC, length + new_BTC.shape[1])
    data_BSC[:, : new_BTC.shape[1]] = new_BTC
    return data_BSC[:, : length + new_BTC.shape[1]]


@wrong(
    STORE,
    mistake="new columns were written at the end of the storage",
    ask="Which column comes after the `length` that are in use?",
    refused_by="new_columns_stand_behind_those_in_use",
)
def writes_at_the_end(data_BSC, length, new_BTC):
    _refuse(data_BSC, length + new_BTC.shape[1])
    data_BSC[:, data_BSC.shape[1] - new_BTC.shape[1] :] = new_BTC
    return data_BSC[:, : length + new_BTC.shape[1]]


@wrong(
    STORE,
    mistake="the last column in use were overwritten",
    ask="With 2 columns in use, which index is free first?",
    refused_by="new_columns_stand_behind_those_in_use",
)
def one_column_early(data_BSC, length, new_BTC):
    _refuse(data_BSC, length + new_BTC.shape[1])
    first = max(length - 1, 0)
    data_BSC[:, first : first + new_BTC.shape[1]] = new_BTC
    return data_BSC[:, : first + new_BTC.shape[1]]


@wrong(
    STORE,
    mistake="new columns were added to what stood there",
    ask="The storage is not always zero: `truncate` forgets columns without wiping them. What do you do to them?",
    refused_by="what_was_forgotten_is_written_over",
)
def adds_to_what_is_there(data_BSC, length, new_BTC):
    _refuse(data_BSC, length + new_BTC.shape[1])
    data_BSC[:, length : length + new_BTC.shape[1]] += new_BTC
    return data_BSC[:, : length + new_BTC.shape[1]]


@wrong(
    STORE,
    mistake="the oldest columns were dropped when the storage is full",
    ask="What does the docstring promise when there is no room?",
    refused_by="a_full_cache_refuses_and_stays_as_it_was",
)
def drops_the_oldest(data_BSC, length, new_BTC):
    end = length + new_BTC.shape[1]
    if end > data_BSC.shape[1]:
        data_BSC.copy_(torch.cat([data_BSC[:, :length], new_BTC], dim=1)[:, -data_BSC.shape[1] :])
        return data_BSC
    data_BSC[:, length:end] = new_BTC
    return data_BSC[:, :end]


@wrong(
    STORE,
    mistake="what did not fit were silently left out",
    ask="A slice beyond the end is shorter, not an error. Who tells the caller that tokens are missing?",
    refused_by="a_full_cache_refuses_and_stays_as_it_was",
)
def cuts_what_does_not_fit(data_BSC, length, new_BTC):
    room = data_BSC.shape[1] - length
    data_BSC[:, length : length + new_BTC.shape[1]] = new_BTC[:, :room]
    return data_BSC[:, : length + new_BTC.shape[1]]


@wrong(
    STORE,
    mistake="the last column could not be used",
    ask="Four columns, one in use, three new ones: is that too many?",
    refused_by="the_last_column_can_be_used",
)
def refuses_too_early(data_BSC, length, new_BTC):
    _refuse(data_BSC, length + new_BTC.shape[1] + 1)
    data_BSC[:, length : length + new_BTC.shape[1]] = new_BTC
    return data_BSC[:, : length + new_BTC.shape[1]]


@wrong(
    STORE,
    mistake="it had written before it noticed that there is no room",
    ask="In which order do the check and the first assignment stand?",
    refused_by="a_full_cache_refuses_and_stays_as_it_was",
)
def writes_before_it_refuses(data_BSC, length, new_BTC):
    for t in range(new_BTC.shape[1]):
        data_BSC[:, length + t] = new_BTC[:, t]
    return data_BSC[:, : length + new_BTC.shape[1]]


@wrong(
    STORE,
    mistake="a copy were as good as a view",
    ask="A long text, and every new token copies all of it. What does the docstring say of what comes back?",
    refused_by="what_comes_back_is_a_view_of_the_storage",
)
def returns_a_copy(data_BSC, length, new_BTC):
    _refuse(data_BSC, length + new_BTC.shape[1])
    data_BSC[:, length : length + new_BTC.shape[1]] = new_BTC
    return data_BSC[:, : length + new_BTC.shape[1]].clone()


@wrong(
    STORE,
    mistake="any error would do (MinidsError)",
    ask="Which error does the docstring name?",
    refused_by="a_full_cache_refuses_and_stays_as_it_was",
)
def another_error(data_BSC, length, new_BTC):
    if length + new_BTC.shape[1] > data_BSC.shape[1]:
        raise MinidsError("full")
    data_BSC[:, length : length + new_BTC.shape[1]] = new_BTC
    return data_BSC[:, : length + new_BTC.shape[1]]


@wrong(
    STORE,
    mistake="a cache that is not full yet had room for everything",
    ask="3 of 4 columns are in use, and 2 more come. Do they fit?",
    refused_by="a_full_cache_refuses_and_stays_as_it_was",
)
def looks_at_the_old_length(data_BSC, length, new_BTC):
    if length >= data_BSC.shape[1] and new_BTC.shape[1]:
        raise ValueError("full")
    data_BSC[:, length : length + new_BTC.shape[1]] = new_BTC
    return data_BSC[:, : length + new_BTC.shape[1]]


@alternative(STORE)
def narrow_and_copy(data_BSC, length, new_BTC):
    count = new_BTC.shape[1]
    if length + count > data_BSC.shape[1]:
        raise ValueError("full")
    data_BSC.narrow(1, length, count).copy_(new_BTC)
    return data_BSC.narrow(1, 0, length + count)


@alternative(STORE)
def column_by_column(data_BSC, length, new_BTC):
    _refuse(data_BSC, length + new_BTC.shape[1])
    for t, column in enumerate(new_BTC.unbind(1), start=length):
        data_BSC[:, t] = column
    return data_BSC[:, : length + new_BTC.shape[1]]


@alternative(STORE)
def by_index_copy(data_BSC, length, new_BTC):
    places = torch.arange(length, length + new_BTC.shape[1])
    if len(places) and int(places[-1]) >= data_BSC.shape[1]:
        raise ValueError("full")
    return data_BSC.index_copy_(1, places, new_BTC)[:, : length + new_BTC.shape[1]]
