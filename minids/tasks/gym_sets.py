"""reasoning-gym as environments: sets that are apart, prompts as they are or short, thoughts to learn from.

    gym:NAME    any data set that `tasks.gym` grades. Where this module knows it, the question is a few characters made
                from the item's metadata and there are thoughts; else it is reasoning-gym's own English prompt.

    gym:chain_sum        12+7-5             careful   12+7: 2+7=9 1+0=1 >19-5: 9-5=4 1-0=1 >14      hasty  12+7-5=14
    gym:products         47*83              careful   47*3: 7*3=21 4*3+2=14 >141 47*8: … 141+3760: … >3901
    gym:gcd              gcd 84 36          careful   84-30=54-6=48-30=18-6=12 36-10=26-2=24-10= … 2-2=0 >12
    gym:number_sorting   sort 40 3 17       careful   40, 3 40, 3 17 40                             hasty  3 17 40
    gym:spell_backward   backward s u n     careful   s1>s u2>us n3>nus                             hasty  nus
    gym:count_bits       ones 45            careful   45>22 1 22>11 1 11>5 2 5>2 3 2>1 3 1>0 4
    gym:base_conversion  45 base 10 to 2    careful   45>22 1 22>11 01 11>5 101 5>2 1101 2>1 01101 1>0 101101

An answer is put to reasoning-gym's own scorer, and passes with exactly 1. Where a task's answer is a whole number it
must be spelled canonically as well, as everywhere here. A sorted list is said as "3 17 40", and translated by a fixed
grammar into the list that their scorer wants.

Two sets never share an item. Item i of seed s is drawn from Random(s + i) (reasoning-gym's dataset classes), so each
split draws its own residues of s + i modulo 3; but other seeds give the same operands again and again, so a draw is
also thrown away if `split_of` puts its operands elsewhere.

Some settings are smaller than reasoning-gym's, and a few items are left out (a chain whose running total is below 0, a
conversion that is not between 2 and 10): what a network of under a million weights can learn in minutes. `SIZES` in
each class says which.
"""

import json
import re
from functools import lru_cache
from math import gcd
from random import Random

from minids.errors import MinidsError
from minids.tasks import arithmetic, gym
from minids.tasks.arithmetic import parse_integer
from minids.tasks.environment import Environment, Item

DRAWS = 2**30  # items of a split that can be drawn; reasoning-gym's seeds must stay below 2**32
# Data sets that write something down for each of their items before the first is asked for, or all of them at once.
FEW = {"acre": 500, "gsm_symbolic": 100_000, "list_functions": 100_000, "word_ladder": 1000}


class Gym(Environment):
    """One data set. `short` is what this module knows of it, or None."""

    def __init__(self, dataset: str):
        gym.trusted(dataset)
        self.dataset, self.name, self.short = dataset, f"gym:{dataset}", SHORT.get(dataset)
        self.about = f"reasoning-gym's {dataset}"
        if self.short:
            self.sizes, self.beyond, self.styles = self.short.SIZES, self.short.BEYOND, self.short.STYLES

    def sample(self, rng: Random, split: str, size: int | None = None) -> Item:
        if size is None and self.sizes:
            size = rng.choices(list(self.sizes), weights=list(self.sizes.values()))[0]
        elif size is not None and size not in (*self.sizes, *self.beyond):
            raise MinidsError(f"environment {self.name!r}: size {size!r} is not one of {[*self.sizes, *self.beyond]}.")
        for _ in range(10_000):
            draws = FEW.get(self.dataset, DRAWS)
            item = self.item(size, 3 * rng.randrange(draws) + arithmetic.SPLITS.index(split))
            if item is not None and item.split == split:
                return item
        raise MinidsError(f"environment {self.name!r}: no problem of size {size} falls into the split {split!r}.")

    def item(self, size: int | None, index: int) -> Item | None:
        """Item `index` of the data set with a size's settings; None where the short form has no words for it."""
        entry = _entries(self.dataset, size)[index]
        if not self.short:
            if not _answer(entry).strip():
                return None  # an equation without a solution: no text is an answer here
            # Without knowledge of the metadata, what is asked is the text of the question.
            return self._item(entry, " ".join(entry["question"].split()), size, index, None)
        read = self.short.read(entry)
        if read is None:
            return None
        question, answer, key, terms = read
        return self._item(entry, key, size, index, terms, question, answer)

    def _item(self, entry, key, size, index, terms, question=None, answer=None):
        data = {"entry": entry, "index": index, "terms": terms}
        question, answer = question or entry["question"], answer or _answer(entry)
        return Item(self.name, question, answer, key, size, data)

    def score(self, problem: Item, answer_text: str) -> float:
        entry = problem.data["entry"]
        if parse_integer(problem.answer) is not None and parse_integer(answer_text) is None:
            return 0.0  # "12.0", "+12" and "1,2" pass some of their scorers; here a number has one spelling
        if not self.short:
            return float(gym.grade(self.dataset, entry, answer_text))
        theirs = self.short.theirs(answer_text)  # the tasks that are known here have one right answer each
        return float(answer_text == problem.answer and gym.grade(self.dataset, entry, theirs))

    def canonical(self, problem: Item, answer_text: str) -> object:
        if parse_integer(problem.answer) is not None:
            return parse_integer(answer_text)
        return super().canonical(problem, answer_text)

    def demonstrate(self, problem: Item, style: str, rng: Random | None = None) -> str:
        if not self.short:
            return super().demonstrate(problem, style, rng)
        if style not in self.styles:
            raise MinidsError(
                f"environment {self.name!r} has thoughts in the styles {', '.join(self.styles)}, not {style!r}."
            )
        return self.short.thought(problem.data["terms"], style)

    def facts(self, rng: Random) -> str | None:
        return self.short.facts(rng) if self.short else None

    def row(self, problem: Item) -> dict:
        return {"size": problem.size, "index": problem.data["index"]}

    def restore(self, question: str, answer: str, row: dict) -> Item:
        item = self.item(row["size"], row["index"])
        if item is None or (item.question, item.answer) != (question, answer):
            raise MinidsError(
                f"environment {self.name!r}: the item that made {question!r} is another here; the data "
                "set was made with another version of reasoning-gym. Make it again."
            )
        return item


def _answer(entry):
    """An item's answer as text; where there are many, the one that it holds."""
    possible = entry["metadata"].get("possible_answer")  # graph_color
    return json.dumps(possible) if possible else str(entry["answer"])


@lru_cache(maxsize=128)
def _entries(dataset, size):
    settings = SHORT[dataset].settings(size) if dataset in SHORT else {}
    return gym.create(dataset, size=3 * FEW.get(dataset, DRAWS), seed=0, **settings)


# -- what is known of a data set ---------------------------------------------------------------------------------------


class Short:
    """SIZES with their weights, BEYOND them, and for each size the settings of the data set."""

    STYLES, BEYOND = ("careful", "hasty"), ()

    @staticmethod
    def settings(size: int) -> dict:
        """Keywords of reasoning-gym's config."""
        raise NotImplementedError

    @staticmethod
    def read(entry: dict) -> tuple | None:
        """(question, answer, key of the operands, what `thought` wants), or None to leave the item out."""
        raise NotImplementedError

    @staticmethod
    def thought(terms: object, style: str) -> str:
        """The words that lead to the answer, in one of STYLES; `terms` is what `read` gave."""
        raise NotImplementedError

    @staticmethod
    def theirs(answer_text: str) -> str:
        """The answer as reasoning-gym's scorer wants it."""
        return answer_text

    @staticmethod
    def facts(rng: Random) -> str | None:
        """A line of the small facts that thoughts use, or None."""
        return None


class ChainSum(Short):
    """Sums and differences of several numbers, in the words of this library's own chains."""

    SIZES, BEYOND = {2: 0.35, 3: 0.4, 4: 0.25}, (5, 6)  # numbers, all of one digit or all of two
    STYLES = ("careful", "brisk", "hasty")

    @staticmethod
    def settings(size: int) -> dict:
        return {"min_terms": size, "max_terms": size, "min_digits": 1, "max_digits": 2}

    @staticmethod
    def read(entry: dict) -> tuple | None:
        terms = tuple(int(t) for t in re.findall(r"[+-]?[0-9]+", entry["metadata"]["expression"].replace(" ", "")))
        if any(sum(terms[: i + 1]) < 0 for i in range(len(terms))):
            return None
        problem = arithmetic.Problem("chain", "", terms, len(terms))
        return problem.expression, entry["answer"], problem.key, terms  # the key that our own chains have

    @staticmethod
    def thought(terms: tuple[int, ...], style: str) -> str:
        return arithmetic.thought(arithmetic.Problem("chain", "", terms, len(terms)), style)

    @staticmethod
    def facts(rng: Random) -> str | None:
        return arithmetic.facts(rng)


class Products(Short):
    """Products of two numbers: column multiplication from the right, one digit of the second factor at a time."""

    SIZES, STYLES = {1: 0.1, 2: 0.9}, ("careful", "brisk", "hasty")  # digits of both factors

    @staticmethod
    def settings(size: int) -> dict:
        return {"min_digits": size, "max_digits": size}

    @staticmethod
    def read(entry: dict) -> tuple | None:
        a, b = (int(n) for n in entry["metadata"]["expression"].split("*"))
        return f"{a}*{b}", entry["answer"], f"{min(a, b)}*{max(a, b)}", (a, b)

    @staticmethod
    def thought(terms: tuple[int, int], style: str) -> str:
        a, b = terms
        if style == "hasty" or max(a, b) < 10:
            return f"{a}*{b}={a * b}"
        tens, ones = divmod(b, 10)
        low, high = a * ones, a * tens * 10
        if style == "brisk":
            return f"{a}*{ones}={low} {a}*{tens}0={high} {low}+{high}={a * b}"
        parts = [
            f"{a}*{ones}:",
            *times_steps(a, ones),
            f">{low}",
            f"{a}*{tens}:",
            *times_steps(a, tens),
            f">{a * tens}",
            f"{low}+{high}:",
            *arithmetic.digit_steps(low, high),
            f">{a * b}",
        ]
        return " ".join(parts)

    @staticmethod
    def facts(rng: Random) -> str | None:
        out = []
        for _ in range(8):
            a, b, carry = rng.randrange(10), rng.randrange(10), rng.randrange(9)
            out.append(f"{a}*{b}{f'+{carry}' if carry else ''}={a * b + carry}")
        return " ".join(out)


def times_steps(number: int, digit: int) -> list[str]:
    """Column multiplication from the right: times_steps(47, 3) = ["7*3=21", "4*3+2=14"]; the tens are carried."""
    steps, carry = [], 0
    for d in reversed(str(number)):
        value = int(d) * digit + carry
        steps.append(f"{d}*{digit}{f'+{carry}' if carry else ''}={value}")
        carry = value // 10
    return steps


class Gcd(Short):
    """The greatest common divisor of two numbers from 1 to 99, by remainders."""

    SIZES, STYLES = {2: 1.0}, ("careful", "brisk", "hasty")  # digits: two numbers from 1 to 99

    @staticmethod
    def settings(size: int) -> dict:
        return {"max_value": 10**size - 1}

    @staticmethod
    def read(entry: dict) -> tuple | None:
        a, b = entry["metadata"]["numbers"]
        return f"gcd {a} {b}", entry["answer"], f"gcd {min(a, b)} {max(a, b)}", (a, b)

    @staticmethod
    def thought(terms: tuple[int, int], style: str) -> str:
        """Euclid's algorithm (Elements VII.2): remainders by subtraction, or by digits where the divisor has one."""
        a, b = terms
        if style == "hasty":
            return f"gcd {a} {b}={gcd(a, b)}"
        a, b, parts = max(a, b), min(a, b), []
        while b:
            parts.append(f"{a}%{b}={a % b}" if style == "brisk" else remainder(a, b))
            a, b = b, a % b
        return " ".join([*parts, f">{a}"])

    @staticmethod
    def facts(rng: Random) -> str | None:
        out = []
        for _ in range(4):
            a, b = rng.randrange(10, 100), rng.randrange(10, 100)
            out.append(remainder(max(a, b), max(min(a, b), max(a, b) // 2 + 1)))
            divisor = rng.randrange(1, 10)
            value = rng.randrange(10 * divisor)
            out.append(f"{value}%{divisor}={value % divisor}")
        return " ".join(out)


def remainder(a: int, b: int) -> str:
    """How a is brought below b, in writing: "84-30=54-6=48-30=18-6=12", or for one digit "97%2: 9%2=1 17%2=1".

    To take 36 away is to take 30, then 6: 36 in one step would be thousands of facts to learn instead of hundreds.
    """
    if b >= 10:
        text = str(a)
        while a >= b:
            for part in (b - b % 10, b % 10):
                if part:
                    a -= part
                    text += f"-{part}={a}"
        return text
    parts, rest = [f"{a}%{b}:"], 0
    for d in str(a):
        value = 10 * rest + int(d)
        rest = value % b
        parts.append(f"{value}%{b}={rest}")
    return " ".join(parts)


class NumberSorting(Short):
    """Whole numbers put in order, each put in its place among those before it."""

    SIZES, BEYOND = {3: 0.2, 4: 0.3, 5: 0.3, 6: 0.2}, (7, 8)  # whole numbers from 0 to 99

    @staticmethod
    def settings(size: int) -> dict:
        return {"min_numbers": size, "max_numbers": size, "max_decimals": 0, "min_value": 0.0, "max_value": 99.0}

    @staticmethod
    def read(entry: dict) -> tuple | None:
        numbers = [int(float(n)) for n in entry["metadata"]["original_numbers"]]
        down = entry["metadata"]["direction"] == "descending"
        shown = " ".join(map(str, numbers))
        answer = " ".join(str(n) for n in sorted(numbers, reverse=down))
        key = "sort " + " ".join(map(str, sorted(numbers)))  # up or down, in any order: the same numbers
        return f"sort {'down ' if down else ''}{shown}", answer, key, (down, numbers)

    @staticmethod
    def thought(terms: tuple[bool, list[int]], style: str) -> str:
        down, numbers = terms
        if style == "hasty":
            return " ".join(map(str, sorted(numbers, reverse=down)))
        lines = [sorted(numbers[: i + 1], reverse=down) for i in range(len(numbers))]  # each is put in its place
        return ", ".join(" ".join(map(str, line)) for line in lines)

    @staticmethod
    def theirs(answer_text: str) -> str:
        return str([f"{n}.0" for n in answer_text.split(" ")])


class SpellBackward(Short):
    """A word spelled from its end, letter by letter."""

    SIZES, BEYOND = {3: 0.1, 4: 0.2, 5: 0.3, 6: 0.2, 7: 0.2}, (8, 9)  # letters

    @staticmethod
    def settings(size: int) -> dict:
        return {"min_word_len": size, "max_word_len": size}

    @staticmethod
    def read(entry: dict) -> tuple | None:
        word = entry["metadata"]["word"].lower()
        if not re.fullmatch(r"[a-z]+", word):
            return None
        return f"backward {' '.join(word)}", word[::-1], "backward " + min(word, word[::-1]), word

    @staticmethod
    def thought(terms: str, style: str) -> str:
        if style == "hasty":
            return terms[::-1]
        return " ".join(f"{letter}{i}>{terms[:i][::-1]}" for i, letter in enumerate(terms, 1))


class CountBits(Short):
    """How many ones a number has in base 2: halved until nothing is left."""

    SIZES, STYLES = {3: 1.0}, ("careful", "brisk", "hasty")  # numbers from 1 to 4095: three hexadecimal digits

    @staticmethod
    def settings(size: int) -> dict:
        return {"max_n": 16**size - 1}

    @staticmethod
    def read(entry: dict) -> tuple | None:
        n = entry["metadata"]["number"]
        return f"ones {n}", entry["answer"], f"ones {n}", n

    @staticmethod
    def thought(terms: int, style: str) -> str:
        """Halved until nothing is left; a count goes along, and grows where a number was odd."""
        n, ones, parts = terms, 0, []
        if style == "hasty":
            return f"ones {n}={n.bit_count()}"
        if style == "brisk":
            return f"{n}={n:b} {n.bit_count()}"
        while n:
            ones += n % 2
            parts.append(f"{n}>{n // 2} {ones}")
            n //= 2
        return " ".join(parts)


class BaseConversion(Short):
    """A number from base 2 to base 10, or back."""

    SIZES = {11: 1.0}  # bits: numbers from 1 to 2047, between the bases 2 and 10

    @staticmethod
    def settings(size: int) -> dict:
        return {"min_base": 2, "max_base": 10, "max_value": 2**size - 1}

    @staticmethod
    def read(entry: dict) -> tuple | None:
        m = entry["metadata"]
        if {m["source_base"], m["target_base"]} != {2, 10} or not m["decimal_value"]:
            return None  # reasoning-gym writes zero in base 10 as nothing
        question = f"{m['source_repr']} base {m['source_base']} to {m['target_base']}"
        return question, entry["answer"], f"base {m['decimal_value']}", (m["decimal_value"], m["target_base"])

    @staticmethod
    def thought(terms: tuple[int, int], style: str) -> str:
        n, base = terms
        if style == "hasty":
            return f"{n}" if base == 10 else f"{n:b}"
        if base == 10:  # from the left: twice what was there, and the next digit
            bits = f"{n:b}"
            return " ".join(str(int(bits[: i + 1], 2)) for i in range(len(bits)))
        bits, parts = "", []
        while n or not parts:
            bits = f"{n % 2}{bits}"
            parts.append(f"{n}>{n // 2} {bits}")
            n //= 2
        return " ".join(parts)


SHORT = {
    "chain_sum": ChainSum,
    "products": Products,
    "gcd": Gcd,
    "number_sorting": NumberSorting,
    "spell_backward": SpellBackward,
    "count_bits": CountBits,
    "base_conversion": BaseConversion,
}
