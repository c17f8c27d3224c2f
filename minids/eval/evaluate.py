"""Evaluation: how often a model is right, greedily and when it samples, with honest error bars.

    greedy      one answer at temperature 0
    pass@1      share of right answers at temperature 1 (one per problem; on more problems than samples, which narrows
                the interval most)
    pass@k      unbiased estimate from n samples per problem: 1 - C(n - c, k) / C(n, k)      (arXiv 2107.03374 §2.1)
    maj@k       the majority vote of k samples
    ci          95 % bootstrap interval of pass@1 over problems

A row of results is one stage of a run on one family (or on all), as `results.json` holds it. Its `outcomes` say which
problems were answered rightly, so that two runs that were asked the same ones can be compared problem by problem:

    {"problems": CRC-32 of the questions and answers, "greedy": bits, "sampled": bits}      bits: hexadecimal, the first
                                                                                        problem is the highest of n bits
"""

import json
import zlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from minids.errors import MinidsError, need
from minids.eval import statistics
from minids.model.transformer import Transformer
from minids.progress import Progress
from minids.rl import rollout
from minids.settings import Settings, setting
from minids.tasks import arithmetic, registry
from minids.tasks.arithmetic import MAX_DIGITS, parse_integer
from minids.tasks.reward import Reward, RewardResult
from minids.text.tokenizer import Tokenizer
from minids.train.parallel import Comm

STEP = 0x3FFFFF  # the sampler's seeds of these answers: a step that RL does not reach


@dataclass
class EvalConfig(Settings):
    """What is asked, and how often. The largest values keep a folder's settings from asking for years."""

    SHOWN = "eval setting {name} = {value}"
    FORMER = {"beyond": "ood_problems"}

    problems: int = setting(1000, "problems of each family", least=1, most=10_000)
    samples: int = setting(16, "answers to a problem, for pass@k and maj@k", least=1, most=4096)
    sampled_problems: int = setting(100, "problems of each family that are sampled so often", least=1, most=10_000)
    ood_problems: int = setting(100, "problems of each size beyond training; 0: none is asked", least=0, most=10_000)
    max_new_tokens: int = setting(160, "longest answer, in tokens", least=1, most=2**20)
    max_batch: int = setting(256, "sequences sampled together", least=1, most=2**31)
    seed: int = setting(0, "of the samples' random numbers", least=0, most=2**31)
    after_stages: bool = setting(True, "whether a run evaluates the model that a stage leaves (false: --no-eval)")


def answer(
    model: Transformer,
    tokenizer: Tokenizer,
    problems: Sequence,
    *,
    style: str = "tags",
    n: int = 1,
    temperature: float = 0.0,
    max_new_tokens: int = 160,
    seed: int = 0,
    max_batch: int = 256,
    comm: Comm | None = None,
    progress: Progress | None = None,
) -> list[list[tuple[RewardResult, int, str]]]:
    """RewardResult and length of n answers to each problem: a list of lists, on every process. `progress` counts
    answers, those of the other processes as if all went equally fast."""
    comm = comm or Comm()
    mine = list(range(comm.rank, len(problems), comm.world))
    out, reward = {}, Reward(style=style)
    size = max(1, max_batch // n)
    order = sorted(mine, key=lambda i: len(problems[i].question))
    for begin in range(0, len(order), size):
        part = order[begin : begin + size]
        told = begin * comm.world
        done = rollout.sample_and_grade(
            model,
            tokenizer,
            [problems[i] for i in part],
            reward,
            rollout.seeds_of(seed, STEP, n, part),
            n=n,
            max_new_tokens=max_new_tokens,
            temperature=temperature,
            max_batch=max_batch,
        )
        graded = list(zip(done.results, map(len, done.ids), done.texts))
        out |= {i: graded[j * n : (j + 1) * n] for j, i in enumerate(part)}
        if progress:
            progress.update(n * (min(told + len(part) * comm.world, len(problems)) - told))
    merged = {}
    for share in comm.gather(out):
        merged |= share
    return [merged[i] for i in range(len(problems))]


def answers_of(config: EvalConfig, families: int, full: bool = True) -> int:
    """How many answers `evaluate` samples: one greedily and one at temperature 1 to each problem, and many to a few."""
    few = min(config.sampled_problems, config.problems) if full else 0
    return families * (2 * config.problems + few * config.samples)


def summarise(
    stage: str,
    family: str,
    greedy: list[list[tuple[RewardResult, int, str]]],
    once: list[list[tuple[RewardResult, int, str]]],
    many: Sequence[list[tuple[RewardResult, int, str]]] = (),
    seed: int = 0,
) -> dict:
    """One row: lists of lists of (RewardResult, length, text) for greedy, one sample, many samples of one family."""
    right = [row[0][0].accuracy for row in once]
    low, high = statistics.bootstrap_ci(right, seed=seed)
    row = {
        "stage": stage,
        "family": family,
        "n": len(once),
        "greedy": _mean(r[0][0].accuracy for r in greedy),
        "pass1": _mean(right),
        "ci": [low, high],
        "format": _mean(r[0][0].format for r in once),
        "length": _mean(r[0][1] for r in once),
        "greedy_length": _mean(r[0][1] for r in greedy),
        "truncated": _mean(float(r[0][0].truncated) for r in once),
        "empty_think": _mean(float(r[0][0].empty_think) for r in once),
        "language": _mean(r[0][0].language for r in once),
    }
    if many:
        n = len(many[0])
        counts = [int(sum(r.accuracy for r, _, _ in answers)) for answers in many]
        ks = [k for k in (1, 2, 4, 8, 16, 32, 64, 128, 256) if k <= n]
        each = {str(k): [statistics.pass_at_k(n, c, k) for c in counts] for k in ks}
        row["pass_at"] = {k: _mean(values) for k, values in each.items()}
        row["pass_at_ci"] = {k: list(statistics.bootstrap_ci(values, seed=seed)) for k, values in each.items()}
        row["maj_at"] = {str(k): _mean(_majority([r for r, _, _ in a], k) for a in many) for k in ks}
        row["sampled_n"] = len(many)
    return row


def _majority(results, k):
    """maj@k of one problem: the chance that the most frequent of k answers is a right one. Where several are right,
    each spelling has its own votes, and the chances add up, for only one wins."""
    said = [r.answer for r in results]
    return sum(statistics.maj_at_k(said, right, k) for right in {r.answer for r in results if r.accuracy == 1})


def outcomes(problems: Sequence, greedy: Sequence, once: Sequence) -> dict:
    """Which problems these are, and which of them were answered rightly; `read_outcomes` reads the bits."""
    asked = json.dumps([[p.question, str(p.answer)] for p in problems])
    packed = {"problems": f"{zlib.crc32(asked.encode('utf-8')):08x}"}
    for name, answers in (("greedy", greedy), ("sampled", once)):
        bits = "".join(str(int(a[0][0].accuracy == 1)) for a in answers)
        packed[name] = f"{int(bits, 2):0{-(-len(bits) // 4)}x}"
    return packed


def read_outcomes(bits: str, n: int) -> list[bool]:
    """Whether each of n problems was answered rightly. Raises ValueError if the text does not hold n bits."""
    if len(bits) != -(-n // 4) or not set(bits) <= set("0123456789abcdef") or (value := int(bits, 16)) >> n:
        raise ValueError(f"these are not the outcomes of {n} problems")
    return [bit == "1" for bit in f"{value:0{n}b}"]


def guess_at(problems: Sequence, ks: Iterable[int], seen: Sequence | None = None) -> dict[str, float]:
    """What k guesses without reading the question solve: the k most frequent answers of each problem's family.

    seen    problems whose answers are counted; if None they are these very problems, which flatters the guesser
    """
    counts = {}
    for p in problems if seen is None else seen:
        counts.setdefault(p.family, Counter())[p.answer] += 1
    rank = {(family, a): i for family, c in counts.items() for i, (a, _) in enumerate(c.most_common())}
    return {str(k): _mean(rank.get((p.family, p.answer), int(k)) < int(k) for p in problems) for k in ks}


def _mean(values):
    values = list(values)
    return sum(values) / len(values) if values else 0.0


def evaluate(
    model: Transformer,
    tokenizer: Tokenizer,
    families: Sequence[str],
    config: EvalConfig,
    *,
    stage: str,
    style: str = "tags",
    comm: Comm | None = None,
    progress: Progress | None = None,
    full: bool = True,
) -> tuple[list[dict], list[dict]]:
    """Rows for each family and for "all", and a few example answers, on the held-out split.
    `full` False: greedy and pass@1 only."""
    rollout.check_asked("evaluate", model, tokenizer, families)
    need(config, EvalConfig, "evaluate: config", "an EvalConfig(problems=…, samples=…)")
    comm = comm or Comm()
    how = {
        "style": style,
        "max_new_tokens": config.max_new_tokens,
        "max_batch": config.max_batch,
        "comm": comm,
        "progress": progress,
        "seed": config.seed,
    }
    problems = registry.problem_set(families, "test", config.problems, config.seed)
    greedy = answer(model, tokenizer, problems, temperature=0.0, **how)
    once = answer(model, tokenizer, problems, temperature=1.0, **how)
    few = [i for f in families for i in [j for j, p in enumerate(problems) if p.family == f][: config.sampled_problems]]
    many = (
        answer(model, tokenizer, [problems[i] for i in few], n=config.samples, temperature=1.0, **how) if full else []
    )
    rows = []
    for family in (*families, "all"):
        pick = [i for i, p in enumerate(problems) if family in (p.family, "all")]
        sampled = [m for m, i in zip(many, few) if family in (problems[i].family, "all")]
        asked, likeliest, drawn = ([of[i] for i in pick] for of in (problems, greedy, once))
        rows.append(summarise(stage, family, likeliest, drawn, sampled, config.seed))
        if "pass_at" in rows[-1]:
            rows[-1]["guess_at"] = guess_at(asked, rows[-1]["pass_at"])
        rows[-1]["outcomes"] = outcomes(asked, likeliest, drawn)
    examples = [
        {
            "family": problems[i].family,
            "question": problems[i].question,
            "answer": problems[i].answer,
            "text": greedy[i][0][2],
            "right": greedy[i][0][0].accuracy == 1.0,
        }
        for f in families
        for i in [j for j, p in enumerate(problems) if p.family == f][:8]
    ]
    return rows, examples


def evaluate_beyond(
    model: Transformer,
    tokenizer: Tokenizer,
    families: Sequence[str],
    config: EvalConfig,
    *,
    stage: str,
    style: str = "tags",
    comm: Comm | None = None,
    progress: Progress | None = None,
) -> list[dict]:
    """Greedy accuracy on sizes that no training problem had: rows with `size`; none with `ood_problems` 0."""
    rows = []
    for family in families if config.ood_problems else ():
        for size in registry.get(family).beyond:
            problems = registry.problem_set([family], "test", config.ood_problems, config.seed, size)
            found = answer(
                model,
                tokenizer,
                problems,
                style=style,
                max_new_tokens=2 * config.max_new_tokens,
                max_batch=config.max_batch,
                comm=comm,
                progress=progress,
            )
            right = [a[0][0].accuracy for a in found]
            rows.append(
                {
                    "stage": stage,
                    "family": family,
                    "size": size,
                    "n": len(right),
                    "greedy": _mean(right),
                    "ci": list(statistics.bootstrap_ci(right)),
                    "length": _mean(a[0][1] for a in found),
                    "truncated": _mean(float(a[0][0].truncated) for a in found),
                }
            )
    return rows


# -- problems from outside -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class OutsideProblem:
    """A problem from a file of yours.

    question, answer   as they stand there
    family             the kind that they are counted as
    line               where it stands, from 1
    """

    question: str
    answer: str
    family: str = "outside"
    line: int = 0


def read_problems(path: str | Path) -> list[OutsideProblem]:
    """Outside problems: lines {"question": "347+5896", "answer": "6243"}, a "family" if you like.
    Errors name the line."""
    example = 'Give a file with lines like {"question": "347+5896", "answer": "6243"}.'
    return [_problem(raw, number, f"{path}, line {number}") for number, raw in arithmetic.lines_of(path, example)]


def _problem(raw, number, where):
    try:
        item = json.loads(raw.decode("utf-8-sig" if number == 1 else "utf-8"))
    except UnicodeDecodeError as error:
        raise MinidsError(
            f"{where}: not UTF-8 text (byte {error.start} of the line). Save the file as UTF-8."
        ) from None
    except (ValueError, RecursionError) as error:
        raise MinidsError(
            f'{where}: not JSON ({error}). Each line is an object with "question" and "answer".'
        ) from None
    question, answer = (item.get("question"), item.get("answer")) if isinstance(item, dict) else (None, None)
    if not isinstance(question, str) or not isinstance(answer, str | int) or isinstance(answer, bool):
        raise MinidsError(f'{where}: needs a text "question" and a text or integer "answer".')
    question = arithmetic.normalise_question(question)
    if not question or not question.isprintable():
        raise MinidsError(f"{where}: the question is empty or holds control characters.")
    answer = (
        arithmetic.normalise_question(answer)
        if isinstance(answer, str)
        else str(answer)
        if abs(answer) < 10**MAX_DIGITS
        else ""
    )
    if parse_integer(answer) is None:
        raise MinidsError(
            f'{where}: the answer must be a whole number of at most {MAX_DIGITS} digits, as in "6243" or "-5".'
        )
    return OutsideProblem(question, answer, str(item.get("family", "outside"))[:40], number)


def evaluate_outside(
    model: Transformer,
    tokenizer: Tokenizer,
    problems: Sequence,
    config: EvalConfig,
    *,
    stage: str,
    style: str = "tags",
    comm: Comm | None = None,
    progress: Progress | None = None,
) -> tuple[list[dict], list[dict]]:
    """Rows for each family (and "all", if there are several), and what was answered to each problem. Raises
    MinidsError for a question that leaves no room for an answer in the model's context."""
    room = model.config.max_position_embeddings
    for p in problems:
        length = len(rollout.prompt_of(tokenizer, p.question, style))
        if length >= room:
            raise MinidsError(
                f"line {p.line}: the question has {length} tokens, but the context of this model is {room} tokens and "
                "must hold the answer too. Shorten or remove it."
            )
    how = {
        "style": style,
        "max_new_tokens": min(2 * config.max_new_tokens, room),
        "max_batch": config.max_batch,
        "comm": comm,
        "progress": progress,
        "seed": config.seed,
    }
    greedy = answer(model, tokenizer, problems, temperature=0.0, **how)
    once = answer(model, tokenizer, problems, temperature=1.0, **how)
    families = list(dict.fromkeys(p.family for p in problems))
    rows = []
    for family in families if len(families) == 1 else (*families, "all"):
        pick = [i for i, p in enumerate(problems) if family in (p.family, "all")]
        rows.append(summarise(stage, family, [greedy[i] for i in pick], [once[i] for i in pick], seed=config.seed))
    answers = [
        {
            "line": p.line,
            "family": p.family,
            "question": p.question,
            "answer": p.answer,
            "said": _said(g[0]),
            "right": g[0][0].accuracy == 1.0,
            "text": g[0][2],
            "sampled_said": _said(o[0]),
            "sampled_right": o[0][0].accuracy == 1.0,
            "sampled_text": o[0][2],
        }
        for p, g, o in zip(problems, greedy, once)
    ]
    return rows, answers


def _said(found):
    return None if found[0].answer is None else str(found[0].answer)
