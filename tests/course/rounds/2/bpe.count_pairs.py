"""bpe.count_pairs"""
from collections import Counter
from itertools import pairwise, chain


def wrong_1(words, counts):
    "a pair counts once a word: [7, 7, 7] or [1, 2, 1, 2] hold it twice"
    totals = {}
    for word, count in zip(words, counts):
        for pair in set(zip(word, word[1:])):
            totals[pair] = totals.get(pair, 0) + count
    return totals


def wrong_2(words, counts):
    "the counts of the words are not looked at"
    return Counter(pair for word in words for pair in zip(word, word[1:]))


def wrong_3(words, counts):
    "one count a word by a dict: a word that is listed twice loses its first count"
    count_of = {tuple(word): count for word, count in zip(words, counts)}
    totals = Counter()
    for word, count in count_of.items():
        for pair in zip(word, word[1:]):
            totals[pair] += count
    return dict(totals)


def wrong_4(words, counts):
    "overlapping places of an equal pair are skipped: [7, 7, 7] holds (7, 7) once"
    totals = {}
    for word, count in zip(words, counts):
        i = 0
        while i + 1 < len(word):
            pair = (word[i], word[i + 1])
            totals[pair] = totals.get(pair, 0) + count
            i += 2 if word[i] == word[i + 1] else 1
    return totals


def wrong_5(words, counts):
    "pairs cross from one word into the next"
    totals = {}
    last = None
    for word, count in zip(words, counts):
        for token in word:
            if last is not None:
                totals[last, token] = totals.get((last, token), 0) + count
            last = token
    return totals


def wrong_6(words, counts):
    "(a, b) and (b, a) are counted as one"
    totals = {}
    for word, count in zip(words, counts):
        for a, b in zip(word, word[1:]):
            pair = (min(a, b), max(a, b))
            totals[pair] = totals.get(pair, 0) + count
    return totals


def wrong_7(words, counts):
    "an empty word is an IndexError"
    totals = {}
    for word, count in zip(words, counts):
        left = word[0]
        for right in word[1:]:
            totals[left, right] = totals.get((left, right), 0) + count
            left = right
    return totals


def wrong_8(words, counts):
    "the words are used up while they are read"
    totals = {}
    for word, count in zip(words, counts):
        while len(word) > 1:
            right = word.pop()
            totals[word[-1], right] = totals.get((word[-1], right), 0) + count
    return totals


def wrong_9(words, counts):
    "pairs of all tokens, most of them with total 0"
    tokens = sorted(set(chain.from_iterable(words)))
    totals = {(a, b): 0 for a in tokens for b in tokens}
    for word, count in zip(words, counts):
        for pair in zip(word, word[1:]):
            totals[pair] += count
    return totals


def wrong_10(words, counts):
    "the last pair of each word is missed"
    totals = {}
    for word, count in zip(words, counts):
        for i in range(len(word) - 2):
            pair = (word[i], word[i + 1])
            totals[pair] = totals.get(pair, 0) + count
    return totals


def right_1(words, counts):
    "indices and dict.get"
    totals = {}
    for n in range(len(words)):
        word = words[n]
        for i in range(1, len(word)):
            key = word[i - 1], word[i]
            totals[key] = totals.get(key, 0) + counts[n]
    return totals


def right_2(words, counts):
    "a Counter and pairwise"
    totals = Counter()
    for word, count in zip(words, counts, strict=True):
        for pair in pairwise(word):
            totals[pair] += count
    return totals


def right_3(words, counts):
    "places of each word counted first, then times its count"
    totals = {}
    for word, count in zip(words, counts):
        for pair, places in Counter(pairwise(word)).items():
            totals[pair] = totals.get(pair, 0) + places * count
    return dict(sorted(totals.items()))


def right_4(words, counts):
    "setdefault, from the right end"
    totals = {}
    for word, count in zip(words, counts):
        for i in range(len(word) - 1, 0, -1):
            totals.setdefault((word[i - 1], word[i]), 0)
            totals[word[i - 1], word[i]] += count
    return totals
