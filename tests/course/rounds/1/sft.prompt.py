"""sft.prompt"""
from itertools import chain

def wrong_1(tokenizer, question, history=()):
    "no EOS after an earlier answer"
    t = tokenizer
    ids = [t.bos_id]
    for q, a in history:
        ids += [t.user_id, *t.encode(q), t.assistant_id, t.answer_id, *t.encode(a), t.end_answer_id]
    return ids + [t.user_id, *t.encode(question), t.assistant_id]

def wrong_2(tokenizer, question, history=()):
    "BOS before every turn"
    t = tokenizer
    ids = []
    for q, a in history:
        ids += [t.bos_id, t.user_id, *t.encode(q), t.assistant_id, t.answer_id, *t.encode(a), t.end_answer_id, t.eos_id]
    return ids + [t.bos_id, t.user_id, *t.encode(question), t.assistant_id]

def wrong_3(tokenizer, question, history=()):
    "one text encoded with allow_special=True: a mark spelled by the question becomes a mark"
    text = "<｜begin▁of▁sentence｜>"
    for q, a in history:
        text += f"<｜User｜>{q}<｜Assistant｜><answer>{a}</answer><｜end▁of▁sentence｜>"
    text += f"<｜User｜>{question}<｜Assistant｜>"
    return tokenizer.encode(text, allow_special=True)

def wrong_4(tokenizer, question, history=()):
    "answers of earlier turns without their tags"
    t = tokenizer
    ids = [t.bos_id]
    for q, a in history:
        ids += [t.user_id, *t.encode(q), t.assistant_id, *t.encode(a), t.eos_id]
    return ids + [t.user_id, *t.encode(question), t.assistant_id]

def wrong_5(tokenizer, question, history=()):
    "history newest first"
    t = tokenizer
    ids = [t.bos_id]
    for q, a in list(history)[::-1]:
        ids += [t.user_id, *t.encode(q), t.assistant_id, t.answer_id, *t.encode(a), t.end_answer_id, t.eos_id]
    return ids + [t.user_id, *t.encode(question), t.assistant_id]

def wrong_6(tokenizer, question, history=()):
    "indexes history by len(): a generator of pairs fails"
    t = tokenizer
    ids = [t.bos_id]
    for i in range(len(history)):
        q, a = history[i]
        ids += [t.user_id, *t.encode(q), t.assistant_id, t.answer_id, *t.encode(a), t.end_answer_id, t.eos_id]
    return ids + [t.user_id, *t.encode(question), t.assistant_id]

def wrong_7(tokenizer, question, history=()):
    "strips the texts before encoding"
    t = tokenizer
    ids = [t.bos_id]
    for q, a in history:
        ids += [t.user_id, *t.encode(q.strip()), t.assistant_id, t.answer_id, *t.encode(a.strip()), t.end_answer_id, t.eos_id]
    return ids + [t.user_id, *t.encode(question.strip()), t.assistant_id]

def wrong_8(tokenizer, question, history=()):
    "answers encoded with allow_special=True, as they 'come from the model': an answer that spells </answer> ends itself"
    t = tokenizer
    ids = [t.bos_id]
    for q, a in history:
        ids += [t.user_id, *t.encode(q), t.assistant_id, t.answer_id, *t.encode(a, allow_special=True), t.end_answer_id, t.eos_id]
    return ids + [t.user_id, *t.encode(question), t.assistant_id]

def wrong_9(tokenizer, question, history=()):
    "<think> is opened behind the last mark"
    t = tokenizer
    ids = [t.bos_id]
    for q, a in history:
        ids += [t.user_id, *t.encode(q), t.assistant_id, t.answer_id, *t.encode(a), t.end_answer_id, t.eos_id]
    return ids + [t.user_id, *t.encode(question), t.assistant_id, t.think_id]

def wrong_10(tokenizer, question, history=()):
    "skips turns whose answer is empty"
    t = tokenizer
    ids = [t.bos_id]
    for q, a in history:
        if a:
            ids += [t.user_id, *t.encode(q), t.assistant_id, t.answer_id, *t.encode(a), t.end_answer_id, t.eos_id]
    return ids + [t.user_id, *t.encode(question), t.assistant_id]

def right_1(tokenizer, question, history=()):
    "append and extend"
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
    "a helper for what is asked, chained"
    def ask(text):
        return [tokenizer.user_id] + tokenizer.encode(text) + [tokenizer.assistant_id]
    def reply(text):
        return [tokenizer.answer_id] + tokenizer.encode(text) + [tokenizer.end_answer_id, tokenizer.eos_id]
    turns = [ask(q) + reply(a) for q, a in history]
    return list(chain([tokenizer.bos_id], *turns, ask(question)))

def right_3(tokenizer, question, history=()):
    "the open question as a turn without an answer (None)"
    t, ids = tokenizer, [tokenizer.bos_id]
    for q, a in [*history, (question, None)]:
        ids += [t.user_id] + t.encode(q) + [t.assistant_id]
        if a is not None:
            ids += [t.answer_id] + t.encode(a) + [t.end_answer_id] + [t.eos_id]
    return ids

def right_4(tokenizer, question, history=()):
    "recursion from the last turn"
    *before, last = [*history, None]
    tail = [tokenizer.user_id, *tokenizer.encode(question), tokenizer.assistant_id]
    while before:
        q, a = before.pop()
        tail = [tokenizer.user_id, *tokenizer.encode(q), tokenizer.assistant_id, tokenizer.answer_id,
                *tokenizer.encode(a), tokenizer.end_answer_id, tokenizer.eos_id, *tail]
    return [tokenizer.bos_id, *tail]
