"""Chapter 00: mistakes in a cost model, each one made in print, and other right ways."""

from dataclasses import replace

from minids.course.wrong import alternative, wrong
from minids.errors import MinidsError
from minids.model.accounting import forward_flops, multiplied, parameters

# -- active ------------------------------------------------------------------------------------------------------------

ACTIVE = "bill.active"


@wrong(
    ACTIVE,
    mistake="every expert works on every token",
    ask="How many of the 256 routed experts does the router of a layer choose for one token?",
    refused_by="deepseek_v3_has_37_55_billion_active_parameters",
)
def all_of_them(config):
    return parameters(config)["total"]


@wrong(
    ACTIVE,
    mistake="the embedding is left out (that is N, the multiplied parameters)",
    ask="A token does not multiply the embedding. Does it meet its row of it?",
    refused_by="the_weights_of_a_built_model_are_counted",
)
def without_the_embedding(config):
    p = parameters(config)
    chosen = p["routed experts"] * config.num_experts_per_tok // config.n_routed_experts
    return p["total"] - p["routed experts"] + chosen - p["embedding"]


@wrong(
    ACTIVE,
    mistake="each token chose one expert a layer",
    ask="Which field of the config says how many experts a token is sent to?",
    refused_by="one_more_chosen_expert_is_one_more_in_each_moe_layer",
)
def one_expert(config):
    p = parameters(config)
    return p["total"] - p["routed experts"] + p["routed experts"] // config.n_routed_experts


@wrong(
    ACTIVE,
    mistake="the shared experts were chosen by the router too",
    ask="What distinguishes a shared expert from a routed one?",
    refused_by="shared_experts_are_met_by_every_token",
)
def shared_ones_scaled(config):
    p = parameters(config)
    experts = p["routed experts"] + p["shared experts"]
    return p["total"] - experts + experts * config.num_experts_per_tok // config.n_routed_experts


@wrong(
    ACTIVE,
    mistake="the chosen experts were taken away and the waiting ones kept",
    ask="Which is larger in DeepSeek-V3, what a token meets of the experts or what it does not?",
    refused_by="deepseek_v3_has_37_55_billion_active_parameters",
)
def the_other_experts(config):
    p = parameters(config)
    return p["total"] - p["routed experts"] * config.num_experts_per_tok // config.n_routed_experts


@wrong(
    ACTIVE,
    mistake="the router looked at the chosen experts only",
    ask="How can the router know which experts are best without a score for each?",
    refused_by="the_weights_of_a_built_model_are_counted",
)
def router_scaled(config):
    p = parameters(config)
    scaled = p["routed experts"] + p["router"]
    return p["total"] - scaled + scaled * config.num_experts_per_tok // config.n_routed_experts


@wrong(
    ACTIVE,
    mistake="the layers without experts had waiting experts too",
    ask="What stands in the first first_k_dense_replace layers?",
    refused_by="a_dense_model_is_active_as_a_whole",
)
def experts_in_every_layer(config):
    one = 3 * config.hidden_size * config.moe_intermediate_size
    idle = config.n_routed_experts - config.num_experts_per_tok
    return parameters(config)["total"] - config.num_hidden_layers * idle * one


@wrong(
    ACTIVE,
    mistake="a token met all experts of the groups that it is limited to",
    ask="Group limits (topk_group of n_group) say where a token may go. How many experts does it go to?",
    refused_by="one_more_chosen_expert_is_one_more_in_each_moe_layer",
)
def groups_for_experts(config):
    p = parameters(config)
    return p["total"] - p["routed experts"] + p["routed experts"] * config.topk_group // config.n_group


@wrong(
    ACTIVE,
    mistake="every config named a number of routed experts above 0",
    ask="A dense model may say n_routed_experts = 0. What does your division make of it?",
    refused_by="a_dense_model_is_active_as_a_whole",
)
def divides_by_no_experts(config):
    p = parameters(config)
    chosen = p["routed experts"] * config.num_experts_per_tok // config.n_routed_experts
    return p["total"] - p["routed experts"] + chosen


@wrong(
    ACTIVE,
    mistake="first_k_dense_replace were never more than there are layers",
    ask="4 layers, of which the first 9 are dense: how many MoE layers are there?",
    refused_by="a_dense_model_is_active_as_a_whole",
)
def fewer_than_no_layers(config):
    p, layers = parameters(config), config.num_hidden_layers - config.first_k_dense_replace
    one = 3 * config.hidden_size * config.moe_intermediate_size
    return p["total"] - p["routed experts"] + layers * config.num_experts_per_tok * one


@wrong(
    ACTIVE,
    mistake="parameters came in fractions (a float)",
    ask="Which of `/` and `//` gives an integer?",
    refused_by="the_result_is_a_whole_number",
)
def a_share_of_them(config):
    p = parameters(config)
    return p["total"] - p["routed experts"] * (1 - config.num_experts_per_tok / max(1, config.n_routed_experts))


@alternative(ACTIVE)
def as_the_hints_say(config):
    p = parameters(config)
    routed = p["routed experts"]
    return p["total"] - routed + routed * config.num_experts_per_tok // max(1, config.n_routed_experts)


@alternative(ACTIVE)
def part_by_part(config):
    share, total = config.num_experts_per_tok / max(1, config.n_routed_experts), 0
    for part, size in parameters(config).items():
        if part != "total":
            total += round(size * share) if part == "routed experts" else size
    return total


@alternative(ACTIVE)
def minus_the_idle(config):
    moe = max(0, config.num_hidden_layers - config.first_k_dense_replace)
    idle = config.n_routed_experts - config.num_experts_per_tok
    return parameters(config)["total"] - moe * idle * 3 * config.hidden_size * config.moe_intermediate_size


# -- attention_flops ---------------------------------------------------------------------------------------------------

ATTENTION = "bill.attention_flops"


def _each(config):
    return 2 * (config.qk_head_dim + config.v_head_dim)


@wrong(
    ATTENTION,
    mistake="every token looked at the whole text, also at what follows",
    ask="How many positions may the first token look at, how many the last, how many are that on average?",
    refused_by="counting_position_by_position_gives_the_same",
)
def not_causal(config, length):
    return config.num_hidden_layers * config.num_attention_heads * _each(config) * length


@wrong(
    ATTENTION,
    mistake="a multiplication with its addition were one FLOP",
    ask="A dot product of d numbers: how many multiplications, and how many additions?",
    refused_by="counting_position_by_position_gives_the_same",
)
def one_flop_each(config, length):
    return config.num_hidden_layers * config.num_attention_heads * _each(config) / 2 * length / 2


@wrong(
    ATTENTION,
    mistake="the scores were all, and the values were never summed up",
    ask="What is done with the weights once the softmax has made them?",
    refused_by="counting_position_by_position_gives_the_same",
)
def scores_only(config, length):
    return config.num_hidden_layers * config.num_attention_heads * 2 * config.qk_head_dim * length / 2


@wrong(
    ATTENTION,
    mistake="values were as wide as keys",
    ask="In MLA a key has a part without position and a rotated part. Which of them does a value have?",
    refused_by="keys_and_values_may_be_of_different_width",
)
def values_as_wide_as_keys(config, length):
    return config.num_hidden_layers * config.num_attention_heads * 4 * config.qk_head_dim * length / 2


@wrong(
    ATTENTION,
    mistake="the rotated part of queries and keys took no part in the score",
    ask="Of which two parts is a query of MLA made, and which of them enter the score?",
    refused_by="deepseek_v3_spends_ten_billion_a_token_in_texts_of_4096",
)
def without_the_rotated_part(config, length):
    each = 2 * (config.qk_nope_head_dim + config.v_head_dim)
    return config.num_hidden_layers * config.num_attention_heads * each * length / 2


@wrong(
    ATTENTION,
    mistake="the model had one layer",
    ask="How often does a token attend on its way through the model?",
    refused_by="counting_position_by_position_gives_the_same",
)
def one_layer(config, length):
    return config.num_attention_heads * _each(config) * length / 2


@wrong(
    ATTENTION,
    mistake="heads that share keys shared their products too",
    ask="Two heads with the same keys, but each with its own query: how many scores are computed?",
    refused_by="sharing_keys_among_heads_saves_no_products",
)
def groups_for_heads(config, length):
    return config.num_hidden_layers * config.num_key_value_heads * _each(config) * length / 2


@wrong(
    ATTENTION,
    mistake="the whole text had been asked for, not one token of it",
    ask="The sum over all tokens grows with the square of the length. What does one of them cost, on average?",
    refused_by="a_text_twice_as_long_costs_a_token_twice_as_much",
)
def the_whole_text(config, length):
    return config.num_hidden_layers * config.num_attention_heads * _each(config) * length / 2 * length


@wrong(
    ATTENTION,
    mistake="half a token did not count",
    ask="length // 2 for a text of 1 token: how many positions are that?",
    refused_by="in_a_short_text_the_average_is_that_of_few_tokens",
)
def half_rounded_down(config, length):
    return config.num_hidden_layers * config.num_attention_heads * _each(config) * (length // 2)


@wrong(
    ATTENTION,
    mistake="the heads of MLA multiplied latents, as they may when a model answers",
    ask="How wide are the keys and values of which the docstring speaks?",
    refused_by="counting_position_by_position_gives_the_same",
)
def absorbed(config, length):
    each = 2 * (2 * config.kv_lora_rank + config.qk_rope_head_dim) if config.attention == "mla" else _each(config)
    return config.num_hidden_layers * config.num_attention_heads * each * length / 2


@alternative(ATTENTION)
def as_the_hints_say_too(config, length):
    return (
        config.num_hidden_layers
        * config.num_attention_heads
        * 2
        * (config.qk_head_dim + config.v_head_dim)
        * (length / 2)
    )


@alternative(ATTENTION)
def with_the_half_token(config, length):
    seen = sum(range(1, length + 1)) / length
    return config.num_hidden_layers * config.num_attention_heads * _each(config) * seen


@alternative(ATTENTION)
def layer_by_layer(config, length):
    total = 0
    for _ in range(config.num_hidden_layers):
        scores = config.num_attention_heads * length * config.qk_head_dim
        values = config.num_attention_heads * length * config.v_head_dim
        total += scores + values
    return total


# -- training_flops ----------------------------------------------------------------------------------------------------

TRAINING = "bill.training_flops"


def _attention(config, length):
    return config.num_hidden_layers * config.num_attention_heads * _each(config) / 2 * length


@wrong(
    TRAINING,
    mistake="the forward pass were all",
    ask="Where do the gradients come from, and what do they cost?",
    refused_by="deepseek_v3_needs_250_billion_a_token",
)
def forward_alone(config, tokens, length):
    return tokens * (2 * multiplied(config) + _attention(config, length))


@wrong(
    TRAINING,
    mistake="backward cost as much as forward",
    ask="For y = x W, backward needs the gradient of two things. Which products give them?",
    refused_by="counting_weights_and_positions_gives_the_same",
)
def backward_once(config, tokens, length):
    return tokens * 2 * (2 * multiplied(config) + _attention(config, length))


@wrong(
    TRAINING,
    mistake="attention's own products cost nothing (the rule of thumb 6 N)",
    ask="The rule 6 N counts products with weights. In which products is neither factor a weight?",
    refused_by="longer_texts_add_attention_forward_and_backward",
)
def six_n(config, tokens, length):
    return tokens * 6 * multiplied(config)


@wrong(
    TRAINING,
    mistake="attention's products had no backward pass",
    ask="The scores are a product of queries and keys. Which two gradients does it need?",
    refused_by="longer_texts_add_attention_forward_and_backward",
)
def attention_forward_only(config, tokens, length):
    return tokens * (6 * multiplied(config) + _attention(config, length))


@wrong(
    TRAINING,
    mistake="every expert works on every token",
    ask="671 billion parameters, but how many of them does one token meet?",
    refused_by="deepseek_v3_needs_250_billion_a_token",
)
def dense(config, tokens, length):
    p = parameters(config)
    return tokens * 3 * (2 * (p["total"] - p["embedding"]) + _attention(config, length))


@wrong(
    TRAINING,
    mistake="the embedding were multiplied with each token",
    ask="What is computed when a row of a table is looked up?",
    refused_by="a_longer_vocabulary_costs_in_the_head_alone",
)
def embedding_multiplied(config, tokens, length):
    looked_up = parameters(config)["embedding"] * (not config.tie_word_embeddings)
    return tokens * 3 * (2 * (multiplied(config) + looked_up) + _attention(config, length))


@wrong(
    TRAINING,
    mistake="one token had been asked for",
    ask="Which argument did the result not use?",
    refused_by="twice_the_tokens_are_twice_the_flops",
)
def a_single_token(config, tokens, length):
    return 3 * (2 * multiplied(config) + _attention(config, length))


@wrong(
    TRAINING,
    mistake="a multiplication with its addition were one FLOP",
    ask="N weights are multiplied and the products are added up. How many operations are that?",
    refused_by="a_longer_vocabulary_costs_in_the_head_alone",
)
def three_n(config, tokens, length):
    return tokens * 3 * (multiplied(config) + _attention(config, length))


@wrong(
    TRAINING,
    mistake="only whole texts were trained on",
    ask="9,001 tokens in texts of 2,000: what of the last 1,001?",
    refused_by="counting_weights_and_positions_gives_the_same",
)
def whole_texts(config, tokens, length):
    return tokens // length * length * 3 * (2 * multiplied(config) + _attention(config, length))


@alternative(TRAINING)
def three_times_forward(config, tokens, length):
    return 3 * forward_flops(config, tokens, length)


@alternative(TRAINING)
def product_by_product(config, tokens, length):
    forward = 2 * multiplied(config) + _attention(config, length)
    for_the_inputs, for_the_weights = forward, forward
    return (forward + for_the_inputs + for_the_weights) * tokens


# -- gpu_hours ---------------------------------------------------------------------------------------------------------

HOURS = "bill.gpu_hours"


def _guard(share):
    if not 0 < share <= 1:
        raise MinidsError("share")


@wrong(
    HOURS,
    mistake="the result were seconds",
    ask="FLOPs divided by FLOPs a second: which unit is left?",
    refused_by="an_hour_at_full_speed_is_an_hour",
)
def seconds(flops, peak, share):
    _guard(share)
    return flops / (peak * share)


@wrong(
    HOURS,
    mistake="an hour had 60 seconds",
    ask="How many seconds has an hour?",
    refused_by="an_hour_at_full_speed_is_an_hour",
)
def minutes(flops, peak, share):
    _guard(share)
    return flops / (peak * share) / 60


@wrong(
    HOURS,
    mistake="a slower program were done sooner: the share multiplies the hours",
    ask="At half the speed, does the work take half as long or twice as long?",
    refused_by="half_the_speed_takes_twice_the_hours",
)
def share_multiplies(flops, peak, share):
    _guard(share)
    return flops / peak * share / 3600


@wrong(
    HOURS,
    mistake="every program reached the peak of the data sheet",
    ask="Which argument did the result not use?",
    refused_by="half_the_speed_takes_twice_the_hours",
)
def always_at_peak(flops, peak, share):
    _guard(share)
    return flops / peak / 3600


@wrong(
    HOURS,
    mistake="the share were given in percent",
    ask="Is 0.39 here 39 % or 0.39 %?",
    refused_by="an_hour_at_full_speed_is_an_hour",
)
def in_percent(flops, peak, share):
    _guard(share)
    return flops / (peak * share / 100) / 3600


@wrong(
    HOURS,
    mistake="any number were a share of the peak",
    ask="What would a share of 39 mean, and what does the docstring promise for it?",
    refused_by="an_impossible_share_is_refused",
)
def unguarded(flops, peak, share):
    return flops / (peak * share) / 3600


@wrong(
    HOURS,
    mistake="an impossible share were corrected in silence",
    ask="Somebody who writes 39 means 39 %. What would they believe about the number that comes back?",
    refused_by="an_impossible_share_is_refused",
)
def clamped(flops, peak, share):
    return flops / (peak * min(max(share, 1e-6), 1.0)) / 3600


@wrong(
    HOURS,
    mistake="a share of exactly 1 were refused",
    ask="The docstring says: above 0 and at most 1. Is 1 at most 1?",
    refused_by="an_hour_at_full_speed_is_an_hour",
)
def full_speed_refused(flops, peak, share):
    if not 0 < share < 1:
        raise MinidsError("share")
    return flops / (peak * share) / 3600


@wrong(
    HOURS,
    mistake="NaN lay between 0 and 1",
    ask="NaN <= 0 is False, and NaN > 1? What does `not 0 < share <= 1` say of it?",
    refused_by="a_share_of_nothing_or_of_nan_is_refused",
)
def nan_passes(flops, peak, share):
    if share <= 0 or share > 1:
        raise MinidsError("share")
    return flops / (peak * share) / 3600


@wrong(
    HOURS,
    mistake="a share of 0 could be divided by",
    ask="The docstring says: above 0. Is 0 above 0?",
    refused_by="a_share_of_nothing_or_of_nan_is_refused",
)
def zero_passes(flops, peak, share):
    if share < 0 or not share <= 1:
        raise MinidsError("share")
    return flops / (peak * share) / 3600


@wrong(
    HOURS,
    mistake="any error would do (ValueError)",
    ask="Which error does the docstring name?",
    refused_by="an_impossible_share_is_refused",
)
def another_error(flops, peak, share):
    if not 0 < share <= 1:
        raise ValueError(f"share {share}")
    return flops / (peak * share) / 3600


@alternative(HOURS)
def speed_first(flops, peak, share):
    if not share > 0 or share > 1:
        raise MinidsError(f"a share of {share} cannot be")
    an_hour = peak * share * 60 * 60
    return flops / an_hour


@alternative(HOURS)
def seconds_first(flops, peak, share):
    if share > 1:
        raise MinidsError("nothing is faster than its peak")
    if share > 0:
        at_peak = flops / peak
        return at_peak / share / 3600
    raise MinidsError("nothing is done at that speed")


# -- bill --------------------------------------------------------------------------------------------------------------

BILL = "bill.dollars"


def _bill(hours, rent, gpus, total, dollars, days):
    return {
        "gpu_hours": dict(hours),
        "gpu_hours_total": total,
        "dollars_per_hour": rent,
        "dollars": dollars,
        "gpus": gpus,
        "days": days,
    }


@wrong(
    BILL,
    mistake="only the largest stage had been paid for",
    ask="Table 1 of the report has three stages. Which of them does $5.328M pay for?",
    refused_by="table_1_of_the_v3_report",
)
def pretraining_only(hours, dollars_per_hour=2.0, gpus=None):
    total = max(hours.values(), default=0)
    return _bill(hours, dollars_per_hour, gpus, total, total * dollars_per_hour, total / gpus / 24 if gpus else None)


@wrong(
    BILL,
    mistake="the rent were always 2 dollars",
    ask="Which argument did the result not use?",
    refused_by="another_rent",
)
def two_dollars(hours, dollars_per_hour=2.0, gpus=None):
    total = sum(hours.values())
    return _bill(hours, dollars_per_hour, gpus, total, total * 2.0, total / gpus / 24 if gpus else None)


@wrong(
    BILL,
    mistake="one GPU did all the work, however many there are",
    ask="48 GPU hours on two GPUs: how long does one wait for the result?",
    refused_by="three_gpus_need_a_third_of_the_days",
)
def days_of_one(hours, dollars_per_hour=2.0, gpus=None):
    total = sum(hours.values())
    return _bill(hours, dollars_per_hour, gpus, total, total * dollars_per_hour, total / 24 if gpus else None)


@wrong(
    BILL,
    mistake="the days were hours",
    ask="GPU hours divided by GPUs: which unit is left?",
    refused_by="three_gpus_need_a_third_of_the_days",
)
def hours_as_days(hours, dollars_per_hour=2.0, gpus=None):
    total = sum(hours.values())
    return _bill(hours, dollars_per_hour, gpus, total, total * dollars_per_hour, total / gpus if gpus else None)


@wrong(
    BILL,
    mistake="every GPU had its own rent on top: GPU hours were multiplied by GPUs",
    ask="2,788K GPU hours: have the 2,048 GPUs been counted in that number already?",
    refused_by="table_1_of_the_v3_report",
)
def gpus_paid_twice(hours, dollars_per_hour=2.0, gpus=None):
    total = sum(hours.values())
    dollars = total * dollars_per_hour * (gpus or 1)
    return _bill(hours, dollars_per_hour, gpus, total, dollars, total / gpus / 24 if gpus else None)


@wrong(
    BILL,
    mistake="one GPU were meant where none are named",
    ask="What does the docstring promise for `days` if `gpus` is None?",
    refused_by="without_a_number_of_gpus_there_are_no_days",
)
def one_gpu_if_none(hours, dollars_per_hour=2.0, gpus=None):
    total = sum(hours.values())
    return _bill(hours, dollars_per_hour, gpus, total, total * dollars_per_hour, total / (gpus or 1) / 24)


@wrong(
    BILL,
    mistake="the bill shared its dict with the caller",
    ask="What happens to the caller's hours when somebody adds a stage to the bill?",
    refused_by="the_hours_come_back_in_a_dict_of_their_own",
)
def same_dict(hours, dollars_per_hour=2.0, gpus=None):
    total = sum(hours.values())
    days = total / gpus / 24 if gpus else None
    return {**_bill(hours, dollars_per_hour, gpus, total, total * dollars_per_hour, days), "gpu_hours": hours}


@wrong(
    BILL,
    mistake="the dollars were millions of dollars",
    ask="Which unit does the docstring give for `dollars`?",
    refused_by="table_1_of_the_v3_report",
)
def in_millions(hours, dollars_per_hour=2.0, gpus=None):
    total = sum(hours.values())
    days = total / gpus / 24 if gpus else None
    return _bill(hours, dollars_per_hour, gpus, total, total * dollars_per_hour / 1e6, days)


@wrong(
    BILL,
    mistake="a rent of 0 were no rent, and the usual one were meant",
    ask="`dollars_per_hour or 2.0`: what is it for 0?",
    refused_by="another_rent",
)
def nothing_is_the_default(hours, dollars_per_hour=2.0, gpus=None):
    total, rent = sum(hours.values()), dollars_per_hour or 2.0
    return _bill(hours, rent, gpus, total, total * rent, total / gpus / 24 if gpus else None)


@wrong(
    BILL,
    mistake="only whole days counted",
    ask="144 hours on 4 GPUs: how many days are that?",
    refused_by="three_gpus_need_a_third_of_the_days",
)
def whole_days(hours, dollars_per_hour=2.0, gpus=None):
    total = sum(hours.values())
    return _bill(hours, dollars_per_hour, gpus, total, total * dollars_per_hour, total // gpus // 24 if gpus else None)


@alternative(BILL)
def stage_by_stage(hours, dollars_per_hour=2.0, gpus=None):
    stages, total, dollars = {}, 0, 0.0
    for name, n in hours.items():
        stages[name] = n
        total += n
        dollars += n * dollars_per_hour
    days = None
    if gpus is not None:
        days = total / (24 * gpus)
    return {
        "days": days,
        "gpus": gpus,
        "dollars": dollars,
        "gpu_hours": stages,
        "gpu_hours_total": total,
        "dollars_per_hour": dollars_per_hour,
    }


@alternative(BILL)
def as_one_expression(hours, dollars_per_hour=2.0, gpus=None):
    return dict(
        gpu_hours={**hours},
        gpu_hours_total=sum(hours.values()),
        dollars_per_hour=dollars_per_hour,
        dollars=sum(h * dollars_per_hour for h in hours.values()),
        gpus=gpus,
        days=None if gpus is None else sum(hours.values()) / gpus / 24,
    )


# -- cache_bytes -------------------------------------------------------------------------------------------------------

CACHE = "bill.cache_bytes"


def _known(attention):
    if attention not in ("mla", "mha", "gqa"):
        raise MinidsError("attention")


def _elements(config, attention, pairs):
    _known(attention)
    if attention == "mla":
        return config.kv_lora_rank + config.qk_rope_head_dim
    return pairs * (config.qk_head_dim + config.v_head_dim)


def _pairs(config, attention, groups):
    return config.num_attention_heads if attention == "mha" else groups


@wrong(
    CACHE,
    mistake="MLA kept the latent alone",
    ask="Which part of a key cannot be computed from the latent, because position has been turned into it?",
    refused_by="deepseek_v3_keeps_70_272_bytes_a_token",
)
def latent_alone(config, attention, groups=None, bytes_per_element=2):
    rope = config.qk_rope_head_dim if attention == "mla" else 0
    elements = _elements(config, attention, _pairs(config, attention, groups)) - rope
    return config.num_hidden_layers * elements * bytes_per_element


@wrong(
    CACHE,
    mistake="each head of MLA kept a rotated key of its own",
    ask="How many heads use the one rotated key (V2 paper, section 2.1.3)?",
    refused_by="deepseek_v3_keeps_70_272_bytes_a_token",
)
def rotated_key_a_head(config, attention, groups=None, bytes_per_element=2):
    more = (config.num_attention_heads - 1) * config.qk_rope_head_dim if attention == "mla" else 0
    elements = _elements(config, attention, _pairs(config, attention, groups)) + more
    return config.num_hidden_layers * elements * bytes_per_element


@wrong(
    CACHE,
    mistake="MLA kept one latent for keys and one for values",
    ask="From how many latents are keys and values computed?",
    refused_by="deepseek_v3_keeps_70_272_bytes_a_token",
)
def two_latents(config, attention, groups=None, bytes_per_element=2):
    more = config.kv_lora_rank if attention == "mla" else 0
    elements = _elements(config, attention, _pairs(config, attention, groups)) + more
    return config.num_hidden_layers * elements * bytes_per_element


@wrong(
    CACHE,
    mistake="the model had one layer",
    ask="Which layers keep something of a token?",
    refused_by="deepseek_v3_keeps_70_272_bytes_a_token",
)
def one_layer_only(config, attention, groups=None, bytes_per_element=2):
    return _elements(config, attention, _pairs(config, attention, groups)) * bytes_per_element


@wrong(
    CACHE,
    mistake="only keys were kept, no values",
    ask="What is weighted and summed up after the softmax, and where does it come from for old tokens?",
    refused_by="as_mha_it_would_be_five_million",
)
def keys_only(config, attention, groups=None, bytes_per_element=2):
    _known(attention)
    elements = _pairs(config, attention, groups or 1) * config.qk_head_dim
    if attention == "mla":
        elements = config.kv_lora_rank + config.qk_rope_head_dim
    return config.num_hidden_layers * elements * bytes_per_element


@wrong(
    CACHE,
    mistake="values were as wide as keys",
    ask="How many numbers has a key here, and how many a value?",
    refused_by="as_mha_it_would_be_five_million",
)
def twice_the_keys(config, attention, groups=None, bytes_per_element=2):
    _known(attention)
    elements = _pairs(config, attention, groups or 1) * 2 * config.qk_head_dim
    if attention == "mla":
        elements = config.kv_lora_rank + config.qk_rope_head_dim
    return config.num_hidden_layers * elements * bytes_per_element


@wrong(
    CACHE,
    mistake="`groups` were the number of heads in a group",
    ask="128 heads in 8 groups: how many keys does a layer keep of a token?",
    refused_by="llama_3_1_405b_keeps_516_096_bytes_a_token",
)
def heads_in_a_group(config, attention, groups=None, bytes_per_element=2):
    pairs = config.num_attention_heads // (groups if attention == "gqa" else 1)
    return config.num_hidden_layers * _elements(config, attention, pairs) * bytes_per_element


@wrong(
    CACHE,
    mistake="GQA kept as much as MHA",
    ask="What do the heads of one group share?",
    refused_by="llama_3_1_405b_keeps_516_096_bytes_a_token",
)
def groups_ignored(config, attention, groups=None, bytes_per_element=2):
    elements = _elements(config, attention, config.num_attention_heads)
    return config.num_hidden_layers * elements * bytes_per_element


@wrong(
    CACHE,
    mistake="the config's own grouping counted, not `groups`",
    ask="The function asks 'what if'. Where does it say how many groups there would be?",
    refused_by="what_the_config_itself_has_does_not_matter",
)
def groups_of_the_config(config, attention, groups=None, bytes_per_element=2):
    pairs = config.num_attention_heads if attention == "mha" else config.num_key_value_heads
    return config.num_hidden_layers * _elements(config, attention, pairs) * bytes_per_element


@wrong(
    CACHE,
    mistake="every number had 2 bytes",
    ask="Which argument did the result not use?",
    refused_by="the_library_s_cache_holds_as_much",
)
def always_two_bytes(config, attention, groups=None, bytes_per_element=2):
    return config.num_hidden_layers * _elements(config, attention, _pairs(config, attention, groups)) * 2


@wrong(
    CACHE,
    mistake="whatever is not MLA or GQA were MHA",
    ask="What does the docstring promise for a kind that it does not list?",
    refused_by="an_unknown_kind_is_refused",
)
def unknown_is_mha(config, attention, groups=None, bytes_per_element=2):
    kind = attention if attention in ("mla", "gqa") else "mha"
    return config.num_hidden_layers * _elements(config, kind, _pairs(config, kind, groups)) * bytes_per_element


@wrong(
    CACHE,
    mistake="mha had as many keys as the config has groups",
    ask="How many heads have a key of their own in mha, whatever this config does?",
    refused_by="what_the_config_itself_has_does_not_matter",
)
def mha_by_the_config(config, attention, groups=None, bytes_per_element=2):
    pairs = config.num_key_value_heads if attention == "mha" else groups
    return config.num_hidden_layers * _elements(config, attention, pairs) * bytes_per_element


@wrong(
    CACHE,
    mistake="MTP modules were layers of the model",
    ask="Which layers does the docstring count, and which not?",
    refused_by="what_the_config_itself_has_does_not_matter",
)
def mtp_modules_too(config, attention, groups=None, bytes_per_element=2):
    layers = config.num_hidden_layers + config.num_nextn_predict_layers
    return layers * _elements(config, attention, _pairs(config, attention, groups)) * bytes_per_element


@wrong(
    CACHE,
    mistake="any error would do (KeyError)",
    ask="Which error does the docstring name?",
    refused_by="an_unknown_kind_is_refused",
)
def key_error(config, attention, groups=None, bytes_per_element=2):
    pair = config.qk_head_dim + config.v_head_dim
    kinds = {
        "mla": config.kv_lora_rank + config.qk_rope_head_dim,
        "mha": config.num_attention_heads * pair,
        "gqa": (groups or 0) * pair,
    }
    return config.num_hidden_layers * kinds[attention] * bytes_per_element


@alternative(CACHE)
def mha_is_gqa_of_single_heads(config, attention, groups=None, bytes_per_element=2):
    if attention not in ("mla", "mha", "gqa"):
        raise MinidsError(f"attention {attention!r}")
    if attention == "mha":
        return mha_is_gqa_of_single_heads(config, "gqa", config.num_attention_heads, bytes_per_element)
    per_layer = (
        groups * (config.qk_head_dim + config.v_head_dim)
        if attention == "gqa"
        else (config.kv_lora_rank + config.qk_rope_head_dim)
    )
    return sum(per_layer for _ in range(config.num_hidden_layers)) * bytes_per_element


@alternative(CACHE)
def asks_the_config(config, attention, groups=None, bytes_per_element=2):
    if attention not in ("mla", "mha", "gqa"):
        raise MinidsError(f"{attention} is not known")
    heads = groups if attention == "gqa" else config.num_attention_heads
    other = replace(config, attention=attention, num_key_value_heads=heads)
    return other.num_hidden_layers * other.cache_elements * bytes_per_element


@alternative(CACHE)
def from_a_table(config, attention, groups=None, bytes_per_element=2):
    pair = config.qk_nope_head_dim + config.qk_rope_head_dim + config.v_head_dim
    table = {
        "mla": config.kv_lora_rank + config.qk_rope_head_dim,
        "mha": config.num_attention_heads * pair,
        "gqa": (groups or 0) * pair,
    }
    if attention not in table:
        raise MinidsError(f"{attention} is not one of {', '.join(table)}")
    return sum(table[attention] * bytes_per_element for _ in range(config.num_hidden_layers))
