"""Which files are submissions, whose they are, and why the others are not used.

A submission is a notebook, a .py file, or the kept answers (attention.attend.py, …) of one folder; such files
beside notebooks leave those what they are. Links are not followed, for a link to a neighbour's file is no work of one's
own. Nothing is passed over in silence: every other file and folder is in `unused`, with the reason, and a student's
folder with nothing to grade is a submission with an error.

Whose: the part in which the paths differ, without chapters (or copies: `Copy of 00_the_bill (1)`) and folders such as
mine/ or week 2/. Two files have one student only if they lie so in one folder of theirs, or are named alike in folders
of two chapters; others are told apart by more of their paths. One name in two spellings of Unicode is one name.
"""

import os
import re
import unicodedata
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

from minids.course import catalog
from minids.course.exercises import canonical
from minids.course.grading.feedback import visible
from minids.errors import MinidsError

NOTEBOOKS, FILES = (".ipynb", ".ipynb.txt", ".ipynb.json"), (".py", ".py.txt")  # browsers add .txt and .json
_ARCHIVES = (".zip", ".gz", ".tgz", ".tar", ".bz2", ".xz", ".7z", ".rar")
_AROUND = ("mine", "submitted", "submissions", "autograded", "answers")  # folders that name no student
_WEEK = re.compile(r"(?:week|woche|assignment|homework|sheet|blatt|exercise|chapter|kapitel)s?[ _-]*\d+", re.I)
_COPY = re.compile(r"(?:copy of |kopie von )*(.*?)(?: ?\(\d+\)|[-_ ]+(?:copy|kopie)\d*)*", re.I | re.S)
_NEITHER = "neither a notebook (.ipynb), nor a .py file, nor a folder of kept answers"
_LINK = "a link to another file, and links are not followed: put the file itself there"


@dataclass(frozen=True)
class Found:
    """What a submission may be.

    path    a notebook, a file, the folder whose kept answers it is, or a folder with nothing in it to grade
    kind    "notebook", "file", "kept" or "nothing"
    error   why it is not read
    """

    path: Path
    kind: str
    error: str = ""

    @property
    def is_file(self):
        """Whether it is one file."""
        return self.kind in ("notebook", "file")


def ending(path, endings):
    """The one of these endings that a name has, in any spelling; ""."""
    return next((e for e in endings if path.name.lower().endswith(e)), "")


def stem(path, kind):
    """The name without the ending that its kind has."""
    return path.name if kind in ("kept", "nothing") else path.name[: -len(ending(path, NOTEBOOKS + FILES)) or None]


def look(paths):
    """([Found], [(path, why it is not used)]) of files and folders."""
    found, unused = {}, []
    for path in map(Path, paths):
        if not os.path.lexists(path):
            raise MinidsError(f"{path}: there is no such file or folder")
        if path.is_symlink() or not path.is_dir():
            new = [_one(path) or Found(path, "file", _LINK if path.is_symlink() else _other(path))]
        else:
            new = _walk(path, unused)
            new += _with_nothing(path, new, unused, len(paths) > 1)
        for f in new:  # what is given twice counts once
            found.setdefault((os.path.abspath(f.path), f.kind), f)
    return _hard_links(list(found.values())), unused


def _one(path):
    """A file as a submission, or None."""
    kind = "notebook" if ending(path, NOTEBOOKS) else "file" if ending(path, FILES) else ""
    if path.is_symlink():
        return Found(path, kind or "file", _LINK) if kind or path.is_dir() else None
    if kind:
        return Found(path, kind)
    return Found(path, "file", f"{_NEITHER}: unpack this archive") if ending(path, _ARCHIVES) else None


def _other(path):
    if path.is_symlink():
        return _LINK
    return _NEITHER if path.is_file() else "not a file"


def _walk(top, unused):
    """The submissions in a folder and below it."""
    known, found, waiting = {e.name for e in catalog.every()}, [], [top]
    while waiting:
        folder = waiting.pop()
        try:
            with os.scandir(folder) as entries:
                entries = sorted(entries, key=lambda e: e.name)
        except OSError as error:
            unused.append((folder, f"cannot be read: {error.strerror}"))
            continue
        below, kept = [], []
        for entry in entries:
            path, is_folder = Path(folder, entry.name), entry.is_dir(follow_symlinks=False)
            if entry.name == ".ipynb_checkpoints":
                unused.append((path, "copies that Jupyter keeps"))
            elif entry.name.startswith(".") or is_folder and entry.name.startswith("__"):
                unused.append((path, "hidden, or a tool's own"))
            elif is_folder:
                below.append(path)
            elif is_kept(path, known):
                kept.append(path)
            elif one := _one(path):
                found.append(one)
            else:
                unused.append((path, _other(path)))
        found += [Found(folder, "kept")] if kept else []
        waiting += reversed(below)
    return found


def _with_nothing(top, found, unused, several):
    """The students' folders in which nothing can be graded: those beside others, and `top` if it is one of several."""
    folders, handed_in = [top] if several else [], {p for f in found for p in (f.path, *f.path.parents)}
    while found:
        with os.scandir(top) as entries:
            folders = sorted(Path(e) for e in entries if e.is_dir(follow_symlinks=False) and e.name[:1] not in "._")
        if len(folders) != 1 or any(f.path.parent == top or f.path == top for f in found):
            break
        (top,) = folders
    chapters = {e.chapter for e in catalog.every()}
    left = [f for f in folders if f not in handed_in and not _is_around(f.name, chapters)]
    if len(left) == len(folders) and found:
        return []  # students are files here
    nothing = []
    for folder in left:
        inside = [(p, why) for p, why in unused if p == folder or folder in p.parents]
        names = ", ".join(visible(p.name) for p, _ in inside[:5]) + f" and {len(inside) - 5} more" * (len(inside) > 5)
        why = f"no notebook and no .py file in this folder, only {names}" if inside else "an empty folder"
        nothing.append(Found(folder, "nothing", next((why for p, why in inside if p == folder), why)))
    return nothing


def _is_around(name, chapters):
    """Whether a folder of this name says nothing about whose it is."""
    return name in _AROUND or bool(_WEEK.fullmatch(name)) or _COPY.fullmatch(name)[1] in chapters


def _hard_links(found):
    """One file under two names is one student's work, and nobody can say whose."""
    places = {}
    for f in found:
        if f.is_file and not f.error:
            about = f.path.stat()
            places.setdefault((about.st_dev, about.st_ino), []).append(f.path)
    same = {path: [str(p) for p in paths if p != path] for paths in places.values() for path in paths}
    why = "the same file as {} (a hard link): put a copy there"
    return [replace(f, error=why.format(", ".join(same[f.path]))) if same.get(f.path) else f for f in found]


def is_kept(path, known):
    """Whether this is a file of mine/: it is called as an exercise is."""
    return not path.is_symlink() and path.name.endswith(".py") and canonical(path.name[:-3]) in known


# -- whose -------------------------------------------------------------------------------------------------------------


def students(found):
    """The student's name for each submission."""
    chapters = {e.chapter for e in catalog.every()}
    places = [Path(os.path.abspath(f.path)) for f in found]
    lists = []
    for f, place in zip(found, places):
        *around, last = map(_one_spelling, [*place.parts[1:-1], stem(place, f.kind)])
        names = [n for n in around if not _is_around(n, chapters)]
        says_whose = not _is_around(last, chapters) or f.is_file and _WEEK.fullmatch(last)
        lists.append([*names, last] if says_whose else names or [*around, last])
    common = os.path.commonprefix(lists)
    if lists and max(lists) != min(lists):
        for f, place, names in zip(found, places, lists):
            if f.is_file and names == common and names[-1] != _one_spelling(stem(place, f.kind)):
                names.append(_one_spelling(stem(place, f.kind)))  # 00_the_bill.ipynb beside alice/ and bob/
        if any(names == common and f.is_file for names, f in zip(lists, found)):
            common = common[:-1]  # alice.ipynb beside alice/
    tails = [names[len(common) :] for names, f in zip(lists, found) if f.kind != "nothing"]
    ends = os.path.commonprefix([tail[::-1] for tail in tails]) if len(lists) > 1 else []
    if len(tails) == 1:  # beside folders with nothing in them: alice/hw is alice
        ends = ends[:-1]
    lists = [names + ends[::-1] if f.kind == "nothing" else names for names, f in zip(lists, found)]
    names = ["/".join(p[len(common) : len(p) - len(ends)]) or p[-1] for p in lists]
    # alice.py and alice.ipynb, or alice.ipynb and alice/mine, need not be of one student: where a name is the file's,
    # its ending is a part of it
    keys = []
    for f, place, parts in zip(found, places, lists):
        is_the_file = f.is_file and parts[-1] == _one_spelling(stem(place, f.kind)) and not ends
        keys.append((*parts, place.name[len(parts[-1]) :] if is_the_file else "/"))
    top = os.path.commonpath([place.parent for place in places]) if places else ""
    full = [_one_spelling("/".join(place.relative_to(top).parts)) for place in places]
    for _ in range(2):  # the longer name of one may be another's own
        meant = {}
        for name, key in zip(names, keys):
            meant.setdefault(name, set()).add(key)
        names = [longer if len(meant[name]) > 1 else name for name, longer in zip(names, full)]
    return [n.replace("\n", "\\n") for n in names]


def _one_spelling(name):
    """macOS writes an ü as u and two dots: names that look the same are the same."""
    return unicodedata.normalize("NFC", name)


def helpers(found, chapters):
    """Where in `found` files are that define no exercise (`chapters`: those of each), beside one student's that do."""
    empty = {i for i, f in enumerate(found) if f.is_file and not f.error and not chapters[i]}
    rest = [i for i in range(len(found)) if i not in empty]
    whose, top = dict(zip(rest, students([found[i] for i in rest]))), _top(found)
    helpers = set()
    for i in empty:
        folder = found[i].path.parent
        beside = {whose[j] for j in rest if chapters[j] and folder in (found[j].path, *found[j].path.parents)}
        if len(beside) == 1 and os.path.abspath(folder) != top:
            helpers.add(i)
    return helpers


def _top(found):
    return os.path.commonpath([os.path.abspath(f.path.parent) for f in found]) if found else ""


# -- in words ----------------------------------------------------------------------------------------------------------


def told(unused, sent):
    """What an instructor should know of the files: which were not used, and who has sent more than one."""
    lines, reasons = [], {}
    for path, why in unused:
        reasons.setdefault(why, []).append(visible(str(path)))
    for why, paths in reasons.items():
        more = f" and {len(paths) - 20} more" if len(paths) > 20 else ""
        lines.append(f"not used ({why}): {', '.join(paths[:20])}{more}")
    counts = Counter(s.student for s in sent)
    for student, n in counts.items():
        if n > 1:
            files = ", ".join(visible(str(s.path)) for s in sent if s.student == student)
            lines.append(f"{visible(student)} has {n} files, of which each exercise counts once, at its best: {files}")
    groups = {}
    for student in counts:
        groups.setdefault(student.partition("/")[0], []).append(student)
    if 2 * sum(len(names) == 1 for names in groups.values()) > len(groups):  # else the folders are groups of students
        for folder, names in groups.items():
            if len(names) > 1:
                rows = ", ".join(map(visible, names))
                lines.append(f"{visible(folder)} has {len(names)} rows, as if of {len(names)} students: {rows}")
    return lines
