"""yarn.scale"""
import math


def wrong_1(config):
    "the factor is not squared"
    scale, s = config.qk_head_dim**-0.5, config.rope_scaling
    if s and s.get("mscale_all_dim"):
        scale *= yarn_mscale(s["factor"], s["mscale_all_dim"])
    return scale


def wrong_2(config):
    "`mscale` instead of `mscale_all_dim`"
    scale, s = config.qk_head_dim**-0.5, config.rope_scaling
    if s and s.get("mscale"):
        scale *= yarn_mscale(s["factor"], s["mscale"]) ** 2
    return scale


def wrong_3(config):
    "a missing mscale_all_dim counts as 1"
    scale, s = config.qk_head_dim**-0.5, config.rope_scaling
    if s:
        scale *= yarn_mscale(s["factor"], s.get("mscale_all_dim", 1.0) or 0.0) ** 2
    return scale


def wrong_4(config):
    "KeyError when mscale_all_dim is missing"
    scale = config.qk_head_dim**-0.5
    if config.rope_scaling:
        scale *= yarn_mscale(config.rope_scaling["factor"], config.rope_scaling["mscale_all_dim"] or 0.0) ** 2
    return scale


def wrong_5(config):
    "the formula written out without its guard: a factor below 1 lowers the scale, where yarn_mscale gives 1"
    scale, s = config.qk_head_dim**-0.5, config.rope_scaling
    if s and s.get("mscale_all_dim"):
        scale *= (0.1 * s["mscale_all_dim"] * math.log(s["factor"]) + 1) ** 2
    return scale


def wrong_6(config):
    "only the nope part of a query"
    scale, s = config.qk_nope_head_dim**-0.5, config.rope_scaling
    if s and s.get("mscale_all_dim"):
        scale *= yarn_mscale(s["factor"], s["mscale_all_dim"]) ** 2
    return scale


def wrong_7(config):
    "hidden_size / heads, the head size of an ordinary transformer"
    scale, s = (config.hidden_size / config.num_attention_heads) ** -0.5, config.rope_scaling
    if s and s.get("mscale_all_dim"):
        scale *= yarn_mscale(s["factor"], s["mscale_all_dim"]) ** 2
    return scale


def wrong_8(config):
    "the magnitude of cos and sin is put in too: mscale other than mscale_all_dim"
    scale, s = config.qk_head_dim**-0.5, config.rope_scaling
    if s and s.get("mscale_all_dim"):
        scale *= (rotary_magnitude(config) * yarn_mscale(s["factor"], s["mscale_all_dim"])) ** 2
    return scale


def wrong_9(config):
    "mscale_all_dim taken as a switch: 0.1 ln(factor) + 1 with m = 1 whatever it says"
    scale, s = config.qk_head_dim**-0.5, config.rope_scaling
    if s and s.get("mscale_all_dim"):
        scale *= yarn_mscale(s["factor"], 1.0) ** 2
    return scale


def wrong_10(config):
    "the factor is computed from the lengths (max_position_embeddings / original), not read from `factor`"
    scale, s = config.qk_head_dim**-0.5, config.rope_scaling
    if s and s.get("mscale_all_dim"):
        factor = config.max_position_embeddings / s["original_max_position_embeddings"]
        scale *= yarn_mscale(factor, s["mscale_all_dim"]) ** 2
    return scale


def right_1(config):
    "0 for what is missing: yarn_mscale is 1 then"
    s = config.rope_scaling or {}
    m = yarn_mscale(s.get("factor", 1.0), s.get("mscale_all_dim") or 0.0)
    return m * m / math.sqrt(config.qk_head_dim)


def right_2(config):
    "early returns"
    base = 1 / math.sqrt(config.qk_nope_head_dim + config.qk_rope_head_dim)
    if config.rope_scaling is None:
        return base
    m = config.rope_scaling.get("mscale_all_dim")
    if m is None or m == 0:
        return base
    return base * yarn_mscale(config.rope_scaling["factor"], m) ** 2


def right_3(config):
    "the formula written out, with its guard"
    temperature = 1.0
    s = config.rope_scaling
    if s is not None and s.get("mscale_all_dim") and s["factor"] > 1:
        temperature = 1 + s["mscale_all_dim"] * math.log(s["factor"]) / 10
    return temperature**2 * config.qk_head_dim**-0.5


def right_4(config):
    "under the root"
    m = 1.0
    try:
        m = yarn_mscale(config.rope_scaling["factor"], config.rope_scaling["mscale_all_dim"] or 0)
    except (TypeError, KeyError):
        pass
    return math.sqrt(m**4 / config.qk_head_dim)
