"""mtp.inputs"""
import torch


def wrong_1(ids_BT, valid_BT, k):
    "moved by k, not k + 1; differs for all k"
    # breaks: "at position t the token k + 1 further"; ids [5, 6, 7, 8], k = 0 gives them unmoved
    T = ids_BT.shape[1]
    column = torch.arange(T, device=ids_BT.device) + k
    return ids_BT[:, column.clamp(max=T - 1)], valid_BT[:, column.clamp(max=T - 1)] & (column < T)


def wrong_2(ids_BT, valid_BT, k):
    "rolled: the last positions get the first tokens of the row, not its last one"
    # breaks: "they repeat the row's last id"; ids [5, 6, 7, 8], k = 0 gives [6, 7, 8, 5]
    T = ids_BT.shape[1]
    inside = torch.arange(T, device=ids_BT.device) + k + 1 < T
    return ids_BT.roll(-(k + 1), 1), valid_BT.roll(-(k + 1), 1) & inside


def wrong_3(ids_BT, valid_BT, k):
    "padding is not looked at: the mask only knows the end of the row; differs where valid_BT has False"
    # breaks: "True where there is such a token and it is text"; valid [1, 1, 0, 0], k = 0
    T = ids_BT.shape[1]
    column = torch.arange(T, device=ids_BT.device) + k + 1
    return ids_BT[:, column.clamp(max=T - 1)], (column < T).expand(ids_BT.shape)


def wrong_4(ids_BT, valid_BT, k):
    "the mask says whether position t is text, not whether the token it is fed is; differs at the last text position"
    # breaks: "True where there is such a token and it is text"; valid [1, 1, 0, 0], k = 0: position 1 is fed padding
    T = ids_BT.shape[1]
    column = torch.arange(T, device=ids_BT.device) + k + 1
    return ids_BT[:, column.clamp(max=T - 1)], valid_BT & (column < T)


def wrong_5(ids_BT, valid_BT, k):
    "filled up with k + 1 copies: rows shorter than k + 1 come back too long"
    # breaks: "Rows may be shorter than k + 1" and "int [B, T]"; T = 2, k = 2 gives 3 columns
    last = ids_BT[:, -1:].expand(-1, k + 1)
    nothing = torch.zeros(ids_BT.shape[0], k + 1, dtype=torch.bool, device=ids_BT.device)
    return torch.cat([ids_BT[:, k + 1 :], last], 1), torch.cat([valid_BT[:, k + 1 :], nothing], 1)


def wrong_6(ids_BT, valid_BT, k):
    "the mask is cut off in place after being moved within the argument: valid_BT is changed"
    # breaks: "No input is changed"; valid all True, k = 0: its last column is False afterwards
    T = ids_BT.shape[1]
    column = (torch.arange(T, device=ids_BT.device) + k + 1).clamp(max=T - 1)
    fed_BT = valid_BT
    fed_BT[:] = valid_BT[:, column]
    fed_BT[:, max(0, T - k - 1) :] = False
    return ids_BT[:, column], fed_BT


def wrong_7(ids_BT, valid_BT, k):
    "the end is blanked from T - k - 1 on, which counts from the right where the row is shorter than k + 1"
    # breaks: "Rows may be shorter than k + 1"; T = 4, k = 4, all valid: only the last position is off
    T = ids_BT.shape[1]
    column = (torch.arange(T, device=ids_BT.device) + k + 1).clamp(max=T - 1)
    fed_BT = valid_BT[:, column]
    fed_BT[:, T - k - 1 :] = False
    return ids_BT[:, column], fed_BT


def wrong_8(ids_BT, valid_BT, k):
    "one position too many is on: column T counts as inside; differs at position T - k - 1 of a full row"
    # breaks: "The last k + 1 positions of a row have none"; all valid, T = 4, k = 0: the last position is True
    T = ids_BT.shape[1]
    column = torch.arange(T, device=ids_BT.device) + k + 1
    return ids_BT[:, column.clamp(max=T - 1)], valid_BT[:, column.clamp(max=T - 1)] & (column <= T)


def wrong_9(ids_BT, valid_BT, k):
    "takes it that padding stands at the right: the mask is made of the row's number of text tokens"
    # breaks: "valid_BT bool [B, T], False for padding" anywhere; valid [0, 0, 1, 1], k = 0: [1, 0, 0, 0], wanted [0, 1, 1, 0]
    T = ids_BT.shape[1]
    column = torch.arange(T, device=ids_BT.device) + k + 1
    return ids_BT[:, column.clamp(max=T - 1)], column < valid_BT.sum(1, keepdim=True)


def wrong_10(ids_BT, valid_BT, k):
    "all rows are filled up with the last id of the first row; differs in a batch"
    # breaks: "they repeat the row's last id"; ids [[5, 6], [7, 8]], k = 0: the second row ends in 6
    B, T = ids_BT.shape
    n = min(k + 1, T)
    next_BT = torch.cat([ids_BT[:, n:], ids_BT[0, -1].expand(B, n)], 1)
    fed_BT = torch.cat([valid_BT[:, n:], torch.zeros_like(valid_BT[:, :n])], 1)
    return next_BT, fed_BT


def right_1(ids_BT, valid_BT, k):
    "slices and cat, with min for short rows"
    T = ids_BT.shape[1]
    n = min(k + 1, T)
    next_BT = torch.cat([ids_BT[:, n:], ids_BT[:, -1:].repeat(1, n)], dim=1)
    fed_BT = torch.cat([valid_BT[:, n:], valid_BT.new_zeros(len(valid_BT), n)], dim=1)
    return next_BT, fed_BT


def right_2(ids_BT, valid_BT, k):
    "a loop over positions that fills copies"
    next_BT, fed_BT = ids_BT.clone(), torch.zeros_like(valid_BT)
    T = ids_BT.shape[1]
    for t in range(T):
        if t + k + 1 < T:
            next_BT[:, t] = ids_BT[:, t + k + 1]
            fed_BT[:, t] = valid_BT[:, t + k + 1]
        else:
            next_BT[:, t] = ids_BT[:, T - 1]
    return next_BT, fed_BT


def right_3(ids_BT, valid_BT, k):
    "one token further, k + 1 times"
    next_BT, fed_BT = ids_BT, valid_BT
    for _ in range(k + 1):
        next_BT = torch.cat([next_BT[:, 1:], next_BT[:, -1:]], dim=1)
        fed_BT = torch.cat([fed_BT[:, 1:], torch.zeros_like(fed_BT[:, :1])], dim=1)
    return next_BT, fed_BT


def right_4(ids_BT, valid_BT, k):
    "gather with an index for each row, masked_fill behind the end"
    B, T = ids_BT.shape
    index = torch.arange(k + 1, k + 1 + T, device=ids_BT.device)
    outside = index >= T
    index = torch.where(outside, T - 1, index).expand(B, T)
    return torch.gather(ids_BT, 1, index), torch.gather(valid_BT, 1, index).masked_fill(outside, False)
