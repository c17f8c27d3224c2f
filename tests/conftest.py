"""Fixtures that several folders share: a miniature run of the main job (mini.py), a tiny model for RL (tiny_rl.py)."""

import os
import sys

import pytest
import torch
from filelock import FileLock

pytest.register_assert_rewrite("gradient_checks", "mini")  # their asserts show values, as those of the tests do

import gradient_checks  # noqa: E402
import tiny_rl  # noqa: E402
from mini import write_recipe  # noqa: E402

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
def made_once(tmp_path_factory):
    """made_once(name, make) -> a folder that make(folder) has filled: once, however many processes pytest has.

    A process that comes while another is making it waits. Tests that change what is in it work on a copy.
    """
    base = tmp_path_factory.getbasetemp()
    base = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base

    def made(name, make):
        folder = base / name
        with FileLock(base / f"{name}.lock"):
            if not folder.exists():
                folder.mkdir()
                make(folder)
                (folder / "made").touch()
        assert (folder / "made").exists(), f"making {name} has failed in another process"
        return folder

    return made


@pytest.fixture(scope="session")
def recipe(made_once):
    return next(map(str, made_once("recipe", write_recipe).glob("*.toml")))


@pytest.fixture(scope="session")
def finished(recipe, made_once):
    """The folder of a finished miniature run. Tests that change it work on a copy."""

    def make(folder):
        assert cli.main(["run", recipe, "--out", str(folder / "mini"), "--workers", "1"]) == 0

    return made_once("finished", make) / "mini"


@pytest.fixture(scope="session")
def by_two(recipe, made_once):
    """The same run by two processes."""

    def make(folder):
        assert cli.main(["run", recipe, "--out", str(folder / "mini"), "--workers", "2"]) == 0

    return made_once("by_two", make) / "mini"


@pytest.fixture(scope="session")
def longer(made_once):
    """longer(workers) -> (recipe, folder): a finished run with enough steps to be interrupted in."""

    def run(workers):
        def make(folder):
            recipe = write_recipe(folder, steps=60, fewer=20)
            assert cli.main(["run", recipe, "--workers", str(workers), "--out", str(folder / "run")]) == 0

        folder = made_once(f"longer-{workers}", make)
        return next(map(str, folder.glob("*.toml"))), folder / "run"

    return run


@pytest.fixture(scope="session")
def start():
    """A tokenizer, weights and config of a tiny model that writes the chat template; tiny_rl.fresh(start) copies it."""
    return tiny_rl.trained_start()


@pytest.fixture(scope="session")
def trained():
    """The tiny model after its cold start, the endings of one of its answers, and its exact gradient."""
    return gradient_checks.trained_endings()
