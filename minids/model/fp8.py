"""Linear layers that train in FP8 (E4M3), as DeepSeek-V3 does (arXiv 2412.19437 §3.3, figures 6 and 7).

    forward               y  = Q(x) Q(w)^T           x in blocks of 1x128, w in blocks of 128x128
    gradient of the input dx = Q(dy) Q(w)            dy in blocks of 1x128
    gradient of weights   dw = Q'(dy)^T Q'(x)        both in blocks of 128x1; x from the FP8 copy that the forward kept

Every 128 products are summed on their own and then added in float32. Blocks and scales: minids/kernels/quantise.py.

In FP8: the projections of attention (also the two of MTP's attention), `eh_proj` of MTP modules, dense feed-forwards,
shared and routed experts. Not in FP8: the embedding, the output head, the router, the norms, attention itself (scores,
softmax, the sum of values) and what a decoder computes. Weights are masters in the dtype they have (float32 in the
training loop), and so are their gradients and the optimizer's moments, which V3 keeps in BF16.

On a GPU from sm_89 on the products are Triton kernels; elsewhere they are emulated with torch's own casts, which gives
the same numbers up to the order of summation and is slower than no FP8 at all.

Left out of V3's recipe: the E5M6 format for the input of the product after attention, power-of-two scales there, FP8
copies of SwiGLU's inputs (§3.3.3), FP8 messages between machines.
"""

import torch
from torch import nn

from minids.dispatch import as_written
from minids.errors import MinidsError
from minids.kernels import gemm, quantise, runtime
from minids.model import moe
from minids.model.ops import gpu
from minids.model.ops import linear as matmul


def backend_of(x) -> tuple[str, str]:
    """("triton" or "torch", why) for the device of x."""
    why = runtime.why_not(x, (8, 9)) if x.device.type == "cuda" else f"no FP8 kernels for {x.device.type}"
    if why is None:
        return "triton", f"FP8 by Triton kernels on {torch.cuda.get_device_name(x.device)}"
    return "torch", f"FP8 emulated with torch's casts ({why}): right, and slower than full precision"


def forward_product(x_MK, w_NK, backend):
    """y [M, N] in the dtype of x, and the FP8 copy of x with its scales, which the backward needs."""
    q_x, s_x = quantise.quantise(x_MK, backend=backend)
    q_w, s_w = quantise.quantise_weight(w_NK, backend=backend)
    return gemm.matmul(q_x, s_x, q_w, s_w, out_dtype=x_MK.dtype, backend=backend), q_x, s_x


def backward_products(dy_MN, q_x, s_x, w_NK, backend):
    """Gradients of input and weight -> dx [M, K] in the dtype of dy, dw [N, K] in the dtype of w.

    dy [M, N]; q_x [M, K] and s_x are the FP8 copy of the input that the forward kept; w [N, K]; `backend` ("triton" or
    "torch") is for every call of quantise and gemm to hand on.

        dx = Q(dy) Q(w)          dy in blocks of 1x128 along N, w in blocks of 128x128
        dw = Q'(dy)^T Q'(x)      both in blocks of 128x1, along the M tokens that are summed over

    x is taken from its FP8 copy, not from memory in full precision; on its way from one kind of blocks to the other it
    may have the dtype of dy or float32. (arXiv 2412.19437 §3.3.1 and figure 6; §3.5.2 on turning the tiles)
    """
    # the gradient of the input: the weight turned around, blocks and all
    q_w, s_w = quantise.quantise_weight(w_NK, backend=backend)
    q_dy, s_dy = quantise.quantise(dy_MN, backend=backend)
    dx_MK = gemm.matmul(q_dy, s_dy, q_w.t().contiguous(), s_w.t().contiguous(), out_dtype=dy_MN.dtype, backend=backend)
    # the gradient of the weight: blocks along the tokens, so x is dequantised, turned and quantised again
    x_MK = quantise.dequantise(q_x, s_x, dy_MN.dtype)
    q_dyt, s_dyt = quantise.quantise_t(dy_MN, backend=backend)
    q_xt, s_xt = quantise.quantise_t(x_MK, backend=backend)
    dw_NK = gemm.matmul(q_dyt, s_dyt, q_xt, s_xt, out_dtype=torch.float32, backend=backend)
    return dx_MK, dw_NK.to(w_NK.dtype)


class _Product(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x_MK, w_NK, backend):
        y_MN, q_x, s_x = forward_product(x_MK, w_NK, backend)
        ctx.save_for_backward(q_x, s_x, w_NK)
        ctx.backend = backend
        return y_MN

    @staticmethod
    def backward(ctx, dy_MN):
        q_x, s_x, w_NK = ctx.saved_tensors
        return *backward_products(dy_MN.contiguous(), q_x, s_x, w_NK, ctx.backend), None


def linear(x, w_NK, bias_N=None, backend=None):
    """x [..., K] -> x w^T (+ bias) [..., N], all three products of training in FP8. No rows: no product."""
    x_MK = x.reshape(-1, x.shape[-1])
    if torch.is_autocast_enabled(x.device.type):
        x_MK = x_MK.to(torch.get_autocast_dtype(x.device.type))
    if len(x_MK) == 0:
        return x @ w_NK.T
    y = _Product.apply(x_MK.contiguous(), w_NK, backend or backend_of(x)[0]).view(*x.shape[:-1], -1)
    return y if bias_N is None else y + bias_N.to(y.dtype)


def experts(x_ND, indices_NK, gates_NK, w_gate_up_EXD, w_down_EDF):
    """`moe.experts_loop` with its products in FP8 -> [N, D]."""
    out_ND = torch.zeros_like(x_ND)
    for e, (w_gate_up, w_down) in enumerate(zip(w_gate_up_EXD.unbind(0), w_down_EDF.unbind(0))):
        token, slot = torch.where(indices_NK == e)
        gate, up = linear(x_ND[token], w_gate_up).chunk(2, dim=-1)
        y = linear(nn.functional.silu(gate) * up, w_down) * gates_NK[token, slot, None]
        out_ND = out_ND.index_add(0, token, y.to(out_ND.dtype))
    return out_ND


# -- turning it on -----------------------------------------------------------------------------------------------------


class Linear(matmul.Linear):
    """A linear layer whose three products are in FP8; `convert` makes it of an ordinary one. The result has the dtype
    of x.

    Raises MinidsError for another size and KernelError, a ValueError, for a type that FP8 is not made from.
    """

    def forward(self, x):
        """x [..., K] -> [..., N]."""
        if x.ndim == 0 or x.shape[-1] != self.in_features:
            raise MinidsError(
                f"fp8.Linear: the last dimension of the input must be {self.in_features}, got {list(x.shape)}."
            )
        return linear(x, self.weight, self.bias)


class Experts(moe.Experts):
    """Experts whose products are in FP8; `convert` makes them of ordinary ones."""

    def forward(self, x_ND, indices_NK, gates_NK):
        if not as_written(moe.experts_loop):
            return super().forward(x_ND, indices_NK, gates_NK)
        if gpu.supports(x_ND) and backend_of(x_ND)[0] == "triton":
            return gpu.experts(x_ND, indices_NK, gates_NK, self.gate_up_proj, self.down_proj, fp8="fp32")
        return experts(x_ND, indices_NK, gates_NK, self.gate_up_proj, self.down_proj)


IN_FP8 = {matmul.Linear: Linear, moe.Experts: Experts}  # each class, and the one that computes in FP8


def convert(model) -> list[str]:
    """From now on the model's linear layers and experts compute in FP8. Returns the names of those that do not."""
    kept = []
    for name, module in model.named_modules():
        if type(module) in IN_FP8 and name != "lm_head":
            module.__class__ = IN_FP8[type(module)]
        elif not list(module.children()) and list(module.parameters()) and type(module) not in IN_FP8.values():
            kept.append(name)
    return kept


def restore(model) -> None:
    """Undoes `convert`. The weights are the same objects throughout."""
    plain = {fp8: cls for cls, fp8 in IN_FP8.items()}
    for module in model.modules():
        module.__class__ = plain.get(type(module), type(module))
