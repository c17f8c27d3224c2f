"""mtp.targets"""
import torch
import torch.nn.functional as F


def _move(z, ahead):
    T = z.shape[1]
    return F.pad(z[:, ahead:], (0, min(ahead, T)))


def wrong_1(ids_BT, weight_BT, doc_ids_BT, ahead):
    "neighbours are compared: only the last position of a document loses its weight, for ahead >= 2 too few"
    target, moved = _move(ids_BT, ahead), _move(weight_BT, ahead)
    if doc_ids_BT is None:
        return target, moved
    same = F.pad(doc_ids_BT[:, 1:] == doc_ids_BT[:, :-1], (0, 1))
    return target, moved * same


def wrong_2(ids_BT, weight_BT, doc_ids_BT, ahead):
    "the weight stays at its position instead of moving with the token"
    T = ids_BT.shape[1]
    target = _move(ids_BT, ahead)
    moved = weight_BT * (torch.arange(T) + ahead < T)
    if doc_ids_BT is None:
        return target, moved
    same = F.pad(doc_ids_BT[:, ahead:] == doc_ids_BT[:, : max(0, T - ahead)], (0, min(ahead, T)))
    return target, moved * same


def wrong_3(ids_BT, weight_BT, doc_ids_BT, ahead):
    "pads by ahead always: a row shorter than ahead comes out longer"
    T = ids_BT.shape[1]
    target, moved = (F.pad(z[:, ahead:], (0, ahead)) for z in (ids_BT, weight_BT))
    if doc_ids_BT is None:
        return target, moved
    same = F.pad(doc_ids_BT[:, ahead:] == doc_ids_BT[:, : max(0, T - ahead)], (0, ahead))
    return target, moved * same


def wrong_4(ids_BT, weight_BT, doc_ids_BT, ahead):
    "documents must be unbroken: with [1, 2, 1] the third is not of the first's document"
    T = ids_BT.shape[1]
    target, moved = _move(ids_BT, ahead), _move(weight_BT, ahead)
    if doc_ids_BT is None:
        return target, moved
    new = F.pad(doc_ids_BT[:, 1:] != doc_ids_BT[:, :-1], (1, 0))
    segment = new.cumsum(1)
    same = F.pad(segment[:, ahead:] == segment[:, : max(0, T - ahead)], (0, min(ahead, T)))
    return target, moved * same


def wrong_5(ids_BT, weight_BT, doc_ids_BT, ahead):
    "targets without weight are -100: no id of the vocabulary"
    T = ids_BT.shape[1]
    target, moved = _move(ids_BT, ahead), _move(weight_BT, ahead)
    if doc_ids_BT is not None:
        same = F.pad(doc_ids_BT[:, ahead:] == doc_ids_BT[:, : max(0, T - ahead)], (0, min(ahead, T)))
        moved = moved * same
    return target.masked_fill(moved == 0, -100), moved


def wrong_6(ids_BT, weight_BT, doc_ids_BT, ahead):
    "roll without cutting the end when doc_ids are given (the row's first document number at the end may be equal)"
    target, moved = ids_BT.roll(-ahead, 1), weight_BT.roll(-ahead, 1)
    if doc_ids_BT is None:
        moved = moved * (torch.arange(ids_BT.shape[1]) + ahead < ids_BT.shape[1])
        return target, moved
    return target, moved * (doc_ids_BT == doc_ids_BT.roll(-ahead, 1))


def wrong_7(ids_BT, weight_BT, doc_ids_BT, ahead):
    "documents numbered 0 are taken for padding"
    T = ids_BT.shape[1]
    target, moved = _move(ids_BT, ahead), _move(weight_BT, ahead)
    if doc_ids_BT is None:
        return target, moved
    same = F.pad(doc_ids_BT[:, ahead:] == doc_ids_BT[:, : max(0, T - ahead)], (0, min(ahead, T)))
    return target, moved * (same & (doc_ids_BT != 0))


def wrong_8(ids_BT, weight_BT, doc_ids_BT, ahead):
    "weights become 0 or 1: 0.3 for a prompt is lost"
    T = ids_BT.shape[1]
    target, counts = _move(ids_BT, ahead), _move(weight_BT > 0, ahead)
    if doc_ids_BT is not None:
        counts = counts & F.pad(doc_ids_BT[:, ahead:] == doc_ids_BT[:, : max(0, T - ahead)], (0, min(ahead, T)))
    return target, counts.to(weight_BT.dtype)


def wrong_9(ids_BT, weight_BT, doc_ids_BT, ahead):
    "the caller's weights are zeroed in place where the document changes"
    T = ids_BT.shape[1]
    n = min(ahead, T)
    if doc_ids_BT is not None:
        weight_BT[:, n:] *= doc_ids_BT[:, n:] == doc_ids_BT[:, : T - n]
    return _move(ids_BT, ahead), _move(weight_BT, ahead)


def wrong_10(ids_BT, weight_BT, doc_ids_BT, ahead):
    "a slice :-ahead and a negative T - ahead: ahead > T fails or cuts wrongly where documents are given"
    T = ids_BT.shape[1]
    target, moved = _move(ids_BT, ahead), _move(weight_BT, ahead)
    if doc_ids_BT is None:
        return target, moved
    same = F.pad(doc_ids_BT[:, ahead:] == doc_ids_BT[:, : T - ahead], (0, min(ahead, T)))
    return target, moved * same


def right_1(ids_BT, weight_BT, doc_ids_BT, ahead):
    "column numbers, clamp, where"
    T = ids_BT.shape[1]
    column = torch.arange(T, device=ids_BT.device) + ahead
    inside = (column < T).expand(ids_BT.shape)
    column = column.clamp(max=T - 1)
    if doc_ids_BT is not None:
        inside = inside & (doc_ids_BT[:, column] == doc_ids_BT)
    return ids_BT[:, column], torch.where(inside, weight_BT[:, column], torch.zeros_like(weight_BT))


def right_2(ids_BT, weight_BT, doc_ids_BT, ahead):
    "roll, then the end cut off; target where weight is 0 is whatever was rolled in"
    T = ids_BT.shape[1]
    target = torch.roll(ids_BT, -ahead, dims=1)
    weight = torch.roll(weight_BT, -ahead, dims=1)
    weight[:, max(T - ahead, 0) :] = 0
    if doc_ids_BT is not None:
        weight = weight.masked_fill(doc_ids_BT.roll(-ahead, 1) != doc_ids_BT, 0)
    return target, weight


def right_3(ids_BT, weight_BT, doc_ids_BT, ahead):
    "loops over rows and positions"
    B, T = ids_BT.shape
    target, weight = torch.zeros_like(ids_BT), torch.zeros_like(weight_BT)
    for b in range(B):
        for t in range(T - ahead):
            target[b, t] = ids_BT[b, t + ahead]
            if doc_ids_BT is None or doc_ids_BT[b, t] == doc_ids_BT[b, t + ahead]:
                weight[b, t] = weight_BT[b, t + ahead]
    return target, weight


def right_4(ids_BT, weight_BT, doc_ids_BT, ahead):
    "new tensors, slices assigned; early return for short rows"
    T = ids_BT.shape[1]
    target, weight = ids_BT.clone(), torch.zeros_like(weight_BT)
    if ahead >= T:
        return target, weight
    target[:, :-ahead] = ids_BT[:, ahead:]
    weight[:, :-ahead] = weight_BT[:, ahead:]
    if doc_ids_BT is not None:
        weight[:, :-ahead][doc_ids_BT[:, :-ahead] != doc_ids_BT[:, ahead:]] = 0
    return target, weight
