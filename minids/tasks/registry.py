"""Environments: what training, demonstrations and evaluation need to know of a kind of problem, and nothing else.

    env = registry.get("gym:gcd")
    problem = env.sample(random.Random(0), "rl")   question, answer, key, split, family, size
    env.score(problem, "12")                       1.0 or 0.0; for the answer alone, whatever was thought before it
    env.demonstrate(problem, "careful", rng)       a thought that leads to the answer, in one of env.styles

    add, chain, word      this library's own sums (`tasks.arithmetic`)
    gym:NAME              a data set of reasoning-gym, graded by its own scorer (`tasks.gym_sets`)
    user:FILE.jsonl       problems of yours; with @check.py:function behind it they are graded by a function of yours,
                          in a process with limits (`tasks.verifier`)
    countdown             numbers and a target, with search traces as thoughts (`tasks.countdown`)

Which set a problem belongs to is decided by `split_of(key)`, and `key` holds what is asked in a form that does not
depend on how it is asked: a hash of the operands. A seed decides nothing: other seeds give the same operands again.

An answer is judged as a whole. It is the text between the answer's marks, blanks around it taken off; nothing is
searched for in it, and nothing of it is run here. A problem may have several right answers (`countdown`): then the
environment decides, and a majority vote counts each spelling for itself.

Left out: environments of several turns, tools, rewards between 0 and 1.
"""

import random
from collections.abc import Sequence
from functools import lru_cache
from random import Random

from minids.errors import MinidsError
from minids.tasks import arithmetic
from minids.tasks.arithmetic import parse_integer
from minids.tasks.environment import AnyProblem, Environment


class Arithmetic(Environment):
    """A family of `tasks.arithmetic`; whatever is drawn here is drawn there."""

    styles = arithmetic.STYLES

    def __init__(self, name: str):
        self.name, self.about = name, arithmetic.ABOUT[name]
        self.sizes, self.beyond = arithmetic.SIZES[name], arithmetic.BEYOND[name]

    def sample(self, rng: Random, split: str, size: int | None = None) -> arithmetic.Problem:
        return arithmetic.sample(self.name, rng, split, size)

    def score(self, problem: AnyProblem, answer_text: str) -> float:
        return float(parse_integer(answer_text) == int(problem.answer))

    def canonical(self, problem: AnyProblem, answer_text: str) -> int | None:
        return parse_integer(answer_text)

    def demonstrate(self, problem: AnyProblem, style: str, rng: Random | None = None) -> str:
        return arithmetic.thought(problem, style, rng)

    def facts(self, rng: Random) -> str:
        return arithmetic.facts(rng)

    def row(self, problem: AnyProblem) -> dict:
        return {"terms": list(problem.terms), "size": problem.size}

    def restore(self, question: str, answer: str, row: dict) -> arithmetic.Problem:
        return arithmetic.Problem(self.name, question, tuple(row["terms"]), row["size"])


def _countdown(name):
    from minids.tasks import countdown

    return countdown.Countdown()


def _gym(name):
    from minids.tasks import gym_sets

    return gym_sets.Gym(name.partition(":")[2])


def _user(name):
    from minids.tasks import user_file

    return user_file.User(name)


# A new family is a row: its name, or its prefix with the colon, and what makes its environment.
FAMILIES = {**dict.fromkeys(arithmetic.FAMILIES, Arithmetic), "countdown": _countdown, "gym:": _gym, "user:": _user}


def _row(name):
    """The key of FAMILIES for a name, or None."""
    kind, colon, rest = name.partition(":")
    return kind + colon if kind + colon in FAMILIES and bool(colon) == bool(rest) else None


@lru_cache(maxsize=256)
def _make(name):
    if (row := _row(name)) is not None:
        return FAMILIES[row](name)
    raise MinidsError(f"family {name!r} is not one of {known()}.")


def known() -> str:
    """The families that there are, in words."""
    plain = ", ".join(n for n in FAMILIES if not n.endswith(":"))
    return f"{plain}, gym:NAME (a data set of reasoning-gym) or user:FILE.jsonl"


def get(name: str) -> Environment:
    """The environment of this name; MinidsError where there is none, or where a package for it is missing."""
    if not isinstance(name, str):
        raise MinidsError(f'family {name!r} is no text; write it as in families = ["add", "gym:gcd"].')
    return _make(name)


def named(name: str) -> bool:
    """Whether `get` has a chance: a name as environments have it, whatever is installed here."""
    return isinstance(name, str) and _row(name) is not None


def names_files(name: str) -> bool:
    """Whether a name is that of files on this computer, and perhaps of code in them: never taken from a model's or a
    run's folder, which may be a stranger's, only from whoever gives the command."""
    return isinstance(name, str) and name.startswith("user:")


def sample(
    family: str, rng: Random, split: str, size: int | None = None, sizes: dict[str, dict[int, float]] | None = None
) -> AnyProblem:
    """One problem of a family from a split. `sizes`, {family: {size: weight}}, draws the size where the family is
    named there; else the family does."""
    if size is None and sizes and (weights := sizes.get(family)):
        size = rng.choices(list(weights), weights=list(weights.values()))[0]
    return get(family).sample(rng, split, size)


def check_sizes(sizes: dict[str, dict[int, float]] | None, families: Sequence[str], where: str) -> None:
    """Raises MinidsError unless all sizes are of families that are asked, and there are problems of each size to train
    on whose answer can be rewarded: a run looks before it starts."""
    for family, weights in (sizes or {}).items():
        if family not in families:
            raise MinidsError(f"{where}: sizes names {family!r}, but the families here are {', '.join(families)}.")
        for size in (size for size, weight in weights.items() if weight > 0):
            try:
                problem = sample(family, random.Random(0), "rl", size)
            except MinidsError as error:
                raise MinidsError(f"{where}: sizes of {family!r}: {error}") from None
            if get(family).judge(problem, str(problem.answer)).score != 1:
                raise MinidsError(
                    f"{where}: sizes of {family!r} has {size}, but the answers to such problems are too long to be "
                    "rewarded."
                )


def problem_set(
    families: Sequence[str], split: str, count: int, seed: int, size: int | None = None
) -> list[AnyProblem]:
    """`count` problems per family with different operands, asserted to lie in the split."""
    return arithmetic.problem_set(families, split, count, seed, size, draw=sample)


def assert_disjoint(families: Sequence[str], tests: int, seed: int, draws: int = 300) -> None:
    """Refuses families whose training draws hold a problem that is tested on: a run looks before it starts.

    tests     problems of each family's test split, as evaluation draws them (all, where there are fewer)
    draws     as many from the splits "train" and "rl"; every later draw is asserted too, where it is made
    """
    rng = random.Random(f"guard {seed}")
    for family in families:
        there = {split: get(family).count(split) for split in arithmetic.SPLITS}
        many = tests if there["test"] is None else min(tests, there["test"])
        held_out = {p.key for p in arithmetic.problem_set([family], "test", many, seed, draw=sample, fewer=True)}
        for split in (s for s in ("train", "rl") if there[s] != 0):
            drawn = [sample(family, rng, split) for _ in range(draws)]
            arithmetic.assert_split(drawn, split)
            if leaks := held_out.intersection(p.key for p in drawn):
                raise MinidsError(
                    f"family {family!r}: {len(leaks)} of {draws} problems drawn for the split {split!r} are held out "
                    f"for evaluation, {min(leaks)!r} for one. The run would be tested on what it was trained on, so it "
                    "does not start. Mend the environment's sample()."
                )


def worked(problem: AnyProblem, style: str, rng: Random | None = None) -> tuple[str | None, str]:
    """(thought, answer) for a problem of any family; the style "none" is no thought at all."""
    return (None, problem.answer) if style == "none" else get(problem.family).worked(problem, style, rng)
