"""The cells that run in this IPython: from which of them a function comes, as text for reader.py.

IPython's linecache holds a cell cut at every form feed and U+2028, and nothing of %%time. So the cells are noted as
they were typed, and a function is found among them by its code.
"""

import ast
import linecache
import sys
import warnings

from minids.course import catalog, reader

_cells = []  # as they were typed, in the order in which they ran


def shell():
    """The IPython that this runs in, or None."""
    return sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None


def listen():
    """From now on notes the cells that run in this IPython, if there is one, after those in its history."""
    here = shell()
    if here is not None and _note not in here.events.callbacks["pre_run_cell"]:
        _cells.extend(here.history_manager.input_hist_raw)
        here.events.register("pre_run_cell", _note)


def _note(info):
    _cells.append(info.raw_cell)


def python_of(fn, function):
    """The text, as Python, of the cell or file that `fn` comes from; "" if there is none to be found.

    The cells as they were typed come first. Raises SyntaxError.
    """
    ran = [cell for cell in reversed(_cells) if function in cell]
    try:
        code = catalog.plain(fn).__code__
    except (AttributeError, TypeError, ValueError):  # a class, a partial, something of C: there is no code to compare
        return reader.as_python(next((c for c in ran if _mentions(c, function)), ""))
    lines = linecache.getlines(code.co_filename)
    if not lines:  # %%time and the like
        found = next((c for c in ran if _made(c, code)), None)
        return reader.as_python(found or next((c for c in ran if _mentions(c, function)), ""))
    here = shell()
    for cell in ran if here is not None else ():
        if [line + "\n" for line in _quiet(here.transform_cell, cell).splitlines()] == lines:
            return reader.as_python(cell)
    text = reader.as_file("".join(lines))
    if not reader.mentions(reader.definitions(text), function):  # imported from a file that knows it by another name
        others = (c for c in ran if _mentions(c, function) and not _mentions(c, function, reader.find))
        return reader.as_python(next(others, text))
    return text


def up_to_next(fn, function, nodes):
    """These statements, without what follows `fn` from the next definition of that name on: that one is not `fn`."""
    found = [n for top in nodes for n in reader.functions(top, function)]
    if len(found) < 2:
        return nodes
    try:
        code = catalog.plain(fn).__code__
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            made = compile(ast.Module(nodes, []), "<cell>", "exec", dont_inherit=True)
    except (AttributeError, TypeError, ValueError, SyntaxError):
        return nodes
    lines = {c.co_firstlineno for c in made.co_consts if getattr(c, "co_name", "") == function and _alike(c, code)}
    # told by the code, for lines have other numbers under %%time; and by the line where only defaults differ
    own = [n for n in found if _first_line(n) in lines] or found
    own = [n for n in own if _first_line(n) == code.co_firstlineno] or own
    at = next(i for i, top in enumerate(nodes) if own[-1] in reader.functions(top, function))
    after = (i for i, top in enumerate(nodes) if i > at and reader.functions(top, function))
    return nodes[: next(after, len(nodes))]


def _first_line(node):
    return min([node.lineno, *(d.lineno for d in node.decorator_list)])


def _quiet(transform, cell):
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return transform(cell)
    except Exception:  # a transformer that somebody has added may raise anything
        return ""


def _mentions(cell, function, how=reader.mentions):
    try:
        return how(reader.definitions(reader.as_python(cell)), function)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False


def _made(cell, code):
    """Whether running this cell makes this code, whatever the numbers of its lines."""
    try:
        whole = [compile(reader.as_python(cell), code.co_filename, "exec", dont_inherit=True)]
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    for part in whole:  # it grows
        if part.co_name == code.co_name and _alike(part, code):
            return True
        whole += [c for c in part.co_consts if hasattr(c, "co_consts")]
    return False


def _alike(a, b):
    if not hasattr(a, "co_code"):
        return type(a) is type(b) and a == b
    parts = "co_code", "co_names", "co_varnames", "co_freevars", "co_argcount", "co_kwonlyargcount"
    return (
        hasattr(b, "co_code")
        and all(getattr(a, p) == getattr(b, p) for p in parts)
        and len(a.co_consts) == len(b.co_consts)
        and all(map(_alike, a.co_consts, b.co_consts))
    )
