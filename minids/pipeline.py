"""The main job, on one page: tokenizer -> pretraining -> cold-start SFT -> GRPO -> evaluation -> report.

    problems -> text -> token ids -> hidden states -> logits -> samples -> rewards -> gradients -> checkpoint -> report

    run/stages_main.py    these stages, each a function of one run/job.py:Job
    run/stages_r1.py      those of DeepSeek-R1's whole way, for recipes that name them (`stages = [...]`)
    run/stages_edge.py    RL on problems longer than any before
    run/controls.py       what the result is compared with
    run/stages.py         the table of all of them: what each needs, reads, leaves, costs and is called

Everything a run does depends on (recipe, seed, number of processes) alone. Each stage ends by writing its model and its
record into the run's folder; `--resume` skips finished stages and goes on inside the one that was cut off.

    <run>/recipe.json        what was asked for             metrics.jsonl    a line every few steps, all stages
    <run>/tokenizer/         tokenizer.json                 results.json     stages, evaluations, hardware, seconds
    <run>/base|sft|model/    the model after each stage (`model` is the last; Hugging Face layout, tokenizer beside it)
    <run>/checkpoints/       what --resume needs             report.html     drawn from metrics.jsonl and results.json
    <run>/.checksums.json    of what a resumed run reads     .lock           held by the process that runs here
"""

from collections.abc import Callable, Sequence
from pathlib import Path

from minids.errors import MinidsError, need
from minids.report import run_report
from minids.run import controls as control_stages
from minids.run import run_folder, stages_start
from minids.run.job import Job, pick_device
from minids.run.recipes import Recipe
from minids.run.stages import STAGES
from minids.run.sums import Sums
from minids.tasks import registry
from minids.train import metrics, parallel


def run(
    recipe: Recipe,
    out: str | Path,
    *,
    seed: int = 0,
    resume: bool = False,
    controls: bool = False,
    device: str = "auto",
    workers: int | None = None,
    quiet: bool = False,
    prepare: Callable | None = None,
    until: str | None = None,
    redo: str | None = None,
    changes: Sequence[str] = (),
) -> dict:
    """Runs a Recipe into the folder `out` and returns what results.json holds.
    Raises MinidsError for what a user can mend.

    seed        decides, with the recipe and the number of processes, every number but clocks
    resume      skip what an earlier run in this folder has finished, and go on
    prepare     called first in every process; it may put other functions into the library (`--mine`), and what it
                returns is kept in results.json as `mine`
    controls    also the two classic ones, "direct" and "random_reward"
    until       the last stage to run; --resume goes on with the next
    redo        discard this stage of an earlier run and those after it, and run them again; the sections of the recipe
                that they alone read may differ from what they were
    changes     the "section.key=value" that made the recipe from the one that was named; kept in recipe.json
    """
    need(recipe, Recipe, "run: recipe", "a Recipe, as minids.run.recipes.load('tiny') gives one")
    device = pick_device(device)
    workers = workers or parallel.choose_workers(device)
    if workers > 1 and device != "cpu":
        raise MinidsError(f"--workers {workers}: several processes are for the CPU; use 1 with --device {device}.")
    out = Path(out)
    asked = {"recipe": recipe.to_dict(), "seed": seed, "workers": workers, "device": device, "mine": bool(prepare)}
    plan = [*recipe.first, *recipe.plan]
    for option, stage in (("--until", until), ("--redo", redo)):
        if stage is not None and stage not in plan:
            raise MinidsError(f"{option} {stage}: recipe {recipe.name} has no such stage; there are {', '.join(plan)}.")
    evaluation = recipe.evaluation
    wanted = [*recipe.controls, *(control_stages.CLASSIC if controls else ())]
    if recipe.origin:
        _check_origin(recipe, out, [*recipe.plan, *wanted], changes)
    stages_start.check_problems(recipe)
    registry.assert_disjoint(recipe.families, min(100, evaluation.problems), evaluation.seed)
    with run_folder.locked(out):
        run_folder.prepare_run_folder(out, asked, resume, plan, redo, changes)
        sums = Sums(out)
        if redo:
            sums.check("results.json")
            run_folder.discard_stages(out, asked, plan[: plan.index(redo)], sums, changes)
        sums.check()
        metrics.read(out / "metrics.jsonl")  # a line that was changed is noticed before anything is computed
        if until:
            plan = plan[: plan.index(until) + 1]
        else:
            plan += dict.fromkeys(wanted)
        return parallel.run(_run, workers, recipe, str(out), seed, plan, device, quiet, prepare)


def _check_origin(recipe, out, names, changes):
    """Refuses a run from a model that is there where the model or what is asked for does not do."""
    for change in changes:
        section = change.partition("=")[0].strip().partition(".")[0]
        if section in stages_start.UNREAD:
            raise MinidsError(
                f"--set {change}: with --from the model is the one that is there, and [{section}] is not read. "
                "Leave it out."
            )
    if not (out / "base" / "config.json").exists():  # later the origin is not needed
        stages_start.check(recipe, [STAGES[name] for name in names])


def _run(rank, world, recipe, out, seed, plan, device, quiet, prepare):
    mine = prepare() if prepare else None
    job = Job(rank, world, recipe, out, seed, device, quiet)
    if mine:
        job.results["mine"] = mine
    for name in plan:
        job.run(STAGES[name])
    if rank == 0:
        run_report.write(job.out)
    return job.results
