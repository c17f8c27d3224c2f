"""Chapter 06: FP8. References: enumeration of all values, torch's casts, loops over blocks in float64."""

import math

import torch

from minids.course.cases import case, expect, raises
from minids.kernels.runtime import KernelError

FP8 = torch.float8_e4m3fn


def drawn(*shape, low=-3.0, high=3.0, dtype=torch.float32):
    """Numbers of both signs whose sizes are spread evenly between 2^low and 2^high."""
    size = torch.exp2(torch.rand(shape, dtype=torch.float64) * (high - low) + low)
    return (size * (1 - 2 * torch.randint(2, shape))).to(dtype)


def relative(got, want):
    """|got - want| / |want| over all elements."""
    return ((got.double() - want).norm() / want.norm()).item()


def near(what, got, want, tol):
    """Shape, dtype, no NaN, and a relative error of all elements together below `tol`."""
    assert isinstance(got, torch.Tensor), f"{what}: a tensor was expected, got {type(got).__name__}"
    assert got.shape == want.shape, f"{what} has shape {tuple(got.shape)}, expected is {tuple(want.shape)}"
    assert not got.double().isnan().any(), f"{what} holds NaN"
    error = relative(got, want.double())
    assert error < tol, f"{what} is off by {error:.2%} (norm of the difference over the norm); allowed is {tol:.2%}"


# -- round_to ----------------------------------------------------------------------------------------------------------

ROUND = "fp8.round"
E4M3, E5M2 = (4, 3, 448.0), (5, 2, 57344.0)


def all_values(exponent_bits, mantissa_bits, largest):
    """The values of a format from zero up, by walking: each binade has 2^mantissa_bits equal steps."""
    exponent, found = 2 - 2 ** (exponent_bits - 1), []
    found += [i * 2.0 ** (exponent - mantissa_bits) for i in range(2**mantissa_bits)]  # subnormals
    while found[-1] < largest:
        found += [2.0**exponent * (1 + i / 2**mantissa_bits) for i in range(2**mantissa_bits)]
        exponent += 1
    return torch.tensor([v for v in found if v <= largest], dtype=torch.float64)


@case(ROUND)
def numbers_worked_by_hand(round_to):
    # between 16 and 32 E4M3 has steps of 2, between 1/4 and 1/2 of 1/32; 17 lies in the middle, and so does 19
    x = torch.tensor([1.0, 0.3, -0.3, 17.0, 19.0, 18.7, 250.0])
    expect(round_to(x, *E4M3), torch.tensor([1, 0.3125, -0.3125, 16, 20, 18, 256]), 0.0, x=x, format="e4m3")


@case(ROUND)
def every_value_of_the_format_stays_as_it_is(round_to):
    for shape in (E4M3, E5M2):
        x = all_values(*shape).float()
        for sign in (1, -1):
            expect(round_to(sign * x, *shape), sign * x, 0.0, format=shape)


@case(ROUND)
def halfway_between_two_values_the_even_one_is_taken(round_to):
    for shape in (E4M3, E5M2):
        found = all_values(*shape)
        middle = ((found[1:] + found[:-1]) / 2).float()
        even = torch.where(torch.arange(len(middle)) % 2 == 0, found[:-1], found[1:]).float()
        expect(round_to(middle, *shape), even, 0.0, x=middle, format=shape)


@case(ROUND)
def below_the_smallest_normal_number_the_steps_stay_the_same(round_to):
    # the smallest normal number of E4M3 is 2^-6 = 8 * 2^-9, and 2^-9 is the step
    x = torch.tensor([7.4, 5.2, 1.6, 0.7, 0.3, -2.9, 0.0]) * 2.0**-9
    want = torch.tensor([7.0, 5.0, 2.0, 1.0, 0.0, -3.0, 0.0]) * 2.0**-9
    # times 2^9 so that a difference is one
    expect(round_to(x, *E4M3) * 2.0**9, want * 2.0**9, 0.0, x=x, format="e4m3")


@case(ROUND)
def any_number_in_range_becomes_what_torch_casts_to(round_to):
    x = drawn(400, low=-11, high=8.7)
    expect(round_to(x, *E4M3), x.to(FP8).float(), 0.0, x=x, format="e4m3")
    x = drawn(400, low=-18, high=15)
    expect(round_to(x, *E5M2), x.to(torch.float8_e5m2).float(), 0.0, x=x, format="e5m2")


@case(ROUND)
def what_lies_beyond_the_largest_becomes_the_largest(round_to):
    x = torch.tensor([449.0, 470.0, 479.9, -1e9, 3e38, math.inf, -math.inf])
    want = torch.tensor([1.0, 1, 1, -1, 1, 1, -1])
    expect(round_to(x, *E4M3), 448 * want, 0.0, x=x, format="e4m3")
    expect(round_to(1e4 * x, *E5M2), 57344 * want, 0.0, x=1e4 * x, format="e5m2")


@case(ROUND)
def nan_stays_nan_and_spoils_nothing_else(round_to):
    x = torch.tensor([1.0, math.nan, 300.0])
    expect(round_to(x, *E4M3), torch.tensor([1.0, math.nan, 288.0]), 0.0, x=x)


@case(ROUND)
def other_formats_are_rounded_to_by_the_same_rule(round_to):
    for shape in ((5, 6, 65024.0), (2, 1, 6.0), (3, 2, 28.0)):
        found = all_values(*shape)
        x = drawn(300, low=-6, high=math.log2(shape[2]), dtype=torch.float64)
        want = found[(x.abs()[:, None] - found).abs().argmin(1)].copysign(x)
        expect(round_to(x, *shape), want, 0.0, x=x, exponent_bits=shape[0], mantissa_bits=shape[1], largest=shape[2])


@case(ROUND, held_out=True)
def half_precision_formats_are_those_of_torch(round_to):
    x = torch.cat([drawn(300, low=-140, high=100), drawn(300, low=-27, high=15)])
    expect(round_to(x, 8, 7, 2.0**127 * (2 - 2.0**-7)).double(), x.bfloat16().double(), 0.0, x=x, format="bf16")
    x = drawn(300, low=-27, high=15)
    expect(round_to(x, 5, 10, 65504.0), x.half().float(), 0.0, x=x, format="fp16")


@case(ROUND)
def shape_and_dtype_stay(round_to):
    for dtype in (torch.float32, torch.float64):
        for shape in ((), (0,), (5,), (2, 3, 4)):
            x = drawn(*shape, low=-9, high=9.5, dtype=dtype)
            expect(round_to(x, *E4M3), x.clamp(-448, 448).to(FP8).to(dtype), 0.0, x=x)


@case(ROUND)
def float64_is_not_rounded_to_float32_first(round_to):
    # a trifle beside the middle of two neighbours, far below what float32 can tell apart
    for shape in (E4M3, E5M2):
        found = all_values(*shape)
        middle = (found[1:] + found[:-1]) / 2
        for side, want in ((-1, found[:-1]), (1, found[1:])):
            x = middle * (1 + side * 2.0**-40)
            expect(round_to(x, *shape), want, 0.0, side="just below" if side < 0 else "just above", x=x, format=shape)


@case(ROUND, held_out=True)
def columns_of_a_matrix_in_any_type(round_to):
    for dtype in (torch.float32, torch.float64):
        x = drawn(7, 4, low=-9, high=8, dtype=dtype).t()[1:3]
        expect(round_to(x, *E5M2), x.to(torch.float8_e5m2).to(dtype), 0.0, x=x)


# -- scale_of ----------------------------------------------------------------------------------------------------------

SCALE = "fp8.scale"


def in_units(got, want, **given):
    """got / want against ones: scales are small numbers, of which a fixed tolerance would let too much pass."""
    assert isinstance(got, torch.Tensor), f"a tensor was expected, got {type(got).__name__}"
    assert got.dtype == torch.float32, f"float32 was expected, got {got.dtype}"
    assert got.shape == want.shape, f"shape {tuple(want.shape)} was expected, got {tuple(got.shape)}"
    ratio = got.double() / want.double()
    assert ((ratio - 1).abs() < 1e-6).all(), f"the scales are {got.tolist()},\n    expected {want.tolist()}" + "".join(
        f"\n    given    {name} = {value}" for name, value in given.items()
    )


@case(SCALE)
def the_largest_of_a_block_lands_on_448(scale_of):
    amax = torch.tensor([448.0, 1.0, 100.0, 44800.0])
    in_units(scale_of(amax), torch.tensor([1.0, 1 / 448, 100 / 448, 100.0]), amax=amax.tolist())


@case(SCALE)
def every_block_has_a_scale_of_its_own_whatever_the_shape(scale_of):
    for shape in ((), (7,), (3, 5), (2, 1, 4)):
        amax = drawn(*shape, low=-2, high=14).abs()
        in_units(scale_of(amax), (amax.double() / 448).float(), amax=amax.tolist())


@case(SCALE)
def nothing_is_divided_by_zero(scale_of):
    amax = torch.tensor([0.0, 1e-9, 5e-5, 2e-4])
    in_units(scale_of(amax), torch.tensor([1e-4, 1e-4, 1e-4, 2e-4]) / 448, amax=amax.tolist())


@case(SCALE)
def a_power_of_two_is_never_below_the_scale_and_less_than_twice_as_large(scale_of):
    amax = drawn(200, low=-2, high=14).abs()
    amax = amax[(torch.frexp(amax / 448)[0] - 0.5).abs() > 1e-5]  # nothing next to a power of two here
    want = torch.tensor([2.0 ** math.ceil(math.log2(a / 448)) for a in amax.double().tolist()])
    in_units(scale_of(amax, "ue8m0"), want, amax=amax.tolist()[:5], scales="ue8m0")


@case(SCALE)
def what_is_a_power_of_two_already_stays_so(scale_of):
    want = 2.0 ** torch.arange(-12, 13)
    in_units(scale_of(448 * want, "ue8m0"), want, amax="448 * 2^-12 ... 448 * 2^12", scales="ue8m0")


@case(SCALE)
def a_trifle_above_a_power_of_two_is_above_it(scale_of):
    # the last bits of a float32 count: 2^9 * (1 + 2^-22) does not fit below 2^9
    power = 2.0 ** torch.arange(-12, 13)
    for steps in (1, 2, 4):
        above, below = 448 * power * (1 + steps * 2.0**-23), 448 * power * (1 - steps * 2.0**-23)
        told = f"448 * 2^-12 … 448 * 2^12, each times 1 + {steps} * 2^-23"
        in_units(scale_of(above, "ue8m0"), 2 * power, amax=told, scales="ue8m0")
        in_units(scale_of(below, "ue8m0"), power, amax=told.replace("+", "-"), scales="ue8m0")


@case(SCALE)
def scales_are_float32_whatever_the_block_was(scale_of):
    for dtype in (torch.bfloat16, torch.float16, torch.float64):
        amax = drawn(20, low=2, high=14).abs().to(dtype)
        in_units(scale_of(amax), (amax.double() / 448).float(), amax=amax.tolist(), dtype=dtype)
        amax = 300 * 2.0 ** torch.arange(-8, 8).to(dtype)
        in_units(scale_of(amax, "ue8m0"), 2.0 ** torch.arange(-8, 8), amax=amax.tolist(), dtype=dtype, scales="ue8m0")


@case(SCALE)
def a_block_of_zeros_has_a_power_of_two_too(scale_of):
    amax = torch.tensor([0.0, 1e-7, 5e-5, 1e-3])
    want = torch.tensor([2.0**-22, 2.0**-22, 2.0**-22, 2.0**-18])
    in_units(scale_of(amax, "ue8m0"), want, amax=amax.tolist(), scales="ue8m0")


@case(SCALE)
def nan_stays_nan(scale_of):
    amax = torch.tensor([1.0, math.nan, 0.0, 3e38])
    for scales in ("fp32", "ue8m0"):
        got = scale_of(amax, scales)
        expect(got.isnan(), torch.tensor([False, True, False, False]), amax=amax, scales=scales, result=got)


@case(SCALE, held_out=True)
def other_blocks_of_zeros_and_nan(scale_of):
    amax = torch.tensor([[math.nan, 0.0, 1e-8], [2e-3, 7.0, math.nan]])
    for scales, want in (
        ("fp32", [1e-4 / 448, 1e-4 / 448, 2e-3 / 448, 1 / 64]),
        ("ue8m0", [2.0**-22, 2.0**-22, 2.0**-17, 2.0**-6]),
    ):
        got = scale_of(amax, scales)
        expect(got.isnan(), amax.isnan(), amax=amax, scales=scales)
        in_units(got[~amax.isnan()], torch.tensor(want), amax=amax.tolist(), scales=scales)


@case(SCALE, held_out=True)
def other_powers_of_two_and_what_lies_beside_them(scale_of):
    power = 2.0 ** torch.arange(-9, 100, 7)
    for factor, want in ((1.0, power), (1 + 2.0**-22, 2 * power), (1 - 2.0**-22, power)):
        in_units(scale_of(448 * power * factor, "ue8m0"), want, amax=f"448 * 2^n * {factor}", scales="ue8m0")


# -- quantise_reference ------------------------------------------------------------------------------------------------

QUANTISE = "fp8.quantise"


def scales_by_hand(x, rows, cols, power=False):
    """One scale a block of rows x cols, float64."""
    R, C = x.shape
    out = torch.zeros(-(-R // rows), -(-C // cols), dtype=torch.float64)
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            block = x[i * rows : (i + 1) * rows, j * cols : (j + 1) * cols]
            s = max(block.abs().max().item(), 1e-4) / 448
            out[i, j] = 2.0 ** math.ceil(math.log2(s)) if power else s
    return out


def spread_out(s, rows, cols, shape):
    return torch.kron(s.contiguous(), torch.ones(rows, cols, dtype=s.dtype))[: shape[0], : shape[1]]


def quantised_right(got, x, power=False):
    """(q, s) is x in blocks of 1x128: the scales, and every element no further off than half a step."""
    assert isinstance(got, tuple | list) and len(got) == 2, f"q and its scales were expected, got {type(got).__name__}"
    q, s = got
    assert q.dtype == FP8, f"q is {q.dtype}, expected is {FP8}"
    assert q.shape == x.shape, f"q has shape {tuple(q.shape)}, x has {tuple(x.shape)}"
    x = x.double()
    want = scales_by_hand(x, 1, 128, power)
    in_units(s, want.float(), x=x)
    unit = x / spread_out(s.double(), 1, 128, x.shape)
    step = torch.exp2((torch.frexp(unit.abs())[1] - 1).clamp(min=-6).double() - 3)
    gap = (q.double() - unit).abs() / step
    assert not gap.isnan().any(), "q holds NaN"
    worst = divmod(int(gap.argmax()), x.shape[1])
    assert gap.max() < 0.5001, (
        f"element {list(worst)} is {x[worst]:.6g}, its scale {s[worst[0], worst[1] // 128].item():.6g}; the quotient "
        f"{unit[worst]:.6g} became {q[worst].item():.6g}, and there is a nearer E4M3 value"
    )


@case(QUANTISE)
def four_numbers_worked_by_hand(quantise_reference):
    x = torch.tensor([[896.0, 6.0, -0.6, 34.2]])  # the scale is 2: 448, 3, -0.3, 17.1
    q, s = quantise_reference(x)
    expect((q.float(), s), (torch.tensor([[448.0, 3.0, -0.3125, 18.0]]), torch.tensor([[2.0]])), 1e-6, x=x)


@case(QUANTISE)
def each_row_and_each_128_columns_have_their_own_scale(quantise_reference):
    size = torch.tensor([[1.0, 1e4], [30.0, 1e3], [5e4, 2.0]]).repeat_interleave(128, 1)
    x = drawn(3, 256) * size
    quantised_right(quantise_reference(x), x)


@case(QUANTISE)
def a_last_block_that_is_shorter_is_a_block_too(quantise_reference):
    for K in (1, 100, 127, 129, 200, 300):
        x = drawn(2, K, low=0, high=8) * torch.linspace(1, 50, K)
        quantised_right(quantise_reference(x), x)


@case(QUANTISE)
def negative_numbers_count_by_their_size(quantise_reference):
    x = -drawn(4, 140, low=2, high=9).abs()
    x[:, ::7] *= -0.1
    quantised_right(quantise_reference(x), x)


@case(QUANTISE)
def a_block_of_zeros_stays_zero(quantise_reference):
    x = drawn(3, 200, low=0, high=8)
    x[1], x[2, 128:] = 0, 0
    quantised_right(quantise_reference(x), x)


@case(QUANTISE)
def powers_of_two_for_scales_if_asked_for(quantise_reference):
    x = drawn(5, 150, low=0, high=8)
    quantised_right(quantise_reference(x, "ue8m0"), x, power=True)


@case(QUANTISE)
def half_precision_is_divided_in_float32(quantise_reference):
    for dtype in (torch.bfloat16, torch.float16):
        x = drawn(8, 256, low=0, high=8, dtype=dtype)
        quantised_right(quantise_reference(x), x)


@case(QUANTISE)
def nan_stays_in_its_block_and_stays_visible(quantise_reference):
    for K, at in ((300, 130), (256, 5)):
        x = drawn(3, K)
        x[1, at] = math.nan
        q, s = quantise_reference(x)
        assert q.double()[1, at].isnan() or s[1, at // 128].isnan(), "NaN has vanished"
        clean = torch.ones(3, K, dtype=torch.bool)
        clean[1, at // 128 * 128 : at // 128 * 128 + 128] = False
        assert not q.double()[clean].isnan().any(), "NaN has spread beyond its block"


@case(QUANTISE)
def a_part_of_a_larger_matrix_will_do(quantise_reference):
    for x in (drawn(6, 400)[1:4, 10:250], drawn(200, 5).t(), drawn(256, 5).t(), drawn(6, 400)[1:4, 10:138]):
        quantised_right(quantise_reference(x), x)


@case(QUANTISE, held_out=True)
def ragged_rows_with_powers_of_two_from_a_larger_matrix(quantise_reference):
    for K in (3, 140, 256):
        x = drawn(6, 400, low=0, high=8)[1:5, 40 : 40 + K] * torch.tensor([[1.0], [50.0], [-3e3], [0.0]])
        quantised_right(quantise_reference(x, "ue8m0"), x, power=True)
        quantised_right(quantise_reference(x.bfloat16()), x.bfloat16())


# -- dequantise --------------------------------------------------------------------------------------------------------

DEQUANTISE = "fp8.dequantise"


def bytes_of(R, C):
    return drawn(R, C, low=-4, high=8).to(FP8)


def multiplied(q, s, rows):
    return q.double() * spread_out(s.double(), rows, 128, q.shape)


@case(DEQUANTISE)
def each_row_of_an_activation_has_its_scale(dequantise):
    q, s = torch.tensor([[1.0, 2.0, -4.0], [8.0, 0.5, 0.0]]).to(FP8), torch.tensor([[3.0], [10.0]])
    expect(dequantise(q, s), torch.tensor([[3.0, 6, -12], [80, 5, 0]]), 1e-6, q=q, s=s)


@case(DEQUANTISE)
def however_many_rows_an_activation_has(dequantise):
    for R, C in ((128, 128), (256, 200), (384, 130), (1, 256), (200, 192)):
        q, s = bytes_of(R, C), drawn(R, -(-C // 128))
        expect(dequantise(q, s), multiplied(q, s, 1).float(), 1e-6, q_shape=[R, C], s_shape=list(s.shape))


@case(DEQUANTISE)
def whole_blocks_of_a_weight(dequantise):
    q, s = bytes_of(256, 384), drawn(2, 3)
    expect(dequantise(q, s), multiplied(q, s, 128).float(), 1e-6, q_shape=[256, 384], s=s)


@case(DEQUANTISE)
def in_192_rows_the_blocks_have_128_and_64(dequantise):
    q, s = bytes_of(192, 128), torch.tensor([[2.0], [100.0]])
    expect(dequantise(q, s), multiplied(q, s, 128).float(), 1e-6, q_shape=[192, 128], s=s)


@case(DEQUANTISE)
def the_576_rows_of_v3s_latents_are_four_blocks_and_a_half(dequantise):
    q, s = bytes_of(576, 128), torch.tensor([[1.0], [3.0], [9.0], [27.0], [81.0]])
    expect(dequantise(q, s), multiplied(q, s, 128).float(), 1e-6, q_shape=[576, 128], s=s)


@case(DEQUANTISE)
def a_last_block_of_columns_may_be_shorter(dequantise):
    for R, rows in ((5, 1), (140, 128)):
        q = bytes_of(R, 300)
        s = drawn(-(-R // rows), 3)
        expect(dequantise(q, s), multiplied(q, s, rows).float(), 1e-6, q_shape=[R, 300], s=s)


@case(DEQUANTISE)
def bfloat16_is_rounded_to_once(dequantise):
    q, s = bytes_of(8, 128), drawn(8, 1)
    want = multiplied(q, s, 1).float().bfloat16()  # a float32 product of 4 and 24 bits may be rounded, too
    expect(dequantise(q, s, torch.bfloat16), want, 1e-4, s=s, dtype=torch.bfloat16)
    q, s = bytes_of(140, 30), drawn(2, 1)
    want = multiplied(q, s, 128).half()
    expect(dequantise(q, s, torch.float16), want, 2e-3, s=s, dtype=torch.float16)


@case(DEQUANTISE)
def float64_is_exact(dequantise):
    for R, rows in ((6, 1), (140, 128)):
        q, s = bytes_of(R, 200), drawn(-(-R // rows), 2)
        got, want = dequantise(q, s, torch.float64), multiplied(q, s, rows)
        expect(got, want, 1e-12, q_shape=[R, 200], s=s, dtype=torch.float64)


@case(DEQUANTISE)
def scales_that_fit_no_blocks_are_refused(dequantise):
    sizes = {
        (300, 300): ((4, 3), (300, 2), (2, 3), (3, 4)),
        (5, 40): ((3, 1), (5, 2)),
        (256, 128): ((128, 1), (1, 1)),
        (129, 256): ((3, 2),),
    }
    for R, C, shape in ((*size, shape) for size, shapes in sizes.items() for shape in shapes):
        because = f"scales {list(shape)} for a [{R}, {C}] are neither of 1x128 nor of 128x128 blocks"
        raises(KernelError, dequantise, bytes_of(R, C), torch.ones(shape), because=because)


@case(DEQUANTISE)
def scales_may_lie_column_by_column(dequantise):
    q, s = bytes_of(6, 300), drawn(3, 8).t()[:6]
    expect(dequantise(q, s), multiplied(q, s, 1).float(), 1e-6, q_shape=[6, 300], strides_of_s=list(s.stride()))


@case(DEQUANTISE)
def what_is_not_finite_stays_in_its_block(dequantise):
    """A scale that is NaN or infinite, and an element that is NaN."""
    for bad in (math.nan, math.inf):
        for R, rows, shape in ((4, 1, (4, 2)), (200, 128, (2, 2))):
            q, s = bytes_of(R, 200), drawn(*shape)
            s[1, 0] = bad
            want = multiplied(q, s, rows).float()
            expect(dequantise(q, s), want, 1e-6, scales=f"{list(shape)}, of which one is {bad}")
    q, s = bytes_of(4, 200), drawn(4, 2)
    q[2, 3] = math.nan
    expect(dequantise(q, s), multiplied(q, s, 1).float(), 1e-6, q="one element is NaN")


@case(DEQUANTISE, held_out=True)
def turned_weights_and_other_scales_that_do_not_fit(dequantise):
    q, s = bytes_of(200, 330).t(), drawn(2, 3).t()
    expect(dequantise(q, s), multiplied(q, s, 128).float(), 1e-6, q_shape=[330, 200])
    for shape in ((4, 2), (330, 1), (2, 3)):
        raises(KernelError, dequantise, q, torch.ones(shape), because=f"scales {list(shape)} for a [330, 200]")


@case(DEQUANTISE, held_out=True)
def other_sizes_in_other_types(dequantise):
    for R, C, rows in ((256, 130, 1), (130, 256, 128), (3, 5, 1)):
        q, s = bytes_of(R, C), drawn(-(-R // rows), -(-C // 128))
        want = multiplied(q, s, rows)
        expect(dequantise(q, s), want.float(), 1e-6, q_shape=[R, C])
        expect(dequantise(q, s, torch.float64), want, 1e-12, q_shape=[R, C])


# -- matmul_reference --------------------------------------------------------------------------------------------------

MATMUL = "fp8.matmul"


def operands(M, N, K, rows=128):
    """(a, a_scales, b, b_scales) and their product in float64; `rows`: of a block of b."""
    a, b = bytes_of(M, K), bytes_of(N, K)
    sa, sb = drawn(M, -(-K // 128)).abs(), drawn(-(-N // rows), -(-K // 128)).abs()
    return (a, sa, b, sb), multiplied(a, sa, 1) @ multiplied(b, sb, rows).t()


@case(MATMUL)
def a_product_worked_by_hand(matmul_reference):
    a, b = torch.tensor([[1.0, 2.0], [4.0, 0.5]]).to(FP8), torch.tensor([[3.0, 1.0], [0.0, 8.0], [1.0, 1.0]]).to(FP8)
    sa, sb = torch.tensor([[10.0], [2.0]]), torch.tensor([[0.5]])
    want = torch.tensor([[25.0, 80, 15], [12.5, 4, 4.5]])
    expect(matmul_reference(a, sa, b, sb), want, 1e-6, a=a, a_scales=sa, b=b, b_scales=sb)


@case(MATMUL)
def a_weight_has_scales_for_128x128(matmul_reference):
    given, want = operands(3, 200, 300)
    near("the product", matmul_reference(*given), want, 1e-5)


@case(MATMUL)
def both_sides_may_have_scales_for_1x128(matmul_reference):
    given, want = operands(4, 6, 300, rows=1)
    near("the product", matmul_reference(*given), want, 1e-5)


@case(MATMUL)
def sums_of_any_length_add_up_to_the_same_product(matmul_reference):
    given, want = operands(3, 5, 300, rows=1)
    for promote in (128, 32, 100, 256, 512):
        near(f"the product with promote={promote}", matmul_reference(*given, promote=promote), want, 1e-5)


@case(MATMUL)
def each_128_products_are_summed_on_their_own(matmul_reference):
    # 2^30, then 128 ones, then -2^30. In float32 2^30 + 1 is 2^30; 2^30 + 128 is not
    a = torch.zeros(2, 384)
    a[:, 0], a[:, 128:256], a[:, 256] = 1, 1, -1
    sa, b, sb = torch.tensor([[2.0**30, 1, 2.0**30]] * 2), torch.ones(3, 384).to(FP8), torch.ones(1, 3)
    got = matmul_reference(a.to(FP8), sa, b, sb, torch.float32, 128)
    expect(got, torch.full((2, 3), 128.0), 1e-6, a_scales=sa, sums_of_each_128=[2.0**30, 128.0, -(2.0**30)])


@case(MATMUL)
def the_sum_is_float32_and_only_the_end_is_bfloat16(matmul_reference):
    # 1024 and then seven times 1; bfloat16 has steps of 8 there, so that none of the ones would count
    a = torch.zeros(2, 1024)
    a[:, ::128] = 1
    sa = torch.ones(2, 8)
    sa[:, 0] = 1024
    b, sb = torch.ones(2, 1024).to(FP8), torch.ones(1, 8)
    got = matmul_reference(a.to(FP8), sa, b, sb, torch.bfloat16, 128)
    expect(got, torch.full((2, 2), 1032.0, dtype=torch.bfloat16), 1e-6, sums_of_each_128=[1024.0] + 7 * [1.0])


@case(MATMUL)
def what_is_summed_for_a_bfloat16_result_is_float32_too(matmul_reference):
    # five times 257, which bfloat16 would make 256: 1285, and in steps of 8 that is 1288
    a = torch.zeros(2, 640)
    a[:, ::128] = 1
    sa, b, sb = torch.full((2, 5), 257.0), torch.ones(3, 640).to(FP8), torch.ones(1, 5)
    for promote in (128, None):
        got = matmul_reference(a.to(FP8), sa, b, sb, torch.bfloat16, promote)
        want = torch.full((2, 3), 1288.0, dtype=torch.bfloat16)
        expect(got, want, 1e-6, sums_of_each_128=[257.0] * 5, promote=promote)


@case(MATMUL)
def float64_is_float64_throughout(matmul_reference):
    given, want = operands(3, 4, 260, rows=1)
    for promote in (None, 128):
        got = matmul_reference(*given, torch.float64, promote)
        assert got.dtype == torch.float64, f"float64 was asked for, got {got.dtype}"
        near(f"the product in float64, promote={promote},", got, want, 1e-12)


@case(MATMUL)
def one_row_one_column_and_a_short_k(matmul_reference):
    for M, N, K in ((1, 1, 1), (1, 7, 130), (5, 1, 128)):
        given, want = operands(M, N, K)
        for promote in (None, 128):
            got = matmul_reference(*given, promote=promote)
            near(f"the [{M}, {N}] product along {K}, promote={promote},", got, want, 1e-5)


@case(MATMUL)
def a_bfloat16_result_is_rounded_once(matmul_reference):
    given, want = operands(9, 140, 256)
    for promote in (None, 128, 96):
        got = matmul_reference(*given, torch.bfloat16, promote)
        assert got.dtype == torch.bfloat16, f"bfloat16 was asked for, got {got.dtype}"
        near(f"the product, promote={promote},", got, want, 2.5e-3)


@case(MATMUL, held_out=True)
def more_rows_of_b_than_a_block_and_scales_of_either_kind(matmul_reference):
    for rows in (1, 128):
        given, want = operands(2, 260, 400, rows)
        for promote in (None, 64, 300):
            near(f"the product, promote={promote},", matmul_reference(*given, promote=promote), want, 1e-5)
            near("the product in float64", matmul_reference(*given, torch.float64, promote), want, 1e-12)


@case(MATMUL, held_out=True)
def sums_of_other_parts_in_bfloat16(matmul_reference):
    # 3 times 515, which bfloat16 would make 516: 1545, and in steps of 8 that is 1544
    a = torch.zeros(1, 300)
    a[:, ::128] = 1
    sa, b, sb = torch.full((1, 3), 515.0), torch.ones(2, 300).to(FP8), torch.ones(2, 3)
    got = matmul_reference(a.to(FP8), sa, b, sb, torch.bfloat16, 128)
    expect(got, torch.full((1, 2), 1544.0, dtype=torch.bfloat16), 1e-6, sums_of_each_128=[515.0] * 3)


# -- backward_products -------------------------------------------------------------------------------------------------

BACKWARD = "fp8.backward"


def in_blocks(x, rows, cols, power=False):
    """(q, s, what they stand for), x in blocks of rows x cols; q by torch's cast, in range by construction."""
    s = scales_by_hand(x.double(), rows, cols, power).float()
    wide = spread_out(s, rows, cols, x.shape)
    q = (x.float() / wide).clamp(-448, 448).to(FP8)
    return q, s, q.double() * wide.double()


def no_rounding(M, N):
    """[M, N] of E4M3 numbers, 448 in each block, whatever its shape: quantising leaves them as they are."""
    x = drawn(M, N, low=-3, high=8).to(FP8).float()
    x[::128], x[:, ::128] = x[::128].sign() * 448, x[:, ::128].sign() * 448
    return x


def a_layer(M, N, K, spread=3.0, dtype=torch.float32, w_dtype=torch.float32):
    """dy [M, N], q_x, s_x, w [N, K]; sizes differ between tokens, features and parts of the weight."""
    dy = drawn(M, N) * torch.exp2(spread * torch.randn(M, 1)) * torch.exp2(spread * torch.randn(1, N))
    x = drawn(M, K) * torch.exp2(spread * torch.randn(M, 1)) * torch.exp2(spread * torch.randn(1, K))
    w = drawn(N, K) * torch.exp2(
        torch.randint(-4, 5, (-(-N // 128), -(-K // 128)))
        .repeat_interleave(128, 0)[:N]
        .repeat_interleave(128, 1)[:, :K]
    )
    # powers of two: what the FP8 copy stands for is a bfloat16 and a float32 as well
    q_x, s_x, _ = in_blocks(x.to(dtype), 1, 128, power=dtype != torch.float32)
    return dy.to(dtype), q_x, s_x, w.to(w_dtype)


def both_gradients(dy, q_x, s_x, w):
    """The two products of the docstring in float64."""
    dx = in_blocks(dy, 1, 128)[2] @ in_blocks(w, 128, 128)[2]
    x = multiplied(q_x, s_x, 1).float()
    return dx, in_blocks(dy, 128, 1)[2].t() @ in_blocks(x, 128, 1)[2]


def compared(backward_products, given, tol=2e-3):
    got, want = backward_products(*given, "torch"), both_gradients(*given)
    assert isinstance(got, tuple | list) and len(got) == 2, f"dx and dw were expected, got {type(got).__name__}"
    for what, mine, right, like in zip(("dx", "dw"), got, want, (given[0], given[3])):
        near(what, mine, right, tol)
        assert mine.dtype == like.dtype, f"{what} is {mine.dtype}, expected is {like.dtype}"


@case(BACKWARD)
def where_nothing_is_rounded_the_gradients_are_exact(backward_products):
    # -2, 0 and 2: E4M3 numbers in blocks whose largest is 2
    dy, x, w = (2.0 * torch.randint(-1, 2, shape) for shape in ((40, 30), (40, 20), (30, 20)))
    q_x, s_x, _ = in_blocks(x, 1, 128)
    expect(backward_products(dy, q_x, s_x, w, "torch"), (dy @ w, dy.t() @ x), 1e-5, dy=dy, w=w)
    # E4M3 numbers in blocks whose largest is 448
    dy, x, w = no_rounding(70, 150), no_rounding(70, 20), no_rounding(150, 20)
    got = backward_products(dy, x.to(FP8), torch.ones(70, 1), w, "torch")
    near("dx (of float32 dy)", got[0], dy.double() @ w.double(), 1e-5)
    near("dw (of a float32 weight)", got[1], dy.double().t() @ x.double(), 1e-5)


@case(BACKWARD)
def the_blocks_of_a_square_weight_turn_with_it(backward_products):
    dy, q_x, s_x, w = a_layer(6, 256, 256, spread=0.0)
    w[:128, 128:] *= 1000
    compared(backward_products, (dy, q_x, s_x, w))


@case(BACKWARD)
def the_gradient_of_the_input_has_blocks_along_the_outputs(backward_products):
    dy, q_x, s_x, w = a_layer(9, 200, 150)
    dx, _ = backward_products(dy, q_x, s_x, w, "torch")
    want = both_gradients(dy, q_x, s_x, w)[0]
    size = want.norm(dim=1, keepdim=True)  # every token counts the same, also one with a small gradient
    near("dx", dx / size if dx.shape == want.shape else dx, want / size, 2e-3)


@case(BACKWARD)
def the_gradient_of_the_weight_has_blocks_along_the_tokens(backward_products):
    dy, q_x, s_x, w = a_layer(200, 20, 30)
    _, dw = backward_products(dy, q_x, s_x, w, "torch")
    near("dw", dw, both_gradients(dy, q_x, s_x, w)[1], 2e-3)


@case(BACKWARD)
def ragged_layers_of_any_shape(backward_products):
    for M, N, K in ((1, 5, 7), (130, 140, 20), (50, 129, 260)):
        compared(backward_products, a_layer(M, N, K))


@case(BACKWARD)
def dx_has_the_type_of_dy_and_dw_that_of_the_weight(backward_products):
    half, full = torch.bfloat16, torch.float32
    for dtype, w_dtype in ((half, full), (half, half), (full, half)):
        given = a_layer(40, 140, 30, spread=1.0, dtype=dtype, w_dtype=w_dtype)
        compared(backward_products, given, 4e-3)


@case(BACKWARD)
def the_gradient_of_a_float32_weight_is_computed_in_float32(backward_products):
    # numbers of E4M3, scales of 1 everywhere: all that could be rounded is the sum
    dy, x, w = no_rounding(150, 20), no_rounding(150, 30), no_rounding(20, 30)
    got = backward_products(dy.bfloat16(), x.to(FP8), torch.ones(150, 1), w, "torch")
    assert isinstance(got, tuple | list) and len(got) == 2, f"dx and dw were expected, got {type(got).__name__}"
    want = dy.double().t() @ x.double()
    assert got[1].dtype == torch.float32, f"dw is {got[1].dtype}, w is float32"
    near("dw (of bfloat16 dy and a float32 weight)", got[1], want, 1e-5)
    near("dx (of bfloat16 dy)", got[0], dy.double() @ w.double(), 3e-3)


@case(BACKWARD)
def the_backend_is_handed_on(backward_products):
    given = a_layer(5, 6, 7)
    raises(
        KernelError,
        backward_products,
        *given,
        "abacus",
        names="abacus",
        because="there is no such backend, and quantise and gemm say so when they are handed it",
    )


@case(BACKWARD)
def tokens_without_gradient_get_none(backward_products):
    dy, q_x, s_x, w = a_layer(140, 12, 16)
    dy[:130] = 0
    dx, _ = backward_products(dy, q_x, s_x, w, "torch")
    assert (dx[:130] == 0).all(), "a token whose dy is zero has a gradient"
    compared(backward_products, (dy, q_x, s_x, w))


@case(BACKWARD, held_out=True)
def other_layers_with_scales_that_lie_column_by_column(backward_products):
    for M, N, K in ((3, 260, 129), (257, 9, 140)):
        dy, q_x, s_x, w = a_layer(M, N, K, spread=2.0)
        compared(backward_products, (dy, q_x, s_x.t().contiguous().t(), w))


@case(BACKWARD, held_out=True)
def other_layers_in_bfloat16(backward_products):
    compared(backward_products, a_layer(20, 130, 16, spread=1.0, dtype=torch.bfloat16, w_dtype=torch.bfloat16), 4e-3)
    dy, x, w = no_rounding(40, 140), no_rounding(40, 130), no_rounding(140, 130)
    got = backward_products(dy.bfloat16(), x.to(FP8), torch.ones(40, 2), w, "torch")
    near("dw (of bfloat16 dy and a float32 weight)", got[1], dy.double().t() @ x.double(), 1e-5)
