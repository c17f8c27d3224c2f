"""Chapter 11: plausible mistakes, and other right ways to write it."""

import math
import re
import statistics
from dataclasses import fields

import torch

from minids.course.wrong import alternative, wrong
from minids.errors import MinidsError
from minids.rl import grpo, importance_sampling

# -- grpo.slopes -----------------------------------------------------------------------------------------------

SLOPES = "grpo.slopes"


def _steps(theta, ids, nodes, sign=1.0, probs=None):
    """1 at the token that was drawn, minus the probabilities, for each token: [L, T, V]."""
    probs = theta.softmax(-1) if probs is None else probs
    return torch.nn.functional.one_hot(ids, theta.shape[1]).to(theta.dtype) - sign * probs[nodes]


def _placed(theta, steps, nodes, mask):
    out = torch.zeros(len(nodes), *theta.shape, dtype=theta.dtype)
    for answer in range(len(nodes)):
        for t in range(nodes.shape[1]):
            if mask[answer, t]:
                out[answer, nodes[answer, t]] += steps[answer, t]
    return out


@wrong(
    SLOPES,
    mistake="only the token that was drawn had a slope",
    ask="The probabilities of a row add up to 1. If one goes up, what do the others do?",
    refused_by="one_token_by_hand",
)
def only_the_drawn_token(theta_PV, ids_LT, nodes_LT, mask_LT):
    return _placed(theta_PV, _steps(theta_PV, ids_LT, nodes_LT, sign=0.0), nodes_LT, mask_LT)


@wrong(
    SLOPES,
    mistake="the sign were turned round: probabilities minus the token that was drawn",
    ask="Cross-entropy is minus a log-probability. Which of the two is asked for here?",
    refused_by="one_token_by_hand",
)
def slopes_of_the_loss(theta_PV, ids_LT, nodes_LT, mask_LT):
    return -_placed(theta_PV, _steps(theta_PV, ids_LT, nodes_LT), nodes_LT, mask_LT)


@wrong(
    SLOPES,
    mistake="it were the slope of the probability and not of its logarithm",
    ask="d p = p d log p. Which side of it is asked for?",
    refused_by="one_token_by_hand",
)
def slopes_of_the_probability(theta_PV, ids_LT, nodes_LT, mask_LT):
    picked = theta_PV.softmax(-1)[nodes_LT].gather(-1, ids_LT[..., None])[..., 0]
    prob_L = torch.where(mask_LT, picked, 1.0).prod(1)
    return prob_L[:, None, None] * _placed(theta_PV, _steps(theta_PV, ids_LT, nodes_LT), nodes_LT, mask_LT)


@wrong(
    SLOPES,
    mistake="what stands behind the end of an answer counted too",
    ask="Which places of ids_LT does mask_LT leave?",
    refused_by="the_stop_token_is_a_token_like_any_other",
)
def padding_counts(theta_PV, ids_LT, nodes_LT, mask_LT):
    return _placed(theta_PV, _steps(theta_PV, ids_LT, nodes_LT), nodes_LT, torch.ones_like(mask_LT))


@wrong(
    SLOPES,
    mistake="the stop token were no part of the answer",
    ask="Whether to stop is a choice of the policy. Which row of theta made it?",
    refused_by="the_stop_token_is_a_token_like_any_other",
)
def without_the_stop_token(theta_PV, ids_LT, nodes_LT, mask_LT):
    return _placed(theta_PV, _steps(theta_PV, ids_LT, nodes_LT), nodes_LT, mask_LT & (ids_LT != 0))


@wrong(
    SLOPES,
    mistake="a second token after the same prefix replaced the first one's slope",
    ask="What does out[row] = step do if row occurs twice, and what does += do with an index tensor?",
    refused_by="two_tokens_after_the_same_prefix_add_up",
)
def the_last_one_wins(theta_PV, ids_LT, nodes_LT, mask_LT):
    out, steps = torch.zeros(len(ids_LT), *theta_PV.shape, dtype=theta_PV.dtype), _steps(theta_PV, ids_LT, nodes_LT)
    for answer in range(len(ids_LT)):
        for t in range(ids_LT.shape[1]):
            if mask_LT[answer, t]:
                out[answer, nodes_LT[answer, t]] = steps[answer, t]
    return out


@wrong(
    SLOPES,
    mistake="`+=` with an index tensor added every token to its row, where it adds the last one alone, padding too",
    ask="What does out[rows] += x do with a row that occurs twice in rows? Which function adds every time?",
    refused_by="two_tokens_after_the_same_prefix_add_up",
)
def added_by_index(theta_PV, ids_LT, nodes_LT, mask_LT):
    out, steps = torch.zeros(len(ids_LT), *theta_PV.shape, dtype=theta_PV.dtype), _steps(theta_PV, ids_LT, nodes_LT)
    out[torch.arange(len(ids_LT))[:, None], nodes_LT] += steps * mask_LT[..., None]
    return out


@wrong(
    SLOPES,
    mistake="it were the mean over the tokens of an answer and not their sum",
    ask="log p(o) of an answer is a sum of logarithms. Is it divided by anything?",
    refused_by="two_tokens_in_two_rows",
)
def mean_over_tokens(theta_PV, ids_LT, nodes_LT, mask_LT):
    length_L = mask_LT.sum(1).to(theta_PV.dtype)
    return _placed(theta_PV, _steps(theta_PV, ids_LT, nodes_LT), nodes_LT, mask_LT) / length_L[:, None, None]


@wrong(
    SLOPES,
    mistake="each column of theta were a distribution, and not each row",
    ask="Over which axis of theta_PV do probabilities add up to 1?",
    refused_by="one_token_by_hand",
)
def softmax_over_prefixes(theta_PV, ids_LT, nodes_LT, mask_LT):
    steps = _steps(theta_PV, ids_LT, nodes_LT, probs=theta_PV.softmax(0))
    return _placed(theta_PV, steps, nodes_LT, mask_LT)


@wrong(
    SLOPES,
    mistake="a token belonged to the prefix before the one that it follows",
    ask="The first token follows the empty prefix, nodes_LT[:, 0]. Which one does the second follow?",
    refused_by="two_tokens_in_two_rows",
)
def one_prefix_early(theta_PV, ids_LT, nodes_LT, mask_LT):
    early = torch.cat([nodes_LT[:, :1], nodes_LT[:, :-1]], 1)
    return _placed(theta_PV, _steps(theta_PV, ids_LT, nodes_LT), early, mask_LT)


@wrong(
    SLOPES,
    mistake="logits were small enough to take exp of them",
    ask="What is exp(1000)? And what does a softmax make of logits if the largest is taken off all of them first?",
    refused_by="logits_of_any_size",
)
def exp_over_its_sum(theta_PV, ids_LT, nodes_LT, mask_LT):
    each = theta_PV.exp()
    steps = _steps(theta_PV, ids_LT, nodes_LT, probs=each / each.sum(-1, keepdim=True))
    return _placed(theta_PV, steps, nodes_LT, mask_LT)


@alternative(SLOPES)
def with_one_product(theta_PV, ids_LT, nodes_LT, mask_LT):
    P, V = theta_PV.shape
    visits = torch.nn.functional.one_hot(nodes_LT, P).to(theta_PV.dtype) * mask_LT[..., None]  # [L, T, P]
    drawn = torch.nn.functional.one_hot(ids_LT, V).to(theta_PV.dtype)
    return torch.einsum("ltp,ltv->lpv", visits, drawn) - visits.sum(1)[..., None] * theta_PV.softmax(-1)


@alternative(SLOPES)
def token_by_token(theta_PV, ids_LT, nodes_LT, mask_LT):
    each = (theta_PV - theta_PV.amax(-1, keepdim=True)).exp()
    probs = each / each.sum(-1, keepdim=True)
    out = torch.zeros(len(ids_LT), *theta_PV.shape, dtype=theta_PV.dtype)
    for n, (ids, nodes) in enumerate(zip(ids_LT.tolist(), nodes_LT.tolist())):
        for t, (i, p) in enumerate(zip(ids, nodes)):
            if mask_LT[n, t]:
                out[n, p] -= probs[p]
                out[n, p, i] += 1
    return out


# -- grpo.advantages --------------------------------------------------------------------------------------------

ADVANTAGES = "grpo.advantages"


def _spread(x_PG, ddof):
    return ((x_PG - x_PG.mean(1, keepdim=True)) ** 2).sum(1, keepdim=True).div(max(x_PG.shape[1] - ddof, 1)).sqrt()


def _scaled(table_PG, rewards_PG, scale, ddof, eps, spread=_spread):
    if scale == "std":
        return table_PG / (spread(rewards_PG, ddof) + eps)
    if scale == "batch":
        return table_PG / (spread(rewards_PG.reshape(1, -1), ddof) + eps)
    return table_PG


def _centred(rewards_PG, baseline):
    G = rewards_PG.shape[1]
    if baseline == "none":
        return rewards_PG
    return (rewards_PG - rewards_PG.mean(1, keepdim=True)) * (G / (G - 1) if baseline == "loo" else 1)


def _finished(adv_PG, differs_P1, baseline):
    adv_PG = adv_PG if baseline == "none" else torch.where(differs_P1, adv_PG, 0.0)
    return adv_PG.reshape(-1), differs_P1.expand_as(adv_PG).reshape(-1)


def _differs(rewards_PG):
    return rewards_PG.amax(1, keepdim=True) > rewards_PG.amin(1, keepdim=True)


@wrong(
    ADVANTAGES,
    mistake="the answers to a question stood G places apart and not next to each other",
    ask="rewards_N holds group after group. Which reshape keeps neighbours together?",
    refused_by="a_group_is_compared_with_itself_only",
)
def interleaved(rewards_N, group_size, *, baseline="mean", scale="std", ddof=1, eps=1e-4):
    rewards_PG = grpo._groups(rewards_N, group_size, baseline, scale, ddof).reshape(group_size, -1).T
    adv_PG = _scaled(_centred(rewards_PG, baseline), rewards_PG, scale, ddof, eps)
    differs_P1 = _differs(rewards_PG)
    adv_PG = adv_PG if baseline == "none" else torch.where(differs_P1, adv_PG, 0.0)
    return adv_PG.T.reshape(-1), differs_P1.expand_as(adv_PG).T.reshape(-1)


@wrong(
    ADVANTAGES,
    mistake="the mean of all rewards were the baseline of every group",
    ask="An easy question's answers all get 1. Are they all better than expected?",
    refused_by="a_group_is_compared_with_itself_only",
)
def baseline_of_the_batch(rewards_N, group_size, *, baseline="mean", scale="std", ddof=1, eps=1e-4):
    rewards_PG = grpo._groups(rewards_N, group_size, baseline, scale, ddof)
    adv_PG = rewards_PG - rewards_PG.mean() if baseline == "mean" else _centred(rewards_PG, baseline)
    return _finished(_scaled(adv_PG, rewards_PG, scale, ddof, eps), _differs(rewards_PG), baseline)


@wrong(
    ADVANTAGES,
    mistake="the standard deviation were always divided by N, whatever ddof says",
    ask="By what is the sum of squares divided with ddof=1?",
    refused_by="one_right_answer_of_four",
)
def always_by_n(rewards_N, group_size, *, baseline="mean", scale="std", ddof=1, eps=1e-4):
    rewards_PG = grpo._groups(rewards_N, group_size, baseline, scale, ddof)
    adv_PG = _scaled(_centred(rewards_PG, baseline), rewards_PG, scale, 0, eps)
    return _finished(adv_PG, _differs(rewards_PG), baseline)


@wrong(
    ADVANTAGES,
    mistake="eps were added to the variance, under the root",
    ask="Standard deviations get eps added: before or after the square root?",
    refused_by="the_standard_deviation_of_the_group",
)
def eps_under_the_root(rewards_N, group_size, *, baseline="mean", scale="std", ddof=1, eps=1e-4):
    rewards_PG = grpo._groups(rewards_N, group_size, baseline, scale, ddof)

    def spread(x, ddof):
        return (_spread(x, ddof) ** 2 + eps).sqrt() - eps

    adv_PG = _scaled(_centred(rewards_PG, baseline), rewards_PG, scale, ddof, eps, spread)
    return _finished(adv_PG, _differs(rewards_PG), baseline)


@wrong(
    ADVANTAGES,
    mistake="leave-one-out made advantages smaller, by (G-1)/G, and not larger",
    ask="Reward 1, the others 0: how far is it above the mean of the others, and how far above the mean of all?",
    refused_by="leave_one_out_compares_with_the_others",
)
def loo_upside_down(rewards_N, group_size, *, baseline="mean", scale="std", ddof=1, eps=1e-4):
    rewards_PG = grpo._groups(rewards_N, group_size, baseline, scale, ddof)
    adv_PG = _centred(rewards_PG, "mean" if baseline == "loo" else baseline)
    adv_PG = adv_PG * ((group_size - 1) / group_size) if baseline == "loo" else adv_PG
    return _finished(_scaled(adv_PG, rewards_PG, scale, ddof, eps), _differs(rewards_PG), baseline)


@wrong(
    ADVANTAGES,
    mistake="equal rewards were treated as any others, and rounding noise divided by eps",
    ask="What is (0.1 - mean of seven times 0.1) in float32, and what when it is divided by something tiny?",
    refused_by="equal_rewards_give_exactly_zero",
)
def noise_over_eps(rewards_N, group_size, *, baseline="mean", scale="std", ddof=1, eps=1e-4):
    rewards_PG = grpo._groups(rewards_N, group_size, baseline, scale, ddof)
    adv_PG = _scaled(_centred(rewards_PG, baseline), rewards_PG, scale, ddof, eps)
    return adv_PG.reshape(-1), _differs(rewards_PG).expand_as(rewards_PG).reshape(-1)


@wrong(
    ADVANTAGES,
    mistake="a group's rewards differed as soon as one of them is not their mean",
    ask="Is the mean of three times 0.1 equal to 0.1 in floating point? Which comparison of rewards is not rounded?",
    refused_by="equal_rewards_give_exactly_zero",
)
def differs_from_its_mean(rewards_N, group_size, *, baseline="mean", scale="std", ddof=1, eps=1e-4):
    rewards_PG = grpo._groups(rewards_N, group_size, baseline, scale, ddof)
    adv_PG = _scaled(_centred(rewards_PG, baseline), rewards_PG, scale, ddof, eps)
    return _finished(adv_PG, (rewards_PG != rewards_PG.mean(1, keepdim=True)).any(1, keepdim=True), baseline)


@wrong(
    ADVANTAGES,
    mistake="an answer were informative only if its own advantage is not zero",
    ask="Rewards 0, 1, 2: does the middle answer belong to a group that says something?",
    refused_by="an_answer_of_mean_reward_is_still_in_an_informative_group",
)
def informative_by_answer(rewards_N, group_size, *, baseline="mean", scale="std", ddof=1, eps=1e-4):
    rewards_PG = grpo._groups(rewards_N, group_size, baseline, scale, ddof)
    adv_PG = _scaled(_centred(rewards_PG, baseline), rewards_PG, scale, ddof, eps)
    adv_N, informative_N = _finished(adv_PG, _differs(rewards_PG), baseline)
    return adv_N, informative_N & (rewards_PG != rewards_PG.mean(1, keepdim=True)).reshape(-1)


@wrong(
    ADVANTAGES,
    mistake="the spread of the whole batch were that of centred rewards",
    ask="`batch` is the standard deviation of all rewards. Does it see how far groups lie apart?",
    refused_by="the_standard_deviation_of_all_rewards",
)
def spread_of_the_centred(rewards_N, group_size, *, baseline="mean", scale="std", ddof=1, eps=1e-4):
    rewards_PG = grpo._groups(rewards_N, group_size, baseline, scale, ddof)
    adv_PG = _centred(rewards_PG, baseline)
    adv_PG = _scaled(adv_PG, _centred(rewards_PG, "mean") if scale == "batch" else rewards_PG, scale, ddof, eps)
    return _finished(adv_PG, _differs(rewards_PG), baseline)


@wrong(
    ADVANTAGES,
    mistake="groups of equal rewards got zero even without a baseline",
    ask="Without a baseline, what is the advantage of an answer with reward 0.75?",
    refused_by="without_a_baseline_rewards_stay",
)
def zero_whatever_the_baseline(rewards_N, group_size, *, baseline="mean", scale="std", ddof=1, eps=1e-4):
    rewards_PG = grpo._groups(rewards_N, group_size, baseline, scale, ddof)
    adv_PG = _scaled(_centred(rewards_PG, baseline), rewards_PG, scale, ddof, eps)
    return _finished(adv_PG, _differs(rewards_PG), "mean")


@wrong(
    ADVANTAGES,
    mistake="with the loo baseline the deviation were that of what is left",
    ask="What is left of the rewards with loo is G / (G - 1) times as large. What does dividing by its deviation undo?",
    refused_by="leave_one_out_compares_with_the_others",
)
def deviation_after_loo(rewards_N, group_size, *, baseline="mean", scale="std", ddof=1, eps=1e-4):
    rewards_PG = grpo._groups(rewards_N, group_size, baseline, scale, ddof)
    adv_PG = _centred(rewards_PG, baseline)
    spread_of = adv_PG if scale == "std" else rewards_PG
    return _finished(_scaled(adv_PG, spread_of, scale, ddof, eps), _differs(rewards_PG), baseline)


@alternative(ADVANTAGES)
def group_by_group(rewards_N, group_size, *, baseline="mean", scale="std", ddof=1, eps=1e-4):
    grpo._groups(rewards_N, group_size, baseline, scale, ddof)
    rewards_N = torch.as_tensor(rewards_N)
    rewards_N = rewards_N if rewards_N.is_floating_point() else rewards_N.float()
    everything, adv, informative = rewards_N.tolist(), [], []

    def spread(values):
        mean = statistics.fmean(values)
        return math.sqrt(math.fsum((v - mean) ** 2 for v in values) / max(len(values) - ddof, 1))

    whole = spread(everything) + eps if scale == "batch" else 1.0
    for start in range(0, len(everything), group_size):
        group = everything[start : start + group_size]
        size = spread(group) + eps if scale == "std" else whole
        for r in group:
            base = 0.0
            if baseline == "mean":
                base = math.fsum(group) / group_size
            elif baseline == "loo":
                base = (math.fsum(group) - r) / (group_size - 1)
            equal = len(set(group)) == 1
            adv.append(0.0 if equal and baseline != "none" else (r - base) / size)
            informative.append(not equal)
    return torch.tensor(adv, dtype=rewards_N.dtype), torch.tensor(informative)


@alternative(ADVANTAGES)
def with_repeat_interleave(rewards_N, group_size, *, baseline="mean", scale="std", ddof=1, eps=1e-4):
    table = grpo._groups(rewards_N, group_size, baseline, scale, ddof)
    flat = table.flatten()

    def each(x_P):
        return x_P.repeat_interleave(group_size)

    base = 0.0
    if baseline == "mean":
        base = each(table.sum(1) / group_size)
    if baseline == "loo":
        base = (each(table.sum(1)) - flat) / (group_size - 1)
    size = 1.0
    if scale == "std":
        size = each(table.std(1, correction=min(ddof, group_size - 1))) + eps
    if scale == "batch":
        size = flat.std(correction=ddof) + eps
    informative = each((table != table[:, :1]).any(1))
    adv = (flat - base) / size
    return (adv if baseline == "none" else adv.masked_fill(~informative, 0.0)), informative


# -- grpo.surrogate -------------------------------------------------------------------------------------------

SURROGATE = "grpo.surrogate"


@wrong(
    SURROGATE,
    mistake="the ratio were clipped and the smaller of the two terms not taken",
    ask="A good answer has become half as likely. Which way does the slope of your term push it?",
    refused_by="a_good_answer_gains_up_to_the_upper_bound",
)
def clips_without_the_minimum(ratio_NT, adv_NT, logp_NT, clip, low, high, dual_delta):
    if clip == "cispo":
        return ratio_NT.clamp(max=1 + high).detach() * adv_NT * logp_NT
    if clip != "none":
        ratio_NT = ratio_NT.clamp(1 - low, 1 + high)
    gain_NT = ratio_NT * adv_NT
    if clip == "dual":
        gain_NT = torch.where(adv_NT < 0, torch.maximum(gain_NT, dual_delta * adv_NT), gain_NT)
    return gain_NT


def _ppo(ratio, adv, logp, clip, lower, upper, dual_delta):
    gain = ratio * adv
    if clip != "none":
        gain = torch.minimum(gain, ratio.clamp(lower, upper) * adv)
    if clip == "dual":
        gain = torch.where(adv < 0, torch.maximum(gain, dual_delta * adv), gain)
    return gain


def _cispo(ratio, adv, logp, high):
    return ratio.clamp(max=1 + high).detach() * adv * logp


@wrong(
    SURROGATE,
    mistake="the larger of the two terms were taken",
    ask="A clip is to take away what can be gained by going too far. Which of the two terms is the modest one?",
    refused_by="a_good_answer_gains_up_to_the_upper_bound",
)
def the_larger_one(ratio_NT, adv_NT, logp_NT, clip, low, high, dual_delta):
    if clip == "cispo":
        return _cispo(ratio_NT, adv_NT, logp_NT, high)
    gain_NT = ratio_NT * adv_NT
    if clip != "none":
        gain_NT = torch.maximum(gain_NT, ratio_NT.clamp(1 - low, 1 + high) * adv_NT)
    if clip == "dual":
        gain_NT = torch.where(adv_NT < 0, torch.maximum(gain_NT, dual_delta * adv_NT), gain_NT)
    return gain_NT


@wrong(
    SURROGATE,
    mistake="bad answers were not clipped at all",
    ask="What should happen once a bad answer has become half as likely?",
    refused_by="a_bad_answer_gains_down_to_the_lower_bound",
)
def only_the_upper_bound(ratio_NT, adv_NT, logp_NT, clip, low, high, dual_delta):
    if clip == "cispo":
        return _cispo(ratio_NT, adv_NT, logp_NT, high)
    return _ppo(ratio_NT, adv_NT, logp_NT, clip, 0.0, 1 + high, dual_delta)


@wrong(
    SURROGATE,
    mistake="both bounds were at the same distance from 1, `low`",
    ask="Which setting says how far a good answer may go up?",
    refused_by="the_two_bounds_may_differ",
)
def one_distance_for_both(ratio_NT, adv_NT, logp_NT, clip, low, high, dual_delta):
    if clip == "cispo":
        return _cispo(ratio_NT, adv_NT, logp_NT, high)
    return _ppo(ratio_NT, adv_NT, logp_NT, clip, 1 - low, 1 + low, dual_delta)


@wrong(
    SURROGATE,
    mistake="the bounds were [1 - high, 1 + low]",
    ask="Which bound does a good answer meet, and which setting sets it?",
    refused_by="the_two_bounds_may_differ",
)
def bounds_exchanged(ratio_NT, adv_NT, logp_NT, clip, low, high, dual_delta):
    if clip == "cispo":
        return _cispo(ratio_NT, adv_NT, logp_NT, high)
    return _ppo(ratio_NT, adv_NT, logp_NT, clip, 1 - high, 1 + low, dual_delta)


@wrong(
    SURROGATE,
    mistake="the dual bound held for good answers too",
    ask="For which sign of the advantage does a ratio of 9 cost a lot?",
    refused_by="a_dual_clip_also_bounds_what_a_bad_answer_costs",
)
def dual_for_all(ratio_NT, adv_NT, logp_NT, clip, low, high, dual_delta):
    if clip == "cispo":
        return _cispo(ratio_NT, adv_NT, logp_NT, high)
    gain_NT = _ppo(ratio_NT, adv_NT, logp_NT, "none" if clip == "none" else "symmetric", 1 - low, 1 + high, None)
    return torch.maximum(gain_NT, dual_delta * adv_NT) if clip == "dual" else gain_NT


@wrong(
    SURROGATE,
    mistake="the dual clip were PPO's",
    ask="What does `dual_delta` bound, and for which answers?",
    refused_by="a_dual_clip_also_bounds_what_a_bad_answer_costs",
)
def dual_forgotten(ratio_NT, adv_NT, logp_NT, clip, low, high, dual_delta):
    if clip == "cispo":
        return _cispo(ratio_NT, adv_NT, logp_NT, high)
    return _ppo(ratio_NT, adv_NT, logp_NT, "symmetric" if clip == "dual" else clip, 1 - low, 1 + high, None)


@wrong(
    SURROGATE,
    mistake="CISPO's weight had a slope",
    ask="CISPO's weight says how much a token counts. May the policy change it to do better?",
    refused_by="cispo_has_a_slope_for_every_token_and_none_through_the_ratio",
)
def cispo_not_detached(ratio_NT, adv_NT, logp_NT, clip, low, high, dual_delta):
    if clip == "cispo":
        return ratio_NT.clamp(max=1 + high) * adv_NT * logp_NT
    return _ppo(ratio_NT, adv_NT, logp_NT, clip, 1 - low, 1 + high, dual_delta)


@wrong(
    SURROGATE,
    mistake="CISPO had a lower bound",
    ask="MiniMax-M1 bounds the weights of tokens from above. And from below?",
    refused_by="cispo_weighs_the_log_probability",
)
def cispo_from_below(ratio_NT, adv_NT, logp_NT, clip, low, high, dual_delta):
    if clip == "cispo":
        return ratio_NT.clamp(1 - low, 1 + high).detach() * adv_NT * logp_NT
    return _ppo(ratio_NT, adv_NT, logp_NT, clip, 1 - low, 1 + high, dual_delta)


@wrong(
    SURROGATE,
    mistake="CISPO had no log-probability in it",
    ask="If the weight is a constant, what is left of the term that the gradient could flow through?",
    refused_by="cispo_weighs_the_log_probability",
)
def cispo_without_logp(ratio_NT, adv_NT, logp_NT, clip, low, high, dual_delta):
    if clip == "cispo":
        return ratio_NT.clamp(max=1 + high) * adv_NT
    return _ppo(ratio_NT, adv_NT, logp_NT, clip, 1 - low, 1 + high, dual_delta)


@wrong(
    SURROGATE,
    mistake="the whole batch were good or bad",
    ask="A batch holds good and bad answers. Whose advantage decides whether the dual bound holds for a token?",
    refused_by="good_and_bad_tokens_in_one_batch",
)
def dual_by_the_mean(ratio_NT, adv_NT, logp_NT, clip, low, high, dual_delta):
    if clip == "cispo":
        return _cispo(ratio_NT, adv_NT, logp_NT, high)
    gain_NT = _ppo(ratio_NT, adv_NT, logp_NT, "none" if clip == "none" else "symmetric", 1 - low, 1 + high, None)
    return torch.maximum(gain_NT, dual_delta * adv_NT) if clip == "dual" and adv_NT.mean() < 0 else gain_NT


@alternative(SURROGATE)
def one_bound_for_each_sign(ratio_NT, adv_NT, logp_NT, clip, low, high, dual_delta):
    if clip == "none":
        return ratio_NT * adv_NT
    if clip == "cispo":
        weight = torch.where(ratio_NT > 1 + high, torch.full_like(ratio_NT, 1 + high), ratio_NT).detach()
        return weight * adv_NT * logp_NT
    top = dual_delta if clip == "dual" else math.inf
    up, down = ratio_NT.clamp(max=1 + high), ratio_NT.clamp(1 - low, top)
    return torch.where(adv_NT > 0, up, down) * adv_NT


@alternative(SURROGATE)
def smallest_of_a_stack(ratio_NT, adv_NT, logp_NT, clip, low, high, dual_delta):
    if clip == "cispo":
        with torch.no_grad():
            weight_NT = torch.min(ratio_NT, torch.tensor(1 + high, dtype=ratio_NT.dtype))
        return weight_NT * adv_NT * logp_NT
    terms = [ratio_NT * adv_NT]
    if clip != "none":
        terms.append(torch.clip(ratio_NT, min=1 - low, max=1 + high) * adv_NT)
    gain_NT = torch.stack(terms).amin(0) if len(terms) == 1 else torch.where(terms[0] <= terms[1], *terms)
    if clip == "dual":
        floor_NT = dual_delta * adv_NT
        gain_NT = torch.where((adv_NT < 0) & (gain_NT < floor_NT), floor_NT, gain_NT)
    return gain_NT


# -- grpo.kl -------------------------------------------------------------------------------------------

KL = "grpo.kl"


def _kind(kind):
    if kind not in ("k1", "k2", "k3"):
        raise MinidsError(f"kl={kind!r} is none of k1, k2, k3")


def _estimates(x, kind):
    _kind(kind)
    return {"k1": lambda: x, "k2": lambda: x * x / 2, "k3": lambda: torch.exp(-x) + x - 1}[kind]()


@wrong(
    KL,
    mistake="x were log ref - log pi",
    ask="KL(pi || ref) is the mean of which logarithm, over tokens of pi?",
    refused_by="twice_as_likely_by_hand",
)
def the_other_way_round(logp, ref_logp, kind):
    return _estimates(ref_logp - logp, kind)


@wrong(
    KL,
    mistake="k2 were the whole square",
    ask="Which factor makes the slope of k2 equal to x?",
    refused_by="twice_as_likely_by_hand",
)
def the_whole_square(logp, ref_logp, kind):
    return (logp - ref_logp) ** 2 if kind == "k2" else _estimates(logp - ref_logp, kind)


@wrong(
    KL,
    mistake="k3 were exp(x) - x - 1, that of the other direction",
    ask="Over tokens of pi, which of exp(x) and exp(-x) has the mean 1?",
    refused_by="twice_as_likely_by_hand",
)
def exponent_of_the_wrong_sign(logp, ref_logp, kind):
    x = logp - ref_logp
    return torch.exp(x) - x - 1 if kind == "k3" else _estimates(x, kind)


@wrong(
    KL,
    mistake="k3 did not end with - 1",
    ask="What should k3 be where the policies agree?",
    refused_by="twice_as_likely_by_hand",
)
def one_too_many(logp, ref_logp, kind):
    x = logp - ref_logp
    return torch.exp(-x) + x if kind == "k3" else _estimates(x, kind)


@wrong(
    KL,
    mistake="k1 could not be negative",
    ask="What does log pi - log ref say of a token that has become less likely, and what becomes of the mean?",
    refused_by="half_as_likely_by_hand",
)
def k1_without_its_sign(logp, ref_logp, kind):
    x = logp - ref_logp
    return x.abs() if kind == "k1" else _estimates(x, kind)


@wrong(
    KL,
    mistake="k2 and k3 had changed their names",
    ask="Which of the two is a parabola?",
    refused_by="twice_as_likely_by_hand",
)
def names_exchanged(logp, ref_logp, kind):
    _kind(kind)
    return _estimates(logp - ref_logp, {"k1": "k1", "k2": "k3", "k3": "k2"}[kind])


@wrong(
    KL,
    mistake="each token were weighed with its probability",
    ask="The tokens were drawn from pi. Has that not weighed them already?",
    refused_by="twice_as_likely_by_hand",
)
def weighed_twice(logp, ref_logp, kind):
    return logp.exp() * _estimates(logp - ref_logp, kind)


@wrong(
    KL,
    mistake="the estimate were a number for the log and no part of the loss: it has no slope",
    ask="What is a penalty good for that no gradient flows through?",
    refused_by="slopes_along_the_policy",
)
def without_a_slope(logp, ref_logp, kind):
    return _estimates((logp - ref_logp).detach(), kind)


@wrong(
    KL,
    mistake="x were pi / ref - 1, without a logarithm",
    ask="Is exp(x) - 1 equal to x? When nearly?",
    refused_by="twice_as_likely_by_hand",
)
def ratio_for_logarithm(logp, ref_logp, kind):
    return _estimates(torch.exp(logp - ref_logp) - 1, kind)


@wrong(
    KL,
    mistake="the two probabilities could be divided",
    ask="What is exp(-800) as a float? What has to be subtracted before exp is taken?",
    refused_by="tokens_that_hardly_ever_come",
)
def quotient_of_probabilities(logp, ref_logp, kind):
    _kind(kind)
    x, ref = logp - ref_logp, torch.as_tensor(ref_logp, dtype=logp.dtype)
    return ref.exp() / logp.exp() + x - 1 if kind == "k3" else _estimates(x, kind)


@alternative(KL)
def with_expm1(logp, ref_logp, kind):
    x = logp - ref_logp
    if kind == "k1":
        return x
    if kind == "k2":
        return x**2 / 2
    if kind == "k3":
        return torch.expm1(-x) + x
    raise MinidsError(f"grpo: kl={kind!r} is not one of k1, k2, k3")


@alternative(KL)
def by_the_ratio_of_the_reference(logp, ref_logp, kind):
    _kind(kind)
    down = ref_logp - logp
    return {"k1": -down, "k2": 0.5 * down * down, "k3": (down.exp() - 1) - down}[kind]


# -- reward.integer ---------------------------------------------------------------------------------------

INTEGER = "reward.integer"
_BLANK = " \t\r\n"


@wrong(
    INTEGER,
    mistake="whatever Python's int() accepts were one spelling of a number",
    ask="What does int() say to '+5', '05', '1_000' and to digits of other scripts?",
    refused_by="one_spelling_for_each_number",
)
def what_int_accepts(text):
    text = text.strip(_BLANK)
    try:
        return int(text) if len(text.lstrip("-")) <= 64 and text == text.strip() else None
    except ValueError:
        return None


@wrong(
    INTEGER,
    mistake="the first number anywhere in the text were the answer",
    ask="What would a model learn that is paid for '19 or 20'?",
    refused_by="the_whole_text_is_the_number",
)
def first_number_anywhere(text):
    found = re.search(r"0|-?[1-9][0-9]{0,63}", text)
    return int(found[0]) if found else None


@wrong(
    INTEGER,
    mistake="the last number anywhere in the text were the answer",
    ask="Does 'x=5' answer a question, and does a text that was cut off behind '12+7'?",
    refused_by="the_whole_text_is_the_number",
)
def last_number_anywhere(text):
    found = re.findall(r"-?[0-9]+", text)
    return int(found[-1]) if found and len(found[-1]) <= 65 else None


@wrong(
    INTEGER,
    mistake="it were enough that the text begins with a number",
    ask="What is the difference between match and fullmatch?",
    refused_by="the_whole_text_is_the_number",
)
def begins_with_a_number(text):
    found = re.match(r"(0|-?[1-9][0-9]{0,63})(?![0-9])", text.strip(_BLANK))
    return int(found[0]) if found else None


@wrong(
    INTEGER,
    mistake="every character that Unicode calls a digit were one",
    ask="Which characters does \\d match?",
    refused_by="digits_of_other_scripts_are_not_read",
)
def digits_of_every_script(text):
    found = re.fullmatch(r"0|-?[1-9]\d{0,63}|[^\W0-9a-zA-Z_]\d*", text.strip(_BLANK))
    try:
        return int(found[0]) if found else None
    except ValueError:
        return None


@wrong(INTEGER, mistake="there were no numbers below zero", ask="What is 5-12?", refused_by="numbers_below_zero")
def never_negative(text):
    found = re.fullmatch(r"0|[1-9][0-9]{0,63}", text.strip(_BLANK))
    return int(found[0]) if found else None


@wrong(
    INTEGER,
    mistake="zeros in front and a minus before zero were no harm",
    ask="How many spellings of five does your pattern accept?",
    refused_by="one_spelling_for_each_number",
)
def zeros_in_front(text):
    found = re.fullmatch(r"-?[0-9]{1,64}", text.strip(_BLANK))
    return int(found[0]) if found else None


@wrong(
    INTEGER,
    mistake="5.0 were a spelling of 5",
    ask="What does float() accept besides integers?",
    refused_by="one_spelling_for_each_number",
)
def by_way_of_float(text):
    text = text.strip(_BLANK)
    if re.fullmatch(r"0|-?[1-9][0-9]{0,63}", text):
        return int(text)
    return int(text[:-2]) if re.fullmatch(r"(0|-?[1-9][0-9]{0,63})\.0", text) else None


@wrong(
    INTEGER,
    mistake="any number of digits were read",
    ask="How long does a number of a million digits take to read, and who writes it?",
    refused_by="at_most_64_digits",
)
def without_a_limit(text):
    found = re.fullmatch(r"0|-?[1-9][0-9]{0,3999}", text.strip(_BLANK))
    return int(found[0]) if found else None


@wrong(
    INTEGER,
    mistake="every blank of Unicode were a blank",
    ask="Which characters does strip() without an argument take off?",
    refused_by="other_blanks_are_no_blanks",
)
def every_blank(text):
    found = re.fullmatch(r"0|-?[1-9][0-9]{0,63}", text.strip())
    return int(found[0]) if found else None


@wrong(
    INTEGER,
    mistake="an answer were computed where it is an expression",
    ask="Who does the sum if the answer is 12+7, and what happens with 9**9**9?",
    refused_by="nothing_is_computed",
)
def computes_it(text):
    text = text.strip(_BLANK)
    if re.fullmatch(r"0|-?[1-9][0-9]{0,63}", text):
        return int(text)
    found = re.fullmatch(r"([0-9]{1,9})([+*])([0-9]{1,9})", text)
    if not found:
        return None
    a, sign, b = found.groups()
    return int(a) + int(b) if sign == "+" else int(a) * int(b)


@alternative(INTEGER)
def character_by_character(text):
    text = text.strip(_BLANK)
    digits = text[1:] if text[:1] == "-" else text
    if not 1 <= len(digits) <= 64 or any(c not in "0123456789" for c in digits):
        return None
    if digits[0] == "0" and text != "0":
        return None
    value = 0
    for c in digits:
        value = 10 * value + "0123456789".index(c)
    return -value if text != digits else value


@alternative(INTEGER)
def written_back(text):
    text = text.strip(_BLANK)
    if len(text) > 65 or not text.isascii():
        return None
    try:
        value = int(text)
    except ValueError:
        return None
    return value if str(value) == text and abs(value) < 10**64 else None


# -- grpo.loss ---------------------------------------------------------------------------------------------

LOSS = "grpo.loss"


def _settings(given, logp, old, adv, mask):
    """All keywords with their values, after the library's refusals."""
    given, names = dict(given), ("ref_logp_NT", "sampler_logp_NT", "informative_N", "finished_N", "normalizer")
    apart = {name: given.pop(name, None) for name in names}
    k = {**grpo.loss_config(given.pop("config", None), given).keywords(), **apart}
    others = (k[name] for name in ("ref_logp_NT", "sampler_logp_NT", "kl", "correction", "off_policy_threshold"))
    grpo._check_tensors(logp, old, mask, *others, adv)
    return k


def _loss(
    logp,
    old,
    adv,
    mask,
    given,
    *,
    wrong_mask=None,
    old_of=None,
    sign=-1.0,
    to=None,
    fill=True,
    units=None,
    lengths=None,
    counted=None,
    exponent=torch.exp,
):
    """The loss with one part exchanged; each keyword is a part that a mistake replaces."""
    k = _settings(given, logp, old, adv, mask)
    low, high = grpo.check_settings(**k)
    mask, kept = grpo._used(mask, k["informative_N"], k["skip_zero_variance"], k["finished_N"], k["mask_truncated"])
    mask = wrong_mask(mask) if wrong_mask else mask
    adv = (adv[:, None] if adv.dim() == 1 else adv).to(logp.dtype).expand_as(logp)
    weight = mask.to(logp.dtype)
    length = weight.sum(1, keepdim=True).clamp(min=1)
    before = old_of(logp, old) if old_of else old.detach()
    moved = torch.where(mask, logp - before, 0.0) if fill else logp - before
    log_ratio = importance_sampling.sequence_log_ratio(moved, length, k["ratio"])
    gain = importance_sampling.surrogate(exponent(log_ratio), adv, logp, k["clip"], low, high, k["dual_delta"])
    gain, more = grpo._trusted(
        gain,
        logp,
        old,
        k["sampler_logp_NT"],
        adv,
        mask,
        length,
        k["correction"],
        k["correction_cap"],
        k["off_policy_threshold"],
    )
    total, kl = sign * gain, None
    if k["kl"] != "none":
        kl = torch.where(mask, logp - (to(logp, old, k) if to else k["ref_logp_NT"]).detach(), 0.0)
        kl = grpo.kl_estimate(kl, 0.0, k["kl"])
        kl = moved.exp() * kl if k["kl_unbiased"] else kl
        total = total + k["kl_coef"] * kl
    weight = weight / (lengths(weight) if lengths else length) if k["aggregation"] == "sequence_mean" else weight
    normalizer = k["normalizer"]
    if normalizer is None or units:
        normalizer = float(mask.sum() if k["aggregation"] == "token_mean" else (counted or torch.sum)(kept))
        normalizer = units(normalizer, mask, kept, k) if units else normalizer
    below = max(float(normalizer), 1.0) * (k["constant"] if k["aggregation"] == "constant" else 1)
    if not fill:
        loss, policy = (total * weight).sum() / below, -(gain * weight).sum().detach() / below
    else:
        loss = (torch.where(mask, total, 0.0) * weight).sum() / below
        policy = -(torch.where(mask, gain, 0.0) * weight).sum().detach() / below
    told = grpo._metrics(log_ratio, adv, mask, k["clip"], low, high, k["dual_delta"], kl)
    return loss, {**told, **more, "sequences": float(kept.sum()), "policy_loss": policy.item()}


@wrong(
    LOSS,
    mistake="the mask stood one place too early, and the last token of each answer were lost",
    ask="Is mask_NT[n, t] about the token whose log-probability is logp_NT[n, t], or about the next one?",
    refused_by="the_first_step_by_hand",
)
def mask_shifted(logp_NT, old_logp_NT, adv_N, mask_NT, **given):
    def shifted(mask):
        return torch.cat([mask[:, 1:], torch.zeros_like(mask[:, :1])], 1)

    return _loss(logp_NT, old_logp_NT, adv_N, mask_NT, given, wrong_mask=shifted)


@wrong(
    LOSS,
    mistake="padding counted in the denominator of token_mean",
    ask="Over how many tokens is the mean taken, if the mask has four ones in six places?",
    refused_by="the_first_step_by_hand",
)
def padding_in_the_denominator(logp_NT, old_logp_NT, adv_N, mask_NT, **given):
    def units(normalizer, mask, kept, k):
        if k["normalizer"] is not None:
            return k["normalizer"]
        return mask.numel() if k["aggregation"] == "token_mean" else normalizer

    return _loss(logp_NT, old_logp_NT, adv_N, mask_NT, given, units=units)


@wrong(
    LOSS,
    mistake="sequence_mean divided by the width of the table and not by each answer's length",
    ask="What is |o| of the shorter answer?",
    refused_by="the_first_step_by_hand",
)
def width_for_length(logp_NT, old_logp_NT, adv_N, mask_NT, **given):
    return _loss(
        logp_NT,
        old_logp_NT,
        adv_N,
        mask_NT,
        given,
        lengths=lambda weight: torch.full_like(weight[:, :1], weight.shape[1]),
    )


@wrong(
    LOSS,
    mistake="the constant of Dr. GRPO were the only denominator, without the number of answers",
    ask="1/(N C): which of the two is missing?",
    refused_by="the_first_step_by_hand",
)
def constant_alone(logp_NT, old_logp_NT, adv_N, mask_NT, **given):
    def units(normalizer, mask, kept, k):
        if k["aggregation"] == "constant":
            return 1.0
        return normalizer if k["normalizer"] is None else k["normalizer"]

    return _loss(logp_NT, old_logp_NT, adv_N, mask_NT, given, units=units)


@wrong(
    LOSS,
    mistake="the old policy were the one that is trained: the ratio is 1 on every step",
    ask="When were the old log-probabilities taken, and from which weights?",
    refused_by="a_later_step_has_ratios_and_a_clip",
)
def always_the_first_step(logp_NT, old_logp_NT, adv_N, mask_NT, **given):
    return _loss(logp_NT, old_logp_NT, adv_N, mask_NT, given, old_of=lambda logp, old: logp.detach())


@wrong(
    LOSS,
    mistake="the logarithm of the ratio were the ratio",
    ask="What is the ratio of two equal policies, and what is the difference of their logarithms?",
    refused_by="the_first_step_by_hand",
)
def logarithm_for_ratio(logp_NT, old_logp_NT, adv_N, mask_NT, **given):
    return _loss(logp_NT, old_logp_NT, adv_N, mask_NT, given, exponent=lambda x: x)


@wrong(
    LOSS,
    mistake="padding were multiplied by 0 and not replaced: 0 times infinity is no number",
    ask="What is nan * 0, and at which place can it still be kept out?",
    refused_by="padding_may_hold_anything",
)
def padding_times_zero(logp_NT, old_logp_NT, adv_N, mask_NT, **given):
    if given.get("ratio", "token") != "token":
        return _loss(logp_NT, old_logp_NT, adv_N, mask_NT, given)
    return _loss(logp_NT, old_logp_NT, adv_N, mask_NT, given, fill=False)


@wrong(
    LOSS,
    mistake="what is to be maximised were minimised",
    ask="An optimizer goes downhill. Which sign does a good answer's term need?",
    refused_by="the_first_step_by_hand",
)
def wrong_sign(logp_NT, old_logp_NT, adv_N, mask_NT, **given):
    return _loss(logp_NT, old_logp_NT, adv_N, mask_NT, given, sign=1.0)


@wrong(
    LOSS,
    mistake="ratios were never clipped",
    ask="Where does `clip` enter your loss?",
    refused_by="a_later_step_has_ratios_and_a_clip",
)
def never_clips(logp_NT, old_logp_NT, adv_N, mask_NT, **given):
    k = {"clip": "none", **{key: v for key, v in given.items() if key not in ("clip", "clip_low", "clip_high")}}
    return _loss(logp_NT, old_logp_NT, adv_N, mask_NT, k)


@wrong(
    LOSS,
    mistake="the KL divergence were that from the old policy, not from the reference",
    ask="Three policies: trained, old, reference. From which one may a run not drift away?",
    refused_by="the_reference_pulls",
)
def kl_to_the_old_policy(logp_NT, old_logp_NT, adv_N, mask_NT, **given):
    return _loss(logp_NT, old_logp_NT, adv_N, mask_NT, given, to=lambda logp, old, k: old)


@wrong(
    LOSS,
    mistake="distance from the reference were rewarded and not punished",
    ask="The loss is minimised. Should the divergence make it larger or smaller?",
    refused_by="the_reference_pulls",
)
def kl_as_a_reward(logp_NT, old_logp_NT, adv_N, mask_NT, **given):
    return _loss(logp_NT, old_logp_NT, adv_N, mask_NT, {**given, "kl_coef": -given.get("kl_coef", 0.0)})


@wrong(
    LOSS,
    mistake="the unbiased KL were the plain one",
    ask="What does `kl_unbiased` multiply the estimate with?",
    refused_by="an_unbiased_kl_is_weighed_with_the_ratio",
)
def kl_without_its_ratio(logp_NT, old_logp_NT, adv_N, mask_NT, **given):
    return _loss(logp_NT, old_logp_NT, adv_N, mask_NT, {**given, "kl_unbiased": False})


@wrong(
    LOSS,
    mistake="each micro-batch were divided by its own number of tokens, whatever `normalizer` says",
    ask="Two parts of one and of nine tokens: what does a mean of two means make of them?",
    refused_by="parts_add_up_to_the_whole",
)
def denominator_of_the_part(logp_NT, old_logp_NT, adv_N, mask_NT, **given):
    return _loss(logp_NT, old_logp_NT, adv_N, mask_NT, {**given, "normalizer": None})


@wrong(
    LOSS,
    mistake="groups that are left out still counted in the denominator",
    ask="Two of four answers are left out. By how many answers is the sum divided?",
    refused_by="left_out_groups_are_as_if_they_were_not_there",
)
def left_out_and_counted(logp_NT, old_logp_NT, adv_N, mask_NT, **given):
    return _loss(logp_NT, old_logp_NT, adv_N, mask_NT, given, counted=lambda kept: torch.tensor(len(kept)))


@wrong(
    LOSS,
    mistake="answers that were cut off did not count as answers",
    ask="mask_truncated takes an answer's tokens. Does it take its place among the N as well?",
    refused_by="answers_cut_off_lose_their_tokens_and_still_count",
)
def cut_off_and_forgotten(logp_NT, old_logp_NT, adv_N, mask_NT, **given):
    def units(normalizer, mask, kept, k):
        if k["normalizer"] is not None:
            return k["normalizer"]
        if k["aggregation"] == "token_mean" or not k["mask_truncated"]:
            return normalizer
        return float((kept & k["finished_N"].bool()).sum())

    return _loss(logp_NT, old_logp_NT, adv_N, mask_NT, given, units=units)


@wrong(
    LOSS,
    mistake="each token had its own ratio where the answer's was asked for",
    ask="What does ratio='sequence' make of the log-ratios of an answer's tokens?",
    refused_by="gspo_has_one_ratio_for_an_answer",
)
def token_for_sequence(logp_NT, old_logp_NT, adv_N, mask_NT, **given):
    return _loss(logp_NT, old_logp_NT, adv_N, mask_NT, {**given, "ratio": "token"})


@wrong(
    LOSS,
    mistake="keywords beside a config did not count",
    ask="What does loss_config(config, settings) do with a config that is given, and with the settings?",
    refused_by="keywords_change_the_config_that_is_given",
)
def config_alone(logp_NT, old_logp_NT, adv_N, mask_NT, **given):
    if given.get("config"):
        names = {f.name for f in fields(grpo.LossConfig)}
        given = {name: value for name, value in given.items() if name not in names}
    return _loss(logp_NT, old_logp_NT, adv_N, mask_NT, given)


@wrong(
    LOSS,
    mistake="a KL without a reference were none",
    ask="Who notices if a run asks for a KL, and the reference is missing?",
    refused_by="tensors_that_are_missing_or_of_no_use_are_refused",
)
def missing_reference_is_no_kl(logp_NT, old_logp_NT, adv_N, mask_NT, **given):
    if given.get("ref_logp_NT") is None and given.get("kl", "none") in grpo.KLS:
        given = {**given, "kl": "none", "kl_coef": 0.0, "kl_unbiased": False}
    return _loss(logp_NT, old_logp_NT, adv_N, mask_NT, given)


@alternative(LOSS)
def answer_by_answer(logp_NT, old_logp_NT, adv_N, mask_NT, **given):
    k = _settings(given, logp_NT, old_logp_NT, adv_N, mask_NT)
    low, high = grpo.check_settings(**k)
    mask, kept = grpo._used(mask_NT, k["informative_N"], k["skip_zero_variance"], k["finished_N"], k["mask_truncated"])
    sampler = old_logp_NT if k["sampler_logp_NT"] is None else k["sampler_logp_NT"]
    sums, pulls, tokens, noted = [], [], 0, {"log": [], "adv": [], "kl": []}
    for n in range(len(logp_NT)):
        at = mask[n].nonzero()[:, 0]
        if not len(at):
            continue
        logp, old = logp_NT[n, at][None], old_logp_NT[n, at][None].detach()
        adv = (adv_N[n].expand(len(at)) if adv_N.dim() == 1 else adv_N[n, at])[None].to(logp.dtype)
        here, size = torch.ones_like(logp, dtype=torch.bool), torch.tensor([[float(len(at))]], dtype=logp.dtype)
        log_ratio = importance_sampling.sequence_log_ratio(logp - old, size, k["ratio"])
        gain = importance_sampling.surrogate(log_ratio.exp(), adv, logp, k["clip"], low, high, k["dual_delta"])
        gain, _ = grpo._trusted(
            gain,
            logp,
            old,
            sampler[n, at][None],
            adv,
            here,
            size,
            k["correction"],
            k["correction_cap"],
            k["off_policy_threshold"],
        )
        share = len(at) if k["aggregation"] == "sequence_mean" else 1
        if k["kl"] != "none":
            kl = grpo.kl_estimate(logp, k["ref_logp_NT"][n, at][None].detach(), k["kl"])
            kl = kl * (logp - old).exp() if k["kl_unbiased"] else kl
            noted["kl"].append(kl)
            pulls.append(k["kl_coef"] * kl.sum() / share)
        sums.append(gain.sum() / share)
        noted["log"].append(log_ratio)
        noted["adv"].append(adv)
        tokens += len(at)
    units = (
        k["normalizer"]
        if k["normalizer"] is not None
        else (tokens if k["aggregation"] == "token_mean" else int(kept.sum()))
    )
    below = max(units, 1) * (k["constant"] or 1)
    if not sums:
        return 0 * logp_NT.sum(), {
            "tokens": 0.0,
            "sequences": float(kept.sum()),
            "clip_fraction": 0.0,
            "kl": 0.0,
            "policy_loss": 0.0,
        }
    log, adv = torch.cat(noted["log"], 1), torch.cat(noted["adv"], 1)
    kl = torch.cat(noted["kl"], 1) if noted["kl"] else None
    told = grpo._metrics(log, adv, torch.ones_like(log, dtype=torch.bool), k["clip"], low, high, k["dual_delta"], kl)
    policy = -sum(sums) / below
    told |= {"sequences": float(kept.sum()), "policy_loss": policy.item()}
    return policy + (sum(pulls) / below if pulls else 0), told


@alternative(LOSS)
def all_tokens_in_one_row(logp_NT, old_logp_NT, adv_N, mask_NT, **given):
    k = _settings(given, logp_NT, old_logp_NT, adv_N, mask_NT)
    low, high = grpo.check_settings(**k)
    mask, kept = grpo._used(mask_NT, k["informative_N"], k["skip_zero_variance"], k["finished_N"], k["mask_truncated"])
    n, t = mask.nonzero(as_tuple=True)
    length_N = mask.sum(1).clamp(min=1).to(logp_NT.dtype)
    adv_NT = adv_N[:, None].expand_as(logp_NT) if adv_N.dim() == 1 else adv_N
    adv, logp, old = adv_NT[n, t].to(logp_NT.dtype), logp_NT[n, t], old_logp_NT[n, t].detach()
    log_ratio = logp - old
    if k["ratio"] != "token":
        mean = torch.zeros_like(length_N).index_add(0, n, log_ratio)[n] / length_N[n]
        log_ratio = mean if k["ratio"] == "sequence" else mean.detach() + log_ratio - log_ratio.detach()
    gain = importance_sampling.surrogate(log_ratio.exp(), adv, logp, k["clip"], low, high, k["dual_delta"])
    filled = torch.zeros_like(logp_NT).index_put((n, t), gain)
    filled, _ = grpo._trusted(
        filled,
        torch.where(mask, logp_NT, 0.0),
        torch.where(mask, old_logp_NT, 0.0),
        k["sampler_logp_NT"],
        adv_NT,
        mask,
        length_N[:, None],
        k["correction"],
        k["correction_cap"],
        k["off_policy_threshold"],
    )
    each, kl = -filled[n, t], None
    policy = each
    if k["kl"] != "none":
        kl = grpo.kl_estimate(logp, k["ref_logp_NT"][n, t].detach(), k["kl"])
        kl = torch.exp(logp - old) * kl if k["kl_unbiased"] else kl
        each = each + k["kl_coef"] * kl
    weight = 1 / length_N[n] if k["aggregation"] == "sequence_mean" else torch.ones_like(logp)
    units = k["normalizer"]
    if units is None:
        units = len(n) if k["aggregation"] == "token_mean" else int(kept.sum())
    below = max(float(units), 1.0) * (k["constant"] if k["aggregation"] == "constant" else 1.0)
    here = torch.ones_like(logp, dtype=torch.bool)
    told = grpo._metrics(log_ratio, adv, here, k["clip"], low, high, k["dual_delta"], kl)
    told |= {"sequences": float(kept.sum()), "policy_loss": float((policy * weight).sum().detach() / below)}
    return (each * weight).sum() / below, told
