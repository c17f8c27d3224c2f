"""The RL loop: it learns, it stops on a broken sampler, it replays, and it goes on where it was cut off."""

import copy
import random

import gradient_checks
import pytest
import torch
from tiny_rl import FAMILIES, config, fresh

from minids import MinidsError
from minids.model import moe
from minids.rl import rollout, trainer
from minids.tasks import arithmetic
from minids.train import metrics


@pytest.mark.slow
def test_the_format_is_learned_and_everything_is_logged(start, tmp_path):
    tokenizer, model = fresh(start)
    trainer.train_rl(
        model,
        tokenizer,
        FAMILIES,
        config(steps=25, prompts_per_step=8, num_generations=8, lr=2e-3),
        out_dir=tmp_path,
        quiet=True,
    )
    lines = metrics.read(tmp_path / "metrics.jsonl")
    assert len(lines) == 25
    need = {
        "reward",
        "accuracy",
        "format",
        "length",
        "entropy",
        "kl",
        "zero_variance",
        "truncated",
        "empty_think",
        "logp_gap",
        "families",
    }
    assert need <= set(lines[0])
    first, last = (sum(row["reward"] for row in part) / 5 for part in (lines[:5], lines[-5:]))
    assert last > first
    assert all(row["logp_gap"] <= 1e-4 for row in lines)
    assert lines[0]["kl"] == pytest.approx(0, abs=1e-6) and lines[-1]["kl"] > 0


def test_a_sampler_that_lies_is_caught(start, monkeypatch):
    tokenizer, model = fresh(start)
    honest = rollout.sampler.generate

    def warmer(*args, temperature, **how):
        return honest(*args, temperature=1.3 * temperature, **how)

    monkeypatch.setattr(rollout.sampler, "generate", warmer)
    with pytest.raises(MinidsError, match="gradient would be of another policy"):
        trainer.train_rl(model, tokenizer, FAMILIES, config(), quiet=True)


@pytest.mark.parametrize(
    "change",
    [
        {"temperature": 0.8, "top_k": 7, "top_p": 0.9},
        {"minibatches": 1, "epochs": 2},
        {"scale": "none", "loss_aggregation": "constant"},
        {"kl": "k3", "kl_coef": 0.01, "clip": "symmetric"},
        {"skip_zero_variance": False},
        {"clip": "dual", "dual_delta": 3.0},
    ],
)
def test_settings_run_and_agree_with_the_sampler(start, change):
    gradient_checks.settings_run_and_agree_with_the_sampler(start, change)


def test_a_tie_of_experts_excuses_a_difference_and_nothing_else_does(start):
    tokenizer, model = fresh(start)
    run = trainer.RLRun(model, tokenizer, FAMILIES, config(), trainer.Comm(), None, None, "grpo")
    ids, mask = torch.randint(10, 60, (2, 9)), torch.arange(9).expand(2, 9) > 0
    old = rollout.score(model, ids, mask, config())[0].detach()
    off = old.clone()
    off[1, 5] += 0.01
    assert run._gap(old, old, ids, mask) == 0
    with pytest.raises(MinidsError, match="gradient would be of another policy"):
        run._gap(off, old, ids, mask)
    gate = next(m for m in model.modules() if isinstance(m, moe.Gate))
    with torch.no_grad():
        gate.weight[:] = gate.weight[0].clone()  # every expert scores the same
        gate.e_score_correction_bias.zero_()
    assert run._gap(off, old, ids, mask) == pytest.approx(0.01, abs=1e-6)


@pytest.mark.parametrize("sharpness", [1, 30, 300])
def test_sensitivity_covers_what_fp32_gets_wrong(start, sharpness):
    """float64 as the judge: with attention on a knife's edge fp32 is off by far more, and it is known where."""
    _, model = fresh(start)
    with torch.no_grad():
        for layer in model.layers:
            layer.self_attn.q_proj.weight *= sharpness
    before = {k: v.clone() for k, v in model.state_dict().items()}
    noise = torch.Generator().manual_seed(sharpness)
    ids, mask = torch.randint(10, 60, (16, 30), generator=noise), torch.arange(30).expand(16, 30) > 0
    with torch.no_grad():
        single, _ = rollout.score(model, ids, mask, config())
        exact, _ = rollout.score(copy.deepcopy(model).double(), ids, mask, config())
    moves = rollout.sensitivity(model, ids, mask, config(), relative=1e-6)
    assert all(torch.equal(v, before[k]) for k, v in model.state_dict().items())
    assert ((single - exact).abs() <= 2 * moves + 1e-5).all()
    assert moves.max() < 2e-4 if sharpness == 1 else moves.max() > 5e-4  # logps of nonsense: large and sensitive


def test_a_resumed_run_is_the_same_run(start, tmp_path):
    tokenizer, whole = fresh(start)
    trainer.train_rl(whole, tokenizer, FAMILIES, config(steps=5, save_every=1), out_dir=tmp_path / "a", quiet=True)

    class After:
        def __init__(self, n):
            self.n = n

        @property
        def requested(self):
            self.n -= 1
            return self.n < 0

    _, model = fresh(start)
    stopped = trainer.train_rl(
        model, tokenizer, FAMILIES, config(steps=5, save_every=1), out_dir=tmp_path / "b", quiet=True, stop=After(1)
    )
    assert stopped["steps"] == 2
    _, model = fresh(start)
    trainer.train_rl(
        model, tokenizer, FAMILIES, config(steps=5, save_every=1), out_dir=tmp_path / "b", quiet=True, resume=True
    )
    assert all(torch.equal(a, b) for a, b in zip(whole.state_dict().values(), model.state_dict().values()))
    drop = ("seconds", "sampling_share", "scoring_share", "update_share")
    a, b = (
        [{k: v for k, v in row.items() if k not in drop} for row in metrics.read(tmp_path / f / "metrics.jsonl")]
        for f in "ab"
    )
    assert a == b


def test_router_biases_stay(start):
    tokenizer, model = fresh(start)
    before = [b.clone() for b in model.buffers()]
    trainer.train_rl(model, tokenizer, FAMILIES, config(steps=2), quiet=True)
    assert before and all(torch.equal(a, b) for a, b in zip(before, model.buffers()))


def test_shares_of_processes_are_the_whole():
    c = config(prompts_per_step=7)
    whole, numbers = rollout.questions(c, arithmetic.FAMILIES, step=3)
    parts = [rollout.questions(c, arithmetic.FAMILIES, 3, rank, 2) for rank in range(2)]
    assert sorted(n for _, ns in parts for n in ns) == numbers
    assert {n: p for ps, ns in parts for n, p in zip(ns, ps)} == dict(zip(numbers, whole))
    assert all(p.split == "rl" for p in whole)


def test_random_rewards_do_not_depend_on_the_answers(start):
    tokenizer, model = fresh(start)
    c = config(random_reward=True)
    problems, numbers = rollout.questions(c, FAMILIES, 0)
    rollouts = rollout.roll_out(model, tokenizer, c, problems, numbers, 0)
    coins = rollout.rewards_of(rollouts, c, numbers, 0)
    assert set(coins.tolist()) == {0.0, 1.0}
    random.Random(0).shuffle(rollouts.results)
    assert torch.equal(coins, rollout.rewards_of(rollouts, c, numbers, 0))


def test_padding_of_a_batch_does_not_change_scores(start):
    tokenizer, model = fresh(start)
    c = config()
    problems, numbers = rollout.questions(c, FAMILIES, 0)
    out = rollout.roll_out(model, tokenizer, c, problems, numbers, 0)
    rows = list(range(len(out.ids)))
    ids, mask, old = rollout.batch(out, rows)
    together, _ = rollout.score(model, ids, mask, c)
    for i in rows[:5]:
        alone, _ = rollout.score(model, *rollout.batch(out, [i])[:2], c)
        torch.testing.assert_close(together[i, mask[i]], alone[0, rollout.batch(out, [i])[1][0]], atol=1e-5, rtol=0)
    assert float((together.detach() - old)[mask].abs().max()) < 1e-4
    assert sum(len(b) for b in rollout.micro_batches(out, rows, 150)) == len(rows)


@pytest.mark.parametrize(
    "change",
    [
        {"steps": 0},
        {"num_generations": 1},
        {"temperature": 0.0},
        {"lr": -1.0},
        {"reward": {"charm": 1.0}},
        {"clip": "dual"},
        {"clip": "dual", "dual_delta": 0.0},
        {"dual_delta": 3.0},
    ],
)
def test_impossible_settings_are_refused(change):
    with pytest.raises((MinidsError, TypeError)):
        config(**change)


@pytest.mark.parametrize(
    "sizes, families, said",
    [
        ({"ad": {2: 1}}, ["add"], "sizes names a family 'ad' that there is not. Did you mean 'add'"),
        ({3: {2: 1}}, ["add"], "sizes names a family 3 that there is not. It is none of add, chain"),
        ({"chain": {2: 1}}, ["add"], "^grpo: sizes names 'chain', but the families here are add"),
        ({"add": {99: 1}}, ["add"], "^grpo: sizes of 'add' has 99, but the answers to such problems are too long"),
        ({"countdown": {9: 1}}, ["countdown"], "^grpo: sizes of 'countdown': .*size 9 is not one of"),
    ],
)
def test_sizes_that_nobody_is_asked_are_refused_before_the_first_step(start, sizes, families, said):
    tokenizer, model = fresh(start)
    with pytest.raises(MinidsError, match=said):
        trainer.train_rl(model, tokenizer, families, config(steps=1, sizes=sizes), quiet=True)


def test_sizes_say_what_is_asked_and_a_resumed_run_knows_them(start, tmp_path):
    tokenizer, model = fresh(start)
    settings = config(steps=1, prompts_per_step=12, num_generations=2, sizes={"add": {"6": 0.5, 2: 0.5}})
    asked = {p.size for step in range(4) for p in rollout.questions(settings, FAMILIES, step)[0]}
    assert asked == {2, 6}
    trainer.train_rl(model, tokenizer, FAMILIES, settings, out_dir=tmp_path, quiet=True)
    again = config(steps=1, prompts_per_step=12, num_generations=2, sizes={"add": {2: 0.5, 6: 0.5}})
    trainer.train_rl(model, tokenizer, FAMILIES, again, out_dir=tmp_path, resume=True, quiet=True)
    with pytest.raises(MinidsError, match="other settings .sizes was .*is "):
        trainer.train_rl(
            model,
            tokenizer,
            FAMILIES,
            config(steps=1, prompts_per_step=12, num_generations=2),
            out_dir=tmp_path,
            resume=True,
            quiet=True,
        )
