"""Replacing a function: the object stays the same, everybody who holds it calls the replacement, and all comes back."""

import functools
import inspect
import pickle
from unittest.mock import patch

import pytest
import torch

from minids import dispatch
from minids.model import attention, layers, speculative


@pytest.fixture(autouse=True)
def own_code():
    yield
    for function in (layers.swiglu, layers.apply_rope, speculative.speculate):
        dispatch.restore(function)


def other(gate, up, more=1):
    """another"""
    return "other"


def test_whoever_holds_the_function_calls_the_replacement_and_then_its_own_again():
    held, bound = {"it": layers.swiglu}, functools.partial(layers.swiglu, torch.ones(2))
    own = layers.swiglu(torch.ones(2), torch.ones(2))
    dispatch.replace(layers.swiglu, other)
    assert held["it"] is layers.swiglu and held["it"](1, 2) == bound(2) == layers.swiglu(gate=1, up=2) == "other"
    dispatch.restore(layers.swiglu)
    assert bound(torch.ones(2)).equal(own) and "__wrapped__" not in vars(layers.swiglu)


def test_it_looks_like_the_replacement_and_is_pickled_by_its_name():
    before = inspect.getsource(layers.swiglu)
    dispatch.replace(layers.swiglu, other)
    assert "another" in inspect.getsource(layers.swiglu) and "more" in inspect.signature(layers.swiglu).parameters
    assert pickle.loads(pickle.dumps(layers.swiglu)) is layers.swiglu
    assert inspect.getsource(dispatch.original(layers.swiglu)) == before
    dispatch.restore(layers.swiglu)
    assert inspect.getsource(layers.swiglu) == before


def test_the_original_can_be_called_from_the_replacement():
    original = dispatch.original(layers.swiglu)
    dispatch.replace(layers.swiglu, lambda gate, up: original(gate, up) + 1)
    x = torch.randn(3)
    assert layers.swiglu(x, x).equal(original(x, x) + 1)
    dispatch.replace(layers.swiglu, original)  # the library's own is no replacement
    assert dispatch.replacement(layers.swiglu) is None and dispatch.as_written(layers.swiglu)


def test_one_within_another_and_under_a_decorator():
    run = speculative.speculate  # torch.no_grad is around it
    dispatch.replace(run, other)
    with dispatch.replaced(run, lambda *given: torch.is_grad_enabled()):
        assert run(1, 2) is False
    assert run(1, 2) == "other" and dispatch.replacement(run) is other
    dispatch.restore(run)
    assert list(inspect.signature(run).parameters) == ["model", "prompt_ids", "room", "stop_ids"]


def test_the_librarys_own_under_its_decorator_is_its_own():
    for own in (speculative.speculate, dispatch.original(speculative.speculate), inspect.unwrap(speculative.speculate)):
        dispatch.replace(speculative.speculate, lambda *args: "mine")
        dispatch.replace(speculative.speculate, own)
        assert dispatch.replacement(speculative.speculate) is None
        with pytest.raises(AttributeError):  # its own code looks into the model, and does not call itself for ever
            speculative.speculate(None, [1], 4, [])


def test_an_error_inside_leaves_everything_as_it_was():
    with pytest.raises(ZeroDivisionError), dispatch.replaced(layers.swiglu, lambda gate, up: 1 / 0):
        layers.swiglu(1, 2)
    assert dispatch.as_written(layers.swiglu)


def test_fast_forms_are_for_declared_functions_with_their_own_code():
    assert dispatch.as_written(layers.swiglu, layers.apply_rope) and not dispatch.as_written(layers.swiglu, other)
    with dispatch.replaced(layers.apply_rope, other):
        assert not dispatch.as_written(layers.swiglu, attention.apply_rope) and dispatch.as_written(layers.swiglu)
    with patch.object(layers, "swiglu", other):  # by hand
        assert not dispatch.as_written(layers.swiglu)
    assert dispatch.as_written(layers.swiglu, layers.apply_rope)


def test_code_that_is_not_kept_is_gone():
    def victim(x):
        return x

    dispatch.replace(victim, other, keep=False)
    assert victim(1, 2) == "other"
    with pytest.raises(LookupError, match="not kept"):
        dispatch.original(victim)
    dispatch.replace(victim, lambda x: 3, keep=False)
    assert victim(1) == 3


def test_what_is_no_function_is_replaced_by_its_own_kind():
    with pytest.raises(TypeError, match="partial can be replaced by another one, not by a function"):
        dispatch.replace(functools.partial(other), other)
