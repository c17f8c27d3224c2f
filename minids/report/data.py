"""What a report is drawn from: results.json and metrics.jsonl of one run, read with care.

results.json has to be whole: a report of half a file would be a lie. metrics.jsonl may be missing, torn or
odd: lines that cannot be read are counted and left out. Values are checked where they are used
(`plots.number`), so a text where a number should be is shown as "–" and never reaches a plot.
"""

import json
from collections.abc import Sequence
from pathlib import Path

from minids import files
from minids.errors import MinidsError
from minids.report import page, plots
from minids.run import stages

PARTS = {
    "stages": list,
    "evals": list,
    "beyond": list,
    "examples": dict,
    "model": dict,
    "hardware": dict,
    "versions": dict,
}


def read_results(path: Path) -> dict:
    """results.json as a dict whose parts have the right kind; MinidsError if it is missing or damaged."""
    results = files.load_json(
        path,
        "Go on with the run by --resume, or run it again.",
        missing="A report is drawn from the folder of a run; `minids run` makes one.",
    )
    for key, kind in PARTS.items():
        value = results.setdefault(key, kind())
        if not isinstance(value, kind) or (kind is list and not all(isinstance(x, dict) for x in value)):
            raise MinidsError(f"{path}: {key!r} is not what `minids run` writes there. Run it again.")
    return results


def read_metrics(path: Path) -> tuple[list[dict], int]:
    """The lines of metrics.jsonl that can be read, and how many cannot; none if no file can be read."""
    try:
        lines = files.read_bytes(path).decode("utf-8", errors="replace").split("\n")
    except (OSError, ValueError):
        return [], 0
    good, bad = [], 0
    for line in filter(str.strip, lines):
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):
            value = None
        if isinstance(value, dict):
            good.append(value)
        else:
            bad += 1
    return good, bad


def title(rows: str) -> str:
    """What people call the stage whose rows in the evaluation have this name."""
    stage = stages.by_rows(rows)
    return stage.title if stage else rows


def colour(rows: str) -> str:
    """The colour of a stage, a variable of page.STYLE."""
    stage = stages.by_rows(rows)
    return stage.colour if stage else "total"


class Run:
    """A run's results and metrics, looked up by stage and family.

    stages          the names of its rows, in the order of run/stages.py
    before, after   the stages that the report compares: "sft" (or "base" without a cold start), and the last RL that
                    left the final model ("grpo", "rl2"), or else the last RL; None if not there
    first_rl        the RL stage that controls replace; None if not there
    """

    def __init__(self, results: dict, metrics: Sequence[dict] = (), torn: int = 0, folder: Path | None = None):
        self.results, self.torn, self.folder = results, torn, folder
        self.model, self.hardware, self.examples = results["model"], results["hardware"], results["examples"]
        self.lines, self.rows = {}, {}
        for line in metrics:
            self.lines.setdefault(str(line.get("stage")), []).append(line)
        for row in results["evals"]:
            self.rows[str(row.get("stage")), str(row.get("family"))] = row
        self.records = {str(record.get("name")): record for record in results["stages"]}
        self.families = [f for f in dict.fromkeys(f for _, f in self.rows) if f != "all"]
        there = {s for s, _ in self.rows}
        known = [s for s in stages.STAGES.values() if s.rows in there]
        self.stages = [s.rows for s in known]
        self.before = next((s for s in ("sft", "base", "start") if s in there), None)
        rl = [s for s in known if stages.is_rl(s.name) and not s.small]
        self.after = next((s.rows for s in reversed(rl) if s.model == "model"), rl[-1].rows if rl else None)
        self.first_rl = rl[0].rows if rl else None
        self.recipe, self.seed = str(results.get("recipe", "?")), results.get("seed", "?")

    def row(self, stage: str, family: str = "all") -> dict:
        """The row of the evaluation of a stage and family, {} where there is none."""
        return self.rows.get((stage, family), {})

    def value(self, stage: str, key: str, family: str = "all") -> float | None:
        """A number of that row, None where it is missing or no finite number."""
        return plots.number(self.row(stage, family).get(key))

    def curve(self, stage: str, family: str = "all", key: str = "pass_at") -> list[tuple[int, float]]:
        """[(k, share)] of pass@k and the like, by k; empty if it was not measured."""
        values = self.row(stage, family).get(key)
        values = values if isinstance(values, dict) else {}
        return sorted((int(k), v) for k, v in values.items() if str(k).isdecimal() and plots.number(v) is not None)

    def gain(self, family: str = "all", after: str | None = None) -> tuple[float, float] | None:
        """(difference of pass@1, half-width of its 95 % interval) between two stages, or None.

        The half-widths are added as if the samples were independent. They are of the same problems, so the
        true interval is usually narrower. It does not cover other training seeds.
        """
        after, before = self.row(after or self.after, family), self.row(self.before, family)
        a, b = plots.number(after.get("pass1")), plots.number(before.get("pass1"))
        if a is None or b is None:
            return None
        return a - b, (half_width(after) ** 2 + half_width(before) ** 2) ** 0.5


def half_width(row: dict) -> float:
    """Half the interval; where all answers were equal it has no width, and n problems still bound a rate by
    3/n."""
    n = plots.number(row.get("n")) or 1
    low, high = row["ci"] if page.span(row.get("ci")) else (0.0, 0.0)
    return max((high - low) / 2, min(1.0, 1.5 / max(1, n)))
