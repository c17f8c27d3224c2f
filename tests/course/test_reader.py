"""Reading cells: `check` in a real IPython and `minids grade` read a cell in the same way, and as IPython does."""

import ast
import contextlib
import io
import json
import subprocess
import sys
import time

import pytest
from answers import RIGHT, SWIGLU, WRONG, blank
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from minids.course import answers, judge, reader
from minids.course import session as cells_here
from minids.course.grading import submissions
from minids.errors import MinidsError

pytest.importorskip("IPython")
pytestmark = pytest.mark.filterwarnings("ignore")  # IPython's own, and what it says of "\\d"
INDENTED = "".join("    " + line + "\n" for line in RIGHT.splitlines())
BODY = "    y = F.silu(gate)\n    return y * up\n"
HEAD = "import torch.nn.functional as F\n"
DEF = "def swiglu(gate, up):\n"


def body(text):
    return HEAD + DEF + text


# what a cell holds -> what check says of it (✓ ○ ✗), and so what grade gives
CELLS = {
    "plain": (RIGHT, "✓"),
    "wrong": (WRONG, "✗"),
    "blank": (blank(), "○"),
    "pass": (DEF + "    pass\n", "○"),
    # magics
    "line magic above": ("%who\n" + RIGHT, "✓"),
    "line magic below": (RIGHT + "%timeit -n 1 -r 1 1 + 1\n", "✓"),
    "shell above": ("!true\n" + RIGHT, "✓"),
    "shell twice": ("!!true\n" + RIGHT, "✓"),
    "help below": (RIGHT + "swiglu?\n", "✓"),
    "source below": (RIGHT + "swiglu??\n", "✓"),
    "help above": ("?print\n" + RIGHT, "✓"),
    "shell output": ("files = !true\n" + RIGHT, "✓"),
    "shell output that is used": ("files = !true\n" + body("    len(files)\n" + BODY), "✗"),
    "magic's value": (RIGHT + "t = %timeit -n 1 -r 1 -o 1\n", "✓"),
    "shell over two lines": ("!true \\\n    b\n" + RIGHT, "✓"),
    "modulo over lines": (body("    n = (\n        7\n    % 4\n    )\n    assert n == 3\n" + BODY) + "!true\n", "✓"),
    "percent format over lines": (body('    s = ("%d"\n        % 3)\n    assert s == "3"\n' + BODY) + "%who\n", "✓"),
    "a magic in a string": (body('    s = """\n%time\n!ls\n"""\n    assert len(s) == 11\n' + BODY) + "%who\n", "✓"),
    "a question in a string": (body('    s = "what?"\n' + BODY) + "!true\n", "✓"),
    "magic in an if": ("if True:\n    %who\n" + RIGHT, "✓"),
    "shell in the function": (body("    !true\n" + BODY), "✗"),
    "magic in the function": (body("    %time y = 3\n" + BODY), "✗"),
    "IPython itself": ("shell = get_ipython()\n" + RIGHT, "✓"),
    "an import of IPython": ("from IPython.display import display\n" + RIGHT, "✓"),
    "quoting escape": (",print a b\n" + RIGHT, "✓"),
    "%%time": ("%%time\n" + RIGHT, "✓"),
    "%%time, blank lines above": ("\n\n%%time\n" + RIGHT, "✓"),
    "%%time, wrong": ("%%time\n" + WRONG, "✗"),
    "%%time, blank": ("%%time\n" + blank(), "○"),
    "%%time and a call": ("%%time\n" + RIGHT + "swiglu\n", "✓"),
    "%%capture": ("%%capture out\n" + RIGHT, "✓"),
    "%%capture %%time": ("%%capture\n%%time\n" + RIGHT, "✓"),
    "%%time and a magic": ("%%time\n%who\nfiles = !true\n" + RIGHT, "✓"),
    "%%prun": ("%%prun -q\n" + RIGHT, "✓"),
    "%%timeit": ("%%timeit -n 1 -r 1\n" + RIGHT, "✗"),
    "%%bash": ("%%bash\n: '\n" + RIGHT + "'\n", "✗"),
    "prompts": ("".join((">>> " if line[0] != " " else "... ") + line + "\n" for line in RIGHT.splitlines()), "✓"),
    "IPython's prompts": ("In [3]: " + RIGHT.replace("\n", "\n   ...: ", 3), "✓"),
    # lines
    "indented": (INDENTED, "✓"),
    "empty lines above": ("\n  \n\n" + RIGHT, "✓"),
    "form feed in a comment": ("# page 3 \x0c and page 4\n" + RIGHT, "✓"),
    "form feed between": (HEAD + "\x0c\n" + RIGHT[len(HEAD) :], "✓"),
    "U+2028 in a comment": ("# a\u2028b c\n" + RIGHT, "✓"),
    "U+2028 in a string": (body('    s = "a\u2028b"\n    assert len(s) == 3\n' + BODY), "✓"),
    "U+0085 and U+001C": (body('    s = "a\x85b\x1cc\x1ed"  # \x1c \x1d\n    assert len(s) == 7\n' + BODY), "✓"),
    "vertical tab in a comment": ("# a\x0bb\n" + RIGHT, "✓"),
    "CRLF": (RIGHT.replace("\n", "\r\n"), "✓"),
    "CRLF and a magic": ("%who\r\n" + RIGHT.replace("\n", "\r\n"), "✓"),
    "CR": (RIGHT.replace("\n", "\r"), "✓"),
    "tabs": (RIGHT.replace("    ", "\t"), "✓"),
    "def and a tab": (RIGHT.replace("def ", "def\t"), "✓"),
    "continued def": (RIGHT.replace("def ", "def \\\n  "), "✓"),
    "signature over lines": (RIGHT.replace("(gate, up)", "(\n    gate,\n    up,  # a comment\n)"), "✓"),
    "one line": ("import torch; swiglu = 3\ndef swiglu(gate, up): return torch.nn.functional.silu(gate) * up", "✓"),
    "statements behind a semicolon": ("x = (1,\n 2); y = 3; print(x)\n" + RIGHT, "✓"),
    "no line end": (RIGHT.rstrip("\n"), "✓"),
    "an odd escape": (body('    s = "\\d"\n' + BODY), "✓"),
    "a letter of another form": (RIGHT.replace("swiglu", "ſwiglu", 0), "✓"),
    # where the function stands
    "in an if": ("if True:\n" + INDENTED, "✓"),
    "in an else": ("if False:\n    pass\nelse:\n" + INDENTED, "✓"),
    "in a try": ("try:\n    import nothing_such\nexcept ImportError:\n" + INDENTED, "✓"),
    "in a try with calls": ("try:\n    print(1)\n    !true\n" + INDENTED + "finally:\n    print(2)\n", "✓"),
    "in a with": ("import contextlib\nwith contextlib.nullcontext():\n" + INDENTED, "✓"),
    "in a for": ("for _ in range(1):\n" + INDENTED, "✓"),
    "in a match": ("match 3:\n  case 3:\n" + INDENTED, "✓"),
    "not reached": ("def other(): pass\nif other() is not None:\n" + INDENTED, "✗"),
    "a constant of an if": ("if True:\n    ONE = 1\nelse:\n    ONE = 2\n" + body(BODY.replace("up", "up * ONE")), "✓"),
    "a table of a loop": ("T = {}\nfor i in (0, 1):\n    T[i] = i\n" + body(BODY.replace("up", "up * T[1]")), "✓"),
    "a constant changed": ("ONE = 0\nONE += 1\n" + body(BODY.replace("up", "up * ONE")), "✓"),
    "a helper below": (RIGHT.replace("F.silu(gate)", "act(gate)") + "def act(z):\n    return F.silu(z)\n", "✓"),
    "a helper class": ("class A:\n    def swiglu(self): pass\n" + RIGHT, "✓"),
    "decorated": ("import functools\n" + RIGHT.replace("def", "@functools.lru_cache(None)\ndef"), "✓"),
    "decorated by its own cell": ("def same(f):\n    return f\n" + RIGHT.replace("def", "@same\ndef"), "✓"),
    "wrapped": ("def wrap(f):\n    return lambda a, b: f(a, b)\n" + RIGHT.replace("def", "@wrap\ndef"), "✓"),
    "decorated by another": (RIGHT.replace("def", "@elsewhere\ndef"), "✗"),
    "redefined, right last": (WRONG + RIGHT, "✓"),
    "redefined, wrong last": (RIGHT + WRONG, "✗"),
    "redefined, blank last": (RIGHT + blank(), "○"),
    "made anew": (RIGHT + "import functools\nswiglu = functools.partial(swiglu)\n", "✓"),
    "global": ("ONE = 1\n" + body("    global ONE\n    ONE = 1\n" + BODY), "✓"),
    "future": ("from __future__ import annotations\n" + RIGHT.replace("up)", "up: Nothing)"), "✓"),
    "top-level await": ("import asyncio\nawait asyncio.sleep(0)\nx = await asyncio.sleep(0)\n" + RIGHT, "✓"),
    # what is no answer, and is told in a sentence
    "lambda": (HEAD + "swiglu = lambda gate, up: F.silu(gate) * up\n", "✗"),
    "nested": ("def outer():\n" + INDENTED + "    return swiglu\nswiglu = outer()\n", "✗"),
    "a method": ("class Gate:\n    @staticmethod\n" + INDENTED[len("    " + HEAD) :] + "swiglu = Gate.swiglu\n", "✗"),
    "a class": ("class swiglu:\n    def __init__(self, gate, up): pass\n", "✗"),
    "async": (RIGHT.replace("def", "async def"), "✗"),
    "imported": ("from torch.nn.functional import silu as swiglu\n", "✗"),
    "something of C": ("import torch\nswiglu = torch.mul\n", "✗"),
    "a partial": ("import functools, torch\nswiglu = functools.partial(torch.mul)\n", "✗"),
    "two names": (HEAD + DEF.replace("swiglu", "mine") + BODY + "swiglu = mine\n", "✗"),
    # errors
    "no colon": (RIGHT.replace("):", ")"), "✗"),
    "a NUL": (body('    s = "\0"\n' + BODY), "✗"),
    "calls another cell": ("x = elsewhere + 1\n" + RIGHT, "✗"),
    "raises on the way": ("x = 1 // 0\n" + RIGHT, "✗"),
}


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    """A real IPython, in which check is imported as a chapter does it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("IPYTHONDIR", str(tmp_path_factory.mktemp("ipython")))
        patch.setitem(sys.modules, "__main__", sys.modules["__main__"])  # IPython puts its own there, for good
        from IPython.core.interactiveshell import InteractiveShell
        from traitlets.config import Config

        shell = InteractiveShell.instance(config=Config({"HistoryManager": {"enabled": False}}))
        cells_here.listen()
        run(shell, "from minids.course import check")
        yield shell
        shell.events.unregister("pre_run_cell", cells_here._note)
        cells_here._cells.clear()
        InteractiveShell.clear_instance()


def run(shell, cell):
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        result = shell.run_cell(cell)
    return result.error_before_exec or result.error_in_exec, said.getvalue()


def checked(shell, cell):
    """(mark, what check says) of a cell in a fresh session; a cell that leaves nothing to check has a ✗."""
    shell.reset(new_session=False)
    answers.uninstall()
    run(shell, "from minids.course import check")
    run(shell, cell)
    error, said = run(shell, f'check("{SWIGLU}", swiglu)')
    assert error is None or isinstance(error, NameError), f"check stops the chapter: {error!r}"
    marks = [line for line in said.splitlines() if line[:1] in ("✓", "✗", "○")]
    return (marks[0][0], said) if marks else ("✗", said)


def graded(cell, tmp_path):
    """(mark, why) by grade's reading of a notebook with this cell."""
    cells = [{"cell_type": "code", "source": c} for c in (cell, f'check("{SWIGLU}", swiglu)')]
    (tmp_path / "a.ipynb").write_text(json.dumps({"cells": cells}), encoding="utf-8")
    (sent,) = submissions.collect([tmp_path / "a.ipynb"])
    grade = next(g for g in sent.grades if g.exercise == SWIGLU)
    if grade.source is None:
        return ("○" if grade.why == "not attempted" else "✗"), grade.why
    assert grade.source == cell
    if not grade.code:  # an attempt that cannot be run
        return "✗", grade.why
    try:
        fn = judge.compile_answer(SWIGLU, judge.definitions(grade.code), "<worker>")
    except Exception as error:
        return "✗", str(error)
    whys = [r.why for r in judge.run_cases(SWIGLU, fn) if r.why]
    return ("✗" if whys else "✓"), "".join(whys)


@pytest.mark.parametrize("name", CELLS)
def test_check_and_grade_say_the_same_of_a_cell(session, tmp_path, name):
    cell, mark = CELLS[name]
    here, said = checked(session, cell)
    there, why = graded(cell, tmp_path)
    if name in ("%%timeit", "%%bash"):
        assert f"in a cell of {name}, which leaves no function" in why
    assert (here, there) == (mark, mark), f"check: {said}\ngrade: {why}"
    if here == "✓":  # what is kept needs no IPython, and is the same answer when it is read again
        kept = answers.path_of(SWIGLU).read_text(encoding="utf-8")
        assert "get_ipython" not in kept and "print" not in kept.replace("; print(x)", "")
        answers.uninstall()
        assert answers.load() == {SWIGLU: None}


@pytest.mark.parametrize(
    "name, words",
    [
        ("lambda", "is a lambda"),
        ("nested", "is given a value"),
        ("a method", "is given a value"),
        ("a class", "is a class"),
        ("async", "is an `async def`"),
        ("imported", "is imported"),
        ("something of C", "is given a value"),
        ("a partial", "is given a value"),
        ("two names", "is given a value"),
    ],
)
def test_what_is_no_def_is_told_in_the_same_sentence(session, tmp_path, name, words):
    cell, _ = CELLS[name]
    sentence = graded(cell, tmp_path)[1]
    assert sentence.startswith("found no `def swiglu`") and words in sentence
    assert sentence in checked(session, cell)[1]


def test_a_function_of_another_file_is_kept_and_its_place_told(session, tmp_path, monkeypatch):
    (tmp_path / "my_answers_12.py").write_text(RIGHT, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    mark, said = checked(session, "from my_answers_12 import swiglu\n")
    assert mark == "✓" and "my_answers_12.py" in said and "send mine/" in said


def test_a_nested_def_is_named_with_the_function_it_stands_in():
    assert "stands inside of `outer`" in reader.missing(reader.definitions("def outer():\n" + INDENTED), "swiglu")


def test_the_function_that_ran_is_judged_and_not_a_cell_that_came_later(session):
    session.reset(new_session=False)
    run(session, "from minids.course import check")
    for cell in ("%%time\n" + RIGHT, "raise ValueError\n" + WRONG, "%%time\n1 / 0\n" + WRONG):
        run(session, cell)
    assert "✓" in run(session, f'check("{SWIGLU}", swiglu)')[1]


TWICE = {
    "wrong, right": (WRONG, RIGHT, "✗✓"),
    "right, wrong": (RIGHT, WRONG, "✓✗"),
    "blank, right": ("def swiglu(gate, up):\n    raise NotImplementedError\n", RIGHT, "○✓"),
    "alike but for a default": (RIGHT.replace("up)", "up, n=1 // 1)"), RIGHT.replace("up)", "up, n=2)"), "✓✓"),
    "short": ("def swiglu(gate, up): return gate\n", "def swiglu(gate, up): return gate * gate.sigmoid() * up\n", "✗✓"),
}


@pytest.mark.parametrize("way", ["cell", "%%time", "file"])
@pytest.mark.parametrize("name", TWICE)
def test_of_two_functions_of_one_name_the_one_is_judged_that_is_given(session, tmp_path, name, way):
    first, second, marks = TWICE[name]
    asked = f'check("{SWIGLU}", swiglu)\n'
    text = first + asked + second + asked
    session.reset(new_session=False)
    run(session, "from minids.course import check")  # the tests below find it too
    if way == "file":
        (tmp_path / "twice.py").write_text(f"from minids.course import check\n{text}", encoding="utf-8")
        done = subprocess.run([sys.executable, "twice.py"], capture_output=True, encoding="utf-8", cwd=tmp_path)
        said = done.stdout + done.stderr
    else:
        said = run(session, "%%time\n" * (way == "%%time") + text)[1]
    assert "".join(line[0] for line in said.splitlines() if line[:1] in ("✓", "✗", "○")) == marks, said
    if marks[1] == "✓":
        assert answers.load() == {SWIGLU: None}


def test_a_session_that_ran_before_the_import_is_read_too(session, monkeypatch):
    """As after a restart of nothing: the history holds what ran before `listen`."""
    monkeypatch.setattr(cells_here, "_cells", [])
    session.events.unregister("pre_run_cell", cells_here._note)
    session.history_manager.input_hist_raw.append("# a\u2028b\n" + RIGHT)
    run(session, "# a\u2028b\n" + RIGHT)
    cells_here.listen()
    assert "✓" in run(session, f'check("{SWIGLU}", swiglu)')[1]


def test_without_ipython_plain_cells_are_read_and_magics_are_told(monkeypatch):
    monkeypatch.setitem(sys.modules, "IPython.core.inputtransformer2", None)
    assert reader.find(reader.definitions(reader.as_python(RIGHT)), "swiglu")
    assert reader.as_python('s = """\n%time\n"""\n') == 's = """\n%time\n"""\n'
    with pytest.raises(MinidsError, match="pip install"):
        reader.as_python("%time 1\n" + RIGHT)


def test_a_file_of_nbconvert_is_read():
    text = f"get_ipython().system('ls')\nget_ipython().run_cell_magic('time', '', {RIGHT!r})\n"
    nodes = reader.definitions(reader.as_file(text))
    assert reader.find(nodes, "swiglu") and reader.compile_answer(SWIGLU, nodes, "<file>")


def test_a_def_that_is_never_reached_is_not_the_librarys_own():
    nodes = reader.definitions("if 0:\n    def swiglu(gate, up):\n        return 1\n")
    with pytest.raises(NameError, match="no `def swiglu` was reached"):
        reader.compile_answer(SWIGLU, nodes, "<cell>")


@pytest.mark.slow
@pytest.mark.parametrize(
    "cell",
    [
        "%a\n" * 300_000,
        "a" * 900_000 + " !?\n",
        "\\'" * 400_000 + "\n%a\n",
        "\n" * 1_000_000 + "%a\ndef f(:\n",
        "%%time\n" * 100_000,
        '"""' + "\n%a" * 300_000,
        "x = " + "=" * 900_000,
        "(" * 900_000 + "\n%a",
        ">>> " * 200_000,
        " \t" * 400_000 + "x?",
        "%%time\n%a\n" * 1000,
        "f" + "?" * 500_000,
        "a = %b\n" * 200,
    ],
)
def test_no_cell_takes_long_to_read(cell):
    start = time.process_time()
    with contextlib.suppress(SyntaxError, ValueError, RecursionError, MemoryError):
        reader.definitions(reader.as_python(cell))
    assert time.process_time() - start < 30


# -- at random ---------------------------------------------------------------------------------------------------------

PIECES = [
    "%matplotlib inline",
    "!ls",
    "!!ls",
    "print?",
    "??print",
    "x = !ls",
    "t = %timeit 1",
    "# % of it",
    "# a\x0cb",
    "#",
    "s = '%time'",
    's = """\n%time\n!x\ny?\n"""',
    "n = (7\n% 4)",
    "n = [1\n!= 2]",
    "",
    "   ",
    "\x0c",
    "!a \\\n  b",
    "s = 'a\\\n% b'",
    "if n:\n    %time 1\n    m = 2",
    "s = f'{3!r}'",
    "s = '\u2028%a'",
    "# \u2028c",
    "x = 7 \\\n    % 4",
    "s = 'swiglu?'",
    "# def swiglu(gate, up): pass",
    "s = 'def swiglu(): pass'",
    "swiglu?",
    "%time swiglu",
    "x: int = 3",
    "def other():\n    %time 1\n    return 2",
    '"""\n>>> 1\n"""',
    "s = '>>> 1'",
    "pass",
    "%%time",
    "s = '''\n   \n'''",
]
anything = st.lists(st.sampled_from(PIECES), max_size=6).map(lambda parts: "".join(p + "\n" for p in parts))


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(above=anything, below=anything, magic=st.sampled_from(["", "%%time\n", "%%capture\n%%time\n", "\n\n%%time\n"]))
def test_nothing_around_a_function_changes_which_one_is_read(above, below, magic):
    from IPython.core.inputtransformer2 import TransformerManager

    cell = above + RIGHT + below
    try:
        wanted = ast.parse(TransformerManager().transform_cell(cell))
    except SyntaxError:
        with pytest.raises(SyntaxError):
            reader.as_python(cell)
        return
    if wanted.body and reader._magic_of(wanted.body[0]):
        return  # a %%time at the top: what follows is its body
    text = reader.as_python(magic + cell)
    assert ast.dump(ast.parse(text)) == ast.dump(wanted)
    node = reader.find(reader.definitions(text), "swiglu")
    assert reader.same(node, ast.parse(RIGHT).body[1])
    lines = text.split("\n")
    assert lines[node.lineno - 1].startswith("def swiglu")
    kept = reader.text_of(text, reader.definitions(text))
    assert reader.same(reader.find(reader.definitions(kept), "swiglu"), node)
    assert "\nget_ipython()" not in kept and "= get_ipython()" not in kept


@pytest.mark.slow
def test_a_kernel_of_jupyter_is_read_as_an_ipython_is(tmp_path):
    import os

    import nbformat
    from nbclient import NotebookClient

    from minids.course import catalog

    names = ["plain", "%%time", "%%capture %%time", "form feed in a comment", "U+2028 in a string", "shell output"]
    names += ["lambda", "a class", "blank"]
    notebook = nbformat.v4.new_notebook()
    sources = ["x = 1", "from minids.course import check"]
    for name in names:
        sources += [CELLS[name][0], f'check("{SWIGLU}", swiglu)']
    notebook.cells = [nbformat.v4.new_code_cell(s) for s in sources]
    env = os.environ | {"MINIDS_MINE": str(tmp_path / "mine"), "PYTHONPATH": str(catalog.ROOT)}
    NotebookClient(notebook, timeout=120, kernel_name="python3", allow_errors=True).execute(env=env)
    for name, cell in zip(names, notebook.cells[3::2]):
        said = "".join(o.get("text", o.get("evalue", "")) for o in cell.outputs)
        assert said.startswith(CELLS[name][1]), (name, said)
