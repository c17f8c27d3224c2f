"""`import minids` costs little: torch is loaded when a name that needs it is used, the rest when a command needs it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import minids

HEAVY = {
    "transformers",
    "datasets",
    "tokenizers",
    "rich",
    "matplotlib",
    "triton",
    "pandas",
    "regex",
    "trl",
    "numpy.testing",
}


def modules_after(code):
    program = f"import json, sys\n{code}\nprint(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, encoding="utf-8")
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_import_minids_adds_almost_nothing():
    assert "torch" not in modules_after("import minids")
    assert not HEAVY & modules_after("import minids")


@pytest.mark.slow
def test_the_public_names_add_little_to_torch():
    names = "ModelConfig, Transformer, Tokenizer, generate, grpo_loss"
    torch = modules_after("import torch, numpy")
    ours = modules_after(f"import torch, numpy\nfrom minids import {names}")
    assert not HEAVY & (ours - torch)
    foreign = {m for m in ours - torch if m.split(".")[0] not in ("minids", "safetensors", "torch")}
    assert len(foreign) < 40, sorted(foreign)


def test_help_needs_no_torch():
    assert "torch" not in modules_after("from minids import cli\ncli.parser().format_help()")


@pytest.mark.slow
def test_training_needs_no_optional_package():
    code = "from minids import pipeline\nfrom minids.run import recipes\nrecipes.load('tiny')"
    assert not HEAVY & modules_after(code) - modules_after("import torch, numpy")


def test_unknown_names_are_attribute_errors():
    import minids

    assert not hasattr(minids, "nonsense")
    assert {"Transformer", "Tokenizer", "generate", "grpo_loss", "ModelConfig"} <= set(dir(minids))


def test_the_library_never_imports_the_course():
    """Only the fronts name it: cli.py in the commands that are the course's, dev.py in its table of tools."""
    for path in Path(minids.__file__).parent.rglob("*.py"):
        if "course" not in path.parts and path.name not in ("cli.py", "dev.py"):
            assert "minids.course" not in path.read_text(encoding="utf-8"), path
