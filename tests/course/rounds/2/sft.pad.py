"""sft.pad"""
import numpy as np
import torch


def _make(docs, weights, pad_id):
    T = max((len(d) for d in docs), default=0)
    ids = torch.full((len(docs), T), pad_id, dtype=torch.int64)
    w = torch.zeros(len(docs), T)
    valid = torch.zeros(len(docs), T, dtype=torch.bool)
    for b, d in enumerate(docs):
        n = len(d)
        ids[b, :n] = torch.tensor(list(d), dtype=torch.int64)
        valid[b, :n] = True
        if n:
            w[b, :n] = 1.0 if weights is None else torch.tensor(list(weights[b]), dtype=torch.float32)
            w[b, 0] = 0.0
    return ids, w, valid


def wrong_1(docs, weights=None, pad_id=0):
    "valid is ids != pad_id: a text that holds the pad id loses it"
    ids, w, _ = _make(docs, weights, pad_id)
    return Batch(ids, w, ids != pad_id)


def wrong_2(docs, weights=None, pad_id=0):
    "given weights are taken as they are: the first id counts"
    ids, w, valid = _make(docs, weights, pad_id)
    if weights is not None:
        for b, row in enumerate(weights):
            w[b, :len(row)] = torch.tensor(list(row), dtype=torch.float32)
    return Batch(ids, w, valid)


def wrong_3(docs, weights=None, pad_id=0):
    "the caller's weights get a 0 in front in place"
    if weights is not None:
        for row in weights:
            if len(row):
                row[0] = 0.0
    return Batch(*_make(docs, weights, pad_id))


def wrong_4(docs, weights=None, pad_id=0):
    "the documents are padded in place: the caller's lists grow"
    out = _make(docs, weights, pad_id)
    T = out[0].shape[1]
    for d in docs:
        d.extend([pad_id] * (T - len(d)))
    return Batch(*out)


def wrong_5(docs, weights=None, pad_id=0):
    "no documents: max of an empty sequence"
    T = max(len(d) for d in docs)
    return Batch(*_make(docs, weights, pad_id))


def wrong_6(docs, weights=None, pad_id=0):
    "an empty document makes an empty row impossible: it is left out, so that rows shift"
    keep = [i for i, d in enumerate(docs) if len(d)]
    return Batch(*_make([docs[i] for i in keep], None if weights is None else [weights[i] for i in keep], pad_id))


def wrong_7(docs, weights=None, pad_id=0):
    "the weights are float64"
    ids, w, valid = _make(docs, weights, pad_id)
    w = w.double()
    return Batch(ids, w, valid)


def wrong_8(docs, weights=None, pad_id=0):
    "the first id counts 0 only without weights; the weights are shifted by one to the right, as if the list had none for the first id"
    ids, w, valid = _make(docs, None, pad_id)
    if weights is not None:
        for b, row in enumerate(weights):
            if len(row) > 1:
                w[b, 1:len(row)] = torch.tensor(list(row)[:-1], dtype=torch.float32)
    return Batch(ids, w, valid)


def wrong_9(docs, weights=None, pad_id=0):
    "segments_BT is given: 1 on text"
    ids, w, valid = _make(docs, weights, pad_id)
    return Batch(ids, w, valid, valid.long())


def wrong_10(docs, weights=None, pad_id=0):
    "a weight of 0 is taken for padding: valid is weight > 0 beside the first id"
    ids, w, valid = _make(docs, weights, pad_id)
    seen = w > 0
    if seen.shape[1]:
        seen[:, 0] = valid[:, 0]
    return Batch(ids, w, seen)


def right_1(docs, weights=None, pad_id=0):
    "torch tensors, row by row"
    return Batch(*_make(docs, weights, pad_id))


def right_2(docs, weights=None, pad_id=0):
    "lists padded by hand, then one tensor each"
    B, T = len(docs), max([len(d) for d in docs] + [0])
    ids = [list(d) + [pad_id] * (T - len(d)) for d in docs]
    if weights is None:
        weights = [[1.0] * len(d) for d in docs]
    w = [([0.0] + list(map(float, row))[1:] if len(row) else []) + [0.0] * (T - len(row)) for row in weights]
    valid = [[t < len(d) for t in range(T)] for d in docs]
    return Batch(torch.tensor(ids, dtype=torch.int64).reshape(B, T), torch.tensor(w, dtype=torch.float32).reshape(B, T),
                 torch.tensor(valid, dtype=torch.bool).reshape(B, T))


def right_3(docs, weights=None, pad_id=0):
    "masks from the lengths, filled at once"
    lengths = np.array([len(d) for d in docs], dtype=np.int64)
    T = int(lengths.max()) if len(lengths) else 0
    valid = np.arange(T)[None, :] < lengths[:, None]
    ids = np.full(valid.shape, pad_id, dtype=np.int64)
    ids[valid] = [i for d in docs for i in d]
    w = np.zeros(valid.shape, dtype=np.float32)
    w[valid] = 1 if weights is None else [x for row in weights for x in row]
    w[:, :1] = 0
    return Batch(torch.from_numpy(ids), torch.from_numpy(w), torch.from_numpy(valid))


def right_4(docs, weights=None, pad_id=0):
    "keywords of Batch, new_full"
    T = 0
    for d in docs:
        T = max(T, len(d))
    shape = (len(docs), T)
    batch = Batch(ids_BT=torch.full(shape, int(pad_id)), weight_BT=torch.zeros(shape), valid_BT=torch.zeros(shape, dtype=torch.bool), segments_BT=None)
    for b in range(len(docs)):
        for t in range(len(docs[b])):
            batch.ids_BT[b, t] = docs[b][t]
            batch.valid_BT[b, t] = True
            if t > 0:
                batch.weight_BT[b, t] = 1.0 if weights is None else float(weights[b][t])
    return batch
