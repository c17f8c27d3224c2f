"""What students send in: files read and answers found, with nothing of them run.

    folders.py: paths -> files, and whose they are      cells.py, reader.py: a file -> its code as Python
    here: the code -> the text of each answer

A notebook may have any name and any order of cells: its chapters are those whose exercises it checks or defines, and an
answer is the last definition of the function that is not blank, with what else its cell defines, as in `check`. Damaged
files are read only for the chapter they are of.
"""

import ast
import re
from collections import Counter
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from minids.course import cases, catalog, reader
from minids.course.exercises import RENAMED, canonical, spellings
from minids.course.grading import cells, folders
from minids.errors import MinidsError

LARGEST_FILE, LARGEST_CODE = 2 << 30, 1 << 20  # bytes, of which most may be outputs; characters
_DEF = re.compile(r"\bdef +(\w{1,100})")
_CHECK = re.compile(r"""\bcheck\( *\\?["']([\w.]{1,200})""")  # a backslash: in the raw text of a damaged notebook


@dataclass
class Grade:
    """One exercise of one submission.

    exercise, chapter   its id, and the stem of the chapter's file
    of, points          what a right answer earns, and what this one earned
    source              text of the cell; None: nothing was attempted
    code                what the worker runs, as Python: where the text has magics, they have become calls; "" where the
                        text has no function that could be run, and `why` says so
    cases, passed       how many cases there are, and how many hold
    why                 what did not hold, in words
    hint                the known mistake, and a question that leads on
    same_as_library     whether it is the library's own code
    note                for the instructor: trouble with the machine, or ways to the library's own code
    """

    exercise: str
    chapter: str
    of: int
    source: str | None = None
    code: str = ""
    points: float = 0.0
    passed: int = 0
    cases: int = 0
    why: str = ""
    hint: str = ""
    same_as_library: bool = False
    note: str = ""


@dataclass
class Submission:
    """A student's file and what it earned.

    path      of the file, or of the folder of kept answers
    student   who sent it, from the part in which the paths differ
    grades    a Grade for each exercise
    error     why nothing could be read
    """

    path: Path
    student: str = ""
    grades: list = field(default_factory=list)
    error: str = ""

    @property
    def points(self):
        """Points earned."""
        return sum(g.points for g in self.grades)

    @property
    def of(self):
        """Points that could be earned in what was sent."""
        return sum(g.of for g in self.grades)


class Sent(list):
    """Submissions; and `unused`: [(path, why it is none)] of the other files in their folders."""

    unused = ()

    def told(self):
        """What an instructor should know of the files, in lines."""
        return folders.told(self.unused, self)


# -- reading -----------------------------------------------------------------------------------------------------------


def collect(paths, chapter=None):
    """Submissions of files and folders, with the answers in them; `chapter` is that of all, or each says its own."""
    found, unused = folders.look(paths)
    if all(f.kind == "nothing" for f in found):
        said = "".join(f"\n  {line}" for line in folders.told(unused, ()))
        raise MinidsError(f"no notebook and no .py file in {', '.join(map(str, paths))}{said}")
    sent = [Submission(f.path, error=f.error) for f in found]
    helpers = folders.helpers(found, [find_answers(s, f.kind, chapter) for f, s in zip(found, sent)])
    unused += [(found[i].path, "it defines no exercise") for i in sorted(helpers)]
    sent = Sent(s for i, s in enumerate(sent) if i not in helpers)
    found = [f for i, f in enumerate(found) if i not in helpers]
    sent.unused = unused
    for submission, student in zip(sent, folders.students(found)):
        submission.student = student
    chapters = {g.chapter for s in sent for g in s.grades}
    for f, submission in zip(found, sent):
        if not submission.grades:
            submission.error = submission.error or "no exercise was found in it"
            if len(chapters) == 1:  # it says nothing about its chapter, so it belongs to that of all others
                find_answers(submission, f.kind, next(iter(chapters)))
    return sent


def chapter_named(text):
    """ "3", "03" or "03_mla" -> the chapter's full name."""
    names = sorted({e.chapter for e in catalog.every()})
    found = [n for n in names if n == text or n.startswith(f"{text.zfill(2)}_")]
    if not found:
        raise MinidsError(f"there is no chapter {text!r} with exercises; there are {', '.join(names)}")
    return found[0]


class _Text:
    """A cell or file of a submission, read once for all exercises."""

    def __init__(self, text, why="", is_cell=False):
        self.text, self.code, self.nodes, self.why, self.unread = text, "", [], "", why
        try:
            self.code = reader.as_python(text) if is_cell else reader.as_file(text)
            self.nodes = reader.definitions(self.code)
        except SyntaxError as error:
            self.why = f"SyntaxError: {error.msg}" + f" (line {error.lineno})" * bool(error.lineno)
        except (ValueError, RecursionError, MemoryError) as error:
            self.why = f"not to be understood as Python ({type(error).__name__})"


def read(path, kind):
    """The texts of a submission: {exercise name, or None: [_Text]}. Raises cells.Unreadable with the reason."""
    if kind == "notebook":
        found = cells.code_cells(path, LARGEST_FILE, LARGEST_CODE)
        return {None: [_Text(text, why, is_cell=True) for text, why in found]}
    if kind == "file":
        return {None: [_Text(cells.text_of(path, LARGEST_FILE, LARGEST_CODE))]}
    known, texts = {e.name for e in catalog.every()}, {}
    for file in sorted(path.iterdir()):
        if folders.is_kept(file, known):
            try:
                text = _Text(cells.text_of(file, LARGEST_FILE, LARGEST_CODE))
            except cells.Unreadable as error:
                text = _Text("", f"{file.name} is {error}")
            texts.setdefault(canonical(file.stem), []).insert(0 if canonical(file.stem) != file.stem else 1, text)
    return texts


# -- finding -----------------------------------------------------------------------------------------------------------


def find_answers(submission, kind, chapter=None):
    """Fills in the grades of a submission: every exercise of its chapters, with the text of the answer if there is one.

    -> the chapters that it says it is of, whatever `chapter` is: those whose exercises are checked or, where nothing
    is, defined with the parameters that they have.
    """
    texts, raw = {}, None
    try:
        if not submission.error:  # a link is not opened
            texts = read(submission.path, kind)
    except cells.Unreadable as error:
        submission.error, raw = str(error), _raw(submission.path)
    every = catalog.every()
    unread = [t.unread for found in texts.values() for t in found if t.unread]
    own = _chapters(submission.path, texts, raw, every)
    for name in [chapter] if chapter else own:
        for found in (e for e in every if e.chapter == name):
            submission.grades.append(grade := Grade(found.name, found.chapter, found.points))
            grade.cases, grade.why = len(cases.load().get(found.name, ())), submission.error or "not attempted"
            text, code, node, why = answer(found, texts.get(found.name, texts.get(None, ())), every)
            if text is not None:
                grade.source, grade.code, grade.why = text, code, why or grade.why
                grade.same_as_library = node is not None and _safe(reader.is_library, node, found.name)
            elif why or unread:
                grade.why = why or f"not attempted; {len(unread)} of its cells cannot be read: {unread[0]}"
    return own


def answer(found, texts, every):
    """(text, code, node, why) of the last one that defines the exercise's function and is not blank.

    Without one: the last attempt that cannot be run, with no code and with the reason; or no text at all. Two exercises
    may have functions of one name (`accept`): the other's is known by its parameters.
    """
    others = {_asks(e.name) for e in every if e.function == found.function and e.name != found.name}
    spelled = "|".join(map(re.escape, spellings(found.name)))
    defines, last, attempt = re.compile(rf"\bdef[\s\\]+({spelled})\b"), None, (None, "", None, "")
    for t in texts:
        if not re.search(spelled, t.text):
            continue
        nodes = [n for n in t.nodes if not (others and _is_of(n, found.function, others))]
        node = reader.find(nodes, found.function)
        if node is None:
            own = [n for n in nodes if not _of_library(n)]  # another exercise's cell may import this one
            instead = reader.mentions(own, found.function) and reader.missing(own, found.function)
            if not instead and defines.search(t.text):
                magic = re.match(r"\s*(%%\w+)", t.text)
                instead = magic and f"`def {found.function}` stands in a cell of {magic[1]}, which leaves no function"
            if why := t.why if t.why and defines.search(t.text) else instead:
                attempt = t.text, "", None, why
        elif not _safe(reader.is_blank, node, found):
            last = t.text, t.code if len(nodes) == len(t.nodes) else reader.text_of(t.code, nodes), node, ""
    return last or attempt


def _of_library(node):
    return isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "minids"


def _is_of(node, function, others):
    return isinstance(node, ast.FunctionDef) and node.name == function and reader.parameters(node) in others


def _safe(ask, *given):
    """False for what is nested too deeply to be looked at."""
    try:
        return ask(*given)
    except RecursionError:
        return False


def _raw(path):
    """The beginning of a damaged file, to see what chapter it is of."""
    try:
        with cells.opened(path, float("inf")) as file:
            return file.read(8 << 20).replace(b"\0", b"").decode(errors="replace")  # in UTF-16 every second byte is 0
    except (OSError, cells.Unreadable):
        return ""


def _chapters(path, texts, raw, every):
    """The chapters that a submission is of, those that it says most of first."""
    if None not in texts and texts:
        return sorted({e.chapter for e in every if e.name in texts})
    text = raw if raw is not None else "\n".join(t.text for t in texts.get(None, ()))
    checked, defined = set(map(canonical, _CHECK.findall(text))), {RENAMED.get(n, n) for n in _DEF.findall(text)}
    votes = Counter(e.chapter for e in every if e.name in checked)
    defs = [n for t in texts.get(None, ()) for n in t.nodes if isinstance(n, ast.FunctionDef)]
    asked = {(n.name, reader.parameters(n)) for n in defs}
    own = Counter(e.chapter for e in every if (e.function, _asks(e.name)) in asked)
    if not votes and not own:  # other parameters, or no Python: the one that fits best
        votes = Counter(e.chapter for e in every if e.function in defined)
        votes = votes or Counter(e.chapter for e in every if path.stem.startswith(e.chapter[:3]))
        return [max(sorted(votes), key=votes.get)] if votes else []
    # a notebook that checks may define another chapter's function as a helper; most of a chapter is no helper
    sizes = Counter(e.chapter for e in every)
    return sorted({*votes, *(c for c in own if not votes or 2 * own[c] > sizes[c])})


@cache
def _asks(name):
    return reader.parameters(ast.parse(catalog.solution(name)).body[0])
