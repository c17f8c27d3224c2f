"""Generation: what it says it drew is what the model would draw, whoever else shares the batch,
however it is computed."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from minids import MinidsError, ModelConfig, Transformer, generate
from minids.model import generate as room
from minids.model import moe
from minids.rl.grpo import token_logps


def tiny(seed=0, **change):
    sizes = dict(
        vocab_size=61,
        hidden_size=32,
        intermediate_size=48,
        moe_intermediate_size=16,
        num_hidden_layers=3,
        num_attention_heads=2,
        kv_lora_rank=12,
        q_lora_rank=None,
        qk_rope_head_dim=6,
        qk_nope_head_dim=10,
        v_head_dim=8,
        n_routed_experts=8,
        n_group=2,
        topk_group=1,
        num_experts_per_tok=2,
        n_shared_experts=1,
        first_k_dense_replace=1,
        max_position_embeddings=96,
        initializer_range=0.3,
    )
    torch.manual_seed(seed)
    model = Transformer(ModelConfig(**(sizes | change))).eval()
    for module in model.modules():  # norms and biases that do something
        if hasattr(module, "eps"):
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
    for layer in moe.moe_layers(model):
        layer.gate.e_score_correction_bias.normal_(-1.5, 0.3)
    return model


PROMPTS = [[3, 4, 5], [7], [9, 10, 11, 12, 13, 14, 15], [20, 21]]


def rescored(model, prompts, out, n=1, **how):
    """Log-probabilities of every sampled token from one full forward a sequence, without cache or batch."""
    for i, ids in enumerate(out.ids):
        prompt = prompts[i // n]
        text = torch.tensor([prompt + ids])
        with torch.no_grad():
            logits = model(text)[:, len(prompt) - 1 : -1]
        yield token_logps(logits, text[:, len(prompt) :], **how)[0]


@pytest.mark.parametrize("fold", [True, False])
@pytest.mark.parametrize(
    "how",
    [
        {},
        {"temperature": 0.7},
        {"temperature": 1.3, "top_k": 5},
        {"top_p": 0.6},
        {"temperature": 0.8, "top_k": 20, "top_p": 0.8},
    ],
)
def test_log_probabilities_are_those_of_the_training_forward(fold, how):
    model = tiny()
    out = generate(model, PROMPTS, n=3, max_new_tokens=20, stop_ids=[1, 2], fold=fold, **how)
    assert len(out.ids) == 12
    for logps, again in zip(out.logps, rescored(model, PROMPTS, out, n=3, **how)):
        torch.testing.assert_close(logps, again, atol=1e-4, rtol=0)


@pytest.mark.parametrize("limit", [0, 10_000])
@pytest.mark.parametrize(
    "change",
    [
        {},
        {"rope_interleave": False},
        {"n_group": 1, "topk_group": 1},
        {"first_k_dense_replace": 3},
        {
            "rope_scaling": {
                "type": "yarn",
                "factor": 4.0,
                "original_max_position_embeddings": 8,
                "mscale": 1.0,
                "mscale_all_dim": 1.0,
            }
        },
    ],
)
def test_folded_decoder_equals_the_model_in_float64(change, limit, monkeypatch):
    monkeypatch.setattr(moe, "DENSE_LIMIT", limit)
    model = tiny(**change).double()
    assert room.folds(model.config)
    a, b = (generate(model, PROMPTS, n=4, max_new_tokens=40, stop_ids=[1, 2, 3], fold=fold) for fold in (True, False))
    assert a.ids == b.ids
    for x, y in zip(a.logps, b.logps):
        torch.testing.assert_close(x, y, atol=2e-6, rtol=0)  # handed out as float32


def test_a_latent_of_odd_width_is_decoded_without_folding():
    """The rotary part stands behind the latent, and is read as complex numbers: it has to begin at an even place."""
    model = tiny(kv_lora_rank=11)
    assert not room.folds(model.config) and room.folds(model.config.replace(kv_lora_rank=12))
    out = generate(model, PROMPTS, max_new_tokens=12, stop_ids=[1, 2])
    for row, logps in zip(rescored(model, PROMPTS, out), out.logps):
        assert torch.allclose(row, logps, atol=1e-5)


def test_greedy_is_the_argmax_of_a_plain_forward():
    model = tiny()
    out = generate(model, PROMPTS, max_new_tokens=15, temperature=0.0, stop_ids=[])
    for prompt, ids in zip(PROMPTS, out.ids):
        text = list(prompt)
        for token in ids:
            with torch.no_grad():
                assert int(model(torch.tensor([text]))[0, -1].argmax()) == token
            text.append(token)


def test_a_sequence_replays_alone_in_another_batch_and_order():
    model = tiny().double()  # so that rounding, which depends on the shape of a batch, cannot tip a draw
    seeds = [11, 22, 33, 44, 55, 66, 77, 88]
    whole = generate(model, PROMPTS, n=2, max_new_tokens=30, seeds=seeds, stop_ids=[1, 2, 3])
    for i, prompt in enumerate(PROMPTS):
        alone = generate(model, [prompt], n=2, max_new_tokens=30, seeds=seeds[2 * i : 2 * i + 2], stop_ids=[1, 2, 3])
        assert alone.ids == whole.ids[2 * i : 2 * i + 2]
    small = generate(
        model,
        PROMPTS[::-1],
        n=2,
        max_new_tokens=30,
        seeds=[s for i in (3, 2, 1, 0) for s in seeds[2 * i : 2 * i + 2]],
        stop_ids=[1, 2, 3],
        max_batch=2,
    )
    assert small.ids == [ids for i in (3, 2, 1, 0) for ids in whole.ids[2 * i : 2 * i + 2]]


def test_the_same_batch_replays_bit_for_bit():
    model = tiny()
    a, b = (generate(model, PROMPTS, n=4, max_new_tokens=30, stop_ids=[1, 2]) for _ in range(2))
    assert a.ids == b.ids and all(torch.equal(x, y) for x, y in zip(a.logps, b.logps))


def test_one_prefill_for_a_group(monkeypatch):
    model, rows = tiny(), []
    hidden = model.hidden
    monkeypatch.setattr(model, "hidden", lambda ids, **kw: rows.append(ids.shape) or hidden(ids, **kw))
    generate(model, PROMPTS, n=8, max_new_tokens=5, fold=True)
    assert rows == [(4, 7)]


def test_finished_sequences_leave_the_batch_and_stop_tokens_end_them(monkeypatch):
    model, sizes = tiny(), []
    step = room.FoldedDecoder.step
    monkeypatch.setattr(room.FoldedDecoder, "step", lambda self, t: sizes.append(len(t)) or step(self, t))
    out = generate(model, PROMPTS, n=16, max_new_tokens=40, stop_ids=list(range(12)))
    assert sizes[0] <= 64 and sizes[-1] < 20
    for ids, done in zip(out.ids, out.finished):
        assert done == (ids[-1] < 12) and all(t >= 12 for t in ids[:-1])


def test_draws_follow_the_distribution():
    logps = torch.tensor([0.5, 0.0, 0.2, 0.3]).log()
    u = room.uniform(range(40_000), 1)[:, 0]
    counts = torch.bincount(room.draw(logps.expand(len(u), 4), u), minlength=4) / len(u)
    assert counts[1] == 0
    torch.testing.assert_close(counts, logps.exp(), atol=0.01, rtol=0)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, 2**62), min_size=1, max_size=5, unique=True), st.integers(1, 40))
def test_uniform_numbers_are_functions_of_seed_and_index(seeds, length):
    u = room.uniform(seeds, length)
    assert u.shape == (len(seeds), length) and bool(((0 <= u) & (u < 1)).all())
    for row, seed in zip(u, seeds):
        assert torch.equal(room.uniform([seed], length + 3)[0, :length], row)


def test_uniform_numbers_look_uniform_and_neighbours_are_independent():
    u = room.uniform(room.sequence_seeds(0, 5, 512), 64).double()
    assert abs(u.mean() - 0.5) < 0.01 and abs(u.var() - 1 / 12) < 0.003
    for a, b in ((u[:-1], u[1:]), (u[:, :-1], u[:, 1:])):
        assert abs(torch.corrcoef(torch.stack([a.flatten(), b.flatten()]))[0, 1]) < 0.02


def test_seeds_of_different_steps_never_meet():
    seen = [s for step in range(50) for run in (0, 1) for s in room.sequence_seeds(run, step, 200)]
    assert len(set(seen)) == len(seen)


def test_streaming_gives_what_generate_gives():
    model = tiny()
    out = generate(model, [PROMPTS[0]], max_new_tokens=25, seeds=[5], stop_ids=[1, 2], fold=False)
    assert list(room.stream(model, PROMPTS[0], max_new_tokens=25, seed=5, stop_ids=[1, 2])) == out.ids[0]


def test_answers_end_at_the_context():
    model = tiny(max_position_embeddings=12)
    out = generate(model, [[5] * 9, [5]], max_new_tokens=50, stop_ids=[])
    assert [len(ids) for ids in out.ids] == [3, 11] and not any(out.finished)  # whatever stands beside it in the batch


@pytest.mark.parametrize(
    "prompts, how, says",
    [
        ([[]], {}, "empty"),
        ([[5] * 96], {}, "96 tokens"),
        ([[61]], {}, "token 61"),
        ([[5]], {"max_new_tokens": 0}, "max_new_tokens"),
        ([[5]], {"temperature": -1}, "temperature"),
        ([[5]], {"top_p": 0}, "top_p"),
        ([[5]], {"seeds": [1, 2]}, "seeds"),
        ([[5]], {"seeds": [1.5]}, "seeds"),
        ([[5]], {"seeds": ["1"]}, "seeds"),
        ([[5]], {"seeds": [True]}, "seeds"),
        ([[-1]], {}, "token -1"),
        ([[5, 10**30]], {}, "token 1000"),
        ([[1.5]], {}, "prompt 0"),
        ([["5"]], {}, "prompt 0"),
        (["text"], {}, "prompt 0"),
        ([[5], None], {}, "prompt 1"),
        ([[5], 3], {}, "prompt 1"),
        ([[[5]]], {}, "prompt 0"),
        *[
            ([[5]], {name: bad}, name)
            for name in ("n", "max_batch", "max_new_tokens")
            for bad in (0, -1, 1.5, "2", True, None, float("nan"))
        ],
        *[([[5]], {"stop_ids": bad}, "stop_ids") for bad in ([61], [-1], ["1"], [1.0], 3, [None], [10**30])],
    ],
)
def test_what_cannot_be_continued_is_refused(prompts, how, says):
    with pytest.raises(MinidsError, match=says):
        generate(tiny(), prompts, **how)
