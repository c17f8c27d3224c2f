"""The floors of the house, kept: tools/house.py reads every import. And that it notices what it should."""

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tools"))
import house  # noqa: E402


def test_nothing_is_imported_upwards_in_a_circle_or_from_no_floor():
    assert house.complaints() == []


def test_every_module_is_seen():
    seen = {p.relative_to(ROOT) for p in house.modules(ROOT).values()}
    there = {p.relative_to(ROOT) for top in ("minids", "kernels") for p in (ROOT / top).rglob("*.py")}
    assert seen == {p for p in there if p.parts[:2] != ("minids", "kernels")} and len(seen) > 100


def test_contributing_shows_these_floors():
    assert house.table() in (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")


FLOORS = [({"errors"}, ""), ({"model"}, ""), ({"text", "train"}, ""), ({"cli"}, "")]


@pytest.mark.parametrize(
    "path, text, said",
    [
        ("model/a.py", "from minids.text import b", "minids.model.a imports minids.text.b, which is above it"),
        ("model/a.py", "import minids.text.b", "minids.model.a imports minids.text.b, which is above it"),
        ("model/a.py", "def f():\n    from minids.cli import main", "a.py:2: minids.model.a imports minids.cli"),
        ("model/a.py", "from importlib import import_module\nimport_module('minids.text.b')", "imports minids.text.b"),
        ("model/a.py", "from ..text import b", "minids.model.a imports minids.text.b, which is above it"),
        ("train/c.py", "from minids.text import b", "minids.train.c imports minids.text.b, which is beside it"),
        ("attic/d.py", "", "the room 'attic' is on no floor"),
        ("model/x.py", "from minids.model import y", "a circle: minids.model.x -> minids.model.y -> minids.model.x"),
        ("model/x.py", "def f():\n    from . import y", "a circle: minids.model.x -> minids.model.y"),
    ],
)
def test_what_breaks_them_is_named(path, text, said, tmp_path):
    files = {
        "errors.py": "",
        "model/__init__.py": "",
        "text/__init__.py": "",
        "text/b.py": "from minids import errors",
        "cli.py": "from minids.text import b",
        "model/y.py": "from minids.model import x",
    }
    for name, content in {**files, "model/x.py": "", path: text}.items():
        file = tmp_path / "minids" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content, encoding="utf-8")
    (found,) = house.complaints(tmp_path, FLOORS)
    assert said in found
