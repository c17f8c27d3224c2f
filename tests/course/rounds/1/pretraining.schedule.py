"""pretraining.schedule"""
import math
import bisect
import numpy as np

def wrong_1(step, steps, warmup=0):
    "the fractions count from the end of the warm-up: wrong for warmup > 0"
    if step < warmup:
        return (step + 1) / warmup
    tokens = 14.8e12 * (step - warmup) / (steps - warmup)
    if tokens < 10e12:
        return 1.0
    if tokens < 14.3e12:
        return 0.1 + 0.45 * (1 + math.cos(math.pi * (tokens - 10e12) / 4.3e12))
    return 0.1 if tokens < 14.8e12 - 167e9 else 7.3e-6 / 2.2e-4

def wrong_2(step, steps, warmup=0):
    "the warm-up starts at 0: step / warmup instead of (step + 1) / warmup"
    if step < warmup:
        return step / warmup
    tokens = 14.8e12 * step / steps
    if tokens < 10e12:
        return 1.0
    if tokens < 14.3e12:
        return 0.1 + 0.45 * (1 + math.cos(math.pi * (tokens - 10e12) / 4.3e12))
    return 0.1 if tokens < 14.633e12 else 7.3e-6 / 2.2e-4

def wrong_3(step, steps, warmup=0):
    "counts tokens after the update: (step + 1) / steps"
    if step < warmup:
        return constant(step, steps, warmup)
    tokens = V3_TOKENS * (step + 1) / steps
    if tokens < 10e12:
        return 1.0
    if tokens < 14.3e12:
        return 0.1 + 0.45 * (1 + math.cos(math.pi * (tokens - 10e12) / 4.3e12))
    return 0.1 if tokens < V3_TOKENS - 167e9 else 7.3e-6 / 2.2e-4

def wrong_4(step, steps, warmup=0):
    "returns learning rates, not factors of the peak rate"
    if step < warmup:
        return 2.2e-4 * (step + 1) / warmup
    tokens = V3_TOKENS * step / steps
    if tokens < 10e12:
        return 2.2e-4
    if tokens < 14.3e12:
        return 2.2e-5 + 0.5 * (2.2e-4 - 2.2e-5) * (1 + math.cos(math.pi * (tokens - 10e12) / 4.3e12))
    return 2.2e-5 if tokens < V3_TOKENS - 167e9 else 7.3e-6

def wrong_5(step, steps, warmup=0):
    "last phase as a factor of 2.2e-5 (7.3e-6 / 2.2e-5 = 0.33) instead of the peak"
    if step < warmup:
        return constant(step, steps, warmup)
    tokens = V3_TOKENS * step / steps
    if tokens < 10e12:
        return 1.0
    if tokens < 14.3e12:
        return 0.1 + 0.45 * (1 + math.cos(math.pi * (tokens - 10e12) / 4.3e12))
    return 0.1 if tokens < V3_TOKENS - 167e9 else 7.3e-6 / 2.2e-5

def wrong_6(step, steps, warmup=0):
    "the cosine falls to 0, not to 0.1"
    if step < warmup:
        return constant(step, steps, warmup)
    tokens = V3_TOKENS * step / steps
    if tokens < 10e12:
        return 1.0
    if tokens < 14.3e12:
        return 0.5 * (1 + math.cos(math.pi * (tokens - 10e12) / 4.3e12))
    return 0.1 if tokens < V3_TOKENS - 167e9 else 7.3e-6 / 2.2e-4

def wrong_7(step, steps, warmup=0):
    "a whole cosine (2 pi): falls and rises again within the 4.3T"
    if step < warmup:
        return constant(step, steps, warmup)
    tokens = V3_TOKENS * step / steps
    if tokens < 10e12:
        return 1.0
    if tokens < 14.3e12:
        return 0.1 + 0.45 * (1 + math.cos(2 * math.pi * (tokens - 10e12) / 4.3e12))
    return 0.1 if tokens < V3_TOKENS - 167e9 else 7.3e-6 / 2.2e-4

def wrong_8(step, steps, warmup=0):
    "the last phase is forgotten (0.1 to the end), and the warm-up multiplies the phases"
    ramp = min(1.0, (step + 1) / warmup) if warmup else 1.0
    done = step / steps
    if done < 10 / 14.8:
        phase = 1.0
    elif done < 14.3 / 14.8:
        phase = 0.1 + 0.45 * (1 + math.cos(math.pi * (done * 14.8 - 10) / 4.3))
    else:
        phase = 0.1
    return ramp * phase

def wrong_9(step, steps, warmup=0):
    "the cosine is spread over the tokens up to the end (4.8T), so at 14.3T it jumps"
    if step < warmup:
        return constant(step, steps, warmup)
    tokens = V3_TOKENS * step / steps
    if tokens < 10e12:
        return 1.0
    if tokens < 14.3e12:
        return 0.1 + 0.45 * (1 + math.cos(math.pi * (tokens - 10e12) / (V3_TOKENS - 10e12)))
    return 0.1 if tokens < V3_TOKENS - 167e9 else 7.3e-6 / 2.2e-4

def wrong_10(step, steps, warmup=0):
    "warm-up divides by max(1, warmup) and tests step <= warmup: one update late, so (step + 1) / warmup exceeds 1 there"
    if step <= warmup and warmup:
        return (step + 1) / warmup
    tokens = V3_TOKENS * step / steps
    if tokens < 10e12:
        return 1.0
    if tokens < 14.3e12:
        return 0.1 + 0.45 * (1 + math.cos(math.pi * (tokens - 10e12) / 4.3e12))
    return 0.1 if tokens < V3_TOKENS - 167e9 else 7.3e-6 / 2.2e-4

def right_1(step, steps, warmup=0):
    "from the last phase to the first, rates divided by the peak"
    if step < warmup:
        return (step + 1) / warmup
    tokens, peak = V3_TOKENS * step / steps, 2.2e-4
    if tokens >= 14.8e12 - 167e9:
        rate = 7.3e-6
    elif tokens >= 14.3e12:
        rate = 2.2e-5
    elif tokens >= 10e12:
        rate = 2.2e-5 + (peak - 2.2e-5) * (1 + math.cos(math.pi * (tokens - 10e12) / 4.3e12)) / 2
    else:
        rate = peak
    return rate / peak

def right_2(step, steps, warmup=0):
    "the phase is looked up with bisect"
    if step < warmup:
        return constant(step, steps, warmup)
    seen = V3_TOKENS * step / steps
    phase = bisect.bisect_right([10e12, 14.3e12, V3_TOKENS - 167e9], seen)
    angle = math.pi * (seen - 10e12) / 4.3e12
    return [1.0, 1 + (0.1 - 1) * (1 - math.cos(angle)) / 2, 0.1, 7.3 / 220][phase]

def right_3(step, steps, warmup=0):
    "cos^2 of the half angle"
    if step < warmup:
        return min(1.0, (step + 1) / warmup)
    tokens = V3_TOKENS * step / steps
    x = min(max((tokens - 10e12) / 4.3e12, 0.0), 1.0)
    if tokens >= V3_TOKENS - 167e9:
        return 7.3e-6 / 2.2e-4
    return 0.1 + 0.9 * math.cos(math.pi * x / 2) ** 2

def right_4(step, steps, warmup=0):
    "numpy's select, as a Python float"
    if warmup and step < warmup:
        return (step + 1) / warmup
    t = V3_TOKENS * step / steps
    cosine = 0.1 + 0.45 * (1 + np.cos(np.pi * (t - 10e12) / 4.3e12))
    return float(np.select([t < 10e12, t < 14.3e12, t < V3_TOKENS - 167e9], [1.0, cosine, 0.1], 7.3e-6 / 2.2e-4))
