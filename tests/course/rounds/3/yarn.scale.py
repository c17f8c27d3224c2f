"""yarn.scale"""
import math

import torch
import torch.nn.functional as F


def wrong_1(config):
    'not squared'
    scale, y = config.qk_head_dim ** -0.5, config.rope_scaling
    if y and y.get('mscale_all_dim'):
        scale *= yarn_mscale(y['factor'], y['mscale_all_dim'])
    return scale


def wrong_2(config):
    '`mscale` instead of `mscale_all_dim`'
    scale, y = config.qk_head_dim ** -0.5, config.rope_scaling
    if y and y.get('mscale'):
        scale *= yarn_mscale(y['factor'], y['mscale']) ** 2
    return scale


def wrong_3(config):
    'KeyError without mscale_all_dim'
    scale, y = config.qk_head_dim ** -0.5, config.rope_scaling
    if y:
        scale *= yarn_mscale(y['factor'], y['mscale_all_dim']) ** 2
    return scale


def wrong_4(config):
    'a missing mscale_all_dim is taken to be 1'
    scale, y = config.qk_head_dim ** -0.5, config.rope_scaling
    if y:
        scale *= yarn_mscale(y['factor'], y.get('mscale_all_dim', 1.0) or 1.0) ** 2
    return scale


def wrong_5(config):
    'only the nope dims'
    scale, y = config.qk_nope_head_dim ** -0.5, config.rope_scaling
    if y and y.get('mscale_all_dim'):
        scale *= yarn_mscale(y['factor'], y['mscale_all_dim']) ** 2
    return scale


def wrong_6(config):
    'divided by the temperature'
    scale, y = config.qk_head_dim ** -0.5, config.rope_scaling
    if y and y.get('mscale_all_dim'):
        scale /= yarn_mscale(y['factor'], y['mscale_all_dim']) ** 2
    return scale


def wrong_7(config):
    'the formula without its case factor <= 1: the log is negative'
    scale, y = config.qk_head_dim ** -0.5, config.rope_scaling
    if y and y.get('mscale_all_dim'):
        scale *= (0.1 * y['mscale_all_dim'] * math.log(y['factor']) + 1) ** 2
    return scale


def wrong_8(config):
    'AttributeError without YaRN (rope_scaling None)'
    scale, y = config.qk_head_dim ** -0.5, config.rope_scaling
    m = y.get('mscale_all_dim')
    if m:
        scale *= yarn_mscale(y['factor'], m) ** 2
    return scale


def wrong_9(config):
    "needs `mscale` too: without it YaRN's factor is left out"
    scale, y = config.qk_head_dim ** -0.5, config.rope_scaling
    if y and y.get('mscale') and y.get('mscale_all_dim'):
        scale *= yarn_mscale(y['factor'], y['mscale_all_dim']) ** 2
    return scale


def wrong_10(config):
    'product of both mscales'
    scale, y = config.qk_head_dim ** -0.5, config.rope_scaling
    if y and y.get('mscale_all_dim'):
        scale *= yarn_mscale(y['factor'], y['mscale_all_dim']) * yarn_mscale(y['factor'], y.get('mscale') or 1.0)
    return scale


def right_1(config):
    'early return'
    base = 1 / math.sqrt(config.qk_nope_head_dim + config.qk_rope_head_dim)
    y = config.rope_scaling
    if not y or not y.get('mscale_all_dim'):
        return base
    m = yarn_mscale(y['factor'], y['mscale_all_dim'])
    return base * m * m


def right_2(config):
    'an empty dict for None; mscale 0 gives a factor of 1'
    y = config.rope_scaling or {}
    m = y.get('mscale_all_dim') or 0
    return yarn_mscale(y.get('factor', 1), m) ** 2 / config.qk_head_dim ** 0.5


def right_3(config):
    'the formula written out'
    scale, y = config.qk_head_dim ** -0.5, config.rope_scaling
    if y and y.get('mscale_all_dim'):
        if y['factor'] > 1:
            scale *= (0.1 * y['mscale_all_dim'] * math.log(y['factor']) + 1.0) ** 2
    return scale


def right_4(config):
    'match on the dict'
    m = 1.0
    match config.rope_scaling:
        case {'factor': s, 'mscale_all_dim': a} if a:
            m = yarn_mscale(s, a)
    return m / math.sqrt(config.qk_head_dim) * m
