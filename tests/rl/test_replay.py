"""Replay: an answer is drawn again token for token, and what it is said to have taught adds up."""

import json
import shutil

import pytest
import torch

from minids import MinidsError, ModelConfig, Tokenizer, Transformer, cli
from minids.report import replayed
from minids.rl import config as rl_config
from minids.rl import grpo, record, replay, rollout, trainer
from minids.tasks import documents
from minids.train import checkpoint, parallel

FAMILIES = ["add", "chain"]


def fresh():
    """An untrained model. Its rewards are coins: it is never right, and something has to be learned."""
    parts = list(documents.pretraining_parts(FAMILIES, 200, mix={"hasty": 1.0}, fact_share=0.0, seed=0))
    tokenizer = Tokenizer.train(documents.pretraining_texts(parts), 280, digits="single")
    torch.manual_seed(0)
    model = Transformer(
        ModelConfig(
            vocab_size=len(tokenizer),
            hidden_size=32,
            intermediate_size=64,
            moe_intermediate_size=16,
            num_hidden_layers=2,
            num_attention_heads=2,
            kv_lora_rank=8,
            q_lora_rank=None,
            qk_rope_head_dim=4,
            qk_nope_head_dim=8,
            v_head_dim=8,
            n_routed_experts=4,
            n_group=1,
            topk_group=1,
            num_experts_per_tok=2,
            first_k_dense_replace=1,
            max_position_embeddings=128,
            initializer_range=0.15,
            eos_token_id=tokenizer.eos_id,
        )
    )
    return tokenizer, model


def config(**change):
    usual = dict(
        steps=5,
        lr=3e-3,
        warmup=1,
        prompts_per_step=4,
        num_generations=3,
        max_new_tokens=10,
        save_every=2,
        random_reward=True,
    )
    return rl_config.RLConfig(**usual | change)


def train(out, rank=0, world=1, stop=None, resume=False, **change):
    """Trains into `out` and returns {iteration: (ids, log-probabilities) of this process's answers, as drawn}."""
    drawn, honest = {}, rollout.roll_out

    def watched(model, tokenizer, config, problems, numbers, step, clock=None):
        out = honest(model, tokenizer, config, problems, numbers, step, clock)
        drawn[step + 1] = (out.ids, out.logps)
        return out

    tokenizer, model = fresh()
    rollout.roll_out = watched
    try:
        trainer.train_rl(
            model,
            tokenizer,
            FAMILIES,
            config(**change),
            comm=parallel.Comm(rank, world),
            out_dir=out,
            quiet=True,
            stop=stop,
            resume=resume,
        )
    finally:
        rollout.roll_out = honest
    return drawn


class After:
    def __init__(self, n):
        self.n = n

    @property
    def requested(self):
        self.n -= 1
        return self.n < 0


def _train_two(rank, world, out):
    return train(out, rank, world)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    out = tmp_path_factory.mktemp("run") / "checkpoints" / "grpo"
    return out, train(out)


def assert_as_drawn(found, drawn, row):
    ids, logps = drawn
    assert [t["id"] for t in found["tokens"]] == ids[row]
    assert [t["logp"] for t in found["tokens"]] == logps[row].tolist()  # not nearly: equal
    assert found["same"] is True and "bit for bit" in found["note"]


@pytest.mark.parametrize("step, sample, begins", [(1, 0, 0), (2, 11, 0), (3, 4, 2), (5, 7, 4)])
def test_an_answer_is_drawn_again_bit_for_bit(trained, step, sample, begins):
    out, drawn = trained
    found = replay.replay(out, step, sample)
    assert found["from_step"] == begins
    assert_as_drawn(found, drawn[step], sample)
    assert found == json.loads(json.dumps(found))


def test_answers_of_different_iterations_differ(trained):
    """Otherwise replaying the wrong weights or seeds would pass above."""
    _, drawn = trained
    assert len({str(ids) for ids, _ in drawn.values()}) == 5


def test_a_run_that_was_resumed_is_replayed(trained, tmp_path):
    _, whole = trained
    parts = train(tmp_path / "r", stop=After(2)) | train(tmp_path / "r", resume=True)
    assert set(parts) == {1, 2, 3, 4, 5}
    for step in (3, 4, 5):
        assert parts[step][0] == whole[step][0]
        assert_as_drawn(replay.replay(tmp_path / "r", step, 2), whole[step], 2)
    a, b = ((f / "replay" / record.ROLLOUTS).read_text(encoding="utf-8") for f in (trained[0], tmp_path / "r"))
    assert a == b


@pytest.mark.slow
def test_two_processes(tmp_path):
    drawn = parallel.run(_train_two, 2, tmp_path / "two")
    assert set(record.recorded(tmp_path / "two" / "replay")[1]["answers"]) == {"0", "1", "2", "3"}
    first = replay.replay(tmp_path / "two", 4, 7)  # question 2 is the second one of the first process
    assert_as_drawn(first, drawn[4], 4)
    for sample in (3, 11):  # of the other process
        other = replay.replay(tmp_path / "two", 4, sample)
        assert other["same"] is True and other["group"] in (1, 3)
        assert other["iteration_gradient_norm"] == first["iteration_gradient_norm"]


@pytest.mark.slow
@pytest.mark.parametrize(
    "change",
    [
        {},
        {"loss_aggregation": "sequence_mean", "scale": "none"},
        {"loss_aggregation": "constant"},
        {"kl": "k3", "kl_coef": 0.1},
    ],
)
def test_weights_and_shares_add_up_to_one(tmp_path, change):
    train(tmp_path / "r", steps=2, save_every=0, **change)
    all_found = [replay.replay(tmp_path / "r", 2, i) for i in range(12)]
    assert sum(f["weight"] for f in all_found) == pytest.approx(1, abs=1e-6)
    assert sum(f["share"] for f in all_found) == pytest.approx(1, abs=1e-4)
    for f in all_found:
        assert sum(f["shares"]) == pytest.approx(f["share"], abs=1e-9) and len(f["shares"]) == len(f["tokens"])
        assert (f["advantage"] == 0) == (f["share"] == 0)
        assert f["cosine"] is None or f["share"] == pytest.approx(
            f["cosine"] * f["gradient_norm"] / f["iteration_gradient_norm"], rel=1e-6
        )
    assert any(f["share"] for f in all_found)


def test_the_gradient_is_that_of_the_definition(tmp_path):
    """Computed by hand at the starting weights: -A log p / tokens of all informative answers."""
    train(tmp_path / "r", steps=1, prompts_per_step=3)
    tokenizer, model = fresh()
    c = config(steps=1, prompts_per_step=3)
    problems, numbers = rollout.questions(c, FAMILIES, 0)
    out = rollout.roll_out(model, tokenizer, c, problems, numbers, 0)
    adv, informative = grpo.advantages(rollout.rewards_of(out, c, numbers, 0), c.num_generations)
    total = sum(len(ids) for ids, used in zip(out.ids, informative) if used)
    params = [p for p in model.parameters() if p.requires_grad]

    def gradient(i):
        text = torch.tensor([out.prompts[i] + out.ids[i]])
        begin = len(out.prompts[i])
        logp = model(text)[0, begin - 1 : -1].log_softmax(-1).gather(1, text[0, begin:, None]).sum()
        grads = torch.autograd.grad(-adv[i] * logp / total, params, allow_unused=True)
        return torch.cat([(torch.zeros_like(p) if g is None else g).flatten() for g, p in zip(grads, params)])

    each = [gradient(i) for i in range(9)]
    whole = sum(each)
    for i in (0, 4, 8):
        found = replay.replay(tmp_path / "r", 1, i)
        assert found["gradient_norm"] == pytest.approx(float(each[i].norm()), rel=1e-4)
        assert found["iteration_gradient_norm"] == pytest.approx(float(whole.norm()), rel=1e-4)
        assert found["share"] == pytest.approx(float(each[i] @ whole / (whole @ whole)), abs=1e-4)


def test_without_different_rewards_nothing_was_taught(tmp_path):
    train(tmp_path / "r", steps=1, random_reward=False)
    found = replay.replay(tmp_path / "r", 1, 0)
    assert not found["informative"] and found["iteration_gradient_norm"] == 0 and found["share"] == 0
    assert "nothing" in replayed.text(found)


def test_other_tokens_are_noticed(trained, tmp_path):
    out, _ = trained
    shutil.copytree(out, tmp_path / "r")
    path = tmp_path / "r" / "replay" / record.ROLLOUTS
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    lines[2]["answers"]["1"] = "0" * 24
    path.with_name(f".{path.name}.crc").unlink()  # with it, the change of a line is noticed before anything is drawn
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    found = replay.replay(tmp_path / "r", 3, 4)
    assert found["same"] is False and "NOT" in found["note"] and "iteration 3" in found["note"]
    beside = replay.replay(tmp_path / "r", 3, 0)
    assert beside["same"] is True and "bit for bit" not in beside["note"]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines if line["step"] != 3), encoding="utf-8")
    assert replay.replay(tmp_path / "r", 3, 4)["same"] is None


def test_other_weights_are_noticed(trained, tmp_path):
    out, _ = trained
    shutil.copytree(out, tmp_path / "r")
    path = tmp_path / "r" / "replay" / "step-00000002"
    _, state = checkpoint.read(path)
    shutil.rmtree(path)
    state["model"]["lm_head.weight"] += 0.05 * torch.randn(state["model"]["lm_head.weight"].shape)
    checkpoint.save(path.parent, 2, state, keep_last=99)
    assert replay.replay(tmp_path / "r", 3, 4)["same"] is False


def test_a_run_from_before_replay_goes_on_with_a_record(trained, tmp_path):
    _, whole = trained
    train(tmp_path / "r", stop=After(2), replay=False)
    assert not (tmp_path / "r" / "replay").exists()
    with pytest.raises(MinidsError, match="no stage of reinforcement learning was recorded"):
        replay.replay(tmp_path / "r", 1, 0)
    train(tmp_path / "r", resume=True)
    assert_as_drawn(replay.replay(tmp_path / "r", 5, 1), whole[5], 1)
    early = replay.replay(tmp_path / "r", 1, 1)
    assert early["same"] is None and [t["id"] for t in early["tokens"]] == whole[1][0][1]


@pytest.mark.parametrize(
    "step, sample, says", [(6, 0, "1 to 5"), (0, 0, "1 to 5"), (1, 12, "0 to 11"), (1, -1, "0 to 11")]
)
def test_what_was_never_drawn_is_refused(trained, step, sample, says):
    with pytest.raises(MinidsError, match=says):
        replay.replay(trained[0], step, sample)


def test_an_unfinished_run(tmp_path):
    train(tmp_path / "r", stop=After(1))
    assert replay.replay(tmp_path / "r", 2, 0)["same"] is True
    with pytest.raises(MinidsError, match="has come to iteration 2 of 5"):
        replay.replay(tmp_path / "r", 4, 0)


def test_folders(trained, tmp_path):
    out, _ = trained
    run = out.parents[1]
    assert replay.find(run) == replay.find(out) == replay.find(run, "grpo") == out / "replay"
    with pytest.raises(MinidsError, match="stage 'rl9' was not recorded; there is grpo"):
        replay.find(run, "rl9")
    with pytest.raises(MinidsError, match="no such folder"):
        replay.find(tmp_path / "nowhere")
    with pytest.raises(MinidsError, match="new folder"):
        replay.find(tmp_path)
    for name in ("rl1", "rl2"):
        shutil.copytree(out, tmp_path / "checkpoints" / name)
    with pytest.raises(MinidsError, match="rl1|rl2"):
        replay.find(tmp_path)
    assert replay.find(tmp_path, "rl2").parent.name == "rl2"


@pytest.mark.parametrize(
    "name, damage, says",
    [
        ("run.json", "{", "damaged"),
        ("run.json", '{"format": 99}', "damaged"),
        ("step-00000002/tensors.safetensors", "x", "delete"),
        ("step-00000000/state.json", None, "step-00000000"),
    ],
)
def test_damaged_files_are_named(trained, tmp_path, name, damage, says):
    shutil.copytree(trained[0], tmp_path / "r")
    path = tmp_path / "r" / "replay" / name
    if damage is None:
        shutil.rmtree(path.parent)
    else:
        path.write_text(damage, encoding="utf-8")
    with pytest.raises(MinidsError, match=says):
        replay.replay(tmp_path / "r", 3, 0)


def test_the_command(trained, capsys):
    run = str(trained[0].parents[1])
    assert cli.main(["replay", run, "2", "1", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["same"] and found["step"] == 2 and found["sample"] == 1
    assert cli.main(["replay", run, "2", "1"]) == 0
    out = capsys.readouterr().out
    assert found["question"] in out and "bit for bit" in out and "\x1b" not in out
    assert out.count("%\n") >= len(found["tokens"])
    assert cli.main(["replay", run, "99", "1"]) == 2
    assert "no iteration 99" in capsys.readouterr().err


def test_no_answer_steers_the_terminal(trained):
    found = replay.replay(trained[0], 1, 0)
    found["tokens"][0]["text"] = found["question"] = found["text"] = "\x1b[2J\r\x07"
    assert not set("\x1b\r\x07") & set(replayed.text(found))


def test_in_a_terminal_tokens_have_the_colour_of_their_probability(trained, capsys, monkeypatch):
    pytest.importorskip("rich")
    found = replay.replay(trained[0], 2, 1)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    replayed.show(found)
    out = capsys.readouterr().out
    assert "\x1b[1;31m" in out and found["question"] in out  # an untrained model is sure of nothing
    assert [replayed.colour(x) for x in (-1e-3, -0.2, -0.9, -9.0)] == ["dim", "green", "yellow", "bold red"]
