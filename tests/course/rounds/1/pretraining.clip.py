"""pretraining.clip"""
import math

def wrong_1(norm, limit):
    "no min: gradients within the limit are scaled up"
    return limit / (norm + 1e-6) if limit else 1.0

def wrong_2(norm, limit):
    "a norm of 0 divides by zero"
    return min(1.0, limit / norm) if limit else 1.0

def wrong_3(norm, limit):
    "0 as a limit gives the factor 0: nothing is trained"
    return min(1.0, limit / (norm + 1e-6))

def wrong_4(norm, limit):
    "max instead of min"
    return max(1.0, limit / (norm + 1e-6)) if limit else 1.0

def wrong_5(norm, limit):
    "1e-3 in the divisor: too small by far more than 1e-6 / norm"
    return min(1.0, limit / (norm + 1e-3)) if limit else 1.0

def wrong_6(norm, limit):
    "upside down: norm / limit above the limit"
    if not limit or norm <= limit:
        return 1.0
    return norm / limit

def wrong_7(norm, limit):
    "floor division: every norm above the limit gives 0"
    return min(1.0, limit // (norm + 1e-6)) if limit else 1.0

def wrong_8(norm, limit):
    "takes limits below 1 only: max(limit, 1) smuggled in, so limit 0.5 clips to 1"
    return 1.0 / max(1.0, norm / max(1.0, limit)) if limit else 1.0

def wrong_9(norm, limit):
    "the square root of the ratio, as if norm were the sum of squares"
    return min(1.0, limit / math.sqrt(norm + 1e-6)) if limit else 1.0

def wrong_10(norm, limit):
    "divides by 1 + norm: smooth, but gradients within the limit do not stay as they are"
    return limit / (limit + norm) if limit else 1.0

def right_1(norm, limit):
    "if chain without an epsilon"
    if limit == 0 or norm <= limit:
        return 1.0
    return limit / norm

def right_2(norm, limit):
    "one over the larger of 1 and norm / limit"
    return 1.0 / max(1.0, norm / limit) if limit else 1.0

def right_3(norm, limit):
    "limit over the larger of the two; no limit is an infinite one"
    if not limit:
        return 1.0
    return limit / max(norm, limit)

def right_4(norm, limit):
    "torch's form: clamp of limit / (norm + 1e-6)"
    if limit == 0:
        return 1.0
    factor = limit / (norm + 1e-6)
    return 1.0 if factor > 1.0 else factor
