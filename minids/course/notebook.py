"""What the chapters call: start, check, budget, show, play.

`check` never stops a chapter. Blank: it says so. Failing: it shows the first case that fails, with what was given,
expected and got, and names the mistake if it is a known one. Passing: the answer is kept and takes its place in the
library. In every case the next cells run. Under nbgrader's autograding blank and failing answers raise, and the
held-out cases run too.
"""

import contextlib
import inspect
import linecache
import os
import random
import sys
import threading
from pathlib import Path

import torch

from minids.course import answers, catalog, exercises, judge, reader, session
from minids.errors import MinidsError, nearest
from minids.progress import console
from minids.train import memory

STYLE = {
    "figure.facecolor": "white",
    "axes.facecolor": "white",
    "savefig.facecolor": "white",
    "figure.dpi": 100,
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.25,
    "legend.frameon": False,
    "figure.constrained_layout.use": True,
}
COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000"]  # Okabe & Ito 2008


session.listen()


def start(chapter):
    """First cell of a chapter: one thread, fixed seeds, and the answers kept so far in their places."""
    console()
    torch.set_num_threads(1)
    memory.keep()
    if not grading():
        print(answers.status(answers.ledger()))
        answers.log(event="start", chapter=chapter)
    if "matplotlib" in sys.modules or _in_kernel():
        import matplotlib
        from cycler import cycler

        matplotlib.rcParams.update(STYLE | {"axes.prop_cycle": cycler(color=COLOURS)})
    torch.manual_seed(chapter)
    random.seed(chapter)


class Stopped(KeyboardInterrupt):
    """A check that was interrupted. It ends the cell, and a Run All, in one line."""

    def _render_traceback_(self):
        """What IPython shows."""
        return [f"stopped: {self}"]


def check(name=None, fn=None):
    """Checks the student's function `fn` for the exercise `name`; see the top of this file."""
    try:
        return _check(name, fn)
    except KeyboardInterrupt:
        pass
    raise Stopped(f"the check of {name} was interrupted, and nothing was kept") from None


def _check(name, fn):
    name = exercises.canonical(name) if isinstance(name, str) else name
    found = next((e for e in catalog.every() if isinstance(name, str) and e.name == name), None)
    if found is None:
        return _say("✗", name, _meant(name, fn), known=False)
    if not callable(fn):
        return _say("✗", name, f"{found.function} is {fn!r}, not a function. Run the cell above again.")
    own = catalog.reference(name)
    if fn is own or judge.file_of(fn) == inspect.getsourcefile(catalog.plain(own)):
        return _say("○", name, "this is the library's own function. Write yours in the cell above, and run that first.")
    try:
        source = session.python_of(fn, found.function)
        nodes = session.up_to_next(fn, found.function, reader.definitions(source))
    except (SyntaxError, ValueError, RecursionError, MemoryError, MinidsError) as error:
        return _say("✗", name, f"the cell cannot be read: {error}")
    node = reader.find(nodes, found.function)
    if node is None:
        return _say("✗", name, reader.missing(nodes, found.function))
    goes_on = "the version you kept before" if answers.installed(name) else "the library's own"
    if reader.is_blank(node, found):
        waits = "still has its bug" if found.start else "not attempted yet"
        return _say("○", name, f"{waits}. The chapter goes on with {goes_on}.")
    if why := judge.unavailable(name):
        return _say("○", name, f"it cannot be checked here: {why}. The chapter goes on with {goes_on}.")
    try:
        answer = reader.compile_answer(name, nodes, _shown_in_errors(name, source))
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        said = f"the cell does not run by itself: {type(error).__name__}: {error} {judge.stands_alone(error)}".rstrip()
        return _say("✗", name, said)
    with _patience(name):
        results = judge.run_cases(name, answer, held_out=grading(), replaces=True)
    failing = [r for r in results if r.why]
    if failing:
        return _say("✗", name, f"{feedback(name, results)}\n  The chapter goes on with {goes_on}.")
    passed = f"all {len(results)} cases pass"
    if grading():
        return _say("✓", name, f"{passed}.")
    if Path.cwd().name == "solutions":
        return _say("✓", name, f"{passed}.")  # what stands there is not the student's
    try:
        path = answers.keep(name, reader.text_of(source, nodes))
    except Exception as error:
        return _say("✓", name, f"{passed}, but: {error}")
    place = exercises.PLACES[name]
    kept = f"{passed}. Kept in {answers.shown(path)}: minids.{place.module}.{place.function} is yours now."
    written = judge.file_of(fn)
    if written and os.path.isfile(written) and session.shell() is not None:
        kept += f" It stands in {answers.shown(written)}, which does not go with a notebook: for grading send mine/."
    return _say("✓", name, kept)


def _meant(name, fn):
    """What is wrong with the arguments of a check, and how it was meant."""
    called = next(
        (n for n in (name, fn, getattr(fn, "__name__", None), getattr(name, "__name__", None)) if isinstance(n, str)),
        "",
    )
    functions = {e.name: e.function for e in catalog.every()}
    last = called.split(".")[-1]
    spoken = {s: n for n, f in functions.items() for s in (n.split(".")[-1], f)}
    alike = next((n for n, f in functions.items() if last == f), None)
    close = alike or nearest(called, functions) or spoken.get(nearest(last, spoken))
    meant = f"did you mean check({close!r}, {functions[close]})?" if close else "`minids progress` lists them."
    if not isinstance(name, str):
        return f"check wants the name of an exercise, and then the function: {meant}"
    return f"there is no exercise of this name: {meant}"


def _shown_in_errors(name, source):
    """A file name under which tracebacks, and Triton, find the lines of this text."""
    filename = f"<{name}>"
    linecache.cache[filename] = len(source), None, [f"{line}\n" for line in source.split("\n")], filename
    return filename


@contextlib.contextmanager
def _patience(name, seconds=10):
    """Says how to stop a check that takes long: an endless loop in an answer would hang its cell in silence."""
    out, text = sys.stdout, f"… {name}: still running after {seconds} s. If a loop never ends, interrupt (■ or I, I)."
    timer = threading.Timer(seconds, lambda: print(text, file=out, flush=True))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def feedback(name, results, seed=0):
    """The first failing case in words, and the known mistake behind it."""
    failing = [r for r in results if r.why]
    first, known = failing[0], judge.diagnose(name, results, seed)
    text = f"{len(failing)} of {len(results)} cases fail. The first, {first.case.replace('_', ' ')!r}:\n  {first.why}"
    if first.printed:
        text += "\n    printed  " + first.printed.strip().replace("\n", "\n             ")
    if known:
        text += f"\n  {judge.told(known)}"
    return text


def grading():
    """Whether nbgrader is at work, which wants an exception where points are lost."""
    return os.environ.get("NBGRADER_EXECUTION") == "autograde"


def budget(steps):
    """How many of these training steps a chapter takes: all of them. A tenth where nobody reads the curves, and only
    the way to the end counts: with MINIDS_QUICK=1 (tests of students) and when nbgrader grades."""
    return max(2, steps // 10) if grading() or os.environ.get("MINIDS_QUICK") else steps


def _say(mark, name, text, known=True):
    name = name if isinstance(name, str) else "check"
    print(f"{mark} {name}: {text}", flush=True)
    if grading():
        if mark != "✓":
            raise AssertionError(f"{name}: {text.splitlines()[0]}")
    elif known:
        answers.log(event="check", name=name, mark=mark)


# -- figures -----------------------------------------------------------------------------------------------------------


def show(fig, alt):
    """Displays a matplotlib figure; `alt` says in a sentence or two what one sees, for those who do not."""
    import io

    import matplotlib.pyplot as plt

    if _in_kernel():
        from IPython.display import display

        png = io.BytesIO()
        fig.savefig(png, format="png", metadata={"Software": None, "Description": alt})
        display(
            {"image/png": png.getvalue(), "text/plain": alt},
            raw=True,
            metadata={"image/png": {"alt": alt, "needs_background": "light"}},
        )
    plt.close(fig)


def play(draw, *, shown, alt, **sliders):
    """A slider for who runs the notebook, and a picture for who reads it.

    draw(ax, name=value) draws into axes; each of `sliders` is name=(low, high, step); `shown` lists the settings, one
    tuple of values each, that are drawn side by side where no slider can be: in the stored output, on GitHub, on paper.
    """
    import matplotlib.pyplot as plt

    names = list(sliders)
    fig, axes = plt.subplots(1, len(shown), figsize=(3.2 * len(shown), 2.8), squeeze=False)
    for ax, values in zip(axes[0], shown):
        draw(ax, **dict(zip(names, values)))
        ax.set_title(", ".join(f"{n} = {v:g}" for n, v in zip(names, values)), fontsize=9)
    show(fig, alt)
    if not _in_kernel() or os.environ.get("MINIDS_STATIC"):
        return
    try:
        import ipywidgets
    except ImportError:
        return

    def redraw(**values):
        fig, ax = plt.subplots(figsize=(5, 3))
        draw(ax, **values)
        plt.show()

    kinds = {
        n: (ipywidgets.IntSlider if isinstance(step, int) else ipywidgets.FloatSlider)(
            min=low, max=high, step=step, value=shown[0][i], continuous_update=False
        )
        for i, (n, (low, high, step)) in enumerate(sliders.items())
    }
    ipywidgets.interact(redraw, **kinds)


def _in_kernel():
    return hasattr(session.shell(), "kernel")
