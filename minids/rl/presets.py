"""Published settings of GRPO by name.

    grpo.preset = "dapo"                                   in a recipe; other keys of [grpo] override it
    preset("dapo") -> {"loss_aggregation": "token_mean", …}  settings of RLConfig

A preset is what a paper says about the loss, the advantage and the choice of answers. Learning rate, group size and the
number of steps on a batch are the caller's. What a paper leaves open is filled in here and named in `open`.
studies/compare_presets.py runs them side by side.

Left out: what is not a setting of the loss (R1's stages, M1's windows of length, V3.2's routing kept from the sampler).
"""

from dataclasses import dataclass

from minids.errors import MinidsError, did_you_mean


@dataclass(frozen=True)
class Preset:
    """One published recipe.

    title      its name in print
    source     paper, section or equation
    open       what the source leaves open, and what stands in its place here
    settings   {name: value} for RLConfig
    """

    title: str
    source: str
    open: str
    settings: dict


PRESETS = {
    "deepseekmath": Preset(
        "GRPO (DeepSeekMath)",
        "arXiv 2402.03300: eq. 3 (loss), eq. 4 (k3), section 4.2 (KL 0.04)",
        "no clip range given: 0.2, as in PPO (arXiv 1707.06347, section 6.1)",
        {
            "baseline": "mean",
            "scale": "std",
            "loss_aggregation": "sequence_mean",
            "ratio": "token",
            "clip": "symmetric",
            "clip_low": 0.2,
            "kl": "k3",
            "kl_coef": 0.04,
            "skip_zero_variance": False,
        },
    ),
    "r1": Preset(
        "R1",
        "arXiv 2501.12948: eq. 1-3; clip 10 and KL 0.001 from the training details of its RL stages",
        "eq. 1 has the ratio of whole answers; the token's here, as in DeepSeekMath",
        {
            "baseline": "mean",
            "scale": "std",
            "loss_aggregation": "sequence_mean",
            "ratio": "token",
            "clip": "symmetric",
            "clip_low": 10.0,
            "kl": "k3",
            "kl_coef": 0.001,
            "skip_zero_variance": False,
        },
    ),
    "dr_grpo": Preset(
        "Dr. GRPO",
        "arXiv 2503.20783: section 3 (neither 1/|o| nor 1/std, no KL)",
        "no clip range given: 0.2, as in PPO",
        {
            "baseline": "mean",
            "scale": "none",
            "loss_aggregation": "constant",
            "ratio": "token",
            "clip": "symmetric",
            "clip_low": 0.2,
            "kl": "none",
            "kl_coef": 0.0,
            "skip_zero_variance": False,
        },
    ),
    "dapo": Preset(
        "DAPO",
        "arXiv 2503.14476: sections 3.1 (clip-higher), 3.2 (dynamic sampling), 3.3 (token mean), "
        "3.4 (overlong), 4.1 (values)",
        "its rewards are -1 and 1, so the full length penalty of 1 is half the distance from wrong to right; rounds of "
        "dynamic sampling are bounded by 3",
        {
            "baseline": "mean",
            "scale": "std",
            "loss_aggregation": "token_mean",
            "ratio": "token",
            "clip": "higher",
            "clip_low": 0.2,
            "clip_high": 0.28,
            "kl": "none",
            "kl_coef": 0.0,
            "skip_zero_variance": True,
            "overlong_share": 0.2,
            "overlong_penalty": 0.5,
            "dynamic_rounds": 3,
        },
    ),
    "gspo": Preset(
        "GSPO",
        "arXiv 2507.18071: eq. 5-7, section 5.1 (clip 3e-4, 4e-4)",
        "the KL term is left out of its equations; none here",
        {
            "baseline": "mean",
            "scale": "std",
            "loss_aggregation": "sequence_mean",
            "ratio": "sequence",
            "clip": "higher",
            "clip_low": 3e-4,
            "clip_high": 4e-4,
            "kl": "none",
            "kl_coef": 0.0,
            "skip_zero_variance": False,
        },
    ),
    "cispo": Preset(
        "CISPO (MiniMax-M1)",
        "arXiv 2506.13585: section 3.1, eq. 4-5 (no lower bound, no KL, DAPO's dynamic sampling and length penalty)",
        "no upper bound given: a weight of at most 5, which TRL's documentation recommends after ScaleRL "
        "(arXiv 2510.13786); the rest as in dapo",
        {
            "baseline": "mean",
            "scale": "std",
            "loss_aggregation": "token_mean",
            "ratio": "token",
            "clip": "cispo",
            "clip_high": 4.0,
            "kl": "none",
            "kl_coef": 0.0,
            "skip_zero_variance": True,
            "overlong_share": 0.2,
            "overlong_penalty": 0.5,
            "dynamic_rounds": 3,
        },
    ),
    "v3.2": Preset(
        "DeepSeek-V3.2",
        "arXiv 2512.02556: section 3.1, eq. 5 (no 1/std), eq. 7 (unbiased KL), eq. 8-9 (off-policy sequences masked)",
        "no clip range, KL weight (it depends on the domain) or threshold given: 0.2, R1's 0.001, and 0.1 nats a token",
        {
            "baseline": "mean",
            "scale": "none",
            "loss_aggregation": "sequence_mean",
            "ratio": "token",
            "clip": "symmetric",
            "clip_low": 0.2,
            "kl": "k3",
            "kl_coef": 0.001,
            "kl_unbiased": True,
            "off_policy_threshold": 0.1,
            "skip_zero_variance": False,
        },
    ),
}


def preset(name: str) -> dict:
    """The settings of a published recipe, for RLConfig; an unknown name is refused with the nearest."""
    if not isinstance(name, str) or name not in PRESETS:
        hint = did_you_mean(name, PRESETS)
        raise MinidsError(f"grpo: there is no preset {name!r}.{hint} There are {', '.join(PRESETS)}.")
    return dict(PRESETS[name].settings)


def table() -> str:
    """The presets as a table in Markdown: one row each, then what each source says and leaves open."""
    columns = ("baseline", "scale", "loss_aggregation", "ratio", "clip", "kl", "and")
    lines = ["| preset | " + " | ".join(columns) + " |", "|---" * (len(columns) + 1) + "|"]
    for name, entry in PRESETS.items():
        s = entry.settings
        bounds = [f"{s[k]:g}" for k in ("clip_low", "clip_high") if k in s]
        kl = "none" if s["kl"] == "none" else f"{s['kl']}, {s['kl_coef']:g}"
        kl += ", unbiased" if s.get("kl_unbiased") else ""
        rest = [f"{k} {s[k]:g}" for k in ("overlong_share", "dynamic_rounds", "off_policy_threshold") if k in s]
        cells = [s["baseline"], s["scale"], s["loss_aggregation"], s["ratio"], f"{s['clip']} {', '.join(bounds)}", kl]
        lines.append(f"| {name} | " + " | ".join([*cells, ", ".join(rest)]) + " |")
    lines += ["", *(f"{e.title}: {e.source}. Open: {e.open}." for e in PRESETS.values())]
    return "\n".join(lines)
