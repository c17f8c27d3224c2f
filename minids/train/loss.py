"""The language-model loss of a micro-batch, as sums: the caller divides by the weight of the whole batch.

    main = sum_t w_t * -log p(ids_t | h_(t-1))         mtp = 1/D sum_k sum_t w_t * -log p_k(ids_t | h^k_(t-1-k))

w_t is the weight of predicting token t: 0 for padding, for the first token of a text and for masked prompts. h_i is the
model's state at position i; MTP module k (1 .. D) predicts k tokens further (arXiv 2412.19437 §2.2).

Shapes: B rows, T time, D hidden, N positions with weight, V vocabulary.
On a CPU `cpu.linear_cross_entropy` forms the gradients while it computes the loss and keeps no logits. Elsewhere
logits of N x V elements are kept for the backward pass up to a limit; above it they are computed twice.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint as recompute

from minids.model.ops import cpu, gpu, linear

LOGITS_AT_ONCE = 2**25  # elements; above it the head runs in chunks, and again in the backward pass


def lm_loss(model: nn.Module, batch, *, loads=None, mtp_lambda: float = 0.0) -> tuple[Tensor, Tensor]:
    """Sums of weighted next-token losses of a micro-batch: (main, MTP); divide by the weights' sum for the mean.

    The MTP sum is the mean over modules, without lambda; 0 if the model has none or `mtp_lambda` is 0.
    """
    where = dict(doc_ids_BT=batch.doc_ids_BT, valid_BT=batch.valid_BT, loads=loads)
    hidden_BTD = model.hidden(batch.ids_BT, **where)
    main = nll_sum(model.lm_head, hidden_BTD, batch, ahead=1)
    mtp = torch.zeros_like(main)
    if mtp_lambda and len(getattr(model, "mtp", ())):
        states = model.mtp_hidden(hidden_BTD, batch.ids_BT, **where)
        mtp = sum(nll_sum(model.lm_head, h_BTD, batch, ahead=k) for k, h_BTD in enumerate(states, 2)) / len(states)
    return main, mtp


def targets_ahead(ids_BT, weight_BT, doc_ids_BT, ahead):
    """What each position is to predict, `ahead` tokens further, and how much that counts -> (target_BT, weight_BT).

    target_BT  int [B, T]: ids[t + ahead] at position t; any id of the vocabulary where the weight is 0
    weight_BT  [B, T]: the weight of that token; 0 where there is none, and where it belongs to another document

    ids_BT int [B, T]; weight_BT [B, T], weight[t] is that of predicting ids[t]; doc_ids_BT int [B, T], equal numbers
    in a row are one document, whatever they are and whatever lies between: with [1, 2, 1] the first token and the third
    (None: one document a row); ahead >= 1, which may exceed T. No input is changed.
    """
    T = ids_BT.shape[1]
    # the token and its weight, moved to the position that predicts them
    target_BT, moved_BT = (F.pad(z_BT[:, ahead:], (0, min(ahead, T))) for z_BT in (ids_BT, weight_BT))
    if doc_ids_BT is None:
        return target_BT, moved_BT
    # a prediction must not reach into the next packed document
    same_BT = F.pad(doc_ids_BT[:, ahead:] == doc_ids_BT[:, : max(0, T - ahead)], (0, min(ahead, T)))
    return target_BT, moved_BT * same_BT


def nll_sum(head: nn.Module, hidden_BTD: Tensor, batch, ahead: int) -> Tensor:
    """sum_t w[t+ahead] * -log p(ids[t+ahead] | hidden[t]), where position t predicts the token `ahead` of it.

    Only positions with weight go through the head, which is a large part of a tiny model.
    """
    target_BT, weight_BT = targets_ahead(batch.ids_BT, batch.weight_BT, batch.doc_ids_BT, ahead)
    if linear.full_precision_cpu(hidden_BTD) and getattr(head, "bias", None) is None:
        return cpu.linear_cross_entropy(hidden_BTD.flatten(0, 1), head.weight, target_BT.flatten(), weight_BT.flatten())
    if gpu.supports(hidden_BTD) and linear.fusible(head) and head.bias is None:
        return gpu.linear_cross_entropy(hidden_BTD.flatten(0, 1), head.weight, target_BT.flatten(), weight_BT.flatten())
    counts_N = weight_BT.flatten().nonzero()[:, 0]
    x_ND = hidden_BTD.flatten(0, 1).index_select(0, counts_N)
    target_N, weight_N = target_BT.flatten()[counts_N], weight_BT.flatten()[counts_N]
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
