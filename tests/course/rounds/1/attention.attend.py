"""attention.attend"""
import math
import torch


def _causal(scores):
    return torch.ones(scores.shape[-2:], dtype=torch.bool, device=scores.device).tril()


def wrong_1(q_BHTE, k_BHSE, v_BHSV, scale, mask=None):
    "the scale is ignored, 1/sqrt(E) is used (differs under YaRN or another scale)"
    s = q_BHTE @ k_BHSE.transpose(-2, -1) / math.sqrt(q_BHTE.shape[-1])
    s = s.masked_fill(~(_causal(s) if mask is None else mask), float("-inf"))
    return s.softmax(-1, dtype=torch.promote_types(s.dtype, torch.float32)).to(v_BHSV.dtype) @ v_BHSV


def wrong_2(q_BHTE, k_BHSE, v_BHSV, scale, mask=None):
    "no mask means everything may be seen"
    s = q_BHTE @ k_BHSE.transpose(-2, -1) * scale
    if mask is not None:
        s = s.masked_fill(~mask, float("-inf"))
    return s.softmax(-1, dtype=torch.promote_types(s.dtype, torch.float32)).to(v_BHSV.dtype) @ v_BHSV


def wrong_3(q_BHTE, k_BHSE, v_BHSV, scale, mask=None):
    "mask read the wrong way round: True = hidden"
    s = q_BHTE @ k_BHSE.transpose(-2, -1) * scale
    s = s.masked_fill(~_causal(s) if mask is None else mask, float("-inf"))
    return s.softmax(-1, dtype=torch.promote_types(s.dtype, torch.float32)).to(v_BHSV.dtype) @ v_BHSV


def wrong_4(q_BHTE, k_BHSE, v_BHSV, scale, mask=None):
    "with a mask the causal triangle is applied on top (differs if the mask lets a query see later keys, and if T != S)"
    s = q_BHTE @ k_BHSE.transpose(-2, -1) * scale
    allowed = _causal(s)
    if mask is not None:
        allowed = allowed & mask
    s = s.masked_fill(~allowed, -1e30)
    return s.softmax(-1, dtype=torch.promote_types(s.dtype, torch.float32)).to(v_BHSV.dtype) @ v_BHSV


def wrong_5(q_BHTE, k_BHSE, v_BHSV, scale, mask=None):
    "masked after the softmax: the rows do not sum to 1"
    s = q_BHTE @ k_BHSE.transpose(-2, -1) * scale
    w = s.softmax(-1, dtype=torch.promote_types(s.dtype, torch.float32))
    w = w.masked_fill(~(_causal(s) if mask is None else mask), 0.0)
    return w.to(v_BHSV.dtype) @ v_BHSV


def wrong_6(q_BHTE, k_BHSE, v_BHSV, scale, mask=None):
    "exp by hand without taking the maximum off: infinite for large scores"
    s = q_BHTE @ k_BHSE.transpose(-2, -1) * scale
    e = s.to(torch.promote_types(s.dtype, torch.float32)).exp().masked_fill(~(_causal(s) if mask is None else mask), 0.0)
    return (e / e.sum(-1, keepdim=True)).to(v_BHSV.dtype) @ v_BHSV


def wrong_7(q_BHTE, k_BHSE, v_BHSV, scale, mask=None):
    "softmax over the queries (axis -2)"
    s = q_BHTE @ k_BHSE.transpose(-2, -1) * scale
    s = s.masked_fill(~(_causal(s) if mask is None else mask), float("-inf"))
    w = s.softmax(-2, dtype=torch.promote_types(s.dtype, torch.float32)).nan_to_num()
    return w.to(v_BHSV.dtype) @ v_BHSV


def wrong_8(q_BHTE, k_BHSE, v_BHSV, scale, mask=None):
    "the mask fills -10 instead of -inf: the future leaks with a small weight"
    s = q_BHTE @ k_BHSE.transpose(-2, -1) * scale
    s = s.masked_fill(~(_causal(s) if mask is None else mask), -10.0)
    return s.softmax(-1, dtype=torch.promote_types(s.dtype, torch.float32)).to(v_BHSV.dtype) @ v_BHSV


def wrong_9(q_BHTE, k_BHSE, v_BHSV, scale, mask=None):
    "everything in float32: float64 loses digits"
    s = q_BHTE.float() @ k_BHSE.float().transpose(-2, -1) * scale
    s = s.masked_fill(~(_causal(s) if mask is None else mask), float("-inf"))
    return (s.softmax(-1) @ v_BHSV.float()).to(v_BHSV.dtype)


def wrong_10(q_BHTE, k_BHSE, v_BHSV, scale, mask=None):
    "strict triangle: a position does not see itself, and the first sees nothing (filled with zeros)"
    s = q_BHTE @ k_BHSE.transpose(-2, -1) * scale
    if mask is None:
        mask = _causal(s).tril(-1)
    s = s.masked_fill(~mask, float("-inf"))
    w = s.softmax(-1, dtype=torch.promote_types(s.dtype, torch.float32)).nan_to_num()
    return w.to(v_BHSV.dtype) @ v_BHSV


def right_1(q_BHTE, k_BHSE, v_BHSV, scale, mask=None):
    "einsum; scale on the scores; triangle from aranges"
    scores = torch.einsum("bhte,bhse->bhts", q_BHTE, k_BHSE) * scale
    if mask is None:
        T, S = scores.shape[-2:]
        mask = torch.arange(S, device=scores.device)[None, :] <= torch.arange(T, device=scores.device)[:, None]
    scores = torch.where(mask, scores, torch.full_like(scores, float("-inf")))
    w = torch.softmax(scores if scores.dtype == torch.float64 else scores.float(), dim=-1)
    return torch.einsum("bhts,bhsv->bhtv", w.to(v_BHSV.dtype), v_BHSV)


def right_2(q_BHTE, k_BHSE, v_BHSV, scale, mask=None):
    "a bias of 0 and -inf, added; softmax by hand with the maximum taken off"
    wide = torch.promote_types(q_BHTE.dtype, torch.float32)
    scores = (torch.matmul(q_BHTE, k_BHSE.mT) * scale).to(wide)
    if mask is None:
        mask = torch.ones(scores.shape[-2:], dtype=torch.bool, device=scores.device).tril()
    bias = torch.zeros(mask.shape, dtype=wide, device=mask.device).masked_fill(mask.logical_not(), -torch.inf)
    scores = scores + bias
    e = (scores - scores.amax(-1, keepdim=True).detach()).exp()
    return (e / e.sum(-1, keepdim=True)).to(v_BHSV.dtype) @ v_BHSV


def right_3(q_BHTE, k_BHSE, v_BHSV, scale, mask=None):
    "head by head"
    T, S = q_BHTE.shape[2], k_BHSE.shape[2]
    hidden = torch.ones(T, S, dtype=torch.bool, device=q_BHTE.device).triu(1)[None, None] if mask is None else ~mask
    out = []
    for h in range(q_BHTE.shape[1]):
        s = torch.bmm(q_BHTE[:, h], k_BHSE[:, h].transpose(1, 2)) * scale
        s = s.masked_fill(hidden[:, 0], float("-inf"))
        w = s.softmax(-1, dtype=torch.promote_types(s.dtype, torch.float32)).to(v_BHSV.dtype)
        out.append(torch.bmm(w, v_BHSV[:, h]))
    return torch.stack(out, dim=1)


def right_4(q_BHTE, k_BHSE, v_BHSV, scale, mask=None):
    "wide from the start, log_softmax, back at the end"
    wide = torch.promote_types(q_BHTE.dtype, torch.float32)
    q, k, v = q_BHTE.to(wide), k_BHSE.to(wide), v_BHSV.to(wide)
    s = scale * (q @ k.transpose(2, 3))
    if mask is None:
        mask = torch.tril(torch.ones_like(s, dtype=torch.bool))
    s = s.masked_fill(mask == False, float("-inf"))  # noqa: E712
    return (s.log_softmax(-1).exp() @ v).to(v_BHSV.dtype)
