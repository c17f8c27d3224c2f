"""Speculative decoding writes what greedy decoding writes, whatever the modules guess."""

import random

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_models import YARN, ids_for, random_model

from minids.errors import MinidsError
from minids.model.speculative import Drafter, expected_speedup, speculative_greedy
from minids.text.corpus import pad_batch
from minids.train import loss


def greedy(model, prompt, count, stop=()):
    """No cache at all: the whole text anew for each token."""
    ids = list(prompt)
    with torch.no_grad():
        for _ in range(count):
            ids.append(int(model(torch.tensor([ids]))[0, -1].argmax()))
            if ids[-1] in stop:
                break
    return ids[len(prompt) :]


FORMS = ({}, dict(q_lora_rank=14, rope_scaling=YARN), dict(attention="gqa", num_key_value_heads=2))
SHAPES = [dict(num_nextn_predict_layers=k, **form) for k in (0, 1, 2, 3) for form in FORMS]


@pytest.mark.parametrize("changes", SHAPES, ids=str)
def test_equals_greedy(changes):
    model = random_model(dtype=torch.float64, **changes)
    modules = changes["num_nextn_predict_layers"]
    for length in (1, 2, 17):
        prompt = ids_for(model, 1, length, seed=length)[0].tolist()
        new, stats = speculative_greedy(model, prompt, 14, stop_ids=())
        assert new == greedy(model, prompt, 14)
        assert stats["forwards"] + stats["accepted"] == 14
        assert stats["accepted"] <= stats["drafted"] <= modules * stats["forwards"]


def lucky(model, prompt, count, hits):
    """Drafts that are right where `hits` says so: runs every pattern of acceptance through the bookkeeping."""
    answer, seen = greedy(model, prompt, count + 8), []
    original = Drafter.draft

    def draft(self, ids, hidden, count):
        own = original(self, ids, hidden, count)
        at = len(ids) - len(prompt)
        out = []
        for j, guess in enumerate(own):
            right = answer[at + j]
            seen.append(guess)
            out.append(right if hits[(at + j) % len(hits)] else (right + 1) % model.config.vocab_size)
        return out

    return answer, draft


@settings(max_examples=15, deadline=None)
@given(hits=st.lists(st.booleans(), min_size=1, max_size=9), modules=st.integers(1, 3), length=st.integers(1, 6))
def test_every_pattern_of_acceptance(hits, modules, length):
    model = random_model(dtype=torch.float64, num_nextn_predict_layers=modules, num_hidden_layers=2)
    prompt = ids_for(model, 1, length)[0].tolist()
    answer, draft = lucky(model, prompt, 16, hits)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Drafter, "draft", draft)
        new, stats = speculative_greedy(model, prompt, 16, stop_ids=())
    assert new == answer[:16]
    if all(hits):
        assert stats["accepted"] == stats["drafted"]
    if not any(hits):
        assert stats["accepted"] == 0 and stats["forwards"] == 16


@settings(max_examples=12, deadline=None)
@given(hits=st.lists(st.booleans(), min_size=1, max_size=9), modules=st.integers(1, 3), length=st.integers(1, 6))
def test_guesses_do_not_depend_on_what_was_rejected(hits, modules, length):
    """The modules' cache holds no trace of wrong guesses: each guess is what the modules say about the text alone."""
    model = random_model(dtype=torch.float64, num_nextn_predict_layers=modules, num_hidden_layers=2)
    prompt = ids_for(model, 1, length)[0].tolist()
    answer, draft = lucky(model, prompt, 12, hits)
    original, calls = Drafter.draft, []

    def watched(self, ids, hidden, count):
        with pytest.MonkeyPatch.context() as inner:
            inner.setattr(Drafter, "draft", original)
            own = original(self, ids, hidden, count)
        calls.append((list(ids), own))
        return [answer[len(ids) - len(prompt) + j] if hits[(len(ids) + j) % len(hits)] else 0 for j in range(len(own))]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Drafter, "draft", watched)
        speculative_greedy(model, prompt, 12, stop_ids=())
    for ids, own in calls:
        assert own == guesses_from_scratch(model, ids, len(own))


@torch.no_grad()
def guesses_from_scratch(model, ids, count):
    """`mtp_hidden` over the whole text, the guesses appended one by one."""
    n, ids = len(ids) - 1, list(ids)
    hidden = model.hidden(torch.tensor([ids[:n]]))
    for k in range(count):
        fed = ids + [0]  # mtp_hidden feeds module j the token j+1 further; the states at n-1 need ids up to n+k
        full = torch.cat([hidden, hidden.new_zeros(1, len(fed) - n, hidden.shape[-1])], 1)
        ids.append(int(model.lm_head(model.mtp_hidden(full, torch.tensor([fed]))[k][:, n - 1]).argmax()))
    return ids[n + 1 :]


def test_stop_tokens_and_limits():
    model = random_model(dtype=torch.float64, num_nextn_predict_layers=2)
    prompt = ids_for(model, 1, 6)[0].tolist()
    whole = greedy(model, prompt, 20)
    for stop in set(whole):
        assert speculative_greedy(model, prompt, 20, stop_ids=[stop])[0] == whole[: whole.index(stop) + 1]
    for count in (1, 2, 3):
        assert speculative_greedy(model, prompt, count, stop_ids=())[0] == whole[:count]
    context = model.config.max_position_embeddings
    assert len(speculative_greedy(model, [3] * (context - 4), 50, stop_ids=())[0]) == 4
    for prompt in ([], [3] * context, [97], [-1]):
        with pytest.raises(MinidsError):
            speculative_greedy(model, prompt, 5)


@pytest.mark.parametrize("modules", [1, 2, 3])
def test_a_stop_token_among_right_guesses_ends_the_text(modules, monkeypatch):
    model = random_model(dtype=torch.float64, num_nextn_predict_layers=modules)
    prompt = ids_for(model, 1, 6)[0].tolist()
    answer, draft = lucky(model, prompt, 16, [True])
    monkeypatch.setattr(Drafter, "draft", draft)
    for stop in set(answer[:16]):
        assert speculative_greedy(model, prompt, 16, stop_ids=[stop])[0] == answer[: answer.index(stop) + 1]


def test_modes_and_the_default_stop():
    model = random_model(num_nextn_predict_layers=1).train()
    prompt = ids_for(model, 1, 6)[0].tolist()
    whole, _ = speculative_greedy(model, prompt, 10, stop_ids=())
    assert model.training
    model.config.eos_token_id = whole[4]
    assert speculative_greedy(model, prompt, 10)[0] == whole[: whole.index(whole[4]) + 1]


@pytest.mark.parametrize("lengths", [(1,), (2, 1), (3, 2)], ids=str)
def test_texts_shorter_than_the_modules_reach(lengths):
    """Their MTP loss is that of the targets there are, on both paths of the loss."""
    model = random_model(dtype=torch.float64, num_nextn_predict_layers=3)
    batch = pad_batch([ids_for(model, 1, n, seed=n)[0].tolist() for n in lengths])
    state = model.hidden(batch.ids_BT, valid_BT=batch.valid_BT)
    states = model.mtp_hidden(state, batch.ids_BT, valid_BT=batch.valid_BT)
    assert all(s.shape == state.shape for s in states)
    want = 0.0
    for ahead, s in enumerate(states, 2):
        for b, t in ((b, t) for b, n in enumerate(lengths) for t in range(n - ahead)):
            want -= model.lm_head(s[b, t]).log_softmax(-1)[batch.ids_BT[b, t + ahead]].item() / len(states)
    assert loss.lm_loss(model, batch, mtp_lambda=0.3)[1].item() == pytest.approx(want, abs=1e-9)
    with torch.autocast("cpu", torch.bfloat16, enabled=True):  # the path without the hand-written backward
        assert loss.lm_loss(model.float(), batch, mtp_lambda=0.3)[1].item() == pytest.approx(want, rel=0.1, abs=1e-6)


def test_expected_speedup_is_what_rounds_take():
    rng, rates, tokens, rounds = random.Random(0), (0.8, 0.5, 0.9), 0, 40_000
    for _ in range(rounds):
        tokens += 1
        for rate in rates:
            if rng.random() >= rate:
                break
            tokens += 1
    assert expected_speedup(rates, 0.2, 0.1) == pytest.approx(tokens / rounds / 1.9, rel=0.02)
