"""A student's function in a worker: it behaves as if it were here, and nothing that it does reaches the grader."""

import os
import random
import re
import sys
import tempfile
import time
from pathlib import Path

import pytest
import torch

from minids.course import cases, judge
from minids.course.grading import isolation, sandbox
from minids.errors import MinidsError

pytestmark = [
    pytest.mark.slow,  # a process for nearly every test
    pytest.mark.skipif(not hasattr(os, "fork"), reason="the grader needs fork (Linux, macOS)"),
]
NAME = "layers.swiglu"
SHORT = sandbox.Limits(cpu=1, call=6, total=20)


def answer(*lines, before=""):
    return before + "def swiglu(gate, up=None):\n" + "".join(f"    {line}\n" for line in lines)


def call(*lines, args=(1,), before="", limits=SHORT, **kwargs):
    with sandbox.Remote(NAME, answer(*lines, before=before), limits) as fn:
        return fn(*args, **kwargs)


# -- it behaves as if it were here -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "spoil, who",
    [
        ("np.random.seed(3)", "numpy.random"),
        ("np.random.rand()", "numpy.random"),
        ("random.random()", "random"),
        ("torch.manual_seed(3)", "torch"),
    ],
)
def test_everybodys_random_numbers_are_seen_to_change_here_too(spoil, who):
    source = answer(f"{spoil}", "return torch.nn.functional.silu(gate) * up")
    source = f"import random\nimport numpy as np\nimport torch\n{source}"
    with sandbox.Remote(NAME, source, SHORT) as fn:
        results = judge.run_cases(NAME, fn)
    assert all(f"everybody's random numbers ({who})" in r.why for r in results), [r.why for r in results]


def test_values_and_keywords():
    x = torch.randn(3, 2)
    assert torch.equal(
        call("return torch.nn.functional.silu(gate) * up", before="import torch\n", args=(x,), up=x),
        torch.nn.functional.silu(x) * x,
    )
    assert call("return {'a': [gate, (1.5, None)], 'b': b'x'}") == {"a": [1, (1.5, None)], "b": b"x"}


def test_the_namespace_is_that_of_the_module_and_the_function_its_own():
    assert call("return torch.__name__, __name__") == ("torch", "minids.model.layers")
    assert call("return 1 if gate == 0 else gate * swiglu(gate - 1)", args=(5,)) == 120
    with pytest.raises(RecursionError):  # what the library calls is this function now: no help from there
        call("from minids.model import layers", "return layers.swiglu(gate, up)")


def test_gradients_are_taken_where_the_function_is():
    x, y = torch.randn(2, 3, dtype=torch.float64), torch.randn(2, 3, dtype=torch.float64)
    with sandbox.Remote(NAME, answer("return gate.sin() * up")) as fn:
        result, grads = cases.gradients(fn, x, y)
        want, wanted = cases.gradients(lambda a, b: a.sin() * b, x, y)
        assert torch.equal(result, want) and all(map(torch.equal, grads, wanted))
        result, grads = cases.gradients(fn, x, up=y)  # a keyword is passed on, and has no gradient
        assert torch.equal(result, want) and len(grads) == 1 and torch.equal(grads[0], wanted[0])
    with pytest.raises(AssertionError, match="no gradient"), sandbox.Remote(NAME, answer("return gate.detach()")) as fn:
        cases.gradients(fn, x)


def test_changes_of_arguments_are_carried_back():
    x, stack, table = torch.zeros(4), [1], {"a": 1}
    with sandbox.Remote(NAME, answer("gate[0][1:3] = 7", "gate[1].append(up)", "gate[2]['b'] = 2")) as fn:
        fn([x, stack, table], x)
    assert x.tolist() == [0, 7, 7, 0] and stack[1] is x and table == {"a": 1, "b": 2}
    with pytest.raises(KeyError):
        call("gate.append(1)", "raise KeyError", args=(stack,))
    assert stack[-1] == 1


def test_an_argument_that_is_returned_is_the_argument():
    x = torch.zeros(2, 2)
    same, view, copy = call("return gate, gate[0], gate.clone()", args=(x,))
    view += 1
    assert same is x and x.sum() == 2 and copy.sum() == 0


def test_random_numbers_go_on_as_in_one_process():
    def drawn(fn):
        torch.manual_seed(3), random.seed(3)
        g = torch.Generator().manual_seed(4)
        return [fn(g).tolist() for _ in range(3)] + [torch.rand(1).item(), random.random()]

    body = "random.random(); return torch.rand(2) + torch.rand(2, generator=gate)"
    space = {"torch": torch, "random": random}
    exec(answer(body), space)
    with sandbox.Remote(NAME, answer(body, before="import random, torch\n")) as fn:
        assert drawn(fn) == drawn(space["swiglu"])


def test_modes_go_along():
    with torch.no_grad():
        assert not call("return (gate * 2).requires_grad", args=(torch.ones(1, requires_grad=True),))
    assert call("return (gate * 2)", args=(torch.ones(1, requires_grad=True),)).requires_grad
    torch.set_default_dtype(torch.float64)
    try:
        assert call("return torch.zeros(1)", before="import torch\n").dtype == torch.float64
    finally:
        torch.set_default_dtype(torch.float32)


@pytest.mark.parametrize(
    "line, error, words",
    [
        ("raise ValueError('no')", ValueError, "no"),
        ("return 1 / 0", ZeroDivisionError, "division"),
        ("return undefined", NameError, "undefined"),
        ("raise NotImplementedError", NotImplementedError, None),
        ("assert False, 'mine'", AssertionError, "mine"),
        ("raise SystemExit(3)", SystemExit, "3"),
        ("raise KeyboardInterrupt", RuntimeError, "KeyboardInterrupt"),
        ("raise Own('x')", KeyError, "Own: 'x'"),
        ("from minids.errors import MinidsError; raise MinidsError('m')", MinidsError, "m"),
        ("raise UnicodeDecodeError('utf-8', b'a', 0, 1, 'r')", RuntimeError, "UnicodeDecodeError"),
        ("return gate @ up", RuntimeError, "shapes"),
    ],
)
def test_exceptions_keep_kind_message_and_line(line, error, words):
    args = torch.zeros(2, 3), torch.zeros(2, 3)
    with pytest.raises(error, match=words) as caught:
        call("x = 1", line, args=args, before="class Own(KeyError): pass\n")
    assert type(caught.value) is error
    assert caught.value.remote_line == f"in line 4: {line}".rsplit("; ", 0)[0]


def test_what_the_cell_defines_fails_before_the_call():
    with pytest.raises(NameError, match="nothing_such") as caught:
        call("return 1", before="x = nothing_such\n")
    assert caught.value.remote_line == "in line 1: x = nothing_such"


def test_files_of_a_case_can_be_shared():
    with sandbox.Remote(
        NAME, answer("open('new', 'w').write(open(gate).read() + '!')", "import os", "return sorted(os.listdir('.'))")
    ) as fn:
        (fn.folder / "given").write_text("a", encoding="utf-8")
        assert fn(str(fn.folder / "given")) == ["given", "new"]
        assert (fn.folder / "new").read_text(encoding="utf-8") == "a!"
    assert not fn.folder.exists()


# -- nothing reaches the grader ----------------------------------------------------------------------------------------


def stands(fence):
    return fence in sandbox.standing()


@pytest.mark.parametrize(
    "line, words",
    [
        ("while True: pass", "it (used|took) more than"),
        ("import os; os._exit(0)", "ended its own process"),
        ("import ctypes; ctypes.string_at(0)", "SIGSEGV"),
        ("class Liar:\n        def __eq__(self, other): return True\n    return Liar()", "type Liar"),
        ("return lambda: 1", "Unsendable.*type function"),
        ("return 'x' * (1 << 24)", "too large"),
        ("return torch.empty(100_000_000_000)", "memory"),
        ("return bytearray(1 << 33)", "MemoryError"),
        ("return torch.zeros(1).expand(10**12)", "too large|memory"),
        ("return [0] * 10**7", "too large|holds more than"),
        ("x = []\n    x.append(x)\n    return x", "nested"),
    ],
)
def test_what_gives_no_result_costs_that_call(line, words):
    started = time.monotonic()
    with pytest.raises((sandbox.NoResult, RuntimeError, MemoryError)) as caught:
        call(line, before="import torch\n")
    assert re.search(words, f"{type(caught.value).__name__} {caught.value}")
    assert time.monotonic() - started < 15


def test_a_call_that_sleeps_is_ended_by_the_clock_and_the_next_gets_a_new_worker():
    source = answer("if gate: time.sleep(60)", "return 5", before="import time\n")
    with sandbox.Remote(NAME, source, sandbox.Limits(call=0.5, lives=2)) as fn:
        for _ in range(2):
            with pytest.raises(sandbox.Stopped, match="more than 0.5 seconds"):
                fn(1)
            if len(fn.stopped) < 2:
                assert fn(0) == 5
        with pytest.raises(sandbox.Stopped, match="not run"):  # enough of it
            fn(0)


def test_patching_in_the_worker_changes_nothing_here():
    lines = [
        "import builtins, torch, minids.course.judge as j, minids.course.cases as c",
        "torch.allclose = torch.equal = j.run_cases = c.expect = lambda *a, **k: []",
        "builtins.print = torch.Tensor.__eq__ = None",
        "return 1",
    ]
    assert call(*lines) == 1
    assert not torch.allclose(torch.ones(1), torch.zeros(1)) and callable(print)
    with pytest.raises(AssertionError):
        cases.expect(1, 2)


def test_no_case_is_in_a_workers_memory():
    cases.load()
    assert any(m.startswith("minids.course.cases.") for m in sys.modules)
    lines = [
        "import gc, sys, types",
        "hidden = ('minids.course.cases.', 'minids.course.wrong.')",
        "found = [m for m in sys.modules if m.startswith(hidden)]",
        "functions = [f for f in gc.get_objects() if type(f) is types.FunctionType]",
        "return found + [f.__name__ for f in functions if 'held_out' in vars(f)], len(functions)",
    ]
    found, functions = call(*lines)
    assert found == [] and functions > 1000


def test_cases_secrets_and_submissions_cannot_be_read(tmp_path):
    if not stands("files"):
        pytest.skip("this system has no Landlock: only a container keeps files away from an answer")
    (tmp_path / "secret").write_text("x", encoding="utf-8")
    paths = [tmp_path / "secret", Path(cases.__file__), "/etc/passwd", "/proc/self/maps", Path(__file__)]
    for path in paths:
        with pytest.raises(PermissionError):
            call(f"return open({str(path)!r}).read()")
    for line in (f"open({str(tmp_path / 'new')!r}, 'w')", f"import os; os.remove({str(tmp_path / 'secret')!r})"):
        with pytest.raises(PermissionError):
            call(line)
    with pytest.raises(ImportError):
        call("import minids.course.cases.c03_mla")
    assert os.listdir(tmp_path) == ["secret"]


def test_the_folder_is_empty_nothing_comes_with_the_environment_and_no_file_is_open(monkeypatch):
    monkeypatch.setenv("SECRET_TOKEN", "x")
    lines = [
        "opened = []",
        "for fd in range(3, 4096):",
        "    try: opened.append(os.fstat(fd).st_mode)",
        "    except OSError: pass",
        "return os.listdir('.'), dict(os.environ), len(opened)",
    ]
    files, environment, opened = call(*lines, before="import os\n")
    assert (files, opened) == ([], 1)  # its own link to the grader
    assert environment == isolation.environment(environment["HOME"])


@pytest.mark.parametrize(
    "package, line",
    [
        (
            "matplotlib",
            "import matplotlib.pyplot as plt; plt.plot([1]); plt.title('x'); plt.savefig('x.png'); plt.show()",
        ),
        ("pandas", "import pandas; pandas.DataFrame({'a': [1]}).to_string()"),
        ("scipy", "import scipy.stats"),
        ("sympy", "import sympy; sympy.simplify(sympy.Symbol('x'))"),
        ("tqdm", "from tqdm.auto import tqdm; list(tqdm(range(3)))"),
        ("IPython", "from IPython.display import HTML, display; display(HTML('a'))"),
        ("tempfile", "import tempfile; tempfile.NamedTemporaryFile().close()"),
    ],
)
def test_libraries_that_students_import_find_what_they_need(package, line):
    pytest.importorskip(package)
    with sandbox.Remote(NAME, answer(line, "return gate")) as fn:
        assert fn(5) == 5 and not fn.trouble


@pytest.mark.parametrize(
    "line",
    [
        "import socket; socket.socket()",
        "import os; os.fork()",
        "import subprocess; subprocess.run(['true'])",
        "import os; os.kill(os.getppid(), 9)",
        "import os; os.kill(-1, 9)",
        "import os; os.setsid()",
        "import resource; resource.setrlimit(resource.RLIMIT_CPU, (99, 99))",
    ],
)
def test_system_calls_that_are_refused(line):
    if not stands("system calls"):
        pytest.skip("this system has no seccomp")
    with pytest.raises((OSError, ValueError)):
        call(line)
    assert call("return 2") == 2


def test_writing_to_the_link_by_hand_gives_data_at_most():
    lines = ["for fd in range(3, 99):", "    try: os.write(fd, b'y' * 4096)", "    except OSError: pass", "return 1"]
    with pytest.raises(sandbox.Stopped, match="no data"):
        call(*lines, before="import os\n")


@pytest.fixture
def unfenced(monkeypatch):
    """A nursery on a system that refuses everything but limits."""
    off = (
        "from minids.course.grading import isolation as f; f.landlock = lambda *a: None; "
        "f.enter_landlock = f.seccomp = lambda *a: False\n"
    )
    sandbox._close()
    before = set(Path(tempfile.gettempdir()).glob("minids-grade-*"))
    boot = re.sub("left = .*", "left = []", sandbox._BOOT).replace("worker.live", off + "worker.live")
    monkeypatch.setattr(sandbox, "_BOOT", boot)
    yield
    sandbox._close()
    assert set(Path(tempfile.gettempdir()).glob("minids-grade-*")) <= before


@pytest.mark.slow
def test_where_the_system_refuses_all_fences_the_batch_still_goes_on(unfenced):
    assert sandbox.standing() == ["limits"]
    orphan = ["if os.fork() == 0:", "    os.setsid(); time.sleep(300)", "return os.getpid()"]
    if os.geteuid() == 0:  # the limit on processes is not for root: what is left behind is found and ended
        worker = call(*orphan, before="import os, time\n")
        assert not Path(f"/proc/{worker}").exists()
    children = Path(f"/proc/self/task/{os.getpid()}/children")
    nursery = sandbox.nursery_here().process.pid
    if children.exists():
        below = Path(f"/proc/{nursery}/task/{nursery}/children").read_text(encoding="utf-8").split()
        assert below == []
    with pytest.raises(sandbox.Stopped):
        call("os.kill(os.getppid(), 9); time.sleep(60)", before="import os, time\n")
    assert call("return 3") == 3  # with a new nursery
    with pytest.raises(sandbox.Stopped, match="it (used|took) more than"):
        call("while True: pass")


def test_a_case_that_sends_what_cannot_be_sent_is_the_cases_fault():
    with pytest.raises(MinidsError, match="a case gives"):
        call("return 1", args=(lambda: 1,))
