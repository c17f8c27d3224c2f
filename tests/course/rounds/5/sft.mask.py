"""sft.mask"""
import torch
import torch.nn.functional as F


def wrong_1(doc_ids_BT):
    "transposed: a position sees what stands behind it"
    # breaks: "position t (third) may see s (fourth)", "what stands before it" - [[1, 1, 1]]
    T = doc_ids_BT.shape[1]
    same_BTT = doc_ids_BT[:, :, None] == doc_ids_BT[:, None, :]
    return (same_BTT & torch.ones(T, T, dtype=torch.bool).triu())[:, None]


def wrong_2(doc_ids_BT):
    "a position does not see itself"
    # breaks: "A position sees itself" - the diagonal is False for any input
    T = doc_ids_BT.shape[1]
    same_BTT = doc_ids_BT[:, :, None] == doc_ids_BT[:, None, :]
    return (same_BTT & torch.ones(T, T, dtype=torch.bool).tril(-1))[:, None]


def wrong_3(doc_ids_BT):
    "0 is taken for padding that sees nothing and is seen by nobody"
    # breaks: "A position sees itself ..."; "their order and sign say nothing" - a document of number 0: [[0, 0, 1]]
    T = doc_ids_BT.shape[1]
    same_BTT = doc_ids_BT[:, :, None] == doc_ids_BT[:, None, :]
    real_BTT = (doc_ids_BT != 0)[:, None, :]
    return (same_BTT & real_BTT & torch.ones(T, T, dtype=torch.bool).tril())[:, None]


def wrong_4(doc_ids_BT):
    "a document is a run of equal numbers: it ends where another one stands between"
    # breaks: "equal numbers in a row are one document, also with others between them" - [[1, 2, 1]]
    T = doc_ids_BT.shape[1]
    new_BT = F.pad(doc_ids_BT[:, 1:] != doc_ids_BT[:, :-1], (1, 0))
    run_BT = new_BT.long().cumsum(1)
    same_BTT = run_BT[:, :, None] == run_BT[:, None, :]
    return (same_BTT & torch.ones(T, T, dtype=torch.bool).tril())[:, None]


def wrong_5(doc_ids_BT):
    "the mask of the first row for all rows"
    # breaks: "-> bool [B, 1, T, T]", "its own document" - two rows with different numbers
    T = doc_ids_BT.shape[1]
    first_T = doc_ids_BT[0]
    mask_TT = (first_T[:, None] == first_T[None, :]) & torch.ones(T, T, dtype=torch.bool).tril()
    return mask_TT.expand(len(doc_ids_BT), 1, T, T)


def wrong_6(doc_ids_BT):
    "tril of ones in float32: the mask is 1.0 and 0.0, which attention would add"
    # breaks: "-> bool [B, 1, T, T]" - the dtype is float32
    T = doc_ids_BT.shape[1]
    same_BTT = doc_ids_BT[:, :, None] == doc_ids_BT[:, None, :]
    return (same_BTT * torch.ones(T, T).tril()).unsqueeze(1)


def wrong_7(doc_ids_BT):
    "numbers are compared as float32, where large ones fall together"
    # breaks: "equal numbers in a row are one document" (others are not) - [[16777216, 16777217]]
    T = doc_ids_BT.shape[1]
    number_BT = doc_ids_BT.float()
    same_BTT = (number_BT[:, :, None] - number_BT[:, None, :]) == 0
    return (same_BTT & torch.ones(T, T, dtype=torch.bool).tril())[:, None]


def wrong_8(doc_ids_BT):
    "one-hot numbers multiplied: negative numbers raise an error"
    # breaks: "their order and sign say nothing" - [[-1, -1, 2]]
    T = doc_ids_BT.shape[1]
    hot_BTX = F.one_hot(doc_ids_BT.long())
    same_BTT = hot_BTX @ hot_BTX.transpose(1, 2) > 0
    return (same_BTT & torch.ones(T, T, dtype=torch.bool).tril())[:, None]


def wrong_9(doc_ids_BT):
    "a * b == a * a: a document of number 0 sees everything before it"
    # breaks: "A position sees itself and what stands before it in its own document" - [[1, 0]]
    T = doc_ids_BT.shape[1]
    outer_BTT = doc_ids_BT[:, :, None] * doc_ids_BT[:, None, :]
    same_BTT = outer_BTT == (doc_ids_BT * doc_ids_BT)[:, :, None]
    return (same_BTT & torch.ones(T, T, dtype=torch.bool).tril())[:, None]


def wrong_10(doc_ids_BT):
    "unsqueeze_ gives the caller's tensor another shape"
    # breaks: arguments left unchanged - doc_ids_BT.shape is [B, 1, T, 1] after the call
    T = doc_ids_BT.shape[1]
    column = doc_ids_BT.unsqueeze_(1).unsqueeze_(-1)
    same_B1TT = column == column.transpose(2, 3)
    return same_B1TT & torch.ones(T, T, dtype=torch.bool).tril()


def right_1(doc_ids_BT):
    "three loops"
    B, T = doc_ids_BT.shape
    rows = doc_ids_BT.tolist()
    mask = torch.zeros(B, 1, T, T, dtype=torch.bool, device=doc_ids_BT.device)
    for b in range(B):
        for t in range(T):
            for s in range(t + 1):
                mask[b, 0, t, s] = rows[b][t] == rows[b][s]
    return mask


def right_2(doc_ids_BT):
    "positions compared with positions"
    t = torch.arange(doc_ids_BT.size(1), device=doc_ids_BT.device)
    return torch.logical_and(doc_ids_BT[:, None, :, None].eq(doc_ids_BT[:, None, None, :]), t[:, None] >= t)


def right_3(doc_ids_BT):
    "tril of the table of equal numbers itself"
    same = doc_ids_BT.unsqueeze(-1) == doc_ids_BT.unsqueeze(-2)
    return same.tril().unsqueeze(1)


def right_4(doc_ids_BT):
    "numbers made small by unique, then one-hot products"
    B, T = doc_ids_BT.shape
    _, small = torch.unique(doc_ids_BT, return_inverse=True)
    hot = F.one_hot(small).float()
    same = torch.einsum("btx,bsx->bts", hot, hot).bool()
    later = torch.full((T, T), True, device=doc_ids_BT.device).triu(1)
    return same.masked_fill(later, False).view(B, 1, T, T)
