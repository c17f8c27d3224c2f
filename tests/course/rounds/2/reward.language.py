"""reward.language"""
import re
import unicodedata

from minids.errors import MinidsError


def _share(words, target):
    return sum(all(n in target for n in w) for w in words) / len(words) if words else 1.0


def _words(text):
    words, run = [], []
    for c in text + " ":
        n = _script(c)
        if n == "COMBINING":
            continue
        if (not n or n in _NO_SPACES) and run:
            words.append(run)
            run = []
        if n in _NO_SPACES:
            words.append([n])
        elif n:
            run.append(n)
    return words


def _check(script):
    if script not in SCRIPTS:
        raise MinidsError(f"script {script!r} is not known")
    return SCRIPTS[script]


def wrong_1(text, script="latin"):
    "a word counts if any of its letters is of the script: a hidden Cyrillic letter goes unseen"
    target = _check(script)
    words = _words(_ANY_TAG.sub(" ", text))
    return sum(any(n in target for n in w) for w in words) / len(words) if words else 1.0


def wrong_2(text, script="latin"):
    "the share of letters, not of words"
    target = _check(script)
    letters = [n for w in _words(_ANY_TAG.sub(" ", text)) for n in w]
    return sum(n in target for n in letters) / len(letters) if letters else 1.0


def wrong_3(text, script="latin"):
    "a run of Han is one word"
    target, words, run = _check(script), [], []
    for c in _ANY_TAG.sub(" ", text) + " ":
        n = _script(c)
        if n == "COMBINING":
            continue
        if n:
            run.append(n)
        elif run:
            words.append(run)
            run = []
    return _share(words, target)


def wrong_4(text, script="latin"):
    "words are cut at blanks only, and digits and signs are dropped from them: '3x再4' or 'then,再' stick together"
    target = _check(script)
    words = []
    for token in _ANY_TAG.sub(" ", text).split():
        names = [_script(c) for c in token]
        names = [n for n in names if n and n != "COMBINING"]
        if names:
            words.append(names)
    return _share(words, target)


def wrong_5(text, script="latin"):
    "the tags' own names count as Latin words"
    return _share(_words(text), _check(script))


def wrong_6(text, script="latin"):
    "a text without words is worth 0"
    target = _check(script)
    words = _words(_ANY_TAG.sub(" ", text))
    return _share(words, target) if words else 0.0


def wrong_7(text, script="latin"):
    "tags are taken out without a trace: 'then</think>再'-like neighbours grow together, 'a<think>b' is one word"
    return _share(_words(_ANY_TAG.sub("", text)), _check(script))


def wrong_8(text, script="latin"):
    "an accent written as a mark of its own ends the word: 'cafe\\u0301s' is two words"
    target, words, run = _check(script), [], []
    for c in _ANY_TAG.sub(" ", text) + " ":
        n = _script(c) if unicodedata.category(c)[0] == "L" else ""
        if (not n or n in _NO_SPACES) and run:
            words.append(run)
            run = []
        if n in _NO_SPACES:
            words.append([n])
        elif n:
            run.append(n)
    return _share(words, target)


def wrong_9(text, script="latin"):
    "the last word is lost where the text ends with a letter"
    target = _check(script)
    words, run = [], []
    for c in _ANY_TAG.sub(" ", text):
        n = _script(c)
        if n == "COMBINING":
            continue
        if (not n or n in _NO_SPACES) and run:
            words.append(run)
            run = []
        if n in _NO_SPACES:
            words.append([n])
        elif n:
            run.append(n)
    return _share(words, target)


def wrong_10(text, script="latin"):
    "a word of another script before a Han character is not closed but thrown away: 'slowo再' in Cyrillic loses its word"
    target, words, run = _check(script), [], []
    for c in _ANY_TAG.sub(" ", text) + " ":
        n = _script(c)
        if n == "COMBINING":
            continue
        if n in _NO_SPACES:
            words.append([n])
            run = []
        elif n:
            run.append(n)
        elif run:
            words.append(run)
            run = []
    return _share(words, target)


def right_1(text, script="latin"):
    "lists of words by a helper"
    return _share(_words(_ANY_TAG.sub(" ", text)), _check(script))


def right_2(text, script="latin"):
    "counts instead of lists, no accents first"
    target = _check(script)
    right = total = 0
    state = None  # None: outside a word; else whether all of it is of the script so far
    for c in _ANY_TAG.sub("\n", text):
        name = _script(c)
        if name == "COMBINING":
            continue
        if state is not None and (not name or name in _NO_SPACES):
            total, right, state = total + 1, right + state, None
        if name in _NO_SPACES:
            total, right = total + 1, right + (name in target)
        elif name:
            state = (state is None or state) and name in target
    if state is not None:
        total, right = total + 1, right + state
    return right / total if total else 1.0


def right_3(text, script="latin"):
    "the text is written in codes first, and a pattern finds the words"
    if script not in SCRIPTS:
        raise MinidsError(f"reward: {script!r} is no script")
    def code(c):
        name = _script(c)
        if name == "COMBINING":
            return ""
        if not name:
            return " "
        here = name in SCRIPTS[script]
        return ("H" if here else "h") if name in _NO_SPACES else ("L" if here else "l")
    words = re.findall("[Hh]|[Ll]+", "".join(map(code, _ANY_TAG.sub(" ", text))))
    return sum(w.isupper() for w in words) / len(words) if words else 1.0


def right_4(text, script="latin"):
    "groupby over (kind of letter)"
    from itertools import groupby
    if script not in SCRIPTS:
        raise MinidsError(f"reward: {script!r} is no script")
    names = [n for n in map(_script, _ANY_TAG.sub(" ", text)) if n != "COMBINING"]
    words = []
    for kind, group in groupby(names, key=lambda n: 0 if not n else 2 if n in _NO_SPACES else 1):
        if kind == 1:
            words.append(set(group))
        elif kind == 2:
            words += [{n} for n in group]
    if not words:
        return 1.0
    return sum(word <= set(SCRIPTS[script]) for word in words) / len(words)
