"""Rejection sampling: what is kept is right, whole, in one script, and new."""

import itertools
import math
import random
from fractions import Fraction

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from minids import MinidsError, ModelConfig, Tokenizer, Transformer
from minids.rl import rejection
from minids.tasks import arithmetic, documents
from minids.tasks.reward import Reward, RewardResult

GOOD = RewardResult(total=1.1, accuracy=1.0, format=1.0, language=1.0, empty_think=False, truncated=False, answer=1)


def result(**change):
    return RewardResult(**{**vars(GOOD), **change})


@pytest.mark.parametrize("change", [dict(accuracy=0.0), dict(format=0.0), dict(truncated=True), dict(language=0.9)])
def test_one_fault_is_enough_to_be_thrown_away(change):
    assert rejection.accept([GOOD], [[5]], keep=1) == [0]
    assert rejection.accept([result(**change)], [[5]], keep=1) == []


def test_equal_answers_count_once_and_no_more_than_keep_are_taken():
    assert rejection.accept([GOOD] * 4, [[1], [1], [2], [3]], keep=2) == [0, 2]
    assert rejection.accept([result(language=0.5)], [[1]], keep=1, language=0.5) == [0]


@given(st.lists(st.tuples(st.booleans(), st.booleans(), st.integers(0, 3)), max_size=12), st.integers(1, 5))
def test_against_a_plain_filter(rows, keep):
    results = [result(accuracy=float(right), format=float(form)) for right, form, _ in rows]
    answers = [[token] for *_, token in rows]
    good = [i for i, (right, form, _) in enumerate(rows) if right and form]
    first = [i for i in good if answers[i] not in [answers[j] for j in good if j < i]]
    assert rejection.accept(results, answers, keep=keep) == first[:keep]


@given(st.fractions(0, 1), st.integers(1, 7), st.integers(1, 8))
def test_documents_to_expect_are_those_of_all_outcomes(rate, samples, keep):
    """Every row of right and wrong answers with its probability, through `accept` itself, in exact fractions."""
    expected = Fraction(0)
    for row in itertools.product((1, 0), repeat=samples):
        results = [result(accuracy=float(right)) for right in row]
        kept = rejection.accept(results, [[i] for i in range(samples)], keep=keep)
        expected += math.prod(rate if right else 1 - rate for right in row) * len(kept)
    assert rejection.expected_kept(float(rate), samples, keep) == pytest.approx(float(expected), abs=1e-9)


def test_documents_to_expect_of_thousands_of_answers():
    assert rejection.expected_kept(0.5, 3000, 4) == pytest.approx(4.0)
    assert rejection.expected_kept(1e-3, 5000, 1) == pytest.approx(1 - 0.999**5000)


@pytest.fixture(scope="module")
def speaker():
    parts = list(documents.pretraining_parts(["add"], 200, mix={"hasty": 1.0}, fact_share=0.0, seed=0))
    tokenizer = Tokenizer.train(documents.pretraining_texts(parts), 290, digits="single")
    torch.manual_seed(0)
    model = Transformer(
        ModelConfig(
            vocab_size=len(tokenizer),
            hidden_size=16,
            intermediate_size=32,
            num_hidden_layers=1,
            num_attention_heads=2,
            kv_lora_rank=8,
            q_lora_rank=None,
            qk_rope_head_dim=4,
            qk_nope_head_dim=4,
            v_head_dim=4,
            first_k_dense_replace=1,
            max_position_embeddings=128,
            eos_token_id=tokenizer.eos_id,
        )
    )
    return model, tokenizer


def test_documents_are_prompt_and_answer_of_right_answers(speaker, monkeypatch):
    """A model that answers at random is never right: a judge that likes even lengths stands in for the rule."""
    model, tokenizer = speaker
    asked = []

    def judge(self, problem, text, finished):
        asked.append(problem)
        return GOOD if len(text) % 2 == 0 else result(accuracy=0.0)

    monkeypatch.setattr(Reward, "__call__", judge)
    config = rejection.RejectionConfig(questions=6, samples=3, max_per_question=2, max_new_tokens=8)
    pairs, counts = rejection.collect(model, tokenizer, ["add"], config, seed=3)
    assert 0 < len(pairs) == counts["kept"] <= counts["right"] <= counts["answers"] == len(asked) == 18
    assert all(p.split == "rl" for p in asked)
    for ids, length in pairs:
        assert ids[:length][-1] == tokenizer.assistant_id and 0 < len(ids) - length <= 8
        assert len(tokenizer.decode(ids[length:])) % 2 == 0
    assert rejection.collect(model, tokenizer, ["add"], config, seed=3)[0] == pairs
    assert rejection.collect(model, tokenizer, ["add"], config, seed=4)[0] != pairs


@pytest.mark.parametrize("change", [dict(questions=0), dict(samples=0), dict(language=1.5), dict(script="x")])
def test_impossible_settings_are_refused(change):
    with pytest.raises(MinidsError, match=next(iter(change))):
        rejection.RejectionConfig(**{"questions": 3, **change})


def test_spoken_thoughts():
    rng = random.Random(0)
    add = arithmetic.Problem("add", "", (347, 5896), 4)
    chain = arithmetic.Problem("chain", "", (12, 7, -5), 3)
    assert (
        arithmetic.spoken(arithmetic.thought(add, "careful"), rng, 0.0)
        == "7+6=13 then 4+9+1=14 then 3+8+1=12 then 0+5+1=6"
    )
    said = arithmetic.spoken(arithmetic.thought(chain, "careful"), rng, 1.0)
    assert said == "12+7: 2+7=9 1+0=1 再 >19-5: 9-5=4 1-0=1 再 >14"
    assert arithmetic.spoken(arithmetic.thought(add, "hasty"), rng, 0.5) == "347+5896=6243"
