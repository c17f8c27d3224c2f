"""distill.kl"""
import torch
import torch.nn.functional as F

def wrong_1(student_NV, teacher_NV, weight_N):
    "KL the other way round"
    s, t = student_NV.log_softmax(-1), teacher_NV.detach().log_softmax(-1)
    return (weight_N * (s.exp() * (s - t)).sum(-1)).sum()

def wrong_2(student_NV, teacher_NV, weight_N):
    "the teacher is not detached"
    s, t = student_NV.log_softmax(-1), teacher_NV.log_softmax(-1)
    return (weight_N * (t.exp() * (t - s)).sum(-1)).sum()

def wrong_3(student_NV, teacher_NV, weight_N):
    "softmax, then log: 0 * -inf is NaN for confident teachers"
    p, q = teacher_NV.detach().softmax(-1), student_NV.softmax(-1)
    return (weight_N * (p * (p.log() - q.log())).sum(-1)).sum()

def wrong_4(student_NV, teacher_NV, weight_N):
    "divided by the sum of weights"
    s, t = student_NV.log_softmax(-1), teacher_NV.detach().log_softmax(-1)
    return (weight_N * (t.exp() * (t - s)).sum(-1)).sum() / weight_N.sum()

def wrong_5(student_NV, teacher_NV, weight_N):
    "cross-entropy: the teacher's entropy is not taken away (gradient right, value wrong)"
    s, t = student_NV.log_softmax(-1), teacher_NV.detach().log_softmax(-1)
    return -(weight_N * (t.exp() * s).sum(-1)).sum()

def wrong_6(student_NV, teacher_NV, weight_N):
    "F.kl_div with reduction='batchmean': right for equal weights only"
    s, t = student_NV.log_softmax(-1), teacher_NV.detach().log_softmax(-1)
    return F.kl_div(s, t, log_target=True, reduction="batchmean") * weight_N.sum()

def wrong_7(student_NV, teacher_NV, weight_N):
    "1e-8 inside the logs: wrong where probabilities are smaller than that"
    p, q = teacher_NV.detach().softmax(-1), student_NV.softmax(-1)
    return (weight_N * (p * ((p + 1e-8).log() - (q + 1e-8).log())).sum(-1)).sum()

def wrong_8(student_NV, teacher_NV, weight_N):
    "softmax over positions (dim 0)"
    s, t = student_NV.log_softmax(0), teacher_NV.detach().log_softmax(0)
    return (weight_N[:, None] * t.exp() * (t - s)).sum()

def wrong_9(student_NV, teacher_NV, weight_N):
    "in bits (log2)"
    s, t = student_NV.log_softmax(-1), teacher_NV.detach().log_softmax(-1)
    return (weight_N * (t.exp() * (t - s)).sum(-1)).sum() / torch.log(torch.tensor(2.0))

def wrong_10(student_NV, teacher_NV, weight_N):
    "weights as a mask: what is above 0 counts 1"
    s, t = student_NV.log_softmax(-1), teacher_NV.detach().log_softmax(-1)
    return (t.exp() * (t - s)).sum(-1)[weight_N > 0].sum()

def right_1(student_NV, teacher_NV, weight_N):
    "F.kl_div with log_target and no reduction"
    s, t = F.log_softmax(student_NV, -1), F.log_softmax(teacher_NV.detach(), -1)
    return (F.kl_div(s, t, log_target=True, reduction="none").sum(1) * weight_N).sum()

def right_2(student_NV, teacher_NV, weight_N):
    "cross-entropy minus entropy, each a sum over positions and vocabulary at once"
    with torch.no_grad():
        t = teacher_NV.log_softmax(-1)
        p = t.exp() * weight_N[:, None]
        minus_entropy = (p * t).sum()
    s = student_NV - student_NV.logsumexp(-1, keepdim=True)
    return minus_entropy - (p * s).sum()

def right_3(student_NV, teacher_NV, weight_N):
    "with logits: sum p (z_t - z_s) - logsumexp(z_t) + logsumexp(z_s)"
    teacher_NV = teacher_NV.detach()
    p = teacher_NV.softmax(1)
    gap = (p * (teacher_NV - student_NV)).sum(1)
    kl = gap - teacher_NV.logsumexp(1) + student_NV.logsumexp(1)
    return (kl * weight_N).sum()

def right_4(student_NV, teacher_NV, weight_N):
    "position by position"
    total = student_NV.sum() * 0
    for student_V, teacher_V, w in zip(student_NV, teacher_NV.detach(), weight_N):
        t = torch.log_softmax(teacher_V, 0)
        total = total + w * torch.sum(torch.softmax(teacher_V, 0) * (t - torch.log_softmax(student_V, 0)))
    return total
