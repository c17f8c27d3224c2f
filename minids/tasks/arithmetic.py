"""Tasks: problems with exact integer answers, the thoughts that solve them, and sets that cannot overlap.

    add     347+5896                      two numbers of 1 to 5 digits
    chain   12+7-5+30                     2 to 5 numbers of 1 to 2 digits (few of 3), left to right, never below 0
    word    Ana has 14 pens. She buys …   the same chains told as a story

An answer takes hundreds of values, so guessing feeds no reward. A thought can be written in four styles:

    careful   one digit at a time, from the right, carries and borrows said    7+6=13 4+9+1=14 3+8+1=12 0+5+1=6
              in a chain each sum is named first, its result after ">"         12+7: 2+7=9 1+0=1 >19-5: 9-5=4 1-0=1 >14
    brisk     two digits, or a whole sum of the chain, at a time               47+96=143 3+58+1=62
    hasty     everything at once; true, but more than a small network can do   347+5896=6243
    (sloppy   careful, with a wrong step now and then; only for experiments)

A model that has seen all styles is inaccurate as long as it is hasty, and reinforcement learning can discover
that writing more pays. That is R1-Zero's observation (arXiv 2501.12948 §2.2.4) at a size where one can watch
it.

Which set a problem belongs to is decided by a hash of its operands, not of its text: a chain and the story
that hides it fall into the same set, and so do a+b and b+a. `split_of` is asserted wherever a set is made.
"""

import random
import re
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from minids.errors import MinidsError
from minids.tasks import stories
from minids.text.chat import BLANK

FAMILIES = ("add", "chain", "word")
SPLITS = ("train", "rl", "test")
STYLES = ("careful", "brisk", "hasty", "sloppy")
# Sizes (digits of the longer number; how many numbers) with their weights, and two sizes beyond any that is trained on.
SIZES = {
    "add": {1: 0.04, 2: 0.08, 3: 0.22, 4: 0.33, 5: 0.33},
    "chain": {2: 0.1, 3: 0.3, 4: 0.35, 5: 0.25},
    "word": {2: 0.3, 3: 0.45, 4: 0.25},
}
BEYOND = {"add": (6, 7), "chain": (6, 7), "word": (5, 6)}
ABOUT = {
    "add": "adding two numbers",
    "chain": "adding and subtracting several",
    "word": "short stories about things that people have",
}
MAX_DIGITS = 64
_INTEGER = re.compile(rf"0|-?[1-9][0-9]{{0,{MAX_DIGITS - 1}}}")  # not \d: it takes the digits of every script


@dataclass(frozen=True)
class Problem:
    """A sum, in the words of a family.

    family     "add", "chain" or "word"
    question   what the model is asked
    terms      signed whole numbers whose sum is the answer: 12+7-5 has (12, 7, -5)
    size       digits of the longer number in "add", how many numbers there are in the others
    """

    family: str
    question: str
    terms: tuple
    size: int

    @property
    def answer(self) -> str:
        """The sum, as text."""
        return str(sum(self.terms))

    @property
    def expression(self) -> str:
        """The sum as it is written: "12+7-5"."""
        return expression(self.terms)

    @property
    def key(self) -> str:
        """What the split hashes."""
        return key_of(self.terms)

    @property
    def split(self) -> str:
        """ "train", "rl" or "test", by a hash of `key`."""
        return split_of(self.key)


def expression(terms: tuple[int, ...]) -> str:
    """(12, 7, -5) -> "12+7-5"."""
    return str(terms[0]) + "".join(f"{t:+d}" for t in terms[1:])


def key_of(terms):
    """What makes two problems the same to the split: their operands as text, "347,5896", whatever the question says.

    terms   signed whole numbers; the answer is their sum: 12+7-5 has the terms (12, 7, -5)

    The sum of two numbers is one problem in either order, smaller number first: "3,12" for 3+12 and for 12+3. In every
    other chain (three terms or more, or a subtraction) the order is part of the problem, since the running totals of
    its thought depend on it.
    """
    terms = sorted(terms) if len(terms) == 2 and min(terms) >= 0 else terms
    return ",".join(map(str, terms))


def split_of(key: str) -> str:
    """ "test" for a tenth of all operand keys, "rl" for three tenths, "train" for the rest."""
    bucket = zlib.crc32(("minids " + key).encode()) % 10
    return "test" if bucket == 0 else "rl" if bucket <= 3 else "train"


# -- thoughts ----------------------------------------------------------------------------------------------------------


def digit_steps(total, term, block=1):
    """Column arithmetic on total + term, `block` digits at a time, from the right -> a list of steps, as strings.

        396 + 47, block 1    "6+7=13", "9+4+1=14", "3+0+1=4"      the third number of a step is the carry
        43 - 18, block 1     "13-8=5", "4-1-1=2"                  ten was borrowed, and is paid back in the next step
        396 + 47, block 2    "96+47=143", "3+0+1=4"

    total >= 0; term may be negative, but total + term is not. There are as many steps as the longer of both numbers has
    blocks (a last carry has no step of its own), and at least one: 0 + 0 is "0+0=0". Blocks are written as numbers,
    without zeros in front.
    """
    sign, other, base = ("-" if term < 0 else "+"), abs(term), 10**block
    steps, carry, place = [], 0, 1
    # a block of each number, until both are used up
    while place <= max(total, other):
        a, b = total // place % base, other // place % base
        if sign == "+":
            # the carry is said where there is one
            value = a + b + carry
            steps.append(f"{a}+{b}{'+1' if carry else ''}={value}")
            carry = int(value >= base)
        else:
            # borrow where the upper block is too small for what is taken from it
            borrow = int(a < b + carry)
            a += borrow * base
            steps.append(f"{a}-{b}{'-1' if carry else ''}={a - b - carry}")
            carry = borrow
        place *= base
    return steps or [f"0{sign}0=0"]


def thought(problem: Problem, style: str, rng: Random | None = None) -> str:
    """The thought that solves a problem in a style; every style but "sloppy" says only what is true. Raises
    MinidsError for a style that there is not."""
    if style not in STYLES:
        raise MinidsError(f"tasks: style {style!r} is not one of {', '.join(STYLES)}.")
    terms = problem.terms
    begin = f"{problem.expression}; " if problem.family == "word" and len(terms) > 2 else ""  # the story as a chain
    if style == "hasty":
        return f"{problem.expression}={problem.answer}"
    if problem.family == "add":
        steps = digit_steps(terms[0], terms[1], block=2 if style == "brisk" else 1)
    else:
        steps, total = [], terms[0]
        for term in terms[1:]:
            if style == "brisk":
                steps.append(f"{total}{term:+d}={total + term}")
            else:
                mark = ">" if steps else ""
                steps += [f"{mark}{total}{term:+d}:", *digit_steps(total, term)]
            total += term
        if style != "brisk":
            steps.append(f">{total}")
    if style == "sloppy":
        steps = [_spoil(s, rng) if "=" in s and rng.random() < 0.1 else s for s in steps]
    return begin + " ".join(steps)


WORDS = ("then", "再")  # between the steps of a spoken thought: Latin, and Han for the same


def spoken(thought, rng, mixed):
    """A thought with a word between its steps: "then", or with probability `mixed` its Chinese counterpart.

        7+6=13 4+9+1=14                   ->  7+6=13 then 4+9+1=14
        12+7: 2+7=9 1+0=1 >19-5: 9-5=4    ->  12+7: 2+7=9 1+0=1 再 >19-5: 9-5=4

    The steps of an addition are its columns, those of a chain its sums, which begin with ">"; the text is not changed
    otherwise. One `rng.random()` is drawn for each word, from left to right; below `mixed` it is WORDS[1].

    So a thought can mix scripts, as those of DeepSeek-R1-Zero mixed languages (arXiv 2501.12948 §2.2.4), and
    `reward.language_consistency` has words to look at.
    """
    # a thought that has sums in it is cut where they begin, any other at its blanks
    between = " >" if " >" in thought else " "
    first, *rest = thought.split(between)
    return first + "".join(f" {WORDS[rng.random() < mixed]}{between}{step}" for step in rest)


def _spoil(step, rng):
    head, mark, value = step.rpartition("=")
    return f"{head}{mark}{max(0, int(value) + rng.choice([-1, 1, 10]))}"


def facts(rng: Random, count: int = 8) -> str:
    """A line of single-digit facts, as the careful thoughts use them: the multiplication table of this little world."""
    out = []
    for _ in range(count):
        carry = rng.random() < 0.4
        if rng.random() < 0.5:
            a, b = rng.randrange(10), rng.randrange(10)
            out.append(f"{a}+{b}{'+1' if carry else ''}={a + b + carry}")
        else:
            b = rng.randrange(10)
            value = rng.randrange(10)
            out.append(f"{value + b + carry}-{b}{'-1' if carry else ''}={value}")
    return " ".join(out)


# -- problems ----------------------------------------------------------------------------------------------------------


def _number(rng, digits):
    return rng.randrange(10 ** (digits - 1) if digits > 1 else 0, 10**digits)


def _draw_terms(family, size, rng):
    if family == "add":
        digits = [size, max(1, size - rng.choice((0, 0, 0, 1, 1, 2, 3)))]
        rng.shuffle(digits)
        return tuple(_number(rng, d) for d in digits)
    low = 2 if family == "word" else 1
    long = family == "chain" and size <= 3 and rng.random() < 0.12  # a short chain may begin with three digits
    total = first = rng.randrange(100, 1000) if long else rng.randrange(low, 100)
    terms = [first]
    for _ in range(size - 1):
        term = rng.randrange(low, 1000 if long and rng.random() < 0.3 else 100 if rng.random() < 0.75 else 10)
        if rng.random() < 0.5 and total > low:
            term = -(term if term <= total else rng.randrange(low, total + 1))
        terms.append(term)
        total += term
    return tuple(terms)


ASKED = (
    *["{}"] * 12,
    "{}=",
    "{} =",
    "{}=?",
    "{} = ?",
    "{}?",
    *["What is {}?"] * 3,
    "What's {}?",
    "what is {}",
    "what is {}?",
    "Calculate {}.",
    "Compute {}.",
    "How much is {}?",
    "Please calculate {}.",
)


def ask(terms: tuple[int, ...], rng: Random) -> str:
    """An expression as a person may type it."""
    text = expression(terms)
    if rng.random() < 0.25:
        text = text.replace("+", " + ").replace("-", " - ")
    return rng.choice(ASKED).format(text)


_AS_TYPED = str.maketrans(
    {**dict.fromkeys("\u2212\u2010\u2011\u2013\ufe63\uff0d", "-"), "\uff0b": "+", "\u00d7": "*", "\u2019": "'"}
)


def parse_integer(text):
    """The integer that `text` spells canonically (ASCII digits, "-" if negative, no zeros in front), or None.

    Canonical: ASCII digits and nothing else, a "-" in front if it is below zero, no "+", no zeros in front, no "-0".
    Blanks around it (`BLANK`: space, tab, line ends) are ignored. At most `MAX_DIGITS` = 64 digits, so a long string of
    nines costs nothing.
    """
    # `_INTEGER` is a pattern for all of that; it has to fit the whole text, not a part of it
    match = _INTEGER.fullmatch(text.strip(BLANK))
    return int(match[0]) if match else None


def normalise_question(text: str) -> str:
    """A question as it was typed or pasted, in the characters that the problems here are written in: one blank between
    words, and "-" for the minus sign and the dashes that stand for it."""
    return " ".join(text.translate(_AS_TYPED).split())


def check_sizes(family: str, weights: dict) -> dict[int, float]:
    """{size: weight} of a family with whole numbers as sizes (a TOML file has text there), or an error."""
    try:
        out = {int(size): float(weight) for size, weight in weights.items()}
    except (AttributeError, TypeError, ValueError):
        out = {}
    if not out or min(out) < 1 or min(out.values()) < 0 or not 0 < sum(out.values()) < float("inf"):
        raise MinidsError(f"tasks: sizes of {family!r} are {weights!r}; give weights, as in {{ 5 = 0.5, 6 = 0.5 }}.")
    return out


def sample(family: str, rng: Random, split: str, size: int | None = None) -> Problem:
    """One problem of a family from a split; `size` None draws it with the weights of SIZES. Raises MinidsError for a
    family that there is not, and a size of which the split has no problem."""
    if family not in FAMILIES:
        raise MinidsError(f"tasks: family {family!r} is not one of {', '.join(FAMILIES)}.")
    if size is None:
        sizes = SIZES[family]
        size = rng.choices(list(sizes), weights=list(sizes.values()))[0]
    for _ in range(10_000):
        terms = _draw_terms(family, size, rng)
        key_owner = Problem(family, "", terms, size)
        if key_owner.split != split:
            continue
        question = stories.tell(terms, rng) if family == "word" else ask(terms, rng)
        return Problem(family, question, terms, size)
    raise MinidsError(f"tasks: no problem of family {family!r} and size {size} falls into the split {split!r}.")


def problem_set(
    families: Sequence[str],
    split: str,
    count: int,
    seed: int,
    size: int | None = None,
    draw: Callable | None = None,
    fewer: bool = False,
) -> list:
    """`count` problems per family with different operands, drawn with a seed; asserted to lie in the split.

    `draw(family, rng, split, size)` draws one: `sample`, or that of all environments (`tasks.registry`). Where the
    split has fewer than `count`, all of them (`fewer`), or a MinidsError.
    """
    draw, out = draw or sample, []
    for family in families:
        rng, seen, missed = random.Random(f"{seed} {split} {family} {size}"), set(), 0
        while len(seen) < count:
            problem = draw(family, rng, split, size)
            missed = missed + 1 if problem.key in seen else 0
            if missed > 2_000 and fewer:
                break
            if missed > 2_000:
                raise MinidsError(
                    f"tasks: only {len(seen)} of {count} different {family!r} problems (size {size}) are in {split!r}. "
                    "Ask for fewer (in a recipe: eval.problems; of one size, eval.ood_problems), or give more."
                )
            if not missed:
                seen.add(problem.key)
                out.append(problem)
    assert_split(out, split)
    return out


def assert_split(problems: Sequence, split: str) -> None:
    """Refuses a set that holds a problem of another split: the guard against training on what is tested."""
    for p in problems:
        if p.split != split:
            raise MinidsError(
                f"tasks: {p.question!r} belongs to the split {p.split!r}, not {split!r}; a run must not mix them."
            )


# -- problems in a file ------------------------------------------------------------------------------------------------

MAX_LINE_BYTES = 65536


def lines_of(path: str | Path, example: str) -> list[tuple[int, bytes]]:
    """[(number, bytes)] of the lines of a file that hold something; errors name the line and show an example."""
    out, number = [], 0
    try:
        with open(path, "rb") as file:
            while raw := file.readline(MAX_LINE_BYTES + 1):
                number += 1
                if len(raw) > MAX_LINE_BYTES:
                    raise MinidsError(f"{path}, line {number}: longer than {MAX_LINE_BYTES} bytes. {example}")
                if raw.strip():
                    out.append((number, raw))
    except FileNotFoundError:
        raise MinidsError(f"{path}: no such file. {example}") from None
    except OSError as error:
        raise MinidsError(f"{path}: not readable ({error.strerror or error}). {example}") from None
    if not out:
        raise MinidsError(f"{path}: holds no problem. {example}")
    return out
