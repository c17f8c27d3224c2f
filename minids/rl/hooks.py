"""Functions of yours in the loop of RL: what an answer earns, and how much better than its group it was.

    def reward(problem, reply, ids, finished) -> float, or a dict of parts, whose sum it is
    def advantages(rewards_NG) -> advantages_NG

    train_rl(model, tokenizer, families, config, reward=reward, advantages=advantages)

    problem      what was asked: problem.question, .answer, .family, .size (`tasks.environment.Item`)
    reply        the text of the answer, tags included, without the mark that ends it
    ids          its tokens, the stop token included: len(ids) is its length
    finished     False where it was cut off at max_new_tokens
    rewards_NG   float32 [N questions, G answers to each], those of this process

Any finite reward is allowed, partial credit too. `reward` stands in the place of the weighted sum of
`tasks.reward.Reward` (a cut-off answer earns what the function says); what is logged as accuracy and format is still
the built-in check, and the length penalty `overlong_share` still comes off. `advantages` stands in the place of
`baseline` and `scale`; a group whose advantages are all 0 teaches nothing. Both are called in the process that trains,
without the limits that a verifier has (`tasks.verifier`): an error of theirs ends the run, and the message names the
function.

A function may be given as "FILE.py:NAME" too. A checkpoint and the record for `minids replay` keep its name and a hash
of its source, never the function: who goes on with the run, or replays it, brings it again. What a function reads from
elsewhere (globals, closures, files) is not in the hash.
"""

import functools
import hashlib
import importlib.util
import inspect
import math
import numbers
import textwrap
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from minids.errors import MinidsError
from minids.files import brief
from minids.tasks.environment import AnyProblem
from minids.tasks.reward import RewardResult
from minids.tasks.verifier import find_function

Hook = Callable | str | None


@dataclass(frozen=True)
class Hooks:
    """The functions of a run, `reward` and `advantages` as the module says; None: the built-in ones."""

    reward: Callable | None = None
    advantages: Callable | None = None

    @classmethod
    def of(cls, reward: Hook = None, advantages: Hook = None) -> "Hooks":
        """From functions, or from texts "FILE.py:NAME". Raises MinidsError where there is no such function."""
        return cls(_function(reward, "reward"), _function(advantages, "advantages"))

    def about(self) -> dict[str, dict[str, str]]:
        """{"reward": {"name": …, "source": hash}, …} of those that are there."""
        return {kind: identity(f) for kind, f in vars(self).items() if f is not None}


def graded(
    result: RewardResult, reward: Callable, problem: AnyProblem, reply: str, ids: list[int], finished: bool
) -> RewardResult:
    """A RewardResult with what the hook pays."""
    try:
        paid = reward(problem, reply, ids, finished)
    except Exception as error:
        what = f"raised {type(error).__name__}: {brief(str(error), 200)}"
        raise _refused("reward", reward, f"{what}, for the reply {brief(reply, 80)} to {problem.question!r}") from error
    parts = paid if isinstance(paid, dict) else {"": paid}
    values = {str(name): _number(value) for name, value in parts.items()}
    if not values or None in values.values():
        why = "give a finite number, or a dict of them"
        raise _refused("reward", reward, f"returned {brief(paid, 80)} for the reply {brief(reply, 80)}: {why}")
    return replace(result, total=sum(values.values()), parts=values if isinstance(paid, dict) else {})


def advantages(hook: Callable, rewards_N: torch.Tensor, group: int) -> tuple[torch.Tensor, torch.Tensor]:
    """(adv_N, informative_N) as `grpo.advantages` gives them; a group says nothing if all its advantages are 0."""
    rewards_NG = rewards_N.reshape(-1, group)
    try:
        given = torch.as_tensor(hook(rewards_NG.clone()))
    except Exception as error:
        what = f"raised {type(error).__name__}: {brief(str(error), 200)}"
        raise _refused("advantages", hook, f"{what}, for rewards of shape {tuple(rewards_NG.shape)}") from error
    if given.shape != rewards_NG.shape:
        what = f"returned a shape {tuple(given.shape)} for rewards of shape {tuple(rewards_NG.shape)}"
        raise _refused("advantages", hook, f"{what}: give one advantage for each reward")
    adv_NG = given.detach().to(rewards_NG)
    if not adv_NG.isfinite().all():
        row = int((~adv_NG.isfinite()).any(1).nonzero()[0])
        what = f"returned {adv_NG[row].tolist()} for the rewards {rewards_NG[row].tolist()}"
        raise _refused("advantages", hook, f"{what}: an advantage must be finite")
    return adv_NG.reshape(-1), (adv_NG != 0).any(1, keepdim=True).expand_as(adv_NG).reshape(-1)


def changed(before: dict, now: dict) -> list[str]:
    """What differs between the hooks of a record (`Hooks.about`) and those that are there, in words."""
    out = []
    for kind in ("reward", "advantages"):
        then, this = before.get(kind), now.get(kind)
        if then != this:
            out.append(f"the hook {kind} was {_shown(then)}, is {_shown(this)}")
    return out


def identity(function: Callable) -> dict[str, str]:
    """{"name", "source"}: the function's name, and 16 digits of the SHA-256 of its source."""
    inner, told = function, ""
    while isinstance(inner, functools.partial):
        told += repr((inner.args, sorted(inner.keywords.items())))
        inner = inner.func
    inner = inspect.unwrap(inner) if hasattr(inner, "__qualname__") else type(inner)
    try:
        source = textwrap.dedent(inspect.getsource(inner)).strip()
    except (OSError, TypeError):  # typed into an interpreter, or not Python
        code = getattr(inner, "__code__", None)
        source = repr((code.co_code, code.co_names, _constants(code))) if code else repr(inner)
    return {"name": inner.__qualname__, "source": hashlib.sha256((source + told).encode()).hexdigest()[:16]}


def _constants(code):
    """The constants of a function without what names a place in memory."""
    return [_constants(c) if hasattr(c, "co_consts") else c for c in code.co_consts]


def _shown(about):
    return f"{about['name']} (source {about['source'][:8]})" if about else "the built-in one"


def _function(hook, kind):
    """The function that is meant; "FILE.py:NAME" is loaded."""
    if hook is None or callable(hook):
        return hook
    if not isinstance(hook, str):
        raise MinidsError(f"{kind}={brief(hook)}: give a function, or where it stands, as in {kind}='check.py:{kind}'.")
    path, name = find_function(hook)
    spec = importlib.util.spec_from_file_location(f"minids_hook_{Path(path).stem}", path)
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        what = f"{type(error).__name__}: {brief(str(error), 200)}"
        raise MinidsError(f"{kind}={hook!r}: the file cannot be imported ({what}).") from error
    return getattr(module, name)


def _number(value):
    """A float, or None for what is no finite number."""
    try:
        value = value.item() if callable(getattr(value, "item", None)) else value
        value = float(value) if isinstance(value, numbers.Real) else None
    except (ValueError, TypeError, RuntimeError, OverflowError):
        return None
    return value if value is not None and math.isfinite(value) else None


def _refused(kind, function, what):
    return MinidsError(f"the hook {kind}={identity(function)['name']} {what}.")
