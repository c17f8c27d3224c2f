"""grpo.loss"""
import torch


def wrong_1(
    logp_NT,
    old_logp_NT,
    adv_N,
    mask_NT,
    config=None,
    *,
    ref_logp_NT=None,
    sampler_logp_NT=None,
    informative_N=None,
    finished_N=None,
    normalizer=None,
    **settings,
):
    "the padding is masked after exp: its gradient is 0 times inf"
    # breaks: "what stands elsewhere is never used" logp_NT = 1e4 (or nan) in the padding: the gradient there is nan
    c = loss_config(config, settings)
    low, high = c.bounds
    _check_tensors(
        logp_NT, old_logp_NT, mask_NT, ref_logp_NT, sampler_logp_NT, c.kl, c.correction, c.off_policy_threshold, adv_N
    )
    mask_NT, kept_N = _used(mask_NT, informative_N, c.skip_zero_variance, finished_N, c.mask_truncated)
    adv_NT = (adv_N[:, None] if adv_N.dim() == 1 else adv_N).to(logp_NT.dtype).expand_as(logp_NT)
    weight_NT = mask_NT.to(logp_NT.dtype)
    length_N1 = weight_NT.sum(1, keepdim=True).clamp(min=1)
    token_log_ratio_NT = logp_NT - old_logp_NT.detach()
    if c.ratio != "token":
        token_log_ratio_NT = torch.where(mask_NT, token_log_ratio_NT, 0.0)
    log_ratio_NT = importance_sampling.sequence_log_ratio(token_log_ratio_NT, length_N1, c.ratio)
    gain_NT = importance_sampling.surrogate(log_ratio_NT.exp(), adv_NT, logp_NT, c.clip, low, high, c.dual_delta)
    gain_NT = torch.where(mask_NT, gain_NT, 0.0)
    gain_NT, more = _trusted(
        gain_NT,
        logp_NT,
        old_logp_NT,
        sampler_logp_NT,
        adv_NT,
        mask_NT,
        length_N1,
        c.correction,
        c.correction_cap,
        c.off_policy_threshold,
    )
    loss_NT = -gain_NT
    kl_NT = None
    if c.kl != "none":
        x_NT = torch.where(mask_NT, logp_NT - ref_logp_NT.detach(), 0.0)
        kl_NT = kl_estimate(x_NT, 0.0, c.kl)
        if c.kl_unbiased:
            kl_NT = token_log_ratio_NT.exp() * kl_NT
        loss_NT = loss_NT + c.kl_coef * kl_NT
    if c.aggregation == "sequence_mean":
        weight_NT = weight_NT / length_N1
    if normalizer is None:
        normalizer = float(mask_NT.sum() if c.aggregation == "token_mean" else kept_N.sum())
    denominator = max(float(normalizer), 1.0) * (c.constant if c.aggregation == "constant" else 1)
    loss = (torch.where(mask_NT, loss_NT, 0.0) * weight_NT).sum() / denominator
    policy_loss = -(torch.where(mask_NT, gain_NT, 0.0) * weight_NT).sum().detach() / denominator
    metrics = _metrics(log_ratio_NT, adv_NT, mask_NT, c.clip, low, high, c.dual_delta, kl_NT)
    return loss, {**metrics, **more, "sequences": float(kept_N.sum()), "policy_loss": policy_loss.item()}


def wrong_2(
    logp_NT,
    old_logp_NT,
    adv_N,
    mask_NT,
    config=None,
    *,
    ref_logp_NT=None,
    sampler_logp_NT=None,
    informative_N=None,
    finished_N=None,
    normalizer=None,
    **settings,
):
    "the old log-probabilities are not detached"
    # breaks: "no gradient flows into it, nor into ref_logp_NT and sampler_logp_NT" old_logp_NT = logp_NT itself: the gradient is 0
    c = loss_config(config, settings)
    low, high = c.bounds
    _check_tensors(
        logp_NT, old_logp_NT, mask_NT, ref_logp_NT, sampler_logp_NT, c.kl, c.correction, c.off_policy_threshold, adv_N
    )
    mask_NT, kept_N = _used(mask_NT, informative_N, c.skip_zero_variance, finished_N, c.mask_truncated)
    adv_NT = (adv_N[:, None] if adv_N.dim() == 1 else adv_N).to(logp_NT.dtype).expand_as(logp_NT)
    weight_NT = mask_NT.to(logp_NT.dtype)
    length_N1 = weight_NT.sum(1, keepdim=True).clamp(min=1)
    token_log_ratio_NT = torch.where(mask_NT, logp_NT - old_logp_NT, 0.0)
    log_ratio_NT = importance_sampling.sequence_log_ratio(token_log_ratio_NT, length_N1, c.ratio)
    gain_NT = importance_sampling.surrogate(log_ratio_NT.exp(), adv_NT, logp_NT, c.clip, low, high, c.dual_delta)
    gain_NT, more = _trusted(
        gain_NT,
        logp_NT,
        old_logp_NT,
        sampler_logp_NT,
        adv_NT,
        mask_NT,
        length_N1,
        c.correction,
        c.correction_cap,
        c.off_policy_threshold,
    )
    loss_NT = -gain_NT
    kl_NT = None
    if c.kl != "none":
        x_NT = torch.where(mask_NT, logp_NT - ref_logp_NT.detach(), 0.0)
        kl_NT = kl_estimate(x_NT, 0.0, c.kl)
        if c.kl_unbiased:
            kl_NT = token_log_ratio_NT.exp() * kl_NT
        loss_NT = loss_NT + c.kl_coef * kl_NT
    if c.aggregation == "sequence_mean":
        weight_NT = weight_NT / length_N1
    if normalizer is None:
        normalizer = float(mask_NT.sum() if c.aggregation == "token_mean" else kept_N.sum())
    denominator = max(float(normalizer), 1.0) * (c.constant if c.aggregation == "constant" else 1)
    loss = (torch.where(mask_NT, loss_NT, 0.0) * weight_NT).sum() / denominator
    policy_loss = -(torch.where(mask_NT, gain_NT, 0.0) * weight_NT).sum().detach() / denominator
    metrics = _metrics(log_ratio_NT, adv_NT, mask_NT, c.clip, low, high, c.dual_delta, kl_NT)
    return loss, {**metrics, **more, "sequences": float(kept_N.sum()), "policy_loss": policy_loss.item()}


def wrong_3(
    logp_NT,
    old_logp_NT,
    adv_N,
    mask_NT,
    config=None,
    *,
    ref_logp_NT=None,
    sampler_logp_NT=None,
    informative_N=None,
    finished_N=None,
    normalizer=None,
    **settings,
):
    "policy_loss is logged with the KL in it"
    # breaks: "policy_loss" beside "kl (to the reference, if used)"; step 6, "the policy term without the KL": kl="k3", kl_coef=0.5
    c = loss_config(config, settings)
    low, high = c.bounds
    _check_tensors(
        logp_NT, old_logp_NT, mask_NT, ref_logp_NT, sampler_logp_NT, c.kl, c.correction, c.off_policy_threshold, adv_N
    )
    mask_NT, kept_N = _used(mask_NT, informative_N, c.skip_zero_variance, finished_N, c.mask_truncated)
    adv_NT = (adv_N[:, None] if adv_N.dim() == 1 else adv_N).to(logp_NT.dtype).expand_as(logp_NT)
    weight_NT = mask_NT.to(logp_NT.dtype)
    length_N1 = weight_NT.sum(1, keepdim=True).clamp(min=1)
    token_log_ratio_NT = torch.where(mask_NT, logp_NT - old_logp_NT.detach(), 0.0)
    log_ratio_NT = importance_sampling.sequence_log_ratio(token_log_ratio_NT, length_N1, c.ratio)
    gain_NT = importance_sampling.surrogate(log_ratio_NT.exp(), adv_NT, logp_NT, c.clip, low, high, c.dual_delta)
    gain_NT, more = _trusted(
        gain_NT,
        logp_NT,
        old_logp_NT,
        sampler_logp_NT,
        adv_NT,
        mask_NT,
        length_N1,
        c.correction,
        c.correction_cap,
        c.off_policy_threshold,
    )
    loss_NT = -gain_NT
    kl_NT = None
    if c.kl != "none":
        x_NT = torch.where(mask_NT, logp_NT - ref_logp_NT.detach(), 0.0)
        kl_NT = kl_estimate(x_NT, 0.0, c.kl)
        if c.kl_unbiased:
            kl_NT = token_log_ratio_NT.exp() * kl_NT
        loss_NT = loss_NT + c.kl_coef * kl_NT
    if c.aggregation == "sequence_mean":
        weight_NT = weight_NT / length_N1
    if normalizer is None:
        normalizer = float(mask_NT.sum() if c.aggregation == "token_mean" else kept_N.sum())
    denominator = max(float(normalizer), 1.0) * (c.constant if c.aggregation == "constant" else 1)
    loss = (torch.where(mask_NT, loss_NT, 0.0) * weight_NT).sum() / denominator
    policy_loss = loss.detach()
    metrics = _metrics(log_ratio_NT, adv_NT, mask_NT, c.clip, low, high, c.dual_delta, kl_NT)
    return loss, {**metrics, **more, "sequences": float(kept_N.sum()), "policy_loss": policy_loss.item()}


def wrong_4(
    logp_NT,
    old_logp_NT,
    adv_N,
    mask_NT,
    config=None,
    *,
    ref_logp_NT=None,
    sampler_logp_NT=None,
    informative_N=None,
    finished_N=None,
    normalizer=None,
    **settings,
):
    "with a normalizer the constant is forgotten"
    # breaks: "the losses of the parts then add up to that of the whole" aggregation="constant", constant=4, normalizer=2
    c = loss_config(config, settings)
    low, high = c.bounds
    _check_tensors(
        logp_NT, old_logp_NT, mask_NT, ref_logp_NT, sampler_logp_NT, c.kl, c.correction, c.off_policy_threshold, adv_N
    )
    mask_NT, kept_N = _used(mask_NT, informative_N, c.skip_zero_variance, finished_N, c.mask_truncated)
    adv_NT = (adv_N[:, None] if adv_N.dim() == 1 else adv_N).to(logp_NT.dtype).expand_as(logp_NT)
    weight_NT = mask_NT.to(logp_NT.dtype)
    length_N1 = weight_NT.sum(1, keepdim=True).clamp(min=1)
    token_log_ratio_NT = torch.where(mask_NT, logp_NT - old_logp_NT.detach(), 0.0)
    log_ratio_NT = importance_sampling.sequence_log_ratio(token_log_ratio_NT, length_N1, c.ratio)
    gain_NT = importance_sampling.surrogate(log_ratio_NT.exp(), adv_NT, logp_NT, c.clip, low, high, c.dual_delta)
    gain_NT, more = _trusted(
        gain_NT,
        logp_NT,
        old_logp_NT,
        sampler_logp_NT,
        adv_NT,
        mask_NT,
        length_N1,
        c.correction,
        c.correction_cap,
        c.off_policy_threshold,
    )
    loss_NT = -gain_NT
    kl_NT = None
    if c.kl != "none":
        x_NT = torch.where(mask_NT, logp_NT - ref_logp_NT.detach(), 0.0)
        kl_NT = kl_estimate(x_NT, 0.0, c.kl)
        if c.kl_unbiased:
            kl_NT = token_log_ratio_NT.exp() * kl_NT
        loss_NT = loss_NT + c.kl_coef * kl_NT
    if c.aggregation == "sequence_mean":
        weight_NT = weight_NT / length_N1
    if normalizer is not None:
        denominator = max(float(normalizer), 1.0)
    elif c.aggregation == "token_mean":
        denominator = max(float(mask_NT.sum()), 1.0)
    else:
        denominator = max(float(kept_N.sum()), 1.0) * (c.constant or 1)
    loss = (torch.where(mask_NT, loss_NT, 0.0) * weight_NT).sum() / denominator
    policy_loss = -(torch.where(mask_NT, gain_NT, 0.0) * weight_NT).sum().detach() / denominator
    metrics = _metrics(log_ratio_NT, adv_NT, mask_NT, c.clip, low, high, c.dual_delta, kl_NT)
    return loss, {**metrics, **more, "sequences": float(kept_N.sum()), "policy_loss": policy_loss.item()}


def wrong_5(
    logp_NT,
    old_logp_NT,
    adv_N,
    mask_NT,
    config=None,
    *,
    ref_logp_NT=None,
    sampler_logp_NT=None,
    informative_N=None,
    finished_N=None,
    normalizer=None,
    **settings,
):
    "the ratio in front of the unbiased KL has no gradient"
    # breaks: "the KL estimate times the token's ratio, ...: its gradient is then that of KL(pi || ref)" kl="k3", kl_unbiased=True, kl_coef=1: other gradient, same value
    c = loss_config(config, settings)
    low, high = c.bounds
    _check_tensors(
        logp_NT, old_logp_NT, mask_NT, ref_logp_NT, sampler_logp_NT, c.kl, c.correction, c.off_policy_threshold, adv_N
    )
    mask_NT, kept_N = _used(mask_NT, informative_N, c.skip_zero_variance, finished_N, c.mask_truncated)
    adv_NT = (adv_N[:, None] if adv_N.dim() == 1 else adv_N).to(logp_NT.dtype).expand_as(logp_NT)
    weight_NT = mask_NT.to(logp_NT.dtype)
    length_N1 = weight_NT.sum(1, keepdim=True).clamp(min=1)
    token_log_ratio_NT = torch.where(mask_NT, logp_NT - old_logp_NT.detach(), 0.0)
    log_ratio_NT = importance_sampling.sequence_log_ratio(token_log_ratio_NT, length_N1, c.ratio)
    gain_NT = importance_sampling.surrogate(log_ratio_NT.exp(), adv_NT, logp_NT, c.clip, low, high, c.dual_delta)
    gain_NT, more = _trusted(
        gain_NT,
        logp_NT,
        old_logp_NT,
        sampler_logp_NT,
        adv_NT,
        mask_NT,
        length_N1,
        c.correction,
        c.correction_cap,
        c.off_policy_threshold,
    )
    loss_NT = -gain_NT
    kl_NT = None
    if c.kl != "none":
        x_NT = torch.where(mask_NT, logp_NT - ref_logp_NT.detach(), 0.0)
        kl_NT = kl_estimate(x_NT, 0.0, c.kl)
        if c.kl_unbiased:
            kl_NT = token_log_ratio_NT.exp().detach() * kl_NT
        loss_NT = loss_NT + c.kl_coef * kl_NT
    if c.aggregation == "sequence_mean":
        weight_NT = weight_NT / length_N1
    if normalizer is None:
        normalizer = float(mask_NT.sum() if c.aggregation == "token_mean" else kept_N.sum())
    denominator = max(float(normalizer), 1.0) * (c.constant if c.aggregation == "constant" else 1)
    loss = (torch.where(mask_NT, loss_NT, 0.0) * weight_NT).sum() / denominator
    policy_loss = -(torch.where(mask_NT, gain_NT, 0.0) * weight_NT).sum().detach() / denominator
    metrics = _metrics(log_ratio_NT, adv_NT, mask_NT, c.clip, low, high, c.dual_delta, kl_NT)
    return loss, {**metrics, **more, "sequences": float(kept_N.sum()), "policy_loss": policy_loss.item()}


def wrong_6(
    logp_NT,
    old_logp_NT,
    adv_N,
    mask_NT,
    config=None,
    *,
    ref_logp_NT=None,
    sampler_logp_NT=None,
    informative_N=None,
    finished_N=None,
    normalizer=None,
    **settings,
):
    "answers that mask_truncated has emptied are not counted"
    # breaks: "rows with finished_N False lose all their tokens and still count as answers" mask_truncated=True, aggregation="sequence_mean"
    c = loss_config(config, settings)
    low, high = c.bounds
    _check_tensors(
        logp_NT, old_logp_NT, mask_NT, ref_logp_NT, sampler_logp_NT, c.kl, c.correction, c.off_policy_threshold, adv_N
    )
    mask_NT, kept_N = _used(mask_NT, informative_N, c.skip_zero_variance, finished_N, c.mask_truncated)
    kept_N = kept_N & mask_NT.any(1)
    adv_NT = (adv_N[:, None] if adv_N.dim() == 1 else adv_N).to(logp_NT.dtype).expand_as(logp_NT)
    weight_NT = mask_NT.to(logp_NT.dtype)
    length_N1 = weight_NT.sum(1, keepdim=True).clamp(min=1)
    token_log_ratio_NT = torch.where(mask_NT, logp_NT - old_logp_NT.detach(), 0.0)
    log_ratio_NT = importance_sampling.sequence_log_ratio(token_log_ratio_NT, length_N1, c.ratio)
    gain_NT = importance_sampling.surrogate(log_ratio_NT.exp(), adv_NT, logp_NT, c.clip, low, high, c.dual_delta)
    gain_NT, more = _trusted(
        gain_NT,
        logp_NT,
        old_logp_NT,
        sampler_logp_NT,
        adv_NT,
        mask_NT,
        length_N1,
        c.correction,
        c.correction_cap,
        c.off_policy_threshold,
    )
    loss_NT = -gain_NT
    kl_NT = None
    if c.kl != "none":
        x_NT = torch.where(mask_NT, logp_NT - ref_logp_NT.detach(), 0.0)
        kl_NT = kl_estimate(x_NT, 0.0, c.kl)
        if c.kl_unbiased:
            kl_NT = token_log_ratio_NT.exp() * kl_NT
        loss_NT = loss_NT + c.kl_coef * kl_NT
    if c.aggregation == "sequence_mean":
        weight_NT = weight_NT / length_N1
    if normalizer is None:
        normalizer = float(mask_NT.sum() if c.aggregation == "token_mean" else kept_N.sum())
    denominator = max(float(normalizer), 1.0) * (c.constant if c.aggregation == "constant" else 1)
    loss = (torch.where(mask_NT, loss_NT, 0.0) * weight_NT).sum() / denominator
    policy_loss = -(torch.where(mask_NT, gain_NT, 0.0) * weight_NT).sum().detach() / denominator
    metrics = _metrics(log_ratio_NT, adv_NT, mask_NT, c.clip, low, high, c.dual_delta, kl_NT)
    return loss, {**metrics, **more, "sequences": float(kept_N.sum()), "policy_loss": policy_loss.item()}


def wrong_7(
    logp_NT,
    old_logp_NT,
    adv_N,
    mask_NT,
    config=None,
    *,
    ref_logp_NT=None,
    sampler_logp_NT=None,
    informative_N=None,
    finished_N=None,
    normalizer=None,
    **settings,
):
    "keywords are dropped where a config is given"
    # breaks: "a LossConfig; its fields are keywords too" config=LossConfig(), clip="none" clips
    c = config or loss_config(None, settings)
    low, high = c.bounds
    _check_tensors(
        logp_NT, old_logp_NT, mask_NT, ref_logp_NT, sampler_logp_NT, c.kl, c.correction, c.off_policy_threshold, adv_N
    )
    mask_NT, kept_N = _used(mask_NT, informative_N, c.skip_zero_variance, finished_N, c.mask_truncated)
    adv_NT = (adv_N[:, None] if adv_N.dim() == 1 else adv_N).to(logp_NT.dtype).expand_as(logp_NT)
    weight_NT = mask_NT.to(logp_NT.dtype)
    length_N1 = weight_NT.sum(1, keepdim=True).clamp(min=1)
    token_log_ratio_NT = torch.where(mask_NT, logp_NT - old_logp_NT.detach(), 0.0)
    log_ratio_NT = importance_sampling.sequence_log_ratio(token_log_ratio_NT, length_N1, c.ratio)
    gain_NT = importance_sampling.surrogate(log_ratio_NT.exp(), adv_NT, logp_NT, c.clip, low, high, c.dual_delta)
    gain_NT, more = _trusted(
        gain_NT,
        logp_NT,
        old_logp_NT,
        sampler_logp_NT,
        adv_NT,
        mask_NT,
        length_N1,
        c.correction,
        c.correction_cap,
        c.off_policy_threshold,
    )
    loss_NT = -gain_NT
    kl_NT = None
    if c.kl != "none":
        x_NT = torch.where(mask_NT, logp_NT - ref_logp_NT.detach(), 0.0)
        kl_NT = kl_estimate(x_NT, 0.0, c.kl)
        if c.kl_unbiased:
            kl_NT = token_log_ratio_NT.exp() * kl_NT
        loss_NT = loss_NT + c.kl_coef * kl_NT
    if c.aggregation == "sequence_mean":
        weight_NT = weight_NT / length_N1
    if normalizer is None:
        normalizer = float(mask_NT.sum() if c.aggregation == "token_mean" else kept_N.sum())
    denominator = max(float(normalizer), 1.0) * (c.constant if c.aggregation == "constant" else 1)
    loss = (torch.where(mask_NT, loss_NT, 0.0) * weight_NT).sum() / denominator
    policy_loss = -(torch.where(mask_NT, gain_NT, 0.0) * weight_NT).sum().detach() / denominator
    metrics = _metrics(log_ratio_NT, adv_NT, mask_NT, c.clip, low, high, c.dual_delta, kl_NT)
    return loss, {**metrics, **more, "sequences": float(kept_N.sum()), "policy_loss": policy_loss.item()}


def wrong_8(
    logp_NT,
    old_logp_NT,
    adv_N,
    mask_NT,
    config=None,
    *,
    ref_logp_NT=None,
    sampler_logp_NT=None,
    informative_N=None,
    finished_N=None,
    normalizer=None,
    **settings,
):
    "a mask without any token divides 0 by 0"
    # breaks: "A mask without any token ... makes a loss of 0 with a gradient of 0" mask all 0, token_mean: nan
    c = loss_config(config, settings)
    low, high = c.bounds
    _check_tensors(
        logp_NT, old_logp_NT, mask_NT, ref_logp_NT, sampler_logp_NT, c.kl, c.correction, c.off_policy_threshold, adv_N
    )
    mask_NT, kept_N = _used(mask_NT, informative_N, c.skip_zero_variance, finished_N, c.mask_truncated)
    adv_NT = (adv_N[:, None] if adv_N.dim() == 1 else adv_N).to(logp_NT.dtype).expand_as(logp_NT)
    weight_NT = mask_NT.to(logp_NT.dtype)
    length_N1 = weight_NT.sum(1, keepdim=True).clamp(min=1)
    token_log_ratio_NT = torch.where(mask_NT, logp_NT - old_logp_NT.detach(), 0.0)
    log_ratio_NT = importance_sampling.sequence_log_ratio(token_log_ratio_NT, length_N1, c.ratio)
    gain_NT = importance_sampling.surrogate(log_ratio_NT.exp(), adv_NT, logp_NT, c.clip, low, high, c.dual_delta)
    gain_NT, more = _trusted(
        gain_NT,
        logp_NT,
        old_logp_NT,
        sampler_logp_NT,
        adv_NT,
        mask_NT,
        length_N1,
        c.correction,
        c.correction_cap,
        c.off_policy_threshold,
    )
    loss_NT = -gain_NT
    kl_NT = None
    if c.kl != "none":
        x_NT = torch.where(mask_NT, logp_NT - ref_logp_NT.detach(), 0.0)
        kl_NT = kl_estimate(x_NT, 0.0, c.kl)
        if c.kl_unbiased:
            kl_NT = token_log_ratio_NT.exp() * kl_NT
        loss_NT = loss_NT + c.kl_coef * kl_NT
    if c.aggregation == "sequence_mean":
        weight_NT = weight_NT / length_N1
    if normalizer is None:
        normalizer = float(mask_NT.sum() if c.aggregation == "token_mean" else kept_N.sum())
    denominator = torch.tensor(float(normalizer)) * (c.constant if c.aggregation == "constant" else 1)
    loss = (torch.where(mask_NT, loss_NT, 0.0) * weight_NT).sum() / denominator
    policy_loss = -(torch.where(mask_NT, gain_NT, 0.0) * weight_NT).sum().detach() / denominator
    metrics = _metrics(log_ratio_NT, adv_NT, mask_NT, c.clip, low, high, c.dual_delta, kl_NT)
    return loss, {**metrics, **more, "sequences": float(kept_N.sum()), "policy_loss": policy_loss.item()}


def wrong_9(
    logp_NT,
    old_logp_NT,
    adv_N,
    mask_NT,
    config=None,
    *,
    ref_logp_NT=None,
    sampler_logp_NT=None,
    informative_N=None,
    finished_N=None,
    normalizer=None,
    **settings,
):
    "what leaves the policy term leaves the KL as well"
    # breaks: "answers of negative advantage that are less likely by more than this ... leave the policy term" off_policy_threshold=0.1, kl="k3", kl_coef=1
    c = loss_config(config, settings)
    low, high = c.bounds
    _check_tensors(
        logp_NT, old_logp_NT, mask_NT, ref_logp_NT, sampler_logp_NT, c.kl, c.correction, c.off_policy_threshold, adv_N
    )
    mask_NT, kept_N = _used(mask_NT, informative_N, c.skip_zero_variance, finished_N, c.mask_truncated)
    adv_NT = (adv_N[:, None] if adv_N.dim() == 1 else adv_N).to(logp_NT.dtype).expand_as(logp_NT)
    weight_NT = mask_NT.to(logp_NT.dtype)
    length_N1 = weight_NT.sum(1, keepdim=True).clamp(min=1)
    token_log_ratio_NT = torch.where(mask_NT, logp_NT - old_logp_NT.detach(), 0.0)
    log_ratio_NT = importance_sampling.sequence_log_ratio(token_log_ratio_NT, length_N1, c.ratio)
    gain_NT = importance_sampling.surrogate(log_ratio_NT.exp(), adv_NT, logp_NT, c.clip, low, high, c.dual_delta)
    gain_NT, more = _trusted(
        gain_NT,
        logp_NT,
        old_logp_NT,
        sampler_logp_NT,
        adv_NT,
        mask_NT,
        length_N1,
        c.correction,
        c.correction_cap,
        c.off_policy_threshold,
    )
    loss_NT = -gain_NT
    kl_NT = None
    if c.kl != "none":
        x_NT = torch.where(mask_NT, logp_NT - ref_logp_NT.detach(), 0.0)
        kl_NT = kl_estimate(x_NT, 0.0, c.kl)
        if c.kl_unbiased:
            kl_NT = token_log_ratio_NT.exp() * kl_NT
        if c.off_policy_threshold is not None:
            sampler_NT = old_logp_NT if sampler_logp_NT is None else sampler_logp_NT
            kept_NT = importance_sampling.off_policy_mask(
                logp_NT, sampler_NT, adv_NT, mask_NT, length_N1, c.off_policy_threshold
            )
            kl_NT = torch.where(kept_NT, kl_NT, 0.0)
        loss_NT = loss_NT + c.kl_coef * kl_NT
    if c.aggregation == "sequence_mean":
        weight_NT = weight_NT / length_N1
    if normalizer is None:
        normalizer = float(mask_NT.sum() if c.aggregation == "token_mean" else kept_N.sum())
    denominator = max(float(normalizer), 1.0) * (c.constant if c.aggregation == "constant" else 1)
    loss = (torch.where(mask_NT, loss_NT, 0.0) * weight_NT).sum() / denominator
    policy_loss = -(torch.where(mask_NT, gain_NT, 0.0) * weight_NT).sum().detach() / denominator
    metrics = _metrics(log_ratio_NT, adv_NT, mask_NT, c.clip, low, high, c.dual_delta, kl_NT)
    return loss, {**metrics, **more, "sequences": float(kept_N.sum()), "policy_loss": policy_loss.item()}


def wrong_10(
    logp_NT,
    old_logp_NT,
    adv_N,
    mask_NT,
    config=None,
    *,
    ref_logp_NT=None,
    sampler_logp_NT=None,
    informative_N=None,
    finished_N=None,
    normalizer=None,
    **settings,
):
    "the length of an answer is that of the padded row"
    # breaks: "sequence_mean: mean over answers of each answer's mean over its tokens" aggregation="sequence_mean" (or ratio="sequence") with answers of different length
    c = loss_config(config, settings)
    low, high = c.bounds
    _check_tensors(
        logp_NT, old_logp_NT, mask_NT, ref_logp_NT, sampler_logp_NT, c.kl, c.correction, c.off_policy_threshold, adv_N
    )
    mask_NT, kept_N = _used(mask_NT, informative_N, c.skip_zero_variance, finished_N, c.mask_truncated)
    adv_NT = (adv_N[:, None] if adv_N.dim() == 1 else adv_N).to(logp_NT.dtype).expand_as(logp_NT)
    weight_NT = mask_NT.to(logp_NT.dtype)
    length_N1 = torch.full_like(weight_NT[:, :1], max(mask_NT.shape[1], 1))
    token_log_ratio_NT = torch.where(mask_NT, logp_NT - old_logp_NT.detach(), 0.0)
    log_ratio_NT = importance_sampling.sequence_log_ratio(token_log_ratio_NT, length_N1, c.ratio)
    gain_NT = importance_sampling.surrogate(log_ratio_NT.exp(), adv_NT, logp_NT, c.clip, low, high, c.dual_delta)
    gain_NT, more = _trusted(
        gain_NT,
        logp_NT,
        old_logp_NT,
        sampler_logp_NT,
        adv_NT,
        mask_NT,
        length_N1,
        c.correction,
        c.correction_cap,
        c.off_policy_threshold,
    )
    loss_NT = -gain_NT
    kl_NT = None
    if c.kl != "none":
        x_NT = torch.where(mask_NT, logp_NT - ref_logp_NT.detach(), 0.0)
        kl_NT = kl_estimate(x_NT, 0.0, c.kl)
        if c.kl_unbiased:
            kl_NT = token_log_ratio_NT.exp() * kl_NT
        loss_NT = loss_NT + c.kl_coef * kl_NT
    if c.aggregation == "sequence_mean":
        weight_NT = weight_NT / length_N1
    if normalizer is None:
        normalizer = float(mask_NT.sum() if c.aggregation == "token_mean" else kept_N.sum())
    denominator = max(float(normalizer), 1.0) * (c.constant if c.aggregation == "constant" else 1)
    loss = (torch.where(mask_NT, loss_NT, 0.0) * weight_NT).sum() / denominator
    policy_loss = -(torch.where(mask_NT, gain_NT, 0.0) * weight_NT).sum().detach() / denominator
    metrics = _metrics(log_ratio_NT, adv_NT, mask_NT, c.clip, low, high, c.dual_delta, kl_NT)
    return loss, {**metrics, **more, "sequences": float(kept_N.sum()), "policy_loss": policy_loss.item()}


def right_1(
    logp_NT,
    old_logp_NT,
    adv_N,
    mask_NT,
    config=None,
    *,
    ref_logp_NT=None,
    sampler_logp_NT=None,
    informative_N=None,
    finished_N=None,
    normalizer=None,
    **settings,
):
    "policy term and KL summed apart, one sum per answer"
    c = loss_config(config, settings)
    low, high = c.bounds
    _check_tensors(
        logp_NT, old_logp_NT, mask_NT, ref_logp_NT, sampler_logp_NT, c.kl, c.correction, c.off_policy_threshold, adv_N
    )
    mask_NT, kept_N = _used(mask_NT, informative_N, c.skip_zero_variance, finished_N, c.mask_truncated)
    adv_NT = (adv_N[:, None] if adv_N.dim() == 1 else adv_N).to(logp_NT.dtype).expand_as(logp_NT)
    weight_NT = mask_NT.to(logp_NT.dtype)
    length_N1 = weight_NT.sum(1, keepdim=True).clamp(min=1)
    token_log_ratio_NT = torch.where(mask_NT, logp_NT - old_logp_NT.detach(), 0.0)
    log_ratio_NT = importance_sampling.sequence_log_ratio(token_log_ratio_NT, length_N1, c.ratio)
    gain_NT = importance_sampling.surrogate(log_ratio_NT.exp(), adv_NT, logp_NT, c.clip, low, high, c.dual_delta)
    gain_NT, more = _trusted(
        gain_NT,
        logp_NT,
        old_logp_NT,
        sampler_logp_NT,
        adv_NT,
        mask_NT,
        length_N1,
        c.correction,
        c.correction_cap,
        c.off_policy_threshold,
    )
    per_answer = 1 / length_N1[:, 0] if c.aggregation == "sequence_mean" else torch.ones_like(length_N1[:, 0])
    if normalizer is None:
        normalizer = mask_NT.sum().item() if c.aggregation == "token_mean" else kept_N.sum().item()
    denominator = max(float(normalizer), 1.0)
    if c.aggregation == "constant":
        denominator = denominator * c.constant

    def together(x_NT):
        return torch.einsum("n,n->", torch.where(mask_NT, x_NT, torch.zeros_like(x_NT)).sum(1), per_answer) / denominator

    policy = -together(gain_NT)
    loss, kl_NT = policy, None
    if c.kl != "none":
        x_NT = torch.where(mask_NT, logp_NT - ref_logp_NT.detach(), 0.0)
        kl_NT = kl_estimate(x_NT, torch.zeros_like(x_NT), c.kl)
        if c.kl_unbiased:
            kl_NT = kl_NT * token_log_ratio_NT.exp()
        loss = policy + c.kl_coef * together(kl_NT)
    metrics = _metrics(log_ratio_NT, adv_NT, mask_NT, c.clip, low, high, c.dual_delta, kl_NT)
    metrics.update(more)
    metrics["sequences"] = float(kept_N.sum())
    metrics["policy_loss"] = float(policy.detach())
    return loss, metrics


def right_2(
    logp_NT,
    old_logp_NT,
    adv_N,
    mask_NT,
    config=None,
    *,
    ref_logp_NT=None,
    sampler_logp_NT=None,
    informative_N=None,
    finished_N=None,
    normalizer=None,
    **settings,
):
    "a loop over the answers for the last step"
    c = loss_config(config, settings)
    low, high = c.bounds
    _check_tensors(
        logp_NT, old_logp_NT, mask_NT, ref_logp_NT, sampler_logp_NT, c.kl, c.correction, c.off_policy_threshold, adv_N
    )
    mask_NT, kept_N = _used(mask_NT, informative_N, c.skip_zero_variance, finished_N, c.mask_truncated)
    adv_NT = (adv_N[:, None] if adv_N.dim() == 1 else adv_N).to(logp_NT.dtype).expand_as(logp_NT)
    weight_NT = mask_NT.to(logp_NT.dtype)
    length_N1 = weight_NT.sum(1, keepdim=True).clamp(min=1)
    token_log_ratio_NT = torch.where(mask_NT, logp_NT - old_logp_NT.detach(), 0.0)
    log_ratio_NT = importance_sampling.sequence_log_ratio(token_log_ratio_NT, length_N1, c.ratio)
    gain_NT = importance_sampling.surrogate(log_ratio_NT.exp(), adv_NT, logp_NT, c.clip, low, high, c.dual_delta)
    gain_NT, more = _trusted(
        gain_NT,
        logp_NT,
        old_logp_NT,
        sampler_logp_NT,
        adv_NT,
        mask_NT,
        length_N1,
        c.correction,
        c.correction_cap,
        c.off_policy_threshold,
    )
    kl_NT = None
    if c.kl != "none":
        kl_NT = kl_estimate(torch.where(mask_NT, logp_NT - ref_logp_NT.detach(), 0.0), 0.0, c.kl)
        if c.kl_unbiased:
            kl_NT = token_log_ratio_NT.exp() * kl_NT
    policy = total = torch.where(mask_NT, logp_NT, 0.0).sum() * 0.0
    for n in range(len(mask_NT)):
        there = mask_NT[n]
        if not there.any():
            continue
        share = 1 / int(there.sum()) if c.aggregation == "sequence_mean" else 1.0
        policy = policy - gain_NT[n][there].sum() * share
        total = total - gain_NT[n][there].sum() * share
        if kl_NT is not None:
            total = total + c.kl_coef * kl_NT[n][there].sum() * share
    if normalizer is not None:
        count = float(normalizer)
    elif c.aggregation == "token_mean":
        count = float(mask_NT.sum())
    else:
        count = float(kept_N.sum())
    count = max(count, 1.0) * (c.constant if c.aggregation == "constant" else 1.0)
    metrics = _metrics(log_ratio_NT, adv_NT, mask_NT, c.clip, low, high, c.dual_delta, kl_NT)
    metrics |= more
    metrics |= {"sequences": float(kept_N.sum()), "policy_loss": (policy / count).item()}
    return total / count, metrics


def right_3(
    logp_NT,
    old_logp_NT,
    adv_N,
    mask_NT,
    config=None,
    *,
    ref_logp_NT=None,
    sampler_logp_NT=None,
    informative_N=None,
    finished_N=None,
    normalizer=None,
    **settings,
):
    "padding replaced in all tensors first, then no where any more"
    c = loss_config(config, settings)
    low, high = c.bounds
    _check_tensors(
        logp_NT, old_logp_NT, mask_NT, ref_logp_NT, sampler_logp_NT, c.kl, c.correction, c.off_policy_threshold, adv_N
    )
    mask_NT, kept_N = _used(mask_NT, informative_N, c.skip_zero_variance, finished_N, c.mask_truncated)

    def clean(x_NT):
        return None if x_NT is None else x_NT.masked_fill(~mask_NT, 0.0)

    logp, old, ref, sampler = (
        clean(logp_NT),
        clean(old_logp_NT.detach()),
        clean(None if ref_logp_NT is None else ref_logp_NT.detach()),
        clean(None if sampler_logp_NT is None else sampler_logp_NT.detach()),
    )
    adv = adv_N.to(logp.dtype)
    adv = adv.unsqueeze(1).repeat(1, logp.shape[1]) if adv.dim() == 1 else adv
    adv = clean(adv)
    mask = mask_NT.to(logp.dtype)
    length = mask.sum(1, keepdim=True).clamp_min(1)
    token_log_ratio = logp - old
    log_ratio = importance_sampling.sequence_log_ratio(token_log_ratio, length, c.ratio)
    gain = importance_sampling.surrogate(torch.exp(log_ratio), adv, logp, c.clip, low, high, c.dual_delta)
    gain, more = _trusted(
        gain, logp, old, sampler, adv, mask_NT, length, c.correction, c.correction_cap, c.off_policy_threshold
    )
    kl, pull = None, 0.0
    if c.kl != "none":
        kl = kl_estimate(logp, ref, c.kl)
        kl = kl * token_log_ratio.exp() if c.kl_unbiased else kl
        pull = c.kl_coef * kl
    share = mask / length if c.aggregation == "sequence_mean" else mask
    if normalizer is None:
        normalizer = count_units(mask_NT, c.aggregation) if c.aggregation == "token_mean" else float(kept_N.sum())
    share = share / (max(float(normalizer), 1.0) * (c.constant or 1))
    loss = ((pull - gain) * share).sum()
    metrics = _metrics(log_ratio, adv, mask_NT, c.clip, low, high, c.dual_delta, kl)
    policy_loss = -(gain.detach() * share).sum().item()
    return loss, {**metrics, **more, "sequences": float(kept_N.sum()), "policy_loss": policy_loss}


def right_4(
    logp_NT,
    old_logp_NT,
    adv_N,
    mask_NT,
    config=None,
    *,
    ref_logp_NT=None,
    sampler_logp_NT=None,
    informative_N=None,
    finished_N=None,
    normalizer=None,
    **settings,
):
    "only the tokens under the mask, as one flat row, for the aggregation"
    c = loss_config(config, settings)
    low, high = c.bounds
    _check_tensors(
        logp_NT, old_logp_NT, mask_NT, ref_logp_NT, sampler_logp_NT, c.kl, c.correction, c.off_policy_threshold, adv_N
    )
    mask_NT, kept_N = _used(mask_NT, informative_N, c.skip_zero_variance, finished_N, c.mask_truncated)
    adv_NT = (adv_N[:, None] if adv_N.dim() == 1 else adv_N).to(logp_NT.dtype).expand_as(logp_NT)
    weight_NT = mask_NT.to(logp_NT.dtype)
    length_N1 = weight_NT.sum(1, keepdim=True).clamp(min=1)
    token_log_ratio_NT = torch.where(mask_NT, logp_NT - old_logp_NT.detach(), 0.0)
    log_ratio_NT = importance_sampling.sequence_log_ratio(token_log_ratio_NT, length_N1, c.ratio)
    gain_NT = importance_sampling.surrogate(log_ratio_NT.exp(), adv_NT, logp_NT, c.clip, low, high, c.dual_delta)
    gain_NT, more = _trusted(
        gain_NT,
        logp_NT,
        old_logp_NT,
        sampler_logp_NT,
        adv_NT,
        mask_NT,
        length_N1,
        c.correction,
        c.correction_cap,
        c.off_policy_threshold,
    )
    n_of_token = mask_NT.nonzero()[:, 0]
    gains = gain_NT[mask_NT]
    losses, kl_NT = -gains, None
    if c.kl != "none":
        x_NT = torch.where(mask_NT, logp_NT - ref_logp_NT.detach(), 0.0)
        kl_NT = kl_estimate(x_NT, 0.0, c.kl)
        if c.kl_unbiased:
            kl_NT = kl_NT * token_log_ratio_NT.exp()
        losses = losses + c.kl_coef * kl_NT[mask_NT]
    weights = torch.ones_like(gains)
    if c.aggregation == "sequence_mean":
        weights = weights / mask_NT.sum(1).to(gains.dtype)[n_of_token]
    if normalizer is None:
        normalizer = len(gains) if c.aggregation == "token_mean" else int(kept_N.sum())
    denominator = max(float(normalizer), 1.0)
    if c.aggregation == "constant":
        denominator *= c.constant
    loss = (losses * weights).sum() / denominator
    metrics = _metrics(log_ratio_NT, adv_NT, mask_NT, c.clip, low, high, c.dual_delta, kl_NT)
    with torch.no_grad():
        metrics["policy_loss"] = float(-(gains * weights).sum() / denominator)
    return loss, {**metrics, **more, "sequences": float(kept_N.sum())}
