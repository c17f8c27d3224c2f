"""Grading: what students send in, in every state of repair, becomes points, reasons and pages."""

import csv
import html.parser
import inspect
import json
import os
import re
from pathlib import Path

import pytest
import torch

from minids import cli
from minids.course import cases, catalog, judge, wrong
from minids.course.grading import feedback, grade, sandbox, submissions, table
from minids.errors import MinidsError

pytestmark = [
    pytest.mark.slow,  # a process for nearly every test
    pytest.mark.skipif(not hasattr(os, "fork"), reason="the grader needs fork (Linux, macOS)"),
]
LIMITS = sandbox.Limits(cpu=1, call=6, total=20, lives=2)
GATED, NORM = "layers.swiglu", "layers.rms_norm"
SOURCE = f"""# %% [markdown]
# # 90 Probe
# %% exercise="{GATED}" points=4
from minids.model.layers import swiglu
# %% exercise="{NORM}" points=2
from minids.model.layers import rms_norm
"""
SILU = "silu = torch.nn.functional.silu\n"
RIGHT = SILU + "def swiglu(gate, up):\n    return silu(gate) * up\n"
HALF = "def swiglu(gate, up):\n    return torch.sigmoid(gate) * up\n"
CASES = """
import torch
from minids.course.cases import case, expect

@case("layers.swiglu")
def zero_gates_shut(swiglu):
    x = torch.randn(3)
    expect(swiglu(torch.zeros(3), x), torch.zeros(3), x=x)

@case("layers.swiglu")
def is_silu_times_up(swiglu):
    x, y = torch.randn(2, 3), torch.randn(2, 3)
    expect(swiglu(x, y), x / (1 + torch.exp(-x)) * y, x=x, y=y)

@case("layers.swiglu")
def shapes_stay(swiglu):
    assert swiglu(torch.ones(2, 5), torch.ones(2, 5)).shape == (2, 5), "another shape"

@case("layers.swiglu", held_out=True)
def large_gates_pass(swiglu):
    x = torch.full((2,), 50.0)
    expect(swiglu(x, x), x * x, tol=1e-4, x=x)

@case("layers.rms_norm")
def ones_stay_ones(rms_norm):
    expect(rms_norm(torch.ones(4), torch.ones(4), 0.0), torch.ones(4))
"""  # noqa: E501


@pytest.fixture
def course(tmp_path_factory, monkeypatch):
    """A course of one chapter with two exercises."""
    sources, registered, space = tmp_path_factory.mktemp("src"), {}, {}
    (sources / "90_probe.py").write_text(SOURCE, encoding="utf-8")
    monkeypatch.setattr(catalog, "SOURCES", sources)
    monkeypatch.setattr(cases, "CASES", registered)
    exec(CASES, space)
    monkeypatch.setattr(cases, "load", lambda: registered)
    known = wrong.Wrong(lambda gate, up: gate.sigmoid() * up, "the gate is a sigmoid", "What is SiLU?", "x")
    monkeypatch.setattr(wrong, "load", lambda: ({GATED: [known]}, {}))


def notebook(*cells, kind="code"):
    cells = [{"cell_type": kind, "metadata": {}, "source": c.splitlines(True)} for c in cells]
    return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})


def checks(*cells):
    return notebook(*cells, f'check("{GATED}", swiglu)', f'check("{NORM}", rms_norm)')


def graded(*paths, **settings):
    return grade.grade_files([str(p) for p in paths], limits=LIMITS, **{"seed": 3, "jobs": 1, **settings})


@pytest.fixture
def one(course, tmp_path):
    """one(text, name) -> the grades of one submission: {exercise: Grade}."""

    def run(text, name="alice.ipynb", **settings):
        (tmp_path / name).write_bytes(text if isinstance(text, bytes) else text.encode())
        (sent,) = graded(tmp_path / name, **settings)
        return {g.exercise: g for g in sent.grades}

    return run


# -- points and reasons ------------------------------------------------------------------------------------------------


def test_a_right_answer_gets_all_points_and_a_missing_one_none(one):
    got = one(checks(RIGHT))
    assert (got[GATED].points, got[GATED].passed, got[GATED].cases, got[GATED].why) == (4, 4, 4, "")
    assert (got[NORM].points, got[NORM].why) == (0, "not attempted")


@pytest.mark.parametrize(
    "source, told",
    [
        ("from minids.model import layers\ndef swiglu(*a, **k):\n    return layers.swiglu(*a, **k)\n", "is to replace"),
        (
            "def swiglu(gate, up):\n    return helper(gate) * up\n",
            "put its helpers, constants and imports into this cell",
        ),
        ("def swiglu(gate, up):\n    return float(input('up? '))\n", "an answer may not ask"),
    ],
)
def test_what_the_student_is_to_do_is_said_here_too(one, source, told):
    got = one(checks(source))[GATED]
    assert got.points == 0 and told in got.why.splitlines()[0]  # as in the table


def test_points_are_in_proportion_and_the_mistake_is_named(one):
    got = one(checks(HALF))[GATED]
    assert (got.points, got.passed) == (1, 1)
    assert got.why.startswith("zero gates shut: values differ") and "given    x = tensor" in got.why
    assert got.hint == "It behaves as if the gate is a sigmoid. What is SiLU?"


REFUSES = """
from minids.course.cases import raises

@case("layers.swiglu")
def no_gate_is_refused(swiglu):
    raises(ValueError, swiglu, None, torch.ones(2))
"""


@pytest.mark.parametrize(
    "body, passed, told",
    [
        ("raise ValueError", 1, "no case in which it has to give a result passes"),
        ("if gate is None:\n        raise ValueError", 1, "no case in which it has to give a result passes"),
        ("return torch.zeros(3)", 1, "it gives the same in every call"),
        ("return gate", 2, ""),
        ("if gate is None:\n        raise ValueError\n    return gate", 3, ""),
    ],
)
def test_what_is_to_be_had_without_an_idea_earns_nothing(one, body, passed, told):
    exec(REFUSES, {"case": cases.case, "torch": torch})
    got = one(checks(f"def swiglu(gate, up):\n    {body}\n"))[GATED]
    assert got.passed == passed and got.why.startswith(f"no points, for {told}. ") == bool(told)
    assert got.points == (0 if told else pytest.approx(0.8 * passed))


def test_a_held_out_case_counts(one):
    got = one(checks(SILU + "def swiglu(gate, up):\n    return silu(gate.clamp(max=9)) * up\n"))[GATED]
    assert (got.points, got.passed, got.hint) == (3, 3, "") and got.why.startswith("large gates pass")


def test_the_librarys_own_code_is_said_to_be_so(one):
    own = catalog.solution(GATED)
    got = one(checks(own))[GATED]
    assert got.same_as_library and got.points == 4
    assert not one(checks(RIGHT))[GATED].same_as_library


def test_the_same_seed_gives_the_same_grades(one):
    assert one(checks(HALF))[GATED].why == one(checks(HALF))[GATED].why
    assert one(checks(HALF))[GATED].why != one(checks(HALF), seed=4)[GATED].why


def test_without_a_seed_there_is_a_fresh_one_and_it_is_printed(one, capsys):
    one(checks(HALF), seed=None)
    first = re.search(r"seed (\d+)", capsys.readouterr().out)[1]
    one(checks(HALF), seed=None)
    assert re.search(r"seed (\d+)", capsys.readouterr().out)[1] != first


# -- finding answers ---------------------------------------------------------------------------------------------------


def test_answers_are_found_whatever_the_notebook_is_called(one):
    assert one(checks(RIGHT), name="homework final (2).ipynb")[GATED].points == 4
    assert one(notebook(RIGHT))[GATED].points == 4  # without any check


def test_a_cell_copied_twice_and_a_blank_one_below(one):
    blank = catalog.blank(catalog.solution(GATED))
    assert one(checks(blank, RIGHT, RIGHT, blank))[GATED].points == 4
    assert one(checks(RIGHT, HALF))[GATED].points == 1  # the last one that is not blank
    assert one(checks(blank))[GATED].why == "not attempted"
    assert one(checks(RIGHT, "def swiglu(gate, up:\n"))[GATED].points == 4


def test_an_attempt_that_cannot_be_run_counts_as_one(course, tmp_path, capsys):
    text = "def swiglu(gate, up):\n    retrun gate\n"
    (tmp_path / "alice.ipynb").write_text(checks(text), encoding="utf-8")
    for _ in range(2):
        (sent,) = graded(tmp_path / "alice.ipynb", html=tmp_path / "pages", csv=tmp_path / "grades.csv")
        assert (sent.points, sent.grades[0].why) == (0, "SyntaxError: invalid syntax (line 2)")
    page = (tmp_path / "pages" / "alice.html").read_text(encoding="utf-8")
    assert "What you sent" in page and "retrun gate" in page and "cases pass" not in page
    assert "0 of 2 right, 1 not attempted" in capsys.readouterr().out


def test_magics_markdown_and_old_notebooks(one):
    assert one(checks("%%time\n!pip list\n?print\n" + RIGHT))[GATED].points == 4
    assert one(notebook(RIGHT, f'check("{GATED}", swiglu)', kind="markdown").replace('"markdown"', '"code"', 0)) == {}
    old = {"worksheets": [{"cells": [{"cell_type": "code", "input": RIGHT}]}], "nbformat": 3}
    assert one(json.dumps(old))[GATED].points == 4


def test_python_files_and_folders_of_kept_answers(course, tmp_path):
    (tmp_path / "bob.py").write_text("import torch\n" + RIGHT + "\n\nraise SystemExit\n", encoding="utf-8")
    kept = tmp_path / "carol" / "mine"
    kept.mkdir(parents=True)
    (kept / f"{GATED}.py").write_text("# minids passed\n" + HALF, encoding="utf-8")
    (kept / "log.jsonl").write_text("{}", encoding="utf-8")
    bob, carol = graded(tmp_path / "bob.py", tmp_path / "carol")
    assert (bob.points, carol.points) == (4, 1) and (bob.student, carol.student) == ("bob", "carol")


def test_nothing_but_the_function_is_run(one, tmp_path):
    mark = tmp_path / "mark"
    act = f"open({str(mark)!r}, 'w')"
    got = one(checks(act, f"{act}\n{RIGHT}\n{act}\nswiglu(1, 2)\n", f"while True: {act}"))
    assert got[GATED].points == 4 and not mark.exists()


def test_helpers_of_the_same_cell_are_there(one):
    helper, answer = "import math\ndef helper(x):\n    return x * x.sigmoid() ** math.cos(0)\n", RIGHT[len(SILU) :]
    answer = answer.replace("silu", "helper")
    assert one(checks(helper + answer))[GATED].points == 4
    got = one(checks(helper, answer))[GATED]
    assert got.points == 0 and "NameError" in got.why and "in line 2" in got.why


@pytest.mark.parametrize(
    "paths, names",
    [
        (["alice.ipynb", "bob.ipynb"], ["alice", "bob"]),
        (["alice/90_probe.ipynb", "bob/90_probe.ipynb"], ["alice", "bob"]),
        (["alice/hw.ipynb", "bob/hw.ipynb"], ["alice", "bob"]),
        (["submitted/alice/90_probe/90_probe.ipynb", "submitted/bob/90_probe/other.ipynb"], ["alice", "bob/other"]),
        (["a/alice.ipynb", "a/bob.ipynb", "b/alice.ipynb"], ["a/alice", "a/bob", "b/alice"]),
        (["alice/90_probe.ipynb", "alice/mine"], ["alice", "alice"]),
        (["alice.ipynb"], ["alice"]),
        (["alice/90_probe.ipynb"], ["alice"]),
    ],
)
def test_who_sent_it(course, tmp_path, paths, names):
    for path in paths:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        if path.endswith("mine"):
            (tmp_path / path).mkdir()
            (tmp_path / path / f"{GATED}.py").write_text(RIGHT, encoding="utf-8")
        else:
            (tmp_path / path).write_text(checks(RIGHT), encoding="utf-8")
    assert [s.student for s in submissions.collect([tmp_path / p for p in paths])] == names


# -- submissions in a bad state ----------------------------------------------------------------------------------------

WHOLE = checks(RIGHT, HALF)
BROKEN = {
    "truncated": (WHOLE[:-200], "damaged"),
    "mangled": (WHOLE.replace("[", "{"), "damaged"),
    "no notebook": ("[1, 2]", "no notebook"),
    "wrong kinds": ('{"cells": [{"cell_type": "code", "source": [1, 2]}, 3]}', "no notebook"),
    "deep": ("[" * 100_000, "damaged"),
    "empty": ("", "empty"),
    "blanks": (" \n", "empty"),
    "zip": (b"PK\x03\x04\x14\0\0\0", "a zip archive: unpack it"),
    "bytes": (b"\xff\xfe\x00\x01", "UTF-8"),
    "nothing in it": (notebook("print(1)"), "no exercise was found"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_file_gets_no_points_and_the_batch_goes_on(course, tmp_path, kind):
    text, why = BROKEN[kind]
    (tmp_path / "a.ipynb").write_bytes(text if isinstance(text, bytes) else text.encode())
    (tmp_path / "b.ipynb").write_text(checks(RIGHT), encoding="utf-8")
    a, b = graded(tmp_path, csv=tmp_path / "grades.csv", html=tmp_path / "pages")
    assert (a.points, a.of, b.points) == (0, 6, 4)
    assert why in a.error and all(why in g.why for g in a.grades)


def test_other_files_are_said_to_be_none_of_these(course, tmp_path):
    (tmp_path / "a.zip").write_bytes(b"PK")
    (tmp_path / "b.ipynb").write_text("x" * 100, encoding="utf-8")
    (tmp_path / "c.ipynb").write_text(checks(RIGHT), encoding="utf-8")
    os.mkfifo(tmp_path / "d.ipynb")
    sent = graded(*sorted(tmp_path.glob("?.*")))
    assert [s.points for s in sent] == [0, 0, 4, 0] and sent[0].error.startswith("neither") and sent[3].error


def test_huge_files(one, monkeypatch):
    monkeypatch.setattr(submissions, "LARGEST_FILE", 10_000)
    monkeypatch.setattr(submissions, "LARGEST_CODE", 5_000)
    assert "larger than" in one(checks(RIGHT, "#" * 20_000))[GATED].why
    assert "of code" in one(checks(RIGHT, "#" * 6_000))[GATED].why


@pytest.mark.parametrize(
    "text, why",
    [
        ("def swiglu(gate, up)\n    return 1\n", "SyntaxError"),
        ("def swiglu(gate, up):\nreturn 1\n", "SyntaxError"),
        ("def swiglu(gate, up):\n    return " + "-" * 50_000 + "1\n", "Python"),
        ("def swiglu(gate, up):\n    return a" + ".b" * 100_000 + "\n", "Python"),
        ("def swiglu(a):\n  '\0'\n", "Error"),
    ],
    ids=["colon", "indent", "minus", "dots", "null"],
)
def test_what_is_no_python(one, text, why):
    got = one(checks(text))[GATED]
    assert got.points == 0 and why in got.why


@pytest.mark.parametrize(
    "body, why",
    [
        ("while True: pass", "stopped: it (used|took) more than"),
        ("import os; os._exit(0)", "ended its own process"),
        ("raise SystemExit", "SystemExit"),
        ("return torch.empty(100_000_000_000)", "memory"),
        ("print('x' * 100); return None", "None"),
    ],
)
def test_answers_that_misbehave(one, body, why):
    got = one(checks(f"def swiglu(gate, up):\n    {body}\n"))[GATED]
    assert got.points == 0 and re.search(why, got.why)


# -- cheats ------------------------------------------------------------------------------------------------------------

PATCH = """import torch, minids.course.cases as c, minids.course.judge as j, minids.course.grading.grade
torch.allclose = torch.equal = lambda *a, **k: True
x = setattr(c, 'expect', print), setattr(j, 'run_cases', lambda *a, **k: [])
class Equal(torch.Tensor):
    def __eq__(self, other): return True
def swiglu(gate, up):
    return torch.zeros(gate.shape[:1]).as_subclass(Equal)
"""
SPOIL = "def swiglu(gate, up):\n    gate.zero_(); up.zero_()\n    return gate\n"
SNOOP = """def swiglu(gate, up):
    import gc, sys
    frame = sys._getframe()
    while frame:
        for value in frame.f_locals.values():
            if isinstance(value, torch.Tensor) and value is not gate and value is not up:
                return value
        frame = frame.f_back
    return [t for t in gc.get_objects() if isinstance(t, torch.Tensor)][-1]
"""
CALLS = "from minids.model import layers\ndef swiglu(gate, up):\n    return layers.swiglu(gate, up)\n"


CHEATS = {"patch": (PATCH, 1), "spoil": (SPOIL, 2), "snoop": (SNOOP, 2), "call": (CALLS, 0)}


@pytest.mark.parametrize("kind", CHEATS)
def test_cheats_get_no_more_than_they_are_worth(one, kind):
    text, most = CHEATS[kind]
    got = one(checks(text))[GATED]
    assert got.passed <= most and got.points <= most and got.why


def test_spoiling_the_arguments_is_named(one):
    assert "it changes its argument" in one(checks(SPOIL))[GATED].why


def test_a_case_that_expects_an_exception_is_not_passed_by_ending_the_process(one, course):
    @cases.case(NORM)
    def refuses_text(rms_norm):
        try:
            rms_norm("x", None, 0)
        except Exception:
            return
        raise AssertionError("text is no tensor")

    body = "    if isinstance(x, str): {}\n    return x\n"
    honest = one(checks("def rms_norm(x, weight, eps):\n" + body.format("raise TypeError")))[NORM]
    cheat = one(checks("def rms_norm(x, weight, eps):\n" + body.format("import os; os._exit(0)")))[NORM]
    assert (honest.passed, cheat.passed) == (2, 1) and "ended its own process" in cheat.why


# -- an instructor's own cases -----------------------------------------------------------------------------------------


def private(folder, want="[2.0]"):
    folder.mkdir(exist_ok=True)
    (folder / "secret_cases.py").write_text(
        "import torch\nfrom minids.course.cases import case, expect\n@case('layers.rms_norm')\n"
        "def the_secret_case(rms_norm):\n"
        f"    expect(rms_norm(torch.full((1,), 3.0), torch.full((1,), 2.0), 0.0), torch.tensor({want}))\n",
        encoding="utf-8",
    )
    return folder


def test_private_cases_count_and_give_nothing_away(one, tmp_path):
    wrong_answer = checks("def rms_norm(x, weight, eps):\n    return x / x\n")
    before = one(wrong_answer)[NORM]
    got = one(wrong_answer, private=private(tmp_path / "private"), html=tmp_path / "pages")[NORM]
    assert (before.points, before.cases, got.points, got.cases) == (2, 1, 1, 2)
    assert got.why == "the secret case: a case of your instructor's"
    assert "tensor([2" not in (tmp_path / "pages" / "alice.html").read_text(encoding="utf-8")
    assert len(cases.CASES[NORM]) == 1  # registered nowhere else


def test_a_private_case_that_the_library_fails_is_refused(one, tmp_path):
    with pytest.raises(MinidsError, match="the_secret_case.*refuses the library's own"):
        one(checks(RIGHT), private=private(tmp_path / "private", want="[5.0]"))
    (tmp_path / "private" / "secret_cases.py").write_text("import nothing_such", encoding="utf-8")
    with pytest.raises(MinidsError, match="secret_cases.py: ModuleNotFoundError"):
        one(checks(RIGHT), private=tmp_path / "private")
    (tmp_path / "none").mkdir()
    with pytest.raises(MinidsError, match="no .py file"):
        one(checks(RIGHT), private=tmp_path / "none")


# -- table and pages ---------------------------------------------------------------------------------------------------

HOSTILE = '=HYPERLINK("http://x")<script>alert(1)</script>'
EVIL = f"""def swiglu(gate, up):
    "</pre><script>alert('source')</script>\u202e"
    raise ValueError("<img src=x onerror=alert(2)>{HOSTILE.replace('"', "'")}")
"""


class Tags(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags, self.attributes = set(), set()

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attributes}


def test_pages_show_what_a_student_wrote_as_text(course, tmp_path):
    (tmp_path / "<script>x.ipynb").write_text(checks(EVIL), encoding="utf-8")
    (tmp_path / "..index.ipynb").write_text(checks(HALF), encoding="utf-8")
    graded(*sorted(tmp_path.glob("*.ipynb")), html=tmp_path / "pages")
    files = sorted(p.name for p in (tmp_path / "pages").iterdir())
    assert files == ["index-2.html", "index.html", "script-x.html"]
    for name in files:
        text, seen = (tmp_path / "pages" / name).read_text(encoding="utf-8"), Tags()
        seen.feed(text)
        assert not {"script", "img", "iframe", "link", "object", "form"} & seen.tags
        assert not any(a.startswith("on") or a in ("src", "style") for a in seen.attributes)
        assert "default-src 'none'" in text and "\u202e" not in text
    page = (tmp_path / "pages" / "script-x.html").read_text(encoding="utf-8")
    assert "&lt;img src=x onerror=alert(2)&gt;" in page and "in line 3: raise ValueError" in page
    assert "\\u202e" in page and "What you sent" in page
    index = (tmp_path / "pages" / "index.html").read_text(encoding="utf-8")
    assert "the gate is a sigmoid" in index and "1 / 6" in index


def test_the_table_has_a_line_an_exercise_and_no_formulas(course, tmp_path):
    (tmp_path / "=1+1.ipynb").write_text(checks(EVIL), encoding="utf-8")
    (tmp_path / "bob.ipynb").write_text(checks(HALF), encoding="utf-8")
    graded(*sorted(tmp_path.glob("*.ipynb")), csv=tmp_path / "grades.csv")
    with open(tmp_path / "grades.csv", newline="", encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == table.COLUMNS and len(rows) == 4
    assert rows[0]["student"] == "'=1+1" and rows[2]["student"] == "bob"
    assert [rows[2][k] for k in ("points", "of", "passed", "cases", "same_as_library")] == ["1", "4", "1", "4", ""]
    assert "the gate is a sigmoid" in rows[2]["why"] and "\n" not in rows[2]["why"]
    assert not any(value.startswith(("=", "+", "-", "@")) for row in rows for value in row.values())


def test_a_file_that_is_no_table_of_grades_is_left_as_it_is(course, tmp_path, capsys):
    (tmp_path / "a.ipynb").write_text(checks(RIGHT), encoding="utf-8")
    for data in (
        b"name;matriculation\nM\xfcller;1\n",
        "name;matriculation\nMüller;1\n".encode(),
        b"\n",
        b"\0",
        b"student,points\nx,1\n",
    ):
        (tmp_path / "roster.csv").write_bytes(data)
        assert cli.main(["grade", str(tmp_path / "a.ipynb"), "--csv", str(tmp_path / "roster.csv")]) == 2
        said = capsys.readouterr()
        assert "is no table of grades: choose another name" in said.err and "seed" not in said.out
        assert (tmp_path / "roster.csv").read_bytes() == data and len(list(tmp_path.iterdir())) == 2


def test_no_row_of_a_table_is_lost(course, tmp_path):
    path, weeks = tmp_path / "gr.csv", [tmp_path / "w1", tmp_path / "w2"]
    for week in weeks:
        for name in ("a", "b"):
            (week / name).mkdir(parents=True)
            (week / name / "hw.ipynb").write_text(checks(RIGHT), encoding="utf-8")
    graded(weeks[0], csv=path)
    before = path.read_bytes()
    assert before.startswith(b"\xef\xbb\xbfstudent,")  # for Excel
    graded(weeks[0], csv=path)
    assert path.read_bytes() == before  # its own rows are renewed
    with pytest.raises(MinidsError, match="4 rows that would be lost.*w1/a/hw.ipynb.*another name for --csv.*delete"):
        graded(weeks[1], csv=path)
    (weeks[0] / "b" / "hw.ipynb").rename(tmp_path / "b.ipynb")
    with pytest.raises(MinidsError, match="2 rows that would be lost.*w1/b/hw.ipynb"):
        graded(weeks[0], csv=path)
    assert path.read_bytes() == before and not path.with_name("gr.csv.partial").exists()
    (tmp_path / "b.ipynb").rename(weeks[0] / "b" / "hw.ipynb")
    graded(*weeks, csv=path)
    assert len(path.read_text(encoding="utf-8-sig").splitlines()) == 9
    held = table.Table(path)
    with pytest.raises(MinidsError, match="8 rows"):
        held.keeps_all(submissions.collect(weeks), "01_tokenizer")
    held.give_up()


def test_what_was_sent_twice_counts_once(course, tmp_path):
    for name, text in (("90_probe.ipynb", HALF), ("again.ipynb", RIGHT)):
        (tmp_path / "alice").mkdir(exist_ok=True)
        (tmp_path / "alice" / name).write_text(checks(text), encoding="utf-8")
    sent = graded(tmp_path / "alice")
    for s in sent:
        s.student = "alice"
    assert feedback.total(sent) == (4, 6)


def test_mistakes_of_an_instructor_are_told(course, tmp_path, capsys):
    (tmp_path / "a.ipynb").write_text(checks(RIGHT), encoding="utf-8")
    (tmp_path / "empty").mkdir()
    for arguments, words in [
        ([tmp_path / "nothing.ipynb"], "no such file"),
        ([tmp_path / "empty"], "no notebook"),
        ([tmp_path / "a.ipynb", "--chapter", "77"], "there is no chapter '77'"),
        ([tmp_path / "a.ipynb", "--csv", tmp_path / "none" / "g.csv"], "no such folder"),
    ]:
        assert cli.main(["grade", *map(str, arguments)]) == 2
        assert words in capsys.readouterr().err
    assert cli.main(["grade", str(tmp_path / "a.ipynb"), "--chapter", "90", "--seed", "1", "--jobs", "1"]) == 0
    out = capsys.readouterr().out
    assert "seed 1 " in out and re.search(r"a +90_probe +4 / 6 +1 of 2 right, 1 not attempted", out)


# -- the real course ---------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("chapter", sorted({e.chapter for e in catalog.every()}) or ["none"])
def test_every_solution_gets_full_points_in_a_worker(chapter, tmp_path):
    """Also: every case of the course can be sent to another process, with a fresh seed."""
    found = catalog.every(chapter)
    if not found:
        pytest.skip("there are no chapters yet")
    text = notebook(*(catalog.solution(e.name) for e in found), *(f'check("{e.name}", x)' for e in found))
    (tmp_path / "own.ipynb").write_text(text, encoding="utf-8")
    (sent,) = grade.grade_files([tmp_path / "own.ipynb"], jobs=1)
    assert {g.exercise: g.why for g in sent.grades if g.points < g.of} == {}
    assert len(sent.grades) == len(found)


@pytest.mark.slow
def test_two_jobs_give_the_same_as_one(tmp_path):
    if not catalog.every():
        pytest.skip("there are no chapters yet")
    found = min(catalog.every(), key=lambda e: len(catalog.solution(e.name)))
    for i in range(10):
        text = catalog.solution(found.name) if i % 2 else catalog.blank(catalog.solution(found.name))
        (tmp_path / f"s{i}.ipynb").write_text(notebook(text, f'check("{found.name}", x)'), encoding="utf-8")
    one = grade.grade_files([tmp_path], jobs=1, seed=5)
    two = grade.grade_files([tmp_path], jobs=2, seed=5)
    assert one == two and one[1].points == found.points and one[0].points == 0


@pytest.mark.slow
def test_a_worker_judges_as_a_notebook_does():
    """One wrong version and one other right way of every exercise: same cases pass, same mistake is named."""
    mistakes, ways = wrong.load()
    for found in catalog.every():
        for fn in [*(w.fn for w in mistakes.get(found.name, [])[:1]), *ways.get(found.name, [])[:1]]:
            text = Path(inspect.getsourcefile(catalog.plain(fn))).read_text(encoding="utf-8")
            calls_the_library = f".{found.function}(" in catalog.source_of(fn)  # which a worker does not have
            if calls_the_library or not re.search(rf"^def {fn.__name__}\(", text, flags=re.M):
                continue  # or it is made by another function, and has no text of its own
            text += f"\n\n_the = {fn.__name__}\ndef {found.function}(*args, **more):\n    return _the(*args, **more)\n"
            if catalog.is_kernel(found.name):
                text += f"{found.function} = _the\n"
            here = judge.run_cases(found.name, fn, held_out=True, seed=5)
            with sandbox.Remote(found.name, text) as remote:
                there = judge.run_cases(found.name, remote, held_out=True, seed=5)
            assert [(r.case, r.why is None) for r in there] == [(r.case, r.why is None) for r in here]
            assert judge.diagnose(found.name, there, 5) is judge.diagnose(found.name, here, 5)
