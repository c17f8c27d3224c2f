"""A function of yours as the judge, in a process with limits: it may be wrong, slow or loud, the run goes on.

    parent: (question, answer, reply) ──JSON──▶ child: check.verify(question, answer, reply) ──JSON──▶ a number

Two forms are known, by the names of the parameters:

    def verify(question, answer, reply) -> float              reply: the text of the answer alone
    def reward(prompts, completions, **columns) -> [float]    as TRL's GRPOTrainer calls it, with one of each; the
                                                              completion is all that was said; columns: question, answer

1 (or True) is a right answer, any other number from 0 to 1 a wrong one: partial credit is not paid. A number or truth
value counts as what it means, whoever made it (numpy, torch, Decimal, an array of one). Everything else is a failure:
an error, a number that is not finite or not from 0 to 1, None, a text, a call that takes longer than `seconds`, memory
beyond `memory`, an ended process. That answer scores 0, the failure is counted and named, and a child that hung or died
is replaced. One child serves many calls. What the function prints goes nowhere.

The limits guard against accidents: the function runs with the rights of whoever started the run. What comes back is
read as JSON and is never an object of the child's. macOS does not enforce the limit on memory; that on time holds
everywhere.

Left out: several children at a time, functions in installed packages (import them in your file).
"""

import ast
import json
import math
import os
import signal
import struct
import subprocess
import time
from pathlib import Path

from minids import child
from minids.errors import MinidsError

START_SECONDS = 60.0  # in which the file must have been imported
PATIENCE = 10  # calls in a row that take too long, until nothing more is asked: each costs `seconds`
_LENGTH = struct.Struct("<I")
_MOST = 1 << 26  # bytes of a message


class Verifier:
    """`Verifier("check.py:verify")(question, answer, reply, whole)` -> (score 1.0 or 0.0, "" or why it failed)."""

    def __init__(self, source: str, *, seconds: float = 2.0, memory: int = 2 << 30):
        self.source, self.seconds, self.memory = source, seconds, memory
        self.path, self.function = find_function(source)
        if not (hasattr(os, "killpg") and hasattr(signal, "setitimer")):
            raise MinidsError(
                f"verifier {source}: your function would run in a process with limits, which needs Linux "
                "or macOS; on Windows use WSL."
            )
        self.owner = self.process = self.socket = None
        self.slow = 0

    def __call__(self, question, answer, reply, whole=""):
        if self.process is None or self.owner != os.getpid():
            self._start()
        asked = json.dumps([question, answer, reply, whole, self.seconds]).encode("utf-8", "surrogatepass")
        try:
            end = time.monotonic() + self.seconds + 1.0
            child.send(self.socket, _LENGTH.pack(len(asked)) + asked, end)
            kind, value = _receive(self.socket, end)
        except TimeoutError:
            return 0.0, self._too_slow()
        except (OSError, EOFError, ValueError):
            return 0.0, self._ended()
        if kind == "slow":
            return 0.0, self._too_slow()
        self.slow = 0
        if kind == "raised":
            return 0.0, f"it raised {value}"
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            return 0.0, f"it returned {value}" if kind == "odd" else f"it returned {value!r}"
        return (float(value == 1), "") if 0 <= value <= 1 else (0.0, f"it returned {value!r}, which is not from 0 to 1")

    def _start(self):
        quiet = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "MKL", "OPENBLAS")}  # each thread would count as memory
        told = [str(self.path), self.function, self.memory]
        self.process, self.socket = child.start(_CHILD, told, env={**os.environ, **quiet})
        self.owner = os.getpid()
        try:
            kind, value = _receive(self.socket, time.monotonic() + START_SECONDS)
        except TimeoutError:
            self.close()
            raise MinidsError(
                f"verifier {self.source}: its file was not imported within {START_SECONDS:g} seconds."
            ) from None
        except (OSError, EOFError, ValueError):
            why = self._ended()
            raise MinidsError(f"verifier {self.source}: its process did not start: {why}.") from None
        if kind != "ready":
            self.close()
            raise MinidsError(f"verifier {self.source}: the file cannot be imported: {value}.")

    def _too_slow(self):
        self.close()
        self.slow += 1
        why = f"it took more than {self.seconds:g} seconds"
        if self.slow >= PATIENCE:
            raise MinidsError(
                f"verifier {self.source}: {why}, {self.slow} times in a row. Mend it, then go on with resume=True."
            )
        return why

    def _ended(self):
        """Why the child is gone, in words; the next call starts another."""
        self.socket.close()
        try:
            code = self.process.wait(1.0)
        except subprocess.TimeoutExpired:
            code = None
        self.close()
        if code is None:
            return "it closed its connection"
        return f"its process ended ({f'signal {-code}' if code < 0 else f'exit code {code}'})"

    def close(self) -> None:
        """Ends the child and whatever it started."""
        if self.process is not None and self.owner == os.getpid():
            self.socket.close()
            if self.process.poll() is None:
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        self.process = None

    def __del__(self):
        try:
            self.close()
        except Exception:  # at the interpreter's end, modules may be gone
            pass


def find_function(source: str) -> tuple[Path, str]:
    """("check.py:verify") -> (path, "verify"); says what is missing without running the file. Raises MinidsError for
    another form, a file that cannot be read or is not Python, and one without the function."""
    text, colon, function = str(source).rpartition(":")
    if not colon or not text.endswith(".py") or not function.isidentifier():
        raise MinidsError(f"verifier {source!r}: write it as file.py:function, as in check.py:verify.")
    path = Path(text)
    try:
        tree = ast.parse(path.read_bytes(), filename=str(path))
    except OSError as error:
        raise MinidsError(f"verifier {source}: {path} is not readable ({error.strerror or error}).") from None
    except (SyntaxError, ValueError) as error:
        raise MinidsError(f"verifier {source}: {path} is not Python: {error}.") from None
    names = [n.name for n in tree.body if isinstance(n, ast.FunctionDef)]
    if function not in names:
        have = ", ".join(names) or "none"
        raise MinidsError(f"verifier {source}: {path} defines no function {function!r}; it has {have}.")
    return path.resolve(), function


def _receive(there, end):
    (length,) = _LENGTH.unpack(child.exactly(there, _LENGTH.size, end))
    if length > _MOST:
        raise ValueError("a message too long")
    kind, value = json.loads(child.exactly(there, length, end))
    return kind, value


# The child imports nothing of minids, so it starts in a moment; its own words end where the function's file begins.
_CHILD = r"""
import importlib.util, inspect, json, math, os, signal, socket, struct, sys
from decimal import Decimal
from fractions import Fraction
fd, path, name, memory = json.loads(sys.argv[1])
link = socket.socket(fileno=fd)
os.set_inheritable(fd, False)
sys.argv = [path]
sys.path[0] = os.path.dirname(path)
try:
    import resource
    # what it writes to is what counts: a CUDA build of torch maps 3 GB of files that cost nothing
    limits = {resource.RLIMIT_DATA: memory, resource.RLIMIT_AS: memory + (8 << 30), resource.RLIMIT_CORE: 0}
    for what, limit in limits.items():
        resource.setrlimit(what, (limit, limit))
except (ImportError, ValueError, OSError):
    resource = None

class Slow(BaseException):
    pass

def ring(*_):
    raise Slow

def tell(kind, value):
    data = json.dumps([kind, value]).encode()
    link.sendall(struct.pack("<I", len(data)) + data)

def exactly(count):
    data = bytearray()
    while len(data) < count:
        part = link.recv(count - len(data))
        if not part:
            os._exit(0)
        data += part
    return bytes(data)

def shown(error):
    text = " ".join(str(error).split())[:200]
    return type(error).__name__ + (": " + text if text else "")

try:
    spec = importlib.util.spec_from_file_location("minids_user_verifier", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    function = getattr(module, name)
    batched = "completions" in inspect.signature(function).parameters
except BaseException as error:
    tell("raised", shown(error))
    os._exit(1)
signal.signal(signal.SIGALRM, ring)
tell("ready", None)
while True:
    question, answer, reply, whole, seconds = json.loads(exactly(struct.unpack("<I", exactly(4))[0]))
    try:
        signal.setitimer(signal.ITIMER_REAL, seconds)
        try:
            if batched:
                given = function(prompts=[question], completions=[whole], question=[question], answer=[answer])
                value = given[0] if isinstance(given, (list, tuple)) and len(given) == 1 else given
            else:
                value = function(question, answer, reply)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
    except Slow:
        tell("slow", None)
    except BaseException as error:
        tell("raised", shown(error))
    else:
        try:
            # numbers and truth values of numpy, torch, jax: one of Python's, if they hold one
            said = value.item() if callable(getattr(value, "item", None)) else value
            said = float(said) if isinstance(said, (int, float, Decimal, Fraction)) else None
        except BaseException:
            said = None
        if said is not None and math.isfinite(said):
            tell("value", said)
        else:
            try:
                text = repr(value)[:80]
            except BaseException:
                text = "a " + type(value).__name__
            tell("odd", text)
"""
