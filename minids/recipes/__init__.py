"""Recipes: everything that a run depends on, in one TOML file. A key that nobody knows is refused by name.

A recipe may say `extends = "tiny"` and then only what differs. `--set grpo.steps=40` changes one key from the command
line.
"""

import difflib
import json
import math
import tomllib
from dataclasses import dataclass, fields
from pathlib import Path

from minids.errors import MinidsError

FOLDER = Path(__file__).parent


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

    def to_dict(self):
        return dict(vars(self))


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
        if f.name not in values:
            raise MinidsError(f"recipe {name}: the section {f.name!r} is missing.")
    recipe = Recipe(**values)
    check(recipe)
    return recipe


def check(recipe):
    """Builds every config of the recipe once, so that an impossible value is found before the first step."""
    from minids.model.config import ModelConfig
    from minids.reason.evaluate import EvalConfig
    from minids.reason.rl import RLConfig
    from minids.reason.tasks import FAMILIES, STYLES
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
    for family in recipe.families:
        if family not in FAMILIES:
            raise MinidsError(f"{where}: family {family!r} is not one of {', '.join(FAMILIES)}.")
    if not recipe.families:
        raise MinidsError(f"{where}: families is empty; name at least one of {', '.join(FAMILIES)}.")
    extra = {
        "pretrain": {"documents", "styles", "fact_share", "tokens_per_batch", "prompt_weight"},
        "sft": {"documents", "styles", "tokens_per_batch", "prompt_weight"},
    }
    for section, cls in (("pretrain", TrainConfig), ("sft", TrainConfig), ("grpo", RLConfig), ("eval", EvalConfig)):
        build(cls, getattr(recipe, section), f"{where}, section [{section}]", also=extra.get(section, ()))
    _known(recipe.tokenizer, {"vocab_size", "digits", "documents"}, f"{where}, section [tokenizer]")
    _known(recipe.direct, {"documents", "tokens_per_batch"}, f"{where}, section [direct]")
    for section, keys in (("pretrain", ("documents", "tokens_per_batch")), ("sft", ("documents", "tokens_per_batch")),
                          ("tokenizer", ("documents", "vocab_size")), ("direct", ("tokens_per_batch",))):  # fmt: skip
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
    if recipe.grpo.get("max_new_tokens", 160) >= room:
        raise MinidsError(
            f"{where}: grpo.max_new_tokens {recipe.grpo['max_new_tokens']} leaves no room for a prompt "
            f"in {room} positions."
        )
    ModelConfig.from_dict(model_values(recipe, recipe.tokenizer["vocab_size"]), where=f"{where}, section [model]")


def model_values(recipe, vocab_size, eos_token_id=1):
    """The [model] section as ModelConfig wants it: q_lora_rank 0 means none (TOML has no null)."""
    values = {**recipe.model, "vocab_size": vocab_size, "eos_token_id": eos_token_id}
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
