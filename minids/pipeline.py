"""The main job, on one page: tokenizer -> pretraining -> cold-start SFT -> GRPO -> evaluation -> report.

    problems -> text -> token ids -> hidden states -> logits -> samples -> rewards -> gradients -> checkpoint -> report

Another recipe may name other stages (`stages = [...]`): those of DeepSeek-R1's whole way are in r1.py. What a stage
stands on, its folder, processes and records, is in job.py.

Everything a run does depends on (recipe, seed, number of processes) alone. Each stage ends by writing its model and its
record into the run's folder; `--resume` skips finished stages and goes on inside the one that was cut off.

    <run>/recipe.json        what was asked for             metrics.jsonl    a line every few steps, all stages
    <run>/tokenizer/         tokenizer.json                 results.json     stages, evaluations, hardware, seconds
    <run>/base|sft|model/    the model after each stage (`model` is the last; Hugging Face layout, tokenizer beside it)
    <run>/checkpoints/       what --resume needs             report.html     drawn from metrics.jsonl and results.json
    <run>/.checksums.json    of what a resumed run reads     .lock           held by the process that runs here
"""

import json
import shutil
from pathlib import Path

import torch

from minids import files
from minids.errors import MinidsError
from minids.report import run_report
from minids.run import recipes, run_folder, stages_edge, stages_r1
from minids.run.job import EVALUATED, Job, read_json
from minids.run.results import whole
from minids.tasks import documents, registry
from minids.text.tokenizer import Tokenizer
from minids.train import metrics, parallel


def run(
    recipe,
    out,
    *,
    seed=0,
    resume=False,
    controls=False,
    device="auto",
    workers=None,
    quiet=False,
    prepare=None,
    until=None,
    redo=None,
):
    """Runs a Recipe into the folder `out` and returns what results.json holds.
    Raises MinidsError for what a user can mend.

    prepare     called first in every process; it may put other functions into the library (`--mine`), and what it
                returns is kept in results.json as `mine`
    controls    also the two classic ones, "direct" and "random_reward"
    until       the last stage to run; --resume goes on with the next
    redo        forget this stage of an earlier run and those after it, and run them again; the sections of the recipe
                that they alone read may differ from what they were
    """
    device = pick_device(device)
    workers = workers or parallel.choose_workers(device)
    if workers > 1 and device != "cpu":
        raise MinidsError(f"--workers {workers}: several processes are for the CPU; use 1 with --device {device}.")
    out = Path(out)
    asked = {"recipe": recipe.to_dict(), "seed": seed, "workers": workers, "device": device, "mine": bool(prepare)}
    plan = ["tokenizer", "pretrain", *recipe.plan]
    for option, stage in (("--until", until), ("--redo", redo)):
        if stage is not None and stage not in plan:
            raise MinidsError(f"{option} {stage}: recipe {recipe.name} has no such stage; there are {', '.join(plan)}.")
    tests = min(100, recipe.eval.get("problems", 1000))
    registry.assert_disjoint(recipe.families, tests, recipe.eval.get("seed", 0))
    with run_folder.locked(out):
        _claim(out, asked, resume, plan, redo)
        sums = run_folder.Sums(out)
        if redo:
            sums.check("results.json")
            _forget(out, asked, plan[plan.index(redo) :], sums)
        sums.check()
        metrics.read(out / "metrics.jsonl")  # a line that was changed is noticed before anything is computed
        if until:
            plan = plan[: plan.index(until) + 1]
        extra = [] if until else list(dict.fromkeys([*recipe.controls, *("direct", "random_reward") * bool(controls)]))
        return parallel.run(_run, workers, recipe, str(out), seed, plan, extra, device, quiet, prepare)


def _run(rank, world, recipe, out, seed, plan, controls, device, quiet, prepare):
    mine = prepare() if prepare else None
    job = Job(rank, world, recipe, out, seed, device, quiet)
    if mine:
        job.results["mine"] = mine
    for name in plan:
        job.stage(name, STAGES[name])
    for name in controls:
        job.stage(name, CONTROLS[name], control=True)
    if rank == 0:
        run_report.write(job.out)
    return job.results


# -- the stages --------------------------------------------------------------------------------------------------------


def make_tokenizer(job):
    """Problems become text; the text becomes merges; merges turn it into ids."""
    r, folder = job.recipe, job.out / "tokenizer"
    if job.rank == 0:
        p = r.pretrain
        parts = list(
            documents.pretraining_parts(
                r.families, p["documents"], mix=p["styles"], fact_share=p.get("fact_share", 0.0), seed=job.seed
            )
        )
        texts = documents.pretraining_texts(parts[: r.tokenizer["documents"]])
        tokenizer = Tokenizer.train(texts, r.tokenizer["vocab_size"], digits=r.tokenizer.get("digits", "triples"))
        job.sums.forget(lambda file, _: file.startswith("tokenizer/"))
        tokenizer.save_pretrained(folder)
        job.sums.note(folder, "tokenizer")
        job.keep_corpus(documents.pretraining_documents(tokenizer, parts, quiet=job.quiet))
    job.comm.barrier()
    docs = job.corpus()
    return {"vocab_size": len(job.tokenizer), "documents": len(docs), "tokens": len(docs.ids)}


def pretrain(job):
    """The base model: plain worked solutions in every style, and lines of single-digit facts."""
    model = job.new_model()
    p = {"prompt_weight": 1.0, **job.recipe.pretrain}
    record = job.train(model, job.source(job.corpus(), p, job.seed), "pretrain", p)
    job.keep(model, "base", "plain")
    job.evaluate(model, "base", style="plain")
    return record


def sft(job):
    """The cold start: the chat template, few long thoughts among many hasty ones."""
    model = job.load("base")
    p = job.recipe.sft
    docs = documents.chat_documents(
        job.tokenizer,
        p.get("families", job.recipe.families),
        p["documents"],
        mix=p["styles"],
        seed=job.seed,
        mixed=p.get("mixed"),
    )
    record = job.train(model, job.source(docs, p, job.seed + 1), "sft", p)
    job.keep(model, "sft")
    job.evaluate(model, "sft")
    return record


def grpo(job):
    """Reinforcement learning from checked answers."""
    model, style = start_of_rl(job)
    record = job.reinforce(model, "grpo")
    job.keep(model, "model", style)
    job.evaluate(model, "grpo", style=style, beyond=True)
    return record


def start_of_rl(job):
    """The model that GRPO starts from, and the style in which it answers."""
    return job.load("sft" if "sft" in job.recipe.plan else "base"), job.recipe.grpo.get("style", "tags")


# -- controls: what the result is compared with ------------------------------------------------------------------------


def direct(job):
    """The same architecture and as many training tokens, but it answers without a thought."""
    r, p = job.recipe, job.recipe.pretrain
    model = job.new_model()
    count = r.direct.get("documents", 2 * p["documents"])
    docs = documents.chat_documents(job.tokenizer, r.families, count, mix={"none": 1.0}, seed=job.seed)
    settings = {**p, **r.direct, "prompt_weight": p.get("prompt_weight", 1.0)}
    steps = p["steps"] + (r.sft["steps"] if "sft" in r.plan else 0)
    record = job.train(model, job.source(docs, settings, job.seed), "direct", {**p, "steps": steps})
    job.keep(model, "direct", "direct")
    job.evaluate(model, "direct", style="direct", full=False)
    return record


def more_sft(job):
    """More supervised steps instead of RL, for the same arithmetic: 6 FLOPs a token of training stand against RL's 8
    (2 to sample it, 6 to learn from it)."""
    p, model = job.recipe.sft, job.load("sft")
    sampled = next(s["tokens"] for s in job.results["stages"] if job.recipe.kind(s["name"]) == "grpo")
    docs = documents.chat_documents(
        job.tokenizer,
        p.get("families", job.recipe.families),
        p["documents"],
        mix=p["styles"],
        seed=job.seed + 1009,
        mixed=p.get("mixed"),
    )
    source = job.source(docs, p, job.seed + 2)
    seen = sum(int(b.valid_BT.sum()) for step in range(50) for b in source(step))
    useful = sum(job.comm.gather(seen)) / 50  # of all processes, so that each takes as many steps
    steps = max(1, round(sampled * 8 / 6 / useful))
    record = job.train(model, source, "more_sft", {**p, "steps": steps})
    job.keep(model, "more_sft")
    job.evaluate(model, "more_sft", full=False)
    return record


# What the RL stage is given instead, at the same number of samples
INSTEAD = {
    "random_reward": {"random_reward": True},  # coin flips: what it gains was not learned from the answers
    "wrong_sign": {"reward": {"accuracy": -1.0, "format": 0.1}},  # wrong answers pay: RL must be able to unlearn
    # right answers are imitated, wrong ones thrown away, batch by batch: no baseline, nothing to move away from
    "expert_iteration": {
        "baseline": "none",
        "scale": "none",
        "clip": "none",
        "skip_zero_variance": False,
        "reward": {"accuracy": 1.0, "format": 0.0},
    },
}


def _instead(name):
    def control(job):
        model, style = start_of_rl(job)
        section = job.recipe.section("rl1" if "rl1" in job.recipe.plan else "grpo")
        record = job.reinforce(model, name, section, **INSTEAD[name])
        job.keep(model, name, style)
        job.evaluate(model, name, style=style, full=False)
        return record

    return control


STAGES = {
    "tokenizer": make_tokenizer,
    "pretrain": pretrain,
    "sft": sft,
    "grpo": grpo,
    **stages_r1.STAGES,
    **stages_edge.STAGES,
}
CONTROLS = {"direct": direct, "more_sft": more_sft, **{name: _instead(name) for name in INSTEAD}}


# -- the folder of a run -----------------------------------------------------------------------------------------------


def pick_device(name):
    """ "auto" -> "cuda", "mps" or "cpu", whichever is there in this order; others are checked."""
    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if name == "auto":
        return "cuda" if there["cuda"] else "cpu"  # a model this small runs faster on two CPU cores than on mps
    if name not in there:
        raise MinidsError(f"--device {name}: use auto, {', '.join(there)}.")
    if not there[name]:
        raise MinidsError(f"--device {name}: torch finds no such device here. Use --device cpu, or auto.")
    return name


def _claim(out, asked, resume, plan, redo):
    """Makes the folder and remembers what was asked for, or checks that a resumed run asks for the same."""
    path = out / "recipe.json"
    if not path.exists():
        _write_json(path, asked)
        return
    if not resume and not redo:
        raise MinidsError(f"{out} already holds a run. Go on with it by --resume, or choose another folder with --out.")
    before = {"mine": False, **read_json(path)}
    changed = [k for k in asked if before.get(k) != asked[k]]
    if redo and changed == ["recipe"]:
        redone = plan[plan.index(redo) :]
        fixed = _sections_read([s for s in plan if s not in redone], asked["recipe"], before["recipe"])
        changed = [f"[{k}], which a stage before {redo!r} reads, is another" for k in fixed]
    if changed:
        shown = [c if "[" in c else f"{c} was {before.get(c)!r}, is {asked[c]!r}" for c in changed if c != "recipe"]
        raise MinidsError(
            f"{out} can not be resumed with other settings: {'; '.join(shown) or 'the recipe is another'}. "
            "Set them back, or choose another folder with --out."
        )


def _sections_read(kept, recipe, before):
    """The sections that differ between two recipes and are read by stages that are to be kept."""
    also = {"tokenizer": ["families", "pretrain"], "pretrain": ["model"], "small_pretrain": ["small"]}
    read = {"eval", "start"}
    for stage in kept:
        read |= {stage, *also.get(stage, ())}
        while stage in recipes.BELOW:
            stage = recipes.BELOW[stage]
            read.add(stage)
    return [k for k in sorted(read) if recipe.get(k) != before.get(k)]


def _forget(out, asked, redone, sums):
    """Takes the records and checkpoints of stages (and of all controls) out of a run, so that they are run again."""
    results = whole(read_json(out / "results.json"), out / "results.json")
    gone = {*redone, *CONTROLS}
    rows = {EVALUATED.get(name, name) for name in gone}
    results["stages"] = [s for s in results["stages"] if s["name"] not in gone]
    for key in ("evals", "beyond"):
        results[key] = [row for row in results[key] if row["stage"] not in rows]
    results["examples"] = {k: v for k, v in results["examples"].items() if k not in rows}
    for name in gone:
        shutil.rmtree(out / "checkpoints" / name, ignore_errors=True)
    sums.forget(lambda _, stage: stage in gone)
    sums.write("results.json", json.dumps(results, indent=1) + "\n")
    _write_json(out / "recipe.json", asked)


def _write_json(path, values):
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        files.write(path, json.dumps(values, indent=1) + "\n")
    except OSError as error:
        raise MinidsError(
            f"{path.parent}: can not be written ({error.strerror or error}). Choose another folder with --out."
        ) from None
