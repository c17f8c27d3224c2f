"""pretraining.muon"""
import torch


def wrong_1(x_NRC, steps=5, eps=1e-7):
    "one norm for the whole batch: other matrices change the result"
    a, b, c = NEWTON_SCHULZ
    x = x_NRC / x_NRC.norm().clamp(min=eps)
    for _ in range(steps):
        gram = x @ x.mT
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x


def wrong_2(x_NRC, steps=5, eps=1e-7):
    "the Gram matrix is computed once, before the loop"
    a, b, c = NEWTON_SCHULZ
    x = x_NRC / x_NRC.norm(dim=(1, 2), keepdim=True).clamp(min=eps)
    gram = x @ x.mT
    poly = b * gram + c * gram @ gram
    for _ in range(steps):
        x = a * x + poly @ x
    return x


def wrong_3(x_NRC, steps=5, eps=1e-7):
    "eps is added to the norm, not its least value: differs for small matrices and for a larger eps"
    a, b, c = NEWTON_SCHULZ
    x = x_NRC / (x_NRC.norm(dim=(1, 2), keepdim=True) + eps)
    for _ in range(steps):
        gram = x @ x.mT
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x


def wrong_4(x_NRC, steps=5, eps=1e-7):
    "tall matrices are transposed to be cheap, and not transposed back"
    a, b, c = NEWTON_SCHULZ
    x = x_NRC / x_NRC.norm(dim=(1, 2), keepdim=True).clamp(min=eps)
    if x.shape[1] > x.shape[2]:
        x = x.mT
    for _ in range(steps):
        gram = x @ x.mT
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x


def wrong_5(x_NRC, steps=5, eps=1e-7):
    "divides in place: the caller's matrices are normalised"
    a, b, c = NEWTON_SCHULZ
    x_NRC /= torch.linalg.vector_norm(x_NRC, dim=(1, 2), keepdim=True).clamp(min=eps)
    for _ in range(steps):
        gram = x_NRC @ x_NRC.mT
        x_NRC = a * x_NRC + (b * gram + c * gram @ gram) @ x_NRC
    return x_NRC


def wrong_6(x_NRC, steps=5, eps=1e-7):
    "gram ** 2 squares each element, not the matrix"
    a, b, c = NEWTON_SCHULZ
    x = x_NRC / x_NRC.norm(dim=(1, 2), keepdim=True).clamp(min=eps)
    for _ in range(steps):
        gram = x @ x.mT
        x = a * x + (b * gram + c * gram**2) @ x
    return x


def wrong_7(x_NRC, steps=5, eps=1e-7):
    "computes in bf16, as Jordan's code does, and returns it: another dtype than was given"
    a, b, c = NEWTON_SCHULZ
    x = x_NRC.bfloat16()
    x = x / x.norm(dim=(1, 2), keepdim=True).clamp(min=eps)
    for _ in range(steps):
        gram = x @ x.mT
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x


def wrong_8(x_NRC, steps=5, eps=1e-7):
    "exact, by SVD: `steps` says nothing, and zeros become an orthogonal matrix"
    u, _, vh = torch.linalg.svd(x_NRC, full_matrices=False)
    return u @ vh


def wrong_9(x_NRC, steps=5, eps=1e-7):
    "divides by the largest singular value instead of the Frobenius norm"
    a, b, c = NEWTON_SCHULZ
    x = x_NRC / torch.linalg.matrix_norm(x_NRC, ord=2, keepdim=True).clamp(min=eps)
    for _ in range(steps):
        gram = x @ x.mT
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x


def wrong_10(x_NRC, steps=5, eps=1e-7):
    "always five steps"
    a, b, c = NEWTON_SCHULZ
    x = x_NRC / x_NRC.norm(dim=(1, 2), keepdim=True).clamp(min=eps)
    for _ in range(5):
        gram = x @ x.mT
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x


def right_1(x_NRC, steps=5, eps=1e-7):
    "one matrix at a time"
    a, b, c = NEWTON_SCHULZ
    out = torch.empty_like(x_NRC)
    for n in range(len(x_NRC)):
        x = x_NRC[n]
        x = x / max(float(x.square().sum().sqrt()), eps)
        for _ in range(steps):
            gram = x @ x.T
            x = a * x + b * gram @ x + c * gram @ (gram @ x)
        out[n] = x
    return out


def right_2(x_NRC, steps=5, eps=1e-7):
    "einsum, the norm by sums of squares"
    a, b, c = NEWTON_SCHULZ
    norm = x_NRC.pow(2).sum((-2, -1), keepdim=True).sqrt()
    x = x_NRC / torch.maximum(norm, torch.full_like(norm, eps))
    for _ in range(steps):
        gram = torch.einsum("nic,njc->nij", x, x)
        poly = b * gram + c * torch.einsum("nij,njk->nik", gram, gram)
        x = a * x + torch.einsum("nij,njc->nic", poly, x)
    return x


def right_3(x_NRC, steps=5, eps=1e-7):
    "tall matrices are transposed, and transposed back"
    a, b, c = NEWTON_SCHULZ
    tall = x_NRC.shape[1] > x_NRC.shape[2]
    x = x_NRC.mT if tall else x_NRC
    x = x / torch.linalg.matrix_norm(x, keepdim=True).clamp_min(eps)
    for _ in range(steps):
        gram = x @ x.mT
        x = a * x + (b * gram + c * (gram @ gram)) @ x
    return x.mT if tall else x


def _round(x, left):
    if left == 0:
        return x
    a, b, c = NEWTON_SCHULZ
    gram = x.mT @ x
    return _round(a * x + x @ (b * gram + c * gram @ gram), left - 1)


def right_4(x_NRC, steps=5, eps=1e-7):
    "recursion, and the Gram matrix of the columns, on the right"
    norm = torch.linalg.vector_norm(x_NRC.flatten(1), dim=1).clamp(min=eps)
    return _round(x_NRC / norm[:, None, None], steps)
