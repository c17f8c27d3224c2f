"""moe.balance_loss"""
import torch
import torch.nn.functional as F


def wrong_1(scores_NE, indices_NK, rows_N, n_rows):
    "one f and one P for the whole batch, not for each text"
    # breaks: "Sequence-wise balance loss, the mean over texts" - two texts that use different experts
    E, K = scores_NE.shape[1], indices_NK.shape[1]
    real = rows_N >= 0
    T = real.sum().clamp(min=1)
    chosen_NE = torch.zeros_like(scores_NE).scatter_(1, indices_NK, 1.0)[real]
    share_NE = (scores_NE / (scores_NE.sum(-1, keepdim=True) + 1e-20))[real]
    return (chosen_NE.sum(0) * E / (K * T) * share_NE.sum(0) / T).sum()


def wrong_2(scores_NE, indices_NK, rows_N, n_rows):
    "divided by n_rows: a text without tokens counts as a loss of 0"
    # breaks: "A text without tokens takes no part in the mean" - rows [0, 0, 2], n_rows=3
    E, K = scores_NE.shape[1], indices_NK.shape[1]
    member_NR = F.one_hot(rows_N + 1, n_rows + 1)[:, 1:].to(scores_NE.dtype)
    T_R1 = member_NR.sum(0).clamp(min=1)[:, None]
    chosen_NE = torch.zeros_like(scores_NE).scatter_(1, indices_NK, 1.0)
    f = member_NR.T @ chosen_NE * E / (K * T_R1)
    p = member_NR.T @ (scores_NE / (scores_NE.sum(-1, keepdim=True) + 1e-20)) / T_R1
    return (f * p).sum() / max(n_rows, 1)


def wrong_3(scores_NE, indices_NK, rows_N, n_rows):
    "rows_N is an index: padding, -1, is counted with the last text"
    # breaks: "-1 for none (padding)" - rows [0, 0, 1, 1, -1, -1]
    E, K = scores_NE.shape[1], indices_NK.shape[1]
    chosen_NE = torch.zeros_like(scores_NE).scatter_(1, indices_NK, 1.0)
    share_NE = scores_NE / (scores_NE.sum(-1, keepdim=True) + 1e-20)
    zero = scores_NE.new_zeros
    count_R = zero(n_rows).index_put((rows_N,), torch.ones_like(scores_NE[:, 0]), accumulate=True)
    T_R1 = count_R.clamp(min=1)[:, None]
    f = zero(n_rows, E).index_put((rows_N,), chosen_NE, accumulate=True) * E / (K * T_R1)
    p = zero(n_rows, E).index_put((rows_N,), share_NE, accumulate=True) / T_R1
    return (f * p).sum() / (count_R > 0).sum().clamp(min=1)


def wrong_4(scores_NE, indices_NK, rows_N, n_rows):
    "the denominator of s / sum(s) is detached: right value, wrong gradient"
    # breaks: "P_i = mean over its tokens of s_i / (s_1 + ... + s_E)", "Gradients flow through P" - the gradient of scores;
    # scores doubled leave the loss as it is, so gradient times scores must add up to 0, and here does not
    E, K = scores_NE.shape[1], indices_NK.shape[1]
    member_NR = F.one_hot(rows_N + 1, n_rows + 1)[:, 1:].to(scores_NE.dtype)
    count_R = member_NR.sum(0)
    T_R1 = count_R.clamp(min=1)[:, None]
    chosen_NE = torch.zeros_like(scores_NE).scatter_(1, indices_NK, 1.0)
    f = member_NR.T @ chosen_NE * E / (K * T_R1)
    p = member_NR.T @ (scores_NE / (scores_NE.detach().sum(-1, keepdim=True) + 1e-20)) / T_R1
    return (f * p).sum() / (count_R > 0).sum().clamp(min=1)


def wrong_5(scores_NE, indices_NK, rows_N, n_rows):
    "the mean of no texts: NaN where all is padding"
    # breaks: "with none at all the loss is 0" - rows [-1, -1], n_rows=1
    E, K = scores_NE.shape[1], indices_NK.shape[1]
    losses = []
    for r in range(n_rows):
        mine = rows_N == r
        T = mine.sum()
        chosen = F.one_hot(indices_NK[mine], E).sum((0, 1)).to(scores_NE.dtype)
        share = scores_NE[mine] / (scores_NE[mine].sum(-1, keepdim=True) + 1e-20)
        losses.append((E / (K * T) * chosen * share.mean(0)).sum())
    losses = torch.stack(losses)
    return losses[~losses.isnan()].mean()


def wrong_6(scores_NE, indices_NK, rows_N, n_rows):
    "texts are weighed by their number of tokens"
    # breaks: "the mean over texts" - texts of 2 and 6 tokens
    E, K = scores_NE.shape[1], indices_NK.shape[1]
    member_NR = F.one_hot(rows_N + 1, n_rows + 1)[:, 1:].to(scores_NE.dtype)
    count_R = member_NR.sum(0)
    T_R1 = count_R.clamp(min=1)[:, None]
    chosen_NE = torch.zeros_like(scores_NE).scatter_(1, indices_NK, 1.0)
    f = member_NR.T @ chosen_NE * E / (K * T_R1)
    p = member_NR.T @ (scores_NE / (scores_NE.sum(-1, keepdim=True) + 1e-20)) / T_R1
    return ((f * p).sum(-1) * count_R).sum() / count_R.sum().clamp(min=1)


def wrong_7(scores_NE, indices_NK, rows_N, n_rows):
    "T is the length of the padded row, N / n_rows, and not how many tokens the text has"
    # breaks: "For a text of T tokens" - texts of unequal length, or with padding
    E, K = scores_NE.shape[1], indices_NK.shape[1]
    member_NR = F.one_hot(rows_N + 1, n_rows + 1)[:, 1:].to(scores_NE.dtype)
    count_R = member_NR.sum(0)
    T = len(rows_N) / n_rows
    chosen_NE = torch.zeros_like(scores_NE).scatter_(1, indices_NK, 1.0)
    f = member_NR.T @ chosen_NE * E / (K * T)
    p = member_NR.T @ (scores_NE / (scores_NE.sum(-1, keepdim=True) + 1e-20)) / T
    return (f * p).sum() / (count_R > 0).sum().clamp(min=1)


def wrong_8(scores_NE, indices_NK, rows_N, n_rows):
    "scores are summed over a text's tokens and then normalised, so tokens with large scores count more"
    # breaks: "P_i = mean over its tokens of s_i / (s_1 + ... + s_E)" - tokens whose scores have different sums
    E, K = scores_NE.shape[1], indices_NK.shape[1]
    member_NR = F.one_hot(rows_N + 1, n_rows + 1)[:, 1:].to(scores_NE.dtype)
    count_R = member_NR.sum(0)
    chosen_NE = torch.zeros_like(scores_NE).scatter_(1, indices_NK, 1.0)
    f = member_NR.T @ chosen_NE * E / (K * count_R.clamp(min=1)[:, None])
    p = member_NR.T @ scores_NE
    p = p / (p.sum(-1, keepdim=True) + 1e-20)
    return (f * p).sum() / (count_R > 0).sum().clamp(min=1)


def wrong_9(scores_NE, indices_NK, rows_N, n_rows):
    "counts the K best scores, as in the paper, instead of the experts that worked"
    # breaks: "here the experts that worked are counted" - indices that a bias or a group limit has changed
    E, K = scores_NE.shape[1], indices_NK.shape[1]
    best_NK = scores_NE.detach().topk(K, dim=-1).indices
    member_NR = F.one_hot(rows_N + 1, n_rows + 1)[:, 1:].to(scores_NE.dtype)
    count_R = member_NR.sum(0)
    T_R1 = count_R.clamp(min=1)[:, None]
    chosen_NE = torch.zeros_like(scores_NE).scatter_(1, best_NK, 1.0)
    f = member_NR.T @ chosen_NE * E / (K * T_R1)
    p = member_NR.T @ (scores_NE / (scores_NE.sum(-1, keepdim=True) + 1e-20)) / T_R1
    return (f * p).sum() / (count_R > 0).sum().clamp(min=1)


def wrong_10(scores_NE, indices_NK, rows_N, n_rows):
    "rows_N += 1 changes the caller's tensor: the next layer finds other texts"
    # breaks: arguments left unchanged (rows_N is used again by every layer) - rows_N after the call
    E, K = scores_NE.shape[1], indices_NK.shape[1]
    rows_N += 1
    member_NR = F.one_hot(rows_N, n_rows + 1)[:, 1:].to(scores_NE.dtype)
    count_R = member_NR.sum(0)
    T_R1 = count_R.clamp(min=1)[:, None]
    chosen_NE = torch.zeros_like(scores_NE).scatter_(1, indices_NK, 1.0)
    f = member_NR.T @ chosen_NE * E / (K * T_R1)
    p = member_NR.T @ (scores_NE / (scores_NE.sum(-1, keepdim=True) + 1e-20)) / T_R1
    return (f * p).sum() / (count_R > 0).sum().clamp(min=1)


def right_1(scores_NE, indices_NK, rows_N, n_rows):
    "a loop over the texts; those without tokens are skipped"
    E, K = scores_NE.shape[1], indices_NK.shape[1]
    total, texts = scores_NE.sum() * 0, 0
    for r in range(n_rows):
        s = scores_NE[rows_N == r]
        if len(s) == 0:
            continue
        count = torch.bincount(indices_NK[rows_N == r].flatten(), minlength=E)
        f = count.to(s.dtype) * (E / (K * len(s)))
        total = total + f @ (s / (s.sum(1, keepdim=True) + 1e-20)).mean(0)
        texts += 1
    return total / max(texts, 1)


def right_2(scores_NE, indices_NK, rows_N, n_rows):
    "padding is taken out first, then index_add"
    (N, E), K = scores_NE.shape, indices_NK.shape[1]
    kept = (rows_N >= 0).nonzero()[:, 0]
    rows, scores = rows_N[kept].long(), scores_NE[kept]
    chosen = F.one_hot(indices_NK[kept], E).sum(1).to(scores.dtype)
    p_sum = scores.new_zeros(n_rows, E).index_add(0, rows, scores / (scores.sum(-1, keepdim=True) + 1e-20))
    f_sum = scores.new_zeros(n_rows, E).index_add(0, rows, chosen)
    T = torch.bincount(rows, minlength=n_rows).to(scores.dtype)
    by_text = (f_sum * p_sum).sum(-1) * E / (K * T.clamp(min=1) ** 2)
    return by_text.sum() / (T > 0).sum().clamp(min=1)


def right_3(scores_NE, indices_NK, rows_N, n_rows):
    "comparison with arange for who is of which text, einsum for all sums"
    E, K = scores_NE.shape[1], indices_NK.shape[1]
    member = (rows_N[:, None] == torch.arange(n_rows, device=rows_N.device)).to(scores_NE.dtype)
    length = member.sum(0)
    mean = member / length.clamp(min=1)
    hot = (indices_NK[:, :, None] == torch.arange(E, device=rows_N.device)).any(1).to(scores_NE.dtype)
    f = E / K * torch.einsum("nr,ne->re", mean, hot)
    p = torch.einsum("nr,ne->re", mean, scores_NE / scores_NE.sum(1, keepdim=True).clamp(min=1e-20))
    return torch.einsum("re,re->", f, p) / max(int((length > 0).sum()), 1)


def right_4(scores_NE, indices_NK, rows_N, n_rows):
    "without P as such: each token's slice of it is weighed with its text's f"
    E, K = scores_NE.shape[1], indices_NK.shape[1]
    present = [r for r in rows_N.unique().tolist() if r >= 0]
    share = scores_NE / (scores_NE.sum(-1, keepdim=True) + 1e-20)
    weight = torch.zeros_like(scores_NE, requires_grad=False)
    for r in present:
        mine = rows_N == r
        T = int(mine.sum())
        f = torch.stack([(indices_NK[mine] == e).sum() for e in range(E)]).to(weight.dtype) * E / (K * T)
        weight[mine] = f / (T * len(present))
    return (weight * share).sum()
