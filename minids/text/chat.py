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

from .tokenizer import ANSWER, END_ANSWER, END_THINK, EOS, PAD, THINK, Tokenizer


@dataclass(frozen=True)
class Reply:
    """A reply taken apart. `well_formed`: it keeps to the template, with nothing before, between or after."""

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


def parse(text: str, *, strict: bool = False) -> Reply:
    """Takes apart what follows <｜Assistant｜>.

    Strict: thought and answer are given only if the reply is well formed. Otherwise the answer is that of the
    last closed answer block, and the thought is what stands before the first </think>, opened or not.
    """
    text = _without_end(text)
    match = _CHAT.fullmatch(text)
    if match and not any(tag in part for part in match.groups() if part for tag in _TAGS):
        thought, answer = match.groups()
        return Reply(None if thought is None else thought.strip(), answer.strip(), True)
    if strict:
        return Reply(None, None, False)
    thought = None
    if END_THINK in text:
        thought = text.split(END_THINK)[0].split(THINK)[-1].strip()
    answers = re.findall(f"{ANSWER}((?:(?!{ANSWER}).)*?){END_ANSWER}", text, re.DOTALL)
    return Reply(thought, answers[-1].strip() if answers else None, False)


def plain_prompt_ids(tokenizer: Tokenizer, question: str, *, think: bool = True) -> list[int]:
    """BOS and "Question: ...\\nThought:", or "...\\nAnswer:" for a model that shall answer at once."""
    lead = "Thought:" if think else "Answer:"
    return [tokenizer.bos_id, *tokenizer.encode(f"Question: {question}\n{lead}")]


def plain_document_ids(tokenizer: Tokenizer, question: str, thought: str | None, answer: str) -> tuple[list[int], int]:
    """A document of the plain template and the length of its prompt."""
    prompt = plain_prompt_ids(tokenizer, question, think=thought is not None)
    rest = f" {answer}" if thought is None else f" {thought}\nAnswer: {answer}"
    return [*prompt, *tokenizer.encode(rest), tokenizer.eos_id], len(prompt)


def parse_plain(text: str, *, think: bool = True, strict: bool = False) -> Reply:
    """Takes apart what follows "Thought:" (or, without `think`, what follows "Answer:").

    Well formed: one Answer line, the last. Otherwise, unless strict, the first Answer line counts: what a
    base model writes after it is the next question of its own.
    """
    text = _without_end(text)
    thought, found, rest = text.partition("\nAnswer:") if think else (None, True, text)
    if not found:
        return Reply(None if strict else text.strip(), None, False)
    answer, _, more = rest.strip().partition("\n")
    if more or not answer:
        return Reply(None, None, False) if strict else Reply(thought and thought.strip(), answer or None, False)
    return Reply(None if thought is None else thought.strip(), answer, True)


_TAGS = (THINK, END_THINK, ANSWER, END_ANSWER)
_CHAT = re.compile(rf"\s*(?:{THINK}(.*){END_THINK})?\s*{ANSWER}(.*){END_ANSWER}\s*", re.DOTALL)


def _without_end(text: str) -> str:
    """Drops the EOS and padding that end a decoded reply."""
    text = text.rstrip()
    while text.endswith((EOS, PAD)):
        text = text.removesuffix(PAD).removesuffix(EOS).rstrip()
    return text
