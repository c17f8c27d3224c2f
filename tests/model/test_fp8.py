"""FP8 linear layers: exact where numbers are exact, gradients against float64, what is converted and what is not."""

import pytest
import torch
from tiny_models import ids_for, relative, tiny_config

from minids.kernels import quantise
from minids.model import fp8, moe
from minids.model.ops import linear
from minids.model.transformer import Transformer
from minids.text.corpus import Batch
from minids.train import loop


def gaussian(*shape, seed=0, dtype=torch.float32):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed)).to(dtype)


def fields(x, *, weight=False, turned=False):
    """x as FP8 keeps it, in float64."""
    quantised = (quantise.quantise_weight if weight else quantise.quantise_t if turned else quantise.quantise)(x)
    return quantise.dequantise(*quantised, torch.float64)


@pytest.mark.parametrize(("M", "K", "N"), [(1, 7, 5), (40, 300, 130), (129, 96, 64), (256, 128, 384)])
def test_powers_of_two_come_out_exactly(M, K, N):
    """0 and 2 are E4M3 numbers where 2 is the largest of a block: nothing is rounded, all three products are exact."""
    make = torch.Generator().manual_seed(M)
    x, w, dy = (torch.randint(-1, 2, s, generator=make).float() * 2 for s in ((M, K), (N, K), (M, N)))
    x.requires_grad_(), w.requires_grad_()
    y = fp8.linear(x, w)
    y.backward(dy)
    assert torch.equal(y, x @ w.T) and torch.equal(x.grad, dy @ w) and torch.equal(w.grad, dy.T @ x)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_gradients_are_those_of_the_emulation_in_float64(dtype):
    x, w, dy = gaussian(70, 200, dtype=dtype), gaussian(130, 200, seed=1), gaussian(70, 130, seed=2, dtype=dtype)
    x.requires_grad_(), w.requires_grad_()
    y = fp8.linear(x, w)
    y.backward(dy)
    kept = fields(x.detach())
    tight = 1e-6 if dtype == torch.float32 else 4e-3
    assert relative(y, kept @ fields(w.detach(), weight=True).T) < tight
    assert relative(x.grad, fields(dy) @ fields(w.detach(), weight=True)) < tight
    assert relative(w.grad, fields(dy, turned=True) @ fields(kept.to(dtype), turned=True).T) < 1e-6
    assert y.dtype == x.grad.dtype == dtype and w.grad.dtype == torch.float32


def test_the_error_against_full_precision_is_that_of_the_format():
    x, w = gaussian(256, 512), gaussian(384, 512, seed=1)
    got = relative(fp8.linear(x, w), (x @ w.T).double())
    assert 0.033 < got < 0.040  # two rounded operands: sqrt(2) times the 2.6 % of one


def test_no_rows_and_a_bias():
    w, b = gaussian(6, 4), gaussian(6)
    assert fp8.linear(torch.zeros(0, 4), w, b).shape == (0, 6)
    assert torch.allclose(fp8.linear(torch.zeros(2, 3, 4), w, b), b.expand(2, 3, 6))


def small(**changes):
    torch.manual_seed(0)
    return Transformer(tiny_config(**changes))


def test_what_is_converted_and_what_is_not():
    model = small(num_nextn_predict_layers=1)
    kept = fp8.convert(model)
    assert "lm_head" in kept and "embed_tokens" in kept and any(name.endswith("gate") for name in kept)
    assert all(name.endswith(("norm", "gate", "lm_head", "embed_tokens")) for name in kept), kept
    linears = {name for name, m in model.named_modules() if type(m) is fp8.Linear}
    assert any(name.endswith("kv_b_proj") for name in linears) and "mtp.0.eh_proj" in linears
    assert any(type(m) is fp8.Experts for m in model.modules())
    fp8.restore(model)
    assert not [m for m in model.modules() if type(m) in (fp8.Linear, fp8.Experts)]
    assert {name for name, m in model.named_modules() if type(m) is linear.Linear} == linears | {"lm_head"}


@pytest.mark.parametrize("q_lora_rank", [None, 24])
def test_a_converted_model_is_near_the_other_and_not_equal(q_lora_rank):
    model = small(q_lora_rank=q_lora_rank)
    ids = ids_for(model, 2, 12)
    before = model(ids)
    fp8.convert(model)
    after = model(ids)
    assert 1e-4 < relative(after, before.double()) < 0.3
    after.square().mean().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())


def test_keys_and_values_by_another_product_are_the_same():
    """A converted model forms them outside of `mla_naive`; with the library's own product that changes nothing."""

    class Same(linear.Linear):
        pass

    model = small().double()
    ids = ids_for(model, 2, 12)
    before = model(ids)
    for module in model.modules():
        if type(module) is linear.Linear:
            module.__class__ = Same
    assert relative(model(ids), before) < 1e-12


def test_experts_are_the_loop_with_other_products(monkeypatch):
    torch.manual_seed(0)
    x, chosen = torch.randn(20, 16), torch.rand(20, 5).topk(2).indices
    chosen[chosen == 3] = 4  # expert 3 idle; a token may now have one expert twice
    gates, up, down = torch.rand(20, 2), torch.randn(5, 24, 16), torch.randn(5, 16, 12)
    monkeypatch.setattr(fp8, "linear", lambda x, w: x @ w.T)
    torch.testing.assert_close(fp8.experts(x, chosen, gates, up, down), moe.experts_loop(x, chosen, gates, up, down))


def test_one_key_trains_in_fp8_and_the_model_is_given_back(capsys):
    model, found = small(), {}
    ids = ids_for(model, 4, 16)

    def source(step):
        found["kinds"] = {type(m) for m in model.modules()}
        return [Batch(ids, torch.ones(ids.shape), torch.ones(ids.shape, dtype=torch.bool))]

    losses = []
    config = loop.TrainConfig(12, 5e-3, precision="fp8", optimizer="adamw")
    loop.train(model, source, config, on_step=lambda step, values: losses.append(values["loss"]))
    assert fp8.Linear in found["kinds"] and losses[-1] < 0.8 * losses[0]
    assert fp8.Linear not in {type(m) for m in model.modules()}
    assert "emulated" in capsys.readouterr().out
