"""The table of ids: whole, unique, and old names that still count."""

import inspect
import linecache

import pytest

from minids.course import answers, catalog, check, exercises
from minids.course.grading import submissions

OLD, NEW = "model.layers.swiglu", "layers.swiglu"


def test_every_exercise_of_the_chapters_is_a_row_and_every_row_an_exercise():
    assert sorted(e.name for e in catalog.every()) == sorted(exercises.PLACES)


def test_names_are_unique_the_earlier_ones_too():
    names = [*exercises.PLACES, *(was for place in exercises.PLACES.values() for was in place.was)]
    assert len(set(names)) == len(names)
    targets = [(place.module, place.function) for place in exercises.PLACES.values()]
    assert len(set(targets)) == len(targets)


@pytest.mark.parametrize("name", exercises.PLACES)
def test_a_row_leads_to_the_function(name):
    module, attribute = catalog.locate(name)
    assert catalog.plain(getattr(module, attribute)).__module__ == module.__name__
    for was in exercises.PLACES[name].was:
        assert exercises.canonical(was) == name and catalog.exercise(was).name == name


def test_an_answer_kept_under_an_earlier_name_counts():
    answers.write(answers.folder() / f"{OLD}.py", catalog.solution(NEW))
    assert answers.load() == {NEW: None}
    assert answers.ledger()["yours"] == [NEW]


def test_of_two_kept_answers_the_one_under_the_id_counts():
    from minids.model import layers

    for name, mark in ((OLD, "first"), (NEW, "second")):
        head, body = catalog.parts(catalog.solution(NEW))
        answers.write(answers.folder() / f"{name}.py", "\n".join([*head, f"    mark = {mark!r}", *body]) + "\n")
    assert answers.load() == {NEW: None} and "second" in inspect.getsource(layers.swiglu)
    texts = submissions.read(answers.folder(), "kept")
    assert list(texts) == [NEW] and "second" in texts[NEW][-1].text and "first" in texts[NEW][0].text


def test_an_answer_under_the_name_that_its_function_had_counts_and_may_call_others_by_theirs(tmp_path):
    old = catalog.solution("moe.permute").replace("permute_tokens", "slots")
    answers.write(answers.folder() / "model.moe.slots.py", old)
    route = catalog.solution("moe.route").replace("mask_groups(", "limit_groups(")
    answers.write(answers.folder() / "moe.route.py", route)
    assert answers.load() == {"moe.permute": None, "moe.route": None}
    path = tmp_path / "sent" / "ana.py"
    path.parent.mkdir()
    path.write_text(f"import torch\n\n\n{old}\n\n{route}", encoding="utf-8")
    (sent,) = submissions.collect([path])
    assert {g.exercise for g in sent.grades if g.code} == {"moe.permute", "moe.route"}


def test_a_cell_may_use_the_earlier_name(capsys):
    source = catalog.cell(catalog.exercise("moe.permute"), True).replace("permute_tokens", "slots")
    source = source.replace("from minids.model.moe import slots\n", "")
    linecache.cache["<old>"] = (len(source), None, source.splitlines(True), "<old>")
    space = {}
    exec(compile(source, "<old>", "exec"), space)
    check("model.moe.slots", space["slots"])
    assert "✓ moe.permute" in capsys.readouterr().out
