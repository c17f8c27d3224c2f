"""Damage to a run's folder, and what resuming says to it: `python tests/faults/run_damage.py RUN [--places N]`.

RUN is the folder of a finished run, which stays as it is: each damage is done to a copy. A line a file and kind of
damage: at how many of N random places it was noticed, and what was said. Exits with 1 if one was not noticed.
"""

import argparse
import contextlib
import io
import json
import random
import re
import shutil
import sys
import tempfile
import warnings
from pathlib import Path

from minids import cli
from minids.errors import MinidsError
from minids.train import checkpoint


def flip(data, rng):
    """One bit is another."""
    out = bytearray(data)
    out[rng.randrange(len(out))] ^= 1 << rng.randrange(8)
    return bytes(out)


def digit(data, rng):
    """One digit is another."""
    places = [m.start() for m in re.finditer(rb"[0-9]", data)]
    at = rng.choice(places or range(len(data)))
    return data[:at] + (b"7" if data[at : at + 1] != b"7" else b"3") + data[at + 1 :]


def cut(data, rng):
    """The end is missing."""
    return data[: rng.randrange(len(data) - 1)]


def line(data, rng):
    """A line is missing, but not the last, whose loss is what a kill leaves."""
    lines = data.splitlines(keepends=True)
    del lines[rng.randrange(max(1, len(lines) - 1))]
    return b"".join(lines)


def latin(data, rng):
    """Bytes that are not UTF-8."""
    at = rng.randrange(max(1, len(data) - 2))
    return data[:at] + b"\xff\xfe" + data[at:]


TEXT, BINARY = (flip, digit, cut, line, latin), (flip, cut)
OBJECTS = ({}, [], 3, None, {"stages": 1}, {"stages": [1]}, {"stages": [], "evals": {}})


def damaged(run, rng, places):
    """(file, kind, damaged folder's path) again and again; the file is damaged in a copy of `run`."""
    run = Path(run)
    whole = ["results.json", ".checksums.json", "metrics.jsonl", ".metrics.jsonl.crc", "recipe.json"]
    kept = [
        p.relative_to(run).as_posix()
        for p in sorted(run.rglob("*"))
        if p.is_file() and p.parent.name in ("tokenizer", "base", "sft", "model") and p.parent.parent == run
    ]
    states = [p.relative_to(run).as_posix() for p in sorted(run.glob("checkpoints/*/step-*/*"))]
    for name in [*whole, "corpus.safetensors", *kept, *states[-2:]]:
        before = (run / name).read_bytes()
        kinds = BINARY if name.endswith(".safetensors") else TEXT
        for kind in kinds:
            if kind is line and before.count(b"\n") < 3:
                continue
            # half a last line is what a kill leaves, and is taken for it
            sound = before[: before[:-1].rfind(b"\n") + 1] if name == "metrics.jsonl" and kind is cut else before
            yield name, kind.__name__, [kind(sound, rng) for _ in range(places)]
    yield "results.json", "another value", [json.dumps(value).encode() for value in OBJECTS]


def said_by_resume(out, recipe, name):
    """What the program says, or "" if it goes on."""
    if name.startswith("checkpoints/"):  # read where a stage goes on in its middle
        try:
            checkpoint.read((out / name).parent)
        except MinidsError as error:
            return f"minids: {error}"
        return ""
    said = io.StringIO()
    with contextlib.redirect_stderr(said), contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        code = cli.main(["run", str(recipe), "--out", str(out), "--resume", "--workers", "1"])
    if code == 1 or "Traceback" in said.getvalue():
        raise AssertionError(said.getvalue())
    return said.getvalue().strip().splitlines()[-1] if code else ""


def rows(run, recipe, places=3, seed=0):
    """(file, kind, noticed, of, an example of what was said)."""
    rng = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "run"
        shutil.copytree(run, out)
        for name, kind, contents in damaged(run, rng, places):
            before, said = (Path(run) / name).read_bytes(), []
            for content in contents:
                if content == before:
                    continue
                (out / name).write_bytes(content)
                said.append(said_by_resume(out, recipe, name))
            (out / name).write_bytes(before)
            yield name, kind, sum(bool(s) for s in said), len(said), next(filter(None, said), "")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("recipe", help="the recipe that it was made with")
    parser.add_argument("--places", type=int, default=3)
    asked = parser.parse_args()
    missed = 0
    print("| file | damage | noticed | said |\n|---|---|---|---|")
    for name, kind, noticed, of, said in rows(asked.run, asked.recipe, asked.places):
        missed += of - noticed
        print(f"| {name} | {kind} | {noticed} of {of} | {said[:120]} |", flush=True)
    return missed > 0


if __name__ == "__main__":
    sys.exit(main())
