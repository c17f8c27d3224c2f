"""What a student sees: check and its messages."""


import pytest
from answers import RIGHT, SWIGLU, WRONG, blank

from minids.course import catalog, check, mine, notebook, progress, start
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
    assert layers.swiglu is catalog.reference(SWIGLU) and not mine.path_of(SWIGLU).exists()


def test_a_passing_answer_is_kept_and_used(cell, capsys):
    assert check(SWIGLU, cell(SWIGLU, RIGHT + "print('a plot')\n")) is None
    out = capsys.readouterr().out
    assert "✓" in out and "is yours now" in out
    assert "a plot" not in mine.path_of(SWIGLU).read_text(encoding="utf-8")
    assert layers.swiglu is not catalog.reference(SWIGLU)
    check(SWIGLU, cell(SWIGLU, WRONG))
    assert "the version you kept before" in capsys.readouterr().out
    assert mine.path_of(SWIGLU).exists() and layers.swiglu is not catalog.reference(SWIGLU)


def test_an_answer_that_needs_another_cell_fails_now_and_not_later(cell, capsys):
    source = "def swiglu(gate, up):\n    return helper(gate) * up\n"
    check(SWIGLU, cell(SWIGLU, source, helper=lambda z: z.sigmoid() * z))
    assert "import what it needs in its own cell" in capsys.readouterr().out


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
    assert "✓" in capsys.readouterr().out and not mine.path_of(SWIGLU).exists()


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
    assert captured.err == "" and not mine.path_of(SWIGLU).exists()


def test_start_says_what_is_yours_and_seeds(cell, capsys):
    import torch

    check(SWIGLU, cell(SWIGLU, RIGHT))
    mine.uninstall()
    capsys.readouterr()
    start(3)
    first = torch.rand(1)
    assert f"1 of {len(catalog.exercises())} parts" in capsys.readouterr().out
    assert layers.swiglu is not catalog.reference(SWIGLU)
    start(3)
    assert torch.equal(first, torch.rand(1))


def test_progress_in_words_and_as_a_page(cell, capsys, tmp_path):
    check(SWIGLU, cell(SWIGLU, RIGHT))
    check("model.layers.rms_norm", cell("model.layers.rms_norm", "def rms_norm(x, weight, eps):\n    return x\n"))
    text = progress.text()
    assert f"✓ {SWIGLU}" in text and "✗ model.layers.rms_norm" in text and "Next: " in text
    progress.write_html(tmp_path / "p.html")
    page = (tmp_path / "p.html").read_text(encoding="utf-8")
    assert "1 of" in page and SWIGLU in page and "<script" not in page


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
