"""fp8.scale"""
import math
import torch

def wrong_1(amax, scales="fp32"):
    "minimum for maximum: everything above the floor counts as the floor"
    s = amax.float().clamp(max=FLOOR) / FP8_MAX
    return torch.exp2(s.double().log2().ceil()).float() if scales == "ue8m0" else s

def wrong_2(amax, scales="fp32"):
    "the floor is put under the scale, not under amax"
    s = (amax.float() / FP8_MAX).clamp(min=FLOOR)
    return torch.exp2(s.double().log2().ceil()).float() if scales == "ue8m0" else s

def wrong_3(amax, scales="fp32"):
    "the nearest power of two, which may be below the scale"
    s = amax.float().clamp(min=FLOOR) / FP8_MAX
    return torch.exp2(s.double().log2().round()).float() if scales == "ue8m0" else s

def wrong_4(amax, scales="fp32"):
    "the logarithm in float32: a scale just above a power of two is taken for that power"
    s = amax.float().clamp(min=FLOOR) / FP8_MAX
    return torch.exp2(torch.ceil(torch.log2(s))) if scales == "ue8m0" else s

def wrong_5(amax, scales="fp32"):
    "exact powers of two go up as well"
    s = amax.float().clamp(min=FLOOR) / FP8_MAX
    if scales == "ue8m0":
        s = torch.exp2(s.double().log2().floor() + 1).float()
    return s

def wrong_6(amax, scales="fp32"):
    "the division in the dtype of amax: bfloat16 loses bits, and float64 comes back as float64"
    s = amax.clamp(min=FLOOR) / FP8_MAX
    return torch.exp2(s.double().log2().ceil()).float() if scales == "ue8m0" else s

def wrong_7(amax, scales="fp32"):
    "where(amax > FLOOR): NaN compares false and becomes the floor"
    amax = amax.float()
    s = torch.where(amax > FLOOR, amax, torch.full_like(amax, FLOOR)) / FP8_MAX
    return torch.exp2(s.double().log2().ceil()).float() if scales == "ue8m0" else s

def wrong_8(amax, scales="fp32"):
    "clamp_ changes a float32 amax of the caller"
    s = amax.float().clamp_(min=FLOOR) / FP8_MAX
    return torch.exp2(s.double().log2().ceil()).float() if scales == "ue8m0" else s

def wrong_9(amax, scales="fp32"):
    "zeros only are lifted to the floor: 1e-6 keeps its own scale"
    amax = amax.float()
    s = torch.where(amax == 0, FLOOR, amax) / FP8_MAX
    return torch.exp2(s.double().log2().ceil()).float() if scales == "ue8m0" else s

def wrong_10(amax, scales="fp32"):
    "the bits of the mantissa are cut off: the power of two below"
    s = amax.float().clamp(min=FLOOR) / FP8_MAX
    if scales == "ue8m0":
        s = ((s.view(torch.int32) >> 23) << 23).view(torch.float32)
    return s

def right_1(amax, scales="fp32"):
    "frexp, with a case for exact powers"
    s = torch.maximum(amax.float(), torch.tensor(FLOOR)) / FP8_MAX
    if scales == "ue8m0":
        mantissa, exponent = torch.frexp(s)
        exact = mantissa == 0.5
        power = torch.ldexp(torch.ones_like(s), exponent - exact.to(exponent.dtype))
        s = torch.where(torch.isfinite(s), power, s)
    return s

def right_2(amax, scales="fp32"):
    "a logarithm in float64, rounded up"
    s = torch.clamp(amax.to(torch.float32), min=FLOOR).div(FP8_MAX)
    if scales == "ue8m0":
        return torch.pow(2.0, torch.ceil(torch.log2(s.to(torch.float64)))).to(torch.float32)
    return s

def right_3(amax, scales="fp32"):
    "number by number"
    def up(v):
        if math.isnan(v) or math.isinf(v):
            return v
        m, e = math.frexp(v)
        return math.ldexp(1.0, e - 1 if m == 0.5 else e)
    s = amax.float().clamp(min=FLOOR) / FP8_MAX
    if scales == "fp32":
        return s
    return torch.tensor([up(v) for v in s.flatten().tolist()], dtype=torch.float32).reshape(s.shape)

def right_4(amax, scales="fp32"):
    "the power below, doubled where it is too small"
    wide = amax.float()
    s = torch.where(wide < FLOOR, torch.full_like(wide, FLOOR), wide) / FP8_MAX
    if scales != "ue8m0":
        return s
    low = torch.exp2((torch.frexp(s)[1] - 1).float())
    return torch.where(torch.isfinite(s), torch.where(low < s, 2 * low, low), s)
