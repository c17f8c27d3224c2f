"""moe.bias"""
import torch


def wrong_1(bias_E, count_E, gamma):
    "the sign is the wrong way round: busy experts become more attractive"
    # breaks: "An expert with less than the mean load gets gamma more" - any uneven counts
    return bias_E + gamma * torch.sign(count_E - count_E.mean()).to(bias_E.dtype)


def wrong_2(bias_E, count_E, gamma):
    "the step is in proportion to how far off the load is"
    # breaks: "gamma less, however far off they are" - counts [0, 10, 2]
    mean = count_E.mean()
    return bias_E + (gamma * (mean - count_E) / mean.clamp(min=1)).to(bias_E.dtype)


def wrong_3(bias_E, count_E, gamma):
    "the bias is changed in place and returned"
    # breaks: "-> a new [E]", arguments left unchanged - bias_E differs after the call
    bias_E += gamma * torch.sign(count_E.mean() - count_E).to(bias_E.dtype)
    return bias_E


def wrong_4(bias_E, count_E, gamma):
    "two cases only: an expert with exactly the mean gets gamma less"
    # breaks: "one with exactly the mean keeps its bias" - counts [1, 2, 3], or all equal
    step = torch.where(count_E < count_E.mean(), gamma, -gamma)
    return bias_E + step.to(bias_E.dtype)


def wrong_5(bias_E, count_E, gamma):
    "counts are turned into float32 first, where large ones that differ by 1 become equal"
    # breaks: "count_E [E] float64, which is exact however large" - counts [2**24 + 1, 2**24]
    load = count_E.to(bias_E.dtype)
    return bias_E + gamma * torch.sign(load.mean() - load)


def wrong_6(bias_E, count_E, gamma):
    "no cast: float32 + float64 is float64"
    # breaks: "in the dtype of the bias" - the dtype for a float32 bias with float64 counts
    return bias_E + gamma * torch.sign(count_E.mean() - count_E)


def wrong_7(bias_E, count_E, gamma):
    "the mean is rounded down to whole tokens"
    # breaks: "less than the mean load gets gamma more" - counts [1, 2]: the mean is 1.5, expert 0 must move
    mean = count_E.sum() // len(count_E)
    return bias_E + gamma * torch.sign(mean - count_E).to(bias_E.dtype)


def wrong_8(bias_E, count_E, gamma):
    "loads that are close to the mean count as equal to it"
    # breaks: "one with exactly the mean keeps its bias", the others move "however far off they are" -
    # counts [1_000_001, 999_999]
    mean = count_E.mean()
    step = torch.where(torch.isclose(count_E, mean), 0.0, torch.sign(mean - count_E))
    return bias_E + gamma * step.to(bias_E.dtype)


def wrong_9(bias_E, count_E, gamma):
    "biases are centred afterwards, so that they add up to 0"
    # breaks: "one with exactly the mean keeps its bias" - bias [1, 1, 4] with counts [2, 2, 2]; or counts [0, 0, 9]
    new = bias_E + gamma * torch.sign(count_E.mean() - count_E).to(bias_E.dtype)
    return new - new.mean()


def wrong_10(bias_E, count_E, gamma):
    "the mean is taken over the experts that got a token at all"
    # breaks: "less than the mean load" (of all experts) - counts [0, 0, 3, 5]: the mean is 2, not 4
    mean = count_E.sum() / (count_E > 0).sum().clamp(min=1)
    return bias_E + gamma * torch.sign(mean - count_E).to(bias_E.dtype)


def right_1(bias_E, count_E, gamma):
    "two wheres"
    mean = count_E.mean()
    up = torch.full_like(bias_E, gamma)
    return bias_E + torch.where(count_E < mean, up, torch.where(count_E > mean, -up, torch.zeros_like(up)))


def right_2(bias_E, count_E, gamma):
    "a Python loop over whole numbers; the sum is rounded to the bias's dtype once"
    counts = [int(c) for c in count_E.tolist()]
    total, E = sum(counts), len(counts)
    new = [b + gamma * ((c * E < total) - (c * E > total)) for b, c in zip(bias_E.tolist(), counts)]
    return torch.tensor(new, dtype=bias_E.dtype, device=bias_E.device)


def right_3(bias_E, count_E, gamma):
    "a copy that is changed at two masks"
    new, mean = bias_E.clone(), torch.mean(count_E)
    new[count_E < mean] += gamma
    new[count_E > mean] -= gamma
    return new


def right_4(bias_E, count_E, gamma):
    "the difference of two comparisons"
    excess = count_E - count_E.sum() / count_E.numel()
    direction = (excess < 0).to(bias_E.dtype) - (excess > 0).to(bias_E.dtype)
    return torch.add(bias_E, direction, alpha=gamma)
