"""grpo.surrogate"""
import torch


def wrong_1(ratio_NT, adv_NT, logp_NT, clip, low, high, dual_delta):
    "the clip is undone for every ratio below 1, whatever the sign: bad answers are pushed below 1 - low"
    if clip == "cispo":
        return ratio_NT.clamp(max=1 + high).detach() * adv_NT * logp_NT
    gain = ratio_NT * adv_NT
    if clip != "none":
        gain = torch.where(ratio_NT < 1, gain, ratio_NT.clamp(1 - low, 1 + high) * adv_NT)
    if clip == "dual":
        gain = torch.where(adv_NT < 0, torch.maximum(gain, dual_delta * adv_NT), gain)
    return gain


def wrong_2(ratio_NT, adv_NT, logp_NT, clip, low, high, dual_delta):
    "the maximum of the two terms for negative advantages"
    if clip == "cispo":
        return ratio_NT.clamp(max=1 + high).detach() * adv_NT * logp_NT
    gain = ratio_NT * adv_NT
    if clip != "none":
        clipped = ratio_NT.clamp(1 - low, 1 + high) * adv_NT
        gain = torch.where(adv_NT < 0, torch.maximum(gain, clipped), torch.minimum(gain, clipped))
    if clip == "dual":
        gain = torch.where(adv_NT < 0, torch.maximum(gain, dual_delta * adv_NT), gain)
    return gain


def wrong_3(ratio_NT, adv_NT, logp_NT, clip, low, high, dual_delta):
    "one bound for both sides: `higher` and `dual` clip at 1 + low"
    if clip == "cispo":
        return ratio_NT.clamp(max=1 + high).detach() * adv_NT * logp_NT
    gain = ratio_NT * adv_NT
    if clip != "none":
        gain = torch.minimum(gain, ratio_NT.clamp(1 - low, 1 + low) * adv_NT)
    if clip == "dual":
        gain = torch.where(adv_NT < 0, torch.maximum(gain, dual_delta * adv_NT), gain)
    return gain


def wrong_4(ratio_NT, adv_NT, logp_NT, clip, low, high, dual_delta):
    "only the upper bound: bad answers are pushed down for ever"
    if clip == "cispo":
        return ratio_NT.clamp(max=1 + high).detach() * adv_NT * logp_NT
    gain = ratio_NT * adv_NT
    if clip != "none":
        gain = torch.minimum(gain, ratio_NT.clamp(max=1 + high) * adv_NT)
    if clip == "dual":
        gain = torch.where(adv_NT < 0, torch.maximum(gain, dual_delta * adv_NT), gain)
    return gain


def wrong_5(ratio_NT, adv_NT, logp_NT, clip, low, high, dual_delta):
    "the dual bound for all advantages: a good answer's gain becomes dual_delta A, without slope"
    if clip == "cispo":
        return ratio_NT.clamp(max=1 + high).detach() * adv_NT * logp_NT
    gain = ratio_NT * adv_NT
    if clip != "none":
        gain = torch.minimum(gain, ratio_NT.clamp(1 - low, 1 + high) * adv_NT)
    if clip == "dual":
        gain = torch.maximum(gain, dual_delta * adv_NT)
    return gain


def wrong_6(ratio_NT, adv_NT, logp_NT, clip, low, high, dual_delta):
    "the clipped term is detached: inside the bounds both terms tie and the gradient is halved"
    if clip == "cispo":
        return ratio_NT.clamp(max=1 + high).detach() * adv_NT * logp_NT
    gain = ratio_NT * adv_NT
    if clip != "none":
        gain = torch.minimum(gain, ratio_NT.detach().clamp(1 - low, 1 + high) * adv_NT)
    if clip == "dual":
        gain = torch.where(adv_NT < 0, torch.maximum(gain, dual_delta * adv_NT), gain)
    return gain


def wrong_7(ratio_NT, adv_NT, logp_NT, clip, low, high, dual_delta):
    "cispo bounds its weight from below, too"
    if clip == "cispo":
        return ratio_NT.clamp(1 - low, 1 + high).detach() * adv_NT * logp_NT
    gain = ratio_NT * adv_NT
    if clip != "none":
        gain = torch.minimum(gain, ratio_NT.clamp(1 - low, 1 + high) * adv_NT)
    if clip == "dual":
        gain = torch.where(adv_NT < 0, torch.maximum(gain, dual_delta * adv_NT), gain)
    return gain


def wrong_8(ratio_NT, adv_NT, logp_NT, clip, low, high, dual_delta):
    "cispo's weight is not a constant: gradient flows into the ratio as well"
    if clip == "cispo":
        return ratio_NT.clamp(max=1 + high) * adv_NT * logp_NT
    gain = ratio_NT * adv_NT
    if clip != "none":
        gain = torch.minimum(gain, ratio_NT.clamp(1 - low, 1 + high) * adv_NT)
    if clip == "dual":
        gain = torch.where(adv_NT < 0, torch.maximum(gain, dual_delta * adv_NT), gain)
    return gain


def wrong_9(ratio_NT, adv_NT, logp_NT, clip, low, high, dual_delta):
    "dual without the ordinary clip where A < 0: ratios below 1 - low keep their slope"
    if clip == "cispo":
        return ratio_NT.clamp(max=1 + high).detach() * adv_NT * logp_NT
    plain = ratio_NT * adv_NT
    if clip == "none":
        return plain
    gain = torch.minimum(plain, ratio_NT.clamp(1 - low, 1 + high) * adv_NT)
    if clip == "dual":
        gain = torch.where(adv_NT < 0, torch.maximum(plain, dual_delta * adv_NT), gain)
    return gain


def wrong_10(ratio_NT, adv_NT, logp_NT, clip, low, high, dual_delta):
    "the ratio is clamped in place: the caller's ratios are changed (and none of them needs to have a gradient)"
    if clip == "cispo":
        return ratio_NT.clamp(max=1 + high).detach() * adv_NT * logp_NT
    gain = ratio_NT * adv_NT
    if clip != "none":
        gain = torch.minimum(gain, ratio_NT.clamp_(1 - low, 1 + high) * adv_NT)
    if clip == "dual":
        gain = torch.where(adv_NT < 0, torch.maximum(gain, dual_delta * adv_NT), gain)
    return gain


def wrong_11(ratio_NT, adv_NT, logp_NT, clip, low, high, dual_delta):
    "the sign is asked of the whole batch: the dual bound for all tokens if the mean advantage is negative"
    if clip == "cispo":
        return ratio_NT.clamp(max=1 + high).detach() * adv_NT * logp_NT
    gain = ratio_NT * adv_NT
    if clip != "none":
        gain = torch.minimum(gain, ratio_NT.clamp(1 - low, 1 + high) * adv_NT)
    if clip == "dual" and adv_NT.mean() < 0:
        gain = torch.maximum(gain, dual_delta * adv_NT)
    return gain


def right_1(ratio_NT, adv_NT, logp_NT, clip, low, high, dual_delta):
    "the minimum resolved by the sign of the advantage: good answers have a roof, bad ones a floor"
    if clip == "cispo":
        weight = torch.clamp(ratio_NT.detach(), max=1 + high)
        return weight * logp_NT * adv_NT
    if clip == "none":
        return adv_NT * ratio_NT
    floor = ratio_NT.clamp(min=1 - low)
    if clip == "dual":
        floor = floor.clamp(max=dual_delta)
    return adv_NT * torch.where(adv_NT < 0, floor, ratio_NT.clamp(max=1 + high))


def right_2(ratio_NT, adv_NT, logp_NT, clip, low, high, dual_delta):
    "where on plain < clipped"
    plain = ratio_NT * adv_NT
    if clip == "none":
        return plain
    if clip == "cispo":
        with torch.no_grad():
            weight = torch.minimum(ratio_NT, torch.full_like(ratio_NT, 1 + high)) * adv_NT
        return weight * logp_NT
    clipped = torch.clip(ratio_NT, 1 - low, 1 + high) * adv_NT
    term = torch.where(clipped < plain, clipped, plain)
    if clip in ("symmetric", "higher"):
        return term
    bound = dual_delta * adv_NT
    return torch.where((adv_NT < 0) & (term < bound), bound, term)


def right_3(ratio_NT, adv_NT, logp_NT, clip, low, high, dual_delta):
    "minus the maximum of the two losses"
    if clip == "none":
        return ratio_NT * adv_NT
    if clip == "cispo":
        return (ratio_NT.clamp(max=1 + high) * adv_NT).detach() * logp_NT
    loss = torch.max(-adv_NT * ratio_NT, -adv_NT * ratio_NT.clamp(min=1 - low).clamp(max=1 + high))
    if clip == "dual":
        bad = (adv_NT < 0).expand_as(loss)
        loss = torch.where(bad, torch.min(loss, -adv_NT * dual_delta), loss)
    return -loss


def right_4(ratio_NT, adv_NT, logp_NT, clip, low, high, dual_delta):
    "which tokens are stopped, and at which bound"
    if clip == "cispo":
        return ratio_NT.detach().clamp(max=1 + high) * adv_NT * logp_NT
    good, bad = adv_NT > 0, adv_NT < 0
    used = ratio_NT
    if clip != "none":
        used = used.masked_fill(good & (ratio_NT > 1 + high), 1 + high)
        used = used.masked_fill(bad & (ratio_NT < 1 - low), 1 - low)
    if clip == "dual":
        used = used.masked_fill(bad & (ratio_NT > dual_delta), dual_delta)
    return used * adv_NT
