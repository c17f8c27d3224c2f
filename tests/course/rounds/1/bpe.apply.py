"""bpe.apply"""
import heapq


def wrong_1(word, ranks, products):
    "the leftmost pair that has a rank, not the one of lowest rank"
    word = list(word)
    i = 0
    while i < len(word) - 1:
        rank = ranks.get((word[i], word[i + 1]))
        if rank is None:
            i += 1
        else:
            word[i : i + 2] = [products[rank]]
            i = 0
    return word


def wrong_2(word, ranks, products):
    "changes the caller's list"
    none = len(products)
    while len(word) > 1:
        found = [ranks.get(p, none) for p in zip(word, word[1:])]
        rank = min(found)
        if rank == none:
            break
        i = found.index(rank)
        word[i : i + 2] = [products[rank]]
    return word


def wrong_3(word, ranks, products):
    "rightmost first (differs for a pair (a, a) in [a, a, a])"
    word = list(word)
    while len(word) > 1:
        best = min(range(len(word) - 1), key=lambda i: (ranks.get((word[i], word[i + 1]), len(products)), -i))
        rank = ranks.get((word[best], word[best + 1]))
        if rank is None:
            break
        word[best : best + 2] = [products[rank]]
    return word


def wrong_4(word, ranks, products):
    "the id is taken as 256 + rank instead of products[rank] (differs with other products, e.g. with special tokens in front)"
    word = list(word)
    while len(word) > 1:
        found = {(word[i], word[i + 1]): i for i in reversed(range(len(word) - 1)) if (word[i], word[i + 1]) in ranks}
        if not found:
            break
        pair = min(found, key=ranks.get)
        word[found[pair] : found[pair] + 2] = [256 + ranks[pair]]
    return word


def wrong_5(word, ranks, products):
    "min() of an empty sequence for a word without pairs: ValueError for [] and [x]"
    word = list(word)
    while True:
        found = [ranks.get(p, len(products)) for p in zip(word, word[1:])]
        rank = min(found)
        if rank == len(products):
            return word
        i = found.index(rank)
        word[i : i + 2] = [products[rank]]


def wrong_6(word, ranks, products):
    "`if rank` takes rank 0 for no rank: the merge learned first is never applied"
    word = list(word)
    while len(word) > 1:
        found = [ranks.get(p) or len(products) for p in zip(word, word[1:])]
        rank = min(found)
        if rank == len(products):
            break
        i = found.index(rank)
        word[i : i + 2] = [products[rank]]
    return word


def wrong_7(word, ranks, products):
    "one pass: ranks are found once and not again after a merge, so pairs with a new token stay"
    word = list(word)
    order = sorted({ranks[p] for p in zip(word, word[1:]) if p in ranks})
    pair_of = {rank: pair for pair, rank in ranks.items()}
    for rank in order:
        a, b = pair_of[rank]
        i = 0
        while i < len(word) - 1:
            if (word[i], word[i + 1]) == (a, b):
                word[i : i + 2] = [products[rank]]
            i += 1
    return word


def wrong_8(word, ranks, products):
    "stops when the word has two tokens left: the last merge into one is not made"
    word = list(word)
    none = len(products)
    while len(word) > 2:
        found = [ranks.get(p, none) for p in zip(word, word[1:])]
        rank = min(found)
        if rank == none:
            break
        i = found.index(rank)
        word[i : i + 2] = [products[rank]]
    return word


def wrong_9(word, ranks, products):
    "each rank in the order of learning, but a rank is left after its first place: repeated pairs stay"
    word = list(word)
    for (a, b), rank in sorted(ranks.items(), key=lambda item: item[1]):
        for i in range(len(word) - 1):
            if (word[i], word[i + 1]) == (a, b):
                word[i : i + 2] = [products[rank]]
                break
    return word


def wrong_10(word, ranks, products):
    "longest token first, greedily from the left by products, not by rank"
    spelled = {}
    for (a, b), rank in sorted(ranks.items(), key=lambda item: item[1]):
        spelled[tuple(spelled.get(a, (a,))) + tuple(spelled.get(b, (b,)))] = products[rank]
        spelled[products[rank]] = tuple(spelled.get(a, (a,))) + tuple(spelled.get(b, (b,)))
    out, i = [], 0
    while i < len(word):
        for j in range(len(word), i, -1):
            if tuple(word[i:j]) in spelled:
                out.append(spelled[tuple(word[i:j])])
                i = j
                break
        else:
            out.append(word[i])
            i += 1
    return out


def right_1(word, ranks, products):
    "recursion"
    pairs = [(ranks[p], i) for i, p in enumerate(zip(word, word[1:])) if p in ranks]
    if not pairs:
        return list(word)
    rank, i = min(pairs)
    return right_1([*word[:i], products[rank], *word[i + 2 :]], ranks, products)


def right_2(word, ranks, products):
    "explicit search for the lowest rank"
    ids = word[:]
    while True:
        best, where = None, None
        for i in range(len(ids) - 1):
            rank = ranks.get((ids[i], ids[i + 1]))
            if rank is not None and (best is None or rank < best):
                best, where = rank, i
        if best is None:
            return ids
        ids[where] = products[best]
        del ids[where + 1]


def right_3(word, ranks, products):
    "float inf as none"
    out = [t for t in word]
    inf = float("inf")
    while len(out) >= 2:
        place = min(range(len(out) - 1), key=lambda i: ranks.get((out[i], out[i + 1]), inf))
        rank = ranks.get((out[place], out[place + 1]), inf)
        if rank == inf:
            break
        out = out[:place] + [products[rank]] + out[place + 2 :]
    return out


def right_4(word, ranks, products):
    "a fresh tuple for each merge, candidates in a heap"
    out = tuple(word)
    while True:
        candidates = [(ranks[pair], i) for i, pair in enumerate(zip(out, out[1:])) if pair in ranks]
        if not candidates:
            return list(out)
        heapq.heapify(candidates)
        rank, i = heapq.heappop(candidates)
        out = (*out[:i], products[rank], *out[i + 2 :])
