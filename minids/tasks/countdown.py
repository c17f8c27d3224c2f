"""Countdown: make a target from some numbers, each used once; thoughts are searches, dead ends and all.

    make 24 from 8 3 5 2        (5-2)*8*…           any expression that `gym.solves` accepts is right

A state is what is left; a step takes two of its numbers and puts back one result: sums, products, differences that are
not negative, divisions without a rest. With n numbers the tree has at most prod_{k=2..n} 4 k(k-1)/2 leaves (10,368 for
four). A thought writes a part of that tree down, the nearest to the target first, and ends where it is met:

    careful   depth first    8*3=24: 24 5 2; 24+5=29: 29 2; 29-2=27 no; 29+2=31 no; 24-5=19: 19 2; … 24*1=24 yes
    brisk     breadth first  the same steps, level by level
    hasty     the way alone, as if it had been known: what a model writes that guesses

Such traces are from Stream of Search (arXiv 2404.03683, section 4): a model that is shown the search, mistakes
included, solves more than one that is shown the best way, and learns to improve its search. There the traces come from
several kinds of search, of which some fail; here all end at a solution: at most WIDTH steps are tried from a state, and
the one that leads to the goal is among them, at its own place in the order or else last.

Left out: searches that fail, heuristics other than the distance to the target.
"""

from collections.abc import Callable, Sequence
from itertools import combinations
from random import Random

from minids.errors import MinidsError
from minids.tasks import gym
from minids.tasks.environment import Environment, Item

WIDTH = 4  # steps that are tried from a state: at most 4 + 16 + 64 in a thought about four numbers
LOW, HIGH = 10, 99  # of targets; the numbers are from 1 to 99


class Countdown(Environment):
    """The game as an environment. Sizes are how many numbers there are: 3 and 4 to train on, 5 to test beyond."""

    name = "countdown"
    about = "making a target from some numbers"
    styles = ("careful", "brisk", "hasty")
    sizes = {3: 0.3, 4: 0.7}  # numbers
    beyond = (5,)

    def sample(self, rng: Random, split: str, size: int | None = None) -> Item:
        size = rng.choices(list(self.sizes), weights=list(self.sizes.values()))[0] if size is None else size
        if size not in (*self.sizes, *self.beyond):
            raise MinidsError(f"environment 'countdown': size {size!r} is not one of {[*self.sizes, *self.beyond]}.")
        for _ in range(100_000):
            item = _draw(rng, size)
            if item is not None and item.split == split:
                return item
        raise MinidsError(f"environment 'countdown': no problem of size {size} falls into the split {split!r}.")

    def score(self, problem: Item, answer_text: str) -> float:
        numbers, target = problem.data
        return float(gym.solves(answer_text, target, numbers))

    def canonical(self, problem: Item, answer_text: str) -> str | None:
        return "".join(answer_text.split()) or None

    def demonstrate(self, problem: Item, style: str, rng: Random | None = None) -> str:
        return self.worked(problem, style, rng)[0]

    def worked(self, problem: Item, style: str, rng: Random | None = None) -> tuple[str, str]:
        if style not in self.styles:
            raise MinidsError(
                f"environment 'countdown' has thoughts in the styles {', '.join(self.styles)}, not {style!r}."
            )
        numbers, target = problem.data
        way = solve(numbers, target)
        search = {"careful": depth_first, "brisk": breadth_first, "hasty": straight}[style]
        return "; ".join(search(numbers, target, way)), way[-1].expression

    def row(self, problem: Item) -> dict:
        return {"numbers": list(problem.data[0]), "target": problem.data[1], "size": problem.size}

    def restore(self, question: str, answer: str, row: dict) -> Item:
        return _item(row["numbers"], row["target"], answer, row["size"])


class Step:
    """One step: what it says ("8*3=24"), and the state that it leaves, as (value, expression) pairs."""

    def __init__(self, said: str, state: list[tuple[int, str]]):
        self.said, self.state = said, state

    @property
    def values(self) -> tuple[int, ...]:
        """The numbers that are left, sorted: what tells one state from another."""
        return tuple(sorted(value for value, _ in self.state))

    @property
    def expression(self) -> str:
        """How the last number was made: "(5-2)*8"."""
        return self.state[0][1][1:-1]  # of a last step: no parentheses around the whole

    def text(self, target: int) -> str:
        """The step as a thought says it: with the numbers that are left, or at the end with yes or no."""
        left = [value for value, _ in self.state]
        if len(left) == 1:
            return f"{self.said} {'yes' if left[0] == target else 'no'}"
        return f"{self.said}: {' '.join(map(str, left))}"


def steps(state: list[tuple[int, str]]) -> list[Step]:
    """Every step from a state, each result only once for a pair; the new number stands first."""
    out = []
    for i, j in combinations(range(len(state)), 2):
        (a, x), (b, y) = sorted((state[i], state[j]), key=lambda pair: -pair[0])
        rest = [pair for k, pair in enumerate(state) if k not in (i, j)]
        results = [("+", a + b), ("*", a * b), ("-", a - b)] + ([("/", a // b)] if b and a % b == 0 else [])
        for sign, value in results:
            out.append(Step(f"{a}{sign}{b}={value}", [(value, f"({x}{sign}{y})"), *rest]))
    return out


def start(numbers: Sequence[int]) -> list[tuple[int, str]]:
    """The state before the first step: each number, made of itself."""
    return [(n, str(n)) for n in numbers]


def near(target: int) -> Callable:
    """Orders steps: first those that leave a number close to the target."""
    return lambda step: (min(abs(value - target) for value, _ in step.state), step.said)


def solve(numbers: Sequence[int], target: int) -> list[Step] | None:
    """The steps of a solution, found depth first over the whole tree; every state is looked at once. Raises
    MinidsError where there is none."""
    dead = set()

    def search(state):
        for step in sorted(steps(state), key=near(target)):
            if len(step.state) == 1:
                if step.state[0][0] == target:
                    return [step]
            elif step.values not in dead:
                found = search(step.state)
                if found:
                    return [step, *found]
                dead.add(step.values)
        return None

    found = search(start(numbers))
    if found is None:
        raise MinidsError(f"countdown: {target} cannot be made from {' '.join(map(str, numbers))}.")
    return found


def tried(state: list[tuple[int, str]], target: int, goal: Step | None) -> list[Step]:
    """The at most WIDTH steps that a thought tries from a state; `goal`, a step that it must not miss, or None."""
    order, seen = [], set()
    for step in sorted(steps(state), key=near(target)):
        if step.said not in seen and (goal is None or step.said != goal.said):
            seen.add(step.said)
            order.append(step)
    if goal is None:
        return order[:WIDTH]
    return sorted([*order[: WIDTH - 1], goal], key=near(target))


def straight(numbers: Sequence[int], target: int, way: Sequence[Step]) -> list[str]:
    """The words of a solution without a search."""
    return [step.text(target) for step in way]


def depth_first(numbers: Sequence[int], target: int, way: Sequence[Step]) -> list[str]:
    """The words of a depth-first search that ends with the last step of `way`."""
    said = []

    def search(state, way):
        goal = way[0] if way else None
        for step in tried(state, target, goal):
            said.append(step.text(target))
            if len(step.state) == 1:
                if step.state[0][0] == target:
                    return step
            elif found := search(step.state, way[1:] if step is goal else ()):
                return found
        return None

    end = search(start(numbers), way)
    way[-1] = end  # a lucky branch before the planned one ends the search there
    return said


def breadth_first(numbers: Sequence[int], target: int, way: Sequence[Step]) -> list[str]:
    """The words of a search level by level."""
    said, level = [], [(start(numbers), tuple(way))]
    while True:
        below = []
        for state, rest in level:
            goal = rest[0] if rest else None
            for step in tried(state, target, goal):
                said.append(step.text(target))
                if len(step.state) == 1 and step.state[0][0] == target:
                    way[-1] = step
                    return said
                below.append((step.state, rest[1:] if step is goal else ()))
        level = [(state, rest) for state, rest in below if len(state) > 1]


def _draw(rng, size):
    """A problem with a solution: numbers are drawn and then put together at random; None if that misses the range."""
    numbers = [rng.randrange(1, 100 if rng.random() < 0.4 else 10) for _ in range(size)]
    state = start(numbers)
    while len(state) > 1:
        state = rng.choice(steps(state)).state
    value, expression = state[0]
    return _item(numbers, value, expression, size) if LOW <= value <= HIGH else None


def _item(numbers, target, answer, size):
    key = f"countdown {' '.join(map(str, sorted(numbers)))} = {target}"
    question = f"make {target} from {' '.join(map(str, numbers))}"
    return Item("countdown", question, answer, key, size, (tuple(numbers), target))
