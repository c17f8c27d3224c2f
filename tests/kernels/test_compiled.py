"""Every kernel compiles for every GPU that can run it, on a machine without one; shared memory fits, and nothing spills
but what SPILLED names. `make check-kernels` runs this under each Triton that the supported versions of torch bring."""

import json
import os
import re
import subprocess
import sys

import pytest

from minids.kernels import compiled, runtime

SPILLED = {  # bytes a thread: a kernel whose sums fill the registers, where some versions of Triton are eight short
    ((3, 7), "decode.mla_decode_b200"): 32,
    ((3, 8), "decode.mla_decode_b200"): 32,
}
pytestmark = [pytest.mark.slow, pytest.mark.skipif(runtime.VERSION is None, reason="no Triton here")]


@pytest.fixture(scope="module")
def rows(made_once):
    def make(folder):
        cache = {"TRITON_CACHE_DIR": str(folder / "triton")}
        command = [sys.executable, "-m", "minids.cli", "dev", "compile-kernels", "--json"]
        done = subprocess.run(command, capture_output=True, env=os.environ | cache, encoding="utf-8")
        assert done.returncode == 0, done.stderr[-3000:]
        (folder / "rows.json").write_text(done.stdout, encoding="utf-8")

    return json.loads((made_once("compiled", make) / "rows.json").read_text(encoding="utf-8"))


def test_every_kernel_compiles_where_it_should(rows):
    assert {row["kernel"].split(".")[0] for row in rows} == set(compiled.FILES)
    for row in rows:
        assert ("registers" in row) == (row["oldest"] <= row["architecture"] <= row["newest"]), row


def test_nothing_spills_and_shared_memory_fits(rows):
    made = [row for row in rows if "registers" in row]
    assert {(runtime.VERSION, row["kernel"]): row["spilled"] for row in made if row["spilled"]} == {
        key: spilled for key, spilled in SPILLED.items() if key[0] == runtime.VERSION
    }
    assert not [row for row in made if row["shared"] > compiled.SHARED_LIMIT[row["architecture"]]]


def test_fp8_gemm_runs_on_hoppers_fp8_tensor_cores(rows):
    gemms = {
        row["kernel"]: row["tensor_core"]
        for row in rows
        if row["kernel"].startswith("gemm.") and row["architecture"] == 90 and row["kernel"] != "gemm.add"
    }
    assert {
        f"gemm.{name}_{which}"
        for name in ("plain", "flat", "special", "small", "split")
        for which in ("fprop", "wgrad")
    } == set(gemms)
    for name, found in gemms.items():
        assert found and all(re.fullmatch(r"wgmma\.mma_async\S*\.e4m3\.e4m3", i) for i in found), (name, found)


def test_the_table_has_a_line_a_row(rows):
    assert len(compiled.text(rows).splitlines()) == len(rows) + 1
