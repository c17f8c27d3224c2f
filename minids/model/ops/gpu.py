"""On a GPU the Triton kernels of minids/kernels stand where the plain functions would: same numbers up to rounding.

    rms_norm, swiglu, linear_cross_entropy     training and sampling, forward and backward
    rope                                       queries' and keys' heads (the one latent key is turned by torch)
    experts                                    grouped products over sorted tokens, instead of a Python loop
    decode                                     attention over the latent cache, for one new token a sequence

`supports(x)` says whether they do: x on a GPU with Triton installed. Elsewhere nothing of this is imported. Under
autocast the operands of products are taken in its type, as torch's own functions do.

Left out: attention over whole texts, for which torch's fused kernel is used.
"""

import functools

import torch

BACKEND = None  # of the kernels; a test sets "triton", to run them in the interpreter


@functools.cache
def _usable(device) -> bool:
    from minids.kernels import runtime

    return runtime.why_not(torch.empty(0, device=device)) is None


def supports(x) -> bool:
    """Whether the kernels compute with this tensor."""
    return x.device.type == "cuda" and x.dtype != torch.float64 and _usable(x.device)


def _in_autocast(*tensors):
    kind = tensors[0].device.type
    if not torch.is_autocast_enabled(kind):
        return tensors
    return [t.to(torch.get_autocast_dtype(kind)) for t in tensors]


def rms_norm(x, weight, eps):
    """`layers.rms_norm` by its kernel; rows longer than it takes go to torch."""
    from minids.kernels import rmsnorm

    if x.shape[-1] > rmsnorm.LONGEST:
        return torch.nn.functional.rms_norm(x, x.shape[-1:], weight, eps)
    return rmsnorm.rms_norm(x.contiguous(), weight, eps, backend=BACKEND)


def swiglu(gate, up):
    """`layers.swiglu` by its kernel."""
    from minids.kernels import swiglu as kernel

    return kernel.swiglu(gate.contiguous(), up.contiguous(), backend=BACKEND)


def rope(x_BTHR, cos, sin, interleave):
    """Every head turned; cos, sin [B or 1, T, R/2]."""
    from minids.kernels import rope as kernel

    return kernel.rope(x_BTHR.transpose(1, 2), cos, sin, interleave, backend=BACKEND).transpose(1, 2)


def experts(x_ND, indices_NK, gates_NK, w_gate_up_EXD, w_down_EDF, fp8=None):
    """`moe.experts_loop` by grouped products; fp8 "fp32" or "ue8m0": in FP8 with such scales."""
    from minids.kernels import grouped

    x, gate_up, down = _in_autocast(x_ND.contiguous(), w_gate_up_EXD, w_down_EDF)
    y = grouped.moe_experts(x, indices_NK, gates_NK.contiguous(), gate_up, down, backend=BACKEND, fp8=fp8)
    return y.to(x_ND.dtype)


def linear_cross_entropy(hidden_ND, w_VD, target_N, weight_N):
    """sum of weight * -log softmax(W h)[target], a scalar in float32."""
    from minids.kernels import cross_entropy

    return cross_entropy.linear_cross_entropy(
        hidden_ND, w_VD, target_N, weight_N, reduction="sum", check_targets=False, backend=BACKEND
    )


def decode(q_BHX, cache_BTX, length, rank):
    """softmax(q . cache) over the first `length` tokens of the latent cache, times their latents -> [B, H, rank].

    q [B, H, C + R] is in latent space and carries the scale already; cache [B, T, C + R]; rank = C.
    """
    from minids.kernels.decode import mla_decode

    lengths = torch.full((len(q_BHX),), length, dtype=torch.int32, device=q_BHX.device)
    return mla_decode(q_BHX.contiguous(), cache_BTX, lengths, 1.0, rank, backend=BACKEND)[0]
