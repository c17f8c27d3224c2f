"""Planted bugs: for each classic mistake of policy-gradient code, the test that catches it.

Every mistake is put into the code that trains, and the named test, called with it in place, must fail with an
AssertionError or a MinidsError (the run stops itself). Without the mistake the same call passes. Run with -s for the
table:

    mistake                                   caught by
    mask one place too early                  gradient_checks.the_real_model_gets_the_exact_gradient
    mask one place too late                   gradient_checks.settings_run_and_agree_with_the_sampler
    stop token dropped from the mask          gradient_checks.the_real_model_gets_the_exact_gradient
    temperature forgotten in scoring          gradient_checks.settings_run_and_agree_with_the_sampler
    top-k and top-p forgotten in scoring      gradient_checks.settings_run_and_agree_with_the_sampler
    denominator of the micro-batch            test_micro_batches_do_not_change_a_step
    denominator counts padding                gradient_checks.aggregations_on_policy_by_hand
    cache rows left behind when answers end   gradient_checks.settings_run_and_agree_with_the_sampler
    sampling with the weights of before       gradient_checks.settings_run_and_agree_with_the_sampler
    advantage not centred                     gradient_checks.mean_baseline_gives_a_known_fraction_…
    advantages of the neighbouring group      test_each_answer_moves_by_its_own_advantage
    old log-probabilities scored again        test_the_second_step_on_a_batch_sees_ratios
    old log-probabilities with a gradient     gradient_checks.mean_baseline_gives_a_known_fraction_…
    padding attended in sampling              gradient_checks.settings_run_and_agree_with_the_sampler
    CISPO's weight with a gradient            gradient_checks.cispo_keeps_every_token
    V3.2's KL ratio without a gradient        gradient_checks.unbiased_kl_is_the_gradient_of_the_kl_on_…
    correction upside down                    gradient_checks.weights_for_another_sampler
"""

from types import SimpleNamespace

import gradient_checks
import pytest
import torch
from tiny_rl import FAMILIES, config, fresh

from minids import MinidsError, Transformer
from minids.model import generate as sampler
from minids.rl import grpo, importance_sampling, rollout, trainer
from minids.studies import compare_presets, exact_model

# -- tests that only this file needs -----------------------------------------------------------------------------------


def test_micro_batches_do_not_change_a_step(start):
    """One optimizer step on everything at once and cut into pieces: the same weights up to rounding."""
    ends = []
    for tokens in (100_000, 150):
        tokenizer, model = fresh(start)
        c = config(steps=1, minibatches=1, tokens_per_batch=tokens, loss_aggregation="sequence_mean", scale="none")
        run = trainer.RLRun(model, tokenizer, FAMILIES, c, trainer.Comm(), None, None, "grpo")
        run.iteration(False)
        ends.append(run.flat.grads.clone())
    assert ends[0].norm() > 0
    assert (ends[0] - ends[1]).norm() < 1e-3 * ends[0].norm()


def test_the_second_step_on_a_batch_sees_ratios(start):
    """With a large step, ratios leave the clip range while the batch lasts."""
    tokenizer, model = fresh(start)
    lines = compare_presets._Lines()
    c = config(steps=1, lr=1e-2, minibatches=1, epochs=4)
    trainer.train_rl(model, tokenizer, FAMILIES, c, metrics=lines, quiet=True)
    assert lines.lines[0]["clip_fraction"] > 0.01


def test_each_answer_moves_by_its_own_advantage(start):
    """After a small step, answers are more likely where their advantage was above 0, in the mean over all of them."""
    tokenizer, model = fresh(start)
    c = config(steps=1, lr=1e-4, minibatches=1, optimizer="muon", prompts_per_step=8, num_generations=8, scale="none")
    run = trainer.RLRun(model, tokenizer, FAMILIES, c, trainer.Comm(), None, None, "grpo")
    problems, numbers = rollout.questions(c, FAMILIES, 0)
    rollouts, rewards_N = run._draw(problems, numbers)
    rows = list(range(len(rewards_N)))
    ids, mask, old = rollout.batch(rollouts, rows)
    run.iteration(False)
    with torch.no_grad():
        moved_N = ((rollout.score(model, ids, mask, c)[0] - old) * mask).sum(1)
    own_N = (rewards_N.view(-1, 8) - rewards_N.view(-1, 8).mean(1, keepdim=True)).flatten()
    assert float((moved_N * own_N).sum()) > 0
    assert torch.corrcoef(torch.stack([moved_N, own_N]))[0, 1] > 0.3


# -- the mistakes ------------------------------------------------------------------------------------------------------


def _move_mask(monkeypatch, change):
    real = rollout.batch

    def batch(rollouts, rows=None):
        ids, mask, logp = real(rollouts, rows)
        return ids, change(mask, torch.tensor([rollouts.finished[i] for i in rows])), logp

    monkeypatch.setattr(rollout, "batch", batch)


def mask_early(monkeypatch):
    _move_mask(monkeypatch, exact_model.early)


def mask_late(monkeypatch):
    _move_mask(monkeypatch, exact_model.late)


def stop_dropped(monkeypatch):
    _move_mask(monkeypatch, exact_model.without_stop)


def _score_with(monkeypatch, **changed):
    real = rollout.score

    def score(model, ids, mask, c, **how):
        told = {k: getattr(c, k) for k in ("temperature", "top_k", "top_p")}
        return real(model, ids, mask, SimpleNamespace(**{**told, **changed}), **how)

    monkeypatch.setattr(rollout, "score", score)


def temperature_forgotten(monkeypatch):
    _score_with(monkeypatch, temperature=1.0)


def truncation_forgotten(monkeypatch):
    _score_with(monkeypatch, top_k=0, top_p=1.0)


def _loss(monkeypatch, change, *places):
    """Another grpo_loss; `places` are modules that hold the name."""
    real = grpo.grpo_loss

    def grpo_loss(logp_NT, old_logp_NT, adv_N, mask_NT, **how):
        return change(real, logp_NT, old_logp_NT, adv_N, mask_NT, how)

    for place in (grpo, *places):
        monkeypatch.setattr(place, "grpo_loss", grpo_loss)


def micro_batch_denominator(monkeypatch):
    def change(real, logp, old, adv, mask, how):
        return real(logp, old, adv, mask, **{**how, "normalizer": None})

    _loss(monkeypatch, change)


def padding_counted(monkeypatch):
    def change(real, logp, old, adv, mask, how):
        return real(logp, old, adv, mask, **{**how, "normalizer": float(mask.numel())})

    _loss(monkeypatch, change, gradient_checks)


def cache_left_behind(monkeypatch):
    def select(self, rows):
        self.cache.data = self.cache.data[:, : len(rows)].clone()
        self.cache.padding_B = self.cache.padding_B[: len(rows)]
        if hasattr(self, "_mask"):
            self._mask()

    for decoder in (sampler.FoldedDecoder, sampler.PlainDecoder):
        monkeypatch.setattr(decoder, "select", select)


def stale_weights(monkeypatch):
    real, kept = sampler.FoldedWeights, {}
    monkeypatch.setattr(sampler, "FoldedWeights", lambda layer, c: kept.setdefault(id(layer), real(layer, c)))


def not_centred(monkeypatch):
    real = grpo.advantages
    monkeypatch.setattr(grpo, "advantages", lambda r, g, **how: real(r, g, **{**how, "baseline": "none"}))


def neighbours_advantage(monkeypatch):
    real = grpo.advantages

    def advantages(rewards, group, **how):
        adv, informative = real(rewards, group, **how)
        return adv.roll(1), informative.roll(1)

    monkeypatch.setattr(grpo, "advantages", advantages)


def old_scored_again(monkeypatch):
    _loss(monkeypatch, lambda real, logp, old, adv, mask, how: real(logp, logp.detach(), adv, mask, **how))


def old_with_gradient(monkeypatch):
    def log_ratio(log_ratio_NT, length_N1, ratio):
        return log_ratio_NT - log_ratio_NT + log_ratio_NT.detach()

    monkeypatch.setattr(importance_sampling, "sequence_log_ratio", log_ratio)


def padding_attended(monkeypatch):
    real = Transformer.new_cache
    monkeypatch.setattr(Transformer, "new_cache", lambda self, batch, length, padding=None: real(self, batch, length))


def cispo_differentiated(monkeypatch):
    real = importance_sampling.surrogate

    def surrogate(ratio, adv, logp, clip, low, high, dual_delta):
        if clip == "cispo":
            return ratio.clamp(max=1 + high) * adv * logp
        return real(ratio, adv, logp, clip, low, high, dual_delta)

    monkeypatch.setattr(importance_sampling, "surrogate", surrogate)


def kl_ratio_constant(monkeypatch):
    real = grpo.kl_estimate

    def loss(real_loss, logp, old, adv, mask, how):  # the ratio's value in the weight of the KL, without its gradient
        if not how.get("kl_unbiased"):
            return real_loss(logp, old, adv, mask, **how)
        weight = torch.where(mask.bool(), logp - old, 0.0).exp().detach()
        monkeypatch.setattr(grpo, "kl_estimate", lambda x, ref, kind: weight * real(x, ref, kind))
        out = real_loss(logp, old, adv, mask, **{**how, "kl_unbiased": False})
        monkeypatch.setattr(grpo, "kl_estimate", real)
        return out

    _loss(monkeypatch, loss)


def correction_upside_down(monkeypatch):
    real = importance_sampling.sampler_weights
    monkeypatch.setattr(importance_sampling, "sampler_weights", lambda old, new, *rest: real(new, old, *rest))


def agreement(**change):
    def call(get):
        gradient_checks.settings_run_and_agree_with_the_sampler(get("start"), change)

    call.__name__ = f"settings_run_and_agree_with_the_sampler {change}"
    return call


def using(fixture, test):
    def call(get):
        test(get(fixture))

    call.__name__ = test.__name__
    return call


def plain(test, *arguments):
    def call(get):
        test(*arguments)

    call.__name__ = test.__name__
    return call


REAL = using("trained", gradient_checks.the_real_model_gets_the_exact_gradient)
TABLE = {
    "mask one place too early": (mask_early, REAL),
    "mask one place too late": (mask_late, agreement(minibatches=1)),
    "stop token dropped from the mask": (stop_dropped, REAL),
    "temperature forgotten in scoring": (temperature_forgotten, agreement(temperature=0.8)),
    "top-k and top-p forgotten in scoring": (truncation_forgotten, agreement(top_k=7, top_p=0.9)),
    "denominator of the micro-batch": (
        micro_batch_denominator,
        using("start", test_micro_batches_do_not_change_a_step),
    ),
    "denominator counts padding": (
        padding_counted,
        plain(gradient_checks.aggregations_on_policy_by_hand, "token_mean", None, -2.5 / 13),
    ),
    "cache rows left behind when answers end": (cache_left_behind, agreement(minibatches=1)),
    "sampling with the weights of before": (stale_weights, agreement(minibatches=1)),
    "advantage not centred": (
        not_centred,
        plain(gradient_checks.mean_baseline_gives_a_known_fraction_and_leave_one_out_the_whole_gradient, 2, 0),
    ),
    "advantages of the neighbouring group": (
        neighbours_advantage,
        using("start", test_each_answer_moves_by_its_own_advantage),
    ),
    "old log-probabilities scored again": (
        old_scored_again,
        using("start", test_the_second_step_on_a_batch_sees_ratios),
    ),
    "old log-probabilities with a gradient": (
        old_with_gradient,
        plain(gradient_checks.mean_baseline_gives_a_known_fraction_and_leave_one_out_the_whole_gradient, 2, 0),
    ),
    "padding attended in sampling": (padding_attended, agreement(minibatches=1)),
    "CISPO's weight with a gradient": (cispo_differentiated, plain(gradient_checks.cispo_keeps_every_token)),
    "V3.2's KL ratio without a gradient": (
        kl_ratio_constant,
        plain(gradient_checks.unbiased_kl_is_the_gradient_of_the_kl_on_every_step, "k3"),
    ),
    "correction upside down": (correction_upside_down, plain(gradient_checks.weights_for_another_sampler)),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", TABLE)
def test_the_mistake_is_caught_and_nothing_else_is(name, request, monkeypatch):
    plant, check = TABLE[name]
    for fixture in ("start", "trained"):
        request.getfixturevalue(fixture)  # made before anything is planted
    check(request.getfixturevalue)
    with monkeypatch.context() as planted:
        plant(planted)
        with pytest.raises((AssertionError, MinidsError)) as caught:
            check(request.getfixturevalue)
    print(f"\n{name:<42}{check.__name__}: {type(caught.value).__name__}")
    check(request.getfixturevalue)


def test_the_docstring_lists_what_is_planted():
    lines = [line.split("  ", 2)[2] for line in __doc__.splitlines() if line.startswith("    ")][1:]
    listed = {line[:42].strip(): line[42:].rpartition(".")[2].removesuffix("…") for line in lines}
    assert list(listed) == list(TABLE)
    for name, test in listed.items():
        assert TABLE[name][1].__name__.startswith(test), name
