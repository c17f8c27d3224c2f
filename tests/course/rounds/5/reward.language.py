"""reward.language"""
import re
from functools import reduce
from itertools import groupby


def _known(script):
    if script not in SCRIPTS:
        raise MinidsError(f"reward: script={script!r} is not one of {', '.join(SCRIPTS)}")
    return SCRIPTS[script]


def _words(text, combining="skip", alone=_NO_SPACES, close=True):
    "-> the words of a text, each the list of its letters' scripts"
    words, run = [], []
    for char in text + " ":
        name = _script(char)
        if name == "COMBINING" and combining == "skip":
            continue
        if run and (not name or (close and name in alone)):
            words.append(run)
            run = []
        if name in alone:
            words.append([name])
        elif name:
            run.append(name)
    return words


def wrong_1(text, script="latin"):
    "a word counts by its first letter"
    # breaks: "it counts if every letter is of the script, so a Cyrillic letter hidden in a Latin word does not";
    # "th\u0435n"
    target = _known(script)
    words = _words(_ANY_TAG.sub(" ", text))
    return sum(word[0] in target for word in words) / len(words) if words else 1.0


def wrong_2(text, script="latin"):
    "a text without words gets 0"
    # breaks: "a text without any word has nothing mixed: 1.0"; "7+6=13" or ""
    target = _known(script)
    words = _words(_ANY_TAG.sub(" ", text))
    return sum(all(name in target for name in word) for word in words) / max(1, len(words))


def wrong_3(text, script="latin"):
    "a run of Han letters is one word"
    # breaks: "Han, Hiragana and Katakana are written without spaces: there each character is a word";
    # "then \u518d\u518d" is 1/3
    target = _known(script)
    words = _words(_ANY_TAG.sub(" ", text), alone=())
    return sum(all(name in target for name in word) for word in words) / len(words) if words else 1.0


def wrong_4(text, script="latin"):
    "a Han character is a word, but does not end the one before it"
    # breaks: "A word is a run of letters", "there each character is a word"; "then\u518dthen" is 2/3, here 1/2
    target = _known(script)
    words = _words(_ANY_TAG.sub(" ", text), close=False)
    return sum(all(name in target for name in word) for word in words) / len(words) if words else 1.0


def wrong_5(text, script="latin"):
    "a combining accent is a letter of a foreign script"
    # breaks: "An accent belongs to the letter before it"; "cafe\u0301" is 1.0
    target = _known(script)
    words = _words(_ANY_TAG.sub(" ", text), combining="keep")
    return sum(all(name in target for name in word) for word in words) / len(words) if words else 1.0


def wrong_6(text, script="latin"):
    "tags are cut out without a trace, so the words on both sides of one become one"
    # breaks: "A word is a run of letters", "tags are neutral"; "then<think>\u0434\u0430" is 1/2, here 0
    target = _known(script)
    words = _words(_ANY_TAG.sub("", text))
    return sum(all(name in target for name in word) for word in words) / len(words) if words else 1.0


def wrong_7(text, script="latin"):
    "words are what blanks separate, whatever signs are inside"
    # breaks: "A word is a run of letters"; "then-\u0434\u0430" is two words, 1/2, here 0
    target, words = _known(script), []
    for token in _ANY_TAG.sub(" ", text).split():
        names = [name for name in map(_script, token) if name and name != "COMBINING"]
        words += [[name] for name in names if name in _NO_SPACES]
        rest = [name for name in names if name not in _NO_SPACES]
        if rest:
            words.append(rest)
    return sum(all(name in target for name in word) for word in words) / len(words) if words else 1.0


def wrong_8(text, script="latin"):
    "only the first name of a script counts: Japanese is Han alone"
    # breaks: "Share of words in the target script"; language_consistency("\u306f\u518d", "japanese") is 1.0, here 1/2
    target = _known(script)[0]
    words = _words(_ANY_TAG.sub(" ", text))
    return sum(all(name == target for name in word) for word in words) / len(words) if words else 1.0


def wrong_9(text, script="latin"):
    "the script is looked at only where there is a word"
    # breaks: "Raises MinidsError for a script that is not in SCRIPTS"; language_consistency("7+6=13", "klingon")
    words = _words(_ANY_TAG.sub(" ", text))
    if not words:
        return 1.0
    target = _known(script)
    return sum(all(name in target for name in word) for word in words) / len(words)


def wrong_10(text, script="latin"):
    "the share of letters in place of the share of words"
    # breaks: "Share of words in the target script"; "then \u0434\u0430" is 1/2, here 4/6
    target = _known(script)
    names = [name for word in _words(_ANY_TAG.sub(" ", text)) for name in word]
    return sum(name in target for name in names) / len(names) if names else 1.0


def right_1(text, script="latin"):
    "groupby: letters of one word share a key"
    target = _known(script)
    names = [name for name in map(_script, _ANY_TAG.sub(" ", text)) if name != "COMBINING"]
    words = []
    for kind, group in groupby(names, key=lambda name: "" if not name else "alone" if name in _NO_SPACES else "run"):
        if kind == "alone":
            words += [{name} for name in group]
        elif kind == "run":
            words.append(set(group))
    good = [word for word in words if word <= set(target)]
    return len(good) / len(words) if words else 1.0


def right_2(text, script="latin"):
    "two counters and the state of the open word"
    if script not in SCRIPTS:
        raise MinidsError(f"{script} is not a script known here")
    total = good = 0
    inside = pure = False
    for char in _ANY_TAG.sub("\n", text):
        name = _script(char)
        if name == "COMBINING":
            continue
        if name and name not in _NO_SPACES:
            pure = name in SCRIPTS[script] and (pure or not inside)
            inside = True
            continue
        if inside:
            total, good, inside = total + 1, good + pure, False
        if name:
            total, good = total + 1, good + (name in SCRIPTS[script])
    if inside:
        total, good = total + 1, good + pure
    return good / total if total else 1.0


def right_3(text, script="latin"):
    "each character becomes a mark, and a pattern counts the words"
    target = _known(script)

    def mark(char):
        name = _script(char)
        if name == "COMBINING":
            return ""
        if not name:
            return " "
        return ("h" if name in target else "H") if name in _NO_SPACES else "l" if name in target else "L"

    words = re.findall("[hH]|[lL]+", "".join(mark(char) for char in _ANY_TAG.sub(" ", text)))
    if len(words) == 0:
        return 1.0
    return len([word for word in words if word.islower()]) / len(words)


def right_4(text, script="latin"):
    "pieces between tags, folded into lists of words"
    target = _known(script)

    def step(state, char):
        words, still = state
        name = _script(char)
        if name == "COMBINING":
            return words, still
        if name in _NO_SPACES:
            return words + [[name]], False
        if not name:
            return words, False
        return (words[:-1] + [words[-1] + [name]] if still else words + [[name]]), True

    words = [word for piece in _ANY_TAG.split(text) for word in reduce(step, piece, ([], False))[0]]
    return sum(1 for word in words if not set(word) - set(target)) / len(words) if words else 1.0
