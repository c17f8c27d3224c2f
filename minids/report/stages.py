"""The stages of R1's recipe one below the other, as its paper shows Dev1 to Dev3; distillation; RL at the edge.

Each function takes a `report.data.Run` and returns a section of HTML, "" where the run holds nothing for it.
"""

from minids.report import page, plots
from minids.report.data import Run, title
from minids.report.page import duration, escape, figure, paragraph, share, signed, table
from minids.run.stages import STAGES, by_models

INTRO = (
    "The way of DeepSeek-R1 (arXiv 2501.12948 §2.3): a row per stage. One script: the share of words in the thoughts "
    "that are in Latin letters. Cost is the time of the stage itself, without its evaluation."
)
SMALL = (
    "A dense model of {small} parameters, {share} of the large one's, from the same pretraining documents. It learned "
    "either from {answers} answers of the final model, of which {kept} were kept, or by RL alone from about as many "
    "answers of its own ({own}). R1's paper found the first better (arXiv 2501.12948 §4.1)."
)


def stages(run: Run) -> str:
    """A row per stage of R1's recipe; nothing for other recipes."""
    if "rl1" not in run.records:
        return ""
    families, rows, marked = run.families, [], []
    shown = [s for s in STAGES.values() if s.name in run.records and _on_the_way(s)]
    for stage in shown:
        if stage.rows and stage.rows == run.after:
            marked.append(len(rows))
        seconds = plots.number(run.records[stage.name].get("seconds"))
        cells = (
            [
                (share(run.value(stage.rows, "pass1", f)), f"greedy {share(run.value(stage.rows, 'greedy', f))}")
                for f in ("all", *families)
            ]
            if run.row(stage.rows)
            else ["–"] * (1 + len(families))
        )
        length = run.value(stage.rows, "length")
        rows.append(
            [
                stage.title,
                *cells,
                share(run.value(stage.rows, "language")),
                "–" if length is None else f"{length:.0f}",
                "–" if seconds is None else duration(seconds),
            ]
        )
    head = ["stage", "all families", *families, "one script", "tokens per answer", "cost"]
    names = "".join(f"<li><b>{escape(s.title)}</b>: {escape(s.about)}</li>" for s in shown if s.about)
    return f"<h2>Stage by stage</h2>{paragraph(INTRO)}<ul>{names}</ul>{table(head, rows, marked)}{_judged(run)}"


def _on_the_way(stage):
    """Whether a stage leads to the final model, or goes on from it."""
    return stage.passes and not stage.control and not stage.small and stage.name != "teacher"


def _judged(run):
    """A sentence for each stage that did not pay, by the numbers."""
    out, way = [], [s.rows for s in STAGES.values() if s.name != "pretrain" and _on_the_way(s) and run.row(s.rows)]
    for before, after in zip(way, way[1:]):
        for f in run.families:
            a, b = run.row(before, f), run.row(after, f)
            if not a or not b:
                continue
            change = b["pass1"] - a["pass1"]
            if change < -_noise(a, b):
                out.append(f"{title(after)} lost {signed(-change).lstrip('+')} points of {f} against {title(before)}.")
    if not out:
        return ""
    return paragraph("Where a stage did not pay here: " + " ".join(out))


def _noise(a, b):
    halves = [(row["ci"][1] - row["ci"][0]) / 2 for row in (a, b)]
    return (halves[0] ** 2 + halves[1] ** 2) ** 0.5


def distillation(run: Run) -> str:
    """The small models side by side, and a sentence that judges by the numbers."""
    rows, families = [], run.families
    small_stages = [s for s in STAGES.values() if s.small and run.row(s.rows)]
    for stage in small_stages:
        cells = [
            (share(run.value(stage.rows, "pass1", f)), f"greedy {share(run.value(stage.rows, 'greedy', f))}")
            for f in ("all", *families)
        ]
        seconds = plots.number(run.records.get(stage.name, {}).get("seconds"))
        rows.append([stage.title, *cells, duration(seconds or 0)])
    if len(rows) < 2:
        return ""
    teacher, rl = run.records.get("teacher", {}), run.value("small_rl", "pass1")
    lines = run.lines.get("small_rl", [])
    small, large = run.results.get("small") or {}, run.model
    intro = SMALL.format(
        small=f"{plots.number(small.get('parameters')) or 0:,.0f}",
        share=share((plots.number(small.get("parameters")) or 0) / (plots.number(large.get("parameters")) or 1)),
        answers=f"{teacher.get('answers', 0):,}",
        kept=f"{teacher.get('kept', 0):,}",
        own=f"{sum(plots.number(line.get('answers')) or 0 for line in lines):,.0f}",
    )
    verdict = ""
    distilled = [s.rows for s in small_stages if "teacher" in s.needs]
    best = max(distilled, key=lambda s: run.value(s, "pass1"), default=None)
    if best and rl is not None:
        gap, noise = run.value(best, "pass1") - rl, _noise(run.row(best), run.row("small_rl"))
        if gap > noise:
            word = "so here, too, distillation beats RL on the small model itself"
        elif gap < -noise:
            word = "so here RL on the small model itself beats distillation"
        else:
            word = "which is no difference beyond the intervals"
        verdict = (
            f"{title(best).capitalize()} is right {share(run.value(best, 'pass1'))} of the time, RL alone "
            f"{share(rl)}: {word}."
        )
    head = ["", "all families", *families, "cost"]
    return (
        "<h2>A small model: told, or left to try</h2>"
        + paragraph(intro)
        + table(head, rows)
        + (f'<div class="verdict">{escape(verdict)}</div>' if verdict else "")
    )


def edge(run: Run) -> str:
    """pass@k on problems longer than any of pretraining, and what became of those that the base model never solved."""
    rows = {}
    for row in run.results.get("edge") or []:
        if isinstance(row, dict) and isinstance(row.get("right"), list) and isinstance(row.get("pass_at"), dict):
            rows.setdefault((str(row.get("family")), row.get("size")), {})[row.get("stage")] = row
    drawings, said = [], []
    for (family, size), of in rows.items():
        models = by_models(of)
        series = [
            {
                "name": stage.title,
                "color": stage.colour,
                "dots": True,
                "points": [(int(k), v[0]) for k, v in of[stage.model]["pass_at"].items()],
                "spread": [(int(k), *v[1:]) for k, v in of[stage.model]["pass_at"].items()],
            }
            for stage in models
        ]
        legend = [(s.title, s.colour) for s in models]
        caption = "No problem of this size was in pretraining. Bars: 95 % intervals over problems."
        guess = of[models[0].model].get("guess_at") if models else None
        if isinstance(guess, dict):
            series.append(
                {
                    "name": "blind guess",
                    "color": "soft",
                    "points": [(int(k), v) for k, v in guess.items()],
                    "dash": True,
                }
            )
            legend.append(("blind guess", "soft", "dashed"))
            caption += " Blind guess: the k most frequent answers of such problems, without reading the question."
        drawing = plots.line_chart(
            f"pass@k, {family}, size {size}",
            series,
            "k, number of samples at T=1 (log scale)",
            "solved by one of k (%)",
            y_range=(0, 1),
            log_x=True,
            x_ticks=[k for k, _ in series[0]["points"]],
            form=plots.percent,
        )
        drawings.append(figure(f"{family}, size {size}", drawing, caption, legend))
        if {"base", "edge"} <= of.keys():
            said.append(_never(family, size, of))
    if not drawings:
        return ""
    return "<h2>At the edge of competence</h2>" + "".join(map(paragraph, said)) + page.grid(*drawings)


def _never(family, size, of):
    base, edge = of["base"], of["edge"]
    never = [i for i, n in enumerate(base["right"]) if n == 0]
    solved = sum(edge["right"][i] > 0 for i in never)
    often = sum(edge["right"][i] > edge["tries"] / 2 for i in never)
    k = str(max(int(k) for k in base["pass_at"]))
    (a, _, top), (b, low, _) = base["pass_at"][k], edge["pass_at"][k]
    word = "That is new ability at this k." if low > top else "The intervals overlap: new ability is not shown."
    if b < a:
        word = "That is no new ability."
    guess = base.get("guess_at")
    if isinstance(guess, dict) and guess.get(k, 0) > max(a, b):
        word = (
            f"As {k} of the most frequent answers solve {share(guess[k])} unread, one right sample of {k} can be "
            "luck; what most samples solve is not."
        )
    return (
        f"{family}, size {size}: of {len(base['right'])} problems the base model solved {len(never)} in none of "
        f"{base['tries']} samples; after RL on this length {solved} of those are solved at least once, {often} more "
        f"often than not. pass@{k} went from {share(a)} to {share(b)}. {word}"
    )
