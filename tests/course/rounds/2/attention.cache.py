"""attention.cache"""
import torch


def wrong_1(data_BSC, length, new_BTC):
    "no check: a slice beyond the end is RuntimeError, or, with nothing left to write, silent"
    end = length + new_BTC.shape[1]
    data_BSC[:, length:end] = new_BTC
    return data_BSC[:, :end]


def wrong_2(data_BSC, length, new_BTC):
    "what fits is written before the error"
    end = length + new_BTC.shape[1]
    room = data_BSC.shape[1] - length
    data_BSC[:, length:end] = new_BTC[:, :room]
    if end > data_BSC.shape[1]:
        raise ValueError("the cache is full")
    return data_BSC[:, :end]


def wrong_3(data_BSC, length, new_BTC):
    "the last column cannot be used: >= instead of >"
    end = length + new_BTC.shape[1]
    if end >= data_BSC.shape[1]:
        raise ValueError("the cache is full")
    data_BSC[:, length:end] = new_BTC
    return data_BSC[:, :end]


def wrong_4(data_BSC, length, new_BTC):
    "a copy is returned"
    end = length + new_BTC.shape[1]
    if end > data_BSC.shape[1]:
        raise ValueError("the cache is full")
    data_BSC[:, length:end] = new_BTC
    return data_BSC[:, :end].clone()


def wrong_5(data_BSC, length, new_BTC):
    "cat of old and new: right numbers, no view, and with the data not written"
    if length + new_BTC.shape[1] > data_BSC.shape[1]:
        raise ValueError("the cache is full")
    return torch.cat([data_BSC[:, :length], new_BTC.to(data_BSC.dtype)], dim=1)


def wrong_6(data_BSC, length, new_BTC):
    "IndexError"
    end = length + new_BTC.shape[1]
    if end > data_BSC.shape[1]:
        raise IndexError("the cache is full")
    data_BSC[:, length:end] = new_BTC
    return data_BSC[:, :end]


def wrong_7(data_BSC, length, new_BTC):
    "only the new columns come back"
    end = length + new_BTC.shape[1]
    if end > data_BSC.shape[1]:
        raise ValueError("the cache is full")
    data_BSC[:, length:end] = new_BTC
    return data_BSC[:, length:end]


def wrong_8(data_BSC, length, new_BTC):
    "one column at a time with the check inside: some are written before the error"
    for t in range(new_BTC.shape[1]):
        if length + t >= data_BSC.shape[1]:
            raise ValueError("the cache is full")
        data_BSC[:, length + t] = new_BTC[:, t]
    return data_BSC[:, : length + new_BTC.shape[1]]


def wrong_9(data_BSC, length, new_BTC):
    "reshape of a flat copy: contiguous() copies where data is a slice, and nothing is written (a non-contiguous data)"
    end = length + new_BTC.shape[1]
    if end > data_BSC.shape[1]:
        raise ValueError("the cache is full")
    data = data_BSC.contiguous()
    data[:, length:end] = new_BTC
    return data[:, :end]


def wrong_10(data_BSC, length, new_BTC):
    "asks only whether the first new column has room: too many columns give torch's RuntimeError"
    if length >= data_BSC.shape[1]:
        raise ValueError("the cache is full")
    end = length + new_BTC.shape[1]
    data_BSC[:, length:end] = new_BTC
    return data_BSC[:, :end]


def right_1(data_BSC, length, new_BTC):
    "narrow and copy_"
    T = new_BTC.size(1)
    if length + T > data_BSC.size(1):
        raise ValueError(f"no room for {T} more columns")
    data_BSC.narrow(1, length, T).copy_(new_BTC)
    return data_BSC.narrow(1, 0, length + T)


def right_2(data_BSC, length, new_BTC):
    "column by column after the check"
    if new_BTC.shape[1] > data_BSC.shape[1] - length:
        raise ValueError("full")
    for t, column in enumerate(new_BTC.unbind(1)):
        data_BSC[:, length + t] = column
    return data_BSC[:, : length + new_BTC.shape[1], :]


def right_3(data_BSC, length, new_BTC):
    "the view first, then its end is written"
    end = length + new_BTC.shape[1]
    if not end <= data_BSC.shape[1]:
        raise ValueError(f"the cache holds {data_BSC.shape[1]}, asked for {end}")
    used = data_BSC[:, :end]
    used[:, length:] = new_BTC
    return used


def right_4(data_BSC, length, new_BTC):
    "row by row"
    B, T, _ = new_BTC.shape
    if length + T > data_BSC.shape[1]:
        raise ValueError
    for b in range(B):
        data_BSC[b, length : length + T].copy_(new_BTC[b])
    return data_BSC[:, 0 : length + T]
