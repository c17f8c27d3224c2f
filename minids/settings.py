"""Settings as dataclasses: each field says what it may be, and one checker refuses the rest.

    @dataclass
    class Sampling(Settings):
        SHOWN = "sampling setting {name} = {value}"      # how a message begins
        FORMER = {"count": "samples"}                    # names that files of earlier versions have

        samples: int = setting(doc="answers to a question", least=1)
        top_p: float = setting(1.0, "share of the probability that is kept", above=0, most=1)
        cap: float | None = setting(None, "largest weight; None: no weights", above=0)
        kind: str = setting("plain", "how a reply looks", choices=("plain", "tags"))

        def contradictions(self):                        # called when each field by itself is right
            if self.kind == "tags" and self.samples > 8:
                raise MinidsError("…")

    read(Sampling, {"sampels": 4}, "recipe tiny, section [sampling]")
    MinidsError: recipe tiny, section [sampling]: unknown key 'sampels'. Did you mean 'samples'?

Sampling(sampels=4) is refused in the same way, and Sampling(4).replace(top_p=0.9) is another one, checked as a whole.

The type is that of the annotation: bool, int, float, str, dict, list, tuple[float, float], or one of them `| None`. An
int is a float as well, True is no number, and a number is finite. The same metadata make the table of all settings
(`rows`; docs/settings.md) and the end of each class's docstring (`Explained`): `help(Sampling)` lists the fields.

Left out: what a dict or a list holds; the class checks that in `contradictions`.
"""

import copy
import functools
import inspect
import numbers
import operator
import sys
import textwrap
from dataclasses import MISSING, field, fields
from types import UnionType
from typing import Self, get_args, get_origin

from minids.errors import MinidsError, did_you_mean, nearest
from minids.files import brief

LIMITS = {"above": operator.gt, "least": operator.ge, "below": operator.lt, "most": operator.le}
KINDS = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "a text",
    dict: "a table of keys and values",
    list: "a list",
    tuple: "a list",
}


class _Unset:
    def __repr__(self):
        return "<unset>"


UNSET = _Unset()  # the default of a field that `Settings.instead` may fill in


def setting(default=MISSING, doc="", *, factory=MISSING, choices=None, hint="", preset=False, like=None, **limits):
    """A field of a Settings class.

    doc      one line
    choices  the values that it may have; a dict says what each means
    limits   above, least (or equal), below, most (or equal): of a number, or of each number of a tuple
    hint     what a message says at its end
    preset   `instead` may say another default
    like     a field of another class, whose doc, choices and limits are this one's
    """
    if unknown := limits.keys() - LIMITS.keys():
        raise TypeError(f"setting: {', '.join(unknown)} is none of {', '.join(LIMITS)}")
    means = choices if isinstance(choices, dict) and all(isinstance(m, str) for m in choices.values()) else None
    about = {"doc": doc, "choices": tuple(choices) if choices else None, "means": means, "hint": hint, **limits}
    if like is not None:
        about = {**like.metadata, **{k: v for k, v in about.items() if v not in (None, "")}}
        default = like.metadata["default"] if default is MISSING and factory is MISSING else default
    about |= {"default": default, "factory": factory}
    if preset:
        return field(default=UNSET, metadata=about)
    return field(metadata=about, **({"default_factory": factory} if factory is not MISSING else {"default": default}))


def default_of(f):
    """The default of a field, or MISSING."""
    if f.metadata.get("factory", MISSING) is not MISSING:
        return f.metadata["factory"]()
    return f.metadata["default"]


class _Docstring:
    """What was written as a class's docstring, then its fields; put together when somebody reads it."""

    def __init__(self, written):
        self.written = inspect.cleandoc(written)

    def __get__(self, instance, cls):
        listed = manual(cls) if hasattr(cls, "__dataclass_fields__") else ""
        return f"{self.written}\n\n{listed}".rstrip()


class _Named(type):
    # Of classes whose arguments are looked at before `__init__`: an unknown name is told the nearest there is, and all
    # that are missing are named, each with what it may be.

    __doc__ = vars(type)["__doc__"]  # pydoc would find a text here before a class's own

    def __call__(cls, *args, **values):
        taken = [f for f in getattr(cls, "__dataclass_fields__", {}).values() if f.init]
        refuse_unknown(values, [f.name for f in taken], cls.__name__, cls.FORMER)
        given = {*values, *[f.name for f in taken if not f.kw_only][: len(args)]}
        if missing := [f for f in taken if f.name not in given and _required(f)]:
            names = ", ".join(f"{f.name} ({described(f)})" for f in missing)
            raise MinidsError(f"{cls.__name__}: {names} {'is' if len(missing) == 1 else 'are'} missing.")
        return super().__call__(*args, **values)

    @property
    def __signature__(cls):
        """What `help` and editors show: the fields, not the arguments of `__call__`."""
        first, *others = inspect.signature(cls.__init__).parameters.values()
        return inspect.Signature(others)


def _required(f):
    return f.default is MISSING and f.default_factory is MISSING


class Explained(metaclass=_Named):
    """Base of dataclasses whose fields are made by `setting`: `help` of the class lists them, and a name that no field
    has is refused with the nearest."""

    FORMER = {}  # {name in files of earlier versions: name of today}

    def __init_subclass__(cls, **how):
        super().__init_subclass__(**how)
        if written := vars(cls).get("__doc__"):  # None with python -OO
            cls.__doc__ = _Docstring(written)


class Settings(Explained):
    """Base of the dataclasses; checks itself when it is made."""

    SHOWN = "setting {name} = {value}"

    def __post_init__(self):
        instead = self.instead()
        for f in fields(self):
            value = getattr(self, f.name)
            if value is UNSET:
                value = instead[f.name] if f.name in instead else default_of(f)
            elif get_origin(f.type) is tuple and isinstance(value, list):
                value = tuple(value)
            object.__setattr__(self, f.name, value)
            if problem := wrong(f, value):
                raise MinidsError(f"{self.SHOWN.format(name=f.name, value=brief(value))} {problem}")
        self.contradictions()

    def replace(self, **change) -> Self:
        """The same settings with other values, checked as a whole; these stay as they are.

            RLConfig(steps=10, lr=1e-3).replace(lr=1e-4)

        What a preset or a default says is not copied but follows from the new values: with another preset it is that
        one's. Raises MinidsError for a name that no field has, with the nearest, and for values that it may not have.
        """
        usual = self.instead()
        values = {f.name: copy.deepcopy(getattr(self, f.name)) for f in fields(self)}
        for f in fields(self):
            if f.default is UNSET and values[f.name] == (usual[f.name] if f.name in usual else default_of(f)):
                del values[f.name]
        return type(self)(**{**values, **change})

    def instead(self):
        """Values for the fields made with `preset=True` that the caller left out."""
        return {}

    def contradictions(self):
        """Raises MinidsError where settings do not fit together."""


def wrong(f, value):
    """What is wrong with the value of a field, as the end of a sentence; "" if nothing is."""
    about = f.metadata
    kinds = kinds_of(f)
    if value is None and type(None) in kinds:
        return ""
    if about["choices"] and not (isinstance(value, kinds) and value in about["choices"]):
        near = did_you_mean(value, about["choices"])
        return f"is not one of {', '.join(map(str, about['choices']))}{_hint(about)}{near and '.' + near}"
    kind = kinds[0]
    inside = list(value) if kind is tuple and isinstance(value, tuple) else [value]
    fits = all(_is(float if kind is tuple else kind, v) and within(about, v) for v in inside)
    if fits and (kind is not tuple or len(inside) == len(get_args(f.type))):
        return ""
    return f"must be {described(f)}{_hint(about)}"


@functools.cache
def kinds_of(f):
    """The types of a field: (int,), (float, NoneType), (tuple,) …"""
    kinds = get_args(f.type) if isinstance(f.type, UnionType) else (f.type,)
    return tuple(get_origin(k) or k for k in kinds)


def _is(kind, value):
    if kind is int:
        return isinstance(value, numbers.Integral) and not isinstance(value, bool)
    if kind is float:
        return isinstance(value, numbers.Real) and not isinstance(value, bool) and abs(value) <= sys.float_info.max
    return isinstance(value, kind)


def within(about, value):
    """Whether a number is inside of the limits of a field, which are its metadata."""
    return all(holds(value, about[name]) for name, holds in LIMITS.items() if name in about)


def _hint(about):
    return f"; {about['hint']}" if about["hint"] else ""


def described(f):
    """The values that a field may have: "a whole number from 1 to 4096", "a number above 0, or None"."""
    kind, *others = (kind for kind in kinds_of(f) if kind is not type(None))
    text = " or ".join(KINDS[k] for k in (kind, *others))
    if kind is tuple:
        text = f"a list of {len(get_args(f.type))} numbers"
    if f.metadata["choices"] and kind is not bool:
        text = "one of " + ", ".join(map(str, f.metadata["choices"]))
    text += f" {span}" if (span := limits(f)) else ""
    return text + (", or None" if type(None) in kinds_of(f) else "")


def limits(f):
    """ "from 1 to 10", "above 0 and at most 1", "at least 0", or ""."""
    low, high = f.metadata.get("least"), f.metadata.get("most")
    if low is not None and high is not None:
        return f"from {low} to {high}"
    words = {"above": "above", "least": "at least", "below": "below", "most": "at most"}
    return " and ".join(f"{words[n]} {f.metadata[n]}" for n in LIMITS if f.metadata.get(n) is not None)


def refuse_unknown(values, known, where, former=None):
    """Raises MinidsError for a key that is not known; a name near to a `former` one is told the one of today."""
    former = former or {}
    for key in values:
        if key not in known:
            near = nearest(key, [*known, *former])
            hint = f"Did you mean {former.get(near, near)!r}?" if near else f"There are {', '.join(sorted(known))}."
            raise MinidsError(f"{where}: unknown key {brief(key)}. {hint}")


def former_names(classes):
    """{name in files of earlier versions: name of today} of several classes."""
    return {old: new for cls in classes for old, new in cls.FORMER.items()}


def renamed(classes, values, where):
    """Values with the names of today where a file of an earlier version has others. Raises MinidsError for a key
    that is there under both names."""
    out, former = {}, former_names(classes)
    for key, value in values.items():
        now = former.get(key, key)
        if now in out or (now != key and now in values):
            raise MinidsError(f"{where}: {key!r} is a former name of {now!r}; keep one of them.")
        out[now] = value
    return out


def read(cls, values, where, **more):
    """A Settings class from a section of a file; `more` are values that the file does not decide."""
    return read_all([cls], {**renamed([cls], values, where), **more}, where)[0]


def read_all(classes, values, where):
    """One of each of the classes from a section that holds the fields of all."""
    values, known = renamed(classes, values, where), {f.name for cls in classes for f in fields(cls)}
    refuse_unknown(values, known, where, former_names(classes))
    return [_read(cls, {f.name: values[f.name] for f in fields(cls) if f.name in values}, where) for cls in classes]


def _read(cls, values, where):
    for f in fields(cls):
        if f.name not in values and _required(f):
            raise MinidsError(f"{where}: {f.name} is missing; it must be {described(f)}.")
    try:
        return cls(**values)
    except MinidsError as error:
        raise MinidsError(f"{where}: {error}") from None


def defaults(cls):
    """{name: default} of the fields that have one."""
    return {f.name: default_of(f) for f in fields(cls) if default_of(f) is not MISSING}


def rows(cls):
    """[(name, values it may have, default, what it is and what its values mean)] of a class, field by field."""
    out = []
    for f in (f for f in fields(cls) if f.metadata):
        default = default_of(f)
        shown = "" if default is MISSING else "None" if default is None else brief(default)
        means = "; ".join(f"{value}: {meaning}" for value, meaning in (f.metadata["means"] or {}).items())
        out.append((f.name, described(f), shown, f.metadata["doc"] + (means and f". {means}")))
    return out


def manual(cls, leave_out=(), width=110):
    """A class's fields as text to read: what each is for, its default, what it may be and what its values mean."""
    lines = []
    for f in (f for f in fields(cls) if f.metadata and f.name not in leave_out):
        default, means = default_of(f), f.metadata["means"] or {}
        head = f.name if default is MISSING else f"{f.name} = {default!r}"
        about = f"{head}   {f.metadata['doc']}" + ("" if means else f"; {described(f)}")
        lines += textwrap.wrap(about, width, subsequent_indent=" " * 8)
        room = max(map(len, means), default=0)
        lines += [f"    {value:<{room}}  {meaning}" for value, meaning in means.items()]
    return "\n".join(lines)
