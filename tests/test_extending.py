"""docs/extending.md: every block of code runs, and none of them leaves anything behind."""

import importlib.util
import re
from pathlib import Path

import pytest

from minids.course import cases, exercises, wrong
from minids.kernels import runtime
from minids.model import attention, config
from minids.run import stages
from minids.tasks import registry

TEXT = (Path(__file__).parents[1] / "docs" / "extending.md").read_text(encoding="utf-8")
PARTS = dict(re.findall(r"^## (.+?)\n.*?```python\n(.*?)```", TEXT, re.M | re.S))


@pytest.fixture
def tables():
    """The tables that a block adds to, put back afterwards."""
    cases.load(), wrong.load()
    added_to = (
        attention.KINDS,
        config.LIKE,
        registry.FAMILIES,
        stages.STAGES,
        exercises.PLACES,
        cases.CASES,
        wrong.WRONG,
        wrong.ALTERNATIVES,
    )
    before = [{key: list(v) if isinstance(v, list) else v for key, v in table.items()} for table in added_to]
    yield
    for table, kept in zip(added_to, before):
        table.clear()
        table.update(kept)
    registry._make.cache_clear()


def test_all_six_are_there():
    assert len(PARTS) == len(re.findall("^## ", TEXT, re.M)) == 6


@pytest.mark.parametrize("title", PARTS)
def test_the_block_runs(title, tables, tmp_path):
    if title == "A kernel" and runtime.VERSION is None:
        pytest.skip("no Triton here")
    path = tmp_path / "block.py"  # Triton reads a kernel's text from its file
    path.write_text(PARTS[title], encoding="utf-8")
    spec = importlib.util.spec_from_file_location("block", path)
    spec.loader.exec_module(importlib.util.module_from_spec(spec))
