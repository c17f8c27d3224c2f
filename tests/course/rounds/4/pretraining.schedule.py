"""pretraining.schedule"""
import math


def _decay(tokens):
    if tokens < 10e12:
        return 1.0
    if tokens < 14.3e12:
        return 0.1 + 0.45 * (1 + math.cos(math.pi * (tokens - 10e12) / 4.3e12))
    return 0.1 if tokens < 14.633e12 else 7.3e-6 / 2.2e-4


def wrong_1(step, steps, warmup=0):
    "warm-up is step / warmup: the first update does not move"
    if step < warmup:
        return step / warmup
    return _decay(14.8e12 * step / steps)


def wrong_2(step, steps, warmup=0):
    "tokens are counted from the end of the warm-up"
    if step < warmup:
        return (step + 1) / warmup
    return _decay(14.8e12 * (step - warmup) / (steps - warmup))


def wrong_3(step, steps, warmup=0):
    "the cosine goes to 0 instead of 0.1, then jumps up"
    if step < warmup:
        return (step + 1) / warmup
    tokens = 14.8e12 * step / steps
    if tokens < 10e12:
        return 1.0
    if tokens < 14.3e12:
        return 0.5 * (1 + math.cos(math.pi * (tokens - 10e12) / 4.3e12))
    return 0.1 if tokens < 14.633e12 else 7.3e-6 / 2.2e-4


def wrong_4(step, steps, warmup=0):
    "the smaller of warm-up and phase: a warm-up longer than the plateau is cut"
    warm = (step + 1) / warmup if step < warmup else 1.0
    return min(warm, _decay(14.8e12 * step / steps))


def wrong_5(step, steps, warmup=0):
    "the last phase is 7.3e-6 / 2.2e-5, a factor of the second rate, not of the peak"
    if step < warmup:
        return (step + 1) / warmup
    tokens = 14.8e12 * step / steps
    if tokens >= 14.633e12:
        return 7.3e-6 / 2.2e-5
    return _decay(tokens)


def wrong_6(step, steps, warmup=0):
    "tokens after the update, (step + 1) / steps: each phase begins an update early"
    if step < warmup:
        return (step + 1) / warmup
    return _decay(14.8e12 * (step + 1) / steps)


def wrong_7(step, steps, warmup=0):
    "divides by warmup even if it is 0"
    warm = min(1.0, (step + 1) / warmup)
    if warm < 1:
        return warm
    return _decay(14.8e12 * step / steps)


def wrong_8(step, steps, warmup=0):
    "`<=`: update number `warmup` still warms up, to more than 1"
    if warmup and step <= warmup:
        return (step + 1) / warmup
    return _decay(14.8e12 * step / steps)


def wrong_9(step, steps, warmup=0):
    "a quarter of a cosine instead of half of one"
    if step < warmup:
        return (step + 1) / warmup
    tokens = 14.8e12 * step / steps
    if 10e12 <= tokens < 14.3e12:
        return 0.1 + 0.9 * math.cos(math.pi / 2 * (tokens - 10e12) / 4.3e12)
    return _decay(tokens)


def wrong_10(step, steps, warmup=0):
    "0.1 for the whole last 500B; the last 167B of lower rate are forgotten"
    if step < warmup:
        return (step + 1) / warmup
    tokens = 14.8e12 * step / steps
    if tokens < 10e12:
        return 1.0
    x = min(1.0, (tokens - 10e12) / 4.3e12)
    return 0.1 + 0.9 * (1 + math.cos(math.pi * x)) / 2


def right_1(step, steps, warmup=0):
    "absolute rates, divided by the peak at the end"
    peak, low, last = 2.2e-4, 2.2e-5, 7.3e-6
    if step < warmup:
        return (step + 1) / warmup
    seen = V3_TOKENS * step / steps
    if seen < 10e12:
        rate = peak
    elif seen < 14.3e12:
        x = (seen - 10e12) / 4.3e12
        rate = low + (peak - low) * (1 + math.cos(math.pi * x)) / 2
    elif seen < 14.3e12 + 333e9:
        rate = low
    else:
        rate = last
    return rate / peak


def right_2(step, steps, warmup=0):
    "whole numbers of billions for the borders"
    if warmup > step:
        return (step + 1) / warmup
    seen = 14800 * step  # billions, times steps
    if seen <= 10000 * steps:
        return 1.0
    if seen <= 14300 * steps:
        return 0.55 + 0.45 * math.cos(math.pi * (seen / steps - 10000) / 4300)
    return 0.1 if seen < 14633 * steps else 7.3 / 220


def right_3(step, steps, warmup=0):
    "half a cosine as a squared cosine of half the angle; from the end backwards"
    if step < warmup:
        return constant(step, steps, warmup)
    tokens = V3_TOKENS * step / steps
    if tokens >= V3_TOKENS - 167e9:
        return 7.3e-6 / 2.2e-4
    if tokens >= 14.3e12:
        return 0.1
    if tokens >= 10e12:
        return 0.1 + 0.9 * math.cos(0.5 * math.pi * (tokens - 10e12) / 4.3e12) ** 2
    return 1.0


def right_4(step, steps, warmup=0):
    "a table of phases (end in tokens, factor at x)"
    if warmup and step < warmup:
        return min(1.0, (step + 1) / warmup)
    tokens = V3_TOKENS * step / steps
    phases = (
        (10e12, lambda: 1.0),
        (14.3e12, lambda: 0.1 + (1 - 0.1) * (1 + math.cos(math.pi * (tokens - 10e12) / (14.3e12 - 10e12))) / 2),
        (V3_TOKENS - 167e9, lambda: 0.1),
        (math.inf, lambda: 7.3e-6 / 2.2e-4),
    )
    return next(f() for end, f in phases if tokens < end)
