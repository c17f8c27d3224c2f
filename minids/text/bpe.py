r"""Byte-level byte-pair encoding: how text becomes words, words become bytes, and bytes become tokens.

Training (Sennrich et al. 2016, on bytes as in GPT-2) starts from the 256 bytes and repeats

    (a, b) = argmax over pairs of  sum_words count(word) * occurrences of (a, b) in word;   new token = a + b

Encoding applies the same merges, earliest learned first, inside each word. Words come from DeepSeek-V3's
pre-tokenizer: three splits one after the other (numbers of up to three digits; Chinese and Japanese runs; the
rest). `one_pass` is a single expression with the same result, so that a text is read once and not three times.

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

from ..errors import MinidsError

# The byte-level alphabet: printable bytes stand for themselves, the other 68 borrow the characters from
# U+0100 on, so that any bytes can be written in a JSON file. Token ids follow the order of these characters.
_PRINTABLE = [*range(33, 127), *range(161, 173), *range(174, 256)]
_HIDDEN = sorted(set(range(256)) - set(_PRINTABLE))
ALPHABET = bytes(_PRINTABLE + _HIDDEN)
CHAR_OF_BYTE = {b: chr(b) for b in _PRINTABLE} | {b: chr(256 + i) for i, b in enumerate(_HIDDEN)}
BYTE_OF_CHAR = {c: b for b, c in CHAR_OF_BYTE.items()}
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
    """Cuts a text into words; joined again they are the text. No token ever crosses a word's edge."""
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


def merge_word(word: list[int], a: int, b: int, new: int) -> list[tuple[tuple[int, int], int]]:
    """Replaces each (a, b) in `word` by `new`, in place, from the left: aaa -> [aa, a].

    Returns the pairs that vanished (-1) and appeared (+1) beside it; (a, b) itself is not reported.
    """
    changes = []
    i, end = 0, len(word) - 1
    while i < end:
        if word[i] == a and word[i + 1] == b:
            word[i : i + 2] = (new,)
            end -= 1
            if i > 0:
                left = word[i - 1]
                changes += (((left, a), -1), ((left, new), 1))
            if i < end:
                right = word[i + 1]
                changes += (((b, right), -1), ((new, right), 1))
        i += 1
    return changes


def train_merges(
    word_counts: dict[str, int], n_pieces: int, min_frequency: int = 2
) -> tuple[list[bytes], dict[tuple[int, int], int]]:
    """Learns merges until there are `n_pieces` pieces (256 of them bytes) or no pair is frequent enough.

    Returns the pieces by index, and {(a, b): index of a + b} in the order in which the merges apply.
    """
    words = [list(w.encode("utf-8", "surrogateescape").translate(_INDEX_OF_BYTE)) for w in word_counts]
    counts = list(word_counts.values())
    pieces = [bytes([b]) for b in ALPHABET]
    index_of = {piece: i for i, piece in enumerate(pieces)}
    merges: dict[tuple[int, int], int] = {}

    pair_counts: dict[tuple[int, int], int] = defaultdict(int)
    places: dict[tuple[int, int], list[int]] = defaultdict(list)  # the words in which a pair occurs
    for i, word in enumerate(words):
        for pair in zip(word, word[1:]):
            pair_counts[pair] += counts[i]
            places[pair].append(i)
    # Ties go to the smaller pair. `n` only keeps heapq from comparing the lists when a pair is queued twice.
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
        piece = pieces[a] + pieces[b]
        new = index_of.setdefault(piece, len(pieces))  # another pair may have spelt the same bytes before
        if new == len(pieces):
            pieces.append(piece)
        merges.pop(pair, None)  # a pair that is merged a second time takes its later rank
        merges[pair] = new

        places = defaultdict(list)
        previous = -1
        for i in where:
            if i == previous:
                continue  # a word that holds the pair twice is listed twice in a row
            previous = i
            for changed, sign in merge_word(words[i], a, b, new):
                pair_counts[changed] += sign * counts[i]
                if sign > 0:
                    places[changed].append(i)
        for changed, where in places.items():
            if pair_counts[changed] > 0:
                heapq.heappush(queue, (-pair_counts[changed], changed, n, where))
                n += 1
    return pieces, merges


def apply_merges(word: list[int], ranks: dict[tuple[int, int], int], products: list[int]) -> list[int]:
    """Encodes one word: while a pair of neighbours has a rank, merge the one of lowest rank, leftmost first.

    `ranks` maps a pair to its place among the merges, `products[rank]` is the token it becomes.
    """
    if len(word) > 64:
        return apply_merges_heap(word, ranks, products)
    word = list(word)
    none = len(products)
    while len(word) > 1:
        found = [ranks.get(pair, none) for pair in zip(word, word[1:])]
        rank = min(found)
        if rank == none:
            break
        i = found.index(rank)
        word[i : i + 2] = (products[rank],)
    return word


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
    try:
        import regex
    except ImportError as error:
        raise MinidsError(
            "text beyond ASCII needs the package `regex`, which is not installed: pip install 'minids[train]'"
        ) from error
    return regex.compile(one_pass(digits), regex.V1).findall
