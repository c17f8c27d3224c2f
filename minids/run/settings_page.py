"""docs/settings.md: every key of a recipe, with the values that it may have, its default, and one line.

    minids dev settings          writes the page
    minids dev settings --check  exit code 1 if the page is not up to date

The rows are the metadata of the fields (minids/settings.py); those of [model] are the fields of ModelConfig.
"""

import argparse
from collections.abc import Container, Sequence
from dataclasses import fields
from pathlib import Path

from minids import files
from minids.errors import MinidsError
from minids.model.config import ModelConfig
from minids.rl.grpo import LossConfig
from minids.run import recipes, stages
from minids.settings import Settings, former_names, rows

PAGE = Path(__file__).parents[2] / "docs" / "settings.md"
HEAD = """# Settings

Every key of a recipe. A recipe is a TOML file with these sections; `minids run tiny --set grpo.steps=40` changes one.
A key that nobody knows is refused with the nearest name, and so is a value that does not fit. Written by
`minids dev settings` from the classes that check them.

## On the command line

`--set` takes one change or several, in TOML or JSON, and may be given again:

| | |
|---|---|
| a number, true or false | `--set grpo.steps=40 grpo.replay=false` |
| a text, without quotes | `--set rl_from=base grpo.preset=dapo` |
| no value, where a setting may be None | `--set model.q_lora_rank=none` |
| one key of a table; the others stay | `--set grpo.reward.format=0.2 pretrain.styles.hasty=0.3` |
| a list | `--set "families=['add', 'chain']"` |
| a whole table | `--set "grpo.reward={accuracy = 1.0, format = 0.2}"` |

Double quotes around the whole and single quotes inside, as in the last two rows, are right in bash, zsh, PowerShell and
the Command Prompt of Windows alike. `'families=["add"]'` is right in bash and zsh alone: PowerShell may drop the inner
quotes, and the Command Prompt knows no single quotes (there, write `"families=[\\"add\\"]"`).

`minids run runs/tiny --resume` and `minids run runs/tiny --redo grpo` go on with the recipe that the folder holds, all
its changes included. A `--set` beside `--redo` may change what the discarded stages alone read.
`minids run runs/tiny/recipe.json --out runs/again` runs the same recipe in a new folder.
"""
sections = recipes.sections
GIVEN = {"vocab_size", "passive", "bos_token_id", "eos_token_id", "pad_token_id"}  # not a recipe's to say


def page() -> str:
    """The page in Markdown."""
    tables = {f.name for f in fields(recipes.Recipe) if f.type is dict}
    parts = [HEAD, "## Above the sections\n", table([recipes.Recipe], leave_out=tables)]
    for section in sections():
        parts += [f"## [{section}]\n", *_about(section)]
    parts += ["## The loss\n", f"`grpo_loss` takes these as keywords, or a `LossConfig`.\n\n{table([LossConfig])}"]
    return "\n".join(parts)


def table(classes: list[type], leave_out: Container[str] = ()) -> str:
    """A row per field."""
    former = {new: old for old, new in former_names([cls for cls in classes if issubclass(cls, Settings)]).items()}
    lines = ["| key | values | default | |", "|---|---|---|---|"]
    for cls in classes:
        for name, may_be, default, doc in rows(cls):
            if name not in leave_out:
                once = f" (formerly `{former[name]}`)" if name in former else ""
                cells = [f"`{name}`", may_be, f"`{default}`" if default else "", doc + once]
                lines.append("| " + " | ".join(c.replace("|", "\\|") for c in cells) + " |")
    return "\n".join(lines) + "\n"


def _about(section):
    """The paragraphs of one section."""
    if section in ("model", "small"):
        return [_model() if section == "model" else "What differs from [model].\n"]
    rows = [s for s in stages.STAGES.values() if s.section == section and s.about and not s.control]
    below = next((s.below for s in stages.STAGES.values() if s.section == section and s.below), "")
    about = [f"{rows[0].about[0].upper()}{rows[0].about[1:]}.\n"] if rows else []
    if below and section != "direct":
        classes = [c for c in recipes.classes(section) if c not in recipes.classes(below)]
        about.append(f"The keys of [{below}]; what is left out is as there.\n")
        return about + ([table(classes)] if classes else [])
    return [*about, table(recipes.classes(section))]


def _model():
    """The sizes of ModelConfig, which are those of Hugging Face's DeepseekV3Config."""
    about = "Under the names of Hugging Face's `DeepseekV3Config`; minids/model/config.py bounds them."
    return f"{about}\n\n{table([ModelConfig], leave_out=GIVEN)}"


def main(argv: Sequence[str] | None = None) -> int:
    """`minids dev settings`: writes docs/settings.md; with --check it raises MinidsError where the page is not up to
    date."""
    parser = argparse.ArgumentParser(prog="minids dev settings", description="writes docs/settings.md")
    parser.add_argument("--check", action="store_true", help="write nothing; exit code 1 if the page is not up to date")
    args = parser.parse_args(argv)
    if not args.check:
        files.write(PAGE, page())
    elif not PAGE.exists() or PAGE.read_text(encoding="utf-8") != page():
        raise MinidsError(f"{PAGE} is not up to date: run `minids dev settings`.")
    return 0
