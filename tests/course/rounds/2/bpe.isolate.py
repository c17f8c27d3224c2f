"""bpe.isolate"""
import re


def wrong_1(pieces, pattern):
    "empty pieces stay: before a match at the start, between neighbours, after one at the end"
    out = []
    for piece in pieces:
        start = 0
        for m in pattern.finditer(piece):
            out += [piece[start : m.start()], m.group()]
            start = m.end()
        out.append(piece[start:])
    return out


def wrong_2(pieces, pattern):
    "split with the pattern in brackets: groups of the pattern's own add pieces, flags are lost"
    out = []
    for piece in pieces:
        out += [p for p in re.split(f"({pattern.pattern})", piece) if p]
    return out


def wrong_3(pieces, pattern):
    "a match of nothing is skipped: it does not cut"
    out = []
    for piece in pieces:
        start = 0
        for m in pattern.finditer(piece):
            if m.start() == m.end():
                continue
            if piece[start : m.start()]:
                out.append(piece[start : m.start()])
            out.append(m.group())
            start = m.end()
        if piece[start:]:
            out.append(piece[start:])
    return out


def wrong_4(pieces, pattern):
    "searches in the rest of the piece: look-behind does not see what stands before"
    out = []
    for piece in pieces:
        rest = piece
        while rest:
            m = pattern.search(rest)
            if m is None or m.end() == 0:
                break
            out += [rest[: m.start()], m.group()]
            rest = rest[m.end() :]
        out.append(rest)
    return [p for p in out if p]


def wrong_5(pieces, pattern):
    "the pieces are joined first: matches reach across the edges, earlier cuts are lost"
    text, out, start = "".join(pieces), [], 0
    for m in pattern.finditer(text):
        out += [text[start : m.start()], m.group()]
        start = m.end()
    out.append(text[start:])
    return [p for p in out if p]


def wrong_6(pieces, pattern):
    "pieces of blanks are dropped with the empty ones"
    out = []
    for piece in pieces:
        start = 0
        for m in pattern.finditer(piece):
            out += [piece[start : m.start()], m.group()]
            start = m.end()
        out.append(piece[start:])
    return [p for p in out if p.strip()]


def wrong_7(pieces, pattern):
    "findall gives the group, not the match, if the pattern has one"
    out = []
    for piece in pieces:
        start = 0
        for found in pattern.findall(piece):
            found = found if isinstance(found, str) else found[0]
            at = piece.index(found, start)
            out += [piece[start:at], found]
            start = at + len(found)
        out.append(piece[start:])
    return [p for p in out if p]


def wrong_8(pieces, pattern):
    "the list that was given is changed"
    i = 0
    while i < len(pieces):
        piece, cut, start = pieces[i], [], 0
        for m in pattern.finditer(piece):
            cut += [piece[start : m.start()], m[0]]
            start = m.end()
        cut = [p for p in [*cut, piece[start:]] if p]
        pieces[i : i + 1] = cut
        i += len(cut)
    return pieces


def wrong_9(pieces, pattern):
    "a piece without a match is dropped"
    out = []
    for piece in pieces:
        start = 0
        for m in pattern.finditer(piece):
            out += [piece[start : m.start()], m[0]]
            start = m.end()
        if start:
            out.append(piece[start:])
    return [p for p in out if p]


def wrong_10(pieces, pattern):
    "matches are found once and cut out by str.split: an equal stretch that is no match by its surroundings is cut too"
    out = []
    for piece in pieces:
        found = {m[0] for m in pattern.finditer(piece)} - {""}
        if not found:
            out.append(piece)
            continue
        longest_first = sorted(found, key=len, reverse=True)
        out += re.split("(" + "|".join(map(re.escape, longest_first)) + ")", piece)
    return [p for p in out if p]


def right_1(pieces, pattern):
    "all edges of all matches, then slices between them"
    out = []
    for piece in pieces:
        edges = {0, len(piece)}
        for m in pattern.finditer(piece):
            edges |= {m.start(), m.end()}
        edges = sorted(edges)
        out.extend(piece[a:b] for a, b in zip(edges, edges[1:]))
    return out


def right_2(pieces, pattern):
    "a generator with checks"
    def parts(piece):
        last = 0
        for m in pattern.finditer(piece):
            a, b = m.span()
            if a > last:
                yield piece[last:a]
            if b > a:
                yield piece[a:b]
            last = b
        if last < len(piece):
            yield piece[last:]

    return [part for piece in pieces for part in parts(piece)]


def right_3(pieces, pattern):
    "matches collected first, gaps from both sides"
    out = []
    for piece in pieces:
        spans = [m.span() for m in pattern.finditer(piece)]
        ends = [0] + [e for _, e in spans]
        starts = [s for s, _ in spans] + [len(piece)]
        for k in range(len(ends)):
            gap = piece[ends[k] : starts[k]]
            match = piece[spans[k][0] : spans[k][1]] if k < len(spans) else ""
            out += filter(None, (gap, match))
    return out


def right_4(pieces, pattern):
    "from the right end"
    out = []
    for piece in reversed(pieces):
        end = len(piece)
        for m in reversed(list(pattern.finditer(piece))):
            out.append(piece[m.end() : end])
            out.append(m.group(0))
            end = m.start()
        out.append(piece[:end])
    out.reverse()
    return list(filter(len, out))
