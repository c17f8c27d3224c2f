"""The gradient of `grpo_loss` against the exact gradient of the expected reward, where all answers can be enumerated.

`studies.exact_gradient` has the tree: a tabular policy over 3 tokens (0 stops) and answers of at most 4: 15 prefixes,
31 answers. With J the expected reward, minus the expected gradient of the loss (mean baseline, no scaling, sum over
tokens) must be (G-1)/G grad J, with the leave-one-out baseline grad J itself; grad J comes from autograd and, as a
second witness, finite differences. Then classic mistakes are planted; each must turn the gradient, or this file could
not fail. `studies.exact_model` does the same with the last tokens of a trained model.
"""

import itertools

import gradient_checks
import pytest
import torch
from gradient_checks import SMALL, TRAINED, cosine, equal, tree

from minids import MinidsError
from minids.rl.grpo import advantages, grpo_loss, kl_estimate, token_logps
from minids.studies import exact_gradient as exact
from minids.studies import exact_model
from minids.studies.exact_gradient import answer_probs, exact_gradient, expected_update

L, V, DEPTH = len(SMALL.answers), SMALL.vocab, SMALL.depth


def test_the_tree_is_complete_and_autograd_equals_finite_differences():
    assert L == 31
    theta, rewards_L = tree(0)
    assert answer_probs(SMALL, theta).sum().item() == pytest.approx(1, abs=1e-14)
    truth = exact_gradient(SMALL, theta, rewards_L)
    step = 1e-5
    for i, v in itertools.product(range(len(SMALL.prefixes)), range(V)):
        up, down = theta.clone(), theta.clone()
        up[i, v] += step
        down[i, v] -= step
        slope = ((answer_probs(SMALL, up) - answer_probs(SMALL, down)) * rewards_L).sum() / (2 * step)
        assert truth[i, v].item() == pytest.approx(slope.item(), abs=1e-10)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("G", [2, 3])
def test_mean_baseline_gives_a_known_fraction_and_leave_one_out_the_whole_gradient(G, seed):
    gradient_checks.mean_baseline_gives_a_known_fraction_and_leave_one_out_the_whole_gradient(G, seed)


def test_group_by_group_without_the_shortcut():
    """The same, with one call for each of the 961 groups, as the training loop makes it."""
    theta, rewards_L = tree(1)
    theta.requires_grad_()
    logp_LT, probs_L, total = token_logps(theta[SMALL.nodes_LT], SMALL.ids_LT), answer_probs(SMALL, theta).detach(), 0.0
    for i, j in itertools.product(range(L), repeat=2):
        pair = torch.tensor([i, j])
        adv_N, informative_N = advantages(rewards_L[pair], 2, scale="none")
        if informative_N.any():
            loss, _ = grpo_loss(
                logp_LT[pair],
                logp_LT[pair],
                adv_N,
                SMALL.mask_LT[pair],
                aggregation="constant",
                constant=1,
                informative_N=informative_N,
                skip_zero_variance=True,
            )
            total = total + probs_L[i] * probs_L[j] * loss
    equal(-torch.autograd.grad(total, theta)[0], exact_gradient(SMALL, theta, rewards_L) / 2)


@pytest.mark.parametrize(
    "how",
    [
        dict(temperature=0.6),
        dict(temperature=1.5),
        dict(top_k=2),
        dict(top_p=0.8),
        dict(temperature=0.7, top_k=2, top_p=0.9),
    ],
    ids=str,
)
def test_a_truncated_or_tempered_policy_has_its_own_exact_gradient(how):
    """Scored as it was sampled, the update is the gradient for the policy that was sampled."""
    for seed in range(4):
        theta, rewards_L = tree(seed)
        assert answer_probs(SMALL, theta, **how).sum().item() == pytest.approx(1, abs=1e-12)
        update = expected_update(SMALL, theta, rewards_L, 2, sampled=how, scored=how)
        equal(update, exact_gradient(SMALL, theta, rewards_L, **how) / 2)


def test_planted_mistakes_turn_the_gradient():
    """Cosine to the true gradient, over 4 policies: 1 for the right code, visibly less for each mistake."""
    masks = exact.masks(SMALL)
    found = {}
    for seed in range(4):
        theta, rewards_L = tree(seed)
        truth = exact_gradient(SMALL, theta, rewards_L)
        tried = {
            "right": expected_update(SMALL, theta, rewards_L, 2),
            "stop token masked": expected_update(SMALL, theta, rewards_L, 2, mask_LT=masks["without stop"]),
            "mask shifted by one": expected_update(SMALL, theta, rewards_L, 2, mask_LT=masks["shifted"]),
            "1/|o|": expected_update(SMALL, theta, rewards_L, 2, loss=dict(aggregation="sequence_mean")),
        }
        for name, update in tried.items():
            found.setdefault(name, []).append(cosine(update, truth))
        for name, how in {"temperature": dict(temperature=0.6), "top-k": dict(top_k=2)}.items():
            own = exact_gradient(SMALL, theta, rewards_L, **how)
            for what, scored in {"replayed": how, "forgotten": {}}.items():
                update = expected_update(SMALL, theta, rewards_L, 2, sampled=how, scored=scored)
                found.setdefault(f"{name} {what}", []).append(cosine(update, own))
    print({name: [round(c, 3) for c in values] for name, values in found.items()})
    for name in ("right", "temperature replayed", "top-k replayed"):
        assert min(found[name]) > 1 - 1e-9, name
    for name, limit in {
        "stop token masked": 0.95,
        "mask shifted by one": 0.95,
        "1/|o|": 0.995,
        "temperature forgotten": 0.9985,
        "top-k forgotten": 0.99,
    }.items():
        assert max(found[name]) < limit, (name, found[name])


def test_standard_deviation_rescales_one_question_only():
    """With two reward values, dividing by the deviation changes the length, not the direction; between questions of
    different difficulty it changes the weights, which is Dr. GRPO's objection."""
    theta, rewards_L = tree(2)
    binary_L = (rewards_L > 0.5).double()
    scaled = expected_update(SMALL, theta, binary_L, 2, scale="std", eps=0.0)
    truth = exact_gradient(SMALL, theta, binary_L)
    assert cosine(scaled, truth) == pytest.approx(1, abs=1e-12)
    assert scaled.norm() > truth.norm() / 2
    easy, mostly_L = exact.draw(SMALL, 500, right=0.9)
    two = [
        torch.cat([f(SMALL, theta, binary_L), f(SMALL, easy, mostly_L)])
        for f in (
            exact_gradient,
            lambda *a: expected_update(*a, 2),
            lambda *a: expected_update(*a, 2, scale="std", eps=0.0),
        )
    ]
    assert cosine(two[1], two[0]) == pytest.approx(1, abs=1e-12) and cosine(two[2], two[0]) < 0.95


OFF_POLICY = [
    {},
    {"clip": "symmetric"},
    {"clip": "dual", "dual_delta": 1.5},
    {"clip": "cispo", "clip_high": 0.2},
    {"ratio": "sequence", "aggregation": "sequence_mean"},
    {"off_policy_threshold": 0.05},
    {"correction": "token_truncate", "correction_cap": 1.1},
]


@pytest.mark.parametrize("loss", OFF_POLICY, ids=str)
def test_adding_up_the_advantages_equals_going_group_by_group(loss, monkeypatch):
    """Also where ratios have left 1 and the clip depends on the advantage's sign."""
    small = exact.tree(3, 3)
    theta, rewards_L = exact.draw(small, 0)
    old, sampler = theta + 0.5 * exact.draw(small, 1)[0], exact.draw(small, 2)[0]
    how = dict(loss=loss, old=old, sampler=sampler if "correction" in loss else None)
    at_once = expected_update(small, theta, rewards_L, 2, **how)
    monkeypatch.setattr(exact, "adds_up", lambda loss: False)
    equal(expected_update(small, theta, rewards_L, 2, **how), at_once)
    assert not torch.allclose(expected_update(small, theta, rewards_L, 2, old=old), at_once, rtol=1e-3) or not loss


def test_weights_for_another_sampler():
    gradient_checks.weights_for_another_sampler()


def test_off_policy_masking_drops_what_the_policy_has_left_behind():
    """The update loses exactly the answers of negative advantage that have become much less likely."""
    theta, rewards_L = tree(1)
    old = theta + 0.5 * tree(1001)[0]
    drift_L = sum((answer_log(old, t) - answer_log(theta, t)) for t in range(DEPTH)) / SMALL.mask_LT.sum(1)
    threshold = drift_L.median().item()
    masked = expected_update(SMALL, theta, rewards_L, 2, old=old, loss={"off_policy_threshold": threshold})
    prob_L = answer_probs(SMALL, old)
    above_L, below_L = exact.answer_weights(prob_L, rewards_L, 2, scale="none")
    below_L = torch.where(drift_L <= threshold, below_L, 0.0)
    moving = theta.clone().requires_grad_()
    logp_LT, old_LT = (token_logps(values[SMALL.nodes_LT], SMALL.ids_LT) for values in (moving, old))
    ratio_LT = (logp_LT - old_LT).exp()
    by_hand = ((above_L + below_L)[:, None] * ratio_LT * SMALL.mask_LT).sum() / 2
    equal(masked, torch.autograd.grad(by_hand, moving)[0])


def answer_log(theta, t):
    return torch.where(SMALL.mask_LT, token_logps(theta[SMALL.nodes_LT], SMALL.ids_LT), 0.0)[:, t]


@pytest.mark.parametrize("kind", ["k1", "k3"])
def test_unbiased_kl_is_the_gradient_of_the_kl_on_every_step(kind):
    gradient_checks.unbiased_kl_is_the_gradient_of_the_kl_on_every_step(kind)


def test_the_table_says_what_is_exact_and_what_is_not():
    rows = {(row["section"], row["setting"]): row for row in exact.table(seeds=range(2))}
    assert len(rows) == len(exact.settings(SMALL))
    for (section, name), row in rows.items():
        if section == "exact up to a factor":
            assert min(row["cosine"]) > 1 - 1e-9, name
        else:
            assert max(row["cosine"]) < 0.9995, name
    scale = {name: row["scale"] for (_, name), row in rows.items()}
    assert scale["mean baseline, G = 2"] == pytest.approx([0.5] * 2)
    assert scale["mean baseline, G = 3"] == pytest.approx([2 / 3] * 2)
    assert scale["leave one out"] == pytest.approx([1] * 2)
    text = exact.show(list(rows.values()))
    assert "mask shifted by one" in text and len(text.splitlines()) == len(rows) + 4 + 3


def test_slopes_by_hand_weighed_with_rewards_are_the_gradient():
    theta, rewards_L = exact.draw(SMALL, 1)
    by_hand = exact.slopes(theta, SMALL.ids_LT, SMALL.nodes_LT, SMALL.mask_LT)
    prob_L = exact.answer_probs(SMALL, theta)
    update = torch.einsum("l,lpv->pv", prob_L * rewards_L, by_hand)
    assert torch.allclose(update, exact.exact_gradient(SMALL, theta, rewards_L), atol=1e-14)


def test_a_baseline_is_for_the_scatter():
    """Rewards that are nearly all the same: without a baseline the one group's gradient is mostly noise."""
    for seed in range(4):
        theta, rewards_L = exact.draw(SMALL, seed, right=0.9)
        none, mean = (exact.noise(SMALL, theta, rewards_L, 2, baseline=b) for b in ("none", "mean"))
        assert mean < 0.75 * none


def test_the_endings_are_all_there_is(trained):
    _, endings, _ = trained
    assert endings.prob_L.sum().item() == pytest.approx(1, abs=1e-12)
    assert {0.0, 0.1, 1.1} <= {round(r, 6) for r in endings.rewards_L.tolist()}
    assert 0 < sum(endings.rollouts.finished) < len(endings.prob_L) <= 27
    assert len(set(map(tuple, endings.rollouts.ids))) == len(endings.prob_L)


def test_the_real_model_gets_the_exact_gradient(trained):
    gradient_checks.the_real_model_gets_the_exact_gradient(trained)


@pytest.mark.slow
def test_mistakes_turn_the_real_models_gradient():
    rows = {row["setting"]: (row["cosine"][0], row["scale"][0]) for row in exact_model.table(TRAINED, depth=3)}
    print(rows)
    for name in ("mean baseline, G = 2", "mean baseline, G = 3", "leave one out"):
        assert rows.pop(name)[0] > 1 - 1e-9, name
    for name, (cos, _) in rows.items():
        assert cos < 0.999 or name.startswith("1/|o|"), name


def test_trees_that_can_not_be_enumerated_are_refused(trained):
    model, endings, _ = trained
    with pytest.raises(MinidsError, match="exact: vocab=9"):
        exact.tree(9, 9)
    with pytest.raises(MinidsError, match="top_k=0"):
        exact_model.endings(model, None, endings.rollouts.problems[0], how=exact_model.Scoring(top_k=0))


def test_kl_gradients_of_one_step():
    """At one prefix k2's gradient is that of KL(pi||ref), k3's of KL(ref||pi), k1's is 0 on average."""
    g = torch.Generator().manual_seed(0)
    z = torch.randn(6, generator=g, dtype=torch.float64, requires_grad=True)
    ref = torch.randn(6, generator=g, dtype=torch.float64).log_softmax(0)
    logp = z.log_softmax(0)
    prob = logp.exp().detach()

    def mean_gradient(kind):
        return torch.autograd.grad((prob * kl_estimate(logp, ref, kind)).sum(), z, retain_graph=True)[0]

    reverse = torch.autograd.grad((logp.exp() * (logp - ref)).sum(), z, retain_graph=True)[0]
    forward = torch.autograd.grad((ref.exp() * (ref - logp)).sum(), z, retain_graph=True)[0]
    equal(mean_gradient("k2"), reverse)
    equal(mean_gradient("k3"), forward)
    assert mean_gradient("k1").abs().max() < 1e-14
    exact = (prob * (logp - ref)).sum()
    for kind in ("k1", "k3"):  # the values of both are unbiased
        assert (prob * kl_estimate(logp, ref, kind)).sum().item() == pytest.approx(exact.item(), abs=1e-14)
    assert kl_estimate(logp, ref, "k3").min() >= 0
