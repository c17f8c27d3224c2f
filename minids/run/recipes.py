"""Recipes: everything that a run depends on, in one TOML file. A key that nobody knows is refused by name.

load("tiny")                    one of those that come with minids
load("mine.toml")               a file; it may say `extends = "tiny"` and then only what differs
load("runs/tiny/recipe.json")   what a run was asked for; its folder runs/tiny will do
load("tiny", ["grpo.steps=40"]) changed as `--set` changes it (run/overrides.py)
"""

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, fields
from pathlib import Path

from minids.errors import MinidsError, did_you_mean
from minids.eval.evaluate import EvalConfig
from minids.files import brief, load_json
from minids.model.config import ModelConfig
from minids.run import stages
from minids.run.overrides import apply
from minids.run.sections import Direct, check_families, model_values
from minids.settings import UNSET, Settings, defaults, former_names, read, read_all, refuse_unknown, renamed, setting
from minids.tasks import registry

FOLDER = Path(__file__).parents[1] / "recipes"
PLANS = {"sft": ["sft", "grpo"], "base": ["grpo"]}  # what follows pretraining, by `rl_from`, unless `stages` says it


@dataclass
class Recipe(Settings):
    """The sections as plain dicts, under the names of today."""

    SHOWN = "{name} = {value}"
    FORMER = {"start": "rl_from"}

    name: str = setting(doc="of the recipe")
    families: list = setting(doc="families of problems")
    model: dict = setting(doc="sizes of the model")
    tokenizer: dict = setting(doc="of the tokenizer")
    pretrain: dict = setting(doc="of pretraining")
    sft: dict = setting(doc="of supervised fine-tuning")
    direct: dict = setting(doc="of the control that answers without a thought")
    grpo: dict = setting(doc="of reinforcement learning")
    eval: dict = setting(doc="of the evaluation")
    rl_from: str = setting(
        "sft", "the model that RL starts from", choices=PLANS, hint="'base' is GRPO straight from the base model"
    )
    stages: list = setting(factory=list, doc="stages after pretraining, in this order; empty: as rl_from says")
    controls: list = setting(factory=list, doc="what the result is compared with; their time is counted apart")
    small: dict = setting(factory=dict, doc="the model that is distilled into: what differs from [model]")
    origin: str = setting(
        "",
        "folder of the model that the run starts from (--from), in the place of tokenizer and pretraining; empty: from "
        "nothing",
    )
    others: dict = setting(factory=dict, doc="sections of the other stages of run/stages.py, by their name")

    def contradictions(self) -> None:
        check_families(self.families)

    @property
    def where(self) -> str:
        """How a message names it."""
        return f"recipe {self.name}"

    def to_dict(self) -> dict:
        """The sections as a recipe has them, without those that it leaves out."""
        values = {**{k: v for k, v in vars(self).items() if k != "others"}, **self.others}
        return {k: v for k, v in values.items() if v not in ({}, [], "") or k in REQUIRED}

    @property
    def first(self) -> tuple:
        """The stages before those that the recipe names."""
        return stages.FROM_MODEL if self.origin else stages.FIRST

    @property
    def plan(self) -> list:
        """The stages after pretraining."""
        return self.stages or PLANS[self.rl_from]

    @property
    def first_rl(self) -> str:
        """The first RL stage of the plan, which controls replace."""
        return next((name for name in self.plan if stages.is_rl(name)), "grpo")

    def own(self, section: str) -> dict:
        """What the recipe says in one section."""
        return self.others[section] if section in self.others else getattr(self, section, {})

    def section(self, stage: str) -> dict:
        """The settings of a stage: those of the sections below its own, and what its own says otherwise; with the
        defaults of run/sections.py."""
        merged = {}
        for cls in stages.further(stage):
            merged |= defaults(cls)
        for name in reversed(stages.sections(stage)):
            merged |= self.own(name)
        return merged

    def checked(self, stage: str) -> dict:
        """The settings of a stage with all defaults, each checked."""
        row = stages.STAGES[stage]
        section = row.section if self.own(row.section) else row.below or row.section
        parts = read_all(stages.classes(stage), self.section(stage), f"{self.where}, section [{section}]")
        return {name: value for part in parts for name, value in vars(part).items()}

    def further(self, stage: str) -> list[type]:
        """The classes of the keys of a stage beside those of its `settings`."""
        return stages.further(stage)

    @property
    def evaluation(self) -> EvalConfig:
        """The settings of the evaluation."""
        return read(EvalConfig, self.eval, f"{self.where}, section [eval]")


REQUIRED = {f.name for f in fields(Recipe) if f.name not in defaults(Recipe)} | {"rl_from"}


def names() -> list[str]:
    """The recipes that come with the package."""
    return sorted(p.stem for p in FOLDER.glob("*.toml"))


def classes(section: str) -> list[type]:
    """The Settings classes whose fields are the keys of a section; none of [model], [small]: see `classes_of_keys`."""
    return {"": [Recipe], "eval": [EvalConfig], "direct": [Direct]}.get(section) or stages.of_section(section)


def classes_of_keys(section: str) -> list[type]:
    """The classes whose fields are the keys of a section: `classes`, or ModelConfig, which checks itself."""
    return [ModelConfig] if section in ("model", "small") else classes(section)


def sections() -> list[str]:
    """The sections of a recipe: those that every recipe has, then those of further stages."""
    mine = [f.name for f in fields(Recipe) if f.type is dict and f.name != "others"]
    return list(dict.fromkeys([*mine, *(s.section for s in stages.STAGES.values())]))


def current(values: dict, where: str) -> dict:
    """What a recipe says, under the names of today, whichever version wrote it."""
    return {
        section: renamed(classes(section), keys, f"{where}, section [{section}]") if isinstance(keys, dict) else keys
        for section, keys in renamed([Recipe], values, where).items()
    }


def load(name: str | Path, overrides: Iterable[str] = ()) -> Recipe:
    """Reads a recipe by its name or path, applies "section.key=value" overrides, and checks every key and value.
    Raises MinidsError with the section and the key that is wrong."""
    texts = list(overrides) if isinstance(overrides, Iterable) and not isinstance(overrides, str | dict) else [None]
    if not all(isinstance(text, str) for text in texts):
        raise MinidsError(
            f"recipe {name}: overrides must be a list of texts, as in ['grpo.steps=40'], got {brief(overrides)}."
        )
    where = f"recipe {name}"
    values = current(_values(name, texts), where)
    for section in sections():
        if not isinstance(values.get(section, {}), dict):
            keys = ", ".join(f.name for cls in classes_of_keys(section) for f in fields(cls))
            raise MinidsError(
                f"{where}: {section} must be a section with keys, got {brief(values[section])}. Its keys: {keys}."
            )
    parts = {f.name for f in fields(Recipe)} - {"others"}
    others = {s.section for s in stages.STAGES.values()} - parts
    refuse_unknown(values, parts | others, where, Recipe.FORMER)
    values["others"] = {k: values.pop(k) for k in others & values.keys()}
    recipe = read(Recipe, values, where)
    check(recipe)
    return recipe


def name_of(recipe: str | Path, overrides: Iterable[str] = ()) -> str:
    """What the recipe calls itself: the name of a run's folder. Raises MinidsError for a recipe without a name."""
    called = _values(recipe, overrides).get("name")
    if not isinstance(called, str) or not called:
        raise MinidsError(f'recipe {recipe}: name is missing, or no text; give it one: name = "mine".')
    return called


def _values(name, overrides):
    values = _read(name)
    for text in overrides:
        apply(values, text, classes_of_keys, sections())
    return values


def differences(before: dict, now: dict) -> list[tuple[str, object, object]]:
    """[(section.key, value before, value now)] of two recipes as `to_dict` gives them; UNSET where one says nothing."""
    out = []
    for key in dict.fromkeys((*before, *now)):
        one, other = before.get(key, UNSET), now.get(key, UNSET)
        if isinstance(one, dict) and isinstance(other, dict):
            out += [(f"{key}.{inner}", a, b) for inner, a, b in differences(one, other)]
        elif one != other:
            out.append((key, one, other))
    return out


def check(recipe: Recipe) -> None:
    """Builds every config of the recipe once, so that an impossible value is found before the first step. Raises
    MinidsError with the section and the key."""
    for section, keys in recipe.others.items():  # also of stages that the plan has not
        known = [f.name for cls in classes(section) for f in fields(cls)]
        refuse_unknown(keys, known, f"{recipe.where}, section [{section}]", former_names(classes(section)))
    _check_plan(recipe, recipe.where)
    room = recipe.model.get("max_position_embeddings", 4096)
    for stage in dict.fromkeys((*stages.FIRST, "sft", "grpo", *recipe.plan)):
        asked = recipe.checked(stage)
        if stage in recipe.plan:
            there = asked.get("families") or recipe.families
            registry.check_sizes(asked.get("sizes"), there, f"{recipe.where}, section [{stage}]")
        longest = asked.get("max_new_tokens", 0)
        if longest >= room and stage in recipe.plan and not recipe.origin:
            raise MinidsError(
                f"{recipe.where}: {stage}.max_new_tokens {longest} leaves no room for a prompt in {room} positions."
            )
    recipe.evaluation  # noqa: B018  (checks it)
    read(Direct, recipe.direct, f"{recipe.where}, section [direct]")
    models = {"model": {}, "small": recipe.small} if recipe.small else {"model": {}}
    for section, change in models.items():
        values = model_values(recipe, recipe.tokenizer["vocab_size"], **change)
        ModelConfig.from_dict(values, where=f"{recipe.where}, section [{section}]")


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


def path_of(name: str | Path) -> Path:
    """The file that a recipe's name or path means."""
    if str(name) in names():
        return FOLDER / f"{name}.toml"
    if Path(name).suffix in (".toml", ".json"):
        return Path(name)
    if Path(name).is_dir():
        return Path(name) / "recipe.json"
    return FOLDER / f"{name}.toml"


def _read(name, above=()):
    if not isinstance(name, str | Path):
        here = f"recipe {above[-1]}: extends = {brief(name)}" if above else f"recipe {brief(name)}"
        raise MinidsError(f"{here} must be the name of a recipe ({', '.join(names())}) or a path, a text.")
    if str(name) in above:
        raise MinidsError(f"recipe {above[-1]}: extends = {name!r} must not lead back to itself.")
    path = path_of(name)
    if not path.exists():
        raise MinidsError(f"recipe {str(name)!r}: {_not_found(name, path)}")
    if path.suffix == ".json":
        values = load_json(path, "Give a recipe's .toml file, or the recipe.json of a run.")
        values = values["recipe"] if isinstance(values.get("recipe"), dict) else values
    else:
        try:
            values = tomllib.loads(path.read_text(encoding="utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
            raise MinidsError(f"{path}: not readable as TOML: {error}.") from None
    values = current(values, f"recipe {name}")
    if "extends" in values:
        values = _merge(_read(values.pop("extends"), (*above, str(name))), values)
    return values


def _not_found(name, path):
    if Path(name).is_dir():
        return "this folder holds no run (there is no recipe.json in it)."
    hint = did_you_mean(name, names())
    return f"not found.{hint} There are {', '.join(names())}, or give a path to a .toml file or to a run's recipe.json."


def _merge(below, above):
    out = dict(below)
    for key, value in above.items():
        out[key] = (
            _merge(out[key], value)
            if isinstance(value, dict) and isinstance(out.get(key), dict) and key != "styles"
            else value
        )
    return out
