"""The table of stages: a new stage is a function and a row, and nothing else."""

import json
import shutil
from dataclasses import fields
from pathlib import Path

import pytest
from mini import assert_same_run, results

from minids import MinidsError, cli
from minids.report import page, readme_tables
from minids.run import cost, recipes, stages, sums
from minids.run.stage import AnyRecipe, Stage

ROOT = Path(__file__).parents[2]


def more_rl(job):
    model = job.load("model")
    record = job.train_rl(model)
    job.save_model(model)
    job.evaluate(model)
    return record


def more_writing(job):
    model, section = job.load("model"), job.section()
    documents = job.chat_documents(section, job.seed + 7)
    record = job.train(model, job.source(documents, section, job.seed + 8), section)
    job.save_model(model)
    job.evaluate(model)
    return record


ROWS = {
    "grpo": Stage(
        "polish",
        more_rl,
        title="polished by RL",
        colour="f4",
        label="after polishing",
        needs=("grpo",),
        below="grpo",
        passes={"model": 4},
        model="polished",
    ),
    "sft": Stage(
        "polish",
        more_writing,
        title="polished by SFT",
        colour="f5",
        label="after polishing",
        needs=("grpo",),
        below="sft",
        passes={"model": 3},
        model="polished",
    ),
}


def run(recipe, out, *more):
    return cli.main(["run", str(recipe), "--out", str(out), "--workers", "1", *more])


@pytest.fixture(params=list(ROWS))
def polish(request, monkeypatch):
    """A new stage that stands on [grpo], or on [sft]."""
    monkeypatch.setitem(stages.STAGES, "polish", ROWS[request.param])
    return ROWS[request.param]


@pytest.fixture
def polished(polish, recipe, tmp_path):
    """A recipe that asks for it."""
    text = f'extends = "{recipe}"\nname = "mini"\nstages = ["sft", "grpo", "polish"]\n[polish]\nsteps = 3\n'
    path = tmp_path / "polished.toml"
    path.write_text(text.replace("\\", "\\\\"), encoding="utf-8")
    return path


def test_a_new_stage_is_found_by_run_resume_until_redo_report_cost_and_tables(
    polish, polished, finished, tmp_path, capsys
):
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    for out in (whole, parts):
        shutil.copytree(finished, out)
    assert run(polished, whole, "--redo", "polish") == 0  # what stood before it stays, and the new stage is run
    assert run(polished, parts, "--redo", "grpo", "--until", "grpo") == 0
    assert [s["name"] for s in results(parts)["stages"]][-1] == "grpo"
    assert run(polished, parts, "--resume") == 0
    assert_same_run(whole, parts, ("model", "polished"))
    r = results(whole)
    assert [s["name"] for s in r["stages"]][-2:] == ["grpo", "polish"] and r["stages"][-1]["steps"] == 3
    assert [row["family"] for row in r["evals"] if row["stage"] == "polish"] == ["add", "chain", "word", "all"]

    html = (whole / "report.html").read_text(encoding="utf-8")
    assert polish.title in html and f"var(--{polish.colour})" in html
    counted, tokens = cost.of_run(r), r["stages"][-1]["tokens"]
    assert counted["stages"]["polish"] == pytest.approx(
        sum(polish.passes.values()) * tokens * _per_token(r, counted["length"])
    )
    assert run(polished, tmp_path / "x", "--until", "polsh") == 2
    assert "grpo, polish" in capsys.readouterr().err
    (tmp_path / "records").mkdir()
    (tmp_path / "records" / "run.json").write_text(json.dumps(r), encoding="utf-8")
    assert f"pass@1 at T=1 {polish.label}" in readme_tables.render(tmp_path / "records")

    changed = f"{polish.below}.lr=1e-5"  # what it stands on is read by a stage before it, too
    assert run(polished, whole, "--redo", "polish", "--set", changed) == 2
    assert f"[{polish.below}]" in capsys.readouterr().err
    assert run(polished, whole, "--redo", "polish", "--set", "polish.steps=2") == 0
    assert results(whole)["stages"][-1]["steps"] == 2


def _per_token(results, length):
    from minids.model.accounting import forward_flops
    from minids.model.config import ModelConfig

    return forward_flops(ModelConfig.from_dict(results["model"]["config"]), 1, length)


def test_a_new_stage_has_a_section_of_its_own(polish, polished):
    recipe = recipes.load(str(polished))
    assert recipe.section("polish")["steps"] == 3
    assert recipe.section("polish")["lr"] == recipe.own(polish.below)["lr"]
    assert recipe.to_dict()["polish"] == {"steps": 3} and "polish" in cost.describe(str(polished))["stages"]
    for change, says in (
        ("polish.stpes=3", "section .polish.: unknown key 'stpes'"),
        ("polish.steps=1.5", "section .polish.*steps = 1.5 must be a whole number"),
        ('stages=["sft","polish"]', "'polish' needs 'grpo' before it"),
        ("polish=3", "polish must be a section"),
    ):
        with pytest.raises(MinidsError, match=says):
            recipes.load(str(polished), [change])


def test_without_the_row_there_is_no_such_stage(recipe):
    with pytest.raises(MinidsError, match="stages names 'polish'.*edge"):
        recipes.load(recipe, ['stages=["sft","grpo","polish"]'])


@pytest.mark.parametrize("name", stages.STAGES)
def test_every_row_says_what_others_ask_of_it(name):
    stage = stages.STAGES[name]
    assert stage.name == name and stage.title and f"--{stage.colour}:" in page.STYLE
    for need in stage.needs:
        assert not stages.STAGES[need].control
    assert all(s.below == stage.below for s in stages.STAGES.values() if s.section == stage.section)
    assert set(stage.passes) <= {"model", "small"} and bool(stage.model) == bool(stage.rows)
    if stage.control:
        return
    known = {f.name for f in fields(recipes.Recipe)} | {s.section for s in stages.STAGES.values()}
    assert set(stages.sections(name)) | set(stage.reads) <= known
    if name not in ("tokenizer", *stages.FROM_MODEL):  # what every stage that works on a model needs
        assert stage.passes and stages.inherited(name, "settings") and stages.inherited(name, "planned")


def test_names_of_rows_and_folders_are_taken_once():
    rows = [s.rows for s in stages.STAGES.values() if s.rows]
    assert len(rows) == len(set(rows))
    twice = [s for s in stages.STAGES.values() if s.model == "model"]  # two recipes' last stages
    assert {s.name for s in twice} == {"grpo", "rl2"}


RECORDS = sorted((ROOT / "docs" / "results").glob("tiny*.json"))


@pytest.mark.parametrize("path", RECORDS, ids=lambda p: p.stem)
def test_every_stage_of_a_recorded_run_that_took_tokens_is_counted(path):
    record = json.loads(path.read_text(encoding="utf-8"))
    took = {s["name"] for s in record["stages"] if not s["control"] and s["name"] != "tokenizer"}
    counted = cost.of_run(record)
    assert set(counted["stages"]) == took and all(counted["stages"].values())
    assert counted["flops"] == sum(counted["stages"].values())
    assert counted["seconds"] == pytest.approx(sum(s["seconds"] for s in record["stages"] if s["name"] in took))
    if "edge" in record:
        assert "edge" in took


def test_records_of_r1_s_way_and_of_the_edge_are_there():
    assert {p.stem.rpartition("-")[0] for p in RECORDS} >= {"tiny", "tiny-zero", "tiny-r1", "tiny-edge", "tiny-gym"}


@pytest.mark.parametrize("name", ["tiny-r1", "tiny-edge", "tiny-zero", "small-countdown"])
def test_a_plan_on_paper_counts_every_stage(name):
    planned = cost.describe(name)
    assert list(planned["stages"]) == ["pretrain", *recipes.load(name).plan]
    assert planned["flops"] == sum(s["flops"] for s in planned["stages"].values())


def test_a_small_model_is_counted_with_its_own_size():
    record = json.loads(next(p for p in RECORDS if p.stem == "tiny-r1-seed0").read_text(encoding="utf-8"))
    flops = cost.of_run(record)["stages"]
    took = {s["name"]: s["tokens"] for s in record["stages"]}
    per_token = {name: f / took[name] for name, f in flops.items()}
    large, small = per_token["rejection"], per_token["small_pretrain"] / 3
    assert small < large
    for name, times_large, times_small in (
        ("pretrain", 3, 0),
        ("rl1", 4, 0),
        ("teacher", 1, 0),
        ("distill_samples", 0, 3),
        ("distill_logits", 1, 3),
        ("small_rl", 0, 4),
    ):
        assert per_token[name] == pytest.approx(times_large * large + times_small * small), name


@pytest.mark.parametrize(
    "asked, says",
    [
        ({"countdown": [4]}, r"section \[edge\].*asked.countdown.*pretraining has \(3, 4\)"),
        ({"countdown": [9]}, r"asked.countdown.*size 9"),
        ({"gym:gcd": [2]}, r"asked.gym:gcd.*pretraining has \(2\)"),
        ({"gym:chain_sum": [5, 4]}, r"asked.gym:chain_sum.*4 is a size that pretraining has"),
        ({"gym:chain_sum": [7]}, r"asked.gym:chain_sum.*size 7"),
        ({"gym:lcm": [2]}, r"asked.gym:lcm.*come in no sizes"),
        ({"word": [4]}, r"asked.word.*pretraining has"),
        ({"sums": [6]}, r"asked.sums.*add, chain, word, countdown, gym:NAME"),
        ({"chain": []}, r"asked.chain.*give a list of sizes"),
        ({"chain": [True]}, r"asked.chain.*give a list of sizes"),
    ],
)
def test_sizes_beyond_training_are_those_of_the_family_s_own_environment(asked, says):
    if any(family.startswith("gym:") for family in asked):
        pytest.importorskip("reasoning_gym")
    change = "edge.asked=" + json.dumps(asked)
    with pytest.raises(MinidsError, match=says):
        recipes.load("tiny-edge", [change])


@pytest.mark.parametrize("asked", [{"countdown": [5]}, {"gym:chain_sum": [5, 6]}, {"add": [6], "word": [6]}], ids=str)
def test_sizes_that_no_training_had_may_be_asked_for(asked):
    if any(family.startswith("gym:") for family in asked):
        pytest.importorskip("reasoning_gym")
    assert recipes.load("tiny-edge", ["edge.asked=" + json.dumps(asked)]).section("edge")["asked"] == asked


def test_a_control_has_what_it_starts_from():
    with pytest.raises(MinidsError, match="'more_sft' needs 'sft'"):
        recipes.load("tiny-zero", ['controls=["more_sft"]'])


def test_stages_that_a_recipe_no_longer_names_are_discarded_with_the_stage_before_them(finished, recipe, tmp_path):
    out = tmp_path / "run"
    shutil.copytree(finished, out)
    r = results(out)
    r["stages"].append({**r["stages"][-1], "name": "edge"})  # of an earlier recipe, made from the GRPO that goes
    r["evals"] += [{**row, "stage": "edge"} for row in r["evals"] if row["stage"] == "grpo"]
    sums.Sums(out).write("results.json", json.dumps({**r, "edge": [{"stage": "edge"}]}))
    assert run(recipe, out, "--redo", "grpo") == 0
    assert_same_run(finished, out)


def test_a_recipe_has_what_stages_read_of_one():
    assert isinstance(recipes.load("tiny"), AnyRecipe)
    assert not isinstance(object(), AnyRecipe)
