"""fp8.round"""
import math

import torch


def wrong_1(x, exponent_bits, mantissa_bits, largest):
    "frexp's exponent taken as it is (mantissa in [0.5, 1)): steps twice too wide, 17.0 in E4M3 becomes 16 but 18.0 becomes 16 too"
    y = x.double().clamp(-largest, largest)
    exponent = torch.frexp(y)[1].clamp(min=2 - 2 ** (exponent_bits - 1))
    step = torch.ldexp(torch.ones_like(y), exponent - mantissa_bits)
    return (torch.round(y / step) * step).to(x.dtype)


def wrong_2(x, exponent_bits, mantissa_bits, largest):
    "no subnormals: the step goes on shrinking below the smallest normal number (0.0009 stays 0.00088)"
    y = x.double().clamp(-largest, largest)
    mantissa, exponent = torch.frexp(y)
    scaled = torch.round(mantissa * 2 ** (mantissa_bits + 1))
    return torch.ldexp(scaled, exponent - mantissa_bits - 1).to(x.dtype)


def wrong_3(x, exponent_bits, mantissa_bits, largest):
    "smallest exponent taken as -bias instead of 1 - bias: subnormals have steps half as wide as they should be"
    bias = 2 ** (exponent_bits - 1) - 1
    y = x.double().clamp(-largest, largest)
    exponent = (torch.frexp(y)[1] - 1).clamp(min=-bias)
    step = torch.ldexp(torch.ones_like(y), exponent - mantissa_bits)
    return (torch.round(y / step) * step).to(x.dtype)


def wrong_4(x, exponent_bits, mantissa_bits, largest):
    "halves go away from zero: 17.0 becomes 18 instead of 16 in E4M3"
    y = x.double().clamp(-largest, largest)
    exponent = (torch.frexp(y)[1] - 1).clamp(min=2 - 2 ** (exponent_bits - 1))
    step = torch.ldexp(torch.ones_like(y), exponent - mantissa_bits)
    return (torch.sign(y) * torch.floor(y.abs() / step + 0.5) * step).to(x.dtype)


def wrong_5(x, exponent_bits, mantissa_bits, largest):
    "float64 is rounded to float32 on the way: 1.0625 + 1e-12 becomes a tie and goes down instead of up"
    y = x.float().clamp(-largest, largest).double()
    exponent = (torch.frexp(y)[1] - 1).clamp(min=2 - 2 ** (exponent_bits - 1))
    step = torch.ldexp(torch.ones_like(y), exponent - mantissa_bits)
    return (torch.round(y / step) * step).to(x.dtype)


def wrong_6(x, exponent_bits, mantissa_bits, largest):
    "infinity stays infinity, only finite numbers are held within the largest"
    y = x.double().clamp(-largest, largest)
    exponent = (torch.frexp(y)[1] - 1).clamp(min=2 - 2 ** (exponent_bits - 1))
    step = torch.ldexp(torch.ones_like(y), exponent - mantissa_bits)
    found = (torch.round(y / step) * step).to(x.dtype)
    return torch.where(x.isfinite(), found, x)


def wrong_7(x, exponent_bits, mantissa_bits, largest):
    "NaN becomes 0"
    y = torch.nan_to_num(x.double(), nan=0.0, posinf=largest, neginf=-largest).clamp(-largest, largest)
    exponent = (torch.frexp(y)[1] - 1).clamp(min=2 - 2 ** (exponent_bits - 1))
    step = torch.ldexp(torch.ones_like(y), exponent - mantissa_bits)
    return (torch.round(y / step) * step).to(x.dtype)


def wrong_8(x, exponent_bits, mantissa_bits, largest):
    "double() of a float64 tensor is that tensor: clamp_ changes x (float64 only)"
    y = x.double().clamp_(-largest, largest)
    exponent = (torch.frexp(y)[1] - 1).clamp(min=2 - 2 ** (exponent_bits - 1))
    step = torch.ldexp(torch.ones_like(y), exponent - mantissa_bits)
    return (torch.round(y / step) * step).to(x.dtype)


def wrong_9(x, exponent_bits, mantissa_bits, largest):
    "all below the smallest value is flushed to zero, though more than half of it is nearer to it: 0.0015 in E4M3"
    y = x.double().clamp(-largest, largest)
    lowest = 2 - 2 ** (exponent_bits - 1)
    exponent = (torch.frexp(y)[1] - 1).clamp(min=lowest)
    step = torch.exp2((exponent - mantissa_bits).double())
    found = torch.round(y / step) * step
    return torch.where(y.abs() < 2.0 ** (lowest - mantissa_bits), torch.zeros_like(y), found).where(~y.isnan(), y).to(x.dtype)


def wrong_10(x, exponent_bits, mantissa_bits, largest):
    "nearest in a table: of two equally near ones argmin takes the first, the smaller, not the even one (19.0 -> 18)"
    table = values(exponent_bits, mantissa_bits, largest)
    y = x.double().clamp(-largest, largest)
    nearest = table[(y.abs()[..., None] - table).abs().argmin(-1)]
    return torch.where(y.isnan(), y, nearest * y.sign()).to(x.dtype)


def right_1(x, exponent_bits, mantissa_bits, largest):
    "the exponent from a logarithm in float64, clamped after rounding"
    y = x.to(torch.float64)
    small = 2.0 - 2 ** (exponent_bits - 1)
    e = y.clamp(-largest, largest).abs().log2().floor().clamp(min=small)
    step = 2.0 ** (e - mantissa_bits)
    return ((y / step).round() * step).clamp(-largest, largest).type_as(x)


def right_2(x, exponent_bits, mantissa_bits, largest):
    "number by number, in Python: round() takes halves to the even neighbour"
    lowest = 2 - 2 ** (exponent_bits - 1)

    def one(v):
        if math.isnan(v):
            return v
        v = max(-largest, min(largest, v))
        step = 2.0 ** (max(math.frexp(v)[1] - 1, lowest) - mantissa_bits)
        return math.copysign(round(v / step) * step, v)

    return torch.tensor([one(v) for v in x.flatten().tolist()], dtype=torch.float64).view(x.shape).to(x.dtype)


def right_3(x, exponent_bits, mantissa_bits, largest):
    "a table and the two neighbours in it; of equally near ones that with an even place in the table"
    table = values(exponent_bits, mantissa_bits, largest)
    y = x.double().clamp(-largest, largest)
    size = torch.nan_to_num(y.abs(), nan=0.0)
    above = torch.searchsorted(table, size.contiguous()).clamp(1, len(table) - 1)
    below = above - 1
    up, down = table[above] - size, size - table[below]
    place = torch.where((up < down) | (up == down) & (above % 2 == 0), above, below)
    return torch.where(y.isnan(), y, torch.copysign(table[place], y)).to(x.dtype)


def right_4(x, exponent_bits, mantissa_bits, largest):
    "normal and subnormal numbers apart: mantissas rounded, or steps of the smallest value counted"
    lowest = 2 - 2 ** (exponent_bits - 1)
    wide = torch.maximum(torch.minimum(x.double(), torch.tensor(float(largest), dtype=torch.float64)),
                         torch.tensor(-float(largest), dtype=torch.float64))
    part, power = torch.frexp(wide)
    normal = torch.ldexp((part * 2 ** (mantissa_bits + 1)).round() / 2 ** (mantissa_bits + 1), power)
    tiny = 2.0 ** (lowest - mantissa_bits)
    subnormal = (wide / tiny).round() * tiny
    return torch.where(wide.abs() >= 2.0**lowest, normal, subnormal).to(x.dtype)
