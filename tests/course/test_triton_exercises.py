"""Exercises that are Triton kernels: cell, check, what is kept, grader; what a kernel may touch; without Triton."""

import json
import os
import pickle
import subprocess
import sys

import pytest
import torch

from minids.course import answers as mine
from minids.course import build, catalog, judge, memory_guard, notebook, wrong
from minids.course.grading import grade, sandbox
from minids.kernels import quantise, runtime
from minids.kernels.runtime import tl, triton

NAME = "triton.quantise"
CHAPTER = "07_triton"
FORK = pytest.mark.skipif(not hasattr(os, "fork"), reason="the grader needs fork (Linux, macOS)")
interpreted = pytest.mark.skipif(not runtime.INTERPRETED, reason="Triton's interpreter is not available")


def right():
    """The cell as a student fills it in: not quite the library's own code."""
    whole = catalog.cell(catalog.exercise(NAME), filled=True)
    return whole.replace("    block = ", "    there = True\n    block = ")


def mistaken():
    return right().replace("scale, m < M)", "scale)")


# -- the cell ----------------------------------------------------------------------------------------------------------


def test_cells_keep_the_decorator_and_import_what_the_kernel_needs():
    found = catalog.exercise(NAME)
    for filled in (False, True):
        function, check = build.exercise_cells(found, filled)
        lines = function.source.splitlines()
        assert "@triton.jit" in lines and lines[lines.index("@triton.jit") + 1].startswith("def quantise_kernel(")
        assert "from minids.kernels.runtime import triton" in lines
        assert check.source == f'check("{NAME}", quantise_kernel)'
        assert ("raise NotImplementedError" in function.source) is not filled
    assert catalog.is_kernel(NAME) and not catalog.is_kernel("layers.swiglu")


def test_every_exercise_of_the_chapter_is_a_kernel_with_hints():
    for found in catalog.every(CHAPTER):
        assert catalog.is_kernel(found.name), found.name
        if found.start is None:
            lines = catalog.blank(catalog.solution(found.name)).splitlines()
            assert sum(line.strip().startswith("#") for line in lines) >= 2, found.name


# -- check and mine ----------------------------------------------------------------------------------------------------


@interpreted
def test_a_right_kernel_is_kept_and_works_in_the_library(cell, capsys):
    own = quantise.quantise_kernel.fn
    notebook.check(NAME, cell(NAME, right()))
    assert f"✓ {NAME}: all" in capsys.readouterr().out
    assert quantise.quantise_kernel.fn is not own and catalog.reference(NAME).fn is own
    x = torch.randn(5, 200)
    with memory_guard.only(x, record=True):
        for got, want in zip(quantise.quantise(x, backend="torch"), quantise.quantise_reference(x)):
            assert torch.equal(got.float(), want.float())
    for got, want in zip(quantise.quantise(x, backend="triton"), quantise.quantise_reference(x)):
        assert torch.equal(got.float(), want.float())
    mine.uninstall()
    assert quantise.quantise_kernel.fn is own
    assert mine.load() == {NAME: None} and quantise.quantise_kernel.fn is not own
    mine.path_of(NAME).write_text(mistaken(), encoding="utf-8")
    assert "nothing beside or behind is written" in mine.load()[NAME]


@pytest.mark.slow
@interpreted
def test_blank_wrong_and_library_are_told_apart(cell, capsys):
    notebook.check(NAME, cell(NAME, catalog.cell(catalog.exercise(NAME), filled=False)))
    assert "not attempted" in capsys.readouterr().out
    notebook.check(NAME, quantise.quantise_kernel)
    assert "library's own" in capsys.readouterr().out
    notebook.check(NAME, cell(NAME, mistaken()))
    said = capsys.readouterr().out
    assert "✗" in said and "numbers that are not s's were written" in said
    assert wrong.named(NAME, "scales_without_a_mask").mistake in said


@interpreted
@pytest.mark.parametrize(
    "old, new, told",
    [
        ("tl.clamp(", "tl.clamped(", "AttributeError: module 'triton.language' has no attribute 'clamped'"),
        ("m < M)", "k < M)", "in line"),
        ("@triton.jit", "", "is @triton.jit missing"),
    ],
)
def test_what_goes_wrong_inside_is_said_with_its_line(old, new, told, cell):
    fn = cell(NAME, right().replace(old, new))
    why = judge.run_cases(NAME, fn)[0].why
    assert told in why and "InterpreterError" not in why
    if old == "tl.clamp(":
        assert "y = tl.clamped(tl.div_rn(v," in why.splitlines()[1]


@interpreted
def test_a_wild_store_ends_the_case_and_not_the_process(cell):
    fn = cell(NAME, right().replace("tl.store(s +", "tl.store(s + 1_000_000_000 +"))
    results = judge.run_cases(NAME, fn)
    assert all(r.why.startswith("IndexError: program (0, 0, 0) stores") for r in results)
    fn = cell(NAME, right().replace("tl.load(x +", "tl.load(x - 1_000_000_000 +"))
    assert "loads" in judge.run_cases(NAME, fn)[0].why


# -- what a kernel touches ---------------------------------------------------------------------------------------------


@triton.jit
def _copy(x, y, n, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.store(y + i, tl.load(x + i, i < n), i < n)


@interpreted
def test_loads_and_stores_are_noted_by_program_and_place():
    memory = torch.zeros(4, 10)
    x, y = torch.arange(5.0), memory[1:3, :5]  # two rows, with a gap
    with memory_guard.only(x, memory, record=True) as seen:
        _copy[(2,)](x, y, 5, BLOCK=4)
        _copy[(1,)](x, y, 1, BLOCK=4)
    assert seen.program(y).tolist() == [[0, 0, 0, 0, 1], [-1] * 5]
    assert seen.stores(y).tolist() == [[2, 1, 1, 1, 1], [0] * 5] and seen.stores(memory).sum() == 6
    assert seen.loads(x).tolist() == [2, 1, 1, 1, 1] and seen.loads(x, program=1).tolist() == [0, 0, 0, 0, 1]
    assert seen.bytes() == (24, 24)
    assert y[0].tolist() == x.tolist()


@interpreted
def test_outside_is_an_error_and_nothing_is_written():
    x, y = torch.ones(64), torch.zeros(4)
    with memory_guard.only(x, y), pytest.raises(Exception, match="program .0, 0, 0. stores 60 numbers far outside"):
        _copy[(1,)](x, y, 64, BLOCK=64)
    assert y.tolist() == [0, 0, 0, 0]
    with memory_guard.only(x, torch.zeros(70)[:4]):  # memory of one of them
        pass
    _copy[(1,)](x, torch.zeros(64), 64, BLOCK=64)  # afterwards nothing is looked at


@triton.jit
def _rows(x, y, K, row, CAREFUL: tl.constexpr, BLOCK: tl.constexpr):
    k = tl.arange(0, BLOCK)
    at = x + tl.program_id(0) * row + k
    v = tl.load(at, k < K, 0.0) if CAREFUL else tl.where(k < K, tl.load(at), 0.0)
    tl.store(y + tl.program_id(0) * K + k, v, k < K)


@interpreted
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16, torch.float8_e4m3fn])
def test_junk_that_is_loaded_is_seen_also_where_it_reaches_no_result(dtype):
    memory = torch.full((3, 8), float("nan")).to(dtype)
    memory[:, :5] = torch.arange(15.0).view(3, 5).to(dtype)
    for careful in (True, False):
        y = torch.zeros(3, 5).to(dtype)
        _rows[(3,)](memory, y, 5, 8, CAREFUL=careful, BLOCK=8)
        assert torch.equal(y.float(), memory[:, :5].float())  # right, either way
    with memory_guard.only(memory, y, nan=False):
        _rows[(3,)](memory, y, 5, 8, CAREFUL=True, BLOCK=8)
        with pytest.raises(Exception, match="program .0, 0, 0. loads 3 numbers that are not there"):
            _rows[(3,)](memory, y, 5, 8, CAREFUL=False, BLOCK=8)


# -- the grader --------------------------------------------------------------------------------------------------------


def graded(folder, **answers):
    """{student: grade of the exercise}"""
    for student, text in answers.items():
        cells = [text, *(f'check("{e.name}", {e.function})' for e in catalog.every(CHAPTER))]
        cells = [{"cell_type": "code", "metadata": {}, "source": c} for c in cells]
        whole = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
        (folder / f"{student}.ipynb").write_text(json.dumps(whole), encoding="utf-8")
    sent = grade.grade_files([folder], jobs=1, seed=7, limits=sandbox.Limits(cpu=3, call=60, total=200, lives=1))
    return {s.student: next(g for g in s.grades if g.exercise == NAME) for s in sent}


@pytest.mark.slow
@FORK
@interpreted
def test_kernels_are_graded_behind_fences(tmp_path):
    body = right()
    got = graded(
        tmp_path,
        fine=body,
        unmasked=mistaken(),
        endless=body.replace("    there = True", "    while True: pass"),
        wild=body.replace("tl.store(s +", "tl.store(s + 1_000_000_000 +"),
        broken=body.replace("tl.clamp(", "tl.clamped("),
    )
    points = catalog.exercise(NAME).points
    assert (got["fine"].points, got["fine"].why) == (points, "") and not got["fine"].same_as_library
    assert 0 < got["unmasked"].points < points and "were written" in got["unmasked"].why
    assert wrong.named(NAME, "scales_without_a_mask").mistake in got["unmasked"].hint
    assert got["endless"].points == 0 and "stopped" in got["endless"].why
    assert got["wild"].points == 0 and "IndexError: program (0, 0, 0) stores" in got["wild"].why
    assert got["broken"].points == 0 and "in line" in got["broken"].why and "AttributeError" in got["broken"].why


def test_tensors_of_fp8_reach_the_worker_as_they_lie():
    x = torch.arange(12.0).view(3, 4).to(torch.float8_e4m3fn)
    sent = pickle.loads(sandbox._dumps((x.t(), [x.t()], x)))
    assert torch.equal(sent[0].float(), x.t().float()) and sent[0].stride() == (1, 4)
    assert sent[2].dtype == x.dtype and torch.equal(sent[2].float(), x.float())


# -- where there is no interpreter -------------------------------------------------------------------------------------

CHECKED = """
import linecache, sys
{before}
from minids.course import answers, catalog, check_quality, notebook
name = {name!r}
source = catalog.cell(catalog.exercise(name), True).replace("block = ", "there = block = ")
linecache.cache["<cell>"] = len(source), None, source.splitlines(True), "<cell>"
space = {{}}
exec(compile(source, "<cell>", "exec"), space)
notebook.check(name, space["quantise_kernel"])
answers.write(answers.path_of(name), source)
print(answers.load()[name])
sys.exit(check_quality.main(["07"]))
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    "before, said",
    [
        ("sys.modules['triton'] = None", "no Triton is installed"),
        ("import os; os.environ['TRITON_INTERPRET'] = '0'", "TRITON_INTERPRET=1"),
    ],
)
def test_without_an_interpreter_checks_say_so(before, said, tmp_path):
    env = {k: v for k, v in os.environ.items() if k != "TRITON_INTERPRET"} | {"MINIDS_MINE": str(tmp_path)}
    code = CHECKED.format(before=before, name=NAME)
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, cwd=tmp_path, encoding="utf-8")
    first, kept = done.stdout.splitlines()[0], done.stdout.splitlines()[-1]
    assert first.startswith(f"○ {NAME}: it cannot be checked here: ") and said in first, done.stderr
    assert "cannot be checked here" in kept and (tmp_path / f"{NAME}.py").exists()
    assert done.returncode and f"{catalog.every(CHAPTER)[0].name} cannot be measured here" in done.stderr


@pytest.mark.slow
def test_without_triton_the_chapter_still_reaches_its_end(tmp_path):
    source = catalog.SOURCES / f"{CHAPTER}.py"
    code = f"import sys, runpy; sys.modules['triton'] = None; runpy.run_path({str(source)!r}); print('the end')"
    env = {k: v for k, v in os.environ.items() if k != "TRITON_INTERPRET"}
    env |= {"MINIDS_MINE": str(tmp_path), "MPLBACKEND": "Agg", "OMP_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, cwd=tmp_path, encoding="utf-8")
    assert done.stdout.endswith("the end\n"), done.stderr[-2000:]
    assert "Kernels do not run here: no Triton is installed" in done.stdout
