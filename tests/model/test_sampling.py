"""The sampling distribution: against transformers' warpers, by hand, and its refusals."""

import pytest
import torch

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


@pytest.mark.parametrize("bad", [dict(temperature=0), dict(temperature=-1.0), dict(temperature=float("nan")),
                                 dict(top_k=-1), dict(top_k=1.5), dict(top_p=0.0), dict(top_p=1.2)])
def test_impossible_settings_are_refused_by_name(bad):
    with pytest.raises(MinidsError, match=next(iter(bad))):
        warp_logits(torch.zeros(3), **bad)
