"""moe.experts"""
import torch
import torch.nn.functional as F


def wrong_1(x_ND, indices_NK, gates_NK, w_gate_up_EXD, w_down_EDF):
    "gate and up rows are swapped: silu is taken of the up half"
    # breaks: "gate and up rows of expert e lie one above the other" (gate first) - any input
    out_ND = torch.zeros_like(x_ND)
    for e in range(len(w_gate_up_EXD)):
        token, slot = torch.where(indices_NK == e)
        up, gate = F.linear(x_ND[token], w_gate_up_EXD[e]).chunk(2, dim=-1)
        y = F.linear(F.silu(gate) * up, w_down_EDF[e]) * gates_NK[token, slot, None]
        out_ND = out_ND.index_add(0, token, y)
    return out_ND


def wrong_2(x_ND, indices_NK, gates_NK, w_gate_up_EXD, w_down_EDF):
    "results are written, not added: the expert with the highest number wins"
    # breaks: "each expert's tokens through its SwiGLU, times their gates, added up per token" - K >= 2
    out_ND = torch.zeros_like(x_ND)
    for e in range(len(w_gate_up_EXD)):
        token, slot = torch.where(indices_NK == e)
        gate, up = F.linear(x_ND[token], w_gate_up_EXD[e]).chunk(2, dim=-1)
        y = F.linear(F.silu(gate) * up, w_down_EDF[e]) * gates_NK[token, slot, None]
        out_ND = out_ND.index_copy(0, token, y)
    return out_ND


def wrong_3(x_ND, indices_NK, gates_NK, w_gate_up_EXD, w_down_EDF):
    "the gate of a token's first choice is used for all its experts"
    # breaks: "y_n = sum_k gates[n, k] * ..." - K >= 2 with gates that differ within a row
    out_ND = torch.zeros_like(x_ND)
    for e in range(len(w_gate_up_EXD)):
        token, _ = torch.where(indices_NK == e)
        gate, up = F.linear(x_ND[token], w_gate_up_EXD[e]).chunk(2, dim=-1)
        y = F.linear(F.silu(gate) * up, w_down_EDF[e]) * gates_NK[token, :1]
        out_ND = out_ND.index_add(0, token, y)
    return out_ND


def wrong_4(x_ND, indices_NK, gates_NK, w_gate_up_EXD, w_down_EDF):
    "gates are detached: right values, but the router never learns"
    # breaks: "Gradients reach x, gates and the weights." - the gradient of gates is None
    weights = gates_NK.detach()
    out_ND = torch.zeros_like(x_ND)
    for e in range(len(w_gate_up_EXD)):
        token, slot = torch.where(indices_NK == e)
        gate, up = F.linear(x_ND[token], w_gate_up_EXD[e]).chunk(2, dim=-1)
        y = F.linear(F.silu(gate) * up, w_down_EDF[e]) * weights[token, slot, None]
        out_ND = out_ND.index_add(0, token, y)
    return out_ND


def wrong_5(x_ND, indices_NK, gates_NK, w_gate_up_EXD, w_down_EDF):
    "the gate multiplies the expert's input instead of its output; SwiGLU is not linear"
    # breaks: "gates[n, k] * W_down[e] (silu(W_gate[e] x_n) * (W_up[e] x_n))" - any gate but 1
    out_ND = torch.zeros_like(x_ND)
    for e in range(len(w_gate_up_EXD)):
        token, slot = torch.where(indices_NK == e)
        mine = x_ND[token] * gates_NK[token, slot, None]
        gate, up = F.linear(mine, w_gate_up_EXD[e]).chunk(2, dim=-1)
        out_ND = out_ND.index_add(0, token, F.linear(F.silu(gate) * up, w_down_EDF[e]))
    return out_ND


def wrong_6(x_ND, indices_NK, gates_NK, w_gate_up_EXD, w_down_EDF):
    "break instead of continue: the experts behind one without tokens do nothing"
    # breaks: "An expert without tokens is no special case." - indices [[0, 2]], expert 1 has no token
    out_ND = torch.zeros_like(x_ND)
    for e in range(len(w_gate_up_EXD)):
        token, slot = torch.where(indices_NK == e)
        if token.numel() == 0:
            break
        gate, up = F.linear(x_ND[token], w_gate_up_EXD[e]).chunk(2, dim=-1)
        y = F.linear(F.silu(gate) * up, w_down_EDF[e]) * gates_NK[token, slot, None]
        out_ND = out_ND.index_add(0, token, y)
    return out_ND


def wrong_7(x_ND, indices_NK, gates_NK, w_gate_up_EXD, w_down_EDF):
    "gate and up rows are taken alternately instead of one block above the other"
    # breaks: "gate and up rows of expert e lie one above the other in w_gate_up[e]" - F >= 2
    out_ND = torch.zeros_like(x_ND)
    for e in range(len(w_gate_up_EXD)):
        token, slot = torch.where(indices_NK == e)
        both = F.linear(x_ND[token], w_gate_up_EXD[e])
        y = F.linear(F.silu(both[:, 0::2]) * both[:, 1::2], w_down_EDF[e]) * gates_NK[token, slot, None]
        out_ND = out_ND.index_add(0, token, y)
    return out_ND


def wrong_8(x_ND, indices_NK, gates_NK, w_gate_up_EXD, w_down_EDF):
    "the sum is collected in float32 whatever x is: float64 and bf16 inputs come back as float32"
    # breaks: the dtype of x ("-> [N, D]", what the layer adds to and gradcheck needs) - x in float64 or bfloat16
    out_ND = torch.zeros(x_ND.shape)
    for e in range(len(w_gate_up_EXD)):
        token, slot = torch.where(indices_NK == e)
        gate, up = F.linear(x_ND[token], w_gate_up_EXD[e]).chunk(2, dim=-1)
        y = F.linear(F.silu(gate) * up, w_down_EDF[e]) * gates_NK[token, slot, None]
        out_ND = out_ND.index_add(0, token, y.float())
    return out_ND


def wrong_9(x_ND, indices_NK, gates_NK, w_gate_up_EXD, w_down_EDF):
    "gates are divided by their sum once more; wrong where they do not add up to 1"
    # breaks: "y_n = sum_k gates[n, k] * ..." - gates [[0.5, 2.0]] (norm_topk_prob=False, or a scaling factor)
    gates_NK = gates_NK / gates_NK.sum(-1, keepdim=True)
    out_ND = torch.zeros_like(x_ND)
    for e in range(len(w_gate_up_EXD)):
        token, slot = torch.where(indices_NK == e)
        gate, up = F.linear(x_ND[token], w_gate_up_EXD[e]).chunk(2, dim=-1)
        y = F.linear(F.silu(gate) * up, w_down_EDF[e]) * gates_NK[token, slot, None]
        out_ND = out_ND.index_add(0, token, y)
    return out_ND


def wrong_10(x_ND, indices_NK, gates_NK, w_gate_up_EXD, w_down_EDF):
    "experts have a capacity of twice their fair share; tokens beyond it are dropped"
    # breaks: "each expert's tokens through its SwiGLU, times their gates, added up per token" - 8 experts, K = 2, all of
    # 16 tokens choose expert 0: the last eight miss it
    E = len(w_gate_up_EXD)
    capacity = max(1, 2 * indices_NK.numel() // E)
    out_ND = torch.zeros_like(x_ND)
    for e in range(E):
        token, slot = (places[:capacity] for places in torch.where(indices_NK == e))
        gate, up = F.linear(x_ND[token], w_gate_up_EXD[e]).chunk(2, dim=-1)
        y = F.linear(F.silu(gate) * up, w_down_EDF[e]) * gates_NK[token, slot, None]
        out_ND = out_ND.index_add(0, token, y)
    return out_ND


def right_1(x_ND, indices_NK, gates_NK, w_gate_up_EXD, w_down_EDF):
    "two loops: over tokens, and over a token's choices"
    F_ = w_down_EDF.shape[2]
    rows = [x_ND[:0]]
    for n, chosen in enumerate(indices_NK.tolist()):
        y = 0
        for k, e in enumerate(chosen):
            gate, up = w_gate_up_EXD[e, :F_] @ x_ND[n], w_gate_up_EXD[e, F_:] @ x_ND[n]
            y = y + gates_NK[n, k] * (w_down_EDF[e] @ (gate * torch.sigmoid(gate) * up))
        rows.append(y[None])
    return torch.cat(rows)


def right_2(x_ND, indices_NK, gates_NK, w_gate_up_EXD, w_down_EDF):
    "the weights of each choice are gathered, then einsum"
    both = torch.einsum("nkxd,nd->nkx", w_gate_up_EXD[indices_NK], x_ND)
    gate, up = both.tensor_split(2, dim=-1)
    hidden = F.silu(gate) * up * gates_NK.unsqueeze(-1)
    return torch.einsum("nkdf,nkf->nd", w_down_EDF[indices_NK], hidden)


def right_3(x_ND, indices_NK, gates_NK, w_gate_up_EXD, w_down_EDF):
    "boolean masks: the rows that chose e, and their gates in the same order; += into the output"
    out = x_ND.new_zeros(x_ND.shape)
    for e in range(w_gate_up_EXD.size(0)):
        hit = indices_NK == e
        rows = hit.any(dim=1)
        gate, up = (x_ND[rows] @ w_gate_up_EXD[e].mT).chunk(2, -1)
        out[rows] += (F.silu(gate) * up) @ w_down_EDF[e].mT * gates_NK[hit][:, None]
    return out


def right_4(x_ND, indices_NK, gates_NK, w_gate_up_EXD, w_down_EDF):
    "choices sorted by expert, one slice each, put back in order and summed over K"
    N, K = indices_NK.shape
    flat = indices_NK.reshape(-1)
    order = flat.argsort(stable=True)
    counts = torch.bincount(flat, minlength=len(w_gate_up_EXD)).tolist()
    slices = x_ND[order // K].split(counts)
    parts = []
    for mine, w_gate_up, w_down in zip(slices, w_gate_up_EXD, w_down_EDF):
        gate, up = F.linear(mine, w_gate_up).chunk(2, dim=-1)
        parts.append(F.linear(F.silu(gate).mul(up), w_down))
    y = torch.cat(parts)[order.argsort()].view(N, K, x_ND.shape[1])
    return (y * gates_NK[..., None]).sum(1)
