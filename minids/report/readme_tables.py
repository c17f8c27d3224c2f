"""README's table and picture and docs/results.md, from the records of runs: `minids dev readme-tables`.

    docs/results/tiny-seed0.json, tiny-seed1.json, …    results.json of runs, copied
    docs/results/bench.json                             what `minids bench --json` printed
    docs/results/kernels.json                           what `minids bench kernels --json` printed
    docs/results/fp8-gap.json                           what `minids dev fp8-gap --out` wrote
    docs/results/grpo-family.json                       what `minids dev presets --out` wrote

rewrites what stands between `<!-- results -->` and `<!-- /results -->` in docs/results.md, the short table between
`<!-- table -->` and `<!-- /table -->` in README.md, and docs/results/way.svg, its picture. `--check` writes nothing and
exits with 1 if one of them says something else than the records. No number in the README is typed by hand.
"""

import argparse
import sys
from pathlib import Path

from minids import files
from minids.bench import kernels
from minids.errors import MinidsError
from minids.report import picture
from minids.run.results import whole
from minids.run.stages import STAGES, by_models, is_rl

BARS = {
    "train_same_tensor": 1.2,
    "train_ragged": 1.6,
    "decode_single": 2.5,
    "decode_batch": 2.5,
    "decode_rollout": 3.0,
    "bpe_train": 0.3,
}


def render(folder: str | Path) -> str:
    """The block's text, from the records in a folder."""
    runs, paths, others = {}, {}, []
    for path in sorted(Path(folder).glob("*.json")):
        record = _read(path)
        if isinstance(record, list):
            others.append(_made(_bench, [path], record))
        elif "pairs" in record:
            others.append(_made(_gap, [path], record))
        elif "presets" in record:
            others.append(_made(_family, [path], record))
        else:
            runs.setdefault(record["recipe"], []).append(record)
            paths.setdefault(record["recipe"], []).append(path)
    if not runs and not others:
        return "No run is recorded yet.\n"
    parts = []
    for name, of in sorted(runs.items()):
        of = sorted(of, key=lambda r: r["seed"])
        edge = all("edge" in r for r in of)
        parts.append(_made(_edge, paths[name], of) if edge else _made(_runs, paths[name], name, of))
    return "\n".join(parts + others)


def _made(part, paths, *what):
    """A part of the table; what is missing in a record, or of another kind, is the record's fault."""
    try:
        return part(*what)
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
        where = ", ".join(map(str, paths))
        raise MinidsError(
            f"{where}: no table can be made of it, something in it is missing or of another kind "
            f"({type(error).__name__}: {error}). Copy it again from its run."
        ) from None


def _read(path):
    record = files.load_json(path, "Copy it again from its run.", kind=object)
    run = isinstance(record, dict) and {"recipe", "seed", "stages", "evals"} <= record.keys()
    if run:
        whole({"beyond": [], "examples": {}, **record}, path)
    gap = isinstance(record, dict) and {"pairs", "steps", "bf16_seeds_differ_percent"} <= record.keys()
    family = isinstance(record, dict) and {"presets", "seeds", "shared"} <= record.keys()
    if not run and not gap and not family and not isinstance(record, list):
        raise MinidsError(f"{path}: not a results.json of a run, nor the list that `minids bench --json` prints.")
    return record


# -- runs ------------------------------------------------------------------------------------------------------------


def _runs(name, runs):
    seeds = ", ".join(str(r["seed"]) for r in runs)
    h, v = runs[0]["hardware"], runs[0]["versions"]
    where = f"{h.get('gpu') or h['cpu']}, processes: {h['processes']}, torch {v['torch']}"
    asked = [row["n"] for r in runs for row in r["evals"] if row["family"] != "all"]
    n = f"{min(asked):,} held-out problems per family" if asked else "not evaluated"
    lines = [
        f"**`minids run {name}`**, seeds {seeds}; {where}; {n}; in brackets 95 % bootstrap intervals.",
        "",
        f"| | target | mean | seed {' | seed '.join(seeds.split(', '))} |",
        "|---|---|---|" + "---|" * len(runs),
    ]
    for label, target, values, shown in _figures(name, runs):
        there = [v for v in values if v is not None]
        mean = sum(there) / len(there)
        lines.append(f"| {label} | {target} | {shown(mean)} | " + " | ".join(_each(v, shown) for v in values) + " |")
    return "\n".join([*lines, ""])


class Figure(float):
    """A number with its interval, which a mean over seeds does not have."""

    def __new__(cls, value, interval=None):
        self = super().__new__(cls, value)
        self.interval = interval
        return self


def _each(value, shown):
    if value is None:
        return "not run"
    interval = getattr(value, "interval", None)
    return shown(value) + (f" [{100 * interval[0]:.1f}, {100 * interval[1]:.1f}]" if interval else "")


def _figures(name, runs):
    """(label, target, a value for each run, how to write it) of every line that all records can fill."""
    goal = (lambda text: text) if name == "tiny" else (lambda text: "")
    each = {"tiny": "≥ 90 %", "tiny-gym": "> 80 %"}.get(name, "")  # of every family
    there = [s for s in STAGES.values() if not s.control and all(_row(r, s.rows) for r in runs)]
    rl = [s for s in there if is_rl(s.name) and not s.small]
    last = next((s for s in reversed(rl) if s.model == "model"), STAGES["grpo"])
    final = last.rows
    families = [row["family"] for row in runs[0]["evals"] if row["stage"] == final and row["family"] != "all"]
    points = lambda v: f"{100 * v:+.1f} points"  # noqa: E731
    yield "time, evaluation included", goal("≤ 10 min"), [r["seconds"] / 60 for r in runs], "{:.1f} min".format
    yield "peak memory", goal("≤ 4 GiB"), [r["peak_bytes"] / 2**30 for r in runs], "{:.2f} GiB".format
    if not there:  # no stage that all have evaluated: they ran with --no-eval, say
        return
    for stage in there:
        sampled = [Figure(_row(r, stage.rows)["pass1"], _row(r, stage.rows)["ci"]) for r in runs]
        yield f"pass@1 at T=1 {stage.label}", goal("≥ 90 %") if stage is last else "", sampled, _percent
        greedy = [_row(r, stage.rows)["greedy"] for r in runs]
        yield f"greedy {stage.label}", goal("≥ 95 %") if stage is last else "", greedy, _percent
    for family in families:
        greedy = [_row(r, final, family)["greedy"] for r in runs]
        yield f"greedy {last.label}, {family}", each, greedy, _percent
    before = "sft" if all(_row(r, "sft") for r in runs) else "base"
    if rl and last is not rl[0]:
        yield from _scripts(runs, rl)
    else:
        gains = [_row(r, final)["pass1"] - _row(r, before)["pass1"] for r in runs]
        yield f"GRPO over {'SFT' if before == 'sft' else 'the base model'}, pass@1", goal("≥ +40 points"), gains, points
    if any(_row(r, "direct") for r in runs):
        direct = [row["greedy"] if (row := _row(r, "direct")) else None for r in runs]
        yield "control: answers without thinking, greedy", goal("≤ half of the above"), direct, _percent
    for control in STAGES.values():
        if control.control and control.name != "direct" and any(_row(r, control.rows) for r in runs):
            rows = [(_row(r, control.rows), _row(r, before)["pass1"]) for r in runs]
            gains = [row and Figure(row["pass1"] - start, [c - start for c in row["ci"]]) for row, start in rows]
            target = goal("none beyond its interval") if control.name == "random_reward" else ""
            yield f"control: {control.label}, gain in pass@1", target, gains, points
    sizes = dict.fromkeys((b["family"], b["size"]) for r in runs for b in r.get("beyond", []) if b["stage"] == final)
    units = {"add": "digits", "chain": "numbers", "word": "numbers"}
    for family, size in sizes:
        rows = [b for r in runs for b in r["beyond"] if (b["stage"], b["family"], b["size"]) == (final, family, size)]
        length = f"{size} {units[family]}" if family in units else f"size {size}"
        greedy = [Figure(b["greedy"], b["ci"]) for b in rows]
        if len(rows) == len(runs):
            yield f"longer than trained on: {family}, {length}, greedy", goal("reported"), greedy, _percent


def _scripts(runs, rl):
    """How pure the language of thoughts is after the cold start and each RL of R1's recipe."""
    for row in (STAGES["sft"], *rl):
        stage, target = row.rows, "≥ 99 %" if row is rl[-1] else ""
        values = [_row(r, stage)["language"] for r in runs if _row(r, stage) and "language" in _row(r, stage)]
        if len(values) == len(runs):
            yield f"words in one script {row.label}", target, values, _percent


def _edge(runs):
    """What a run at the edge of competence asks: pass@1 and pass@k of one size of problems, before and after."""
    first = runs[0]["edge"][0]
    k, seeds = str(first["tries"]), ", ".join(str(r["seed"]) for r in runs)
    lines = [
        f"**`minids run {runs[0]['recipe']}`**, seeds {seeds} (one number each, in brackets 95 % bootstrap intervals); "
        f"{len(first['right'])} held-out problems of a size that only its last stage was trained on, {k} samples each. "
        '"New": problems of which no sample of the base model was right and one of this model was; in round brackets '
        "those of them that most samples got right.",
        "",
        f"| | pass@1 | pass@{k} | new |",
        "|---|---|---|---|",
    ]
    for family, size in sorted({(row["family"], row["size"]) for row in runs[0]["edge"]}):
        per_run = [{x["stage"]: x for x in r["edge"] if (x["family"], x["size"]) == (family, size)} for r in runs]
        for stage in by_models(set.intersection(*map(set, per_run))):
            once, many = (
                ", ".join(
                    _each(Figure(value, interval), _percent)
                    for value, *interval in (of[stage.model]["pass_at"][n] for of in per_run)
                )
                for n in ("1", k)
            )
            new = ", ".join(_new(of["base"]["right"], of[stage.model]["right"], int(k)) for of in per_run)
            lines.append(f"| {family}, size {size}: {stage.label} | {once} | {many} | {new} |")
        if all("guess_at" in of["base"] for of in per_run):
            once, many = (", ".join(_percent(of["base"]["guess_at"][n]) for of in per_run) for n in ("1", k))
            lines.append(f"| {family}, size {size}: the most frequent answers, unread | {once} | {many} | |")
    return "\n".join([*lines, ""])


def _new(before, after, tries):
    solved = [c for b, c in zip(before, after) if b == 0 < c]
    return f"{len(solved)} ({sum(c > tries / 2 for c in solved)})"


def _row(record, stage, family="all"):
    return next((row for row in record["evals"] if (row["stage"], row["family"]) == (stage, family)), None)


def _percent(share):
    return f"{100 * share:.1f} %"


# -- speed -----------------------------------------------------------------------------------------------------------


def _bench(rows):
    if all(r["name"].startswith("kernel_") for r in rows):
        return _kernels(rows)
    devices = ", ".join(dict.fromkeys(str(r["device"]) for r in rows))
    lines = [
        f"**`minids bench`** on {devices}: minids and a peer in one process, same weights, same threads.",
        "",
        "| work | minids | peer | | ratio | bar |",
        "|---|---|---|---|---|---|",
    ]
    for r in rows:
        bar = next((f"≥ {bar:g}" for prefix, bar in BARS.items() if r["name"].startswith(prefix)), "")
        config = f" ({r['config']})" if isinstance(r.get("config"), str) and r["config"] else ""
        ours, peer = (f"{_short(r[k])} {r['unit']}" for k in ("ours", "peer"))
        lines.append(f"| {r['name']}{config} | {ours} | {peer} | {r['peer_name']} | {r['ratio']:.2f} | {bar} |")
    return "\n".join([*lines, ""])


def _kernels(rows):
    device = " and ".join(dict.fromkeys(str(r["device"]) for r in rows))
    head = f"**`minids bench kernels`** on {device}: Triton kernels and a peer in one process."
    if all(r["ratio"] is None for r in rows):
        goals = ", ".join(f"{r['name'].removeprefix('kernel_')} {r['bar']:g}" for r in rows if r.get("bar"))
        return (
            f"**`minids bench kernels`**: not measured, for want of a GPU. In Triton's interpreter all {len(rows)} "
            "rows gave the right results at toy sizes; `minids bench kernels --json` on a GPU fills them in. Bars "
            f"(ratios): {goals}.\n"
        )
    return f"{head}\n\n{kernels.table(rows)}"


def _gap(record):
    lines = [
        f"**`minids dev fp8-gap`**: {record['steps']:,} steps with FP8 linear layers (emulated on a CPU) "
        f"against BF16, same seed and batches. Two BF16 seeds differ by up to "
        f"{record['bf16_seeds_differ_percent']:.2f} % on held-out text.",
        "",
        "| seed | training loss, smoothed | held-out loss BF16 | FP8 | gap |",
        "|---|---|---|---|---|",
    ]
    for p in record["pairs"]:
        held = f"{p['held_out_bf16']:.4f} | {p['held_out_fp8']:.4f} | {p['held_out_gap_percent']:+.2f} %"
        lines.append(f"| {p['seed']} | {p['gap_percent']:+.2f} % | {held} |")
    return "\n".join([*lines, ""])


def _family(record, last=5):
    """The published presets of GRPO: how each of them ended, seed by seed."""
    shared, seeds = record["shared"], ", ".join(map(str, record["seeds"]))
    lines = [
        f"**`minids dev presets`**, seeds {seeds}: published settings of GRPO from one model "
        f"({shared['steps']} iterations, {shared['minibatches'] * shared['epochs']} optimizer steps on each batch, one "
        f"learning rate); means of the last {last} iterations. DAPO draws more answers than the others (dynamic "
        "sampling). It shows what settings do, not which is best. [Curves](results/grpo-family.png).",
        "",
        "| preset | right answers, a number per seed | tokens | entropy, nats | clipped |",
        "|---|---|---|---|---|",
    ]
    for entry in record["presets"].values():
        ends = {
            k: [sum(r["curves"][k][-last:]) / last for r in entry["runs"]]
            for k in ("accuracy", "length", "entropy", "clip_fraction")
        }
        mean = {k: sum(v) / len(v) for k, v in ends.items()}
        lines.append(
            f"| {entry['title']} | {', '.join(map(_percent, ends['accuracy']))} | {mean['length']:.1f} "
            f"| {mean['entropy']:.3f} | {_percent(mean['clip_fraction'])} |"
        )
    return "\n".join([*lines, ""])


def _short(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


# -- the short table --------------------------------------------------------------------------------------------------


def short(folder: str | Path) -> str:
    """The table of the README: a line each for what the records together say."""
    runs, bench = {}, []
    for path in sorted(Path(folder).glob("*.json")):
        record = _read(path)
        if isinstance(record, list):
            bench += record
        elif "recipe" in record:
            runs.setdefault(record["recipe"], []).append(record)
    lines = ["| three seeds: mean (lowest to highest) | |", "|---|---|"]
    for name, label, stages in (
        ("tiny", "`minids run tiny`: base → cold start → GRPO", ("base", "sft", "grpo")),
        ("tiny-zero", "`tiny-zero`, RL straight from the base model: base → GRPO", ("base", "grpo")),
        ("tiny-r1", "`tiny-r1`, R1's whole way: base → last RL", ("base", "rl2")),
    ):
        of = [r for r in runs.get(name, []) if all(_row(r, stage) for stage in stages)]
        for how, words in (("pass1", "right at T=1"), ("greedy", "right greedily")):
            if of and (how == "pass1" or name == "tiny"):
                cells = (_spread([100 * _row(r, stage)[how] for r in of]) for stage in stages)
                lines.append(f"| {label}, {words} | {' → '.join(cells)} % |")
    tiny = runs.get("tiny", [])
    if tiny and all(_row(r, "direct") for r in tiny):
        cell = _spread([100 * _row(r, "direct")["greedy"] for r in tiny])
        lines.append(f"| control: trained as long to answer without a thought, greedily | {cell} % |")
    if tiny and all(_row(r, "random_reward") for r in tiny):
        gains = [100 * (_row(r, "random_reward")["pass1"] - _row(r, "sft")["pass1"]) for r in tiny]
        lines.append(f"| control: GRPO on coin flips, change at T=1 | {_spread(gains, '+.1f')} points |")
    if tiny:
        cell = _spread([r["seconds"] / 60 for r in tiny])
        lines.append(f"| time of `tiny` on two idle cores, evaluation included | {cell} min |")
    speeds = {r["name"]: r for r in bench if r["name"] in ("train_ragged", "decode_batch") and r["ratio"]}
    if len(speeds) == 2:
        train, decode = speeds["train_ragged"], speeds["decode_batch"]
        cell = f"{train['ratio']:.1f} and {decode['ratio']:.1f} times {train['peer_name']}"
        lines.append(f"| speed of training and of batched decoding on one core | {cell} |")
    return "\n".join([*lines, ""])


def _spread(values, form=".1f"):
    """ "95.6 (94.5 to 96.3)"; one value alone."""
    mean = sum(values) / len(values)
    if len(values) == 1:
        return f"{mean:{form}}"
    return f"{mean:{form}} ({min(values):{form}} to {max(values):{form}})"


# -- the pages -----------------------------------------------------------------------------------------------------


def replaced(page: str, block: str, name: str = "results", where: str = "README.md") -> str:
    """The page's text with a new block of this name. Raises MinidsError where the page does not have the block's two
    marks once each."""
    begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    if page.count(begin) != 1 or page.count(end) != 1 or page.index(begin) > page.index(end):
        raise MinidsError(f"{where}: needs the line {begin} once and, below it, {end} once.")
    head, rest = page.split(begin)
    return f"{head}{begin}\n{block}{end}{rest.split(end)[1]}"


def pages(root: Path) -> dict[Path, str]:
    """{path: its text as the records have it}."""
    records = root / "docs" / "results"
    out = {records / "way.svg": picture.way(_tiny(records))} if _tiny(records) else {}
    for path, name, block in (
        (root / "docs" / "results.md", "results", render(records)),
        (root / "README.md", "table", short(records)),
    ):
        out[path] = replaced(path.read_text(encoding="utf-8"), block, name, path.name)
    return out


def _tiny(records):
    """The records of `tiny` that were evaluated, by seed."""
    read = (_read(path) for path in sorted(records.glob("tiny-seed*.json")))
    return [r for r in read if isinstance(r, dict) and r.get("recipe") == "tiny" and r["evals"]]


def main(argv: list[str] | None = None) -> int:
    """`minids dev readme-tables`: writes the tables of README.md and docs/results.md from docs/results; with --check
    it only looks, and returns 1 where a page would change."""
    args = argparse.ArgumentParser(prog="minids dev readme-tables", description=__doc__.split(":")[0])
    args.add_argument("--check", action="store_true", help="write nothing; exit with 1 if a page would change")
    args.add_argument("--root", default=".", metavar="DIR", help="the repository (default: here)")
    args = args.parse_args(argv)
    wanted = pages(Path(args.root))
    now = {path: path.read_text(encoding="utf-8") if path.exists() else "" for path in wanted}
    changed = [path for path in wanted if wanted[path] != now[path]]
    for path in changed:
        if args.check:
            print(f"{path}: differs from docs/results; run `minids dev readme-tables`.", file=sys.stderr)
        else:
            files.write(path, wanted[path])
            print(f"{path}: written")
    return 1 if changed and args.check else 0
