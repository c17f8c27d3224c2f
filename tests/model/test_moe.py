"""Routing against transformers and a router in plain Python; experts three ways; balance by hand."""

import copy
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_models import ids_for, random_model, tiny_config

from minids.model import moe
from minids.model.transformer import Transformer

# -- the router ----------------------------------------------------------------------------------------------


def python_router(scores, bias, n_group, topk_group, top_k, norm, scaling):
    """One token, lists of floats: the equations of arXiv 2412.19437 §2.1.2 by sorting. -> {expert: gate}"""
    size = len(scores) // n_group
    biased = [s + b for s, b in zip(scores, bias)]
    groups = [range(g * size, (g + 1) * size) for g in range(n_group)]
    strength = [sum(sorted((biased[e] for e in group), reverse=True)[:2]) for group in groups]
    best = sorted(range(n_group), key=lambda g: -strength[g])[:topk_group]
    allowed = [e for g in best for e in groups[g]]
    chosen = sorted(allowed, key=lambda e: -biased[e])[:top_k]
    total = sum(scores[e] for e in chosen) if norm else 1.0
    return {e: scores[e] / total * scaling for e in chosen}


def as_dicts(indices, gates):
    return [dict(zip(i, g)) for i, g in zip(indices.tolist(), gates.tolist())]


@settings(max_examples=60, deadline=None)
@given(
    groups=st.sampled_from([1, 2, 4]),
    size=st.integers(2, 5),
    data=st.data(),
    norm=st.booleans(),
    low=st.floats(-4, 1),
    seed=st.integers(0, 10**6),
)
def test_router_equals_plain_python(groups, size, data, norm, low, seed):
    kept = data.draw(st.integers(1, groups))
    k = data.draw(st.integers(1, kept * size))
    torch.manual_seed(seed)
    scores = torch.randn(20, groups * size).double().mul(3).sigmoid()
    bias = torch.empty(groups * size).double().uniform_(low, low + 1)
    indices, gates = moe.route(scores, bias, groups, kept, k, norm, 2.5)
    for ours, s in zip(as_dicts(indices, gates), scores.tolist()):
        expected = python_router(s, bias.tolist(), groups, kept, k, norm, 2.5)
        assert ours.keys() == expected.keys()
        for e in ours:
            assert math.isclose(ours[e], expected[e], rel_tol=1e-9)


@pytest.mark.parametrize("lowest", [-1.0, -2.5, -9.0, 0.0, 4.0])
@pytest.mark.parametrize("norm", [True, False])
def test_router_equals_transformers(lowest, norm):
    """10,000 rows. Biases below -1 make every biased score negative: a mask of 0 would let shut-out groups in."""
    pytest.importorskip("transformers")
    from transformers import DeepseekV3Config
    from transformers.models.deepseek_v3.modeling_deepseek_v3 import DeepseekV3TopkRouter

    config = tiny_config(norm_topk_prob=norm)
    theirs = DeepseekV3TopkRouter(
        DeepseekV3Config(**{k: v for k, v in config.to_dict().items() if k != "architectures"})
    )
    ours = moe.Gate(config)
    with torch.no_grad():
        ours.weight.normal_(std=0.3)
        ours.e_score_correction_bias.uniform_(lowest, lowest + 0.9)
        theirs.load_state_dict(ours.state_dict())
        x = torch.randn(10_000, config.hidden_size)
        scores, indices, gates = ours(x)
        logits, their_gates, their_indices = theirs(x)
    torch.testing.assert_close(scores, logits.sigmoid())
    order, their_order = indices.argsort(-1), their_indices.argsort(-1)
    assert torch.equal(indices.gather(1, order), their_indices.gather(1, their_order))
    torch.testing.assert_close(gates.gather(1, order), their_gates.gather(1, their_order), rtol=1e-6, atol=1e-7)
    assert indices.gather(1, order).diff(dim=-1).gt(0).all()  # no expert twice
    by_group = (indices // 4).sort(-1).values
    assert ((by_group.diff(dim=-1) > 0).sum(-1) + 1).max() <= config.topk_group


def test_equal_numbers_on_all_biases_change_no_route():
    """What a group mask of 0 instead of -inf breaks."""
    torch.manual_seed(0)
    scores, bias = torch.rand(500, 16).double(), torch.rand(16).double()
    routes = [moe.route(scores, bias + n, 4, 2, 3, True, 1.0)[0].sort(-1).values for n in (-9.0, -1.5, 0.0, 4.0)]
    assert all(torch.equal(routes[0], other) for other in routes)
    groups = routes[0] // 4
    assert max(len(set(row)) for row in groups.tolist()) == 2


def test_gates_get_gradients_and_biases_none():
    gate = moe.Gate(tiny_config())
    torch.nn.init.normal_(gate.weight)
    x = torch.randn(9, 40, requires_grad=True)
    _, indices, gates = gate(x)
    gates[:, 0].sum().backward()
    assert gate.weight.grad.abs().sum() > 0 and x.grad.abs().sum() > 0
    assert not gate.e_score_correction_bias.requires_grad
    assert "e_score_correction_bias" in gate.state_dict()


def test_the_bias_stays_float32():
    model = random_model(dtype=torch.bfloat16)
    for module in moe.moe_layers(model):
        assert module.gate.weight.dtype == torch.bfloat16
        assert module.gate.e_score_correction_bias.dtype == torch.float32
    assert torch.equal(
        moe.moe_layers(model)[0].gate.e_score_correction_bias,
        moe.moe_layers(random_model())[0].gate.e_score_correction_bias,
    )
    on_meta = copy.deepcopy(model).to("meta")
    assert moe.moe_layers(on_meta)[0].gate.e_score_correction_bias.is_meta
    with torch.no_grad():
        assert model(ids_for(model)).isfinite().all()


# -- experts -------------------------------------------------------------------------------------------------


def expert_inputs(n, k, experts, seed=0, avoid=()):
    generator = torch.Generator().manual_seed(seed)
    scores = torch.rand(n, experts, generator=generator)
    scores[:, list(avoid)] = -1
    indices = scores.topk(k, dim=-1).indices
    D, width = 10, 6
    make = lambda *s: torch.randn(*s, generator=generator, dtype=torch.float64).requires_grad_()  # noqa: E731
    return make(n, D), indices, make(n, k), make(experts, 2 * width, D), make(experts, D, width)


@pytest.mark.parametrize("compute", [moe.experts_grouped, moe.experts_dense])
@pytest.mark.parametrize(
    "n,k,experts,avoid",
    [(13, 3, 8, ()), (13, 2, 8, (0, 3, 7)), (1, 1, 5, ()), (4, 4, 4, ()), (50, 1, 6, (1, 2, 3, 4, 5)), (0, 2, 4, ())],
)
def test_experts_equal_the_loop(compute, n, k, experts, avoid):
    x, indices, gates, w1, w2 = expert_inputs(n, k, experts, avoid=avoid)
    expected, ours = moe.experts_loop(x, indices, gates, w1, w2), compute(x, indices, gates, w1, w2)
    assert ours.shape == expected.shape and torch.allclose(ours, expected, rtol=1e-12, atol=1e-12)
    upstream = torch.randn_like(expected)
    wanted = torch.autograd.grad(expected, (x, gates, w1, w2), upstream, materialize_grads=True)
    got = torch.autograd.grad(ours, (x, gates, w1, w2), upstream, materialize_grads=True)
    for a, b in zip(got, wanted):
        assert torch.allclose(a, b, rtol=1e-10, atol=1e-11)
    for e in avoid:
        assert got[2][e].abs().max() == 0 and got[3][e].abs().max() == 0


def test_experts_one_token_at_a_time():
    """A third witness, without any indexing trick."""
    x, indices, gates, w1, w2 = expert_inputs(7, 2, 5)
    expected = []
    for t in range(7):
        y = 0
        for e, g in zip(indices[t].tolist(), gates[t]):
            gate, up = (w1[e] @ x[t]).chunk(2)
            y = y + g * (w2[e] @ (gate * torch.sigmoid(gate) * up))
        expected.append(y)
    assert torch.allclose(moe.experts_loop(x, indices, gates, w1, w2), torch.stack(expected), rtol=1e-12)


def test_gradcheck_of_the_grouped_form():
    x, indices, gates, w1, w2 = expert_inputs(5, 2, 4, avoid=(2,))
    assert torch.autograd.gradcheck(lambda x, g, a, b: moe.experts_grouped(x, indices, g, a, b), (x, gates, w1, w2))


def test_the_model_is_the_same_with_each_form(monkeypatch):
    model = random_model(dtype=torch.float64)
    ids = ids_for(model, 2, 20)
    with torch.no_grad():
        chosen = model(ids)
        for form in (moe.experts_loop, moe.experts_dense, moe.experts_grouped):
            monkeypatch.setattr(moe, "experts_dense", form)
            monkeypatch.setattr(moe, "experts_grouped", form)
            assert (model(ids) - chosen).abs().max() < 1e-11


def test_another_loop_takes_the_fast_forms_places(monkeypatch):
    """A loop that is not the library's own computes everything; with a `permute_tokens` of its own the grouped
    form trains."""
    model, x = random_model(dtype=torch.float64), torch.randn(300, 40).double()
    layer = moe.moe_layers(model)[0]
    _, indices, gates = layer.gate(x)
    few, many = (x[:5], indices[:5], gates[:5]), (x, indices, gates)

    def forms():
        with torch.no_grad():
            return moe.experts_form(few[0]), moe.experts_form(many[0])

    assert forms() == (moe.experts_dense, moe.experts_grouped) and moe.experts_form(few[0]) is moe.experts_grouped
    with torch.no_grad():
        expected = layer.experts(*many)
    library, permute_tokens, called = moe.experts_loop, moe.permute_tokens, []

    def loop(*args):
        called.append(len(args[0]))
        return library(*args)

    monkeypatch.setattr(moe, "experts_loop", loop)
    assert forms() == (loop, loop) and moe.experts_form(many[0]) is loop
    assert torch.allclose(layer.experts(*many), expected, rtol=1e-12) and called == [300]
    monkeypatch.setattr(moe, "permute_tokens", lambda *args: permute_tokens(*args))
    assert forms() == (loop, moe.experts_grouped) and moe.experts_form(few[0]) is moe.experts_grouped


# -- balance -------------------------------------------------------------------------------------------------


def loss_by_hand(scores, indices, rows):
    """Eq. 17-20 in plain Python, for the experts that `indices` names; texts of their own, the mean over texts."""
    losses = []
    for text in sorted(set(rows) - {-1}):
        members = [t for t, r in enumerate(rows) if r == text]
        T, E, K = len(members), len(scores[0]), len(indices[0])
        loss = 0.0
        for i in range(E):
            f = E / (K * T) * sum(i in indices[t] for t in members)
            p = sum(scores[t][i] / sum(scores[t]) for t in members) / T
            loss += f * p
        losses.append(loss)
    return sum(losses) / len(losses)


@settings(max_examples=25, deadline=None)
@given(rows=st.lists(st.integers(-1, 3), min_size=3, max_size=30), k=st.integers(1, 4), seed=st.integers(0, 999))
def test_balance_loss_by_hand(rows, k, seed):
    if max(rows) < 0:
        rows[0] = 0
    torch.manual_seed(seed)
    scores = torch.rand(len(rows), 6).double()
    indices = scores.topk(k, dim=-1).indices
    ours = moe.balance_loss(scores, indices, torch.tensor(rows), max(rows) + 1).item()
    assert math.isclose(ours, loss_by_hand(scores.tolist(), indices.tolist(), rows), rel_tol=1e-9)


def test_a_token_whose_scores_are_all_zero_does_not_spoil_the_balance_loss():
    scores, indices = torch.full((3, 4), 0.3), torch.tensor([[0, 1], [2, 3], [0, 1]])
    scores[2] = 0.0
    for rows in ([0, 0, -1], [0, 0, 1]):
        scores_NE = scores.clone().requires_grad_()
        loss = moe.balance_loss(scores_NE, indices, torch.tensor(rows), max(rows) + 1)
        loss.backward()
        assert loss.isfinite() and scores_NE.grad.isfinite().all()


def test_balance_loss_is_one_when_even_and_more_when_not():
    even = torch.tensor([[0, 1], [2, 3], [1, 2], [3, 0]])
    rows = torch.zeros(4, dtype=torch.long)
    assert moe.balance_loss(torch.full((4, 4), 0.3), even, rows, 1).item() == pytest.approx(1.0)
    crowded = torch.tensor([[0, 1]] * 4)
    scores = torch.tensor([[0.9, 0.9, 0.1, 0.1]] * 4)
    assert moe.balance_loss(scores, crowded, rows, 1).item() == pytest.approx(1.8)


def test_balance_loss_has_a_gradient_that_spreads():
    scores = torch.tensor([[0.9, 0.9, 0.1, 0.1]] * 4, requires_grad=True)
    moe.balance_loss(scores, torch.tensor([[0, 1]] * 4), torch.zeros(4, dtype=torch.long), 1).backward()
    assert (scores.grad[:, :2] > 0).all() and (scores.grad[:, 2:] < 0).all()


def recorded(model, ids, **where):
    loads = moe.ExpertLoad()
    model.hidden(ids, loads=loads, **where)
    return loads


def test_loads_count_every_choice_once():
    model = random_model(num_hidden_layers=4)
    loads = recorded(model, ids_for(model, 3, 11))
    assert loads.counts.shape == (3, 16) and loads.counts.dtype == torch.float64
    assert loads.counts.sum(-1).tolist() == [3 * 11 * 3] * 3
    seen = []
    for layer in moe.moe_layers(model):
        layer.gate.register_forward_hook(lambda m, i, o: seen.append(torch.bincount(o[1].flatten(), minlength=16)))
    again = recorded(model, ids_for(model, 3, 11))
    assert torch.equal(again.counts, torch.stack(seen).double())


def test_padding_is_not_counted():
    """Rows of their own lengths, padded on the right, count and cost what the same texts do alone."""
    model = random_model(dtype=torch.float64)
    texts = [ids_for(model, 1, n, seed=n) for n in (4, 9, 13)]
    padded = torch.cat([torch.nn.functional.pad(t, (0, 13 - t.shape[1]), value=5) for t in texts])
    valid = torch.arange(13) < torch.tensor([4, 9, 13])[:, None]
    together, alone = recorded(model, padded, valid_BT=valid), [recorded(model, t) for t in texts]
    assert torch.equal(together.counts, sum(a.counts for a in alone))
    mean = sum(a.balance_loss for a in alone) / 3
    assert together.balance_loss.item() == pytest.approx(mean.item(), rel=1e-12)


def test_packed_texts_and_padding_segments():
    """Two rows of packed texts; the second ends with padding that has a segment of its own."""
    model = random_model(dtype=torch.float64)
    texts = [ids_for(model, 1, n, seed=n) for n in (4, 9, 7)]
    ids = torch.cat([torch.cat(texts[:2], 1), torch.nn.functional.pad(texts[2], (0, 6))])
    doc_ids = torch.tensor([[0] * 4 + [1] * 9, [0] * 7 + [1] * 6])
    valid = torch.tensor([[True] * 13, [True] * 7 + [False] * 6])
    together = recorded(model, ids, doc_ids_BT=doc_ids, valid_BT=valid)
    alone = [recorded(model, t) for t in texts]
    assert torch.equal(together.counts, sum(a.counts for a in alone))
    mean = sum(a.balance_loss for a in alone) / 3
    assert together.balance_loss.item() == pytest.approx(mean.item(), rel=1e-12)
    nothing = recorded(model, ids, valid_BT=torch.zeros_like(valid))
    assert nothing.counts.sum() == 0 and nothing.balance_loss.item() == 0


def test_accumulated_micro_batches_count_together():
    model, ids = random_model(), ids_for(random_model(), 4, 10)
    together, split = recorded(model, ids), moe.ExpertLoad()
    for part in ids.split(1):
        model.hidden(part, loads=split)
    assert torch.equal(together.counts, split.counts)


def biases(model):
    return torch.stack([m.gate.e_score_correction_bias for m in moe.moe_layers(model)])


def test_the_bias_moves_by_gamma_exactly():
    model = random_model(lowest_bias=0.0)
    with torch.no_grad():
        for m in moe.moe_layers(model):
            m.gate.e_score_correction_bias.zero_()
    counts = torch.full((2, 16), 10.0).double()
    counts[0, 3], counts[0, 5] = 25, 0  # the mean is not 10, so the others are a little below it
    counts[1, 2], counts[1, 9] = 14, 6  # the mean is 10: nobody else moves
    moe.update_bias(model, counts, 0.001)
    gamma = torch.tensor(0.001)
    first, second = biases(model)
    assert first[3] == -gamma and first[5] == gamma and (first[[0, 1, 2, 4]] == gamma).all()
    assert second[2] == -gamma and second[9] == gamma and second.count_nonzero() == 2


def test_the_bias_moves_once_a_step_and_never_in_evaluation():
    model = random_model(num_nextn_predict_layers=1)
    before = biases(model).clone()
    ids = ids_for(model, 2, 30)
    loads = moe.ExpertLoad()
    for part in ids.split(1):  # micro-batches
        model.hidden(part, loads=loads).sum().backward()
    assert torch.equal(biases(model), before)  # a forward, a backward: nothing
    moe.update_bias(model, loads.counts, 0.01)
    step = biases(model) - before
    assert step[2].abs().max() == 0  # the MTP module was not run
    overloaded = loads.counts > loads.counts.mean(-1, keepdim=True)
    torch.testing.assert_close(step[:2], torch.where(overloaded, -0.01, 0.01), rtol=0, atol=1e-6)
    after = biases(model).clone()
    moe.update_bias(model, loads.counts, 0.0)
    moe.update_bias(model, None, 0.01)
    model.eval()
    with torch.no_grad():
        model(ids)
    assert torch.equal(biases(model), after)


def test_the_bias_balances():
    """64 experts, 6 at work, random tokens: the worst load comes down from several times the mean to near it."""
    gate = moe.Gate(tiny_config(n_routed_experts=64, n_group=1, topk_group=1, num_experts_per_tok=6))
    torch.nn.init.normal_(gate.weight, std=0.2)
    with torch.no_grad():
        gate.weight[:8] += 0.05  # favourites, for tokens with a common direction
    worst = []
    for _ in range(150):
        with torch.no_grad():
            _, indices, _ = gate(torch.randn(2048, 40) + 0.5)
            count = torch.bincount(indices.flatten(), minlength=64).double()
            worst.append((count.max() / count.mean() - 1).item())
            gate.e_score_correction_bias.copy_(moe.bias_step(gate.e_score_correction_bias, count, 0.005))
    assert worst[0] > 1.5
    assert sum(worst[-10:]) / 10 < 0.4


def test_a_dense_model_has_no_loads():
    model = Transformer(tiny_config(first_k_dense_replace=3))
    loads = recorded(model, ids_for(model))
    assert loads.counts is None and loads.balance_loss.item() == 0
    moe.update_bias(model, loads.counts, 0.001)
