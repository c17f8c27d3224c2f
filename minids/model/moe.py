"""DeepSeekMoE with auxiliary-loss-free balancing (arXiv 2412.19437 §2.1.2).

    s = sigmoid(W_g x)                                    affinity of a token to each routed expert
    selected = top-K of (s + b), within the best groups   the bias b decides who works …
    gate_i = s_i / sum_selected s * routed_scaling_factor … and never how much it counts
    y = shared(x) + sum_selected gate_i * expert_i(x)
    b_i += gamma * sign(mean load - load_i)               once an optimizer step, from the whole batch's loads

A group's score is the sum of its two best biased scores; experts outside the best `topk_group` groups are out (-inf,
not 0: a biased score can be negative). The sequence-wise balance loss (eq. 17-20) only guards against extremes within
one text.

Shapes: N tokens (batch and time flattened), D hidden, E routed experts, K active ones, G groups, F expert width.
Three ways to compute the experts give the same numbers: `experts_loop` is the one to read; `experts_grouped` sorts
tokens by expert, so that each expert is one matrix product over a slice, with a hand-written backward (fastest to train
on a CPU at 2,000 tokens); `experts_dense` runs all experts on all tokens in two products, which wins for a handful of
tokens, where the number of calls is what costs. Left out: dropping of tokens (V3 never drops) and placement over
machines.
"""

import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import nn

from minids.dispatch import as_written, definitions
from minids.errors import MinidsError
from minids.model.layers import MLP
from minids.model.ops import gpu, linear
from minids.model.ops.linear import need_input


def mask_groups(choice_NE, n_group, topk_group):
    """Lets only the experts of the best `topk_group` groups of each token take part: biased scores [N, E] -> [N, E].

    Group g holds the E / n_group consecutive experts from g * E / n_group on, at least two. A group's score is the sum
    of its two best. Experts of the best groups keep their scores; the others get one that loses against every finite
    score, so that a top-k over a row finds them last. With topk_group = n_group nothing changes. The input is left as
    it is. (Node-limited routing, arXiv 2412.19437 section 2.1.2: the sum over the best K/M = 8/4 = 2 of a node)
    """
    if topk_group >= n_group:
        return choice_NE
    N, E = choice_NE.shape
    choice_NGX = choice_NE.view(N, n_group, E // n_group)
    # each group's score, and which groups are the best
    group_scores_NG = choice_NGX.topk(2, dim=-1).values.sum(-1)
    best = group_scores_NG.topk(topk_group, dim=-1).indices
    # True where a group is out
    out_NG = torch.ones_like(group_scores_NG, dtype=torch.bool).scatter_(1, best, False)
    return choice_NGX.masked_fill(out_NG[..., None], float("-inf")).view(N, E)


def route(scores_NE, bias_E, n_group, topk_group, top_k, norm, scaling):
    """Picks experts: scores after the sigmoid [N, E], bias [E] -> (indices [N, K] int64, gates [N, K]), K = top_k.

    The K experts with the highest score + bias work, among those that `mask_groups` lets take part. What they count
    comes from the scores alone, without the bias: gate = score, divided by the sum over the K chosen (+ 1e-20, so that
    scores of 0 give gates of 0) if `norm`, times `scaling`. Gradients flow through the gates only; the bias gets none.
    The order of the K is free.
    (arXiv 2412.19437 section 2.1.2, eq. 12-16)
    """
    # who works: biased scores, without a gradient; then the groups; then the K best
    choice_NE = mask_groups(scores_NE.detach() + bias_E, n_group, topk_group)
    indices_NK = choice_NE.topk(top_k, dim=-1).indices
    # what each one counts: the scores at those places
    gates_NK = scores_NE.gather(1, indices_NK)
    # the sum of sigmoids can come close to zero: + 1e-20
    if norm:
        gates_NK = gates_NK / (gates_NK.sum(-1, keepdim=True) + 1e-20)
    return indices_NK, gates_NK * scaling


def balance_loss(scores_NE, indices_NK, rows_N, n_rows):
    """Sequence-wise balance loss (arXiv 2412.19437 section 2.1.2, eq. 17-20), the mean over texts -> a scalar.

    scores [N, E] after the sigmoid, indices [N, K] of the experts that worked, rows_N int [N]: which of `n_rows` texts
    a token is of, -1 for none (padding). For a text of T tokens

        f_i = E / (K T) * (how many of its tokens chose expert i)
        P_i = mean over its tokens of s_i / (s_1 + … + s_E)
        loss = f_1 P_1 + … + f_E P_E                      1 when all is even

    A text without tokens takes no part in the mean; with none at all the loss is 0. Gradients flow through P only.
    The paper counts the K best by affinity alone; here the experts that worked are counted, as `seq_aux` of the
    released configs did.
    """
    E, K = scores_NE.shape[1], indices_NK.shape[1]
    # 1 where token n is of text r, [N, R]; padding is of none
    member_NR = F.one_hot(rows_N + 1, n_rows + 1)[:, 1:].to(scores_NE.dtype)
    count_R = member_NR.sum(0)  # 0 for a text that is all padding: it takes no part in the average
    length_R1 = count_R.clamp(min=1)[:, None]
    # f and P of each text: sums over its tokens are products with member_NR
    chosen_NE = torch.zeros_like(scores_NE).scatter_(1, indices_NK, 1.0)
    f_RE = member_NR.T @ chosen_NE * (E / K) / length_R1
    p_RE = member_NR.T @ (scores_NE / (scores_NE.sum(-1, keepdim=True) + 1e-20)) / length_R1
    # the mean over the texts that have tokens
    return (f_RE * p_RE).sum() / (count_R > 0).sum().clamp(min=1)


# -- three ways to compute the experts ---------------------------------------------------------------------------------


def experts_loop(x_ND, indices_NK, gates_NK, w_gate_up_EXD, w_down_EDF):
    """The definition: each expert's tokens through its SwiGLU, times their gates, added up per token -> [N, D].

    x [N, D], indices [N, K] (no expert twice in a row), gates [N, K]; gate and up rows of expert e lie one above the
    other in w_gate_up[e] (X = 2F rows), w_down[e] is [D, F]:

        y_n = sum_k gates[n, k] * W_down[e] (silu(W_gate[e] x_n) * (W_up[e] x_n)),   e = indices[n, k]

    Gradients reach x, gates and the weights. An expert without tokens is no special case.
    """
    out_ND = torch.zeros_like(x_ND)
    for e, (w_gate_up, w_down) in enumerate(zip(w_gate_up_EXD.unbind(0), w_down_EDF.unbind(0))):
        # which tokens chose e, and as which of their K choices
        token, slot = torch.where(indices_NK == e)
        # its SwiGLU on these tokens alone, times the gate
        gate, up = F.linear(x_ND[token], w_gate_up).chunk(2, dim=-1)
        y = F.linear(F.silu(gate) * up, w_down) * gates_NK[token, slot, None]
        # added to what other experts gave the same tokens
        out_ND = out_ND.index_add(0, token, y)
    return out_ND


def experts_dense(x_ND, indices_NK, gates_NK, w_gate_up_EXD, w_down_EDF):
    """All experts on all tokens, with gate 0 where an expert was not chosen. -> [N, D]"""
    N, (E, X, D) = x_ND.shape[0], w_gate_up_EXD.shape
    gates_NE = torch.zeros(N, E, dtype=x_ND.dtype, device=x_ND.device).scatter(1, indices_NK, gates_NK.to(x_ND.dtype))
    gate_NEF, up_NEF = F.linear(x_ND, w_gate_up_EXD.view(E * X, D)).view(N, E, X).chunk(2, dim=-1)
    hidden_NEF = F.silu(gate_NEF) * up_NEF * gates_NE[..., None]
    return hidden_NEF.flatten(1) @ w_down_EDF.transpose(1, 2).reshape(E * (X // 2), D)


class _Grouped(torch.autograd.Function):
    """Tokens sorted by expert; every expert is a product over its slice. The gate multiplies the narrow side
    (F, not D).

    Slices are rounded up to a multiple of `linear.ROWS` (see there): M rows in all. A row that fills up is token 0 with
    gate 0, which adds nothing to any gradient, and its result is never read.
    """

    @staticmethod
    def forward(ctx, x_ND, indices_NK, gates_NK, w_gate_up_EXD, w_down_EDF):
        sizes, token_M, row_NK = permute_tokens(
            indices_NK, len(w_gate_up_EXD), linear.ROWS if linear.onednn_supports(x_ND) else 1
        )
        x_MD = x_ND.index_select(0, token_M)
        gate_up_MX = per_expert(linear.matmul_nt, sizes, x_MD, w_gate_up_EXD)
        gates_M1 = gates_NK.new_zeros(len(token_M), 1).index_copy_(0, row_NK.reshape(-1), gates_NK.reshape(-1, 1))
        gate_MF, up_MF = gate_up_MX.chunk(2, dim=-1)
        gate_MF = gate_MF.contiguous()  # silu is slow on rows that are apart and no multiple of 32 long
        silu_MF = F.silu(gate_MF)
        weighted_MF = (silu_MF * gates_M1).mul_(up_MF)
        y_MD = per_expert(linear.matmul_nt, sizes, weighted_MF, w_down_EDF)
        ctx.save_for_backward(
            x_MD, token_M, row_NK, gate_MF, up_MF, gates_M1, silu_MF, weighted_MF, w_gate_up_EXD, w_down_EDF
        )
        ctx.sizes = sizes
        return sum_rows(y_MD, row_NK)

    @staticmethod
    def backward(ctx, grad_ND):
        x_MD, token_M, row_NK, gate_MF, up_MF, gates_M1, silu_MF, weighted_MF, *weights = ctx.saved_tensors
        w_gate_up_EXD, w_down_EDF = weights
        sizes = ctx.sizes
        grad_MD = grad_ND.index_select(0, token_M)
        grad_w_down = per_expert(linear.weight_gradient, sizes, grad_MD, weighted_MF, join=torch.stack)
        grad_weighted_MF = per_expert(linear.matmul_nt, sizes, grad_MD, w_down_EDF.transpose(1, 2))
        grad_up_MF = grad_weighted_MF * silu_MF
        grad_gates_M = torch.linalg.vecdot(grad_up_MF, up_MF)  # what a gate multiplied is silu * up
        grad_silu_MF = grad_weighted_MF.mul_(gates_M1).mul_(up_MF)
        grad_gate_up_MX = torch.cat(
            [torch.ops.aten.silu_backward(grad_silu_MF, gate_MF), grad_up_MF.mul_(gates_M1)], dim=-1
        )
        grad_w_gate_up = per_expert(linear.weight_gradient, sizes, grad_gate_up_MX, x_MD, join=torch.stack)
        grad_x_MD = per_expert(linear.matmul_nt, sizes, grad_gate_up_MX, w_gate_up_EXD.transpose(1, 2))
        return sum_rows(grad_x_MD, row_NK), None, grad_gates_M[row_NK], grad_w_gate_up, grad_w_down


def permute_tokens(indices_NK, experts, multiple):
    """Where each choice of a token stands when tokens are sorted by expert and every expert's slice is rounded up.

    indices [N, K] of experts 0 .. experts-1 -> (sizes, token_M, row_NK):
    sizes       list of ints, one per expert: how many choices it got, rounded up to a multiple of `multiple`; sum = M
    token_M     [M] int64: the token in each row, 0 in rows that only fill up a slice (they come last in it)
    row_NK    [N, K] int64: the row of each choice, so token_M[row_NK[n, k]] = n, and no two choices share a row

        permute_tokens([[0, 2], [2, 0], [2, 3]], experts=4, multiple=2)
        ([2, 0, 4, 2],  [0, 1,  0, 1, 2, 0,  2, 0],  [[0, 2], [3, 1], [4, 6]])
    """
    chosen = indices_NK.reshape(-1)
    # how long each slice is, and how long once rounded up
    count_E = torch.bincount(chosen, minlength=experts)
    size_E = (count_E + multiple - 1) // multiple * multiple
    # sorted, choice number i is in row i, plus the rows that fill up the slices of the experts before its own
    shift_E = (size_E.cumsum(0) - size_E) - (count_E.cumsum(0) - count_E)
    order = chosen.argsort(stable=True)
    row = torch.arange(len(order), device=order.device) + shift_E[chosen[order]]
    # choice c of the flat list is of token c // K
    sizes = size_E.tolist()
    token_M = order.new_zeros(sum(sizes)).index_copy_(0, row, order // indices_NK.shape[1])
    # and back: the row of each choice
    row_NK = torch.empty_like(order).index_copy_(0, order, row).view(indices_NK.shape)
    return sizes, token_M, row_NK


def per_expert(product, sizes, a_MX, b, join=torch.cat):
    """product(slice of a, b of that expert) for all experts; b is [E, …] weights or has M rows like a."""
    parts = zip(a_MX.split(sizes), b.split(sizes) if b.dim() == 2 else b.unbind(0))
    return join([product(a, other) for a, other in parts])


def sum_rows(y_MD, row_NK):
    """Adds up the K results of each token -> [N, D]."""
    total_ND = y_MD.index_select(0, row_NK[:, 0])
    for k in range(1, row_NK.shape[1]):
        total_ND += y_MD.index_select(0, row_NK[:, k])
    return total_ND


def experts_grouped(x_ND, indices_NK, gates_NK, w_gate_up_EXD, w_down_EDF):
    """Sorted tokens, one product an expert over its slice. -> [N, D]"""
    return _Grouped.apply(x_ND, indices_NK, gates_NK.to(x_ND.dtype), w_gate_up_EXD, w_down_EDF)


DENSE_LIMIT = 128  # tokens up to which all experts on all tokens is faster than sorting (`minids bench decode`)

definitions(experts_loop, permute_tokens)  # they have fast forms


def experts_form(x_ND):
    """The function that computes the experts of these tokens.

    A fast form, unless `experts_loop` was replaced: then the replacement, for all tokens. If `permute_tokens` was
    replaced too, the grouped form, which calls it, trains and reads prompts, and the loop decodes.
    """
    few = x_ND.shape[0] <= DENSE_LIMIT and x_ND.device.type == "cpu" and not torch.is_grad_enabled()
    if not as_written(experts_loop):
        return experts_loop if few or as_written(permute_tokens) else experts_grouped
    if gpu.supports(x_ND) and as_written(permute_tokens):
        return gpu.experts
    return experts_dense if few else experts_grouped


# -- modules (names as in the released checkpoints) --------------------------------------------------------------------


class Gate(nn.Module):
    """The router: a score of every expert for every token, and which experts it takes (arXiv 2412.19437 §2.1.2).

    `e_score_correction_bias` decides who is chosen and has no part in the gates; `update_bias` moves it.
    """

    def __init__(self, config):
        super().__init__()
        self.config = config
        self.weight = nn.Parameter(torch.empty(config.n_routed_experts, config.hidden_size))
        # float32 always: released biases sit near 5, where bf16 cannot see a step of 0.001
        self.register_buffer("e_score_correction_bias", torch.zeros(config.n_routed_experts, dtype=torch.float32))

    def _apply(self, fn, recurse=True):
        """`model.to(bfloat16)` moves the bias to another device, but leaves it float32."""
        bias = self.e_score_correction_bias
        super()._apply(fn, recurse)
        if self.e_score_correction_bias.dtype != torch.float32:
            self.e_score_correction_bias = bias.to(self.e_score_correction_bias.device)
        return self

    def forward(self, x_ND):
        """-> scores [N, E] in float32 (or wider), indices [N, K], gates [N, K]."""
        c = self.config
        dtype = torch.promote_types(x_ND.dtype, torch.float32)
        scores_NE = F.linear(x_ND.to(dtype), self.weight.to(dtype)).sigmoid()
        indices, gates = route(
            scores_NE,
            self.e_score_correction_bias,
            c.n_group,
            c.topk_group,
            c.num_experts_per_tok,
            c.norm_topk_prob,
            c.routed_scaling_factor,
        )
        return scores_NE, indices, gates


class Experts(nn.Module):
    """All routed experts of a layer in two tensors: gate rows above up rows, as transformers keeps them."""

    def __init__(self, config):
        super().__init__()
        E, D, F_ = config.n_routed_experts, config.hidden_size, config.moe_intermediate_size
        self.gate_up_proj = nn.Parameter(torch.empty(E, 2 * F_, D))
        self.down_proj = nn.Parameter(torch.empty(E, D, F_))

    def forward(self, x_ND, indices_NK, gates_NK):
        """x [N, D], indices and gates [N, K] -> sum over a token's experts of gate * expert(x), [N, D]."""
        form = experts_form(x_ND)
        if form is experts_loop:  # the others take gates of any type
            gates_NK = gates_NK.to(x_ND.dtype)
        return form(x_ND, indices_NK, gates_NK, self.gate_up_proj, self.down_proj)


class MoE(nn.Module):
    """Routed experts beside the shared ones (DeepSeekMoE): x -> sum of gate * expert(x) + shared(x), of its shape.

    config   a ModelConfig      index   its number among the layers with experts, for the counts of loads
    """

    def __init__(self, config, index):
        super().__init__()
        self.index = index  # among the MoE layers, for the load counts
        self.gate = Gate(config)
        self.experts = Experts(config)
        self.shared_experts = MLP(config.hidden_size, config.moe_intermediate_size * config.n_shared_experts)

    def forward(self, x_BTD, loads=None, rows_BT=None):
        """x [B, T, D] -> [B, T, D]; any leading dimensions will do.

        loads     an ExpertLoad that collects what each expert got; None: nothing is collected
        rows_BT   int [B, T] or as many numbers: the text that each token is of, -1 for padding; None: one text

        Raises MinidsError for what does not fit together; `loads` is then as it was.
        """
        need_input(type(self).__name__, x_BTD, self.gate.weight, self.gate.weight.shape[1])
        x_ND = x_BTD.reshape(-1, x_BTD.shape[-1])
        scores, indices, gates = self.gate(x_ND)
        if loads is not None:
            loads.record(self.index, scores, indices, rows_BT)
        y = self.experts(x_ND, indices, gates) + self.shared_experts(x_ND)
        return y.view(x_BTD.shape)


# -- balance -----------------------------------------------------------------------------------------------------------


class ExpertLoad:
    """Collects, over the training forwards of one optimizer step, how many tokens each expert got, and the balance
    loss.

    It is passed to a forward explicitly, so an evaluation can never count. `counts` is [MoE layers, E], float64.
    """

    def __init__(self):
        self.by_layer = {}
        self.losses = []

    def record(self, index, scores_NE, indices_NK, rows_BT=None):
        """rows_BT numbers the texts (B*T values, -1 = padding, which is not counted); None: one text, no padding.
        Raises MinidsError for rows_BT of another number."""
        if rows_BT is not None and (rows_BT.numel() != len(indices_NK) or rows_BT.is_floating_point()):
            raise MinidsError(
                f"expert loads: rows_BT must be whole numbers, one for each of {len(indices_NK)} tokens, got "
                f"{rows_BT.dtype} {list(rows_BT.shape)}."
            )
        rows_N = torch.zeros(len(indices_NK), dtype=torch.long) if rows_BT is None else rows_BT.reshape(-1)
        rows_N = rows_N.to(indices_NK.device)
        kept = indices_NK if rows_BT is None else indices_NK[rows_N >= 0]
        count = torch.bincount(kept.reshape(-1), minlength=scores_NE.shape[1]).double()
        self.by_layer[index] = self.by_layer.get(index, 0) + count
        n_rows = int(rows_N.max()) + 1 if len(rows_N) else 0
        if n_rows > 0:
            self.losses.append(balance_loss(scores_NE, indices_NK, rows_N, n_rows))

    @property
    def counts(self):
        """Tokens that each expert got, [MoE layers, E] float64; None before the first forward."""
        return torch.stack([self.by_layer[i] for i in sorted(self.by_layer)]) if self.by_layer else None

    @property
    def balance_loss(self):
        """Mean over layers and forwards; 0 for a model without experts."""
        return torch.stack(self.losses).mean() if self.losses else torch.zeros(())


def bias_step(bias_E, count_E, gamma):
    """The router's biases after an optimizer step -> a new [E], in the dtype of the bias.

    bias_E [E] float32; count_E [E] float64, which is exact however large: how many tokens each expert got in that step.
    An expert with less than the mean load gets gamma more and becomes more attractive, one with more than the mean gets
    gamma less, however far off they are; one with exactly the mean keeps its bias. (arXiv 2412.19437 section 2.1.2;
    gamma = 0.001 in section 4.2)
    """
    # the sign of (mean - load) says which way
    return bias_E + gamma * torch.sign(count_E.mean() - count_E).to(bias_E.dtype)


@torch.no_grad()
def update_bias(model, counts, gamma):
    """Moves every router bias once, after an optimizer step. Under torch.distributed the counts are summed over
    processes first."""
    if counts is None or gamma == 0:
        return
    if dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1:
        counts = counts.clone()
        dist.all_reduce(counts)
    for moe in moe_layers(model):
        if moe.index >= len(counts):  # an MTP module that took no part in these forwards
            continue
        bias = moe.gate.e_score_correction_bias
        bias.copy_(bias_step(bias, counts[moe.index].to(bias.device), gamma))


def moe_layers(model):
    """The MoE layers of a model, those of its MTP modules too."""
    return [m for m in model.modules() if isinstance(m, MoE)]
