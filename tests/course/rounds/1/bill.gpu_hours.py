"""bill.gpu_hours"""
from minids.errors import MinidsError


def wrong_1(flops, peak, share):
    "seconds, not hours"
    if not 0 < share <= 1:
        raise MinidsError("cost: share")
    return flops / (peak * share)


def wrong_2(flops, peak, share):
    "divides by 60"
    if not 0 < share <= 1:
        raise MinidsError("cost: share")
    return flops / (peak * share) / 60


def wrong_3(flops, peak, share):
    "no check of the share: 39 is accepted"
    return flops / (peak * share) / 3600


def wrong_4(flops, peak, share):
    "ValueError instead of MinidsError"
    if not 0 < share <= 1:
        raise ValueError("share must lie in (0, 1]")
    return flops / (peak * share) / 3600


def wrong_5(flops, peak, share):
    "refuses a share of exactly 1"
    if not 0 < share < 1:
        raise MinidsError("cost: share")
    return flops / (peak * share) / 3600


def wrong_6(flops, peak, share):
    "accepts 0: ZeroDivisionError instead of MinidsError"
    if share < 0 or share > 1:
        raise MinidsError("cost: share")
    return flops / (peak * share) / 3600


def wrong_7(flops, peak, share):
    "only the upper end is checked: a negative share gives negative hours"
    if share > 1 or share == 0:
        raise MinidsError("cost: share")
    return flops / (peak * share) / 3600


def wrong_8(flops, peak, share):
    "takes the share of the result instead of the peak: flops / peak * share"
    if not 0 < share <= 1:
        raise MinidsError("cost: share")
    return flops / peak * share / 3600


def wrong_9(flops, peak, share):
    "helpfully reads 39 as 39 % instead of refusing it"
    if share > 1:
        share /= 100
    if share <= 0:
        raise MinidsError("cost: share")
    return flops / (peak * share) / 3600


def wrong_10(flops, peak, share):
    "NaN passes the check (both comparisons are False) and gives nan hours"
    if share <= 0 or share > 1:
        raise MinidsError("cost: share")
    return flops / (peak * share) / 3600


def right_1(flops, peak, share):
    "FLOPs of one GPU in an hour first"
    if share > 0 and share <= 1:
        hourly = peak * share * 60 * 60
        return flops / hourly
    raise MinidsError(f"share must be above 0 and at most 1, not {share}")


def right_2(flops, peak, share):
    "divides one after the other"
    if not (0 < share <= 1):
        raise MinidsError("39 % is 0.39")
    seconds = flops / peak / share
    return seconds / 3600.0


def right_3(flops, peak, share):
    "a subclass of MinidsError"
    class ShareError(MinidsError):
        pass

    if not 0 < share or not share <= 1:
        raise ShareError("share")
    return (flops / 3600) / (share * peak)


def right_4(flops, peak, share):
    "multiplies with the inverse"
    ok = 0 < share <= 1
    if not ok:
        raise MinidsError("cost: the share of the peak is a number in (0, 1]")
    return flops * (1 / (peak * share)) * (1 / 3600)
