"""Reads cells: what of a cell, or of a file, is an answer. `check`, `minids grade`, mine/ and nbgrader all read here.

    as_python(cell)      the cell as plain Python, by IPython's own rules: magics have become calls of get_ipython()
    definitions(text)    what it defines: imports, functions, classes, assignments. Calls, magics and plots are left out

An answer is text. Only its definitions are used, compiled in a copy of the namespace of the library module that it
belongs to. So a cell that plots, or a notebook full of other things, changes nothing, and what passes alone here also
works in mine/. What needs IPython (`files = !ls`) is no part of an answer: minids also runs where there is none.

What looks like a magic in a cell is left to IPython itself, which the extra `course` installs. Kept answers and files
of plain Python are read without it.
"""

import __future__

import ast
import re
import warnings

from minids.course import catalog, exercises
from minids.errors import MinidsError

_PLAIN = (
    ast.Import,
    ast.ImportFrom,
    ast.FunctionDef,
    ast.AsyncFunctionDef,
    ast.ClassDef,
    ast.Assign,
    ast.AnnAssign,
    *([ast.TypeAlias] if hasattr(ast, "TypeAlias") else []),
)
_BLOCKS = (ast.If, ast.Try, ast.TryStar, ast.With, ast.For, ast.While, ast.Match)
_DEFS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
# cell magics whose body is no Python of this session, or leaves no names behind. Others (%%time, %%capture) do
_APART = set(
    "bash cmd cython file html javascript js latex markdown perl pypy python python2 python3 ruby script sh sql svg sx "
    "system timeit writefile".split()
)
_BEGINS = r"(?:^|[\v\f\r\x1c-\x1e\x85\u2028\u2029])[ \t\f]*"  # where IPython sees a line, Python or not
_MAGIC = re.compile(_BEGINS + r"[%!?,;/]|=[^\S\n]*[%!]|\?[^\S\n]*$", re.M)
# what else IPython changes: prompts, indentation of the whole, lines of blanks
_PASTED = re.compile(rf"{_BEGINS}(?:>>>|\.\.\.|(?:\[(?:nav|ins)\] ?)?In \[)|\A\s*^[ \t]|^[ \t]+$", re.M)
_MOST_WORK = 1e9  # about ten seconds of IPython for one cell: it begins anew after each magic
_DEEPEST = 8  # cell magics in one another


# -- a cell as Python --------------------------------------------------------------------------------------------------


def as_python(cell):
    """A cell as the Python that IPython makes of it, the bodies of %%time and the like unfolded. Raises SyntaxError.

    Lines keep their numbers, except below a magic that is written over several lines.
    """
    text = _transformed(cell)
    for _ in range(_DEEPEST):
        found = next(filter(None, map(_magic_of, _parse(text).body)), None)
        if found is None:
            break
        node, body = found
        lines = text.split("\n")
        lines[node.lineno - 1 : node.end_lineno] = ["", *_transformed(body).split("\n")]
        text = "\n".join(lines)
    return text


def as_file(text):
    """A file as Python: as it stands if it is Python, and else as a cell. Raises SyntaxError."""
    try:
        has_magic = any(map(_magic_of, _parse(text).body))  # as nbconvert writes them into a .py
    except SyntaxError:
        return as_python(text)
    return as_python(text) if has_magic else _lines_of(text)


def _lines_of(text):
    """The text with the ends of lines that Python sees, and no others: not at a form feed, not at U+2028."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _parse(text):
    with warnings.catch_warnings():  # about "\d", for example: nbgrader gives no points to a cell that warns
        warnings.simplefilter("ignore")
        return ast.parse(text)


def _transformed(cell):
    magics = len(_MAGIC.findall(cell))
    if not magics and not _PASTED.search(cell):
        return _lines_of(cell)
    # Its tokenizer is slow, and quadratic in the length of a line: a cell could hold up a grader for days
    if (1 + magics) * sum(1000 * len(line) + len(line) ** 2 for line in cell.split("\n")) > _MOST_WORK:
        return _unchanged(cell, SyntaxError("too many lines that look like magics in a cell of this length"))
    try:
        from IPython.core.inputtransformer2 import TransformerManager
    except ImportError:
        missing = "a notebook's magics are read with IPython, which is not installed: pip install 'minids[course]'"
        return _unchanged(cell, MinidsError(missing))
    above = re.match(r"(?:[^\S\n]*\n)*", _lines_of(cell))[0].count("\n")  # IPython takes empty lines at the top away
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return "\n" * above + _lines_of(TransformerManager().transform_cell(cell))
        except RuntimeError as error:
            raise SyntaxError(str(error)) from None


def _unchanged(cell, error):
    """A cell that IPython does not get to see: what looked like a magic may be the line of a text."""
    try:
        _parse(cell)
    except SyntaxError:
        raise error from None
    return _lines_of(cell)


def _magic_of(node):
    """(statement, body) of a cell magic that runs its body as Python here, or None."""
    call = getattr(node, "value", None) if isinstance(node, ast.Expr) else None
    if not isinstance(call, ast.Call) or ast.unparse(call.func) != "get_ipython().run_cell_magic":
        return None
    given = [a.value for a in call.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]
    return (node, given[2]) if len(given) == 3 and given[0] not in _APART else None


# -- what it defines ---------------------------------------------------------------------------------------------------


def definitions(source):
    """The statements of a cell or file that define something. Raises SyntaxError.

    A block (if, try, with, …) is one of them if it defines a function or a class, imports something, or gives a value
    to a name that the others use.
    """
    try:
        body = _parse(source).body
    except SyntaxError:
        body = _parse(as_python(source)).body
    body = _as_named_now(body)
    plain = [n for n in body if isinstance(n, _PLAIN)]
    used = set().union(*map(_used, plain), *(_used(d) for n in body for d in _inner(n) if isinstance(d, _DEFS)))
    return _kept(body, used)


def _as_named_now(body):
    """A function that has the name which an exercise's function had before gets the one that it has now."""
    defined = {n.name for top in body for n in [top, *_inner(top)] if isinstance(n, ast.FunctionDef)}
    old = {was: now for was, now in exercises.RENAMED.items() if was in defined and now not in defined}
    for node in (n for top in body for n in ast.walk(top) if old):
        if isinstance(node, ast.FunctionDef) and node.name in old:
            node.name = old[node.name]
        elif isinstance(node, ast.Name) and node.id in old:
            node.id = old[node.id]
    return body


def _kept(body, used):
    kept, bound = [], set()
    for node in body:
        if not isinstance(node, _DEFS) and _needs_ipython(node, used):
            continue
        if isinstance(node, _BLOCKS):
            inner = list(_inner(node))
            if any(isinstance(n, _DEFS + (ast.Import, ast.ImportFrom)) for n in inner) or _bound(inner) & used:
                kept.append(_without_calls(node, used))
        elif isinstance(node, _PLAIN) or isinstance(node, ast.AugAssign) and _bound([node]) & used & bound:
            kept.append(node)
            bound |= _bound([node])
    return kept


def _needs_ipython(node, used):
    """A magic, its value, or an `await` outside of functions, which only IPython allows."""
    if isinstance(node, ast.Import | ast.ImportFrom):
        modules = [node.module or ""] if isinstance(node, ast.ImportFrom) else [a.name for a in node.names]
        names = {a.asname or a.name.partition(".")[0] for a in node.names}
        return all(m.partition(".")[0] == "IPython" for m in modules) and not names & used
    if isinstance(node, _BLOCKS):
        return False  # what is in it is looked at by itself
    return any(isinstance(n, ast.Await) or getattr(n, "id", "") == "get_ipython" for n in ast.walk(node))


def _inner(node):
    """The statements in a block, those of blocks in it too, in their order; not those of functions and classes."""
    if not isinstance(node, _BLOCKS):
        return
    for statements in _bodies(node):
        for n in statements:
            yield n
            yield from _inner(n)


def _bodies(node):
    parts = [node, *getattr(node, "handlers", []), *getattr(node, "cases", [])]
    return [getattr(p, name) for p in parts for name in ("body", "orelse", "finalbody") if getattr(p, name, None)]


def _without_calls(node, used):
    """A block whose calls and magics became `pass`. `shortened` says that its lines are not what it is any more."""
    node.shortened = False
    for statements in _bodies(node):
        for i, n in enumerate(statements):
            if isinstance(n, _BLOCKS):
                node.shortened |= _without_calls(n, used).shortened
            elif isinstance(n, ast.Expr | ast.Assert) or not isinstance(n, _DEFS) and _needs_ipython(n, used):
                statements[i] = ast.copy_location(ast.Pass(), n)
                node.shortened = True
    return node


def _bound(nodes):
    """Names that these statements give a value to, or change a part of."""
    names = set()
    for node in nodes:
        if isinstance(node, _DEFS):
            names.add(node.name)
        targets = getattr(node, "targets", None) or [getattr(node, "target", None)]
        for target in targets if isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign) else ():
            names |= {n.id for n in ast.walk(target) if isinstance(n, ast.Name)}
    return names


def _used(node):
    """Names that a statement takes from outside: a function's own variables are none of them."""
    loads, own = set(), set()
    for n in ast.walk(node):
        if isinstance(n, ast.Name):
            (loads if isinstance(n.ctx, ast.Load) else own).add(n.id)
        elif isinstance(n, ast.arg):
            own.add(n.arg)
    return loads - own if isinstance(node, _DEFS) else loads


def find(nodes, function):
    """The last definition of a function of this name, in a block too, or None."""
    return next((n for node in reversed(nodes) for n in reversed(functions(node, function))), None)


def functions(node, function):
    """The definitions of a function of this name that a statement is, or has in its blocks."""
    return [n for n in [node, *_inner(node)] if isinstance(n, ast.FunctionDef) and n.name == function]


def parameters(node):
    """The names of a function's parameters."""
    given = node.args
    return tuple(a.arg for a in [*given.posonlyargs, *given.args, *given.kwonlyargs])


def missing(nodes, function):
    """Why `find` finds nothing, in a sentence."""
    other = _instead(nodes, function)
    said = f"`{function}` {other}. Write it as a `def` at the left edge." if other else ""
    return f"found no `def {function}` in the cell that defines it{':' if said else '.'} {said}".rstrip()


def mentions(nodes, function):
    """Whether these statements make something of this name, be it a function or not."""
    return find(nodes, function) is not None or _instead(nodes, function) != ""


def _instead(nodes, function):
    """What these statements have of this name that is no `def` of theirs, in words."""
    said = ""
    for node in (n for top in nodes for n in [top, *_inner(top)]):
        if isinstance(node, ast.Import | ast.ImportFrom) and function in (a.asname or a.name for a in node.names):
            said = "is imported"
        elif isinstance(node, ast.ClassDef) and node.name == function:
            said = "is a class"
        elif isinstance(node, ast.AsyncFunctionDef) and node.name == function:
            said = "is an `async def`"
        elif isinstance(node, ast.Assign | ast.AnnAssign) and function in _bound([node]):
            said = "is a lambda" if isinstance(node.value, ast.Lambda) else "is given a value"
        elif isinstance(node, _DEFS) and any(getattr(n, "name", "") == function for n in ast.walk(node)):
            said = said or f"stands inside of `{node.name}`"
    return said


def text_of(source, nodes):
    """The lines of these statements of a Python text."""
    lines, parts, end = _lines_of(source).split("\n"), [], 0
    for node in nodes:
        first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])
        if getattr(node, "shortened", False):
            parts.append(ast.unparse(node))
        elif first <= end:  # it begins in the line in which the last one ends
            parts[-1] = "\n".join([parts[-1], *lines[end : node.end_lineno]])
        else:
            parts.append("\n".join(lines[first - 1 : node.end_lineno]))
        end = max(end, node.end_lineno)
    return "\n\n".join(parts) + "\n"


def is_blank(node, found=None):
    """Whether nothing was written yet: no body, pass, …, NotImplementedError, or the unchanged bug of a hunt."""
    body = [n for n in node.body if not (isinstance(n, ast.Expr) and isinstance(n.value, ast.Constant))]
    if not body or (len(body) == 1 and isinstance(body[0], ast.Pass)):
        return True
    if len(body) == 1 and isinstance(body[0], ast.Raise) and "NotImplementedError" in ast.dump(body[0]):
        return True
    return found is not None and found.start is not None and same(node, ast.parse(catalog.opening(found)).body[0])


def same(a, b):
    """Whether two functions are the same code, whatever their docstrings and comments."""
    return _code(a) == _code(b)


def _code(node):
    body = node.body[1:] if ast.get_docstring(node) is not None else node.body
    return ast.dump(node.args), [ast.dump(d) for d in node.decorator_list], [ast.dump(n) for n in body]


def is_library(node, name):
    """Whether a function is the library's own code, whatever its docstring and comments."""
    return same(node, ast.parse(catalog.solution(name)).body[0])


def compile_answer(name, nodes, filename):
    """Runs the definitions in a copy of the library module's namespace and returns the exercise's function."""
    module, attribute = catalog.locate(name)
    space = dict(vars(module)) | {"get_ipython": _no_ipython, "input": _no_input}
    space |= {was: space[now] for was, now in exercises.RENAMED.items() if now in space and was not in space}
    space.pop(attribute, None)  # else a `def` that is never reached would leave the library's own
    # annotations are not looked up: a name that only they use need not be there
    postponed = __future__.annotations.compiler_flag
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SyntaxWarning)
        code = compile(ast.Module(nodes, []), filename, "exec", flags=postponed, dont_inherit=True)
    exec(code, space)
    if attribute not in space:
        raise NameError(f"no `def {attribute}` was reached")
    return space[attribute]


def _no_input(*prompt):
    raise RuntimeError("an answer may not ask (input): what it needs comes as arguments")


def _no_ipython():
    raise NameError("a line with % or ! needs IPython, which is not there when minids runs this function")
