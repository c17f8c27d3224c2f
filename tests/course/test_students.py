"""Two students from the first chapter to the last: one solves everything, one gets everything wrong and gives up.

The notebooks run as in JupyterLab, with a tenth of the training steps (`budget`): what is tested is the way through
them. `make notebooks` runs the solutions at full length, which are the same cells with the same answers; what they
have kept is the first student's mine/ where MINIDS_SOLVED names it, as `make test` does.
"""

import copy
import json
import os
import subprocess
import sys

import nbformat
import pytest
from mini import results

from minids.course import build, catalog, exercises, wrong

EXERCISES = catalog.every()
CHAPTERS = sorted({e.chapter for e in EXERCISES})
pytestmark = pytest.mark.slow


def sit(chapter, answers, mine, folder, give_up=False):
    """Runs a chapter with answers typed in -> the notebook, {exercise: first marks of its checks}, and how many cells
    failed. Who gives up puts each blank back when the check has spoken, and runs its cell and the check once more."""
    from nbclient import NotebookClient

    notebook = nbformat.read(catalog.ROOT / "chapters" / f"{chapter}.ipynb", 4)
    if give_up:
        for at in reversed(
            [i for i, cell in enumerate(notebook.cells) if "exercise" in cell.metadata.get("minids", {})]
        ):
            notebook.cells[at:at] = copy.deepcopy(notebook.cells[at : at + 2])
            for cell in notebook.cells[at : at + 2]:
                cell.id += "-typed"
    for cell in notebook.cells:
        name = cell.metadata.get("minids", {}).get("exercise")
        if name and cell.id.endswith("-typed") == give_up:
            cell.source = answers[name]
    env = os.environ | {"MINIDS_MINE": str(mine), "MINIDS_STATIC": "1", "MINIDS_QUICK": "1", "OMP_NUM_THREADS": "1"}
    client = NotebookClient(
        notebook, timeout=300, allow_errors=True, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
    )
    client.execute(env=env)
    marks, failed = {}, []
    for cell in notebook.cells:
        outputs = cell.get("outputs", [])
        failed += [o.evalue for o in outputs if o.output_type == "error"]
        if name := cell.metadata.get("minids", {}).get("check"):
            marks[name] = marks.get(name, "") + "".join(o.get("text", "") for o in outputs)[:1]
    return notebook, marks, failed


def answer_of(fn, name):
    """A function of minids/course/wrong as an answer: renamed, without its decorator, with the imports of its file."""
    import ast
    import inspect

    fn = catalog.plain(fn)
    tree = ast.parse(inspect.getsource(sys.modules[fn.__module__]))
    kept = [n for n in tree.body if not isinstance(n, ast.Expr)]
    kept = [n for n in kept if not (isinstance(n, ast.ImportFrom) and n.module.startswith("minids.course"))]
    for node in kept:
        if hasattr(node, "decorator_list"):
            node.decorator_list = [d for d in node.decorator_list if _name(d) not in ("wrong", "alternative")]
    answer = copy.deepcopy(next(n for n in kept if getattr(n, "name", None) == fn.__name__))
    answer.name = exercises.PLACES[name].function
    return "\n\n".join(ast.unparse(n) for n in [*kept, answer]) + "\n"


def _name(decorator):
    return getattr(getattr(decorator, "func", decorator), "id", "")


def minids(*args, mine):
    env = os.environ | {"MINIDS_MINE": str(mine), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "minids.cli", *map(str, args)]
    return subprocess.run(command, env=env, capture_output=True, encoding="utf-8")


@pytest.fixture(scope="module")
def solved(tmp_path_factory):
    """mine/ of a student who typed the solutions into every chapter. Only an answer that its check accepts is kept."""
    if os.environ.get("MINIDS_SOLVED"):
        return os.environ["MINIDS_SOLVED"]
    folder, mine = tmp_path_factory.mktemp("desk"), tmp_path_factory.mktemp("solved") / "mine"
    answers = {e.name: catalog.cell(e, filled=True) for e in EXERCISES}
    for chapter in CHAPTERS:
        _, marks, failed = sit(chapter, answers, mine, folder)
        assert not failed, (chapter, failed)
        assert set(marks.values()) == {"✓"}, (chapter, marks)
    return mine


def test_who_solves_everything_owns_a_minids_that_gives_the_same_results(solved, recipe, by_two, tmp_path):
    said = minids("progress", mine=solved)
    assert f"{len(EXERCISES)} of {len(EXERCISES)} parts" in said.stdout
    done = minids("run", recipe, "--out", tmp_path / "mine", "--workers", 2, "--mine", mine=solved)
    assert done.returncode == 0, done.stderr
    theirs, own = results(by_two), results(tmp_path / "mine")
    assert len(own["mine"]["yours"]) == len(EXERCISES) and "mine" not in theirs
    assert own["evals"] == theirs["evals"]
    assert [s.get("loss") for s in own["stages"]] == [s.get("loss") for s in theirs["stages"]]
    page = (tmp_path / "mine" / "report.html").read_text(encoding="utf-8")
    assert f"{len(EXERCISES)} of {len(EXERCISES)} parts of this model are yours" in page


def test_other_right_answers_run_the_whole_job_too(recipe, finished, tmp_path):
    """Not the library's code, so no fast path: slower, and equal up to rounding at the start."""
    from minids.course import answers as mine

    os.environ["MINIDS_MINE"] = str(tmp_path / "mine")  # the fixture own_folder puts it back
    for e in EXERCISES:
        mine.keep(e.name, answer_of(wrong.load()[1][e.name][0], e.name))
    mine.uninstall()
    out = tmp_path / "run"
    done = minids("run", recipe, "--out", out, "--workers", 1, "--mine", mine=tmp_path / "mine")
    assert done.returncode == 0, done.stderr
    files = [run / "metrics.jsonl" for run in (finished, out)]
    lines = [[json.loads(x) for x in file.read_text(encoding="utf-8").splitlines()] for file in files]
    a, b = (next(row["loss"] for row in part if row["stage"] == "pretrain") for part in lines)
    assert a == pytest.approx(b, rel=1e-3)
    assert len(results(out)["mine"]["yours"]) == len(EXERCISES)


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_who_gets_everything_wrong_or_writes_nothing_still_reaches_the_end_of_every_chapter(chapter, tmp_path):
    """Every answer is tried wrong, then left blank: the cells below run as they do in a chapter as it is handed out,
    and those whose text is the same everywhere print what is stored in it."""
    planted, _ = wrong.load()
    answers = {e.name: answer_of(planted[e.name][-1].fn, e.name) for e in EXERCISES if e.chapter == chapter}
    notebook, marks, failed = sit(chapter, answers, tmp_path / "mine", catalog.ROOT / "chapters", give_up=True)
    assert not failed, failed
    assert marks == dict.fromkeys(answers, "✗○"), marks
    assert not list((tmp_path / "mine").glob("*.py"))
    stored = nbformat.read(catalog.ROOT / "chapters" / f"{chapter}.ipynb", 4)
    assert build.exact_texts(notebook) == build.exact_texts(stored)


def test_the_chapters_are_the_ones_that_were_built():
    assert CHAPTERS == sorted(p.stem for p in (catalog.ROOT / "chapters").glob("[0-9][0-9]_*.ipynb"))
    assert build.FOLDERS == {"chapters": False, "solutions": True}
