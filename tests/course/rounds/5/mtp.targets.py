"""mtp.targets"""
import torch
import torch.nn.functional as F


def wrong_1(ids_BT, weight_BT, doc_ids_BT, ahead):
    "the weight is that of the position which predicts, it is not moved; differs for weights that are not constant"
    # breaks: "weight_BT  [B, T]: the weight of that token"; weight [0, 0.3, 1, 1], ahead = 1
    T = ids_BT.shape[1]
    n = min(ahead, T)
    target = F.pad(ids_BT[:, n:], (0, n))
    inside = torch.arange(T, device=ids_BT.device) + ahead < T
    weight = weight_BT * inside
    if doc_ids_BT is not None:
        weight = weight * F.pad(doc_ids_BT[:, n:] == doc_ids_BT[:, : T - n], (0, n))
    return target, weight


def wrong_2(ids_BT, weight_BT, doc_ids_BT, ahead):
    "only neighbours are compared: for ahead = 2 a prediction may jump over the border from the token before the last"
    # breaks: "0 where there is none, and where it belongs to another document"; docs [1, 1, 2, 2], ahead = 2
    T = ids_BT.shape[1]
    n = min(ahead, T)
    target, weight = F.pad(ids_BT[:, n:], (0, n)), F.pad(weight_BT[:, n:], (0, n))
    if doc_ids_BT is None:
        return target, weight
    same = F.pad(doc_ids_BT[:, 1:] == doc_ids_BT[:, :-1], (0, 1))
    return target, weight * same


def wrong_3(ids_BT, weight_BT, doc_ids_BT, ahead):
    "whatever lies between must be of the same document too; differs for [1, 2, 1] and ahead = 2"
    # breaks: "equal numbers in a row are one document, whatever they are and whatever lies between: with [1, 2, 1] the first token and the third"
    T = ids_BT.shape[1]
    n = min(ahead, T)
    target, weight = F.pad(ids_BT[:, n:], (0, n)), F.pad(weight_BT[:, n:], (0, n))
    if doc_ids_BT is None:
        return target, weight
    same = torch.ones_like(doc_ids_BT, dtype=torch.bool)
    for j in range(1, n + 1):
        same = same & F.pad(doc_ids_BT[:, j:] == doc_ids_BT[:, : T - j], (0, j))
    return target, weight * same


def wrong_4(ids_BT, weight_BT, doc_ids_BT, ahead):
    "padded by `ahead` whatever T is: longer than the row where ahead > T"
    # breaks: "ahead >= 1, which may exceed T" and "[B, T]"; T = 2, ahead = 3, no documents: 3 columns
    T = ids_BT.shape[1]
    target, weight = F.pad(ids_BT[:, ahead:], (0, ahead)), F.pad(weight_BT[:, ahead:], (0, ahead))
    if doc_ids_BT is None:
        return target, weight
    same = F.pad(doc_ids_BT[:, ahead:] == doc_ids_BT[:, : max(0, T - ahead)], (0, ahead))
    return target, weight * same


def wrong_5(ids_BT, weight_BT, doc_ids_BT, ahead):
    "rolled, and what comes round keeps its weight where documents are not given or return"
    # breaks: "0 where there is none"; doc_ids None, weights all 1: the last position counts
    target, weight = ids_BT.roll(-ahead, 1), weight_BT.roll(-ahead, 1)
    if doc_ids_BT is None:
        return target, weight
    return target, weight * (doc_ids_BT.roll(-ahead, 1) == doc_ids_BT)


def wrong_6(ids_BT, weight_BT, doc_ids_BT, ahead):
    "rolled; what comes round is recognised by a document -1, which may be a real one"
    # breaks: "equal numbers in a row are one document, whatever they are"; doc_ids all -1, weights all 1: the end counts
    T = ids_BT.shape[1]
    n = min(ahead, T)
    docs = torch.zeros_like(ids_BT) if doc_ids_BT is None else doc_ids_BT
    further = F.pad(docs[:, n:], (0, n), value=-1)
    return ids_BT.roll(-ahead, 1), weight_BT.roll(-ahead, 1) * (further == docs)


def wrong_7(ids_BT, weight_BT, doc_ids_BT, ahead):
    "the slice [: T - ahead] counts from the right where ahead exceeds T"
    # breaks: "ahead >= 1, which may exceed T"; T = 3, ahead = 4 with documents: RuntimeError
    T = ids_BT.shape[1]
    n = min(ahead, T)
    target, weight = F.pad(ids_BT[:, ahead:], (0, n)), F.pad(weight_BT[:, ahead:], (0, n))
    if doc_ids_BT is None:
        return target, weight
    same = F.pad(doc_ids_BT[:, ahead:] == doc_ids_BT[:, : T - ahead], (0, n))
    return target, weight * same


def wrong_8(ids_BT, weight_BT, doc_ids_BT, ahead):
    "targets without weight are -100, which no table of the vocabulary has"
    # breaks: "any id of the vocabulary where the weight is 0"; any row: its last target is -100
    T = ids_BT.shape[1]
    n = min(ahead, T)
    target, weight = F.pad(ids_BT[:, n:], (0, n), value=-100), F.pad(weight_BT[:, n:], (0, n))
    if doc_ids_BT is None:
        return target, weight
    same = F.pad(doc_ids_BT[:, n:] == doc_ids_BT[:, : T - n], (0, n))
    return target.masked_fill(~same, -100), weight * same


def wrong_9(ids_BT, weight_BT, doc_ids_BT, ahead):
    "documents are taken to be numbered upwards: a later one with a smaller number counts as the same"
    # breaks: "equal numbers in a row are one document, whatever they are"; docs [2, 2, 1, 1], ahead = 1
    T = ids_BT.shape[1]
    n = min(ahead, T)
    target, weight = F.pad(ids_BT[:, n:], (0, n)), F.pad(weight_BT[:, n:], (0, n))
    if doc_ids_BT is None:
        return target, weight
    other = F.pad(doc_ids_BT[:, n:] > doc_ids_BT[:, : T - n], (0, n))
    return target, torch.where(other, torch.zeros_like(weight), weight)


def wrong_10(ids_BT, weight_BT, doc_ids_BT, ahead):
    "the first weights are set to 0 in the argument itself before it is rolled"
    # breaks: "No input is changed"; weight_BT all 1, ahead = 1: its first column is 0 afterwards
    T = ids_BT.shape[1]
    weight_BT[:, :ahead] = 0
    target, weight = ids_BT.roll(-ahead, 1), weight_BT.roll(-ahead, 1)
    if doc_ids_BT is None:
        return target, weight
    return target, weight * (doc_ids_BT.roll(-ahead, 1) == doc_ids_BT)


def right_1(ids_BT, weight_BT, doc_ids_BT, ahead):
    "column numbers, clamped, and a mask"
    T = ids_BT.shape[1]
    column = torch.arange(T, device=ids_BT.device) + ahead
    inside = column < T
    column = column.clamp(max=T - 1)
    counts = inside.expand(ids_BT.shape)
    if doc_ids_BT is not None:
        counts = counts & (doc_ids_BT[:, column] == doc_ids_BT)
    return ids_BT[:, column], weight_BT[:, column] * counts


def right_2(ids_BT, weight_BT, doc_ids_BT, ahead):
    "loops over rows and positions; targets without weight are the position's own id"
    target, weight = ids_BT.clone(), torch.zeros_like(weight_BT)
    B, T = ids_BT.shape
    for b in range(B):
        for t in range(T - ahead):
            if doc_ids_BT is None or doc_ids_BT[b, t] == doc_ids_BT[b, t + ahead]:
                target[b, t] = ids_BT[b, t + ahead]
                weight[b, t] = weight_BT[b, t + ahead]
    return target, weight


def right_3(ids_BT, weight_BT, doc_ids_BT, ahead):
    "an early return for short rows, zeros that are written into"
    T = ids_BT.shape[1]
    target, weight = torch.zeros_like(ids_BT), torch.zeros_like(weight_BT)
    if ahead >= T:
        return target, weight
    target[:, : T - ahead] = ids_BT[:, ahead:]
    moved = weight_BT[:, ahead:]
    if doc_ids_BT is not None:
        moved = torch.where(doc_ids_BT[:, ahead:] == doc_ids_BT[:, : T - ahead], moved, torch.zeros_like(moved))
    weight[:, : T - ahead] = moved
    return target, weight


def right_4(ids_BT, weight_BT, doc_ids_BT, ahead):
    "rolled, and what comes round is masked by its position"
    T = ids_BT.shape[1]
    counts = (torch.arange(T, device=ids_BT.device) < T - ahead)[None]
    if doc_ids_BT is not None:
        counts = counts & doc_ids_BT.eq(doc_ids_BT.roll(-ahead, dims=1))
    return ids_BT.roll(-ahead, dims=1), weight_BT.roll(-ahead, dims=1).masked_fill(~counts, 0)
