"""Chapter 06: plausible mistakes in FP8, and other right ways to write it."""

import math

import torch

from minids.course.wrong import alternative, wrong
from minids.kernels import gemm, quantise
from minids.kernels.runtime import FP8, FP8_MAX, KernelError, need

BLOCK, FLOOR = quantise.BLOCK, quantise.FLOOR
ours = quantise.scale_of, quantise.quantise_reference, quantise.dequantise  # in a tuple: they stay the library's own

# -- round_to ----------------------------------------------------------------------------------------------------------

ROUND = "fp8.round"
BY_HAND, HALFWAY = "numbers_worked_by_hand", "halfway_between_two_values_the_even_one_is_taken"
SMALL = "below_the_smallest_normal_number_the_steps_stay_the_same"
BEYOND = "what_lies_beyond_the_largest_becomes_the_largest"


def parts(x, exponent_bits, mantissa_bits, largest, lowest=2):
    """y in float64 and within range, and the step around each."""
    y = x.double().clamp(-largest, largest)
    exponent = (torch.frexp(y)[1] - 1).clamp(min=lowest - 2 ** (exponent_bits - 1))
    return y, torch.exp2((exponent - mantissa_bits).double())


@wrong(
    ROUND,
    mistake="what does not fit was cut off instead of rounded",
    ask="18.7 lies between 18 and 20. Which is nearer, and what does trunc give?",
    refused_by=BY_HAND,
)
def cuts_off(x, exponent_bits, mantissa_bits, largest):
    y, step = parts(x, exponent_bits, mantissa_bits, largest)
    return (torch.trunc(y / step) * step).to(x.dtype)


@wrong(
    ROUND,
    mistake="halves were always rounded up, away from zero",
    ask="What would happen to the mean of many numbers if every tie went the same way? What does IEEE 754 do?",
    refused_by=HALFWAY,
)
def halves_go_up(x, exponent_bits, mantissa_bits, largest):
    y, step = parts(x, exponent_bits, mantissa_bits, largest)
    return (torch.floor((y / step).abs() + 0.5).copysign(y) * step).to(x.dtype)


@wrong(
    ROUND,
    mistake="everything below the smallest normal number became zero",
    ask="Which numbers do the patterns with an exponent field of 0 stand for?",
    refused_by=SMALL,
)
def no_subnormals(x, exponent_bits, mantissa_bits, largest):
    y, step = parts(x, exponent_bits, mantissa_bits, largest)
    out = torch.round(y / step) * step
    return torch.where(out.abs() < 2.0 ** (2 - 2 ** (exponent_bits - 1)), 0.0 * out, out).to(x.dtype)


@wrong(
    ROUND,
    mistake="the exponent could be as small as it liked",
    ask="Four bits of exponent: what is the smallest that they can say?",
    refused_by=SMALL,
)
def exponents_without_end(x, exponent_bits, mantissa_bits, largest):
    y, step = parts(x, exponent_bits, mantissa_bits, largest, lowest=-200)
    return (torch.round(y / step) * step).to(x.dtype)


@wrong(
    ROUND,
    mistake="the smallest exponent was off by one, as if the field 0 were a normal one",
    ask="Field 1 means 2^(1 - bias). What does field 0 mean: 2^(0 - bias), or the same exponent without the leading 1?",
    refused_by=SMALL,
)
def field_zero_is_normal(x, exponent_bits, mantissa_bits, largest):
    y, step = parts(x, exponent_bits, mantissa_bits, largest, lowest=1)
    return (torch.round(y / step) * step).to(x.dtype)


@wrong(
    ROUND,
    mistake="the leading 1 was counted among the mantissa's bits",
    ask="Between 1 and 2 E4M3 has 8 values. How many does yours have?",
    refused_by="every_value_of_the_format_stays_as_it_is",
)
def one_bit_short(x, exponent_bits, mantissa_bits, largest):
    y, step = parts(x, exponent_bits, mantissa_bits - 1, largest)
    return (torch.round(y / step) * step).to(x.dtype)


@wrong(
    ROUND,
    mistake="there was no largest number",
    ask="How large may a result be? What did the caller say?",
    refused_by=BEYOND,
)
def no_largest(x, exponent_bits, mantissa_bits, largest):
    y, step = parts(x, exponent_bits, mantissa_bits, 1e300)
    return torch.where(y.abs() > 1e30, y, torch.round(y / step) * step).to(x.dtype)


@wrong(
    ROUND,
    mistake="numbers beyond the largest became NaN",
    ask="One outlier among a million numbers: should it become the largest value, or spoil every sum it goes into?",
    refused_by=BEYOND,
)
def nan_beyond(x, exponent_bits, mantissa_bits, largest):
    y, step = parts(x, exponent_bits, mantissa_bits, largest)
    return torch.where(x.abs() > largest, torch.nan, torch.round(y / step) * step).to(x.dtype)


@wrong(
    ROUND,
    mistake="NaN became a number",
    ask="Would you rather see that something went wrong, or not?",
    refused_by="nan_stays_nan_and_spoils_nothing_else",
)
def nan_is_zero(x, exponent_bits, mantissa_bits, largest):
    y, step = parts(x.nan_to_num(0.0, math.inf, -math.inf), exponent_bits, mantissa_bits, largest)
    return (torch.round(y / step) * step).to(x.dtype)


@wrong(
    ROUND,
    mistake="the sign got lost",
    ask="frexp, log2 and abs look at sizes. Who brings the sign back?",
    refused_by=BY_HAND,
)
def sizes_only(x, exponent_bits, mantissa_bits, largest):
    y, step = parts(x, exponent_bits, mantissa_bits, largest)
    return (torch.round(y.abs() / step) * step).to(x.dtype)


@wrong(
    ROUND,
    mistake="every format were E4M3",
    ask="Which of the arguments does your answer not use?",
    refused_by="other_formats_are_rounded_to_by_the_same_rule",
)
def always_e4m3(x, exponent_bits, mantissa_bits, largest):
    y, step = parts(x, 4, 3, largest)
    return (torch.round(y / step) * step).to(x.dtype)


@wrong(
    ROUND,
    mistake="every number was rounded to float32 before it was rounded to the format",
    ask="17 + 2^-36 lies above the middle of 16 and 18. Where does it lie as a float32?",
    refused_by="float64_is_not_rounded_to_float32_first",
)
def rounded_twice(x, exponent_bits, mantissa_bits, largest):
    y, step = parts(x.float(), exponent_bits, mantissa_bits, largest)
    return (torch.round(y / step) * step).to(x.dtype)


@alternative(ROUND)
def in_the_type_of_x(x, exponent_bits, mantissa_bits, largest):
    """The hints, one after the other."""
    y = x.clamp(-largest, largest)
    exponents = (torch.frexp(y)[1] - 1).clamp(min=2 - 2 ** (exponent_bits - 1))
    step = torch.ldexp(torch.ones_like(y), exponents - mantissa_bits)
    return step * torch.round(y / step)


@alternative(ROUND)
def with_log2(x, exponent_bits, mantissa_bits, largest):
    size = x.double().abs()
    low = 2.0 ** (2 - 2 ** (exponent_bits - 1))
    step = 2.0 ** (torch.floor(torch.log2(size.clamp(low, largest))) - mantissa_bits)
    return torch.minimum(torch.round(size / step) * step, torch.tensor(largest).double()).copysign(x).to(x.dtype)


@alternative(ROUND)
def by_looking_it_up(x, exponent_bits, mantissa_bits, largest):
    found = [0.0]
    exponent, i = 2 - 2 ** (exponent_bits - 1), 1
    while found[-1] < largest:  # i counts steps of 2^(exponent - mantissa_bits)
        found.append(i * 2.0 ** (exponent - mantissa_bits))
        i += 1
        if i == 2 ** (mantissa_bits + 1):
            i, exponent = i // 2, exponent + 1
    found = torch.tensor([v for v in found if v <= largest], dtype=torch.float64)
    size = x.double().abs().clamp(max=largest)
    above = torch.searchsorted(found, size).clamp(max=len(found) - 1)
    below = (above - 1).clamp(min=0)
    up, down = found[above] - size, size - found[below]
    take = torch.where((up < down) | ((up == down) & (above % 2 == 0)), above, below)
    return torch.where(x.isnan(), torch.nan, found[take].copysign(x.double())).to(x.dtype)


@alternative(ROUND)
def by_adding_and_subtracting(x, exponent_bits, mantissa_bits, largest):
    """Adding 1.5 * 2^52 steps pushes what lies below a step out of the float64."""
    y, step = parts(x, exponent_bits, mantissa_bits, largest)
    magic = step * 1.5 * 2.0**52
    return ((y + magic) - magic).copysign(x).to(x.dtype)


# -- scale_of ----------------------------------------------------------------------------------------------------------

SCALE = "fp8.scale"
ON_448, ZERO = "the_largest_of_a_block_lands_on_448", "nothing_is_divided_by_zero"
POWER = "a_power_of_two_is_never_below_the_scale_and_less_than_twice_as_large"


def power_of_two(s, rounded=torch.ceil):
    return torch.exp2(rounded(torch.log2(s.double()))).float()


def finished(s, scales):
    return power_of_two(s) if scales == "ue8m0" else s


@wrong(
    SCALE,
    mistake="the smaller of amax and 1e-4 was taken, not the larger",
    ask="A floor keeps numbers from becoming too small. Is that a minimum of two numbers, or a maximum?",
    refused_by=ON_448,
)
def a_ceiling_for_a_floor(amax, scales="fp32"):
    return finished(amax.float().clamp(max=FLOOR) / FP8_MAX, scales)


@wrong(
    SCALE,
    mistake="there was no floor: a block of zeros gets the scale 0",
    ask="What is 0 / 0, and where would it turn up next?",
    refused_by=ZERO,
)
def no_floor(amax, scales="fp32"):
    return finished(amax.float() / FP8_MAX, scales)


@wrong(
    SCALE,
    mistake="the floor was put under the scale, not under amax",
    ask="Below which amax does your floor act? Which did the docstring name?",
    refused_by=ZERO,
)
def floor_under_the_scale(amax, scales="fp32"):
    return finished((amax.float() / FP8_MAX).clamp(min=FLOOR), scales)


@wrong(
    SCALE,
    mistake="the scale was what a block is multiplied by, 448 / amax",
    ask="Is it x / s or x * s that has to fit into E4M3?",
    refused_by=ON_448,
)
def upside_down(amax, scales="fp32"):
    return finished(FP8_MAX / amax.float().clamp(min=FLOOR), scales)


@wrong(
    SCALE,
    mistake="the largest value were 127, as of signed bytes",
    ask="What is the largest number of E4M3?",
    refused_by=ON_448,
)
def as_for_int8(amax, scales="fp32"):
    return finished(amax.float().clamp(min=FLOOR) / 127, scales)


@wrong(
    SCALE,
    mistake="the largest value were 240, as where E4M3 keeps its largest exponent for infinity",
    ask="Does torch.float8_e4m3fn have infinities? What does torch.finfo say of its maximum?",
    refused_by=ON_448,
)
def as_with_infinities(amax, scales="fp32"):
    return finished(amax.float().clamp(min=FLOOR) / 240, scales)


@wrong(
    SCALE,
    mistake="the scale was rounded to the nearest power of two",
    ask="If the scale gets smaller than amax / 448, where does the largest element of the block land?",
    refused_by=POWER,
)
def the_nearest_power(amax, scales="fp32"):
    s = amax.float().clamp(min=FLOOR) / FP8_MAX
    return power_of_two(s, torch.round) if scales == "ue8m0" else s


@wrong(
    SCALE,
    mistake="the scale was rounded down to a power of two",
    ask="A scale below amax / 448: does the largest element still fit?",
    refused_by=POWER,
)
def the_power_below(amax, scales="fp32"):
    s = amax.float().clamp(min=FLOOR) / FP8_MAX
    return power_of_two(s, torch.floor) if scales == "ue8m0" else s


@wrong(
    SCALE,
    mistake="a scale that is a power of two already was doubled",
    ask="What does your rounding do with exactly 1?",
    refused_by="what_is_a_power_of_two_already_stays_so",
)
def always_one_more(amax, scales="fp32"):
    s = amax.float().clamp(min=FLOOR) / FP8_MAX
    return 2 * power_of_two(s, torch.floor) if scales == "ue8m0" else s


@wrong(
    SCALE,
    mistake="the scale was computed and kept in the type of the block",
    ask="How many bits has a bfloat16? Every element of the block is divided by this number.",
    refused_by="scales_are_float32_whatever_the_block_was",
)
def in_the_blocks_type(amax, scales="fp32"):
    return finished(amax.clamp(min=FLOOR) / FP8_MAX, scales)


@wrong(
    SCALE,
    mistake="all blocks shared the scale of the largest",
    ask="amax has one number a block. How many scales come back that differ?",
    refused_by=ON_448,
)
def one_for_all(amax, scales="fp32"):
    s = amax.float().clamp(min=FLOOR) / FP8_MAX
    return finished(torch.full_like(s, s.max().item()), scales)


@wrong(SCALE, mistake='scales="ue8m0" changed nothing', ask="What is the second argument for?", refused_by=POWER)
def never_a_power(amax, scales="fp32"):
    return amax.float().clamp(min=FLOOR) / FP8_MAX


@wrong(
    SCALE,
    mistake="the logarithm was float32: just above a power of two it is that of the power",
    ask="How many digits of log2(512 * (1 + 2^-22)) does a float32 hold?",
    refused_by="a_trifle_above_a_power_of_two_is_above_it",
)
def a_logarithm_in_float32(amax, scales="fp32"):
    s = amax.float().clamp(min=FLOOR) / FP8_MAX
    return torch.exp2(torch.ceil(torch.log2(s))) if scales == "ue8m0" else s


@wrong(
    SCALE,
    mistake="NaN was less than the floor, and became it",
    ask="What is `NaN > 1e-4`? Which branch of your `where` does NaN take?",
    refused_by="nan_stays_nan",
)
def nan_is_the_floor(amax, scales="fp32"):
    s = amax.float()
    return finished(torch.where(s > FLOOR, s, FLOOR) / FP8_MAX, scales)


@wrong(
    SCALE,
    mistake="NaN became a power of two like any other number",
    ask="What do the bits of NaN look like, and what is left of them after your rounding?",
    refused_by="nan_stays_nan",
)
def a_power_of_nan(amax, scales="fp32"):
    s = amax.float().clamp(min=FLOOR) / FP8_MAX
    if scales == "ue8m0":
        bits = s.view(torch.int32)
        s = (((bits >> 23) + ((bits & 0x7FFFFF) != 0)) << 23).view(torch.float32)
    return s


@alternative(SCALE)
def with_frexp(amax, scales="fp32"):
    s = torch.where(amax.float() < FLOOR, torch.tensor(FLOOR), amax.float()) / 448
    if scales == "fp32":
        return s
    mantissa, exponent = torch.frexp(s)  # 0.5 <= mantissa < 1
    power = torch.ldexp(torch.ones_like(s), torch.where(mantissa == 0.5, exponent - 1, exponent))
    return torch.where(s.isnan(), s, power)


@alternative(SCALE)
def with_logarithms(amax, scales="fp32"):
    s = torch.maximum(amax.to(torch.float32), torch.full_like(amax, FLOOR, dtype=torch.float32)) / 448.0
    return 2.0 ** torch.ceil(torch.log2(s.double())).float() if scales == "ue8m0" else s


# -- quantise_reference ------------------------------------------------------------------------------------------------

QUANTISE = "fp8.quantise"
HAND4, OWN = "four_numbers_worked_by_hand", "each_row_and_each_128_columns_have_their_own_scale"
SHORTER = "a_last_block_that_is_shorter_is_a_block_too"


def cast(y):
    return y.clamp(-FP8_MAX, FP8_MAX).to(FP8)


def amax_of(x):
    """[M, ceil(K/128)]"""
    return torch.stack([part.abs().amax(1) for part in x.float().split(BLOCK, 1)], 1)


def wide(s, K):
    return s.repeat_interleave(BLOCK, 1)[:, :K]


@wrong(QUANTISE, mistake="a whole row shared one scale", ask="How many columns does a block have?", refused_by=OWN)
def a_scale_a_row(x, scales="fp32"):
    s = ours[0](amax_of(x).amax(1, keepdim=True).expand_as(amax_of(x)), scales)
    return cast(x.float() / wide(s, x.shape[1])), s


@wrong(
    QUANTISE,
    mistake="128 rows shared one scale, as those of a weight do",
    ask="Which blocks are for activations, 1x128 or 128x128?",
    refused_by=OWN,
)
def blocks_of_a_weight(x, scales="fp32"):
    s = torch.cat([part.amax(0, keepdim=True).expand_as(part) for part in amax_of(x).split(BLOCK)])
    s = ours[0](s, scales)
    return cast(x.float() / wide(s, x.shape[1])), s


@wrong(
    QUANTISE,
    mistake="the whole matrix shared one scale",
    ask="Over which axis is the maximum taken, and over which must it not?",
    refused_by=OWN,
)
def a_scale_a_tensor(x, scales="fp32"):
    s = ours[0](amax_of(x).amax().expand_as(amax_of(x)), scales)
    return cast(x.float() / wide(s, x.shape[1])), s


@wrong(
    QUANTISE,
    mistake="the short block stood at the beginning of a row",
    ask="Where do the zeros go that fill up the last block?",
    refused_by=SHORTER,
)
def zeros_in_front(x, scales="fp32"):
    M, K = x.shape
    padded = torch.nn.functional.pad(x.float(), (-K % BLOCK, 0))
    s = ours[0](amax_of(padded), scales)
    return cast(padded / wide(s, padded.shape[1]))[:, -K % BLOCK :], s


@wrong(
    QUANTISE,
    mistake="the short block at the end used the scale of the block before it",
    ask="Which elements does the last scale of a row look at?",
    refused_by=SHORTER,
)
def the_rest_goes_along(x, scales="fp32"):
    amax = amax_of(x)
    if x.shape[1] % BLOCK and amax.shape[1] > 1:
        amax[:, -1] = amax[:, -2]
    s = ours[0](amax, scales)
    return cast(x.float() / wide(s, x.shape[1])), s


@wrong(
    QUANTISE,
    mistake="the largest element was taken with its sign",
    ask="What is the largest of -5 and 1, and which of them has to fit?",
    refused_by="negative_numbers_count_by_their_size",
)
def with_its_sign(x, scales="fp32"):
    s = ours[0](torch.stack([part.amax(1) for part in x.float().split(BLOCK, 1)], 1), scales)
    return cast(x.float() / wide(s, x.shape[1])), s


@wrong(
    QUANTISE,
    mistake="the elements were multiplied by the scale",
    ask="The largest element of a block has to become 448. Divide, or multiply?",
    refused_by=HAND4,
)
def multiplied_by_it(x, scales="fp32"):
    s = ours[0](amax_of(x), scales)
    return cast(x.float() * wide(s, x.shape[1])), s


@wrong(
    QUANTISE,
    mistake="the quotients were rounded to whole numbers, as for signed bytes",
    ask="E4M3 has 7 values between 0 and 1/64 alone. Who rounds here, and how often?",
    refused_by=HAND4,
)
def whole_numbers(x, scales="fp32"):
    s = ours[0](amax_of(x), scales)
    return cast(torch.round(x.float() / wide(s, x.shape[1]))), s


@wrong(
    QUANTISE,
    mistake="`scales` was not handed on",
    ask="Who decides whether a scale is a power of two?",
    refused_by="powers_of_two_for_scales_if_asked_for",
)
def always_fp32_scales(x, scales="fp32"):
    s = ours[0](amax_of(x))
    return cast(x.float() / wide(s, x.shape[1])), s


@wrong(
    QUANTISE,
    mistake="the division was done in bfloat16, and rounded twice",
    ask="In which type is x / s when x is bfloat16?",
    refused_by="half_precision_is_divided_in_float32",
)
def divided_in_its_type(x, scales="fp32"):
    s = ours[0](amax_of(x), scales)
    return cast((x.float() / wide(s, x.shape[1])).to(x.dtype)), s


@wrong(
    QUANTISE,
    mistake="q held what the scale times the rounded quotient stands for, not the quotient",
    ask="q times its scale is what is left of x. What do you get if the scale is in q already?",
    refused_by=HAND4,
)
def scaled_back_already(x, scales="fp32"):
    s = ours[0](amax_of(x), scales)
    w = wide(s, x.shape[1])
    return cast(cast(x.float() / w).float() * w), s


@wrong(
    QUANTISE,
    mistake="a row was cut into equal parts, 200 columns into 100 and 100",
    ask="Where does the second block of a row begin, if the row has 200 columns?",
    refused_by=SHORTER,
)
def equal_parts(x, scales="fp32"):
    parts = x.float().chunk(-(-x.shape[1] // BLOCK), 1)
    s = torch.stack([ours[0](part.abs().amax(1), scales) for part in parts], 1)
    return torch.cat([cast(part / s[:, j, None]).float() for j, part in enumerate(parts)], 1).to(FP8), s


@wrong(
    QUANTISE,
    mistake="NaN counted as zero",
    ask="An activation is NaN. Who is to see it?",
    refused_by="nan_stays_in_its_block_and_stays_visible",
)
def nan_counts_as_zero(x, scales="fp32"):
    x = x.float().nan_to_num(0.0, math.inf, -math.inf)
    s = ours[0](amax_of(x), scales)
    return cast(x / wide(s, x.shape[1])), s


@alternative(QUANTISE)
def block_after_block(x, scales="fp32"):
    qs, ss = [], []
    for j in range(0, x.shape[1], 128):
        part = x[:, j : j + 128].to(torch.float32)
        s = ours[0](part.abs().max(1).values, scales)
        qs.append((part / s[:, None]).clamp(-448, 448).to(torch.float8_e4m3fn))
        ss.append(s)
    return torch.cat([q.float() for q in qs], 1).to(torch.float8_e4m3fn), torch.stack(ss, 1)


@alternative(QUANTISE)
def with_a_reciprocal(x, scales="fp32"):
    M, K = x.shape
    y = torch.zeros(M, -(-K // 128) * 128, dtype=torch.float32)
    y[:, :K] = x
    y = y.reshape(M, -1, 128)
    s = ours[0](y.abs().max(dim=2).values, scales)
    q = (y * (1 / s.double()).unsqueeze(2)).float().clamp(-448, 448)
    return q.to(FP8).reshape(M, -1)[:, :K], s


# -- dequantise --------------------------------------------------------------------------------------------------------

DEQUANTISE = "fp8.dequantise"
ROWS192, ACTIVATION = "in_192_rows_the_blocks_have_128_and_64", "each_row_of_an_activation_has_its_scale"
WHOLE = "whole_blocks_of_a_weight"


@wrong(
    DEQUANTISE,
    mistake="the size of a block followed from the number of scales: 192 rows and 2 scales, so 96",
    ask="192 rows in blocks of 128: how many rows has the first block, and how many the second?",
    refused_by=ROWS192,
)
def block_from_the_shape(q, s, dtype=torch.float32):
    R, C = q.shape
    fits = s.shape[1] == -(-C // BLOCK) and s.shape[0] in (R, -(-R // BLOCK))
    need(fits, f"scales {list(s.shape)} fit neither 1x128 nor 128x128 blocks of {[R, C]}")
    # how many rows and columns share a scale
    rows, cols = -(-R // s.shape[0]), -(-C // s.shape[1])
    wide = s.repeat_interleave(rows, 0)[:R].repeat_interleave(cols, 1)[:, :C]
    return (q.to(torch.float64 if dtype == torch.float64 else torch.float32) * wide).to(dtype)


def repeated(s, R, C):
    rows = 1 if s.shape[0] == R else BLOCK
    return s.repeat_interleave(rows, 0)[:R].repeat_interleave(BLOCK, 1)[:, :C]


def wide_type(dtype):
    return torch.float64 if dtype == torch.float64 else torch.float32


def fitting(q, s):
    need(s.shape[1] == -(-q.shape[1] // BLOCK) and s.shape[0] in (q.shape[0], -(-q.shape[0] // BLOCK)), "no fit")


@wrong(
    DEQUANTISE,
    mistake="neighbouring columns belonged to different blocks: the scales came round again and again",
    ask="torch has `repeat` and `repeat_interleave`. Which of them makes 1, 1, 2, 2 of 1, 2?",
    refused_by=WHOLE,
)
def repeat_for_interleave(q, s, dtype=torch.float32):
    fitting(q, s)
    R, C = q.shape
    rows = s.repeat(1 if s.shape[0] == R else BLOCK, 1)[:R]
    return (q.to(wide_type(dtype)) * rows.repeat(1, BLOCK)[:, :C]).to(dtype)


@wrong(DEQUANTISE, mistake="q was divided by its scales", ask="q = x / s. How does x come back?", refused_by=ACTIVATION)
def divides(q, s, dtype=torch.float32):
    fitting(q, s)
    return (q.to(wide_type(dtype)) / repeated(s, *q.shape)).to(dtype)


@wrong(
    DEQUANTISE,
    mistake="every scale were for 128 rows, also where each row has its own",
    ask="An activation [R, C] has R rows of scales. Which row of scales does row 1 use?",
    refused_by=ACTIVATION,
)
def always_128_rows(q, s, dtype=torch.float32):
    fitting(q, s)
    R, C = q.shape
    rows = s.repeat_interleave(BLOCK, 0)[:R]
    return (q.to(wide_type(dtype)) * rows.repeat_interleave(BLOCK, 1)[:, :C]).to(dtype)


@wrong(
    DEQUANTISE,
    mistake="the shorter block stood first",
    ask="From which end are blocks of 128 counted?",
    refused_by=ROWS192,
)
def shorter_block_first(q, s, dtype=torch.float32):
    fitting(q, s)
    R, C = q.shape
    rows = 1 if s.shape[0] == R else BLOCK
    spread = s.repeat_interleave(rows, 0)[-R:].repeat_interleave(BLOCK, 1)[:, -C:]
    return (q.to(wide_type(dtype)) * spread).to(dtype)


@wrong(
    DEQUANTISE,
    mistake="the scales were rounded to bfloat16 before the product",
    ask="How many of a scale's 24 bits are left when it is multiplied?",
    refused_by="bfloat16_is_rounded_to_once",
)
def multiplied_in_its_type(q, s, dtype=torch.float32):
    fitting(q, s)
    return q.to(dtype) * repeated(s, *q.shape).to(dtype)


@wrong(
    DEQUANTISE,
    mistake="float32 came back, whatever type was asked for",
    ask="What is the third argument for?",
    refused_by="bfloat16_is_rounded_to_once",
)
def always_float32(q, s, dtype=torch.float32):
    fitting(q, s)
    return q.float() * repeated(s, *q.shape)


@wrong(
    DEQUANTISE,
    mistake="the scales of the first 128 columns were those of all columns",
    ask="How many scales has a row of 300 columns?",
    refused_by=WHOLE,
)
def first_scale_of_a_row(q, s, dtype=torch.float32):
    fitting(q, s)
    return (q.to(wide_type(dtype)) * repeated(s[:, :1].expand_as(s), *q.shape)).to(dtype)


@wrong(
    DEQUANTISE,
    mistake="scales of 1x128 were those of 128x128 wherever 128 divides the rows",
    ask="An activation of 256 tokens: how many rows of scales has it? What do you look at to tell the two kinds apart?",
    refused_by="however_many_rows_an_activation_has",
)
def told_by_the_rows(q, s, dtype=torch.float32):
    fitting(q, s)
    R, C = q.shape
    spread = s if R % BLOCK else s.repeat_interleave(BLOCK, 0)
    spread = spread if len(spread) >= R else s.repeat_interleave(BLOCK, 0)
    return (q.to(wide_type(dtype)) * spread[:R].repeat_interleave(BLOCK, 1)[:, :C]).to(dtype)


@wrong(
    DEQUANTISE,
    mistake="scales that fit no blocks were cut to size without a word, or failed somewhere in torch",
    ask="[4, 3] scales for a [300, 300]: which error does the docstring name, and who raises it?",
    refused_by="scales_that_fit_no_blocks_are_refused",
)
def nothing_is_checked(q, s, dtype=torch.float32):
    return (q.to(wide_type(dtype)) * repeated(s, *q.shape)).to(dtype)


@wrong(
    DEQUANTISE,
    mistake="scales that fit no blocks were refused with an assertion",
    ask="Which error does the docstring name? What does Python do with assertions when it is started with -O?",
    refused_by="scales_that_fit_no_blocks_are_refused",
)
def refuses_by_assert(q, s, dtype=torch.float32):
    R, C = q.shape
    assert s.shape[1] == -(-C // BLOCK) and s.shape[0] in (R, -(-R // BLOCK)), "scales do not fit"
    return (q.to(wide_type(dtype)) * repeated(s, R, C)).to(dtype)


@wrong(
    DEQUANTISE,
    mistake="the product was float32, whatever type was asked for",
    ask="The docstring names one type in which the product is not taken in float32. Which?",
    refused_by="float64_is_exact",
)
def products_in_float32(q, s, dtype=torch.float32):
    fitting(q, s)
    return (q.float() * repeated(s, *q.shape)).to(dtype)


@alternative(DEQUANTISE)
def by_indexing(q, s, dtype=torch.float32):
    R, C = q.shape
    need(s.shape[1] == math.ceil(C / 128) and s.shape[0] in (R, math.ceil(R / 128)), "the scales do not fit")
    row = torch.arange(R) if s.shape[0] == R else torch.arange(R) // 128
    spread = s[row][:, torch.arange(C) // 128]
    return (q.double() * spread.double()).float().to(dtype) if dtype != torch.float64 else q.double() * spread.double()


@alternative(DEQUANTISE)
def block_by_block(q, s, dtype=torch.float32):
    R, C = q.shape
    rows = 1 if s.shape[0] == R else 128
    if list(s.shape) != [-(-R // rows), -(-C // 128)]:
        raise KernelError("scales of neither kind")
    out = torch.empty(R, C, dtype=torch.float64)
    for i, row in enumerate(s.tolist()):
        for j, scale in enumerate(row):
            block = slice(i * rows, (i + 1) * rows), slice(j * 128, (j + 1) * 128)
            out[block] = q.double()[block] * scale
    return out if dtype == torch.float64 else out.float().to(dtype)


# -- matmul_reference --------------------------------------------------------------------------------------------------

MATMUL = "fp8.matmul"
BY128, LENGTHS = "each_128_products_are_summed_on_their_own", "sums_of_any_length_add_up_to_the_same_product"
WEIGHT, AT_THE_END = "a_weight_has_scales_for_128x128", "the_sum_is_float32_and_only_the_end_is_bfloat16"


def both(a, a_scales, b, b_scales, out_dtype):
    return ours[2](a, a_scales, wide_type(out_dtype)), ours[2](b, b_scales, wide_type(out_dtype)).t()


def summed(x, y, promote):
    parts = [x[:, k : k + promote] @ y[k : k + promote] for k in range(0, x.shape[1], promote)]
    return torch.stack(parts).cumsum(0)[-1] if len(parts) > 1 else parts[0]


@wrong(
    MATMUL,
    mistake="`promote` changed nothing: all of K was one sum",
    ask="What is 2^30 + 1 in float32? And 2^30 + 128?",
    refused_by=BY128,
)
def one_long_sum(a, a_scales, b, b_scales, out_dtype=torch.float32, promote=None):
    x, y = both(a, a_scales, b, b_scales, out_dtype)
    out = torch.zeros(x.shape[0], y.shape[1], dtype=x.dtype)
    for k in range(x.shape[1]):
        out += x[:, k, None] * y[k]
    return out.to(out_dtype)


@wrong(
    MATMUL,
    mistake="each part of K replaced the sum of those before it",
    ask="What happens to the first 128 when the second 128 are done?",
    refused_by=LENGTHS,
)
def only_the_last_part(a, a_scales, b, b_scales, out_dtype=torch.float32, promote=None):
    x, y = both(a, a_scales, b, b_scales, out_dtype)
    for k in range(0, x.shape[1], promote or x.shape[1]):
        out = x[:, k : k + (promote or x.shape[1])] @ y[k : k + (promote or x.shape[1])]
    return out.to(out_dtype)


@wrong(
    MATMUL,
    mistake="what was left over at the end of K was forgotten",
    ask="K = 300 and 128 at a time: how many parts are there?",
    refused_by=LENGTHS,
)
def without_the_rest(a, a_scales, b, b_scales, out_dtype=torch.float32, promote=None):
    x, y = both(a, a_scales, b, b_scales, out_dtype)
    K = x.shape[1] if promote is None else x.shape[1] // promote * promote
    return summed(x[:, :K], y[:K], promote or K).to(out_dtype) if K else torch.zeros(len(x), y.shape[1]).to(out_dtype)


@wrong(
    MATMUL,
    mistake="the running sum was kept in the type of the result",
    ask="In which type does the sum grow, and in which does it leave?",
    refused_by=AT_THE_END,
)
def summed_in_the_results_type(a, a_scales, b, b_scales, out_dtype=torch.float32, promote=None):
    x, y = both(a, a_scales, b, b_scales, out_dtype)
    out = torch.zeros(x.shape[0], y.shape[1], dtype=out_dtype)
    step = promote or x.shape[1]
    for k in range(0, x.shape[1], step):
        out = out + (x[:, k : k + step] @ y[k : k + step]).to(out_dtype)
    return out


@wrong(
    MATMUL,
    mistake="the result stayed float32, whatever type was asked for",
    ask="Which type shall `out` have?",
    refused_by=AT_THE_END,
)
def result_stays_float32(a, a_scales, b, b_scales, out_dtype=torch.float32, promote=None):
    x, y = both(a, a_scales, b, b_scales, torch.float32)
    return summed(x, y, promote or x.shape[1])


@wrong(
    MATMUL,
    mistake="the scales of the first block were used for all of K",
    ask="a_scales has one column for each 128 of K. Which of them do you use?",
    refused_by=WEIGHT,
)
def first_scales_for_all(a, a_scales, b, b_scales, out_dtype=torch.float32, promote=None):
    first = [s[:, :1].expand_as(s) for s in (a_scales, b_scales)]
    x, y = both(a, first[0], b, first[1], out_dtype)
    return summed(x, y, promote or x.shape[1]).to(out_dtype)


@wrong(
    MATMUL,
    mistake="the scales of b were left out",
    ask="Both operands were divided by their scales. Which of the two comes back?",
    refused_by="a_product_worked_by_hand",
)
def scales_of_a_only(a, a_scales, b, b_scales, out_dtype=torch.float32, promote=None):
    x, y = both(a, a_scales, b, torch.ones_like(b_scales), out_dtype)
    return summed(x, y, promote or x.shape[1]).to(out_dtype)


@wrong(
    MATMUL,
    mistake="each part of K took the next scale, also where a part is no 128 long",
    ask="With promote=32, which scale belongs to elements 32 to 63?",
    refused_by=LENGTHS,
)
def a_scale_for_each_part(a, a_scales, b, b_scales, out_dtype=torch.float32, promote=None):
    if promote is None:
        x, y = both(a, a_scales, b, b_scales, out_dtype)
        return (x @ y).to(out_dtype)
    out, last = 0, a_scales.shape[1] - 1
    for i, k in enumerate(range(0, a.shape[1], promote)):
        x, y = (q[:, k : k + promote].to(wide_type(out_dtype)) for q in (a, b))
        sa, sb = (s[:, min(i, last)].to(x.dtype) for s in (a_scales, b_scales))
        sb = sb if len(sb) == len(y) else sb.repeat_interleave(BLOCK)[: len(y)]
        out = out + (x @ y.t()) * sa[:, None] * sb
    return out.to(out_dtype)


@wrong(
    MATMUL,
    mistake="float64 was asked for, and the sums were float32",
    ask="Of which type are the dequantised operands?",
    refused_by="float64_is_float64_throughout",
)
def float32_inside(a, a_scales, b, b_scales, out_dtype=torch.float32, promote=None):
    x, y = both(a, a_scales, b, b_scales, torch.float32)
    return summed(x, y, promote or x.shape[1]).to(out_dtype)


FLOAT32 = "what_is_summed_for_a_bfloat16_result_is_float32_too"


@wrong(
    MATMUL,
    mistake="the operands were dequantised to the type of the result",
    ask="A scale of 257 in bfloat16 is 256. In which type does the docstring multiply?",
    refused_by=FLOAT32,
)
def operands_in_the_results_type(a, a_scales, b, b_scales, out_dtype=torch.float32, promote=None):
    x, y = ours[2](a, a_scales, out_dtype).to(wide_type(out_dtype)), ours[2](b, b_scales, out_dtype).t()
    return summed(x, y.to(x.dtype), promote or x.shape[1]).to(out_dtype)


@wrong(
    MATMUL,
    mistake="the product of each part was rounded to the type of the result before it was added",
    ask="How often is a number rounded to bfloat16 on its way into `out`?",
    refused_by=FLOAT32,
)
def parts_rounded(a, a_scales, b, b_scales, out_dtype=torch.float32, promote=None):
    x, y = both(a, a_scales, b, b_scales, out_dtype)
    step = promote or x.shape[1]
    parts = [(x[:, k : k + step] @ y[k : k + step]).to(out_dtype) for k in range(0, x.shape[1], step)]
    return torch.stack(parts).to(x.dtype).sum(0).to(out_dtype)


@alternative(MATMUL)
def scales_behind_the_products(a, a_scales, b, b_scales, out_dtype=torch.float32, promote=None):
    """As a kernel does it: raw products of up to 128, times both scales. Whatever `promote` says, sums are shorter."""
    kind = torch.float64 if out_dtype == torch.float64 else torch.float32
    out = torch.zeros(len(a), len(b), dtype=kind)
    for k in range(0, a.shape[1], 128):
        part = a[:, k : k + 128].to(kind) @ b[:, k : k + 128].to(kind).t()
        sb = b_scales[:, k // 128]
        sb = sb if len(sb) == len(b) else sb.repeat_interleave(128)[: len(b)]
        out += part * a_scales[:, k // 128, None].to(kind) * sb.to(kind)
    return out.to(out_dtype)


@alternative(MATMUL)
def in_float64(a, a_scales, b, b_scales, out_dtype=torch.float32, promote=None):
    x, y = ours[2](a, a_scales, torch.float64), ours[2](b, b_scales, torch.float64)
    return torch.einsum("mk,nk->mn", x, y).float().to(out_dtype) if out_dtype != torch.float64 else x @ y.t()


@alternative(MATMUL)
def part_after_part(a, a_scales, b, b_scales, out_dtype=torch.float32, promote=None):
    x, y = both(a, a_scales, b, b_scales, out_dtype)
    K = x.shape[1]
    parts = zip(x.split(promote or K, 1), y.split(promote or K, 0))
    return sum(p @ q for p, q in parts).to(out_dtype)


# -- backward_products -------------------------------------------------------------------------------------------------

BACKWARD = "fp8.backward"
SQUARE = "the_blocks_of_a_square_weight_turn_with_it"
OF_INPUT = "the_gradient_of_the_input_has_blocks_along_the_outputs"
OF_WEIGHT = "the_gradient_of_the_weight_has_blocks_along_the_tokens"


def input_gradient(dy_MN, w_NK, backend, turn=True):
    q_w, s_w = quantise.quantise_weight(w_NK, backend=backend)
    given = *quantise.quantise(dy_MN, backend=backend), q_w.t().contiguous(), s_w.t().contiguous() if turn else s_w
    return gemm.matmul(*given, out_dtype=dy_MN.dtype, backend=backend)


def weight_gradient(dy_MN, q_x, s_x, w_NK, backend):
    x_MK = quantise.dequantise(q_x, s_x, dy_MN.dtype)
    turned = *quantise.quantise_t(dy_MN, backend=backend), *quantise.quantise_t(x_MK, backend=backend)
    return gemm.matmul(*turned, out_dtype=torch.float32, backend=backend).to(w_NK.dtype)


def fields(x, how=quantise.quantise, backend="torch"):
    """x as FP8 keeps it, float32."""
    return quantise.dequantise(*how(x, backend=backend))


def of_columns(x, backend="torch"):
    """x in blocks of 128x1, not turned."""
    return fields(x, quantise.quantise_t, backend).t()


@wrong(
    BACKWARD,
    mistake="the weight was turned, but not its scales",
    ask="Block [i, j] of w is block [j, i] of its transpose. Which scale belongs to it?",
    refused_by=SQUARE,
)
def scales_stay_behind(dy_MN, q_x, s_x, w_NK, backend):
    return input_gradient(dy_MN, w_NK, backend, turn=False), weight_gradient(dy_MN, q_x, s_x, w_NK, backend)


@wrong(
    BACKWARD,
    mistake="the weight was not turned for the gradient of the input",
    ask="y = x w^T. Which of the two axes of w does dx sum over?",
    refused_by=SQUARE,
)
def weight_not_turned(dy_MN, q_x, s_x, w_NK, backend):
    given = *quantise.quantise(dy_MN, backend=backend), *quantise.quantise_weight(w_NK, backend=backend)
    dx_MK = gemm.matmul(*given, out_dtype=dy_MN.dtype, backend=backend)
    return dx_MK, weight_gradient(dy_MN, q_x, s_x, w_NK, backend)


@wrong(
    BACKWARD,
    mistake="the gradient of the input used the weight in full precision",
    ask="Which of the operands of dx are FP8?",
    refused_by=OF_INPUT,
)
def weight_in_full(dy_MN, q_x, s_x, w_NK, backend):
    dx_MK = (fields(dy_MN) @ w_NK.float()).to(dy_MN.dtype)
    return dx_MK, weight_gradient(dy_MN, q_x, s_x, w_NK, backend)


@wrong(
    BACKWARD,
    mistake="dy had blocks along the tokens in both products",
    ask="dx sums over N. Along which axis must the blocks of dy run so that a scale is the same for 128 of a sum?",
    refused_by=OF_INPUT,
)
def dy_in_columns_for_both(dy_MN, q_x, s_x, w_NK, backend):
    dx_MK = (of_columns(dy_MN) @ fields(w_NK, quantise.quantise_weight)).to(dy_MN.dtype)
    return dx_MK, weight_gradient(dy_MN, q_x, s_x, w_NK, backend)


@wrong(
    BACKWARD,
    mistake="the gradient of the weight used the row blocks of the forward, for dy and x",
    ask="dw sums over the tokens. Can a scale that changes with every token be taken out of that sum?",
    refused_by=OF_WEIGHT,
)
def rows_for_both(dy_MN, q_x, s_x, w_NK, backend):
    dw_NK = fields(dy_MN).t() @ quantise.dequantise(q_x, s_x)
    return input_gradient(dy_MN, w_NK, backend), dw_NK.to(w_NK.dtype)


@wrong(
    BACKWARD,
    mistake="x was dequantised for the gradient of the weight, but not quantised again",
    ask="Both operands of an FP8 product are FP8. What is x_MK after dequantise?",
    refused_by=OF_WEIGHT,
)
def x_left_dequantised(dy_MN, q_x, s_x, w_NK, backend):
    dw_NK = of_columns(dy_MN).t() @ quantise.dequantise(q_x, s_x)
    return input_gradient(dy_MN, w_NK, backend), dw_NK.to(w_NK.dtype)


@wrong(
    BACKWARD,
    mistake="dy entered the gradient of the weight in full precision",
    ask="Which of the operands of dw are FP8?",
    refused_by=OF_WEIGHT,
)
def dy_in_full(dy_MN, q_x, s_x, w_NK, backend):
    dw_NK = dy_MN.float().t() @ of_columns(quantise.dequantise(q_x, s_x, dy_MN.dtype))
    return input_gradient(dy_MN, w_NK, backend), dw_NK.to(w_NK.dtype)


@wrong(
    BACKWARD,
    mistake="dy had blocks of 128x128, like a weight",
    ask="Gradients of two tokens may differ a thousandfold. Which of them would share a scale?",
    refused_by=OF_INPUT,
)
def dy_like_a_weight(dy_MN, q_x, s_x, w_NK, backend):
    dy = fields(dy_MN, quantise.quantise_weight)
    dx_MK = (dy @ fields(w_NK, quantise.quantise_weight)).to(dy_MN.dtype)
    dw_NK = dy.t() @ of_columns(quantise.dequantise(q_x, s_x, dy_MN.dtype))
    return dx_MK, dw_NK.to(w_NK.dtype)


@wrong(
    BACKWARD,
    mistake="the gradient of the weight had the type of dy",
    ask="The weight is a float32 master. Of which type is what it is moved by?",
    refused_by="dx_has_the_type_of_dy_and_dw_that_of_the_weight",
)
def gradient_in_dys_type(dy_MN, q_x, s_x, w_NK, backend):
    dw_NK = weight_gradient(dy_MN, q_x, s_x, w_NK, backend)
    return input_gradient(dy_MN, w_NK, backend), dw_NK.to(dy_MN.dtype)


@wrong(
    BACKWARD,
    mistake="the gradient of the weight was x^T dy: turned",
    ask="w is [N, K]. Of which shape is its gradient?",
    refused_by=OF_WEIGHT,
)
def gradient_turned(dy_MN, q_x, s_x, w_NK, backend):
    dw_NK = weight_gradient(dy_MN, q_x, s_x, w_NK, backend)
    return input_gradient(dy_MN, w_NK, backend), dw_NK.t().contiguous()


@wrong(
    BACKWARD,
    mistake="the gradient of the weight was rounded to the type of dy on its way to that of the weight",
    ask="dy is bfloat16 and w float32. Through which types does dw go?",
    refused_by="the_gradient_of_a_float32_weight_is_computed_in_float32",
)
def rounded_on_the_way(dy_MN, q_x, s_x, w_NK, backend):
    dw_NK = weight_gradient(dy_MN, q_x, s_x, w_NK, backend).to(dy_MN.dtype)
    return input_gradient(dy_MN, w_NK, backend), dw_NK.to(w_NK.dtype)


@wrong(
    BACKWARD,
    mistake="`backend` was not handed on",
    ask="Who decides whether the kernels of a GPU do the work? Does quantise hear of it?",
    refused_by="the_backend_is_handed_on",
)
def any_backend(dy_MN, q_x, s_x, w_NK, backend):
    return input_gradient(dy_MN, w_NK, None), weight_gradient(dy_MN, q_x, s_x, w_NK, None)


@wrong(
    BACKWARD,
    mistake="the gradient of the input was bfloat16 on its way, whatever dy is",
    ask="Of which type is what gemm.matmul returns, if you do not tell it?",
    refused_by="where_nothing_is_rounded_the_gradients_are_exact",
)
def bfloat16_on_the_way(dy_MN, q_x, s_x, w_NK, backend):
    q_w, s_w = quantise.quantise_weight(w_NK, backend=backend)
    q_dy, s_dy = quantise.quantise(dy_MN, backend=backend)
    dx_MK = gemm.matmul(q_dy, s_dy, q_w.t().contiguous(), s_w.t().contiguous(), backend=backend).to(dy_MN.dtype)
    return dx_MK, weight_gradient(dy_MN, q_x, s_x, w_NK, backend)


@wrong(
    BACKWARD,
    mistake="both gradients were float32, whatever dy and w are",
    ask="Of which type is dx, by the docstring?",
    refused_by="dx_has_the_type_of_dy_and_dw_that_of_the_weight",
)
def float32_throughout(dy_MN, q_x, s_x, w_NK, backend):
    dx_MK = input_gradient(dy_MN.float(), w_NK, backend)
    return dx_MK, weight_gradient(dy_MN, q_x, s_x, w_NK.float(), backend)


@wrong(
    BACKWARD,
    mistake="the scales of the weight were put into another shape instead of being turned",
    ask="reshape and t of [[1, 2, 3], [4, 5, 6]]: what are the two, and which belongs to the turned weight?",
    refused_by="ragged_layers_of_any_shape",
)
def scales_reshaped(dy_MN, q_x, s_x, w_NK, backend):
    q_w, s_w = quantise.quantise_weight(w_NK, backend=backend)
    given = *quantise.quantise(dy_MN, backend=backend), q_w.t().contiguous(), s_w.reshape(s_w.shape[::-1])
    dx_MK = gemm.matmul(*given, out_dtype=dy_MN.dtype, backend=backend)
    return dx_MK, weight_gradient(dy_MN, q_x, s_x, w_NK, backend)


@alternative(BACKWARD)
def dequantised_to_float32(dy_MN, q_x, s_x, w_NK, backend):
    q_dy, s_dy = quantise.quantise_t(dy_MN, backend=backend)
    q_xt, s_xt = quantise.quantise_t(quantise.dequantise(q_x, s_x), backend=backend)
    dw_NK = gemm.matmul(q_dy, s_dy, q_xt, s_xt, out_dtype=torch.float32, backend=backend)
    return input_gradient(dy_MN, w_NK, backend), dw_NK.to(w_NK.dtype)


@alternative(BACKWARD)
def turned_before_it_is_quantised(dy_MN, q_x, s_x, w_NK, backend):
    """Blocks of 128x128 are the same blocks either way."""
    turned = quantise.quantise_weight(w_NK.t().contiguous(), backend=backend)
    given = *quantise.quantise(dy_MN, backend=backend), *turned
    dx_MK = gemm.matmul(*given, out_dtype=dy_MN.dtype, backend=backend)
    return dx_MK, weight_gradient(dy_MN, q_x, s_x, w_NK, backend)


@alternative(BACKWARD)
def by_dequantised_products(dy_MN, q_x, s_x, w_NK, backend):
    dx_MK = fields(dy_MN, backend=backend).double() @ fields(w_NK, quantise.quantise_weight, backend).double()
    x_MK = quantise.dequantise(q_x, s_x).to(dy_MN.dtype)
    dw_NK = torch.einsum("mn,mk->nk", of_columns(dy_MN, backend).double(), of_columns(x_MK, backend).double())
    return dx_MK.to(dy_MN.dtype), dw_NK.to(w_NK.dtype)
