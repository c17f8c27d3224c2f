"""mtp.targets"""
import torch
import torch.nn.functional as F

def wrong_1(ids_BT, weight_BT, segments_BT, ahead):
    "pads by `ahead`: the shape is wrong where ahead exceeds T"
    target, moved = (F.pad(z[:, ahead:], (0, ahead)) for z in (ids_BT, weight_BT))
    if segments_BT is None:
        return target, moved
    T = ids_BT.shape[1]
    same = F.pad(segments_BT[:, ahead:] == segments_BT[:, : max(0, T - ahead)], (0, ahead))
    return target, moved * same

def wrong_2(ids_BT, weight_BT, segments_BT, ahead):
    "the weight stays at the position that predicts"
    T = ids_BT.shape[1]
    n = min(ahead, T)
    target = F.pad(ids_BT[:, n:], (0, n))
    inside = torch.arange(T) < T - n
    weight = weight_BT * inside
    if segments_BT is not None:
        weight = weight * F.pad(segments_BT[:, n:] == segments_BT[:, : T - n], (0, n))
    return target, weight

def wrong_3(ids_BT, weight_BT, segments_BT, ahead):
    "compares neighbours: a document of one token in between, or ahead >= 2, lets a prediction leave its document"
    T = ids_BT.shape[1]
    n = min(ahead, T)
    target, moved = F.pad(ids_BT[:, n:], (0, n)), F.pad(weight_BT[:, n:], (0, n))
    if segments_BT is not None:
        moved = moved * F.pad(segments_BT[:, 1:] == segments_BT[:, :-1], (0, 1))
    return target, moved

def wrong_4(ids_BT, weight_BT, segments_BT, ahead):
    "roll: the last positions predict the row's first tokens, with their weights"
    target, moved = ids_BT.roll(-ahead, 1), weight_BT.roll(-ahead, 1)
    if segments_BT is None:
        return target, moved
    return target, moved * (segments_BT.roll(-ahead, 1) == segments_BT)

def wrong_5(ids_BT, weight_BT, segments_BT, ahead):
    "documents are not looked at"
    n = min(ahead, ids_BT.shape[1])
    return F.pad(ids_BT[:, n:], (0, n)), F.pad(weight_BT[:, n:], (0, n))

def wrong_6(ids_BT, weight_BT, segments_BT, ahead):
    "-100 where there is no token, which is no id of the vocabulary"
    T = ids_BT.shape[1]
    n = min(ahead, T)
    target, moved = F.pad(ids_BT[:, n:], (0, n), value=-100), F.pad(weight_BT[:, n:], (0, n))
    if segments_BT is not None:
        moved = moved * F.pad(segments_BT[:, n:] == segments_BT[:, : T - n], (0, n))
    return target, moved

def wrong_7(ids_BT, weight_BT, segments_BT, ahead):
    "weights become a mask: a weight of 0.3 counts as 1"
    T = ids_BT.shape[1]
    n = min(ahead, T)
    target, moved = F.pad(ids_BT[:, n:], (0, n)), F.pad(weight_BT[:, n:] > 0, (0, n))
    if segments_BT is not None:
        moved = moved & F.pad(segments_BT[:, n:] == segments_BT[:, : T - n], (0, n))
    return target, moved.to(weight_BT.dtype)

def wrong_8(ids_BT, weight_BT, segments_BT, ahead):
    "weights at the ends of documents are set to 0 in the caller's tensor"
    T = ids_BT.shape[1]
    n = min(ahead, T)
    if segments_BT is not None:
        weight_BT[:, n:] *= segments_BT[:, n:] == segments_BT[:, : T - n]
    return F.pad(ids_BT[:, n:], (0, n)), F.pad(weight_BT[:, n:], (0, n))

def wrong_9(ids_BT, weight_BT, segments_BT, ahead):
    "documents are taken to be numbered upwards: segments[t + ahead] <= segments[t] is called the same"
    T = ids_BT.shape[1]
    n = min(ahead, T)
    target, moved = F.pad(ids_BT[:, n:], (0, n)), F.pad(weight_BT[:, n:], (0, n))
    if segments_BT is not None:
        moved = moved * F.pad(segments_BT[:, n:] <= segments_BT[:, : T - n], (0, n))
    return target, moved

def wrong_10(ids_BT, weight_BT, segments_BT, ahead):
    "the weights come back as float32 whatever they were (float64 loses bits and its dtype)"
    T = ids_BT.shape[1]
    n = min(ahead, T)
    target, moved = torch.zeros_like(ids_BT), torch.zeros(ids_BT.shape)
    target[:, : T - n], moved[:, : T - n] = ids_BT[:, n:], weight_BT[:, n:].float()
    if segments_BT is not None:
        moved[:, : T - n] *= segments_BT[:, n:] == segments_BT[:, : T - n]
    return target, moved

def right_1(ids_BT, weight_BT, segments_BT, ahead):
    "segments are moved and padded like the others: where the padding looks alike the weight is 0 already"
    def move(z):
        out = torch.zeros_like(z)
        left = max(z.shape[1] - ahead, 0)
        out[:, :left] = z[:, ahead:]
        return out
    target, weight = move(ids_BT), move(weight_BT)
    if segments_BT is not None:
        weight = weight.masked_fill(move(segments_BT) != segments_BT, 0)
    return target, weight

def right_2(ids_BT, weight_BT, segments_BT, ahead):
    "columns by arange and clamp: positions without a token get the row's last id"
    T = ids_BT.shape[1]
    column = torch.arange(T, device=ids_BT.device) + ahead
    counts = (column < T).expand_as(ids_BT)
    column = column.clamp(max=T - 1)
    if segments_BT is not None:
        counts = counts & (segments_BT[:, column] == segments_BT)
    return ids_BT[:, column], weight_BT[:, column] * counts.to(weight_BT.dtype)

def right_3(ids_BT, weight_BT, segments_BT, ahead):
    "loops over positions"
    B, T = ids_BT.shape
    target, weight = ids_BT.clone(), torch.zeros_like(weight_BT)
    for b in range(B):
        for t in range(T - ahead):
            target[b, t] = ids_BT[b, t + ahead]
            if segments_BT is None or segments_BT[b, t] == segments_BT[b, t + ahead]:
                weight[b, t] = weight_BT[b, t + ahead]
    return target, weight

def right_4(ids_BT, weight_BT, segments_BT, ahead):
    "roll, and the end of the row is masked"
    T = ids_BT.shape[1]
    keep = (torch.arange(T) + ahead < T)[None].repeat(len(ids_BT), 1)
    if segments_BT is not None:
        keep &= torch.roll(segments_BT, -ahead, 1) == segments_BT
    moved = torch.roll(weight_BT, -ahead, 1)
    return torch.roll(ids_BT, -ahead, 1), torch.where(keep, moved, torch.zeros_like(moved))
