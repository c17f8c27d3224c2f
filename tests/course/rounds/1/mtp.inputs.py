"""mtp.inputs"""
import torch
import torch.nn.functional as F

def wrong_1(ids_BT, valid_BT, k):
    "moved by k, not by k + 1"
    T = ids_BT.shape[1]
    column = torch.arange(T, device=ids_BT.device) + k
    inside, column = column < T, column.clamp(max=T - 1)
    return ids_BT[:, column], valid_BT[:, column] & inside

def wrong_2(ids_BT, valid_BT, k):
    "roll: the last positions get the row's first ids (the mask is right)"
    T = ids_BT.shape[1]
    column = torch.arange(T, device=ids_BT.device) + k + 1
    return ids_BT.roll(-(k + 1), 1), valid_BT[:, column.clamp(max=T - 1)] & (column < T)

def wrong_3(ids_BT, valid_BT, k):
    "ids by clamp, but the mask is not cut at the end of the row"
    T = ids_BT.shape[1]
    column = (torch.arange(T, device=ids_BT.device) + k + 1).clamp(max=T - 1)
    return ids_BT[:, column], valid_BT[:, column]

def wrong_4(ids_BT, valid_BT, k):
    "slices and k + 1 copies of the last id: rows shorter than k + 1 come out too long"
    B = len(ids_BT)
    ids = torch.cat([ids_BT[:, k + 1 :], ids_BT[:, -1:].expand(B, k + 1)], 1)
    fed = torch.cat([valid_BT[:, k + 1 :], torch.zeros(B, k + 1, dtype=torch.bool)], 1)
    return ids, fed

def wrong_5(ids_BT, valid_BT, k):
    "the position's own validity in place of that of the token that it is fed"
    T = ids_BT.shape[1]
    column = torch.arange(T, device=ids_BT.device) + k + 1
    return ids_BT[:, column.clamp(max=T - 1)], valid_BT & (column < T)

def wrong_6(ids_BT, valid_BT, k):
    "asks for both, own and fed position, to be text: differs behind padding on the left"
    T = ids_BT.shape[1]
    column = torch.arange(T, device=ids_BT.device) + k + 1
    inside, column = column < T, column.clamp(max=T - 1)
    return ids_BT[:, column], valid_BT[:, column] & inside & valid_BT

def wrong_7(ids_BT, valid_BT, k):
    "filled up with id 0, not with the row's last id"
    T = ids_BT.shape[1]
    n = min(k + 1, T)
    return F.pad(ids_BT[:, n:], (0, n)), F.pad(valid_BT[:, n:], (0, n), value=False)

def wrong_8(ids_BT, valid_BT, k):
    "the mask is cut off in place: the caller's valid_BT changes"
    T = ids_BT.shape[1]
    column = (torch.arange(T, device=ids_BT.device) + k + 1).clamp(max=T - 1)
    valid_BT[:, : min(k + 1, T)] = False
    return ids_BT[:, column], valid_BT.roll(-(k + 1), 1)

def wrong_9(ids_BT, valid_BT, k):
    "<= T - 1 became <= T: one position too many is called fed"
    T = ids_BT.shape[1]
    column = torch.arange(T, device=ids_BT.device) + k + 1
    inside, column = column <= T, column.clamp(max=T - 1)
    return ids_BT[:, column], valid_BT[:, column] & inside

def wrong_10(ids_BT, valid_BT, k):
    "the mask is int64 (a product), not bool"
    T = ids_BT.shape[1]
    column = torch.arange(T, device=ids_BT.device) + k + 1
    inside, column = (column < T).long(), column.clamp(max=T - 1)
    return ids_BT[:, column], valid_BT[:, column] * inside

def right_1(ids_BT, valid_BT, k):
    "slices and copies of the last id, no more than there is room for"
    B, T = ids_BT.shape
    n = min(k + 1, T)
    ids = torch.cat([ids_BT[:, n:], ids_BT[:, -1:].repeat(1, n)], dim=1)
    fed = torch.cat([valid_BT[:, n:], valid_BT.new_zeros(B, n)], dim=1)
    return ids, fed

def right_2(ids_BT, valid_BT, k):
    "roll, then the end is repaired in the copies"
    T = ids_BT.shape[1]
    n = min(k + 1, T)
    ids, fed = ids_BT.roll(-n, dims=1), valid_BT.roll(-n, dims=1)
    ids[:, T - n :] = ids_BT[:, -1:]
    fed[:, T - n :] = False
    return ids, fed

def right_3(ids_BT, valid_BT, k):
    "position by position in Python"
    T = ids_BT.shape[1]
    ids = [[row[min(t + k + 1, T - 1)] for t in range(T)] for row in ids_BT.tolist()]
    fed = [[t + k + 1 < T and row[t + k + 1] for t in range(T)] for row in valid_BT.tolist()]
    return torch.tensor(ids, dtype=ids_BT.dtype), torch.tensor(fed, dtype=torch.bool)

def right_4(ids_BT, valid_BT, k):
    "k + 1 steps of one token each"
    next_BT, fed_BT = ids_BT, valid_BT
    for _ in range(k + 1):
        next_BT = torch.cat((next_BT[:, 1:], ids_BT[:, -1:]), dim=-1)
        fed_BT = torch.cat((fed_BT[:, 1:], torch.zeros_like(fed_BT[:, :1])), dim=-1)
    return next_BT, fed_BT
