"""pretraining.schedule"""
import math


def wrong_1(step, steps, warmup=0):
    "warm-up is step / warmup: the first update does not move"
    if step < warmup:
        return step / warmup
    t = 14.8e12 * step / steps
    if t < 10e12:
        return 1.0
    if t < 14.3e12:
        return 0.1 + 0.45 * (1 + math.cos(math.pi * (t - 10e12) / 4.3e12))
    return 0.1 if t < 14.633e12 else 7.3e-6 / 2.2e-4


def wrong_2(step, steps, warmup=0):
    "the tokens after this update, step + 1: differs in the cosine and at the edges"
    if step < warmup:
        return (step + 1) / warmup
    t = 14.8e12 * (step + 1) / steps
    if t < 10e12:
        return 1.0
    if t < 14.3e12:
        return 0.1 + 0.45 * (1 + math.cos(math.pi * (t - 10e12) / 4.3e12))
    return 0.1 if t < 14.633e12 else 7.3e-6 / 2.2e-4


def wrong_3(step, steps, warmup=0):
    "the fractions are taken of the run after the warm-up"
    if step < warmup:
        return (step + 1) / warmup
    t = 14.8e12 * (step - warmup) / (steps - warmup)
    if t < 10e12:
        return 1.0
    if t < 14.3e12:
        return 0.1 + 0.45 * (1 + math.cos(math.pi * (t - 10e12) / 4.3e12))
    return 0.1 if t < 14.633e12 else 7.3e-6 / 2.2e-4


def wrong_4(step, steps, warmup=0):
    "<= warmup: the update after the warm-up gets (warmup + 1) / warmup"
    if warmup and step <= warmup:
        return (step + 1) / warmup
    t = 14.8e12 * step / steps
    if t < 10e12:
        return 1.0
    if t < 14.3e12:
        return 0.1 + 0.45 * (1 + math.cos(math.pi * (t - 10e12) / 4.3e12))
    return 0.1 if t < 14.633e12 else 7.3e-6 / 2.2e-4


def wrong_5(step, steps, warmup=0):
    "the two flat ends have each other's lengths: 167B at 0.1, then 333B at the end rate"
    if step < warmup:
        return (step + 1) / warmup
    t = 14.8e12 * step / steps
    if t < 10e12:
        return 1.0
    if t < 14.3e12:
        return 0.1 + 0.45 * (1 + math.cos(math.pi * (t - 10e12) / 4.3e12))
    return 0.1 if t < 14.467e12 else 7.3e-6 / 2.2e-4


def wrong_6(step, steps, warmup=0):
    "the cosine runs until the end of the run's decay, 4.8T, not 4.3T: still above 0.1 at 14.3T"
    if step < warmup:
        return (step + 1) / warmup
    t = 14.8e12 * step / steps
    if t < 10e12:
        return 1.0
    if t < 14.3e12:
        return 0.1 + 0.45 * (1 + math.cos(math.pi * (t - 10e12) / 4.8e12))
    return 0.1 if t < 14.633e12 else 7.3e-6 / 2.2e-4


def wrong_7(step, steps, warmup=0):
    "the last rate relative to 2.2e-5, not to the peak"
    if step < warmup:
        return (step + 1) / warmup
    t = 14.8e12 * step / steps
    if t < 10e12:
        return 1.0
    if t < 14.3e12:
        return 0.1 + 0.45 * (1 + math.cos(math.pi * (t - 10e12) / 4.3e12))
    return 0.1 if t < 14.633e12 else 7.3e-6 / 2.2e-5


def wrong_8(step, steps, warmup=0):
    "the cosine goes from 1 to 0 and is cut at 0.1"
    if step < warmup:
        return (step + 1) / warmup
    t = 14.8e12 * step / steps
    if t < 10e12:
        return 1.0
    if t < 14.3e12:
        return max(0.1, 0.5 * (1 + math.cos(math.pi * (t - 10e12) / 4.3e12)))
    return 0.1 if t < 14.633e12 else 7.3e-6 / 2.2e-4


def wrong_9(step, steps, warmup=0):
    "step / (steps - 1): the last update is at 14.8T"
    if step < warmup:
        return (step + 1) / warmup
    t = 14.8e12 * step / max(1, steps - 1)
    if t < 10e12:
        return 1.0
    if t < 14.3e12:
        return 0.1 + 0.45 * (1 + math.cos(math.pi * (t - 10e12) / 4.3e12))
    return 0.1 if t < 14.633e12 else 7.3e-6 / 2.2e-4


def wrong_10(step, steps, warmup=0):
    "the cosine begins where the warm-up ended plus 10T, that is the plateau is 10T long after the warm-up"
    if step < warmup:
        return (step + 1) / warmup
    begin = 14.8e12 * warmup / steps
    t = 14.8e12 * step / steps
    if t < 10e12 + begin:
        return 1.0
    if t < 14.3e12:
        return 0.1 + 0.45 * (1 + math.cos(math.pi * (t - 10e12 - begin) / (4.3e12 - begin)))
    return 0.1 if t < 14.633e12 else 7.3e-6 / 2.2e-4


def right_1(step, steps, warmup=0):
    "whole numbers of billions decide the stage"
    if step < warmup:
        return (step + 1) / warmup
    billions = 14_800 * step
    if billions <= 10_000 * steps:
        return 1.0
    if billions < 14_300 * steps:
        return 0.55 + 0.45 * math.cos(math.pi * (billions / steps - 10_000) / 4_300)
    return 0.1 if billions < 14_633 * steps else 7.3 / 220


def right_2(step, steps, warmup=0):
    "warm-up from constant(), the rates absolute and divided by the peak, cosine squared"
    if warmup and step < warmup:
        return constant(step, steps, warmup)
    t = V3_TOKENS * step / steps
    peak, low, last = 2.2e-4, 2.2e-5, 7.3e-6
    if t >= 10e12 + 4.3e12 + 333e9:
        return last / peak
    if t >= 10e12 + 4.3e12:
        return low / peak
    done = max(0.0, (t - 10e12) / 4.3e12)
    return (low + (peak - low) * math.cos(math.pi * done / 2) ** 2) / peak


def right_3(step, steps, warmup=0):
    "a chain of conditional expressions"
    t = V3_TOKENS * step / steps
    return ((step + 1) / warmup if step < warmup else
            1.0 if t <= 10e12 else
            1 - 0.9 * (1 - math.cos((t / 1e12 - 10) / 4.3 * math.pi)) / 2 if t < 14.3e12 else
            0.1 if t < 14.633e12 else 7.3e-6 / 2.2e-4)


def right_4(step, steps, warmup=0):
    "lengths of the stages are taken off one after another"
    if step < warmup:
        return (step + 1) / warmup
    left = V3_TOKENS * step / steps
    if left < 10e12:
        return 1.0
    left -= 10e12
    if left < 4.3e12:
        return 0.1 + 0.9 * (0.5 + 0.5 * math.cos(math.pi * left / 4.3e12))
    left -= 4.3e12
    return 2.2e-5 / 2.2e-4 if left < 333e9 else 7.3e-6 / 2.2e-4
