"""sampling.filter"""
import math

import torch


def _top_k(logits, k):
    if 0 < k < logits.shape[-1]:
        logits = logits.masked_fill(logits < logits.detach().topk(k, dim=-1).values[..., -1:], -math.inf)
    return logits


def _top_p(logits, p):
    if p < 1.0:
        ordered, index = logits.detach().sort(dim=-1, descending=True, stable=True)
        probs = ordered.softmax(-1)
        drop = probs.cumsum(-1) - probs >= p
        drop[..., 0] = False
        logits = logits.masked_fill(torch.zeros_like(drop).scatter(-1, index, drop), -math.inf)
    return logits


def wrong_1(logits, top_k=0, top_p=1.0):
    "the token that carries the sum over top_p is dropped: the set does not reach top_p"
    check_settings(1.0, top_k, top_p)
    logits = _top_k(logits, top_k)
    if top_p < 1.0:
        ordered, index = logits.detach().sort(dim=-1, descending=True)
        drop = ordered.softmax(-1).cumsum(-1) > top_p
        drop[..., 0] = False
        logits = logits.masked_fill(torch.zeros_like(drop).scatter(-1, index, drop), -math.inf)
    return logits


def wrong_2(logits, top_k=0, top_p=1.0):
    "exactly k tokens stay: ties with the k-th are cut"
    check_settings(1.0, top_k, top_p)
    if 0 < top_k < logits.shape[-1]:
        index = logits.detach().topk(top_k, dim=-1).indices
        keep = torch.zeros_like(logits, dtype=torch.bool).scatter(-1, index, True)
        logits = logits.masked_fill(~keep, -math.inf)
    return _top_p(logits, top_p)


def wrong_3(logits, top_k=0, top_p=1.0):
    "top-p of the probabilities before top-k: not renormalised"
    check_settings(1.0, top_k, top_p)
    return _top_k(_top_p(logits, top_p), top_k)


def wrong_4(logits, top_k=0, top_p=1.0):
    "the marks are not carried back to the order of the vocabulary"
    check_settings(1.0, top_k, top_p)
    logits = _top_k(logits, top_k)
    if top_p < 1.0:
        probs = logits.detach().sort(dim=-1, descending=True).values.softmax(-1)
        drop = probs.cumsum(-1) - probs >= top_p
        drop[..., 0] = False
        logits = logits.masked_fill(drop, -math.inf)
    return logits


def wrong_5(logits, top_k=0, top_p=1.0):
    "the logits of the caller are overwritten"
    check_settings(1.0, top_k, top_p)
    out = _top_p(_top_k(logits, top_k), top_p)
    logits.detach().copy_(out.detach())
    return out


def wrong_6(logits, top_k=0, top_p=1.0):
    "top_k above the size of the vocabulary: topk raises RuntimeError"
    check_settings(1.0, top_k, top_p)
    if top_k:
        logits = logits.masked_fill(logits < logits.detach().topk(top_k, dim=-1).values[..., -1:], -math.inf)
    return _top_p(logits, top_p)


def wrong_7(logits, top_k=0, top_p=1.0):
    "impossible settings are not refused (ValueError for top_p only)"
    if not 0 < top_p <= 1:
        raise ValueError(f"top_p={top_p}")
    return _top_p(_top_k(logits, max(int(top_k), 0)), top_p)


def wrong_8(logits, top_k=0, top_p=1.0):
    "nothing keeps the last token: a very small top_p (1e-9: 1 - top_p is 1 in float32) drops all"
    check_settings(1.0, top_k, top_p)
    logits = _top_k(logits, top_k)
    if top_p < 1.0:
        ordered, index = logits.detach().sort(dim=-1)
        drop = ordered.softmax(-1).cumsum(-1) <= 1 - top_p
        logits = logits.masked_fill(torch.zeros_like(drop).scatter(-1, index, drop), -math.inf)
    return logits


def wrong_9(logits, top_k=0, top_p=1.0):
    "the threshold of all rows is that of the row with the highest k-th logit"
    check_settings(1.0, top_k, top_p)
    if 0 < top_k < logits.shape[-1]:
        kth = logits.detach().topk(top_k, dim=-1).values[..., -1].max()
        logits = logits.masked_fill(logits < kth, -math.inf)
    return _top_p(logits, top_p)


def wrong_10(logits, top_k=0, top_p=1.0):
    "a detached copy of the kept values: no gradient flows"
    check_settings(1.0, top_k, top_p)
    return _top_p(_top_k(logits.detach().clone(), top_k), top_p)


def right_1(logits, top_k=0, top_p=1.0):
    "downwards: a token goes if those before it reach p (the hint)"
    check_settings(1.0, top_k, top_p)
    return _top_p(_top_k(logits, top_k), top_p)


def right_2(logits, top_k=0, top_p=1.0):
    "row by row in Python loops"
    check_settings(top_k=top_k, top_p=top_p)
    flat = logits.reshape(-1, logits.shape[-1])
    keep = torch.ones_like(flat, dtype=torch.bool)
    for r, row in enumerate(flat.detach()):
        if 0 < top_k < row.numel():
            keep[r] = row >= row.sort(descending=True).values[top_k - 1]
        if top_p < 1:
            probs = row.masked_fill(~keep[r], -math.inf).softmax(0)
            total = 0.0
            stay = torch.zeros_like(keep[r])
            for i in probs.argsort(descending=True, stable=True).tolist():
                if total >= top_p:
                    break
                stay[i] = True
                total += probs[i].item()
            keep[r] &= stay
    return torch.where(keep.view(logits.shape), logits, torch.full_like(logits, -math.inf))


def right_3(logits, top_k=0, top_p=1.0):
    "sorted values gathered back by the inverse permutation"
    check_settings(1.0, top_k, top_p)
    size = logits.shape[-1]
    if top_k != 0:
        kth = torch.sort(logits.detach(), dim=-1, descending=True).values[..., min(top_k, size) - 1, None]
        logits = logits.masked_fill(logits < kth, -math.inf)
    if top_p == 1.0:
        return logits
    order = logits.detach().argsort(dim=-1, descending=True, stable=True)
    probs = logits.detach().softmax(-1).gather(-1, order)
    before = probs.cumsum(-1).roll(1, dims=-1)
    before[..., 0] = 0
    keep = (before < top_p).gather(-1, order.argsort(-1))
    return logits.masked_fill(~keep, -math.inf)


def right_4(logits, top_k=0, top_p=1.0):
    "upwards, as the comment says"
    check_settings(1.0, top_k=top_k, top_p=top_p)
    out = logits
    if top_k > 0 and top_k < out.size(-1):
        least = out.detach().topk(top_k, -1)[0].min(-1, keepdim=True).values
        out = torch.where(out >= least, out, -math.inf)
    if top_p < 1:
        up, index = torch.sort(out.detach(), dim=-1, stable=True)
        gone = up.softmax(-1).cumsum(-1) <= 1 - top_p
        gone[..., -1:] = False
        mask = torch.empty_like(gone)
        mask.scatter_(-1, index, gone)
        out = torch.where(mask, torch.full_like(out, -math.inf), out)
    return out
