"""sampling.filter"""
import torch

INF = float("inf")


def _top_k(logits, k):
    if 0 < k < logits.shape[-1]:
        kth = logits.detach().topk(k, dim=-1).values[..., -1:]
        logits = logits.masked_fill(logits < kth, -INF)
    return logits


def _top_p(logits, p):
    if p < 1.0:
        ordered, index = logits.detach().sort(dim=-1, stable=True)
        gone = ordered.softmax(-1).cumsum(-1) <= 1 - p
        gone[..., -1] = False
        logits = logits.masked_fill(torch.zeros_like(gone).scatter(-1, index, gone), -INF)
    return logits


def wrong_1(logits, top_k=0, top_p=1.0):
    "top-k by index: of tokens that tie with the k-th some are dropped"
    check_settings(1.0, top_k, top_p)
    if 0 < top_k < logits.shape[-1]:
        index = logits.detach().topk(top_k, -1).indices
        keep = torch.zeros_like(logits, dtype=torch.bool).scatter(-1, index, True)
        logits = logits.masked_fill(~keep, -INF)
    return _top_p(logits, top_p)


def wrong_2(logits, top_k=0, top_p=1.0):
    "top-k larger than the vocabulary: topk raises RuntimeError"
    check_settings(1.0, top_k, top_p)
    if top_k:
        kth = logits.detach().topk(top_k, dim=-1).values[..., -1:]
        logits = logits.masked_fill(logits < kth, -INF)
    return _top_p(logits, top_p)


def wrong_3(logits, top_k=0, top_p=1.0):
    "the token that crosses p is dropped too: the set that stays does not reach p"
    check_settings(1.0, top_k, top_p)
    logits = _top_k(logits, top_k)
    if top_p < 1.0:
        ordered, index = logits.detach().sort(-1, descending=True)
        gone = ordered.softmax(-1).cumsum(-1) > top_p
        gone[..., 0] = False
        logits = logits.masked_fill(torch.zeros_like(gone).scatter(-1, index, gone), -INF)
    return logits


def wrong_4(logits, top_k=0, top_p=1.0):
    "top-p first, then top-k: probabilities are not renormalised after top-k"
    check_settings(1.0, top_k, top_p)
    return _top_k(_top_p(logits, top_p), top_k)


def wrong_5(logits, top_k=0, top_p=1.0):
    "no check of the settings"
    return _top_p(_top_k(logits, top_k), top_p)


def wrong_6(logits, top_k=0, top_p=1.0):
    "writes -inf into the caller's logits"
    check_settings(1.0, top_k, top_p)
    with torch.no_grad():
        out = _top_p(_top_k(logits, top_k), top_p)
        logits.copy_(out)
    return logits


def wrong_7(logits, top_k=0, top_p=1.0):
    "the places of the sorted row are used as places of the vocabulary"
    check_settings(1.0, top_k, top_p)
    logits = _top_k(logits, top_k)
    if top_p < 1.0:
        ordered, _ = logits.detach().sort(-1)
        gone = ordered.softmax(-1).cumsum(-1) <= 1 - top_p
        gone[..., -1] = False
        logits = logits.masked_fill(gone, -INF)
    return logits


def wrong_8(logits, top_k=0, top_p=1.0):
    "one threshold for all rows: the k-th largest of the first row"
    check_settings(1.0, top_k, top_p)
    if 0 < top_k < logits.shape[-1]:
        kth = logits.detach().reshape(-1, logits.shape[-1])[0].topk(top_k).values[-1]
        logits = logits.masked_fill(logits < kth, -INF)
    return _top_p(logits, top_p)


def wrong_9(logits, top_k=0, top_p=1.0):
    "returns log-probabilities of what is kept instead of the logits unchanged"
    check_settings(1.0, top_k, top_p)
    return _top_p(_top_k(logits, top_k), top_p).log_softmax(-1)


def wrong_10(logits, top_k=0, top_p=1.0):
    "cumsum > p without the shift and nothing forced to stay: a row whose first token exceeds p loses all its tokens"
    check_settings(1.0, top_k, top_p)
    logits = _top_k(logits, top_k)
    if top_p < 1.0:
        ordered, index = logits.detach().sort(-1, descending=True)
        gone = ordered.softmax(-1).cumsum(-1) > top_p
        logits = logits.masked_fill(torch.zeros_like(gone).scatter(-1, index, gone), -INF)
    return logits


def right_1(logits, top_k=0, top_p=1.0):
    "sorted downwards: a token goes if those before it already reach p"
    check_settings(top_k=top_k, top_p=top_p)
    if top_k and top_k < logits.size(-1):
        smallest = torch.topk(logits.detach(), top_k, dim=-1)[0][..., [-1]]
        logits = torch.where(logits < smallest, torch.full_like(logits, -INF), logits)
    if top_p < 1:
        ordered, index = torch.sort(logits.detach(), dim=-1, descending=True)
        probs = ordered.softmax(-1)
        before = probs.cumsum(-1) - probs
        gone = before >= top_p
        gone[..., 0] = False
        back = torch.zeros_like(gone).scatter(-1, index, gone)
        logits = torch.where(back, torch.full_like(logits, -INF), logits)
    return logits


def right_2(logits, top_k=0, top_p=1.0):
    "row by row in a loop, one boolean mask at the end"
    check_settings(1.0, top_k, top_p)
    V = logits.shape[-1]
    rows = logits.detach().reshape(-1, V)
    keep = torch.ones_like(rows, dtype=torch.bool)
    for r, row in enumerate(rows):
        if top_k:
            keep[r] = row >= row.sort(descending=True).values[min(top_k, V) - 1]
        if top_p < 1.0:
            p = row.masked_fill(~keep[r], -INF).softmax(-1)
            total, chosen = 0.0, []
            for i in p.argsort(descending=True).tolist():
                chosen.append(i)
                total += p[i].item()
                if total >= top_p:
                    break
            nucleus = torch.zeros(V, dtype=torch.bool)
            nucleus[chosen] = True
            keep[r] &= nucleus.to(keep.device)
    return logits.masked_fill(~keep.view(logits.shape), -INF)


def right_3(logits, top_k=0, top_p=1.0):
    "the order undone by argsort of the index; float64 for the sums"
    check_settings(1.0, top_k, top_p)
    if 0 < top_k < logits.shape[-1]:
        kth = logits.detach().kthvalue(logits.shape[-1] - top_k + 1, dim=-1, keepdim=True).values
        logits = logits.masked_fill(logits < kth, -INF)
    if top_p == 1.0:
        return logits
    index = logits.detach().argsort(-1, descending=True)
    probs = logits.detach().double().softmax(-1).gather(-1, index)
    reached = (probs.cumsum(-1) - probs) < top_p
    reached[..., :1] = True
    return logits.masked_fill(~reached.gather(-1, index.argsort(-1)), -INF)


def right_4(logits, top_k=0, top_p=1.0):
    "number of tokens kept per row, then ranks"
    check_settings(1.0, top_k, top_p)
    with torch.no_grad():
        hidden = torch.zeros_like(logits, dtype=torch.bool)
        if 0 < top_k < logits.shape[-1]:
            hidden = logits < logits.topk(top_k).values.amin(-1, keepdim=True)
        if top_p < 1.0:
            probs = logits.masked_fill(hidden, -INF).softmax(-1)
            p, index = probs.sort(-1, descending=True)
            size = (p.cumsum(-1) < top_p).sum(-1, keepdim=True) + 1
            rank = index.argsort(-1)
            hidden = hidden | (rank >= size)
    return logits.masked_fill(hidden, -INF)
