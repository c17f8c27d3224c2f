"""bill.dollars"""
import math


def _make(hours, rate, gpus, **other):
    total = sum(hours.values())
    out = {"gpu_hours": dict(hours), "gpu_hours_total": total, "dollars_per_hour": rate, "dollars": total * rate,
           "gpus": gpus, "days": None if gpus is None else total / gpus / 24}
    return {**out, **other}


def wrong_1(hours, dollars_per_hour=2.0, gpus=None):
    "gpu_hours is the caller's own dict"
    return _make(hours, dollars_per_hour, gpus, gpu_hours=hours)


def wrong_2(hours, dollars_per_hour=2.0, gpus=None):
    "adds the total to the caller's dict"
    hours["total"] = sum(hours.values())
    total = hours["total"]
    return {"gpu_hours": dict(hours), "gpu_hours_total": total, "dollars_per_hour": dollars_per_hour,
            "dollars": total * dollars_per_hour, "gpus": gpus, "days": total / gpus / 24 if gpus else None}


def wrong_3(hours, dollars_per_hour=2.0, gpus=None):
    "dollars times the number of GPUs"
    total = sum(hours.values())
    return _make(hours, dollars_per_hour, gpus, dollars=total * dollars_per_hour * (gpus or 1))


def wrong_4(hours, dollars_per_hour=2.0, gpus=None):
    "the constant, not the rent that was given"
    return _make(hours, dollars_per_hour, gpus, dollars=sum(hours.values()) * DOLLARS_PER_HOUR)


def wrong_5(hours, dollars_per_hour=2.0, gpus=None):
    "whole days, rounded up"
    return _make(hours, dollars_per_hour, gpus, days=None if gpus is None else math.ceil(sum(hours.values()) / gpus / 24))


def wrong_6(hours, dollars_per_hour=2.0, gpus=None):
    "one GPU is taken as none: days None for gpus=1"
    return _make(hours, dollars_per_hour, gpus, days=sum(hours.values()) / gpus / 24 if gpus and gpus > 1 else None)


def wrong_7(hours, dollars_per_hour=2.0, gpus=None):
    "without gpus the keys gpus and days are missing"
    out = _make(hours, dollars_per_hour, gpus)
    if gpus is None:
        del out["gpus"], out["days"]
    return out


def wrong_8(hours, dollars_per_hour=2.0, gpus=None):
    "without gpus, days as if one GPU did it all"
    return _make(hours, dollars_per_hour, gpus, days=sum(hours.values()) / (gpus or 1) / 24)


def wrong_9(hours, dollars_per_hour=2.0, gpus=None):
    "a rent of 0 (own machines) is replaced by the default"
    return _make(hours, dollars_per_hour or 2.0, gpus)


def wrong_10(hours, dollars_per_hour=2.0, gpus=None):
    "the total is cut to whole hours (differs for fractions of an hour)"
    total = sum(int(h) for h in hours.values())
    return _make(hours, dollars_per_hour, gpus, gpu_hours_total=total, dollars=total * dollars_per_hour,
                 days=None if gpus is None else total / gpus / 24)


def right_1(hours, dollars_per_hour=2.0, gpus=None):
    "a loop and a dict filled step by step, in another order of keys"
    bill = {"gpus": gpus, "days": None, "dollars_per_hour": dollars_per_hour, "gpu_hours": {}}
    total = 0
    for stage, h in hours.items():
        bill["gpu_hours"][stage] = h
        total += h
    bill["gpu_hours_total"] = total
    bill["dollars"] = dollars_per_hour * total
    if gpus is not None:
        bill["days"] = total / (24 * gpus)
    return bill


def right_2(hours, dollars_per_hour=2.0, gpus=None):
    "copy() and dict()"
    total = sum(hours.values())
    days = total / gpus / 24 if gpus else None
    return dict(gpu_hours=hours.copy(), gpu_hours_total=total, dollars_per_hour=dollars_per_hour,
                dollars=total * dollars_per_hour, gpus=gpus, days=days)


def right_3(hours, dollars_per_hour=2.0, gpus=None):
    "fsum: a float total"
    total = math.fsum(hours.values())
    return {"gpu_hours": {**hours}, "gpu_hours_total": total, "dollars_per_hour": dollars_per_hour,
            "dollars": total * dollars_per_hour, "gpus": gpus, "days": (total / 24) / gpus if gpus is not None else None}


def right_4(hours, dollars_per_hour=2.0, gpus=None):
    "dollars summed stage by stage"
    return {
        "gpu_hours": {k: v for k, v in hours.items()}, "gpu_hours_total": sum(hours[k] for k in hours),
        "dollars_per_hour": dollars_per_hour, "dollars": sum(v * dollars_per_hour for v in hours.values()),
        "gpus": gpus, "days": gpus and sum(hours.values()) / gpus / 24,
    }
