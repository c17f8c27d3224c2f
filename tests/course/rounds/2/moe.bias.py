"""moe.bias"""
import numpy as np
import torch


def wrong_1(bias_E, count_E, gamma):
    "the sign is reversed"
    return bias_E + gamma * torch.sign(count_E - count_E.mean()).to(bias_E.dtype)


def wrong_2(bias_E, count_E, gamma):
    "in proportion to how far off the load is"
    mean = count_E.mean()
    return bias_E + gamma * ((mean - count_E) / mean.clamp(min=1)).to(bias_E.dtype)


def wrong_3(bias_E, count_E, gamma):
    "an expert with exactly the mean loses gamma"
    return bias_E + torch.where(count_E < count_E.mean(), gamma, -gamma).to(bias_E.dtype)


def wrong_4(bias_E, count_E, gamma):
    "changes the bias that was handed in"
    return bias_E.add_(gamma * torch.sign(count_E.mean() - count_E).to(bias_E.dtype))


def wrong_5(bias_E, count_E, gamma):
    "the result is float64, the dtype of the counts"
    return bias_E + gamma * torch.sign(count_E.mean() - count_E)


def wrong_6(bias_E, count_E, gamma):
    "counts are rounded to float32: above 2^24 a load next to the mean counts as the mean"
    count = count_E.to(bias_E.dtype)
    return bias_E + gamma * torch.sign(count.mean() - count)


def wrong_7(bias_E, count_E, gamma):
    "the sign as gap / |gap|: NaN for an expert with exactly the mean (and for all without tokens)"
    gap = count_E.mean() - count_E
    return bias_E + gamma * (gap / gap.abs()).to(bias_E.dtype)


def wrong_8(bias_E, count_E, gamma):
    "the mean is a whole number, rounded down: wrong where the sum is no multiple of E and a load is floor(mean)"
    mean = count_E.sum() // len(count_E)
    return bias_E + gamma * torch.sign(mean - count_E).to(bias_E.dtype)


def wrong_9(bias_E, count_E, gamma):
    "compared with the median"
    return bias_E + gamma * torch.sign(count_E.median() - count_E).to(bias_E.dtype)


def wrong_10(bias_E, count_E, gamma):
    "the differences become integers first: a load less than one off the mean keeps its bias"
    return bias_E + gamma * torch.sign((count_E.mean() - count_E).long()).to(bias_E.dtype)


def right_1(bias_E, count_E, gamma):
    "two comparisons"
    mean = count_E.sum() / count_E.numel()
    return bias_E + gamma * ((count_E < mean).to(bias_E.dtype) - (count_E > mean).to(bias_E.dtype))


def right_2(bias_E, count_E, gamma):
    "a loop over a clone"
    new, mean = bias_E.clone(), count_E.mean().item()
    for e, load in enumerate(count_E.tolist()):
        if load < mean:
            new[e] += gamma
        elif load > mean:
            new[e] -= gamma
    return new


def right_3(bias_E, count_E, gamma):
    "torch.where twice"
    gap = count_E.mean() - count_E
    up = torch.where(gap > 0, bias_E + gamma, bias_E)
    return torch.where(gap < 0, bias_E - gamma, up)


def right_4(bias_E, count_E, gamma):
    "without a division: the sign of total - E * count"
    step = torch.sign(count_E.sum() - len(count_E) * count_E)
    return (bias_E.double() + gamma * step).to(bias_E.dtype)
