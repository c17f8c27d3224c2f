"""bill.gpu_hours"""
import math


def wrong_1(flops, peak, share):
    "NaN passes: every comparison with it is False"
    if share <= 0 or share > 1:
        raise MinidsError("share must lie above 0 and at most at 1")
    return flops / (peak * share) / 3600


def wrong_2(flops, peak, share):
    "a share of exactly 1 is refused"
    if not 0 < share < 1:
        raise MinidsError("share must lie between 0 and 1")
    return flops / (peak * share) / 3600


def wrong_3(flops, peak, share):
    "ValueError instead of MinidsError"
    if not 0 < share <= 1:
        raise ValueError("share must lie above 0 and at most at 1")
    return flops / (peak * share) / 3600


def wrong_4(flops, peak, share):
    "39 is read as 39 %"
    if share > 1:
        share = share / 100
    if not 0 < share <= 1:
        raise MinidsError("share")
    return flops / (peak * share) / 3600


def wrong_5(flops, peak, share):
    "divided before the check: ZeroDivisionError for a share of 0"
    seconds = flops / (peak * share)
    if not 0 < share <= 1:
        raise MinidsError("share")
    return seconds / 3600


def wrong_6(flops, peak, share):
    "multiplied by the share"
    if not 0 < share <= 1:
        raise MinidsError("share")
    return flops / peak * share / 3600


def wrong_7(flops, peak, share):
    "whole hours: floor division"
    if not 0 < share <= 1:
        raise MinidsError("share")
    return flops // (peak * share * 3600)


def wrong_8(flops, peak, share):
    "minutes"
    if not 0 < share <= 1:
        raise MinidsError("share")
    return flops / (peak * share) / 60


def wrong_9(flops, peak, share):
    "only too large a share is refused; a negative one gives negative hours"
    if share == 0 or share > 1 or math.isnan(share):
        raise MinidsError("share")
    return flops / (peak * share) / 3600


def wrong_10(flops, peak, share):
    "0 <= share: ZeroDivisionError instead of MinidsError for 0"
    if not 0 <= share <= 1:
        raise MinidsError("share")
    return flops / (peak * share) / 3600


def right_1(flops, peak, share):
    "NaN asked for by name"
    if math.isnan(share) or share <= 0 or share > 1:
        raise MinidsError(f"share {share}")
    return flops / peak / share / 3600


def right_2(flops, peak, share):
    "good case first"
    if share > 0 and share <= 1:
        per_hour = 3600 * share * peak
        return flops / per_hour
    raise MinidsError("cost: no such share")


def right_3(flops, peak, share):
    "NaN found by x != x"
    if share != share:
        raise MinidsError("share is NaN")
    if share > 1:
        raise MinidsError("nothing is faster than its peak")
    if share <= 0:
        raise MinidsError("share must be positive")
    seconds = flops / (peak * share)
    minutes = seconds / 60
    return minutes / 60


def right_4(flops, peak, share):
    "in floats throughout; a subclass of the error"
    class NoShare(MinidsError):
        pass

    s = float(share)
    if min(s, 1.0) != s or not s > 0.0:
        raise NoShare(f"share={share!r}")
    return float(flops) / (float(peak) * s * 3600.0)
