"""Cross-entropy over a large vocabulary, forward and backward, without a second tensor of the logits' size.

    m = max_v z_v        S = sum_v exp(z_v - m)        nll = ln S + m - z_target        p_v = exp(z_v - m) / S

    loss = sum_n w_n nll_n                 d loss / d z_nv = w_n (p_nv - [v = target_n])

    cross_entropy           logits [N, V], targets [N]                 -> loss
    linear_cross_entropy    hidden [N, H], weight [V, H], targets [N]  -> loss of hidden weight^T, a piece at a time

THE LOGITS ARE LOST. The kernel of cross_entropy writes the gradient over the logits while it computes the loss, if a
gradient is asked for: the 129,280 logits of 8,192 tokens are 2.1 GB in bfloat16. Nobody may read them afterwards: an
operation that saved them for its own backward (tanh, for instance) raises autograd's "modified by an inplace
operation", and so does a second backward. `keep_logits=True` puts the gradient into a second tensor. The references
keep all.

w_n: token_weights [N] (None: 1), 0 where the target is ignore_index, and divided by their sum for reduction "mean". A
token of weight 0 adds nothing, whatever its logits are, NaN included; they are not even read. These are the weights of
minids/train/loss.py, over tokens, not torch's, over classes; without any, the loss is that of
torch.nn.functional.cross_entropy. A loss that is divided later, (loss / total).backward(), costs one more pass over the
gradient; weights that were divided before cost nothing.

One program per row walks over it twice, in blocks: maximum and sum at once (the sum is rescaled whenever the maximum
grows: Milakov and Gimelshein, arXiv 1805.02867, algorithm 3), then, from the end back, because the end of the row is
what the caches still hold, the gradient. All sums are float32. z - m is formed before anything is added to it, so
logits of 1e30 lose nothing.

Bytes moved for b-byte logits: NVb without a gradient; 3 NVb with it, down to 2 NVb as far as the second walk finds the
row in the L2 cache (a row of 129,280 is 259 KB, 132 of them 34 MB, the cache of an H100 50 MB). FLOPs: about 7 NV, two
exponentials among them. Memory sets the time: at 3.35 TB/s, N = 8192, V = 131072 in bfloat16 take between 1.28 and
1.92 ms with the gradient. Backward moves nothing where what comes from above is 1 (the kernel looks, the CPU does not
wait), else 2 NVb. Peer: Liger-Kernel, whose kernel also walks twice and writes in place.

linear_cross_entropy, for every `chunk` tokens that have a weight: logits into ONE buffer [chunk, V], the kernel above
over it, both gradients from it. Logits never take more than that buffer: 2^29 numbers unless `chunk` says otherwise
(4,096 tokens, 1 GiB in bfloat16, at V = 129,280). With several chunks the gradient of the weight is summed in float32,
4 VH bytes, and the product that is added to it takes VH numbers more. FLOPs: 6 NVH, and here they set the time: at 989
TFLOP/s, N = 8192, V = 131072, H = 4096 take at least 27 ms.

Left out: label smoothing, z-loss, weights over classes, gradients of token_weights, a vocabulary split over several
GPUs, adding up the weight's gradient inside of the product, derivatives of second order. In float16 a gradient below
6e-8 is 0.
"""

import torch
from torch import Tensor

from minids.kernels.runtime import need, pick, same_device, tensors, tl, triton

DTYPES = (torch.bfloat16, torch.float16, torch.float32)
REDUCTIONS = ("mean", "sum", "none")
BLOCK = 8192  # logits at a time
LOGITS_AT_ONCE = 2**29  # numbers in the buffer of linear_cross_entropy


# --- References -------------------------------------------------------------------------------------------------------


def cross_entropy_reference(
    logits: Tensor,
    targets: Tensor,
    token_weights: Tensor | None = None,
    ignore_index: int = -100,
    reduction: str = "mean",
) -> Tensor:
    """`cross_entropy` in plain PyTorch: logits [N, V], targets [N], token_weights [N] or None -> a scalar, or [N]
    for reduction "none"; in float32, or in the wider type of the logits."""
    wide = torch.promote_types(logits.dtype, torch.float32)
    weights = _weights(targets, token_weights, ignore_index, wide)
    counts = weights.nonzero()[:, 0]  # the others' logits may be anything
    logp = logits[counts].to(wide).log_softmax(-1)
    nll = -logp.gather(1, targets[counts, None].long())[:, 0]
    losses = torch.zeros_like(weights).index_put((counts,), nll * weights[counts])
    return losses if reduction == "none" else losses.sum() / (weights.sum() if reduction == "mean" else 1)


def linear_cross_entropy_reference(
    hidden: Tensor,
    weight: Tensor,
    targets: Tensor,
    token_weights: Tensor | None = None,
    ignore_index: int = -100,
    reduction: str = "mean",
) -> Tensor:
    """`linear_cross_entropy` in plain PyTorch, with all logits at once: hidden [N, H], weight [V, H], targets [N] ->
    as `cross_entropy_reference`."""
    counts = _weights(targets, token_weights, ignore_index, torch.float32).nonzero()[:, 0]
    token_weights = None if token_weights is None else token_weights[counts]
    return cross_entropy_reference(hidden[counts] @ weight.t(), targets[counts], token_weights, ignore_index, reduction)


def _weights(targets, token_weights, ignore_index, dtype):
    """What each token counts: [N], 0 where it is ignored."""
    weights = torch.ones(targets.shape, dtype=dtype, device=targets.device) if token_weights is None else token_weights
    return torch.where(targets == ignore_index, 0, weights.to(dtype))


# --- Kernels ----------------------------------------------------------------------------------------------------------


@triton.jit
def _loss_kernel(logits, targets, weights, losses, grad, V, logits_row, grad_row, BLOCK: tl.constexpr):
    """One program: one row. grad may be logits, or None. A target outside of the vocabulary gives NaN."""
    n = tl.program_id(0).to(tl.int64)
    weight = tl.load(weights + n)
    target = tl.load(targets + n)
    row = logits + n * logits_row
    # before anything is written: the sums below make all threads wait for each other, so no thread writes ahead of this
    z_target = tl.load(row + target, (weight != 0.0) & (target >= 0) & (target < V), float("nan")).to(tl.float32)
    k = tl.arange(0, BLOCK)
    if weight == 0.0:
        tl.store(losses + n, 0.0)
        if grad is not None:
            for start in range(0, V, BLOCK):
                tl.store(grad + n * grad_row + start + k, tl.zeros((BLOCK,), grad.dtype.element_ty), start + k < V)
    else:
        top, total = float("-inf"), 0.0
        for start in tl.range(0, V, BLOCK, num_stages=3):
            z = tl.load(row + start + k, start + k < V, float("-inf")).to(tl.float32)
            higher = tl.maximum(top, tl.max(z, 0))
            shift = tl.where(higher == float("-inf"), 0.0, higher)  # nothing but -inf so far: not -inf - -inf
            total = total * tl.exp(top - shift) + tl.sum(tl.exp(z - shift), 0)
            top = higher
        tl.store(losses + n, weight * (tl.log(total) + (top - z_target)))
        if grad is not None:
            inverse, last = 1 / total, (V - 1) // BLOCK * BLOCK
            for back in tl.range(0, V, BLOCK, num_stages=3):
                v = last - back + k
                z = tl.load(row + v, v < V, float("-inf")).to(tl.float32)
                p = tl.exp(z - top) * inverse
                g = weight * tl.where(v == target, p - 1, p)
                tl.store(grad + n * grad_row + v, g.to(grad.dtype.element_ty), v < V)


@triton.jit
def _scale_kernel(x, by, V, x_row, by_row, BLOCK: tl.constexpr):
    """One program: one row of x times its number in `by`, in place; nothing is moved where that is 1."""
    n = tl.program_id(0).to(tl.int64)
    factor = tl.load(by + n * by_row)
    if factor != 1.0:
        for start in range(0, V, BLOCK):
            k = start + tl.arange(0, BLOCK)
            z = tl.load(x + n * x_row + k, k < V, 0.0).to(tl.float32)
            tl.store(x + n * x_row + k, (z * factor).to(x.dtype.element_ty), k < V)


# --- What is called ---------------------------------------------------------------------------------------------------


def cross_entropy(
    logits: Tensor,
    targets: Tensor,
    token_weights: Tensor | None = None,
    ignore_index: int = -100,
    reduction: str = "mean",
    keep_logits: bool = False,
    check_targets: bool = True,
    backend: str | None = None,
) -> Tensor:
    """logits [N, V], targets [N], token_weights [N] -> loss, float32, [N] for reduction "none". LOGITS ARE OVERWRITTEN
    with their gradient unless keep_logits is set (or no gradient is asked for, or the reference runs).

    check_targets: refuse targets outside of the vocabulary, for which the CPU waits for the GPU once; without it such a
    token's loss is NaN.
    """
    tensors(logits=logits)
    _check("logits", logits, logits.shape[-1:], targets, token_weights, reduction)
    kernel = pick(logits, backend)
    if check_targets or not kernel:
        _in_vocabulary(targets, logits.shape[1], ignore_index)
    if not kernel:
        return cross_entropy_reference(logits, targets, token_weights, ignore_index, reduction)
    _kernel_takes("logits", logits, token_weights)
    with_grad = torch.is_grad_enabled() and logits.requires_grad
    if with_grad and not keep_logits:
        need(not logits.is_leaf, "logits are a leaf, their values would be lost: set keep_logits=True")
        need(
            logits.stride(0) >= logits.shape[1] or len(logits) == 1,
            f"rows of logits overlap, strides are {logits.stride()}: set keep_logits=True",
        )
    weights, offset = _shares(_weights(targets, token_weights, ignore_index, torch.float32), reduction)
    return _CrossEntropy.apply(logits, targets, weights, reduction == "none", with_grad, keep_logits) + offset


class _CrossEntropy(torch.autograd.Function):
    @staticmethod
    def forward(ctx, logits, targets, weights, each, with_grad, keep_logits):
        grad = None
        if with_grad:
            grad = torch.empty(logits.shape, dtype=logits.dtype, device=logits.device) if keep_logits else logits
        losses = _losses(logits, targets, weights, grad)
        if with_grad:
            torch.autograd.graph.increment_version(grad)  # who saved the logits will be told
            ctx.save_for_backward(grad)
        return losses if each else losses.sum()

    @staticmethod
    def backward(ctx, above):
        (grad,) = ctx.saved_tensors
        return _scale(grad.detach(), above), None, None, None, None, None


def linear_cross_entropy(
    hidden: Tensor,
    weight: Tensor,
    targets: Tensor,
    token_weights: Tensor | None = None,
    chunk: int | None = None,
    ignore_index: int = -100,
    reduction: str = "mean",
    check_targets: bool = True,
    backend: str | None = None,
) -> Tensor:
    """hidden [N, H], weight [V, H], targets [N], token_weights [N] -> loss, float32, a scalar ("mean" or "sum").

    chunk: tokens whose logits exist at a time. Under autocast both operands are taken in its type; the gradients come
    in their own. The CPU waits for the GPU to know which tokens have a weight.
    """
    tensors(weight=weight)
    need(weight.ndim == 2 and weight.numel() > 0, f"weight has shape {list(weight.shape)}: [V, H] is needed")
    _check("hidden", hidden, weight.shape[1:], targets, token_weights, reduction, weight=weight)
    need(reduction != "none", "reduction 'none': gradients are made with the loss, only 'mean' and 'sum' can be had")
    need(chunk is None or chunk >= 1, f"chunk {chunk}: at least one token at a time")
    kind = hidden.device.type
    auto = torch.is_autocast_enabled(kind)
    need(auto or hidden.dtype == weight.dtype, f"hidden is {hidden.dtype}, weight {weight.dtype}: one type is needed")
    kernel = pick(hidden, backend)
    if check_targets or not kernel:
        _in_vocabulary(targets, len(weight), ignore_index)
    if not kernel:
        return linear_cross_entropy_reference(hidden, weight, targets, token_weights, ignore_index, reduction)
    dtype = torch.get_autocast_dtype(kind) if auto else hidden.dtype
    _kernel_takes("hidden", hidden, token_weights)
    weights, offset = _shares(_weights(targets, token_weights, ignore_index, torch.float32), reduction)
    chunk = chunk or max(128, LOGITS_AT_ONCE // len(weight) // 128 * 128)
    asked = [torch.is_grad_enabled() and t.requires_grad for t in (hidden, weight)]
    return _LinearCrossEntropy.apply(hidden, weight, targets, weights, chunk, dtype, asked) + offset


class _LinearCrossEntropy(torch.autograd.Function):
    @staticmethod
    def forward(ctx, hidden, weight, targets, weights, chunk, dtype, asked):
        counts = weights.nonzero()[:, 0]  # the others never meet the matrix
        w, several = weight.to(dtype), len(counts) > chunk
        buffer = torch.empty(min(chunk, len(counts)), len(w), dtype=dtype, device=w.device)
        loss, grad_hidden, grad_weight = torch.zeros((), device=w.device), None, None
        if asked[0]:
            grad_hidden = torch.zeros_like(hidden)
        if asked[1]:
            grad_weight = torch.zeros(w.shape, dtype=torch.float32 if several else dtype, device=w.device)
        for part in counts.split(chunk):
            if not len(part):  # no token has a weight
                break
            h, logits = hidden[part].to(dtype), buffer[: len(part)]
            torch.mm(h, w.t(), out=logits)
            loss += _losses(logits, targets[part], weights[part], logits if any(asked) else None).sum()
            if asked[0]:  # logits now hold their gradient
                grad_hidden[part] = (logits @ w).to(hidden.dtype)
            if asked[1] and several:
                grad_weight += logits.t() @ h
            elif asked[1]:
                torch.mm(logits.t(), h, out=grad_weight)
        ctx.save_for_backward(grad_hidden, grad_weight)
        ctx.dtype = weight.dtype
        return loss

    @staticmethod
    def backward(ctx, above):
        grad_hidden, grad_weight = (None if grad is None else _scale(grad, above) for grad in ctx.saved_tensors)
        grad_weight = None if grad_weight is None else grad_weight.to(ctx.dtype)
        return grad_hidden, grad_weight, None, None, None, None, None


def _losses(logits, targets, weights, grad):
    """w_n nll_n, float32 [N]; the logits' gradient goes into grad, which may be the logits, or None."""
    N, V = logits.shape
    losses = torch.empty(N, device=logits.device)
    _loss_kernel[N,](
        logits, targets, weights, losses, grad, V, logits.stride(0), 0 if grad is None else grad.stride(0), **_plan(V)
    )
    return losses


def _scale(grad, above):
    """grad [N, V] times what comes from above, a scalar or [N], in place. A second time raises: it would be squared."""
    need(not torch.is_grad_enabled(), "cross-entropy has no second derivative: use the reference (backend='torch')")
    torch.autograd.graph.increment_version(grad)
    _scale_kernel[grad.shape[0],](
        grad, above.contiguous(), grad.shape[1], grad.stride(0), int(above.ndim == 1), **_plan(grad.shape[1])
    )
    return grad


def _shares(weights, reduction):
    """The weights, for "mean" divided by their sum; and what is added to the loss: 0, or NaN for a mean of no tokens,
    whose gradient is 0 all the same, as in torch."""
    if reduction != "mean":
        return weights, 0.0
    total = weights.sum()
    return torch.where(weights == 0, 0, weights / total), 0 / total


def _plan(V: int) -> dict:
    block = min(BLOCK, triton.next_power_of_2(V))
    return {"BLOCK": block, "num_warps": min(16, max(4, block // 512))}


def _check(name, x, last, targets, token_weights, reduction, **others) -> None:
    tensors(**{name: x, "targets": targets, "token_weights": token_weights})
    need(
        x.ndim == 2 and x.numel() > 0 and x.shape[1:] == last,
        f"{name} has shape {list(x.shape)}: [N, {'V' if name == 'logits' else last[0]}] is needed, not empty",
    )
    need(x.dtype in (*DTYPES, torch.float64), f"{name} are {x.dtype}: bfloat16, float16 or float32 is needed")
    need(targets.shape == x.shape[:1], f"targets {list(targets.shape)} do not fit {x.shape[0]} tokens")
    need(targets.dtype in (torch.int64, torch.int32), f"targets are {targets.dtype}: int64 or int32 is needed")
    need(
        token_weights is None or token_weights.shape == targets.shape and token_weights.is_floating_point(),
        "token_weights: a floating-point number for each token is needed",
    )
    need(reduction in REDUCTIONS, f"reduction {reduction!r}: choose one of {', '.join(REDUCTIONS)}")
    same_device(**{name: x, "targets": targets, "token_weights": token_weights}, **others)


def _kernel_takes(name, x, token_weights) -> None:
    need(x.dtype in DTYPES, f"{name} are {x.dtype}: that is for the reference only, backend='torch'")
    need(
        x.stride(1) == 1 or x.shape[1] == 1,
        f"{name}: numbers of a row must lie side by side, strides are {x.stride()}: call .contiguous()",
    )
    need(
        token_weights is None or not token_weights.requires_grad,
        "token_weights get no gradient here: detach them, or use the reference (backend='torch')",
    )


def _in_vocabulary(targets, V, ignore_index) -> None:
    wrong = ((targets < 0) | (targets >= V)) & (targets != ignore_index)
    if wrong.any():
        n = int(wrong.nonzero()[0, 0])
        need(False, f"targets[{n}] is {int(targets[n])}: the vocabulary has {V} entries, ignored is {ignore_index}")


# --- For minids dev compile-kernels -----------------------------------------------------------------------------------


def cases():
    """The launches that `minids dev compile-kernels` compiles."""
    from minids.kernels.compiled import Case

    sizes = {"V": "i32", "logits_row": "i32", "grad_row": "i32"}
    tensors = {"targets": "*i64", "weights": "*fp32", "losses": "*fp32"}
    plan = _plan(131072)
    block, warps = {"BLOCK": plan["BLOCK"]}, {"num_warps": plan["num_warps"]}
    for kind in ("*bf16", "*fp32"):
        yield Case(
            f"loss_and_gradient_{kind[1:]}",
            _loss_kernel,
            tensors | sizes | {"logits": kind, "grad": kind},
            block,
            warps,
        )
    yield Case("loss", _loss_kernel, tensors | sizes | {"logits": "*bf16"}, block | {"grad": None}, warps)
    scale = {"x": "*bf16", "by": "*fp32", "V": "i32", "x_row": "i32", "by_row": "i32"}
    yield Case("scale", _scale_kernel, scale, block, warps)
