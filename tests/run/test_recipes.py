"""Recipes under the names of today and of earlier versions; the page of all settings."""

import json
import re

import pytest

from minids import MinidsError
from minids.eval import model_folder
from minids.eval.evaluate import EvalConfig
from minids.rl import config as rl_config
from minids.run import recipes, run_folder, settings_page
from minids.settings import former_names

FORMER = {new: old for old, new in recipes.Recipe.FORMER.items()}
SECTIONS = settings_page.sections()


def as_before(values):
    """What a recipe of an earlier version would say."""
    out = {FORMER.get(k, k): v for k, v in values.items()}
    for section, keys in out.items():
        if isinstance(keys, dict):
            former = {new: old for old, new in former_names(recipes.classes(section)).items()}
            out[section] = {former.get(k, k): v for k, v in keys.items()}
    return out


@pytest.mark.parametrize("name", [n for n in recipes.names() if n != "tiny-gym"])  # which needs reasoning-gym
def test_a_recipe_of_an_earlier_version_is_the_same_recipe(name, tmp_path):
    recipe = recipes.load(name)
    before = as_before(recipe.to_dict())
    assert before != recipe.to_dict() and {"group", "prompts"} <= before["grpo"].keys() and "start" in before
    assert recipes.current(before, "here") == recipe.to_dict() == recipes.current(recipe.to_dict(), "here")
    # and so is a run that was begun with it
    asked = {"recipe": recipe.to_dict(), "seed": 0}
    (tmp_path / "recipe.json").write_text(json.dumps({**asked, "recipe": before}), encoding="utf-8")
    run_folder.prepare_run_folder(tmp_path, asked, True, recipe.plan, None)
    changed = {**asked, "recipe": recipes.load(name, ["grpo.num_generations=3"]).to_dict()}
    with pytest.raises(MinidsError, match="the recipe is another"):
        run_folder.prepare_run_folder(tmp_path, changed, True, recipe.plan, None)
    assert model_folder._evaluation(tmp_path) == recipe.evaluation


def test_former_names_in_files_and_on_the_command_line(tmp_path):
    path = tmp_path / "old.toml"
    path.write_text('extends = "tiny"\nname = "old"\nstart = "base"\n[grpo]\ngroup = 4\nstyle = "plain"\n', "utf-8")
    assert recipes.load("tiny-r1", ['rl1={"group": 3}']).checked("rl1")["num_generations"] == 3
    made = recipes.load(path, ["grpo.prompts=3", "eval.beyond=7", "rl_from=sft"])
    assert (made.rl_from, made.grpo["num_generations"], made.grpo["prompts_per_step"]) == ("sft", 4, 3)
    assert made.grpo["template"] == "plain" and made.evaluation.ood_problems == 7
    assert not {"group", "prompts", "style"} & made.grpo.keys() and "beyond" not in made.eval
    path.write_text(path.read_text("utf-8") + "num_generations = 8\n", "utf-8")
    with pytest.raises(MinidsError, match="'group' is a former name of 'num_generations'"):
        recipes.load(path)
    kept = recipes.load("tiny-r1", ["rejection.keep=3", "rejection.general=5", "sft.mixed=0.25"])
    assert kept.checked("rejection")["max_per_question"] == 3 and kept.section("teacher")["num_general_documents"] == 0
    assert kept.section("rejection")["num_general_documents"] == 5 and kept.section("sft")["language_mix"] == 0.25


def test_a_checkpoint_of_an_earlier_version_is_of_the_same_run():
    config = rl_config.RLConfig(steps=2, lr=1e-3, num_generations=4, loss_aggregation="sequence_mean", template="plain")
    names = {new: old for old, new in rl_config.RLConfig.FORMER.items()}
    stored = {names.get(k, k): v for k, v in rl_config.plain(config).items()}
    assert {"group", "prompts", "aggregation", "style"} <= stored.keys()
    assert rl_config.same(stored, config) and not rl_config.same({**stored, "group": 5}, config)


@pytest.mark.parametrize(
    "change, said",
    [
        ("grpo.num_generatoins=4", "Did you mean 'num_generations'"),
        ("grpo.groop=4", "Did you mean 'num_generations'"),
        ("pretrian.steps=4", "Did you mean 'pretrain'"),
        ("famillies=[]", "Did you mean 'families'"),
        ("starts=base", "Did you mean 'rl_from'"),
        ("tokenizer.digit=single", "Did you mean 'digits'"),
        ("direct.document=5", "Did you mean 'documents'"),
        ("eval.ood_problem=5", "Did you mean 'ood_problems'"),
        ("model.hidden_sise=64", "Did you mean 'hidden_size'"),
        ('sft.styles={"carefull":1}', "Did you mean 'careful'"),
        ("grpo.clip=highr", "Did you mean 'higher'"),
    ],
)
def test_the_nearest_name_is_said_for_every_kind_of_key(change, said):
    with pytest.raises(MinidsError, match=re.escape(said)):
        recipes.load("tiny", [change])


def test_defaults_are_those_of_the_classes():
    recipe = recipes.load("tiny")
    assert recipe.section("pretrain")["prompt_weight"] == 0.15 and recipe.section("small_pretrain")["fact_share"] == 0.1
    assert recipe.section("sft")["families"] is None and recipe.checked("grpo")["clip_high"] == 0.28
    bare = {**recipe.to_dict(), "sft": {**recipe.sft}, "pretrain": {**recipe.pretrain}, "eval": {}}
    del bare["sft"]["prompt_weight"], bare["pretrain"]["prompt_weight"]
    bare = recipes.Recipe(**bare)
    assert bare.section("sft")["prompt_weight"] == 0.0 and bare.section("pretrain")["prompt_weight"] == 1.0
    assert bare.evaluation == EvalConfig()


# -- the page ----------------------------------------------------------------------------------------------------------


def test_the_page_is_up_to_date():
    assert settings_page.main(["--check"]) == 0


@pytest.mark.parametrize("name", recipes.names())
def test_every_key_of_a_recipe_is_on_the_page(name):
    """In its section, or in one that its section stands on."""
    text = settings_page.PAGE.read_text(encoding="utf-8")
    parts = {m[1]: m[2] for m in re.finditer(r"^## \[(\w+)\]\n(.*?)(?=^## |\Z)", text, re.M | re.S)}
    assert list(parts) == SECTIONS
    for section, keys in recipes._read(name).items():
        if isinstance(keys, dict):
            here = parts[section]
            while below := re.search(r"^The keys of \[(\w+)\]", here, re.M):
                here = parts[below[1]] + here.replace(below[0], "", 1)
            here += parts["model"] if section == "small" else ""
            for key in keys:
                assert f"| `{key}` |" in here, (section, key)


@pytest.mark.parametrize(
    "changes, said",
    [
        (["grpo.sizes.ad.2=1"], r"section \[grpo\]: .*'ad' that there is not. Did you mean 'add'"),
        (["grpo.sizes.chain.2=1", 'families=["add"]'], r"section \[grpo\]: sizes names 'chain', but the families"),
        (["grpo.sizes.add.99=1"], r"section \[grpo\]: sizes of 'add' has 99"),
    ],
)
def test_sizes_of_rl_that_nobody_is_asked_are_refused(changes, said):
    with pytest.raises(MinidsError, match=said):
        recipes.load("tiny", changes)
    assert recipes.load("tiny", ["grpo.sizes.add.6=1"]).checked("grpo")["sizes"] == {"add": {6: 1.0}}
