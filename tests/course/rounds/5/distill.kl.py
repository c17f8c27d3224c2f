"""distill.kl"""
import math

import torch
import torch.nn.functional as F


def wrong_1(student_NV, teacher_NV, weight_N):
    "the other direction: KL(student || teacher)"
    # breaks: "KL(teacher_n || student_n)"; any two different rows
    log_s, log_t = student_NV.log_softmax(-1), teacher_NV.detach().log_softmax(-1)
    return (weight_N * (log_s.exp() * (log_s - log_t)).sum(-1)).sum()


def wrong_2(student_NV, teacher_NV, weight_N):
    "the teacher learns as well"
    # breaks: "gradients flow into the student's logits alone"; teacher logits with requires_grad get a gradient
    log_s, log_t = student_NV.log_softmax(-1), teacher_NV.log_softmax(-1)
    return (weight_N * (log_t.exp() * (log_t - log_s)).sum(-1)).sum()


def wrong_3(student_NV, teacher_NV, weight_N):
    "divided by the sum of the weights"
    # breaks: "sum_n weight_n * KL"; weights that do not add up to 1
    log_s, log_t = student_NV.log_softmax(-1), teacher_NV.detach().log_softmax(-1)
    return (weight_N * (log_t.exp() * (log_t - log_s)).sum(-1)).sum() / weight_N.sum()


def wrong_4(student_NV, teacher_NV, weight_N):
    "softmax, and then log: nan or inf where a probability rounds to 0"
    # breaks: "KL(teacher_n || student_n) in nats, a scalar"; logits 0 and 200 in float32
    p, q = teacher_NV.detach().softmax(-1), student_NV.softmax(-1)
    return (weight_N * (p * (p.log() - q.log())).sum(-1)).sum()


def wrong_5(student_NV, teacher_NV, weight_N):
    "1e-9 is added to the probabilities before the log: too small where the student is far off"
    # breaks: "sum_n weight_n * KL(teacher_n || student_n)"; student (0, 60), teacher (60, 0): 20.7 in place of 60
    p, q = teacher_NV.detach().softmax(-1), student_NV.softmax(-1)
    return (weight_N * (p * ((p + 1e-9).log() - (q + 1e-9).log())).sum(-1)).sum()


def wrong_6(student_NV, teacher_NV, weight_N):
    "cross-entropy: the teacher's entropy is not taken off, so equal logits do not give 0"
    # breaks: "KL(teacher_n || student_n)"; student = teacher = zeros gives log V (the gradient is right)
    p = teacher_NV.detach().softmax(-1)
    return -(weight_N * (p * student_NV.log_softmax(-1)).sum(-1)).sum()


def wrong_7(student_NV, teacher_NV, weight_N):
    "weights only say which positions count"
    # breaks: "sum_n weight_n * KL"; weight 0.5 or 2
    used = weight_N > 0
    log_s, log_t = student_NV[used].log_softmax(-1), teacher_NV[used].detach().log_softmax(-1)
    return (log_t.exp() * (log_t - log_s)).sum()


def wrong_8(student_NV, teacher_NV, weight_N):
    "the teacher's largest logit is taken off in place; detach shares the memory"
    # breaks: "arguments left unchanged"; teacher (3, 1) is (0, -2) afterwards
    teacher = teacher_NV.detach()
    teacher -= teacher.max(-1, keepdim=True).values
    log_t = teacher - teacher.exp().sum(-1, keepdim=True).log()
    log_s = student_NV.log_softmax(-1)
    return (weight_N * (log_t.exp() * (log_t - log_s)).sum(-1)).sum()


def wrong_9(student_NV, teacher_NV, weight_N):
    "computed and returned in float32, whatever came in"
    # breaks: "float64 dtypes"; float64 logits give a float32 scalar
    log_s, log_t = student_NV.float().log_softmax(-1), teacher_NV.detach().float().log_softmax(-1)
    return (weight_N.float() * (log_t.exp() * (log_t - log_s)).sum(-1)).sum()


def wrong_10(student_NV, teacher_NV, weight_N):
    "in bits"
    # breaks: "in nats"; everything is larger by 1 / log 2
    log_s, log_t = student_NV.log_softmax(-1) / math.log(2), teacher_NV.detach().log_softmax(-1) / math.log(2)
    return (weight_N * (torch.exp2(log_t) * (log_t - log_s)).sum(-1)).sum()


def right_1(student_NV, teacher_NV, weight_N):
    "torch's kl_div with log_target, no reduction"
    log_p = F.log_softmax(teacher_NV.detach(), dim=-1)
    kl_NV = F.kl_div(F.log_softmax(student_NV, dim=-1), log_p, reduction="none", log_target=True)
    return (kl_NV.sum(1) * weight_N).sum()


def right_2(student_NV, teacher_NV, weight_N):
    "logsumexp written out; weights are multiplied in before any sum"
    with torch.no_grad():
        log_p = teacher_NV - teacher_NV.logsumexp(-1, keepdim=True)
        p = log_p.exp()
    log_q = student_NV - student_NV.logsumexp(-1, keepdim=True)
    return (weight_N[:, None] * p * (log_p - log_q)).sum()


def right_3(student_NV, teacher_NV, weight_N):
    "a few rows at a time"
    total = 0
    teacher_NV = teacher_NV.detach()
    for s, t, w in zip(student_NV.split(2), teacher_NV.split(2), weight_N.split(2)):
        log_s, log_t = s.log_softmax(1), t.log_softmax(1)
        total = total + (w * (t.softmax(1) * (log_t - log_s)).sum(1)).sum()
    return total


def right_4(student_NV, teacher_NV, weight_N):
    "the largest logit taken off by hand, vocabulary first"
    def log_of(x_VN):
        x_VN = x_VN - x_VN.detach().amax(0)
        return x_VN - x_VN.exp().sum(0).log()

    log_q_VN, log_p_VN = log_of(student_NV.T), log_of(teacher_NV.detach().T)
    return torch.sum(weight_N * torch.sum(torch.exp(log_p_VN) * (log_p_VN - log_q_VN), 0))
