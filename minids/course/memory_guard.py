"""What a Triton kernel touches: the addresses of its loads and stores, seen in the interpreter.

    with memory_guard.only(x, y):                        a load or store outside of x and y is an IndexError
        kernel[grid](x, y, n, BLOCK=16)
    with memory_guard.only(x, y, nan=False):             so is a load of NaN, which stands where there is no number
        kernel[grid](x, y, n, BLOCK=16)
    with memory_guard.only(x, y, record=True) as seen:   and what was touched is noted
        kernel[grid](x, y, n, BLOCK=16)
    seen.program(y)     which program stored each number of y last: a place in the grid, row by row; -1 for none
    seen.stores(y)      how often each was stored             seen.loads(x)    ... and loaded
    seen.bytes()        (loaded, stored) in all

The interpreter writes to memory as it is told: a forgotten mask would change other tensors, or end the process. Outside
means outside of the memory that the tensors lie in: what lies behind a slice of a larger one may be touched. If NaN
lies there, and in outputs, a load without its mask is seen even where what it has loaded reaches no result: on a GPU it
may end the process. Where nothing is interpreted (on a GPU, or without Triton) all of this does nothing.
"""

import contextlib
import sys

import numpy as np
import torch


class Touched:
    """Notes of the loads and stores of some launches."""

    def __init__(self, tensors, record):
        storages = {t.untyped_storage().data_ptr(): t.untyped_storage().nbytes() for t in tensors}
        self.ranges, self.record = [(start, start + size) for start, size in storages.items()], record
        self.notes = []  # (kind, place in the grid, addresses, bytes of a number)

    def note(self, kind, pointers, mask, size):
        """Looks at one load or store before it happens."""
        at = np.asarray(pointers)[np.broadcast_to(mask, np.shape(pointers))].astype(np.int64)
        if not at.size:
            return
        x, y, z = _builder().grid_idx
        low, high = at.min(), at.max() + size
        if not any(start <= low and high <= end for start, end in self.ranges):
            outside = np.ones(at.shape, bool)
            for start, end in self.ranges:
                outside &= (at < start) | (at + size > end)
            if outside.any():
                raise IndexError(
                    f"program ({x}, {y}, {z}) {kind}s {int(outside.sum())} numbers far outside of every tensor that it "
                    "was given: is a mask missing, or a stride wrong?"
                )
        if self.record:
            _, ny, nz = _builder().grid_dim
            self.notes.append((kind, (x * ny + y) * nz + z, at, size))

    def refuse_nan(self, loaded, mask):
        """An error if a load that has just happened gave NaN."""
        data = sys.modules["minids.kernels.interpreter"].to_float(loaded.data, loaded.dtype.scalar)
        if data.dtype.kind == "f" and (bad := np.isnan(data) & np.broadcast_to(mask, data.shape)).any():
            x, y, z = _builder().grid_idx
            raise IndexError(
                f"program ({x}, {y}, {z}) loads {int(bad.sum())} numbers that are not there: they lie behind the rows "
                "of a tensor, or nobody has written them yet. Is a mask missing, or a stride wrong?"
            )

    def _of(self, tensor, kind):
        """(place in the grid, index into the flattened tensor) of each note of this kind that concerns the tensor."""
        size, shape = tensor.element_size(), tuple(tensor.shape)
        where = np.arange(tensor.untyped_storage().nbytes() // size)
        strides = [s * where.itemsize for s in tensor.stride()]
        at = np.lib.stride_tricks.as_strided(where[tensor.storage_offset() :], shape, strides).ravel()
        inverse = np.full(len(where), -1)
        inverse[at] = np.arange(at.size)
        start = tensor.untyped_storage().data_ptr()
        for what, program, addresses, _ in self.notes:
            if what == kind:
                index = (addresses - start) // size
                index = inverse[index[(index >= 0) & (index < len(where))]]
                yield program, index[index >= 0]

    def program(self, tensor):
        """Which program of the grid stored each number last: the tensor's shape, -1 where none did."""
        last = np.full(tensor.numel(), -1)
        for program, index in self._of(tensor, "store"):
            last[index] = program
        return torch.from_numpy(last).view(tensor.shape)

    def _count(self, tensor, kind):
        count = np.zeros(tensor.numel(), np.int64)
        for _, index in self._of(tensor, kind):
            np.add.at(count, index, 1)
        return torch.from_numpy(count).view(tensor.shape)

    def stores(self, tensor):
        """How often each number was stored: the tensor's shape."""
        return self._count(tensor, "store")

    def loads(self, tensor, program=None):
        """How often each number was loaded, by all programs or by the one at this place in the grid."""
        if program is None:
            return self._count(tensor, "load")
        alone = Touched((), True)
        alone.notes = [note for note in self.notes if note[1] == program]
        return alone._count(tensor, "load")

    def bytes(self):
        """(bytes loaded, bytes stored), every access counted."""

        def total(kind):
            return sum(at.size * size for what, _, at, size in self.notes if what == kind)

        return total("load"), total("store")


def _builder():
    from triton.runtime import interpreter

    return interpreter.interpreter_builder


@contextlib.contextmanager
def only(*arguments, record=False, nan=True):
    """Within it kernels touch nothing but these tensors -> Touched. Arguments of other kinds do not matter.

    nan=False: what they load is not NaN either.
    """
    arguments = [getattr(a, "base", a) for a in arguments]  # of a descriptor of tiles
    seen = Touched([a for a in arguments if isinstance(a, torch.Tensor)], record)
    runtime = sys.modules.get("minids.kernels.runtime")  # importing it settles whether kernels are interpreted
    if runtime is None or not runtime.INTERPRETED:
        yield seen
        return
    kind = type(_builder())
    load, store = kind.create_masked_load, kind.create_masked_store

    def checked_load(self, pointers, mask, *rest):
        seen.note("load", pointers.data, mask.data, pointers.get_element_ty().primitive_bitwidth // 8)
        loaded = load(self, pointers, mask, *rest)
        if not nan:
            seen.refuse_nan(loaded, mask.data)
        return loaded

    def checked_store(self, pointers, value, mask, *rest):
        seen.note("store", pointers.data, mask.data, pointers.get_element_ty().primitive_bitwidth // 8)
        return store(self, pointers, value, mask, *rest)

    kind.create_masked_load, kind.create_masked_store = checked_load, checked_store
    try:
        yield seen
    finally:
        kind.create_masked_load, kind.create_masked_store = load, store
