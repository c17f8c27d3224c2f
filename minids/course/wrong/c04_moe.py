"""Chapter 04: what goes wrong in routers, experts and their balance, and other right ways to write them."""

import torch
import torch.nn.functional as F

from minids.course.wrong import alternative, wrong
from minids.model import moe

# -- route -------------------------------------------------------------------------------------------------------------


@wrong(
    "moe.route",
    mistake="gates were taken from score + bias",
    ask="The bias may decide who works. Which numbers may it not touch?",
    refused_by="the_bias_decides_who_works_but_not_what_it_counts",
)
def gates_from_biased_scores(scores_NE, bias_E, n_group, topk_group, top_k, norm, scaling):
    biased = scores_NE + bias_E
    indices = moe.mask_groups(biased, n_group, topk_group).topk(top_k, dim=-1).indices
    gates = biased.gather(1, indices)
    if norm:
        gates = gates / (gates.sum(-1, keepdim=True) + 1e-20)
    return indices, gates * scaling


@wrong(
    "moe.route",
    mistake="every expert as good as the K-th best worked, more than K of them where scores tie",
    ask="Four experts have the same score and K is 2. How many indices does the token get?",
    refused_by="of_experts_that_tie_exactly_k_work",
)
def all_at_or_above_the_kth(scores_NE, bias_E, n_group, topk_group, top_k, norm, scaling):
    choice_NE = moe.mask_groups(scores_NE.detach() + bias_E, n_group, topk_group)
    least_N1 = choice_NE.topk(top_k, dim=-1).values[:, -1:]
    indices_NK = (choice_NE >= least_N1).nonzero()[:, 1].view(len(scores_NE), top_k)
    gates_NK = scores_NE.gather(1, indices_NK)
    if norm:
        gates_NK = gates_NK / (gates_NK.sum(-1, keepdim=True) + 1e-20)
    return indices_NK, gates_NK * scaling


@wrong(
    "moe.route",
    mistake="the bias played no part",
    ask="An expert with too little work has a large bias. Where must that show?",
    refused_by="the_bias_decides_who_works_but_not_what_it_counts",
)
def without_the_bias(scores_NE, bias_E, n_group, topk_group, top_k, norm, scaling):
    indices = moe.mask_groups(scores_NE, n_group, topk_group).topk(top_k, dim=-1).indices
    gates = scores_NE.gather(1, indices)
    if norm:
        gates = gates / (gates.sum(-1, keepdim=True) + 1e-20)
    return indices, gates * scaling


@wrong(
    "moe.route",
    mistake="gates were divided by the sum over all experts, not over those chosen",
    ask="Which experts does the sum in the denominator run over? What should a token's gates add up to?",
    refused_by="normed_gates_add_up_to_the_scaling",
)
def normed_over_all(scores_NE, bias_E, n_group, topk_group, top_k, norm, scaling):
    indices = moe.mask_groups(scores_NE.detach() + bias_E, n_group, topk_group).topk(top_k, dim=-1).indices
    gates = scores_NE.gather(1, indices)
    if norm:
        gates = gates / (scores_NE.sum(-1, keepdim=True) + 1e-20)
    return indices, gates * scaling


@wrong(
    "moe.route",
    mistake="a softmax normed the gates",
    ask="The scores have been through a sigmoid already. What is left to do so that the gates add up to one?",
    refused_by="normed_gates_add_up_to_the_scaling",
)
def normed_by_softmax(scores_NE, bias_E, n_group, topk_group, top_k, norm, scaling):
    indices = moe.mask_groups(scores_NE.detach() + bias_E, n_group, topk_group).topk(top_k, dim=-1).indices
    gates = scores_NE.gather(1, indices)
    return indices, (gates.softmax(-1) if norm else gates) * scaling


@wrong(
    "moe.route",
    mistake="the scaling came before the division, which takes it out again",
    ask="If every gate is multiplied by 2.5 and then divided by the sum, what is left of the 2.5?",
    refused_by="normed_gates_add_up_to_the_scaling",
)
def scaled_too_early(scores_NE, bias_E, n_group, topk_group, top_k, norm, scaling):
    indices = moe.mask_groups(scores_NE.detach() + bias_E, n_group, topk_group).topk(top_k, dim=-1).indices
    gates = scores_NE.gather(1, indices) * scaling
    if norm:
        gates = gates / (gates.sum(-1, keepdim=True) + 1e-20)
    return indices, gates


@wrong(
    "moe.route",
    mistake="gates were always normed, whatever `norm` says",
    ask="What should the gates be when norm is False?",
    refused_by="the_best_k_by_score_and_their_gates",
)
def always_normed(scores_NE, bias_E, n_group, topk_group, top_k, norm, scaling):
    indices = moe.mask_groups(scores_NE.detach() + bias_E, n_group, topk_group).topk(top_k, dim=-1).indices
    gates = scores_NE.gather(1, indices)
    return indices, gates / (gates.sum(-1, keepdim=True) + 1e-20) * scaling


@wrong(
    "moe.route",
    mistake="experts of all groups took part",
    ask="Which function takes out the groups that a token may not visit, and where is it called?",
    refused_by="only_the_best_groups_take_part",
)
def without_groups(scores_NE, bias_E, n_group, topk_group, top_k, norm, scaling):
    indices = (scores_NE.detach() + bias_E).topk(top_k, dim=-1).indices
    gates = scores_NE.gather(1, indices)
    if norm:
        gates = gates / (gates.sum(-1, keepdim=True) + 1e-20)
    return indices, gates * scaling


@wrong(
    "moe.route",
    mistake="groups were chosen by scores without the bias, which was added afterwards",
    ask="A group full of overloaded experts: should tokens still find it the best one?",
    refused_by="the_bias_takes_part_in_the_choice_of_groups",
)
def groups_without_the_bias(scores_NE, bias_E, n_group, topk_group, top_k, norm, scaling):
    choice = moe.mask_groups(scores_NE.detach(), n_group, topk_group) + bias_E
    indices = choice.topk(top_k, dim=-1).indices
    gates = scores_NE.gather(1, indices)
    if norm:
        gates = gates / (gates.sum(-1, keepdim=True) + 1e-20)
    return indices, gates * scaling


@wrong(
    "moe.route",
    mistake="the gates were cut off from the gradient",
    ask="The choice needs no gradient. If the gates have none either, how does the router learn?",
    refused_by="the_gradient_goes_through_gates_alone",
)
def gates_without_gradient(scores_NE, bias_E, n_group, topk_group, top_k, norm, scaling):
    scores = scores_NE.detach()
    indices = moe.mask_groups(scores + bias_E, n_group, topk_group).topk(top_k, dim=-1).indices
    gates = scores.gather(1, indices)
    if norm:
        gates = gates / (gates.sum(-1, keepdim=True) + 1e-20)
    return indices, gates * scaling


@wrong(
    "moe.route",
    mistake="the sum that the gates are divided by had no gradient",
    ask="A share has two slopes: one of the part, one of the whole. Which of them do you cut off?",
    refused_by="normed_gates_have_the_gradient_of_a_share",
)
def sum_detached(scores_NE, bias_E, n_group, topk_group, top_k, norm, scaling):
    indices = moe.mask_groups(scores_NE.detach() + bias_E, n_group, topk_group).topk(top_k, dim=-1).indices
    gates = scores_NE.gather(1, indices)
    if norm:
        gates = gates / (gates.detach().sum(-1, keepdim=True) + 1e-20)
    return indices, gates * scaling


@wrong(
    "moe.route",
    mistake="the bias got a gradient, through biased scores from which it is taken off again",
    ask="The bias is moved by a rule of its own. Why should the loss move it too?",
    refused_by="gradients_with_groups_and_a_bias",
)
def bias_with_a_gradient(scores_NE, bias_E, n_group, topk_group, top_k, norm, scaling):
    biased = scores_NE + bias_E
    indices = moe.mask_groups(biased.detach(), n_group, topk_group).topk(top_k, dim=-1).indices
    gates = (biased - bias_E.detach()).gather(1, indices)
    if norm:
        gates = gates / (gates.sum(-1, keepdim=True) + 1e-20)
    return indices, gates * scaling


@wrong(
    "moe.route",
    mistake="1e-6 were added to the sum of the gates",
    ask="Sigmoids can be small. How much is 1e-6 beside a sum of 1e-11?",
    refused_by="tiny_scores_are_normed_too_and_scores_of_zero_make_no_nan",
)
def a_larger_epsilon(scores_NE, bias_E, n_group, topk_group, top_k, norm, scaling):
    indices = moe.mask_groups(scores_NE.detach() + bias_E, n_group, topk_group).topk(top_k, dim=-1).indices
    gates = scores_NE.gather(1, indices)
    if norm:
        gates = gates / (gates.sum(-1, keepdim=True) + 1e-6)
    return indices, gates * scaling


@alternative("moe.route")
def by_argsort(scores_NE, bias_E, n_group, topk_group, top_k, norm, scaling):
    with torch.no_grad():
        order = moe.mask_groups(scores_NE + bias_E, n_group, topk_group).argsort(dim=-1, descending=True)
        indices = order[:, :top_k].sort(dim=-1).values
    gates = torch.take_along_dim(scores_NE, indices, dim=-1)
    total = gates.sum(-1, keepdim=True).clamp(min=1e-20) if norm else 1.0
    return indices, scaling * gates / total


@alternative("moe.route")
def by_mask(scores_NE, bias_E, n_group, topk_group, top_k, norm, scaling):
    best = torch.topk(moe.mask_groups((scores_NE + bias_E).detach(), n_group, topk_group), top_k).indices
    masked = scores_NE * F.one_hot(best, scores_NE.shape[1]).sum(1)
    if norm:
        masked = masked / (masked.sum(1, keepdim=True) + 1e-20)
    return best, (masked * scaling).gather(1, best)


@alternative("moe.route")
def token_by_token(scores_NE, bias_E, n_group, topk_group, top_k, norm, scaling):
    choice = moe.mask_groups(scores_NE.detach() + bias_E, n_group, topk_group)
    indices = torch.stack([torch.sort(row, descending=True).indices[:top_k] for row in choice])
    gates = torch.stack([s[i] / (s[i].sum() + 1e-20) if norm else s[i] for s, i in zip(scores_NE, indices)])
    return indices, gates * scaling


# -- mask_groups ------------------------------------------------------------------------------------------------------


@wrong(
    "moe.groups",
    mistake="experts that are shut out got the score 0",
    ask="A biased score can be any number. When does 0 win against it?",
    refused_by="negative_scores_too",
)
def a_limit_that_leaks(choice_NE, n_group, topk_group):
    if topk_group >= n_group:
        return choice_NE
    N, E = choice_NE.shape
    choice_NGX = choice_NE.view(N, n_group, E // n_group)
    # each group's score, and which groups are the best
    group_scores_NG = choice_NGX.topk(2, dim=-1).values.sum(-1)
    best = group_scores_NG.topk(topk_group, dim=-1).indices
    # True where a group is out
    out_NG = torch.ones_like(group_scores_NG, dtype=torch.bool).scatter_(1, best, False)
    return choice_NGX.masked_fill(out_NG[..., None], 0.0).view(N, E)


def _limited(choice_NE, n_group, topk_group, score, out=float("-inf"), largest=True):
    """The pattern, for a way to score the groups: [N, G, X] -> [N, G]."""
    if topk_group >= n_group:
        return choice_NE
    choice_NGX = choice_NE.view(len(choice_NE), n_group, -1)
    best = score(choice_NGX).topk(topk_group, dim=-1, largest=largest).indices
    out_NG = torch.ones(choice_NGX.shape[:2], dtype=torch.bool).scatter_(1, best, False)
    return choice_NGX.masked_fill(out_NG[..., None], out).view(choice_NE.shape)


def _two_best(choice_NGX):
    return choice_NGX.topk(2, dim=-1).values.sum(-1)


@wrong(
    "moe.groups",
    mistake="of a group whose two best are equal only one counted",
    ask="Two experts of a group have the same score, and it is the highest. What do they add up to?",
    refused_by="two_best_that_are_equal_count_both",
)
def equal_ones_counted_once(choice_NE, n_group, topk_group):
    def second_below_the_best(choice_NGX):
        best = choice_NGX.amax(-1, keepdim=True)
        return best[..., 0] + choice_NGX.masked_fill(choice_NGX == best, float("-inf")).amax(-1)

    return _limited(choice_NE, n_group, topk_group, second_below_the_best)


@wrong(
    "moe.groups",
    mistake="scores in bfloat16 came back in float32",
    ask="Which type has what torch.where makes of bfloat16 and float32?",
    refused_by="in_other_types_and_for_a_single_token",
)
def in_the_type_of_the_filler(choice_NE, n_group, topk_group):
    limited = _limited(choice_NE, n_group, topk_group, _two_best)
    return limited if topk_group >= n_group else torch.where(limited == limited, limited, torch.zeros(1))


@wrong(
    "moe.groups",
    mistake="a group's score was its best expert alone",
    ask="A token sends work to several experts of a node. How many of them does a group's score look at?",
    refused_by="a_group_counts_by_its_two_best",
)
def by_the_best_alone(choice_NE, n_group, topk_group):
    return _limited(choice_NE, n_group, topk_group, lambda c: c.amax(-1))


@wrong(
    "moe.groups",
    mistake="a group's score was the sum over all of its experts",
    ask="Experts that a token would never choose: should they count for their group?",
    refused_by="a_group_counts_by_its_two_best",
)
def by_the_sum_of_all(choice_NE, n_group, topk_group):
    return _limited(choice_NE, n_group, topk_group, lambda c: c.sum(-1))


@wrong(
    "moe.groups",
    mistake="the weakest groups were kept",
    ask="Which end of the ranking does your top-k take?",
    refused_by="the_best_two_groups_of_three",
)
def the_weakest(choice_NE, n_group, topk_group):
    return _limited(choice_NE, n_group, topk_group, _two_best, largest=False)


@wrong(
    "moe.groups",
    mistake="the best groups were shut out and the others kept",
    ask="What does True mean in your mask: in, or out?",
    refused_by="the_best_two_groups_of_three",
)
def upside_down(choice_NE, n_group, topk_group):
    if topk_group >= n_group:
        return choice_NE
    choice_NGX = choice_NE.view(len(choice_NE), n_group, -1)
    best = _two_best(choice_NGX).topk(topk_group, dim=-1).indices
    out_NG = torch.zeros(choice_NGX.shape[:2], dtype=torch.bool).scatter_(1, best, True)
    return choice_NGX.masked_fill(out_NG[..., None], float("-inf")).view(choice_NE.shape)


@wrong(
    "moe.groups",
    mistake="expert e were of group e modulo n_group",
    ask="Which experts are of group 0: the first ones, or every n_group-th?",
    refused_by="the_best_two_groups_of_three",
)
def interleaved(choice_NE, n_group, topk_group):
    turned = choice_NE.view(len(choice_NE), -1, n_group).transpose(1, 2).reshape(choice_NE.shape)
    kept = _limited(turned, n_group, topk_group, _two_best)
    return kept.view(len(choice_NE), n_group, -1).transpose(1, 2).reshape(choice_NE.shape)


@wrong(
    "moe.groups",
    mistake="all tokens had to go to the same groups",
    ask="Whose scores is a group's score made of: one token's, or the batch's?",
    refused_by="negative_scores_too",
)
def the_same_for_all(choice_NE, n_group, topk_group):
    return _limited(choice_NE, n_group, topk_group, lambda c: _two_best(c).mean(0, keepdim=True).expand(len(c), -1))


@wrong(
    "moe.groups",
    mistake="the scores that came in were overwritten",
    ask="Which of masked_fill and masked_fill_ gives a new tensor?",
    refused_by="negative_scores_too",
)
def in_place(choice_NE, n_group, topk_group):
    return choice_NE.copy_(_limited(choice_NE, n_group, topk_group, _two_best))


@wrong(
    "moe.groups",
    mistake="every group as good as the last one that stays stayed too",
    ask="Four groups are equally good, and two may stay. How many does a threshold let through?",
    refused_by="of_groups_that_tie_no_more_than_the_best_stay",
)
def by_a_threshold(choice_NE, n_group, topk_group):
    choice_NGX = choice_NE.view(len(choice_NE), n_group, -1)
    score_NG = _two_best(choice_NGX)
    least = score_NG.topk(topk_group, dim=-1).values[:, -1:]
    return choice_NGX.masked_fill((score_NG < least)[..., None], float("-inf")).view(choice_NE.shape)


@wrong(
    "moe.groups",
    mistake="experts that are shut out got the score -1",
    ask="Is -1 below every biased score? The bias has no lower end.",
    refused_by="negative_scores_too",
)
def out_is_minus_one(choice_NE, n_group, topk_group):
    return _limited(choice_NE, n_group, topk_group, _two_best, out=-1.0)


@alternative("moe.groups")
def with_where(choice_NE, n_group, topk_group):
    size = choice_NE.shape[1] // n_group
    strength = torch.stack([g.sort(-1).values[:, -2:].sum(-1) for g in choice_NE.split(size, dim=1)], dim=1)
    keep = F.one_hot(strength.argsort(dim=1, descending=True)[:, :topk_group], n_group).sum(1).bool()
    return torch.where(keep.repeat_interleave(size, dim=1), choice_NE, float("-inf"))


@alternative("moe.groups")
def with_the_lowest_finite_number(choice_NE, n_group, topk_group):
    return _limited(choice_NE, n_group, topk_group, _two_best, out=torch.finfo(choice_NE.dtype).min)


@alternative("moe.groups")
def row_by_row(choice_NE, n_group, topk_group):
    size, out = choice_NE.shape[1] // n_group, torch.full_like(choice_NE, float("-inf"))
    for n, row in enumerate(choice_NE):
        groups = [(sum(sorted(g.tolist())[-2:]), i) for i, g in enumerate(row.split(size))]
        for _, i in sorted(groups)[-topk_group:]:
            out[n, i * size : (i + 1) * size] = row[i * size : (i + 1) * size]
    return out


# -- experts_loop ------------------------------------------------------------------------------------------------------


def _looped(x_ND, indices_NK, gates_NK, w_gate_up_EXD, w_down_EDF, hidden, join=None):
    """The loop, with hidden(x of the tokens, w_gate_up) -> [n, F] put in; `join` (token, slot, y) -> what is added."""
    out = torch.zeros_like(x_ND)
    for e in range(len(w_gate_up_EXD)):
        token, slot = torch.where(indices_NK == e)
        y = hidden(x_ND[token], w_gate_up_EXD[e]) @ w_down_EDF[e].T
        out = out.index_add(0, token, join(token, slot, y) if join else y * gates_NK[token, slot, None])
    return out


def _swiglu(x, w_gate_up):
    gate, up = (x @ w_gate_up.T).chunk(2, dim=-1)
    return F.silu(gate) * up


@wrong(
    "moe.experts",
    mistake="every chosen expert counted fully, without its gate",
    ask="Two experts worked for a token. How much does each one's answer count?",
    refused_by="one_expert_worked_by_hand",
)
def without_gates(x_ND, indices_NK, gates_NK, w_gate_up_EXD, w_down_EDF):
    return _looped(x_ND, indices_NK, gates_NK, w_gate_up_EXD, w_down_EDF, _swiglu, lambda token, slot, y: y)


@wrong(
    "moe.experts",
    mistake="gate and up were exchanged",
    ask="Which half of w_gate_up goes through silu: the upper rows or the lower ones?",
    refused_by="one_expert_worked_by_hand",
)
def gate_and_up_exchanged(x_ND, indices_NK, gates_NK, w_gate_up_EXD, w_down_EDF):
    def hidden(x, w):
        up, gate = (x @ w.T).chunk(2, dim=-1)
        return F.silu(gate) * up

    return _looped(x_ND, indices_NK, gates_NK, w_gate_up_EXD, w_down_EDF, hidden)


@wrong(
    "moe.experts",
    mistake="gate and up rows took turns in w_gate_up",
    ask="The docstring says how gate and up rows lie. Which rows does your slice take?",
    refused_by="equals_one_token_at_a_time",
)
def gate_and_up_interleaved(x_ND, indices_NK, gates_NK, w_gate_up_EXD, w_down_EDF):
    def hidden(x, w):
        both = x @ w.T
        return F.silu(both[:, 0::2]) * both[:, 1::2]

    return _looped(x_ND, indices_NK, gates_NK, w_gate_up_EXD, w_down_EDF, hidden)


@wrong(
    "moe.experts",
    mistake="silu were the sigmoid alone",
    ask="silu(z) is z times something. What is missing?",
    refused_by="one_expert_worked_by_hand",
)
def sigmoid_only(x_ND, indices_NK, gates_NK, w_gate_up_EXD, w_down_EDF):
    def hidden(x, w):
        gate, up = (x @ w.T).chunk(2, dim=-1)
        return torch.sigmoid(gate) * up

    return _looped(x_ND, indices_NK, gates_NK, w_gate_up_EXD, w_down_EDF, hidden)


@wrong(
    "moe.experts",
    mistake="a later expert's answer replaced an earlier one's instead of being added",
    ask="A token has K experts. What does `out[token] = y` do the second time?",
    refused_by="equals_one_token_at_a_time",
)
def the_last_one_wins(x_ND, indices_NK, gates_NK, w_gate_up_EXD, w_down_EDF):
    out = torch.zeros_like(x_ND)
    for e in range(len(w_gate_up_EXD)):
        token, slot = torch.where(indices_NK == e)
        y = _swiglu(x_ND[token], w_gate_up_EXD[e]) @ w_down_EDF[e].T * gates_NK[token, slot, None]
        out = out.index_copy(0, token, y)
    return out


@wrong(
    "moe.experts",
    mistake="only a token's first choice worked",
    ask="indices has K columns. How many of them do you look into?",
    refused_by="equals_one_token_at_a_time",
)
def only_the_first_choice(x_ND, indices_NK, gates_NK, w_gate_up_EXD, w_down_EDF):
    return _looped(x_ND, indices_NK[:, :1], gates_NK[:, :1], w_gate_up_EXD, w_down_EDF, _swiglu)


@wrong(
    "moe.experts",
    mistake="every expert used the gate of the token's first choice",
    ask="An expert can be a token's first choice or its third. Which column of gates belongs to it?",
    refused_by="equals_one_token_at_a_time",
)
def the_gate_of_the_first_choice(x_ND, indices_NK, gates_NK, w_gate_up_EXD, w_down_EDF):
    return _looped(
        x_ND, indices_NK, gates_NK, w_gate_up_EXD, w_down_EDF, _swiglu, lambda token, slot, y: y * gates_NK[token, :1]
    )


@wrong(
    "moe.experts",
    mistake="the gate multiplied the input of the expert instead of its output",
    ask="silu(2z) is not 2 silu(z). On which side of the expert does the gate belong?",
    refused_by="one_expert_worked_by_hand",
)
def gates_on_the_input(x_ND, indices_NK, gates_NK, w_gate_up_EXD, w_down_EDF):
    out = torch.zeros_like(x_ND)
    for e in range(len(w_gate_up_EXD)):
        token, slot = torch.where(indices_NK == e)
        x = x_ND[token] * gates_NK[token, slot, None]
        out = out.index_add(0, token, _swiglu(x, w_gate_up_EXD[e]) @ w_down_EDF[e].T)
    return out


@wrong(
    "moe.experts",
    mistake="no gradient reached the gates",
    ask="The router learns from one thing only. Where is it cut off?",
    refused_by="gradients_of_x_gates_and_weights",
)
def gates_detached(x_ND, indices_NK, gates_NK, w_gate_up_EXD, w_down_EDF):
    return _looped(x_ND, indices_NK, gates_NK.detach(), w_gate_up_EXD, w_down_EDF, _swiglu)


@wrong(
    "moe.experts",
    mistake="the answers were averaged over the K experts",
    ask="The gates say already how much each expert counts. What else divides the sum?",
    refused_by="equals_one_token_at_a_time",
)
def averaged(x_ND, indices_NK, gates_NK, w_gate_up_EXD, w_down_EDF):
    return _looped(x_ND, indices_NK, gates_NK / gates_NK.shape[1], w_gate_up_EXD, w_down_EDF, _swiglu)


@wrong(
    "moe.experts",
    mistake="the loop ended at the first expert without tokens",
    ask="An expert without tokens: what happens to those behind it?",
    refused_by="experts_that_nobody_chose",
)
def ends_at_an_idle_one(x_ND, indices_NK, gates_NK, w_gate_up_EXD, w_down_EDF):
    idle = next((e for e in range(len(w_down_EDF)) if not (indices_NK == e).any()), len(w_down_EDF))
    return _looped(x_ND, indices_NK, gates_NK, w_gate_up_EXD[:idle], w_down_EDF, _swiglu)


@wrong(
    "moe.experts",
    mistake="an expert with more than twice its fair share of tokens dropped the rest",
    ask="Some models drop tokens. Does the sum of the docstring leave any out?",
    refused_by="all_tokens_may_choose_the_same_experts",
)
def drops_tokens(x_ND, indices_NK, gates_NK, w_gate_up_EXD, w_down_EDF):
    room = max(4, 2 * indices_NK.numel() // len(w_down_EDF))
    out = torch.zeros_like(x_ND)
    for e in range(len(w_down_EDF)):
        token, slot = (z[:room] for z in torch.where(indices_NK == e))
        y = _swiglu(x_ND[token], w_gate_up_EXD[e]) @ w_down_EDF[e].T
        out = out.index_add(0, token, y * gates_NK[token, slot, None])
    return out


@alternative("moe.experts")
def all_experts_on_all_tokens(x_ND, indices_NK, gates_NK, w_gate_up_EXD, w_down_EDF):
    gates_NE = torch.zeros(len(x_ND), len(w_down_EDF), dtype=x_ND.dtype).scatter(1, indices_NK, gates_NK)
    gate, up = torch.einsum("nd,exd->nex", x_ND, w_gate_up_EXD).chunk(2, dim=-1)
    return torch.einsum("nef,edf,ne->nd", F.silu(gate) * up, w_down_EDF, gates_NE)


@alternative("moe.experts")
def the_weights_of_each_choice(x_ND, indices_NK, gates_NK, w_gate_up_EXD, w_down_EDF):
    gate, up = torch.einsum("nd,nkxd->nkx", x_ND, w_gate_up_EXD[indices_NK]).chunk(2, dim=-1)
    y_NKD = torch.einsum("nkf,nkdf->nkd", F.silu(gate) * up, w_down_EDF[indices_NK])
    return (y_NKD * gates_NK[..., None]).sum(1)


@alternative("moe.experts")
def one_choice_after_another(x_ND, indices_NK, gates_NK, w_gate_up_EXD, w_down_EDF):
    out = torch.zeros_like(x_ND)
    for k in range(indices_NK.shape[1]):
        for e in indices_NK[:, k].unique().tolist():
            rows = (indices_NK[:, k] == e).nonzero()[:, 0]
            y = _swiglu(x_ND[rows], w_gate_up_EXD[e]) @ w_down_EDF[e].T
            out[rows] = out[rows] + y * gates_NK[rows, k][:, None]
    return out


# -- permute_tokens ----------------------------------------------------------------------------------------------------


def _slots(indices_NK, experts, multiple):
    """What the wrong versions begin with: flat choices, counts, rounded sizes, and the order."""
    chosen = indices_NK.reshape(-1)
    count = torch.bincount(chosen, minlength=experts)
    size = (count + multiple - 1) // multiple * multiple
    return chosen, count, size, chosen.argsort(stable=True)


def _placed(indices_NK, order, row, total):
    token = order.new_zeros(total).index_copy_(0, row, order // indices_NK.shape[1])
    return token, torch.empty_like(order).index_copy_(0, order, row).view(indices_NK.shape)


@wrong(
    "moe.permute",
    mistake="slices were rounded up, but the rows ran on as if they were not",
    ask="The slice before this one has rows that only fill up. Where does this slice begin?",
    refused_by="the_example_of_the_docstring",
)
def rows_without_gaps(indices_NK, experts, multiple):
    chosen, count, size, order = _slots(indices_NK, experts, multiple)
    return size.tolist(), *_placed(indices_NK, order, torch.arange(len(order)), int(size.sum()))


@wrong(
    "moe.permute",
    mistake="a slice that is a multiple already got another one on top",
    ask="Which number should 4 be rounded up to when the multiple is 2?",
    refused_by="the_example_of_the_docstring",
)
def always_one_more(indices_NK, experts, multiple):
    chosen, count, _, order = _slots(indices_NK, experts, multiple)
    size = (count // multiple + 1) * multiple
    shift = (size.cumsum(0) - size) - (count.cumsum(0) - count)
    return size.tolist(), *_placed(indices_NK, order, torch.arange(len(order)) + shift[chosen[order]], int(size.sum()))


@wrong(
    "moe.permute",
    mistake="token_M held the number of the choice, not of the token",
    ask="Choice 5 of a table with two columns: whose choice is it?",
    refused_by="the_example_of_the_docstring",
)
def choices_for_tokens(indices_NK, experts, multiple):
    chosen, count, size, order = _slots(indices_NK, experts, multiple)
    shift = (size.cumsum(0) - size) - (count.cumsum(0) - count)
    row = torch.arange(len(order)) + shift[chosen[order]]
    token = order.new_zeros(int(size.sum())).index_copy_(0, row, order)
    return size.tolist(), token, torch.empty_like(order).index_copy_(0, order, row).view(indices_NK.shape)


@wrong(
    "moe.permute",
    mistake="the remainder by K named the token, where the quotient does",
    ask="Flat choices 0, 1 are of token 0, choices 2, 3 of token 1. Which operation says so?",
    refused_by="the_example_of_the_docstring",
)
def remainder_for_quotient(indices_NK, experts, multiple):
    chosen, count, size, order = _slots(indices_NK, experts, multiple)
    shift = (size.cumsum(0) - size) - (count.cumsum(0) - count)
    row = torch.arange(len(order)) + shift[chosen[order]]
    token = order.new_zeros(int(size.sum())).index_copy_(0, row, order % indices_NK.shape[1])
    return size.tolist(), token, torch.empty_like(order).index_copy_(0, order, row).view(indices_NK.shape)


@wrong(
    "moe.permute",
    mistake="row_NK were the order of the sort instead of its inverse",
    ask="argsort says which choice stands in a row. row_NK asks the other way round: how do you turn it around?",
    refused_by="the_example_of_the_docstring",
)
def order_for_place(indices_NK, experts, multiple):
    chosen, count, size, order = _slots(indices_NK, experts, multiple)
    shift = (size.cumsum(0) - size) - (count.cumsum(0) - count)
    token, _ = _placed(indices_NK, order, torch.arange(len(order)) + shift[chosen[order]], int(size.sum()))
    return size.tolist(), token, (order + shift[chosen]).view(indices_NK.shape)


@wrong(
    "moe.permute",
    mistake="the rows that fill up came first in a slice",
    ask="Where in its slice should an expert's first token stand?",
    refused_by="the_example_of_the_docstring",
)
def filled_up_in_front(indices_NK, experts, multiple):
    chosen, count, size, order = _slots(indices_NK, experts, multiple)
    shift = size.cumsum(0) - count.cumsum(0)
    return size.tolist(), *_placed(indices_NK, order, torch.arange(len(order)) + shift[chosen[order]], int(size.sum()))


@wrong(
    "moe.permute",
    mistake="sizes were the counts before rounding up",
    ask="Whoever cuts M rows into slices needs sizes that add up to what?",
    refused_by="the_example_of_the_docstring",
)
def sizes_not_rounded(indices_NK, experts, multiple):
    chosen, count, size, order = _slots(indices_NK, experts, multiple)
    shift = (size.cumsum(0) - size) - (count.cumsum(0) - count)
    return count.tolist(), *_placed(indices_NK, order, torch.arange(len(order)) + shift[chosen[order]], int(size.sum()))


@wrong(
    "moe.permute",
    mistake="experts after the last one that was chosen did not exist",
    ask="How many numbers does bincount give when nobody chose the last expert?",
    refused_by="experts_without_tokens_have_no_rows",
)
def without_the_idle_ones(indices_NK, experts, multiple):
    chosen, count, size, order = _slots(indices_NK, 0, multiple)
    shift = (size.cumsum(0) - size) - (count.cumsum(0) - count)
    return size.tolist(), *_placed(indices_NK, order, torch.arange(len(order)) + shift[chosen[order]], int(size.sum()))


@wrong(
    "moe.permute",
    mistake="an expert without tokens got a slice of rows that only fill up",
    ask="What is 0 rounded up to a multiple of 4?",
    refused_by="experts_without_tokens_have_no_rows",
)
def at_least_one_block(indices_NK, experts, multiple):
    chosen, count, size, order = _slots(indices_NK, experts, multiple)
    size = size.clamp(min=multiple)
    shift = (size.cumsum(0) - size) - (count.cumsum(0) - count)
    return size.tolist(), *_placed(indices_NK, order, torch.arange(len(order)) + shift[chosen[order]], int(size.sum()))


@wrong(
    "moe.permute",
    mistake="rows that only fill up held -1 in token_M",
    ask="Somebody will read x[token_M]. Which token does -1 name, and which does the docstring ask for?",
    refused_by="the_example_of_the_docstring",
)
def filled_with_minus_one(indices_NK, experts, multiple):
    chosen, count, size, order = _slots(indices_NK, experts, multiple)
    shift = (size.cumsum(0) - size) - (count.cumsum(0) - count)
    row = torch.arange(len(order)) + shift[chosen[order]]
    token, place = _placed(indices_NK, order, row, int(size.sum()))
    return size.tolist(), torch.full_like(token, -1).index_copy_(0, row, token[row]), place


@wrong(
    "moe.permute",
    mistake="choices were counted column by column: choice c is of token c modulo N",
    ask="reshape(-1) of [N, K]: what comes after the first token's first choice?",
    refused_by="the_example_of_the_docstring",
)
def column_by_column(indices_NK, experts, multiple):
    chosen, count, size, order = _slots(indices_NK, experts, multiple)
    shift = (size.cumsum(0) - size) - (count.cumsum(0) - count)
    row = torch.arange(len(order)) + shift[chosen[order]]
    token = order.new_zeros(int(size.sum())).index_copy_(0, row, order % max(1, len(indices_NK)))
    return size.tolist(), token, torch.empty_like(order).index_copy_(0, order, row).view(indices_NK.shape)


@alternative("moe.permute")
def with_lists(indices_NK, experts, multiple):
    sizes, tokens, place = [], [], torch.zeros_like(indices_NK)
    for e in range(experts):
        begin = len(tokens)
        for n, k in (indices_NK == e).nonzero().tolist():
            place[n, k] = len(tokens)
            tokens.append(n)
        tokens += [0] * (-(len(tokens) - begin) % multiple)
        sizes.append(len(tokens) - begin)
    return sizes, torch.tensor(tokens, dtype=torch.int64), place


@alternative("moe.permute")
def with_one_hot(indices_NK, experts, multiple):
    N, K = indices_NK.shape
    hot = F.one_hot(indices_NK.flatten(), experts)
    size = -(-hot.sum(0) // multiple) * multiple
    begin = F.pad(size.cumsum(0), (1, 0))[:-1]
    rank = (hot.cumsum(0) - hot).gather(1, indices_NK.reshape(-1, 1))[:, 0]
    place = begin[indices_NK.flatten()] + rank
    token = torch.zeros(int(size.sum()), dtype=torch.int64)
    token[place] = torch.arange(N).repeat_interleave(K)
    return [int(s) for s in size], token, place.view(N, K)


@alternative("moe.permute")
def from_the_last_token_on(indices_NK, experts, multiple):
    sizes, tokens, place = [], [], torch.full_like(indices_NK, -1)
    for e in range(experts):
        n, k = torch.where(indices_NK == e)
        place[n, k] = sum(sizes) + torch.arange(len(n)).flip(0)
        fill = -len(n) % multiple
        tokens.append(F.pad(n.flip(0), (0, fill)))
        sizes.append(len(n) + fill)
    return sizes, torch.cat(tokens), place


# -- bias_step ---------------------------------------------------------------------------------------------------------


@wrong(
    "moe.bias",
    mistake="the sign was the other way round: who has much gets more",
    ask="An expert is overloaded. Should the next tokens find it more attractive, or less?",
    refused_by="too_little_work_goes_up_and_too_much_goes_down",
)
def who_has_gets_more(bias_E, count_E, gamma):
    return bias_E + gamma * torch.sign(count_E - count_E.mean()).to(bias_E.dtype)


@wrong(
    "moe.bias",
    mistake="the step grew with the distance from the mean",
    ask="The rule uses the distance from the mean, but only one thing of it. Which?",
    refused_by="the_step_is_gamma_however_far_off",
)
def as_far_as_it_is_off(bias_E, count_E, gamma):
    return bias_E + gamma * ((count_E.mean() - count_E) / count_E.mean()).to(bias_E.dtype)


@wrong(
    "moe.bias",
    mistake="loads were compared with their median",
    ask="Half of the experts are always below the median. Which middle makes the total work fit?",
    refused_by="compared_with_the_mean_load",
)
def the_median(bias_E, count_E, gamma):
    return bias_E + gamma * torch.sign(count_E.median() - count_E).to(bias_E.dtype)


@wrong(
    "moe.bias",
    mistake="only underloaded experts moved",
    ask="What happens to the bias of an expert that has too much work?",
    refused_by="too_little_work_goes_up_and_too_much_goes_down",
)
def only_upwards(bias_E, count_E, gamma):
    return bias_E + gamma * torch.sign(count_E.mean() - count_E).clamp(min=0).to(bias_E.dtype)


@wrong(
    "moe.bias",
    mistake="an expert with exactly the mean load was pushed down too",
    ask="What is the sign of zero, and what does your comparison make of it?",
    refused_by="even_loads_leave_it_alone",
)
def nobody_stays(bias_E, count_E, gamma):
    return bias_E + torch.where(count_E < count_E.mean(), gamma, -gamma).to(bias_E.dtype)


@wrong(
    "moe.bias",
    mistake="the bias was changed in place",
    ask="The docstring asks for a new tensor. Which operation of yours writes into the old one?",
    refused_by="a_new_tensor_in_the_dtype_of_the_bias",
)
def written_into(bias_E, count_E, gamma):
    return bias_E.add_(gamma * torch.sign(count_E.mean() - count_E).to(bias_E.dtype))


@wrong(
    "moe.bias",
    mistake="the counts' float64 went over into the bias",
    ask="What dtype is float32 + float64, and which one has the bias?",
    refused_by="a_new_tensor_in_the_dtype_of_the_bias",
)
def twice_as_wide(bias_E, count_E, gamma):
    return bias_E + gamma * torch.sign(count_E.mean() - count_E)


@wrong(
    "moe.bias",
    mistake="the bias was multiplied by 1 + gamma or 1 - gamma",
    ask="All biases start at 0. How can yours ever leave it?",
    refused_by="too_little_work_goes_up_and_too_much_goes_down",
)
def by_a_factor(bias_E, count_E, gamma):
    return bias_E * (1 + gamma * torch.sign(count_E.mean() - count_E)).to(bias_E.dtype)


@wrong(
    "moe.bias",
    mistake="the mean were rounded down to a whole number of tokens",
    ask="Loads of 2 and 3: what is their mean, and who lies below it?",
    refused_by="the_mean_need_not_be_a_whole_number",
)
def a_whole_mean(bias_E, count_E, gamma):
    return bias_E + gamma * torch.sign(count_E.sum() // len(count_E) - count_E).to(bias_E.dtype)


@wrong(
    "moe.bias",
    mistake="loads were compared in float32, where large numbers of tokens look alike",
    ask="The counts come in float64. Which numbers above 2^24 does float32 have?",
    refused_by="large_loads_are_compared_to_the_last_token",
)
def counted_in_float32(bias_E, count_E, gamma):
    count_E = count_E.to(bias_E.dtype)
    return bias_E + gamma * torch.sign(count_E.mean() - count_E)


@wrong(
    "moe.bias",
    mistake="the mean were taken over experts that got something",
    ask="An expert without any work: does the mean load not concern it?",
    refused_by="experts_without_tokens_count_in_the_mean",
)
def mean_of_the_busy(bias_E, count_E, gamma):
    mean = count_E.sum() / (count_E > 0).sum().clamp(min=1)
    return bias_E + gamma * torch.sign(mean - count_E).to(bias_E.dtype)


@alternative("moe.bias")
def with_comparisons(bias_E, count_E, gamma):
    mean = count_E.mean()
    return bias_E + gamma * ((count_E < mean).to(bias_E.dtype) - (count_E > mean).to(bias_E.dtype))


@alternative("moe.bias")
def with_sums_for_means(bias_E, count_E, gamma):
    gap = count_E.sum() - len(count_E) * count_E
    return torch.where(gap > 0, bias_E + gamma, torch.where(gap < 0, bias_E - gamma, bias_E))


@alternative("moe.bias")
def one_by_one(bias_E, count_E, gamma):
    mean, new = count_E.mean().item(), bias_E.clone()
    for e, count in enumerate(count_E.tolist()):
        if count != mean:
            new[e] += gamma if count < mean else -gamma
    return new


# -- balance_loss ------------------------------------------------------------------------------------------------------


def _texts(scores_NE, rows_N, n_rows):
    """The token numbers of each text that has any."""
    found = [(rows_N == r).nonzero()[:, 0] for r in range(n_rows)]
    return [rows for rows in found if len(rows)]


def _f(scores, indices):
    """E / (K T) * counts of one text."""
    E = scores.shape[1]
    return torch.bincount(indices.flatten(), minlength=E).to(scores.dtype) * (E / indices.numel())


def _loss(scores_NE, indices_NK, rows_N, n_rows, of_text=None):
    """The mean over texts of of_text(scores, indices), eq. 17 if there is none."""

    def eq_17(s, i):
        return (_f(s, i) * (s / s.sum(-1, keepdim=True)).mean(0)).sum()

    texts, total = _texts(scores_NE, rows_N, n_rows), scores_NE.new_zeros(())
    for t in texts:
        total = total + (of_text or eq_17)(scores_NE[t], indices_NK[t])
    return total / max(1, len(texts))


@wrong(
    "moe.balance_loss",
    mistake="P were the mean of the scores, not of their shares",
    ask="A token whose scores are all 0.3 spreads its attention evenly. What is its s_i / sum of s?",
    refused_by="is_one_when_all_is_even",
)
def scores_not_shares(scores_NE, indices_NK, rows_N, n_rows):
    return _loss(scores_NE, indices_NK, rows_N, n_rows, lambda s, i: (_f(s, i) * s.mean(0)).sum())


@wrong(
    "moe.balance_loss",
    mistake="shares came from a softmax over the scores",
    ask="The scores are sigmoids already. What makes shares of them that add up to 1, without another exp?",
    refused_by="all_tokens_on_two_of_four",
)
def softmax_shares(scores_NE, indices_NK, rows_N, n_rows):
    return _loss(scores_NE, indices_NK, rows_N, n_rows, lambda s, i: (_f(s, i) * s.softmax(-1).mean(0)).sum())


@wrong(
    "moe.balance_loss",
    mistake="f had E in it but not 1 / K",
    ask="A token counts K times, once for each of its experts. What should f be when all is even?",
    refused_by="is_one_when_all_is_even",
)
def without_k(scores_NE, indices_NK, rows_N, n_rows):
    return _loss(scores_NE, indices_NK, rows_N, n_rows) * indices_NK.shape[1]


@wrong(
    "moe.balance_loss",
    mistake="f were a plain share, without the factor E",
    ask="Should the loss of an even load depend on the number of experts?",
    refused_by="is_one_when_all_is_even",
)
def without_e(scores_NE, indices_NK, rows_N, n_rows):
    return _loss(scores_NE, indices_NK, rows_N, n_rows) / scores_NE.shape[1]


@wrong(
    "moe.balance_loss",
    mistake="the whole batch were one text",
    ask="One text uses expert 0 alone, another expert 1 alone. Together they are even. Is each of them?",
    refused_by="the_mean_over_texts_not_over_tokens",
)
def the_batch_as_one_text(scores_NE, indices_NK, rows_N, n_rows):
    return _loss(scores_NE, indices_NK, torch.where(rows_N >= 0, 0, -1), 1)


@wrong(
    "moe.balance_loss",
    mistake="long texts counted more than short ones",
    ask="What is the mean taken over: tokens, or texts?",
    refused_by="the_mean_over_texts_not_over_tokens",
)
def weighted_by_length(scores_NE, indices_NK, rows_N, n_rows):
    def of_text(s, i):
        return (_f(s, i) * (s / s.sum(-1, keepdim=True)).mean(0)).sum() * len(s)

    texts = _texts(scores_NE, rows_N, n_rows)
    return sum(of_text(scores_NE[t], indices_NK[t]) for t in texts) / sum(map(len, texts))


@wrong(
    "moe.balance_loss",
    mistake="the losses of the texts were added up, not averaged",
    ask="Should twice as many texts in a batch double the loss?",
    refused_by="the_mean_over_texts_not_over_tokens",
)
def summed_over_texts(scores_NE, indices_NK, rows_N, n_rows):
    return _loss(scores_NE, indices_NK, rows_N, n_rows) * len(_texts(scores_NE, rows_N, n_rows))


@wrong(
    "moe.balance_loss",
    mistake="padding belonged to the first text",
    ask="What does -1 in rows mean, and where do those tokens land in your sums?",
    refused_by="equals_the_sums_of_the_paper",
)
def padding_in_text_0(scores_NE, indices_NK, rows_N, n_rows):
    return _loss(scores_NE, indices_NK, rows_N.clamp(min=0), n_rows)


@wrong(
    "moe.balance_loss",
    mistake="texts without tokens counted as texts with loss 0",
    ask="How many texts have a loss at all? What do you divide by?",
    refused_by="a_text_of_padding_takes_no_part",
)
def empty_texts_too(scores_NE, indices_NK, rows_N, n_rows):
    return _loss(scores_NE, indices_NK, rows_N, n_rows) * len(_texts(scores_NE, rows_N, n_rows)) / n_rows


@wrong(
    "moe.balance_loss",
    mistake="no gradient reached the scores",
    ask="f is a count and has no slope. Through which factor does the loss push the router?",
    refused_by="the_gradient_of_the_scores",
)
def without_gradient(scores_NE, indices_NK, rows_N, n_rows):
    return _loss(scores_NE.detach(), indices_NK, rows_N, n_rows)


@wrong(
    "moe.balance_loss",
    mistake="the experts with the best scores were counted, not those that worked",
    ask="The bias can send a token elsewhere. Which argument says where it went?",
    refused_by="equals_the_sums_of_the_paper",
)
def counted_by_score(scores_NE, indices_NK, rows_N, n_rows):
    return _loss(scores_NE, scores_NE.topk(indices_NK.shape[1], dim=-1).indices, rows_N, n_rows)


@wrong(
    "moe.balance_loss",
    mistake="the sum of a token's scores had no gradient",
    ask="A share has two slopes: one of the part, one of the whole. Which of them do you cut off?",
    refused_by="the_gradient_of_the_scores",
)
def sum_of_scores_detached(scores_NE, indices_NK, rows_N, n_rows):
    return _loss(
        scores_NE,
        indices_NK,
        rows_N,
        n_rows,
        lambda s, i: (_f(s, i) * (s / s.detach().sum(-1, keepdim=True)).mean(0)).sum(),
    )


@wrong(
    "moe.balance_loss",
    mistake="P were the share of the summed scores, not the mean of the tokens' shares",
    ask="A token with large scores and one with small ones: do they count alike in your P?",
    refused_by="equals_the_sums_of_the_paper",
)
def share_of_sums(scores_NE, indices_NK, rows_N, n_rows):
    return _loss(scores_NE, indices_NK, rows_N, n_rows, lambda s, i: (_f(s, i) * s.sum(0)).sum() / s.sum())


@wrong(
    "moe.balance_loss",
    mistake="a text without tokens made the loss NaN: 0 / 0",
    ask="What is the mean over no tokens at all?",
    refused_by="a_text_of_padding_takes_no_part",
)
def nothing_by_nothing(scores_NE, indices_NK, rows_N, n_rows):
    member_NR = F.one_hot(rows_N + 1, n_rows + 1)[:, 1:].to(scores_NE.dtype)
    count_R1 = member_NR.sum(0)[:, None]
    chosen_NE = torch.zeros_like(scores_NE).scatter(1, indices_NK, scores_NE.shape[1] / indices_NK.shape[1])
    f, p = (member_NR.T @ z / count_R1 for z in (chosen_NE, scores_NE / scores_NE.sum(-1, keepdim=True)))
    return (f * p).sum() / n_rows


@alternative("moe.balance_loss")
def text_by_text(scores_NE, indices_NK, rows_N, n_rows):
    return _loss(scores_NE, indices_NK, rows_N, n_rows)


@alternative("moe.balance_loss")
def with_index_add(scores_NE, indices_NK, rows_N, n_rows):
    E, K = scores_NE.shape[1], indices_NK.shape[1]
    keep = rows_N >= 0
    rows, zeros = rows_N[keep], scores_NE.new_zeros(n_rows, E)
    length = torch.bincount(rows, minlength=n_rows)
    chosen = F.one_hot(indices_NK[keep], E).sum(1).to(scores_NE.dtype)
    shares = scores_NE[keep] / scores_NE[keep].sum(-1, keepdim=True)
    f, p = zeros.index_add(0, rows, chosen), zeros.index_add(0, rows, shares)
    per_text = (f * p).sum(-1) * E / K / length.clamp(min=1) ** 2
    return per_text.sum() / (length > 0).sum().clamp(min=1)


@alternative("moe.balance_loss")
def with_einsum(scores_NE, indices_NK, rows_N, n_rows):
    member = (rows_N[:, None] == torch.arange(n_rows)).to(scores_NE.dtype)
    weight = member / member.sum(0).clamp(min=1)
    chosen = torch.zeros_like(scores_NE).scatter(1, indices_NK, scores_NE.shape[1] / indices_NK.shape[1])
    f, p = (torch.einsum("nr,ne->re", weight, z) for z in (chosen, scores_NE / scores_NE.sum(1, keepdim=True)))
    return torch.einsum("re,re->", f, p) / max(1, int(member.any(0).sum()))


@alternative("moe.balance_loss")
def as_the_first_hint_says(scores_NE, indices_NK, rows_N, n_rows):
    E, K, total, texts = scores_NE.shape[1], indices_NK.shape[1], 0.0, 0
    for r in range(n_rows):
        s, i = scores_NE[rows_N == r], indices_NK[rows_N == r]
        T = len(s)
        if T:
            chosen = torch.zeros(T, E).scatter(1, i, 1.0)
            f, P = chosen.sum(0) * E / (K * T), (s / s.sum(-1, keepdim=True)).mean(0)
            total, texts = total + (f * P).sum(), texts + 1
    return total / texts if texts else scores_NE.sum() * 0
