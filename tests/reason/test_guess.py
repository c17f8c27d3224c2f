from types import SimpleNamespace

import pytest

from minids.reason import evaluate


def test_guess_at_counts_the_most_frequent_answers_of_each_family():
    answers = {"add": ["1", "1", "2", "3"], "chain": ["7", "7", "7", "9"]}
    problems = [SimpleNamespace(family=f, answer=a) for f, many in answers.items() for a in many]
    assert evaluate.guess_at(problems, ["1", "2", "16"]) == {
        "1": pytest.approx(5 / 8), "2": pytest.approx(7 / 8), "16": 1.0,
    }  # fmt: skip
    assert evaluate.guess_at([], [1]) == {"1": 0.0}
