"""bpe.merge_word"""
from collections import Counter


def wrong_1(word, a, b, new):
    "no check for i > 0: at the left edge word[-1] is reported as neighbour"
    changes, i = [], 0
    while i < len(word) - 1:
        if word[i] == a and word[i + 1] == b:
            word[i : i + 2] = [new]
            changes += [((word[i - 1], a), -1), ((word[i - 1], new), 1)]
            if i + 1 < len(word):
                changes += [((b, word[i + 1]), -1), ((new, word[i + 1]), 1)]
        i += 1
    return changes


def wrong_2(word, a, b, new):
    "makes a new list: `word` of the caller is not changed"
    changes, i = [], 0
    word = list(word)
    while i < len(word) - 1:
        if word[i] == a and word[i + 1] == b:
            word[i : i + 2] = [new]
            if i > 0:
                changes += [((word[i - 1], a), -1), ((word[i - 1], new), 1)]
            if i + 1 < len(word):
                changes += [((b, word[i + 1]), -1), ((new, word[i + 1]), 1)]
        i += 1
    return changes


def wrong_3(word, a, b, new):
    "changes reported against the word as it was: merges side by side (abab) report a pair twice as vanished and (new, a) that never came"
    old, changes, out, i = list(word), [], [], 0
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


def wrong_4(word, a, b, new):
    "from the right: with a = b, [a, a, a] becomes [a, new]"
    changes, i = [], len(word) - 2
    while i >= 0:
        if i + 1 < len(word) and word[i] == a and word[i + 1] == b:
            word[i : i + 2] = [new]
            if i > 0:
                changes += [((word[i - 1], a), -1), ((word[i - 1], new), 1)]
            if i + 1 < len(word):
                changes += [((b, word[i + 1]), -1), ((new, word[i + 1]), 1)]
        i -= 1
    return changes


def wrong_5(word, a, b, new):
    "only the first occurrence is merged"
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


def wrong_6(word, a, b, new):
    "range(len(word) - 1) is fixed before the list shrinks: IndexError after a merge"
    changes = []
    for i in range(len(word) - 1):
        if word[i] == a and word[i + 1] == b:
            word[i : i + 2] = [new]
            if i > 0:
                changes += [((word[i - 1], a), -1), ((word[i - 1], new), 1)]
            if i + 1 < len(word):
                changes += [((b, word[i + 1]), -1), ((new, word[i + 1]), 1)]
    return changes


def wrong_7(word, a, b, new):
    "left and right vanished pairs with the wrong partner: (left, b) and (a, right)"
    changes, i = [], 0
    while i < len(word) - 1:
        if word[i] == a and word[i + 1] == b:
            word[i : i + 2] = [new]
            if i > 0:
                changes += [((word[i - 1], b), -1), ((word[i - 1], new), 1)]
            if i + 1 < len(word):
                changes += [((a, word[i + 1]), -1), ((new, word[i + 1]), 1)]
        i += 1
    return changes


def wrong_8(word, a, b, new):
    "skips one token too many after a merge: abab becomes [new, a, b]"
    changes, i = [], 0
    while i < len(word) - 1:
        if word[i] == a and word[i + 1] == b:
            word[i : i + 2] = [new]
            if i > 0:
                changes += [((word[i - 1], a), -1), ((word[i - 1], new), 1)]
            if i + 1 < len(word):
                changes += [((b, word[i + 1]), -1), ((new, word[i + 1]), 1)]
            i += 2
        else:
            i += 1
    return changes


def wrong_9(word, a, b, new):
    "as a set: a change that happens twice (x a b x a b) is reported once"
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


def wrong_10(word, a, b, new):
    "no right neighbour is reported if it starts the next merge, but (b, a) did vanish: abab loses ((b, a), -1)"
    changes, i = [], 0
    while i < len(word) - 1:
        if word[i] == a and word[i + 1] == b:
            word[i : i + 2] = [new]
            if i > 0 and word[i - 1] != new:
                changes += [((word[i - 1], a), -1), ((word[i - 1], new), 1)]
            elif i > 0:
                changes += [((new, new), 1)]
            if i + 1 < len(word) and not (word[i + 1] == a and i + 2 < len(word) and word[i + 2] == b):
                changes += [((b, word[i + 1]), -1), ((new, word[i + 1]), 1)]
        i += 1
    return changes


def right_1(word, a, b, new):
    "counts all pairs before and after, and reports the difference in single steps"
    before = Counter(zip(word, word[1:]))
    out, i = [], 0
    while i < len(word):
        if i + 1 < len(word) and (word[i], word[i + 1]) == (a, b):
            out.append(new)
            i += 2
        else:
            out.append(word[i])
            i += 1
    word[:] = out
    after = Counter(zip(word, word[1:]))
    changes = []
    for pair in before.keys() | after.keys():
        if pair == (a, b):
            continue
        d = after[pair] - before[pair]
        changes += [(pair, 1 if d > 0 else -1)] * abs(d)
    return changes


def right_2(word, a, b, new):
    "pop and assign instead of a slice"
    changes = []
    i = 0
    while i + 1 < len(word):
        if (word[i], word[i + 1]) == (a, b):
            word[i] = new
            word.pop(i + 1)
            if i != 0:
                changes.append(((word[i - 1], a), -1))
                changes.append(((word[i - 1], new), 1))
            if i != len(word) - 1:
                changes.append(((b, word[i + 1]), -1))
                changes.append(((new, word[i + 1]), 1))
        i += 1
    return changes


def right_3(word, a, b, new):
    "places found first, then changes from the old word, neighbours taken from the new one"
    old, places, i = list(word), [], 0
    while i < len(old) - 1:
        if old[i] == a and old[i + 1] == b:
            places.append(i)
            i += 2
        else:
            i += 1
    starts, changes, out = set(places), [], []
    gone, came = [], []
    i = 0
    while i < len(old):
        if i in starts:
            out.append((new, True))
            i += 2
        else:
            out.append((old[i], False))
            i += 1
    for j in range(len(old) - 1):
        if j in starts:
            continue
        if j - 1 in starts or j + 1 in starts:
            gone.append((old[j], old[j + 1]))
    for (x, merged_x), (y, merged_y) in zip(out, out[1:]):
        if merged_x or merged_y:
            came.append((x, y))
    word[:] = [token for token, _ in out]
    changes += [(pair, -1) for pair in gone if pair != (a, b)]
    changes += [(pair, 1) for pair in came if pair != (a, b)]
    return changes


def right_4(word, a, b, new):
    "builds the new word on a stack"
    changes, out = [], []
    tokens = word[:]
    n = len(tokens)
    i = 0
    while i < n:
        if tokens[i] == a and i + 1 < n and tokens[i + 1] == b:
            if out:
                changes.append(((out[-1], a), -1))
                changes.append(((out[-1], new), +1))
            if i + 2 < n:
                changes.append(((b, tokens[i + 2]), -1))
                changes.append(((new, tokens[i + 2]), +1))
            out.append(new)
            i += 2
        else:
            out.append(tokens[i])
            i += 1
    word.clear()
    word.extend(out)
    return changes
