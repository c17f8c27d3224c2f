"""Presets, and the settings of a run that came with them: length that costs, questions drawn again, a corrected
sampler."""

import dataclasses
import json

import pytest
import torch
from tiny_rl import FAMILIES, config, fresh

from minids import MinidsError, settings
from minids.rl import config as rl_config
from minids.rl import grpo, presets, rollout, shaping, trainer
from minids.run import recipes
from minids.studies import compare_presets
from minids.tasks import arithmetic
from minids.train import metrics


@pytest.mark.parametrize("name", presets.PRESETS)
def test_every_preset_is_a_possible_run_and_says_where_it_is_from(name):
    made = rl_config.RLConfig(steps=1, lr=1e-3, preset=name)
    for key, value in presets.PRESETS[name].settings.items():
        assert getattr(made, key) == value
    assert "arXiv" in presets.PRESETS[name].source and presets.PRESETS[name].open
    assert name in presets.table()
    # read back from a checkpoint or by dataclasses.replace it is the same
    assert rl_config.RLConfig(**rl_config.plain(made)) == made
    assert dataclasses.replace(made, clip_low=0.3).clip_low == 0.3


def test_other_keys_override_a_preset_and_defaults_do_not():
    made = rl_config.RLConfig(steps=1, lr=1e-3, preset="dapo", dynamic_rounds=0, clip_high=0.25)
    assert (made.dynamic_rounds, made.clip_high, made.clip_low, made.overlong_share) == (0, 0.25, 0.2, 0.2)
    asked = rl_config.RLConfig(steps=1, lr=1e-3, preset="gspo", ratio="token")  # the default's value, but asked for
    assert asked.ratio == "token"
    assert rl_config.RLConfig(steps=1, lr=1e-3) == rl_config.RLConfig(steps=1, lr=1e-3, preset="")


def test_a_recipe_may_name_a_preset():
    recipe = recipes.load("tiny", ["grpo.preset=dr_grpo", "grpo.clip_low=0.1"])
    made = settings.read(rl_config.RLConfig, recipe.grpo, "here", seed=3)
    assert (made.loss_aggregation, made.scale, made.clip_low, made.seed, made.steps) == (
        "constant",
        "none",
        0.1,
        3,
        110,
    )
    with pytest.raises(MinidsError, match="Did you mean 'dapo'"):
        recipes.load("tiny", ["grpo.preset=DAPPO"])
    for nonsense in ("7", '["dapo"]', "ppo"):
        with pytest.raises(MinidsError, match="There are deepseekmath, r1"):
            recipes.load("tiny", [f"grpo.preset={nonsense}"])


@pytest.mark.parametrize(
    "change,said",
    [
        ({"clip": "cispo", "clip_high": -1.0}, "clip_high"),
        ({"kl_unbiased": True}, "kl_unbiased"),
        ({"correction": "token_mask"}, "correction_cap"),
        ({"correction_cap": 2.0}, "no effect"),
        ({"off_policy_threshold": -0.1}, "off_policy_threshold"),
        ({"ratio": "word"}, "ratio"),
        ({"overlong_share": 1.5}, "overlong_share"),
        ({"overlong_share": -0.1}, "overlong_share"),
        ({"overlong_penalty": 0.0}, "overlong_penalty"),
        ({"dynamic_rounds": -1}, "dynamic_rounds"),
        ({"kl_coef": 0.1}, "kl_coef"),
    ],
)
def test_impossible_settings_of_a_run_are_refused_before_it_starts(change, said):
    with pytest.raises(MinidsError, match=said):
        config(**change)


def test_a_checkpoint_of_before_these_settings_can_be_resumed():
    old = {k: v for k, v in rl_config.plain(config()).items() if k not in ("preset", "ratio", "dynamic_rounds")}
    assert rl_config.same(old, config())
    assert not rl_config.same(old, config(dynamic_rounds=1)) and not rl_config.same({**old, "lr": 5.0}, config())
    assert not rl_config.same(None, config())


# -- length ------------------------------------------------------------------------------------------------------------


def test_the_price_of_length_by_hand():
    """DAPO eq. 13 with L = 20480, B = 4096 (section 4.1), and at the size of a test."""
    assert shaping.overlong([16384, 18432, 20480, 30000], 20480, 4096).tolist() == [0.0, -0.5, -1.0, -1.0]
    assert shaping.overlong([1, 8, 9, 10], 10, 2.0).tolist() == [0.0, 0.0, -0.5, -1.0]


def test_length_costs_where_a_run_says_so(start):
    tokenizer, model = fresh(start)
    plain, priced = config(prompts_per_step=4), config(prompts_per_step=4, overlong_share=0.5, overlong_penalty=0.4)
    problems, numbers = rollout.questions(plain, FAMILIES, 0)
    out = rollout.roll_out(model, tokenizer, plain, problems, numbers, 0)
    before, after = (rollout.rewards_of(out, c, numbers, 0) for c in (plain, priced))
    lengths = torch.tensor([len(ids) for ids in out.ids])
    long = lengths > 20
    assert long.any() and not long.all()
    assert torch.equal(before[~long], after[~long])
    torch.testing.assert_close(after[long], before[long] - 0.4 * (lengths[long] - 20) / 20)


# -- questions drawn again ---------------------------------------------------------------------------------------------


G = 4


def redraw(start, rank=0, world=1, **change):
    """One iteration's answers before and after, as `RLRun.iteration` makes them."""
    tokenizer, model = fresh(start)
    c = config(prompts_per_step=6, num_generations=G, dynamic_rounds=4, **change)
    run = trainer.RLRun(model, tokenizer, ["add", "chain"], c, trainer.Comm(), None, None, "grpo")
    problems, numbers = rollout.questions(c, ["add", "chain"], 0, rank, world)
    rollouts, rewards = run._draw(problems, numbers)
    drawn = []

    def again(round, places):
        drawn.append(list(places))
        return run._draw_again(numbers, round, places)

    return (rollouts, rewards), shaping.redraw(rollouts, rewards, G, c.dynamic_rounds, again), drawn, numbers


def uninformative(rewards):
    return [j for j, group in enumerate(rewards.view(-1, G).tolist()) if len(set(group)) == 1]


def test_groups_that_say_nothing_are_replaced_and_no_others(start):
    (rollouts, rewards), (out, new, groups, tokens), drawn, _ = redraw(start)
    dull = uninformative(rewards)
    assert drawn[0] == dull and dull and len(dull) < 6
    assert len(uninformative(new)) < len(dull) and groups == sum(map(len, drawn)) and tokens > 0
    assert all(set(later) <= set(earlier) for earlier, later in zip(drawn, drawn[1:])) and len(drawn) <= 4
    for j in range(6):
        rows = slice(G * j, G * j + G)
        same = [out.problems[rows] == rollouts.problems[rows], out.ids[rows] == rollouts.ids[rows]]
        assert same == [j not in dull] * 2
        assert out.problems[G * j].family == rollouts.problems[G * j].family
        assert out.problems[G * j].split == "rl"
    assert [r.total for r in out.results] == pytest.approx(new.tolist())


def test_the_same_questions_are_drawn_again_by_one_process_and_by_two(start):
    _, (whole, rewards, groups, tokens), _, _ = redraw(start)
    parts = [redraw(start, rank, 2) for rank in range(2)]
    assert groups == sum(p[1][2] for p in parts) and tokens == sum(p[1][3] for p in parts)
    for _, (out, part_rewards, *_), _, numbers in parts:
        for k, j in enumerate(numbers):
            mine, all_ = slice(G * k, G * k + G), slice(G * j, G * j + G)
            assert out.ids[mine] == whole.ids[all_] and torch.equal(part_rewards[mine], rewards[all_])


@pytest.mark.slow
def test_a_run_that_draws_again_learns_from_more_groups_and_can_be_resumed(start, tmp_path):
    c = dict(steps=3, prompts_per_step=4, num_generations=2, dynamic_rounds=3, save_every=1)
    tokenizer, whole = fresh(start)
    trainer.train_rl(whole, tokenizer, FAMILIES, config(**c), out_dir=tmp_path / "a", quiet=True)

    class AfterOne:
        requested = True

    _, model = fresh(start)
    how = dict(out_dir=tmp_path / "b", quiet=True)
    assert trainer.train_rl(model, tokenizer, FAMILIES, config(**c), **how, stop=AfterOne())["steps"] == 1
    _, model = fresh(start)
    trainer.train_rl(model, tokenizer, FAMILIES, config(**c), out_dir=tmp_path / "b", quiet=True, resume=True)
    assert all(torch.equal(a, b) for a, b in zip(whole.state_dict().values(), model.state_dict().values()))
    lines = metrics.read(tmp_path / "a" / "metrics.jsonl")
    assert sum(row["redrawn"] for row in lines) > 0
    assert sum(row["still_zero_variance"] for row in lines) < sum(row["zero_variance"] for row in lines)
    plain = metrics.read(run_lines(start, tmp_path / "c", steps=1, prompts_per_step=4, num_generations=2))
    assert "redrawn" not in plain[0] and plain[0]["tokens"] < lines[0]["tokens"]


def run_lines(start, folder, **change):
    tokenizer, model = fresh(start)
    trainer.train_rl(model, tokenizer, FAMILIES, config(**change), out_dir=folder, quiet=True)
    return folder / "metrics.jsonl"


def test_questions_of_every_round_are_others():
    c = config(prompts_per_step=7)
    seen = [tuple(p.key for p in rollout.questions(c, arithmetic.FAMILIES, 3, round=r)[0]) for r in range(4)]
    assert len(set(seen)) == 4


# -- a sampler that is another policy ----------------------------------------------------------------------------------


def warm_sampler(monkeypatch, by=1.3):
    honest = rollout.sampler.generate

    def warmer(*args, temperature, **how):
        return honest(*args, temperature=by * temperature, **how)

    monkeypatch.setattr(rollout.sampler, "generate", warmer)


def test_a_corrected_sampler_may_differ_and_is_weighed(start, monkeypatch):
    """The run that stops without a correction goes on with one; the loss gets both policies, and the weights are those
    of the two softmaxes."""
    warm_sampler(monkeypatch)
    tokenizer, model = fresh(start)
    seen, real = [], grpo.grpo_loss

    def look(logp, old, adv, mask, **how):
        seen.append((logp.detach(), old, how["sampler_logp_NT"], mask))
        return real(logp, old, adv, mask, **how)

    monkeypatch.setattr(grpo, "grpo_loss", look)
    lines = compare_presets._Lines()
    c = config(steps=1, correction="token_truncate", correction_cap=2.0, epochs=2, tokens_per_batch=200)
    trainer.train_rl(model, tokenizer, FAMILIES, c, metrics=lines, quiet=True)
    logp, old, sampled, mask = seen[0]
    assert (logp - old)[mask].abs().max() < 1e-5 and not old[~mask].any()
    assert lines.lines[0]["logp_gap"] == pytest.approx(
        max(float((o - s)[m].abs().max()) for _, o, s, m in seen[: len(seen) // 4]), rel=0.2
    )
    assert lines.lines[0]["logp_gap"] > 0.05
    assert (seen[-1][0] - seen[-1][1])[seen[-1][3]].abs().max() > 1e-4  # old stays what it was at the start


# -- the comparison ----------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_comparison_runs_and_draws(start, tmp_path, capsys):
    tokenizer, model = fresh(start)
    before = {k: v.clone() for k, v in model.state_dict().items()}
    sizes = arithmetic.SIZES
    names = ["dapo", "gspo", "v3.2"]
    record = compare_presets.compare(
        names, [0, 1], (tokenizer, model), quiet=True, steps=3, prompts_per_step=4, num_generations=4
    )
    assert arithmetic.SIZES is sizes and all(torch.equal(v, before[k]) for k, v in model.state_dict().items())
    assert list(record["presets"]) == names
    runs = [run for entry in record["presets"].values() for run in entry["runs"]]
    assert len(runs) == 6 and all(len(run["curves"][key]) == 3 for run in runs for key in compare_presets.CURVES)
    # GSPO's published range is so narrow that after the first step of a batch nearly every answer is outside it
    clipped = {name: max(entry["runs"][0]["curves"]["clip_fraction"]) for name, entry in record["presets"].items()}
    assert clipped["gspo"] > clipped["dapo"]
    again = json.loads(json.dumps(record))
    pytest.importorskip("matplotlib")
    assert compare_presets.plot(again, tmp_path / "f.png").stat().st_size > 10_000
    assert len(compare_presets.summary(again).splitlines()) == 4
    assert compare_presets.main([]) == 0 and "| v3.2 |" in capsys.readouterr().out
    with pytest.raises(MinidsError, match="there is no preset 'ppo2'"):
        compare_presets.main(["--presets", "ppo2", "--out", str(tmp_path / "x.json")])


@pytest.mark.slow
def test_off_policy_settings_change_a_run_with_several_steps_a_batch(start):
    """From the same model and the same first answers: each setting leads elsewhere, once ratios have left 1, and the
    first step of all of them is the same where they only differ off-policy."""
    ends, clipped = {}, {}
    same = dict(steps=1, minibatches=1, lr=5e-3, loss_aggregation="sequence_mean", clip_high=0.28)
    for name, how in {
        "none": {"clip": "none"},
        "higher": {},
        "cispo": {"clip": "cispo"},
        "gspo": {"clip": "none", "ratio": "sequence"},
        "masked": {"clip": "none", "off_policy_threshold": 0.01},
    }.items():
        for epochs in (1, 4):
            tokenizer, model = fresh(start)
            lines = compare_presets._Lines()
            trainer.train_rl(
                model, tokenizer, FAMILIES, config(**same, epochs=epochs, **how), metrics=lines, quiet=True
            )
            ends[name, epochs] = torch.cat([p.detach().flatten() for p in model.parameters()])
            clipped[name, epochs] = lines.lines[0]["clip_fraction"]
    for name in ("higher", "cispo", "gspo", "masked"):
        torch.testing.assert_close(ends[name, 1], ends["none", 1], atol=1e-5, rtol=1e-3)
        assert (ends[name, 4] - ends["none", 4]).abs().max() > 1e-3, name
    assert clipped["higher", 1] == 0 < clipped["higher", 4] and clipped["cispo", 4] > 0
