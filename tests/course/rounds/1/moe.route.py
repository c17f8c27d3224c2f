"""moe.route"""
import torch
import torch.nn.functional as F

def wrong_1(scores_NE, bias_E, n_group, topk_group, top_k, norm, scaling):
    "gates are taken from score + bias, not from the scores alone"
    choice = limit_groups(scores_NE + bias_E, n_group, topk_group)
    gates, indices = choice.topk(top_k, dim=-1)
    if norm:
        gates = gates / (gates.sum(-1, keepdim=True) + 1e-20)
    return indices, gates * scaling

def wrong_2(scores_NE, bias_E, n_group, topk_group, top_k, norm, scaling):
    "scaling comes before the norm, which takes it away again"
    choice = limit_groups(scores_NE.detach() + bias_E, n_group, topk_group)
    indices = choice.topk(top_k, dim=-1).indices
    gates = scores_NE.gather(1, indices) * scaling
    if norm:
        gates = gates / (gates.sum(-1, keepdim=True) + 1e-20)
    return indices, gates

def wrong_3(scores_NE, bias_E, n_group, topk_group, top_k, norm, scaling):
    "normed by the sum of all E scores, not of the K chosen"
    choice = limit_groups(scores_NE.detach() + bias_E, n_group, topk_group)
    indices = choice.topk(top_k, dim=-1).indices
    s = scores_NE
    if norm:
        s = s / (s.sum(-1, keepdim=True) + 1e-20)
    return indices, s.gather(1, indices) * scaling

def wrong_4(scores_NE, bias_E, n_group, topk_group, top_k, norm, scaling):
    "the group limit is applied to the scores without bias, the bias is added after it"
    choice = limit_groups(scores_NE.detach(), n_group, topk_group) + bias_E
    indices = choice.topk(top_k, dim=-1).indices
    gates = scores_NE.gather(1, indices)
    if norm:
        gates = gates / (gates.sum(-1, keepdim=True) + 1e-20)
    return indices, gates * scaling

def wrong_5(scores_NE, bias_E, n_group, topk_group, top_k, norm, scaling):
    "the bias is added in place to a detached view: the caller's scores (and the gates) change"
    choice = scores_NE.detach()
    choice += bias_E
    indices = limit_groups(choice, n_group, topk_group).topk(top_k, dim=-1).indices
    gates = scores_NE.gather(1, indices)
    if norm:
        gates = gates / (gates.sum(-1, keepdim=True) + 1e-20)
    return indices, gates * scaling

def wrong_6(scores_NE, bias_E, n_group, topk_group, top_k, norm, scaling):
    "the divisor is detached: values are right, gradients of normed gates are not"
    choice = limit_groups(scores_NE.detach() + bias_E, n_group, topk_group)
    indices = choice.topk(top_k, dim=-1).indices
    gates = scores_NE.gather(1, indices)
    if norm:
        gates = gates / (gates.detach().sum(-1, keepdim=True) + 1e-20)
    return indices, gates * scaling

@torch.no_grad()
def wrong_7(scores_NE, bias_E, n_group, topk_group, top_k, norm, scaling):
    "all of it without gradient, the gates too"
    choice = limit_groups(scores_NE + bias_E, n_group, topk_group)
    indices = choice.topk(top_k, dim=-1).indices
    gates = scores_NE.gather(1, indices)
    if norm:
        gates = gates / (gates.sum(-1, keepdim=True) + 1e-20)
    return indices, gates * scaling

def wrong_8(scores_NE, bias_E, n_group, topk_group, top_k, norm, scaling):
    "gates = biased score minus bias.detach(): the bias gets a gradient"
    choice = scores_NE + bias_E
    indices = limit_groups(choice.detach(), n_group, topk_group).topk(top_k, dim=-1).indices
    gates = choice.gather(1, indices) - bias_E.detach()[indices]
    if norm:
        gates = gates / (gates.sum(-1, keepdim=True) + 1e-20)
    return indices, gates * scaling

def wrong_9(scores_NE, bias_E, n_group, topk_group, top_k, norm, scaling):
    "norm is not looked at: gates are always normed; scaling only counts if norm is off"
    choice = limit_groups(scores_NE.detach() + bias_E, n_group, topk_group)
    indices = choice.topk(top_k, dim=-1).indices
    gates = scores_NE.gather(1, indices)
    gates = gates / (gates.sum(-1, keepdim=True) + 1e-20)
    return indices, gates * scaling

def wrong_10(scores_NE, bias_E, n_group, topk_group, top_k, norm, scaling):
    "chosen by multiplying score + bias with a mask of the groups: experts that are out have 0 and beat negative ones"
    choice = scores_NE.detach() + bias_E
    inside = torch.isfinite(limit_groups(choice, n_group, topk_group))
    indices = (choice * inside).topk(top_k, dim=-1).indices
    gates = scores_NE.gather(1, indices)
    if norm:
        gates = gates / (gates.sum(-1, keepdim=True) + 1e-20)
    return indices, gates * scaling

def right_1(scores_NE, bias_E, n_group, topk_group, top_k, norm, scaling):
    "argsort instead of topk, take_along_dim instead of gather"
    with torch.no_grad():
        choice = limit_groups(scores_NE + bias_E, n_group, topk_group)
        indices = choice.argsort(dim=-1, descending=True)[:, :top_k]
    gates = torch.take_along_dim(scores_NE, indices, dim=1)
    total = gates.sum(dim=1, keepdim=True) + 1e-20 if norm else 1.0
    return indices, scaling * gates / total

def right_2(scores_NE, bias_E, n_group, topk_group, top_k, norm, scaling):
    "row by row"
    rows, gates = [], []
    for choice, s in zip(limit_groups(scores_NE.detach() + bias_E.detach(), n_group, topk_group), scores_NE):
        best = torch.topk(choice, top_k)[1]
        g = s[best]
        rows.append(best)
        gates.append(g / (g.sum() + 1e-20) * scaling if norm else g * scaling)
    return torch.stack(rows), torch.stack(gates)

def right_3(scores_NE, bias_E, n_group, topk_group, top_k, norm, scaling):
    "one argmax after the other, in ascending order of the expert's number at the end"
    choice = limit_groups(scores_NE.detach() + bias_E.detach(), n_group, topk_group).clone()
    chosen = []
    for _ in range(top_k):
        best = choice.argmax(-1, keepdim=True)
        # below -inf there is nothing: at least K experts are inside, so NaN-free rows always have another one
        choice = choice.scatter(1, best, float("-inf"))
        chosen.append(best)
    indices = torch.cat(chosen, 1).sort(-1).values
    gates = scores_NE[torch.arange(len(scores_NE))[:, None], indices]
    if norm:
        gates = gates / (gates.sum(-1, keepdim=True) + 1e-20)
    return indices, gates * scaling

def right_4(scores_NE, bias_E, n_group, topk_group, top_k, norm, scaling):
    "one-hot masks and einsum"
    choice = limit_groups((scores_NE + bias_E).detach(), n_group, topk_group)
    indices = choice.topk(top_k, dim=1, sorted=False).indices
    hot = F.one_hot(indices, scores_NE.shape[1]).to(scores_NE.dtype)
    gates = torch.einsum("nke,ne->nk", hot, scores_NE)
    if norm:
        gates = gates / torch.einsum("nke,ne->n", hot, scores_NE).add(1e-20)[:, None]
    return indices, gates * scaling
