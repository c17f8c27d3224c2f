"""What cases are made of: what they compare, whom they refuse, what they may not share with an answer."""

import dataclasses
import functools
import importlib
import pkgutil
import random
import re
import types

import numpy as np
import pytest
import torch

from minids.course import arguments, cases, catalog, judge, wrong
from minids.errors import MinidsError

MODULES = [m.name for package in (cases, wrong) for m in pkgutil.iter_modules(package.__path__, package.__name__ + ".")]
HARMLESS = (
    type(None),
    bool,
    int,
    float,
    complex,
    str,
    bytes,
    range,
    re.Pattern,
    torch.dtype,
    torch.device,
    types.ModuleType,
    type,
)


def shared(value, seen=None):
    """What an answer could change for later ones, below a global of a case file: a list of descriptions."""
    seen = set() if seen is None else seen
    if isinstance(value, HARMLESS) or id(value) in seen:
        return []
    seen.add(id(value))
    if isinstance(value, functools._lru_cache_wrapper):
        return ["keeps what it has returned"]
    if isinstance(value, types.FunctionType):
        cells = [c.cell_contents for c in value.__closure__ or ()]
        return [
            w
            for v in [*(value.__defaults__ or ()), *(value.__kwdefaults__ or {}).values(), *cells]
            for w in shared(v, seen)
        ]
    if isinstance(value, tuple | frozenset):
        return [w for v in value for w in shared(v, seen)]
    if dataclasses.is_dataclass(value) and value.__dataclass_params__.frozen:
        return [w for f in dataclasses.fields(value) for w in shared(getattr(value, f.name), seen)]
    if callable(value) and not hasattr(value, "__dict__"):  # of C
        return []
    if isinstance(value, types.MethodType):  # torch.no_grad's, below its decorator
        return [] if type(value.__self__).__module__.startswith("torch.") else shared(value.__self__, seen)
    if type(value).__name__ == "JITFunction" or type(value).__module__ == "fractions":
        return []
    return [type(value).__name__]


@pytest.mark.parametrize("name", MODULES)
def test_a_case_file_holds_nothing_that_an_answer_can_change(name):
    """The same objects are given to every answer of a run: a number changed in place would be another's fault."""
    module = importlib.import_module(name)
    own = {k: v for k, v in vars(module).items() if not k.startswith("__") and getattr(v, "__module__", name) == name}
    found = {k: shared(v) for k, v in own.items() if not isinstance(v, types.ModuleType)}
    assert not {k: v for k, v in found.items() if v}


def test_the_walk_sees_what_is_shared():
    inner = torch.ones(2)
    for value in (
        [1],
        {"a": 1},
        inner,
        (1, [2]),
        lambda x=[]: x,
        lambda: inner,
        functools.lru_cache(len),
        random.Random(1),
    ):
        assert shared(value)
    for value in (1, "a", (1, (2.0, "b")), lambda x=1: x, frozenset({1}), re.compile("a"), torch.float32, len):
        assert not shared(value)


# -- refusals ----------------------------------------------------------------------------------------------------------


def failing(error):
    def fn(*args, **kwargs):
        raise error

    return fn


def test_only_the_documented_error_counts_as_a_refusal():
    cases.raises(MinidsError, failing(MinidsError("top_p must lie in (0, 1], got 2")), names="top_p")
    cases.raises(ValueError, failing(UnicodeDecodeError("utf-8", b"", 0, 1, "derived from ValueError")))
    for error in (KeyError("a"), IndexError("b"), ZeroDivisionError("c"), NotImplementedError(), RuntimeError("d")):
        with pytest.raises(AssertionError, match=f"MinidsError was expected .a size of 0., got {type(error).__name__}"):
            cases.raises(MinidsError, failing(error), because="a size of 0")
    with pytest.raises(AssertionError, match="should name 'top_p'"):
        cases.raises(MinidsError, failing(MinidsError("no")), names="top_p")
    with pytest.raises(AssertionError, match="something came back: 3"):
        cases.raises(MinidsError, lambda: 3)
    with pytest.raises(AssertionError, match="something came back"):  # returned, not raised
        cases.raises(MinidsError, lambda: MinidsError("returned"))
    with pytest.raises(AssertionError, match="stopped"):
        cases.raises(AssertionError, failing(AssertionError("stopped: it took more than 30 seconds")))


# -- arguments ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value, spoil",
    [
        (torch.arange(3.0), lambda x: x.mul_(2)),
        (torch.tensor([float("nan"), 1.0]), lambda x: x.zero_()),
        (torch.ones(2, 2), lambda x: x.t_().resize_(1, 4)),
        ([1, 2], list.reverse),
        ([[1], [2]], lambda x: x[1].append(3)),
        ({"a": 1}, dict.clear),
        ({1, 2}, lambda x: x.add(3)),
        (np.arange(3), lambda x: x.sort() or x.fill(7)),
        ((torch.zeros(2), 1), lambda x: x[0].add_(1)),
        (torch.ones(3, dtype=torch.bfloat16), lambda x: x.add_(1)),
    ],
)
def test_a_changed_argument_is_seen_and_put_back(value, spoil):
    whole = repr(value)
    watch = arguments.Watch([("x", value)])
    assert watch.changed() is None
    spoil(value)
    assert "changes its argument 'x'" in watch.changed() and repr(value) == whole
    watch = arguments.Watch([("x", value)], ["x"])
    spoil(value)
    assert watch.changed() is None


def test_everybodys_random_numbers_are_seen_and_put_back():
    draws = (lambda: torch.rand(1), "torch"), (random.random, "random"), (lambda: np.random.rand(), "numpy")
    for draw, who in draws:
        watch = arguments.Watch([])
        before = torch.get_rng_state(), random.getstate(), np.random.get_state()[1].tolist()
        draw()
        assert who in watch.changed()
        assert torch.equal(before[0], torch.get_rng_state())
        assert before[1:] == (random.getstate(), np.random.get_state()[1].tolist())
    own = torch.Generator(), random.Random(0), np.random.default_rng(0)
    watch = arguments.Watch([("rng", own)])
    torch.rand(1, generator=own[0]), own[1].random(), own[2].random()
    assert watch.changed() is None  # a generator is there to be used


def test_a_case_fails_by_itself_where_an_answer_spoils_what_it_is_given():
    def in_place(gate, up):
        return torch.nn.functional.silu(gate, inplace=True).mul_(up)

    results = judge.run_cases("layers.swiglu", in_place)
    told = [r.why for r in results if r.why]
    assert any(why.startswith("it changes its argument 'gate'") for why in told)


def test_what_functions_may_change_is_what_they_change():
    """Nothing is declared to be changeable that the library's own function leaves alone."""
    cases.load()
    everything, real = {}, arguments.Watch

    class Watch(real):
        def __init__(self, given, may_change=()):
            super().__init__([(n, v) for n, v in given if n in may_change])

        def changed(self):
            for name, value, before in self.held:
                if not arguments.equal(arguments.state(value), before):
                    everything.setdefault(now[0], set()).add(name)

    now = [None]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(arguments, "Watch", Watch)
        for name in cases.CHANGES:
            now[0] = name
            if not judge.unavailable(name):
                judge.run_cases(name, catalog.reference(name), held_out=True)
    for name, declared in cases.CHANGES.items():
        if not judge.unavailable(name):
            assert everything.get(name, set()) == set(declared), name


# -- comparing ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "got, want, said",
    [
        (5.0, 5, "an integer was expected, got one of type float"),
        (True, 1, "an integer"),
        (1, True, "True was expected"),
        (
            torch.tensor([1.0, 2.0]),
            torch.tensor([1.0, float("inf")]),
            "without bound, most at index [1]: inf was expected",
        ),
        (torch.ones((), dtype=torch.float64), torch.ones((), dtype=torch.float64) + 1e-9, ": 1.000000001 was expected"),
        (torch.tensor([1, 2]), torch.tensor([1, 5]), "1 of the values differ, first at index [1]: 5 was"),
        (7, [1], "a list or tuple of 1 value was expected"),
        ([1, 2], [1], "1 value was expected, got 2"),
        (torch.ones(2), [1.0, 1.0], "got a tensor of shape (2,)"),
        ("1", 1, "an integer"),
        (1, "1", "another value"),
        (torch.tensor([0.0, float("nan")]), torch.tensor([float("nan"), float("nan")]), "values differ"),
    ],
)
def test_a_difference_is_said_so_that_it_can_be_seen(got, want, said):
    with pytest.raises(AssertionError) as error:
        cases.expect(got, want, 1e-12)
    assert said in str(error.value)


def test_numbers_of_numpy_and_tensors_of_one_number_are_numbers():
    for got, want in (
        (np.int64(3), 3),
        (np.float32(0.5), 0.5),
        (torch.tensor(3), 3),
        (np.bool_(True), True),
        (torch.tensor(0.5), 0.5),
        (3, 3.0),
        ((1, 2), [1, 2]),
    ):
        cases.expect(got, want)


# -- names of mistakes -------------------------------------------------------------------------------------------------


def test_a_near_twin_is_much_like_a_known_mistake():
    """It differs from "the gate is a sigmoid" for float64 alone: half of a name is better than none."""

    def twin(gate, up):
        y = torch.sigmoid(gate) * up
        return y.float() if gate.dtype == torch.bfloat16 else y

    results = judge.run_cases("layers.swiglu", twin)
    known = judge.diagnose("layers.swiglu", results)
    assert known is not None and "sigmoid" in known.mistake
    assert not judge.told(known).startswith("It is much like") or known.near
    other = judge.run_cases("layers.swiglu", lambda gate, up: gate * 0 + 77)
    assert judge.diagnose("layers.swiglu", other) is None


def test_no_mistake_begins_with_if():
    for known in (k for book in wrong.load()[0].values() for k in book):
        assert not known.mistake.startswith(("if ", "it behaves")), known.mistake


def test_likeness_is_relative_to_the_size_of_the_numbers():
    small = torch.tensor([1e-7, 2e-7])
    assert not judge._alike(small, small * 1.01) and judge._alike(small, small * (1 + 1e-6))
    assert not judge._alike(1e-7, 1.01e-7) and judge._alike(1e9, 1e9 + 1)
