"""grpo.slopes"""
import torch


def wrong_1(theta_PV, ids_LT, nodes_LT, mask_LT):
    "an index tensor with += adds once for each row: padding (row 0) overwrites the slope of the first prefix"
    L, T = ids_LT.shape
    V = theta_PV.shape[1]
    steps = torch.nn.functional.one_hot(ids_LT, V).to(theta_PV.dtype) - theta_PV.softmax(-1)[nodes_LT]
    steps = steps * mask_LT[..., None]
    out = torch.zeros(L, *theta_PV.shape, dtype=theta_PV.dtype)
    out[torch.arange(L)[:, None], nodes_LT] += steps
    return out


def wrong_2(theta_PV, ids_LT, nodes_LT, mask_LT):
    "the stop token is taken for padding and left out"
    L, V = len(ids_LT), theta_PV.shape[1]
    mask_LT = mask_LT & (ids_LT != 0)
    steps = torch.nn.functional.one_hot(ids_LT, V).to(theta_PV.dtype) - theta_PV.softmax(-1)[nodes_LT]
    steps = torch.where(mask_LT[..., None], steps, 0.0)
    out = torch.zeros(L, *theta_PV.shape, dtype=theta_PV.dtype)
    return out.scatter_add_(1, nodes_LT[..., None].expand(-1, -1, V), steps)


def wrong_3(theta_PV, ids_LT, nodes_LT, mask_LT):
    "the mask is applied to the one-hot part only; padding still takes probabilities off row 0"
    L, V = len(ids_LT), theta_PV.shape[1]
    hot = torch.nn.functional.one_hot(ids_LT, V).to(theta_PV.dtype) * mask_LT[..., None]
    steps = hot - theta_PV.softmax(-1)[nodes_LT]
    out = torch.zeros(L, *theta_PV.shape, dtype=theta_PV.dtype)
    return out.scatter_add_(1, nodes_LT[..., None].expand(-1, -1, V), steps)


def wrong_4(theta_PV, ids_LT, nodes_LT, mask_LT):
    "the softmax goes over the prefixes (dim 0) instead of the vocabulary"
    L, V = len(ids_LT), theta_PV.shape[1]
    steps = torch.nn.functional.one_hot(ids_LT, V).to(theta_PV.dtype) - theta_PV.softmax(0)[nodes_LT]
    steps = torch.where(mask_LT[..., None], steps, 0.0)
    out = torch.zeros(L, *theta_PV.shape, dtype=theta_PV.dtype)
    return out.scatter_add_(1, nodes_LT[..., None].expand(-1, -1, V), steps)


def wrong_5(theta_PV, ids_LT, nodes_LT, mask_LT):
    "the result is float32 whatever theta is: float64 slopes are lost"
    L, V = len(ids_LT), theta_PV.shape[1]
    probs = theta_PV.softmax(-1)
    out = torch.zeros(L, *theta_PV.shape)
    for l, t in mask_LT.nonzero().tolist():
        p = nodes_LT[l, t]
        out[l, p] -= probs[p]
        out[l, p, ids_LT[l, t]] += 1
    return out


def wrong_6(theta_PV, ids_LT, nodes_LT, mask_LT):
    "the row is set, not added to: an answer that comes by the same prefix's row twice loses the first slope"
    probs = theta_PV.softmax(-1)
    out = torch.zeros(len(ids_LT), *theta_PV.shape, dtype=theta_PV.dtype)
    for l, t in mask_LT.nonzero().tolist():
        p, a = int(nodes_LT[l, t]), int(ids_LT[l, t])
        row = -probs[p]
        row[a] += 1
        out[l, p] = row
    return out


def wrong_7(theta_PV, ids_LT, nodes_LT, mask_LT):
    "one_hot guesses the vocabulary from the largest token that occurs: fails if no answer holds the last token"
    L, V = len(ids_LT), theta_PV.shape[1]
    steps = torch.nn.functional.one_hot(ids_LT).to(theta_PV.dtype) - theta_PV.softmax(-1)[nodes_LT]
    steps = torch.where(mask_LT[..., None], steps, 0.0)
    out = torch.zeros(L, *theta_PV.shape, dtype=theta_PV.dtype)
    return out.scatter_add_(1, nodes_LT[..., None].expand(-1, -1, V), steps)


def wrong_8(theta_PV, ids_LT, nodes_LT, mask_LT):
    "theta is normalised in place: the caller's table is changed"
    theta_PV -= theta_PV.logsumexp(-1, keepdim=True)
    L, V = len(ids_LT), theta_PV.shape[1]
    steps = torch.nn.functional.one_hot(ids_LT, V).to(theta_PV.dtype) - theta_PV.exp()[nodes_LT]
    steps = torch.where(mask_LT[..., None], steps, 0.0)
    out = torch.zeros(L, *theta_PV.shape, dtype=theta_PV.dtype)
    return out.scatter_add_(1, nodes_LT[..., None].expand(-1, -1, V), steps)


def wrong_9(theta_PV, ids_LT, nodes_LT, mask_LT):
    "exp over its sum without taking the maximum off: NaN for large logits"
    L, V = len(ids_LT), theta_PV.shape[1]
    e = theta_PV.exp()
    probs = e / e.sum(-1, keepdim=True)
    steps = torch.nn.functional.one_hot(ids_LT, V).to(theta_PV.dtype) - probs[nodes_LT]
    steps = torch.where(mask_LT[..., None], steps, 0.0)
    out = torch.zeros(L, *theta_PV.shape, dtype=theta_PV.dtype)
    return out.scatter_add_(1, nodes_LT[..., None].expand(-1, -1, V), steps)


def wrong_10(theta_PV, ids_LT, nodes_LT, mask_LT):
    "each answer's slope is divided by its length: a mean over tokens, not their sum"
    L, V = len(ids_LT), theta_PV.shape[1]
    steps = torch.nn.functional.one_hot(ids_LT, V).to(theta_PV.dtype) - theta_PV.softmax(-1)[nodes_LT]
    steps = torch.where(mask_LT[..., None], steps, 0.0) / mask_LT.sum(1)[:, None, None]
    out = torch.zeros(L, *theta_PV.shape, dtype=theta_PV.dtype)
    return out.scatter_add_(1, nodes_LT[..., None].expand(-1, -1, V), steps)


def right_1(theta_PV, ids_LT, nodes_LT, mask_LT):
    "two loops, row by row"
    probs = torch.softmax(theta_PV, dim=1)
    result = theta_PV.new_zeros((ids_LT.shape[0],) + tuple(theta_PV.shape))
    for l in range(ids_LT.shape[0]):
        for t in range(ids_LT.shape[1]):
            if not mask_LT[l, t]:
                continue
            p = int(nodes_LT[l, t])
            result[l, p] += -probs[p]
            result[l, p, int(ids_LT[l, t])] += 1
    return result


def right_2(theta_PV, ids_LT, nodes_LT, mask_LT):
    "an einsum with one-hot prefixes does the adding"
    P, V = theta_PV.shape
    tokens = torch.eye(V, dtype=theta_PV.dtype)[ids_LT]
    rows = torch.eye(P, dtype=theta_PV.dtype)[nodes_LT] * mask_LT.unsqueeze(-1)
    probs = theta_PV.log_softmax(1).exp()
    return torch.einsum("ltp,ltv->lpv", rows, tokens - probs[nodes_LT])


def right_3(theta_PV, ids_LT, nodes_LT, mask_LT):
    "counts of (prefix, token), and how often a prefix was visited times its probabilities"
    L = ids_LT.shape[0]
    P, V = theta_PV.shape
    l, t = mask_LT.nonzero(as_tuple=True)
    flat = (l * P + nodes_LT[l, t]) * V + ids_LT[l, t]
    chosen = torch.bincount(flat, minlength=L * P * V).view(L, P, V).to(theta_PV.dtype)
    return chosen - chosen.sum(-1, keepdim=True) * theta_PV.softmax(-1)


def right_4(theta_PV, ids_LT, nodes_LT, mask_LT):
    "index_put with accumulate, on the tokens that are there"
    l, t = mask_LT.nonzero(as_tuple=True)
    p, a = nodes_LT[l, t], ids_LT[l, t]
    out = torch.zeros(len(ids_LT), *theta_PV.shape, dtype=theta_PV.dtype)
    out = out.index_put((l, p), -theta_PV.softmax(-1)[p], accumulate=True)
    return out.index_put((l, p, a), torch.ones(len(l), dtype=theta_PV.dtype), accumulate=True)
