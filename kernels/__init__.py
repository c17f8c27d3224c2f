"""Triton kernels and their PyTorch references. Imports torch and triton, nothing of minids.

    runtime        which backend runs, and why; the checks of arguments
    interpreter    Triton's CPU interpreter with its faults mended, so that every kernel runs on a laptop
    floats         small floating-point formats: their values, and rounding to them
    quantise       1x128, 128x128 and 128x1 blocks to FP8, and back
    gemm           FP8 matrix product with block scales; the tensor cores' accumulator, emulated
    tiled          matrix products in tiles, plain and block-scaled: the ones to read
    grouped        mixture of experts: the permutation, products in groups (bfloat16, FP8), the whole layer
    decode         attention of new tokens over the cache of latents (MLA), split over the cache
    rmsnorm        RMSNorm, with the residual sum before it
    swiglu         silu(gate) up
    rope           rotary positions, both ways to pair
    cross_entropy  over a large vocabulary, the gradient written over the logits; with the head, in pieces

Every operation has three faces in one file: `name_reference` (plain torch, float32 or float64), a kernel, and `name`,
which checks its arguments and takes the kernel on a GPU and the reference elsewhere. `backend="triton"` asks for the
kernel anywhere; without a GPU it runs in the interpreter, which is slow and right.
"""
