"""mla.absorb"""
import math

import torch
import torch.nn.functional as F


def wrong_1(q_nope_BTHN, q_rope_BTHR, latent_BSC, k_rope_BSR, w_kv_b, scale, mask=None):
    'scale on the latent scores only'
    B, T, H, N = q_nope_BTHN.shape
    w = w_kv_b.view(H, -1, w_kv_b.shape[-1])
    uk, uv = w[:, :N], w[:, N:]
    q = torch.einsum('bthn,hnc->bthc', q_nope_BTHN, uk)
    s = torch.einsum('bthc,bsc->bhts', q, latent_BSC) * scale + torch.einsum('bthr,bsr->bhts', q_rope_BTHR, k_rope_BSR)
    if mask is None:
        mask = torch.ones(s.shape[-2:], dtype=torch.bool, device=s.device).tril()
    s = s.masked_fill(~mask, float('-inf'))
    p = s.softmax(-1, dtype=torch.promote_types(s.dtype, torch.float32)).to(latent_BSC.dtype)
    return torch.einsum('bthc,hvc->bthv', torch.einsum('bhts,bsc->bthc', p, latent_BSC), uv)


def wrong_2(q_nope_BTHN, q_rope_BTHR, latent_BSC, k_rope_BSR, w_kv_b, scale, mask=None):
    'the rotary scores are missing'
    B, T, H, N = q_nope_BTHN.shape
    w = w_kv_b.view(H, -1, w_kv_b.shape[-1])
    uk, uv = w[:, :N], w[:, N:]
    q = torch.einsum('bthn,hnc->bthc', q_nope_BTHN, uk)
    s = torch.einsum('bthc,bsc->bhts', q, latent_BSC) * scale
    if mask is None:
        mask = torch.ones(s.shape[-2:], dtype=torch.bool, device=s.device).tril()
    s = s.masked_fill(~mask, float('-inf'))
    p = s.softmax(-1, dtype=torch.promote_types(s.dtype, torch.float32)).to(latent_BSC.dtype)
    return torch.einsum('bthc,hvc->bthv', torch.einsum('bhts,bsc->bthc', p, latent_BSC), uv)


def wrong_3(q_nope_BTHN, q_rope_BTHR, latent_BSC, k_rope_BSR, w_kv_b, scale, mask=None):
    "the values' rows are the last N (differs if N != V)"
    B, T, H, N = q_nope_BTHN.shape
    w = w_kv_b.view(H, -1, w_kv_b.shape[-1])
    uk, uv = w[:, :N], w[:, -N:]
    q = torch.einsum('bthn,hnc->bthc', q_nope_BTHN, uk)
    s = (torch.einsum('bthc,bsc->bhts', q, latent_BSC) + torch.einsum('bthr,bsr->bhts', q_rope_BTHR, k_rope_BSR)) * scale
    if mask is None:
        mask = torch.ones(s.shape[-2:], dtype=torch.bool, device=s.device).tril()
    s = s.masked_fill(~mask, float('-inf'))
    p = s.softmax(-1, dtype=torch.promote_types(s.dtype, torch.float32)).to(latent_BSC.dtype)
    return torch.einsum('bthc,hvc->bthv', torch.einsum('bhts,bsc->bthc', p, latent_BSC), uv)


def wrong_4(q_nope_BTHN, q_rope_BTHR, latent_BSC, k_rope_BSR, w_kv_b, scale, mask=None):
    'all rows of W_UK first, then all of W_UV'
    B, T, H, N = q_nope_BTHN.shape
    uk = w_kv_b[: H * N].view(H, N, -1)
    uv = w_kv_b[H * N :].view(H, -1, w_kv_b.shape[-1])
    q = torch.einsum('bthn,hnc->bthc', q_nope_BTHN, uk)
    s = (torch.einsum('bthc,bsc->bhts', q, latent_BSC) + torch.einsum('bthr,bsr->bhts', q_rope_BTHR, k_rope_BSR)) * scale
    if mask is None:
        mask = torch.ones(s.shape[-2:], dtype=torch.bool, device=s.device).tril()
    s = s.masked_fill(~mask, float('-inf'))
    p = s.softmax(-1, dtype=torch.promote_types(s.dtype, torch.float32)).to(latent_BSC.dtype)
    return torch.einsum('bthc,hvc->bthv', torch.einsum('bhts,bsc->bthc', p, latent_BSC), uv)


def wrong_5(q_nope_BTHN, q_rope_BTHR, latent_BSC, k_rope_BSR, w_kv_b, scale, mask=None):
    'forms keys and values after all (calls mla_naive)'
    return mla_naive(q_nope_BTHN, q_rope_BTHR, latent_BSC, k_rope_BSR, w_kv_b, scale, mask)


def wrong_6(q_nope_BTHN, q_rope_BTHR, latent_BSC, k_rope_BSR, w_kv_b, scale, mask=None):
    'a given mask is cut to causal, aligned at the beginning: a new token over a long cache sees one place'
    B, T, H, N = q_nope_BTHN.shape
    w = w_kv_b.view(H, -1, w_kv_b.shape[-1])
    uk, uv = w[:, :N], w[:, N:]
    q = torch.einsum('bthn,hnc->bthc', q_nope_BTHN, uk)
    s = (torch.einsum('bthc,bsc->bhts', q, latent_BSC) + torch.einsum('bthr,bsr->bhts', q_rope_BTHR, k_rope_BSR)) * scale
    causal = torch.ones(s.shape[-2:], dtype=torch.bool, device=s.device).tril()
    mask = causal if mask is None else mask & causal
    if mask is None:
        mask = torch.ones(s.shape[-2:], dtype=torch.bool, device=s.device).tril()
    s = s.masked_fill(~mask, float('-inf'))
    p = s.softmax(-1, dtype=torch.promote_types(s.dtype, torch.float32)).to(latent_BSC.dtype)
    return torch.einsum('bthc,hvc->bthv', torch.einsum('bhts,bsc->bthc', p, latent_BSC), uv)


def wrong_7(q_nope_BTHN, q_rope_BTHR, latent_BSC, k_rope_BSR, w_kv_b, scale, mask=None):
    'no mask is taken for: sees everything'
    B, T, H, N = q_nope_BTHN.shape
    w = w_kv_b.view(H, -1, w_kv_b.shape[-1])
    uk, uv = w[:, :N], w[:, N:]
    q = torch.einsum('bthn,hnc->bthc', q_nope_BTHN, uk)
    s = (torch.einsum('bthc,bsc->bhts', q, latent_BSC) + torch.einsum('bthr,bsr->bhts', q_rope_BTHR, k_rope_BSR)) * scale
    if mask is not None:
        s = s.masked_fill(~mask, float('-inf'))
    p = s.softmax(-1, dtype=torch.promote_types(s.dtype, torch.float32)).to(latent_BSC.dtype)
    return torch.einsum('bthc,hvc->bthv', torch.einsum('bhts,bsc->bthc', p, latent_BSC), uv)


def wrong_8(q_nope_BTHN, q_rope_BTHR, latent_BSC, k_rope_BSR, w_kv_b, scale, mask=None):
    "softmax over the heads' axis"
    B, T, H, N = q_nope_BTHN.shape
    w = w_kv_b.view(H, -1, w_kv_b.shape[-1])
    uk, uv = w[:, :N], w[:, N:]
    q = torch.einsum('bthn,hnc->bthc', q_nope_BTHN, uk)
    s = (torch.einsum('bthc,bsc->bhts', q, latent_BSC) + torch.einsum('bthr,bsr->bhts', q_rope_BTHR, k_rope_BSR)) * scale
    if mask is None:
        mask = torch.ones(s.shape[-2:], dtype=torch.bool, device=s.device).tril()
    s = s.masked_fill(~mask, float('-inf'))
    p = s.nan_to_num(neginf=-1e30).softmax(1, dtype=torch.promote_types(s.dtype, torch.float32)).to(latent_BSC.dtype)
    return torch.einsum('bthc,hvc->bthv', torch.einsum('bhts,bsc->bthc', p, latent_BSC), uv)


def wrong_9(q_nope_BTHN, q_rope_BTHR, latent_BSC, k_rope_BSR, w_kv_b, scale, mask=None):
    "softmax after W_UV's dtype by hand: exp without the maximum, overflows for large scores"
    B, T, H, N = q_nope_BTHN.shape
    w = w_kv_b.view(H, -1, w_kv_b.shape[-1])
    uk, uv = w[:, :N], w[:, N:]
    q = torch.einsum('bthn,hnc->bthc', q_nope_BTHN, uk)
    s = (torch.einsum('bthc,bsc->bhts', q, latent_BSC) + torch.einsum('bthr,bsr->bhts', q_rope_BTHR, k_rope_BSR)) * scale
    if mask is None:
        mask = torch.ones(s.shape[-2:], dtype=torch.bool, device=s.device).tril()
    s = s.masked_fill(~mask, float('-inf'))
    e = s.to(torch.promote_types(s.dtype, torch.float32)).exp()
    p = (e / e.sum(-1, keepdim=True)).to(latent_BSC.dtype)
    return torch.einsum('bthc,hvc->bthv', torch.einsum('bhts,bsc->bthc', p, latent_BSC), uv)


def wrong_10(q_nope_BTHN, q_rope_BTHR, latent_BSC, k_rope_BSR, w_kv_b, scale, mask=None):
    'hidden positions get the score 0, not -inf'
    B, T, H, N = q_nope_BTHN.shape
    w = w_kv_b.view(H, -1, w_kv_b.shape[-1])
    uk, uv = w[:, :N], w[:, N:]
    q = torch.einsum('bthn,hnc->bthc', q_nope_BTHN, uk)
    s = (torch.einsum('bthc,bsc->bhts', q, latent_BSC) + torch.einsum('bthr,bsr->bhts', q_rope_BTHR, k_rope_BSR)) * scale
    if mask is None:
        mask = torch.ones(s.shape[-2:], dtype=torch.bool, device=s.device).tril()
    s = s.masked_fill(~mask, 0.0)
    p = s.softmax(-1, dtype=torch.promote_types(s.dtype, torch.float32)).to(latent_BSC.dtype)
    return torch.einsum('bthc,hvc->bthv', torch.einsum('bhts,bsc->bthc', p, latent_BSC), uv)


def right_1(q_nope_BTHN, q_rope_BTHR, latent_BSC, k_rope_BSR, w_kv_b, scale, mask=None):
    'matmul with broadcasting'
    H, N = q_nope_BTHN.shape[2:]
    w = w_kv_b.unflatten(0, (H, -1))
    q = q_nope_BTHN.transpose(1, 2) @ w[:, :N]
    s = q @ latent_BSC[:, None].mT + q_rope_BTHR.transpose(1, 2) @ k_rope_BSR[:, None].mT
    s = s * scale
    if mask is None:
        mask = torch.ones(s.shape[-2:], dtype=torch.bool, device=s.device).tril()
    s = s.masked_fill(~mask, float('-inf'))
    p = s.softmax(-1, dtype=torch.promote_types(s.dtype, torch.float32)).to(latent_BSC.dtype)
    return (p @ latent_BSC[:, None] @ w[:, N:].mT).transpose(1, 2)


def right_2(q_nope_BTHN, q_rope_BTHR, latent_BSC, k_rope_BSR, w_kv_b, scale, mask=None):
    'attend on [latent ; key] with one shared head, values = latents'
    B, T, H, N = q_nope_BTHN.shape
    w = w_kv_b.view(H, -1, w_kv_b.shape[-1])
    uk, uv = w[:, :N], w[:, N:]
    q = torch.einsum('bthn,hnc->bthc', q_nope_BTHN, uk)
    q = torch.cat([q, q_rope_BTHR], -1).transpose(1, 2)
    k = torch.cat([latent_BSC, k_rope_BSR], -1)[:, None].expand(-1, H, -1, -1)
    o = attend(q, k, latent_BSC[:, None].expand(-1, H, -1, -1), scale, mask)
    return torch.einsum('bhtc,hvc->bthv', o, uv)


def right_3(q_nope_BTHN, q_rope_BTHR, latent_BSC, k_rope_BSR, w_kv_b, scale, mask=None):
    'head by head'
    H, N = q_nope_BTHN.shape[2:]
    out = []
    for h, rows in enumerate(w_kv_b.chunk(H)):
        s = (q_nope_BTHN[:, :, h] @ rows[:N]) @ latent_BSC.mT + q_rope_BTHR[:, :, h] @ k_rope_BSR.mT
        s = s * scale
        see = torch.ones_like(s[0], dtype=torch.bool).tril() if mask is None else mask[:, 0]
        s = s.masked_fill(~see, -torch.inf)
        p = s.softmax(-1, dtype=torch.promote_types(s.dtype, torch.float32)).to(latent_BSC.dtype)
        out.append(p @ latent_BSC @ rows[N:].T)
    return torch.stack(out, 2)


def right_4(q_nope_BTHN, q_rope_BTHR, latent_BSC, k_rope_BSR, w_kv_b, scale, mask=None):
    'scale on both queries; where'
    B, T, H, N = q_nope_BTHN.shape
    w = w_kv_b.view(H, -1, w_kv_b.shape[-1])
    uk, uv = w[:, :N], w[:, N:]
    q = torch.einsum('bthn,hnc->bthc', q_nope_BTHN, uk)
    s = torch.einsum('bthc,bsc->bhts', q * scale, latent_BSC)
    s = s + torch.einsum('bthr,bsr->bhts', q_rope_BTHR * scale, k_rope_BSR)
    if mask is None:
        t = torch.arange(T, device=s.device)
        mask = t[:, None] >= t
    s = torch.where(mask, s, -math.inf)
    p = s.softmax(-1, dtype=torch.promote_types(s.dtype, torch.float32)).to(latent_BSC.dtype)
    return torch.einsum('bthc,hvc->bthv', torch.einsum('bhts,bsc->bthc', p, latent_BSC), uv)
