"""mla.expand"""
import torch
import torch.nn.functional as F


def wrong_1(latent_BSC, k_rope_BSR, w_kv_b, heads, nope):
    "a view that splits and exchanges at once: positions and heads are mixed up"
    B, S, _ = latent_BSC.shape
    kv = F.linear(latent_BSC, w_kv_b).reshape(B, heads, S, -1)
    return torch.cat([kv[..., :nope], k_rope_BSR[:, None].expand(-1, heads, -1, -1)], dim=-1), kv[..., nope:]


def wrong_2(latent_BSC, k_rope_BSR, w_kv_b, heads, nope):
    "first the keys of all heads, then the values of all heads (not head by head)"
    B, S, _ = latent_BSC.shape
    kv = F.linear(latent_BSC, w_kv_b)
    k = kv[..., : heads * nope].view(B, S, heads, nope).transpose(1, 2)
    v = kv[..., heads * nope :].view(B, S, heads, -1).transpose(1, 2)
    return torch.cat([k, k_rope_BSR[:, None].expand(-1, heads, -1, -1)], dim=-1), v


def wrong_3(latent_BSC, k_rope_BSR, w_kv_b, heads, nope):
    "the rotated key in front of the nope part"
    B, S, _ = latent_BSC.shape
    kv = F.linear(latent_BSC, w_kv_b).view(B, S, heads, -1).transpose(1, 2)
    return torch.cat([k_rope_BSR[:, None].expand(-1, heads, -1, -1), kv[..., :nope]], dim=-1), kv[..., nope:]


def wrong_4(latent_BSC, k_rope_BSR, w_kv_b, heads, nope):
    "time before heads: [B, S, H, ...]"
    B, S, _ = latent_BSC.shape
    kv = F.linear(latent_BSC, w_kv_b).view(B, S, heads, -1)
    return torch.cat([kv[..., :nope], k_rope_BSR[:, :, None].expand(-1, -1, heads, -1)], dim=-1), kv[..., nope:]


def wrong_5(latent_BSC, k_rope_BSR, w_kv_b, heads, nope):
    "the values are the first rows of each head, the keys the last"
    B, S, _ = latent_BSC.shape
    kv = F.linear(latent_BSC, w_kv_b).view(B, S, heads, -1).transpose(1, 2)
    v = kv.shape[-1] - nope
    return torch.cat([kv[..., v:], k_rope_BSR[:, None].expand(-1, heads, -1, -1)], dim=-1), kv[..., :v]


def wrong_6(latent_BSC, k_rope_BSR, w_kv_b, heads, nope):
    "V taken to be N: chunk(2) (differs or fails when N and V differ)"
    B, S, _ = latent_BSC.shape
    kv = F.linear(latent_BSC, w_kv_b).view(B, S, heads, -1).transpose(1, 2)
    k, v = kv.chunk(2, dim=-1)
    return torch.cat([k, k_rope_BSR[:, None].expand(-1, heads, -1, -1)], dim=-1), v


def wrong_7(latent_BSC, k_rope_BSR, w_kv_b, heads, nope):
    "the rotated key is divided among the heads' batch: repeat along batch instead of heads (row b gets the key of another row for B > 1)"
    B, S, _ = latent_BSC.shape
    kv = F.linear(latent_BSC, w_kv_b).view(B, S, heads, -1).transpose(1, 2)
    rope = k_rope_BSR.repeat(heads, 1, 1).view(B, heads, S, -1)
    return torch.cat([kv[..., :nope], rope], dim=-1), kv[..., nope:]


def wrong_8(latent_BSC, k_rope_BSR, w_kv_b, heads, nope):
    "the rotary key is added to the last R nope dims instead of standing behind them"
    B, S, _ = latent_BSC.shape
    kv = F.linear(latent_BSC, w_kv_b).view(B, S, heads, -1).transpose(1, 2)
    R = k_rope_BSR.shape[-1]
    return kv[..., :nope] + F.pad(k_rope_BSR[:, None], (max(0, nope - R), 0))[..., -nope:], kv[..., nope:]


def wrong_9(latent_BSC, k_rope_BSR, w_kv_b, heads, nope):
    "the rotated key has no gradient (detached)"
    B, S, _ = latent_BSC.shape
    kv = F.linear(latent_BSC, w_kv_b).view(B, S, heads, -1).transpose(1, 2)
    return torch.cat([kv[..., :nope], k_rope_BSR.detach()[:, None].expand(-1, heads, -1, -1)], dim=-1), kv[..., nope:]


def wrong_10(latent_BSC, k_rope_BSR, w_kv_b, heads, nope):
    "filled into torch.empty of the default dtype: float64 becomes float32"
    B, S, _ = latent_BSC.shape
    kv = F.linear(latent_BSC, w_kv_b).view(B, S, heads, -1).transpose(1, 2)
    k = torch.empty(B, heads, S, nope + k_rope_BSR.shape[-1])
    k[..., :nope] = kv[..., :nope]
    k[..., nope:] = k_rope_BSR[:, None]
    return k, kv[..., nope:]


def right_1(latent_BSC, k_rope_BSR, w_kv_b, heads, nope):
    "einsum with the three axes of the matrix"
    w = w_kv_b.reshape(heads, -1, latent_BSC.shape[-1])
    k = torch.einsum("bsc,hnc->bhsn", latent_BSC, w[:, :nope])
    v = torch.einsum("bsc,hvc->bhsv", latent_BSC, w[:, nope:])
    rope = k_rope_BSR.unsqueeze(1).expand(-1, heads, -1, -1)
    return torch.cat((k, rope), -1), v


def right_2(latent_BSC, k_rope_BSR, w_kv_b, heads, nope):
    "head by head"
    ks, vs = [], []
    for rows in w_kv_b.chunk(heads, dim=0):
        ks.append(torch.cat([latent_BSC @ rows[:nope].T, k_rope_BSR], dim=-1))
        vs.append(latent_BSC @ rows[nope:].T)
    return torch.stack(ks, dim=1), torch.stack(vs, dim=1)


def right_3(latent_BSC, k_rope_BSR, w_kv_b, heads, nope):
    "split, then permute; repeat copies the rotated key"
    B, S, C = latent_BSC.shape
    size = w_kv_b.shape[0] // heads
    kv = (latent_BSC.reshape(B * S, C) @ w_kv_b.t()).reshape(B, S, heads, size)
    k_nope, v = kv.split([nope, size - nope], dim=-1)
    k = torch.cat([k_nope, k_rope_BSR.unsqueeze(2).repeat(1, 1, heads, 1)], dim=-1)
    return k.permute(0, 2, 1, 3), v.permute(0, 2, 1, 3)


def right_4(latent_BSC, k_rope_BSR, w_kv_b, heads, nope):
    "matmul broadcast over the heads"
    w = w_kv_b.unflatten(0, (heads, -1))
    kv = latent_BSC[:, None] @ w.transpose(1, 2)[None]
    rope = k_rope_BSR[:, None].expand(kv.shape[0], heads, kv.shape[2], k_rope_BSR.shape[-1])
    return torch.cat([kv[..., :nope], rope], -1).contiguous(), kv[..., nope:].contiguous()
