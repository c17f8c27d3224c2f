"""moe.balance_loss"""
import torch
import torch.nn.functional as F

def _tables(scores, indices):
    chosen = torch.zeros_like(scores).scatter_(1, indices, 1.0)
    return chosen, scores / scores.sum(-1, keepdim=True)

def wrong_1(scores_NE, indices_NK, rows_N, n_rows):
    "index -1 wraps around: padding is counted with the last text"
    E, K = scores_NE.shape[1], indices_NK.shape[1]
    member = torch.zeros(len(rows_N), n_rows, dtype=scores_NE.dtype)
    member[torch.arange(len(rows_N)), rows_N] = 1
    count = member.sum(0)
    chosen, p = _tables(scores_NE, indices_NK)
    length = count.clamp(min=1)[:, None]
    f_RE, p_RE = member.T @ chosen * (E / K) / length, member.T @ p / length
    return (f_RE * p_RE).sum() / (count > 0).sum().clamp(min=1)

def wrong_2(scores_NE, indices_NK, rows_N, n_rows):
    "texts without tokens count in the mean, as zeros"
    E, K = scores_NE.shape[1], indices_NK.shape[1]
    member = F.one_hot(rows_N + 1, n_rows + 1)[:, 1:].to(scores_NE.dtype)
    chosen, p = _tables(scores_NE, indices_NK)
    length = member.sum(0).clamp(min=1)[:, None]
    return (member.T @ chosen * (E / K) / length * (member.T @ p / length)).sum() / n_rows

def wrong_3(scores_NE, indices_NK, rows_N, n_rows):
    "P is the mean of the scores themselves, not of their shares"
    E, K = scores_NE.shape[1], indices_NK.shape[1]
    member = F.one_hot(rows_N + 1, n_rows + 1)[:, 1:].to(scores_NE.dtype)
    count = member.sum(0)
    chosen, _ = _tables(scores_NE, indices_NK)
    length = count.clamp(min=1)[:, None]
    f, p = member.T @ chosen * (E / K) / length, member.T @ scores_NE / length
    return (f * p).sum() / (count > 0).sum().clamp(min=1)

def wrong_4(scores_NE, indices_NK, rows_N, n_rows):
    "f and P over the whole batch, not within each text"
    E, K = scores_NE.shape[1], indices_NK.shape[1]
    real = rows_N >= 0
    chosen, p = _tables(scores_NE[real], indices_NK[real])
    if not real.any():
        return scores_NE.sum() * 0
    return (chosen.mean(0) * E / K * p.mean(0)).sum()

def wrong_5(scores_NE, indices_NK, rows_N, n_rows):
    "no guard for a text without tokens: 0 / 0 makes the loss NaN"
    E, K = scores_NE.shape[1], indices_NK.shape[1]
    losses = []
    for r in range(n_rows):
        s, i = scores_NE[rows_N == r], indices_NK[rows_N == r]
        chosen, p = _tables(s, i)
        losses.append((chosen.mean(0) * E / K * p.mean(0)).sum())
    return torch.stack(losses).mean()

def wrong_6(scores_NE, indices_NK, rows_N, n_rows):
    "the mean over texts is weighted by their tokens: differs for texts of unequal length"
    E, K = scores_NE.shape[1], indices_NK.shape[1]
    member = F.one_hot(rows_N + 1, n_rows + 1)[:, 1:].to(scores_NE.dtype)
    count = member.sum(0)
    chosen, p = _tables(scores_NE, indices_NK)
    length = count.clamp(min=1)[:, None]
    loss_R = (member.T @ chosen * (E / K) / length * (member.T @ p / length)).sum(1)
    return (loss_R * count).sum() / count.sum().clamp(min=1)

def wrong_7(scores_NE, indices_NK, rows_N, n_rows):
    "a ratio of sums in place of the mean of the ratios: P = sum of s_i over tokens / sum of all scores"
    E, K = scores_NE.shape[1], indices_NK.shape[1]
    member = F.one_hot(rows_N + 1, n_rows + 1)[:, 1:].to(scores_NE.dtype)
    count = member.sum(0)
    chosen, _ = _tables(scores_NE, indices_NK)
    f = member.T @ chosen * (E / K) / count.clamp(min=1)[:, None]
    total = member.T @ scores_NE
    p = total / total.sum(1, keepdim=True).clamp(min=1e-20)
    return (f * p).sum() / (count > 0).sum().clamp(min=1)

def wrong_8(scores_NE, indices_NK, rows_N, n_rows):
    "counts the K best by affinity, as the paper does, not the experts that worked"
    E, K = scores_NE.shape[1], indices_NK.shape[1]
    member = F.one_hot(rows_N + 1, n_rows + 1)[:, 1:].to(scores_NE.dtype)
    count = member.sum(0)
    chosen, p = _tables(scores_NE, scores_NE.topk(K).indices)
    length = count.clamp(min=1)[:, None]
    f_RE, p_RE = member.T @ chosen * (E / K) / length, member.T @ p / length
    return (f_RE * p_RE).sum() / (count > 0).sum().clamp(min=1)

def wrong_9(scores_NE, indices_NK, rows_N, n_rows):
    "tokens are taken to stand text by text in order, padding at the end: wrong for mixed-up or right-padded rows"
    E, K = scores_NE.shape[1], indices_NK.shape[1]
    counts = torch.bincount(rows_N[rows_N >= 0], minlength=n_rows).tolist()
    begin, losses = 0, []
    for c in counts:
        if c:
            chosen, p = _tables(scores_NE[begin : begin + c], indices_NK[begin : begin + c])
            losses.append((chosen.mean(0) * E / K * p.mean(0)).sum())
        begin += c
    return torch.stack(losses).mean() if losses else scores_NE.sum() * 0

def wrong_10(scores_NE, indices_NK, rows_N, n_rows):
    "the shares are divided by a detached sum: value right, gradient not"
    E, K = scores_NE.shape[1], indices_NK.shape[1]
    member = F.one_hot(rows_N + 1, n_rows + 1)[:, 1:].to(scores_NE.dtype)
    count = member.sum(0)
    chosen, _ = _tables(scores_NE, indices_NK)
    p = scores_NE / scores_NE.detach().sum(-1, keepdim=True)
    length = count.clamp(min=1)[:, None]
    f_RE, p_RE = member.T @ chosen * (E / K) / length, member.T @ p / length
    return (f_RE * p_RE).sum() / (count > 0).sum().clamp(min=1)

def right_1(scores_NE, indices_NK, rows_N, n_rows):
    "a loop over texts"
    E, K = scores_NE.shape[1], indices_NK.shape[1]
    losses = []
    for r in range(n_rows):
        mine = rows_N == r
        T = int(mine.sum())
        if T == 0:
            continue
        s, i = scores_NE[mine], indices_NK[mine]
        f = torch.bincount(i.reshape(-1), minlength=E).to(s.dtype) * E / (K * T)
        P = (s / s.sum(-1, keepdim=True)).mean(0)
        losses.append(f @ P)
    if not losses:
        return scores_NE.sum() * 0
    return torch.stack(losses).mean()

def right_2(scores_NE, indices_NK, rows_N, n_rows):
    "index_add, padding taken out first"
    keep = rows_N >= 0
    s, i, rows = scores_NE[keep], indices_NK[keep], rows_N[keep].long()
    E, K = s.shape[1], i.shape[1]
    chosen = F.one_hot(i, E).sum(1).to(s.dtype)
    zero = s.new_zeros(n_rows, E)
    f, P = zero.index_add(0, rows, chosen), zero.index_add(0, rows, s / s.sum(1, keepdim=True))
    T = torch.bincount(rows, minlength=n_rows)
    some = T > 0
    if not some.any():
        return (scores_NE * 0.0).sum()
    f, P, T = f[some], P[some], T[some].to(s.dtype)[:, None]
    return ((f * E / (K * T)) * (P / T)).sum(-1).mean()

def right_3(scores_NE, indices_NK, rows_N, n_rows):
    "einsum over a membership that is a comparison with arange"
    E, K = scores_NE.shape[1], indices_NK.shape[1]
    member = (rows_N[None] == torch.arange(n_rows)[:, None]).to(scores_NE.dtype)
    T = member.sum(1)
    share = member / T.clamp(min=1)[:, None]
    hot = torch.zeros_like(scores_NE).scatter(1, indices_NK, 1.0).detach()
    p = scores_NE / scores_NE.sum(-1, keepdim=True)
    total = torch.einsum("rn,ne,rm,me->", share, hot, share, p) * E / K
    return total / max(1, int((T > 0).sum()))

def right_4(scores_NE, indices_NK, rows_N, n_rows):
    "only texts that occur are looked at, with unique"
    E, K = scores_NE.shape[1], indices_NK.shape[1]
    share = F.normalize(scores_NE, p=1, dim=-1)
    loss, texts = scores_NE.sum() * 0, [r for r in rows_N.unique().tolist() if r >= 0]
    for r in texts:
        at = (rows_N == r).nonzero()[:, 0]
        with torch.no_grad():
            f = (indices_NK[at][..., None] == torch.arange(E)).to(scores_NE.dtype).sum((0, 1)) * E / (K * len(at))
        loss = loss + (f * share[at].mean(0)).sum()
    return loss / max(len(texts), 1)
