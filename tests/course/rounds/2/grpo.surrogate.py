"""grpo.surrogate"""
import torch


def wrong_1(ratio_NT, adv_NT, logp_NT, clip, low, high, dual_delta):
    "only the clipped term, without the minimum: no way back from outside the bounds"
    if clip == "cispo":
        return ratio_NT.clamp(max=1 + high).detach() * adv_NT * logp_NT
    if clip == "none":
        return ratio_NT * adv_NT
    gain = ratio_NT.clamp(1 - low, 1 + high) * adv_NT
    return torch.where(adv_NT < 0, torch.maximum(gain, dual_delta * adv_NT), gain) if clip == "dual" else gain


def wrong_2(ratio_NT, adv_NT, logp_NT, clip, low, high, dual_delta):
    "cispo clamps from below too: a ratio under 1 - low gets weight 1 - low"
    if clip == "cispo":
        return ratio_NT.clamp(1 - low, 1 + high).detach() * adv_NT * logp_NT
    gain = ratio_NT * adv_NT
    if clip != "none":
        gain = torch.minimum(gain, ratio_NT.clamp(1 - low, 1 + high) * adv_NT)
    return torch.where(adv_NT < 0, torch.maximum(gain, dual_delta * adv_NT), gain) if clip == "dual" else gain


def wrong_3(ratio_NT, adv_NT, logp_NT, clip, low, high, dual_delta):
    "cispo's weight is not detached: a second gradient flows through the ratio"
    if clip == "cispo":
        return ratio_NT.clamp(max=1 + high) * adv_NT * logp_NT
    gain = ratio_NT * adv_NT
    if clip != "none":
        gain = torch.minimum(gain, ratio_NT.clamp(1 - low, 1 + high) * adv_NT)
    return torch.where(adv_NT < 0, torch.maximum(gain, dual_delta * adv_NT), gain) if clip == "dual" else gain


def wrong_4(ratio_NT, adv_NT, logp_NT, clip, low, high, dual_delta):
    "the dual bound acts on positive advantages too"
    if clip == "cispo":
        return ratio_NT.clamp(max=1 + high).detach() * adv_NT * logp_NT
    gain = ratio_NT * adv_NT
    if clip != "none":
        gain = torch.minimum(gain, ratio_NT.clamp(1 - low, 1 + high) * adv_NT)
    return torch.maximum(gain, dual_delta * adv_NT) if clip == "dual" else gain


def wrong_5(ratio_NT, adv_NT, logp_NT, clip, low, high, dual_delta):
    "symmetric uses low on both sides whatever high is, and so does higher"
    if clip == "cispo":
        return ratio_NT.clamp(max=1 + high).detach() * adv_NT * logp_NT
    gain = ratio_NT * adv_NT
    if clip != "none":
        gain = torch.minimum(gain, ratio_NT.clamp(1 - low, 1 + low) * adv_NT)
    return torch.where(adv_NT < 0, torch.maximum(gain, dual_delta * adv_NT), gain) if clip == "dual" else gain


def wrong_6(ratio_NT, adv_NT, logp_NT, clip, low, high, dual_delta):
    "dual without the clip: w A bounded from below only"
    if clip == "cispo":
        return ratio_NT.clamp(max=1 + high).detach() * adv_NT * logp_NT
    gain = ratio_NT * adv_NT
    if clip == "dual":
        return torch.where(adv_NT < 0, torch.maximum(gain, dual_delta * adv_NT), gain)
    return gain if clip == "none" else torch.minimum(gain, ratio_NT.clamp(1 - low, 1 + high) * adv_NT)


def wrong_7(ratio_NT, adv_NT, logp_NT, clip, low, high, dual_delta):
    "the minimum of the ratios, times A: wrong for negative advantages"
    if clip == "cispo":
        return ratio_NT.clamp(max=1 + high).detach() * adv_NT * logp_NT
    if clip == "none":
        return ratio_NT * adv_NT
    gain = torch.minimum(ratio_NT, ratio_NT.clamp(1 - low, 1 + high)) * adv_NT
    return torch.where(adv_NT < 0, torch.maximum(gain, dual_delta * adv_NT), gain) if clip == "dual" else gain


def wrong_8(ratio_NT, adv_NT, logp_NT, clip, low, high, dual_delta):
    "cispo as in PPO with the ratio detached where it is clipped only: below the bound w A, above upper A log pi"
    if clip == "cispo":
        return torch.where(ratio_NT > 1 + high, (1 + high) * adv_NT * logp_NT, ratio_NT * adv_NT)
    gain = ratio_NT * adv_NT
    if clip != "none":
        gain = torch.minimum(gain, ratio_NT.clamp(1 - low, 1 + high) * adv_NT)
    return torch.where(adv_NT < 0, torch.maximum(gain, dual_delta * adv_NT), gain) if clip == "dual" else gain


def wrong_9(ratio_NT, adv_NT, logp_NT, clip, low, high, dual_delta):
    "the bounds are 1/(1 + low) and 1 + high"
    if clip == "cispo":
        return ratio_NT.clamp(max=1 + high).detach() * adv_NT * logp_NT
    gain = ratio_NT * adv_NT
    if clip != "none":
        gain = torch.minimum(gain, ratio_NT.clamp(1 / (1 + low), 1 + high) * adv_NT)
    return torch.where(adv_NT < 0, torch.maximum(gain, dual_delta * adv_NT), gain) if clip == "dual" else gain


def wrong_10(ratio_NT, adv_NT, logp_NT, clip, low, high, dual_delta):
    "the dual bound replaces 1 + high for negative advantages by a clamp of the ratio that is detached: right values, but tokens between lose their gradient"
    if clip == "cispo":
        return ratio_NT.clamp(max=1 + high).detach() * adv_NT * logp_NT
    gain = ratio_NT * adv_NT
    if clip != "none":
        gain = torch.minimum(gain, ratio_NT.clamp(1 - low, 1 + high) * adv_NT)
    if clip == "dual":
        gain = torch.where(adv_NT < 0, torch.maximum(gain, dual_delta * adv_NT).detach(), gain)
    return gain


def right_1(ratio_NT, adv_NT, logp_NT, clip, low, high, dual_delta):
    "the ratio is bounded by the sign of the advantage, with where"
    if clip == "cispo":
        weight = torch.minimum(ratio_NT, torch.full_like(ratio_NT, 1 + high)).detach()
        return weight * adv_NT * logp_NT
    w = ratio_NT
    if clip != "none":
        w = torch.where(adv_NT > 0, ratio_NT.clamp(max=1 + high), ratio_NT.clamp(min=1 - low))
    if clip == "dual":
        w = torch.where(adv_NT < 0, w.clamp(max=dual_delta), w)
    return w * adv_NT


def right_2(ratio_NT, adv_NT, logp_NT, clip, low, high, dual_delta):
    "stack and amin; no_grad for the weight"
    if clip == "cispo":
        with torch.no_grad():
            weight = ratio_NT.clamp_max(1 + high) * adv_NT
        return weight * logp_NT
    plain = ratio_NT * adv_NT
    if clip == "none":
        return plain
    gain = torch.where(plain <= torch.clip(ratio_NT, 1 - low, 1 + high) * adv_NT, plain,
                       torch.clip(ratio_NT, 1 - low, 1 + high) * adv_NT)
    if clip == "dual":
        floor = torch.where(adv_NT < 0, dual_delta * adv_NT, -torch.inf)
        gain = torch.where(gain < floor, floor, gain)
    return gain


def right_3(ratio_NT, adv_NT, logp_NT, clip, low, high, dual_delta):
    "minus the maximum of the losses"
    if clip == "cispo":
        return (ratio_NT.detach().clamp(max=1 + high) * logp_NT) * adv_NT
    loss = -adv_NT * ratio_NT
    if clip in ("symmetric", "higher", "dual"):
        loss = torch.max(loss, -adv_NT * torch.clamp(ratio_NT, 1 - low, 1 + high))
    if clip == "dual":
        loss = torch.where(adv_NT < 0, torch.min(loss, -adv_NT * dual_delta), loss)
    return -loss


def right_4(ratio_NT, adv_NT, logp_NT, clip, low, high, dual_delta):
    "amin over a stack of both terms"
    if clip == "cispo":
        return torch.clamp(ratio_NT.detach(), max=1 + high) * (adv_NT * logp_NT)
    terms = [ratio_NT * adv_NT]
    if clip != "none":
        terms.append(ratio_NT.clamp(1 - low, 1 + high) * adv_NT)
    gain = torch.stack(terms).amin(0)
    if clip != "dual":
        return gain
    return torch.where(adv_NT >= 0, gain, torch.stack([gain, dual_delta * adv_NT]).amax(0))
