"""Which code computes a function of this library: its own, a faster form of it, or somebody else's.

    replace(swiglu, mine)            calls of `swiglu` are calls of `mine`, for everybody who holds it, until `restore`
    definitions(rms_norm, swiglu)    these have fast forms, which may compute them ...
    as_written(swiglu)               ... as long as this is true: no one has put other code in their place

A definition is a plain function. `replace` leaves the object where it is and exchanges its code for a call of the
replacement. Imports, tables and closures hold the same object and need not be searched, the definition's name, module
and pickle stay what they are, and a function that nobody replaced costs nothing: there is no wrapper around it.
A Triton kernel is an object of its own kind; its state is exchanged for that of the new kernel.

A fast form asks `as_written` for every definition that it computes, where it would be called, with the names that the
module has then. A function that was assigned there by hand (`attention.attend = mine`, `unittest.mock.patch`) was never
declared, so the fast form steps aside for it too. The same happens where a declaration is forgotten: what is slow is
noticed, what is not called is not.
"""

import contextlib
import inspect
import types

_fast = set()  # declared, and not replaced
_declared = set()
_held = {}  # id of a replaced function or kernel -> (it, its own state, what stands in its place)
_originals = {}  # id of a function or kernel -> (it, a copy that nobody replaces)


def definitions(*functions):
    """Declares functions that have a fast form, or are part of what one computes."""
    _declared.update(functions)
    _fast.update(functions)


def as_written(*functions):
    """Whether all of these are declared definitions of the library with their own code: fast forms may compute them."""
    return _fast.issuperset(functions)


def replace(function, new, keep=True):
    """From now on a call of `function` is a call of `new`, also through names that were imported before.

    With the library's own as `new` this is `restore`. keep=False forgets the function's own code for good.
    """
    inner = _inner(function)
    _, own, _ = _held.get(id(inner)) or (inner, _state(inner), None)
    itself = (inner, _originals.get(id(inner), (None, None))[1])
    if any(_inner(new) is own for own in itself):  # under its decorators too
        return restore(inner)
    if isinstance(inner, types.FunctionType):
        _put(inner, (_call.__code__, None, {"__instead__": new}, {"__wrapped__": new}))
        _fast.discard(inner)
    elif type(new) is type(inner):
        _put(inner, _state(new))
    else:
        raise TypeError(f"a {type(inner).__name__} can be replaced by another one, not by a {type(new).__name__}")
    _held[id(inner)] = inner, own if keep else None, new
    if not keep:
        _originals.pop(id(inner), None)


def restore(function):
    """Gives a function its own code back."""
    inner = _inner(function)
    if id(inner) in _held:
        _put(inner, _held.pop(id(inner))[1])
        if isinstance(inner, types.FunctionType) and inner in _declared:
            _fast.add(inner)


@contextlib.contextmanager
def replaced(function, new):
    """`replace`, and afterwards what was there before."""
    before = replacement(function)
    replace(function, new)
    try:
        yield
    finally:
        restore(function) if before is None else replace(function, before)


def replacement(function):
    """What stands in a function's place, or None."""
    return _held.get(id(_inner(function)), (None, None, None))[2]


def original(function):
    """What the library has written, as a function that nobody replaces: safe to call from a replacement."""
    inner = _inner(function)
    if id(inner) not in _originals:
        state = _held[id(inner)][1] if id(inner) in _held else _state(inner)
        if state is None:
            raise LookupError(f"{inner.__name__}: its own code was not kept")
        _originals[id(inner)] = inner, _copy(inner, state)
    return _originals[id(inner)][1]


def is_function(it):
    """Whether this is a Python function, decorated or not; a kernel or a partial is none."""
    return isinstance(_inner(it), types.FunctionType)


def _call(*args, __instead__, **kwargs):
    """The code of a replaced function."""
    return __instead__(*args, **kwargs)


def _inner(function):
    """The function under decorators such as torch.no_grad: its code is what is exchanged."""
    return inspect.unwrap(function, stop=lambda f: id(f) in _held)


def _state(it):
    if isinstance(it, types.FunctionType):
        return it.__code__, it.__defaults__, it.__kwdefaults__, dict(vars(it))
    return (dict(vars(it)),)


def _put(it, state):
    if isinstance(it, types.FunctionType):
        it.__code__, it.__defaults__, it.__kwdefaults__ = state[:3]
    vars(it).clear()
    vars(it).update(state[-1])


def _copy(it, state):
    if isinstance(it, types.FunctionType):
        twin = types.FunctionType(state[0], it.__globals__, it.__name__)
        twin.__module__, twin.__qualname__, twin.__doc__ = it.__module__, it.__qualname__, it.__doc__
        twin.__annotations__ = it.__annotations__
    else:
        twin = object.__new__(type(it))
    _put(twin, state)
    return twin
