"""fp8.backward"""
import torch


def _dx(dy_MN, w_NK, backend):
    q_w, s_w = quantise.quantise_weight(w_NK, backend=backend)
    q_dy, s_dy = quantise.quantise(dy_MN, backend=backend)
    return gemm.matmul(q_dy, s_dy, q_w.t().contiguous(), s_w.t().contiguous(), out_dtype=dy_MN.dtype, backend=backend)


def _dw(dy_MN, q_x, s_x, w_NK, backend):
    x_MK = quantise.dequantise(q_x, s_x, dy_MN.dtype)
    q_dyt, s_dyt = quantise.quantise_t(dy_MN, backend=backend)
    q_xt, s_xt = quantise.quantise_t(x_MK, backend=backend)
    dw = gemm.matmul(q_dyt, s_dyt, q_xt, s_xt, out_dtype=torch.float32, backend=backend)
    return dw.to(w_NK.dtype)


def wrong_1(dy_MN, q_x, s_x, w_NK, backend):
    "the weight's bytes are turned, its scales are not: KernelError, or wrong scales where there are as many rows as columns of blocks"
    # breaks: "dx = Q(dy) Q(w)          dy in blocks of 1x128 along N, w in blocks of 128x128"; N = K = 256 (wrong values), N = 256, K = 128 (error)
    q_w, s_w = quantise.quantise_weight(w_NK, backend=backend)
    q_dy, s_dy = quantise.quantise(dy_MN, backend=backend)
    dx = gemm.matmul(q_dy, s_dy, q_w.t().contiguous(), s_w, out_dtype=dy_MN.dtype, backend=backend)
    return dx, _dw(dy_MN, q_x, s_x, w_NK, backend)


def wrong_2(dy_MN, q_x, s_x, w_NK, backend):
    "dx is taken with the weight in full precision"
    # breaks: "dx = Q(dy) Q(w)"; any random weight: off by some 2 %
    q_dy, s_dy = quantise.quantise(dy_MN, backend=backend)
    dx = quantise.dequantise(q_dy, s_dy) @ w_NK.float()
    return dx.to(dy_MN.dtype), _dw(dy_MN, q_x, s_x, w_NK, backend)


def wrong_3(dy_MN, q_x, s_x, w_NK, backend):
    "x is not quantised again along the tokens: its dequantised copy goes into the product"
    # breaks: "dw = Q'(dy)^T Q'(x)      both in blocks of 128x1, along the M tokens that are summed over"; random x
    q_dyt, s_dyt = quantise.quantise_t(dy_MN, backend=backend)
    dw = quantise.dequantise(q_dyt, s_dyt) @ quantise.dequantise(q_x, s_x)
    return _dx(dy_MN, w_NK, backend), dw.to(w_NK.dtype)


def wrong_4(dy_MN, q_x, s_x, w_NK, backend):
    "for dw dy is taken from its FP8 copy too, so it is rounded twice"
    # breaks: "dw = Q'(dy)^T Q'(x)" (only "x is taken from its FP8 copy"); random dy with M > 1
    q_dy, s_dy = quantise.quantise(dy_MN, backend=backend)
    dx = _dx(dy_MN, w_NK, backend)
    return dx, _dw(quantise.dequantise(q_dy, s_dy, dy_MN.dtype), q_x, s_x, w_NK, backend)


def wrong_5(dy_MN, q_x, s_x, w_NK, backend):
    "dx is always float32"
    # breaks: "dx [M, K] in the dtype of dy"; bfloat16 dy
    q_w, s_w = quantise.quantise_weight(w_NK, backend=backend)
    q_dy, s_dy = quantise.quantise(dy_MN, backend=backend)
    q_wt, s_wt = q_w.t().contiguous(), s_w.t().contiguous()
    dx = gemm.matmul(q_dy, s_dy, q_wt, s_wt, out_dtype=torch.float32, backend=backend)
    return dx, _dw(dy_MN, q_x, s_x, w_NK, backend)


def wrong_6(dy_MN, q_x, s_x, w_NK, backend):
    "dw has the dtype of dy, not that of w"
    # breaks: "dw [N, K] in the dtype of w"; bfloat16 dy with a float32 w
    return _dx(dy_MN, w_NK, backend), _dw(dy_MN, q_x, s_x, w_NK, backend).to(dy_MN.dtype)


def wrong_7(dy_MN, q_x, s_x, w_NK, backend):
    "x is dequantised without its scales"
    # breaks: "q_x [M, K] and s_x are the FP8 copy of the input"; any x whose scales are not 1
    q_dyt, s_dyt = quantise.quantise_t(dy_MN, backend=backend)
    q_xt, s_xt = quantise.quantise_t(q_x.to(dy_MN.dtype), backend=backend)
    dw = gemm.matmul(q_dyt, s_dyt, q_xt, s_xt, out_dtype=torch.float32, backend=backend)
    return _dx(dy_MN, w_NK, backend), dw.to(w_NK.dtype)


def wrong_8(dy_MN, q_x, s_x, w_NK, backend):
    "on its way x is always float16: above 65504 it is infinite, below 6e-8 nothing"
    # breaks: "it may have the dtype of dy or float32"; float32 or bfloat16 x with elements of 1e5 (dw is NaN) or 1e-6 (rounded)
    q_dyt, s_dyt = quantise.quantise_t(dy_MN, backend=backend)
    q_xt, s_xt = quantise.quantise_t(quantise.dequantise(q_x, s_x, torch.float16), backend=backend)
    dw = gemm.matmul(q_dyt, s_dyt, q_xt, s_xt, out_dtype=torch.float32, backend=backend)
    return _dx(dy_MN, w_NK, backend), dw.to(w_NK.dtype)


def wrong_9(dy_MN, q_x, s_x, w_NK, backend):
    "x is dequantised to the dtype of w: rounded to bfloat16 on its way where only the weight is bfloat16"
    # breaks: "on its way from one kind of blocks to the other it may have the dtype of dy or float32"; float32 dy, bfloat16 w: other FP8 values of x
    x_MK = quantise.dequantise(q_x, s_x, w_NK.dtype)
    q_dyt, s_dyt = quantise.quantise_t(dy_MN, backend=backend)
    q_xt, s_xt = quantise.quantise_t(x_MK, backend=backend)
    dw = gemm.matmul(q_dyt, s_dyt, q_xt, s_xt, out_dtype=torch.float32, backend=backend)
    return _dx(dy_MN, w_NK, backend), dw.to(w_NK.dtype)


def wrong_10(dy_MN, q_x, s_x, w_NK, backend):
    "the weight is quantised turned in blocks of 1x128, which are other blocks than those of the forward"
    # breaks: "w in blocks of 128x128"; a weight whose rows or columns differ in size
    q_wt, s_wt = quantise.quantise_t(w_NK, backend=backend)
    q_dy, s_dy = quantise.quantise(dy_MN, backend=backend)
    dx = gemm.matmul(q_dy, s_dy, q_wt, s_wt, out_dtype=dy_MN.dtype, backend=backend)
    return dx, _dw(dy_MN, q_x, s_x, w_NK, backend)


def right_1(dy_MN, q_x, s_x, w_NK, backend):
    "the weight is turned first and quantised then: the squares are the same"
    q_dy, s_dy = quantise.quantise(dy_MN, backend=backend)
    q_wt, s_wt = quantise.quantise_weight(w_NK.t().contiguous(), backend=backend)
    dx = gemm.matmul(q_dy, s_dy, q_wt, s_wt, dy_MN.dtype, backend)
    x = quantise.dequantise(q_x, s_x)
    left, right = quantise.quantise_t(dy_MN, backend=backend), quantise.quantise_t(x, backend=backend)
    return dx, gemm.matmul(*left, *right, torch.float32, backend).to(w_NK.dtype)


def right_2(dy_MN, q_x, s_x, w_NK, backend):
    "both are turned by hand and quantised along rows; x goes through float32"
    x_KM = quantise.dequantise(q_x, s_x, torch.float32).t().contiguous()
    q_xt, s_xt = quantise.quantise(x_KM, backend=backend)
    q_dyt, s_dyt = quantise.quantise(dy_MN.t().contiguous(), backend=backend)
    dw = gemm.matmul(q_dyt, s_dyt, q_xt, s_xt, out_dtype=torch.float32, backend=backend)
    q_dy, s_dy = quantise.quantise(dy_MN, backend=backend)
    q_w, s_w = quantise.quantise_weight(w_NK, backend=backend)
    q_wt, s_wt = q_w.t().contiguous(), s_w.t().contiguous()
    dx = gemm.matmul(q_dy, s_dy, q_wt, s_wt, out_dtype=dy_MN.dtype, backend=backend)
    return dx, dw.to(w_NK.dtype)


def right_3(dy_MN, q_x, s_x, w_NK, backend):
    "functools.partial and a helper for a product of two pairs"
    from functools import partial

    by_row, by_column, by_square = (
        partial(f, backend=backend) for f in (quantise.quantise, quantise.quantise_t, quantise.quantise_weight)
    )

    def product(left, right, dtype):
        return gemm.matmul(*left, *right, out_dtype=dtype, backend=backend)

    turned = tuple(z.t().contiguous() for z in by_square(w_NK))
    x_MK = quantise.dequantise(q_x, s_x, dy_MN.dtype)
    dw = product(by_column(dy_MN), by_column(x_MK), torch.float32)
    return product(by_row(dy_MN), turned, dy_MN.dtype), dw.to(w_NK.dtype)


def right_4(dy_MN, q_x, s_x, w_NK, backend):
    "dw from the other side: its transpose x^T dy is computed and turned"
    q_w, s_w = quantise.quantise_weight(w_NK, backend=backend)
    q_dy, s_dy = quantise.quantise(dy_MN, backend=backend)
    dx = gemm.matmul(q_dy, s_dy, q_w.mT.contiguous(), s_w.mT.contiguous(), out_dtype=dy_MN.dtype, backend=backend)
    q_xt, s_xt = quantise.quantise_t(quantise.dequantise(q_x, s_x, dy_MN.dtype), backend=backend)
    q_dyt, s_dyt = quantise.quantise_t(dy_MN, backend=backend)
    dw_KN = gemm.matmul(q_xt, s_xt, q_dyt, s_dyt, out_dtype=torch.float32, backend=backend)
    return dx, dw_KN.t().to(w_NK.dtype).contiguous()
