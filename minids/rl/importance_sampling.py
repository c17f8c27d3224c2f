"""Importance ratios of a loss in which three policies occur: the one that sampled, that scored, and that is trained.

    w_it = pi(o_it) / pi_old(o_it)            trained / scored before the first step on the batch
    v_it = pi_old(o_it) / pi_sampler(o_it)    scored / sampled; 1 where one program does both

    ratio       token           w_it                                                  PPO, DeepSeekMath
                sequence        s_i = exp(1/|o_i| sum_t log w_it) for every token     GSPO, arXiv 2507.18071, eq. 7
                sequence_token  the value s_i, the gradient s_i grad log pi(o_it): GSPO-token, eq. 14, for
                                advantages that differ within an answer; with one per answer it equals `sequence`
    clip        none            w A
                symmetric       min(w A, clip(w, 1 - low, 1 + low) A)                 PPO, arXiv 1707.06347, eq. 7
                higher          two bounds                                            DAPO, arXiv 2503.14476, 3.1
                dual            and never below dual_delta A where A < 0              arXiv 1912.09729
                cispo           sg(min(w, 1 + high)) A log pi                         MiniMax-M1, 2506.13585, eq. 4, 5
    correction  token_truncate  the term times min(v_it, cap)                         truncated importance sampling
                token_mask      times v_it where v_it <= cap, else 0
                sequence_*      the same with prod_t v_it for every token of an answer
    off-policy  answers with A < 0 and 1/|o_i| sum_t log(pi_sampler / pi) > threshold leave the policy term
                                                                                      DeepSeek-V3.2, 2512.02556, eq. 9

Truncated importance sampling: Yao et al. 2025, "Your Efficient RL Framework Secretly Brings You Off-Policy RL
Training" (fengyao.notion.site/off-policy-rl), after Ionides 2008. TRL calls the four modes by these names
(`vllm_importance_sampling_mode`).

Shapes: N answers, T positions; nothing here looks at what stands outside mask_NT.

Trade-offs. A clip drops the tokens whose probability moved furthest, and among them the rare ones that began a better
answer. CISPO keeps every token and bounds its weight instead, but nothing then limits how far the policy moves. The
ratio of a token corrects that token and not the prefix before it. The product over an answer is exact, but its variance
grows with the length, so it is truncated, and that is a bias. `minids dev exact` prints figures.

Left out: bounds from below for CISPO (M1 uses none) and for the correction; SAPO, VESPO, geometric masks; keeping
the sampler's routing and truncation masks (V3.2, section 3.1), which here are the same by construction.
"""

import torch

from minids.errors import MinidsError

RATIOS = {  # {value of the setting: what it means}
    "token": "w, the token's own (PPO, DeepSeekMath)",
    "sequence": "one for all tokens of an answer, the geometric mean of theirs (GSPO)",
    "sequence_token": "the value of `sequence`, with the gradient of the token (GSPO-token)",
}
CLIPS = {
    "none": "w A",
    "symmetric": "min(w A, clip(w, 1 - clip_low, 1 + clip_low) A) (PPO)",
    "higher": "the same between 1 - clip_low and 1 + clip_high (DAPO)",
    "dual": "as higher (clip_high None: as symmetric), and never below dual_delta A where A < 0",
    "cispo": "min(w, 1 + clip_high) A log p, the weight without a gradient (MiniMax-M1)",
}
CORRECTIONS = {
    "none": "the sampler is the policy of old_logp_NT",
    "token_truncate": "a token's term times min(v, correction_cap), v = p_old / p_sampler of the token",
    "token_mask": "times v where v <= correction_cap, else 0",
    "sequence_truncate": "as token_truncate, with the product of the answer's v for each of its tokens",
    "sequence_mask": "as token_mask, with that product",
}


def sequence_log_ratio(log_ratio_NT: torch.Tensor, length_N1: torch.Tensor, ratio: str) -> torch.Tensor:
    """log w_it, 0 outside the mask -> the logarithm of the ratio that the loss uses: [N, T]."""
    if ratio == "token":
        return log_ratio_NT
    mean_NT = (log_ratio_NT.sum(1, keepdim=True) / length_N1).expand_as(log_ratio_NT)
    if ratio == "sequence":
        return mean_NT
    return mean_NT.detach() + (log_ratio_NT - log_ratio_NT.detach())


def surrogate(ratio_NT, adv_NT, logp_NT, clip, low, high, dual_delta):
    """The term that a step maximises, for each token: [N, T].

    With w the ratio and A the advantage, [lower, upper] = [1 - low, 1 + high]:

        none                w A
        symmetric, higher   min(w A, clip(w, lower, upper) A)
        dual                the same, and where A < 0 never below dual_delta A
        cispo               min(w, upper) A log pi: the weight is a constant, the gradient is that of `logp_NT`
    """
    if clip == "cispo":
        return ratio_NT.clamp(max=1 + high).detach() * adv_NT * logp_NT
    gain_NT = ratio_NT * adv_NT
    if clip != "none":
        gain_NT = torch.minimum(gain_NT, ratio_NT.clamp(1 - low, 1 + high) * adv_NT)
    if clip == "dual":
        gain_NT = torch.where(adv_NT < 0, torch.maximum(gain_NT, dual_delta * adv_NT), gain_NT)
    return gain_NT


def sampler_weights(
    old_logp_NT: torch.Tensor, sampler_logp_NT: torch.Tensor, mask_NT: torch.Tensor, correction: str, cap: float
) -> torch.Tensor:
    """The weight of each token's term where another policy sampled it: [N, T], without gradient."""
    log_NT = torch.where(mask_NT, old_logp_NT - sampler_logp_NT, 0.0).detach()
    if correction.startswith("sequence"):
        log_NT = log_NT.sum(1, keepdim=True).expand_as(log_NT)
    weight_NT = log_NT.exp()
    if correction.endswith("truncate"):
        return weight_NT.clamp(max=cap)
    return torch.where(weight_NT > cap, 0.0, weight_NT)


def off_policy_mask(
    logp_NT: torch.Tensor,
    sampler_logp_NT: torch.Tensor,
    adv_NT: torch.Tensor,
    mask_NT: torch.Tensor,
    length_N1: torch.Tensor,
    threshold: float,
) -> torch.Tensor:
    """V3.2's mask [N, T]: False for tokens of negative advantage in answers that are off-policy by more than this."""
    log_NT = torch.where(mask_NT, sampler_logp_NT - logp_NT, 0.0).detach()
    drift_N1 = log_NT.sum(1, keepdim=True) / length_N1
    return (adv_NT >= 0) | (drift_N1 <= threshold)


@torch.no_grad()
def clip_fractions(
    ratio: torch.Tensor, adv: torch.Tensor, clip: str, low: float, high: float, dual_delta: float | None
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Which of the tokens [M] the clip acts on, from below, above, and by the dual bound: three masks [M]."""
    never = torch.zeros_like(adv, dtype=torch.bool)
    if clip == "none":
        return never, never, never
    if clip == "cispo":  # these lose a part of their weight, not their gradient
        return never, (ratio > 1 + high) & (adv != 0), never
    bound = (ratio > dual_delta) & (adv < 0) if clip == "dual" else never
    return (ratio < 1 - low) & (adv < 0), (ratio > 1 + high) & (adv > 0), bound


def check_clip(clip: str, clip_low: float, clip_high: float | None, dual_delta: float | None) -> None:
    """Refuses bounds that do not fit the clip."""
    if clip == "symmetric" and clip_high not in (None, clip_low):
        raise MinidsError(
            f"grpo: clip='symmetric' with clip_low={clip_low} and clip_high={clip_high}; "
            "use clip='higher' for two different bounds"
        )
    if clip == "higher" and clip_high is None:
        raise MinidsError("grpo: clip='higher' needs clip_high (DAPO uses 0.28 with clip_low=0.2)")
    if clip == "cispo" and clip_high is None:
        raise MinidsError("grpo: clip='cispo' needs clip_high: a token's weight is at most 1 + clip_high")
    high = clip_low if clip_high is None else clip_high
    if clip == "dual" and not (dual_delta and dual_delta > 1 + high):
        raise MinidsError(f"grpo: clip='dual' needs dual_delta above 1 + clip_high = {1 + high}, got {dual_delta}")
    if clip != "dual" and dual_delta is not None:
        raise MinidsError(f"grpo: dual_delta={dual_delta} has no effect with clip={clip!r}; use clip='dual'")


def check_correction(correction: str, cap: float | None) -> None:
    """Refuses a cap that does not fit the correction."""
    if correction == "none" and cap is not None:
        raise MinidsError(
            f"grpo: correction_cap={cap} has no effect with correction='none'; "
            f"choose one of {', '.join(list(CORRECTIONS)[1:])}"
        )
    if correction != "none" and cap is None:
        raise MinidsError(
            f"grpo: correction={correction!r} needs correction_cap above 0, the largest weight of a token, got None"
        )
