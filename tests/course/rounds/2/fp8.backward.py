"""fp8.backward"""
import torch
import torch.nn.functional as F



def wrong_1(dy_MN, q_x, s_x, w_NK, backend):
    "dw stays float32 where w is not"
    q_w, s_w = quantise.quantise_weight(w_NK, backend=backend)
    q_dy, s_dy = quantise.quantise(dy_MN, backend=backend)
    dx_MK = gemm.matmul(q_dy, s_dy, q_w.t().contiguous(), s_w.t().contiguous(), out_dtype=dy_MN.dtype, backend=backend)
    x_MK = quantise.dequantise(q_x, s_x, dy_MN.dtype)
    q_dyt, s_dyt = quantise.quantise_t(dy_MN, backend=backend)
    q_xt, s_xt = quantise.quantise_t(x_MK, backend=backend)
    dw_NK = gemm.matmul(q_dyt, s_dyt, q_xt, s_xt, out_dtype=torch.float32, backend=backend)
    return dx_MK, dw_NK


def wrong_2(dy_MN, q_x, s_x, w_NK, backend):
    "out_dtype is left to its default: dx and dw go through bfloat16"
    q_w, s_w = quantise.quantise_weight(w_NK, backend=backend)
    q_dy, s_dy = quantise.quantise(dy_MN, backend=backend)
    dx_MK = gemm.matmul(q_dy, s_dy, q_w.t().contiguous(), s_w.t().contiguous(), backend=backend).to(dy_MN.dtype)
    x_MK = quantise.dequantise(q_x, s_x, dy_MN.dtype)
    q_dyt, s_dyt = quantise.quantise_t(dy_MN, backend=backend)
    q_xt, s_xt = quantise.quantise_t(x_MK, backend=backend)
    dw_NK = gemm.matmul(q_dyt, s_dyt, q_xt, s_xt, backend=backend)
    return dx_MK, dw_NK.to(w_NK.dtype)


def wrong_3(dy_MN, q_x, s_x, w_NK, backend):
    "the bytes of the weight are turned, its scales are not (wrong numbers where both sides have as many blocks)"
    q_w, s_w = quantise.quantise_weight(w_NK, backend=backend)
    q_dy, s_dy = quantise.quantise(dy_MN, backend=backend)
    dx_MK = gemm.matmul(q_dy, s_dy, q_w.t().contiguous(), s_w, out_dtype=dy_MN.dtype, backend=backend)
    x_MK = quantise.dequantise(q_x, s_x, dy_MN.dtype)
    q_dyt, s_dyt = quantise.quantise_t(dy_MN, backend=backend)
    q_xt, s_xt = quantise.quantise_t(x_MK, backend=backend)
    dw_NK = gemm.matmul(q_dyt, s_dyt, q_xt, s_xt, out_dtype=torch.float32, backend=backend)
    return dx_MK, dw_NK.to(w_NK.dtype)


def wrong_4(dy_MN, q_x, s_x, w_NK, backend):
    "x is taken from its bytes without the scales"
    q_w, s_w = quantise.quantise_weight(w_NK, backend=backend)
    q_dy, s_dy = quantise.quantise(dy_MN, backend=backend)
    dx_MK = gemm.matmul(q_dy, s_dy, q_w.t().contiguous(), s_w.t().contiguous(), out_dtype=dy_MN.dtype, backend=backend)
    x_MK = q_x.to(dy_MN.dtype)
    q_dyt, s_dyt = quantise.quantise_t(dy_MN, backend=backend)
    q_xt, s_xt = quantise.quantise_t(x_MK, backend=backend)
    dw_NK = gemm.matmul(q_dyt, s_dyt, q_xt, s_xt, out_dtype=torch.float32, backend=backend)
    return dx_MK, dw_NK.to(w_NK.dtype)


def wrong_5(dy_MN, q_x, s_x, w_NK, backend):
    "dy is quantised along N first and that copy is turned and quantised again for dw"
    q_w, s_w = quantise.quantise_weight(w_NK, backend=backend)
    q_dy, s_dy = quantise.quantise(dy_MN, backend=backend)
    dx_MK = gemm.matmul(q_dy, s_dy, q_w.t().contiguous(), s_w.t().contiguous(), out_dtype=dy_MN.dtype, backend=backend)
    x_MK = quantise.dequantise(q_x, s_x, dy_MN.dtype)
    q_dyt, s_dyt = quantise.quantise_t(quantise.dequantise(q_dy, s_dy, dy_MN.dtype), backend=backend)
    q_xt, s_xt = quantise.quantise_t(x_MK, backend=backend)
    dw_NK = gemm.matmul(q_dyt, s_dyt, q_xt, s_xt, out_dtype=torch.float32, backend=backend)
    return dx_MK, dw_NK.to(w_NK.dtype)


def wrong_6(dy_MN, q_x, s_x, w_NK, backend):
    "the weight in blocks of 128x1 instead of 128x128"
    q_wt, s_wt = quantise.quantise_t(w_NK, backend=backend)
    q_dy, s_dy = quantise.quantise(dy_MN, backend=backend)
    dx_MK = gemm.matmul(q_dy, s_dy, q_wt, s_wt, out_dtype=dy_MN.dtype, backend=backend)
    x_MK = quantise.dequantise(q_x, s_x, dy_MN.dtype)
    q_dyt, s_dyt = quantise.quantise_t(dy_MN, backend=backend)
    q_xt, s_xt = quantise.quantise_t(x_MK, backend=backend)
    dw_NK = gemm.matmul(q_dyt, s_dyt, q_xt, s_xt, out_dtype=torch.float32, backend=backend)
    return dx_MK, dw_NK.to(w_NK.dtype)


def wrong_7(dy_MN, q_x, s_x, w_NK, backend):
    "dw is computed in the dtype of dy: for bfloat16 dy and float32 w it is rounded to bfloat16"
    q_w, s_w = quantise.quantise_weight(w_NK, backend=backend)
    q_dy, s_dy = quantise.quantise(dy_MN, backend=backend)
    dx_MK = gemm.matmul(q_dy, s_dy, q_w.t().contiguous(), s_w.t().contiguous(), out_dtype=dy_MN.dtype, backend=backend)
    x_MK = quantise.dequantise(q_x, s_x, dy_MN.dtype)
    q_dyt, s_dyt = quantise.quantise_t(dy_MN, backend=backend)
    q_xt, s_xt = quantise.quantise_t(x_MK, backend=backend)
    dw_NK = gemm.matmul(q_dyt, s_dyt, q_xt, s_xt, out_dtype=dy_MN.dtype, backend=backend)
    return dx_MK, dw_NK.to(w_NK.dtype)


def wrong_8(dy_MN, q_x, s_x, w_NK, backend):
    "backend is not handed on to quantise and gemm"
    q_w, s_w = quantise.quantise_weight(w_NK)
    q_dy, s_dy = quantise.quantise(dy_MN)
    dx_MK = gemm.matmul(q_dy, s_dy, q_w.t().contiguous(), s_w.t().contiguous(), out_dtype=dy_MN.dtype)
    x_MK = quantise.dequantise(q_x, s_x, dy_MN.dtype)
    q_dyt, s_dyt = quantise.quantise_t(dy_MN)
    q_xt, s_xt = quantise.quantise_t(x_MK)
    dw_NK = gemm.matmul(q_dyt, s_dyt, q_xt, s_xt, out_dtype=torch.float32)
    return dx_MK, dw_NK.to(w_NK.dtype)


def wrong_9(dy_MN, q_x, s_x, w_NK, backend):
    "dw in full precision: neither dy nor x in blocks of 128x1"
    q_w, s_w = quantise.quantise_weight(w_NK, backend=backend)
    q_dy, s_dy = quantise.quantise(dy_MN, backend=backend)
    dx_MK = gemm.matmul(q_dy, s_dy, q_w.t().contiguous(), s_w.t().contiguous(), out_dtype=dy_MN.dtype, backend=backend)
    x_MK = quantise.dequantise(q_x, s_x, dy_MN.dtype)
    dw_NK = dy_MN.float().t() @ x_MK.float()
    return dx_MK, dw_NK.to(w_NK.dtype)


def wrong_10(dy_MN, q_x, s_x, w_NK, backend):
    "dx in the dtype of w"
    q_w, s_w = quantise.quantise_weight(w_NK, backend=backend)
    q_dy, s_dy = quantise.quantise(dy_MN, backend=backend)
    dx_MK = gemm.matmul(q_dy, s_dy, q_w.t().contiguous(), s_w.t().contiguous(), out_dtype=w_NK.dtype, backend=backend)
    x_MK = quantise.dequantise(q_x, s_x, dy_MN.dtype)
    q_dyt, s_dyt = quantise.quantise_t(dy_MN, backend=backend)
    q_xt, s_xt = quantise.quantise_t(x_MK, backend=backend)
    dw_NK = gemm.matmul(q_dyt, s_dyt, q_xt, s_xt, out_dtype=torch.float32, backend=backend)
    return dx_MK, dw_NK.to(w_NK.dtype)


def right_1(dy_MN, q_x, s_x, w_NK, backend):
    "the weight is turned first and quantised then, x in float32"
    q_w, s_w = quantise.quantise_weight(w_NK.t().contiguous(), backend=backend)
    q_dy, s_dy = quantise.quantise(dy_MN, backend=backend)
    dx_MK = gemm.matmul(q_dy, s_dy, q_w, s_w, out_dtype=dy_MN.dtype, backend=backend)
    x_MK = quantise.dequantise(q_x, s_x, torch.float32)
    q_dyt, s_dyt = quantise.quantise_t(dy_MN, backend=backend)
    q_xt, s_xt = quantise.quantise_t(x_MK, backend=backend)
    dw_NK = gemm.matmul(q_dyt, s_dyt, q_xt, s_xt, out_dtype=torch.float32, backend=backend)
    return dx_MK, dw_NK.to(w_NK.dtype)


def right_2(dy_MN, q_x, s_x, w_NK, backend):
    "dw transposed twice: x on the left"
    q_w, s_w = quantise.quantise_weight(w_NK, backend=backend)
    q_dy, s_dy = quantise.quantise(dy_MN, backend=backend)
    dx_MK = gemm.matmul(q_dy, s_dy, q_w.t().contiguous(), s_w.t().contiguous(), out_dtype=dy_MN.dtype, backend=backend)
    x_MK = quantise.dequantise(q_x, s_x, dy_MN.dtype)
    q_dyt, s_dyt = quantise.quantise_t(dy_MN, backend=backend)
    q_xt, s_xt = quantise.quantise_t(x_MK, backend=backend)
    dw_NK = gemm.matmul(q_xt, s_xt, q_dyt, s_dyt, out_dtype=torch.float32, backend=backend).t().contiguous()
    return dx_MK, dw_NK.to(w_NK.dtype)


def right_3(dy_MN, q_x, s_x, w_NK, backend):
    "quantise of the turned matrix instead of quantise_t, dw first"
    def turn(z):
        return quantise.quantise(z.t().contiguous(), backend=backend)
    dw = gemm.matmul(*turn(dy_MN), *turn(quantise.dequantise(q_x, s_x)), torch.float32, backend)
    q, s = quantise.quantise_weight(w_NK, "fp32", backend)
    dx = gemm.matmul(*quantise.quantise(dy_MN, "fp32", backend), q.t().contiguous(), s.t().contiguous(), dy_MN.dtype, backend)
    return dx, dw.to(w_NK.dtype)


def right_4(dy_MN, q_x, s_x, w_NK, backend):
    "keywords in a dict, dx in float32 and then cast"
    q_w, s_w = quantise.quantise_weight(w_NK, backend=backend)
    q_dy, s_dy = quantise.quantise(dy_MN, backend=backend)
    dx_MK = gemm.matmul(q_dy, s_dy, q_w.t().contiguous(), s_w.t().contiguous(), out_dtype=torch.float32, backend=backend).to(dy_MN.dtype)
    x_MK = quantise.dequantise(q_x, s_x, dy_MN.dtype)
    q_dyt, s_dyt = quantise.quantise_t(dy_MN, backend=backend)
    q_xt, s_xt = quantise.quantise_t(x_MK, backend=backend)
    dw_NK = gemm.matmul(q_dyt, s_dyt, q_xt, s_xt, out_dtype=torch.float32, backend=backend)
    return dx_MK, dw_NK.to(w_NK.dtype)
