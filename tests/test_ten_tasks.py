"""examples/ten_tasks: programs of at most twelve lines, each run as a stranger would, each shown in docs/library.md.

A program is started in a folder of its own that holds

    runs/tiny, runs/other    two finished runs of the smallest recipe that has all stages (tests/mini.py)
    corpus.txt               some text
    cmp.jsonl, check.py      problems with thoughts and answers, and a function `verify` that grades
"""

import ast
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from mini import minids, own_files

ROOT = Path(__file__).resolve().parents[1]
PROGRAMS = sorted((ROOT / "examples" / "ten_tasks").glob("[0-9]*.py"))
MOST = 12  # lines of code

each_program = pytest.mark.parametrize("program", PROGRAMS, ids=lambda path: path.stem)


@pytest.fixture(scope="session")
def two_runs(recipe, finished, made_once):
    """The folder `runs`: `tiny`, and `other`, which had another seed."""

    def make(folder):
        done = minids("run", recipe, "--seed", 1, "--workers", 1, "--out", folder / "other")
        assert done.returncode == 0, done.stderr
        shutil.copytree(finished, folder / "tiny")

    return made_once("two_runs", make)


@pytest.fixture
def desk(two_runs, tmp_path):
    """A folder as the programs expect it."""
    shutil.copytree(two_runs, tmp_path / "runs")
    own_files(tmp_path)
    return tmp_path


def code_of(source):
    """The lines of a program that hold code: no blank ones, no comments, and not the module's docstring."""
    lines, tree = source.splitlines(), ast.parse(source)
    first = tree.body[0]
    after = first.end_lineno if ast.get_docstring(tree) is not None else 0
    return [line for line in lines[after:] if line.strip() and not line.lstrip().startswith("#")]


@each_program
def test_runs_where_a_run_lies(program, desk):
    environment = {**os.environ, "PYTHONIOENCODING": "utf-8", "PYTHONUTF8": "1"}
    how = {"cwd": desk, "env": environment, "capture_output": True, "encoding": "utf-8", "timeout": 600}
    done = subprocess.run([sys.executable, str(program)], **how)
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.strip(), "it prints nothing"


@each_program
def test_is_short_and_shown_in_the_page(program):
    source = program.read_text(encoding="utf-8")
    tree = ast.parse(source)
    assert ast.get_docstring(tree), "its first line says what it does"
    assert len(code_of(source)) <= MOST, f"{len(code_of(source))} lines of code"
    body = "\n".join(source.splitlines()[tree.body[0].end_lineno :]).strip()
    page = (ROOT / "docs" / "library.md").read_text(encoding="utf-8")
    blocks = [block.strip() for block in re.findall(r"^```python\n(.*?)^```$", page, re.M | re.S)]
    assert body in blocks, f"docs/library.md does not show {program.name} as it is"
    assert f"examples/ten_tasks/{program.name}" in page


def test_comments_and_the_docstring_do_not_count():
    assert code_of('"""Says\nwhat."""\n\nimport a\n# why\n\nb = 1  # c\n') == ["import a", "b = 1  # c"]


def test_the_readme_leads_there_and_stays_short():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "docs/library.md" in text and "ten_tasks/" in text
    assert len(text.encode()) <= 9_000


def test_the_five_lines_of_the_readme_run(desk):
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    [program] = re.findall(r"^```python\n(.*?)^```$", text, re.M | re.S)
    done = subprocess.run([sys.executable, "-c", program], cwd=desk, capture_output=True, encoding="utf-8", timeout=600)
    assert done.returncode == 0, done.stderr[-3000:]
