"""layers.rms_norm"""
import math

import torch
import torch.nn.functional as F




def wrong_1(x, weight, eps):
    'the mean is subtracted, as in LayerNorm'
    z = x.to(torch.promote_types(x.dtype, torch.float32))
    z = z - z.mean(-1, keepdim=True)
    return (z * torch.rsqrt(z.square().mean(-1, keepdim=True) + eps) * weight).to(x.dtype)


def wrong_2(x, weight, eps):
    'eps outside the root (differs for small x)'
    z = x.to(torch.promote_types(x.dtype, torch.float32))
    return (z / (z.square().mean(-1, keepdim=True).sqrt() + eps) * weight).to(x.dtype)


def wrong_3(x, weight, eps):
    'squared in half precision, only averaged in float32: inf in float16 from 256 on'
    ms = x.square().to(torch.promote_types(x.dtype, torch.float32)).mean(-1, keepdim=True)
    return (x * torch.rsqrt(ms + eps) * weight).to(x.dtype)


def wrong_4(x, weight, eps):
    'a float32 weight lifts a bf16 x to float32: dtype of the result'
    z = x.to(torch.promote_types(x.dtype, torch.float32))
    return (z * torch.rsqrt(z.square().mean(-1, keepdim=True) + eps)).to(x.dtype) * weight.to(torch.promote_types(x.dtype, torch.float32))


def wrong_5(x, weight, eps):
    'no gradient through the mean square'
    z = x.to(torch.promote_types(x.dtype, torch.float32))
    rstd = torch.rsqrt(z.detach().square().mean(-1, keepdim=True) + eps)
    return (z * rstd * weight).to(x.dtype)


def wrong_6(x, weight, eps):
    'mean over axis 1 (right only for two axes)'
    z = x.to(torch.promote_types(x.dtype, torch.float32))
    return (z * torch.rsqrt(z.square().mean(1, keepdim=True) + eps) * weight).to(x.dtype)


def wrong_7(x, weight, eps):
    'eps forgotten: NaN for a row of zeros'
    z = x.to(torch.promote_types(x.dtype, torch.float32))
    return (F.normalize(z, dim=-1, eps=0.0) * math.sqrt(x.shape[-1]) * weight).to(x.dtype)


def wrong_8(x, weight, eps):
    'in place: a float32 x is overwritten (`to` copies nothing)'
    z = x.to(torch.promote_types(x.dtype, torch.float32))
    with torch.no_grad():
        rstd = torch.rsqrt(z.square().mean(-1, keepdim=True) + eps)
        z *= rstd
    return (z * weight).to(x.dtype)


def wrong_9(x, weight, eps):
    'eps as a floor of the mean square instead of added to it'
    z = x.to(torch.promote_types(x.dtype, torch.float32))
    return (z * torch.rsqrt(z.square().mean(-1, keepdim=True).clamp(min=eps)) * weight).to(x.dtype)


def wrong_10(x, weight, eps):
    "variance with Bessel's correction: torch.var divides by D - 1 and subtracts the mean"
    z = x.to(torch.promote_types(x.dtype, torch.float32))
    return (z * torch.rsqrt(z.var(-1, keepdim=True) + eps) * weight).to(x.dtype)


def right_1(x, weight, eps):
    'einsum, division by sqrt'
    z = x.to(torch.promote_types(x.dtype, torch.float32))
    ms = torch.einsum('...d,...d->...', z, z) / x.shape[-1]
    return (z / (ms + eps).sqrt()[..., None]).to(x.dtype).mul(weight).to(x.dtype)


def right_2(x, weight, eps):
    "torch's own rms_norm on a wide copy"
    z = x.to(torch.promote_types(x.dtype, torch.float32))
    return F.rms_norm(z, x.shape[-1:], weight.to(z.dtype), eps).to(x.dtype)


def right_3(x, weight, eps):
    'pow(-1/2), weight before the cast'
    z = x.to(torch.promote_types(x.dtype, torch.float32))
    ms = z.pow(2).sum(dim=-1, keepdim=True) / z.size(-1)
    return (weight * (z * (ms + eps) ** -0.5)).to(x.dtype)


def right_4(x, weight, eps):
    'rows in a loop'
    rows = []
    for row in x.reshape(-1, x.shape[-1]):
        r = row if row.dtype == torch.float64 else row.float()
        rows.append((r / torch.sqrt((r * r).mean() + eps) * weight).to(x.dtype))
    return torch.stack(rows).reshape(x.shape) if rows else x * weight.to(x.dtype)
