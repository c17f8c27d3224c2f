"""A terminal chat: tokens appear as they are drawn, the thought dimmed, the answer bold.

Every question stands by itself, because the model was never shown a conversation. A piece of text is held back only
while it may still become something else (a character cut in two by a token, the beginning of "Answer:"). Works on
pipes too: `echo 347+5896 | minids chat DIR`. From Python: ask.py.

Left out: line editing beyond what Python's readline gives, several turns.
"""

import codecs
import os
import random
import sys
from collections.abc import Iterable, Iterator
from typing import TextIO

from minids.errors import MinidsError
from minids.eval import model_folder
from minids.model import generate as sampler
from minids.model.sampling import LEAST
from minids.rl.rollout import prompt_of, stop_ids
from minids.serve import ask
from minids.tasks import arithmetic, registry
from minids.text.tokenizer import Tokenizer

HELP = """/again            ask the last question again, with new random numbers (at temperature 1 if it is 0)
/temperature T    0: always the likeliest token; 1: as the model was trained to sample
/help  /quit      Ctrl-C stops an answer, Ctrl-D leaves"""
CUT = "(cut off: the answer did not end within the tokens allowed)"


def talk(
    opened: model_folder.Opened,
    *,
    temperature: float | None = None,
    max_new_tokens: int | None = None,
    seed: int = 0,
    source: TextIO | None = None,
    out: TextIO | None = None,
) -> None:
    """Reads questions from `source` (stdin) and writes answers to `out` (stdout) until there are no more.

    temperature, max_new_tokens   None: what the folder's generation_config.json says, else 0 and 320
    """
    temperature = opened.sampling["temperature"] if temperature is None else temperature
    max_new_tokens = max_new_tokens or opened.sampling["max_new_tokens"] or ask.MAX_NEW_TOKENS
    source, out = source or sys.stdin, out or sys.stdout
    if hasattr(source, "reconfigure"):
        source.reconfigure(errors="replace")
    talking = source.isatty() and out.isatty()
    chat = Chat(opened, temperature, max_new_tokens, seed, out, colour=out.isatty() and "NO_COLOR" not in os.environ)
    if talking:
        try:
            import readline  # noqa: F401  input() then edits lines and remembers them
        except ImportError:
            pass
        print(greeting(opened), file=out)
    while True:
        try:
            line = input("> ") if talking else source.readline()
            if not talking and not line:
                return
            if chat.take(line) == "quit":
                return
        except EOFError:
            print(file=out)
            return
        except KeyboardInterrupt:  # an interrupted answer is handled in `take`; this was an empty prompt
            if not talking:
                raise
            print("\n/quit or Ctrl-D leaves", file=out)
        except MinidsError as error:
            print(f"minids: {error}", file=out if talking else sys.stderr, flush=True)


def greeting(opened: model_folder.Opened) -> str:
    """What can be asked, said honestly."""
    size = f"{opened.folder}: {opened.model.parameter_count() / 1e6:.2f} M parameters"
    if not opened.ours:
        return (
            f"{size}. It was not made by a run of minids; it is asked in the chat template, question by question. /help"
        )
    known = "trained on nothing but" if opened.families else "trained on problems of its maker's own"
    rng, lines = random.Random(2), [f"{size}, {known}"]
    for family in opened.families:
        env = registry.get(family)
        lines.append(f"  {env.about + ',':<48} as in  {env.sample(rng, 'test').question}")
    lines.append("It knows no facts, and answers anything else with nonsense. Each question stands by itself. /help")
    return "\n".join(lines)


class Chat:
    """What a terminal chat remembers: the settings and the last question."""

    def __init__(
        self, opened: model_folder.Opened, temperature: float, max_new_tokens: int, seed: int, out: TextIO, colour: bool
    ):
        self.opened, self.temperature, self.max_new_tokens, self.seed = opened, temperature, max_new_tokens, seed
        self.out, self.colour, self.question = out, colour, None

    def take(self, line: str) -> str | None:
        """One line of input: a command or a question. Returns "quit" when the chat is over. Raises MinidsError for a
        command that there is not."""
        text = arithmetic.normalise_question("".join(c if c.isprintable() else " " for c in line))
        word, _, rest = text.partition(" ")
        if not text:
            return None
        if text.lower() in ("quit", "exit"):
            return "quit"
        if not word.startswith("/"):
            self.question = text
            self.answer(text, self.temperature)
        elif word in ("/quit", "/exit", "/q"):
            return "quit"
        elif word == "/help":
            print(HELP, file=self.out, flush=True)
        elif word == "/again":
            if self.question is None:
                raise MinidsError("/again: nothing was asked yet.")
            self.seed += 1
            self.answer(self.question, self.temperature or 1.0)
        elif word == "/temperature":
            self._set_temperature(rest)
        else:
            raise MinidsError(f"{word}: no such command. There are /again, /temperature T, /help and /quit.")
        return None

    def _set_temperature(self, text):
        try:
            value = float(text)
        except ValueError:
            value = -1.0
        if not (value == 0 or LEAST <= value <= 100):
            raise MinidsError(f"/temperature: give a number from {LEAST:g} to 100, or 0, as in /temperature 0.7")
        self.temperature = value
        print(f"temperature {value:g}", file=self.out, flush=True)

    def answer(self, question: str, temperature: float) -> None:
        """Prints the model's reply while it is drawn; Ctrl-C ends it."""
        o, writer = self.opened, Writer(self.out, self.colour)
        prompt = prompt_of(o.tokenizer, question, o.style)
        try:
            for part, text in parts(o.tokenizer, o.style, self._tokens(prompt, temperature)):
                writer.write(part, text)
            writer.close()
        except KeyboardInterrupt:
            writer.end_part()
            print("(stopped)", file=self.out, flush=True)

    def _tokens(self, prompt, temperature):
        o, end = self.opened, self.opened.tokenizer.eos_id
        stops = stop_ids(o.model, o.tokenizer)
        how = {"max_new_tokens": self.max_new_tokens, "temperature": temperature, "seed": self.seed}
        cut = {key: o.sampling[key] for key in ("top_k", "top_p")}
        token = None
        for token in sampler.stream(o.model, prompt, **how, **cut, stop_ids=stops):
            yield end if token in stops else token
        if token not in stops:
            yield None


def parts(tokenizer: Tokenizer, style: str, tokens: Iterable[int | None]) -> Iterator[tuple[str, str]]:
    """(part, text) pieces of a reply. Parts: "thought", "answer", "note" (outside of both), "cut" (for a None)."""
    return _plain_parts(tokenizer, tokens) if style == "plain" else _tagged_parts(tokenizer, tokens)


def _tagged_parts(tokenizer, tokens):
    part, decode = "note", codecs.getincrementaldecoder("utf-8")("replace").decode
    t = tokenizer
    opens = {t.think_id: "thought", t.end_think_id: "note", t.answer_id: "answer", t.end_answer_id: "note"}
    special = set(tokenizer.specials.values())
    for token in tokens:
        if token is None:
            yield "cut", CUT
        elif token in special:
            yield part, decode(b"", True)
            part = opens.get(token, part)
        else:
            yield part, decode(tokenizer.pieces[token])


def _plain_parts(tokenizer, tokens, mark="\nAnswer:"):
    """The thought ends at the mark; what may be its beginning is held back. The answer is one line."""
    decode, part, held, said = codecs.getincrementaldecoder("utf-8")("replace").decode, "thought", "", ""
    for token in tokens:
        if token is None:
            yield part, held
            yield "cut", CUT
            return
        if token in tokenizer.specials.values():
            break
        held += decode(tokenizer.pieces[token])
        if part == "thought" and mark in held:
            thought, held = held.split(mark, 1)
            yield part, thought
            part = "answer"
        if part == "answer":
            line, more, _ = (said + held).lstrip().partition("\n")
            if more:
                held = line[len(said.lstrip()) :]
                break
            said += held
        keep = next((n for n in range(len(mark) - 1, 0, -1) if held.endswith(mark[:n])), 0) if part == "thought" else 0
        yield part, held[: len(held) - keep]
        held = held[len(held) - keep :]
    yield part, held


class Writer:
    """Writes each part of a reply on lines of its own; no control character of a model reaches the terminal."""

    STYLES = {"thought": "\x1b[2m", "answer": "\x1b[1m", "note": "\x1b[31m", "cut": "\x1b[31m"}

    def __init__(self, out: TextIO, colour: bool):
        self.out, self.colour, self.part = out, colour, None

    def write(self, part: str, text: str) -> None:
        """Writes text of a part: "thought", "answer", "note" or "cut"."""
        text = "".join(c if c.isprintable() or c == "\n" else "\ufffd" for c in text)
        if part != self.part:
            text = text.lstrip()
        if not text:
            return
        if part != self.part:
            self.end_part()
            self.part = part
            lead = "= " if part == "answer" else ""
            self.out.write((self.STYLES[part] if self.colour else "") + lead)
        self.out.write(text)
        self.out.flush()

    def end_part(self) -> None:
        """Ends the part's line and its colour."""
        if self.part is not None:
            self.out.write(("\x1b[0m" if self.colour else "") + "\n")
            self.out.flush()
            self.part = None

    def close(self) -> None:
        """Ends the reply; an empty one is said to be so."""
        if self.part is None:
            self.out.write("(an empty answer)\n")
        self.end_part()
