"""oneDNN's product is private to torch: where it is missing, or wrong, the model computes the same without it."""

import pytest
import torch
from tiny_models import ids_for, random_model

from minids import generate
from minids.model.ops import linear
from minids.text.corpus import Batch
from minids.train import loop

ORDINARY = linear._onednn


def missing(a_MK, b_NK):
    return torch.ops.mkldnn._a_name_that_no_torch_has(a_MK, b_NK, None, "none", [], "")


def other_arguments(a_MK, b_NK):
    return torch.ops.mkldnn._linear_pointwise(a_MK, b_NK)


def wrong(a_MK, b_NK):
    return torch.mm(a_MK, b_NK.T) * 1.01


def wrong_for_views(a_MK, b_NK):
    return torch.mm(a_MK, b_NK.T if b_NK.is_contiguous() else b_NK.T.neg())


@pytest.fixture
def asked_again():
    linear.onednn.cache_clear()
    yield
    linear.onednn.cache_clear()


def steps_and_answers():
    torch.manual_seed(0)
    model = random_model(num_hidden_layers=2, num_nextn_predict_layers=1).float()
    ids = ids_for(model, 8, 40)
    batch = Batch(ids, torch.ones(ids.shape), torch.ones(ids.shape, dtype=torch.bool))
    result = loop.train(model, lambda step: [batch], loop.TrainConfig(steps=2, lr=1e-3), quiet=True)
    return result.loss, generate(model, ids[:, :5].tolist(), max_new_tokens=4, temperature=0).ids


@pytest.mark.parametrize("product", [missing, other_arguments, wrong, wrong_for_views], ids=lambda f: f.__name__)
def test_a_model_trains_and_samples_without_it(product, monkeypatch, asked_again):
    called = []
    monkeypatch.setattr(linear, "_onednn", lambda *given: called.append(1) or ORDINARY(*given))
    loss, ids = steps_and_answers()
    assert len(called) > 3 or not linear.onednn()  # more than its self-test
    linear.onednn.cache_clear()
    monkeypatch.setattr(linear, "_onednn", lambda *given: called.append(2) or product(*given))
    plain_loss, plain_ids = steps_and_answers()
    assert not linear.onednn() and called.count(2) <= 3
    assert plain_loss == pytest.approx(loss, rel=1e-4) and plain_ids == ids


def test_it_is_asked_once_and_leaves_random_numbers_alone(monkeypatch, asked_again):
    calls = []
    monkeypatch.setattr(linear, "_onednn", lambda *given: calls.append(1) or torch.mm(given[0], given[1].T))
    before = torch.get_rng_state()
    assert linear.onednn() == linear.onednn() and len(calls) in (0, 3)
    assert torch.get_rng_state().equal(before)
