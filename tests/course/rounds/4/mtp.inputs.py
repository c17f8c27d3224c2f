"""mtp.inputs"""
import torch
import torch.nn.functional as F


def wrong_1(ids_BT, valid_BT, k):
    "k further instead of k + 1: module 0 is fed the token it stands at"
    T = ids_BT.shape[1]
    column = torch.arange(T) + k
    inside = column < T
    column = column.clamp(max=T - 1)
    return ids_BT[:, column], valid_BT[:, column] & inside


def wrong_2(ids_BT, valid_BT, k):
    "roll: the last positions are fed the row's first ids instead of its last (the mask is right)"
    T = ids_BT.shape[1]
    fed = valid_BT.roll(-(k + 1), 1)
    fed[:, max(0, T - k - 1) :] = False
    return ids_BT.roll(-(k + 1), 1), fed


def wrong_3(ids_BT, valid_BT, k):
    "the mask of the clamped column: the last positions count as fed when the row's last id is text"
    T = ids_BT.shape[1]
    column = (torch.arange(T) + k + 1).clamp(max=T - 1)
    return ids_BT[:, column], valid_BT[:, column]


def wrong_4(ids_BT, valid_BT, k):
    "padding is not looked at: only the end of the row"
    T = ids_BT.shape[1]
    column = torch.arange(T) + k + 1
    inside = column < T
    return ids_BT[:, column.clamp(max=T - 1)], inside.expand_as(ids_BT)


def wrong_5(ids_BT, valid_BT, k):
    "rows shorter than k + 1 come out longer: the pad is always k + 1 wide"
    last = ids_BT[:, -1:].expand(-1, k + 1)
    off = torch.zeros_like(last, dtype=torch.bool)
    return torch.cat([ids_BT[:, k + 1 :], last], 1), torch.cat([valid_BT[:, k + 1 :], off], 1)


def wrong_6(ids_BT, valid_BT, k):
    "position t must be text too: a position of left padding, or in a hole, is not fed though its token is text"
    T = ids_BT.shape[1]
    column = torch.arange(T) + k + 1
    inside = column < T
    column = column.clamp(max=T - 1)
    return ids_BT[:, column], valid_BT & valid_BT[:, column] & inside


def wrong_7(ids_BT, valid_BT, k):
    "the end is filled up with zeros instead of the last id"
    T = ids_BT.shape[1]
    n = min(k + 1, T)
    return F.pad(ids_BT[:, n:], (0, n)), F.pad(valid_BT[:, n:], (0, n), value=False)


def wrong_8(ids_BT, valid_BT, k):
    "moved one by one in a loop over modules, but the mask's end is written False only once: for k >= 1 one too many stays fed"
    for _ in range(k + 1):
        ids_BT = torch.cat([ids_BT[:, 1:], ids_BT[:, -1:]], dim=1)
        valid_BT = torch.cat([valid_BT[:, 1:], valid_BT[:, -1:]], dim=1)
    fed = valid_BT.clone()
    fed[:, -1] = False
    return ids_BT, fed


def wrong_9(ids_BT, valid_BT, k):
    "in place: the caller's ids and mask are changed"
    T = ids_BT.shape[1]
    n = min(k + 1, T)
    last = ids_BT[:, -1:].clone()
    ids_BT[:, : T - n] = ids_BT[:, n:].clone()
    ids_BT[:, T - n :] = last
    valid_BT[:, : T - n] = valid_BT[:, n:].clone()
    valid_BT[:, T - n :] = False
    return ids_BT, valid_BT


def wrong_10(ids_BT, valid_BT, k):
    "the mask as a product of numbers: int64 instead of bool (~ of it is no mask)"
    T = ids_BT.shape[1]
    column = torch.arange(T) + k + 1
    inside = (column < T).long()
    column = column.clamp(max=T - 1)
    return ids_BT[:, column], valid_BT[:, column] * inside


def right_1(ids_BT, valid_BT, k):
    "slices and cat"
    T = ids_BT.shape[1]
    n = min(k + 1, T)
    next_BT = torch.cat([ids_BT[:, n:], ids_BT[:, -1:].repeat(1, n)], dim=1)
    return next_BT, torch.cat([valid_BT[:, n:], torch.zeros_like(valid_BT[:, :n])], dim=1)


def right_2(ids_BT, valid_BT, k):
    "one step at a time"
    next_BT, fed_BT = ids_BT, valid_BT
    for _ in range(k + 1):
        next_BT = torch.cat([next_BT[:, 1:], ids_BT[:, -1:]], dim=1)
        fed_BT = F.pad(fed_BT[:, 1:], (0, 1), value=False)
    return next_BT, fed_BT


def right_3(ids_BT, valid_BT, k):
    "copies, filled in"
    ahead = k + 1
    T = ids_BT.shape[1]
    next_BT = ids_BT[:, -1:].expand_as(ids_BT).clone()
    fed_BT = torch.zeros(ids_BT.shape, dtype=torch.bool, device=ids_BT.device)
    if ahead < T:
        next_BT[:, : T - ahead] = ids_BT[:, ahead:]
        fed_BT[:, : T - ahead] = valid_BT[:, ahead:]
    return next_BT, fed_BT


def right_4(ids_BT, valid_BT, k):
    "gather, Python list of columns"
    B, T = ids_BT.shape
    columns = [min(t + k + 1, T - 1) for t in range(T)]
    where = torch.tensor(columns, device=ids_BT.device).repeat(B, 1)
    real = torch.tensor([t + k + 1 < T for t in range(T)], device=ids_BT.device)
    return ids_BT.gather(1, where), torch.logical_and(valid_BT.gather(1, where), real[None])
