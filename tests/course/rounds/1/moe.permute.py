"""moe.permute"""
import torch

def wrong_1(indices_NK, experts, multiple):
    "(count // multiple + 1) * multiple: a slice that is full already, or empty, gets a block too much"
    chosen = indices_NK.reshape(-1)
    count = torch.bincount(chosen, minlength=experts)
    size = (count // multiple + 1) * multiple
    shift = (size.cumsum(0) - size) - (count.cumsum(0) - count)
    order = chosen.argsort(stable=True)
    row = torch.arange(len(order)) + shift[chosen[order]]
    sizes = size.tolist()
    token = order.new_zeros(sum(sizes)).index_copy_(0, row, order // indices_NK.shape[1])
    place = torch.empty_like(order).index_copy_(0, order, row).view(indices_NK.shape)
    return sizes, token, place

def wrong_2(indices_NK, experts, multiple):
    "no minlength: experts behind the last one that was chosen have no size"
    chosen = indices_NK.reshape(-1)
    count = torch.bincount(chosen)
    size = (count + multiple - 1) // multiple * multiple
    shift = (size.cumsum(0) - size) - (count.cumsum(0) - count)
    order = chosen.argsort(stable=True)
    row = torch.arange(len(order)) + shift[chosen[order]]
    sizes = size.tolist()
    token = order.new_zeros(sum(sizes)).index_copy_(0, row, order // indices_NK.shape[1])
    place = torch.empty_like(order).index_copy_(0, order, row).view(indices_NK.shape)
    return sizes, token, place

def wrong_3(indices_NK, experts, multiple):
    "the way back is not inverted: rows in sorted order stand where those of the choices should"
    chosen = indices_NK.reshape(-1)
    count = torch.bincount(chosen, minlength=experts)
    size = (count + multiple - 1) // multiple * multiple
    shift = (size.cumsum(0) - size) - (count.cumsum(0) - count)
    order = chosen.argsort(stable=True)
    row = torch.arange(len(order)) + shift[chosen[order]]
    sizes = size.tolist()
    token = order.new_zeros(sum(sizes)).index_copy_(0, row, order // indices_NK.shape[1])
    return sizes, token, row[order].view(indices_NK.shape)

def wrong_4(indices_NK, experts, multiple):
    "rows that fill up hold -1, not 0"
    sizes, tokens, place = [], [], torch.zeros_like(indices_NK)
    begin = 0
    for e in range(experts):
        token, slot = torch.where(indices_NK == e)
        size = -(-len(token) // multiple) * multiple
        place[token, slot] = begin + torch.arange(len(token))
        tokens += token.tolist() + [-1] * (size - len(token))
        sizes.append(size)
        begin += size
    return sizes, torch.tensor(tokens, dtype=torch.int64), place

def wrong_5(indices_NK, experts, multiple):
    "rows that fill up repeat the expert's last token"
    sizes, tokens, place = [], [], torch.zeros_like(indices_NK)
    begin = 0
    for e in range(experts):
        token, slot = torch.where(indices_NK == e)
        size = -(-len(token) // multiple) * multiple
        place[token, slot] = begin + torch.arange(len(token))
        tokens += token.tolist() + token[-1:].tolist() * (size - len(token))
        sizes.append(size)
        begin += size
    return sizes, torch.tensor(tokens, dtype=torch.int64), place

def wrong_6(indices_NK, experts, multiple):
    "experts without a choice get a slice of `multiple` rows all the same"
    chosen = indices_NK.reshape(-1)
    count = torch.bincount(chosen, minlength=experts)
    size = (count.clamp(min=1) + multiple - 1) // multiple * multiple
    shift = (size.cumsum(0) - size) - (count.cumsum(0) - count)
    order = chosen.argsort(stable=True)
    row = torch.arange(len(order)) + shift[chosen[order]]
    sizes = size.tolist()
    token = order.new_zeros(sum(sizes)).index_copy_(0, row, order // indices_NK.shape[1])
    place = torch.empty_like(order).index_copy_(0, order, row).view(indices_NK.shape)
    return sizes, token, place

def wrong_7(indices_NK, experts, multiple):
    "token = choice % N, as if choices were listed column by column"
    chosen = indices_NK.reshape(-1)
    count = torch.bincount(chosen, minlength=experts)
    size = (count + multiple - 1) // multiple * multiple
    shift = (size.cumsum(0) - size) - (count.cumsum(0) - count)
    order = chosen.argsort(stable=True)
    row = torch.arange(len(order)) + shift[chosen[order]]
    sizes = size.tolist()
    token = order.new_zeros(sum(sizes)).index_copy_(0, row, order % indices_NK.shape[0])
    place = torch.empty_like(order).index_copy_(0, order, row).view(indices_NK.shape)
    return sizes, token, place

def wrong_8(indices_NK, experts, multiple):
    "sizes is a tensor, not a list of ints"
    chosen = indices_NK.reshape(-1)
    count = torch.bincount(chosen, minlength=experts)
    size = (count + multiple - 1) // multiple * multiple
    shift = (size.cumsum(0) - size) - (count.cumsum(0) - count)
    order = chosen.argsort(stable=True)
    row = torch.arange(len(order)) + shift[chosen[order]]
    token = order.new_zeros(int(size.sum())).index_copy_(0, row, order // indices_NK.shape[1])
    place = torch.empty_like(order).index_copy_(0, order, row).view(indices_NK.shape)
    return size, token, place

def wrong_9(indices_NK, experts, multiple):
    "the filling comes first in a slice, not last"
    sizes, tokens, place = [], [], torch.zeros_like(indices_NK)
    begin = 0
    for e in range(experts):
        token, slot = torch.where(indices_NK == e)
        fill = -len(token) % multiple
        place[token, slot] = begin + fill + torch.arange(len(token))
        tokens += [0] * fill + token.tolist()
        sizes.append(fill + len(token))
        begin += sizes[-1]
    return sizes, torch.tensor(tokens, dtype=torch.int64), place

def wrong_10(indices_NK, experts, multiple):
    "starts are those of the slices before rounding: right for multiple = 1, else slices run into one another"
    chosen = indices_NK.reshape(-1)
    count = torch.bincount(chosen, minlength=experts)
    sizes = ((count + multiple - 1) // multiple * multiple).tolist()
    order = chosen.argsort(stable=True)
    row = torch.arange(len(order))
    token = order.new_zeros(sum(sizes)).index_copy_(0, row, order // indices_NK.shape[1])
    place = torch.empty_like(order).index_copy_(0, order, row).view(indices_NK.shape)
    return sizes, token, place

def right_1(indices_NK, experts, multiple):
    "a loop over experts"
    sizes, tokens, place, begin = [], [], torch.zeros_like(indices_NK), 0
    for e in range(experts):
        token, slot = torch.where(indices_NK == e)
        size = (len(token) + multiple - 1) // multiple * multiple
        place[token, slot] = torch.arange(begin, begin + len(token))
        tokens.append(torch.cat([token, token.new_zeros(size - len(token))]))
        sizes.append(size)
        begin += size
    return sizes, torch.cat(tokens), place

def right_2(indices_NK, experts, multiple):
    "plain Python lists"
    at = [[] for _ in range(experts)]
    rows = indices_NK.tolist()
    for n, row in enumerate(rows):
        for k, e in enumerate(row):
            at[e].append((n, k))
    sizes, tokens = [], []
    place = torch.zeros(indices_NK.shape, dtype=torch.int64)
    for group in at:
        for n, k in group:
            place[n, k] = len(tokens)
            tokens.append(n)
        fill = -len(group) % multiple
        tokens.extend([0] * fill)
        sizes.append(len(group) + fill)
    return sizes, torch.tensor(tokens, dtype=torch.int64), place

def right_3(indices_NK, experts, multiple):
    "ranks by a cumulative sum over a one-hot matrix"
    N, K = indices_NK.shape
    flat = indices_NK.flatten()
    hot = (flat[:, None] == torch.arange(experts)).long()
    rank = (hot.cumsum(0) * hot).sum(1) - 1
    sizes = [-(-c // multiple) * multiple for c in hot.sum(0).tolist()]
    begin = torch.tensor([sum(sizes[:e]) for e in range(experts)])
    place = begin[flat] + rank
    token = torch.zeros(sum(sizes), dtype=torch.int64)
    token[place] = torch.arange(N * K) // K
    return sizes, token, place.reshape(N, K)

def right_4(indices_NK, experts, multiple):
    "sort, and later choices first within an expert: the order of tokens in a slice is free"
    N, K = indices_NK.shape
    chosen = indices_NK.reshape(-1)
    order = chosen.flip(0).argsort(stable=True)
    order = len(chosen) - 1 - order
    count = torch.bincount(chosen, minlength=experts)
    size = torch.div(count + multiple - 1, multiple, rounding_mode="floor") * multiple
    ends, filled = size.cumsum(0), count.cumsum(0)
    row = torch.arange(N * K) + ((ends - size) - (filled - count))[chosen[order]]
    token = torch.zeros(int(ends[-1]), dtype=torch.int64)
    token[row] = order // K
    place = torch.empty(N * K, dtype=torch.int64)
    place[order] = row
    return [int(z) for z in size], token, place.view(N, K)
