"""The small parts: RMSNorm, SwiGLU, rotary positions (RoPE) and their extension to longer texts (YaRN).

RMSNorm     y = w * x / sqrt(mean(x^2) + eps)
SwiGLU      y = W_down (silu(W_gate x) * W_up x)
RoPE        pairs (x_2i, x_2i+1) turned by the angle p * theta^(-2i/R) at position p
YaRN        (arXiv 2309.00071) slows the low frequencies by `factor`, keeps the high ones, blends between;
            the softmax temperature grows by (0.1 m ln(factor) + 1)^2 with m = mscale_all_dim (arXiv 2412.19437 §4.3)

Shapes: B batch, T time, D hidden, F width of the feed-forward, R rotary dimensions. RMSNorm and SwiGLU have
hand-written backwards: on a CPU at this size the elementwise passes cost as much as the matrix products, and these make
fewer.
"""

import math

import torch
import torch.nn.functional as F
from torch import nn

from minids.model import fast
from minids.model.matmul import Linear, full_precision_cpu


class _RMSNorm(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, weight, eps):
        # One reduction without a temporary x*x; the mean square is accumulated in float32 for half precision inputs.
        norm = torch.linalg.vector_norm(x, dim=-1, keepdim=True, dtype=torch.promote_types(x.dtype, torch.float32))
        rstd = torch.rsqrt(norm.square_().div_(x.shape[-1]).add_(eps))
        unit = (x * rstd).to(x.dtype)
        ctx.save_for_backward(unit, rstd, weight)
        return unit * weight

    @staticmethod
    def backward(ctx, grad):
        unit, rstd, weight = ctx.saved_tensors
        scaled = grad * weight
        mean = (scaled * unit).mean(-1, keepdim=True)
        grad_x = scaled.addcmul_(unit, mean, value=-1).mul_(rstd.to(scaled.dtype))
        grad_w = (grad * unit).reshape(-1, grad.shape[-1]).sum(0)
        return grad_x, grad_w, None


def rms_norm(x, weight, eps):
    """x [..., D], weight [D] -> [..., D]: divides by the root mean square over the last axis,
    then scales by `weight`."""
    return _RMSNorm.apply(x, weight, eps)


class _SwiGLU(torch.autograd.Function):
    @staticmethod
    def forward(ctx, gate, up):
        ctx.save_for_backward(gate, up)
        return F.silu(gate).mul_(up)

    @staticmethod
    def backward(ctx, grad):
        gate, up = ctx.saved_tensors
        return torch.ops.aten.silu_backward(grad * up, gate), F.silu(gate).mul_(grad)


def swiglu(gate, up):
    """gate, up [..., F] -> silu(gate) * up."""
    return _SwiGLU.apply(gate, up)


_OWN_SWIGLU = swiglu  # who puts another function in its place gets that one run, not the fast path


class RMSNorm(nn.Module):
    def __init__(self, size, eps=1e-6):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(size))
        self.eps = eps

    def forward(self, x):
        return rms_norm(x, self.weight, self.eps)


class MLP(nn.Module):
    """SwiGLU feed-forward D -> F -> D; also the shared expert of an MoE layer."""

    def __init__(self, hidden_size, intermediate_size):
        super().__init__()
        self.gate_proj = Linear(hidden_size, intermediate_size, bias=False)
        self.up_proj = Linear(hidden_size, intermediate_size, bias=False)
        self.down_proj = Linear(intermediate_size, hidden_size, bias=False)

    def forward(self, x):
        if swiglu is _OWN_SWIGLU and full_precision_cpu(x):
            y = fast.mlp(x.reshape(-1, x.shape[-1]), self.gate_proj.weight, self.up_proj.weight, self.down_proj.weight)
            return y.view(x.shape)
        return self.down_proj(swiglu(self.gate_proj(x), self.up_proj(x)))


# -- positions ---------------------------------------------------------------------------------------------------------


def yarn_mscale(factor, mscale):
    """0.1 * mscale * ln(factor) + 1, the temperature that keeps attention's entropy when the text is `factor` times
    longer."""
    return 0.1 * mscale * math.log(factor) + 1.0 if factor > 1 else 1.0


def yarn_inv_freq(dim, theta, scaling):
    """Inverse frequencies [dim/2] of RoPE, in float32: plain when `scaling` is None, YaRN's blend otherwise.

    A pair that turns more than `beta_fast` times within the original length is kept (it knows relative places exactly);
    one that turns less than `beta_slow` times is slowed by `factor`; between them a linear ramp over the pair's index.
    """
    inv_freq = 1.0 / theta ** (torch.arange(0, dim, 2, dtype=torch.float32) / dim)
    if scaling is None:
        return inv_freq
    original = scaling["original_max_position_embeddings"]

    def index_of(turns):
        return dim * math.log(original / (turns * 2 * math.pi)) / (2 * math.log(theta))

    low, high = index_of(scaling.get("beta_fast") or 32), index_of(scaling.get("beta_slow") or 1)
    if scaling.get("truncate", True):
        low, high = math.floor(low), math.ceil(high)
    low, high = max(low, 0), min(high, dim - 1)
    ramp = ((torch.arange(dim // 2, dtype=torch.float32) - low) / max(high - low, 0.001)).clamp(0, 1)
    return inv_freq * (1 - ramp) + inv_freq / scaling["factor"] * ramp


def softmax_scale(config):
    """1/sqrt(d_qk), times mscale(mscale_all_dim)^2 under YaRN (not `mscale`: see the released modelling code)."""
    scale = config.qk_head_dim**-0.5
    scaling = config.rope_scaling
    if scaling and scaling.get("mscale_all_dim"):
        scale *= yarn_mscale(scaling["factor"], scaling["mscale_all_dim"]) ** 2
    return scale


def rotary_magnitude(config):
    """Factor on cos and sin: the ratio of the two mscales, 1 for DeepSeek-V3, where they are equal."""
    scaling = config.rope_scaling
    if scaling is None:
        return 1.0
    if scaling.get("attention_factor") is not None:
        return scaling["attention_factor"]
    if scaling.get("mscale") and scaling.get("mscale_all_dim"):
        factor = scaling["factor"]
        return yarn_mscale(factor, scaling["mscale"]) / yarn_mscale(factor, scaling["mscale_all_dim"])
    return yarn_mscale(scaling["factor"], 1.0)


def rotary_table(config, length, dtype=torch.float32, device=None):
    """cos and sin of all positions below `length`: [length, R/2] each."""
    inv_freq = yarn_inv_freq(config.qk_rope_head_dim, config.rope_theta, config.rope_scaling)
    angles = torch.arange(length, dtype=torch.float32)[:, None] * inv_freq
    magnitude = rotary_magnitude(config)
    cos, sin = (angles.cos() * magnitude), (angles.sin() * magnitude)
    return cos.to(device=device, dtype=dtype), sin.to(device=device, dtype=dtype)


def apply_rope(x, cos, sin, interleave=True):
    """Turns the last axis of x [..., R] by cos, sin [..., R/2] (broadcast).

    `interleave` says which entries of the weights form a pair: (0,1), (2,3), … as DeepSeek stores them, or
    (i, i + R/2). The result is written half by half in both cases; queries and keys agree, so their products do not
    depend on it.
    """
    if interleave:
        first, second = x[..., 0::2], x[..., 1::2]
    else:
        first, second = x.chunk(2, dim=-1)
    return torch.cat([first * cos - second * sin, second * cos + first * sin], dim=-1)
