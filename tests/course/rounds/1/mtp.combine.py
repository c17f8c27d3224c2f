"""mtp.combine"""
import torch
import torch.nn.functional as F

def wrong_1(hidden_BTD, next_BTD, hnorm_D, enorm_D, eh_proj_DX, eps):
    "the hidden state comes first, as in the paper"
    h, e = layers.rms_norm(hidden_BTD, hnorm_D, eps), layers.rms_norm(next_BTD, enorm_D, eps)
    return matmul.linear(torch.cat([h, e], dim=-1), eh_proj_DX)

def wrong_2(hidden_BTD, next_BTD, hnorm_D, enorm_D, eh_proj_DX, eps):
    "the weights of the two norms are swapped"
    h, e = layers.rms_norm(hidden_BTD, enorm_D, eps), layers.rms_norm(next_BTD, hnorm_D, eps)
    return matmul.linear(torch.cat([e, h], dim=-1), eh_proj_DX)

def wrong_3(hidden_BTD, next_BTD, hnorm_D, enorm_D, eh_proj_DX, eps):
    "one norm over both side by side: the larger one decides"
    both = torch.cat([next_BTD, hidden_BTD], dim=-1)
    return matmul.linear(layers.rms_norm(both, torch.cat([enorm_D, hnorm_D]), eps), eh_proj_DX)

def wrong_4(hidden_BTD, next_BTD, hnorm_D, enorm_D, eh_proj_DX, eps):
    "only the hidden states are normed (they come out of a norm, so it was thought to be the other's job)"
    e = layers.rms_norm(next_BTD, enorm_D, eps)
    return matmul.linear(torch.cat([e, hidden_BTD * hnorm_D], dim=-1), eh_proj_DX)

def wrong_5(hidden_BTD, next_BTD, hnorm_D, enorm_D, eh_proj_DX, eps):
    "eps is fixed at 1e-6: differs for another eps where inputs are small"
    h, e = layers.rms_norm(hidden_BTD, hnorm_D, 1e-6), layers.rms_norm(next_BTD, enorm_D, 1e-6)
    return matmul.linear(torch.cat([e, h], dim=-1), eh_proj_DX)

def wrong_6(hidden_BTD, next_BTD, hnorm_D, enorm_D, eh_proj_DX, eps):
    "squares in the dtype of the inputs: infinite in float16, coarse in bfloat16"
    h = hidden_BTD * torch.rsqrt((hidden_BTD**2).mean(-1, keepdim=True) + eps) * hnorm_D
    e = next_BTD * torch.rsqrt((next_BTD**2).mean(-1, keepdim=True) + eps) * enorm_D
    return matmul.linear(torch.cat([e, h], dim=-1), eh_proj_DX)

def wrong_7(hidden_BTD, next_BTD, hnorm_D, enorm_D, eh_proj_DX, eps):
    "the states are detached: no gradient of the MTP loss reaches the main model"
    h, e = layers.rms_norm(hidden_BTD.detach(), hnorm_D, eps), layers.rms_norm(next_BTD, enorm_D, eps)
    return matmul.linear(torch.cat([e, h], dim=-1), eh_proj_DX)

def wrong_8(hidden_BTD, next_BTD, hnorm_D, enorm_D, eh_proj_DX, eps):
    "the two are interleaved number by number, not side by side"
    h, e = layers.rms_norm(hidden_BTD, hnorm_D, eps), layers.rms_norm(next_BTD, enorm_D, eps)
    return matmul.linear(torch.stack([e, h], dim=-1).flatten(-2), eh_proj_DX)

def wrong_9(hidden_BTD, next_BTD, hnorm_D, enorm_D, eh_proj_DX, eps):
    "the projection is reshaped to [2D, D], not turned"
    h, e = layers.rms_norm(hidden_BTD, hnorm_D, eps), layers.rms_norm(next_BTD, enorm_D, eps)
    return torch.cat([e, h], dim=-1) @ eh_proj_DX.reshape(-1, eh_proj_DX.shape[0])

def wrong_10(hidden_BTD, next_BTD, hnorm_D, enorm_D, eh_proj_DX, eps):
    "eps is added to the root, not under it: differs for small inputs (zeros give 0 either way)"
    def norm(x, weight):
        wide = x.to(torch.promote_types(x.dtype, torch.float32))
        return (wide / (wide.square().mean(-1, keepdim=True).sqrt() + eps)).to(x.dtype) * weight
    return matmul.linear(torch.cat([norm(next_BTD, enorm_D), norm(hidden_BTD, hnorm_D)], dim=-1), eh_proj_DX)

def right_1(hidden_BTD, next_BTD, hnorm_D, enorm_D, eh_proj_DX, eps):
    "each half of the projection on its own, then the sum"
    D = hidden_BTD.shape[-1]
    e = layers.rms_norm(next_BTD, enorm_D, eps) @ eh_proj_DX[:, :D].T
    return e + layers.rms_norm(hidden_BTD, hnorm_D, eps) @ eh_proj_DX[:, D:].T

def right_2(hidden_BTD, next_BTD, hnorm_D, enorm_D, eh_proj_DX, eps):
    "torch's rms_norm and F.linear"
    D = hidden_BTD.shape[-1:]
    e = F.rms_norm(next_BTD, D, enorm_D, eps)
    h = F.rms_norm(hidden_BTD, D, hnorm_D, eps)
    return F.linear(torch.concat((e, h), -1), eh_proj_DX)

def right_3(hidden_BTD, next_BTD, hnorm_D, enorm_D, eh_proj_DX, eps):
    "einsum, written into an empty pair axis"
    parts = [layers.rms_norm(x, w, eps) for x, w in ((next_BTD, enorm_D), (hidden_BTD, hnorm_D))]
    pair = torch.stack(parts, dim=-2)
    weight = eh_proj_DX.view(eh_proj_DX.shape[0], 2, -1)
    return torch.einsum("...pd,opd->...o", pair, weight)

def right_4(hidden_BTD, next_BTD, hnorm_D, enorm_D, eh_proj_DX, eps):
    "norms written out with a division by the root"
    def norm(x, weight):
        wide = x if x.dtype == torch.float64 else x.float()
        size = (wide.pow(2).sum(-1, keepdim=True) / x.shape[-1] + eps).sqrt()
        return (wide / size).to(x.dtype) * weight
    joined = torch.cat([norm(next_BTD, enorm_D), norm(hidden_BTD, hnorm_D)], 2)
    return torch.matmul(joined, eh_proj_DX.t())
