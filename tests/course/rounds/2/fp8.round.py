"""fp8.round"""
import torch
import torch.nn.functional as F

import math


def wrong_1(x, exponent_bits, mantissa_bits, largest):
    "halves go up instead of to the even neighbour"
    y = x.double().clamp(-largest, largest)
    exponent = (torch.frexp(y)[1] - 1).clamp(min=2 - 2 ** (exponent_bits - 1))
    step = torch.ldexp(torch.ones_like(y), exponent - mantissa_bits)
    return (torch.floor(y / step + 0.5) * step).to(x.dtype)


def wrong_2(x, exponent_bits, mantissa_bits, largest):
    "no subnormals: below the smallest normal number the step goes on shrinking"
    y = x.double().clamp(-largest, largest)
    exponent = (torch.frexp(y)[1] - 1)
    step = torch.ldexp(torch.ones_like(y), exponent - mantissa_bits)
    return (torch.round(y / step) * step).to(x.dtype)


def wrong_3(x, exponent_bits, mantissa_bits, largest):
    "what lies below the smallest normal number becomes zero"
    y = x.double().clamp(-largest, largest)
    exponent = (torch.frexp(y)[1] - 1).clamp(min=2 - 2 ** (exponent_bits - 1))
    step = torch.ldexp(torch.ones_like(y), exponent - mantissa_bits)
    out = torch.round(y / step) * step
    return torch.where(y.abs() < 2.0 ** (2 - 2 ** (exponent_bits - 1)), 0.0 * y, out).to(x.dtype)


def wrong_4(x, exponent_bits, mantissa_bits, largest):
    "the smallest exponent is one too low (1 - bias taken as -bias)"
    y = x.double().clamp(-largest, largest)
    exponent = (torch.frexp(y)[1] - 1).clamp(min=1 - 2 ** (exponent_bits - 1))
    step = torch.ldexp(torch.ones_like(y), exponent - mantissa_bits)
    return (torch.round(y / step) * step).to(x.dtype)


def wrong_5(x, exponent_bits, mantissa_bits, largest):
    "clamps in place: double() of a float64 tensor is that tensor, the argument changes"
    y = x.double().clamp_(-largest, largest)
    exponent = (torch.frexp(y)[1] - 1).clamp(min=2 - 2 ** (exponent_bits - 1))
    step = torch.ldexp(torch.ones_like(y), exponent - mantissa_bits)
    return (torch.round(y / step) * step).to(x.dtype)


def wrong_6(x, exponent_bits, mantissa_bits, largest):
    "float64 is rounded to float32 first: twice rounded just beside the middle of two neighbours"
    y = x.float().double().clamp(-largest, largest)
    exponent = (torch.frexp(y)[1] - 1).clamp(min=2 - 2 ** (exponent_bits - 1))
    step = torch.ldexp(torch.ones_like(y), exponent - mantissa_bits)
    return (torch.round(y / step) * step).to(x.dtype)


def wrong_7(x, exponent_bits, mantissa_bits, largest):
    "NaN becomes 0"
    y = x.double().nan_to_num(nan=0.0, posinf=largest, neginf=-largest).clamp(-largest, largest)
    exponent = (torch.frexp(y)[1] - 1).clamp(min=2 - 2 ** (exponent_bits - 1))
    step = torch.ldexp(torch.ones_like(y), exponent - mantissa_bits)
    return (torch.round(y / step) * step).to(x.dtype)


def wrong_8(x, exponent_bits, mantissa_bits, largest):
    "only large positive numbers are clamped"
    y = x.double().clamp(max=largest)
    exponent = (torch.frexp(y)[1] - 1).clamp(min=2 - 2 ** (exponent_bits - 1))
    step = torch.ldexp(torch.ones_like(y), exponent - mantissa_bits)
    return (torch.round(y / step) * step).to(x.dtype)


def wrong_9(x, exponent_bits, mantissa_bits, largest):
    "halves away from zero: rounds the absolute value with floor(. + 0.5)"
    y = x.double().clamp(-largest, largest)
    exponent = (torch.frexp(y)[1] - 1).clamp(min=2 - 2 ** (exponent_bits - 1))
    step = torch.ldexp(torch.ones_like(y), exponent - mantissa_bits)
    return (torch.sign(y) * torch.floor(y.abs() / step + 0.5) * step).to(x.dtype)


def wrong_10(x, exponent_bits, mantissa_bits, largest):
    "the result is always float32 (float64 input)"
    y = x.double().clamp(-largest, largest)
    exponent = (torch.frexp(y)[1] - 1).clamp(min=2 - 2 ** (exponent_bits - 1))
    step = torch.ldexp(torch.ones_like(y), exponent - mantissa_bits)
    return (torch.round(y / step) * step).float()


def right_1(x, exponent_bits, mantissa_bits, largest):
    "log2 in float64 instead of frexp"
    y = x.double().clamp(-largest, largest)
    exponent = torch.floor(torch.log2(y.abs())).clamp(min=2 - 2 ** (exponent_bits - 1))
    step = torch.exp2(exponent - mantissa_bits)
    return (torch.round(y / step) * step).to(x.dtype)


def right_2(x, exponent_bits, mantissa_bits, largest):
    "number by number in Python"
    def one(v):
        if v != v:
            return v
        v = max(-largest, min(largest, v))
        e = max(math.frexp(v)[1] - 1, 2 - 2 ** (exponent_bits - 1))
        step = 2.0 ** (e - mantissa_bits)
        return math.copysign(round(v / step) * step, v)
    return torch.tensor([one(v) for v in x.flatten().tolist()], dtype=x.dtype).view(x.shape)


def right_3(x, exponent_bits, mantissa_bits, largest):
    "clamps at the end as well, scales by ldexp, mantissa times a power of two"
    y = torch.minimum(torch.maximum(x.to(torch.float64), torch.tensor(-largest, dtype=torch.float64)), torch.tensor(largest, dtype=torch.float64))
    _, e = torch.frexp(y)
    low = torch.maximum(e - 1, torch.full_like(e, 2 - 2 ** (exponent_bits - 1))) - mantissa_bits
    return torch.ldexp(torch.round(torch.ldexp(y, -low)), low).clamp(-largest, largest).to(x.dtype)


def right_4(x, exponent_bits, mantissa_bits, largest):
    "adds and subtracts a large number, which rounds to even"
    y = x.double().clamp(-largest, largest)
    exponent = (torch.frexp(y)[1] - 1).clamp(min=2 - 2 ** (exponent_bits - 1))
    big = torch.ldexp(torch.full_like(y, 1.5), exponent - mantissa_bits + 52)
    return torch.copysign((y + big) - big, y).to(x.dtype)
