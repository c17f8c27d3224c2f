"""chat.document_ids"""


def _doc(t, question, thought, answer, encode=None, prompt=None):
    encode = encode or t.encode
    prompt = prompt_ids(t, question) if prompt is None else prompt
    ids, line = list(prompt), encode("\n")
    if thought is not None:
        ids += [*line, t.think_id, *line, *encode(thought), *line, t.end_think_id, *line]
    return [*ids, t.answer_id, *encode(answer), t.end_answer_id, t.eos_id], len(prompt)


def wrong_1(tokenizer, question, thought, answer):
    "an empty thought is taken for none"
    return _doc(tokenizer, question, thought or None, answer)


def wrong_2(tokenizer, question, thought, answer):
    "thought and line breaks encoded together: other ids where a break merges with its neighbour"
    t = tokenizer
    prompt = prompt_ids(t, question)
    ids = [*prompt]
    if thought is not None:
        ids += [*t.encode("\n"), t.think_id, *t.encode("\n" + thought + "\n"), t.end_think_id, *t.encode("\n")]
    return [*ids, t.answer_id, *t.encode(answer), t.end_answer_id, t.eos_id], len(prompt)


def wrong_3(tokenizer, question, thought, answer):
    "marks that thought or answer spell become marks: allow_special=True"
    return _doc(tokenizer, question, thought, answer, encode=lambda s: tokenizer.encode(s, allow_special=True))


def wrong_4(tokenizer, question, thought, answer):
    "the question may forge marks: the prompt is made from text with allow_special=True"
    prompt = [*tokenizer.encode(f"{BOS_MARK}<｜User｜>{question}<｜Assistant｜>", allow_special=True)]
    return _doc(tokenizer, question, thought, answer, prompt=prompt)


BOS_MARK = "<｜begin▁of▁sentence｜>"


def wrong_5(tokenizer, question, thought, answer):
    "the tags are encoded as text instead of single ids"
    t = tokenizer
    prompt = prompt_ids(t, question)
    line = t.encode("\n")
    think = [] if thought is None else [*line, *t.encode("<think>"), *line, *t.encode(thought), *line, *t.encode("</think>"), *line]
    return [*prompt, *think, *t.encode("<answer>"), *t.encode(answer), *t.encode("</answer>"), t.eos_id], len(prompt)


def wrong_6(tokenizer, question, thought, answer):
    "the prompt's length counts the opening of the thought as well"
    ids, n = _doc(tokenizer, question, thought, answer)
    return ids, n if thought is None else ids.index(tokenizer.think_id) + 1


def wrong_7(tokenizer, question, thought, answer):
    "blanks around thought and answer are taken off"
    return _doc(tokenizer, question, None if thought is None else thought.strip(), answer.strip())


def wrong_8(tokenizer, question, thought, answer):
    "no EOS"
    ids, n = _doc(tokenizer, question, thought, answer)
    return ids[:-1], n


def wrong_9(tokenizer, question, thought, answer):
    "without a thought, a line break stands before <answer>"
    ids, n = _doc(tokenizer, question, thought, answer)
    if thought is None:
        ids[n:n] = tokenizer.encode("\n")
    return ids, n


def wrong_10(tokenizer, question, thought, answer):
    "no line break between </think> and <answer>"
    t = tokenizer
    prompt, line = prompt_ids(t, question), t.encode("\n")
    think = [] if thought is None else [*line, t.think_id, *line, *t.encode(thought), *line, t.end_think_id]
    return [*prompt, *think, t.answer_id, *t.encode(answer), t.end_answer_id, t.eos_id], len(prompt)


def right_1(tokenizer, question, thought, answer):
    "the prompt written out"
    t = tokenizer
    ids = [t.bos_id, t.user_id] + t.encode(question) + [t.assistant_id]
    n = len(ids)
    if thought is not None:
        for part in ("\n", t.think_id, "\n", thought, "\n", t.end_think_id, "\n"):
            ids += [part] if isinstance(part, int) else t.encode(part)
    ids += [t.answer_id] + t.encode(answer) + [t.end_answer_id, t.eos_id]
    return ids, n


def right_2(tokenizer, question, thought, answer):
    "extend and append, early branch"
    ids = list(prompt_ids(tokenizer, question))
    length = len(ids)
    line_break = tokenizer.encode("\n")
    if not (thought is None):
        ids.extend(line_break)
        ids.append(tokenizer.think_id)
        ids.extend(line_break)
        ids.extend(tokenizer.encode(thought))
        ids.extend(line_break)
        ids.append(tokenizer.end_think_id)
        ids.extend(line_break)
    ids.append(tokenizer.answer_id)
    ids.extend(tokenizer.encode(answer))
    ids.append(tokenizer.end_answer_id)
    ids.append(tokenizer.eos_id)
    return ids, length


def right_3(tokenizer, question, thought, answer):
    "recursion: the thought is put into the document without one"
    t = tokenizer
    if thought is not None:
        ids, n = right_3(t, question, None, answer)
        br = t.encode("\n")
        return ids[:n] + br + [t.think_id] + br + t.encode(thought) + br + [t.end_think_id] + br + ids[n:], n
    prompt = prompt_ids(t, question)
    return prompt + [t.answer_id] + t.encode(answer) + [t.end_answer_id, t.eos_id], len(prompt)


def right_4(tokenizer, question, thought, answer):
    "special_id by name"
    mark = tokenizer.special_id
    prompt = prompt_ids(tokenizer, question)
    reply = []
    if thought is not None:
        nl = tokenizer.encode("\n")
        reply = nl + [mark(THINK)] + nl + tokenizer.encode(thought) + nl + [mark(END_THINK)] + nl
    reply = reply + [mark(ANSWER)] + tokenizer.encode(answer) + [mark(END_ANSWER), mark(EOS)]
    return prompt + reply, len(prompt)
