"""Planted mistakes and other right ways: what the checks are tested with, and what a diagnosis compares with.

    @wrong("layers.rms_norm", mistake="the mean is subtracted, as in LayerNorm",
           ask="Which of LayerNorm's two statistics does RMSNorm leave out?", refused_by="matches_float64")
    def subtracts_the_mean(x, weight, eps): ...

    @alternative("layers.rms_norm")
    def with_vector_norm(x, weight, eps): ...

tests/course/test_check_quality.py demands that every wrong version is refused by the case it names, and that every
alternative passes all of them.
"""

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass

WRONG, ALTERNATIVES = {}, {}  # exercise -> [Wrong, ...], [function, ...]


@dataclass(frozen=True)
class Wrong:
    fn: Callable
    mistake: str  # completes "This behaves as if …"
    ask: str  # a question that leads on
    refused_by: str  # the case that must fail
    near: bool = False  # in a diagnosis: alike in nearly all cases, not in all


def wrong(name, *, mistake, ask, refused_by):
    def add(fn):
        WRONG.setdefault(name, []).append(Wrong(fn, mistake, ask, refused_by))
        return fn

    return add


def alternative(name):
    def add(fn):
        ALTERNATIVES.setdefault(name, []).append(fn)
        return fn

    return add


def load():
    """Imports every module of wrong versions, and returns (WRONG, ALTERNATIVES)."""
    for module in pkgutil.iter_modules(__path__, __name__ + "."):
        importlib.import_module(module.name)
    return WRONG, ALTERNATIVES


def named(name, function):
    """The wrong version of an exercise whose function has this name."""
    return next(w for w in load()[0][name] if w.fn.__name__ == function)
