"""The floors of the house, ground first, and what breaks them.

A room is a folder or a file of `minids`; `kernels` stands at the top of the repository. A room imports from itself and
from floors below it, wherever the import stands in the file, and inside of a room nothing goes in a circle.

    python tools/house.py            what is wrong; exit code 1 if anything is
    python tools/house.py --floors   the table that CONTRIBUTING.md shows
    python tools/house.py --lines    lines of code in each room
"""

import ast
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FLOORS = [  # rooms that stand side by side do not know each other
    ({"errors", "progress", "dispatch"}, "how we complain; bars with an ETA; which code computes a function"),
    ({"files", "memory", "child"}, "files written whole or not at all; how much memory there is; child processes"),
    ({"settings"}, "dataclasses that say what each setting may be, and check it"),
    ({"kernels"}, "Triton kernels and their references; nothing of minids"),
    ({"model"}, "the model, generation, Hugging Face's layout, what it costs on paper; ops/: fast forms"),
    ({"text"}, "tokenizer, templates, documents as batches"),
    ({"train"}, "optimizers, the loop, checkpoints, several processes"),
    ({"tasks"}, "problems, thoughts that lead to answers, and what is paid"),
    ({"rl"}, "GRPO and its variants, sampling, the RL loop, distillation"),
    ({"eval"}, "a model's accuracy with intervals, from a folder too"),
    ({"run"}, "a recipe, its stages, the folder they leave, their cost"),
    ({"studies"}, "measurements: exact gradients, presets side by side, FP8 beside BF16"),
    ({"bench"}, "speed beside peers"),
    ({"report", "serve"}, "what a run leaves as pages and tables; talking to a model"),
    ({"pipeline"}, "the main job on one page"),
    ({"course"}, "exercises, checks, answers, grading"),
    ({"dev"}, "`minids dev`: the tools of those who work on this"),
    ({"cli"}, "the commands"),
    ({"__main__"}, "`python -m minids`"),
]
OUTSIDE = {"minids"}  # minids/__init__.py loads names when they are first used


def modules(root):
    """{dotted name: its file} of minids and kernels below a folder."""
    found = {}
    for top in ("minids", "kernels"):
        for path in sorted((root / top).rglob("*.py")):
            if path.relative_to(root).parts[:2] == ("minids", "kernels"):
                continue  # how an editable install may show the folder above
            parts = list(path.relative_to(root).with_suffix("").parts)
            parts = parts if top == "minids" else ["minids", *parts]
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports(name, path, known):
    """{module of this house that the file imports: line}, also inside functions and by import_module("…")."""
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    found = {}
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        targets = []
        if isinstance(node, ast.Import):
            targets = [a.name for a in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*above, *filter(None, [node.module])])
            targets = [f"{base}.{a.name}" if f"{base}.{a.name}" in known else base for a in node.names]
        elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            called = getattr(node.func, "attr", getattr(node.func, "id", ""))
            targets = [node.args[0].value] if called in ("import_module", "__import__") else []
        for target in targets:
            if target in known and target != name and target not in OUTSIDE:
                found.setdefault(target, node.lineno)
    return found


def room(name):
    return name.split(".")[1] if "." in name else name


def complaints(root=ROOT, floors=FLOORS):
    """What breaks the floors, in sentences."""
    known = modules(root)
    level = {r: i for i, (rooms, _) in enumerate(floors) for r in rooms}
    graph = {name: imports(name, path, known) for name, path in known.items() if name not in OUTSIDE}
    found = [f"{known[name]}: the room {room(name)!r} is on no floor" for name in graph if room(name) not in level]
    for name, targets in graph.items():
        for target, line in targets.items():
            here, there = room(name), room(target)
            if here != there and level.get(there, -1) >= level.get(here, len(floors)):
                where = "above" if level[there] > level[here] else "beside"
                found.append(f"{known[name]}:{line}: {name} imports {target}, which is {where} it")
    return found + [f"a circle: {' -> '.join([*circle, circle[0]])}" for circle in circles(graph)]


def circles(graph):
    """One circle of each knot of modules that import one another (Tarjan's strongly connected components)."""
    index, low, stack, found = {}, {}, [], []

    def visit(v):
        index[v] = low[v] = len(index)
        stack.append(v)
        for w in graph.get(v, ()):
            if w not in index:
                visit(w)
            if w in stack:
                low[v] = min(low[v], low[w])
        if low[v] == index[v]:
            knot = stack[stack.index(v) :]
            del stack[stack.index(v) :]
            if len(knot) > 1:
                found.append(_around(knot, graph))

    for v in graph:
        if v not in index:
            visit(v)
    return found


def _around(knot, graph):
    """A way from the first module of a knot back to it."""
    way, seen = [knot[0]], {knot[0]}
    while True:
        onward = [w for w in graph[way[-1]] if w in knot]
        if way[0] in onward and len(way) > 1:
            return way
        fresh = [w for w in onward if w not in seen]
        if not fresh:
            way.pop()
            continue
        way.append(fresh[0])
        seen.add(fresh[0])


def table(floors=FLOORS):
    rows = [(" · ".join(f"`{r}`" for r in sorted(rooms)), about) for rooms, about in floors]
    return "\n".join(["| room | what is in it |", "|---|---|", *(f"| {a} | {b} |" for a, b in rows)])


def lines(root=ROOT):
    counted = {}
    for name, path in modules(root).items():
        counted[room(name)] = counted.get(room(name), 0) + len(path.read_text(encoding="utf-8").splitlines())
    return counted


def main(argv):
    if "--floors" in argv:
        print(table())
    elif "--lines" in argv:
        for name, count in sorted(lines().items(), key=lambda pair: -pair[1]):
            print(f"{name:12}{count:7}")
    else:
        found = complaints()
        print("\n".join(found) or f"{len(modules(ROOT))} modules on {len(FLOORS)} floors, no circle, no import upwards")
        return 1 if found else 0
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
