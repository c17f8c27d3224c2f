"""fp8.round"""
import math
import torch

def _steps(y, exponent_bits, mantissa_bits):
    exponent = (torch.frexp(y)[1] - 1).clamp(min=2 - 2 ** (exponent_bits - 1))
    return torch.ldexp(torch.ones_like(y), exponent - mantissa_bits)

def wrong_1(x, exponent_bits, mantissa_bits, largest):
    "no subnormals: steps go on shrinking below the smallest normal number"
    y = x.double().clamp(-largest, largest)
    step = torch.ldexp(torch.ones_like(y), torch.frexp(y)[1] - 1 - mantissa_bits)
    return (torch.round(y / step) * step).to(x.dtype)

def wrong_2(x, exponent_bits, mantissa_bits, largest):
    "subnormals become zero"
    y = x.double().clamp(-largest, largest)
    step = _steps(y, exponent_bits, mantissa_bits)
    out = torch.round(y / step) * step
    return torch.where(out.abs() < 2.0 ** (2 - 2 ** (exponent_bits - 1)), 0 * out, out).to(x.dtype)

def wrong_3(x, exponent_bits, mantissa_bits, largest):
    "halves go away from zero"
    y = x.double().clamp(-largest, largest)
    step = _steps(y, exponent_bits, mantissa_bits)
    return (torch.sign(y) * torch.floor(y.abs() / step + 0.5) * step).to(x.dtype)

def wrong_4(x, exponent_bits, mantissa_bits, largest):
    "cut off towards zero, not rounded"
    y = x.double().clamp(-largest, largest)
    step = _steps(y, exponent_bits, mantissa_bits)
    return (torch.trunc(y / step) * step).to(x.dtype)

def wrong_5(x, exponent_bits, mantissa_bits, largest):
    "nothing is clamped: what lies beyond the largest value stays there, infinity too"
    y = x.double()
    step = _steps(y, exponent_bits, mantissa_bits)
    return torch.where(torch.isinf(y), y, torch.round(y / step) * step).to(x.dtype)

def wrong_6(x, exponent_bits, mantissa_bits, largest):
    "what is not <= largest becomes largest: NaN too"
    y = x.double()
    step = _steps(y.nan_to_num(0.0, 1.0, 1.0), exponent_bits, mantissa_bits)
    bound = torch.copysign(torch.full_like(y, largest), y)
    return torch.where(y.abs() <= largest, torch.round(y / step) * step, bound).to(x.dtype)

def wrong_7(x, exponent_bits, mantissa_bits, largest):
    "the result is float64 whatever x was"
    y = x.double().clamp(-largest, largest)
    step = _steps(y, exponent_bits, mantissa_bits)
    return torch.round(y / step) * step

def wrong_8(x, exponent_bits, mantissa_bits, largest):
    "everything in float32: a float64 number just beside the middle of two neighbours is rounded twice"
    y = x.float().clamp(-largest, largest)
    step = _steps(y, exponent_bits, mantissa_bits)
    return (torch.round(y / step) * step).to(x.dtype)

def wrong_9(x, exponent_bits, mantissa_bits, largest):
    "the smallest exponent is one too low (1 - 2^(E-1)): subnormals get a bit that they do not have"
    y = x.double().clamp(-largest, largest)
    exponent = (torch.frexp(y)[1] - 1).clamp(min=1 - 2 ** (exponent_bits - 1))
    step = torch.ldexp(torch.ones_like(y), exponent - mantissa_bits)
    return (torch.round(y / step) * step).to(x.dtype)

def wrong_10(x, exponent_bits, mantissa_bits, largest):
    "clamp_ on what is x itself for float64 input: x is changed where it lies beyond the largest value"
    y = x.double().clamp_(-largest, largest)
    step = _steps(y, exponent_bits, mantissa_bits)
    return (torch.round(y / step) * step).to(x.dtype)

def _table(exponent_bits, mantissa_bits, largest):
    lowest = 2 - 2 ** (exponent_bits - 1)
    found, f = [m * 2.0 ** (lowest - mantissa_bits) for m in range(2**mantissa_bits)], 0
    while found[-1] < largest:
        found += [(2**mantissa_bits + m) * 2.0 ** (lowest + f - mantissa_bits) for m in range(2**mantissa_bits)]
        f += 1
    return torch.tensor([v for v in found if v <= largest], dtype=torch.float64)

def right_1(x, exponent_bits, mantissa_bits, largest):
    "looks up the two neighbours in a table of all values"
    table = _table(exponent_bits, mantissa_bits, largest)
    y = x.double().abs().clamp(max=largest)
    high = torch.searchsorted(table, y.nan_to_num(0.0).contiguous()).clamp(min=1, max=len(table) - 1)
    low = high - 1
    down, up = y - table[low], table[high] - y
    take_low = (down < up) | ((down == up) & (low % 2 == 0))
    out = torch.where(take_low, table[low], table[high])
    return torch.where(x.isnan(), x, torch.copysign(out, x.double()).to(x.dtype))

def right_2(x, exponent_bits, mantissa_bits, largest):
    "number by number in Python"
    def one(v):
        if math.isnan(v):
            return v
        v = max(-largest, min(largest, v))
        e = max(math.frexp(v)[1] - 1, 2 - 2 ** (exponent_bits - 1)) if v else 0
        step = 2.0 ** (e - mantissa_bits)
        return round(v / step) * step
    return torch.tensor([one(v) for v in x.double().reshape(-1).tolist()], dtype=x.dtype).reshape(x.shape)

def right_3(x, exponent_bits, mantissa_bits, largest):
    "ldexp both ways in place of a division"
    y = torch.clamp(x.to(torch.float64), min=-largest, max=largest)
    _, exponent = torch.frexp(y)
    last = torch.clamp(exponent - 1, min=2 - 2 ** (exponent_bits - 1)) - mantissa_bits
    return torch.ldexp(torch.round(torch.ldexp(y, -last)), last).to(x.dtype)

def right_4(x, exponent_bits, mantissa_bits, largest):
    "a large number added and taken away again rounds to the step (float64 rounds halves to even)"
    y = x.double().abs().clamp(max=largest)
    exponent = (torch.frexp(y)[1] - 1).clamp(min=2 - 2 ** (exponent_bits - 1))
    magic = 2.0**52 * torch.exp2((exponent - mantissa_bits).double())
    return torch.copysign((y + magic) - magic, x.double()).to(x.dtype)
