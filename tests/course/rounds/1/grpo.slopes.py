"""grpo.slopes"""
import torch

def wrong_1(theta_PV, ids_LT, nodes_LT, mask_LT):
    "mask forgotten: padding adds slopes to row 0"
    L, V = len(ids_LT), theta_PV.shape[1]
    s = torch.nn.functional.one_hot(ids_LT, V).to(theta_PV.dtype) - theta_PV.softmax(-1)[nodes_LT]
    out = torch.zeros(L, *theta_PV.shape, dtype=theta_PV.dtype)
    return out.scatter_add_(1, nodes_LT[..., None].expand(-1, -1, V), s)

def wrong_2(theta_PV, ids_LT, nodes_LT, mask_LT):
    "index assignment += adds once where an answer comes by the same row twice (and padding, masked to 0, may overwrite)"
    L, V = len(ids_LT), theta_PV.shape[1]
    s = torch.nn.functional.one_hot(ids_LT, V).to(theta_PV.dtype) - theta_PV.softmax(-1)[nodes_LT]
    s = torch.where(mask_LT[..., None], s, 0.0)
    out = torch.zeros(L, *theta_PV.shape, dtype=theta_PV.dtype)
    out[torch.arange(L)[:, None], nodes_LT] += s
    return out

def wrong_3(theta_PV, ids_LT, nodes_LT, mask_LT):
    "the stop token (0) is left out"
    out = torch.zeros(len(ids_LT), *theta_PV.shape, dtype=theta_PV.dtype)
    p = theta_PV.softmax(-1)
    for l in range(len(ids_LT)):
        for t in range(ids_LT.shape[1]):
            if mask_LT[l, t] and ids_LT[l, t] != 0:
                out[l, nodes_LT[l, t]] -= p[nodes_LT[l, t]]
                out[l, nodes_LT[l, t], ids_LT[l, t]] += 1
    return out

def wrong_4(theta_PV, ids_LT, nodes_LT, mask_LT):
    "the sign of cross-entropy: softmax minus one-hot"
    out = torch.zeros(len(ids_LT), *theta_PV.shape, dtype=theta_PV.dtype)
    p = theta_PV.softmax(-1)
    for l in range(len(ids_LT)):
        for t in range(ids_LT.shape[1]):
            if mask_LT[l, t]:
                out[l, nodes_LT[l, t]] += p[nodes_LT[l, t]]
                out[l, nodes_LT[l, t], ids_LT[l, t]] -= 1
    return out

def wrong_5(theta_PV, ids_LT, nodes_LT, mask_LT):
    "float32 result for float64 logits"
    L, V = len(ids_LT), theta_PV.shape[1]
    s = torch.nn.functional.one_hot(ids_LT, V) - theta_PV.softmax(-1)[nodes_LT]
    s = torch.where(mask_LT[..., None], s, 0.0).float()
    out = torch.zeros(L, *theta_PV.shape)
    return out.scatter_add_(1, nodes_LT[..., None].expand(-1, -1, V), s)

def wrong_6(theta_PV, ids_LT, nodes_LT, mask_LT):
    "softmax over the prefixes (dim 0)"
    L, V = len(ids_LT), theta_PV.shape[1]
    s = torch.nn.functional.one_hot(ids_LT, V).to(theta_PV.dtype) - theta_PV.softmax(0)[nodes_LT]
    s = torch.where(mask_LT[..., None], s, 0.0)
    out = torch.zeros(L, *theta_PV.shape, dtype=theta_PV.dtype)
    return out.scatter_add_(1, nodes_LT[..., None].expand(-1, -1, V), s)

def wrong_7(theta_PV, ids_LT, nodes_LT, mask_LT):
    "slopes of p, not of log p: multiplied with the token's probability"
    L, V = len(ids_LT), theta_PV.shape[1]
    p = theta_PV.softmax(-1)[nodes_LT]
    s = torch.nn.functional.one_hot(ids_LT, V).to(theta_PV.dtype) - p
    s = s * p.gather(-1, ids_LT[..., None])
    s = torch.where(mask_LT[..., None], s, 0.0)
    out = torch.zeros(L, *theta_PV.shape, dtype=theta_PV.dtype)
    return out.scatter_add_(1, nodes_LT[..., None].expand(-1, -1, V), s)

def wrong_8(theta_PV, ids_LT, nodes_LT, mask_LT):
    "mean over an answer's tokens, not their sum"
    L, V = len(ids_LT), theta_PV.shape[1]
    s = torch.nn.functional.one_hot(ids_LT, V).to(theta_PV.dtype) - theta_PV.softmax(-1)[nodes_LT]
    s = torch.where(mask_LT[..., None], s, 0.0) / mask_LT.sum(1).clamp(min=1)[:, None, None]
    out = torch.zeros(L, *theta_PV.shape, dtype=theta_PV.dtype)
    return out.scatter_add_(1, nodes_LT[..., None].expand(-1, -1, V), s)

def wrong_9(theta_PV, ids_LT, nodes_LT, mask_LT):
    "only the drawn token's slope: the others' -softmax is missing"
    out = torch.zeros(len(ids_LT), *theta_PV.shape, dtype=theta_PV.dtype)
    p = theta_PV.softmax(-1)
    for l in range(len(ids_LT)):
        for t in range(ids_LT.shape[1]):
            if mask_LT[l, t]:
                n, a = nodes_LT[l, t], ids_LT[l, t]
                out[l, n, a] += 1 - p[n, a]
    return out

def wrong_10(theta_PV, ids_LT, nodes_LT, mask_LT):
    "the row after the token: shifted by one (nodes of t + 1)"
    L, V = len(ids_LT), theta_PV.shape[1]
    nodes = torch.cat([nodes_LT[:, 1:], nodes_LT[:, -1:]], 1)
    s = torch.nn.functional.one_hot(ids_LT, V).to(theta_PV.dtype) - theta_PV.softmax(-1)[nodes]
    s = torch.where(mask_LT[..., None], s, 0.0)
    out = torch.zeros(L, *theta_PV.shape, dtype=theta_PV.dtype)
    return out.scatter_add_(1, nodes[..., None].expand(-1, -1, V), s)

def right_1(theta_PV, ids_LT, nodes_LT, mask_LT):
    "loops"
    probs = torch.softmax(theta_PV, dim=1)
    out = torch.zeros((len(ids_LT),) + tuple(theta_PV.shape), dtype=theta_PV.dtype)
    for l, (ids, nodes, mask) in enumerate(zip(ids_LT.tolist(), nodes_LT.tolist(), mask_LT.tolist())):
        for a, p, there in zip(ids, nodes, mask):
            if there:
                out[l, p] -= probs[p]
                out[l, p, a] += 1
    return out

def right_2(theta_PV, ids_LT, nodes_LT, mask_LT):
    "counts: how often each (row, token) was chosen, minus how often the row was visited times its softmax"
    P, V = theta_PV.shape
    m = mask_LT.to(theta_PV.dtype)
    at = torch.nn.functional.one_hot(nodes_LT, P).to(theta_PV.dtype) * m[..., None]
    token = torch.nn.functional.one_hot(ids_LT, V).to(theta_PV.dtype)
    return torch.einsum("ltp,ltv->lpv", at, token) - at.sum(1)[:, :, None] * theta_PV.softmax(1)

def right_3(theta_PV, ids_LT, nodes_LT, mask_LT):
    "index_add_ on the flattened pairs (answer, row), tokens that are there alone"
    L, (P, V) = len(ids_LT), theta_PV.shape
    l, t = mask_LT.nonzero(as_tuple=True)
    node, token = nodes_LT[l, t], ids_LT[l, t]
    slope = -theta_PV.softmax(-1)[node]
    slope[torch.arange(len(token)), token] += 1
    return torch.zeros(L * P, V, dtype=theta_PV.dtype).index_add_(0, l * P + node, slope).view(L, P, V)

def right_4(theta_PV, ids_LT, nodes_LT, mask_LT):
    "index_put_ with accumulate"
    L, V = ids_LT.shape[0], theta_PV.shape[1]
    eye = torch.eye(V, dtype=theta_PV.dtype)
    logp = theta_PV - theta_PV.logsumexp(1, keepdim=True)
    slope = (eye[ids_LT] - logp.exp()[nodes_LT]).masked_fill(~mask_LT[:, :, None], 0)
    out = theta_PV.new_zeros(L, *theta_PV.shape)
    rows = torch.arange(L)[:, None].expand_as(nodes_LT)
    return out.index_put_((rows, nodes_LT), slope, accumulate=True)
