"""What several runs are compared by: their names, the settings in which they differ, and answers to the same problems.

    read(folders)            [Entry]: each run's results and metrics (report/data.py), its settings, its name and colour
    differing(entries)       [(setting, what each run has)] of the settings that are not the same in all
    difference(…)            of two rows of an evaluation: points, and how sure they are

Two models that were asked the same problems are compared problem by problem (`outcomes` in a row,
eval/evaluate.py). What both got right, or both wrong, says nothing about which is better; a paired test looks at the
others alone.

A folder may be a stranger's: files are read within limits (minids/files.py), and whatever is odd is left out or said.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

from minids import files
from minids.errors import MinidsError
from minids.eval import statistics
from minids.eval.evaluate import read_outcomes
from minids.report import page, plots
from minids.report.data import Run, half_width, read_metrics, read_results
from minids.run import recipes, stages, stages_start
from minids.settings import UNSET, default_of

COLOURS = ("sft", "f1", "grpo", "f2", "f6", "f3", "f4", "f5")  # variables of page.STYLE: a run each
PROBLEMS = 100_000  # more than a run can ask, of all families together
ASKED = ("seed", "workers", "device")
MISSING = object()


@dataclass
class Entry:
    """One of the runs that are compared.

    name       what the page calls it: its folder's name, with those above where two are alike
    colour     a variable of page.STYLE
    run        its results and metrics
    settings   {"seed": 0, "grpo.lr": 3e-4, …}; None where recipe.json says nothing that can be read
    """

    name: str
    colour: str
    run: Run
    settings: dict | None

    @property
    def final(self) -> str | None:
        """The rows of its last model that was evaluated: after RL, or as far as it got."""
        measured = [s for s in self.run.stages if not stages.by_rows(s).control and not stages.by_rows(s).small]
        return self.run.after or (measured[-1] if measured else None)

    def row(self, rows: str | None, family: str) -> dict:
        """The row of an evaluation: of `final`, or of another stage's rows; empty if it was not measured."""
        return self.run.row(rows, family) if rows else {}


def read(folders: Sequence[str | Path]) -> list[Entry]:
    """The runs in these folders; MinidsError for one that is no run, that holds nothing, or that is named twice."""
    if isinstance(folders, str | Path) or len(folders) < 2:
        raise MinidsError("report: give the folders of two runs or more to compare, as in runs/a runs/b.")
    if len(folders) > len(COLOURS):
        raise MinidsError(f"report: at most {len(COLOURS)} runs can be told apart on a page, got {len(folders)}.")
    paths, seen = [Path(folder) for folder in folders], {}
    for path in paths:
        if not path.is_dir():
            raise MinidsError(f"{path}: no such folder. Give the folders of runs, as in runs/tiny.")
        if (other := seen.setdefault(path.resolve(), path)) is not path:
            raise MinidsError(f"{path}: the same run as {other}. Name each run once.")
    names = _names([path.resolve() for path in paths])
    return [_entry(*each) for each in zip(paths, names, COLOURS)]


def _entry(path, name, colour):
    run = Run(read_results(path / "results.json"), *read_metrics(path / "metrics.jsonl"), path)
    if not run.records and not run.rows and not run.lines:
        raise MinidsError(
            f"{path}: this run has finished no stage, so there is nothing to compare. Go on with --resume."
        )
    return Entry(name, colour, run, _settings(path / "recipe.json"))


def _names(paths, most=32):
    """Folders' names, with as many of the folders above as it takes to tell them apart."""
    depths = range(1, max(len(path.parts) for path in paths) + 1)
    depth = next(n for n in depths if len({path.parts[-n:] for path in paths}) == len(paths))
    names = ["/".join(path.parts[-depth:]) for path in paths]
    names = [name if len(name) <= most else f"…{name[1 - most :]}" for name in names]
    return names if len(set(names)) == len(names) else [f"{i}: {name}" for i, name in enumerate(names, 1)]


# -- settings ----------------------------------------------------------------------------------------------------------


def _settings(path):
    """{"seed": 0, "grpo.lr": 3e-4, …} of a run's recipe.json, under the names of today; None if there is none. What was
    typed to get there ("set") says nothing more, and a run that started from a model did not read all sections."""
    try:
        asked = files.load_json(path, "")
        recipe = asked.get("recipe")
        recipe = recipes.current(recipe, str(path)) if isinstance(recipe, dict) else {}
    except MinidsError:
        return None
    if recipe.get("origin"):
        recipe = {k: v for k, v in recipe.items() if k not in stages_start.UNREAD}
    return {**{k: v for k, v in asked.items() if k not in ("recipe", "set")}, **_flat(recipe)}


def _flat(values, above="", depth=4):
    out = {}
    for key, value in values.items():
        if isinstance(value, dict) and value and depth:
            out |= _flat(value, f"{above}{key}.", depth - 1)
        else:
            out[f"{above}{key}"] = value
    return out


def differing(entries: Sequence[Entry]) -> list[tuple[str, list[tuple[object, str]]]]:
    """[(setting, [(value, where it is from)] for each run)] of those that differ; first the seed, workers and device.

    A key that a recipe leaves out has the value of the section below its own ("as in grpo"), or its default; MISSING
    where neither says one, or where the recipe has no such section."""
    known = [entry for entry in entries if entry.settings is not None]
    keys = dict.fromkeys((*ASKED, *(key for entry in known for key in entry.settings)))
    out = []
    for key in keys:
        values = [_value(entry.settings, key) if entry in known else (MISSING, "") for entry in entries]
        there = [value for entry, (value, _) in zip(entries, values) if entry in known]
        if there and (key in ASKED or any(value != there[0] for value in there)):
            out.append((key, values))
    return out


def _value(settings, key):
    if key in settings:
        return settings[key], ""
    section, dot, name = key.partition(".")
    of, plan = [s.name for s in stages.STAGES.values() if s.section == section], settings.get("stages")
    planned = isinstance(plan, list) and any(name in plan for name in of)
    if not dot or not (planned or any(k.startswith(f"{section}.") for k in settings)):
        return MISSING, ""
    for below in stages.sections(of[0])[1:] if of else ():
        if f"{below}.{name}" in settings:
            return settings[f"{below}.{name}"], f"as in {below}"
    every = {f.name: default_of(f) for cls in recipes.classes(section) for f in fields(cls) if f.default is not UNSET}
    default = _flat(every).get(name, MISSING)
    return (default, "default") if type(default) in (int, float, str, bool, list, type(None)) else (MISSING, "")


# -- evaluations -------------------------------------------------------------------------------------------------------


@dataclass
class Difference:
    """How much better one model is than another, and how sure that is; str() "+1.2 points, p = 0.19 (41 won, 29 lost)".

    points          gain in right answers, as a share: 0.04 is +4.0 points
    p               of the paired test: how often chance alone parts two equal models so far; None if not paired
    better, worse   how many problems only the one got right, and only the other
    noise           where not paired, half of a 95 % interval of the gain, as a share
    why             why they are not paired: "different problems", "outcomes not kept"
    """

    points: float
    p: float | None = None
    better: int = 0
    worse: int = 0
    noise: float = 0.0
    why: str = ""

    @property
    def sure(self) -> bool:
        """Whether so large a difference would seldom come of chance alone."""
        return self.p < 0.05 if self.p is not None else abs(self.points) > self.noise

    @property
    def test(self) -> str:
        """The test in words: "p = 0.19 (41 won, 29 lost)"."""
        if self.p is None:
            return f"± {100 * self.noise:.1f}, not paired: {self.why}"
        p = "p\u00a0<\u00a00.001" if self.p < 0.001 else f"p\u00a0=\u00a0{self.p:.2g}"
        return f"{p} ({self.better} won, {self.worse} lost)"

    def __str__(self):
        return f"{page.signed(self.points)} points, {self.test}"


def difference(one: dict, other: dict, key: str = "pass1") -> Difference | None:
    """How much better `other` is than `one`, two rows of evaluations: at T=1 ("pass1") or greedily ("greedy").
    None if one of them was not measured."""
    a, b = (plots.number(row.get(key)) for row in (one, other))
    if a is None or b is None:
        return None
    noise = sum(_half_width(row, key) ** 2 for row in (one, other)) ** 0.5
    try:
        before, after = _paired(one, other, {"pass1": "sampled", "greedy": "greedy"}[key])
    except MinidsError as why:
        return Difference(b - a, noise=noise, why=str(why))
    better, worse = (sum(x and not y for x, y in zip(*pair)) for pair in ((after, before), (before, after)))
    return Difference(b - a, statistics.mcnemar(better, worse), better, worse)


def _half_width(row, key):
    """Half a 95 % interval: the row's own is that of pass1; greedy answers have that of a share of n."""
    if key == "pass1":
        return half_width(row)
    n, share = max(1, plots.number(row.get("n")) or 1), min(1.0, max(0.0, row[key]))
    return max(1.96 * (share * (1 - share) / n) ** 0.5, min(1.0, 1.5 / n))


def _paired(one, other, how):
    """Which of the problems each of them got right; MinidsError with the reason if that cannot be said."""
    kept = [row.get("outcomes") for row in (one, other)]
    if not all(isinstance(k, dict) and isinstance(k.get(how), str) for k in kept):
        raise MinidsError("outcomes not kept")
    n, m = one.get("n"), other.get("n")
    if n != m or kept[0].get("problems") != kept[1].get("problems"):
        raise MinidsError("different problems")
    if type(n) is not int or not 0 < n <= PROBLEMS:
        raise MinidsError("their number is odd")
    try:
        return [read_outcomes(k[how], n) for k in kept]
    except ValueError:
        raise MinidsError("damaged") from None


def families(entries: Iterable[Entry]) -> list[str]:
    """All that any of them was asked, in order."""
    return list(dict.fromkeys(family for entry in entries for family in entry.run.families))
