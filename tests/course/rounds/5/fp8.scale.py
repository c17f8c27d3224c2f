"""fp8.scale"""
import torch


def wrong_1(amax, scales="fp32"):
    "clamp(max=FLOOR), the minimum instead of the maximum"
    # breaks: "An amax below FLOOR = 1e-4 counts as 1e-4"; amax 3.0 gives 1e-4 / 448, and 0 gives 0
    s = amax.float().clamp(max=FLOOR) / FP8_MAX
    if scales == "ue8m0":
        bits = s.view(torch.int32)
        s = torch.where(s.isnan(), s, (((bits >> 23) + ((bits & 0x7FFFFF) != 0)) << 23).view(torch.float32))
    return s


def wrong_2(amax, scales="fp32"):
    "the floor is put on the scale, after dividing: blocks below 0.0448 are not lifted to 448"
    # breaks: "An amax below FLOOR = 1e-4 counts as 1e-4"; amax 0.01 gives 1e-4, wanted 2.2e-5
    s = (amax.float() / FP8_MAX).clamp(min=FLOOR)
    if scales == "ue8m0":
        bits = s.view(torch.int32)
        s = torch.where(s.isnan(), s, (((bits >> 23) + ((bits & 0x7FFFFF) != 0)) << 23).view(torch.float32))
    return s


def wrong_3(amax, scales="fp32"):
    "ue8m0: the nearest power of two in the logarithm, so it may lie below"
    # breaks: "the smallest power of two that is not below that"; amax = 448 * 1.2, ue8m0: 1, wanted 2
    s = amax.float().clamp(min=FLOOR) / FP8_MAX
    if scales == "ue8m0":
        s = torch.exp2(torch.log2(s.double()).round()).float()
    return s


def wrong_4(amax, scales="fp32"):
    "ue8m0: the exponent always goes up by one, also where the scale is a power of two already"
    # breaks: "the smallest power of two that is not below that"; amax 448, ue8m0: 2, wanted 1
    s = amax.float().clamp(min=FLOOR) / FP8_MAX
    if scales == "ue8m0":
        s = torch.where(s.isnan(), s, torch.ldexp(torch.ones_like(s), torch.frexp(s)[1]))
    return s


def wrong_5(amax, scales="fp32"):
    "ue8m0: a logarithm in float32, in which a scale just above a power of two looks like that power"
    # breaks: "the smallest power of two that is not below that"; amax = 448 * 2**-5 * (1 + 2**-23), ue8m0: 2**-5, wanted 2**-4
    s = amax.float().clamp(min=FLOOR) / FP8_MAX
    if scales == "ue8m0":
        s = torch.exp2(torch.ceil(torch.log2(s)))
    return s


def wrong_6(amax, scales="fp32"):
    "ue8m0: the bits of NaN are treated like any others"
    # breaks: "NaN stays NaN, in both"; amax nan, ue8m0 gives -0.0 or another number
    s = amax.float().clamp(min=FLOOR) / FP8_MAX
    if scales == "ue8m0":
        bits = s.view(torch.int32)
        s = (((bits >> 23) + ((bits & 0x7FFFFF) != 0)) << 23).view(torch.float32)
    return s


def wrong_7(amax, scales="fp32"):
    "the floor by a comparison, which is false for NaN: NaN becomes 1e-4 / 448"
    # breaks: "NaN stays NaN, in both"; amax nan
    amax = amax.float()
    s = torch.where(amax > FLOOR, amax, torch.full_like(amax, FLOOR)) / FP8_MAX
    if scales == "ue8m0":
        bits = s.view(torch.int32)
        s = (((bits >> 23) + ((bits & 0x7FFFFF) != 0)) << 23).view(torch.float32)
    return s


def wrong_8(amax, scales="fp32"):
    "divided in the dtype of amax and cast afterwards: bfloat16 leaves 8 bits of the scale"
    # breaks: "computed in float32, whatever amax is"; bfloat16 amax 3.0 gives 0.006683, wanted 0.006696
    s = (amax.clamp(min=FLOOR) / FP8_MAX).float()
    if scales == "ue8m0":
        bits = s.view(torch.int32)
        s = torch.where(s.isnan(), s, (((bits >> 23) + ((bits & 0x7FFFFF) != 0)) << 23).view(torch.float32))
    return s


def wrong_9(amax, scales="fp32"):
    "clamped in place: a float32 amax, of which .float() is no copy, is changed"
    # breaks: arguments left unchanged; amax tensor([0.0]) is 1e-4 afterwards
    s = amax.float().clamp_(min=FLOOR) / FP8_MAX
    if scales == "ue8m0":
        bits = s.view(torch.int32)
        s = torch.where(s.isnan(), s, (((bits >> 23) + ((bits & 0x7FFFFF) != 0)) << 23).view(torch.float32))
    return s


def wrong_10(amax, scales="fp32"):
    "ue8m0: the floor is applied once more behind the power, so small blocks get a scale that is no power of two"
    # breaks: "the smallest power of two that is not below that"; amax 448 * 2**-30, ue8m0 gives 2.23e-7, wanted 2**-22
    s = amax.float() / FP8_MAX
    if scales == "ue8m0":
        bits = s.view(torch.int32)
        s = torch.where(s.isnan(), s, (((bits >> 23) + ((bits & 0x7FFFFF) != 0)) << 23).view(torch.float32))
    return s.clamp(min=FLOOR / FP8_MAX)


def right_1(amax, scales="fp32"):
    "torch.maximum for the floor, frexp with the special case of exact powers"
    amax = amax.to(torch.float32)
    s = torch.maximum(amax, torch.full_like(amax, FLOOR)) / FP8_MAX
    if scales != "ue8m0":
        return s
    mantissa, exponent = torch.frexp(s)
    power = torch.ldexp(torch.ones_like(s), torch.where(mantissa == 0.5, exponent - 1, exponent))
    return torch.where(torch.isfinite(s), power, s)


def right_2(amax, scales="fp32"):
    "a logarithm in float64, rounded up"
    s = amax.float().clamp(min=FLOOR) / FP8_MAX
    if scales == "fp32":
        return s
    return torch.exp2(torch.ceil(torch.log2(s.double()))).float()


def right_3(amax, scales="fp32"):
    "where for the floor with NaN let through; bits: add what carries into the exponent, then mask"
    amax = amax.float()
    s = torch.where(amax < FLOOR, torch.full_like(amax, FLOOR), amax) / FP8_MAX
    if scales == "ue8m0":
        up = ((s.view(torch.int32) + 0x7FFFFF) & ~0x7FFFFF).view(torch.float32)
        s = torch.where(s.isnan() | s.isinf(), s, up)
    return s


def right_4(amax, scales="fp32"):
    "doubled until it is not below: starts from the power of two at or below"
    s = amax.float().clamp(min=FLOOR).div(FP8_MAX)
    if scales == "ue8m0":
        power = (s.view(torch.int32) & 0x7F800000).view(torch.float32)
        power = torch.where(power < s, power * 2, power)
        s = torch.where(torch.isnan(s), s, power)
    return s
