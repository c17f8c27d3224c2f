"""`minids bench`: minids beside the libraries that one would use instead, in one process, on this machine.

    row = {name, ours, peer, peer_name, ratio, unit, device, config}        ratio > 1 where minids is ahead

Same weights, same threads, same data; the results of both sides are compared before anything is timed, and a difference
is an error. Runs alternate, ours and theirs, after a warm-up; `ours` and `peer` are medians, `ratio` is the median of
the ratios of neighbouring runs, which a machine that others use at the same time disturbs least. Each peer runs in the
fastest of its own settings, which is looked for first. What the machine could do at best is measured too and stands
below the table.

The rows are in bench_train.py, bench_decode.py and bench_text.py.
"""

import json
import sys

import torch

from minids.bench.measure import machine, need, single_thread
from minids.progress import Progress

PARTS = ("train", "decode", "tokenizer", "kernels")


def main(what: str | None = None, as_json: bool = False) -> None:
    """Runs one part or all; prints a table, or JSON alone."""
    rows, notes = [], []
    import minids.kernels.runtime  # noqa: F401 (before a peer imports Triton: without a GPU it has to be its interpreter)

    for part in PARTS if what is None else (what,):
        rows += run_bench(part, notes)
    if as_json:
        print(json.dumps(rows))
        return
    print(table(rows))
    print("\n".join(notes))


def run_bench(part: str, notes: list[str] | None = None) -> list[dict]:
    """The rows of one part; `notes` collects lines that belong below the table."""
    notes = [] if notes is None else notes
    if part == "tokenizer":
        need("tokenizers")
        from minids.bench import text

        return text.bench_bpe()
    if part == "kernels":
        from minids.bench import kernels

        with single_thread(), Progress("bench kernels", len(kernels.ROWS), "group") as bar:
            rows = kernels.rows(bar)
        if not torch.cuda.is_available():
            notes.append("kernels: no GPU here; Triton's interpreter ran them at toy sizes: right, and not measured.")
        return rows
    need("transformers")
    from minids.bench import decode, train

    measures, rows = (train if part == "train" else decode).ROWS, []
    with single_thread(), Progress(f"bench {part}", len(measures), "row") as bar:
        for measure in measures:
            rows.append(measure())
            bar.update(1, ratio=rows[-1]["ratio"])
        notes += limits()
    return rows


def limits() -> list[str]:
    """Lines that say what bounds the rates above: products for training, the number of operations for decoding."""
    from minids.bench.decode import operations_a_token
    from minids.bench.train import flops_a_token, tiny_config

    has, config = machine(), tiny_config()
    flops, operations = flops_a_token(config), operations_a_token(config)
    rate = max(has["torch.mm GFLOP/s"], has["minids GFLOP/s"])
    return [
        "",
        f"limits of one core here: products {has['torch.mm GFLOP/s']:.0f} GFLOP/s by torch.mm, "
        f"{has['minids GFLOP/s']:.0f} as minids computes them; {has['dispatch us']:.2f} us to start an operation",
        f"  training   {flops / 1e6:.2f} MFLOP a token: at most {rate * 1e9 / flops:,.0f} tokens/s, "
        "if products were all there is",
        f"  decoding   {operations} operations a step for one sequence: "
        f"at most {1e6 / operations / has['dispatch us']:,.0f} tokens/s, "
        "if each took as long as one on a single number",
    ]


# -- printing ----------------------------------------------------------------------------------------------------------


def table(rows: list[dict]) -> str:
    """rich's table on a terminal that has it, plain columns elsewhere; returned as text."""
    head = ["", "minids", "peer", "ratio", "unit", "peer is"]
    lines = [
        [r["name"], f"{r['ours']:,.4g}", f"{r['peer']:,.4g}", f"{r['ratio']:.2f}x", r["unit"], r["peer_name"]]
        if r["ratio"] is not None
        else [r["name"], "-", "-", "not measured", r["unit"], r["peer_name"]]
        for r in rows
    ]
    if not lines:
        return "no rows"
    if sys.stdout.isatty():
        try:
            from io import StringIO

            from rich.console import Console
            from rich.table import Table

            grid = Table(*head)
            for line in lines:
                grid.add_row(*line)
            console = Console(file=StringIO(), force_terminal=True)
            console.print(grid)
            return console.file.getvalue().rstrip()
        except ImportError:
            pass
    widths = [max(map(len, column)) for column in zip(head, *lines)]
    return "\n".join("  ".join(cell.ljust(w) for cell, w in zip(line, widths)).rstrip() for line in [head, *lines])
