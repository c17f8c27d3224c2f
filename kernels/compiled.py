"""minids dev compile-kernels [--json]: compiles every kernel for four GPUs, without one.

Architectures: sm_80 (A100), sm_89 (L40S, RTX 4090), sm_90 (H100), sm_100 (B200). E4M3 exists from sm_89 on. A file of
kernels says in `cases()` how its kernels are called; the table has registers a thread, bytes of spilled registers
(local memory), bytes of shared memory and the tensor-core instructions found in the PTX.
"""

import argparse
import importlib
import json
import os
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field

ARCHITECTURES = (80, 89, 90, 100)
SHARED_LIMIT = {80: 163 * 1024, 89: 99 * 1024, 90: 227 * 1024, 100: 227 * 1024}  # CUDA C++ programming guide
FILES = ("quantise", "gemm", "grouped", "decode", "rmsnorm", "swiglu", "rope", "cross_entropy", "tiled")
TENSOR_CORE = {"wgmma": r"wgmma\.mma_async\S*", "mma": r"\bmma\.sync\S*", "tcgen05": r"tcgen05\.mma\S*"}


@dataclass
class Case:
    """One way to call a kernel.

    name        of the row
    kernel      the Triton function
    types       {argument: its type as Triton writes it}: "*bf16", "*fp8e4nv", "i32", "fp32",
                "tensordesc<fp8e4nv[128,128]>", …
    constants   {argument: value} of the constants
    options     num_warps, num_stages
    oldest      architecture below which it does not compile
    newest      architecture above which it is not used
    """

    name: str
    kernel: object
    types: dict
    constants: dict = field(default_factory=dict)
    options: dict = field(default_factory=dict)
    oldest: int = 80
    newest: int = 999


def compiled(case: Case, architecture: int) -> dict:
    """{registers, spilled, shared, tensor_core: [instructions]} of one kernel on one architecture."""
    import triton
    from triton.backends.compiler import GPUTarget
    from triton.compiler import ASTSource

    kernel = getattr(case.kernel, "fn", case.kernel)
    kernel = case.kernel if isinstance(case.kernel, triton.runtime.JITFunction) else kernel
    signature = {name: case.types.get(name, "constexpr") for name in kernel.arg_names}
    pointers = [i for i, name in enumerate(kernel.arg_names) if case.types.get(name, "")[:1] in ("*", "i")]
    aligned = {(i,): [["tt.divisibility", 16]] for i in pointers}
    source = ASTSource(fn=kernel, signature=signature, constexprs=dict(case.constants), attrs=aligned)
    made = triton.compile(source, target=GPUTarget("cuda", architecture, 32), options=dict(case.options))
    found = {kind: sorted(set(re.findall(pattern, made.asm["ptx"]))) for kind, pattern in TENSOR_CORE.items()}
    return {
        **_resources(made.asm["cubin"]),
        "shared": made.metadata.shared,
        "tensor_core": [instruction for some in found.values() for instruction in some],
    }


def _resources(cubin: bytes) -> dict:
    import triton

    tool = os.path.join(os.path.dirname(triton.__file__), "backends", "nvidia", "bin", "cuobjdump")
    with tempfile.NamedTemporaryFile(suffix=".cubin") as file:
        file.write(cubin)
        file.flush()
        said = subprocess.run([tool, "--dump-resource-usage", file.name], capture_output=True, encoding="utf-8").stdout
    return {
        "registers": int(re.search(r"REG:(\d+)", said)[1]),
        "spilled": int(re.search(r"LOCAL:(\d+)", said)[1]) + int(re.search(r"STACK:(\d+)", said)[1]),
    }


def table() -> list[dict]:
    """A row for each case and architecture; `error` instead of figures where it does not compile."""
    rows = []
    for file in FILES:
        for case in importlib.import_module(f"minids.kernels.{file}").cases():
            for architecture in ARCHITECTURES:
                row = {
                    "kernel": f"{file}.{case.name}",
                    "architecture": architecture,
                    "oldest": case.oldest,
                    "newest": case.newest,
                }
                if case.oldest <= architecture <= case.newest:
                    row |= compiled(case, architecture)
                rows.append(row)
    return rows


def text(rows: list[dict]) -> str:
    """The rows of `table` as text: registers, spills, bytes of shared memory, tensor-core instructions of each
    kernel."""
    width = max(len(row["kernel"]) for row in rows)
    lines = [f"{'kernel':{width}}  sm   registers  spilled  shared  tensor core"]
    for row in rows:
        head = f"{row['kernel']:{width}}  {row['architecture']:<3}  "
        if "registers" not in row:
            older = row["architecture"] < row["oldest"]
            lines.append(head + (f"needs sm_{row['oldest']}" if older else f"not used above sm_{row['newest']}"))
            continue
        short = sorted({".".join(i.split(".")[:1] + i.split(".")[-3:]) for i in row["tensor_core"]})
        lines.append(head + f"{row['registers']:9}  {row['spilled']:7}  {row['shared']:6}  {' '.join(short) or '-'}")
    return "\n".join(lines)


def main(argv=None) -> int:
    """`minids dev compile-kernels`: compiles every kernel for four architectures; returns the exit code, 2 without
    Triton."""
    parser = argparse.ArgumentParser(prog="minids dev compile-kernels", description=__doc__.split("\n")[0])
    parser.add_argument("--json", action="store_true", help="a list of rows instead of a table")
    options = parser.parse_args(argv)
    os.environ["TRITON_INTERPRET"] = "0"  # before Triton is imported
    os.environ.setdefault("TRITON_DEFAULT_FP_FUSION", "1")
    from minids.kernels import runtime

    if runtime.VERSION is None:
        print(f"nothing to compile: {runtime.why_not(None)}", file=sys.stderr)
        return 2
    if lacking := [f for f in FILES if not hasattr(importlib.import_module(f"minids.kernels.{f}"), "cases")]:
        print(
            f"kernels/{lacking[0]}.py has no cases(), the launches that are compiled: give it one, as "
            "kernels/swiglu.py has at its end, or take it out of FILES in kernels/compiled.py",
            file=sys.stderr,
        )
        return 2
    rows = table()
    print(json.dumps(rows) if options.json else text(rows))
    return 0
