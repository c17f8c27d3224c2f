"""bpe.isolate"""
import re


def wrong_1(pieces, pattern):
    "re.findall: what lies between the matches is lost"
    return [m.group() for piece in pieces for m in pattern.finditer(piece) if m.group()]


def wrong_2(pieces, pattern):
    "the rest after the last match is lost"
    cut = []
    for piece in pieces:
        start = 0
        for m in pattern.finditer(piece):
            cut += [piece[start : m.start()], m[0]]
            start = m.end()
    return [p for p in cut if p]


def wrong_3(pieces, pattern):
    "empty pieces are kept (two matches side by side, a match at an edge)"
    cut = []
    for piece in pieces:
        start = 0
        for m in pattern.finditer(piece):
            cut += [piece[start : m.start()], m[0]]
            start = m.end()
        cut.append(piece[start:])
    return cut


def wrong_4(pieces, pattern):
    "joins the pieces first: a match may cross the edge of two pieces, and the old cuts are lost"
    text, cut, start = "".join(pieces), [], 0
    for m in pattern.finditer(text):
        cut += [text[start : m.start()], m[0]]
        start = m.end()
    cut.append(text[start:])
    return [p for p in cut if p]


def wrong_5(pieces, pattern):
    "pattern.split: the matches are thrown away"
    return [p for piece in pieces for p in pattern.split(piece) if p]


def wrong_6(pieces, pattern):
    "findall and split zipped: fails for patterns with groups, where findall gives the groups"
    cut = []
    for piece in pieces:
        start = 0
        for found in pattern.findall(piece):
            found = found if isinstance(found, str) else found[0]
            at = piece.index(found, start)
            cut += [piece[start:at], found]
            start = at + len(found)
        cut.append(piece[start:])
    return [p for p in cut if p]


def wrong_7(pieces, pattern):
    "the start is not reset for each piece: from the second piece on, text in front is lost"
    cut, start = [], 0
    for piece in pieces:
        for m in pattern.finditer(piece):
            cut += [piece[start : m.start()], m[0]]
            start = m.end()
        cut.append(piece[start:])
    return [p for p in cut if p]


def wrong_8(pieces, pattern):
    "strips and drops pieces that are only white space"
    cut = []
    for piece in pieces:
        start = 0
        for m in pattern.finditer(piece):
            cut += [piece[start : m.start()], m[0]]
            start = m.end()
        cut.append(piece[start:])
    return [p for p in cut if p.strip()]


def wrong_9(pieces, pattern):
    "writes into the list that came in"
    i = 0
    while i < len(pieces):
        piece, parts, start = pieces[i], [], 0
        for m in pattern.finditer(piece):
            parts += [piece[start : m.start()], m[0]]
            start = m.end()
        parts = [p for p in [*parts, piece[start:]] if p]
        pieces[i : i + 1] = parts
        i += len(parts)
    return pieces


def wrong_10(pieces, pattern):
    "cuts off a match and searches the rest as a text of its own: lookbehind, ^ and \\b see another beginning"
    cut = []
    for piece in pieces:
        while piece:
            m = pattern.search(piece)
            if m is None or not m[0]:
                cut.append(piece)
                break
            cut += [piece[: m.start()], m[0]]
            piece = piece[m.end() :]
    return [p for p in cut if p]


def right_1(pieces, pattern):
    "all edges of the matches, then the text between neighbouring edges"
    out = []
    for piece in pieces:
        edges = [0]
        for m in pattern.finditer(piece):
            edges += m.span()
        edges.append(len(piece))
        for left, right in zip(edges, edges[1:]):
            if left < right:
                out.append(piece[left:right])
    return out


def right_2(pieces, pattern):
    "a generator inside"
    def parts(piece):
        last = 0
        for m in pattern.finditer(piece):
            if m.start() > last:
                yield piece[last : m.start()]
            if m.group(0):
                yield m.group(0)
            last = m.end()
        if last < len(piece):
            yield piece[last:]

    return [part for piece in pieces for part in parts(piece)]


def right_3(pieces, pattern):
    "from the last match to the first, then reversed"
    out = []
    for piece in pieces:
        end, backwards = len(piece), []
        for m in reversed(list(pattern.finditer(piece))):
            backwards += [piece[m.end() : end], piece[m.start() : m.end()]]
            end = m.start()
        backwards.append(piece[:end])
        out.extend(reversed([p for p in backwards if p != ""]))
    return out


def right_4(pieces, pattern):
    "set of edges, sorted"
    result = []
    for piece in pieces:
        marks = {0, len(piece)}
        for m in pattern.finditer(piece):
            marks.add(m.start())
            marks.add(m.end())
        marks = sorted(marks)
        result += [piece[i:j] for i, j in zip(marks[:-1], marks[1:])]
    return result
