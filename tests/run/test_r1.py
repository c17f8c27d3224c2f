"""The stages of R1's recipe in miniature: each can be run, resumed, and replaced alone."""

import json
import shutil

import pytest
from mini import assert_same_run, results, write_recipe

from minids import MinidsError, cli
from minids.run import recipes

R1 = """
[rejection]
questions = 6
samples = 2
max_new_tokens = 16
num_general_documents = 30
[sft2]
steps = 4
[rl1]
steps = 3
[rl2]
steps = 3
[teacher]
num_general_documents = 30
[small]
hidden_size = 16
intermediate_size = 32
num_hidden_layers = 2
first_k_dense_replace = 2
[small_pretrain]
steps = 4
[distill]
steps = 4
[small_rl]
steps = 2
"""
PLAN = [
    "sft",
    "rl1",
    "rejection",
    "sft2",
    "rl2",
    "teacher",
    "small_pretrain",
    "distill_samples",
    "distill_logits",
    "small_rl",
]
MODELS = ("base", "sft", "rl1", "sft2", "model", "small_base", "distill_samples", "distill_logits", "small_rl")


@pytest.fixture(scope="module")
def r1(made_once):
    """(recipe, folder) of a finished run. Tests that change it work on a copy."""

    def make(folder):
        path = write_recipe(folder, "tiny-r1")
        with open(path, "a", encoding="utf-8") as file:
            file.write(R1)
        assert cli.main(["run", path, "--out", str(folder / "run"), "--workers", "1"]) == 0

    folder = made_once("r1", make)
    return next(map(str, folder.glob("*.toml"))), folder / "run"


@pytest.mark.slow
def test_every_stage_leaves_its_model_its_record_and_its_row(r1):
    _, out = r1
    r = results(out)
    assert [s["name"] for s in r["stages"]] == ["tokenizer", "pretrain", *PLAN]
    rows = list(dict.fromkeys(row["stage"] for row in r["evals"]))
    assert rows == ["base", "sft", "rl1", "sft2", "rl2", "small_base", "distill_samples", "distill_logits", "small_rl"]
    assert all((out / name / "model.safetensors").is_file() for name in MODELS)
    assert r["small"]["parameters"] < r["model"]["parameters"] and all("language" in row for row in r["evals"])
    kept = {s["name"]: s for s in r["stages"]}
    assert kept["rejection"]["answers"] == 12 and kept["rejection"]["documents"] >= 30
    assert (out / "report.html").is_file()


@pytest.mark.slow
def test_a_run_can_stop_after_a_stage_and_go_on(r1, tmp_path):
    path, whole = r1
    out = tmp_path / "parts"
    for extra in (["--until", "rl1"], ["--until", "sft2", "--resume"], ["--resume"]):
        assert cli.main(["run", path, "--out", str(out), "--workers", "1", *extra]) == 0
    assert_same_run(whole, out, MODELS)


@pytest.mark.slow
def test_a_stage_is_run_again_with_another_setting_and_what_stood_before_it_stays(r1, tmp_path, capsys):
    path, whole = r1
    out = tmp_path / "redo"
    shutil.copytree(whole, out)
    again = ["run", path, "--out", str(out), "--workers", "1", "--redo", "rl2"]
    assert cli.main([*again, "--set", "sft2.steps=9"]) == 2  # sft2 is kept, so its section may not change
    assert "[sft2]" in capsys.readouterr().err
    assert cli.main([*again, "--set", "rl2.lr=1e-2"]) == 0
    old, new = results(whole), results(out)
    assert [s["name"] for s in old["stages"]] == [s["name"] for s in new["stages"]]
    assert new["stages"][:6] == old["stages"][:6]
    files = [run / name / "model.safetensors" for name in ("sft2", "model") for run in (whole, out)]
    bits = [file.read_bytes() for file in files]
    assert bits[0] == bits[1] and bits[2] != bits[3]
    assert json.loads((out / "recipe.json").read_text(encoding="utf-8"))["recipe"]["rl2"]["lr"] == 1e-2
    assert cli.main(again[:-2] + ["--set", "rl2.lr=1e-2", "--resume"]) == 0


@pytest.mark.slow
@pytest.mark.parametrize("controls", [["wrong_sign", "expert_iteration", "more_sft"]])
def test_controls_are_a_key_of_the_recipe(r1, tmp_path, controls):
    path, whole = r1
    out = tmp_path / "controls"
    more = ["--set", f"controls={json.dumps(controls)}", 'stages=["sft","grpo"]']
    assert cli.main(["run", path, "--out", str(out), "--workers", "2", *more]) == 0
    r = results(out)
    assert [s["name"] for s in r["stages"] if s["control"]] == controls
    assert controls == [row["stage"] for row in r["evals"] if row["family"] == "all"][-3:]
    assert r["seconds"] == pytest.approx(
        sum(s["seconds"] + s["evaluation_seconds"] for s in r["stages"] if not s["control"]), abs=0.1
    )


@pytest.mark.parametrize(
    "change, says",
    [
        ('stages=["sft","rl2"]', "needs 'sft2' before it"),
        ('stages=["sft","rl1","rl1"]', "twice"),
        ('stages=["sft","reject"]', "Did you mean 'rejection'"),
        ('controls=["coin"]', "controls names 'coin'"),
        ("rl2.stpes=3", "stpes"),
        ("rejection.samples=0", "samples"),
        ('grpo.families=["sums"]', "'sums'"),
        ("sft.language_mix=2", "language_mix"),
        ("small={}", "section [small]"),
        ("small.hidden_size=0", "hidden_size"),
    ],
)
def test_impossible_plans_are_refused(change, says):
    with pytest.raises(MinidsError) as error:
        recipes.load("tiny-r1", [change])
    assert says in str(error.value)


@pytest.mark.slow
def test_unknown_stages_on_the_command_line(r1, capsys):
    path, out = r1
    assert cli.main(["run", path, "--out", str(out), "--until", "rl3"]) == 2
    assert "rl3" in capsys.readouterr().err


EDGE = """
[edge]
steps = 2
tries = 4
problems = 3
max_new_tokens = 16
"""


@pytest.mark.slow
def test_the_edge_counts_right_answers_before_and_after(tmp_path):
    path = write_recipe(tmp_path, "tiny-edge")
    with open(path, "a", encoding="utf-8") as file:
        file.write(EDGE)
    out = tmp_path / "run"
    assert cli.main(["run", path, "--out", str(out), "--workers", "1"]) == 0
    r = results(out)
    assert [s["name"] for s in r["stages"]][-1] == "edge"
    assert [(e["stage"], e["family"], e["size"]) for e in r["edge"]] == [
        (stage, family, 6) for stage in ("base", "sft", "model", "edge") for family in ("add", "chain")
    ]
    for e in r["edge"]:
        assert len(e["right"]) == 3 and all(0 <= n <= 4 for n in e["right"])
        assert set(e["pass_at"]) == {"1", "4"} and e["pass_at"]["1"][0] == pytest.approx(sum(e["right"]) / 12)
        blind = e["guess_at"]  # sums of six digits are not guessed; chains have a few hundred answers
        assert blind == {"1": 0, "4": 0} if e["family"] == "add" else 0 < blind["1"] < blind["4"] < 0.1


@pytest.mark.slow
def test_the_edge_of_a_run_without_a_cold_start_and_of_another_environment(tmp_path):
    path = write_recipe(tmp_path, "tiny-zero")
    with open(path, "a", encoding="utf-8") as file:
        file.write(EDGE + "asked = { add = [6], countdown = [5] }\n")
    out = tmp_path / "run"
    more = ["--set", 'stages=["grpo","edge"]']
    assert cli.main(["run", path, "--out", str(out), "--workers", "1", *more]) == 0
    r = results(out)
    assert [(e["stage"], e["family"]) for e in r["edge"]] == [
        (stage, family) for stage in ("base", "model", "edge") for family in ("add", "countdown")
    ]
    style = json.loads((out / "edge" / "minids.json").read_text(encoding="utf-8"))["style"]
    assert style == recipes.load("tiny-zero").grpo["template"] == "plain"  # it is asked as it was taught to answer


@pytest.mark.parametrize(
    "change, says",
    [
        ("edge.asked.add=[5]", "pretraining has"),
        ("edge.asked={}", "asked"),
        ("edge.tries=0", "tries"),
        ('edge.sizes={"add":{"six":1}}', "sizes"),
        ('edge.sizes={"add":{"6":-1}}', "sizes"),
    ],
)
def test_impossible_edges_are_refused(change, says):
    with pytest.raises(MinidsError, match=says):
        recipes.load("tiny-edge", [change])
