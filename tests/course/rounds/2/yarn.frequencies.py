"""yarn.frequencies"""
import math

import torch


def _ends(dim, theta, scaling, fast=None, slow=None, truncate=None):
    def index_of(turns):
        return dim * math.log(scaling["original_max_position_embeddings"] / (turns * 2 * math.pi)) / (2 * math.log(theta))

    low = index_of(fast or scaling.get("beta_fast") or 32)
    high = index_of(slow or scaling.get("beta_slow") or 1)
    if scaling.get("truncate", True) if truncate is None else truncate:
        low, high = math.floor(low), math.ceil(high)
    return low, high


def _plain(dim, theta):
    return 1.0 / theta ** (torch.arange(0, dim, 2, dtype=torch.float32) / dim)


def _blend(dim, theta, scaling, low, high, least=0.001):
    inv = _plain(dim, theta)
    ramp = ((torch.arange(dim // 2, dtype=torch.float32) - low) / max(high - low, least)).clamp(0, 1)
    return inv * (1 - ramp) + inv / scaling["factor"] * ramp


def wrong_1(dim, theta, scaling):
    "beta_fast or beta_slow given as None: TypeError (get's default is for missing keys only)"
    if scaling is None:
        return _plain(dim, theta)
    def index_of(turns):
        return dim * math.log(scaling["original_max_position_embeddings"] / (turns * 2 * math.pi)) / (2 * math.log(theta))

    low, high = index_of(scaling.get("beta_fast", 32)), index_of(scaling.get("beta_slow", 1))
    if scaling.get("truncate", True):
        low, high = math.floor(low), math.ceil(high)
    return _blend(dim, theta, scaling, max(low, 0), min(high, dim - 1))


def wrong_2(dim, theta, scaling):
    "truncate False is overruled: get('truncate') or True"
    if scaling is None:
        return _plain(dim, theta)
    low, high = _ends(dim, theta, scaling, truncate=scaling.get("truncate") or True)
    return _blend(dim, theta, scaling, max(low, 0), min(high, dim - 1))


def wrong_3(dim, theta, scaling):
    "missing truncate is False"
    if scaling is None:
        return _plain(dim, theta)
    low, high = _ends(dim, theta, scaling, truncate=bool(scaling.get("truncate")))
    return _blend(dim, theta, scaling, max(low, 0), min(high, dim - 1))


def wrong_4(dim, theta, scaling):
    "the ends are kept within the number of pairs, dim/2 - 1, not dim - 1: seen where the ramp is not over by the last pair"
    if scaling is None:
        return _plain(dim, theta)
    low, high = _ends(dim, theta, scaling)
    return _blend(dim, theta, scaling, max(low, 0), min(high, dim // 2 - 1))


def wrong_5(dim, theta, scaling):
    "low is not kept above 0: seen where beta_fast's index is negative (a short original length)"
    if scaling is None:
        return _plain(dim, theta)
    low, high = _ends(dim, theta, scaling)
    return _blend(dim, theta, scaling, low, min(high, dim - 1))


def wrong_6(dim, theta, scaling):
    "no least width: 0 / 0 is NaN where both ends fall together"
    if scaling is None:
        return _plain(dim, theta)
    low, high = _ends(dim, theta, scaling)
    low, high = max(low, 0), min(high, dim - 1)
    inv = _plain(dim, theta)
    ramp = ((torch.arange(dim // 2, dtype=torch.float32) - low) / torch.tensor(float(high - low))).clamp(0, 1)
    return inv * (1 - ramp) + inv / scaling["factor"] * ramp


def wrong_7(dim, theta, scaling):
    "the ramp is the other way round: the fast pairs are slowed"
    if scaling is None:
        return _plain(dim, theta)
    low, high = _ends(dim, theta, scaling)
    low, high = max(low, 0), min(high, dim - 1)
    inv = _plain(dim, theta)
    ramp = ((torch.arange(dim // 2, dtype=torch.float32) - low) / max(high - low, 0.001)).clamp(0, 1)
    return inv * ramp + inv / scaling["factor"] * (1 - ramp)


def wrong_8(dim, theta, scaling):
    "both ends are rounded to the nearest"
    if scaling is None:
        return _plain(dim, theta)
    low, high = _ends(dim, theta, scaling, truncate=False)
    if scaling.get("truncate", True):
        low, high = round(low), round(high)
    return _blend(dim, theta, scaling, max(low, 0), min(high, dim - 1))


def wrong_9(dim, theta, scaling):
    "the wavelengths are blended instead of the frequencies: other numbers inside the ramp"
    if scaling is None:
        return _plain(dim, theta)
    low, high = _ends(dim, theta, scaling)
    low, high = max(low, 0), min(high, dim - 1)
    inv = _plain(dim, theta)
    ramp = ((torch.arange(dim // 2, dtype=torch.float32) - low) / max(high - low, 0.001)).clamp(0, 1)
    return inv / (1 - ramp + scaling["factor"] * ramp)


def wrong_10(dim, theta, scaling):
    "computed and returned in float64"
    inv = 1.0 / theta ** (torch.arange(0, dim, 2, dtype=torch.float64) / dim)
    if scaling is None:
        return inv
    low, high = _ends(dim, theta, scaling)
    low, high = max(low, 0), min(high, dim - 1)
    ramp = ((torch.arange(dim // 2, dtype=torch.float64) - low) / max(high - low, 0.001)).clamp(0, 1)
    return inv * (1 - ramp) + inv / scaling["factor"] * ramp


def right_1(dim, theta, scaling):
    "a list of Python numbers"
    inv = [theta ** (-2 * i / dim) for i in range(dim // 2)]
    if scaling is not None:
        low, high = _ends(dim, theta, scaling)
        low, high = max(low, 0), min(high, dim - 1)
        for i in range(dim // 2):
            t = min(max((i - low) / max(high - low, 1e-3), 0.0), 1.0)
            inv[i] *= 1 - t + t / scaling["factor"]
    return torch.tensor(inv, dtype=torch.float32)


def right_2(dim, theta, scaling):
    "float64 inside, lerp, float32 at the end"
    i = torch.arange(dim // 2, dtype=torch.float64)
    kept = torch.exp(-2 * i / dim * math.log(theta))
    if not scaling:
        return kept.float()
    fast, slow = scaling.get("beta_fast"), scaling.get("beta_slow")
    fast, slow = 32 if fast is None else fast, 1 if slow is None else slow
    low, high = (dim * math.log(scaling["original_max_position_embeddings"] / 2 / math.pi / turns) / math.log(theta) / 2 for turns in (fast, slow))
    if scaling.get("truncate", True):
        low, high = math.floor(low), math.ceil(high)
    low, high = min(max(low, 0), dim - 1), max(min(high, dim - 1), 0)
    ramp = torch.clamp((i - low) / max(high - low, 0.001), 0, 1)
    return torch.lerp(kept, kept / scaling["factor"], ramp).to(torch.float32)


def right_3(dim, theta, scaling):
    "the share that is kept, as Hugging Face has it; the width by adding 0.001 where the ends are equal"
    inv = theta ** -(torch.arange(0, dim, 2).float() / dim)
    if scaling is None:
        return inv
    low, high = _ends(dim, theta, scaling)
    low, high = max(low, 0), min(high, dim - 1)
    width = high - low if high - low > 0.001 else 0.001
    keep = 1 - torch.clamp((torch.arange(dim // 2).float() - low) / width, 0, 1)
    return (inv / scaling["factor"]) * (1 - keep) + inv * keep


def right_4(dim, theta, scaling):
    "defaults merged first"
    inv = torch.pow(float(theta), -torch.arange(0, dim, 2, dtype=torch.float32) / dim)
    if scaling is None:
        return inv
    s = {"beta_fast": 32, "beta_slow": 1, "truncate": True} | {k: v for k, v in scaling.items() if v is not None}
    turns_of_first = s["original_max_position_embeddings"] / (2 * math.pi)
    low = dim / 2 * (math.log(turns_of_first) - math.log(s["beta_fast"])) / math.log(theta)
    high = dim / 2 * (math.log(turns_of_first) - math.log(s["beta_slow"])) / math.log(theta)
    if s["truncate"]:
        low, high = math.floor(low), math.ceil(high)
    low, high = max(low, 0), min(high, dim - 1)
    share = ((torch.arange(dim // 2) - low) / max(high - low, 0.001)).clamp(0, 1).to(torch.float32)
    return inv * (1 + share * (1 / s["factor"] - 1))
