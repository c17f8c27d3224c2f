"""What every environment is: a class that samples problems, judges answers, and may demonstrate how to think.

A new one needs `name`, `sample` and `score`; registry.py finds it by its name.
"""

from dataclasses import dataclass, field
from random import Random

from minids.errors import MinidsError
from minids.tasks import arithmetic
from minids.text.chat import BLANK

MAX_ANSWER = 4096  # characters; a longer answer is wrong, and no scorer sees it


@dataclass(frozen=True)
class Verdict:
    """`score` is 1.0 or 0.0, `answer` what a majority vote counts (None: nothing), `failure` why nobody could say."""

    score: float
    answer: int | str | None = None
    failure: str = ""


@dataclass(frozen=True)
class Item:
    """A problem of an environment other than `tasks.arithmetic`. Its environment judges it.

    family     the environment's name
    question   what the model is asked
    answer     the right answer, or one of them
    key        what is asked, whatever the wording: its hash decides the split
    size       one of the environment's sizes, or None
    data       what the environment needs to judge and to demonstrate; two items are equal whatever it holds
    """

    family: str
    question: str
    answer: str
    key: str
    size: object = None
    data: object = field(default=None, compare=False)

    @property
    def split(self) -> str:
        """ "train", "rl" or "test": the set that the problem belongs to, by a hash of `key`."""
        return arithmetic.split_of(self.key)


AnyProblem = arithmetic.Problem | Item


class Environment:
    """What the others share. A new one needs `name`, `sample` and `score`; the rest says what it does not have."""

    name = ""
    about = ""  # in a few words, for `minids chat`
    styles = ()  # of thoughts that `demonstrate` can write
    sizes = {}  # size -> weight of those that are trained on
    beyond = ()  # sizes that are only tested

    def sample(self, rng: Random, split: str, size: int | None = None) -> AnyProblem:
        """A problem of a split ("train", "rl" or "test"), drawn with `rng`; of a size, or of one by the weights in
        `sizes`.

        Raises MinidsError for a size that there is not, and where no problem falls into the split.
        """
        raise NotImplementedError

    def count(self, split: str) -> int | None:
        """How many problems a split has; None where there are more than can be counted."""
        return None

    def score(self, problem: AnyProblem, answer_text: str) -> float:
        """Exactly 1.0 for a right answer and 0.0 for any other text."""
        raise NotImplementedError

    def canonical(self, problem: AnyProblem, answer_text: str) -> object:
        """What a majority vote counts: one value for all spellings that are the same answer, None for none."""
        return " ".join(answer_text.split()) or None

    def judge(self, problem: AnyProblem, answer_text: str, reply_text: str = "") -> Verdict:
        """Verdict on the text of an answer. `reply_text`, all that was said, is for verifiers that ask for it."""
        text = answer_text.strip(BLANK)
        if not text or len(text) > MAX_ANSWER:
            return Verdict(0.0)
        return Verdict(float(self.score(problem, text) == 1), self.canonical(problem, text))

    def demonstrate(self, problem: AnyProblem, style: str, rng: Random | None = None) -> str:
        """A thought that leads to the problem's answer, in one of `styles`. Raises MinidsError where there are none."""
        raise MinidsError(
            f"environment {self.name!r} has no thoughts to learn from: it can be trained on by GRPO, and be evaluated, "
            "with a model that was taught to think elsewhere, but pretraining and SFT need another."
        )

    def worked(self, problem: AnyProblem, style: str, rng: Random | None = None) -> tuple[str, str]:
        """(thought, the answer that it leads to): not always `problem.answer`, where several answers are right."""
        return self.demonstrate(problem, style, rng), problem.answer

    def facts(self, rng: Random) -> str | None:
        """A line of small facts that its thoughts use, or None."""
        return None

    def row(self, problem: AnyProblem) -> dict:
        """What `restore` needs besides question and answer, as JSON would give it back."""
        return {}

    def restore(self, question: str, answer: str, row: dict) -> AnyProblem:
        """The problem again, from a data set's row."""
        raise NotImplementedError

    def close(self) -> None:
        """Gives back what the environment holds open."""
