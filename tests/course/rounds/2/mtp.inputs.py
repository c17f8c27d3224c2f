"""mtp.inputs"""
import torch
import torch.nn.functional as F



def wrong_1(ids_BT, valid_BT, k):
    "k tokens further instead of k + 1"
    T = ids_BT.shape[1]
    c = torch.arange(T) + k
    return ids_BT[:, c.clamp(max=T - 1)], valid_BT[:, c.clamp(max=T - 1)] & (c < T)


def wrong_2(ids_BT, valid_BT, k):
    "roll: the last positions get the first ids of the row"
    n = k + 1
    T = ids_BT.shape[1]
    return ids_BT.roll(-n, 1), valid_BT.roll(-n, 1) & (torch.arange(T) + n < T)


def wrong_3(ids_BT, valid_BT, k):
    "fed is that of position t, not of the token that it is fed (padding)"
    T = ids_BT.shape[1]
    c = torch.arange(T) + k + 1
    return ids_BT[:, c.clamp(max=T - 1)], valid_BT & (c < T)


def wrong_4(ids_BT, valid_BT, k):
    "fed ignores padding"
    T = ids_BT.shape[1]
    c = torch.arange(T) + k + 1
    return ids_BT[:, c.clamp(max=T - 1)], (c < T).expand(ids_BT.shape)


def wrong_5(ids_BT, valid_BT, k):
    "the end is filled with 0, not with the row's last id"
    T = ids_BT.shape[1]
    n = min(k + 1, T)
    return F.pad(ids_BT[:, k + 1:], (0, n)), F.pad(valid_BT[:, k + 1:], (0, n))


def wrong_6(ids_BT, valid_BT, k):
    "rows shorter than k + 1 come out too long"
    n = k + 1
    return torch.cat([ids_BT[:, n:], ids_BT[:, -1:].expand(-1, n)], 1), F.pad(valid_BT[:, n:], (0, n))


def wrong_7(ids_BT, valid_BT, k):
    "the repeated last id counts as fed where it is text"
    T = ids_BT.shape[1]
    c = (torch.arange(T) + k + 1).clamp(max=T - 1)
    return ids_BT[:, c], valid_BT[:, c]


def wrong_8(ids_BT, valid_BT, k):
    "asks that position t be text as well: with padding on the left one position too few"
    T = ids_BT.shape[1]
    c = torch.arange(T) + k + 1
    inside = c < T
    c = c.clamp(max=T - 1)
    return ids_BT[:, c], valid_BT & valid_BT[:, c] & inside


def wrong_9(ids_BT, valid_BT, k):
    "moves the ids in place: the caller's batch is changed, and the next module is fed from it"
    T = ids_BT.shape[1]
    valid = valid_BT.clone()
    for _ in range(min(k + 1, T)):
        ids_BT[:, :-1] = ids_BT[:, 1:].clone()
        valid = F.pad(valid[:, 1:], (0, 1))
    return ids_BT, valid


def wrong_10(ids_BT, valid_BT, k):
    "the end is filled with the last id of the first row, in every row"
    T = ids_BT.shape[1]
    n = min(k + 1, T)
    fill = ids_BT[:1, -1:].expand(len(ids_BT), n)
    return torch.cat([ids_BT[:, k + 1:], fill], 1), F.pad(valid_BT[:, k + 1:], (0, n))


def right_1(ids_BT, valid_BT, k):
    "cat with the last column repeated"
    T = ids_BT.shape[1]
    n = min(k + 1, T)
    return torch.cat([ids_BT[:, n:], ids_BT[:, -1:].expand(-1, n)], 1), F.pad(valid_BT[:, n:], (0, n), value=False)


def right_2(ids_BT, valid_BT, k):
    "one step, k + 1 times"
    ids, fed = ids_BT, valid_BT
    for _ in range(k + 1):
        ids = torch.cat([ids[:, 1:], ids[:, -1:]], dim=1)
        fed = torch.cat([fed[:, 1:], torch.zeros_like(fed[:, :1])], dim=1)
    return ids, fed


def right_3(ids_BT, valid_BT, k):
    "Python loops over rows and columns"
    B, T = ids_BT.shape
    next_BT, fed_BT = torch.empty_like(ids_BT), torch.zeros_like(valid_BT)
    for b in range(B):
        for t in range(T):
            if t + k + 1 < T:
                next_BT[b, t], fed_BT[b, t] = ids_BT[b, t + k + 1], valid_BT[b, t + k + 1]
            else:
                next_BT[b, t] = ids_BT[b, T - 1]
    return next_BT, fed_BT


def right_4(ids_BT, valid_BT, k):
    "gather with an expanded index, logical_and"
    T = ids_BT.shape[1]
    c = torch.arange(k + 1, T + k + 1, device=ids_BT.device).expand(ids_BT.shape)
    at = c.clamp(max=T - 1)
    return ids_BT.gather(1, at), torch.logical_and(valid_BT.gather(1, at), c < T)
