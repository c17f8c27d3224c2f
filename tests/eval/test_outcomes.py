import random
from dataclasses import dataclass, replace
from types import SimpleNamespace

import pytest

from minids.eval import evaluate
from minids.eval.evaluate import EvalConfig, outcomes, read_outcomes
from minids.progress import Progress
from minids.tasks.reward import RewardResult


@dataclass(frozen=True)
class Problem:
    question: str
    answer: str | int


@dataclass
class Graded:
    accuracy: float


def asked(n):
    return [Problem(f"{i}+1", i + 1) for i in range(n)]


@pytest.mark.parametrize("n", [1, 3, 4, 5, 8, 250, 1000])
def test_bits_come_back_in_order(n):
    rng = random.Random(n)
    for right in ([rng.random() < 0.5 for _ in range(n)], [False] * n, [True] * n):
        packed = outcomes(asked(n), [[(Graded(0.0),)]] * n, [[(Graded(float(r)), 7, "text")] for r in right])
        assert read_outcomes(packed["sampled"], n) == right
        assert read_outcomes(packed["greedy"], n) == [False] * n
        assert len(packed["sampled"]) == -(-n // 4)


def test_partial_credit_is_not_right():
    assert outcomes(asked(2), [[(Graded(0.5),)], [(Graded(1.0),)]], [[(Graded(0.0),)]] * 2)["greedy"] == "1"


def test_other_problems_have_another_name():
    def name(problems):
        return outcomes(problems, [[(Graded(0.0),)]] * len(problems), [[(Graded(0.0),)]] * len(problems))["problems"]

    problems = asked(5)
    others = [problems[::-1], problems[:4], [*problems[:4], replace(problems[4], answer=9)]]
    assert len({name(p) for p in [problems, *others]}) == 4
    assert name([Problem("1+1", 2)]) == name([Problem("1+1", "2")])


@pytest.mark.parametrize("bits", ["", "1", "123", "zz", "-1", "0x", "ff", "+f", "f "])
def test_bits_that_do_not_fit_are_refused(bits):
    with pytest.raises(ValueError):
        read_outcomes(bits, 5)


@pytest.mark.parametrize("world", [1, 2, 3])
@pytest.mark.parametrize("full", [True, False])
def test_progress_counts_answers_and_ends_at_their_number(world, full, monkeypatch):
    """25 problems on two processes are 13 and 12: together no more than 25."""

    def sampled(model, tokenizer, problems, *_, n, **how):
        many = n * len(problems)
        wrong = RewardResult(*[0.0] * 4, False, False, None)
        return SimpleNamespace(results=[wrong] * many, ids=[[1]] * many, texts=[""] * many)

    def gather(out):
        return [dict.fromkeys(range(25), next(iter(out.values()))) | out]

    monkeypatch.setattr(evaluate.rollout, "sample_and_grade", sampled)
    monkeypatch.setattr(evaluate.rollout, "check_asked", lambda *_: None)
    config = EvalConfig(problems=25, samples=3, sampled_problems=10, max_batch=8)
    bar = Progress("evaluate", evaluate.answers_of(config, 1, full), "answer", quiet=True)
    comm = SimpleNamespace(rank=0, world=world, gather=gather)
    evaluate.evaluate(None, None, ["add"], config, stage="x", comm=comm, progress=bar, full=full)
    assert bar.done == bar.total == 50 + 30 * full
