"""Interventions on a thought: cut it short, refuse its end, change a digit of it, and see what becomes of the answer.

    limit_thought   reply -> its beginning, with a thought of at most `budget` tokens, closed: the answer comes next
    refuse_end      reply -> its beginning up to where the thought would close, and something to go on with
    corrupt         thought -> the same with one wrong digit in the result of one column step
    read_off        thought -> the number that its column steps spell
    resume          lets a model go on from such a beginning, and grades the whole reply

Cutting and refusing are budget forcing (arXiv 2501.19393, section 3.1): there the end is refused by leaving out the
closing mark and appending "Wait". Answering early and adding mistakes are two of the tests of Lanham et al. (arXiv
2307.13702, section 2): where the answer stays as it was, the thought did not cause it.

A reply is a list of token ids that follows the prompt; `begin` are the ids that open a thought and `end` those that
close it and open the answer (`marks`). Replies are taken as they are, so one that was sampled can be changed in one
place and continued. The continuation is greedy by default: what changed is then the intervention's doing, not chance.

Left out: refusing the end while sampling (a reply is sampled whole, and continued from where it ended).
"""

import re
from collections.abc import Sequence

from minids.errors import MinidsError
from minids.model.generate import sequence_seeds
from minids.model.transformer import Transformer
from minids.rl.rollout import sample_and_grade
from minids.tasks.reward import Reward, RewardResult
from minids.text.tokenizer import Tokenizer

_RESULT = re.compile(r"=(\d+)")


def marks(tokenizer: Tokenizer, style: str = "tags") -> tuple[list[int], list[int]]:
    """(begin, end): the ids that open a thought, and those that close it and open the answer. Raises MinidsError for
    a style without thoughts."""
    if style == "plain":
        return [], tokenizer.encode("\nAnswer:")
    if style != "tags":
        raise MinidsError(f"probe: replies of style {style!r} have no thought; there are 'tags' and 'plain'")
    line = tokenizer.encode("\n")
    return [*line, tokenizer.think_id, *line], [*line, tokenizer.end_think_id, *line, tokenizer.answer_id]


def limit_thought(reply, budget, begin, end):
    """A reply with a thought of at most `budget` tokens, up to where its answer has to follow: a new list of ids.

    reply    ids that a model has sampled: begin, thought, end, answer; it may stop at any place
    budget   0 or more; 0 leaves nothing of the thought
    begin    the ids that open a thought (possibly none); a reply that does not begin with them raises MinidsError
    end      the ids that close a thought and open the answer, in this order and next to each other; some of them may
             also occur inside the thought. The first place where all of them stand is where the thought ends; if
             there is none, all the rest is thought

    The result is begin, the first `budget` tokens of the thought (or all, if it has fewer), end. `reply` is left alone.
    """
    if reply[: len(begin)] != begin:
        raise MinidsError("probe: the reply does not open a thought, so there is none to cut")
    thought = reply[len(begin) :]
    # a thought that closes by itself is not longer than to there
    for i in range(len(thought)):
        if thought[i : i + len(end)] == end:
            thought = thought[:i]
            break
    return [*begin, *thought[:budget], *end]


def refuse_end(reply: list[int], more: list[int], begin: list[int], end: list[int]) -> list[int]:
    """The reply up to where its thought would close, and then `more`, ids that keep the thought open."""
    whole = limit_thought(reply, len(reply), begin, end)
    return [*whole[: len(whole) - len(end)], *more]


def corrupt(thought: str, step: int, shift: int = 1) -> str:
    """The thought with `shift` added, modulo 10, to the last digit of the result of its column step number `step`.

    corrupt("7+6=13 4+9+1=14", 0) is "7+6=14 4+9+1=14". The carry, and all other steps, stay as they are. Raises
    MinidsError where the thought has no such step.
    """
    results = list(_RESULT.finditer(thought))
    if not 0 <= step < len(results):
        raise MinidsError(f"probe: the thought has {len(results)} steps, so none with the number {step}")
    at = results[step].end() - 1
    return f"{thought[:at]}{(int(thought[at]) + shift) % 10}{thought[at + 1 :]}"


def read_off(thought: str) -> int | None:
    """The number that the column steps of one sum spell: the last digit of each result, from the right, and the last
    result whole. "7+6=13 4+9+1=14" spells 143. None without a step."""
    results = _RESULT.findall(thought)
    if not results:
        return None
    return int(results[-1] + "".join(r[-1] for r in reversed(results[:-1])))


def resume(
    model: Transformer,
    tokenizer: Tokenizer,
    problems: Sequence,
    openings: Sequence[list[int]],
    *,
    style: str = "tags",
    max_new_tokens: int = 160,
    temperature: float = 0.0,
    seed: int = 0,
) -> list[tuple[RewardResult, int, str]]:
    """Lets the model go on from openings[i], ids that follow the prompt of problems[i].

    Returns a list of (RewardResult, length of the whole reply in tokens, its text), as `evaluate.answer` gives them.
    Raises MinidsError where problems and openings do not match in number.
    """
    if len(problems) != len(openings):
        raise MinidsError(f"probe: {len(problems)} problems, but {len(openings)} beginnings of replies")
    done = sample_and_grade(
        model,
        tokenizer,
        problems,
        Reward(style=style),
        sequence_seeds(seed, 0x3FFFFE, len(problems)),
        openings=openings,
        max_new_tokens=max_new_tokens,
        temperature=temperature,
    )
    lengths = [len(opening) + len(ids) for opening, ids in zip(openings, done.ids)]
    return list(zip(done.results, lengths, done.texts))
