"""Chapter 00: the cost model behind `minids cost`. Answers come from tables of papers, from models that are built
without storage, and from counting one by one."""

import torch

from minids.course.cases import case, expect
from minids.model.cache import Cache
from minids.model.config import ModelConfig
from minids.model.transformer import Transformer

V3 = ModelConfig()
SMALL = {
    "vocab_size": 300, "hidden_size": 64, "intermediate_size": 160, "moe_intermediate_size": 24,
    "num_hidden_layers": 4, "num_attention_heads": 6, "kv_lora_rank": 16, "q_lora_rank": 20, "qk_rope_head_dim": 4,
    "qk_nope_head_dim": 10, "v_head_dim": 9, "n_routed_experts": 12, "num_experts_per_tok": 5, "n_group": 2,
    "topk_group": 2, "n_shared_experts": 2, "first_k_dense_replace": 1,
}  # fmt: skip
EXPERT = 3 * 64 * 24  # weights of one expert of SMALL: gate, up, down


def small(**changes):
    return ModelConfig(**{**SMALL, **changes})


def met(config):
    """Weights that a token meets, from the tensors of a built model: of E stacked experts it meets k."""
    with torch.device("meta"):
        model = Transformer(config)
    total = 0
    for name, p in model.named_parameters():
        stacked = ".mlp.experts." in name
        total += p.numel() // p.shape[0] * config.num_experts_per_tok if stacked else p.numel()
    return total


def pairs_by_counting(config, length):
    """FLOPs of attention for each token of a text, one position after the other; their average."""
    one = sum(2 for _ in range(config.qk_head_dim)) + sum(2 for _ in range(config.v_head_dim))
    text = sum(one * (position + 1) for position in range(length))
    return config.num_hidden_layers * config.num_attention_heads * text / length


def refused(fn, *args):
    try:
        got = fn(*args)
    except Exception:
        return True, None
    return False, got


# -- active ------------------------------------------------------------------------------------------------------------


@case("ship.cost.active")
def deepseek_v3_has_37_55_billion_active_parameters(active):
    expect(active(V3), 37_552_282_624, config="DeepSeek-V3")


@case("ship.cost.active")
def the_weights_of_a_built_model_are_counted(active):
    for changes in ({}, {"q_lora_rank": None}, {"num_experts_per_tok": 1}, {"tie_word_embeddings": True}):
        expect(active(small(**changes)), met(small(**changes)), config=f"a small model, {changes}")


@case("ship.cost.active")
def one_more_chosen_expert_is_one_more_in_each_moe_layer(active):
    more = active(small(num_experts_per_tok=6)) - active(small(num_experts_per_tok=5))
    expect(more, 3 * EXPERT, moe_layers=3, weights_of_an_expert=EXPERT)


@case("ship.cost.active")
def shared_experts_are_met_by_every_token(active):
    more = active(small(n_shared_experts=4)) - active(small(n_shared_experts=2))
    expect(more, 3 * 2 * EXPERT, moe_layers=3, shared_experts_more=2, weights_of_an_expert=EXPERT)


@case("ship.cost.active")
def a_dense_model_is_active_as_a_whole(active):
    config = small(first_k_dense_replace=4)
    with torch.device("meta"):
        total = sum(p.numel() for p in Transformer(config).parameters())
    expect(active(config), total, first_k_dense_replace=4, num_hidden_layers=4)


@case("ship.cost.active", held_out=True)
def experts_that_wait_cost_only_their_row_of_the_router(active):
    more = active(small(n_routed_experts=24)) - active(small(n_routed_experts=12))
    expect(more, 3 * 12 * 64, moe_layers=3, experts_more=12, hidden_size=64)


@case("ship.cost.active", held_out=True)
def the_result_is_a_whole_number(active):
    for k in (1, 2, 3, 7, 11):
        got = active(small(num_experts_per_tok=k))
        expect(got, met(small(num_experts_per_tok=k)), num_experts_per_tok=k)
        assert got == int(got), f"parameters come in whole numbers, got {got!r}"


# -- attention_flops ---------------------------------------------------------------------------------------------------


@case("ship.cost.attention_flops")
def counting_position_by_position_gives_the_same(attention_flops):
    for length in (1500, 4000):
        expect(attention_flops(small(), length), pairs_by_counting(small(), length), tol=2e-3, length=length,
               layers=4, heads=6, qk_head_dim=14, v_head_dim=9)  # fmt: skip


@case("ship.cost.attention_flops")
def deepseek_v3_spends_ten_billion_a_token_in_texts_of_4096(attention_flops):
    expect(attention_flops(V3, 4096), 61 * 128 * (192 + 128) * 4096.0, tol=1e-3, config="DeepSeek-V3")


@case("ship.cost.attention_flops")
def a_text_twice_as_long_costs_a_token_twice_as_much(attention_flops):
    ratio = float(attention_flops(small(), 6000)) / float(attention_flops(small(), 3000))
    expect(ratio, 2.0, tol=1e-3, lengths=(3000, 6000))


@case("ship.cost.attention_flops")
def keys_and_values_may_be_of_different_width(attention_flops):
    config = small(qk_nope_head_dim=30, v_head_dim=5)
    expect(attention_flops(config, 3000), pairs_by_counting(config, 3000), tol=1e-3, qk_head_dim=34, v_head_dim=5)


@case("ship.cost.attention_flops")
def sharing_keys_among_heads_saves_no_products(attention_flops):
    shared = small(attention="gqa", num_key_value_heads=2)
    expect(attention_flops(shared, 3000), pairs_by_counting(shared, 3000), tol=1e-3, heads=6, groups=2)


@case("ship.cost.attention_flops", held_out=True)
def the_size_of_the_latent_does_not_matter(attention_flops):
    config = small(kv_lora_rank=48, q_lora_rank=None)
    expect(attention_flops(config, 3000), pairs_by_counting(config, 3000), tol=1e-3, kv_lora_rank=48)


@case("ship.cost.attention_flops", held_out=True)
def layers_with_and_without_experts_attend(attention_flops):
    config = small(num_hidden_layers=7, first_k_dense_replace=3)
    expect(attention_flops(config, 2000), pairs_by_counting(config, 2000), tol=1e-3, num_hidden_layers=7)


# -- training_flops ----------------------------------------------------------------------------------------------------


def training_by_counting(config, length):
    """FLOPs of training on a token: three products of 2 FLOPs for every weight that is multiplied, and attention's."""
    looked_up = 0 if config.tie_word_embeddings else config.vocab_size * config.hidden_size
    return 3 * (2.0 * (met(config) - looked_up) + pairs_by_counting(config, length))


@case("ship.cost.training_flops")
def deepseek_v3_needs_250_billion_a_token(training_flops):
    expect(training_flops(V3, 1, 4096), 250.46e9, tol=1e-3, config="DeepSeek-V3", tokens=1, length=4096)


@case("ship.cost.training_flops")
def counting_weights_and_positions_gives_the_same(training_flops):
    for length in (800, 4000):
        expect(training_flops(small(), 10, length), 10 * training_by_counting(small(), length), tol=1e-3,
               config="a small model", tokens=10, length=length)  # fmt: skip


@case("ship.cost.training_flops")
def twice_the_tokens_are_twice_the_flops(training_flops):
    once, twice = (float(training_flops(small(), n, 2000)) for n in (5000, 10000))
    expect(twice / once, 2.0, tol=1e-6, tokens=(5000, 10000))


@case("ship.cost.training_flops")
def longer_texts_add_attention_forward_and_backward(training_flops):
    short, long = (float(training_flops(small(), 1, n)) for n in (4000, 8000))
    want = 3 * (pairs_by_counting(small(), 8000) - pairs_by_counting(small(), 4000))
    expect(long - short, want, tol=1e-3, tokens=1, lengths=(4000, 8000))


@case("ship.cost.training_flops")
def a_longer_vocabulary_costs_in_the_head_alone(training_flops):
    less, more = (float(training_flops(small(vocab_size=v), 1, 100)) for v in (300, 400))
    expect(more - less, 6.0 * 100 * 64, tol=1e-6, words_more=100, hidden_size=64)


@case("ship.cost.training_flops", held_out=True)
def a_tied_head_is_multiplied_too(training_flops):
    config = small(tie_word_embeddings=True)
    expect(training_flops(config, 3, 1000), 3 * training_by_counting(config, 1000), tol=1e-3, tied=True)


@case("ship.cost.training_flops", held_out=True)
def no_tokens_cost_nothing(training_flops):
    expect(training_flops(small(), 0, 1000), 0.0, tokens=0)


# -- gpu_hours ---------------------------------------------------------------------------------------------------------


@case("ship.cost.gpu_hours")
def an_hour_at_full_speed_is_an_hour(gpu_hours):
    expect(gpu_hours(3.6e18, 1e15, 1.0), 1.0, flops=3.6e18, peak=1e15, share=1.0)


@case("ship.cost.gpu_hours")
def half_the_speed_takes_twice_the_hours(gpu_hours):
    expect(gpu_hours(3.6e18, 1e15, 0.5), 2.0, flops=3.6e18, peak=1e15, share=0.5)


@case("ship.cost.gpu_hours")
def v3_at_39_percent_of_an_h800_takes_2_67_million_hours(gpu_hours):
    expect(gpu_hours(3.7068e24, 989e12, 0.39), 2.6696e6, tol=1e-3, flops=3.7068e24, peak=989e12, share=0.39)


@case("ship.cost.gpu_hours")
def an_impossible_share_is_refused(gpu_hours):
    for share in (39, 1.5, -0.2, 0):
        stopped, got = refused(gpu_hours, 3.6e18, 1e15, share)
        assert stopped, f"share = {share} cannot be: raise MinidsError, as the docstring says (got {got!r})"


@case("ship.cost.gpu_hours", held_out=True)
def other_gpus_and_shares(gpu_hours):
    for flops, peak, share, hours in ((7.2e15, 1e12, 0.1, 20.0), (9e14, 312e12, 0.5, 9e14 / 156e12 / 3600)):
        expect(gpu_hours(flops, peak, share), hours, flops=flops, peak=peak, share=share)


# -- bill --------------------------------------------------------------------------------------------------------------


TABLE_1 = {"pre-training": 2_664_000, "context extension": 119_000, "post-training": 5_000}


@case("ship.cost.bill")
def table_1_of_the_v3_report(bill):
    want = {
        "gpu_hours": TABLE_1, "gpu_hours_total": 2_788_000, "dollars_per_hour": 2.0, "dollars": 5_576_000.0,
        "gpus": 2048, "days": 2_788_000 / 49_152,
    }  # fmt: skip
    expect(bill(dict(TABLE_1), gpus=2048), want, hours=TABLE_1, gpus=2048)


@case("ship.cost.bill")
def another_rent(bill):
    got = bill({"a": 100, "b": 50}, 3.5)
    expect(got["dollars"], 525.0, hours={"a": 100, "b": 50}, dollars_per_hour=3.5)
    expect(got["dollars_per_hour"], 3.5, hours={"a": 100, "b": 50}, dollars_per_hour=3.5)


@case("ship.cost.bill")
def without_a_number_of_gpus_there_are_no_days(bill):
    got = bill({"a": 48}, 2.0)
    assert got["days"] is None, f"days: nobody said how many GPUs, so None was expected, got {got['days']!r}"
    assert got["gpus"] is None, f"gpus: None was given, got {got['gpus']!r}"


@case("ship.cost.bill")
def three_gpus_need_a_third_of_the_days(bill):
    expect(bill({"a": 144}, 2.0, 3)["days"], 2.0, hours={"a": 144}, gpus=3)


@case("ship.cost.bill")
def the_hours_come_back_in_a_dict_of_their_own(bill):
    given = {"a": 7, "b": 8}
    got = bill(given, 2.0)
    assert got["gpu_hours"] == {"a": 7, "b": 8}, f"gpu_hours: the stages as given were expected, got {got['gpu_hours']}"
    got["gpu_hours"]["c"] = 1
    assert given == {"a": 7, "b": 8}, "adding a stage to the bill changed the dict that was passed in: copy it"


@case("ship.cost.bill", held_out=True)
def no_stages_are_free(bill):
    got = bill({}, 2.0, 8)
    expect([got["gpu_hours_total"], got["dollars"], got["days"]], [0.0, 0.0, 0.0], hours={}, gpus=8)


@case("ship.cost.bill", held_out=True)
def r1_s_own_bill(bill):
    got = bill({"R1-Zero": 101_000, "SFT data": 5_000, "R1": 41_000})
    expect([got["gpu_hours_total"], got["dollars"]], [147_000.0, 294_000.0])


# -- cache_bytes -------------------------------------------------------------------------------------------------------


@case("ship.cost.cache_bytes")
def deepseek_v3_keeps_70_272_bytes_a_token(cache_bytes):
    expect(cache_bytes(V3, "mla"), 70_272, config="DeepSeek-V3", attention="mla")


@case("ship.cost.cache_bytes")
def as_mha_it_would_be_five_million(cache_bytes):
    expect(cache_bytes(V3, "mha"), 4_997_120, config="DeepSeek-V3", attention="mha")


@case("ship.cost.cache_bytes")
def llama_3_1_405b_keeps_516_096_bytes_a_token(cache_bytes):
    llama = ModelConfig(num_hidden_layers=126, qk_nope_head_dim=64, qk_rope_head_dim=64, v_head_dim=128)
    expect(cache_bytes(llama, "gqa", 8), 516_096, num_hidden_layers=126, heads=128, qk_head_dim=128, v_head_dim=128,
           attention="gqa", groups=8)  # fmt: skip


@case("ship.cost.cache_bytes")
def the_library_s_cache_holds_as_much(cache_bytes):
    for kind, groups in (("mla", 6), ("gqa", 3), ("gqa", 1), ("mha", 6)):
        config = small(attention=kind, num_key_value_heads=groups)
        want = Cache(config, batch=1, max_length=1).data.numel() * 4
        expect(cache_bytes(config, kind, groups, 4), want, attention=kind, groups=groups, bytes_per_element=4,
               layers=4, heads=6, qk_head_dim=14, v_head_dim=9, kv_lora_rank=16, qk_rope_head_dim=4)  # fmt: skip


@case("ship.cost.cache_bytes")
def what_the_config_itself_has_does_not_matter(cache_bytes):
    config = small(attention="gqa", num_key_value_heads=2)
    expect(cache_bytes(config, "gqa", 3), 4 * 3 * (14 + 9) * 2, num_key_value_heads=2, attention="gqa", groups=3)
    expect(cache_bytes(config, "mla"), 4 * (16 + 4) * 2, num_key_value_heads=2, attention="mla")


@case("ship.cost.cache_bytes")
def an_unknown_kind_is_refused(cache_bytes):
    stopped, got = refused(cache_bytes, small(), "flash")
    assert stopped, f'attention "flash" is not known: raise MinidsError, as the docstring says (got {got!r})'


@case("ship.cost.cache_bytes", held_out=True)
def as_many_groups_as_heads_are_mha(cache_bytes):
    config = small(qk_nope_head_dim=3, v_head_dim=20)
    expect(cache_bytes(config, "gqa", 6, 1), 4 * 6 * (7 + 20), groups=6, heads=6, bytes_per_element=1)
    expect(cache_bytes(config, "mha", None, 1), 4 * 6 * (7 + 20), heads=6, bytes_per_element=1)


@case("ship.cost.cache_bytes", held_out=True)
def deepseek_v3_as_gqa_of_8_groups(cache_bytes):
    expect(cache_bytes(V3, "gqa", 8), 312_320, config="DeepSeek-V3", attention="gqa", groups=8)
