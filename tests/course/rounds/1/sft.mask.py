"""sft.mask"""
import numpy as np
import torch

def wrong_1(segments_BT):
    "triu: sees what comes later"
    T = segments_BT.shape[1]
    same = segments_BT[:, :, None] == segments_BT[:, None, :]
    return (same & torch.ones(T, T, dtype=torch.bool).triu())[:, None]

def wrong_2(segments_BT):
    "not causal: the whole document"
    return (segments_BT[:, :, None] == segments_BT[:, None, :])[:, None]

def wrong_3(segments_BT):
    "a position does not see itself (diagonal -1)"
    T = segments_BT.shape[1]
    same = segments_BT[:, :, None] == segments_BT[:, None, :]
    return (same & torch.ones(T, T, dtype=torch.bool).tril(-1))[:, None]

def wrong_4(segments_BT):
    "numbers taken as growing: segments[t] >= segments[s], so later documents see earlier ones"
    T = segments_BT.shape[1]
    seen = segments_BT[:, :, None] >= segments_BT[:, None, :]
    return (seen & torch.ones(T, T, dtype=torch.bool).tril())[:, None]

def wrong_5(segments_BT):
    "0 is taken as padding: sees nothing and is not seen"
    T = segments_BT.shape[1]
    same = (segments_BT[:, :, None] == segments_BT[:, None, :]) & (segments_BT != 0)[:, None, :]
    return (same & torch.ones(T, T, dtype=torch.bool).tril())[:, None]

def wrong_6(segments_BT):
    "the head's dimension is missing: [B, T, T]"
    T = segments_BT.shape[1]
    same = segments_BT[:, :, None] == segments_BT[:, None, :]
    return same & torch.ones(T, T, dtype=torch.bool).tril()

def wrong_7(segments_BT):
    "one mask for all rows, from the first row"
    T = segments_BT.shape[1]
    row = segments_BT[0]
    mask = (row[:, None] == row[None]) & torch.ones(T, T, dtype=torch.bool).tril()
    return mask.expand(len(segments_BT), 1, T, T)

def wrong_8(segments_BT):
    "product of numbers as 'same' in squares: a * b == a * a, true wherever a is 0"
    T = segments_BT.shape[1]
    a, b = segments_BT[:, :, None], segments_BT[:, None, :]
    return ((a * b == a * a) & torch.ones(T, T, dtype=torch.bool).tril())[:, None]

def wrong_9(segments_BT):
    "float mask, 0 and -inf, added to scores elsewhere: not bool"
    T = segments_BT.shape[1]
    same = segments_BT[:, :, None] == segments_BT[:, None, :]
    keep = (same & torch.ones(T, T, dtype=torch.bool).tril())[:, None]
    return torch.zeros(keep.shape).masked_fill(~keep, float("-inf"))

def wrong_10(segments_BT):
    "compares absolute values: documents -1 and 1 are one"
    T = segments_BT.shape[1]
    s = segments_BT.abs()
    return ((s[:, :, None] == s[:, None, :]) & torch.ones(T, T, dtype=torch.bool).tril())[:, None]

def right_1(segments_BT):
    "loops"
    B, T = segments_BT.shape
    mask = torch.zeros(B, 1, T, T, dtype=torch.bool, device=segments_BT.device)
    for b in range(B):
        for t in range(T):
            mask[b, 0, t, : t + 1] = segments_BT[b, : t + 1] == segments_BT[b, t]
    return mask

def right_2(segments_BT):
    "positions compared, head dimension from the start"
    t = torch.arange(segments_BT.shape[1], device=segments_BT.device)
    later = t[None, :] > t[:, None]
    return torch.eq(segments_BT[:, None, :, None], segments_BT[:, None, None, :]) & ~later

def right_3(segments_BT):
    "tril of the comparison itself"
    same = segments_BT.unsqueeze(2) == segments_BT.unsqueeze(1)
    return torch.tril(same).unsqueeze(1)

def right_4(segments_BT):
    "difference masked: not equal or later is filled False"
    T = segments_BT.shape[1]
    other = (segments_BT[:, None, :, None] != segments_BT[:, None, None, :])
    future = torch.ones(T, T, dtype=torch.bool, device=segments_BT.device).triu(1)
    return torch.ones_like(other).masked_fill(other | future, False)
