"""pretraining.clip"""
import math


def wrong_1(norm, limit):
    "no min: gradients within the limit are enlarged to it"
    return limit / (norm + 1e-6) if limit else 1.0


def wrong_2(norm, limit):
    "a norm of 0 divides by zero"
    return min(1.0, limit / norm) if limit else 1.0


def wrong_3(norm, limit):
    "a limit of 0 gives the factor 0: the model never learns"
    return min(1.0, limit / (norm + 1e-6))


def wrong_4(norm, limit):
    "upside down: norm / limit"
    return min(1.0, norm / limit) if limit else 1.0


def wrong_5(norm, limit):
    "1e-3 in the divisor: too small by more than a relative 1e-6 / norm, and a norm just below the limit is scaled"
    return min(1.0, limit / (norm + 1e-3)) if limit else 1.0


def wrong_6(norm, limit):
    "the norm afterwards, not the factor"
    return min(norm, limit) if limit else norm


def wrong_7(norm, limit):
    "compares the norm with 1, not with the limit: right only for limit 1"
    if not limit or norm <= 1.0:
        return 1.0
    return limit / norm


def wrong_8(norm, limit):
    "the divisor is kept above 1: with a limit below 1, norms between are scaled too much"
    return min(1.0, limit / max(norm, 1.0)) if limit else 1.0


def wrong_9(norm, limit):
    "1e-6 is added to the quotient instead of the divisor: with a large norm the limit is passed"
    if not limit or norm == 0:
        return 1.0
    return min(1.0, limit / norm + 1e-6)


def wrong_10(norm, limit):
    "no limit is taken for the usual limit of 1"
    return min(1.0, (limit or 1.0) / (norm + 1e-6))


def right_1(norm, limit):
    "the four situations one by one"
    if limit == 0:
        return 1.0
    if norm <= limit:
        return 1.0
    return limit / norm


def right_2(norm, limit):
    "the reciprocal of how many limits the norm is"
    if not limit:
        return 1.0
    return 1 / max(1.0, norm / limit)


def right_3(norm, limit):
    "divides by the larger of both"
    return limit / max(norm, limit) if limit > 0 else 1.0


def right_4(norm, limit):
    "no limit is an infinite one"
    limit = limit or math.inf
    return limit / (norm + 1e-6) if norm > limit else 1.0
