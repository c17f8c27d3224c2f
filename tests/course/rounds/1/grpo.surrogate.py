"""grpo.surrogate"""
import torch

def wrong_1(ratio_NT, adv_NT, logp_NT, clip, low, high, dual_delta):
    "clips without the minimum"
    if clip == "cispo":
        return ratio_NT.clamp(max=1 + high).detach() * adv_NT * logp_NT
    if clip == "none":
        return ratio_NT * adv_NT
    gain = ratio_NT.clamp(1 - low, 1 + high) * adv_NT
    if clip == "dual":
        gain = torch.where(adv_NT < 0, torch.maximum(gain, dual_delta * adv_NT), gain)
    return gain

def wrong_2(ratio_NT, adv_NT, logp_NT, clip, low, high, dual_delta):
    "maximum instead of minimum"
    if clip == "cispo":
        return ratio_NT.clamp(max=1 + high).detach() * adv_NT * logp_NT
    gain = ratio_NT * adv_NT
    if clip != "none":
        gain = torch.maximum(gain, ratio_NT.clamp(1 - low, 1 + high) * adv_NT)
    if clip == "dual":
        gain = torch.where(adv_NT < 0, torch.maximum(gain, dual_delta * adv_NT), gain)
    return gain

def wrong_3(ratio_NT, adv_NT, logp_NT, clip, low, high, dual_delta):
    "cispo's weight is not detached: gradient through the ratio too"
    if clip == "cispo":
        return ratio_NT.clamp(max=1 + high) * adv_NT * logp_NT
    gain = ratio_NT * adv_NT
    if clip != "none":
        gain = torch.minimum(gain, ratio_NT.clamp(1 - low, 1 + high) * adv_NT)
    if clip == "dual":
        gain = torch.where(adv_NT < 0, torch.maximum(gain, dual_delta * adv_NT), gain)
    return gain

def wrong_4(ratio_NT, adv_NT, logp_NT, clip, low, high, dual_delta):
    "cispo is clipped from below too"
    if clip == "cispo":
        return ratio_NT.clamp(1 - low, 1 + high).detach() * adv_NT * logp_NT
    gain = ratio_NT * adv_NT
    if clip != "none":
        gain = torch.minimum(gain, ratio_NT.clamp(1 - low, 1 + high) * adv_NT)
    if clip == "dual":
        gain = torch.where(adv_NT < 0, torch.maximum(gain, dual_delta * adv_NT), gain)
    return gain

def wrong_5(ratio_NT, adv_NT, logp_NT, clip, low, high, dual_delta):
    "the dual bound acts for every sign: dual_delta * A from below where A > 0 as well"
    if clip == "cispo":
        return ratio_NT.clamp(max=1 + high).detach() * adv_NT * logp_NT
    gain = ratio_NT * adv_NT
    if clip != "none":
        gain = torch.minimum(gain, ratio_NT.clamp(1 - low, 1 + high) * adv_NT)
    if clip == "dual":
        gain = torch.maximum(gain, dual_delta * adv_NT)
    return gain

def wrong_6(ratio_NT, adv_NT, logp_NT, clip, low, high, dual_delta):
    "one bound for both sides: 1 - low and 1 + low (higher ignored)"
    if clip == "cispo":
        return ratio_NT.clamp(max=1 + high).detach() * adv_NT * logp_NT
    gain = ratio_NT * adv_NT
    if clip != "none":
        gain = torch.minimum(gain, ratio_NT.clamp(1 - low, 1 + low) * adv_NT)
    if clip == "dual":
        gain = torch.where(adv_NT < 0, torch.maximum(gain, dual_delta * adv_NT), gain)
    return gain

def wrong_7(ratio_NT, adv_NT, logp_NT, clip, low, high, dual_delta):
    "dual replaces the clip: only the bound from below, no minimum with the clipped term"
    if clip == "cispo":
        return ratio_NT.clamp(max=1 + high).detach() * adv_NT * logp_NT
    gain = ratio_NT * adv_NT
    if clip in ("symmetric", "higher"):
        gain = torch.minimum(gain, ratio_NT.clamp(1 - low, 1 + high) * adv_NT)
    if clip == "dual":
        gain = torch.where(adv_NT < 0, torch.maximum(gain, dual_delta * adv_NT), gain)
    return gain

def wrong_8(ratio_NT, adv_NT, logp_NT, clip, low, high, dual_delta):
    "the dual bound as min(): the gain of bad answers is pushed down to dual_delta A"
    if clip == "cispo":
        return ratio_NT.clamp(max=1 + high).detach() * adv_NT * logp_NT
    gain = ratio_NT * adv_NT
    if clip != "none":
        gain = torch.minimum(gain, ratio_NT.clamp(1 - low, 1 + high) * adv_NT)
    if clip == "dual":
        gain = torch.where(adv_NT < 0, torch.minimum(gain, dual_delta * adv_NT), gain)
    return gain

def wrong_9(ratio_NT, adv_NT, logp_NT, clip, low, high, dual_delta):
    "high and low are taken as the bounds themselves, not as distances from 1"
    if clip == "cispo":
        return ratio_NT.clamp(max=high).detach() * adv_NT * logp_NT
    gain = ratio_NT * adv_NT
    if clip != "none":
        gain = torch.minimum(gain, ratio_NT.clamp(low, high) * adv_NT)
    if clip == "dual":
        gain = torch.where(adv_NT < 0, torch.maximum(gain, dual_delta * adv_NT), gain)
    return gain

def wrong_10(ratio_NT, adv_NT, logp_NT, clip, low, high, dual_delta):
    "cispo without log pi: value w A and no gradient"
    if clip == "cispo":
        return ratio_NT.clamp(max=1 + high).detach() * adv_NT
    gain = ratio_NT * adv_NT
    if clip != "none":
        gain = torch.minimum(gain, ratio_NT.clamp(1 - low, 1 + high) * adv_NT)
    if clip == "dual":
        gain = torch.where(adv_NT < 0, torch.maximum(gain, dual_delta * adv_NT), gain)
    return gain

def right_1(ratio_NT, adv_NT, logp_NT, clip, low, high, dual_delta):
    "a case for each sign: a bound from above where A > 0, from below where A < 0"
    w, A = ratio_NT, adv_NT
    if clip == "cispo":
        with torch.no_grad():
            weight = torch.clamp(w, max=1 + high) * A
        return weight * logp_NT
    if clip == "none":
        return w * A
    good, bad = w.clamp(max=1 + high), w.clamp(min=1 - low)
    if clip == "dual":
        bad = bad.clamp(max=dual_delta)
    return torch.where(A >= 0, good, bad) * A

def right_2(ratio_NT, adv_NT, logp_NT, clip, low, high, dual_delta):
    "torch.min of a stack"
    plain = ratio_NT * adv_NT
    if clip == "none":
        return plain
    if clip == "cispo":
        return torch.minimum(ratio_NT, torch.full_like(ratio_NT, 1 + high)).detach() * (adv_NT * logp_NT)
    clipped = torch.clip(ratio_NT, 1 - low, 1 + high) * adv_NT
    smaller = torch.where(plain <= clipped, plain, clipped)
    if clip != "dual":
        return smaller
    floor = dual_delta * adv_NT
    return torch.where((adv_NT < 0) & (smaller < floor), floor, smaller)

def right_3(ratio_NT, adv_NT, logp_NT, clip, low, high, dual_delta):
    "losses instead of gains: minus the maximum of minus both"
    if clip == "cispo":
        return adv_NT * logp_NT * torch.where(ratio_NT > 1 + high, 1 + high, ratio_NT).detach()
    loss = -adv_NT * ratio_NT
    if clip in ("symmetric", "higher", "dual"):
        loss = torch.max(loss, -adv_NT * torch.clamp(ratio_NT, 1.0 - low, 1.0 + high))
    if clip == "dual":
        loss = torch.where(adv_NT < 0, torch.min(loss, -adv_NT * dual_delta), loss)
    return -loss

def right_4(ratio_NT, adv_NT, logp_NT, clip, low, high, dual_delta):
    "the tokens that are clipped are found first, their ratio replaced by the bound"
    w = ratio_NT
    if clip == "cispo":
        return w.detach().clamp(max=1 + high) * adv_NT * logp_NT
    if clip != "none":
        w = torch.where((adv_NT > 0) & (ratio_NT > 1 + high), 1 + high, w)
        w = torch.where((adv_NT < 0) & (ratio_NT < 1 - low), 1 - low, w)
        if clip == "dual":
            w = torch.where((adv_NT < 0) & (ratio_NT > dual_delta), dual_delta, w)
    return w * adv_NT
