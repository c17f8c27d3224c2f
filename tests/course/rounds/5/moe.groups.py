"""moe.groups"""
import torch


def wrong_1(choice_NE, n_group, topk_group):
    "experts that are out are multiplied by 0, and a 0 beats a negative biased score"
    # breaks: "the others get one that loses against every finite score" - biased scores below 0
    N, E = choice_NE.shape
    choice_NGX = choice_NE.view(N, n_group, E // n_group)
    best = choice_NGX.topk(2, dim=-1).values.sum(-1).topk(topk_group, dim=-1).indices
    keep_NG = torch.zeros(N, n_group, dtype=choice_NE.dtype).scatter_(1, best, 1.0)
    return (choice_NGX * keep_NG[..., None]).view(N, E)


def wrong_2(choice_NE, n_group, topk_group):
    "a group's score is its single best expert"
    # breaks: "A group's score is the sum of its two best." - groups [0.9, 0.0] and [0.8, 0.8], topk_group=1
    if topk_group >= n_group:
        return choice_NE
    N, E = choice_NE.shape
    choice_NGX = choice_NE.view(N, n_group, E // n_group)
    best = choice_NGX.amax(-1).topk(topk_group, dim=-1).indices
    out_NG = torch.ones(N, n_group, dtype=torch.bool).scatter_(1, best, False)
    return choice_NGX.masked_fill(out_NG[..., None], float("-inf")).view(N, E)


def wrong_3(choice_NE, n_group, topk_group):
    "a group's score is the sum of all its experts; the same with groups of two"
    # breaks: "A group's score is the sum of its two best." - groups of four: [.9 .9 0 0] and [.6 .6 .6 .6]
    if topk_group >= n_group:
        return choice_NE
    N, E = choice_NE.shape
    choice_NGX = choice_NE.view(N, n_group, E // n_group)
    best = choice_NGX.sum(-1).topk(topk_group, dim=-1).indices
    out_NG = torch.ones(N, n_group, dtype=torch.bool).scatter_(1, best, False)
    return choice_NGX.masked_fill(out_NG[..., None], float("-inf")).view(N, E)


def wrong_4(choice_NE, n_group, topk_group):
    "masked_fill_ on a view writes into the caller's tensor"
    # breaks: "The input is left as it is." - choice_NE after the call, topk_group < n_group
    if topk_group >= n_group:
        return choice_NE
    N, E = choice_NE.shape
    choice_NGX = choice_NE.view(N, n_group, E // n_group)
    group_scores_NG = choice_NGX.topk(2, dim=-1).values.sum(-1)
    best = group_scores_NG.topk(topk_group, dim=-1).indices
    out_NG = torch.ones_like(group_scores_NG, dtype=torch.bool).scatter_(1, best, False)
    return choice_NGX.masked_fill_(out_NG[..., None], float("-inf")).view(N, E)


def wrong_5(choice_NE, n_group, topk_group):
    "all groups at or above the score of the last best one: with equal scores more than topk_group"
    # breaks: "Lets only the experts of the best `topk_group` groups of each token take part" - all scores equal
    if topk_group >= n_group:
        return choice_NE
    N, E = choice_NE.shape
    choice_NGX = choice_NE.view(N, n_group, E // n_group)
    group_scores_NG = choice_NGX.topk(2, dim=-1).values.sum(-1)
    least_N1 = group_scores_NG.topk(topk_group, dim=-1).values[:, -1:]
    return choice_NGX.masked_fill((group_scores_NG < least_N1)[..., None], float("-inf")).view(N, E)


def wrong_6(choice_NE, n_group, topk_group):
    "filled with -1e4, which finite scores can lie below"
    # breaks: "the others get one that loses against every finite score" - scores of -2e4 and lower
    if topk_group >= n_group:
        return choice_NE
    N, E = choice_NE.shape
    choice_NGX = choice_NE.view(N, n_group, E // n_group)
    group_scores_NG = choice_NGX.topk(2, dim=-1).values.sum(-1)
    best = group_scores_NG.topk(topk_group, dim=-1).indices
    out_NG = torch.ones_like(group_scores_NG, dtype=torch.bool).scatter_(1, best, False)
    return choice_NGX.masked_fill(out_NG[..., None], -1e4).view(N, E)


def wrong_7(choice_NE, n_group, topk_group):
    "where() with a float32 tensor of -inf: bf16 scores come back as float32"
    # breaks: "biased scores [N, E] -> [N, E]", "Experts of the best groups keep their scores" (dtype) - bfloat16 input
    if topk_group >= n_group:
        return choice_NE
    N, E = choice_NE.shape
    choice_NGX = choice_NE.view(N, n_group, E // n_group)
    best = choice_NGX.topk(2, dim=-1).values.sum(-1).topk(topk_group, dim=-1).indices
    keep_NG = torch.zeros(N, n_group, dtype=torch.bool).scatter_(1, best, True)
    keep_NE = keep_NG.repeat_interleave(E // n_group, dim=1)
    return torch.where(keep_NE, choice_NE, torch.full((N, E), float("-inf")))


def wrong_8(choice_NE, n_group, topk_group):
    "the groups are chosen once for the batch, by the mean over tokens"
    # breaks: "the best `topk_group` groups of each token" - two tokens with different best groups
    if topk_group >= n_group:
        return choice_NE
    N, E = choice_NE.shape
    choice_NGX = choice_NE.view(N, n_group, E // n_group)
    group_scores_G = choice_NGX.topk(2, dim=-1).values.sum(-1).mean(0)
    out_G = torch.ones(n_group, dtype=torch.bool)
    out_G[group_scores_G.topk(topk_group).indices] = False
    return choice_NGX.masked_fill(out_G[:, None], float("-inf")).view(N, E)


def wrong_9(choice_NE, n_group, topk_group):
    "the second best is looked for below the best: two equal best experts count once"
    # breaks: "A group's score is the sum of its two best." - groups [.9 .9 .1] and [.9 .5 .1], topk_group=1
    if topk_group >= n_group:
        return choice_NE
    N, E = choice_NE.shape
    choice_NGX = choice_NE.view(N, n_group, E // n_group)
    first_NG1 = choice_NGX.amax(-1, keepdim=True)
    second_NG = choice_NGX.masked_fill(choice_NGX == first_NG1, float("-inf")).amax(-1)
    best = (first_NG1[..., 0] + second_NG).topk(topk_group, dim=-1).indices
    out_NG = torch.ones(N, n_group, dtype=torch.bool).scatter_(1, best, False)
    return choice_NGX.masked_fill(out_NG[..., None], float("-inf")).view(N, E)


def wrong_10(choice_NE, n_group, topk_group):
    "negative scores count as 0 in a group's score, so that all groups below 0 are equal"
    # breaks: "A group's score is the sum of its two best." - groups [-3, -3] and [-1, -1], topk_group=1; or [.9 -.8] and
    # [.5 .2]
    if topk_group >= n_group:
        return choice_NE
    N, E = choice_NE.shape
    choice_NGX = choice_NE.view(N, n_group, E // n_group)
    group_scores_NG = choice_NGX.clamp(min=0).topk(2, dim=-1).values.sum(-1)
    best = group_scores_NG.topk(topk_group, dim=-1).indices
    out_NG = torch.ones_like(group_scores_NG, dtype=torch.bool).scatter_(1, best, False)
    return choice_NGX.masked_fill(out_NG[..., None], float("-inf")).view(N, E)


def right_1(choice_NE, n_group, topk_group):
    "a Python loop over tokens and groups"
    size = choice_NE.shape[1] // n_group
    out = torch.full_like(choice_NE, float("-inf"))
    for n, row in enumerate(choice_NE.tolist()):
        value = [sum(sorted(row[g * size : (g + 1) * size])[-2:]) for g in range(n_group)]
        for g in sorted(range(n_group), key=lambda g: value[g], reverse=True)[:topk_group]:
            out[n, g * size : (g + 1) * size] = choice_NE[n, g * size : (g + 1) * size]
    return out


def right_2(choice_NE, n_group, topk_group):
    "full sort, one-hot groups and repeat_interleave"
    N, E = choice_NE.shape
    pairs = choice_NE.reshape(N, n_group, -1).sort(dim=-1, descending=True).values[..., :2]
    best = pairs.sum(-1).argsort(dim=-1, descending=True)[:, :topk_group]
    keep = torch.nn.functional.one_hot(best, n_group).sum(1).bool().repeat_interleave(E // n_group, 1)
    return torch.where(keep, choice_NE, float("-inf"))


def right_3(choice_NE, n_group, topk_group):
    "a penalty of 0 or -inf is added; mean of the two best instead of their sum"
    N, E = choice_NE.shape
    grouped = choice_NE.unflatten(1, (n_group, E // n_group))
    score = grouped.topk(2).values.mean(-1)
    penalty = torch.full_like(score, -torch.inf).scatter(1, score.topk(min(topk_group, n_group)).indices, 0.0)
    return (grouped + penalty.unsqueeze(-1)).flatten(1)


def right_4(choice_NE, n_group, topk_group):
    "the experts to be kept are gathered by number and scattered into a row of -inf"
    if topk_group == n_group:
        return choice_NE.clone()
    size = choice_NE.size(1) // n_group
    totals = torch.stack([part.topk(2, dim=1)[0].sum(1) for part in choice_NE.split(size, dim=1)], dim=1)
    best = totals.topk(topk_group, dim=1)[1]
    kept = (best[:, :, None] * size + torch.arange(size, device=best.device)).flatten(1)
    return torch.full_like(choice_NE, float("-inf")).scatter(1, kept, choice_NE.gather(1, kept))
