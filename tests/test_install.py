"""constraints.txt fits pyproject.toml, and the check of every platform's install can fail."""

import importlib.util
import os
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parent.parent
spec = importlib.util.spec_from_file_location("lock", ROOT / "tools" / "lock.py")
lock = importlib.util.module_from_spec(spec)
spec.loader.exec_module(lock)

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
PINS = [Requirement(line) for line in lock.LOCK.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]


def plain(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def test_every_requirement_has_a_version_within_its_range():
    versions = {plain(pin.name): next(iter(pin.specifier)).version for pin in PINS}
    everything = PROJECT["dependencies"] + [r for extra in PROJECT["optional-dependencies"].values() for r in extra]
    for requirement in map(Requirement, everything):
        if requirement.name != "minids":
            assert requirement.specifier.contains(versions[plain(requirement.name)]), requirement


def test_one_exact_version_of_each_package_for_all_platforms():
    assert len({plain(pin.name) for pin in PINS}) == len(PINS)
    assert all(str(pin.specifier).startswith("==") for pin in PINS)
    markers = {plain(pin.name): str(pin.marker) for pin in PINS}
    assert "linux" in markers["triton"] and "win32" in markers["colorama"] and "darwin" in markers["appnope"]
    assert not [name for name in markers if name.startswith(("nvidia-", "cuda-"))]  # each build of torch pins its own


def test_every_extra_is_checked():
    assert set(lock.EXTRAS) == set(PROJECT["optional-dependencies"])
    assert PROJECT["requires-python"] == ">=" + lock.PYTHONS[0].removesuffix(".0")


def test_development_needs_no_compiler():
    assert not [r for r in PROJECT["optional-dependencies"]["dev"] if "gym" in r]


@pytest.fixture
def uv(monkeypatch):
    """uv() as the machine with these answers gives them: a function of the arguments that returns stderr or ''."""
    def use(answer):
        def fake(*arguments):
            said = answer(arguments)
            return subprocess.CompletedProcess(arguments, bool(said), "", said)
        monkeypatch.setattr(lock, "uv", fake)
    return use


def test_an_impossible_extra_is_named_and_fails_the_check(uv, capsys):
    uv(lambda a: "triton==3.9.0 and torch" if "x86_64-unknown-linux-gnu" in a and "gpu" in a else "")
    assert lock.check(lock.LOCK) == 1
    said = capsys.readouterr().out
    assert "[gpu]: impossible" in said and "triton==3.9.0 and torch" in said and "16 of 24" in said


def test_without_the_index_nothing_is_called_checked(uv, capsys):
    uv(lambda a: "error: Failed to fetch: `…/simple/torch/`")
    assert lock.check(lock.LOCK) == 3
    assert "NOT CHECKED" in capsys.readouterr().err


def test_all_possible_is_a_table_of_ok(uv, capsys):
    uv(lambda a: "")
    assert lock.check(lock.LOCK) == 0
    assert capsys.readouterr().out.count(" ok") == 24


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("uv") is None, reason="uv is not installed")
def test_the_settings_of_this_machine_are_not_read(tmp_path, monkeypatch):
    monkeypatch.setenv("UV_CONSTRAINT", str(tmp_path / "absent.txt"))
    monkeypatch.setenv("PIP_INDEX_URL", "file:///nowhere")
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    lock.stand_in(wheels, "2.13.0")
    done = lock.uv("--offline", "--no-index", "--find-links", str(wheels), "--no-deps", "-o", os.devnull,
                   str(_file(tmp_path, "torch==2.13.0\n")))
    assert done.returncode == 0, done.stderr


def _file(folder, text):
    path = folder / "asked.in"
    path.write_text(text, encoding="utf-8")
    return path
