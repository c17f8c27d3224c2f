"""Templates: a question, a thought and an answer as token ids, and a sampled reply taken apart again.

chat    BOS <｜User｜> question <｜Assistant｜> \\n <think> \\n thought \\n </think> \\n <answer> answer </answer> EOS
plain   BOS Question: question \\n Thought: thought \\n Answer: answer EOS

The chat template is DeepSeek-R1's (its role marks, R1-Zero's tags, DeepSeek-R1 paper Table 1). The plain one
has no tags: pretraining documents are written in it, so the base model can be sampled, and R1-Zero starts
from it. Without a thought (`None`) the chat reply opens with <answer> and the plain document has no Thought
line: a model trained so answers at once.

Marks are put in as ids and everything else is encoded as ordinary text, so no question can forge a mark. Each
part is encoded by itself: the ids of a prompt are always the first ids of its document.
Left out: system prompts, several thoughts, tools.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from ..errors import MinidsError
from .tokenizer import ANSWER, END_ANSWER, END_THINK, EOS, PAD, THINK, Tokenizer

STYLES = ("tags", "direct", "plain", "plain_direct", "opened")
BLANK = " \t\r\n"
_TAGS = (THINK, END_THINK, ANSWER, END_ANSWER)
_EXPECTED = {"tags": _TAGS, "opened": _TAGS[1:], "direct": _TAGS[2:]}
ANY_TAG = re.compile("|".join(map(re.escape, _TAGS)) + r"|<｜[^｜<>]*｜>")


@dataclass(frozen=True)
class Reply:
    """A reply taken apart.

    thought       its text; None without one
    answer        its text; None where none can be read
    well_formed   it keeps to the template, with nothing before, between or after
    """

    thought: str | None
    answer: str | None
    well_formed: bool


def prompt_ids(tokenizer: Tokenizer, question: str, history: Iterable[tuple[str, str]] = ()) -> list[int]:
    """The ids that the model is given to continue.

        BOS  [<｜User｜> question <｜Assistant｜> <answer> answer </answer> EOS] …  <｜User｜> question <｜Assistant｜>

    In brackets a turn of `history`, (question, answer) pairs, oldest first. Earlier turns come without their thoughts,
    as R1 has it. Marks are single ids (`tokenizer.user_id`, `.answer_id`, …). Each text is encoded by itself, as
    ordinary text: a mark that it spells stays text.
    """
    t = tokenizer
    # one beginning, however many turns
    ids = [t.bos_id]
    # what was asked and answered before, each answer with its end
    for asked, answered in history:
        ids += [t.user_id, *t.encode(asked), t.assistant_id]
        ids += [t.answer_id, *t.encode(answered), t.end_answer_id, t.eos_id]
    # the question that is open: the assistant's mark is the last id
    return [*ids, t.user_id, *t.encode(question), t.assistant_id]


def earlier(reply: str) -> str:
    """The answer of an earlier reply, as `history` and the exported chat template keep it: what stands in its last
    answer block behind the thought, or, without one, all that stands there; blanks around it taken off."""
    return reply.split(END_THINK)[-1].split(ANSWER)[-1].split(END_ANSWER)[0].strip()


def document_ids(tokenizer: Tokenizer, question: str, thought: str | None, answer: str) -> tuple[list[int], int]:
    """(ids of a whole training document, how many of them are its prompt, which the loss leaves out).

        BOS <｜User｜> question <｜Assistant｜> \\n <think> \\n thought \\n </think> \\n <answer> answer </answer> EOS

    The prompt, `prompt_ids`, ends with <｜Assistant｜>. Without a thought (None; "" is a thought) <answer> follows
    it at once. Marks are single ids (`tokenizer.think_id`, ...). Question, thought, answer and each line break
    are encoded by themselves, as ordinary text: a mark that they spell stays text.
    """
    t = tokenizer
    prompt = prompt_ids(t, question)
    line = t.encode("\n")
    # the reply: first the thought between its tags, if there is one, then the answer between its own
    think = [] if thought is None else [*line, t.think_id, *line, *t.encode(thought), *line, t.end_think_id, *line]
    return [*prompt, *think, t.answer_id, *t.encode(answer), t.end_answer_id, t.eos_id], len(prompt)


def parse(text: str, style: str = "chat") -> Reply:
    """Takes a sampled reply apart, as `STYLES` has its form; never guesses, and knows at most one answer.

        "chat"           what follows <｜Assistant｜>, thought first or not: "tags", "opened" or "direct"
        "tags"           <think> thought </think> <answer> answer </answer> EOS
        "opened"         the same after a prompt that ends with <think>, as DeepSeek-R1's own template does
        "direct"         <answer> answer </answer> EOS
        "plain"          thought \\n Answer: answer EOS       after "Thought:"
        "plain_direct"   answer EOS                           after "Answer:"

    Text outside the blocks, and nothing else, leaves an answer readable that is not well formed: with two answers, a
    block that is not closed, or something behind the answer there is none. Raises MinidsError for another style.
    """
    if style == "chat":
        style = "tags" if THINK in text else "opened" if END_THINK in text else "direct"
    text = text.rstrip(BLANK)
    end = len(text)
    while text.endswith(PAD, 0, end):
        end -= len(PAD)
    text = text[:end].removesuffix(EOS)
    if style in _EXPECTED:
        return _parse_tags(text, _EXPECTED[style])
    if style == "plain":
        return _parse_plain(text)
    if style == "plain_direct":
        reply = _parse_plain("\nAnswer:" + text)
        return Reply(None, reply.answer, reply.well_formed)
    raise MinidsError(f"style={style!r} is not one of {', '.join(STYLES)}")


def _parse_tags(text: str, expected: tuple[str, ...]) -> Reply:
    if expected == _EXPECTED["opened"]:
        text, expected = THINK + text, _TAGS
    tags = list(ANY_TAG.finditer(text))
    names = tuple(tag[0] for tag in tags)
    opened = expected == _TAGS and names[:2] == _TAGS[:2]
    thought = text[tags[0].end() : tags[1].start()].strip(BLANK) if opened else None
    if names != expected:  # missing, doubled, nested, out of order, or another special token
        return Reply(thought, None, False)
    if text[tags[-1].end() :].strip(BLANK):  # "5</answer> or 6": a second opinion after the answer
        return Reply(thought, None, False)
    answer = text[tags[-2].end() : tags[-1].start()].strip(BLANK)
    outside = text[: tags[0].start()] + (text[tags[1].end() : tags[2].start()] if len(tags) == 4 else "")
    # other blanks than `BLANK`, at an end of the answer: a template would drop them, a judge would not
    return Reply(thought, answer, not outside.strip(BLANK) and bool(answer) and answer == answer.strip())


def _parse_plain(text: str) -> Reply:
    if ANY_TAG.search(text):
        return Reply(None, None, False)
    thought, found, answer = text.rstrip(BLANK).rpartition("\nAnswer:")
    if not found or "\n" in answer or "Answer:" in thought or "Answer:" in answer:
        return Reply(text.strip(BLANK), None, False)
    return Reply(thought.strip(BLANK), answer.strip(BLANK), bool(answer.strip(BLANK)))


def plain_prompt_ids(tokenizer: Tokenizer, question: str, *, think: bool = True) -> list[int]:
    """BOS and "Question: ...\\nThought:", or "...\\nAnswer:" for a model that shall answer at once."""
    lead = "Thought:" if think else "Answer:"
    return [tokenizer.bos_id, *tokenizer.encode(f"Question: {question}\n{lead}")]


def plain_document_ids(tokenizer: Tokenizer, question: str, thought: str | None, answer: str) -> tuple[list[int], int]:
    """A document of the plain template and the length of its prompt."""
    prompt = plain_prompt_ids(tokenizer, question, think=thought is not None)
    rest = f" {answer}" if thought is None else f" {thought}\nAnswer: {answer}"
    return [*prompt, *tokenizer.encode(rest), tokenizer.eos_id], len(prompt)
