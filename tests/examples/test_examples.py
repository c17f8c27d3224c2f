"""The examples do what they say: each is run as its reader runs it, and what it prints is read."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def printed_by(name, seed=0):
    command = [sys.executable, str(EXAMPLES / name), str(seed)]
    environment = {**os.environ, "PYTHONIOENCODING": "utf-8"}
    done = subprocess.run(command, capture_output=True, encoding="utf-8", env=environment, timeout=900)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


@pytest.mark.slow
def test_grpo_takes_the_fine_tuned_model_from_below_half_to_over_four_fifths():
    lines = printed_by("grpo_minimal.py")
    found = re.findall(r"^(before|after) +(greedy|sampled) +([\d.]+) % of (\d+) ", lines, re.M)
    shares = {(when, how): float(share) for when, how, share, _ in found}
    assert len(shares) == 4 and {n for *_, n in found} == {"500"}, lines
    for how in ("greedy", "sampled"):
        assert shares["before", how] < 50 and shares["after", how] > 80, lines


@pytest.mark.slow
def test_pretraining_makes_a_model_that_answers_new_problems():
    lines = printed_by("pretrain_minimal.py")
    losses = [float(loss) for loss in re.findall(r"^step +\d+  loss ([\d.]+)", lines, re.M)]
    assert len(losses) == 10 and losses[-1] < losses[0] / 4, lines
    share, n = re.search(r"^held out: ([\d.]+) % of (\d+) ", lines, re.M).groups()
    assert float(share) > 60 and n == "500", lines
