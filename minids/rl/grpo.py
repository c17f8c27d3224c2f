"""Losses of group-relative policy optimisation: one function, every published variant a setting.

For each question q, G answers o_i are sampled from the policy at that moment (the old policy) and rewarded
with r_i. With w_it = pi(o_it) / pi_old(o_it) and A_i the advantage, one optimizer step minimises

    L = - agg_it [ min( w_it A_i, clip(w_it, 1 - clip_low, 1 + clip_high) A_i ) ] + kl_coef agg_it [ k_it ]

    advantage   A_i = (r_i - mean(r)) / (std(r) + eps)        DeepSeekMath, arXiv 2402.03300, eq. 3
                A_i = r_i - mean(r)                           Dr. GRPO, arXiv 2503.20783, section 3
                A_i = r_i - mean of the G-1 others            RLOO, arXiv 2402.14740
    agg         sequence_mean   1/N sum_i 1/|o_i| sum_t       DeepSeekMath eq. 3
                token_mean      1/(sum_i |o_i|) sum_i sum_t   DAPO, arXiv 2503.14476, section 3.3
                constant        1/(N C) sum_i sum_t           Dr. GRPO, section 3
    k_it        k1, k2, k3, see `kl_estimate`; with kl_unbiased times w_it, the gradient of which belongs to it
                (DeepSeek-V3.2, arXiv 2512.02556, eq. 7)

What matters only after the ratios have left 1 is in `importance_sampling`: which ratio, which clip, a sampler that is
another policy, answers that are off-policy. R1 (arXiv 2501.12948, eq. 1) writes the ratio of whole answers, without
1/|o_i|; DeepSeekMath's eq. 3 and the libraries use the token's, the default here. `presets` has the settings of each
paper by name.

Shapes: N answers (group after group), T answer positions, padded on the right. mask_NT is 1 on the tokens
that the policy chose: the answer INCLUDING its stop token. Leaving the stop token out is the classic mistake:
the policy then never learns when to stop, and the gradient is wrong (`minids dev exact` prints
how wrong).

Trade-offs. 1/|o_i| and 1/std make the step size even across answers and questions but bias the gradient of
the expected reward (long wrong answers are punished less, easy and hard questions weigh more); mean baseline
with constant aggregation gives exactly (G-1)/G times the true gradient, leave-one-out the gradient itself. On
the first optimizer step of a batch w = 1, so clipping acts only from the second step on.

Left out: a critic, SAPO, entropy bonuses; reward shaping by length belongs to the reward (`shaping`).
"""

import functools
import inspect
import math
import textwrap
from dataclasses import asdict, dataclass, fields, replace

import torch

from minids.errors import MinidsError
from minids.model import sampling
from minids.rl import importance_sampling
from minids.settings import Settings, manual, refuse_unknown, setting

AGGREGATIONS = {  # {value of the setting: what it means}
    "sequence_mean": "mean over answers of each answer's mean over its tokens (DeepSeekMath)",
    "token_mean": "mean over all tokens of the batch (DAPO)",
    "constant": "sum over tokens / (answers * constant) (Dr. GRPO)",
}
ratios = importance_sampling  # answers to the exercise of earlier versions call it so
RATIOS, CLIPS, CORRECTIONS = importance_sampling.RATIOS, importance_sampling.CLIPS, importance_sampling.CORRECTIONS
KL_MEANS = {
    "none": "no reference, no KL",
    "k1": "x = log p - log p_ref: unbiased, but its gradient is zero on average",
    "k2": "x^2 / 2: its gradient is that of KL(p || p_ref)",
    "k3": "exp(-x) + x - 1: unbiased, never negative (DeepSeekMath)",
}
KLS = tuple(KL_MEANS)
BASELINES = {
    "mean": "the mean of the group (DeepSeekMath)",
    "loo": "the mean of the others in the group (leave one out)",
    "none": "nothing",
}
SCALES = {
    "std": "the standard deviation of the group's rewards (DeepSeekMath)",
    "batch": "that of all rewards of the batch",
    "none": "nothing (Dr. GRPO)",
}


def _choose(name, value, allowed):
    if value not in allowed:
        raise MinidsError(f"grpo: {name}={value!r} is not one of {', '.join(allowed)}")


def advantages(rewards_N, group_size, *, baseline="mean", scale="std", ddof=1, eps=1e-4):
    """Rewards -> (adv_N, informative_N): how much better each answer was than its group expects.

    rewards_N holds the groups one after another, `group_size` answers to a question. baseline: mean, loo
    (mean of the others in the group), none. scale: std (of the group), batch (of all rewards), none. Standard
    deviations use N - ddof and get `eps` added; ddof=1 and eps=1e-4 are TRL's convention. DeepSeekMath does
    not say which it used; ddof=0 makes scores sqrt(G/(G-1)) larger.

    informative_N is False where all rewards of a group are equal. Such a group says nothing about what to
    prefer: its advantages are exactly 0 with the mean and loo baselines (not rounding noise divided by eps).
    Rewards of another number type than float count as float32. Raises MinidsError for settings that are not named
    here, loo in groups of one, rewards that do not divide into groups, and a reward that is not finite.
    """
    # `_groups` refuses what makes no groups, and gives the rewards as a table: a row for each question
    rewards_PG = _groups(rewards_N, group_size, baseline, scale, ddof)
    informative_P1 = rewards_PG.amax(1, keepdim=True) > rewards_PG.amin(1, keepdim=True)
    mean_P1 = rewards_PG.mean(1, keepdim=True)
    adv_PG = rewards_PG if baseline == "none" else rewards_PG - mean_P1
    # the mean of the others is (G mean - r_i) / (G - 1): what is left of r_i without it is a multiple of r_i - mean
    if baseline == "loo":
        adv_PG = adv_PG * (group_size / (group_size - 1))
    # `_std` gives the standard deviation of each row
    if scale == "std":
        adv_PG = adv_PG / (_std(rewards_PG, ddof) + eps)
    elif scale == "batch":
        adv_PG = adv_PG / (_std(rewards_PG.reshape(1, -1), ddof) + eps)
    if baseline != "none":
        adv_PG = torch.where(informative_P1, adv_PG, 0.0)
    # both as one row again, group after group
    return adv_PG.reshape(-1), informative_P1.expand_as(rewards_PG).reshape(-1)


def _groups(rewards_N, group_size, baseline="mean", scale="std", ddof=1):
    """The rewards as [P, G], a row for each question, after refusing what `advantages` cannot work with."""
    _choose("baseline", baseline, BASELINES)
    _choose("scale", scale, SCALES)
    if ddof not in (0, 1):
        raise MinidsError(f"grpo: ddof={ddof!r} is not 0 or 1")
    rewards_N = torch.as_tensor(rewards_N)
    if not rewards_N.is_floating_point():
        rewards_N = rewards_N.float()
    if rewards_N.dim() != 1 or group_size < 1 or rewards_N.numel() % group_size:
        raise MinidsError(
            f"grpo: rewards of shape {tuple(rewards_N.shape)} do not divide into groups of "
            f"{group_size}; pass one reward per answer, group after group"
        )
    if baseline == "loo" and group_size < 2:
        raise MinidsError("grpo: baseline='loo' needs a group_size of at least 2")
    if not rewards_N.isfinite().all():
        raise MinidsError("grpo: a reward is not a finite number; check the reward function")
    return rewards_N.view(-1, group_size)


def _std(x_PG, ddof):
    """Standard deviation of each row; a row of one has none, which counts as 0."""
    n = x_PG.shape[1]
    variance_P1 = (x_PG - x_PG.mean(1, keepdim=True)).square().sum(1, keepdim=True) / max(n - ddof, 1)
    return variance_P1.sqrt()


def token_logps(
    logits_NTV: torch.Tensor, ids_NT: torch.Tensor, *, temperature: float = 1.0, top_k: int = 0, top_p: float = 1.0
) -> torch.Tensor:
    """log-probability [N, T] of each id under the distribution it was SAMPLED from.

    logits_NTV[n, t] must be the logits that predict ids_NT[n, t]. The settings are those of the sampler:
    scoring the plain softmax of answers drawn at another temperature or with truncation is a different
    policy's gradient.

    A sampled token counts as kept even where rounding differences between sampler and training forward push
    it just outside top-k or top-p: its log-probability stays finite.
    """
    warped_NTV = sampling.warp_logits(logits_NTV, temperature, top_k, top_p)
    index_NT1 = ids_NT.unsqueeze(-1)
    if top_k > 0 or top_p < 1:
        sampled_NT1 = logits_NTV.gather(-1, index_NT1).to(warped_NTV.dtype) / temperature
        warped_NTV = warped_NTV.scatter(-1, index_NT1, sampled_NT1)
    # z - logsumexp(z) needs no second [N, T, V] tensor, log_softmax does.
    return warped_NTV.gather(-1, index_NT1).squeeze(-1) - warped_NTV.logsumexp(-1)


def kl_estimate(logp, ref_logp, kind):
    """Per-token estimates of KL(pi || ref) from tokens of pi, with x = log pi - log ref (Schulman 2020,
    "Approximating KL Divergence").

        k1 = x                 unbiased, can be negative
        k2 = x^2 / 2           biased, never negative
        k3 = exp(-x) + x - 1   unbiased, never negative; DeepSeekMath eq. 4

    That is about their values. Used as a loss on tokens drawn from pi, what counts is the gradient at a given
    prefix (arXiv 2506.09477): k2's is the gradient of KL(pi || ref), k3's that of the reverse direction
    KL(ref || pi), and k1's is zero on average. Raises MinidsError for another kind.
    """
    _choose("kl", kind, KLS[1:])
    x = logp - ref_logp
    if kind == "k1":
        return x
    if kind == "k2":
        return 0.5 * x.square()
    return torch.exp(-x) + x - 1


def count_units(
    mask_NT: torch.Tensor,
    aggregation: str,
    *,
    informative_N: torch.Tensor | None = None,
    skip_zero_variance: bool = False,
    finished_N: torch.Tensor | None = None,
    mask_truncated: bool = False,
) -> float:
    """The denominator that `grpo_loss` uses for this batch: tokens for token_mean, else answers.

    Sum it over the micro-batches and processes of an optimizer step and pass it to each as `normalizer`.
    """
    _choose("aggregation", aggregation, AGGREGATIONS)
    mask_NT, kept_N = _used(mask_NT, informative_N, skip_zero_variance, finished_N, mask_truncated)
    return float(mask_NT.sum() if aggregation == "token_mean" else kept_N.sum())


def _used(mask_NT, informative_N, skip_zero_variance, finished_N, mask_truncated):
    """The tokens that enter the loss, and the answers that are counted."""
    if skip_zero_variance and informative_N is None:
        raise MinidsError("grpo: skip_zero_variance=True needs informative_N, as advantages() returns it")
    if mask_truncated and finished_N is None:
        raise MinidsError("grpo: mask_truncated=True needs finished_N, False for answers that were cut off")
    for name, flags_N in (("informative_N", informative_N), ("finished_N", finished_N)):
        if flags_N is not None and (shape := tuple(torch.as_tensor(flags_N).shape)) != (mask_NT.shape[0],):
            raise MinidsError(f"grpo: {name} {shape} must be [{mask_NT.shape[0]}], a truth value for each answer")
    mask_NT = mask_NT.bool()
    kept_N = torch.ones(mask_NT.shape[0], dtype=torch.bool, device=mask_NT.device)
    if skip_zero_variance:
        kept_N = torch.as_tensor(informative_N, device=mask_NT.device).bool()
        mask_NT = mask_NT & kept_N[:, None]
    if mask_truncated:
        mask_NT = mask_NT & torch.as_tensor(finished_N, device=mask_NT.device).bool()[:, None]
    return mask_NT, kept_N


@dataclass(frozen=True)
class LossConfig(Settings):
    """The settings of `grpo_loss`. What is unknown or does not fit together is refused when one is made."""

    SHOWN = "grpo: {name}={value}"
    # those that compare the policy with another one: the reference, or the sampler
    OTHERS = ("kl", "kl_coef", "kl_unbiased", "correction", "correction_cap", "off_policy_threshold")

    aggregation: str = setting("token_mean", "what the tokens' terms are divided by", choices=AGGREGATIONS)
    constant: float | None = setting(
        None, 'C of aggregation "constant": the longest answer allowed, in tokens (Dr. GRPO)', above=0
    )
    ratio: str = setting("token", "which ratio of new to old policy a token's term has", choices=RATIOS)
    clip: str = setting("symmetric", "how far a ratio may take the policy in one batch", choices=CLIPS)
    clip_low: float = setting(0.2, "the ratio's lower bound is 1 - clip_low", above=0)
    clip_high: float | None = setting(
        None,
        'its upper bound is 1 + clip_high; None: as clip_low. "symmetric" has one bound; "higher" and "dual" use both, '
        '"cispo" this one, "none" neither',
        above=0,
    )
    dual_delta: float | None = setting(
        None, 'with clip "dual": bound on the ratio where the advantage is negative, above 1 + clip_high', above=1
    )
    kl: str = setting("none", "estimate of the KL to the reference (`kl_estimate`)", choices=KL_MEANS)
    kl_coef: float = setting(0.0, "weight of that KL; with 0 it is logged and does not pull", least=0)
    kl_unbiased: bool = setting(
        False,
        "the KL estimate times the token's ratio, whatever `ratio` is: its gradient is then that of KL(pi || ref) on "
        "any step of the batch (with k1 or k3; V3.2 eq. 7)",
    )
    correction: str = setting("none", "weights for a sampler that is another policy", choices=CORRECTIONS)
    correction_cap: float | None = setting(None, "the largest of these weights", above=0)
    off_policy_threshold: float | None = setting(
        None,
        "answers of negative advantage that are less likely by more than this, in nats per token, than when they were "
        "sampled leave the policy term; they still count in the denominator (as in TRL)",
        above=0,
    )
    skip_zero_variance: bool = setting(
        False,
        "rows with informative_N False are treated as if they were not in the batch: no KL, not counted in the "
        "denominator (without it they count, as in TRL, and KL pulls on them)",
    )
    mask_truncated: bool = setting(
        False, "rows with finished_N False lose all their tokens and still count as answers (as in TRL)"
    )

    def contradictions(self) -> None:
        importance_sampling.check_clip(self.clip, self.clip_low, self.clip_high, self.dual_delta)
        importance_sampling.check_correction(self.correction, self.correction_cap)
        if self.aggregation == "constant" and self.constant is None:
            raise MinidsError("grpo: aggregation='constant' needs constant=, the longest answer in tokens")
        if self.aggregation != "constant" and self.constant is not None:
            raise MinidsError(
                f"grpo: constant={self.constant} has no effect with aggregation={self.aggregation!r}; leave it out, or "
                "choose aggregation='constant'"
            )
        if self.kl == "none" and self.kl_coef:
            raise MinidsError(f"grpo: kl_coef={self.kl_coef} has no effect with kl='none'; choose k1, k2 or k3")
        if self.kl_unbiased and self.kl not in ("k1", "k3"):
            raise MinidsError(
                f"grpo: kl_unbiased=True does not fit kl={self.kl!r}: it needs an estimate "
                "whose mean is the KL, k1 or k3"
            )

    @property
    def bounds(self) -> tuple[float, float]:
        """The clip's (low, high)."""
        return self.clip_low, self.clip_low if self.clip_high is None else self.clip_high

    def keywords(self) -> dict:
        """The settings as keywords of `grpo_loss`."""
        return asdict(self)

    def policy_term(self) -> "LossConfig":
        """The same loss without what compares the policy with another one than the old."""
        usual = LossConfig()
        return replace(self, **{name: getattr(usual, name) for name in self.OTHERS})


def loss_config(config: LossConfig | None = None, settings: dict | None = None) -> LossConfig:
    """A LossConfig, the usual one if None, with some settings changed. Another aggregation than "constant" leaves the
    config's `constant` behind."""
    settings = settings or {}
    if settings.get("aggregation", "constant") != "constant":
        settings = {"constant": None, **settings}
    refuse_unknown(settings, {f.name for f in fields(LossConfig)}, "grpo_loss")
    return replace(config, **settings) if config else LossConfig(**settings)


def check_settings(**settings: object) -> tuple[float, float]:
    """The clip's (low, high), after refusing settings that do not fit together; other keywords are passed over."""
    known = {f.name for f in fields(LossConfig)}
    return LossConfig(**{name: value for name, value in settings.items() if name in known}).bounds


def grpo_loss(
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
    """The scalar to minimise, and what to log. The equations are at the top of this module and of importance_sampling.

    logp_NT       log-probabilities of the sampled tokens under the policy being trained (with gradient)
    old_logp_NT   the same under the policy at the start of the batch: recorded once, kept for every step on it; no
                  gradient flows into it, nor into ref_logp_NT and sampler_logp_NT
    adv_N         advantages (also [N, T])
    mask_NT       1 or True on answer tokens, stop token included; what stands elsewhere is never used
    config        a LossConfig; its fields are keywords too: grpo_loss(…, clip="higher", clip_high=0.28)
    ref_logp_NT   log-probabilities under the reference, for the KL
    sampler_logp_NT
                  log-probabilities as the sampler says it drew them, if that was not the policy of old_logp_NT;
                  used by correction and off_policy_threshold. None: old_logp_NT
    informative_N, finished_N
                  which answers skip_zero_variance and mask_truncated keep
    normalizer    the denominator of the whole optimizer step (`count_units` summed over micro-batches and
                  processes); the losses of the parts then add up to that of the whole. None: this is the
                  whole

    Returns (loss, metrics), metrics as floats over the tokens used: tokens, sequences, ratio_mean/_min/_max,
    approx_kl (k3 to the old policy), clip_fraction (tokens that the clip acts on: their gradient is gone, with
    "cispo" a part of their weight) and its low, high and dual parts, kl (to the reference, if used), policy_loss;
    with a correction its mean weight (correction_mean), with a threshold the share of tokens left out
    (off_policy_fraction). Raises MinidsError for unknown settings and for what does not fit together.
    """
    # 1  the settings, from `loss_config`, which refuses what does not fit together; `bounds` are those of the clip
    c = loss_config(config, settings)
    low, high = c.bounds
    _check_tensors(
        logp_NT, old_logp_NT, mask_NT, ref_logp_NT, sampler_logp_NT, c.kl, c.correction, c.off_policy_threshold, adv_N
    )

    # 2  which tokens enter the loss, and which answers are counted: `_used`
    mask_NT, kept_N = _used(mask_NT, informative_N, c.skip_zero_variance, finished_N, c.mask_truncated)
    adv_NT = (adv_N[:, None] if adv_N.dim() == 1 else adv_N).to(logp_NT.dtype).expand_as(logp_NT)
    weight_NT = mask_NT.to(logp_NT.dtype)
    length_N1 = weight_NT.sum(1, keepdim=True).clamp(min=1)

    # 3  the policy term: log of the ratio, what the loss makes of it (`sequence_log_ratio`), the clip
    #    (`surrogate`), and weights against another sampler (`_trusted`).
    #    Padding may hold anything: it is replaced before exp, so that neither value nor gradient can become NaN.
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

    # 4  the pull back to the reference, by `kl_estimate`
    kl_NT = None
    if c.kl != "none":
        x_NT = torch.where(mask_NT, logp_NT - ref_logp_NT.detach(), 0.0)
        kl_NT = kl_estimate(x_NT, 0.0, c.kl)
        if c.kl_unbiased:
            kl_NT = token_log_ratio_NT.exp() * kl_NT
        loss_NT = loss_NT + c.kl_coef * kl_NT

    # 5  one number: a weight for each token, and one denominator for the whole step
    if c.aggregation == "sequence_mean":
        weight_NT = weight_NT / length_N1
    if normalizer is None:
        normalizer = float(mask_NT.sum() if c.aggregation == "token_mean" else kept_N.sum())
    denominator = max(float(normalizer), 1.0) * (c.constant if c.aggregation == "constant" else 1)
    loss = (torch.where(mask_NT, loss_NT, 0.0) * weight_NT).sum() / denominator

    # 6  what to log: `_metrics`, and the policy term without the KL
    policy_loss = -(torch.where(mask_NT, gain_NT, 0.0) * weight_NT).sum().detach() / denominator
    metrics = _metrics(log_ratio_NT, adv_NT, mask_NT, c.clip, low, high, c.dual_delta, kl_NT)
    return loss, {**metrics, **more, "sequences": float(kept_N.sum()), "policy_loss": policy_loss.item()}


class NotANumber(MinidsError):
    """The loss of a batch is NaN because one of its tensors is."""


def _guarded(loss_function):
    """`grpo_loss` with the checks of values. They look at the numbers that it returns anyway, and cost nothing."""

    @functools.wraps(loss_function)
    def guarded(logp_NT, old_logp_NT, adv_N, mask_NT, config=None, *, normalizer=None, **more):
        if normalizer is not None:
            normalizer = _denominator(normalizer)
        given = () if config is None else (config,)  # who wrote the loss in chapter 11 may have left it out
        loss, metrics = loss_function(logp_NT, old_logp_NT, adv_N, mask_NT, *given, normalizer=normalizer, **more)
        if normalizer is not None and normalizer < 1 and metrics.get("tokens"):
            raise MinidsError(
                f"grpo: normalizer={normalizer:g} is less than the one answer or token that this batch alone has; pass "
                "count_units summed over the optimizer step, or leave it out"
            )
        if math.isnan(metrics.get("policy_loss", 0.0)) or math.isnan(metrics.get("kl", 0.0)):
            _name_what_is_not_finite(mask_NT.bool(), logp=logp_NT, old_logp=old_logp_NT, adv=adv_N, **more)
        return loss, metrics

    return guarded


def _denominator(normalizer):
    try:
        value = float(normalizer)
    except (TypeError, ValueError, RuntimeError):
        value = math.nan
    if not 0 <= value < math.inf:
        shown = repr(normalizer)[:60]
        raise MinidsError(f"grpo: normalizer={shown} is not a number of 0 or more; count_units gives one")
    return value


def _name_what_is_not_finite(mask_NT, **tensors):
    """Raises NotANumber with the first tensor that is not finite where the mask is 1, if one is."""
    for name, x in tensors.items():
        if isinstance(x, torch.Tensor) and x.is_floating_point():
            wrong_NT = ~(x[:, None] if x.dim() == 1 else x).isfinite().expand_as(mask_NT) & mask_NT
            if wrong_NT.any():
                n, t = wrong_NT.nonzero()[0].tolist()
                value = float(x[n] if x.dim() == 1 else x[n, t])
                raise NotANumber(
                    f"grpo: the loss is NaN: {name.removesuffix('_NT')} is {value} at answer {n}, position {t}, "
                    "a token that mask_NT counts"
                )


_MANUAL = """
Shapes. N answers, group after group, T positions, padded on the right; any floating type, one device.

    logp_NT, old_logp_NT, ref_logp_NT, sampler_logp_NT    float [N, T], in nats; 0 or less, but for
                                                          rounding, which is not checked
    mask_NT                                               bool, or 0 and 1, [N, T]
    adv_N                                                 float [N], or [N, T] for advantages of tokens
    informative_N, finished_N                             bool [N]
    normalizer                                            a number of 1 or more; 0 only if no token is used
    loss                                                  float []; its gradient goes into logp_NT alone

informative_N and finished_N may always be given, as the training loop does: without skip_zero_variance and
mask_truncated they change nothing. So may kl_coef 0: the KL is then a metric alone. ref_logp_NT and sampler_logp_NT
without a setting that uses them are refused.

A mask without any token, given or left by skip_zero_variance and mask_truncated (a micro-batch of answers that were
all cut off), makes a loss of 0 with a gradient of 0, and metrics["tokens"] is 0.

Example: two questions with two answers each, of which the first is right.

    import torch
    from minids import grpo_loss
    from minids.rl.grpo import advantages

    adv_N, informative_N = advantages(torch.tensor([1.0, 0.0, 1.0, 0.0]), group_size=2)
    logp_NT = torch.full((4, 6), -1.0, requires_grad=True)
    mask_NT = torch.arange(6) < torch.tensor([6, 4, 3, 6])[:, None]
    loss, metrics = grpo_loss(logp_NT, logp_NT.detach(), adv_N, mask_NT, clip="higher", clip_high=0.28)
    loss.backward()

Settings, as keywords or as a LossConfig; w is p / p_old of a token, A its advantage:

{settings}

Errors. MinidsError for an unknown setting (with the nearest name), a value that it cannot have, settings that need or
exclude each other, a tensor that a setting needs and that is missing, any shape or normalizer but those above, and
a loss that is NaN because a tensor is not finite where the mask is 1; the message names the setting or tensor.
"""
if grpo_loss.__doc__:  # not with python -OO
    _settings = textwrap.indent(manual(LossConfig), "    ")
    grpo_loss.__doc__ = inspect.cleandoc(grpo_loss.__doc__) + "\n" + _MANUAL.replace("{settings}", _settings)
grpo_loss = _guarded(grpo_loss)  # the exercise is the function above; an answer to it takes the place of both


def _check_tensors(
    logp_NT, old_logp_NT, mask_NT, ref_logp_NT, sampler_logp_NT, kl, correction, off_policy_threshold, adv_N=None
):
    """Refuses tensors that are missing, that nothing uses, or that do not belong together. An answer to the exercise
    of earlier versions does not give `adv_N`."""
    if kl != "none" and ref_logp_NT is None:
        raise MinidsError(f"grpo: kl={kl!r} needs ref_logp_NT, the reference model's log-probabilities")
    if ref_logp_NT is not None and kl == "none":
        raise MinidsError("grpo: ref_logp_NT has no effect with kl='none'; choose k1, k2 or k3, or leave it out")
    if correction != "none" and sampler_logp_NT is None:
        raise MinidsError(f"grpo: correction={correction!r} needs sampler_logp_NT, the sampler's log-probabilities")
    if sampler_logp_NT is not None and correction == "none" and off_policy_threshold is None:
        raise MinidsError("grpo: sampler_logp_NT has no effect without correction or off_policy_threshold")
    others = {"ref_logp": ref_logp_NT, "sampler_logp": sampler_logp_NT}
    whole = {"logp": logp_NT, "old_logp": old_logp_NT, "mask": mask_NT}
    whole |= {name: x for name, x in others.items() if x is not None}
    for name, x in {**whole, "adv": adv_N}.items():
        if x is not None and not isinstance(x, torch.Tensor):
            raise MinidsError(f"grpo: {name} must be a tensor, got a {type(x).__name__}; use torch.tensor(…)")
    if logp_NT.dim() != 2 or len({x.shape for x in whole.values()}) > 1:
        shown = ", ".join(f"{name} {tuple(x.shape)}" for name, x in whole.items())
        raise MinidsError(f"grpo: {shown} must have one shape [answers, positions]")
    if adv_N is not None and adv_N.shape not in (logp_NT.shape, logp_NT.shape[:1]):
        N, T = logp_NT.shape
        raise MinidsError(
            f"grpo: adv {tuple(adv_N.shape)} must be [{N}], an advantage for each answer, or [{N}, {T}], one for each "
            "token, as logp is"
        )
    if mask_NT.dtype != torch.bool and not ((mask_NT == 0) | (mask_NT == 1)).all():
        raise MinidsError("grpo: mask holds other numbers than 0 and 1; it says which tokens count, not how much")


def _trusted(
    gain_NT,
    logp_NT,
    old_logp_NT,
    sampler_logp_NT,
    adv_NT,
    mask_NT,
    length_N1,
    correction,
    correction_cap,
    off_policy_threshold,
):
    """The policy term after what is left out or weighed because another policy sampled it, and what to log of that."""
    more, sampler_NT = {}, old_logp_NT if sampler_logp_NT is None else sampler_logp_NT
    if off_policy_threshold is not None:
        kept_NT = importance_sampling.off_policy_mask(
            logp_NT, sampler_NT, adv_NT, mask_NT, length_N1, off_policy_threshold
        )
        gain_NT = torch.where(kept_NT, gain_NT, 0.0)
        more["off_policy_fraction"] = _mean((~kept_NT).float(), mask_NT)
    if correction != "none":
        trust_NT = importance_sampling.sampler_weights(old_logp_NT, sampler_NT, mask_NT, correction, correction_cap)
        gain_NT = gain_NT * trust_NT
        more["correction_mean"] = _mean(trust_NT, mask_NT)
    return gain_NT, more


@torch.no_grad()
def _mean(x_NT, mask_NT):
    return x_NT[mask_NT].mean().item() if mask_NT.any() else 0.0


@torch.no_grad()
def _metrics(log_ratio_NT, adv_NT, mask_NT, clip, low, high, dual_delta, kl_NT):
    log_ratio, adv = log_ratio_NT[mask_NT], adv_NT[mask_NT]
    ratio = log_ratio.exp()
    names = [
        "tokens",
        "ratio_mean",
        "ratio_min",
        "ratio_max",
        "approx_kl",
        "clip_low_fraction",
        "clip_high_fraction",
        "clip_dual_fraction",
    ]
    if not ratio.numel():
        return dict.fromkeys([*names, "clip_fraction", "kl"], 0.0)
    acted = importance_sampling.clip_fractions(ratio, adv, clip, low, high, dual_delta)
    values = [
        torch.tensor(float(ratio.numel())),
        ratio.mean(),
        ratio.min(),
        ratio.max(),
        (ratio - 1 - log_ratio).mean(),
        *(flag.float().mean() for flag in acted),
    ]
    metrics = dict(zip(names, torch.stack([v.double().cpu() for v in values]).tolist()))
    metrics["clip_fraction"] = sum(metrics[f"clip_{part}_fraction"] for part in ("low", "high", "dual"))
    metrics["kl"] = kl_NT[mask_NT].mean().item() if kl_NT is not None else 0.0
    return metrics
