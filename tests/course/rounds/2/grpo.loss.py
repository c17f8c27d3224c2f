"""grpo.loss"""
import torch


def _zeroed(x_NT, mask_NT):
    return x_NT.masked_fill(~mask_NT, 0.0)


def _body(logp_NT, old_logp_NT, adv_N, mask_NT, *, aggregation, constant, ratio, clip, clip_low, clip_high, dual_delta, kl,
          kl_coef, ref_logp_NT, kl_unbiased, sampler_logp_NT, correction, correction_cap, off_policy_threshold,
          informative_N, skip_zero_variance, finished_N, mask_truncated, normalizer, flaw=""):
    """The steps in order; `flaw` names the mistake of a wrong answer (none for a right one)."""
    low, high = check_settings(
        aggregation=aggregation, constant=constant, ratio=ratio, clip=clip, clip_low=clip_low, clip_high=clip_high,
        dual_delta=dual_delta, kl=kl, kl_coef=kl_coef, kl_unbiased=kl_unbiased, correction=correction,
        correction_cap=correction_cap, off_policy_threshold=off_policy_threshold)
    _check_tensors(logp_NT, old_logp_NT, mask_NT, ref_logp_NT, sampler_logp_NT, kl, correction, off_policy_threshold)
    full_NT = mask_NT.bool()
    used_NT, kept_N = _used(mask_NT, informative_N, skip_zero_variance, finished_N, mask_truncated)
    if flaw == "truncated not counted" and mask_truncated:
        kept_N = kept_N & torch.as_tensor(finished_N).bool()
    if flaw == "skipped counted":
        kept_N = torch.ones_like(kept_N)
    adv_NT = adv_N.to(logp_NT.dtype)
    adv_NT = adv_NT[:, None].expand_as(logp_NT) if adv_NT.dim() == 1 else adv_NT
    weight_NT = used_NT.to(logp_NT.dtype)
    length_N1 = weight_NT.sum(1, keepdim=True).clamp(min=1)
    if flaw == "length of the width":
        length_N1 = torch.full_like(length_N1, logp_NT.shape[1])
    old_NT = old_logp_NT if flaw == "old not detached" else old_logp_NT.detach()
    if flaw == "mask by product":
        log_NT = (logp_NT - old_NT) * weight_NT
    else:
        log_NT = _zeroed(logp_NT - old_NT, used_NT)
    log_ratio_NT = ratios.sequence_log_ratio(log_NT, length_N1, ratio)
    gain_NT = ratios.surrogate(log_ratio_NT.exp(), adv_NT, logp_NT, clip, low, high, dual_delta)
    gain_NT, more = _trusted(gain_NT, logp_NT, old_logp_NT, sampler_logp_NT, adv_NT, used_NT, length_N1,
                             correction, correction_cap, off_policy_threshold)
    kl_NT = None
    loss_NT = -gain_NT
    if kl != "none":
        kl_NT = kl_estimate(_zeroed(logp_NT - (ref_logp_NT if flaw == "ref not detached" else ref_logp_NT.detach()), used_NT), 0.0, kl)
        if kl_unbiased:
            times_NT = log_ratio_NT.exp() if flaw == "kl times sequence ratio" else log_NT.exp()
            kl_NT = (times_NT.detach() if flaw == "kl ratio detached" else times_NT) * kl_NT
        loss_NT = loss_NT + kl_coef * kl_NT
    if aggregation == "sequence_mean":
        weight_NT = weight_NT / length_N1
    if normalizer is None or flaw == "normalizer unused":
        normalizer = weight_NT.gt(0).sum() if aggregation == "token_mean" else kept_N.sum()
    below = float(normalizer) if flaw == "empty divides by zero" else max(float(normalizer), 1.0)
    if aggregation == "constant" and flaw != "no constant":
        below = below * constant
    if flaw == "mask by product":
        loss = (loss_NT * weight_NT).sum() / below
    else:
        loss = (_zeroed(loss_NT, used_NT) * weight_NT).sum() / below
    with torch.no_grad():
        policy = -(_zeroed(gain_NT, used_NT) * weight_NT).sum() / below
    if flaw == "policy loss with kl":
        policy = loss.detach()
    metrics = _metrics(log_ratio_NT, adv_NT, used_NT, clip, low, high, dual_delta, kl_NT)
    return loss, {**metrics, **more, "sequences": float(kept_N.sum()), "policy_loss": policy.item()}


def wrong_1(logp_NT, old_logp_NT, adv_N, mask_NT, *, aggregation="token_mean", constant=None,
            ratio="token", clip="symmetric", clip_low=0.2, clip_high=None, dual_delta=None,
            kl="none", kl_coef=0.0, ref_logp_NT=None, kl_unbiased=False,
            sampler_logp_NT=None, correction="none", correction_cap=None, off_policy_threshold=None,
            informative_N=None, skip_zero_variance=False, finished_N=None, mask_truncated=False, normalizer=None):
    "padding is multiplied with 0: inf or nan there becomes nan in the loss or its gradient"
    return _body(logp_NT, old_logp_NT, adv_N, mask_NT, aggregation=aggregation, constant=constant, ratio=ratio, clip=clip,
                 clip_low=clip_low, clip_high=clip_high, dual_delta=dual_delta, kl=kl, kl_coef=kl_coef,
                 ref_logp_NT=ref_logp_NT, kl_unbiased=kl_unbiased, sampler_logp_NT=sampler_logp_NT,
                 correction=correction, correction_cap=correction_cap, off_policy_threshold=off_policy_threshold,
                 informative_N=informative_N, skip_zero_variance=skip_zero_variance, finished_N=finished_N,
                 mask_truncated=mask_truncated, normalizer=normalizer, flaw='mask by product')


def wrong_2(logp_NT, old_logp_NT, adv_N, mask_NT, *, aggregation="token_mean", constant=None,
            ratio="token", clip="symmetric", clip_low=0.2, clip_high=None, dual_delta=None,
            kl="none", kl_coef=0.0, ref_logp_NT=None, kl_unbiased=False,
            sampler_logp_NT=None, correction="none", correction_cap=None, off_policy_threshold=None,
            informative_N=None, skip_zero_variance=False, finished_N=None, mask_truncated=False, normalizer=None):
    "mask_truncated: cut-off answers are not counted as answers (sequence_mean, constant); the docstring counts them"
    return _body(logp_NT, old_logp_NT, adv_N, mask_NT, aggregation=aggregation, constant=constant, ratio=ratio, clip=clip,
                 clip_low=clip_low, clip_high=clip_high, dual_delta=dual_delta, kl=kl, kl_coef=kl_coef,
                 ref_logp_NT=ref_logp_NT, kl_unbiased=kl_unbiased, sampler_logp_NT=sampler_logp_NT,
                 correction=correction, correction_cap=correction_cap, off_policy_threshold=off_policy_threshold,
                 informative_N=informative_N, skip_zero_variance=skip_zero_variance, finished_N=finished_N,
                 mask_truncated=mask_truncated, normalizer=normalizer, flaw='truncated not counted')


def wrong_3(logp_NT, old_logp_NT, adv_N, mask_NT, *, aggregation="token_mean", constant=None,
            ratio="token", clip="symmetric", clip_low=0.2, clip_high=None, dual_delta=None,
            kl="none", kl_coef=0.0, ref_logp_NT=None, kl_unbiased=False,
            sampler_logp_NT=None, correction="none", correction_cap=None, off_policy_threshold=None,
            informative_N=None, skip_zero_variance=False, finished_N=None, mask_truncated=False, normalizer=None):
    "skip_zero_variance: rows that are skipped still count in the denominator of sequence_mean and constant"
    return _body(logp_NT, old_logp_NT, adv_N, mask_NT, aggregation=aggregation, constant=constant, ratio=ratio, clip=clip,
                 clip_low=clip_low, clip_high=clip_high, dual_delta=dual_delta, kl=kl, kl_coef=kl_coef,
                 ref_logp_NT=ref_logp_NT, kl_unbiased=kl_unbiased, sampler_logp_NT=sampler_logp_NT,
                 correction=correction, correction_cap=correction_cap, off_policy_threshold=off_policy_threshold,
                 informative_N=informative_N, skip_zero_variance=skip_zero_variance, finished_N=finished_N,
                 mask_truncated=mask_truncated, normalizer=normalizer, flaw='skipped counted')


def wrong_4(logp_NT, old_logp_NT, adv_N, mask_NT, *, aggregation="token_mean", constant=None,
            ratio="token", clip="symmetric", clip_low=0.2, clip_high=None, dual_delta=None,
            kl="none", kl_coef=0.0, ref_logp_NT=None, kl_unbiased=False,
            sampler_logp_NT=None, correction="none", correction_cap=None, off_policy_threshold=None,
            informative_N=None, skip_zero_variance=False, finished_N=None, mask_truncated=False, normalizer=None):
    "a gradient flows into old_logp_NT (if it is a function of the weights, all is 0)"
    return _body(logp_NT, old_logp_NT, adv_N, mask_NT, aggregation=aggregation, constant=constant, ratio=ratio, clip=clip,
                 clip_low=clip_low, clip_high=clip_high, dual_delta=dual_delta, kl=kl, kl_coef=kl_coef,
                 ref_logp_NT=ref_logp_NT, kl_unbiased=kl_unbiased, sampler_logp_NT=sampler_logp_NT,
                 correction=correction, correction_cap=correction_cap, off_policy_threshold=off_policy_threshold,
                 informative_N=informative_N, skip_zero_variance=skip_zero_variance, finished_N=finished_N,
                 mask_truncated=mask_truncated, normalizer=normalizer, flaw='old not detached')


def wrong_5(logp_NT, old_logp_NT, adv_N, mask_NT, *, aggregation="token_mean", constant=None,
            ratio="token", clip="symmetric", clip_low=0.2, clip_high=None, dual_delta=None,
            kl="none", kl_coef=0.0, ref_logp_NT=None, kl_unbiased=False,
            sampler_logp_NT=None, correction="none", correction_cap=None, off_policy_threshold=None,
            informative_N=None, skip_zero_variance=False, finished_N=None, mask_truncated=False, normalizer=None):
    "kl_unbiased: the ratio is a constant, so the gradient is not that of the KL"
    return _body(logp_NT, old_logp_NT, adv_N, mask_NT, aggregation=aggregation, constant=constant, ratio=ratio, clip=clip,
                 clip_low=clip_low, clip_high=clip_high, dual_delta=dual_delta, kl=kl, kl_coef=kl_coef,
                 ref_logp_NT=ref_logp_NT, kl_unbiased=kl_unbiased, sampler_logp_NT=sampler_logp_NT,
                 correction=correction, correction_cap=correction_cap, off_policy_threshold=off_policy_threshold,
                 informative_N=informative_N, skip_zero_variance=skip_zero_variance, finished_N=finished_N,
                 mask_truncated=mask_truncated, normalizer=normalizer, flaw='kl ratio detached')


def wrong_6(logp_NT, old_logp_NT, adv_N, mask_NT, *, aggregation="token_mean", constant=None,
            ratio="token", clip="symmetric", clip_low=0.2, clip_high=None, dual_delta=None,
            kl="none", kl_coef=0.0, ref_logp_NT=None, kl_unbiased=False,
            sampler_logp_NT=None, correction="none", correction_cap=None, off_policy_threshold=None,
            informative_N=None, skip_zero_variance=False, finished_N=None, mask_truncated=False, normalizer=None):
    "kl_unbiased: times the loss's ratio (of the sequence), not the token's"
    return _body(logp_NT, old_logp_NT, adv_N, mask_NT, aggregation=aggregation, constant=constant, ratio=ratio, clip=clip,
                 clip_low=clip_low, clip_high=clip_high, dual_delta=dual_delta, kl=kl, kl_coef=kl_coef,
                 ref_logp_NT=ref_logp_NT, kl_unbiased=kl_unbiased, sampler_logp_NT=sampler_logp_NT,
                 correction=correction, correction_cap=correction_cap, off_policy_threshold=off_policy_threshold,
                 informative_N=informative_N, skip_zero_variance=skip_zero_variance, finished_N=finished_N,
                 mask_truncated=mask_truncated, normalizer=normalizer, flaw='kl times sequence ratio')


def wrong_7(logp_NT, old_logp_NT, adv_N, mask_NT, *, aggregation="token_mean", constant=None,
            ratio="token", clip="symmetric", clip_low=0.2, clip_high=None, dual_delta=None,
            kl="none", kl_coef=0.0, ref_logp_NT=None, kl_unbiased=False,
            sampler_logp_NT=None, correction="none", correction_cap=None, off_policy_threshold=None,
            informative_N=None, skip_zero_variance=False, finished_N=None, mask_truncated=False, normalizer=None):
    "`normalizer` is ignored: micro-batches do not add up"
    return _body(logp_NT, old_logp_NT, adv_N, mask_NT, aggregation=aggregation, constant=constant, ratio=ratio, clip=clip,
                 clip_low=clip_low, clip_high=clip_high, dual_delta=dual_delta, kl=kl, kl_coef=kl_coef,
                 ref_logp_NT=ref_logp_NT, kl_unbiased=kl_unbiased, sampler_logp_NT=sampler_logp_NT,
                 correction=correction, correction_cap=correction_cap, off_policy_threshold=off_policy_threshold,
                 informative_N=informative_N, skip_zero_variance=skip_zero_variance, finished_N=finished_N,
                 mask_truncated=mask_truncated, normalizer=normalizer, flaw='normalizer unused')


def wrong_8(logp_NT, old_logp_NT, adv_N, mask_NT, *, aggregation="token_mean", constant=None,
            ratio="token", clip="symmetric", clip_low=0.2, clip_high=None, dual_delta=None,
            kl="none", kl_coef=0.0, ref_logp_NT=None, kl_unbiased=False,
            sampler_logp_NT=None, correction="none", correction_cap=None, off_policy_threshold=None,
            informative_N=None, skip_zero_variance=False, finished_N=None, mask_truncated=False, normalizer=None):
    "a batch without any token left divides by 0: nan instead of 0"
    return _body(logp_NT, old_logp_NT, adv_N, mask_NT, aggregation=aggregation, constant=constant, ratio=ratio, clip=clip,
                 clip_low=clip_low, clip_high=clip_high, dual_delta=dual_delta, kl=kl, kl_coef=kl_coef,
                 ref_logp_NT=ref_logp_NT, kl_unbiased=kl_unbiased, sampler_logp_NT=sampler_logp_NT,
                 correction=correction, correction_cap=correction_cap, off_policy_threshold=off_policy_threshold,
                 informative_N=informative_N, skip_zero_variance=skip_zero_variance, finished_N=finished_N,
                 mask_truncated=mask_truncated, normalizer=normalizer, flaw='empty divides by zero')


def wrong_9(logp_NT, old_logp_NT, adv_N, mask_NT, *, aggregation="token_mean", constant=None,
            ratio="token", clip="symmetric", clip_low=0.2, clip_high=None, dual_delta=None,
            kl="none", kl_coef=0.0, ref_logp_NT=None, kl_unbiased=False,
            sampler_logp_NT=None, correction="none", correction_cap=None, off_policy_threshold=None,
            informative_N=None, skip_zero_variance=False, finished_N=None, mask_truncated=False, normalizer=None):
    "sequence_mean divides by the padded width, not by the answer's own length"
    return _body(logp_NT, old_logp_NT, adv_N, mask_NT, aggregation=aggregation, constant=constant, ratio=ratio, clip=clip,
                 clip_low=clip_low, clip_high=clip_high, dual_delta=dual_delta, kl=kl, kl_coef=kl_coef,
                 ref_logp_NT=ref_logp_NT, kl_unbiased=kl_unbiased, sampler_logp_NT=sampler_logp_NT,
                 correction=correction, correction_cap=correction_cap, off_policy_threshold=off_policy_threshold,
                 informative_N=informative_N, skip_zero_variance=skip_zero_variance, finished_N=finished_N,
                 mask_truncated=mask_truncated, normalizer=normalizer, flaw='length of the width')


def wrong_10(logp_NT, old_logp_NT, adv_N, mask_NT, *, aggregation="token_mean", constant=None,
             ratio="token", clip="symmetric", clip_low=0.2, clip_high=None, dual_delta=None,
             kl="none", kl_coef=0.0, ref_logp_NT=None, kl_unbiased=False,
             sampler_logp_NT=None, correction="none", correction_cap=None, off_policy_threshold=None,
             informative_N=None, skip_zero_variance=False, finished_N=None, mask_truncated=False, normalizer=None):
    "policy_loss in the metrics contains the KL term"
    return _body(logp_NT, old_logp_NT, adv_N, mask_NT, aggregation=aggregation, constant=constant, ratio=ratio, clip=clip,
                 clip_low=clip_low, clip_high=clip_high, dual_delta=dual_delta, kl=kl, kl_coef=kl_coef,
                 ref_logp_NT=ref_logp_NT, kl_unbiased=kl_unbiased, sampler_logp_NT=sampler_logp_NT,
                 correction=correction, correction_cap=correction_cap, off_policy_threshold=off_policy_threshold,
                 informative_N=informative_N, skip_zero_variance=skip_zero_variance, finished_N=finished_N,
                 mask_truncated=mask_truncated, normalizer=normalizer, flaw='policy loss with kl')


def right_1(logp_NT, old_logp_NT, adv_N, mask_NT, *, aggregation="token_mean", constant=None,
            ratio="token", clip="symmetric", clip_low=0.2, clip_high=None, dual_delta=None,
            kl="none", kl_coef=0.0, ref_logp_NT=None, kl_unbiased=False,
            sampler_logp_NT=None, correction="none", correction_cap=None, off_policy_threshold=None,
            informative_N=None, skip_zero_variance=False, finished_N=None, mask_truncated=False, normalizer=None):
    "the steps in another order, masked_fill, the denominator from the weights"
    return _body(logp_NT, old_logp_NT, adv_N, mask_NT, aggregation=aggregation, constant=constant, ratio=ratio, clip=clip,
                 clip_low=clip_low, clip_high=clip_high, dual_delta=dual_delta, kl=kl, kl_coef=kl_coef,
                 ref_logp_NT=ref_logp_NT, kl_unbiased=kl_unbiased, sampler_logp_NT=sampler_logp_NT,
                 correction=correction, correction_cap=correction_cap, off_policy_threshold=off_policy_threshold,
                 informative_N=informative_N, skip_zero_variance=skip_zero_variance, finished_N=finished_N,
                 mask_truncated=mask_truncated, normalizer=normalizer)


def right_2(logp_NT, old_logp_NT, adv_N, mask_NT, *, aggregation="token_mean", constant=None,
            ratio="token", clip="symmetric", clip_low=0.2, clip_high=None, dual_delta=None,
            kl="none", kl_coef=0.0, ref_logp_NT=None, kl_unbiased=False,
            sampler_logp_NT=None, correction="none", correction_cap=None, off_policy_threshold=None,
            informative_N=None, skip_zero_variance=False, finished_N=None, mask_truncated=False, normalizer=None):
    "one dimension: the tokens used are picked out and summed with their weights"
    low, high = check_settings(
        aggregation=aggregation, constant=constant, ratio=ratio, clip=clip, clip_low=clip_low, clip_high=clip_high,
        dual_delta=dual_delta, kl=kl, kl_coef=kl_coef, kl_unbiased=kl_unbiased, correction=correction,
        correction_cap=correction_cap, off_policy_threshold=off_policy_threshold)
    _check_tensors(logp_NT, old_logp_NT, mask_NT, ref_logp_NT, sampler_logp_NT, kl, correction, off_policy_threshold)
    used_NT, kept_N = _used(mask_NT, informative_N, skip_zero_variance, finished_N, mask_truncated)
    if adv_N.dim() == 1:
        adv_N = adv_N.unsqueeze(1)
    adv_NT = torch.broadcast_to(adv_N.to(logp_NT.dtype), logp_NT.shape)
    length_N1 = used_NT.sum(1, keepdim=True).clamp(min=1).to(logp_NT.dtype)
    zero = torch.zeros((), dtype=logp_NT.dtype)
    token_NT = torch.where(used_NT, logp_NT - old_logp_NT.detach(), zero)
    log_ratio_NT = ratios.sequence_log_ratio(token_NT, length_N1, ratio)
    gain_NT = ratios.surrogate(torch.exp(log_ratio_NT), adv_NT, logp_NT, clip, low, high, dual_delta)
    gain_NT, more = _trusted(gain_NT, logp_NT, old_logp_NT, sampler_logp_NT, adv_NT, used_NT, length_N1,
                             correction, correction_cap, off_policy_threshold)
    if aggregation == "sequence_mean":
        weight = (1 / length_N1).expand_as(logp_NT)[used_NT]
    else:
        weight = torch.ones(int(used_NT.sum()), dtype=logp_NT.dtype)
    if normalizer is None:
        normalizer = count_units(mask_NT, aggregation, informative_N=informative_N, skip_zero_variance=skip_zero_variance,
                                 finished_N=finished_N, mask_truncated=mask_truncated)
    denominator = max(1.0, float(normalizer))
    if aggregation == "constant":
        denominator *= constant
    policy = -(gain_NT[used_NT] * weight).sum() / denominator
    loss, kl_NT = policy, None
    if kl != "none":
        kl_NT = kl_estimate(torch.where(used_NT, logp_NT - ref_logp_NT.detach(), zero), zero, kl)
        if kl_unbiased:
            kl_NT = kl_NT * token_NT.exp()
        loss = policy + kl_coef * (kl_NT[used_NT] * weight).sum() / denominator
    metrics = _metrics(log_ratio_NT, adv_NT, used_NT, clip, low, high, dual_delta, kl_NT)
    metrics.update(more, sequences=float(kept_N.sum()), policy_loss=float(policy.detach()))
    return loss, metrics


def right_3(logp_NT, old_logp_NT, adv_N, mask_NT, *, aggregation="token_mean", constant=None,
            ratio="token", clip="symmetric", clip_low=0.2, clip_high=None, dual_delta=None,
            kl="none", kl_coef=0.0, ref_logp_NT=None, kl_unbiased=False,
            sampler_logp_NT=None, correction="none", correction_cap=None, off_policy_threshold=None,
            informative_N=None, skip_zero_variance=False, finished_N=None, mask_truncated=False, normalizer=None):
    "a row of weights for every token with the denominator already in it"
    settings = dict(aggregation=aggregation, constant=constant, ratio=ratio, clip=clip, clip_low=clip_low,
                    clip_high=clip_high, dual_delta=dual_delta, kl=kl, kl_coef=kl_coef, kl_unbiased=kl_unbiased,
                    correction=correction, correction_cap=correction_cap, off_policy_threshold=off_policy_threshold)
    low, high = check_settings(**settings)
    _check_tensors(logp_NT, old_logp_NT, mask_NT, ref_logp_NT, sampler_logp_NT, kl, correction, off_policy_threshold)
    m_NT, rows_N = _used(mask_NT, informative_N, skip_zero_variance, finished_N, mask_truncated)
    n_N1 = m_NT.sum(dim=1, keepdim=True).to(logp_NT).clamp(min=1)
    if aggregation == "token_mean":
        units = m_NT.sum().item() if normalizer is None else float(normalizer)
        weight_NT = m_NT / max(units, 1.0)
    else:
        units = rows_N.sum().item() if normalizer is None else float(normalizer)
        weight_NT = m_NT / (n_N1 if aggregation == "sequence_mean" else constant) / max(units, 1.0)
    weight_NT = weight_NT.to(logp_NT.dtype)
    # what stands outside is cut off before anything is computed with it
    lp, old = logp_NT.masked_fill(~m_NT, 0), old_logp_NT.detach().masked_fill(~m_NT, 0)
    said = None if sampler_logp_NT is None else sampler_logp_NT.masked_fill(~m_NT, 0)
    adv_NT = (adv_N if adv_N.dim() == 2 else adv_N[:, None].expand_as(lp)).to(lp.dtype).masked_fill(~m_NT, 0)
    log_w = lp - old
    log_ratio_NT = ratios.sequence_log_ratio(log_w, n_N1, ratio)
    gain_NT = ratios.surrogate(log_ratio_NT.exp(), adv_NT, lp, clip, low, high, dual_delta)
    gain_NT, more = _trusted(gain_NT, lp, old, said, adv_NT, m_NT, n_N1, correction, correction_cap,
                             off_policy_threshold)
    policy = (gain_NT * weight_NT).sum().neg()
    loss, kl_NT = policy, None
    if kl != "none":
        kl_NT = kl_estimate(lp, ref_logp_NT.detach().masked_fill(~m_NT, 0), kl)
        kl_NT = log_w.exp() * kl_NT if kl_unbiased else kl_NT
        loss = policy + kl_coef * (kl_NT * weight_NT).sum()
    logged = _metrics(log_ratio_NT, adv_NT, m_NT, clip, low, high, dual_delta, kl_NT) | more
    return loss, logged | {"sequences": float(rows_N.sum()), "policy_loss": policy.item()}


def right_4(logp_NT, old_logp_NT, adv_N, mask_NT, *, aggregation="token_mean", constant=None,
            ratio="token", clip="symmetric", clip_low=0.2, clip_high=None, dual_delta=None,
            kl="none", kl_coef=0.0, ref_logp_NT=None, kl_unbiased=False,
            sampler_logp_NT=None, correction="none", correction_cap=None, off_policy_threshold=None,
            informative_N=None, skip_zero_variance=False, finished_N=None, mask_truncated=False, normalizer=None):
    "the sum answer by answer"
    low, high = check_settings(
        aggregation=aggregation, constant=constant, ratio=ratio, clip=clip, clip_low=clip_low, clip_high=clip_high,
        dual_delta=dual_delta, kl=kl, kl_coef=kl_coef, kl_unbiased=kl_unbiased, correction=correction,
        correction_cap=correction_cap, off_policy_threshold=off_policy_threshold)
    _check_tensors(logp_NT, old_logp_NT, mask_NT, ref_logp_NT, sampler_logp_NT, kl, correction, off_policy_threshold)
    used_NT, kept_N = _used(mask_NT, informative_N, skip_zero_variance, finished_N, mask_truncated)
    adv_NT = adv_N.to(logp_NT.dtype) if adv_N.dim() == 2 else adv_N.to(logp_NT.dtype)[:, None].repeat(1, logp_NT.shape[1])
    length_N1 = used_NT.sum(1, keepdim=True).clamp(min=1)
    token_NT = (logp_NT - old_logp_NT.detach()).masked_fill(~used_NT, 0.0)
    log_ratio_NT = ratios.sequence_log_ratio(token_NT, length_N1, ratio)
    gain_NT = ratios.surrogate(log_ratio_NT.exp(), adv_NT, logp_NT, clip, low, high, dual_delta)
    gain_NT, more = _trusted(gain_NT, logp_NT, old_logp_NT, sampler_logp_NT, adv_NT, used_NT, length_N1,
                             correction, correction_cap, off_policy_threshold)
    kl_NT = None
    if kl != "none":
        kl_NT = kl_estimate((logp_NT - ref_logp_NT.detach()).masked_fill(~used_NT, 0.0), torch.zeros_like(logp_NT), kl)
        if kl_unbiased:
            kl_NT = token_NT.exp() * kl_NT
    gained = pulled = logp_NT.new_zeros(())
    for n, used_T in enumerate(used_NT):
        share = 1 / int(length_N1[n]) if aggregation == "sequence_mean" else 1.0
        gained = gained + share * gain_NT[n][used_T].sum()
        if kl_NT is not None:
            pulled = pulled + share * kl_NT[n][used_T].sum()
    units = normalizer
    if units is None:
        units = used_NT.sum() if aggregation == "token_mean" else kept_N.sum()
    units = max(float(units), 1.0) * (constant if aggregation == "constant" else 1)
    if not used_NT.any():
        gained = gained + 0.0 * token_NT.sum()
    loss = -gained / units + (kl_coef * pulled / units if kl_NT is not None else 0)
    metrics = _metrics(log_ratio_NT, adv_NT, used_NT, clip, low, high, dual_delta, kl_NT)
    return loss, {**metrics, **more, "sequences": float(kept_N.sum()), "policy_loss": -gained.item() / units}
