"""compare.html: several runs beside each other, on one page like report.html: it loads nothing and runs nothing.

    which runs, and in a sentence each how they did      the settings that differ
    right answers with intervals, and a paired test      what was logged on the way, curve over curve      time

The first run that is named is the one that the others are compared with. A run has one colour all over the page. Data:
report/compared.py.

Left out: controls; intervals over training seeds (a test over problems does not cover them); more than eight runs.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

from minids import files
from minids.errors import MinidsError
from minids.report import compared, page, plots
from minids.report.compared import MISSING, Entry
from minids.report.data import title
from minids.report.page import duration, escape, figure, paragraph, plain, share, signed, size, span, table
from minids.run import cost, stages

MARK = "minids: comparison of "
MOST = 200  # rows of a table that a stranger's folder could make as long as it likes
RL_CURVES = (
    ("accuracy", "Right answers", "right answers (%)", "On each iteration's training questions."),
    ("reward", "Reward", "mean reward", "Each run counts by its own settings: other weights give another scale."),
    ("length", "Length of an answer", "tokens", "Look whether the runs find out that thinking longer pays."),
    ("entropy", "Entropy", "nats per token", "How undecided the model is at a token."),
)
TEST = (
    "The final models: after RL, or as far as a run got. Each is asked held-out problems, once at temperature 1 and "
    "once greedily. Below a number stands its 95 % bootstrap interval over problems.",
    "Where two runs were asked the same problems, p is of an exact paired test (McNemar): how often chance alone would "
    "part two equal models at least so far, on the problems that only one of them got right (won, lost). Of twenty "
    "tests of equal models about one comes out below 0.05. Where there is no p, ± is half a 95 % interval of the "
    "difference of two independent samples.",
    "None of this covers other training seeds: two runs of one recipe differ too.",
)


def write(folders: Sequence[str | Path], out: str | Path = "compare.html") -> Path:
    """Draws the page of these runs into the file `out` and returns its path.

    An earlier page is replaced. Raises MinidsError for anything else that lies there, and where it cannot be written.
    """
    entries, out = compared.read(folders), Path(out)
    if out.is_dir():
        raise MinidsError(f"{out}: this is a folder. Name a file with --out, as in {out / 'compare.html'}.")
    if out.exists() and not _ours(out):
        raise MinidsError(f"{out}: already there, and no comparison that minids wrote. Choose another file with --out.")
    try:
        files.write(out, html(entries))
    except OSError as error:
        raise MinidsError(
            f"{out}: the page could not be written ({error.strerror or error}). Choose another file with --out."
        ) from None
    return out


def _ours(path):
    try:
        return f"<title>{MARK}".encode() in files.read_bytes(path)[:2000]
    except (OSError, ValueError):
        return False


def html(entries: Sequence[Entry]) -> str:
    """The page."""
    sections = (settings, evaluations, longer, losses, reinforcement, times)
    main = "\n".join(filter(None, (section(entries) for section in sections)))
    names = _listed([entry.name for entry in entries])
    note = paragraph("Drawn from each run's results.json, metrics.jsonl and recipe.json. This page loads nothing.")
    return page.document(
        f"{MARK}{names}",
        f'<header>{headline(entries, names)}</header>\n<main>\n{main}\n</main>\n<footer class="small">{note}</footer>',
    )


def _listed(names):
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


# -- which runs --------------------------------------------------------------------------------------------------------


def headline(entries: Sequence[Entry], names: str) -> str:
    """Which runs these are, and in a sentence each how they compare with the first."""
    kicker = paragraph(f"minids · {len(entries)} runs beside each other", "kicker")
    said = "".join(paragraph(verdict(entries[0], other), "lead") for other in entries[1:])
    return f"{kicker}<h1>{escape(names)}</h1>{said}{_runs(entries)}"


def verdict(first: Entry, other: Entry) -> str:
    """Which of two final models is right more often, over all families, if that can be said."""
    rows = [entry.row(entry.final, "all") for entry in (first, other)]
    found = compared.difference(*rows)
    if found is None:
        without = next(e for e, row in zip((first, other), rows) if plots.number(row.get("pass1")) is None)
        return f"{other.name} against {first.name}: {without.name} was not evaluated, so no answers can be compared."
    if set(first.run.families) != set(other.run.families):
        return f"{other.name} and {first.name} were asked other families; the table has those that both know."
    one, two = (f"{e.name} ({title(e.final)})" if first.final != other.final else e.name for e in (first, other))
    figures = f"{share(rows[1]['pass1'])} against {share(rows[0]['pass1'])}, {found.test}"
    if not found.sure:
        return f"{two} is not measurably better or worse than {one}: {figures}."
    return f"{two} is right {'more' if found.points > 0 else 'less'} often than {one}: {figures}."


def _runs(entries):
    rows = []
    for entry in entries:
        run, done = entry.run, [s for s in stages.STAGES.values() if s.name in entry.run.records]
        last = next((s.title for s in reversed(done) if not s.control), "–")
        parameters = plots.number(run.model.get("parameters"))
        rows.append(
            [
                entry.name,
                (run.recipe[:40], f"seed {str(run.seed)[:12]}"),
                cost.count(parameters) if parameters else "–",
                (last, f"{len(done)} stage{'s' * (len(done) != 1)}"),
                (share(entry.row(entry.final, "all").get("pass1")), span(entry.row(entry.final, "all").get("ci"))),
                duration(run.results.get("seconds")),
                size(run.results.get("peak_bytes")) or "–",
                (str(run.hardware.get("gpu") or run.hardware.get("cpu") or "–")[:40], _versions(run)),
            ]
        )
    head = ["run", "recipe", "parameters", "got as far as", "right at T=1", "time", "peak memory", "machine"]
    return table(head, rows)


def _versions(run):
    return ", ".join(
        f"{key} {str(run.results['versions'][key])[:20]}"
        for key in ("minids", "torch")
        if key in run.results["versions"]
    )


# -- settings ----------------------------------------------------------------------------------------------------------


def settings(entries: Sequence[Entry]) -> str:
    """The table of the settings that differ."""
    found = compared.differing(entries)
    rows = [[key[:80], *(_setting(*each) for each in values)] for key, values in found[:MOST]]
    without = [entry.name for entry in entries if entry.settings is None]
    words = []
    if all(key in compared.ASKED for key, _ in found) and len(entries) - len(without) > 1:
        words.append("All keys of the recipe are the same.")
    elif found:
        words.append("Keys that are the same are left out. Below a value: where it is from, if the recipe is silent.")
    if without:
        words.append(f"{_listed(without)}: no recipe.json that can be read, so the settings are not known.")
    if len(found) > MOST:
        words.append(f"{len(found) - MOST} more differ.")
    head = ["setting", *(entry.name for entry in entries)]
    return "<h2>Settings that differ</h2>" + paragraph(" ".join(words)) + (table(head, rows) if rows else "")


def _setting(value, source):
    shown = "–" if value is MISSING else value if isinstance(value, str) else files.brief(value, 48)
    return shown[:48], source


# -- evaluations -------------------------------------------------------------------------------------------------------


def evaluations(entries: Sequence[Entry]) -> str:
    """Right answers of the final models, by family, and below them those of every other stage that two runs have."""
    names = compared.families(entries)
    if not names:
        return "<h2>Right answers</h2>" + paragraph("None of these runs was evaluated.")
    families, finals = ["all", *names[:MOST]], [entry.final for entry in entries]
    shared = [s for s in stages.STAGES.values() if sum(s.rows in entry.run.stages for entry in entries) > 1]
    parts = [
        "<h2>Right answers</h2>",
        page.beside("".join(map(paragraph, TEST)), _intervals(entries, finals, families)),
        "<h3>The final models, one sampled answer at temperature 1</h3>",
        _table(entries, finals, families, "pass1"),
        "<h3>Greedy: the likeliest token every time</h3>",
        _table(entries, finals, families, "greedy"),
        "<h3>How the final models answer</h3>",
        _manners(entries, finals),
    ]
    for stage in shared:
        if any(final != stage.rows for final in finals if final):
            name = f"{stage.title}, one sampled answer at temperature 1"
            rows = _table(entries, [stage.rows] * len(entries), families, "pass1")
            parts.append(f"<details><summary>{escape(name)}</summary>{rows}</details>")
    return "\n".join(parts)


def _intervals(entries, finals, families, most=12):
    rows = []
    for family in families[:most]:
        items = []
        for entry, final in zip(entries, finals):
            row = entry.row(final, family)
            if plots.number(row.get("pass1")) is not None and span(row.get("ci")):
                items.append((entry.name, entry.colour, row["pass1"], *row["ci"]))
        rows.append((family[:20], items))
    name = "Right answers of the final models"
    drawing = plots.intervals(name, [row for row in rows if row[1]], "right answers, one sample at T=1 (%)")
    return figure(name, drawing, "Bars are 95 % bootstrap intervals over problems.", _legend(entries))


def _table(entries, rows, families, key):
    """A row per family: what each run got right, and how far each is from the first."""
    first, *others = zip(entries, rows)
    same = all(set(entry.run.families) == set(entries[0].run.families) for entry in entries)
    head, out = ["", entries[0].name], []
    for entry in entries[1:]:
        head += [entry.name, f"− {entries[0].name}, points"]
    for family in families:
        start = first[0].row(first[1], family)
        cells = [_right(start, key)]
        for entry, stage in others:
            row = entry.row(stage, family)
            found = compared.difference(start, row, key) if same or family != "all" else None
            cells += [_right(row, key), (signed(found.points), found.test) if found else "–"]
        out.append(["all families" if family == "all" else family[:40], *cells])
    return table(head, out, main=[0])


def _right(row, key):
    return share(row.get(key)), span(row.get("ci")) if key == "pass1" else ""


def _manners(entries, finals):
    rows = []
    for entry, final in zip(entries, finals):
        row = entry.row(final, "all")
        rates = [share(row.get(key)) for key in ("format", "truncated", "empty_think")]
        rows.append([entry.name, title(final) if final else "–", plain(row.get("length"), ".1f"), *rates])
    head = ["all families, T=1", "model", "tokens per answer", "keeps the format", "cut off", "empty thought"]
    return table(head, rows)


def longer(entries: Sequence[Entry]) -> str:
    """Problems of sizes that nobody trained on, greedily."""
    found = [{(str(r.get("family")), str(r.get("size"))): r for r in _beyond(entry)} for entry in entries]
    keys = list(dict.fromkeys(key for rows in found for key in rows))[:MOST]
    rows = [
        [f"{family[:40]}, size {length[:12]}", *(_longer(of.get((family, length), {})) for of in found)]
        for family, length in keys
    ]
    head = ["greedy", *(entry.name for entry in entries)]
    return "<h2>Problems longer than any in training</h2>" + table(head, rows) if rows else ""


def _beyond(entry):
    return [row for row in entry.run.results["beyond"] if row.get("stage") == entry.final]


def _longer(row):
    return share(row.get("greedy")), span(row.get("ci"))


# -- curves ------------------------------------------------------------------------------------------------------------


def losses(entries: Sequence[Entry]) -> str:
    """The loss of every supervised stage, run over run."""
    caption, drawings = "Look where they part, and whether they have flattened.", []
    for stage in stages.STAGES.values():
        if not stage.control:
            what = ("loss", f"Loss, {stage.title}", "optimizer step", "nats per token, log scale", caption)
            drawings.append(_curves(entries, stage.name, *what, log_y=True))
    if not any(drawings):
        return ""
    sizes = {str(entry.run.records.get("tokenizer", {}).get("vocab_size")) for entry in entries}
    note = paragraph("The tokenizers differ, so a token of one is not a token of the other.") if len(sizes) > 1 else ""
    return "<h2>Learning to write: the losses</h2>" + note + page.grid(*drawings)


def reinforcement(entries: Sequence[Entry]) -> str:
    """What every stage of RL logged, run over run."""
    out = []
    for stage in stages.STAGES.values():
        if not stages.is_rl(stage.name):
            continue
        drawings = []
        for key, name, label, caption in RL_CURVES:
            how = {"y_range": (0, 1), "form": plots.percent} if key == "accuracy" else {}
            drawings.append(_curves(entries, stage.name, key, name, "iteration", label, caption, smooth=True, **how))
        if any(drawings):
            out.append(f"<h2>Learning to think: {escape(stage.title)}</h2>" + page.grid(*drawings))
    return "".join(out)


def _curves(entries, stage, key, name, x_label, y_label, caption, smooth=False, **how: Callable):
    """One line per run on common axes; where `smooth`, a running mean over a twelfth of its points."""
    series, there = [], []
    for entry in entries:
        pairs = thin(plots.points(entry.run.lines.get(stage, []), key))
        if smooth:
            pairs = plots.smooth(pairs, max(1, len(pairs) // 12) | 1)
        if pairs:
            series.append({"color": entry.colour, "points": pairs, "name": entry.name})
            there.append(entry)
    caption += " A running mean." if smooth else ""
    return figure(name, plots.line_chart(name, series, x_label, y_label, **how), caption, _legend(there))


def thin(pairs: list[tuple[float, float]], most: int = 400) -> list[tuple[float, float]]:
    """At most so many points: means of as many neighbours as it takes."""
    each = -(-len(pairs) // most) or 1
    parts = [pairs[i : i + each] for i in range(0, len(pairs), each)]
    return [(sum(x for x, _ in part) / len(part), sum(y for _, y in part) / len(part)) for part in parts]


def _legend(entries):
    return [(entry.name, entry.colour) for entry in entries]


# -- time --------------------------------------------------------------------------------------------------------------


def times(entries: Sequence[Entry]) -> str:
    """How long each stage took."""
    rows = []
    for stage in stages.STAGES.values():
        records = [entry.run.records.get(stage.name, {}) for entry in entries]
        if any(records):
            rows.append([f"{stage.title}{' *' if stage.control else ''}", *map(_time, records)])
    if not rows:
        return ""
    rows.append(["in all", *(duration(entry.run.results.get("seconds")) for entry in entries)])
    note = "Small: the evaluation after the stage."
    if any(row[0].endswith("*") for row in rows):
        note += " Stages with * are controls, which the whole does not count."
    head = ["", *(entry.name for entry in entries)]
    return "<h2>Time per stage</h2>" + table(head, rows, main=[len(rows) - 1]) + paragraph(note, "small")


def _time(record):
    evaluated = plots.number(record.get("evaluation_seconds"))
    return duration(record.get("seconds")), f"+ {duration(evaluated)}" if evaluated else ""
