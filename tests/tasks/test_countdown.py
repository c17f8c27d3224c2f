"""Countdown: every problem can be solved, every trace is a search, every answer is verified exactly."""

import random
import re
from collections import Counter
from fractions import Fraction

import pytest

from minids import MinidsError
from minids.run import recipes
from minids.tasks import arithmetic, countdown, gym, registry

STEP = re.compile(r"([0-9]+)([-+*/])([0-9]+)=([0-9]+)(: ([0-9 ]+)| yes| no)")
ENV = registry.get("countdown")


def read(line):
    a, sign, b, value, end, left = STEP.fullmatch(line).groups()
    return int(a), sign, int(b), int(value), end, [int(n) for n in left.split()] if left else [int(value)]


@pytest.mark.parametrize("size", [3, 4, 5])
@pytest.mark.parametrize("style", ENV.styles)
def test_every_step_is_true_and_the_last_one_meets_the_target(size, style):
    rng = random.Random(size)
    for _ in range(40):
        p = ENV.sample(rng, "train", size)
        numbers, target = p.data
        thought, answer = ENV.worked(p, style, rng)
        assert ENV.score(p, answer) == ENV.score(p, p.answer) == 1.0 and len(answer) < 60
        lines = [read(line) for line in thought.split("; ")]
        for a, sign, b, value, end, left in lines:
            exact = {"+": a + b, "-": a - b, "*": a * b, "/": Fraction(a, b or 1)}[sign]
            assert exact == value >= 0 and (sign != "/" or b)
            assert (end == " yes") == (len(left) == 1 and value == target) and (end == " no") <= (value != target)
        assert [line[4] for line in lines].count(" yes") == 1 and lines[-1][4] == " yes"
        # what a step leaves comes from what an earlier one left, or from the numbers themselves
        known = [Counter(numbers)] + [Counter(line[5]) for line in lines]
        for a, _, b, value, _, left in lines:
            before = Counter(left)
            before[value] -= 1
            assert before + Counter([a, b]) in known
        # and the answer is the way that was found: its last operation is that of the last step
        assert ENV.canonical(p, answer) == answer and gym.evaluate(answer) == target


def test_searches_differ_in_order_and_are_bounded():
    rng, longer = random.Random(1), 0
    for _ in range(40):
        p = ENV.sample(rng, "train", 4)
        deep, wide, straight = (ENV.demonstrate(p, style).split("; ") for style in ENV.styles)
        assert len(straight) == 3 and max(len(deep), len(wide)) <= 4 + 16 + 64
        widths = [len(read(line)[5]) for line in wide]
        assert widths == sorted(widths, reverse=True)  # level by level
        longer += len(deep) > 3
    assert longer > 10  # few are solved at the first try


def test_a_solution_is_found_wherever_there_is_one():
    """Against a search of our own over expressions, for all targets of a few hands."""

    def reachable(numbers):
        if len(numbers) == 1:
            return set(numbers)
        out = set()
        for i in range(len(numbers)):
            for j in range(len(numbers)):
                if i != j:
                    a, b = numbers[i], numbers[j]
                    rest = [n for k, n in enumerate(numbers) if k not in (i, j)]
                    new = {a + b, a * b} | ({a - b} if a >= b else set()) | ({a // b} if b and a % b == 0 else set())
                    out |= {v for n in new for v in reachable([n, *rest])}
        return out

    for numbers in ([1, 2, 3], [7, 7, 1], [5, 9, 14], [2, 3, 5, 8]):
        there = reachable(numbers)
        for target in range(10, 100):
            if target in there:
                way = countdown.solve(numbers, target)
                assert gym.solves(way[-1].expression, target, numbers)
            else:
                with pytest.raises(MinidsError, match="cannot be made"):
                    countdown.solve(numbers, target)


@pytest.mark.parametrize(
    "text,right",
    [
        ("3*8", 1),
        ("8 * 3", 1),
        ("(3*8)", 1),
        ("24", 0),
        ("3*8*1", 0),
        ("9**9**9", 0),
        ("8//3", 0),
        ("", 0),
        ("3*8=24", 0),
        ("3*8 or 8*3", 0),
        ("8*3 8*3", 0),
        ("__import__('os')", 0),
        ("x" * 5000, 0),
        ("(" * 300 + "3*8" + ")" * 300, 0),
    ],
)
def test_any_right_expression_is_right_and_nothing_else(text, right):
    p = countdown._item([3, 8], 24, "3*8", 2)
    assert ENV.judge(p, text).score == right


def test_equal_hands_fall_into_one_set():
    a, b = countdown._item([3, 8, 5], 29, "3*8+5", 3), countdown._item([5, 3, 8], 29, "5+3*8", 3)
    assert a.key == b.key and a.split == b.split and a.question != b.question
    rng = random.Random(3)
    keys = {s: {ENV.sample(rng, s).key for _ in range(200)} for s in arithmetic.SPLITS}
    assert not keys["train"] & keys["test"] and not keys["train"] & keys["rl"] and not keys["rl"] & keys["test"]


def test_the_recipe_loads_and_has_room_for_its_thoughts():
    from minids.text import Tokenizer, chat

    r = recipes.load("small-countdown")
    rng = random.Random(4)
    problems = [ENV.sample(rng, "train") for _ in range(150)]
    worked = [(p.question, *ENV.worked(p, "careful", rng)) for p in problems]
    tokenizer = Tokenizer.train([" ".join(w) for w in worked], 300, digits="single")
    longest = max(len(chat.document_ids(tokenizer, *w)[0]) for w in worked)
    assert longest < r.grpo["max_new_tokens"] < r.model["max_position_embeddings"]
