"""Rejection sampling: a model's own answers, where a rule finds nothing wrong with them, become training documents.

    for each question: draw n answers, keep those that are right, well formed, ended by themselves and in one script,
    at most `max_per_question` different ones                                (DeepSeek-R1, arXiv 2501.12948 §2.3.3)

R1 made 600k reasoning documents so, from the model after its first RL, and added 200k of other kinds; the base model
was then trained on all of them. What the filter lets through is all that the next model ever sees: a right answer at
the end of a mixed or broken thought is thrown away too.

Which questions are drawn, and every answer, is a function of (seed, number of the question); with several processes
each takes a share. Questions come from the split "rl", which is asserted.

Left out: a model as judge, which R1 used where no rule decides; fewer documents of questions that are always right.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from minids.model import sampling
from minids.model.transformer import Transformer
from minids.progress import Progress
from minids.rl import rollout
from minids.settings import Settings, setting
from minids.tasks import arithmetic, registry
from minids.tasks.reward import SCRIPTS, Reward
from minids.text.tokenizer import Tokenizer
from minids.train.parallel import Comm

STEP = 0x3FFFFE  # the sampler's seeds of these answers: a step that neither RL nor evaluation (0x3FFFFF) reaches


@dataclass
class RejectionConfig(Settings):
    """The settings of rejection sampling (`collect`). R1 kept answers in one script that are right (arXiv 2501.12948
    §2.3.3); how many questions and samples it drew is not published."""

    SHOWN = "rejection setting {name} = {value}"
    FORMER = {"keep": "max_per_question"}

    questions: int = setting(doc="questions drawn", least=1)
    samples: int = setting(4, "answers to each question", least=1)
    max_per_question: int = setting(2, "answers to a question that become documents, at most", least=1)
    language: float = setting(1.0, "least share of a thought's words in the script", least=0, most=1)
    script: str = setting("latin", "the script that is asked for", choices=SCRIPTS)
    temperature: float = setting(1.0, "divides the logits of the sampler", least=sampling.LEAST)
    max_new_tokens: int = setting(160, "longest answer, in tokens", least=1)
    max_batch: int = setting(256, "sequences sampled together", least=1)


def accept(results, answers, *, keep, language=1.0):
    """Which answers to one question become documents: their indices, in the order in which they were drawn.

    results   a RewardResult each: right, well formed, not cut off, and at least `language` of its words in the right
              script (the fields accuracy and format, which must be 1, truncated, and language)
    answers   their token ids, a list each: of equal answers only the first counts
    keep      at most so many
    """
    seen, kept = set(), []
    for i, (r, ids) in enumerate(zip(results, answers)):
        # one fault is enough
        good = r.accuracy == 1 and r.format == 1 and not r.truncated and r.language >= language
        if good and tuple(ids) not in seen and len(kept) < keep:
            seen.add(tuple(ids))
            kept.append(i)
    return kept


def expected_kept(rate, samples, keep):
    """How many documents a question gives on average: E[min(R, keep)] with R ~ Binomial(samples, rate).

    rate      share of its answers that `accept` lets through, from 0 to 1; equal answers are taken to be rare
    samples   answers drawn;  keep  documents made of them, at most

    With keep = samples that is rate * samples: a question counts as often as it is solved. With keep = 1 it is pass@k
    with k = samples, and most questions count alike.
    """
    most = min(samples, keep)
    # how likely 0, 1, ..., `most` documents are: before the first answer there are none
    chance = [1.0] + [0.0] * most
    for _ in range(samples):
        # a good answer makes one document more, unless there are `keep`
        for k in range(most, 0, -1):
            chance[k] = chance[k] * (1.0 if k == most else 1 - rate) + chance[k - 1] * rate
        chance[0] *= 1 - rate
    # each number times its probability
    return sum(k * p for k, p in enumerate(chance))


def collect(
    model: Transformer,
    tokenizer: Tokenizer,
    families: Sequence[str],
    config: RejectionConfig,
    *,
    seed: int,
    style: str = "tags",
    comm: Comm | None = None,
    progress: Progress | None = None,
) -> tuple[list[tuple[list[int], int]], dict]:
    """([(ids, prompt length)], what was drawn and kept): documents for `documents.Documents.of`, the same on every
    process."""
    comm, rng = comm or Comm(), random.Random(f"rejection {seed}")
    problems = [registry.sample(families[i % len(families)], rng, "rl") for i in range(config.questions)]
    arithmetic.assert_split(problems, "rl")
    reward = Reward(style=style, script=config.script)
    n, found = config.samples, {}
    mine = list(range(comm.rank, len(problems), comm.world))
    size = max(1, config.max_batch // n) * 4  # sampled together, like lengths side by side
    for begin in range(0, len(mine), size):
        part = mine[begin : begin + size]
        out = rollout.sample_and_grade(
            model,
            tokenizer,
            [problems[i] for i in part],
            reward,
            rollout.seeds_of(seed, STEP, n, part),
            n=n,
            max_new_tokens=config.max_new_tokens,
            temperature=config.temperature,
            max_batch=config.max_batch,
        )
        for j, i in enumerate(part):
            prompt, ids, results = out.prompts[j * n], out.ids[j * n : (j + 1) * n], out.results[j * n : (j + 1) * n]
            kept = accept(results, ids, keep=config.max_per_question, language=config.language)
            right = sum(r.accuracy == 1 for r in results)
            found[i] = ([(prompt + ids[k], len(prompt)) for k in kept], right, sum(map(len, ids)))
        if progress:
            progress.update(len(part) * comm.world)
    merged = {}
    for share in comm.gather(found):
        merged |= share
    pairs = [pair for i in range(len(problems)) for pair in merged[i][0]]
    counts = {
        "answers": n * len(problems),
        "right": sum(right for _, right, _ in merged.values()),
        "kept": len(pairs),
        "tokens": sum(tokens for *_, tokens in merged.values()),
    }
    return pairs, counts
