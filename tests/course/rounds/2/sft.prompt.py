"""sft.prompt"""


def wrong_1(tokenizer, question, history=()):
    "BOS in front of every turn"
    t, ids = tokenizer, []
    for q, a in history:
        ids += [t.bos_id, t.user_id, *t.encode(q), t.assistant_id, t.answer_id, *t.encode(a), t.end_answer_id, t.eos_id]
    return ids + [t.bos_id, t.user_id, *t.encode(question), t.assistant_id]


def wrong_2(tokenizer, question, history=()):
    "earlier answers do not end with EOS"
    t = tokenizer
    ids = [t.bos_id]
    for q, a in history:
        ids += [t.user_id, *t.encode(q), t.assistant_id, t.answer_id, *t.encode(a), t.end_answer_id]
    return ids + [t.user_id, *t.encode(question), t.assistant_id]


def wrong_3(tokenizer, question, history=()):
    "earlier answers without their tags"
    t = tokenizer
    ids = [t.bos_id]
    for q, a in history:
        ids += [t.user_id, *t.encode(q), t.assistant_id, *t.encode(a), t.eos_id]
    return ids + [t.user_id, *t.encode(question), t.assistant_id]


def wrong_4(tokenizer, question, history=()):
    "the youngest turn comes first"
    t = tokenizer
    ids = [t.bos_id]
    for q, a in reversed(list(history)):
        ids += [t.user_id, *t.encode(q), t.assistant_id, t.answer_id, *t.encode(a), t.end_answer_id, t.eos_id]
    return ids + [t.user_id, *t.encode(question), t.assistant_id]


def wrong_5(tokenizer, question, history=()):
    "history is counted with len: an iterator is no list"
    t = tokenizer
    ids = [t.bos_id]
    for i in range(len(history)):
        q, a = history[i]
        ids += [t.user_id, *t.encode(q), t.assistant_id, t.answer_id, *t.encode(a), t.end_answer_id, t.eos_id]
    return ids + [t.user_id, *t.encode(question), t.assistant_id]


def wrong_6(tokenizer, question, history=()):
    "question and answer are encoded in one go and cut: merges can cross their border; here tags are put around one encode of both texts"
    t = tokenizer
    ids = [t.bos_id]
    for q, a in history:
        both = t.encode(q + a)
        n = len(t.encode(q))
        ids += [t.user_id, *both[:n], t.assistant_id, t.answer_id, *both[n:], t.end_answer_id, t.eos_id]
    return ids + [t.user_id, *t.encode(question), t.assistant_id]


def wrong_7(tokenizer, question, history=()):
    "earlier answers go through `earlier`: an answer that spells </think> or has blanks around it is changed"
    t = tokenizer
    ids = [t.bos_id]
    for q, a in history:
        ids += [t.user_id, *t.encode(q), t.assistant_id, t.answer_id, *t.encode(earlier(a)), t.end_answer_id, t.eos_id]
    return ids + [t.user_id, *t.encode(question), t.assistant_id]


def wrong_8(tokenizer, question, history=()):
    "texts are stripped: a question with a blank or line end at its edge is changed"
    t = tokenizer
    ids = [t.bos_id]
    for q, a in history:
        ids += [t.user_id, *t.encode(q.strip()), t.assistant_id, t.answer_id, *t.encode(a.strip()), t.end_answer_id, t.eos_id]
    return ids + [t.user_id, *t.encode(question.strip()), t.assistant_id]


def wrong_9(tokenizer, question, history=()):
    "only the last turn of the history is kept"
    t = tokenizer
    ids = [t.bos_id]
    for q, a in list(history)[-1:]:
        ids += [t.user_id, *t.encode(q), t.assistant_id, t.answer_id, *t.encode(a), t.end_answer_id, t.eos_id]
    return ids + [t.user_id, *t.encode(question), t.assistant_id]


def wrong_10(tokenizer, question, history=()):
    "marks that a text spells become marks (allow_special=True): a question can forge a turn"
    t = tokenizer
    ids = [t.bos_id]
    for q, a in history:
        ids += [t.user_id, *t.encode(q, allow_special=True), t.assistant_id]
        ids += [t.answer_id, *t.encode(a, allow_special=True), t.end_answer_id, t.eos_id]
    return ids + [t.user_id, *t.encode(question, allow_special=True), t.assistant_id]


def right_1(tokenizer, question, history=()):
    "a helper for a user's turn, append and extend"
    def user(text):
        return [tokenizer.user_id] + list(tokenizer.encode(text)) + [tokenizer.assistant_id]
    out = [tokenizer.bos_id]
    for asked, answered in history:
        out.extend(user(asked))
        out.append(tokenizer.answer_id)
        out.extend(tokenizer.encode(answered))
        out.append(tokenizer.end_answer_id)
        out.append(tokenizer.eos_id)
    out.extend(user(question))
    return out


def right_2(tokenizer, question, history=()):
    "one comprehension over the turns"
    t = tokenizer
    turns = [i for q, a in history
             for i in (t.user_id, *t.encode(q), t.assistant_id, t.answer_id, *t.encode(a), t.end_answer_id, t.eos_id)]
    return [t.bos_id, *turns, t.user_id, *t.encode(question), t.assistant_id]


def right_3(tokenizer, question, history=()):
    "recursion: the open question of all but the last turn, then its answer"
    t, turns = tokenizer, list(history)
    if not turns:
        return [t.bos_id, t.user_id, *t.encode(question), t.assistant_id]
    *before, (asked, answered) = turns
    head = right_3(t, asked, before) + [t.answer_id, *t.encode(answered), t.end_answer_id, t.eos_id]
    return head + [t.user_id, *t.encode(question), t.assistant_id]


def right_4(tokenizer, question, history=()):
    "a list of marks and texts, encoded at the end"
    t = tokenizer
    parts = [t.bos_id]
    for asked, answered in history:
        parts += [t.user_id, asked, t.assistant_id, t.answer_id, answered, t.end_answer_id, t.eos_id]
    parts += [t.user_id, question, t.assistant_id]
    ids = []
    for part in parts:
        if isinstance(part, str):
            ids += t.encode(part)
        else:
            ids.append(part)
    return ids
