"""A run that goes on has what its folder says; and a recipe may be the one that a run was made with."""

import json
import shutil

import pytest
from mini import assert_same_run, results

from minids import MinidsError, cli
from minids.run import begun, recipes

SETS = ["pretrain.steps=8", "sft.steps=4", "grpo.steps=4", "grpo.lr=2e-4", "grpo.reward.format=0.2", "eval.problems=4"]


def run(*words):
    return cli.main(["run", *map(str, words)])


@pytest.fixture
def copy(finished, tmp_path):
    return shutil.copytree(finished, tmp_path / "run")


@pytest.mark.slow
def test_a_run_with_many_changes_goes_on_without_them(recipe, tmp_path, capsys):
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    assert run(recipe, "--out", whole, "--workers", 1, "--seed", 2, "--set", *SETS) == 0
    capsys.readouterr()
    assert run(recipe, "--out", parts, "--workers", 1, "--seed", 2, "--until", "tokenizer", "--set", *SETS) == 0
    said = capsys.readouterr().out
    assert f"minids run {parts} --resume   (pretrain, sft, grpo)" in said and "chat" not in said
    assert run(parts, "--resume", "--until", "pretrain") == 0  # the folder names the recipe, seed and processes
    said = capsys.readouterr().out
    assert f"minids chat {parts / 'base'}\n" in said and f"minids eval {parts / 'base'} --problems" in said
    assert run("--resume", "--out", parts, "--until", "sft") == 0
    capsys.readouterr()
    assert run(recipe, "--out", parts, "--resume") == 0
    said = capsys.readouterr().out
    assert f"next     minids chat {parts}\n" in said and "--resume" not in said
    assert_same_run(whole, parts)
    assert json.loads((parts / "recipe.json").read_text("utf-8"))["set"] == SETS


def test_a_recipe_by_name_means_the_folder_s_own(tmp_path, monkeypatch, recipe):
    """As `minids run tiny --out runs/x --resume`; the recipe that comes with minids may have changed since."""
    folder = tmp_path / "run"
    made = recipes.load("tiny", ["grpo.steps=7", "model.num_hidden_layers=2"])
    folder.mkdir()
    (folder / "recipe.json").write_text(json.dumps({"recipe": made.to_dict(), "seed": 0}), encoding="utf-8")
    for name in ("tiny", None, str(folder), str(folder / "recipe.json")):
        found, changes = begun.recipe(name, folder, ["grpo.lr=1e-4"], begun.read(folder))
        assert found.grpo["steps"] == 7 and found.grpo["lr"] == 1e-4 and found.model["num_hidden_layers"] == 2
        assert changes == ["grpo.lr=1e-4"]
    other, _ = begun.recipe(recipe, folder, [], begun.read(folder))
    assert other.name == "mini"


def test_a_file_that_was_edited_since_is_noticed_and_may_be_run_by_redo(recipe, copy, tmp_path, capsys):
    mine = tmp_path / "mine.toml"
    mine.write_text(f"extends = {json.dumps(recipe)}\n[grpo]\nlr = 1e-5\n", encoding="utf-8")
    assert run(mine, "--out", copy, "--resume") == 2
    said = capsys.readouterr().err
    assert "the recipe is another: grpo.lr was 0.0003, is 1e-05 (--redo grpo may change that)" in said
    assert f"`minids run {copy} --resume` takes all of them" in said
    assert run(mine, "--out", copy, "--redo", "grpo") == 0
    assert json.loads((copy / "recipe.json").read_text("utf-8"))["recipe"]["grpo"]["lr"] == 1e-5


def test_a_change_beside_a_resume_is_what_redo_allows(copy, capsys):
    assert run(copy, "--resume", "--set", "sft.lr=0.1", "grpo.steps=2") == 2
    said = capsys.readouterr().err
    assert "sft.lr was 0.001, is 0.1" in said and "grpo.steps was 6, is 2 (--redo sft may change that)" in said
    assert run(copy, "--redo", "grpo", "--set", "sft.lr=0.1", "grpo.steps=2") == 2
    said = capsys.readouterr().err
    assert "[sft], which a stage before 'grpo' reads, is another: sft.lr was 0.001, is 0.1" in said
    assert "grpo.steps" not in said
    assert run(copy, "--resume", "--set", "eval.samples=3") == 2
    said = capsys.readouterr().err
    assert "eval.samples was 2, is 3" in said and "--redo" not in said  # no stage may change that
    assert run(copy, "--resume", "--set", "grpo.epochs=2") == 2
    assert "grpo.epochs was not set, is 2 (--redo grpo" in capsys.readouterr().err
    for steps in (2, 3):
        assert run(copy, "--redo", "grpo", "--set", f"grpo.steps={steps}") == 0
        assert results(copy)["stages"][-1]["steps"] == steps
    assert json.loads((copy / "recipe.json").read_text("utf-8"))["set"] == ["grpo.steps=2", "grpo.steps=3"]


def test_a_recipe_of_a_run_is_a_recipe(finished, tmp_path, capsys):
    again = tmp_path / "again"
    assert run(finished / "recipe.json", "--out", again, "--workers", 1, "--until", "tokenizer") == 0
    asked = [json.loads((folder / "recipe.json").read_text("utf-8")) for folder in (finished, again)]
    assert asked[0] == asked[1]
    assert recipes.load(finished).to_dict() == recipes.load(str(finished / "recipe.json")).to_dict()
    alone = tmp_path / "alone.json"
    alone.write_text(json.dumps(asked[0]["recipe"]), encoding="utf-8")
    assert recipes.load(alone, ["grpo.steps=2"]).grpo["steps"] == 2
    assert cli.main(["cost", str(finished)]) == 0 and "recipe mini" in capsys.readouterr().out


def test_what_names_no_run(finished, tmp_path, capsys):
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "recipe.json").write_text('{"recipe": {}, "seed": "x"}', encoding="utf-8")
    (tmp_path / "list.json").write_text("[]", encoding="utf-8")
    for words, said in (
        ([tmp_path, "--resume"], "holds no run"),
        ([tmp_path / "none", "--resume"], "not found"),
        (["--resume", "--out", tmp_path / "none"], "holds no run to go on with. Name a recipe"),
        ([finished], "already holds a run"),
        ([tmp_path / "bad", "--resume"], "seed is 'x'"),
        ([tmp_path / "list.json"], "expected an object"),
    ):
        assert run(*words) == 2
        assert said in capsys.readouterr().err
    for words in ([], ["--out", "x"], ["--resume"]):
        with pytest.raises(SystemExit) as end:
            run(*words)
        assert end.value.code == 2 and "name a recipe" in capsys.readouterr().err
    with pytest.raises(MinidsError, match="must be the name of a recipe"):
        recipes.load(3)


def test_differences_name_every_key():
    before, now = (
        recipes.load("tiny").to_dict(),
        recipes.load("tiny", ["grpo.reward.format=0.3", "sft.lr=0.1"]).to_dict(),
    )
    found = {key: (old, new) for key, old, new in recipes.differences(before, now)}
    assert found.keys() == {"grpo.reward", "sft.lr"} and found["sft.lr"] == (1e-3, 0.1)


@pytest.mark.parametrize("how", [["--resume"], ["--redo", "grpo"]])
def test_a_run_that_is_not_there_cannot_go_on(how, tmp_path, capsys):
    assert run(tmp_path / "nowhere", *how) == 2
    assert f"{tmp_path / 'nowhere'}: not found; no such run to go on with." in capsys.readouterr().err
    assert run(tmp_path / "mine.toml", *how) == 2
    assert "not found" in capsys.readouterr().err
