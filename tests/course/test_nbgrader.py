"""Assignments for nbgrader: marked as it wants them; and, where it is installed, generated, graded and exported."""

import ast
import csv
import importlib.util
import os
import re
import subprocess
import sys

import nbformat
import pytest

from minids import cli
from minids.course import build, catalog, nbgrader

SOURCE = """# %% [markdown]
# # 90 Probe
# %%
from minids.course import check, start
from minids.model import layers
start(90)
# %% exercise="layers.swiglu" points=3
from minids.model.layers import swiglu
# %%
layers.swiglu
# %% exercise="layers.rms_norm" points=2
from minids.model.layers import rms_norm
"""


@pytest.fixture
def sources(tmp_path, monkeypatch):
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "90_probe.py").write_text(SOURCE, encoding="utf-8")
    monkeypatch.setattr(catalog, "SOURCES", tmp_path / "src")
    return tmp_path / "src"


def cleared(source):
    """What nbgrader makes of a cell (its ClearSolutions): the stub instead of what stands between the marks."""
    return re.sub(r"( *)### BEGIN SOLUTION\n.*### END SOLUTION", r"\1raise NotImplementedError", source, flags=re.S)


def test_a_cleared_cell_is_the_blank_of_the_chapters(sources):
    notebook = nbgrader.assignment(sources / "90_probe.py")
    plain = build.notebook_of(sources / "90_probe.py", filled=False)
    assert [cleared(c.source) for c in notebook.cells] == [c.source for c in plain.cells]


def test_the_marked_solution_is_the_solution(sources):
    for found in catalog.every():
        marked = ast.parse(nbgrader.marked(found))
        assert ast.dump(marked) == ast.dump(ast.parse(catalog.cell(found, filled=True)))


def test_cells_carry_points_and_marks(sources):
    notebook = nbgrader.assignment(sources / "90_probe.py")
    nbformat.validate(notebook)
    notes = [c.metadata.nbgrader for c in notebook.cells if "nbgrader" in c.metadata]
    assert [n.get("points") for n in notes] == [None, 3, None, 2]
    assert [(n.solution, n.grade, n.locked, n.task) for n in notes[:2]] == [(1, 0, 0, 0), (0, 1, 1, 0)]
    names = [n.grade_id for n in notes]
    assert len(set(names)) == 4 and all(re.fullmatch(r"[A-Za-z0-9_-]+", n) for n in names)


def test_a_bug_hunt_is_released_with_its_bug():
    hunts = [e for e in catalog.every() if e.start]
    if not hunts:
        pytest.skip("no chapter has a bug hunt yet")
    notebook = nbgrader.assignment(catalog.SOURCES / f"{hunts[0].chapter}.py")
    cell = next(c for c in notebook.cells if c.metadata.get("minids", {}).get("exercise") == hunts[0].name)
    assert cell.source == catalog.cell(hunts[0], filled=False).rstrip() and not cell.metadata.nbgrader.solution


@pytest.mark.slow
def test_every_chapter_can_be_written(tmp_path):
    if not catalog.every():
        pytest.skip("there are no chapters yet")
    assert cli.main(["course", "--nbgrader", str(tmp_path / "nb")]) == 0
    written = sorted(p.stem for p in (tmp_path / "nb").glob("source/*/*.ipynb"))
    assert written == sorted({e.chapter for e in catalog.every()})
    compile((tmp_path / "nb" / "nbgrader_config.py").read_text(encoding="utf-8"), "nbgrader_config.py", "exec")


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("nbgrader") is None, reason="the extra 'nbgrader' is not installed")
def test_it_generates_autogrades_and_exports(tmp_path):
    """A whole chapter, and three students: one got everything right, one the first exercise, one did nothing."""
    chapter = os.environ.get("MINIDS_NBGRADER_CHAPTER") or min(e.chapter for e in catalog.every())
    folder, found = tmp_path / "nb", catalog.every(chapter)
    nbgrader.write(folder)

    def run(*words):
        command = [sys.executable, "-m", "nbgrader", *words]
        path = os.pathsep.join([os.path.dirname(sys.executable), os.environ["PATH"]])  # nbgrader calls alembic
        env = os.environ | {"PATH": path, "OMP_NUM_THREADS": "1"}
        done = subprocess.run(command, cwd=folder, capture_output=True, env=env, encoding="utf-8")
        assert done.returncode == 0, done.stderr[-3000:]

    run("generate_assignment", chapter)
    released = (folder / "release" / chapter / f"{chapter}.ipynb").read_text(encoding="utf-8")
    assert "SOLUTION" not in released and "raise NotImplementedError" in released
    for student, right in (("ada", len(found)), ("bob", 1), ("eve", 0)):
        sent = nbformat.reads(released, 4)
        for cell in sent.cells:
            name = cell.metadata.get("minids", {}).get("exercise")
            if name in [e.name for e in found[:right]]:
                cell.source = catalog.cell(catalog.exercise(name), filled=True)
        path = folder / "submitted" / student / chapter / f"{chapter}.ipynb"
        path.parent.mkdir(parents=True)
        nbformat.write(sent, path)
    run("autograde", chapter)
    run("generate_feedback", chapter)
    run("export", "--to", "grades.csv")
    with open(folder / "grades.csv", newline="", encoding="utf-8") as file:
        scores = {row["student_id"]: float(row["score"]) for row in csv.DictReader(file)}
    points = [e.points for e in found]
    assert scores == {"ada": sum(points), "bob": points[0], "eve": 0.0}
    assert (folder / "feedback" / "ada" / chapter / f"{chapter}.html").exists()
