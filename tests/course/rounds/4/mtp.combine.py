"""mtp.combine"""
import torch


def wrong_1(hidden_BTD, next_BTD, hnorm_D, enorm_D, eh_proj_DX, eps):
    "hidden state first, as the paper writes it"
    h, e = layers.rms_norm(hidden_BTD, hnorm_D, eps), layers.rms_norm(next_BTD, enorm_D, eps)
    return linear.linear(torch.cat([h, e], dim=-1), eh_proj_DX)


def wrong_2(hidden_BTD, next_BTD, hnorm_D, enorm_D, eh_proj_DX, eps):
    "norm weights swapped: shows where hnorm and enorm differ"
    h, e = layers.rms_norm(hidden_BTD, enorm_D, eps), layers.rms_norm(next_BTD, hnorm_D, eps)
    return linear.linear(torch.cat([e, h], dim=-1), eh_proj_DX)


def wrong_3(hidden_BTD, next_BTD, hnorm_D, enorm_D, eh_proj_DX, eps):
    "one norm over both at once"
    both = layers.rms_norm(torch.cat([next_BTD, hidden_BTD], -1), torch.cat([enorm_D, hnorm_D]), eps)
    return linear.linear(both, eh_proj_DX)


def wrong_4(hidden_BTD, next_BTD, hnorm_D, enorm_D, eh_proj_DX, eps):
    "the hidden state is not normalised again ('it comes from a final norm')"
    return linear.linear(torch.cat([layers.rms_norm(next_BTD, enorm_D, eps), hidden_BTD], dim=-1), eh_proj_DX)


def wrong_5(hidden_BTD, next_BTD, hnorm_D, enorm_D, eh_proj_DX, eps):
    "eps fixed at 1e-6: shows for another eps, or small vectors"
    h, e = layers.rms_norm(hidden_BTD, hnorm_D, 1e-6), layers.rms_norm(next_BTD, enorm_D, 1e-6)
    return linear.linear(torch.cat([e, h], dim=-1), eh_proj_DX)


def wrong_6(hidden_BTD, next_BTD, hnorm_D, enorm_D, eh_proj_DX, eps):
    "a norm of its own that squares in the dtype of x: float16 overflows at 256"

    def norm(x, w):
        return x * torch.rsqrt((x * x).mean(-1, keepdim=True) + eps) * w

    return linear.linear(torch.cat([norm(next_BTD, enorm_D), norm(hidden_BTD, hnorm_D)], dim=-1), eh_proj_DX)


def wrong_7(hidden_BTD, next_BTD, hnorm_D, enorm_D, eh_proj_DX, eps):
    "the states are detached: nothing of the module's loss reaches the main model"
    h, e = layers.rms_norm(hidden_BTD.detach(), hnorm_D, eps), layers.rms_norm(next_BTD, enorm_D, eps)
    return linear.linear(torch.cat([e, h], dim=-1), eh_proj_DX)


def wrong_8(hidden_BTD, next_BTD, hnorm_D, enorm_D, eh_proj_DX, eps):
    "all in float32 and stays there: bf16 comes out as float32, float64 too"
    h, e = layers.rms_norm(hidden_BTD.float(), hnorm_D, eps), layers.rms_norm(next_BTD.float(), enorm_D, eps)
    return torch.nn.functional.linear(torch.cat([e, h], dim=-1).float(), eh_proj_DX.float())


def wrong_9(hidden_BTD, next_BTD, hnorm_D, enorm_D, eh_proj_DX, eps):
    "embedding and state interleaved, e0 h0 e1 h1, instead of one behind the other"
    h, e = layers.rms_norm(hidden_BTD, hnorm_D, eps), layers.rms_norm(next_BTD, enorm_D, eps)
    return linear.linear(torch.stack([e, h], dim=-1).flatten(-2), eh_proj_DX)


def wrong_10(hidden_BTD, next_BTD, hnorm_D, enorm_D, eh_proj_DX, eps):
    "eps is added to the root, not under it: shows for small vectors (embeddings start at 0.006) and eps that is not tiny"

    def norm(x, w):
        wide = x.to(torch.promote_types(x.dtype, torch.float32))
        return ((wide / (wide.square().mean(-1, keepdim=True).sqrt() + eps)).to(x.dtype) * w).to(x.dtype)

    return linear.linear(torch.cat([norm(next_BTD, enorm_D), norm(hidden_BTD, hnorm_D)], dim=-1), eh_proj_DX)


def right_1(hidden_BTD, next_BTD, hnorm_D, enorm_D, eh_proj_DX, eps):
    "two products, no cat"
    D = hidden_BTD.shape[-1]
    e = layers.rms_norm(next_BTD, enorm_D, eps) @ eh_proj_DX[:, :D].T
    return e + layers.rms_norm(hidden_BTD, hnorm_D, eps) @ eh_proj_DX[:, D:].T


def right_2(hidden_BTD, next_BTD, hnorm_D, enorm_D, eh_proj_DX, eps):
    "both normalised in one stack, F.linear"
    both = torch.stack([next_BTD, hidden_BTD], dim=-2)
    wide = both.to(torch.promote_types(both.dtype, torch.float32))
    unit = wide / (wide.pow(2).mean(-1, keepdim=True) + eps).sqrt()
    scaled = unit.to(both.dtype) * torch.stack([enorm_D, hnorm_D])
    return torch.nn.functional.linear(scaled.flatten(-2), eh_proj_DX)


def right_3(hidden_BTD, next_BTD, hnorm_D, enorm_D, eh_proj_DX, eps):
    "written into an empty tensor, einsum"
    B, T, D = hidden_BTD.shape
    parts = hidden_BTD.new_zeros(B, T, 2 * D)
    parts[..., :D] = layers.rms_norm(next_BTD, enorm_D, eps)
    parts[..., D:] = layers.rms_norm(hidden_BTD, hnorm_D, eps)
    return torch.einsum("btx,dx->btd", parts, eh_proj_DX)


def right_4(hidden_BTD, next_BTD, hnorm_D, enorm_D, eh_proj_DX, eps):
    "norm weights multiplied in a loop over the two, functional rms_norm in float32"
    joined = []
    for x, w in ((next_BTD, enorm_D), (hidden_BTD, hnorm_D)):
        dtype = torch.promote_types(x.dtype, torch.float32)
        unit = torch.nn.functional.rms_norm(x.to(dtype), (x.shape[-1],), w.to(dtype), eps)
        joined.append(unit.to(x.dtype))
    return linear.linear(torch.cat(joined, dim=2), eh_proj_DX)
