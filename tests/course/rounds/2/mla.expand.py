"""mla.expand"""
import torch
import torch.nn.functional as F


def wrong_1(latent_BSC, k_rope_BSR, w_kv_b, heads, nope):
    "all keys first, then all values, instead of head by head: wrong for more than one head"
    B, S, _ = latent_BSC.shape
    kv = F.linear(latent_BSC, w_kv_b)
    k = kv[..., : heads * nope].reshape(B, S, heads, nope).transpose(1, 2)
    v = kv[..., heads * nope :].reshape(B, S, heads, -1).transpose(1, 2)
    return torch.cat([k, k_rope_BSR[:, None].expand(-1, heads, -1, -1)], dim=-1), v


def wrong_2(latent_BSC, k_rope_BSR, w_kv_b, heads, nope):
    "V taken to be N: chunk(2) cuts in the middle"
    B, S, _ = latent_BSC.shape
    k, v = F.linear(latent_BSC, w_kv_b).view(B, S, heads, -1).transpose(1, 2).chunk(2, dim=-1)
    return torch.cat([k, k_rope_BSR[:, None].expand(-1, heads, -1, -1)], dim=-1), v


def wrong_3(latent_BSC, k_rope_BSR, w_kv_b, heads, nope):
    "latent.view(B * S, C): RuntimeError for the slice of a cache, which is not contiguous"
    B, S, C = latent_BSC.shape
    kv = (latent_BSC.view(B * S, C) @ w_kv_b.T).view(B, S, heads, -1).transpose(1, 2)
    return torch.cat([kv[..., :nope], k_rope_BSR[:, None].expand(-1, heads, -1, -1)], dim=-1), kv[..., nope:]


def wrong_4(latent_BSC, k_rope_BSR, w_kv_b, heads, nope):
    "view(B, heads, S, -1) mixes positions and heads"
    B, S, _ = latent_BSC.shape
    kv = F.linear(latent_BSC, w_kv_b).view(B, heads, S, -1)
    return torch.cat([kv[..., :nope], k_rope_BSR[:, None].expand(-1, heads, -1, -1)], dim=-1), kv[..., nope:]


def wrong_5(latent_BSC, k_rope_BSR, w_kv_b, heads, nope):
    "values are the N numbers behind the key: too few where V > N"
    B, S, _ = latent_BSC.shape
    kv = F.linear(latent_BSC, w_kv_b).view(B, S, heads, -1).transpose(1, 2)
    return torch.cat([kv[..., :nope], k_rope_BSR[:, None].expand(-1, heads, -1, -1)], dim=-1), kv[..., nope : 2 * nope]


def wrong_6(latent_BSC, k_rope_BSR, w_kv_b, heads, nope):
    "the rotated part stands in front"
    B, S, _ = latent_BSC.shape
    kv = F.linear(latent_BSC, w_kv_b).view(B, S, heads, -1).transpose(1, 2)
    return torch.cat([k_rope_BSR[:, None].expand(-1, heads, -1, -1), kv[..., :nope]], dim=-1), kv[..., nope:]


def wrong_7(latent_BSC, k_rope_BSR, w_kv_b, heads, nope):
    "values before keys in each head's rows"
    B, S, _ = latent_BSC.shape
    kv = F.linear(latent_BSC, w_kv_b).view(B, S, heads, -1).transpose(1, 2)
    v, k = kv[..., :-nope], kv[..., -nope:]
    return torch.cat([k, k_rope_BSR[:, None].expand(-1, heads, -1, -1)], dim=-1), v


def wrong_8(latent_BSC, k_rope_BSR, w_kv_b, heads, nope):
    "the rotated key of the first row of the batch for all"
    B, S, _ = latent_BSC.shape
    kv = F.linear(latent_BSC, w_kv_b).view(B, S, heads, -1).transpose(1, 2)
    return torch.cat([kv[..., :nope], k_rope_BSR[:1, None].expand(B, heads, -1, -1)], dim=-1), kv[..., nope:]


def wrong_9(latent_BSC, k_rope_BSR, w_kv_b, heads, nope):
    "the shared key is detached, as something that comes from the cache: no gradient for W_KR"
    B, S, _ = latent_BSC.shape
    kv = F.linear(latent_BSC, w_kv_b).view(B, S, heads, -1).transpose(1, 2)
    return torch.cat([kv[..., :nope], k_rope_BSR.detach()[:, None].expand(-1, heads, -1, -1)], dim=-1), kv[..., nope:]


def wrong_10(latent_BSC, k_rope_BSR, w_kv_b, heads, nope):
    "an empty float32 buffer filled head by head: bfloat16 comes back as float32, float64 loses its digits"
    B, S, _ = latent_BSC.shape
    w = w_kv_b.reshape(heads, -1, w_kv_b.shape[1])
    k = torch.empty(B, heads, S, nope + k_rope_BSR.shape[-1])
    v = torch.empty(B, heads, S, w.shape[1] - nope)
    for h in range(heads):
        k[:, h, :, :nope] = latent_BSC @ w[h, :nope].T
        k[:, h, :, nope:] = k_rope_BSR
        v[:, h] = latent_BSC @ w[h, nope:].T
    return k, v


def right_1(latent_BSC, k_rope_BSR, w_kv_b, heads, nope):
    "einsum with the two matrices apart"
    w = w_kv_b.reshape(heads, -1, latent_BSC.shape[-1])
    k = torch.einsum("bsc,hnc->bhsn", latent_BSC, w[:, :nope])
    v = torch.einsum("bsc,hvc->bhsv", latent_BSC, w[:, nope:])
    return torch.cat([k, k_rope_BSR.unsqueeze(1).repeat(1, heads, 1, 1)], dim=-1), v


def right_2(latent_BSC, k_rope_BSR, w_kv_b, heads, nope):
    "head by head, stacked"
    keys, values = [], []
    for rows in w_kv_b.chunk(heads, dim=0):
        keys.append(torch.cat([F.linear(latent_BSC, rows[:nope]), k_rope_BSR], dim=-1))
        values.append(F.linear(latent_BSC, rows[nope:]))
    return torch.stack(keys, dim=1), torch.stack(values, dim=1)


def right_3(latent_BSC, k_rope_BSR, w_kv_b, heads, nope):
    "matmul, unflatten, permute, split"
    kv = (latent_BSC @ w_kv_b.t()).unflatten(-1, (heads, -1)).permute(0, 2, 1, 3)
    k, v = kv.split([nope, kv.shape[-1] - nope], dim=-1)
    rope = k_rope_BSR[:, None].expand(*k.shape[:-1], k_rope_BSR.shape[-1])
    return torch.cat((k, rope), -1), v


def right_4(latent_BSC, k_rope_BSR, w_kv_b, heads, nope):
    "a batched product over heads, contiguous results"
    B, S, C = latent_BSC.shape
    w = w_kv_b.reshape(heads, w_kv_b.shape[0] // heads, C)
    kv = latent_BSC[:, None] @ w.transpose(1, 2)[None]
    rope = torch.stack([k_rope_BSR] * heads, dim=1)
    return torch.cat([kv.narrow(-1, 0, nope), rope], dim=-1), kv[..., nope:].contiguous()
