"""moe.route"""
import torch


def wrong_1(scores_NE, bias_E, n_group, topk_group, top_k, norm, scaling):
    "gates are taken from the biased scores (any bias that is not 0)"
    choice = limit_groups(scores_NE + bias_E, n_group, topk_group)
    gates, indices = choice.topk(top_k, dim=-1)
    if norm:
        gates = gates / (gates.sum(-1, keepdim=True) + 1e-20)
    return indices, gates * scaling


def wrong_2(scores_NE, bias_E, n_group, topk_group, top_k, norm, scaling):
    "gates come from the detached scores: no gradient reaches the router"
    scores = scores_NE.detach()
    indices = limit_groups(scores + bias_E, n_group, topk_group).topk(top_k, dim=-1).indices
    gates = scores.gather(1, indices)
    if norm:
        gates = gates / (gates.sum(-1, keepdim=True) + 1e-20)
    return indices, gates * scaling


def wrong_3(scores_NE, bias_E, n_group, topk_group, top_k, norm, scaling):
    "groups are chosen without the bias: limit_groups(scores) + bias"
    choice = limit_groups(scores_NE.detach(), n_group, topk_group) + bias_E
    indices = choice.topk(top_k, dim=-1).indices
    gates = scores_NE.gather(1, indices)
    if norm:
        gates = gates / (gates.sum(-1, keepdim=True) + 1e-20)
    return indices, gates * scaling


def wrong_4(scores_NE, bias_E, n_group, topk_group, top_k, norm, scaling):
    "scaling comes before the division and cancels if norm"
    indices = limit_groups(scores_NE.detach() + bias_E, n_group, topk_group).topk(top_k, dim=-1).indices
    gates = scores_NE.gather(1, indices) * scaling
    if norm:
        gates = gates / (gates.sum(-1, keepdim=True) + 1e-20)
    return indices, gates


def wrong_5(scores_NE, bias_E, n_group, topk_group, top_k, norm, scaling):
    "no 1e-20: rows whose chosen scores are all 0 become NaN"
    indices = limit_groups(scores_NE.detach() + bias_E, n_group, topk_group).topk(top_k, dim=-1).indices
    gates = scores_NE.gather(1, indices)
    if norm:
        gates = gates / gates.sum(-1, keepdim=True)
    return indices, gates * scaling


def wrong_6(scores_NE, bias_E, n_group, topk_group, top_k, norm, scaling):
    "scaling only if norm: with norm=False it is dropped"
    indices = limit_groups(scores_NE.detach() + bias_E, n_group, topk_group).topk(top_k, dim=-1).indices
    gates = scores_NE.gather(1, indices)
    if norm:
        gates = gates / (gates.sum(-1, keepdim=True) + 1e-20) * scaling
    return indices, gates


def wrong_7(scores_NE, bias_E, n_group, topk_group, top_k, norm, scaling):
    "detach() shares memory: += bias changes the caller's scores (results are right)"
    scores = scores_NE.clone()
    choice = scores_NE.detach()
    choice += bias_E
    indices = limit_groups(choice, n_group, topk_group).topk(top_k, dim=-1).indices
    gates = scores.gather(1, indices)
    if norm:
        gates = gates / (gates.sum(-1, keepdim=True) + 1e-20)
    return indices, gates * scaling


def wrong_8(scores_NE, bias_E, n_group, topk_group, top_k, norm, scaling):
    "the sum is taken from detached gates: values right, gradients wrong if norm"
    indices = limit_groups(scores_NE.detach() + bias_E, n_group, topk_group).topk(top_k, dim=-1).indices
    gates = scores_NE.gather(1, indices)
    if norm:
        gates = gates / (gates.detach().sum(-1, keepdim=True) + 1e-20)
    return indices, gates * scaling


def wrong_9(scores_NE, bias_E, n_group, topk_group, top_k, norm, scaling):
    "epsilon 1e-6 instead of 1e-20: scores of 1e-6 and below (strongly negative logits) get gates that are too small"
    indices = limit_groups(scores_NE.detach() + bias_E, n_group, topk_group).topk(top_k, dim=-1).indices
    gates = scores_NE.gather(1, indices)
    if norm:
        gates = gates / (gates.sum(-1, keepdim=True) + 1e-6)
    return indices, gates * scaling


def wrong_10(scores_NE, bias_E, n_group, topk_group, top_k, norm, scaling):
    "experts that are out get their score times 0: with negative biased scores they win"
    choice = scores_NE.detach() + bias_E
    allowed = limit_groups(choice, n_group, topk_group) > float("-inf")
    indices = (choice * allowed).topk(top_k, dim=-1).indices
    gates = scores_NE.gather(1, indices)
    if norm:
        gates = gates / (gates.sum(-1, keepdim=True) + 1e-20)
    return indices, gates * scaling


def right_1(scores_NE, bias_E, n_group, topk_group, top_k, norm, scaling):
    "argsort instead of topk, take_along_dim, the order of the K is ascending by number"
    with torch.no_grad():
        choice = limit_groups(scores_NE + bias_E, n_group, topk_group)
        indices = choice.argsort(dim=-1, descending=True)[:, :top_k].sort(dim=-1).values
    gates = torch.take_along_dim(scores_NE, indices, dim=1)
    if norm:
        gates = gates / (gates.sum(dim=1, keepdim=True) + 1e-20)
    return indices, scaling * gates


def right_2(scores_NE, bias_E, n_group, topk_group, top_k, norm, scaling):
    "one row after the other"
    N = scores_NE.shape[0]
    choice = limit_groups((scores_NE + bias_E).detach(), n_group, topk_group)
    indices, gates = [], []
    for n in range(N):
        best = choice[n].topk(top_k).indices
        g = scores_NE[n, best]
        if norm:
            g = g / (g.sum() + 1e-20)
        indices.append(best)
        gates.append(g * scaling)
    if N == 0:
        return choice.new_zeros(0, top_k, dtype=torch.long), scores_NE.new_zeros(0, top_k)
    return torch.stack(indices), torch.stack(gates)


def right_3(scores_NE, bias_E, n_group, topk_group, top_k, norm, scaling):
    "all gates first, as a matrix [N, E] with zeros, then picked"
    indices = limit_groups(scores_NE.detach() + bias_E.detach(), n_group, topk_group).topk(top_k).indices
    mask = torch.zeros_like(scores_NE).scatter(1, indices, 1.0)
    chosen = scores_NE * mask
    total = chosen.sum(-1, keepdim=True) + 1e-20 if norm else 1.0
    return indices, (chosen / total * scaling).gather(1, indices)


def right_4(scores_NE, bias_E, n_group, topk_group, top_k, norm, scaling):
    "advanced indexing, unsorted topk, no detach (indices have no gradient anyway)"
    _, indices = torch.topk(limit_groups(scores_NE + bias_E, n_group, topk_group), top_k, dim=1, sorted=False)
    rows = torch.arange(len(scores_NE), device=scores_NE.device)[:, None]
    weights = scores_NE[rows, indices]
    if not norm:
        return indices, weights * scaling
    return indices, weights * (scaling / (weights.sum(1, keepdim=True) + 1e-20))
