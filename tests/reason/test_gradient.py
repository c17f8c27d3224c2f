"""The gradient of `grpo_loss` against the exact gradient of the expected reward, on a tree one can enumerate.

A tabular policy over 3 tokens (0 stops) and answers of at most 4 tokens: 15 prefixes, 31 possible answers.
All groups of G answers are enumerated with their probabilities, so the expected update is exact, in float64.
With J the expected reward, minus the expected gradient of the loss (mean baseline, no scaling, sum over
tokens) must be (G-1)/G grad J, with the leave-one-out baseline grad J itself; grad J comes from autograd and,
as a second witness, finite differences. Then classic mistakes are planted; each must turn the gradient, or
this file could not fail.
"""

import itertools

import pytest
import torch

from minids.model.sampling import warp_logits
from minids.reason.grpo import advantages, grpo_loss, kl_estimate, token_logps

V, DEPTH, STOP = 3, 4, 0
PREFIXES = [p for n in range(DEPTH) for p in itertools.product((1, 2), repeat=n)]
NODE = {p: i for i, p in enumerate(PREFIXES)}
LEAVES = [p + (STOP,) for p in PREFIXES] + list(itertools.product((1, 2), repeat=DEPTH))
L = len(LEAVES)
IDS_LT = torch.tensor([leaf + (0,) * (DEPTH - len(leaf)) for leaf in LEAVES])
MASK_LT = torch.tensor([[t < len(leaf) for t in range(DEPTH)] for leaf in LEAVES])
NODES_LT = torch.tensor([[NODE[leaf[:t]] if t < len(leaf) else 0 for t in range(DEPTH)] for leaf in LEAVES])


def leaf_probs(theta, **sampling):
    """Probability of each answer under the sampler, straight from softmax: 0 for what it cannot produce."""
    probs_LT = warp_logits(theta[NODES_LT], **sampling).softmax(-1).gather(-1, IDS_LT[..., None])[..., 0]
    return torch.where(MASK_LT, probs_LT, 1.0).prod(1)


def exact_gradient(theta, rewards_L, **sampling):
    theta = theta.detach().clone().requires_grad_()
    return torch.autograd.grad((leaf_probs(theta, **sampling) * rewards_L).sum(), theta)[0]


def tree(seed):
    g = torch.Generator().manual_seed(seed)
    theta = torch.randn(len(PREFIXES), V, generator=g, dtype=torch.float64)
    rewards_L = (torch.rand(L, generator=g) < 0.3).double() + 0.1 * (torch.rand(L, generator=g) < 0.5)
    return theta, rewards_L


def expected_update(theta, rewards_L, G, *, sampled={}, scored={}, mask_LT=MASK_LT, loss={}, **adv_settings):  # noqa: B006
    """Minus the expectation over all groups of G possible answers of the gradient of one group's loss.

    The groups' losses are linear in the advantages (ratio 1, no clipping), so each group's advantages carry
    its probability, and one call gives the expectation.
    """
    prob_L = leaf_probs(theta, **sampled).detach()
    possible = (prob_L > 0).nonzero().flatten()
    groups = torch.cartesian_prod(*[possible] * G)
    adv_N, _ = advantages(rewards_L[groups].flatten(), G, **{"scale": "none", **adv_settings})
    adv_N = adv_N * prob_L[groups].prod(1).repeat_interleave(G) * len(groups)
    theta = theta.detach().clone().requires_grad_()
    rows = groups.flatten()
    logp_NT = token_logps(theta[NODES_LT], IDS_LT, **scored)[rows]
    value, _ = grpo_loss(logp_NT, logp_NT.detach(), adv_N, mask_LT[rows],
                         **{"aggregation": "constant", "constant": 1, "clip": "none", **loss})
    return -torch.autograd.grad(value, theta)[0]


def cosine(a, b):
    return torch.nn.functional.cosine_similarity(a.flatten(), b.flatten(), dim=0).item()


def equal(a, b):
    torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-14)


def test_the_tree_is_complete_and_autograd_equals_finite_differences():
    assert L == 31
    theta, rewards_L = tree(0)
    assert leaf_probs(theta).sum().item() == pytest.approx(1, abs=1e-14)
    exact = exact_gradient(theta, rewards_L)
    step = 1e-5
    for i, v in itertools.product(range(len(PREFIXES)), range(V)):
        up, down = theta.clone(), theta.clone()
        up[i, v] += step
        down[i, v] -= step
        slope = ((leaf_probs(up) - leaf_probs(down)) * rewards_L).sum() / (2 * step)
        assert exact[i, v].item() == pytest.approx(slope.item(), abs=1e-10)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("G", [2, 3])
def test_mean_baseline_gives_a_known_fraction_and_leave_one_out_the_whole_gradient(G, seed):
    theta, rewards_L = tree(seed)
    exact = exact_gradient(theta, rewards_L)
    equal(expected_update(theta, rewards_L, G), (G - 1) / G * exact)
    equal(expected_update(theta, rewards_L, G, baseline="loo"), exact)
    equal(expected_update(theta, rewards_L, G, baseline="none"), exact)


def test_group_by_group_without_the_shortcut():
    """The same, with one call for each of the 961 groups, as the training loop makes it."""
    theta, rewards_L = tree(1)
    theta.requires_grad_()
    logp_LT, probs_L, total = token_logps(theta[NODES_LT], IDS_LT), leaf_probs(theta).detach(), 0.0
    for i, j in itertools.product(range(L), repeat=2):
        pair = torch.tensor([i, j])
        adv_N, informative_N = advantages(rewards_L[pair], 2, scale="none")
        if informative_N.any():
            loss, _ = grpo_loss(logp_LT[pair], logp_LT[pair], adv_N, MASK_LT[pair], aggregation="constant",
                                constant=1, informative_N=informative_N, skip_zero_variance=True)
            total = total + probs_L[i] * probs_L[j] * loss
    equal(-torch.autograd.grad(total, theta)[0], exact_gradient(theta, rewards_L) / 2)


@pytest.mark.parametrize("how", [dict(temperature=0.6), dict(temperature=1.5), dict(top_k=2), dict(top_p=0.8),
                                 dict(temperature=0.7, top_k=2, top_p=0.9)], ids=str)
def test_a_truncated_or_tempered_policy_has_its_own_exact_gradient(how):
    """Scored as it was sampled, the update is the gradient for the policy that was sampled."""
    for seed in range(4):
        theta, rewards_L = tree(seed)
        assert leaf_probs(theta, **how).sum().item() == pytest.approx(1, abs=1e-12)
        update = expected_update(theta, rewards_L, 2, sampled=how, scored=how)
        equal(update, exact_gradient(theta, rewards_L, **how) / 2)


def test_planted_mistakes_turn_the_gradient():
    """Cosine to the true gradient, over 4 policies: 1 for the right code, visibly less for each mistake."""
    ends = torch.tensor([len(leaf) - 1 if leaf[-1] == STOP else -1 for leaf in LEAVES])
    without_stop = MASK_LT & (torch.arange(DEPTH) != ends[:, None])
    shifted = torch.cat([MASK_LT[:, 1:], torch.zeros(L, 1, dtype=torch.bool)], 1)
    found = {}
    for seed in range(4):
        theta, rewards_L = tree(seed)
        exact = exact_gradient(theta, rewards_L)
        tried = {
            "right": expected_update(theta, rewards_L, 2),
            "stop token masked": expected_update(theta, rewards_L, 2, mask_LT=without_stop),
            "mask shifted by one": expected_update(theta, rewards_L, 2, mask_LT=shifted),
            "1/|o|": expected_update(theta, rewards_L, 2, loss=dict(aggregation="sequence_mean")),
        }
        for name, update in tried.items():
            found.setdefault(name, []).append(cosine(update, exact))
        for name, how in {"temperature": dict(temperature=0.6), "top-k": dict(top_k=2)}.items():
            own = exact_gradient(theta, rewards_L, **how)
            for what, scored in {"replayed": how, "forgotten": {}}.items():
                update = expected_update(theta, rewards_L, 2, sampled=how, scored=scored)
                found.setdefault(f"{name} {what}", []).append(cosine(update, own))
    print({name: [round(c, 3) for c in values] for name, values in found.items()})
    for name in ("right", "temperature replayed", "top-k replayed"):
        assert min(found[name]) > 1 - 1e-9, name
    for name, limit in {"stop token masked": 0.95, "mask shifted by one": 0.95, "1/|o|": 0.995,
                        "temperature forgotten": 0.9985, "top-k forgotten": 0.99}.items():
        assert max(found[name]) < limit, (name, found[name])


def test_standard_deviation_rescales_one_question_only():
    """With two reward values and G = 2, dividing by the deviation changes the length, not the direction;
    between questions of different difficulty it changes the weights, which is Dr. GRPO's objection."""
    theta, rewards_L = tree(2)
    binary_L = (rewards_L > 0.5).double()
    scaled = expected_update(theta, binary_L, 2, scale="std", eps=0.0)
    exact = exact_gradient(theta, binary_L)
    assert cosine(scaled, exact) == pytest.approx(1, abs=1e-12)
    assert scaled.norm() > exact.norm() / 2


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
