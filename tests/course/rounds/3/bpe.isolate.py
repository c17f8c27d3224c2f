"""bpe.isolate"""


def wrong_1(pieces, pattern):
    "matches that are empty do not cut"
    cut = []
    for piece in pieces:
        start = 0
        for m in pattern.finditer(piece):
            if m.start() == m.end():
                continue
            cut += [piece[start : m.start()], m.group()]
            start = m.end()
        cut.append(piece[start:])
    return [p for p in cut if p]


def wrong_2(pieces, pattern):
    "findall and split: breaks for patterns with groups"
    cut = []
    for piece in pieces:
        found, between = pattern.findall(piece), pattern.split(piece)
        for i, b in enumerate(between):
            cut.append(b)
            if i < len(found):
                cut.append(found[i])
    return [p for p in cut if p]


def wrong_3(pieces, pattern):
    "what stands behind the last match is lost"
    cut = []
    for piece in pieces:
        start = 0
        for m in pattern.finditer(piece):
            cut += [piece[start : m.start()], m[0]]
            start = m.end()
        if start == 0:
            cut.append(piece)
    return [p for p in cut if p]


def wrong_4(pieces, pattern):
    "an empty piece that came in stays"
    cut = []
    for piece in pieces:
        start, parts = 0, []
        for m in pattern.finditer(piece):
            parts += [piece[start : m.start()], m[0]]
            start = m.end()
        parts.append(piece[start:])
        cut += [p for p in parts if p] if len(parts) > 1 else parts
    return cut


def wrong_5(pieces, pattern):
    "searches the rest as a text of its own: look-behind and ^ see another beginning"
    cut = []
    for piece in pieces:
        rest = piece
        while rest:
            m = pattern.search(rest)
            if m is None:
                break
            if m.start() == m.end():
                k = max(m.end(), 1)
                cut.append(rest[:k])
                rest = rest[k:]
                continue
            cut += [rest[: m.start()], m[0]]
            rest = rest[m.end() :]
        cut.append(rest)
    return [p for p in cut if p]


def wrong_6(pieces, pattern):
    "the pieces are joined first: earlier cuts are lost, and matches cross them"
    text, cut, start = "".join(pieces), [], 0
    for m in pattern.finditer(text):
        cut += [text[start : m.start()], m[0]]
        start = m.end()
    cut.append(text[start:])
    return [p for p in cut if p]


def wrong_7(pieces, pattern):
    "the caller's list is emptied"
    cut = []
    while pieces:
        piece, start = pieces.pop(0), 0
        for m in pattern.finditer(piece):
            cut += [piece[start : m.start()], m[0]]
            start = m.end()
        cut.append(piece[start:])
    return [p for p in cut if p]


def wrong_8(pieces, pattern):
    "pieces of blanks alone are dropped"
    cut = []
    for piece in pieces:
        start = 0
        for m in pattern.finditer(piece):
            cut += [piece[start : m.start()], m[0]]
            start = m.end()
        cut.append(piece[start:])
    return [p for p in cut if p.strip()]


def wrong_9(pieces, pattern):
    "matches side by side are one piece"
    cut = []
    for piece in pieces:
        start, run = 0, ""
        for m in pattern.finditer(piece):
            if m.start() > start:
                cut += [run, piece[start : m.start()]]
                run = ""
            run += m[0]
            start = m.end()
        cut += [run, piece[start:]]
    return [p for p in cut if p]


def wrong_10(pieces, pattern):
    "the first group, if there is one, instead of the whole match: text is lost"
    cut = []
    for piece in pieces:
        start = 0
        for m in pattern.finditer(piece):
            cut += [piece[start : m.start()], m[1] if pattern.groups else m[0]]
            start = m.end()
        cut.append(piece[start:])
    return [p for p in cut if p]


def right_1(pieces, pattern):
    "the places of all cuts first, then slices between them"
    out = []
    for piece in pieces:
        edges = {0, len(piece)}
        for m in pattern.finditer(piece):
            edges.update(m.span())
        edges = sorted(edges)
        out.extend(piece[a:b] for a, b in zip(edges, edges[1:]))
    return out


def right_2(pieces, pattern):
    "a generator that yields only what is not empty"
    def parts(piece):
        at = 0
        for m in pattern.finditer(piece):
            left, right = m.span()
            if left > at:
                yield piece[at:left]
            if right > left:
                yield piece[left:right]
            at = right
        if at < len(piece):
            yield piece[at:]
    return [part for piece in pieces for part in parts(piece)]


def right_3(pieces, pattern):
    "an iterator of finditer by hand"
    result = []
    for piece in list(pieces):
        matches = iter(pattern.finditer(piece))
        begin = 0
        while (m := next(matches, None)) is not None:
            result.append(piece[begin : m.start(0)])
            result.append(m.group(0))
            begin = m.end(0)
        result.append(piece[begin:])
    return list(filter(None, result))


def right_4(pieces, pattern):
    "sub calls a function for each match"
    result = []
    for piece in pieces:
        last = [0]

        def take(m):
            result.extend(s for s in (piece[last[0] : m.start()], m.group()) if s)
            last[0] = m.end()
            return ""

        pattern.sub(take, piece)
        if piece[last[0] :]:
            result.append(piece[last[0] :])
    return result
