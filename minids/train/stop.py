"""Ctrl-C as a request: the first one lets the current step finish and be saved, the second one ends at once."""

import signal
import sys
import threading


class StopOnSignal:
    """`with StopOnSignal() as stop: … if stop.requested: save and leave`. SIGTERM ("time is up") counts too.

    Handlers can only be set in a process's main thread; elsewhere, or with `enabled=False`, nothing is caught.
    """

    def __init__(self, enabled: bool = True):
        self.requested = False
        self._enabled = enabled and threading.current_thread() is threading.main_thread()
        self._before: dict = {}

    def __enter__(self) -> "StopOnSignal":
        if self._enabled:
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._caught)
        return self

    def __exit__(self, *exc) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _caught(self, number, frame) -> None:
        if self.requested:
            raise KeyboardInterrupt
        self.requested = True
        text = "\nstopping after this step; press Ctrl-C again to end at once, without saving"
        print(text, file=sys.stderr, flush=True)
