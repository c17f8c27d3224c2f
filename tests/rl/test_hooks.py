"""Hooks of RL: a reward and advantages of one's own are used, logged, checked, asked for again, and replayed."""

import contextlib
import functools
import json
import textwrap

import pytest
import tiny_rl
import torch

from minids import MinidsError, cli
from minids.rl import grpo, hooks, record, replay, rollout, trainer
from minids.tasks import environment, registry

FAMILIES = ["add"]


def by_length(problem, reply, ids, finished):
    """Partial credit: shorter is better."""
    return {"short": 1 / len(ids), "finished": 0.5 * finished}


def by_length_too(problem, reply, ids, finished):
    return {"short": 1 / len(ids), "finished": 0.5 * finished}


def centred(rewards_NG):
    return rewards_NG - rewards_NG.mean(1, keepdim=True)


def coin(problem, reply, ids, finished):
    return float(sum(ids) % 2)


def train(start, out=None, resume=False, stop=None, families=FAMILIES, reward=None, advantages=None, **change):
    """(model, lines of metrics) of a run of some iterations."""
    tokenizer, model = tiny_rl.fresh(start)
    config = tiny_rl.config(**{"steps": 3, "save_every": 2, **change})
    how = {"out_dir": out, "resume": resume, "stop": stop, "quiet": True}
    log = Lines()
    trainer.train_rl(
        model, tokenizer, families, config, metrics=log, reward=reward, advantages=advantages, **how
    )  # fmt: skip
    return model, log.lines


class Lines:
    def __init__(self):
        self.lines = []

    def write(self, **line):
        self.lines.append(line)

    def rewind(self, stage, step):
        pass

    def sync(self):
        pass


class After:
    def __init__(self, n):
        self.n = n

    @property
    def requested(self):
        self.n -= 1
        return self.n < 0


def same(a, b):
    return all(torch.equal(x, y) for x, y in zip(a.state_dict().values(), b.state_dict().values()))


# -- what they do ------------------------------------------------------------------------------------------------------


def test_the_reward_of_a_hook_is_what_is_learned_from(start):
    seen = []

    def watched(problem, reply, ids, finished):
        seen.append((problem, reply, ids, finished))
        return by_length(problem, reply, ids, finished)

    _, lines = train(start, reward=watched, steps=1)
    assert len(seen) == 24 and all(p.split == "rl" and p.family == "add" for p, *_ in seen)
    assert any("</answer>" in reply for _, reply, _, _ in seen) and not any("end▁of" in r for _, r, _, _ in seen)
    parts = lines[0]["parts"]
    assert parts["short"] == pytest.approx(sum(1 / len(ids) for *_, ids, _ in seen) / 24)
    assert parts["finished"] == pytest.approx(sum(0.5 * f for *_, f in seen) / 24)
    assert lines[0]["reward"] == pytest.approx(sum(parts.values()), abs=1e-6)


def test_the_built_in_reward_and_advantages_as_hooks_train_the_same_bits(start):
    config = tiny_rl.config()

    def reward(problem, reply, ids, finished):
        from minids.tasks.reward import Reward
        from minids.text.tokenizer import EOS

        text = reply + EOS if finished else reply
        return Reward(**config.reward)(problem, text, finished).total

    def advantages(rewards_NG):
        return grpo.advantages(rewards_NG.reshape(-1), rewards_NG.shape[1])[0].view_as(rewards_NG)

    plain, _ = train(start)
    mine, lines = train(start, reward=reward, advantages=advantages)
    assert same(plain, mine) and lines[0]["parts"] == {}


def test_advantages_of_a_hook_decide_what_is_left_out(start):
    shapes = []

    def first_question_only(rewards_NG):
        shapes.append((tuple(rewards_NG.shape), rewards_NG.dtype))
        out_NG = torch.zeros_like(rewards_NG)
        out_NG[0] = torch.tensor([1.0, -1.0, 0.5, -0.5])
        rewards_NG.fill_(99.0)  # it is given a copy
        return out_NG

    _, lines = train(start, advantages=first_question_only, steps=1)
    assert shapes == [((6, 4), torch.float32)]
    assert lines[0]["zero_variance"] == pytest.approx(5 / 6) and lines[0]["reward"] < 2
    plain, again = train(start, steps=1)[0], train(start, advantages=lambda r: torch.zeros_like(r), steps=1)
    assert again[1][0]["warning"].startswith("all advantages") and not same(plain, again[0])


def test_the_length_penalty_still_comes_off(start):
    def constant(problem, reply, ids, finished):
        return 1

    _, lines = train(start, reward=constant, overlong_share=1.0, steps=1)
    assert lines[0]["reward"] < 1


def test_a_hook_may_be_named_by_its_file(start, tmp_path):
    path = tmp_path / "price.py"
    path.write_text("def price(problem, reply, ids, finished):\n    return float(sum(ids) % 2)\n", encoding="utf-8")
    a, _ = train(start, reward=f"{path}:price")
    assert same(a, train(start, reward=coin)[0])
    with pytest.raises(MinidsError, match="defines no function 'prize'"):
        train(start, reward=f"{path}:prize")
    with pytest.raises(MinidsError, match="reward=3: give a function"):
        train(start, reward=3)
    path.write_text("import nothing_of_that_name\ndef price(*a): pass\n", encoding="utf-8")
    with pytest.raises(MinidsError, match="cannot be imported .ModuleNotFoundError"):
        train(start, reward=f"{path}:price")


def test_parts_may_differ_from_answer_to_answer(start):
    def odd(problem, reply, ids, finished):
        return {"odd": 1.0} if len(ids) % 2 else {"even": torch.tensor(0.25)}

    _, lines = train(start, reward=odd, steps=1)
    assert set(lines[0]["parts"]) <= {"odd", "even"}
    assert lines[0]["reward"] == pytest.approx(sum(lines[0]["parts"].values()), abs=1e-6)


# -- what they must not do ---------------------------------------------------------------------------------------------


def raises_key_error(problem, reply, ids, finished):
    return {}["colour"]


@pytest.mark.parametrize(
    "reward,said",
    [
        (raises_key_error, "hook reward=raises_key_error raised KeyError"),
        (lambda *_: None, "returned None"),
        (lambda *_: "good", "returned 'good'"),
        (lambda *_: float("nan"), "returned nan"),
        (lambda *_: float("inf"), "returned inf"),
        (lambda *_: 1j, "returned 1j"),
        (lambda *_: {}, "finite number"),
        (lambda *_: {"a": 1.0, "b": None}, "finite number"),
        (lambda *_: torch.ones(2), "finite number"),
        (lambda problem: 1.0, "raised TypeError"),
    ],
)
def test_a_reward_that_is_none_is_refused_by_name(start, reward, said):
    with pytest.raises(MinidsError, match=said) as caught:
        train(start, reward=reward, steps=1)
    assert "hook reward=" in str(caught.value)


@pytest.mark.parametrize(
    "advantages,said",
    [
        (lambda r: r[:, 0], r"returned a shape \(6,\) for rewards of shape \(6, 4\)"),
        (lambda r: r.reshape(-1), r"shape \(24,\)"),
        (lambda r: r / 0, "must be finite"),
        (lambda r: None, "raised"),
        (lambda r: r.missing, "raised AttributeError"),
    ],
)
def test_advantages_that_are_none_are_refused_by_name(start, advantages, said):
    with pytest.raises(MinidsError, match=said) as caught:
        train(start, advantages=advantages, steps=1)
    assert "hook advantages=" in str(caught.value)


def test_a_coin_and_a_hook_contradict_each_other(start):
    with pytest.raises(MinidsError, match="random_reward=True"):
        train(start, reward=coin, random_reward=True)


class Leaky(environment.Environment):
    """Its problems for tests come in training too: the split is not that of the key."""

    name, styles = "leaky", ()

    def sample(self, rng, split, size=None):
        return LeakyItem("leaky", f"{rng.randint(0, 400)}", "1", f"leaky {rng.randint(0, 400)}", data=split)

    def score(self, problem, text):
        return float(text == problem.answer)


class LeakyItem(environment.Item):
    @property
    def split(self):
        return self.data


def test_the_guard_against_contamination_stands_before_the_hook(start, monkeypatch):
    monkeypatch.setitem(registry.FAMILIES, "leaky", lambda name: Leaky())
    asked = []
    with pytest.raises(MinidsError, match="held out"):
        train(start, families=["leaky"], reward=lambda *a: asked.append(a) or 1.0)
    assert not asked
    registry._make.cache_clear()


# -- what is kept of them ----------------------------------------------------------------------------------------------


def test_identity_is_name_and_source():
    a, b = hooks.identity(by_length), hooks.identity(by_length_too)
    assert a["name"] == "by_length" and a["source"] != b["source"] and len(a["source"]) == 16
    assert hooks.identity(functools.partial(by_length, 1)) != a == hooks.identity(by_length)
    typed, again = ({} for _ in range(2))
    exec("def f(problem, reply, ids, finished):\n    return 1.0", typed)
    exec("def f(problem, reply, ids, finished):\n    return 2.0", again)
    assert hooks.identity(typed["f"])["source"] != hooks.identity(again["f"])["source"]

    class Callable:
        def __call__(self, problem, reply, ids, finished):
            return 1.0

    assert hooks.identity(Callable())["name"].endswith("Callable")


def test_a_resumed_run_needs_its_hooks(start, tmp_path):
    whole, _ = train(start, tmp_path / "whole", reward=coin, advantages=centred, steps=4)
    half = {"steps": 4, "save_every": 2}
    with contextlib.suppress(MinidsError):
        train(start, tmp_path / "half", stop=After(1), reward=coin, advantages=centred, **half)
    for given, said in (
        ({"reward": coin}, "the hook advantages was centred .source .{8}., is the built-in one"),
        ({"advantages": centred}, "the hook reward was coin"),
        ({"reward": by_length, "advantages": centred}, "the hook reward was coin .*, is by_length"),
    ):
        with pytest.raises(MinidsError, match=said):
            train(start, tmp_path / "half", resume=True, **given, **half)
    again, _ = train(start, tmp_path / "half", resume=True, reward=coin, advantages=centred, **half)
    assert same(whole, again)
    train(start, tmp_path / "plain", steps=2)
    with pytest.raises(MinidsError, match="the hook reward was the built-in one, is coin"):
        train(start, tmp_path / "plain", resume=True, reward=coin, steps=2)


@pytest.fixture(scope="module")
def hooked(start, tmp_path_factory):
    out = tmp_path_factory.mktemp("hooked")
    drawn, honest = {}, rollout.roll_out

    def watched(model, tokenizer, config, problems, numbers, step, clock=None):
        drawn[step + 1] = honest(model, tokenizer, config, problems, numbers, step, clock)
        return drawn[step + 1]

    rollout.roll_out = watched
    try:
        train(start, out, reward=coin, advantages=centred, steps=4, save_every=3)
    finally:
        rollout.roll_out = honest
    return out, drawn


def test_a_run_with_hooks_is_replayed_bit_for_bit(hooked):
    out, drawn = hooked
    for step in (1, 3, 4):
        found = replay.replay(out, step, 5, reward=coin, advantages=centred)
        assert found["same"] and "bit for bit" in found["note"] and "BUT" not in found["note"]
        assert [t["id"] for t in found["tokens"]] == drawn[step].ids[5]
        assert found["reward"] == sum(drawn[step].ids[5]) % 2


def test_a_replay_without_the_function_says_so(hooked):
    out, _ = hooked
    about = json.loads((out / record.FOLDER / record.ABOUT).read_text(encoding="utf-8"))
    assert about["hooks"] == {"reward": hooks.identity(coin), "advantages": hooks.identity(centred)}
    with pytest.raises(MinidsError, match="the run had a hook reward=coin .*holds no code"):
        replay.replay(out, 1, 0)
    with pytest.raises(MinidsError, match=r"hook advantages=centred .*--advantages FILE.py:centred"):
        replay.replay(out, 1, 0, reward=coin)
    found = replay.replay(out, 1, 0, reward=by_length, advantages=centred)
    assert found["same"] and "BUT the hook reward was coin" in found["note"] and "is by_length" in found["note"]
    assert set(found["paid"]) == {"short", "finished"}


def test_the_command_takes_the_functions_from_files(hooked, tmp_path, capsys):
    path = tmp_path / "mine.py"
    text = """
    def coin(problem, reply, ids, finished):
        return float(sum(ids) % 2)


    def centred(rewards_NG):
        return rewards_NG - rewards_NG.mean(1, keepdim=True)
    """
    path.write_text(textwrap.dedent(text), encoding="utf-8")
    command = ["replay", str(hooked[0]), "4", "0"]
    assert cli.main(command) == 2 and "had a hook reward=coin" in capsys.readouterr().err
    assert cli.main([*command, "--reward", f"{path}:coin", "--advantages", f"{path}:centred"]) == 0
    said = capsys.readouterr().out
    assert "bit for bit" in said and "BUT" not in said


def test_a_run_without_hooks_has_none(start, tmp_path):
    train(start, tmp_path, steps=1)
    about = json.loads((tmp_path / record.FOLDER / record.ABOUT).read_text(encoding="utf-8"))
    assert "hooks" not in about
    with pytest.raises(MinidsError, match="the run had no hook reward"):
        replay.replay(tmp_path, 1, 0, reward=coin)


# -- answers as tensors ------------------------------------------------------------------------------------------------


def test_a_batch_is_what_generate_drew(start):
    from minids import generate

    tokenizer, model = tiny_rl.fresh(start)
    prompts = [rollout.prompt_of(tokenizer, q, "tags") for q in ("1+2", "34+5")]
    made = generate(model, prompts, n=2, max_new_tokens=12, temperature=1.0)
    ids_NT, mask_NT, old_logp_NT = rollout.batch(made)
    assert ids_NT.shape == mask_NT.shape == old_logp_NT.shape and len(ids_NT) == 4
    for n in range(4):
        size = len(prompts[n // 2]) + len(made.ids[n])
        assert ids_NT[n, :size].tolist() == prompts[n // 2] + made.ids[n] and not ids_NT[n, size:].any()
        assert ids_NT[n][mask_NT[n]].tolist() == made.ids[n]
        assert torch.equal(old_logp_NT[n][mask_NT[n]], made.logps[n]) and not old_logp_NT[n][~mask_NT[n]].any()
    logp_NT, _ = rollout.score(model, ids_NT, mask_NT, tiny_rl.config())
    torch.testing.assert_close(logp_NT, old_logp_NT, atol=1e-4, rtol=0)
    some = rollout.batch(made, [3, 0])
    assert torch.equal(some[0][0][some[1][0]], ids_NT[3][mask_NT[3]])
    assert [x.shape for x in rollout.batch(made, [])] == [(0, 0)] * 3
