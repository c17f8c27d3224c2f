"""moe.route"""
import torch


def wrong_1(scores_NE, bias_E, n_group, topk_group, top_k, norm, scaling):
    "gates are taken from the biased scores; differs for any bias that is not 0"
    # breaks: "What they count comes from the scores alone, without the bias" - e.g. bias [0.5, 0, 0, 0]
    choice_NE = mask_groups(scores_NE + bias_E, n_group, topk_group)
    gates_NK, indices_NK = choice_NE.topk(top_k, dim=-1)
    if norm:
        gates_NK = gates_NK / (gates_NK.sum(-1, keepdim=True) + 1e-20)
    return indices_NK, gates_NK * scaling


def wrong_2(scores_NE, bias_E, n_group, topk_group, top_k, norm, scaling):
    "scaled before the division, so that the scaling cancels out with norm=True"
    # breaks: "divided by the sum over the K chosen (+ 1e-20 ...) if `norm`, times `scaling`" - norm=True, scaling=2.5
    choice_NE = mask_groups(scores_NE.detach() + bias_E, n_group, topk_group)
    indices_NK = choice_NE.topk(top_k, dim=-1).indices
    gates_NK = scores_NE.gather(1, indices_NK) * scaling
    if norm:
        gates_NK = gates_NK / (gates_NK.sum(-1, keepdim=True) + 1e-20)
    return indices_NK, gates_NK


def wrong_3(scores_NE, bias_E, n_group, topk_group, top_k, norm, scaling):
    "the scaling is inside the branch of norm; with norm=False gates are not scaled"
    # breaks: "... if `norm`, times `scaling`" - norm=False, scaling=2.5
    choice_NE = mask_groups(scores_NE.detach() + bias_E, n_group, topk_group)
    indices_NK = choice_NE.topk(top_k, dim=-1).indices
    gates_NK = scores_NE.gather(1, indices_NK)
    if norm:
        total_N1 = gates_NK.sum(-1, keepdim=True) + 1e-20
        gates_NK = scaling * gates_NK / total_N1
    return indices_NK, gates_NK


def wrong_4(scores_NE, bias_E, n_group, topk_group, top_k, norm, scaling):
    "groups are chosen by the scores without the bias, which is added afterwards"
    # breaks: "The K experts with the highest score + bias work, among those that `mask_groups` lets take part"
    # (mask_groups: "biased scores [N, E]") - a bias that makes another group the best, topk_group < n_group
    choice_NE = mask_groups(scores_NE.detach(), n_group, topk_group) + bias_E
    indices_NK = choice_NE.topk(top_k, dim=-1).indices
    gates_NK = scores_NE.gather(1, indices_NK)
    if norm:
        gates_NK = gates_NK / (gates_NK.sum(-1, keepdim=True) + 1e-20)
    return indices_NK, gates_NK * scaling


def wrong_5(scores_NE, bias_E, n_group, topk_group, top_k, norm, scaling):
    "experts that are out get 0 instead of -inf, and win where biased scores are negative"
    # breaks: "among those that `mask_groups` lets take part" - bias -2 everywhere, topk_group < n_group
    choice_NE = mask_groups(scores_NE.detach() + bias_E, n_group, topk_group)
    choice_NE = torch.where(choice_NE.isinf(), torch.zeros_like(choice_NE), choice_NE)
    indices_NK = choice_NE.topk(top_k, dim=-1).indices
    gates_NK = scores_NE.gather(1, indices_NK)
    if norm:
        gates_NK = gates_NK / (gates_NK.sum(-1, keepdim=True) + 1e-20)
    return indices_NK, gates_NK * scaling


def wrong_6(scores_NE, bias_E, n_group, topk_group, top_k, norm, scaling):
    "no 1e-20: scores of 0 give NaN"
    # breaks: "(+ 1e-20, so that scores of 0 give gates of 0)" - scores all 0, norm=True
    choice_NE = mask_groups(scores_NE.detach() + bias_E, n_group, topk_group)
    indices_NK = choice_NE.topk(top_k, dim=-1).indices
    gates_NK = scores_NE.gather(1, indices_NK)
    if norm:
        gates_NK = gates_NK / gates_NK.sum(-1, keepdim=True)
    return indices_NK, gates_NK * scaling


def wrong_7(scores_NE, bias_E, n_group, topk_group, top_k, norm, scaling):
    "the sum is clamped at 1e-6: small scores do not add up to 1 any more"
    # breaks: "divided by the sum over the K chosen (+ 1e-20 ...)" - scores near 1e-9 give gates of 1e-3
    choice_NE = mask_groups(scores_NE.detach() + bias_E, n_group, topk_group)
    indices_NK = choice_NE.topk(top_k, dim=-1).indices
    gates_NK = scores_NE.gather(1, indices_NK)
    if norm:
        gates_NK = gates_NK / gates_NK.sum(-1, keepdim=True).clamp(min=1e-6)
    return indices_NK, gates_NK * scaling


def wrong_8(scores_NE, bias_E, n_group, topk_group, top_k, norm, scaling):
    "detach() shares memory, so += adds the bias to the caller's scores, and to the gates"
    # breaks: "What they count comes from the scores alone, without the bias"; arguments left unchanged - any bias
    choice_NE = scores_NE.detach()
    choice_NE += bias_E
    choice_NE = mask_groups(choice_NE, n_group, topk_group)
    indices_NK = choice_NE.topk(top_k, dim=-1).indices
    gates_NK = scores_NE.gather(1, indices_NK)
    if norm:
        gates_NK = gates_NK / (gates_NK.sum(-1, keepdim=True) + 1e-20)
    return indices_NK, gates_NK * scaling


def wrong_9(scores_NE, bias_E, n_group, topk_group, top_k, norm, scaling):
    "the sum is taken from the detached scores: right values, wrong gradient with norm=True"
    # breaks: "Gradients flow through the gates" (gate = score divided by the sum over the K chosen) - the gradient of
    # gates.sum() must be 0 with norm=True, here it is scaling / sum
    scores = scores_NE.detach()
    indices_NK = mask_groups(scores + bias_E, n_group, topk_group).topk(top_k, dim=-1).indices
    gates_NK = scores_NE.gather(1, indices_NK)
    if norm:
        gates_NK = gates_NK / (scores.gather(1, indices_NK).sum(-1, keepdim=True) + 1e-20)
    return indices_NK, gates_NK * scaling


def wrong_10(scores_NE, bias_E, n_group, topk_group, top_k, norm, scaling):
    "all experts at or above the K-th best score: more than K where scores are equal, and the reshape fails"
    # breaks: "-> (indices [N, K] int64, gates [N, K]), K = top_k" - one row of four equal scores, K = 2, bias 0
    choice_NE = mask_groups(scores_NE.detach() + bias_E, n_group, topk_group)
    least_N1 = choice_NE.topk(top_k, dim=-1).values[:, -1:]
    indices_NK = (choice_NE >= least_N1).nonzero()[:, 1].view(len(scores_NE), top_k)
    gates_NK = scores_NE.gather(1, indices_NK)
    if norm:
        gates_NK = gates_NK / (gates_NK.sum(-1, keepdim=True) + 1e-20)
    return indices_NK, gates_NK * scaling


def right_1(scores_NE, bias_E, n_group, topk_group, top_k, norm, scaling):
    "a Python loop over tokens chooses, indexing with a column of row numbers picks the gates"
    allowed = mask_groups(scores_NE.detach() + bias_E, n_group, topk_group).tolist()
    chosen = [sorted(range(len(row)), key=row.__getitem__, reverse=True)[:top_k] for row in allowed]
    indices = torch.tensor(chosen, dtype=torch.int64, device=scores_NE.device).reshape(len(allowed), top_k)
    gates = scores_NE[torch.arange(len(allowed), device=scores_NE.device)[:, None], indices]
    if norm:
        gates = gates / (gates.sum(dim=1, keepdim=True) + 1e-20)
    return indices, scaling * gates


def right_2(scores_NE, bias_E, n_group, topk_group, top_k, norm, scaling):
    "argsort and take_along_dim; the choice under no_grad"
    with torch.no_grad():
        choice = mask_groups(scores_NE + bias_E, n_group, topk_group)
        indices = choice.argsort(dim=-1, descending=True)[:, :top_k]
    gates = torch.take_along_dim(scores_NE, indices, dim=-1)
    total = gates.sum(-1, keepdim=True) + 1e-20 if norm else 1.0
    return indices, gates / total * scaling


def right_3(scores_NE, bias_E, n_group, topk_group, top_k, norm, scaling):
    "gates through one-hot vectors and einsum"
    indices = mask_groups(scores_NE.detach() + bias_E, n_group, topk_group).topk(top_k, sorted=False).indices
    hot_NKE = torch.nn.functional.one_hot(indices, scores_NE.shape[1]).to(scores_NE.dtype)
    gates = torch.einsum("ne,nke->nk", scores_NE, hot_NKE)
    if norm:
        gates = gates / (torch.einsum("nk->n", gates) + 1e-20)[:, None]
    return indices, gates * scaling


def right_4(scores_NE, bias_E, n_group, topk_group, top_k, norm, scaling):
    "one argmax after the other, each best one taken out before the next"
    left = mask_groups(scores_NE.detach() + bias_E, n_group, topk_group).clone()
    columns = []
    for _ in range(top_k):
        best = left.argmax(-1, keepdim=True)
        columns.append(best)
        left = left.scatter(1, best, float("-inf"))
    indices = torch.cat(columns, dim=1)
    gates = torch.cat([scores_NE.gather(1, best) for best in columns], dim=1)
    if not norm:
        return indices, gates * scaling
    return indices, gates / (sum(gates.unbind(1))[:, None] + 1e-20) * scaling
