"""bpe.apply"""
_SEEN = {}


def wrong_1(word, ranks, products):
    "merges in the caller's list"
    while len(word) > 1:
        rank, i = min((ranks.get((word[i], word[i + 1]), len(products)), i) for i in range(len(word) - 1))
        if rank == len(products):
            break
        word[i : i + 2] = [products[rank]]
    return word


def wrong_2(word, ranks, products):
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


def wrong_3(word, ranks, products):
    "of equal ranks the rightmost: [a, a, a] becomes [a, aa]"
    word = list(word)
    while len(word) > 1:
        rank, i = min((ranks.get((word[i], word[i + 1]), len(products)), -i) for i in range(len(word) - 1))
        if rank == len(products):
            break
        word[-i : -i + 2] = [products[rank]]
    return word


def wrong_4(word, ranks, products):
    "rank 0 is falsy: the first merge is never applied"
    word = list(word)
    none = len(products)
    while len(word) > 1:
        found = [ranks.get(pair) or none for pair in zip(word, word[1:])]
        rank = min(found)
        if rank == none:
            break
        i = found.index(rank)
        word[i : i + 2] = [products[rank]]
    return word


def wrong_5(word, ranks, products):
    "the product is taken to be 256 + rank"
    word = list(word)
    while len(word) > 1:
        rank, i = min((ranks.get((word[i], word[i + 1]), len(products)), i) for i in range(len(word) - 1))
        if rank == len(products):
            break
        word[i : i + 2] = [256 + rank]
    return word


def wrong_6(word, ranks, products):
    "ValueError (min of nothing) for words of no or one token, and when one token is left"
    word = list(word)
    while True:
        found = [ranks.get(pair, len(products)) for pair in zip(word, word[1:])]
        rank = min(found)
        if rank == len(products):
            return word
        i = found.index(rank)
        word[i : i + 2] = [products[rank]]


def wrong_7(word, ranks, products):
    "each pass merges every pair with a rank from left to right, not only the lowest"
    word = list(word)
    while any(pair in ranks for pair in zip(word, word[1:])):
        out, i = [], 0
        while i < len(word):
            rank = ranks.get((word[i], word[i + 1])) if i + 1 < len(word) else None
            out.append(word[i] if rank is None else products[rank])
            i += 1 if rank is None else 2
        word = out
    return word


def wrong_8(word, ranks, products):
    "remembers words in a global dict, whatever the merges: a second tokenizer gets the first one's ids"
    key = tuple(word)
    if key not in _SEEN:
        w = list(word)
        while len(w) > 1:
            rank, i = min((ranks.get((w[i], w[i + 1]), len(products)), i) for i in range(len(w) - 1))
            if rank == len(products):
                break
            w[i : i + 2] = [products[rank]]
        _SEEN[key] = w
    return list(_SEEN[key])


def wrong_9(word, ranks, products):
    "ranks are looked up once: pairs of the new tokens are never merged"
    word = list(word)
    places = sorted((ranks[pair], i) for i, pair in enumerate(zip(word, word[1:])) if pair in ranks)
    used = set()
    for rank, i in places:
        if i in used or i + 1 in used:
            continue
        used |= {i, i + 1}
        word[i], word[i + 1] = products[rank], None
    return [token for token in word if token is not None]


def wrong_10(word, ranks, products):
    "two tokens are left as they are: the loop stops at length 2"
    word = list(word)
    while len(word) > 2:
        rank, i = min((ranks.get((word[i], word[i + 1]), len(products)), i) for i in range(len(word) - 1))
        if rank == len(products):
            break
        word[i : i + 2] = [products[rank]]
    return word


def right_1(word, ranks, products):
    "min over (rank, place)"
    word = word[:]
    while True:
        found = [(ranks[pair], i) for i, pair in enumerate(zip(word, word[1:])) if pair in ranks]
        if not found:
            return word
        rank, i = min(found)
        word = word[:i] + [products[rank]] + word[i + 2 :]


def right_2(word, ranks, products):
    "recursion"
    best = None
    for i in range(len(word) - 1):
        rank = ranks.get((word[i], word[i + 1]))
        if rank is not None and (best is None or rank < best[0]):
            best = rank, i
    if best is None:
        return list(word)
    rank, i = best
    return right_2([*word[:i], products[rank], *word[i + 2 :]], ranks, products)


def right_3(word, ranks, products):
    "infinity for no rank; pop"
    ids = [*word]
    while len(ids) >= 2:
        pairs = list(zip(ids[:-1], ids[1:]))
        pair = min(pairs, key=lambda p: ranks.get(p, float("inf")))
        if pair not in ranks:
            break
        at = pairs.index(pair)
        ids[at] = products[ranks[pair]]
        ids.pop(at + 1)
    return ids


def right_4(word, ranks, products):
    "the heap version of the module, for every length"
    return apply_merges_heap(word, ranks, products)
