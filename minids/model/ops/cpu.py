"""Pieces of the training step in one autograd.Function each: the same numbers as the plain code beside them, sooner.

    rms_norm, swiglu                                            = the functions of these names  (layers.py)
    attend          torch's fused kernel                        = attend                        (attention.py)
    mla_core        rotation, keys, scores, softmax, values     = apply_rope + mla_naive        (attention.py)
    mlp             gate, up, SwiGLU, down                      = swiglu between two Linear     (layers.py)
    linear_cross_entropy                                        = cross_entropy(x W^T)          (layers.py)

At this size a step is a few hundred small operations. Products reach the machine's limit on their own; what can be
saved is the rest: copies, slices whose gradients are padded with zeros and added, tensors written only to be read once,
and Python. The backwards are derived by hand and tested against autograd in float64 (tests/model/test_fast_paths.py).

Shapes: B batch, T time, D hidden, H heads, N nope dims, R rotary dims, E = N + R, V value dims, F width of the
feed-forward.
"""

import torch
import torch.nn.functional as F

from minids.model.ops.linear import matmul_nt, weight_gradient

LONGEST = 192  # tokens up to which all scores at once are faster than torch's tiled attention
CHUNK = 1024  # rows whose logits exist at one time


class _RMSNorm(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, weight, eps):
        # One reduction without a temporary x*x; the mean square is accumulated in float32 for half precision inputs.
        norm = torch.linalg.vector_norm(x, dim=-1, keepdim=True, dtype=torch.promote_types(x.dtype, torch.float32))
        rstd = torch.rsqrt(norm.square_().div_(x.shape[-1]).add_(eps))
        unit = (x * rstd).to(x.dtype)
        ctx.save_for_backward(unit, rstd, weight)
        return (unit * weight).to(x.dtype)

    @staticmethod
    def backward(ctx, grad):
        unit, rstd, weight = ctx.saved_tensors
        scaled = grad * weight
        mean = (scaled * unit).mean(-1, keepdim=True)
        grad_x = scaled.addcmul_(unit, mean, value=-1).mul_(rstd.to(scaled.dtype))
        grad_w = (grad * unit).reshape(-1, grad.shape[-1]).sum(0)
        return grad_x, grad_w, None


def rms_norm(x, weight, eps):
    """w * x / sqrt(mean(x^2) + eps), as `layers.rms_norm`."""
    return _RMSNorm.apply(x, weight, eps)


class _SwiGLU(torch.autograd.Function):
    @staticmethod
    def forward(ctx, gate, up):
        ctx.save_for_backward(gate, up)
        return F.silu(gate).mul_(up)

    @staticmethod
    def backward(ctx, grad):
        gate, up = ctx.saved_tensors
        return torch.ops.aten.silu_backward(grad * up, gate), F.silu(gate).mul_(grad)


def swiglu(gate, up):
    """silu(gate) * up, as `layers.swiglu`."""
    return _SwiGLU.apply(gate, up)


def attend(q_BHTE, k_BHSE, v_BHSV, scale, mask=None):
    """softmax(scale q k^T) v, as `attention.attend`, without ever holding all scores."""
    return F.scaled_dot_product_attention(q_BHTE, k_BHSE, v_BHSV, attn_mask=mask, is_causal=mask is None, scale=scale)


def freqs_cis(cos_1TR, sin_1TR, nope):
    """cos + i sin for the E/2 pairs of a whole head [B or 1, T, 1, E/2]:
    the pairs of the first N entries are not turned."""
    rope = torch.complex(cos_1TR, sin_1TR)
    return torch.cat([rope.new_ones(*rope.shape[:-1], nope // 2), rope], dim=-1)[..., None, :]


def turned(x_BTHE, freqs_BT1E):
    """Neighbouring entries of x as complex numbers, times `freqs`; a new tensor, heads before time, [B, H, T, E]."""
    out_BHTE = x_BTHE.new_empty(*x_BTHE.shape[:1], x_BTHE.shape[2], x_BTHE.shape[1], x_BTHE.shape[3])
    pairs = torch.view_as_complex(x_BTHE.unflatten(-1, (-1, 2)))
    torch.mul(pairs, freqs_BT1E, out=torch.view_as_complex(out_BHTE.unflatten(-1, (-1, 2))).transpose(1, 2))
    return out_BHTE


class _MLACore(torch.autograd.Function):
    @staticmethod
    def forward(ctx, q_BTHE, k_rope_BTR, kv_BTHX, freqs_BT1E, scale):
        B, T, H, E = q_BTHE.shape
        R = k_rope_BTR.shape[-1]
        N = E - R
        q_BHTE = turned(q_BTHE, freqs_BT1E * scale)
        k_BHTE = torch.empty_like(q_BHTE)
        k_BHTE[..., :N] = kv_BTHX[..., :N].transpose(1, 2)
        k_BHTE[..., N:] = turned(k_rope_BTR[:, :, None], freqs_BT1E[..., N // 2 :])
        v_BHTV = kv_BTHX[..., N:].transpose(1, 2).contiguous()
        q, k, v = (z.flatten(0, 1) for z in (q_BHTE, k_BHTE, v_BHTV))
        causal_TT = torch.full((T, T), float("-inf"), dtype=q.dtype, device=q.device).triu_(1)
        weights = torch.baddbmm(causal_TT, q, k.transpose(1, 2)).softmax(-1)  # [B*H, T, T]
        ctx.save_for_backward(q, k, v, weights, freqs_BT1E)
        ctx.scale, ctx.rope = scale, R
        return torch.bmm(weights, v).view(B, H, T, -1).transpose(1, 2).contiguous()

    @staticmethod
    def backward(ctx, grad_BTHV):
        q, k, v, weights, freqs_BT1E = ctx.saved_tensors
        B, T, H, V = grad_BTHV.shape
        R, E = ctx.rope, q.shape[-1]
        N = E - R
        grad = grad_BTHV.transpose(1, 2).reshape(B * H, T, V)
        grad_kv_BTHX = grad.new_empty(B, T, H, N + V)
        grad_kv_BTHX[..., N:] = torch.bmm(weights.transpose(1, 2), grad).view(B, H, T, V).transpose(1, 2)
        grad_weights = torch.bmm(grad, v.transpose(1, 2))
        grad_scores = torch.ops.aten._softmax_backward_data(grad_weights, weights, -1, weights.dtype)
        grad_q_BTHE = torch.bmm(grad_scores, k).view(B, H, T, E).transpose(1, 2)
        grad_k_BHTE = torch.bmm(grad_scores.transpose(1, 2), q).view(B, H, T, E)
        grad_kv_BTHX[..., :N] = grad_k_BHTE[..., :N].transpose(1, 2)
        # a rotation is undone by its conjugate; the shared key collects from all heads
        back_BT1E = freqs_BT1E.conj().resolve_conj()
        grad_q_BHTE = turned(grad_q_BTHE, back_BT1E * ctx.scale)
        grad_k_rope_BT1R = grad_k_BHTE[..., N:].sum(1)[:, :, None]
        grad_k_rope_B1TR = turned(grad_k_rope_BT1R, back_BT1E[..., N // 2 :])
        return grad_q_BHTE.transpose(1, 2), grad_k_rope_B1TR[:, 0], grad_kv_BTHX, None, None


def mla_core(q_BTHE, k_rope_BTR, kv_BTHX, freqs_BT1E, scale):
    """Causal attention -> [B, T, H, V] from what the projections give:
    queries, the shared key before its rotation, and [k_nope, v]."""
    return _MLACore.apply(q_BTHE, k_rope_BTR, kv_BTHX, freqs_BT1E, scale)


class _MLP(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x_ND, w_gate_FD, w_up_FD, w_down_DF):
        w_gate_up_XD = torch.cat([w_gate_FD, w_up_FD])
        gate_up_NX = matmul_nt(x_ND, w_gate_up_XD)
        gate_NF, up_NF = gate_up_NX.chunk(2, dim=-1)
        silu_NF = F.silu(gate_NF)
        hidden_NF = silu_NF * up_NF
        ctx.save_for_backward(x_ND, w_gate_up_XD, w_down_DF, gate_NF, up_NF, silu_NF, hidden_NF)
        return matmul_nt(hidden_NF, w_down_DF)

    @staticmethod
    def backward(ctx, grad_ND):
        x_ND, w_gate_up_XD, w_down_DF, gate_NF, up_NF, silu_NF, hidden_NF = ctx.saved_tensors
        grad_w_down = weight_gradient(grad_ND, hidden_NF)
        grad_hidden_NF = matmul_nt(grad_ND, w_down_DF.T)
        grad_up_NF = grad_hidden_NF * silu_NF
        grad_gate_NF = torch.ops.aten.silu_backward(grad_hidden_NF.mul_(up_NF), gate_NF)
        grad_gate_up_NX = torch.cat([grad_gate_NF, grad_up_NF], dim=-1)
        grad_w_gate, grad_w_up = weight_gradient(grad_gate_up_NX, x_ND).chunk(2)
        return matmul_nt(grad_gate_up_NX, w_gate_up_XD.T), grad_w_gate, grad_w_up, grad_w_down


def mlp(x_ND, w_gate_FD, w_up_FD, w_down_DF):
    """W_down (silu(W_gate x) * W_up x) -> [N, D]; gate and up are one product."""
    return _MLP.apply(x_ND, w_gate_FD, w_up_FD, w_down_DF)


class _LinearCrossEntropy(torch.autograd.Function):
    @staticmethod
    def forward(ctx, hidden_ND, w_VD, target_N, weight_N):
        dtype = torch.promote_types(hidden_ND.dtype, torch.float32)
        total = torch.zeros((), dtype=dtype, device=hidden_ND.device)
        with_grad = hidden_ND.requires_grad or w_VD.requires_grad
        grad_hidden_ND, grad_w_VD = torch.zeros_like(hidden_ND), torch.zeros_like(w_VD)
        for rows in weight_N.nonzero()[:, 0].split(CHUNK):  # what carries no weight needs no logits
            hidden, target, weight = hidden_ND[rows], target_N[rows, None], weight_N[rows, None].to(dtype)
            logits = matmul_nt(hidden, w_VD).to(dtype)
            probs = logits.softmax(-1)
            # log sum exp from the likeliest entry: max = lse + log p(max), and p(max) >= 1/V cannot underflow
            lse = logits.amax(-1, keepdim=True) - probs.amax(-1, keepdim=True).log()
            total += ((lse - logits.gather(1, target)) * weight).sum()
            if with_grad:  # d total / d logits = weight * (softmax - one-hot)
                grad = probs.mul_(weight).scatter_add_(1, target, -weight).to(hidden.dtype)
                grad_hidden_ND[rows] = matmul_nt(grad, w_VD.T)
                grad_w_VD += weight_gradient(grad, hidden)
        if with_grad:
            ctx.save_for_backward(grad_hidden_ND, grad_w_VD)
        return total

    @staticmethod
    def backward(ctx, grad):
        grad_hidden_ND, grad_w_VD = ctx.saved_tensors
        return grad_hidden_ND * grad.to(grad_hidden_ND.dtype), grad_w_VD * grad.to(grad_w_VD.dtype), None, None


def linear_cross_entropy(hidden_ND, w_VD, target_N, weight_N):
    """sum of weight * -log softmax(W h)[target], a scalar; gradients are formed on the way,
    so no logits outlive their chunk."""
    return _LinearCrossEntropy.apply(hidden_ND, w_VD, target_N, weight_N)
