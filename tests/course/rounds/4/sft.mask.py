"""sft.mask"""
import torch
import torch.nn.functional as F


def wrong_1(doc_ids_BT):
    "the whole document is seen, later positions too"
    return (doc_ids_BT[:, :, None] == doc_ids_BT[:, None, :])[:, None]


def wrong_2(doc_ids_BT):
    "triu: what is later is seen, not what stands before"
    T = doc_ids_BT.shape[1]
    same = doc_ids_BT[:, :, None] == doc_ids_BT[:, None, :]
    return (same & torch.ones(T, T, dtype=torch.bool, device=doc_ids_BT.device).triu())[:, None]


def wrong_3(doc_ids_BT):
    "a position does not see itself"
    T = doc_ids_BT.shape[1]
    same = doc_ids_BT[:, :, None] == doc_ids_BT[:, None, :]
    return (same & torch.ones(T, T, dtype=torch.bool, device=doc_ids_BT.device).tril(-1))[:, None]


def wrong_4(doc_ids_BT):
    "a document is a run of equal numbers: one that goes on after another (1 2 1) is cut in two"
    T = doc_ids_BT.shape[1]
    new = F.pad(doc_ids_BT[:, 1:] != doc_ids_BT[:, :-1], (1, 0), value=False)
    run = new.cumsum(1)
    same = run[:, :, None] == run[:, None, :]
    return (same & torch.ones(T, T, dtype=torch.bool, device=doc_ids_BT.device).tril())[:, None]


def wrong_5(doc_ids_BT):
    "0 is taken for padding, which sees nothing"
    T = doc_ids_BT.shape[1]
    same = (doc_ids_BT[:, :, None] == doc_ids_BT[:, None, :]) & (doc_ids_BT != 0)[:, :, None]
    return (same & torch.ones(T, T, dtype=torch.bool, device=doc_ids_BT.device).tril())[:, None]


def wrong_6(doc_ids_BT):
    "differences in float32: numbers beyond 2^24 that differ by 1 are one document"
    T = doc_ids_BT.shape[1]
    x = doc_ids_BT.float()
    same = (x[:, :, None] - x[:, None, :]) == 0
    return (same & torch.ones(T, T, dtype=torch.bool, device=doc_ids_BT.device).tril())[:, None]


def wrong_7(doc_ids_BT):
    "documents are told apart by x y == x x: number 0 sees all"
    T = doc_ids_BT.shape[1]
    x, y = doc_ids_BT[:, :, None], doc_ids_BT[:, None, :]
    same = x * y == x * x
    return (same & torch.ones(T, T, dtype=torch.bool, device=doc_ids_BT.device).tril())[:, None]


def wrong_8(doc_ids_BT):
    "takes numbers to grow along the row, so `<=` and tril should be enough: a smaller number (0 at the end) sees all"
    T = doc_ids_BT.shape[1]
    reach = doc_ids_BT[:, :, None] <= doc_ids_BT[:, None, :]
    return (reach & torch.ones(T, T, dtype=torch.bool, device=doc_ids_BT.device).tril())[:, None]


def wrong_9(doc_ids_BT):
    "one_hot of the numbers: fails for negative ones"
    T = doc_ids_BT.shape[1]
    hot = F.one_hot(doc_ids_BT.long()).float()
    same = (hot @ hot.mT) > 0.5
    return (same & torch.ones(T, T, dtype=torch.bool, device=doc_ids_BT.device).tril())[:, None]


def wrong_10(doc_ids_BT):
    "an additive mask of 0 and -inf, not bool"
    T = doc_ids_BT.shape[1]
    same = doc_ids_BT[:, :, None] == doc_ids_BT[:, None, :]
    mask = (same & torch.ones(T, T, dtype=torch.bool, device=doc_ids_BT.device).tril())[:, None]
    return torch.zeros(mask.shape).masked_fill(~mask, float("-inf"))


def right_1(doc_ids_BT):
    "loops"
    B, T = doc_ids_BT.shape
    mask = torch.zeros(B, 1, T, T, dtype=torch.bool, device=doc_ids_BT.device)
    for b, row in enumerate(doc_ids_BT.tolist()):
        for t in range(T):
            for s in range(t + 1):
                mask[b, 0, t, s] = row[t] == row[s]
    return mask


def right_2(doc_ids_BT):
    "positions compared instead of tril"
    position = torch.arange(doc_ids_BT.shape[1], device=doc_ids_BT.device)
    earlier = position[None, :] <= position[:, None]
    ids = doc_ids_BT.unsqueeze(1)
    return torch.logical_and(ids.unsqueeze(-1).eq(ids.unsqueeze(-2)), earlier)


def right_3(doc_ids_BT):
    "numbers made small by unique, one_hot, einsum"
    B, T = doc_ids_BT.shape
    names, which = torch.unique(doc_ids_BT, return_inverse=True)
    hot = F.one_hot(which, max(1, len(names))).int()
    return torch.einsum("btk,bsk->bts", hot, hot).tril().bool().view(B, 1, T, T)


def right_4(doc_ids_BT):
    "row by row, stacked; tril of the table itself"
    rows = [torch.tril(row[:, None] == row[None, :]) for row in doc_ids_BT]
    return torch.stack(rows).unsqueeze(1)
