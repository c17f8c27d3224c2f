"""Answers of one iteration of RL: drawn from the policy, rewarded, and scored again by the training forward.

    sample      answers to questions, with the log-probabilities that the sampler drew them with
    sample_and_grade    the same for problems, with a reward for each answer: what RL, evaluation, rejection sampling
                and interventions on a thought all do
    questions   the problems of an iteration, a function of (seed, iteration)
    roll_out    `num_generations` answers to each of them
    batch       answers as tensors;  micro_batches  cuts a set of them into forwards of bounded size
    score       the log-probabilities that the training forward gives the same tokens
    sensitivity how far those move when the weights move by a rounding: what fp32 cannot promise

Shapes: N answers, T tokens of prompt and answer, M sampled tokens under the mask, V vocabulary, D hidden.
"""

import random
import time
from collections.abc import Iterable, Iterator, Sequence, Set
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from minids.errors import MinidsError, need
from minids.model import generate as sampler
from minids.model.transformer import Transformer
from minids.rl import grpo, shaping
from minids.rl.config import RLConfig
from minids.tasks import arithmetic, registry
from minids.tasks.environment import AnyProblem
from minids.tasks.reward import Reward, RewardResult
from minids.text import chat
from minids.text.tokenizer import Tokenizer


def prompt_of(tokenizer: Tokenizer, question: str, style: str) -> list[int]:
    """Token ids that an answer in this style continues."""
    return chat.plain_prompt_ids(tokenizer, question) if style == "plain" else chat.prompt_ids(tokenizer, question)


def check_asked(where: str, model: object, tokenizer: object, families: object) -> None:
    """Raises MinidsError unless these are a model, a tokenizer and names of families, in this order."""
    need(model, nn.Module, f"{where}: model", "a Transformer, as minids.load(folder) gives one")
    need(tokenizer, Tokenizer, f"{where}: tokenizer", "a Tokenizer, the one that the model was trained with")
    need(families, list | tuple, f"{where}: families", f"a list of families of problems ({registry.known()})")
    if not families:
        raise MinidsError(f"{where}: families is empty; name at least one of {registry.known()}.")


def questions(
    config: RLConfig, families: Sequence[str], step: int, rank: int = 0, world: int = 1, round: int = 0
) -> tuple[list[AnyProblem], list[int]]:
    """The problems of an iteration that belong to this process, and their number among all:
    a function of (seed, step), and of the round where questions are drawn again (`shaping.redraw`)."""
    rng = random.Random(f"rl {config.seed} {step}" + f" again {round}" * bool(round))
    drawn = []
    for i in range(config.prompts_per_step):
        family = families[i % len(families)]
        drawn.append(registry.sample(family, rng, "rl", sizes=config.sizes))
    arithmetic.assert_split(drawn, "rl")
    mine = range(rank, config.prompts_per_step, world)
    return [drawn[i] for i in mine], list(mine)


def stop_ids(model: Transformer, tokenizer: Tokenizer) -> set[int]:
    """What ends an answer: the tokenizer's end of a sentence, and whatever else the model's config names."""
    return model.config.stop_ids | {tokenizer.eos_id}


def text_of(tokenizer: Tokenizer, ids: Sequence[int], stops: Set[int]) -> str:
    """The text of an answer, without the token that ended it where that is not the tokenizer's own end."""
    return tokenizer.decode(ids[:-1] if ids and ids[-1] in stops - {tokenizer.eos_id} else ids)


@dataclass
class Samples:
    """Answers, those to one question next to each other; lists with an entry for each.

    prompts    tokens that it continues, its opening included
    ids        tokens that were sampled, the stop token included
    logps      their log-probabilities as the sampler drew them
    finished   whether it ended by itself
    texts      opening and answer, without the token that ended it where that is not the tokenizer's own end
    """

    prompts: list[list[int]]
    ids: list[list[int]]
    logps: list[Tensor]
    finished: list[bool]
    texts: list[str]


@dataclass
class Rollouts(Samples):
    """Answers to problems, graded: `results` are what they earned, `problems` what was asked, an entry for each
    answer."""

    results: list[RewardResult]
    problems: list[AnyProblem]


def sample(
    model: Transformer,
    tokenizer: Tokenizer,
    questions: Sequence[str],
    style: str,
    seeds: Sequence[int],
    *,
    n: int = 1,
    openings: Sequence[Sequence[int]] | None = None,
    clock: dict[str, float] | None = None,
    **how: object,
) -> Samples:
    """`n` answers to each question, answer i drawn with seeds[i].

    openings    for each question ids that its answers begin with: the model goes on from there
    clock       the seconds that sampling takes are added to clock["sampling"]
    how         max_new_tokens, temperature, top_k, top_p, max_batch of `generate.generate`
    """
    openings = [[]] * len(questions) if openings is None else openings
    prompts = [[*prompt_of(tokenizer, q, style), *opening] for q, opening in zip(questions, openings)]
    stops, began = stop_ids(model, tokenizer), time.monotonic()
    out = sampler.generate(model, prompts, n=n, seeds=seeds, stop_ids=stops, **how)
    if clock is not None:
        clock["sampling"] += time.monotonic() - began
    begun = [opening for opening in openings for _ in range(n)]
    texts = [text_of(tokenizer, [*opening, *ids], stops) for opening, ids in zip(begun, out.ids)]
    return Samples([p for p in prompts for _ in range(n)], out.ids, out.logps, out.finished, texts)


def sample_and_grade(
    model: Transformer,
    tokenizer: Tokenizer,
    problems: Sequence[AnyProblem],
    reward: Reward,
    seeds: Sequence[int],
    *,
    n: int = 1,
    **how: object,
) -> Rollouts:
    """`sample` for the questions of problems, in the reward's style, and the reward of each answer."""
    out = sample(model, tokenizer, [p.question for p in problems], reward.style, seeds, n=n, **how)
    owners = [p for p in problems for _ in range(n)]
    results = [reward(*answer) for answer in zip(owners, out.texts, out.finished)]
    return Rollouts(**vars(out), results=results, problems=owners)


def seeds_of(seed: int, step: int, n: int, numbers: Iterable[int]) -> list[int]:
    """Seeds of `n` answers to each question, a function of (seed, step, number of the question)."""
    return [s for i in numbers for s in sampler.sequence_seeds(seed, step, n, i * n)]


def roll_out(
    model: Transformer,
    tokenizer: Tokenizer,
    config: RLConfig,
    problems: Sequence[AnyProblem],
    numbers: Sequence[int],
    step: int,
    clock: dict[str, float] | None = None,
) -> Rollouts:
    """`num_generations` answers to each problem of an iteration, graded."""
    return sample_and_grade(
        model,
        tokenizer,
        problems,
        Reward(**config.reward, style=config.template),
        seeds_of(config.seed, step, config.num_generations, numbers),
        n=config.num_generations,
        max_new_tokens=config.max_new_tokens,
        temperature=config.temperature,
        top_k=config.top_k,
        top_p=config.top_p,
        max_batch=config.max_batch,
        clock=clock,
    )


def rewards_of(rollouts: Rollouts, config: RLConfig, numbers: Sequence[int], step: int) -> Tensor:
    """The numbers that advantages are made of: rewards, less what too long an answer costs (`shaping.overlong`); with
    `random_reward` a coin for each answer, which no answer can influence."""
    if not config.random_reward:
        rewards_N = torch.tensor([r.total for r in rollouts.results])
        if not config.overlong_share:
            return rewards_N
        longest = config.max_new_tokens
        priced_N = shaping.overlong([len(ids) for ids in rollouts.ids], longest, config.overlong_share * longest)
        return rewards_N + config.overlong_penalty * priced_N
    seeds = seeds_of(config.seed + 77, step, config.num_generations, numbers)
    return (sampler.uniform(seeds, 1)[:, 0] < 0.5).float()


def batch(generation: Samples | sampler.Generation, rows: Sequence[int] | None = None) -> tuple[Tensor, Tensor, Tensor]:
    """Answers as tensors, what a loss on them needs: (ids_NT, mask_NT, old_logp_NT), padded on the right.

    ids_NT         int64 [N, T], prompt and answer, 0 behind the end
    mask_NT        bool [N, T], True on the sampled tokens, the stop token included
    old_logp_NT    float32 [N, T], the log-probabilities that they were drawn with, 0 elsewhere

    generation     what `minids.generate`, `sample` or `roll_out` returned
    rows           which answers, all of them by default

    old_logp_NT[n, t] belongs to ids_NT[n, t]: it is the model's prediction at position t - 1 (`score` computes the same
    with a gradient).
    """
    rows = range(len(generation.ids)) if rows is None else rows
    texts = [generation.prompts[i] + generation.ids[i] for i in rows]
    T = max(map(len, texts), default=0)
    ids_NT, mask_NT, logp_NT = (
        torch.zeros(len(rows), T, dtype=torch.long),
        torch.zeros(len(rows), T, dtype=torch.bool),
        torch.zeros(len(rows), T),
    )
    for n, (i, text) in enumerate(zip(rows, texts)):
        begin = len(generation.prompts[i])
        ids_NT[n, : len(text)] = torch.tensor(text)
        mask_NT[n, begin : len(text)] = True
        logp_NT[n, begin : len(text)] = generation.logps[i]
    return ids_NT, mask_NT, logp_NT


def score(
    model: Transformer, ids_NT: Tensor, mask_NT: Tensor, config: RLConfig, entropy: bool = True
) -> tuple[Tensor, Tensor | None]:
    """Log-probabilities [N, T] of the tokens under mask, 0 elsewhere, and the sum of the entropies there (None if it is
    not asked for); the head sees only those."""
    hidden_NTD = model.hidden(ids_NT)
    row, t = mask_NT.nonzero(as_tuple=True)
    logits_MV = model.lm_head(hidden_NTD[row, t - 1])
    logp_M = grpo.token_logps(
        logits_MV[None], ids_NT[row, t][None], temperature=config.temperature, top_k=config.top_k, top_p=config.top_p
    )[0]
    total = None
    if entropy:
        with torch.no_grad():
            p_MV = logits_MV.float().softmax(-1)
            total = -(p_MV * (p_MV + 1e-20).log()).sum()
    return torch.zeros(ids_NT.shape, dtype=logp_M.dtype, device=ids_NT.device).index_put((row, t), logp_M), total


@contextmanager
def weights(model: Transformer, values: Iterable[Tensor]) -> Iterator[None]:
    """Other values in the places of the model's parameters, for the time of a `with`."""
    params = list(model.parameters())
    kept = [p.data for p in params]
    try:
        for p, value in zip(params, values):
            p.data = value
        yield
    finally:
        for p, value in zip(params, kept):
            p.data = value


@torch.no_grad()
def sensitivity(
    model: Transformer, ids_NT: Tensor, mask_NT: Tensor, config: RLConfig, relative: float, tries: int = 8
) -> Tensor:
    """How far the log-probabilities [N, T] move, at most, when every weight moves by about `relative` of itself.

    A forward in fp32 is the exact forward of weights a little off (backward error), so a token that moves here by x
    can be computed to about x and no better, by anybody. Two experts that tie within rounding change places here too.
    """
    plain_NT, _ = score(model, ids_NT, mask_NT, config, entropy=False)
    most_NT = torch.zeros_like(plain_NT)
    noise = torch.Generator(device=ids_NT.device).manual_seed(0)
    for _ in range(tries):
        near = [
            w * (1 + relative * torch.randn(w.shape, generator=noise, device=w.device, dtype=w.dtype))
            for w in model.parameters()
        ]
        with weights(model, near):
            moved_NT, _ = score(model, ids_NT, mask_NT, config, entropy=False)
        most_NT = torch.maximum(most_NT, (moved_NT - plain_NT).abs())
    return most_NT


def micro_batches(rollouts: Samples, rows: Sequence[int], tokens: int) -> Iterator[list[int]]:
    """Rows sorted by length and cut where rows * longest would exceed `tokens`."""
    size = {i: len(rollouts.prompts[i]) + len(rollouts.ids[i]) for i in rows}
    part = []
    for i in sorted(rows, key=lambda i: size[i]):
        if part and size[i] * (len(part) + 1) > tokens:
            yield part
            part = []
        part.append(i)
    if part:
        yield part
