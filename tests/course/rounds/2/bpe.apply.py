"""bpe.apply"""


def wrong_1(word, ranks, products):
    "the word that was given is changed"
    none = len(products)
    while len(word) > 1:
        found = [ranks.get(pair, none) for pair in zip(word, word[1:])]
        rank = min(found)
        if rank == none:
            break
        i = found.index(rank)
        word[i : i + 2] = [products[rank]]
    return word


def wrong_2(word, ranks, products):
    "rank 0 is taken for no rank: the first merge is never applied"
    word = list(word)
    while True:
        found = [(ranks[p], i) for i, p in enumerate(zip(word, word[1:])) if ranks.get(p)]
        if not found:
            return word
        rank, i = min(found)
        word[i : i + 2] = [products[rank]]


def wrong_3(word, ranks, products):
    "an empty word, or one of a single byte: ValueError of an empty min"
    word = list(word)
    while True:
        rank, i = min((ranks.get(p, len(products)), i) for i, p in enumerate(zip(word, word[1:])))
        if rank == len(products):
            return word
        word[i : i + 2] = [products[rank]]
        if len(word) == 1:
            return word


def wrong_4(word, ranks, products):
    "merges the leftmost pair that has a rank, whatever its rank"
    word, i = list(word), 0
    while i < len(word) - 1:
        rank = ranks.get((word[i], word[i + 1]))
        if rank is None:
            i += 1
        else:
            word[i : i + 2] = [products[rank]]
            i = max(i - 1, 0)
    return word


def wrong_5(word, ranks, products):
    "of equal ranks the last place: [a, a, a] becomes [a, aa]"
    word = list(word)
    none = len(products)
    while len(word) > 1:
        found = [ranks.get(pair, none) for pair in zip(word, word[1:])]
        rank = min(found)
        if rank == none:
            break
        i = len(found) - 1 - found[::-1].index(rank)
        word[i : i + 2] = [products[rank]]
    return word


def wrong_6(word, ranks, products):
    "the id is taken to be 256 + rank instead of products[rank]"
    word = list(word)
    while len(word) > 1:
        found = [ranks.get(pair, len(products)) for pair in zip(word, word[1:])]
        rank = min(found)
        if rank == len(products):
            break
        i = found.index(rank)
        word[i : i + 2] = [256 + rank]
    return word


def wrong_7(word, ranks, products):
    "one sweep over the merges in the order of the dict, which need not be that of the ranks"
    word = list(word)
    for (a, b), rank in ranks.items():
        i = 0
        while i < len(word) - 1:
            if word[i] == a and word[i + 1] == b:
                word[i : i + 2] = [products[rank]]
            i += 1
    return word


def wrong_8(word, ranks, products):
    "the ranks are looked up once: pairs with a new token are never merged"
    word = list(word)
    found = sorted((ranks[p], i) for i, p in enumerate(zip(word, word[1:])) if p in ranks)
    gone = set()
    for rank, i in found:
        if i not in gone and i + 1 not in gone:
            word[i], word[i + 1] = products[rank], None
            gone |= {i, i + 1}
    return [t for t in word if t is not None]


def wrong_9(word, ranks, products):
    "the last pair is left out of the search"
    word = list(word)
    while len(word) > 1:
        found = [ranks.get((word[i], word[i + 1]), len(products)) for i in range(len(word) - 2)]
        if not found or min(found) == len(products):
            break
        i = found.index(min(found))
        word[i : i + 2] = [products[found[i]]]
    return word


def wrong_10(word, ranks, products):
    "stops after as many merges as the word had pairs at first divided by two: longer chains stay unmerged"
    word = list(word)
    for _ in range(len(word) // 2):
        found = [ranks.get(pair, len(products)) for pair in zip(word, word[1:])]
        if not found or min(found) == len(products):
            break
        i = found.index(min(found))
        word[i : i + 2] = [products[found[i]]]
    return word


def right_1(word, ranks, products):
    "recursion"
    best = min(((ranks[p], i) for i, p in enumerate(zip(word, word[1:])) if p in ranks), default=None)
    if best is None:
        return list(word)
    rank, i = best
    return right_1(word[:i] + [products[rank]] + word[i + 2 :], ranks, products)


def right_2(word, ranks, products):
    "a loop for the minimum, strict comparison keeps the leftmost"
    out = word[:]
    while True:
        rank, place = None, None
        for i in range(len(out) - 1):
            r = ranks.get((out[i], out[i + 1]))
            if r is not None and (rank is None or r < rank):
                rank, place = r, i
        if place is None:
            return out
        out[place] = products[rank]
        out.pop(place + 1)


def right_3(word, ranks, products):
    "infinity for pairs without a rank"
    word = [*word]
    while len(word) >= 2:
        pairs = list(zip(word[:-1], word[1:]))
        best = min(pairs, key=lambda p: ranks.get(p, float("inf")))
        if best not in ranks:
            break
        i = pairs.index(best)
        word = word[:i] + [products[ranks[best]]] + word[i + 2 :]
    return word


def right_4(word, ranks, products):
    "the heap"
    return apply_merges_heap(word, ranks, products)
