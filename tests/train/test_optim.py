import math
from functools import partial

import pytest
import torch
from torch import nn
from train_tiny import assert_same_bits, state_of, tiny_model

from minids.errors import MinidsError
from minids.train import optim


class Toy(nn.Module):
    """One parameter of each kind."""

    def __init__(self, dtype=torch.float32):
        super().__init__()
        torch.manual_seed(0)
        new = lambda *shape: nn.Parameter(torch.randn(*shape, dtype=dtype))  # noqa: E731
        self.embed_tokens = nn.ParameterDict({"weight": new(11, 6)})
        self.norm = nn.ParameterDict({"weight": new(6)})
        self.mlp = nn.ParameterDict({"wide": new(6, 10), "tall": new(10, 6), "square": new(6, 6)})
        self.experts = nn.ParameterDict({"gate_up_proj": new(3, 8, 6), "down_proj": new(3, 6, 4)})


def set_gradients(model, step):
    g = torch.Generator().manual_seed(step)
    for p in model.parameters():
        p.grad = torch.randn(p.shape, generator=g, dtype=p.dtype)


def test_adamw_equals_the_formula():
    model = Toy(torch.float64)
    lr, wd, b1, b2, eps = 0.01, 0.1, 0.9, 0.95, 1e-8
    optimizer = optim.build_optimizer(model, "adamw", lr=lr, weight_decay=wd, betas=(b1, b2), eps=eps)
    expected = state_of(model)
    m = {k: torch.zeros_like(v) for k, v in expected.items()}
    v = {k: torch.zeros_like(x) for k, x in expected.items()}
    for t in range(1, 6):
        set_gradients(model, t)
        for name, p in model.named_parameters():
            m[name] = b1 * m[name] + (1 - b1) * p.grad
            v[name] = b2 * v[name] + (1 - b2) * p.grad**2
            decay = wd if p.ndim > 1 else 0.0
            step = m[name] / (1 - b1**t) / ((v[name] / (1 - b2**t)).sqrt() + eps)
            expected[name] = expected[name] * (1 - lr * decay) - lr * step
        optimizer.step()
    for name, p in model.named_parameters():
        torch.testing.assert_close(p.data, expected[name], rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("switch", [0, 3])
def test_another_update_function_takes_the_fused_ones_place(monkeypatch, switch):
    """At any time: both keep the same state."""
    ours, theirs = Toy(torch.float64), Toy(torch.float64)
    how = dict(lr=0.01, weight_decay=0.1)
    optimizer, fused = optim.build_optimizer(ours, "adamw", **how), optim.build_optimizer(theirs, "adamw", **how)
    plain, calls = optim.adamw_update, []

    def students(*args):
        calls.append(len(args))
        return plain(*args)

    for t in range(6):
        set_gradients(ours, t)
        set_gradients(theirs, t)
        fused.step()
        with monkeypatch.context() as patch:
            if t >= switch:
                patch.setattr(optim, "adamw_update", students)
            optimizer.step()
    assert len(calls) == (6 - switch) * len(list(ours.parameters()))
    fused.load_state_dict(optimizer.state_dict())
    for a, b in zip(ours.parameters(), theirs.parameters()):
        torch.testing.assert_close(a, b, rtol=1e-12, atol=1e-13)


def newton_schulz_plain(x, steps):
    """The polynomial on singular values, by SVD."""
    u, s, vt = torch.linalg.svd(x.double() / x.double().norm(), full_matrices=False)
    for _ in range(steps):
        s = 3.4445 * s - 4.7750 * s**3 + 2.0315 * s**5
    return u @ torch.diag(s) @ vt


@pytest.mark.parametrize("shape", [(8, 8), (6, 20), (20, 6), (1, 5)])
def test_orthogonalise_is_the_polynomial_on_singular_values(shape):
    torch.manual_seed(0)
    x = torch.randn(5, *shape) * torch.tensor([1e-3, 0.1, 1, 10, 1e3])[:, None, None]
    result = optim.orthogonalise(x)
    for one, out in zip(x, result):
        torch.testing.assert_close(out.double(), newton_schulz_plain(one, 5), rtol=1e-4, atol=1e-5)


def test_singular_values_come_near_one():
    torch.manual_seed(0)
    s = torch.linalg.svdvals(optim.orthogonalise(torch.randn(20, 48, 96)))
    assert 0.65 < s.min() and s.max() < 1.25
    zero = optim.orthogonalise(torch.zeros(1, 4, 4))
    assert torch.equal(zero, torch.zeros(1, 4, 4))  # an expert without tokens moves nowhere, and not to NaN


def torch_muon(monkeypatch, params, **how):
    """torch's own Muon, its Newton-Schulz in float32 instead of bfloat16 so that it can be compared closely."""
    peer = pytest.importorskip("torch.optim", reason="no torch")
    if not hasattr(peer, "Muon"):
        pytest.skip("torch.optim.Muon needs torch >= 2.9")
    monkeypatch.setattr(torch.Tensor, "bfloat16", lambda t: t.clone())
    return peer.Muon(params, **how)


def test_muon_equals_torch(monkeypatch):
    ours, theirs = Toy(), Toy()
    how = dict(lr=0.02, weight_decay=0.1, momentum=0.9)
    optimizer = optim.Muon(list(ours.mlp.values()), **how)
    peer = torch_muon(monkeypatch, list(theirs.mlp.values()), **how)
    for t in range(5):
        set_gradients(ours, t)
        set_gradients(theirs, t)
        optimizer.step()
        peer.step()
    for name in ours.mlp:
        torch.testing.assert_close(ours.mlp[name], theirs.mlp[name], rtol=1e-5, atol=1e-6)


def test_experts_are_treated_one_by_one_and_gate_apart_from_up(monkeypatch):
    model = Toy()
    optimizer = optim.build_optimizer(model, "muon", lr=0.02, weight_decay=0.1, muon_lr_factor=2.0)
    pieces = [w.clone() for w in model.experts["gate_up_proj"].view(6, 4, 6).detach().unbind(0)]
    pieces += [w.clone() for w in model.experts["down_proj"].detach().unbind(0)]
    peers = [nn.Parameter(w) for w in pieces]
    peer = torch_muon(monkeypatch, peers, lr=0.04, weight_decay=0.1, momentum=0.95)
    for t in range(3):
        set_gradients(model, t)
        grads = [
            *model.experts["gate_up_proj"].grad.view(6, 4, 6).unbind(0),
            *model.experts["down_proj"].grad.unbind(0),
        ]
        for p, g in zip(peers, grads):
            p.grad = g.clone()
        optimizer.step()
        peer.step()
    halves, down = model.experts["gate_up_proj"].view(6, 4, 6), model.experts["down_proj"]
    torch.testing.assert_close(halves, torch.stack(peers[:6]), rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(down, torch.stack(peers[6:]), rtol=1e-5, atol=1e-6)


def test_which_parameter_gets_which_optimizer():
    model = tiny_model()
    by_name = {name: kind for kind, members in optim.split_parameters(model).items() for name, _ in members}
    assert by_name.keys() == dict(model.named_parameters()).keys()
    for name, kind in by_name.items():
        if "norm" in name:
            assert kind == "vector", name
        elif name in ("embed_tokens.weight", "lm_head.weight") or name.endswith("mlp.gate.weight"):
            assert kind == "other", name
        elif name.endswith("experts.gate_up_proj"):
            assert kind == "fused", name
        else:
            assert kind == "matrix", name
    optimizer = optim.build_optimizer(model, "muon", lr=0.1, weight_decay=0.2, muon_lr_factor=8.0)
    for group in optimizer.param_groups:
        vectors = all(p.ndim == 1 for p in group["params"])
        assert group["weight_decay"] == (0.0 if vectors else 0.2)
        assert group["lr"] == pytest.approx(0.8 if "blocks" in group else 0.1)
    count = sum(len(group["params"]) for group in optimizer.param_groups)
    assert count == len(list(model.parameters()))


@pytest.mark.parametrize("name", ["muon", "adamw"])
def test_state_round_trip_continues_bit_for_bit(name):
    model, other = Toy(), Toy()
    optimizer = optim.build_optimizer(model, name, lr=0.01, weight_decay=0.1)
    for t in range(3):
        set_gradients(model, t)
        optimizer.step()
    other.load_state_dict(model.state_dict())
    copy = optim.build_optimizer(other, name, lr=0.5, weight_decay=0.7)
    copy.load_state_dict(optimizer.state_dict())
    for t in range(3, 6):
        set_gradients(model, t)
        set_gradients(other, t)
        optimizer.step()
        copy.step()
    assert_same_bits(state_of(model), state_of(other))


def test_a_foreign_optimizer_state_is_refused():
    muon = optim.build_optimizer(Toy(), "muon", lr=0.01)
    with pytest.raises(MinidsError, match="saved optimizer is AdamW, this run uses AdamW \\+ Muon"):
        muon.load_state_dict(optim.build_optimizer(Toy(), "adamw", lr=0.01).state_dict())
    with pytest.raises(MinidsError, match="other parameters"):
        muon.load_state_dict(optim.build_optimizer(tiny_model(), "muon", lr=0.01).state_dict())
    with pytest.raises(MinidsError, match="'sgd' is not known"):
        optim.build_optimizer(Toy(), "sgd", lr=0.1)


def test_schedules():
    for name in optim.SCHEDULES:
        f = partial(optim.schedule, name)
        factors = [f(step, 100, 10) for step in range(100)]
        assert factors[:10] == pytest.approx([(i + 1) / 10 for i in range(10)])
        assert f(10, 100, 10) == pytest.approx(1.0)
        assert all(0 < x <= 1 for x in factors)
        assert all(a >= b for a, b in zip(factors[10:], factors[11:]))
        assert f(0, 100) == 1.0
    assert optim.warmup_linear(55, 100, 10) == pytest.approx(0.5)
    assert optim.warmup_linear(99, 100, 10) == pytest.approx(1 / 90)
    assert optim.warmup_cosine(55, 100, 10) == pytest.approx(0.55)
    assert optim.warmup_cosine(100, 100, 10) == pytest.approx(0.1)


def test_deepseek_v3_schedule_against_the_paper():
    """§4.2, in tokens: peak 2.2e-4."""
    lr = lambda trillions: 2.2e-4 * optim.deepseek_v3(int(trillions * 1000), 14800)  # noqa: E731
    assert lr(5) == lr(9.999) == 2.2e-4
    assert lr(12.15) == pytest.approx((2.2e-4 + 2.2e-5) / 2)
    assert lr(14.299) == pytest.approx(2.2e-5, rel=1e-3)
    assert lr(14.3) == lr(14.632) == pytest.approx(2.2e-5)
    assert lr(14.634) == lr(14.799) == pytest.approx(7.3e-6)
    quarter = 10 + 4.3 / 4
    assert lr(quarter) == pytest.approx(2.2e-5 + 1.98e-4 * 0.5 * (1 + math.cos(math.pi / 4)), rel=1e-3)
