"""layers.rms_norm"""
import torch
import torch.nn.functional as F


def wrong_1(x, weight, eps):
    "the mean is subtracted, as in LayerNorm"
    wide = x.to(torch.promote_types(x.dtype, torch.float32))
    wide = wide - wide.mean(-1, keepdim=True)
    return (wide * torch.rsqrt(wide.square().mean(-1, keepdim=True) + eps)).to(x.dtype) * weight


def wrong_2(x, weight, eps):
    "eps outside of the root: differs for small x, and for x = 0 the gradient is NaN"
    wide = x.to(torch.promote_types(x.dtype, torch.float32))
    return (wide / (wide.square().mean(-1, keepdim=True).sqrt() + eps)).to(x.dtype) * weight


def wrong_3(x, weight, eps):
    "squares in the dtype of x: infinite in float16"
    return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + eps) * weight


def wrong_4(x, weight, eps):
    ".float() for every dtype: float64 loses its digits"
    wide = x.float()
    return (wide * torch.rsqrt(wide.square().mean(-1, keepdim=True) + eps)).to(x.dtype) * weight


def wrong_5(x, weight, eps):
    "sum instead of mean (F.normalize)"
    wide = x.to(torch.promote_types(x.dtype, torch.float32))
    return (wide * torch.rsqrt(wide.square().sum(-1, keepdim=True) + eps)).to(x.dtype) * weight


def wrong_6(x, weight, eps):
    "the result stays float32 for half precision x (a float32 result for bf16 input and weight)"
    wide = x.to(torch.promote_types(x.dtype, torch.float32))
    return wide * torch.rsqrt(wide.square().mean(-1, keepdim=True) + eps) * weight.to(wide.dtype)


def wrong_7(x, weight, eps):
    "mean over all axes but the first: equal only for [B, D]"
    wide = x.to(torch.promote_types(x.dtype, torch.float32))
    dims = tuple(range(1, x.dim())) or (-1,)
    return (wide * torch.rsqrt(wide.square().mean(dims, keepdim=True) + eps)).to(x.dtype) * weight


def wrong_8(x, weight, eps):
    "works in place: x of the caller is changed"
    with torch.no_grad():
        rstd = torch.rsqrt(x.to(torch.promote_types(x.dtype, torch.float32)).square().mean(-1, keepdim=True) + eps)
        return x.mul_(rstd.to(x.dtype)).mul(weight)


def wrong_9(x, weight, eps):
    "no gradient through the mean square"
    wide = x.to(torch.promote_types(x.dtype, torch.float32))
    rstd = torch.rsqrt(wide.detach().square().mean(-1, keepdim=True) + eps)
    return (wide * rstd).to(x.dtype) * weight


def wrong_10(x, weight, eps):
    "eps forgotten: NaN for a row of zeros"
    wide = x.to(torch.promote_types(x.dtype, torch.float32))
    return (wide * torch.rsqrt(wide.square().mean(-1, keepdim=True))).to(x.dtype) * weight


def right_1(x, weight, eps):
    "einsum instead of mean"
    wide = x if x.dtype == torch.float64 else x.float()
    mean_square = torch.einsum("...d,...d->...", wide, wide) / x.shape[-1]
    y = wide / (mean_square + eps).sqrt().unsqueeze(-1)
    return weight * y.to(x.dtype)


def right_2(x, weight, eps):
    "pow and division by the root"
    dtype = torch.promote_types(torch.float32, x.dtype)
    z = x.to(dtype)
    root = (z.pow(2).sum(dim=-1, keepdim=True) / z.size(-1) + eps) ** 0.5
    return weight * (z / root).type_as(x)


def right_3(x, weight, eps):
    "the weight multiplied in float32 as well, then back to the dtype of x"
    wide = x.to(torch.promote_types(x.dtype, torch.float32))
    y = wide * (wide * wide).mean(-1, True).add(eps).rsqrt() * weight.to(wide.dtype)
    return y.to(x.dtype)


def right_4(x, weight, eps):
    "torch's own F.rms_norm in the wide dtype"
    wide = x.to(torch.promote_types(x.dtype, torch.float32))
    return F.rms_norm(wide, (x.shape[-1],), None, eps).to(x.dtype) * weight
