"""`grpo_loss` and `advantages` against TRL's own GRPOTrainer code, on the same log-probabilities.

The trainer object is made without its __init__ (no model, no dataset); only the method that turns a model
into per-token log-probabilities is replaced, by one that hands back our tensor. The loss is computed by TRL's
lines.
"""

import sys
from collections import defaultdict
from types import SimpleNamespace

import pytest
import torch

from minids.rl.grpo import advantages, count_units, grpo_loss

pytest.importorskip("trl")
GRPOTrainer = pytest.importorskip("trl.trainer.grpo_trainer").GRPOTrainer

N, T, C = 8, 12, 20


class GivenLogps(GRPOTrainer):
    def __init__(self, **settings):  # deliberately without super().__init__(): nothing of it is needed
        args = dict(delta=None, use_bias_correction_kl=False, steps_per_generation=1, report_to=[])
        self.args = SimpleNamespace(**{k: settings.pop(k, v) for k, v in args.items()})
        self.model = SimpleNamespace(training=True)
        self.accelerator = SimpleNamespace(
            num_processes=1,
            process_index=0,
            sync_gradients=True,
            device="cpu",
            gather=lambda x: x,
            gather_for_metrics=lambda x: x,
            reduce=lambda x, reduction: x,
        )
        self._metrics = {"train": defaultdict(list), "eval": defaultdict(list)}
        self.current_gradient_accumulation_steps = 1
        self.aux_loss_enabled = self._entropy_bonus_enabled = self.use_vllm = False
        self.top_entropy_quantile, self.off_policy_mask_threshold = 1.0, None
        self.importance_sampling_level, self.beta = "token", 0.0
        self.epsilon_low = self.epsilon_high = 0.2
        self.vllm_importance_sampling_correction = True
        self.max_completion_length = C
        for key, value in settings.items():
            setattr(self, key, value)

    def _get_per_token_logps_and_entropies(self, model, *args, **kwargs):
        return model.logps, torch.zeros_like(model.logps), None

    def loss(self, logps, old, adv, mask, ref=None, **more):
        n = mask.shape[0]
        inputs = dict(
            prompt_ids=torch.zeros(n, 1, dtype=torch.long),
            prompt_mask=torch.ones(n, 1),
            completion_ids=torch.zeros(n, mask.shape[1], dtype=torch.long),
            completion_mask=mask,
            advantages=adv,
            old_per_token_logps=old,
            ref_per_token_logps=ref,
            num_items_in_batch=mask.sum(),
            **more,
        )
        return GRPOTrainer._compute_loss(self, SimpleNamespace(logps=logps, training=True), inputs)


def make_batch(seed, kind="ragged", dtype=torch.float32, spread=0.3):
    g = torch.Generator().manual_seed(seed)
    old = -torch.rand(N, T, generator=g, dtype=dtype) * 3
    logps = (old + spread * torch.randn(N, T, generator=g, dtype=dtype)).requires_grad_()
    ref = old + 0.2 * torch.randn(N, T, generator=g, dtype=dtype)
    lengths = {
        "ragged": torch.randint(1, T + 1, (N,), generator=g),
        "full": torch.full((N,), T),
        "one token": torch.ones(N, dtype=torch.long),
        "an empty row": torch.tensor([0, 3, 12, 1, 5, 5, 9, 2]),
    }[kind]
    mask = (torch.arange(T) < lengths[:, None]).long()
    adv = torch.randn(N, generator=g, dtype=dtype)
    adv[:2] = 0.0
    return logps, old, adv, mask, ref


NAMES = {
    "grpo": dict(aggregation="sequence_mean"),
    "dapo": dict(aggregation="token_mean"),
    "dr_grpo": dict(aggregation="constant", constant=C),
}
CASES = {
    "plain": ({}, {}),
    "beta": (dict(beta=0.04), dict(kl="k3", kl_coef=0.04)),
    "higher": (dict(epsilon_high=0.28), dict(clip="higher", clip_high=0.28)),
    "delta": (dict(delta=1.5, epsilon_high=0.28), dict(clip="dual", clip_high=0.28, dual_delta=1.5)),
    "epsilon 10": (dict(epsilon_low=10.0, epsilon_high=10.0), dict(clip_low=10.0)),
    "sequence ratio": (dict(importance_sampling_level="sequence"), dict(ratio="sequence")),
    "sequence ratio, higher": (
        dict(importance_sampling_level="sequence", epsilon_low=3e-2, epsilon_high=4e-2),
        dict(ratio="sequence_token", clip="higher", clip_low=3e-2, clip_high=4e-2),
    ),
    "unbiased KL": (dict(beta=0.1, use_bias_correction_kl=True), dict(kl="k3", kl_coef=0.1, kl_unbiased=True)),
    "off-policy mask": (dict(off_policy_mask_threshold=0.02), dict(off_policy_threshold=0.02)),
    "V3.2": (
        dict(off_policy_mask_threshold=0.02, beta=0.1, use_bias_correction_kl=True),
        dict(off_policy_threshold=0.02, kl="k3", kl_coef=0.1, kl_unbiased=True),
    ),
    "all": (
        dict(beta=0.1, delta=1.4, epsilon_low=0.1, epsilon_high=0.3),
        dict(kl="k3", kl_coef=0.1, clip="dual", clip_low=0.1, clip_high=0.3, dual_delta=1.4),
    ),
}


def close(a, b):
    torch.testing.assert_close(a, b, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("kind", ["ragged", "full", "one token", "an empty row"])
@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("name", NAMES)
def test_loss_and_gradient_equal_trl(name, case, kind):
    theirs, ours = CASES[case]
    for seed in range(3):
        logps, old, adv, mask, ref = make_batch(seed, kind)
        expected = GivenLogps(loss_type=name, **theirs).loss(logps, old, adv, mask, ref)
        (grad_trl,) = torch.autograd.grad(expected, logps)
        given = {"ref_logp_NT": ref} if "kl" in ours else {}
        loss, _ = grpo_loss(logps, old, adv, mask, **NAMES[name], **ours, **given)
        (grad,) = torch.autograd.grad(loss, logps)
        close(loss, expected)
        close(grad, grad_trl)
        assert grad_trl.abs().max() > 1e-3  # the comparison is about something


@pytest.mark.parametrize("level", ["token", "sequence"])
@pytest.mark.parametrize("kind", ["ragged", "an empty row"])
def test_cispo_equals_trl(kind, level):
    """TRL's epsilon_high is the largest weight itself, ours what it exceeds 1 by."""
    cut = 0.0
    for seed in range(3):
        logps, old, adv, mask, ref = make_batch(seed, kind)
        trainer = GivenLogps(loss_type="cispo", epsilon_high=1.2, beta=0.05, importance_sampling_level=level)
        expected = trainer.loss(logps, old, adv, mask, ref)
        loss, metrics = grpo_loss(
            logps, old, adv, mask, clip="cispo", clip_high=0.2, ratio=level, kl="k3", kl_coef=0.05, ref_logp_NT=ref
        )
        close(loss, expected)
        close(torch.autograd.grad(loss, logps)[0], torch.autograd.grad(expected, logps)[0])
        cut += metrics["clip_fraction"]
    assert cut > 0.02


def test_the_off_policy_mask_uses_the_sampler_where_it_is_known():
    how, differs = dict(aggregation="sequence_mean", off_policy_threshold=0.01), []
    trainer = GivenLogps(loss_type="grpo", off_policy_mask_threshold=0.01)
    for seed in range(4):
        logps, old, adv, mask, _ = make_batch(seed)
        sampler = old + 0.5 * torch.randn(N, T, generator=torch.Generator().manual_seed(9))
        expected = trainer.loss(logps, old, adv, mask, sampling_per_token_logps=sampler)
        loss, _ = grpo_loss(logps, old, adv, mask, **how, sampler_logp_NT=sampler)
        close(loss, expected)
        differs.append(abs(loss.item() - grpo_loss(logps, old, adv, mask, **how)[0].item()) > 1e-3)
    assert any(differs)


@pytest.mark.parametrize("name", NAMES)
def test_several_optimizer_steps_on_a_batch_equal_trl(name):
    """Five steps with the old log-probabilities kept: ratios leave the clip range, and both still agree."""
    logps, old, adv, mask, ref = make_batch(5, dtype=torch.float64, spread=0.0)
    ours, theirs = logps.detach().clone().requires_grad_(), logps.detach().clone().requires_grad_()
    trainer = GivenLogps(loss_type=name, beta=0.04)
    clipped = []
    for _ in range(5):
        loss, metrics = grpo_loss(ours, old, adv, mask, **NAMES[name], kl="k3", kl_coef=0.04, ref_logp_NT=ref)
        expected = trainer.loss(theirs, old, adv, mask, ref)
        close(loss, expected)
        clipped.append(metrics["clip_fraction"])
        with torch.no_grad():
            for x, y in ((ours, loss), (theirs, expected)):
                (grad,) = torch.autograd.grad(y, x)
                x -= 0.1 * grad / grad.abs().max()
    close(ours, theirs)
    assert clipped[0] == 0 and clipped[-1] > 0.02


def test_masked_truncated_answers_equal_trl():
    """TRL zeroes the mask of truncated answers and goes on counting them as answers."""
    logps, old, adv, mask, _ = make_batch(1)
    finished = torch.tensor([1, 0, 1, 1, 0, 1, 1, 1]).bool()
    for name, settings in NAMES.items():
        expected = GivenLogps(loss_type=name).loss(logps, old, adv, mask * finished[:, None])
        loss, _ = grpo_loss(logps, old, adv, mask, **settings, finished_N=finished, mask_truncated=True)
        close(loss, expected)


def test_clip_metrics_equal_trl():
    logps, old, adv, mask, ref = make_batch(3)
    trainer = GivenLogps(loss_type="dapo", beta=0.1)
    trainer.loss(logps, old, adv, mask, ref)
    _, metrics = grpo_loss(logps, old, adv, mask, kl="k3", kl_coef=0.1, ref_logp_NT=ref)
    for ours, theirs in {
        "clip_low_fraction": "clip_ratio/low_mean",
        "kl": "kl",
        "clip_high_fraction": "clip_ratio/high_mean",
        "clip_fraction": "clip_ratio/region_mean",
    }.items():
        assert metrics[ours] == pytest.approx(trainer._metrics["train"][theirs][0], abs=1e-6), ours


class Scored(Exception):
    """Ends TRL's long method once what we want from it is known."""


REWARDS = torch.tensor([1.1, 0.1, 0.0, 0.1, 1.1, 1.1, 1.1, 1.1, 0, 0, 0, 1.1])


def scoring(ids, sampled=None, **settings):
    """A trainer whose `_generate_and_score_completions` runs with generation and rewards given."""
    trainer = GivenLogps(
        loss_type="grpo",
        num_generations=4,
        num_iterations=1,
        multi_objective_aggregation="sum_then_normalize",
        mask_truncated_completions=False,
        reward_weights=torch.ones(1),
        reward_funcs=[None],
        environment_factories=None,
        environments=None,
        tools=None,
        pad_to_multiple_of=None,
        _tokenizer=SimpleNamespace(pad_token_id=0),
        eos_token_ids=[4],
        processing_class=SimpleNamespace(batch_decode=lambda *a, **k: [""] * len(ids)),
        **settings,
    )
    vars(trainer.args).update(
        gradient_accumulation_steps=1, per_device_train_batch_size=len(ids), gradient_checkpointing_kwargs=None
    )
    trainer.model.is_gradient_checkpointing = False
    trainer._calculate_rewards = lambda *a, **k: REWARDS[:, None].clone()
    trainer._generate = lambda *a, **k: ([[3, 4]] * len(ids), ids, None, [""] * len(ids), sampled, None, None, None)
    return trainer


@pytest.mark.parametrize("scale_trl,scale", [("group", "std"), ("batch", "batch"), ("none", "none")])
def test_advantages_equal_trl(scale_trl, scale, monkeypatch):
    seen = {}

    def remember(advantages_N, nan):
        seen["adv"] = advantages_N.clone()
        raise Scored

    trainer = scoring([[3, 4]] * len(REWARDS), scale_rewards=scale_trl)
    monkeypatch.setattr(torch, "nan_to_num", remember)
    with pytest.raises(Scored):
        trainer._generate_and_score_completions([{"prompt": "x"} for _ in REWARDS])
    ours, informative = advantages(REWARDS, 4, scale=scale)
    close(ours, seen["adv"])
    assert informative.tolist() == [True] * 4 + [False] * 4 + [True] * 4


@pytest.mark.parametrize("mode", ["token_truncate", "token_mask", "sequence_truncate", "sequence_mask"])
def test_correction_for_the_sampler_equals_trl(mode):
    """The weights are those that TRL computes before it asks for rewards; its loss then multiplies with them."""
    logps, old, adv, mask, _ = make_batch(6)
    sampler = torch.where(mask.bool(), old + 0.4 * torch.randn(N, T, generator=torch.Generator().manual_seed(1)), 0.0)
    lengths = mask.sum(1).tolist()
    trainer = scoring(
        [[3] * n for n in lengths],
        [row[:n].tolist() for n, row in zip(lengths, sampler)],
        use_vllm=True,
        vllm_importance_sampling_mode=mode,
        vllm_importance_sampling_clip_min=None,
        vllm_importance_sampling_clip_max=1.5,
    )
    width = max(lengths)
    trainer.model.logps = old[:, :width]
    seen = {}

    def look(*args, **kwargs):
        seen["ratio"] = sys._getframe(1).f_locals["vllm_importance_sampling_ratio"]
        raise Scored

    trainer._calculate_rewards = look
    with pytest.raises(Scored):
        trainer._generate_and_score_completions([{"prompt": "x"} for _ in lengths])
    logps, old, mask, sampler = (x[:, :width] for x in (logps, old, mask, sampler))
    trainer.loss_type = "dapo"
    expected = trainer.loss(logps, old, adv, mask, importance_sampling_ratio=seen["ratio"])
    loss, metrics = grpo_loss(logps, old, adv, mask, sampler_logp_NT=sampler, correction=mode, correction_cap=1.5)
    close(loss, expected)
    close(torch.autograd.grad(loss, logps)[0], torch.autograd.grad(expected, logps)[0])
    assert abs(metrics["correction_mean"] - 1) > 0.01
    assert abs(loss.item() - grpo_loss(logps, old, adv, mask)[0].item()) > 1e-3


def test_micro_batches_add_up_to_the_whole():
    """With the global denominator given, the parts' losses sum to the whole's, however the rows are split."""
    logps, old, adv, mask, ref = make_batch(2)
    for settings in NAMES.values():
        settings = dict(settings, kl="k3", kl_coef=0.1)
        whole, _ = grpo_loss(logps, old, adv, mask, **settings, ref_logp_NT=ref)
        parts = [slice(0, 3), slice(3, 4), slice(4, 8)]
        total = sum(count_units(mask[p], settings["aggregation"]) for p in parts)
        split = sum(
            grpo_loss(logps[p], old[p], adv[p], mask[p], **settings, ref_logp_NT=ref[p], normalizer=total)[0]
            for p in parts
        )
        close(split, whole)
