"""mla.absorb"""
import torch
import torch.nn.functional as F


def _run(q_nope, q_rope, latent, k_rope, w_kv_b, scale, mask, wide=None, score=None):
    T, H, N = q_nope.shape[1:]
    w = w_kv_b.view(H, -1, w_kv_b.shape[-1])
    q_lat = torch.einsum("bthn,hnc->bthc", q_nope, w[:, :N])
    if score is None:
        s = (torch.einsum("bthc,bsc->bhts", q_lat, latent) + torch.einsum("bthr,bsr->bhts", q_rope, k_rope)) * scale
    else:
        s = score(q_lat)
    if mask is None:
        mask = torch.ones(T, T, dtype=torch.bool, device=s.device).tril()
    s = s.masked_fill(~mask, float("-inf"))
    p = s.softmax(-1, dtype=wide or torch.promote_types(s.dtype, torch.float32)).to(latent.dtype)
    return torch.einsum("bhts,bsc->bthc", p, latent), w[:, N:]


def wrong_1(q_nope_BTHN, q_rope_BTHR, latent_BSC, k_rope_BSR, w_kv_b, scale, mask=None):
    "keys and values are formed after all"
    return mla_naive(q_nope_BTHN, q_rope_BTHR, latent_BSC, k_rope_BSR, w_kv_b, scale, mask)


def wrong_2(q_nope_BTHN, q_rope_BTHR, latent_BSC, k_rope_BSR, w_kv_b, scale, mask=None):
    "the rotary part is not scaled"
    def score(q_lat):
        s = torch.einsum("bthc,bsc->bhts", q_lat, latent_BSC) * scale
        return s + torch.einsum("bthr,bsr->bhts", q_rope_BTHR, k_rope_BSR)

    out, w_uv = _run(q_nope_BTHN, q_rope_BTHR, latent_BSC, k_rope_BSR, w_kv_b, scale, mask, score=score)
    return torch.einsum("bthc,hvc->bthv", out, w_uv)


def wrong_3(q_nope_BTHN, q_rope_BTHR, latent_BSC, k_rope_BSR, w_kv_b, scale, mask=None):
    "all of W_UK first, then all of W_UV: wrong for more than one head"
    B, T, H, N = q_nope_BTHN.shape
    w_uk, w_uv = w_kv_b[: H * N].view(H, N, -1), w_kv_b[H * N :].view(H, -1, w_kv_b.shape[1])
    q_lat = torch.einsum("bthn,hnc->bthc", q_nope_BTHN, w_uk)
    s = (torch.einsum("bthc,bsc->bhts", q_lat, latent_BSC) + torch.einsum("bthr,bsr->bhts", q_rope_BTHR, k_rope_BSR)) * scale
    if mask is None:
        mask = torch.ones(T, T, dtype=torch.bool, device=s.device).tril()
    p = s.masked_fill(~mask, float("-inf")).softmax(-1, dtype=torch.promote_types(s.dtype, torch.float32))
    out = torch.einsum("bhts,bsc->bthc", p.to(latent_BSC.dtype), latent_BSC)
    return torch.einsum("bthc,hvc->bthv", out, w_uv)


def wrong_4(q_nope_BTHN, q_rope_BTHR, latent_BSC, k_rope_BSR, w_kv_b, scale, mask=None):
    "softmax in float32 always: float64 loses its digits"
    out, w_uv = _run(q_nope_BTHN, q_rope_BTHR, latent_BSC, k_rope_BSR, w_kv_b, scale, mask, wide=torch.float32)
    return torch.einsum("bthc,hvc->bthv", out, w_uv)


def wrong_5(q_nope_BTHN, q_rope_BTHR, latent_BSC, k_rope_BSR, w_kv_b, scale, mask=None):
    "scaled by 1/sqrt(C + R), the length of a query in latent space, whatever is given"
    scale = (latent_BSC.shape[-1] + k_rope_BSR.shape[-1]) ** -0.5
    out, w_uv = _run(q_nope_BTHN, q_rope_BTHR, latent_BSC, k_rope_BSR, w_kv_b, scale, mask)
    return torch.einsum("bthc,hvc->bthv", out, w_uv)


def wrong_6(q_nope_BTHN, q_rope_BTHR, latent_BSC, k_rope_BSR, w_kv_b, scale, mask=None):
    "only the mask of the first row of the batch (padding differs by row)"
    mask = mask if mask is None else mask[:1]
    out, w_uv = _run(q_nope_BTHN, q_rope_BTHR, latent_BSC, k_rope_BSR, w_kv_b, scale, mask)
    return torch.einsum("bthc,hvc->bthv", out, w_uv)


def wrong_7(q_nope_BTHN, q_rope_BTHR, latent_BSC, k_rope_BSR, w_kv_b, scale, mask=None):
    "made for one new token: the mask is not looked at when T is 1 (padding at the left is seen)"
    if q_nope_BTHN.shape[1] == 1:
        mask = torch.ones(1, latent_BSC.shape[1], dtype=torch.bool, device=latent_BSC.device)
    out, w_uv = _run(q_nope_BTHN, q_rope_BTHR, latent_BSC, k_rope_BSR, w_kv_b, scale, mask)
    return torch.einsum("bthc,hvc->bthv", out, w_uv)


def wrong_8(q_nope_BTHN, q_rope_BTHR, latent_BSC, k_rope_BSR, w_kv_b, scale, mask=None):
    "W_UV is the last N rows of each head: wrong where V differs from N"
    nope = q_nope_BTHN.shape[-1]
    out, w_uv = _run(q_nope_BTHN, q_rope_BTHR, latent_BSC, k_rope_BSR, w_kv_b, scale, mask)
    w = w_kv_b.view(q_nope_BTHN.shape[2], -1, w_kv_b.shape[-1])
    return torch.einsum("bthc,hvc->bthv", out, w[:, -nope:])


def wrong_9(q_nope_BTHN, q_rope_BTHR, latent_BSC, k_rope_BSR, w_kv_b, scale, mask=None):
    "latents are detached, as if they always came from a cache: no gradient for W_DKV"
    latent, rope = latent_BSC.detach(), k_rope_BSR.detach()
    out, w_uv = _run(q_nope_BTHN, q_rope_BTHR, latent, rope, w_kv_b, scale, mask)
    return torch.einsum("bthc,hvc->bthv", out, w_uv)


def wrong_10(q_nope_BTHN, q_rope_BTHR, latent_BSC, k_rope_BSR, w_kv_b, scale, mask=None):
    "a mask is combined with causality, counted from the left: wrong for new tokens behind a cache"
    T, S = q_nope_BTHN.shape[1], latent_BSC.shape[1]
    tri = torch.ones(T, S, dtype=torch.bool, device=latent_BSC.device).tril()
    mask = tri if mask is None else mask & tri
    out, w_uv = _run(q_nope_BTHN, q_rope_BTHR, latent_BSC, k_rope_BSR, w_kv_b, scale, mask)
    return torch.einsum("bthc,hvc->bthv", out, w_uv)


def right_1(q_nope_BTHN, q_rope_BTHR, latent_BSC, k_rope_BSR, w_kv_b, scale, mask=None):
    "attend with one key for all heads: [q_latent ; q_rope] on [c ; k_rope], values c"
    B, T, H, N = q_nope_BTHN.shape
    w = w_kv_b.view(H, -1, w_kv_b.shape[-1])
    q_lat = torch.einsum("bthn,hnc->bhtc", q_nope_BTHN, w[:, :N])
    q = torch.cat([q_lat, q_rope_BTHR.transpose(1, 2)], dim=-1)
    k = torch.cat([latent_BSC, k_rope_BSR], dim=-1)[:, None]
    out = attend(q, k, latent_BSC[:, None], scale, mask)
    return torch.einsum("bhtc,hvc->bthv", out, w[:, N:])


def right_2(q_nope_BTHN, q_rope_BTHR, latent_BSC, k_rope_BSR, w_kv_b, scale, mask=None):
    "head by head with matmul"
    B, T, H, N = q_nope_BTHN.shape
    S, rows = latent_BSC.shape[1], w_kv_b.shape[0] // H
    see = torch.tril(torch.ones(1, T, S, dtype=torch.bool, device=latent_BSC.device)) if mask is None else mask[:, 0]
    out = []
    for h in range(H):
        w = w_kv_b[h * rows : (h + 1) * rows]
        s = (q_nope_BTHN[:, :, h] @ w[:N]) @ latent_BSC.transpose(1, 2)
        s = (s + q_rope_BTHR[:, :, h] @ k_rope_BSR.transpose(1, 2)) * scale
        s = s.masked_fill(~see, float("-inf"))
        p = torch.softmax(s.to(torch.promote_types(s.dtype, torch.float32)), dim=-1).to(latent_BSC.dtype)
        out.append((p @ latent_BSC) @ w[N:].T)
    return torch.stack(out, dim=2)


def right_3(q_nope_BTHN, q_rope_BTHR, latent_BSC, k_rope_BSR, w_kv_b, scale, mask=None):
    "scale on the queries, everything in the wider dtype"
    kind = latent_BSC.dtype
    wide = torch.promote_types(kind, torch.float32)
    qn, qr, c, kr, w = (z.to(wide) for z in (q_nope_BTHN, q_rope_BTHR, latent_BSC, k_rope_BSR, w_kv_b))
    H, N = qn.shape[2:]
    w_uk, w_uv = w.unflatten(0, (H, -1)).split([N, w.shape[0] // H - N], dim=1)
    q = torch.cat([torch.einsum("bthn,hnc->bhtc", qn, w_uk), qr.transpose(1, 2)], -1) * scale
    s = torch.einsum("bhte,bse->bhts", q, torch.cat([c, kr], -1))
    if mask is None:
        pos = torch.arange(s.shape[-1], device=s.device)
        mask = pos[: s.shape[-2], None] >= pos
    p = torch.where(mask, s, float("-inf")).softmax(-1)
    return torch.einsum("bhtc,hvc->bthv", torch.einsum("bhts,bsc->bhtc", p, c), w_uv).to(kind)


def right_4(q_nope_BTHN, q_rope_BTHR, latent_BSC, k_rope_BSR, w_kv_b, scale, mask=None):
    "torch's fused kernel on the latents"
    B, T, H, N = q_nope_BTHN.shape
    S = latent_BSC.shape[1]
    w = w_kv_b.reshape(H, -1, w_kv_b.shape[-1])
    q = torch.cat([torch.matmul(q_nope_BTHN.transpose(1, 2), w[:, :N]), q_rope_BTHR.transpose(1, 2)], dim=-1)
    k = torch.cat([latent_BSC, k_rope_BSR], dim=-1)[:, None].expand(B, H, S, -1)
    v = latent_BSC[:, None].expand(B, H, S, -1)
    out = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, is_causal=mask is None, scale=scale)
    return torch.matmul(out, w[:, N:].transpose(1, 2)).transpose(1, 2)
