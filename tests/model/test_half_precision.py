"""Folders in bfloat16 (as published ones are) and float16: forward, generation and speculation, against the same
weights in float32 and against transformers in the same type.

How far half precision may be off is measured position by position, as |difference| / |logits|; the median counts: at
single positions two experts that tie within rounding change places, here and in transformers alike.
"""

import pytest
import torch
from tiny_models import FORMS, ids_for, random_model

from minids import dispatch, generate
from minids.course import answers, catalog
from minids.course.exercises import PLACES
from minids.model import generate as room
from minids.model.layers import rms_norm
from minids.model.speculative import speculative_greedy
from minids.model.transformer import Transformer

transformers = pytest.importorskip("transformers")
transformers.logging.set_verbosity_error()
transformers.logging.disable_progress_bar()

# median relative error of the logits at a position: bfloat16 has 8 bits, float16 has 11
TOLERANCE = {torch.bfloat16: 0.025, torch.float16: 0.004}
MORE = {
    "gqa": dict(attention="gqa", num_key_value_heads=2),
    "mha": dict(attention="mha"),
    "mtp": dict(num_nextn_predict_layers=2),
    "q_lora mtp": dict(num_nextn_predict_layers=1, q_lora_rank=14),
}
PROMPTS = [[3, 4, 5], [7], [9, 10, 11, 12, 13, 14, 15], [20, 21]]


def through_a_folder(folder, dtype, **changes):
    """-> (the model as its folder has it, the same weights in float32)."""
    random_model(dtype=dtype, **changes).save_pretrained(folder)
    half = Transformer.from_pretrained(folder).eval()
    assert {p.dtype for p in half.parameters()} == {dtype}
    return half, Transformer.from_pretrained(folder, dtype=torch.float32).eval()


def error(ours, right):
    return ((ours.float() - right.float()).norm(dim=-1) / right.float().norm(dim=-1)).median().item()


@torch.no_grad()
@pytest.mark.parametrize("dtype", TOLERANCE, ids=str)
@pytest.mark.parametrize("form", FORMS | MORE)
def test_forward(form, dtype, tmp_path):
    half, full = through_a_folder(tmp_path, dtype, **(FORMS | MORE)[form])
    ids = ids_for(full)
    right = full(ids)
    assert error(half(ids), right) <= TOLERANCE[dtype]
    for absorb in (True, False):
        assert error(half(ids, cache=half.new_cache(2, 40), absorb=absorb), right) <= TOLERANCE[dtype]
    states = zip(half.mtp_hidden(half.hidden(ids), ids), full.mtp_hidden(full.hidden(ids), ids))
    for k, (ours, theirs) in enumerate(states):
        fed = slice(0, ids.shape[1] - k - 1)
        assert error(ours[:, fed], theirs[:, fed]) <= 2 * TOLERANCE[dtype]


@torch.no_grad()
@pytest.mark.parametrize("dtype", TOLERANCE, ids=str)
@pytest.mark.parametrize("form", FORMS)
def test_as_near_as_transformers(form, dtype, tmp_path):
    half, full = through_a_folder(tmp_path, dtype, **FORMS[form])
    theirs = transformers.AutoModelForCausalLM.from_pretrained(
        tmp_path, attn_implementation="eager", experts_implementation="eager", dtype=dtype
    ).eval()
    ids = ids_for(full)
    ours, right, theirs = half(ids), full(ids), theirs(ids).logits
    assert ours.dtype == theirs.dtype == dtype
    assert error(ours, theirs) <= TOLERANCE[dtype]
    assert error(ours, right) <= 1.5 * error(theirs, right)


@torch.no_grad()
def shortfall(full, prompt, ids):
    """How much less than the best each token of a greedy answer has in float32, in units of the logits' spread."""
    logits = full(torch.tensor([prompt + ids]))[0, len(prompt) - 1 : -1]
    return (logits.max(-1).values - logits[range(len(ids)), ids]) / logits.std(-1)


@pytest.mark.parametrize("dtype", TOLERANCE, ids=str)
@pytest.mark.parametrize("form", ["plain", "q_lora", "half-split rope", "yarn", "all dense", "gqa", "mtp"])
def test_generation(form, dtype, tmp_path):
    half, full = through_a_folder(tmp_path, dtype, **(FORMS | MORE)[form])
    folds = room.folds(half.config)
    for fold in (None, False, True) if folds else (None, False):
        how = {"max_new_tokens": 20, "stop_ids": [], "fold": fold}
        greedy = generate(half, PROMPTS, temperature=0, **how)
        short = torch.cat([shortfall(full, p, ids) for p, ids in zip(PROMPTS, greedy.ids)])
        assert short.median() == 0 and short.quantile(0.9) <= 4 * TOLERANCE[dtype]
        sampled = generate(half, PROMPTS, n=12, temperature=0.8, top_p=0.9, **how)
        assert all(p.dtype == torch.float32 and p.isfinite().all() for p in sampled.logps)
        # what it says it drew is what float32 says about the same tokens
        one = generate(half, PROMPTS, **how)
        for prompt, ids, logps in zip(PROMPTS, one.ids, one.logps):
            with torch.no_grad():
                right = full(torch.tensor([prompt + ids]))[0, len(prompt) - 1 : -1].log_softmax(-1)
            assert (logps - right[range(len(ids)), ids]).abs().median() <= 10 * TOLERANCE[dtype]
    streamed = list(room.stream(half, PROMPTS[0], temperature=0, max_new_tokens=20, stop_ids=[]))
    assert shortfall(full, PROMPTS[0], streamed).quantile(0.9) <= 4 * TOLERANCE[dtype]
    guessed, counts = speculative_greedy(half, PROMPTS[0], 20, stop_ids=[])
    assert shortfall(full, PROMPTS[0], guessed).quantile(0.9) <= 4 * TOLERANCE[dtype]
    assert (counts["drafted"] > 0) == (form == "mtp")


@pytest.mark.parametrize("dtype", TOLERANCE, ids=str)
def test_a_norm_keeps_the_type_of_x_whatever_that_of_its_weight(dtype):
    from minids.model.ops import cpu

    x, weight = torch.randn(3, 8, dtype=dtype), torch.rand(8)
    for norm in (rms_norm, cpu.rms_norm):
        assert norm(x, weight, 1e-6).dtype == dtype
        ours, leaf = x.clone().requires_grad_(), weight.clone().requires_grad_()
        norm(ours, leaf, 1e-6).float().square().sum().backward()
        assert ours.grad.dtype == dtype and leaf.grad.dtype == torch.float32


DEFINITIONS = [name for name, p in PLACES.items() if p.module.startswith("model.") and p.module != "model.fp8"]


@torch.no_grad()
@pytest.mark.parametrize("dtype", TOLERANCE, ids=str)
@pytest.mark.parametrize("name", DEFINITIONS)
def test_the_definitions_compute_it_too(name, dtype, tmp_path):
    """A student's function is called where fast forms step aside: here the library's own, as somebody else's."""
    half, full = through_a_folder(tmp_path, dtype, **MORE["mtp"])
    own, ids = dispatch.original(catalog.current(name)), ids_for(full)
    right = full(ids)
    answers.install(name, torch.no_grad()(lambda *args, **kwargs: own(*args, **kwargs)))
    try:
        assert error(half(ids), right) <= TOLERANCE[dtype]
        generate(half, PROMPTS, max_new_tokens=4, temperature=0)
        speculative_greedy(half, PROMPTS[0], max_new_tokens=4)
    finally:
        answers.uninstall()
