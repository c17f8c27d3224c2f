"""The settings of `grpo_loss` one by one, by hand; refusals; padding. (TRL and exact gradients: the neighbours.)"""

import inspect
import pydoc
import re
import textwrap
from dataclasses import fields

import gradient_checks
import pytest
import torch
from gradient_checks import batch, gradient

from minids.errors import MinidsError
from minids.model.sampling import warp_logits
from minids.rl.grpo import LossConfig, advantages, count_units, grpo_loss, kl_estimate, token_logps

NAN = float("nan")


def test_advantages_by_hand():
    rewards = torch.tensor([1.0, 0, 0, 1, 1, 1], dtype=torch.float64)
    adv, informative = advantages(rewards, 3, scale="none")
    assert adv.tolist() == pytest.approx([2 / 3, -1 / 3, -1 / 3, 0, 0, 0])
    assert informative.tolist() == [True] * 3 + [False] * 3
    assert advantages(rewards, 3, baseline="loo", scale="none")[0].tolist() == pytest.approx([1, -0.5, -0.5, 0, 0, 0])
    assert advantages(rewards, 3, baseline="none", scale="none")[0].tolist() == rewards.tolist()
    std1, std0 = (1 / 3) ** 0.5, (2 / 9) ** 0.5
    assert advantages(rewards, 3)[0][0].item() == pytest.approx(2 / 3 / (std1 + 1e-4))
    assert advantages(rewards, 3, ddof=0, eps=0.0)[0][0].item() == pytest.approx(2 / 3 / std0)
    assert advantages(rewards, 3, scale="batch")[0][0].item() == pytest.approx(2 / 3 / (rewards.std().item() + 1e-4))


def test_equal_rewards_give_exactly_zero():
    """0.1 is not a binary fraction: without care the mean differs from it and the noise is divided by eps."""
    for scale in ("std", "batch", "none"):
        for group in (1, 3, 7):
            adv, informative = advantages(torch.full((group * 2,), 0.1), group, scale=scale)
            assert not adv.any() and not informative.any()
    assert advantages([0, 1], 2)[0].dtype == torch.float32


@pytest.mark.parametrize(
    "aggregation,constant,expected",
    [
        ("sequence_mean", None, -(1.0 - 1.0 + 0.5) / 4),
        ("token_mean", None, -(5 - 3 + 0.5) / 13),
        ("constant", 10, -(5 - 3 + 0.5) / 40),
    ],
)
def test_aggregations_on_policy_by_hand(aggregation, constant, expected):
    gradient_checks.aggregations_on_policy_by_hand(aggregation, constant, expected)


@pytest.mark.parametrize(
    "ratio,adv,settings,value,slope",
    [
        (1.1, 1, {}, -1.1, 1),
        (1.5, 1, {}, -1.2, 0),
        (0.5, 1, {}, -0.5, 1),
        (1.5, -1, {}, 1.5, 1),
        (0.5, -1, {}, 0.8, 0),
        (1.5, 1, dict(clip="none"), -1.5, 1),
        (1.25, 1, dict(clip="higher", clip_high=0.28), -1.25, 1),
        (1.5, 1, dict(clip="higher", clip_high=0.28), -1.28, 0),
        (5.0, -1, {}, 5.0, 1),
        (5.0, -1, dict(clip="dual", dual_delta=3.0), 3.0, 0),
        (2.0, -1, dict(clip="dual", dual_delta=3.0), 2.0, 1),
        (5.0, 1, dict(clip="dual", dual_delta=3.0), -1.2, 0),
        (0.5, -1, dict(clip="dual", dual_delta=3.0), 0.8, 0),
        (9.0, 1, dict(clip_low=10.0), -9.0, 1),
    ],
)
def test_clipping_of_one_token(ratio, adv, settings, value, slope):
    old = torch.tensor([[-5.0]], dtype=torch.float64)
    logp = (old + torch.tensor(ratio, dtype=torch.float64).log()).requires_grad_()
    loss, metrics = grpo_loss(logp, old, torch.tensor([float(adv)]), torch.ones(1, 1), **settings)
    (grad,) = torch.autograd.grad(loss, logp)
    assert loss.item() == pytest.approx(value)
    assert grad.item() == pytest.approx(-adv * ratio * slope)
    assert metrics["clip_fraction"] == 1 - slope
    assert metrics["ratio_max"] == pytest.approx(ratio)
    assert metrics["approx_kl"] == pytest.approx(ratio - 1 - torch.tensor(ratio, dtype=torch.float64).log().item())


@pytest.mark.parametrize(
    "more",
    [
        {"ratio": "token"},
        {"ratio": "sequence"},
        {"ratio": "sequence_token"},
        {"clip": "cispo", "clip_high": 0.1},
        {"kl_unbiased": True, "off_policy_threshold": 0.05},
        {"correction": "sequence_mask", "correction_cap": 1.1},
    ],
)
@pytest.mark.parametrize("aggregation", ["sequence_mean", "token_mean", "constant"])
def test_what_stands_under_the_mask_is_never_used(aggregation, more):
    clean, dirty = batch(), batch()
    ref = clean["old_logp_NT"] + 0.1
    settings = dict(aggregation=aggregation, kl="k3", kl_coef=0.1, **more)
    settings |= {"constant": 5} if aggregation == "constant" else {}
    hole = ~dirty["mask_NT"]
    if {"correction", "off_policy_threshold"} & set(more):
        clean["sampler_logp_NT"] = clean["old_logp_NT"] + 0.1
    for junk in (NAN, float("-inf"), 1e30):
        dirty["old_logp_NT"] = clean["old_logp_NT"].masked_fill(hole, junk)
        dirty["logp_NT"] = clean["logp_NT"].detach().masked_fill(hole, junk).requires_grad_()
        if "sampler_logp_NT" in clean:
            dirty["sampler_logp_NT"] = clean["sampler_logp_NT"].masked_fill(hole, junk)
        a, _ = grpo_loss(**clean, ref_logp_NT=ref, **settings)
        b, _ = grpo_loss(**dirty, ref_logp_NT=ref.masked_fill(hole, junk), **settings)
        assert a.item() == b.item()
        grad_a = torch.autograd.grad(a, clean["logp_NT"])[0]
        grad_b = torch.autograd.grad(b, dirty["logp_NT"])[0]
        assert torch.equal(grad_a, grad_b) and not grad_a[hole].any()


@pytest.mark.parametrize("aggregation", ["sequence_mean", "token_mean", "constant"])
def test_skipping_equals_leaving_the_rows_out(aggregation):
    b, informative = batch(), torch.tensor([True, True, False, True])
    settings = dict(aggregation=aggregation, kl="k2", kl_coef=0.1)
    settings |= {"constant": 5} if aggregation == "constant" else {}
    ref = b["old_logp_NT"] - 0.2
    loss, metrics = grpo_loss(**b, **settings, ref_logp_NT=ref, informative_N=informative, skip_zero_variance=True)
    rest, _ = grpo_loss(
        *(b[k][informative] for k in ("logp_NT", "old_logp_NT", "adv_N", "mask_NT")),
        **settings,
        ref_logp_NT=ref[informative],
    )
    assert loss.item() == pytest.approx(rest.item(), abs=1e-15) and metrics["sequences"] == 3
    units = count_units(b["mask_NT"], aggregation, informative_N=informative, skip_zero_variance=True)
    assert units == (12 if aggregation == "token_mean" else 3)
    nothing, metrics = grpo_loss(
        **b, **settings, ref_logp_NT=ref, informative_N=torch.zeros(4, dtype=torch.bool), skip_zero_variance=True
    )
    assert nothing.item() == 0 and metrics["tokens"] == 0
    assert not torch.autograd.grad(nothing, b["logp_NT"])[0].any()


def test_zero_variance_groups_have_no_gradient_without_kl():
    b = batch(adv_N=advantages(torch.full((4,), 0.1), 4)[0].double())
    loss, _ = grpo_loss(**b)
    assert not torch.autograd.grad(loss, b["logp_NT"])[0].any()


def test_an_advantage_for_each_token():
    b = batch()
    spread, _ = grpo_loss(**batch(adv_N=b["adv_N"][:, None].expand(4, 5)))
    assert spread.item() == grpo_loss(**b)[0].item()


@pytest.mark.parametrize("kind,expected", [("k1", 0.2), ("k2", 0.02), ("k3", 0.0187307530779818)])
def test_kl_values(kind, expected):
    assert kl_estimate(torch.tensor(-1.0), torch.tensor(-1.2), kind).item() == pytest.approx(expected, abs=1e-7)
    b = batch()
    loss, metrics = grpo_loss(**b, kl=kind, kl_coef=0.5, ref_logp_NT=b["logp_NT"].detach() - 0.2)
    assert loss.item() == pytest.approx(grpo_loss(**b)[0].item() + 0.5 * expected)
    assert metrics["kl"] == pytest.approx(expected)
    assert metrics["policy_loss"] == pytest.approx(grpo_loss(**b)[0].item())


def test_cispo_keeps_every_token():
    gradient_checks.cispo_keeps_every_token()


def test_the_ratio_of_a_sequence_and_of_its_tokens():
    """GSPO and GSPO-token have one gradient while an answer has one advantage; with an advantage a token only the
    second keeps them apart (arXiv 2507.18071, section 4.3), and a token's own ratio is a third thing."""
    sequence, _ = gradient({"ratio": "sequence", "clip": "none"})
    token, metrics = gradient({"ratio": "sequence_token", "clip": "none"})
    torch.testing.assert_close(sequence, token)
    assert not torch.allclose(gradient({"clip": "none"})[0], token, rtol=1e-2)
    b = batch()
    mean = ((b["logp_NT"] - b["old_logp_NT"]) * b["mask_NT"]).sum(1) / b["mask_NT"].sum(1)
    assert metrics["ratio_max"] == pytest.approx(mean.exp().max().item())
    first = torch.zeros(4, 5, dtype=torch.float64)
    first[:, 0] = b["adv_N"]
    assert (gradient({"ratio": "sequence", "clip": "none"}, adv_N=first)[0][0] != 0).all()
    apart, _ = gradient({"ratio": "sequence_token", "clip": "none"}, adv_N=first)
    assert apart[0, 0] != 0 and not apart[:, 1:].any()


def test_a_weight_for_the_samplers_mismatch():
    """One token in three was twice as likely for the policy as for its sampler: weight 2, cut to 1.5, or dropped."""
    old = torch.full((1, 3), -2.0, dtype=torch.float64)
    sampler = old - torch.tensor([[0.0, 2.0, 0.5]], dtype=torch.float64).clamp(min=1).log()
    for how, cap, weights in (
        ("token_truncate", 9.0, [1, 2, 1]),
        ("token_truncate", 1.5, [1, 1.5, 1]),
        ("token_mask", 1.5, [1, 0, 1]),
        ("sequence_truncate", 9.0, [2, 2, 2]),
        ("sequence_truncate", 1.5, [1.5] * 3),
        ("sequence_mask", 1.5, [0, 0, 0]),
    ):
        logp = old.clone().requires_grad_()
        loss, metrics = grpo_loss(
            logp, old, torch.ones(1), torch.ones(1, 3), sampler_logp_NT=sampler, correction=how, correction_cap=cap
        )
        (grad,) = torch.autograd.grad(loss, logp)
        assert grad[0].tolist() == pytest.approx([-w / 3 for w in weights]), (how, cap)
        assert metrics["correction_mean"] == pytest.approx(sum(weights) / 3)


def test_off_policy_answers_leave_the_policy_term_and_not_the_kl():
    """Two answers have drifted by 0.3 nats a token, one of each sign: the one of negative advantage is dropped."""
    old = torch.full((3, 2), -2.0, dtype=torch.float64)
    drift = torch.tensor([[0.3], [0.3], [0.1]], dtype=torch.float64)
    b = dict(old_logp_NT=old, adv_N=torch.tensor([-1.0, 1.0, -1.0]), mask_NT=torch.ones(3, 2), clip="none")

    def slopes(**how):
        logp = (old - drift).requires_grad_()
        loss, metrics = grpo_loss(logp, **b, **how)
        return torch.autograd.grad(loss, logp)[0], metrics

    whole, _ = slopes()
    kept, metrics = slopes(off_policy_threshold=0.2)
    assert not kept[0].any() and torch.equal(kept[1:], whole[1:])
    assert metrics["off_policy_fraction"] == pytest.approx(1 / 3)
    assert torch.equal(slopes(off_policy_threshold=0.4)[0], whole)
    # what counts is the sampler where it is known, and the KL goes on pulling
    far, _ = slopes(off_policy_threshold=0.4, sampler_logp_NT=old + torch.tensor([[0.0], [0.0], [0.5]]))
    assert far[0].all() and not far[2].any()
    pulled, _ = slopes(off_policy_threshold=0.2, kl="k2", kl_coef=0.1, ref_logp_NT=old)
    assert pulled[0].all()


def test_token_logps_are_those_of_the_sampling_distribution():
    torch.manual_seed(0)
    logits = torch.randn(3, 4, 11)
    for how in (dict(), dict(temperature=0.6), dict(top_k=3), dict(temperature=1.4, top_k=5, top_p=0.8)):
        expected = warp_logits(logits, **how).log_softmax(-1)
        ids = torch.distributions.Categorical(logits=expected).sample()
        ours = token_logps(logits, ids, **how)
        torch.testing.assert_close(ours, expected.gather(-1, ids[..., None])[..., 0])
    # Pushed just outside top-k by rounding, a sampled token still has a finite log-probability.
    assert token_logps(torch.tensor([[[0.0, 1.0, 2.0]]]), torch.tensor([[0]]), top_k=1).isfinite().all()


@pytest.mark.parametrize(
    "settings,said",
    [
        (dict(aggregation="mean"), "aggregation='mean'"),
        (dict(clip="both"), "clip='both'"),
        (dict(kl="k4"), "kl='k4'"),
        (dict(aggregation="constant"), "constant="),
        (dict(constant=5), "constant=5.* no effect with aggregation='token_mean'"),
        (dict(aggregation="sequence_mean", constant=5), "no effect with aggregation='sequence_mean'"),
        (dict(mask_NT=torch.full((4, 5), 0.5)), "other numbers than 0 and 1"),
        (dict(kl="k3"), "ref_logp_NT"),
        (dict(kl_coef=0.1), "kl='none'"),
        (dict(clip_high=0.3), "symmetric"),
        (dict(clip="higher"), "clip_high"),
        (dict(clip="dual"), "dual_delta"),
        (dict(clip="dual", dual_delta=1.1), "dual_delta"),
        (dict(dual_delta=3.0), "dual_delta"),
        (dict(ratio="word"), "ratio"),
        (dict(clip_low=0.0), "clip_low"),
        (dict(skip_zero_variance=True), "informative_N"),
        (dict(mask_truncated=True), "finished_N"),
        (dict(mask_NT=torch.ones(4, 6)), "one shape"),
        (dict(clip="cispo"), "clip='cispo' needs clip_high"),
        (dict(clip="cispo", clip_high=4.0, dual_delta=9.0), "dual_d"),
        (dict(kl_unbiased=True), "kl_unbiased"),
        (dict(kl_unbiased=True, kl="k2", kl_coef=0.1), "k1 or k3"),
        (dict(correction="vllm"), "correction='vllm'"),
        (dict(correction="token_mask"), "correction_cap"),
        (dict(correction="token_mask", correction_cap=-1.0), "correction_cap"),
        (dict(correction_cap=2.0), "no effect"),
        (dict(correction="token_mask", correction_cap=2.0), "needs sampler_logp_NT"),
        (dict(ref_logp_NT=torch.ones(4, 5)), "ref_logp_NT has no effect with kl='none'"),
        (dict(sampler_logp_NT=torch.ones(4, 5)), "sampler_logp_NT has no effect"),
        (dict(off_policy_threshold=0.0), "off_policy_threshold"),
        (dict(adv_N=torch.ones(3)), r"adv \(3,\) must be \[4\]"),
        (dict(adv_N=torch.ones(4, 1)), r"adv \(4, 1\)"),
        (dict(adv_N=torch.ones(5)), r"adv \(5,\)"),  # as many as positions
        (dict(adv_N=torch.ones(1)), r"adv \(1,\)"),
        (dict(adv_N=torch.tensor(1.0)), r"adv \(\)"),
        (dict(adv_N=[1.0] * 4), "adv must be a tensor, got a list"),
        (dict(old_logp_NT=torch.ones(4, 6)), "one shape"),
        (dict(kl="k3", ref_logp_NT=torch.ones(4, 1)), r"ref_logp \(4, 1\)"),
        (dict(off_policy_threshold=1.0, sampler_logp_NT=torch.ones(1, 5)), r"sampler_logp \(1, 5\)"),
        (dict(skip_zero_variance=True, informative_N=[True] * 3), r"informative_N \(3,\) must be \[4\]"),
        (dict(mask_truncated=True, finished_N=torch.ones(4, 5)), "finished_N"),
        ({k: torch.ones(4) for k in ("logp_NT", "old_logp_NT", "mask_NT")}, "answers, positions"),
    ],
)
def test_impossible_settings_are_refused(settings, said):
    with pytest.raises(MinidsError, match=said):
        grpo_loss(**(batch() | settings))


@pytest.mark.parametrize("normalizer", [-6, 0, 0.5, NAN, float("inf"), "six", torch.ones(2)])
def test_a_normalizer_that_is_no_denominator(normalizer):
    with pytest.raises(MinidsError, match="normalizer="):
        grpo_loss(**batch(), normalizer=normalizer)


def test_a_normalizer_of_count_units_is_taken():
    b = batch()
    whole = grpo_loss(**b)[0]
    assert grpo_loss(**b, normalizer=torch.tensor(count_units(b["mask_NT"], "token_mean")))[0] == whole
    b["mask_NT"] = torch.zeros_like(b["mask_NT"])
    assert grpo_loss(**b, normalizer=count_units(b["mask_NT"], "token_mean"))[0] == 0


@pytest.mark.parametrize("name", ["logp", "old_logp", "adv", "ref_logp"])
def test_a_tensor_that_makes_the_loss_nan_is_named(name):
    b = batch(ref_logp_NT=batch()["old_logp_NT"] - 0.1)
    key = "adv_N" if name == "adv" else f"{name}_NT"
    b[key] = b[key].detach().clone()
    b[key][1 if name == "adv" else (1, 2)] = NAN
    with pytest.raises(MinidsError, match=f": {name} is nan at answer 1, position {0 if name == 'adv' else 2}"):
        grpo_loss(**b, kl="k3", kl_coef=0.1)


def test_what_may_be_given_without_effect():
    """The training loop passes all of it, whatever the settings; a KL of weight 0 is a metric."""
    b = batch()
    plain = grpo_loss(**b)[0]
    assert grpo_loss(**b, informative_N=torch.zeros(4).bool(), finished_N=torch.zeros(4).bool())[0] == plain
    loss, metrics = grpo_loss(**b, kl="k3", ref_logp_NT=b["old_logp_NT"] - 0.5)
    assert loss == plain and metrics["kl"] > 0


def test_another_aggregation_leaves_the_constant_of_a_config_behind():
    config = LossConfig(aggregation="constant", constant=7)
    assert grpo_loss(**batch(), config=config, aggregation="token_mean")[0] == grpo_loss(**batch())[0]
    with pytest.raises(MinidsError, match="constant=7 has no effect"):
        grpo_loss(**batch(), config=config, aggregation="token_mean", constant=7)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"aggregation": "sequence_mean", "ratio": "sequence"},
        {"aggregation": "constant", "constant": 7},
        {"clip": "cispo", "clip_high": 0.1, "kl": "k3", "kl_coef": 0.1, "ref_logp_NT": torch.full((4, 5), NAN)},
        {"normalizer": 12.0, "mask_truncated": True, "finished_N": torch.zeros(4).bool()},
    ],
)
def test_without_any_token_the_loss_and_its_gradient_are_zero(settings):
    """As in a micro-batch whose answers were all cut off; whatever stands in the tensors."""
    b = batch()
    if "mask_truncated" not in settings:
        b["mask_NT"] = torch.zeros_like(b["mask_NT"])
        b["old_logp_NT"] = torch.full_like(b["old_logp_NT"], NAN)
    loss, metrics = grpo_loss(**b, **settings)
    assert loss.item() == 0 and metrics["tokens"] == 0 and metrics["policy_loss"] == 0
    assert not torch.autograd.grad(loss, b["logp_NT"])[0].any()


@pytest.mark.parametrize(
    "rewards,settings,said",
    [
        ([1.0, 2, 3], dict(group_size=2), "groups of 2"),
        ([1.0], dict(group_size=1, baseline="loo"), "loo"),
        ([1.0, NAN], dict(group_size=2), "finite"),
        ([1.0, 2], dict(group_size=2, ddof=2), "ddof"),
        ([1.0, 2], dict(group_size=2, scale="max"), "scale"),
        ([1.0, 2], dict(group_size=2, baseline="median"), "base"),
    ],
)
def test_impossible_advantages_are_refused(rewards, settings, said):
    with pytest.raises(MinidsError, match=said):
        advantages(torch.tensor(rewards), **settings)


def test_help_of_the_loss_is_enough():
    """Every tensor with its shape, every setting and every value of one has a line, and the example runs."""
    text = pydoc.plain(pydoc.render_doc(grpo_loss))
    for f in fields(LossConfig):
        assert re.search(rf"^ +{f.name} = ", text, re.M), f.name
        for choice in f.metadata["choices"] or ():
            assert re.search(rf"^ +{choice}  +\S", text, re.M), (f.name, choice)
    for name in inspect.signature(grpo_loss).parameters:
        assert name == "settings" or name in text
    assert max(map(len, grpo_loss.__doc__.splitlines())) <= 120
    example = textwrap.dedent(re.search(r"^ +import torch\n(.|\n)*?backward\(\)", text, re.M)[0])
    found = {}
    exec(example, found)
    assert found["loss"].item() == pytest.approx(0.0, abs=0.7) and found["logp_NT"].grad.abs().sum() > 0
