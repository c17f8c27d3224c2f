"""moe.balance_loss"""
import torch
import torch.nn.functional as F


def wrong_1(scores_NE, indices_NK, rows_N, n_rows):
    "one f and P over all tokens instead of a text's own"
    E, K = scores_NE.shape[1], indices_NK.shape[1]
    keep = rows_N >= 0
    scores, indices = scores_NE[keep], indices_NK[keep]
    f = torch.zeros_like(scores).scatter_(1, indices, 1.0).sum(0) * E / (K * max(1, len(scores)))
    p = (scores / scores.sum(-1, keepdim=True)).sum(0) / max(1, len(scores))
    return (f * p).sum()


def wrong_2(scores_NE, indices_NK, rows_N, n_rows):
    "divides by n_rows, empty texts too"
    E, K = scores_NE.shape[1], indices_NK.shape[1]
    total = scores_NE.new_zeros(())
    for r in range(n_rows):
        mine = rows_N == r
        T = int(mine.sum())
        if T == 0:
            continue
        f = torch.bincount(indices_NK[mine].flatten(), minlength=E).to(scores_NE.dtype) * E / (K * T)
        s = scores_NE[mine]
        total = total + (f * (s / s.sum(-1, keepdim=True)).mean(0)).sum()
    return total / max(1, n_rows)


def wrong_3(scores_NE, indices_NK, rows_N, n_rows):
    "padding (-1) is taken for the last text: a negative index into the sums"
    E, K = scores_NE.shape[1], indices_NK.shape[1]
    rows = rows_N % n_rows
    member = F.one_hot(rows, n_rows).to(scores_NE.dtype)
    count = member.sum(0)
    length = count.clamp(min=1)[:, None]
    chosen = torch.zeros_like(scores_NE).scatter_(1, indices_NK, 1.0)
    f = member.T @ chosen * (E / K) / length
    p = member.T @ (scores_NE / scores_NE.sum(-1, keepdim=True)) / length
    return (f * p).sum() / (count > 0).sum().clamp(min=1)


def wrong_4(scores_NE, indices_NK, rows_N, n_rows):
    "an empty text gives 0 / 0 = nan"
    E, K = scores_NE.shape[1], indices_NK.shape[1]
    losses = []
    for r in range(n_rows):
        s, i = scores_NE[rows_N == r], indices_NK[rows_N == r]
        f = torch.zeros_like(s).scatter_(1, i, 1.0).mean(0) * E / K
        losses.append((f * (s / s.sum(-1, keepdim=True)).mean(0)).sum())
    return torch.stack(losses).mean()


def wrong_5(scores_NE, indices_NK, rows_N, n_rows):
    "P is the mean of raw scores, not of scores over their sum"
    E, K = scores_NE.shape[1], indices_NK.shape[1]
    member = F.one_hot(rows_N + 1, n_rows + 1)[:, 1:].to(scores_NE.dtype)
    count = member.sum(0)
    length = count.clamp(min=1)[:, None]
    chosen = torch.zeros_like(scores_NE).scatter_(1, indices_NK, 1.0)
    f = member.T @ chosen * (E / K) / length
    p = member.T @ scores_NE / length
    return (f * p).sum() / (count > 0).sum().clamp(min=1)


def wrong_6(scores_NE, indices_NK, rows_N, n_rows):
    "the mean over texts weights each by its tokens"
    E, K = scores_NE.shape[1], indices_NK.shape[1]
    member = F.one_hot(rows_N + 1, n_rows + 1)[:, 1:].to(scores_NE.dtype)
    count = member.sum(0)
    length = count.clamp(min=1)[:, None]
    chosen = torch.zeros_like(scores_NE).scatter_(1, indices_NK, 1.0)
    f = member.T @ chosen * (E / K) / length
    p = member.T @ (scores_NE / scores_NE.sum(-1, keepdim=True)) / length
    return ((f * p).sum(-1) * count).sum() / count.sum().clamp(min=1)


def wrong_7(scores_NE, indices_NK, rows_N, n_rows):
    "unique() over rows: the padding is a text of its own"
    E, K = scores_NE.shape[1], indices_NK.shape[1]
    losses = []
    for r in rows_N.unique().tolist():
        s, i = scores_NE[rows_N == r], indices_NK[rows_N == r]
        f = torch.zeros_like(s).scatter_(1, i, 1.0).mean(0) * E / K
        losses.append((f * (s / s.sum(-1, keepdim=True)).mean(0)).sum())
    return torch.stack(losses).mean()


def wrong_8(scores_NE, indices_NK, rows_N, n_rows):
    "takes the tokens of a text to stand next to each other, texts in order (split): mixed rows and padding in between differ"
    E, K = scores_NE.shape[1], indices_NK.shape[1]
    keep = rows_N >= 0
    lengths = torch.bincount(rows_N[keep], minlength=n_rows).tolist()
    losses = []
    for s, i in zip(scores_NE[keep].split(lengths), indices_NK[keep].split(lengths)):
        if len(s):
            f = torch.zeros_like(s).scatter_(1, i, 1.0).mean(0) * E / K
            losses.append((f * (s / s.sum(-1, keepdim=True)).mean(0)).sum())
    return torch.stack(losses).mean() if losses else scores_NE.new_zeros(())


def wrong_9(scores_NE, indices_NK, rows_N, n_rows):
    "the K best by score are counted, as in the paper, and not the experts that worked"
    E, K = scores_NE.shape[1], indices_NK.shape[1]
    indices_NK = scores_NE.topk(K, dim=-1).indices
    member = F.one_hot(rows_N + 1, n_rows + 1)[:, 1:].to(scores_NE.dtype)
    count = member.sum(0)
    length = count.clamp(min=1)[:, None]
    chosen = torch.zeros_like(scores_NE).scatter_(1, indices_NK, 1.0)
    f = member.T @ chosen * (E / K) / length
    p = member.T @ (scores_NE / scores_NE.sum(-1, keepdim=True)) / length
    return (f * p).sum() / (count > 0).sum().clamp(min=1)


def wrong_10(scores_NE, indices_NK, rows_N, n_rows):
    "the sum under P is detached: same value, other gradient"
    E, K = scores_NE.shape[1], indices_NK.shape[1]
    member = F.one_hot(rows_N + 1, n_rows + 1)[:, 1:].to(scores_NE.dtype)
    count = member.sum(0)
    length = count.clamp(min=1)[:, None]
    chosen = torch.zeros_like(scores_NE).scatter_(1, indices_NK, 1.0)
    f = member.T @ chosen * (E / K) / length
    p = member.T @ (scores_NE / scores_NE.detach().sum(-1, keepdim=True)) / length
    return (f * p).sum() / (count > 0).sum().clamp(min=1)


def right_1(scores_NE, indices_NK, rows_N, n_rows):
    "a loop over texts"
    E, K = scores_NE.shape[1], indices_NK.shape[1]
    losses = []
    for r in range(n_rows):
        mine = rows_N == r
        T = int(mine.sum())
        if not T:
            continue
        s = scores_NE[mine]
        chosen = torch.zeros_like(s).scatter(1, indices_NK[mine], 1.0)
        f = chosen.sum(0) * E / (K * T)
        P = (s / s.sum(dim=1, keepdim=True)).mean(0)
        losses.append(torch.dot(f, P))
    if not losses:
        return scores_NE.sum() * 0
    return torch.stack(losses).mean()


def right_2(scores_NE, indices_NK, rows_N, n_rows):
    "index_add into [R + 1, E]; the first row collects the padding"
    E, K = scores_NE.shape[1], indices_NK.shape[1]
    place = rows_N.long() + 1
    share = scores_NE / scores_NE.sum(-1, keepdim=True)
    worked = F.one_hot(indices_NK, E).sum(1).to(scores_NE.dtype)
    zero = scores_NE.new_zeros(n_rows + 1, E)
    counts = zero.index_add(0, place, worked)[1:]
    sums = zero.index_add(0, place, share)[1:]
    T = torch.bincount(place, minlength=n_rows + 1)[1:].to(scores_NE.dtype)
    losses = (counts * sums).sum(1) * E / (K * T.clamp(min=1) ** 2)
    return losses.sum() / max(1, int((T > 0).sum()))


def right_3(scores_NE, indices_NK, rows_N, n_rows):
    "einsum, padding dropped at the start"
    kept = (rows_N >= 0).nonzero()[:, 0]
    s, i, rows = scores_NE[kept], indices_NK[kept], rows_N[kept]
    E, K = s.shape[1], i.shape[1]
    member = (rows[:, None] == torch.arange(n_rows, device=rows.device)).to(s.dtype)
    T = torch.einsum("nr->r", member)
    alive = T > 0
    inverse = torch.where(alive, 1 / T.clamp(min=1), 0)
    f = torch.einsum("nr,nke,r->re", member, F.one_hot(i, E).to(s.dtype), inverse) * E / K
    p = torch.einsum("nr,ne,r->re", member, s / s.sum(-1, keepdim=True), inverse)
    return torch.einsum("re,re->", f, p) / alive.sum().clamp(min=1)


def right_4(scores_NE, indices_NK, rows_N, n_rows):
    "every token picks up f of its text: loss = mean over texts of mean over tokens of share . f"
    E, K = scores_NE.shape[1], indices_NK.shape[1]
    total, texts = 0.0 * scores_NE.sum(), 0
    for r in range(n_rows):
        places = torch.where(rows_N == r)[0]
        if places.numel() == 0:
            continue
        texts += 1
        f = torch.bincount(indices_NK[places].reshape(-1), minlength=E).to(scores_NE.dtype) / (places.numel() * K / E)
        s = scores_NE[places]
        total = total + ((s * f).sum(1) / s.sum(1)).mean()
    return total / texts if texts else total
