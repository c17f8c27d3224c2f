"""A stranger's answer harms nobody: what it tries is refused, or costs that answer. The attacks are in attacks.py."""

import os
import re

import attacks
import pytest
import torch

from minids.course.grading import grade, sandbox

pytestmark = [
    pytest.mark.slow,  # a process for each
    pytest.mark.skipif(not hasattr(os, "fork"), reason="the grader needs fork (Linux, macOS)"),
]


@pytest.mark.parametrize("attack", attacks.ATTACKS, ids=lambda attack: attack.name)
def test_an_attack_harms_nobody(attack):
    if attack.needs and attack.needs not in sandbox.standing():
        pytest.skip(f"this system has no fence for {attack.needs}: only a container keeps that away from an answer")
    nursery = sandbox.nursery_here()
    assert re.search(attack.must, attacks.run(attack), re.S)
    assert sandbox.nursery_here() is nursery


@pytest.mark.parametrize("trick", attacks.TRICKS)
def test_the_librarys_own_function_is_out_of_reach_or_the_attempt_is_noted(trick):
    if "files" not in sandbox.standing():
        pytest.skip("this system has no Landlock: the library's text can be read, which is noted")
    assert attacks.own(trick) != "has it" or grade.ways(attacks.TRICKS[trick])


@pytest.mark.parametrize("trick", ["imported below", "all imported below"])
def test_an_import_below_a_definition_does_not_take_its_place(trick):
    with sandbox.Remote(attacks.NORM, attacks.TRICKS[trick]) as fn:
        assert fn(x := torch.ones(2), x, 0.0) is x


def test_honest_answers_are_not_noted():
    for name in ("layers.rms_norm", "bpe.isolate", "grpo.loss", "triton.swiglu"):
        assert grade.ways(grade.catalog.solution(name)) == []


def test_nothing_is_left_for_the_next_student():
    leave = "def swiglu(gate, up=None):\n    import os\n    open('left', 'w').write('x')\n    return os.getcwd()\n"
    look = (
        "def swiglu(gate, up=None):\n    import os\n    found = os.listdir('.')\n    try:\n        "
        "found += os.listdir(gate)\n    except OSError:\n        pass\n    return found\n"
    )
    with sandbox.Remote(attacks.NAME, leave) as first, sandbox.Remote(attacks.NAME, look) as second:
        folder = first(1)
        first.close()
        assert second(folder) == [] and not os.path.exists(folder)


def test_every_exercise_has_its_own_function_emptied():
    """Where the swap of code could not be made (a closure, a function of C), an answer would fail before it began."""
    for found in grade.catalog.every():
        plain = grade.catalog.plain(grade.catalog.reference(found.name))
        assert plain.__closure__ is None and plain.__code__.co_freevars == ()
