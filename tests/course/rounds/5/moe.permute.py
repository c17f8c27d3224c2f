"""moe.permute"""
import torch


def _finish(order, row, sizes, shape, K):
    token_M = torch.zeros(sum(sizes), dtype=torch.int64)
    token_M[row] = order // K
    row_NK = torch.empty_like(order)
    row_NK[order] = row
    return sizes, token_M, row_NK.view(shape)


def wrong_1(indices_NK, experts, multiple):
    "always one more block: a count that is a multiple already, or 0, gets a block of filling"
    # breaks: "how many choices it got, rounded up to a multiple of `multiple`" - count 2 or 0 with multiple 2
    chosen = indices_NK.reshape(-1)
    count_E = torch.bincount(chosen, minlength=experts)
    size_E = (count_E // multiple + 1) * multiple
    shift_E = (size_E.cumsum(0) - size_E) - (count_E.cumsum(0) - count_E)
    order = chosen.argsort(stable=True)
    row = torch.arange(len(order)) + shift_E[chosen[order]]
    return _finish(order, row, size_E.tolist(), indices_NK.shape, indices_NK.shape[1])


def wrong_2(indices_NK, experts, multiple):
    "bincount without minlength: experts behind the last one that was chosen have no size"
    # breaks: "sizes  list of ints, one per expert" - experts=4 and nobody chose expert 3
    chosen = indices_NK.reshape(-1)
    count_E = torch.bincount(chosen)
    size_E = (count_E + multiple - 1) // multiple * multiple
    shift_E = (size_E.cumsum(0) - size_E) - (count_E.cumsum(0) - count_E)
    order = chosen.argsort(stable=True)
    row = torch.arange(len(order)) + shift_E[chosen[order]]
    return _finish(order, row, size_E.tolist(), indices_NK.shape, indices_NK.shape[1])


def wrong_3(indices_NK, experts, multiple):
    "the shift includes the filling of the own slice, so the filling comes first in it"
    # breaks: "0 in rows that only fill up a slice (they come last in it)" - any count that is no multiple
    chosen = indices_NK.reshape(-1)
    count_E = torch.bincount(chosen, minlength=experts)
    size_E = (count_E + multiple - 1) // multiple * multiple
    shift_E = (size_E - count_E).cumsum(0)
    order = chosen.argsort(stable=True)
    row = torch.arange(len(order)) + shift_E[chosen[order]]
    return _finish(order, row, size_E.tolist(), indices_NK.shape, indices_NK.shape[1])


def wrong_4(indices_NK, experts, multiple):
    "the way back is left in sorted order instead of being scattered to the choices"
    # breaks: "the row of each choice, so token_M[row_NK[n, k]] = n" - the example of the docstring
    chosen = indices_NK.reshape(-1)
    count_E = torch.bincount(chosen, minlength=experts)
    size_E = (count_E + multiple - 1) // multiple * multiple
    shift_E = (size_E.cumsum(0) - size_E) - (count_E.cumsum(0) - count_E)
    order = chosen.argsort(stable=True)
    row = torch.arange(len(order)) + shift_E[chosen[order]]
    sizes, token_M, _ = _finish(order, row, size_E.tolist(), indices_NK.shape, indices_NK.shape[1])
    return sizes, token_M, row.view(indices_NK.shape)


def wrong_5(indices_NK, experts, multiple):
    "rows that fill up repeat the last token of their slice instead of token 0"
    # breaks: "the token in each row, 0 in rows that only fill up a slice" - [[1], [0]], experts=2, multiple=2
    N, K = indices_NK.shape
    sizes, tokens, row_NK = [], [], torch.zeros_like(indices_NK)
    for e in range(experts):
        token, slot = torch.where(indices_NK == e)
        row_NK[token, slot] = torch.arange(len(tokens), len(tokens) + len(token))
        mine = token.tolist()
        while len(mine) % multiple:
            mine.append(mine[-1])
        sizes.append(len(mine))
        tokens += mine
    return sizes, torch.tensor(tokens, dtype=torch.int64), row_NK


def wrong_6(indices_NK, experts, multiple):
    "sizes come back as a tensor, not as a list of ints"
    # breaks: "sizes  list of ints, one per expert" - type(sizes) for any input; sizes == [2, 0, 4, 2] has no truth value
    chosen = indices_NK.reshape(-1)
    count_E = torch.bincount(chosen, minlength=experts)
    size_E = (count_E + multiple - 1) // multiple * multiple
    shift_E = (size_E.cumsum(0) - size_E) - (count_E.cumsum(0) - count_E)
    order = chosen.argsort(stable=True)
    row = torch.arange(len(order)) + shift_E[chosen[order]]
    _, token_M, row_NK = _finish(order, row, size_E.tolist(), indices_NK.shape, indices_NK.shape[1])
    return size_E, token_M, row_NK


def wrong_7(indices_NK, experts, multiple):
    "token_M and row_NK are int32"
    # breaks: "[M] int64" and "[N, K] int64" - the dtype for any input
    chosen = indices_NK.reshape(-1)
    count_E = torch.bincount(chosen, minlength=experts)
    size_E = (count_E + multiple - 1) // multiple * multiple
    shift_E = (size_E.cumsum(0) - size_E) - (count_E.cumsum(0) - count_E)
    order = chosen.argsort(stable=True)
    row = torch.arange(len(order)) + shift_E[chosen[order]]
    sizes, token_M, row_NK = _finish(order, row, size_E.tolist(), indices_NK.shape, indices_NK.shape[1])
    return sizes, token_M.int(), row_NK.int()


def wrong_8(indices_NK, experts, multiple):
    "an expert without choices gets a whole block of filling"
    # breaks: "how many choices it got, rounded up to a multiple" (0 is one) - the example: sizes[1] is 2, not 0
    chosen = indices_NK.reshape(-1)
    count_E = torch.bincount(chosen, minlength=experts)
    size_E = (count_E.clamp(min=1) + multiple - 1) // multiple * multiple
    shift_E = (size_E.cumsum(0) - size_E) - (count_E.cumsum(0) - count_E)
    order = chosen.argsort(stable=True)
    row = torch.arange(len(order)) + shift_E[chosen[order]]
    return _finish(order, row, size_E.tolist(), indices_NK.shape, indices_NK.shape[1])


def wrong_9(indices_NK, experts, multiple):
    "slices are rounded up only where another one follows: the last expert's is not"
    # breaks: "every expert's slice is rounded up" - the example: sizes[3] is 1 and M is 7
    chosen = indices_NK.reshape(-1)
    count_E = torch.bincount(chosen, minlength=experts)
    size_E = (count_E + multiple - 1) // multiple * multiple
    size_E[-1] = count_E[-1]
    shift_E = (size_E.cumsum(0) - size_E) - (count_E.cumsum(0) - count_E)
    order = chosen.argsort(stable=True)
    row = torch.arange(len(order)) + shift_E[chosen[order]]
    return _finish(order, row, size_E.tolist(), indices_NK.shape, indices_NK.shape[1])


def wrong_10(indices_NK, experts, multiple):
    "each token's choices are sorted first: row_NK[n, k] is the row of its k-th smallest expert, not of choice k"
    # breaks: "the row of each choice" - a row such as [2, 0]: its first choice is placed in the slice of expert 0
    by_expert = indices_NK.sort(dim=-1).values
    chosen = by_expert.reshape(-1)
    count_E = torch.bincount(chosen, minlength=experts)
    size_E = (count_E + multiple - 1) // multiple * multiple
    shift_E = (size_E.cumsum(0) - size_E) - (count_E.cumsum(0) - count_E)
    order = chosen.argsort(stable=True)
    row = torch.arange(len(order)) + shift_E[chosen[order]]
    return _finish(order, row, size_E.tolist(), indices_NK.shape, indices_NK.shape[1])


def right_1(indices_NK, experts, multiple):
    "a loop over experts that extends a list"
    sizes, tokens, row_NK = [], [], torch.empty_like(indices_NK, dtype=torch.int64)
    for e in range(experts):
        token, slot = torch.where(indices_NK == e)
        begin = len(tokens)
        row_NK[token, slot] = torch.arange(begin, begin + len(token), device=indices_NK.device)
        filling = -len(token) % multiple
        tokens += token.tolist() + [0] * filling
        sizes.append(len(token) + filling)
    return sizes, torch.tensor(tokens, dtype=torch.int64, device=indices_NK.device), row_NK


def right_2(indices_NK, experts, multiple):
    "plain Python: count, lay out, and let a cursor per expert walk through its slice"
    rows = indices_NK.tolist()
    count = [0] * experts
    for row in rows:
        for e in row:
            count[e] += 1
    sizes = [-(-c // multiple) * multiple for c in count]
    cursor = [sum(sizes[:e]) for e in range(experts)]
    tokens = [0] * sum(sizes)
    places = []
    for n, row in enumerate(rows):
        places.append([])
        for e in row:
            tokens[cursor[e]] = n
            places[-1].append(cursor[e])
            cursor[e] += 1
    token_M = torch.tensor(tokens, dtype=torch.long)
    return sizes, token_M, torch.tensor(places, dtype=torch.long).reshape(indices_NK.shape)


def right_3(indices_NK, experts, multiple):
    "a running count by cumsum over one-hot choices; no sorting"
    N, K = indices_NK.shape
    flat = indices_NK.flatten()
    hot = torch.nn.functional.one_hot(flat, experts)
    before = (hot.cumsum(0) - hot).gather(1, flat[:, None])[:, 0]
    size = torch.div(hot.sum(0) + (multiple - 1), multiple, rounding_mode="floor") * multiple
    begin = torch.cat([size.new_zeros(1), size.cumsum(0)])
    row = begin[flat] + before
    token_M = torch.zeros(int(size.sum()), dtype=torch.int64)
    token_M[row] = torch.arange(N).repeat_interleave(K)
    return [int(s) for s in size], token_M, row.reshape(N, K)


def right_4(indices_NK, experts, multiple):
    "sorted places by argsort twice, and where each slice begins from searchsorted"
    N, K = indices_NK.shape
    flat = indices_NK.reshape(-1)
    values, order = flat.sort(stable=True)
    edge = torch.searchsorted(values.contiguous(), torch.arange(experts + 1))
    count = edge.diff()
    size = count + (-count) % multiple
    start = size.cumsum(0) - size
    row = order.argsort() - edge[:-1][flat] + start[flat]
    token_M = row.new_zeros(int(size.sum())).scatter(0, row, torch.arange(N * K) // K)
    return size.tolist(), token_M, row.view(N, K)
