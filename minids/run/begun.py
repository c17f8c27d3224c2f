"""A run that goes on (`--resume`, `--redo`): its folder's recipe.json says what was asked for.

    recipe.json   {"recipe": {...}, "seed": 0, "workers": 2, "device": "cpu", "mine": false, "set": ["grpo.steps=40"]}

`set` are the changes by which the recipe was made from the one that was named. A recipe that comes with minids, or none
at all, means the folder's own; a file that was named (mine.toml) is read again, with the same changes, so that what was
edited in it since is noticed, and may be run by `--redo`.
"""

from collections.abc import Sequence
from pathlib import Path

from minids.errors import MinidsError
from minids.run import recipes, stages
from minids.run.results import read_json

NAME = "recipe.json"
KINDS = {"recipe": dict, "seed": int, "workers": int, "device": str, "mine": bool, "set": list}


def folder_of(recipe: str | None) -> Path | None:
    """The folder of the run that is named in the place of a recipe: runs/tiny, or runs/tiny/recipe.json; else None."""
    if recipe is None:
        return None
    path = recipes.path_of(recipe)
    return path.parent if path.name == NAME and path.exists() else None


def read(folder: str | Path) -> dict:
    """What a run's folder says that was asked for; {} for a folder that holds no run. Raises MinidsError where a
    file of the folder is not as `minids run` writes it."""
    path = Path(folder) / NAME
    if not path.exists():
        return {}
    before = read_json(path)
    for key, value in before.items():
        if not isinstance(value, KINDS.get(key, object)):
            raise MinidsError(f"{path}: {key} is {value!r}, not what `minids run` writes. Restore the file.")
    return before


def recipe(
    name: str | None, folder: str | Path, changes: Sequence[str], before: dict
) -> tuple[recipes.Recipe, list[str]]:
    """The recipe with which the run in `folder` begins or, if `read` found it `before`, goes on; and all changes to
    what is named. Raises MinidsError for a folder that holds no run."""
    made = list(dict.fromkeys(reversed([*before.get("set", []), *changes])))[::-1]  # the last of equal ones counts
    if before and _own(name, folder, before):
        return recipes.load(Path(folder) / NAME, changes), made
    if name is None:
        raise MinidsError(
            f"{folder}: this folder holds no run to go on with. Name a recipe: minids run tiny --out DIR."
        )
    return recipes.load(name, made), made


def _own(name, folder, before):
    """Whether the folder's own recipe is meant."""
    there = folder_of(name)
    shipped = name in recipes.names() and before.get("recipe", {}).get("name") == name
    return name is None or shipped or (there is not None and there.resolve() == Path(folder).resolve())


def advice(recipe: recipes.Recipe, out: Path, results: dict) -> list[str]:
    """What can be done next with what is in the folder: commands to type."""
    done = {s["name"] for s in results["stages"]}
    left = [name for name in (*recipe.first, *recipe.plan) if name not in done]
    made = [stages.STAGES[name].model for name in (*recipe.first, *recipe.plan) if name in done]
    made = next((folder for folder in reversed(made) if folder), "")
    where = out if made == "model" else out / made
    lines = [f"minids run {out} --resume   ({', '.join(left)})"] if left else []
    return lines + ([f"minids chat {where}", f"minids eval {where} --problems FILE.jsonl"] if made else [])
