"""bpe.count_pairs"""
from collections import Counter, defaultdict
from itertools import pairwise


def wrong_1(words, counts):
    "places that overlap count once: [7, 7, 7] holds (7, 7) once"
    totals = defaultdict(int)
    for word, count in zip(words, counts):
        i = 0
        while i < len(word) - 1:
            totals[word[i], word[i + 1]] += count
            i += 2 if i + 2 < len(word) and word[i] == word[i + 1] == word[i + 2] else 1
    return dict(totals)


def wrong_2(words, counts):
    "a pair counts once a word"
    totals = Counter()
    for word, count in zip(words, counts):
        for pair in set(zip(word, word[1:])):
            totals[pair] += count
    return dict(totals)


def wrong_3(words, counts):
    "counts are not looked at"
    return dict(Counter(pair for word in words for pair in zip(word, word[1:])))


def wrong_4(words, counts):
    "pairs across words"
    totals = Counter()
    last = None
    for word, count in zip(words, counts):
        for token in word:
            if last is not None:
                totals[last, token] += count
            last = token
    return dict(totals)


def wrong_5(words, counts):
    "the last pair of each word is forgotten"
    totals = Counter()
    for word, count in zip(words, counts):
        for i in range(len(word) - 2):
            totals[word[i], word[i + 1]] += count
    return dict(totals)


def wrong_6(words, counts):
    "(a, b) and (b, a) are one pair"
    totals = Counter()
    for word, count in zip(words, counts):
        for a, b in zip(word, word[1:]):
            totals[min(a, b), max(a, b)] += count
    return dict(totals)


def wrong_7(words, counts):
    "pairs with total 0 for all ids that stand in one word"
    totals = {}
    for word, count in zip(words, counts):
        for a in word:
            for b in word:
                totals.setdefault((a, b), 0)
        for pair in zip(word, word[1:]):
            totals[pair] += count
    return totals


def wrong_8(words, counts):
    "words in a dict: of equal words only the last one's count is left"
    by_word = {tuple(word): count for word, count in zip(words, counts)}
    totals = Counter()
    for word, count in by_word.items():
        for pair in zip(word, word[1:]):
            totals[pair] += count
    return dict(totals)


def wrong_9(words, counts):
    "a later word overwrites what an earlier one counted"
    totals = {}
    for word, count in zip(words, counts):
        for pair, n in Counter(zip(word, word[1:])).items():
            totals[pair] = n * count
    return totals


def wrong_10(words, counts):
    "eats the words up: the caller's lists are empty afterwards"
    totals = Counter()
    for word, count in zip(words, counts):
        while len(word) > 1:
            a = word.pop(0)
            totals[a, word[0]] += count
    return dict(totals)


def right_1(words, counts):
    "indices and get"
    totals = {}
    for i in range(len(words)):
        w = words[i]
        for j in range(1, len(w)):
            key = (w[j - 1], w[j])
            totals[key] = totals.get(key, 0) + counts[i]
    return totals


def right_2(words, counts):
    "Counter, one for each word, multiplied"
    totals = Counter()
    for word, count in zip(words, counts):
        for pair, n in Counter(pairwise(word)).items():
            totals[pair] += n * count
    return totals


def right_3(words, counts):
    "from the end to the beginning"
    totals = defaultdict(int)
    for word, count in reversed(list(zip(words, counts))):
        after = None
        for token in reversed(word):
            if after is not None:
                totals[token, after] += count
            after = token
    return dict(totals)


def right_4(words, counts):
    "the list of all places first"
    places = [((a, b), n) for word, n in zip(words, counts) for a, b in zip(word[:-1], word[1:])]
    totals = dict.fromkeys((pair for pair, _ in places), 0)
    for pair, n in places:
        totals[pair] += n
    return totals
