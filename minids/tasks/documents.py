"""From problems to training documents, and from documents to the batches of a step.

    pretraining   plain text, no tags: "Question: … Thought: … Answer: …" in all styles of thought, and lines of facts
    sft           the chat template: few long thoughts among many hasty ones (the cold start of R1, arXiv
                  2501.12948 §2.3.1)
    direct        the chat template without a thought: the control that answers at once

Weights: 1 on what the model writes, `prompt_weight` on the question (random operands cannot be predicted, but words
can), 0 on the first token. Every problem comes from the split "train", which is asserted.

Left out: corpora of real text; `minids.text.corpus.load_texts` reads them, and `Source` batches whatever documents it
is given.
"""

import hashlib
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from minids.dispatch import as_written
from minids.errors import MinidsError
from minids.progress import Progress
from minids.tasks import arithmetic, registry
from minids.text import chat
from minids.text.corpus import Batch, pad_batch, plan_batches
from minids.text.tokenizer import Tokenizer


def loss_weights(sizes_B, prompts_B, prompt_weight):
    """What predicting each token of a padded batch counts in the loss -> float32 [B, T], T the longest size.

    1 on the reply, its stop token included; `prompt_weight` on the question; 0 on the padding behind a document, and on
    each first token, which there is nothing to predict from.

    sizes_B    int [B]: how many tokens each document has
    prompts_B  int [B]: how many of them, at its beginning, are its question; it may be all of them
    """
    column_T = torch.arange(int(sizes_B.max()))
    # the question counts as asked for, what follows in full
    weight_BT = torch.where(column_T < prompts_B[:, None], float(prompt_weight), 1.0)
    # behind the end there is no text, before the first token none either
    weight_BT[column_T >= sizes_B[:, None]] = 0.0
    weight_BT[:, 0] = 0.0
    return weight_BT


@dataclass
class Documents:
    """All documents in two flat arrays: `ids` [total] int32, `starts` [n + 1];
    `prompts` [n] says how long each question part is."""

    ids: np.ndarray
    starts: np.ndarray
    prompts: np.ndarray

    @classmethod
    def of(cls, pairs: Iterable[tuple[list[int], int]]) -> "Documents":
        """From (ids, prompt length) pairs. Raises MinidsError without a pair."""
        pairs = list(pairs)
        if not pairs:
            raise MinidsError("documents: the corpus is empty. Raise `documents` in the recipe.")
        lengths = [len(ids) for ids, _ in pairs]
        flat = np.fromiter((i for ids, _ in pairs for i in ids), np.int32, sum(lengths))
        return cls(flat, np.cumsum([0, *lengths]), np.array([p for _, p in pairs]))

    def __len__(self):
        return len(self.prompts)

    @property
    def lengths(self) -> np.ndarray:
        """Tokens of each document, [n]."""
        return np.diff(self.starts)

    @property
    def fingerprint(self) -> dict:
        """What a checkpoint keeps of the documents, so that a run goes on with the same ones only."""
        content = hashlib.sha256()
        for tensor in self.tensors().values():
            content.update(tensor.numpy().tobytes())
        return {"documents": len(self), "hash of token ids": content.hexdigest()[:16]}

    def tensors(self) -> dict[str, Tensor]:
        """The arrays as tensors, which safetensors files and other processes take."""
        return {
            k: torch.from_numpy(np.asarray(v).astype(np.int64 if k != "ids" else np.int32))
            for k, v in vars(self).items()
        }

    @classmethod
    def from_tensors(cls, tensors: dict[str, Tensor]) -> "Documents":
        """Back from `tensors`."""
        return cls(**{k: tensors[k].numpy() for k in ("ids", "starts", "prompts")})

    def batch(self, rows: Sequence[int], prompt_weight: float) -> Batch:
        """The documents `rows` as one right-padded Batch [len(rows), longest]."""
        begin, size, prompt = self.starts[rows], self.lengths[rows], self.prompts[rows]
        column = np.arange(size.max())
        valid = column < size[:, None]
        ids = np.where(valid, self.ids[np.minimum(begin[:, None] + column, len(self.ids) - 1)], 0)
        weight = loss_weights(torch.from_numpy(size), torch.from_numpy(prompt), prompt_weight)
        if not as_written(pad_batch):
            docs = [self.ids[b : b + n].tolist() for b, n in zip(begin, size)]
            return pad_batch(docs, [w[:n].tolist() for w, n in zip(weight, size)])
        return Batch(torch.from_numpy(ids).long(), weight, torch.from_numpy(valid))


class Source:
    """`source(step)` -> this process's micro-batches of a step: a function of (seed, step, rank, world) and nothing
    else.

    Each epoch sorts the documents by length, cuts them into batches of at most `tokens_per_batch` tokens with padding,
    and shuffles the batches; a step takes `micro * world` of them in turn.

    `fingerprint` is what a checkpoint keeps of the documents. In a recipe's run it is None: recipe.json tells them.
    """

    fingerprint: dict | None = None

    def __init__(
        self,
        documents: Documents,
        tokens_per_batch: int,
        *,
        seed: int,
        rank: int = 0,
        world: int = 1,
        prompt_weight: float = 0.15,
        micro: int = 1,
    ):
        self.documents, self.tokens_per_batch, self.seed = documents, tokens_per_batch, seed
        self.rank, self.world, self.prompt_weight, self.micro = rank, world, prompt_weight, micro
        self._epoch, self._plan = None, None
        self.batches_per_epoch = len(self._epoch_plan(0))

    def _epoch_plan(self, epoch):
        if epoch != self._epoch:
            self._epoch, self._plan = (
                epoch,
                plan_batches(self.documents.lengths, self.tokens_per_batch, (self.seed, epoch)),
            )
        return self._plan

    def __call__(self, step):
        per_step = self.micro * self.world
        first = step * per_step + self.rank * self.micro
        out = []
        for index in range(first, first + self.micro):
            plan = self._epoch_plan(index // self.batches_per_epoch)
            # epochs differ by a batch or so in length, as ties fall differently; the index is taken around
            out.append(self.documents.batch(plan[index % self.batches_per_epoch % len(plan)], self.prompt_weight))
        return out


def _pick(rng, mix):
    return rng.choices(list(mix), weights=list(mix.values()))[0]


def _problems(families, rng, count, sizes=None):
    for _ in range(count):
        problem = registry.sample(rng.choice(families), rng, "train", sizes=sizes)
        arithmetic.assert_split([problem], "train")
        yield problem


def pretraining_parts(
    families: Sequence[str],
    count: int,
    *,
    mix: dict[str, float],
    fact_share: float,
    seed: int,
    sizes: dict[str, dict[int, float]] | None = None,
) -> Iterator[tuple[str | None, str, str | None]]:
    """(question, thought, answer) of each pretraining document; a line of facts has the question None.
    `sizes`: those of the problems, as `registry.sample` takes them."""
    rng = random.Random(f"pretrain {seed}")
    for problem in _problems(families, rng, count, sizes):
        facts = registry.get(problem.family).facts(rng) if rng.random() < fact_share else None
        if facts is not None:
            yield None, facts, None
        else:
            yield problem.question, *registry.worked(problem, _pick(rng, mix), rng)


def pretraining_texts(parts: Iterable[tuple[str | None, str, str | None]]) -> Iterator[str]:
    """The same documents as text, to train the tokenizer on."""
    for question, thought, answer in parts:
        yield thought if question is None else f"Question: {question}\nThought: {thought}\nAnswer: {answer}"


def pretraining_documents(
    tokenizer: Tokenizer, parts: Iterable[tuple[str | None, str, str | None]], *, quiet: bool = False
) -> Documents:
    """Plain documents as ids; encoded in bulk, since every thought is new."""
    parts = list(parts)
    out = []
    with Progress("corpus", len(parts), "document", quiet=quiet) as bar:
        for begin in range(0, len(parts), 4096):
            chunk = parts[begin : begin + 4096]
            asked = tokenizer.encode_batch([f"Question: {q}\nThought:" if q is not None else "" for q, _, _ in chunk])
            rest = tokenizer.encode_batch([t if q is None else f" {t}\nAnswer: {a}" for q, t, a in chunk])
            for (q, _, _), head, tail in zip(chunk, asked, rest):
                head = [tokenizer.bos_id, *head]
                out.append(([*head, *tail, tokenizer.eos_id], len(head) if q is not None else 1))
            bar.update(len(chunk))
    return Documents.of(out)


def chat_documents(
    tokenizer: Tokenizer,
    families: Sequence[str],
    count: int,
    *,
    mix: dict[str, float],
    seed: int,
    mixed: float | None = None,
    sizes: dict[str, dict[int, float]] | None = None,
) -> Documents:
    """`chat_pairs` as Documents."""
    return Documents.of(chat_pairs(tokenizer, families, count, mix=mix, seed=seed, mixed=mixed, sizes=sizes))


def chat_pairs(
    tokenizer: Tokenizer,
    families: Sequence[str],
    count: int,
    *,
    mix: dict[str, float],
    seed: int,
    mixed: float | None = None,
    sizes: dict[str, dict[int, float]] | None = None,
) -> Iterator[tuple[list[int], int]]:
    """(ids, prompt length) of chat documents; the style "none" in `mix` is an answer without a thought. With `mixed`
    the thoughts are spoken (`tasks.spoken`), that share of their words in another script."""
    rng = random.Random(f"chat {seed}")
    for p in _problems(families, rng, count, sizes):
        thought, answer = registry.worked(p, _pick(rng, mix), rng)
        if mixed is not None and thought is not None:
            thought = arithmetic.spoken(thought, rng, mixed)
        yield chat.document_ids(tokenizer, p.question, thought, answer)
