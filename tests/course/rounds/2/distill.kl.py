"""distill.kl"""
import torch
import torch.nn.functional as F


def wrong_1(student_NV, teacher_NV, weight_N):
    "the other direction: KL(student || teacher)"
    s, t = student_NV.log_softmax(-1), teacher_NV.detach().log_softmax(-1)
    return (weight_N * (s.exp() * (s - t)).sum(-1)).sum()


def wrong_2(student_NV, teacher_NV, weight_N):
    "gradients flow into the teacher too"
    s, t = student_NV.log_softmax(-1), teacher_NV.log_softmax(-1)
    return (weight_N * (t.exp() * (t - s)).sum(-1)).sum()


def wrong_3(student_NV, teacher_NV, weight_N):
    "the cross entropy, without the teacher's entropy: same gradient, other value"
    s, t = student_NV.log_softmax(-1), teacher_NV.detach().softmax(-1)
    return -(weight_N[:, None] * t * s).sum()


def wrong_4(student_NV, teacher_NV, weight_N):
    "softmax and then log: probabilities that underflow give nan"
    s, t = student_NV.softmax(-1), teacher_NV.detach().softmax(-1)
    return (weight_N * (t * (t.log() - s.log())).sum(-1)).sum()


def wrong_5(student_NV, teacher_NV, weight_N):
    "the weighted mean, not the sum"
    s, t = student_NV.log_softmax(-1), teacher_NV.detach().log_softmax(-1)
    return (weight_N * (t.exp() * (t - s)).sum(-1)).sum() / weight_N.sum()


def wrong_6(student_NV, teacher_NV, weight_N):
    "batchmean of F.kl_div, times the sum of weights: right for equal weights only"
    kl = F.kl_div(student_NV.log_softmax(-1), teacher_NV.detach().log_softmax(-1), log_target=True, reduction="batchmean")
    return kl * weight_N.sum()


def wrong_7(student_NV, teacher_NV, weight_N):
    "eps in the logarithm: a tail of small probabilities is worth less, and its gradient is cut"
    s, t = student_NV.softmax(-1), teacher_NV.detach().softmax(-1)
    return (weight_N * (t * ((t + 1e-6).log() - (s + 1e-6).log())).sum(-1)).sum()


def wrong_8(student_NV, teacher_NV, weight_N):
    "softmax over the positions"
    s, t = student_NV.log_softmax(0), teacher_NV.detach().log_softmax(0)
    return (weight_N * (t.exp() * (t - s)).sum(-1)).sum()


def wrong_9(student_NV, teacher_NV, weight_N):
    "weights are only looked at for being above 0"
    s, t = student_NV.log_softmax(-1), teacher_NV.detach().log_softmax(-1)
    return ((weight_N > 0) * (t.exp() * (t - s)).sum(-1)).sum()


def wrong_10(student_NV, teacher_NV, weight_N):
    "the student is detached as well, by no_grad: no gradient"
    with torch.no_grad():
        s, t = student_NV.log_softmax(-1), teacher_NV.log_softmax(-1)
        return (weight_N * (t.exp() * (t - s)).sum(-1)).sum()


def right_1(student_NV, teacher_NV, weight_N):
    "F.kl_div without reduction"
    kl = F.kl_div(F.log_softmax(student_NV, -1), F.log_softmax(teacher_NV.detach(), -1), log_target=True, reduction="none")
    return weight_N @ kl.sum(1)


def right_2(student_NV, teacher_NV, weight_N):
    "logsumexp by hand, einsum"
    with torch.no_grad():
        t = teacher_NV - torch.logsumexp(teacher_NV, 1, keepdim=True)
        p = t.exp() * weight_N[:, None]
    s = student_NV - torch.logsumexp(student_NV, 1, keepdim=True)
    return torch.einsum("nv,nv->", p, t - s)


def right_3(student_NV, teacher_NV, weight_N):
    "position by position"
    total = (student_NV * 0).sum()
    for s, t, w in zip(student_NV, teacher_NV.detach(), weight_N):
        s, t = torch.log_softmax(s, 0), torch.log_softmax(t, 0)
        total = total + w * torch.sum(torch.softmax(t, 0) * (t - s))
    return total


def right_4(student_NV, teacher_NV, weight_N):
    "cross entropy with soft targets minus the teacher's entropy"
    teacher_NV = teacher_NV.detach()
    p = teacher_NV.softmax(-1)
    entropy = -(p * teacher_NV.log_softmax(-1)).sum(-1)
    return ((F.cross_entropy(student_NV, p, reduction="none") - entropy) * weight_N).sum()
