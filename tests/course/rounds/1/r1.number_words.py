"""r1.number_words"""
import random
import re

def wrong_1(thought, rng, mixed):
    "always cut at blanks: in a chain every column gets a word"
    first, *rest = thought.split(" ")
    return first + "".join(f" {WORDS[rng.random() < mixed]} {s}" for s in rest)

def wrong_2(thought, rng, mixed):
    "<=: with mixed = 0 and a draw of exactly 0.0 the Chinese word comes"
    between = " >" if " >" in thought else " "
    first, *rest = thought.split(between)
    return first + "".join(f" {WORDS[rng.random() <= mixed]}{between}{s}" for s in rest)

def wrong_3(thought, rng, mixed):
    "one draw for the whole thought"
    between = " >" if " >" in thought else " "
    word = WORDS[rng.random() < mixed]
    first, *rest = thought.split(between)
    return first + "".join(f" {word}{between}{s}" for s in rest)

def wrong_4(thought, rng, mixed):
    "words swapped: 'then' with probability mixed"
    between = " >" if " >" in thought else " "
    first, *rest = thought.split(between)
    return first + "".join(f" {WORDS[rng.random() >= mixed]}{between}{s}" for s in rest)

def wrong_5(thought, rng, mixed):
    "the '>' is lost"
    steps = thought.split(" >") if " >" in thought else thought.split(" ")
    return steps[0] + "".join(f" {WORDS[rng.random() < mixed]} {s}" for s in steps[1:])

def wrong_6(thought, rng, mixed):
    "a chain is told by more than one ' >': a chain of two numbers, which has one, is cut at its columns"
    between = " >" if thought.count(" >") > 1 else " "
    first, *rest = thought.split(between)
    return first + "".join(f" {WORDS[rng.random() < mixed]}{between}{s}" for s in rest)

def wrong_7(thought, rng, mixed):
    "split() without an argument: double blanks and line ends are changed"
    if " >" in thought:
        first, *rest = thought.split(" >")
        return first + "".join(f" {WORDS[rng.random() < mixed]} >{s}" for s in rest)
    first, *rest = thought.split() or [""]
    return first + "".join(f" {WORDS[rng.random() < mixed]} {s}" for s in rest)

def wrong_8(thought, rng, mixed):
    "a word behind the last step too"
    between = " >" if " >" in thought else " "
    first, *rest = thought.split(between)
    out = first + "".join(f" {WORDS[rng.random() < mixed]}{between}{s}" for s in rest)
    return out + f" {WORDS[rng.random() < mixed]}"

def wrong_9(thought, rng, mixed):
    "draws from the global random module, not from rng"
    between = " >" if " >" in thought else " "
    first, *rest = thought.split(between)
    return first + "".join(f" {WORDS[random.random() < mixed]}{between}{s}" for s in rest)

def wrong_10(thought, rng, mixed):
    "no draw where mixed is 0 or 1: the generator's state afterwards differs"
    between = " >" if " >" in thought else " "
    first, *rest = thought.split(between)
    def word():
        if mixed <= 0:
            return WORDS[0]
        if mixed >= 1:
            return WORDS[1]
        return WORDS[rng.random() < mixed]
    return first + "".join(f" {word()}{between}{s}" for s in rest)

def right_1(thought, rng, mixed):
    "re.sub with a function"
    mark = " >" if " >" in thought else " "
    return re.sub(mark, lambda m: f" {WORDS[1] if rng.random() < mixed else WORDS[0]}{m[0]}", thought)

def right_2(thought, rng, mixed):
    "a loop with append and join"
    sep = " >" if " >" in thought else " "
    steps = thought.split(sep)
    out = [steps[0]]
    for step in steps[1:]:
        word = "then"
        if rng.random() < mixed:
            word = "再"
        out.append(" " + word + sep + step)
    return "".join(out)

def right_3(thought, rng, mixed):
    "walks from one place to the next with find"
    sep, out, start = (" >" if " >" in thought else " "), "", 0
    while (at := thought.find(sep, start)) >= 0:
        out += thought[start:at] + " " + WORDS[int(rng.random() < mixed)] + sep
        start = at + len(sep)
    return out + thought[start:]

def right_4(thought, rng, mixed):
    "replace one at a time with the drawn words"
    sep = " >" if " >" in thought else " "
    words = [WORDS[1] if rng.random() < mixed else WORDS[0] for _ in range(thought.count(sep))]
    steps = thought.split(sep)
    return steps[0] + "".join(" " + w + sep + s for w, s in zip(words, steps[1:]))
