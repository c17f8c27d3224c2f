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

from minids.eval import evaluate, model_folder, statistics
from minids.model.transformer import Transformer
from minids.progress import Progress
from minids.run.job import Job
from minids.run.sections import Asked
from minids.run.stage import LEARN, SAMPLE, Stage
from minids.tasks import registry

KS = (1, 4, 16, 64, 256)


def edge(job: Job) -> dict:
    """The stage `edge`, as the module says; returns its record."""
    model, section = job.load("model"), job.recipe.checked("edge")
    tries, problems, asked = (section[k] for k in ("tries", "problems", "asked"))
    style, longest = section.get("template", "tags"), section.get("max_new_tokens", 160)
    record = job.train_rl(model)
    job.save_model(model, style)
    job.evaluate(model, style=style)
    if not job.recipe.evaluation.after_stages:
        return record
    sets = [(family, size) for family, sizes in asked.items() for size in sizes]
    guesses = {of: guess(*of, tries, job.seed) for of in sets}
    before = model_folder.about_model(job.out / "base")["style"]
    models = {"base": before, "sft": "tags", "model": style, "edge": style}  # weights and the style they answer in
    if "sft" not in job.recipe.plan:
        del models["sft"]
    total = len(models) * problems * len(sets) * tries
    rows = []
    with Progress("edge, many samples", total, "answer", quiet=job.quiet) as bar:
        for name, its_style in models.items():
            weights = job.load(name)
            for family, size in sets:
                counts = count_right(job, weights, its_style, family, size, problems, tries, longest, bar)
                rows.append(row(name, family, size, counts, tries, job.seed) | {"guess_at": guesses[family, size]})
    job.results["edge"] = rows
    return record


def count_right(
    job: Job,
    model: Transformer,
    style: str,
    family: str,
    size: int,
    problems: int,
    tries: int,
    max_new_tokens: int,
    bar: Progress,
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
        also=Asked,
        passes={"model": SAMPLE + LEARN},
        model="edge",
        parts=("edge",),
    )
]
