"""bill.attention_flops"""


def wrong_1(config, length):
    "not causal: every token looks at the whole text"
    return config.num_hidden_layers * config.num_attention_heads * 2 * (config.qk_head_dim + config.v_head_dim) * length


def wrong_2(config, length):
    "a multiplication with its addition counts as 1 FLOP"
    return config.num_hidden_layers * config.num_attention_heads * (config.qk_head_dim + config.v_head_dim) * length / 2


def wrong_3(config, length):
    "key heads instead of query heads (differs for gqa)"
    return config.num_hidden_layers * config.num_key_value_heads * 2 * (config.qk_head_dim + config.v_head_dim) * length / 2


def wrong_4(config, length):
    "takes v_head_dim = qk_head_dim: 4 d (differs when they differ)"
    return config.num_hidden_layers * config.num_attention_heads * 4 * config.qk_head_dim * length / 2


def wrong_5(config, length):
    "forgets the rotary part of queries and keys"
    return config.num_hidden_layers * config.num_attention_heads * 2 * (config.qk_nope_head_dim + config.v_head_dim) * length / 2


def wrong_6(config, length):
    "of the whole text, not of one token"
    return config.num_hidden_layers * config.num_attention_heads * (config.qk_head_dim + config.v_head_dim) * length * length


def wrong_7(config, length):
    "one layer only"
    return config.num_attention_heads * 2 * (config.qk_head_dim + config.v_head_dim) * length / 2


def wrong_8(config, length):
    "head size taken as hidden_size / heads"
    d = config.hidden_size // config.num_attention_heads
    return config.num_hidden_layers * config.num_attention_heads * 2 * (d + config.v_head_dim) * length / 2


def wrong_9(config, length):
    "for MLA counts the absorbed products (latent sizes), not those of the heads"
    if config.attention == "mla":
        d = config.kv_lora_rank + config.qk_rope_head_dim + config.kv_lora_rank
    else:
        d = config.qk_head_dim + config.v_head_dim
    return config.num_hidden_layers * config.num_attention_heads * d * length


def wrong_10(config, length):
    "2 FLOPs for the score's products, only 1 for the values'"
    each = 2 * config.qk_head_dim + config.v_head_dim
    return config.num_hidden_layers * config.num_attention_heads * each * length / 2


def right_1(config, length):
    "the half token more is counted: (length + 1) / 2"
    return config.num_hidden_layers * config.num_attention_heads * (2 * config.qk_head_dim + 2 * config.v_head_dim) * (length + 1) / 2


def right_2(config, length):
    "factors cancelled"
    return length * (config.qk_head_dim + config.v_head_dim) * config.num_attention_heads * config.num_hidden_layers


def right_3(config, length):
    "sum over the layers and both products"
    total = 0.0
    for _ in range(config.num_hidden_layers):
        scores = 2 * config.num_attention_heads * (config.qk_nope_head_dim + config.qk_rope_head_dim) * 0.5 * length
        values = 2 * config.num_attention_heads * config.v_head_dim * 0.5 * length
        total += scores + values
    return total


def right_4(config, length):
    "the whole causal triangle, divided by the number of tokens"
    pairs = length * (length + 1) / 2
    per_pair = 2 * (config.qk_head_dim + config.v_head_dim)
    return config.num_hidden_layers * config.num_attention_heads * per_pair * pairs / length
