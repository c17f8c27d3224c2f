"""The table of points on its way to the disk: rows as they come, so that what was graded is never lost.

    grades.csv           a row per exercise: at first as they were graded, in the end in the order of the files
    grades.csv.partial   until then, what a row has no room for: with it the same command goes on where it was

A table that is there is written anew, and only by a run that grades all of its files again: no row is lost. Any other
file is left as it is. The table begins with a byte order mark, without which Excel takes "Müller" for "MÃ¼ller". Text
that a spreadsheet would take for a formula gets a ' in front.
"""

import csv
import hashlib
import io
import json
from pathlib import Path

from minids import files
from minids.course.grading import feedback
from minids.errors import MinidsError

COLUMNS = (
    "student",
    "file",
    "chapter",
    "exercise",
    "points",
    "of",
    "passed",
    "cases",
    "why",
    "same_as_library",
    "note",
)
KEPT = ("points", "passed", "cases", "why", "hint", "note")  # what grading finds out


class Table:
    """A CSV in the making. Raises MinidsError at once where it cannot be written, or is a file of another kind."""

    def __init__(self, path):
        self.path, self.partial = Path(path), Path(f"{path}.partial")
        self.plain = not self.path.exists() or self.path.is_file()  # not: /dev/stdout
        self.done, self.file, self.journal = {}, None, None
        self.encoding = "utf-8-sig" if self.plain else "utf-8"
        self.new = not self.path.exists()
        if not self.path.resolve().parent.is_dir():
            raise MinidsError(f"{path}: there is no such folder")
        try:
            self.before = self._before() if self.plain and not self.new else []
            with open(self.path, "a", encoding="utf-8", newline="\n"):
                pass
            if self.plain:
                with open(self.partial, "a", encoding="utf-8", newline="\n"):
                    pass
        except OSError as error:
            raise _unwritable(path, error) from None

    def _before(self):
        """The rows of the table that is there."""
        with open(self.path, encoding="utf-8-sig", errors="replace", newline="") as file:
            try:
                header, *rows = csv.reader(file) if self.path.stat().st_size else [COLUMNS]
            except csv.Error:  # a NUL
                header, rows = (), []
        if tuple(header) != COLUMNS:
            raise MinidsError(f"{self.path} is there and is no table of grades: choose another name for --csv")
        return [dict(zip(COLUMNS, r)) for r in rows if len(r) == len(COLUMNS)]  # the last may be cut off

    def keeps_all(self, sent, chapter=None):
        """Raises MinidsError if the table has rows that grading these submissions (in this chapter) does not renew."""
        files = {feedback.harmless(str(s.path)) for s in sent}
        lost = [r for r in self.before if r["file"] not in files or chapter and r["chapter"] not in ("", chapter)]
        if lost:
            names = [*dict.fromkeys(r["file"] for r in lost)]
            more = f" and {len(names) - 5} more" if len(names) > 5 else ""
            raise MinidsError(
                f"{self.path} has {len(lost)} rows that would be lost, for this run does not grade them: "
                f"{', '.join(names[:5])}{more}. Choose another name for --csv, grade those too, or delete the table"
            )

    def resume(self, what, seed):
        """Reads what an earlier run left, if it graded the same (`what`) with the same seed -> that seed, or `seed`."""
        if not self.plain:
            return seed
        lines = self.partial.read_bytes().splitlines()
        try:
            first = json.loads(lines[0])
            if first["what"] != what or seed not in (None, first["seed"]):
                return seed
            for line in lines[1:]:
                try:
                    row = json.loads(line)
                    self.done[row["file"], row["exercise"], row["source"]] = {k: row[k] for k in KEPT}
                except (ValueError, KeyError, TypeError):  # cut off in the middle
                    continue
            return first["seed"]
        except (IndexError, ValueError, KeyError, TypeError):
            return seed

    def start(self, what, seed):
        """Begins the journal anew, with what is taken over from it."""
        if self.plain:
            self._try(self._start, what, seed)

    def _start(self, what, seed):
        lines = [{"what": what, "seed": seed}]
        for (file, exercise, source), found in self.done.items():
            lines.append({"file": file, "exercise": exercise, "source": source, **found})
        files.write(self.partial, "".join(json.dumps(line) + "\n" for line in lines))
        self.journal = open(self.partial, "a", encoding="utf-8", newline="\n")
        self.file = open(self.path, "w", newline="", encoding=self.encoding)
        csv.writer(self.file).writerow(COLUMNS)

    def known(self, submission, grade):
        """What an earlier run found out about this answer, or None."""
        return self.done.get(_key(submission, grade))

    def add(self, submission, grade):
        """A row that is ready."""
        if self.plain:
            self._try(self._add, submission, grade)

    def _add(self, submission, grade):
        if grade.code and _key(submission, grade) not in self.done:
            file, exercise, source = _key(submission, grade)
            found = {k: getattr(grade, k) for k in KEPT}
            self._line({"file": file, "exercise": exercise, "source": source, **found})
        csv.writer(self.file).writerow(row(submission, grade))
        self.file.flush()

    def finish(self, graded, whole):
        """The table in the order of the files; what is only needed to go on is removed when it is `whole`."""
        self._try(self._finish, graded, whole)

    def _finish(self, graded, whole):
        text = io.StringIO(newline="")
        table = csv.writer(text)
        table.writerow(COLUMNS)
        table.writerows(row(s, g) for s, g in graded)
        with self.file or open(self.path, "w", newline="", encoding=self.encoding) as file:
            if self.file is not None:
                file.seek(0)
                file.truncate()
            file.write(text.getvalue())
        if self.journal is not None:
            self.journal.close()
            if whole:
                self.partial.unlink(missing_ok=True)

    def give_up(self):
        """Where nothing was begun, nothing is left behind."""
        if self.file is None and self.plain:
            for path in (self.path,) * self.new + (self.partial,):
                if path.exists() and path.stat().st_size == 0:
                    path.unlink()

    def _line(self, value):
        self.journal.write(json.dumps(value) + "\n")
        self.journal.flush()

    def _try(self, write, *args):
        try:
            write(*args)
        except OSError as error:
            raise _unwritable(self.path, error) from None


def row(s, g):
    """The cells of one line of the CSV, for submission s and grade g."""
    why = ". ".join(" ".join(t.split()) for t in (g.why.partition("\n")[0].rstrip("."), g.hint) if t)
    cells = [s.student, str(s.path), g.chapter, g.exercise, f"{g.points:g}", g.of, g.passed, g.cases, why]
    cells += ["yes" if g.same_as_library else "", g.note]
    return [feedback.harmless(c) if isinstance(c, str) else c for c in cells]


def _key(submission, grade):
    source = hashlib.sha256(grade.source.encode(errors="surrogatepass")).hexdigest()[:16]
    return str(submission.path), grade.exercise, source


def _unwritable(path, error):
    return MinidsError(f"{path} cannot be written ({error.strerror or error}): choose another place")
