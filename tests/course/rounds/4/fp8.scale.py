"""fp8.scale"""
import torch


def _up(s):
    bits = s.view(torch.int32)
    power = (((bits >> 23) + ((bits & 0x7FFFFF) != 0)) << 23).view(torch.float32)
    return torch.where(s.isnan(), s, power)


def wrong_1(amax, scales="fp32"):
    "clamp(max=...): the floor is a ceiling, every amax above 1e-4 counts as 1e-4"
    s = amax.float().clamp(max=FLOOR) / FP8_MAX
    return _up(s) if scales == "ue8m0" else s


def wrong_2(amax, scales="fp32"):
    "the floor only replaces zeros: an amax of 1e-6 keeps its own scale"
    amax = amax.float()
    s = torch.where(amax == 0, torch.full_like(amax, FLOOR), amax) / FP8_MAX
    return _up(s) if scales == "ue8m0" else s


def wrong_3(amax, scales="fp32"):
    "the floor is put under the scale, not under amax: all amax below 0.0448 get 1e-4"
    s = (amax.float() / FP8_MAX).clamp(min=FLOOR)
    return _up(s) if scales == "ue8m0" else s


def wrong_4(amax, scales="fp32"):
    "next power of two strictly above: amax = 448 gets 2, not 1"
    s = amax.float().clamp(min=FLOOR) / FP8_MAX
    if scales == "ue8m0":
        mantissa, exponent = torch.frexp(s)
        s = torch.where(s.isfinite(), torch.ldexp(torch.ones_like(s), exponent), s)
    return s


def wrong_5(amax, scales="fp32"):
    "logarithm in float32: a scale just above a power of two (amax = 448 * (1 + 2^-22) / 64) is rounded down onto it"
    s = amax.float().clamp(min=FLOOR) / FP8_MAX
    if scales == "ue8m0":
        s = torch.exp2(torch.ceil(torch.log2(s)))
    return s


def wrong_6(amax, scales="fp32"):
    "ue8m0 by the bits of NaN: what comes out is not NaN"
    s = amax.float().clamp(min=FLOOR) / FP8_MAX
    if scales == "ue8m0":
        bits = s.view(torch.int32)
        s = (((bits >> 23) + ((bits & 0x7FFFFF) != 0)) << 23).view(torch.float32)
    return s


def wrong_7(amax, scales="fp32"):
    "where(amax > floor): NaN is not larger than anything and becomes the floor"
    amax = amax.float()
    s = torch.where(amax > FLOOR, amax, torch.tensor(FLOOR)) / FP8_MAX
    return _up(s) if scales == "ue8m0" else s


def wrong_8(amax, scales="fp32"):
    "computed in the type of amax, cast at the end: bfloat16 scales have 8 bits"
    s = (amax.clamp(min=FLOOR) / FP8_MAX).float()
    return _up(s) if scales == "ue8m0" else s


def wrong_9(amax, scales="fp32"):
    "float() of a float32 tensor is that tensor: clamp_ writes the floor into amax"
    s = amax.float().clamp_(min=FLOOR) / FP8_MAX
    return _up(s) if scales == "ue8m0" else s


def wrong_10(amax, scales="fp32"):
    "the nearest power of two in the logarithm: scales below the block's own, so that elements exceed 448"
    s = amax.float().clamp(min=FLOOR) / FP8_MAX
    if scales == "ue8m0":
        s = torch.exp2(torch.round(torch.log2(s.double()))).float()
    return s


def right_1(amax, scales="fp32"):
    "frexp, with a special case for exact powers"
    s = torch.clamp_min(amax.to(torch.float32), FLOOR).div(448.0)
    if scales != "ue8m0":
        return s
    part, exponent = torch.frexp(s)
    power = torch.ldexp(torch.ones_like(s), torch.where(part == 0.5, exponent - 1, exponent))
    return torch.where(s.isfinite(), power, s)


def right_2(amax, scales="fp32"):
    "a logarithm in float64, rounded up"
    s = amax.float().maximum(torch.full_like(amax, FLOOR, dtype=torch.float32)) / FP8_MAX
    return s.double().log2().ceil().exp2().float() if scales == "ue8m0" else s


def right_3(amax, scales="fp32"):
    "adding the mantissa's mask to the bits carries into the exponent; NaN set apart"
    s = amax.type(torch.float32)
    s = torch.where(s < FLOOR, torch.full_like(s, FLOOR), s) / FP8_MAX
    if scales == "fp32":
        return s
    bits = (s.view(torch.int32) + 0x7FFFFF) & ~0x7FFFFF
    return bits.view(torch.float32).masked_fill(s.isnan(), float("nan"))


def right_4(amax, scales="fp32"):
    "a table of all powers of two, and the first that is not below"
    s = amax.float().clamp(min=FLOOR) / FP8_MAX
    if scales == "ue8m0":
        powers = torch.cat([torch.exp2(torch.arange(-30.0, 128.0, dtype=torch.float64)).float(), torch.tensor([float("inf")])])
        place = torch.searchsorted(powers, s.contiguous()).clamp(max=len(powers) - 1)
        s = torch.where(s.isnan(), s, powers[place])
    return s
