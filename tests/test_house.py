"""The floors of the house, kept: tools/house.py reads every import. And that it notices what it should. Tests stand
alone: what two of them need is in a conftest.py or in a module without tests."""

import ast
import re
import sys
from pathlib import Path

import pytest

from minids.course import exercises

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


def imported_tests(source):
    """Names of the test modules that a file imports, also inside its functions."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or "", *(alias.name for alias in node.names if node.level or node.module == "tests")]
        elif isinstance(node, ast.Call) and "import" in ast.unparse(node.func):
            names = [a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]
        else:
            continue
        yield from (name for name in names if name.rpartition(".")[2].startswith("test_"))


def test_no_test_imports_another():
    files = [path for path in (ROOT / "tests").rglob("*.py") if "rounds" not in path.parts]
    found = {str(p.relative_to(ROOT)): list(imported_tests(p.read_text(encoding="utf-8"))) for p in files}
    assert {path: names for path, names in found.items() if names} == {} and len(files) > 90
    for line in (
        "import test_x",
        "import os, tests.rl.test_x",
        "from test_x import start",
        "def f():\n    from test_x import start",
        "from . import test_x",
        "from importlib import import_module\nimport_module('test_x')",
        "m = __import__('test_x')",
        "import pytest\npytest.importorskip('test_x')",
    ):
        assert list(imported_tests(line)), line
    assert not list(imported_tests("from mini import test_recipe\nimport testing\nfrom pytest import raises"))


# Rooms whose public functions say what they take and give.
TYPED = ("tasks", "rl", "eval", "run", "studies", "bench", "report", "serve")
EXERCISES = {(f"minids.{p.module}", p.function) for p in exercises.PLACES.values()}  # bare, as in a blank


def public_functions(path, name):
    """(where, function) of the functions and methods of a module that other modules may call."""

    def inside(body, prefix, first):
        for node in body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                yield from inside(node.body, f"{prefix}{node.name}.", 1)
            elif isinstance(node, ast.FunctionDef) and (node.name == "__init__" or not node.name.startswith("_")):
                static = any(getattr(d, "id", "") == "staticmethod" for d in node.decorator_list)
                yield f"{name}:{node.lineno} {prefix}{node.name}", node, 0 if static else first

    yield from inside(ast.parse(path.read_text(encoding="utf-8")).body, "", 0)


def bare_functions(path, name):
    """Those of them that do not say all their types, and are no exercise."""
    for where, function, first in public_functions(path, name):
        a = function.args
        given = [*a.posonlyargs, *a.args][first:] + [*a.kwonlyargs, *filter(None, (a.vararg, a.kwarg))]
        whole = all(x.annotation for x in given) and (function.returns or function.name == "__init__")
        if not whole and (name, function.name) not in EXERCISES:
            yield where


@pytest.mark.parametrize("room", TYPED)
def test_public_functions_say_their_types(room):
    modules = {name: path for name, path in house.modules(ROOT).items() if house.room(name) == room}
    assert modules and [where for name, path in modules.items() for where in bare_functions(path, name)] == []


def test_the_walk_throughs_keep_the_rule_and_contributing_says_it(tmp_path):
    """Code of docs/extending.md that belongs into one of these rooms could stand there as it is."""
    parts = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8").split("\n## ")[1:]
    path = tmp_path / "block.py"
    for title in ("A family of tasks", "A stage of a recipe", "A loss for RL"):
        (part,) = (p for p in parts if p.startswith(title))
        path.write_text(re.search(r"```python\n(.*?)```", part, re.S)[1], encoding="utf-8")
        assert list(public_functions(path, title)) and list(bare_functions(path, title)) == []
    assert ", ".join(f"`{room}`" for room in TYPED[:-1]) in (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")


def test_test_modules_have_names_of_their_own():
    """Folders of tests are no packages: two modules of one name cannot be collected together."""
    names = [p.name for p in (ROOT / "tests").rglob("*.py") if p.name != "conftest.py" and "rounds" not in p.parts]
    assert sorted(set(names)) == sorted(names)
