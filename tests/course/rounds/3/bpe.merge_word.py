"""bpe.merge_word"""
from collections import Counter


def wrong_1(word, a, b, new):
    "not in place: a new list is bound to the name"
    changes, out, i = [], [], 0
    while i < len(word):
        if i + 1 < len(word) and word[i] == a and word[i + 1] == b:
            if out:
                changes += [((out[-1], a), -1), ((out[-1], new), 1)]
            out.append(new)
            if i + 2 < len(word):
                changes += [((b, word[i + 2]), -1), ((new, word[i + 2]), 1)]
            i += 2
        else:
            out.append(word[i])
            i += 1
    word = out
    return changes


def wrong_2(word, a, b, new):
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


def wrong_3(word, a, b, new):
    "neighbours from the word as it was: two merges side by side ([a, b, a, b]) count (b, a) twice and never (new, new)"
    old, changes, out, i = list(word), [], [], 0
    while i < len(old):
        if old[i : i + 2] == [a, b]:
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
    "a pair in the last two places is not merged"
    changes, i = [], 0
    while i < len(word) - 2:
        if word[i] == a and word[i + 1] == b:
            word[i : i + 2] = [new]
            if i > 0:
                changes += [((word[i - 1], a), -1), ((word[i - 1], new), 1)]
            if i + 1 < len(word):
                changes += [((b, word[i + 1]), -1), ((new, word[i + 1]), 1)]
        i += 1
    return changes


def wrong_5(word, a, b, new):
    "at the beginning of the word the left neighbour is word[-1]"
    changes, i = [], 0
    while i < len(word) - 1:
        if word[i] == a and word[i + 1] == b:
            word[i : i + 2] = [new]
            changes += [((word[i - 1], a), -1), ((word[i - 1], new), 1)]
            if i + 1 < len(word):
                changes += [((b, word[i + 1]), -1), ((new, word[i + 1]), 1)]
        i += 1
    return changes


def wrong_6(word, a, b, new):
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


def wrong_7(word, a, b, new):
    "i moves on by two in the word that has become shorter: the next place is skipped"
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


def wrong_8(word, a, b, new):
    "changes as a set: a pair that appears or vanishes twice is reported once"
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


def wrong_9(word, a, b, new):
    "the token after a merge is not counted if it begins the next place: [a, b, a, b] misses that (b, a) vanishes"
    changes, i = [], 0
    while i < len(word) - 1:
        if word[i] == a and word[i + 1] == b:
            word[i : i + 2] = [new]
            if i > 0 and word[i - 1] != new:
                changes += [((word[i - 1], a), -1), ((word[i - 1], new), 1)]
            elif i > 0:
                changes += [((new, new), 1)]
            if i + 1 < len(word) and word[i + 1 : i + 3] != [a, b]:
                changes += [((b, word[i + 1]), -1), ((new, word[i + 1]), 1)]
        i += 1
    return changes


def wrong_10(word, a, b, new):
    "a is taken for b on the right: (a, y) is said to vanish instead of (b, y)"
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


def right_1(word, a, b, new):
    "builds a second list, copies it back at the end"
    changes, out, i, n = [], [], 0, len(word)
    while i < n:
        if i + 1 < n and (word[i], word[i + 1]) == (a, b):
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
    word[:] = out
    return changes


def right_2(word, a, b, new):
    "pairs before and after, compared; (a, b) left out"
    before = Counter(zip(word, word[1:]))
    i = 0
    while i + 1 < len(word):
        if word[i] == a and word[i + 1] == b:
            word[i] = new
            del word[i + 1]
        i += 1
    after = Counter(zip(word, word[1:]))
    gone, come = before - after, after - before
    gone.pop((a, b), None)
    return [(pair, -1) for pair in gone.elements()] + [(pair, 1) for pair in come.elements()]


def right_3(word, a, b, new):
    "places first, then the changes from the finished word; no double steps between two new ones"
    out, merged = [], []
    for token in word:
        if out and token == b and out[-1] == a and not merged[-1]:
            out[-1], merged[-1] = new, True
        else:
            out.append(token)
            merged.append(False)
    changes = []
    for j in range(len(out) - 1):
        if merged[j] or merged[j + 1]:
            left = b if merged[j] else out[j]
            right = a if merged[j + 1] else out[j + 1]
            changes += [((left, right), -1), ((out[j], out[j + 1]), 1)]
    word.clear()
    word.extend(out)
    return changes


def right_4(word, a, b, new):
    "pop and insert, changes in another order"
    plus, minus = [], []
    i = 0
    while i < len(word) - 1:
        if word[i] != a or word[i + 1] != b:
            i += 1
            continue
        word.pop(i + 1)
        word.pop(i)
        word.insert(i, new)
        if i + 1 < len(word):
            minus.append((b, word[i + 1]))
            plus.append((new, word[i + 1]))
        if i:
            minus.append((word[i - 1], a))
            plus.append((word[i - 1], new))
        i += 1
    return [(p, 1) for p in plus] + [(p, -1) for p in minus]
