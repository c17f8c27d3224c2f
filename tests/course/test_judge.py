"""Finding an answer in a text, running cases on it, naming the mistake."""

import ast
import random

import pytest
import torch
from answers import RIGHT, SWIGLU, WRONG, blank

from minids.course import cases, catalog, judge


def fn_of(source, name=SWIGLU):
    return judge.compile_answer(name, judge.definitions(source), "<test>")


def test_only_definitions_are_taken_from_a_cell():
    source = "%matplotlib inline\nimport math\n!ls\nx = 3\nprint(1 / 0)\nfor i in range(9): pass\ndef f(): return x\n"
    kinds = [type(n).__name__ for n in judge.definitions(source)]
    assert kinds == ["Import", "Assign", "FunctionDef"]
    assert judge.text_of(source, judge.definitions(source)).startswith("import math\n\nx = 3\n\ndef f()")


def test_the_last_definition_counts():
    nodes = judge.definitions("def f(): return 1\ndef f(): return 2\n")
    assert judge.find(nodes, "f").lineno == 2 and judge.find(nodes, "g") is None


@pytest.mark.parametrize(
    "body, is_blank",
    [
        ("pass", True),
        ("...", True),
        ("'''says what'''", True),
        ("raise NotImplementedError", True),
        ("raise NotImplementedError('later')", True),
        ("'''doc'''\n    raise NotImplementedError", True),
        ("return None", False),
        ("raise ValueError", False),
        ("x = 1\n    raise NotImplementedError", False),
    ],
)
def test_blank_is_seen(body, is_blank):
    assert judge.is_blank(ast.parse(f"def f(x):\n    {body}\n").body[0]) is is_blank


def test_the_blank_of_every_exercise_is_blank_and_keeps_its_head():
    for e in catalog.every():
        opening = catalog.opening(e)
        node, whole = ast.parse(opening).body[0], ast.parse(catalog.solution(e.name)).body[0]
        assert judge.is_blank(node, e), e.name
        assert node.name == e.function and ast.dump(node.args) == ast.dump(whole.args)
        assert ast.get_docstring(node), f"{e.name} has no docstring"
        assert e.start or not judge.same(node, whole)


def test_a_right_answer_passes_and_nothing_around_it_moves():
    torch.manual_seed(5)
    random.seed(5)
    torch.set_grad_enabled(True)
    before, other = torch.get_rng_state(), random.getstate()
    results = judge.run_cases(SWIGLU, fn_of(RIGHT), held_out=True)
    assert len(results) >= 4 and not any(r.why for r in results)
    meddling = "torch.set_default_dtype(torch.float64); torch.manual_seed(1); torch.set_grad_enabled(False)"
    judge.run_cases(SWIGLU, fn_of(RIGHT.replace("    y =", f"    {meddling}\n    y =")))
    assert torch.equal(torch.get_rng_state(), before) and random.getstate() == other
    assert torch.get_default_dtype() == torch.float32 and torch.is_grad_enabled()


def test_a_failing_answer_is_told_what_was_given_expected_and_got():
    results = judge.run_cases(SWIGLU, fn_of(WRONG))
    why = next(r.why for r in results if r.why)
    assert "expected" in why and "got" in why


@pytest.mark.parametrize(
    "body, told",
    [
        ("return nowhere(gate)", "constants and imports into this cell"),
        ("return exit()", "ends the program"),
        ("return gate.sigmoyd()", "in line 2: return gate.sigmoyd()"),
        ("print('look', gate.shape)", "None"),
        ("return gate @ up @ gate @ up @ 3", "RuntimeError: both arguments to matmul need to be at least 1D"),
        ("return gate @ up @ gate @ up @ 3", "in line 2: return gate @ up @ gate @ up @ 3"),
    ],
)
def test_what_goes_wrong_is_said(body, told, cell):
    source = f"def swiglu(gate, up):\n    {body}\n"
    fn = cell(SWIGLU, source)
    results = judge.run_cases(SWIGLU, fn)
    assert results[0].why and told in results[0].why
    if "print" in body:
        assert "look" in results[0].printed


def test_ctrl_c_gets_through():
    def interrupted(gate, up):
        raise KeyboardInterrupt

    torch.manual_seed(3)
    before = torch.get_rng_state()
    with pytest.raises(KeyboardInterrupt):
        judge.run_cases(SWIGLU, interrupted)
    assert torch.equal(torch.get_rng_state(), before)


def test_expect_says_what_differs():
    one = torch.ones(2, 3)
    for got, want, told in [
        (one, torch.ones(3, 2), "shape (3, 2) was expected, got (2, 3)"),
        (one.double(), one, "dtype"),
        (one * float("nan"), one, "NaN"),
        (None, one, "return"),
        ([1, 2], [1, 3], "value 1"),
        (2, [1], "1 value was"),
        ({"a": 1}, {"a": 2}, "at 'a'"),
        (1.1, 1.0, "number"),
        ("x", "y", "value"),
        (one + 1e-3, one, "by up to 0.001"),
    ]:
        with pytest.raises(AssertionError, match=".*") as error:
            cases.expect(got, want, given=one)
        assert told in str(error.value) and "given    given" in str(error.value)
    cases.expect(one + 1e-6, one)
    cases.expect(float("nan"), float("nan"))
    cases.expect(torch.tensor([float("inf")]), torch.tensor([float("inf")]))


def test_gradients_are_those_of_autograd():
    x, y = torch.randn(3, 4, dtype=torch.float64), torch.randn(3, 4, dtype=torch.float64)
    result, (gx, gy) = cases.gradients(torch.mul, x, y)
    w = torch.linspace(-1, 1, 12, dtype=torch.float64).view(3, 4)
    assert torch.equal(result, x * y) and torch.allclose(gx, w * y) and torch.allclose(gy, w * x)
    with pytest.raises(AssertionError, match="no gradient flows"):
        cases.gradients(lambda a: a.detach() * 2, x)


def test_blank_answers_are_not_diagnosed_as_a_mistake():
    results = judge.run_cases(SWIGLU, fn_of(blank()))
    assert all(r.why for r in results) and judge.diagnose(SWIGLU, results) is None


RETURNS = [e.name for e in catalog.every() if not catalog.is_kernel(e.name)]


@pytest.mark.parametrize("name", RETURNS)
def test_an_answer_that_returns_nothing_is_asked_for_its_return(name):
    first = next(r.why for r in judge.run_cases(name, lambda *args, **kwargs: None) if r.why)
    assert first.startswith(cases.NOTHING)


@pytest.mark.parametrize(
    "name, body, told",
    [
        ("grpo.loss", "return own(*args, **kwargs)[0]", "a list or tuple of 2 values was expected, got a tensor"),
        ("moe.route", "return own(*args, **kwargs)[0]", "a list or tuple of 2 values was expected, got a tensor"),
        ("moe.route", "return (*own(*args, **kwargs), 1)", "2 values were expected, got 3"),
        (
            "moe.route",
            "return tuple(x.detach().numpy() for x in own(*args, **kwargs))",
            "value 0: a tensor was expected, got one of type ndarray",
        ),
        ("moe.permute", "return list(own(*args, **kwargs)[:2])", "3 values were expected, got 2"),
        ("layers.swiglu", "return own(*args, **kwargs).detach().numpy()", "a tensor was expected, got one of type nd"),
    ],
)
def test_a_result_of_another_sort_is_told_before_anything_else(name, body, told, cell):
    function = catalog.exercise(name).function
    fn = cell(name, f"def {function}(*args, **kwargs):\n    {body}\n", own=catalog.reference(name))
    first = next(r.why for r in judge.run_cases(name, fn) if r.why)
    assert first.startswith(told) and "in line" not in first


def test_what_a_case_compares_itself_is_said_with_what_was_given():
    results = judge.run_cases(SWIGLU, fn_of(RIGHT.replace("return y * up", "return")))
    assert "given    " in results[0].why and results[0].why.startswith(cases.NOTHING)
    assert cases.of_another_sort((1, 2), cases.sort_of((1, 2, 3)), crashed=False) is None  # as long as it likes
    assert cases.of_another_sort((1, 2), cases.sort_of((1, 2, "3")), crashed=False) == "3 values were expected, got 2"
