"""How a speed is measured: in turns with a peer, in one process; and what the machine can do at most."""

import statistics
import time
from collections.abc import Callable, Iterable, Sequence

import torch

from minids.errors import MinidsError
from minids.model.ops import linear


def need(package: str) -> None:
    """Raises MinidsError, with what to install, where a package to compare with is missing."""
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


def alternate(
    runs: Sequence[Callable], repeats: int, clock: Callable[[], float] = time.process_time, warmup: int = 1
) -> list[list[float]]:
    """Seconds of each function in `runs`, taken in turns: [len(runs)][repeats]."""
    seconds = [[] for _ in runs]
    for i in range(-warmup, repeats):
        for k, run in enumerate(runs):
            begin = clock()
            run()
            if i >= 0:
                seconds[k].append(clock() - begin)
    return seconds


def fastest(settings: Iterable, build: Callable, repeats: int = 2) -> object:
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


def row(
    name: str,
    work: float,
    ours: Sequence[float],
    peer: Sequence[float],
    peer_name: str,
    unit: str,
    config: str,
    peer_work: float | None = None,
) -> dict:
    """A row from amounts of work and the seconds of alternating runs; both sides may have done different amounts."""
    peer_work = work if peer_work is None else peer_work
    rates = [[w / s for s in seconds] for w, seconds in ((work, ours), (peer_work, peer))]
    return {
        "name": name,
        "ours": statistics.median(rates[0]),
        "peer": statistics.median(rates[1]),
        "peer_name": peer_name,
        "ratio": statistics.median(a / b for a, b in zip(*rates)),
        "unit": unit,
        "device": "cpu",
        "config": config,
    }


def same(what: str, ours: torch.Tensor, theirs: torch.Tensor, limit: float) -> None:
    """Raises unless two tensors agree to `limit`, relative to their norm."""
    difference = ((ours - theirs).norm() / theirs.norm().clamp(min=1e-30)).item()
    if not difference <= limit:
        raise MinidsError(f"bench: {what} of minids and its peer differ by {difference:.1e}; there is nothing to time.")


# -- what the machine can do -------------------------------------------------------------------------------------------


def seconds_of(run: Callable, times: int = 30, repeats: int = 5) -> float:
    """Least CPU seconds of one call."""
    run()
    return min(s / times for s in alternate([lambda: [run() for _ in range(times)]], repeats)[0])


def machine() -> dict[str, float]:
    """GEMM rates in GFLOP/s of both libraries at [2048, 96] x [96, 512],
    and microseconds of an operation on one number."""
    a, w, one = torch.randn(2048, 96), torch.randn(512, 96), torch.zeros(1)
    flops = 2 * 2048 * 96 * 512
    with torch.no_grad():
        return {
            "torch.mm GFLOP/s": flops / seconds_of(lambda: torch.mm(a, w.T), 10) / 1e9,
            "minids GFLOP/s": flops / seconds_of(lambda: linear.matmul_nt(a, w), 10) / 1e9,
            "dispatch us": seconds_of(lambda: one + one, 2000) * 1e6,
        }
