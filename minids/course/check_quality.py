"""How good the checks are: every planted mistake refused, by the case that is meant for it and by its own name; every
other right way accepted; and enough of all of them (LEAST).

    minids dev check-quality [CHAPTER …] [--seeds 20] [--json FILE]
    minids dev check-quality --readme            writes the chapters and the totals into README.md
    minids dev check-quality --answers FOLDER    tries answers that were written without sight of the cases

A folder of answers holds a file for each exercise, `layers.rms_norm.py`, with functions wrong_1, wrong_2, …, and
right_1, right_2, …; the first line of each one's docstring says what is wrong with it, or what is different.
"""

import argparse
import ast
import contextlib
import json
import linecache
import os
import re
import signal
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path

from minids import files
from minids.course import cases, catalog, exercises, judge, wrong
from minids.errors import MinidsError
from minids.report import readme_tables

LEAST = {  # figures of Strength -> what an exercise must have, and what that is
    "cases": (4, "cases"),
    "held_out": (1, "held-out cases: @case(NAME, held_out=True)"),
    "wrong": (6, "planted mistakes: @wrong(NAME, …)"),
    "alternatives": (2, "other right ways: @alternative(NAME)"),
}


@dataclass
class Strength:
    """How good one exercise's check is; the numbers are counts.

    exercise, chapter        its id, and the stem of the chapter's file
    cases, held_out          all cases, and those of them that students do not see
    wrong, refused           planted mistakes, and those that some case refuses
    by_their_case            those that the case named with them refuses
    nameable, named          mistakes that a visible case refuses, and those that the student is told by name
    alternatives, accepted   other right ways to write the function, and those that pass
    own_accepted             whether the library's own function passes
    complaints               what is not as it should be, in words
    """

    exercise: str
    chapter: str
    cases: int
    held_out: int
    wrong: int
    refused: int
    by_their_case: int
    named: int
    nameable: int
    alternatives: int
    accepted: int
    own_accepted: bool
    complaints: list


def measure(found, seed=0):
    """The strength of one exercise's check -> Strength; complaints say what is not as it should be."""
    name, complaints = found.name, []
    mistakes, ways = wrong.load()[0].get(name, []), wrong.load()[1].get(name, [])
    own = judge.run_cases(name, catalog.reference(name), held_out=True, seed=seed)
    complaints += [f"the library's own fails {r.case}: {r.why.splitlines()[0]}" for r in own if r.why]
    refused = by_case = named = nameable = 0
    for known in mistakes:
        found_here = judge.run_cases(name, known.fn, held_out=True, seed=seed)
        failing = {r.case: r for r in found_here if r.why}
        refused += bool(failing)
        by_case += known.refused_by in failing
        if not failing:
            complaints.append(f"{known.fn.__name__} is accepted")
        elif known.refused_by not in failing:
            complaints.append(f"{known.fn.__name__} is refused by {', '.join(failing)}, not by {known.refused_by}")
        if any(not r.held_out for r in failing.values()):
            nameable += 1
            told = judge.diagnose(name, found_here, seed)
            named += told is known
            if told is not known:
                complaints.append(f"{known.fn.__name__} is told to be {told.fn.__name__ if told else 'unknown'}")
    accepted = 0
    for way in ways:
        failing = [r for r in judge.run_cases(name, way, held_out=True, seed=seed) if r.why]
        accepted += not failing
        complaints += [f"{way.__name__} fails {r.case}: {r.why.splitlines()[0]}" for r in failing[:1]]
    strength = Strength(
        name,
        found.chapter,
        len(own),
        sum(r.held_out for r in own),
        len(mistakes),
        refused,
        by_case,
        named,
        nameable,
        len(ways),
        accepted,
        not any(r.why for r in own),
        complaints,
    )
    complaints += too_few(strength)
    return strength


def too_few(strength):
    """Of what an exercise has fewer than LEAST says -> complaints."""
    complaints = [
        f"{there} of at least {least} {what}"
        for key, (least, what) in LEAST.items()
        if (there := getattr(strength, key)) < least
    ]
    return complaints + ["no case that a student sees"] * (strength.held_out == strength.cases > 0)


def with_another_seed(found, seed):
    """Who is judged otherwise with this seed -> complaints. Of a mistake only the case that is meant for it runs."""
    mistakes, ways = wrong.load()[0].get(found.name, []), wrong.load()[1].get(found.name, [])
    complaints = [] if _accepted(found.name, catalog.reference(found.name), seed) else ["the library's own is refused"]
    complaints += [f"{way.__name__} is refused" for way in ways if not _accepted(found.name, way, seed)]
    for known in mistakes:
        results = judge.run_cases(found.name, known.fn, held_out=True, seed=seed, only=known.refused_by)
        complaints += [] if any(r.why for r in results) else [f"{known.fn.__name__} passes {known.refused_by}"]
    return complaints


def verdicts(found, seed):
    """Who is accepted with this seed, and who is not: {name of the version: bool}, the library's own as "own"."""
    versions = {"own": catalog.reference(found.name)}
    versions |= {known.fn.__name__: known.fn for known in wrong.load()[0].get(found.name, [])}
    versions |= {way.__name__: way for way in wrong.load()[1].get(found.name, [])}
    return {who: _accepted(found.name, fn, seed) for who, fn in versions.items()}


def _accepted(name, fn, seed):
    return not any(r.why for r in judge.run_cases(name, fn, held_out=True, seed=seed))


def unsteady(found, seeds):
    """Versions whose verdict depends on the seed -> complaints."""
    first, complaints = verdicts(found, 0), []
    for seed in range(1, seeds):
        now = verdicts(found, seed)
        complaints += [
            f"{who} is {'accepted' if now[who] else 'refused'} with seed {seed}, not with seed 0"
            for who in first
            if now[who] != first[who]
        ]
    return complaints


# -- answers written without sight of the cases ------------------------------------------------------------------------


@dataclass
class Round:
    """What became of the answers to one exercise.

    exercise         its id
    wrong, right     answers that are
    seen             wrong ones that a case refuses which a student sees
    refused          wrong ones that these or a held-out case refuses
    named            wrong ones whose mistake is told
    accepted         right ones that pass, with every seed
    notes            what slipped, in words
    """

    exercise: str
    wrong: int = 0
    seen: int = 0
    refused: int = 0
    named: int = 0
    right: int = 0
    accepted: int = 0
    notes: list = field(default_factory=list)


def fresh(path):
    """A file of answers -> [(name, what it says of itself, text of a cell that holds it under the exercise's name)]."""
    text, function = path.read_text(encoding="utf-8"), exercises.PLACES[path.stem].function
    lines, found, shared = text.split("\n"), [], []
    for node in ast.parse(text).body:
        start = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])
        part = "\n".join(lines[start - 1 : node.end_lineno]) + "\n"
        if isinstance(node, ast.FunctionDef) and re.fullmatch(r"(wrong|right)_\d+", node.name):
            about = (ast.get_docstring(node) or "").partition("\n")[0]
            found.append((node.name, about, re.sub(rf"\b{node.name}\b", function, part)))
        else:
            shared.append(part)
    return [(name, about, "".join([*shared, part])) for name, about, part in found]


def try_answers(path, seeds=20):
    """Runs every answer of a file -> Round. A wrong one with one seed, a right one with each of `seeds`."""
    name, row = path.stem, Round(path.stem)
    for who, about, text in fresh(path):
        filename = f"<{name} {who}>"
        linecache.cache[filename] = len(text), None, text.splitlines(True), filename  # for Triton's interpreter
        right, why, fn = who.startswith("right"), [], None
        try:
            fn = judge.compile_answer(name, ast.parse(text).body, filename)
        except Exception as error:
            why = [judge.Result("it does not run by itself", f"{type(error).__name__}: {error}")]
        if fn is not None:
            for seed in range(seeds if right else 1):
                results = judge.run_cases(name, _limited(fn), held_out=True, seed=seed)
                why = [r for r in results if r.why]
                if why:
                    break
        if right:
            row.right, row.accepted = row.right + 1, row.accepted + (not why)
            if why:
                reason = why[0].why.splitlines()[0]
                row.notes.append(f"{who} is refused ({about}): {why[0].case}, seed {seed}: {reason}")
            continue
        visible = any(not r.held_out for r in why)
        known = judge.diagnose(name, results) if visible and fn is not None else None
        row.wrong, row.seen, row.refused = row.wrong + 1, row.seen + visible, row.refused + bool(why)
        row.named += known is not None
        if not why:
            row.notes.append(f"{who} is accepted ({about})")
        elif not visible:
            row.notes.append(f"{who} is refused by held-out cases alone ({about}): {why[0].case}")
    return row


class _limited:
    """A function, each call of which may take a few seconds: an endless loop is an answer like any other."""

    def __init__(self, fn, seconds=20):
        self.fn, self.seconds = fn, seconds

    def __call__(self, *args, **kwargs):
        with self._limit():
            return self.fn(*args, **kwargs)

    def __getattr__(self, attribute):
        return getattr(self.fn, attribute)

    def __getitem__(self, grid):
        return self.fn[grid]

    @contextlib.contextmanager
    def _limit(self):
        def stop(*_):
            raise TimeoutError(f"it took more than {self.seconds} seconds")

        before = signal.signal(signal.SIGALRM, stop)
        signal.alarm(self.seconds)
        try:
            yield
        finally:
            signal.alarm(0)
            signal.signal(signal.SIGALRM, before)


def round_table(rows):
    """One round of written answers as a table in Markdown: a row for each exercise, then the sums."""
    lines = [
        "| exercise | wrong | refused by the check | with held-out cases | named | right | accepted |",
        "|---|---|---|---|---|---|---|",
    ]
    for r in rows:
        lines.append(f"| {r.exercise} | {r.wrong} | {r.seen} | {r.refused} | {r.named} | {r.right} | {r.accepted} |")
    t = {key: sum(getattr(r, key) for r in rows) for key in ("wrong", "seen", "refused", "named", "right", "accepted")}
    share = {
        key: f"{t[key]} ({t[key] / max(t[of], 1):.1%})"
        for key, of in (("seen", "wrong"), ("refused", "wrong"), ("named", "seen"), ("accepted", "right"))
    }
    lines.append(
        f"| **{len(rows)} exercises** | {t['wrong']} | {share['seen']} | {share['refused']} | "
        f"{share['named']} | {t['right']} | {share['accepted']} |"
    )
    return "\n".join(lines)


def table(rows):
    """Markdown, a line per exercise and their sum."""
    lines = [
        "| exercise | cases (held out) | wrong versions refused | named | other right ways accepted |",
        "|---|---|---|---|---|",
    ]
    for r in rows:
        lines.append(
            f"| {r.exercise} | {r.cases} ({r.held_out}) | {r.refused} of {r.wrong} | "
            f"{r.named} of {r.nameable} | {r.accepted} of {r.alternatives} |"
        )

    def total(key):
        return sum(getattr(r, key) for r in rows)

    lines.append(
        f"| **{len(rows)} exercises** | {total('cases')} ({total('held_out')}) | "
        f"{total('refused')} of {total('wrong')} | {total('named')} of {total('nameable')} | "
        f"{total('accepted')} of {total('alternatives')} |"
    )
    return "\n".join(lines)


def totals(rows):
    """The sums as a sentence for the README."""
    t = {
        key: sum(getattr(r, key) for r in rows)
        for key in ("cases", "held_out", "wrong", "refused", "nameable", "named", "alternatives", "accepted")
    }
    return (
        f"{len(rows)} exercises, {t['cases']} cases ({t['held_out']} of them held out); "
        f"**{t['refused']} of {t['wrong']}** planted mistakes refused, "
        f"{t['named']} of the {t['nameable']} that a student's cases can see told by name; "
        f"**{t['accepted']} of {t['alternatives']}** other right ways accepted.\n"
    )


def chapters():
    """The chapters as a Markdown table, from their sources."""
    lines = ["| chapter | exercises | points | minutes of exercises |", "|---|---|---|---|"]
    for source in sorted(catalog.SOURCES.glob("[0-9][0-9]_*.py")):
        title = next(x for x in source.read_text(encoding="utf-8").splitlines() if x.startswith("# # "))[4:]
        here = catalog.every(source.stem)
        lines.append(
            f"| [{title}](solutions/{source.stem}.ipynb) | {len(here)} | {sum(e.points for e in here)} | "
            f"{sum(e.minutes for e in here)} |"
        )
    return "\n".join(lines) + "\n"


def write_readme(rows):
    """Writes the chapters and the totals into README.md, between their marks."""
    path = catalog.ROOT / "README.md"
    text = readme_tables.replaced(path.read_text(encoding="utf-8"), chapters(), "chapters")
    files.write(path, readme_tables.replaced(text, totals(rows), "strength"))


def main(argv=None):
    """`minids dev check-quality`: tries planted mistakes and right ways on every exercise's check; returns the exit
    code."""
    parser = argparse.ArgumentParser(prog="minids dev check-quality", description=__doc__.split("\n\n")[0])
    parser.add_argument("chapters", nargs="*", help="numbers, such as 03; all without")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--seed", type=int, default=0, help="of the numbers that cases draw (default 0)")
    parser.add_argument("--seeds", type=int, default=1, help="as many seeds; each must give the same verdicts")
    parser.add_argument("--answers", type=Path, metavar="FOLDER", help="try the answers of this folder instead")
    parser.add_argument("--readme", action="store_true", help="write the chapters and the totals into README.md")
    asked = parser.parse_args(argv)
    os.environ.setdefault("TRITON_INTERPRET", "1")  # before Triton is imported: kernels are judged in its interpreter
    cases.load()
    chosen = [e for c in asked.chapters or [None] for e in catalog.every(c)]
    for e in chosen:
        if why := judge.unavailable(e.name):
            raise MinidsError(f"{e.name} cannot be measured here: {why}")
    if asked.answers:
        names = {e.name for e in chosen}
        rows = [try_answers(p, asked.seeds) for p in sorted(asked.answers.glob("*.py")) if p.stem in names]
        print(round_table(rows))
        for r in rows:
            print(*(f"! {r.exercise}: {note}" for note in r.notes), sep="\n", end="\n" * bool(r.notes))
        return 0
    rows = [measure(e, asked.seed) for e in chosen]
    for e, row in zip(chosen, rows):
        row.complaints.extend(unsteady(e, asked.seeds))
    print(table(rows))
    for r in rows:
        for complaint in r.complaints:
            print(f"! {r.exercise}: {complaint}", file=sys.stderr)
    if asked.readme and not asked.chapters:
        write_readme(rows)
    if asked.json:
        asked.json.write_text(json.dumps([asdict(r) for r in rows], indent=1) + "\n", encoding="utf-8", newline="\n")
    return 1 if any(r.complaints for r in rows) else 0
