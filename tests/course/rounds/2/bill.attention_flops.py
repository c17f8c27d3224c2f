"""bill.attention_flops"""


def wrong_1(config, length):
    "every token looks at the whole text: twice too much"
    return config.num_hidden_layers * config.num_attention_heads * 2 * (config.qk_head_dim + config.v_head_dim) * length


def wrong_2(config, length):
    "a multiplication with its addition counted as one FLOP"
    return config.num_hidden_layers * config.num_attention_heads * (config.qk_head_dim + config.v_head_dim) * length / 2


def wrong_3(config, length):
    "num_key_value_heads instead of query heads: wrong for gqa"
    return config.num_hidden_layers * config.num_key_value_heads * (config.qk_head_dim + config.v_head_dim) * length


def wrong_4(config, length):
    "values taken to be as wide as keys (twice qk_head_dim)"
    return config.num_hidden_layers * config.num_attention_heads * 2 * config.qk_head_dim * length


def wrong_5(config, length):
    "the rotary part of queries and keys forgotten"
    return config.num_hidden_layers * config.num_attention_heads * (config.qk_nope_head_dim + config.v_head_dim) * length


def wrong_6(config, length):
    "only the scores are halved for causality, the values are not"
    return config.num_hidden_layers * config.num_attention_heads * (config.qk_head_dim * length + 2 * config.v_head_dim * length)


def wrong_7(config, length):
    "MTP layers counted: wrong for num_nextn_predict_layers > 0"
    layers = config.num_hidden_layers + config.num_nextn_predict_layers
    return layers * config.num_attention_heads * (config.qk_head_dim + config.v_head_dim) * length


def wrong_8(config, length):
    "of the whole text, not of a token"
    return config.num_hidden_layers * config.num_attention_heads * (config.qk_head_dim + config.v_head_dim) * length * length


def wrong_9(config, length):
    "length // 2: 0 for a text of one token, which looks at itself, a third too little for 3"
    return config.num_hidden_layers * config.num_attention_heads * 2 * (config.qk_head_dim + config.v_head_dim) * (length // 2)


def wrong_10(config, length):
    "length is cut to max_position_embeddings: wrong for longer texts"
    length = min(length, config.max_position_embeddings)
    return config.num_hidden_layers * config.num_attention_heads * (config.qk_head_dim + config.v_head_dim) * length


def right_1(config, length):
    "the mean of 1 ... length, half a token more"
    each = 2 * (config.qk_head_dim + config.v_head_dim)
    return config.num_hidden_layers * config.num_attention_heads * each * (length + 1) / 2


def right_2(config, length):
    "the 2 of the FLOP and the half of the text cancelled: an integer"
    return config.num_hidden_layers * config.num_attention_heads * (config.qk_head_dim + config.v_head_dim) * length


def right_3(config, length):
    "scores and values summed layer by layer"
    total = 0.0
    for _ in range(config.num_hidden_layers):
        scores = 2 * (config.qk_nope_head_dim + config.qk_rope_head_dim) * 0.5 * length
        values = 2 * config.v_head_dim * 0.5 * length
        total += config.num_attention_heads * (scores + values)
    return total


def right_4(config, length):
    "all pairs of a text (triangle with its diagonal), divided by its tokens"
    pairs = length * (length + 1) // 2
    flops = pairs * 2 * (config.qk_head_dim + config.v_head_dim)
    return config.num_hidden_layers * config.num_attention_heads * flops / length
