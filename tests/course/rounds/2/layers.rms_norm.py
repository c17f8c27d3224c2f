"""layers.rms_norm"""
import torch
import torch.nn.functional as F


def wrong_1(x, weight, eps):
    "always through float32: float64 loses its digits"
    wide = x.float()
    return ((wide * torch.rsqrt(wide.square().mean(-1, keepdim=True) + eps)).to(x.dtype) * weight).to(x.dtype)


def wrong_2(x, weight, eps):
    "squares in the dtype of x: infinite in float16"
    return (x * torch.rsqrt(x.square().mean(-1, keepdim=True) + eps) * weight).to(x.dtype)


def wrong_3(x, weight, eps):
    "eps is added to the root, not under it: seen for small x"
    wide = x.to(torch.promote_types(x.dtype, torch.float32))
    return (wide / (wide.square().mean(-1, keepdim=True).sqrt() + eps) * weight).to(x.dtype)


def wrong_4(x, weight, eps):
    "half precision comes back as float32"
    wide = x.to(torch.promote_types(x.dtype, torch.float32))
    return wide * torch.rsqrt(wide.square().mean(-1, keepdim=True) + eps) * weight


def wrong_5(x, weight, eps):
    "a float32 weight makes a float32 result of a bfloat16 x"
    wide = x.to(torch.promote_types(x.dtype, torch.float32))
    return (wide * torch.rsqrt(wide.square().mean(-1, keepdim=True) + eps)).to(x.dtype) * weight


def wrong_6(x, weight, eps):
    "the root is detached, as if it were a constant: the gradient of x is wrong"
    wide = x.to(torch.promote_types(x.dtype, torch.float32))
    rstd = torch.rsqrt(wide.square().mean(-1, keepdim=True) + eps).detach()
    return ((wide * rstd).to(x.dtype) * weight).to(x.dtype)


def wrong_7(x, weight, eps):
    "eps as a floor (clamp) instead of a summand: seen where mean(x^2) is as small as eps"
    wide = x.to(torch.promote_types(x.dtype, torch.float32))
    return ((wide * torch.rsqrt(wide.square().mean(-1, keepdim=True).clamp(min=eps))).to(x.dtype) * weight).to(x.dtype)


def wrong_8(x, weight, eps):
    "mean over axis 1: wrong unless x is [B, D]"
    wide = x.to(torch.promote_types(x.dtype, torch.float32))
    return ((wide * torch.rsqrt(wide.square().mean(min(1, x.dim() - 1), keepdim=True) + eps)).to(x.dtype) * weight).to(x.dtype)


def wrong_9(x, weight, eps):
    "eps is dropped: NaN for a vector of zeros"
    wide = x.to(torch.promote_types(x.dtype, torch.float32))
    return (wide / wide.norm(dim=-1, keepdim=True) * x.shape[-1] ** 0.5 * weight).to(x.dtype)


def wrong_10(x, weight, eps):
    "float32 inputs are overwritten: x.to(float32) is x itself, then mul_"
    wide = x.to(torch.promote_types(x.dtype, torch.float32))
    wide *= torch.rsqrt(wide.square().mean(-1, keepdim=True) + eps)
    return (wide.to(x.dtype) * weight).to(x.dtype)


def right_1(x, weight, eps):
    "a division by the root, one rounding at the end"
    wide = x.to(torch.promote_types(x.dtype, torch.float32))
    return (weight * wide / (wide.pow(2).mean(dim=-1, keepdim=True) + eps).sqrt()).to(x.dtype)


def right_2(x, weight, eps):
    "einsum for the sum of squares"
    kind = torch.float64 if x.dtype == torch.float64 else torch.float32
    wide = x.to(kind)
    mean = torch.einsum("...d,...d->...", wide, wide)[..., None] / x.shape[-1]
    return (wide * (mean + eps) ** -0.5 * weight.to(kind)).to(x.dtype)


def right_3(x, weight, eps):
    "torch's own, in the wider dtype"
    kind = torch.promote_types(x.dtype, torch.float32)
    return F.rms_norm(x.to(kind), (x.shape[-1],), weight.to(kind), eps).to(x.dtype)


def right_4(x, weight, eps):
    "only half precision is converted"
    half = x.dtype in (torch.float16, torch.bfloat16)
    wide = x.float() if half else x
    norm = torch.sqrt((wide * wide).sum(-1) / wide.size(-1) + eps)
    out = wide / norm.unsqueeze(-1)
    return (out.type_as(x) * weight).type_as(x)
