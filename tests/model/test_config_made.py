"""Configs made from another one (`replace`, `from_dict` of `to_dict`), from little (`small`), from a recipe's table."""

import functools

import pytest
import torch
from tiny_models import YARN, tiny_config

from minids import MinidsError, ModelConfig, Tokenizer, Transformer
from minids.run import recipes

TABLES = {name: recipes.load(name).model for name in ("tiny", "small", "small-countdown")}

EVERY = [
    ModelConfig(),
    ModelConfig(num_nextn_predict_layers=1),
    tiny_config(rope_scaling=YARN),
    *[ModelConfig(vocab_size=704, **table) for table in TABLES.values()],
]


def test_a_recipes_model_can_be_pasted_into_python():
    assert TABLES["tiny"]["q_lora_rank"] == 0
    for table in TABLES.values():
        assert ModelConfig(vocab_size=704, **table).q_lora_rank == (table["q_lora_rank"] or None)


@pytest.mark.parametrize("config", EVERY, ids=lambda c: f"{c.hidden_size}-{c.num_nextn_predict_layers}")
def test_another_attention_by_replace_and_by_from_dict(config):
    before = config.to_dict()
    change = {"attention": "gqa", "num_key_value_heads": 2}
    by_dict, by_name = ModelConfig.from_dict({**before, **change}), config.replace(**change)
    assert by_dict.to_dict() == by_name.to_dict() and (by_name.attention, by_name.num_key_value_heads) == ("gqa", 2)
    assert by_name.hidden_size == config.hidden_size and config.to_dict() == before
    back = {"attention": "mla", "num_key_value_heads": None}
    for again in (by_name.replace(**back), ModelConfig.from_dict({**by_name.to_dict(), **back})):
        assert again.to_dict() == before
    deeper = ModelConfig.from_dict({**before, "num_hidden_layers": 5})
    assert deeper.to_dict() == config.replace(num_hidden_layers=5).to_dict()
    assert config.replace() == config and config.replace() is not config


def test_replace_keeps_what_belongs_together():
    config = tiny_config()
    assert config.replace(num_attention_heads=2).num_key_value_heads == 2
    grouped = config.replace(attention="gqa", num_key_value_heads=2)
    assert grouped.replace(num_attention_heads=6).num_key_value_heads == 2
    read = ModelConfig.from_dict({**config.to_dict(), "head_dim": config.qk_rope_head_dim, "qk_head_dim": 99})
    assert read.replace(hidden_size=64).passive["qk_head_dim"] == 99
    assert "qk_head_dim" not in read.replace(qk_rope_head_dim=2).to_dict()


@pytest.mark.parametrize("make", [tiny_config().replace, functools.partial(ModelConfig.small, 300)])
def test_made_configs_are_checked(make):
    for change, words in (
        ({"hidden_sise": 8}, "hidden_sise.*Did you mean 'hidden_size'"),
        ({"passive": {}}, "unknown key 'passive'"),
        ({"attention": "gqa", "num_key_value_heads": 5}, "no multiple of num_key_value_heads 5"),
        ({"num_key_value_heads": 1, "num_attention_heads": 4}, "only attention 'gqa' may"),
        ({"hidden_size": "96"}, "hidden_size must be"),
        ({"hidden_size": 0}, "hidden_size must be"),
        ({"num_experts_per_tok": 1000}, "num_experts_per_tok 1000 exceeds"),
    ):
        with pytest.raises(MinidsError, match=words):
            make(**change)


YARN = {"type": "yarn", "factor": 4, "original_max_position_embeddings": 128}


@pytest.mark.parametrize(
    "change, words",
    [
        ({"rope_scaling": {**YARN, "beta_fas": 3}}, "unknown key 'beta_fas' in rope_scaling. Did you mean 'beta_fast'"),
        ({"bos_token_id": 9999}, "bos_token_id must be among the model's ids"),
        ({"eos_token_id": [1, 9999]}, "eos_token_id must be among the model's ids"),
        ({"pad_token_id": 9999}, "pad_token_id must be among the model's ids"),
        ({"bos_token_id": -1}, "bos_token_id must be among the model's ids"),
    ],
)
def test_every_way_to_a_config_refuses_the_same(change, words):
    config = tiny_config()
    for make in (
        config.replace,
        lambda **c: ModelConfig(**{**vars(config), **c}),
        lambda **c: ModelConfig.from_dict({**config.to_dict(), **c}),
        functools.partial(ModelConfig.small, 300),
    ):
        with pytest.raises(MinidsError, match=words):
            make(**change)


def test_what_replace_accepts_can_be_saved_and_read(tmp_path):
    config = tiny_config().replace(rope_scaling={**YARN, "beta_fast": 16}, pad_token_id=-1, bos_token_id=None)
    config.save_pretrained(tmp_path)
    assert ModelConfig.from_pretrained(tmp_path).to_dict() == config.to_dict()
    with pytest.raises(MinidsError, match="unknown key 'rope_theta' in rope_scaling"):  # reading would drop it
        config.replace(rope_scaling={**YARN, "rope_theta": 5000.0})


@pytest.mark.parametrize("width", [1, 8, 40, 64, 96, 256, 1024])
@pytest.mark.parametrize("layers", [1, 2, 5])
def test_small_is_consistent_at_every_size(width, layers):
    config = ModelConfig.small(300, hidden_size=width, num_hidden_layers=layers)
    assert (config.vocab_size, config.hidden_size, config.num_hidden_layers) == (300, width, layers)
    if width <= 96:
        model = Transformer(config)
        assert model(torch.zeros(1, 5, dtype=torch.int64)).isfinite().all()
        assert model.parameter_count() == config.parameters


def test_small_has_the_sizes_of_the_recipe_tiny_and_the_tokens_of_the_tokenizer():
    tokenizer = Tokenizer.train(["some text"], 270)
    config = ModelConfig.small(tokenizer)
    tiny = TABLES["tiny"]
    same = ("intermediate_size", "moe_intermediate_size", "kv_lora_rank", "v_head_dim", "n_routed_experts")
    assert all(getattr(config, name) == tiny[name] for name in (*same, "num_hidden_layers", "n_shared_experts"))
    assert (config.bos_token_id, config.eos_token_id) == (tokenizer.bos_id, tokenizer.eos_id)
    assert config.vocab_size == len(tokenizer) and config.pad_token_id == tokenizer.pad_id
    assert config.to_dict()["tokenizer_fingerprint"] == tokenizer.fingerprint
    assert ModelConfig.small(tokenizer, attention="gqa", num_key_value_heads=1, v_head_dim=8).v_head_dim == 8
    with pytest.raises(MinidsError, match="give a minids.Tokenizer, or a number of tokens, got str"):
        ModelConfig.small("runs/tiny")
