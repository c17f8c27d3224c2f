"""`help()` is the manual: every public name and every setting says what it is, and what the docs show runs."""

import argparse
import ast
import contextlib
import doctest
import functools
import importlib
import inspect
import io
import pydoc
import re
import shlex
import shutil
import textwrap
import tomllib
from dataclasses import fields
from pathlib import Path

import pytest
import torch
from mini import own_files

import minids
from minids import cli
from minids.model.config import ModelConfig
from minids.run import recipes, settings_page
from minids.settings import Explained, described
from minids.text import corpus

ROOT = Path(minids.__file__).parents[1]
TABLES = ("course/cases", "course/wrong")  # rows for checks: their decorators say what each is
ELSEWHERE = ("extending.md", "library.md", "environments.md")  # pages whose blocks other tests run
# Indented blocks of docstrings that can be read as Python and are none to run: add those of yours.
NO_PROGRAM = {
    "minids/model/moe.py: permute_tokens",  # a call, and what it returns
    "minids/model/transformer.py: module",  # an equation
    "minids/run/stage.py: module",  # a row of a table
}


@functools.cache
def sources():
    """{path from the root: syntax tree} of the rooms."""
    paths = [p for top in ("minids", "kernels") for p in sorted((ROOT / top).rglob("*.py"))]
    names = {p.relative_to(ROOT).as_posix(): p for p in paths if "minids/kernels" not in p.as_posix()}
    return {
        name: ast.parse(path.read_text(encoding="utf-8"))
        for name, path in names.items()
        if not any(f"minids/{table}/" in name for table in TABLES)
    }


def module_of(file):
    """The module of a file, given from the root."""
    name = file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    return importlib.import_module(f"minids.{name}" if name.startswith("kernels") else name)


def public(nodes, kind=(ast.FunctionDef, ast.ClassDef)):
    """The definitions among the nodes whose names do not begin with an underscore."""
    return [node for node in nodes if isinstance(node, kind) and not node.name.startswith("_")]


@functools.cache
def classes():
    """{name: [their syntax trees]} of all classes in the rooms."""
    found = {}
    for tree in sources().values():
        for node in tree.body:
            if isinstance(node, ast.ClassDef):
                found.setdefault(node.name, []).append(node)
    return found


def overrides(cls, method, seen=()):
    """Whether a class of ours above this one has the method, with a docstring: help shows that one."""
    names = [getattr(base, "attr", getattr(base, "id", "")) for base in cls.bases]
    for above in (node for name in names for node in classes().get(name, []) if node not in (cls, *seen)):
        if any(node.name == method and ast.get_docstring(node) for node in public(above.body)):
            return True
        if overrides(above, method, (cls, *seen)):
            return True
    return False


def without_docstring():
    """Public modules, functions, classes and methods of the rooms that say nothing, as "file: name"."""
    for file, tree in sources().items():
        if not ast.get_docstring(tree) and tree.body:
            yield f"{file}: the module"
        for node in public(tree.body):
            if not ast.get_docstring(node):
                yield f"{file}: {node.name}"
            if isinstance(node, ast.ClassDef):
                methods = public(node.body, ast.FunctionDef)
                said = {method.name for method in methods if ast.get_docstring(method)}  # a setter needs none
                silent = (m.name for m in methods if m.name not in said and not overrides(node, m.name))
                yield from (f"{file}: {node.name}.{name}" for name in silent)


def test_every_public_name_has_a_docstring():
    assert list(without_docstring()) == []


def errors_left_out():
    """Public functions and methods that raise our errors themselves and do not say so; commands and checks apart."""
    for file, tree in sources().items():
        for node in () if "/course/" in file or "/bench/" in file else public(tree.body):
            methods = public(node.body, ast.FunctionDef) if isinstance(node, ast.ClassDef) else [node]
            for method in methods:
                raised = [ast.unparse(n.exc) for n in ast.walk(method) if isinstance(n, ast.Raise) and n.exc]
                said = re.search("raise|refus|error", ast.get_docstring(method) or "", re.I)
                if any(re.match("(Minids|Kernel)Error", error) for error in raised) and not said:
                    if method is node or not overrides(node, method.name):
                        yield f"{file}: {node.name}.{method.name}"


def test_who_raises_our_errors_says_when():
    assert list(errors_left_out()) == []


def fields_left_out():
    """Fields of public dataclasses and named tuples that the class docstring does not name, but for settings."""
    for file, tree in sources().items():
        for node in public(tree.body, ast.ClassDef):
            above = " ".join(map(ast.unparse, [*node.decorator_list, *node.bases]))
            if "dataclass" in above or "NamedTuple" in above:
                lines = [line for line in node.body if isinstance(line, ast.AnnAssign)]
                names = [line.target.id for line in lines if "setting(" not in ast.unparse(line)]
                said = re.findall(r"\w+", ast.get_docstring(node) or "")
                yield from (f"{file}: {node.name}.{name}" for name in names if name not in said)


def test_every_field_of_a_public_class_is_explained():
    assert list(fields_left_out()) == []


def test_every_name_of_the_package_explains_itself():
    for name in minids.__all__:
        if name != "__version__":
            text = pydoc.render_doc(getattr(minids, name), renderer=pydoc.plaintext)
            assert len(text.splitlines()) > 3 and (getattr(minids, name).__doc__ or "").strip(), name
            assert re.search(rf"\b{name}\b", minids.__doc__), f"help(minids) says nothing of {name}"


# -- settings ----------------------------------------------------------------------------------------------------------


def configs(above=Explained):
    """Every class of settings of the rooms that has fields."""
    for file in sources():
        if "minids.settings import" in (ROOT / file).read_text(encoding="utf-8"):
            module_of(file)
    found = {cls: None for below in above.__subclasses__() for cls in (below, *configs(below))}
    return [cls for cls in found if cls.__module__.startswith("minids.") and hasattr(cls, "__dataclass_fields__")]


@pytest.mark.parametrize("cls", configs(), ids=lambda cls: cls.__name__)
def test_help_lists_every_setting_with_what_it_may_be(cls):
    text = " ".join(re.sub("^ [|]", "", pydoc.render_doc(cls, renderer=pydoc.plaintext), flags=re.M).split())
    assert not cls.__doc__.startswith(f"{cls.__name__}("), "only the signature"
    for f in fields(cls):
        if not f.metadata:
            assert f"`{f.name}`" in cls.__doc__, f.name
            continue
        assert " ".join(f.metadata["doc"].split()) in text and f.metadata["doc"], f.name
        means = f.metadata["means"] or {described(f): described(f)}
        for value, meaning in means.items():
            assert value in text and " ".join(meaning.split()) in text, f"{f.name}: {value}"


def test_every_setting_that_a_recipe_names_is_explained():
    page = settings_page.page()
    assert settings_page.PAGE.read_text(encoding="utf-8") == page, "run `minids dev settings`"
    for path in sorted(recipes.FOLDER.glob("*.toml")):
        for section, keys in tomllib.loads(path.read_text(encoding="utf-8")).items():
            classes = [ModelConfig] if section in ("model", "small") else recipes.classes(section)
            known = {f.name for cls in classes or recipes.classes("") for f in fields(cls)}
            for key in keys if isinstance(keys, dict) else [section]:
                in_class = key in known or key == "extends" or not isinstance(keys, dict)
                assert in_class and (f"| `{key}` |" in page or key == "extends"), f"{path.name}: {section}.{key}"


# -- code that is shown ------------------------------------------------------------------------------------------------


@functools.cache
def docstrings():
    """[(file, name, docstring)] of everything in the rooms."""
    return list(_docstrings())


def _docstrings():
    for file, tree in sources().items():
        for node in ast.walk(tree):
            kinds = (ast.Module, ast.ClassDef, ast.FunctionDef)
            if isinstance(node, kinds) and (text := ast.get_docstring(node)):
                yield file, getattr(node, "name", "module"), text
    yield "minids/rl/grpo.py", "grpo_loss", inspect.getdoc(minids.grpo_loss)  # a part of it is added later


def programs(text):
    """The indented blocks of a docstring that are Python with a call in it."""
    for block in re.findall(r"(?:(?:^ {4}.*\n)+\n*)+", text + "\n", re.M):
        code = textwrap.dedent(block).strip("\n")
        try:
            calls = [node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Call)]
        except SyntaxError:
            continue
        if calls:
            yield code


SHOWN = {f"{file}: {name}": list(programs(text)) for file, name, text in docstrings() if list(programs(text))}


@pytest.fixture(scope="module")
def desk(finished, tmp_path_factory):
    """A folder with runs/tiny and runs/other, as the examples expect it, and what they take as given."""
    folder = tmp_path_factory.mktemp("desk")
    for name in ("tiny", "other"):
        shutil.copytree(finished, folder / "runs" / name)
    own_files(folder)
    model, tokenizer = minids.load(folder / "runs" / "tiny")
    given = {"model": model, "tokenizer": tokenizer, "config": model.config}
    given["ids_BT"] = torch.tensor([tokenizer.encode("12+30=42")])
    return folder, given


def test_there_are_programs_in_docstrings():
    assert len(SHOWN) > 5 and NO_PROGRAM <= SHOWN.keys()


@pytest.mark.parametrize("name", [name for name in SHOWN if name not in NO_PROGRAM])
def test_what_a_docstring_shows_runs(name, desk, monkeypatch):
    """In its module, with a model, a tokenizer and a run at hand, and one step of each training."""
    monkeypatch.chdir(desk[0])
    module = module_of(name.partition(":")[0])
    names = {name: getattr(minids, name) for name in minids.__all__} | {"minids": minids, "corpus": corpus}
    names |= {module.__name__.rpartition(".")[2]: module} | vars(module) | desk[1]
    for code in SHOWN[name]:
        exec(re.sub(r"\bsteps=[0-9]+", "steps=1", code), dict(names))  # noqa: S102


def test_sessions_in_docstrings_say_what_comes_out():
    for file, name, text in docstrings():
        if ">>>" in text:
            module = module_of(file)
            test = doctest.DocTestParser().get_doctest(text, dict(vars(module)), name, file, 0)
            assert doctest.DocTestRunner().run(test).failed == 0, f"{file}: {name}"


def pages():
    """The pages of documentation."""
    return [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


@pytest.mark.parametrize("page", [p for p in pages() if p.name not in ELSEWHERE], ids=lambda path: path.name)
def test_what_a_page_shows_runs(page, request, monkeypatch):
    blocks = re.findall(r"^```python\n(.*?)^```", page.read_text(encoding="utf-8"), re.M | re.S)
    if blocks:
        monkeypatch.chdir(request.getfixturevalue("desk")[0])
        exec("\n".join(blocks), {})  # noqa: S102


@functools.cache
def commands():
    """{command: its parser}."""
    (action,) = (a for a in cli.parser()._actions if isinstance(a, argparse._SubParsersAction))
    return action.choices


def texts():
    """{where: text} of everything that may show a command: pages, docstrings, and the chapters' sources."""
    read = [*pages(), *sorted((ROOT / "chapters" / "src").glob("*.py"))]
    shown = {path.name: path.read_text(encoding="utf-8") for path in read}
    for file, name, text in docstrings():
        shown[f"{file}: {name}"] = shown.get(f"{file}: {name}", "") + "\n" + text
    return shown


PROGRAM = r"(?:\S*/)?minids"


def test_commands_that_are_shown_can_be_typed():
    """Lines of their own, in blocks: words, then perhaps two blanks or # and what it does."""
    tried = 0
    for where, text in texts().items():
        indent = "(?: {4})?" if where.endswith(".md") else " {4}"
        for line in re.findall(rf"^{indent}({PROGRAM} [a-z][^\n]*)$", text, re.M):
            words = shlex.split(re.split(r"  |#| > ", line)[0])[1:]
            if "…" in words or words[0] not in commands() or any("[" in word and "=" not in word for word in words):
                continue  # a part of one
            tried += 1
            said = io.StringIO()
            try:
                with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
                    cli.parser().parse_args(words)
            except SystemExit as left:
                assert not left.code, f"{where}: {line}: {said.getvalue()}"
    assert tried > 15


def test_commands_that_are_named_are_there_with_their_options():
    for where, text in texts().items():
        for span in re.findall(rf"(?<!`)`({PROGRAM} [a-z][^`]*)`(?!`)", text):
            command, *words = span.split()[1:]
            assert command in commands(), f"{where}: {span}"
            options = commands()[command]._option_string_actions
            for word in words if command != "dev" else ():
                option = word.partition("=")[0].strip("[]")
                assert not option.startswith("--") or option in options, f"{where}: {span}"
