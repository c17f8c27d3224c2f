"""A student's function in a process of its own, behind fences; the judge calls it as if it were here.

    grader      holds the cases, the expected values and the points; runs nothing of the student's
      └ nursery     a clean process that has imported torch and the library, and never a case
          └ worker      one for each answer, forked from the nursery: limits, fences, then the answer

Arguments go down pickled, for the grader is trusted. What comes up is data and is checked (protocol.py): a patched
checker, torch or builtin in the worker changes nothing here, and an object with its own ideas of equality does not
cross.
Changed arguments are carried back, random numbers too, so that a case behaves as it does in a notebook. An answer that
hangs, ends its process or asks for too much memory loses that call; the next one gets a new worker, once. What it says
in words is shown as its own: the name of its exception stands in front, further lines begin with "|".

The lower two are in worker.py, and what stands in an answer's way is in isolation.py. Where all of that stands, a
worker sees no process but its nursery and itself, no network, no file but Python's and one empty folder; it cannot
start a process or send a signal, and the folder of the cases is out of its reach. What separation within one user
cannot rule out is a hole in the system's kernel, or a full disk; and where the system refuses namespaces, Landlock and
seccomp (macOS has none), an answer can still read that user's files and kill the nursery or the grader. An answer may
also copy the library's own function: that is public, and the table of points says where the code is the same. So:
grade strangers' work in a container or a virtual machine that holds no more than the submissions, with no network, a
limit on its disk, and nothing in it that is worth stealing.
"""

import atexit
import io
import json
import os
import pickle
import re
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import torch

from minids import child
from minids.course import arguments, cases, exercises
from minids.course.grading import isolation, protocol, worker
from minids.errors import MinidsError

_START = 300  # seconds in which the nursery must have imported torch


@dataclass(frozen=True)
class Limits:
    """What one answer may take; reaching a limit ends it.

    cpu      seconds of processor time, of one worker; the cases of an exercise take the library less than 1
    call     seconds by the clock for one call: higher, for a busy machine is no fault of the answer
    total    seconds by the clock for all calls of one answer
    memory   bytes beyond what torch and the library take
    file     bytes of one file in the empty folder
    files    open at a time
    lives    workers for one answer: an endless loop costs 12 seconds
    whole    seconds by the clock for all of one answer, with the judging of what it gave
    judge    bytes that the process of the judge may take beyond what it has at the start
    """

    cpu: int = 6
    call: float = 30.0
    total: float = 90.0
    memory: int = 2 << 30
    file: int = 64 << 20
    files: int = 64
    lives: int = 2
    whole: float = 180.0
    judge: int = 2 << 30


class NoResult(AssertionError):
    """The answer gave nothing that can be judged. No case may count this as an exception that it expects."""


class Stopped(NoResult):
    """It hung, ended its process, or sent bytes that are no data."""


class Unsendable(NoResult):
    """What it gave back, or left in its arguments, is no data, or too much of it."""


# -- the grader's side -------------------------------------------------------------------------------------------------


class Remote:
    """The function of an answer. `source` is the text of its cell or file; it runs in a worker, never here.

    Use as a context: with Remote(name, source) as fn: fn(x). `stopped` lists why workers ended before their time,
    `no_result` why the last call that gave none did not, and `trouble` what may be the machine's fault.
    """

    def __init__(self, name, source, limits=None):
        self.name, self.source, self.limits = name, source, limits or Limits()
        self.__name__ = exercises.PLACES[name].function
        self.stopped, self.no_result, self.trouble, self.seconds = [], "", "", 0.0
        self.socket = None
        self.nursery = nursery_here()
        self.folder = Path(tempfile.mkdtemp(dir=self.nursery.folder))

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()

    def close(self):
        """Ends the worker and removes its folder."""
        if self.socket is not None:
            self._end("")
        _remove(self.folder)

    def __call__(self, *args, **kwargs):
        return self._ask("call", None, args, kwargs)

    def gradients(self, *args, **settings):
        """cases.gradients, computed where the function is."""
        return self._ask("gradients", None, args, settings)

    def __getitem__(self, grid):
        """A Triton kernel's launch."""
        return lambda *args, **kwargs: self._ask("launch", grid, args, kwargs)

    def _ask(self, what, grid, args, kwargs):
        known = arguments.changeable(args, kwargs)
        random_numbers = arguments.everybodys()
        modes = torch.is_grad_enabled(), torch.get_default_dtype()
        asked = _dumps((what, grid, args, kwargs, known, random_numbers, modes))
        if self.socket is None:
            self._begin()
        start = time.monotonic()
        seconds = min(self.limits.call, max(self.limits.total - self.seconds, 0.0))
        end = start + seconds
        try:
            child.send(self.socket, protocol.LENGTHS.pack(0, len(asked)) + asked, end)
            head, body = protocol.receive(self.socket, end)
            answer = protocol.value_of(head, body, known)
            kind, given, changes, numbers, line = answer
            if kind in ("result", "raised"):
                self._carry_back(known, changes, numbers)
            if kind == "raised":
                raised = _raised(given, line, self.source)
            elif kind == "unsendable":
                raised = Unsendable(f"what it gave back cannot be judged: {protocol.why(*given)}")
            elif kind == "unfit":
                raised = Unsendable("a case gives its function an object whose class another process does not have")
            elif kind != "result":
                raise protocol.BadData("a message of an unknown kind")
        except TimeoutError:
            whole = f"{self.limits.total:g} seconds in all" if seconds < self.limits.call else f"{seconds:g} seconds"
            self.trouble = f"it took more than {whole} by the clock"
            raise self._end(f"it took more than {whole}") from None
        except (OSError, EOFError):
            raise self._end() from None
        except protocol.BadData as error:
            raise self._end(f"what came back is no data: {error}") from None
        except (TypeError, ValueError):
            raise self._end("what came back is no data") from None
        finally:
            self.seconds += time.monotonic() - start
        if kind == "result":
            return given
        if isinstance(raised, NoResult):
            self.no_result = str(raised)
        raise raised

    def _carry_back(self, known, changes, numbers):
        for k, new in changes:
            try:
                arguments.put(known[k], new)
            except Exception as error:
                raise protocol.BadData(f"an argument was changed into {type(new).__name__}") from error
        if numbers is not None:
            try:
                arguments.put_everybodys(numbers)
            except Exception as error:
                raise protocol.BadData("random numbers in a state that is none") from error

    def _begin(self):
        if len(self.stopped) >= self.limits.lives or self.stopped and self.seconds >= self.limits.total:
            raise Stopped(f"not run: it was stopped before ({self.stopped[-1]})")
        here, there = socket.socketpair()
        with there:
            self.nursery.fork(self.source, there)
        self.socket = here
        first = pickle.dumps((self.name, self.source, str(self.folder), self.limits))
        try:
            child.send(here, protocol.LENGTHS.pack(0, len(first)) + first, time.monotonic() + self.limits.call)
        except OSError:
            raise self._end() from None

    def _end(self, why=None):
        """Ends the worker -> Stopped, with the reason for it."""
        self.socket.close()
        self.socket = None
        status, cpu = self.nursery.reap(patient=why is None)
        if why is None:
            why = _reason(status, cpu, self.limits)
            if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL and cpu < self.limits.cpu:
                self.trouble = "its process was killed (SIGKILL)"
        self.stopped += [why] if why else []
        self.no_result = f"stopped: {why}" if why else self.no_result
        return Stopped(f"stopped: {why}")


class _Pickler(pickle.Pickler):
    def reducer_override(self, value):
        """torch pickles tensors of FP8 into what it cannot read again (2.13): they go as bytes."""
        if isinstance(value, torch.Tensor) and str(value.dtype).startswith("torch.float8"):
            return arguments.typed, (value.detach().view(torch.uint8), value.dtype)
        return NotImplemented


def _dumps(value):
    try:
        data = io.BytesIO()
        _Pickler(data).dump(value)
        return data.getvalue()
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise MinidsError(f"a case gives its function what cannot be sent to another process: {error}") from None


def _raised(given, line, source):
    """The exception that the answer raised, as one of those that are known here. Its words are marked as its own."""
    names, message = given
    if not isinstance(names, list) or not all(isinstance(n, str) for n in names):
        raise protocol.BadData("an exception without a name")
    names = [re.sub(r"\W", "", n)[:60] for n in names[:50]]
    message = message[:2000].replace("\n", "\n    | ") if isinstance(message, str) else ""
    if message in (cases.NO_GRADIENT, cases.NOTHING):  # the judge's own words, said there
        return AssertionError(message)
    known = {e.__name__: e for e in _exceptions(Exception)} | {"MinidsError": MinidsError, "SystemExit": SystemExit}
    cls = next((known[n] for n in names if n in known), RuntimeError)
    if not names or names[0] not in known:
        message = f"{names[0] if names else 'an error'}: {message}"
    elif issubclass(cls, AssertionError):  # of the judge's own nothing stands in front
        message = f"it raises {names[0]}: {message}"
    try:
        error = cls(message)
    except TypeError:  # some want more than a message
        error = RuntimeError(f"{cls.__name__}: {message}")
    lines = source.split("\n")
    inside = type(line) is int and 0 < line <= len(lines)
    error.remote_line = f"in line {line}: {lines[line - 1].strip()[:200]}" if inside else ""
    error.remote_name = names[0] if names else cls.__name__  # as it was called there, for a diagnosis
    return error


def _exceptions(cls):
    yield cls
    for below in cls.__subclasses__():
        if below.__module__ in ("builtins", "torch"):
            yield from _exceptions(below)


def _reason(status, cpu, limits):
    if os.WIFSIGNALED(status):
        sent = os.WTERMSIG(status)
        if sent == signal.SIGXCPU or cpu >= limits.cpu:
            return f"it used more than {limits.cpu} seconds of processor time; does a loop never end?"
        name = signal.Signals(sent).name if sent in set(signal.Signals) else str(sent)
        return f"its process crashed, or was killed for its use of memory ({name})"
    return f"it ended its own process (exit code {os.waitstatus_to_exitcode(status)})"


# -- the nursery -------------------------------------------------------------------------------------------------------

_BOOT = """import json, runpy, sys
fd, path, folder, fences = json.loads(sys.argv[1])
sys.path[:] = path
left = runpy.run_path(fences)["leave_the_world"]()  # before anything else is imported: it wants a single thread
from minids.course.grading import worker
worker.live(fd, folder, left)
"""


class Nursery:
    """The grader's handle on the clean process that forks workers, one at a time."""

    def __init__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="minids-grade-")).resolve()
        kept = {k: v for k, v in os.environ.items() if k in ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")}
        settings = isolation.environment(self.folder) | {"CUDA_VISIBLE_DEVICES": "", "TRITON_INTERPRET": "1"}
        told = [[p for p in sys.path if p], str(self.folder), isolation.__file__]
        with tempfile.TemporaryFile() as said:
            self.process, self.socket = child.start(
                _BOOT, told, "-I", "-B", stderr=said, env=kept | settings, cwd=self.folder
            )
            try:
                self.fences = json.loads(protocol.receive(self.socket, time.monotonic() + _START)[1])
            except (OSError, EOFError):
                self.process.kill()
                said.seek(0)
                text = said.read()[-1500:].decode(errors="replace")
                raise MinidsError(f"the process in which answers run did not start:\n{text}") from None

    def fork(self, source, there):
        """Starts a worker for an answer, with the libraries in memory that its text names."""
        named = set(re.findall(r"\w+", source))
        data = json.dumps([n for n in worker.LIBRARIES if n.partition(".")[0] in named]).encode()
        try:
            socket.send_fds(self.socket, [struct.pack("<i", len(data)) + data], [there.fileno()])
        except OSError:
            raise MinidsError("the process in which answers run is gone") from None

    def reap(self, patient=False):
        """Ends the worker and whatever it started -> (status as of wait, seconds of processor time).

        A patient one gives it a moment to end by itself, so that the status says why.
        """
        try:
            child.send(self.socket, struct.pack("<i", -1 - patient), time.monotonic() + 30)
            return worker.STATUS.unpack(child.exactly(self.socket, worker.STATUS.size, time.monotonic() + 30))
        except (OSError, EOFError):  # killed by the answer, where the system has no fence against that
            _close()
            return signal.SIGKILL, 0.0

    def alive(self):
        """Whether it still listens. It says nothing unasked: what can be read now is its end."""
        return self.socket.fileno() >= 0 and not select.select([self.socket], [], [], 0)[0]

    def close(self):
        """Ends the process and removes its folder."""
        try:
            self.socket.shutdown(socket.SHUT_RDWR)  # other processes of the grader may hold it too
        except OSError:
            pass
        self.socket.close()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        _remove(self.folder)


def _remove(folder):
    try:
        shutil.rmtree(folder, ignore_errors=True)
    except RecursionError:  # folders in folders, without end
        subprocess.run(["rm", "-rf", "--", str(folder)], check=False)


_held = None  # (process that uses it, nursery)


def nursery_here():
    """The nursery of this process, which is started when there is none."""
    global _held
    if not (hasattr(os, "fork") and hasattr(socket, "send_fds") and isolation.resource):
        raise MinidsError("grading needs Linux or macOS; on Windows use WSL or a container")
    if _held is None or _held[0] != os.getpid() or not _held[1].alive():
        _close()
        _held = os.getpid(), Nursery()
        atexit.register(_close)
    return _held[1]


def take_over(nursery):
    """For a process that was forked: this nursery, started by its parent, is its own from now on."""
    global _held
    _held = os.getpid(), nursery


def renewed(nursery):
    """A nursery in the place of one that is gone, or that has lost the process which gave it orders."""
    if _held is not None and _held == (os.getpid(), nursery):
        _close()
        return nursery_here()
    nursery.close()
    return Nursery()


def _close():
    global _held
    if _held is not None and _held[0] == os.getpid():
        _held[1].close()
    _held = None


def standing():
    """The fences that stand here, in words."""
    return nursery_here().fences
