"""mla.naive"""
import torch
import torch.nn.functional as F


def wrong_1(q_nope_BTHN, q_rope_BTHR, latent_BSC, k_rope_BSR, w_kv_b, scale, mask=None):
    "the mask is not passed on: causal always (and an error for T < S)"
    heads, nope = q_nope_BTHN.shape[2:]
    k, v = expand_latent(latent_BSC, k_rope_BSR, w_kv_b, heads, nope)
    q = torch.cat([q_nope_BTHN, q_rope_BTHR], dim=-1).transpose(1, 2)
    return attend(q, k, v, scale).transpose(1, 2)


def wrong_2(q_nope_BTHN, q_rope_BTHR, latent_BSC, k_rope_BSR, w_kv_b, scale, mask=None):
    "queries with rope first, keys with nope first (equal sizes hide it)"
    heads, nope = q_nope_BTHN.shape[2:]
    k, v = expand_latent(latent_BSC, k_rope_BSR, w_kv_b, heads, nope)
    q = torch.cat([q_rope_BTHR, q_nope_BTHN], dim=-1).transpose(1, 2)
    return attend(q, k, v, scale, mask).transpose(1, 2)


def wrong_3(q_nope_BTHN, q_rope_BTHR, latent_BSC, k_rope_BSR, w_kv_b, scale, mask=None):
    "heads before time in the result"
    heads, nope = q_nope_BTHN.shape[2:]
    k, v = expand_latent(latent_BSC, k_rope_BSR, w_kv_b, heads, nope)
    q = torch.cat([q_nope_BTHN, q_rope_BTHR], dim=-1).transpose(1, 2)
    return attend(q, k, v, scale, mask)


def wrong_4(q_nope_BTHN, q_rope_BTHR, latent_BSC, k_rope_BSR, w_kv_b, scale, mask=None):
    "reshape instead of transpose: right shape, positions and heads mixed up"
    B, T, heads, nope = q_nope_BTHN.shape
    k, v = expand_latent(latent_BSC, k_rope_BSR, w_kv_b, heads, nope)
    q = torch.cat([q_nope_BTHN, q_rope_BTHR], dim=-1).transpose(1, 2)
    return attend(q, k, v, scale, mask).reshape(B, T, heads, -1)


def wrong_5(q_nope_BTHN, q_rope_BTHR, latent_BSC, k_rope_BSR, w_kv_b, scale, mask=None):
    "1/sqrt(N + R) instead of the scale that is given (YaRN)"
    heads, nope = q_nope_BTHN.shape[2:]
    k, v = expand_latent(latent_BSC, k_rope_BSR, w_kv_b, heads, nope)
    q = torch.cat([q_nope_BTHN, q_rope_BTHR], dim=-1).transpose(1, 2)
    return attend(q, k, v, q.shape[-1] ** -0.5, mask).transpose(1, 2)


def wrong_6(q_nope_BTHN, q_rope_BTHR, latent_BSC, k_rope_BSR, w_kv_b, scale, mask=None):
    "scale on the queries and again in attend"
    heads, nope = q_nope_BTHN.shape[2:]
    k, v = expand_latent(latent_BSC, k_rope_BSR, w_kv_b, heads, nope)
    q = torch.cat([q_nope_BTHN * scale, q_rope_BTHR * scale], dim=-1).transpose(1, 2)
    return attend(q, k, v, scale, mask).transpose(1, 2)


def wrong_7(q_nope_BTHN, q_rope_BTHR, latent_BSC, k_rope_BSR, w_kv_b, scale, mask=None):
    "where T = S the mask is taken for causal: padding and two-way masks are lost"
    heads, nope = q_nope_BTHN.shape[2:]
    if q_nope_BTHN.shape[1] == latent_BSC.shape[1]:
        mask = None
    k, v = expand_latent(latent_BSC, k_rope_BSR, w_kv_b, heads, nope)
    q = torch.cat([q_nope_BTHN, q_rope_BTHR], dim=-1).transpose(1, 2)
    return attend(q, k, v, scale, mask).transpose(1, 2)


def wrong_8(q_nope_BTHN, q_rope_BTHR, latent_BSC, k_rope_BSR, w_kv_b, scale, mask=None):
    "N is computed as if V were N"
    heads = q_nope_BTHN.shape[2]
    k, v = expand_latent(latent_BSC, k_rope_BSR, w_kv_b, heads, w_kv_b.shape[0] // heads // 2)
    q = torch.cat([q_nope_BTHN, q_rope_BTHR], dim=-1).transpose(1, 2)
    return attend(q, k, v, scale, mask).transpose(1, 2)


def wrong_9(q_nope_BTHN, q_rope_BTHR, latent_BSC, k_rope_BSR, w_kv_b, scale, mask=None):
    "q_nope is divided in place before: the caller's query is changed"
    heads, nope = q_nope_BTHN.shape[2:]
    with torch.no_grad():
        q_nope_BTHN *= scale
        q_rope_BTHR *= scale
    k, v = expand_latent(latent_BSC, k_rope_BSR, w_kv_b, heads, nope)
    q = torch.cat([q_nope_BTHN, q_rope_BTHR], dim=-1).transpose(1, 2)
    return attend(q, k, v, 1.0, mask).transpose(1, 2)


def wrong_10(q_nope_BTHN, q_rope_BTHR, latent_BSC, k_rope_BSR, w_kv_b, scale, mask=None):
    "the rotary parts get a softmax of their own; the two results are averaged"
    heads, nope = q_nope_BTHN.shape[2:]
    k, v = expand_latent(latent_BSC, k_rope_BSR, w_kv_b, heads, nope)
    a = attend(q_nope_BTHN.transpose(1, 2), k[..., :nope], v, scale, mask)
    b = attend(q_rope_BTHR.transpose(1, 2), k[..., nope:], v, scale, mask)
    return ((a + b) / 2).transpose(1, 2)


def right_1(q_nope_BTHN, q_rope_BTHR, latent_BSC, k_rope_BSR, w_kv_b, scale, mask=None):
    "attend, the plain one"
    heads, nope = q_nope_BTHN.shape[-2:]
    k, v = expand_latent(latent_BSC, k_rope_BSR, w_kv_b, heads, nope)
    q = torch.cat((q_nope_BTHN, q_rope_BTHR), -1).permute(0, 2, 1, 3)
    return attend(q, k, v, scale, mask).permute(0, 2, 1, 3).contiguous()


def right_2(q_nope_BTHN, q_rope_BTHR, latent_BSC, k_rope_BSR, w_kv_b, scale, mask=None):
    "head by head"
    B, T, H, N = q_nope_BTHN.shape
    k, v = expand_latent(latent_BSC, k_rope_BSR, w_kv_b, H, N)
    out = []
    for h in range(H):
        q = torch.cat([q_nope_BTHN[:, :, h], q_rope_BTHR[:, :, h]], dim=-1)[:, None]
        out.append(attend(q, k[:, h : h + 1], v[:, h : h + 1], scale, mask)[:, 0])
    return torch.stack(out, dim=2)


def right_3(q_nope_BTHN, q_rope_BTHR, latent_BSC, k_rope_BSR, w_kv_b, scale, mask=None):
    "scores as a sum of two products, softmax by hand"
    H, N = q_nope_BTHN.shape[2:]
    k, v = expand_latent(latent_BSC, k_rope_BSR, w_kv_b, H, N)
    wide = torch.promote_types(k.dtype, torch.float32)
    k, q_nope, q_rope = k.to(wide), q_nope_BTHN.to(wide), q_rope_BTHR.to(wide)
    s = torch.einsum("bthn,bhsn->bhts", q_nope, k[..., :N]) + torch.einsum("bthr,bhsr->bhts", q_rope, k[..., N:])
    T, S = s.shape[-2:]
    see = torch.ones(T, S, dtype=torch.bool, device=s.device).tril() if mask is None else mask
    w = (s * scale).masked_fill(~see, float("-inf")).softmax(-1)
    return torch.einsum("bhts,bhsv->bthv", w, v.to(wide)).to(v.dtype)


def right_4(q_nope_BTHN, q_rope_BTHR, latent_BSC, k_rope_BSR, w_kv_b, scale, mask=None):
    "keys and values expanded without expand_latent; torch's kernel with a mask made by hand"
    B, T, H, N = q_nope_BTHN.shape
    S = latent_BSC.shape[1]
    w = w_kv_b.reshape(H, -1, w_kv_b.shape[1])
    k = torch.einsum("bsc,hnc->bhsn", latent_BSC, w[:, :N])
    v = torch.einsum("bsc,hvc->bhsv", latent_BSC, w[:, N:])
    k = torch.cat([k, k_rope_BSR[:, None].expand(B, H, S, -1)], -1)
    q = torch.cat([q_nope_BTHN, q_rope_BTHR], -1).transpose(1, 2)
    if mask is None:
        mask = torch.arange(T, device=q.device)[:, None] >= torch.arange(S, device=q.device)
    return F.scaled_dot_product_attention(q, k, v, attn_mask=mask, scale=scale).transpose(1, 2)
