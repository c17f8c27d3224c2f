"""A run's folder belongs to one process at a time, and holds what was written into it.

    with locked(folder): …     a second process is refused. The lock is the operating system's, and goes when its
                               process ends, however it ends, so there is nothing to clean up after a kill
    prepare_run_folder(…)      makes the folder, or checks that a resumed run asks for the same
    discard_stages(…)          takes all but some stages out of a run, so that they are run again
    Sums(folder)               checksums of the files: one that was changed or is gone is noticed before anything is
                               computed from it

A file may be replaced at any moment, and the process be killed at any other: so what a file may be is written down
before it is replaced (results.json: as it was, or as it will be), and a stage's models are unknown while it writes
them. metrics.jsonl has its own sums (train/metrics.py), as checkpoints have (train/checkpoint.py).

Left out: locks over a network whose file system has none (there a second process is not noticed), and anybody who
changes the sums along with the files.
"""

import errno
import json
import os
import shutil
import socket
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from minids import files
from minids.errors import MinidsError
from minids.run import recipes, stages
from minids.run.results import read_json, whole

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None
try:
    import msvcrt
except ImportError:  # everywhere else
    msvcrt = None

LOCK, SUMS = ".lock", ".checksums.json"


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


class Sums:
    """{path in the folder: [CRC-32, …] of what it may be, "stage": which stage wrote it}, kept in the folder."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.path = self.folder / SUMS
        self.known = self._read()

    def _read(self):
        if not self.path.exists():  # a run of an earlier version
            return {}
        hint = "It says what the other files should be; delete it if you trust them."
        whole = files.load_json(self.path, hint)
        known = whole.get("files")
        if not isinstance(known, dict) or _crc_of(known) != whole.get("crc32"):
            raise MinidsError(f"{self.path}: damaged (its own checksum is another). {hint}")
        return known

    def write(self, name: str, text: str, stage: str | None = None) -> None:
        """Replaces a file of the folder by a text; a kill at any moment leaves a folder that `check` takes."""
        before = _crc(self.folder / name)
        after = _hex(text.encode("utf-8"))
        self._keep({**self.known, name: {"crc32": sorted({after, *filter(None, [before])}), "stage": stage}})
        files.write(self.folder / name, text)

    def forget(self, chosen: Callable[[str, str | None], bool]) -> None:
        """Drops the sums for whose (name, stage) `chosen` is true: these files are about to be written again."""
        kept = {name: entry for name, entry in self.known.items() if not chosen(name, entry["stage"])}
        if kept != self.known:
            self._keep(kept)

    def note(self, path: Path, stage: str | None) -> None:
        """Remembers a file, or all files of a folder, as they are now."""
        paths = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
        fresh = {p.relative_to(self.folder).as_posix(): {"crc32": [_crc(p)], "stage": stage} for p in paths}
        self._keep({**self.known, **fresh})

    def check(self, only: str | None = None) -> None:
        """Raises MinidsError that names the first file that is not as it was written."""
        for name, entry in self.known.items():
            if only is not None and name != only or _crc(self.folder / name) in entry["crc32"]:
                continue
            again = f"run stage {entry['stage']} and those after it again with --redo {entry['stage']}, or "
            raise MinidsError(
                f"{self.folder / name}: damaged, changed or missing: its checksum is not that of what the run wrote. "
                f"Restore it from a copy, {again if entry['stage'] else ''}start in a new folder with --out. If the "
                f"change is meant, delete {self.path} and go on."
            )

    def _keep(self, known):
        self.known = known
        files.write(self.path, json.dumps({"crc32": _crc_of(known), "files": known}, indent=1) + "\n")


def _crc_of(known):
    """Of the sums themselves: a name that was changed would leave its file without one."""
    return _hex(json.dumps(known, sort_keys=True).encode("utf-8"))


def _hex(data, crc=0):
    return f"{zlib.crc32(data, crc):08x}"


def _crc(path):
    """The CRC-32 of a file as hexadecimal text; None if it is not there or cannot be read."""
    crc = 0
    try:
        with open(path, "rb") as file:
            while part := file.read(1 << 22):
                crc = zlib.crc32(part, crc)
    except OSError:
        return None
    return f"{crc:08x}"


# -- what was asked for ------------------------------------------------------------------------------------------------


def prepare_run_folder(out: Path, asked: dict, resume: bool, plan: list, redo: str | None) -> None:
    """Makes the folder and remembers what was asked for, or checks that a resumed run asks for the same."""
    path = out / "recipe.json"
    if not path.exists():
        _write_json(path, asked)
        return
    if not resume and not redo:
        raise MinidsError(f"{out} already holds a run. Go on with it by --resume, or choose another folder with --out.")
    before = {"mine": False, **read_json(path)}
    if isinstance(before.get("recipe"), dict):
        before["recipe"] = recipes.current(before["recipe"], str(path))
    changed = [k for k in asked if before.get(k) != asked[k]]
    if redo and changed == ["recipe"]:
        fixed = _sections_read(plan[: plan.index(redo)], asked["recipe"], before["recipe"])
        changed = [f"[{k}], which a stage before {redo!r} reads, is another" for k in fixed]
    if changed:
        shown = [c if "[" in c else f"{c} was {before.get(c)!r}, is {asked[c]!r}" for c in changed if c != "recipe"]
        raise MinidsError(
            f"{out} cannot be resumed with other settings: {'; '.join(shown) or 'the recipe is another'}. "
            "Set them back, or choose another folder with --out."
        )


def _sections_read(kept, recipe, before):
    """The sections that differ between two recipes and are read by stages that are to be kept."""
    read = {"eval", "rl_from"}
    for name in kept:
        read |= {*stages.sections(name), *stages.STAGES[name].reads}
    return [k for k in sorted(read) if recipe.get(k) != before.get(k)]


def discard_stages(out: Path, asked: dict, kept: list, sums: "Sums") -> None:
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
    _write_json(out / "recipe.json", asked)


def _write_json(path, values):
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        files.write(path, json.dumps(values, indent=1) + "\n")
    except OSError as error:
        raise MinidsError(
            f"{path.parent}: cannot be written ({error.strerror or error}). Choose another folder with --out."
        ) from None
