"""How good the checks are: every planted mistake refused, by the case that is meant for it and by its own name; every
other right way accepted.

    python -m minids.course.strength [CHAPTER …] [--json FILE]
    python -m minids.course.strength --readme       writes the chapters and the totals into README.md
"""

import argparse
import json
import os
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from minids.course import cases, catalog, judge, wrong
from minids.errors import MinidsError
from minids.ship import results


@dataclass
class Strength:
    exercise: str
    chapter: str
    cases: int
    held_out: int
    wrong: int
    refused: int
    by_their_case: int
    named: int  # among those that a visible case refuses
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
    return Strength(
        name, found.chapter, len(own), sum(r.held_out for r in own), len(mistakes), refused, by_case, named, nameable,
        len(ways), accepted, not any(r.why for r in own), complaints,
    )  # fmt: skip


def table(rows):
    """Markdown, a line an exercise and their sum."""
    lines = ["| exercise | cases (held out) | wrong versions refused | named | other right ways accepted |",
             "|---|---|---|---|---|"]  # fmt: skip
    for r in rows:
        lines.append(f"| {r.exercise} | {r.cases} ({r.held_out}) | {r.refused} of {r.wrong} | "
                     f"{r.named} of {r.nameable} | {r.accepted} of {r.alternatives} |")  # fmt: skip

    def total(key):
        return sum(getattr(r, key) for r in rows)

    lines.append(f"| **{len(rows)} exercises** | {total('cases')} ({total('held_out')}) | "
                 f"{total('refused')} of {total('wrong')} | {total('named')} of {total('nameable')} | "
                 f"{total('accepted')} of {total('alternatives')} |")  # fmt: skip
    return "\n".join(lines)


def totals(rows):
    """The sums as a sentence for the README."""
    t = {key: sum(getattr(r, key) for r in rows) for key in
         ("cases", "held_out", "wrong", "refused", "nameable", "named", "alternatives", "accepted")}  # fmt: skip
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
        here = catalog.exercises(source.stem)
        lines.append(f"| [{title}](solutions/{source.stem}.ipynb) | {len(here)} | {sum(e.points for e in here)} | "
                     f"{sum(e.minutes for e in here)} |")  # fmt: skip
    return "\n".join(lines) + "\n"


def write_readme(rows):
    path = catalog.ROOT / "README.md"
    text = results.replaced(path.read_text(encoding="utf-8"), chapters(), "chapters")
    path.write_text(results.replaced(text, totals(rows), "strength"), encoding="utf-8")


def main(argv=None):
    parser = argparse.ArgumentParser(prog="python -m minids.course.strength", description=__doc__.split("\n\n")[0])
    parser.add_argument("chapters", nargs="*", help="numbers, such as 03; all without")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--seed", type=int, default=0, help="of the numbers that cases draw (default 0)")
    parser.add_argument("--readme", action="store_true", help="write the chapters and the totals into README.md")
    asked = parser.parse_args(argv)
    os.environ.setdefault("TRITON_INTERPRET", "1")  # before Triton is imported: kernels are judged in its interpreter
    cases.load()
    chosen = [e for c in asked.chapters or [None] for e in catalog.exercises(c)]
    for e in chosen:
        if why := judge.unavailable(e.name):
            raise MinidsError(f"{e.name} can not be measured here: {why}")
    rows = [measure(e, asked.seed) for e in chosen]
    print(table(rows))
    for r in rows:
        for complaint in r.complaints:
            print(f"! {r.exercise}: {complaint}", file=sys.stderr)
    if asked.readme and not asked.chapters:
        write_readme(rows)
    if asked.json:
        asked.json.write_text(json.dumps([asdict(r) for r in rows], indent=1) + "\n", encoding="utf-8")
    return 1 if any(r.complaints for r in rows) else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except MinidsError as error:
        sys.exit(f"error: {error}")
