"""bill.attention_flops"""


def wrong_1(config, length):
    "not causal: every token looks at the whole text"
    c = config
    return c.num_hidden_layers * c.num_attention_heads * 2 * (c.qk_head_dim + c.v_head_dim) * length


def wrong_2(config, length):
    "length // 2: nothing at all for a text of one token"
    c = config
    return c.num_hidden_layers * c.num_attention_heads * 2 * (c.qk_head_dim + c.v_head_dim) * (length // 2)


def wrong_3(config, length):
    "key heads instead of query heads (differs for gqa)"
    c = config
    return c.num_hidden_layers * c.num_key_value_heads * (c.qk_head_dim + c.v_head_dim) * length


def wrong_4(config, length):
    "multiply-add counted as one FLOP"
    c = config
    return c.num_hidden_layers * c.num_attention_heads * (c.qk_head_dim + c.v_head_dim) * length / 2


def wrong_5(config, length):
    "values taken as wide as keys (differs if v_head_dim != qk_head_dim)"
    c = config
    return c.num_hidden_layers * c.num_attention_heads * 4 * c.qk_head_dim * length / 2


def wrong_6(config, length):
    "the rotary numbers are left out of queries and keys"
    c = config
    return c.num_hidden_layers * c.num_attention_heads * 2 * (c.qk_nope_head_dim + c.v_head_dim) * length / 2


def wrong_7(config, length):
    "of the whole text, not of a token"
    c = config
    return c.num_hidden_layers * c.num_attention_heads * (c.qk_head_dim + c.v_head_dim) * length * length


def wrong_8(config, length):
    "the textbook 4 * D * L / 2: wrong unless heads * dims = hidden_size"
    return config.num_hidden_layers * 4 * config.hidden_size * length / 2


def wrong_9(config, length):
    "layers of the MTP modules are counted (differs if there are any)"
    c = config
    layers = c.num_hidden_layers + c.num_nextn_predict_layers
    return layers * c.num_attention_heads * (c.qk_head_dim + c.v_head_dim) * length


def wrong_10(config, length):
    "MLA read as absorbed: products on the latents (kv_lora_rank)"
    c = config
    if c.attention == "mla":
        each = 2 * (c.kv_lora_rank + c.qk_rope_head_dim) + 2 * c.kv_lora_rank
    else:
        each = 2 * c.qk_head_dim + 2 * c.v_head_dim
    return c.num_hidden_layers * c.num_attention_heads * each * length / 2


def right_1(config, length):
    "the half token counted: (length + 1) / 2"
    c = config
    return c.num_hidden_layers * c.num_attention_heads * 2 * (c.qk_head_dim + c.v_head_dim) * (length + 1) / 2


def right_2(config, length):
    "2 and 1/2 cancelled: an integer for an integer length"
    return config.num_hidden_layers * config.num_attention_heads * (config.qk_head_dim + config.v_head_dim) * length


def right_3(config, length):
    "scores and values summed over the layers in a loop"
    flops = 0.0
    for _ in range(config.num_hidden_layers):
        scores = 2 * config.num_attention_heads * config.qk_head_dim * (length / 2)
        values = 2 * config.num_attention_heads * config.v_head_dim * (length / 2)
        flops += scores + values
    return flops


def right_4(config, length):
    "sum over the positions of a text (1 + ... + length), then divided by length"
    positions = length * (length + 1) / 2
    width = config.qk_nope_head_dim + config.qk_rope_head_dim + config.v_head_dim
    whole = positions * 2 * width * config.num_attention_heads * config.num_hidden_layers
    return whole / length
