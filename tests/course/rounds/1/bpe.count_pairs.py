"""bpe.count_pairs"""
from collections import Counter, defaultdict
from itertools import pairwise


def wrong_1(words, counts):
    "the count of the word is ignored: every place counts 1"
    totals = {}
    for word, count in zip(words, counts):
        for pair in zip(word, word[1:]):
            totals[pair] = totals.get(pair, 0) + 1
    return totals


def wrong_2(words, counts):
    "a pair counts once per word, however many places it has"
    totals = {}
    for word, count in zip(words, counts):
        for pair in set(zip(word, word[1:])):
            totals[pair] = totals.get(pair, 0) + count
    return totals


def wrong_3(words, counts):
    "non-overlapping count: [7, 7, 7] holds (7, 7) only once"
    totals = {}
    for word, count in zip(words, counts):
        i, last = 0, None
        while i < len(word) - 1:
            pair = (word[i], word[i + 1])
            if pair == last:
                last = None
            else:
                totals[pair] = totals.get(pair, 0) + count
                last = pair if pair[0] == pair[1] else None
            i += 1
    return totals


def wrong_4(words, counts):
    "pairs cross from one word into the next"
    totals = {}
    before = None
    for word, count in zip(words, counts):
        for token in word:
            if before is not None:
                totals[before, token] = totals.get((before, token), 0) + count
            before = token
    return totals


def wrong_5(words, counts):
    "the last pair of every word is forgotten"
    totals = defaultdict(int)
    for word, count in zip(words, counts):
        for i in range(len(word) - 2):
            totals[word[i], word[i + 1]] += count
    return totals


def wrong_6(words, counts):
    "index -1 at i = 0: the last token of a word is paired with its first"
    totals = defaultdict(int)
    for word, count in zip(words, counts):
        for i in range(len(word)):
            totals[word[i - 1], word[i]] += count
    return totals


def wrong_7(words, counts):
    "order of a pair does not matter: (a, b) and (b, a) are added up"
    totals = defaultdict(int)
    for word, count in zip(words, counts):
        for a, b in zip(word, word[1:]):
            totals[min(a, b), max(a, b)] += count
    return totals


def wrong_8(words, counts):
    "a dict of words: a word that is listed twice counts only the last time"
    by_word = {tuple(word): count for word, count in zip(words, counts)}
    totals = defaultdict(int)
    for word, count in by_word.items():
        for pair in zip(word, word[1:]):
            totals[pair] += count
    return totals


def wrong_9(words, counts):
    "Counter.update(dict) per word loses repeated pairs: the dict comprehension keeps one place"
    totals = Counter()
    for word, count in zip(words, counts):
        totals.update({pair: count for pair in zip(word, word[1:])})
    return dict(totals)


def wrong_10(words, counts):
    "pairs of all tokens of a known alphabet are filled in with total 0"
    ids = sorted({t for word in words for t in word})
    totals = {(a, b): 0 for a in ids for b in ids}
    for word, count in zip(words, counts):
        for pair in zip(word, word[1:]):
            totals[pair] += count
    return totals


def right_1(words, counts):
    "plain dict and get, by index"
    totals = {}
    for i in range(len(words)):
        word = words[i]
        for j in range(1, len(word)):
            key = (word[j - 1], word[j])
            totals[key] = totals.get(key, 0) + counts[i]
    return totals


def right_2(words, counts):
    "a Counter of every word, times its count"
    totals = Counter()
    for word, count in zip(words, counts):
        for pair, times in Counter(pairwise(word)).items():
            totals[pair] += times * count
    return totals


def right_3(words, counts):
    "setdefault"
    totals = {}
    for k, word in enumerate(words):
        previous = None
        for position, token in enumerate(word):
            if position:
                totals.setdefault((previous, token), 0)
                totals[previous, token] += counts[k]
            previous = token
    return totals


def right_4(words, counts):
    "every word repeated, slowly, inside one Counter"
    found = defaultdict(list)
    for word, count in zip(words, counts):
        for pair in zip(word[:-1], word[1:]):
            found[pair].append(count)
    return {pair: sum(each) for pair, each in found.items()}
