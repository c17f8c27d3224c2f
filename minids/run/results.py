"""results.json: what a run can go on from, and a table be made of."""

from pathlib import Path

from minids import files
from minids.errors import MinidsError

AGAIN = "Restore it from a copy, or run the recipe again in a new folder."
NEEDED = {
    "recipe": str,
    "seed": int,
    "seconds": (int, float),
    "peak_bytes": (int, float),
    "stages": list,
    "evals": list,
    "beyond": list,
    "examples": dict,
    "versions": dict,
    "hardware": dict,
}
OF_A_STAGE = {"name": str, "seconds": (int, float), "evaluation_seconds": (int, float), "control": bool}
OF_A_ROW = {"stage": str, "family": str}


def read_json(path: str | Path) -> dict:
    """A JSON object of a run's folder, or MinidsError."""
    return files.load_json(path, "Restore it, or start in a new folder with --out.")


def whole(results: dict, path: str | Path) -> dict:
    """`results` if a run can go on from it and a table be made of it; else MinidsError that says what is wrong."""

    def need(values, kinds, where):
        if not isinstance(values, dict):
            raise MinidsError(f"{path}: {where} is not an object. {AGAIN}")
        for key, kind in kinds.items():
            value = values.get(key)
            if not isinstance(value, kind) or isinstance(value, bool) and kind is not bool:
                found = "missing" if key not in values else f"a {type(value).__name__}"
                raise MinidsError(f"{path}: {key!r} of {where} is {found}, not what `minids run` writes. {AGAIN}")

    need(results, NEEDED, "the whole")
    for i, record in enumerate(results["stages"]):
        need(record, OF_A_STAGE, f"stages[{i}]")
    for part in ("evals", "beyond"):
        for i, row in enumerate(results[part]):
            need(row, OF_A_ROW, f"{part}[{i}]")
    return results
