"""bill.cache_bytes"""
from minids.errors import MinidsError


def _refuse(attention):
    if attention not in ("mla", "gqa", "mha"):
        raise MinidsError("cost: attention")


def _numbers(c, attention, groups):
    if attention == "mla":
        return c.kv_lora_rank + c.qk_rope_head_dim
    return (c.num_attention_heads if attention == "mha" else groups) * (c.qk_head_dim + c.v_head_dim)


def wrong_1(config, attention, groups=None, bytes_per_element=2):
    "one layer only"
    _refuse(attention)
    return _numbers(config, attention, groups) * bytes_per_element


def wrong_2(config, attention, groups=None, bytes_per_element=2):
    "bytes_per_element ignored: always 2"
    _refuse(attention)
    return config.num_hidden_layers * _numbers(config, attention, groups) * 2


def wrong_3(config, attention, groups=None, bytes_per_element=2):
    "MLA with a factor of heads for the rotated key"
    _refuse(attention)
    n = _numbers(config, attention, groups)
    if attention == "mla":
        n = config.kv_lora_rank + config.num_attention_heads * config.qk_rope_head_dim
    return config.num_hidden_layers * n * bytes_per_element


def wrong_4(config, attention, groups=None, bytes_per_element=2):
    "another kind falls through to MHA instead of an error"
    return config.num_hidden_layers * _numbers(config, "mha" if attention not in ("mla", "gqa") else attention, groups) * bytes_per_element


def wrong_5(config, attention, groups=None, bytes_per_element=2):
    "ValueError instead of MinidsError"
    if attention not in ("mla", "gqa", "mha"):
        raise ValueError(attention)
    return config.num_hidden_layers * _numbers(config, attention, groups) * bytes_per_element


def wrong_6(config, attention, groups=None, bytes_per_element=2):
    "2 * qk_head_dim for a pair: value as long as key"
    _refuse(attention)
    n = _numbers(config, attention, groups)
    if attention != "mla":
        n = n // (config.qk_head_dim + config.v_head_dim) * 2 * config.qk_head_dim
    return config.num_hidden_layers * n * bytes_per_element


def wrong_7(config, attention, groups=None, bytes_per_element=2):
    "gqa: groups taken as the number of heads a group (heads // groups pairs)"
    _refuse(attention)
    if attention == "gqa":
        groups = config.num_attention_heads // groups
    return config.num_hidden_layers * _numbers(config, attention, groups) * bytes_per_element


def wrong_8(config, attention, groups=None, bytes_per_element=2):
    "looks at config.num_key_value_heads instead of `groups` / heads (mha for a gqa config)"
    _refuse(attention)
    n = _numbers(config, attention, groups)
    if attention == "mha":
        n = config.num_key_value_heads * (config.qk_head_dim + config.v_head_dim)
    return config.num_hidden_layers * n * bytes_per_element


def wrong_9(config, attention, groups=None, bytes_per_element=2):
    "MTP modules are counted as layers"
    _refuse(attention)
    layers = config.num_hidden_layers + config.num_nextn_predict_layers
    return layers * _numbers(config, attention, groups) * bytes_per_element


def wrong_10(config, attention, groups=None, bytes_per_element=2):
    "mla from config.cache_elements, which looks at config.attention (differs for a mha config)"
    _refuse(attention)
    n = config.cache_elements if attention == "mla" else _numbers(config, attention, groups)
    return config.num_hidden_layers * n * bytes_per_element


def right_1(config, attention, groups=None, bytes_per_element=2):
    "dict of lambdas"
    pair = config.qk_nope_head_dim + config.qk_rope_head_dim + config.v_head_dim
    kinds = {
        "mha": lambda: config.num_attention_heads * pair,
        "gqa": lambda: groups * pair,
        "mla": lambda: config.kv_lora_rank + config.qk_rope_head_dim,
    }
    if attention not in kinds:
        raise MinidsError(f"no such attention: {attention}")
    return kinds[attention]() * config.num_hidden_layers * bytes_per_element


def right_2(config, attention, groups=None, bytes_per_element=2):
    "match statement"
    match attention:
        case "mha":
            n = config.num_attention_heads * config.qk_head_dim + config.num_attention_heads * config.v_head_dim
        case "gqa":
            n = groups * config.qk_head_dim + groups * config.v_head_dim
        case "mla":
            n = config.kv_lora_rank + config.qk_rope_head_dim
        case _:
            raise MinidsError(f"cost: {attention!r}?")
    return n * bytes_per_element * config.num_hidden_layers


def right_3(config, attention, groups=None, bytes_per_element=2):
    "mha as gqa with as many groups as heads, by recursion"
    if attention == "mha":
        return right_3(config, "gqa", config.num_attention_heads, bytes_per_element)
    if attention == "gqa":
        return config.num_hidden_layers * groups * (config.qk_head_dim + config.v_head_dim) * bytes_per_element
    if attention != "mla":
        raise MinidsError("cost: attention must be mla, gqa or mha")
    return config.num_hidden_layers * (config.kv_lora_rank + config.qk_rope_head_dim) * bytes_per_element


def right_4(config, attention, groups=None, bytes_per_element=2):
    "sum over the layers"
    _refuse(attention)
    return sum(bytes_per_element * _numbers(config, attention, groups) for _ in range(config.num_hidden_layers))
