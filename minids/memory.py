"""Whether something fits into memory at all: asked before it is made, because Linux gives out more than there is and
ends the process later, when the pages are used."""

import os
from pathlib import Path

import torch

from minids.errors import MinidsError


def total(device="cpu"):
    """Bytes of memory that this process may use on a device, or None where nobody says."""
    if torch.device(device).type == "cuda":
        return torch.cuda.get_device_properties(device).total_memory
    try:
        machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None
    try:
        return min(machine, int(Path("/sys/fs/cgroup/memory.max").read_text(encoding="utf-8")))
    except (OSError, ValueError):  # no cgroup v2, or "max"
        return machine


def afford(nbytes, what, advice, device="cpu"):
    """Raises MinidsError if `nbytes` are more than there is."""
    if torch.device(device).type == "meta":  # shapes without numbers
        return
    there = total(device)
    if there is not None and nbytes > there:
        raise MinidsError(
            f"{what} takes {nbytes / 2**30:,.1f} GiB of memory, and there are {there / 2**30:,.1f} GiB. {advice}"
        )
