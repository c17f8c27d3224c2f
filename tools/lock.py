"""python tools/lock.py [--upgrade]: writes constraints.txt; python tools/lock.py --check: can every machine install it?

constraints.txt has one version of every package, with markers where only some systems need it; pip and uv both read
it. The versions in it stay unless pyproject.toml forbids them (`--upgrade`: the newest). What torch's GPU builds pin
themselves (CUDA's libraries) is left out: other builds of torch need other versions of them.

--check resolves every platform, Python and build of torch below from the index's metadata alone, all extras at once:
what holds for all holds for each. All but `gym` must do without building anything (no compiler). Where that fails,
each extra is tried alone, and the resolver's words follow the table. It exits with 1 if anything is impossible, and
with 3 if the index could not be asked. The pip and uv settings of this machine are not read. torch's CPU build has an
index of its own; there it has the same requirements less CUDA and Triton, and a stand-in made here has these.
"""

import argparse
import base64
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "constraints.txt"
HEADER = """\
# The versions that the tests were run with, for every platform; the Makefile installs these. `make lock` makes this
# file from the ranges in pyproject.toml, `make check-install` tries it.
"""
PYTHONS = ("3.11.0", "3.12", "3.13", "3.14")
PLATFORMS = {
    "Linux x86-64": "x86_64-unknown-linux-gnu",
    "Linux arm64": "aarch64-unknown-linux-gnu",
    "macOS 14 arm64": "aarch64-apple-darwin",
    "Windows x86-64": "x86_64-pc-windows-msvc",
}
EXTRAS = ("train", "course", "nbgrader", "serve", "gpu", "dev", "gym")
CPU_TORCH_NEEDS = (
    "filelock",
    "typing-extensions>=4.10.0",
    "setuptools",
    "sympy>=1.13.3",
    "networkx>=2.5.1",
    "jinja2",
    "fsspec>=0.8.5",
)
UNREACHABLE = re.compile(r"Failed to fetch|error sending request|Could not connect|dns error|operation timed out", re.I)


def uv(*arguments: str) -> subprocess.CompletedProcess:
    """`uv pip compile` with the settings of this machine left out."""
    found = shutil.which("uv", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]))
    if found is None:
        sys.exit("tools/lock.py: uv is not installed here. `pip install uv`, or `make check-install`.")
    clean = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(("UV_", "PIP_")) or key in ("UV_CACHE_DIR",)
    }
    command = [found, "pip", "compile", "--no-config", "--quiet", "--no-header", "--no-annotate", *arguments]
    return subprocess.run(
        command,
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
        stdin=subprocess.DEVNULL,
        env=clean | {"MACOSX_DEPLOYMENT_TARGET": "14.0", "UV_HTTP_RETRIES": "2"},
    )


def write(upgrade: bool) -> int:
    lowest = re.search(r'requires-python = ">=([\d.]+)"', (ROOT / "pyproject.toml").read_text(encoding="utf-8"))[1]
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "constraints.txt"
        if LOCK.exists() and not upgrade:
            shutil.copy(LOCK, out)
        done = uv(
            "--universal",
            "--python-version",
            lowest,
            "--fork-strategy",
            "fewest",
            "--all-extras",
            "pyproject.toml",
            "-o",
            str(out),
            *["--upgrade"] * upgrade,
        )
        if done.returncode:
            print(done.stderr, file=sys.stderr)
            return 3 if UNREACHABLE.search(done.stderr) else 1
        lines = out.read_text(encoding="utf-8").splitlines()
    lines = [line for line in lines if not line.startswith(("nvidia-", "cuda-")) and "== 'emscripten'" not in line]
    LOCK.write_text(HEADER + "\n".join(lines) + "\n", encoding="utf-8")
    return 0


def stand_in(folder: Path, version: str) -> None:
    """A wheel of torch's CPU build: its name and requirements, nothing else."""
    name = f"torch-{version}+cpu"
    files = {
        "METADATA": "\n".join(
            [
                "Metadata-Version: 2.1",
                "Name: torch",
                f"Version: {version}+cpu",
                *[f"Requires-Dist: {need}" for need in CPU_TORCH_NEEDS],
                "",
            ]
        ),
        "WHEEL": "Wheel-Version: 1.0\nGenerator: lock\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = ""
    with zipfile.ZipFile(folder / f"{name}-py3-none-any.whl", "w") as wheel:
        for file, text in files.items():
            wheel.writestr(f"{name}.dist-info/{file}", text)
            digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
            record += f"{name}.dist-info/{file},sha256={digest},{len(text)}\n"
        wheel.writestr(f"{name}.dist-info/RECORD", record + f"{name}.dist-info/RECORD,,\n")


def resolve(platform: str, python: str, extras: tuple, lock: Path, cpu: Path | None) -> str:
    """ "" if the extras resolve there, else what the resolver says."""
    asked = [part for extra in extras for part in ("--extra", extra)]
    if "gym" not in extras:
        asked.append("--no-build")
    if cpu:
        asked += ["--find-links", str(cpu), "-c", str(cpu / "cpu.txt")]
    done = uv(
        "pyproject.toml", "--python-platform", PLATFORMS[platform], "--python-version", python, "-c", str(lock), *asked
    )
    return done.stderr.strip() or "no reason given" if done.returncode else ""


def combination(job: tuple) -> dict:
    """{extra: what the resolver says against it}; empty if all are possible."""
    platform, python, lock, cpu = job
    wheels = tuple(extra for extra in EXTRAS if extra != "gym")
    said = {}
    for together in (wheels, ("gym",)):
        if against := resolve(platform, python, together, lock, cpu):
            alone = {extra: resolve(platform, python, (extra,), lock, cpu) for extra in together}
            said |= {extra: words for extra, words in alone.items() if words} or {"+".join(together): against}
    return said


def check(lock: Path) -> int:
    begun = time.monotonic()
    torch = re.search(r"^torch==([\w.]+)", lock.read_text(encoding="utf-8"), re.M)[1]
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(4) as pool:
        cpu = Path(folder)
        stand_in(cpu, torch)
        (cpu / "cpu.txt").write_text(f"torch=={torch}+cpu\n", encoding="utf-8")
        rows = [
            (platform, build)
            for platform in PLATFORMS
            for build in (("CUDA", "CPU") if platform.startswith("Linux") else ("",))
        ]
        jobs = [
            (platform, python, lock, cpu if build == "CPU" else None) for platform, build in rows for python in PYTHONS
        ]
        first = combination(jobs[0])
        if any(UNREACHABLE.search(words) for words in first.values()):
            print(
                "check-install: NOT CHECKED: the package index could not be reached. It is not known whether minids "
                "can be installed elsewhere.\n" + next(iter(first.values())).splitlines()[0],
                file=sys.stderr,
            )
            return 3
        results = [first, *pool.map(combination, jobs[1:])]
    print(f"torch {torch}, extras {', '.join(EXTRAS)}; gym needs a C compiler, all others come as wheels")
    print(f"{'':16} {'torch':6}" + "".join(f"{python:>12}" for python in PYTHONS))
    table = iter(results)
    for platform, build in rows:
        cells = [next(table) for _ in PYTHONS]
        print(f"{platform:16} {build:6}" + "".join(f"{'not ' + ' '.join(c) if c else 'ok':>12}" for c in cells))
    failed = [(job, found) for job, found in zip(jobs, results) if found]
    for (platform, python, _, build), found in failed[:3]:
        extra, words = next(iter(found.items()))
        print(f"\n{platform}{', CPU torch' if build else ''}, Python {python}, [{extra}]: impossible\n{words}")
    print(f"{len(jobs) - len(failed)} of {len(jobs)} combinations are possible ({time.monotonic() - begun:.0f} s)")
    return bool(failed)


def main(argv=None) -> int:
    parser = argparse.ArgumentParser(prog="python tools/lock.py", description=__doc__.split("\n")[0])
    parser.add_argument("--upgrade", action="store_true", help="the newest versions that the ranges allow")
    parser.add_argument("--check", action="store_true", help="resolve every combination instead of writing")
    parser.add_argument("--lock", type=Path, default=LOCK, help="check this file instead of constraints.txt")
    options = parser.parse_args(argv)
    return check(options.lock) if options.check else write(options.upgrade)


if __name__ == "__main__":
    sys.exit(main())
