"""moe.balance_loss"""
import torch
import torch.nn.functional as F


def _parts(scores, indices, rows, n_rows):
    E, K = scores.shape[1], indices.shape[1]
    member = F.one_hot(rows + 1, n_rows + 1)[:, 1:].to(scores.dtype)
    chosen = torch.zeros_like(scores).scatter_(1, indices, 1.0)
    return E, K, member, member.sum(0), chosen


def wrong_1(scores_NE, indices_NK, rows_N, n_rows):
    "texts without tokens count in the mean"
    E, K, member, count, chosen = _parts(scores_NE, indices_NK, rows_N, n_rows)
    length = count.clamp(min=1)[:, None]
    f = member.T @ chosen * (E / K) / length
    p = member.T @ (scores_NE / scores_NE.sum(-1, keepdim=True)) / length
    return (f * p).sum() / max(n_rows, 1)


def wrong_2(scores_NE, indices_NK, rows_N, n_rows):
    "no texts at all: mean of an empty tensor is NaN"
    E, K, member, count, chosen = _parts(scores_NE, indices_NK, rows_N, n_rows)
    there = count > 0
    f = (member.T @ chosen)[there] * (E / K) / count[there, None]
    p = (member.T @ (scores_NE / scores_NE.sum(-1, keepdim=True)))[there] / count[there, None]
    return (f * p).sum(-1).mean()


def wrong_3(scores_NE, indices_NK, rows_N, n_rows):
    "padding joins text 0"
    E, K, member, count, chosen = _parts(scores_NE, indices_NK, rows_N.clamp(min=0), max(n_rows, 1))
    length = count.clamp(min=1)[:, None]
    f = member.T @ chosen * (E / K) / length
    p = member.T @ (scores_NE / scores_NE.sum(-1, keepdim=True)) / length
    return (f * p).sum() / (count > 0).sum().clamp(min=1)


def wrong_4(scores_NE, indices_NK, rows_N, n_rows):
    "P is the ratio of sums, not the mean of ratios"
    E, K, member, count, chosen = _parts(scores_NE, indices_NK, rows_N, n_rows)
    f = member.T @ chosen * (E / K) / count.clamp(min=1)[:, None]
    p = member.T @ scores_NE
    p = p / p.sum(-1, keepdim=True).clamp(min=1e-20)
    return (f * p).sum() / (count > 0).sum().clamp(min=1)


def wrong_5(scores_NE, indices_NK, rows_N, n_rows):
    "counts the K best by affinity, as the paper does, not the experts that worked"
    best = scores_NE.topk(indices_NK.shape[1], dim=-1).indices
    E, K, member, count, chosen = _parts(scores_NE, best, rows_N, n_rows)
    length = count.clamp(min=1)[:, None]
    f = member.T @ chosen * (E / K) / length
    p = member.T @ (scores_NE / scores_NE.sum(-1, keepdim=True)) / length
    return (f * p).sum() / (count > 0).sum().clamp(min=1)


def wrong_6(scores_NE, indices_NK, rows_N, n_rows):
    "the sum that normalises the scores is detached: the value is right, the gradient is not"
    E, K, member, count, chosen = _parts(scores_NE, indices_NK, rows_N, n_rows)
    length = count.clamp(min=1)[:, None]
    f = member.T @ chosen * (E / K) / length
    p = member.T @ (scores_NE / scores_NE.detach().sum(-1, keepdim=True)) / length
    return (f * p).sum() / (count > 0).sum().clamp(min=1)


def wrong_7(scores_NE, indices_NK, rows_N, n_rows):
    "takes the tokens of a text to stand together and in order: wrong for interleaved or unsorted rows"
    E, K = scores_NE.shape[1], indices_NK.shape[1]
    keep = rows_N >= 0
    sizes = torch.bincount(rows_N[keep], minlength=n_rows).tolist()
    losses = []
    for s, i in zip(scores_NE[keep].split(sizes), indices_NK[keep].split(sizes)):
        if len(s):
            f = torch.bincount(i.reshape(-1), minlength=E).to(s.dtype) * E / (K * len(s))
            losses.append((f * (s / s.sum(-1, keepdim=True)).mean(0)).sum())
    return torch.stack(losses).mean() if losses else scores_NE.sum() * 0


def wrong_8(scores_NE, indices_NK, rows_N, n_rows):
    "padding is numbered n_rows in place: the caller's rows are changed"
    E, K = scores_NE.shape[1], indices_NK.shape[1]
    rows_N[rows_N < 0] = n_rows
    member = F.one_hot(rows_N, n_rows + 1)[:, :n_rows].to(scores_NE.dtype)
    count = member.sum(0)
    length = count.clamp(min=1)[:, None]
    chosen = torch.zeros_like(scores_NE).scatter_(1, indices_NK, 1.0)
    f = member.T @ chosen * (E / K) / length
    p = member.T @ (scores_NE / scores_NE.sum(-1, keepdim=True)) / length
    return (f * p).sum() / (count > 0).sum().clamp(min=1)


def wrong_9(scores_NE, indices_NK, rows_N, n_rows):
    "texts weigh as much as they have tokens, not all the same"
    E, K, member, count, chosen = _parts(scores_NE, indices_NK, rows_N, n_rows)
    length = count.clamp(min=1)[:, None]
    f = member.T @ chosen * (E / K) / length
    p = member.T @ (scores_NE / scores_NE.sum(-1, keepdim=True)) / length
    return ((f * p).sum(-1) * count).sum() / count.sum().clamp(min=1)


def wrong_10(scores_NE, indices_NK, rows_N, n_rows):
    "f and P over the whole batch, texts are not told apart"
    E, K = scores_NE.shape[1], indices_NK.shape[1]
    keep = rows_N >= 0
    s, T = scores_NE[keep], max(int(keep.sum()), 1)
    f = torch.bincount(indices_NK[keep].reshape(-1), minlength=E).to(s.dtype) * E / (K * T)
    return (f * (s / s.sum(-1, keepdim=True)).sum(0) / T).sum()


def right_1(scores_NE, indices_NK, rows_N, n_rows):
    "a loop over texts"
    E, K = scores_NE.shape[1], indices_NK.shape[1]
    total, texts = scores_NE.sum() * 0, 0
    for r in range(n_rows):
        mine = rows_N == r
        T = int(mine.sum())
        if T == 0:
            continue
        s = scores_NE[mine]
        f = torch.bincount(indices_NK[mine].flatten(), minlength=E).to(s.dtype) * (E / (K * T))
        P = (s / s.sum(1, keepdim=True)).mean(0)
        total = total + torch.dot(f, P)
        texts += 1
    return total / max(texts, 1)


def right_2(scores_NE, indices_NK, rows_N, n_rows):
    "index_add instead of products with one-hot"
    E, K = scores_NE.shape[1], indices_NK.shape[1]
    keep = rows_N >= 0
    rows, s, idx = rows_N[keep], scores_NE[keep], indices_NK[keep]
    T = torch.bincount(rows, minlength=n_rows).to(s.dtype)
    f = torch.zeros(n_rows, E, dtype=s.dtype).index_put_((rows[:, None], idx), torch.ones((), dtype=s.dtype), accumulate=True)
    P = torch.zeros(n_rows, E, dtype=s.dtype).index_add(0, rows, s / s.sum(-1, keepdim=True))
    per_text = (f * P).sum(-1) * E / K / T.clamp(min=1) ** 2
    return per_text.sum() / max(int((T > 0).sum()), 1)


def right_3(scores_NE, indices_NK, rows_N, n_rows):
    "einsum, with one-hot indices summed over K"
    E, K = scores_NE.shape[1], indices_NK.shape[1]
    member = (rows_N[:, None] == torch.arange(n_rows, device=rows_N.device)).to(scores_NE.dtype)
    share = F.normalize(scores_NE, p=1, dim=-1, eps=1e-30)
    hot = F.one_hot(indices_NK, E).sum(1).to(scores_NE.dtype)
    T = member.sum(0)
    f, p = torch.einsum("nr,ne->re", member, hot), torch.einsum("nr,ne->re", member, share)
    loss = torch.where(T > 0, (f * p).sum(1) * (E / K) / T.clamp(min=1).square(), 0)
    return loss.sum() / torch.count_nonzero(T).clamp(min=1)


def right_4(scores_NE, indices_NK, rows_N, n_rows):
    "a comprehension over the texts that occur"
    E, K = scores_NE.shape[1], indices_NK.shape[1]

    def one(s, i):
        with torch.no_grad():
            f = sum((i == e).any(-1).to(s.dtype).sum()[None] * F.one_hot(torch.tensor(e), E) for e in range(E))
        return (f * E / (K * len(s)) * (s / s.sum(-1, keepdim=True)).mean(0)).sum()

    texts = [r for r in rows_N.unique().tolist() if r >= 0]
    if not texts:
        return scores_NE.sum() * 0.0
    return torch.stack([one(scores_NE[rows_N == r], indices_NK[rows_N == r]) for r in texts]).mean()
