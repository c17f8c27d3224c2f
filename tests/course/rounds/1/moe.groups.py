"""moe.groups"""
import torch
import torch.nn.functional as F

def _out(choice, n_group, topk_group, scores):
    best = scores.topk(topk_group, dim=-1).indices
    return torch.ones_like(scores, dtype=torch.bool).scatter_(1, best, False)

def wrong_1(choice_NE, n_group, topk_group):
    "experts that are out get 0, which beats negative biased scores"
    N, E = choice_NE.shape
    g = choice_NE.view(N, n_group, -1)
    out = _out(g, n_group, topk_group, g.topk(2, dim=-1).values.sum(-1))
    return g.masked_fill(out[..., None], 0.0).view(N, E)

def wrong_2(choice_NE, n_group, topk_group):
    "a group's score is its best expert alone"
    if topk_group >= n_group:
        return choice_NE
    N, E = choice_NE.shape
    g = choice_NE.view(N, n_group, -1)
    out = _out(g, n_group, topk_group, g.amax(-1))
    return g.masked_fill(out[..., None], float("-inf")).view(N, E)

def wrong_3(choice_NE, n_group, topk_group):
    "a group's score is the sum over all of its experts: right for groups of two"
    if topk_group >= n_group:
        return choice_NE
    N, E = choice_NE.shape
    g = choice_NE.view(N, n_group, -1)
    out = _out(g, n_group, topk_group, g.sum(-1))
    return g.masked_fill(out[..., None], float("-inf")).view(N, E)

def wrong_4(choice_NE, n_group, topk_group):
    "masks in place: the input changes through the view"
    if topk_group >= n_group:
        return choice_NE
    N, E = choice_NE.shape
    g = choice_NE.view(N, n_group, -1)
    out = _out(g, n_group, topk_group, g.topk(2, dim=-1).values.sum(-1))
    return g.masked_fill_(out[..., None], float("-inf")).view(N, E)

def wrong_5(choice_NE, n_group, topk_group):
    "groups are dealt out like cards: expert e in group e % n_group"
    if topk_group >= n_group:
        return choice_NE
    N, E = choice_NE.shape
    g = choice_NE.view(N, -1, n_group).transpose(1, 2)
    out = _out(g, n_group, topk_group, g.topk(2, dim=-1).values.sum(-1))
    return g.masked_fill(out[..., None], float("-inf")).transpose(1, 2).reshape(N, E)

def wrong_6(choice_NE, n_group, topk_group):
    "-1 for those that are out: fails once biased scores are below -1"
    if topk_group >= n_group:
        return choice_NE
    N, E = choice_NE.shape
    g = choice_NE.view(N, n_group, -1)
    out = _out(g, n_group, topk_group, g.topk(2, dim=-1).values.sum(-1))
    return g.masked_fill(out[..., None], -1.0).view(N, E)

def wrong_7(choice_NE, n_group, topk_group):
    "compares with the topk_group-th best score: groups that tie with it all stay in"
    if topk_group >= n_group:
        return choice_NE
    N, E = choice_NE.shape
    g = choice_NE.view(N, n_group, -1)
    scores = g.topk(2, dim=-1).values.sum(-1)
    least = scores.topk(topk_group, dim=-1).values[:, -1:]
    return g.masked_fill((scores < least)[..., None], float("-inf")).view(N, E)

def wrong_8(choice_NE, n_group, topk_group):
    "the best groups of all tokens together: one mask for the whole batch, right for N = 1"
    if topk_group >= n_group:
        return choice_NE
    N, E = choice_NE.shape
    g = choice_NE.view(N, n_group, -1)
    best = g.topk(2, dim=-1).values.sum(-1).sum(0).topk(topk_group).indices
    out = torch.ones(n_group, dtype=torch.bool)
    out[best] = False
    return g.masked_fill(out[:, None], float("-inf")).view(N, E)

def wrong_9(choice_NE, n_group, topk_group):
    "group scores are taken from absolute values: strongly negative groups win"
    if topk_group >= n_group:
        return choice_NE
    N, E = choice_NE.shape
    g = choice_NE.view(N, n_group, -1)
    out = _out(g, n_group, topk_group, g.abs().topk(2, dim=-1).values.sum(-1))
    return g.masked_fill(out[..., None], float("-inf")).view(N, E)

def wrong_10(choice_NE, n_group, topk_group):
    "takes the worst of the row as the score of those that are out: they tie with the worst expert inside"
    if topk_group >= n_group:
        return choice_NE
    N, E = choice_NE.shape
    g = choice_NE.view(N, n_group, -1)
    out = _out(g, n_group, topk_group, g.topk(2, dim=-1).values.sum(-1))
    least = choice_NE.amin(-1)[:, None, None]
    return torch.where(out[..., None], least, g).view(N, E)

def right_1(choice_NE, n_group, topk_group):
    "row by row"
    rows = []
    for row in choice_NE:
        groups = row.chunk(n_group)
        scores = torch.stack([g.sort(descending=True).values[:2].sum() for g in groups])
        best = set(scores.argsort(descending=True)[:topk_group].tolist())
        rows.append(torch.cat([g if i in best else torch.full_like(g, -torch.inf) for i, g in enumerate(groups)]))
    return torch.stack(rows)

def right_2(choice_NE, n_group, topk_group):
    "a mask per expert by repeat_interleave, torch.where"
    N, E = choice_NE.shape
    size = E // n_group
    grouped = choice_NE.reshape(N, n_group, size)
    two = grouped.sort(-1, descending=True).values[..., :2]
    best = two.sum(-1).topk(topk_group, dim=-1).indices
    inside = F.one_hot(best, n_group).sum(1).bool().repeat_interleave(size, 1)
    return torch.where(inside, choice_NE, torch.full_like(choice_NE, float("-inf")))

def right_3(choice_NE, n_group, topk_group):
    "-inf everywhere, the scores of the best groups copied in"
    N, E = choice_NE.shape
    grouped = choice_NE.unflatten(1, (n_group, -1))
    best = grouped.topk(2, -1)[0].sum(-1).topk(topk_group, -1)[1][..., None].expand(-1, -1, E // n_group)
    result = torch.full_like(grouped, float("-inf"))
    return result.scatter(1, best, grouped.gather(1, best)).flatten(1)

def right_4(choice_NE, n_group, topk_group):
    "a clone, the worst groups overwritten"
    N, E = choice_NE.shape
    size, result = E // n_group, choice_NE.clone()
    group_scores = torch.stack([g.topk(2, dim=1).values.sum(1) for g in choice_NE.split(size, dim=1)], dim=1)
    order = group_scores.argsort(dim=1, descending=True, stable=True)
    for n in range(N):
        for g in order[n, topk_group:].tolist():
            result[n, g * size : (g + 1) * size] = -torch.inf
    return result
