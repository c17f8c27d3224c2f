import json

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from minids.errors import MinidsError
from minids.model import accounting
from minids.model.cache import Cache
from minids.model.config import ModelConfig
from minids.model.transformer import Transformer
from minids.run import cost

TINY = {
    "vocab_size": 300,
    "hidden_size": 32,
    "intermediate_size": 64,
    "moe_intermediate_size": 16,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "kv_lora_rank": 8,
    "q_lora_rank": 12,
    "qk_rope_head_dim": 4,
    "qk_nope_head_dim": 8,
    "v_head_dim": 6,
    "n_routed_experts": 8,
    "num_experts_per_tok": 2,
    "n_group": 1,
    "topk_group": 1,
    "n_shared_experts": 2,
    "first_k_dense_replace": 1,
}


def meta(config):
    with torch.device("meta"):
        return Transformer(config)


def test_parameters_of_v3_by_arithmetic_and_by_building_it():
    counted, model = accounting.parameters(ModelConfig()), meta(ModelConfig())
    assert round(counted["total"] / 1e9, 3) == 671.026
    assert round(accounting.active(ModelConfig()) / 1e9, 2) == 37.55
    assert counted["total"] == model.parameter_count()
    assert accounting.active(ModelConfig()) == model.parameter_count(active=True)
    assert round(accounting.multiplied(ModelConfig()) / 1e9, 2) == 36.63


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"q_lora_rank": None},
        {"attention": "mha"},
        {"attention": "gqa", "num_key_value_heads": 2},
        {"attention_bias": True},
        {"attention_bias": True, "q_lora_rank": None},
        {"attention": "mha", "attention_bias": True},
        {"tie_word_embeddings": True},
        {"first_k_dense_replace": 3},
        {"first_k_dense_replace": 0, "n_routed_experts": 16, "n_group": 4, "topk_group": 2},
    ],
    ids=str,
)
def test_parameters_equal_the_model_s(changes):
    config = ModelConfig(**{**TINY, **changes})
    counted, model = accounting.parameters(config), meta(config)
    assert counted["total"] == model.parameter_count()
    assert accounting.active(config) == model.parameter_count(active=True)


def test_attention_flops_are_half_of_what_torch_counts():
    """torch counts the whole square of scores; ours leaves out the half that causality masks. (It does not
    see our matmuls.)"""
    config = ModelConfig(**{**TINY, "attention": "mha", "first_k_dense_replace": 3})
    model, T = Transformer(config), 64
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model(torch.randint(0, config.vocab_size, (1, T)))
    products = {
        str(op): n
        for op, n in counter.get_flop_counts()["Global"].items()
        if "bmm" in str(op) or "attention" in str(op)
    }
    assert sum(products.values()) == 2 * T * accounting.attention_flops(config, T)


def test_multiplied_parameters_are_the_matrices():
    config = ModelConfig(**{**TINY, "first_k_dense_replace": 3})
    matrices = sum(m.weight.numel() for m in meta(config).modules() if isinstance(m, torch.nn.Linear))
    assert accounting.multiplied(config) == pytest.approx(matrices, rel=0.02)  # and the vectors of the norms
    assert accounting.forward_flops(config, 7, 0) == 7 * 2 * accounting.multiplied(config)
    assert accounting.training_flops(config, 7, 100) == 3 * accounting.forward_flops(config, 7, 100)


def test_v3_reproduces_the_paper():
    v3 = cost.describe("v3")
    assert v3["gpu_hours"] == {"pre-training": 2_664_000, "context extension": 119_000, "post-training": 5_000}
    assert v3["gpu_hours_total"] == 2_788_000
    assert v3["dollars"] == 5_576_000
    assert v3["gpus"] == 2048 and v3["days"] == pytest.approx(56.7, abs=0.05)
    assert v3["flops_per_token"] == pytest.approx(250e9, rel=0.005)
    assert v3["share_of_bf16_peak"] == pytest.approx(0.39, abs=0.005)
    assert v3["cache_elements_per_token"] == 35_136
    assert v3["cache_bytes_per_token"] == {"MLA": 70_272, "GQA, 8 groups": 312_320, "MHA": 4_997_120}


def test_r1_bill():
    r1 = cost.describe("r1")
    assert (r1["gpu_hours_total"], r1["dollars"]) == (147_000, 294_000)
    assert "not read" in r1["source"]


@pytest.mark.parametrize("name", ["v3", "r1", "tiny", "tiny-zero"])
def test_text_and_json(name):
    described = cost.describe(name)
    text = cost.text(described)
    assert "Assumptions" in text and all(a in text for a in described["assumptions"])
    json.dumps(described)
    if name == "v3":
        assert "$5.576M" in text and "70,272 B" in text and "arXiv 2412.19437" in text
    if name == "r1":
        assert "$0.294M" in text and "147K" in text


@pytest.mark.parametrize("kind", [{}, {"attention": "mha"}, {"attention": "gqa", "num_key_value_heads": 2}], ids=str)
def test_cache_bytes_are_what_a_cache_holds(kind):
    config = ModelConfig(**{**TINY, **kind})
    cache = Cache(config, batch=1, max_length=1)
    counted = accounting.cache_bytes(config, config.attention, config.num_key_value_heads, cache.data.element_size())
    assert counted == cache.data.numel() * cache.data.element_size()


def test_cache_of_an_unknown_kind_is_refused():
    with pytest.raises(MinidsError, match="flash"):
        accounting.cache_bytes(ModelConfig(), "flash")


def test_gpu_hours_and_back():
    hours = accounting.gpu_hours(accounting.v3_flops(), accounting.H800_BF16, accounting.v3_share())
    assert hours == pytest.approx(accounting.V3_HOURS["pre-training"])
    for share in (0, -0.1, 1.01, 39, float("nan")):
        with pytest.raises(MinidsError, match="share"):
            accounting.gpu_hours(1e15, accounting.H800_BF16, share)


def test_bill_leaves_its_hours_alone():
    hours = {"a": 100, "b": 44}
    made = accounting.bill(hours, 3.0, gpus=6)
    assert (made["gpu_hours_total"], made["dollars"], made["days"]) == (144, 432, 1)
    made["gpu_hours"]["c"] = 1
    assert hours == {"a": 100, "b": 44} and accounting.bill(hours)["days"] is None


def test_recipe_adds_up():
    tiny, zero = cost.describe("tiny"), cost.describe("tiny-zero")
    assert set(tiny["stages"]) == {"pretrain", "sft", "grpo"} and set(zero["stages"]) == {"pretrain", "grpo"}
    assert tiny["flops"] == sum(s["flops"] for s in tiny["stages"].values())
    assert (
        cost.describe("tiny", processes=1)["stages"]["pretrain"]["tokens"] * 2 == tiny["stages"]["pretrain"]["tokens"]
    )
    assert 0 < tiny["share_of_v3"] < 1e-6


def test_unknown_name_is_refused():
    with pytest.raises(MinidsError, match="tinny"):
        cost.describe("tinny")


def test_of_run():
    config = ModelConfig(**TINY)
    results = {
        "model": {"config": config.to_dict()},
        "hardware": {"processes": 2},
        "stages": [
            {"name": "tokenizer", "documents": 10, "tokens": 600, "seconds": 1.0},
            {"name": "pretrain", "tokens": 1000, "seconds": 2.0},
            {"name": "grpo", "tokens": 100, "seconds": 3.0},
            {"name": "direct", "tokens": 1000, "seconds": 9.0, "control": True},
        ],
    }
    ours = cost.of_run(results)
    pretraining, one = accounting.training_flops(config, 1000, 60), accounting.forward_flops(config, 1, 60)
    assert ours["flops"] == pretraining + 400 * one  # sampled once (1), trained on (3)
    assert (ours["seconds"], ours["process_seconds"], ours["tokens"], ours["length"]) == (5.0, 10.0, 1100, 60)
    for part in ("model", "stages"):
        assert cost.of_run({k: v for k, v in results.items() if k != part}) is None
