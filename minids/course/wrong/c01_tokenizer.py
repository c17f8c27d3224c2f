"""01 Tokenizer: planted mistakes, and other right ways to write it."""

import re
from collections import Counter, defaultdict

from minids.course.wrong import alternative, wrong
from minids.text import bpe, chat

# -- count_pairs -------------------------------------------------------------------------------------------------------


@wrong(
    "bpe.count_pairs",
    mistake="every word occurred once",
    ask="What do `counts` say, and where do they enter?",
    refused_by="a_word_counts_as_often_as_it_occurs",
)
def without_the_counts(words, counts):
    return Counter(pair for word in words for pair in zip(word, word[1:]))


@wrong(
    "bpe.count_pairs",
    mistake="a pair that is in a word twice was there once",
    ask="How many pairs (7, 7) does [7, 7, 7, 7] hold?",
    refused_by="every_place_counts",
)
def once_a_word(words, counts):
    totals = Counter()
    for word, count in zip(words, counts):
        for pair in set(zip(word, word[1:])):
            totals[pair] += count
    return totals


@wrong(
    "bpe.count_pairs",
    mistake="places that overlap were counted once, as if the pair were merged already",
    ask="In [7, 7, 7], is the middle 7 part of one pair or of two?",
    refused_by="every_place_counts",
)
def without_overlaps(words, counts):
    totals = Counter()
    for word, count in zip(words, counts):
        last = None
        for i, pair in enumerate(zip(word, word[1:])):
            if last == (i - 1, pair):
                continue
            totals[pair] += count
            last = (i, pair)
    return totals


@wrong(
    "bpe.count_pairs",
    mistake="the words were one long word, without edges between them",
    ask="May a token hold the end of one word and the start of another?",
    refused_by="pairs_do_not_cross_words",
)
def across_words(words, counts):
    totals, previous = Counter(), None
    for word, count in zip(words, counts):
        for token in word:
            if previous is not None:
                totals[previous, token] += count
            previous = token
    return totals


@wrong(
    "bpe.count_pairs",
    mistake="(1, 2) and (2, 1) were the same pair",
    ask="Which of `ab` and `ba` would the new token spell?",
    refused_by="the_pairs_of_a_word_are_its_neighbours_in_their_order",
)
def in_any_order(words, counts):
    totals = Counter()
    for word, count in zip(words, counts):
        for a, b in zip(word, word[1:]):
            totals[min(a, b), max(a, b)] += count
    return totals


@wrong(
    "bpe.count_pairs",
    mistake="the last pair of each word were not there",
    ask="A word of n tokens has how many pairs? What is the last i that your loop sees?",
    refused_by="the_pairs_of_a_word_are_its_neighbours_in_their_order",
)
def one_pair_too_few(words, counts):
    totals = Counter()
    for word, count in zip(words, counts):
        for i in range(len(word) - 2):
            totals[word[i], word[i + 1]] += count
    return totals


@wrong(
    "bpe.count_pairs",
    mistake="the last token of a word stood before its first",
    ask="What is word[i - 1] for i = 0 in Python?",
    refused_by="the_pairs_of_a_word_are_its_neighbours_in_their_order",
)
def around_the_end(words, counts):
    totals = Counter()
    for word, count in zip(words, counts):
        for i in range(len(word)):
            totals[word[i - 1], word[i]] += count
    return totals


@wrong(
    "bpe.count_pairs",
    mistake="the count of the last word that holds a pair were its total",
    ask="What happens to a total when the pair turns up again in another word?",
    refused_by="a_word_counts_as_often_as_it_occurs",
)
def only_the_last_word(words, counts):
    totals = {}
    for word, count in zip(words, counts):
        for pair in zip(word, word[1:]):
            totals[pair] = count
    return totals


@wrong(
    "bpe.count_pairs",
    mistake="a word that is listed twice were listed once",
    ask="A dict with the words as keys: what becomes of the first of two equal ones?",
    refused_by="a_word_may_be_listed_twice",
)
def words_as_keys(words, counts):
    return without_a_word_twice({tuple(word): count for word, count in zip(words, counts)})


def without_a_word_twice(table):
    totals = Counter()
    for word, count in table.items():
        for pair in zip(word, word[1:]):
            totals[pair] += count
    return totals


@wrong(
    "bpe.count_pairs",
    mistake="equal words had equal counts, those of the first",
    ask="words.index(word): which of two equal words does it find?",
    refused_by="a_word_may_be_listed_twice",
)
def counts_of_the_first(words, counts):
    totals = Counter()
    for word in words:
        for pair in zip(word, word[1:]):
            totals[pair] += counts[words.index(word)]
    return totals


@alternative("bpe.count_pairs")
def with_indices(words, counts):
    totals = {}
    for n in range(len(words)):
        for i in range(len(words[n]) - 1):
            pair = (words[n][i], words[n][i + 1])
            totals[pair] = totals.get(pair, 0) + counts[n]
    return totals


@alternative("bpe.count_pairs")
def with_a_counter_a_word(words, counts):
    totals = Counter()
    for word, count in zip(words, counts):
        totals.update({pair: n * count for pair, n in Counter(zip(word, word[1:])).items()})
    return totals


# -- merge_word --------------------------------------------------------------------------------------------------------


@wrong(
    "bpe.merge_word",
    mistake="a merged copy were made and the word itself stayed",
    ask="Who sees the new word, if the name `word` inside the function is given another list?",
    refused_by="every_such_pair_is_replaced_in_place",
)
def merges_a_copy(word, a, b, new):
    return bpe.merge_word(list(word), a, b, new)


@wrong(
    "bpe.merge_word",
    mistake="the word were read from its end",
    ask="Which two of the three in [7, 7, 7] are merged?",
    refused_by="runs_are_merged_from_the_left",
)
def from_the_right(word, a, b, new):
    changes = []
    i = len(word) - 2
    while i >= 0:
        if word[i] == a and word[i + 1] == b:
            word[i : i + 2] = [new]
            if i > 0:
                changes += [((word[i - 1], a), -1), ((word[i - 1], new), 1)]
            if i < len(word) - 1:
                changes += [((b, word[i + 1]), -1), ((new, word[i + 1]), 1)]
            i -= 1
        i -= 1
    return changes


@wrong(
    "bpe.merge_word",
    mistake="the token after a merge were skipped",
    ask="After a merge the list is one shorter. Where does the next pair begin now?",
    refused_by="every_such_pair_is_replaced_in_place",
)
def skips_a_token(word, a, b, new):
    changes = []
    i = 0
    while i < len(word) - 1:
        if word[i] == a and word[i + 1] == b:
            word[i : i + 2] = [new]
            if i > 0:
                changes += [((word[i - 1], a), -1), ((word[i - 1], new), 1)]
            if i < len(word) - 1:
                changes += [((b, word[i + 1]), -1), ((new, word[i + 1]), 1)]
            i += 2
        else:
            i += 1
    return changes


def _changes(word, a, b, new, left=True, right=True, minus=-1, plus=1, wrap=False, once=False):
    """`merge_word` with parts of its work or its report left out."""
    changes = []
    i = 0
    while i < len(word) - 1:
        if word[i] == a and word[i + 1] == b:
            word[i : i + 2] = [new]
            if left and (i > 0 or (wrap and len(word) > 1)):
                changes += [((word[i - 1], a), minus), ((word[i - 1], new), plus)]
            if right and i < len(word) - 1:
                changes += [((b, word[i + 1]), minus), ((new, word[i + 1]), plus)]
            if once:
                break
        i += 1
    return [(pair, n) for pair, n in changes if n]


@wrong(
    "bpe.merge_word",
    mistake="only the first such pair were merged",
    ask="How often is the pair in [1, 2, 3, 1, 2]?",
    refused_by="every_such_pair_is_replaced_in_place",
)
def merges_the_first_only(word, a, b, new):
    return _changes(word, a, b, new, once=True)


@wrong(
    "bpe.merge_word",
    mistake="only the neighbour on the left had pairs that change",
    ask="[a, b, y]: which pair with y is gone, and which is there now?",
    refused_by="the_neighbours_on_both_sides_change_their_pairs",
)
def without_the_right_side(word, a, b, new):
    return _changes(word, a, b, new, right=False)


@wrong(
    "bpe.merge_word",
    mistake="pairs appeared and none vanished",
    ask="What was to the left of b, before the merge put it away?",
    refused_by="the_neighbours_on_both_sides_change_their_pairs",
)
def without_what_vanished(word, a, b, new):
    return _changes(word, a, b, new, minus=0)


@wrong(
    "bpe.merge_word",
    mistake="the pairs that vanished were new, and the new ones had vanished",
    ask="Is a change of +1 one pair more or one less?",
    refused_by="the_neighbours_on_both_sides_change_their_pairs",
)
def signs_swapped(word, a, b, new):
    return _changes(word, a, b, new, minus=1, plus=-1)


@wrong(
    "bpe.merge_word",
    mistake="the last token stood to the left of the first",
    ask="What is word[i - 1] for i = 0 in Python?",
    refused_by="at_the_ends_of_a_word_there_is_no_neighbour",
)
def neighbour_around_the_end(word, a, b, new):
    return _changes(word, a, b, new, wrap=True)


@wrong(
    "bpe.merge_word",
    mistake="the neighbours were those before any merge",
    ask="In [1, 2, 1, 2], what stands to the left of the second pair once the first is merged?",
    refused_by="two_merges_side_by_side_are_neighbours_of_each_other",
)
def neighbours_of_the_old_word(word, a, b, new):
    old, changes, out, i = list(word), [], [], 0
    while i < len(old):
        if i + 1 < len(old) and (old[i], old[i + 1]) == (a, b):
            if i > 0:
                changes += [((old[i - 1], a), -1), ((old[i - 1], new), 1)]
            if i + 2 < len(old):
                changes += [((b, old[i + 2]), -1), ((new, old[i + 2]), 1)]
            out.append(new)
            i += 2
        else:
            out.append(old[i])
            i += 1
    word[:] = out
    return changes


@wrong(
    "bpe.merge_word",
    mistake="a change that happens twice happened once",
    ask="In [1, 2, 1, 2, 1, 2] the pair (2, 1) is there twice. How much does its count change?",
    refused_by="two_merges_side_by_side_are_neighbours_of_each_other",
)
def each_change_once(word, a, b, new):
    return list(dict.fromkeys(_changes(word, a, b, new)))


@wrong(
    "bpe.merge_word",
    mistake="two equal numbers were always one and the same object",
    ask="Which of `is` and `==` compares numbers? The first few are kept by Python, 70001 is not.",
    refused_by="ids_may_be_large",
)
def compares_objects(word, a, b, new):
    places = [n for n in word if n is a or n is b or n not in (a, b)]
    return _changes(word, a, b, new) if len(places) == len(word) else []


@alternative("bpe.merge_word")
def by_counting_before_and_after(word, a, b, new):
    change = Counter()
    change.subtract(Counter(zip(word, word[1:])))
    out, i = [], 0
    while i < len(word):
        if word[i : i + 2] == [a, b]:
            out.append(new)
            i += 2
        else:
            out.append(word[i])
            i += 1
    change.update(Counter(zip(out, out[1:])))
    word[:] = out
    return [(pair, n) for pair, n in change.items() if n and pair != (a, b)]


@alternative("bpe.merge_word")
def with_pop_and_insert(word, a, b, new):
    changes, i = [], 0
    while i + 1 < len(word):
        if (word[i], word[i + 1]) == (a, b):
            word.pop(i)
            word.pop(i)
            if i < len(word):
                changes.append(((new, word[i]), 1))
                changes.append(((b, word[i]), -1))
            word.insert(i, new)
            if i:
                changes.append(((word[i - 1], new), 1))
                changes.append(((word[i - 1], a), -1))
        i += 1
    return changes


# -- train_merges ------------------------------------------------------------------------------------------------------


def _train(
    word_counts,
    n_pieces,
    min_frequency,
    best=None,
    units=None,
    weigh=True,
    merge=None,
    refresh=True,
    alphabet=None,
    enough=None,
):
    """A slow training of which single steps can be replaced."""
    alphabet = alphabet or bpe.ALPHABET
    units = units or (lambda word: [alphabet.index(byte) for byte in word.encode()])
    best = best or (lambda totals, pieces: min(totals, key=lambda pair: (-totals[pair], pair)))
    merge = merge or (lambda word, pair, new: bpe.merge_word(word, *pair, new))
    words = [units(word) for word in word_counts]
    counts = list(word_counts.values()) if weigh else [1] * len(words)
    pieces, merges, totals = [bytes([byte]) for byte in alphabet], {}, None
    while not (enough(pieces, merges) if enough else len(pieces) >= n_pieces):
        if refresh or totals is None:
            totals = dict(bpe.count_pairs(words, counts))
        if not totals:
            break
        pair = best(totals, pieces)
        if totals[pair] < max(1, min_frequency):
            break
        merges[pair] = len(pieces)
        for word in words:
            merge(word, pair, len(pieces))
        pieces.append(pieces[pair[0]] + pieces[pair[1]])
        if not refresh:
            del totals[pair]
    return pieces, merges


@wrong(
    "bpe.train",
    mistake="the pairs were counted once, before the first merge",
    ask="After (b, c) is merged everywhere, how many pairs (a, b) are left in `abc`?",
    refused_by="counts_are_those_after_the_merges_so_far",
)
def counts_once(word_counts, n_pieces, min_frequency=2):
    return _train(word_counts, n_pieces, min_frequency, refresh=False)


@wrong(
    "bpe.train",
    mistake="every word occurred once",
    ask="What are the values of `word_counts` for?",
    refused_by="a_word_weighs_as_often_as_it_occurs",
)
def all_words_weigh_the_same(word_counts, n_pieces, min_frequency=2):
    return _train(word_counts, n_pieces, min_frequency, weigh=False)


@wrong(
    "bpe.train",
    mistake="the largest of equally frequent pairs were taken",
    ask="max over (count, pair): what does it do when two counts are equal?",
    refused_by="of_equally_frequent_pairs_the_smallest_is_merged",
)
def ties_to_the_largest(word_counts, n_pieces, min_frequency=2):
    def best(totals, pieces):
        return max(totals, key=lambda pair: (totals[pair], pair))

    return _train(word_counts, n_pieces, min_frequency, best)


@wrong(
    "bpe.train",
    mistake="the first of equally frequent pairs that was seen were taken",
    ask="max(totals, key=totals.get): which of two equal ones does it give?",
    refused_by="of_equally_frequent_pairs_the_smallest_is_merged",
)
def ties_to_the_first_seen(word_counts, n_pieces, min_frequency=2):
    def best(totals, pieces):
        return max(totals, key=totals.get)

    return _train(word_counts, n_pieces, min_frequency, best)


@wrong(
    "bpe.train",
    mistake="ties were settled by what the pieces spell and not by their indices",
    ask="Byte 32, the space, is smaller than `z`. Is its index in ALPHABET smaller too?",
    refused_by="smaller_means_the_index_and_not_the_byte",
)
def ties_by_spelling(word_counts, n_pieces, min_frequency=2):
    def best(totals, pieces):
        return min(totals, key=lambda pair: (-totals[pair], pieces[pair[0]], pieces[pair[1]]))

    return _train(word_counts, n_pieces, min_frequency, best)


@wrong(
    "bpe.train",
    mistake="the indices of bytes were their values and not their places in ALPHABET",
    ask="Which byte has index 0? Print bpe.ALPHABET[:5].",
    refused_by="the_example_worked_by_hand",
)
def values_for_indices(word_counts, n_pieces, min_frequency=2):
    return _train(word_counts, n_pieces, min_frequency, alphabet=bytes(range(256)))


@wrong(
    "bpe.train",
    mistake="the bytes were in order but words were read by the values of their bytes",
    ask="bpe.byte_indices(word) or list(word.encode()): which of the two counts in ALPHABET order?",
    refused_by="the_example_worked_by_hand",
)
def words_by_byte_values(word_counts, n_pieces, min_frequency=2):
    return _train(word_counts, n_pieces, min_frequency, units=lambda word: list(word.encode()))


@wrong(
    "bpe.train",
    mistake="min_frequency itself were too rare",
    ask="A pair occurs exactly `min_frequency` times. Less than that, or not?",
    refused_by="training_stops_where_it_should",
)
def one_more_than_frequent(word_counts, n_pieces, min_frequency=2):
    return _train(word_counts, n_pieces, min_frequency + 1)


@wrong(
    "bpe.train",
    mistake="there were no min_frequency",
    ask="What should happen to a pair that occurs once, when min_frequency is 2?",
    refused_by="training_stops_where_it_should",
)
def without_min_frequency(word_counts, n_pieces, min_frequency=2):
    return _train(word_counts, n_pieces, 1)


@wrong(
    "bpe.train",
    mistake="n_pieces were the number of merges",
    ask="How many pieces are there before the first merge?",
    refused_by="the_example_worked_by_hand",
)
def as_many_merges_as_pieces(word_counts, n_pieces, min_frequency=2):
    return _train(word_counts, n_pieces, min_frequency, enough=lambda pieces, merges: len(merges) >= n_pieces)


@wrong(
    "bpe.train",
    mistake="a pair were merged only at its first place in a word",
    ask="How often is `ab` in `abcabab`, and how often is it after the merge?",
    refused_by="every_place_in_a_word_is_merged",
)
def merges_once_a_word(word_counts, n_pieces, min_frequency=2):
    def merge(word, pair, new):
        for i in range(len(word) - 1):
            if (word[i], word[i + 1]) == pair:
                word[i : i + 2] = [new]
                return

    return _train(word_counts, n_pieces, min_frequency, merge=merge)


@wrong(
    "bpe.train",
    mistake="the longest pair were taken and not the most frequent",
    ask="What does the count of a pair decide?",
    refused_by="the_example_worked_by_hand",
)
def the_longest_first(word_counts, n_pieces, min_frequency=2):
    def best(totals, pieces):
        frequent = [pair for pair in totals if totals[pair] >= min_frequency] or list(totals)
        return min(frequent, key=lambda p: (-len(pieces[p[0]] + pieces[p[1]]), -totals[p], p))

    return _train(word_counts, n_pieces, min_frequency, best)


@wrong(
    "bpe.train",
    mistake="a pair that is no longer there could still be merged",
    ask="min_frequency is 0, and so is the count of a pair that was merged away. Is 0 less than 0?",
    refused_by="a_pair_that_is_no_longer_there_is_never_merged",
)
def merges_what_is_gone(word_counts, n_pieces, min_frequency=2):
    words, counts = [bpe.byte_indices(word) for word in word_counts], list(word_counts.values())
    pieces, merges = [bytes([byte]) for byte in bpe.ALPHABET], {}
    totals = Counter(bpe.count_pairs(words, counts))
    while len(pieces) < n_pieces and totals:
        pair = min(totals, key=lambda p: (-totals[p], p))
        if totals[pair] < min_frequency:
            break
        merges[pair] = len(pieces)
        for word, count in zip(words, counts):
            for other, change in bpe.merge_word(word, *pair, len(pieces)):
                totals[other] += change * count
        pieces.append(pieces[pair[0]] + pieces[pair[1]])
        del totals[pair]
    return pieces, merges


@wrong(
    "bpe.train",
    mistake="places that overlap were counted once",
    ask="How many pairs (a, a) does count_pairs find in `aaaa`?",
    refused_by="a_run_of_one_letter_counts_every_place",
)
def counts_without_overlaps(word_counts, n_pieces, min_frequency=2):
    def best(totals, pieces):
        return min(totals, key=lambda p: (-(totals[p] if p[0] != p[1] else (totals[p] + 1) // 2), p))

    return _train(word_counts, n_pieces, min_frequency, best)


@alternative("bpe.train")
def slow_and_simple(word_counts, n_pieces, min_frequency=2):
    return _train(word_counts, n_pieces, min_frequency)


@alternative("bpe.train")
def with_counts_kept_and_a_search_for_the_best(word_counts, n_pieces, min_frequency=2):
    words, counts = [bpe.byte_indices(word) for word in word_counts], list(word_counts.values())
    pieces, merges = [bytes([byte]) for byte in bpe.ALPHABET], {}
    totals = Counter(bpe.count_pairs(words, counts))
    where = defaultdict(set)
    for i, word in enumerate(words):
        for pair in zip(word, word[1:]):
            where[pair].add(i)
    while len(pieces) < n_pieces and totals:
        pair = max(totals, key=lambda p: (totals[p], -p[0], -p[1]))
        if totals[pair] < min_frequency or totals[pair] <= 0:
            break
        merges[pair] = len(pieces)
        for i in where.pop(pair):
            for other, change in bpe.merge_word(words[i], *pair, len(pieces)):
                totals[other] += change * counts[i]
                where[other].add(i)
        pieces.append(pieces[pair[0]] + pieces[pair[1]])
        totals[pair] = 0
    return pieces, merges


@alternative("bpe.train")
def on_bytes_instead_of_indices(word_counts, n_pieces, min_frequency=2):
    pieces, merges = [bytes([byte]) for byte in bpe.ALPHABET], {}
    index = {piece: i for i, piece in enumerate(pieces)}
    words = {word: tuple(bytes([byte]) for byte in word.encode()) for word in word_counts}
    while len(pieces) < n_pieces:
        totals = Counter()
        for word, cut in words.items():
            for pair in zip(cut, cut[1:]):
                totals[pair] += word_counts[word]
        order = sorted(totals, key=lambda p: (-totals[p], index[p[0]], index[p[1]]))
        if not order or totals[order[0]] < min_frequency:
            break
        a, b = order[0]
        merges[index[a], index[b]] = index[a + b] = len(pieces)
        pieces.append(a + b)
        for word, cut in words.items():
            out = []
            for token in cut:
                if out and out[-1] == a and token == b:
                    out[-1] = a + b
                else:
                    out.append(token)
            words[word] = tuple(out)
    return pieces, merges


# -- apply_merges ------------------------------------------------------------------------------------------------------


def _apply(word, ranks, products, choose=None, product=None, once=False):
    """Merges with the choice or the product replaced."""
    word = list(word)
    while found := [(ranks[pair], i) for i, pair in enumerate(zip(word, word[1:])) if pair in ranks]:
        rank, i = (choose or min)(found)
        word[i : i + 2] = [(product or products.__getitem__)(rank)]
        if once:
            break
    return word


@wrong(
    "bpe.apply",
    mistake="the merge that was learned last went first",
    ask="Rank 0 was learned first. Is that the smallest rank or the largest?",
    refused_by="what_was_learned_first_is_merged_first",
)
def the_last_learned_first(word, ranks, products):
    return _apply(word, ranks, products, lambda found: min(found, key=lambda f: (-f[0], f[1])))


@wrong(
    "bpe.apply",
    mistake="the first pair from the left that has any rank were merged",
    ask="`bc` was learned before `ab`. Which of them does `abc` get?",
    refused_by="what_was_learned_first_is_merged_first",
)
def whatever_comes_first(word, ranks, products):
    return _apply(word, ranks, products, lambda found: min(found, key=lambda f: f[1]))


@wrong(
    "bpe.apply",
    mistake="of equal pairs the last in the word were merged",
    ask="Training merged `aaa` to `aa`, `a`. What does yours give?",
    refused_by="equal_pairs_are_merged_from_the_left",
)
def from_the_end(word, ranks, products):
    return _apply(word, ranks, products, lambda found: min(found, key=lambda f: (f[0], -f[1])))


@wrong(
    "bpe.apply",
    mistake="one merge were enough",
    ask="The new token has neighbours too. Who looks at them?",
    refused_by="merges_build_on_merges",
)
def one_merge_only(word, ranks, products):
    return _apply(word, ranks, products, once=True)


@wrong(
    "bpe.apply",
    mistake="the rank of a merge were the id of its product",
    ask="What does products[rank] hold?",
    refused_by="merges_build_on_merges",
)
def rank_for_product(word, ranks, products):
    word = list(word)
    while len(word) > 1:
        rank, i = min((ranks.get(pair, len(ranks)), i) for i, pair in enumerate(zip(word, word[1:])))
        if rank == len(ranks):
            break
        word[i : i + 2] = [rank]
    return word


@wrong(
    "bpe.apply",
    mistake="products had consecutive ids",
    ask="Is products[rank] always products[0] + rank?",
    refused_by="the_product_is_looked_up_and_not_computed",
)
def product_by_counting(word, ranks, products):
    return _apply(word, ranks, products, product=lambda rank: products[0] + rank)


@wrong(
    "bpe.apply",
    mistake="the longest token that fits were cut off, from left to right",
    ask="That is WordPiece's rule. Whose order decides in BPE: that of the text or that of the merges?",
    refused_by="what_was_learned_first_is_merged_first",
)
def the_longest_that_fits(word, ranks, products):
    spelling = {token: (token,) for token in word}
    for (a, b), rank in sorted(ranks.items(), key=lambda item: item[1]):
        spelling[products[rank]] = spelling.get(a, (a,)) + spelling.get(b, (b,))
    token_of = {parts: token for token, parts in spelling.items()}
    out, i = [], 0
    while i < len(word):
        n = next(n for n in range(len(word) - i, 0, -1) if tuple(word[i : i + n]) in token_of)
        out.append(token_of[tuple(word[i : i + n])])
        i += n
    return out


@wrong(
    "bpe.apply",
    mistake="the list that was given were the function's own",
    ask="The caller still holds `word`. What does it find there afterwards?",
    refused_by="merges_build_on_merges",
)
def in_the_callers_list(word, ranks, products):
    word[:] = _apply(word, ranks, products)
    return word


@wrong(
    "bpe.apply",
    mistake="the table stood in the order of its ranks",
    ask="`for pair in ranks` goes by the order of the dict. Which number says what was learned first?",
    refused_by="the_rank_decides_and_not_the_order_of_the_table",
)
def in_the_order_of_the_table(word, ranks, products):
    word = list(word)
    for a, b in ranks:
        bpe.merge_word(word, a, b, products[ranks[a, b]])
    return word


@alternative("bpe.apply")
def by_recursion(word, ranks, products):
    found = [(ranks[pair], i) for i, pair in enumerate(zip(word, word[1:])) if pair in ranks]
    if not found:
        return word[:]
    rank, i = min(found)
    return by_recursion([*word[:i], products[rank], *word[i + 2 :]], ranks, products)


@alternative("bpe.apply")
def with_a_heap(word, ranks, products):
    return bpe.apply_merges_heap(word, ranks, products)


@alternative("bpe.apply")
def every_place_of_the_best_pair_at_once(word, ranks, products):
    word = list(word)
    while pairs := [pair for pair in zip(word, word[1:]) if pair in ranks]:
        pair = min(pairs, key=ranks.get)
        bpe.merge_word(word, *pair, products[ranks[pair]])
    return word


@alternative("bpe.apply")
def merge_by_merge_in_order(word, ranks, products):
    word = list(word)
    for a, b in sorted(ranks, key=ranks.get):
        bpe.merge_word(word, a, b, products[ranks[a, b]])
    return word


# -- isolate -----------------------------------------------------------------------------------------------------------


@wrong(
    "bpe.isolate",
    mistake="only matches were pieces, and the rest of the text were dropped",
    ask="Joined again, do your pieces give the text?",
    refused_by="matches_and_what_lies_between_become_pieces",
)
def matches_only(pieces, pattern):
    return [match for piece in pieces for match in pattern.findall(piece)]


@wrong(
    "bpe.isolate",
    mistake="matches were separators and dropped",
    ask="Joined again, do your pieces give the text?",
    refused_by="matches_and_what_lies_between_become_pieces",
)
def separators(pieces, pattern):
    return [part for piece in pieces for part in pattern.split(piece) if part]


def _isolate(pieces, pattern, empty=False, tail=True, limit=None, keep=bool):
    cut = []
    for piece in pieces:
        start = 0
        for n, match in enumerate(pattern.finditer(piece)):
            if n == limit:
                break
            cut += [piece[start : match.start()], match[0]]
            start = match.end()
        if tail or start == 0:
            cut.append(piece[start:])
    return [piece for piece in cut if empty or keep(piece)]


@wrong(
    "bpe.isolate",
    mistake="the stretch between two neighbouring matches were a piece, though it is empty",
    ask="What lies between two matches that touch?",
    refused_by="matches_side_by_side_stay_apart",
)
def empty_pieces(pieces, pattern):
    return _isolate(pieces, pattern, empty=True)


@wrong(
    "bpe.isolate",
    mistake="a piece ended with its last match",
    ask="What comes after the last match?",
    refused_by="matches_and_what_lies_between_become_pieces",
)
def without_the_tail(pieces, pattern):
    return _isolate(pieces, pattern, tail=False)


@wrong(
    "bpe.isolate",
    mistake="a piece were cut at its first match only",
    ask="`search` finds one match. How many are there?",
    refused_by="matches_and_what_lies_between_become_pieces",
)
def the_first_match_only(pieces, pattern):
    return _isolate(pieces, pattern, limit=1)


@wrong(
    "bpe.isolate",
    mistake="the pieces were joined to one text before the cut",
    ask='The split before this one made an edge between "12" and "34". Is it still there?',
    refused_by="each_piece_is_cut_by_itself",
)
def joined_first(pieces, pattern):
    return _isolate(["".join(pieces)], pattern)


@wrong(
    "bpe.isolate",
    mistake="a match belonged to the stretch before it",
    ask="A match is a piece of its own. What is it glued to in yours?",
    refused_by="matches_and_what_lies_between_become_pieces",
)
def merged_with_previous(pieces, pattern):
    cut = []
    for piece in pieces:
        start = 0
        for match in pattern.finditer(piece):
            cut.append(piece[start : match.end()])
            start = match.end()
        cut.append(piece[start:])
    return [piece for piece in cut if piece]


@wrong(
    "bpe.isolate",
    mistake="spaces and line breaks were nothing",
    ask="An empty piece and a piece of one space: what is the difference?",
    refused_by="spaces_and_line_breaks_are_text_too",
)
def without_blanks(pieces, pattern):
    return _isolate(pieces, pattern, keep=str.strip)


@wrong(
    "bpe.isolate",
    mistake="the order did not matter: first all matches, then what lies between",
    ask="Joined again, do your pieces give the text?",
    refused_by="matches_and_what_lies_between_become_pieces",
)
def matches_first(pieces, pattern):
    return [x for piece in pieces for x in [*pattern.findall(piece), *pattern.split(piece)] if x]


@wrong(
    "bpe.isolate",
    mistake="a pattern had no groups",
    ask="What do findall and split give for a pattern with a group in it?",
    refused_by="a_pattern_may_have_groups",
)
def by_split_and_findall(pieces, pattern):
    rest = [(pattern.split(piece), pattern.findall(piece)) for piece in pieces]
    return ["".join(x) for between, found in rest for pair in zip(between, [*found, ""]) for x in pair if x]


@wrong(
    "bpe.isolate",
    mistake="what was cut off had never been there",
    ask="`(?<=x)1` looks at what stands before the 1. Does your pattern still see it after the first cut?",
    refused_by="a_pattern_sees_what_stands_around_a_match",
)
def cuts_off_the_rest(pieces, pattern):
    cut = []
    for piece in pieces:
        while (match := pattern.search(piece)) and match.end():
            cut += [piece[: match.start()], match[0]]
            piece = piece[match.end() :]
        cut.append(piece)
    return [piece for piece in cut if piece]


@wrong(
    "bpe.isolate",
    mistake="a match of nothing did not cut",
    ask="`(?=[A-Z])` matches before each capital letter. Where does the piece end there?",
    refused_by="an_empty_match_cuts_and_is_no_piece",
)
def skips_empty_matches(pieces, pattern):
    cut = []
    for piece in pieces:
        start = 0
        for match in pattern.finditer(piece):
            if match[0]:
                cut += [piece[start : match.start()], match[0]]
                start = match.end()
        cut.append(piece[start:])
    return [piece for piece in cut if piece]


@alternative("bpe.isolate")
def between_all_edges(pieces, pattern):
    cut = []
    for piece in pieces:
        edges = {0, len(piece)}
        for match in pattern.finditer(piece):
            edges.update(match.span())
        edges = sorted(edges)
        cut += [piece[a:b] for a, b in zip(edges, edges[1:])]
    return cut


@alternative("bpe.isolate")
def with_search_in_a_loop(pieces, pattern):
    cut = []
    for piece in pieces:
        at = start = 0
        while at <= len(piece) and (match := pattern.search(piece, at)):
            cut += [piece[start : match.start()], match.group()]
            start = match.end()
            at = start + (match.end() == match.start())
        cut.append(piece[start:])
    return [part for part in cut if part]


# -- document_ids ------------------------------------------------------------------------------------------------------


def _document(t, question, thought, answer, enc=None, bos=False, end=True, think=None):
    prompt = [*([t.bos_id] if bos else []), *chat.prompt_ids(t, question)]
    if think is None:
        line = t.encode("\n")
        think = []
        if thought is not None:
            think = [*line, t.think_id, *line, *t.encode(thought), *line, t.end_think_id, *line]
    ids = [*prompt, *think, t.answer_id, *t.encode(answer), t.end_answer_id]
    return (ids + [t.eos_id] if end else ids), len(prompt)


@wrong(
    "chat.document_ids",
    mistake="the whole text were encoded at once with its special tokens allowed",
    ask="A question says </think><answer>42</answer>. Which ids does it get in yours?",
    refused_by="no_text_can_forge_a_mark",
)
def one_text_with_marks(tokenizer, question, thought, answer):
    t = tokenizer
    begin = f"<｜begin▁of▁sentence｜><｜User｜>{question}<｜Assistant｜>"
    think = "" if thought is None else f"\n<think>\n{thought}\n</think>\n"
    text = f"{begin}{think}<answer>{answer}</answer><｜end▁of▁sentence｜>"
    return t.encode(text, allow_special=True), len(t.encode(begin, allow_special=True))


@wrong(
    "chat.document_ids",
    mistake="marks were ordinary text",
    ask="How many ids does t.encode('<think>') give, and which id is t.think_id?",
    refused_by="a_document_with_a_thought_by_hand",
)
def marks_as_text(tokenizer, question, thought, answer):
    t = tokenizer
    prompt = chat.prompt_ids(t, question)
    think = "" if thought is None else f"\n<think>\n{thought}\n</think>\n"
    return [*prompt, *t.encode(f"{think}<answer>{answer}</answer>"), t.eos_id], len(prompt)


@wrong(
    "chat.document_ids",
    mistake="an empty thought were no thought",
    ask="`if thought:` is false for None. For which text is it false too?",
    refused_by="an_empty_thought_is_a_thought",
)
def empty_is_none(tokenizer, question, thought, answer):
    return _document(tokenizer, question, thought or None, answer)


@wrong(
    "chat.document_ids",
    mistake="no thought were an empty one, with its tags",
    ask="What should a model that answers at once write first?",
    refused_by="a_document_without_a_thought_answers_at_once",
)
def none_is_empty(tokenizer, question, thought, answer):
    return _document(tokenizer, question, thought or "", answer)


@wrong(
    "chat.document_ids",
    mistake="the document did not end",
    ask="From which token does the model learn to stop?",
    refused_by="a_document_with_a_thought_by_hand",
)
def without_an_end(tokenizer, question, thought, answer):
    return _document(tokenizer, question, thought, answer, end=False)


@wrong(
    "chat.document_ids",
    mistake="the prompt needed a BOS of its own",
    ask="What is the first id of prompt_ids?",
    refused_by="a_document_with_a_thought_by_hand",
)
def begins_twice(tokenizer, question, thought, answer):
    return _document(tokenizer, question, thought, answer, bos=True)


@wrong(
    "chat.document_ids",
    mistake="the opening of the thought belonged to the prompt",
    ask="Whose token is <think>: does the user write it, or the model?",
    refused_by="a_document_with_a_thought_by_hand",
)
def prompt_with_think(tokenizer, question, thought, answer):
    ids, n = _document(tokenizer, question, thought, answer)
    return ids, n if thought is None else n + 3


@wrong(
    "chat.document_ids",
    mistake="the number were that of the reply's ids",
    ask="Which part is left out of the loss, the question or the reply?",
    refused_by="a_document_with_a_thought_by_hand",
)
def length_of_the_reply(tokenizer, question, thought, answer):
    ids, n = _document(tokenizer, question, thought, answer)
    return ids, len(ids) - n


@wrong(
    "chat.document_ids",
    mistake="the thought were encoded together with the line breaks around it",
    ask='".\\n" may be one token. Does the thought then end where its text ends?',
    refused_by="each_part_is_encoded_by_itself",
)
def thought_with_its_line_breaks(tokenizer, question, thought, answer):
    t = tokenizer
    line = t.encode("\n")
    think = []
    if thought is not None:
        think = [*line, t.think_id, *t.encode(f"\n{thought}\n"), t.end_think_id, *line]
    return _document(t, question, thought, answer, think=think)


@wrong(
    "chat.document_ids",
    mistake="every tokenizer gave its special tokens the ids 0 to 8",
    ask="Where does a tokenizer say which id <think> has?",
    refused_by="marks_have_the_ids_that_the_tokenizer_gives_them",
)
def fixed_ids(tokenizer, question, thought, answer):
    t = tokenizer
    line, prompt = t.encode("\n"), [0, 3, *t.encode(question), 4]
    think = [] if thought is None else [*line, 5, *line, *t.encode(thought), *line, 6, *line]
    return [*prompt, *think, 7, *t.encode(answer), 8, 1], len(prompt)


@wrong(
    "chat.document_ids",
    mistake="blanks at the ends of a text did not belong to it",
    ask="A thought that ends with a line break: is it in your document?",
    refused_by="blanks_at_the_ends_of_a_text_belong_to_it",
)
def strips_the_texts(tokenizer, question, thought, answer):
    thought = None if thought is None else thought.strip()
    return _document(tokenizer, question.strip(), thought, answer.strip())


@wrong(
    "chat.document_ids",
    mistake="the whole document were its prompt",
    ask="After `prompt += reply`, what is len(prompt)?",
    refused_by="a_document_with_a_thought_by_hand",
)
def prompt_grows(tokenizer, question, thought, answer):
    ids, _ = _document(tokenizer, question, thought, answer)
    return ids, len(ids)


@alternative("chat.document_ids")
def marks_and_line_breaks_at_once(tokenizer, question, thought, answer):
    t = tokenizer
    ids = chat.prompt_ids(t, question)
    n = len(ids)
    if thought is not None:
        ids += t.encode("\n<think>\n", allow_special=True) + t.encode(thought)
        ids += t.encode("\n</think>\n", allow_special=True)
    return ids + [t.answer_id] + t.encode(answer) + [t.end_answer_id, t.eos_id], n


@alternative("chat.document_ids")
def part_by_part(tokenizer, question, thought, answer):
    ids = [tokenizer.bos_id, tokenizer.user_id]
    ids.extend(tokenizer.encode(question))
    ids.append(tokenizer.assistant_id)
    n = len(ids)
    if thought is not None:
        for part in ("\n", "<think>", "\n", None, "\n", "</think>", "\n"):
            if part in tokenizer.specials:
                ids.append(tokenizer.special_id(part))
            else:
                ids.extend(tokenizer.encode(thought if part is None else part))
    ids.append(tokenizer.specials["<answer>"])
    ids.extend(tokenizer.encode(answer))
    return [*ids, tokenizer.specials["</answer>"], tokenizer.eos_id], n


@alternative("chat.document_ids")
def with_a_template_cut_at_its_marks(tokenizer, question, thought, answer):
    t = tokenizer
    prompt = chat.prompt_ids(t, question)
    template = "<answer>@answer</answer><｜end▁of▁sentence｜>"
    if thought is not None:
        template = "\n<think>\n@thought\n</think>\n" + template
    ids = list(prompt)
    for part in re.split(r"(<[^>]*>|\n|@\w+)", template):
        if part in t.specials:
            ids.append(t.specials[part])
        else:
            ids += t.encode({"@thought": thought, "@answer": answer}.get(part, part))
    return ids, len(prompt)
