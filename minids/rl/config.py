"""The settings of RL: what each may be, which of them are the loss's, and whether two runs have the same."""

import functools
from dataclasses import MISSING, asdict, dataclass, field, fields

from minids.errors import MinidsError
from minids.model import sampling
from minids.rl import grpo, presets
from minids.tasks import arithmetic
from minids.tasks.reward import Reward

CHOICES = {
    "baseline": ("mean", "loo", "none"),
    "scale": ("std", "batch", "none"),
    "aggregation": grpo.AGGREGATIONS,
    "clip": grpo.CLIPS,
    "kl": grpo.KLS,
    "style": ("tags", "plain"),
    "optimizer": ("adamw", "muon"),
    "random_reward": (False, True),
    "replay": (False, True),
    "ratio": grpo.RATIOS,
    "kl_unbiased": (False, True),
    "correction": grpo.CORRECTIONS,
}
POSITIVE = (
    "steps",
    "lr",
    "prompts",
    "group",
    "max_new_tokens",
    "temperature",
    "top_p",
    "minibatches",
    "epochs",
    "tokens_per_batch",
    "max_batch",
    "keep_last",
    "clip_low",
    "clip_high",
    "overlong_penalty",
)
LOSS = (
    "aggregation",
    "ratio",
    "clip",
    "clip_low",
    "clip_high",
    "dual_delta",
    "kl",
    "kl_coef",
    "kl_unbiased",
    "correction",
    "correction_cap",
    "off_policy_threshold",
    "skip_zero_variance",
    "mask_truncated",
)


@dataclass
class RLConfig:
    """The settings of a run. `preset` names a published recipe (family.PRESETS); other keys override what it sets."""

    steps: int
    lr: float
    warmup: int = 10
    prompts: int = 24
    group: int = 8
    max_new_tokens: int = 160
    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0
    minibatches: int = 2
    epochs: int = 1
    tokens_per_batch: int = 4096  # of one forward in the update, padding included
    max_batch: int = 256  # sequences sampled together
    baseline: str = "mean"
    scale: str = "std"
    aggregation: str = "token_mean"
    clip: str = "higher"
    clip_low: float = 0.2
    clip_high: float = 0.28
    dual_delta: float | None = None  # with clip = "dual": bound on the ratio where the advantage is negative
    kl: str = "none"
    kl_coef: float = 0.0
    skip_zero_variance: bool = True
    mask_truncated: bool = False
    reward: dict = field(default_factory=lambda: {"accuracy": 1.0, "format": 0.1})
    random_reward: bool = False
    style: str = "tags"
    optimizer: str = "adamw"
    weight_decay: float = 0.0
    betas: tuple[float, float] = (0.9, 0.95)
    grad_clip: float = 1.0
    sizes: dict | None = None  # {family: {size: weight}}: what is asked; None: as tasks.SIZES has it
    seed: int = 0
    save_every: int = 0
    keep_last: int = 2
    preset: str = ""
    ratio: str = "token"
    kl_unbiased: bool = False
    correction: str = "none"  # for a sampler that is not the policy that is trained; see ratios.py
    correction_cap: float | None = None
    off_policy_threshold: float | None = None
    overlong_share: float = 0.0  # of max_new_tokens: the stretch in which length costs, see shaping.py
    overlong_penalty: float = 1.0  # what an answer of max_new_tokens loses
    dynamic_rounds: int = 0  # how often groups whose rewards are all equal are replaced by another question's
    replay: bool = True  # keep what `minids replay` needs; record.py says how much that is

    def __post_init__(self):
        sampling.check_settings(self.temperature, self.top_k, self.top_p)
        self.betas = tuple(self.betas)
        if self.sizes is not None:
            self.sizes = {presets: arithmetic.check_sizes(presets, weights) for presets, weights in self.sizes.items()}
        for name, allowed in CHOICES.items():
            if getattr(self, name) not in allowed:
                shown = ", ".join(map(str, allowed))
                raise MinidsError(f"grpo setting {name} = {getattr(self, name)!r} is not one of {shown}")
        for name in POSITIVE:
            if not getattr(self, name) > 0:
                raise MinidsError(f"grpo setting {name} = {getattr(self, name)!r} must be above 0")
        for name in (
            "warmup",
            "top_k",
            "kl_coef",
            "weight_decay",
            "grad_clip",
            "save_every",
            "overlong_share",
            "dynamic_rounds",
        ):
            if not getattr(self, name) >= 0:
                raise MinidsError(f"grpo setting {name} = {getattr(self, name)!r} must not be below 0")
        for name in ("top_p", "overlong_share"):
            if getattr(self, name) > 1:
                raise MinidsError(f"grpo setting {name} = {getattr(self, name)!r} must be at most 1")
        if self.group < 2 and self.baseline != "none":
            raise MinidsError(
                f"grpo setting group = {self.group}: a group of one has nothing to be compared with; use at least 2"
            )
        dual = self.clip == "dual"
        if (dual and not (self.dual_delta or 0) > 1 + self.clip_high) or (not dual and self.dual_delta is not None):
            raise MinidsError(
                f"grpo settings clip = {self.clip!r} and dual_delta = {self.dual_delta!r} do not fit: "
                f'clip = "dual" needs a dual_delta above 1 + clip_high = {1 + self.clip_high:g}, the others none'
            )
        grpo.check_settings(**self.loss_settings())
        Reward(**self.reward, style=self.style)

    def loss_settings(self):
        """The keywords of `grpo.grpo_loss` that stay the same for a whole run."""
        settings = {name: getattr(self, name) for name in LOSS}
        if self.clip in ("none", "symmetric"):
            settings["clip_high"] = None
        if self.aggregation == "constant":
            settings["constant"] = self.max_new_tokens
        return settings


def _with_preset(init):
    """Fills in what a preset says and the caller does not."""

    @functools.wraps(init)
    def __init__(self, *args, preset="", **values):
        values = {**presets.preset(preset), **values} if preset else values
        init(self, *args, preset=preset, **values)

    return __init__


RLConfig.__init__ = _with_preset(RLConfig.__init__)
DEFAULTS = {f.name: f.default for f in fields(RLConfig) if f.default is not MISSING}


def same(stored, config):
    """Whether a checkpoint was made with these settings; what it does not name was not there yet, at its default."""
    return {**_plain_values(DEFAULTS), **(stored or {})} == plain(config)


def plain(config):
    """The config as JSON would give it back."""
    return _plain_values(asdict(config))


def _plain_values(out):
    if out.get("sizes") is not None:
        out = {**out, "sizes": {f: {str(s): w for s, w in sizes.items()} for f, sizes in out["sizes"].items()}}
    free = ("save_every", "keep_last", "replay")  # they change what is kept, not what is computed
    return {k: list(v) if isinstance(v, tuple) else v for k, v in out.items() if k not in free}
