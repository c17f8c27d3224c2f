"""chat.document_ids"""


def wrong_1(tokenizer, question, thought, answer):
    "'' is taken for no thought"
    t, prompt, line = tokenizer, prompt_ids(tokenizer, question), tokenizer.encode("\n")
    think = [*line, t.think_id, *line, *t.encode(thought), *line, t.end_think_id, *line] if thought else []
    return [*prompt, *think, t.answer_id, *t.encode(answer), t.end_answer_id, t.eos_id], len(prompt)


def wrong_2(tokenizer, question, thought, answer):
    "the thought is encoded together with its line breaks: at the edges other tokens come out"
    t, prompt, line = tokenizer, prompt_ids(tokenizer, question), tokenizer.encode("\n")
    think = [] if thought is None else [*line, t.think_id, *t.encode(f"\n{thought}\n"), t.end_think_id, *line]
    return [*prompt, *think, t.answer_id, *t.encode(answer), t.end_answer_id, t.eos_id], len(prompt)


def wrong_3(tokenizer, question, thought, answer):
    "marks in the answer become marks (allow_special)"
    t, prompt, line = tokenizer, prompt_ids(tokenizer, question), tokenizer.encode("\n")
    think = [] if thought is None else [*line, t.think_id, *line, *t.encode(thought), *line, t.end_think_id, *line]
    return [*prompt, *think, t.answer_id, *t.encode(answer, allow_special=True), t.end_answer_id, t.eos_id], len(prompt)


def wrong_4(tokenizer, question, thought, answer):
    "no EOS at the end"
    t, prompt, line = tokenizer, prompt_ids(tokenizer, question), tokenizer.encode("\n")
    think = [] if thought is None else [*line, t.think_id, *line, *t.encode(thought), *line, t.end_think_id, *line]
    return [*prompt, *think, t.answer_id, *t.encode(answer), t.end_answer_id], len(prompt)


def wrong_5(tokenizer, question, thought, answer):
    "without a thought the line break before <answer> stays"
    t, prompt, line = tokenizer, prompt_ids(tokenizer, question), tokenizer.encode("\n")
    think = [*line] if thought is None else [*line, t.think_id, *line, *t.encode(thought), *line, t.end_think_id, *line]
    return [*prompt, *think, t.answer_id, *t.encode(answer), t.end_answer_id, t.eos_id], len(prompt)


def wrong_6(tokenizer, question, thought, answer):
    "the length counts BOS and question, not the assistant's mark: the loss falls on it"
    t, prompt, line = tokenizer, prompt_ids(tokenizer, question), tokenizer.encode("\n")
    think = [] if thought is None else [*line, t.think_id, *line, *t.encode(thought), *line, t.end_think_id, *line]
    return [*prompt, *think, t.answer_id, *t.encode(answer), t.end_answer_id, t.eos_id], len(prompt) - 1


def wrong_7(tokenizer, question, thought, answer):
    "no line break after </think>"
    t, prompt, line = tokenizer, prompt_ids(tokenizer, question), tokenizer.encode("\n")
    think = [] if thought is None else [*line, t.think_id, *line, *t.encode(thought), *line, t.end_think_id]
    return [*prompt, *think, t.answer_id, *t.encode(answer), t.end_answer_id, t.eos_id], len(prompt)


def wrong_8(tokenizer, question, thought, answer):
    "`+=` on the prompt list: the length that is returned is that of the whole document"
    t = tokenizer
    ids = prompt = prompt_ids(t, question)
    line = t.encode("\n")
    if thought is not None:
        ids += [*line, t.think_id, *line, *t.encode(thought), *line, t.end_think_id, *line]
    ids += [t.answer_id, *t.encode(answer), t.end_answer_id, t.eos_id]
    return ids, len(prompt)


def wrong_9(tokenizer, question, thought, answer):
    "strips thought and answer: their own spaces and line breaks are lost"
    t, prompt, line = tokenizer, prompt_ids(tokenizer, question), tokenizer.encode("\n")
    think = [] if thought is None else [*line, t.think_id, *line, *t.encode(thought.strip()), *line, t.end_think_id, *line]
    return [*prompt, *think, t.answer_id, *t.encode(answer.strip()), t.end_answer_id, t.eos_id], len(prompt)


def wrong_10(tokenizer, question, thought, answer):
    "whole template as a string with allow_special: a mark in any text becomes a mark, line breaks melt into the text"
    text = f"<｜begin▁of▁sentence｜><｜User｜>{question}<｜Assistant｜>"
    n = len(tokenizer.encode(text, allow_special=True))
    if thought is not None:
        text += f"\n<think>\n{thought}\n</think>\n"
    text += f"<answer>{answer}</answer><｜end▁of▁sentence｜>"
    return tokenizer.encode(text, allow_special=True), n


def right_1(tokenizer, question, thought, answer):
    "append and extend, step by step"
    ids = list(prompt_ids(tokenizer, question))
    n = len(ids)
    if thought is not None:
        ids.extend(tokenizer.encode("\n"))
        ids.append(tokenizer.think_id)
        ids.extend(tokenizer.encode("\n"))
        ids.extend(tokenizer.encode(thought))
        ids.extend(tokenizer.encode("\n"))
        ids.append(tokenizer.end_think_id)
        ids.extend(tokenizer.encode("\n"))
    ids.append(tokenizer.answer_id)
    ids.extend(tokenizer.encode(answer))
    ids.append(tokenizer.end_answer_id)
    ids.append(tokenizer.eos_id)
    return ids, n


def right_2(tokenizer, question, thought, answer):
    "a list of parts, text or id"
    t = tokenizer
    parts = [t.bos_id, t.user_id, question, t.assistant_id]
    if thought is not None:
        parts += ["\n", t.think_id, "\n", thought, "\n", t.end_think_id, "\n"]
    parts += [t.answer_id, answer, t.end_answer_id, t.eos_id]
    ids = []
    for part in parts:
        ids += t.encode(part) if isinstance(part, str) else [part]
    return ids, 3 + len(t.encode(question))


def right_3(tokenizer, question, thought, answer):
    "lists joined by +"
    prompt = prompt_ids(tokenizer, question)
    n = tokenizer.encode("\n")
    reply = [tokenizer.answer_id] + tokenizer.encode(answer) + [tokenizer.end_answer_id] + [tokenizer.eos_id]
    if thought is not None:
        reply = n + [tokenizer.think_id] + n + tokenizer.encode(thought) + n + [tokenizer.end_think_id] + n + reply
    return prompt + reply, len(prompt)


def right_4(tokenizer, question, thought, answer):
    "early return without a thought; ids by name"
    mark = tokenizer.special_id
    prompt = prompt_ids(tokenizer, question)
    end = [mark("<answer>"), *tokenizer.encode(answer), mark("</answer>"), mark("<｜end▁of▁sentence｜>")]
    if thought is None:
        return [*prompt, *end], len(prompt)
    nl = tokenizer.encode("\n")
    middle = [*nl, mark("<think>"), *nl, *tokenizer.encode(thought), *nl, mark("</think>"), *nl]
    return [*prompt, *middle, *end], len(prompt)
