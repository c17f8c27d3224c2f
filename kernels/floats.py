"""Small floating-point formats: the values that they have, and rounding to them. Plain torch, for looking and testing.

A number is a sign, E bits of exponent (the field f) and M bits of mantissa (m = 0 .. 2^M - 1):

    value = 2^(f - bias) * (1 + m / 2^M)     f > 0, normal         bias = 2^(E-1) - 1
    value = 2^(1 - bias) * (0 + m / 2^M)     f = 0, subnormal: steps stay as they are, down to zero

    name   E  M   largest   smallest normal   smallest   half a step, relative
    e4m3   4  3       448              2^-6       2^-9                    2^-4      activations, weights, gradients
    e5m2   5  2     57344             2^-14      2^-16                    2^-3
    e5m6   5  6     65024             2^-14      2^-20                    2^-7      12 bits: what attention hands on
    fp16   5 10     65504             2^-14      2^-24                   2^-11
    bf16   8  7   3.39e38            2^-126     2^-133                    2^-8

The largest field means infinity and NaN, except in e4m3, which has no infinity and gives up one pattern for NaN (FP8
Formats for Deep Learning, arXiv 2209.05433, table 1). e5m6 is DeepSeek-V3's own (arXiv 2412.19437 section 3.3.3); the
paper does not say what its largest field means, here it is as in the others.

Left out: infinities as results (values beyond the largest become the largest), other ways to round, gradients.
"""

import torch
from torch import Tensor

FORMATS = {  # name -> exponent bits, mantissa bits, largest value
    "e4m3": (4, 3, 448.0),
    "e5m2": (5, 2, 57344.0),
    "e5m6": (5, 6, 65024.0),
    "fp16": (5, 10, 65504.0),
    "bf16": (8, 7, 2.0**127 * (2 - 2.0**-7)),
}


def round_to(x: Tensor, exponent_bits: int, mantissa_bits: int, largest: float) -> Tensor:
    """The nearest value of a format to each number of x; of two equally near ones, that with the last bit 0.

    x         float32 (or float64: not rounded to float32 on the way) of any shape; it is not changed
    largest   the largest value of the format: what lies beyond, infinity too, becomes `largest` with its sign
    returns   the values, in the shape and dtype of x; NaN stays NaN

    The smallest exponent of the format is 2 - 2^(exponent_bits - 1): -6 for 4 bits. Below 2^-6 the values of E4M3 go on
    down to zero in the steps that they have just above it (subnormals).

        round_to(tensor([0.3, 17.0, 19.0, 0.0009, 1e6]), 4, 3, 448.0)   ->   [0.3125, 16, 20, 0, 448]
    """
    # wide enough that nothing below is rounded twice
    y = x.double().clamp(-largest, largest)
    # the exponent of each number, 2^exponent <= |y| < 2^(exponent + 1), but not below that of the subnormals
    exponent = (torch.frexp(y)[1] - 1).clamp(min=2 - 2 ** (exponent_bits - 1))
    # the distance between neighbours there; torch.round takes halves to the even neighbour
    step = torch.ldexp(torch.ones_like(y), exponent - mantissa_bits)
    return (torch.round(y / step) * step).to(x.dtype)


def values(exponent_bits: int, mantissa_bits: int, largest: float) -> Tensor:
    """All values of a format that are not negative, in the order of their bit patterns, which is that of size; float64.

    The patterns of infinity and NaN come last and are left out.
    """
    pattern = torch.arange(2 ** (exponent_bits + mantissa_bits))
    field, mantissa = pattern >> mantissa_bits, pattern % 2**mantissa_bits
    whole = torch.where(field == 0, mantissa, mantissa + 2**mantissa_bits).double()
    exponent = field.clamp(min=1) - (2 ** (exponent_bits - 1) - 1) - mantissa_bits
    found = whole * torch.exp2(exponent.double())
    return found[found <= largest]
