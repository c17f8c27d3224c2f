"""Arguments that a function can change: which there are, what of them to carry back, how to put it into the originals.

A function in another process changes copies. So that "appends to the cache" and "leaves its input alone" are the same
as in one process, what it changed is sent back as data and put into the judge's own objects: tensors, arrays, lists,
dicts, sets, the fields of the library's objects and of modules, generators of random numbers.
"""

import random

import numpy as np
import torch

from minids.course.grading import protocol

_STATEFUL = {  # kind -> (its state as data, how to put one back)
    torch.Generator: (lambda g: g.get_state(), lambda g, state: g.set_state(state)),
    random.Random: (lambda r: r.getstate(), lambda r, state: r.setstate(state)),
    np.random.Generator: (lambda g: g.bit_generator.state, lambda g, state: setattr(g.bit_generator, "state", state)),
}


def changeable(*values):
    """Every object below `values` that is no plain value, once each: what a result can hold or a call can change."""
    found, seen, waiting = [], set(), list(values)
    while waiting:
        value = waiting.pop()
        if isinstance(value, protocol.PLAIN) or id(value) in seen:
            continue
        seen.add(id(value))
        if not isinstance(value, tuple | frozenset | bytes):
            found.append(value)
        if isinstance(value, dict):
            waiting += [*value.keys(), *value.values()]
        elif isinstance(value, list | tuple):
            waiting += value
        elif _has_fields(value):
            waiting += vars(value).values()
    return found


def state(value):
    """What of an argument a call can change, as a value for the wire; None for what is not looked into."""
    kind = next((k for k in _STATEFUL if isinstance(value, k)), None)
    if kind:
        return _STATEFUL[kind][0](value)
    if isinstance(value, torch.Tensor):
        return value.detach().clone() if value.layout == torch.strided else None
    if isinstance(value, np.ndarray):
        return value.copy()
    if isinstance(value, list):
        return list(value)
    if isinstance(value, dict):
        return [(k, v) for k, v in value.items()]
    if isinstance(value, set):
        return list(value)
    return list(vars(value).items()) if _has_fields(value) else None


def stated(value, known):
    """The state as bytes, to be compared; `known` indexes all arguments. None for what cannot be carried back."""
    held = state(value)
    try:
        return None if held is None else protocol.frame(held, known)
    except protocol.BadData:
        return None


def put(value, new):
    """Gives an argument the state that it came back with."""
    kind = next((k for k in _STATEFUL if isinstance(value, k)), None)
    if kind:
        _STATEFUL[kind][1](value, new)
    elif isinstance(value, torch.Tensor) and isinstance(new, torch.Tensor):
        if value.shape == new.shape and value.dtype == new.dtype:
            with torch.no_grad():
                value.copy_(new)
        else:
            value.data = new
    elif isinstance(value, np.ndarray) and isinstance(new, np.ndarray):
        value[...] = new
    elif isinstance(value, list):
        value[:] = new
    elif isinstance(value, dict):
        _fill(value, dict(new))
    elif isinstance(value, set):
        _fill(value, set(new))
    elif _has_fields(value):
        vars(value).update(new)


class Watch:
    """What a call has to leave alone: its arguments, but those named in `may_change`, and everybody's random numbers.

    Generators among the arguments are there to be used. `changed()` puts back what the call has changed, and says it.
    """

    def __init__(self, given, may_change=()):
        self.held, self.randomness = [], "random numbers" not in may_change
        seen = set()
        for name, value in given:
            for k in changeable(value):
                if name not in may_change and id(k) not in seen and not isinstance(k, tuple(_STATEFUL)):
                    seen.add(id(k))
                    self.held.append((name, k, state(k)))
        self.numbers = everybodys() if self.randomness else ()

    def changed(self):
        """None, or what was changed, in words."""
        names = []
        for name, value, before in self.held:
            if not equal(state(value), before):
                put(value, before)
                names.append(name)
        if names:
            return f"it changes its argument {names[0]!r}: compute into something new (x.clone(), list(x), dict(x))"
        for (get, put_back, who), before in zip(_RANDOM, self.numbers):
            if not equal(get(), before):
                put_back(before)
                return f"it changes everybody's random numbers ({who}): make a generator of its own"
        return None


_RANDOM = (
    (torch.get_rng_state, torch.set_rng_state, "torch"),
    (random.getstate, random.setstate, "random"),
    (np.random.get_state, np.random.set_state, "numpy.random"),
)


def everybodys():
    """The states of the random numbers that belong to nobody: torch's, random's and numpy's."""
    return [get() for get, _, _ in _RANDOM]


def put_everybodys(states):
    """Puts the states of `everybodys` back."""
    for (_, put_back, _), state in zip(_RANDOM, states, strict=True):
        put_back(state)


def equal(a, b):
    """Whether two states are the same: tensors bit for bit, what is no plain value by identity."""
    if isinstance(a, torch.Tensor) and isinstance(b, torch.Tensor):
        return a.shape == b.shape and a.dtype == b.dtype and torch.equal(_bytes(a), _bytes(b))
    if isinstance(a, np.ndarray) and isinstance(b, np.ndarray):
        return a.shape == b.shape and a.dtype == b.dtype and a.tobytes() == b.tobytes()
    if isinstance(a, list | tuple) and isinstance(b, list | tuple):
        return len(a) == len(b) and all(map(equal, a, b))
    return a is b or (isinstance(a, (*protocol.PLAIN, bytes)) and type(a) is type(b) and (a == b or a != a and b != b))


def _bytes(tensor):
    return tensor.detach().contiguous().reshape(-1).view(torch.uint8)


def typed(data, dtype):
    """Bytes as numbers of this type: how a tensor that pickle cannot carry is put together again."""
    return data.view(dtype)


def _fill(value, new):
    value.clear()
    value.update(new)


def _has_fields(value):
    """A model, a cache, a configuration: an object of the library or a module of torch, looked into by its fields."""
    ours = type(value).__module__.split(".")[0] == "minids" or isinstance(value, torch.nn.Module)
    return ours and hasattr(value, "__dict__") and not isinstance(value, tuple)
