"""sft.pad"""
import numpy as np
import torch

def wrong_1(docs, weights=None, pad_id=0):
    "padding is told by its id: ids equal to pad_id inside a text are invalid and weigh 0"
    shape = len(docs), max(map(len, docs), default=0)
    ids, w = np.full(shape, pad_id, np.int64), np.zeros(shape, np.float32)
    for b, doc in enumerate(docs):
        ids[b, : len(doc)] = doc
        w[b, 1 : len(doc)] = _weights(docs, weights, b)[1:]
    valid = ids != pad_id
    return Batch(*map(torch.from_numpy, (ids, w * valid, valid)))

def wrong_2(docs, weights=None, pad_id=0):
    "valid is read off the weights: a text's ids of weight 0 (and the first) count as padding"
    shape = len(docs), max(map(len, docs), default=0)
    ids, w = np.full(shape, pad_id, np.int64), np.zeros(shape, np.float32)
    for b, doc in enumerate(docs):
        ids[b, : len(doc)] = doc
        w[b, 1 : len(doc)] = _weights(docs, weights, b)[1:]
    return Batch(*map(torch.from_numpy, (ids, w, w > 0)))

def wrong_3(docs, weights=None, pad_id=0):
    "the first id keeps the weight that was given"
    shape = len(docs), max(map(len, docs), default=0)
    ids, w, valid = np.full(shape, pad_id, np.int64), np.zeros(shape, np.float32), np.zeros(shape, bool)
    for b, doc in enumerate(docs):
        ids[b, : len(doc)] = doc
        w[b, : len(doc)] = _weights(docs, weights, b)
        valid[b, : len(doc)] = True
    return Batch(*map(torch.from_numpy, (ids, w, valid)))

def wrong_4(docs, weights=None, pad_id=0):
    "no default for max: an empty list of documents raises ValueError"
    T = max(len(d) for d in docs)
    ids, w, valid = torch.full((len(docs), T), pad_id), torch.zeros(len(docs), T), torch.zeros(len(docs), T, dtype=torch.bool)
    for b, doc in enumerate(docs):
        n = len(doc)
        ids[b, :n] = torch.tensor(doc, dtype=torch.int64)
        w[b, 1:n] = torch.tensor(_weights(docs, weights, b)[1:], dtype=torch.float32)
        valid[b, :n] = True
    return Batch(ids, w, valid)

def wrong_5(docs, weights=None, pad_id=0):
    "pads on the left"
    shape = len(docs), max(map(len, docs), default=0)
    ids, w, valid = np.full(shape, pad_id, np.int64), np.zeros(shape, np.float32), np.zeros(shape, bool)
    for b, doc in enumerate(docs):
        if len(doc):
            ids[b, -len(doc):] = doc
            w[b, -len(doc):] = [0.0, *_weights(docs, weights, b)[1:]]
            valid[b, -len(doc):] = True
    return Batch(*map(torch.from_numpy, (ids, w, valid)))

def wrong_6(docs, weights=None, pad_id=0):
    "float64 weights"
    shape = len(docs), max(map(len, docs), default=0)
    ids, w, valid = np.full(shape, pad_id, np.int64), np.zeros(shape), np.zeros(shape, bool)
    for b, doc in enumerate(docs):
        ids[b, : len(doc)] = doc
        w[b, 1 : len(doc)] = _weights(docs, weights, b)[1:]
        valid[b, : len(doc)] = True
    return Batch(*map(torch.from_numpy, (ids, w, valid)))

def wrong_7(docs, weights=None, pad_id=0):
    "int32 ids"
    shape = len(docs), max(map(len, docs), default=0)
    ids, w, valid = np.full(shape, pad_id, np.int32), np.zeros(shape, np.float32), np.zeros(shape, bool)
    for b, doc in enumerate(docs):
        ids[b, : len(doc)] = doc
        w[b, 1 : len(doc)] = _weights(docs, weights, b)[1:]
        valid[b, : len(doc)] = True
    return Batch(*map(torch.from_numpy, (ids, w, valid)))

def wrong_8(docs, weights=None, pad_id=0):
    "sets the first weight of the caller's lists to 0"
    shape = len(docs), max(map(len, docs), default=0)
    if weights is None:
        weights = [[1.0] * len(d) for d in docs]
    ids, w, valid = np.full(shape, pad_id, np.int64), np.zeros(shape, np.float32), np.zeros(shape, bool)
    for b, doc in enumerate(docs):
        if len(doc):
            weights[b][0] = 0.0
        ids[b, : len(doc)] = doc
        w[b, : len(doc)] = weights[b]
        valid[b, : len(doc)] = True
    return Batch(*map(torch.from_numpy, (ids, w, valid)))

def wrong_9(docs, weights=None, pad_id=0):
    "pad_id is ignored: padding is always 0"
    shape = len(docs), max(map(len, docs), default=0)
    ids, w, valid = np.zeros(shape, np.int64), np.zeros(shape, np.float32), np.zeros(shape, bool)
    for b, doc in enumerate(docs):
        ids[b, : len(doc)] = doc
        w[b, 1 : len(doc)] = _weights(docs, weights, b)[1:]
        valid[b, : len(doc)] = True
    return Batch(*map(torch.from_numpy, (ids, w, valid)))

def wrong_10(docs, weights=None, pad_id=0):
    "a segment number for each row: segments_BT is not None"
    shape = len(docs), max(map(len, docs), default=0)
    ids, w, valid = np.full(shape, pad_id, np.int64), np.zeros(shape, np.float32), np.zeros(shape, bool)
    for b, doc in enumerate(docs):
        ids[b, : len(doc)] = doc
        w[b, 1 : len(doc)] = _weights(docs, weights, b)[1:]
        valid[b, : len(doc)] = True
    return Batch(*map(torch.from_numpy, (ids, w, valid, valid.astype(np.int64))))

def right_1(docs, weights=None, pad_id=0):
    "lists filled up to T, then tensors"
    T = max([len(d) for d in docs] + [0])
    ids, w, valid = [], [], []
    for b, doc in enumerate(docs):
        gap = T - len(doc)
        ids.append(list(doc) + [pad_id] * gap)
        w.append(([0.0] + list(_weights(docs, weights, b))[1:])[: len(doc)] + [0.0] * gap)
        valid.append([True] * len(doc) + [False] * gap)
    shape = len(docs), T
    return Batch(torch.tensor(ids, dtype=torch.int64).reshape(shape), torch.tensor(w, dtype=torch.float32).reshape(shape),
                 torch.tensor(valid, dtype=torch.bool).reshape(shape))

def right_2(docs, weights=None, pad_id=0):
    "valid from the lengths at once; torch throughout"
    n_B = torch.tensor([len(d) for d in docs], dtype=torch.int64)
    T = int(n_B.max()) if len(docs) else 0
    valid = torch.arange(T)[None] < n_B[:, None]
    ids, w = torch.full((len(docs), T), pad_id, dtype=torch.int64), torch.zeros(len(docs), T)
    for b, doc in enumerate(docs):
        ids[b, : len(doc)] = torch.tensor(list(doc), dtype=torch.int64)
        w[b, : len(doc)] = torch.tensor(_weights(docs, weights, b)[: len(doc)], dtype=torch.float32)
    w[:, :1] = 0
    return Batch(ids_BT=ids, weight_BT=w, valid_BT=valid, segments_BT=None)

def right_3(docs, weights=None, pad_id=0):
    "without `_weights`: plain loops over positions, the check written out"
    B, T = len(docs), max((len(d) for d in docs), default=0)
    if weights is not None and (len(weights) != B or any(len(w) != len(d) for w, d in zip(weights, docs))):
        raise MinidsError("weights must be one list a document, as long as it")
    ids = torch.empty(B, T, dtype=torch.int64).fill_(pad_id)
    w, valid = torch.zeros(B, T, dtype=torch.float32), torch.zeros(B, T, dtype=torch.bool)
    for b in range(B):
        for t in range(len(docs[b])):
            ids[b, t] = docs[b][t]
            valid[b, t] = True
            if t:
                w[b, t] = 1.0 if weights is None else weights[b][t]
    return Batch(ids, w, valid)

def right_4(docs, weights=None, pad_id=0):
    "the weights first in full, then the first column cleared"
    shape = len(docs), max(map(len, docs), default=0)
    ids, w, valid = np.full(shape, pad_id, dtype=np.int64), np.zeros(shape, dtype=np.float32), np.zeros(shape, dtype=bool)
    for b in range(len(docs)):
        if n := len(docs[b]):
            ids[b, :n], w[b, :n], valid[b, :n] = docs[b], _weights(docs, weights, b), True
        else:
            _weights(docs, weights, b) if weights is not None else None
    w[:, :1] = 0
    return Batch(torch.from_numpy(ids), torch.from_numpy(w), torch.from_numpy(valid))
