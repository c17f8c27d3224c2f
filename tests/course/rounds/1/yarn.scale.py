"""yarn.scale"""
import math


def wrong_1(config):
    "yarn_mscale not squared"
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
    "only the nope part of the query counts"
    scale, s = config.qk_nope_head_dim**-0.5, config.rope_scaling
    if s and s.get("mscale_all_dim"):
        scale *= yarn_mscale(s["factor"], s["mscale_all_dim"]) ** 2
    return scale


def wrong_4(config):
    "KeyError for a rope_scaling without mscale_all_dim"
    scale, s = config.qk_head_dim**-0.5, config.rope_scaling
    if s is not None:
        scale *= yarn_mscale(s["factor"], s["mscale_all_dim"]) ** 2
    return scale


def wrong_5(config):
    "without mscale_all_dim it is taken to be 1"
    scale, s = config.qk_head_dim**-0.5, config.rope_scaling
    if s:
        scale *= yarn_mscale(s["factor"], s.get("mscale_all_dim") or 1.0) ** 2
    return scale


def wrong_6(config):
    "divided by the square instead of multiplied"
    scale, s = config.qk_head_dim**-0.5, config.rope_scaling
    if s and s.get("mscale_all_dim"):
        scale /= yarn_mscale(s["factor"], s["mscale_all_dim"]) ** 2
    return scale


def wrong_7(config):
    "1/d instead of 1/sqrt(d) under YaRN: the square is taken of the whole"
    scale, s = config.qk_head_dim**-0.5, config.rope_scaling
    if s and s.get("mscale_all_dim"):
        scale = (scale * yarn_mscale(s["factor"], s["mscale_all_dim"])) ** 2
    return scale


def wrong_8(config):
    "the formula by hand without the case factor <= 1: a factor below 1 makes the scale smaller"
    scale, s = config.qk_head_dim**-0.5, config.rope_scaling
    if s and s.get("mscale_all_dim"):
        scale *= (0.1 * s["mscale_all_dim"] * math.log(s["factor"]) + 1) ** 2
    return scale


def wrong_9(config):
    "nothing unless `mscale` is there too (as for the rotary magnitude)"
    scale, s = config.qk_head_dim**-0.5, config.rope_scaling
    if s and s.get("mscale") and s.get("mscale_all_dim"):
        scale *= yarn_mscale(s["factor"], s["mscale_all_dim"]) ** 2
    return scale


def wrong_10(config):
    "log10 for ln"
    scale, s = config.qk_head_dim**-0.5, config.rope_scaling
    if s and s.get("mscale_all_dim") and s["factor"] > 1:
        scale *= (0.1 * s["mscale_all_dim"] * math.log10(s["factor"]) + 1) ** 2
    return scale


def right_1(config):
    "early returns"
    base = 1 / math.sqrt(config.qk_head_dim)
    if config.rope_scaling is None:
        return base
    m = config.rope_scaling.get("mscale_all_dim")
    if not m:
        return base
    t = yarn_mscale(config.rope_scaling["factor"], m)
    return base * t * t


def right_2(config):
    "mscale_all_dim 0 gives a temperature of 1 by itself"
    s = config.rope_scaling or {}
    m = yarn_mscale(s.get("factor", 1.0), s.get("mscale_all_dim") or 0.0)
    return m**2 / (config.qk_nope_head_dim + config.qk_rope_head_dim) ** 0.5


def right_3(config):
    "the formula by hand"
    scale = (config.qk_nope_head_dim + config.qk_rope_head_dim) ** (-1 / 2)
    s = config.rope_scaling
    if s is not None and s.get("mscale_all_dim") and s["factor"] > 1:
        scale = scale * math.pow(1 + s["mscale_all_dim"] * math.log(s["factor"]) / 10, 2)
    return scale


def right_4(config):
    "try and except"
    try:
        m = config.rope_scaling["mscale_all_dim"]
        t = yarn_mscale(config.rope_scaling["factor"], m) if m else 1.0
    except (TypeError, KeyError):
        t = 1.0
    return t**2 * math.sqrt(1 / config.qk_head_dim)
