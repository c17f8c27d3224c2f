"""sft.pad"""
import numpy as np
import torch


def _arrays(docs, pad_id):
    shape = len(docs), max(map(len, docs), default=0)
    return np.full(shape, pad_id, np.int64), np.zeros(shape, np.float32), np.zeros(shape, bool)


def wrong_1(docs, weights=None, pad_id=0):
    "valid is where the id is not pad_id: an id of the text that equals it is lost"
    ids, weight, _ = _arrays(docs, pad_id)
    for b, doc in enumerate(docs):
        ids[b, : len(doc)] = doc
        weight[b, 1 : len(doc)] = 1.0 if weights is None else weights[b][1:]
    return Batch(torch.from_numpy(ids), torch.from_numpy(weight), torch.from_numpy(ids != pad_id))


def wrong_2(docs, weights=None, pad_id=0):
    "given weights are taken as they are: the first of a row counts"
    ids, weight, valid = _arrays(docs, pad_id)
    for b, doc in enumerate(docs):
        n = len(doc)
        ids[b, :n] = doc
        weight[b, :n] = [0.0] * min(n, 1) + [1.0] * (n - 1) if weights is None else weights[b]
        valid[b, :n] = True
    return Batch(*map(torch.from_numpy, (ids, weight, valid)))


def wrong_3(docs, weights=None, pad_id=0):
    "weight 0 wherever the id is pad_id, in the text too (valid is right)"
    ids, weight, valid = _arrays(docs, pad_id)
    for b, doc in enumerate(docs):
        ids[b, : len(doc)] = doc
        weight[b, 1 : len(doc)] = 1.0 if weights is None else weights[b][1:]
        valid[b, : len(doc)] = True
    weight[ids == pad_id] = 0
    return Batch(*map(torch.from_numpy, (ids, weight, valid)))


def wrong_4(docs, weights=None, pad_id=0):
    "each document ends with its first pad_id: what follows in the text is not valid"
    ids, weight, valid = _arrays(docs, pad_id)
    for b, doc in enumerate(docs):
        doc = list(doc)
        n = doc.index(pad_id) if pad_id in doc[:-1] else len(doc)
        ids[b, : len(doc)] = doc
        weight[b, 1:n] = 1.0 if weights is None else weights[b][1:n]
        valid[b, :n] = True
    return Batch(*map(torch.from_numpy, (ids, weight, valid)))


def wrong_5(docs, weights=None, pad_id=0):
    "the weights are float64"
    shape = len(docs), max(map(len, docs), default=0)
    ids, weight, valid = np.full(shape, pad_id), np.zeros(shape), np.zeros(shape, bool)
    for b, doc in enumerate(docs):
        ids[b, : len(doc)] = doc
        weight[b, 1 : len(doc)] = 1.0 if weights is None else weights[b][1:]
        valid[b, : len(doc)] = True
    return Batch(*map(torch.from_numpy, (ids, weight, valid)))


def wrong_6(docs, weights=None, pad_id=0):
    "sets the first weight to 0 in the caller's lists"
    if weights is None:
        weights = [[1.0] * len(doc) for doc in docs]
    ids, weight, valid = _arrays(docs, pad_id)
    for b, (doc, row) in enumerate(zip(docs, weights)):
        if len(row):
            row[0] = 0.0
        ids[b, : len(doc)] = doc
        weight[b, : len(doc)] = row
        valid[b, : len(doc)] = True
    return Batch(*map(torch.from_numpy, (ids, weight, valid)))


def wrong_7(docs, weights=None, pad_id=0):
    "appends the padding to the caller's documents"
    longest = max(map(len, docs), default=0)
    sizes = [len(doc) for doc in docs]
    weight = torch.zeros(len(docs), longest)
    for b, doc in enumerate(docs):
        weight[b, 1 : len(doc)] = 1.0 if weights is None else torch.tensor([float(w) for w in weights[b]])[1:]
        doc += [pad_id] * (longest - len(doc))
    ids = torch.tensor(docs, dtype=torch.int64).view(len(docs), longest)
    return Batch(ids, weight, torch.arange(longest) < torch.tensor(sizes, dtype=torch.int64)[:, None])


def wrong_8(docs, weights=None, pad_id=0):
    "valid is where the weight is not 0: the first id and a question of weight 0 are taken for padding"
    ids, weight, _ = _arrays(docs, pad_id)
    for b, doc in enumerate(docs):
        ids[b, : len(doc)] = doc
        weight[b, 1 : len(doc)] = 1.0 if weights is None else weights[b][1:]
    return Batch(torch.from_numpy(ids), torch.from_numpy(weight), torch.from_numpy(weight > 0))


def wrong_9(docs, weights=None, pad_id=0):
    "gives doc_ids_BT (1 in text, 0 in padding) instead of None"
    ids, weight, valid = _arrays(docs, pad_id)
    for b, doc in enumerate(docs):
        ids[b, : len(doc)] = doc
        weight[b, 1 : len(doc)] = 1.0 if weights is None else weights[b][1:]
        valid[b, : len(doc)] = True
    return Batch(*map(torch.from_numpy, (ids, weight, valid, valid.astype(np.int64))))


def wrong_10(docs, weights=None, pad_id=0):
    "weights go through an integer array: 0.15 becomes 0"
    ids, _, valid = _arrays(docs, pad_id)
    weight = np.zeros_like(ids)
    for b, doc in enumerate(docs):
        ids[b, : len(doc)] = doc
        weight[b, 1 : len(doc)] = 1 if weights is None else weights[b][1:]
        valid[b, : len(doc)] = True
    return Batch(torch.from_numpy(ids), torch.from_numpy(weight).float(), torch.from_numpy(valid))


def right_1(docs, weights=None, pad_id=0):
    "torch, row by row"
    longest = max((len(doc) for doc in docs), default=0)
    ids = torch.full((len(docs), longest), pad_id, dtype=torch.int64)
    weight = torch.zeros(len(docs), longest, dtype=torch.float32)
    valid = torch.zeros(len(docs), longest, dtype=torch.bool)
    for b in range(len(docs)):
        n = len(docs[b])
        ids[b, :n] = torch.tensor(list(docs[b]), dtype=torch.int64)
        weight[b, :n] = torch.tensor(_weights(docs, weights, b)[:n], dtype=torch.float32)
        valid[b, :n] = True
    weight[:, :1] = 0
    return Batch(ids, weight, valid)


def right_2(docs, weights=None, pad_id=0):
    "plain lists, tensors at the end; valid by counting"
    sizes = [len(doc) for doc in docs]
    longest = max(sizes, default=0)
    ids = [list(doc) + [pad_id] * (longest - len(doc)) for doc in docs]
    rows = []
    for i, n in enumerate(sizes):
        inner = _weights(docs, weights, i)[1:] if n else []
        rows.append(([0.0] + [float(w) for w in inner] if n else []) + [0.0] * (longest - n))
    valid = [[t < n for t in range(longest)] for n in sizes]
    shape = (len(sizes), longest)
    return Batch(
        torch.tensor(ids, dtype=torch.long).reshape(shape),
        torch.tensor(rows, dtype=torch.float).reshape(shape),
        torch.tensor(valid, dtype=torch.bool).reshape(shape),
        None,
    )


def right_3(docs, weights=None, pad_id=0):
    "a table of column < size; ids and weights are put where it is true"
    size = np.array([len(doc) for doc in docs], dtype=np.int64)
    column = np.arange(size.max(initial=0))
    valid = column < size[:, None]
    ids = np.full(valid.shape, pad_id, dtype=np.int64)
    ids[valid] = [i for doc in docs for i in doc]
    weight = np.zeros(valid.shape, dtype=np.float32)
    weight[valid] = [w for i in range(len(docs)) if len(docs[i]) for w in _weights(docs, weights, i)]
    weight[:, :1] = 0
    return Batch(torch.from_numpy(ids), torch.from_numpy(weight), torch.from_numpy(valid))


def right_4(docs, weights=None, pad_id=0):
    "pad_sequence, where there is something to pad"
    if not docs:
        return Batch(torch.zeros(0, 0, dtype=torch.long), torch.zeros(0, 0), torch.zeros(0, 0, dtype=torch.bool))
    pad = torch.nn.utils.rnn.pad_sequence
    ids = pad([torch.tensor(list(d), dtype=torch.long) for d in docs], batch_first=True, padding_value=pad_id)
    if weights is None:
        rows = [torch.ones(len(d)) for d in docs]
    else:
        rows = [torch.tensor([float(w) for w in row], dtype=torch.float32) for row in weights]
    weight = pad(rows, batch_first=True)
    weight[:, :1] = 0.0
    valid = pad([torch.ones(len(d), dtype=torch.bool) for d in docs], batch_first=True)
    return Batch(ids, weight, valid)
