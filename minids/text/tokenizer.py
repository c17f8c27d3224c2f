"""The tokenizer: text -> ids -> text, its special tokens, and its files.

    ids = [id of each token of each word],   text = the bytes of the ids, one after the other

Ids: the special tokens first (0..8), then the 256 bytes, then one id per merge. Any bytes can be encoded and
come back unchanged. `tokenizer.json` is the format of the `tokenizers` library, which reads it and gives the
same ids.

Special tokens are structure, not text. `encode` therefore treats "<think>" as seven ordinary characters,
whoever typed it; only the caller that renders a template may ask for `allow_special=True`. A question can
never close the thought or end the document that it is part of.

Trade-off: `encode` is plain Python with a cache of words; `encode_batch` hands the work to `tokenizers`
(Rust, all cores). The two libraries know different editions of Unicode, so a character added in the last
years can fall into different classes and be cut differently; it decodes to itself either way.
Left out: normalisation (the text is taken as it is), offsets, adding BOS by itself (the templates write it).
"""

import hashlib
import json
import numbers
import operator
import os
import re
from collections.abc import Iterable
from functools import cached_property
from itertools import chain
from pathlib import Path

from ..errors import MinidsError, need
from ..files import brief
from . import bpe
from .specials import ANSWER, ASSISTANT, BOS, CONTROL, DEFAULT_SPECIALS, END_ANSWER, END_THINK, EOS, PAD, THINK, USER

_CACHED_WORDS = 1 << 18  # words remembered by `encode`; then it starts anew


class Tokenizer:
    """A byte-level BPE tokenizer. Make one with `Tokenizer.train(texts, vocab_size)` or `from_pretrained(dir)`."""

    def __init__(
        self,
        pieces: list[bytes],
        merges: list[tuple[int, int]],
        specials: dict[str, int],
        control: Iterable[str] = CONTROL,
        digits: str = "triples",
    ):
        """`pieces[id]` are the bytes of a token, `merges` pairs of ids in rank order, `specials` {text: id}."""
        self.pieces, self.merges, self.specials, self.digits = pieces, merges, specials, digits
        self.control = frozenset(control) & specials.keys()
        special_ids = set(specials.values())
        id_of = {piece: i for i, piece in enumerate(pieces) if i not in special_ids}
        self._byte_ids = [id_of[bytes([b])] for b in range(256)]
        self._ranks = {pair: rank for rank, pair in enumerate(merges)}
        self._products = [id_of[pieces[a] + pieces[b]] for a, b in merges]
        self._control_ids = frozenset(specials[s] for s in self.control)
        self._words = _Words(self)
        longest_first = sorted(specials, key=len, reverse=True)
        self._special_pattern = re.compile("|".join(map(re.escape, longest_first)) or r"(?!)")

    # ---- training

    @classmethod
    def train(
        cls,
        texts: Iterable[str],
        vocab_size: int,
        *,
        special_tokens: Iterable[str] = DEFAULT_SPECIALS,
        digits: str = "triples",
        min_frequency: int = 2,
    ) -> "Tokenizer":
        """Learns a vocabulary of `vocab_size` ids, or fewer if no pair occurs `min_frequency` times any more.

        `digits="single"` makes every digit a token of its own (arithmetic is easier to learn so); "triples" is V3's.
        Special tokens found in the texts are ordinary text here. Raises MinidsError for a vocabulary that is too small,
        an empty corpus, and special tokens that repeat, are empty or could be text.
        """
        need(vocab_size, numbers.Integral, "Tokenizer.train: vocab_size", "a whole number")
        need(texts, Iterable, "Tokenizer.train: texts", "texts, or a list of texts")
        special_tokens = list(special_tokens)
        if len(set(special_tokens)) != len(special_tokens) or "" in special_tokens:
            raise MinidsError(f"special tokens must be distinct and not empty, but are {special_tokens}")
        if odd := [s for s in special_tokens if bpe.reads_as_bytes(s)]:
            raise MinidsError(f"the special token {odd[0]!r} would be decoded to other bytes: choose one like <name>")
        smallest = 256 + len(special_tokens)
        if vocab_size < smallest:
            raise MinidsError(
                f"vocab_size={vocab_size} is too small for a byte-level tokenizer: 256 bytes and "
                f"{len(special_tokens)} special tokens need {smallest}; choose at least that"
            )
        texts = [texts] if isinstance(texts, str) else texts
        counts = bpe.count_words((_text(text, "Tokenizer.train: each of texts") for text in texts), digits)
        if not counts:
            raise MinidsError("the tokenizer got no text to learn from: the corpus is empty")
        n = len(special_tokens)
        pieces, merges = bpe.train_merges(counts, vocab_size - n, min_frequency)
        if clash := {s.encode() for s in special_tokens} & set(pieces):
            raise MinidsError(
                f"the special token {min(clash).decode()!r} is also an ordinary word of the texts: "
                "choose a name that no text holds as one word, like <name>"
            )
        return cls(
            [s.encode() for s in special_tokens] + pieces,
            [(a + n, b + n) for a, b in merges],
            {s: i for i, s in enumerate(special_tokens)},
            digits=digits,
        )

    # ---- text -> ids

    def encode(self, text: str, *, allow_special: bool = False) -> list[int]:
        """Ids of a text. With `allow_special` the special tokens in it are read as such: for templates, never
        for input."""
        _text(text, "encode: text")
        if not allow_special:
            return self._encode_ordinary(text)
        ids, start = [], 0
        for match in self._special_pattern.finditer(text):
            ids += self._encode_ordinary(text[start : match.start()])
            ids.append(self.specials[match[0]])
            start = match.end()
        return ids + self._encode_ordinary(text[start:])

    def encode_bytes(self, data: bytes) -> list[int]:
        """Ids of any bytes, UTF-8 or not; `decode_bytes` gives them back."""
        return self._encode_ordinary(data.decode("utf-8", "surrogateescape"))

    def encode_batch(self, texts: Iterable[str], *, allow_special: bool = False) -> list[list[int]]:
        """`encode` for many texts, through `tokenizers` on all cores where it is installed. Raises MinidsError for
        anything but a list of texts."""
        if isinstance(texts, str) or not isinstance(texts, Iterable):
            raise MinidsError(f"encode_batch: texts must be a list of texts, got {brief(texts)}. encode takes one.")
        texts = [_text(text, "encode_batch: each of texts") for text in texts]
        engine = self._engine[allow_special] if bpe.as_engine() else None
        if engine is not None:
            try:
                return [e.ids for e in engine.encode_batch_fast(texts, add_special_tokens=False)]
            except (TypeError, UnicodeError):
                pass  # a lone surrogate (a byte that was not UTF-8), which Rust strings cannot hold
        return [self.encode(text, allow_special=allow_special) for text in texts]

    def _encode_ordinary(self, text: str) -> list[int]:
        words = chain.from_iterable(bpe.pretokenize(chunk, self.digits) for chunk in bpe.chunks(text))
        return list(chain.from_iterable(map(self._words.__getitem__, words)))

    # ---- ids -> text

    def decode_bytes(self, ids: Iterable[int], skip_special: bool = False) -> bytes:
        """The bytes of the ids. `skip_special` leaves out BOS, EOS, padding and the role marks, not the tags. Raises
        MinidsError for an id that the tokenizer does not have."""
        skip = self._control_ids if skip_special else ()
        try:
            ids = [operator.index(i) for i in ids]
        except TypeError:
            raise MinidsError(
                f"decode: ids must be a list of token ids of one text, got {brief(ids)}. A tensor has one dimension; "
                "texts are encoded, not decoded."
            ) from None
        for i in ids:
            if not 0 <= i < len(self.pieces):
                raise MinidsError(
                    f"id {i} is not in this tokenizer (its ids are 0..{len(self.pieces) - 1}): "
                    "they come from a model with another vocabulary; use the tokenizer saved beside it"
                )
        return b"".join(self.pieces[i] for i in ids if i not in skip)

    def decode(self, ids: Iterable[int], skip_special: bool = False) -> str:
        """The text of the ids; bytes that are not UTF-8 (a token can end inside a character) become U+FFFD."""
        return self.decode_bytes(ids, skip_special).decode("utf-8", "replace")

    # ---- what it is

    @property
    def vocab_size(self) -> int:
        """Number of ids. A model's `vocab_size` must not be smaller."""
        return len(self.pieces)

    def __len__(self) -> int:
        return len(self.pieces)

    def special_id(self, name: str) -> int:
        """The id of a special token by its text. Raises MinidsError where there is no such token."""
        if name not in self.specials:
            raise MinidsError(
                f"this tokenizer has no special token {name}; it has {', '.join(self.specials) or 'none'}"
            )
        return self.specials[name]

    bos_id = property(lambda self: self.special_id(BOS))
    eos_id = property(lambda self: self.special_id(EOS))
    pad_id = property(lambda self: self.special_id(PAD))
    user_id = property(lambda self: self.special_id(USER))
    assistant_id = property(lambda self: self.special_id(ASSISTANT))
    think_id = property(lambda self: self.special_id(THINK))
    end_think_id = property(lambda self: self.special_id(END_THINK))
    answer_id = property(lambda self: self.special_id(ANSWER))
    end_answer_id = property(lambda self: self.special_id(END_ANSWER))

    @cached_property
    def fingerprint(self) -> str:
        """16 hex digits that two tokenizers share only if they give the same ids; saved beside a model's weights."""
        content = [[p.hex() for p in self.pieces], self.merges, sorted(self.specials.items()), self.digits]
        return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:16]

    def __repr__(self) -> str:
        return f"Tokenizer(vocab_size={len(self)}, digits={self.digits!r}, fingerprint={self.fingerprint!r})"

    def __getstate__(self) -> dict:
        # the Rust engines and the cache are rebuilt where the tokenizer is sent
        return {k: getattr(self, k) for k in ("pieces", "merges", "specials", "control", "digits")}

    def __setstate__(self, state: dict) -> None:
        self.__init__(**state)

    # ---- files

    def to_json(self, *, with_specials: bool = True) -> str:
        """The text of `tokenizer.json`."""
        from .files import tokenizer_json

        return tokenizer_json(self, with_specials)

    def save_pretrained(self, directory: str | os.PathLike) -> None:
        """Writes `tokenizer.json` and `tokenizer_config.json`, which `tokenizers` and `transformers` load."""
        from .files import save

        save(self, Path(directory))

    @classmethod
    def from_pretrained(cls, directory: str | os.PathLike) -> "Tokenizer":
        """Reads `tokenizer.json` from a folder; a file of another kind of tokenizer is refused, saying why."""
        from .files import load

        return cls(**load(Path(directory)))

    @cached_property
    def _engine(self) -> dict:
        """Two Rust tokenizers from our own file: one that knows no special tokens, one that does."""
        try:
            from tokenizers import Tokenizer as Rust
        except ImportError:
            return {False: None, True: None}
        return {known: Rust.from_str(self.to_json(with_specials=known)) for known in (False, True)}


def _text(text, name):
    need(text, str, name, "a text")
    return text


class _Words(dict):
    """word -> its ids, worked out on first use."""

    def __init__(self, tokenizer: Tokenizer):
        super().__init__()
        self.tokenizer = tokenizer

    def __missing__(self, word: str) -> list[int]:
        t = self.tokenizer
        try:
            data = word.encode("utf-8", "surrogateescape")
        except UnicodeEncodeError as error:
            raise MinidsError(
                f"the text holds {error.object[error.start]!a}, half a surrogate pair and no character: "
                "repair the text where it is read, or pass its bytes to encode_bytes"
            ) from None
        ids = bpe.encode_word([t._byte_ids[b] for b in data], t._ranks, t._products)
        if len(word) <= 64:
            if len(self) >= _CACHED_WORDS:
                self.clear()
            self[word] = ids
        return ids
