"""sampling.filter"""
import math

import torch
import torch.nn.functional as F




def wrong_1(logits, top_k=0, top_p=1.0):
    'exactly k stay: ties with the k-th are dropped'
    check_settings(1.0, top_k, top_p)
    if 0 < top_k < logits.shape[-1]:
        i = logits.detach().topk(top_k, -1).indices
        keep = torch.zeros_like(logits, dtype=torch.bool).scatter(-1, i, True)
        logits = logits.masked_fill(~keep, float('-inf'))
    if top_p < 1.0:
        o, i = logits.detach().sort(dim=-1, descending=True)
        p = o.softmax(-1)
        d = p.cumsum(-1) - p >= top_p
        logits = logits.masked_fill(torch.zeros_like(d).scatter(-1, i, d), float('-inf'))
    return logits


def wrong_2(logits, top_k=0, top_p=1.0):
    'the token that crosses top_p is dropped'
    check_settings(1.0, top_k, top_p)
    if 0 < top_k < logits.shape[-1]:
        kth = logits.detach().topk(top_k, dim=-1).values[..., -1:]
        logits = logits.masked_fill(logits < kth, float('-inf'))
    if top_p < 1.0:
        o, i = logits.detach().sort(dim=-1, descending=True)
        p = o.softmax(-1)
        d = p.cumsum(-1) > top_p
        d[..., 0] = False
        logits = logits.masked_fill(torch.zeros_like(d).scatter(-1, i, d), float('-inf'))
    return logits


def wrong_3(logits, top_k=0, top_p=1.0):
    'top-p before top-k'
    check_settings(1.0, top_k, top_p)
    if top_p < 1.0:
        o, i = logits.detach().sort(dim=-1, descending=True)
        p = o.softmax(-1)
        d = p.cumsum(-1) - p >= top_p
        logits = logits.masked_fill(torch.zeros_like(d).scatter(-1, i, d), float('-inf'))
    if 0 < top_k < logits.shape[-1]:
        kth = logits.detach().topk(top_k, dim=-1).values[..., -1:]
        logits = logits.masked_fill(logits < kth, float('-inf'))
    return logits


def wrong_4(logits, top_k=0, top_p=1.0):
    'probabilities not renormalised after top-k'
    check_settings(1.0, top_k, top_p)
    whole = logits.detach().softmax(-1)
    if 0 < top_k < logits.shape[-1]:
        kth = logits.detach().topk(top_k, dim=-1).values[..., -1:]
        logits = logits.masked_fill(logits < kth, float('-inf'))
    if top_p < 1.0:
        o, i = whole.sort(dim=-1, descending=True)
        d = o.cumsum(-1) - o >= top_p
        logits = logits.masked_fill(torch.zeros_like(d).scatter(-1, i, d), float('-inf'))
    return logits


def wrong_5(logits, top_k=0, top_p=1.0):
    "the caller's logits are changed"
    check_settings(1.0, top_k, top_p)
    x = logits.detach()
    if 0 < top_k < x.shape[-1]:
        x.masked_fill_(x < x.topk(top_k, -1).values[..., -1:], float('-inf'))
    if top_p < 1.0:
        o, i = logits.detach().sort(dim=-1, descending=True)
        p = o.softmax(-1)
        d = p.cumsum(-1) - p >= top_p
        logits = logits.masked_fill(torch.zeros_like(d).scatter(-1, i, d), float('-inf'))
    return logits


def wrong_6(logits, top_k=0, top_p=1.0):
    'top_k above the size of the vocabulary: RuntimeError'
    check_settings(1.0, top_k, top_p)
    if top_k > 0:
        kth = logits.detach().topk(top_k, dim=-1).values[..., -1:]
        logits = logits.masked_fill(logits < kth, float('-inf'))
    if top_p < 1.0:
        o, i = logits.detach().sort(dim=-1, descending=True)
        p = o.softmax(-1)
        d = p.cumsum(-1) - p >= top_p
        logits = logits.masked_fill(torch.zeros_like(d).scatter(-1, i, d), float('-inf'))
    return logits


def wrong_7(logits, top_k=0, top_p=1.0):
    'everything tied with the last of the nucleus stays: not the smallest set'
    check_settings(1.0, top_k, top_p)
    if 0 < top_k < logits.shape[-1]:
        kth = logits.detach().topk(top_k, dim=-1).values[..., -1:]
        logits = logits.masked_fill(logits < kth, float('-inf'))
    if top_p < 1.0:
        o, i = logits.detach().sort(dim=-1, descending=True)
        p = o.softmax(-1)
        n = (p.cumsum(-1) - p < top_p).sum(-1, keepdim=True)
        logits = logits.masked_fill(logits < o.gather(-1, n - 1), float('-inf'))
    return logits


def wrong_8(logits, top_k=0, top_p=1.0):
    'impossible settings are not refused (top_p = 0, negative top_k)'
    if 0 < top_k < logits.shape[-1]:
        kth = logits.detach().topk(top_k, dim=-1).values[..., -1:]
        logits = logits.masked_fill(logits < kth, float('-inf'))
    if top_p < 1.0:
        o, i = logits.detach().sort(dim=-1, descending=True)
        p = o.softmax(-1)
        d = p.cumsum(-1) - p >= top_p
        logits = logits.masked_fill(torch.zeros_like(d).scatter(-1, i, d), float('-inf'))
    return logits


def wrong_9(logits, top_k=0, top_p=1.0):
    'the mask stays in sorted order'
    check_settings(1.0, top_k, top_p)
    if 0 < top_k < logits.shape[-1]:
        kth = logits.detach().topk(top_k, dim=-1).values[..., -1:]
        logits = logits.masked_fill(logits < kth, float('-inf'))
    if top_p < 1.0:
        o, i = logits.detach().sort(dim=-1, descending=True)
        p = o.softmax(-1)
        d = p.cumsum(-1) - p >= top_p
        logits = logits.masked_fill(d, float('-inf'))
    return logits


def wrong_10(logits, top_k=0, top_p=1.0):
    'no gradient through what is kept'
    check_settings(1.0, top_k, top_p)
    logits = logits.detach()
    if 0 < top_k < logits.shape[-1]:
        kth = logits.detach().topk(top_k, dim=-1).values[..., -1:]
        logits = logits.masked_fill(logits < kth, float('-inf'))
    if top_p < 1.0:
        o, i = logits.detach().sort(dim=-1, descending=True)
        p = o.softmax(-1)
        d = p.cumsum(-1) - p >= top_p
        logits = logits.masked_fill(torch.zeros_like(d).scatter(-1, i, d), float('-inf'))
    return logits


def right_1(logits, top_k=0, top_p=1.0):
    'ascending, complement'
    check_settings(1.0, top_k, top_p)
    if 0 < top_k < logits.shape[-1]:
        kth = logits.detach().topk(top_k, dim=-1).values[..., -1:]
        logits = logits.masked_fill(logits < kth, float('-inf'))
    if top_p < 1.0:
        o, i = torch.sort(logits.detach(), dim=-1)
        d = o.softmax(-1).cumsum(-1) <= 1 - top_p
        d[..., -1] = False
        logits = torch.where(d.gather(-1, i.argsort(-1)), -math.inf, logits)
    return logits


def right_2(logits, top_k=0, top_p=1.0):
    'descending; mass before a token'
    check_settings(1.0, top_k, top_p)
    if 0 < top_k < logits.shape[-1]:
        kth = logits.detach().topk(top_k, dim=-1).values[..., -1:]
        logits = logits.masked_fill(logits < kth, float('-inf'))
    if top_p < 1.0:
        o, i = logits.detach().sort(dim=-1, descending=True)
        p = o.softmax(-1)
        d = p.cumsum(-1) - p >= top_p
        logits = logits.masked_fill(torch.zeros_like(d).scatter(-1, i, d), float('-inf'))
    return logits


def right_3(logits, top_k=0, top_p=1.0):
    'one sort for both, additive mask'
    check_settings(1.0, top_k, top_p)
    x = logits.detach()
    bias = torch.zeros_like(x)
    if 0 < top_k < x.shape[-1]:
        bias[x < x.sort(-1, descending=True).values[..., top_k - 1, None]] = -math.inf
    if top_p < 1:
        p, i = (x + bias).softmax(-1).sort(-1, descending=True)
        keep = torch.zeros_like(p, dtype=torch.bool).scatter_(-1, i, p.cumsum(-1) - p < top_p)
        bias = bias.masked_fill(~keep, -math.inf)
    return logits + bias


def right_4(logits, top_k=0, top_p=1.0):
    'row by row'
    check_settings(1.0, top_k, top_p)
    flat, rows = logits.reshape(-1, logits.shape[-1]), []
    for row in flat:
        x = row.detach()
        keep = torch.ones_like(x, dtype=torch.bool)
        if 0 < top_k < len(x):
            keep = x >= x.topk(top_k).values.min()
        if top_p < 1:
            p = x.masked_fill(~keep, -math.inf).softmax(-1)
            order = p.argsort(descending=True)
            n = int((p[order].cumsum(0) - p[order] < top_p).sum())
            best = torch.zeros_like(keep)
            best[order[:n]] = True
            keep = keep & best
        rows.append(row.masked_fill(~keep, -math.inf))
    return torch.stack(rows).reshape(logits.shape) if rows else logits.clone()
