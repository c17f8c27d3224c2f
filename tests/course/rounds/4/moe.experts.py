"""moe.experts"""
import torch
import torch.nn.functional as F


def _swiglu(x, w_gate_up, w_down):
    gate, up = F.linear(x, w_gate_up).chunk(2, dim=-1)
    return F.linear(F.silu(gate) * up, w_down)


def wrong_1(x_ND, indices_NK, gates_NK, w_gate_up_EXD, w_down_EDF):
    "gate and up halves are swapped"
    out = torch.zeros_like(x_ND)
    for e in range(len(w_gate_up_EXD)):
        token, slot = torch.where(indices_NK == e)
        up, gate = F.linear(x_ND[token], w_gate_up_EXD[e]).chunk(2, dim=-1)
        y = F.linear(F.silu(gate) * up, w_down_EDF[e]) * gates_NK[token, slot, None]
        out = out.index_add(0, token, y)
    return out


def wrong_2(x_ND, indices_NK, gates_NK, w_gate_up_EXD, w_down_EDF):
    "assigns instead of adding: a token with K > 1 keeps only its last expert"
    out = torch.zeros_like(x_ND)
    for e in range(len(w_gate_up_EXD)):
        token, slot = torch.where(indices_NK == e)
        out[token] = _swiglu(x_ND[token], w_gate_up_EXD[e], w_down_EDF[e]) * gates_NK[token, slot, None]
    return out


def wrong_3(x_ND, indices_NK, gates_NK, w_gate_up_EXD, w_down_EDF):
    "interleaved gate and up rows (::2) instead of one block above the other"
    out = torch.zeros_like(x_ND)
    for e in range(len(w_gate_up_EXD)):
        token, slot = torch.where(indices_NK == e)
        both = F.linear(x_ND[token], w_gate_up_EXD[e])
        y = F.linear(F.silu(both[:, ::2]) * both[:, 1::2], w_down_EDF[e]) * gates_NK[token, slot, None]
        out = out.index_add(0, token, y)
    return out


def wrong_4(x_ND, indices_NK, gates_NK, w_gate_up_EXD, w_down_EDF):
    "gates are detached: numbers right, the router gets no gradient"
    out = torch.zeros_like(x_ND)
    for e in range(len(w_gate_up_EXD)):
        token, slot = torch.where(indices_NK == e)
        y = _swiglu(x_ND[token], w_gate_up_EXD[e], w_down_EDF[e]) * gates_NK.detach()[token, slot, None]
        out = out.index_add(0, token, y)
    return out


def wrong_5(x_ND, indices_NK, gates_NK, w_gate_up_EXD, w_down_EDF):
    "the gate multiplies the input of the expert instead of its output (SwiGLU is not linear)"
    out = torch.zeros_like(x_ND)
    for e in range(len(w_gate_up_EXD)):
        token, slot = torch.where(indices_NK == e)
        y = _swiglu(x_ND[token] * gates_NK[token, slot, None], w_gate_up_EXD[e], w_down_EDF[e])
        out = out.index_add(0, token, y)
    return out


def wrong_6(x_ND, indices_NK, gates_NK, w_gate_up_EXD, w_down_EDF):
    "the output buffer is float32 whatever x is: fails or changes dtype for float64 and bfloat16"
    out = torch.zeros(x_ND.shape)
    for e in range(len(w_gate_up_EXD)):
        token, slot = torch.where(indices_NK == e)
        y = _swiglu(x_ND[token], w_gate_up_EXD[e], w_down_EDF[e]) * gates_NK[token, slot, None]
        out = out.index_add(0, token, y.float())
    return out


def wrong_7(x_ND, indices_NK, gates_NK, w_gate_up_EXD, w_down_EDF):
    "gates looked up by expert number modulo K instead of by the slot of the choice"
    out = torch.zeros_like(x_ND)
    K = indices_NK.shape[1]
    for e in range(len(w_gate_up_EXD)):
        token, slot = torch.where(indices_NK == e)
        y = _swiglu(x_ND[token], w_gate_up_EXD[e], w_down_EDF[e]) * gates_NK[token, e % K, None]
        out = out.index_add(0, token, y)
    return out


def wrong_8(x_ND, indices_NK, gates_NK, w_gate_up_EXD, w_down_EDF):
    "stops at the first expert without tokens (break for continue): later experts are lost"
    out = torch.zeros_like(x_ND)
    for e in range(len(w_gate_up_EXD)):
        token, slot = torch.where(indices_NK == e)
        if len(token) == 0:
            break
        y = _swiglu(x_ND[token], w_gate_up_EXD[e], w_down_EDF[e]) * gates_NK[token, slot, None]
        out = out.index_add(0, token, y)
    return out


def wrong_9(x_ND, indices_NK, gates_NK, w_gate_up_EXD, w_down_EDF):
    "gates are normalised once more over the K: differs for gates that do not sum to 1 (scaling 2.5, norm off)"
    out = torch.zeros_like(x_ND)
    gates_NK = gates_NK / gates_NK.sum(-1, keepdim=True)
    for e in range(len(w_gate_up_EXD)):
        token, slot = torch.where(indices_NK == e)
        y = _swiglu(x_ND[token], w_gate_up_EXD[e], w_down_EDF[e]) * gates_NK[token, slot, None]
        out = out.index_add(0, token, y)
    return out


def wrong_10(x_ND, indices_NK, gates_NK, w_gate_up_EXD, w_down_EDF):
    "adds into x itself (out = x, in place): the residual is in the result and the input changes"
    out = x_ND.detach()
    for e in range(len(w_gate_up_EXD)):
        token, slot = torch.where(indices_NK == e)
        y = _swiglu(x_ND[token], w_gate_up_EXD[e], w_down_EDF[e]) * gates_NK[token, slot, None]
        out = out.index_add_(0, token, y.detach()) if not y.requires_grad else out.index_add(0, token, y)
    return out


def right_1(x_ND, indices_NK, gates_NK, w_gate_up_EXD, w_down_EDF):
    "a mask over all tokens for each expert and slot, explicit matrix products"
    N, D = x_ND.shape
    Fw = w_down_EDF.shape[2]
    out = x_ND.new_zeros(N, D)
    for e in range(w_gate_up_EXD.shape[0]):
        mine = (indices_NK == e).any(dim=1)
        weight = (gates_NK * (indices_NK == e).to(gates_NK.dtype)).sum(dim=1)[mine]
        x = x_ND[mine]
        gate = x @ w_gate_up_EXD[e, :Fw].T
        up = x @ w_gate_up_EXD[e, Fw:].T
        y = (gate * torch.sigmoid(gate) * up) @ w_down_EDF[e].T
        out = out.index_add(0, mine.nonzero()[:, 0], y * weight[:, None])
    return out


def right_2(x_ND, indices_NK, gates_NK, w_gate_up_EXD, w_down_EDF):
    "einsum over all experts, gates scattered to [N, E]"
    E = w_gate_up_EXD.shape[0]
    pick = F.one_hot(indices_NK, E).to(gates_NK.dtype)
    gates_NE = (pick * gates_NK[..., None]).sum(1).to(x_ND.dtype)
    gate, up = torch.einsum("nd,exd->nex", x_ND, w_gate_up_EXD).chunk(2, dim=-1)
    y = torch.einsum("nef,edf->ned", F.silu(gate) * up, w_down_EDF)
    return torch.einsum("ned,ne->nd", y, gates_NE)


def right_3(x_ND, indices_NK, gates_NK, w_gate_up_EXD, w_down_EDF):
    "in-place index_add_ on a fresh buffer, nonzero instead of where"
    out = torch.zeros_like(x_ND)
    for e in range(len(w_down_EDF)):
        where = (indices_NK == e).nonzero()
        token, slot = where[:, 0], where[:, 1]
        y = _swiglu(x_ND.index_select(0, token), w_gate_up_EXD[e], w_down_EDF[e])
        out.index_add_(0, token, gates_NK[token, slot].unsqueeze(1) * y)
    return out


def right_4(x_ND, indices_NK, gates_NK, w_gate_up_EXD, w_down_EDF):
    "gathers the weights of each choice, one slot k at a time"
    y = torch.zeros_like(x_ND)
    for k in range(indices_NK.shape[1]):
        chosen = indices_NK[:, k]
        gate, up = torch.bmm(w_gate_up_EXD[chosen], x_ND[:, :, None]).squeeze(2).chunk(2, dim=-1)
        hidden = F.silu(gate) * up
        y = y + torch.bmm(w_down_EDF[chosen], hidden[:, :, None]).squeeze(2) * gates_NK[:, k : k + 1]
    return y
