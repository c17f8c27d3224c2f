"""reward.language"""
import re
import unicodedata

def _check(script):
    if script not in SCRIPTS:
        raise MinidsError(f"reward: script={script!r} is not known")

def wrong_1(text, script="latin"):
    "no blank behind the text: the last word is never counted"
    _check(script)
    target, words, run = SCRIPTS[script], [], set()
    for char in _ANY_TAG.sub(" ", text):
        name = _script(char)
        if name == "COMBINING" and run:
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

def wrong_2(text, script="latin"):
    "any letter of the script is enough: a hidden Cyrillic letter passes"
    _check(script)
    target, words, run = SCRIPTS[script], [], set()
    for char in _ANY_TAG.sub(" ", text) + " ":
        name = _script(char)
        if name == "COMBINING" and run:
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
    return sum(any(n in target for n in w) for w in words) / len(words)

def wrong_3(text, script="latin"):
    "0.0 for a text without words"
    _check(script)
    target, words, run = SCRIPTS[script], [], set()
    for char in _ANY_TAG.sub(" ", text) + " ":
        name = _script(char)
        if name == "COMBINING" and run:
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
    "tags are read as Latin words"
    _check(script)
    target, words, run = SCRIPTS[script], [], set()
    for char in text + " ":
        name = _script(char)
        if name == "COMBINING" and run:
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

def wrong_5(text, script="latin"):
    "words cut at blanks: 'x=再' is one word, '7+6=13' one of none, Chinese text one word"
    _check(script)
    words = [{_script(c) for c in w if _script(c)} for w in _ANY_TAG.sub(" ", text).split()]
    words = [w - {"COMBINING"} or w for w in words if w]
    if not words:
        return 1.0
    return sum(w <= set(SCRIPTS[script]) for w in words) / len(words)

def wrong_6(text, script="latin"):
    "share of letters, not of words"
    _check(script)
    names = [_script(c) for c in _ANY_TAG.sub(" ", text)]
    names = [n for n in names if n and n != "COMBINING"]
    return sum(n in SCRIPTS[script] for n in names) / len(names) if names else 1.0

def wrong_7(text, script="latin"):
    "a Han character does not end the word before it: 'then再' is one mixed word and one Han word lost"
    _check(script)
    target, words, run = SCRIPTS[script], [], set()
    for char in _ANY_TAG.sub(" ", text) + " ":
        name = _script(char)
        if name == "COMBINING" and run:
            continue
        if not name and run:
            words.append(run)
            run = set()
        elif name in _NO_SPACES and not run:
            words.append({name})
        elif name:
            run.add(name)
    if not words:
        return 1.0
    return sum(all(n in target for n in w) for w in words) / len(words)

def wrong_8(text, script="latin"):
    "a combining accent counts as a letter of its own script: decomposed 'e' + accent is foreign"
    _check(script)
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
    "an unknown script: KeyError, not MinidsError"
    target, words, run = SCRIPTS[script], [], set()
    for char in _ANY_TAG.sub(" ", text) + " ":
        name = _script(char)
        if name == "COMBINING" and run:
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

def wrong_10(text, script="latin"):
    "tags are cut out without a blank in their place: 'da</think>нет' becomes one word"
    _check(script)
    target, words, run = SCRIPTS[script], [], set()
    for char in _ANY_TAG.sub("", text) + " ":
        name = _script(char)
        if name == "COMBINING" and run:
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

def right_1(text, script="latin"):
    "two counters and a flag instead of sets"
    _check(script)
    target, total, good, inside, pure = SCRIPTS[script], 0, 0, False, True
    for char in _ANY_TAG.sub(" ", text):
        name = _script(char)
        if inside and name == "COMBINING":
            continue
        if inside and (name == "" or name in _NO_SPACES):
            total, good, inside = total + 1, good + pure, False
        if name in _NO_SPACES:
            total, good = total + 1, good + (name in target)
        elif name:
            pure = (pure or not inside) and name in target
            inside = True
    if inside:
        total, good = total + 1, good + pure
    return good / total if total else 1.0

def right_2(text, script="latin"):
    "names for every character, the words as runs of that list"
    if script not in SCRIPTS:
        raise MinidsError(f"reward: script={script!r}; choose one of {sorted(SCRIPTS)}")
    names = [_script(c) for c in _ANY_TAG.sub(" ", text)] + [""]
    words, current = [], []
    for name in names:
        if current and name == "COMBINING":
            continue
        if name and name not in _NO_SPACES:
            current.append(name)
            continue
        if current:
            words.append(current)
            current = []
        if name:
            words.append([name])
    share = [set(w).issubset(SCRIPTS[script]) for w in words]
    return sum(share) / len(share) if share else 1.0

def right_3(text, script="latin"):
    "a code letter for each character, the words by a regular expression"
    _check(script)
    def code(char):
        name = _script(char)
        if not name:
            return " "
        if name in _NO_SPACES:
            return "K" if name in SCRIPTS[script] else "k"
        if name == "COMBINING":
            return "c"
        return "T" if name in SCRIPTS[script] else "f"
    coded = "".join(map(code, _ANY_TAG.sub(" ", text)))
    words = re.findall(r"[Kk]|[Tfc][Tfc]*", coded)
    good = [w == "K" or re.fullmatch(r"T[Tc]*", w) is not None for w in words]
    return sum(good) / len(good) if good else 1.0

def right_4(text, script="latin"):
    "a generator of words"
    _check(script)
    def words():
        run = []
        for char in re.split(r"(.)", _ANY_TAG.sub(" ", text), flags=re.DOTALL)[1::2]:
            name = _script(char)
            if name == "COMBINING" and run:
                continue
            if name and name not in _NO_SPACES:
                run.append(name)
            else:
                if run:
                    yield run
                run = []
                if name:
                    yield [name]
        if run:
            yield run
    found = list(words())
    return sum(1 for w in found if all(n in SCRIPTS[script] for n in w)) / len(found) if found else 1.0
