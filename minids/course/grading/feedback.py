"""What comes out of grading for people: lines in the terminal, a page for each student, and one that lists them.

A page is one file without scripts, and a policy in it forbids a browser to load or run anything: what a student wrote
stands on it as text. Characters that turn or hide text are shown as their codes.
"""

import html
import re
import tempfile
from collections import Counter
from pathlib import Path

from minids.errors import MinidsError

_HEAD = """<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>{title}</title>
<style>
:root {{ color-scheme: light dark }}
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 52rem; margin: 2rem auto; padding: 0 1rem }}
table {{ border-collapse: collapse; width: 100% }}
th, td {{ text-align: left; padding: .3rem .6rem; border-bottom: 1px solid #8886; vertical-align: top }}
.n {{ text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap }}
pre {{ overflow-x: auto; padding: .7rem; border: 1px solid #8886; border-radius: 4px; font-size: 14px }}
h2 {{ margin-top: 2.5rem }}
.hint {{ border-left: 4px solid #0072b2; padding-left: .8rem }}
</style></head><body>
"""
_HIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]")


def visible(text):
    """Text without characters that would turn, hide or break it."""
    return _HIDDEN.sub(lambda m: f"\\u{ord(m[0]):04x}", text.replace("\r\n", "\n"))


def escaped(text):
    """Anything as text that is safe inside of HTML."""
    return html.escape(visible(str(text)))


def harmless(text):
    """Text that no spreadsheet takes for a formula."""
    text = visible(text)
    return "'" + text if text.lstrip()[:1] in ("=", "+", "-", "@") or text[:1] in ("\t", "\r", "\n") else text


def lines(submissions):
    """A line for each submission."""
    table = [("student", "chapter", "points", "of", "")]
    for s in submissions:
        chapters = ", ".join(dict.fromkeys(g.chapter for g in s.grades)) or "?"
        right = sum(g.passed == g.cases > 0 for g in s.grades)
        tried = sum(g.source is not None for g in s.grades)
        said = s.error or f"{right} of {len(s.grades)} right, {len(s.grades) - tried} not attempted"
        table.append((visible(s.student), chapters, f"{s.points:g}", f"{s.of}", said))
    widths = [max(len(row[i]) for row in table) for i in range(4)]
    return [f"{a:{widths[0]}}  {b:{widths[1]}}  {c:>{widths[2]}} / {d:<{widths[3]}}  {e}" for a, b, c, d, e in table]


def try_out(folder):
    """Raises MinidsError where pages cannot be written."""
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise MinidsError(f"{folder}: no pages can be written there ({error.strerror or error})") from None


def write(folder, submissions, seed):
    """Writes a page a student and index.html -> the path of that."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    students, used, rows = {}, {"index"}, []
    for s in submissions:
        students.setdefault(s.student, []).append(s)
    for student, sent in students.items():
        name = _file_name(student, used)
        (folder / name).write_text(page(student, sent, seed), encoding="utf-8", newline="\n")
        points, of = total(sent)
        doubts = sum(g.same_as_library for s in sent for g in s.grades)
        notes = [f"{g.exercise}: {g.note}" for s in sent for g in s.grades if g.note]
        said = "; ".join(dict.fromkeys([*(s.error for s in sent if s.error), *notes]))
        rows.append(
            f'<tr><td><a href="{name}">{escaped(student)}</a></td><td class="n">{points:g} / {of}</td>'
            f'<td class="n">{doubts or ""}</td><td>{escaped(said)}</td></tr>'
        )
    text = _HEAD.format(title="Grades") + f"<h1>Grades</h1><p>{len(students)} students, seed {seed}.</p>"
    text += '<table><tr><th>student</th><th class="n">points</th><th class="n">answers that are the library\'s own code'
    text += f"</th><th></th></tr>\n{chr(10).join(rows)}\n</table>\n{_by_exercise(submissions)}</body></html>\n"
    (folder / "index.html").write_text(text, encoding="utf-8", newline="\n")
    return folder / "index.html"


def total(sent):
    """(points, of) of a student: what was sent twice counts once, the better one."""
    best, of = {}, {}
    for grade in (g for s in sent for g in s.grades):
        best[grade.exercise] = max(best.get(grade.exercise, 0), grade.points)
        of[grade.exercise] = grade.of
    return sum(best.values()), sum(of.values())


def page(student, sent, seed):
    """A student's page: points, what failed and why, what they sent."""
    points, of = total(sent)
    parts = [_HEAD.format(title=f"Feedback for {escaped(student)}"), f"<h1>{escaped(student)}: {points:g} of {of}</h1>"]
    for s in sent:
        parts.append(f"<p>{escaped(s.path.name)}{': ' + escaped(s.error) if s.error else ''}</p>")
        for g in s.grades:
            parts.append(f"<h2>{escaped(g.exercise)}: {g.points:g} of {g.of}</h2>")
            if g.code:
                parts.append(f"<p>{g.passed} of {g.cases} cases pass.{' The first that fails:' if g.why else ''}</p>")
            if g.why and g.source is not None:
                parts.append(f"<pre>{escaped(g.why)}</pre>")
            elif g.why:
                parts.append(f"<p>{escaped(g.why)}</p>")
            if g.hint:
                parts.append(f'<p class="hint">{escaped(g.hint)}</p>')
            if g.source is not None:
                parts.append(f"<details><summary>What you sent</summary><pre>{escaped(g.source)}</pre></details>")
    return "\n".join([*parts, f"<p>Seed of the cases: {seed}.</p></body></html>\n"])


def _by_exercise(submissions):
    """Where the class stands: how many got each exercise right, and the mistakes that were named most often."""
    grades = {}
    for g in (g for s in submissions for g in s.grades):
        grades.setdefault(g.exercise, []).append(g)
    rows = []
    for name, found in grades.items():
        tried, right = sum(g.source is not None for g in found), sum(g.passed == g.cases > 0 for g in found)
        hints = Counter(g.hint for g in found if g.hint).most_common(2)
        common = "; ".join(f"{n} × {escaped(hint)}" for hint, n in hints)
        counts = f'<td class="n">{tried}</td><td class="n">{right}</td>'
        rows.append(f"<tr><td>{escaped(name)}</td>{counts}<td>{common}</td></tr>")
    head = '<tr><th>exercise</th><th class="n">attempted</th><th class="n">right</th><th>named most often</th></tr>'
    return f"<h2>Exercises</h2><table>{head}\n{chr(10).join(rows)}\n</table>"


def _file_name(student, used):
    base = re.sub(r"[^A-Za-z0-9_-]+", "-", student).strip("-")[:60] or "student"
    name, n = base, 1
    while name.lower() in used:
        n += 1
        name = f"{base}-{n}"
    used.add(name.lower())
    return f"{name}.html"
