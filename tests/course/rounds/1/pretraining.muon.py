"""pretraining.muon"""
import torch

def wrong_1(x_NRC, steps=5, eps=1e-7):
    "one norm for the whole batch: right for N = 1 only"
    a, b, c = NEWTON_SCHULZ
    x = x_NRC / x_NRC.norm().clamp(min=eps)
    for _ in range(steps):
        g = x @ x.mT
        x = a * x + (b * g + c * g @ g) @ x
    return x

def wrong_2(x_NRC, steps=5, eps=1e-7):
    "norm not bounded below: a matrix of zeros becomes NaN"
    a, b, c = NEWTON_SCHULZ
    x = x_NRC / x_NRC.norm(dim=(1, 2), keepdim=True)
    for _ in range(steps):
        g = x @ x.mT
        x = a * x + (b * g + c * g @ g) @ x
    return x

def wrong_3(x_NRC, steps=5, eps=1e-7):
    "the Gram matrix is made once, before the loop"
    a, b, c = NEWTON_SCHULZ
    x = x_NRC / x_NRC.norm(dim=(1, 2), keepdim=True).clamp(min=eps)
    g = x @ x.mT
    for _ in range(steps):
        x = a * x + (b * g + c * g @ g) @ x
    return x

def wrong_4(x_NRC, steps=5, eps=1e-7):
    "divides in place: the given tensor is changed"
    a, b, c = NEWTON_SCHULZ
    x_NRC /= x_NRC.norm(dim=(1, 2), keepdim=True).clamp(min=eps)
    x = x_NRC
    for _ in range(steps):
        g = x @ x.mT
        x = a * x + (b * g + c * g @ g) @ x
    return x

def wrong_5(x_NRC, steps=5, eps=1e-7):
    "`steps` is ignored: always five"
    a, b, c = NEWTON_SCHULZ
    x = x_NRC / x_NRC.norm(dim=(1, 2), keepdim=True).clamp(min=eps)
    for _ in range(5):
        g = x @ x.mT
        x = a * x + (b * g + c * g @ g) @ x
    return x

def wrong_6(x_NRC, steps=5, eps=1e-7):
    "the spectral norm in the place of Frobenius': singular values at 1 from the start, another result after few steps"
    a, b, c = NEWTON_SCHULZ
    x = x_NRC / torch.linalg.matrix_norm(x_NRC, ord=2, keepdim=True).clamp(min=eps)
    for _ in range(steps):
        g = x @ x.mT
        x = a * x + (b * g + c * g @ g) @ x
    return x

def wrong_7(x_NRC, steps=5, eps=1e-7):
    "elementwise square of the Gram matrix: g * g instead of g @ g"
    a, b, c = NEWTON_SCHULZ
    x = x_NRC / x_NRC.norm(dim=(1, 2), keepdim=True).clamp(min=eps)
    for _ in range(steps):
        g = x @ x.mT
        x = a * x + (b * g + c * g * g) @ x
    return x

def wrong_8(x_NRC, steps=5, eps=1e-7):
    "eps is added to the sum of squares under the root: a matrix of norm 1e-4 comes out far too small"
    a, b, c = NEWTON_SCHULZ
    x = x_NRC / (x_NRC.square().sum((1, 2), keepdim=True) + eps).sqrt()
    for _ in range(steps):
        g = x @ x.mT
        x = a * x + (b * g + c * g @ g) @ x
    return x

def wrong_9(x_NRC, steps=5, eps=1e-7):
    "casts to bfloat16 as in Jordan's code and returns it"
    a, b, c = NEWTON_SCHULZ
    x = x_NRC.bfloat16()
    x = x / x.norm(dim=(1, 2), keepdim=True).clamp(min=eps)
    for _ in range(steps):
        g = x @ x.mT
        x = a * x + (b * g + c * g @ g) @ x
    return x

def wrong_10(x_NRC, steps=5, eps=1e-7):
    "tall matrices are transposed first and not turned back: wrong shape where rows > cols"
    a, b, c = NEWTON_SCHULZ
    x = x_NRC.mT if x_NRC.shape[1] > x_NRC.shape[2] else x_NRC
    x = x / x.norm(dim=(1, 2), keepdim=True).clamp(min=eps)
    for _ in range(steps):
        g = x @ x.mT
        x = a * x + (b * g + c * g @ g) @ x
    return x

def right_1(x_NRC, steps=5, eps=1e-7):
    "plain products, a term at a time"
    a, b, c = NEWTON_SCHULZ
    x = x_NRC / x_NRC.norm(dim=(-2, -1), keepdim=True).clamp(min=eps)
    for _ in range(steps):
        g = x @ x.transpose(1, 2)
        gx = g @ x
        x = a * x + b * gx + c * (g @ gx)
    return x

def right_2(x_NRC, steps=5, eps=1e-7):
    "tall matrices through their transpose, turned back at the end"
    if x_NRC.shape[1] > x_NRC.shape[2]:
        return right_2(x_NRC.mT, steps, eps).mT
    a, b, c = NEWTON_SCHULZ
    norm = x_NRC.square().sum((1, 2), keepdim=True).sqrt()
    x = x_NRC / torch.where(norm < eps, torch.full_like(norm, eps), norm)
    for _ in range(steps):
        g = torch.bmm(x, x.mT)
        x = a * x + torch.bmm(b * g + c * torch.bmm(g, g), x)
    return x

def right_3(x_NRC, steps=5, eps=1e-7):
    "matrix by matrix, the polynomial as one matrix with a I on the diagonal"
    a, b, c = NEWTON_SCHULZ
    out = torch.empty_like(x_NRC)
    for n, x in enumerate(x_NRC):
        x = x / torch.linalg.matrix_norm(x).clamp(min=eps)
        eye = torch.eye(x.shape[0], dtype=x.dtype, device=x.device)
        for _ in range(steps):
            g = x @ x.T
            x = (a * eye + b * g + c * g @ g) @ x
        out[n] = x
    return out

def right_4(x_NRC, steps=5, eps=1e-7):
    "einsum"
    a, b, c = NEWTON_SCHULZ
    x = x_NRC / x_NRC.flatten(1).norm(dim=1).clamp(min=eps)[:, None, None]
    for _ in range(steps):
        g = torch.einsum("nrc,nsc->nrs", x, x)
        first = torch.einsum("nrs,nsc->nrc", g, x)
        second = torch.einsum("nrs,nsc->nrc", g, first)
        x = a * x + b * first + c * second
    return x
