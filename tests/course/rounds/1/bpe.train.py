"""bpe.train"""
from collections import Counter


def _apply(word, a, b, new):
    out, i = [], 0
    while i < len(word):
        if i + 1 < len(word) and word[i] == a and word[i + 1] == b:
            out.append(new)
            i += 2
        else:
            out.append(word[i])
            i += 1
    return out


def _count(words, counts):
    totals = {}
    for word, count in zip(words, counts):
        for pair in zip(word, word[1:]):
            totals[pair] = totals.get(pair, 0) + count
    return totals


def _train(word_counts, n_pieces, min_frequency, key=None, enough=None, alphabet=None):
    words = [byte_indices(w) for w in word_counts]
    counts = list(word_counts.values())
    pieces = [bytes([b]) for b in (ALPHABET if alphabet is None else alphabet)]
    merges = {}
    while len(pieces) < n_pieces:
        totals = _count(words, counts)
        if not totals:
            break
        best = min(totals, key=lambda p: key(p, totals, pieces)) if key else min(totals, key=lambda p: (-totals[p], p))
        if not (enough(totals[best], min_frequency) if enough else totals[best] >= max(1, min_frequency)):
            break
        new = len(pieces)
        pieces.append(pieces[best[0]] + pieces[best[1]])
        merges[best] = new
        words = [_apply(w, *best, new) for w in words]
    return pieces, merges


def wrong_1(word_counts, n_pieces, min_frequency=2):
    "of several pairs of the highest count the largest is taken"
    return _train(word_counts, n_pieces, min_frequency, key=lambda p, t, s: (-t[p], -p[0], -p[1]))


def wrong_2(word_counts, n_pieces, min_frequency=2):
    "ties go to the pair met first (max of the dict), not to the smallest"
    return _train(word_counts, n_pieces, min_frequency, key=lambda p, t, s: -t[p])


def wrong_3(word_counts, n_pieces, min_frequency=2):
    "a pair that occurs exactly min_frequency times is not merged"
    return _train(word_counts, n_pieces, min_frequency, enough=lambda n, m: n > m)


def wrong_4(word_counts, n_pieces, min_frequency=2):
    "ties by the bytes that the pair spells, not by the indices (the hidden bytes, such as the space, have large indices)"
    return _train(word_counts, n_pieces, min_frequency, key=lambda p, t, s: (-t[p], s[p[0]], s[p[1]]))


def wrong_5(word_counts, n_pieces, min_frequency=2):
    "min_frequency ignored"
    return _train(word_counts, n_pieces, 1)


def wrong_6(word_counts, n_pieces, min_frequency=2):
    "n_pieces merges instead of n_pieces pieces"
    return _train(word_counts, n_pieces + 256, min_frequency)


def wrong_7(word_counts, n_pieces, min_frequency=2):
    "stops with the error of min() when no pair is left"
    words = [byte_indices(w) for w in word_counts]
    counts = list(word_counts.values())
    pieces = [bytes([b]) for b in ALPHABET]
    merges = {}
    while len(pieces) < n_pieces:
        totals = _count(words, counts)
        best = min(totals, key=lambda p: (-totals[p], p))
        if totals[best] < min_frequency:
            break
        merges[best] = len(pieces)
        pieces.append(pieces[best[0]] + pieces[best[1]])
        words = [_apply(w, *best, merges[best]) for w in words]
    return pieces, merges


def wrong_8(word_counts, n_pieces, min_frequency=2):
    "the 256 bytes in the order of their values, not that of ALPHABET: pieces spell other bytes than the ids mean"
    return _train(word_counts, n_pieces, min_frequency, alphabet=bytes(range(256)))


def wrong_9(word_counts, n_pieces, min_frequency=2):
    "the counts are not multiplied in: each distinct word counts once"
    return _train({w: 1 for w in word_counts}, n_pieces, min_frequency)


def wrong_10(word_counts, n_pieces, min_frequency=2):
    "counts taken once at the start and never again: later merges go by old counts and no pair of a new piece is found"
    words = [byte_indices(w) for w in word_counts]
    totals = _count(words, list(word_counts.values()))
    pieces, merges = [bytes([b]) for b in ALPHABET], {}
    for pair in sorted(totals, key=lambda p: (-totals[p], p)):
        if len(pieces) >= n_pieces or totals[pair] < max(1, min_frequency):
            break
        merges[pair] = len(pieces)
        pieces.append(pieces[pair[0]] + pieces[pair[1]])
    return pieces, merges


def right_1(word_counts, n_pieces, min_frequency=2):
    "simple and slow, with the module's count_pairs and merge_word, as the hints say"
    words = [byte_indices(word) for word in word_counts]
    counts = list(word_counts.values())
    pieces = [bytes([b]) for b in ALPHABET]
    merges = {}
    while len(pieces) < n_pieces:
        totals = count_pairs(words, counts)
        if not totals:
            break
        pair = min(totals, key=lambda pair: (-totals[pair], pair))
        if totals[pair] < max(min_frequency, 1):
            break
        merges[pair] = len(pieces)
        pieces.append(pieces[pair[0]] + pieces[pair[1]])
        for word in words:
            merge_word(word, *pair, merges[pair])
    return pieces, merges


def right_2(word_counts, n_pieces, min_frequency=2):
    "counts kept by the reported changes"
    words = [byte_indices(word) for word in word_counts]
    counts = list(word_counts.values())
    pieces, merges = [bytes([b]) for b in ALPHABET], {}
    totals = Counter(count_pairs(words, counts))
    while len(pieces) < n_pieces:
        live = [(-n, pair) for pair, n in totals.items() if n > 0]
        if not live:
            break
        n, (a, b) = min(live)
        if -n < min_frequency:
            break
        new = len(pieces)
        pieces += [pieces[a] + pieces[b]]
        merges[a, b] = new
        for word, count in zip(words, counts):
            for pair, change in merge_word(word, a, b, new):
                totals[pair] += change * count
        del totals[a, b]
    return pieces, merges


def right_3(word_counts, n_pieces, min_frequency=2):
    "own merging, sorted candidates"
    items = [(tuple(byte_indices(w)), n) for w, n in word_counts.items()]
    pieces = [ALPHABET[i : i + 1] for i in range(256)]
    merges = {}
    for new in range(256, n_pieces):
        totals = _count([w for w, _ in items], [n for _, n in items])
        good = sorted((pair for pair in totals if totals[pair] >= max(min_frequency, 1)), key=lambda p: (-totals[p], p[0], p[1]))
        if not good:
            return pieces, merges
        a, b = good[0]
        pieces.append(b"".join((pieces[a], pieces[b])))
        merges[good[0]] = new
        items = [(tuple(_apply(list(w), a, b, new)), n) for w, n in items]
    return pieces, merges


def right_4(word_counts, n_pieces, min_frequency=2):
    "max of the counts first, then min of the pairs that reach it"
    words = {w: byte_indices(w) for w in word_counts}
    pieces = [bytes((b,)) for b in ALPHABET]
    merges = {}
    while len(pieces) < n_pieces:
        totals = Counter()
        for w, ids in words.items():
            for i in range(len(ids) - 1):
                totals[ids[i], ids[i + 1]] += word_counts[w]
        most = max(totals.values(), default=0)
        if most < max(min_frequency, 1):
            break
        a, b = min(p for p, n in totals.items() if n == most)
        merges[a, b] = len(pieces)
        pieces.append(pieces[a] + pieces[b])
        words = {w: _apply(ids, a, b, merges[a, b]) for w, ids in words.items()}
    return pieces, merges
