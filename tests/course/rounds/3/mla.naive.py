"""mla.naive"""
import math

import torch
import torch.nn.functional as F


def wrong_1(q_nope_BTHN, q_rope_BTHR, latent_BSC, k_rope_BSR, w_kv_b, scale, mask=None):
    "the query's rotary part in front, the key's behind"
    heads, nope = q_nope_BTHN.shape[2:]
    k, v = expand_latent(latent_BSC, k_rope_BSR, w_kv_b, heads, nope)
    q = torch.cat([q_rope_BTHR, q_nope_BTHN], -1).transpose(1, 2)
    return attend(q, k, v, scale, mask).transpose(1, 2)


def wrong_2(q_nope_BTHN, q_rope_BTHR, latent_BSC, k_rope_BSR, w_kv_b, scale, mask=None):
    'heads before time in the result'
    heads, nope = q_nope_BTHN.shape[2:]
    k, v = expand_latent(latent_BSC, k_rope_BSR, w_kv_b, heads, nope)
    q = torch.cat([q_nope_BTHN, q_rope_BTHR], -1).transpose(1, 2)
    return attend(q, k, v, scale, mask)


def wrong_3(q_nope_BTHN, q_rope_BTHR, latent_BSC, k_rope_BSR, w_kv_b, scale, mask=None):
    'the mask is dropped: always causal over the first T'
    heads, nope = q_nope_BTHN.shape[2:]
    k, v = expand_latent(latent_BSC, k_rope_BSR, w_kv_b, heads, nope)
    q = torch.cat([q_nope_BTHN, q_rope_BTHR], -1).transpose(1, 2)
    T, S = q.shape[2], k.shape[2]
    see = torch.ones(T, S, dtype=torch.bool, device=q.device).tril()
    return attend(q, k, v, scale, see).transpose(1, 2)


def wrong_4(q_nope_BTHN, q_rope_BTHR, latent_BSC, k_rope_BSR, w_kv_b, scale, mask=None):
    'scale is not looked at: 1 / sqrt(N + R)'
    heads, nope = q_nope_BTHN.shape[2:]
    k, v = expand_latent(latent_BSC, k_rope_BSR, w_kv_b, heads, nope)
    q = torch.cat([q_nope_BTHN, q_rope_BTHR], -1).transpose(1, 2)
    return attend(q, k, v, q.shape[-1] ** -0.5, mask).transpose(1, 2)


def wrong_5(q_nope_BTHN, q_rope_BTHR, latent_BSC, k_rope_BSR, w_kv_b, scale, mask=None):
    'reshape instead of transpose back: time and heads mixed'
    heads, nope = q_nope_BTHN.shape[2:]
    k, v = expand_latent(latent_BSC, k_rope_BSR, w_kv_b, heads, nope)
    q = torch.cat([q_nope_BTHN, q_rope_BTHR], -1).transpose(1, 2)
    o = attend(q, k, v, scale, mask)
    return o.reshape(o.shape[0], o.shape[2], o.shape[1], -1)


def wrong_6(q_nope_BTHN, q_rope_BTHR, latent_BSC, k_rope_BSR, w_kv_b, scale, mask=None):
    'without a mask every position sees all'
    heads, nope = q_nope_BTHN.shape[2:]
    k, v = expand_latent(latent_BSC, k_rope_BSR, w_kv_b, heads, nope)
    q = torch.cat([q_nope_BTHN, q_rope_BTHR], -1).transpose(1, 2)
    if mask is None:
        mask = torch.ones(1, 1, q.shape[2], k.shape[2], dtype=torch.bool, device=q.device)
    return attend(q, k, v, scale, mask).transpose(1, 2)


def wrong_7(q_nope_BTHN, q_rope_BTHR, latent_BSC, k_rope_BSR, w_kv_b, scale, mask=None):
    'the shared key is missing: only the nope scores'
    heads, nope = q_nope_BTHN.shape[2:]
    k, v = expand_latent(latent_BSC, k_rope_BSR, w_kv_b, heads, nope)
    q = torch.cat([q_nope_BTHN, q_rope_BTHR], -1).transpose(1, 2)
    return attend(q[..., :nope], k[..., :nope], v, scale, mask).transpose(1, 2)


def wrong_8(q_nope_BTHN, q_rope_BTHR, latent_BSC, k_rope_BSR, w_kv_b, scale, mask=None):
    'with a mask additionally causal, aligned at the end: cuts masks that look ahead'
    heads, nope = q_nope_BTHN.shape[2:]
    k, v = expand_latent(latent_BSC, k_rope_BSR, w_kv_b, heads, nope)
    q = torch.cat([q_nope_BTHN, q_rope_BTHR], -1).transpose(1, 2)
    T, S = q.shape[2], k.shape[2]
    causal = torch.ones(T, S, dtype=torch.bool, device=q.device).tril(S - T)
    mask = causal if mask is None else mask & causal
    return attend(q, k, v, scale, mask).transpose(1, 2)


def wrong_9(q_nope_BTHN, q_rope_BTHR, latent_BSC, k_rope_BSR, w_kv_b, scale, mask=None):
    'view to [B, H, T, …] instead of transpose of the query'
    heads, nope = q_nope_BTHN.shape[2:]
    k, v = expand_latent(latent_BSC, k_rope_BSR, w_kv_b, heads, nope)
    q = torch.cat([q_nope_BTHN, q_rope_BTHR], -1)
    q = q.reshape(q.shape[0], heads, -1, q.shape[-1])
    return attend(q, k, v, scale, mask).transpose(1, 2)


def wrong_10(q_nope_BTHN, q_rope_BTHR, latent_BSC, k_rope_BSR, w_kv_b, scale, mask=None):
    'the mask of the first text for all (differs for a mask [B, 1, T, S])'
    heads, nope = q_nope_BTHN.shape[2:]
    k, v = expand_latent(latent_BSC, k_rope_BSR, w_kv_b, heads, nope)
    q = torch.cat([q_nope_BTHN, q_rope_BTHR], -1).transpose(1, 2)
    mask = None if mask is None else mask[0]
    return attend(q, k, v, scale, mask).transpose(1, 2)


def right_1(q_nope_BTHN, q_rope_BTHR, latent_BSC, k_rope_BSR, w_kv_b, scale, mask=None):
    'attend instead of fused_attend'
    heads, nope = q_nope_BTHN.shape[2:]
    k, v = expand_latent(latent_BSC, k_rope_BSR, w_kv_b, heads, nope)
    q = torch.cat([q_nope_BTHN, q_rope_BTHR], -1).transpose(1, 2)
    return attend(q, k, v, scale, mask).transpose(1, 2)


def right_2(q_nope_BTHN, q_rope_BTHR, latent_BSC, k_rope_BSR, w_kv_b, scale, mask=None):
    'two sums of scores, einsum, no concatenation'
    H, N = q_nope_BTHN.shape[2:]
    w = w_kv_b.view(H, -1, w_kv_b.shape[-1])
    k = torch.einsum('bsc,hnc->bshn', latent_BSC, w[:, :N])
    v = torch.einsum('bsc,hvc->bshv', latent_BSC, w[:, N:])
    s = torch.einsum('bthn,bshn->bhts', q_nope_BTHN, k) + torch.einsum('bthr,bsr->bhts', q_rope_BTHR, k_rope_BSR)
    s = s * scale
    if mask is None:
        mask = torch.ones(s.shape[-2:], dtype=torch.bool, device=s.device).tril()
    p = s.masked_fill(~mask, -torch.inf).softmax(-1, dtype=torch.promote_types(s.dtype, torch.float32)).to(v.dtype)
    return torch.einsum('bhts,bshv->bthv', p, v)


def right_3(q_nope_BTHN, q_rope_BTHR, latent_BSC, k_rope_BSR, w_kv_b, scale, mask=None):
    "torch's kernel called here"
    heads, nope = q_nope_BTHN.shape[2:]
    k, v = expand_latent(latent_BSC, k_rope_BSR, w_kv_b, heads, nope)
    q = torch.cat([q_nope_BTHN, q_rope_BTHR], -1).transpose(1, 2)
    o = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, is_causal=mask is None, scale=scale)
    return o.permute(0, 2, 1, 3).contiguous()


def right_4(q_nope_BTHN, q_rope_BTHR, latent_BSC, k_rope_BSR, w_kv_b, scale, mask=None):
    'head by head'
    heads, nope = q_nope_BTHN.shape[2:]
    k, v = expand_latent(latent_BSC, k_rope_BSR, w_kv_b, heads, nope)
    q = torch.cat([q_nope_BTHN, q_rope_BTHR], -1).transpose(1, 2)
    out = [attend(q[:, h : h + 1], k[:, h : h + 1], v[:, h : h + 1], scale, mask) for h in range(heads)]
    return torch.cat(out, 1).transpose(1, 2)
