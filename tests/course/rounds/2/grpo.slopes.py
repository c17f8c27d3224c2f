"""grpo.slopes"""
import torch


def _terms(theta, ids, nodes):
    return torch.eye(theta.shape[1], dtype=theta.dtype)[ids] - theta.softmax(-1)[nodes]


def wrong_1(theta_PV, ids_LT, nodes_LT, mask_LT):
    "rows[index] += x adds once: an answer that comes by the same prefix twice loses a token"
    x = _terms(theta_PV, ids_LT, nodes_LT) * mask_LT[..., None]
    out = torch.zeros(len(ids_LT), *theta_PV.shape, dtype=theta_PV.dtype)
    out[torch.arange(len(ids_LT))[:, None], nodes_LT] += x
    return out


def wrong_2(theta_PV, ids_LT, nodes_LT, mask_LT):
    "tokens that are not there count too"
    x = _terms(theta_PV, ids_LT, nodes_LT)
    out = torch.zeros(len(ids_LT), *theta_PV.shape, dtype=theta_PV.dtype)
    return out.scatter_add_(1, nodes_LT[..., None].expand_as(x), x)


def wrong_3(theta_PV, ids_LT, nodes_LT, mask_LT):
    "the stop token (0) is left out"
    x = _terms(theta_PV, ids_LT, nodes_LT) * (mask_LT & (ids_LT != 0))[..., None]
    out = torch.zeros(len(ids_LT), *theta_PV.shape, dtype=theta_PV.dtype)
    return out.scatter_add_(1, nodes_LT[..., None].expand_as(x), x)


def wrong_4(theta_PV, ids_LT, nodes_LT, mask_LT):
    "the mask only takes the one-hot away: padding still subtracts its probabilities"
    hot = torch.eye(theta_PV.shape[1], dtype=theta_PV.dtype)[ids_LT] * mask_LT[..., None]
    x = hot - theta_PV.softmax(-1)[nodes_LT]
    out = torch.zeros(len(ids_LT), *theta_PV.shape, dtype=theta_PV.dtype)
    return out.scatter_add_(1, nodes_LT[..., None].expand_as(x), x)


def wrong_5(theta_PV, ids_LT, nodes_LT, mask_LT):
    "float32 for float64 logits"
    x = (torch.nn.functional.one_hot(ids_LT, theta_PV.shape[1]) - theta_PV.float().softmax(-1)[nodes_LT]) * mask_LT[..., None]
    out = torch.zeros(len(ids_LT), *theta_PV.shape)
    return out.scatter_add_(1, nodes_LT[..., None].expand_as(x), x)


def wrong_6(theta_PV, ids_LT, nodes_LT, mask_LT):
    "the softmax goes over the prefixes"
    x = (torch.eye(theta_PV.shape[1], dtype=theta_PV.dtype)[ids_LT] - theta_PV.softmax(0)[nodes_LT]) * mask_LT[..., None]
    out = torch.zeros(len(ids_LT), *theta_PV.shape, dtype=theta_PV.dtype)
    return out.scatter_add_(1, nodes_LT[..., None].expand_as(x), x)


def wrong_7(theta_PV, ids_LT, nodes_LT, mask_LT):
    "the mean over an answer's tokens, not the sum"
    x = _terms(theta_PV, ids_LT, nodes_LT) * mask_LT[..., None] / mask_LT.sum(1)[:, None, None]
    out = torch.zeros(len(ids_LT), *theta_PV.shape, dtype=theta_PV.dtype)
    return out.scatter_add_(1, nodes_LT[..., None].expand_as(x), x)


def wrong_8(theta_PV, ids_LT, nodes_LT, mask_LT):
    "the slope of p(o), not of log p(o)"
    x = _terms(theta_PV, ids_LT, nodes_LT) * mask_LT[..., None]
    out = torch.zeros(len(ids_LT), *theta_PV.shape, dtype=theta_PV.dtype)
    out.scatter_add_(1, nodes_LT[..., None].expand_as(x), x)
    p = theta_PV.softmax(-1)[nodes_LT, ids_LT].where(mask_LT, torch.ones((), dtype=theta_PV.dtype)).prod(1)
    return out * p[:, None, None]


def wrong_9(theta_PV, ids_LT, nodes_LT, mask_LT):
    "token t goes to row t, not to the row of the prefix that it followed"
    x = _terms(theta_PV, ids_LT, nodes_LT) * mask_LT[..., None]
    out = torch.zeros(len(ids_LT), *theta_PV.shape, dtype=theta_PV.dtype)
    for t in range(min(x.shape[1], out.shape[1])):
        out[:, t] += x[:, t]
    return out


def wrong_10(theta_PV, ids_LT, nodes_LT, mask_LT):
    "the mask is read as lengths of the first answer: all answers get as many tokens as the longest row sum of the first"
    n = int(mask_LT[0].sum())
    x = _terms(theta_PV, ids_LT, nodes_LT)
    x[:, n:] = 0
    out = torch.zeros(len(ids_LT), *theta_PV.shape, dtype=theta_PV.dtype)
    return out.scatter_add_(1, nodes_LT[..., None].expand_as(x), x)


def right_1(theta_PV, ids_LT, nodes_LT, mask_LT):
    "loops"
    P, V = theta_PV.shape
    out = torch.zeros(len(ids_LT), P, V, dtype=theta_PV.dtype)
    probs = torch.softmax(theta_PV, dim=1)
    for l in range(len(ids_LT)):
        for t in range(ids_LT.shape[1]):
            if mask_LT[l, t]:
                p, a = int(nodes_LT[l, t]), int(ids_LT[l, t])
                out[l, p] -= probs[p]
                out[l, p, a] += 1
    return out


def right_2(theta_PV, ids_LT, nodes_LT, mask_LT):
    "einsum with the rows as one-hot"
    P, V = theta_PV.shape
    row = torch.nn.functional.one_hot(nodes_LT, P).to(theta_PV.dtype) * mask_LT[..., None]
    token = torch.nn.functional.one_hot(ids_LT, V).to(theta_PV.dtype)
    return torch.einsum("ltp,ltv->lpv", row, token) - row.sum(1)[..., None] * theta_PV.softmax(-1)


def right_3(theta_PV, ids_LT, nodes_LT, mask_LT):
    "index_put_ with accumulate, counts first"
    P, V = theta_PV.shape
    L, T = ids_LT.shape
    counts = torch.zeros(L, P, V, dtype=theta_PV.dtype)
    which = torch.arange(L)[:, None].expand(L, T)
    counts.index_put_((which, nodes_LT, ids_LT), mask_LT.to(theta_PV.dtype), accumulate=True)
    return counts - counts.sum(2, keepdim=True) * theta_PV.softmax(-1)


def right_4(theta_PV, ids_LT, nodes_LT, mask_LT):
    "autograd, one answer after the other, on a copy"
    rows = []
    with torch.enable_grad():
        for ids, nodes, mask in zip(ids_LT, nodes_LT, mask_LT):
            theta = theta_PV.detach().clone().requires_grad_()
            logp = theta.log_softmax(-1)[nodes, ids][mask.bool()].sum()
            rows.append(torch.autograd.grad(logp, theta)[0])
    return torch.stack(rows)
