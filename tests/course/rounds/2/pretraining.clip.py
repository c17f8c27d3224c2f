"""pretraining.clip"""
import math


def wrong_1(norm, limit):
    "small gradients are scaled up to the limit"
    return limit / (norm + 1e-6) if limit else 1.0


def wrong_2(norm, limit):
    "a norm of 0 divides by zero"
    return min(1.0, limit / norm) if limit else 1.0


def wrong_3(norm, limit):
    "0 as a limit multiplies with 0"
    return min(1.0, limit / (norm + 1e-6))


def wrong_4(norm, limit):
    "norms up to 1 are never clipped: wrong for a limit below 1"
    if not limit or norm <= 1.0:
        return 1.0
    return min(1.0, limit / norm)


def wrong_5(norm, limit):
    "returns the limit itself where it clips: right only for a norm of 1"
    return 1.0 if not limit or norm <= limit else float(limit)


def wrong_6(norm, limit):
    "1 is added below the line: too small, and gradients within the limit are shrunk"
    return min(1.0, limit / (norm + 1.0)) if limit else 1.0


def wrong_7(norm, limit):
    "takes the norm as a squared one"
    return min(1.0, limit / (math.sqrt(norm) + 1e-6)) if limit else 1.0


def wrong_8(norm, limit):
    "whole division: 0 for every norm above the limit"
    return min(1.0, float(limit // (norm + 1e-6))) if limit else 1.0


def wrong_9(norm, limit):
    "no limit is looked for as None, and a negative or zero limit gives 0"
    if limit is None:
        return 1.0
    return 1.0 if norm <= limit else limit / norm


def wrong_10(norm, limit):
    "1e-6 is taken from the norm instead of added to it: a norm of 0 gives a negative factor, one of 1e-6 divides by zero"
    return min(1.0, limit / (norm - 1e-6)) if limit else 1.0


def right_1(norm, limit):
    "exact: the branch is on the norm"
    if limit == 0 or norm <= limit:
        return 1.0
    return limit / norm


def right_2(norm, limit):
    "divides by the larger of the two"
    return limit / max(norm, limit) if limit else 1.0


def right_3(norm, limit):
    "no limit is an infinite limit"
    limit = limit or math.inf
    return 1.0 if limit >= norm else limit / (norm + 1e-6)


def right_4(norm, limit):
    "torch's own formula with clamp"
    if not limit:
        return 1.0
    factor = limit / (norm + 1e-6)
    if factor > 1.0:
        factor = 1.0
    return float(factor)
