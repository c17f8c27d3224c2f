"""What a step learns from, beyond the answers' rewards: a length penalty, and dynamic sampling.

    overlong            R(o) = 0                          for |o| <= L - B
                               ((L - B) - |o|) / B        for L - B < |o| <= L       DAPO, arXiv 2503.14476, eq. 13
                               -1                         beyond

    dynamic sampling    a group whose rewards are all equal has no gradient; draw another question in its place,
                        until every group has one or `dynamic_rounds` are spent      DAPO, section 3.2, eq. 11

L is `max_new_tokens`, B a share of it (`overlong_share`; DAPO's is 4096 of 20480). The penalty grows with the length,
so that a long answer loses some reward before it is cut off and loses all.

Dynamic sampling keeps the places of an iteration: in round k, place j gets question k * prompts_per_step + j, of the
family that stood there before. Which questions are drawn depends on (seed, iteration) and on the policy, not on the
number of processes, which need not communicate for it; a resumed run draws the same ones. DAPO draws from a pool until
a batch is full and drops the rest; here no informative group is dropped, and the groups of the last round stay.

Trade-offs. Both are deliberate biases: the length penalty prefers short answers, and redrawing weighs questions by the
probability that their group is mixed, so that very easy and very hard ones count less. What a run reports (reward,
accuracy, length, zero_variance) is counted on the first round's questions, before anything is drawn again.

Left out: DAPO's pool; the -1 for wrong answers (rewards here are 0 or more, so a full penalty is `overlong_penalty`
of the difference between right and wrong).
"""

from collections.abc import Callable, Sequence
from dataclasses import fields
from typing import TypeVar

import torch

from minids.rl import grpo

Answers = TypeVar("Answers")  # a dataclass of lists, an entry for each answer


def overlong(lengths_N: Sequence[int] | torch.Tensor, longest: int, buffer: float) -> torch.Tensor:
    """0 for answers of up to longest - buffer tokens, then a slope down to -1 at `longest`: [N]."""
    lengths_N = torch.as_tensor(lengths_N, dtype=torch.float32)
    return ((longest - buffer - lengths_N) / buffer).clamp(min=-1.0, max=0.0)


def redraw(
    rollouts: Answers,
    rewards_N: torch.Tensor,
    group: int,
    rounds: int,
    draw: Callable[[int, list[int]], tuple[Answers, torch.Tensor]],
) -> tuple[Answers, torch.Tensor, int, int]:
    """Puts other questions in the places of groups whose rewards are all equal, at most `rounds` times.

    draw(round, places) gives (rollouts, rewards) of other questions for these places; round counts from 1.
    Returns (rollouts, rewards_N, groups that were drawn again, their tokens); what was passed in stays as it is.
    """
    names = [f.name for f in fields(rollouts)]
    out, rewards_N = type(rollouts)(**{name: list(getattr(rollouts, name)) for name in names}), rewards_N.clone()
    groups = tokens = 0
    for round in range(1, rounds + 1):
        _, informative_N = grpo.advantages(rewards_N, group, baseline="none", scale="none")
        places = [j for j in range(len(rewards_N) // group) if not informative_N[j * group]]
        if not places:
            break
        part, part_rewards_N = draw(round, places)
        groups, tokens = groups + len(places), tokens + sum(map(len, part.ids))
        for k, j in enumerate(places):
            here, there = slice(j * group, (j + 1) * group), slice(k * group, (k + 1) * group)
            for name in names:
                getattr(out, name)[here] = getattr(part, name)[there]
            rewards_N[here] = part_rewards_N[there]
    return out, rewards_N, groups, tokens
