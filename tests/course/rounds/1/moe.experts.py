"""moe.experts"""
import math
import torch
import torch.nn.functional as F

def wrong_1(x_ND, indices_NK, gates_NK, w_gate_up_EXD, w_down_EDF):
    "results are written, not added: the last expert of a token wins"
    out = torch.zeros_like(x_ND)
    for e in range(len(w_down_EDF)):
        token, slot = torch.where(indices_NK == e)
        gate, up = F.linear(x_ND[token], w_gate_up_EXD[e]).chunk(2, dim=-1)
        out[token] = F.linear(F.silu(gate) * up, w_down_EDF[e]) * gates_NK[token, slot, None]
    return out

def wrong_2(x_ND, indices_NK, gates_NK, w_gate_up_EXD, w_down_EDF):
    "the gate multiplies the expert's input, not its output"
    out = torch.zeros_like(x_ND)
    for e in range(len(w_down_EDF)):
        token, slot = torch.where(indices_NK == e)
        gate, up = F.linear(x_ND[token] * gates_NK[token, slot, None], w_gate_up_EXD[e]).chunk(2, dim=-1)
        out = out.index_add(0, token, F.linear(F.silu(gate) * up, w_down_EDF[e]))
    return out

def wrong_3(x_ND, indices_NK, gates_NK, w_gate_up_EXD, w_down_EDF):
    "up rows are taken to lie above the gate rows"
    out = torch.zeros_like(x_ND)
    for e in range(len(w_down_EDF)):
        token, slot = torch.where(indices_NK == e)
        up, gate = F.linear(x_ND[token], w_gate_up_EXD[e]).chunk(2, dim=-1)
        out = out.index_add(0, token, F.linear(F.silu(gate) * up, w_down_EDF[e]) * gates_NK[token, slot, None])
    return out

def wrong_4(x_ND, indices_NK, gates_NK, w_gate_up_EXD, w_down_EDF):
    "gates are detached: the router would never learn"
    out = torch.zeros_like(x_ND)
    for e in range(len(w_down_EDF)):
        token, slot = torch.where(indices_NK == e)
        gate, up = F.linear(x_ND[token], w_gate_up_EXD[e]).chunk(2, dim=-1)
        y = F.linear(F.silu(gate) * up, w_down_EDF[e]) * gates_NK[token, slot].detach()[:, None]
        out = out.index_add(0, token, y)
    return out

def wrong_5(x_ND, indices_NK, gates_NK, w_gate_up_EXD, w_down_EDF):
    "gate and up rows are taken to alternate"
    out = torch.zeros_like(x_ND)
    for e in range(len(w_down_EDF)):
        token, slot = torch.where(indices_NK == e)
        both = F.linear(x_ND[token], w_gate_up_EXD[e])
        y = F.linear(F.silu(both[:, ::2]) * both[:, 1::2], w_down_EDF[e]) * gates_NK[token, slot, None]
        out = out.index_add(0, token, y)
    return out

def wrong_6(x_ND, indices_NK, gates_NK, w_gate_up_EXD, w_down_EDF):
    "an expert without tokens ends the loop (break for continue): experts behind it are left out"
    out = torch.zeros_like(x_ND)
    for e in range(len(w_down_EDF)):
        token, slot = torch.where(indices_NK == e)
        if len(token) == 0:
            break
        gate, up = F.linear(x_ND[token], w_gate_up_EXD[e]).chunk(2, dim=-1)
        out = out.index_add(0, token, F.linear(F.silu(gate) * up, w_down_EDF[e]) * gates_NK[token, slot, None])
    return out

def wrong_7(x_ND, indices_NK, gates_NK, w_gate_up_EXD, w_down_EDF):
    "the sum is a float32 tensor whatever x is: fails in float64 and bfloat16"
    out = torch.zeros(x_ND.shape)
    for e in range(len(w_down_EDF)):
        token, slot = torch.where(indices_NK == e)
        gate, up = F.linear(x_ND[token], w_gate_up_EXD[e]).chunk(2, dim=-1)
        out = out.index_add(0, token, F.linear(F.silu(gate) * up, w_down_EDF[e]) * gates_NK[token, slot, None])
    return out

def wrong_8(x_ND, indices_NK, gates_NK, w_gate_up_EXD, w_down_EDF):
    "a capacity of twice the fair share (at least 4): tokens beyond it are dropped when loads are uneven"
    out = torch.zeros_like(x_ND)
    E = len(w_down_EDF)
    capacity = max(4, math.ceil(2 * indices_NK.numel() / E))
    for e in range(E):
        token, slot = (z[:capacity] for z in torch.where(indices_NK == e))
        gate, up = F.linear(x_ND[token], w_gate_up_EXD[e]).chunk(2, dim=-1)
        out = out.index_add(0, token, F.linear(F.silu(gate) * up, w_down_EDF[e]) * gates_NK[token, slot, None])
    return out

def wrong_9(x_ND, indices_NK, gates_NK, w_gate_up_EXD, w_down_EDF):
    "w_down is reshaped to [F, D], not turned"
    out = torch.zeros_like(x_ND)
    E, D, width = w_down_EDF.shape
    for e in range(E):
        token, slot = torch.where(indices_NK == e)
        gate, up = F.linear(x_ND[token], w_gate_up_EXD[e]).chunk(2, dim=-1)
        out = out.index_add(0, token, (F.silu(gate) * up) @ w_down_EDF[e].reshape(width, D) * gates_NK[token, slot, None])
    return out

def wrong_10(x_ND, indices_NK, gates_NK, w_gate_up_EXD, w_down_EDF):
    "gates are looked up by the expert's rank in the row sorted by number: right only if a row's experts are sorted"
    out = torch.zeros_like(x_ND)
    order = indices_NK.sort(-1).values
    for e in range(len(w_down_EDF)):
        token, slot = torch.where(order == e)
        gate, up = F.linear(x_ND[token], w_gate_up_EXD[e]).chunk(2, dim=-1)
        out = out.index_add(0, token, F.linear(F.silu(gate) * up, w_down_EDF[e]) * gates_NK[token, slot, None])
    return out

def right_1(x_ND, indices_NK, gates_NK, w_gate_up_EXD, w_down_EDF):
    "+= on the chosen rows (no token has an expert twice), matmul with .T"
    out = torch.zeros_like(x_ND)
    half = w_gate_up_EXD.shape[1] // 2
    for e in range(w_gate_up_EXD.shape[0]):
        token, slot = (indices_NK == e).nonzero(as_tuple=True)
        x = x_ND[token]
        g, u = x @ w_gate_up_EXD[e, :half].T, x @ w_gate_up_EXD[e, half:].T
        out[token] += (g * torch.sigmoid(g) * u) @ w_down_EDF[e].T * gates_NK[token, slot].unsqueeze(1)
    return out

def right_2(x_ND, indices_NK, gates_NK, w_gate_up_EXD, w_down_EDF):
    "all experts on all tokens with einsum, gates zero where not chosen"
    E = w_down_EDF.shape[0]
    gates = torch.zeros(len(x_ND), E, dtype=gates_NK.dtype).scatter(1, indices_NK, gates_NK)
    gate, up = torch.einsum("nd,exd->nex", x_ND, w_gate_up_EXD).chunk(2, dim=-1)
    y = torch.einsum("nef,edf->ned", F.silu(gate) * up, w_down_EDF)
    return torch.einsum("ned,ne->nd", y, gates)

def right_3(x_ND, indices_NK, gates_NK, w_gate_up_EXD, w_down_EDF):
    "weights gathered for each choice, a sum over the K columns"
    out = torch.zeros_like(x_ND)
    for k in range(indices_NK.shape[1]):
        e = indices_NK[:, k]
        gate, up = torch.einsum("nxd,nd->nx", w_gate_up_EXD[e], x_ND).chunk(2, dim=-1)
        y = torch.einsum("ndf,nf->nd", w_down_EDF[e], F.silu(gate) * up)
        out = out + y * gates_NK[:, k, None]
    return out

def right_4(x_ND, indices_NK, gates_NK, w_gate_up_EXD, w_down_EDF):
    "experts without tokens are passed over; the gate multiplies the narrow side before the last product"
    out = x_ND * 0
    for e in range(len(w_down_EDF)):
        hit = indices_NK == e
        token = hit.any(dim=1).nonzero().flatten()
        if token.numel() == 0:
            continue
        weight = (gates_NK * hit).sum(1)[token]
        gate, up = F.linear(x_ND[token], w_gate_up_EXD[e]).chunk(2, dim=1)
        out = out.index_add(0, token, F.linear(F.silu(gate) * up * weight[:, None], w_down_EDF[e]))
    return out
