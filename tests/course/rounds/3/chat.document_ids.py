"""chat.document_ids"""


def _reply(t, think, answer):
    return [*think, t.answer_id, *t.encode(answer), t.end_answer_id, t.eos_id]


def wrong_1(tokenizer, question, thought, answer):
    'an empty thought "" is taken as none'
    t = tokenizer
    prompt, line, think = prompt_ids(t, question), t.encode("\n"), []
    if thought:
        think = [*line, t.think_id, *line, *t.encode(thought), *line, t.end_think_id, *line]
    return prompt + _reply(t, think, answer), len(prompt)


def wrong_2(tokenizer, question, thought, answer):
    "the thought is encoded together with its line breaks: another id where a word ends with one ('done.\\n')"
    t = tokenizer
    prompt, line, think = prompt_ids(t, question), t.encode("\n"), []
    if thought is not None:
        think = [*line, t.think_id, *t.encode(f"\n{thought}\n"), t.end_think_id, *line]
    return prompt + _reply(t, think, answer), len(prompt)


def wrong_3(tokenizer, question, thought, answer):
    "the whole reply as one text with allow_special: a mark that thought or answer spell becomes a mark"
    t = tokenizer
    prompt = prompt_ids(t, question)
    text = "" if thought is None else f"\n<think>\n{thought}\n</think>\n"
    text += f"<answer>{answer}</answer>"
    return [*prompt, *t.encode(text, allow_special=True), t.eos_id], len(prompt)


def wrong_4(tokenizer, question, thought, answer):
    "no end: EOS is missing"
    t = tokenizer
    prompt, line, think = prompt_ids(t, question), t.encode("\n"), []
    if thought is not None:
        think = [*line, t.think_id, *line, *t.encode(thought), *line, t.end_think_id, *line]
    return prompt + _reply(t, think, answer)[:-1], len(prompt)


def wrong_5(tokenizer, question, thought, answer):
    "the length of the whole document: the list grew in place before it was measured"
    t = tokenizer
    ids = prompt = prompt_ids(t, question)
    line = t.encode("\n")
    if thought is not None:
        ids += [*line, t.think_id, *line, *t.encode(thought), *line, t.end_think_id, *line]
    ids += [t.answer_id, *t.encode(answer), t.end_answer_id, t.eos_id]
    return ids, len(prompt)


def wrong_6(tokenizer, question, thought, answer):
    "no line break between </think> and <answer>"
    t = tokenizer
    prompt, line, think = prompt_ids(t, question), t.encode("\n"), []
    if thought is not None:
        think = [*line, t.think_id, *line, *t.encode(thought), *line, t.end_think_id]
    return prompt + _reply(t, think, answer), len(prompt)


def wrong_7(tokenizer, question, thought, answer):
    "the line break behind <｜Assistant｜> counts as prompt (differs with a thought)"
    t = tokenizer
    prompt, line, think = prompt_ids(t, question), t.encode("\n"), []
    if thought is not None:
        prompt = prompt + line
        think = [t.think_id, *line, *t.encode(thought), *line, t.end_think_id, *line]
    return prompt + _reply(t, think, answer), len(prompt)


def wrong_8(tokenizer, question, thought, answer):
    "blanks around thought and answer are taken off"
    t = tokenizer
    prompt, line, think = prompt_ids(t, question), t.encode("\n"), []
    if thought is not None:
        think = [*line, t.think_id, *line, *t.encode(thought.strip()), *line, t.end_think_id, *line]
    return prompt + _reply(t, think, answer.strip()), len(prompt)


def wrong_9(tokenizer, question, thought, answer):
    "without a thought a line break stands before <answer>"
    t = tokenizer
    prompt, line = prompt_ids(t, question), t.encode("\n")
    think = [*line]
    if thought is not None:
        think = [*line, t.think_id, *line, *t.encode(thought), *line, t.end_think_id, *line]
    return prompt + _reply(t, think, answer), len(prompt)


def wrong_10(tokenizer, question, thought, answer):
    "ids of the default marks written as numbers (differs for a tokenizer with other special tokens)"
    t = tokenizer
    prompt, line, think = prompt_ids(t, question), t.encode("\n"), []
    if thought is not None:
        think = [*line, 5, *line, *t.encode(thought), *line, 6, *line]
    return [*prompt, *think, 7, *t.encode(answer), 8, 1], len(prompt)


def right_1(tokenizer, question, thought, answer):
    "early return without a thought"
    prompt = prompt_ids(tokenizer, question)
    end = [tokenizer.answer_id] + tokenizer.encode(answer) + [tokenizer.end_answer_id, tokenizer.eos_id]
    if thought is None:
        return prompt + end, len(prompt)
    nl = tokenizer.encode("\n")
    middle = nl + [tokenizer.think_id] + nl + tokenizer.encode(thought) + nl + [tokenizer.end_think_id] + nl
    return prompt + middle + end, len(prompt)


def right_2(tokenizer, question, thought, answer):
    "the prompt by hand, a list that grows"
    ids = [tokenizer.bos_id, tokenizer.user_id]
    ids.extend(tokenizer.encode(question))
    ids.append(tokenizer.assistant_id)
    n = len(ids)
    if thought is not None:
        for part in ("\n", tokenizer.think_id, "\n", thought, "\n", tokenizer.end_think_id, "\n"):
            ids.extend(tokenizer.encode(part) if isinstance(part, str) else [part])
    ids.append(tokenizer.answer_id)
    ids.extend(tokenizer.encode(answer))
    ids.extend((tokenizer.end_answer_id, tokenizer.eos_id))
    return ids, n


def right_3(tokenizer, question, thought, answer):
    "parts as lists, joined by sum"
    t = tokenizer
    parts = [prompt_ids(t, question)]
    if thought is not None:
        parts += [t.encode("\n"), [t.think_id], t.encode("\n"), t.encode(thought), t.encode("\n"), [t.end_think_id], t.encode("\n")]
    parts += [[t.answer_id], t.encode(answer), [t.end_answer_id], [t.eos_id]]
    return sum(parts, []), len(parts[0])


def right_4(tokenizer, question, thought, answer):
    "from back to front; ids of the marks from `specials`"
    marks = tokenizer.specials
    tail = [marks[ANSWER], *tokenizer.encode(answer), marks[END_ANSWER], marks[EOS]]
    if thought is not None:
        br = tokenizer.encode("\n")
        tail = br + [marks[THINK]] + br + tokenizer.encode(thought) + br + [marks[END_THINK]] + br + tail
    head = prompt_ids(tokenizer, question, ())
    return head + tail, len(head)
