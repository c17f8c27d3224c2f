"""What every data set of reasoning-gym costs and pays: `python tests/tasks/gym_sets.py [NAME …]` prints a table.

Each set is built as training builds it, some problems are drawn, and the right answer and a fixed list of wrong ones
are put to the environment.
"""

import random
import re
import sys
import time

from minids.errors import MinidsError
from minids.tasks import gym, registry
from minids.train import memory

FIXED = (
    "0",
    "1",
    "-1",
    "",
    " ",
    "a",
    "yes",
    "True",
    "None",
    "null",
    "[]",
    "{}",
    "nan",
    "inf",
    ".",
    "error",
    "0 or 1",
    "[NaN, NaN, NaN]",
    "['nan', 'nan', 'nan']",
    "1e9",
    "0 1 2 3 4 5 6 7 8 9",
)


def wrong(problem, other):
    """{kind: text} of answers that are not right, or only by chance."""
    right = problem.answer
    items = re.split(r"[,\s]+", right)
    return {
        **{text: text for text in FIXED},
        "question": problem.question[:4000],
        "another's": other,
        "all but the last letter": right[:-1],
        "first half": right[: len(right) // 2],
        "first letter": right[:1],
        "first item": items[0],
        "last item": items[-1],
        "all but the last item": right[: -len(items[-1])],
        "first line": right.split("\n")[0],
        "twice": right + right,
        "twice, apart": f"{right} {right}",
        "and 7": f"{right} 7",
        "and 0": f"{right}, 0",
        "a sentence": f"I think {right} or 7",
        "doubled end": right + right[-1:],
        "backward": right[::-1],
        "items backward": " ".join(reversed(items)),
    }


def measured(name, count=6, seed=0):
    """A row: seconds to build and for each problem, MB, how many right answers are paid, which wrong ones are."""
    dataset, rng, before, began = name.removeprefix("gym:"), random.Random(seed), memory.peak(), time.monotonic()
    env = registry.get(name)
    problems = [env.sample(rng, "train")]
    built = time.monotonic() - began
    problems += [env.sample(rng, "rl") for _ in range(count - 1)]
    each = (time.monotonic() - began - built) / (count - 1)
    paid, how = {}, (gym.UNORDERED.get(dataset), gym.CLOSE.get(dataset))
    for p, other in zip(problems, [*problems[1:], problems[0]]):
        for kind, text in wrong(p, other.answer).items():
            if env.score(p, text) != 0 and not gym.same(text, p.answer, *how):
                paid.setdefault(kind, (p.answer, text))
    return {
        "name": name,
        "build": built,
        "each": each,
        "MB": (memory.peak() - before) / 2**20,
        "right": sum(env.score(p, p.answer) == 1 for p in problems),
        "of": count,
        "paid": paid,
    }


def names():
    """Every data set, as environments are named."""
    gym._library()
    return [f"gym:{name}" for name in sorted(sys.modules["reasoning_gym"].factory.DATASETS)]


def main(chosen):
    print("| data set | build, s | a problem, s | MB | right paid | wrong paid |\n|---|---|---|---|---|---|")
    bad = 0
    for name in chosen or names():
        try:
            row = measured(name)
        except MinidsError as error:
            print(f"| {name} | | | | | {error} |", flush=True)
            continue
        bad += bool(row["paid"]) or row["right"] < row["of"]
        print(
            f"| {name} | {row['build']:.2f} | {row['each']:.3f} | {row['MB']:.0f} | {row['right']} of {row['of']} | "
            f"{', '.join(row['paid'])} |",
            flush=True,
        )
    return bad > 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
