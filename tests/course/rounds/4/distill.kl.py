"""distill.kl"""
import torch
import torch.nn.functional as F


def wrong_1(student_NV, teacher_NV, weight_N):
    "the divergence in the other direction, KL(student || teacher)"
    log_q, log_p = student_NV.log_softmax(-1), teacher_NV.detach().log_softmax(-1)
    return (weight_N * (log_q.exp() * (log_q - log_p)).sum(-1)).sum()


def wrong_2(student_NV, teacher_NV, weight_N):
    "softmax and then log: a probability that rounds to 0 gives NaN or infinity"
    q, p = student_NV.softmax(-1), teacher_NV.detach().softmax(-1)
    return (weight_N * (p * (p.log() - q.log())).sum(-1)).sum()


def wrong_3(student_NV, teacher_NV, weight_N):
    "the teacher is not detached: gradients flow into its logits"
    log_q, log_p = student_NV.log_softmax(-1), teacher_NV.log_softmax(-1)
    return (weight_N * (log_p.exp() * (log_p - log_q)).sum(-1)).sum()


def wrong_4(student_NV, teacher_NV, weight_N):
    "the teacher's probabilities are detached, but not its logarithms inside the difference"
    log_q, log_p = student_NV.log_softmax(-1), teacher_NV.log_softmax(-1)
    return (weight_N * (log_p.exp().detach() * (log_p - log_q)).sum(-1)).sum()


def wrong_5(student_NV, teacher_NV, weight_N):
    "divided by the sum of the weights"
    log_q, log_p = student_NV.log_softmax(-1), teacher_NV.detach().log_softmax(-1)
    return (weight_N * (log_p.exp() * (log_p - log_q)).sum(-1)).sum() / weight_N.sum().clamp(min=1e-9)


def wrong_6(student_NV, teacher_NV, weight_N):
    "cross-entropy with the teacher: the same gradient, but its entropy is not taken off"
    return -(weight_N * (teacher_NV.detach().softmax(-1) * student_NV.log_softmax(-1)).sum(-1)).sum()


def wrong_7(student_NV, teacher_NV, weight_N):
    "a weight only says whether a position counts (weight > 0)"
    log_q, log_p = student_NV.log_softmax(-1), teacher_NV.detach().log_softmax(-1)
    return (log_p.exp() * (log_p - log_q)).sum(-1)[weight_N > 0].sum()


def wrong_8(student_NV, teacher_NV, weight_N):
    "probabilities are kept above 1e-8: wrong value and no gradient where the student gives less"
    log_q = student_NV.softmax(-1).clamp(min=1e-8).log()
    log_p = teacher_NV.detach().softmax(-1).clamp(min=1e-8).log()
    return (weight_N * (log_p.exp() * (log_p - log_q)).sum(-1)).sum()


def wrong_9(student_NV, teacher_NV, weight_N):
    "log_softmax by hand with the maximum of the whole table: rows far below it underflow to log(0)"
    def log_probs(z):
        z = z - z.max()
        return z - z.exp().sum(-1, keepdim=True).log()

    log_q, log_p = log_probs(student_NV), log_probs(teacher_NV.detach())
    return (weight_N * (log_p.exp() * (log_p - log_q)).sum(-1)).sum()


def wrong_10(student_NV, teacher_NV, weight_N):
    "detach shares memory: the teacher's logits are normalised in place, the caller's tensor is changed"
    log_p = teacher_NV.detach()
    log_p -= log_p.logsumexp(-1, keepdim=True)
    log_q = student_NV.log_softmax(-1)
    return (weight_N * (log_p.exp() * (log_p - log_q)).sum(-1)).sum()


def wrong_11(student_NV, teacher_NV, weight_N):
    "the weights go into the student's logits' scale: weighted before the softmax"
    log_q = (weight_N[:, None] * student_NV).log_softmax(-1)
    log_p = (weight_N[:, None] * teacher_NV.detach()).log_softmax(-1)
    return (log_p.exp() * (log_p - log_q)).sum()


def wrong_12(student_NV, teacher_NV, weight_N):
    "always float32: the result for float64 logits has lost its digits and its dtype"
    log_q, log_p = student_NV.float().log_softmax(-1), teacher_NV.detach().float().log_softmax(-1)
    return (weight_N.float() * (log_p.exp() * (log_p - log_q)).sum(-1)).sum()


def right_1(student_NV, teacher_NV, weight_N):
    "F.kl_div with the teacher's logarithms"
    log_q = F.log_softmax(student_NV, dim=-1)
    with torch.no_grad():
        log_p = F.log_softmax(teacher_NV, dim=-1)
    each = F.kl_div(log_q, log_p, reduction="none", log_target=True)
    return (each.sum(-1) * weight_N).sum()


def right_2(student_NV, teacher_NV, weight_N):
    "log-probabilities by hand, each row's maximum taken off first, and an einsum"

    def log_probs(z):
        z = z - z.detach().amax(-1, keepdim=True)
        return z - z.exp().sum(-1, keepdim=True).log()

    log_p, log_q = log_probs(teacher_NV.detach()), log_probs(student_NV)
    return (torch.einsum("nv,nv->n", log_p.exp(), log_p - log_q) * weight_N).sum()


def right_3(student_NV, teacher_NV, weight_N):
    "a loop over positions"
    total = student_NV[:0].sum()
    for z, y, w in zip(student_NV, teacher_NV.detach(), weight_N):
        log_q, log_p = z.log_softmax(0), y.log_softmax(0)
        total = total + w * torch.dot(log_p.exp(), log_p - log_q)
    return total


def right_4(student_NV, teacher_NV, weight_N):
    "cross-entropy less entropy"
    teacher = teacher_NV.detach()
    p = teacher.softmax(-1)
    cross = -(p * student_NV.log_softmax(-1)).sum(-1)
    entropy = -(p * teacher.log_softmax(-1)).sum(-1)
    return weight_N.mul(cross - entropy).sum()
