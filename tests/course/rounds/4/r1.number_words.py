"""r1.number_words"""
import random
import re


def wrong_1(thought, rng, mixed):
    "always cut at blanks: a chain gets words between the columns of its sums"
    first, *rest = thought.split(" ")
    return first + "".join(f" {WORDS[rng.random() < mixed]} {step}" for step in rest)


def wrong_2(thought, rng, mixed):
    "the probability is that of the Latin word"
    between = " >" if " >" in thought else " "
    first, *rest = thought.split(between)
    return first + "".join(f" {WORDS[rng.random() >= mixed]}{between}{step}" for step in rest)


def wrong_3(thought, rng, mixed):
    "one draw for the whole thought: it never mixes"
    between = " >" if " >" in thought else " "
    word = WORDS[rng.random() < mixed]
    return f" {word}{between}".join(thought.split(between))


def wrong_4(thought, rng, mixed):
    "draws from the module random, not from rng: the same seed gives other thoughts"
    between = " >" if " >" in thought else " "
    first, *rest = thought.split(between)
    return first + "".join(f" {WORDS[random.random() < mixed]}{between}{step}" for step in rest)


def wrong_5(thought, rng, mixed):
    "the words are drawn from right to left"
    between = " >" if " >" in thought else " "
    steps = thought.split(between)
    out = steps.pop()
    while steps:
        word = WORDS[rng.random() < mixed]
        out = f"{steps.pop()} {word}{between}{out}"
    return out


def wrong_6(thought, rng, mixed):
    "one number is drawn for the first step, too: every later word is shifted by one draw"
    between = " >" if " >" in thought else " "
    steps = thought.split(between)
    words = [WORDS[rng.random() < mixed] for _ in steps]
    out = steps[0]
    for word, step in zip(words[1:], steps[1:]):
        out += f" {word}{between}{step}"
    return out


def wrong_7(thought, rng, mixed):
    "nothing is drawn where nothing is mixed (mixed = 0): the next use of rng gives something else"
    between = " >" if " >" in thought else " "
    first, *rest = thought.split(between)
    if not mixed:
        return first + "".join(f" {WORDS[0]}{between}{step}" for step in rest)
    return first + "".join(f" {WORDS[rng.random() < mixed]}{between}{step}" for step in rest)


def wrong_8(thought, rng, mixed):
    "rng.choices with weights: right on average, but the Chinese word comes at the other end of [0, 1)"
    between = " >" if " >" in thought else " "
    first, *rest = thought.split(between)
    return first + "".join(f" {rng.choices(WORDS, (1 - mixed, mixed))[0]}{between}{step}" for step in rest)


def wrong_9(thought, rng, mixed):
    "cut at '>' without its blank: two blanks before the word in a chain"
    between = ">" if ">" in thought else " "
    first, *rest = thought.split(between)
    gap = " " if between == ">" else ""
    return first + "".join(f" {WORDS[rng.random() < mixed]}{gap}{between}{step}" for step in rest)


def wrong_10(thought, rng, mixed):
    "a chain loses its '>'"
    parts = thought.split(" >") if " >" in thought else thought.split(" ")
    out = parts[0]
    for part in parts[1:]:
        out += " " + WORDS[rng.random() < mixed] + " " + part
    return out


def wrong_11(thought, rng, mixed):
    "only the first sum of a chain is cut off; the later ones get no word"
    if " >" in thought:
        head, tail = thought.split(" >", 1)
        return f"{head} {WORDS[rng.random() < mixed]} >{tail}"
    first, *rest = thought.split(" ")
    return first + "".join(f" {WORDS[rng.random() < mixed]} {step}" for step in rest)


def wrong_12(thought, rng, mixed):
    "one draw for each step and a word behind the last step as well"
    between = " >" if " >" in thought else " "
    steps = thought.split(between)
    return between.join(f"{step} {WORDS[rng.random() < mixed]}" for step in steps)


def right_1(thought, rng, mixed):
    "re.sub with a function"
    pattern = " >" if " >" in thought else " "
    return re.sub(pattern, lambda cut: f" {WORDS[1] if rng.random() < mixed else WORDS[0]}{cut[0]}", thought)


def right_2(thought, rng, mixed):
    "a loop that collects pieces"
    chain = " >" in thought
    steps = thought.split(" >" if chain else " ")
    pieces = [steps[0]]
    for step in steps[1:]:
        latin, han = WORDS
        pieces.append(han if rng.random() < mixed else latin)
        pieces.append(">" + step if chain else step)
    return " ".join(pieces)


def right_3(thought, rng, mixed):
    "recursion on partition"
    cut = " >" if " >" in thought else " "

    def rest(text):
        head, found, tail = text.partition(cut)
        if not found:
            return head
        word = WORDS[int(rng.random() < mixed)]
        return head + " " + word + cut + rest(tail)

    return rest(thought)


def right_4(thought, rng, mixed):
    "find and insert from the left"
    between = " >" if thought.find(" >") >= 0 else " "
    out, begin = "", 0
    while (at := thought.find(between, begin)) >= 0:
        out += thought[begin:at] + " " + (WORDS[1] if rng.random() < mixed else WORDS[0]) + between
        begin = at + len(between)
    return out + thought[begin:]
