"""The exact gradient on a trained model: its last few tokens are a tree that can be written down.

    J(theta) = sum_o p(o) r(o)      o: everything that the model can still say, when an answer that it began is cut
                                    open `depth` tokens before its end and goes on with `top_k` tokens at each place

With top-k 3 and 4 tokens there are at most 81 endings, among them the true one with its stop token; rewards are those
of `reward.Reward` on the whole answer, so an ending that does not stop earns nothing. grad J, with respect to all
parameters, is autograd's through the sum of probability times reward, from plain softmax over the kept tokens. The
update goes the way of the training loop: `rollout.batch`, `rollout.score` and `grpo.grpo_loss`, on all endings, each
with the advantages that it has in all groups of G (`exact.answer_weights`). In float64 minus the update must be
(G - 1)/G of grad J with the mean baseline, and mistakes in the mask or in the settings that the scoring is told must
turn it.

Shapes: L endings, T tokens of prompt, opening and ending.

Left out: more than one question; what lies before the cut, which is a fixed opening here.
"""

import argparse
import itertools
import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from minids.errors import MinidsError
from minids.model import generate as sampler
from minids.model import sampling
from minids.model.transformer import Transformer
from minids.rl import grpo, rollout
from minids.studies import exact_gradient as exact
from minids.tasks import arithmetic
from minids.tasks.reward import Reward
from minids.text.tokenizer import Tokenizer


@dataclass(frozen=True)
class Endings:
    """Every ending of a begun answer under a sampler's settings.

    how         those settings
    rollouts    a row for each; `ids` are the endings, the opening is part of the prompt
    prob_L      probability of each
    rewards_L   what each earns
    """

    how: "Scoring"
    rollouts: rollout.Rollouts
    prob_L: torch.Tensor
    rewards_L: torch.Tensor


@dataclass(frozen=True)
class Scoring:
    """The settings that `rollout.score` reads from a run's config: temperature, top_k and top_p of the sampler."""

    temperature: float = 1.0
    top_k: int = 3
    top_p: float = 1.0


def load(folder: str | Path) -> tuple[Transformer, Tokenizer]:
    """(model in float64, tokenizer) of a model folder."""
    return Transformer.from_pretrained(folder, dtype=torch.float32).double().eval(), Tokenizer.from_pretrained(folder)


@torch.no_grad()
def next_probs(model: Transformer, texts: list[list[int]], how: Scoring) -> Tensor:
    """Probability of every next token [N, V] after texts of one length, as the sampler has it."""
    logits_NV = model(torch.tensor(texts))[:, -1]
    return sampling.warp_logits(logits_NV, how.temperature, how.top_k, how.top_p).softmax(-1)


def endings(
    model: Transformer,
    tokenizer: Tokenizer,
    problem: arithmetic.Problem,
    *,
    depth: int = 4,
    style: str = "tags",
    how: Scoring | None = None,
    reward: Reward | None = None,
) -> Endings:
    """Cuts the model's greedy answer open `depth` tokens before its end and enumerates how it can go on. Raises
    MinidsError for more endings than can be enumerated."""
    how = how or Scoring()
    if how.top_k < 1 or how.top_k**depth > 1000:
        raise MinidsError(
            f"exact: top_k={how.top_k} and depth={depth} give more endings than can be enumerated; "
            "keep top_k ** depth below 1000"
        )
    prompt = rollout.prompt_of(tokenizer, problem.question, style)
    room = model.config.max_position_embeddings - len(prompt)
    greedy = sampler.generate(
        model, [prompt], max_new_tokens=min(200, room), temperature=0, stop_ids=[tokenizer.eos_id]
    ).ids[0]
    opening = greedy[: max(0, len(greedy) - depth)]
    prompt = prompt + opening
    running, done = [((), 1.0)], []
    for t in range(depth):
        probs_NV = next_probs(model, [prompt + list(o) for o, _ in running], how)
        grown = [
            ((*o, v), p * float(q))
            for (o, p), row in zip(running, probs_NV)
            for v, q in zip(row.nonzero().flatten().tolist(), row[row > 0])
        ]
        done += [g for g in grown if g[0][-1] == tokenizer.eos_id or t + 1 == depth]
        running = [g for g in grown if g[0][-1] != tokenizer.eos_id]
    reward = reward or Reward(style=style)
    finished = [o[-1] == tokenizer.eos_id for o, _ in done]
    ids = [list(o) for o, _ in done]
    texts = [tokenizer.decode([*opening, *o]) for o in ids]
    results = [reward(problem, text, end) for text, end in zip(texts, finished)]
    count, logps = len(ids), [torch.zeros(len(o)) for o in ids]
    rollouts = rollout.Rollouts([prompt] * count, ids, logps, finished, texts, results, [problem] * count)
    return Endings(
        how,
        rollouts,
        torch.tensor([p for _, p in done], dtype=torch.float64),
        torch.tensor([r.total for r in results], dtype=torch.float64),
    )


def _slopes(value, model):
    """d value / d parameters as one vector; zeros for what it does not depend on."""
    parameters = [p for p in model.parameters() if p.requires_grad]
    found = torch.autograd.grad(value, parameters, allow_unused=True)
    return torch.cat([torch.zeros_like(p).flatten() if g is None else g.flatten() for p, g in zip(parameters, found)])


def exact_gradient(model: Transformer, tree: Endings) -> Tensor:
    """grad J with respect to all parameters, without any code of the loss or of the scoring."""
    how, rollouts = tree.how, tree.rollouts
    start, T = len(rollouts.prompts[0]), max(map(len, rollouts.ids))
    ids_LT = torch.tensor([o + [0] * (T - len(o)) for o in rollouts.ids])
    inside_LT = torch.tensor([[t < len(o) for t in range(T)] for o in rollouts.ids])
    texts = torch.cat([torch.tensor(rollouts.prompts), ids_LT], 1)
    logits_LTV = model(texts)[:, start - 1 : -1]
    probs_LTV = sampling.warp_logits(logits_LTV, how.temperature, how.top_k, how.top_p).softmax(-1)
    probs_LT = torch.where(inside_LT, probs_LTV.gather(-1, ids_LT[..., None])[..., 0], 1.0)
    return _slopes((probs_LT.prod(1) * tree.rewards_L).sum(), model)


def expected_update(
    model: Transformer,
    tree: Endings,
    G: int = 2,
    *,
    scored: Scoring | None = None,
    damage: Callable | None = None,
    loss: dict | None = None,
    **adv_settings: object,
) -> Tensor:
    """Minus the expected gradient of the loss over all groups of G endings, through the code that trains.

    scored   Scoring that the loss is told; default the sampler's
    damage   a function of (mask [L, T], finished) that spoils the mask, for planted mistakes
    """
    rows = list(range(len(tree.prob_L)))
    weight_L = exact.answer_weights(tree.prob_L, tree.rewards_L, G, **{"scale": "none", **adv_settings}).sum(0)
    ids, mask, _ = rollout.batch(tree.rollouts, rows)
    if damage is not None:
        mask = damage(mask, torch.tensor(tree.rollouts.finished))
    logp, _ = rollout.score(model, ids, mask, scored or tree.how)
    value, _ = grpo.grpo_loss(
        logp, logp.detach(), weight_L, mask, normalizer=G, **grpo.loss_config(exact.SUM, loss).keywords()
    )
    return -_slopes(value, model)


def without_stop(mask_LT: Tensor, finished_L: Tensor) -> Tensor:
    """The stop tokens taken out of the mask."""
    T = mask_LT.shape[1]
    last_L = T - 1 - mask_LT.flip(1).int().argmax(1)
    return mask_LT & ~((torch.arange(T) == last_L[:, None]) & finished_L[:, None])


def early(mask_LT: Tensor, finished_L: Tensor) -> Tensor:
    """The mask one place too early: the last token of the prompt in, the last of the answer out."""
    return torch.cat([mask_LT[:, 1:], torch.zeros_like(mask_LT[:, :1])], 1)


def late(mask_LT: Tensor, finished_L: Tensor) -> Tensor:
    """The mask one place too late: the first token of the answer out, padding in."""
    return torch.cat([torch.zeros_like(mask_LT[:, :1]), mask_LT[:, :-1]], 1)


def table(folder: str | Path, *, family: str = "add", seed: int = 0, depth: int = 4, warm: float = 2.5) -> list[dict]:
    """Rows as `exact.table` gives them, for one problem and a model folder, at the temperature `warm`."""
    model, tokenizer = load(folder)
    problem = arithmetic.sample(family, random.Random(seed), "test")
    how = Scoring(temperature=warm)
    tree = endings(model, tokenizer, problem, depth=depth, how=how)
    truth = exact_gradient(model, tree)
    section = f"{len(tree.prob_L)} endings of an answer to {problem.question!r}, top-k {how.top_k}, T = {warm:g}"
    rows = []
    for name, settings in {
        "mean baseline, G = 2": {},
        "mean baseline, G = 3": {"G": 3},
        "leave one out": {"baseline": "loo"},
        "1/|o| of the ending": {"loss": {"aggregation": "sequence_mean"}},
        "stop token masked": {"damage": without_stop},
        "mask one place too early": {"damage": early},
        "mask one place too late": {"damage": late},
        "temperature forgotten": {"scored": replace(how, temperature=1.0)},
        "truncated, scored in full": {"scored": replace(how, top_k=0)},
    }.items():
        cosine, scale = exact.compare(expected_update(model, tree, **settings), truth)
        rows.append({"section": section, "setting": name, "cosine": [cosine], "scale": [scale]})
    return rows


def main(argv: list[str] | None = None) -> int:
    """`minids dev exact`: prints the tables; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="minids dev exact", description="Expected updates of GRPO's settings, and the exact gradient."
    )
    parser.add_argument("--seeds", type=int, default=4, help="policies that are drawn")
    parser.add_argument("--model", type=Path, default=None, metavar="FOLDER", help="do it with a trained model too")
    asked = parser.parse_args(argv)
    torch.set_num_threads(1)
    print(exact.show(exact.table(range(asked.seeds))))
    print("\nscatter of one group's gradient, G = 2 (standard deviation over length of the mean)")
    for baseline, right in itertools.product(("none", "mean", "loo"), (0.3, 0.9)):
        found = [
            exact.noise(exact.SMALL, *exact.draw(exact.SMALL, seed, right), 2, baseline=baseline)
            for seed in range(asked.seeds)
        ]
        name = f"baseline {baseline}, {100 * right:.0f} % of the answers right"
        print(f"  {name:<50} {min(found):.2f} to {max(found):.2f}")
    if asked.model:
        print("\n" + exact.show(table(asked.model)))
    return 0
