"""mtp.combine"""
import torch
import torch.nn.functional as F



def wrong_1(hidden_BTD, next_BTD, hnorm_D, enorm_D, eh_proj_DX, eps):
    "the hidden state first, as in the paper"
    h, e = layers.rms_norm(hidden_BTD, hnorm_D, eps), layers.rms_norm(next_BTD, enorm_D, eps)
    return F.linear(torch.cat([h, e], -1), eh_proj_DX)


def wrong_2(hidden_BTD, next_BTD, hnorm_D, enorm_D, eh_proj_DX, eps):
    "the two norm weights are swapped (differs once they are not all ones)"
    h, e = layers.rms_norm(hidden_BTD, enorm_D, eps), layers.rms_norm(next_BTD, hnorm_D, eps)
    return F.linear(torch.cat([e, h], -1), eh_proj_DX)


def wrong_3(hidden_BTD, next_BTD, hnorm_D, enorm_D, eh_proj_DX, eps):
    "one norm over both side by side"
    both = torch.cat([next_BTD, hidden_BTD], -1)
    return F.linear(layers.rms_norm(both, torch.cat([enorm_D, hnorm_D]), eps), eh_proj_DX)


def wrong_4(hidden_BTD, next_BTD, hnorm_D, enorm_D, eh_proj_DX, eps):
    "the embedding is not normed, only weighted"
    h = layers.rms_norm(hidden_BTD, hnorm_D, eps)
    return F.linear(torch.cat([next_BTD * enorm_D, h], -1), eh_proj_DX)


def wrong_5(hidden_BTD, next_BTD, hnorm_D, enorm_D, eh_proj_DX, eps):
    "eps is not passed on: F.rms_norm takes its own (small vectors)"
    D = hidden_BTD.shape[-1:]
    return F.linear(torch.cat([F.rms_norm(next_BTD, D, enorm_D), F.rms_norm(hidden_BTD, D, hnorm_D)], -1), eh_proj_DX)


def wrong_6(hidden_BTD, next_BTD, hnorm_D, enorm_D, eh_proj_DX, eps):
    "squares in the input's dtype: float16 of some hundreds overflows, the norm gives 0"
    def norm(x, w):
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + eps) * w
    return F.linear(torch.cat([norm(next_BTD, enorm_D), norm(hidden_BTD, hnorm_D)], -1), eh_proj_DX)


def wrong_7(hidden_BTD, next_BTD, hnorm_D, enorm_D, eh_proj_DX, eps):
    "the state is detached: the MTP loss no longer trains the main model"
    h, e = layers.rms_norm(hidden_BTD.detach(), hnorm_D, eps), layers.rms_norm(next_BTD, enorm_D, eps)
    return F.linear(torch.cat([e, h], -1), eh_proj_DX)


def wrong_8(hidden_BTD, next_BTD, hnorm_D, enorm_D, eh_proj_DX, eps):
    "eps is added to the root instead of under it (small vectors)"
    def norm(x, w):
        y = x.to(torch.promote_types(x.dtype, torch.float32))
        return (y / (y.square().mean(-1, keepdim=True).sqrt() + eps)).to(x.dtype) * w
    return F.linear(torch.cat([norm(next_BTD, enorm_D), norm(hidden_BTD, hnorm_D)], -1), eh_proj_DX)


def wrong_9(hidden_BTD, next_BTD, hnorm_D, enorm_D, eh_proj_DX, eps):
    "computes and returns float32 for bfloat16"
    h, e = layers.rms_norm(hidden_BTD.float(), hnorm_D.float(), eps), layers.rms_norm(next_BTD.float(), enorm_D.float(), eps)
    return F.linear(torch.cat([e, h], -1), eh_proj_DX.float())


def wrong_10(hidden_BTD, next_BTD, hnorm_D, enorm_D, eh_proj_DX, eps):
    "interleaves the two (e0, h0, e1, h1, ...) instead of one behind the other"
    h, e = layers.rms_norm(hidden_BTD, hnorm_D, eps), layers.rms_norm(next_BTD, enorm_D, eps)
    return F.linear(torch.stack([e, h], -1).flatten(-2), eh_proj_DX)


def right_1(hidden_BTD, next_BTD, hnorm_D, enorm_D, eh_proj_DX, eps):
    "two products with the halves of M, added"
    D = hidden_BTD.shape[-1]
    h, e = layers.rms_norm(hidden_BTD, hnorm_D, eps), layers.rms_norm(next_BTD, enorm_D, eps)
    return F.linear(e, eh_proj_DX[:, :D]) + F.linear(h, eh_proj_DX[:, D:])


def right_2(hidden_BTD, next_BTD, hnorm_D, enorm_D, eh_proj_DX, eps):
    "norm written out, @ with the transposed matrix"
    def norm(x, w):
        y = x.to(torch.promote_types(x.dtype, torch.float32))
        return (y / (y.square().mean(-1, keepdim=True) + eps).sqrt()).to(x.dtype) * w
    return torch.cat((norm(next_BTD, enorm_D), norm(hidden_BTD, hnorm_D)), dim=2) @ eh_proj_DX.T


def right_3(hidden_BTD, next_BTD, hnorm_D, enorm_D, eh_proj_DX, eps):
    "an empty tensor that is filled, einsum"
    B, T, D = hidden_BTD.shape
    both = hidden_BTD.new_empty(B, T, 2 * D)
    both[..., :D] = layers.rms_norm(next_BTD, enorm_D, eps)
    both[..., D:] = layers.rms_norm(hidden_BTD, hnorm_D, eps)
    return torch.einsum('btx,dx->btd', both, eh_proj_DX)


def right_4(hidden_BTD, next_BTD, hnorm_D, enorm_D, eh_proj_DX, eps):
    "both normed in one go, weights afterwards"
    both = torch.stack([next_BTD, hidden_BTD], 2)
    one = torch.ones_like(enorm_D)
    both = layers.rms_norm(both, one, eps) * torch.stack([enorm_D, hnorm_D])
    return matmul.linear(both.flatten(2), eh_proj_DX)
