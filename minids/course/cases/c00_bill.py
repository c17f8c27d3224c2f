"""Chapter 00: the cost model behind `minids cost`. Answers come from tables of papers, from models that are built
without storage, and from counting one by one."""

import math

import torch

from minids.course.cases import case, expect, raises
from minids.errors import MinidsError
from minids.model.cache import Cache
from minids.model.config import ModelConfig
from minids.model.transformer import Transformer

EXPERT = 3 * 64 * 24  # weights of one expert of `small`: gate, up, down


def small(**changes):
    sizes = {
        "vocab_size": 300,
        "hidden_size": 64,
        "intermediate_size": 160,
        "moe_intermediate_size": 24,
        "num_hidden_layers": 4,
        "num_attention_heads": 6,
        "kv_lora_rank": 16,
        "q_lora_rank": 20,
        "qk_rope_head_dim": 4,
        "qk_nope_head_dim": 10,
        "v_head_dim": 9,
        "n_routed_experts": 12,
        "num_experts_per_tok": 5,
        "n_group": 2,
        "topk_group": 2,
        "n_shared_experts": 2,
        "first_k_dense_replace": 1,
    }
    return ModelConfig(**{**sizes, **changes})


def kinds():
    """[(what is different, a small model)]: all kinds of attention, tied, dense, with MTP modules."""
    return [
        (str(changes), small(**changes))
        for changes in (
            {},
            {"q_lora_rank": None},
            {"tie_word_embeddings": True},
            {"attention": "mha"},
            {"attention": "gqa", "num_key_value_heads": 2},
            {"num_nextn_predict_layers": 2},
            {"num_hidden_layers": 7, "first_k_dense_replace": 3, "attention_bias": True},
            {"first_k_dense_replace": 4},
        )
    ]


def met(config):
    """Weights that a token meets, from the tensors of a built model: of E stacked experts it meets k."""
    with torch.device("meta"):
        model = Transformer(config)
    total = 0
    for name, p in model.named_parameters():
        if not name.startswith("mtp."):
            stacked = ".mlp.experts." in name
            total += p.numel() // p.shape[0] * config.num_experts_per_tok if stacked else p.numel()
    return total


def of_one_position(config):
    """FLOPs of attention for one token that looks at one position, over all heads and layers."""
    one = sum(2 for _ in range(config.qk_head_dim)) + sum(2 for _ in range(config.v_head_dim))
    return config.num_hidden_layers * config.num_attention_heads * one


def pairs_by_counting(config, length):
    """FLOPs of attention for each token of a text, one position after the other; their average."""
    return of_one_position(config) * sum(position + 1 for position in range(length)) / length


# -- active ------------------------------------------------------------------------------------------------------------


@case("bill.active")
def deepseek_v3_has_37_55_billion_active_parameters(active):
    expect(active(ModelConfig()), 37_552_282_624, config="DeepSeek-V3")
    expect(active(ModelConfig(num_nextn_predict_layers=1)), 37_552_282_624, config="DeepSeek-V3 with its MTP module")


@case("bill.active")
def the_weights_of_a_built_model_are_counted(active):
    for what, config in kinds():
        expect(active(config), met(config), config=f"a small model, {what}")


@case("bill.active")
def the_result_is_a_whole_number(active):
    for k in (1, 2, 3, 7, 11, 12):
        expect(active(small(num_experts_per_tok=k)), met(small(num_experts_per_tok=k)), num_experts_per_tok=k)


@case("bill.active")
def one_more_chosen_expert_is_one_more_in_each_moe_layer(active):
    more = active(small(num_experts_per_tok=6)) - active(small(num_experts_per_tok=5))
    expect(more, 3 * EXPERT, moe_layers=3, weights_of_an_expert=EXPERT)


@case("bill.active")
def shared_experts_are_met_by_every_token(active):
    more = active(small(n_shared_experts=4)) - active(small(n_shared_experts=2))
    expect(more, 3 * 2 * EXPERT, moe_layers=3, shared_experts_more=2, weights_of_an_expert=EXPERT)


@case("bill.active")
def a_dense_model_is_active_as_a_whole(active):
    """Whatever its config says of experts, which nobody reads."""
    for first, experts, k in ((4, 12, 5), (9, 12, 5), (4, 0, 0), (60, 0, 8)):
        config = small(first_k_dense_replace=first, n_routed_experts=experts, num_experts_per_tok=k)
        with torch.device("meta"):
            total = sum(p.numel() for p in Transformer(config).parameters())
        expect(
            active(config),
            total,
            num_hidden_layers=4,
            first_k_dense_replace=first,
            n_routed_experts=experts,
            num_experts_per_tok=k,
        )


@case("bill.active")
def experts_that_wait_cost_only_their_row_of_the_router(active):
    more = active(small(n_routed_experts=24)) - active(small(n_routed_experts=12))
    expect(more, 3 * 12 * 64, moe_layers=3, experts_more=12, hidden_size=64)


@case("bill.active")
def every_layer_may_have_experts_and_every_layer_may_be_dense(active):
    for changes in ({"first_k_dense_replace": 0}, {"first_k_dense_replace": 4}, {"first_k_dense_replace": 3}):
        expect(active(small(**changes)), met(small(**changes)), config=f"a small model of 4 layers, {changes}")


@case("bill.active", held_out=True)
def other_sizes_are_counted(active):
    for changes in (
        {"n_routed_experts": 14, "num_experts_per_tok": 3},
        {"moe_intermediate_size": 31},
        {"num_hidden_layers": 9, "first_k_dense_replace": 0},
        {"first_k_dense_replace": 7},
    ):
        expect(active(small(**changes)), met(small(**changes)), config=f"a small model, {changes}")


@case("bill.active", held_out=True)
def a_long_dense_model_has_no_experts(active):
    config = small(num_hidden_layers=2, first_k_dense_replace=3, n_routed_experts=0, n_group=1, topk_group=1)
    with torch.device("meta"):
        total = sum(p.numel() for p in Transformer(config).parameters())
    expect(active(config), total, num_hidden_layers=2, first_k_dense_replace=3, n_routed_experts=0)


# -- attention_flops ---------------------------------------------------------------------------------------------------


@case("bill.attention_flops")
def counting_position_by_position_gives_the_same(attention_flops):
    for length in (1500, 4000):
        expect(
            attention_flops(small(), length),
            pairs_by_counting(small(), length),
            tol=2e-3,
            length=length,
            layers=4,
            heads=6,
            qk_head_dim=14,
            v_head_dim=9,
        )


@case("bill.attention_flops")
def in_a_short_text_the_average_is_that_of_few_tokens(attention_flops):
    """With the half token more, or without it: as the docstring allows."""
    for length in (1, 2, 3, 7):
        got, one = attention_flops(small(), length), of_one_position(small())
        with_it = math.isclose(float(got), one * (length + 1) / 2, rel_tol=1e-6)
        expect(got, one * (length + 1) / 2 if with_it else one * length / 2, length=length, of_one_position=one)


@case("bill.attention_flops")
def deepseek_v3_spends_ten_billion_a_token_in_texts_of_4096(attention_flops):
    expect(attention_flops(ModelConfig(), 4096), 61 * 128 * (192 + 128) * 4096.0, tol=1e-3, config="DeepSeek-V3")


@case("bill.attention_flops")
def a_text_twice_as_long_costs_a_token_twice_as_much(attention_flops):
    ratio = float(attention_flops(small(), 6000)) / float(attention_flops(small(), 3000))
    expect(ratio, 2.0, tol=1e-3, lengths=(3000, 6000))


@case("bill.attention_flops")
def keys_and_values_may_be_of_different_width(attention_flops):
    for key, value in ((30, 5), (3, 20)):
        config = small(qk_nope_head_dim=key, v_head_dim=value)
        expect(
            attention_flops(config, 3000),
            pairs_by_counting(config, 3000),
            tol=1e-3,
            qk_head_dim=key + 4,
            v_head_dim=value,
        )


@case("bill.attention_flops")
def sharing_keys_among_heads_saves_no_products(attention_flops):
    shared = small(attention="gqa", num_key_value_heads=2)
    expect(attention_flops(shared, 3000), pairs_by_counting(shared, 3000), tol=1e-3, heads=6, groups=2)


@case("bill.attention_flops")
def every_layer_attends_and_no_other_size_matters(attention_flops):
    for what, config in [*kinds(), ("another latent", small(kv_lora_rank=48, hidden_size=80, vocab_size=99))]:
        expect(
            attention_flops(config, 2000),
            pairs_by_counting(config, 2000),
            tol=1e-3,
            config=f"a small model, {what}",
            layers=config.num_hidden_layers,
        )


@case("bill.attention_flops", held_out=True)
def the_size_of_the_latent_does_not_matter(attention_flops):
    config = small(kv_lora_rank=48, q_lora_rank=None)
    expect(attention_flops(config, 3000), pairs_by_counting(config, 3000), tol=1e-3, kv_lora_rank=48)


@case("bill.attention_flops", held_out=True)
def layers_with_and_without_experts_attend(attention_flops):
    config = small(num_hidden_layers=7, first_k_dense_replace=3, num_nextn_predict_layers=1)
    expect(attention_flops(config, 2001), pairs_by_counting(config, 2001), tol=1e-3, num_hidden_layers=7)


# -- training_flops ----------------------------------------------------------------------------------------------------


def training_by_counting(config, length):
    """FLOPs of training on a token: three products of 2 FLOPs for every weight that is multiplied, and attention's."""
    looked_up = 0 if config.tie_word_embeddings else config.vocab_size * config.hidden_size
    return 3 * (2.0 * (met(config) - looked_up) + pairs_by_counting(config, length))


@case("bill.training_flops")
def deepseek_v3_needs_250_billion_a_token(training_flops):
    expect(training_flops(ModelConfig(), 1, 4096), 250.46e9, tol=1e-3, config="DeepSeek-V3", tokens=1, length=4096)
    expect(
        training_flops(ModelConfig(), 14.8e12, 4096),
        14.8e12 * 250.46e9,
        tol=1e-3,
        config="DeepSeek-V3",
        tokens=14.8e12,
        length=4096,
    )


@case("bill.training_flops")
def counting_weights_and_positions_gives_the_same(training_flops):
    for tokens, length in ((10, 800), (4000, 4000), (9001, 2000)):
        expect(
            training_flops(small(), tokens, length),
            tokens * training_by_counting(small(), length),
            tol=1e-3,
            config="a small model",
            tokens=tokens,
            length=length,
        )


@case("bill.training_flops")
def twice_the_tokens_are_twice_the_flops(training_flops):
    once, twice = (float(training_flops(small(), n, 2000)) for n in (5000, 10000))
    expect(twice / once, 2.0, tol=1e-6, tokens=(5000, 10000))


@case("bill.training_flops")
def longer_texts_add_attention_forward_and_backward(training_flops):
    short, long = (float(training_flops(small(), 1, n)) for n in (4000, 8000))
    want = 3 * (pairs_by_counting(small(), 8000) - pairs_by_counting(small(), 4000))
    expect(long - short, want, tol=1e-3, tokens=1, lengths=(4000, 8000))


@case("bill.training_flops")
def a_longer_vocabulary_costs_in_the_head_alone(training_flops):
    less, more = (float(training_flops(small(vocab_size=v), 1, 100)) for v in (300, 400))
    expect(more - less, 6.0 * 100 * 64, tol=1e-6, words_more=100, hidden_size=64)


@case("bill.training_flops")
def a_tied_head_is_multiplied_too(training_flops):
    config = small(tie_word_embeddings=True)
    expect(training_flops(config, 3, 1000), 3 * training_by_counting(config, 1000), tol=1e-3, tied=True)


@case("bill.training_flops")
def models_of_other_kinds_by_counting(training_flops):
    for what, config in kinds():
        expect(
            training_flops(config, 7, 1500),
            7 * training_by_counting(config, 1500),
            tol=1e-3,
            config=f"a small model, {what}",
            tokens=7,
            length=1500,
        )


@case("bill.training_flops")
def no_tokens_cost_nothing(training_flops):
    expect(training_flops(small(), 0, 1000), 0.0, tokens=0)


@case("bill.training_flops", held_out=True)
def a_tied_dense_model_by_counting(training_flops):
    config = small(tie_word_embeddings=True, first_k_dense_replace=6, n_routed_experts=0)
    expect(training_flops(config, 11, 1200), 11 * training_by_counting(config, 1200), tol=1e-3, tied=True, dense=True)


@case("bill.training_flops", held_out=True)
def fewer_tokens_than_a_text_has(training_flops):
    config = small(attention="gqa", num_key_value_heads=3)
    want = 999 * training_by_counting(config, 3000)
    expect(training_flops(config, 999, 3000), want, tol=1e-3, tokens=999, length=3000)


# -- gpu_hours ---------------------------------------------------------------------------------------------------------


@case("bill.gpu_hours")
def an_hour_at_full_speed_is_an_hour(gpu_hours):
    for share in (1.0, 1):
        expect(gpu_hours(3.6e18, 1e15, share), 1.0, flops=3.6e18, peak=1e15, share=share)


@case("bill.gpu_hours")
def half_the_speed_takes_twice_the_hours(gpu_hours):
    expect(gpu_hours(3.6e18, 1e15, 0.5), 2.0, flops=3.6e18, peak=1e15, share=0.5)


@case("bill.gpu_hours")
def v3_at_39_percent_of_an_h800_takes_2_67_million_hours(gpu_hours):
    expect(gpu_hours(3.7068e24, 989e12, 0.39), 2.6696e6, tol=1e-3, flops=3.7068e24, peak=989e12, share=0.39)


@case("bill.gpu_hours")
def an_impossible_share_is_refused(gpu_hours):
    for share in (39, 1.5, 1.000001, 2, -0.2, -1):
        raises(MinidsError, gpu_hours, 3.6e18, 1e15, share, because=f"share = {share}, which cannot be")


@case("bill.gpu_hours")
def a_share_of_nothing_or_of_nan_is_refused(gpu_hours):
    for share in (0, 0.0, math.nan, math.inf, -math.inf):
        raises(
            MinidsError,
            gpu_hours,
            3.6e18,
            1e15,
            share,
            because=f"share = {share}, which does not lie above 0 and at most at 1",
        )


@case("bill.gpu_hours")
def a_small_share_takes_long_and_a_small_task_is_done_soon(gpu_hours):
    for flops, peak, share, hours in (
        (3.6e18, 1e15, 1e-6, 1e6),
        (3.6e17, 1e15, 0.5, 0.2),
        (0, 1e15, 0.4, 0.0),
        (1e18, 312e12, 0.7, 1e18 / 312e12 / 0.7 / 3600),
    ):
        expect(gpu_hours(flops, peak, share), hours, flops=flops, peak=peak, share=share)


@case("bill.gpu_hours", held_out=True)
def other_gpus_and_shares(gpu_hours):
    for flops, peak, share, hours in ((7.2e15, 1e12, 0.1, 20.0), (9e17, 312e12, 0.5, 9e17 / 156e12 / 3600)):
        expect(gpu_hours(flops, peak, share), hours, flops=flops, peak=peak, share=share)


@case("bill.gpu_hours", held_out=True)
def other_shares_that_cannot_be(gpu_hours):
    for share in (100, 1.01, -1e-9, 0, float("nan")):
        raises(MinidsError, gpu_hours, 1e18, 1e15, share, because=f"share = {share}, which cannot be")


# -- bill --------------------------------------------------------------------------------------------------------------


def table_1():
    return {"pre-training": 2_664_000, "context extension": 119_000, "post-training": 5_000}


def whole(hours, total, rent, dollars, gpus, days):
    return {
        "gpu_hours": hours,
        "gpu_hours_total": total,
        "dollars_per_hour": rent,
        "dollars": dollars,
        "gpus": gpus,
        "days": days,
    }


@case("bill.dollars")
def table_1_of_the_v3_report(bill):
    want = whole(table_1(), 2_788_000.0, 2.0, 5_576_000.0, 2048, 2_788_000 / 49_152)
    expect(bill(table_1(), gpus=2048), want, hours=table_1(), gpus=2048)


@case("bill.dollars")
def another_rent(bill):
    hours = {"a": 100, "b": 50}
    for rent, dollars in ((3.5, 525.0), (0.25, 37.5), (0, 0.0)):
        want = whole(hours, 150.0, float(rent), dollars, None, None)
        expect(bill(dict(hours), rent), want, hours=hours, dollars_per_hour=rent)


@case("bill.dollars")
def parts_of_an_hour_count_and_nothing_is_rounded(bill):
    hours = {"a": 1.25, "b": 0, "c": 0.125}
    want = whole({"a": 1.25, "b": 0, "c": 0.125}, 1.375, 1.5, 2.0625, 5, 1.375 / 120)
    expect(bill(hours, 1.5, 5), want, tol=1e-9, hours=hours, dollars_per_hour=1.5, gpus=5)


@case("bill.dollars")
def without_a_number_of_gpus_there_are_no_days(bill):
    for hours in ({"a": 48}, {}):
        got = bill(dict(hours), 2.0)
        want = whole(hours, float(sum(hours.values())), 2.0, 2.0 * sum(hours.values()), None, None)
        expect(got, want, hours=hours, dollars_per_hour=2.0)


@case("bill.dollars")
def three_gpus_need_a_third_of_the_days(bill):
    for gpus, days in ((1, 6.0), (3, 2.0), (4, 1.5)):
        expect(
            bill({"a": 96, "b": 48}, 2.0, gpus),
            whole({"a": 96, "b": 48}, 144.0, 2.0, 288.0, gpus, days),
            hours={"a": 96, "b": 48},
            gpus=gpus,
        )


@case("bill.dollars")
def the_hours_come_back_in_a_dict_of_their_own(bill):
    given = {"a": 7, "b": 8}
    got = bill(given, 2.0)
    expect(got["gpu_hours"], {"a": 7, "b": 8}, hours=given)
    got["gpu_hours"]["c"] = 1
    assert given == {"a": 7, "b": 8}, "adding a stage to the bill changed the dict that was passed in: copy it"


@case("bill.dollars")
def no_stages_are_free(bill):
    expect(bill({}, 2.0, 8), whole({}, 0.0, 2.0, 0.0, 8, 0.0), hours={}, gpus=8)


@case("bill.dollars", held_out=True)
def one_long_and_one_short_stage(bill):
    hours = {"short": 12.5, "long": 1000}
    expect(bill(dict(hours), 4, 16), whole(hours, 1012.5, 4.0, 4050.0, 16, 1012.5 / 384), hours=hours, gpus=16)


@case("bill.dollars", held_out=True)
def r1_s_own_bill(bill):
    hours = {"R1-Zero": 101_000, "SFT data": 5_000, "R1": 41_000}
    expect(bill(dict(hours)), whole(hours, 147_000.0, 2.0, 294_000.0, None, None), hours=hours)


# -- cache_bytes -------------------------------------------------------------------------------------------------------


@case("bill.cache_bytes")
def deepseek_v3_keeps_70_272_bytes_a_token(cache_bytes):
    expect(cache_bytes(ModelConfig(), "mla"), 70_272.0, tol=1e-9, config="DeepSeek-V3", attention="mla")


@case("bill.cache_bytes")
def as_mha_it_would_be_five_million(cache_bytes):
    expect(cache_bytes(ModelConfig(), "mha"), 4_997_120.0, tol=1e-9, config="DeepSeek-V3", attention="mha")


@case("bill.cache_bytes")
def llama_3_1_405b_keeps_516_096_bytes_a_token(cache_bytes):
    llama = ModelConfig(num_hidden_layers=126, qk_nope_head_dim=64, qk_rope_head_dim=64, v_head_dim=128)
    expect(
        cache_bytes(llama, "gqa", 8),
        516_096.0,
        tol=1e-9,
        num_hidden_layers=126,
        heads=128,
        qk_head_dim=128,
        v_head_dim=128,
        attention="gqa",
        groups=8,
    )


@case("bill.cache_bytes")
def the_library_s_cache_holds_as_much(cache_bytes):
    for kind, groups in (("mla", 6), ("gqa", 3), ("gqa", 1), ("mha", 6)):
        config = small(attention=kind, num_key_value_heads=groups)
        want = float(Cache(config, batch=1, max_length=1).data.numel() * 4)
        expect(
            cache_bytes(config, kind, groups, 4),
            want,
            tol=1e-9,
            attention=kind,
            groups=groups,
            bytes_per_element=4,
            layers=4,
            heads=6,
            qk_head_dim=14,
            v_head_dim=9,
            kv_lora_rank=16,
            qk_rope_head_dim=4,
        )


@case("bill.cache_bytes")
def what_the_config_itself_has_does_not_matter(cache_bytes):
    """Nor do its MTP modules, which are not counted."""
    for own, heads in (("gqa", 2), ("mha", 6), ("mla", 6)):
        config = small(attention=own, num_key_value_heads=heads, num_nextn_predict_layers=2)
        for kind, groups, elements in (("gqa", 3, 3 * 23), ("gqa", 1, 23), ("mha", None, 6 * 23), ("mla", None, 20)):
            expect(
                cache_bytes(config, kind, groups),
                4.0 * elements * 2,
                tol=1e-9,
                attention=kind,
                groups=groups,
                config=f"attention {own!r}, num_key_value_heads {heads}, num_hidden_layers 4, heads 6, "
                "qk_head_dim 14, v_head_dim 9, kv_lora_rank 16, qk_rope_head_dim 4",
            )


@case("bill.cache_bytes")
def groups_are_read_for_gqa_alone(cache_bytes):
    for kind, elements in (("mha", 6 * 23), ("mla", 16 + 4)):
        expect(
            cache_bytes(small(), kind, 2, 1),
            4.0 * elements,
            tol=1e-9,
            attention=kind,
            groups=2,
            heads=6,
            bytes_per_element=1,
        )


@case("bill.cache_bytes")
def an_unknown_kind_is_refused(cache_bytes):
    for config in (small(), small(attention="mha")):
        for kind in ("flash", "mqa", "mla2", "gqa-8", ""):
            raises(MinidsError, cache_bytes, config, kind, 2, because=f"attention = {kind!r}, which is not known")


@case("bill.cache_bytes", held_out=True)
def as_many_groups_as_heads_are_mha(cache_bytes):
    config = small(qk_nope_head_dim=3, v_head_dim=20)
    expect(cache_bytes(config, "gqa", 6, 1), 4.0 * 6 * (7 + 20), tol=1e-9, groups=6, heads=6, bytes_per_element=1)
    expect(cache_bytes(config, "mha", None, 1), 4.0 * 6 * (7 + 20), tol=1e-9, heads=6, bytes_per_element=1)


@case("bill.cache_bytes", held_out=True)
def deepseek_v3_as_gqa_of_8_groups(cache_bytes):
    expect(cache_bytes(ModelConfig(), "gqa", 8), 312_320.0, tol=1e-9, config="DeepSeek-V3", attention="gqa", groups=8)


@case("bill.cache_bytes", held_out=True)
def another_unknown_kind_is_refused(cache_bytes):
    raises(
        MinidsError,
        cache_bytes,
        small(attention="gqa", num_key_value_heads=2),
        "gqa2",
        2,
        because="attention = 'gqa2', which is not known",
    )
