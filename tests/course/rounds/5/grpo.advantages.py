"""grpo.advantages"""
import torch


def wrong_1(rewards_N, group_size, *, baseline="mean", scale="std", ddof=1, eps=1e-4):
    "groups of equal rewards are not set to 0: rounding noise over eps, and 0 / 0 with eps=0"
    # breaks: "its advantages are exactly 0 with the mean and loo baselines (not rounding noise divided by eps)" [0.1]*3, eps=0
    rewards_PG = _groups(rewards_N, group_size, baseline, scale, ddof)
    informative_P1 = rewards_PG.amax(1, keepdim=True) > rewards_PG.amin(1, keepdim=True)
    adv_PG = rewards_PG if baseline == "none" else rewards_PG - rewards_PG.mean(1, keepdim=True)
    if baseline == "loo":
        adv_PG = adv_PG * (group_size / (group_size - 1))
    if scale == "std":
        adv_PG = adv_PG / (_std(rewards_PG, ddof) + eps)
    elif scale == "batch":
        adv_PG = adv_PG / (_std(rewards_PG.reshape(1, -1), ddof) + eps)
    return adv_PG.reshape(-1), informative_P1.expand_as(rewards_PG).reshape(-1)


def wrong_2(rewards_N, group_size, *, baseline="mean", scale="std", ddof=1, eps=1e-4):
    "informative is decided by the standard deviation, which is not 0 for equal rewards whose mean is rounded"
    # breaks: "informative_N is False where all rewards of a group are equal" [0.1] * 6 in float64, group_size 3
    rewards_PG = _groups(rewards_N, group_size, baseline, scale, ddof)
    std_P1 = _std(rewards_PG, ddof)
    informative_P1 = std_P1 > 0
    adv_PG = rewards_PG if baseline == "none" else rewards_PG - rewards_PG.mean(1, keepdim=True)
    if baseline == "loo":
        adv_PG = adv_PG * (group_size / (group_size - 1))
    if scale == "std":
        adv_PG = adv_PG / (std_P1 + eps)
    elif scale == "batch":
        adv_PG = adv_PG / (_std(rewards_PG.reshape(1, -1), ddof) + eps)
    if baseline != "none":
        adv_PG = torch.where(informative_P1, adv_PG, 0.0)
    return adv_PG.reshape(-1), informative_P1.expand_as(rewards_PG).reshape(-1)


def wrong_3(rewards_N, group_size, *, baseline="mean", scale="std", ddof=1, eps=1e-4):
    "equal groups are set to 0 without a baseline too"
    # breaks: "its advantages are exactly 0 with the mean and loo baselines" [1, 1, 0, 1], 2, baseline="none", scale="none" is 1 1 0 1
    rewards_PG = _groups(rewards_N, group_size, baseline, scale, ddof)
    informative_P1 = rewards_PG.amax(1, keepdim=True) > rewards_PG.amin(1, keepdim=True)
    adv_PG = rewards_PG if baseline == "none" else rewards_PG - rewards_PG.mean(1, keepdim=True)
    if baseline == "loo":
        adv_PG = adv_PG * (group_size / (group_size - 1))
    if scale == "std":
        adv_PG = adv_PG / (_std(rewards_PG, ddof) + eps)
    elif scale == "batch":
        adv_PG = adv_PG / (_std(rewards_PG.reshape(1, -1), ddof) + eps)
    adv_PG = torch.where(informative_P1, adv_PG, 0.0)
    return adv_PG.reshape(-1), informative_P1.expand_as(rewards_PG).reshape(-1)


def wrong_4(rewards_N, group_size, *, baseline="mean", scale="std", ddof=1, eps=1e-4):
    "leave one out divides the others' sum by G instead of G - 1"
    # breaks: "loo (mean of the others in the group)" [1, 0, 1], 3, baseline="loo", scale="none"
    rewards_PG = _groups(rewards_N, group_size, baseline, scale, ddof)
    informative_P1 = rewards_PG.amax(1, keepdim=True) > rewards_PG.amin(1, keepdim=True)
    if baseline == "mean":
        adv_PG = rewards_PG - rewards_PG.mean(1, keepdim=True)
    elif baseline == "loo":
        adv_PG = rewards_PG - (rewards_PG.sum(1, keepdim=True) - rewards_PG) / group_size
    else:
        adv_PG = rewards_PG
    if scale == "std":
        adv_PG = adv_PG / (_std(rewards_PG, ddof) + eps)
    elif scale == "batch":
        adv_PG = adv_PG / (_std(rewards_PG.reshape(1, -1), ddof) + eps)
    if baseline != "none":
        adv_PG = torch.where(informative_P1, adv_PG, 0.0)
    return adv_PG.reshape(-1), informative_P1.expand_as(rewards_PG).reshape(-1)


def wrong_5(rewards_N, group_size, *, baseline="mean", scale="std", ddof=1, eps=1e-4):
    "the scale \"batch\" takes the deviation of what is left after each group's mean, not of the rewards"
    # breaks: "batch (of all rewards)" [1, 0, 3, 2], 2, scale="batch"
    rewards_PG = _groups(rewards_N, group_size, baseline, scale, ddof)
    informative_P1 = rewards_PG.amax(1, keepdim=True) > rewards_PG.amin(1, keepdim=True)
    adv_PG = rewards_PG if baseline == "none" else rewards_PG - rewards_PG.mean(1, keepdim=True)
    if baseline == "loo":
        adv_PG = adv_PG * (group_size / (group_size - 1))
    if scale == "std":
        adv_PG = adv_PG / (_std(rewards_PG, ddof) + eps)
    elif scale == "batch":
        adv_PG = adv_PG / (_std(adv_PG.reshape(1, -1), ddof) + eps)
    if baseline != "none":
        adv_PG = torch.where(informative_P1, adv_PG, 0.0)
    return adv_PG.reshape(-1), informative_P1.expand_as(rewards_PG).reshape(-1)


def wrong_6(rewards_N, group_size, *, baseline="mean", scale="std", ddof=1, eps=1e-4):
    "the scale \"batch\" is the mean of the groups' deviations"
    # breaks: "Standard deviations use N - ddof", "batch (of all rewards)": [0, 0, 4, 4, 1, 0], 2, scale="batch"
    rewards_PG = _groups(rewards_N, group_size, baseline, scale, ddof)
    informative_P1 = rewards_PG.amax(1, keepdim=True) > rewards_PG.amin(1, keepdim=True)
    adv_PG = rewards_PG if baseline == "none" else rewards_PG - rewards_PG.mean(1, keepdim=True)
    if baseline == "loo":
        adv_PG = adv_PG * (group_size / (group_size - 1))
    if scale != "none":
        std_P1 = _std(rewards_PG, ddof)
        adv_PG = adv_PG / ((std_P1 if scale == "std" else std_P1.mean()) + eps)
    if baseline != "none":
        adv_PG = torch.where(informative_P1, adv_PG, 0.0)
    return adv_PG.reshape(-1), informative_P1.expand_as(rewards_PG).reshape(-1)


def wrong_7(rewards_N, group_size, *, baseline="mean", scale="std", ddof=1, eps=1e-4):
    "eps goes under the root"
    # breaks: "Standard deviations use N - ddof and get `eps` added" [1, 0], 2, eps=0.5
    rewards_PG = _groups(rewards_N, group_size, baseline, scale, ddof)
    informative_P1 = rewards_PG.amax(1, keepdim=True) > rewards_PG.amin(1, keepdim=True)
    adv_PG = rewards_PG if baseline == "none" else rewards_PG - rewards_PG.mean(1, keepdim=True)
    if baseline == "loo":
        adv_PG = adv_PG * (group_size / (group_size - 1))
    if scale == "std":
        adv_PG = adv_PG / (_std(rewards_PG, ddof).square() + eps).sqrt()
    elif scale == "batch":
        adv_PG = adv_PG / (_std(rewards_PG.reshape(1, -1), ddof).square() + eps).sqrt()
    if baseline != "none":
        adv_PG = torch.where(informative_P1, adv_PG, 0.0)
    return adv_PG.reshape(-1), informative_P1.expand_as(rewards_PG).reshape(-1)


def wrong_8(rewards_N, group_size, *, baseline="mean", scale="std", ddof=1, eps=1e-4):
    "everything is made float32, float64 rewards too"
    # breaks: "Rewards of another number type than float count as float32" so float64 stays float64; 1 and 1 + 1e-9 become equal
    rewards_PG = _groups(torch.as_tensor(rewards_N).float(), group_size, baseline, scale, ddof)
    informative_P1 = rewards_PG.amax(1, keepdim=True) > rewards_PG.amin(1, keepdim=True)
    adv_PG = rewards_PG if baseline == "none" else rewards_PG - rewards_PG.mean(1, keepdim=True)
    if baseline == "loo":
        adv_PG = adv_PG * (group_size / (group_size - 1))
    if scale == "std":
        adv_PG = adv_PG / (_std(rewards_PG, ddof) + eps)
    elif scale == "batch":
        adv_PG = adv_PG / (_std(rewards_PG.reshape(1, -1), ddof) + eps)
    if baseline != "none":
        adv_PG = torch.where(informative_P1, adv_PG, 0.0)
    return adv_PG.reshape(-1), informative_P1.expand_as(rewards_PG).reshape(-1)


def wrong_9(rewards_N, group_size, *, baseline="mean", scale="std", ddof=1, eps=1e-4):
    "the mean is taken off in place, through the view, so that the caller's rewards change"
    # breaks: arguments left unchanged; any float tensor with baseline "mean" or "loo"
    rewards_PG = _groups(rewards_N, group_size, baseline, scale, ddof)
    informative_P1 = rewards_PG.amax(1, keepdim=True) > rewards_PG.amin(1, keepdim=True)
    std_P1, all_11 = _std(rewards_PG, ddof), _std(rewards_PG.reshape(1, -1), ddof)
    adv_PG = rewards_PG
    if baseline != "none":
        adv_PG -= rewards_PG.mean(1, keepdim=True)
    if baseline == "loo":
        adv_PG = adv_PG * (group_size / (group_size - 1))
    if scale == "std":
        adv_PG = adv_PG / (std_P1 + eps)
    elif scale == "batch":
        adv_PG = adv_PG / (all_11 + eps)
    if baseline != "none":
        adv_PG = torch.where(informative_P1, adv_PG, 0.0)
    return adv_PG.reshape(-1), informative_P1.expand_as(rewards_PG).reshape(-1)


def wrong_10(rewards_N, group_size, *, baseline="mean", scale="std", ddof=1, eps=1e-4):
    "torch.std of a group of one is nan, which stays without a baseline"
    # breaks: "how much better each answer was": [1.0, 2.0], 1, baseline="none" must be finite (a row of one counts as 0 in `_std`)
    rewards_PG = _groups(rewards_N, group_size, baseline, scale, ddof)
    informative_P1 = rewards_PG.amax(1, keepdim=True) > rewards_PG.amin(1, keepdim=True)
    adv_PG = rewards_PG if baseline == "none" else rewards_PG - rewards_PG.mean(1, keepdim=True)
    if baseline == "loo":
        adv_PG = adv_PG * (group_size / (group_size - 1))
    if scale == "std":
        adv_PG = adv_PG / (rewards_PG.std(1, keepdim=True, correction=ddof) + eps)
    elif scale == "batch":
        adv_PG = adv_PG / (rewards_PG.std(correction=ddof) + eps)
    if baseline != "none":
        adv_PG = torch.where(informative_P1, adv_PG, 0.0)
    return adv_PG.reshape(-1), informative_P1.expand_as(rewards_PG).reshape(-1)


def right_1(rewards_N, group_size, *, baseline="mean", scale="std", ddof=1, eps=1e-4):
    "a loop over the groups, with early exits"
    table = _groups(rewards_N, group_size, baseline, scale, ddof)
    spread_all = _std(table.reshape(1, -1), ddof)[0, 0]
    advs, flags = [], []
    for row in table:
        equal = bool((row == row[0]).all())
        flags += [not equal] * group_size
        if equal and baseline != "none":
            advs.append(torch.zeros_like(row))
            continue
        adv = row.clone()
        if baseline == "mean":
            adv = row - row.mean()
        elif baseline == "loo":
            adv = (row - row.mean()) * group_size / (group_size - 1)
        if scale == "std":
            adv = adv / (_std(row[None], ddof)[0, 0] + eps)
        elif scale == "batch":
            adv = adv / (spread_all + eps)
        advs.append(adv)
    flat = torch.cat(advs) if advs else table.reshape(-1)
    return flat, torch.tensor(flags, dtype=torch.bool)


def right_2(rewards_N, group_size, *, baseline="mean", scale="std", ddof=1, eps=1e-4):
    "the mean of the others written out as (sum - r) / (G - 1)"
    r = _groups(rewards_N, group_size, baseline, scale, ddof)
    informative = (r != r[:, :1]).any(1, keepdim=True)
    total = r.sum(1, keepdim=True)
    base = {"mean": lambda: total / group_size, "loo": lambda: (total - r) / (group_size - 1), "none": lambda: 0.0}[baseline]()
    spread = {"std": lambda: _std(r, ddof) + eps, "batch": lambda: _std(r.view(1, -1), ddof) + eps, "none": lambda: 1.0}[scale]()
    adv = (r - base) / spread
    if baseline != "none":
        adv = adv.masked_fill(~informative, 0.0)
    return adv.flatten(), informative.repeat(1, group_size).flatten()


def right_3(rewards_N, group_size, *, baseline="mean", scale="std", ddof=1, eps=1e-4):
    "repeat_interleave instead of expand, all in one row"
    table = _groups(rewards_N, group_size, baseline, scale, ddof)
    flat = table.flatten()
    low, high = table.min(1).values, table.max(1).values
    informative = (high > low).repeat_interleave(group_size)

    def deviation(x):
        return _std(x, ddof).squeeze(1)

    adv = flat.clone()
    if baseline != "none":
        adv = adv - table.mean(1).repeat_interleave(group_size)
    if baseline == "loo":
        adv = adv * group_size / (group_size - 1)
    if scale == "std":
        adv = adv / (deviation(table) + eps).repeat_interleave(group_size)
    if scale == "batch":
        adv = adv / (deviation(flat[None]) + eps)
    if baseline != "none":
        adv[~informative] = 0
    return adv, informative


def right_4(rewards_N, group_size, *, baseline="mean", scale="std", ddof=1, eps=1e-4):
    "an early return without a baseline, einsum for the sum"
    rewards_PG = _groups(rewards_N, group_size, baseline, scale, ddof)
    informative_PG = (rewards_PG.amax(1) != rewards_PG.amin(1))[:, None].expand(-1, group_size)
    divisor = 1.0
    if scale == "std":
        divisor = _std(rewards_PG, ddof) + eps
    if scale == "batch":
        divisor = _std(rewards_PG.reshape(1, -1), ddof) + eps
    if baseline == "none":
        return (rewards_PG / divisor).reshape(-1), informative_PG.reshape(-1)
    centred = rewards_PG - torch.einsum("pg->p", rewards_PG)[:, None] / group_size
    if baseline == "loo":
        centred = centred * (1 + 1 / (group_size - 1))
    adv = torch.where(informative_PG, centred / divisor, torch.zeros_like(centred))
    return adv.reshape(-1), informative_PG.reshape(-1)
