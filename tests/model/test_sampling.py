"""The sampling distribution: against transformers' warpers, by hand, and its refusals."""

import numpy as np
import pytest
import torch
from tiny_models import random_model

from minids.errors import MinidsError
from minids.model.sampling import filter_logits, warp_logits


@pytest.mark.parametrize("temperature", [0.6, 1.0, 1.7])
@pytest.mark.parametrize("top_k", [0, 1, 5, 200])
@pytest.mark.parametrize("top_p", [0.05, 0.5, 0.95, 1.0])
def test_equals_transformers_warpers(temperature, top_k, top_p):
    hf = pytest.importorskip("transformers.generation.logits_process")
    torch.manual_seed(0)
    logits = torch.randn(64, 100) * 3
    expected = hf.TemperatureLogitsWarper(temperature)(None, logits)
    if top_k:
        expected = hf.TopKLogitsWarper(top_k)(None, expected)
    if top_p < 1:
        expected = hf.TopPLogitsWarper(top_p)(None, expected)
    ours = warp_logits(logits, temperature, top_k, top_p)
    assert torch.equal(ours.isinf(), expected.isinf())
    assert torch.equal(ours, expected)


def test_nucleus_by_hand():
    logits = torch.log(torch.tensor([0.1, 0.5, 0.15, 0.25]))
    kept = lambda p: filter_logits(logits, top_p=p).isfinite().nonzero().flatten().tolist()  # noqa: E731
    assert kept(0.4) == [1]
    assert kept(0.6) == [1, 3]
    assert kept(0.8) == [1, 2, 3]
    assert kept(0.99) == [0, 1, 2, 3]
    # After top-k = 2 the two left have 2/3 and 1/3, and one of them fills a nucleus of 0.6: order matters.
    assert filter_logits(logits, top_k=2, top_p=0.6).isfinite().nonzero().flatten().tolist() == [1]


def test_off_is_the_same_tensor_and_half_precision_is_raised():
    logits = torch.randn(2, 3, 7)
    assert filter_logits(logits) is logits
    assert warp_logits(logits.bfloat16(), 0.5).dtype == torch.float32
    assert warp_logits(logits.double(), 0.5).dtype == torch.float64


def test_gradient_reaches_only_what_is_kept():
    logits = torch.tensor([0.0, 1.0, 2.0, 3.0], requires_grad=True)
    warp_logits(logits, 0.5, top_k=2).log_softmax(-1)[3].backward()
    assert torch.equal(logits.grad[:2], torch.zeros(2))
    assert logits.grad[2:].abs().min() > 0 and logits.grad.isfinite().all()


IMPOSSIBLE = [
    *[
        {"temperature": v}
        for v in (
            -1.0,
            float("nan"),
            float("inf"),
            -float("inf"),
            1e-38,
            1e-40,
            1e-300,
            5e-324,
            -0.5,
            True,
            "1",
            None,
            [1.0],
            1j,
        )
    ],
    *[{"top_k": v} for v in (-1, 1.5, 5.0, True, "3", None, float("nan"), [2])],
    *[{"top_p": v} for v in (0.0, 0, -0.1, 1.2, float("nan"), float("inf"), True, "0.9", None, [0.9])],
]


@pytest.mark.parametrize("bad", [{"temperature": 0}, *IMPOSSIBLE], ids=str)
def test_impossible_settings_are_refused_by_name(bad):
    with pytest.raises(MinidsError, match=next(iter(bad))):
        warp_logits(torch.zeros(3), **bad)


@pytest.mark.parametrize("bad", IMPOSSIBLE, ids=str)
def test_every_sampler_and_every_recipe_asks_the_one_checker(bad):
    from minids.model.generate import generate, stream
    from minids.rl.config import RLConfig
    from minids.rl.rejection import RejectionConfig

    (name,), model = bad, random_model()
    for call in (generate, lambda model, prompts, **how: stream(model, prompts[0], **how)):
        with pytest.raises(MinidsError, match=name):
            call(model, [[5]], **bad)
    with pytest.raises(MinidsError, match=name):
        RLConfig(steps=1, lr=1e-3, prompts_per_step=2, **bad)
    if name == "temperature":
        with pytest.raises(MinidsError, match=name):
            RejectionConfig(questions=1, **bad)


@pytest.mark.parametrize(
    "how",
    [
        {"temperature": 1e-6},
        {"temperature": 1e30},
        {"temperature": 3},
        {"temperature": np.float32(0.5)},
        {"top_k": np.int64(3)},
        {"top_k": 10**30},
        {"top_p": 5e-324},
        {"top_p": 1},
        {"top_p": 1e-30, "top_k": 1},
    ],
    ids=str,
)
def test_the_edges_of_what_is_possible(how):
    logits = torch.randn(200, 50) * 30
    probs = warp_logits(logits, **how).softmax(-1)
    assert probs.isfinite().all()
    torch.testing.assert_close(probs.sum(-1), torch.ones(200))
    if how.get("temperature") == 1e-6 or how.get("top_p", 1) < 1e-20:
        assert torch.equal(probs.argmax(-1), logits.argmax(-1)) and (probs.max(-1).values > 0.999).all()
