"""ModelConfig: what it reads, and that it says what is wrong with what it refuses."""

import json

import pytest
from tiny_models import YARN, tiny_config

from minids.errors import MinidsError
from minids.model.config import ModelConfig
from minids.model.transformer import Transformer

V3_FILE = {  # the published config.json of DeepSeek-V3
    "architectures": ["DeepseekV3ForCausalLM"],
    "attention_bias": False,
    "attention_dropout": 0.0,
    "aux_loss_alpha": 0.001,
    "bos_token_id": 0,
    "eos_token_id": 1,
    "ep_size": 1,
    "first_k_dense_replace": 3,
    "hidden_act": "silu",
    "hidden_size": 7168,
    "initializer_range": 0.02,
    "intermediate_size": 18432,
    "kv_lora_rank": 512,
    "max_position_embeddings": 163840,
    "model_type": "deepseek_v3",
    "moe_intermediate_size": 2048,
    "moe_layer_freq": 1,
    "n_group": 8,
    "n_routed_experts": 256,
    "n_shared_experts": 1,
    "norm_topk_prob": True,
    "num_attention_heads": 128,
    "num_experts_per_tok": 8,
    "num_hidden_layers": 61,
    "num_key_value_heads": 128,
    "num_nextn_predict_layers": 1,
    "pretraining_tp": 1,
    "q_lora_rank": 1536,
    "qk_nope_head_dim": 128,
    "qk_rope_head_dim": 64,
    "v_head_dim": 128,
    "quantization_config": {
        "activation_scheme": "dynamic",
        "fmt": "e4m3",
        "quant_method": "fp8",
        "weight_block_size": [128, 128],
    },
    "rms_norm_eps": 1e-6,
    "rope_theta": 10000,
    "routed_scaling_factor": 2.5,
    "scoring_func": "sigmoid",
    "seq_aux": True,
    "rope_scaling": {
        "type": "yarn",
        "factor": 40,
        "beta_fast": 32,
        "beta_slow": 1,
        "mscale": 1.0,
        "mscale_all_dim": 1.0,
        "original_max_position_embeddings": 4096,
    },
    "tie_word_embeddings": False,
    "topk_group": 4,
    "topk_method": "noaux_tc",
    "torch_dtype": "bfloat16",
    "transformers_version": "4.33.1",
    "vocab_size": 129280,
}


def test_the_published_file():
    config = ModelConfig.from_dict(V3_FILE)
    defaults = ModelConfig(
        max_position_embeddings=163840, rope_scaling=V3_FILE["rope_scaling"], num_nextn_predict_layers=1
    )
    written = config.to_dict()
    for key, value in V3_FILE.items():
        assert written[key] == value
    assert {k: v for k, v in written.items() if k not in V3_FILE}.items() <= defaults.to_dict().items()


def test_round_trip(tmp_path):
    for config in (tiny_config(rope_scaling=YARN, q_lora_rank=5), tiny_config(attention="gqa", num_key_value_heads=2)):
        config.save_pretrained(tmp_path)
        again = ModelConfig.from_pretrained(tmp_path)
        assert again.to_dict() == config.to_dict()
        assert again.attention == config.attention


@pytest.mark.parametrize(
    "written",
    [
        {
            "rope_parameters": {
                "rope_type": "yarn",
                "rope_theta": 500.0,
                **{k: v for k, v in YARN.items() if k != "type"},
            }
        },
        {"rope_scaling": {"rope_type": "yarn", **{k: v for k, v in YARN.items() if k != "type"}}, "rope_theta": 500.0},
        {"rope_scaling": YARN, "rope_theta": 500.0},
        {"rope_scaling": {**YARN, "rope_type": "yarn"}, "rope_theta": 500.0},
        {"rope_scaling": {**YARN, "rope_theta": 500.0}},
    ],
)
def test_both_spellings_of_rope(written):
    config = ModelConfig.from_dict(written)
    assert config.rope_theta == 500.0 and config.rope_scaling == YARN


def test_plain_rope_in_both_spellings():
    for written in (
        {"rope_parameters": {"rope_type": "default", "rope_theta": 7.0}},
        {"rope_scaling": None, "rope_theta": 7.0},
    ):
        config = ModelConfig.from_dict(written)
        assert config.rope_theta == 7.0 and config.rope_scaling is None


def test_other_names_of_transformers():
    assert ModelConfig.from_dict({"num_mtp_layers": 2, "num_local_experts": 64}).num_nextn_predict_layers == 2
    assert ModelConfig.from_dict({"num_key_value_heads": None, "n_group": None}).num_key_value_heads == 128


def test_all_stop_tokens_are_kept_and_written_back(tmp_path):
    cases = (([7, 8], [7, 8], {7, 8}), ([7], 7, {7}), ([7, 8, 7], [7, 8], {7, 8}), (None, None, set()))
    for read, kept, stops in cases:
        config = ModelConfig.from_dict({"eos_token_id": read})
        assert config.stop_ids == stops and config.to_dict()["eos_token_id"] == kept
        config.save_pretrained(tmp_path)
        assert ModelConfig.from_pretrained(tmp_path).stop_ids == stops


def test_keys_that_name_code_or_files_are_accepted_and_not_passed_on():
    config = ModelConfig.from_dict(
        {"auto_map": {"AutoModelForCausalLM": "evil.Model"}, "_name_or_path": "/home/somebody", "dtype": "bfloat16"}
    )
    assert "evil" not in json.dumps(config.to_dict()) and "somebody" not in json.dumps(config.to_dict())
    assert config.to_dict()["dtype"] == "bfloat16"


@pytest.mark.parametrize(
    "changes",
    [
        {},
        dict(q_lora_rank=6),
        dict(q_lora_rank=6, attention_bias=True),
        dict(attention_bias=True),
        dict(tie_word_embeddings=True),
        dict(num_nextn_predict_layers=2),
        dict(first_k_dense_replace=3),
        dict(first_k_dense_replace=4, num_nextn_predict_layers=2),
        dict(first_k_dense_replace=0),
        dict(attention="gqa", num_key_value_heads=2, attention_bias=True),
        dict(attention="mha"),
    ],
    ids=str,
)
def test_parameters_are_counted_without_building_them(changes):
    config = tiny_config(**changes)
    assert config.parameters == Transformer(config).parameter_count()


@pytest.mark.parametrize(
    "values,words",
    [
        ({"num_hiden_layers": 3}, ["num_hiden_layers", "'num_hidden_layers'"]),
        ({"kv_lora_dim": 3}, ["kv_lora_dim", "'kv_lora_rank'"]),
        ({"banana": 3}, ["banana", "ModelConfig"]),
        ({"rope_scaling": {"type": "yarn", "facto": 4}}, ["facto", "'factor'"]),
        ({"rope_scaling": {"type": "linear", "factor": 4}}, ["linear", "yarn"]),
        ({"rope_scaling": {"type": "yarn", "factor": 4}}, ["original_max_position_embeddings"]),
        ({"rope_scaling": "yarn"}, ["rope_scaling", "'yarn'"]),
        ({"rope_parameters": 3}, ["rope_parameters"]),
        (
            {"rope_parameters": {"rope_type": "default", "rope_theta": 5.0}, "rope_theta": 6.0},
            ["rope_theta", "5.0", "6.0"],
        ),
        ({"num_mtp_layers": 1, "num_nextn_predict_layers": 2}, ["num_nextn_predict_layers", "1", "2"]),
        ({"num_local_experts": 8, "n_routed_experts": 16}, ["n_routed_experts", "8", "16"]),
        ({"model_type": "llama"}, ["model_type", "llama", "deepseek_v3"]),
        ({"scoring_func": "softmax"}, ["scoring_func", "softmax", "sigmoid"]),
        ({"topk_method": "greedy"}, ["topk_method", "greedy"]),
        ({"attention_dropout": 0.1}, ["attention_dropout", "0.1"]),
        ({"moe_layer_freq": 2}, ["moe_layer_freq", "2"]),
    ],
)
def test_refused_keys(values, words):
    with pytest.raises(MinidsError) as error:
        ModelConfig.from_dict(values, where="some/config.json")
    for word in ["some/config.json" if "type" not in str(values.get("rope_scaling")) else "rope_scaling", *words]:
        assert word in str(error.value)


POSITIVE = [
    "vocab_size",
    "hidden_size",
    "intermediate_size",
    "num_hidden_layers",
    "num_attention_heads",
    "kv_lora_rank",
    "qk_rope_head_dim",
    "qk_nope_head_dim",
    "v_head_dim",
    "max_position_embeddings",
]


@pytest.mark.parametrize(
    "changes,words",
    [
        *[({key: bad}, [key, repr(bad)]) for key in POSITIVE for bad in (0, -4, 1.5, "8", True, None)],
        ({"q_lora_rank": -1}, ["q_lora_rank"]),
        ({"q_lora_rank": False}, ["q_lora_rank"]),
        ({"qk_rope_head_dim": 7}, ["qk_rope_head_dim", "even"]),
        ({"hidden_act": "gelu"}, ["hidden_act", "gelu"]),
        ({"attention": "linear"}, ["attention", "linear"]),
        ({"num_nextn_predict_layers": -1}, ["num_nextn_predict_layers"]),
        ({"num_nextn_predict_layers": 9}, ["num_nextn_predict_layers"]),
        ({"rms_norm_eps": 0.0}, ["rms_norm_eps"]),
        ({"rope_theta": -1.0}, ["rope_theta"]),
        ({"attention": "gqa", "num_key_value_heads": 3}, ["num_key_value_heads", "3", "4"]),
        ({"attention": "mha", "num_key_value_heads": 2}, ["num_key_value_heads", "gqa"]),
        ({"num_key_value_heads": 2}, ["num_key_value_heads", "gqa"]),
        ({"moe_intermediate_size": 0}, ["moe_intermediate_size"]),
        ({"n_routed_experts": 0}, ["n_routed_experts"]),
        ({"n_shared_experts": 0}, ["n_shared_experts"]),
        ({"n_group": 3}, ["n_group", "3", "16"]),
        ({"n_group": 0}, ["n_group"]),
        ({"n_group": 16}, ["2 experts"]),
        ({"topk_group": 5}, ["topk_group", "5"]),
        ({"topk_group": 0}, ["topk_group"]),
        ({"num_experts_per_tok": 9}, ["num_experts_per_tok", "9", "8"]),
        ({"num_experts_per_tok": 0}, ["num_experts_per_tok"]),
        ({"first_k_dense_replace": -1}, ["first_k_dense_replace"]),
        ({"num_experts_per_tok": "3"}, ["num_experts_per_tok"]),
        ({"q_lora_rank": 1.5}, ["q_lora_rank"]),
        ({"n_group": None}, ["n_group"]),
        ({"rms_norm_eps": "1e-6"}, ["rms_norm_eps"]),
        ({"rope_scaling": {"type": "yarn", "factor": "4", "original_max_position_embeddings": 16}}, ["factor"]),
        ({"rope_scaling": {"type": "yarn", "factor": 0, "original_max_position_embeddings": 16}}, ["factor"]),
        ({"routed_scaling_factor": None}, ["routed_scaling_factor"]),
        ({"initializer_range": -0.1}, ["initializer_range"]),
        *[
            ({"eos_token_id": bad}, ["eos_token_id"])
            for bad in ([], -1, [1, -1], 97, [1, 97], True, [True], "1", ["1"], {}, [[1]], 1.0)
        ],
        ({"num_hidden_layers": 10**9}, ["num_hidden_layers", "10000"]),
        ({"n_routed_experts": 10**9}, ["n_routed_experts"]),
        ({"hidden_size": 10**30}, ["hidden_size"]),
        ({"vocab_size": 10**15}, ["parameters"]),
        ({"moe_intermediate_size": 10**14}, ["parameters"]),
        ({"rms_norm_eps": 10**400}, ["rms_norm_eps"]),
        ({"rope_theta": float("nan")}, ["rope_theta"]),
        ({"rms_norm_eps": float("inf")}, ["rms_norm_eps"]),
        ({"rope_scaling": YARN, "rope_theta": 1}, ["rope_theta", "above 1"]),
        *[
            ({"rope_scaling": {**YARN, key: bad}}, [key])
            for key, bad in [
                ("beta_fast", "x"),
                ("beta_fast", -1),
                ("beta_slow", []),
                ("mscale", "1"),
                ("mscale", -1),
                ("mscale_all_dim", {}),
                ("attention_factor", 0),
                ("truncate", 1),
                ("factor", True),
                ("original_max_position_embeddings", 10**400),
            ]
        ],
    ],
)
def test_impossible_values(changes, words):
    with pytest.raises(MinidsError) as error:
        tiny_config(**changes)
    for word in words:
        assert word in str(error.value)


def test_a_dense_model_does_not_need_expert_sizes():
    tiny_config(first_k_dense_replace=3, n_routed_experts=1, n_group=5)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[1]",
        b'"x"',
        b"\xff\xfe",
        b"null",
        b'{"vocab_size": NaN}',
        b'{"rope_theta": -Infinity}',
        b"NaN",
        b'{"vocab_size": 9, "vocab_size": 10}',
        b"[" * 100_000,
        b'{"rope_scaling": ' + b"[" * 900 + b"]" * 900 + b"}",
        b'{"vocab_size": ' + b"9" * 5000 + b"}",
        b'{"vocab_size": ' + b"9" * 4000 + b"}",
        b'{"rms_norm_eps": 1e999}',
        b'{"eos_token_id": [' + b"1," * 100_000 + b"-1]}",
        b'{"' + b"x" * 100_000 + b'": 1}',
        b'{"a": "\\ud800"}',
    ],
    ids=lambda c: c[:20],
)
def test_unreadable_files(content, tmp_path):
    (tmp_path / "config.json").write_bytes(content)
    with pytest.raises(MinidsError, match="config.json") as error:
        ModelConfig.from_pretrained(tmp_path)
    assert len(str(error.value)) < 1000


def test_missing_file(tmp_path):
    with pytest.raises(MinidsError, match="no such file"):
        ModelConfig.from_pretrained(tmp_path)


def test_an_attention_that_the_published_type_does_not_have(tmp_path):
    (tmp_path / "config.json").write_text(
        json.dumps({"model_type": "deepseek_v3", "attention": "gqa"}), encoding="utf-8"
    )
    with pytest.raises(MinidsError, match="attention"):
        ModelConfig.from_pretrained(tmp_path)
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "minids", "attention": "mha"}), encoding="utf-8")
    assert ModelConfig.from_pretrained(tmp_path).attention == "mha"
