"""Batches: nothing lost, nothing counted twice, limits kept, the same order again; corpora and their faults."""

import json

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from minids import MinidsError
from minids.text import corpus
from minids.text.corpus import load_texts, pack, pad_batch, plan_batches

DOCS = st.lists(st.integers(1, 30), min_size=1, max_size=30).map(
    lambda lengths: [list(range(1000 * d, 1000 * d + n)) for d, n in enumerate(lengths, start=1)]
)


def weights_of(docs):
    """A weight of its own for each id, so that each can be recognised."""
    return [[0.0] + [float(i % 97 + 1) for i in doc[1:]] for doc in docs]


def predictions(batch, within_segments=True):
    """(id before, id, weight) of every position that counts."""
    found = []
    for b, t in (batch.weight_BT != 0).nonzero().tolist():
        assert t > 0 and batch.valid_BT[b, t] and batch.valid_BT[b, t - 1]
        if within_segments and batch.doc_ids_BT is not None:
            assert batch.doc_ids_BT[b, t] == batch.doc_ids_BT[b, t - 1]
        found.append((int(batch.ids_BT[b, t - 1]), int(batch.ids_BT[b, t]), float(batch.weight_BT[b, t])))
    return sorted(found)


def expected(docs, weights):
    return sorted((a, b, w) for doc, ws in zip(docs, weights) for a, b, w in zip(doc, doc[1:], ws[1:]))


def test_pad_batch_by_hand():
    batch = pad_batch([[5, 6, 7], [8]], [[9.0, 1.0, 0.5], [1.0]], pad_id=2)
    assert batch.ids_BT.tolist() == [[5, 6, 7], [8, 2, 2]] and batch.ids_BT.dtype == torch.int64
    assert batch.weight_BT.tolist() == [[0, 1, 0.5], [0, 0, 0]] and batch.weight_BT.dtype == torch.float32
    assert batch.valid_BT.tolist() == [[True] * 3, [True, False, False]]
    assert batch.doc_ids_BT is None and batch.n_tokens == 4 and len(batch) == 2
    assert batch[1:].ids_BT.tolist() == [[8, 2, 2]] and batch.to("cpu").n_tokens == 4


@settings(max_examples=150, deadline=None)
@given(docs=DOCS, limit=st.integers(30, 200), seed=st.integers(0, 9))
def test_bucketed_batches(docs, limit, seed):
    weights = weights_of(docs)
    batches = list(corpus.length_bucketed(docs, weights, limit, (seed, 0), pad_id=7))
    assert all(batch.ids_BT.numel() <= limit for batch in batches)
    assert sum(len(batch) for batch in batches) == len(docs)
    assert sorted(p for batch in batches for p in predictions(batch)) == expected(docs, weights)
    assert all((batch.ids_BT[~batch.valid_BT] == 7).all() for batch in batches)
    # a run that stopped after one batch goes on with the same second one
    rest = list(corpus.length_bucketed(docs, weights, limit, (seed, 0), pad_id=7, start=1))
    assert [b.ids_BT.tolist() for b in rest] == [b.ids_BT.tolist() for b in batches[1:]]


def test_bucketing_wastes_little_and_shuffles():
    lengths = np.random.default_rng(0).integers(20, 120, 2000)
    plan = plan_batches(lengths, 4096, (0, 1))
    padded = sum(len(rows) * lengths[rows].max() for rows in plan)
    assert padded / lengths.sum() < 1.05
    firsts = [int(lengths[rows].max()) for rows in plan]
    assert firsts != sorted(firsts)
    again, other = plan_batches(lengths, 4096, (0, 1)), plan_batches(lengths, 4096, (0, 2))
    assert all((a == b).all() for a, b in zip(plan, again, strict=True))
    assert [a.tolist() for a in plan] != [a.tolist() for a in other]
    assert plan_batches([], 10, 0) == []


@settings(max_examples=200, deadline=None)
@given(docs=DOCS, length=st.integers(2, 40), seed=st.none() | st.integers(0, 3))
def test_packing_keeps_every_prediction(docs, length, seed):
    weights = weights_of(docs)
    packed = pack(docs, weights, length, pad_id=7, rng=seed)
    assert packed.ids_BT.shape[1] == length
    assert predictions(packed) == expected(docs, weights)
    assert ((packed.doc_ids_BT > 0) == packed.valid_BT).all() and (packed.ids_BT[~packed.valid_BT] == 7).all()
    for ids, doc_ids in zip(packed.ids_BT, packed.doc_ids_BT):
        n = int((doc_ids > 0).sum())
        assert (doc_ids[n:] == 0).all()  # padding only at the end
        steps = doc_ids[:n].diff()
        assert doc_ids[0] == 1 and ((steps == 0) | (steps == 1)).all()
        for s in range(1, int(doc_ids.max()) + 1):  # a segment is one document, in its order
            part = ids[doc_ids == s]
            assert (part.diff() == 1).all()

    stream = pack(docs, weights, length, boundaries=False, rng=seed)
    assert stream.doc_ids_BT is None and predictions(stream) == expected(docs, weights)
    n_ids = sum(map(len, docs))
    assert len(stream) == max(1, -(-(n_ids - 1) // (length - 1)))  # full rows but for the last


def test_stream_predicts_across_documents_if_asked():
    stream = pack([[1, 2], [3, 4, 5]], [[0, 1], [1, 1, 1]], 3, boundaries=False)
    assert stream.ids_BT.tolist() == [[1, 2, 3], [3, 4, 5]]
    assert stream.weight_BT.tolist() == [[0, 1, 1], [0, 1, 1]]


def test_best_fit_is_tight():
    lengths = np.random.default_rng(0).integers(10, 200, 3000)
    packed = pack([[1] * n for n in lengths], None, 512)
    assert packed.valid_BT.float().mean() > 0.98
    assert [len(row) for row in corpus.best_fit([([1] * n, [1.0] * n) for n in (3, 5, 2, 6)], 8)] == [2, 2]
    assert pack([], None, 8).ids_BT.shape == (0, 8) and pad_batch([]).ids_BT.shape == (0, 0)


def test_mistakes():
    with pytest.raises(MinidsError, match="document 1 has 9 tokens"):
        plan_batches([3, 9], 8, 0)
    with pytest.raises(MinidsError, match="length >= 2"):
        pack([[1]], None, 1)
    for weights in ([[0, 1], [0]], [[0, 1]]):
        with pytest.raises(MinidsError, match="weights"):
            pad_batch([[1, 2], [3, 4]], weights)


# ---- corpora


@pytest.fixture
def folder(tmp_path):
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    pytest.importorskip("datasets")
    (tmp_path / "sub").mkdir()
    lines = [json.dumps({"text": text, "n": 1}) for text in ("one", "", "zwei\nдва")]
    (tmp_path / "a.jsonl").write_text("\n".join(lines), encoding="utf-8")
    pq.write_table(pa.table({"text": ["three", None, "four"], "body": ["x", "y", "z"]}), tmp_path / "b.parquet")
    (tmp_path / "sub" / "c.txt").write_text("five\n\nstill five\n", encoding="utf-8")
    (tmp_path / "ignored.bin").write_bytes(b"\x00")
    return tmp_path


def test_files_and_folders(folder):
    assert list(load_texts(folder / "a.jsonl")) == ["one", "zwei\nдва"]
    assert list(load_texts(str(folder / "b.parquet"), "body")) == ["x", "y", "z"]
    assert list(load_texts(folder / "sub" / "c.txt")) == ["five\n\nstill five\n"]


def test_a_folder_is_read_in_order(folder):
    expected = ["one", "zwei\nдва", "three", "four", "five\n\nstill five\n"]
    assert list(load_texts(folder)) == expected


@pytest.mark.parametrize(
    "name, content, field, message",
    [
        ("a.jsonl", b"", "text", "is empty"),
        ("a.jsonl", b'{"text": ""}\n', "text", "is empty"),
        ("a.jsonl", b'{"body": "x"}\n', "text", "no field 'text'; its fields are body"),
        ("a.jsonl", b'{"text": 7}\n', "text", "is int, not a text"),
        ("a.jsonl", b'{"text": "x"}\n{"te', "text", "cannot read"),
        ("a.parquet", b"PAR1 no parquet", "text", "cannot read"),
        ("a.txt", b"\xff\xfe\x00\xd8", "text", "cannot read"),
        ("a.csv", b"text\nx\n", "text", "is no corpus that minids reads"),
    ],
)
def test_faulty_corpora(tmp_path, name, content, field, message):
    pytest.importorskip("datasets")
    (tmp_path / name).write_bytes(content)
    with pytest.raises(MinidsError, match=message) as caught:
        list(load_texts(tmp_path / name, field))
    assert str(tmp_path) in str(caught.value)


def test_missing_corpora(tmp_path, monkeypatch):
    with pytest.raises(MinidsError, match="holds no .jsonl"):
        load_texts(tmp_path)
    for missing in (tmp_path / "no.jsonl", tmp_path / "no", "./no", "no.txt"):
        with pytest.raises(MinidsError, match="no corpus at"):
            load_texts(missing)
    pytest.importorskip("datasets")

    def offline(*args, **kwargs):
        raise ConnectionError("no network")

    monkeypatch.setattr("datasets.load_dataset", offline)
    with pytest.raises(MinidsError, match="someone/thing.*no network"):
        list(load_texts("someone/thing"))
    monkeypatch.setitem(__import__("sys").modules, "datasets", None)
    with pytest.raises(MinidsError, match="pip install"):
        list(load_texts("someone/thing:config"))
