"""mla.absorb"""
import math
import torch


def _core(q_nope, q_rope, latent, k_rope, w_kv_b, scale, mask, softmax=None, w_uk=None, w_uv=None):
    B, T, H, N = q_nope.shape
    w = w_kv_b.reshape(H, -1, w_kv_b.shape[-1])
    uk = w[:, :N] if w_uk is None else w_uk
    uv = w[:, N:] if w_uv is None else w_uv
    s = torch.einsum("bthc,bsc->bhts", torch.einsum("bthn,hnc->bthc", q_nope, uk), latent)
    s = (s + torch.einsum("bthr,bsr->bhts", q_rope, k_rope)) * scale
    if mask is None:
        mask = torch.ones(T, T, dtype=torch.bool, device=s.device).tril()
    s = s.masked_fill(~mask, float("-inf"))
    if softmax is None:
        p = s.softmax(-1, dtype=torch.promote_types(s.dtype, torch.float32)).to(latent.dtype)
    else:
        p = softmax(s)
    return torch.einsum("bthc,hvc->bthv", torch.einsum("bhts,bsc->bthc", p, latent), uv)


def wrong_1(q_nope_BTHN, q_rope_BTHR, latent_BSC, k_rope_BSR, w_kv_b, scale, mask=None):
    "only the latent part is scaled"
    return _core(q_nope_BTHN, q_rope_BTHR / scale, latent_BSC, k_rope_BSR, w_kv_b, scale, mask)


def wrong_2(q_nope_BTHN, q_rope_BTHR, latent_BSC, k_rope_BSR, w_kv_b, scale, mask=None):
    "softmax in float32 and left there: in bf16 the product with the latents raises RuntimeError (two dtypes)"
    return _core(q_nope_BTHN, q_rope_BTHR, latent_BSC, k_rope_BSR, w_kv_b, scale, mask,
                 softmax=lambda s: s.softmax(-1, dtype=torch.promote_types(s.dtype, torch.float32)))


def wrong_3(q_nope_BTHN, q_rope_BTHR, latent_BSC, k_rope_BSR, w_kv_b, scale, mask=None):
    "the matrix is cut as all W_UK, then all W_UV, not head by head"
    H, N = q_nope_BTHN.shape[2:]
    C = w_kv_b.shape[-1]
    return _core(q_nope_BTHN, q_rope_BTHR, latent_BSC, k_rope_BSR, w_kv_b, scale, mask,
                 w_uk=w_kv_b[: H * N].view(H, N, C), w_uv=w_kv_b[H * N :].view(H, -1, C))


def wrong_4(q_nope_BTHN, q_rope_BTHR, latent_BSC, k_rope_BSR, w_kv_b, scale, mask=None):
    "the triangle is [S, S] and always added: cached keys with a mask of T < S are refused or hidden"
    T, S = q_nope_BTHN.shape[1], latent_BSC.shape[1]
    causal = torch.ones(T, S, dtype=torch.bool, device=latent_BSC.device).tril()
    return _core(q_nope_BTHN, q_rope_BTHR, latent_BSC, k_rope_BSR, w_kv_b, scale, causal if mask is None else causal & mask)


def wrong_5(q_nope_BTHN, q_rope_BTHR, latent_BSC, k_rope_BSR, w_kv_b, scale, mask=None):
    "no rotary part"
    return _core(q_nope_BTHN, torch.zeros_like(q_rope_BTHR), latent_BSC, k_rope_BSR, w_kv_b, scale, mask)


def wrong_6(q_nope_BTHN, q_rope_BTHR, latent_BSC, k_rope_BSR, w_kv_b, scale, mask=None):
    "scaled by the size in which attention runs, 1/sqrt(C + R)"
    size = latent_BSC.shape[-1] + k_rope_BSR.shape[-1]
    return _core(q_nope_BTHN, q_rope_BTHR, latent_BSC, k_rope_BSR, w_kv_b, 1 / math.sqrt(size), mask)


def wrong_7(q_nope_BTHN, q_rope_BTHR, latent_BSC, k_rope_BSR, w_kv_b, scale, mask=None):
    "W_UV of the first head for all heads"
    H, N = q_nope_BTHN.shape[2:]
    w = w_kv_b.view(H, -1, w_kv_b.shape[-1])
    return _core(q_nope_BTHN, q_rope_BTHR, latent_BSC, k_rope_BSR, w_kv_b, scale, mask, w_uv=w[:1, N:].expand(H, -1, -1))


def wrong_8(q_nope_BTHN, q_rope_BTHR, latent_BSC, k_rope_BSR, w_kv_b, scale, mask=None):
    "float32 throughout: float64 loses its digits"
    args = [z.float() for z in (q_nope_BTHN, q_rope_BTHR, latent_BSC, k_rope_BSR, w_kv_b)]
    return _core(*args, scale, mask).to(latent_BSC.dtype)


def wrong_9(q_nope_BTHN, q_rope_BTHR, latent_BSC, k_rope_BSR, w_kv_b, scale, mask=None):
    "the matrix is detached (precomputed as for decoding): no gradient reaches w_kv_b"
    return _core(q_nope_BTHN, q_rope_BTHR, latent_BSC, k_rope_BSR, w_kv_b.detach(), scale, mask)


def wrong_10(q_nope_BTHN, q_rope_BTHR, latent_BSC, k_rope_BSR, w_kv_b, scale, mask=None):
    "softmax without taking the maximum off: large scores overflow"
    def softmax(s):
        e = s.to(torch.promote_types(s.dtype, torch.float32)).exp()
        return (e / e.sum(-1, keepdim=True)).to(latent_BSC.dtype)
    return _core(q_nope_BTHN, q_rope_BTHR, latent_BSC, k_rope_BSR, w_kv_b, scale, mask, softmax=softmax)


def right_1(q_nope_BTHN, q_rope_BTHR, latent_BSC, k_rope_BSR, w_kv_b, scale, mask=None):
    "one product on [latent ; rope], as MQA with one key for all heads"
    B, T, H, N = q_nope_BTHN.shape
    w = w_kv_b.reshape(H, -1, latent_BSC.shape[-1])
    q = torch.cat([(q_nope_BTHN.transpose(1, 2) @ w[:, :N]), q_rope_BTHR.transpose(1, 2)], -1)
    k = torch.cat([latent_BSC, k_rope_BSR], -1)[:, None]
    out = attend(q, k, latent_BSC[:, None], scale, mask)
    return (out @ w[:, N:].transpose(1, 2)).transpose(1, 2)


def right_2(q_nope_BTHN, q_rope_BTHR, latent_BSC, k_rope_BSR, w_kv_b, scale, mask=None):
    "head by head"
    B, T, H, N = q_nope_BTHN.shape
    allowed = torch.ones(T, T, dtype=torch.bool, device=latent_BSC.device).tril()[None] if mask is None else mask[:, 0]
    outs = []
    for h, rows in enumerate(w_kv_b.chunk(H)):
        q = q_nope_BTHN[:, :, h] @ rows[:N]
        s = (q @ latent_BSC.transpose(1, 2) + q_rope_BTHR[:, :, h] @ k_rope_BSR.transpose(1, 2)) * scale
        s = s.masked_fill(~allowed, float("-inf"))
        p = s.softmax(-1, dtype=torch.promote_types(s.dtype, torch.float32)).to(latent_BSC.dtype)
        outs.append(p @ latent_BSC @ rows[N:].T)
    return torch.stack(outs, 2)


def right_3(q_nope_BTHN, q_rope_BTHR, latent_BSC, k_rope_BSR, w_kv_b, scale, mask=None):
    "scale on the queries, flattened heads and time, torch.where for the mask"
    B, T, H, N = q_nope_BTHN.shape
    S, C = latent_BSC.shape[1:]
    w_uk, w_uv = w_kv_b.view(H, -1, C).split([N, w_kv_b.shape[0] // H - N], dim=1)
    q = torch.matmul(q_nope_BTHN[:, :, :, None], w_uk)[:, :, :, 0]
    q = torch.cat([q, q_rope_BTHR], -1).flatten(1, 2)
    s = torch.bmm(q, torch.cat([latent_BSC, k_rope_BSR], -1).transpose(1, 2)).view(B, T, H, S) * scale
    ok = torch.ones(T, S, dtype=torch.bool, device=s.device).tril()[None, :, None] if mask is None else mask.transpose(1, 2)
    s = torch.where(ok, s, torch.tensor(float("-inf"), dtype=s.dtype, device=s.device))
    p = torch.softmax(s.to(torch.promote_types(s.dtype, torch.float32)), -1).to(latent_BSC.dtype)
    mean = torch.bmm(p.flatten(1, 2), latent_BSC).view(B, T, H, C)
    return torch.matmul(w_uv, mean[..., None])[..., 0]


def right_4(q_nope_BTHN, q_rope_BTHR, latent_BSC, k_rope_BSR, w_kv_b, scale, mask=None):
    "softmax by hand with the maximum taken off"
    def softmax(s):
        wide = s.to(torch.promote_types(s.dtype, torch.float32))
        e = torch.exp(wide - wide.max(-1, keepdim=True).values.detach())
        return (e / e.sum(-1, keepdim=True)).to(latent_BSC.dtype)
    return _core(q_nope_BTHN, q_rope_BTHR, latent_BSC, k_rope_BSR, w_kv_b, scale, mask, softmax=softmax)
