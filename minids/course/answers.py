"""The student's own minids: passing answers, kept as text in mine/ and put into the library.

    mine/attention.attend.py           first line: a hash of what passed (this text, the library's function, the cases)
    mine/log.jsonl                     when a chapter was opened and what a check said, for `minids progress`

A file whose hash still fits is trusted; otherwise its cases run again, and an answer that fails now is left out with a
message and never deleted. An answer that is the library's own code counts as the student's and leaves the library's
function where it is, with its fast paths. The folder is mine/ beside chapters/, or $MINIDS_MINE.
"""

import hashlib
import inspect
import json
import linecache
import os
import re
import time
from pathlib import Path

from minids import dispatch, files
from minids.course import cases, catalog, exercises, judge, reader
from minids.errors import MinidsError

_installed = set()  # exercises for which `install` was called


def folder():
    """Where a student's functions are kept: $MINIDS_MINE, or mine/ beside the chapters."""
    return Path(os.environ.get("MINIDS_MINE") or catalog.ROOT / "mine")


def path_of(name):
    """The file of one exercise in `folder`, there or not."""
    return folder() / f"{name}.py"


def shown(path):
    """A path as a person would write it here."""
    relative = os.path.relpath(path)
    return str(path) if relative.startswith("../..") else relative


# -- keeping -----------------------------------------------------------------------------------------------------------


def keep(name, text):
    """Saves an answer that passed, and puts it into the library. Raises MinidsError if it cannot be written."""
    name = exercises.canonical(name)
    path = path_of(name)
    write(path, _stamp(name, text) + text)
    load_one(name)
    return path


def write(path, text):
    """All of the text or none of it."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        files.write(path, text)
    except OSError as error:
        raise MinidsError(
            f"{shown(path)} could not be written ({error.strerror or error}). Make the folder writable, or set "
            "MINIDS_MINE to another one; then run the cell again."
        ) from None


def log(**event):
    """Notes an event with its time; a log that cannot be written is no reason to stop anybody."""
    try:
        folder().mkdir(parents=True, exist_ok=True)
        with open(folder() / "log.jsonl", "a", encoding="utf-8", newline="\n") as file:
            file.write(json.dumps({"time": round(time.time(), 1), **event}) + "\n")
    except OSError:
        pass


def events():
    """What the log holds; lines that are no JSON objects with a time are passed over."""
    try:
        lines = (folder() / "log.jsonl").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
    found = []
    for line in lines:
        try:
            event = json.loads(line)
            if isinstance(event, dict) and isinstance(event.get("time"), int | float):
                found.append(event)
        except ValueError:
            continue
    return found


def _stamp(name, text):
    """The first line of a kept answer: it changes with the text, the library's function and the cases."""
    files = sorted({inspect.getsourcefile(c) for c in cases.load().get(name, ())})
    what = [text, catalog.solution(name), *(Path(f).read_text(encoding="utf-8") for f in files)]
    return f"# minids {name} passed {hashlib.sha256(chr(0).join(what).encode()).hexdigest()[:16]}\n"


# -- loading -----------------------------------------------------------------------------------------------------------


def load():
    """Puts every kept answer into the library: {exercise: None, or why it was left out}."""
    known = {e.name for e in catalog.every()}
    done = {}
    for path in sorted(folder().glob("*.py"), key=lambda p: (p.stem in exercises.PLACES, p)):  # an id's own file last
        name = exercises.canonical(path.stem)
        try:
            if name not in known:
                raise MinidsError("no exercise of this name")
            load_one(name, path)
            done[name] = None
        except (Exception, SystemExit) as error:
            done[name] = f"{error}" if isinstance(error, MinidsError) else f"{type(error).__name__}: {error}"
    return done


def load_one(name, path=None):
    """Puts one kept answer into the library; raises if it is damaged or does not pass any more.
    `path`: the file, if it has another name than the exercise has now."""
    path = (path or path_of(name)).resolve()
    linecache.checkcache(str(path))
    whole = path.read_text(encoding="utf-8")
    nodes = reader.definitions(whole)
    function = exercises.PLACES[name].function
    mine = reader.find(nodes, function)
    if mine is None:
        raise MinidsError(f"it defines no function {function}")
    fn = reader.compile_answer(name, nodes, str(path))
    first, _, text = whole.partition("\n")
    if first + "\n" != _stamp(name, text):
        if why := judge.unavailable(name):
            raise MinidsError(f"it cannot be checked here: {why}")
        failed = [r for r in judge.run_cases(name, fn, replaces=True) if r.why]
        if failed:
            raise MinidsError(f"case {failed[0].case.replace('_', ' ')!r} fails: {failed[0].why.splitlines()[0]}")
        kept = text if re.match(r"# minids [\w.]+ passed ", first) else whole
        try:
            write(path, _stamp(name, kept) + kept)
        except MinidsError:
            pass  # it passes; that it is tested again next time is all that is lost
    install(name, catalog.reference(name) if reader.is_library(mine, name) else fn)


def install(name, new):
    """Makes `new` what the library calls: whoever holds the exercise's function calls it, see minids/dispatch.py."""
    dispatch.replace(catalog.current(name), new)
    _installed.add(name)


def installed(name):
    """Whether a student's answer is in use."""
    return dispatch.replacement(catalog.current(name)) is not None


def uninstall():
    """Puts the library's own functions back."""
    while _installed:
        dispatch.restore(catalog.current(_installed.pop()))


def ledger():
    """Loads mine/ and says what of it is in use: {"yours": [...], "of": count, "left_out": {name: why}}."""
    done = load()
    return {
        "yours": [n for n, why in done.items() if why is None],
        "of": len(catalog.every()),
        "left_out": {n: why for n, why in done.items() if why is not None},
    }


def status(book):
    """A ledger in words."""
    text = f"{len(book['yours'])} of {book['of']} parts of this minids are yours."
    for name, why in book["left_out"].items():
        text += f"\n! {name}.py in mine/ is left out: {why.splitlines()[0]}. Nothing was deleted."
    return text
