"""The settings of RL: what each may be, which of them are the loss's, and whether two runs have the same."""

from dataclasses import MISSING, asdict, dataclass, fields, make_dataclass

from minids.errors import MinidsError, did_you_mean
from minids.files import brief
from minids.model import sampling
from minids.rl import presets
from minids.rl.grpo import BASELINES, SCALES, LossConfig
from minids.settings import Settings, defaults, read, renamed, setting
from minids.tasks import arithmetic, registry
from minids.tasks.reward import Reward
from minids.train import optim

# Settings of the loss, by the name that they have in a run; the length that "constant" divides by is max_new_tokens.
OWN = {"aggregation": "loss_aggregation"}
LOSS = {OWN.get(f.name, f.name): f for f in fields(LossConfig) if f.name != "constant"}
USUAL = {"clip": "higher", "clip_high": 0.28, "skip_zero_variance": True}  # defaults that are not those of the loss
TEMPLATES = {
    "tags": "<think> thought </think> <answer> answer </answer>, after a chat's marks (DeepSeek-R1)",
    "plain": "thought, a line, Answer: answer; what a base model was pretrained on",
}
OfLoss = make_dataclass(
    "OfLoss",
    [(name, f.type, setting(USUAL.get(name, MISSING), like=f, preset=True)) for name, f in LOSS.items()],
    bases=(Settings,),
)


@dataclass(kw_only=True)
class RLConfig(OfLoss):
    """The settings of a run: these, and all of LossConfig. `preset` names a published recipe (presets.PRESETS); other
    keys override what it sets. The length penalty: `overlong_share` and `overlong_penalty` (rl/shaping.py); a reward of
    your own: a hook of `train_rl` (rl/hooks.py)."""

    SHOWN = "grpo setting {name} = {value}"
    FORMER = {
        "prompts": "prompts_per_step",
        "group": "num_generations",
        "aggregation": "loss_aggregation",
        "style": "template",
    }
    FREE = ("save_every", "keep_last", "replay")  # they change what is kept, not what is computed

    steps: int = setting(doc="iterations: each samples answers and learns from them", above=0)
    lr: float = setting(doc="learning rate after the warmup", above=0)
    warmup: int = setting(10, "iterations until the learning rate is reached", least=0)
    prompts_per_step: int = setting(24, "questions of an iteration", above=0)
    num_generations: int = setting(8, "answers to each question", above=0)
    max_new_tokens: int = setting(160, "longest answer, in tokens", above=0)
    temperature: float = setting(
        1.0,
        "divides the logits, in the sampler and in the loss",
        least=sampling.LEAST,
        hint="greedy decoding is asked for by itself, not scored",
    )
    top_k: int = setting(0, "only so many of the likeliest tokens are sampled; 0: all", least=0)
    top_p: float = setting(
        1.0, "only the likeliest tokens, of this much probability together, are sampled; 1: all", above=0, most=1
    )
    minibatches: int = setting(2, "optimizer steps on the answers of an iteration", above=0)
    epochs: int = setting(1, "how often each answer is learned from", above=0)
    tokens_per_batch: int = setting(4096, "tokens of one forward in the update, padding included", above=0)
    max_batch: int = setting(256, "sequences sampled together", above=0)
    baseline: str = setting("mean", "what is taken off a reward", choices=BASELINES, preset=True)
    scale: str = setting("std", "what the advantage is divided by", choices=SCALES, preset=True)
    reward: dict = setting(
        factory=lambda: {"accuracy": 1.0, "format": 0.1},
        doc="weights of the reward's parts, accuracy, format and language, and the script that is asked for",
        hint="its keys are accuracy, format, language and script, as in { accuracy = 1.0, format = 0.1 }",
    )
    random_reward: bool = setting(False, "rewards are drawn by chance (a control)")
    template: str = setting("tags", "form of the replies", choices=TEMPLATES)
    optimizer: str = setting("adamw", "how the gradients change the weights", choices=optim.OPTIMIZERS)
    weight_decay: float = setting(0.0, "share of a weight, times the learning rate, that an update takes off", least=0)
    betas: tuple[float, float] = setting(
        (0.9, 0.95),
        "of AdamW: how much of the running means of the gradient and of its square an update keeps",
        least=0,
        below=1,
    )
    grad_clip: float = setting(1.0, "largest norm of all gradients together; 0: no clipping", least=0)
    sizes: dict | None = setting(
        None,
        "{family: {size: weight}} of the questions; None: those of pretraining",
        hint="as in { add = { 3 = 0.5, 4 = 0.5 } }",
    )
    seed: int = setting(0, "of the run's random numbers")
    save_every: int = setting(0, "iterations from one checkpoint to the next; 0: at the end and on Ctrl-C", least=0)
    keep_last: int = setting(2, "newest checkpoints that are kept", above=0)
    preset: str = setting("", f"settings of a published recipe, one of {', '.join(presets.PRESETS)}; empty: none")
    overlong_share: float = setting(
        0.0,
        "length penalty: share of max_new_tokens, at its end, in which length costs (shaping.py)",
        least=0,
        most=1,
        preset=True,
    )
    overlong_penalty: float = setting(1.0, "what an answer of max_new_tokens loses of its reward", above=0, preset=True)
    dynamic_rounds: int = setting(
        0, "how often groups whose rewards are all equal are replaced by another question's", least=0, preset=True
    )
    replay: bool = setting(True, "keep what `minids replay` needs (record.py)")

    def instead(self) -> dict:
        """The values of the preset, where one is named."""
        return presets.preset(self.preset) if self.preset else {}

    def contradictions(self) -> None:
        """Refuses what the loss or the reward refuses, groups of one, and sizes that no family has."""
        if self.sizes is not None:
            for family in self.sizes:
                if not registry.named(family):
                    known = [name for name in registry.FAMILIES if not name.endswith(":")]
                    hint = did_you_mean(family, known, f" It is none of {registry.known()}.")
                    raise MinidsError(f"grpo setting sizes names a family {brief(family)} that there is not.{hint}")
            self.sizes = {family: arithmetic.check_sizes(family, weights) for family, weights in self.sizes.items()}
        if self.num_generations < 2 and self.baseline != "none":
            raise MinidsError(
                f"grpo setting num_generations = {self.num_generations}: a group of one has nothing to be compared "
                "with; use at least 2"
            )
        self.loss_config()
        if "style" in self.reward:
            raise MinidsError("grpo setting reward has a key 'style'; the form of the replies is the setting template")
        read(Reward, self.reward, "grpo setting reward")

    def loss_config(self) -> LossConfig:
        """The settings of `grpo.grpo_loss`, which check themselves."""
        values = {f.name: getattr(self, name) for name, f in LOSS.items()}
        if self.clip in ("none", "symmetric"):
            values["clip_high"] = None
        if self.loss_aggregation == "constant":
            values["constant"] = self.max_new_tokens
        return LossConfig(**values)


def same(stored: dict | None, config: RLConfig) -> bool:
    """Whether a checkpoint was made with these settings."""
    return _whole(stored) == plain(config)


def changed(stored: dict | None, config: RLConfig) -> list[str]:
    """Which settings of a checkpoint are others, in words."""
    before, now = _whole(stored), plain(config)
    names = [name for name in {**before, **now} if name not in before or name not in now or before[name] != now[name]]
    return [f"{name} was {before.get(name)!r}, is {now.get(name)!r}" for name in names]


def _whole(stored):
    """The settings of a checkpoint; what it does not name was not there yet, at its default."""
    return {**_plain_values(defaults(RLConfig)), **renamed([RLConfig], stored or {}, "the checkpoint")}


def plain(config: RLConfig) -> dict:
    """The config as JSON would give it back."""
    return _plain_values(asdict(config))


def _plain_values(out):
    if out.get("sizes") is not None:
        out = {**out, "sizes": {f: {str(s): w for s, w in sizes.items()} for f, sizes in out["sizes"].items()}}
    return {k: list(v) if isinstance(v, tuple) else v for k, v in out.items() if k not in RLConfig.FREE}
