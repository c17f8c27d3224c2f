"""The small parts: RMSNorm, SwiGLU, rotary positions (RoPE) and their extension to longer texts (YaRN).

RMSNorm     y = w * x / sqrt(mean(x^2) + eps)
SwiGLU      y = W_down (silu(W_gate x) * W_up x)
RoPE        pairs (x_2i, x_2i+1) turned by the angle p * theta^(-2i/R) at position p
YaRN        (arXiv 2309.00071) slows the low frequencies by `factor`, keeps the high ones, blends between;
            the softmax temperature grows by (0.1 m ln(factor) + 1)^2 with m = mscale_all_dim (arXiv 2412.19437 §4.3)

Shapes: B batch, T time, D hidden, F width of the feed-forward, R rotary dimensions. The functions here are the ones to
read; the modules run the same sums through minids/model/ops/cpu.py, whose hand-written backwards make fewer passes.
"""

import math

import torch
from torch import nn

from minids.dispatch import as_written, definitions
from minids.errors import MinidsError
from minids.files import brief
from minids.model.config import ModelConfig
from minids.model.ops import cpu, gpu
from minids.model.ops.linear import Linear, full_precision_cpu, fusible, need_input
from minids.model.sampling import whole


def rms_norm(x, weight, eps):
    """w * x / sqrt(mean(x^2) + eps): x [..., D], weight [D] -> [..., D], in the dtype of x.

    The mean is over the last axis. Half precision inputs are squared and averaged in float32: in float16 the square of
    256 is already infinite. (Zhang and Sennrich 2019, arXiv 1910.07467, eq. 4)
    """
    # in float32, or in float64 if x is that
    wide = x.to(torch.promote_types(x.dtype, torch.float32))
    # one number per vector: 1 / sqrt(mean square + eps), kept as [..., 1]
    rstd = torch.rsqrt(wide.square().mean(-1, keepdim=True) + eps)
    # back to the dtype of x, then the weight, which may be stored in a wider one
    return ((wide * rstd).to(x.dtype) * weight).to(x.dtype)


def swiglu(gate, up):
    """silu(gate) * up, with silu(z) = z sigmoid(z): gate, up [..., F] -> [..., F], in their dtype.

    (Shazeer 2020, arXiv 2002.05202, section 2, without its matrices)
    """
    return gate * torch.sigmoid(gate) * up


definitions(rms_norm, swiglu)  # both have fast forms


class RMSNorm(nn.Module):
    """`rms_norm` with a weight of its own: x [..., size] -> [..., size], in the dtype of x, whatever the weight's is.

    size   of the last dimension      eps   added to the mean square

    Raises MinidsError for another size.
    """

    def __init__(self, size, eps=1e-6):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(size))
        self.eps = eps

    def forward(self, x):
        """x [..., size] -> the same shape and dtype. Raises MinidsError for another size, and for x that are no
        numbers."""
        if x.shape[-1:] != self.weight.shape or not x.is_floating_point():
            raise MinidsError(
                f"RMSNorm: the input must be numbers [..., {len(self.weight)}], got {x.dtype} {list(x.shape)}."
            )
        if not as_written(rms_norm):
            return rms_norm(x, self.weight, self.eps)
        return (gpu if gpu.supports(x) else cpu).rms_norm(x, self.weight, self.eps)


class MLP(nn.Module):
    """SwiGLU feed-forward, x [..., D] -> [..., D]; also the shared expert of an MoE layer.

    hidden_size   D      intermediate_size   F, the width between its products

    Raises MinidsError for another size or type.
    """

    def __init__(self, hidden_size, intermediate_size):
        super().__init__()
        self.gate_proj = Linear(hidden_size, intermediate_size, bias=False)
        self.up_proj = Linear(hidden_size, intermediate_size, bias=False)
        self.down_proj = Linear(intermediate_size, hidden_size, bias=False)

    def forward(self, x):
        """x [..., D] -> [..., D]."""
        try:
            return self.computed(x)
        except (RuntimeError, IndexError):
            need_input(type(self).__name__, x, self.gate_proj.weight, self.gate_proj.in_features)
            raise

    def computed(self, x):
        """`forward` without its checks: by one fused step where that computes the same, else layer by layer."""
        own = as_written(swiglu)
        if own and fusible(self.down_proj) and full_precision_cpu(x):
            y = cpu.mlp(x.reshape(-1, x.shape[-1]), self.gate_proj.weight, self.up_proj.weight, self.down_proj.weight)
            return y.view(x.shape)
        gate, up = self.gate_proj(x), self.up_proj(x)
        activation = swiglu if not own else gpu.swiglu if gpu.supports(gate) else cpu.swiglu
        return self.down_proj(activation(gate, up))


# -- positions ---------------------------------------------------------------------------------------------------------


def yarn_mscale(factor, mscale):
    """0.1 * mscale * ln(factor) + 1, the temperature that keeps attention's entropy when the text is `factor` times
    longer."""
    return 0.1 * mscale * math.log(factor) + 1.0 if factor > 1 else 1.0


def yarn_inv_freq(dim, theta, scaling):
    """Inverse frequencies [dim/2] of RoPE, in float32: plain when `scaling` is None, YaRN's blend otherwise.

    A pair that turns more than `beta_fast` times within the original length is kept (it knows relative places exactly);
    one that turns less than `beta_slow` times is slowed by `factor`; between them a linear ramp over the pair's index.

    scaling     `factor`, `original_max_position_embeddings`; `beta_fast` (32 if missing or None), `beta_slow` (1),
                `truncate` (True)
    The pair that makes `turns` turns has the index dim ln(original / (2 pi turns)) / (2 ln theta). The ramp runs from
    beta_fast's index, rounded down, to beta_slow's, rounded up (neither is rounded if `truncate` is False), both kept
    within 0 and dim - 1, over at least 0.001. (arXiv 2309.00071 §3.2)
    """
    # plain frequencies, one per pair
    inv_freq = 1.0 / theta ** (torch.arange(0, dim, 2, dtype=torch.float32) / dim)
    if scaling is None:
        return inv_freq
    original = scaling["original_max_position_embeddings"]

    def index_of(turns):
        return dim * math.log(original / (turns * 2 * math.pi)) / (2 * math.log(theta))

    # the ends of the ramp
    low, high = index_of(scaling.get("beta_fast") or 32), index_of(scaling.get("beta_slow") or 1)
    if scaling.get("truncate", True):
        low, high = math.floor(low), math.ceil(high)
    low, high = max(low, 0), min(high, dim - 1)
    # 0 where a pair is kept, 1 where it is slowed; then the blend
    ramp = ((torch.arange(dim // 2, dtype=torch.float32) - low) / max(high - low, 0.001)).clamp(0, 1)
    return inv_freq * (1 - ramp) + inv_freq / scaling["factor"] * ramp


def softmax_scale(config):
    """What multiplies the scores: 1/sqrt(qk_head_dim), under YaRN times yarn_mscale(factor, mscale_all_dim)^2.

    The field `mscale` plays no part here, as in the released modelling code. No `rope_scaling`, or no `mscale_all_dim`
    in it: 1/sqrt(qk_head_dim). (arXiv 2309.00071 §3.4; arXiv 2412.19437 §4.3)
    """
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
    """cos and sin of the positions 0 to length - 1, YaRN included -> [length, R/2] each, R = config.qk_rope_head_dim.

    dtype, device   those of the layers that use them

    Positions 5 to 9 are its rows 5 to 9: attention(x, cos[5:10], sin[5:10], cache=cache). What a Transformer looks its
    angles up in. Raises MinidsError for a length that is none.
    """
    if not isinstance(config, ModelConfig) or not whole(length) or length < 0:
        raise MinidsError(
            f"rotary_table: a ModelConfig and a whole number of positions are needed, got {brief(config)} and "
            f"{brief(length)}."
        )
    inv_freq = yarn_inv_freq(config.qk_rope_head_dim, config.rope_theta, config.rope_scaling)
    angles = torch.arange(length, dtype=torch.float32)[:, None] * inv_freq
    magnitude = rotary_magnitude(config)
    cos, sin = (angles.cos() * magnitude), (angles.sin() * magnitude)
    return cos.to(device=device, dtype=dtype), sin.to(device=device, dtype=dtype)


def apply_rope(x, cos, sin, interleave=True):
    """Turns each pair of the last axis of x by its angle: x [..., R], cos, sin [..., R/2] (broadcast) -> [..., R].

        (a, b) -> (a cos - b sin, b cos + a sin)

    `interleave` says which entries form a pair: (0, 1), (2, 3), … as DeepSeek's weights have them, or (i, i + R/2).
    Either way the result holds all turned a first, then all turned b; queries and keys are written alike, so their
    products do not see the order. (Su et al. 2021, arXiv 2104.09864, section 3.2.2)
    """
    # the first and the second entry of every pair, [..., R/2] each
    if interleave:
        first, second = x[..., 0::2], x[..., 1::2]
    else:
        first, second = x.chunk(2, dim=-1)
    # both turned; the firsts, then the seconds
    return torch.cat([first * cos - second * sin, second * cos + first * sin], dim=-1)


definitions(apply_rope)
