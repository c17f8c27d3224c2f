"""A data set and its reward for other trainers: TRL's GRPOTrainer, verl.

rows = trainers.dataset("gym:gcd", 64, "rl", chat=True)      what TRL's GRPOTrainer trains on
reward = trainers.trl_reward("gym:gcd")                      one of its reward_funcs
trainers.compute_score                                       verl's custom_reward_function
"""

import json
from dataclasses import replace
from functools import lru_cache

from minids.errors import MinidsError
from minids.tasks.registry import get, problem_set
from minids.tasks.reward import Reward
from minids.text.tokenizer import END_THINK, THINK


def dataset(
    name: str, n: int, split: str = "rl", *, seed: int = 0, size: int | None = None, chat: bool = False
) -> list[dict]:
    """n rows with different problems: prompt, answer, question, family and problem (JSON: tasks can be mixed).

    `prompt` is the question, or with `chat` a list of messages. `datasets.Dataset.from_list(rows)` is what TRL takes.
    """
    env, rows = get(name), []
    for p in problem_set([name], split, n, seed, size):
        prompt = [{"role": "user", "content": p.question}] if chat else p.question
        rows.append(
            {
                "prompt": prompt,
                "answer": p.answer,
                "question": p.question,
                "family": name,
                "problem": json.dumps(env.row(p)),
            }
        )
    return rows


class TRLReward:
    """f(prompts, completions, **columns) -> a float for each completion; made by `trl_reward`, can be pickled."""

    def __init__(self, name: str, reward: Reward):
        self.name, self.reward = name, reward
        self.__name__ = f"minids_{name}".replace(":", "_")  # TRL logs rewards under it

    def __call__(self, prompts=None, completions=(), *, answer=None, question=None, problem=None, **others):
        """`others` are what TRL hands on besides: completion_ids, trainer_state, log_extra, other columns."""
        columns = {"answer": answer, "question": question, "problem": problem}
        if missing := [name for name, column in columns.items() if column is None]:
            raise MinidsError(
                f"trl_reward({self.name!r}): the data set has no column {', '.join(map(repr, missing))}; it must keep "
                "those of trainers.dataset (and GRPOConfig its remove_unused_columns=False)."
            )
        rows = zip(completions, answer, question, problem, strict=True)
        return [_graded(self.name, self.reward, completion, a, q, p) for completion, a, q, p in rows]


def trl_reward(name: str, *, style: str = "tags", accuracy: float = 1.0, format: float = 0.0) -> TRLReward:
    """A reward function for TRL's GRPOTrainer. The columns that it wants are those of `dataset(name, …)`.

    A completion is a text, or a list of messages of which the assistant's last counts; one without a text earns 0.
    `style` says how an answer is marked, as in `tasks.reward`: with "tags", a reply that was cut off has no closed
    answer, so it earns nothing; with "plain", it may, so set TRL's mask_truncated_completions. Where the chat template
    opens <think> itself (DeepSeek-R1 and its distills), a completion begins inside the thought; "tags" reads both.
    A row whose columns are None, of another task in a mixed data set, earns None: TRL leaves it out.
    """
    get(name)
    return TRLReward(name, Reward(accuracy=accuracy, format=format, style=style))


def compute_score(data_source: str, solution_str: str, ground_truth: str, extra_info: dict | None = None) -> float:
    """verl's custom_reward_function: 1.0 if the reply's answer, in R1's tags, is right, else 0.0.

    `data_source` is the environment's name, and extra_info holds the columns `question` and `problem` of `dataset`.
    Raises MinidsError where extra_info lacks a column.
    """
    row = extra_info or {}
    if missing := [name for name in ("question", "problem") if not isinstance(row.get(name), str)]:
        raise MinidsError(
            f"compute_score({data_source!r}): extra_info holds no {' and no '.join(map(repr, missing))}; it needs the "
            "columns 'question' and 'problem' of trainers.dataset."
        )
    return _graded(data_source, Reward(format=0.0), solution_str, str(ground_truth), row["question"], row["problem"])


def _graded(name, reward, completion, answer, question, problem):
    if answer is None or question is None or problem is None:
        return None
    text = said(completion)
    if reward.style == "tags" and THINK not in text and END_THINK in text:
        reward = replace(reward, style="opened")
    return reward(_restored(name, question, answer, problem), text, True).total


def said(completion: object) -> str:
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
            f"environment {name!r}: the column 'problem' of {question!r} is not what trainers.dataset wrote "
            f"({type(error).__name__}: {error}). Make the data set again."
        ) from None
