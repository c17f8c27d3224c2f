"""attention.cache"""
import torch


def wrong_1(data_BSC, length, new_BTC):
    "no check of the room: the assignment raises RuntimeError"
    end = length + new_BTC.shape[1]
    data_BSC[:, length:end] = new_BTC
    return data_BSC[:, :end]


def wrong_2(data_BSC, length, new_BTC):
    "returns a copy, not a view"
    end = length + new_BTC.shape[1]
    if end > data_BSC.shape[1]:
        raise ValueError("no room")
    data_BSC[:, length:end] = new_BTC
    return data_BSC[:, :end].clone()


def wrong_3(data_BSC, length, new_BTC):
    "torch.cat: data is not changed"
    if length + new_BTC.shape[1] > data_BSC.shape[1]:
        raise ValueError("no room")
    return torch.cat([data_BSC[:, :length], new_BTC], dim=1)


def wrong_4(data_BSC, length, new_BTC):
    ">=: a cache that becomes exactly full is refused"
    end = length + new_BTC.shape[1]
    if end >= data_BSC.shape[1]:
        raise ValueError("no room")
    data_BSC[:, length:end] = new_BTC
    return data_BSC[:, :end]


def wrong_5(data_BSC, length, new_BTC):
    "the check comes after writing what fits"
    end = length + new_BTC.shape[1]
    fits = min(end, data_BSC.shape[1]) - length
    data_BSC[:, length : length + fits] = new_BTC[:, :fits]
    if end > data_BSC.shape[1]:
        raise ValueError("no room")
    return data_BSC[:, :end]


def wrong_6(data_BSC, length, new_BTC):
    "IndexError instead of ValueError"
    end = length + new_BTC.shape[1]
    if end > data_BSC.shape[1]:
        raise IndexError("no room")
    data_BSC[:, length:end] = new_BTC
    return data_BSC[:, :end]


def wrong_7(data_BSC, length, new_BTC):
    "only the new columns are returned"
    end = length + new_BTC.shape[1]
    if end > data_BSC.shape[1]:
        raise ValueError("no room")
    data_BSC[:, length:end] = new_BTC
    return data_BSC[:, length:end]


def wrong_8(data_BSC, length, new_BTC):
    "all of the storage is returned, the empty columns too"
    end = length + new_BTC.shape[1]
    if end > data_BSC.shape[1]:
        raise ValueError("no room")
    data_BSC[:, length:end] = new_BTC
    return data_BSC


def wrong_9(data_BSC, length, new_BTC):
    "only one column is written: T > 1 broken (the first is copied to all)"
    end = length + new_BTC.shape[1]
    if end > data_BSC.shape[1]:
        raise ValueError("no room")
    data_BSC[:, length:end] = new_BTC[:, :1]
    return data_BSC[:, :end]


def wrong_10(data_BSC, length, new_BTC):
    "no room: the oldest columns are pushed out instead of an error"
    T = new_BTC.shape[1]
    if length + T > data_BSC.shape[1]:
        drop = length + T - data_BSC.shape[1]
        data_BSC[:, : length - drop] = data_BSC[:, drop:length].clone()
        length -= drop
    data_BSC[:, length : length + T] = new_BTC
    return data_BSC[:, : length + T]


def right_1(data_BSC, length, new_BTC):
    "narrow and copy_"
    T = new_BTC.shape[1]
    if data_BSC.shape[1] - length < T:
        raise ValueError(f"room for {data_BSC.shape[1] - length} columns, {T} came")
    data_BSC.narrow(1, length, T).copy_(new_BTC)
    return data_BSC.narrow(1, 0, length + T)


def right_2(data_BSC, length, new_BTC):
    "column by column, after the check"
    total = length + new_BTC.size(1)
    if not total <= data_BSC.size(1):
        raise ValueError("the cache is full")
    for t in range(new_BTC.size(1)):
        data_BSC[:, length + t, :] = new_BTC[:, t]
    return data_BSC[:, 0:total]


def right_3(data_BSC, length, new_BTC):
    "the view first, then a write into its end"
    end = length + new_BTC.shape[1]
    if end > data_BSC.shape[1]:
        raise ValueError("no room for the new columns")
    used = data_BSC[:, :end]
    used[:, length:] = new_BTC
    return used


def right_4(data_BSC, length, new_BTC):
    "index_copy_ along time"
    T = new_BTC.shape[1]
    if length + T > data_BSC.shape[1]:
        raise ValueError(f"{length} + {T} > {data_BSC.shape[1]}")
    where = torch.arange(length, length + T, device=data_BSC.device)
    data_BSC.index_copy_(1, where, new_BTC.to(data_BSC.dtype))
    return data_BSC[:, : length + T]
