"""Matrix products: a linear layer that goes to the faster of the two libraries inside torch.

    y = x W^T,    dx = dy W,    dW = dy^T x

On a CPU torch sends float32 products to MKL, which keeps to 256-bit vectors on processors that are not Intel's. oneDNN,
which is in the same package for the sake of convolutions, compiles its kernels at run time for whatever processor it
finds: 215 against 95 GFLOP/s on one Zen 5 core at [2048, 96] x [96, 256]. `minids bench train` measures both here.

oneDNN compiles once for every new shape, in some 2 ms. Numbers of rows are therefore rounded up to a multiple of
`ROWS`, with rows of zeros; batches whose number of tokens is such a multiple need no copy for it. Below `ROWS` rows MKL
is faster. The choice depends on the shape alone, never on a timing, so a run repeats bit for bit. Other devices and
types: torch's own way. The operator is private to torch: before its first use `onednn` asks whether it is there and
multiplies correctly, and without it every product is `torch.mm`.

Shapes: M rows (tokens), K in, N out.
"""

import functools
import platform

import torch
import torch.nn.functional as F
from torch import nn

from minids.errors import MinidsError

ROWS = 64  # rows are rounded up to a multiple of this
ROWS_WEIGHT_GRADIENT = 256  # below this many rows the copy in `weight_gradient` costs more than it saves


def full_precision_cpu(x):
    """Where the hand-written steps apply: float32 or float64 on a CPU, no autocast."""
    return x.device.type == "cpu" and x.dtype in (torch.float32, torch.float64) and not torch.is_autocast_enabled("cpu")


@functools.cache
def onednn():
    """Whether this torch has oneDNN's product, and it is correct for the three kinds of operands that are used here."""
    if not torch.backends.mkldnn.is_available() or platform.machine().lower() not in ("x86_64", "amd64"):
        return False
    # whole numbers, so that the product is exact; at first use and not at import, as it may start threads
    number = torch.arange(ROWS * 32, dtype=torch.float32, device="cpu")
    a_MK, b_NK = (number % 7 - 3).view(ROWS, 32), (number % 5 - 2).view(ROWS, 32)
    try:
        products = _onednn(a_MK, b_NK), _onednn(a_MK, b_NK.T.contiguous().T), _onednn(a_MK.T, b_NK.T)
    except (AttributeError, RuntimeError, TypeError, NotImplementedError):  # renamed, or called in another way
        return False
    by_rows, by_columns = (a_MK[:, None] * b_NK).sum(-1), (a_MK[:, :, None] * b_NK[:, None]).sum(0)
    return all(map(torch.equal, products, (by_rows, by_rows, by_columns)))


def onednn_supports(a_MK):
    """Whether oneDNN computes products with this matrix: float32, at least ROWS rows, on a CPU that has it."""
    return a_MK.dtype == torch.float32 and a_MK.shape[0] >= ROWS and a_MK.device.type == "cpu" and onednn()


def pad_rows(a_MK):
    """Zero rows at the end, up to a multiple of ROWS."""
    missing = -a_MK.shape[0] % ROWS
    return F.pad(a_MK, (0, 0, 0, missing)) if missing else a_MK


def _onednn(a_MK, b_NK):
    """a b^T; b may be any view, a is copied if its rows are not contiguous."""
    return torch.ops.mkldnn._linear_pointwise(a_MK, b_NK, None, "none", [], "")


def matmul_nt(a_MK, w_NK):
    """a w^T -> [M, N], without autograd."""
    if not onednn_supports(a_MK):
        return torch.mm(a_MK, w_NK.T)
    return _onednn(pad_rows(a_MK), w_NK)[: a_MK.shape[0]]


def weight_gradient(g_MN, a_MK):
    """g^T a -> [N, K], without autograd."""
    if not onednn_supports(a_MK) or a_MK.shape[0] < ROWS_WEIGHT_GRADIENT:
        return torch.mm(g_MN.T, a_MK)
    g_MN, a_MK = pad_rows(g_MN), pad_rows(a_MK)
    if a_MK.shape[1] <= g_MN.shape[1]:  # the narrower one is turned around, which is a copy
        return _onednn(a_MK.T, g_MN.T).T
    return _onednn(g_MN.T, a_MK.T)


class _Linear(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x_MK, w_NK):
        ctx.save_for_backward(x_MK, w_NK)
        return matmul_nt(x_MK, w_NK)

    @staticmethod
    def backward(ctx, g_MN):
        x_MK, w_NK = ctx.saved_tensors
        return matmul_nt(g_MN, w_NK.T), weight_gradient(g_MN, x_MK)


def linear(x, w_NK, bias_N=None):
    """x [..., K] -> x w^T (+ bias) [..., N]."""
    if not full_precision_cpu(x):
        return F.linear(x, w_NK, bias_N)
    y = _Linear.apply(x.reshape(-1, x.shape[-1]), w_NK).view(*x.shape[:-1], len(w_NK))
    return y if bias_N is None else y + bias_N


def need_input(where, x, weight, size):
    """Refuses an input [..., size] that does not belong to this weight; `where` names the layer's class in the error.

    Under autocast any floating-point type is taken, as by torch's own layers.
    """
    if x.ndim == 0 or x.shape[-1] != size:
        raise MinidsError(f"{where}: the last dimension of the input must be {size}, got {list(x.shape)}.")
    same = x.dtype == weight.dtype or (x.is_floating_point() and torch.is_autocast_enabled(weight.device.type))
    if not same or x.device != weight.device:
        raise MinidsError(
            f"{where}: the input is {x.dtype} on {x.device}, the layer {weight.dtype} on {weight.device}. Move one of "
            "them with .to(…)."
        )


class Linear(nn.Linear):
    """nn.Linear with the products above: x [..., in] -> [..., out]. Raises MinidsError for another size or type."""

    def forward(self, x):
        """x [..., K] -> [..., N]."""
        try:
            return linear(x, self.weight, self.bias)
        except (RuntimeError, IndexError):  # looked at only then: a decoder makes hundreds of products a token
            need_input(type(self).__name__, x, self.weight, self.in_features)
            raise


def fusible(layer):
    """Whether a larger step (`cpu.mlp`, the loss) may compute this layer's product from its weight: a `Linear` does not
    mind, and a class with a forward of its own (`fp8.Linear`) does."""
    return type(layer).forward is Linear.forward
