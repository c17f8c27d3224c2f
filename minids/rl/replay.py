"""One answer of an RL run drawn again, token for token, with what it was worth and what it taught.

    (weights before iteration STEP, question, seed of the sample) -> the same tokens, the same log-probabilities

The nearest kept snapshot (record.py) is opened and the iterations up to STEP are run again, with as many processes as
then: a resumed run is bit-identical, so these are the weights of that moment. The whole iteration is drawn, not one
answer alone: a product rounds by the shape of its batch. The hashes that the run wrote down decide whether the answers
are the same. On another CPU or with another version of torch they may differ in rounding, and then, at the first token
that was nearly a tie, in everything; then it says so.

Two measures of what an answer taught, both at the weights that drew it (ratio 1), as if the iteration were one
optimizer step on the policy loss L, without a KL term and without corrections for another sampler. With
c_t = dL / d log p_t and G = dL / d weights:

    weight of a token      |c_t| over the sum of |c| of all tokens of the iteration: its advantage and the way the loss
                           averages, whatever the network does with it
    share of the gradient  (c_t grad log p_t) . G / G . G: how much of the step's direction comes from it. Signed (a
                           token can pull against the rest); all tokens of the iteration add up to 1

Trade-off: every token's gradient is a backward pass of its own, a second or two for a long answer of a small model.
Left out: what later minibatches see (their weights have moved), the optimizer's preconditioning, the KL term.
"""

import shlex
from collections.abc import Callable, Container
from contextlib import contextmanager
from pathlib import Path

import torch

from minids.errors import MinidsError
from minids.files import brief
from minids.model.config import ModelConfig
from minids.model.transformer import Transformer
from minids.progress import Progress
from minids.rl import config as rl_config
from minids.rl import grpo, hooks, record, rollout, trainer
from minids.settings import read
from minids.tasks import registry
from minids.text import chat
from minids.text.tokenizer import Tokenizer
from minids.train import checkpoint, parallel
from minids.train.run import load_weights


def replay(
    run: str | Path,
    step: int,
    sample: int,
    *,
    stage: str | None = None,
    device: str | None = None,
    quiet: bool = True,
    prepare: Callable | None = None,
    families: Container[str] = (),
    reward: hooks.Hook = None,
    advantages: hooks.Hook = None,
) -> dict:
    """Draws one answer of an iteration again and returns what is known about it, as a dict that JSON can hold.

    run       a run's folder (runs/tiny), or train_rl's `out_dir`
    step      the iteration, from 1, as in metrics.jsonl
    sample    the answer's number in the iteration, from 0: question * group + number within its group
    stage     the RL stage; default: the only one, or grpo
    device    default: the run's
    prepare   called first in every process (a run with --mine)
    families  the user:FILE families of the run: they name files and code, which no folder may name by itself
    reward, advantages
              the hooks of the run (hooks.py), functions or "FILE.py:NAME"; the folder holds only their names

    `same` is True or False where the run wrote down its hashes, None where it did not; `note` says it in words.
    Raises MinidsError for what a user can mend.
    """
    folder = find(run, stage)
    about = record.read(folder)
    theirs = [f for f in about["families"] if registry.names_files(f) and f not in families]
    if theirs:
        raise MinidsError(
            f"{folder / record.ABOUT}: the run's answers were graded by files of whoever made it: {', '.join(theirs)}. "
            "They may hold code, so they are used only if you name them yourself: "
            f"--families {' '.join(map(shlex.quote, theirs))}"
        )
    own = hooks.Hooks.of(reward, advantages)
    other = _other_hooks(folder, about["hooks"], own.about())
    try:
        config = read(rl_config.RLConfig, about["config"], "config")
    except (MinidsError, TypeError, ValueError, AttributeError) as error:
        raise MinidsError(f"{folder / record.ABOUT}: {error}. It was made by another version of minids.") from None
    lines = record.recorded(folder)
    _check(config, lines, step, sample, about["stage"])
    threads = torch.get_num_threads()
    torch.set_num_threads(about["threads"])
    try:
        found = parallel.run(
            _replay,
            about["processes"],
            str(folder),
            about,
            lines,
            step,
            sample,
            device or about["device"],
            quiet,
            prepare,
            hooks.Hooks(reward, advantages),
        )
        return found | {"note": "; ".join([found["note"], *other])}
    finally:
        torch.set_num_threads(threads)


def _other_hooks(folder, theirs, ours):
    """What to say of hooks that are not the run's; MinidsError where one is missing, or one too many."""
    for kind in ("reward", "advantages"):
        if kind in theirs and kind not in ours:
            name, source = theirs[kind]["name"], theirs[kind]["source"]
            raise MinidsError(
                f"{folder / record.ABOUT}: the run had a hook {kind}={name} (source {source[:8]}), and a folder holds "
                f"no code. Give it again: --{kind} FILE.py:{name}, in Python replay(…, {kind}={name})."
            )
        if kind in ours and kind not in theirs:
            raise MinidsError(f"{folder / record.ABOUT}: the run had no hook {kind}. Leave it out.")
    return [f"BUT {text}: rewards may be others than then" for text in hooks.changed(theirs, ours)]


def find(run: str | Path, stage: str | None = None) -> Path:
    """The folder `replay` of a stage, from the run's folder or from the stage's own. Raises MinidsError where
    nothing was recorded, or several stages were and none is named."""
    run = Path(run)
    if not run.is_dir():
        raise MinidsError(f"{run}: no such folder. Give the folder of a run, runs/tiny for example.")
    if (run / record.FOLDER / record.ABOUT).exists() and stage in (None, run.name):
        return run / record.FOLDER
    stages = run / "checkpoints"
    kept = {p.parts[-3]: p.parent for p in sorted(stages.glob(f"*/{record.FOLDER}/{record.ABOUT}"))}
    if not kept:
        raise MinidsError(
            f"{run}: no stage of reinforcement learning was recorded here. It may not have begun, or the run was made "
            "by an older minids or with grpo.replay = false: run the recipe again in a new folder "
            "(minids run … --out DIR), then replay that."
        )
    if stage is None and len(kept) > 1 and "grpo" not in kept:
        raise MinidsError(f"{run}: there are several stages to replay: choose one with --stage {'|'.join(kept)}.")
    stage = stage or ("grpo" if "grpo" in kept else next(iter(kept)))
    if stage not in kept:
        raise MinidsError(f"{run}: stage {stage!r} was not recorded; there is {', '.join(kept)}.")
    return kept[stage]


def _check(config, lines, step, sample, stage):
    answers = config.prompts_per_step * config.num_generations
    if not 1 <= step <= config.steps:
        raise MinidsError(f"{stage} has iterations 1 to {config.steps}; there is no iteration {step}.")
    if step > max(lines, default=0) + 1:  # the next one can still be drawn: its weights are known
        raise MinidsError(
            f"{stage} has come to iteration {max(lines, default=0)} of {config.steps}; iteration {step} was not drawn "
            "yet. Go on with `minids run … --resume`."
        )
    if not 0 <= sample < answers:
        raise MinidsError(
            f"{stage} draws {config.prompts_per_step} x {config.num_generations} answers an iteration, numbered 0 to "
            f"{answers - 1}; there is no sample {sample}."
        )


class _Notes(dict):
    """What an iteration would write into rollouts.jsonl, kept here instead."""

    def note(self, step, line):
        self[step] = line


def _replay(rank, world, folder, about, lines, step, sample, device, quiet, prepare, given):
    if prepare:
        prepare()
    folder, comm = Path(folder), parallel.Comm(rank, world)
    run, began = _open(folder, about, step - 1, device, comm, given)
    run.record = notes = _Notes()
    quiet = quiet or rank != 0 or began == step - 1
    with Progress("replay", step - 1, "iteration", quiet=quiet, initial=began) as bar:
        while run.step < step - 1:
            run.iteration(False)
            bar.update(1)
    numbers, rollouts, adv_N, informative_N, rewards_N, _ = run.collect()
    notes.note(step, record.joined(comm.gather(record.codes(rollouts, numbers, run.config.num_generations))))
    question, member = divmod(sample, run.config.num_generations)
    row = numbers.index(question) * run.config.num_generations + member if question in numbers else None
    taught = _taught(run, rollouts, adv_N, informative_N, row)
    found = None if row is None else _found(run, rollouts, rewards_N, adv_N, informative_N, row) | taught
    found = next((f for f in comm.gather(found) if f), None)
    if found is None:
        raise MinidsError(f"iteration {step} drew no answers to question {question}; choose another sample.")
    head = {"stage": about["stage"], "step": step, "sample": sample, "group": question, "from_step": began}
    return head | verdict(notes, lines, step, question, about) | found


def _open(folder, about, last, device, comm, given):
    """A run of RL as it was before iteration step + 1 for the largest kept step <= `last` -> (run, step)."""
    tokenizer = Tokenizer.from_pretrained(folder)
    model = Transformer(ModelConfig.from_dict(about["model"], where=str(folder / record.ABOUT))).to(device)
    usable = [(step, path) for step, path in record.snapshots(folder) if step <= last]
    start = next((path for step, path in usable if step == 0), None)
    if start is None:
        raise MinidsError(f"{folder}: the weights that RL began with (step-00000000) are missing. Restore them.")
    with _foreign(start):
        load_weights(model, checkpoint.read(start)[1]["model"], start)
    # made while the model holds the starting weights, which become the run's reference
    config = read(rl_config.RLConfig, about["config"], "config")
    own = hooks.Hooks.of(given.reward, given.advantages)
    run = trainer.RLRun(model, tokenizer, about["families"], config, comm, None, None, about["stage"], own=own)
    step, path = usable[-1]
    if step:
        with _foreign(path):
            _, state = checkpoint.read(path)
            load_weights(model, state["model"], path)
            run.optimizer.load_state_dict(state["optimizer"])
        run.step = step
    return run, step


@contextmanager
def _foreign(path):
    """A snapshot that is whole, but does not hold what this run's do."""
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, RuntimeError) as error:
        raise MinidsError(f"{path}: not the state of this run ({brief(error, 200)}). Restore it.") from None


def verdict(notes: dict[int, dict], lines: dict[int, dict], step: int, question: int, about: dict) -> dict:
    """Compares hashes: {"same": True, False or None, "note": in words}."""
    compared = [k for k in sorted(notes) if k in lines]
    if step not in compared:
        return {"same": None, "note": f"iteration {step} was not written down by the run: nothing to compare with"}
    differ = [k for k in compared if notes[k]["answers"] != lines[k]["answers"]]
    key = str(question)
    if notes[step]["answers"].get(key) == lines[step]["answers"].get(key):
        if not differ and notes[step]["logps"] == lines[step]["logps"]:
            return {"same": True, "note": "the same tokens and log-probabilities as then, bit for bit"}
        return {"same": True, "note": "the same tokens as then; elsewhere in the iteration something differs"}
    then = about["versions"]["torch"]
    cause = (
        f"torch was {then}, is {torch.__version__}"
        if then != torch.__version__
        else ("with the same torch, that is another CPU or GPU, other code, or a changed file")
    )
    return {
        "same": False,
        "note": f"NOT the answer of then: the run wrote down other tokens, first in iteration {differ[0]} ({cause})",
    }


def _found(run, rollouts, rewards_N, adv_N, informative_N, row):
    """What is known about an answer without a gradient."""
    problem, result, ids = rollouts.problems[row], rollouts.results[row], rollouts.ids[row]
    text = run.tokenizer.decode(ids)
    reply = chat.parse(text, run.config.template)
    first = row // run.config.num_generations * run.config.num_generations
    return {
        "family": problem.family,
        "question": problem.question,
        "expected": str(problem.answer),
        "text": text,
        "thought": reply.thought,
        "answer": reply.answer,
        "finished": bool(rollouts.finished[row]),
        "failure": result.failure,
        "reward": float(rewards_N[row]),
        "parts": {k: getattr(result, k) for k in ("accuracy", "format", "language")},
        "paid": result.parts,
        "random_reward": run.config.random_reward,
        "group_rewards": rewards_N[first : first + run.config.num_generations].tolist(),
        "advantage": float(adv_N[row]),
        "informative": bool(informative_N[row]),
        "tokens": [
            {"id": i, "text": run.tokenizer.decode([i]), "logp": logp}
            for i, logp in zip(ids, rollouts.logps[row].tolist())
        ],
    }


def _taught(run, rollouts, adv_N, informative_N, row):
    """Weight and share of the gradient of answer `row` (None: it is another process's); see the top of this module."""
    config, finished_N = run.config, torch.tensor(rollouts.finished)
    rows = run._rows_used(informative_N)
    parts = list(rollout.micro_batches(rollouts, rows, config.tokens_per_batch))
    batches = [rollout.batch(rollouts, b)[:2] for b in parts]
    normalizer = run.units([mask for _, mask in batches], parts, informative_N, finished_N)
    settings = {**config.loss_config().policy_term().keywords(), "normalizer": normalizer}

    def loss_of(b, ids, mask):
        logp, _ = rollout.score(run.model, ids, mask, config, entropy=False)
        loss, _ = grpo.grpo_loss(
            logp,
            logp.detach(),
            adv_N[b].to(run.device),
            mask,
            informative_N=informative_N[b],
            finished_N=finished_N[b],
            **settings,
        )
        return logp, loss, torch.autograd.grad(loss, logp, retain_graph=True)[0]

    run.model.train()
    run.flat.zero_()
    weights = torch.zeros(1, dtype=torch.float64)
    for b, (ids, mask) in zip(parts, batches):
        _, loss, slope_NT = loss_of(b, ids.to(run.device), mask.to(run.device))
        weights += float(slope_NT.double().abs().sum())
        loss.backward()
    run.comm.all_reduce_(run.flat.buffer)
    weights = float(run.comm.all_reduce_(weights))
    if row is None:
        return None
    whole, count = run.flat.grads.double(), len(rollouts.ids[row])
    square = float(whole @ whole)
    out = {"weight": 0.0, "share": 0.0, "gradient_norm": 0.0, "iteration_gradient_norm": square**0.5, "cosine": None}
    shares = [0.0] * count
    if row in rows and square > 0:
        ids, mask, _ = (x.to(run.device) for x in rollout.batch(rollouts, [row]))
        logp, _, slope_NT = loss_of([row], ids, mask)
        mine, slopes = torch.zeros_like(whole), slope_NT[mask].double()
        for t, (value, slope) in enumerate(zip(logp[mask], slopes)):
            if slope != 0:
                grads = torch.autograd.grad(value, run.flat.params, retain_graph=True, allow_unused=True)
                flat = (
                    torch.cat(
                        [(torch.zeros_like(p) if g is None else g).reshape(-1) for g, p in zip(grads, run.flat.params)]
                    ).double()
                    * slope
                )
                shares[t] = float(flat @ whole) / square
                mine += flat
        norm = float(mine.norm())
        out |= {
            "weight": float(slopes.abs().sum()) / weights,
            "share": sum(shares),
            "gradient_norm": norm,
            "cosine": float(mine @ whole) / (norm * square**0.5) if norm else None,
        }
    return out | {"shares": shares}
