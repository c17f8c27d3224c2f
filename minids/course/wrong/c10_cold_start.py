"""Chapter 10: plausible mistakes, and other right ways to write it."""

import itertools
from dataclasses import replace

import numpy as np
import torch

from minids.course.wrong import alternative, wrong
from minids.text.corpus import Batch, _weights

# -- sft.prompt ----------------------------------------------------------------------------------------------


@wrong(
    "sft.prompt",
    mistake="the prompt ended with the question, without the assistant's mark",
    ask="Who is to speak next, and by what does the model see it?",
    refused_by="one_question_by_hand",
)
def leaves_the_turn_open(tokenizer, question, history=()):
    t, ids = tokenizer, [tokenizer.bos_id]
    for asked, answered in history:
        ids += [t.user_id, *t.encode(asked), t.assistant_id]
        ids += [t.answer_id, *t.encode(answered), t.end_answer_id, t.eos_id]
    return [*ids, t.user_id, *t.encode(question)]


@wrong(
    "sft.prompt",
    mistake="earlier turns were left out",
    ask="What does the model know of the conversation if it is given the last question alone?",
    refused_by="earlier_turns_stand_before_the_question",
)
def forgets_the_history(tokenizer, question, history=()):
    return [tokenizer.bos_id, tokenizer.user_id, *tokenizer.encode(question), tokenizer.assistant_id]


@wrong(
    "sft.prompt",
    mistake="every turn began with the beginning of a document",
    ask="How many documents is a conversation?",
    refused_by="earlier_turns_stand_before_the_question",
)
def begins_with_every_turn(tokenizer, question, history=()):
    t, ids = tokenizer, []
    for asked, answered in history:
        ids += [t.bos_id, t.user_id, *t.encode(asked), t.assistant_id]
        ids += [t.answer_id, *t.encode(answered), t.end_answer_id, t.eos_id]
    return [*ids, t.bos_id, t.user_id, *t.encode(question), t.assistant_id]


@wrong(
    "sft.prompt",
    mistake="earlier answers had no end",
    ask="By which token did the model say, in each earlier turn, that it was done?",
    refused_by="earlier_turns_stand_before_the_question",
)
def answers_without_an_end(tokenizer, question, history=()):
    t, ids = tokenizer, [tokenizer.bos_id]
    for asked, answered in history:
        ids += [t.user_id, *t.encode(asked), t.assistant_id, t.answer_id, *t.encode(answered), t.end_answer_id]
    return [*ids, t.user_id, *t.encode(question), t.assistant_id]


@wrong(
    "sft.prompt",
    mistake="earlier answers stood there without their tags",
    ask="What does a reply without a thought look like in the template?",
    refused_by="earlier_turns_stand_before_the_question",
)
def answers_without_tags(tokenizer, question, history=()):
    t, ids = tokenizer, [tokenizer.bos_id]
    for asked, answered in history:
        ids += [t.user_id, *t.encode(asked), t.assistant_id, *t.encode(answered), t.eos_id]
    return [*ids, t.user_id, *t.encode(question), t.assistant_id]


@wrong(
    "sft.prompt",
    mistake="the newest turn came first",
    ask="In which order does a reader meet the turns of a conversation?",
    refused_by="the_oldest_turn_comes_first",
)
def newest_turn_first(tokenizer, question, history=()):
    t, ids = tokenizer, [tokenizer.bos_id]
    for asked, answered in reversed(list(history)):
        ids += [t.user_id, *t.encode(asked), t.assistant_id]
        ids += [t.answer_id, *t.encode(answered), t.end_answer_id, t.eos_id]
    return [*ids, t.user_id, *t.encode(question), t.assistant_id]


@wrong(
    "sft.prompt",
    mistake="the whole prompt were written as text and encoded with its marks",
    ask="What becomes of a question that spells <｜Assistant｜>?",
    refused_by="no_question_can_forge_a_mark",
)
def one_text_with_marks(tokenizer, question, history=()):
    turns = "".join(
        f"<｜User｜>{asked}<｜Assistant｜><answer>{answered}</answer><｜end▁of▁sentence｜>"
        for asked, answered in history
    )
    text = f"<｜begin▁of▁sentence｜>{turns}<｜User｜>{question}<｜Assistant｜>"
    return tokenizer.encode(text, allow_special=True)


@wrong(
    "sft.prompt",
    mistake="the assistant's mark were ordinary text",
    ask="Into how many tokens does `encode` cut a mark's name?",
    refused_by="one_question_by_hand",
)
def marks_as_text(tokenizer, question, history=()):
    t, ids = tokenizer, [tokenizer.bos_id]
    for asked, answered in history:
        ids += [t.user_id, *t.encode(asked), *t.encode("<｜Assistant｜>")]
        ids += [t.answer_id, *t.encode(answered), t.end_answer_id, t.eos_id]
    return [*ids, t.user_id, *t.encode(question), *t.encode("<｜Assistant｜>")]


@wrong(
    "sft.prompt",
    mistake="marks had the ids of one certain tokenizer",
    ask="Which attributes of the tokenizer hold the ids of its marks?",
    refused_by="marks_have_the_ids_that_the_tokenizer_gives_them",
)
def ids_by_heart(tokenizer, question, history=()):
    ids = [0]
    for asked, answered in history:
        ids += [3, *tokenizer.encode(asked), 4, 7, *tokenizer.encode(answered), 8, 1]
    return [*ids, 3, *tokenizer.encode(question), 4]


@wrong(
    "sft.prompt",
    mistake="the history had to be a list",
    ask="An iterator has no length and cannot be indexed. What can be done with it?",
    refused_by="any_iterable_is_a_history",
)
def indexes_the_history(tokenizer, question, history=()):
    t, ids = tokenizer, [tokenizer.bos_id]
    for k in range(len(history)):
        asked, answered = history[k]
        ids += [t.user_id, *t.encode(asked), t.assistant_id]
        ids += [t.answer_id, *t.encode(answered), t.end_answer_id, t.eos_id]
    return [*ids, t.user_id, *t.encode(question), t.assistant_id]


@wrong(
    "sft.prompt",
    mistake="blanks at the edges of a text are taken away",
    ask="Is the text that somebody typed yours to change? What of a line end at its end?",
    refused_by="texts_are_encoded_as_they_are",
)
def strips_the_texts(tokenizer, question, history=()):
    t = tokenizer
    ids = [t.bos_id]
    for asked, answered in history:
        ids += [t.user_id, *t.encode(asked.strip()), t.assistant_id]
        ids += [t.answer_id, *t.encode(answered.strip()), t.end_answer_id, t.eos_id]
    return [*ids, t.user_id, *t.encode(question.strip()), t.assistant_id]


@wrong(
    "sft.prompt",
    mistake="an earlier answer ended its thought itself",
    ask="history holds answers. What is lost of one that spells </think>?",
    refused_by="texts_are_encoded_as_they_are",
)
def cuts_at_the_tag(tokenizer, question, history=()):
    t, ids = tokenizer, [tokenizer.bos_id]
    for asked, answered in history:
        ids += [t.user_id, *t.encode(asked), t.assistant_id]
        ids += [t.answer_id, *t.encode(answered.split("</think>")[-1]), t.end_answer_id, t.eos_id]
    return [*ids, t.user_id, *t.encode(question), t.assistant_id]


@alternative("sft.prompt")
def joined_from_turns(tokenizer, question, history=()):
    t = tokenizer
    turns = [
        [t.user_id, *t.encode(q), t.assistant_id, t.answer_id, *t.encode(a), t.end_answer_id, t.eos_id]
        for q, a in history
    ]
    return list(itertools.chain([t.bos_id], *turns, [t.user_id], t.encode(question), [t.assistant_id]))


@alternative("sft.prompt")
def piece_by_piece(tokenizer, question, history=()):
    special = tokenizer.specials
    pieces = ["<｜begin▁of▁sentence｜>"]
    for asked, answered in history:
        pieces += ["<｜User｜>", (asked,), "<｜Assistant｜>"]
        pieces += ["<answer>", (answered,), "</answer>", "<｜end▁of▁sentence｜>"]
    ids = []
    for piece in [*pieces, "<｜User｜>", (question,), "<｜Assistant｜>"]:
        ids.extend(tokenizer.encode(piece[0]) if isinstance(piece, tuple) else [special[piece]])
    return ids


# -- sft.thought ------------------------------------------------------------------------------------------


def _columns(total, term, block=1, *, carries=True, borrow=None, least=1, length=max, last=False, base=None):
    """The steps with one thing to change."""
    sign, other, size = ("-" if term < 0 else "+"), abs(term), 10**block
    limit = size if base is None else base
    steps, carry, place = [], 0, 1
    while place <= length(total, other):
        a, b = total // place % size, other // place % size
        said = f"{sign}1" if carry and carries else ""
        if sign == "+":
            value = a + b + (carry if carries else 0)
            carry = int(value >= limit)
        else:
            taken = borrow(a, b, carry) if borrow else int(a < b + carry)
            a += taken * limit
            value, carry = a - b - (carry if carries else 0), taken
        steps.append(f"{a}{sign}{b}{said}={value}")
        place *= size
    if last and carry:
        steps.append(f"0{sign}0{sign}1={carry}")
    return steps or [f"0{sign}0=0"] * least


@wrong(
    "sft.thought",
    mistake="carries were forgotten",
    ask="6+7 is 13. Where does the 1 of the 13 go?",
    refused_by="a_sum_from_the_right_with_its_carries",
)
def forgets_carries(total, term, block=1):
    return _columns(total, term, block, carries=False)


@wrong(
    "sft.thought",
    mistake="only the result's last digit were said",
    ask="How does the next step know that there is something to carry, if no step says so?",
    refused_by="a_sum_from_the_right_with_its_carries",
)
def says_the_digit_alone(total, term, block=1):
    steps = _columns(total, term, block)
    return [f"{s.split('=')[0]}={int(s.split('=')[1]) % 10**block}" for s in steps]


@wrong(
    "sft.thought",
    mistake="it went from the left to the right",
    ask="Which column has to be finished before the others, because they need its carry?",
    refused_by="a_sum_from_the_right_with_its_carries",
)
def from_the_left(total, term, block=1):
    return _columns(total, term, block)[::-1]


@wrong(
    "sft.thought",
    mistake="a digit that lends nothing to itself could still lend on",
    ask="In 1000-1, what do the zeros in the middle owe, and what do they have?",
    refused_by="a_borrow_goes_on_through_zeros",
)
def borrows_once(total, term, block=1):
    return _columns(total, term, block, borrow=lambda a, b, carry: int(a < b))


@wrong(
    "sft.thought",
    mistake="the smaller digit were always taken from the larger",
    ask="Is 3-8 the same as 8-3?",
    refused_by="a_difference_borrows_and_pays_back",
)
def smaller_from_larger(total, term, block=1):
    if term >= 0:
        return _columns(total, term, block)
    steps, place, base = [], 1, 10**block
    while place <= max(total, -term):
        a, b = sorted((total // place % base, -term // place % base), reverse=True)
        steps.append(f"{a}-{b}={a - b}")
        place *= base
    return steps or ["0-0=0"]


@wrong(
    "sft.thought",
    mistake="it stopped with the shorter number",
    ask="What becomes of the digits that stand alone in their columns?",
    refused_by="the_longer_number_decides_how_many_steps",
)
def stops_with_the_shorter(total, term, block=1):
    return _columns(total, term, block, length=min)


@wrong(
    "sft.thought",
    mistake="only the first number decided how many steps there are",
    ask="Which of the two numbers is longer in 7+1200?",
    refused_by="the_longer_number_decides_how_many_steps",
)
def as_long_as_the_total(total, term, block=1):
    return _columns(total, term, block, length=lambda a, b: a)


@wrong(
    "sft.thought",
    mistake="the last carry had a step of its own",
    ask="999+1 has three columns. How many steps are promised?",
    refused_by="a_carry_goes_on_through_nines_and_gets_no_step_of_its_own",
)
def a_step_for_the_last_carry(total, term, block=1):
    return _columns(total, term, block, last=True)


@wrong(
    "sft.thought",
    mistake="a carry were made at ten, whatever the block",
    ask="How large may a block of two digits become before something is carried?",
    refused_by="blocks_of_two_digits_carry_at_a_hundred",
)
def carries_at_ten(total, term, block=1):
    return _columns(total, term, block, base=10)


@wrong(
    "sft.thought",
    mistake="blocks were written with zeros in front",
    ask="What does int() make of the two digits 05?",
    refused_by="blocks_of_two_digits_carry_at_a_hundred",
)
def zeros_in_front(total, term, block=1):
    out = []
    for step in _columns(total, term, block):
        left, value = step.split("=")
        sign = "-" if term < 0 else "+"
        a, b, *said = left.split(sign)
        out.append(sign.join([a.zfill(block), b.zfill(block), *said]) + "=" + value)
    return out


@wrong(
    "sft.thought",
    mistake="nothing and nothing took no step",
    ask="What does a thought about 0+0 say?",
    refused_by="nothing_and_nothing_is_a_step_too",
)
def no_step_for_nothing(total, term, block=1):
    return _columns(total, term, block, least=0)


@alternative("sft.thought")
def with_divmod(total, term, block=1):
    base, steps, over, upper, lower = 10**block, [], 0, total, abs(term)
    while upper or lower or not steps:
        (upper, a), (lower, b) = divmod(upper, base), divmod(lower, base)
        if term < 0:
            value = a - b - over
            lent = int(value < 0)
            steps.append(f"{a + base * lent}-{b}{'-1' if over else ''}={value + base * lent}")
            over = lent
        else:
            steps.append(f"{a}+{b}{'+1' if over else ''}={a + b + over}")
            over = (a + b + over) // base
    return steps


@alternative("sft.thought")
def from_the_digits_as_text(total, term, block=1):
    def blocks(n):
        text = str(n) if n else ""
        ends = range(len(text), 0, -block)
        return [int(text[max(0, end - block) : end]) for end in ends]

    steps, over, sign = [], 0, "-" if term < 0 else "+"
    for a, b in itertools.zip_longest(blocks(total), blocks(abs(term)), fillvalue=0):
        said = f"{sign}1" * over
        if sign == "-":
            was, over = over, a - over < b
            a, over = (a + 10**block, 1) if over else (a, 0)
            steps.append(f"{a}-{b}{said}={a - b - was}")
        else:
            value = a + b + over
            steps.append(f"{a}+{b}{said}={value}")
            over = 1 if value >= 10**block else 0
    return steps if steps else [f"0{sign}0=0"]


# -- sft.loss_weights -------------------------------------------------------------------------------------


def _weighed(sizes, prompts, inside, first=0.0):
    """A row a document: inside(column, size, prompt) says what a column counts."""
    T = int(sizes.max())
    rows = [[float(inside(t, n, p)) for t in range(T)] for n, p in zip(sizes.tolist(), prompts.tolist())]
    weight = torch.tensor(rows)
    if first is not None:
        weight[:, 0] = first
    return weight


@wrong(
    "sft.loss_weights",
    mistake="the whole document counted in full, question and all",
    ask="Who writes the question: the model, or the person who asks?",
    refused_by="two_documents_by_hand",
)
def question_in_full(sizes_B, prompts_B, prompt_weight):
    return _weighed(sizes_B, prompts_B, lambda t, n, p: t < n)


@wrong(
    "sft.loss_weights",
    mistake="the question never counted, whatever is asked for",
    ask="What is `prompt_weight` for?",
    refused_by="two_documents_by_hand",
)
def question_never(sizes_B, prompts_B, prompt_weight):
    return _weighed(sizes_B, prompts_B, lambda t, n, p: p <= t < n)


@wrong(
    "sft.loss_weights",
    mistake="the reply's first token belonged to the question",
    ask="The question takes the places 0 to p - 1. At which place does the reply begin?",
    refused_by="the_reply_counts_from_its_first_token_to_its_last",
)
def one_too_late(sizes_B, prompts_B, prompt_weight):
    return _weighed(sizes_B, prompts_B, lambda t, n, p: 0 if t >= n else prompt_weight if t <= p else 1)


@wrong(
    "sft.loss_weights",
    mistake="the question's last token counted as the reply's",
    ask="Weight t is that of predicting token t. Which token is the first one of the reply?",
    refused_by="the_reply_counts_from_its_first_token_to_its_last",
)
def one_too_early(sizes_B, prompts_B, prompt_weight):
    return _weighed(sizes_B, prompts_B, lambda t, n, p: 0 if t >= n else prompt_weight if t < p - 1 else 1)


@wrong(
    "sft.loss_weights",
    mistake="the last token of a document had no weight",
    ask="Which token is the last one, and what does a model do that never learned to write it?",
    refused_by="the_reply_counts_from_its_first_token_to_its_last",
)
def stop_token_left_out(sizes_B, prompts_B, prompt_weight):
    return _weighed(sizes_B, prompts_B, lambda t, n, p: 0 if t >= n - 1 else prompt_weight if t < p else 1)


@wrong(
    "sft.loss_weights",
    mistake="padding counted like a reply",
    ask="What would the model learn to write after a short document that stands beside a long one?",
    refused_by="padding_never_counts",
)
def padding_counts(sizes_B, prompts_B, prompt_weight):
    return _weighed(sizes_B, prompts_B, lambda t, n, p: prompt_weight if t < p else 1)


@wrong(
    "sft.loss_weights",
    mistake="one token of padding counted, the first behind the document",
    ask="A document of n tokens takes the places 0 to n - 1. What stands at place n?",
    refused_by="padding_never_counts",
)
def one_token_of_padding(sizes_B, prompts_B, prompt_weight):
    return _weighed(sizes_B, prompts_B, lambda t, n, p: 0 if t > n else prompt_weight if t < p else 1)


@wrong(
    "sft.loss_weights",
    mistake="the first token counted too",
    ask="From which tokens would the first one of a row be predicted?",
    refused_by="the_first_token_never_counts",
)
def first_token_counts(sizes_B, prompts_B, prompt_weight):
    return _weighed(sizes_B, prompts_B, lambda t, n, p: 0 if t >= n else prompt_weight if t < p else 1, first=None)


@wrong(
    "sft.loss_weights",
    mistake="every question were as long as the longest",
    ask="Where does the reply of the shorter question begin?",
    refused_by="two_documents_by_hand",
)
def longest_question_for_all(sizes_B, prompts_B, prompt_weight):
    longest = int(prompts_B.max())
    return _weighed(sizes_B, prompts_B, lambda t, n, p: 0 if t >= n else prompt_weight if t < longest else 1)


@wrong(
    "sft.loss_weights",
    mistake="the weights of a document were made to sum to 1",
    ask="Who divides by the sum of all weights, and over which documents?",
    refused_by="two_documents_by_hand",
)
def sums_to_one(sizes_B, prompts_B, prompt_weight):
    weight = _weighed(sizes_B, prompts_B, lambda t, n, p: 0 if t >= n else prompt_weight if t < p else 1)
    return weight / weight.sum(1, keepdim=True).clamp(min=1e-9)


@wrong(
    "sft.loss_weights",
    mistake="question and reply had changed places",
    ask="Which of the two is the model to learn?",
    refused_by="two_documents_by_hand",
)
def the_wrong_way_round(sizes_B, prompts_B, prompt_weight):
    return _weighed(sizes_B, prompts_B, lambda t, n, p: 0 if t >= n else 1 if t < p else prompt_weight)


@alternative("sft.loss_weights")
def row_by_row(sizes_B, prompts_B, prompt_weight):
    weight_BT = torch.zeros(len(sizes_B), int(sizes_B.max()))
    for row, size, prompt in zip(weight_BT, sizes_B.tolist(), prompts_B.tolist()):
        row[1:prompt] = prompt_weight
        row[max(prompt, 1) : size] = 1.0
    return weight_BT


@alternative("sft.loss_weights")
def by_multiplying_masks(sizes_B, prompts_B, prompt_weight):
    column_T = torch.arange(sizes_B.max().item()).expand(len(sizes_B), -1)
    text_BT = (column_T < sizes_B.unsqueeze(1)) & (column_T > 0)
    asked_BT = (column_T < prompts_B.unsqueeze(1)).float()
    return text_BT.float() * (asked_BT * prompt_weight + (1 - asked_BT))


# -- sft.pad ---------------------------------------------------------------------------------------------


@wrong(
    "sft.pad",
    mistake="every token that looks like padding were padding",
    ask="By what is a stop token told from padding if both have one id?",
    refused_by="what_pads_may_be_a_token_of_the_text",
)
def padding_known_by_its_id(docs, weights=None, pad_id=0):
    shape = len(docs), max(map(len, docs), default=0)
    ids_BT, weight_BT = np.full(shape, pad_id, np.int64), np.zeros(shape, np.float32)
    for b, doc in enumerate(docs):
        ids_BT[b, : len(doc)] = doc
        weight_BT[b, 1 : len(doc)] = _weights(docs, weights, b)[1:]  # nothing stands before the first id
    # padding is no text, and counts nothing
    valid_BT = ids_BT != pad_id
    weight_BT[~valid_BT] = 0.0
    return Batch(*map(torch.from_numpy, (ids_BT, weight_BT, valid_BT)))


def _padded(docs, weights, pad_id, *, left=False, first=0.0, cut=None, weigh=None, valid=None, doc_ids=None):
    """The batch with one thing to change."""
    longest = max(map(len, docs), default=0)
    longest = min(longest, cut(docs)) if cut else longest
    rows = []
    for b, doc in enumerate(docs):
        given = [1.0] * len(doc) if weights is None else list(weights[b])
        given = ([given[0] if first is None else first, *given[1:]] if given else [])[:longest]
        ids, empty = list(doc)[:longest], longest - len(doc[:longest])
        real = [True] * len(ids) if valid is None else [valid(i, w) for i, w in zip(ids, given)]
        if weigh:
            given = [weigh(t, w, len(ids)) for t, w in enumerate(given)]
        parts = [(ids, given, real), ([pad_id] * empty, [0.0] * empty, [False] * empty)]
        a, z = parts[::-1] if left else parts
        rows.append([x + y for x, y in zip(a, z)])
    shape = len(docs), longest
    ids, weight, real = (list(column) for column in zip(*rows)) if rows else ([], [], [])
    return Batch(
        torch.tensor(ids, dtype=torch.int64).view(shape),
        torch.tensor(weight).float().view(shape),
        torch.tensor(real, dtype=torch.bool).view(shape),
        None if doc_ids is None else doc_ids(torch.tensor(real).view(shape)),
    )


@wrong(
    "sft.pad",
    mistake="what has no weight were padding",
    ask="Does the model read a question whose weight is 0?",
    refused_by="documents_end_where_they_end",
)
def padding_known_by_its_weight(docs, weights=None, pad_id=0):
    return _padded(docs, weights, pad_id, valid=lambda i, w: w > 0)


@wrong(
    "sft.pad",
    mistake="weights that were given as whole numbers stayed whole numbers",
    ask="Of which type is weight_BT, whatever the weights are made of?",
    refused_by="weights_may_be_whole_numbers",
)
def weights_of_the_type_given(docs, weights=None, pad_id=0):
    batch = _padded(docs, weights, pad_id)
    whole = any(weights or []) and all(isinstance(w, int) for row in weights for w in row)
    return replace(batch, weight_BT=batch.weight_BT.long()) if whole else batch


@wrong(
    "sft.pad",
    mistake="the padding stood on the left",
    ask="At which position does every document begin in training?",
    refused_by="documents_end_where_they_end",
)
def padding_on_the_left(docs, weights=None, pad_id=0):
    return _padded(docs, weights, pad_id, left=True)


@wrong(
    "sft.pad",
    mistake="all rows were cut to the shortest document",
    ask="What happens to the ends of the longer documents, and to their stop tokens?",
    refused_by="documents_end_where_they_end",
)
def cut_to_the_shortest(docs, weights=None, pad_id=0):
    return _padded(docs, weights, pad_id, cut=lambda docs: min(map(len, docs)))


@wrong(
    "sft.pad",
    mistake="the first id of a document counted as given",
    ask="From which tokens would the first one of a row be predicted?",
    refused_by="the_first_id_of_a_row_counts_nothing",
)
def first_id_counts(docs, weights=None, pad_id=0):
    return _padded(docs, weights, pad_id, first=None)


@wrong(
    "sft.pad",
    mistake="weights were moved to the position that predicts",
    ask="`weight[t]` is the weight of predicting which token: t, or t + 1? (`targets_ahead` moves it later.)",
    refused_by="documents_end_where_they_end",
)
def weights_already_moved(docs, weights=None, pad_id=0):
    batch = _padded(docs, weights, pad_id)
    moved = torch.nn.functional.pad(batch.weight_BT[:, 1:], (0, 1))
    return Batch(batch.ids_BT, moved, batch.valid_BT)


@wrong(
    "sft.pad",
    mistake="the last token of each document counted nothing",
    ask="Which token is the last one, and what does a model do that never learned to write it?",
    refused_by="documents_end_where_they_end",
)
def last_token_counts_nothing(docs, weights=None, pad_id=0):
    return _padded(docs, weights, pad_id, weigh=lambda t, w, n: w if t < n - 1 else 0.0)


@wrong(
    "sft.pad",
    mistake="padding counted as text",
    ask="Which positions of the mask say that they are no text?",
    refused_by="documents_end_where_they_end",
)
def padding_is_valid(docs, weights=None, pad_id=0):
    batch = _padded(docs, weights, pad_id)
    return Batch(batch.ids_BT, batch.weight_BT, torch.ones_like(batch.valid_BT))


@wrong(
    "sft.pad",
    mistake="every weight were 0 or 1",
    ask="What becomes of a weight of one half?",
    refused_by="what_pads_may_be_a_token_of_the_text",
)
def weights_as_yes_or_no(docs, weights=None, pad_id=0):
    return _padded(docs, weights, pad_id, weigh=lambda t, w, n: float(w > 0))


@wrong(
    "sft.pad",
    mistake="it always padded with zeros",
    ask="What is `pad_id` for?",
    refused_by="documents_end_where_they_end",
)
def always_zeros(docs, weights=None, pad_id=0):
    return _padded(docs, weights, 0)


@wrong(
    "sft.pad",
    mistake="the documents themselves were made longer",
    ask="Whose lists does `append` change?",
    refused_by="documents_end_where_they_end",
)
def lengthens_the_documents(docs, weights=None, pad_id=0):
    batch = _padded(docs, weights, pad_id)
    for doc in docs:
        doc += [pad_id] * (batch.ids_BT.shape[1] - len(doc))
    return batch


@alternative("sft.pad")
def from_lengths(docs, weights=None, pad_id=0):
    lengths = torch.tensor([len(doc) for doc in docs], dtype=torch.int64)
    longest = int(lengths.max()) if docs else 0
    valid_BT = torch.arange(longest) < lengths[:, None]
    ids_BT = torch.full(valid_BT.shape, pad_id)
    weight_BT = torch.zeros(valid_BT.shape)
    if docs:
        ids_BT[valid_BT] = torch.tensor([i for doc in docs for i in doc], dtype=torch.int64)
        given = [_weights(docs, weights, b)[: len(doc)] for b, doc in enumerate(docs)]
        weight_BT[valid_BT] = torch.tensor([w for row in given for w in row], dtype=torch.float32)
        weight_BT[:, :1] = 0
    return Batch(ids_BT, weight_BT, valid_BT)


@alternative("sft.pad")
def as_lists(docs, weights=None, pad_id=0):
    longest = max([len(doc) for doc in docs] or [0])
    ids, weight, valid = [], [], []
    for b, doc in enumerate(docs):
        rest = longest - len(doc)
        ids.append([*doc, *[pad_id] * rest])
        weight.append([*[0.0] * min(1, len(doc)), *_weights(docs, weights, b)[1:], *[0.0] * rest])
        valid.append([True] * len(doc) + [False] * rest)
    shape = (len(docs), longest)
    return Batch(
        torch.tensor(ids, dtype=torch.int64).reshape(shape),
        torch.tensor(weight, dtype=torch.float32).reshape(shape),
        torch.tensor(valid, dtype=torch.bool).reshape(shape),
    )


# -- sft.mask ------------------------------------------------------------------------------------


def _same(doc_ids_BT):
    return doc_ids_BT[:, :, None] == doc_ids_BT[:, None, :]


def _causal(doc_ids_BT, diagonal=0):
    T = doc_ids_BT.shape[1]
    return torch.ones(T, T, dtype=torch.bool, device=doc_ids_BT.device).tril(diagonal)


@wrong(
    "sft.mask",
    mistake="documents could see the ones before them in the row",
    ask="What does the second document know of the first one?",
    refused_by="two_documents_in_a_row_by_hand",
)
def causal_alone(doc_ids_BT):
    return _causal(doc_ids_BT).expand(len(doc_ids_BT), 1, -1, -1).clone()


@wrong(
    "sft.mask",
    mistake="positions could see later ones of their own document",
    ask="A position is to predict the next token. May it see it?",
    refused_by="two_documents_in_a_row_by_hand",
)
def sees_the_future(doc_ids_BT):
    return _same(doc_ids_BT)[:, None]


@wrong(
    "sft.mask",
    mistake="a document could see all that have smaller numbers",
    ask="Do the numbers have an order, or do they only tell documents apart?",
    refused_by="two_documents_in_a_row_by_hand",
)
def smaller_numbers_too(doc_ids_BT):
    return ((doc_ids_BT[:, :, None] >= doc_ids_BT[:, None, :]) & _causal(doc_ids_BT))[:, None]


@wrong(
    "sft.mask",
    mistake="a position did not see itself",
    ask="What does the first position of a document see, if not itself?",
    refused_by="two_documents_in_a_row_by_hand",
)
def not_oneself(doc_ids_BT):
    return (_same(doc_ids_BT) & _causal(doc_ids_BT, -1))[:, None]


@wrong(
    "sft.mask",
    mistake="queries and keys had changed places",
    ask="Which of the two last dimensions is the position that looks?",
    refused_by="two_documents_in_a_row_by_hand",
)
def the_other_way_round(doc_ids_BT):
    return (_same(doc_ids_BT) & _causal(doc_ids_BT)).transpose(1, 2)[:, None]


@wrong(
    "sft.mask",
    mistake="True meant hidden, not visible",
    ask="In this library a mask says who may see. What does True stand for?",
    refused_by="two_documents_in_a_row_by_hand",
)
def hidden_is_true(doc_ids_BT):
    return ~(_same(doc_ids_BT) & _causal(doc_ids_BT))[:, None]


@wrong(
    "sft.mask",
    mistake="all rows had the borders of the first",
    ask="Do the documents of the second row end where those of the first do?",
    refused_by="every_row_has_borders_of_its_own",
)
def borders_of_the_first_row(doc_ids_BT):
    return (_same(doc_ids_BT[:1]) & _causal(doc_ids_BT)).expand(len(doc_ids_BT), -1, -1)[:, None].clone()


@wrong(
    "sft.mask",
    mistake="padding saw nothing at all, not even itself",
    ask="What is the softmax of a row of scores that are all minus infinity?",
    refused_by="padding_stays_among_itself",
)
def padding_sees_nothing(doc_ids_BT):
    real = doc_ids_BT[:, :, None] > 0
    return (_same(doc_ids_BT) & _causal(doc_ids_BT) & real)[:, None]


@wrong(
    "sft.mask",
    mistake="the dimension for the heads were missing",
    ask="Scores are [B, H, T, T]. Which shape can be spread over all heads?",
    refused_by="two_documents_in_a_row_by_hand",
)
def no_place_for_heads(doc_ids_BT):
    return _same(doc_ids_BT) & _causal(doc_ids_BT)


@wrong(
    "sft.mask",
    mistake="the mask held numbers to be added to the scores",
    ask="The library's masks say who may see. Of which dtype is a yes or a no?",
    refused_by="two_documents_in_a_row_by_hand",
)
def added_to_the_scores(doc_ids_BT):
    seen = (_same(doc_ids_BT) & _causal(doc_ids_BT))[:, None]
    return torch.zeros(seen.shape).masked_fill(~seen, float("-inf"))


@alternative("sft.mask")
def by_positions(doc_ids_BT):
    t = torch.arange(doc_ids_BT.shape[1], device=doc_ids_BT.device)
    same = doc_ids_BT.unsqueeze(2).eq(doc_ids_BT.unsqueeze(1))
    return same.logical_and(t.unsqueeze(1) >= t).unsqueeze(1)


@wrong(
    "sft.mask",
    mistake="a number that comes again later began another document",
    ask="In the row 1 2 1: which positions have equal numbers, and what does the docstring say of those?",
    refused_by="equal_numbers_are_one_document_wherever_they_stand",
)
def from_where_each_document_begins(doc_ids_BT):
    B, T = doc_ids_BT.shape
    t = torch.arange(T, device=doc_ids_BT.device)
    new = torch.ones_like(doc_ids_BT, dtype=torch.bool)
    new[:, 1:] = doc_ids_BT[:, 1:] != doc_ids_BT[:, :-1]
    begin = torch.where(new, t, 0).cummax(1).values
    return ((t >= begin[:, :, None]) & (t <= t[:, None]))[:, None]


@alternative("sft.mask")
def position_by_position(doc_ids_BT):
    B, T = doc_ids_BT.shape
    mask = torch.zeros(B, 1, T, T, dtype=torch.bool, device=doc_ids_BT.device)
    for t in range(T):
        mask[:, 0, t, : t + 1] = doc_ids_BT[:, : t + 1] == doc_ids_BT[:, t : t + 1]
    return mask
