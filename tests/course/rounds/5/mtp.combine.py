"""mtp.combine"""
import torch
import torch.nn.functional as F


def wrong_1(hidden_BTD, next_BTD, hnorm_D, enorm_D, eh_proj_DX, eps):
    "the hidden state is put first, as in the paper; differs for all inputs"
    # breaks: "The embedding comes first, as in the released weights"; any random input
    h = layers.rms_norm(hidden_BTD, hnorm_D, eps)
    e = layers.rms_norm(next_BTD, enorm_D, eps)
    return linear.linear(torch.cat([h, e], dim=-1), eh_proj_DX)


def wrong_2(hidden_BTD, next_BTD, hnorm_D, enorm_D, eh_proj_DX, eps):
    "the two norm weights are exchanged; differs where hnorm_D != enorm_D"
    # breaks: "hnorm_D     weight of the hidden states' RMSNorm      enorm_D   of the embeddings'"; random weights
    h = layers.rms_norm(hidden_BTD, enorm_D, eps)
    e = layers.rms_norm(next_BTD, hnorm_D, eps)
    return linear.linear(torch.cat([e, h], dim=-1), eh_proj_DX)


def wrong_3(hidden_BTD, next_BTD, hnorm_D, enorm_D, eh_proj_DX, eps):
    "one norm over both halves at once, so the larger decides; differs where hidden and embedding differ in size"
    # breaks: "M [norm(next); norm(hidden)]"; next = 0.02 * randn, hidden = randn
    both = torch.cat([next_BTD, hidden_BTD], dim=-1)
    return linear.linear(layers.rms_norm(both, torch.cat([enorm_D, hnorm_D]), eps), eh_proj_DX)


def wrong_4(hidden_BTD, next_BTD, hnorm_D, enorm_D, eh_proj_DX, eps):
    "the squares are taken in the inputs' own dtype: infinite in float16 above 256"
    # breaks: "half precision is squared in float32"; float16 states of size 1000 come out as zeros

    def norm(x, w):
        return x * torch.rsqrt((x * x).mean(-1, keepdim=True) + eps) * w

    return linear.linear(torch.cat([norm(next_BTD, enorm_D), norm(hidden_BTD, hnorm_D)], dim=-1), eh_proj_DX)


def wrong_5(hidden_BTD, next_BTD, hnorm_D, enorm_D, eh_proj_DX, eps):
    "computes in float32 and forgets to go back: half precision (and float64) input comes back as float32"
    # breaks: "all in one dtype"; bfloat16 inputs give a float32 result
    h = layers.rms_norm(hidden_BTD.float(), hnorm_D.float(), eps)
    e = layers.rms_norm(next_BTD.float(), enorm_D.float(), eps)
    return linear.linear(torch.cat([e, h], dim=-1), eh_proj_DX.float())


def wrong_6(hidden_BTD, next_BTD, hnorm_D, enorm_D, eh_proj_DX, eps):
    "eps is added to the root, not below it; differs for small vectors or a large eps"
    # breaks: "eps   of both" norms (RMSNorm: x / sqrt(mean(x^2) + eps)); eps = 0.1, or states of size 1e-3 at eps 1e-6

    def norm(x, w):
        wide = x.to(torch.promote_types(x.dtype, torch.float32))
        rms = wide.square().mean(-1, keepdim=True).sqrt()
        return (wide / (rms + eps)).to(x.dtype) * w

    return linear.linear(torch.cat([norm(next_BTD, enorm_D), norm(hidden_BTD, hnorm_D)], dim=-1), eh_proj_DX)


def wrong_7(hidden_BTD, next_BTD, hnorm_D, enorm_D, eh_proj_DX, eps):
    "the states are detached, so that no gradient reaches the module below"
    # breaks: gradients ("hidden_BTD  states of the module below": the MTP loss trains them); hidden.requires_grad -> None
    h = layers.rms_norm(hidden_BTD.detach(), hnorm_D, eps)
    e = layers.rms_norm(next_BTD, enorm_D, eps)
    return linear.linear(torch.cat([e, h], dim=-1), eh_proj_DX)


def wrong_8(hidden_BTD, next_BTD, hnorm_D, enorm_D, eh_proj_DX, eps):
    "1 / rms is taken without gradient as if it were a constant: the values are right, the gradients of both inputs not"
    # breaks: gradients (of norm(next) and norm(hidden) with respect to their inputs); any float32 input with requires_grad

    def norm(x, w):
        wide = x.to(torch.promote_types(x.dtype, torch.float32))
        with torch.no_grad():
            rstd = torch.rsqrt(wide.square().mean(-1, keepdim=True) + eps)
        return (wide * rstd).to(x.dtype) * w

    return linear.linear(torch.cat([norm(next_BTD, enorm_D), norm(hidden_BTD, hnorm_D)], dim=-1), eh_proj_DX)


def wrong_9(hidden_BTD, next_BTD, hnorm_D, enorm_D, eh_proj_DX, eps):
    "eps of the embeddings' norm is the usual 1e-6 whatever eps says; differs for small embeddings with another eps"
    # breaks: "eps   of both"; eps = 1e-2 with embeddings of size 0.05
    h = layers.rms_norm(hidden_BTD, hnorm_D, eps)
    e = layers.rms_norm(next_BTD, enorm_D, 1e-6)
    return linear.linear(torch.cat([e, h], dim=-1), eh_proj_DX)


def wrong_10(hidden_BTD, next_BTD, hnorm_D, enorm_D, eh_proj_DX, eps):
    "the mean square of a half is taken over time as well; differs where T > 1 and positions differ in size"
    # breaks: "norm(next); norm(hidden)" (RMSNorm of each vector); states scaled by 1, 2, 3 ... along T

    def norm(x, w):
        wide = x.to(torch.promote_types(x.dtype, torch.float32))
        rstd = torch.rsqrt(wide.square().mean((-2, -1), keepdim=True) + eps)
        return (wide * rstd).to(x.dtype) * w

    return linear.linear(torch.cat([norm(next_BTD, enorm_D), norm(hidden_BTD, hnorm_D)], dim=-1), eh_proj_DX)


def right_1(hidden_BTD, next_BTD, hnorm_D, enorm_D, eh_proj_DX, eps):
    "F.linear and norms written out"

    def norm(x, w):
        wide = x.to(torch.promote_types(x.dtype, torch.float32))
        out = wide / torch.sqrt((wide**2).mean(dim=-1, keepdim=True) + eps)
        return out.to(x.dtype) * w

    e, h = norm(next_BTD, enorm_D), norm(hidden_BTD, hnorm_D)
    return F.linear(torch.cat((e, h), dim=2), eh_proj_DX)


def right_2(hidden_BTD, next_BTD, hnorm_D, enorm_D, eh_proj_DX, eps):
    "the projection in two halves, each applied to its part, and added"
    D = hidden_BTD.shape[-1]
    wide = torch.promote_types(hidden_BTD.dtype, torch.float32)
    e = layers.rms_norm(next_BTD, enorm_D, eps).to(wide)
    h = layers.rms_norm(hidden_BTD, hnorm_D, eps).to(wide)
    left, right = eh_proj_DX.to(wide).split(D, dim=1)
    return (e @ left.t() + h @ right.t()).to(hidden_BTD.dtype)


def right_3(hidden_BTD, next_BTD, hnorm_D, enorm_D, eh_proj_DX, eps):
    "a buffer that is filled half by half, then einsum"
    B, T, D = hidden_BTD.shape
    both = torch.empty(B, T, 2 * D, dtype=hidden_BTD.dtype, device=hidden_BTD.device)
    both[..., :D] = layers.rms_norm(next_BTD, enorm_D, eps)
    both[..., D:] = layers.rms_norm(hidden_BTD, hnorm_D, eps)
    return torch.einsum("btx,dx->btd", both, eh_proj_DX)


def right_4(hidden_BTD, next_BTD, hnorm_D, enorm_D, eh_proj_DX, eps):
    "both stacked on a new axis, normalised in one go without weights, weighted, flattened"
    pair = torch.stack([next_BTD, hidden_BTD], dim=-2)
    weights = torch.stack([enorm_D, hnorm_D])
    wide = pair.to(torch.promote_types(pair.dtype, torch.float32))
    normed = (wide * (wide.pow(2).sum(-1, keepdim=True) / wide.shape[-1] + eps) ** -0.5).to(pair.dtype)
    return (normed * weights).flatten(-2) @ eh_proj_DX.mT
