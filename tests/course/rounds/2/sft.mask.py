"""sft.mask"""
import torch


def wrong_1(segments_BT):
    "the future of the own document is seen"
    return (segments_BT[:, :, None] == segments_BT[:, None, :])[:, None]


def wrong_2(segments_BT):
    "a position does not see itself"
    T = segments_BT.shape[1]
    return ((segments_BT[:, :, None] == segments_BT[:, None, :]) & torch.ones(T, T, dtype=torch.bool).tril(-1))[:, None]


def wrong_3(segments_BT):
    "documents are runs of equal neighbours: a document with others between its parts is torn"
    T = segments_BT.shape[1]
    new = torch.ones_like(segments_BT)
    new[:, 1:] = segments_BT[:, 1:] != segments_BT[:, :-1]
    run = new.cumsum(1)
    return ((run[:, :, None] == run[:, None, :]) & torch.ones(T, T, dtype=torch.bool).tril())[:, None]


def wrong_4(segments_BT):
    "number 0 is taken for padding, which sees nothing, itself included"
    T = segments_BT.shape[1]
    same = (segments_BT[:, :, None] == segments_BT[:, None, :]) & (segments_BT[:, :, None] != 0)
    return (same & torch.ones(T, T, dtype=torch.bool).tril())[:, None]


def wrong_5(segments_BT):
    "the triangle lies the wrong way round: what stands behind is seen, what stands before is not"
    s = segments_BT * segments_BT.shape[1] + torch.arange(segments_BT.shape[1])
    return ((segments_BT[:, :, None] == segments_BT[:, None, :]) & (s[:, :, None] <= s[:, None, :]))[:, None]


def wrong_6(segments_BT):
    "no head axis"
    T = segments_BT.shape[1]
    return (segments_BT[:, :, None] == segments_BT[:, None, :]) & torch.ones(T, T, dtype=torch.bool).tril()


def wrong_7(segments_BT):
    "True where a position may NOT look, as masked_fill wants it"
    T = segments_BT.shape[1]
    return ~((segments_BT[:, :, None] == segments_BT[:, None, :]) & torch.ones(T, T, dtype=torch.bool).tril())[:, None]


def wrong_8(segments_BT):
    "the segments of the first row stand for all rows"
    B, T = segments_BT.shape
    s = segments_BT[0]
    return ((s[:, None] == s[None, :]) & torch.ones(T, T, dtype=torch.bool).tril())[None, None].expand(B, 1, T, T)


def wrong_9(segments_BT):
    "an integer mask (0 and 1) instead of bool"
    T = segments_BT.shape[1]
    return ((segments_BT[:, :, None] == segments_BT[:, None, :]).long() * torch.ones(T, T, dtype=torch.long).tril())[:, None]


def wrong_10(segments_BT):
    "a table of one-hot rows by number: negative numbers are clamped to 0 and fall together"
    T = segments_BT.shape[1]
    s = segments_BT.clamp(min=0)
    one = torch.nn.functional.one_hot(s.long(), int(s.max()) + 1).float()
    return ((one @ one.mT > 0.5) & torch.ones(T, T, dtype=torch.bool).tril())[:, None]


def right_1(segments_BT):
    "positions compared, unsqueeze"
    t = torch.arange(segments_BT.shape[1], device=segments_BT.device)
    same = segments_BT.unsqueeze(2).eq(segments_BT.unsqueeze(1))
    return (same & (t[None, :] <= t[:, None])).unsqueeze(1)


def right_2(segments_BT):
    "tril of the batch, through int8"
    same = (segments_BT[:, None, :, None] == segments_BT[:, None, None, :]).to(torch.uint8)
    return torch.tril(same).bool()


def right_3(segments_BT):
    "loops"
    B, T = segments_BT.shape
    mask = torch.zeros(B, 1, T, T, dtype=torch.bool, device=segments_BT.device)
    for b, row in enumerate(segments_BT.tolist()):
        for t in range(T):
            for s in range(t + 1):
                mask[b, 0, t, s] = row[t] == row[s]
    return mask


def right_4(segments_BT):
    "the difference is zero, and the future is filled in"
    T = segments_BT.shape[1]
    future = torch.triu(torch.ones(T, T, dtype=torch.bool, device=segments_BT.device), diagonal=1)
    mask = (segments_BT[:, :, None] - segments_BT[:, None, :]) == 0
    return mask.masked_fill(future, False)[:, None]
