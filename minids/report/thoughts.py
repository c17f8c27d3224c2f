"""A model's reply as HTML: special tokens dimmed, steps like 9+4+1=14 set in columns, steps that do not add
up underlined.

Only sums are checked, by reading them, never by evaluating; "12>" or words are shown as they are. All text is
escaped.
"""

import re
from html import escape

_MARK = re.compile(r"(</?(?:think|answer)>|<｜[^｜<>]{1,40}｜>)")
_STEP = re.compile(r"([0-9+\-]{1,60})=(-?[0-9]{1,30})")
_TERM = re.compile(r"[+-]?[0-9]{1,30}")
_PLAIN = str.maketrans({"｜": "|", "▁": "_"})  # few monospace fonts have the full-width bar
LONGEST = 4000  # characters of a reply that are shown


def adds_up(step: str) -> bool | None:
    """True or False for a sum like "9+4+1=14"; None for anything else."""
    found = _STEP.fullmatch(step)
    terms = _TERM.findall(found[1]) if found else []
    if not terms or "".join(terms) != found[1]:
        return None
    return sum(map(int, terms)) == int(found[2])


def reply(text: object, right: bool | None = None) -> str:
    """The reply `text` of a model; `right` colours what it gives as its answer."""
    text = str(text)
    cut = len(text) > LONGEST
    out, inside = [], None
    for piece in _MARK.split(text[:LONGEST]):
        if _MARK.fullmatch(piece):
            out.append(f'<span class="mark">{escape(piece.translate(_PLAIN))}</span> ')
            inside = piece if piece in ("<think>", "<answer>") else None
        elif inside == "<answer>":
            out.append(f"<b{_verdict(right)}>{escape(piece)}</b> ")
        elif piece.strip():
            out.append(_said(piece, right))
    if cut:
        out.append('<span class="mark">… (cut for this page)</span>')
    return f'<div class="thought">{"".join(out)}</div>'


def _verdict(right):
    return "" if right is None else f' class="{"right" if right else "wrong"}"'


def _said(piece, right):
    """Lines of a thought; a line of steps becomes columns, "Answer: 12" of the plain style is coloured like a
    tagged answer."""
    out = []
    for line in piece.strip("\n").split("\n"):
        head, colon, tail = line.partition(":")
        if colon and head.strip() in ("Answer", "Thought", "Question"):
            out.append(f'<div><span class="mark">{escape(head.strip())}:</span>')
            if head.strip() == "Answer":
                out.append(f" <b{_verdict(right)}>{escape(tail.strip())}</b></div>")
                continue
            out.append("</div>")
            line = tail
        words = line.split()
        if any("=" in w for w in words):
            out.append(_columns(words))
        elif words:
            out.append(f'<div class="said">{escape(line.strip())}</div>')
    return "".join(out)


def _columns(words):
    """Steps of equal width, "=" under "="; a result such as >66 ends a row, a problem such as 12+7; is a row
    of its own."""
    rows = [[]]
    for word in words:
        if word.endswith(";") and rows[-1]:
            rows.append([])
        rows[-1].append(word)
        if word[0] == ">" or word.endswith(";"):
            rows.append([])
    parts = [w.partition("=") for w in words if "=" in w]
    left = min(24, max(len(a) for a, _, _ in parts))
    behind = min(12, max(len(b) for _, _, b in parts))
    return "".join(f'<div class="steps">{"".join(_cell(w, left, behind) for w in row)}</div>' for row in rows if row)


def _cell(word, left, behind):
    a, mark, b = word.partition("=")
    shown = f"{a:>{left}}{mark}{b:<{behind}}" if mark else word
    kind = ' class="slip"' if adds_up(word) is False else ""
    return f"<span{kind}>{escape(shown)}</span>"
