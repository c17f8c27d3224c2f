"""Can RL teach what the model could not do? RL on problems one step longer than any it was trained on.

    edge   goes on from the final model with GRPO on a mix of old sizes and the next one (`[edge] sizes`), then counts,
           on held-out problems of that next size, how many of many samples (`tries`, 256) are right: for the base
           model, after SFT, for the model before, and for the model after

pass@k at large k asks what lies within reach of sampling at all. If RL only sharpens, the curves meet there
(arXiv 2504.13837); if it teaches, problems that no sample of the base model solved become solvable. Near the edge of
competence others have seen that (arXiv 2512.07783). The record holds the counts problem by problem, so that both
questions can be asked of it, with intervals over problems.
"""

import random

from minids.errors import MinidsError
from minids.eval import evaluate, statistics
from minids.progress import Progress
from minids.run.stage import LEARN, SAMPLE, Stage
from minids.tasks import registry

KS = (1, 4, 16, 64, 256)


def edge(job) -> dict:
    model, section = job.load("model"), job.section()
    tries, problems, asked = (section[k] for k in ("tries", "problems", "asked"))
    style, longest = section.get("style", "tags"), section.get("max_new_tokens", 160)
    record = job.train_rl(model)
    job.save_model(model, style)
    job.evaluate(model, style=style)
    sets = [(family, size) for family, sizes in asked.items() for size in sizes]
    guesses = {of: guess(*of, tries, job.seed) for of in sets}
    models = {"base": "plain", "sft": "tags", "model": style, "edge": style}  # weights and the style they answer in
    if "sft" not in job.recipe.plan:
        del models["sft"]
    total = len(models) * problems * len(sets)
    rows = []
    with Progress("edge, many samples", total, "problem", quiet=job.quiet) as bar:
        for name, its_style in models.items():
            weights = job.load(name)
            for family, size in sets:
                counts = count_right(job, weights, its_style, family, size, problems, tries, longest, bar)
                rows.append(row(name, family, size, counts, tries, job.seed) | {"guess_at": guesses[family, size]})
    job.results["edge"] = rows
    return record


def count_right(
    job, model, style: str, family: str, size: int, problems: int, tries: int, max_new_tokens: int, bar: Progress
) -> list[int]:
    """How many of `tries` samples are right, for each of so many held-out problems of one size."""
    chosen = registry.problem_set([family], "test", problems, job.seed, size)
    found = evaluate.answer(
        model,
        job.tokenizer,
        chosen,
        style=style,
        n=tries,
        temperature=1.0,
        max_new_tokens=max_new_tokens,
        seed=job.seed,
        comm=job.comm,
        progress=bar,
    )
    return [int(sum(r.accuracy for r, *_ in answers)) for answers in found]


def guess(family: str, size: int, tries: int, seed: int) -> dict:
    """What k guesses without reading solve: of 1,000 problems, with the k most frequent answers of 1,000 others."""
    rng = random.Random(f"guess {family} {size} {seed}")
    asked, seen = ([registry.sample(family, rng, "train", size) for _ in range(1000)] for _ in range(2))
    return evaluate.guess_at(asked, [k for k in KS if k <= tries], seen)


def row(stage: str, family: str, size: int, counts: list[int], tries: int, seed: int) -> dict:
    """{stage, family, size, tries, right: [count], pass_at: {k: [mean, low, high]}}."""
    pass_at = {}
    for k in (k for k in KS if k <= tries):
        each = [statistics.pass_at_k(tries, c, k) for c in counts]
        pass_at[str(k)] = [sum(each) / len(each), *statistics.bootstrap_ci(each, seed=seed)]
    return {"stage": stage, "family": family, "size": size, "tries": tries, "right": counts, "pass_at": pass_at}


def check(section: dict, where: str) -> None:
    """How many samples are asked for, on which sizes; that these are new is what the stage is for."""
    for key, most in (("tries", 4096), ("problems", 10_000)):
        value = section.get(key)
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
            raise MinidsError(f"{where}: {key} must be a whole number from 1 to {most}, got {value!r}.")
    asked = section.get("asked")
    if not isinstance(asked, dict) or not asked:
        raise MinidsError(f"{where}: asked must name sizes of families, as in {{ chain = [6] }}.")
    for family, sizes in asked.items():
        try:
            _check_asked(family, sizes, section["problems"])
        except MinidsError as error:
            raise MinidsError(f"{where}: asked.{family}: {error}") from None


def _check_asked(family, sizes, problems):
    """Sizes of one family are those of its environment, and none that is trained on."""
    known = registry.get(family)
    trained = ", ".join(map(str, known.sizes))
    if not known.sizes:
        raise MinidsError(f"problems of {family!r} come in no sizes, so none of them is beyond those trained on.")
    if not isinstance(sizes, list) or not sizes or not all(type(s) is int and s > 0 for s in sizes):
        raise MinidsError(f"give a list of sizes, as in [{max(known.sizes) + 1}]; got {sizes!r}.")
    if old := [s for s in sizes if s in known.sizes]:
        raise MinidsError(f"{old[0]} is a size that pretraining has ({trained}); ask for a size beyond.")
    for size in sizes:
        registry.problem_set([family], "test", problems, 0, size)  # there are problems of it, and as many as asked for


STAGES = [
    Stage(
        "edge",
        edge,
        title="RL on longer problems",
        colour="f2",
        label="after GRPO on longer problems",
        about="RL on problems one step longer than any before, then many samples of each model",
        needs=("grpo",),
        below="grpo",
        also=frozenset({"tries", "problems", "asked"}),
        check=check,
        passes={"model": SAMPLE + LEARN},
        model="edge",
        parts=("edge",),
    )
]
