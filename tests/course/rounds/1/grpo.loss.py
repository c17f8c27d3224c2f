"""grpo.loss"""
import torch

def wrong_1(logp_NT, old_logp_NT, adv_N, mask_NT, *, aggregation="token_mean", constant=None,
              ratio="token", clip="symmetric", clip_low=0.2, clip_high=None, dual_delta=None,
              kl="none", kl_coef=0.0, ref_logp_NT=None, kl_unbiased=False,
              sampler_logp_NT=None, correction="none", correction_cap=None, off_policy_threshold=None,
              informative_N=None, skip_zero_variance=False, finished_N=None, mask_truncated=False, normalizer=None):
    "padding is multiplied with 0 instead of replaced before exp: inf or NaN there makes the loss or its gradient NaN"
    low, high = check_settings(
        aggregation=aggregation, constant=constant, ratio=ratio, clip=clip, clip_low=clip_low, clip_high=clip_high,
        dual_delta=dual_delta, kl=kl, kl_coef=kl_coef, kl_unbiased=kl_unbiased, correction=correction,
        correction_cap=correction_cap, off_policy_threshold=off_policy_threshold)
    _check_tensors(logp_NT, old_logp_NT, mask_NT, ref_logp_NT, sampler_logp_NT, kl, correction, off_policy_threshold)
    mask, kept_N = _used(mask_NT, informative_N, skip_zero_variance, finished_N, mask_truncated)
    adv = (adv_N[:, None] if adv_N.dim() == 1 else adv_N).to(logp_NT.dtype).expand_as(logp_NT)
    weight = mask.to(logp_NT.dtype)
    length = weight.sum(1, keepdim=True).clamp(min=1)
    token_log_ratio = (logp_NT - old_logp_NT.detach()) * weight
    log_ratio = ratios.sequence_log_ratio(token_log_ratio, length, ratio)
    gain = ratios.surrogate(log_ratio.exp(), adv, logp_NT, clip, low, high, dual_delta)
    gain, more = _trusted(gain, logp_NT, old_logp_NT, sampler_logp_NT, adv, mask, length,
                          correction, correction_cap, off_policy_threshold)
    loss_NT, kl_NT = -gain, None
    if kl != "none":
        x = torch.where(mask, logp_NT - ref_logp_NT.detach(), 0.0)
        kl_NT = kl_estimate(x, 0.0, kl)
        if kl_unbiased:
            kl_NT = token_log_ratio.exp() * kl_NT
        loss_NT = loss_NT + kl_coef * kl_NT
    if aggregation == "sequence_mean":
        weight = weight / length
    if normalizer is None:
        normalizer = float(mask.sum() if aggregation == "token_mean" else kept_N.sum())
    denominator = max(float(normalizer), 1.0) * (constant if aggregation == "constant" else 1)
    loss = (loss_NT * weight).sum() / denominator
    policy_loss = -(torch.where(mask, gain, 0.0) * weight).sum().detach() / denominator
    metrics = _metrics(log_ratio, adv, mask, clip, low, high, dual_delta, kl_NT)
    return loss, {**metrics, **more, "sequences": float(kept_N.sum()), "policy_loss": policy_loss.item()}

def wrong_2(logp_NT, old_logp_NT, adv_N, mask_NT, *, aggregation="token_mean", constant=None,
              ratio="token", clip="symmetric", clip_low=0.2, clip_high=None, dual_delta=None,
              kl="none", kl_coef=0.0, ref_logp_NT=None, kl_unbiased=False,
              sampler_logp_NT=None, correction="none", correction_cap=None, off_policy_threshold=None,
              informative_N=None, skip_zero_variance=False, finished_N=None, mask_truncated=False, normalizer=None):
    "old log-probabilities are not detached: gradient flows into them (it vanishes where old is logp itself)"
    low, high = check_settings(
        aggregation=aggregation, constant=constant, ratio=ratio, clip=clip, clip_low=clip_low, clip_high=clip_high,
        dual_delta=dual_delta, kl=kl, kl_coef=kl_coef, kl_unbiased=kl_unbiased, correction=correction,
        correction_cap=correction_cap, off_policy_threshold=off_policy_threshold)
    _check_tensors(logp_NT, old_logp_NT, mask_NT, ref_logp_NT, sampler_logp_NT, kl, correction, off_policy_threshold)
    mask, kept_N = _used(mask_NT, informative_N, skip_zero_variance, finished_N, mask_truncated)
    adv = (adv_N[:, None] if adv_N.dim() == 1 else adv_N).to(logp_NT.dtype).expand_as(logp_NT)
    weight = mask.to(logp_NT.dtype)
    length = weight.sum(1, keepdim=True).clamp(min=1)
    token_log_ratio = torch.where(mask, logp_NT - old_logp_NT, 0.0)
    log_ratio = ratios.sequence_log_ratio(token_log_ratio, length, ratio)
    gain = ratios.surrogate(log_ratio.exp(), adv, logp_NT, clip, low, high, dual_delta)
    gain, more = _trusted(gain, logp_NT, old_logp_NT, sampler_logp_NT, adv, mask, length,
                          correction, correction_cap, off_policy_threshold)
    loss_NT, kl_NT = -gain, None
    if kl != "none":
        x = torch.where(mask, logp_NT - ref_logp_NT.detach(), 0.0)
        kl_NT = kl_estimate(x, 0.0, kl)
        if kl_unbiased:
            kl_NT = token_log_ratio.exp() * kl_NT
        loss_NT = loss_NT + kl_coef * kl_NT
    if aggregation == "sequence_mean":
        weight = weight / length
    if normalizer is None:
        normalizer = float(mask.sum() if aggregation == "token_mean" else kept_N.sum())
    denominator = max(float(normalizer), 1.0) * (constant if aggregation == "constant" else 1)
    loss = (torch.where(mask, loss_NT, 0.0) * weight).sum() / denominator
    policy_loss = -(torch.where(mask, gain, 0.0) * weight).sum().detach() / denominator
    metrics = _metrics(log_ratio, adv, mask, clip, low, high, dual_delta, kl_NT)
    return loss, {**metrics, **more, "sequences": float(kept_N.sum()), "policy_loss": policy_loss.item()}

def wrong_3(logp_NT, old_logp_NT, adv_N, mask_NT, *, aggregation="token_mean", constant=None,
              ratio="token", clip="symmetric", clip_low=0.2, clip_high=None, dual_delta=None,
              kl="none", kl_coef=0.0, ref_logp_NT=None, kl_unbiased=False,
              sampler_logp_NT=None, correction="none", correction_cap=None, off_policy_threshold=None,
              informative_N=None, skip_zero_variance=False, finished_N=None, mask_truncated=False, normalizer=None):
    "`normalizer` replaces the denominator of token_mean alone; the other aggregations take their own count"
    low, high = check_settings(
        aggregation=aggregation, constant=constant, ratio=ratio, clip=clip, clip_low=clip_low, clip_high=clip_high,
        dual_delta=dual_delta, kl=kl, kl_coef=kl_coef, kl_unbiased=kl_unbiased, correction=correction,
        correction_cap=correction_cap, off_policy_threshold=off_policy_threshold)
    _check_tensors(logp_NT, old_logp_NT, mask_NT, ref_logp_NT, sampler_logp_NT, kl, correction, off_policy_threshold)
    mask, kept_N = _used(mask_NT, informative_N, skip_zero_variance, finished_N, mask_truncated)
    adv = (adv_N[:, None] if adv_N.dim() == 1 else adv_N).to(logp_NT.dtype).expand_as(logp_NT)
    weight = mask.to(logp_NT.dtype)
    length = weight.sum(1, keepdim=True).clamp(min=1)
    token_log_ratio = torch.where(mask, logp_NT - old_logp_NT.detach(), 0.0)
    log_ratio = ratios.sequence_log_ratio(token_log_ratio, length, ratio)
    gain = ratios.surrogate(log_ratio.exp(), adv, logp_NT, clip, low, high, dual_delta)
    gain, more = _trusted(gain, logp_NT, old_logp_NT, sampler_logp_NT, adv, mask, length,
                          correction, correction_cap, off_policy_threshold)
    loss_NT, kl_NT = -gain, None
    if kl != "none":
        x = torch.where(mask, logp_NT - ref_logp_NT.detach(), 0.0)
        kl_NT = kl_estimate(x, 0.0, kl)
        if kl_unbiased:
            kl_NT = token_log_ratio.exp() * kl_NT
        loss_NT = loss_NT + kl_coef * kl_NT
    if aggregation == "sequence_mean":
        weight = weight / length
    if aggregation != "token_mean":
        normalizer = float(kept_N.sum())
    elif normalizer is None:
        normalizer = float(mask.sum())
    denominator = max(float(normalizer), 1.0) * (constant if aggregation == "constant" else 1)
    loss = (torch.where(mask, loss_NT, 0.0) * weight).sum() / denominator
    policy_loss = -(torch.where(mask, gain, 0.0) * weight).sum().detach() / denominator
    metrics = _metrics(log_ratio, adv, mask, clip, low, high, dual_delta, kl_NT)
    return loss, {**metrics, **more, "sequences": float(kept_N.sum()), "policy_loss": policy_loss.item()}

def wrong_4(logp_NT, old_logp_NT, adv_N, mask_NT, *, aggregation="token_mean", constant=None,
              ratio="token", clip="symmetric", clip_low=0.2, clip_high=None, dual_delta=None,
              kl="none", kl_coef=0.0, ref_logp_NT=None, kl_unbiased=False,
              sampler_logp_NT=None, correction="none", correction_cap=None, off_policy_threshold=None,
              informative_N=None, skip_zero_variance=False, finished_N=None, mask_truncated=False, normalizer=None):
    "answers are counted by logp_NT's rows: skipped groups stay in the denominator of sequence_mean and constant"
    low, high = check_settings(
        aggregation=aggregation, constant=constant, ratio=ratio, clip=clip, clip_low=clip_low, clip_high=clip_high,
        dual_delta=dual_delta, kl=kl, kl_coef=kl_coef, kl_unbiased=kl_unbiased, correction=correction,
        correction_cap=correction_cap, off_policy_threshold=off_policy_threshold)
    _check_tensors(logp_NT, old_logp_NT, mask_NT, ref_logp_NT, sampler_logp_NT, kl, correction, off_policy_threshold)
    mask, kept_N = _used(mask_NT, informative_N, skip_zero_variance, finished_N, mask_truncated)
    adv = (adv_N[:, None] if adv_N.dim() == 1 else adv_N).to(logp_NT.dtype).expand_as(logp_NT)
    weight = mask.to(logp_NT.dtype)
    length = weight.sum(1, keepdim=True).clamp(min=1)
    token_log_ratio = torch.where(mask, logp_NT - old_logp_NT.detach(), 0.0)
    log_ratio = ratios.sequence_log_ratio(token_log_ratio, length, ratio)
    gain = ratios.surrogate(log_ratio.exp(), adv, logp_NT, clip, low, high, dual_delta)
    gain, more = _trusted(gain, logp_NT, old_logp_NT, sampler_logp_NT, adv, mask, length,
                          correction, correction_cap, off_policy_threshold)
    loss_NT, kl_NT = -gain, None
    if kl != "none":
        x = torch.where(mask, logp_NT - ref_logp_NT.detach(), 0.0)
        kl_NT = kl_estimate(x, 0.0, kl)
        if kl_unbiased:
            kl_NT = token_log_ratio.exp() * kl_NT
        loss_NT = loss_NT + kl_coef * kl_NT
    if aggregation == "sequence_mean":
        weight = weight / length
    if normalizer is None:
        normalizer = float(mask.sum() if aggregation == "token_mean" else len(logp_NT))
    denominator = max(float(normalizer), 1.0) * (constant if aggregation == "constant" else 1)
    loss = (torch.where(mask, loss_NT, 0.0) * weight).sum() / denominator
    policy_loss = -(torch.where(mask, gain, 0.0) * weight).sum().detach() / denominator
    metrics = _metrics(log_ratio, adv, mask, clip, low, high, dual_delta, kl_NT)
    return loss, {**metrics, **more, "sequences": float(kept_N.sum()), "policy_loss": policy_loss.item()}

def wrong_5(logp_NT, old_logp_NT, adv_N, mask_NT, *, aggregation="token_mean", constant=None,
              ratio="token", clip="symmetric", clip_low=0.2, clip_high=None, dual_delta=None,
              kl="none", kl_coef=0.0, ref_logp_NT=None, kl_unbiased=False,
              sampler_logp_NT=None, correction="none", correction_cap=None, off_policy_threshold=None,
              informative_N=None, skip_zero_variance=False, finished_N=None, mask_truncated=False, normalizer=None):
    "the unbiased KL's weight is the ratio of the loss (the sequence's for ratio='sequence'), not the token's"
    low, high = check_settings(
        aggregation=aggregation, constant=constant, ratio=ratio, clip=clip, clip_low=clip_low, clip_high=clip_high,
        dual_delta=dual_delta, kl=kl, kl_coef=kl_coef, kl_unbiased=kl_unbiased, correction=correction,
        correction_cap=correction_cap, off_policy_threshold=off_policy_threshold)
    _check_tensors(logp_NT, old_logp_NT, mask_NT, ref_logp_NT, sampler_logp_NT, kl, correction, off_policy_threshold)
    mask, kept_N = _used(mask_NT, informative_N, skip_zero_variance, finished_N, mask_truncated)
    adv = (adv_N[:, None] if adv_N.dim() == 1 else adv_N).to(logp_NT.dtype).expand_as(logp_NT)
    weight = mask.to(logp_NT.dtype)
    length = weight.sum(1, keepdim=True).clamp(min=1)
    token_log_ratio = torch.where(mask, logp_NT - old_logp_NT.detach(), 0.0)
    log_ratio = ratios.sequence_log_ratio(token_log_ratio, length, ratio)
    gain = ratios.surrogate(log_ratio.exp(), adv, logp_NT, clip, low, high, dual_delta)
    gain, more = _trusted(gain, logp_NT, old_logp_NT, sampler_logp_NT, adv, mask, length,
                          correction, correction_cap, off_policy_threshold)
    loss_NT, kl_NT = -gain, None
    if kl != "none":
        x = torch.where(mask, logp_NT - ref_logp_NT.detach(), 0.0)
        kl_NT = kl_estimate(x, 0.0, kl)
        if kl_unbiased:
            kl_NT = log_ratio.exp() * kl_NT
        loss_NT = loss_NT + kl_coef * kl_NT
    if aggregation == "sequence_mean":
        weight = weight / length
    if normalizer is None:
        normalizer = float(mask.sum() if aggregation == "token_mean" else kept_N.sum())
    denominator = max(float(normalizer), 1.0) * (constant if aggregation == "constant" else 1)
    loss = (torch.where(mask, loss_NT, 0.0) * weight).sum() / denominator
    policy_loss = -(torch.where(mask, gain, 0.0) * weight).sum().detach() / denominator
    metrics = _metrics(log_ratio, adv, mask, clip, low, high, dual_delta, kl_NT)
    return loss, {**metrics, **more, "sequences": float(kept_N.sum()), "policy_loss": policy_loss.item()}

def wrong_6(logp_NT, old_logp_NT, adv_N, mask_NT, *, aggregation="token_mean", constant=None,
              ratio="token", clip="symmetric", clip_low=0.2, clip_high=None, dual_delta=None,
              kl="none", kl_coef=0.0, ref_logp_NT=None, kl_unbiased=False,
              sampler_logp_NT=None, correction="none", correction_cap=None, off_policy_threshold=None,
              informative_N=None, skip_zero_variance=False, finished_N=None, mask_truncated=False, normalizer=None):
    "the weight of the unbiased KL is detached: its gradient is missing"
    low, high = check_settings(
        aggregation=aggregation, constant=constant, ratio=ratio, clip=clip, clip_low=clip_low, clip_high=clip_high,
        dual_delta=dual_delta, kl=kl, kl_coef=kl_coef, kl_unbiased=kl_unbiased, correction=correction,
        correction_cap=correction_cap, off_policy_threshold=off_policy_threshold)
    _check_tensors(logp_NT, old_logp_NT, mask_NT, ref_logp_NT, sampler_logp_NT, kl, correction, off_policy_threshold)
    mask, kept_N = _used(mask_NT, informative_N, skip_zero_variance, finished_N, mask_truncated)
    adv = (adv_N[:, None] if adv_N.dim() == 1 else adv_N).to(logp_NT.dtype).expand_as(logp_NT)
    weight = mask.to(logp_NT.dtype)
    length = weight.sum(1, keepdim=True).clamp(min=1)
    token_log_ratio = torch.where(mask, logp_NT - old_logp_NT.detach(), 0.0)
    log_ratio = ratios.sequence_log_ratio(token_log_ratio, length, ratio)
    gain = ratios.surrogate(log_ratio.exp(), adv, logp_NT, clip, low, high, dual_delta)
    gain, more = _trusted(gain, logp_NT, old_logp_NT, sampler_logp_NT, adv, mask, length,
                          correction, correction_cap, off_policy_threshold)
    loss_NT, kl_NT = -gain, None
    if kl != "none":
        x = torch.where(mask, logp_NT - ref_logp_NT.detach(), 0.0)
        kl_NT = kl_estimate(x, 0.0, kl)
        if kl_unbiased:
            kl_NT = token_log_ratio.exp().detach() * kl_NT
        loss_NT = loss_NT + kl_coef * kl_NT
    if aggregation == "sequence_mean":
        weight = weight / length
    if normalizer is None:
        normalizer = float(mask.sum() if aggregation == "token_mean" else kept_N.sum())
    denominator = max(float(normalizer), 1.0) * (constant if aggregation == "constant" else 1)
    loss = (torch.where(mask, loss_NT, 0.0) * weight).sum() / denominator
    policy_loss = -(torch.where(mask, gain, 0.0) * weight).sum().detach() / denominator
    metrics = _metrics(log_ratio, adv, mask, clip, low, high, dual_delta, kl_NT)
    return loss, {**metrics, **more, "sequences": float(kept_N.sum()), "policy_loss": policy_loss.item()}

def wrong_7(logp_NT, old_logp_NT, adv_N, mask_NT, *, aggregation="token_mean", constant=None,
              ratio="token", clip="symmetric", clip_low=0.2, clip_high=None, dual_delta=None,
              kl="none", kl_coef=0.0, ref_logp_NT=None, kl_unbiased=False,
              sampler_logp_NT=None, correction="none", correction_cap=None, off_policy_threshold=None,
              informative_N=None, skip_zero_variance=False, finished_N=None, mask_truncated=False, normalizer=None):
    "sequence_mean is the mean over answers of sum / T of the padded width, not of the answer's own length"
    low, high = check_settings(
        aggregation=aggregation, constant=constant, ratio=ratio, clip=clip, clip_low=clip_low, clip_high=clip_high,
        dual_delta=dual_delta, kl=kl, kl_coef=kl_coef, kl_unbiased=kl_unbiased, correction=correction,
        correction_cap=correction_cap, off_policy_threshold=off_policy_threshold)
    _check_tensors(logp_NT, old_logp_NT, mask_NT, ref_logp_NT, sampler_logp_NT, kl, correction, off_policy_threshold)
    mask, kept_N = _used(mask_NT, informative_N, skip_zero_variance, finished_N, mask_truncated)
    adv = (adv_N[:, None] if adv_N.dim() == 1 else adv_N).to(logp_NT.dtype).expand_as(logp_NT)
    weight = mask.to(logp_NT.dtype)
    length = weight.sum(1, keepdim=True).clamp(min=1)
    token_log_ratio = torch.where(mask, logp_NT - old_logp_NT.detach(), 0.0)
    log_ratio = ratios.sequence_log_ratio(token_log_ratio, length, ratio)
    gain = ratios.surrogate(log_ratio.exp(), adv, logp_NT, clip, low, high, dual_delta)
    gain, more = _trusted(gain, logp_NT, old_logp_NT, sampler_logp_NT, adv, mask, length,
                          correction, correction_cap, off_policy_threshold)
    loss_NT, kl_NT = -gain, None
    if kl != "none":
        x = torch.where(mask, logp_NT - ref_logp_NT.detach(), 0.0)
        kl_NT = kl_estimate(x, 0.0, kl)
        if kl_unbiased:
            kl_NT = token_log_ratio.exp() * kl_NT
        loss_NT = loss_NT + kl_coef * kl_NT
    if aggregation == "sequence_mean":
        weight = weight / weight.shape[1]
    if normalizer is None:
        normalizer = float(mask.sum() if aggregation == "token_mean" else kept_N.sum())
    denominator = max(float(normalizer), 1.0) * (constant if aggregation == "constant" else 1)
    loss = (torch.where(mask, loss_NT, 0.0) * weight).sum() / denominator
    policy_loss = -(torch.where(mask, gain, 0.0) * weight).sum().detach() / denominator
    metrics = _metrics(log_ratio, adv, mask, clip, low, high, dual_delta, kl_NT)
    return loss, {**metrics, **more, "sequences": float(kept_N.sum()), "policy_loss": policy_loss.item()}

def wrong_8(logp_NT, old_logp_NT, adv_N, mask_NT, *, aggregation="token_mean", constant=None,
              ratio="token", clip="symmetric", clip_low=0.2, clip_high=None, dual_delta=None,
              kl="none", kl_coef=0.0, ref_logp_NT=None, kl_unbiased=False,
              sampler_logp_NT=None, correction="none", correction_cap=None, off_policy_threshold=None,
              informative_N=None, skip_zero_variance=False, finished_N=None, mask_truncated=False, normalizer=None):
    "an empty batch divides by zero: the denominator has no lower bound (all rows skipped: NaN)"
    low, high = check_settings(
        aggregation=aggregation, constant=constant, ratio=ratio, clip=clip, clip_low=clip_low, clip_high=clip_high,
        dual_delta=dual_delta, kl=kl, kl_coef=kl_coef, kl_unbiased=kl_unbiased, correction=correction,
        correction_cap=correction_cap, off_policy_threshold=off_policy_threshold)
    _check_tensors(logp_NT, old_logp_NT, mask_NT, ref_logp_NT, sampler_logp_NT, kl, correction, off_policy_threshold)
    mask, kept_N = _used(mask_NT, informative_N, skip_zero_variance, finished_N, mask_truncated)
    adv = (adv_N[:, None] if adv_N.dim() == 1 else adv_N).to(logp_NT.dtype).expand_as(logp_NT)
    weight = mask.to(logp_NT.dtype)
    length = weight.sum(1, keepdim=True).clamp(min=1)
    token_log_ratio = torch.where(mask, logp_NT - old_logp_NT.detach(), 0.0)
    log_ratio = ratios.sequence_log_ratio(token_log_ratio, length, ratio)
    gain = ratios.surrogate(log_ratio.exp(), adv, logp_NT, clip, low, high, dual_delta)
    gain, more = _trusted(gain, logp_NT, old_logp_NT, sampler_logp_NT, adv, mask, length,
                          correction, correction_cap, off_policy_threshold)
    loss_NT, kl_NT = -gain, None
    if kl != "none":
        x = torch.where(mask, logp_NT - ref_logp_NT.detach(), 0.0)
        kl_NT = kl_estimate(x, 0.0, kl)
        if kl_unbiased:
            kl_NT = token_log_ratio.exp() * kl_NT
        loss_NT = loss_NT + kl_coef * kl_NT
    if aggregation == "sequence_mean":
        weight = weight / length
    if normalizer is None:
        normalizer = float(mask.sum() if aggregation == "token_mean" else kept_N.sum())
    denominator = float(normalizer) * (constant if aggregation == "constant" else 1)
    loss = (torch.where(mask, loss_NT, 0.0) * weight).sum() / torch.tensor(denominator)
    policy_loss = -(torch.where(mask, gain, 0.0) * weight).sum().detach() / torch.tensor(denominator)
    metrics = _metrics(log_ratio, adv, mask, clip, low, high, dual_delta, kl_NT)
    return loss, {**metrics, **more, "sequences": float(kept_N.sum()), "policy_loss": policy_loss.item()}

def wrong_9(logp_NT, old_logp_NT, adv_N, mask_NT, *, aggregation="token_mean", constant=None,
              ratio="token", clip="symmetric", clip_low=0.2, clip_high=None, dual_delta=None,
              kl="none", kl_coef=0.0, ref_logp_NT=None, kl_unbiased=False,
              sampler_logp_NT=None, correction="none", correction_cap=None, off_policy_threshold=None,
              informative_N=None, skip_zero_variance=False, finished_N=None, mask_truncated=False, normalizer=None):
    "policy_loss holds the KL as well"
    low, high = check_settings(
        aggregation=aggregation, constant=constant, ratio=ratio, clip=clip, clip_low=clip_low, clip_high=clip_high,
        dual_delta=dual_delta, kl=kl, kl_coef=kl_coef, kl_unbiased=kl_unbiased, correction=correction,
        correction_cap=correction_cap, off_policy_threshold=off_policy_threshold)
    _check_tensors(logp_NT, old_logp_NT, mask_NT, ref_logp_NT, sampler_logp_NT, kl, correction, off_policy_threshold)
    mask, kept_N = _used(mask_NT, informative_N, skip_zero_variance, finished_N, mask_truncated)
    adv = (adv_N[:, None] if adv_N.dim() == 1 else adv_N).to(logp_NT.dtype).expand_as(logp_NT)
    weight = mask.to(logp_NT.dtype)
    length = weight.sum(1, keepdim=True).clamp(min=1)
    token_log_ratio = torch.where(mask, logp_NT - old_logp_NT.detach(), 0.0)
    log_ratio = ratios.sequence_log_ratio(token_log_ratio, length, ratio)
    gain = ratios.surrogate(log_ratio.exp(), adv, logp_NT, clip, low, high, dual_delta)
    gain, more = _trusted(gain, logp_NT, old_logp_NT, sampler_logp_NT, adv, mask, length,
                          correction, correction_cap, off_policy_threshold)
    loss_NT, kl_NT = -gain, None
    if kl != "none":
        x = torch.where(mask, logp_NT - ref_logp_NT.detach(), 0.0)
        kl_NT = kl_estimate(x, 0.0, kl)
        if kl_unbiased:
            kl_NT = token_log_ratio.exp() * kl_NT
        loss_NT = loss_NT + kl_coef * kl_NT
    if aggregation == "sequence_mean":
        weight = weight / length
    if normalizer is None:
        normalizer = float(mask.sum() if aggregation == "token_mean" else kept_N.sum())
    denominator = max(float(normalizer), 1.0) * (constant if aggregation == "constant" else 1)
    loss = (torch.where(mask, loss_NT, 0.0) * weight).sum() / denominator
    policy_loss = loss.detach()
    metrics = _metrics(log_ratio, adv, mask, clip, low, high, dual_delta, kl_NT)
    return loss, {**metrics, **more, "sequences": float(kept_N.sum()), "policy_loss": policy_loss.item()}

def wrong_10(logp_NT, old_logp_NT, adv_N, mask_NT, *, aggregation="token_mean", constant=None,
              ratio="token", clip="symmetric", clip_low=0.2, clip_high=None, dual_delta=None,
              kl="none", kl_coef=0.0, ref_logp_NT=None, kl_unbiased=False,
              sampler_logp_NT=None, correction="none", correction_cap=None, off_policy_threshold=None,
              informative_N=None, skip_zero_variance=False, finished_N=None, mask_truncated=False, normalizer=None):
    "adv_N is always unsqueezed: advantages of shape [N, T] broadcast to [N, N, T] or fail"
    low, high = check_settings(
        aggregation=aggregation, constant=constant, ratio=ratio, clip=clip, clip_low=clip_low, clip_high=clip_high,
        dual_delta=dual_delta, kl=kl, kl_coef=kl_coef, kl_unbiased=kl_unbiased, correction=correction,
        correction_cap=correction_cap, off_policy_threshold=off_policy_threshold)
    _check_tensors(logp_NT, old_logp_NT, mask_NT, ref_logp_NT, sampler_logp_NT, kl, correction, off_policy_threshold)
    mask, kept_N = _used(mask_NT, informative_N, skip_zero_variance, finished_N, mask_truncated)
    adv = adv_N[:, None].to(logp_NT.dtype).expand_as(logp_NT)
    weight = mask.to(logp_NT.dtype)
    length = weight.sum(1, keepdim=True).clamp(min=1)
    token_log_ratio = torch.where(mask, logp_NT - old_logp_NT.detach(), 0.0)
    log_ratio = ratios.sequence_log_ratio(token_log_ratio, length, ratio)
    gain = ratios.surrogate(log_ratio.exp(), adv, logp_NT, clip, low, high, dual_delta)
    gain, more = _trusted(gain, logp_NT, old_logp_NT, sampler_logp_NT, adv, mask, length,
                          correction, correction_cap, off_policy_threshold)
    loss_NT, kl_NT = -gain, None
    if kl != "none":
        x = torch.where(mask, logp_NT - ref_logp_NT.detach(), 0.0)
        kl_NT = kl_estimate(x, 0.0, kl)
        if kl_unbiased:
            kl_NT = token_log_ratio.exp() * kl_NT
        loss_NT = loss_NT + kl_coef * kl_NT
    if aggregation == "sequence_mean":
        weight = weight / length
    if normalizer is None:
        normalizer = float(mask.sum() if aggregation == "token_mean" else kept_N.sum())
    denominator = max(float(normalizer), 1.0) * (constant if aggregation == "constant" else 1)
    loss = (torch.where(mask, loss_NT, 0.0) * weight).sum() / denominator
    policy_loss = -(torch.where(mask, gain, 0.0) * weight).sum().detach() / denominator
    metrics = _metrics(log_ratio, adv, mask, clip, low, high, dual_delta, kl_NT)
    return loss, {**metrics, **more, "sequences": float(kept_N.sum()), "policy_loss": policy_loss.item()}

def right_1(logp_NT, old_logp_NT, adv_N, mask_NT, *, aggregation="token_mean", constant=None,
              ratio="token", clip="symmetric", clip_low=0.2, clip_high=None, dual_delta=None,
              kl="none", kl_coef=0.0, ref_logp_NT=None, kl_unbiased=False,
              sampler_logp_NT=None, correction="none", correction_cap=None, off_policy_threshold=None,
              informative_N=None, skip_zero_variance=False, finished_N=None, mask_truncated=False, normalizer=None):
    "the parts scaled one after another: rows summed first, then divided"
    low, high = check_settings(
        aggregation=aggregation, constant=constant, ratio=ratio, clip=clip, clip_low=clip_low, clip_high=clip_high,
        dual_delta=dual_delta, kl=kl, kl_coef=kl_coef, kl_unbiased=kl_unbiased, correction=correction,
        correction_cap=correction_cap, off_policy_threshold=off_policy_threshold)
    _check_tensors(logp_NT, old_logp_NT, mask_NT, ref_logp_NT, sampler_logp_NT, kl, correction, off_policy_threshold)
    mask, kept_N = _used(mask_NT, informative_N, skip_zero_variance, finished_N, mask_truncated)
    adv = (adv_N[:, None] if adv_N.dim() == 1 else adv_N).to(logp_NT.dtype).expand_as(logp_NT)
    weight = mask.to(logp_NT.dtype)
    length = weight.sum(1, keepdim=True).clamp(min=1)
    token_log_ratio = torch.where(mask, logp_NT - old_logp_NT.detach(), 0.0)
    log_ratio = ratios.sequence_log_ratio(token_log_ratio, length, ratio)
    gain = ratios.surrogate(log_ratio.exp(), adv, logp_NT, clip, low, high, dual_delta)
    gain, more = _trusted(gain, logp_NT, old_logp_NT, sampler_logp_NT, adv, mask, length,
                          correction, correction_cap, off_policy_threshold)
    loss_NT, kl_NT = -gain, None
    if kl != "none":
        x = torch.where(mask, logp_NT - ref_logp_NT.detach(), 0.0)
        kl_NT = kl_estimate(x, 0.0, kl)
        if kl_unbiased:
            kl_NT = token_log_ratio.exp() * kl_NT
        loss_NT = loss_NT + kl_coef * kl_NT
    if aggregation == "sequence_mean":
        weight = weight / length
    if normalizer is None:
        normalizer = float(mask.sum() if aggregation == "token_mean" else kept_N.sum())
    denominator = max(float(normalizer), 1.0) * (constant if aggregation == "constant" else 1)
    rows = torch.where(mask, loss_NT, torch.zeros_like(loss_NT)).sum(1)
    if aggregation == "sequence_mean":
        rows = rows / length[:, 0]
    loss = rows.sum() / denominator
    policy_loss = -(torch.where(mask, gain, 0.0) * weight).sum().detach() / denominator
    metrics = _metrics(log_ratio, adv, mask, clip, low, high, dual_delta, kl_NT)
    return loss, {**metrics, **more, "sequences": float(kept_N.sum()), "policy_loss": policy_loss.item()}

def right_2(logp_NT, old_logp_NT, adv_N, mask_NT, *, aggregation="token_mean", constant=None,
              ratio="token", clip="symmetric", clip_low=0.2, clip_high=None, dual_delta=None,
              kl="none", kl_coef=0.0, ref_logp_NT=None, kl_unbiased=False,
              sampler_logp_NT=None, correction="none", correction_cap=None, off_policy_threshold=None,
              informative_N=None, skip_zero_variance=False, finished_N=None, mask_truncated=False, normalizer=None):
    "policy and KL term apart, summed at the end"
    low, high = check_settings(
        aggregation=aggregation, constant=constant, ratio=ratio, clip=clip, clip_low=clip_low, clip_high=clip_high,
        dual_delta=dual_delta, kl=kl, kl_coef=kl_coef, kl_unbiased=kl_unbiased, correction=correction,
        correction_cap=correction_cap, off_policy_threshold=off_policy_threshold)
    _check_tensors(logp_NT, old_logp_NT, mask_NT, ref_logp_NT, sampler_logp_NT, kl, correction, off_policy_threshold)
    mask, kept_N = _used(mask_NT, informative_N, skip_zero_variance, finished_N, mask_truncated)
    adv = (adv_N[:, None] if adv_N.dim() == 1 else adv_N).to(logp_NT.dtype).expand_as(logp_NT)
    weight = mask.to(logp_NT.dtype)
    length = weight.sum(1, keepdim=True).clamp(min=1)
    token_log_ratio = torch.where(mask, logp_NT - old_logp_NT.detach(), 0.0)
    log_ratio = ratios.sequence_log_ratio(token_log_ratio, length, ratio)
    gain = ratios.surrogate(log_ratio.exp(), adv, logp_NT, clip, low, high, dual_delta)
    gain, more = _trusted(gain, logp_NT, old_logp_NT, sampler_logp_NT, adv, mask, length,
                          correction, correction_cap, off_policy_threshold)
    loss_NT, kl_NT = -gain, None
    if kl != "none":
        x = torch.where(mask, logp_NT - ref_logp_NT.detach(), 0.0)
        kl_NT = kl_estimate(x, 0.0, kl)
        if kl_unbiased:
            kl_NT = token_log_ratio.exp() * kl_NT
    if aggregation == "sequence_mean":
        weight = weight / length
    if normalizer is None:
        normalizer = float(mask.sum() if aggregation == "token_mean" else kept_N.sum())
    denominator = max(float(normalizer), 1.0) * (constant if aggregation == "constant" else 1)
    def total(x):
        return (x.masked_fill(~mask, 0.0) * weight).sum() / denominator
    policy = -total(gain)
    loss = policy if kl_NT is None else policy + kl_coef * total(kl_NT)
    policy_loss = policy.detach()
    metrics = _metrics(log_ratio, adv, mask, clip, low, high, dual_delta, kl_NT)
    return loss, {**metrics, **more, "sequences": float(kept_N.sum()), "policy_loss": policy_loss.item()}

def right_3(logp_NT, old_logp_NT, adv_N, mask_NT, *, aggregation="token_mean", constant=None,
              ratio="token", clip="symmetric", clip_low=0.2, clip_high=None, dual_delta=None,
              kl="none", kl_coef=0.0, ref_logp_NT=None, kl_unbiased=False,
              sampler_logp_NT=None, correction="none", correction_cap=None, off_policy_threshold=None,
              informative_N=None, skip_zero_variance=False, finished_N=None, mask_truncated=False, normalizer=None):
    "masked_fill instead of where, count_units for the denominator, reference by kl_estimate's two arguments"
    low, high = check_settings(
        aggregation=aggregation, constant=constant, ratio=ratio, clip=clip, clip_low=clip_low, clip_high=clip_high,
        dual_delta=dual_delta, kl=kl, kl_coef=kl_coef, kl_unbiased=kl_unbiased, correction=correction,
        correction_cap=correction_cap, off_policy_threshold=off_policy_threshold)
    _check_tensors(logp_NT, old_logp_NT, mask_NT, ref_logp_NT, sampler_logp_NT, kl, correction, off_policy_threshold)
    mask, kept_N = _used(mask_NT, informative_N, skip_zero_variance, finished_N, mask_truncated)
    adv = (adv_N[:, None] if adv_N.dim() == 1 else adv_N).to(logp_NT.dtype).expand_as(logp_NT)
    weight = mask.to(logp_NT.dtype)
    length = weight.sum(1, keepdim=True).clamp(min=1)
    token_log_ratio = (logp_NT - old_logp_NT.detach()).masked_fill(~mask, 0.0)
    log_ratio = ratios.sequence_log_ratio(token_log_ratio, length, ratio)
    gain = ratios.surrogate(log_ratio.exp(), adv, logp_NT, clip, low, high, dual_delta)
    gain, more = _trusted(gain, logp_NT, old_logp_NT, sampler_logp_NT, adv, mask, length,
                          correction, correction_cap, off_policy_threshold)
    loss_NT, kl_NT = -gain, None
    if kl != "none":
        kl_NT = kl_estimate(logp_NT.masked_fill(~mask, 0.0), ref_logp_NT.detach().masked_fill(~mask, 0.0), kl)
        if kl_unbiased:
            kl_NT = token_log_ratio.exp() * kl_NT
        loss_NT = loss_NT + kl_coef * kl_NT
    if aggregation == "sequence_mean":
        weight = weight / length
    if normalizer is None:
        normalizer = count_units(mask_NT, aggregation, informative_N=informative_N, skip_zero_variance=skip_zero_variance,
                                 finished_N=finished_N, mask_truncated=mask_truncated)
    denominator = max(float(normalizer), 1.0) * (constant if aggregation == "constant" else 1)
    loss = (torch.where(mask, loss_NT, 0.0) * weight).sum() / denominator
    policy_loss = -(torch.where(mask, gain, 0.0) * weight).sum().detach() / denominator
    metrics = _metrics(log_ratio, adv, mask, clip, low, high, dual_delta, kl_NT)
    return loss, {**metrics, **more, "sequences": float(kept_N.sum()), "policy_loss": policy_loss.item()}

def right_4(logp_NT, old_logp_NT, adv_N, mask_NT, *, aggregation="token_mean", constant=None,
              ratio="token", clip="symmetric", clip_low=0.2, clip_high=None, dual_delta=None,
              kl="none", kl_coef=0.0, ref_logp_NT=None, kl_unbiased=False,
              sampler_logp_NT=None, correction="none", correction_cap=None, off_policy_threshold=None,
              informative_N=None, skip_zero_variance=False, finished_N=None, mask_truncated=False, normalizer=None):
    "inputs are cleaned first: what stands outside the mask is replaced in all tensors"
    low, high = check_settings(
        aggregation=aggregation, constant=constant, ratio=ratio, clip=clip, clip_low=clip_low, clip_high=clip_high,
        dual_delta=dual_delta, kl=kl, kl_coef=kl_coef, kl_unbiased=kl_unbiased, correction=correction,
        correction_cap=correction_cap, off_policy_threshold=off_policy_threshold)
    _check_tensors(logp_NT, old_logp_NT, mask_NT, ref_logp_NT, sampler_logp_NT, kl, correction, off_policy_threshold)
    mask, kept_N = _used(mask_NT, informative_N, skip_zero_variance, finished_N, mask_truncated)
    adv = (adv_N[:, None] if adv_N.dim() == 1 else adv_N).to(logp_NT.dtype).expand_as(logp_NT)
    def clean(x):
        return None if x is None else torch.where(mask, x, 0.0)
    logp_NT, old_logp_NT = clean(logp_NT), clean(old_logp_NT).detach()
    ref_logp_NT, sampler_logp_NT, adv = clean(ref_logp_NT), clean(sampler_logp_NT), clean(adv)
    weight = mask.to(logp_NT.dtype)
    length = weight.sum(1, keepdim=True).clamp(min=1)
    token_log_ratio = logp_NT - old_logp_NT
    log_ratio = ratios.sequence_log_ratio(token_log_ratio, length, ratio)
    gain = ratios.surrogate(log_ratio.exp(), adv, logp_NT, clip, low, high, dual_delta)
    gain, more = _trusted(gain, logp_NT, old_logp_NT, sampler_logp_NT, adv, mask, length,
                          correction, correction_cap, off_policy_threshold)
    loss_NT, kl_NT = -gain, None
    if kl != "none":
        x = logp_NT - ref_logp_NT.detach()
        kl_NT = kl_estimate(x, 0.0, kl)
        if kl_unbiased:
            kl_NT = token_log_ratio.exp() * kl_NT
        loss_NT = loss_NT + kl_coef * kl_NT
    if aggregation == "sequence_mean":
        weight = weight / length
    if normalizer is None:
        normalizer = float(mask.sum() if aggregation == "token_mean" else kept_N.sum())
    denominator = max(float(normalizer), 1.0) * (constant if aggregation == "constant" else 1)
    loss = (torch.where(mask, loss_NT, 0.0) * weight).sum() / denominator
    policy_loss = -(torch.where(mask, gain, 0.0) * weight).sum().detach() / denominator
    metrics = _metrics(log_ratio, adv, mask, clip, low, high, dual_delta, kl_NT)
    return loss, {**metrics, **more, "sequences": float(kept_N.sum()), "policy_loss": policy_loss.item()}
