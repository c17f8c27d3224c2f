"""Data parallelism on one machine: several single-thread processes that sum their gradients over gloo.

    g = sum_r g_r    one flat all-reduce a step; every process then takes the same optimizer step on the same weights

Why processes and not threads: matrices of a tiny model are too small to split. Two OpenMP threads meet at a barrier
after every product, two processes meet once a step. The price: each has its own copy of the weights and its own Python.

    run(fn, world, *args)     calls fn(rank, world, *args) in `world` processes, rank 0 in this one
    Comm(rank, world)         what fn uses to talk to the others; with world = 1 every method does nothing

The processes live and die together: the children follow when the parent ends, however it ends; when a child ends, the
parent raises an error that says so. Works without a network (a file for the rendezvous, the loopback device for data).

Left out: several machines, GPUs, sharded weights.
"""

import multiprocessing
import multiprocessing.connection
import os
import signal
import socket
import tempfile
import threading
import time
import traceback
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import torch
import torch.distributed as dist
from torch import Tensor, nn

from minids.errors import MinidsError
from minids.train import memory

START_SECONDS = 120  # a child imports torch and its arguments in a few seconds, on a loaded machine in more
TIMEOUT = timedelta(hours=2)  # longest wait of one process for another; a dead process is noticed at once, not by this


class Comm:
    """The collectives that training needs. All processes must call the same ones in the same order."""

    def __init__(self, rank: int = 0, world: int = 1):
        self.rank, self.world = rank, world

    def all_reduce_(self, tensor: Tensor) -> Tensor:
        """Sums over processes in place."""
        if self.world > 1:
            dist.all_reduce(tensor)
        return tensor

    def gather(self, value) -> list:
        """[value of rank 0, value of rank 1, …] on every process, for any picklable value."""
        if self.world == 1:
            return [value]
        values = [None] * self.world
        dist.all_gather_object(values, value)
        return values

    @torch.no_grad()
    def broadcast_model(self, model: nn.Module) -> None:
        """Gives every process rank 0's parameters and buffers."""
        if self.world > 1:
            for tensor in (*model.parameters(), *model.buffers()):
                dist.broadcast(tensor.data, src=0)

    def barrier(self) -> None:
        """Waits until every process is here."""
        if self.world > 1:
            dist.barrier()


def available_cpus() -> int:
    """CPUs that this process may use: its affinity, and a container's quota."""
    try:
        count = len(os.sched_getaffinity(0))
    except AttributeError:  # macOS, Windows
        count = os.cpu_count() or 1
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text(encoding="utf-8").split()[:2]
        count = min(count, max(1, int(quota) // int(period)))
    except (OSError, ValueError):  # no cgroup v2, or "max"
        pass
    return count


def choose_workers(device) -> int:
    """Processes for this machine: 2 on a CPU with two or more cores, else 1."""
    return 2 if torch.device(device).type == "cpu" and available_cpus() >= 2 and dist.is_available() else 1


def run(fn, world: int, *args):
    """fn(rank, world, *args) in `world` processes; returns what rank 0 returns. `fn` and `args` must be picklable.
    Raises MinidsError where processes cannot be started."""
    memory.keep()
    if world == 1:
        return fn(0, 1, *args)
    if not dist.is_available():
        raise MinidsError(f"--workers {world}: this torch was built without torch.distributed; use --workers 1.")
    if dist.is_initialized():
        raise MinidsError("processes cannot be started from inside a process group: use one level of workers")
    # what a killed run leaves in the temporary folder is the system's to clean; Windows keeps files that are still open
    with tempfile.TemporaryDirectory(prefix="minids-", ignore_cleanup_errors=True) as folder, _one_thread():
        rendezvous = os.path.join(folder, "rendezvous")
        children = _start(fn, world, rendezvous, args)
        try:
            for child in children:
                child.wait_until_ready()
            _join_group(0, world, rendezvous)
            result = fn(0, world, *args)
            for child in children:
                child.wait_until_done()
            return result
        except BaseException as error:
            # Was it our own fault, or did a child go first and break the connection that we waited on?
            if isinstance(error, (MinidsError, KeyboardInterrupt)):
                raise
            if failure := _first_failure(children, patience=2.0 if isinstance(error, RuntimeError) else 0.0):
                raise failure from error
            raise
        finally:
            for child in children:
                child.stop()
            if dist.is_initialized():
                dist.destroy_process_group()


class _Child:
    """A started process and the pipe on which it says `ready`, then `done` or what went wrong."""

    def __init__(self, rank: int, process, pipe):
        self.rank, self.process, self.pipe = rank, process, pipe
        self.done, self.failure = False, None

    def poll(self, seconds: float | None) -> str | None:
        """Waits for a message or the end of the process; `ready`, `done`, or None when there is no (good) news."""
        multiprocessing.connection.wait([self.pipe, self.process.sentinel], seconds)
        try:
            message = self.pipe.recv() if self.pipe.poll() else None
        except (EOFError, OSError):
            message = None
        if message == "done":
            self.done = True
        elif isinstance(message, tuple):
            self.failure = _child_error(self.rank, *message)
        elif message is None and not self.process.is_alive() and not self.done and self.failure is None:
            self.process.join()
            cause = _cause(self.process.exitcode)
            self.failure = MinidsError(
                f"worker process {self.rank} ended without a word ({cause}): the run is "
                "stopped; go on with resume=True, with one worker if it happens again"
            )
        return message if isinstance(message, str) else None

    def wait_until_ready(self) -> None:
        message = self.poll(START_SECONDS)
        if self.failure:
            raise self.failure
        if message != "ready":
            raise MinidsError(f"worker process {self.rank} did not start within {START_SECONDS} s: use one worker")

    def wait_until_done(self) -> None:
        while not self.done:
            self.poll(None)
            if self.failure:
                raise self.failure

    def stop(self) -> None:
        self.process.join(5 if self.done else 0)
        for end in (self.process.terminate, self.process.kill):
            if self.process.is_alive():
                end()
                self.process.join(3)
        self.pipe.close()


def _start(fn, world: int, rendezvous: str, args: tuple) -> list[_Child]:
    context = multiprocessing.get_context("spawn")  # a forked copy of torch's threads and locks may hang
    children = []
    try:
        for rank in range(1, world):
            ours, theirs = context.Pipe()
            process = context.Process(
                target=_worker,
                args=(rank, world, rendezvous, theirs, fn, args),
                daemon=True,
                name=f"minids-worker-{rank}",
            )
            process.start()
            theirs.close()
            children.append(_Child(rank, process, ours))
    except BaseException:
        for child in children:
            child.stop()
        raise
    return children


def _worker(rank: int, world: int, rendezvous: str, pipe, fn, args: tuple) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole terminal; the parent decides
    threading.Thread(target=_die_with_parent, daemon=True).start()
    torch.set_num_threads(1)
    memory.keep()
    try:
        pipe.send("ready")
        _join_group(rank, world, rendezvous)
        fn(rank, world, *args)
        pipe.send("done")
    except BaseException as error:
        pipe.send((isinstance(error, MinidsError), str(error), traceback.format_exc()))
    finally:
        if dist.is_initialized():
            dist.destroy_process_group()


def _die_with_parent() -> None:
    """The parent holds the other end of a pipe that the kernel closes when it ends, even by kill -9."""
    multiprocessing.parent_process().join()
    os._exit(1)


def _join_group(rank: int, world: int, rendezvous: str) -> None:
    store = dist.FileStore(rendezvous, world)  # a plain path: as a URL, Windows wants it spelled otherwise
    dist.init_process_group("gloo", store=store, rank=rank, world_size=world, timeout=TIMEOUT)


def _first_failure(children: list[_Child], patience: float) -> Exception | None:
    """A closed connection is seen a moment before the process that closed it is gone: look for `patience` seconds."""
    deadline = time.monotonic() + patience
    while True:
        for child in children:
            child.poll(0.02)
            if child.failure:
                return child.failure
        if time.monotonic() >= deadline:
            return None


def _child_error(rank: int, users_mistake: bool, message: str, trace: str) -> Exception:
    return MinidsError(message) if users_mistake else RuntimeError(f"worker process {rank} failed:\n{trace}")


def _cause(exitcode: int) -> str:
    if exitcode >= 0:
        return f"exit code {exitcode}"
    name = next((s.name for s in signal.Signals if s == -exitcode), f"signal {-exitcode}")
    return f"killed by {name}" + (", often for lack of memory" if name == "SIGKILL" else "")


@contextmanager
def _one_thread():
    """One thread per process and loopback only, for us and, through the environment, for the children."""
    loopback = {"lo", "lo0"} & {name for _, name in socket.if_nameindex()} if hasattr(socket, "if_nameindex") else set()
    settings = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    if loopback and "GLOO_SOCKET_IFNAME" not in os.environ:
        settings["GLOO_SOCKET_IFNAME"] = loopback.pop()
    before, threads = {key: os.environ.get(key) for key in settings}, torch.get_num_threads()
    os.environ.update(settings)
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
        for key, value in before.items():
            os.environ.pop(key, None)
            if value is not None:
                os.environ[key] = value
