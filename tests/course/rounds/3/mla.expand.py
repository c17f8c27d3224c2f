"""mla.expand"""
import math

import torch
import torch.nn.functional as F


def wrong_1(latent_BSC, k_rope_BSR, w_kv_b, heads, nope):
    'all W_UK rows first, then all W_UV rows: not head by head'
    B, S, _ = latent_BSC.shape
    y = F.linear(latent_BSC, w_kv_b)
    k = y[..., : heads * nope].view(B, S, heads, nope).transpose(1, 2)
    v = y[..., heads * nope :].view(B, S, heads, -1).transpose(1, 2)
    r = k_rope_BSR[:, None].expand(-1, heads, -1, -1)
    return torch.cat([k, r], -1), v


def wrong_2(latent_BSC, k_rope_BSR, w_kv_b, heads, nope):
    'the rotated key in front'
    B, S, _ = latent_BSC.shape
    kv = F.linear(latent_BSC, w_kv_b).view(B, S, heads, -1).transpose(1, 2)
    r = k_rope_BSR[:, None].expand(-1, heads, -1, -1)
    return torch.cat([r, kv[..., :nope]], -1), kv[..., nope:]


def wrong_3(latent_BSC, k_rope_BSR, w_kv_b, heads, nope):
    'view to [B, H, S, …] without transpose'
    B, S, _ = latent_BSC.shape
    kv = F.linear(latent_BSC, w_kv_b).view(B, heads, S, -1)
    r = k_rope_BSR[:, None].expand(-1, heads, -1, -1)
    return torch.cat([kv[..., :nope], r], -1), kv[..., nope:]


def wrong_4(latent_BSC, k_rope_BSR, w_kv_b, heads, nope):
    'keys as wide as values: halves (differs if N != V)'
    B, S, _ = latent_BSC.shape
    kv = F.linear(latent_BSC, w_kv_b).view(B, S, heads, -1).transpose(1, 2)
    r = k_rope_BSR[:, None].expand(-1, heads, -1, -1)
    k, v = kv.chunk(2, -1)
    return torch.cat([k, r], -1), v


def wrong_5(latent_BSC, k_rope_BSR, w_kv_b, heads, nope):
    'the values are the last N columns (differs if N != V)'
    B, S, _ = latent_BSC.shape
    kv = F.linear(latent_BSC, w_kv_b).view(B, S, heads, -1).transpose(1, 2)
    r = k_rope_BSR[:, None].expand(-1, heads, -1, -1)
    return torch.cat([kv[..., :nope], r], -1), kv[..., -nope:]


def wrong_6(latent_BSC, k_rope_BSR, w_kv_b, heads, nope):
    'repeat and view mix up the texts of a batch (differs for B > 1)'
    B, S, _ = latent_BSC.shape
    kv = F.linear(latent_BSC, w_kv_b).view(B, S, heads, -1).transpose(1, 2)
    r = k_rope_BSR.repeat(heads, 1, 1).view(B, heads, S, -1)
    return torch.cat([kv[..., :nope], r], -1), kv[..., nope:]


def wrong_7(latent_BSC, k_rope_BSR, w_kv_b, heads, nope):
    'heads are the inner axis of the rows: [(N+V), H]'
    B, S, _ = latent_BSC.shape
    kv = F.linear(latent_BSC, w_kv_b).view(B, S, -1, heads).permute(0, 3, 1, 2)
    r = k_rope_BSR[:, None].expand(-1, heads, -1, -1)
    return torch.cat([kv[..., :nope], r], -1), kv[..., nope:]


def wrong_8(latent_BSC, k_rope_BSR, w_kv_b, heads, nope):
    'the shared key gets no gradient'
    B, S, _ = latent_BSC.shape
    kv = F.linear(latent_BSC, w_kv_b).view(B, S, heads, -1).transpose(1, 2)
    r = k_rope_BSR.detach()[:, None].expand(-1, heads, -1, -1)
    return torch.cat([kv[..., :nope], r], -1), kv[..., nope:]


def wrong_9(latent_BSC, k_rope_BSR, w_kv_b, heads, nope):
    'time before heads: [B, S, H, …]'
    B, S, _ = latent_BSC.shape
    kv = F.linear(latent_BSC, w_kv_b).view(B, S, heads, -1)
    r = k_rope_BSR[:, :, None].expand(-1, -1, heads, -1)
    return torch.cat([kv[..., :nope], r], -1), kv[..., nope:]


def wrong_10(latent_BSC, k_rope_BSR, w_kv_b, heads, nope):
    'the shared key is divided among the heads'
    B, S, _ = latent_BSC.shape
    kv = F.linear(latent_BSC, w_kv_b).view(B, S, heads, -1).transpose(1, 2)
    r = k_rope_BSR[:, None].expand(-1, heads, -1, -1)
    r = r / heads
    return torch.cat([kv[..., :nope], r], -1), kv[..., nope:]


def right_1(latent_BSC, k_rope_BSR, w_kv_b, heads, nope):
    'einsum with the weights by head'
    w = w_kv_b.reshape(heads, -1, w_kv_b.shape[-1])
    k = torch.einsum('bsc,hnc->bhsn', latent_BSC, w[:, :nope])
    v = torch.einsum('bsc,hvc->bhsv', latent_BSC, w[:, nope:])
    r = k_rope_BSR.unsqueeze(1).repeat(1, heads, 1, 1)
    return torch.cat((k, r), dim=-1), v


def right_2(latent_BSC, k_rope_BSR, w_kv_b, heads, nope):
    'head by head, stacked'
    ks, vs = [], []
    for rows in w_kv_b.chunk(heads, 0):
        ks.append(torch.cat([latent_BSC @ rows[:nope].T, k_rope_BSR], -1))
        vs.append(latent_BSC @ rows[nope:].T)
    return torch.stack(ks, 1), torch.stack(vs, 1)


def right_3(latent_BSC, k_rope_BSR, w_kv_b, heads, nope):
    'split, permute'
    V = w_kv_b.shape[0] // heads - nope
    y = (latent_BSC @ w_kv_b.t()).unflatten(-1, (heads, nope + V)).permute(0, 2, 1, 3)
    k, v = y.split([nope, V], dim=-1)
    return torch.cat([k, k_rope_BSR[:, None].expand(*k.shape[:3], -1)], dim=-1).contiguous(), v.contiguous()


def right_4(latent_BSC, k_rope_BSR, w_kv_b, heads, nope):
    'a broadcast product [B, 1, S, C] @ [H, C, N+V]; new_empty filled'
    w = w_kv_b.view(heads, -1, w_kv_b.shape[1]).mT
    y = latent_BSC[:, None] @ w
    B, H, S, _ = y.shape
    k = y.new_zeros(B, H, S, nope + k_rope_BSR.shape[-1])
    k[..., :nope] = y[..., :nope]
    k[..., nope:] = k_rope_BSR[:, None]
    return k, y[..., nope:]
