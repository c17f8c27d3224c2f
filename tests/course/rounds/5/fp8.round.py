"""fp8.round"""
import math

import torch


def wrong_1(x, exponent_bits, mantissa_bits, largest):
    "no subnormals: steps go on shrinking below the smallest normal number"
    # breaks: "Below 2^-6 the values of E4M3 go on down to zero in the steps that they have just above it"; 0.0009 -> 0.0009, wanted 0
    y = x.double().clamp(-largest, largest)
    step = torch.ldexp(torch.ones_like(y), torch.frexp(y)[1] - 1 - mantissa_bits)
    return (torch.round(y / step) * step).to(x.dtype)


def wrong_2(x, exponent_bits, mantissa_bits, largest):
    "halves go away from zero"
    # breaks: "of two equally near ones, that with the last bit 0"; 17.0 -> 18, wanted 16
    y = x.double().clamp(-largest, largest)
    exponent = (torch.frexp(y)[1] - 1).clamp(min=2 - 2 ** (exponent_bits - 1))
    step = torch.ldexp(torch.ones_like(y), exponent - mantissa_bits)
    return (y.sign() * torch.floor(y.abs() / step + 0.5) * step).to(x.dtype)


def wrong_3(x, exponent_bits, mantissa_bits, largest):
    "float64 is rounded to float32 first: a number just beside the middle becomes a tie"
    # breaks: "float64: not rounded to float32 on the way"; 1.0625 + 1e-10 in float64 -> 1.0, wanted 1.125
    y = x.float().clamp(-largest, largest)
    exponent = (torch.frexp(y)[1] - 1).clamp(min=2 - 2 ** (exponent_bits - 1))
    step = torch.ldexp(torch.ones_like(y, dtype=torch.float64), exponent - mantissa_bits)
    return (torch.round(y.double() / step) * step).to(x.dtype)


def wrong_4(x, exponent_bits, mantissa_bits, largest):
    "clamped in place: float64 input, of which .double() is no copy, is changed"
    # breaks: "it is not changed"; x = tensor([1e6], dtype=float64) is 448 afterwards
    y = x.double().clamp_(-largest, largest)
    exponent = (torch.frexp(y)[1] - 1).clamp(min=2 - 2 ** (exponent_bits - 1))
    step = torch.ldexp(torch.ones_like(y), exponent - mantissa_bits)
    return (torch.round(y / step) * step).to(x.dtype)


def wrong_5(x, exponent_bits, mantissa_bits, largest):
    "what is not within ±largest becomes ±largest, and NaN is not within it either"
    # breaks: "NaN stays NaN"; tensor([nan]) -> 448
    y = x.double()
    y = torch.where(y.abs() <= largest, y, torch.copysign(torch.full_like(y, largest), y))
    exponent = (torch.frexp(y)[1] - 1).clamp(min=2 - 2 ** (exponent_bits - 1))
    step = torch.ldexp(torch.ones_like(y), exponent - mantissa_bits)
    return (torch.round(y / step) * step).to(x.dtype)


def wrong_6(x, exponent_bits, mantissa_bits, largest):
    "the smallest exponent is 1 - 2^(E - 1), one too low: subnormals have twice as fine steps"
    # breaks: "The smallest exponent of the format is 2 - 2^(exponent_bits - 1)"; 0.003 in E4M3 -> 0.0029297, wanted 0.00390625
    y = x.double().clamp(-largest, largest)
    exponent = (torch.frexp(y)[1] - 1).clamp(min=1 - 2 ** (exponent_bits - 1))
    step = torch.ldexp(torch.ones_like(y), exponent - mantissa_bits)
    return (torch.round(y / step) * step).to(x.dtype)


def wrong_7(x, exponent_bits, mantissa_bits, largest):
    "the exponent of frexp is taken as it is, for mantissas in [0.5, 1): steps are twice too wide"
    # breaks: "The nearest value of a format to each number of x"; 1.125 in E4M3 -> 1.0
    y = x.double().clamp(-largest, largest)
    exponent = torch.frexp(y)[1].clamp(min=2 - 2 ** (exponent_bits - 1))
    step = torch.ldexp(torch.ones_like(y), exponent - mantissa_bits)
    return (torch.round(y / step) * step).to(x.dtype)


def wrong_8(x, exponent_bits, mantissa_bits, largest):
    "the result stays in float64"
    # breaks: "in the shape and dtype of x"; any float32 input
    y = x.double().clamp(-largest, largest)
    exponent = (torch.frexp(y)[1] - 1).clamp(min=2 - 2 ** (exponent_bits - 1))
    step = torch.ldexp(torch.ones_like(y), exponent - mantissa_bits)
    return torch.round(y / step) * step


def wrong_9(x, exponent_bits, mantissa_bits, largest):
    "infinity is made NaN: it is divided before the result is clamped, as inf - inf % step"
    # breaks: "what lies beyond, infinity too, becomes `largest` with its sign"; tensor([inf]) -> nan
    y = x.double()
    exponent = (torch.frexp(y)[1] - 1).clamp(min=2 - 2 ** (exponent_bits - 1))
    step = torch.ldexp(torch.ones_like(y), exponent - mantissa_bits)
    below = y - torch.remainder(y, step)
    rest, odd = (y - below) / step, torch.remainder(below / step, 2) == 1
    up = (rest > 0.5) | ((rest == 0.5) & odd)
    return (below + up * step).clamp(-largest, largest).to(x.dtype)


def wrong_10(x, exponent_bits, mantissa_bits, largest):
    "the exponent is found for positive numbers only: negative ones get the steps of subnormals"
    # breaks: "The nearest value of a format to each number of x"; -0.3 in E4M3 -> -0.30078125, wanted -0.3125
    y = x.double().clamp(-largest, largest)
    exponent = torch.floor(torch.log2(y.clamp(min=2.0 ** (2 - 2 ** (exponent_bits - 1)))))
    step = torch.exp2(exponent - mantissa_bits)
    return (torch.round(y / step) * step).to(x.dtype)


def right_1(x, exponent_bits, mantissa_bits, largest):
    "number by number, with math.frexp and Python's round, which takes halves to even too"
    lowest, out = 2 - 2 ** (exponent_bits - 1), []
    for value in x.detach().flatten().tolist():
        if math.isnan(value):
            out.append(value)
            continue
        value = max(-largest, min(largest, value))
        step = 2.0 ** (max(math.frexp(value)[1] - 1, lowest) - mantissa_bits)
        out.append(round(value / step) * step)
    return torch.tensor(out, dtype=torch.float64, device=x.device).view(x.shape).to(x.dtype)


def right_2(x, exponent_bits, mantissa_bits, largest):
    "rounded by adding and taking away a large number, on absolute values; sign put back at the end"
    y = x.double()
    size = y.abs().clamp(max=largest)
    lowest = 2.0 ** (2 - 2 ** (exponent_bits - 1))
    exponent = torch.frexp(size.clamp(min=lowest))[1] - 1
    big = torch.ldexp(torch.full_like(size, 1.5), exponent - mantissa_bits + 52)
    return torch.copysign((size + big) - big, y).to(x.dtype)


def right_3(x, exponent_bits, mantissa_bits, largest):
    "floor and comparison of both distances, ties by whether the lower number of steps is even; clamped at the end too"
    y = x.to(torch.float64).clamp(min=-largest, max=largest)
    _, exponent = torch.frexp(y)
    exponent = torch.maximum(exponent - 1, torch.full_like(exponent, 2 - 2 ** (exponent_bits - 1)))
    step = torch.pow(2.0, (exponent - mantissa_bits).double())
    steps = y / step
    low = torch.floor(steps)
    rest = steps - low
    up = (rest > 0.5) | ((rest == 0.5) & (torch.remainder(low, 2) != 0))
    return ((low + up.double()) * step).clamp(-largest, largest).to(x.dtype)


def right_4(x, exponent_bits, mantissa_bits, largest):
    "mantissas of frexp are rounded for normal numbers, multiples of one step for the others"
    y = x.double().clamp(-largest, largest)
    mantissa, exponent = torch.frexp(y)
    lowest = 2 - 2 ** (exponent_bits - 1)
    normal = torch.ldexp(torch.round(mantissa * 2 ** (mantissa_bits + 1)), exponent - mantissa_bits - 1)
    tiny = 2.0 ** (lowest - mantissa_bits)
    return torch.where(y.abs() < 2.0**lowest, torch.round(y / tiny) * tiny, normal).to(x.dtype)
