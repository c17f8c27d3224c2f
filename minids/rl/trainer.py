"""GRPO: sample groups of answers, reward them, move the policy towards what was better than its group. No critic.

One iteration, on `prompts_per_step` questions of the split "rl":

    1. sample   `num_generations` answers to each question from the current policy, log-probabilities kept (rollout.py)
    2. reward   exact check of the answer + format (reward.py); advantages within each group; with `dynamic_rounds`
                other questions in the place of those whose rewards are all equal (shaping.py)
    3. update   `minibatches` optimizer steps on grpo_loss; groups whose rewards are all equal teach nothing and are
                left out

What the sampler says it drew and what the training forward says it would draw must agree (fp32: 1e-4 a token); if they
do not, the gradient is of another policy, so the run stops. It is asserted in the first optimizer step of every
iteration, on all its tokens. The one excuse is a token that no fp32 forward can compute better (two experts that tie,
or attention on a knife's edge); it is looked for by moving the weights a little (`rollout.sensitivity`). With a
`correction` for a sampler that is known to differ, the training forward scores the answers once more before the first
step, and the difference is logged instead.

Questions and seeds are functions of (seed, iteration): a resumed run goes on with the same rollouts, and any of them
can be drawn again (record.py keeps what that needs, replay.py does it). With several processes each takes a share of
the questions. The router's biases stay as pretraining left them.

What is computed twice, on purpose: the first optimizer step scores tokens whose log-probabilities the sampler already
gave, because it needs their gradients; that both agree is then checked for nothing. One micro-batch an iteration is
scored once more under the starting weights, for the logged distance to them.
"""

import functools
import random
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

import torch

from minids.errors import MinidsError, need
from minids.model.transformer import Transformer
from minids.rl import config as rl_config
from minids.rl import grpo, hooks, record, rollout, shaping
from minids.rl.config import RLConfig
from minids.tasks import registry
from minids.text.tokenizer import EOS, Tokenizer
from minids.train.metrics import MetricsLog
from minids.train.parallel import Comm
from minids.train.run import TrainingRun

# A verifier may leave this share of the answers that it is given in an iteration without a verdict, or so many.
MOST_FAILURES, FEWEST_FAILURES = 0.9, 8
GUARDED = 100  # problems of each family's test split that none of training may be
IDLE = 10  # iterations without any difference in any group, until a warning
LOGP_TOLERANCE = {"cpu": 1e-4, "cuda": 2e-2}  # bf16 on a GPU rounds where fp32 does not


def train_rl(
    model: Transformer,
    tokenizer: Tokenizer,
    families: Sequence[str],
    config: RLConfig,
    *,
    comm: Comm | None = None,
    out_dir: str | Path | None = None,
    resume: bool = False,
    metrics: MetricsLog | None = None,
    stage: str = "grpo",
    quiet: bool = False,
    stop: object | None = None,
    loss: Callable | None = None,
    reward: hooks.Hook = None,
    advantages: hooks.Hook = None,
) -> dict:
    """Runs GRPO in place and returns {steps, tokens, seconds, sampling, scoring, update}, the last four in seconds.

        train_rl(model, tokenizer, ["add"], RLConfig(steps=40, lr=3e-4))
        train_rl(model, tokenizer, ["user:cmp.jsonl@check.py:verify"], RLConfig(steps=20, lr=3e-4, max_new_tokens=64))

    model       what is trained, float32 weights; it should be right sometimes and wrong sometimes: where all answers to
                a question earn the same, nothing is learned (`sft` first, if it is never right)
    tokenizer   the model's own, with the marks of the chat template
    families    kinds of problems (`tasks.registry`), drawn in turn from their split "rl". user:FILE are problems of
                yours, with @check.py:function a function of yours says what is right (`tasks.user_file`)
    config      RLConfig; steps and lr are needed, presets and the length penalties are there
    comm        of several processes (`train.parallel`); each takes a share of the questions
    out_dir     checkpoints, metrics.jsonl (unless `metrics` is given), and what `minids replay` needs; None: nothing is
                written
    resume      go on from the newest checkpoint in out_dir, bit for bit, with the same settings and hooks
    stop        an object whose `.requested` ends the run after an iteration; default: Ctrl-C
    loss        called in the place of `grpo.grpo_loss`, with the same arguments
    reward      f(problem, reply, ids, finished) -> float, or a dict of parts whose sum is paid: in the place of the
                built-in reward. Any finite number; the means of the parts are logged as "parts" (rl/hooks.py)
    advantages  g(rewards_NG) -> advantages_NG, float [questions, answers to each]: in the place of config.baseline and
                config.scale. Either may be "FILE.py:NAME"

    metrics.jsonl gets a line per iteration: reward, accuracy, format, length, zero_variance (the share of answers in
    groups with nothing to learn from), truncated, kl, entropy, clip_fraction, …

    Raises MinidsError for families of which a problem to train on is held out for tests, settings that contradict each
    other, a hook that fails or returns what it must not (with its name), a gradient that is not finite, and log-
    probabilities of sampling and training that differ.
    """
    need(config, RLConfig, "train_rl: config", "an RLConfig(steps=…, lr=…)")
    rollout.check_asked("train_rl", model, tokenizer, families)
    registry.check_sizes(config.sizes, families, stage)
    own = hooks.Hooks.of(reward, advantages)
    registry.assert_disjoint(families, GUARDED, config.seed)
    run = RLRun(model, tokenizer, families, config, comm or Comm(), out_dir, metrics, stage, loss, own)
    run.start(resume)
    run.finish(quiet=quiet, stop=stop)
    if run.comm.rank == 0 and not quiet:
        print(f"{stage}: {time_shares(run.seconds, run.clock)}", file=sys.stderr)
    return {"steps": run.step, "tokens": run.tokens, "seconds": run.seconds, **run.clock}


def time_shares(seconds: float, clock: dict[str, float]) -> str:
    """{"sampling": 8.3, …} of 10 seconds -> "10 s: 83.0 % sampling, …"."""
    parts = ", ".join(f"{100 * part / max(1e-9, seconds):.1f} % {name}" for name, part in clock.items())
    return f"{seconds:.0f} s: {parts}"


class RLRun(TrainingRun):
    """A stage of RL: `train_rl` with its parts in reach, for whoever wants to change one."""

    STEP, SHOWN, KEPT = "iteration", ("reward", "accuracy", "length"), ("clock", "reference")

    def __init__(
        self,
        model: Transformer,
        tokenizer: Tokenizer,
        families: Sequence[str],
        config: RLConfig,
        comm: Comm,
        out_dir: str | Path | None,
        metrics: MetricsLog | None,
        stage: str,
        loss: Callable | None = None,
        own: hooks.Hooks | None = None,
    ):
        super().__init__(model, config, stage, comm, out_dir, metrics)
        self.hooks = own or hooks.Hooks()
        if self.hooks.reward and config.random_reward:
            raise MinidsError(f"{stage}: random_reward=True pays by chance, so the hook reward would have no effect.")
        self.tokenizer, self.families = tokenizer, families
        self.reference = [p.detach().clone() for p in model.parameters()]
        self.idle, self.warned, self.loss_function = 0, False, loss
        self.clock = {"sampling": 0.0, "scoring": 0.0, "update": 0.0}
        self.record = record.Record(self.out_dir, stage, comm) if self.out_dir and config.replay else None

    def start(self, resume: bool) -> None:
        super().start(resume)
        if self.record:
            with rollout.weights(self.model, self.reference):
                began = self.model.state_dict()
                config, own = rl_config.plain(self.config), self.hooks.about()
                self.record.begin(self.model, began, self.tokenizer, self.families, config, self.step, own)

    def settings(self) -> dict:
        about = self.hooks.about()
        return rl_config.plain(self.config) | ({"hooks": about} if about else {})

    def changed(self, saved: dict) -> list[str]:
        saved = dict(saved)
        theirs = saved.pop("hooks", {})
        return rl_config.changed(saved, self.config) + hooks.changed(theirs, self.hooks.about())

    def save(self) -> None:
        if self.record and self.comm.rank == 0 and 0 < self.step < self.config.steps:
            self.record.keep(self.step, self.model, self.optimizer)
        super().save()

    def kept(self) -> dict:
        return {"clock": [self.seconds, *self.clock.values()], "reference": self.reference}

    def restore(self, state: dict) -> None:
        self.reference = state["reference"]
        self.seconds, *parts = state["clock"]
        self.clock = dict(zip(self.clock, parts if len(parts) == 3 else (parts[0], 0.0, parts[1])))

    def collect(self) -> tuple[list[int], rollout.Rollouts, torch.Tensor, torch.Tensor, torch.Tensor, dict]:
        """The answers of the next iteration and what they earn, nothing learned yet:
        (numbers of the questions, rollouts, adv_N, informative_N, rewards_N, sums to report)."""
        config = self.config
        problems, numbers = rollout.questions(config, self.families, self.step, self.comm.rank, self.comm.world)
        rollouts, rewards_N = self._draw(problems, numbers)
        adv_N, informative_N = self._advantages(rewards_N)
        sums = self._summary(rollouts, rewards_N, informative_N)
        if config.dynamic_rounds:
            rollouts, rewards_N, sums["redrawn"], sums["redrawn_tokens"] = shaping.redraw(
                rollouts,
                rewards_N,
                config.num_generations,
                config.dynamic_rounds,
                functools.partial(self._draw_again, numbers),
            )
            adv_N, informative_N = self._advantages(rewards_N)
            sums["still_zero_variance"] = float((~informative_N).sum())
        return numbers, rollouts, adv_N, informative_N, rewards_N, sums

    def _advantages(self, rewards_N):
        config = self.config
        if self.hooks.advantages:
            return hooks.advantages(self.hooks.advantages, rewards_N, config.num_generations)
        return grpo.advantages(rewards_N, config.num_generations, baseline=config.baseline, scale=config.scale)

    def iteration(self, stop_requested: bool) -> dict:
        config, began, before = self.config, time.monotonic(), self.clock["sampling"]
        numbers, rollouts, adv_N, informative_N, rewards_N, sums = self.collect()
        codes = record.codes(rollouts, numbers, config.num_generations) if self.record else {}
        self.model.train()
        scored = self._scores(rollouts, self._rows_used(informative_N)) if config.correction != "none" else None
        collected = time.monotonic()
        lr = config.lr * min(1.0, (self.step + 1) / max(1, config.warmup))
        self.optimizer.set_lr(lr)
        update = self._update(rollouts, adv_N, informative_N, scored)
        done = time.monotonic()
        self.step += 1
        self.seconds += done - began
        self.clock["scoring"] += collected - began - (self.clock["sampling"] - before)
        self.clock["update"] += done - collected
        shared = self.comm.gather({**sums, **update, "stop": float(stop_requested)})
        total = {k: sum(part[k] for part in shared) for k in shared[0] if k not in ("logp_gap", "parts")}
        n, tokens = total["answers"], total["answer_tokens"]
        self._check_verifiers(rollouts, total)
        self.tokens += int(tokens + total.get("redrawn_tokens", 0))
        line = {
            "stage": self.stage,
            "step": self.step,
            "reward": total["reward"] / n,
            "accuracy": total["accuracy"] / n,
            "format": total["format"] / n,
            "length": tokens / n,
            "zero_variance": total["zero_variance"] / n,
            "truncated": total["truncated"] / n,
            "empty_think": total["empty_think"] / n,
            "lr": lr,
            "language": total["language"] / n,
            "answers": int(n),
            "entropy": total["entropy"] / max(1.0, total["scored"]),
            "kl": total["kl"] / max(1.0, total["kl_tokens"]),
            "clip_fraction": total["clip_fraction"] / max(1.0, total["micro"]),
            "grad_norm": update["grad_norm"],
            "logp_gap": max(part["logp_gap"] for part in shared),
            "tokens": self.tokens,
            "seconds": round(self.seconds, 3),
            **{f"{name}_share": round(part / max(1e-9, self.seconds), 3) for name, part in self.clock.items()},
            "families": {f: total[f"right {f}"] / max(1.0, total[f"n {f}"]) for f in self.families},
        }
        if self.hooks.reward:  # what it paid for, by its own names
            names = sorted({name for part in shared for name in part["parts"]})
            line["parts"] = {name: sum(part["parts"].get(name, 0.0) for part in shared) / n for name in names}
        failed, judged = (sum(total[f"{what} {f}"] for f in self.families) for what in ("failed", "judged"))
        if failed:
            line["failed"] = failed / judged
        if total["zero_variance"] == n:
            what = "advantages of each group were 0" if self.hooks.advantages else "rewards of each group were equal"
            line["warning"] = f"all {what}: nothing was learned"
        self._warn(line)
        if config.dynamic_rounds:  # groups drawn again, and those that say nothing even so, as shares of all places
            line["redrawn"] = total["redrawn"] * config.num_generations / n
            line["still_zero_variance"] = total["still_zero_variance"] / n
        if self.record:
            self.record.note(self.step, record.joined(self.comm.gather(codes)))
        if self.metrics:
            self.metrics.write(**line)
        return {**line, "stop": total["stop"] > 0}

    def _warn(self, line):
        """Says once in a process that for IDLE iterations in a row no group had a difference to learn from."""
        self.idle = self.idle + 1 if "warning" in line else 0
        if self.idle == IDLE and self.comm.rank == 0 and not self.warned:
            self.warned = True
            warnings.warn(
                f"{self.stage} iteration {self.step}: in {IDLE} iterations in a row all rewards of each group were "
                f"equal (accuracy {line['accuracy']:.0%}), so nothing was learned. If that is no sign of success, the "
                "problems are too hard, or the reward never differs; the run goes on.",
                stacklevel=2,
            )

    def _draw(self, problems, numbers):
        rollouts = rollout.roll_out(self.model, self.tokenizer, self.config, problems, numbers, self.step, self.clock)
        if hook := self.hooks.reward:
            answers = zip(rollouts.results, rollouts.problems, rollouts.texts, rollouts.ids, rollouts.finished)
            rollouts.results = [
                hooks.graded(result, hook, problem, text.removesuffix(EOS), list(ids), finished)
                for result, problem, text, ids, finished in answers
            ]
        return rollouts, rollout.rewards_of(rollouts, self.config, numbers, self.step)

    def _draw_again(self, numbers, round, places):
        """Other questions of the same families for some of this process's places."""
        problems, _ = rollout.questions(self.config, self.families, self.step, round=round)
        slots = [numbers[j] for j in places]
        return self._draw([problems[i] for i in slots], [round * self.config.prompts_per_step + i for i in slots])

    def _summary(self, rollouts, rewards_N, informative_N):
        results = rollouts.results
        out = {
            "answers": len(results),
            "answer_tokens": sum(map(len, rollouts.ids)),
            "reward": float(rewards_N.sum()),
            "zero_variance": float((~informative_N).sum()),
            "accuracy": sum(r.accuracy for r in results),
            "format": sum(r.format for r in results),
            "truncated": sum(r.truncated for r in results),
            "empty_think": sum(r.empty_think for r in results),
            "language": sum(r.language for r in results),
            "parts": {k: sum(r.parts.get(k, 0.0) for r in results) for k in {k for r in results for k in r.parts}},
        }
        for f in self.families:
            of = [r.accuracy for r, p in zip(results, rollouts.problems) if p.family == f]
            out |= {f"right {f}": sum(of), f"n {f}": len(of)}
            of = [r for r, p in zip(results, rollouts.problems) if p.family == f and r.answer is not None]
            out |= {f"failed {f}": sum(bool(r.failure) for r in of), f"judged {f}": len(of)}
        return out

    def _check_verifiers(self, rollouts, total):
        """Ends the run where a user's function says nothing about (nearly) all the answers that it was given."""
        for f in self.families:
            failed, judged = total[f"failed {f}"], total[f"judged {f}"]
            if failed >= FEWEST_FAILURES and failed > MOST_FAILURES * judged:
                why = (r.failure for r, p in zip(rollouts.results, rollouts.problems) if r.failure and p.family == f)
                raise MinidsError(
                    f"{self.stage} iteration {self.step}: {failed} of {judged} answers to {f} could not be graded: "
                    f"{next(why, 'see the other process')}. Nothing of this iteration is kept. Mend it, then go on "
                    "with resume=True."
                )

    def _rows_used(self, informative_N):
        """The answers that teach something."""
        return [i for i in range(len(informative_N)) if informative_N[i] or not self.config.skip_zero_variance]

    def _update(self, rollouts, adv_N, informative_N, scored):
        config, device = self.config, self.device
        finished_N = torch.tensor(rollouts.finished)
        rows = self._rows_used(informative_N)
        sums = {
            "entropy": 0.0,
            "kl": 0.0,
            "kl_tokens": 0.0,
            "scored": 0.0,
            "clip_fraction": 0.0,
            "micro": 0,
            "logp_gap": 0.0,
            "grad_norm": 0.0,
        }
        first = True
        for epoch in range(config.epochs):
            random.Random(f"order {config.seed} {self.step} {epoch}").shuffle(rows)
            for m in range(config.minibatches):
                part = rows[m :: config.minibatches]
                self._step(rollouts, part, adv_N, informative_N, finished_N, device, sums, first, scored)
                first = False
        return sums

    def units(
        self, masks: list[torch.Tensor], rows: list[list[int]], informative_N: torch.Tensor, finished_N: torch.Tensor
    ) -> float:
        """The loss's denominator: of these answers (`masks` and `rows`, micro-batch by micro-batch) and the other
        processes'."""
        config = self.config
        units = sum(
            grpo.count_units(
                mask,
                config.loss_aggregation,
                informative_N=informative_N[b],
                finished_N=finished_N[b],
                skip_zero_variance=config.skip_zero_variance,
                mask_truncated=config.mask_truncated,
            )
            for mask, b in zip(masks, rows)
        )
        return float(self.comm.all_reduce_(torch.tensor([units], dtype=torch.float64)))

    def _step(self, rollouts, part, adv_N, informative_N, finished_N, device, sums, first, scored):
        """One optimizer step on the answers `part` of this process and the others'."""
        config, corrected = self.config, scored is not None
        parts = list(rollout.micro_batches(rollouts, part, config.tokens_per_batch))
        batches = [(b, *rollout.batch(rollouts, b)) for b in parts]
        normalizer = self.units([mask for _, _, mask, _ in batches], parts, informative_N, finished_N)
        if normalizer == 0:
            return
        self.flat.zero_()
        for number, (b, ids, mask, sampled) in enumerate(batches):
            ids, mask, sampled = ids.to(device), mask.to(device), sampled.to(device)
            old = self._rows(scored, b, ids.shape[1]) if corrected else sampled
            logp, entropy = rollout.score(self.model, ids, mask, config, entropy=first)
            looked = first and number == len(batches) // 2  # the distance to the start is logged from one micro-batch
            ref = self._reference_logps(ids, mask) if looked or config.kl != "none" else None
            try:
                loss, info = (self.loss_function or grpo.grpo_loss)(
                    logp,
                    old,
                    adv_N[b].to(device),
                    mask,
                    informative_N=informative_N[b],
                    finished_N=finished_N[b],
                    normalizer=normalizer,
                    ref_logp_NT=ref if config.kl != "none" else None,
                    sampler_logp_NT=sampled if corrected else None,
                    **config.loss_config().keywords(),
                )
            except grpo.NotANumber as error:
                raise self.not_finite(str(error)) from None
            loss.backward()
            sums["clip_fraction"] += info["clip_fraction"]
            sums["micro"] += 1
            if first:
                gap = ((logp.detach() - sampled) * mask).abs().max() if corrected else self._gap(logp, old, ids, mask)
                sums["logp_gap"] = max(sums["logp_gap"], float(gap))
                sums["entropy"] += float(entropy)
                sums["scored"] += float(mask.sum())
            if looked:
                sums["kl"] += float(grpo.kl_estimate(logp.detach()[mask], ref[mask], "k3").sum())
                sums["kl_tokens"] += float(mask.sum())
        self.comm.all_reduce_(self.flat.buffer)
        norm = float(self.flat.grads.norm())
        if not norm < float("inf"):
            raise self.not_finite(f"gradient norm {norm}")
        self.take_step(norm)
        sums["grad_norm"] = norm

    def _gap(self, logp, old, ids, mask):
        """The largest difference between what the sampler said and what training says; more than rounding can do ends
        the run."""
        tolerance = LOGP_TOLERANCE.get(self.device.type, 2e-2)
        gap_NT = ((logp.detach() - old) * mask).abs()
        rows = (gap_NT > tolerance).any(1)
        if rows.any():
            moves_NT = rollout.sensitivity(self.model, ids[rows], mask[rows], self.config, relative=tolerance / 100)
            if (gap_NT[rows] > tolerance + 2 * moves_NT).any():
                raise MinidsError(
                    f"{self.stage} iteration {self.step + 1}: the log-probabilities of sampling and training differ "
                    f"by up to {gap_NT.max():.2g}. The gradient would be of another policy; this is a defect of the "
                    "code, not of the recipe."
                )
        return float(gap_NT.max())

    @torch.no_grad()
    def _scores(self, rollouts, rows):
        """{row: log-probabilities [T] by the training forward before the first step}, where the sampler's are another
        policy's."""
        out = {}
        for b in rollout.micro_batches(rollouts, rows, self.config.tokens_per_batch):
            ids, mask, _ = rollout.batch(rollouts, b)
            ids, mask = ids.to(self.device), mask.to(self.device)
            logp_NT, _ = rollout.score(self.model, ids, mask, self.config, entropy=False)
            out |= dict(zip(b, logp_NT))
        return out

    def _rows(self, scored, rows, T):
        """Rows of `_scores` padded to [N, T]."""
        out_NT = torch.zeros(len(rows), T, device=self.device)
        for n, i in enumerate(rows):
            size = min(T, len(scored[i]))  # beyond the answer both are 0
            out_NT[n, :size] = scored[i][:size]
        return out_NT

    @torch.no_grad()
    def _reference_logps(self, ids, mask):
        """Log-probabilities under the policy that RL started from: its weights are swapped in for one forward."""
        with rollout.weights(self.model, self.reference):
            return rollout.score(self.model, ids, mask, self.config, entropy=False)[0]
