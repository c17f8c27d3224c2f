"""A progress display: bar, rate, time left and the latest values (`loss=1.234`).

With rich installed and stderr a terminal it is a live bar; otherwise it is one plain line at most every few seconds, so
that a log file stays readable. Everything goes to stderr: stdout belongs to results (`--json`). Under data parallelism
only rank 0 should show one (`quiet=True` elsewhere).
"""

import sys
import time

PLAIN_INTERVAL = 5.0  # seconds between plain lines
LIVE_INTERVAL = 0.2  # seconds between redraws of the live bar; drawn by update(), so no thread competes for a core


def console():
    """A terminal whose code page lacks a character shows "?" for it; the program does not end there."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")


class Progress:
    """`with Progress("pretrain", 1000) as bar: bar.update(1, loss=2.3)`.

    `initial` is where a resumed run starts: it counts towards the bar, not towards the rate.
    """

    def __init__(self, title: str, total: int, unit: str = "step", quiet: bool = False, initial: int = 0):
        self.title, self.total, self.unit, self.quiet = title, total, unit, quiet
        self.done = self.initial = initial
        self.values: dict = {}
        self._bar = None
        self._started = self._shown = time.monotonic()

    def __enter__(self) -> "Progress":
        self._started = self._shown = time.monotonic()
        if not self.quiet and sys.stderr.isatty():
            self._bar = _rich_bar(self.title, self.total, self.initial)
        return self

    def __exit__(self, *exc) -> None:
        if self.quiet:
            return
        self._show(last=True)
        if self._bar is not None:
            self._bar.stop()

    def update(self, n: int = 1, **values) -> None:
        """`n` more are done; `values` are shown from now on."""
        self.done += n
        self.values.update(values)
        interval = LIVE_INTERVAL if self._bar is not None else PLAIN_INTERVAL
        if not self.quiet and time.monotonic() - self._shown >= interval:
            self._show()

    def note(self, text: str) -> None:
        """Prints one line without tearing the bar."""
        if self.quiet:
            return
        if self._bar is not None:
            self._bar.console.print(text, markup=False, highlight=False)
        else:
            print(text, file=sys.stderr, flush=True)

    @property
    def rate(self) -> float:
        """Units per second since the start (0 before the first one)."""
        return (self.done - self.initial) / max(time.monotonic() - self._started, 1e-9)

    def line(self) -> str:
        """The plain line: `pretrain  120/1000 steps (12%)  8.3 steps/s  left 1:46  loss 1.234`."""
        percent = 100 * self.done // max(self.total, 1)
        parts = [
            f"{self.title}  {self.done}/{self.total} {self.unit}s ({percent}%)",
            self._speed(),
            " ".join(f"{k} {_number(v)}" for k, v in self.values.items()),
        ]
        return "  ".join(p for p in parts if p)

    def _speed(self) -> str:
        if self.done >= self.total:
            return f"in {_clock(time.monotonic() - self._started)}"
        if self.rate == 0:
            return ""
        left = (self.total - self.done) / self.rate
        rate = f"{self.rate:.3g} {self.unit}s/s" if self.rate >= 1 else f"{1 / self.rate:.3g} s/{self.unit}"
        return f"{rate}  left {_clock(left)}"

    def _show(self, last: bool = False) -> None:
        self._shown = time.monotonic()
        if self._bar is None:
            print(self.line(), file=sys.stderr, flush=True)
            return
        values = " ".join(f"{k} {_number(v)}" for k, v in self.values.items())
        self._bar.update(self._bar.task_ids[0], completed=self.done, speed=self._speed(), values=values)
        self._bar.refresh()


def _rich_bar(title: str, total: int, done: int):
    """A started rich bar on stderr, or None where rich is not installed."""
    try:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
        from rich.progress import Progress as Bar
    except ImportError:
        return None
    columns = [
        TextColumn("{task.description}", style="bold"),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TextColumn("{task.fields[speed]}"),
        TextColumn("{task.fields[values]}", style="cyan"),
    ]
    bar = Bar(*columns, console=Console(stderr=True), auto_refresh=False)
    bar.add_task(title, total=total, completed=done, speed="", values="")
    bar.start()
    return bar


def _clock(seconds: float) -> str:
    minutes, seconds = divmod(int(seconds + 0.5), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"


def _number(value) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
