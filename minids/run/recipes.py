"""Recipes: everything that a run depends on, in one TOML file. A key that nobody knows is refused by name.

A recipe may say `extends = "tiny"` and then only what differs. `--set grpo.steps=40` changes one key from the command
line.
"""

import json
import math
import tomllib
from dataclasses import dataclass, field, fields
from pathlib import Path

from minids.errors import MinidsError, did_you_mean
from minids.run import stages

FOLDER = Path(__file__).parents[1] / "recipes"
PLANS = {"sft": ["sft", "grpo"], "base": ["grpo"]}  # what follows pretraining, by `start`, unless `stages` says it


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
    small: dict = field(default_factory=dict)  # of the model that is distilled into: what differs from [model]
    others: dict = field(default_factory=dict)  # sections of the other stages of run/stages.py, by their name

    def to_dict(self) -> dict:
        """The sections as a recipe has them, without those that it leaves out."""
        values = {**{k: v for k, v in vars(self).items() if k != "others"}, **self.others}
        return {k: v for k, v in values.items() if v not in ({}, []) or k in REQUIRED}

    @property
    def plan(self) -> list:
        """The stages after pretraining."""
        return self.stages or PLANS[self.start]

    @property
    def first_rl(self) -> str:
        """The first RL stage of the plan, which controls replace."""
        return next((name for name in self.plan if stages.is_rl(name)), "grpo")

    def own(self, section: str) -> dict:
        """What the recipe says in one section."""
        return self.others[section] if section in self.others else getattr(self, section, {})

    def section(self, stage: str) -> dict:
        """The settings of a stage: those of the sections below its own, and what its own says otherwise."""
        merged = {}
        for name in reversed(stages.sections(stage)):
            merged |= self.own(name)
        return merged


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
    parts = {f.name for f in fields(Recipe)} - {"others"}
    others = {s.section for s in stages.STAGES.values()} - parts
    _known(values, parts | others, f"recipe {name}")
    values["others"] = {k: values.pop(k) for k in others & values.keys()}
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
    from minids.tasks.arithmetic import STYLES

    where = f"recipe {recipe.name}"
    kinds = {f.name: f.type for f in fields(Recipe) if f.name != "others"} | dict.fromkeys(recipe.others, dict)
    for key, kind in kinds.items():
        value = recipe.own(key)
        if not isinstance(value, kind):
            words = {str: "a text", list: "a list", dict: "a section with keys"}[kind]
            raise MinidsError(f"{where}: {key} must be {words}, got {value!r}.")
    if recipe.start not in ("sft", "base"):
        raise MinidsError(
            f"{where}: start is {recipe.start!r}; use 'sft', or 'base' for GRPO straight from the base model."
        )
    _check_families(recipe.families, where)
    _check_plan(recipe, where)
    for stage in dict.fromkeys(("pretrain", "sft", "grpo", *recipe.plan)):
        row, settings = stages.STAGES[stage], recipe.section(stage)
        section = f"{where}, section [{row.section if recipe.own(row.section) else row.below or row.section}]"
        build(stages.inherited(stage, "settings"), settings, section, also=stages.also(stage))
        for key in ("families", "general_families"):
            _check_families(settings.get(key, recipe.families), section)
        for key, good in (("mixed", lambda v: 0 <= v <= 1), ("general", lambda v: v >= 0 and v == int(v))):
            value = settings.get(key, 0)
            if not _is_number(value) or not good(value):
                raise MinidsError(f"{section}: {key} = {value!r} is out of range.")
        if row.check:
            row.check(settings, section)
    build(EvalConfig, recipe.eval, f"{where}, section [eval]")
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
        if "max_new_tokens" in {f.name for f in fields(stages.inherited(stage, "settings"))}:
            longest = recipe.section(stage).get("max_new_tokens", 160)
            if longest >= room:
                raise MinidsError(
                    f"{where}: {stage}.max_new_tokens {longest} leaves no room for a prompt in {room} positions."
                )
    models = {"model": {}, "small": recipe.small} if recipe.small else {"model": {}}
    for section, change in models.items():
        values = model_values(recipe, recipe.tokenizer["vocab_size"], **change)
        ModelConfig.from_dict(values, where=f"{where}, section [{section}]")


def _check_plan(recipe, where):
    """The stages are known, each has what it starts from, and each comes once."""
    for key, known in (("stages", stages.plannable()), ("controls", stages.controls_known())):
        for i, name in enumerate(names := getattr(recipe, key)):
            if name not in known:
                hint = did_you_mean(name, known)
                raise MinidsError(f"{where}: {key} names {name!r}.{hint} There are {', '.join(known)}.")
            if name in names[:i]:
                raise MinidsError(f"{where}: {key} names {name!r} twice.")
    plan = [*recipe.plan, *recipe.controls]
    for i, name in enumerate(plan):
        for need in stages.STAGES[name].needs:
            if need not in plan[:i]:
                raise MinidsError(f"{where}: the stage {name!r} needs {need!r} before it in stages.")
    if any(stages.STAGES[name].small for name in plan) and not recipe.small:
        raise MinidsError(f"{where}: stages of a small model need a section [small]: how it differs from [model].")


def _check_families(families, where):
    from minids.tasks import registry

    if not isinstance(families, list) or not families:
        raise MinidsError(f"{where}: families must be a list that names at least one of {registry.known()}.")
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
        hint = did_you_mean(name, names())
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
            hint = did_you_mean(key, known, f" There are {', '.join(sorted(known))}.")
            raise MinidsError(f"{where}: unknown key {key!r}.{hint}")
