"""`minids progress`: which parts are the student's, points, what is next, time spent; in the terminal or as a page.

Time spent is counted from mine/log.jsonl: the pauses between two events of at most a quarter of an hour. It is the
student's own, and no grader reads it.
"""

from html import escape
from pathlib import Path

from minids.course import answers, catalog
from minids.course.exercises import canonical
from minids.errors import MinidsError
from minids.report import page

PAUSE = 15 * 60  # seconds; a longer gap between two events was a break


def standing():
    """[(exercise, state)] in the order of the chapters; the state is "yours", "left out", "tried" or "open"."""
    book = answers.ledger()
    tried = {canonical(str(e.get("name"))) for e in answers.events() if e.get("mark") == "✗"}

    def state(name):
        if name in book["yours"]:
            return "yours"
        return "left out" if name in book["left_out"] else "tried" if name in tried else "open"

    return [(e, state(e.name)) for e in catalog.every()], book


def time_spent():
    """Seconds between events that are close together."""
    times = sorted(e["time"] for e in answers.events())
    return sum(gap for gap in (b - a for a, b in zip(times, times[1:])) if gap <= PAUSE)


def summary(rows):
    """(parts yours, parts, points yours, points, the next open exercise or None)"""
    yours = [e for e, state in rows if state == "yours"]
    following = next((e for e, state in rows if state != "yours"), None)
    return len(yours), len(rows), sum(e.points for e in yours), sum(e.points for e, _ in rows), following


def text():
    """What `minids progress` prints: each exercise with its state, points, time spent, and what is next."""
    rows, book = standing()
    if not rows:
        return "There are no chapters here: chapters/src is empty."
    yours, parts, points, of, following = summary(rows)
    lines, chapter = [], None
    marks = {"yours": "✓", "left out": "!", "tried": "✗", "open": "○"}
    for e, state in rows:
        if e.chapter != chapter:
            chapter = e.chapter
            lines.append(f"\n{chapter[:2]}  {chapter[3:].replace('_', ' ')}")
        lines.append(f"  {marks[state]} {e.name:26} {e.points} point{'s' * (e.points != 1)}")
    lines.append(f"\n{answers.status(book)}\n{points} of {of} points; {_hours(time_spent())} spent.")
    if following:
        where = f"chapters/{following.chapter}.ipynb"
        lines.append(f"Next: {following.name}, in {where} (about {following.minutes} minutes).")
    else:
        lines.append("All of it is yours. Next: minids run tiny --mine")
    return "\n".join(lines).lstrip("\n")


def write_html(path):
    """Writes the page and returns its path."""
    if Path(path).is_dir():
        raise MinidsError(f"{path} is a folder: name the file of the page, as in {Path(path) / 'progress.html'}")
    rows, book = standing()
    yours, parts, points, of, following = summary(rows)
    body = [
        "<header>" + page.paragraph("minids · progress", "kicker"),
        f"<h1>{yours} of {parts} parts of this minids are yours</h1>",
        page.facts([(f"{points} of {of}", "points"), (_hours(time_spent()), "spent in the chapters")]),
        "</header><main>",
    ]
    for chapter in dict.fromkeys(e.chapter for e, _ in rows):
        here = [(e, state) for e, state in rows if e.chapter == chapter]
        cells = "".join(
            f"<tr><td>{escape(e.name)}</td><td>{state}</td><td>{e.points}</td><td>{e.minutes} min</td></tr>"
            for e, state in here
        )
        done = sum(state == "yours" for _, state in here)
        title = f"{chapter[:2]} {escape(chapter[3:].replace('_', ' '))}: {done} of {len(here)}"
        head = "<tr><th>part</th><th>state</th><th>points</th><th>planned</th></tr>"
        body.append(f"<h2>{title}</h2><table>{head}{cells}</table>")
    for name, why in book["left_out"].items():
        body.append(page.paragraph(f"{name} is left out: {why.splitlines()[0]}. Its file in mine/ is untouched."))
    if following:
        body.append(page.paragraph(f"Next: {following.name} in chapters/{following.chapter}.ipynb."))
    body.append("</main>")
    answers.write(Path(path), page.document("minids: progress", "\n".join(body)))
    return path


def _hours(seconds):
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min"
