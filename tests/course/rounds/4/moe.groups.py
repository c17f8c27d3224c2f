"""moe.groups"""
import torch


def _out(choice_NE, n_group, topk_group):
    N, E = choice_NE.shape
    scores = choice_NE.view(N, n_group, E // n_group).topk(2, dim=-1).values.sum(-1)
    best = scores.topk(topk_group, dim=-1).indices
    return torch.ones_like(scores, dtype=torch.bool).scatter_(1, best, False)


def wrong_1(choice_NE, n_group, topk_group):
    "a group's score is its best expert, not the sum of two"
    N, E = choice_NE.shape
    x = choice_NE.view(N, n_group, E // n_group)
    best = x.amax(-1).topk(topk_group, dim=-1).indices
    out = torch.ones(N, n_group, dtype=torch.bool).scatter_(1, best, False)
    return x.masked_fill(out[..., None], float("-inf")).view(N, E)


def wrong_2(choice_NE, n_group, topk_group):
    "a group's score is the sum of all its experts: differs with more than two a group"
    N, E = choice_NE.shape
    x = choice_NE.view(N, n_group, E // n_group)
    best = x.sum(-1).topk(topk_group, dim=-1).indices
    out = torch.ones(N, n_group, dtype=torch.bool).scatter_(1, best, False)
    return x.masked_fill(out[..., None], float("-inf")).view(N, E)


def wrong_3(choice_NE, n_group, topk_group):
    "others get -1: beats biased scores below -1"
    N, E = choice_NE.shape
    out = _out(choice_NE, n_group, topk_group)
    return choice_NE.view(N, n_group, E // n_group).masked_fill(out[..., None], -1.0).view(N, E)


def wrong_4(choice_NE, n_group, topk_group):
    "others are pushed down by 100: a spread of biases above that brings them back"
    N, E = choice_NE.shape
    out = _out(choice_NE, n_group, topk_group)
    return (choice_NE.view(N, n_group, E // n_group) - 100.0 * out[..., None]).view(N, E)


def wrong_5(choice_NE, n_group, topk_group):
    "masked_fill_ in place: the input is changed"
    N, E = choice_NE.shape
    if topk_group >= n_group:
        return choice_NE
    out = _out(choice_NE, n_group, topk_group)
    choice_NE.view(N, n_group, E // n_group).masked_fill_(out[..., None], float("-inf"))
    return choice_NE


def wrong_6(choice_NE, n_group, topk_group):
    "groups are every n_group-th expert instead of consecutive ones"
    N, E = choice_NE.shape
    x = choice_NE.view(N, E // n_group, n_group)
    best = x.topk(2, dim=1).values.sum(1).topk(topk_group, dim=-1).indices
    out = torch.ones(N, n_group, dtype=torch.bool).scatter_(1, best, False)
    return x.masked_fill(out[:, None], float("-inf")).reshape(N, E)


def wrong_7(choice_NE, n_group, topk_group):
    "a threshold (>= score of the last group that is in): with equal group scores more than topk_group stay"
    N, E = choice_NE.shape
    x = choice_NE.view(N, n_group, E // n_group)
    scores = x.topk(2, dim=-1).values.sum(-1)
    least = scores.topk(topk_group, dim=-1).values[:, -1:]
    return x.masked_fill((scores < least)[..., None], float("-inf")).view(N, E)


def wrong_8(choice_NE, n_group, topk_group):
    "the best groups of the whole batch instead of each token's"
    N, E = choice_NE.shape
    x = choice_NE.view(N, n_group, E // n_group)
    best = x.topk(2, dim=-1).values.sum(-1).mean(0).topk(topk_group).indices
    out = torch.ones(n_group, dtype=torch.bool)
    out[best] = False
    return x.masked_fill(out[None, :, None], float("-inf")).view(N, E)


def wrong_9(choice_NE, n_group, topk_group):
    "the group mask is tiled (repeat) instead of repeated in place: the wrong experts go"
    N, E = choice_NE.shape
    out = _out(choice_NE, n_group, topk_group)
    return choice_NE.masked_fill(out.repeat(1, E // n_group), float("-inf"))


def wrong_10(choice_NE, n_group, topk_group):
    "scores are clamped at 0 before summing (only positive ones count): groups tie when biased scores are negative"
    N, E = choice_NE.shape
    x = choice_NE.view(N, n_group, E // n_group)
    best = x.clamp(min=0).topk(2, dim=-1).values.sum(-1).topk(topk_group, dim=-1).indices
    out = torch.ones(N, n_group, dtype=torch.bool).scatter_(1, best, False)
    return x.masked_fill(out[..., None], float("-inf")).view(N, E)


def right_1(choice_NE, n_group, topk_group):
    "sort instead of topk, torch.where, repeat_interleave"
    N, E = choice_NE.shape
    width = E // n_group
    two = choice_NE.reshape(N, n_group, width).sort(dim=-1, descending=True).values[..., :2]
    order = (two[..., 0] + two[..., 1]).argsort(dim=-1, descending=True)
    keep = torch.zeros(N, n_group, dtype=torch.bool, device=choice_NE.device)
    keep.scatter_(1, order[:, :topk_group], True)
    low = torch.full_like(choice_NE, -torch.inf)
    return torch.where(keep.repeat_interleave(width, dim=1), choice_NE, low)


def right_2(choice_NE, n_group, topk_group):
    "one token at a time"
    width = choice_NE.shape[1] // n_group
    result = choice_NE.clone()
    for n in range(len(choice_NE)):
        score = []
        for g in range(n_group):
            first, second = choice_NE[n, g * width : (g + 1) * width].topk(2).values
            score.append(float(first + second))
        ranked = sorted(range(n_group), key=lambda g: -score[g])
        for g in ranked[topk_group:]:
            result[n, g * width : (g + 1) * width] = float("-inf")
    return result


def right_3(choice_NE, n_group, topk_group):
    "drops the worst groups instead of keeping the best"
    N, E = choice_NE.shape
    copy = choice_NE.clone().view(N, n_group, E // n_group)
    score = copy.topk(2, -1)[0].sum(2)
    worst = score.topk(n_group - topk_group, dim=1, largest=False).indices
    return copy.scatter(1, worst[..., None].expand(-1, -1, copy.shape[2]), float("-inf")).view(N, E)


def right_4(choice_NE, n_group, topk_group):
    "adds 0 or -inf"
    N, E = choice_NE.shape
    grouped = choice_NE.unflatten(1, (n_group, E // n_group))
    first = grouped.max(dim=2)
    rest = grouped.scatter(2, first.indices[..., None], float("-inf"))
    best = (first.values + rest.amax(2)).topk(topk_group, dim=1).indices
    penalty = choice_NE.new_full((N, n_group), float("-inf")).scatter_(1, best, 0.0)
    return (grouped + penalty[:, :, None]).flatten(1)
