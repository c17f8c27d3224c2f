"""moe.bias"""
import torch

def wrong_1(bias_E, count_E, gamma):
    "the sign is the wrong way round: busy experts become more attractive"
    return bias_E + gamma * torch.sign(count_E - count_E.mean()).to(bias_E.dtype)

def wrong_2(bias_E, count_E, gamma):
    "proportional to how far off an expert is"
    mean = count_E.mean()
    return bias_E + (gamma * (mean - count_E) / mean).to(bias_E.dtype)

def wrong_3(bias_E, count_E, gamma):
    "changes the bias it was given"
    bias_E += gamma * torch.sign(count_E.mean() - count_E).to(bias_E.dtype)
    return bias_E

def wrong_4(bias_E, count_E, gamma):
    "the result is float64, as the counts are"
    return bias_E + gamma * torch.sign(count_E.mean() - count_E)

def wrong_5(bias_E, count_E, gamma):
    "an expert with exactly the mean load moves down"
    return bias_E + torch.where(count_E < count_E.mean(), gamma, -gamma).to(bias_E.dtype)

def wrong_6(bias_E, count_E, gamma):
    "the median in place of the mean"
    return bias_E + gamma * torch.sign(count_E.median() - count_E).to(bias_E.dtype)

def wrong_7(bias_E, count_E, gamma):
    "counts become float32: loads above 2^24 that differ by one look alike"
    count = count_E.float()
    return bias_E + gamma * torch.sign(count.mean() - count).to(bias_E.dtype)

def wrong_8(bias_E, count_E, gamma):
    "the mean is cut to an integer: with a mean of 2.5 an expert with 2 keeps its bias"
    count = count_E.long()
    return bias_E + gamma * torch.sign(count.sum() // len(count) - count).to(bias_E.dtype)

def wrong_9(bias_E, count_E, gamma):
    "the mean is over experts that got something only"
    mean = count_E[count_E > 0].mean() if (count_E > 0).any() else count_E.mean()
    return bias_E + gamma * torch.sign(mean - count_E).to(bias_E.dtype)

def wrong_10(bias_E, count_E, gamma):
    "the mean is taken off the counts in place: the caller's counts change"
    count_E -= count_E.mean()
    return bias_E - gamma * torch.sign(count_E).to(bias_E.dtype)

def right_1(bias_E, count_E, gamma):
    "two comparisons"
    mean = count_E.mean()
    return bias_E + gamma * ((count_E < mean).to(bias_E.dtype) - (count_E > mean).to(bias_E.dtype))

def right_2(bias_E, count_E, gamma):
    "a copy, moved up and down under masks"
    new, mean = bias_E.clone(), count_E.sum() / len(count_E)
    new[count_E < mean] += gamma
    new[count_E > mean] -= gamma
    return new

def right_3(bias_E, count_E, gamma):
    "no division: the sign of sum - E * count"
    step = torch.sign(count_E.sum() - count_E.numel() * count_E)
    return torch.add(bias_E, step.to(bias_E), alpha=gamma)

def right_4(bias_E, count_E, gamma):
    "a loop in Python, added in float64 and rounded once"
    loads = count_E.tolist()
    mean = sum(loads) / len(loads)
    steps = [gamma if load < mean else -gamma if load > mean else 0.0 for load in loads]
    return (bias_E.double() + torch.tensor(steps, dtype=torch.float64)).to(bias_E.dtype)
