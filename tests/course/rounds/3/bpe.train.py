"""bpe.train"""
from collections import Counter, defaultdict


def _count(words, counts):
    totals = Counter()
    for word, n in zip(words, counts):
        for pair in zip(word, word[1:]):
            totals[pair] += n
    return totals


def _merge(word, pair, new):
    out = []
    i = 0
    while i < len(word):
        if i + 1 < len(word) and (word[i], word[i + 1]) == pair:
            out.append(new)
            i += 2
        else:
            out.append(word[i])
            i += 1
    return out


def _learn(word_counts, n_pieces, least, best=None):
    words, counts = [byte_indices(w) for w in word_counts], list(word_counts.values())
    pieces, merges = [bytes([x]) for x in ALPHABET], {}
    best = best or (lambda totals, pieces: min(totals, key=lambda p: (-totals[p], p)))
    while len(pieces) < n_pieces:
        totals = _count(words, counts)
        if not totals:
            break
        pair = best(totals, pieces)
        if totals[pair] < least:
            break
        merges[pair] = len(pieces)
        words = [_merge(w, pair, len(pieces)) for w in words]
        pieces.append(pieces[pair[0]] + pieces[pair[1]])
    return pieces, merges


def wrong_1(word_counts, n_pieces, min_frequency=2):
    "of pairs with equal counts the one seen first"
    return _learn(word_counts, n_pieces, max(1, min_frequency), lambda totals, pieces: max(totals, key=totals.get))


def wrong_2(word_counts, n_pieces, min_frequency=2):
    "of pairs with equal counts the largest: max over (count, pair)"
    return _learn(word_counts, n_pieces, max(1, min_frequency), lambda t, pieces: max(t, key=lambda p: (t[p], p)))


def wrong_3(word_counts, n_pieces, min_frequency=2):
    "of pairs with equal counts the smallest in bytes, not in indices"
    def best(t, pieces):
        return min(t, key=lambda p: (-t[p], pieces[p[0]], pieces[p[1]]))
    return _learn(word_counts, n_pieces, max(1, min_frequency), best)


def wrong_4(word_counts, n_pieces, min_frequency=2):
    "a pair that occurs exactly min_frequency times is not merged"
    return _learn(word_counts, n_pieces, max(1, min_frequency) + 1)


def wrong_5(word_counts, n_pieces, min_frequency=2):
    "ValueError (max of nothing) when every word is one token"
    words, counts = [byte_indices(w) for w in word_counts], list(word_counts.values())
    pieces, merges = [bytes([x]) for x in ALPHABET], {}
    while len(pieces) < n_pieces:
        totals = _count(words, counts)
        pair = min(totals, key=lambda p: (-totals[p], p))
        if totals[pair] < min_frequency:
            break
        merges[pair] = len(pieces)
        words = [_merge(w, pair, len(pieces)) for w in words]
        pieces.append(pieces[pair[0]] + pieces[pair[1]])
    return pieces, merges


def wrong_6(word_counts, n_pieces, min_frequency=2):
    "n_pieces merges, not n_pieces pieces"
    return _learn(word_counts, n_pieces + 256, max(1, min_frequency))


def wrong_7(word_counts, n_pieces, min_frequency=2):
    "the bytes in the order 0 ... 255, not in that of ALPHABET (indices are raw byte values)"
    words, counts = [list(w.encode("utf-8", "surrogateescape")) for w in word_counts], list(word_counts.values())
    pieces, merges = [bytes([x]) for x in range(256)], {}
    while len(pieces) < n_pieces:
        totals = _count(words, counts)
        if not totals:
            break
        pair = min(totals, key=lambda p: (-totals[p], p))
        if totals[pair] < max(1, min_frequency):
            break
        merges[pair] = len(pieces)
        words = [_merge(w, pair, len(pieces)) for w in words]
        pieces.append(pieces[pair[0]] + pieces[pair[1]])
    return pieces, merges


def wrong_8(word_counts, n_pieces, min_frequency=2):
    "{pair: rank} instead of {pair: index of the piece}"
    pieces, merges = _learn(word_counts, n_pieces, max(1, min_frequency))
    return pieces, {pair: rank for rank, pair in enumerate(merges)}


def wrong_9(word_counts, n_pieces, min_frequency=2):
    "changes are not weighted with the count of the word: stale counts"
    words, counts = [byte_indices(w) for w in word_counts], list(word_counts.values())
    pieces, merges = [bytes([x]) for x in ALPHABET], {}
    totals = _count(words, counts)
    while len(pieces) < n_pieces and totals:
        pair = min(totals, key=lambda p: (-totals[p], p))
        if totals[pair] < max(1, min_frequency):
            break
        a, b = pair
        merges[pair] = new = len(pieces)
        pieces.append(pieces[a] + pieces[b])
        del totals[pair]
        for word, n in zip(words, counts):
            # without the weight of the word
            for beside, change in merge_word(word, a, b, new):
                if beside != pair:
                    totals[beside] += change
    return pieces, merges


def wrong_10(word_counts, n_pieces, min_frequency=2):
    "rare words are thrown out of the caller's dict before learning"
    for word in [w for w, n in word_counts.items() if n < min_frequency]:
        del word_counts[word]
    return _learn(word_counts, n_pieces, max(1, min_frequency))


def right_1(word_counts, n_pieces, min_frequency=2):
    "the simple way: all pairs counted again before each merge"
    return _learn(word_counts, n_pieces, max(1, min_frequency))


def right_2(word_counts, n_pieces, min_frequency=2):
    "count_pairs and merge_word of the module; sorted"
    words, counts = [byte_indices(w) for w in word_counts], [word_counts[w] for w in word_counts]
    pieces, merges = [bytes((x,)) for x in ALPHABET], {}
    for new in range(256, n_pieces):
        ranking = sorted((-n, pair) for pair, n in count_pairs(words, counts).items())
        if not ranking or -ranking[0][0] < min_frequency:
            break
        a, b = ranking[0][1]
        for word in words:
            merge_word(word, a, b, new)
        pieces.append(pieces[a] + pieces[b])
        merges[(a, b)] = new
    return pieces, merges


def right_3(word_counts, n_pieces, min_frequency=2):
    "max over (count, negated pair); words as tuples in a Counter that is made anew"
    table = Counter()
    for w, n in word_counts.items():
        table[tuple(byte_indices(w))] += n
    pieces, merges = [bytes([x]) for x in ALPHABET], {}
    while len(pieces) < n_pieces:
        totals = defaultdict(int)
        for w, n in table.items():
            for i in range(len(w) - 1):
                totals[w[i : i + 2]] += n
        (count, a, b) = max(((n, -p[0], -p[1]) for p, n in totals.items()), default=(0, 0, 0))
        if count < max(min_frequency, 1):
            return pieces, merges
        pair, new = (-a, -b), len(pieces)
        merges[pair] = new
        pieces.append(b"".join(pieces[x] for x in pair))
        again = Counter()
        for w, n in table.items():
            again[tuple(_merge(w, pair, new))] += n
        table = again
    return pieces, merges


def right_4(word_counts, n_pieces, min_frequency=2):
    "counts kept up to date from the words that hold the pair; no heap"
    words, counts = [byte_indices(w) for w in word_counts], list(word_counts.values())
    pieces, merges = [bytes([x]) for x in ALPHABET], {}
    totals = _count(words, counts)
    while len(pieces) < n_pieces:
        pair = min(totals, key=lambda p: (-totals[p], p), default=None)
        if pair is None or totals[pair] < max(1, min_frequency):
            break
        new = len(pieces)
        for i, word in enumerate(words):
            if pair in set(zip(word, word[1:])):
                totals.subtract({p: n * counts[i] for p, n in Counter(zip(word, word[1:])).items()})
                words[i] = _merge(word, pair, new)
                totals.update({p: n * counts[i] for p, n in Counter(zip(words[i], words[i][1:])).items()})
        totals = +totals
        merges[pair] = new
        pieces.append(pieces[pair[0]] + pieces[pair[1]])
    return pieces, merges
