"""mtp.targets"""
import torch
import torch.nn.functional as F



def wrong_1(ids_BT, weight_BT, segments_BT, ahead):
    "the weight is that of the position which predicts"
    T = ids_BT.shape[1]
    n = min(ahead, T)
    target = F.pad(ids_BT[:, n:], (0, n))
    same = F.pad(torch.ones_like(ids_BT[:, n:], dtype=torch.bool) if segments_BT is None else segments_BT[:, n:] == segments_BT[:, :T - n], (0, n))
    return target, weight_BT * same


def wrong_2(ids_BT, weight_BT, segments_BT, ahead):
    "compares neighbours t and t + 1 only (ahead > 1 leaves the document)"
    T = ids_BT.shape[1]
    n = min(ahead, T)
    target, weight = F.pad(ids_BT[:, n:], (0, n)), F.pad(weight_BT[:, n:], (0, n))
    if segments_BT is not None:
        weight = weight * F.pad(segments_BT[:, 1:] == segments_BT[:, :-1], (0, 1))
    return target, weight


def wrong_3(ids_BT, weight_BT, segments_BT, ahead):
    "a document ends for good where another begins: [1, 2, 1] lets the first token not see the third"
    T = ids_BT.shape[1]
    n = min(ahead, T)
    target, weight = F.pad(ids_BT[:, n:], (0, n)), F.pad(weight_BT[:, n:], (0, n))
    if segments_BT is not None:
        run = F.pad((segments_BT[:, 1:] != segments_BT[:, :-1]).long(), (1, 0)).cumsum(1)
        weight = weight * F.pad(run[:, n:] == run[:, :T - n], (0, n))
    return target, weight


def wrong_4(ids_BT, weight_BT, segments_BT, ahead):
    "segment 0 is taken for padding"
    T = ids_BT.shape[1]
    n = min(ahead, T)
    target, weight = F.pad(ids_BT[:, n:], (0, n)), F.pad(weight_BT[:, n:], (0, n))
    if segments_BT is not None:
        same = (segments_BT[:, n:] == segments_BT[:, :T - n]) & (segments_BT[:, n:] > 0)
        weight = weight * F.pad(same, (0, n))
    return target, weight


def wrong_5(ids_BT, weight_BT, segments_BT, ahead):
    "flattens the batch: the end of a row predicts the beginning of the next one"
    B, T = ids_BT.shape
    n = min(ahead, B * T)
    def move(z):
        return F.pad(z.flatten()[n:], (0, n)).view(B, T)
    weight = move(weight_BT)
    if segments_BT is not None:
        weight = weight * (move(segments_BT) == segments_BT)
    return move(ids_BT), weight


def wrong_6(ids_BT, weight_BT, segments_BT, ahead):
    "targets without a token are -100, no id of the vocabulary"
    T = ids_BT.shape[1]
    n = min(ahead, T)
    target, weight = F.pad(ids_BT[:, n:], (0, n), value=-100), F.pad(weight_BT[:, n:], (0, n))
    if segments_BT is not None:
        weight = weight * F.pad(segments_BT[:, n:] == segments_BT[:, :T - n], (0, n))
    return target, weight


def wrong_7(ids_BT, weight_BT, segments_BT, ahead):
    "pads by ahead: the shape is wrong if ahead exceeds T"
    T = ids_BT.shape[1]
    target, weight = F.pad(ids_BT[:, ahead:], (0, ahead)), F.pad(weight_BT[:, ahead:], (0, ahead))
    if segments_BT is not None:
        weight = weight * F.pad(segments_BT[:, ahead:] == segments_BT[:, :max(0, T - ahead)], (0, ahead))
    return target, weight


def wrong_8(ids_BT, weight_BT, segments_BT, ahead):
    "takes segments to rise: the same document where the number does not increase"
    T = ids_BT.shape[1]
    n = min(ahead, T)
    target, weight = F.pad(ids_BT[:, n:], (0, n)), F.pad(weight_BT[:, n:], (0, n))
    if segments_BT is not None:
        weight = weight * F.pad(segments_BT[:, n:] <= segments_BT[:, :T - n], (0, n))
    return target, weight


def wrong_9(ids_BT, weight_BT, segments_BT, ahead):
    "the weights become 0 and 1: fractions such as 0.3 are lost"
    T = ids_BT.shape[1]
    n = min(ahead, T)
    target, counts = F.pad(ids_BT[:, n:], (0, n)), F.pad(weight_BT[:, n:] > 0, (0, n))
    if segments_BT is not None:
        counts = counts & F.pad(segments_BT[:, n:] == segments_BT[:, :T - n], (0, n))
    return target, counts.to(weight_BT.dtype)


def wrong_10(ids_BT, weight_BT, segments_BT, ahead):
    "roll, and the caller's own weights are set to 0 at the end of the row through a view"
    T = ids_BT.shape[1]
    weight_BT[:, :min(ahead, T)] = 0
    target, weight = ids_BT.roll(-ahead, 1), weight_BT.roll(-ahead, 1)
    if ahead > T:
        weight = torch.zeros_like(weight)
    if segments_BT is not None:
        weight = weight * (segments_BT.roll(-ahead, 1) == segments_BT)
    return target, weight


def right_1(ids_BT, weight_BT, segments_BT, ahead):
    "roll and a mask"
    T = ids_BT.shape[1]
    inside = torch.arange(T, device=ids_BT.device) + ahead < T
    keep = inside if segments_BT is None else inside & (segments_BT == segments_BT.roll(-ahead, 1))
    return ids_BT.roll(-ahead, 1), torch.where(keep, weight_BT.roll(-ahead, 1), 0)


def right_2(ids_BT, weight_BT, segments_BT, ahead):
    "clamped column numbers"
    T = ids_BT.shape[1]
    c = torch.arange(T, device=ids_BT.device) + ahead
    keep, c = c < T, c.clamp(max=T - 1)
    if segments_BT is not None:
        keep = keep & (segments_BT[:, c] == segments_BT)
    return ids_BT[:, c], weight_BT[:, c] * keep


def right_3(ids_BT, weight_BT, segments_BT, ahead):
    "Python loops"
    target, weight = torch.zeros_like(ids_BT), torch.zeros_like(weight_BT)
    B, T = ids_BT.shape
    for b in range(B):
        for t in range(T - ahead):
            if segments_BT is None or segments_BT[b, t] == segments_BT[b, t + ahead]:
                target[b, t], weight[b, t] = ids_BT[b, t + ahead], weight_BT[b, t + ahead]
    return target, weight


def right_4(ids_BT, weight_BT, segments_BT, ahead):
    "clones with slices, early return"
    target, weight = ids_BT.clone(), torch.zeros_like(weight_BT)
    if ahead >= ids_BT.shape[1]:
        return target, weight
    target[:, :-ahead] = ids_BT[:, ahead:]
    weight[:, :-ahead] = weight_BT[:, ahead:]
    if segments_BT is not None:
        weight[:, :-ahead][segments_BT[:, ahead:] != segments_BT[:, :-ahead]] = 0
    return target, weight
