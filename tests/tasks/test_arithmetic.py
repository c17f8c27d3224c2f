"""Problems are right, thoughts say only what is true, and sets cannot overlap."""

import random
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minids import MinidsError
from minids.tasks import arithmetic

EQUATION = re.compile(r"(\d+)((?:[+-]\d+)+)=(\d+)")


def value_of(expression):
    """An evaluator of our own for chains, without eval."""
    assert re.fullmatch(r"\d+([+-]\d+)*", expression)
    return sum(int(t) for t in re.findall(r"[+-]?\d+", expression))


@pytest.mark.parametrize("family", arithmetic.FAMILIES)
@pytest.mark.parametrize("split", arithmetic.SPLITS)
def test_problems_are_what_they_say(family, split):
    rng = random.Random(1)
    sizes, answers = set(), set()
    for _ in range(400):
        p = arithmetic.sample(family, rng, split)
        assert p.split == split == arithmetic.split_of(p.key)
        assert int(p.answer) == sum(p.terms) == value_of(p.expression)
        totals = [sum(p.terms[: i + 1]) for i in range(len(p.terms))]
        assert min(totals) >= 0
        sizes.add(p.size)
        answers.add(p.answer)
        numbers = [int(n) for n in re.findall(r"\d+", p.question)]
        assert numbers == [abs(t) for t in p.terms]  # a story tells the numbers in the order of the chain
    assert sizes == set(arithmetic.SIZES[family])
    assert len(answers) >= 100


@pytest.mark.parametrize("family", arithmetic.FAMILIES)
@pytest.mark.parametrize("style", ["careful", "brisk", "hasty"])
def test_every_equation_of_a_thought_is_true_and_leads_to_the_answer(family, style):
    rng = random.Random(2)
    for _ in range(500):
        p = arithmetic.sample(
            family, rng, "train", size=rng.choice([*arithmetic.SIZES[family], *arithmetic.BEYOND[family]])
        )
        text = arithmetic.thought(p, style)
        found = EQUATION.findall(text)
        assert found or style == "hasty"
        for first, rest, value in found:
            assert value_of(first + rest) == int(value), text
        if family != "add" and style == "careful":
            assert [int(t) for t in re.findall(r">(\d+)", text)] == [
                sum(p.terms[: i + 2]) for i in range(len(p.terms) - 1)
            ]
        if style != "careful" and family != "add" or style == "hasty":
            assert text.endswith(p.answer)


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 10**7), st.integers(-(10**7), 10**7), st.integers(1, 3))
def test_column_steps_compute_the_sum(total, term, block):
    if total + term < 0:
        term = -total
    base, digits = 10**block, []
    steps = arithmetic.digit_steps(total, term, block)
    for step in steps:
        ((first, rest, value),) = EQUATION.findall(step)
        assert value_of(first + rest) == int(value)
        digits.append(int(value))
    # the answer is read off: the last result whole, the others' lower digits
    got = digits[-1] * base ** (len(digits) - 1) + sum(d % base * base**i for i, d in enumerate(digits[:-1]))
    assert got == total + term


def test_facts_are_true():
    rng = random.Random(3)
    for _ in range(200):
        for first, rest, value in EQUATION.findall(arithmetic.facts(rng)):
            assert value_of(first + rest) == int(value) and int(value) <= 19


def test_sloppy_thoughts_are_sometimes_wrong():
    rng = random.Random(4)
    wrong = sum(
        value_of(a + b) != int(c)
        for _ in range(300)
        for a, b, c in EQUATION.findall(arithmetic.thought(arithmetic.sample("add", rng, "train"), "sloppy", rng))
    )
    assert wrong > 20


def test_sets_are_disjoint_whatever_the_text():
    keys = {s: {p.key for p in arithmetic.problem_set(arithmetic.FAMILIES, s, 300, seed=0)} for s in arithmetic.SPLITS}
    assert not keys["train"] & keys["test"] and not keys["rl"] & keys["test"] and not keys["train"] & keys["rl"]
    # commuted sums, and a chain told as a story, fall together
    make = arithmetic.Problem
    assert make("add", "", (347, 5896), 4).split == make("chain", "", (5896, 347), 2).split
    assert make("chain", "a", (12, 7, -5), 3).key == make("word", "b", (12, 7, -5), 3).key


def test_keys_are_the_operands_in_an_order_that_matters_only_where_it_should():
    assert arithmetic.key_of((5896, 347)) == arithmetic.key_of([347, 5896]) == "347,5896"
    assert [arithmetic.key_of(t) for t in ((12, -5), (3, 2, 1), (9, 10))] == ["12,-5", "3,2,1", "9,10"]
    # a problem's split goes by it, in whatever way the question is put
    assert arithmetic.Problem("word", "Ana has 9 pens …", (9, 10), 2).split == arithmetic.split_of(
        arithmetic.key_of((10, 9))
    )


def test_shares_of_the_splits():
    rng = random.Random(5)
    share = [arithmetic.split_of(f"{rng.randrange(10**6)},{rng.randrange(10**6)}") for _ in range(5000)]
    assert 0.08 < share.count("test") / 5000 < 0.12 and 0.27 < share.count("rl") / 5000 < 0.33


def test_a_set_with_a_stranger_is_refused():
    problems = arithmetic.problem_set(["add"], "test", 5, seed=0)
    with pytest.raises(MinidsError, match="must not mix"):
        arithmetic.assert_split(problems, "train")


def test_problem_sets_are_functions_of_their_seed():
    assert arithmetic.problem_set(["word"], "test", 20, seed=3) == arithmetic.problem_set(["word"], "test", 20, seed=3)
    assert arithmetic.problem_set(["word"], "test", 20, seed=3) != arithmetic.problem_set(["word"], "test", 20, seed=4)


@pytest.mark.parametrize(
    "call",
    [
        lambda: arithmetic.sample("multiply", random.Random(0), "train"),
        lambda: arithmetic.thought(arithmetic.Problem("add", "1+1", (1, 1), 1), "poetic"),
        lambda: arithmetic.problem_set(["add"], "test", 10_000, seed=0, size=1),
    ],
)
def test_errors(call):
    with pytest.raises(MinidsError):
        call()
