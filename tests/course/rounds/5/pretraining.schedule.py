"""pretraining.schedule"""
import math
from bisect import bisect_right


def _after(tokens):
    if tokens < 10e12:
        return 1.0
    if tokens < 14.3e12:
        return 0.1 + 0.45 * (1 + math.cos(math.pi * (tokens - 10e12) / 4.3e12))
    return 0.1 if tokens < 14.8e12 - 167e9 else 7.3e-6 / 2.2e-4


def wrong_1(step, steps, warmup=0):
    "the first update has rate 0: step / warmup"
    # breaks: "Linear warm-up, (step + 1) / warmup"; deepseek_v3(0, 100, 10) gives 0.0
    if step < warmup:
        return step / warmup
    return _after(V3_TOKENS * step / steps)


def wrong_2(step, steps, warmup=0):
    "tokens seen after the update in place of before it"
    # breaks: "before update `step` of `steps`, V3_TOKENS * step / steps have been seen"; deepseek_v3(80, 100)
    if step < warmup:
        return (step + 1) / warmup
    return _after(V3_TOKENS * (step + 1) / steps)


def wrong_3(step, steps, warmup=0):
    "the phases are counted from the end of the warm-up"
    # breaks: "have been seen, warm-up included"; deepseek_v3(70, 100, 50) is still on the plateau
    if step < warmup:
        return constant(step, steps, warmup)
    return _after(V3_TOKENS * (step - warmup) / (steps - warmup))


def wrong_4(step, steps, warmup=0):
    "the cosine falls to 0 and not to a tenth"
    # breaks: "half a cosine to 2.2e-5"; deepseek_v3(96, 100) is near 0
    if step < warmup:
        return constant(step, steps, warmup)
    tokens = V3_TOKENS * step / steps
    if tokens < 10e12 or tokens >= 14.3e12:
        return _after(tokens)
    return 0.5 * (1 + math.cos(math.pi * (tokens - 10e12) / 4.3e12))


def wrong_5(step, steps, warmup=0):
    "the last factor is of the phase before it and not of the peak: 7.3e-6 / 2.2e-5"
    # breaks: "as a factor of the peak rate"; deepseek_v3(99, 100) gives 0.33
    if step < warmup:
        return constant(step, steps, warmup)
    tokens = V3_TOKENS * step / steps
    return _after(tokens) if tokens < V3_TOKENS - 167e9 else 7.3e-6 / 2.2e-5


def wrong_6(step, steps, warmup=0):
    "a warm-up is never longer than the plateau: the later phases come first"
    # breaks: "Linear warm-up ..., however long it is"; deepseek_v3(90, 100, 100) gives the cosine in place of 0.91
    tokens = V3_TOKENS * step / steps
    if tokens >= 10e12:
        return _after(tokens)
    if step < warmup:
        return (step + 1) / warmup
    return 1.0


def wrong_7(step, steps, warmup=0):
    "the two flat ends have each other's length: 167B, then 333B"
    # breaks: "2.2e-5 for 333B; 7.3e-6 for the last 167B"; deepseek_v3(980, 1000) gives 0.033
    if step < warmup:
        return constant(step, steps, warmup)
    tokens = V3_TOKENS * step / steps
    if tokens < 14.3e12:
        return _after(tokens)
    return 0.1 if tokens < 14.3e12 + 167e9 else 7.3e-6 / 2.2e-4


def wrong_8(step, steps, warmup=0):
    "a run without warm-up divides by zero"
    # breaks: the signature, "warmup: int = 0"; deepseek_v3(0, 100) raises ZeroDivisionError
    rising = min(1.0, (step + 1) / warmup)
    return rising if step < warmup else _after(V3_TOKENS * step / steps)


def wrong_9(step, steps, warmup=0):
    "the cosine is stretched to the end of the run, 4.8T in place of 4.3T"
    # breaks: "half a cosine to 2.2e-5 over the next 4.3T"; deepseek_v3(85, 100) is too high
    if step < warmup:
        return constant(step, steps, warmup)
    tokens = V3_TOKENS * step / steps
    if 10e12 <= tokens < 14.3e12:
        return 0.1 + 0.9 * (1 + math.cos(math.pi * (tokens - 10e12) / (V3_TOKENS - 10e12))) / 2
    return _after(tokens)


def wrong_10(step, steps, warmup=0):
    "warm-up and phase are multiplied, which a long warm-up shows"
    # breaks: "Linear warm-up, (step + 1) / warmup, as in `constant`, however long it is"; deepseek_v3(80, 100, 95)
    rising = (step + 1) / warmup if step < warmup else 1.0
    return rising * _after(V3_TOKENS * step / steps)


def right_1(step, steps, warmup=0):
    "one expression, with the square of a cosine"
    if warmup > step:
        return (step + 1) / warmup
    t = V3_TOKENS * step / steps
    if t >= V3_TOKENS - 167e9:
        return 7.3 / 220
    x = min(max((t - 10e12) / 4.3e12, 0.0), 1.0)
    return 0.1 + 0.9 * math.cos(math.pi * x / 2) ** 2


def right_2(step, steps, warmup=0):
    "rates first, divided by the peak at the end; the phases in a table"
    peak, low, last = 2.2e-4, 2.2e-5, 7.3e-6
    if step < warmup:
        rate = peak * (step + 1) / warmup
    else:
        seen = V3_TOKENS * step / steps
        phase = bisect_right([10e12, 14.3e12, V3_TOKENS - 167e9], seen)
        rate = (
            peak,
            low + (peak - low) * (1 + math.cos(math.pi * (seen - 10e12) / 4.3e12)) / 2,
            low,
            last,
        )[phase]
    return rate / peak


def right_3(step, steps, warmup=0):
    "whole numbers decide on the phase: billions of tokens times steps"
    if step < warmup:
        return constant(step, steps, warmup)
    done = 14800 * step
    if done >= 14633 * steps:
        return 7.3e-6 / 2.2e-4
    if done >= 14300 * steps:
        return 0.1
    if done <= 10000 * steps:
        return 1.0
    x = (done / steps - 10000) / 4300
    return 0.55 + 0.45 * math.cos(math.pi * x)


def right_4(step, steps, warmup=0):
    "a match over conditions, with a sine for the way down"
    tokens = V3_TOKENS * step / steps
    match (step < warmup, tokens < 10e12, tokens < 14.3e12, tokens < V3_TOKENS - 167e9):
        case (True, *_):
            return float(step + 1) / warmup
        case (_, True, *_):
            return 1.0
        case (_, _, True, _):
            middle = (tokens - 12.15e12) / 4.3e12
            return (1 + 0.1) / 2 - (1 - 0.1) / 2 * math.sin(math.pi * middle)
        case (_, _, _, True):
            return 0.1
        case _:
            return 7.3e-6 / 2.2e-4
