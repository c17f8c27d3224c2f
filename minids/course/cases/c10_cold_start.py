"""Chapter 10, cold start: the prompt, the thoughts, what the loss sees, padding, rows that documents share."""

import random

import torch

from minids.course.cases import case, changes, expect
from minids.course.cases.c01_tokenizer import hand_made, marks
from minids.text.corpus import Batch
from minids.text.tokenizer import DEFAULT_SPECIALS

# -- sft.prompt ----------------------------------------------------------------------------------------------

BOS, EOS, USER, ASSISTANT, ANSWER, END_ANSWER = 0, 1, 3, 4, 7, 8  # ids of the hand-made tokenizer


def _spelt(tokenizer, ids):
    """One string a token."""
    assert isinstance(ids, list | tuple), f"a list of ids was expected, got {type(ids).__name__}"
    for i in ids:
        good = isinstance(i, int) and 0 <= i < len(tokenizer)
        assert good, f"{i!r} is not an id of this tokenizer (0 to {len(tokenizer) - 1})"
    return [tokenizer.decode([i]) for i in ids]


changes("sft.prompt", "tokenizer")  # which remembers the words it has met


@case("sft.prompt")
def one_question_by_hand(prompt_ids):
    t = hand_made()
    want = ["<｜begin▁of▁sentence｜>", "<｜User｜>", *"1+1?", "<｜Assistant｜>"]
    expect(_spelt(t, prompt_ids(t, "1+1?")), want, question="1+1?")


@case("sft.prompt")
def earlier_turns_stand_before_the_question(prompt_ids):
    t = hand_made()
    turn = ["<｜User｜>", *"2+2?", "<｜Assistant｜>", "<answer>", "4", "</answer>", "<｜end▁of▁sentence｜>"]
    want = ["<｜begin▁of▁sentence｜>", *turn, "<｜User｜>", *"1+1?", "<｜Assistant｜>"]
    expect(_spelt(t, prompt_ids(t, "1+1?", [("2+2?", "4")])), want, question="1+1?", history=[("2+2?", "4")])


@case("sft.prompt")
def the_oldest_turn_comes_first(prompt_ids):
    t, history = hand_made(), [("a", "1"), ("b", "2"), ("c", "3")]
    ids = prompt_ids(t, "d", history)
    _spelt(t, ids)
    turns = [USER, ASSISTANT, ANSWER, END_ANSWER, EOS] * 3
    expect(marks(t, ids), [BOS, *turns, USER, ASSISTANT], question="d", history=history)
    expect("".join(t.decode([i]) for i in ids if i > 8), "a1b2c3d", question="d", history=history)


@case("sft.prompt")
def any_iterable_is_a_history(prompt_ids):
    t = hand_made()
    ids = prompt_ids(t, "1", iter([("a", "2"), ("b", "3")]))
    expect(
        marks(t, ids),
        marks(t, prompt_ids(t, "1", [("a", "2"), ("b", "3")])),
        question="1",
        history="an iterator over two turns",
    )
    expect([t.decode([i]) for i in ids if i > 8], ["a", "2", "b", "3", "1"], question="1")


@case("sft.prompt")
def no_question_can_forge_a_mark(prompt_ids):
    t = hand_made()
    attack = "".join(DEFAULT_SPECIALS)
    expect(marks(t, prompt_ids(t, attack)), [BOS, USER, ASSISTANT], question=attack)
    want = [BOS, USER, ASSISTANT, ANSWER, END_ANSWER, EOS, USER, ASSISTANT]
    expect(marks(t, prompt_ids(t, "1", [(attack, attack)])), want, question="1", history=[(attack, attack)])


@case("sft.prompt")
def marks_have_the_ids_that_the_tokenizer_gives_them(prompt_ids):
    t = hand_made(first=False)
    ids = prompt_ids(t, "1", [("2", "3")])
    want = [t.specials[DEFAULT_SPECIALS[i]] for i in (BOS, USER, ASSISTANT, ANSWER, END_ANSWER, EOS, USER, ASSISTANT)]
    expect(marks(t, ids), want, specials=t.specials, question="1", history=[("2", "3")])


@case("sft.prompt")
def texts_are_encoded_as_they_are(prompt_ids):
    """Blanks and line ends at their edges too, nothing at all, and tags: of an earlier answer too all is kept."""
    t = hand_made()
    marks = "1<think>2</think>3", "<answer>4</answer>", "5<think>\n</think>6</answer>7"
    for question, asked, answered in (
        (" 1 ", "\n2", "3\n"),
        ("", "", ""),
        ("the", "a", ""),
        ("", "a", "b"),
        marks,
        marks[::-1],
    ):
        ids = prompt_ids(t, question, [(asked, answered)])
        turn = f"<｜User｜>{asked}<｜Assistant｜><answer>{answered}</answer><｜end▁of▁sentence｜>"
        want = f"<｜begin▁of▁sentence｜>{turn}<｜User｜>{question}<｜Assistant｜>"
        expect("".join(_spelt(t, ids)), want, question=question, history=[(asked, answered)])


@case("sft.prompt")
def each_text_is_encoded_by_itself(prompt_ids):
    """ "the" and ".\\n" are tokens of this tokenizer, but not across the edge of a part."""
    t, texts = hand_made(), (".", "\nthe", "the", ".", "\n")
    ids = prompt_ids(t, texts[4], [texts[:2], texts[2:4]])
    inner = [i for i in ids if i not in (BOS, EOS, USER, ASSISTANT, ANSWER, END_ANSWER)]
    expect(inner, [i for text in texts for i in t.encode(text)], question=texts[4], history=[texts[:2], texts[2:4]])


@case("sft.prompt")
def a_second_call_begins_anew(prompt_ids):
    t = hand_made()
    first = list(prompt_ids(t, "1", [("2", "3")]))
    prompt_ids(t, "the", [("a", "b"), ("c", "d")])
    expect(list(prompt_ids(t, "1", [("2", "3")])), first, question="1, asked for the second time")
    expect(marks(t, prompt_ids(t, "1")), [BOS, USER, ASSISTANT], question="1, without a history")


@case("sft.prompt", held_out=True)
def any_text_comes_back(prompt_ids):
    t = hand_made()
    for _ in range(5):
        texts = ["".join(random.choices("the.\n<>1é🙂", k=random.randint(0, 12))) for _ in range(5)]
        ids = prompt_ids(t, texts[4], [tuple(texts[:2]), tuple(texts[2:4])])
        turns = "".join(
            f"<｜User｜>{q}<｜Assistant｜><answer>{a}</answer><｜end▁of▁sentence｜>" for q, a in (texts[:2], texts[2:4])
        )
        expect(t.decode(ids), f"<｜begin▁of▁sentence｜>{turns}<｜User｜>{texts[4]}<｜Assistant｜>", texts=texts)
        # ".\n" is a token of this tokenizer, but not across the edge of a part
        parts = [len(t.encode(text)) for text in texts]
        expect(len(ids), sum(parts) + 13, texts=texts)


# -- sft.thought ------------------------------------------------------------------------------------------


def _by_hand(total, term, block=1):
    """The steps from the numbers' digits as text, for numbers written one below the other."""
    a, b = str(total), str(abs(term))
    columns = max(-(-len(n) // block) if int(n) else 0 for n in (a, b))
    a, b = (n.zfill(columns * block) for n in (a, b))
    if not columns:
        return [f"0{'-' if term < 0 else '+'}0=0"]
    steps, over = [], False
    for c in reversed(range(columns)):
        x, y = (int(n[c * block : c * block + block]) for n in (a, b))
        if term >= 0:
            z = x + y + over
            steps.append(f"{x}+{y}{'+1' * over}={z}")
            over = len(str(z)) > block
        else:
            lent = x - y - over < 0
            x += int("1" + "0" * block) if lent else 0
            steps.append(f"{x}-{y}{'-1' * over}={x - y - over}")
            over = lent
    return steps


@case("sft.thought")
def a_sum_from_the_right_with_its_carries(digit_steps):
    expect(digit_steps(396, 47), ["6+7=13", "9+4+1=14", "3+0+1=4"], total=396, term=47)
    expect(digit_steps(12, 7), ["2+7=9", "1+0=1"], total=12, term=7)


@case("sft.thought")
def a_difference_borrows_and_pays_back(digit_steps):
    expect(digit_steps(43, -18), ["13-8=5", "4-1-1=2"], total=43, term=-18)
    expect(digit_steps(57, -23), ["7-3=4", "5-2=3"], total=57, term=-23)


@case("sft.thought")
def a_borrow_goes_on_through_zeros(digit_steps):
    expect(digit_steps(1000, -1), ["10-1=9", "10-0-1=9", "10-0-1=9", "1-0-1=0"], total=1000, term=-1)


@case("sft.thought")
def a_carry_goes_on_through_nines_and_gets_no_step_of_its_own(digit_steps):
    expect(digit_steps(999, 1), ["9+1=10", "9+0+1=10", "9+0+1=10"], total=999, term=1)


@case("sft.thought")
def the_longer_number_decides_how_many_steps(digit_steps):
    expect(digit_steps(7, 1200), ["7+0=7", "0+0=0", "0+2=2", "0+1=1"], total=7, term=1200)
    expect(digit_steps(1200, 7), ["0+7=7", "0+0=0", "2+0=2", "1+0=1"], total=1200, term=7)


@case("sft.thought")
def nothing_and_nothing_is_a_step_too(digit_steps):
    expect(digit_steps(0, 0), ["0+0=0"], total=0, term=0)


@case("sft.thought")
def blocks_of_two_digits_carry_at_a_hundred(digit_steps):
    expect(digit_steps(396, 47, 2), ["96+47=143", "3+0+1=4"], total=396, term=47, block=2)
    expect(digit_steps(20501, 99, 2), ["1+99=100", "5+0+1=6", "2+0=2"], total=20501, term=99, block=2)
    expect(digit_steps(203, -4, 2), ["103-4=99", "2-0-1=1"], total=203, term=-4, block=2)


@case("sft.thought")
def small_digits_in_large_blocks_carry_nothing(digit_steps):
    expect(digit_steps(1206, 1307, 2), ["6+7=13", "12+13=25"], total=1206, term=1307, block=2)
    expect(digit_steps(99, 1, 3), ["99+1=100"], total=99, term=1, block=3)
    expect(digit_steps(999_999, 1, 3), ["999+1=1000", "999+0+1=1000"], total=999_999, term=1, block=3)
    expect(digit_steps(100_000, -1, 2), ["100-1=99", "100-0-1=99", "10-0-1=9"], total=100_000, term=-1, block=2)


@case("sft.thought")
def zero_on_one_side(digit_steps):
    for total, term, want in (
        (0, 12, ["0+2=2", "0+1=1"]),
        (12, 0, ["2+0=2", "1+0=1"]),
        (5, -5, ["5-5=0"]),
        (40, -40, ["0-0=0", "4-4=0"]),
        (10, -3, ["10-3=7", "1-0-1=0"]),
    ):
        expect(digit_steps(total, term), want, total=total, term=term)


@case("sft.thought")
def large_numbers_are_exact(digit_steps):
    for total, term in ((10**17 + 3, 9 * 10**17 + 9), (2 * 10**18, -(10**18 + 1))):
        expect(digit_steps(total, term), _by_hand(total, term), total=total, term=term)


@case("sft.thought", held_out=True)
def as_on_squared_paper(digit_steps):
    for _ in range(40):
        block = random.choice([1, 1, 2, 3])
        total, term = random.randrange(10 ** random.randint(1, 7)), random.randrange(10 ** random.randint(1, 7))
        if random.random() < 0.5:
            total, term = max(total, term), -min(total, term)
        expect(digit_steps(total, term, block), _by_hand(total, term, block), total=total, term=term, block=block)


# -- sft.loss_weights -------------------------------------------------------------------------------------


def _ints(*values):
    return torch.tensor(values)


@case("sft.loss_weights")
def two_documents_by_hand(loss_weights):
    want = torch.tensor([[0.0, 0.25, 0.25, 1, 1, 1], [0.0, 1, 1, 0, 0, 0]])
    expect(loss_weights(_ints(6, 3), _ints(3, 1), 0.25), want, sizes_B=[6, 3], prompts_B=[3, 1], prompt_weight=0.25)


@case("sft.loss_weights")
def the_reply_counts_from_its_first_token_to_its_last(loss_weights):
    got = loss_weights(_ints(8), _ints(5), 0.0)
    expect(got, torch.tensor([[0.0, 0, 0, 0, 0, 1, 1, 1]]), sizes_B=[8], prompts_B=[5], prompt_weight=0.0)


@case("sft.loss_weights")
def padding_never_counts(loss_weights):
    got = loss_weights(_ints(2, 7, 4), _ints(1, 2, 3), 0.5)
    assert isinstance(got, torch.Tensor) and got.shape == (3, 7), "a tensor [3, 7] was expected: 7 is the largest size"
    expect(got[0, 2:].sum() + got[2, 4:].sum(), torch.tensor(0.0), sizes_B=[2, 7, 4], prompts_B=[1, 2, 3])


@case("sft.loss_weights")
def the_first_token_never_counts(loss_weights):
    got = loss_weights(_ints(4, 4), _ints(0, 2), 1.0)
    expect(got, torch.tensor([[0.0, 1, 1, 1], [0.0, 1, 1, 1]]), sizes_B=[4, 4], prompts_B=[0, 2], prompt_weight=1.0)


@case("sft.loss_weights")
def a_document_may_be_all_question(loss_weights):
    got = loss_weights(_ints(3, 5), _ints(3, 4), 0.1)
    want = torch.tensor([[0.0, 0.1, 0.1, 0, 0], [0.0, 0.1, 0.1, 0.1, 1]])
    expect(got, want, sizes_B=[3, 5], prompts_B=[3, 4], prompt_weight=0.1)


@case("sft.loss_weights")
def a_document_of_one_token_has_nothing_to_predict(loss_weights):
    expect(loss_weights(_ints(1), _ints(1), 0.5), torch.zeros(1, 1), sizes_B=[1], prompts_B=[1], prompt_weight=0.5)


@case("sft.loss_weights")
def the_weights_are_float32_whatever_they_are_given_as(loss_weights):
    for w in (0, 1, 2, 0.5):
        want = torch.tensor([[0.0, float(w), 1.0, 1.0], [0.0, float(w), 0.0, 0.0]])
        expect(loss_weights(_ints(4, 2), _ints(2, 2), w), want, sizes_B=[4, 2], prompts_B=[2, 2], prompt_weight=w)
        expect(loss_weights(_ints(4, 2).int(), _ints(2, 2).int(), w), want, sizes_B="int32", prompt_weight=w)


@case("sft.loss_weights")
def the_longest_may_stand_anywhere(loss_weights):
    for sizes in ([2, 5, 3], [5, 2, 3], [2, 3, 5]):
        want = [[0.0] + [1.0] * (n - 1) + [0.0] * (5 - n) for n in sizes]
        expect(loss_weights(_ints(*sizes), _ints(1, 1, 1), 0.5), torch.tensor(want), sizes_B=sizes, prompts_B=[1, 1, 1])


@case("sft.loss_weights", held_out=True)
def token_by_token(loss_weights):
    for _ in range(5):
        sizes = [random.randint(1, 30) for _ in range(random.randint(1, 6))]
        prompts, w = [random.randint(1, n) for n in sizes], random.random()
        want = [
            [0.0 if t == 0 or t >= n else w if t < p else 1.0 for t in range(max(sizes))]
            for n, p in zip(sizes, prompts)
        ]
        expect(
            loss_weights(_ints(*sizes), _ints(*prompts), w),
            torch.tensor(want),
            sizes_B=sizes,
            prompts_B=prompts,
            prompt_weight=w,
        )


# -- sft.pad ---------------------------------------------------------------------------------------------


def _batch(ids, weight, valid):
    return [torch.tensor(ids), torch.tensor(weight), torch.tensor(valid)]


def _parts(result):
    """The tensors of a Batch, which has no doc_ids."""
    assert isinstance(result, Batch), f"a Batch was expected, got {type(result).__name__}"
    assert result.doc_ids_BT is None, "one document a row needs no doc_ids: doc_ids_BT is None"
    return [result.ids_BT, result.weight_BT, result.valid_BT]


@case("sft.pad")
def documents_end_where_they_end(pad_batch):
    docs, weights = [[5, 6, 7, 1], [8, 1]], [[0.0, 0.0, 1.0, 1.0], [0.0, 1.0]]
    valid = [[True] * 4, [True, True, False, False]]
    want = _batch([[5, 6, 7, 1], [8, 1, 9, 9]], [[0.0, 0, 1, 1], [0.0, 1, 0, 0]], valid)
    expect(_parts(pad_batch(docs, weights, 9)), want, docs=docs, weights=weights, pad_id=9)


@case("sft.pad")
def what_pads_may_be_a_token_of_the_text(pad_batch):
    docs, weights = [[5, 1, 7, 1], [8, 1]], [[0.0, 0.5, 1.0, 1.0], [0.0, 1.0]]
    valid = [[True] * 4, [True, True, False, False]]
    want = _batch([[5, 1, 7, 1], [8, 1, 1, 1]], [[0.0, 0.5, 1, 1], [0.0, 1, 0, 0]], valid)
    expect(_parts(pad_batch(docs, weights, 1)), want, docs=docs, weights=weights, pad_id=1)


@case("sft.pad")
def the_first_id_of_a_row_counts_nothing(pad_batch):
    docs, weights = [[4, 5, 6], [7]], [[3.0, 2.0, 1.0], [1.0]]
    want = _batch([[4, 5, 6], [7, 0, 0]], [[0.0, 2, 1], [0.0, 0, 0]], [[True] * 3, [True, False, False]])
    expect(_parts(pad_batch(docs, weights)), want, docs=docs, weights=weights, pad_id=0)


@case("sft.pad")
def without_weights_every_later_id_counts_one(pad_batch):
    docs = [[4, 5], [6, 0, 8]]
    want = _batch([[4, 5, 0], [6, 0, 8]], [[0.0, 1, 0], [0.0, 1, 1]], [[True, True, False], [True] * 3])
    expect(_parts(pad_batch(docs)), want, docs=docs, pad_id=0)


@case("sft.pad")
def an_empty_document_is_a_row_of_padding(pad_batch):
    want = _batch([[3, 4], [7, 7]], [[0.0, 1.0], [0.0, 0.0]], [[True, True], [False, False]])
    expect(_parts(pad_batch([[3, 4], []], None, 7)), want, docs=[[3, 4], []], pad_id=7)
    expect([z.shape for z in _parts(pad_batch([[], []], None, 7))], [torch.Size([2, 0])] * 3, docs=[[], []])


@case("sft.pad")
def no_documents_are_a_batch_without_rows(pad_batch):
    got = _parts(pad_batch([]))
    expect([z.shape for z in got], [torch.Size([0, 0])] * 3, docs=[])
    expect([z.dtype for z in got], [torch.int64, torch.float32, torch.bool], docs=[])


@case("sft.pad")
def weights_of_zero_and_ids_of_zero_are_text(pad_batch):
    docs, weights = [[0, 0, 0], [0]], [[0.0, 0.0, 0.0], [0.0]]
    want = _batch([[0, 0, 0], [0, 0, 0]], [[0.0] * 3] * 2, [[True] * 3, [True, False, False]])
    expect(_parts(pad_batch(docs, weights, 0)), want, docs=docs, weights=weights, pad_id=0)


@case("sft.pad")
def weights_may_be_whole_numbers(pad_batch):
    docs, weights = [[5, 6, 7], [8, 9]], [[0, 0, 1], [0, 1]]
    want = _batch([[5, 6, 7], [8, 9, 0]], [[0.0, 0.0, 1.0], [0.0, 1.0, 0.0]], [[True] * 3, [True, True, False]])
    got = _parts(pad_batch(docs, weights))
    expect([z.dtype for z in got], [torch.int64, torch.float32, torch.bool], docs=docs, weights=weights)
    expect(got, want, docs=docs, weights=weights)


@case("sft.pad")
def documents_of_several_lengths(pad_batch):
    docs, weights = [[4], [5, 6, 7, 8], [9, 9]], [[0.5], [0.25, 0.5, 0.75, 1.0], [2.0, 3.0]]
    want = _batch(
        [[4, 1, 1, 1], [5, 6, 7, 8], [9, 9, 1, 1]],
        [[0.0] * 4, [0.0, 0.5, 0.75, 1.0], [0.0, 3.0, 0.0, 0.0]],
        [[True, False, False, False], [True] * 4, [True, True, False, False]],
    )
    expect(_parts(pad_batch(docs, weights, 1)), want, docs=docs, weights=weights, pad_id=1)


@case("sft.pad", held_out=True)
def any_documents_with_any_padding(pad_batch):
    for _ in range(6):
        docs = [[random.randint(0, 3) for _ in range(random.randint(1, 9))] for _ in range(random.randint(1, 5))]
        weights, pad = [[random.random() for _ in doc] for doc in docs], random.randint(0, 3)
        longest = max(map(len, docs))
        want = _batch(
            [doc + [pad] * (longest - len(doc)) for doc in docs],
            [[0.0, *w[1:], *[0.0] * (longest - len(w))] for w in weights],
            [[True] * len(doc) + [False] * (longest - len(doc)) for doc in docs],
        )
        expect(_parts(pad_batch(docs, weights, pad)), want, docs=docs, weights=weights, pad_id=pad)


# -- sft.mask ------------------------------------------------------------------------------------


def _may_see(doc_ids):
    """Position by position, by asking twice: not later, and of the same document."""
    T = len(doc_ids[0])
    return torch.tensor([[[[s <= t and row[s] == row[t] for s in range(T)] for t in range(T)]] for row in doc_ids])


@case("sft.mask")
def two_documents_in_a_row_by_hand(document_mask):
    want = torch.tensor([[1, 0, 0, 0, 0], [1, 1, 0, 0, 0], [0, 0, 1, 0, 0], [0, 0, 1, 1, 0], [0, 0, 1, 1, 1]]).bool()
    expect(document_mask(torch.tensor([[1, 1, 2, 2, 2]])), want[None, None], doc_ids_BT=[[1, 1, 2, 2, 2]])


@case("sft.mask")
def one_document_sees_all_that_came_before(document_mask):
    expect(document_mask(torch.full((1, 6), 4)), torch.ones(6, 6).tril().bool()[None, None], doc_ids_BT=[[4] * 6])


@case("sft.mask")
def every_row_has_borders_of_its_own(document_mask):
    rows = [[1, 1, 1, 2, 2, 2, 3], [1, 2, 2, 2, 2, 3, 3], [1, 1, 1, 1, 1, 1, 1]]
    expect(document_mask(torch.tensor(rows)), _may_see(rows), doc_ids_BT=rows)


@case("sft.mask")
def the_numbers_say_nothing_but_same_or_other(document_mask):
    for rows in (
        [[7, 7, -3, -3, 40, 40], [0, 0, 0, 9, 9, 2]],
        [[3, 3, -3, -3, 0], [-1, 1, 1, 0, 0]],
        [[9, 9, 4, 4, 1]],
        [[2**40, 2**40, 2**40 + 1, 5]],
    ):
        expect(document_mask(torch.tensor(rows)), _may_see(rows), doc_ids_BT=rows)
    small = torch.tensor([[1, 1, 2]], dtype=torch.int32)
    expect(document_mask(small), _may_see([[1, 1, 2]]), doc_ids_BT="int32")


@case("sft.mask")
def equal_numbers_are_one_document_wherever_they_stand(document_mask):
    rows = [[1, 2, 1, 2, 2], [1, 2, 2, 1, 3]]
    expect(document_mask(torch.tensor(rows)), _may_see(rows), doc_ids_BT=rows)


@case("sft.mask")
def rows_of_one_token(document_mask):
    expect(document_mask(torch.tensor([[4], [0]])), torch.ones(2, 1, 1, 1, dtype=torch.bool), doc_ids_BT=[[4], [0]])


@case("sft.mask")
def padding_stays_among_itself(document_mask):
    rows = [[1, 1, 2, 2, 0, 0], [1, 1, 1, 0, 0, 0]]
    expect(document_mask(torch.tensor(rows)), _may_see(rows), doc_ids_BT=rows)


@case("sft.mask")
def every_position_sees_itself(document_mask):
    rows = [[1, 2, 3, 4], [5, 5, 0, 0]]
    got = document_mask(torch.tensor(rows))
    assert isinstance(got, torch.Tensor) and got.shape == (2, 1, 4, 4), "a mask [2, 1, 4, 4] was expected"
    expect(got.diagonal(dim1=-2, dim2=-1), torch.ones(2, 1, 4).bool(), doc_ids_BT=rows)


@case("sft.mask", held_out=True)
def random_rows_position_by_position(document_mask):
    for _ in range(4):
        B, T = random.randint(1, 4), random.randint(1, 12)
        rows = []
        for _ in range(B):
            numbers = random.sample(range(-9, 9), 4)
            rows.append([n for n in numbers for _ in range(T)][:: random.randint(1, 4)][:T])
        rows = [row + [row[-1]] * (T - len(row)) for row in rows]
        expect(document_mask(torch.tensor(rows)), _may_see(rows), doc_ids_BT=rows)
