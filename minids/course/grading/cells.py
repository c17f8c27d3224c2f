"""The code cells of a notebook's file, of any version and any size: outputs are passed over and never held in memory.

A notebook with plots can have hundreds of megabytes, of which an answer is a few lines. The file is read in pieces; of
its JSON only `cells` (and `worksheets`, in version 3), `cell_type` and `source` (`input`) become values. What is passed
over is not looked at, so damage there costs nothing; and a cell whose source is no text spoils that cell alone.
"""

import json
import os
import re
import stat

_PIECE = 1 << 20
_MOST_STEPS = 2_000_000  # some ten seconds
_SPACE = re.compile(rb"[ \t\r\n]*+")
_INSIDE = re.compile(rb'(?:[^"\\]++|\\.)*+', re.S)
_SCALAR = re.compile(rb'[^\s,:"\[\]{}]*+')
# the rest of an array or object as far as one expression sees it: strings, and brackets in brackets, four deep
_PART = rb'[^"\[\]{}]++|"(?:[^"\\]++|\\.)*+"'
for _ in range(4):
    _PART = rb'[^"\[\]{}]++|"(?:[^"\\]++|\\.)*+"|\[(?:%b)*+\]|\{(?:%b)*+\}' % (_PART, _PART)
_REST = re.compile(rb"(?:%b)*+" % _PART, re.S)


class Unreadable(Exception):
    """Why a file is of no use."""


def opened(path, largest):
    """A file for reading, if it is one, and no link to another's."""
    flags = (getattr(os, f"O_{name}", 0) for name in ("NOFOLLOW", "NONBLOCK", "BINARY", "CLOEXEC"))
    try:
        if path.is_symlink():
            raise Unreadable("a link to another file, and links are not followed: put the file itself there")
        fd = os.open(path, os.O_RDONLY | sum(flags))
    except OSError as error:
        raise Unreadable(f"cannot be read: {error.strerror}") from None
    file = open(fd, "rb")
    about = os.fstat(fd)
    if stat.S_ISREG(about.st_mode) and about.st_size <= largest:
        return file
    file.close()
    raise Unreadable(f"larger than {largest >> 20} MiB" if stat.S_ISREG(about.st_mode) else "not a file")


def text_of(path, largest, most):
    """The text of a .py file, of at most `largest` bytes and `most` characters."""
    with opened(path, largest) as file:
        data = file.read(4 * most + 1)
    _is_text(data)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Unreadable(f"not a text in UTF-8: {_SAVE}") from None
    _bounded(len(text), most)
    return text


def _bounded(size, most):
    if size > most:
        raise Unreadable(f"more than {most >> 20} MiB of code")


def code_cells(path, largest, most):
    """[(text, "" or why it cannot be read)] of the code cells that are not empty: at most `most` characters."""
    with opened(path, largest) as file:
        notebook = _Json(file, most)
        if notebook.next() != b"{":
            notebook.skip()
            raise Unreadable(_NO_NOTEBOOK)
        found = _object(notebook)
        if not notebook.at_end():
            raise Unreadable(_DAMAGED)
    _bounded(sum(len(text) for text, _ in found), most)
    if found and not any(text for text, _ in found):
        raise Unreadable(_NO_NOTEBOOK)
    return found


_DAMAGED = "damaged: this is not a whole notebook (it is no valid JSON)"
_NO_NOTEBOOK = "damaged: this JSON is no notebook"


_SAVE = "save it as UTF-8 and send it again"
_OTHERS = {
    b"PK\x03\x04": "a zip archive: unpack it and send the file that is in it",
    b"\x1f\x8b": "a gzip archive: unpack it and send the file that is in it",
    b"%PDF": "a PDF: send the notebook itself",
    b"<": "a web page: send the notebook itself",
}


def _is_text(data):
    if not data.strip(b" \t\r\n\xef\xbb\xbf"):
        raise Unreadable("empty")
    for begins, what in _OTHERS.items():
        if data.startswith(begins):
            raise Unreadable(what)
    if data[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\0" in data[:4]:
        raise Unreadable(f"not a text in UTF-8, but in UTF-16 as Windows' PowerShell writes it: {_SAVE}")


def _object(notebook):
    """The cells of a notebook, or of a worksheet of one."""
    lists = {}
    for key in notebook.members():
        kind = notebook.next()
        if key == "cells" and kind == b"[":
            lists[key] = [c for _ in notebook.items() for c in _cell(notebook)]
        elif key == "worksheets" and kind == b"[":
            lists[key] = []
            for _ in notebook.items():
                lists[key] += _object(notebook) if notebook.next() == b"{" else notebook.skip()
        elif key == "cells":
            raise Unreadable(_NO_NOTEBOOK)
        else:
            notebook.skip()
    return [cell for found in lists.values() for cell in found]


def _cell(notebook):
    """[] or [(text, why)] of the next cell."""
    if notebook.next() != b"{":
        notebook.skip()
        return [("", "it is no cell")]
    kind, found = None, ("", "")
    for key in notebook.members():
        if key == "cell_type" and notebook.next() == b'"':
            kind = notebook.string(100)
        elif key in ("source", "input") and kind in (None, "code"):
            found = _source(notebook)
        else:
            notebook.skip()
    return [found] if kind == "code" and any(found) else []


def _source(notebook):
    """(text, why) of a source: a string, or a list of strings."""
    try:
        if notebook.next() == b'"':
            return notebook.string(notebook.most), ""
        if notebook.next() == b"[":
            lines, why = [], ""
            for _ in notebook.items():
                if notebook.next() == b'"' and not why:
                    lines.append(notebook.string(notebook.most))
                else:
                    why = why or "a line of its source is no text"
                    notebook.skip()
            return ("", why) if why else ("".join(lines), "")
    except ValueError as error:
        return "", str(error)
    notebook.skip()
    return "", "its source is no text"


class _Json:
    """What stands in a JSON file, in its order; only asked-for strings become values."""

    def __init__(self, file, most):
        self.file, self.most, self.held, self.at, self.steps = file, most, file.read(_PIECE), 0, 0
        _is_text(self.held)
        if self.held.startswith(b"\xef\xbb\xbf"):
            self.at = 3

    def _more(self):
        piece = self.file.read(_PIECE)
        self.held, self.at = self.held[self.at :] + piece, 0
        return bool(piece)

    def at_end(self):
        while True:
            self.at = _SPACE.match(self.held, self.at).end()
            if self.at < len(self.held):
                return False
            if not self._more():
                return True

    def next(self):
        """The next character, which stays there."""
        if self.at_end():
            raise Unreadable(_DAMAGED)
        return self.held[self.at : self.at + 1]

    def _take(self, wanted):
        self._step()
        if self.next() not in wanted:
            raise Unreadable(_DAMAGED)
        self.at += 1
        return self.held[self.at - 1 : self.at]

    def _step(self):
        self.steps += 1
        if self.steps > _MOST_STEPS:
            raise Unreadable("it has too many parts for a notebook")

    def members(self):
        """The keys of an object; whoever asks takes the value before the next."""
        self._take([b"{"])
        if self.next() == b"}":
            self._take([b"}"])
            return
        while True:
            try:
                key = self.string(1000)
            except ValueError:
                key = None
            self._take([b":"])
            yield key
            if self._take([b",", b"}"]) == b"}":
                return

    def items(self):
        """As often as an array has values; whoever asks takes each before the next."""
        self._take([b"["])
        if self.next() == b"]":
            self._take([b"]"])
            return
        while True:
            yield
            if self._take([b",", b"]"]) == b"]":
                return

    def string(self, most):
        """The next string. Raises ValueError if it is longer, or is no text, and has passed it then."""
        self._take([b'"'])
        parts, size = [], 0
        while True:
            end = _INSIDE.match(self.held, self.at).end()
            size += end - self.at
            if size <= 6 * most:  # as bytes: \u1234
                parts.append(self.held[self.at : end])
            self.at = end
            if self.held[end : end + 1] == b'"':
                self.at += 1
                break
            if not self._more():
                raise Unreadable(_DAMAGED)
        if size > 6 * most:
            raise ValueError("its source is too long")
        try:
            return json.loads(f'"{b"".join(parts).decode()}"', strict=False)
        except UnicodeDecodeError:
            raise ValueError(f"it is not in UTF-8: {_SAVE}") from None
        except ValueError:
            raise ValueError("its source is damaged") from None

    def skip(self):
        """Passes over a value -> []."""
        kind = self.next()
        if kind == b'"':
            self._skip_string()
        elif kind not in (b"[", b"{"):
            begin = True
            while begin or self.at == len(self.held) and self._more():
                end = _SCALAR.match(self.held, self.at).end()
                if begin and end == self.at:
                    raise Unreadable(_DAMAGED)
                self.at, begin = end, False
        else:
            self._take([kind])
            self._skip_rest()
        return []

    def _skip_string(self):
        try:
            self.string(0)
        except ValueError:
            pass

    def _skip_rest(self):
        """To the end of the array or object that was entered."""
        depth = 1
        while depth:
            self.at = _REST.match(self.held, self.at).end()
            if self.at == len(self.held):
                if not self._more():
                    raise Unreadable(_DAMAGED)
                continue
            kind = self.held[self.at]
            if kind == 34:  # a string that does not end in this piece
                self._skip_string()
                continue
            self.at += 1
            self._step()
            depth += 1 if kind in b"[{" else -1
