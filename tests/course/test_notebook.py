"""What a student sees: check and its messages."""

import pytest
import torch
from answers import RIGHT, SWIGLU, WRONG, blank

from minids.course import answers, catalog, check, notebook, progress, start
from minids.errors import MinidsError
from minids.model import layers


def test_a_blank_answer_is_reported_as_blank(cell, capsys):
    check(SWIGLU, cell(SWIGLU, blank()))
    out = capsys.readouterr().out
    assert out.startswith("○") and "not attempted" in out and "library's own" in out
    assert layers.swiglu is catalog.reference(SWIGLU)


def test_a_failing_answer_gets_a_diagnosis_and_the_chapter_goes_on(cell, capsys):
    check(SWIGLU, cell(SWIGLU, WRONG))
    out = capsys.readouterr().out
    assert out.startswith("✗") and "cases fail" in out and "It behaves as if" in out and "?" in out
    assert layers.swiglu is catalog.reference(SWIGLU) and not answers.path_of(SWIGLU).exists()


def test_a_passing_answer_is_kept_and_used(cell, capsys):
    assert check(SWIGLU, cell(SWIGLU, RIGHT + "print('a plot')\n")) is None
    out = capsys.readouterr().out
    assert "✓" in out and "is yours now" in out
    assert "a plot" not in answers.path_of(SWIGLU).read_text(encoding="utf-8")
    assert layers.swiglu is not catalog.reference(SWIGLU)
    check(SWIGLU, cell(SWIGLU, WRONG))
    assert "the version you kept before" in capsys.readouterr().out
    assert answers.path_of(SWIGLU).exists() and layers.swiglu is not catalog.reference(SWIGLU)


def test_an_answer_that_needs_another_cell_fails_now_and_not_later(cell, capsys):
    source = "def swiglu(gate, up):\n    return helper(gate) * up\n"
    check(SWIGLU, cell(SWIGLU, source, helper=lambda z: z.sigmoid() * z))
    assert "put its helpers, constants and imports into this cell" in capsys.readouterr().out
    check(SWIGLU, cell(SWIGLU, "factor = shared * 2\n" + RIGHT, shared=1))
    assert "does not run by itself" in (out := capsys.readouterr().out) and "helpers, constants and imports" in out
    check(SWIGLU, cell(SWIGLU, "def swiglu(gate, up):\n    up = up * y\n    y = gate\n    return up\n"))
    assert "stands alone" not in capsys.readouterr().out  # a variable of its own


CALLS_LIBRARY = [
    "from minids.model import layers\ndef swiglu(*a, **k):\n    return layers.swiglu(*a, **k)\n",
    "from minids.model.layers import swiglu as lib\ndef swiglu(gate, up):\n    return lib(gate, up)\n",
    "import minids.model.layers as m\nheld = [m.swiglu]\ndef swiglu(gate, up):\n    return held[0](gate, up)\n",
]


@pytest.mark.parametrize("source", CALLS_LIBRARY)
def test_an_answer_that_calls_the_librarys_function_is_not_kept(cell, capsys, source):
    check(SWIGLU, cell(SWIGLU, source))
    out = capsys.readouterr().out
    assert out.startswith("✗") and "calls the function that it is to replace" in out and "RecursionError" in out
    assert layers.swiglu is catalog.reference(SWIGLU) and not answers.path_of(SWIGLU).exists()
    assert layers.swiglu(torch.zeros(1), torch.zeros(1)) == 0
    check(SWIGLU, cell(SWIGLU, RIGHT))
    kept, text = layers.swiglu, answers.path_of(SWIGLU).read_text(encoding="utf-8")
    capsys.readouterr()
    check(SWIGLU, cell(SWIGLU, source))  # now it would call the one that was kept
    assert "calls the function that it is to replace" in capsys.readouterr().out
    assert layers.swiglu is kept and answers.path_of(SWIGLU).read_text(encoding="utf-8") == text
    assert kept(torch.zeros(1), torch.zeros(1)) == 0


def test_an_answer_may_call_itself(cell, capsys):
    body = "return swiglu(gate, up, n - 1) if n else F.silu(gate) * up"
    check(SWIGLU, cell(SWIGLU, f"import torch.nn.functional as F\ndef swiglu(gate, up, n=3):\n    {body}\n"))
    assert capsys.readouterr().out.startswith("✓")
    check(SWIGLU, cell(SWIGLU, "def swiglu(gate, up):\n    return swiglu(gate, up)\n"))
    assert "RecursionError" in (out := capsys.readouterr().out) and "to replace" not in out


def test_an_answer_may_not_ask(cell, capsys):
    check(SWIGLU, cell(SWIGLU, "def swiglu(gate, up):\n    return float(input('up? ')) * up\n"))
    assert "an answer may not ask" in capsys.readouterr().out
    check(SWIGLU, cell(SWIGLU, "n = input\nif n:\n    def k(): pass\nn = n('n? ')\n" + RIGHT, input=lambda q: "3"))
    assert "an answer may not ask" in capsys.readouterr().out


@pytest.mark.parametrize(
    "given",
    [
        ("swiglu", "fn"),
        ("model.layer.swiglu", "fn"),
        ("model.layers.swigul", "fn"),
        ("fn", "layers.swiglu"),
        ("fn",),
        ("swiglu",),
        ("minids.model.layers.swiglu", "fn"),
    ],
)
def test_a_check_of_another_name_says_what_was_meant(cell, capsys, given):
    fn = cell(SWIGLU, RIGHT)
    check(*(fn if g == "fn" else g for g in given))
    out = capsys.readouterr().out
    assert out.startswith("✗") and "did you mean check('layers.swiglu', swiglu)?" in out and out.count("\n") == 1
    assert not answers.path_of(SWIGLU).exists()


def test_whatever_is_checked_no_traceback_comes(cell, capsys):
    for given in [(), (torch.zeros(3), 1), ("nothing like it", 3), (None, None), (SWIGLU,)]:
        check(*given)
        assert capsys.readouterr().out.startswith("✗")
    own = "class E(BaseException):\n    pass\ndef swiglu(gate, up):\n    raise E('x')\n"
    check(SWIGLU, cell(SWIGLU, own))
    assert "E: x" in capsys.readouterr().out


def test_an_interrupted_check_says_so_in_one_line(cell, capsys):
    fn = cell(SWIGLU, "def swiglu(gate, up):\n    raise KeyboardInterrupt\n")
    with pytest.raises(KeyboardInterrupt, match="nothing was kept") as stopped:
        check(SWIGLU, fn)
    assert stopped.value.__cause__ is None and stopped.value.__context__ is None
    assert len(stopped.value._render_traceback_()) == 1
    assert layers.swiglu(torch.zeros(1), torch.zeros(1)) == 0 and not answers.path_of(SWIGLU).exists()


def test_other_things_in_the_place_of_an_answer(cell, capsys):
    check(SWIGLU, layers.swiglu)
    assert "library's own function" in capsys.readouterr().out
    check(SWIGLU, None)
    assert "not a function" in capsys.readouterr().out
    check(SWIGLU, cell(SWIGLU, "swiglu = lambda gate, up: gate\n"))
    assert "no `def swiglu`" in capsys.readouterr().out
    check(SWIGLU, cell(SWIGLU, "x = exit\n" + RIGHT.replace("def", "y = exit and 1\ndef")))
    assert "✓" in capsys.readouterr().out


def test_in_the_solutions_folder_nothing_is_kept(cell, capsys, tmp_path, monkeypatch):
    (tmp_path / "solutions").mkdir()
    monkeypatch.chdir(tmp_path / "solutions")
    check(SWIGLU, cell(SWIGLU, RIGHT))
    assert "✓" in capsys.readouterr().out and not answers.path_of(SWIGLU).exists()


def test_what_can_not_be_written_is_said_and_nothing_stops(cell, capsys, tmp_path):
    (tmp_path / "mine").write_text("in the way", encoding="utf-8")
    check(SWIGLU, cell(SWIGLU, RIGHT))
    assert "could not be written" in capsys.readouterr().out


@pytest.mark.parametrize("source, fine", [(RIGHT, True), (WRONG, False), (None, False)])
def test_under_nbgrader_points_are_lost_by_an_exception(cell, monkeypatch, capfd, source, fine):
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    fn = cell(SWIGLU, source or blank())
    if fine:
        check(SWIGLU, fn)
    else:
        with pytest.raises(AssertionError):
            check(SWIGLU, fn)
    captured = capfd.readouterr()
    assert captured.err == "" and not answers.path_of(SWIGLU).exists()


def test_start_says_what_is_yours_and_seeds(cell, capsys):
    import torch

    check(SWIGLU, cell(SWIGLU, RIGHT))
    answers.uninstall()
    capsys.readouterr()
    start(3)
    first = torch.rand(1)
    assert f"1 of {len(catalog.every())} parts" in capsys.readouterr().out
    assert layers.swiglu is not catalog.reference(SWIGLU)
    start(3)
    assert torch.equal(first, torch.rand(1))


def test_progress_in_words_and_as_a_page(cell, capsys, tmp_path):
    check(SWIGLU, cell(SWIGLU, RIGHT))
    check("layers.rms_norm", cell("layers.rms_norm", "def rms_norm(x, weight, eps):\n    return x\n"))
    text = progress.text()
    assert f"✓ {SWIGLU}" in text and "✗ layers.rms_norm" in text and "Next: " in text
    progress.write_html(tmp_path / "p.html")
    page = (tmp_path / "p.html").read_text(encoding="utf-8")
    assert "1 of" in page and SWIGLU in page and "<script" not in page
    with pytest.raises(MinidsError, match=r"is a folder: name the file of the page, as in .*progress\.html"):
        progress.write_html(tmp_path)
    assert " 1 points" not in text


def test_show_and_play_are_quiet_outside_a_notebook():
    plt = pytest.importorskip("matplotlib.pyplot")
    notebook.show(plt.figure(), "nothing")
    notebook.play(lambda ax, k: ax.plot([k]), k=(1, 3, 1), shown=[(1,), (2,)], alt="lines")
    assert plt.get_fignums() == []


def test_a_budget_is_whole_for_a_student_and_a_tenth_for_tests_and_graders(monkeypatch):
    monkeypatch.delenv("MINIDS_QUICK", raising=False)
    assert notebook.budget(160) == 160
    monkeypatch.setenv("MINIDS_QUICK", "1")
    assert (notebook.budget(160), notebook.budget(5)) == (16, 2)
    monkeypatch.setenv("MINIDS_QUICK", "")
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    assert notebook.budget(160) == 16
