"""What students send in: files read and answers found, with nothing of them run.

A submission is a notebook, a .py file, or a folder of kept answers (mine/). A notebook may have any name and any order
of cells: its chapter is the one whose exercises it checks, and an answer is the last definition of the function that is
not blank, with what else its cell defines, as in `check`. Damaged files are read only for the chapter they are of.
"""

import json
import os
import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from minids.course import cases, catalog, reader
from minids.errors import MinidsError

LARGEST_FILE, LARGEST_CODE = 32 << 20, 1 << 20
_DEF = re.compile(r"\bdef +(\w{1,100})")
_CHECK = re.compile(r"""\bcheck\( *\\?["']([\w.]{1,200})""")  # a backslash: in the raw text of a damaged notebook
_AROUND = ("mine", "submitted", "submissions", "autograded", "answers")  # folders that name no student


@dataclass
class Grade:
    """One exercise of one submission. `source` is the text of the cell, None where nothing was attempted."""

    exercise: str
    chapter: str
    of: int
    source: str | None = None
    code: str = ""  # the same as Python, for the worker: where it has magics, they have become calls
    points: float = 0.0
    passed: int = 0
    cases: int = 0
    why: str = ""
    hint: str = ""  # the known mistake, and a question that leads on
    same_as_library: bool = False
    note: str = ""  # for the instructor: trouble with the machine, or ways to the library's own code


@dataclass
class Submission:
    path: Path
    student: str = ""
    grades: list = field(default_factory=list)
    error: str = ""  # why nothing could be read

    @property
    def points(self):
        return sum(g.points for g in self.grades)

    @property
    def of(self):
        return sum(g.of for g in self.grades)


class _Unreadable(Exception):
    pass


# -- reading -----------------------------------------------------------------------------------------------------------


def collect(paths, chapter=None):
    """Submissions of files and folders, with the answers in them; `chapter` is that of all, or each says its own."""
    found = [Submission(path) for path in dict.fromkeys(_files(paths))]
    if not found:
        raise MinidsError(f"no notebook and no .py file in {', '.join(map(str, paths))}")
    students = _students([s.path for s in found], {e.chapter for e in catalog.exercises()})
    for submission, student in zip(found, students):
        submission.student = student
        find_answers(submission, chapter)
    chapters = {g.chapter for s in found for g in s.grades}
    for submission in (s for s in found if not s.grades):
        submission.error = submission.error or "no exercise was found in it"
        if len(chapters) == 1:  # it says nothing about its chapter, so it belongs to that of all others
            find_answers(submission, next(iter(chapters)))
    return found


def chapter_named(text):
    """"3", "03" or "03_mla" -> the chapter's full name."""
    names = sorted({e.chapter for e in catalog.exercises()})
    found = [n for n in names if n == text or n.startswith(f"{text.zfill(2)}_")]
    if not found:
        raise MinidsError(f"there is no chapter {text!r} with exercises; there are {', '.join(names)}")
    return found[0]


def _files(paths):
    """A folder of kept answers is one submission; other folders are looked through."""
    known, found = {e.name for e in catalog.exercises()}, []
    for path in map(Path, paths):
        if not path.exists():
            raise MinidsError(f"{path}: there is no such file or folder")
        if not path.is_dir():
            found.append(path)
            continue
        for folder, below, files in os.walk(path):
            below[:] = sorted(b for b in below if not b.startswith((".", "__")))
            if any(f.endswith(".py") and f[:-3] in known for f in files):
                found.append(Path(folder))
                below.clear()
            else:
                found += [Path(folder, f) for f in sorted(files) if f.endswith((".ipynb", ".py")) and f[0] != "."]
    return found


def _students(paths, chapters):
    """Who sent what: the part in which the paths differ, without names of chapters and the like."""

    def parts(path):
        whole = path.resolve()
        names = [*whole.parts[1:-1], whole.stem if whole.is_file() else whole.name]
        return [n for n in names if n not in chapters and n not in _AROUND and not re.fullmatch(r"\d\d", n)] or names

    lists = [parts(p) for p in paths]
    common = os.path.commonprefix(lists)
    ends = os.path.commonprefix([names[len(common) :][::-1] for names in lists]) if len(lists) > 1 else []
    names = ["/".join(p[len(common) : len(p) - len(ends)]) or p[-1] for p in lists]
    return [n.replace("\n", " ") for n in names]


def read(path):
    """The texts of a submission: {exercise name, or None: [cells]}. Raises _Unreadable with the reason."""
    if path.is_dir():
        texts = {p.stem: [_text(p)] for p in sorted(path.glob("*.py"))}
    elif path.suffix == ".ipynb":
        texts = {None: _cells(_text(path))}
    elif path.suffix == ".py":
        texts = {None: [_text(path)]}
    else:
        raise _Unreadable("neither a notebook (.ipynb), nor a .py file, nor a folder of kept answers")
    if sum(len(cell) for cells in texts.values() for cell in cells) > LARGEST_CODE:
        raise _Unreadable(f"more than {LARGEST_CODE >> 20} MiB of code")
    return texts


def _text(path):
    try:
        if not path.is_file():
            raise _Unreadable("not a file")
        if path.stat().st_size > LARGEST_FILE:
            raise _Unreadable(f"larger than {LARGEST_FILE >> 20} MiB")
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise _Unreadable("not a text in UTF-8") from None
    except OSError as error:
        raise _Unreadable(f"cannot be read: {error.strerror}") from None


def _cells(text):
    """The code cells of a notebook of any version."""
    try:
        whole = json.loads(text)
        sheets = [whole, *whole.get("worksheets", [])]
        cells = [cell for sheet in sheets for cell in sheet.get("cells", [])]
        sources = [c.get("source", c.get("input", "")) for c in cells if c.get("cell_type") == "code"]
        return ["".join(source) for source in sources]
    except (ValueError, RecursionError, MemoryError):
        raise _Unreadable("damaged: this is not a whole notebook (it is no valid JSON)") from None
    except (AttributeError, TypeError):
        raise _Unreadable("damaged: this JSON is no notebook") from None


# -- finding -----------------------------------------------------------------------------------------------------------


def find_answers(submission, chapter=None):
    """Fills in the grades of a submission: every exercise of its chapter, with the text of the answer if there is one.

    The chapter is the one whose exercises are checked or, without a check, defined most often.
    """
    try:
        texts, raw = read(submission.path), None
        is_cell = submission.path.suffix == ".ipynb"
        texts = {name: [_Text(text, is_cell) for text in cells] for name, cells in texts.items()}
    except _Unreadable as error:
        texts, submission.error, raw = {}, str(error), _raw(submission.path)
    every = catalog.exercises()
    for name in [chapter] if chapter else _chapters(submission.path, texts, raw, every):
        for found in (e for e in every if e.chapter == name):
            submission.grades.append(grade := Grade(found.name, found.chapter, found.points))
            grade.cases, grade.why = len(cases.load().get(found.name, ())), submission.error or "not attempted"
            cell, node, why = answer(found, texts.get(found.name, texts.get(None, ())))
            grade.why = why or grade.why
            if cell is not None:
                grade.source, grade.code = cell.text, cell.code
                grade.same_as_library = _safe(reader.is_library, node, found.name)


class _Text:
    """A cell or file of a submission, read once for all exercises."""

    def __init__(self, text, is_cell):
        self.text, self.code, self.nodes, self.error = text, "", [], ""
        try:
            self.code = reader.as_python(text) if is_cell else reader.as_file(text)
            self.nodes = reader.definitions(self.code)
        except SyntaxError as error:
            self.error = f"SyntaxError: {error.msg}" + f" (line {error.lineno})" * bool(error.lineno)
        except (ValueError, RecursionError, MemoryError) as error:
            self.error = f"not to be understood as Python ({type(error).__name__})"


def answer(found, cells):
    """(cell, node, "") of the last cell that defines the exercise's function and is not blank, or (None, None, why)."""
    defines, cell, node, why = re.compile(rf"\bdef[\s\\]+{re.escape(found.function)}\b"), None, None, ""
    for c in cells:
        if found.function not in c.text:
            continue
        n = reader.find(c.nodes, found.function)
        if n is None:
            other = reader.mentions(c.nodes, found.function) and reader.missing(c.nodes, found.function)
            why = c.error if c.error and defines.search(c.text) else other or why
        elif not _safe(reader.is_blank, n, found):
            cell, node = c, n
    return (cell, node, "") if cell is not None else (None, None, why)


def _safe(ask, *given):
    """False for what is nested too deeply to be looked at."""
    try:
        return ask(*given)
    except RecursionError:
        return False


def _raw(path):
    try:
        return path.open("rb").read(LARGEST_FILE).decode(errors="replace") if path.is_file() else ""
    except OSError:
        return ""


def _chapters(path, texts, raw, every):
    if None not in texts and texts:
        return sorted({e.chapter for e in every if e.name in texts})
    text = raw if raw is not None else "\n".join(t.text for t in texts[None])
    checked, defined = set(_CHECK.findall(text)), set(_DEF.findall(text))
    votes = Counter(e.chapter for e in every if e.name in checked)
    votes = votes or Counter(e.chapter for e in every if e.function in defined)
    votes = votes or Counter(e.chapter for e in every if path.stem.startswith(e.chapter[:3]))
    return [max(sorted(votes), key=votes.get)] if votes else []
