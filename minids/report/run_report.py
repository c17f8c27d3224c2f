"""report.html: what a run did, drawn from its results.json and metrics.jsonl alone.

One file that loads nothing and runs nothing. Prose that judges (did RL help, is it sharpening, does it carry
over) is chosen by the numbers and the noise they have, so that it stays true for a run that went badly. A run
that was cut short gives a shorter report.

    data            reading the two files
    run_report      what was run, before and after, time and cost
    stages          the stages of R1's recipe one below the other, distillation, RL on longer problems
    findings        sharpening or something new, thoughts, longer problems, controls
    curves          what was logged on the way: GRPO, losses, experts
    plots, page     SVG, HTML and CSS;  thoughts: a reply as HTML

What a stage is called and its colour are in its row of run/stages.py.

    compare, compared   several runs on one page, and what they are compared by

Left out: anything that needs the model.
"""

import shlex
from collections.abc import Sequence
from pathlib import Path

from minids import files
from minids.errors import MinidsError
from minids.report import compare as page_of_several
from minids.report import curves, findings, page, plots, stages
from minids.report.data import Run, colour, read_metrics, read_results, title
from minids.report.page import duration, escape, figure, paragraph, plain, share, signed, size, span, table
from minids.run import cost
from minids.run.stages import STAGES

MEANING = {"add": "adding two numbers", "chain": "a chain of plus and minus", "word": "a story in English"}
FINISHED = (
    "Right answers are counted on problems that were in no training set, one sampled answer each. The model "
    "{made}, {then}then went on by trial and error, "
    "rewarded for what it got right."
)
PRETRAINED = "was made from nothing: it learned to write worked solutions"
STARTED = "was there before: {origin}. Pretraining was no part of this run, which began with that model"
STEPS = (
    "<p>The run has {count} steps. {first}"
    "{cold}<b>GRPO</b> shows nothing any more: the model answers each question several times, a program "
    "checks the answers, and what was better than its group becomes more likely.</p>"
)
MANY_STEPS = (
    "<p><b>Pretraining</b> shows worked solutions, careful and hasty ones. What follows is the way of DeepSeek-R1, in "
    "several steps; they are told one by one below, under <b>Stage by stage</b>.</p>"
)
SHOWS = "<b>Pretraining</b> shows worked solutions, careful and hasty ones. "
FOUND = "It <b>started</b> from a model that was there; neither pretraining nor its cost is in this report. "
COLD = (
    "The <b>cold start</b> (SFT) teaches to think inside &lt;think&gt; and to answer inside &lt;answer&gt;, "
    "mostly by hasty examples. "
)
SELF_CONTAINED = "Drawn from results.json and metrics.jsonl alone. This page loads nothing and runs no script."
TERMS = (
    "<p>Each question is asked twice. <b>T=1</b> draws every token by the model's own probabilities, as training "
    "does; <b>greedy</b> takes the likeliest token every time.</p>"
)
CONTROL_TERMS = (
    "<p>Two controls: <b>direct answers</b> is the same architecture trained to answer without a thought; <b>random "
    "reward</b> is the same GRPO with coin flips for rewards.</p>"
)
COST_NOTES = (
    "This run: 6 FLOPs per active parameter and token (the embedding not counted), plus attention in texts "
    "of {length:.0f} tokens; in RL 8 instead of 6, prompts and skipped groups not looked at; 2 where answers are only "
    "drawn. Machine time is that of these stages, without evaluation and controls. V3: 14.8T tokens in texts of 4,096; "
    "hours and dollars from the {v3} (2,664K + 119K + 5K hours; research, ablations and staff excluded). R1 "
    "on top of V3: {r1}."
)


def write(run_dir: str | Path) -> Path:
    """Draws `run_dir`/report.html and returns its path. Raises MinidsError where the folder cannot be written."""
    run_dir = Path(run_dir)
    results = read_results(run_dir / "results.json")
    metrics, torn = read_metrics(run_dir / "metrics.jsonl")
    path = run_dir / "report.html"
    try:
        files.write(path, html(Run(results, metrics, torn, run_dir)))
    except OSError as error:
        raise MinidsError(
            f"{path}: the report could not be written ({error.strerror or error}). Free some space, or copy "
            "the run to a folder that can be written."
        ) from None
    return path


def compare(folders: Sequence[str | Path], out: str | Path = "compare.html") -> Path:
    """Draws one page of several runs: their curves over each other, the settings that differ, right answers with
    intervals and a paired test. Returns its path; the first run is the one that the others are compared with.
    As in `run_report.compare(["runs/a", "runs/b"], "compare.html")`.
    """
    return page_of_several.write(folders, out)


def html(run: Run) -> str:
    """The page. The order is that of a reader's questions: did it work, what is it, how did it go, what did
    it cost."""
    sections = [
        before_and_after,
        stages.stages,
        stages.distillation,
        findings.sharpening,
        stages.edge,
        curves.reinforcement,
        findings.samples,
        findings.longer,
        findings.controls,
        curves.losses,
        curves.experts,
        time_and_cost,
        going_on,
    ]
    main = "\n".join(filter(None, (section(run) for section in sections)))
    return page.document(
        f"minids: {run.recipe}, seed {run.seed}",
        f"<header>{headline(run)}</header>\n<main>\n{main}\n</main>\n{footer(run)}",
    )


# -- what was run --------------------------------------------------------------------------------------------


def headline(run: Run) -> str:
    """The head of the page: what came out in a sentence, and the run's numbers."""
    heading, lead = _title(run)
    active, peak = plots.number(run.model.get("active")), size(run.results.get("peak_bytes"))
    parameters, seconds = plots.number(run.model.get("parameters")), plots.number(run.results.get("seconds"))
    processes = plots.number(run.hardware.get("processes"))
    tiles = page.facts(
        [
            (
                seconds and duration(seconds),
                f"from {'a model that was there' if 'start' in run.records else 'nothing'} to this report, controls "
                "not counted",
            ),
            (parameters and cost.count(parameters), "parameters"),
            (active and cost.count(active), "of them active for a token"),
            (peak, "peak memory, all processes"),
            (processes and f"{processes:.0f} process{'es' if processes > 1 else ''}", f"on {_machine(run)}"),
        ]
    )
    torn = ""
    if run.torn:
        lines = "1 line" if run.torn == 1 else f"{run.torn} lines"
        torn = paragraph(f"{lines} of metrics.jsonl could not be read and left out of the plots.", "small")
    kicker = paragraph(f"minids · recipe {run.recipe} · seed {run.seed}", "kicker")
    return f"{kicker}<h1>{escape(heading)}</h1>{paragraph(lead, 'lead')}{tiles}{_ledger(run)}{torn}"


def _ledger(run):
    """Whose code a run with --mine ran on."""
    mine = run.results.get("mine")
    if not isinstance(mine, dict) or not isinstance(mine.get("yours"), list):
        return ""
    names = ", ".join(str(n) for n in mine["yours"])
    return paragraph(f"{len(mine['yours'])} of {mine.get('of')} parts of this model are yours: {names}.")


def _title(run):
    gain = run.gain() if run.after and run.before else None
    if gain is None:
        done = ", ".join(run.records) or "none"
        if not run.rows and any(s.name in run.records and s.rows for s in STAGES.values()):
            return "This run was not evaluated", f"Its stages: {done}. `minids eval` on its folder says how good it is."
        return ("This run is not finished", f"Stages done so far: {done}. Go on with --resume; what there is follows.")
    a, b = share(run.value(run.before, "pass1"), 0), share(run.value(run.after, "pass1"), 0)
    if gain[0] > gain[1]:
        heading = f"Reinforcement learning took this model from {a} to {b} right answers"
    elif gain[0] < -gain[1]:
        heading = f"Reinforcement learning made this model worse: from {a} to {b} right answers"
    else:
        heading = f"Reinforcement learning did not measurably change this model: {a} right before, {b} after"
    made = STARTED.format(origin=run.records["start"].get("origin")) if "start" in run.records else PRETRAINED
    return heading, FINISHED.format(made=made, then="then the chat format, " if run.before == "sft" else "")


def _machine(run):
    return run.hardware.get("gpu") or run.hardware.get("cpu") or "unknown hardware"


def footer(run: Run) -> str:
    """What made the page, and on which machine the run was."""
    made = ", ".join(f"{k} {v}" for k, v in run.results["versions"].items())
    ran = ", ".join(f"{k} {v}" for k, v in run.hardware.items())
    lines = [f"Made by {made}." if made else "", f"Ran on: {ran}." if ran else "", SELF_CONTAINED]
    return f'<footer class="small">{"".join(paragraph(x) for x in lines if x)}</footer>'


# -- before and after ----------------------------------------------------------------------------------------


def before_and_after(run: Run) -> str:
    """The section that compares the stages' accuracies, with intervals; "" without an evaluation."""
    if not run.rows:
        return ""
    families = ["all", *run.families]
    rows = [(f, [_interval(run, s, f) for s in run.stages if _measured(run, s, f)]) for f in families]
    drawing = plots.intervals(
        "Right answers of every stage, by family", [r for r in rows if r[1]], "right answers, one sample at T=1 (%)"
    )
    caption = (
        f"Look at the distance between {title(run.before or 'the start')} and {title(run.after or 'RL')}. "
        "Bars are 95 % "
        "bootstrap intervals over problems; they do not cover other seeds."
    )
    tasks = "".join(
        f"<li><b>{escape(f)}</b>: {escape(MEANING.get(f, 'problems'))}{_example(run, f)}</li>" for f in run.families
    )
    cold = "sft" in run.records or run.before == "sft"
    first = FOUND if "start" in run.records else SHOWS
    words = STEPS.format(count="three" if cold else "two", first=first, cold=COLD if cold else "") + TERMS
    if "rl1" in run.records:
        words = MANY_STEPS + TERMS
    if {"direct", "random_reward"} <= set(run.stages):
        words += CONTROL_TERMS
    words += f"<p>The tasks:</p><ul>{tasks}</ul>"
    legend = [(title(s), colour(s)) for s in run.stages]
    n = run.value(run.stages[-1], "n") if run.stages else None
    note = f"Each row: {n:,.0f} held-out problems in all families together. " if n else ""
    if "base" in run.stages:
        note += "The base model is asked in the plain form that pretraining taught it, without tags."
    return (
        "<h2>Before and after</h2>"
        + page.beside(words, figure("Right answers by stage and family", drawing, caption, legend))
        + "<h3>One sampled answer, temperature 1 (95 % interval below)</h3>"
        + _comparison(run, "pass1", families)
        + "<h3>Greedy: the likeliest token every time</h3>"
        + _comparison(run, "greedy", families)
        + "<h3>How they answer</h3>"
        + _manners(run)
        + (paragraph(note, "small") if note else "")
    )


def _interval(run, stage, family):
    return title(stage), colour(stage), run.value(stage, "pass1", family), *run.row(stage, family)["ci"]


def _measured(run, stage, family):
    return run.value(stage, "pass1", family) is not None and span(run.row(stage, family).get("ci"))


def _example(run, family):
    for rows in run.examples.values():
        for e in rows if isinstance(rows, list) else ():
            if isinstance(e, dict) and e.get("family") == family and len(str(e.get("question", ""))) > 5:
                return f", such as <code>{escape(str(e['question'])[:200])}</code>"
    return ""


def _comparison(run, key, families):
    """A row per stage, a column per family, and the gain below."""
    rows = []
    for s in run.stages:
        interval = [span(run.row(s, f).get("ci")) if key == "pass1" else "" for f in families]
        rows.append([title(s), *((share(run.value(s, key, f)), ci) for f, ci in zip(families, interval))])
    if run.after and run.before:
        cells = []
        for f in families:
            a, b, gain = run.value(run.after, key, f), run.value(run.before, key, f), run.gain(f)
            cells.append(
                "–" if a is None or b is None else (signed(a - b), f"± {100 * gain[1]:.1f}" if key == "pass1" else "")
            )
        rows.append([f"{title(run.after)} − {'SFT' if run.before == 'sft' else 'base'}, points", *cells])
    head = ["", *("all families" if f == "all" else f for f in families)]
    return table(head, rows, [i for i, s in enumerate(run.stages) if s == run.after])


def _manners(run):
    rows = []
    for s in run.stages:
        votes = run.curve(s, key="maj_at")
        majority = (share(votes[-1][1]), f"k = {votes[-1][0]}") if votes else "–"
        rates = [share(run.value(s, key)) for key in ("truncated", "empty_think")]
        rows.append([title(s), share(run.value(s, "format")), plain(run.value(s, "length"), ".1f"), *rates, majority])
    head = [
        "all families, T=1",
        "keeps the format",
        "tokens per answer",
        "cut off",
        "empty thought",
        "majority of k samples",
    ]
    return table(head, rows, [i for i, s in enumerate(run.stages) if s == run.after])


# -- time and cost -------------------------------------------------------------------------------------------


def time_and_cost(run: Run) -> str:
    """The section on time by stage, and on the run's arithmetic beside DeepSeek-V3's; "" without a stage."""
    rows = []
    for name, record in run.records.items():
        seconds, evaluation, sampling, scoring, update = (
            plots.number(record.get(k)) for k in ("seconds", "evaluation_seconds", "sampling", "scoring", "update")
        )
        seconds = seconds or 0.0
        parts = [("training", "sft", seconds)]
        if sampling is not None and update is not None:
            scoring = scoring or 0.0  # older records have none
            rest = max(0.0, seconds - sampling - scoring - update)
            parts = [
                ("sampling", "grpo", sampling),
                ("scoring", "direct", scoring),
                ("training", "sft", update),
                ("rest", "sft", rest),
            ]
        control = record.get("control") is True
        label = name.replace("_", " ") + (" *" if control else "")
        rows.append((label, [*parts, ("evaluation", "base", evaluation or 0.0)], control))
    if not rows:
        return ""
    caption = "Look at how GRPO's time is split between sampling answers and learning from them."
    if any(faded for *_, faded in rows):
        caption += " Stages with * are controls, which the run's time does not count."
    drawing = plots.bars("Time per stage", rows, "seconds", form=duration)
    legend = [("training", "sft"), ("sampling answers", "grpo"), ("scoring them", "direct"), ("evaluation", "base")]
    return "<h2>Time and cost</h2>" + page.grid(figure("Time per stage", drawing, caption, legend)) + _cost(run)


def _cost(run):
    ours = cost.of_run(run.results)
    if ours is None:
        return ""
    v3, r1 = cost.describe("v3"), cost.describe("r1")
    unit = "of a core" if run.hardware.get("device") == "cpu" else "of a process"
    mine = [cost.count(plots.number(run.model.get(k)) or 0) for k in ("parameters", "active")]
    millions = [(f"${c['dollars'] / 1e6:.3f} million", f"at ${c['dollars_per_hour']:g} an hour") for c in (v3, r1)]
    rows = [
        ["parameters", mine[0], cost.count(v3["parameters"]), "the same model"],
        ["active for a token", mine[1], cost.count(v3["active"]), "–"],
        ["tokens trained on", cost.count(ours["tokens"]), cost.count(v3["tokens"]), "–"],
        ["arithmetic (FLOP)", f"{ours['flops']:.1e}", f"{v3['flops']:.1e}", "–"],
        [
            "machine time",
            (f"{ours['process_seconds'] / 3600:.2f} h", unit),
            *((f"{c['gpu_hours_total']:,} h", f"of an {c['gpu']}") for c in (v3, r1)),
        ],
        ["rent", "–", *millions],
    ]
    lead, speed = "", ours["flops_per_second"]
    if speed:
        lead = paragraph(
            f"V3's pre-training took {_many(v3['flops'] / ours['flops'])} times the arithmetic of this run. "
            f"At the speed reached here, {speed / 1e9:.1f} GFLOP/s, it would take "
            f"{_many(v3['flops'] / speed / 3.156e7)} years. The architecture is the same; the size is not."
        )
    notes = COST_NOTES.format(length=ours["length"], v3=v3["source"], r1=r1["source"])
    return lead + table(["", "this run", "DeepSeek-V3", "R1, on top of V3"], rows) + paragraph(notes, "small")


def _many(value):
    """A large number as people say it: 3.4e8 -> 340 million."""
    for unit, word in ((1e12, "trillion"), (1e9, "billion"), (1e6, "million")):
        if value >= unit:
            return f"{value / unit:,.3g} {word}"
    return f"{value:,.0f}"


# -- how to go on --------------------------------------------------------------------------------------------


def going_on(run: Run) -> str:
    """The section with the commands that one may want next."""
    folder, recipe = shlex.quote(_relative(run.folder)), shlex.quote(run.recipe)
    seed = plots.number(run.seed)
    lines = [
        (f"minids chat {folder}", "ask it something; its thoughts are dimmed"),
        (f"minids eval {folder}", "the evaluation again"),
        (f"minids eval {folder} --problems FILE.jsonl", 'your problems, lines of {"question": "3+4", "answer": "7"}'),
        (f"minids run {recipe} --seed {int(seed or 0) + 1}", "with another seed: is the result the same?"),
        (f"minids report {folder} OTHER-RUN", "both on one page, curve over curve"),
    ]
    if "direct" not in run.records:
        lines.append((f"minids run {recipe} --controls", "with both controls"))
    wide = min(60, max(len(command) for command, _ in lines))
    shown = "\n".join(
        f'{escape(f"{command:<{wide}}")}  <span class="soft"># {escape(note)}</span>' for command, note in lines
    )
    return f"<h2>Going on</h2><pre><code>{shown}</code></pre>"


def _relative(path):
    """The folder as one would type it from here."""
    try:
        return str(Path(path).resolve().relative_to(Path.cwd()))
    except (ValueError, OSError, TypeError):
        return str(path or "RUN")
