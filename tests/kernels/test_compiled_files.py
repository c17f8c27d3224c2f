"""No kernel is left out of what is compiled ahead of time, whether or not Triton is here."""

import ast
from pathlib import Path

import pytest

from minids.kernels import compiled, runtime

FOLDER = Path(__file__).parents[2] / "kernels"
HELPERS = ()  # files whose Triton functions are called by kernels of other files alone


def has_kernel(source):
    """Whether `triton.jit` stands in a file's code, as a decorator or called."""
    return any(isinstance(node, ast.Attribute) and node.attr == "jit" for node in ast.walk(ast.parse(source)))


def test_every_file_with_a_kernel_is_compiled_and_says_how():
    sources = {path.stem: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.py")}
    with_kernel = {name for name, source in sources.items() if has_kernel(source)}
    assert with_kernel - set(HELPERS) == set(compiled.FILES), "FILES in kernels/compiled.py"
    for name in compiled.FILES:
        made = [node.name for node in ast.parse(sources[name]).body if isinstance(node, ast.FunctionDef)]
        assert "cases" in made, f"kernels/{name}.py: cases() says which launches are compiled"
    assert set(HELPERS) <= with_kernel


@pytest.mark.skipif(runtime.VERSION is None, reason="no Triton here")
def test_a_file_without_cases_is_told_so(monkeypatch, capsys):
    monkeypatch.setenv("TRITON_INTERPRET", "1"), monkeypatch.setenv("TRITON_DEFAULT_FP_FUSION", "1")
    monkeypatch.setattr(compiled, "FILES", ("floats",))
    assert compiled.main([]) == 2
    assert "kernels/floats.py has no cases()" in capsys.readouterr().err
