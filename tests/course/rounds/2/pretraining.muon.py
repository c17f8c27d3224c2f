"""pretraining.muon"""
import torch

A, B, C = 3.4445, -4.7750, 2.0315


def _unit(x, eps):
    return x / x.flatten(1).norm(dim=1).clamp(min=eps)[:, None, None]


def wrong_1(x_NRC, steps=5, eps=1e-7):
    "one norm for the whole batch: with several matrices the small ones are not brought to 1"
    x = x_NRC / x_NRC.norm().clamp(min=eps)
    for _ in range(steps):
        g = x @ x.mT
        x = A * x + (B * g + C * g @ g) @ x
    return x


def wrong_2(x_NRC, steps=5, eps=1e-7):
    "the given matrices are divided in place"
    x_NRC /= x_NRC.flatten(1).norm(dim=1).clamp(min=eps)[:, None, None]
    x = x_NRC
    for _ in range(steps):
        g = x @ x.mT
        x = A * x + (B * g + C * g @ g) @ x
    return x


def wrong_3(x_NRC, steps=5, eps=1e-7):
    "nothing keeps a matrix of zeros from 0/0"
    x = x_NRC / x_NRC.flatten(1).norm(dim=1)[:, None, None]
    for _ in range(steps):
        g = x @ x.mT
        x = A * x + (B * g + C * g @ g) @ x
    return x


def wrong_4(x_NRC, steps=5, eps=1e-7):
    "the Gram matrix is that of the first step in all steps"
    x = _unit(x_NRC, eps)
    g = x @ x.mT
    for _ in range(steps):
        x = A * x + (B * g + C * g @ g) @ x
    return x


def wrong_5(x_NRC, steps=5, eps=1e-7):
    "tall matrices are transposed and not transposed back"
    x = _unit(x_NRC, eps)
    if x.shape[1] > x.shape[2]:
        x = x.mT
    for _ in range(steps):
        g = x @ x.mT
        x = A * x + (B * g + C * g @ g) @ x
    return x


def wrong_6(x_NRC, steps=5, eps=1e-7):
    "eps is not used, 1e-7 is written out: differs where a larger eps is given and a norm is below it"
    x = _unit(x_NRC, 1e-7)
    for _ in range(steps):
        g = x @ x.mT
        x = A * x + (B * g + C * g @ g) @ x
    return x


def wrong_7(x_NRC, steps=5, eps=1e-7):
    "the exact polar factor by SVD: not the polynomial's, steps unused, zeros do not stay zeros"
    u, _, vh = torch.linalg.svd(x_NRC, full_matrices=False)
    return u @ vh


def wrong_8(x_NRC, steps=5, eps=1e-7):
    "computes in bf16 and returns bf16, as on a GPU: the dtype of float32 input is lost"
    x = _unit(x_NRC, eps).bfloat16()
    for _ in range(steps):
        g = x @ x.mT
        x = A * x + (B * g + C * g @ g) @ x
    return x


def wrong_9(x_NRC, steps=5, eps=1e-7):
    "the largest entry instead of the Frobenius norm: singular values above 1, where the steps diverge"
    x = x_NRC / x_NRC.abs().amax(dim=(1, 2), keepdim=True).clamp(min=eps)
    for _ in range(steps):
        g = x @ x.mT
        x = A * x + (B * g + C * g @ g) @ x
    return x


def wrong_10(x_NRC, steps=5, eps=1e-7):
    "each row is divided by its own norm: rows of different size are made equal before, other singular vectors"
    x = x_NRC / x_NRC.norm(dim=2, keepdim=True).clamp(min=eps) / x_NRC.shape[1] ** 0.5
    for _ in range(steps):
        g = x @ x.mT
        x = A * x + (B * g + C * g @ g) @ x
    return x


def right_1(x_NRC, steps=5, eps=1e-7):
    "einsum, the sums of the polynomial written out"
    a, b, c = NEWTON_SCHULZ
    x = x_NRC / x_NRC.square().sum((1, 2), keepdim=True).sqrt().clamp(min=eps)
    for _ in range(steps):
        gram = torch.einsum("nrc,nsc->nrs", x, x)
        once = torch.einsum("nrs,nsc->nrc", gram, x)
        twice = torch.einsum("nrs,nsc->nrc", gram, once)
        x = a * x + b * once + c * twice
    return x


def right_2(x_NRC, steps=5, eps=1e-7):
    "one matrix after the other; tall ones lie down for the steps"
    out = torch.empty_like(x_NRC)
    for n, x in enumerate(x_NRC):
        tall = x.shape[0] > x.shape[1]
        x = x.T if tall else x
        x = x / max(torch.linalg.matrix_norm(x).item(), eps)
        for _ in range(steps):
            g = x @ x.T
            x = A * x + (B * g + C * (g @ g)) @ x
        out[n] = x.T if tall else x
    return out


def right_3(x_NRC, steps=5, eps=1e-7):
    "Horner, with the Gram matrix of the columns from the right"
    a, b, c = NEWTON_SCHULZ
    x = x_NRC / torch.linalg.matrix_norm(x_NRC, keepdim=True).clamp_min(eps)
    eye = torch.eye(x.shape[-1], dtype=x.dtype, device=x.device)
    for _ in range(steps):
        g = x.transpose(1, 2) @ x
        x = x @ (a * eye + g @ (b * eye + c * g))
    return x


def right_4(x_NRC, steps=5, eps=1e-7):
    "bmm, recursion"
    def go(x, left):
        if left == 0:
            return x
        g = torch.bmm(x, x.permute(0, 2, 1))
        return go(A * x + torch.bmm(B * g + C * torch.bmm(g, g), x), left - 1)
    norm = x_NRC.pow(2).sum(dim=(1, 2)).sqrt()
    return go(x_NRC / torch.maximum(norm, torch.full_like(norm, eps)).view(-1, 1, 1), steps)
