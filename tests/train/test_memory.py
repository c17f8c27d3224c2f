"""train/memory.py: freed blocks stay in the process. Page faults are counted, not seconds."""

import os
import subprocess
import sys

import pytest

from minids.train import memory

FAULTS = """
import resource, torch
from minids.train import memory
{keep}
def touch(times):
    for _ in range(times):
        [torch.ones(1_000_000) for _ in range(8)]
touch(3)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
touch(20)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(keep):
    """Page faults of a process that starts with glibc's first threshold, which it otherwise raises as it sees fit."""
    command, env = [sys.executable, "-c", FAULTS.format(keep=keep)], os.environ | {"MALLOC_MMAP_THRESHOLD_": "131072"}
    return int(subprocess.run(command, capture_output=True, check=True, env=env, encoding="utf-8").stdout)


@pytest.mark.slow
def test_freed_blocks_are_used_again():
    if not memory.keep():
        pytest.skip("no glibc: nothing is changed here")
    pages = 20 * 8 * 4_000_000 // 4096
    assert faults("memory.keep()") < pages / 100 < pages / 4 < faults("")
