"""attention.attend"""
import math

import torch
import torch.nn.functional as F




def wrong_1(q_BHTE, k_BHSE, v_BHSV, scale, mask=None):
    'mask read the other way: True = hidden'
    s = q_BHTE @ k_BHSE.transpose(-2, -1) * scale
    if mask is None:
        mask = torch.ones(s.shape[-2:], dtype=torch.bool, device=s.device).triu(1)
    s = s.masked_fill(mask, float('-inf'))
    return s.softmax(-1, dtype=torch.promote_types(s.dtype, torch.float32)).to(v_BHSV.dtype) @ v_BHSV


def wrong_2(q_BHTE, k_BHSE, v_BHSV, scale, mask=None):
    'a token does not see itself: the first row is NaN'
    s = q_BHTE @ k_BHSE.transpose(-2, -1) * scale
    if mask is None:
        mask = torch.ones(s.shape[-2:], dtype=torch.bool, device=s.device).tril(-1)
    s = s.masked_fill(~mask, float('-inf'))
    return s.softmax(-1, dtype=torch.promote_types(s.dtype, torch.float32)).to(v_BHSV.dtype) @ v_BHSV


def wrong_3(q_BHTE, k_BHSE, v_BHSV, scale, mask=None):
    'scale is not looked at: 1 / sqrt(E)'
    s = q_BHTE @ k_BHSE.transpose(-2, -1) / q_BHTE.shape[-1] ** 0.5
    if mask is None:
        mask = torch.ones(s.shape[-2:], dtype=torch.bool, device=s.device).tril()
    s = s.masked_fill(~mask, float('-inf'))
    return s.softmax(-1, dtype=torch.promote_types(s.dtype, torch.float32)).to(v_BHSV.dtype) @ v_BHSV


def wrong_4(q_BHTE, k_BHSE, v_BHSV, scale, mask=None):
    'weights set to 0 after the softmax, not renormalised'
    s = q_BHTE @ k_BHSE.transpose(-2, -1) * scale
    if mask is None:
        mask = torch.ones(s.shape[-2:], dtype=torch.bool, device=s.device).tril()
    p = s.softmax(-1, dtype=torch.promote_types(s.dtype, torch.float32)) * mask
    return p.to(v_BHSV.dtype) @ v_BHSV


def wrong_5(q_BHTE, k_BHSE, v_BHSV, scale, mask=None):
    'exp without the maximum taken off: inf for scores above 88'
    s = q_BHTE @ k_BHSE.transpose(-2, -1) * scale
    if mask is None:
        mask = torch.ones(s.shape[-2:], dtype=torch.bool, device=s.device).tril()
    e = torch.where(mask, s.to(torch.promote_types(s.dtype, torch.float32)).exp(), 0.0)
    return (e / e.sum(-1, keepdim=True)).to(v_BHSV.dtype) @ v_BHSV


def wrong_6(q_BHTE, k_BHSE, v_BHSV, scale, mask=None):
    'the maximum includes hidden positions: 0 / 0 if a hidden score is far above the seen'
    s = q_BHTE @ k_BHSE.transpose(-2, -1) * scale
    if mask is None:
        mask = torch.ones(s.shape[-2:], dtype=torch.bool, device=s.device).tril()
    s = s.to(torch.promote_types(s.dtype, torch.float32))
    e = (s - s.amax(-1, keepdim=True)).exp() * mask
    return (e / e.sum(-1, keepdim=True)).to(v_BHSV.dtype) @ v_BHSV


def wrong_7(q_BHTE, k_BHSE, v_BHSV, scale, mask=None):
    'causal on top of a given mask: a mask that lets look ahead is cut'
    s = q_BHTE @ k_BHSE.transpose(-2, -1) * scale
    causal = torch.ones(s.shape[-2:], dtype=torch.bool, device=s.device).tril()
    mask = causal if mask is None else mask & causal
    s = s.masked_fill(~mask, float('-inf'))
    return s.softmax(-1, dtype=torch.promote_types(s.dtype, torch.float32)).to(v_BHSV.dtype) @ v_BHSV


def wrong_8(q_BHTE, k_BHSE, v_BHSV, scale, mask=None):
    "the first text's mask for the whole batch"
    s = q_BHTE @ k_BHSE.transpose(-2, -1) * scale
    if mask is None:
        mask = torch.ones(s.shape[-2:], dtype=torch.bool, device=s.device).tril()
    mask = mask if mask.dim() < 4 else mask[:1]
    s = s.masked_fill(~mask, float('-inf'))
    return s.softmax(-1, dtype=torch.promote_types(s.dtype, torch.float32)).to(v_BHSV.dtype) @ v_BHSV


def wrong_9(q_BHTE, k_BHSE, v_BHSV, scale, mask=None):
    'hidden scores get 10 less instead of -inf'
    s = q_BHTE @ k_BHSE.transpose(-2, -1) * scale
    if mask is None:
        mask = torch.ones(s.shape[-2:], dtype=torch.bool, device=s.device).tril()
    s = s - 10.0 * (~mask)
    return s.softmax(-1, dtype=torch.promote_types(s.dtype, torch.float32)).to(v_BHSV.dtype) @ v_BHSV


def wrong_10(q_BHTE, k_BHSE, v_BHSV, scale, mask=None):
    'float32 comes out of half precision'
    s = q_BHTE @ k_BHSE.transpose(-2, -1) * scale
    if mask is None:
        mask = torch.ones(s.shape[-2:], dtype=torch.bool, device=s.device).tril()
    s = s.masked_fill(~mask, float('-inf'))
    p = s.softmax(-1, dtype=torch.promote_types(s.dtype, torch.float32))
    return p @ v_BHSV.to(p.dtype)


def right_1(q_BHTE, k_BHSE, v_BHSV, scale, mask=None):
    "torch's scaled_dot_product_attention"
    return F.scaled_dot_product_attention(q_BHTE, k_BHSE, v_BHSV, attn_mask=mask, is_causal=mask is None, scale=scale)


def right_2(q_BHTE, k_BHSE, v_BHSV, scale, mask=None):
    'einsum; additive mask; query scaled first'
    s = torch.einsum('bhte,bhse->bhts', q_BHTE * scale, k_BHSE)
    if mask is None:
        mask = torch.ones(s.shape[-2:], dtype=torch.bool, device=s.device).tril()
    bias = torch.zeros(mask.shape, dtype=s.dtype, device=s.device).masked_fill(mask.logical_not(), -math.inf)
    p = torch.softmax((s + bias).to(torch.promote_types(s.dtype, torch.float32)), dim=-1)
    return torch.einsum('bhts,bhsv->bhtv', p.to(v_BHSV.dtype), v_BHSV)


def right_3(q_BHTE, k_BHSE, v_BHSV, scale, mask=None):
    'where; logsumexp'
    s = q_BHTE @ k_BHSE.transpose(-2, -1) * scale
    if mask is None:
        mask = torch.ones(s.shape[-2:], dtype=torch.bool, device=s.device).tril()
    s = torch.where(mask, s.to(torch.promote_types(s.dtype, torch.float32)), -torch.inf)
    return (s - s.logsumexp(-1, keepdim=True)).exp().to(v_BHSV.dtype) @ v_BHSV


def right_4(q_BHTE, k_BHSE, v_BHSV, scale, mask=None):
    'position by position'
    T, out = q_BHTE.shape[2], []
    for t in range(T):
        s = (k_BHSE @ q_BHTE[:, :, t, :, None])[..., 0] * scale
        see = mask[:, :, t] if mask is not None else torch.arange(s.shape[-1], device=s.device) <= t
        p = s.masked_fill(~see, float('-inf')).softmax(-1, dtype=torch.promote_types(s.dtype, torch.float32))
        out.append((p.to(v_BHSV.dtype)[..., None, :] @ v_BHSV)[..., 0, :])
    return torch.stack(out, 2)
