"""mla.naive"""
import torch
import torch.nn.functional as F


def _kq(q_nope, q_rope, latent, k_rope, w):
    heads, nope = q_nope.shape[2:]
    k, v = expand_latent(latent, k_rope, w, heads, nope)
    return torch.cat([q_nope, q_rope], dim=-1).transpose(1, 2), k, v


def wrong_1(q_nope_BTHN, q_rope_BTHR, latent_BSC, k_rope_BSR, w_kv_b, scale, mask=None):
    "queries with rope in front: scores of nope with rope"
    q, k, v = _kq(q_nope_BTHN, q_rope_BTHR, latent_BSC, k_rope_BSR, w_kv_b)
    q = torch.cat([q_rope_BTHR, q_nope_BTHN], dim=-1).transpose(1, 2)
    return attend(q, k, v, scale, mask).transpose(1, 2)


def wrong_2(q_nope_BTHN, q_rope_BTHR, latent_BSC, k_rope_BSR, w_kv_b, scale, mask=None):
    "heads before time in the result"
    q, k, v = _kq(q_nope_BTHN, q_rope_BTHR, latent_BSC, k_rope_BSR, w_kv_b)
    return attend(q, k, v, scale, mask)


def wrong_3(q_nope_BTHN, q_rope_BTHR, latent_BSC, k_rope_BSR, w_kv_b, scale, mask=None):
    "the mask is not handed on"
    q, k, v = _kq(q_nope_BTHN, q_rope_BTHR, latent_BSC, k_rope_BSR, w_kv_b)
    if mask is not None and q.shape[2] != k.shape[2]:
        mask = torch.ones(q.shape[2], k.shape[2], dtype=torch.bool).tril(k.shape[2] - q.shape[2])
        return attend(q, k, v, scale, mask).transpose(1, 2)
    return attend(q, k, v, scale).transpose(1, 2)


def wrong_4(q_nope_BTHN, q_rope_BTHR, latent_BSC, k_rope_BSR, w_kv_b, scale, mask=None):
    "1/sqrt(N + R) instead of the scale that is given"
    q, k, v = _kq(q_nope_BTHN, q_rope_BTHR, latent_BSC, k_rope_BSR, w_kv_b)
    return attend(q, k, v, q.shape[-1] ** -0.5, mask).transpose(1, 2)


def wrong_5(q_nope_BTHN, q_rope_BTHR, latent_BSC, k_rope_BSR, w_kv_b, scale, mask=None):
    "scaled twice: the queries and once more in attend"
    q, k, v = _kq(q_nope_BTHN, q_rope_BTHR, latent_BSC, k_rope_BSR, w_kv_b)
    return attend(q * scale, k, v, scale, mask).transpose(1, 2)


def wrong_6(q_nope_BTHN, q_rope_BTHR, latent_BSC, k_rope_BSR, w_kv_b, scale, mask=None):
    "reshape instead of transpose: queries of other heads and positions (right for T = 1 or H = 1)"
    q, k, v = _kq(q_nope_BTHN, q_rope_BTHR, latent_BSC, k_rope_BSR, w_kv_b)
    B, T, H, _ = q_nope_BTHN.shape
    q = torch.cat([q_nope_BTHN, q_rope_BTHR], dim=-1).reshape(B, H, T, -1)
    return attend(q, k, v, scale, mask).transpose(1, 2)


def wrong_7(q_nope_BTHN, q_rope_BTHR, latent_BSC, k_rope_BSR, w_kv_b, scale, mask=None):
    "the rotary part of the scores is forgotten"
    heads, nope = q_nope_BTHN.shape[2:]
    k, v = expand_latent(latent_BSC, k_rope_BSR, w_kv_b, heads, nope)
    return attend(q_nope_BTHN.transpose(1, 2), k[..., :nope], v, scale, mask).transpose(1, 2)


def wrong_8(q_nope_BTHN, q_rope_BTHR, latent_BSC, k_rope_BSR, w_kv_b, scale, mask=None):
    "everything may be seen when there is no mask"
    q, k, v = _kq(q_nope_BTHN, q_rope_BTHR, latent_BSC, k_rope_BSR, w_kv_b)
    return F.scaled_dot_product_attention(q, k, v, attn_mask=mask, scale=scale).transpose(1, 2)


def wrong_9(q_nope_BTHN, q_rope_BTHR, latent_BSC, k_rope_BSR, w_kv_b, scale, mask=None):
    "causal always: a mask that hides padding or shows later positions is combined with the triangle of the last T rows"
    q, k, v = _kq(q_nope_BTHN, q_rope_BTHR, latent_BSC, k_rope_BSR, w_kv_b)
    T, S = q.shape[2], k.shape[2]
    causal = torch.ones(T, S, dtype=torch.bool, device=q.device).tril(S - T)[None, None]
    return attend(q, k, v, scale, causal if mask is None else causal | mask).transpose(1, 2)


def wrong_10(q_nope_BTHN, q_rope_BTHR, latent_BSC, k_rope_BSR, w_kv_b, scale, mask=None):
    "heads are flattened together: [B, T, H*V] instead of [B, T, H, V]"
    q, k, v = _kq(q_nope_BTHN, q_rope_BTHR, latent_BSC, k_rope_BSR, w_kv_b)
    return attend(q, k, v, scale, mask).transpose(1, 2).flatten(2)


def right_1(q_nope_BTHN, q_rope_BTHR, latent_BSC, k_rope_BSR, w_kv_b, scale, mask=None):
    "the two parts of the scores apart, einsum"
    B, T, H, N = q_nope_BTHN.shape
    k, v = expand_latent(latent_BSC, k_rope_BSR, w_kv_b, H, N)
    s = torch.einsum("bthn,bhsn->bhts", q_nope_BTHN, k[..., :N]) + torch.einsum("bthr,bsr->bhts", q_rope_BTHR, k_rope_BSR)
    s = s * scale
    if mask is None:
        mask = torch.ones(T, T, dtype=torch.bool, device=s.device).tril()
    s = s.masked_fill(~mask, float("-inf"))
    w = s.softmax(-1, dtype=torch.promote_types(s.dtype, torch.float32)).to(v.dtype)
    return torch.einsum("bhts,bhsv->bthv", w, v)


def right_2(q_nope_BTHN, q_rope_BTHR, latent_BSC, k_rope_BSR, w_kv_b, scale, mask=None):
    "the module's attend, heads first by permute"
    H, N = q_nope_BTHN.size(2), q_nope_BTHN.size(3)
    k, v = expand_latent(latent_BSC, k_rope_BSR, w_kv_b, H, N)
    q = torch.cat([q_nope_BTHN.permute(0, 2, 1, 3), q_rope_BTHR.permute(0, 2, 1, 3)], dim=3)
    return attend(q, k, v, scale, mask).permute(0, 2, 1, 3)


def right_3(q_nope_BTHN, q_rope_BTHR, latent_BSC, k_rope_BSR, w_kv_b, scale, mask=None):
    "head by head, attend with one head each"
    H, N = q_nope_BTHN.shape[2:]
    rows = w_kv_b.view(H, -1, w_kv_b.shape[1])
    out = []
    for h in range(H):
        k = torch.cat([latent_BSC @ rows[h, :N].T, k_rope_BSR], -1)[:, None]
        v = (latent_BSC @ rows[h, N:].T)[:, None]
        q = torch.cat([q_nope_BTHN[:, :, h], q_rope_BTHR[:, :, h]], -1)[:, None]
        out.append(attend(q, k, v, scale, mask)[:, 0])
    return torch.stack(out, dim=2)


def right_4(q_nope_BTHN, q_rope_BTHR, latent_BSC, k_rope_BSR, w_kv_b, scale, mask=None):
    "torch's fused attention"
    H, N = q_nope_BTHN.shape[-2:]
    k, v = expand_latent(latent_BSC, k_rope_BSR, w_kv_b, H, N)
    q = torch.cat([q_nope_BTHN, q_rope_BTHR], -1).transpose(1, 2)
    out = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, is_causal=mask is None, scale=scale)
    return out.transpose(1, 2)
