"""reward.language"""
import re
from itertools import groupby


def wrong_1(text, script="latin"):
    "the first letter decides: a Cyrillic letter hidden in a Latin word is overlooked"
    if script not in SCRIPTS:
        raise MinidsError(f"reward: script={script!r}")
    target, words, run = SCRIPTS[script], [], None
    for char in _ANY_TAG.sub(" ", text) + " ":
        name = _script(char)
        if name == "COMBINING":
            continue
        if (not name or name in _NO_SPACES) and run:
            words.append(run)
            run = None
        if name in _NO_SPACES:
            words.append(name)
        elif name and run is None:
            run = name
    return sum(w in target for w in words) / len(words) if words else 1.0


def wrong_2(text, script="latin"):
    "the share of letters, not of words"
    if script not in SCRIPTS:
        raise MinidsError(f"reward: script={script!r}")
    names = [_script(c) for c in _ANY_TAG.sub(" ", text)]
    names = [n for n in names if n and n != "COMBINING"]
    return sum(n in SCRIPTS[script] for n in names) / len(names) if names else 1.0


def wrong_3(text, script="latin"):
    "a text without words gets 0.0"
    if script not in SCRIPTS:
        raise MinidsError(f"reward: script={script!r}")
    target, words, run = SCRIPTS[script], [], set()
    for char in _ANY_TAG.sub(" ", text) + " ":
        name = _script(char)
        if name == "COMBINING":
            continue
        if (not name or name in _NO_SPACES) and run:
            words.append(run)
            run = set()
        if name in _NO_SPACES:
            words.append({name})
        elif name:
            run.add(name)
    return sum(all(n in target for n in w) for w in words) / max(len(words), 1)


def wrong_4(text, script="latin"):
    "words are what stands between blanks: Han characters in a row are one word, a1b is one, don't is one"
    if script not in SCRIPTS:
        raise MinidsError(f"reward: script={script!r}")
    words = []
    for word in _ANY_TAG.sub(" ", text).split():
        names = {_script(c) for c in word} - {"", "COMBINING"}
        if names:
            words.append(names)
    if not words:
        return 1.0
    return sum(w <= set(SCRIPTS[script]) for w in words) / len(words)


def wrong_5(text, script="latin"):
    "tags are not taken out: <think> is a Latin word"
    if script not in SCRIPTS:
        raise MinidsError(f"reward: script={script!r}")
    target, words, run = SCRIPTS[script], [], set()
    for char in text + " ":
        name = _script(char)
        if name == "COMBINING":
            continue
        if (not name or name in _NO_SPACES) and run:
            words.append(run)
            run = set()
        if name in _NO_SPACES:
            words.append({name})
        elif name:
            run.add(name)
    if not words:
        return 1.0
    return sum(all(n in target for n in w) for w in words) / len(words)


def wrong_6(text, script="latin"):
    "the last word is lost if the text ends with a letter"
    if script not in SCRIPTS:
        raise MinidsError(f"reward: script={script!r}")
    target, words, run = SCRIPTS[script], [], set()
    for char in _ANY_TAG.sub(" ", text):
        name = _script(char)
        if name == "COMBINING":
            continue
        if (not name or name in _NO_SPACES) and run:
            words.append(run)
            run = set()
        if name in _NO_SPACES:
            words.append({name})
        elif name:
            run.add(name)
    if not words:
        return 1.0
    return sum(all(n in target for n in w) for w in words) / len(words)


def wrong_7(text, script="latin"):
    "a Han character does not end the word before it: 'a再b' is the word 'ab' and one of Han, where there are three"
    if script not in SCRIPTS:
        raise MinidsError(f"reward: script={script!r}")
    target, words, run = SCRIPTS[script], [], set()
    for char in _ANY_TAG.sub(" ", text) + " ":
        name = _script(char)
        if name == "COMBINING":
            continue
        if name in _NO_SPACES:
            words.append({name})
        elif name:
            run.add(name)
        elif run:
            words.append(run)
            run = set()
    if not words:
        return 1.0
    return sum(all(n in target for n in w) for w in words) / len(words)


def wrong_8(text, script="latin"):
    "an accent that stands behind its letter makes the word foreign"
    if script not in SCRIPTS:
        raise MinidsError(f"reward: script={script!r}")
    target, words, run = SCRIPTS[script], [], set()
    for char in _ANY_TAG.sub(" ", text) + " ":
        name = _script(char)
        if (not name or name in _NO_SPACES) and run:
            words.append(run)
            run = set()
        if name in _NO_SPACES:
            words.append({name})
        elif name:
            run.add(name)
    if not words:
        return 1.0
    return sum(all(n in target for n in w) for w in words) / len(words)


def wrong_9(text, script="latin"):
    "an unknown script is noticed only where there are words: '12+7=19' in klingon is 1.0"
    words, run = [], set()
    for char in _ANY_TAG.sub(" ", text) + " ":
        name = _script(char)
        if name == "COMBINING":
            continue
        if (not name or name in _NO_SPACES) and run:
            words.append(run)
            run = set()
        if name in _NO_SPACES:
            words.append({name})
        elif name:
            run.add(name)
    if not words:
        return 1.0
    if script not in SCRIPTS:
        raise MinidsError(f"reward: script={script!r}")
    return sum(all(n in SCRIPTS[script] for n in w) for w in words) / len(words)


def wrong_10(text, script="latin"):
    "tags are replaced by nothing: the words before and after one run together"
    if script not in SCRIPTS:
        raise MinidsError(f"reward: script={script!r}")
    target, words, run = SCRIPTS[script], [], set()
    for char in _ANY_TAG.sub("", text) + " ":
        name = _script(char)
        if name == "COMBINING":
            continue
        if (not name or name in _NO_SPACES) and run:
            words.append(run)
            run = set()
        if name in _NO_SPACES:
            words.append({name})
        elif name:
            run.add(name)
    if not words:
        return 1.0
    return sum(all(n in target for n in w) for w in words) / len(words)


def wrong_11(text, script="latin"):
    "only the first name of a target is known: Hiragana is not Japanese"
    if script not in SCRIPTS:
        raise MinidsError(f"reward: script={script!r}")
    target, words, run = SCRIPTS[script][0], [], set()
    for char in _ANY_TAG.sub(" ", text) + " ":
        name = _script(char)
        if name == "COMBINING":
            continue
        if (not name or name in _NO_SPACES) and run:
            words.append(run)
            run = set()
        if name in _NO_SPACES:
            words.append({name})
        elif name:
            run.add(name)
    if not words:
        return 1.0
    return sum(w == {target} for w in words) / len(words)


def wrong_12(text, script="latin"):
    "an accent ends the word: 'cafe\u0301s' is two words"
    if script not in SCRIPTS:
        raise MinidsError(f"reward: script={script!r}")
    target, words, run = SCRIPTS[script], [], set()
    for char in _ANY_TAG.sub(" ", text) + " ":
        name = _script(char)
        if name == "COMBINING":
            name = ""
        if (not name or name in _NO_SPACES) and run:
            words.append(run)
            run = set()
        if name in _NO_SPACES:
            words.append({name})
        elif name:
            run.add(name)
    if not words:
        return 1.0
    return sum(all(n in target for n in w) for w in words) / len(words)


def right_1(text, script="latin"):
    "two counters instead of lists"
    if script not in SCRIPTS:
        raise MinidsError(f"reward: unknown script {script!r}")
    target = set(SCRIPTS[script])
    total = good = 0
    inside, pure = False, True
    for char in list(_ANY_TAG.sub(" ", text)) + [" "]:
        name = _script(char)
        if name == "COMBINING":
            continue
        if inside and (name == "" or name in _NO_SPACES):
            total, good = total + 1, good + pure
            inside, pure = False, True
        if name in _NO_SPACES:
            total += 1
            good += name in target
        elif name:
            inside = True
            pure = pure and name in target
    return good / total if total else 1.0


def right_2(text, script="latin"):
    "groupby on the names: what is a word by itself gets a key of its own"
    try:
        target = frozenset(SCRIPTS[script])
    except KeyError:
        raise MinidsError(f"reward: script {script!r} is not known") from None
    names = [n for n in map(_script, _ANY_TAG.sub(" ", text)) if n != "COMBINING"]
    keyed = [(("alone", i) if n in _NO_SPACES else ("run",) if n else None, n) for i, n in enumerate(names)]
    words = [{n for _, n in group} for key, group in groupby(keyed, key=lambda pair: pair[0]) if key]
    return sum(word <= target for word in words) / len(words) if words else 1.0


def right_3(text, script="latin"):
    "each character becomes one of four marks, and a regular expression finds the words"
    if script not in SCRIPTS:
        raise MinidsError(f"reward: unknown script {script!r}")
    marks = []
    for char in _ANY_TAG.sub(" ", text):
        name = _script(char)
        if name == "COMBINING":
            continue
        ours = name in SCRIPTS[script]
        marks.append(" " if not name else ("A" if ours else "B") if name in _NO_SPACES else ("x" if ours else "y"))
    words = re.findall("[AB]|[xy]+", "".join(marks))
    if len(words) == 0:
        return 1.0
    return len([w for w in words if "B" not in w and "y" not in w]) / len(words)


def right_4(text, script="latin"):
    "an index and an inner loop over the run, tags cut by split"
    if SCRIPTS.get(script) is None:
        raise MinidsError(f"reward: script={script!r} is unknown")
    target, verdicts = SCRIPTS[script], []
    for part in _ANY_TAG.split(text):
        names = [_script(char) for char in part]
        names = [name for name in names if name != "COMBINING"]
        i = 0
        while i < len(names):
            if not names[i]:
                i += 1
            elif names[i] in _NO_SPACES:
                verdicts.append(names[i] in target)
                i += 1
            else:
                j = i
                while j < len(names) and names[j] and names[j] not in _NO_SPACES:
                    j += 1
                verdicts.append(set(names[i:j]).issubset(target))
                i = j
    return sum(verdicts) / len(verdicts) if verdicts else 1.0
