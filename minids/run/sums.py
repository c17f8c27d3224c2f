"""Checksums of the files of a run's folder: one that was changed or is gone is noticed before anything is computed from
it.

A file may be replaced at any moment, and the process be killed at any other: so what a file may be is written down
before it is replaced (results.json: as it was, or as it will be), and a stage's models are unknown while it writes
them. metrics.jsonl has its own sums (train/metrics.py), as checkpoints have (train/checkpoint.py).

Left out: anybody who changes the sums along with the files.
"""

import json
import zlib
from collections.abc import Callable
from pathlib import Path

from minids import files
from minids.errors import MinidsError

SUMS = ".checksums.json"


class Sums:
    """{path in the folder: [CRC-32, …] of what it may be, "stage": which stage wrote it}, kept in the folder."""

    def __init__(self, folder: str | Path):
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
