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
import statistics
import sys
import time

import torch

from minids.errors import MinidsError
from minids.model import matmul
from minids.progress import Progress

PARTS = ("train", "decode", "tokenizer", "kernels")


def main(what=None, as_json=False):
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


def run_bench(part, notes=None):
    """The rows of one part; `notes` collects lines that belong below the table."""
    notes = [] if notes is None else notes
    if part == "tokenizer":
        need("tokenizers")
        from minids.ship import bench_text

        return bench_text.bench_bpe()
    if part == "kernels":
        from minids.ship import bench_kernels

        with single_thread(), Progress("bench kernels", len(bench_kernels.ROWS), "group") as bar:
            rows = bench_kernels.rows(bar)
        if not torch.cuda.is_available():
            notes.append("kernels: no GPU here; Triton's interpreter ran them at toy sizes: right, and not measured.")
        return rows
    need("transformers")
    from minids.ship import bench_decode, bench_train

    measures, rows = (bench_train if part == "train" else bench_decode).ROWS, []
    with single_thread(), Progress(f"bench {part}", len(measures), "row") as bar:
        for measure in measures:
            rows.append(measure())
            bar.update(1, ratio=rows[-1]["ratio"])
        notes += limits()
    return rows


def need(package):
    try:
        __import__(package)
    except ImportError:
        raise MinidsError(
            f"minids bench compares with {package}, which is not here: pip install 'minids[dev]'."
        ) from None


class single_thread:
    """Within it torch has one thread; before and after, as many as it had."""

    def __enter__(self):
        self.before = torch.get_num_threads()
        torch.set_num_threads(1)

    def __exit__(self, *exc):
        torch.set_num_threads(self.before)


# -- measuring ---------------------------------------------------------------------------------------------------------


def alternate(runs, repeats, clock=time.process_time, warmup=1):
    """Seconds of each function in `runs`, taken in turns: [len(runs)][repeats]."""
    seconds = [[] for _ in runs]
    for i in range(-warmup, repeats):
        for k, run in enumerate(runs):
            begin = clock()
            run()
            if i >= 0:
                seconds[k].append(clock() - begin)
    return seconds


def fastest(settings, build, repeats=2):
    """The setting whose run takes the least time; `build(setting)` gives a function.
    What a peer refuses is left out."""
    best = None
    for setting in settings:
        try:
            (seconds,) = alternate([build(setting)], repeats)
        except (ValueError, ImportError, NotImplementedError):
            continue
        if best is None or min(seconds) < best[0]:
            best = (min(seconds), setting)
    return best[1]


def row(name, work, ours, peer, peer_name, unit, config, peer_work=None):
    """A row from amounts of work and the seconds of alternating runs; both sides may have done different amounts."""
    peer_work = work if peer_work is None else peer_work
    rates = [[w / s for s in seconds] for w, seconds in ((work, ours), (peer_work, peer))]
    return {
        "name": name, "ours": statistics.median(rates[0]), "peer": statistics.median(rates[1]), "peer_name": peer_name,
        "ratio": statistics.median(a / b for a, b in zip(*rates)), "unit": unit, "device": "cpu", "config": config,
    }  # fmt: skip


def same(what, ours, theirs, limit):
    """Raises unless two tensors agree to `limit`, relative to their norm."""
    difference = ((ours - theirs).norm() / theirs.norm().clamp(min=1e-30)).item()
    if not difference <= limit:
        raise MinidsError(f"bench: {what} of minids and its peer differ by {difference:.1e}; there is nothing to time.")


# -- what the machine can do -------------------------------------------------------------------------------------------


def seconds_of(run, times=30, repeats=5):
    """Least CPU seconds of one call."""
    run()
    return min(s / times for s in alternate([lambda: [run() for _ in range(times)]], repeats)[0])


def machine():
    """GEMM rates in GFLOP/s of both libraries at [2048, 96] x [96, 512],
    and microseconds of an operation on one number."""
    a, w, one = torch.randn(2048, 96), torch.randn(512, 96), torch.zeros(1)
    flops = 2 * 2048 * 96 * 512
    with torch.no_grad():
        return {
            "torch.mm GFLOP/s": flops / seconds_of(lambda: torch.mm(a, w.T), 10) / 1e9,
            "minids GFLOP/s": flops / seconds_of(lambda: matmul.times(a, w), 10) / 1e9,
            "dispatch us": seconds_of(lambda: one + one, 2000) * 1e6,
        }


def limits():
    """Lines that say what bounds the rates above: products for training, the number of operations for decoding."""
    from minids.ship.bench_decode import operations_a_token
    from minids.ship.bench_train import flops_a_token, tiny_config

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


def table(rows):
    """rich's table on a terminal that has it, plain columns elsewhere; returned as text."""
    head = ["", "minids", "peer", "ratio", "unit", "peer is"]
    lines = [
        [r["name"], f"{r['ours']:,.4g}", f"{r['peer']:,.4g}", f"{r['ratio']:.2f}x", r["unit"], r["peer_name"]]
        if r["ratio"] is not None else [r["name"], "-", "-", "not measured", r["unit"], r["peer_name"]]
        for r in rows
    ]  # fmt: skip
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
