"""bill.gpu_hours"""
import math


def wrong_1(flops, peak, share):
    "NaN passes: both comparisons are false"
    if share <= 0 or share > 1:
        raise MinidsError(f"cost: share must lie above 0 and at most at 1, got {share}.")
    return flops / (peak * share) / 3600


def wrong_2(flops, peak, share):
    "ValueError instead of MinidsError"
    if not 0 < share <= 1:
        raise ValueError(f"share {share}")
    return flops / (peak * share) / 3600


def wrong_3(flops, peak, share):
    "a share of exactly 1 is refused"
    if not 0 < share < 1:
        raise MinidsError(f"cost: share must lie above 0 and below 1, got {share}.")
    return flops / (peak * share) / 3600


def wrong_4(flops, peak, share):
    "a share of 0 is a ZeroDivisionError"
    if not 0 <= share <= 1:
        raise MinidsError(f"cost: share must lie between 0 and 1, got {share}.")
    return flops / (peak * share) / 3600


def wrong_5(flops, peak, share):
    "39 is read as 39 %"
    if share > 1:
        share /= 100
    if not 0 < share <= 1:
        raise MinidsError(f"cost: share {share}.")
    return flops / (peak * share) / 3600


def wrong_6(flops, peak, share):
    "negative shares pass: only 0, more than 1 and NaN are caught"
    if not share or share > 1 or math.isnan(share):
        raise MinidsError(f"cost: share {share}.")
    return flops / (peak * share) / 3600


def wrong_7(flops, peak, share):
    "minutes, not hours"
    if not 0 < share <= 1:
        raise MinidsError(f"cost: share {share}.")
    return flops / (peak * share) / 60


def wrong_8(flops, peak, share):
    "multiplied by the share"
    if not 0 < share <= 1:
        raise MinidsError(f"cost: share {share}.")
    return flops / peak * share / 3600


def wrong_9(flops, peak, share):
    "whole hours: 0 for short runs"
    if not 0 < share <= 1:
        raise MinidsError(f"cost: share {share}.")
    return flops // (peak * share * 3600)


def wrong_10(flops, peak, share):
    "1.2 is clamped to 1 instead of refused"
    share = min(share, 1.0)
    if not share > 0:
        raise MinidsError(f"cost: share {share}.")
    return flops / (peak * share) / 3600


def right_1(flops, peak, share):
    "another order of the divisions"
    if not (share > 0 and share <= 1):
        raise MinidsError("cost: share must lie above 0 and at most at 1.")
    return flops / 3600 / peak / share


def right_2(flops, peak, share):
    "NaN caught by itself"
    if math.isnan(share) or share <= 0 or share > 1:
        raise MinidsError(f"cost: no such share: {share}")
    seconds = flops / (peak * share)
    return seconds / 60 / 60


def right_3(flops, peak, share):
    "the good case first"
    if 0 < share <= 1:
        per_hour = peak * share * 3600
        return flops / per_hour
    raise MinidsError(f"cost: share {share!r}")


def right_4(flops, peak, share):
    "floats"
    valid = float(share) > 0.0 and not float(share) > 1.0
    if not valid:
        raise MinidsError("cost: " + str(share))
    return float(flops) / (float(peak) * 3.6e3 * float(share))
