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
    "padding is multiplied with 0, not replaced: NaN or -inf in it makes the loss NaN"
    c = loss_config(config, settings)
    low, high = c.bounds
    _check_tensors(
        logp_NT, old_logp_NT, mask_NT, ref_logp_NT, sampler_logp_NT, c.kl, c.correction, c.off_policy_threshold, adv_N
    )
    mask_NT, kept_N = _used(mask_NT, informative_N, c.skip_zero_variance, finished_N, c.mask_truncated)
    adv_NT = (adv_N[:, None] if adv_N.dim() == 1 else adv_N).to(logp_NT.dtype).expand_as(logp_NT)
    weight_NT = mask_NT.to(logp_NT.dtype)
    length_N1 = weight_NT.sum(1, keepdim=True).clamp(min=1)
    token_log_ratio_NT = (logp_NT - old_logp_NT.detach()) * weight_NT
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
    loss = (loss_NT * weight_NT).sum() / denominator
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
    "padding is replaced after exp only: the value is finite, the gradient is NaN where padding holds NaN or the ratio overflows"
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
    log_ratio_NT = importance_sampling.sequence_log_ratio(token_log_ratio_NT.masked_fill(~mask_NT, 0.0) if c.ratio != 'token' else token_log_ratio_NT, length_N1, c.ratio)
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
            kl_NT = torch.where(mask_NT, token_log_ratio_NT.exp(), 1.0) * kl_NT
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
    "neither the old policy nor the reference is detached: gradients flow into them"
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
        x_NT = torch.where(mask_NT, logp_NT - ref_logp_NT, 0.0)
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
    "`normalizer` is used for token_mean only: the parts of a step do not add up with the other aggregations"
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
    if c.aggregation != "token_mean":
        normalizer = float(kept_N.sum())
    elif normalizer is None:
        normalizer = float(mask_NT.sum())
    denominator = max(float(normalizer), 1.0) * (c.constant if c.aggregation == "constant" else 1)
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
    "advantages of shape [N, T] are reduced to one for each answer (their first column)"
    c = loss_config(config, settings)
    low, high = c.bounds
    _check_tensors(
        logp_NT, old_logp_NT, mask_NT, ref_logp_NT, sampler_logp_NT, c.kl, c.correction, c.off_policy_threshold, adv_N
    )
    mask_NT, kept_N = _used(mask_NT, informative_N, c.skip_zero_variance, finished_N, c.mask_truncated)
    adv_NT = adv_N.reshape(len(logp_NT), -1)[:, :1].to(logp_NT.dtype).expand_as(logp_NT)
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
    "kl_unbiased multiplies with a constant ratio: the value is right, the gradient is not"
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
    "kl_unbiased multiplies with the ratio of the setting `ratio` instead of the token's"
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
            kl_NT = log_ratio_NT.exp() * kl_NT
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
    "answers are counted with N: rows that skip_zero_variance leaves out stay in the denominator"
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
        normalizer = float(mask_NT.sum() if c.aggregation == "token_mean" else len(logp_NT))
    denominator = max(float(normalizer), 1.0) * (c.constant if c.aggregation == "constant" else 1)
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
    "the metric policy_loss is the loss with the KL in it"
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
    "nothing is clamped: a batch without a used token (all cut off, none informative) is 0/0 = NaN"
    c = loss_config(config, settings)
    low, high = c.bounds
    _check_tensors(
        logp_NT, old_logp_NT, mask_NT, ref_logp_NT, sampler_logp_NT, c.kl, c.correction, c.off_policy_threshold, adv_N
    )
    mask_NT, kept_N = _used(mask_NT, informative_N, c.skip_zero_variance, finished_N, c.mask_truncated)
    adv_NT = (adv_N[:, None] if adv_N.dim() == 1 else adv_N).to(logp_NT.dtype).expand_as(logp_NT)
    weight_NT = mask_NT.to(logp_NT.dtype)
    length_N1 = weight_NT.sum(1, keepdim=True)
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


def wrong_11(
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
    "one bound for both sides: clip_high is dropped"
    c = loss_config(config, settings)
    low = high = c.clip_low
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


def wrong_12(
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
    "a config that is given is the end of it: keywords beside it are dropped"
    c = config if config is not None else loss_config(None, settings)
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


def wrong_13(
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
    "the tensors are not checked: a KL without reference is an AttributeError, a sampler that nothing uses passes"
    c = loss_config(config, settings)
    low, high = c.bounds
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


def wrong_14(
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
    "the sequence mean divides by the padded width instead of each answer's length"
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
        weight_NT = weight_NT / weight_NT.shape[1]
    if normalizer is None:
        normalizer = float(mask_NT.sum() if c.aggregation == "token_mean" else kept_N.sum())
    denominator = max(float(normalizer), 1.0) * (c.constant if c.aggregation == "constant" else 1)
    loss = (torch.where(mask_NT, loss_NT, 0.0) * weight_NT).sum() / denominator
    policy_loss = -(torch.where(mask_NT, gain_NT, 0.0) * weight_NT).sum().detach() / denominator
    metrics = _metrics(log_ratio_NT, adv_NT, mask_NT, c.clip, low, high, c.dual_delta, kl_NT)
    return loss, {**metrics, **more, "sequences": float(kept_N.sum()), "policy_loss": policy_loss.item()}


def wrong_15(
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
    "the token mean is a mean of the answers' means"
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
    if c.aggregation != "constant":
        weight_NT = weight_NT / length_N1
    if normalizer is None:
        normalizer = float(kept_N.sum())
    denominator = max(float(normalizer), 1.0) * (c.constant if c.aggregation == "constant" else 1)
    loss = (torch.where(mask_NT, loss_NT, 0.0) * weight_NT).sum() / denominator
    policy_loss = -(torch.where(mask_NT, gain_NT, 0.0) * weight_NT).sum().detach() / denominator
    metrics = _metrics(log_ratio_NT, adv_NT, mask_NT, c.clip, low, high, c.dual_delta, kl_NT)
    return loss, {**metrics, **more, "sequences": float(kept_N.sum()), "policy_loss": policy_loss.item()}


def wrong_16(
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
    "the KL is added as a plain mean over the used tokens, whatever the aggregation and the normalizer"
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
        kl_loss = c.kl_coef * kl_NT[mask_NT].mean()
    if c.aggregation == "sequence_mean":
        weight_NT = weight_NT / length_N1
    if normalizer is None:
        normalizer = float(mask_NT.sum() if c.aggregation == "token_mean" else kept_N.sum())
    denominator = max(float(normalizer), 1.0) * (c.constant if c.aggregation == "constant" else 1)
    loss = (torch.where(mask_NT, loss_NT, 0.0) * weight_NT).sum() / denominator
    if c.kl != "none":
        loss = loss + kl_loss
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
    "masked_fill, branches written out, a weight table divided at once"
    c = loss_config(config, settings)
    low, high = c.bounds
    _check_tensors(
        logp_NT, old_logp_NT, mask_NT, ref_logp_NT, sampler_logp_NT, c.kl, c.correction, c.off_policy_threshold, adv_N
    )
    mask, kept = _used(mask_NT, informative_N, c.skip_zero_variance, finished_N, c.mask_truncated)
    adv = adv_N if adv_N.dim() == 2 else adv_N.unsqueeze(1)
    adv = adv.to(logp_NT.dtype).expand(logp_NT.shape)
    lengths = mask.sum(dim=1, keepdim=True).clamp(min=1).to(logp_NT.dtype)
    log_w = (logp_NT - old_logp_NT.detach()).masked_fill(~mask, 0.0)
    log_ratio = importance_sampling.sequence_log_ratio(log_w, lengths, c.ratio)
    ratio = torch.exp(log_ratio)
    gain = importance_sampling.surrogate(ratio, adv, logp_NT, c.clip, low, high, c.dual_delta)
    gain, extra = _trusted(
        gain, logp_NT, old_logp_NT, sampler_logp_NT, adv, mask, lengths, c.correction, c.correction_cap,
        c.off_policy_threshold,
    )
    kl = None
    if c.kl != "none":
        kl = kl_estimate((logp_NT - ref_logp_NT.detach()).masked_fill(~mask, 0.0), 0.0, c.kl)
        if c.kl_unbiased:
            kl = kl * log_w.exp()
    if c.aggregation == "token_mean":
        weights, count = mask.to(logp_NT.dtype), float(mask.sum())
    elif c.aggregation == "sequence_mean":
        weights, count = mask.to(logp_NT.dtype) / lengths, float(kept.sum())
    else:
        weights, count = mask.to(logp_NT.dtype) / c.constant, float(kept.sum())
    if normalizer is not None:
        count = float(normalizer)
    weights = weights / max(count, 1.0)
    policy = -(gain.masked_fill(~mask, 0.0) * weights).sum()
    loss = policy
    if kl is not None:
        loss = policy + c.kl_coef * (kl * weights).sum()
    metrics = _metrics(log_ratio, adv, mask, c.clip, low, high, c.dual_delta, kl)
    metrics.update(extra)
    metrics["sequences"] = float(kept.sum())
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
    "only the used tokens are picked out before anything is aggregated"
    c = loss_config(config, settings)
    _check_tensors(
        logp_NT, old_logp_NT, mask_NT, ref_logp_NT, sampler_logp_NT, c.kl, c.correction, c.off_policy_threshold, adv_N
    )
    low, high = c.bounds
    used_NT, counted_N = _used(mask_NT, informative_N, c.skip_zero_variance, finished_N, c.mask_truncated)
    zero = torch.zeros_like(logp_NT)
    A_NT = (adv_N if adv_N.dim() > 1 else adv_N.reshape(-1, 1)).to(logp_NT.dtype) + zero.detach()
    length_N1 = used_NT.to(logp_NT.dtype).sum(-1, keepdim=True).clamp_min(1)
    x_NT = torch.where(used_NT, logp_NT - old_logp_NT.detach(), zero)
    log_ratio_NT = importance_sampling.sequence_log_ratio(x_NT, length_N1, c.ratio)
    gain_NT = importance_sampling.surrogate(
        log_ratio_NT.exp(), A_NT, logp_NT, c.clip, low, high, c.dual_delta
    )
    gain_NT, more = _trusted(
        gain_NT, logp_NT, old_logp_NT, sampler_logp_NT, A_NT, used_NT, length_N1,
        c.correction, c.correction_cap, c.off_policy_threshold,
    )
    kl_NT = None
    if c.kl != "none":
        y_NT = torch.where(used_NT, logp_NT - ref_logp_NT.detach(), zero)
        kl_NT = kl_estimate(y_NT, 0.0, c.kl)
        if c.kl_unbiased:
            kl_NT = x_NT.exp() * kl_NT
    gains = gain_NT[used_NT]
    losses = -gains if kl_NT is None else c.kl_coef * kl_NT[used_NT] - gains
    if c.aggregation == "sequence_mean":
        shares = (1 / length_N1).expand_as(logp_NT)[used_NT]
    else:
        shares = torch.ones_like(gains.detach())
    if normalizer is None:
        normalizer = len(gains) if c.aggregation == "token_mean" else int(counted_N.sum())
    below = max(float(normalizer), 1.0)
    if c.aggregation == "constant":
        below = below * c.constant
    loss = (losses * shares).sum() / below
    out = dict(_metrics(log_ratio_NT, A_NT, used_NT, c.clip, low, high, c.dual_delta, kl_NT))
    out |= more
    out["sequences"] = float(counted_N.sum())
    out["policy_loss"] = -((gains * shares).sum() / below).item()
    return loss, out


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
    "aggregates answer by answer, with count_units for the denominator"
    c = loss_config(config, settings)
    low, high = c.clip_low, c.clip_high if c.clip_high is not None else c.clip_low
    _check_tensors(
        logp_NT, old_logp_NT, mask_NT, ref_logp_NT, sampler_logp_NT, c.kl, c.correction, c.off_policy_threshold, adv_N
    )
    how = dict(
        informative_N=informative_N,
        skip_zero_variance=c.skip_zero_variance,
        finished_N=finished_N,
        mask_truncated=c.mask_truncated,
    )
    mask, kept = _used(mask_NT, **how)
    adv = adv_N.to(logp_NT.dtype)
    if adv.dim() == 1:
        adv = adv[:, None].repeat(1, logp_NT.shape[1])
    length = mask.sum(1).clamp(min=1)[:, None].to(logp_NT.dtype)
    logp = torch.where(mask, logp_NT, 0.0)
    delta = logp - torch.where(mask, old_logp_NT.detach(), 0.0)
    log_ratio = importance_sampling.sequence_log_ratio(delta, length, c.ratio)
    gain = importance_sampling.surrogate(log_ratio.exp(), adv, logp, c.clip, low, high, c.dual_delta)
    gain, more = _trusted(
        gain, logp_NT, old_logp_NT, sampler_logp_NT, adv, mask, length, c.correction, c.correction_cap,
        c.off_policy_threshold,
    )
    kl = None
    if c.kl != "none":
        kl = kl_estimate(logp, torch.where(mask, ref_logp_NT.detach(), 0.0), c.kl)
        if c.kl_unbiased:
            kl = torch.exp(delta) * kl
    if normalizer is None:
        normalizer = count_units(mask_NT, c.aggregation, **how)
    denominator = max(float(normalizer), 1.0)
    if c.aggregation == "constant":
        denominator *= c.constant
    per_answer = torch.where(mask, gain, 0.0).sum(1)
    pull = (torch.where(mask, kl, 0.0).sum(1) * c.kl_coef) if kl is not None else torch.zeros_like(per_answer)
    if c.aggregation == "sequence_mean":
        per_answer, pull = per_answer / length[:, 0], pull / length[:, 0]
    loss = (pull - per_answer).sum() / denominator
    policy = (-per_answer.sum() / denominator).item()
    metrics = _metrics(log_ratio, adv, mask, c.clip, low, high, c.dual_delta, kl)
    return loss, {**metrics, **more, "sequences": kept.sum().item() * 1.0, "policy_loss": policy}


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
    "padding is made harmless at the very beginning, then hints 1 to 4 in their order"
    c = loss_config(config, settings)
    low, high = c.bounds
    _check_tensors(
        logp_NT, old_logp_NT, mask_NT, ref_logp_NT, sampler_logp_NT, c.kl, c.correction, c.off_policy_threshold, adv_N
    )
    mask_NT, kept_N = _used(mask_NT, informative_N, c.skip_zero_variance, finished_N, c.mask_truncated)

    def clean(values, gradient=False):
        if values is None:
            return None
        return torch.where(mask_NT, values if gradient else values.detach(), torch.zeros_like(values))

    new, old, ref, sampler = clean(logp_NT, True), clean(old_logp_NT), clean(ref_logp_NT), clean(sampler_logp_NT)
    weight_NT = mask_NT.to(new.dtype)
    length_N1 = torch.maximum(weight_NT.sum(1, keepdim=True), torch.ones((), dtype=new.dtype))
    adv_NT = adv_N.to(new.dtype)
    adv_NT = torch.where(mask_NT, adv_NT[:, None] if adv_NT.dim() == 1 else adv_NT, 0.0)
    token_NT = new - old
    log_ratio_NT = importance_sampling.sequence_log_ratio(token_NT, length_N1, c.ratio)
    gain_NT = importance_sampling.surrogate(log_ratio_NT.exp(), adv_NT, new, c.clip, low, high, c.dual_delta)
    gain_NT, more = _trusted(
        gain_NT, new, old, sampler, adv_NT, mask_NT, length_N1, c.correction, c.correction_cap, c.off_policy_threshold
    )
    loss_NT, kl_NT = gain_NT.neg(), None
    if c.kl != "none":
        kl_NT = kl_estimate(new, ref, c.kl)
        if c.kl_unbiased:
            kl_NT = kl_NT * token_NT.exp()
        loss_NT = loss_NT + kl_NT * c.kl_coef
    if c.aggregation == "sequence_mean":
        weight_NT = weight_NT / length_N1
    count = normalizer
    if count is None:
        count = mask_NT.sum() if c.aggregation == "token_mean" else kept_N.sum()
    count = max(float(count), 1.0)
    if c.aggregation == "constant":
        count = count * c.constant
    loss = (loss_NT * weight_NT).sum() / count
    metrics = _metrics(log_ratio_NT, adv_NT, mask_NT, c.clip, low, high, c.dual_delta, kl_NT)
    metrics |= more
    metrics["sequences"] = float(kept_N.sum())
    metrics["policy_loss"] = float((gain_NT.detach().neg() * weight_NT).sum()) / count
    return loss, metrics
