"""What a run writes down as it goes: one JSON object a line in `metrics.jsonl`, the source of every plot.

Several stages share one file; a line has at least `stage` and `step`. After a kill the file may be ahead of the
checkpoint that the run goes on from, or end in half a line: `rewind` cuts it back, so that a resumed run leaves the
same lines. Beside it, `.metrics.jsonl.crc` has the CRC-32 of each line (8 hex digits): a resumed run notices a line
that was changed or taken out. The file of sums is missing while lines are dropped; without it nothing is compared.
"""

import json
import os
import zlib
from pathlib import Path

from minids import files
from minids.errors import MinidsError


class MetricsLog:
    """`log.write(stage="pretrain", step=10, loss=2.3)` appends a line and hands it to the operating system at once."""

    def __init__(self, path):
        self.path = Path(path)
        self.sums = self.path.with_name(f".{self.path.name}.crc")

    def write(self, **values) -> None:
        """Appends one line. Raises MinidsError where the disk is full or the folder cannot be written."""
        self._attempt(self._append, json.dumps(values) + "\n", False)

    def sync(self) -> None:
        """Forces the lines to the disk; called before a checkpoint, which must not know more than the log."""
        self._attempt(self._append, "", True)

    def rewind(self, stage: str, step: int) -> None:
        """Drops this stage's lines beyond `step`, and a torn last line."""
        self._attempt(self._rewind, stage, step)

    def _rewind(self, stage: str, step: int) -> None:
        if not self.path.exists():
            self.sums.unlink(missing_ok=True)
            return
        lines = read(self.path)
        kept = [line for line in lines if not (line.get("stage") == stage and line.get("step", 0) > step)]
        texts = [json.dumps(line) + "\n" for line in kept]
        if "".join(texts).encode() != self.path.read_bytes():
            self.sums.unlink(missing_ok=True)
            files.write(self.path, "".join(texts))
        files.write(self.sums, "".join(map(_sum, texts)))

    def _append(self, text: str, force: bool) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        # the sum first: one too many is known for what it is, a kill before its line
        for path, data in ((self.sums, text and _sum(text)), (self.path, text)):
            if path == self.sums and not path.exists() and self.path.exists():
                continue  # lines without sums, of an earlier version: `rewind` makes them
            with open(path, "a", encoding="utf-8", newline="\n") as file:
                file.write(data)
                file.flush()
                if force:
                    os.fsync(file.fileno())

    def _attempt(self, action, *args) -> None:
        try:
            action(*args)
        except OSError as error:
            raise MinidsError(
                f"could not write {self.path}: {error.strerror or error}. Free some space or choose a "
                "folder that can be written (out_dir=…), then go on with resume=True"
            ) from error


def _sum(text: str) -> str:
    return _crc(text.encode("utf-8")) + "\n"


def _crc(data: bytes) -> str:
    return f"{zlib.crc32(data):08x}"


def read(path) -> list[dict]:
    """The lines as dicts, none without a file; a torn last line is left out, a torn or changed one elsewhere is an
    error."""
    path = Path(path)
    sums_path = path.with_name(f".{path.name}.crc")
    sums = _sums(sums_path)
    try:
        lines = path.read_bytes().split(b"\n")
    except FileNotFoundError:
        lines = []
    except OSError as error:
        raise MinidsError(f"{path} is not readable: {error.strerror or error}") from error
    parsed, found = [], []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            values = json.loads(line.decode("utf-8"))
            if not isinstance(values, dict):
                raise ValueError("not an object")
        except (ValueError, RecursionError) as error:
            if number == len(lines):  # no newline behind it: the process ended while writing it
                break
            raise MinidsError(
                f"{path}, line {number} is not JSON in UTF-8 ({error}): restore the file from a copy, or "
                "start in a new folder (out_dir=…)"
            ) from error
        parsed.append(values)
        found.append((number, _crc(line + b"\n")))
    for (number, crc), said in zip(found, [*sums, *[""] * len(found)]) if sums is not None else ():
        if crc != said:
            raise MinidsError(
                f"{path}, line {number} was changed, or lines before it were taken out: its checksum is "
                "another. Restore the file from a copy, or start in a new folder (out_dir=…); if the change "
                f"is meant, delete {sums_path} and go on"
            )
    if sums is not None and len(sums) > len(parsed) + 1:  # one too many is that of a torn line
        raise MinidsError(
            f"{path}: {len(sums) - len(parsed)} lines at its end are missing. Restore the file from a "
            f"copy, or start in a new folder (out_dir=…); if the change is meant, delete {sums_path}"
        )
    return parsed


def _sums(path: Path) -> list[str] | None:
    try:
        return path.read_bytes().decode("ascii", "replace").split()
    except OSError:
        return None
