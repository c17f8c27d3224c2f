"""grpo.advantages"""
import torch


def wrong_1(rewards_N, group_size, *, baseline="mean", scale="std", ddof=1, eps=1e-4):
    "informative is decided by the spread: three times 0.1 has a tiny one and counts as informative"
    r = _groups(rewards_N, group_size, baseline, scale, ddof)
    std = _std(r, ddof)
    informative = _std(r, 0) > 0
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


def wrong_2(rewards_N, group_size, *, baseline="mean", scale="std", ddof=1, eps=1e-4):
    "the advantages of equal rewards are left as rounding noise over eps (and NaN with eps=0)"
    r = _groups(rewards_N, group_size, baseline, scale, ddof)
    informative = (r != r[:, :1]).any(1, keepdim=True)
    adv = r if baseline == "none" else r - r.mean(1, keepdim=True)
    if baseline == "loo":
        adv = adv * (group_size / (group_size - 1))
    if scale == "std":
        adv = adv / (_std(r, ddof) + eps)
    elif scale == "batch":
        adv = adv / (_std(r.reshape(1, -1), ddof) + eps)
    return adv.reshape(-1), informative.expand_as(r).reshape(-1)


def wrong_3(rewards_N, group_size, *, baseline="mean", scale="std", ddof=1, eps=1e-4):
    "ddof is dropped for the batch: torch's unbiased default; ddof=0 with scale=batch differs"
    r = _groups(rewards_N, group_size, baseline, scale, ddof)
    informative = r.amax(1, keepdim=True) > r.amin(1, keepdim=True)
    adv = r if baseline == "none" else r - r.mean(1, keepdim=True)
    if baseline == "loo":
        adv = adv * (group_size / (group_size - 1))
    if scale == "std":
        adv = adv / (_std(r, ddof) + eps)
    elif scale == "batch":
        adv = adv / (r.std() + eps)
    if baseline != "none":
        adv = torch.where(informative, adv, 0.0)
    return adv.reshape(-1), informative.expand_as(r).reshape(-1)


def wrong_4(rewards_N, group_size, *, baseline="mean", scale="std", ddof=1, eps=1e-4):
    "scale=batch takes the deviation of the centred advantages instead of that of all rewards"
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
    "torch.std of groups of one (or a batch of one) is NaN with ddof=1; baseline=none then gives NaN"
    r = _groups(rewards_N, group_size, baseline, scale, ddof)
    informative = r.amax(1, keepdim=True) > r.amin(1, keepdim=True)
    adv = r if baseline == "none" else r - r.mean(1, keepdim=True)
    if baseline == "loo":
        adv = adv * (group_size / (group_size - 1))
    if scale == "std":
        adv = adv / (r.std(1, keepdim=True, correction=ddof) + eps)
    elif scale == "batch":
        adv = adv / (r.std(correction=ddof) + eps)
    if baseline != "none":
        adv = torch.where(informative, adv, 0.0)
    return adv.reshape(-1), informative.expand_as(r).reshape(-1)


def wrong_6(rewards_N, group_size, *, baseline="mean", scale="std", ddof=1, eps=1e-4):
    "groups of equal rewards are zeroed without a baseline, too, where their rewards should stay"
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


def wrong_7(rewards_N, group_size, *, baseline="mean", scale="std", ddof=1, eps=1e-4):
    "everything becomes float32, float64 rewards too"
    r = _groups(rewards_N, group_size, baseline, scale, ddof).float()
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


def wrong_8(rewards_N, group_size, *, baseline="mean", scale="std", ddof=1, eps=1e-4):
    "the deviation is taken of the centred rewards: with loo it has grown by G/(G-1), which cancels the factor"
    r = _groups(rewards_N, group_size, baseline, scale, ddof)
    informative = r.amax(1, keepdim=True) > r.amin(1, keepdim=True)
    adv = r
    if baseline == "mean":
        adv = r - r.mean(1, keepdim=True)
    if baseline == "loo":
        adv = r - (r.sum(1, keepdim=True) - r) / (group_size - 1)
    if scale == "std":
        adv = adv / (_std(adv, ddof) + eps)
    elif scale == "batch":
        adv = adv / (_std(r.reshape(1, -1), ddof) + eps)
    if baseline != "none":
        adv = torch.where(informative, adv, 0.0)
    return adv.reshape(-1), informative.expand_as(r).reshape(-1)


def wrong_9(rewards_N, group_size, *, baseline="mean", scale="std", ddof=1, eps=1e-4):
    "the mean is taken off in place: the caller's rewards are changed"
    r = _groups(rewards_N, group_size, baseline, scale, ddof)
    informative = r.amax(1, keepdim=True) > r.amin(1, keepdim=True)
    own, batch = _std(r, ddof), _std(r.reshape(1, -1), ddof)
    if baseline != "none":
        r -= r.mean(1, keepdim=True)
    if baseline == "loo":
        r *= group_size / (group_size - 1)
    adv = r / (own + eps) if scale == "std" else r / (batch + eps) if scale == "batch" else r
    if baseline != "none":
        adv = torch.where(informative, adv, 0.0)
    return adv.reshape(-1), informative.expand_as(r).reshape(-1)


def wrong_10(rewards_N, group_size, *, baseline="mean", scale="std", ddof=1, eps=1e-4):
    "own checks instead of _groups: a reward that is NaN or infinite is not refused, nor ddof=2"
    rewards_N = torch.as_tensor(rewards_N)
    if not rewards_N.is_floating_point():
        rewards_N = rewards_N.float()
    if baseline not in ("mean", "loo", "none") or scale not in ("std", "batch", "none"):
        raise MinidsError("grpo: unknown setting")
    if rewards_N.dim() != 1 or group_size < 1 or len(rewards_N) % group_size:
        raise MinidsError("grpo: rewards do not divide into groups")
    if baseline == "loo" and group_size == 1:
        raise MinidsError("grpo: loo in groups of one")
    r = rewards_N.view(-1, group_size)
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


def wrong_11(rewards_N, group_size, *, baseline="mean", scale="std", ddof=1, eps=1e-4):
    "clamp(min=eps) instead of adding eps"
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


def right_1(rewards_N, group_size, *, baseline="mean", scale="std", ddof=1, eps=1e-4):
    "a loop over the groups"
    table = _groups(rewards_N, group_size, baseline, scale, ddof)
    spread_of_all = _std(table.reshape(1, -1), ddof)[0, 0]
    out, says = torch.empty_like(table), torch.empty_like(table, dtype=torch.bool)
    for p, row in enumerate(table):
        differ = bool((row != row[0]).any())
        says[p] = differ
        if baseline != "none" and not differ:
            out[p] = 0
            continue
        a = row.clone()
        if baseline == "mean":
            a = row - row.mean()
        elif baseline == "loo":
            a = row - (row.sum() - row) / (group_size - 1)
        if scale == "std":
            a = a / (_std(row[None], ddof)[0, 0] + eps)
        if scale == "batch":
            a = a / (spread_of_all + eps)
        out[p] = a
    return out.flatten(), says.flatten()


def right_2(rewards_N, group_size, *, baseline="mean", scale="std", ddof=1, eps=1e-4):
    "the mean of the others written out, and one divisor for all scales"
    r = _groups(rewards_N, group_size, baseline, scale, ddof)
    equal = (r == r[:, :1]).all(dim=1, keepdim=True)
    if baseline == "none":
        base = torch.zeros_like(r)
    elif baseline == "mean":
        base = r.sum(1, keepdim=True) / group_size
    else:
        base = (r.sum(1, keepdim=True) - r) / (group_size - 1)
    divisor = 1.0
    if scale != "none":
        divisor = _std(r if scale == "std" else r.reshape(1, -1), ddof) + eps
    adv = (r - base) / divisor
    if baseline != "none":
        adv = adv.masked_fill(equal, 0.0)
    return adv.reshape(-1), (~equal).repeat(1, group_size).reshape(-1)


def right_3(rewards_N, group_size, *, baseline="mean", scale="std", ddof=1, eps=1e-4):
    "torch.std where there is more than one, all as one long row with repeat_interleave"
    table = _groups(rewards_N, group_size, baseline, scale, ddof)
    flat = table.reshape(-1)

    def spread(x, n):
        return x.std(-1, correction=ddof) if n > 1 else torch.zeros(x.shape[:-1], dtype=x.dtype)

    informative = (table.max(1).values != table.min(1).values).repeat_interleave(group_size)
    adv = flat.clone()
    if baseline != "none":
        adv = adv - table.mean(1).repeat_interleave(group_size)
        if baseline == "loo":
            adv = adv * group_size / (group_size - 1)
    if scale == "std":
        adv = adv / (spread(table, group_size).repeat_interleave(group_size) + eps)
    if scale == "batch":
        adv = adv / (spread(flat, flat.numel()) + eps)
    if baseline != "none":
        adv = torch.where(informative, adv, torch.zeros_like(adv))
    return adv, informative


def right_4(rewards_N, group_size, *, baseline="mean", scale="std", ddof=1, eps=1e-4):
    "a matrix takes the baseline off; equality by neighbours"
    r = _groups(rewards_N, group_size, baseline, scale, ddof)
    G = group_size
    eye, ones = torch.eye(G, dtype=r.dtype), torch.ones(G, G, dtype=r.dtype)
    matrix = {"none": eye, "mean": eye - ones / G}.get(baseline)
    if matrix is None:
        matrix = eye - (ones - eye) / (G - 1)
    informative = torch.zeros(r.shape[0], dtype=torch.bool)
    for k in range(1, G):
        informative = informative | (r[:, k] != r[:, k - 1])
    adv = r @ matrix
    if scale == "std":
        adv = adv / (_std(r, ddof) + eps)
    if scale == "batch":
        adv = adv / (_std(r.reshape(1, -1), ddof) + eps)
    if baseline != "none":
        adv[~informative] = 0
    return adv.reshape(-1), informative[:, None].expand(-1, G).reshape(-1)
