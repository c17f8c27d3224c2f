"""attention.attend"""
import math

import torch
import torch.nn.functional as F


def _causal(T, S, device):
    return torch.ones(T, S, dtype=torch.bool, device=device).tril()


def wrong_1(q_BHTE, k_BHSE, v_BHSV, scale, mask=None):
    "a mask is combined with causality: wrong for a mask that lets a token see later ones, or for T < S"
    s = q_BHTE @ k_BHSE.transpose(-2, -1) * scale
    tri = _causal(*s.shape[-2:], s.device)
    s = s.masked_fill(~(tri if mask is None else mask & tri), float("-inf"))
    return s.softmax(-1, dtype=torch.promote_types(s.dtype, torch.float32)).to(v_BHSV.dtype) @ v_BHSV


def wrong_2(q_BHTE, k_BHSE, v_BHSV, scale, mask=None):
    "softmax by hand in the dtype of q: in bfloat16 the sum stalls at 256 for a long row of equal scores"
    s = q_BHTE @ k_BHSE.transpose(-2, -1) * scale
    if mask is None:
        mask = _causal(*s.shape[-2:], s.device)
    s = s.masked_fill(~mask, float("-inf"))
    e = (s - s.amax(-1, keepdim=True).detach()).exp()
    total = e[..., :1] * 0
    for i in range(e.shape[-1]):
        total = total + e[..., i : i + 1]
    return (e / total) @ v_BHSV


def wrong_3(q_BHTE, k_BHSE, v_BHSV, scale, mask=None):
    "exp without taking off the maximum: inf / inf for large scores"
    s = q_BHTE @ k_BHSE.transpose(-2, -1) * scale
    if mask is None:
        mask = _causal(*s.shape[-2:], s.device)
    e = s.to(torch.promote_types(s.dtype, torch.float32)).exp() * mask
    return (e / e.sum(-1, keepdim=True)).to(v_BHSV.dtype) @ v_BHSV


def wrong_4(q_BHTE, k_BHSE, v_BHSV, scale, mask=None):
    "hidden scores become -100: they show through where the visible ones are lower"
    s = q_BHTE @ k_BHSE.transpose(-2, -1) * scale
    if mask is None:
        mask = _causal(*s.shape[-2:], s.device)
    s = s.masked_fill(~mask, -100.0)
    return s.softmax(-1, dtype=torch.promote_types(s.dtype, torch.float32)).to(v_BHSV.dtype) @ v_BHSV


def wrong_5(q_BHTE, k_BHSE, v_BHSV, scale, mask=None):
    "the mask is inverted in place: the caller's mask is another one afterwards"
    s = q_BHTE @ k_BHSE.transpose(-2, -1) * scale
    if mask is None:
        mask = _causal(*s.shape[-2:], s.device)
    s = s.masked_fill(mask.logical_not_(), float("-inf"))
    return s.softmax(-1, dtype=torch.promote_types(s.dtype, torch.float32)).to(v_BHSV.dtype) @ v_BHSV


def wrong_6(q_BHTE, k_BHSE, v_BHSV, scale, mask=None):
    "1/sqrt(E) instead of the scale that is given"
    s = q_BHTE @ k_BHSE.transpose(-2, -1) / math.sqrt(q_BHTE.shape[-1])
    if mask is None:
        mask = _causal(*s.shape[-2:], s.device)
    s = s.masked_fill(~mask, float("-inf"))
    return s.softmax(-1, dtype=torch.promote_types(s.dtype, torch.float32)).to(v_BHSV.dtype) @ v_BHSV


def wrong_7(q_BHTE, k_BHSE, v_BHSV, scale, mask=None):
    "the mask of the first row of the batch for all rows"
    s = q_BHTE @ k_BHSE.transpose(-2, -1) * scale
    mask = _causal(*s.shape[-2:], s.device) if mask is None else mask[0]
    s = s.masked_fill(~mask, float("-inf"))
    return s.softmax(-1, dtype=torch.promote_types(s.dtype, torch.float32)).to(v_BHSV.dtype) @ v_BHSV


def wrong_8(q_BHTE, k_BHSE, v_BHSV, scale, mask=None):
    "softmax of all scores, hidden weights set to 0 afterwards: rows do not sum to 1"
    s = q_BHTE @ k_BHSE.transpose(-2, -1) * scale
    if mask is None:
        mask = _causal(*s.shape[-2:], s.device)
    w = s.softmax(-1, dtype=torch.promote_types(s.dtype, torch.float32)) * mask
    return w.to(v_BHSV.dtype) @ v_BHSV


def wrong_9(q_BHTE, k_BHSE, v_BHSV, scale, mask=None):
    "the softmax in float32 always: float64 loses its digits"
    s = q_BHTE @ k_BHSE.transpose(-2, -1) * scale
    if mask is None:
        mask = _causal(*s.shape[-2:], s.device)
    s = s.masked_fill(~mask, float("-inf"))
    return s.softmax(-1, dtype=torch.float32).to(v_BHSV.dtype) @ v_BHSV


def wrong_10(q_BHTE, k_BHSE, v_BHSV, scale, mask=None):
    "half precision in, float32 out"
    s = q_BHTE.float() @ k_BHSE.float().transpose(-2, -1) * scale
    if mask is None:
        mask = _causal(*s.shape[-2:], s.device)
    s = s.masked_fill(~mask, float("-inf"))
    return s.softmax(-1) @ v_BHSV.to(s.dtype)


def right_1(q_BHTE, k_BHSE, v_BHSV, scale, mask=None):
    "torch's fused attention"
    return F.scaled_dot_product_attention(q_BHTE, k_BHSE, v_BHSV, attn_mask=mask, is_causal=mask is None, scale=scale)


def right_2(q_BHTE, k_BHSE, v_BHSV, scale, mask=None):
    "einsum, torch.where, softmax by hand; scale on the scores in the wider dtype"
    wide = torch.promote_types(q_BHTE.dtype, torch.float32)
    s = torch.einsum("bhte,bhse->bhts", q_BHTE.to(wide), k_BHSE.to(wide)) * scale
    if mask is None:
        t = torch.arange(s.shape[-1], device=s.device)
        mask = t[None, :] <= t[:, None]
    s = torch.where(mask, s, torch.full_like(s, -math.inf))
    e = torch.exp(s - s.max(dim=-1, keepdim=True).values.detach())
    out = torch.einsum("bhts,bhsv->bhtv", e, v_BHSV.to(wide)) / e.sum(-1, keepdim=True)
    return out.to(v_BHSV.dtype)


def right_3(q_BHTE, k_BHSE, v_BHSV, scale, mask=None):
    "an additive mask"
    s = torch.matmul(q_BHTE, k_BHSE.mT) * scale
    hidden = torch.ones_like(s, dtype=torch.bool).triu(1) if mask is None else ~mask
    bias = torch.zeros(hidden.shape, dtype=s.dtype, device=s.device).masked_fill(hidden, -math.inf)
    s = s + bias
    if s.dtype in (torch.float16, torch.bfloat16):
        s = s.float()
    return F.softmax(s, dim=-1).to(v_BHSV.dtype).matmul(v_BHSV)


def right_4(q_BHTE, k_BHSE, v_BHSV, scale, mask=None):
    "query by query"
    rows = []
    S = k_BHSE.shape[2]
    for t in range(q_BHTE.shape[2]):
        s = (q_BHTE[:, :, t : t + 1] @ k_BHSE.transpose(2, 3)) * scale
        see = (torch.arange(S, device=s.device) <= t).view(1, 1, 1, S) if mask is None else mask[:, :, t : t + 1]
        s = s.masked_fill(see.logical_not(), -math.inf).to(torch.promote_types(s.dtype, torch.float32))
        w = (s - s.logsumexp(-1, keepdim=True)).exp()
        rows.append(w.to(v_BHSV.dtype) @ v_BHSV)
    return torch.cat(rows, dim=2)
