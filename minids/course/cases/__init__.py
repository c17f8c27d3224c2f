"""What must hold of each exercise's function: plain functions that take the implementation under test.

    @case("layers.rms_norm")
    def matches_float64(rms_norm): ...

They compare with an independent answer. torch and random are seeded before each. With `held_out=True` a case is run by
graders and by the library's tests, not in a student's notebook. A grader runs the function in another process, so cases
take gradients by `gradients(fn, ...)`, which works on both sides.
"""

import importlib
import math
import pkgutil

import numpy as np
import torch

CASES = {}  # exercise -> its cases in order
CHANGES = {}  # exercise -> the parameters that its function is there to change; or "random numbers", everybody's
NOTHING = "nothing came back (None): is a return missing?"
NO_GRADIENT = "no gradient flows from the result to the arguments: is something detached, or no_grad?"


def case(name, held_out=False):
    """Registers the decorated function as a case of the exercise `name`."""

    def add(fn):
        fn.held_out = held_out
        CASES.setdefault(name, []).append(fn)
        return fn

    return add


def changes(name, *parameters):
    """Says which arguments the function of this exercise may change. What it changes of others is refused."""
    CHANGES[name] = parameters


def load():
    """Imports every module of cases, and returns CASES."""
    for module in pkgutil.iter_modules(__path__, __name__ + "."):
        importlib.import_module(module.name)
    return CASES


def gradients(fn, *args, **settings):
    """(result, [gradient of each floating tensor argument]) of sum(result * w) with fixed weights w.

    A tuple or list of tensors as the result: the sum over those of floating type. An argument that the result does not
    depend on has gradient zeros. Keywords are passed on as they are, and have no gradient.
    """
    if hasattr(fn, "gradients"):
        return fn.gradients(*args, **settings)
    args = [a.detach().clone().requires_grad_() if _floating(a) else a for a in args]
    leaves = [a for a in args if _floating(a)]
    result = fn(*args, **settings)
    if result is None:
        raise AssertionError(NOTHING)
    outputs = [z for z in (result if isinstance(result, tuple | list) else [result]) if _floating(z)]
    if not any(z.requires_grad for z in outputs):
        raise AssertionError(NO_GRADIENT)
    total = sum((z * torch.linspace(-1, 1, z.numel(), dtype=z.dtype).view(z.shape)).sum() for z in outputs)
    found = torch.autograd.grad(total, leaves, allow_unused=True)
    return detached(result), [torch.zeros_like(a) if g is None else g for a, g in zip(leaves, found)]


def detached(value):
    if isinstance(value, torch.Tensor):
        return value.detach()
    if isinstance(value, tuple | list):
        return type(value)(map(detached, value))
    return value


def _floating(value):
    return isinstance(value, torch.Tensor) and value.is_floating_point()


def raises(error, fn, *args, because="", names="", **kwargs):
    """Fails unless fn(*args, **kwargs) raises `error` (or one derived from it): the class that the docstring names.

    `because` says what of the arguments is to be refused; `names`: what the message has to name.
    """
    what = f" ({because})" if because else ""
    try:
        got = fn(*args, **kwargs)
    except AssertionError:
        raise  # of the judge: the answer was stopped, or has changed its arguments
    except Exception as raised:
        told = getattr(raised, "remote_name", type(raised).__name__)
        if not isinstance(raised, error) and told != error.__name__:
            raise AssertionError(f"{error.__name__} was expected{what}, got {told}: {raised}") from raised
        if names not in str(raised):
            raise AssertionError(f"the message should name {names!r}{what}, it says: {raised}") from raised
        return
    raise AssertionError(f"{error.__name__} was expected{what}, but something came back: {short(got)}")


def expect(got, want, tol=1e-5, **given):
    """Fails with what was given, expected and got, unless `got` is `want` (floats and float tensors: within
    tol + tol * |want|)."""
    why = _difference(got, want, tol)
    if why:
        shown = "".join(f"\n    given    {name} = {short(value)}" for name, value in given.items())
        error = AssertionError(f"{why}{shown}\n    expected {short(want)}\n    got      {short(got)}")
        error.got = got
        raise error


def _difference(got, want, tol):
    """None, or what is wrong in a sentence."""
    if got is None and want is not None:
        return NOTHING
    if isinstance(want, torch.Tensor):
        return _tensor_difference(got, want, tol)
    if isinstance(want, tuple | list):
        return _sequence_difference(got, want, tol)
    if isinstance(want, dict):
        if not isinstance(got, dict):
            return f"a dict was expected, got {_kind(got)}"
        if got.keys() != want.keys():
            return f"keys {short(sorted(map(repr, want)))} were expected, got {short(sorted(map(repr, got)))}"
        found = ((k, _difference(got[k], want[k], tol)) for k in want)
        return next((f"at {k!r}: {why}" for k, why in found if why), None)
    if isinstance(got, torch.Tensor):
        if got.numel() != 1:
            return f"a value of type {type(want).__name__} was expected, got {_kind(got)}"
        got = got.item()
    elif isinstance(got, np.generic):
        got = got.item()
    if isinstance(want, bool):
        return None if got is want else f"{want} was expected, got {short(got)}"
    if isinstance(want, float):
        if isinstance(got, bool) or not isinstance(got, int | float):
            return f"a number was expected, got {_kind(got)}"
        same = math.isclose(got, want, rel_tol=tol, abs_tol=tol) or (math.isnan(got) and math.isnan(want))
        return None if same else f"another number was expected (they are {abs(got - want):.3g} apart)"
    if isinstance(want, int) and (isinstance(got, bool) or not isinstance(got, int)):
        return f"an integer was expected, got {_kind(got)}"
    return None if type(got) is type(want) and bool(got == want) else "another value was expected"


def _sequence_difference(got, want, tol):
    if why := _length_difference(got, len(want)):
        return why
    found = ((i, _difference(g, w, tol)) for i, (g, w) in enumerate(zip(got, want)))
    return next((f"value {i}: {why}" for i, why in found if why), None)


def _length_difference(got, n):
    values = f"{n} value{'s' * (n != 1)}"
    if not isinstance(got, tuple | list):
        return f"a list or tuple of {values} was expected, got {_kind(got)}"
    return f"{values} {'was' if n == 1 else 'were'} expected, got {len(got)}" if len(got) != n else None


def sort_of(value):
    """What sort of thing a result is, whatever its numbers; of a tuple, what its parts are."""
    if isinstance(value, tuple):
        return tuple(map(sort_of, value))
    if isinstance(value, torch.Tensor):
        return "a tensor"
    if isinstance(value, bool | int | float | np.generic):
        return "a number"
    return "" if value is None else f"one of type {type(value).__name__}"


def of_another_sort(got, want, crashed):
    """None, or in a sentence why `got` cannot be used where the library gives something of the sort `want`.

    With `crashed`, the case could do nothing with it: then a list in the place of a dict is named too.
    """
    if got is None and want:
        return NOTHING
    if isinstance(want, tuple):
        counts = crashed or "a tensor" in want or len(set(want)) > 1  # else it may be as long as it likes
        if not isinstance(got, tuple | list) or len(got) != len(want) and counts:
            return _length_difference(got, len(want))
        parts = ((i, g is not None and of_another_sort(g, w, crashed)) for i, (g, w) in enumerate(zip(got, want)))
        return next((f"value {i}: {why}" for i, why in parts if why), None)
    if want == "a tensor" or want and crashed:
        return f"{want} was expected, got {_kind(got)}" if sort_of(got) != want else None
    return None


def _kind(value):
    if isinstance(value, torch.Tensor):
        return f"a tensor of shape {tuple(value.shape)}"
    return f"one of type {type(value).__name__}"


def _tensor_difference(got, want, tol):
    if not isinstance(got, torch.Tensor):
        return f"a tensor was expected, got {_kind(got)}"
    if got.shape != want.shape:
        return f"shape {tuple(want.shape)} was expected, got {tuple(got.shape)}"
    if got.dtype != want.dtype:
        return f"dtype {want.dtype} was expected, got {got.dtype}"
    if not want.numel():
        return None
    got = got.detach()
    if not want.is_floating_point():
        wrong = got != want
        return f"{int(wrong.sum())} of the values differ{_first(got, want, wrong)}" if wrong.any() else None
    if (got.isnan() & ~want.isnan()).any():
        return f"the result holds NaN{_first(got, want, got.isnan() & ~want.isnan())}"
    a, b = got.double(), want.double()
    if torch.allclose(a, b, atol=tol, rtol=tol, equal_nan=True):
        return None
    gap = torch.where((a == b) | (a.isnan() & b.isnan()), 0.0, (a - b).abs()).nan_to_num(nan=math.inf, posinf=math.inf)
    off = gap.max()
    how = f"by up to {off:.3g}" if math.isfinite(off) else "without bound"
    return f"values differ {how}{_first(got, want, gap == off, 'most')}"


def _first(got, want, wrong, which="first"):
    """Where the first of the wrong values stands, with as many digits as tell the two apart."""
    at = [int(i) for i in torch.unravel_index(wrong.to(torch.uint8).argmax(), wrong.shape)]
    a, b = got[tuple(at)].item(), want[tuple(at)].item()
    digits = next((d for d in range(4, 18) if f"{a:.{d}g}" != f"{b:.{d}g}"), 17) if isinstance(a, float) else 0
    a, b = (f"{x:.{digits}g}" if digits else f"{x}" for x in (a, b))
    return f"{f', {which} at index {at}' if at else ''}: {b} was expected there, got {a}"


def short(value):
    """A value as a student can read it: tensors with their shape, long texts cut."""
    if isinstance(value, torch.Tensor):
        text = repr(value.detach())
        return text if len(text) < 240 else f"{text[:200]} … shape {tuple(value.shape)}"
    text = repr(value)
    return text if len(text) < 300 else f"{text[:280]} …"
