"""Checks of the policy gradient that two files need: the tests by their names, and test_mutations.py, which plants
mistakes and sees each check fail."""

import random
from pathlib import Path

import pytest
import torch
from tiny_rl import FAMILIES, config, fresh

from minids.rl import trainer
from minids.rl.grpo import grpo_loss
from minids.studies import exact_gradient as exact
from minids.studies import exact_model
from minids.studies.exact_gradient import answer_probs, exact_gradient, expected_update
from minids.tasks import arithmetic

SMALL = exact.SMALL
TRAINED = Path(__file__).resolve().parents[1] / "chapters" / "data" / "tiny" / "sft"


def batch(**changes):
    torch.manual_seed(0)
    old = -torch.rand(4, 5, dtype=torch.float64) - 0.1
    values = dict(
        logp_NT=(old + 0.3 * torch.randn_like(old)).requires_grad_(),
        old_logp_NT=old,
        adv_N=torch.tensor([1.0, -1.0, 0.5, 0.0], dtype=torch.float64),
        mask_NT=torch.arange(5) < torch.tensor([5, 3, 1, 4])[:, None],
    )
    return values | changes


def aggregations_on_policy_by_hand(aggregation, constant, expected):
    """On policy every ratio is 1, so an answer of n tokens contributes n times its advantage."""
    b = batch()
    b["logp_NT"] = b["old_logp_NT"].clone().requires_grad_()
    loss, metrics = grpo_loss(**b, aggregation=aggregation, constant=constant)
    assert loss.item() == pytest.approx(expected)
    assert metrics["ratio_mean"] == 1 and metrics["clip_fraction"] == 0 and metrics["approx_kl"] == 0
    assert metrics["tokens"] == 13 and metrics["sequences"] == 4
    assert metrics["policy_loss"] == pytest.approx(expected)


def gradient(settings, **changes):
    b = batch(**changes)
    loss, metrics = grpo_loss(**b, aggregation="sequence_mean", **settings)
    return torch.autograd.grad(loss, b["logp_NT"])[0], metrics


def cispo_keeps_every_token():
    """Where PPO's clip takes a token's gradient away, CISPO leaves it the largest weight; where no weight is cut, it
    is the unclipped gradient, since grad w = w grad log pi."""
    plain, _ = gradient({"clip": "none"})
    free, metrics = gradient({"clip": "cispo", "clip_high": 100.0})
    torch.testing.assert_close(free, plain)
    assert metrics["clip_fraction"] == 0
    ppo, ppo_metrics = gradient({"clip": "higher", "clip_low": 0.1, "clip_high": 0.05})
    cispo, metrics = gradient({"clip": "cispo", "clip_high": 0.05})
    b = batch()
    ratio, used = (b["logp_NT"] - b["old_logp_NT"]).exp(), b["mask_NT"] & (b["adv_N"][:, None] != 0)
    cut = used & (ratio > 1.05)
    assert cut.sum() > 2 and not (ppo[cut & (b["adv_N"][:, None] > 0)]).any()
    torch.testing.assert_close(cispo[cut], plain[cut] * (1.05 / ratio[cut]).detach())
    assert torch.equal(cispo != 0, used)  # every token has its say
    assert metrics["clip_high_fraction"] == pytest.approx(float(cut.sum() / b["mask_NT"].sum()))
    assert metrics["clip_fraction"] == metrics["clip_high_fraction"] > ppo_metrics["clip_high_fraction"] > 0


def tree(seed):
    return exact.draw(SMALL, seed)


def cosine(update, truth):
    return exact.compare(update, truth)[0]


def equal(a, b):
    torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-14)


def trained_endings():
    """The tiny model after its cold start, in float64, and the endings of one of its answers."""
    model, tokenizer = exact_model.load(TRAINED)
    problem = arithmetic.sample("add", random.Random(0), "test")
    endings = exact_model.endings(model, tokenizer, problem, depth=3, how=exact_model.Scoring(temperature=2.5))
    return model, endings, exact_model.exact_gradient(model, endings)


def mean_baseline_gives_a_known_fraction_and_leave_one_out_the_whole_gradient(G, seed):
    theta, rewards_L = tree(seed)
    truth = exact_gradient(SMALL, theta, rewards_L)
    equal(expected_update(SMALL, theta, rewards_L, G), (G - 1) / G * truth)
    equal(expected_update(SMALL, theta, rewards_L, G, baseline="loo"), truth)
    equal(expected_update(SMALL, theta, rewards_L, G, baseline="none"), truth)


def weights_for_another_sampler():
    """Answers from another policy, scored by this one: wrong without weights; exact when each answer is weighted by its
    whole ratio and the cap is out of reach; truncated, or by the token, in between."""
    capped = {}
    for seed in range(4):
        theta, rewards_L = tree(seed)
        other = theta + 0.5 * tree(seed + 1000)[0]
        truth = exact_gradient(SMALL, theta, rewards_L)

        def update(correction, cap):
            how = {} if cap is None else {"correction": correction, "correction_cap": cap}
            return expected_update(SMALL, theta, rewards_L, 2, baseline="none", sampler=other, loss=how)  # noqa: B023

        equal(update("sequence_truncate", 1e9), truth)
        equal(update("sequence_mask", 1e9), truth)
        for name, cap in (("none", None), ("token_truncate", 1e9), ("sequence_truncate", 1.2), ("sequence_mask", 1.2)):
            capped.setdefault(name, []).append(cosine(update(name, cap), truth))
    print({name: [round(c, 3) for c in values] for name, values in capped.items()})
    assert all(max(values) < 0.9999 for values in capped.values())
    assert sum(capped["token_truncate"]) > sum(capped["none"])
    assert sum(capped["sequence_truncate"]) > sum(capped["sequence_mask"])


def unbiased_kl_is_the_gradient_of_the_kl_on_every_step(kind):
    """V3.2 eq. 7: whatever policy drew the tokens, the expected gradient is that of KL(pi || ref), summed over the
    prefixes that it visited; without the ratio k3's is another one, even on the first step."""
    small = exact.tree(3, 3)
    theta, _ = exact.draw(small, 0)
    ref, drawn = exact.draw(small, 1)[0], exact.draw(small, 2)[0]
    nothing_L = torch.zeros(len(small.answers), dtype=torch.float64)
    for old in (theta, drawn):
        visits_P = torch.zeros(len(small.prefixes), dtype=torch.float64)
        prob_LT = answer_probs(small, old)[:, None] * small.mask_LT
        visits_P.index_add_(0, small.nodes_LT[small.mask_LT], prob_LT[small.mask_LT])
        moving = theta.clone().requires_grad_()
        logp_PV, ref_PV = moving.log_softmax(-1), ref.log_softmax(-1)
        truth = torch.autograd.grad((visits_P[:, None] * logp_PV.exp() * (logp_PV - ref_PV)).sum(), moving)[0]
        kl = {"kl": kind, "kl_coef": 1.0}
        update = expected_update(small, theta, nothing_L, 1, old=old, ref=ref, loss={**kl, "kl_unbiased": True})
        equal(-update, truth)
        plain = -expected_update(small, theta, nothing_L, 1, old=old, ref=ref, loss=kl)
        assert (plain - truth).norm() > 0.05 * truth.norm()


def the_real_model_gets_the_exact_gradient(trained):
    """Through rollout.batch, rollout.score and grpo_loss: (G-1)/G of the gradient for every parameter."""
    model, endings, truth = trained
    assert truth.norm() > 1e-3
    for G, settings, share in ((2, {}, 1 / 2), (3, {}, 2 / 3), (2, {"baseline": "loo"}, 1)):
        update = exact_model.expected_update(model, endings, G, **settings)
        assert (update - share * truth).norm() < 1e-9 * truth.norm()


def settings_run_and_agree_with_the_sampler(start, change):
    tokenizer, model = fresh(start)
    before = model.lm_head.weight.clone()
    trainer.train_rl(model, tokenizer, FAMILIES, config(steps=2, **change), quiet=True)
    assert not torch.equal(before, model.lm_head.weight)
