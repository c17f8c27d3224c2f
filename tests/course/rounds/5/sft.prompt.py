"""sft.prompt"""
from itertools import chain


def wrong_1(tokenizer, question, history=()):
    "the newest turn comes first"
    # breaks: "pairs, oldest first" - two turns of history
    t = tokenizer
    ids = [t.bos_id]
    for asked, answered in reversed(list(history)):
        ids += [t.user_id, *t.encode(asked), t.assistant_id]
        ids += [t.answer_id, *t.encode(answered), t.end_answer_id, t.eos_id]
    return [*ids, t.user_id, *t.encode(question), t.assistant_id]


def wrong_2(tokenizer, question, history=()):
    "every turn begins with its own BOS"
    # breaks: "BOS [<user> question ... EOS] ... <user> question <assistant>" (one BOS) - any history
    t = tokenizer
    ids = []
    for asked, answered in history:
        ids += [t.bos_id, t.user_id, *t.encode(asked), t.assistant_id]
        ids += [t.answer_id, *t.encode(answered), t.end_answer_id, t.eos_id]
    return [*ids, t.bos_id, t.user_id, *t.encode(question), t.assistant_id]


def wrong_3(tokenizer, question, history=()):
    "earlier turns do not end with EOS"
    # breaks: "[<user> question <assistant> <answer> answer </answer> EOS]" - any history
    t = tokenizer
    ids = [t.bos_id]
    for asked, answered in history:
        ids += [t.user_id, *t.encode(asked), t.assistant_id, t.answer_id, *t.encode(answered), t.end_answer_id]
    return [*ids, t.user_id, *t.encode(question), t.assistant_id]


def wrong_4(tokenizer, question, history=()):
    "earlier answers stand without their tags"
    # breaks: "<answer> answer </answer> EOS" - any history
    t = tokenizer
    ids = [t.bos_id]
    for asked, answered in history:
        ids += [t.user_id, *t.encode(asked), t.assistant_id, *t.encode(answered), t.eos_id]
    return [*ids, t.user_id, *t.encode(question), t.assistant_id]


def wrong_5(tokenizer, question, history=()):
    "texts are encoded with allow_special=True: a question that spells a mark forges it"
    # breaks: "as ordinary text: a mark that it spells stays text" - question "What is </answer>?"
    t = tokenizer

    def encode(text):
        return t.encode(text, allow_special=True)

    ids = [t.bos_id]
    for asked, answered in history:
        ids += [t.user_id, *encode(asked), t.assistant_id, t.answer_id, *encode(answered), t.end_answer_id, t.eos_id]
    return [*ids, t.user_id, *encode(question), t.assistant_id]


def wrong_6(tokenizer, question, history=()):
    "len() and [i] of the history, which may be any iterable: TypeError for a generator or zip(...)"
    # breaks: "history: Iterable[tuple[str, str]]" - history=zip(["1+1"], ["2"])
    t = tokenizer
    ids = [t.bos_id]
    for i in range(len(history)):
        ids += [t.user_id, *t.encode(history[i][0]), t.assistant_id]
        ids += [t.answer_id, *t.encode(history[i][1]), t.end_answer_id, t.eos_id]
    return [*ids, t.user_id, *t.encode(question), t.assistant_id]


def wrong_7(tokenizer, question, history=()):
    "blanks and line ends around texts are taken off"
    # breaks: "Each text is encoded by itself" (as it is) - question " 12+7\n"
    t = tokenizer
    ids = [t.bos_id]
    for asked, answered in history:
        ids += [t.user_id, *t.encode(asked.strip()), t.assistant_id]
        ids += [t.answer_id, *t.encode(answered.strip()), t.end_answer_id, t.eos_id]
    return [*ids, t.user_id, *t.encode(question.strip()), t.assistant_id]


def wrong_8(tokenizer, question, history=()):
    "the open question is appended to the caller's history"
    # breaks: arguments left unchanged - history=[("1+1", "2")] has two turns after the call, the second without an answer
    t = tokenizer
    turns = history or []
    if isinstance(turns, list):
        turns.append((question, None))
    else:
        turns = [*turns, (question, None)]
    ids = [t.bos_id]
    for asked, answered in turns:
        ids += [t.user_id, *t.encode(asked), t.assistant_id]
        if answered is not None:
            ids += [t.answer_id, *t.encode(answered), t.end_answer_id, t.eos_id]
    return ids


def wrong_9(tokenizer, question, history=()):
    "a turn with an empty answer has no answer block and no end"
    # breaks: "<user> question <assistant> <answer> answer </answer> EOS" (for each turn) - history=[("hello", "")]
    t = tokenizer
    ids = [t.bos_id]
    for asked, answered in history:
        ids += [t.user_id, *t.encode(asked), t.assistant_id]
        if answered:
            ids += [t.answer_id, *t.encode(answered), t.end_answer_id, t.eos_id]
    return [*ids, t.user_id, *t.encode(question), t.assistant_id]


def wrong_10(tokenizer, question, history=()):
    "an answer that spells </think> loses what stands before it"
    # breaks: "a mark that it spells stays text" - history=[("How does a thought end?", "With </think>, always.")]
    t = tokenizer
    ids = [t.bos_id]
    for asked, answered in history:
        answered = answered.split("</think>")[-1]  # without the thought
        ids += [t.user_id, *t.encode(asked), t.assistant_id]
        ids += [t.answer_id, *t.encode(answered), t.end_answer_id, t.eos_id]
    return [*ids, t.user_id, *t.encode(question), t.assistant_id]


def right_1(tokenizer, question, history=()):
    "one list, appended to and extended"
    ids = []
    ids.append(tokenizer.bos_id)
    for pair in history:
        ids.append(tokenizer.user_id)
        ids.extend(tokenizer.encode(pair[0]))
        ids.append(tokenizer.assistant_id)
        ids.append(tokenizer.answer_id)
        ids.extend(tokenizer.encode(pair[1]))
        ids.append(tokenizer.end_answer_id)
        ids.append(tokenizer.eos_id)
    ids.append(tokenizer.user_id)
    ids.extend(tokenizer.encode(question))
    ids.append(tokenizer.assistant_id)
    return ids


def right_2(tokenizer, question, history=()):
    "recursion: a prompt is that of the turns before, the last answer, and the question"
    t, turns = tokenizer, list(history)
    if not turns:
        before = [t.bos_id]
    else:
        asked, answered = turns[-1]
        before = right_2(t, asked, turns[:-1]) + [t.answer_id] + t.encode(answered) + [t.end_answer_id, t.eos_id]
    return before + [t.user_id] + t.encode(question) + [t.assistant_id]


def right_3(tokenizer, question, history=()):
    "a list of parts, marks and encoded texts, chained at the end"
    parts = [[tokenizer.bos_id]]
    for asked, answered in history:
        parts += [[tokenizer.user_id], tokenizer.encode(asked), [tokenizer.assistant_id, tokenizer.answer_id]]
        parts += [tokenizer.encode(answered), [tokenizer.end_answer_id, tokenizer.eos_id]]
    parts += [[tokenizer.user_id], tokenizer.encode(question), [tokenizer.assistant_id]]
    return list(chain.from_iterable(parts))


def right_4(tokenizer, question, history=()):
    "a helper for the user's part, a comprehension over turns, sum of lists"
    t = tokenizer

    def said(text):
        return [t.user_id, *t.encode(text), t.assistant_id]

    turns = [said(q) + [t.answer_id, *t.encode(a), t.end_answer_id, t.eos_id] for q, a in history]
    return [t.bos_id] + sum(turns, []) + said(question)
