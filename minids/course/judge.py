"""Judges an answer: runs the cases on it, and names the mistake. reader.py finds it in a text.

A diagnosis compares behaviour: every wrong version of minids/course/wrong answers the same calls, and the one that gave
the same results everywhere is the one that the student has written.
"""

import ast
import contextlib
import functools
import inspect
import io
import linecache
import math
import random
import traceback
import warnings
from dataclasses import dataclass, field, fields, is_dataclass, replace

import torch

from minids import dispatch
from minids.course import arguments, cases, catalog, exercises, memory_guard, wrong
from minids.course.reader import compile_answer, definitions, find, is_blank, is_library, same, text_of  # noqa: F401

# -- running the cases -------------------------------------------------------------------------------------------------


def unavailable(name):
    """Why the cases of this exercise cannot run here, in words; None if they can. Kernels need the interpreter."""
    if not catalog.is_kernel(name):
        return None
    from minids.kernels import runtime

    return runtime.why_not(torch.empty(0))


def launch(kernel, grid, args, kwargs):
    """kernel[grid](*args, **kwargs) in Triton's interpreter, where it touches nothing but the numbers of its tensors.

    What goes wrong inside is raised as it was, without the interpreter's wrapping.
    """
    if not hasattr(kernel, "__getitem__"):
        raise TypeError("this is a plain function and no kernel: is @triton.jit missing above it?")
    try:
        with memory_guard.only(*args, *kwargs.values(), nan=False):
            return kernel[grid](*args, **kwargs)
    except Exception as error:
        while type(error).__name__ == "InterpreterError" and error.__cause__ is not None:
            error = error.__cause__
        raise error from None


CALLS_ITSELF = (
    "this answer calls the function that it is to replace: minids.{} is your answer as soon as it is kept, and calls "
    "itself without end. Write it yourself"
)


@dataclass
class Result:
    """One case on one answer.

    case       its name
    why        what did not hold; None: it passed
    held_out   whether students do not see the case
    printed    what the answer printed meanwhile
    calls      what the answer gave back, for a diagnosis
    """

    case: str
    why: str | None
    held_out: bool = False
    printed: str = ""
    calls: list = field(default_factory=list)


@contextlib.contextmanager
def in_its_place(name, answer):
    """Within it what the library calls by this name is the answer, also for whoever holds the function itself.

    Gives a list that is no longer empty once it was called so. Kernels stay: they are launched, and not called.
    """
    routed, own = [], catalog.current(name)

    def noted(*args, **kwargs):
        routed.append(None)
        return answer(*args, **kwargs)

    with dispatch.replaced(own, noted) if dispatch.is_function(own) else contextlib.nullcontext():
        yield routed


def _names_library(name, fn):
    """Whether the text of an answer in a grader's worker has the function's name as one of the library's."""
    last, source = exercises.PLACES[name].function, getattr(fn, "source", "")
    nodes = [n for top in definitions(source) for n in ast.walk(top)] if isinstance(source, str) else []
    return any(getattr(n, "attr", "") == last or isinstance(n, ast.alias) and n.name == last for n in nodes)


class _Recorder:
    """The function under test, with a record of what each call gave, or what it raised.

    A call that changes what it was given, and is not meant to, fails there and then: what follows would be compared
    with values that were computed from spoilt arguments.
    """

    def __init__(self, name, fn, replaces=False):
        self.name, self.fn, self.calls, self.replaces = name, fn, [], replaces
        self.given = {}  # number of a call -> what it gave itself; none of those that raised

    def __call__(self, *args, **kwargs):
        return self._noted(lambda: self.fn(*args, **kwargs), args, kwargs)

    def __getattr__(self, attribute):
        return getattr(self.fn, attribute)

    def __getitem__(self, grid):
        """A Triton kernel's launch, `kernel[grid](…)`: what it gave is what it has written into its arguments."""

        def run(*args, **kwargs):
            return self._noted(lambda: launch(self.fn, grid, args, kwargs), args, kwargs, [*args, *kwargs.values()])

        return run

    def gradients(self, *args, **settings):
        result = self._noted(lambda: cases.gradients(self.fn, *args, **settings), args, settings)
        self.given[len(self.calls) - 1] = result[0]
        return result

    def _noted(self, call, args, kwargs, results=()):
        watch = arguments.Watch(_by_name(self.name, args, kwargs), cases.CHANGES.get(self.name, ()))
        try:
            with in_its_place(self.name, self.fn) if self.replaces else contextlib.nullcontext() as routed:
                result = call()
        except Exception as error:
            if isinstance(error, RecursionError) and (routed or _names_library(self.name, self.fn)):
                error.args = (CALLS_ITSELF.format(self.name),)
            self.calls.append(getattr(error, "remote_name", type(error).__name__))
            raise
        finally:
            changed = watch.changed()
        if changed:
            self.calls.append(changed)
            raise AssertionError(changed)
        self.given[len(self.calls)] = result
        self.calls.append(_copy((result, [a for a in results or args if isinstance(a, torch.Tensor | list | dict)])))
        return result


def _by_name(name, args, kwargs):
    """[(parameter, value)] of a call, by the library's own signature."""
    names = list(inspect.signature(catalog.plain(catalog.reference(name))).parameters)
    return [*zip([*names, *(f"number {i + 1}" for i in range(len(names), len(args)))], args), *kwargs.items()]


def run_cases(name, fn, *, held_out=False, seed=0, extra=(), replaces=False, only=None):
    """Runs the cases of an exercise on `fn` -> [Result]. Random numbers, dtype and threads stay as they were.

    held_out adds the graders' cases, `extra` an instructor's; `only` names the one that is to run. With `replaces`,
    the library's function is `fn` while that runs, as it will be when it is kept. KeyboardInterrupt passes through.
    """
    chosen = [c for c in cases.load()[name] if (held_out or not c.held_out) and only in (None, c.__name__)]
    return [_run(name, c, fn, seed, replaces) for c in [*chosen, *extra]]


def _run(name, case, fn, seed, replaces):
    recorder, printed, why = _Recorder(name, fn, replaces), io.StringIO(), None
    with _undisturbed(seed):
        try:
            # stderr too: nbgrader gives no points to a cell that has written there, were it only a warning
            with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                case(recorder)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            why = _explain(error, case, fn)
            said, compared = isinstance(error, AssertionError), getattr(error, "got", recorder)
    if why:
        why = _of_another_sort(recorder, case, seed, not said, compared) or why
    text = printed.getvalue()[:500]
    return Result(case.__name__, why, getattr(case, "held_out", True), text, recorder.calls)


def _of_another_sort(recorder, case, seed, crashed, compared):
    """Why a result cannot be what is asked for, whatever its numbers: what the library's gives in the same call is of
    another sort. None if there is no such call, or if the case itself has `compared` that result and says it better."""
    wanted = _sorts(recorder.name, case, seed)
    for i, got in recorder.given.items():
        if got is compared:
            return None
        if i in wanted and (why := cases.of_another_sort(got, wanted[i], crashed)):
            return why
    return None


@functools.lru_cache(maxsize=256)
def _sorts(name, case, seed):
    """{number of a call: of which sort the library's result is} of a case."""
    recorder = _Recorder(name, catalog.reference(name))
    with _undisturbed(seed), contextlib.suppress(Exception), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        case(recorder)
    return {i: cases.sort_of(result) for i, result in recorder.given.items()}


@contextlib.contextmanager
def _undisturbed(seed):
    """torch's and Python's random numbers seeded; afterwards all is as it was."""
    states = arguments.everybodys()
    settings = torch.get_default_dtype(), torch.is_grad_enabled(), torch.get_num_threads()
    torch.manual_seed(seed)
    random.seed(seed)
    try:
        yield
    finally:
        arguments.put_everybodys(states)
        torch.set_default_dtype(settings[0])
        torch.set_grad_enabled(settings[1])
        if torch.get_num_threads() != settings[2]:
            torch.set_num_threads(settings[2])


def _explain(error, case, fn):
    """What went wrong, and in which line of the student's, if it went wrong there."""
    if isinstance(error, AssertionError) and str(error):
        return str(error)
    inside = [f for f in traceback.extract_tb(error.__traceback__) if f.filename == file_of(fn)]
    what = f"{type(error).__name__}: {error} {stands_alone(error)}".rstrip()  # a table has the first line only
    if isinstance(error, SystemExit):
        what = "the function ends the program (SystemExit): return a value instead"
    if hasattr(error, "remote_line"):  # raised in a grader's worker
        what += f"\n    {error.remote_line}" * bool(error.remote_line)
    elif inside:
        frame = inside[-1]
        line = frame.line or linecache.getline(frame.filename, frame.lineno).strip()
        what += f"\n    in line {frame.lineno}: {line}"
    return what


def stands_alone(error):
    """What to do about a name that is not there, or ""."""
    if isinstance(error, NameError) and not isinstance(error, UnboundLocalError):
        return "(an answer stands alone: put its helpers, constants and imports into this cell)"
    return ""


def earns_nothing(name, results):
    """Why what passes of a failing answer is worth nothing, or "".

    Cases that expect an exception pass with what raises always, others by chance with what always gives the same. The
    result is what counts; of kernels, and of functions that are there to change arguments, no chance is known.
    """
    outcomes = [c if isinstance(c, str) or name in cases.CHANGES else c[0] for r in results for c in r.calls]
    if all(r.why is None for r in results):
        return ""
    if not any(r.why is None and any(not isinstance(c, str) for c in r.calls) for r in results):
        return "no case in which it has to give a result passes"
    if not catalog.is_kernel(name) and all(_alike(o, outcomes[0]) for o in outcomes[1:]):
        return "it gives the same in every call"
    return ""


def file_of(fn):
    """The name of the file or cell in which a function is written; None for other things that can be called."""
    try:
        return catalog.plain(fn).__code__.co_filename
    except (AttributeError, TypeError, ValueError):
        return None


# -- diagnosis ---------------------------------------------------------------------------------------------------------


def diagnose(name, results, seed=0):
    """The known wrong version that gives what these results hold, call by call -> it, or None.

    Of a near twin, which differs in one case or two and gives the same wrong results elsewhere, its likeness: `near` is
    true, and a message says "much like".
    """
    visible, near = [r for r in results if not r.held_out], []
    most = min(2, len(visible) // 3)
    for known, theirs in _planted(name, seed):
        others, same_fault = 0, 0
        for a, b in zip(visible, _one_by_one(name, known, seed, theirs)):
            alike = _alike(a.calls, b.calls)
            others, same_fault = others + (not alike), same_fault + bool(a.why and b.why and alike)
            if others > most:
                break  # it is not this one, whatever the other cases say
        if not others:
            return known
        if same_fault and others <= most:
            near.append((others, -same_fault, len(near), known))
    return replace(min(near)[3], near=True) if near else None


@functools.lru_cache(maxsize=4)
def _planted(name, seed):
    """[(wrong version, its results so far)]: they are compared with answer after answer."""
    return [(known, []) for known in wrong.load()[0].get(name, ())]


def _one_by_one(name, known, seed, done):
    """The results of a wrong version, case by case: a case runs when somebody asks for it, and once."""
    for i, case in enumerate(c for c in cases.load()[name] if not c.held_out):
        if i == len(done):
            done.append(_run(name, case, known.fn, seed, replaces=False))
        yield done[i]


def told(known):
    """A diagnosis in words."""
    how = "It is much like a version that behaves as if" if known.near else "It behaves as if"
    return f"{how} {known.mistake}. {known.ask}"


def _copy(value):
    if isinstance(value, torch.Tensor):
        return value.detach().clone()
    if isinstance(value, tuple | list):
        return [_copy(v) for v in value]
    if isinstance(value, dict):
        return {k: _copy(v) for k, v in value.items()}
    if is_dataclass(value) and not isinstance(value, type):  # a Batch, for example
        return {f.name: _copy(getattr(value, f.name)) for f in fields(value)}
    return value if isinstance(value, int | float | str | bytes | bool | None) else repr(type(value))


def _close(a, b):
    """The same up to rounding, which is relative to the largest number of a tensor."""
    if not a.is_floating_point():
        return torch.equal(a, b)
    a, b = a.double(), b.double()
    largest = b[b.isfinite()].abs().max().item() if b.isfinite().any() else 0.0
    return torch.allclose(a, b, atol=1e-5 * largest, rtol=1e-4, equal_nan=True)


def _alike(a, b):
    """Same structure, same values up to rounding."""
    if isinstance(a, torch.Tensor) and isinstance(b, torch.Tensor):
        if a.shape != b.shape or a.dtype != b.dtype:
            return False
        return _close(a, b)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(_alike, a, b))
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(_alike(a[k], b[k]) for k in a)
    if isinstance(a, float) and isinstance(b, float):
        return math.isclose(a, b, rel_tol=1e-4, abs_tol=1e-12) or (math.isnan(a) and math.isnan(b))
    return type(a) is type(b) and a == b
