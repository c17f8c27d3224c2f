"""moe.experts"""
import torch
import torch.nn.functional as F


def wrong_1(x_ND, indices_NK, gates_NK, w_gate_up_EXD, w_down_EDF):
    "gate and up rows are swapped"
    out = torch.zeros_like(x_ND)
    for e in range(len(w_gate_up_EXD)):
        token, slot = torch.where(indices_NK == e)
        up, gate = F.linear(x_ND[token], w_gate_up_EXD[e]).chunk(2, dim=-1)
        out = out.index_add(0, token, F.linear(F.silu(gate) * up, w_down_EDF[e]) * gates_NK[token, slot, None])
    return out


def wrong_2(x_ND, indices_NK, gates_NK, w_gate_up_EXD, w_down_EDF):
    "results overwrite each other instead of adding up (K > 1)"
    out = torch.zeros_like(x_ND)
    for e in range(len(w_gate_up_EXD)):
        token, slot = torch.where(indices_NK == e)
        gate, up = F.linear(x_ND[token], w_gate_up_EXD[e]).chunk(2, dim=-1)
        out[token] = F.linear(F.silu(gate) * up, w_down_EDF[e]) * gates_NK[token, slot, None]
    return out


def wrong_3(x_ND, indices_NK, gates_NK, w_gate_up_EXD, w_down_EDF):
    "stops at the first expert without tokens: break instead of continue"
    out = torch.zeros_like(x_ND)
    for e in range(len(w_gate_up_EXD)):
        token, slot = torch.where(indices_NK == e)
        if len(token) == 0:
            break
        gate, up = F.linear(x_ND[token], w_gate_up_EXD[e]).chunk(2, dim=-1)
        out = out.index_add(0, token, F.linear(F.silu(gate) * up, w_down_EDF[e]) * gates_NK[token, slot, None])
    return out


def wrong_4(x_ND, indices_NK, gates_NK, w_gate_up_EXD, w_down_EDF):
    "numbers the experts that occur: weights of the wrong expert once one before it has no tokens"
    out = torch.zeros_like(x_ND)
    for i, e in enumerate(indices_NK.unique()):
        token, slot = torch.where(indices_NK == e)
        gate, up = F.linear(x_ND[token], w_gate_up_EXD[i]).chunk(2, dim=-1)
        out = out.index_add(0, token, F.linear(F.silu(gate) * up, w_down_EDF[i]) * gates_NK[token, slot, None])
    return out


def wrong_5(x_ND, indices_NK, gates_NK, w_gate_up_EXD, w_down_EDF):
    "gates are detached: no gradient reaches the router"
    gates = gates_NK.detach()
    out = torch.zeros_like(x_ND)
    for e in range(len(w_gate_up_EXD)):
        token, slot = torch.where(indices_NK == e)
        gate, up = F.linear(x_ND[token], w_gate_up_EXD[e]).chunk(2, dim=-1)
        out = out.index_add(0, token, F.linear(F.silu(gate) * up, w_down_EDF[e]) * gates[token, slot, None])
    return out


def wrong_6(x_ND, indices_NK, gates_NK, w_gate_up_EXD, w_down_EDF):
    "the gate multiplies the input instead of the result"
    out = torch.zeros_like(x_ND)
    for e in range(len(w_gate_up_EXD)):
        token, slot = torch.where(indices_NK == e)
        x = x_ND[token] * gates_NK[token, slot, None]
        gate, up = F.linear(x, w_gate_up_EXD[e]).chunk(2, dim=-1)
        out = out.index_add(0, token, F.linear(F.silu(gate) * up, w_down_EDF[e]))
    return out


def wrong_7(x_ND, indices_NK, gates_NK, w_gate_up_EXD, w_down_EDF):
    "the result is float32 whatever x is (float64, bfloat16)"
    out = torch.zeros(x_ND.shape)
    for e in range(len(w_gate_up_EXD)):
        token, slot = torch.where(indices_NK == e)
        gate, up = F.linear(x_ND[token], w_gate_up_EXD[e]).chunk(2, dim=-1)
        y = F.linear(F.silu(gate) * up, w_down_EDF[e]) * gates_NK[token, slot, None]
        out = out.index_add(0, token, y.float())
    return out


def wrong_8(x_ND, indices_NK, gates_NK, w_gate_up_EXD, w_down_EDF):
    "the gate of the token's first choice for all its experts"
    out = torch.zeros_like(x_ND)
    for e in range(len(w_gate_up_EXD)):
        token, _ = torch.where(indices_NK == e)
        gate, up = F.linear(x_ND[token], w_gate_up_EXD[e]).chunk(2, dim=-1)
        out = out.index_add(0, token, F.linear(F.silu(gate) * up, w_down_EDF[e]) * gates_NK[token, :1])
    return out


def wrong_9(x_ND, indices_NK, gates_NK, w_gate_up_EXD, w_down_EDF):
    "the inputs of the experts are detached: x gets no gradient"
    out = torch.zeros_like(x_ND)
    for e in range(len(w_gate_up_EXD)):
        token, slot = torch.where(indices_NK == e)
        x = torch.tensor(x_ND.detach()[token].tolist(), dtype=x_ND.dtype).reshape(-1, x_ND.shape[1])
        gate, up = F.linear(x, w_gate_up_EXD[e]).chunk(2, dim=-1)
        out = out.index_add(0, token, F.linear(F.silu(gate) * up, w_down_EDF[e]) * gates_NK[token, slot, None])
    return out


def wrong_10(x_ND, indices_NK, gates_NK, w_gate_up_EXD, w_down_EDF):
    "gate and up are taken from even and odd rows"
    out = torch.zeros_like(x_ND)
    for e in range(len(w_gate_up_EXD)):
        token, slot = torch.where(indices_NK == e)
        both = F.linear(x_ND[token], w_gate_up_EXD[e])
        gate, up = both[:, 0::2], both[:, 1::2]
        out = out.index_add(0, token, F.linear(F.silu(gate) * up, w_down_EDF[e]) * gates_NK[token, slot, None])
    return out


def right_1(x_ND, indices_NK, gates_NK, w_gate_up_EXD, w_down_EDF):
    "in-place += on rows (no token twice within an expert), experts without tokens are skipped"
    out = torch.zeros_like(x_ND)
    for e in range(w_gate_up_EXD.shape[0]):
        mask = indices_NK == e
        token = mask.any(dim=1).nonzero().squeeze(1)
        if token.numel() == 0:
            continue
        weights = (gates_NK * mask).sum(1)[token]
        half = w_gate_up_EXD.shape[1] // 2
        x = x_ND[token]
        gate, up = x @ w_gate_up_EXD[e, :half].T, x @ w_gate_up_EXD[e, half:].T
        out[token] += (F.silu(gate) * up) @ w_down_EDF[e].T * weights.unsqueeze(1)
    return out


def right_2(x_ND, indices_NK, gates_NK, w_gate_up_EXD, w_down_EDF):
    "gathers the weights of each choice, einsum"
    w1, w2 = w_gate_up_EXD[indices_NK], w_down_EDF[indices_NK]
    gate, up = torch.einsum("nd,nkxd->nkx", x_ND, w1).chunk(2, dim=-1)
    h = gate * torch.sigmoid(gate) * up
    return torch.einsum("nkf,nkdf,nk->nd", h, w2, gates_NK)


def right_3(x_ND, indices_NK, gates_NK, w_gate_up_EXD, w_down_EDF):
    "all experts on all tokens, with gate 0 for those not chosen"
    E = len(w_gate_up_EXD)
    weight = torch.stack([(gates_NK * (indices_NK == e)).sum(-1) for e in range(E)], dim=1)
    total = torch.zeros_like(x_ND)
    for e in range(E):
        gate, up = F.linear(x_ND, w_gate_up_EXD[e]).chunk(2, dim=-1)
        total = total + weight[:, e, None] * F.linear(F.silu(gate) * up, w_down_EDF[e])
    return total


def right_4(x_ND, indices_NK, gates_NK, w_gate_up_EXD, w_down_EDF):
    "hints literally, the gate multiplies the narrow side"
    out = torch.zeros_like(x_ND)
    for e in range(len(w_down_EDF)):
        token, slot = torch.where(indices_NK == e)
        gate, up = F.linear(x_ND[token], w_gate_up_EXD[e]).chunk(2, dim=-1)
        hidden = F.silu(gate) * up * gates_NK[token, slot].unsqueeze(-1)
        out = out.index_add(0, token, F.linear(hidden, w_down_EDF[e]))
    return out
