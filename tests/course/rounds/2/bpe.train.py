"""bpe.train"""


def _simple(word_counts, n_pieces, min_frequency, best_of, value=None, words=None):
    words = [byte_indices(word) for word in word_counts] if words is None else words
    counts = list(word_counts.values())
    pieces, merges = [bytes([b]) for b in ALPHABET], {}
    while len(pieces) < n_pieces:
        totals = count_pairs(words, counts)
        if not totals:
            break
        best = best_of(totals)
        if totals[best] < min_frequency:
            break
        merges[best] = new = len(pieces)
        pieces.append(pieces[best[0]] + pieces[best[1]])
        for word in words:
            merge_word(word, *best, new)
    return pieces, merges


def wrong_1(word_counts, n_pieces, min_frequency=2):
    "of several pairs with the highest count the first seen, not the smallest"
    return _simple(word_counts, n_pieces, min_frequency, lambda t: max(t, key=t.get))


def wrong_2(word_counts, n_pieces, min_frequency=2):
    "of several pairs the largest"
    return _simple(word_counts, n_pieces, min_frequency, lambda t: max(t, key=lambda p: (t[p], p)))


def wrong_3(word_counts, n_pieces, min_frequency=2):
    "a pair that occurs exactly min_frequency times is not merged"
    return _simple(word_counts, n_pieces, min_frequency + 1, lambda t: min(t, key=lambda p: (-t[p], p)))


def wrong_4(word_counts, n_pieces, min_frequency=2):
    "when no pairs are left (all words are one piece): ValueError of an empty min"
    words = [byte_indices(word) for word in word_counts]
    counts = list(word_counts.values())
    pieces, merges = [bytes([b]) for b in ALPHABET], {}
    while len(pieces) < n_pieces:
        totals = count_pairs(words, counts)
        best = min(totals, key=lambda p: (-totals[p], p))
        if totals[best] < min_frequency:
            break
        merges[best] = len(pieces)
        for word in words:
            merge_word(word, *best, len(pieces))
        pieces.append(pieces[best[0]] + pieces[best[1]])
    return pieces, merges


def wrong_5(word_counts, n_pieces, min_frequency=2):
    "rare words are dropped beforehand, although their pairs may be frequent together"
    kept = {w: c for w, c in word_counts.items() if c >= min_frequency}
    return _simple(kept, n_pieces, min_frequency, lambda t: min(t, key=lambda p: (-t[p], p)))


def wrong_6(word_counts, n_pieces, min_frequency=2):
    "of several pairs the one whose bytes are smallest, not whose indices are"
    words = [byte_indices(word) for word in word_counts]
    counts = list(word_counts.values())
    pieces, merges = [bytes([b]) for b in ALPHABET], {}
    while len(pieces) < n_pieces:
        totals = count_pairs(words, counts)
        if not totals:
            break
        best = min(totals, key=lambda p: (-totals[p], pieces[p[0]], pieces[p[1]]))
        if totals[best] < min_frequency:
            break
        merges[best] = new = len(pieces)
        pieces.append(pieces[best[0]] + pieces[best[1]])
        for word in words:
            merge_word(word, *best, new)
    return pieces, merges


def wrong_7(word_counts, n_pieces, min_frequency=2):
    "counts kept by merge_word's changes, but not times the word's count"
    words = [byte_indices(word) for word in word_counts]
    counts = list(word_counts.values())
    pieces, merges = [bytes([b]) for b in ALPHABET], {}
    totals = dict(count_pairs(words, counts))
    while len(pieces) < n_pieces and totals:
        best = min(totals, key=lambda p: (-totals[p], p))
        if totals[best] < max(min_frequency, 1):
            break
        del totals[best]
        merges[best] = new = len(pieces)
        pieces.append(pieces[best[0]] + pieces[best[1]])
        for word in words:
            for pair, change in merge_word(word, *best, new):
                if pair != best:
                    totals[pair] = totals.get(pair, 0) + change
    return pieces, merges


def wrong_8(word_counts, n_pieces, min_frequency=2):
    "with min_frequency 0, pairs whose count has sunk to 0 are merged: they do not occur any more"
    words = [byte_indices(word) for word in word_counts]
    counts = list(word_counts.values())
    pieces, merges = [bytes([b]) for b in ALPHABET], {}
    totals = dict(count_pairs(words, counts))
    while len(pieces) < n_pieces and totals:
        best = min(totals, key=lambda p: (-totals[p], p))
        if totals[best] < min_frequency:
            break
        del totals[best]
        merges[best] = new = len(pieces)
        pieces.append(pieces[best[0]] + pieces[best[1]])
        for word, count in zip(words, counts):
            for pair, change in merge_word(word, *best, new):
                if pair != best:
                    totals[pair] = totals.get(pair, 0) + change * count
    return pieces, merges


def wrong_9(word_counts, n_pieces, min_frequency=2):
    "n_pieces below 256: the bytes are cut off (pieces[:n_pieces])"
    pieces, merges = _simple(word_counts, n_pieces, min_frequency, lambda t: min(t, key=lambda p: (-t[p], p)))
    return pieces[:n_pieces], merges


def wrong_10(word_counts, n_pieces, min_frequency=2):
    "words by their characters (ord): a letter beyond ASCII is no byte, and the bytes come in order of their number"
    words = [[ALPHABET.index(ord(c) % 256) for c in word] for word in word_counts]
    return _simple(word_counts, n_pieces, min_frequency, lambda t: min(t, key=lambda p: (-t[p], p)), words=words)


def right_1(word_counts, n_pieces, min_frequency=2):
    "simple and slow: the hints"
    return _simple(word_counts, n_pieces, min_frequency, lambda t: min(t, key=lambda p: (-t[p], p)))


def right_2(word_counts, n_pieces, min_frequency=2):
    "counts kept up to date, a scan for the best"
    words = [byte_indices(word) for word in word_counts]
    counts = list(word_counts.values())
    pieces, merges = [bytes([b]) for b in ALPHABET], {}
    totals = dict(count_pairs(words, counts))
    while len(pieces) < n_pieces:
        totals = {p: n for p, n in totals.items() if n > 0}
        if not totals:
            break
        top = max(totals.values())
        if top < min_frequency:
            break
        best = min(p for p, n in totals.items() if n == top)
        merges[best] = new = len(pieces)
        pieces.append(pieces[best[0]] + pieces[best[1]])
        totals.pop(best)
        for word, count in zip(words, counts):
            for pair, change in merge_word(word, *best, new):
                if pair != best:
                    totals[pair] = totals.get(pair, 0) + change * count
    return pieces, merges


def right_3(word_counts, n_pieces, min_frequency=2):
    "own counting and merging, tuples for words"
    corpus = [(tuple(byte_indices(w)), n) for w, n in word_counts.items()]
    pieces = [ALPHABET[i : i + 1] for i in range(256)]
    merges = {}
    for new in range(256, n_pieces):
        totals = {}
        for word, n in corpus:
            for i in range(len(word) - 1):
                totals[word[i : i + 2]] = totals.get(word[i : i + 2], 0) + n
        ranked = sorted(totals.items(), key=lambda item: (-item[1], item[0]))
        if not ranked or ranked[0][1] < min_frequency:
            break
        pair = ranked[0][0]
        merges[pair] = new
        pieces.append(b"".join(pieces[i] for i in pair))
        merged = []
        for word, n in corpus:
            out, i = [], 0
            while i < len(word):
                if word[i : i + 2] == pair:
                    out.append(new)
                    i += 2
                else:
                    out.append(word[i])
                    i += 1
            merged.append((tuple(out), n))
        corpus = merged
    return pieces, merges


def right_4(word_counts, n_pieces, min_frequency=2):
    "sort twice (stable), words of one byte left out"
    words = {w: byte_indices(w) for w in word_counts}
    pieces, merges = [bytes((b,)) for b in ALPHABET], {}
    while len(pieces) < n_pieces:
        alive = [w for w in words if len(words[w]) > 1]
        totals = count_pairs([words[w] for w in alive], [word_counts[w] for w in alive])
        order = sorted(totals)
        order.sort(key=lambda p: totals[p], reverse=True)
        if len(order) == 0 or totals[order[0]] < max(1, min_frequency):
            return pieces, merges
        a, b = order[0]
        merges[a, b] = len(pieces)
        for w in alive:
            merge_word(words[w], a, b, merges[a, b])
        pieces += [pieces[a] + pieces[b]]
    return pieces, merges
