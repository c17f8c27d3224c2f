"""`minids grade`: submissions -> points and feedback. Nothing of a submission is run but the functions it is asked for.

    submissions.py: files -> the text of each answer      sandbox.py: the text -> a function in a process behind fences
    here: function -> cases, held-out cases and an instructor's own, with fresh seeds -> points -> table and pages

Points are in proportion to the cases that pass. Whatever is wrong with a submission (damaged JSON, a syntax error, an
endless loop) costs points there and nowhere else. A case that passes only because the function spoiled its arguments
counts as failed, unless the library's own changes them too.
"""

import csv as csv_format
import importlib.util
import math
import multiprocessing
import os
import secrets
import sys
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

import torch

from minids.course import arguments, cases, catalog, feedback, judge, sandbox, submissions, wire
from minids.course.submissions import Grade
from minids.errors import MinidsError
from minids.progress import Progress
from minids.train.parallel import available_cpus

# -- grading -----------------------------------------------------------------------------------------------------------

_extra = {}  # exercise -> an instructor's cases
_changes = {}  # exercise -> whether the library's own function changes its arguments


def grade_answer(grade, seed, limits=None):
    """Runs the cases on one answer, and writes points and reasons into its grade."""
    name, extra = grade.exercise, _extra.get(grade.exercise, [])
    if grade.source is None:
        return
    if why := judge.unavailable(name):
        raise MinidsError(f"{name} can not be graded here: {why}")
    results, changed = _results(name, grade.code, seed, extra, limits)
    if changed and any(r.why is None for r in results) and not _own_changes(name, seed):
        again, _ = _results(name, grade.code, seed, extra, limits, carry_back=False)
        for result, kept in zip(results, again):
            if result.why is None and kept.why is not None:
                result.why = f"It changes what it was given, and is wrong on what that was before. {kept.why}"
    failed = [r for r in results if r.why is not None]
    grade.cases, grade.passed = len(results), len(results) - len(failed)
    grade.points = math.floor(100 * grade.of * grade.passed / grade.cases) / 100
    grade.why = grade.hint = ""
    if failed:
        first, private = failed[0], results.index(failed[0]) >= len(results) - len(extra)
        reason = "a case of your instructor's" if private else first.why
        grade.why = f"{first.case.replace('_', ' ')}: {reason}"
        known = judge.diagnose(name, results, seed) if not first.held_out else None
        if known:
            grade.hint = judge.told(known)


def _results(name, source, seed, extra, limits, carry_back=True):
    with sandbox.Remote(name, source, limits, carry_back) as remote:
        results = judge.run_cases(name, remote, held_out=True, seed=seed, extra=extra)
    for result in results:
        if result.why is None and sandbox.Stopped.__name__ in result.calls:  # a case that expects some exception
            result.why = f"stopped: {remote.stopped[-1]}"
    return results, remote.changed


def _own_changes(name, seed):
    """Whether the library's own function changes its arguments in these cases. A kernel does nothing else."""
    if name not in _changes and catalog.is_kernel(name):
        _changes[name] = True
    if name not in _changes:
        own, found = catalog.reference(name), []

        def watched(*args, **kwargs):
            known = arguments.changeable(args, kwargs)
            index = wire.Known(known)
            before = [arguments.stated(k, index) for k in known]
            result = own(*args, **kwargs)
            found.append(before != [arguments.stated(k, index) for k in known])
            return result

        judge.run_cases(name, watched, held_out=True, seed=seed)
        _changes[name] = any(found)
    return _changes[name]


def load_private(folder):
    """Reads an instructor's cases: every .py of the folder, written as those in minids/course/cases."""
    files = sorted(Path(folder).glob("*.py"))
    if not files:
        raise MinidsError(f"{folder}: there is no .py file with cases in this folder")
    known, registered = {e.name for e in catalog.exercises()}, cases.load()
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
    """Grades submissions, prints a line for each, writes the table and the pages -> [Submission]."""
    torch.set_num_threads(1)
    os.environ.setdefault("TRITON_INTERPRET", "1")  # before Triton is imported: kernels are graded in its interpreter
    seed = secrets.randbelow(2**31) if seed is None else seed
    chapter = submissions.chapter_named(chapter) if chapter else None
    if csv and not Path(csv).resolve().parent.is_dir():
        raise MinidsError(f"{csv}: there is no such folder")
    if private:
        load_private(private)
        _prove_private(seed)
    sent, done = submissions.collect(paths, chapter), []
    jobs = min(jobs or available_cpus(), -(-len(sent) // 8))  # another process costs some seconds to start
    stand = ", ".join(sandbox.standing())
    print(f"seed {seed} (the same one grades in the same way again); fences: {stand}", flush=True)
    try:
        with Progress("grade", len(sent), "submission") as bar:
            for submission in _graded(sent, seed, private, limits, jobs):
                done.append(submission)
                bar.update(1)
    finally:  # what was graded before an interruption is not lost
        _extra.clear()
        order = [s.path for s in sent]
        done.sort(key=lambda s: order.index(s.path))
        print("\n".join(feedback.lines(done)))
        if csv:
            write_csv(csv, done)
        if html:
            print(f"feedback {feedback.write(html, done, seed)}")
    return done


def _graded(sent, seed, private, limits, jobs):
    if jobs == 1:
        yield from (_grade_one(s, seed, limits) for s in sent)
        return
    how = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(jobs, how, initializer=_begin, initargs=(private,))
    try:
        for task in as_completed([pool.submit(_grade_one, s, seed, limits) for s in sent]):
            yield task.result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _begin(private):
    torch.set_num_threads(1)
    if private:
        load_private(private)


def _grade_one(submission, seed, limits):
    for grade in submission.grades:
        grade_answer(grade, seed, limits)
    return submission


COLUMNS = ("student", "file", "chapter", "exercise", "points", "of", "passed", "cases", "why", "same_as_library")


def write_csv(path, sent):
    """A line an exercise. Text that a spreadsheet would take for a formula gets a ' in front."""
    with open(path, "w", newline="", encoding="utf-8") as file:
        table = csv_format.writer(file)
        table.writerow(COLUMNS)
        for s in sent:
            empty = [Grade("", "", 0, why=s.error)] if not s.grades else []
            for g in s.grades or empty:
                why = ". ".join(" ".join(t.split()) for t in (g.why.partition("\n")[0].rstrip("."), g.hint) if t)
                row = [s.student, str(s.path), g.chapter, g.exercise, f"{g.points:g}", g.of, g.passed, g.cases, why]
                row.append("yes" if g.same_as_library else "")
                table.writerow([feedback.harmless(c) if isinstance(c, str) else c for c in row])


def main(argv=None):
    """`python -m minids.course.grade` is `minids grade`."""
    from minids import cli

    return cli.main(["grade", *(sys.argv[1:] if argv is None else argv)])


if __name__ == "__main__":
    sys.exit(main())
