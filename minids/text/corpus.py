"""Documents -> batches: padded rows of similar length, or packed rows of one length; and corpora read from disk.

    batches("corpus.txt", tokenizer, length, rows)    a corpus as the source of `minids.pretrain`: all of it in one call

A document is a list of ids with one weight per id; weight[t] is the weight of predicting id t from the ids
before it:

    loss = sum_bt weight_BT * nll_BT / sum_bt weight_BT

Shapes: B rows, T positions. Padding is on the right, with weight 0 and valid False. The first id of a row or
segment is predicted from nothing, so its weight is 0.
Trade-off: `length_bucketed` keeps one document a row (the attention needs no mask) and wastes what the
lengths differ by; `pack` wastes almost nothing and needs doc_ids, or lets documents see each other as
DeepSeek-V3's pretraining did (paper section 4.1: documents are packed, attention is not masked between them).
Left out: fill-in-the-middle, mixing sources by weight, and corpora larger than memory (texts can be streamed
from `load_texts`; packed ids are held).
"""

import hashlib
from bisect import bisect_left, insort
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import torch

from ..dispatch import definitions
from ..errors import MinidsError

Doc = Sequence[int]
Weights = Sequence[Sequence[float]] | None


@dataclass
class Batch:
    """Rows of tokens, and what training needs to know of them.

    ids_BT       int64, the tokens
    weight_BT    float32, the weight of predicting each
    valid_BT     bool, False for padding
    doc_ids_BT   int64, which document of the row each is in: it attends within equal numbers only; None: one a row
    """

    ids_BT: torch.Tensor
    weight_BT: torch.Tensor
    valid_BT: torch.Tensor
    doc_ids_BT: torch.Tensor | None = None

    def __len__(self) -> int:
        return len(self.ids_BT)

    def __getitem__(self, rows) -> "Batch":
        """Some of the rows: a slice or a tensor of row numbers."""
        return self._map(lambda x: x[rows])

    def to(self, device) -> "Batch":
        """The same batch on another device."""
        return self._map(lambda x: x.to(device, non_blocking=True))

    @property
    def n_tokens(self) -> int:
        """Tokens of text, without padding."""
        return int(self.valid_BT.sum())

    def _map(self, f) -> "Batch":
        return Batch(*(None if (x := getattr(self, a.name)) is None else f(x) for a in fields(self)))


def pad_batch(docs: Sequence[Doc], weights: Weights = None, pad_id: int = 0) -> Batch:
    """One document a row, padded on the right to the longest -> Batch, whose doc_ids_BT is None.

    docs     lists of ids
    weights  a list of weights per document, one per id; without them every id counts 1. Whatever is given, the first of
             a row counts 0, and so does padding.
    pad_id   what stands where no text is. It may be an id that texts hold as well.
    """
    shape = len(docs), max(map(len, docs), default=0)
    ids_BT, weight_BT = np.full(shape, pad_id, np.int64), np.zeros(shape, np.float32)
    valid_BT = np.zeros(shape, bool)
    for b, doc in enumerate(docs):
        ids_BT[b, : len(doc)] = doc
        weight_BT[b, 1 : len(doc)] = _weights(docs, weights, b)[1:]  # nothing stands before the first id
        # where text is and where padding, the lengths say
        valid_BT[b, : len(doc)] = True
    return Batch(*map(torch.from_numpy, (ids_BT, weight_BT, valid_BT)))


definitions(pad_batch)  # `Documents.batch` computes it for all rows at once


def plan_batches(lengths: Sequence[int], tokens_per_batch: int, rng) -> list[np.ndarray]:
    """Which documents go together: sorted by length (ties at random), cut when rows * longest would exceed the
    limit, then the batches in random order. `rng` is a numpy Generator or a seed such as (seed, epoch). Raises
    MinidsError for a document that is longer than a batch."""
    rng = np.random.default_rng(rng)
    lengths = np.asarray(lengths)
    if len(lengths) and lengths.max() > tokens_per_batch:
        i = int(lengths.argmax())
        raise MinidsError(
            f"document {i} has {lengths[i]} tokens, more than a batch may hold ({tokens_per_batch}): "
            "raise tokens_per_batch, or leave out or split long documents"
        )
    shuffled = rng.permutation(len(lengths))
    order = shuffled[np.argsort(lengths[shuffled], kind="stable")]
    plan, start = [], 0
    for end in range(1, len(order) + 1):
        if end == len(order) or lengths[order[end]] * (end + 1 - start) > tokens_per_batch:
            plan.append(order[start:end])
            start = end
    return [plan[i] for i in rng.permutation(len(plan))]


def length_bucketed(
    docs: Sequence[Doc], weights: Weights, tokens_per_batch: int, rng, *, pad_id: int = 0, start: int = 0
) -> Iterator[Batch]:
    """One epoch of padded batches of at most `tokens_per_batch` tokens, padding included.

    The order depends on `rng` and the lengths alone: with rng=(seed, epoch) and start=index a run goes on
    where it stopped, without reading what came before.
    """
    for rows in plan_batches([len(doc) for doc in docs], tokens_per_batch, rng)[start:]:
        yield pad_batch([docs[i] for i in rows], None if weights is None else [weights[i] for i in rows], pad_id)


def pack(
    docs: Sequence[Doc], weights: Weights, length: int, *, boundaries: bool = True, pad_id: int = 0, rng=None
) -> Batch:
    """Packs documents into rows of `length` ids: all rows as one Batch, to be sliced.

    With boundaries each document is a segment (numbered from 1 in its row, padding 0), placed by best fit, longest
    first. Without, the documents are one stream, cut into rows, and doc_ids_BT is one segment a row. Where a document
    or the stream is cut, the id before the cut is repeated with weight 0, so every weighted id is still predicted
    exactly once. `rng` shuffles documents and rows. Raises MinidsError for a length below 2.
    """
    if length < 2:
        raise MinidsError(f"rows of length {length} hold nothing to predict: pack needs length >= 2")
    weighted = [(list(doc), _weights(docs, weights, i)) for i, doc in enumerate(docs) if len(doc)]
    rng = None if rng is None else np.random.default_rng(rng)
    if rng is not None:
        weighted = [weighted[i] for i in rng.permutation(len(weighted))]
    if boundaries:
        rows = best_fit([part for doc in weighted for part in _cut(*doc, length)], length)
    else:
        ids = [i for doc, _ in weighted for i in doc]
        rows = [[part] for part in _cut(ids, [w for _, weight in weighted for w in weight], length)]
    if rng is not None:
        rows = [rows[i] for i in rng.permutation(len(rows))]
    return _rows(rows, length, pad_id, doc_ids=boundaries)


def best_fit(parts: Sequence[tuple[list[int], list[float]]], length: int) -> list[list]:
    """Packs parts into rows of `length` places by best fit, longest first -> the rows, each a list of its parts.

    A part is (ids, weights), two lists of one length, which is at least 1 and at most `length`. Every part goes whole
    into one row: the one in which it leaves the least room, or a new one where none has room for it. Which of several
    equal rows or parts comes first is open. O(n log n): the rows that have room are kept sorted by it.
    """
    rows: list[list] = []
    room: list[tuple[int, int]] = []  # (free places, row), sorted
    # Long parts first: short ones fill what these leave.
    for part in sorted(parts, key=lambda p: len(p[0]), reverse=True):
        need = len(part[0])
        # The first row whose room suffices is the tightest.
        k = bisect_left(room, (need, 0))
        free, row = room.pop(k) if k < len(room) else (length, len(rows))
        if row == len(rows):
            rows.append([])
        rows[row].append(part)
        if free > need:
            insort(room, (free - need, row))
    return rows


class Rows:
    """Packed rows as the source of training: `source(step)` -> [Batch] of this process, without end.

    A function of (seed, step, rank, world) and nothing else, so a run that is resumed needs no state of its data. Each
    epoch goes through all rows in a new order; the step that comes to its end goes on in the next.
    """

    def __init__(self, packed: Batch, rows: int, *, seed: int = 0, rank: int = 0, world: int = 1):
        if type(rows) is not int or rows < 1:
            raise MinidsError(f"rows must be a whole number, at least 1: rows of a batch, got {rows!r}")
        self.packed, self.rows, self.seed, self.rank, self.world = packed, rows, seed, rank, world
        self._epoch, self._order = None, None

    @property
    def n_tokens(self) -> int:
        """Tokens of the corpus; those at which a document is cut count twice."""
        return self.packed.n_tokens

    @property
    def steps_per_epoch(self) -> float:
        """Steps in which all processes together go through the corpus once."""
        return len(self.packed) / (self.rows * self.world)

    @property
    def fingerprint(self) -> dict:
        """What a checkpoint keeps of the source, so that a run goes on with the same one only. It does not depend on
        how many processes share a step."""
        predicted = self.packed.weight_BT > 0  # each token once, however the stream is cut into rows
        return {
            "length": self.packed.ids_BT.shape[1],
            "rows of a step": self.rows * self.world,
            "seed": self.seed,
            "boundaries": self.packed.doc_ids_BT is not None,
            "hash of token ids": hashlib.sha256(self.packed.ids_BT[predicted].numpy()).hexdigest()[:16],
        }

    def __call__(self, step: int) -> list[Batch]:
        first = (step * self.world + self.rank) * self.rows
        return [self.packed[torch.tensor([self._row(i) for i in range(first, first + self.rows)])]]

    def _row(self, index):
        epoch, place = divmod(index, len(self.packed))
        if epoch != self._epoch:
            order = np.random.default_rng((self.seed, epoch)).permutation(len(self.packed))
            self._epoch, self._order = epoch, order
        return int(self._order[place])


def batches(
    source: str | Path | Sequence[str],
    tokenizer,
    length: int,
    rows: int,
    seed: int = 0,
    *,
    field: str = "text",
    boundaries: bool = False,
    rank: int = 0,
    world: int = 1,
) -> Rows:
    """A corpus as the source of training: BOS text EOS of every document, packed into rows of `length` ids (`pack`).

        source = corpus.batches("corpus.txt", tokenizer, length=128, rows=8)
        minids.pretrain(model, source, TrainConfig(steps=200, lr=2e-3))

    source       a .txt (one document), .jsonl or .parquet file, a folder of them, or a name on the hub, as `load_texts`
                 reads; or texts, in a list
    tokenizer    a Tokenizer
    length       ids of a row, at least 2; what the model may see at once
    rows         rows of a batch, of this process: a step takes rows * length tokens
    seed         of the order, which is new in each epoch
    field        of a record that holds the text
    boundaries   whether a document is seen by itself alone; without, rows are cut from one stream, and a document sees
                 the end of the one before it, as DeepSeek-V3 was pretrained (paper section 4.1)
    rank, world  this process's number, and how many there are (train/parallel.py)

    Returns a Rows: endless, a function of the step alone. Raises MinidsError for a corpus that is not there, cannot be
    read or is empty.
    """
    if type(length) is not int or type(seed) is not int or seed < 0:
        raise MinidsError(f"length and seed must be whole numbers, got length={length!r}, seed={seed!r}")
    texts = list(load_texts(source, field) if isinstance(source, str | Path) else source)
    if not all(isinstance(text, str) for text in texts) or not any(texts):
        raise MinidsError("a corpus is a path, or a list of texts that are not all empty")
    bos, eos = tokenizer.bos_id, tokenizer.eos_id
    docs = [[bos, *ids, eos] for ids in tokenizer.encode_batch(texts)]
    packed = pack(docs, None, length, boundaries=boundaries, pad_id=tokenizer.pad_id)
    return Rows(packed, rows, seed=seed, rank=rank, world=world)


def load_texts(source: str | Path, field: str = "text") -> Iterator[str]:
    """The texts of a corpus, one by one, through `datasets`, streamed.

    `source` is a .jsonl, .parquet or .txt file, a folder of them, or a name on the Hugging Face hub ("owner/name" or
    "owner/name:config"; its train split). Records hold the text in `field`; a .txt file is one document. Raises
    MinidsError where there is no corpus.
    """
    path = Path(source).expanduser()
    if path.exists():
        files = sorted(p for p in path.rglob("*") if p.suffix in _READERS) if path.is_dir() else [path]
        if not files:
            raise MinidsError(f"the folder {path} holds no {', '.join(_READERS)} file: it is an empty corpus")
        parts = [_local(file, field) for file in files]
    elif path.suffix in _READERS or str(source).count("/") > 1 or str(source).startswith((".", "~", "/")):
        raise MinidsError(f"there is no corpus at {path}: check the path")
    else:
        parts = [_hub(str(source), field)]
    return _not_empty(parts, source)


_READERS = {".jsonl": "json", ".parquet": "parquet", ".txt": "text"}


def _local(path: Path, field: str) -> Iterator[str]:
    if path.suffix not in _READERS:
        raise MinidsError(f"{path} is no corpus that minids reads: give {', '.join(_READERS)}, or a folder of them")
    if not path.stat().st_size:
        return
    kind = _READERS[path.suffix]
    options = {"sample_by": "document"} if kind == "text" else {}
    yield from _stream(str(path), "text" if kind == "text" else field, kind, data_files=str(path), **options)


def _hub(name: str, field: str) -> Iterator[str]:
    name, _, config = name.partition(":")
    yield from _stream(f"the hub's {name}", field, name, *([config] if config else []))


def _stream(what: str, field: str, *args, **options) -> Iterator[str]:
    try:
        from datasets import load_dataset
    except ImportError as error:
        raise MinidsError("reading a corpus needs the package `datasets`: pip install 'minids[train]'") from error
    try:
        for i, record in enumerate(load_dataset(*args, split="train", streaming=True, **options)):
            if field not in record:
                raise MinidsError(
                    f"{what}: record {i} has no field {field!r}; its fields are {', '.join(record)}: "
                    "name the one that holds the text"
                )
            text = record[field]
            if text is not None and not isinstance(text, str):
                raise MinidsError(f"{what}: field {field!r} of record {i} is {type(text).__name__}, not a text")
            if text:
                yield text
    except MinidsError:
        raise
    except Exception as error:  # datasets raises errors of many libraries (JSON, Arrow, HTTP)
        reason = str(error).strip().splitlines()
        raise MinidsError(
            f"cannot read {what} ({type(error).__name__}: {reason[0] if reason else 'no reason given'}): "
            "check that the file is whole and is what its name says; a name on the hub needs a network"
        ) from error


def _not_empty(parts: list[Iterator[str]], source) -> Iterator[str]:
    empty = True
    for part in parts:
        for text in part:
            empty = False
            yield text
    if empty:
        raise MinidsError(f"the corpus {source} is empty: it holds no text")


def _weights(docs: Sequence[Doc], weights: Weights, i: int) -> list[float]:
    n = len(docs[i])
    if weights is None:
        return [0.0] + [1.0] * (n - 1)
    if len(weights) != len(docs) or len(weights[i]) != n:
        raise MinidsError(f"document {i} has {n} ids; its weights must be as many (one list of weights per document)")
    return list(weights[i])


def _cut(ids: list[int], weight: list[float], length: int) -> Iterator[tuple[list[int], list[float]]]:
    for start in range(0, max(len(ids) - 1, 1), length - 1):
        part = weight[start : start + length]
        yield ids[start : start + length], [0.0, *part[1:]]


def _rows(rows: list[list], length: int | None, pad_id: int, doc_ids: bool) -> Batch:
    shape = len(rows), length or max((sum(len(ids) for ids, _ in row) for row in rows), default=0)
    ids_BT = np.full(shape, pad_id, np.int64)
    weight_BT, doc_ids_BT = np.zeros(shape, np.float32), np.zeros(shape, np.int64)
    for b, row in enumerate(rows):
        t = 0
        for number, (ids, weight) in enumerate(row, start=1):
            end = t + len(ids)
            ids_BT[b, t:end] = ids
            weight_BT[b, t + 1 : end] = weight[1:]  # nothing stands before the first id
            doc_ids_BT[b, t:end] = number
            t = end
    return Batch(
        torch.from_numpy(ids_BT),
        torch.from_numpy(weight_BT),
        torch.from_numpy(doc_ids_BT > 0),
        torch.from_numpy(doc_ids_BT) if doc_ids else None,
    )
