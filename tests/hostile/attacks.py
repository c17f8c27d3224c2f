"""What a hostile answer tries, and what must come of it. `python tests/hostile/attacks.py` prints the table of all.

Attack(name, lines, must)   the lines are the body of the function; `must` is found in what the grader then sees:
                            "gave VALUE", or the name of an exception and its message
needs                       the fence without which nothing stands in the way (and the test is skipped)
"""

import re
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import torch

from minids.course.grading import grade, sandbox
from minids.model.layers import rms_norm

NAME, NORM = "layers.swiglu", "layers.rms_norm"
LIMITS = sandbox.Limits(cpu=1, call=3, total=6, lives=2, memory=1 << 30)
REFUSED = "PermissionError|Operation not permitted|Permission denied|EPERM|gave -1"
HERE = Path(__file__).resolve()


@dataclass(frozen=True)
class Attack:
    name: str
    lines: str
    must: str = REFUSED
    needs: str = ""
    args: tuple = (1,)


def _files(name, lines, must=REFUSED, **more):
    return Attack(name, lines, must, "files", **more)


def _calls(name, lines, must=REFUSED, **more):
    return Attack(name, lines, must, "system calls", **more)


def _c(call, *numbers):
    """A system call by its number on this machine: what no module of Python stands before."""
    return f"import ctypes\nreturn ctypes.CDLL(None, use_errno=True).syscall({call}, {', '.join(map(str, numbers))})"


LINK = "import os, fcntl\nlink = next(fd for fd in range(3, 4096) if is_open(fd))\n"
OPEN = "import os\ndef is_open(fd):\n    try: return os.fstat(fd) is not None\n    except OSError: return False\n"
FRAME = (
    OPEN + "import json, struct\ndef frame(value, head=None, body=0):\n    text = json.dumps(value).encode()\n"
    "    return struct.pack('<IQ', len(text) if head is None else head, body) + text\n"
)
FORGED = [
    "tuple",
    "raised",
    ["tuple", ["list", "AssertionError"], "values differ\n    expected 9\n    got 1"],
    ["list"],
    None,
    None,
]
machine = sys.platform == "linux" and __import__("platform").machine()
NUMBERS = {"x86_64": (57, 56, 101, 310, 29, 319, 425, 72, 16), "aarch64": (220, 220, 117, 270, 194, 279, 425, 25, 29)}
_N = dict(
    zip(
        ("fork", "clone", "ptrace", "readv", "shmget", "memfd", "uring", "fcntl", "ioctl"),
        NUMBERS.get(machine, NUMBERS["x86_64"]),
    )
)

FILES = [
    _files("read the password file", "return open('/etc/passwd').read()"),
    _files("read this test", f"return open({str(HERE)!r}).read()"),
    _files(
        "read the cases", f"return open({str(Path(sandbox.__file__).parents[1] / 'cases' / 'c03_mla.py')!r}).read()"
    ),
    _files("read the solutions", "from minids.model import layers\nreturn open(layers.__file__).read()"),
    _files("read memory maps", "return open('/proc/self/maps').read()"),
    _files("write its own memory", "return open('/proc/self/mem', 'r+b').fileno()"),
    _files(
        "read the grader's environment",
        "import os\nreturn open(f'/proc/{os.getppid()}/environ').read()",
        "PermissionError|FileNotFoundError",
    ),
    _files("list the root", "import os\nreturn os.listdir('/')"),
    _files("list the folder above", "import os\nreturn os.listdir('..')"),
    _files("write into /tmp", "open('/tmp/minids-hostile', 'w')"),
    _files("write shared memory", "open('/dev/shm/minids-hostile', 'w')", "PermissionError|FileNotFoundError"),
    _files("leave a file for the next student", "open('../left', 'w').write('x')"),
    _files("a folder for the next student", "import os\nos.mkdir('../left')"),
    _files("folders in folders without end", "import os\nfor _ in range(5000):\n    os.mkdir('d'); os.chdir('d')"),
    _files("a link out of its folder", "import os\nos.symlink('/etc', 'etc')"),
    _files("a hard link", "import os\nopen('a', 'w').close(); os.link('a', '../a')", "PermissionError|OSError"),
    _files("a fifo for the grader to hang at", "import os\nos.mkfifo('fifo')"),
    _files("a device", "import os, stat\nos.mknod('dev', 0o600 | stat.S_IFCHR, os.makedev(1, 3))"),
    _files("change Python's packages", "import torch\nopen(torch.__file__, 'a')"),
    _files("remove Python's packages", "import os, torch\nos.remove(torch.__file__)"),
    _files("import the cases", "import minids.course.cases.c03_mla", "ImportError|ModuleNotFoundError|PermissionError"),
    Attack(
        "a file without end",
        "with open('big', 'wb') as f:\n    for _ in range(200): f.write(bytes(1 << 20))",
        "OSError.*large|SIGXFSZ",
    ),
    Attack("open files without end", "return [open('f', 'w') for _ in range(9999)]", "Too many open files|Unsendable"),
]
SIGNALS = [
    _calls("kill its parent", "import os\nos.kill(os.getppid(), 9)"),
    _calls("kill everybody", "import os\nos.kill(-1, 9)"),
    _calls("kill a group", "import os\nos.killpg(os.getpgid(0), 9)"),
    _calls("a pidfd", "import os\nreturn os.pidfd_open(1)", REFUSED + "|OSError|AttributeError"),
    _calls("F_SETOWN on the link", LINK + "return fcntl.fcntl(link, 8, os.getppid())"),
    _calls("F_SETSIG on the link", LINK + "return fcntl.fcntl(link, 10, 9)"),
    _calls("F_SETOWN_EX on the link", LINK + "return fcntl.fcntl(link, 15, bytes(8))"),
    _calls("O_ASYNC on the link", LINK + "return fcntl.fcntl(link, fcntl.F_SETFL, 0o20000)"),
    _calls("FIOSETOWN on the link", LINK + "return fcntl.ioctl(link, 0x8901, bytes(4))"),
    _calls("SIOCSPGRP on the link", LINK + "return fcntl.ioctl(link, 0x8902, bytes(4))"),
    _calls("FIOASYNC on the link", LINK + "return fcntl.ioctl(link, 0x5452, bytes([1, 0, 0, 0]))"),
    _calls("a lease's signal", "import fcntl\nreturn fcntl.fcntl(open('f', 'w'), 1024, 1)"),
]
PROCESSES = [
    _calls("fork", "import os\nreturn os.fork()"),
    _calls("fork by its number", _c(_N["fork"], 17, 0, 0, 0, 0)),
    _calls("clone by its number", _c(_N["clone"], 17, 0, 0, 0, 0)),
    _calls("a program", "import subprocess\nreturn subprocess.run(['/bin/true']).returncode"),
    _calls("another program in its place", "import os\nos.execv('/bin/true', ['true'])"),
    _calls("posix_spawn", "import os\nreturn os.posix_spawn('/bin/true', ['true'], {})"),
    _calls("multiprocessing", "import multiprocessing as m\nm.get_context('fork').Process(target=print).start()"),
    _calls("its own session", "import os\nos.setsid()"),
    _calls("trace another", _c(_N["ptrace"], 16, 1, 0, 0)),
    _calls("read another's memory", _c(_N["readv"], 1, 0, 0, 0, 0, 0)),
    _calls("shared memory", _c(_N["shmget"], 0, 4096, 0o1600)),
    _calls(
        "shared memory of Python",
        "from multiprocessing.shared_memory import SharedMemory\nreturn SharedMemory('minids', True, 64).size",
        REFUSED + "|FileNotFoundError",
    ),
    _calls("a file in memory", _c(_N["memfd"], 0, 0)),
    _calls("io_uring", _c(_N["uring"], 1, 0)),
    _calls(
        "more processor time", "import resource\nresource.setrlimit(resource.RLIMIT_CPU, (99, 99))", "ValueError|Error"
    ),
    _calls("before all others", "import os\nos.setpriority(os.PRIO_PROCESS, 0, -5)"),
    _calls("a new world", "import ctypes\nreturn ctypes.CDLL(None).unshare(0x10000000)"),
]
NETWORK = [
    _calls("a socket", "import socket\nsocket.socket()"),
    _calls("a pair of sockets", "import socket\nsocket.socketpair()"),
    _calls("a page", "import urllib.request\nurllib.request.urlopen('http://127.0.0.1:80')", REFUSED + "|URLError"),
]
RESOURCES = [
    Attack("a loop without end", "while True: pass", "Stopped"),
    Attack(
        "a loop that ignores the signal",
        "import signal\nsignal.signal(signal.SIGXCPU, signal.SIG_IGN)\nwhile True: pass",
        "Stopped",
    ),
    Attack("its own clock", "import time\ntime.monotonic = time.time = lambda: 0.0\nwhile True: pass", "Stopped"),
    Attack("sleep", "import time\ntime.sleep(99)", "Stopped.*more than"),
    Attack("100 billion numbers", "import torch\nreturn torch.ones(100_000_000_000)", "memory|Stopped"),
    Attack("a list that doubles", "x = [0]\nwhile True: x += x", "MemoryError|Stopped"),
    Attack(
        "a terabyte by mmap", "import mmap\nreturn len(mmap.mmap(-1, 1 << 40))", "OSError|MemoryError|Cannot allocate"
    ),
    Attack("recursion without end", "return swiglu(gate)", "RecursionError"),
    Attack(
        "a thread that stays",
        "import threading, time\nthreading.Thread(target=time.sleep, args=(99,)).start()\nreturn 1",
        "gave 1|RuntimeError",
    ),
    Attack(
        "output without end",
        "import sys\nfor _ in range(99): print('x' * 10**6); sys.stderr.write('y' * 10**6)\nreturn 1",
        "gave 1",
    ),
    Attack("input", "return input()", "may not ask"),
]
ENDINGS = [
    Attack("end the process", "import os\nos._exit(0)", "Stopped.*ended its own process"),
    Attack("SystemExit", "raise SystemExit", "SystemExit"),
    Attack("a crash", "import ctypes\nctypes.string_at(0)", "Stopped.*SIGSEGV"),
    Attack("abort", "import os\nos.abort()", "Stopped.*SIGABRT|Stopped"),
    Attack("something for the end", "import atexit, time\natexit.register(time.sleep, 99)\nreturn 1", "gave 1"),
    Attack(
        "the environment",
        "import os\nown = (os.environ['HOME'], '1', 'Agg', 'C.UTF-8')\n"
        "return {k: v for k, v in os.environ.items() if v not in own}",
        r"gave \{\}",
    ),
]
PATCHES = [
    Attack(
        "torch and builtins",
        "import builtins, torch\ntorch.allclose = torch.equal = lambda *a, **k: True\n"
        "builtins.len = lambda x: 0\nreturn 1",
        "gave 1|Stopped",
    ),
    Attack(
        "what writes frames",
        "from minids.course.grading import protocol\nprotocol.frame = lambda *a: b'x' * 99\nreturn 1",
        "Stopped.*no data",
    ),
    Attack("what reads calls", "import pickle\npickle.loads = lambda data: 1\nreturn 1", "gave 1"),
    Attack(
        "an object that equals all",
        "class A:\n    def __eq__(self, other): return True\nreturn A()",
        "Unsendable.*type A",
    ),
    Attack(
        "a number that equals all",
        "class A(float):\n    def __eq__(self, other): return True\nreturn A(2)",
        r"gave 2\.0",
    ),
    Attack(
        "a tensor that equals all",
        "import torch\nclass A(torch.Tensor):\n    __eq__ = lambda a, b: True\n"
        "return type(torch.zeros(1).as_subclass(A)).__name__, torch.zeros(1).as_subclass(A)",
        "gave .*'A', tensor",
    ),
    Attack("code in a pickle", "class A:\n    def __reduce__(self): return print, ('run',)\nreturn A()", "Unsendable"),
]
RESULTS = [
    Attack("range(10**12)", "return range(10**12)", "Unsendable.*holds more than"),
    Attack("range(6 * 10**7)", "return range(6 * 10**7)", "Unsendable"),
    Attack("many small ranges", "return [range(99_999)] * 99", "Unsendable"),
    Attack(
        "sets of one hash", "import itertools\nreturn set(itertools.product((-1, -2), repeat=12))", "no data|Unsendable"
    ),
    Attack("NaN as keys", "return {float('nan'): 0 for _ in range(200_000)}", "Unsendable"),
    Attack("240 MB of text", "return 'x' * 240_000_000", "Unsendable.*too large|memory"),
    Attack("240 MB of numbers", "import torch\nreturn torch.zeros(60_000_000)", "Unsendable.*too large"),
    Attack("numbers that are not there", "import torch\nreturn torch.zeros(1).expand(10**11)", "Unsendable.*too large"),
    Attack(
        "its argument a million times", "return gate.expand(10**7, 2)", "no data|Unsendable", args=(torch.zeros(2),)
    ),
    Attack("a number of 10**6 digits", "return 1 << 4_000_000", "Unsendable.*too large"),
    Attack("a list 1000 deep", "x = []\nfor _ in range(1000): x = [x]\nreturn x", "Unsendable.*deep"),
    Attack("a list in itself", "x = []\nx.append(x)\nreturn x", "Unsendable.*deep"),
    Attack("a generator", "return (i for i in range(9))", "Unsendable.*generator"),
    Attack(
        "an exception, returned",
        "from minids.errors import MinidsError\nreturn MinidsError('x')",
        "Unsendable.*MinidsError",
    ),
    Attack("a sparse tensor", "import torch\nreturn torch.zeros(9).to_sparse()", "Unsendable.*sparse"),
    Attack("a spoilt argument without end", "gate.append(gate)\nreturn 1", "gave 1|Unsendable", args=([],)),
    Attack(
        "an argument of 240 MB",
        "gate[0] = 'x' * 240_000_000\nreturn 1",
        "Unsendable|no data|gave 1|memory",
        args=([1],),
    ),
]
FRAMES = [
    Attack("bytes that are none", LINK + "os.write(link, b'y' * 4096)\nreturn 1", "Stopped.*no data"),
    Attack("a frame of an exabyte", LINK + "os.write(link, frame(1, 9, 1 << 60))\nreturn 1", "Stopped.*no data"),
    Attack("a frame that never ends", LINK + "import time\nos.write(link, frame(1, 99))\ntime.sleep(99)", "Stopped"),
    Attack(
        "a frame of 100,000 brackets",
        LINK + "os.write(link, struct.pack('<IQ', 10**5, 0) + b'[' * 10**5)\nreturn 1",
        "Stopped.*no data",
    ),
    Attack(
        "the same bytes 1000 times",
        LINK + "t = ['tensor', 'uint8', False, [10**6], 0, 10**6]\n"
        "os.write(link, frame(['tuple', 'result', ['list'] + [t] * 1000, ['list'], None, None], None, 10**6))\n"
        "os.write(link, bytes(10**6))\nreturn 1",
        "no data|Stopped",
    ),
    Attack(
        "a message of the judge's own",
        LINK + f"os.write(link, frame({FORGED!r}))\nreturn 1",
        r"it raises AssertionError: values differ\n    \|     expected 9",
    ),
    Attack(
        "a fault of the case",
        LINK + "os.write(link, frame(['tuple', 'unfit', 'full points', None, None, None]))\nreturn 1",
        "Unsendable(?!.*full points)",
    ),
    Attack(
        "a reason of its own",
        LINK + "r = ['tuple', 'full points by agreement', 'full points\\n    by']\n"
        "os.write(link, frame(['tuple', 'unsendable', r, None, None, None]))\nreturn 1",
        "Unsendable(?!.*full points)",
    ),
    Attack(
        "20,000 keys of one hash",
        LINK + "pairs = [[1 + i * ((1 << 61) - 1), 0] for i in range(20_000)]\n"
        "os.write(link, frame(['tuple', 'result', ['dict', *pairs], ['list'], None, None]))\nreturn 1",
        "Stopped.*same hash",
    ),
    Attack("close the link", LINK + "os.close(link)\nreturn 1", "Stopped"),
]
KINDS = {
    "files": FILES,
    "signals": SIGNALS,
    "processes": PROCESSES,
    "network": NETWORK,
    "resources": RESOURCES,
    "endings": ENDINGS,
    "patches": PATCHES,
    "results": RESULTS,
    "frames": FRAMES,
}
ATTACKS = [attack for attacks in KINDS.values() for attack in attacks]

# Ways to the library's own function. Each gives something else than its result, or is named by grade.ways.
TRICKS = {
    "kept above": "from minids.model import layers\nOWN = [layers.rms_norm]\n"
    "def rms_norm(x, weight, eps):\n    return OWN[0](x, weight, eps)\n",
    "by its own name": "OWN = [rms_norm]\ndef rms_norm(x, weight, eps):\n    return OWN[0](x, weight, eps)\n",
    "a default": "from minids.model.layers import rms_norm\ndef rms_norm(x, weight, eps, own=rms_norm):\n"
    "    return own(x, weight, eps)\n",
    "imported below": "def rms_norm(x, weight, eps):\n    return x\nfrom minids.model.layers import rms_norm\n",
    "all imported below": "def rms_norm(x, weight, eps):\n    return x\nfrom minids.model.layers import *\n",
    "given back below": "from minids.model import layers\nOWN = [layers.rms_norm]\ndef rms_norm(x, weight, eps):\n"
    "    return x\nrms_norm = OWN[0]\n",
    "the table of originals": "def rms_norm(x, weight, eps):\n    from minids import dispatch\n"
    "    from minids.model import layers\n    return dispatch.original(layers.rms_norm)(x, weight, eps)\n",
    "__wrapped__": "from minids.model import layers\nOWN = layers.rms_norm\ndef rms_norm(x, weight, eps):\n"
    "    return OWN.__wrapped__(x, weight, eps)\n",
    "garbage": "def rms_norm(x, weight, eps):\n    import gc\n    for f in gc.get_objects():\n"
    "        if getattr(f, '__name__', '') == 'rms_norm' and f is not rms_norm and callable(f):\n"
    "            return f(x, weight, eps)\n    raise LookupError\n",
    "sys.modules": "def rms_norm(x, weight, eps):\n    import sys\n    for m in list(sys.modules.values()):\n"
    "        f = getattr(m, 'rms_norm', None)\n        if callable(f) and f is not rms_norm:\n"
    "            return f(x, weight, eps)\n    raise LookupError\n",
    "imported again": "def rms_norm(x, weight, eps):\n    import sys\n    del sys.modules['minids.model.layers']\n"
    "    import minids.model.layers as new\n    return new.rms_norm(x, weight, eps)\n",
    "reload": "def rms_norm(x, weight, eps):\n    import importlib\n    from minids.model import layers\n"
    "    return importlib.reload(layers).rms_norm(x, weight, eps)\n",
    "its text": "def rms_norm(x, weight, eps):\n    import inspect\n    from minids.model import layers\n"
    "    space = dict(vars(layers))\n    exec(inspect.getsource(layers), space)\n"
    "    return space['rms_norm'](x, weight, eps)\n",
    "the text of solutions": "def rms_norm(x, weight, eps):\n    from minids.course import catalog\n    space = {}\n"
    "    exec(catalog.solution('layers.rms_norm'), space)\n"
    "    return space['rms_norm'](x, weight, eps)\n",
    "a pickle of it": "import pickle\nfrom minids.model import layers\nOWN = pickle.dumps(layers.rms_norm)\n"
    "def rms_norm(x, weight, eps):\n    return pickle.loads(OWN)(x, weight, eps)\n",
    "a copy of it": "import copy, types\nfrom minids.model import layers\nOWN = copy.copy(layers.rms_norm)\n"
    "OWN = types.FunctionType(OWN.__code__, OWN.__globals__)\n"
    "def rms_norm(x, weight, eps):\n    return OWN(x, weight, eps)\n",
}


def run(attack):
    """What the grader sees of an attack, in words."""
    body = "".join(f"    {line}\n" for line in attack.lines.split("\n"))
    try:
        with sandbox.Remote(NAME, f"{FRAME}def swiglu(gate, up=None):\n{body}", LIMITS) as fn:
            return f"gave {fn(*attack.args)!r}"
    except (Exception, SystemExit) as error:
        return f"{type(error).__name__}: {error}"


def own(trick):
    """What becomes of a way to the library's own function: "has it", or what is seen instead."""
    x, weight = torch.linspace(-1, 1, 6).view(2, 3), torch.tensor([1.0, 2.0, 3.0])
    try:
        with sandbox.Remote(NORM, TRICKS[trick], LIMITS) as fn:
            got = fn(x, weight, 1e-6)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return "has it" if got is not x and torch.allclose(got, rms_norm(x, weight, 1e-6)) else "gave something else"


def main():
    failed, kinds = 0, sys.argv[1:]
    print(f"fences: {', '.join(sandbox.standing())}")
    for kind, attacks in KINDS.items():
        if kinds and kind not in kinds:
            continue
        print(f"\n{kind}")
        for attack in attacks:
            start = time.monotonic()
            seen = run(attack)
            held = re.search(attack.must, seen, re.S)
            failed += not held
            line = " ".join(seen.split())[:90]
            print(f"  {'held' if held else 'NOT HELD'}  {attack.name:34} {time.monotonic() - start:5.1f} s  {line}")
    print("\nways to the library's own function")
    for trick in TRICKS:
        seen, noted = own(trick), grade.ways(TRICKS[trick])
        held = seen != "has it" or noted
        failed += not held
        print(f"  {'held' if held else 'NOT HELD'}  {trick:34} {' '.join(seen.split())[:60]:60}  {', '.join(noted)}")
    print(f"\n{failed} of {len(ATTACKS) + len(TRICKS)} did not hold")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
