"""`--set`: TOML and JSON values, keys of tables, and what it says of a change that cannot be."""

import re

import pytest

from minids import MinidsError
from minids.run import recipes


@pytest.mark.parametrize(
    "change, section, key, value",
    [
        ("grpo.steps=40", "grpo", "steps", 40),
        ("grpo.lr=1e-4", "grpo", "lr", 1e-4),
        ("grpo.lr = 3_0e-5", "grpo", "lr", 3e-4),  # TOML's way to write a number
        ("grpo.replay=false", "grpo", "replay", False),
        ("grpo.preset=dapo", "grpo", "preset", "dapo"),
        ('grpo.preset="dapo"', "grpo", "preset", "dapo"),
        ("grpo.preset='dapo'", "grpo", "preset", "dapo"),
        ("grpo.preset=", "grpo", "preset", ""),
        ("grpo.baseline=none", "grpo", "baseline", "none"),  # a choice of that name
        ("grpo.betas=[0.9, 0.99]", "grpo", "betas", [0.9, 0.99]),
        ("grpo.reward={accuracy = 1.0, format = 0.2}", "grpo", "reward", {"accuracy": 1.0, "format": 0.2}),
        ('grpo.reward={"accuracy": 1, "format": 0}', "grpo", "reward", {"accuracy": 1, "format": 0}),
        ("grpo.reward.format=0.3", "grpo", "reward", {"accuracy": 1.0, "format": 0.3}),
        ("grpo.reward.script=cyrillic", "grpo", "reward", {"accuracy": 1.0, "format": 0.1, "script": "cyrillic"}),
        ("grpo.sizes.add.3=2", "grpo", "sizes", {"add": {"3": 2}}),
        ("sft.styles.brisk=0.2", "sft", "styles", {"careful": 0.45, "brisk": 0.2, "hasty": 0.5}),
        ("sft.families=null", "sft", "families", None),
        ("sft.families=None", "sft", "families", None),
        ("sft.families=['add']", "sft", "families", ["add"]),
        ("model.q_lora_rank=none", "model", "q_lora_rank", None),
        ("model.hidden_size=64", "model", "hidden_size", 64),
        ("small.hidden_size=64", "small", "hidden_size", 64),
        ("rl2.steps=3", "rl2", "steps", 3),  # a section that the recipe has not
        ("rl2.reward.language=0.5", "rl2", "reward", {"accuracy": 1.0, "format": 0.1, "language": 0.5}),
    ],
)
def test_values(change, section, key, value):
    assert recipes.load("tiny", [change]).own(section)[key] == value


def test_keys_above_the_sections():
    made = recipes.load("tiny", ["name=2026", "families=['add', 'chain']", 'controls=["direct"]'])
    assert (made.name, made.families, made.controls) == ("2026", ["add", "chain"], ["direct"])


def test_a_table_of_a_section_starts_from_the_one_that_the_section_stands_on():
    made = recipes.load("tiny-r1", ["grpo.reward.format=0.4", "rl2.reward.language=0.25"])
    assert made.section("rl2")["reward"]["format"] == 0.4 and made.section("rl2")["reward"]["language"] == 0.25
    assert recipes.load("tiny").grpo.get("reward") is None  # and a default is not changed for others


@pytest.mark.parametrize(
    "change, said",
    [
        ("grpo.rewrad.format=1", "section [grpo] has no key 'rewrad'. Did you mean 'reward'?"),
        ("grpo.reward.fromat=1", "unknown key 'fromat'. Did you mean 'format'?"),
        ("grpo.steps.x=1", "grpo.steps is no table; it must be a whole number above 0"),
        ("model.hidden_siz.x=1", "section [model] has no key 'hidden_siz'. Did you mean 'hidden_size'?"),
        ("reward.format=1", "there is no section 'reward'. There are model, tokenizer, pretrain, sft"),
        ("grpo.stepz=1", "section [grpo]: unknown key 'stepz'. Did you mean 'steps'?"),
        ("families=[add,chain]", "neither TOML nor JSON"),
        ("families=[add,chain]", "as in --set \"families=['add', 'chain']\""),
        ("grpo.reward={accuracy: 1}", "neither TOML nor JSON"),
        ("grpo.reward={accuracy=1\nb=2}", "neither TOML nor JSON"),
        ("grpo.steps=null", "steps = None must be a whole number above 0"),
        ("grpo.steps=4\nlr=3", "steps = '4\\nlr=3' must be a whole number"),
        ("families=" + "[" * 100_000, "neither TOML nor JSON"),
        ("grpo.steps=" + "9" * 5000, "must be a whole number"),
        ("=3", "write section.key=value"),
        ("grpo.=3", "write section.key=value"),
        ("grpo=3", "grpo must be a section with keys, got 3. Its keys: loss_aggregation, "),
        ("model=x", "model must be a section with keys, got 'x'. Its keys: vocab_size, hidden_size"),
        ("edge=3", "edge must be a section with keys"),
        ("edge.trys=3", "section [edge]: unknown key 'trys'. Did you mean 'tries'?"),
        ("sft.styles=3", "styles = 3 must be a table of keys and values; as in { careful = 0.4"),
        ("grpo.reward=format", "must be a table of keys and values; its keys are accuracy, format, language"),
    ],
)
def test_changes_that_cannot_be(change, said):
    with pytest.raises(MinidsError, match=re.escape(said)):
        recipes.load("tiny", [change])


def test_changes_are_a_list():
    with pytest.raises(MinidsError, match=r"must be a list of texts, as in \['grpo.steps=40'\], got 'grpo.steps=3'"):
        recipes.load("tiny", "grpo.steps=3")
