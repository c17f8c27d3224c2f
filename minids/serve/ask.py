"""A question to a model from Python, and its reply taken apart: what `minids chat` is in the terminal.

    model, tokenizer = minids.load("runs/tiny")
    reply = minids.chat(model, tokenizer, "347+5896")
    reply.thought, reply.answer, reply.logprobs

The reply is drawn as evaluation draws it (rl/rollout.py), so the same question, settings and seed give the same tokens
in both, and in the terminal (serve/terminal.py), where they appear one by one.
"""

from dataclasses import dataclass

from minids.errors import MinidsError, did_you_mean
from minids.files import brief
from minids.model.transformer import Transformer
from minids.rl import rollout
from minids.tasks import arithmetic
from minids.text import chat as template
from minids.text.tokenizer import Tokenizer

MAX_NEW_TOKENS = 320
STYLES = ("tags", "direct", "plain")


@dataclass(frozen=True)
class Reply:
    """What a model said to a question.

    question    as it was asked
    style       how it was asked to answer: "tags", "direct" or "plain"
    thought     the text of its thought; None where it gave none, or did not keep to its template
    answer      the text of its answer; None where none can be read, as in a reply that was cut off
    text        all that it said, special tokens written out
    finished    whether it ended by itself, rather than by max_new_tokens or the model's context
    ids         the tokens that it drew, a list of integers; the one that ended it is the last
    tokens      the text of each, "\\ufffd" for a part of a character
    logprobs    the log-probability (natural logarithm) that each was drawn with; at temperature 0 that at temperature 1
    """

    question: str
    style: str
    thought: str | None
    answer: str | None
    text: str
    finished: bool
    ids: list[int]
    tokens: list[str]
    logprobs: list[float]


def chat(
    model: Transformer,
    tokenizer: Tokenizer,
    question: str,
    *,
    style: str | None = None,
    temperature: float = 0.0,
    seed: int = 0,
    max_new_tokens: int = MAX_NEW_TOKENS,
    top_k: int = 0,
    top_p: float = 1.0,
) -> Reply:
    """Asks one question and returns the Reply; each question stands by itself.

        reply = chat(model, tokenizer, "347+5896", temperature=0.7, seed=1)

    style            the template of the question: "tags" (the chat template; "direct" is asked the same), or "plain"
                     ("Question: … Thought:", for a base model). None: as `model.style` says, which `minids.load` sets
    temperature      0: always the likeliest token; 1: as the model was trained to sample
    seed             decides, with the model and the settings, every token
    max_new_tokens   at most so many; the model's context is a limit too
    top_k, top_p     draw from the k likeliest tokens, or from those that have the share p together; 0 and 1: from all

    Raises MinidsError for settings that cannot be, and where it is not known how the model is asked.
    """
    style = _style(model, tokenizer, style)
    if not isinstance(question, str) or not question.strip():
        raise MinidsError(
            f'chat: the question is a text, as in chat(model, tokenizer, "347+5896"), got {brief(question)}.'
        )
    asked = arithmetic.normalise_question(question)
    how = {"temperature": temperature, "max_new_tokens": max_new_tokens, "top_k": top_k, "top_p": top_p}
    drawn = rollout.sample(model, tokenizer, [asked], style, [seed], **how)
    ids, text = drawn.ids[0], drawn.texts[0]
    said = template.parse(text, "plain" if style == "plain" else "chat")
    tokens, logprobs = [tokenizer.decode([i]) for i in ids], drawn.logps[0].tolist()
    return Reply(asked, style, said.thought, said.answer, text, drawn.finished[0], ids, tokens, logprobs)


def _style(model, tokenizer, style):
    if not isinstance(model, Transformer):
        raise MinidsError(
            f"chat: the first argument is a model, got {type(model).__name__}. Write model, tokenizer = "
            'minids.load("runs/tiny"), then chat(model, tokenizer, "347+5896").'
        )
    if not isinstance(tokenizer, Tokenizer):
        raise MinidsError(f"chat: the second argument is a minids.Tokenizer, got {type(tokenizer).__name__}.")
    style = model.style if style is None else style
    if style is None:
        raise MinidsError(
            'chat: it is not known in which template this model was taught to answer. Say style="tags" (the chat '
            'template) or style="plain" (a base model), or open its folder with minids.load, which knows.'
        )
    if style not in STYLES:
        raise MinidsError(f"chat: style {brief(style)} is not one of {', '.join(STYLES)}.{did_you_mean(style, STYLES)}")
    return style
