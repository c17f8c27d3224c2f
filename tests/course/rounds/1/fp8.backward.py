"""fp8.backward"""
import torch

def _dw(dy, q_x, s_x, w, backend):
    x = quantise.dequantise(q_x, s_x, dy.dtype)
    a, b = quantise.quantise_t(dy, backend=backend), quantise.quantise_t(x, backend=backend)
    return gemm.matmul(*a, *b, out_dtype=torch.float32, backend=backend).to(w.dtype)

def _dx(dy, w, backend):
    q_w, s_w = quantise.quantise_weight(w, backend=backend)
    a = quantise.quantise(dy, backend=backend)
    return gemm.matmul(*a, q_w.t().contiguous(), s_w.t().contiguous(), out_dtype=dy.dtype, backend=backend)

def wrong_1(dy_MN, q_x, s_x, w_NK, backend):
    "dx is float32 whatever dy is"
    q_w, s_w = quantise.quantise_weight(w_NK, backend=backend)
    a = quantise.quantise(dy_MN, backend=backend)
    dx = gemm.matmul(*a, q_w.t().contiguous(), s_w.t().contiguous(), out_dtype=torch.float32, backend=backend)
    return dx, _dw(dy_MN, q_x, s_x, w_NK, backend)

def wrong_2(dy_MN, q_x, s_x, w_NK, backend):
    "dw is multiplied to the dtype of dy: with bfloat16 gradients and float32 weights it is rounded to bfloat16"
    x = quantise.dequantise(q_x, s_x, dy_MN.dtype)
    a, b = quantise.quantise_t(dy_MN, backend=backend), quantise.quantise_t(x, backend=backend)
    dw = gemm.matmul(*a, *b, out_dtype=dy_MN.dtype, backend=backend).to(w_NK.dtype)
    return _dx(dy_MN, w_NK, backend), dw

def wrong_3(dy_MN, q_x, s_x, w_NK, backend):
    "dw stays float32 where the weight is bfloat16"
    x = quantise.dequantise(q_x, s_x, dy_MN.dtype)
    a, b = quantise.quantise_t(dy_MN, backend=backend), quantise.quantise_t(x, backend=backend)
    return _dx(dy_MN, w_NK, backend), gemm.matmul(*a, *b, out_dtype=torch.float32, backend=backend)

def wrong_4(dy_MN, q_x, s_x, w_NK, backend):
    "dx from the weight in full precision: only dy is quantised"
    q, s = quantise.quantise(dy_MN, backend=backend)
    dx = (quantise.dequantise(q, s, torch.float32) @ w_NK.float()).to(dy_MN.dtype)
    return dx, _dw(dy_MN, q_x, s_x, w_NK, backend)

def wrong_5(dy_MN, q_x, s_x, w_NK, backend):
    "dw from x as it was dequantised: not quantised again in blocks of 128x1"
    x = quantise.dequantise(q_x, s_x, torch.float32)
    q, s = quantise.quantise_t(dy_MN, backend=backend)
    dw = quantise.dequantise(q, s, torch.float32) @ x
    return _dx(dy_MN, w_NK, backend), dw.to(w_NK.dtype)

def wrong_6(dy_MN, q_x, s_x, w_NK, backend):
    "dw with dy in its blocks of 1x128 along N (dequantised and turned), not in blocks along the tokens"
    x = quantise.dequantise(q_x, s_x, dy_MN.dtype)
    q, s = quantise.quantise_t(x, backend=backend)
    dy = quantise.dequantise(*quantise.quantise(dy_MN, backend=backend), torch.float32)
    dw = dy.t() @ quantise.dequantise(q, s, torch.float32).t()
    return _dx(dy_MN, w_NK, backend), dw.to(w_NK.dtype)

def wrong_7(dy_MN, q_x, s_x, w_NK, backend):
    "the turned weight is quantised in blocks of 1x128, not of 128x128"
    a = quantise.quantise(dy_MN, backend=backend)
    b = quantise.quantise(w_NK.t().contiguous(), backend=backend)
    return gemm.matmul(*a, *b, out_dtype=dy_MN.dtype, backend=backend), _dw(dy_MN, q_x, s_x, w_NK, backend)

def wrong_8(dy_MN, q_x, s_x, w_NK, backend):
    "the weight's bytes are turned, its scales are only reshaped: wrong once w has several blocks both ways"
    q_w, s_w = quantise.quantise_weight(w_NK, backend=backend)
    a = quantise.quantise(dy_MN, backend=backend)
    turned = s_w.reshape(s_w.shape[1], s_w.shape[0])
    dx = gemm.matmul(*a, q_w.t().contiguous(), turned, out_dtype=dy_MN.dtype, backend=backend)
    return dx, _dw(dy_MN, q_x, s_x, w_NK, backend)

def wrong_9(dy_MN, q_x, s_x, w_NK, backend):
    "`backend` is not handed on: the kernels are never asked for where it says triton"
    return _dx(dy_MN, w_NK, None), _dw(dy_MN, q_x, s_x, w_NK, None)

def wrong_10(dy_MN, q_x, s_x, w_NK, backend):
    "no FP8 at all: the exact gradients"
    dy = dy_MN.float()
    return (dy @ w_NK.float()).to(dy_MN.dtype), (dy.t() @ quantise.dequantise(q_x, s_x)).to(w_NK.dtype)

def right_1(dy_MN, q_x, s_x, w_NK, backend):
    "the weight is turned first and quantised then: squares stay squares"
    q_wt, s_wt = quantise.quantise_weight(w_NK.t().contiguous(), backend=backend)
    q_dy, s_dy = quantise.quantise(dy_MN, backend=backend)
    dx = gemm.matmul(q_dy, s_dy, q_wt, s_wt, out_dtype=dy_MN.dtype, backend=backend)
    return dx, _dw(dy_MN, q_x, s_x, w_NK, backend)

def right_2(dy_MN, q_x, s_x, w_NK, backend):
    "turned by hand and quantised in blocks of 1x128 in place of quantise_t"
    dw_parts = []
    for z in (dy_MN, quantise.dequantise(q_x, s_x, dy_MN.dtype)):
        dw_parts += quantise.quantise(z.t().contiguous(), backend=backend)
    dw = gemm.matmul(*dw_parts, out_dtype=torch.float32, backend=backend)
    return _dx(dy_MN, w_NK, backend), dw.to(dtype=w_NK.dtype)

def right_3(dy_MN, q_x, s_x, w_NK, backend):
    "dw is computed as its transpose and turned back; first dw, then dx"
    x = quantise.dequantise(q_x, s_x, dtype=dy_MN.dtype)
    q_dy, s_dy = quantise.quantise_t(dy_MN, backend=backend)
    q_xt, s_xt = quantise.quantise_t(x, backend=backend)
    dw_KN = gemm.matmul(q_xt, s_xt, q_dy, s_dy, out_dtype=torch.float32, backend=backend)
    return _dx(dy_MN, w_NK, backend), dw_KN.t().contiguous().to(w_NK.dtype)

def right_4(dy_MN, q_x, s_x, w_NK, backend):
    "helpers of its own, keywords gathered in a dict"
    how = {"backend": backend}

    def product(a, b, dtype):
        return gemm.matmul(a[0], a[1], b[0], b[1], out_dtype=dtype, **how)

    weight = [z.transpose(0, 1).contiguous() for z in quantise.quantise_weight(w_NK, **how)]
    kept = quantise.dequantise(q_x, s_x, dy_MN.dtype)
    dx = product(quantise.quantise(dy_MN, **how), weight, dy_MN.dtype)
    dw = product(quantise.quantise_t(dy_MN, **how), quantise.quantise_t(kept, **how), torch.float32)
    return dx, dw if dw.dtype == w_NK.dtype else dw.to(w_NK.dtype)
