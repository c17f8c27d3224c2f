"""bill.dollars"""


def _out(hours, dollars_per_hour, gpus, dollars, days, total=None):
    return {
        "gpu_hours": dict(hours), "gpu_hours_total": sum(hours.values()) if total is None else total,
        "dollars_per_hour": dollars_per_hour, "dollars": dollars, "gpus": gpus, "days": days,
    }


def wrong_1(hours, dollars_per_hour=2.0, gpus=None):
    "the caller's dict itself is returned, not one of its own"
    total = sum(hours.values())
    out = _out(hours, dollars_per_hour, gpus, total * dollars_per_hour, total / gpus / 24 if gpus else None)
    out["gpu_hours"] = hours
    return out


def wrong_2(hours, dollars_per_hour=2.0, gpus=None):
    "dollars multiplied with the number of GPUs"
    total = sum(hours.values())
    return _out(hours, dollars_per_hour, gpus, total * dollars_per_hour * (gpus or 1), total / gpus / 24 if gpus else None)


def wrong_3(hours, dollars_per_hour=2.0, gpus=None):
    "days is 0 instead of None without gpus"
    total = sum(hours.values())
    return _out(hours, dollars_per_hour, gpus, total * dollars_per_hour, total / gpus / 24 if gpus else 0)


def wrong_4(hours, dollars_per_hour=2.0, gpus=None):
    "days not divided by the GPUs"
    total = sum(hours.values())
    return _out(hours, dollars_per_hour, gpus, total * dollars_per_hour, total / 24 if gpus else None)


def wrong_5(hours, dollars_per_hour=2.0, gpus=None):
    "hours that the GPUs work, not days"
    total = sum(hours.values())
    return _out(hours, dollars_per_hour, gpus, total * dollars_per_hour, total / gpus if gpus else None)


def wrong_6(hours, dollars_per_hour=2.0, gpus=None):
    "whole days: floor division"
    total = sum(hours.values())
    return _out(hours, dollars_per_hour, gpus, total * dollars_per_hour, total // gpus // 24 if gpus else None)


def wrong_7(hours, dollars_per_hour=2.0, gpus=None):
    "the rent is the constant 2.0, the argument is ignored for the dollars"
    total = sum(hours.values())
    return _out(hours, dollars_per_hour, gpus, total * DOLLARS_PER_HOUR, total / gpus / 24 if gpus else None)


def wrong_8(hours, dollars_per_hour=2.0, gpus=None):
    "the total is written into the caller's dict"
    hours["total"] = sum(hours.values())
    total = hours["total"]
    return _out(hours, dollars_per_hour, gpus, total * dollars_per_hour, total / gpus / 24 if gpus else None, total)


def wrong_9(hours, dollars_per_hour=2.0, gpus=None):
    "only the first stage is paid (max instead of sum is what remains for one stage)"
    total = sum(hours.values())
    return _out(hours, dollars_per_hour, gpus, max(hours.values(), default=0) * dollars_per_hour, total / gpus / 24 if gpus else None)


def wrong_10(hours, dollars_per_hour=2.0, gpus=None):
    "no GPUs given is stored as 1 GPU, and the days are those of one GPU"
    total = sum(hours.values())
    gpus = gpus or 1
    return _out(hours, dollars_per_hour, gpus, total * dollars_per_hour, total / gpus / 24)


def right_1(hours, dollars_per_hour=2.0, gpus=None):
    "explicit loop, explicit None"
    total = 0
    own = {}
    for stage in hours:
        own[stage] = hours[stage]
        total += hours[stage]
    days = None
    if gpus is not None:
        days = total / (gpus * 24)
    return dict(gpu_hours=own, gpu_hours_total=total, dollars_per_hour=dollars_per_hour,
                dollars=dollars_per_hour * total, gpus=gpus, days=days)


def right_2(hours, dollars_per_hour=2.0, gpus=None):
    "copy() and a sum of dollars over the stages"
    out = {"gpu_hours": hours.copy()}
    out["gpu_hours_total"] = sum(hours.values())
    out["dollars_per_hour"] = dollars_per_hour
    out["dollars"] = sum(h * dollars_per_hour for h in hours.values())
    out["gpus"] = gpus
    out["days"] = None if gpus is None else out["gpu_hours_total"] / 24 / gpus
    return out


def right_3(hours, dollars_per_hour=2.0, gpus=None):
    "keys in another order, comprehension"
    total = sum(h for _, h in hours.items())
    return {
        "days": total / gpus / 24 if gpus is not None else None,
        "gpus": gpus,
        "dollars": total * dollars_per_hour,
        "dollars_per_hour": dollars_per_hour,
        "gpu_hours_total": total,
        "gpu_hours": {k: v for k, v in hours.items()},
    }


def right_4(hours, dollars_per_hour=2.0, gpus=None):
    "unpacking, hours of the clock first"
    own = {**hours}
    total = sum(own.values())
    clock = total / gpus if gpus else None
    return {"gpu_hours": own, "gpu_hours_total": total, "dollars_per_hour": dollars_per_hour,
            "dollars": total * dollars_per_hour, "gpus": gpus, "days": clock and clock / 24}
