"""Pre-tokenizer, training and merging, each against an independent implementation."""

import json
import unicodedata

import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Regex, pre_tokenizers
from tricky import TRICKY

from minids import MinidsError
from minids.bench.text import train_rust
from minids.text import bpe
from minids.text.tokenizer import Tokenizer

# The pieces at which the expressions branch, put together at random; and any text at all.
ATOMS = [
    "a",
    "Bc",
    "é",
    "中",
    "の",
    "ー",
    "\u3099",
    "゛",
    "・",
    "\u3040",
    "1",
    "٣",
    "½",
    " ",
    "  ",
    "\n",
    "\r",
    "\t",
    "\u00a0",
    "\x85",
    "\x00",
    "\x1c",
    "\u200d",
    ".",
    "!",
    "'",
    "+",
    "€",
    "🙂",
    "\u0301",
    "_",
    "$a",
    "\ue000",
]
ASSIGNED = st.text(st.characters(exclude_categories=("Cs", "Cn")), max_size=40)
TEXT = st.lists(st.sampled_from(ATOMS), max_size=20).map("".join) | ASSIGNED
ASCII = st.text(st.characters(max_codepoint=127), max_size=40) | st.text("ab1 \n\r\t.!'_\x00\x1c", max_size=30)


def three_splits(text: str, digits: str) -> list[str]:
    """Split, "Isolated", three times: the definition."""
    pieces = [text]
    for pattern in bpe.splits(digits):
        cut = []
        for piece in pieces:
            start = 0
            for match in regex.finditer(pattern, piece):
                cut += [piece[start : match.start()], match[0]]
                start = match.end()
            cut.append(piece[start:])
        pieces = [piece for piece in cut if piece]
    return pieces


def rust_splits(digits: str):
    return pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(p), "isolated") for p in bpe.splits(digits)])


@pytest.mark.slow
@pytest.mark.parametrize("digits", ["triples", "single"])
@settings(max_examples=600, deadline=None)
@given(text=TEXT)
def test_one_pass_equals_three_splits(text, digits):
    words = regex.findall(bpe.one_pass(digits), text, flags=regex.V1)
    assert words == three_splits(text, digits)
    assert words == [word for word, _ in rust_splits(digits).pre_tokenize_str(text)]
    assert bpe.pretokenize(text, digits) == words == bpe.three_splits(text, digits)


@pytest.mark.slow
@pytest.mark.parametrize("digits", ["triples", "single"])
@settings(max_examples=600, deadline=None)
@given(text=ASCII)
def test_the_ascii_expression_is_equal_too(text, digits):
    assert bpe.pretokenize(text, digits) == three_splits(text, digits)


@pytest.mark.slow
def test_every_character_is_classed_as_tokenizers_does():
    # Characters younger than Unicode 15 are left out: the libraries' tables differ there.
    known = unicodedata if unicodedata.unidata_version < "16" else unicodedata.ucd_3_2_0
    chars = [chr(c) for c in range(0x110000) if known.category(chr(c)) not in ("Cs", "Cn", "Co")]
    text = "".join(f"x{c}y {c}{c}1\n" for c in chars)
    assert bpe.pretokenize(text) == [word for word, _ in rust_splits("triples").pre_tokenize_str(text)]


@settings(max_examples=300, deadline=None)
@given(text=TEXT, size=st.integers(1, 6))
def test_chunks_never_cut_a_word(text, size):
    parts = list(bpe.chunks(text, size))
    assert "".join(parts) == text
    assert [word for part in parts for word in bpe.pretokenize(part)] == bpe.pretokenize(text)


def test_alphabet_is_the_one_of_tokenizers():
    assert sorted(bpe.BYTE_OF_CHAR) == sorted(pre_tokenizers.ByteLevel.alphabet())
    assert sorted(bpe.ALPHABET) == list(range(256))
    for b in range(256):  # the printable ones stand for themselves
        assert bpe.BYTE_OF_CHAR[bpe.CHAR_OF_BYTE[b]] == b
    assert bpe.CHAR_OF_BYTE[ord("A")] == "A" and bpe.CHAR_OF_BYTE[ord(" ")] == "Ġ"


def test_merge_word_by_hand():
    word = [1, 2, 3, 1, 2, 1]
    assert bpe.merge_word(word, 1, 2, 9) == [
        ((2, 3), -1),
        ((9, 3), 1),
        ((3, 1), -1),
        ((3, 9), 1),
        ((2, 1), -1),
        ((9, 1), 1),
    ]
    assert word == [9, 3, 9, 1]
    for n, merged in [(2, [9]), (3, [9, 7]), (4, [9, 9]), (5, [9, 9, 7])]:
        word = [7] * n
        bpe.merge_word(word, 7, 7, 9)
        assert word == merged


def test_training_by_hand():
    # The example of Sennrich et al. 2016 without end marks: es 9 times, then est, then lo and low 7 times.
    pieces, merges = bpe.train_merges({"low": 5, "lower": 2, "newest": 6, "widest": 3}, 256 + 4)
    assert pieces[256:] == [b"es", b"est", b"lo", b"low"]
    assert list(merges.values()) == [256, 257, 258, 259]


def same_merges(texts, vocab_size, **options):
    ours, rust = Tokenizer.train(texts, vocab_size, **options), train_rust(texts, vocab_size, **options)
    mine, theirs = json.loads(ours.to_json())["model"], json.loads(rust.to_str())["model"]
    assert mine["merges"] == theirs["merges"]
    assert mine["vocab"] == theirs["vocab"]
    assert len(set(ours.pieces)) == len(ours.pieces)  # no two merges spell the same bytes
    return ours


@pytest.mark.parametrize("digits", ["triples", "single"])
def test_merges_are_identical_to_the_rust_trainer(texts, digits):
    trained = same_merges(texts[: len(texts) // 2] + TRICKY, 2048, digits=digits)
    assert trained.vocab_size == 2048


@pytest.mark.slow
def test_merges_are_identical_on_ten_megabytes():
    from minids.bench.text import real_text

    same_merges(real_text(10), 4096)


@settings(max_examples=150, deadline=None)
@given(
    texts=st.lists(st.text("ab", min_size=1) | st.text("ab=- é中", min_size=1), min_size=1, max_size=12),
    min_frequency=st.integers(0, 3),
)
def test_merges_are_identical_where_ties_and_runs_abound(texts, min_frequency):
    same_merges(texts, 330, min_frequency=min_frequency)


def test_training_stops_when_nothing_is_frequent():
    assert Tokenizer.train(["ab ab"], 1000).vocab_size == 9 + 256 + 1  # "ab"; " ab" occurs once
    assert Tokenizer.train(["xy"], 1000, min_frequency=1).vocab_size == 9 + 256 + 1


@settings(max_examples=200, deadline=None)
@given(word=st.text("abc", min_size=2, max_size=300), corpus=st.lists(st.text("abc", min_size=1), min_size=1))
def test_heap_and_plain_loop_agree(word, corpus):
    pieces, merges = bpe.train_merges({w: 1 for w in corpus}, 300, 1)
    ranks = {pair: rank for rank, pair in enumerate(merges)}
    products = list(merges.values())
    ids = [bpe.ALPHABET.index(b) for b in word.encode()]
    heap = bpe.apply_merges_heap(ids, ranks, products)
    assert bytes(bpe.ALPHABET[i] for i in ids) == word.encode()  # the input is left alone
    assert b"".join(pieces[i] for i in heap) == word.encode()
    plain = list(ids)
    while found := [(ranks[p], i) for i, p in enumerate(zip(plain, plain[1:])) if p in ranks]:
        rank, i = min(found)
        plain[i : i + 2] = [products[rank]]
    assert heap == plain == bpe.apply_merges(ids, ranks, products)


def test_fast_twins_step_aside_for_a_readers_own_functions(tokenizer, monkeypatch):
    text, seen = "In 1234 days, é! " + "ab" * 50, []
    ids = tokenizer.encode(text)

    def isolate(pieces, pattern):
        seen.append("isolate")
        return own_isolate(pieces, pattern)

    def apply_merges(word, ranks, products):
        seen.append("apply_merges")
        return own_apply(word, ranks, products)

    own_isolate, own_apply = bpe.isolate, bpe.apply_merges
    assert bpe.as_engine()
    for name, mine in [("isolate", isolate), ("apply_merges", apply_merges)]:
        with monkeypatch.context() as patch:
            patch.setattr(bpe, name, mine)
            assert not bpe.as_engine()
            cold = Tokenizer(tokenizer.pieces, tokenizer.merges, tokenizer.specials)
            assert cold.encode(text) == ids == cold.encode_batch([text])[0]
            assert cold.encode_batch(["ab" * 50])[0] == tokenizer.encode("ab" * 50)
        assert set(seen) == {name}
        seen.clear()


def test_unknown_digits_and_missing_regex(monkeypatch):
    with pytest.raises(MinidsError, match="'triples'.*'single'"):
        bpe.pretokenize("1", "pairs")
    monkeypatch.setitem(__import__("sys").modules, "regex", None)
    bpe._find_unicode.cache_clear()
    assert bpe.pretokenize("plain text") == ["plain", " text"]
    with pytest.raises(MinidsError, match="pip install"):
        bpe.pretokenize("é")
