"""pretraining.clip"""
import math


def wrong_1(norm, limit):
    "small gradients are scaled up to the limit"
    # breaks: "Gradients within the limit stay as they are"; clip_factor(0.5, 1.0) gives 2
    return limit / (norm + 1e-6) if limit else 1.0


def wrong_2(norm, limit):
    "a limit of 0 is taken at its word: all gradients become 0"
    # breaks: "0 as a limit means none"; clip_factor(3.0, 0.0) gives 0
    return min(1.0, limit / (norm + 1e-6))


def wrong_3(norm, limit):
    "divides by a norm of 0"
    # breaks: "a norm of 0 is no error"; clip_factor(0.0, 1.0) raises ZeroDivisionError
    return min(1.0, limit / norm) if limit else 1.0


def wrong_4(norm, limit):
    "1e-6 is added to the quotient and not to the divisor: too large for a huge norm"
    # breaks: "their common norm is at most `limit`"; clip_factor(1e5, 1.0) leaves a norm of 1.1
    if limit == 0 or norm == 0:
        return 1.0
    return min(1.0, limit / norm + 1e-6)


def wrong_5(norm, limit):
    "compares the norm with 1 and not with the limit"
    # breaks: "Gradients within the limit stay as they are"; clip_factor(0.5, 0.1) gives 1, clip_factor(2.0, 5.0) 2.5
    if limit == 0:
        return 1.0
    return limit / (norm + 1e-6) if norm > 1 else 1.0


def wrong_6(norm, limit):
    "V3's limit, 1.0, is written in"
    # breaks: "at most `limit`"; clip_factor(4.0, 2.0) gives 0.25
    return min(1.0, 1.0 / (norm + 1e-6)) if limit else 1.0


def wrong_7(norm, limit):
    "a divisor of at least 1, so that it can not become 0: wrong for limits below 1"
    # breaks: "Gradients within the limit stay as they are"; clip_factor(0.2, 0.5) gives 0.5 in place of 1
    return min(1.0, limit / max(norm, 1.0)) if limit else 1.0


def wrong_8(norm, limit):
    "takes the norm for a sum of squares"
    # breaks: "norm: the Euclidean norm of all gradients"; clip_factor(4.0, 1.0) gives 0.5
    return min(1.0, limit / (math.sqrt(norm) + 1e-6)) if limit else 1.0


def wrong_9(norm, limit):
    "rounded to three places: a huge norm gives 0"
    # breaks: "may be too small by a relative 1e-6 / norm"; clip_factor(30000.0, 1.0) gives 0.0, (1.5, 1.0) 0.667
    if not limit:
        return 1.0
    return round(min(1.0, limit / (norm + 1e-6)), 3)


def wrong_10(norm, limit):
    "a soft limit: gradients within it shrink as well"
    # breaks: "Gradients within the limit stay as they are"; clip_factor(1.0, 1.0) gives 0.5
    return limit / (limit + norm) if limit else 1.0


def right_1(norm, limit):
    "cases, one after the other, without 1e-6"
    if limit == 0:
        return 1.0
    if norm <= limit:
        return 1.0
    return limit / norm


def right_2(norm, limit):
    "the divisor is the larger of the two"
    return limit / max(norm, limit) if limit > 0 else 1.0


def right_3(norm, limit):
    "no limit as an infinite one"
    most = limit or math.inf
    return 1.0 if norm == 0 else min(most / norm, 1.0)


def right_4(norm, limit):
    "the reciprocal is limited from below"
    if not limit:
        return 1.0
    excess = (norm + 1e-6) / limit
    return 1 / excess if excess > 1 else 1.0
