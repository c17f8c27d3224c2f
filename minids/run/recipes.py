"""Recipes: everything that a run depends on, in one TOML file. A key that nobody knows is refused by name.

A recipe may say `extends = "tiny"` and then only what differs. `--set grpo.steps=40` changes one key from the command
line.
"""

import difflib
import json
import math
import tomllib
from dataclasses import dataclass, field, fields
from pathlib import Path

from minids.errors import MinidsError

FOLDER = Path(__file__).parents[1] / "recipes"
PLANS = {"sft": ["sft", "grpo"], "base": ["grpo"]}  # what follows pretraining, by `start`, unless `stages` says it
STAGES = (
    "sft",
    "grpo",
    "rl1",
    "rejection",
    "sft2",
    "rl2",
    "teacher",
    "small_pretrain",
    "distill_samples",
    "distill_logits",
    "small_rl",
    "edge",
)
CONTROLS = ("direct", "random_reward", "wrong_sign", "expert_iteration", "more_sft")
# A section says only what differs from the one that it stands on; a stage reads the section of its name, or this one.
BELOW = {
    "rl1": "grpo",
    "rl2": "grpo",
    "small_rl": "grpo",
    "edge": "grpo",
    "sft2": "sft",
    "distill": "sft",
    "teacher": "rejection",
    "small_pretrain": "pretrain",
    "distill_samples": "distill",
    "distill_logits": "distill",
}
CORPUS = {"tokens_per_batch", "prompt_weight"}  # keys beside those of the configs: how documents are put together …
EXTRA = {
    "pretrain": CORPUS | {"documents", "styles", "fact_share"},
    "sft": CORPUS | {"documents", "styles", "families", "mixed"},
    "grpo": {"families"},
    "edge": {"families", "tries", "problems", "asked"},
    "rejection": {"families", "general", "general_families"},
}


@dataclass
class Recipe:
    """The sections as plain dicts; the rooms that use them check the values
    (ModelConfig, TrainConfig, RLConfig, EvalConfig)."""

    name: str
    families: list
    start: str  # what GRPO starts from: "sft", or "base" (R1-Zero)
    model: dict
    tokenizer: dict
    pretrain: dict
    sft: dict
    direct: dict
    grpo: dict
    eval: dict
    stages: list = field(default_factory=list)  # after pretraining, in this order; empty: as `start` says
    controls: list = field(default_factory=list)  # what the result is compared with; their time is counted apart
    rl1: dict = field(default_factory=dict)
    rejection: dict = field(default_factory=dict)
    sft2: dict = field(default_factory=dict)
    rl2: dict = field(default_factory=dict)
    teacher: dict = field(default_factory=dict)
    small: dict = field(default_factory=dict)  # of the model that is distilled into: what differs from [model]
    small_pretrain: dict = field(default_factory=dict)
    distill: dict = field(default_factory=dict)
    small_rl: dict = field(default_factory=dict)
    edge: dict = field(default_factory=dict)

    def to_dict(self):
        return {k: v for k, v in vars(self).items() if v not in ({}, []) or k in REQUIRED}

    @property
    def plan(self):
        return self.stages or PLANS[self.start]

    def section(self, stage):
        """The settings of a stage: those of the sections below it, and what its own says otherwise."""
        below = self.section(BELOW[stage]) if stage in BELOW else {}
        return {**below, **getattr(self, stage, {})}

    def kind(self, stage):
        """The section that a stage's settings come down to: "sft", "grpo", "rejection" or "pretrain"."""
        while stage in BELOW:
            stage = BELOW[stage]
        return stage


REQUIRED = {"name", "families", "start", "model", "tokenizer", "pretrain", "sft", "direct", "grpo", "eval"}


def names():
    return sorted(p.stem for p in FOLDER.glob("*.toml"))


def load(name, overrides=()):
    """Reads a recipe by name or by path to a .toml file, applies "section.key=value" overrides,
    and checks every key and value."""
    values = _read(name)
    for text in overrides:
        _override(values, text)
    values.setdefault("start", "sft")
    _known(values, {f.name for f in fields(Recipe)}, f"recipe {name}")
    for f in fields(Recipe):
        if f.name in REQUIRED and f.name not in values:
            raise MinidsError(f"recipe {name}: the section {f.name!r} is missing.")
    recipe = Recipe(**values)
    check(recipe)
    return recipe


def check(recipe):
    """Builds every config of the recipe once, so that an impossible value is found before the first step."""
    from minids.eval.evaluate import EvalConfig
    from minids.model.config import ModelConfig
    from minids.rl.config import RLConfig
    from minids.rl.rejection import RejectionConfig
    from minids.tasks.arithmetic import STYLES
    from minids.train.loop import TrainConfig

    where = f"recipe {recipe.name}"
    for f in fields(Recipe):
        if not isinstance(getattr(recipe, f.name), f.type):
            kind = {str: "a text", list: "a list", dict: "a section with keys"}[f.type]
            raise MinidsError(f"{where}: {f.name} must be {kind}, got {getattr(recipe, f.name)!r}.")
    if recipe.start not in ("sft", "base"):
        raise MinidsError(
            f"{where}: start is {recipe.start!r}; use 'sft', or 'base' for GRPO straight from the base model."
        )
    _check_families(recipe.families, where)
    _check_plan(recipe, where)
    classes = {"pretrain": TrainConfig, "sft": TrainConfig, "grpo": RLConfig, "rejection": RejectionConfig}
    for stage in dict.fromkeys(("pretrain", "sft", "grpo", *recipe.plan)):
        kind = recipe.kind(stage)
        section = f"{where}, section [{stage if getattr(recipe, stage, None) else BELOW.get(stage, stage)}]"
        build(classes[kind], recipe.section(stage), section, also=EXTRA.get(stage, EXTRA[kind]))
        for key in ("families", "general_families"):
            _check_families(recipe.section(stage).get(key, recipe.families), section)
        for key, good in (("mixed", lambda v: 0 <= v <= 1), ("general", lambda v: v >= 0 and v == int(v))):
            value = recipe.section(stage).get(key, 0)
            if not _is_number(value) or not good(value):
                raise MinidsError(f"{section}: {key} = {value!r} is out of range.")
    build(EvalConfig, recipe.eval, f"{where}, section [eval]")
    if "edge" in recipe.plan:
        _check_edge(recipe.section("edge"), f"{where}, section [edge]")
    _known(recipe.tokenizer, {"vocab_size", "digits", "documents"}, f"{where}, section [tokenizer]")
    _known(recipe.direct, {"documents", "tokens_per_batch"}, f"{where}, section [direct]")
    for section, keys in (
        ("pretrain", ("documents", "tokens_per_batch")),
        ("sft", ("documents", "tokens_per_batch")),
        ("tokenizer", ("documents", "vocab_size")),
        ("direct", ("tokens_per_batch",)),
    ):
        for key in keys:
            value = getattr(recipe, section).get(key)
            if not isinstance(value, int) or value < 1:
                raise MinidsError(f"{where}: {section}.{key} must be a positive integer, got {value!r}.")
    if recipe.tokenizer["vocab_size"] < 270:
        raise MinidsError(
            f"{where}: tokenizer.vocab_size {recipe.tokenizer['vocab_size']} is too small: "
            "256 bytes and the special tokens need 270."
        )
    for section in ("pretrain", "sft"):
        styles = getattr(recipe, section).get("styles", {})
        shares = list(styles.values()) if isinstance(styles, dict) else []
        if not all(_is_number(s) and s >= 0 for s in shares) or sum(shares) <= 0:
            raise MinidsError(
                f"{where}: {section}.styles needs a positive share for at least one of {', '.join(STYLES)}, "
                "as in { careful = 0.4, hasty = 0.6 }."
            )
        _known(styles, set(STYLES) | {"none"}, f"{where}, {section}.styles")
        for key, most in (("fact_share", 1), ("prompt_weight", 100)):
            value = getattr(recipe, section).get(key, 0)
            if not _is_number(value) or not 0 <= value <= most:
                raise MinidsError(f"{where}: {section}.{key} must be a number from 0 to {most}, got {value!r}.")
    if recipe.tokenizer.get("digits", "single") not in ("single", "triples"):
        raise MinidsError(
            f"{where}: tokenizer.digits is {recipe.tokenizer['digits']!r}; "
            "use 'single' (each digit a token) or 'triples'."
        )
    room = recipe.model.get("max_position_embeddings", 4096)
    for stage in recipe.plan:
        if recipe.kind(stage) in ("grpo", "rejection"):
            longest = recipe.section(stage).get("max_new_tokens", 160)
            if longest >= room:
                raise MinidsError(
                    f"{where}: {stage}.max_new_tokens {longest} leaves no room for a prompt in {room} positions."
                )
    sizes = [("model", {})] + [("small", recipe.small)] * bool(recipe.small)
    for section, change in sizes:
        values = model_values(recipe, recipe.tokenizer["vocab_size"], **change)
        ModelConfig.from_dict(values, where=f"{where}, section [{section}]")


def _check_plan(recipe, where):
    """The stages are known, each has what it starts from, and each comes once."""
    needs = {
        "rl1": "sft",
        "rejection": "rl1",
        "sft2": "rejection",
        "rl2": "sft2",
        "teacher": "rl2",
        "distill_samples": "teacher",
        "distill_logits": "teacher",
        "small_rl": "small_pretrain",
        "edge": "grpo",
    }
    for key, known in (("stages", STAGES), ("controls", CONTROLS)):
        for i, name in enumerate(names := getattr(recipe, key)):
            if name not in known:
                near = difflib.get_close_matches(str(name), known, n=1)
                raise MinidsError(
                    f"{where}: {key} names {name!r}."
                    + (f" Did you mean {near[0]!r}?" if near else "")
                    + f" There are {', '.join(known)}."
                )
            if name in names[:i]:
                raise MinidsError(f"{where}: {key} names {name!r} twice.")
    for i, name in enumerate(recipe.plan):
        for need in (needs.get(name), "small_pretrain" if name.startswith("distill") else None):
            if need and need not in recipe.plan[:i]:
                raise MinidsError(f"{where}: the stage {name!r} needs {need!r} before it in stages.")
    if any(s.startswith("small") for s in recipe.plan) and not recipe.small:
        raise MinidsError(f"{where}: stages of a small model need a section [small]: how it differs from [model].")


def _check_edge(section, where):
    """How many samples are asked for, on which sizes; that these are new is what the stage is for."""
    from minids.tasks.arithmetic import SIZES

    for key, most in (("tries", 4096), ("problems", 10_000)):
        value = section.get(key)
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
            raise MinidsError(f"{where}: {key} must be a whole number from 1 to {most}, got {value!r}.")
    asked = section.get("asked")
    if not isinstance(asked, dict) or not asked:
        raise MinidsError(f"{where}: asked must name sizes of families, as in {{ chain = [6] }}.")
    _check_families(list(asked), where)
    for family, sizes in asked.items():
        if not isinstance(sizes, list) or not all(isinstance(s, int) and s > 0 for s in sizes):
            raise MinidsError(f"{where}: asked.{family} must be a list of sizes, got {sizes!r}.")
        if old := [s for s in sizes if s in SIZES.get(family, ())]:
            raise MinidsError(f"{where}: asked.{family} names {old[0]}, which pretraining has; ask for a size beyond.")


def _check_families(families, where):
    from minids.tasks import registry
    from minids.tasks.arithmetic import FAMILIES

    if not isinstance(families, list) or not families:
        raise MinidsError(f"{where}: families must be a list that names at least one of {', '.join(FAMILIES)}.")
    for family in families:
        try:
            registry.get(family)
        except MinidsError as error:
            raise MinidsError(f"{where}: {error}") from None


def model_values(recipe, vocab_size, eos_token_id=1, **change):
    """The [model] section as ModelConfig wants it: q_lora_rank 0 means none (TOML has no null)."""
    values = {**recipe.model, **change, "vocab_size": vocab_size, "eos_token_id": eos_token_id}
    values["q_lora_rank"] = values.get("q_lora_rank") or None
    return values


def build(cls, values, where, also=(), **more):
    """A config dataclass from a section; unknown keys are refused by name, values by the class itself."""
    known = {f.name for f in fields(cls)}
    _known(values, known | set(also), where)
    for f in fields(cls):
        value = values.get(f.name)
        if (
            f.type in (int, float)
            and f.name in values
            and (isinstance(value, bool) or not isinstance(value, int | float))
        ):
            raise MinidsError(f"{where}: {f.name} must be a number, got {value!r}.")
        if isinstance(value, float) and not math.isfinite(value):
            raise MinidsError(f"{where}: {f.name} must be a finite number, got {value!r}.")
        if f.type is int and isinstance(value, float):
            raise MinidsError(f"{where}: {f.name} must be a whole number, got {value!r}.")
    try:
        return cls(**{k: v for k, v in values.items() if k in known} | more)
    except TypeError as error:
        raise MinidsError(f"{where}: {error}.") from None
    except MinidsError as error:
        raise MinidsError(f"{where}: {error}") from None


def _is_number(value):
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _read(name, above=()):
    if not isinstance(name, str | Path) or str(name) in above:
        raise MinidsError(
            f"recipe {above[-1]}: extends = {name!r} must name another recipe, and not lead back to itself."
        )
    path = Path(name) if str(name).endswith(".toml") else FOLDER / f"{name}.toml"
    if not path.exists():
        near = difflib.get_close_matches(str(name), names(), n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise MinidsError(
            f"recipe {name!r}: not found.{hint} There are {', '.join(names())}, or give a path to a .toml file."
        )
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise MinidsError(f"{path}: not readable as TOML: {error}.") from None
    if "extends" in values:
        values = _merge(_read(values.pop("extends"), (*above, str(name))), values)
    return values


def _merge(below, above):
    out = dict(below)
    for key, value in above.items():
        out[key] = (
            _merge(out[key], value)
            if isinstance(value, dict) and isinstance(out.get(key), dict) and key != "styles"
            else value
        )
    return out


def _override(values, text):
    path, equals, value = text.partition("=")
    if not equals:
        raise MinidsError(f"--set {text!r}: write section.key=value, for example grpo.steps=40.")
    try:
        value = json.loads(value)
    except json.JSONDecodeError:
        pass  # a plain word
    *sections, key = path.split(".")
    for section in sections:
        if not isinstance(values.get(section), dict):
            raise MinidsError(
                f"--set {text!r}: there is no section {section!r}; there are "
                f"{', '.join(k for k, v in values.items() if isinstance(v, dict))}."
            )
        values = values[section]
    values[key] = value


def _known(values, known, where):
    for key in values:
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1)
            raise MinidsError(
                f"{where}: unknown key {key!r}."
                + (f" Did you mean {near[0]!r}?" if near else f" There are {', '.join(sorted(known))}.")
            )
