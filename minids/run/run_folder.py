"""A run's folder belongs to one process at a time, and holds what was written into it.

    with locked(folder): …     a second process is refused. The lock is the operating system's, and goes when its
                               process ends, however it ends, so there is nothing to clean up after a kill
    prepare_run_folder(…)      makes the folder, or checks that a resumed run asks for the same
    discard_stages(…)          takes all but some stages out of a run, so that they are run again

sums.py keeps the checksums of its files. Left out: locks over a network whose file system has none (there a second
process is not noticed).
"""

import errno
import json
import os
import shutil
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from minids import files
from minids.errors import MinidsError
from minids.files import brief
from minids.run import begun, recipes, stages
from minids.run.results import read_json, whole
from minids.run.sums import Sums
from minids.settings import UNSET

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None
try:
    import msvcrt
except ImportError:  # everywhere else
    msvcrt = None

LOCK = ".lock"


@contextmanager
def locked(folder: str | Path) -> Iterator[None]:
    """Holds the folder's lock, or raises MinidsError that says who does."""
    path = Path(folder) / LOCK
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = open(path, "a+", encoding="utf-8", newline="\n")
    except OSError as error:
        raise MinidsError(
            f"{folder}: cannot be written ({error.strerror or error}). Choose another folder with --out."
        ) from None
    with file:
        if not _lock(file):
            file.seek(0)
            raise MinidsError(
                f"{folder}: another process is running in this folder ({file.read(200).strip() or 'it gave no name'}). "
                "Wait until it ends, or choose another folder with --out."
            )
        file.truncate(0)
        file.write(f"process {os.getpid()} on {socket.gethostname()}\n")
        file.flush()
        yield


def _lock(file):
    """Whether this process has the lock now. It is let go when the file is closed."""
    try:
        if fcntl is not None:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        elif msvcrt is not None:
            file.seek(1 << 20)  # a byte beyond what is written, which others may read meanwhile
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
            file.seek(0)
    except OSError as error:
        return error.errno not in (errno.EAGAIN, errno.EACCES, errno.EDEADLK)  # else this file system has no locks
    return True


# -- what was asked for ------------------------------------------------------------------------------------------------


def prepare_run_folder(
    out: Path, asked: dict, resume: bool, plan: list, redo: str | None, changes: Sequence[str] = ()
) -> None:
    """Makes the folder and remembers what was asked for, or checks that a resumed run asks for the same. Raises
    MinidsError for a folder that holds another run, or settings that differ from those that it began with."""
    path = out / begun.NAME
    if not path.exists():
        remember(out, asked, changes)
        return
    if not resume and not redo:
        raise MinidsError(
            f"{out} already holds a run. Go on with it by --resume (`minids run {out} --resume`), or choose another "
            "folder with --out."
        )
    before = {"mine": False, **begun.read(out)}
    if isinstance(before.get("recipe"), dict):
        before["recipe"] = recipes.current(before["recipe"], str(path))
    changed = [k for k in asked if before.get(k) != asked[k]]
    if (
        redo
        and changed == ["recipe"]
        and not _sections_read(plan[: plan.index(redo)], asked["recipe"], before["recipe"])
    ):
        return
    if changed:
        shown = [f"{c} was {before.get(c)!r}, is {asked[c]!r}" for c in changed if c != "recipe"]
        if "recipe" in changed:
            shown += _changes_shown(plan, redo, asked["recipe"], before.get("recipe", {}))
        raise MinidsError(
            f"{out} cannot be resumed with other settings: {'; '.join(shown)}. Set them back (`minids run {out} "
            "--resume` takes all of them from the folder), or choose another folder with --out."
        )


def remember(out: Path, asked: dict, changes: Sequence[str]) -> None:
    """Writes what was asked for, and the changes by which its recipe was made."""
    _write_json(out / begun.NAME, {**asked, "set": list(changes)})


def _changes_shown(plan, redo, recipe, before):
    """Each key that differs between two recipes, with both values, and from which stage a run could have it."""
    keys = recipes.differences(before, recipe)
    if redo:
        fixed = _sections_read(plan[: plan.index(redo)], recipe, before)
        shown = [f"[{s}], which a stage before {redo!r} reads, is another" for s in fixed]
        keys = [key for key in keys if key[0].partition(".")[0] in fixed]
    else:
        shown = ["the recipe is another"]
    shown[-1] += ": " + ", ".join(f"{key} was {_said(old)}, is {_said(new)}" for key, old, new in keys)
    first = next((s for i, s in enumerate(plan) if i and _sections_read(plan[: i + 1], recipe, before)), None)
    if first and not _sections_read(plan[: plan.index(first)], recipe, before):
        shown[-1] += f" (--redo {first} may change that)"
    return shown


def _said(value):
    return "not set" if value is UNSET else brief(value)


def _sections_read(kept, recipe, before):
    """The sections that differ between two recipes and are read by stages that are to be kept."""
    read = {"eval", "rl_from"}
    for name in kept:
        read |= {*stages.sections(name), *stages.STAGES[name].reads}
    return [k for k in sorted(read) if recipe.get(k) != before.get(k)]


def discard_stages(out: Path, asked: dict, kept: list, sums: Sums, changes: Sequence[str] = ()) -> None:
    """Takes the records and checkpoints of all stages but these out of a run, so that they are run again."""
    results = whole(read_json(out / "results.json"), out / "results.json")
    rows = {stages.STAGES[name].rows for name in kept}
    results["stages"] = [s for s in results["stages"] if s["name"] in kept]
    for key in ("evals", "beyond"):
        results[key] = [row for row in results[key] if row["stage"] in rows]
    results["examples"] = {k: v for k, v in results["examples"].items() if k in rows}
    for part in {part for s in stages.STAGES.values() if s.name not in kept for part in s.parts}:
        results.pop(part, None)
    for folder in (out / "checkpoints").glob("*"):
        if folder.name not in kept:
            shutil.rmtree(folder, ignore_errors=True)
    sums.forget(lambda _, stage: stage is not None and stage not in kept)
    sums.write("results.json", json.dumps(results, indent=1) + "\n")
    remember(out, asked, changes)


def _write_json(path, values):
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        files.write(path, json.dumps(values, indent=1) + "\n")
    except OSError as error:
        raise MinidsError(
            f"{path.parent}: cannot be written ({error.strerror or error}). Choose another folder with --out."
        ) from None
