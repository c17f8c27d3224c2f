"""Which backend runs a kernel, and the checks that all of them share.

A file of kernels begins with

    from minids.kernels.runtime import need, pick, tl, triton

and gets Triton, or a stand-in that lets the file be imported and the references be used where there is no Triton
(macOS, Windows). On a machine without a GPU the kernels are interpreted: TRITON_INTERPRET=1 is set here, which Triton
reads when it is imported, so import this file before anything that imports Triton.

Left out: AMD and Intel GPUs (never tried), several GPUs in one call.
"""

import os
import sys

import torch

_early = "triton" in sys.modules and os.environ.get("TRITON_INTERPRET") != "1"
if not torch.cuda.is_available() and not _early:
    os.environ.setdefault("TRITON_INTERPRET", "1")

OLDEST = (3, 6)  # of Triton: what the extras ask for
FP8 = torch.float8_e4m3fn
FP8_MAX = 448.0


class KernelError(ValueError):
    """An argument that a kernel does not take, or a machine that it does not run on."""


class _Missing:
    """Stands in for `triton` and `triton.language` where there is no Triton that is new enough: decorating works,
    launching does not."""

    constexpr = int

    def __getattr__(self, name):
        return _Missing()

    def __call__(self, *args, **kwargs):
        return args[0] if len(args) == 1 and callable(args[0]) and not kwargs else _Missing()

    def __getitem__(self, grid):
        raise KernelError(why_not(torch.empty(0)))


try:
    import triton
    import triton.language as tl

    VERSION, TOO_OLD = tuple(int(part) for part in triton.__version__.split(".")[:2]), None
    if VERSION < OLDEST:  # torch 2.6 brings 3.2, whose decorators fail already where there is no GPU
        triton, tl, VERSION, TOO_OLD = _Missing(), _Missing(), None, triton.__version__
except ImportError:
    triton, tl, VERSION, TOO_OLD = _Missing(), _Missing(), None, None

INTERPRETED = VERSION is not None and os.environ.get("TRITON_INTERPRET") == "1" and not _early
if INTERPRETED:
    from minids.kernels import interpreter

    interpreter.mend()


def need(condition, message: str) -> None:
    """Raises KernelError(message) unless the condition holds."""
    if not condition:
        raise KernelError(message)


def why_not(x: torch.Tensor, capability: tuple[int, int] = (8, 0)) -> str | None:
    """Why a kernel cannot run on the device of x, in words; None if it can. `capability`: the least that it needs."""
    if TOO_OLD:
        need = ".".join(map(str, OLDEST))
        return f"Triton {TOO_OLD} is too old, the kernels need {need} or newer: use the reference (backend='torch')"
    if VERSION is None:
        return "no Triton is installed: use the reference (backend='torch'), or pip install 'minids[gpu]' on Linux"
    if INTERPRETED:
        return None
    if x.device.type != "cuda":
        return (
            f"a tensor on {x.device.type} needs Triton's interpreter: set TRITON_INTERPRET=1 before Triton is "
            "imported, or use the reference (backend='torch')"
        )
    has = torch.cuda.get_device_capability(x.device)
    if has < capability:
        return (
            f"{torch.cuda.get_device_name(x.device)} has compute capability {has[0]}.{has[1]}, this kernel needs "
            f"{capability[0]}.{capability[1]}: use the reference (backend='torch')"
        )
    return None


def pick(x: torch.Tensor, backend: str | None = None, capability: tuple[int, int] = (8, 0)) -> bool:
    """Whether the kernel runs (True) or the reference (False).

    backend None: the kernel where x is on a GPU that can run it, else the reference. "triton": the kernel, or a
    KernelError that says why not. "torch": the reference.
    """
    need(backend in (None, "triton", "torch"), f"backend {backend!r}: choose None, 'triton' or 'torch'")
    if backend == "torch":
        return False
    why = why_not(x, capability)
    if backend == "triton":
        need(why is None, why)
        return True
    return why is None and x.device.type == "cuda"


def tensors(**named) -> None:
    """Refuses what is no tensor (a list, a number); None is what is left out."""
    for name, x in named.items():
        need(x is None or isinstance(x, torch.Tensor), f"{name} is a {type(x).__name__}: a tensor is needed")


def same_device(**tensors) -> None:
    """All tensors on one device, or a KernelError that names the odd ones."""
    devices = {name: str(t.device) for name, t in tensors.items() if t is not None}
    need(len(set(devices.values())) == 1, f"tensors on different devices: {devices}")


def sm_count(x: torch.Tensor) -> int:
    """Streaming multiprocessors of x's GPU; 4 in the interpreter, so that persistent loops do loop."""
    return torch.cuda.get_device_properties(x.device).multi_processor_count if x.is_cuda else 4
