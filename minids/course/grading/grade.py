"""`minids grade`: submissions -> points and feedback. Nothing of a submission is run but the functions it is asked for.

    submissions.py: files -> the text of each answer      sandbox.py: the text -> a function in a process behind fences
    here: function -> cases, held-out cases and an instructor's own, with fresh seeds -> points -> table and pages

    grader   reads files, holds no result of a student's        apart.py: its jobs      table.py: rows as they come
      └ job      one for each answer, forked: asks the worker, decodes what it says, judges; limits of memory and time

Points are in proportion to the cases that pass. An answer earns nothing if all that passes are cases that expect an
exception, or if it gives the same in every call: that much is to be had without an idea. Whatever is wrong with a
submission (damaged JSON, a syntax error, an endless loop) costs points there and nowhere else. What may be the
machine's fault (too slow by the clock, a process that was killed) is graded once more in the end, alone, and noted for
the instructor.
"""

import ast
import contextlib
import hashlib
import importlib.util
import math
import os
import secrets
import signal
import sys
import threading
from pathlib import Path

import torch

from minids.course import cases, catalog, judge, wrong
from minids.course.grading import apart, feedback, sandbox, submissions
from minids.course.grading.submissions import Grade
from minids.course.grading.table import KEPT, Table
from minids.errors import MinidsError
from minids.progress import Progress
from minids.train.parallel import available_cpus

# -- grading -----------------------------------------------------------------------------------------------------------

_extra = {}  # exercise -> an instructor's cases


def grade_answer(grade, seed, limits=None):
    """Runs the cases on one answer, writes points and reasons into its grade -> what may be the machine's fault, or "".

    This decodes what a stranger's process says: `grade_files` calls it in a job.
    """
    name, extra = grade.exercise, _extra.get(grade.exercise, [])
    results, trouble = _results(name, grade.code, seed, extra, limits)
    failed = [r for r in results if r.why is not None]
    grade.cases, grade.passed = len(results), len(results) - len(failed)
    grade.points = math.floor(100 * grade.of * grade.passed / grade.cases) / 100
    grade.why = grade.hint = ""
    if failed:
        first, private = failed[0], results.index(failed[0]) >= len(results) - len(extra)
        reason = "a case of your instructor's" if private else first.why[:20_000]
        grade.why = f"{first.case.replace('_', ' ')}: {reason}"
        if nothing := judge.earns_nothing(name, results):
            grade.points = 0.0
            grade.why = f"no points, for {nothing}. {grade.why}"
        known = judge.diagnose(name, results, seed) if not first.held_out else None
        if known:
            grade.hint = judge.told(known)
    return trouble


def _results(name, source, seed, extra, limits):
    with sandbox.Remote(name, source, limits) as remote:
        results = judge.run_cases(name, remote, held_out=True, seed=seed, extra=extra)
    for result in results:
        if result.why is None and _NONE.intersection(c for c in result.calls if isinstance(c, str)):
            result.why = remote.no_result or "it gave no result"  # a case that expects some exception
    return results, remote.trouble


_NONE = {sandbox.Stopped.__name__, sandbox.Unsendable.__name__}
_WAYS = {
    "gc",
    "importlib",
    "inspect",
    "ctypes",
    "sys",
    "linecache",
    "marshal",
    "pkgutil",
    "runpy",
    "exec",
    "eval",
    "compile",
    "open",
    "__import__",
    "__globals__",
    "__wrapped__",
    "__code__",
    "__closure__",
    "__loader__",
    "__spec__",
    "__kwdefaults__",
    "dispatch",
    "catalog",
}


def ways(source):
    """The names in an answer by which one could get at code that is not the student's: no proof, a reason to look."""
    found = set()
    for node in (n for top in judge.definitions(source) for n in ast.walk(top)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [*(a.name for a in node.names), getattr(node, "module", None) or ""]
            found |= {part for name in names for part in name.split(".")}
        elif isinstance(node, ast.Name | ast.Attribute):
            found.add(node.id if isinstance(node, ast.Name) else node.attr)
    return sorted(found & _WAYS)


def load_private(folder):
    """Reads an instructor's cases: every .py of the folder, written as those in minids/course/cases."""
    files = sorted(Path(folder).glob("*.py"))
    if not files:
        raise MinidsError(f"{folder}: there is no .py file with cases in this folder")
    known, registered = {e.name for e in catalog.every()}, cases.load()
    before = {name: len(found) for name, found in registered.items()}
    _extra.clear()
    for path in files:
        spec = importlib.util.spec_from_file_location(f"private_{path.stem}", path)
        try:
            module = importlib.util.module_from_spec(spec)
            sys.modules[spec.name] = module
            spec.loader.exec_module(module)
        except Exception as error:
            raise MinidsError(f"{path}: {type(error).__name__}: {error}") from error
    for name in list(registered):
        _extra[name] = registered[name][before.get(name, 0) :]
        del registered[name][before.get(name, 0) :]
        for case in _extra[name]:
            case.held_out = True
            if name not in known:
                raise MinidsError(f"{folder}: case {case.__name__} is for {name}, which is no exercise")


def _prove_private(seed):
    """The library's own must pass an instructor's cases, here and across the wire, or the case is at fault."""
    for name, extra in _extra.items():
        if not extra:
            continue
        for results in (
            judge.run_cases(name, catalog.reference(name), seed=seed, extra=extra),
            _results(name, catalog.solution(name), seed, extra, None)[0],
        ):
            for result in results[len(results) - len(extra) :]:
                if result.why is not None:
                    raise MinidsError(f"your case {result.case!r} refuses the library's own {name}: {result.why}")


# -- the batch ---------------------------------------------------------------------------------------------------------


def grade_files(paths, *, csv=None, html=None, private=None, chapter=None, jobs=None, seed=None, limits=None):
    """Grades submissions, prints a line for each, writes the table and the pages -> [Submission].

    With a table, an interrupted run goes on where it was: the same command grades only what is missing.
    """
    torch.set_num_threads(1)
    os.environ.setdefault("TRITON_INTERPRET", "1")  # before Triton is imported: kernels are graded in its interpreter
    limits = limits or sandbox.Limits()
    chapter = submissions.chapter_named(chapter) if chapter else None
    if html:
        feedback.try_out(html)
    table = Table(csv) if csv else None
    try:
        if private:
            load_private(private)
        sent = submissions.collect(paths, chapter)
        if table:
            table.keeps_all(sent, chapter)
        print("".join(f"{line}\n" for line in sent.told()), end="", flush=True)
        answers = [(s, g) for s in sent for g in s.grades if g.code]
        for name in dict.fromkeys(g.exercise for _, g in answers):
            if why := judge.unavailable(name):
                raise MinidsError(f"{name} cannot be graded here: {why}")
        what = _fingerprint(private, limits)
        seed = table.resume(what, seed) if table else seed
        seed = secrets.randbelow(2**31) if seed is None else seed
        places = [sandbox.nursery_here()]
        stand = ", ".join(sandbox.standing())
        print(f"seed {seed} (the same one grades in the same way again); fences: {stand}", flush=True)
        with _stopped_by_exception():
            _prove(seed, limits, places)
            return _grade_batch(sent, answers, seed, limits, jobs, table, what, html, places)
    finally:
        _extra.clear()
        if table:
            table.give_up()


def _grade_batch(sent, answers, seed, limits, jobs, table, what, html, places):
    every = [(s, g) for s in sent for g in s.grades or [Grade("", "", 0, why=s.error)]]
    ready, whole = set(), False

    def add(s, g):
        ready.add(id(g))
        if table:
            table.add(s, g)

    try:
        if table:
            table.start(what, seed)
        for s, g in every:
            found = table.known(s, g) if table and g.code else None
            if g.code and not found:
                g.note = f"uses {', '.join(found)}: look at it" if (found := ways(g.code)) else ""
                continue
            vars(g).update(found or {})
            add(s, g)
        missing = [(s, g) for s, g in answers if id(g) not in ready]
        if len(missing) < len(answers):
            print(f"{len(answers) - len(missing)} answers were graded before, {len(missing)} are left", flush=True)
        with Progress("grade", len(missing), "answer") as bar:
            for s, g in _graded(missing, seed, limits, jobs, places):
                add(s, g)
                bar.update(1)
        whole = True
    finally:
        done = [(s, g) for s, g in every if id(g) in ready]
        said = sent if whole else [s for s in sent if all(id(g) in ready for g in s.grades)]
        print("\n".join(feedback.lines(said)), flush=True)
        if table:
            table.finish(done, whole)
        if html:
            print(f"feedback {feedback.write(html, said, seed)}")
        if not whole:
            go_on = "the same command goes on from here" if table else "with --csv the same command could go on"
            print(f"stopped: {len(done)} of {len(every)} rows are there; {go_on}", flush=True)
    return sent


def _graded(answers, seed, limits, jobs, places):
    """Grades (submission, grade) in processes that may die; again, alone, what that or a slow machine has spoiled."""
    jobs = max(1, min(jobs or available_cpus(), -(-len(answers) // 8)))  # another nursery costs some seconds to start
    more = [sandbox.Nursery() for _ in range(jobs - 1)]
    places, doubtful = [*places, *more], []
    wrong.load()  # once here, not in every job
    try:
        for (s, g), trouble in _once(answers, seed, limits, places):
            if trouble:
                doubtful.append((s, g, trouble))
            else:
                yield s, g
        first = {id(g): trouble for _, g, trouble in doubtful}
        for (s, g), trouble in _once([(s, g) for s, g, _ in doubtful], seed, limits, places[:1]):
            if trouble:
                g.note = _joined(g.note, f"failed twice, the second time alone: {trouble}: look at it yourself")
            else:
                g.note = _joined(g.note, f"graded again, alone: at first {first[id(g)]}")
            yield s, g
    finally:
        for place in places[1:]:
            place.close()


def _once(answers, seed, limits, places):
    def start(answer, place):
        if not places[place].alive():
            places[place] = sandbox.renewed(places[place])

        def work():
            sandbox.take_over(places[place])
            trouble = grade_answer(answer[1], seed, limits)
            return [trouble, {k: getattr(answer[1], k) for k in KEPT}]

        return apart.Job(work, limits.whole, limits.judge)

    for answer, place, outcome in apart.each(answers, start, len(places)):
        if "error" in outcome:
            raise MinidsError(outcome["error"])
        if "done" in outcome:
            trouble, found = outcome["done"]
            vars(answer[1]).update(found)
        else:
            trouble = outcome["died"]
            answer[1].why = f"no result: {trouble}"
            places[place] = sandbox.renewed(places[place])
        yield answer, trouble


def _prove(seed, limits, places):
    """_prove_private in a job: this process computes nothing, so that it can be forked."""
    if any(_extra.values()):

        def work():
            sandbox.take_over(places[0])
            _prove_private(seed)

        for _, _, outcome in apart.each([None], lambda *_: apart.Job(work, 600, limits.judge), 1):
            if "done" not in outcome:
                raise MinidsError(outcome.get("error") or f"your cases: {outcome['died']}")


def _joined(*notes):
    return "; ".join(n for n in notes if n)


def _fingerprint(private, limits):
    """What grades depend on besides submissions and seed: only where it is the same a table is gone on with."""
    package = Path(sandbox.__file__).parents[2]
    files = [*sorted(package.rglob("*.py")), *(sorted(Path(private).glob("*.py")) if private else [])]
    what = [repr((torch.__version__, limits, catalog.every())), *(f.read_text(encoding="utf-8") for f in files)]
    return hashlib.sha256("\0".join(what).encode()).hexdigest()[:16]


@contextlib.contextmanager
def _stopped_by_exception():
    """SIGTERM and a closed terminal end this process by an exception, as Ctrl-C does: what was graded is kept."""

    def stop(number, frame):
        signal.signal(number, signal.SIG_IGN)
        raise SystemExit(128 + number)

    here = threading.current_thread() is threading.main_thread()
    numbers = [n for n in apart.ENDING if n != signal.SIGINT] if here else []
    before = {n: signal.signal(n, stop) for n in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
