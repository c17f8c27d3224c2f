"""grpo.slopes"""
import torch


def wrong_1(theta_PV, ids_LT, nodes_LT, mask_LT):
    "rows are assigned instead of added to: an answer that follows a row twice, and padding at row 0, erase what was there"
    # breaks: "The slopes of an answer's tokens, stop token included, add up." any answer shorter than T, since its padding has node 0
    probs_PV = theta_PV.softmax(-1)
    V = theta_PV.shape[1]
    out_LPV = torch.zeros(len(ids_LT), *theta_PV.shape, dtype=theta_PV.dtype)
    for i in range(len(ids_LT)):
        for t in range(ids_LT.shape[1]):
            one = torch.zeros(V, dtype=theta_PV.dtype)
            one[ids_LT[i, t]] = 1
            out_LPV[i, nodes_LT[i, t]] = (one - probs_PV[nodes_LT[i, t]]) * mask_LT[i, t]
    return out_LPV


def wrong_2(theta_PV, ids_LT, nodes_LT, mask_LT):
    "out[rows] += x with an index tensor adds only once for each row, where an answer comes by a row twice"
    # breaks: "The slopes of an answer's tokens, stop token included, add up." nodes [[0, 0]], mask all True
    V = theta_PV.shape[1]
    step_LTV = torch.nn.functional.one_hot(ids_LT, V).to(theta_PV.dtype) - theta_PV.softmax(-1)[nodes_LT]
    out_LPV = torch.zeros(len(ids_LT), *theta_PV.shape, dtype=theta_PV.dtype)
    for i in range(len(ids_LT)):
        there = mask_LT[i]
        out_LPV[i, nodes_LT[i][there]] += step_LTV[i][there]
    return out_LPV


def wrong_3(theta_PV, ids_LT, nodes_LT, mask_LT):
    "the stop token is left out"
    # breaks: "stop token included" an answer (1, 0): its second row stays 0
    V = theta_PV.shape[1]
    step_LTV = torch.nn.functional.one_hot(ids_LT, V).to(theta_PV.dtype) - theta_PV.softmax(-1)[nodes_LT]
    step_LTV = torch.where((mask_LT & (ids_LT != 0))[..., None], step_LTV, 0.0)
    out_LPV = torch.zeros(len(ids_LT), *theta_PV.shape, dtype=theta_PV.dtype)
    return out_LPV.scatter_add_(1, nodes_LT[..., None].expand(-1, -1, V), step_LTV)


def wrong_4(theta_PV, ids_LT, nodes_LT, mask_LT):
    "the softmax goes over the prefixes"
    # breaks: "the next token's probabilities are its softmax" any theta with more than one row
    V = theta_PV.shape[1]
    step_LTV = torch.nn.functional.one_hot(ids_LT, V).to(theta_PV.dtype) - theta_PV.softmax(0)[nodes_LT]
    step_LTV = torch.where(mask_LT[..., None], step_LTV, 0.0)
    out_LPV = torch.zeros(len(ids_LT), *theta_PV.shape, dtype=theta_PV.dtype)
    return out_LPV.scatter_add_(1, nodes_LT[..., None].expand(-1, -1, V), step_LTV)


def wrong_5(theta_PV, ids_LT, nodes_LT, mask_LT):
    "the mask is put on the one-hot only: padding still takes its probabilities off row 0"
    # breaks: "mask_LT which of them are there" any answer shorter than T
    V = theta_PV.shape[1]
    one_LTV = torch.nn.functional.one_hot(ids_LT, V).to(theta_PV.dtype) * mask_LT[..., None]
    step_LTV = one_LTV - theta_PV.softmax(-1)[nodes_LT]
    out_LPV = torch.zeros(len(ids_LT), *theta_PV.shape, dtype=theta_PV.dtype)
    return out_LPV.scatter_add_(1, nodes_LT[..., None].expand(-1, -1, V), step_LTV)


def wrong_6(theta_PV, ids_LT, nodes_LT, mask_LT):
    "float32 comes out whatever theta is: the tree's thetas are float64"
    # breaks: dtype ("all in float64" of the module; a slope has theta's dtype): float64 theta gives float32, rounded to 1e-8
    V = theta_PV.shape[1]
    step_LTV = torch.nn.functional.one_hot(ids_LT, V).float() - theta_PV.float().softmax(-1)[nodes_LT]
    step_LTV = step_LTV * mask_LT[..., None]
    out_LPV = torch.zeros(len(ids_LT), *theta_PV.shape)
    return out_LPV.scatter_add_(1, nodes_LT[..., None].expand(-1, -1, V), step_LTV)


def wrong_7(theta_PV, ids_LT, nodes_LT, mask_LT):
    "the number of prefixes is read off nodes_LT: rows behind the last one that was visited are missing"
    # breaks: "of every answer o, by hand: [L, P, V]" two answers of a larger tree that never reach its last prefix
    V = theta_PV.shape[1]
    P = int(nodes_LT.max()) + 1
    probs_PV = theta_PV.softmax(-1)
    at_LTP = torch.nn.functional.one_hot(nodes_LT, P).to(theta_PV.dtype) * mask_LT[..., None]
    step_LTV = torch.nn.functional.one_hot(ids_LT, V).to(theta_PV.dtype) - probs_PV[nodes_LT]
    return torch.einsum("ltp,ltv->lpv", at_LTP, step_LTV)


def wrong_8(theta_PV, ids_LT, nodes_LT, mask_LT):
    "theta is normalised in place, the caller's table is another one afterwards"
    # breaks: arguments left unchanged; theta rows whose logsumexp is not 0
    V = theta_PV.shape[1]
    theta_PV -= theta_PV.logsumexp(-1, keepdim=True)
    step_LTV = torch.nn.functional.one_hot(ids_LT, V).to(theta_PV.dtype) - theta_PV.exp()[nodes_LT]
    step_LTV = torch.where(mask_LT[..., None], step_LTV, 0.0)
    out_LPV = torch.zeros(len(ids_LT), *theta_PV.shape, dtype=theta_PV.dtype)
    return out_LPV.scatter_add_(1, nodes_LT[..., None].expand(-1, -1, V), step_LTV)


def wrong_9(theta_PV, ids_LT, nodes_LT, mask_LT):
    "softmax as exp over sum without the maximum taken off: inf / inf for large logits"
    # breaks: "the next token's probabilities are its softmax" theta = 1000 * randn gives nan
    V = theta_PV.shape[1]
    probs_PV = theta_PV.exp() / theta_PV.exp().sum(-1, keepdim=True)
    step_LTV = torch.nn.functional.one_hot(ids_LT, V).to(theta_PV.dtype) - probs_PV[nodes_LT]
    step_LTV = torch.where(mask_LT[..., None], step_LTV, 0.0)
    out_LPV = torch.zeros(len(ids_LT), *theta_PV.shape, dtype=theta_PV.dtype)
    return out_LPV.scatter_add_(1, nodes_LT[..., None].expand(-1, -1, V), step_LTV)


def wrong_10(theta_PV, ids_LT, nodes_LT, mask_LT):
    "one_hot guesses the vocabulary from the ids: a RuntimeError where no answer has the last token"
    # breaks: "ids_LT the tokens of each answer" any; answers (1, 0) and (0,) over a vocabulary of 3
    step_LTV = torch.nn.functional.one_hot(ids_LT).to(theta_PV.dtype) - theta_PV.softmax(-1)[nodes_LT]
    step_LTV = torch.where(mask_LT[..., None], step_LTV, 0.0)
    out_LPV = torch.zeros(len(ids_LT), *theta_PV.shape, dtype=theta_PV.dtype)
    return out_LPV.scatter_add_(1, nodes_LT[..., None].expand_as(step_LTV), step_LTV)


def right_1(theta_PV, ids_LT, nodes_LT, mask_LT):
    "plain loops, one token at a time"
    probs = torch.softmax(theta_PV, dim=-1)
    out = theta_PV.new_zeros(len(ids_LT), *theta_PV.shape)
    for i, (ids, nodes, mask) in enumerate(zip(ids_LT.tolist(), nodes_LT.tolist(), mask_LT.tolist())):
        for a, p, there in zip(ids, nodes, mask):
            if there:
                out[i, p] -= probs[p]
                out[i, p, a] += 1
    return out


def right_2(theta_PV, ids_LT, nodes_LT, mask_LT):
    "einsum over one-hot rows and tokens"
    P, V = theta_PV.shape
    row = torch.nn.functional.one_hot(nodes_LT, P).to(theta_PV.dtype) * mask_LT.to(theta_PV.dtype).unsqueeze(-1)
    drawn = torch.nn.functional.one_hot(ids_LT, V).to(theta_PV.dtype)
    return torch.einsum("ltp,ltv->lpv", row, drawn - torch.softmax(theta_PV, 1)[nodes_LT])


def right_3(theta_PV, ids_LT, nodes_LT, mask_LT):
    "counts: how often each token followed each prefix, minus visits times probabilities"
    P, V = theta_PV.shape
    L, T = ids_LT.shape
    counts = torch.zeros(L * P * V, dtype=theta_PV.dtype)
    where = (torch.arange(L)[:, None] * P + nodes_LT) * V + ids_LT
    counts.index_add_(0, where.flatten(), mask_LT.flatten().to(theta_PV.dtype))
    counts = counts.view(L, P, V)
    return counts - counts.sum(-1, keepdim=True) * theta_PV.log_softmax(-1).exp()


def right_4(theta_PV, ids_LT, nodes_LT, mask_LT):
    "index_put_ with accumulate on the tokens that are there, with the maximum taken off by hand"
    weight = (theta_PV - theta_PV.max(1, keepdim=True).values).exp()
    probs = weight / weight.sum(1, keepdim=True)
    l, t = mask_LT.nonzero(as_tuple=True)
    p, a = nodes_LT[l, t], ids_LT[l, t]
    step = -probs[p]
    step[torch.arange(len(a)), a] += 1.0
    out = torch.zeros((len(ids_LT),) + tuple(theta_PV.shape), dtype=theta_PV.dtype)
    return out.index_put_((l, p), step, accumulate=True)
