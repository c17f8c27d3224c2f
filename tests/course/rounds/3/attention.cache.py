"""attention.cache"""
import math

import torch
import torch.nn.functional as F




def wrong_1(data_BSC, length, new_BTC):
    'a copy is returned, not a view'
    end = length + new_BTC.shape[1]
    if end > data_BSC.shape[1]:
        raise ValueError('no room')
    data_BSC[:, length:end] = new_BTC
    return data_BSC[:, :end].clone()


def wrong_2(data_BSC, length, new_BTC):
    'the last column cannot be used'
    end = length + new_BTC.shape[1]
    if end >= data_BSC.shape[1]:
        raise ValueError('no room')
    data_BSC[:, length:end] = new_BTC
    return data_BSC[:, :end]


def wrong_3(data_BSC, length, new_BTC):
    'RuntimeError (of torch) instead of ValueError'
    data_BSC.narrow(1, length, new_BTC.shape[1]).copy_(new_BTC)
    return data_BSC[:, : length + new_BTC.shape[1]]


def wrong_4(data_BSC, length, new_BTC):
    'what fits is written before ValueError is raised'
    T = new_BTC.shape[1]
    for t in range(T):
        if length + t >= data_BSC.shape[1]:
            raise ValueError('full')
        data_BSC[:, length + t] = new_BTC[:, t]
    return data_BSC[:, : length + T]


def wrong_5(data_BSC, length, new_BTC):
    'added to what stands there: wrong after `truncate`, whose columns are not zero'
    end = length + new_BTC.shape[1]
    if end > data_BSC.shape[1]:
        raise ValueError('no room')
    data_BSC[:, length:end] += new_BTC
    return data_BSC[:, :end]


def wrong_6(data_BSC, length, new_BTC):
    'only the new columns come back'
    end = length + new_BTC.shape[1]
    if end > data_BSC.shape[1]:
        raise ValueError('no room')
    data_BSC[:, length:end] = new_BTC
    return data_BSC[:, length:end]


def wrong_7(data_BSC, length, new_BTC):
    'the whole storage comes back'
    end = length + new_BTC.shape[1]
    if end > data_BSC.shape[1]:
        raise ValueError('no room')
    data_BSC[:, length:end] = new_BTC
    return data_BSC


def wrong_8(data_BSC, length, new_BTC):
    'torch.cat: right numbers, data unchanged'
    end = length + new_BTC.shape[1]
    if end > data_BSC.shape[1]:
        raise ValueError('no room')
    return torch.cat([data_BSC[:, :length], new_BTC.to(data_BSC.dtype)], dim=1)


def wrong_9(data_BSC, length, new_BTC):
    'one column a call: T is taken to be 1 (differs for a prompt)'
    end = length + new_BTC.shape[1]
    if end > data_BSC.shape[1]:
        raise ValueError('no room')
    data_BSC[:, length] = new_BTC[:, -1]
    return data_BSC[:, :end]


def wrong_10(data_BSC, length, new_BTC):
    'the oldest columns make room instead of ValueError'
    end = length + new_BTC.shape[1]
    over = max(0, end - data_BSC.shape[1])
    if over:
        data_BSC[:, : length - over] = data_BSC[:, over:length].clone()
        length, end = length - over, end - over
    data_BSC[:, length:end] = new_BTC
    return data_BSC[:, :end]


def right_1(data_BSC, length, new_BTC):
    'narrow and copy_'
    T = new_BTC.size(1)
    if data_BSC.size(1) - length < T:
        raise ValueError(f'no room for {T} more')
    data_BSC.narrow(1, length, T).copy_(new_BTC)
    return data_BSC.narrow(1, 0, length + T)


def right_2(data_BSC, length, new_BTC):
    'column by column after the check'
    end = length + new_BTC.shape[1]
    if end > data_BSC.shape[1]:
        raise ValueError('no room')
    for t in range(new_BTC.shape[1]):
        data_BSC[:, length + t, :] = new_BTC[:, t, :]
    return data_BSC[:, :end]


def right_3(data_BSC, length, new_BTC):
    'index_copy_ along time'
    where = torch.arange(length, length + new_BTC.shape[1], device=data_BSC.device)
    if len(where) and int(where[-1]) >= data_BSC.shape[1]:
        raise ValueError('the cache is full')
    data_BSC.index_copy_(1, where, new_BTC.to(data_BSC.dtype))
    return data_BSC[:, : length + len(where)]


def right_4(data_BSC, length, new_BTC):
    'the view first, then its tail is filled'
    end = length + new_BTC.shape[1]
    if end > data_BSC.shape[1]:
        raise ValueError('no room')
    used = data_BSC[:, :end, :]
    used[:, length:].copy_(new_BTC)
    return used
