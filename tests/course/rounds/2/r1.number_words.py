"""r1.number_words"""
import re


def wrong_1(thought, rng, mixed):
    "cut at every blank, also inside the sums of a chain"
    first, *rest = thought.split(" ")
    return first + "".join(f" {WORDS[rng.random() < mixed]} {s}" for s in rest)


def wrong_2(thought, rng, mixed):
    "a chain is known by a '>' anywhere: a thought '... ' of one sum is fine, but cut at '>' with the blank lost"
    between = ">" if ">" in thought else " "
    first, *rest = thought.split(between)
    return first + "".join(f" {WORDS[rng.random() < mixed]} {between.strip()}{s}" for s in rest)


def wrong_3(thought, rng, mixed):
    "<= mixed: with mixed = 0 and a draw of exactly 0, a Chinese word"
    between = " >" if " >" in thought else " "
    first, *rest = thought.split(between)
    return first + "".join(f" {WORDS[rng.random() <= mixed]}{between}{s}" for s in rest)


def wrong_4(thought, rng, mixed):
    "above `mixed` it is Chinese: the share is 1 - mixed"
    between = " >" if " >" in thought else " "
    first, *rest = thought.split(between)
    return first + "".join(f" {WORDS[rng.random() >= mixed]}{between}{s}" for s in rest)


def wrong_5(thought, rng, mixed):
    "one draw for the whole thought"
    between = " >" if " >" in thought else " "
    word = WORDS[rng.random() < mixed]
    return f" {word}{between}".join(thought.split(between))


def wrong_6(thought, rng, mixed):
    "a draw is made for every step, the first too: the words come from the wrong draws"
    between = " >" if " >" in thought else " "
    words = [WORDS[rng.random() < mixed] for _ in thought.split(between)]
    first, *rest = thought.split(between)
    return first + "".join(f" {w}{between}{s}" for w, s in zip(words[1:], rest))


def wrong_7(thought, rng, mixed):
    "no draw where the result is certain (mixed 0 or 1): the generator is behind afterwards"
    between = " >" if " >" in thought else " "
    first, *rest = thought.split(between)
    def word():
        if mixed in (0, 1):
            return WORDS[int(mixed)]
        return WORDS[rng.random() < mixed]
    return first + "".join(f" {word()}{between}{s}" for s in rest)


def wrong_8(thought, rng, mixed):
    "split() without an argument: runs of blanks and line ends become one blank"
    if " >" in thought:
        first, *rest = thought.split(" >")
        return first + "".join(f" {WORDS[rng.random() < mixed]} >{s}" for s in rest)
    first, *rest = thought.split() or [""]
    return first + "".join(f" {WORDS[rng.random() < mixed]} {s}" for s in rest)


def wrong_9(thought, rng, mixed):
    "words are drawn from right to left"
    between = " >" if " >" in thought else " "
    parts = thought.split(between)
    out = parts[-1]
    for s in reversed(parts[:-1]):
        out = f"{s} {WORDS[rng.random() < mixed]}{between}{out}"
    return out


def wrong_10(thought, rng, mixed):
    "rng.choices draws with the weights: the same share, but another use of the random number (large ones are Chinese)"
    between = " >" if " >" in thought else " "
    first, *rest = thought.split(between)
    return first + "".join(f" {rng.choices(WORDS, weights=[1 - mixed, mixed])[0]}{between}{s}" for s in rest)


def right_1(thought, rng, mixed):
    "re.sub with a function"
    pattern = r" (?=>)" if " >" in thought else " "
    return re.sub(pattern, lambda m: f" {WORDS[1] if rng.random() < mixed else WORDS[0]} ", thought)


def right_2(thought, rng, mixed):
    "character by character"
    chain, out = " >" in thought, []
    for i, c in enumerate(thought):
        out.append(c)
        if c == " " and (not chain or thought[i + 1:i + 2] == ">"):
            out.append(WORDS[1 if rng.random() < mixed else 0] + " ")
    return "".join(out)


def right_3(thought, rng, mixed):
    "partition in a loop"
    mark = " >" if " >" in thought else " "
    said, found, rest = thought.partition(mark)
    while found:
        said += " " + WORDS[int(rng.random() < mixed)] + mark
        step, found, rest = rest.partition(mark)
        said += step
    return said


def right_4(thought, rng, mixed):
    "the places first, then the words, then both put together"
    steps = thought.split(" >") if " >" in thought else thought.split(" ")
    join = " >" if " >" in thought else " "
    words = [WORDS[1] if rng.random() < mixed else WORDS[0] for _ in range(len(steps) - 1)]
    return steps[0] + "".join(" " + w + join + s for w, s in zip(words, steps[1:]))
