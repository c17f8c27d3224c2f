"""grpo.surrogate"""
import torch


def wrong_1(ratio_NT, adv_NT, logp_NT, clip, low, high, dual_delta):
    "the minimum is taken of the ratios, before the advantage's sign comes in"
    # breaks: "min(w A, clip(w, lower, upper) A)" w=1.5, A=-1: -1.2 instead of -1.5; w=0.5, A=-1: -0.5 instead of -0.8
    if clip == "cispo":
        return ratio_NT.clamp(max=1 + high).detach() * adv_NT * logp_NT
    if clip == "none":
        return ratio_NT * adv_NT
    gain_NT = torch.minimum(ratio_NT, ratio_NT.clamp(1 - low, 1 + high)) * adv_NT
    if clip == "dual":
        gain_NT = torch.where(adv_NT < 0, torch.maximum(gain_NT, dual_delta * adv_NT), gain_NT)
    return gain_NT


def wrong_2(ratio_NT, adv_NT, logp_NT, clip, low, high, dual_delta):
    "the dual bound is put on good answers too, whose term rises to dual_delta A"
    # breaks: "and where A < 0 never below dual_delta A" dual, w=1, A=1, dual_delta=3: 3 instead of 1
    if clip == "cispo":
        return ratio_NT.clamp(max=1 + high).detach() * adv_NT * logp_NT
    gain_NT = ratio_NT * adv_NT
    if clip != "none":
        gain_NT = torch.minimum(gain_NT, ratio_NT.clamp(1 - low, 1 + high) * adv_NT)
    if clip == "dual":
        gain_NT = torch.maximum(gain_NT, dual_delta * adv_NT)
    return gain_NT


def wrong_3(ratio_NT, adv_NT, logp_NT, clip, low, high, dual_delta):
    "with \"dual\" bad answers have the dual bound only, the lower bound 1 - low is forgotten"
    # breaks: "dual  the same, and where A < 0 never below dual_delta A" dual, w=0.5, A=-1: -0.5 instead of -0.8
    if clip == "cispo":
        return ratio_NT.clamp(max=1 + high).detach() * adv_NT * logp_NT
    gain_NT = ratio_NT * adv_NT
    if clip == "none":
        return gain_NT
    clipped_NT = torch.minimum(gain_NT, ratio_NT.clamp(1 - low, 1 + high) * adv_NT)
    if clip == "dual":
        return torch.where(adv_NT < 0, torch.maximum(gain_NT, dual_delta * adv_NT), clipped_NT)
    return clipped_NT


def wrong_4(ratio_NT, adv_NT, logp_NT, clip, low, high, dual_delta):
    "cispo's weight keeps its gradient"
    # breaks: "the weight is a constant, the gradient is that of `logp_NT`" ratio = exp(logp - old), w below 1 + high
    if clip == "cispo":
        return torch.clamp(ratio_NT, max=1 + high) * adv_NT * logp_NT
    gain_NT = ratio_NT * adv_NT
    if clip != "none":
        gain_NT = torch.minimum(gain_NT, ratio_NT.clamp(1 - low, 1 + high) * adv_NT)
    if clip == "dual":
        gain_NT = torch.where(adv_NT < 0, torch.maximum(gain_NT, dual_delta * adv_NT), gain_NT)
    return gain_NT


def wrong_5(ratio_NT, adv_NT, logp_NT, clip, low, high, dual_delta):
    "cispo's weight has a lower bound"
    # breaks: "cispo  min(w, upper) A log pi" cispo, w=0.5, low=0.2: weight 0.8 instead of 0.5
    clipped_NT = ratio_NT.clamp(1 - low, 1 + high)
    if clip == "cispo":
        return clipped_NT.detach() * adv_NT * logp_NT
    gain_NT = ratio_NT * adv_NT
    if clip != "none":
        gain_NT = torch.minimum(gain_NT, clipped_NT * adv_NT)
    if clip == "dual":
        gain_NT = torch.where(adv_NT < 0, torch.maximum(gain_NT, dual_delta * adv_NT), gain_NT)
    return gain_NT


def wrong_6(ratio_NT, adv_NT, logp_NT, clip, low, high, dual_delta):
    "only \"higher\" uses high, \"dual\" has 1 + low above"
    # breaks: "[lower, upper] = [1 - low, 1 + high]" and "dual  the same": dual, low=0.2, high=0.5, w=1.4, A=1: 1.2 instead of 1.4
    if clip == "cispo":
        return ratio_NT.clamp(max=1 + high).detach() * adv_NT * logp_NT
    gain_NT = ratio_NT * adv_NT
    if clip != "none":
        upper = 1 + (high if clip == "higher" else low)
        gain_NT = torch.minimum(gain_NT, ratio_NT.clamp(1 - low, upper) * adv_NT)
    if clip == "dual":
        gain_NT = torch.where(adv_NT < 0, torch.maximum(gain_NT, dual_delta * adv_NT), gain_NT)
    return gain_NT


def wrong_7(ratio_NT, adv_NT, logp_NT, clip, low, high, dual_delta):
    "the clipped ratio is detached: between the bounds the minimum is a tie, and half of the gradient is lost"
    # breaks: gradients, of "min(w A, clip(w, lower, upper) A)": w=1, A=1 has the slope 1, here 0.5
    if clip == "cispo":
        return ratio_NT.clamp(max=1 + high).detach() * adv_NT * logp_NT
    gain_NT = ratio_NT * adv_NT
    if clip != "none":
        bound_NT = ratio_NT.detach().clamp(1 - low, 1 + high)
        gain_NT = torch.minimum(gain_NT, bound_NT * adv_NT)
    if clip == "dual":
        gain_NT = torch.where(adv_NT < 0, torch.maximum(gain_NT, dual_delta * adv_NT), gain_NT)
    return gain_NT


def wrong_8(ratio_NT, adv_NT, logp_NT, clip, low, high, dual_delta):
    "the ratios are multiplied in place: the caller's tensor is the gain afterwards"
    # breaks: arguments left unchanged; any ratio without gradient, clip="none" or another but cispo (with a leaf: RuntimeError)
    if clip == "cispo":
        return ratio_NT.clamp(max=1 + high).detach() * adv_NT * logp_NT
    bound_NT = ratio_NT.clamp(1 - low, 1 + high) * adv_NT
    gain_NT = ratio_NT.mul_(adv_NT)
    if clip != "none":
        gain_NT = torch.minimum(gain_NT, bound_NT)
    if clip == "dual":
        gain_NT = torch.where(adv_NT < 0, torch.maximum(gain_NT, dual_delta * adv_NT), gain_NT)
    return gain_NT


def wrong_9(ratio_NT, adv_NT, logp_NT, clip, low, high, dual_delta):
    "cispo is bounded only where the advantage is positive, as PPO is"
    # breaks: "cispo  min(w, upper) A log pi" cispo, w=3, A=-1, high=0.5: weight 3 instead of 1.5
    if clip == "cispo":
        weight_NT = torch.where(adv_NT > 0, ratio_NT.clamp(max=1 + high), ratio_NT)
        return weight_NT.detach() * adv_NT * logp_NT
    gain_NT = ratio_NT * adv_NT
    if clip != "none":
        gain_NT = torch.minimum(gain_NT, ratio_NT.clamp(1 - low, 1 + high) * adv_NT)
    if clip == "dual":
        gain_NT = torch.where(adv_NT < 0, torch.maximum(gain_NT, dual_delta * adv_NT), gain_NT)
    return gain_NT


def wrong_10(ratio_NT, adv_NT, logp_NT, clip, low, high, dual_delta):
    "cispo drops the tokens beyond its bound, as PPO does, instead of bounding their weight"
    # breaks: "cispo  min(w, upper) A log pi" cispo, w=3, high=0.5: weight 0 instead of 1.5, and no gradient
    if clip == "cispo":
        weight_NT = torch.where(ratio_NT > 1 + high, torch.zeros_like(ratio_NT), ratio_NT)
        return weight_NT.detach() * adv_NT * logp_NT
    gain_NT = ratio_NT * adv_NT
    if clip != "none":
        gain_NT = torch.minimum(gain_NT, ratio_NT.clamp(1 - low, 1 + high) * adv_NT)
    if clip == "dual":
        gain_NT = torch.where(adv_NT < 0, torch.maximum(gain_NT, dual_delta * adv_NT), gain_NT)
    return gain_NT


def right_1(ratio_NT, adv_NT, logp_NT, clip, low, high, dual_delta):
    "by the sign of the advantage: good answers have a bound above, bad ones below"
    if clip == "none":
        return ratio_NT * adv_NT
    if clip == "cispo":
        return torch.clamp(ratio_NT.detach(), max=1 + high) * (adv_NT * logp_NT)
    good = ratio_NT.clamp(max=1 + high)
    bad = ratio_NT.clamp(min=1 - low)
    if clip == "dual":
        bad = bad.clamp(max=dual_delta)
    return torch.where(adv_NT >= 0, good, bad) * adv_NT


def right_2(ratio_NT, adv_NT, logp_NT, clip, low, high, dual_delta):
    "where with a comparison instead of minimum"
    plain = ratio_NT * adv_NT
    if clip in ("symmetric", "higher", "dual"):
        bounded = torch.clip(ratio_NT, 1 - low, 1 + high) * adv_NT
        out = torch.where(plain <= bounded, plain, bounded)
        if clip == "dual":
            floor = dual_delta * adv_NT
            out = torch.where((adv_NT < 0) & (out < floor), floor, out)
        return out
    if clip == "cispo":
        with torch.no_grad():
            weight = torch.minimum(ratio_NT, torch.full_like(ratio_NT, 1 + high)) * adv_NT
        return weight * logp_NT
    return plain


def right_3(ratio_NT, adv_NT, logp_NT, clip, low, high, dual_delta):
    "stack and amin for the minimum, match for the kinds"
    match clip:
        case "none":
            return ratio_NT * adv_NT
        case "cispo":
            return ratio_NT.detach().clamp(max=1 + high) * adv_NT * logp_NT
    both = torch.stack([ratio_NT, ratio_NT.clamp(1 - low, 1 + high)]) * adv_NT
    gain = both.amin(0)
    if clip != "dual":
        return gain
    return torch.where(adv_NT < 0, gain.clamp(min=dual_delta * adv_NT), gain)


def right_4(ratio_NT, adv_NT, logp_NT, clip, low, high, dual_delta):
    "the bounds on the gain instead of on the ratio"
    if clip == "cispo":
        weight = ratio_NT.detach().clone()
        weight[weight > 1 + high] = 1 + high
        return weight * adv_NT * logp_NT
    gain = ratio_NT * adv_NT
    if clip == "none":
        return gain
    top = torch.where(adv_NT > 0, (1 + high) * adv_NT, (1 - low) * adv_NT)
    gain = torch.where(gain > top, top, gain)
    if clip == "dual":
        bottom = dual_delta * adv_NT
        gain = torch.where((adv_NT < 0) & (gain < bottom), bottom, gain)
    return gain
