"""The checks are proven: every planted mistake is refused, for its own reason and by its name; every other right way
and the library's own are accepted; a blank is a blank."""

from dataclasses import replace

import pytest

from minids.course import cases, catalog, check_quality, wrong

EXERCISES = catalog.every()


@pytest.mark.slow
@pytest.mark.parametrize("found", EXERCISES, ids=lambda e: e.name)
def test_the_check_refuses_every_mistake_and_accepts_every_right_way(found):
    row = check_quality.measure(found)
    assert not row.complaints, "\n".join(row.complaints)
    assert row.wrong >= 6 and row.alternatives >= 2 and row.cases >= 4 and 1 <= row.held_out < row.cases
    assert row.refused == row.by_their_case == row.wrong and row.accepted == row.alternatives and row.own_accepted


@pytest.mark.slow
@pytest.mark.parametrize("found", EXERCISES, ids=lambda e: e.name)
def test_it_does_so_with_another_seed_too(found):
    """One other seed each; `minids dev check-quality --seed N` takes any, for all of them."""
    complaints = check_quality.with_another_seed(found, 11 + EXERCISES.index(found))
    assert not complaints, "\n".join(complaints)


def test_every_chapter_has_three_to_six_exercises_and_every_mistake_is_described():
    chapters = {}
    for e in EXERCISES:
        chapters.setdefault(e.chapter, []).append(e)
        for known in wrong.load()[0][e.name]:
            assert "?" in known.ask and known.mistake and known.mistake[-1] not in ".?!", known
    assert all(3 <= len(group) <= 6 for group in chapters.values())
    names = [e.name for e in EXERCISES]
    assert len(set(names)) == len(names)


def test_an_exercise_with_too_little_is_told_what_it_lacks(monkeypatch):
    found = catalog.Exercise("layers.swiglu", "02_transformer")
    few = cases.load()["layers.swiglu"][:1]
    assert not few[0].held_out
    monkeypatch.setitem(cases.CASES, "layers.swiglu", few)
    for book in wrong.load():
        monkeypatch.setitem(book, "layers.swiglu", [])
    assert check_quality.measure(found).complaints == [
        "1 of at least 4 cases",
        "0 of at least 1 held-out cases: @case(NAME, held_out=True)",
        "0 of at least 6 planted mistakes: @wrong(NAME, …)",
        "0 of at least 2 other right ways: @alternative(NAME)",
    ]
    enough = check_quality.Strength("a", "01", 4, 1, 6, 6, 6, 6, 6, 2, 2, True, [])
    assert check_quality.too_few(enough) == []
    assert check_quality.too_few(replace(enough, held_out=4)) == ["no case that a student sees"]


def test_the_table_adds_up():
    rows = [
        check_quality.Strength("a", "01", 5, 1, 6, 6, 6, 6, 6, 2, 2, True, []),
        check_quality.Strength("b", "01", 4, 1, 7, 6, 6, 5, 7, 3, 3, True, []),
    ]
    assert "| **2 exercises** | 9 (2) | 12 of 13 | 11 of 13 | 5 of 5 |" in check_quality.table(rows)


def test_the_readme_says_what_there_is():
    """Refused and accepted are all of them, as the tests above demand; what can drift is how many there are."""
    text = (catalog.ROOT / "README.md").read_text(encoding="utf-8")
    assert check_quality.chapters() in text
    planted, others = (sum(len(book[e.name]) for e in EXERCISES) for book in wrong.load())
    for said in (f"{len(EXERCISES)} exercises", f"**{planted} of {planted}**", f"**{others} of {others}**"):
        assert said in text, f"minids dev check-quality --readme: {said}"


ROUNDS = sorted((catalog.ROOT / "tests" / "course" / "rounds").glob("[0-9]"))


@pytest.mark.parametrize("folder", ROUNDS, ids=lambda p: p.name)
def test_a_round_of_fresh_answers_has_ten_wrong_ones_or_more_and_four_right_ones_to_an_exercise(folder):
    names = {e.name for e in EXERCISES}
    for path in folder.glob("*.py"):
        answers = check_quality.fresh(path)
        kinds = [who.partition("_")[0] for who, _, _ in answers]
        assert path.stem in names and kinds.count("wrong") >= 10 and kinds.count("right") == 4, path
        assert all(about for _, about, _ in answers), path


def test_fresh_answers_are_tried():
    row = check_quality.try_answers(ROUNDS[0] / "layers.swiglu.py", seeds=2)
    assert (row.wrong, row.right, row.accepted) == (10, 4, 4) and row.seen <= row.refused and row.refused >= 9
    assert "| **1 exercises** | 10 |" in check_quality.round_table([row])
    recursive = check_quality.fresh(ROUNDS[0] / "pretraining.muon.py")
    assert all("right_" not in text and "wrong_" not in text for _, _, text in recursive)
