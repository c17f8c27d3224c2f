"""`minids eval`: the evaluation of a stored model, in one process or two, and its table."""

from collections.abc import Sequence
from pathlib import Path

from minids.errors import MinidsError
from minids.eval import evaluate, model_folder
from minids.progress import Progress
from minids.tasks import registry
from minids.train import parallel

FEW = 100  # outside problems that are answered before a second process has started


def run(
    folder: str | Path,
    problems: Sequence[evaluate.OutsideProblem] | None,
    device: str,
    workers: int | None = None,
    seed: int | None = None,
    families: Sequence[str] | None = None,
) -> dict:
    """What `minids eval --json` prints: {model, style, rows, examples}, or with outside problems {…, answers}.

    families    the kinds of problems, from whoever gives the command; default what the folder says, files left out

    Raises MinidsError where the folder names no problems to ask.
    """
    model = model_folder.find_model(folder)
    if problems is None and not (families or model_folder.about_model(model)["families"]):
        raise MinidsError(
            f"{model}: it names no kind of problem that may be taken from a folder. Choose some with --families, or "
            "give problems with --problems."
        )
    for family in families or ():
        registry.get(family)
    if workers is None:
        workers = 1 if problems is not None and len(problems) <= FEW else parallel.choose_workers(device)
    return parallel.run(_run, workers, folder, problems, device, seed, families)


def _run(rank, world, folder, problems, device, seed, families):
    opened = model_folder.open_folder(folder, device, families)
    model, tokenizer, families, config = opened.model, opened.tokenizer, opened.families, opened.evaluation
    if seed is not None:
        config.seed = seed
    total = 2 * len(problems) if problems else evaluate.answers_of(config, len(families))
    with Progress("evaluate", total, "answer", quiet=rank != 0) as bar:
        how = {"stage": opened.folder.name, "style": opened.style, "comm": parallel.Comm(rank, world), "progress": bar}
        if problems is None:
            rows, texts = evaluate.evaluate(model, tokenizer, families, config, **how)
        else:
            rows, texts = evaluate.evaluate_outside(model, tokenizer, problems, config, **how)
    about = {"model": str(opened.folder), "style": opened.style, "rows": rows}
    return {**about, "examples" if problems is None else "answers": texts}


def text(found: dict, most: int = 10) -> str:
    """The table, and what was answered wrongly."""
    lines = [table(found["rows"])]
    answers = found.get("answers", [])
    wrong = [a for a in answers if not a["right"]]
    if wrong:
        shown = f", the first {most}:" if len(wrong) > most else ":"
        lines.append(f"\n{len(wrong)} of {len(answers)} wrong when answered greedily{shown}")
    for a in wrong[:most]:
        said = "gave no answer" if a["said"] is None else f"said {a['said']}"
        lines.append(f"  line {a['line']}: {a['question'][:100]}\n      {said}, right is {a['answer']}")
    return "\n".join(lines)


def table(rows: list[dict]) -> str:
    """Rows of results.json as text: a line per stage, greedy accuracy by family, pass@1 with its interval over all."""
    stages = list(dict.fromkeys(r["stage"] for r in rows))
    families = list(dict.fromkeys(r["family"] for r in rows))
    families = [f for f in families if f != "all"] + ["all"] * ("all" in families)
    lines = [["", *(f"greedy {f}" for f in families), "T=1 (95 % interval)", "tokens"]]
    for stage in stages:
        by = {r["family"]: r for r in rows if r["stage"] == stage}
        last = by[families[-1]]
        sampled = f"{_percent(last['pass1'])} ({100 * last['ci'][0]:.1f} to {100 * last['ci'][1]:.1f})"
        lines.append([stage, *(_percent(by[f]["greedy"]) for f in families), sampled, f"{last['length']:.0f}"])
    widths = [max(map(len, column)) for column in zip(*lines)]
    return "\n".join(
        "  ".join(cell.rjust(w) if i else cell.ljust(w) for i, (cell, w) in enumerate(zip(line, widths)))
        for line in lines
    )


def _percent(share):
    return f"{100 * share:.1f} %"
