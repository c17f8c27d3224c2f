"""grpo.advantages"""
import torch

from minids.errors import MinidsError


def _adv(x, baseline, scale, ddof, eps, g, std=None):
    mean = x.mean(1, keepdim=True)
    adv = x if baseline == "none" else x - mean
    if baseline == "loo":
        adv = adv * (g / (g - 1))
    if scale == "std":
        adv = adv / (_std(x, ddof) + eps)
    elif scale == "batch":
        adv = adv / (_std(x.reshape(1, -1), ddof) + eps)
    return adv


def wrong_1(rewards_N, group_size, *, baseline="mean", scale="std", ddof=1, eps=1e-4):
    "torch.std of groups of one is nan with ddof 1"
    x = _groups(rewards_N, group_size, baseline, scale, ddof)
    informative = x.amax(1, keepdim=True) > x.amin(1, keepdim=True)
    adv = x if baseline == "none" else x - x.mean(1, keepdim=True)
    if baseline == "loo":
        adv = adv * group_size / (group_size - 1)
    if scale == "std":
        adv = adv / (x.std(1, keepdim=True, correction=ddof) + eps)
    elif scale == "batch":
        adv = adv / (x.std(correction=ddof) + eps)
    if baseline != "none":
        adv = adv * informative
    return adv.reshape(-1), informative.expand_as(x).reshape(-1)


def wrong_2(rewards_N, group_size, *, baseline="mean", scale="std", ddof=1, eps=1e-4):
    "groups of equal rewards get rounding noise divided by eps, not exactly 0 (three times 0.1)"
    x = _groups(rewards_N, group_size, baseline, scale, ddof)
    informative = x.amax(1, keepdim=True) > x.amin(1, keepdim=True)
    return _adv(x, baseline, scale, ddof, eps, group_size).reshape(-1), informative.expand_as(x).reshape(-1)


def wrong_3(rewards_N, group_size, *, baseline="mean", scale="std", ddof=1, eps=1e-4):
    "whether a group is informative is told from std > 0: rounding makes equal rewards of 0.1 informative"
    x = _groups(rewards_N, group_size, baseline, scale, ddof)
    informative = _std(x, 0) > 0
    adv = _adv(x, baseline, scale, ddof, eps, group_size)
    if baseline != "none":
        adv = torch.where(informative, adv, 0.0)
    return adv.reshape(-1), informative.expand_as(x).reshape(-1)


def wrong_4(rewards_N, group_size, *, baseline="mean", scale="std", ddof=1, eps=1e-4):
    "without a baseline the advantages of equal groups are put to 0 too"
    x = _groups(rewards_N, group_size, baseline, scale, ddof)
    informative = x.amax(1, keepdim=True) > x.amin(1, keepdim=True)
    adv = torch.where(informative, _adv(x, baseline, scale, ddof, eps, group_size), 0.0)
    return adv.reshape(-1), informative.expand_as(x).reshape(-1)


def wrong_5(rewards_N, group_size, *, baseline="mean", scale="std", ddof=1, eps=1e-4):
    "scale batch takes the spread of the advantages, not of the rewards"
    x = _groups(rewards_N, group_size, baseline, scale, ddof)
    informative = x.amax(1, keepdim=True) > x.amin(1, keepdim=True)
    adv = _adv(x, baseline, "std" if scale == "std" else "none", ddof, eps, group_size)
    if scale == "batch":
        adv = adv / (_std(adv.reshape(1, -1), ddof) + eps)
    if baseline != "none":
        adv = torch.where(informative, adv, 0.0)
    return adv.reshape(-1), informative.expand_as(x).reshape(-1)


def wrong_6(rewards_N, group_size, *, baseline="mean", scale="std", ddof=1, eps=1e-4):
    "the groups are taken to be interleaved: view(group_size, -1)"
    x = _groups(rewards_N, group_size, baseline, scale, ddof)
    x = x.reshape(group_size, -1).T
    informative = x.amax(1, keepdim=True) > x.amin(1, keepdim=True)
    adv = _adv(x, baseline, scale, ddof, eps, group_size)
    if baseline != "none":
        adv = torch.where(informative, adv, 0.0)
    return adv.T.reshape(-1), informative.expand_as(x).T.reshape(-1)


def wrong_7(rewards_N, group_size, *, baseline="mean", scale="std", ddof=1, eps=1e-4):
    "all is computed in float32: float64 rewards lose their dtype"
    x = _groups(rewards_N, group_size, baseline, scale, ddof).float()
    informative = x.amax(1, keepdim=True) > x.amin(1, keepdim=True)
    adv = _adv(x, baseline, scale, ddof, eps, group_size)
    if baseline != "none":
        adv = torch.where(informative, adv, 0.0)
    return adv.reshape(-1), informative.expand_as(x).reshape(-1)


def wrong_8(rewards_N, group_size, *, baseline="mean", scale="std", ddof=1, eps=1e-4):
    "eps is under the root"
    x = _groups(rewards_N, group_size, baseline, scale, ddof)
    informative = x.amax(1, keepdim=True) > x.amin(1, keepdim=True)
    adv = _adv(x, baseline, "none", ddof, eps, group_size)
    if scale != "none":
        adv = adv / (_std(x if scale == "std" else x.reshape(1, -1), ddof).square() + eps).sqrt()
    if baseline != "none":
        adv = torch.where(informative, adv, 0.0)
    return adv.reshape(-1), informative.expand_as(x).reshape(-1)


def wrong_9(rewards_N, group_size, *, baseline="mean", scale="std", ddof=1, eps=1e-4):
    "informative is one entry a group, not one an answer"
    x = _groups(rewards_N, group_size, baseline, scale, ddof)
    informative = x.amax(1, keepdim=True) > x.amin(1, keepdim=True)
    adv = _adv(x, baseline, scale, ddof, eps, group_size)
    if baseline != "none":
        adv = torch.where(informative, adv, 0.0)
    return adv.reshape(-1), informative.reshape(-1)


def wrong_10(rewards_N, group_size, *, baseline="mean", scale="std", ddof=1, eps=1e-4):
    "settings are not checked: an unknown baseline counts as mean, an unknown scale as none, loo in groups of one divides by 0"
    x = _groups(rewards_N, group_size)
    informative = x.amax(1, keepdim=True) > x.amin(1, keepdim=True)
    g = group_size
    adv = x if baseline == "none" else x - x.mean(1, keepdim=True)
    if baseline == "loo" and g > 1:
        adv = adv * (g / (g - 1))
    if scale in ("std", "batch"):
        adv = adv / (_std(x if scale == "std" else x.reshape(1, -1), ddof) + eps)
    if baseline != "none":
        adv = torch.where(informative, adv, 0.0)
    return adv.reshape(-1), informative.expand_as(x).reshape(-1)


def right_1(rewards_N, group_size, *, baseline="mean", scale="std", ddof=1, eps=1e-4):
    "one group after the other; loo by the mean of the others"
    rows = _groups(rewards_N, group_size, baseline, scale, ddof)
    whole = _std(rows.reshape(1, -1), ddof).item()
    advs, flags = [], []
    for row in rows:
        different = bool((row != row[0]).any())
        flags += [different] * group_size
        if baseline == "none":
            adv = row.clone()
        elif not different:
            adv = torch.zeros_like(row)
        elif baseline == "mean":
            adv = row - row.mean()
        else:
            adv = row - (row.sum() - row) / (group_size - 1)
        if scale == "std":
            adv = adv / (_std(row[None], ddof)[0] + eps)
        elif scale == "batch":
            adv = adv / (whole + eps)
        advs.append(adv)
    return torch.cat(advs), torch.tensor(flags)


def right_2(rewards_N, group_size, *, baseline="mean", scale="std", ddof=1, eps=1e-4):
    "differences to the first reward of the group first: equal groups are exact zeros by themselves"
    x = _groups(rewards_N, group_size, baseline, scale, ddof)
    from_first = x - x[:, :1]
    flags = (from_first != 0).any(1)
    if baseline == "none":
        adv = x
    else:
        adv = from_first - from_first.mean(1, keepdim=True)
        if baseline == "loo":
            adv = adv + adv / (group_size - 1)
    if scale != "none":
        spread = _std(x, ddof) if scale == "std" else _std(x.reshape(1, -1), ddof)
        adv = adv / (spread + eps)
    return adv.flatten(), flags.repeat_interleave(group_size)


def right_3(rewards_N, group_size, *, baseline="mean", scale="std", ddof=1, eps=1e-4):
    "torch.std where there are enough numbers"
    x = _groups(rewards_N, group_size, baseline, scale, ddof)
    def spread(t):
        if t.shape[1] <= ddof:
            return torch.zeros(len(t), 1, dtype=t.dtype)
        return t.std(dim=1, correction=ddof, keepdim=True)
    flags = x.max(1).values != x.min(1).values
    divisor = {"std": lambda: spread(x) + eps, "batch": lambda: spread(x.reshape(1, -1)) + eps, "none": lambda: 1.0}[scale]()
    base = {"none": lambda: torch.zeros_like(x), "mean": lambda: x.mean(1, keepdim=True).expand_as(x),
            "loo": lambda: (x.sum(1, keepdim=True) - x) / (group_size - 1)}[baseline]()
    adv = (x - base) / divisor
    if baseline in ("mean", "loo"):
        adv = adv.masked_fill(~flags[:, None], 0.0)
    return adv.reshape(-1), flags[:, None].repeat(1, group_size).reshape(-1)


def right_4(rewards_N, group_size, *, baseline="mean", scale="std", ddof=1, eps=1e-4):
    "matrices: I - 1/G is the baseline"
    x = _groups(rewards_N, group_size, baseline, scale, ddof)
    G = group_size
    eye, ones = torch.eye(G, dtype=x.dtype), torch.ones(G, G, dtype=x.dtype)
    flags = torch.tensor([len(set(row)) > 1 for row in x.tolist()], dtype=torch.bool)
    if baseline == "none":
        adv = x
    else:
        centre = eye - ones / G if baseline == "mean" else eye - (ones - eye) / (G - 1)
        adv = torch.where(flags[:, None], x @ centre, torch.zeros_like(x))
    if scale == "std":
        adv = adv / (_std(x, ddof) + eps)
    if scale == "batch":
        adv = adv / (_std(x.reshape(1, -1), ddof) + eps)
    return adv.reshape(-1), flags.repeat_interleave(G)
