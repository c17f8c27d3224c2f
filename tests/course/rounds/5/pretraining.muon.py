"""pretraining.muon"""
import torch


def _rounds(x, steps):
    a, b, c = NEWTON_SCHULZ
    for _ in range(steps):
        gram = x @ x.mT
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x


def _norm(x):
    return x.square().sum((-2, -1), keepdim=True).sqrt()


def wrong_1(x_NRC, steps=5, eps=1e-7):
    "one norm for the whole batch"
    # breaks: "after x was divided by its Frobenius norm" (each matrix by its own); a batch of two matrices
    return _rounds(x_NRC / x_NRC.norm().clamp(min=eps), steps)


def wrong_2(x_NRC, steps=5, eps=1e-7):
    "the Gram matrix is made once, before the rounds"
    # breaks: "Each step maps every singular value s to a s + b s^3 + c s^5"; any matrix with steps = 2
    a, b, c = NEWTON_SCHULZ
    x = x_NRC / _norm(x_NRC).clamp(min=eps)
    gram = x @ x.mT
    poly = b * gram + c * gram @ gram
    for _ in range(steps):
        x = a * x + poly @ x
    return x


def wrong_3(x_NRC, steps=5, eps=1e-7):
    "the Gram matrix is squared element by element"
    # breaks: "c (x x^T)^2 x", "by matrix products alone"; any matrix that is not diagonal
    a, b, c = NEWTON_SCHULZ
    x = x_NRC / _norm(x_NRC).clamp(min=eps)
    for _ in range(steps):
        gram = x @ x.mT
        x = a * x + (b * gram + c * gram**2) @ x
    return x


def wrong_4(x_NRC, steps=5, eps=1e-7):
    "divided by the norm before every round"
    # breaks: "Each step maps every singular value s to a s + b s^3 + c s^5"; steps = 2
    a, b, c = NEWTON_SCHULZ
    x = x_NRC
    for _ in range(steps):
        x = x / torch.linalg.matrix_norm(x, keepdim=True).clamp(min=eps)
        gram = x @ x.mT
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x


def wrong_5(x_NRC, steps=5, eps=1e-7):
    "a matrix of zeros becomes nan: eps is not used"
    # breaks: "A matrix of zeros stays one"; torch.zeros(1, 2, 3)
    return _rounds(x_NRC / torch.linalg.matrix_norm(x_NRC, keepdim=True), steps)


def wrong_6(x_NRC, steps=5, eps=1e-7):
    "divides the caller's tensor in place"
    # breaks: "arguments left unchanged"; the given batch has norm 1 afterwards
    x_NRC /= torch.linalg.vector_norm(x_NRC, dim=(1, 2), keepdim=True).clamp(min=eps)
    return _rounds(x_NRC, steps)


def wrong_7(x_NRC, steps=5, eps=1e-7):
    "eps is added to the norm and not its least value"
    # breaks: "`eps` is the least norm to divide by"; a matrix of norm 1e-7 (or norm 1 with eps = 0.5), steps = 0
    return _rounds(x_NRC / (_norm(x_NRC) + eps), steps)


def wrong_8(x_NRC, steps=5, eps=1e-7):
    "tall matrices are turned and not turned back"
    # breaks: "U V^T of each matrix", "Any shape works"; [1, 6, 2] comes back as [1, 2, 6]
    x = x_NRC.mT if x_NRC.shape[1] > x_NRC.shape[2] else x_NRC
    return _rounds(x / _norm(x).clamp(min=eps), steps)


def wrong_9(x_NRC, steps=5, eps=1e-7):
    "in bfloat16, as in Jordan's code, and returned so"
    # breaks: "dtype" as given; a float32 batch comes back as bfloat16
    x = x_NRC.bfloat16()
    return _rounds(x / _norm(x).clamp(min=eps), steps)


def wrong_10(x_NRC, steps=5, eps=1e-7):
    "divided by the largest singular value"
    # breaks: "after x was divided by its Frobenius norm"; diag(3, 4) with steps = 0 gives (0.75, 1), not (0.6, 0.8)
    return _rounds(x_NRC / torch.linalg.matrix_norm(x_NRC, ord=2, keepdim=True).clamp(min=eps), steps)


def right_1(x_NRC, steps=5, eps=1e-7):
    "einsum all through"
    a, b, c = NEWTON_SCHULZ
    x = x_NRC / torch.einsum("nij,nij->n", x_NRC, x_NRC).sqrt().clamp_min(eps)[:, None, None]
    for _ in range(steps):
        gram = torch.einsum("nij,nkj->nik", x, x)
        cubic = torch.einsum("nik,nkj->nij", gram, x)
        x = a * x + b * cubic + c * torch.einsum("nik,nkj->nij", gram, cubic)
    return x


def right_2(x_NRC, steps=5, eps=1e-7):
    "tall matrices are turned, and turned back"
    tall = x_NRC.shape[-2] > x_NRC.shape[-1]
    x = x_NRC.mT if tall else x_NRC
    x = _rounds(x / torch.linalg.matrix_norm(x, keepdim=True).clamp(min=eps), steps)
    return x.mT if tall else x


def right_3(x_NRC, steps=5, eps=1e-7):
    "one matrix after the other"
    out = torch.empty_like(x_NRC)
    for n, x in enumerate(x_NRC):
        out[n] = _rounds(x / x.norm().clamp(min=eps), steps)
    return out


def right_4(x_NRC, steps=5, eps=1e-7):
    "the Gram matrix of the columns, from the right; recursion over the steps"
    a, b, c = NEWTON_SCHULZ

    def go(x, left):
        if not left:
            return x
        gram = x.mT @ x
        return go(a * x + x @ (b * gram + c * torch.matmul(gram, gram)), left - 1)

    return go(x_NRC / torch.maximum(_norm(x_NRC), torch.full_like(_norm(x_NRC), eps)), steps)
