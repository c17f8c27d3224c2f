"""yarn.frequencies"""
import math
import numpy as np
import torch


def _plain(dim, theta):
    return 1.0 / theta ** (torch.arange(0, dim, 2, dtype=torch.float32) / dim)


def _ends(dim, theta, s, fast=None, slow=None, truncate=None, clamp=True):
    L = s["original_max_position_embeddings"]
    fast, slow = fast or s.get("beta_fast") or 32, slow or s.get("beta_slow") or 1
    low, high = (dim * math.log(L / (2 * math.pi * t)) / (2 * math.log(theta)) for t in (fast, slow))
    if s.get("truncate", True) if truncate is None else truncate:
        low, high = math.floor(low), math.ceil(high)
    return (max(low, 0), min(high, dim - 1)) if clamp else (low, high)


def _ramp(dim, low, high):
    return ((torch.arange(dim // 2, dtype=torch.float32) - low) / max(high - low, 0.001)).clamp(0, 1)


def wrong_1(dim, theta, scaling):
    "the blend the wrong way round: high frequencies are slowed, low ones kept"
    f = _plain(dim, theta)
    if scaling is None:
        return f
    r = 1 - _ramp(dim, *_ends(dim, theta, scaling))
    return f * (1 - r) + f / scaling["factor"] * r


def wrong_2(dim, theta, scaling):
    "truncate ignored: always rounded"
    f = _plain(dim, theta)
    if scaling is None:
        return f
    r = _ramp(dim, *_ends(dim, theta, scaling, truncate=True))
    return f * (1 - r) + f / scaling["factor"] * r


def wrong_3(dim, theta, scaling):
    "get(..., 32): a beta_fast that is there and None is an error"
    f = _plain(dim, theta)
    if scaling is None:
        return f
    L = scaling["original_max_position_embeddings"]
    low, high = (dim * math.log(L / (2 * math.pi * t)) / (2 * math.log(theta)) for t in (scaling.get("beta_fast", 32), scaling.get("beta_slow", 1)))
    if scaling.get("truncate", True):
        low, high = math.floor(low), math.ceil(high)
    r = _ramp(dim, max(low, 0), min(high, dim - 1))
    return f * (1 - r) + f / scaling["factor"] * r


def wrong_4(dim, theta, scaling):
    "the ends are kept within 0 and dim/2 - 1, the number of pairs"
    f = _plain(dim, theta)
    if scaling is None:
        return f
    low, high = _ends(dim, theta, scaling, clamp=False)
    r = _ramp(dim, max(low, 0), min(high, dim // 2 - 1))
    return f * (1 - r) + f / scaling["factor"] * r


def wrong_5(dim, theta, scaling):
    "the ends are not kept within 0 and dim - 1 (a short original length gives a negative low end)"
    f = _plain(dim, theta)
    if scaling is None:
        return f
    r = _ramp(dim, *_ends(dim, theta, scaling, clamp=False))
    return f * (1 - r) + f / scaling["factor"] * r


def wrong_6(dim, theta, scaling):
    "no least width of the ramp: division by zero / NaN when both ends are equal"
    f = _plain(dim, theta)
    if scaling is None:
        return f
    low, high = _ends(dim, theta, scaling)
    r = ((torch.arange(dim // 2, dtype=torch.float32) - low) / (high - low)).clamp(0, 1)
    return f * (1 - r) + f / scaling["factor"] * r


def wrong_7(dim, theta, scaling):
    "all frequencies divided by the factor (position interpolation, no ramp)"
    f = _plain(dim, theta)
    return f if scaling is None else f / scaling["factor"]


def wrong_8(dim, theta, scaling):
    "geometric blend: the exponent of the factor is ramped instead of the frequency"
    f = _plain(dim, theta)
    if scaling is None:
        return f
    return f / scaling["factor"] ** _ramp(dim, *_ends(dim, theta, scaling))


def wrong_9(dim, theta, scaling):
    "round() for both ends instead of down and up"
    f = _plain(dim, theta)
    if scaling is None:
        return f
    low, high = _ends(dim, theta, scaling, truncate=False, clamp=False)
    if scaling.get("truncate", True):
        low, high = round(low), round(high)
    r = _ramp(dim, max(low, 0), min(high, dim - 1))
    return f * (1 - r) + f / scaling["factor"] * r


def wrong_10(dim, theta, scaling):
    "truncated: the low end rounded up and the high end down"
    f = _plain(dim, theta)
    if scaling is None:
        return f
    low, high = _ends(dim, theta, scaling, truncate=False, clamp=False)
    if scaling.get("truncate", True):
        low, high = math.ceil(low), math.floor(high)
    r = _ramp(dim, max(low, 0), min(high, dim - 1))
    return f * (1 - r) + f / scaling["factor"] * r


def right_1(dim, theta, scaling):
    "numpy in float64, float32 at the end"
    i = np.arange(dim // 2, dtype=np.float64)
    f = theta ** (-2 * i / dim)
    if scaling is not None:
        low, high = _ends(dim, theta, scaling)
        r = np.clip((i - low) / max(high - low, 1e-3), 0, 1)
        f = f * ((1 - r) + r / scaling["factor"])
    return torch.tensor(f, dtype=torch.float32)


def right_2(dim, theta, scaling):
    "pair by pair in Python"
    out = []
    for i in range(dim // 2):
        f = 1.0 / theta ** (2 * i / dim)
        if scaling is not None:
            low, high = _ends(dim, theta, scaling)
            share = min(1.0, max(0.0, (i - low) / max(high - low, 0.001)))
            f = (1 - share) * f + share * f / scaling["factor"]
        out.append(f)
    return torch.tensor(out, dtype=torch.float32)


def right_3(dim, theta, scaling):
    "torch.lerp between kept and slowed"
    kept = torch.pow(theta, -torch.arange(0, dim, 2, dtype=torch.float32) / dim)
    if scaling is None:
        return kept
    turns = {"fast": scaling.get("beta_fast"), "slow": scaling.get("beta_slow")}
    turns["fast"] = 32 if turns["fast"] is None else turns["fast"]
    turns["slow"] = 1 if turns["slow"] is None else turns["slow"]
    L = scaling["original_max_position_embeddings"]
    low = math.log(L / (2 * math.pi * turns["fast"]), theta) * dim / 2
    high = math.log(L / (2 * math.pi * turns["slow"]), theta) * dim / 2
    if scaling.get("truncate", True):
        low, high = math.floor(low), math.ceil(high)
    low, high = max(0, low), min(dim - 1, high)
    ramp = torch.clamp((torch.arange(dim // 2).float() - low) / max(high - low, 0.001), 0.0, 1.0)
    return torch.lerp(kept, kept / scaling["factor"], ramp)


def right_4(dim, theta, scaling):
    "plain minus what is taken off; logarithms of the difference"
    i = torch.arange(dim // 2, dtype=torch.float64)
    f = torch.exp(-2 * i / dim * math.log(theta))
    if scaling is None:
        return f.float()
    def index(turns):
        return (math.log(scaling["original_max_position_embeddings"]) - math.log(2 * math.pi * turns)) * dim / 2 / math.log(theta)
    low, high = index(scaling.get("beta_fast") or 32), index(scaling.get("beta_slow") or 1)
    if scaling.get("truncate", True):
        low, high = math.floor(low), math.ceil(high)
    low, high = max(low, 0), min(high, dim - 1)
    r = ((i - low) / max(high - low, 0.001)).clamp(min=0, max=1)
    return (f - f * r * (1 - 1 / scaling["factor"])).to(torch.float32)
