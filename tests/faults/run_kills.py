"""A run killed at random moments, and resumed: `python tests/faults/run_kills.py RECIPE [--kills N]` prints a table.

A whole run first; then runs that are killed (SIGKILL) after a random share of its time, twice, and then end by
themselves. Their weights must be those of the whole run, bit for bit, and their metrics the same but for clocks.
"""

import argparse
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from safetensors.torch import load_file

from minids.train import metrics

CLOCKS = {"seconds", "sampling", "scoring", "update"}
COMMAND = [sys.executable, "-m", "minids.cli", "run"]


def once(recipe, out, after=None):
    """Starts or resumes a run; kills it after so many seconds. -> (exit code, what it said, seconds)."""
    began = time.monotonic()
    with tempfile.TemporaryFile("w+", encoding="utf-8") as said:
        command = [*COMMAND, str(recipe), "--out", str(out), "--workers", "1", "--resume"]
        job = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=said)
        try:
            code = job.wait(after)
        except subprocess.TimeoutExpired:
            job.kill()
            code = job.wait()
        said.seek(0)
        return code, said.read(), time.monotonic() - began


def same(one, other):
    """Whether two runs have the same weights, and metrics but for clocks."""
    for name in ("base", "sft", "model"):
        a, b = (load_file(run / name / "model.safetensors") for run in (one, other))
        if a.keys() != b.keys() or not all(a[k].equal(b[k]) for k in a):
            return False
    lines = [metrics.read(run / "metrics.jsonl") for run in (one, other)]
    lines = [[{k: v for k, v in line.items() if k.split("_")[0] not in CLOCKS} for line in of] for of in lines]
    return lines[0] == lines[1]


def rows(recipe, whole, seconds, kills, folder, seed=0):
    """(number, killed after so many seconds each, the same as the whole run)."""
    rng = random.Random(seed)
    for number in range(kills):
        out, moments = Path(folder) / f"killed-{number}", []
        while True:
            after = rng.uniform(0.1, 0.9) * seconds if len(moments) < 2 else None
            code, said, spent = once(recipe, out, after)
            if code == 0:
                break
            if code > 0:
                raise AssertionError(said)
            moments.append(spent)
        yield number, moments, same(whole, out)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("recipe")
    parser.add_argument("--kills", type=int, default=10)
    asked = parser.parse_args()
    bad = 0
    with tempfile.TemporaryDirectory() as folder:
        whole = Path(folder) / "whole"
        code, said, seconds = once(asked.recipe, whole)
        assert code == 0, said
        print("| run | killed after, s | ends as the whole run |\n|---|---|---|")
        for number, moments, equal in rows(asked.recipe, whole, seconds, asked.kills, folder):
            bad += not equal
            print(f"| {number} | {', '.join(f'{m:.1f}' for m in moments)} | {'yes' if equal else 'NO'} |", flush=True)
    return bad > 0


if __name__ == "__main__":
    sys.exit(main())
