"""A model opened from a folder, ready to be asked: weights, tokenizer, and how questions are put to it.

    runs/tiny            a run: its last model is taken (`model`, made by GRPO)
    runs/tiny/sft        the model after one of its stages
    elsewhere            any folder in Hugging Face's layout with a tokenizer.json beside the weights

`minids.json` beside a model says in which style it was taught to answer and which families of problems it knows. A
model from elsewhere has none; it is then asked in the chat template.
"""

import json
import os
from dataclasses import dataclass
from pathlib import Path

import torch

from minids.errors import MinidsError
from minids.model.transformer import Transformer
from minids.reason import environments, tasks
from minids.reason.evaluate import EvalConfig
from minids.ship import hub
from minids.text.tokenizer import Tokenizer

ABOUT = "minids.json"
LAST_FIRST = ("model", "sft2", "rl1", "sft", "base")


@dataclass
class Opened:
    model: Transformer
    tokenizer: Tokenizer
    folder: Path
    style: str
    families: list
    evaluation: EvalConfig
    ours: bool  # made by a run of minids


def describe(folder, *, style, families):
    """Writes `minids.json` beside a model."""
    text = json.dumps({"style": style, "families": list(families)}) + "\n"
    try:
        (Path(folder) / ABOUT).write_text(text, encoding="utf-8")
    except OSError as error:
        raise MinidsError(
            f"{folder}: {ABOUT} could not be written ({error.strerror or error}). Free some space."
        ) from None


def open_folder(folder, device="cpu"):
    """Opens a run's or a model's folder; raises MinidsError that says what is missing."""
    given = Path(folder)
    folder = find_model(given)
    about = _read_object(folder / ABOUT)
    style, families = about.get("style", "tags"), about.get("families", list(tasks.FAMILIES))
    known = isinstance(families, list) and families and all(environments.named(f) for f in families)
    if style not in ("tags", "direct", "plain") or not known:
        raise MinidsError(
            f"{folder / ABOUT}: style or families are not known. Delete it to ask the model in the chat template."
        )
    tokenizer = Tokenizer.from_pretrained(folder)
    model = Transformer.from_pretrained(folder)
    hub.check_tokenizer(model.config, tokenizer)
    if style != "plain":
        tokenizer.user_id, tokenizer.assistant_id  # noqa: B018  raise MinidsError where the template's marks are missing
    small = model.parameter_count() < 100_000_000
    if device == "cpu" and small:
        torch.set_num_threads(1)  # matrices of a small model are too small to split
    return Opened(model.to(device).eval(), tokenizer, folder, style, families, _evaluation(given), ours=bool(about))


def find_model(folder):
    """The model folder that is meant by a run's or a model's folder."""
    folder = Path(folder)
    if not folder.is_dir():
        raise MinidsError(f"{folder}: no such folder. Give the folder of a run (runs/tiny) or of a model.")
    if (folder / "config.json").exists():
        return folder
    for name in LAST_FIRST:
        if (folder / name / "config.json").exists():
            if name != "model":
                raise MinidsError(
                    f"{folder}: this run is not finished. Go on with `minids run … --resume`, or use the model "
                    f"that there is: {folder / name}."
                )
            return folder / name
    if (folder / "recipe.json").exists():
        raise MinidsError(f"{folder}: this run has made no model yet. Go on with `minids run … --resume`.")
    raise MinidsError(f"{folder}: neither a run nor a model: there is no config.json in it, nor in {folder / 'model'}.")


def made_with_mine(run):
    """Whether a run was made with --mine, on a student's own functions."""
    return _read_object(Path(run) / "recipe.json").get("mine") is True


def copy_tokenizer(source, out):
    """Copies what belongs to a model besides its weights and is there; returns the names."""
    names = []
    for name in ("tokenizer.json", "tokenizer_config.json", ABOUT):
        try:
            data = (Path(source) / name).read_bytes()
        except FileNotFoundError:
            continue
        aside = Path(out) / f".{name}.{os.getpid()}"
        aside.write_bytes(data)
        os.replace(aside, Path(out) / name)
        names.append(name)
    return names


def _evaluation(run):
    """The evaluation settings of a run, or the defaults."""
    values = _read_object(run / "recipe.json").get("recipe", {}).get("eval", {})
    try:
        return EvalConfig(**values)
    except TypeError as error:
        raise MinidsError(f"{run / 'recipe.json'}: {error}.") from None


def _read_object(path):
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as error:
        raise MinidsError(f"{path}: not readable as JSON ({error}). Restore it or delete it.") from None
    if not isinstance(values, dict):
        raise MinidsError(f"{path}: not a JSON object. Restore it or delete it.")
    return values
