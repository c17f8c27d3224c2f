"""The clean process that forks a worker for each answer, and the worker: the only places where a student's code runs.

The nursery has imported torch and the library, and never a case, so that no worker's memory holds an expected value.
Its orders come from sandbox.py, on a socket: fork a worker for an exercise (with the worker's own socket), or end it.
"""

import ast
import importlib.util
import json
import linecache
import os
import pickle
import pkgutil
import shutil
import signal
import socket
import struct
import sys
import tempfile
import time
import traceback
from pathlib import Path

import torch

import minids
from minids import dispatch
from minids.child import exactly, send
from minids.course import arguments, cases, catalog, judge
from minids.course.grading import isolation, protocol

FILE = "<answer>"
STATUS = struct.Struct("<id")  # of a worker that has ended: status as of wait, seconds of processor time


def live(fd, folder, left):
    """The life of the clean process: fork a worker when asked, end it when asked, until the grader hangs up."""
    torch.set_num_threads(1)
    control = socket.socket(fileno=fd)
    control.set_inheritable(False)
    alone = "processes" in left
    if alone:
        child = os.fork()  # process 1 of its world: no signal from inside reaches it, and with it everything ends
        if child:
            control.close()
            os.waitpid(child, 0)
            os._exit(0)
        isolation.die_with_parent()
    isolation.adopt()
    isolation.closed_to_others()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    torch.ones(2, 2).bfloat16().half().float().matmul(torch.ones(2, 2))  # has a look at the processor, once for all
    _import_library()
    readable = _readable()
    stand = ["limits", *left, *_tried(_rules(readable, folder))]
    text = json.dumps(stand).encode()
    try:
        control.sendall(protocol.LENGTHS.pack(0, len(text)) + text)
    except OSError:  # the grader was killed in the meantime; below, this is seen at once
        pass
    worker, alone = None, alone and os.getpid() == 1
    while True:
        start, fds, *_ = socket.recv_fds(control, 4, 1)
        if not start:
            _kill(worker, alone)
            shutil.rmtree(folder, ignore_errors=True)  # here too: the grader may have been killed
            os._exit(0)
        length = struct.unpack("<i", start)[0]
        if length < 0:
            control.sendall(STATUS.pack(*_kill(worker, alone, patience=2.0 if length == -2 else 0.0)))
            worker = None
            continue
        _import_libraries(json.loads(exactly(control, length, None)))
        worker = os.fork()
        if worker == 0:
            control.close()
            _work(fds[0], readable)
        os.close(fds[0])


def _import_library():
    """All of the library but the course. A worker has it in memory then, and needs none of its files."""
    for found in pkgutil.walk_packages(minids.__path__, "minids."):
        if not found.name.startswith("minids.course"):
            try:
                importlib.import_module(found.name)
            except Exception:  # it wants what is not installed here
                continue
    torch.optim.SGD([torch.zeros(1)], lr=1.0)  # the first optimizer imports torch._dynamo, which takes seconds


# What students import, and what takes long, wants threads or looks for fonts when it is imported: behind the fences it
# could not. A list, for this process runs nothing that a student has a say in.
LIBRARIES = ("matplotlib", "matplotlib.pyplot", "pandas", "scipy", "seaborn", "sympy", "sklearn", "tqdm", "IPython")


def _import_libraries(names):
    for name in names:
        if name in LIBRARIES and name not in sys.modules:
            try:
                importlib.import_module(name)
            except Exception:  # not installed; where the answer imports it, that is said
                continue


def _rules(readable, folder):
    return isolation.landlock(readable, [folder, "/dev/null", "/dev/zero", "/dev/urandom", "/dev/random"])


def _readable():
    """Python, torch and the kernels, whose text Triton reads. Not the library: its solutions, and the cases."""
    hidden = Path(minids.__file__).resolve().parent
    kernels = Path(importlib.util.find_spec("minids.kernels").submodule_search_locations[0]).resolve()
    packages = (p for p in sys.path if p.endswith(("site-packages", "dist-packages")))  # not: where the grader stands
    folders = {Path(p).resolve() for p in (sys.prefix, sys.base_prefix, os.path.dirname(torch.__file__), *packages)}
    system = ("/usr/lib", "/lib", "/lib64", "/etc/ld.so.cache", "/proc/cpuinfo", "/sys/devices/system/cpu")
    folders |= {kernels, *map(Path, system)}
    return [path for folder in sorted(folders) if folder.exists() for path in isolation.around(folder, hidden)]


def _tried(rules):
    """Which of Landlock and seccomp hold, found out in a child: they hold for good."""
    child = os.fork()
    if child == 0:
        isolation.no_new_privileges()
        os._exit(isolation.enter_landlock(rules) + 2 * isolation.seccomp())
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return [name for bit, name in ((1, "files"), (2, "system calls")) if code > 0 and code & bit]


def _kill(worker, alone, patience=0.0):
    """Ends a worker and all that it started -> (status, seconds of processor time)."""
    if worker is None:
        return 0, 0.0
    end = time.monotonic() + patience
    while not os.waitid(os.P_PID, worker, os.WEXITED | os.WNOWAIT | os.WNOHANG) and time.monotonic() < end:
        time.sleep(0.002)
    for kill in (os.killpg, os.kill):  # not yet waited for, so the number is still its own
        try:
            kill(worker, signal.SIGKILL)
        except OSError:
            continue
    _, status, used = os.wait4(worker, 0)
    if alone:
        _end_all(-1)  # everything in this world but process 1, which is this one
    while left := isolation.children():  # what an answer started, and what that left behind, has come to this process
        for child in left:
            _end_all(child)
    return status, used.ru_utime + used.ru_stime


def _end_all(which):
    try:
        os.kill(which, signal.SIGKILL)
        while True:
            os.waitpid(which, 0)
    except OSError:
        pass


# -- the worker --------------------------------------------------------------------------------------------------------


def _work(fd, readable):
    """The life of a worker. It never returns."""
    try:
        os.setsid()
        isolation.die_with_parent()
        link = socket.socket(fileno=fd)
        name, source, folder, limits = pickle.loads(protocol.receive(link)[1])
        os.chdir(folder)
        isolation.closed_to_others(False)  # its own score, by which the system picks what to end, is in its own hands
        isolation.limit(limits.cpu, limits.memory, limits.file, limits.files)
        isolation.closed_to_others()
        _shut_in(link.fileno(), folder, _rules(readable, folder))
        try:
            fn, failed = _compiled(name, source), None
        except BaseException as error:
            told, line = _told(error)
            fn, failed = None, protocol.frame(("raised", told, [], None, line))
        while True:
            asked = protocol.receive(link)[1]
            send(link, failed or _answer(fn, asked), time.monotonic() + 3600)
    except EOFError:  # the grader hung up
        os._exit(0)
    finally:
        os._exit(3)


def _shut_in(link, folder, rules):
    """No output, no input, no open file but the link to the grader, an environment of its own; then the fences."""
    null = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(null, fd)
    os.environ.clear()
    os.environ.update(isolation.environment(folder))
    tempfile.tempdir = folder  # it had been found out before
    isolation.no_new_privileges()
    isolation.enter_landlock(rules)
    os.closerange(3, link)
    os.closerange(link + 1, 65536)
    isolation.seccomp()


def _compiled(name, source):
    """The answer, in the place of the library's own function: for itself too, so that it cannot simply call that.

    Whoever held the library's function before (a list, a closure, the garbage collector) holds a call of the answer.
    """
    lines = [line + "\n" for line in source.split("\n")]  # Triton's interpreter reads them
    linecache.cache[FILE] = len(source), None, lines, FILE
    held = catalog.current(name)
    kernel = hasattr(held, "__getitem__")
    if kernel:
        os.environ["TRITON_INTERPRET"] = "1"  # and this, whenever a kernel is made
    own = catalog.plain(held)
    dispatch.replace(own, _not_yet, keep=False)
    nodes = judge.definitions(source)
    nodes.sort(key=lambda n: not isinstance(n, ast.Import | ast.ImportFrom))  # an import does not undo a definition
    fn = judge.compile_answer(name, nodes, FILE)
    if fn is held or catalog.plain(fn) in (own, _not_yet):
        raise RuntimeError(f"in the end {catalog.locate(name)[1]} is not what this cell defines, but the library's own")
    dispatch.replace(own, fn, keep=False)
    if kernel and type(fn) is type(held):
        dispatch.replace(held, fn, keep=False)
    return fn


def _not_yet(*args, **kwargs):
    raise RuntimeError("this name is used before the cell has defined it")


def _answer(fn, asked):
    """One call -> the frame of (kind, result, changed arguments, random numbers, line)."""
    try:
        what, grid, args, kwargs, known, random_numbers, (grad, dtype) = pickle.loads(asked)
    except Exception as error:
        return protocol.frame(("unfit", f"{type(error).__name__}: {error}"[:500], None, None, None))
    arguments.put_everybodys(random_numbers)
    torch.set_default_dtype(dtype)
    index = protocol.Known(known)
    before = [arguments.stated(k, index) for k in known]
    try:
        with torch.set_grad_enabled(grad):
            if what == "gradients":
                result = cases.gradients(fn, *args, **kwargs)
            else:
                result = fn(*args, **kwargs) if what == "call" else judge.launch(fn, grid, args, kwargs)
        kind, line = "result", None
    except BaseException as error:
        kind, (result, line) = "raised", _told(error)
    changes = [(i, arguments.state(k)) for i, k in enumerate(known) if arguments.stated(k, index) != before[i]]
    numbers = arguments.everybodys()
    rest = changes, None if arguments.equal(numbers, random_numbers) else numbers, line
    try:
        return protocol.frame((kind, result, *rest), index)
    except BaseException as error:  # it is no data
        sort = getattr(error, "sort", "large" if isinstance(error, MemoryError | ValueError) else "damaged")
        return protocol.frame(("unsendable", (sort, str(getattr(error, "name", ""))[:60]), [], None, None))


def _told(error):
    """An exception as data: (names of its classes, message), and the number of the answer's line that raised it."""
    line = None
    for frame, number in traceback.walk_tb(error.__traceback__):
        if frame.f_code.co_filename == FILE:
            line = number
    names = [cls.__name__[:100] for cls in type(error).__mro__]
    try:
        message = str(error)[:2000]
    except BaseException:
        message = ""
    return (names, message), line
