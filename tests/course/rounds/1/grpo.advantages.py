"""grpo.advantages"""
import torch

def wrong_1(rewards_N, group_size, *, baseline="mean", scale="std", ddof=1, eps=1e-4):
    "all-equal groups are not set to 0: rounding noise divided by eps (0.1 three times)"
    r = _groups(rewards_N, group_size, baseline, scale, ddof)
    informative = r.amax(1, keepdim=True) > r.amin(1, keepdim=True)
    adv = r if baseline == "none" else r - r.mean(1, keepdim=True)
    if baseline == "loo":
        adv = adv * (group_size / (group_size - 1))
    if scale == "std":
        adv = adv / (_std(r, ddof) + eps)
    elif scale == "batch":
        adv = adv / (_std(r.reshape(1, -1), ddof) + eps)
    return adv.reshape(-1), informative.expand_as(r).reshape(-1)

def wrong_2(rewards_N, group_size, *, baseline="mean", scale="std", ddof=1, eps=1e-4):
    "informative from the standard deviation > 0: noise of equal rewards counts as information"
    r = _groups(rewards_N, group_size, baseline, scale, ddof)
    std = _std(r, ddof)
    informative = std > 0
    adv = r if baseline == "none" else r - r.mean(1, keepdim=True)
    if baseline == "loo":
        adv = adv * (group_size / (group_size - 1))
    if scale == "std":
        adv = adv / (std + eps)
    elif scale == "batch":
        adv = adv / (_std(r.reshape(1, -1), ddof) + eps)
    if baseline != "none":
        adv = torch.where(informative, adv, 0.0)
    return adv.reshape(-1), informative.expand_as(r).reshape(-1)

def wrong_3(rewards_N, group_size, *, baseline="mean", scale="std", ddof=1, eps=1e-4):
    "baseline none is zeroed too in groups of equal rewards"
    r = _groups(rewards_N, group_size, baseline, scale, ddof)
    informative = r.amax(1, keepdim=True) > r.amin(1, keepdim=True)
    adv = r if baseline == "none" else r - r.mean(1, keepdim=True)
    if baseline == "loo":
        adv = adv * (group_size / (group_size - 1))
    if scale == "std":
        adv = adv / (_std(r, ddof) + eps)
    elif scale == "batch":
        adv = adv / (_std(r.reshape(1, -1), ddof) + eps)
    adv = torch.where(informative, adv, 0.0)
    return adv.reshape(-1), informative.expand_as(r).reshape(-1)

def wrong_4(rewards_N, group_size, *, baseline="mean", scale="std", ddof=1, eps=1e-4):
    "scale batch takes the standard deviation of the advantages, not of all rewards"
    r = _groups(rewards_N, group_size, baseline, scale, ddof)
    informative = r.amax(1, keepdim=True) > r.amin(1, keepdim=True)
    adv = r if baseline == "none" else r - r.mean(1, keepdim=True)
    if baseline == "loo":
        adv = adv * (group_size / (group_size - 1))
    if scale == "std":
        adv = adv / (_std(r, ddof) + eps)
    elif scale == "batch":
        adv = adv / (_std(adv.reshape(1, -1), ddof) + eps)
    if baseline != "none":
        adv = torch.where(informative, adv, 0.0)
    return adv.reshape(-1), informative.expand_as(r).reshape(-1)

def wrong_5(rewards_N, group_size, *, baseline="mean", scale="std", ddof=1, eps=1e-4):
    "informative_N has one entry a group, [P] instead of [N]"
    r = _groups(rewards_N, group_size, baseline, scale, ddof)
    informative = r.amax(1, keepdim=True) > r.amin(1, keepdim=True)
    adv = r if baseline == "none" else r - r.mean(1, keepdim=True)
    if baseline == "loo":
        adv = adv * (group_size / (group_size - 1))
    if scale == "std":
        adv = adv / (_std(r, ddof) + eps)
    elif scale == "batch":
        adv = adv / (_std(r.reshape(1, -1), ddof) + eps)
    if baseline != "none":
        adv = torch.where(informative, adv, 0.0)
    return adv.reshape(-1), informative[:, 0]

def wrong_6(rewards_N, group_size, *, baseline="mean", scale="std", ddof=1, eps=1e-4):
    "loo with G / (G + 1) ... upside down: (G - 1) / G"
    r = _groups(rewards_N, group_size, baseline, scale, ddof)
    informative = r.amax(1, keepdim=True) > r.amin(1, keepdim=True)
    adv = r if baseline == "none" else r - r.mean(1, keepdim=True)
    if baseline == "loo":
        adv = adv * ((group_size - 1) / group_size)
    if scale == "std":
        adv = adv / (_std(r, ddof) + eps)
    elif scale == "batch":
        adv = adv / (_std(r.reshape(1, -1), ddof) + eps)
    if baseline != "none":
        adv = torch.where(informative, adv, 0.0)
    return adv.reshape(-1), informative.expand_as(r).reshape(-1)

def wrong_7(rewards_N, group_size, *, baseline="mean", scale="std", ddof=1, eps=1e-4):
    "torch's std with its correction: NaN for groups of one, ddof ignored"
    r = _groups(rewards_N, group_size, baseline, scale, ddof)
    informative = r.amax(1, keepdim=True) > r.amin(1, keepdim=True)
    adv = r if baseline == "none" else r - r.mean(1, keepdim=True)
    if baseline == "loo":
        adv = adv * (group_size / (group_size - 1))
    if scale == "std":
        adv = adv / (r.std(1, keepdim=True) + eps)
    elif scale == "batch":
        adv = adv / (r.std() + eps)
    if baseline != "none":
        adv = torch.where(informative, adv, 0.0)
    return adv.reshape(-1), informative.expand_as(r).reshape(-1)

def wrong_8(rewards_N, group_size, *, baseline="mean", scale="std", ddof=1, eps=1e-4):
    "eps as a lower bound of the standard deviation instead of being added"
    r = _groups(rewards_N, group_size, baseline, scale, ddof)
    informative = r.amax(1, keepdim=True) > r.amin(1, keepdim=True)
    adv = r if baseline == "none" else r - r.mean(1, keepdim=True)
    if baseline == "loo":
        adv = adv * (group_size / (group_size - 1))
    if scale == "std":
        adv = adv / _std(r, ddof).clamp(min=eps)
    elif scale == "batch":
        adv = adv / _std(r.reshape(1, -1), ddof).clamp(min=eps)
    if baseline != "none":
        adv = torch.where(informative, adv, 0.0)
    return adv.reshape(-1), informative.expand_as(r).reshape(-1)

def wrong_9(rewards_N, group_size, *, baseline="mean", scale="std", ddof=1, eps=1e-4):
    "`_groups` gets the first two arguments alone: baseline, scale and ddof are not checked, group_size 1 with loo divides by 0"
    r = _groups(rewards_N, group_size)
    informative = r.amax(1, keepdim=True) > r.amin(1, keepdim=True)
    adv = r if baseline == "none" else r - r.mean(1, keepdim=True)
    if baseline == "loo":
        adv = adv * (group_size / (group_size - 1))
    if scale == "std":
        adv = adv / (_std(r, ddof) + eps)
    elif scale == "batch":
        adv = adv / (_std(r.reshape(1, -1), ddof) + eps)
    if baseline != "none":
        adv = torch.where(informative, adv, 0.0)
    return adv.reshape(-1), informative.expand_as(r).reshape(-1)

def wrong_10(rewards_N, group_size, *, baseline="mean", scale="std", ddof=1, eps=1e-4):
    "groups strided: reshaped to [G, P] and read along the wrong axis"
    r = _groups(rewards_N, group_size, baseline, scale, ddof)
    r = r.reshape(group_size, -1).T
    informative = r.amax(1, keepdim=True) > r.amin(1, keepdim=True)
    adv = r if baseline == "none" else r - r.mean(1, keepdim=True)
    if baseline == "loo":
        adv = adv * (group_size / (group_size - 1))
    if scale == "std":
        adv = adv / (_std(r, ddof) + eps)
    elif scale == "batch":
        adv = adv / (_std(r.reshape(1, -1), ddof) + eps)
    if baseline != "none":
        adv = torch.where(informative, adv, 0.0)
    return adv.T.reshape(-1), informative.expand_as(r).T.reshape(-1)

def right_1(rewards_N, group_size, *, baseline="mean", scale="std", ddof=1, eps=1e-4):
    "group by group"
    table = _groups(rewards_N, group_size, baseline, scale, ddof)
    adv, told = [], []
    batch = _std(table.reshape(1, -1), ddof)[0, 0]
    for row in table:
        differs = bool((row != row[0]).any())
        if baseline == "none":
            a = row.clone()
        elif not differs:
            a = torch.zeros_like(row)
        elif baseline == "mean":
            a = row - row.mean()
        else:
            a = row - (row.sum() - row) / (group_size - 1)
        if scale == "std":
            a = a / (_std(row[None], ddof)[0, 0] + eps)
        if scale == "batch":
            a = a / (batch + eps)
        adv.append(a)
        told += [differs] * group_size
    return torch.cat(adv), torch.tensor(told, dtype=torch.bool)

def right_2(rewards_N, group_size, *, baseline="mean", scale="std", ddof=1, eps=1e-4):
    "leave-one-out mean written out; masked_fill"
    r = _groups(rewards_N, group_size, baseline, scale, ddof)
    equal = (r == r[:, :1]).all(dim=1, keepdim=True).expand_as(r)
    if baseline == "mean":
        base = r.mean(dim=1, keepdim=True)
    elif baseline == "loo":
        base = (r.sum(dim=1, keepdim=True) - r) / (group_size - 1)
    else:
        base = torch.zeros_like(r)
    adv = r - base
    if baseline != "none":
        adv = adv.masked_fill(equal, 0.0)
    if scale != "none":
        adv = adv / ((_std(r, ddof) if scale == "std" else _std(r.flatten()[None], ddof)) + eps)
    return adv.flatten(), ~equal.flatten()

def right_3(rewards_N, group_size, *, baseline="mean", scale="std", ddof=1, eps=1e-4):
    "own standard deviation by torch.std with correction, a single one counts as 0"
    r = _groups(rewards_N, group_size, baseline, scale, ddof)
    def deviation(x):
        n = x.shape[1]
        return x.std(1, correction=ddof, keepdim=True) if n > ddof else torch.zeros_like(x[:, :1])
    lowest, highest = r.min(1, keepdim=True).values, r.max(1, keepdim=True).values
    informative = (lowest != highest).repeat(1, group_size)
    adv = {"none": lambda: r, "mean": lambda: r - r.mean(1, keepdim=True),
           "loo": lambda: (r - r.mean(1, keepdim=True)) * group_size / (group_size - 1)}[baseline]()
    if scale == "std":
        adv = adv / (deviation(r) + eps)
    if scale == "batch":
        adv = adv / (deviation(r.reshape(1, -1)) + eps)
    if baseline in ("mean", "loo"):
        adv = adv * informative
    return adv.reshape(-1), informative.reshape(-1)

def right_4(rewards_N, group_size, *, baseline="mean", scale="std", ddof=1, eps=1e-4):
    "flat: group statistics repeated to N, subtracted there"
    r = _groups(rewards_N, group_size, baseline, scale, ddof)
    flat, G = r.reshape(-1), group_size
    spread = (r.amax(1) - r.amin(1)).repeat_interleave(G)
    informative = spread > 0
    adv = flat
    if baseline != "none":
        adv = torch.where(informative, flat - r.mean(1).repeat_interleave(G), torch.zeros_like(flat))
        adv = adv * G / (G - 1) if baseline == "loo" else adv
    divisor = {"std": lambda: _std(r, ddof).flatten().repeat_interleave(G) + eps,
               "batch": lambda: _std(flat[None], ddof).item() + eps, "none": lambda: 1.0}[scale]()
    return adv / divisor, informative
