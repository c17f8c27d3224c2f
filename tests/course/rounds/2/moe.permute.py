"""moe.permute"""
import torch


def _slots(indices, experts, multiple):
    chosen = indices.reshape(-1)
    count = torch.bincount(chosen, minlength=experts)
    size = (count + multiple - 1) // multiple * multiple
    return chosen, count, size, chosen.argsort(stable=True)


def _finish(indices, sizes, order, row, fill=0):
    token = torch.full((sum(sizes),), fill, dtype=torch.long).index_copy_(0, row, order // indices.shape[1])
    place = torch.empty_like(order).index_copy_(0, order, row).view(indices.shape)
    return sizes, token, place


def wrong_1(indices_NK, experts, multiple):
    "a full slice gets one more block: count // multiple + 1 (counts that are multiples, and 0)"
    chosen, count, _, order = _slots(indices_NK, experts, multiple)
    size = (count // multiple + 1) * multiple
    shift = (size.cumsum(0) - size) - (count.cumsum(0) - count)
    return _finish(indices_NK, size.tolist(), order, torch.arange(len(order)) + shift[chosen[order]])


def wrong_2(indices_NK, experts, multiple):
    "no minlength: the last experts are missing in sizes if nobody chose them"
    chosen = indices_NK.reshape(-1)
    count = torch.bincount(chosen)
    size = (count + multiple - 1) // multiple * multiple
    order = chosen.argsort(stable=True)
    shift = (size.cumsum(0) - size) - (count.cumsum(0) - count)
    return _finish(indices_NK, size.tolist(), order, torch.arange(len(order)) + shift[chosen[order]])


def wrong_3(indices_NK, experts, multiple):
    "an expert without choices gets a block all the same"
    chosen, count, size, order = _slots(indices_NK, experts, multiple)
    size = size.clamp(min=multiple)
    shift = (size.cumsum(0) - size) - (count.cumsum(0) - count)
    return _finish(indices_NK, size.tolist(), order, torch.arange(len(order)) + shift[chosen[order]])


def wrong_4(indices_NK, experts, multiple):
    "sizes is a tensor, not a list of ints"
    chosen, count, size, order = _slots(indices_NK, experts, multiple)
    shift = (size.cumsum(0) - size) - (count.cumsum(0) - count)
    _, token, place = _finish(indices_NK, size.tolist(), order, torch.arange(len(order)) + shift[chosen[order]])
    return size, token, place


def wrong_5(indices_NK, experts, multiple):
    "rows that fill up come first in their slice, not last: the own filling is in the shift"
    chosen, count, size, order = _slots(indices_NK, experts, multiple)
    shift = size.cumsum(0) - count.cumsum(0)
    return _finish(indices_NK, size.tolist(), order, torch.arange(len(order)) + shift[chosen[order]])


def wrong_6(indices_NK, experts, multiple):
    "rows that fill up hold -1 instead of token 0"
    chosen, count, size, order = _slots(indices_NK, experts, multiple)
    shift = (size.cumsum(0) - size) - (count.cumsum(0) - count)
    row = torch.arange(len(order)) + shift[chosen[order]]
    return _finish(indices_NK, size.tolist(), order, row, fill=-1)


def wrong_7(indices_NK, experts, multiple):
    "place is the list of rows in sorted order, not turned back into the order of the choices"
    chosen, count, size, order = _slots(indices_NK, experts, multiple)
    shift = (size.cumsum(0) - size) - (count.cumsum(0) - count)
    row = torch.arange(len(order)) + shift[chosen[order]]
    sizes, token, _ = _finish(indices_NK, size.tolist(), order, row)
    return sizes, token, row.view(indices_NK.shape)


def wrong_8(indices_NK, experts, multiple):
    "choices that have their row are marked with -1 in a view of the indices: the argument is changed"
    N, K = indices_NK.shape
    chosen = indices_NK.view(-1) if indices_NK.is_contiguous() else indices_NK.reshape(-1)
    place, token, sizes = torch.zeros(N * K, dtype=torch.long), [], []
    for e in range(experts):
        mine = (chosen == e).nonzero()[:, 0]
        place[mine] = len(token) + torch.arange(len(mine))
        fill = -len(mine) % multiple
        token += (mine // K).tolist() + [0] * fill
        sizes.append(len(mine) + fill)
        chosen[mine] = -1
    return sizes, torch.tensor(token, dtype=torch.long), place.view(N, K)


def wrong_9(indices_NK, experts, multiple):
    "only the last slice is filled up: the total is a multiple, the slices are not"
    chosen, count, _, order = _slots(indices_NK, experts, multiple)
    size = count.clone()
    size[-1] += -int(count.sum()) % multiple
    return _finish(indices_NK, size.tolist(), order, torch.arange(len(order)))


def wrong_10(indices_NK, experts, multiple):
    "choice c is taken to be of token c % N, as if the list ran down the columns"
    chosen, count, size, order = _slots(indices_NK, experts, multiple)
    shift = (size.cumsum(0) - size) - (count.cumsum(0) - count)
    row = torch.arange(len(order)) + shift[chosen[order]]
    token = torch.zeros(int(size.sum()), dtype=torch.long)
    token[row] = order % len(indices_NK)
    place = torch.empty_like(order)
    place[order] = row
    return size.tolist(), token, place.view(indices_NK.shape)


def right_1(indices_NK, experts, multiple):
    "a loop over experts with Python lists"
    place = torch.zeros_like(indices_NK, dtype=torch.long)
    sizes, token = [], []
    for e in range(experts):
        n, k = torch.where(indices_NK == e)
        place[n, k] = torch.arange(len(token), len(token) + len(n))
        size = -(-len(n) // multiple) * multiple
        token += n.tolist() + [0] * (size - len(n))
        sizes.append(size)
    return sizes, torch.tensor(token, dtype=torch.int64), place


def right_2(indices_NK, experts, multiple):
    "rows within a slice in reverse order of the tokens (which the docstring leaves free)"
    N, K = indices_NK.shape
    lists = [[] for _ in range(experts)]
    for n in reversed(range(N)):
        for k in range(K):
            lists[int(indices_NK[n, k])].append((n, k))
    sizes, token, place = [], [], torch.zeros(N, K, dtype=torch.long)
    for mine in lists:
        for i, (n, k) in enumerate(mine):
            place[n, k] = len(token) + i
        fill = -len(mine) % multiple
        sizes.append(len(mine) + fill)
        token.extend([n for n, _ in mine] + [0] * fill)
    return sizes, torch.tensor(token, dtype=torch.long), place


def right_3(indices_NK, experts, multiple):
    "one-hot and cumsum: the rank of each choice within its expert, no sorting"
    N, K = indices_NK.shape
    hot = (indices_NK.reshape(-1, 1) == torch.arange(experts)).long()
    rank = (hot.cumsum(0) - hot).gather(1, indices_NK.reshape(-1, 1).long())[:, 0]
    count = hot.sum(0)
    size = torch.div(count + multiple - 1, multiple, rounding_mode="floor") * multiple
    begin = size.cumsum(0) - size
    place = begin[indices_NK.reshape(-1)] + rank
    token = torch.zeros(int(size.sum()), dtype=torch.long)
    token[place] = torch.arange(N * K) // K
    return [int(s) for s in size], token, place.reshape(N, K)


def right_4(indices_NK, experts, multiple):
    "numpy"
    flat = indices_NK.numpy().reshape(-1)
    count = np.bincount(flat, minlength=experts)
    size = -(-count // multiple) * multiple
    order = np.argsort(flat, kind="stable")
    begin, first = np.cumsum(size) - size, np.cumsum(count) - count
    row = begin[flat[order]] + np.arange(len(flat)) - first[flat[order]]
    token = np.zeros(size.sum(), dtype=np.int64)
    token[row] = order // indices_NK.shape[1]
    place = np.zeros(len(flat), dtype=np.int64)
    place[order] = row
    return size.tolist(), torch.from_numpy(token), torch.from_numpy(place).view(indices_NK.shape)


import numpy as np
