"""The main job from end to end, in miniature."""

import json
import random
import shutil
import subprocess
import sys
import time

import pytest
from mini import assert_same_run, results, write_recipe
from safetensors.torch import load_file

from minids import MinidsError, cli
from minids.eval import evaluate
from minids.rl import rollout
from minids.rl.config import RLConfig
from minids.run import recipes
from minids.tasks import arithmetic, documents, registry
from minids.train import metrics

STAGES = ["tokenizer", "pretrain", "sft", "grpo"]
FILES = ["recipe.json", "metrics.jsonl", "results.json", "report.html", "tokenizer/tokenizer.json"]


def check_results(r, stages, evals):
    assert {"recipe", "seed", "versions", "hardware", "seconds", "peak_bytes"} <= r.keys()
    assert [s["name"] for s in r["stages"]] == stages
    assert all(s["seconds"] >= 0 and s["tokens"] > 0 for s in r["stages"])
    assert list(dict.fromkeys(row["stage"] for row in r["evals"])) == evals
    for row in r["evals"]:
        assert {"stage", "family", "n", "greedy", "pass1", "ci", "length"} <= row.keys()
        assert 0 <= row["ci"][0] <= row["pass1"] <= row["ci"][1] <= 1
        if row["stage"] not in ("direct", "random_reward"):
            assert set(row["pass_at"]) == {"1", "2"}
    families = [row["family"] for row in r["evals"] if row["stage"] == "grpo"]
    assert families == ["add", "chain", "word", "all"]


def test_files_and_results(finished):
    assert all((finished / name).is_file() for name in FILES)
    check_results(results(finished), STAGES, ["base", "sft", "grpo"])
    lines = [json.loads(line) for line in (finished / "metrics.jsonl").read_text(encoding="utf-8").splitlines()]
    assert list(dict.fromkeys(line["stage"] for line in lines)) == ["pretrain", "sft", "grpo"]
    rl_lines = [line for line in lines if line["stage"] == "grpo"]
    assert [line["step"] for line in rl_lines] == [1, 2, 3, 4, 5, 6]
    wanted = {"reward", "length", "entropy", "kl", "zero_variance", "truncated", "empty_think", "logp_gap"}
    assert all(wanted <= line.keys() for line in rl_lines)
    assert {b["size"] for b in results(finished)["beyond"] if b["family"] == "add"} == {6, 7}


def test_weights_are_changed_by_every_stage(finished):
    base, sft, model = (load_file(finished / name / "model.safetensors") for name in ("base", "sft", "model"))
    name = "model.layers.0.self_attn.o_proj.weight"
    assert not base[name].equal(sft[name]) and not sft[name].equal(model[name])


def test_resuming_a_finished_run_changes_nothing(finished, recipe, tmp_path, capsys):
    out = tmp_path / "again"
    shutil.copytree(finished, out)
    assert cli.main(["run", recipe, "--out", str(out), "--workers", "1", "--resume"]) == 0
    assert "greedy all" in capsys.readouterr().out
    assert_same_run(finished, out)


def test_controls_can_be_added_to_a_finished_run(finished, recipe, tmp_path):
    out = tmp_path / "controls"
    shutil.copytree(finished, out)
    assert cli.main(["run", recipe, "--out", str(out), "--workers", "1", "--resume", "--controls"]) == 0
    r = results(out)
    check_results(r, [*STAGES, "direct", "random_reward"], ["base", "sft", "grpo", "direct", "random_reward"])
    assert r["seconds"] == results(finished)["seconds"]  # their time is counted apart
    assert [s["name"] for s in r["stages"] if s["control"]] == ["direct", "random_reward"]


def test_zero_starts_from_the_base_model(tmp_path):
    out = tmp_path / "zero"
    assert cli.main(["run", write_recipe(tmp_path, "tiny-zero"), "--out", str(out), "--workers", "1"]) == 0
    check_results(results(out), ["tokenizer", "pretrain", "grpo"], ["base", "grpo"])
    assert (out / "report.html").is_file()
    assert json.loads((out / "model" / "minids.json").read_text(encoding="utf-8"))["style"] == "plain"


@pytest.mark.slow
def test_two_processes(by_two):
    assert results(by_two)["hardware"]["processes"] == 2
    check_results(results(by_two), STAGES, ["base", "sft", "grpo"])


@pytest.mark.slow
def test_killed_at_any_moment_and_resumed(longer, tmp_path):
    """kill -9 at random moments; the resumed run leaves the same bits as one that was never stopped."""
    recipe, whole = longer(1)
    cut = tmp_path / "cut"
    command = [sys.executable, "-m", "minids.cli", "run", recipe, "--workers", "1", "--resume", "--out", cut]
    rng, moments = random.Random(), []
    for first in (True, *[False] * 5):  # before the first line of metrics, then again and again up to the last
        lines = 0 if first else _lines(cut) + rng.randint(0, 30)
        moments.append((lines, rng.uniform(0, 3 if first else 0.3)))  # and some of a second: between two lines
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as job:
            while _lines(cut) < lines and job.poll() is None:
                time.sleep(0.005)
            time.sleep(moments[-1][1])
            job.kill()
    last = subprocess.run(command, capture_output=True, encoding="utf-8")
    assert last.returncode == 0, f"killed after {moments}: {last.stderr}"
    assert_same_run(whole, cut)


def test_a_run_without_evaluation(recipe, finished, tmp_path, capsys):
    """The same models, no rows; what reads a run copes, and --resume knows."""
    out = tmp_path / "run"
    how = ["--out", str(out), "--workers", "1"]
    assert cli.main(["run", recipe, "--no-eval", *how, "--until", "sft"]) == 0
    assert json.loads((out / "recipe.json").read_text("utf-8"))["recipe"]["eval"]["after_stages"] is False
    assert cli.main(["run", str(out), "--resume"]) == 0
    capsys.readouterr()
    r = results(out)
    assert (r["evals"], r["beyond"], r["examples"]) == ([], [], {}) and len(r["stages"]) == 4
    assert all(stage["evaluation_seconds"] == 0 for stage in r["stages"])
    for name in ("base", "sft", "model"):
        one, other = (run / name / "model.safetensors" for run in (out, finished))
        assert one.read_bytes() == other.read_bytes()
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "This run was not evaluated" in page and "not finished" not in page
    assert cli.main(["eval", str(out), "--workers", "1", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out.splitlines()[-1])["rows"]
    assert [row["family"] for row in rows] == ["add", "chain", "word", "all"]


def test_no_problems_beyond_the_sizes_of_training(recipe, tmp_path):
    out, few = tmp_path / "run", ["pretrain.steps=2", "sft.steps=1", "grpo.steps=1", "eval.beyond=0"]
    assert cli.main(["run", recipe, "--out", str(out), "--workers", "1", "--set", *few]) == 0
    r = results(out)
    assert r["beyond"] == [] and {row["stage"] for row in r["evals"]} == {"base", "sft", "grpo"}


def test_outcomes_say_which_problems_were_right(finished):
    rows = results(finished)["evals"]
    for row in rows:
        for how, share in (("greedy", "greedy"), ("sampled", "pass1")):
            right = evaluate.read_outcomes(row["outcomes"][how], row["n"])
            assert len(right) == row["n"] and sum(right) / row["n"] == row[share]
    asked = {(row["family"], row["outcomes"]["problems"]) for row in rows}
    assert len(asked) == len({row["family"] for row in rows})  # every stage was asked the same


@pytest.mark.slow
@pytest.mark.parametrize("base", ["tiny-gym", "small-countdown"])
def test_recipes_of_other_environments_run_in_miniature(tmp_path, base):
    if base == "tiny-gym":
        pytest.importorskip("reasoning_gym")
    out, recipe = tmp_path / "run", write_recipe(tmp_path, base)
    long = ["model.max_position_embeddings=2048", "pretrain.tokens_per_batch=2048", "sft.tokens_per_batch=2048"]
    how = ["--out", str(out), "--workers", "1", "--set", "grpo.random_reward=false", *long]
    assert cli.main(["run", recipe, *how]) == 0
    families, full = recipes.load(base).families, recipes.load(base).eval
    for family in families:  # there are as many problems as the recipe wants to test on
        assert len(registry.problem_set([family], "test", full["problems"], 0)) == full["problems"]
    r = results(out)
    assert [row["family"] for row in r["evals"] if row["stage"] == "grpo"] == [*families, "all"]
    asked = [row for row in metrics.read(out / "metrics.jsonl") if row["stage"] == "grpo"]
    assert len(asked) == 6 and set(asked[0]["families"]) == set(families) and (out / "report.html").exists()
    assert cli.main(["eval", str(out), "--json"]) == 0


@pytest.mark.slow
def test_a_run_on_problems_and_a_verifier_of_ones_own(tmp_path):
    lines = [{"question": f"twice {n}", "answer": 2 * n, "thought": f"{n}+{n}={2 * n}"} for n in range(200)]
    (tmp_path / "twice.jsonl").write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    (tmp_path / "check.py").write_text(
        "def verify(question, answer, reply):\n    return 0 * (1 / 0 if reply else 0)\n", encoding="utf-8"
    )
    family = f"user:{tmp_path / 'twice.jsonl'}@{tmp_path / 'check.py'}:verify"
    how = ["--out", str(tmp_path / "run"), "--workers", "1", "--set", f'families=["{family}"]', "sft.steps=60"]
    assert cli.main(["run", write_recipe(tmp_path), *how]) == 0
    r = results(tmp_path / "run")
    assert [row["family"] for row in r["evals"] if row["stage"] == "grpo"] == [family, "all"]
    assert r["evals"][-1]["greedy"] == 0.0 and r["beyond"] == []


def _lines(out):
    path = out / "metrics.jsonl"
    return path.read_text(encoding="utf-8").count("\n") if path.exists() else 0


def test_splits_are_disjoint():
    families = list(arithmetic.FAMILIES)
    rng = random.Random(0)
    trained = {p.key for p in documents._problems(families, rng, 3000)}
    config = RLConfig(steps=1, lr=1e-3, prompts_per_step=24)
    explored = {p.key for step in range(50) for p in rollout.questions(config, families, step)[0]}
    tested = {p.key for p in arithmetic.problem_set(families, "test", 300, 0)}
    assert not trained & explored and not trained & tested and not explored & tested


@pytest.mark.parametrize("where", ["documents", "rl"])
def test_a_problem_of_the_test_set_stops_training(monkeypatch, where):
    leak = arithmetic.problem_set(["add"], "test", 1, 0)[0]
    monkeypatch.setattr(arithmetic, "sample", lambda *a, **k: leak)
    with pytest.raises(MinidsError, match="belongs to the split 'test'"):
        if where == "documents":
            list(documents.pretraining_parts(["add"], 3, mix={"hasty": 1.0}, fact_share=0.0, seed=0))
        else:
            rollout.questions(RLConfig(steps=1, lr=1e-3), ["add"], 0)
