"""python tools/install.py EXTRAS [--torch BUILD]: puts minids with these extras (train, dev, ...) into this Python.

uv does it where it is on PATH, pip elsewhere; both take the versions of constraints.txt. BUILD is a build of torch
(cpu, cu130, rocm7.2 and others: what uv's --torch-backend knows); it needs uv, which is put beside this Python if it is
missing. uv without BUILD takes the one for the GPU that is here, the CPU's where there is none. What cannot be had so
is installed by pip instead, which a sentence says. PIP_FLAGS in the environment are for pip: then uv is not asked.

--probe only says whether minids can be installed by this Python. The Makefile calls both. Its syntax is
that of Python 2.7, so that an old Python is told that it is old.
"""

import os
import platform
import shlex
import shutil
import subprocess
import sys
import sysconfig

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PINS = ["-c", "constraints.txt"]


def why_not(version, bits, system, machine, release):
    """In one sentence why minids cannot be installed on such a machine, None if it can: torch has wheels for few.

    version: (3, 11, 0); bits: of the Python; system and machine as `platform` says them; release: of macOS, or the name
    of Linux's C library.
    """
    machine = {"amd64": "x86_64", "aarch64": "arm64"}.get(machine.lower(), machine.lower())
    if tuple(version[:2]) < (3, 11):
        return "minids needs Python 3.11 or newer, this one is %d.%d: make PYTHON=/path/to/python3 ..." % version[:2]
    if bits != 64:
        return "this Python has 32 bits, and torch exists for 64 bits only: install a 64-bit Python."
    if system == "Darwin" and machine != "arm64":
        return (
            "this Python is made for Intel Macs, which torch no longer supports: on Apple silicon install an arm64 "
            "Python, on an Intel Mac use a Linux machine."
        )
    if system == "Darwin" and int(release.split(".")[0] or 0) < 14:
        return "torch needs macOS 14 or newer, and this is macOS %s." % release
    if system == "Linux" and machine in ("x86_64", "arm64") and release != "glibc":
        return "torch has no builds for Linux without glibc (Alpine's musl): use another distribution or a container."
    if (system, machine) not in (("Linux", "x86_64"), ("Linux", "arm64"), ("Darwin", "arm64"), ("Windows", "x86_64")):
        return (
            "torch has no builds for %s on %s: use Linux (x86-64, arm64), macOS 14 (Apple silicon) or Windows "
            "(x86-64)." % (system, machine)
        )
    return None


def has_compiler():
    """Whether C extensions can be built: a compiler and Python's headers."""
    names = [(sysconfig.get_config_var("CC") or "cl").split(" ")[0], "cc", "gcc", "clang"]
    headers = os.path.join(sysconfig.get_path("include"), "Python.h")
    return any(shutil.which(name) for name in names if name) and os.path.exists(headers)


def has_gpu():
    return bool(shutil.which("nvidia-smi") or shutil.which("rocm-smi") or os.path.exists("/proc/driver/nvidia"))


def has_torch():
    import importlib.util

    return importlib.util.find_spec("torch") is not None


def say(text):
    sys.stderr.write("make: %s\n" % text)
    sys.stderr.flush()


def run(*command):
    return subprocess.call(list(command), cwd=ROOT)


def install(extras, build):
    """The exit status of the first installer that succeeds, of the last if none does."""
    target = ["-e", ".[%s]" % extras]
    flags = shlex.split(os.environ.get("PIP_FLAGS", ""))
    pip = [sys.executable, "-m", "pip", "install", "--disable-pip-version-check", "-q"] + flags
    uv = None if flags else shutil.which("uv")
    if build and not uv and not run(*(pip + PINS + ["uv"])):
        uv = shutil.which("uv", path=os.path.dirname(sys.executable))
    uvs = [uv, "pip", "install", "-q", "--python", sys.executable]
    if build or not has_torch():
        wanted = build or "auto"
        if uv:
            if not run(*uvs + ["--torch-backend", wanted] + PINS + target):
                return 0
            say("uv could not install torch's build '%s' (see above): pip now takes the default build." % wanted)
        elif build:
            say("uv is needed for TORCH=%s and could not be installed: pip now takes the default build." % build)
        if platform.system() == "Linux" and not has_gpu():
            say(
                "no GPU was found. Unless pip is set to another source, torch comes with CUDA's libraries, about 5 GB"
                + ("." if build else "; `make TORCH=cpu ...` takes the CPU build, 200 MB.")
            )
    elif uv:
        return run(*uvs + PINS + target)
    return run(*pip + PINS + target)


def main(argv):
    release = platform.mac_ver()[0] if platform.system() == "Darwin" else platform.libc_ver()[0]
    against = why_not(
        sys.version_info[:3], 64 if sys.maxsize > 2**32 else 32, platform.system(), platform.machine(), release
    )
    if against:
        say(against)
        return 2
    if argv == ["--probe"]:
        return 0
    extras, build = argv[0], argv[2] if argv[1:2] == ["--torch"] and len(argv) > 2 else ""
    if "gym" in extras.split(",") and not has_compiler():
        say("the extra gym brings pycosat, which is built from source: it needs a C compiler and Python's headers.")
        return 2
    return install(extras, build)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
