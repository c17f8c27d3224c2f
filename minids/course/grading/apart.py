"""Work in forked processes that may hang, run out of memory or be killed: what is lost then is one piece of work.

    running = Job(work)   ->  {"done": what work() returned}  |  {"error": a message for the user}  |  {"died": why}

A job sends back data as JSON and nothing else. It ends with the process that started it, at the latest at its deadline.
"""

import json
import os
import select
import signal
import sys
import time
from collections import deque

from minids.course.grading import isolation
from minids.errors import MinidsError

LARGEST = 4 << 20  # bytes of what a job sends back


class Job:
    """work() in a process of its own, with `memory` bytes beyond what this one holds, for at most `seconds`."""

    def __init__(self, work, seconds, memory):
        self.end, self.data = time.monotonic() + seconds, bytearray()
        self.seconds, parent = seconds, os.getpid()
        self.pipe, there = os.pipe()
        sys.stdout.flush()
        sys.stderr.flush()
        held = signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)  # or it would answer one with its parent's handler
        self.pid = os.fork()
        if self.pid == 0:
            _live(work, there, parent, memory, held)
        signal.pthread_sigmask(signal.SIG_SETMASK, held)
        os.close(there)

    def read(self):
        """Takes what has come -> the outcome, once it is whole."""
        part = os.read(self.pipe, 1 << 16)
        self.data += part
        if len(self.data) > LARGEST:
            return self.kill("it sent back too much")
        return None if part else self.kill()

    def kill(self, why=""):
        """Ends the process -> the outcome."""
        if why:
            os.kill(self.pid, signal.SIGKILL)
        os.close(self.pipe)
        _, status = os.waitpid(self.pid, 0)
        try:
            return json.loads(self.data) if not why else {"died": why}
        except ValueError:
            code = os.waitstatus_to_exitcode(status)
            how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
            return {"died": f"the process that judged it was killed ({how}), as happens when memory runs out"}


ENDING = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP} if hasattr(signal, "SIGHUP") else {signal.SIGINT}


def _live(work, there, parent, memory, held):
    """The life of a job's process. It never returns."""
    try:
        isolation.die_with_parent(parent)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # it came to all of a terminal's processes; the parent sees to it
        for number in ENDING - {signal.SIGINT}:
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, held)
        isolation.limit_memory(memory)
        try:
            told = {"done": work()}
        except MinidsError as error:
            told = {"error": str(error)}
        except Exception as error:
            told = {"died": f"the judge failed ({type(error).__name__}: {str(error)[:300]})"}
        data = memoryview(json.dumps(told).encode())
        while data:
            data = data[os.write(there, data) :]
    finally:
        os._exit(0)


def each(items, start, places):
    """Runs start(item, place) -> Job for every item, one at a time in each place; gives (item, place, outcome).

    Whatever ends this generator ends the jobs.
    """
    waiting, running, free = deque(items), {}, list(reversed(range(places)))
    try:
        while waiting or running:
            while waiting and free:
                item, place = waiting.popleft(), free.pop()
                job = start(item, place)
                running[job.pipe] = job, item, place
            left = min(job.end for job, _, _ in running.values()) - time.monotonic()
            ready, _, _ = select.select(list(running), [], [], max(left, 0.0))
            late = [p for p, (job, _, _) in running.items() if p not in ready and job.end <= time.monotonic()]
            for pipe in [*ready, *late]:
                job, item, place = running[pipe]
                outcome = job.kill(f"judging it took more than {job.seconds:g} seconds") if pipe in late else job.read()
                if outcome is not None:
                    del running[pipe]
                    free.append(place)
                    yield item, place, outcome
    finally:
        for job, _, _ in running.values():
            job.kill("stopped")
