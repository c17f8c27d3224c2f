"""What a run writes down as it goes: one JSON object a line in `metrics.jsonl`, the source of every plot.

Several stages share one file; a line has at least `stage` and `step`. After a kill the file may be ahead of the
checkpoint that the run goes on from, or end in half a line: `rewind` cuts it back, so that a resumed run leaves the
same lines.
"""

import json
import os
from pathlib import Path

from minids import files
from minids.errors import MinidsError


class MetricsLog:
    """`log.write(stage="pretrain", step=10, loss=2.3)` appends a line and hands it to the operating system at once."""

    def __init__(self, path):
        self.path = Path(path)

    def write(self, **values) -> None:
        self._attempt(self._append, json.dumps(values) + "\n", False)

    def sync(self) -> None:
        """Forces the lines to the disk; called before a checkpoint, which must not know more than the log."""
        self._attempt(self._append, "", True)

    def rewind(self, stage: str, step: int) -> None:
        """Drops this stage's lines beyond `step`, and a torn last line."""
        self._attempt(self._rewind, stage, step)

    def _rewind(self, stage: str, step: int) -> None:
        if not self.path.exists():
            return
        lines = read(self.path)
        kept = [line for line in lines if not (line.get("stage") == stage and line.get("step", 0) > step)]
        text = "".join(json.dumps(line) + "\n" for line in kept)
        if text != self.path.read_text(encoding="utf-8"):
            files.write(self.path, text)

    def _append(self, text: str, force: bool) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with open(self.path, "a", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            if force:
                os.fsync(file.fileno())

    def _attempt(self, action, *args) -> None:
        try:
            action(*args)
        except OSError as error:
            raise MinidsError(f"could not write {self.path}: {error.strerror or error}. Free some space or choose a "
                              "folder that can be written (--out), then go on with --resume") from error


def read(path) -> list[dict]:
    """The lines as dicts; a torn last line is left out, a torn one elsewhere is an error."""
    lines = Path(path).read_text(encoding="utf-8").split("\n")
    parsed = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            parsed.append(json.loads(line))
        except ValueError as error:
            if number == len(lines):  # no newline behind it: the process ended while writing it
                break
            raise MinidsError(f"{path}, line {number} is not JSON: remove it, or start in a new folder") from error
    return parsed
