"""Rounding to small formats: torch's casts bit for bit where torch has the format, brute force where it has not."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from minids.kernels import floats, quantise

CASTS = {"e4m3": torch.float8_e4m3fn, "e5m2": torch.float8_e5m2, "fp16": torch.float16, "bf16": torch.bfloat16}


def nearest(x, all_values):
    """The even one of the nearest values, found by looking at all of them. x [n], no NaN."""
    gap = (x.double().abs()[:, None] - all_values).abs()
    best = gap.amin(-1, keepdim=True)
    even = torch.arange(len(all_values)) % 2 == 0
    choice = torch.where(gap == best, torch.where(even, 0, 1), 2).argmin(-1)
    return all_values[choice].copysign(x.double())


def spread(n, seed, low=-30.0, high=20.0):
    """Numbers of both signs, exponents level between 2^low and 2^high."""
    make = torch.Generator().manual_seed(seed)
    size = torch.exp2(torch.rand(n, generator=make) * (high - low) + low)
    return size * torch.where(torch.rand(n, generator=make) < 0.5, -1.0, 1.0)


@pytest.mark.parametrize("name", ["e4m3", "e5m2"])
def test_values_are_those_of_torch(name):
    patterns = torch.arange(128, dtype=torch.uint8).view(CASTS[name]).double()
    assert torch.equal(floats.values(*floats.FORMATS[name]), patterns[patterns.isfinite()])


@pytest.mark.parametrize("name", list(CASTS))
def test_limits_are_those_of_torch(name):
    info, found = torch.finfo(CASTS[name]), floats.values(*floats.FORMATS[name])
    assert found[-1] == info.max and found[2 ** floats.FORMATS[name][1]] == info.smallest_normal
    assert found[1] == info.smallest_normal * info.eps


@settings(max_examples=50, deadline=None)
@given(st.integers(-(2**31), 2**31 - 1))
@pytest.mark.parametrize("name", list(CASTS))
def test_any_float32_becomes_what_torch_casts_to(name, seed):
    """Bit patterns at random, from subnormals to infinity and NaN."""
    bits = torch.randint(-(2**31), 2**31, (64,), generator=torch.Generator().manual_seed(seed % 2**32))
    bits[0] = seed
    x, largest = bits.to(torch.int32).view(torch.float32), floats.FORMATS[name][2]
    got = floats.round_to(x, *floats.FORMATS[name])
    want = x.clamp(-largest, largest).to(CASTS[name]).float()
    assert got.dtype == torch.float32 and torch.equal(got.isnan(), x.isnan())
    assert torch.equal(got[~x.isnan()].view(torch.int32), want[~x.isnan()].view(torch.int32))  # -0 is not 0


@settings(max_examples=20, deadline=None)
@given(st.sampled_from([(5, 6, 65024.0), (2, 1, 6.0), (3, 2, 28.0), (4, 3, 448.0), (1, 3, 1.75)]), st.integers(0, 999))
def test_it_is_the_nearest_of_all_values(shape, seed):
    found = floats.values(*shape)
    x = torch.cat([spread(200, seed), found.float(), ((found[1:] + found[:-1]) / 2).float()])
    assert torch.equal(floats.round_to(x, *shape).double(), nearest(x.clamp(-shape[2], shape[2]), found))


@pytest.mark.parametrize("name", list(floats.FORMATS))
def test_its_values_stay_and_halves_go_to_the_even_one(name):
    shape = floats.FORMATS[name]
    found = floats.values(*shape)
    for sign in (1, -1):
        assert torch.equal(floats.round_to(sign * found, *shape), sign * found)
        middles = (found[1:] + found[:-1]) / 2
        even = torch.where(torch.arange(len(middles)) % 2 == 0, found[:-1], found[1:])
        assert torch.equal(floats.round_to(sign * middles, *shape), sign * even)


def test_float64_is_rounded_once():
    """By way of float32 this one would land in the middle, and then on the even side."""
    x = torch.tensor([17 + 2.0**-40], dtype=torch.float64)
    assert floats.round_to(x, 4, 3, 448.0).item() == 18 and floats.round_to(x.float(), 4, 3, 448.0).item() == 16


def test_the_example_of_the_docstring():
    x = torch.tensor([0.3, 17.0, 19.0, 0.0009, 1e6])
    assert floats.round_to(x, 4, 3, 448.0).tolist() == [0.3125, 16, 20, 0, 448]


def test_shape_dtype_and_argument_are_left_as_they_are():
    x = spread(24, 0).view(2, 3, 4)
    before = x.clone()
    got = floats.round_to(x, 4, 3, 448.0)
    assert got.shape == x.shape and torch.equal(x, before)
    assert floats.round_to(x.double(), 4, 3, 448.0).dtype == torch.float64
    assert floats.round_to(torch.zeros(0), 4, 3, 448.0).shape == (0,)


def test_quantising_rounds_so():
    x = spread(4 * 300, 1, -10, 10).view(4, 300)
    q, s = quantise.quantise(x)
    wide = s.repeat_interleave(128, 1)[:, :300]
    assert torch.equal(q.float(), floats.round_to(x / wide, *floats.FORMATS["e4m3"]))
