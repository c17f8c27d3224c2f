"""What a student has solved is kept as text, takes its place in the library, and is never lost."""

import inspect
import os

import pytest
import torch
from answers import RIGHT, SWIGLU, WRONG

from minids import MinidsError, dispatch
from minids.course import answers, catalog, exercises, judge
from minids.course.cases import expect  # noqa: F401
from minids.model import attention, layers

ROPE = "layers.rope"
OWN_ROPE = (
    "def apply_rope(x, cos, sin, interleave=True):\n"
    "    a, b = (x[..., 0::2], x[..., 1::2]) if interleave else x.chunk(2, dim=-1)\n"
    "    return torch.cat([a * cos - b * sin, a * sin + b * cos], dim=-1)\n"
)


def test_an_answer_is_installed_wherever_the_library_holds_the_function():
    own, held = attention.apply_rope, [layers.apply_rope]
    answers.keep(ROPE, OWN_ROPE)
    assert attention.apply_rope is layers.apply_rope is own  # the same object, which now calls the answer
    assert "torch.cat([a * cos" in inspect.getsource(held[0]) and inspect.getsource(catalog.reference(ROPE)) != OWN_ROPE
    answers.uninstall()
    assert catalog.reference(ROPE) is own and "first * cos" in inspect.getsource(held[0])


def test_a_kept_answer_is_called_from_another_kept_answer_in_either_order():
    caller = "def rotate_twice(x): pass\n" + OWN_ROPE.replace("return torch", "swiglu(a, b)\n    return torch")
    for names in ((SWIGLU, ROPE), (ROPE, SWIGLU)):
        for name in names:
            answers.keep(name, RIGHT if name == SWIGLU else caller)
        assert catalog.plain(layers.apply_rope).__globals__["swiglu"] is layers.swiglu
        assert layers.swiglu is not catalog.reference(SWIGLU)
        answers.uninstall()


def test_the_model_runs_on_the_answer():
    calls = []
    answers.keep(SWIGLU, RIGHT)
    noted = staticmethod(lambda z: calls.append(1) or z.sigmoid() * z)
    catalog.plain(layers.swiglu).__globals__["F"] = type("F", (), {"silu": noted})
    x = torch.randn(2, 8)
    layers.MLP(8, 16)(x)
    assert calls


def test_the_librarys_own_code_counts_and_leaves_the_fast_path():
    answers.keep(SWIGLU, catalog.solution(SWIGLU))
    assert dispatch.as_written(layers.swiglu) and not answers.installed(SWIGLU)
    assert answers.ledger()["yours"] == [SWIGLU]


def test_unchanged_files_are_trusted_and_changed_ones_tested_again(monkeypatch):
    path = answers.keep(SWIGLU, RIGHT)
    ran = []
    real = judge.run_cases
    monkeypatch.setattr(judge, "run_cases", lambda *a, **k: ran.append(a[0]) or real(*a, **k))
    assert answers.load() == {SWIGLU: None} and not ran
    path.write_text(path.read_text(encoding="utf-8") + "\n# a thought\n", encoding="utf-8")
    assert answers.load() == {SWIGLU: None} and ran == [SWIGLU]
    assert answers.load() == {SWIGLU: None} and ran == [SWIGLU]  # the new text was noted


@pytest.mark.parametrize(
    "text, told",
    [
        (WRONG, "fails"),
        ("def swiglu(gate:\n", "SyntaxError"),
        ("def other(): pass\n", "no function swiglu"),
        ("", "no function"),
        ("x = 1 / 0\n" + RIGHT, "ZeroDivisionError"),
        ("x = exit()\n" + RIGHT, "SystemExit"),
    ],
)
def test_a_file_edited_into_something_wrong_is_left_out_and_stays(text, told):
    path = answers.keep(SWIGLU, RIGHT)
    answers.uninstall()
    path.write_text(text, encoding="utf-8")
    book = answers.ledger()
    assert book["yours"] == [] and told in book["left_out"][SWIGLU]
    assert path.read_text(encoding="utf-8") == text and "Nothing was deleted" in answers.status(book)
    assert layers.swiglu is catalog.reference(SWIGLU)


def test_bytes_that_are_no_text_and_names_that_are_no_exercise_are_left_out():
    answers.folder().mkdir()
    answers.path_of(SWIGLU).write_bytes(b"\xff\xfe\x00def")
    (answers.folder() / "model.nothing.py").write_text("def nothing(): pass", encoding="utf-8")
    book = answers.ledger()
    assert set(book["left_out"]) == {SWIGLU, "model.nothing"} and book["yours"] == []


def test_a_folder_that_can_not_be_written_is_an_error_that_says_so(tmp_path):
    (tmp_path / "mine").write_text("a file is in the way", encoding="utf-8")
    with pytest.raises(MinidsError, match="could not be written.*MINIDS_MINE"):
        answers.keep(SWIGLU, RIGHT)
    answers.log(event="check")  # not a word
    assert answers.events() == []


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder_is_an_error_that_says_so():
    answers.folder().mkdir(mode=0o500)
    with pytest.raises(MinidsError, match="could not be written"):
        answers.keep(SWIGLU, RIGHT)


def test_a_damaged_log_is_read_as_far_as_it_goes():
    answers.log(event="start", chapter=2)
    with open(answers.folder() / "log.jsonl", "ab") as file:
        file.write(b'{"time": \n[1]\n"x"\n\xff\xff\n{"time": "noon"}\n')
    answers.log(event="check", name=SWIGLU, mark="x")
    assert [e["event"] for e in answers.events()] == ["start", "check"]


@pytest.mark.slow
def test_chat_runs_on_the_answers_that_are_kept(finished, monkeypatch, capsys):
    from minids import cli
    from minids.serve import terminal

    met = []
    monkeypatch.setattr(terminal, "talk", lambda *a, **k: met.append(layers.swiglu is catalog.reference(SWIGLU)))
    assert cli.main(["chat", str(finished), "--mine"]) == 2 and not met
    assert "none are in" in capsys.readouterr().err
    answers.keep(SWIGLU, RIGHT)
    answers.uninstall()
    assert cli.main(["chat", str(finished), "--mine"]) == 0 and met == [False]


@pytest.mark.parametrize("name", exercises.PLACES)
def test_the_librarys_own_as_an_answer_replaces_nothing(name):
    """Whatever decorators it has: a function that is replaced by itself would call itself for ever."""
    answers.install(name, catalog.reference(name))
    assert not answers.installed(name)
