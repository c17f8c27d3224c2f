"""constraints.txt fits pyproject.toml, and the check of every platform's install can fail."""

import importlib.util
import os
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

ROOT = Path(__file__).parent.parent


def tool(name):
    spec = importlib.util.spec_from_file_location(name, ROOT / "tools" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


lock, install = tool("lock"), tool("install")

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


def test_the_conda_environment_names_nothing_but_what_the_project_asks_for():
    lines = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))["dependencies"][-1]["pip"]
    assert lines[0] == "-c constraints.txt" and lines[-1] == "-e .[dev]"
    named = {r.name: r for r in map(Requirement, lines[1:-1])}
    assert {"jupyterlab", "torch", "triton", "einops", "datasets", "matplotlib", "nbval"} <= set(named)
    extras = [PROJECT["optional-dependencies"][extra] for extra in ("train", "course", "dev")]  # dev brings the others
    asked = {r.name: r for r in map(Requirement, sum(extras, PROJECT["dependencies"]))}
    for name, requirement in named.items():
        assert str(requirement.marker) == str(asked[name].marker), name


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
    done = lock.uv(
        "--offline",
        "--no-index",
        "--find-links",
        str(wheels),
        "--no-deps",
        "-o",
        os.devnull,
        str(_file(tmp_path, "torch==2.13.0\n")),
    )
    assert done.returncode == 0, done.stderr


def _file(folder, text):
    path = folder / "asked.in"
    path.write_text(text, encoding="utf-8")
    return path


# --- tools/install.py -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("machine", "says"),
    [
        (((3, 11, 0), 64, "Linux", "x86_64", "glibc"), None),
        (((3, 14, 0), 64, "Linux", "aarch64", "glibc"), None),
        (((3, 12, 1), 64, "Darwin", "arm64", "14.5"), None),
        (((3, 13, 0), 64, "Windows", "AMD64", ""), None),
        (((3, 10, 9), 64, "Linux", "x86_64", "glibc"), "Python 3.11 or newer"),
        (((2, 7, 18), 64, "Linux", "x86_64", "glibc"), "Python 3.11 or newer"),
        (((3, 12, 1), 32, "Windows", "x86", ""), "32 bits"),
        (((3, 12, 1), 64, "Darwin", "x86_64", "14.5"), "Intel Macs"),
        (((3, 12, 1), 64, "Darwin", "arm64", "13.6"), "macOS 14"),
        (((3, 12, 1), 64, "Linux", "x86_64", ""), "glibc"),
        (((3, 12, 1), 64, "Linux", "riscv64", "glibc"), "riscv64"),
        (((3, 12, 1), 64, "Windows", "ARM64", ""), "Windows on arm64"),
    ],
)
def test_a_machine_that_torch_does_not_know_is_told_so_in_one_sentence(machine, says):
    said = install.why_not(*machine)
    assert said is None if says is None else says in said and said.count("\n") == 0


@pytest.fixture
def commands(monkeypatch):
    """The commands that an install would run, of which those that have `failing` in them fail."""
    ran = []

    def use(uv=None, failing="-", torch=False, gpu=False):
        monkeypatch.setattr(install.shutil, "which", lambda name, path=None: uv if name == "uv" else None)
        monkeypatch.setattr(install, "has_torch", lambda: torch)
        monkeypatch.setattr(install, "has_gpu", lambda: gpu)
        monkeypatch.setattr(install.platform, "system", lambda: "Linux")
        monkeypatch.setattr(install, "run", lambda *command: ran.append(" ".join(command)) or failing in command)
        return ran

    monkeypatch.delenv("PIP_FLAGS", raising=False)
    return use


def test_pip_installs_where_there_is_no_uv_and_says_what_it_takes(commands, capsys):
    ran = commands()
    assert install.install("train", "") == 0
    assert len(ran) == 1 and "-m pip install" in ran[0] and "-c constraints.txt -e .[train]" in ran[0]
    said = capsys.readouterr().err
    assert "5 GB" in said and "make TORCH=cpu" in said and said.count("\n") == 1


@pytest.mark.parametrize("here", [{"torch": True}, {"gpu": True}])
def test_nothing_is_said_where_torch_or_a_gpu_is_there(commands, capsys, here):
    commands(**here)
    assert install.install("train", "") == 0 and capsys.readouterr().err == ""


def test_uv_takes_the_build_for_this_machine_or_the_one_that_is_asked_for(commands):
    ran = commands(uv="/bin/uv")
    assert install.install("train", "") == install.install("train", "cpu") == 0
    assert "--torch-backend auto" in ran[0] and "--torch-backend cpu" in ran[1] and len(ran) == 2


def test_what_uv_cannot_have_pip_takes_from_its_default(commands, capsys):
    ran = commands(uv="/bin/uv", failing="/bin/uv")
    assert install.install("train", "cpu") == 0
    assert "pip install" in ran[-1] and "default build" in capsys.readouterr().err


def test_flags_for_pip_are_pips(commands, monkeypatch):
    monkeypatch.setenv("PIP_FLAGS", "--no-index --find-links 'a b'")
    ran = commands(uv="/bin/uv")
    assert install.install("train", "") == 0 and "--find-links a b" in ran[0] and len(ran) == 1


def test_the_extra_that_needs_a_compiler_says_so(monkeypatch, capsys):
    monkeypatch.setattr(install, "has_compiler", lambda: False)
    assert install.main(["gym"]) == 2 and "C compiler" in capsys.readouterr().err
