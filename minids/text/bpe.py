r"""Byte-level byte-pair encoding: how text becomes words, words become bytes, and bytes become tokens.

Training (Sennrich et al. 2016, on bytes as in GPT-2) starts from the 256 bytes and repeats

    (a, b) = argmax over pairs of  sum_words count(word) * occurrences of (a, b) in word;   new token = a + b

Encoding applies the same merges, earliest learned first, inside each word. Words come from DeepSeek-V3's
pre-tokenizer: three splits one after the other (numbers of up to three digits; Chinese and Japanese runs; the
rest; `three_splits`). `one_pass` is a single expression with the same result, so that a text is read once.

Shapes: a word is a list of ints; 0..255 are the bytes in `ALPHABET` order, 256 + i is the i-th new piece.
Trade-off: counts are kept per distinct word, and only the words that hold the merged pair are visited, so ten
megabytes of text take about a second in plain Python. The tie rule (higher count first, then the smaller
pair) and the queue are those of the `tokenizers` trainer, which makes the merges equal to its merges.
Left out: BPE dropout, a limit on token length, unknown tokens (every byte is in the vocabulary: there are none).
"""

import heapq
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from functools import cache

from ..dispatch import as_written, definitions
from ..errors import MinidsError

# The byte-level alphabet: printable bytes stand for themselves, the other 68 borrow the characters from
# U+0100 on, so that any bytes can be written in a JSON file. Token ids follow the order of these characters.
_PRINTABLE = [*range(33, 127), *range(161, 173), *range(174, 256)]
_HIDDEN = sorted(set(range(256)) - set(_PRINTABLE))
ALPHABET = bytes(_PRINTABLE + _HIDDEN)
CHAR_OF_BYTE = {b: chr(b) for b in _PRINTABLE} | {b: chr(256 + i) for i, b in enumerate(_HIDDEN)}
BYTE_OF_CHAR = {c: b for b, c in CHAR_OF_BYTE.items()}


def reads_as_bytes(text: str) -> bool:
    """Whether the characters of a token's text all stand for bytes, and for others than its own: "é" for b"\xe9"."""
    return not text.isascii() and all(c in BYTE_OF_CHAR for c in text)


_INDEX_OF_BYTE = bytes(ALPHABET.index(b) for b in range(256))  # a table for bytes.translate

_CJK = "一-龥぀-ゟ゠-ヿ"
_ASCII_PUNCT = r"""!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~"""
_NUMBER = {"triples": "{1,3}", "single": ""}


def splits(digits: str = "triples") -> list[str]:
    """The three expressions of the DeepSeek-V3 tokenizer.json, applied one after the other, each match a word."""
    return [
        r"\p{N}" + _number(digits),
        f"[{_CJK}]+",
        rf"[{_ASCII_PUNCT}][A-Za-z]+|[^\r\n\p{{L}}\p{{P}}\p{{S}}]?[\p{{L}}\p{{M}}]+"
        r"| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
    ]


def isolate(pieces: list[str], pattern: re.Pattern) -> list[str]:
    """Cuts each piece at every match of `pattern` (compiled by `re` or `regex`), left to right.

    A match becomes a piece of its own, and so does each stretch before, between and after the matches. Nothing
    is lost: joined, the result is the text that came in. No piece of it is empty. `pieces` is left as it was.
    A pattern may have groups and may look around; where it matches nothing, it cuts and adds no piece.
    In `tokenizers` this is Split with the behavior "isolated".
    """
    cut = []
    for piece in pieces:
        start = 0
        # for each match: first what stands between the last match and this one, then the match itself
        for match in pattern.finditer(piece):
            cut += [piece[start : match.start()], match[0]]
            start = match.end()
        # what is left after the last match
        cut.append(piece[start:])
    return [piece for piece in cut if piece]


def three_splits(text: str, digits: str = "triples") -> list[str]:
    """The pre-tokenizer as V3 defines it: each of the three splits cuts the pieces that the one before it left."""
    pieces = [text]
    for pattern in _split_patterns(digits):
        pieces = isolate(pieces, pattern)
    return pieces


def one_pass(digits: str = "triples") -> str:
    """One expression equal to the three splits.

    Three things keep it equal. The third split also cuts inside the runs that the second took, so these are
    letters, marks and the rest once more, within their alphabet. Outside, its classes leave out what the first
    two took, and for spaces before a number or a Chinese character the text is over. The last branches take what
    no split matches (control characters): the stretch between two matches is a word too.
    """
    letter, mark = rf"[[\p{{L}}\p{{M}}]--[{_CJK}]]", rf"[[\p{{P}}\p{{S}}]--[{_CJK}]]"
    cjk_letter, cjk_mark = rf"[[\p{{L}}\p{{M}}]&&[{_CJK}]]", rf"[[\p{{P}}\p{{S}}]&&[{_CJK}]]"
    cjk_other = rf"[[{_CJK}]--[\p{{L}}\p{{M}}\p{{P}}\p{{S}}]]"
    return (
        rf"\p{{N}}{_number(digits)}|{cjk_other}?{cjk_letter}+|{cjk_mark}+|{cjk_other}+(?!{cjk_letter})"
        rf"|[{_ASCII_PUNCT}][A-Za-z]+|[^\r\n\p{{L}}\p{{P}}\p{{S}}\p{{N}}{_CJK}]?{letter}+| ?{mark}+[\r\n]*"
        rf"|\s*[\r\n]+|\s+(?![^\s\p{{N}}{_CJK}])|\s+"
        rf"|[^\s\p{{L}}\p{{M}}\p{{N}}\p{{P}}\p{{S}}{_CJK}]+(?!{letter})"
    )


def one_pass_ascii(digits: str = "triples") -> str:
    """`one_pass` for ASCII text, in the syntax of Python's own `re`, which is more than twice as fast on it."""
    punct = r"!-/:-@\[-`{-~"
    return (
        rf"[0-9]{_number(digits)}|[{punct}][A-Za-z]+|[^\r\n0-9A-Za-z{punct}]?[A-Za-z]+| ?[{punct}]+[\r\n]*"
        r"|\s*[\r\n]+|\s+(?![^\s0-9])|\s+|[\x00-\x08\x0e-\x1f\x7f]+(?![A-Za-z])"
    )


def pretokenize(text: str, digits: str = "triples") -> list[str]:
    """Cuts a text into words; joined again they are the text. No token ever crosses a word's edge.

    The words are those of `three_splits`, found in one pass.
    """
    if not as_written(isolate):
        return three_splits(text, digits)
    return (_find_ascii(digits) if text.isascii() else _find_unicode(digits))(text)


def chunks(text: str, size: int = 1 << 16) -> Iterator[str]:
    """Cuts a long text where a word always ends, after a line break that something visible follows.

    Memory stays small, and the parts that are ASCII take the fast expression. `size` >= 1.
    """
    start = 0
    while len(text) - start > size:
        cut = _LINE_START.search(text, start + size)
        if cut is None:
            break
        yield text[start : cut.start()]
        start = cut.start()
    yield text[start:] if start else text


def count_words(texts: Iterable[str], digits: str = "triples") -> Counter:
    """How often each word occurs. Training reads the text here, once, and never again."""
    counts: Counter = Counter()
    for text in texts:
        for chunk in chunks(text):
            counts.update(pretokenize(chunk, digits))
    return counts


def byte_indices(word: str) -> list[int]:
    """The bytes of a word as indices into `ALPHABET`: what a word is before its first merge."""
    return list(word.encode("utf-8", "surrogateescape").translate(_INDEX_OF_BYTE))


def count_pairs(words: list[list[int]], counts: list[int]) -> dict[tuple[int, int], int]:
    """How often each pair of neighbours occurs in the text: {(a, b): total}, no pair with total 0.

    `words[i]` is a list of token ids and occurs `counts[i]` >= 1 times. Every place counts: [7, 7, 7] holds the
    pair (7, 7) twice. Pairs do not cross from one word into the next.
    """
    totals: dict[tuple[int, int], int] = defaultdict(int)
    for word, count in zip(words, counts):
        for pair in zip(word, word[1:]):
            totals[pair] += count
    return totals


def merge_word(word: list[int], a: int, b: int, new: int) -> list[tuple[tuple[int, int], int]]:
    """Replaces each (a, b) in `word` by `new`, in place, from the left: with a = b, [a, a, a] becomes [new, a].

    Returns how the counts of the other pairs change, as (pair, change): -1 for each pair of neighbours that
    vanished beside a merge, +1 for each that appeared, in any order. (a, b) itself need not be reported: it is
    merged away. [x, a, b, y] becomes [x, new, y] and gives ((x, a), -1), ((x, new), 1), ((b, y), -1), ((new, y), 1).
    """
    changes = []
    i, end = 0, len(word) - 1
    while i < end:
        if word[i] == a and word[i + 1] == b:
            word[i : i + 2] = (new,)
            end -= 1
            # the neighbour on the left, which may be a `new` of the step before
            if i > 0:
                left = word[i - 1]
                changes += (((left, a), -1), ((left, new), 1))
            # the neighbour on the right
            if i < end:
                right = word[i + 1]
                changes += (((b, right), -1), ((new, right), 1))
        i += 1
    return changes


def train_merges(
    word_counts: dict[str, int], n_pieces: int, min_frequency: int = 2
) -> tuple[list[bytes], dict[tuple[int, int], int]]:
    """Learns merges until there are `n_pieces` pieces (256 of them bytes) or no pair is frequent enough.

    `word_counts` says how often each word occurs, and is left as it was. Each merge takes the pair with the
    highest count as the words stand then; of several such pairs the smallest, (index, index). A pair that
    occurs less than `min_frequency` times, or not at all, is never merged. No two merges spell the same bytes:
    the merges before them cut equal bytes equally wherever they stand between two token edges.

    Returns the pieces by index, first the 256 bytes in the order of `ALPHABET`, and {(a, b): index of a + b} in
    the order in which the merges apply.
    """
    # words as lists of byte indices, and beside them how often each occurs
    words = [byte_indices(word) for word in word_counts]
    counts = list(word_counts.values())
    pieces = [bytes([b]) for b in ALPHABET]
    merges: dict[tuple[int, int], int] = {}

    # Simple and slow: count all pairs again before each merge. Fast: keep the counts, and note for each pair the
    # words it occurs in, so that a merge visits only these.
    pair_counts = defaultdict(int, count_pairs(words, counts))
    places: dict[tuple[int, int], list[int]] = defaultdict(list)
    for i, word in enumerate(words):
        for pair in zip(word, word[1:]):
            places[pair].append(i)
    # Then a heap of (-count, pair) gives the highest count, and of equal ones the smallest pair. `n` keeps it from
    # comparing the lists when a pair is queued twice.
    queue = [(-pair_counts[pair], pair, n, where) for n, (pair, where) in enumerate(places.items())]
    heapq.heapify(queue)
    n = len(queue)

    while len(pieces) < n_pieces and queue:
        negative, pair, order, where = heapq.heappop(queue)
        count = pair_counts[pair]
        if count != -negative:  # its neighbours were merged since it was queued: queue it again with today's count
            heapq.heappush(queue, (-count, pair, order, where))
            continue
        if count < max(min_frequency, 1):
            break
        a, b = pair
        merges[pair] = new = len(pieces)
        pieces.append(pieces[a] + pieces[b])

        places = defaultdict(list)
        previous = -1
        for i in where:
            if i == previous:
                continue  # a word that holds the pair twice is listed twice in a row
            previous = i
            for beside, change in merge_word(words[i], a, b, new):
                pair_counts[beside] += change * counts[i]
                if change > 0:
                    places[beside].append(i)
        for beside, where in places.items():
            if pair_counts[beside] > 0:
                heapq.heappush(queue, (-pair_counts[beside], beside, n, where))
                n += 1
    return pieces, merges


def apply_merges(word: list[int], ranks: dict[tuple[int, int], int], products: list[int]) -> list[int]:
    """Encodes one word: while a pair of neighbours has a rank, merge the one of lowest rank, leftmost first.

    `word` are the ids of its bytes, and is left as it was. `ranks` maps a pair to its place among the merges
    (0 was learned first), `products[rank]` is the id it becomes. An empty word stays empty.
    """
    word = list(word)
    none = len(products)
    while len(word) > 1:
        # the rank of every pair of neighbours; `none` is larger than all ranks
        found = [ranks.get(pair, none) for pair in zip(word, word[1:])]
        rank = min(found)
        if rank == none:
            break
        # two ids give way to one; then look again, for the new token has neighbours too
        i = found.index(rank)
        word[i : i + 2] = (products[rank],)
    return word


def encode_word(word: list[int], ranks: dict[tuple[int, int], int], products: list[int]) -> list[int]:
    """`apply_merges` for words of any length."""
    long = len(word) > 64 and as_written(apply_merges)
    return (apply_merges_heap if long else apply_merges)(word, ranks, products)


def apply_merges_heap(word: list[int], ranks: dict[tuple[int, int], int], products: list[int]) -> list[int]:
    """The same with a heap and a linked list: n log n, where the plain loop is n^2 (a line of 100,000 letters)."""
    word, n = list(word), len(word)
    before, after = list(range(-1, n - 1)), list(range(1, n + 1))
    heap = [(ranks[p], i) for i, p in enumerate(zip(word, word[1:])) if p in ranks]
    heapq.heapify(heap)
    while heap:
        rank, i = heapq.heappop(heap)
        j = after[i]
        if word[i] < 0 or j >= n or ranks.get((word[i], word[j])) != rank:
            continue  # one of the two has been merged with another since
        word[i], word[j] = products[rank], -1
        after[i] = k = after[j]
        if k < n:
            before[k] = i
        for left, right in ((before[i], i), (i, k)):
            if left >= 0 and right < n and (rank := ranks.get((word[left], word[right]))) is not None:
                heapq.heappush(heap, (rank, left))
    return [token for token in word if token >= 0]


definitions(isolate, apply_merges)  # they have fast forms: `one_pass`, `apply_merges_heap`, the Rust engine


def as_engine() -> bool:
    """Whether the Rust engine of `tokenizers` may cut and merge words in place of this file's functions."""
    return as_written(isolate, apply_merges)


# A line break counts as a cut only if the next character is visible: blank lines belong to the word before
# them.
_LINE_START = re.compile(r"(?<=\n)(?=\S)")


def _number(digits: str) -> str:
    if digits not in _NUMBER:
        raise MinidsError(
            f"digits={digits!r} is not known to the tokenizer: use 'triples' (1-3 digits a word) or 'single'"
        )
    return _NUMBER[digits]


@cache
def _find_ascii(digits: str):
    return re.compile(one_pass_ascii(digits), re.ASCII).findall


@cache
def _find_unicode(digits: str):
    regex = _regex()
    return regex.compile(one_pass(digits), regex.V1).findall


@cache
def _split_patterns(digits: str) -> list[re.Pattern]:
    return [_regex().compile(pattern) for pattern in splits(digits)]


def _regex():
    try:
        import regex
    except ImportError as error:
        raise MinidsError(
            "text beyond ASCII needs the package `regex`, which is not installed: pip install 'minids[train]'"
        ) from error
    return regex
