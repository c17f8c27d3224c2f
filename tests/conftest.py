"""Fixtures that several folders share: a miniature run of the main job (mini.py), a tiny model for RL (tiny_rl.py)."""

import os
import sys

import pytest
import torch

pytest.register_assert_rewrite("gradient_checks", "mini")  # their asserts show values, as those of the tests do

import gradient_checks  # noqa: E402
import tiny_rl  # noqa: E402
from mini import minids, write_recipe  # noqa: E402

from minids import cli  # noqa: E402

# Bits depend on the number of threads: one for all tests, whatever ran before them, and for the processes they start.
torch.set_num_threads(1)
os.environ.setdefault("OMP_NUM_THREADS", "1")
if not torch.cuda.is_available():
    os.environ.setdefault("TRITON_INTERPRET", "1")  # before a peer imports Triton; see minids/kernels/runtime.py


def pytest_collection_modifyitems(items):
    """Simulated students go through whole chapters, for minutes: they begin first; the other process takes the rest."""
    items.sort(key=lambda item: "test_students" not in item.nodeid)


@pytest.fixture(autouse=True, scope="module")
def same_main():
    """Who puts another __main__ in place puts it back: multiprocessing asks it how a process was started."""
    main = sys.modules["__main__"]
    yield
    assert sys.modules["__main__"] is main, "a test of this file has replaced sys.modules['__main__']"


@pytest.fixture(autouse=True)
def same_threads():
    yield
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def recipe(tmp_path_factory):
    return write_recipe(tmp_path_factory.mktemp("recipe"))


@pytest.fixture(scope="session")
def finished(recipe, tmp_path_factory):
    """The folder of a finished miniature run. Tests that change it work on a copy."""
    out = tmp_path_factory.mktemp("runs") / "mini"
    assert cli.main(["run", recipe, "--out", str(out), "--workers", "1"]) == 0
    return out


@pytest.fixture(scope="session")
def longer(tmp_path_factory):
    """longer(workers) -> (recipe, folder): a finished run with enough steps to be interrupted in, made once."""
    folder = tmp_path_factory.mktemp("longer")
    recipe, outs = write_recipe(folder, steps=60, fewer=20), {}

    def run(workers):
        if workers not in outs:
            out = tmp_path_factory.mktemp("longer") / "run"
            done = minids("run", recipe, "--workers", workers, "--out", out)
            assert done.returncode == 0, done.stderr
            outs[workers] = out
        return recipe, outs[workers]

    return run


@pytest.fixture(scope="session")
def start():
    """A tokenizer, weights and config of a tiny model that writes the chat template; tiny_rl.fresh(start) copies it."""
    return tiny_rl.trained_start()


@pytest.fixture(scope="session")
def trained():
    """The tiny model after its cold start, the endings of one of its answers, and its exact gradient."""
    return gradient_checks.trained_endings()
