"""Which exercises there are, where each lives in the library, and what a student sees of it at first.

The chapters' sources are the register: a cell that opens with

    # %% exercise="mla.absorb" points=3 minutes=20 difficulty=2

is an exercise on the function that exercises.py has for this id. With `start="name"` it does not begin blank but as
that wrong version of minids/course/wrong: a bug to find.
"""

import ast
import functools
import importlib
import inspect
import io
import re
import shlex
import textwrap
import tokenize
from dataclasses import dataclass
from pathlib import Path

from minids import dispatch
from minids.course import exercises
from minids.errors import MinidsError

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ROOT / "chapters" / "src"
_CELL = re.compile(r"^# %%(?=.*\bexercise=)(.*)$", re.M)


@dataclass(frozen=True)
class Exercise:
    """A row of the course.

    name         its id, see exercises.py
    chapter      stem of the chapter's file
    points       that a right answer earns
    minutes      that it takes, about
    difficulty   1, 2 or 3
    start        the planted mistake that stands in the cell at first; None: the signature and docstring alone
    """

    name: str
    chapter: str
    points: int = 1
    minutes: int = 10
    difficulty: int = 1
    start: str | None = None

    @property
    def function(self):
        """The name of the library's function."""
        return exercises.PLACES[self.name].function


def attributes(header):
    """key=value pairs of a cell's header line, numbers as int."""
    pairs = (part.partition("=") for part in shlex.split(header) if "=" in part)
    return {key: int(value) if value.isdigit() else value for key, _, value in pairs}


def every(chapter=None):
    """All exercises in the order of the chapters; `chapter` ("03" or "03_mla") keeps those of one."""
    found = []
    for source in sorted(SOURCES.glob("[0-9][0-9]_*.py")):
        if chapter is None or source.stem.startswith(chapter):
            found += _exercises(source.stem, source.read_text(encoding="utf-8"))
    return found


@functools.lru_cache(maxsize=64)
def _exercises(chapter, text):
    headers = [attributes(match[1]) for match in _CELL.finditer(text)]
    return [Exercise(values.pop("exercise"), chapter, **values) for values in headers]


def exercise(name):
    """The exercise of this id, or of an earlier one. Raises MinidsError where there is none."""
    for found in every():
        if found.name == exercises.canonical(name):
            return found
    raise MinidsError(f"there is no exercise {name!r}; `minids progress` lists them")


def locate(name):
    """ "attention.attend" -> (the module `minids.model.attention`, "attend")."""
    place = exercises.PLACES.get(name)
    if place is None:
        raise MinidsError(f"there is no exercise {name!r}; `minids progress` lists them")
    return importlib.import_module(f"minids.{place.module}"), place.function


def current(name):
    """The function that the library calls. It stays the same object while a student's stands in its place."""
    module, attribute = locate(name)
    return getattr(module, attribute)


def reference(name):
    """The library's own function, also after a student's took its place."""
    fn = current(name)
    return fn if dispatch.replacement(fn) is None else dispatch.original(fn)


def plain(fn):
    """The Python function under decorators such as torch.no_grad and triton.jit."""
    fn = inspect.unwrap(getattr(fn, "__func__", fn))  # a static or class method's function
    return fn if inspect.isfunction(fn) else inspect.unwrap(fn.fn)


def is_kernel(name):
    """Whether this exercise is a Triton kernel, which is launched and not called."""
    node = ast.parse(solution(name)).body[0]
    return any(ast.unparse(decorator).startswith("triton.jit") for decorator in node.decorator_list)


def source_of(fn):
    """The text of a function with its decorators, moved to the left edge."""
    return textwrap.dedent("".join(inspect.getsourcelines(plain(fn))[0])).rstrip() + "\n"


def parts(source):
    """(head, body) lines of a function: decorators, signature and docstring; what follows."""
    node, lines = ast.parse(source).body[0], source.splitlines()
    first = node.body[0]
    if ast.get_docstring(node) is not None:
        cut = first.end_lineno
    else:
        cut = node.body[0].lineno - 1
        while lines[cut - 1].strip().startswith("#"):
            cut -= 1
    return lines[:cut], lines[cut:]


def blank(source):
    """A function without its body: head, the body's comment lines, and `raise NotImplementedError`."""
    head, body = parts(source)
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    hints = [t.line.rstrip() for t in tokens if t.type == tokenize.COMMENT and t.line.strip().startswith("#")]
    indent = " " * (ast.parse(source).body[0].body[0].col_offset)
    return "\n".join([*head, *(h for h in hints if h in body), f"{indent}raise NotImplementedError"]) + "\n"


def solution(name):
    """What a filled notebook shows: the library's own source."""
    return source_of(reference(name))


def opening(found):
    """What a student finds in the cell: the blank, or the library's head over a wrong version's body."""
    whole = solution(found.name)
    if found.start is None:
        return blank(whole)
    from minids.course import wrong

    head, _ = parts(whole)
    _, body = parts(source_of(wrong.named(found.name, found.start).fn))
    return "\n".join([*head, *body]) + "\n"


def cell(found, filled):
    """The text of an exercise's cell: the imports that its function needs, and the function, blank or filled in.

    They are what the library's module has: so the function also runs when a student calls it in the next cell.
    """
    text, whole = solution(found.name) if filled else opening(found), solution(found.name)
    lines = _imports(found.name, whole if found.start is None else whole + opening(found))
    return ("\n".join(lines) + "\n\n\n" if lines else "") + text


def _imports(name, source):
    """Import lines for the names of the library's module that this source uses."""
    module, _ = locate(name)
    tree = ast.parse(source)
    nodes = list(ast.walk(tree))
    bound = {n.id for n in nodes if isinstance(n, ast.Name) and not isinstance(n.ctx, ast.Load)}
    bound |= {n.arg for n in nodes if isinstance(n, ast.arg)} | {f.name for f in tree.body}
    used = {n.id for n in nodes if isinstance(n, ast.Name)} - bound
    lines, own = [], []
    for node in ast.parse(inspect.getsource(module)).body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            for alias in node.names:
                bound_as = alias.asname or alias.name.partition(".")[0]
                if bound_as in used and bound_as in vars(module):
                    renamed = f" as {alias.asname}" if alias.asname else ""
                    if isinstance(node, ast.Import):
                        lines.append(f"import {alias.name}{renamed}")
                    else:
                        package = module.__name__.rsplit(".", node.level)[0] if node.level else ""
                        origin = ".".join(filter(None, [package, node.module]))
                        lines.append(f"from {origin} import {alias.name}{renamed}")
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            own += [node.name]
        elif isinstance(node, ast.Assign):
            own += [t.id for t in node.targets if isinstance(t, ast.Name)]
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            own += [node.target.id]
    mine = sorted(set(own) & used)
    if mine:
        lines.append(f"from {module.__name__} import {', '.join(mine)}")
    return sorted(lines, key=lambda line: (not line.startswith("import "), "minids" in line, line))
