"""moe.route"""
import torch


def wrong_1(scores_NE, bias_E, n_group, topk_group, top_k, norm, scaling):
    "gates from the biased scores: differs wherever the bias is not 0"
    choice = mask_groups(scores_NE + bias_E.detach(), n_group, topk_group)
    indices = choice.topk(top_k, dim=-1).indices
    gates = (scores_NE + bias_E.detach()).gather(1, indices)
    if norm:
        gates = gates / (gates.sum(-1, keepdim=True) + 1e-20)
    return indices, gates * scaling


def wrong_2(scores_NE, bias_E, n_group, topk_group, top_k, norm, scaling):
    "divides by the sum over all experts instead of the K chosen"
    choice = mask_groups(scores_NE.detach() + bias_E, n_group, topk_group)
    indices = choice.topk(top_k, dim=-1).indices
    gates = scores_NE.gather(1, indices)
    if norm:
        gates = gates / (scores_NE.sum(-1, keepdim=True) + 1e-20)
    return indices, gates * scaling


def wrong_3(scores_NE, bias_E, n_group, topk_group, top_k, norm, scaling):
    "scales only when normalising: norm=False with scaling != 1 loses the factor"
    choice = mask_groups(scores_NE.detach() + bias_E, n_group, topk_group)
    indices = choice.topk(top_k, dim=-1).indices
    gates = scores_NE.gather(1, indices)
    if norm:
        gates = gates / (gates.sum(-1, keepdim=True) + 1e-20) * scaling
    return indices, gates


def wrong_4(scores_NE, bias_E, n_group, topk_group, top_k, norm, scaling):
    "scaling before the division, so it cancels with norm"
    choice = mask_groups(scores_NE.detach() + bias_E, n_group, topk_group)
    indices = choice.topk(top_k, dim=-1).indices
    gates = scores_NE.gather(1, indices) * scaling
    if norm:
        gates = gates / (gates.sum(-1, keepdim=True) + 1e-20)
    return indices, gates


def wrong_5(scores_NE, bias_E, n_group, topk_group, top_k, norm, scaling):
    "no 1e-20: rows whose scores are all 0 give nan"
    choice = mask_groups(scores_NE.detach() + bias_E, n_group, topk_group)
    indices = choice.topk(top_k, dim=-1).indices
    gates = scores_NE.gather(1, indices)
    if norm:
        gates = gates / gates.sum(-1, keepdim=True)
    return indices, gates * scaling


def wrong_6(scores_NE, bias_E, n_group, topk_group, top_k, norm, scaling):
    "groups are limited on unbiased scores, the bias is added after: other groups win when the bias is uneven"
    choice = mask_groups(scores_NE.detach(), n_group, topk_group) + bias_E
    indices = choice.topk(top_k, dim=-1).indices
    gates = scores_NE.gather(1, indices)
    if norm:
        gates = gates / (gates.sum(-1, keepdim=True) + 1e-20)
    return indices, gates * scaling


def wrong_7(scores_NE, bias_E, n_group, topk_group, top_k, norm, scaling):
    "the sum is detached: gates are right, their gradient is not (norm=True)"
    choice = mask_groups(scores_NE.detach() + bias_E, n_group, topk_group)
    indices = choice.topk(top_k, dim=-1).indices
    gates = scores_NE.gather(1, indices)
    if norm:
        gates = gates / (gates.detach().sum(-1, keepdim=True) + 1e-20)
    return indices, gates * scaling


def wrong_8(scores_NE, bias_E, n_group, topk_group, top_k, norm, scaling):
    "gates are recovered as value - bias: the bias gets in as rounding for a large bias (5 + tiny score), and as gradient"
    choice = mask_groups(scores_NE + bias_E, n_group, topk_group)
    values, indices = choice.topk(top_k, dim=-1)
    gates = values - bias_E[indices]
    if norm:
        gates = gates / (gates.sum(-1, keepdim=True) + 1e-20)
    return indices, gates * scaling


def wrong_9(scores_NE, bias_E, n_group, topk_group, top_k, norm, scaling):
    "adds the bias in place to a detached view: the caller's scores are changed, and the gates are made of biased scores"
    choice = scores_NE.detach()
    choice += bias_E
    indices = mask_groups(choice, n_group, topk_group).topk(top_k, dim=-1).indices
    gates = scores_NE.gather(1, indices)
    if norm:
        gates = gates / (gates.sum(-1, keepdim=True) + 1e-20)
    return indices, gates * scaling


def wrong_10(scores_NE, bias_E, n_group, topk_group, top_k, norm, scaling):
    "1e-6 instead of 1e-20: scores near 1e-7 (all sigmoids small) are not brought to sum 1"
    choice = mask_groups(scores_NE.detach() + bias_E, n_group, topk_group)
    indices = choice.topk(top_k, dim=-1).indices
    gates = scores_NE.gather(1, indices)
    if norm:
        gates = gates / (gates.sum(-1, keepdim=True) + 1e-6)
    return indices, gates * scaling


def right_1(scores_NE, bias_E, n_group, topk_group, top_k, norm, scaling):
    "argsort instead of topk, take_along_dim instead of gather"
    with torch.no_grad():
        choice = mask_groups(scores_NE + bias_E, n_group, topk_group)
        indices = choice.argsort(dim=-1, descending=True)[:, :top_k]
    gates = torch.take_along_dim(scores_NE, indices, dim=1)
    total = gates.sum(dim=1, keepdim=True) + 1e-20 if norm else 1.0
    return indices, gates / total * scaling


def right_2(scores_NE, bias_E, n_group, topk_group, top_k, norm, scaling):
    "advanced indexing, sorted by expert number"
    choice = mask_groups(scores_NE.detach() + bias_E.detach(), n_group, topk_group)
    indices = choice.topk(top_k, dim=-1, sorted=False).indices.sort(dim=-1).values
    rows = torch.arange(len(scores_NE), device=scores_NE.device)[:, None]
    picked = scores_NE[rows, indices]
    if not norm:
        return indices, scaling * picked
    return indices, scaling * (picked / (picked.sum(1)[:, None] + 1e-20))


def right_3(scores_NE, bias_E, n_group, topk_group, top_k, norm, scaling):
    "one token at a time, stacked"
    if len(scores_NE) == 0:
        empty = scores_NE.new_zeros(0, top_k, dtype=torch.long)
        return empty, scores_NE.gather(1, empty) * scaling
    allowed = mask_groups((scores_NE + bias_E).detach(), n_group, topk_group)
    indices, gates = [], []
    for row, choice in zip(scores_NE, allowed):
        best = choice.topk(top_k).indices
        gate = row[best]
        if norm:
            gate = gate / (gate.sum() + 1e-20)
        indices.append(best)
        gates.append(gate * scaling)
    return torch.stack(indices), torch.stack(gates)


def right_4(scores_NE, bias_E, n_group, topk_group, top_k, norm, scaling):
    "a one-hot selection, einsum, K times argmax"
    choice = mask_groups(scores_NE.detach() + bias_E.detach(), n_group, topk_group).clone()
    found = []
    for _ in range(top_k):
        best = choice.argmax(dim=-1, keepdim=True)
        found.append(best)
        choice.scatter_(1, best, float("-inf"))
    indices = torch.cat(found, dim=1)
    gates = torch.einsum("ne,nke->nk", scores_NE, F.one_hot(indices, scores_NE.shape[1]).to(scores_NE.dtype))
    if norm:
        gates = gates / (torch.einsum("nk->n", gates)[:, None] + 1e-20)
    return indices, gates * scaling
