"""What Windows lacks is missed by no module that is imported and by no command but those that say so."""

import ast
import inspect
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import windows
from mini import write_recipe

from minids.text import bpe

HERE = Path(__file__).parent
ROOT = HERE.parent


def python(code, *arguments, console="cp1252", codes=(0,)):
    """Runs a program that starts as on Windows: a console of few characters, no default for text encodings."""
    env = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{HERE}", "PYTHONIOENCODING": f"{console}:strict"}
    code = f"import windows\nwindows.strict()\n{code}"
    done = subprocess.run(
        [sys.executable, *windows.STRICT, "-c", code, *map(str, arguments)],
        capture_output=True,
        encoding=console,
        env=env,
        cwd=ROOT,
        timeout=900,
    )
    assert done.returncode in codes, done.stdout[-3000:] + done.stderr[-6000:]
    return done


@pytest.mark.slow
@pytest.mark.parametrize("attributes", [False, True])
def test_every_module_imports(attributes):
    code = (
        f"import importlib\nnames = windows.modules()\nwindows.imitate({attributes})\n"
        "for name in names: importlib.import_module(name)\nprint(len(names))"
    )
    assert int(python(code).stdout) > 100


RUN = r"""
import inspect, io, sys
from pathlib import Path
windows.imitate()
from minids import cli
recipe, folder = sys.argv[1], Path(sys.argv[2])
out = folder / "run"

def call(*arguments, said=0):
    print(">", *arguments, file=sys.stderr)
    code = cli.main([str(a) for a in arguments])
    assert code == said, (arguments, code)

call("run", recipe, "--out", out, "--workers", 1, "--until", "sft")
call("run", recipe, "--out", out, "--workers", 1, "--resume")
call("run", recipe, "--out", out, "--workers", 1, "--redo", "grpo")
call("report", out)
call("eval", out, "--workers", 1, "--json")
call("replay", out, 2, 0, "--json")
call("export", out, folder / "exported")
call("import", folder / "exported", folder / "imported")
sys.stdin = io.StringIO("1+1\n")
call("chat", out, "--max-new-tokens", 4)
call("cost")
call("progress")
call("grade", recipe, said=2)
(folder / "check.py").write_text("def verify(question, answer, reply):\n    return 1\n", encoding="utf-8")
(folder / "p.jsonl").write_text('{"question": "1", "answer": "1"}\n' * 30, encoding="utf-8")
from minids.errors import MinidsError
from minids.tasks import registry
try:
    registry.get(f"user:{folder / 'p.jsonl'}@{folder / 'check.py'}:verify")
except MinidsError as error:
    assert "WSL" in str(error), error
else:
    raise AssertionError("no word about WSL")
from minids.course import answers, start
start(1)
from minids.text import bpe
from minids.course import check
import linecache
source = inspect.getsource(bpe.count_pairs)
linecache.cache["<cell>"] = len(source), None, source.splitlines(True), "<cell>"
there = dict(vars(bpe))
exec(compile(source, "<cell>", "exec"), there)
check("bpe.count_pairs", there["count_pairs"])
assert "bpe.count_pairs" in answers.ledger()["yours"], answers.ledger()
call("doctor")
"""


@pytest.mark.slow
def test_the_commands_run(tmp_path, monkeypatch):
    """On this Windows, with one process; what they write has names that Windows takes and "\n" at the end of lines."""
    monkeypatch.setenv("MINIDS_MINE", str(tmp_path / "mine"))
    done = python(RUN, write_recipe(tmp_path), tmp_path)
    assert "on Windows use WSL" in done.stderr, done.stderr[-3000:]  # what `minids grade` said
    results = json.loads((tmp_path / "run" / "results.json").read_text(encoding="utf-8"))
    assert [s["name"] for s in results["stages"]][-1] == "grpo" and results["peak_bytes"] == 0
    written = [p for p in tmp_path.rglob("*") if p.is_file()]
    assert len(written) > 30
    for path in written:
        folded = [p.name.casefold() for p in path.parent.iterdir()]
        assert len(folded) == len(set(folded)), path
        if path.suffix in (".json", ".jsonl", ".html", ".py", ".toml"):
            assert b"\r" not in path.read_bytes(), path


@pytest.mark.slow
@pytest.mark.parametrize(
    "command",
    [
        ["minids.cli", "doctor"],
        ["minids.course.build", "--check"],
        ["minids.report.readme_tables", "--check"],
        ["minids.course.check_quality", "--help"],
        ["minids.studies.compare_presets"],
        ["minids.studies.exact_model", "--help"],
    ],
)
def test_consoles_that_cannot_show_everything_and_no_default_encoding(command):
    """Whatever they find, they end without a traceback."""
    code = "import runpy, sys\nsys.argv = sys.argv[1:]\nrunpy.run_module(sys.argv[0], None, '__main__', True)"
    done = python(code, *command, console="ascii", codes=(0, 1))
    assert "Traceback" not in done.stderr, done.stderr[-3000:]


@pytest.mark.slow
def test_grade_reads_and_writes_utf8(tmp_path):
    """The grader's processes too, which inherit the interpreter's options."""
    (tmp_path / "Ünï.py").write_text(inspect.getsource(bpe.count_pairs), encoding="utf-8")
    code = "import sys\nfrom minids import cli\nsys.exit(cli.main(sys.argv[1:]))"
    done = python(code, "grade", tmp_path / "Ünï.py", "--csv", tmp_path / "out.csv", "--html", tmp_path / "pages")
    assert "EncodingWarning" not in done.stdout + done.stderr, done.stderr[-3000:]
    assert "Ünï" in (tmp_path / "out.csv").read_text(encoding="utf-8-sig")


STARTS = {"run", "Popen", "check_output"}


def calls_without(tree):
    """Calls that read or write text by the system's own rules: (line, what is missing)."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, "attr", getattr(node.func, "id", ""))
        given = {k.arg: k.value for k in node.keywords}
        if any(isinstance(a, ast.Constant) and a.value == "utf-8" for a in node.args):
            given["encoding"] = "utf-8"
        modes = [a.value for a in [*node.args[:2], given.get("mode")] if isinstance(a, ast.Constant)]
        mode = next((m for m in modes if isinstance(m, str) and re.fullmatch("[rwax+bt]{1,3}", m)), None)
        text = name in ("read_text", "write_text", "TextIOWrapper")
        text = text or name == "NamedTemporaryFile" and mode and "b" not in mode
        # `open` of other kinds of things: os.open has flags, and wave.open or safe_open are no text
        text = text or name == "open" and isinstance(node.func, ast.Name) and "b" not in (mode or "r")
        text = text or name == "open" and mode is not None and "b" not in mode
        text = text or name in STARTS and ("text" in given or "universal_newlines" in given)
        if text and "encoding" not in given and None not in given:
            yield node.lineno, "encoding="
        writes = name == "write_text" or name == "open" and set(mode or "r") & set("wax")
        if text and writes and "newline" not in given:
            yield node.lineno, "newline="


@pytest.mark.parametrize("folder", ["minids", "kernels", "chapters/src"])
def test_text_files_are_the_same_on_every_system(folder):
    """Windows turns "\n" into "\r\n" where nobody forbids it, and its own encoding is not UTF-8."""
    for path in sorted((ROOT / folder).rglob("*.py")):
        for line, missing in calls_without(ast.parse(path.read_text(encoding="utf-8"))):
            assert missing == "newline=" and folder == "chapters/src", f"{path}:{line}: say {missing}"


def test_names_differ_by_more_than_case():
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, encoding="utf-8")
    names = tracked.stdout.splitlines()
    if tracked.returncode:
        pytest.skip("not a git checkout")
    assert len({n.casefold() for n in names}) == len(names)
    assert not [n for n in names if any(windows.RESERVED.search(part) for part in n.split("/"))]
