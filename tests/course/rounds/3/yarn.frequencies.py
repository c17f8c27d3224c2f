"""yarn.frequencies"""
import math

import torch
import torch.nn.functional as F


def wrong_1(dim, theta, scaling):
    'beta_fast / beta_slow None: TypeError (`get` with a default sees the None)'
    f = 1.0 / theta ** (torch.arange(0, dim, 2, dtype=torch.float32) / dim)
    if scaling is None:
        return f
    L = scaling['original_max_position_embeddings']
    def at(turns):
        return dim * math.log(L / (turns * 2 * math.pi)) / (2 * math.log(theta))
    lo, hi = at(scaling.get('beta_fast', 32)), at(scaling.get('beta_slow', 1))
    if scaling.get('truncate', True):
        lo, hi = math.floor(lo), math.ceil(hi)
    lo, hi = max(lo, 0), min(hi, dim - 1)
    r = ((torch.arange(dim // 2, dtype=torch.float32) - lo) / max(hi - lo, 0.001)).clamp(0, 1)
    return f * (1 - r) + f / scaling['factor'] * r


def wrong_2(dim, theta, scaling):
    'always rounded: `truncate` is not looked at'
    f = 1.0 / theta ** (torch.arange(0, dim, 2, dtype=torch.float32) / dim)
    if scaling is None:
        return f
    L = scaling['original_max_position_embeddings']
    def at(turns):
        return dim * math.log(L / (turns * 2 * math.pi)) / (2 * math.log(theta))
    lo, hi = at(scaling.get('beta_fast') or 32), at(scaling.get('beta_slow') or 1)
    lo, hi = math.floor(lo), math.ceil(hi)
    lo, hi = max(lo, 0), min(hi, dim - 1)
    r = ((torch.arange(dim // 2, dtype=torch.float32) - lo) / max(hi - lo, 0.001)).clamp(0, 1)
    return f * (1 - r) + f / scaling['factor'] * r


def wrong_3(dim, theta, scaling):
    'a missing `truncate` is read as False'
    f = 1.0 / theta ** (torch.arange(0, dim, 2, dtype=torch.float32) / dim)
    if scaling is None:
        return f
    L = scaling['original_max_position_embeddings']
    def at(turns):
        return dim * math.log(L / (turns * 2 * math.pi)) / (2 * math.log(theta))
    lo, hi = at(scaling.get('beta_fast') or 32), at(scaling.get('beta_slow') or 1)
    if scaling.get('truncate'):
        lo, hi = math.floor(lo), math.ceil(hi)
    lo, hi = max(lo, 0), min(hi, dim - 1)
    r = ((torch.arange(dim // 2, dtype=torch.float32) - lo) / max(hi - lo, 0.001)).clamp(0, 1)
    return f * (1 - r) + f / scaling['factor'] * r


def wrong_4(dim, theta, scaling):
    'the upper end is kept below dim / 2, not at dim - 1'
    f = 1.0 / theta ** (torch.arange(0, dim, 2, dtype=torch.float32) / dim)
    if scaling is None:
        return f
    L = scaling['original_max_position_embeddings']
    def at(turns):
        return dim * math.log(L / (turns * 2 * math.pi)) / (2 * math.log(theta))
    lo, hi = at(scaling.get('beta_fast') or 32), at(scaling.get('beta_slow') or 1)
    if scaling.get('truncate', True):
        lo, hi = math.floor(lo), math.ceil(hi)
    lo, hi = max(lo, 0), min(hi, dim // 2 - 1)
    r = ((torch.arange(dim // 2, dtype=torch.float32) - lo) / max(hi - lo, 0.001)).clamp(0, 1)
    return f * (1 - r) + f / scaling['factor'] * r


def wrong_5(dim, theta, scaling):
    'the ramp the other way round: fast pairs are slowed'
    f = 1.0 / theta ** (torch.arange(0, dim, 2, dtype=torch.float32) / dim)
    if scaling is None:
        return f
    L = scaling['original_max_position_embeddings']
    def at(turns):
        return dim * math.log(L / (turns * 2 * math.pi)) / (2 * math.log(theta))
    lo, hi = at(scaling.get('beta_fast') or 32), at(scaling.get('beta_slow') or 1)
    if scaling.get('truncate', True):
        lo, hi = math.floor(lo), math.ceil(hi)
    lo, hi = max(lo, 0), min(hi, dim - 1)
    r = ((torch.arange(dim // 2, dtype=torch.float32) - lo) / max(hi - lo, 0.001)).clamp(0, 1)
    return f * r + f / scaling['factor'] * (1 - r)


def wrong_6(dim, theta, scaling):
    'a ramp of no width: NaN where both ends are the same index'
    f = 1.0 / theta ** (torch.arange(0, dim, 2, dtype=torch.float32) / dim)
    if scaling is None:
        return f
    L = scaling['original_max_position_embeddings']
    def at(turns):
        return dim * math.log(L / (turns * 2 * math.pi)) / (2 * math.log(theta))
    lo, hi = at(scaling.get('beta_fast') or 32), at(scaling.get('beta_slow') or 1)
    if scaling.get('truncate', True):
        lo, hi = math.floor(lo), math.ceil(hi)
    lo, hi = max(lo, 0), min(hi, dim - 1)
    r = ((torch.arange(dim // 2, dtype=torch.float32) - lo) / torch.tensor(float(hi - lo))).clamp(0, 1)
    return f * (1 - r) + f / scaling['factor'] * r


def wrong_7(dim, theta, scaling):
    'all pairs slowed (linear interpolation, not YaRN)'
    f = 1.0 / theta ** (torch.arange(0, dim, 2, dtype=torch.float32) / dim)
    if scaling is None:
        return f
    L = scaling['original_max_position_embeddings']
    return f / scaling['factor']


def wrong_8(dim, theta, scaling):
    "the lower end is not kept at 0: differs if beta_fast's index is negative"
    f = 1.0 / theta ** (torch.arange(0, dim, 2, dtype=torch.float32) / dim)
    if scaling is None:
        return f
    L = scaling['original_max_position_embeddings']
    def at(turns):
        return dim * math.log(L / (turns * 2 * math.pi)) / (2 * math.log(theta))
    lo, hi = at(scaling.get('beta_fast') or 32), at(scaling.get('beta_slow') or 1)
    if scaling.get('truncate', True):
        lo, hi = math.floor(lo), math.ceil(hi)
    lo, hi = lo, min(hi, dim - 1)
    r = ((torch.arange(dim // 2, dtype=torch.float32) - lo) / max(hi - lo, 0.001)).clamp(0, 1)
    return f * (1 - r) + f / scaling['factor'] * r


def wrong_9(dim, theta, scaling):
    'float64 comes out'
    f = 1.0 / theta ** (torch.arange(0, dim, 2, dtype=torch.float64) / dim)
    if scaling is None:
        return f
    L = scaling['original_max_position_embeddings']
    def at(turns):
        return dim * math.log(L / (turns * 2 * math.pi)) / (2 * math.log(theta))
    lo, hi = at(scaling.get('beta_fast') or 32), at(scaling.get('beta_slow') or 1)
    if scaling.get('truncate', True):
        lo, hi = math.floor(lo), math.ceil(hi)
    lo, hi = max(lo, 0), min(hi, dim - 1)
    r = ((torch.arange(dim // 2, dtype=torch.float64) - lo) / max(hi - lo, 0.001)).clamp(0, 1)
    return f * (1 - r) + f / scaling['factor'] * r


def wrong_10(dim, theta, scaling):
    'wavelengths are blended, not frequencies: 1 / (…)'
    f = 1.0 / theta ** (torch.arange(0, dim, 2, dtype=torch.float32) / dim)
    if scaling is None:
        return f
    L = scaling['original_max_position_embeddings']
    def at(turns):
        return dim * math.log(L / (turns * 2 * math.pi)) / (2 * math.log(theta))
    lo, hi = at(scaling.get('beta_fast') or 32), at(scaling.get('beta_slow') or 1)
    if scaling.get('truncate', True):
        lo, hi = math.floor(lo), math.ceil(hi)
    lo, hi = max(lo, 0), min(hi, dim - 1)
    r = ((torch.arange(dim // 2, dtype=torch.float32) - lo) / max(hi - lo, 0.001)).clamp(0, 1)
    return 1.0 / ((1 - r) / f + r * scaling['factor'] / f)


def right_1(dim, theta, scaling):
    'pair by pair in Python floats'
    out = []
    for i in range(dim // 2):
        f = theta ** (-2 * i / dim)
        if scaling is not None:
            L = scaling['original_max_position_embeddings']
            ends = []
            for turns in (scaling.get('beta_fast') or 32, scaling.get('beta_slow') or 1):
                ends.append(dim * math.log(L / (2 * math.pi * turns)) / (2 * math.log(theta)))
            if scaling.get('truncate', True):
                ends = [math.floor(ends[0]), math.ceil(ends[1])]
            lo, hi = max(ends[0], 0), min(ends[1], dim - 1)
            r = min(1.0, max(0.0, (i - lo) / max(hi - lo, 0.001)))
            f = (1 - r) * f + r * f / scaling['factor']
        out.append(f)
    return torch.tensor(out, dtype=torch.float32)


def right_2(dim, theta, scaling):
    'lerp'
    f = 1.0 / theta ** (torch.arange(0, dim, 2, dtype=torch.float32) / dim)
    if scaling is None:
        return f
    L = scaling['original_max_position_embeddings']
    def at(turns):
        return dim * math.log(L / (turns * 2 * math.pi)) / (2 * math.log(theta))
    lo, hi = at(scaling.get('beta_fast') or 32), at(scaling.get('beta_slow') or 1)
    if scaling.get('truncate', True):
        lo, hi = math.floor(lo), math.ceil(hi)
    lo, hi = max(lo, 0), min(hi, dim - 1)
    r = ((torch.arange(dim // 2, dtype=torch.float32) - lo) / max(hi - lo, 0.001)).clamp(0, 1)
    return torch.lerp(f, f / scaling['factor'], r)


def right_3(dim, theta, scaling):
    'float64 inside, float32 out; both ends clamped on both sides'
    f = 1.0 / theta ** (torch.arange(0, dim, 2, dtype=torch.float64) / dim)
    if scaling is None:
        return f.float()
    L = scaling['original_max_position_embeddings']
    def at(turns):
        return dim * math.log(L / (turns * 2 * math.pi)) / (2 * math.log(theta))
    lo, hi = at(scaling.get('beta_fast') or 32), at(scaling.get('beta_slow') or 1)
    if scaling.get('truncate', True):
        lo, hi = math.floor(lo), math.ceil(hi)
    lo, hi = (min(max(z, 0), dim - 1) for z in (lo, hi))
    r = ((torch.arange(dim // 2, dtype=torch.float64) - lo) / max(hi - lo, 0.001)).clamp(0, 1)
    return (f * (1 - r + r / scaling['factor'])).float()


def right_4(dim, theta, scaling):
    'logs taken apart; the kept share first'
    f = 1.0 / theta ** (torch.arange(0, dim, 2, dtype=torch.float32) / dim)
    if scaling is None:
        return f
    L = scaling['original_max_position_embeddings']
    def at(b):
        return (math.log(L) - math.log(2 * math.pi) - math.log(b)) / math.log(theta) * dim / 2
    fast, slow = scaling.get('beta_fast'), scaling.get('beta_slow')
    lo, hi = at(32 if fast is None else fast), at(1 if slow is None else slow)
    if scaling.get('truncate', True):
        lo, hi = math.floor(lo), math.ceil(hi)
    lo, hi = max(lo, 0), min(hi, dim - 1)
    kept = 1 - torch.clamp((torch.arange(dim // 2).float() - lo) / max(hi - lo, 1e-3), 0, 1)
    return f / scaling['factor'] * (1 - kept) + f * kept
