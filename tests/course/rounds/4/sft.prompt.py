"""sft.prompt"""
from itertools import chain


def wrong_1(tokenizer, question, history=()):
    "a BOS before every turn"
    t = tokenizer
    ids = []
    for asked, answered in history:
        ids += [t.bos_id, t.user_id, *t.encode(asked), t.assistant_id]
        ids += [t.answer_id, *t.encode(answered), t.end_answer_id, t.eos_id]
    return ids + [t.bos_id, t.user_id, *t.encode(question), t.assistant_id]


def wrong_2(tokenizer, question, history=()):
    "earlier turns do not end with EOS"
    t = tokenizer
    ids = [t.bos_id]
    for asked, answered in history:
        ids += [t.user_id, *t.encode(asked), t.assistant_id, t.answer_id, *t.encode(answered), t.end_answer_id]
    return ids + [t.user_id, *t.encode(question), t.assistant_id]


def wrong_3(tokenizer, question, history=()):
    "the newest turn first"
    t = tokenizer
    ids = [t.bos_id]
    for asked, answered in list(history)[::-1]:
        ids += [t.user_id, *t.encode(asked), t.assistant_id]
        ids += [t.answer_id, *t.encode(answered), t.end_answer_id, t.eos_id]
    return ids + [t.user_id, *t.encode(question), t.assistant_id]


def wrong_4(tokenizer, question, history=()):
    "one text with the marks in it, read with allow_special: a question that spells a mark forges one"
    text = "<｜begin▁of▁sentence｜>"
    for asked, answered in history:
        text += f"<｜User｜>{asked}<｜Assistant｜><answer>{answered}</answer><｜end▁of▁sentence｜>"
    return tokenizer.encode(text + f"<｜User｜>{question}<｜Assistant｜>", allow_special=True)


def wrong_5(tokenizer, question, history=()):
    "the open turn ends with <answer>, so that the model cannot think"
    t = tokenizer
    ids = [t.bos_id]
    for asked, answered in history:
        ids += [t.user_id, *t.encode(asked), t.assistant_id]
        ids += [t.answer_id, *t.encode(answered), t.end_answer_id, t.eos_id]
    return ids + [t.user_id, *t.encode(question), t.assistant_id, t.answer_id]


def wrong_6(tokenizer, question, history=()):
    "blanks at the ends of the texts are taken off"
    t = tokenizer
    ids = [t.bos_id]
    for asked, answered in history:
        ids += [t.user_id, *t.encode(asked.strip()), t.assistant_id]
        ids += [t.answer_id, *t.encode(answered.strip()), t.end_answer_id, t.eos_id]
    return ids + [t.user_id, *t.encode(question.strip()), t.assistant_id]


def wrong_7(tokenizer, question, history=()):
    "goes through history twice: of a generator (or zip) nothing is left the second time"
    t = tokenizer
    questions = [asked for asked, _ in history]
    answers = [answered for _, answered in history]
    ids = [t.bos_id]
    for asked, answered in zip(questions, answers):
        ids += [t.user_id, *t.encode(asked), t.assistant_id]
        ids += [t.answer_id, *t.encode(answered), t.end_answer_id, t.eos_id]
    return ids + [t.user_id, *t.encode(question), t.assistant_id]


def wrong_8(tokenizer, question, history=()):
    "cuts a thought off the earlier answer: an answer that spells </think> loses what stands before it"
    t = tokenizer
    ids = [t.bos_id]
    for asked, answered in history:
        answered = answered.split("</think>")[-1]
        ids += [t.user_id, *t.encode(asked), t.assistant_id]
        ids += [t.answer_id, *t.encode(answered), t.end_answer_id, t.eos_id]
    return ids + [t.user_id, *t.encode(question), t.assistant_id]


def wrong_9(tokenizer, question, history=()):
    "the answer's tags are encoded as ordinary text together with it, not as single ids"
    t = tokenizer
    ids = [t.bos_id]
    for asked, answered in history:
        ids += [t.user_id, *t.encode(asked), t.assistant_id]
        ids += [*t.encode(f"<answer>{answered}</answer>"), t.eos_id]
    return ids + [t.user_id, *t.encode(question), t.assistant_id]


def wrong_10(tokenizer, question, history=()):
    "the earlier answers are read with allow_special: one that spells <｜User｜> opens a turn"
    t = tokenizer
    ids = [t.bos_id]
    for asked, answered in history:
        ids += [t.user_id, *t.encode(asked), t.assistant_id]
        ids += [t.answer_id, *t.encode(answered, allow_special=True), t.end_answer_id, t.eos_id]
    return ids + [t.user_id, *t.encode(question), t.assistant_id]


def right_1(tokenizer, question, history=()):
    "itertools.chain and a generator of turns"
    t = tokenizer
    turns = (
        [t.user_id]
        + t.encode(q)
        + [t.assistant_id, t.answer_id]
        + t.encode(a)
        + [t.end_answer_id, t.eos_id]
        for q, a in history
    )
    return list(chain([t.bos_id], *turns, [t.user_id], t.encode(question), [t.assistant_id]))


def right_2(tokenizer, question, history=()):
    "hint 2: an earlier turn is a document without a thought, less its BOS"
    ids = [tokenizer.bos_id]
    for asked, answered in history:
        document, _ = document_ids(tokenizer, asked, None, answered)
        ids.extend(document[1:])
    ids.append(tokenizer.user_id)
    ids.extend(tokenizer.encode(question))
    ids.append(tokenizer.assistant_id)
    return ids


def right_3(tokenizer, question, history=()):
    "recursion over the turns: what was asked before, its answer, and the new question"
    history = list(history)
    opened = [tokenizer.user_id] + list(tokenizer.encode(question)) + [tokenizer.assistant_id]
    if not history:
        return [tokenizer.bos_id] + opened
    asked, answered = history.pop()
    closed = [tokenizer.answer_id] + list(tokenizer.encode(answered)) + [tokenizer.end_answer_id, tokenizer.eos_id]
    return right_3(tokenizer, asked, history) + closed + opened


def right_4(tokenizer, question, history=()):
    "a list of marks and texts, encoded at the end"
    t = tokenizer
    pieces = [t.bos_id]
    for turn in history:
        pieces.extend((t.user_id, turn[0], t.assistant_id, t.answer_id, turn[1], t.end_answer_id, t.eos_id))
    pieces.extend((t.user_id, question, t.assistant_id))
    ids = []
    for piece in pieces:
        if isinstance(piece, str):
            ids.extend(t.encode(piece))
        else:
            ids.append(piece)
    return ids
