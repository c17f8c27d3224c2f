"""fp8.backward"""
import torch


def _dx(dy_MN, w_NK, backend):
    q_w, s_w = quantise.quantise_weight(w_NK, backend=backend)
    q_dy, s_dy = quantise.quantise(dy_MN, backend=backend)
    return gemm.matmul(q_dy, s_dy, q_w.t().contiguous(), s_w.t().contiguous(), out_dtype=dy_MN.dtype, backend=backend)


def _dw(dy_MN, x_MK, backend):
    a, b = quantise.quantise_t(dy_MN, backend=backend), quantise.quantise_t(x_MK, backend=backend)
    return gemm.matmul(*a, *b, out_dtype=torch.float32, backend=backend)


def wrong_1(dy_MN, q_x, s_x, w_NK, backend):
    "the turned weight is quantised in blocks of 128x1 by quantise_t, not in squares"
    q_dy, s_dy = quantise.quantise(dy_MN, backend=backend)
    q_wt, s_wt = quantise.quantise_t(w_NK, backend=backend)
    dx = gemm.matmul(q_dy, s_dy, q_wt, s_wt, out_dtype=dy_MN.dtype, backend=backend)
    dw = _dw(dy_MN, quantise.dequantise(q_x, s_x, dy_MN.dtype), backend)
    return dx, dw.to(w_NK.dtype)


def wrong_2(dy_MN, q_x, s_x, w_NK, backend):
    "the bytes of w are turned and its scales are not: silently wrong for N = K, an error for others beyond one block"
    q_w, s_w = quantise.quantise_weight(w_NK, backend=backend)
    q_dy, s_dy = quantise.quantise(dy_MN, backend=backend)
    dx = gemm.matmul(q_dy, s_dy, q_w.t().contiguous(), s_w, out_dtype=dy_MN.dtype, backend=backend)
    dw = _dw(dy_MN, quantise.dequantise(q_x, s_x, dy_MN.dtype), backend)
    return dx, dw.to(w_NK.dtype)


def wrong_3(dy_MN, q_x, s_x, w_NK, backend):
    "dw is computed in the type of dy: a bfloat16 result in a float32 gradient"
    x = quantise.dequantise(q_x, s_x, dy_MN.dtype)
    a, b = quantise.quantise_t(dy_MN, backend=backend), quantise.quantise_t(x, backend=backend)
    dw = gemm.matmul(*a, *b, out_dtype=dy_MN.dtype, backend=backend)
    return _dx(dy_MN, w_NK, backend), dw.to(w_NK.dtype)


def wrong_4(dy_MN, q_x, s_x, w_NK, backend):
    "dw stays float32 where w is bfloat16"
    return _dx(dy_MN, w_NK, backend), _dw(dy_MN, quantise.dequantise(q_x, s_x, dy_MN.dtype), backend)


def wrong_5(dy_MN, q_x, s_x, w_NK, backend):
    "backend is not handed on to quantise_t"
    x = quantise.dequantise(q_x, s_x, dy_MN.dtype)
    q_dyt, s_dyt = quantise.quantise_t(dy_MN)
    q_xt, s_xt = quantise.quantise_t(x)
    dw = gemm.matmul(q_dyt, s_dyt, q_xt, s_xt, out_dtype=torch.float32, backend=backend)
    return _dx(dy_MN, w_NK, backend), dw.to(w_NK.dtype)


def wrong_6(dy_MN, q_x, s_x, w_NK, backend):
    "dy for dw is taken from its FP8 copy: rounded twice, along N first"
    q_w, s_w = quantise.quantise_weight(w_NK, backend=backend)
    q_dy, s_dy = quantise.quantise(dy_MN, backend=backend)
    dx = gemm.matmul(q_dy, s_dy, q_w.t().contiguous(), s_w.t().contiguous(), out_dtype=dy_MN.dtype, backend=backend)
    dy = quantise.dequantise(q_dy, s_dy, dy_MN.dtype)
    dw = _dw(dy, quantise.dequantise(q_x, s_x, dy_MN.dtype), backend)
    return dx, dw.to(w_NK.dtype)


def wrong_7(dy_MN, q_x, s_x, w_NK, backend):
    "dx has the type of w, not of dy: float32 beside bfloat16 activations"
    q_w, s_w = quantise.quantise_weight(w_NK, backend=backend)
    q_dy, s_dy = quantise.quantise(dy_MN, backend=backend)
    dx = gemm.matmul(q_dy, s_dy, q_w.t().contiguous(), s_w.t().contiguous(), out_dtype=w_NK.dtype, backend=backend)
    return dx, _dw(dy_MN, quantise.dequantise(q_x, s_x, dy_MN.dtype), backend).to(w_NK.dtype)


def wrong_8(dy_MN, q_x, s_x, w_NK, backend):
    "dw in full precision: dequantised x and dy are multiplied as they are"
    x = quantise.dequantise(q_x, s_x, torch.float32)
    return _dx(dy_MN, w_NK, backend), (dy_MN.float().t() @ x).to(w_NK.dtype)


def wrong_9(dy_MN, q_x, s_x, w_NK, backend):
    "x goes on its way in the type of w: a bfloat16 weight with a float32 dy rounds it a third time"
    x = quantise.dequantise(q_x, s_x, w_NK.dtype)
    return _dx(dy_MN, w_NK, backend), _dw(dy_MN, x, backend).to(w_NK.dtype)


def wrong_10(dy_MN, q_x, s_x, w_NK, backend):
    "dw from dy quantised in blocks along N and turned (scales are multiplied in before), not along the tokens"
    q_dy, s_dy = quantise.quantise(dy_MN, backend=backend)
    x = quantise.dequantise(q_x, s_x, torch.float32)
    q_xt, s_xt = quantise.quantise_t(x, backend=backend)
    dy = quantise.dequantise(q_dy, s_dy, torch.float32)
    dw = dy.t() @ quantise.dequantise(q_xt, s_xt, torch.float32).t()
    return _dx(dy_MN, w_NK, backend), dw.to(w_NK.dtype)


def right_1(dy_MN, q_x, s_x, w_NK, backend):
    "x goes its way in float32; dw first"
    x = quantise.dequantise(q_x, s_x)
    dyt, xt = (quantise.quantise_t(z, backend=backend) for z in (dy_MN, x))
    dw = gemm.matmul(*dyt, *xt, torch.float32, backend)
    q, s = quantise.quantise_weight(w_NK, backend=backend)
    dx = gemm.matmul(*quantise.quantise(dy_MN, backend=backend), q.T.contiguous(), s.T.contiguous(), dy_MN.dtype, backend)
    return dx, dw.to(w_NK.dtype)


def right_2(dy_MN, q_x, s_x, w_NK, backend):
    "the weight is turned first and quantised then: squares stay the same squares"
    dy, dys = quantise.quantise(dy_MN, backend=backend)
    wt, wts = quantise.quantise_weight(w_NK.t().contiguous(), backend=backend)
    dx = gemm.matmul(dy, dys, wt, wts, out_dtype=dy_MN.dtype, backend=backend)
    left, left_scales = quantise.quantise_t(dy_MN, backend=backend)
    right, right_scales = quantise.quantise_t(quantise.dequantise(q_x, s_x, dy_MN.dtype), backend=backend)
    dw = gemm.matmul(left, left_scales, right, right_scales, out_dtype=torch.float32, backend=backend)
    return dx, dw.type(w_NK.dtype)


def right_3(dy_MN, q_x, s_x, w_NK, backend):
    "turned before they are quantised, by quantise instead of quantise_t"
    x = quantise.dequantise(q_x, s_x, torch.float32)
    a = quantise.quantise(dy_MN.t().contiguous(), backend=backend)
    b = quantise.quantise(x.t().contiguous(), backend=backend)
    grad_w = gemm.matmul(a[0], a[1], b[0], b[1], out_dtype=torch.float32, backend=backend).to(w_NK.dtype)
    qw, sw = quantise.quantise_weight(w_NK, backend=backend)
    qdy, sdy = quantise.quantise(dy_MN, backend=backend)
    turned = [t.transpose(0, 1).contiguous() for t in (qw, sw)]
    return gemm.matmul(qdy, sdy, *turned, out_dtype=dy_MN.dtype, backend=backend), grad_w


def right_4(dy_MN, q_x, s_x, w_NK, backend):
    "the other way round for dw: (x^T dy)^T"
    x = quantise.dequantise(q_x, s_x, dy_MN.dtype)
    xt, dyt = quantise.quantise_t(x, backend=backend), quantise.quantise_t(dy_MN, backend=backend)
    dw_KN = gemm.matmul(*xt, *dyt, out_dtype=torch.float32, backend=backend)
    qw, sw = quantise.quantise_weight(w_NK, backend=backend)
    dx = gemm.matmul(*quantise.quantise(dy_MN, backend=backend), qw.t().contiguous(), sw.t().contiguous(),
                     out_dtype=dy_MN.dtype, backend=backend)
    return dx, dw_KN.t().contiguous().to(w_NK.dtype)
