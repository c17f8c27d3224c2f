"""A model opened from a folder, ready to be asked: weights, tokenizer, and how questions are put to it.

    runs/tiny            a run: its last model is taken (`model`, made by GRPO)
    runs/tiny/sft        the model after one of its stages
    elsewhere            any folder in Hugging Face's layout with a tokenizer.json beside the weights

    load(folder) -> model, tokenizer        open_folder(folder) -> also how it is evaluated and sampled

`minids.json` beside a model says in which style it was taught to answer and which families of problems it knows. A
model from elsewhere has none; it is then asked in the chat template. Whoever wrote a folder does not decide what runs
here: families that name files and code (`user:FILE@check.py:function`) are left out when a folder is read, and are not
copied into another one; `minids eval --families` names them again.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from minids import settings
from minids.errors import MinidsError, nearest
from minids.eval.evaluate import EvalConfig
from minids.files import below, brief, load_json, read_bytes, write
from minids.model import generation_config, hf
from minids.model.config import DROPPED_KEYS
from minids.model.transformer import Transformer
from minids.tasks import arithmetic, registry
from minids.text.tokenizer import Tokenizer

ABOUT = "minids.json"


@dataclass
class Opened:
    """What `open_folder` returns.

    model        in evaluation mode, on the device that was asked for
    tokenizer    of the same folder
    folder       where they were found
    style        how it answers: "tags" (thought and answer), "direct" (answer alone) or "plain" (text goes on)
    families     kinds of problems that it knows
    evaluation   the EvalConfig of its run, or the usual one
    ours         whether a run of minids made it
    sampling     what generation_config.json says: temperature, top_k, top_p, max_new_tokens
    """

    model: Transformer
    tokenizer: Tokenizer
    folder: Path
    style: str
    families: list
    evaluation: EvalConfig
    ours: bool
    sampling: dict


def describe(folder: str | Path, *, style: str, families: Sequence[str]) -> None:
    """Writes `minids.json` beside a model. Raises MinidsError where the folder cannot be written."""
    text = json.dumps({"style": style, "families": list(families)}) + "\n"
    try:
        write(Path(folder) / ABOUT, text)
    except OSError as error:
        raise MinidsError(
            f"{folder}: {ABOUT} could not be written ({error.strerror or error}). Free some space."
        ) from None


def open_folder(folder: str | Path, device: str = "cpu", families: Sequence[str] | None = None) -> Opened:
    """Opens a run's or a model's folder; raises MinidsError that says what is missing.

    families    the problems it knows, from whoever gives the command; default what `minids.json` says
    """
    given = Path(folder)
    folder = find_model(given)
    about = about_model(folder)
    model, tokenizer = load(folder, device)
    if model.style != "plain":
        tokenizer.user_id, tokenizer.assistant_id  # noqa: B018  raise MinidsError where the template's marks are missing
    small = model.parameter_count() < 100_000_000
    if device == "cpu" and small:
        torch.set_num_threads(1)  # matrices of a small model are too small to split
    families, ours = about["families"] if families is None else families, (folder / ABOUT).exists()
    return Opened(
        model, tokenizer, folder, model.style, families, _evaluation(given), ours, generation_config.for_chat(folder)
    )


def load(
    folder: str | Path, device: str | torch.device = "cpu", *, dtype: torch.dtype | None = None
) -> tuple[Transformer, Tokenizer]:
    """The model that a folder holds and its tokenizer, ready to be asked (`minids.chat`): in evaluation mode, and
    `model.style` says in which template it was taught to answer ("tags" where the folder does not say).

        model, tokenizer = minids.load("runs/tiny")

    folder    of a run (its last model is taken), of one of its stages (runs/tiny/sft), of a chapter's model
              (chapters/data/tiny/grpo), or any folder in Hugging Face's DeepSeek-V3 layout with a tokenizer.json
    device    where the weights go
    dtype     None: as stored. What the chapters keep is float16; torch.float32 is what is trained on

    Raises MinidsError that says what to pass, or which file is missing, damaged or of another model.
    """
    folder = find_model(folder)
    style = about_model(folder)["style"]
    tokenizer = Tokenizer.from_pretrained(folder)
    model = Transformer.from_pretrained(folder, dtype=dtype)
    hf.check_tokenizer(model.config, tokenizer)
    model.style = style
    return model.to(device).eval(), tokenizer


def about_model(folder: str | Path) -> dict:
    """What `minids.json` says, {"style", "families"}, without families that name files; else defaults. Raises
    MinidsError for a style or family that there is not."""
    path = Path(folder) / ABOUT
    about = _read_object(path)
    style, families = about.get("style", "tags"), about.get("families", list(arithmetic.FAMILIES))
    known = isinstance(families, list) and families and all(registry.named(f) for f in families)
    if style not in ("tags", "direct", "plain") or not known:
        raise MinidsError(f"{path}: style or families are not known. Delete it to ask the model in the chat template.")
    return {"style": style, "families": [f for f in dict.fromkeys(families) if not registry.names_files(f)]}


def find_model(folder: str | Path) -> Path:
    """The model folder that is meant by a run's or a model's folder. Raises MinidsError where there is none, with
    what to give instead."""
    if not isinstance(folder, str | Path):
        raise MinidsError(f"a folder is named by a text or a Path, as in 'runs/tiny', got {brief(folder)}.")
    folder = Path(folder)
    if not folder.is_dir():
        raise MinidsError(f"{folder}: no such folder.{_instead(folder)}")
    if (folder / "config.json").exists():
        return folder
    if (folder / "model" / "config.json").exists():
        return folder / "model"
    if (folder / "recipe.json").exists():
        made = sorted((p.stat().st_mtime, p.parent) for p in folder.glob("*/config.json") if p.is_file())
        if not made:
            raise MinidsError(f"{folder}: this run has made no model yet. Go on with `minids run {folder} --resume`.")
        raise MinidsError(
            f"{folder}: this run is not finished. Go on with `minids run {folder} --resume`, or use the model that it "
            f"made last: {made[-1][1]}."
        )
    if folder.name.startswith("step-") or any(folder.glob("step-*/state.json")):
        raise MinidsError(
            f"{folder}: checkpoints of training, which hold neither config.json nor tokenizer. Training goes on from "
            "them (resume=True, or --resume); a model that can be loaded is written by save_pretrained."
        )
    raise MinidsError(
        f"{folder}: neither a run nor a model: there is no config.json in it, nor in {folder / 'model'}."
        + below(folder, "config.json")
    )


def _instead(folder):
    """What to give instead of what is no folder."""
    if folder.is_file():
        return f" It is a file; give the folder that it lies in: {folder.parent}."
    names = [path.name for path in folder.parent.glob("*") if path.is_dir()] if folder.parent.is_dir() else []
    if near := nearest(folder.name, names):
        return f" Did you mean {folder.parent / near}?"
    return (
        " Give the folder of a run (runs/tiny), of one of its stages (runs/tiny/sft), or of a model in Hugging Face's "
        "layout. Nothing is downloaded."
    )


def made_with_mine(run: str | Path) -> bool:
    """Whether a run was made with --mine, on a student's own functions."""
    return _read_object(Path(run) / "recipe.json").get("mine") is True


def copy_tokenizer(source: str | Path, out: str | Path) -> list[str]:
    """Copies what belongs to a model besides its weights and is there, without what names code or files;
    returns the names."""
    source, out, names = Path(source), Path(out), []
    kinds = (
        ("tokenizer.json", _text),
        ("tokenizer_config.json", _harmless),
        (generation_config.NAME, _harmless),
        (ABOUT, _known),
    )
    for name, read in kinds:
        if (source / name).exists():
            write(out / name, read(source / name))
            names.append(name)
    return names


def _text(path):
    try:
        return read_bytes(path)
    except (OSError, ValueError) as error:
        raise MinidsError(f"{path}: not readable ({getattr(error, 'strerror', None) or error}).") from None


def _known(path):
    about = about_model(path.parent)
    return (json.dumps(about if about["families"] else {"style": about["style"]}) + "\n").encode()


def _harmless(path):
    """A file of settings without the keys that name code or files of whoever wrote it."""
    kept = {
        k: v
        for k, v in _read_object(path).items()
        if k not in DROPPED_KEYS and not k.endswith(("_file", "_path", "_dir"))
    }
    return (json.dumps(kept, indent=2) + "\n").encode()


def _evaluation(run):
    """The evaluation settings of a run, or the defaults."""
    path = run / "recipe.json"
    recipe = _read_object(path).get("recipe", {})
    values = recipe.get("eval", {}) if isinstance(recipe, dict) else None
    try:
        return settings.read(EvalConfig, values, "[eval]")
    except (TypeError, AttributeError, MinidsError) as error:
        raise MinidsError(f"{path}: its settings of the evaluation cannot be read ({error}). Restore it.") from None


def _read_object(path):
    return load_json(path, "Restore it or delete it.") if path.exists() else {}
