"""The language-model loss of a micro-batch, as sums: whoever knows the whole batch divides.

    main = sum_t w_t * -log p(ids_t | h_(t-1))         mtp = 1/D sum_k sum_t w_t * -log p_k(ids_t | h^k_(t-1-k))

w_t is the weight of predicting token t: 0 for padding, for the first token of a text and for masked prompts. h_i is the
model's state at position i; MTP module k (1 .. D) predicts k tokens further (arXiv 2412.19437 §2.2).

Shapes: B rows, T time, D hidden, N positions with weight, V vocabulary.
On a CPU `fast.linear_cross_entropy` forms the gradients while it computes the loss and keeps no logits. Elsewhere
logits of N x V elements are kept for the backward pass up to a limit; above it they are computed twice.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint as recompute

from minids.model import fast, matmul

LOGITS_AT_ONCE = 2**25  # elements; above it the head runs in chunks, and again in the backward pass


def lm_loss(model: nn.Module, batch, *, loads=None, mtp_lambda: float = 0.0) -> tuple[Tensor, Tensor]:
    """Sums of weighted next-token losses of a micro-batch: (main, MTP); divide by the weights' sum for the mean.

    The MTP sum is the mean over modules, without lambda; 0 if the model has none or `mtp_lambda` is 0.
    """
    where = dict(segments_BT=batch.segments_BT, valid_BT=batch.valid_BT, loads=loads)
    hidden_BTD = model.hidden(batch.ids_BT, **where)
    main = nll_sum(model.lm_head, hidden_BTD, batch, ahead=1)
    mtp = torch.zeros_like(main)
    if mtp_lambda and len(getattr(model, "mtp", ())):
        states = model.mtp_hidden(hidden_BTD, batch.ids_BT, **where)
        mtp = sum(nll_sum(model.lm_head, h_BTD, batch, ahead=k) for k, h_BTD in enumerate(states, 2)) / len(states)
    return main, mtp


def nll_sum(head: nn.Module, hidden_BTD: Tensor, batch, ahead: int) -> Tensor:
    """sum_t w[t+ahead] * -log p(ids[t+ahead] | hidden[t]), where position t predicts the token `ahead` of it.

    Only positions with weight go through the head, which is a large part of a tiny model. With ahead > 1 a prediction
    could reach into the next packed document; it does not count then.
    """
    weight_BT = batch.weight_BT[:, ahead:]
    if ahead > 1 and batch.segments_BT is not None:
        weight_BT = weight_BT * (batch.segments_BT[:, ahead:] == batch.segments_BT[:, :-ahead])
    if matmul.full_precision_cpu(hidden_BTD) and getattr(head, "bias", None) is None:
        target_BT, weight_BT = (F.pad(z, (0, ahead)) for z in (batch.ids_BT[:, ahead:], weight_BT))
        return fast.linear_cross_entropy(
            hidden_BTD.flatten(0, 1), head.weight, target_BT.flatten(), weight_BT.flatten()
        )
    row, t = weight_BT.nonzero(as_tuple=True)
    x_ND = hidden_BTD.flatten(0, 1).index_select(0, row * hidden_BTD.shape[1] + t)
    target_N, weight_N = batch.ids_BT[row, t + ahead], weight_BT[row, t]
    if not len(x_ND):  # all of it padding or prompt
        return x_ND.sum()
    chunk = max(1, LOGITS_AT_ONCE // head.weight.shape[0])
    if len(x_ND) <= chunk:
        return _weighted_nll(head, x_ND, target_N, weight_N)
    parts = zip(x_ND.split(chunk), target_N.split(chunk), weight_N.split(chunk))
    return sum(recompute(_weighted_nll, head, *part, use_reentrant=False) for part in parts)


def _weighted_nll(head, x_ND, target_N, weight_N):
    logits_NV = head(x_ND)
    logits_NV = logits_NV.to(torch.promote_types(logits_NV.dtype, torch.float32))  # a bf16 log-softmax is too coarse
    nll_N = F.cross_entropy(logits_NV, target_N, reduction="none")
    return (nll_N * weight_N).sum()  # not nll @ weight: autocast would take that product in bf16
