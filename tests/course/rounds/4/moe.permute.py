"""moe.permute"""
import math

import numpy as np
import torch
import torch.nn.functional as F


def wrong_1(indices_NK, experts, multiple):
    "bincount without minlength: the last experts without tokens are missing from sizes"
    chosen = indices_NK.reshape(-1)
    count = torch.bincount(chosen)
    size = (count + multiple - 1) // multiple * multiple
    shift = (size.cumsum(0) - size) - (count.cumsum(0) - count)
    order = chosen.argsort(stable=True)
    row = torch.arange(len(order)) + shift[chosen[order]]
    sizes = size.tolist()
    token = order.new_zeros(sum(sizes)).index_copy_(0, row, order // indices_NK.shape[1])
    return sizes, token, torch.empty_like(order).index_copy_(0, order, row).view(indices_NK.shape)


def wrong_2(indices_NK, experts, multiple):
    "sizes are not rounded but always one multiple more when already a multiple"
    chosen = indices_NK.reshape(-1)
    count = torch.bincount(chosen, minlength=experts)
    size = (count // multiple + 1) * multiple
    shift = (size.cumsum(0) - size) - (count.cumsum(0) - count)
    order = chosen.argsort(stable=True)
    row = torch.arange(len(order)) + shift[chosen[order]]
    sizes = size.tolist()
    token = order.new_zeros(sum(sizes)).index_copy_(0, row, order // indices_NK.shape[1])
    return sizes, token, torch.empty_like(order).index_copy_(0, order, row).view(indices_NK.shape)


def wrong_3(indices_NK, experts, multiple):
    "sizes is a tensor, not a list of ints"
    chosen = indices_NK.reshape(-1)
    count = torch.bincount(chosen, minlength=experts)
    size = (count + multiple - 1) // multiple * multiple
    shift = (size.cumsum(0) - size) - (count.cumsum(0) - count)
    order = chosen.argsort(stable=True)
    row = torch.arange(len(order)) + shift[chosen[order]]
    token = order.new_zeros(int(size.sum())).index_copy_(0, row, order // indices_NK.shape[1])
    return size, token, torch.empty_like(order).index_copy_(0, order, row).view(indices_NK.shape)


def wrong_4(indices_NK, experts, multiple):
    "choice % K instead of // K as the token"
    chosen = indices_NK.reshape(-1)
    count = torch.bincount(chosen, minlength=experts)
    size = (count + multiple - 1) // multiple * multiple
    shift = (size.cumsum(0) - size) - (count.cumsum(0) - count)
    order = chosen.argsort(stable=True)
    row = torch.arange(len(order)) + shift[chosen[order]]
    sizes = size.tolist()
    token = order.new_zeros(sum(sizes)).index_copy_(0, row, order % indices_NK.shape[1])
    return sizes, token, torch.empty_like(order).index_copy_(0, order, row).view(indices_NK.shape)


def wrong_5(indices_NK, experts, multiple):
    "row_NK is written without the inverse permutation: row itself, reshaped"
    chosen = indices_NK.reshape(-1)
    count = torch.bincount(chosen, minlength=experts)
    size = (count + multiple - 1) // multiple * multiple
    shift = (size.cumsum(0) - size) - (count.cumsum(0) - count)
    order = chosen.argsort(stable=True)
    row = torch.arange(len(order)) + shift[chosen[order]]
    sizes = size.tolist()
    token = order.new_zeros(sum(sizes)).index_copy_(0, row, order // indices_NK.shape[1])
    return sizes, token, row[order].view(indices_NK.shape)


def wrong_6(indices_NK, experts, multiple):
    "the shift is that of rows up to and including the own slice (cumsum without subtraction)"
    chosen = indices_NK.reshape(-1)
    count = torch.bincount(chosen, minlength=experts)
    size = (count + multiple - 1) // multiple * multiple
    shift = size.cumsum(0) - count.cumsum(0)
    order = chosen.argsort(stable=True)
    row = torch.arange(len(order)) + shift[chosen[order]]
    sizes = size.tolist()
    token = order.new_zeros(sum(sizes)).index_copy_(0, row, order // indices_NK.shape[1])
    return sizes, token, torch.empty_like(order).index_copy_(0, order, row).view(indices_NK.shape)


def wrong_7(indices_NK, experts, multiple):
    "filling rows hold -1 instead of 0"
    chosen = indices_NK.reshape(-1)
    count = torch.bincount(chosen, minlength=experts)
    size = (count + multiple - 1) // multiple * multiple
    shift = (size.cumsum(0) - size) - (count.cumsum(0) - count)
    order = chosen.argsort(stable=True)
    row = torch.arange(len(order)) + shift[chosen[order]]
    sizes = size.tolist()
    token = order.new_full((sum(sizes),), -1).index_copy_(0, row, order // indices_NK.shape[1])
    return sizes, token, torch.empty_like(order).index_copy_(0, order, row).view(indices_NK.shape)


def wrong_8(indices_NK, experts, multiple):
    "an expert without tokens still gets one block (max(1, ...)): sizes differ for empty experts"
    chosen = indices_NK.reshape(-1)
    count = torch.bincount(chosen, minlength=experts)
    size = ((count + multiple - 1) // multiple).clamp(min=1) * multiple
    shift = (size.cumsum(0) - size) - (count.cumsum(0) - count)
    order = chosen.argsort(stable=True)
    row = torch.arange(len(order)) + shift[chosen[order]]
    sizes = size.tolist()
    token = order.new_zeros(sum(sizes)).index_copy_(0, row, order // indices_NK.shape[1])
    return sizes, token, torch.empty_like(order).index_copy_(0, order, row).view(indices_NK.shape)


def wrong_9(indices_NK, experts, multiple):
    "filling rows come first in a slice"
    sizes, token, row = [], [], torch.empty_like(indices_NK)
    for e in range(experts):
        n, k = torch.where(indices_NK == e)
        fill = -len(n) % multiple
        row[n, k] = len(token) + fill + torch.arange(len(n))
        token += [0] * fill + n.tolist()
        sizes.append(len(n) + fill)
    return sizes, torch.tensor(token, dtype=torch.long), row


def wrong_10(indices_NK, experts, multiple):
    "rows are int32: row_NK is not int64"
    sizes, token = [], []
    row = torch.zeros(indices_NK.shape, dtype=torch.int32)
    for e in range(experts):
        n, k = torch.where(indices_NK == e)
        row[n, k] = (len(token) + torch.arange(len(n))).int()
        token += n.tolist() + [0] * (-len(n) % multiple)
        sizes.append(len(n) + -len(n) % multiple)
    return sizes, torch.tensor(token, dtype=torch.long), row


def right_1(indices_NK, experts, multiple):
    "a loop over experts"
    sizes, parts, begin = [], [], 0
    row_NK = torch.empty_like(indices_NK)
    for e in range(experts):
        token, slot = torch.where(indices_NK == e)
        size = -(-len(token) // multiple) * multiple
        row_NK[token, slot] = begin + torch.arange(len(token), device=token.device)
        parts.append(F.pad(token, (0, size - len(token))))
        sizes.append(size)
        begin += size
    return sizes, torch.cat(parts), row_NK


def right_2(indices_NK, experts, multiple):
    "place within the slice by a cumsum over a one-hot matrix"
    N, K = indices_NK.shape
    chosen = indices_NK.flatten()
    hot = F.one_hot(chosen, experts)
    rank = (hot.cumsum(0) - hot).gather(1, chosen[:, None])[:, 0]
    sizes = [math.ceil(c / multiple) * multiple for c in hot.sum(0).tolist()]
    begin = torch.tensor([sum(sizes[:e]) for e in range(experts)], device=chosen.device)
    row = begin[chosen] + rank
    token = torch.zeros(sum(sizes), dtype=torch.int64, device=chosen.device)
    token[row] = torch.arange(N, device=chosen.device).repeat_interleave(K)
    return sizes, token, row.view(N, K)


def right_3(indices_NK, experts, multiple):
    "plain Python lists; within a slice the tokens come in descending order (only filling rows have a place prescribed)"
    N, K = indices_NK.shape
    slices = [[] for _ in range(experts)]
    for n in reversed(range(N)):
        for k, e in enumerate(indices_NK[n].tolist()):
            slices[e].append((n, k))
    token, sizes = [], []
    row = torch.zeros(N, K, dtype=torch.int64)
    for mine in slices:
        for n, k in mine:
            row[n, k] = len(token)
            token.append(n)
        fill = -len(mine) % multiple
        token.extend([0] * fill)
        sizes.append(len(mine) + fill)
    return sizes, torch.tensor(token, dtype=torch.int64).to(indices_NK.device), row.to(indices_NK.device)


def right_4(indices_NK, experts, multiple):
    "numpy"
    flat = indices_NK.reshape(-1).cpu().numpy()
    K = indices_NK.shape[1]
    count = np.bincount(flat, minlength=experts)
    size = np.ceil(count / multiple).astype(np.int64) * multiple
    filled = np.concatenate([[0], np.cumsum(size - count)[:-1]]).astype(np.int64)
    order = np.argsort(flat, kind="stable")
    row = np.arange(len(flat)) + filled[flat[order]]
    token = np.zeros(int(size.sum()), dtype=np.int64)
    token[row] = order // K
    place = np.empty(len(flat), dtype=np.int64)
    place[order] = row
    return [int(s) for s in size], torch.from_numpy(token), torch.from_numpy(place).reshape(indices_NK.shape)
