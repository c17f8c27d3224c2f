"""Interventions: what is cut is the thought and nothing else, what is read off a thought is what it says, and a model
that goes on from its own beginning says what it would have said."""

import random

import pytest

from minids.course import tiny_models
from minids.errors import MinidsError
from minids.eval import thought_interventions
from minids.model import generate as sampler
from minids.rl.rollout import prompt_of
from minids.tasks import arithmetic
from minids.text import chat
from minids.text.tokenizer import Tokenizer


@pytest.fixture(scope="module")
def tokenizer():
    return Tokenizer.from_pretrained(tiny_models.FOLDER / "grpo")


def written(tokenizer, problem, style):
    """A reply as the training documents have it."""
    make = chat.document_ids if style == "tags" else chat.plain_document_ids
    ids, prompt = make(tokenizer, problem.question, arithmetic.thought(problem, "careful"), problem.answer)
    return ids[prompt:]


@pytest.mark.parametrize(("style", "opened"), [("tags", "\n</think>\n<answer>"), ("plain", "\nAnswer:")])
def test_a_cut_reply_is_a_part_of_the_thought_between_the_marks(tokenizer, style, opened):
    begin, end = thought_interventions.marks(tokenizer, style)
    for problem in arithmetic.problem_set(arithmetic.FAMILIES, "train", 10, seed=1):
        reply, thought = written(tokenizer, problem, style), arithmetic.thought(problem, "careful")
        whole = tokenizer.decode(thought_interventions.limit_thought(reply, 500, begin, end))
        assert whole.endswith(opened) and thought in whole and tokenizer.decode(reply).startswith(whole)
        for budget in (0, 3, 7):
            text = tokenizer.decode(thought_interventions.limit_thought(reply, budget, begin, end))
            left = text.removesuffix(opened).removeprefix("\n<think>\n").strip()
            assert text.endswith(opened) and thought.startswith(left) and len(tokenizer.encode(left)) <= budget
        going_on = thought_interventions.refuse_end(reply, tokenizer.encode("?"), begin, end)
        assert tokenizer.decode(going_on) == whole.removesuffix(opened) + "?"


def test_a_thought_says_its_answer_and_a_changed_digit_changes_that_digit():
    rng = random.Random(3)
    for _ in range(200):
        problem = arithmetic.sample("add", rng, "train")
        thought, shift = arithmetic.thought(problem, "careful"), rng.randrange(1, 10)
        assert thought_interventions.read_off(thought) == int(problem.answer)
        step = rng.randrange(thought.count("="))
        changed = thought_interventions.corrupt(thought, step, shift)
        assert len(changed) == len(thought) and sum(a != b for a, b in zip(thought, changed)) == 1
        digit = int(problem.answer) // 10**step % 10
        want = int(problem.answer) + ((digit + shift) % 10 - digit) * 10**step
        assert thought_interventions.read_off(changed) == want
    assert (
        thought_interventions.corrupt("7+6=13 4+9+1=14", 0) == "7+6=14 4+9+1=14"
        and thought_interventions.read_off("7+6=13 4+9+1=14") == 143
    )
    assert thought_interventions.read_off("no step") is None


@pytest.mark.slow
def test_a_model_goes_on_from_its_own_beginning_as_it_went_on_before():
    model, tokenizer = tiny_models.model("grpo")
    problems = arithmetic.problem_set(["add", "word"], "test", 4, seed=2)
    prompts = [prompt_of(tokenizer, p.question, "tags") for p in problems]
    whole = sampler.generate(model, prompts, max_new_tokens=160, temperature=0, stop_ids=[tokenizer.eos_id]).ids
    begin, end = thought_interventions.marks(tokenizer)
    for openings in (
        [ids[: len(ids) // 2] for ids in whole],
        [thought_interventions.limit_thought(i, 999, begin, end) for i in whole],
    ):
        found = thought_interventions.resume(model, tokenizer, problems, openings)
        assert [text for _, _, text in found] == [tokenizer.decode(ids) for ids in whole]
        assert [length for _, length, _ in found] == [len(ids) for ids in whole]
        assert sum(result.accuracy for result, _, _ in found) >= 6


@pytest.mark.parametrize(
    "call",
    [
        lambda t: thought_interventions.marks(t, "direct"),
        lambda t: thought_interventions.limit_thought([1, 2], 3, [9], [8]),
        lambda t: thought_interventions.corrupt("7+6=13", 1),
        lambda t: thought_interventions.corrupt("7+6=13", -1),
        lambda t: thought_interventions.resume(None, t, [], [[1]]),
    ],
)
def test_errors(tokenizer, call):
    with pytest.raises(MinidsError, match="probe:"):
        call(tokenizer)
