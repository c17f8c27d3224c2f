"""01 Tokenizer. Independent answers: examples worked by hand, `str.replace`, `itertools.groupby`, and a training that
counts everything again before each merge, on bytes and not on ids."""

import random
import re
from collections import Counter
from itertools import groupby

import regex

from minids.course.cases import case, changes, expect
from minids.text import bpe
from minids.text.tokenizer import DEFAULT_SPECIALS, Tokenizer


def random_words(letters="abc", n=12, longest=12):
    return ["".join(random.choices(letters, k=random.randint(1, longest))) for _ in range(n)]


# -- count_pairs -------------------------------------------------------------------------------------------------------


@case("bpe.count_pairs")
def the_pairs_of_a_word_are_its_neighbours_in_their_order(count_pairs):
    expect(count_pairs([[1, 2, 3]], [1]), {(1, 2): 1, (2, 3): 1}, words=[[1, 2, 3]], counts=[1])
    expect(count_pairs([[3, 1, 2, 1]], [1]), {(3, 1): 1, (1, 2): 1, (2, 1): 1}, words=[[3, 1, 2, 1]], counts=[1])


@case("bpe.count_pairs")
def a_word_counts_as_often_as_it_occurs(count_pairs):
    words, counts = [[1, 2], [4, 1, 2]], [5, 3]
    expect(count_pairs(words, counts), {(1, 2): 8, (4, 1): 3}, words=words, counts=counts)


@case("bpe.count_pairs")
def every_place_counts(count_pairs):
    for word, want in [([7, 7, 7, 7], {(7, 7): 6}), ([1, 2, 5, 1, 2], {(1, 2): 4, (2, 5): 2, (5, 1): 2})]:
        expect(count_pairs([word], [2]), want, words=[word], counts=[2])


@case("bpe.count_pairs")
def pairs_do_not_cross_words(count_pairs):
    words = [[1, 2], [3, 4], [9], [], [5, 6]]
    want = {(1, 2): 1, (3, 4): 1, (5, 6): 1}
    expect(count_pairs(words, [1, 1, 1, 1, 1]), want, words=words, counts=[1, 1, 1, 1, 1])


@case("bpe.count_pairs")
def a_word_may_be_listed_twice(count_pairs):
    words, counts = [[1, 2], [3, 1, 2], [1, 2], [3, 1, 2]], [5, 1, 2, 4]
    expect(count_pairs(words, counts), {(1, 2): 12, (3, 1): 5}, words=words, counts=counts)


@case("bpe.count_pairs")
def without_pairs_nothing_is_counted(count_pairs):
    for words in ([], [[]], [[7], [7]]):
        expect(count_pairs(words, [3] * len(words)), {}, words=words, counts=[3] * len(words))


def searched(letters):
    """(words, counts, what a search for each pair finds in them)."""
    texts, counts, want = random_words(letters, 30), [random.randint(1, 9) for _ in range(30)], {}
    for a in letters:
        for b in letters:
            found = sum(c * len(re.findall(f"{a}(?={b})", t)) for t, c in zip(texts, counts))
            if found:
                want[ord(a), ord(b)] = found
    return [[ord(letter) for letter in t] for t in texts], counts, want


@case("bpe.count_pairs")
def random_words_give_what_a_search_for_each_pair_gives(count_pairs):
    words, counts, want = searched("abcd")
    expect(count_pairs(words, counts), want, words=words, counts=counts)


@case("bpe.count_pairs", held_out=True)
def so_do_words_of_two_letters_and_of_chinese(count_pairs):
    for letters in ("ab", "你好吗"):
        words, counts, want = searched(letters)
        expect(count_pairs(words, counts), want, words=words, counts=counts)


# -- merge_word --------------------------------------------------------------------------------------------------------


def merged(merge_word, word, a, b, new):
    """(word afterwards, net changes of the pairs other than (a, b))."""
    word = list(word)
    changes = merge_word(word, a, b, new)
    assert isinstance(changes, list | tuple), (
        f"the changes must come back as a list of (pair, change), got {type(changes).__name__}"
    )
    net = Counter()
    for item in changes:
        good = isinstance(item, list | tuple) and len(item) == 2 and isinstance(item[0], list | tuple)
        assert good, f"each change must be (pair, change), such as ((1, 2), -1); got {item!r}"
        net[tuple(item[0])] += item[1]
    return word, {pair: n for pair, n in net.items() if n and pair != (a, b)}


changes("bpe.merge_word", "word")


@case("bpe.merge_word")
def every_such_pair_is_replaced_in_place(merge_word):
    for word, want in [([1, 2, 3, 1, 2, 1], [9, 3, 9, 1]), ([4, 1, 2], [4, 9]), ([1, 2, 1, 2], [9, 9])]:
        expect(merged(merge_word, word, 1, 2, 9)[0], want, word=word, a=1, b=2, new=9)


@case("bpe.merge_word")
def runs_are_merged_from_the_left(merge_word):
    for n, want in [(2, [9]), (3, [9, 7]), (4, [9, 9]), (5, [9, 9, 7])]:
        expect(merged(merge_word, [7] * n, 7, 7, 9)[0], want, word=[7] * n, a=7, b=7, new=9)


@case("bpe.merge_word")
def the_neighbours_on_both_sides_change_their_pairs(merge_word):
    word, want = [5, 1, 2, 6], {(5, 1): -1, (5, 9): 1, (2, 6): -1, (9, 6): 1}
    expect(merged(merge_word, word, 1, 2, 9), ([5, 9, 6], want), word=word, a=1, b=2, new=9)


@case("bpe.merge_word")
def two_merges_side_by_side_are_neighbours_of_each_other(merge_word):
    for word, want in [([1, 2, 1, 2], {(2, 1): -1, (9, 9): 1}), ([1, 2, 1, 2, 1, 2], {(2, 1): -2, (9, 9): 2})]:
        expect(merged(merge_word, word, 1, 2, 9)[1], want, word=word, a=1, b=2, new=9)


@case("bpe.merge_word")
def at_the_ends_of_a_word_there_is_no_neighbour(merge_word):
    for word, want in [([1, 2], {}), ([1, 2, 3], {(2, 3): -1, (9, 3): 1}), ([3, 1, 2], {(3, 1): -1, (3, 9): 1})]:
        expect(merged(merge_word, word, 1, 2, 9)[1], want, word=word, a=1, b=2, new=9)


@case("bpe.merge_word")
def a_word_without_the_pair_stays_as_it_is(merge_word):
    for word in ([], [1], [2, 1], [1, 3, 2]):
        expect(merged(merge_word, word, 1, 2, 9), (word, {}), word=word, a=1, b=2, new=9)


def recounted(text, a, b):
    """The same with letters, by str.replace and by counting before and after."""
    after = text.replace(a + b, "N")
    net = Counter(zip(after, after[1:]))
    net.subtract(Counter(zip(text, text[1:])))
    change = {(ord(x), ord(y)): n for (x, y), n in net.items() if n and x + y != a + b}
    return [ord(letter) for letter in after], change


@case("bpe.merge_word")
def the_changes_are_those_that_a_recount_finds(merge_word):
    for text in ["xabyabab", "ababxab", *random_words("abx", 10, 15)]:
        word = [ord(letter) for letter in text]
        expect(merged(merge_word, word, 97, 98, 78), recounted(text, "a", "b"), word=word, a=97, b=98, new=78)


@case("bpe.merge_word")
def a_recount_agrees_where_a_letter_is_doubled(merge_word):
    for text in ["aaaab", "baaa", "aabaaa", *random_words("aab", 15, 15)]:
        word = [ord(letter) for letter in text]
        expect(merged(merge_word, word, 97, 97, 78), recounted(text, "a", "a"), word=word, a=97, b=97, new=78)


@case("bpe.merge_word")
def ids_may_be_large(merge_word):
    for word, want in [([5, 1, 2, 6], [5, 9, 6]), ([1, 1, 2, 1, 2], [1, 9, 9])]:
        word, want = [n + 70_000 for n in word], [n + 70_000 for n in want]
        given = dict(word=word, a=70_001, b=70_002, new=70_009)
        expect(merged(merge_word, word, 70_001, 70_002, 70_009)[0], want, **given)


@case("bpe.merge_word", held_out=True)
def long_words_give_what_a_recount_gives(merge_word):
    for a, b in ("ab", "bb", "ba"):
        for text in random_words("abx", 8, 60):
            word = [ord(letter) for letter in text]
            given = dict(word=word, a=ord(a), b=ord(b), new=78)
            expect(merged(merge_word, word, ord(a), ord(b), 78), recounted(text, a, b), **given)


# -- train_merges ------------------------------------------------------------------------------------------------------


def trained(train_merges, word_counts, n_pieces, *min_frequency):
    """(new pieces, {pair: index} as a list in order); the first 256 pieces must be the bytes."""
    given = dict(word_counts)
    result = train_merges(given, n_pieces, *min_frequency)
    assert isinstance(result, list | tuple) and len(result) == 2, "two things come back: the pieces and the merges"
    pieces, merges = result
    expect(list(pieces[:256]), [bytes([b]) for b in bpe.ALPHABET], word_counts=word_counts)
    assert isinstance(merges, dict), f"the merges must be a dict {{(a, b): index}}, got {type(merges).__name__}"
    return list(pieces[256:]), list(merges.items())


def trained_by_recounting(word_counts, n_pieces, min_frequency):
    """The same, with tokens as bytes and no counts kept."""
    words = [([bytes([b]) for b in w.encode()], count) for w, count in word_counts.items()]
    pieces, merges = [bytes([b]) for b in bpe.ALPHABET], []
    while len(pieces) < n_pieces:
        totals = Counter()
        for word, count in words:
            for pair in zip(word, word[1:]):
                totals[pair] += count
        if not totals or max(totals.values()) < min_frequency:
            break
        best = min(totals, key=lambda p: (-totals[p], pieces.index(p[0]), pieces.index(p[1])))
        merges.append(((pieces.index(best[0]), pieces.index(best[1])), len(pieces)))
        pieces.append(best[0] + best[1])
        for word, _ in words:
            i = 0
            while i + 1 < len(word):
                if (word[i], word[i + 1]) == best:
                    word[i : i + 2] = [best[0] + best[1]]
                i += 1
    return pieces[256:], merges


def index(text):
    return [bpe.ALPHABET.index(b) for b in text.encode()]


@case("bpe.train")
def the_example_worked_by_hand(train_merges):
    # Sennrich et al. 2016, without end marks: (e, s) 9 times, (es, t) 9, then (l, o) and (lo, w) 7
    words = {"low": 5, "lower": 2, "newest": 6, "widest": 3}
    (e, s), (t,), (lo, o, w) = index("es"), index("t"), index("low")
    want = [b"es", b"est", b"lo", b"low"], [((e, s), 256), ((256, t), 257), ((lo, o), 258), ((258, w), 259)]
    expect(trained(train_merges, words, 260), want, word_counts=words, n_pieces=260)


@case("bpe.train")
def a_word_weighs_as_often_as_it_occurs(train_merges):
    words = {"ab": 9, "cdcd": 2, "xcd": 2, "ycd": 1}
    expect(trained(train_merges, words, 257)[0], [b"ab"], word_counts=words, n_pieces=257)


@case("bpe.train")
def counts_are_those_after_the_merges_so_far(train_merges):
    # (b, c) 10 times; then no (a, b) is left of the 6 there were, and (x, y) with its 5 loses to (a, bc) with 6
    words = {"abc": 6, "bcd": 4, "xy": 5}
    expect(trained(train_merges, words, 259)[0], [b"bc", b"abc", b"xy"], word_counts=words, n_pieces=259)


@case("bpe.train")
def every_place_in_a_word_is_merged(train_merges):
    words = {"abcabab": 3}
    # ab c ab ab: three pairs are equally frequent, and (c, ab) begins with the smallest index; then (ab, cab)
    want = [b"ab", b"cab", b"abcab", b"abcabab"]
    expect(trained(train_merges, words, 260)[0], want, word_counts=words, n_pieces=260)


@case("bpe.train")
def of_equally_frequent_pairs_the_smallest_is_merged(train_merges):
    words = {"zq": 3, "cd": 3, "ab": 3}
    expect(trained(train_merges, words, 258)[0], [b"ab", b"cd"], word_counts=words, n_pieces=258)
    words = {"ba": 3, "bc": 3, "ax": 3}
    expect(trained(train_merges, words, 258)[0], [b"ax", b"ba"], word_counts=words, n_pieces=258)


@case("bpe.train")
def smaller_means_the_index_and_not_the_byte(train_merges):
    # the byte 32, a space, has an index above those of all letters
    words = {" a": 4, "za": 4}
    want = [b"za", b" a"], [((*index("za"),), 256), ((*index(" a"),), 257)]
    expect(trained(train_merges, words, 258), want, word_counts=words, n_pieces=258)


@case("bpe.train")
def a_run_of_one_letter_counts_every_place(train_merges):
    # (a, a) 6 times, more than (b, c); then (b, c) 5, and (aa, aa) 2
    words = {"aaaa": 2, "bc": 5}
    expect(trained(train_merges, words, 259)[0], [b"aa", b"bc", b"aaaa"], word_counts=words, n_pieces=259)
    words = {"aaaaa": 3}  # aa aa a: (aa, a) and (aa, aa) tie, and 'a' has the smaller index
    expect(trained(train_merges, words, 259)[0], [b"aa", b"aaa", b"aaaaa"], word_counts=words, n_pieces=259)


@case("bpe.train")
def a_pair_that_is_no_longer_there_is_never_merged(train_merges):
    # after (a, b), (b, c) occurs 0 times; and 0 is not less than a min_frequency of 0
    words = {"abc": 3, "abd": 1}
    for frequency in (1, 0, -1):
        given = dict(word_counts=words, n_pieces=300, min_frequency=frequency)
        expect(trained(train_merges, words, 300, frequency)[0], [b"ab", b"abc", b"abd"], **given)


@case("bpe.train")
def without_pairs_there_are_the_bytes_alone(train_merges):
    for words in ({}, {"a": 5}, {"": 2, "b": 9}):
        for frequency in (2, 0):
            given = dict(word_counts=words, n_pieces=300, min_frequency=frequency)
            expect(trained(train_merges, words, 300, frequency), ([], []), **given)


@case("bpe.train")
def bytes_are_merged_and_not_characters(train_merges):
    words = {"é": 2, "éa": 1}
    want = ["é".encode()], [((*index("é"),), 256)]
    expect(trained(train_merges, words, 257), want, word_counts=words, n_pieces=257)


@case("bpe.train")
def the_bytes_are_always_there(train_merges):
    for n in (0, 1, 255, 256):
        pieces, merges = train_merges({"ab": 3}, n, 1)
        expect((len(pieces), len(merges)), (256, 0), word_counts={"ab": 3}, n_pieces=n)


@case("bpe.train")
def training_stops_where_it_should(train_merges):
    words = {"ab": 3, "cd": 2, "ef": 1}
    for n, frequency, want in [
        (256, 1, []),
        (257, 1, [b"ab"]),
        (300, 2, [b"ab", b"cd"]),
        (300, 3, [b"ab"]),
        (300, 0, [b"ab", b"cd", b"ef"]),
        (300, 4, []),
    ]:
        given = dict(word_counts=words, n_pieces=n, min_frequency=frequency)
        expect(trained(train_merges, words, n, frequency)[0], want, **given)
    expect(trained(train_merges, words, 300)[0], [b"ab", b"cd"], word_counts=words, n_pieces=300)


@case("bpe.train")
def random_words_give_what_recounting_before_each_merge_gives(train_merges):
    for letters, frequency in (("ab ", 2), ("abcd", 3)):
        words = {w: random.randint(1, 5) for w in random_words(letters, 20)}
        want = trained_by_recounting(words, 280, frequency)
        given = dict(word_counts=words, n_pieces=280, min_frequency=frequency)
        expect(trained(train_merges, words, 280, frequency), want, **given)


@case("bpe.train", held_out=True)
def other_random_words_trained_by_recounting(train_merges):
    for letters in ("ab", "abc é"):
        words = {w: random.randint(1, 9) for w in random_words(letters, 25)}
        want = trained_by_recounting(words, 290, 2)
        expect(trained(train_merges, words, 290, 2), want, word_counts=words, n_pieces=290, min_frequency=2)


# -- apply_merges ------------------------------------------------------------------------------------------------------

LETTERS = "abcd"  # which have the ids 0 1 2 3


def table(*pairs, first=10, step=1):
    """(ranks, products, spelling): merges by their spelling, such as "a b", in order of rank."""
    spelling, ids, ranks, products = dict(enumerate(LETTERS)), {c: i for i, c in enumerate(LETTERS)}, {}, []
    for rank, pair in enumerate(pairs):
        left, right = pair.split()
        new = first + step * rank
        ranks[ids[left], ids[right]] = rank
        products.append(new)
        ids[left + right], spelling[new] = new, left + right
    return ranks, products, spelling


def encoded(apply_merges, text, ranks, products, spelling):
    """The tokens of a text, spelt."""
    got = apply_merges([LETTERS.index(letter) for letter in text], dict(ranks), list(products))
    assert isinstance(got, list | tuple), f"a list of ids must come back, got {type(got).__name__}"
    for token in got:
        assert token in spelling, f"{token!r} in the result {got} is neither a letter's id nor one of {products}"
    return " ".join(spelling[token] for token in got)


@case("bpe.apply")
def merges_build_on_merges(apply_merges):
    ranks, products, spelling = table("b c", "a b", "a bc")
    given = dict(word=[0, 1, 2], ranks=ranks, products=products)
    expect(apply_merges([0, 1, 2], ranks, products), [12], **given)


@case("bpe.apply")
def what_was_learned_first_is_merged_first(apply_merges):
    for pairs, text, want in [
        (("a b", "b c", "c d"), "bcd", "bc d"),
        (("b c", "a b", "c d"), "abcd", "a bc d"),  # not ab from the left, nor cd
        (("c d", "b c", "a b"), "abcd", "ab cd"),
        (("b c", "a b", "ab c", "bc d"), "abcd", "a bcd"),  # abc is longer from the left, but bc is there first
    ]:
        expect(encoded(apply_merges, text, *table(*pairs)), want, text=text, merges=pairs)


@case("bpe.apply")
def equal_pairs_are_merged_from_the_left(apply_merges):
    for text, want in [("aaa", "aa a"), ("aaaaa", "aaaa a"), ("baaab", "b aa ab")]:
        pairs = ("a a", "a b", "aa aa")
        expect(encoded(apply_merges, text, *table(*pairs)), want, text=text, merges=pairs)


@case("bpe.apply")
def the_product_is_looked_up_and_not_computed(apply_merges):
    ranks, products, spelling = table("a b", "c d", "ab cd", first=40, step=7)
    for text, want in [("ab", "ab"), ("cdc", "cd c"), ("dabcd", "d abcd")]:
        got = encoded(apply_merges, text, ranks, products, spelling)
        expect(got, want, text=text, ranks=ranks, products=products)


@case("bpe.apply")
def words_without_a_merge_stay_as_they_are(apply_merges):
    for pairs in (("a b", "b c"), ()):
        for text in ("", "a", "ba", "ddd"):
            expect(encoded(apply_merges, text, *table(*pairs)), " ".join(text), text=text, merges=pairs)


@case("bpe.apply")
def the_rank_decides_and_not_the_order_of_the_table(apply_merges):
    pairs = ("b c", "a b", "c d", "a bc", "bc d")
    ranks, products, spelling = table(*pairs)
    backwards = dict(reversed(ranks.items()))
    for text, want in [("abcd", "abc d"), ("bcd", "bcd"), ("cdab", "cd ab"), ("abab", "ab ab")]:
        got = encoded(apply_merges, text, backwards, products, spelling)
        expect(got, want, text=text, ranks=backwards, products=products)


def check_replacing(apply_merges, texts, first):
    """Each merge applied everywhere, in the order of learning, on a text with one character a token."""
    pieces, pairs = list(LETTERS), []
    while len(pairs) < 25:
        left, right = random.choices(pieces, k=2)
        if left + right not in pieces:
            pieces.append(left + right)
            pairs.append((left, right))
    names = {piece: chr(0x4E00 + i) for i, piece in enumerate(pieces)}
    ranks, products, spelling = table(*map(" ".join, pairs), first=first)
    ranks = dict(random.sample(list(ranks.items()), len(ranks)))
    for text in texts:
        line = "".join(names[letter] for letter in text)
        for left, right in pairs:
            line = line.replace(names[left] + names[right], names[left + right])
        want = " ".join(pieces[ord(c) - 0x4E00] for c in line)
        expect(encoded(apply_merges, text, ranks, products, spelling), want, text=text, merges=pairs)


@case("bpe.apply")
def random_words_give_what_replacing_in_order_gives(apply_merges):
    check_replacing(apply_merges, ["abcd" * 20, "aab" * 15, *random_words(LETTERS, 12, 20)], first=10)


@case("bpe.apply", held_out=True)
def long_random_words_give_what_replacing_in_order_gives(apply_merges):
    check_replacing(apply_merges, ["abcd" * 40, "aab" * 30, *random_words(LETTERS, 20, 40)], first=70_000)


# -- isolate -----------------------------------------------------------------------------------------------------------


@case("bpe.isolate")
def matches_and_what_lies_between_become_pieces(isolate):
    for text, want in [
        ("ab12cd3ef", ["ab", "12", "cd", "3", "ef"]),
        ("no digits", ["no digits"]),
        ("x1", ["x", "1"]),
        ("1x", ["1", "x"]),
    ]:
        expect(isolate([text], re.compile(r"\d+")), want, pieces=[text], pattern=r"\d+")


@case("bpe.isolate")
def matches_side_by_side_stay_apart(isolate):
    for text, want in [("1234567", ["123", "456", "7"]), ("a12345b", ["a", "123", "45", "b"])]:
        expect(isolate([text], re.compile(r"\d{1,3}")), want, pieces=[text], pattern=r"\d{1,3}")


@case("bpe.isolate")
def no_piece_is_empty(isolate):
    for pieces, want in [(["12"], ["12"]), (["", "a1", ""], ["a", "1"]), ([""], []), ([], [])]:
        expect(isolate(pieces, re.compile(r"\d+")), want, pieces=pieces, pattern=r"\d+")


@case("bpe.isolate")
def each_piece_is_cut_by_itself(isolate):
    pieces = ["a12", "34", "5b", "cd", "5b"]
    want = ["a", "12", "34", "5", "b", "cd", "5", "b"]
    expect(isolate(pieces, re.compile(r"\d{1,3}")), want, pieces=pieces, pattern=r"\d{1,3}")


@case("bpe.isolate")
def spaces_and_line_breaks_are_text_too(isolate):
    text, want = " 7 \n8\n\0 9\0", [" ", "7", " \n", "8", "\n\0 ", "9", "\0"]
    expect(isolate([text], re.compile(r"\d+")), want, pieces=[text], pattern=r"\d+")


def check_isolate(isolate, patterns):
    for pattern, text, want in patterns:
        for compiled in (re.compile(pattern), regex.compile(pattern)):
            expect(isolate([text], compiled), want, pieces=[text], pattern=pattern)


@case("bpe.isolate")
def a_pattern_may_have_groups(isolate):
    """The match is what counts, whatever its groups have caught, and whether they have."""
    check_isolate(
        isolate,
        [
            (r"(\d)(\d)?", "a12b3", ["a", "12", "b", "3"]),
            (r"(x)|y+", "ayyxb", ["a", "yy", "x", "b"]),
            (r"-(\w)-", "a-b-c", ["a", "-b-", "c"]),
        ],
    )


@case("bpe.isolate")
def a_pattern_sees_what_stands_around_a_match(isolate):
    """Also what was cut off already: the text before a match is still there to look back at."""
    check_isolate(
        isolate,
        [
            (r"(?<=x)1", "1x1", ["1x", "1"]),
            (r"^\d", "12", ["1", "2"]),
            (r"\b\w", "ab cd", ["a", "b ", "c", "d"]),
            (r"(?<!\d)\d", "a123b4", ["a", "1", "23b", "4"]),
            (r"\d(?=b)|\d$", "1a2b3", ["1a", "2", "b", "3"]),
        ],
    )


@case("bpe.isolate")
def an_empty_match_cuts_and_is_no_piece(isolate):
    check_isolate(
        isolate,
        [
            (r"(?=[A-Z])", "theCatSat", ["the", "Cat", "Sat"]),
            (r"\d*", "ab12c", ["a", "b", "12", "c"]),
            (r"$", "ab", ["ab"]),
        ],
    )


@case("bpe.isolate")
def the_flags_of_the_pattern_hold(isolate):
    for compiled in (re.compile("[ab]+", re.I), regex.compile("[ab]+", regex.I)):
        expect(isolate(["xAbBy"], compiled), ["x", "AbB", "y"], pieces=["xAbBy"], pattern="[ab]+, ignoring case")


def check_three_splits(isolate, text, want):
    pieces = [text]
    for pattern in bpe.splits():
        pieces = isolate(pieces, regex.compile(pattern))
    expect(pieces, want, pieces=[text], pattern="the three of bpe.splits(), one after the other")


@case("bpe.isolate")
def three_splits_give_the_words_of_v3(isolate):
    want = ["Ana", "'s", " ", "202", "5", " plan", ":", " ", "你好", "!\n"]
    check_three_splits(isolate, "Ana's 2025 plan: 你好!\n", want)


@case("bpe.isolate", held_out=True)
def three_splits_of_another_text(isolate):
    want = ["In", " ", "123", "45", " days", ",", " don", "'t", " say", " ", "你好", "!\n\n", " ", " Ok"]
    check_three_splits(isolate, "In 12345 days, don't say 你好!\n\n  Ok", want)


@case("bpe.isolate", held_out=True)
def random_texts_give_the_runs_that_groupby_finds(isolate):
    for _ in range(10):
        pieces = random_words("ab1 ", 5, 12)
        want = ["".join(run) for piece in pieces for _, run in groupby(piece, key=lambda c: c in "ab")]
        for pattern in ("[ab]+", "(a|b)+", r"[ab]+(?!\w*$)|[ab]+"):
            expect(isolate(pieces, re.compile(pattern)), want, pieces=pieces, pattern=pattern)


# -- document_ids ------------------------------------------------------------------------------------------------------


def hand_made(first=True):
    """A tokenizer with four merges, made without training. Its special tokens have the first ids, or the last."""
    merges = [("t", "h"), ("th", "e"), (".", "\n"), ("\n", "\n")]
    ordinary = [bytes([b]) for b in bpe.ALPHABET] + [(a + b).encode() for a, b in merges]
    specials = [s.encode() for s in DEFAULT_SPECIALS]
    start = 0 if first else len(ordinary)
    pieces = specials + ordinary if first else ordinary + specials
    pairs = [(pieces.index(a.encode()), pieces.index(b.encode())) for a, b in merges]
    return Tokenizer(pieces, pairs, {s: start + i for i, s in enumerate(DEFAULT_SPECIALS)}, digits="single")


def spelt(tokenizer, result):
    """(one string a token, length of the prompt)."""
    two = isinstance(result, list | tuple) and len(result) == 2
    assert two, "two things come back: the ids and the prompt's length"
    ids, n = result
    for i in ids:
        good = isinstance(i, int) and 0 <= i < len(tokenizer)
        assert good, f"{i!r} is not an id of this tokenizer (0 to {len(tokenizer) - 1})"
    return [tokenizer.decode([i]) for i in ids], n


BEGIN = ("<｜begin▁of▁sentence｜>", "<｜User｜>")
END = ("</answer>", "<｜end▁of▁sentence｜>")


def marks(tokenizer, ids):
    return [i for i in ids if i in set(tokenizer.specials.values())]


changes("chat.document_ids", "tokenizer")  # which remembers the words it has met


@case("chat.document_ids")
def a_document_with_a_thought_by_hand(document_ids):
    t = hand_made()
    want = [
        *BEGIN,
        *"1+1?",
        "<｜Assistant｜>",
        "\n",
        "<think>",
        "\n",
        "the",
        "n",
        "\n",
        "</think>",
        "\n",
        "<answer>",
        "2",
        *END,
    ]
    got = spelt(t, document_ids(t, "1+1?", "then", "2"))
    expect(got, (want, 7), question="1+1?", thought="then", answer="2")


@case("chat.document_ids")
def a_document_without_a_thought_answers_at_once(document_ids):
    t = hand_made()
    want = [*BEGIN, *"1+1?", "<｜Assistant｜>", "<answer>", "2", *END]
    expect(spelt(t, document_ids(t, "1+1?", None, "2")), (want, 7), question="1+1?", thought=None, answer="2")


@case("chat.document_ids")
def an_empty_thought_is_a_thought(document_ids):
    t = hand_made()
    want = [*BEGIN, "1", "<｜Assistant｜>", "\n", "<think>", "\n", "\n", "</think>", "\n", "<answer>", "2", *END]
    expect(spelt(t, document_ids(t, "1", "", "2")), (want, 4), question="1", thought="", answer="2")


@case("chat.document_ids")
def no_text_can_forge_a_mark(document_ids):
    t = hand_made()
    attack = "".join(DEFAULT_SPECIALS)
    for question, thought, answer in [(attack, "a", "2"), ("1", attack, "2"), ("1", "a", attack)]:
        ids, _ = document_ids(t, question, thought, answer)
        expect(marks(t, ids), [0, 3, 4, 5, 6, 7, 8, 1], question=question, thought=thought, answer=answer)


@case("chat.document_ids")
def each_part_is_encoded_by_itself(document_ids):
    # ".\n" and "\n\n" are tokens of this tokenizer, but none of them may reach across the edge of a part
    t = hand_made()
    tokens, n = spelt(t, document_ids(t, "a.", "\nb.", "c."))
    want = ["\n", "<think>", "\n", "\n", "b", ".", "\n", "</think>", "\n", "<answer>", "c", ".", *END]
    expect(tokens[n:], want, question="a.", thought="\nb.", answer="c.")


@case("chat.document_ids")
def blanks_at_the_ends_of_a_text_belong_to_it(document_ids):
    t = hand_made()
    for question, thought, answer in (("a.\n", " b\n", "\nc "), ("\n", "\n", "\n"), (" ", ".\n", "  ")):
        ids, n = document_ids(t, question, thought, answer)
        want = [0, 3, *t.encode(question), 4]
        line = t.encode("\n")
        reply = [*line, 5, *line, *t.encode(thought), *line, 6, *line, 7, *t.encode(answer), 8, 1]
        expect((list(ids), n), ([*want, *reply], len(want)), question=question, thought=thought, answer=answer)


@case("chat.document_ids")
def every_document_is_made_anew(document_ids):
    """Nothing of the one before is left in it, and an empty question or answer is a text like any other."""
    t = hand_made()
    for question, thought, answer in (("1", "ab", "2"), ("", None, ""), ("1", "ab", "2"), ("", "", "")):
        prompt = [*BEGIN, *question, "<｜Assistant｜>"]
        thinks = [] if thought is None else ["\n", "<think>", "\n", *thought, "\n", "</think>", "\n"]
        want = [*prompt, *thinks, "<answer>", *answer, *END]
        got = spelt(t, document_ids(t, question, thought, answer))
        expect(got, (want, len(prompt)), question=question, thought=thought, answer=answer)


@case("chat.document_ids")
def marks_have_the_ids_that_the_tokenizer_gives_them(document_ids):
    t = hand_made(first=False)
    ids, n = document_ids(t, "1", "a", "2")
    want = [t.specials[s] for s in DEFAULT_SPECIALS]
    expect(
        [i for i in ids if i >= want[0]],
        [want[i] for i in (0, 3, 4, 5, 6, 7, 8, 1)],
        specials=t.specials,
        question="1",
        thought="a",
        answer="2",
    )


@case("chat.document_ids", held_out=True)
def any_text_comes_back(document_ids):
    t = hand_made()
    for _ in range(5):
        q, thought, a = ("".join(random.choices("the.\n<>1é🙂", k=random.randint(0, 12))) for _ in range(3))
        ids, n = document_ids(t, q, thought, a)
        given = dict(question=q, thought=thought, answer=a)
        expect(t.decode(ids[:n]), f"{''.join(BEGIN)}{q}<｜Assistant｜>", **given)
        expect(t.decode(ids[n:]), f"\n<think>\n{thought}\n</think>\n<answer>{a}{''.join(END)}", **given)
        expect(marks(t, ids), [0, 3, 4, 5, 6, 7, 8, 1], **given)
