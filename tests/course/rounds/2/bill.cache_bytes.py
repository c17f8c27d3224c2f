"""bill.cache_bytes"""


def wrong_1(config, attention, groups=None, bytes_per_element=2):
    "MLA by config.cache_elements, which looks at config.attention: wrong for a config of mha or gqa"
    if attention == "mla":
        elements = config.cache_elements
    elif attention in ("mha", "gqa"):
        elements = (config.num_attention_heads if attention == "mha" else groups) * (config.qk_head_dim + config.v_head_dim)
    else:
        raise MinidsError(f"cost: {attention!r}")
    return config.num_hidden_layers * elements * bytes_per_element


def wrong_2(config, attention, groups=None, bytes_per_element=2):
    "groups is looked at for mha too, when given"
    if attention == "mla":
        elements = config.kv_lora_rank + config.qk_rope_head_dim
    elif attention in ("mha", "gqa"):
        elements = (groups or config.num_attention_heads) * (config.qk_head_dim + config.v_head_dim)
    else:
        raise MinidsError(f"cost: {attention!r}")
    return config.num_hidden_layers * elements * bytes_per_element


def wrong_3(config, attention, groups=None, bytes_per_element=2):
    "mha by num_key_value_heads: wrong for a gqa config"
    if attention == "mla":
        elements = config.kv_lora_rank + config.qk_rope_head_dim
    elif attention in ("mha", "gqa"):
        elements = (config.num_key_value_heads if attention == "mha" else groups) * (config.qk_head_dim + config.v_head_dim)
    else:
        raise MinidsError(f"cost: {attention!r}")
    return config.num_hidden_layers * elements * bytes_per_element


def wrong_4(config, attention, groups=None, bytes_per_element=2):
    "another kind is taken as mha, no error"
    if attention == "mla":
        elements = config.kv_lora_rank + config.qk_rope_head_dim
    else:
        elements = (groups if attention == "gqa" else config.num_attention_heads) * (config.qk_head_dim + config.v_head_dim)
    return config.num_hidden_layers * elements * bytes_per_element


def wrong_5(config, attention, groups=None, bytes_per_element=2):
    "another kind is a KeyError"
    pair = config.qk_head_dim + config.v_head_dim
    elements = {"mla": config.kv_lora_rank + config.qk_rope_head_dim, "mha": config.num_attention_heads * pair,
                "gqa": (groups or 0) * pair}[attention]
    return config.num_hidden_layers * elements * bytes_per_element


def wrong_6(config, attention, groups=None, bytes_per_element=2):
    "groups read as heads in a group"
    if attention == "mla":
        elements = config.kv_lora_rank + config.qk_rope_head_dim
    elif attention in ("mha", "gqa"):
        pairs = config.num_attention_heads if attention == "mha" else config.num_attention_heads // groups
        elements = pairs * (config.qk_head_dim + config.v_head_dim)
    else:
        raise MinidsError(f"cost: {attention!r}")
    return config.num_hidden_layers * elements * bytes_per_element


def wrong_7(config, attention, groups=None, bytes_per_element=2):
    "the rotated key of MLA once a head"
    if attention == "mla":
        elements = config.kv_lora_rank + config.num_attention_heads * config.qk_rope_head_dim
    elif attention in ("mha", "gqa"):
        elements = (config.num_attention_heads if attention == "mha" else groups) * (config.qk_head_dim + config.v_head_dim)
    else:
        raise MinidsError(f"cost: {attention!r}")
    return config.num_hidden_layers * elements * bytes_per_element


def wrong_8(config, attention, groups=None, bytes_per_element=2):
    "a value as wide as a key: wrong where v_head_dim differs"
    if attention == "mla":
        elements = config.kv_lora_rank + config.qk_rope_head_dim
    elif attention in ("mha", "gqa"):
        elements = (config.num_attention_heads if attention == "mha" else groups) * 2 * config.qk_head_dim
    else:
        raise MinidsError(f"cost: {attention!r}")
    return config.num_hidden_layers * elements * bytes_per_element


def wrong_9(config, attention, groups=None, bytes_per_element=2):
    "MTP layers counted"
    if attention == "mla":
        elements = config.kv_lora_rank + config.qk_rope_head_dim
    elif attention in ("mha", "gqa"):
        elements = (config.num_attention_heads if attention == "mha" else groups) * (config.qk_head_dim + config.v_head_dim)
    else:
        raise MinidsError(f"cost: {attention!r}")
    return (config.num_hidden_layers + config.num_nextn_predict_layers) * elements * bytes_per_element


def wrong_10(config, attention, groups=None, bytes_per_element=2):
    "two bytes an element whatever is asked for"
    if attention == "mla":
        elements = config.kv_lora_rank + config.qk_rope_head_dim
    elif attention in ("mha", "gqa"):
        elements = (config.num_attention_heads if attention == "mha" else groups) * (config.qk_head_dim + config.v_head_dim)
    else:
        raise MinidsError(f"cost: {attention!r}")
    return config.num_hidden_layers * elements * 2


def right_1(config, attention, groups=None, bytes_per_element=2):
    "the error first"
    if attention not in {"mla", "gqa", "mha"}:
        raise MinidsError(f"cost: no attention {attention!r}")
    if attention == "mla":
        one = config.kv_lora_rank + config.qk_rope_head_dim
    else:
        n = {"mha": config.num_attention_heads, "gqa": groups}[attention]
        one = n * (config.qk_nope_head_dim + config.qk_rope_head_dim) + n * config.v_head_dim
    return one * bytes_per_element * config.num_hidden_layers


def right_2(config, attention, groups=None, bytes_per_element=2):
    "mha as gqa of as many groups as heads, by recursion"
    if attention == "mha":
        return cache_bytes_of(config, config.num_attention_heads, bytes_per_element)
    if attention == "gqa":
        return cache_bytes_of(config, groups, bytes_per_element)
    if attention == "mla":
        return config.num_hidden_layers * bytes_per_element * (config.kv_lora_rank + config.qk_rope_head_dim)
    raise MinidsError("cost: attention must be mla, gqa or mha")


def cache_bytes_of(config, heads, size):
    return sum(heads * (config.qk_head_dim + config.v_head_dim) * size for _ in range(config.num_hidden_layers))


def right_3(config, attention, groups=None, bytes_per_element=2):
    "match"
    match attention:
        case "mla":
            elements = config.kv_lora_rank + config.qk_rope_head_dim
        case "mha":
            elements = config.num_attention_heads * config.qk_head_dim + config.num_attention_heads * config.v_head_dim
        case "gqa":
            elements = groups * config.qk_head_dim + groups * config.v_head_dim
        case _:
            raise MinidsError(f"cost: {attention}")
    return config.num_hidden_layers * elements * bytes_per_element


def right_4(config, attention, groups=None, bytes_per_element=2):
    "a table of functions"
    pair = config.qk_head_dim + config.v_head_dim
    kinds = {"mla": lambda: config.kv_lora_rank + config.qk_rope_head_dim,
             "mha": lambda: config.num_attention_heads * pair, "gqa": lambda: groups * pair}
    try:
        kind = kinds[attention]
    except KeyError:
        raise MinidsError(f"cost: attention {attention!r} is unknown") from None
    return kind() * config.num_hidden_layers * bytes_per_element
