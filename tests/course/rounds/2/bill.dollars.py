"""bill.dollars"""
import math
from functools import reduce


def wrong_1(hours, dollars_per_hour=2.0, gpus=None):
    "gpu_hours is the caller's own dict, not one of its own"
    total = sum(hours.values())
    return {"gpu_hours": hours, "gpu_hours_total": total, "dollars_per_hour": dollars_per_hour,
            "dollars": total * dollars_per_hour, "gpus": gpus, "days": None if gpus is None else total / gpus / 24}


def wrong_2(hours, dollars_per_hour=2.0, gpus=None):
    "a rent of 0 becomes 2.0"
    rent, total = dollars_per_hour or DOLLARS_PER_HOUR, sum(hours.values())
    return {"gpu_hours": dict(hours), "gpu_hours_total": total, "dollars_per_hour": rent,
            "dollars": total * rent, "gpus": gpus, "days": None if gpus is None else total / gpus / 24}


def wrong_3(hours, dollars_per_hour=2.0, gpus=None):
    "days are hours: not divided by 24"
    total = sum(hours.values())
    return {"gpu_hours": dict(hours), "gpu_hours_total": total, "dollars_per_hour": dollars_per_hour,
            "dollars": total * dollars_per_hour, "gpus": gpus, "days": None if gpus is None else total / gpus}


def wrong_4(hours, dollars_per_hour=2.0, gpus=None):
    "without gpus, the days of one GPU instead of None"
    total = sum(hours.values())
    return {"gpu_hours": dict(hours), "gpu_hours_total": total, "dollars_per_hour": dollars_per_hour,
            "dollars": total * dollars_per_hour, "gpus": gpus, "days": total / (gpus or 1) / 24}


def wrong_5(hours, dollars_per_hour=2.0, gpus=None):
    "the rent is multiplied by the GPUs, although the hours are GPU hours"
    total = sum(hours.values())
    return {"gpu_hours": dict(hours), "gpu_hours_total": total, "dollars_per_hour": dollars_per_hour,
            "dollars": total * dollars_per_hour * (gpus or 1), "gpus": gpus,
            "days": None if gpus is None else total / gpus / 24}


def wrong_6(hours, dollars_per_hour=2.0, gpus=None):
    "the default rent whatever is given: `dollars` ignores dollars_per_hour"
    total = sum(hours.values())
    return {"gpu_hours": dict(hours), "gpu_hours_total": total, "dollars_per_hour": dollars_per_hour,
            "dollars": total * DOLLARS_PER_HOUR, "gpus": gpus, "days": None if gpus is None else total / gpus / 24}


def wrong_7(hours, dollars_per_hour=2.0, gpus=None):
    "no key `days` when gpus is None"
    total = sum(hours.values())
    out = {"gpu_hours": dict(hours), "gpu_hours_total": total, "dollars_per_hour": dollars_per_hour,
           "dollars": total * dollars_per_hour, "gpus": gpus}
    if gpus is not None:
        out["days"] = total / gpus / 24
    return out


def wrong_8(hours, dollars_per_hour=2.0, gpus=None):
    "whole days, rounded up"
    total = sum(hours.values())
    return {"gpu_hours": dict(hours), "gpu_hours_total": total, "dollars_per_hour": dollars_per_hour,
            "dollars": total * dollars_per_hour, "gpus": gpus,
            "days": None if gpus is None else math.ceil(total / gpus / 24)}


def wrong_9(hours, dollars_per_hour=2.0, gpus=None):
    "the total is put into the stages"
    stages = dict(hours)
    stages["total"] = sum(hours.values())
    total = stages["total"]
    return {"gpu_hours": stages, "gpu_hours_total": total, "dollars_per_hour": dollars_per_hour,
            "dollars": total * dollars_per_hour, "gpus": gpus, "days": None if gpus is None else total / gpus / 24}


def wrong_10(hours, dollars_per_hour=2.0, gpus=None):
    "dollars by stage, a dict, instead of for all together"
    total = sum(hours.values())
    return {"gpu_hours": dict(hours), "gpu_hours_total": total, "dollars_per_hour": dollars_per_hour,
            "dollars": {k: v * dollars_per_hour for k, v in hours.items()}, "gpus": gpus,
            "days": None if gpus is None else total / gpus / 24}


def right_1(hours, dollars_per_hour=2.0, gpus=None):
    "a dict filled step by step"
    out = {}
    out["gpu_hours"] = hours.copy()
    out["gpu_hours_total"] = math.fsum(hours.values())
    out["dollars_per_hour"] = dollars_per_hour
    out["dollars"] = out["gpu_hours_total"] * dollars_per_hour
    out["gpus"] = gpus
    out["days"] = out["gpu_hours_total"] / (24 * gpus) if gpus else None
    return out


def right_2(hours, dollars_per_hour=2.0, gpus=None):
    "sum by a loop, dollars stage by stage"
    total, dollars = 0, 0
    for value in hours.values():
        total += value
        dollars += value * dollars_per_hour
    days = None
    if gpus is not None:
        days = total / 24 / gpus
    return dict(gpu_hours={**hours}, gpu_hours_total=total, dollars_per_hour=dollars_per_hour, dollars=dollars, gpus=gpus, days=days)


def right_3(hours, dollars_per_hour=2.0, gpus=None):
    "reduce with a start, other order of keys"
    total = reduce(lambda a, b: a + b, hours.values(), 0)
    days = total / (gpus * 24) if gpus is not None else None
    return {"days": days, "gpus": gpus, "dollars": dollars_per_hour * total, "dollars_per_hour": dollars_per_hour,
            "gpu_hours_total": total, "gpu_hours": {stage: h for stage, h in hours.items()}}


def right_4(hours, dollars_per_hour=2.0, gpus=None):
    "early return"
    total = sum([hours[stage] for stage in hours])
    out = {"gpu_hours": dict(hours.items()), "gpu_hours_total": total, "dollars_per_hour": dollars_per_hour,
           "dollars": total * dollars_per_hour, "gpus": gpus, "days": None}
    if gpus is None:
        return out
    out["days"] = total / gpus / 24.0
    return out
