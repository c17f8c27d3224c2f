"""fp8.scale"""
import torch
import torch.nn.functional as F

import math


def wrong_1(amax, scales="fp32"):
    "the floor is a floor of the scale, not of amax"
    s = (amax.float() / FP8_MAX).clamp(min=FLOOR)
    if scales == "ue8m0":
        bits = s.view(torch.int32)
        power = (((bits >> 23) + ((bits & 0x7FFFFF) != 0)) << 23).view(torch.float32)
        s = torch.where(s.isnan(), s, power)
    return s


def wrong_2(amax, scales="fp32"):
    "only 0 is replaced: an amax between 0 and 1e-4 keeps its own scale"
    s = torch.where(amax == 0, torch.tensor(FLOOR), amax.float()) / FP8_MAX
    if scales == "ue8m0":
        bits = s.view(torch.int32)
        power = (((bits >> 23) + ((bits & 0x7FFFFF) != 0)) << 23).view(torch.float32)
        s = torch.where(s.isnan(), s, power)
    return s


def wrong_3(amax, scales="fp32"):
    "an exact power of two goes up as well"
    s = amax.float().clamp(min=FLOOR) / FP8_MAX
    if scales == "ue8m0":
        s = torch.exp2(torch.floor(torch.log2(s.double())) + 1).float()
    return s


def wrong_4(amax, scales="fp32"):
    "the nearest power of two, not the next one above"
    s = amax.float().clamp(min=FLOOR) / FP8_MAX
    if scales == "ue8m0":
        s = torch.exp2(torch.log2(s.double()).round()).float()
    return s


def wrong_5(amax, scales="fp32"):
    "logarithm in float32: just above a power of two it is that power, which is below the scale"
    s = amax.float().clamp(min=FLOOR) / FP8_MAX
    if scales == "ue8m0":
        s = torch.exp2(torch.ceil(torch.log2(s)))
    return s


def wrong_6(amax, scales="fp32"):
    "NaN becomes a number (or -inf) with ue8m0: its bits are treated like any others"
    s = amax.float().clamp(min=FLOOR) / FP8_MAX
    if scales == "ue8m0":
        bits = s.view(torch.int32)
        power = (((bits >> 23) + ((bits & 0x7FFFFF) != 0)) << 23).view(torch.float32)
        s = power
    return s


def wrong_7(amax, scales="fp32"):
    "fmax leaves out NaN: it becomes the floor"
    s = torch.fmax(amax.float(), torch.tensor(FLOOR)) / FP8_MAX
    if scales == "ue8m0":
        bits = s.view(torch.int32)
        power = (((bits >> 23) + ((bits & 0x7FFFFF) != 0)) << 23).view(torch.float32)
        s = torch.where(s.isnan(), s, power)
    return s


def wrong_8(amax, scales="fp32"):
    "clamps in place: float() of float32 is the same tensor, amax is changed"
    s = amax.float().clamp_(min=FLOOR) / FP8_MAX
    if scales == "ue8m0":
        bits = s.view(torch.int32)
        power = (((bits >> 23) + ((bits & 0x7FFFFF) != 0)) << 23).view(torch.float32)
        s = torch.where(s.isnan(), s, power)
    return s


def wrong_9(amax, scales="fp32"):
    "divides in the dtype of amax (bfloat16, float16) and turns to float32 too late"
    s = (amax.clamp(min=FLOOR) / FP8_MAX).float()
    if scales == "ue8m0":
        bits = s.view(torch.int32)
        power = (((bits >> 23) + ((bits & 0x7FFFFF) != 0)) << 23).view(torch.float32)
        s = torch.where(s.isnan(), s, power)
    return s


def wrong_10(amax, scales="fp32"):
    "float64 stays float64, in arithmetic and in the result"
    s = torch.as_tensor(amax).to(torch.promote_types(amax.dtype, torch.float32)).clamp(min=FLOOR) / FP8_MAX
    if scales == "ue8m0":
        s = s.float()
        bits = s.view(torch.int32)
        power = (((bits >> 23) + ((bits & 0x7FFFFF) != 0)) << 23).view(torch.float32)
        s = torch.where(s.isnan(), s, power)
    return s


def right_1(amax, scales="fp32"):
    "frexp with a special case for 0.5, and for what is not finite"
    s = amax.float().clamp(min=FLOOR) / FP8_MAX
    if scales == "ue8m0":
        mantissa, e = torch.frexp(s)
        up = torch.ldexp(torch.ones_like(s), torch.where(mantissa == 0.5, e - 1, e))
        s = torch.where(s.isfinite(), up, s)
    return s


def right_2(amax, scales="fp32"):
    "log2 in float64, rounded up"
    s = amax.float().clamp(min=FLOOR) / FP8_MAX
    if scales == "ue8m0":
        s = torch.exp2(torch.log2(s.double()).ceil()).float()
    return s


def right_3(amax, scales="fp32"):
    "maximum instead of clamp, early return, the mask on the bits by adding it"
    s = torch.maximum(amax.to(torch.float32), torch.tensor(FLOOR)) / FP8_MAX
    if scales != "ue8m0":
        return s
    bits = (s.contiguous().view(torch.int32) + 0x7FFFFF) & ~0x7FFFFF
    return torch.where(s != s, s, bits.view(torch.float32))


def right_4(amax, scales="fp32"):
    "number by number in Python"
    s = torch.where(amax.float() < FLOOR, FLOOR, amax.float()) / FP8_MAX
    if scales == "ue8m0":
        def up(v):
            if v != v or v == math.inf:
                return v
            m, e = math.frexp(v)
            return math.ldexp(1.0, e - 1 if m == 0.5 else e)
        s = torch.tensor([up(v) for v in s.flatten().tolist()], dtype=torch.float32).view(s.shape)
    return s
