"""Checkpoints that survive a kill, a full disk and a bad copy.

    DIR/step-00000120/tensors.safetensors    every tensor: weights, balance biases, optimizer moments, generator states
    DIR/step-00000120/state.json             everything else, the size and CRC-32 of the tensor file, and last the
                                             CRC-32 of all that stands before it

`save` writes into a hidden folder beside the target, fsyncs both files and the folder, and renames it: a rename is
atomic, so a reader sees the whole checkpoint or none. `load` takes the newest one that is whole.

State is any nesting of dicts, lists, tuples, tensors, numpy arrays, numbers, strings, None. There is no pickle in
either direction: opening a checkpoint from a stranger runs no code.

Left out: checkpoints sharded over processes (rank 0 writes everything).
"""

import json
import os
import random
import re
import shutil
import warnings
import zlib
from pathlib import Path

import numpy as np
import safetensors.torch
import torch
from torch import Tensor

from minids import files
from minids.errors import MinidsError

FORMAT = 2
OLD = 1  # the same without a seal
SEAL = b', "seal": "'
NAME = re.compile(r"step-(\d{8,})(?:\.(\d+))?")  # .N: the same step saved again (a resumed run), newer than without


# --- Saving ---------------------------------------------------------------------------------------------------------


def save(directory, step: int, state: dict, *, keep_last: int = 2, best: float | None = None) -> Path:
    """Writes a checkpoint and removes old ones, but never the `keep_last` newest or the one with the highest `best`.
    Raises MinidsError where the folder cannot be written; earlier checkpoints stay as they are."""
    directory = Path(directory)
    temporary = directory / f".writing-{step:08d}-{os.getpid()}"
    tensors: dict[str, Tensor] = {}
    tree = _flatten(state, "", tensors)
    try:
        directory.mkdir(parents=True, exist_ok=True)
        _remove_leftovers(directory)
        temporary.mkdir()
        data = safetensors.torch.save(_unshared(tensors))
        _write(temporary / "tensors.safetensors", data)
        header = {"format": FORMAT, "step": step, "best": best, "bytes": len(data), "crc32": zlib.crc32(data)}
        _write(temporary / "state.json", _sealed(json.dumps({**header, "state": tree})))
        files.sync(temporary)
        target = _unused_name(directory, step)
        files.replace(temporary, target)
        files.sync(directory)
    except OSError as error:
        shutil.rmtree(temporary, ignore_errors=True)
        raise MinidsError(
            f"could not write the checkpoint of step {step} to {directory}: {error.strerror or error}. "
            "Earlier checkpoints are untouched. Free some space or choose a folder that can be written "
            "(out_dir=…), then go on with resume=True"
        ) from error
    except BaseException:  # Ctrl-C in the middle
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    _prune(directory, keep_last)
    return target


def _sealed(text: str) -> bytes:
    """A JSON object with one more key, the CRC-32 of the bytes before it."""
    data = text.encode().removesuffix(b"}")
    return data + SEAL + f'{zlib.crc32(data):08x}"}}'.encode()


def _write(path: Path, data: bytes) -> None:
    """Writes and forces to the disk: without the fsync a power cut after the rename could leave an empty file."""
    path.write_bytes(data)
    files.sync(path)


def _unused_name(directory: Path, step: int) -> Path:
    """No rename replaces a folder atomically, so a step saved again gets the next revision number."""
    revisions = [_order(path)[1] for path in available(directory) if _order(path)[0] == step]
    suffix = f".{max(revisions) + 1}" if revisions else ""
    return directory / f"step-{step:08d}{suffix}"


def _remove_leftovers(directory: Path) -> None:
    for path in directory.glob(".writing-*"):
        shutil.rmtree(path, ignore_errors=True)
    for path in directory.glob(".old-*"):
        shutil.rmtree(path, ignore_errors=True)


def _prune(directory: Path, keep_last: int) -> None:
    paths = available(directory)
    scores = {path: _best_of(path) for path in paths}
    scored = [path for path in paths if scores[path] is not None]
    keep = set(paths[-max(1, keep_last) :])
    if scored:
        keep.add(max(scored, key=lambda path: scores[path]))
    for path in paths:
        if path not in keep:
            old = directory / f".old-{path.name}"
            try:
                os.rename(path, old)  # first out of sight, so that a kill cannot leave half a checkpoint in view
            except OSError:
                continue
            shutil.rmtree(old, ignore_errors=True)


def _best_of(path: Path) -> float | None:
    try:
        return json.loads((path / "state.json").read_bytes())["best"]
    except (OSError, ValueError, KeyError, TypeError):
        return None


# --- Loading --------------------------------------------------------------------------------------------------------


def available(directory) -> list[Path]:
    """The checkpoints' folders, oldest first. They may still turn out to be damaged."""
    return sorted((path for path in Path(directory).glob("step-*") if NAME.fullmatch(path.name)), key=_order)


def _order(path: Path) -> tuple[int, int]:
    step, revision = NAME.fullmatch(path.name).groups()
    return int(step), int(revision or 0)


def latest(directory) -> Path | None:
    """The newest checkpoint folder, or None; does not read it."""
    paths = available(directory)
    return paths[-1] if paths else None


def load(directory) -> tuple[int, dict]:
    """(step, state) of the newest whole checkpoint. A damaged one is reported and the one before it is taken. Raises
    MinidsError where there is none."""
    paths = available(directory)
    if not paths:
        raise MinidsError(f"there is no checkpoint in {directory}: check the folder, or start without resume=True")
    problems = []
    for path in reversed(paths):
        try:
            loaded = read(path)
        except MinidsError as error:
            problems.append(error)
            continue
        for problem in problems:
            warnings.warn(f"{problem}; going on from {path.name}", stacklevel=2)
        return loaded
    raise problems[0]


def read(path) -> tuple[int, dict]:
    """(step, state) of one checkpoint folder."""
    path = Path(path)
    try:
        data = (path / "state.json").read_bytes()
        header = json.loads(data)
    except (OSError, ValueError, RecursionError) as error:
        raise _damaged(path / "state.json", error) from error
    said, seal, _ = data.rpartition(SEAL)
    if seal and _sealed(said.decode() + "}") != data:
        raise _damaged(path / "state.json", "its checksum differs from the one written")
    if not isinstance(header, dict) or header.get("format") != (FORMAT if seal else OLD):
        found = header.get("format") if isinstance(header, dict) else None
        raise _damaged(path / "state.json", f"not a minids checkpoint of format {FORMAT} (found {found!r})")
    try:
        data = (path / "tensors.safetensors").read_bytes()
    except OSError as error:
        raise _damaged(path / "tensors.safetensors", error) from error
    if len(data) != header.get("bytes"):
        raise _damaged(path / "tensors.safetensors", f"{len(data)} bytes where {header.get('bytes')} were written")
    if zlib.crc32(data) != header.get("crc32"):
        raise _damaged(path / "tensors.safetensors", "its checksum differs from the one written")
    try:
        return header["step"], _unflatten(header["state"], safetensors.torch.load(data))
    except (KeyError, TypeError, ValueError, safetensors.SafetensorError) as error:
        raise _damaged(path / "state.json", f"{type(error).__name__}: {error}") from error


def _damaged(file: Path, why) -> MinidsError:
    if isinstance(why, OSError):
        why = why.strerror
    return MinidsError(
        f"{file} is damaged or foreign ({why}): delete {file.parent} to go on from an earlier "
        "checkpoint, or start in a new folder"
    )


# --- Nested state <-> JSON + flat tensors ---------------------------------------------------------------------------


def _flatten(value, key: str, tensors: dict[str, Tensor]):
    """JSON-able copy of `value`; what JSON lacks becomes {"$kind": ...}. Tensors go to `tensors` under their path."""
    if isinstance(value, Tensor):
        tensors[key] = value
        return {"$tensor": key}
    if isinstance(value, np.ndarray):
        return {"$array": value.tolist(), "dtype": str(value.dtype)}
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, dict):
        if all(isinstance(k, str) and not k.startswith("$") for k in value):
            return {k: _flatten(v, f"{key}/{k}", tensors) for k, v in value.items()}
        return {"$dict": [[_flatten(k, key, tensors), _flatten(v, f"{key}/{k}", tensors)] for k, v in value.items()]}
    if isinstance(value, tuple):
        return {"$tuple": [_flatten(v, f"{key}/{i}", tensors) for i, v in enumerate(value)]}
    if isinstance(value, list):
        return [_flatten(v, f"{key}/{i}", tensors) for i, v in enumerate(value)]
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    raise TypeError(f"cannot store a {type(value).__name__} at {key} in a checkpoint")


def _unflatten(tree, tensors: dict[str, Tensor]):
    if isinstance(tree, list):
        return [_unflatten(v, tensors) for v in tree]
    if not isinstance(tree, dict):
        return tree
    if "$tensor" in tree:
        return tensors[tree["$tensor"]]
    if "$array" in tree:
        return np.array(tree["$array"], dtype=tree["dtype"])
    if "$dict" in tree:
        return {_unflatten(k, tensors): _unflatten(v, tensors) for k, v in tree["$dict"]}
    if "$tuple" in tree:
        return tuple(_unflatten(v, tensors) for v in tree["$tuple"])
    return {k: _unflatten(v, tensors) for k, v in tree.items()}


def _unshared(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """On the CPU, contiguous, each with memory of its own (safetensors refuses tied weights): bits are kept."""
    seen, result = set(), {}
    for key, tensor in tensors.items():
        tensor = tensor.detach().cpu().contiguous()
        memory = tensor.untyped_storage().data_ptr()
        result[key] = tensor.clone() if memory in seen else tensor
        seen.add(memory)
    return result


# --- Random generators ----------------------------------------------------------------------------------------------


def rng_state() -> dict:
    """The states of Python's, numpy's and torch's global generators (CPU, and the current CUDA device)."""
    state = {"python": random.getstate(), "numpy": np.random.get_state(), "torch": torch.get_rng_state()}
    if torch.cuda.is_available():
        state["cuda"] = torch.cuda.get_rng_state()
    return state


def seed_rng(seed: int) -> None:
    """Seeds Python's, numpy's and torch's global generators."""
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.manual_seed(seed)


def set_rng_state(state: dict) -> None:
    """Puts the states of `rng_state` back."""
    random.setstate(state["python"])
    np.random.set_state(state["numpy"])
    torch.set_rng_state(state["torch"])
    if "cuda" in state and torch.cuda.is_available():
        torch.cuda.set_rng_state(state["cuda"])
