"""bpe.merge_word"""
from collections import Counter


def wrong_1(word, a, b, new):
    "no guard on the left: at i = 0, word[-1], the last token, is taken for a neighbour"
    changes, i = [], 0
    while i < len(word) - 1:
        if word[i] == a and word[i + 1] == b:
            word[i : i + 2] = [new]
            if len(word) > 1:
                changes += [((word[i - 1], a), -1), ((word[i - 1], new), 1)]
            if i + 1 < len(word):
                changes += [((b, word[i + 1]), -1), ((new, word[i + 1]), 1)]
        i += 1
    return changes


def wrong_2(word, a, b, new):
    "the left neighbour is read from the word before any merge: wrong for merges side by side, [a, b, a, b]"
    old, out, changes, i = list(word), [], [], 0
    while i < len(old):
        if i + 1 < len(old) and old[i] == a and old[i + 1] == b:
            if i > 0:
                changes += [((old[i - 1], a), -1), ((old[i - 1], new), 1)]
            if i + 2 < len(old):
                changes += [((b, old[i + 2]), -1), ((new, old[i + 2]), 1)]
            out.append(new)
            i += 2
        else:
            out.append(old[i])
            i += 1
    word[:] = out
    return changes


def wrong_3(word, a, b, new):
    "the word itself is not changed: the name is bound to a new list"
    changes, i = [], 0
    word = list(word)
    while i < len(word) - 1:
        if word[i] == a and word[i + 1] == b:
            word = word[:i] + [new] + word[i + 2 :]
            if i > 0:
                changes += [((word[i - 1], a), -1), ((word[i - 1], new), 1)]
            if i + 1 < len(word):
                changes += [((b, word[i + 1]), -1), ((new, word[i + 1]), 1)]
        i += 1
    return changes


def wrong_4(word, a, b, new):
    "a set of changes, so that the same change twice counts once: [x, a, b, x, a, b]"
    changes, i = set(), 0
    while i < len(word) - 1:
        if word[i] == a and word[i + 1] == b:
            word[i : i + 2] = [new]
            if i > 0:
                changes |= {((word[i - 1], a), -1), ((word[i - 1], new), 1)}
            if i + 1 < len(word):
                changes |= {((b, word[i + 1]), -1), ((new, word[i + 1]), 1)}
        i += 1
    return list(changes)


def wrong_5(word, a, b, new):
    "from the right: [a, a, a] becomes [a, new]"
    changes = []
    i = len(word) - 2
    while i >= 0:
        if word[i] == a and word[i + 1] == b:
            word[i : i + 2] = [new]
            if i > 0:
                changes += [((word[i - 1], a), -1), ((word[i - 1], new), 1)]
            if i + 1 < len(word):
                changes += [((b, word[i + 1]), -1), ((new, word[i + 1]), 1)]
            i -= 1
        i -= 1
    return changes


def wrong_6(word, a, b, new):
    "(new, right) gets +1 for a right neighbour that is merged next, and nothing takes it back"
    changes, i = [], 0
    while i < len(word) - 1:
        if word[i] == a and word[i + 1] == b:
            word[i : i + 2] = [new]
            if i > 0:
                if word[i - 1] != new:
                    changes.append(((word[i - 1], a), -1))
                changes.append(((word[i - 1], new), 1))
            if i + 1 < len(word):
                changes += [((b, word[i + 1]), -1), ((new, word[i + 1]), 1)]
        i += 1
    return changes


def wrong_7(word, a, b, new):
    "only the first place is merged"
    changes = []
    for i in range(len(word) - 1):
        if word[i] == a and word[i + 1] == b:
            word[i : i + 2] = [new]
            if i > 0:
                changes += [((word[i - 1], a), -1), ((word[i - 1], new), 1)]
            if i + 1 < len(word):
                changes += [((b, word[i + 1]), -1), ((new, word[i + 1]), 1)]
            break
    return changes


def wrong_8(word, a, b, new):
    "the pair on the right vanishes as (a, y) instead of (b, y)"
    changes, i = [], 0
    while i < len(word) - 1:
        if word[i] == a and word[i + 1] == b:
            word[i : i + 2] = [new]
            if i > 0:
                changes += [((word[i - 1], a), -1), ((word[i - 1], new), 1)]
            if i + 1 < len(word):
                changes += [((a, word[i + 1]), -1), ((new, word[i + 1]), 1)]
        i += 1
    return changes


def wrong_9(word, a, b, new):
    "i + 2 instead of i + 1 in the bound: a pair at the end of the word is not merged"
    changes = []
    for i in range(len(word) - 1):
        if i + 2 < len(word) and word[i] == a and word[i + 1] == b:
            word[i : i + 2] = [new]
            if i > 0:
                changes += [((word[i - 1], a), -1), ((word[i - 1], new), 1)]
            changes += [((b, word[i + 1]), -1), ((new, word[i + 1]), 1)]
    return changes


def wrong_10(word, a, b, new):
    "places are collected before merging, overlapping ones too: [a, a, a, a] with a = b, [a, a, a] becomes [new, new]"
    places = [i for i in range(len(word) - 1) if (word[i], word[i + 1]) == (a, b)]
    before = Counter(zip(word, word[1:]))
    out, skip = [], False
    for i, token in enumerate(word):
        if i in places:
            out.append(new)
        elif i - 1 in places:
            continue
        else:
            out.append(token)
    word[:] = out
    after = Counter(zip(word, word[1:]))
    changes = [(p, 1) for p in (after - before).elements()] + [(p, -1) for p in (before - after).elements()]
    return changes


def right_1(word, a, b, new):
    "pairs before and after compared, changes one by one"
    before = Counter(zip(word, word[1:]))
    i = 0
    while i + 1 < len(word):
        if word[i] == a and word[i + 1] == b:
            word[i] = new
            del word[i + 1]
        i += 1
    after = Counter(zip(word, word[1:]))
    changes = [(pair, -1) for pair in (before - after).elements() if pair != (a, b)]
    return changes + [(pair, 1) for pair in (after - before).elements()]


def right_2(word, a, b, new):
    "the hints, with two lists"
    lost, won, i = [], [], 0
    while i < len(word) - 1:
        if (word[i], word[i + 1]) == (a, b):
            word[i : i + 2] = [new]
            if i != 0:
                lost.append((word[i - 1], a))
                won.append((word[i - 1], new))
            if i != len(word) - 1:
                lost.append((b, word[i + 1]))
                won.append((new, word[i + 1]))
        i += 1
    return [(p, -1) for p in lost] + [(p, 1) for p in won]


def right_3(word, a, b, new):
    "built into a second list, left neighbour from there; copied back at the end; (a, b) is reported too"
    out, changes, i, n = [], [], 0, len(word)
    while i < n:
        if i + 1 < n and word[i] == a and word[i + 1] == b:
            changes.append(((a, b), -1))
            if out:
                changes.append(((out[-1], a), -1))
                changes.append(((out[-1], new), +1))
            if i + 2 < n:
                changes.append(((b, word[i + 2]), -1))
                changes.append(((new, word[i + 2]), +1))
            out.append(new)
            i += 2
        else:
            out.append(word[i])
            i += 1
    word.clear()
    word.extend(out)
    return changes


def right_4(word, a, b, new):
    "all old pairs -1 and all new ones +1, where something was merged"
    old = [pair for pair in zip(word, word[1:])]
    out = []
    tokens = iter(range(len(word)))
    for i in tokens:
        if i + 1 < len(word) and word[i] == a and word[i + 1] == b:
            out.append(new)
            next(tokens)
        else:
            out.append(word[i])
    if len(out) == len(word):
        return []
    word[:] = out
    fresh = list(zip(out, out[1:]))
    for pair in list(fresh):
        if pair in old:
            old.remove(pair)
            fresh.remove(pair)
    return [(pair, 1) for pair in fresh] + [(pair, -1) for pair in old]
