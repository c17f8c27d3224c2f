"""Which files are submissions, whose they are, and why the others are not used.

A submission is a notebook, a .py file, or the kept answers (model.attention.attend.py, …) of one folder; such files
beside notebooks leave those what they are. Links are not followed, for a link to a neighbour's file is no work of one's
own. Nothing is passed over in silence: every other file and folder is in `unused`, with the reason.

Whose: the part in which the paths differ, without chapters and folders such as mine/. Two files have one student only
if they lie so in one folder of theirs, or are named alike in folders of two chapters; others are told apart by more of
their paths.
"""

import os
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

from minids.course import catalog
from minids.course.feedback import visible
from minids.errors import MinidsError

NOTEBOOKS, FILES = (".ipynb", ".ipynb.txt", ".ipynb.json"), (".py", ".py.txt")  # browsers add .txt and .json
_ARCHIVES = (".zip", ".gz", ".tgz", ".tar", ".bz2", ".xz", ".7z", ".rar")
_AROUND = ("mine", "submitted", "submissions", "autograded", "answers")  # folders that name no student
_NEITHER = "neither a notebook (.ipynb), nor a .py file, nor a folder of kept answers"
_LINK = "a link to another file, and links are not followed: put the file itself there"


@dataclass(frozen=True)
class Found:
    """A submission: a notebook, a file, or the folder whose kept answers it is. `error`: why it is not read."""

    path: Path
    kind: str  # "notebook", "file", "kept"
    error: str = ""


def ending(path, endings):
    """The one of these endings that a name has, in any spelling; ""."""
    return next((e for e in endings if path.name.lower().endswith(e)), "")


def stem(path, kind):
    return path.name if kind == "kept" else path.name[: -len(ending(path, NOTEBOOKS + FILES)) or None]


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
    known, found, waiting = {e.name for e in catalog.exercises()}, [], [top]
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


def _hard_links(found):
    """One file under two names is one student's work, and nobody can say whose."""
    places = {}
    for f in found:
        if f.kind != "kept" and not f.error:
            about = f.path.stat()
            places.setdefault((about.st_dev, about.st_ino), []).append(f.path)
    same = {path: [str(p) for p in paths if p != path] for paths in places.values() for path in paths}
    why = "the same file as {} (a hard link): put a copy there"
    return [replace(f, error=why.format(", ".join(same[f.path]))) if same.get(f.path) else f for f in found]


def is_kept(path, known):
    """Whether this is a file of mine/: it is called as an exercise is."""
    return not path.is_symlink() and path.name.endswith(".py") and path.name[:-3] in known


# -- whose -------------------------------------------------------------------------------------------------------------


def students(found):
    """The student's name for each submission."""
    chapters = {e.chapter for e in catalog.exercises()}
    places = [Path(os.path.abspath(f.path)) for f in found]
    lists = []
    for f, place in zip(found, places):
        names = [*place.parts[1:-1], stem(place, f.kind)]
        lists.append([n for n in names if n not in chapters and n not in _AROUND] or names)
    common = os.path.commonprefix(lists)
    if any(names == common and f.kind != "kept" for names, f in zip(lists, found)) and max(lists) != min(lists):
        common = common[:-1]  # alice.ipynb beside alice/
    ends = os.path.commonprefix([names[len(common) :][::-1] for names in lists]) if len(lists) > 1 else []
    names = ["/".join(p[len(common) : len(p) - len(ends)]) or p[-1] for p in lists]
    # alice.py and alice.ipynb, or alice.ipynb and alice/mine, need not be of one student: where a name is the file's,
    # its ending is a part of it
    keys = []
    for f, place, parts in zip(found, places, lists):
        is_the_file = f.kind != "kept" and parts[-1] == stem(place, f.kind) and not ends
        keys.append((*parts, place.name[len(parts[-1]) :] if is_the_file else "/"))
    top = os.path.commonpath([place.parent for place in places]) if places else ""
    full = ["/".join(place.relative_to(top).parts) for place in places]
    for _ in range(2):  # the longer name of one may be another's own
        meant = {}
        for name, key in zip(names, keys):
            meant.setdefault(name, set()).add(key)
        names = [longer if len(meant[name]) > 1 else name for name, longer in zip(names, full)]
    return [n.replace("\n", "\\n") for n in names]


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
    return lines
