"""Environments: what training, demonstrations and evaluation need to know of a kind of problem, and nothing else.

    env = environments.get("gym:gcd")
    problem = env.sample(random.Random(0), "rl")   question, answer, key, split, family, size
    env.score(problem, "12")                       1.0 or 0.0; for the answer alone, whatever was thought before it
    env.demonstrate(problem, "careful", rng)       a thought that leads to the answer, in one of env.styles

    add, chain, word      this library's own sums (`reason.tasks`)
    gym:NAME              a data set of reasoning-gym, graded by its own scorer (`reason.gym_tasks`)
    user:FILE.jsonl       problems of yours; with @check.py:function behind it they are graded by a function of yours,
                          in a process with limits (`reason.verifiers`)
    countdown             numbers and a target, with search traces as thoughts (`reason.countdown`)

Which set a problem belongs to is decided by `split_of(key)`, and `key` holds what is asked in a form that does not
depend on how it is asked: a hash of the operands. A seed decides nothing: other seeds give the same operands again.

An answer is judged as a whole. It is the text between the answer's marks, blanks around it taken off; nothing is
searched for in it, and nothing of it is run here. A problem may have several right answers (`countdown`): then the
environment decides, and a majority vote counts each spelling for itself.

Left out: environments of several turns, tools, rewards between 0 and 1.
"""

import json
import random
from dataclasses import dataclass, field, replace
from functools import lru_cache

from minids.errors import MinidsError
from minids.reason import tasks
from minids.reason.reward import BLANK, Reward, parse_integer
from minids.text.tokenizer import END_THINK, THINK

MAX_ANSWER = 4096  # characters; a longer answer is wrong, and no scorer sees it


@dataclass(frozen=True)
class Verdict:
    """`score` is 1.0 or 0.0, `answer` what a majority vote counts (None: nothing), `failure` why nobody could say."""

    score: float
    answer: int | str | None = None
    failure: str = ""


@dataclass(frozen=True)
class Item:
    """A problem of an environment other than `reason.tasks`."""

    family: str
    question: str
    answer: str
    key: str
    size: object = None
    data: object = field(default=None, compare=False)  # what the environment needs to judge and to demonstrate

    @property
    def split(self):
        return tasks.split_of(self.key)

    def judge(self, answer_text, reply_text=""):
        return get(self.family).judge(self, answer_text, reply_text)


class Environment:
    """What the others share. A new one needs `name`, `sample` and `score`; the rest says what it does not have."""

    name = ""
    about = ""  # in a few words, for `minids chat`
    styles = ()  # of thoughts that `demonstrate` can write
    sizes = {}  # size -> weight of those that are trained on
    beyond = ()  # sizes that are only tested

    def sample(self, rng, split, size=None):
        raise NotImplementedError

    def score(self, problem, answer_text):
        """Exactly 1.0 for a right answer and 0.0 for any other text."""
        raise NotImplementedError

    def canonical(self, problem, answer_text):
        """What a majority vote counts: one value for all spellings that are the same answer, None for none."""
        return " ".join(answer_text.split()) or None

    def judge(self, problem, answer_text, reply_text=""):
        """Verdict on the text of an answer. `reply_text`, all that was said, is for verifiers that ask for it."""
        text = answer_text.strip(BLANK)
        if not text or len(text) > MAX_ANSWER:
            return Verdict(0.0)
        return Verdict(float(self.score(problem, text) == 1), self.canonical(problem, text))

    def demonstrate(self, problem, style, rng=None):
        raise MinidsError(
            f"environment {self.name!r} has no thoughts to learn from: it can be trained on by GRPO, and be evaluated, "
            "with a model that was taught to think elsewhere, but pretraining and SFT need another."
        )

    def worked(self, problem, style, rng=None):
        """(thought, the answer that it leads to): not always `problem.answer`, where several answers are right."""
        return self.demonstrate(problem, style, rng), problem.answer

    def facts(self, rng):
        """A line of small facts that its thoughts use, or None."""
        return None

    def row(self, problem):
        """What `restore` needs besides question and answer, as JSON would give it back."""
        return {}

    def restore(self, question, answer, row):
        """The problem again, from a data set's row."""
        raise NotImplementedError

    def close(self):
        """Gives back what the environment holds open."""


class Arithmetic(Environment):
    """A family of `reason.tasks`; whatever is drawn here is drawn there."""

    styles = tasks.STYLES

    def __init__(self, name):
        self.name, self.about = name, tasks.ABOUT[name]
        self.sizes, self.beyond = tasks.SIZES[name], tasks.BEYOND[name]

    def sample(self, rng, split, size=None):
        return tasks.sample(self.name, rng, split, size)

    def score(self, problem, answer_text):
        return float(parse_integer(answer_text) == int(problem.answer))

    def canonical(self, problem, answer_text):
        return parse_integer(answer_text)

    def demonstrate(self, problem, style, rng=None):
        return tasks.thought(problem, style, rng)

    def facts(self, rng):
        return tasks.facts(rng)

    def row(self, problem):
        return {"terms": list(problem.terms), "size": problem.size}

    def restore(self, question, answer, row):
        return tasks.Problem(self.name, question, tuple(row["terms"]), row["size"])


@lru_cache(maxsize=256)
def _make(name):
    if name in tasks.FAMILIES:
        return Arithmetic(name)
    kind, _, rest = name.partition(":")
    if kind == "gym" and rest:
        from minids.reason import gym_tasks

        return gym_tasks.Gym(rest)
    if kind == "user" and rest:
        from minids.reason import user

        return user.User(name)
    if name == "countdown":
        from minids.reason import countdown

        return countdown.Countdown()
    raise MinidsError(
        f"family {name!r} is not one of {', '.join(tasks.FAMILIES)}, countdown, gym:NAME (a data set of reasoning-gym) "
        "or user:FILE.jsonl."
    )


def get(name):
    """The environment of this name; MinidsError where there is none, or where a package for it is missing."""
    if not isinstance(name, str):
        raise MinidsError(f"family {name!r} is no text; write it as in families = [\"add\", \"gym:gcd\"].")
    return _make(name)


def named(name):
    """Whether `get` has a chance: a name as environments have it, whatever is installed here."""
    return isinstance(name, str) and (name in (*tasks.FAMILIES, "countdown") or name.startswith(("gym:", "user:")))


def names_files(name):
    """Whether a name is that of files on this computer, and perhaps of code in them: never taken from a model's or a
    run's folder, which may be a stranger's, only from whoever gives the command."""
    return isinstance(name, str) and name.startswith("user:")


def sample(family, rng, split, size=None):
    """One problem of a family from a split."""
    return get(family).sample(rng, split, size)


def problem_set(families, split, count, seed, size=None):
    """`count` problems a family with different operands, asserted to lie in the split."""
    return tasks.problem_set(families, split, count, seed, size, draw=sample)


def assert_disjoint(families, tests, seed, draws=300):
    """Refuses families whose training draws hold a problem that is tested on: a run looks before it starts.

    tests     problems of each family's test split, as evaluation draws them
    draws     as many from the splits "train" and "rl"; every later draw is asserted too, where it is made
    """
    rng = random.Random(f"guard {seed}")
    for family in families:
        held_out = {p.key for p in problem_set([family], "test", tests, seed)}
        for split in ("train", "rl"):
            drawn = [sample(family, rng, split) for _ in range(draws)]
            tasks.assert_split(drawn, split)
            if leaks := held_out.intersection(p.key for p in drawn):
                raise MinidsError(
                    f"family {family!r}: {len(leaks)} of {draws} problems drawn for the split {split!r} are held out "
                    f"for evaluation, {min(leaks)!r} for one. The run would be tested on what it was trained on, so it "
                    "does not start. Mend the environment's sample()."
                )


def worked(problem, style, rng=None):
    """(thought, answer) for a problem of any family; the style "none" is no thought at all."""
    return (None, problem.answer) if style == "none" else get(problem.family).worked(problem, style, rng)


# -- a data set and its reward for other trainers ----------------------------------------------------------------------


def dataset(name, n, split="rl", *, seed=0, size=None, chat=False):
    """n rows with different problems: prompt, answer, question, family and problem (JSON: tasks can be mixed).

    `prompt` is the question, or with `chat` a list of messages. `datasets.Dataset.from_list(rows)` is what TRL takes.
    """
    env, rows = get(name), []
    for p in problem_set([name], split, n, seed, size):
        prompt = [{"role": "user", "content": p.question}] if chat else p.question
        rows.append({"prompt": prompt, "answer": p.answer, "question": p.question, "family": name,
                     "problem": json.dumps(env.row(p))})  # fmt: skip
    return rows


class TRLReward:
    """f(prompts, completions, **columns) -> a float for each completion; made by `trl_reward`, can be pickled."""

    def __init__(self, name, reward):
        self.name, self.reward = name, reward
        self.__name__ = f"minids_{name}".replace(":", "_")  # TRL logs rewards under it

    def __call__(self, prompts=None, completions=(), *, answer=None, question=None, problem=None, **others):
        """`others` are what TRL hands on besides: completion_ids, trainer_state, log_extra, other columns."""
        columns = {"answer": answer, "question": question, "problem": problem}
        if missing := [name for name, column in columns.items() if column is None]:
            raise MinidsError(
                f"trl_reward({self.name!r}): the data set has no column {', '.join(map(repr, missing))}; it must keep "
                "those of environments.dataset (and GRPOConfig its remove_unused_columns=False)."
            )
        rows = zip(completions, answer, question, problem, strict=True)
        return [_graded(self.name, self.reward, completion, a, q, p) for completion, a, q, p in rows]


def trl_reward(name, *, style="tags", accuracy=1.0, format=0.0):
    """A reward function for TRL's GRPOTrainer. The columns that it wants are those of `dataset(name, …)`.

    A completion is a text, or a list of messages of which the assistant's last counts; one without a text earns 0.
    `style` says how an answer is marked, as in `reason.reward`: with "tags", a reply that was cut off has no closed
    answer, so it earns nothing; with "plain", it may, so set TRL's mask_truncated_completions. Where the chat template
    opens <think> itself (DeepSeek-R1 and its distills), a completion begins inside the thought; "tags" reads both.
    A row whose columns are None, of another task in a mixed data set, earns None: TRL leaves it out.
    """
    get(name)
    return TRLReward(name, Reward(accuracy=accuracy, format=format, style=style))


def compute_score(data_source, solution_str, ground_truth, extra_info=None):
    """verl's custom_reward_function: 1.0 if the reply's answer, in R1's tags, is right, else 0.0.

    `data_source` is the environment's name, and extra_info holds the columns `question` and `problem` of `dataset`.
    """
    row = extra_info or {}
    if missing := [name for name in ("question", "problem") if not isinstance(row.get(name), str)]:
        raise MinidsError(
            f"compute_score({data_source!r}): extra_info holds no {' and no '.join(map(repr, missing))}; it needs the "
            "columns 'question' and 'problem' of environments.dataset."
        )
    return _graded(data_source, Reward(format=0.0), solution_str, str(ground_truth), row["question"], row["problem"])


def _graded(name, reward, completion, answer, question, problem):
    if answer is None or question is None or problem is None:
        return None
    text = said(completion)
    if reward.style == "tags" and THINK not in text and END_THINK in text:
        reward = replace(reward, style="opened")
    return reward(_restored(name, question, answer, problem), text, True).total


def said(completion):
    """The text of a completion in any form that trainers have: a text, a message, messages, parts of a content. What
    is nothing of these, or holds no text, is ""."""
    if isinstance(completion, str):
        return completion
    if isinstance(completion, dict):
        text = said(completion.get("content", completion.get("text")))
        thought = completion.get("reasoning_content") or completion.get("thinking")
        # a server that took the thought out of the text
        return f"{THINK}{thought}{END_THINK}{text}" if isinstance(thought, str) and END_THINK not in text else text
    if not isinstance(completion, list | tuple):
        return ""
    messages = [m for m in completion if isinstance(m, dict) and "role" in m]
    if messages:
        return said(next((m for m in reversed(messages) if m["role"] == "assistant"), None))
    return "".join(map(said, completion))


@lru_cache(maxsize=65536)
def _restored(name, question, answer, problem):
    try:
        restored = get(name).restore(question, answer, json.loads(problem))
        if restored.answer != answer:
            raise ValueError(f"its answer is {restored.answer!r}, not {answer!r}")
        return restored
    except (KeyError, TypeError, ValueError) as error:
        raise MinidsError(
            f"environment {name!r}: the column 'problem' of {question!r} is not what environments.dataset wrote "
            f"({type(error).__name__}: {error}). Make the data set again."
        ) from None
