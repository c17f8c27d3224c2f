"""Triton's CPU interpreter, with what it gets wrong put right. The GPU path does not know this file.

Seen in Triton 3.6 to 3.9 (tests/kernels/test_interpreter.py knows which have which, and notices when one is gone):

    float32 -> float8e4nv   a mantissa that rounds up into the next power of two loses its carry: 124.3 becomes 64
    float32 -> bfloat16     is cut instead of rounded
    tl.dot on bfloat16      multiplies the raw bits as integers
    scalar condition        made a block, as in (m < M) & (k < K) with one m, it is int32 and no load takes it as a mask
    number as a bound       of a loop: held as an array [1], which numpy 2.4 no longer takes for a number

Casts go through torch, which rounds to nearest even; values beyond the largest of FP8 become the largest, as the
conversion of a GPU does (cvt.rn.satfinite, PTX ISA), where torch alone would give NaN. Products of bfloat16 and FP8 are
formed in float32, where they are exact, and summed in float32; a Hopper tensor core sums FP8 with fewer bits.
"""

import numpy as np
import torch
import triton.language as tl
from triton.runtime import interpreter as theirs

_TORCH = {tl.bfloat16: torch.bfloat16, tl.float8e4nv: torch.float8_e4m3fn, tl.float8e5: torch.float8_e5m2}
_LARGEST = {tl.float8e4nv: 448.0, tl.float8e5: 57344.0}
_builder = theirs.InterpreterBuilder
_cast, _fp_to_fp, _dot = _builder.cast_impl, _builder.create_fp_to_fp, _builder.create_dot
_splat, _patch_tensor = _builder.create_splat, theirs._patch_lang_tensor


def to_float(data, dtype):
    """Raw bits (or numbers) of the interpreter as a float array."""
    if dtype in _TORCH:
        bits = torch.from_numpy(np.ascontiguousarray(data))
        signed = bits.view(torch.int16 if bits.element_size() == 2 else torch.int8)
        return signed.view(_TORCH[dtype]).float().numpy()
    return data


def from_float(data, dtype):
    """A float array as the interpreter stores `dtype`."""
    x = torch.from_numpy(np.ascontiguousarray(data))
    if dtype in _LARGEST:
        x = x.float().clamp(-_LARGEST[dtype], _LARGEST[dtype])
    x = x.to(_TORCH[dtype])
    return x.view(torch.int16 if x.element_size() == 2 else torch.int8).numpy().view(theirs._get_np_dtype(dtype))


def _convert(original):
    def convert(self, src, dst_type, *rest):
        source, target = src.dtype.scalar, dst_type.scalar
        if not (source in _TORCH or target in _TORCH) or not (source.is_floating() and target.is_floating()):
            if source in _TORCH:  # to an integer
                src = theirs.TensorHandle(to_float(src.data, source), tl.float32)
            elif target in _TORCH:  # from an integer
                return theirs.TensorHandle(from_float(src.data.astype(np.float32), target), target)
            return original(self, src, dst_type, *rest)
        data = to_float(src.data, source)
        if target in _TORCH:
            return theirs.TensorHandle(from_float(data, target), target)
        return theirs.TensorHandle(data.astype(theirs._get_np_dtype(target)), target)

    return convert


def _dot_in_float(self, a, b, d, *rest):
    def wide(x):
        x_type = x.dtype.scalar
        return theirs.TensorHandle(to_float(x.data, x_type), tl.float32) if x_type in _TORCH else x

    return _dot(self, wide(a), wide(b), d, *rest)


def _splat_conditions(self, result_type, x):
    if x.data.dtype == np.bool_:
        return theirs.TensorHandle(np.full(result_type.shape, x.data.item()), tl.int1)
    return _splat(self, result_type, x)


def _patch_tensor_with_index(tensor, *scope):
    _patch_tensor(tensor, *scope)
    tensor.__index__ = lambda self: int(self.handle.data.item())  # the scope that Triton keeps takes it off again


def mend() -> None:
    """Puts the right versions into Triton's interpreter."""
    theirs._patch_lang_tensor = _patch_tensor_with_index
    _builder.cast_impl, _builder.create_fp_to_fp = _convert(_cast), _convert(_fp_to_fp)
    _builder.create_dot, _builder.create_splat = _dot_in_float, _splat_conditions
