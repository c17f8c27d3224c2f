"""bill.cache_bytes"""


def _layers(config, elements, bytes_per_element):
    return config.num_hidden_layers * elements * bytes_per_element


def wrong_1(config, attention, groups=None, bytes_per_element=2):
    "mha with num_key_value_heads (differs for a gqa config)"
    pair = config.qk_head_dim + config.v_head_dim
    if attention == "mla":
        return _layers(config, config.kv_lora_rank + config.qk_rope_head_dim, bytes_per_element)
    if attention == "mha":
        return _layers(config, config.num_key_value_heads * pair, bytes_per_element)
    if attention == "gqa":
        return _layers(config, groups * pair, bytes_per_element)
    raise MinidsError(attention)


def wrong_2(config, attention, groups=None, bytes_per_element=2):
    "gqa reads the config's key heads, not `groups`"
    pair = config.qk_head_dim + config.v_head_dim
    if attention == "mla":
        return _layers(config, config.kv_lora_rank + config.qk_rope_head_dim, bytes_per_element)
    if attention == "mha":
        return _layers(config, config.num_attention_heads * pair, bytes_per_element)
    if attention == "gqa":
        return _layers(config, config.num_key_value_heads * pair, bytes_per_element)
    raise MinidsError(attention)


def wrong_3(config, attention, groups=None, bytes_per_element=2):
    "MTP layers are counted (differs if there are any)"
    pair = config.qk_head_dim + config.v_head_dim
    sizes = {"mla": config.kv_lora_rank + config.qk_rope_head_dim, "mha": config.num_attention_heads * pair,
             "gqa": (groups or 1) * pair}
    if attention not in sizes:
        raise MinidsError(attention)
    return (config.num_hidden_layers + config.num_nextn_predict_layers) * sizes[attention] * bytes_per_element


def wrong_4(config, attention, groups=None, bytes_per_element=2):
    "a rotated key for each head in mla"
    pair = config.qk_head_dim + config.v_head_dim
    sizes = {"mla": config.kv_lora_rank + config.num_attention_heads * config.qk_rope_head_dim,
             "mha": config.num_attention_heads * pair, "gqa": (groups or 1) * pair}
    if attention not in sizes:
        raise MinidsError(attention)
    return _layers(config, sizes[attention], bytes_per_element)


def wrong_5(config, attention, groups=None, bytes_per_element=2):
    "keys without their rotary numbers"
    pair = config.qk_nope_head_dim + config.v_head_dim
    sizes = {"mla": config.kv_lora_rank + config.qk_rope_head_dim,
             "mha": config.num_attention_heads * pair, "gqa": (groups or 1) * pair}
    if attention not in sizes:
        raise MinidsError(attention)
    return _layers(config, sizes[attention], bytes_per_element)


def wrong_6(config, attention, groups=None, bytes_per_element=2):
    "groups, if given, stand in for the heads of mha too"
    if attention not in ("mla", "gqa", "mha"):
        raise MinidsError(attention)
    if attention == "mla":
        return _layers(config, config.kv_lora_rank + config.qk_rope_head_dim, bytes_per_element)
    pairs = groups or config.num_attention_heads
    return _layers(config, pairs * (config.qk_head_dim + config.v_head_dim), bytes_per_element)


def wrong_7(config, attention, groups=None, bytes_per_element=2):
    "KeyError for an unknown kind"
    pair = config.qk_head_dim + config.v_head_dim
    sizes = {"mla": config.kv_lora_rank + config.qk_rope_head_dim,
             "mha": config.num_attention_heads * pair, "gqa": (groups or 1) * pair}
    return _layers(config, sizes[attention], bytes_per_element)


def wrong_8(config, attention, groups=None, bytes_per_element=2):
    "heads // groups pairs in gqa: groups read as heads a group"
    pair = config.qk_head_dim + config.v_head_dim
    if attention == "mla":
        return _layers(config, config.kv_lora_rank + config.qk_rope_head_dim, bytes_per_element)
    if attention == "mha":
        return _layers(config, config.num_attention_heads * pair, bytes_per_element)
    if attention == "gqa":
        return _layers(config, config.num_attention_heads // groups * pair, bytes_per_element)
    raise MinidsError(attention)


def wrong_9(config, attention, groups=None, bytes_per_element=2):
    "values as wide as keys: 2 * qk_head_dim (differs if v_head_dim does)"
    sizes = {"mla": config.kv_lora_rank + config.qk_rope_head_dim,
             "mha": config.num_attention_heads * 2 * config.qk_head_dim, "gqa": (groups or 1) * 2 * config.qk_head_dim}
    if attention not in sizes:
        raise MinidsError(attention)
    return _layers(config, sizes[attention], bytes_per_element)


def wrong_10(config, attention, groups=None, bytes_per_element=2):
    "the config's own kind is answered by cache_elements: wrong for a gqa config asked for other groups"
    pair = config.qk_head_dim + config.v_head_dim
    if attention == config.attention:
        return _layers(config, config.cache_elements, bytes_per_element)
    sizes = {"mla": config.kv_lora_rank + config.qk_rope_head_dim,
             "mha": config.num_attention_heads * pair, "gqa": (groups or 1) * pair}
    if attention not in sizes:
        raise MinidsError(attention)
    return _layers(config, sizes[attention], bytes_per_element)


def right_1(config, attention, groups=None, bytes_per_element=2):
    "match"
    pair = config.qk_nope_head_dim + config.qk_rope_head_dim + config.v_head_dim
    match attention:
        case "mla":
            n = config.qk_rope_head_dim + config.kv_lora_rank
        case "mha":
            n = pair * config.num_attention_heads
        case "gqa":
            n = pair * groups
        case _:
            raise MinidsError(f"{attention} is unknown")
    return bytes_per_element * n * config.num_hidden_layers


def right_2(config, attention, groups=None, bytes_per_element=2):
    "mha as gqa with a group for each head"
    if attention == "mha":
        return right_2(config, "gqa", config.num_attention_heads, bytes_per_element)
    if attention == "gqa":
        return config.num_hidden_layers * groups * (config.qk_head_dim + config.v_head_dim) * bytes_per_element
    if attention != "mla":
        raise MinidsError("no such attention")
    return config.num_hidden_layers * (config.kv_lora_rank + config.qk_rope_head_dim) * bytes_per_element


def right_3(config, attention, groups=None, bytes_per_element=2):
    "a table of functions"
    table = {
        "mla": lambda: config.kv_lora_rank + config.qk_rope_head_dim,
        "mha": lambda: config.num_attention_heads * (config.qk_head_dim + config.v_head_dim),
        "gqa": lambda: groups * (config.qk_head_dim + config.v_head_dim),
    }
    try:
        numbers = table[attention]
    except KeyError:
        raise MinidsError(f"attention {attention!r}?") from None
    return config.num_hidden_layers * bytes_per_element * numbers()


def right_4(config, attention, groups=None, bytes_per_element=2):
    "layer by layer"
    total = 0
    for _ in range(config.num_hidden_layers):
        if attention == "mla":
            total += config.kv_lora_rank * bytes_per_element
            total += config.qk_rope_head_dim * bytes_per_element
        elif attention == "mha" or attention == "gqa":
            heads = config.num_attention_heads if attention == "mha" else groups
            total += heads * config.qk_head_dim * bytes_per_element
            total += heads * config.v_head_dim * bytes_per_element
        else:
            raise MinidsError("attention must be one of mla, gqa, mha")
    return total
