"""r1.number_words"""
import random
import re


def _between(thought):
    return " >" if " >" in thought else " "


def wrong_1(thought, rng, mixed):
    "cut at every blank, in chains too"
    # breaks: "those of a chain its sums, which begin with '>'"; "12+7: 2+7=9 1+0=1 >19-5: 9-5=4"
    first, *rest = thought.split(" ")
    return first + "".join(f" {WORDS[rng.random() < mixed]} {step}" for step in rest)


def wrong_2(thought, rng, mixed):
    "chains are cut at '>' without its blank: two blanks before the word"
    # breaks: "the text is not changed otherwise"; "12+7: 2+7=9 1+0=1 >19-5: 9-5=4"
    if ">" in thought:
        first, *rest = thought.split(">")
        return first + "".join(f" {WORDS[rng.random() < mixed]} >{step}" for step in rest)
    first, *rest = thought.split(" ")
    return first + "".join(f" {WORDS[rng.random() < mixed]} {step}" for step in rest)


def wrong_3(thought, rng, mixed):
    "<= in place of <: a draw of exactly `mixed` is Han, so that mixed = 0 can give it"
    # breaks: "below `mixed` it is WORDS[1]"; an rng whose random() is 0.0 with mixed = 0.0, or 0.5 with 0.5
    between = _between(thought)
    first, *rest = thought.split(between)
    return first + "".join(f" {WORDS[rng.random() <= mixed]}{between}{step}" for step in rest)


def wrong_4(thought, rng, mixed):
    "one draw decides for the whole thought"
    # breaks: "One `rng.random()` is drawn for each word"; "6+7=13 9+4+1=14 3+0+1=4" with mixed = 0.5
    between = _between(thought)
    word = WORDS[rng.random() < mixed]
    return f" {word}{between}".join(thought.split(between))


def wrong_5(thought, rng, mixed):
    "draws from the global generator"
    # breaks: "One `rng.random()` is drawn", "global random state untouched"; rng stays as it was, random.random() moves
    between = _between(thought)
    first, *rest = thought.split(between)
    return first + "".join(f" {WORDS[random.random() < mixed]}{between}{step}" for step in rest)


def wrong_6(thought, rng, mixed):
    "the words are exchanged: `mixed` is the probability of 'then'"
    # breaks: "below `mixed` it is WORDS[1]"; mixed = 0.0 gives Han everywhere
    between = _between(thought)
    first, *rest = thought.split(between)
    return first + "".join(f" {WORDS[0] if rng.random() < mixed else WORDS[1]}{between}{step}" for step in rest)


def wrong_7(thought, rng, mixed):
    "nothing is drawn where mixed is 0"
    # breaks: "One `rng.random()` is drawn for each word"; mixed = 0.0: the next rng.random() is another
    between = _between(thought)
    first, *rest = thought.split(between)
    return first + "".join(f" {WORDS[bool(mixed) and rng.random() < mixed]}{between}{step}" for step in rest)


def wrong_8(thought, rng, mixed):
    "drawn from right to left"
    # breaks: "from left to right"; "6+7=13 9+4+1=14 3+0+1=4" with mixed = 0.5 and a seed whose draws differ
    between = _between(thought)
    steps = thought.split(between)
    out = steps.pop()
    while steps:
        word = WORDS[1] if rng.random() < mixed else WORDS[0]
        out = f"{steps.pop()} {word}{between}{out}"
    return out


def wrong_9(thought, rng, mixed):
    "rng.choices with weights, which is below 1 - mixed for 'then'"
    # breaks: "One `rng.random()` is drawn for each word ...; below `mixed` it is WORDS[1]"; a draw of 0.1, mixed = 0.5
    between = _between(thought)
    first, *rest = thought.split(between)
    for step in rest:
        (word,) = rng.choices(WORDS, weights=(1 - mixed, mixed))
        first += f" {word}{between}{step}"
    return first


def wrong_10(thought, rng, mixed):
    "draws for the first step too, which has no word"
    # breaks: "One `rng.random()` is drawn for each word"; "7+6=13 4+9+1=14" draws twice
    between = _between(thought)
    out = ""
    for step in thought.split(between):
        word = WORDS[rng.random() < mixed]
        out += f" {word}{between}{step}" if out else step
    return out


def right_1(thought, rng, mixed):
    "a regular expression with a function"
    between = " >" if " >" in thought else " "
    return re.sub(between, lambda m: f" {WORDS[rng.random() < mixed]}{m[0]}", thought)


def right_2(thought, rng, mixed):
    "partition in a loop"
    mark = " >" if thought.find(" >") >= 0 else " "
    done, found, left = thought.partition(mark)
    while found:
        word = WORDS[1] if rng.random() < mixed else WORDS[0]
        step, found, left = left.partition(mark)
        done = done + " " + word + mark + step
    return done


def right_3(thought, rng, mixed):
    "all words are drawn first, then put in"
    latin, han = WORDS
    mark = _between(thought)
    steps = thought.split(mark)
    words = [han if rng.random() < mixed else latin for _ in steps[1:]]
    pieces = [steps[0]]
    for word, step in zip(words, steps[1:]):
        pieces += [" ", word, mark, step]
    return "".join(pieces)


def right_4(thought, rng, mixed):
    "recursion: the last step is cut off, after all before it"
    def go(text, mark):
        head, found, last = text.rpartition(mark)
        if not found:
            return text
        return go(head, mark) + f" {WORDS[int(rng.random() < mixed)]}{mark}{last}"

    return go(thought, " >") if " >" in thought else go(thought, " ")
