"""The kernels in their places in the model, run by Triton's interpreter on a CPU: the same numbers as without them."""

import pytest
import torch
from tiny_models import ids_for, random_model, relative

from minids.kernels import runtime
from minids.model import generate
from minids.model.ops import gpu
from minids.text.corpus import Batch
from minids.train import loss

pytestmark = pytest.mark.skipif(not runtime.INTERPRETED, reason="Triton's interpreter is not available")


@pytest.fixture
def kernels(monkeypatch):
    """kernels(): from now on the model computes with them; -> names of those that were called."""
    called = []

    def spy(name, fn):
        def run(*args, **more):
            called.append(name)
            return fn(*args, **more)

        return run

    def on():
        monkeypatch.setattr(gpu, "supports", lambda x: x.dtype != torch.float64)
        monkeypatch.setattr(gpu, "BACKEND", "triton")
        for name in ("rms_norm", "swiglu", "rope", "experts", "linear_cross_entropy", "decode"):
            monkeypatch.setattr(gpu, name, spy(name, getattr(gpu, name)))
        monkeypatch.setattr("minids.model.ops.linear.full_precision_cpu", lambda x: False)
        monkeypatch.setattr("minids.model.layers.full_precision_cpu", lambda x: False)
        monkeypatch.setattr("minids.model.attention.full_precision_cpu", lambda x: False)
        return called

    return on


def step(model, ids):
    batch = Batch(ids, torch.ones(ids.shape), torch.ones(ids.shape, dtype=torch.bool))
    model.zero_grad()
    main, _ = loss.lm_loss(model, batch)
    main.backward()
    return main.detach(), {name: p.grad.clone() for name, p in model.named_parameters()}


def test_a_training_step_is_the_same(kernels):
    model = random_model(num_hidden_layers=2, n_routed_experts=4, n_group=1, topk_group=1, num_experts_per_tok=2)
    ids = ids_for(model, 2, 9)
    want, grads = step(model, ids)
    called = kernels()
    got, new = step(model, ids)
    assert {"rms_norm", "swiglu", "rope", "experts", "linear_cross_entropy"} <= set(called)
    assert got.item() == pytest.approx(want.item(), rel=1e-5)
    assert max(relative(new[name], grads[name]) for name in grads if grads[name].norm() > 0) < 1e-4


def test_decoding_gives_the_same_tokens(kernels):
    model = random_model(num_hidden_layers=2, n_routed_experts=4, n_group=1, topk_group=1, num_experts_per_tok=2)
    prompts = ids_for(model, 2, 5).tolist()
    want = generate.generate(model, prompts, max_new_tokens=4, temperature=0, stop_ids=[])
    called = kernels()
    got = generate.generate(model, prompts, max_new_tokens=4, temperature=0, stop_ids=[])
    assert "decode" in called and got.ids == want.ids
    for a, b in zip(got.logps, want.logps):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("attention", ["gqa", "mha"])
def test_heads_of_other_attentions_are_turned_alike(kernels, attention):
    model = random_model(num_hidden_layers=2, first_k_dense_replace=2, attention=attention)
    ids = ids_for(model, 2, 7)
    want = model(ids)
    called = kernels()
    torch.testing.assert_close(model(ids), want, rtol=1e-4, atol=1e-4)
    assert called.count("rope") == 4  # queries and keys of two layers


def test_rows_too_long_for_the_norm_kernel_are_normalised_by_torch(kernels):
    kernels()
    x, weight = torch.randn(2, 8200), torch.randn(8200)
    want = torch.nn.functional.rms_norm(x, (8200,), weight, 1e-6)
    torch.testing.assert_close(gpu.rms_norm(x, weight, 1e-6), want)


def test_a_cpu_computes_without_them():
    assert not gpu.supports(torch.zeros(2))
