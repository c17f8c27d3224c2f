"""moe.groups"""
import torch


def _out(choice, n_group, topk_group, score):
    best = score.topk(topk_group, dim=-1).indices
    out = torch.ones_like(score, dtype=torch.bool).scatter_(1, best, False)
    return out.repeat_interleave(choice.shape[1] // n_group, dim=1)


def wrong_1(choice_NE, n_group, topk_group):
    "experts that are out get 0: they win against negative biased scores"
    if topk_group >= n_group:
        return choice_NE
    g = choice_NE.view(len(choice_NE), n_group, -1)
    return choice_NE.masked_fill(_out(choice_NE, n_group, topk_group, g.topk(2, -1).values.sum(-1)), 0.0)


def wrong_2(choice_NE, n_group, topk_group):
    "a group's score is its best expert alone"
    if topk_group >= n_group:
        return choice_NE
    g = choice_NE.view(len(choice_NE), n_group, -1)
    return choice_NE.masked_fill(_out(choice_NE, n_group, topk_group, g.amax(-1)), float("-inf"))


def wrong_3(choice_NE, n_group, topk_group):
    "a group's score is the sum of all its experts (differs with more than two in a group)"
    if topk_group >= n_group:
        return choice_NE
    g = choice_NE.view(len(choice_NE), n_group, -1)
    return choice_NE.masked_fill(_out(choice_NE, n_group, topk_group, g.sum(-1)), float("-inf"))


def wrong_4(choice_NE, n_group, topk_group):
    "fills with -100: not below every finite score"
    if topk_group >= n_group:
        return choice_NE
    g = choice_NE.view(len(choice_NE), n_group, -1)
    return choice_NE.masked_fill(_out(choice_NE, n_group, topk_group, g.topk(2, -1).values.sum(-1)), -100.0)


def wrong_5(choice_NE, n_group, topk_group):
    "masked_fill_ changes the input"
    if topk_group >= n_group:
        return choice_NE
    g = choice_NE.view(len(choice_NE), n_group, -1)
    return choice_NE.masked_fill_(_out(choice_NE, n_group, topk_group, g.topk(2, -1).values.sum(-1)), float("-inf"))


def wrong_6(choice_NE, n_group, topk_group):
    "a mask times -inf: 0 * -inf is NaN in the groups that stay"
    if topk_group >= n_group:
        return choice_NE
    g = choice_NE.view(len(choice_NE), n_group, -1)
    out = _out(choice_NE, n_group, topk_group, g.topk(2, -1).values.sum(-1))
    return choice_NE + out.to(choice_NE.dtype) * float("-inf")


def wrong_7(choice_NE, n_group, topk_group):
    "all groups as good as the last one that is in: at a tie more than topk_group stay"
    if topk_group >= n_group:
        return choice_NE
    g = choice_NE.view(len(choice_NE), n_group, -1)
    score = g.topk(2, -1).values.sum(-1)
    last = score.topk(topk_group, -1).values[:, -1:]
    return g.masked_fill((score < last)[..., None], float("-inf")).view_as(choice_NE)


def wrong_8(choice_NE, n_group, topk_group):
    "groups are every n_group-th expert instead of consecutive ones"
    if topk_group >= n_group:
        return choice_NE
    N, E = choice_NE.shape
    g = choice_NE.view(N, E // n_group, n_group)
    best = g.topk(2, dim=1).values.sum(1).topk(topk_group, -1).indices
    out = torch.ones(N, n_group, dtype=torch.bool).scatter_(1, best, False)
    return g.masked_fill(out[:, None], float("-inf")).view(N, E)


def wrong_9(choice_NE, n_group, topk_group):
    "the result is always float32: bfloat16 and float64 scores change their dtype, the latter are rounded"
    if topk_group >= n_group:
        return choice_NE
    g = choice_NE.view(len(choice_NE), n_group, -1)
    keep = ~_out(choice_NE, n_group, topk_group, g.topk(2, -1).values.sum(-1))
    result = torch.full(choice_NE.shape, float("-inf"))
    result[keep] = choice_NE[keep].float()
    return result


def wrong_10(choice_NE, n_group, topk_group):
    "of each group that stays only the two best experts stay"
    if topk_group >= n_group:
        return choice_NE
    N, E = choice_NE.shape
    g = choice_NE.view(N, n_group, -1)
    top = g.topk(2, -1)
    out = _out(choice_NE, n_group, topk_group, top.values.sum(-1))
    kept = torch.full_like(g, float("-inf")).scatter(2, top.indices, top.values).view(N, E)
    return kept.masked_fill(out, float("-inf"))


def right_1(choice_NE, n_group, topk_group):
    "sort instead of topk, where with -inf, no early return"
    N, E = choice_NE.shape
    g = choice_NE.reshape(N, n_group, E // n_group)
    score = g.sort(dim=-1, descending=True).values[..., :2].sum(-1)
    best = score.argsort(dim=-1, descending=True)[:, : min(topk_group, n_group)]
    keep = torch.zeros(N, n_group, dtype=torch.bool, device=g.device).scatter(1, best, True)
    return torch.where(keep[..., None], g, torch.tensor(float("-inf"), dtype=g.dtype)).reshape(N, E)


def right_2(choice_NE, n_group, topk_group):
    "one token after the other"
    result = torch.full_like(choice_NE, float("-inf"))
    X = choice_NE.shape[1] // n_group
    for n, row in enumerate(choice_NE):
        score = torch.stack([part.topk(2).values.sum() for part in row.split(X)])
        for g in score.topk(min(topk_group, n_group)).indices.tolist():
            result[n, g * X : (g + 1) * X] = row[g * X : (g + 1) * X]
    return result


def right_3(choice_NE, n_group, topk_group):
    "takes out the worst groups instead of keeping the best"
    if topk_group >= n_group:
        return choice_NE
    g = choice_NE.unflatten(1, (n_group, -1))
    score = g.topk(2, dim=2).values.mean(dim=2)
    worst = score.topk(n_group - topk_group, dim=1, largest=False).indices
    bad = torch.zeros_like(score).scatter(1, worst, 1.0).bool()
    return g.masked_fill(bad.unsqueeze(2), -torch.inf).flatten(1)


def right_4(choice_NE, n_group, topk_group):
    "largest, then largest of the rest"
    if topk_group >= n_group:
        return choice_NE.clone()
    N, E = choice_NE.shape
    g = choice_NE.reshape(N, n_group, -1)
    first, at = g.max(-1, keepdim=True)
    second = g.scatter(-1, at, float("-inf")).amax(-1)
    best = (first[..., 0] + second).topk(topk_group, -1).indices
    result = torch.full_like(g, float("-inf"))
    index = best[..., None].expand(-1, -1, g.shape[-1])
    return result.scatter(1, index, g.gather(1, index)).reshape(N, E)
