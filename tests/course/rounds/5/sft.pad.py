"""sft.pad"""
from itertools import zip_longest

import numpy as np
import torch
from torch.nn.utils.rnn import pad_sequence


def wrong_1(docs, weights=None, pad_id=0):
    "valid is what is not pad_id: an id of a text that equals it is taken for padding"
    # breaks: "It may be an id that texts hold as well." - docs [[5, 0, 7]], pad_id 0: valid[0, 1]
    T = max(map(len, docs), default=0)
    ids = torch.full((len(docs), T), pad_id, dtype=torch.int64)
    weight = torch.zeros(len(docs), T)
    for b, doc in enumerate(docs):
        ids[b, : len(doc)] = torch.tensor(doc, dtype=torch.int64)
        w = [1.0] * len(doc) if weights is None else weights[b]
        weight[b, 1 : len(doc)] = torch.tensor(w[1:], dtype=torch.float32)
    return Batch(ids, weight, ids != pad_id)


def wrong_2(docs, weights=None, pad_id=0):
    "the weight is set to 0 wherever the id is pad_id: with the stop token as padding no end is learned"
    # breaks: "It may be an id that texts hold as well." - docs [[5, 6, 1]], pad_id=1: weight[0, 2]
    T = max(map(len, docs), default=0)
    ids = torch.full((len(docs), T), pad_id, dtype=torch.int64)
    weight, valid = torch.zeros(len(docs), T), torch.zeros(len(docs), T, dtype=torch.bool)
    for b, doc in enumerate(docs):
        ids[b, : len(doc)] = torch.tensor(doc, dtype=torch.int64)
        w = [1.0] * len(doc) if weights is None else weights[b]
        weight[b, 1 : len(doc)] = torch.tensor(w[1:], dtype=torch.float32)
        valid[b, : len(doc)] = True
    return Batch(ids, weight.masked_fill(ids == pad_id, 0.0), valid)


def wrong_3(docs, weights=None, pad_id=0):
    "weights that are given are taken as they are, the first one too"
    # breaks: "Whatever is given, the first of a row counts 0" - weights [[1, 1, 1]]
    T = max(map(len, docs), default=0)
    ids = torch.full((len(docs), T), pad_id, dtype=torch.int64)
    weight, valid = torch.zeros(len(docs), T), torch.zeros(len(docs), T, dtype=torch.bool)
    for b, doc in enumerate(docs):
        ids[b, : len(doc)] = torch.tensor(doc, dtype=torch.int64)
        w = [0.0] + [1.0] * (len(doc) - 1) if weights is None else weights[b]
        weight[b, : len(doc)] = torch.tensor(w[: len(doc)], dtype=torch.float32)
        valid[b, : len(doc)] = True
    return Batch(ids, weight, valid)


def wrong_4(docs, weights=None, pad_id=0):
    "doc_ids_BT is a tensor of ones, not None"
    # breaks: "Batch, whose doc_ids_BT is None" - any input
    T = max(map(len, docs), default=0)
    ids = torch.full((len(docs), T), pad_id, dtype=torch.int64)
    weight, valid = torch.zeros(len(docs), T), torch.zeros(len(docs), T, dtype=torch.bool)
    for b, doc in enumerate(docs):
        ids[b, : len(doc)] = torch.tensor(doc, dtype=torch.int64)
        w = [1.0] * len(doc) if weights is None else weights[b]
        weight[b, 1 : len(doc)] = torch.tensor(w[1:], dtype=torch.float32)
        valid[b, : len(doc)] = True
    return Batch(ids, weight, valid, valid.long())


def wrong_5(docs, weights=None, pad_id=0):
    "the caller's documents are extended with padding"
    # breaks: arguments left unchanged - docs [[5], [5, 6]]: the first has two ids after the call
    lengths = [len(doc) for doc in docs]
    T = max(lengths, default=0)
    weight, valid = torch.zeros(len(docs), T), torch.zeros(len(docs), T, dtype=torch.bool)
    for b, doc in enumerate(docs):
        doc += [pad_id] * (T - len(doc))
        w = [1.0] * lengths[b] if weights is None else weights[b]
        weight[b, 1 : lengths[b]] = torch.tensor(w[1:], dtype=torch.float32)
        valid[b, : lengths[b]] = True
    return Batch(torch.tensor(docs, dtype=torch.int64).reshape(len(docs), T), weight, valid)


def wrong_6(docs, weights=None, pad_id=0):
    "the dtype of weights is what torch makes of the numbers: whole ones give int64"
    # breaks: Batch "weight_BT float32" - weights [[0, 0, 1]], whole numbers
    T = max(map(len, docs), default=0)
    rows = [list(doc) + [pad_id] * (T - len(doc)) for doc in docs]
    weights = [[1.0] * len(doc) for doc in docs] if weights is None else weights
    counted = [([0] + list(w[1:]))[: len(doc)] + [0] * (T - len(doc)) for doc, w in zip(docs, weights)]
    valid = [[True] * len(doc) + [False] * (T - len(doc)) for doc in docs]
    shape = len(docs), T
    return Batch(
        torch.tensor(rows, dtype=torch.int64).reshape(shape),
        torch.tensor(counted).reshape(shape),
        torch.tensor(valid, dtype=torch.bool).reshape(shape),
    )


def wrong_7(docs, weights=None, pad_id=0):
    "without weights padding counts 1 as well"
    # breaks: "the first of a row counts 0, and so does padding" - docs [[5], [5, 6, 7]], weights None
    T = max(map(len, docs), default=0)
    ids = np.full((len(docs), T), pad_id, np.int64)
    weight, valid = np.zeros((len(docs), T), np.float32), np.zeros((len(docs), T), bool)
    if weights is None:
        weight[:, 1:] = 1.0
    for b, doc in enumerate(docs):
        ids[b, : len(doc)] = doc
        valid[b, : len(doc)] = True
        if weights is not None:
            weight[b, 1 : len(doc)] = weights[b][1:]
    return Batch(torch.from_numpy(ids), torch.from_numpy(weight), torch.from_numpy(valid))


def wrong_8(docs, weights=None, pad_id=0):
    "the first weight is set to 0 in the caller's lists"
    # breaks: arguments left unchanged - weights [[1.0, 1.0]] is [[0.0, 1.0]] after the call
    T = max(map(len, docs), default=0)
    ids = np.full((len(docs), T), pad_id, np.int64)
    weight, valid = np.zeros((len(docs), T), np.float32), np.zeros((len(docs), T), bool)
    for b, doc in enumerate(docs):
        w = [1.0] * len(doc) if weights is None else weights[b]
        w[:1] = [0.0] * len(w[:1])
        ids[b, : len(doc)] = doc
        weight[b, : len(doc)] = w
        valid[b, : len(doc)] = True
    return Batch(torch.from_numpy(ids), torch.from_numpy(weight), torch.from_numpy(valid))


def wrong_9(docs, weights=None, pad_id=0):
    "pad_id is not used: 0 stands where no text is"
    # breaks: "pad_id   what stands where no text is" - pad_id=3 with documents of unequal length
    T = max(map(len, docs), default=0)
    ids = np.zeros((len(docs), T), np.int64)
    weight, valid = np.zeros((len(docs), T), np.float32), np.zeros((len(docs), T), bool)
    for b, doc in enumerate(docs):
        w = [1.0] * len(doc) if weights is None else weights[b]
        ids[b, : len(doc)] = doc
        weight[b, 1 : len(doc)] = w[1:]
        valid[b, : len(doc)] = True
    return Batch(torch.from_numpy(ids), torch.from_numpy(weight), torch.from_numpy(valid))


def wrong_10(docs, weights=None, pad_id=0):
    "rows are padded to a multiple of eight"
    # breaks: "padded on the right to the longest" - a longest document of 5 gives T = 8
    T = -(-max(map(len, docs), default=0) // 8) * 8
    ids = np.full((len(docs), T), pad_id, np.int64)
    weight, valid = np.zeros((len(docs), T), np.float32), np.zeros((len(docs), T), bool)
    for b, doc in enumerate(docs):
        w = [1.0] * len(doc) if weights is None else weights[b]
        ids[b, : len(doc)] = doc
        weight[b, 1 : len(doc)] = w[1:]
        valid[b, : len(doc)] = True
    return Batch(torch.from_numpy(ids), torch.from_numpy(weight), torch.from_numpy(valid))


def right_1(docs, weights=None, pad_id=0):
    "torch's pad_sequence, three times"
    if len(docs) == 0:
        empty = torch.zeros(0, 0)
        return Batch(empty.long(), empty, empty.bool())
    every = [_weights(docs, weights, b)[: len(doc)] for b, doc in enumerate(docs)]
    ids = pad_sequence([torch.tensor(list(doc), dtype=torch.int64) for doc in docs], True, pad_id)
    weight = pad_sequence([torch.tensor(w, dtype=torch.float32) for w in every], True)
    weight[:, :1] = 0.0
    valid = pad_sequence([torch.ones(len(doc), dtype=torch.bool) for doc in docs], True, False)
    return Batch(ids, weight, valid)


def right_2(docs, weights=None, pad_id=0):
    "valid from a comparison of lengths with columns; the flat ids are written where it is true"
    B, lengths = len(docs), torch.tensor([len(doc) for doc in docs], dtype=torch.int64)
    T = int(lengths.max()) if B else 0
    valid = torch.arange(T) < lengths[:, None]
    ids = torch.full((B, T), pad_id, dtype=torch.int64)
    ids[valid] = torch.tensor([int(i) for doc in docs for i in doc], dtype=torch.int64)
    weight = torch.zeros(B, T)
    flat = [float(w) for b in range(B) for w in _weights(docs, weights, b)[: len(docs[b])]]
    weight[valid] = torch.tensor(flat, dtype=torch.float32)
    weight[:, :1] = 0.0
    return Batch(ids, weight, valid)


def right_3(docs, weights=None, pad_id=0):
    "Python lists, tensors at the end"
    longest = max([len(doc) for doc in docs] or [0])
    rows, counted, valid = [], [], []
    for b, doc in enumerate(docs):
        n, given = len(doc), _weights(docs, weights, b)
        gap = longest - n
        rows.append([int(i) for i in doc] + [pad_id] * gap)
        counted.append([float(w) if t else 0.0 for t, w in enumerate(given)][:n] + [0.0] * gap)
        valid.append([t < n for t in range(longest)])
    shape = (len(docs), longest)
    return Batch(
        ids_BT=torch.tensor(rows, dtype=torch.long).view(shape),
        weight_BT=torch.tensor(counted, dtype=torch.float32).view(shape),
        valid_BT=torch.tensor(valid, dtype=torch.bool).view(shape),
        doc_ids_BT=None,
    )


def right_4(docs, weights=None, pad_id=0):
    "columns by zip_longest, with None for padding"
    every = [_weights(docs, weights, b)[: len(doc)] for b, doc in enumerate(docs)]
    columns = list(zip_longest(*docs))
    B, T = len(docs), len(columns)
    ids = [[pad_id if i is None else int(i) for i in column] for column in columns]
    valid = [[i is not None for i in column] for column in columns]
    weight = [[0.0] * B if t == 0 else list(column) for t, column in enumerate(zip_longest(*every, fillvalue=0.0))]
    return Batch(
        torch.tensor(ids, dtype=torch.int64).reshape(T, B).T.contiguous(),
        torch.tensor(weight, dtype=torch.float32).reshape(T, B).T.contiguous(),
        torch.tensor(valid, dtype=torch.bool).reshape(T, B).T.contiguous(),
    )
