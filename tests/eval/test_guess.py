from types import SimpleNamespace

import pytest

from minids.eval import evaluate


def test_guess_at_counts_the_most_frequent_answers_of_each_family():
    answers = {"add": ["1", "1", "2", "3"], "chain": ["7", "7", "7", "9"]}
    problems = [SimpleNamespace(family=f, answer=a) for f, many in answers.items() for a in many]
    assert evaluate.guess_at(problems, ["1", "2", "16"]) == {
        "1": pytest.approx(5 / 8),
        "2": pytest.approx(7 / 8),
        "16": 1.0,
    }
    assert evaluate.guess_at([], [1]) == {"1": 0.0}


def test_answers_counted_elsewhere_do_not_flatter_the_guesser():
    seen = [SimpleNamespace(family="add", answer=a) for a in ("1", "1", "2")]
    asked = [SimpleNamespace(family=f, answer=a) for f, a in (("add", "2"), ("add", "1"), ("add", "8"), ("chain", "1"))]
    assert evaluate.guess_at(asked, [1, 2, 16], seen) == {"1": 1 / 4, "2": 2 / 4, "16": 2 / 4}
