"""Rewards that a rule can check: is the answer right, is the form right, is the thought in the right script.

    total = w_accuracy * accuracy + w_format * format + w_language * language,    0 if it was cut off

`text.chat.parse` takes a reply apart; in which `style` it should be, the prompt decides. What the model wrote, special
tokens decoded as text:

    style="tags"           <think>12+7=19</think><answer>19</answer><｜end▁of▁sentence｜>
    style="opened"         12+7=19</think><answer>19</answer><｜end▁of▁sentence｜>   where the prompt ended with <think>
    style="direct"         <answer>19</answer><｜end▁of▁sentence｜>
    style="plain"          12+7=19\\nAnswer: 19<｜end▁of▁sentence｜>     after "Thought:" (R1-Zero)
    style="plain_direct"   19<｜end▁of▁sentence｜>                      after "Answer:"
    style="chat"           the first three, as the tags say (for a measurement that does not mind which)

R1-Zero was trained with accuracy and format rewards checked by rules and no reward model, because a neural
one is hacked in large-scale RL (arXiv 2501.12948, section 2.2.2). A rule is hacked too, where it is lenient:
so the answer is matched as a whole against one canonical spelling of an integer, never searched for, never
evaluated. The price is that "+5", "05", "5.0", "1,000" or "5 apples" are wrong, although a person would
accept them; the prompt's form says so, and tests/tasks/test_reward.py lists what was decided.

Accuracy and format are apart so that a report can tell "cannot do sums" from "cannot close a tag": text
outside the blocks costs the format reward, not the accuracy; two answers, an open tag or anything after the
answer cost both.

Answers that are no integers belong to environments (`tasks.environment`): a problem's own is asked, with the text of
the answer block and nothing else, and what it says is believed only if it is exactly 1.

Penalties for length are in `rl.shaping`: `overlong_share` and `overlong_penalty` of RLConfig. A reward of your own,
partial credit included, is a hook of `train_rl` (`rl.hooks`).

Left out: reward models.
"""

import re
import unicodedata
from dataclasses import dataclass, field
from functools import lru_cache

from minids.errors import MinidsError
from minids.settings import Settings, setting
from minids.tasks import registry
from minids.tasks.arithmetic import MAX_DIGITS, parse_integer
from minids.tasks.environment import Item
from minids.text import chat
from minids.text.tokenizer import EOS


def accuracy(problem_answer: str | int, reply_text: str, *, style: str = "tags", finished: bool = True) -> float:
    """1.0 if the reply's answer is exactly the integer asked for, else 0.0; an unfinished reply is wrong."""
    target = _target(problem_answer)
    answer = chat.parse(reply_text, style).answer
    return float(finished and answer is not None and parse_integer(answer) == target)


def _target(problem_answer):
    value = parse_integer(problem_answer) if isinstance(problem_answer, str) else problem_answer
    if not isinstance(value, int) or isinstance(value, bool) or abs(value) >= 10**MAX_DIGITS:
        shown = "" if isinstance(problem_answer, int) else f" {problem_answer!r}"[:80]
        raise MinidsError(
            f"reward: the problem's own answer{shown} is not a plain integer of at most "
            f"{MAX_DIGITS} digits; only such problems can be graded here"
        )
    return value


def format_reward(reply_text: str, *, style: str = "tags", finished: bool = True) -> float:
    """1.0 if the reply has the asked-for form and nothing else, and ended by itself; whatever it says."""
    return float(finished and chat.parse(reply_text, style).well_formed)


_ANY_TAG = chat.ANY_TAG  # under the name that chapter 12 gives it
SCRIPTS = {
    "latin": ("LATIN",),
    "cyrillic": ("CYRILLIC",),
    "greek": ("GREEK",),
    "arabic": ("ARABIC",),
    "hebrew": ("HEBREW",),
    "devanagari": ("DEVANAGARI",),
    "hangul": ("HANGUL",),
    "han": ("CJK",),
    "japanese": ("CJK", "HIRAGANA", "KATAKANA"),
}
_NO_SPACES = ("CJK", "HIRAGANA", "KATAKANA")


@lru_cache(maxsize=65536)
def _script(char):
    """First word of the character's Unicode name (LATIN, CJK, ...); "" for what is no letter.

    Narrow kana are kana, and marks that repeat or lengthen are of the script that they stand in; wide Latin letters are
    not Latin, which would be a way around the reward.
    """
    if unicodedata.category(char)[0] not in "LM":
        return ""
    first, second, *_ = re.split("[ -]", unicodedata.name(char, "UNKNOWN") + " ")
    return {"IDEOGRAPHIC": "CJK", "HALFWIDTH": second}.get(first, first)


def language_consistency(text, script="latin"):
    """Share of words in the target script, in [0, 1]: R1's reward against thoughts that mix languages, "the
    proportion of target language words" (arXiv 2501.12948, section 2.3.2), with a script standing for a
    language.

    A word is a run of letters; it counts if every letter is of the script, so a Cyrillic letter hidden in a
    Latin word does not. An accent belongs to the letter before it. Han, Hiragana and Katakana are written
    without spaces: there each character is a word. Digits, signs and tags are neutral, and a text without any
    word has nothing mixed: 1.0. R1 found that this costs a little accuracy. Raises MinidsError for a script
    that is not in SCRIPTS.
    """
    if script not in SCRIPTS:
        raise MinidsError(f"reward: script={script!r} is not one of {', '.join(SCRIPTS)}")
    target, words, run = SCRIPTS[script], [], set()
    # each word as the set of its letters' scripts; the blank at the end closes the last one
    for char in _ANY_TAG.sub(" ", text) + " ":
        name = _script(char)
        # an accent belongs to the letter before it
        if name == "COMBINING":
            continue
        # what is no letter ends a word, and so does a letter that is a word by itself
        if (not name or name in _NO_SPACES) and run:
            words.append(run)
            run = set()
        if name in _NO_SPACES:
            words.append({name})
        elif name:
            run.add(name)
    if not words:
        return 1.0
    return sum(all(name in target for name in word) for word in words) / len(words)


@dataclass(frozen=True)
class RewardResult:
    """What a reply earned, and why.

    total         weighted sum of the parts; 0 for a reply that was cut off
    accuracy      1.0 if the answer is right, else 0.0
    format        1.0 if the reply has the form that was asked for, else 0.0
    language      share of the thought's words in the script that was asked for, 0 to 1
    empty_think   a thought block that is there and blank: the model guesses
    truncated     the reply did not end by itself
    answer        what was read, for majority votes; None: unreadable or cut off
    failure       why a user's verifier gave no verdict ("": it gave one); the answer then counts as wrong
    parts         what a hook paid for (rl/hooks.py), by its own names; the total is their sum
    """

    total: float
    accuracy: float
    format: float
    language: float
    empty_think: bool
    truncated: bool
    answer: int | str | None
    failure: str = ""
    parts: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Reward(Settings):
    """Weights of the parts; called with a problem (or its answer), the reply, and whether it ended by itself.

    `finished` comes from token ids (was the last one the stop token?), not from the text: a model can spell
    the stop token's name with ordinary tokens. A cut-off reply earns nothing at all.
    """

    SHOWN = "reward: {name} = {value}"

    accuracy: float = setting(1.0, "weight of a right answer")
    format: float = setting(0.1, "weight of the form that the prompt asks for")
    language: float = setting(0.0, "weight of the share of a thought's words in the script")
    script: str = setting("latin", "the script that is asked for", choices=SCRIPTS)
    style: str = setting("tags", "form of the replies, as in `text.chat.parse`")

    def __call__(self, problem, reply_text, finished):
        target = getattr(problem, "answer", problem)
        reply = chat.parse(reply_text, self.style)
        thought = reply.thought
        failure = ""
        if not isinstance(problem, Item):
            right = accuracy(target, reply_text, style=self.style, finished=finished)
            said = parse_integer(reply.answer) if finished and reply.answer is not None else None
        elif finished and reply.answer is not None:
            verdict = registry.get(problem.family).judge(problem, reply.answer, reply_text.removesuffix(EOS))
            right, said, failure = float(verdict.score == 1), verdict.answer, verdict.failure
        else:
            right, said = 0.0, None
        formed = format_reward(reply_text, style=self.style, finished=finished)
        language = language_consistency(reply_text if thought is None else thought, self.script)
        total = self.accuracy * right + self.format * formed + self.language * language
        return RewardResult(
            total=total if finished else 0.0,
            accuracy=right,
            format=formed,
            language=language,
            empty_think=thought is not None and not thought.strip(),
            truncated=not finished,
            answer=said,
            failure=failure,
        )
