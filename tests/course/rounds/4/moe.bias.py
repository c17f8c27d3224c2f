"""moe.bias"""
import torch


def wrong_1(bias_E, count_E, gamma):
    "sign reversed: busy experts become busier"
    return bias_E + gamma * torch.sign(count_E - count_E.mean()).to(bias_E.dtype)


def wrong_2(bias_E, count_E, gamma):
    "in proportion to how far off the load is, not by its sign"
    mean = count_E.mean()
    return bias_E + (gamma * (mean - count_E) / mean).to(bias_E.dtype)


def wrong_3(bias_E, count_E, gamma):
    "median instead of mean: differs for skewed loads"
    return bias_E + gamma * torch.sign(count_E.median() - count_E).to(bias_E.dtype)


def wrong_4(bias_E, count_E, gamma):
    "in place: the caller's bias changes and is returned"
    bias_E += gamma * torch.sign(count_E.mean() - count_E).to(bias_E.dtype)
    return bias_E


def wrong_5(bias_E, count_E, gamma):
    "no cast: the result is float64"
    return bias_E + gamma * torch.sign(count_E.mean() - count_E)


def wrong_6(bias_E, count_E, gamma):
    "counts to the dtype of the bias first: above 2**24 differences of one token vanish"
    count_E = count_E.to(bias_E.dtype)
    return bias_E + gamma * torch.sign(count_E.mean() - count_E)


def wrong_7(bias_E, count_E, gamma):
    "an expert with exactly the mean load loses gamma"
    step = torch.where(count_E < count_E.mean(), gamma, -gamma)
    return bias_E + step.to(bias_E.dtype)


def wrong_8(bias_E, count_E, gamma):
    "the mean in whole tokens (integer division): for loads 3 and 4 the first stays as it is"
    mean = int(count_E.sum()) // len(count_E)
    return bias_E + gamma * torch.sign(mean - count_E).to(bias_E.dtype)


def wrong_9(bias_E, count_E, gamma):
    "the mean over experts that got any token at all"
    mean = count_E.sum() / (count_E > 0).sum().clamp(min=1)
    return bias_E + gamma * torch.sign(mean - count_E).to(bias_E.dtype)


def wrong_10(bias_E, count_E, gamma):
    "experts within one per cent of the mean make no step (isclose)"
    mean = count_E.mean()
    step = torch.sign(mean - count_E)
    step[torch.isclose(count_E, mean, rtol=0.01)] = 0
    return bias_E + gamma * step.to(bias_E.dtype)


def right_1(bias_E, count_E, gamma):
    "two comparisons subtracted"
    mean = count_E.sum() / count_E.numel()
    up, down = (count_E < mean), (count_E > mean)
    return bias_E + (up.to(bias_E.dtype) - down.to(bias_E.dtype)) * gamma


def right_2(bias_E, count_E, gamma):
    "a copy, changed in place at masks"
    new = bias_E.clone()
    mean = torch.mean(count_E)
    new[count_E < mean] += gamma
    new[count_E > mean] -= gamma
    return new


def right_3(bias_E, count_E, gamma):
    "a Python loop; exact integers, load * E against the total"
    loads = [int(c) for c in count_E.tolist()]
    total, E = sum(loads), len(loads)
    steps = [gamma if n * E < total else -gamma if n * E > total else 0.0 for n in loads]
    return bias_E + torch.tensor(steps, dtype=bias_E.dtype, device=bias_E.device)


def right_4(bias_E, count_E, gamma):
    "torch.where nested"
    mean = count_E.mean()
    zero = torch.zeros_like(bias_E)
    return bias_E + torch.where(count_E == mean, zero, torch.where(count_E < mean, zero + gamma, zero - gamma))
