"""GRPO: sample groups of answers, reward them, move the policy towards what was better than its group. No critic.

One iteration, on `prompts` questions of the split "rl":

    1. sample   `group` answers to each question from the current policy, log-probabilities kept
    2. reward   exact check of the answer + format (minids/reason/reward.py); advantages within each group
    3. update   `minibatches` optimizer steps on grpo_loss; groups whose rewards are all equal teach nothing and are
                left out

What the sampler says it drew and what the training forward says it would draw must agree (fp32: 1e-4 a token); if they
do not, the gradient is of another policy, so the run stops. It is asserted in the first optimizer step of every
iteration, on all its tokens. The one excuse is a tie of two experts within rounding, and it is looked for.

Questions and seeds are functions of (seed, iteration): a resumed run goes on with the same rollouts, and any of them
can be drawn again. With several processes each takes a share of the questions. The router's biases stay as pretraining
left them.
"""

import random
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch

from minids.errors import MinidsError
from minids.model import generate as sampler
from minids.model import moe
from minids.progress import Progress
from minids.reason import grpo, tasks
from minids.reason.reward import Reward
from minids.text import chat
from minids.train import checkpoint, optim
from minids.train.loop import FlatGradients, load_weights
from minids.train.metrics import MetricsLog
from minids.train.parallel import Comm
from minids.train.stop import StopOnSignal

LOGP_TOLERANCE = {"cpu": 1e-4, "cuda": 2e-2}  # bf16 on a GPU rounds where fp32 does not
TIE = 1e-5  # two experts whose scores differ by less may change places by rounding
CHOICES = {
    "baseline": ("mean", "loo", "none"), "scale": ("std", "batch", "none"), "aggregation": grpo.AGGREGATIONS,
    "clip": ("none", "symmetric", "higher"), "kl": grpo.KLS, "style": ("tags", "plain"),
    "optimizer": ("adamw", "muon"), "random_reward": (False, True),
}  # fmt: skip
POSITIVE = (
    "steps", "lr", "prompts", "group", "max_new_tokens", "temperature", "top_p", "minibatches", "epochs",
    "tokens_per_batch", "max_batch", "keep_last", "clip_low", "clip_high",
)  # fmt: skip


@dataclass
class RLConfig:
    steps: int
    lr: float
    warmup: int = 10
    prompts: int = 24
    group: int = 8
    max_new_tokens: int = 160
    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0
    minibatches: int = 2
    epochs: int = 1
    tokens_per_batch: int = 4096  # of one forward in the update, padding included
    max_batch: int = 256  # sequences sampled together
    baseline: str = "mean"
    scale: str = "std"
    aggregation: str = "token_mean"
    clip: str = "higher"
    clip_low: float = 0.2
    clip_high: float = 0.28
    kl: str = "none"
    kl_coef: float = 0.0
    skip_zero_variance: bool = True
    mask_truncated: bool = False
    reward: dict = field(default_factory=lambda: {"accuracy": 1.0, "format": 0.1})
    random_reward: bool = False
    style: str = "tags"
    optimizer: str = "adamw"
    weight_decay: float = 0.0
    betas: tuple[float, float] = (0.9, 0.95)
    grad_clip: float = 1.0
    seed: int = 0
    save_every: int = 0
    keep_last: int = 2

    def __post_init__(self):
        self.betas = tuple(self.betas)
        for name, allowed in CHOICES.items():
            if getattr(self, name) not in allowed:
                shown = ", ".join(map(str, allowed))
                raise MinidsError(f"grpo setting {name} = {getattr(self, name)!r} is not one of {shown}")
        for name in POSITIVE:
            if not getattr(self, name) > 0:
                raise MinidsError(f"grpo setting {name} = {getattr(self, name)!r} must be above 0")
        for name in ("warmup", "top_k", "kl_coef", "weight_decay", "grad_clip", "save_every"):
            if not getattr(self, name) >= 0:
                raise MinidsError(f"grpo setting {name} = {getattr(self, name)!r} must not be below 0")
        if self.top_p > 1:
            raise MinidsError(f"grpo setting top_p = {self.top_p!r} must be at most 1")
        if self.group < 2 and self.baseline != "none":
            raise MinidsError(
                f"grpo setting group = {self.group}: a group of one has nothing to be compared with; use at least 2"
            )
        Reward(**self.reward, style=self.style)


def prompt_of(tokenizer, question, style):
    """Token ids that an answer in this style continues."""
    return chat.plain_prompt_ids(tokenizer, question) if style == "plain" else chat.prompt_ids(tokenizer, question)


def questions(config, families, step, rank=0, world=1):
    """The problems of an iteration that belong to this process, and their number among all:
    a function of (seed, step)."""
    rng = random.Random(f"rl {config.seed} {step}")
    drawn = [tasks.sample(families[i % len(families)], rng, "rl") for i in range(config.prompts)]
    tasks.assert_split(drawn, "rl")
    mine = range(rank, config.prompts, world)
    return [drawn[i] for i in mine], list(mine)


@dataclass
class Rollouts:
    """Answers of one iteration, group after group; `ids` and `logps` hold what was sampled."""

    prompts: list
    ids: list
    logps: list
    finished: list
    results: list  # RewardResult each
    problems: list


def roll_out(model, tokenizer, config, problems, numbers, step):
    """Samples `config.group` answers to each problem and rewards them."""
    prompts = [prompt_of(tokenizer, p.question, config.style) for p in problems]
    seeds = [s for i in numbers for s in sampler.sequence_seeds(config.seed, step, config.group, i * config.group)]
    out = sampler.generate(
        model, prompts, n=config.group, max_new_tokens=config.max_new_tokens, temperature=config.temperature,
        top_k=config.top_k, top_p=config.top_p, seeds=seeds, stop_ids=[tokenizer.eos_id], max_batch=config.max_batch,
    )  # fmt: skip
    reward = Reward(**config.reward, style=config.style)
    owners = [p for p in problems for _ in range(config.group)]
    results = [reward(p, tokenizer.decode(ids), done) for p, ids, done in zip(owners, out.ids, out.finished)]
    repeated = [p for p in prompts for _ in range(config.group)]
    return Rollouts(repeated, out.ids, out.logps, out.finished, results, owners)


def rewards_of(rollouts, config, numbers, step):
    """The numbers that advantages are made of; with `random_reward` a coin for each answer,
    which no answer can influence."""
    if not config.random_reward:
        return torch.tensor([r.total for r in rollouts.results])
    seeds = [s for i in numbers for s in sampler.sequence_seeds(config.seed + 77, step, config.group, i * config.group)]
    return (sampler.uniform(seeds, 1)[:, 0] < 0.5).float()


def padded(rollouts, rows):
    """The answers `rows` as tensors: ids [N, T] of prompt and answer, mask [N, T] of sampled tokens,
    their log-probabilities [N, T]."""
    texts = [rollouts.prompts[i] + rollouts.ids[i] for i in rows]
    T = max(map(len, texts))
    ids_NT, mask_NT, logp_NT = (
        torch.zeros(len(rows), T, dtype=torch.long),
        torch.zeros(len(rows), T, dtype=torch.bool),
        torch.zeros(len(rows), T),
    )
    for n, (i, text) in enumerate(zip(rows, texts)):
        begin = len(rollouts.prompts[i])
        ids_NT[n, : len(text)] = torch.tensor(text)
        mask_NT[n, begin : len(text)] = True
        logp_NT[n, begin : len(text)] = rollouts.logps[i]
    return ids_NT, mask_NT, logp_NT


def score(model, ids_NT, mask_NT, config):
    """Log-probabilities [N, T] of the tokens under mask, 0 elsewhere, and the mean entropy there;
    the head sees only those."""
    hidden_NTD = model.hidden(ids_NT)
    row, t = mask_NT.nonzero(as_tuple=True)
    logits_MV = model.lm_head(hidden_NTD[row, t - 1])
    logp_M = grpo.token_logps(
        logits_MV[None], ids_NT[row, t][None], temperature=config.temperature, top_k=config.top_k, top_p=config.top_p
    )[0]
    with torch.no_grad():
        p_MV = logits_MV.float().softmax(-1)
        entropy = -(p_MV * (p_MV + 1e-20).log()).sum()
    return torch.zeros(ids_NT.shape, dtype=logp_M.dtype, device=ids_NT.device).index_put((row, t), logp_M), entropy


@torch.no_grad()
def closest_calls(model, ids_NT):
    """The smallest margin, over the MoE layers, by which each position's experts were chosen: [N, T]."""
    margins = []

    def note(gate, args, out):
        c = model.config
        about = gate.e_score_correction_bias, c.n_group, c.topk_group, c.num_experts_per_tok
        margins.append(moe.selection_margin(out[0], *about).view(ids_NT.shape))

    hooks = [layer.gate.register_forward_hook(note) for layer in moe.moe_layers(model)]
    try:
        model.hidden(ids_NT)
    finally:
        for hook in hooks:
            hook.remove()
    return torch.stack(margins).amin(0) if margins else torch.full(ids_NT.shape, float("inf"))


def micro_batches(rollouts, rows, tokens):
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


def train_rl(
    model,
    tokenizer,
    families,
    config: RLConfig,
    *,
    comm=None,
    out_dir=None,
    resume=False,
    metrics=None,
    stage="grpo",
    quiet=False,
    stop=None,
):
    """Runs GRPO in place and returns {steps, tokens, seconds, sampling, update}. Checkpoints go to `out_dir`."""
    run = _Run(model, tokenizer, families, config, comm or Comm(), out_dir, metrics, stage)
    run.start(resume)
    first = run.comm.rank == 0
    bar = Progress(stage, config.steps, quiet=quiet or not first, initial=run.step)
    with StopOnSignal(enabled=first and stop is None) as caught, bar:
        stop = stop or caught
        while run.step < config.steps:
            line = run.iteration(stop.requested)
            bar.update(1, reward=line["reward"], accuracy=line["accuracy"], length=line["length"])
            stopping = line["stop"] and run.step < config.steps
            if run.step == config.steps or stopping or (config.save_every and run.step % config.save_every == 0):
                run.save()
            if stopping:
                saved = (
                    f"saved in {run.out_dir}; go on with --resume"
                    if run.out_dir
                    else "nothing was saved (no folder given)"
                )
                raise MinidsError(f"{stage} was stopped after iteration {run.step} of {config.steps}: {saved}")
    return {
        "steps": run.step,
        "tokens": run.tokens,
        "seconds": run.seconds,
        "sampling": run.sampling,
        "update": run.updating,
    }


class _Run:
    def __init__(self, model, tokenizer, families, config, comm, out_dir, metrics, stage):
        self.model, self.tokenizer, self.families, self.config, self.comm, self.stage = (
            model,
            tokenizer,
            families,
            config,
            comm,
            stage,
        )
        self.out_dir = Path(out_dir) if out_dir else None
        if metrics is None and self.out_dir is not None:
            metrics = MetricsLog(self.out_dir / "metrics.jsonl")
        self.metrics = metrics if comm.rank == 0 else None
        self.device = next(model.parameters()).device
        self.optimizer = optim.build_optimizer(
            model, config.optimizer, lr=config.lr, weight_decay=config.weight_decay, betas=config.betas
        )
        self.flat = FlatGradients(model)
        self.reference = [p.detach().clone() for p in model.parameters()]
        self.step = self.tokens = 0
        self.seconds = self.sampling = self.updating = 0.0

    def start(self, resume):
        found = checkpoint.latest(self.out_dir) if self.out_dir else None
        if found and not resume:
            raise MinidsError(
                f"{self.out_dir} holds a checkpoint of an earlier run ({found.name}): "
                "go on with --resume, or choose another --out"
            )
        if found:
            step, state = checkpoint.load(self.out_dir)
            if state.get("stage") != self.stage or state.get("config") != _plain(self.config):
                raise MinidsError(
                    f"{self.out_dir} can not be resumed with other settings: set them back, or start in a new folder"
                )
            load_weights(self.model, state["model"], self.out_dir)
            self.optimizer.load_state_dict(state["optimizer"])
            self.step, self.tokens, self.reference = step, state["tokens"], state["reference"]
            self.seconds, self.sampling, self.updating = state["clock"]
        else:
            self.comm.broadcast_model(self.model)
        if self.metrics:
            self.metrics.rewind(self.stage, self.step)

    def save(self):
        if self.out_dir is None or self.comm.rank != 0:
            return
        if self.metrics:
            self.metrics.sync()
        state = {
            "stage": self.stage, "config": _plain(self.config), "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(), "tokens": self.tokens,
            "clock": [self.seconds, self.sampling, self.updating], "reference": self.reference,
        }  # fmt: skip
        checkpoint.save(self.out_dir, self.step, state, keep_last=self.config.keep_last)

    def iteration(self, stop_requested):
        config, began = self.config, time.monotonic()
        problems, numbers = questions(config, self.families, self.step, self.comm.rank, self.comm.world)
        rollouts = roll_out(self.model, self.tokenizer, config, problems, numbers, self.step)
        rewards_N = rewards_of(rollouts, config, numbers, self.step)
        adv_N, informative_N = grpo.advantages(rewards_N, config.group, baseline=config.baseline, scale=config.scale)
        sampled = time.monotonic()
        sums = self._summary(rollouts, rewards_N, informative_N)
        lr = config.lr * min(1.0, (self.step + 1) / max(1, config.warmup))
        self.optimizer.set_lr(lr)
        update = self._update(rollouts, adv_N, informative_N)
        done = time.monotonic()
        self.step += 1
        self.seconds += done - began
        self.sampling += sampled - began
        self.updating += done - sampled
        shared = self.comm.gather({**sums, **update, "stop": float(stop_requested)})
        total = {k: sum(part[k] for part in shared) for k in shared[0] if k != "logp_gap"}
        n, tokens = total["answers"], total["answer_tokens"]
        self.tokens += int(tokens)
        line = {
            "stage": self.stage, "step": self.step, "reward": total["reward"] / n, "accuracy": total["accuracy"] / n,
            "format": total["format"] / n, "length": tokens / n, "zero_variance": total["zero_variance"] / n,
            "truncated": total["truncated"] / n, "empty_think": total["empty_think"] / n, "lr": lr,
            "entropy": total["entropy"] / max(1.0, total["scored"]), "kl": total["kl"] / max(1.0, total["kl_tokens"]),
            "clip_fraction": total["clip_fraction"] / max(1.0, total["micro"]), "grad_norm": update["grad_norm"],
            "logp_gap": max(part["logp_gap"] for part in shared), "tokens": self.tokens,
            "seconds": round(self.seconds, 3), "sampling_share": round(self.sampling / max(1e-9, self.seconds), 3),
            "families": {f: total[f"right {f}"] / max(1.0, total[f"n {f}"]) for f in self.families},
        }  # fmt: skip
        if self.metrics:
            self.metrics.write(**line)
        return {**line, "stop": total["stop"] > 0}

    def _summary(self, rollouts, rewards_N, informative_N):
        results = rollouts.results
        out = {
            "answers": len(results), "answer_tokens": sum(map(len, rollouts.ids)), "reward": float(rewards_N.sum()),
            "zero_variance": float((~informative_N).sum()), "accuracy": sum(r.accuracy for r in results),
            "format": sum(r.format for r in results), "truncated": sum(r.truncated for r in results),
            "empty_think": sum(r.empty_think for r in results),
        }  # fmt: skip
        for f in self.families:
            of = [r.accuracy for r, p in zip(results, rollouts.problems) if p.family == f]
            out |= {f"right {f}": sum(of), f"n {f}": len(of)}
        return out

    def _update(self, rollouts, adv_N, informative_N):
        config, device = self.config, self.device
        finished_N = torch.tensor(rollouts.finished)
        rows = [i for i in range(len(adv_N)) if informative_N[i] or not config.skip_zero_variance]
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
        self.model.train()
        for epoch in range(config.epochs):
            random.Random(f"order {config.seed} {self.step} {epoch}").shuffle(rows)
            for m in range(config.minibatches):
                part = rows[m :: config.minibatches]
                self._step(rollouts, part, adv_N, informative_N, finished_N, device, sums, first)
                first = False
        return sums

    def _step(self, rollouts, part, adv_N, informative_N, finished_N, device, sums, first):
        """One optimizer step on the answers `part` of this process and the others'."""
        config = self.config
        loss_settings = {
            k: getattr(config, k)
            for k in (
                "aggregation",
                "clip",
                "clip_low",
                "clip_high",
                "kl",
                "kl_coef",
                "skip_zero_variance",
                "mask_truncated",
            )
        }
        if config.clip in ("none", "symmetric"):
            loss_settings["clip_high"] = None
        if config.aggregation == "constant":
            loss_settings["constant"] = config.max_new_tokens
        batches = [(b, *padded(rollouts, b)) for b in micro_batches(rollouts, part, config.tokens_per_batch)]
        units = sum(
            grpo.count_units(mask, config.aggregation, informative_N=informative_N[b], finished_N=finished_N[b],
                             skip_zero_variance=config.skip_zero_variance, mask_truncated=config.mask_truncated)
            for b, _, mask, _ in batches
        )  # fmt: skip
        normalizer = float(self.comm.all_reduce_(torch.tensor([units], dtype=torch.float64)))
        if normalizer == 0:
            return
        self.flat.zero_()
        for number, (b, ids, mask, old) in enumerate(batches):
            ids, mask, old = ids.to(device), mask.to(device), old.to(device)
            logp, entropy = score(self.model, ids, mask, config)
            looked = first and number == len(batches) // 2  # the distance to the start is logged from one micro-batch
            ref = self._reference_logps(ids, mask) if looked or config.kl != "none" else None
            loss, info = grpo.grpo_loss(
                logp, old, adv_N[b].to(device), mask, informative_N=informative_N[b], finished_N=finished_N[b],
                normalizer=normalizer, ref_logp_NT=ref if config.kl != "none" else None, **loss_settings,
            )  # fmt: skip
            loss.backward()
            sums["clip_fraction"] += info["clip_fraction"]
            sums["micro"] += 1
            if first:
                sums["logp_gap"] = max(sums["logp_gap"], self._gap(logp, old, ids, mask))
                sums["entropy"] += float(entropy)
                sums["scored"] += float(mask.sum())
            if looked:
                sums["kl"] += float(grpo.kl_estimate(logp.detach()[mask], ref[mask], "k3").sum())
                sums["kl_tokens"] += float(mask.sum())
        self.comm.all_reduce_(self.flat.buffer)
        norm = float(self.flat.grads.norm())
        if not norm < float("inf"):
            raise MinidsError(
                f"{self.stage} iteration {self.step + 1}: gradient norm {norm}. "
                "The weights were not changed; lower lr or grad_clip."
            )
        if config.grad_clip:
            self.flat.grads.mul_(min(1.0, config.grad_clip / (norm + 1e-6)))
        self.optimizer.step()
        sums["grad_norm"] = norm

    def _gap(self, logp, old, ids, mask):
        """The largest difference between what the sampler said and what training says; one without an excuse ends
        the run.

        The excuse: before the token two experts tied within rounding, and sampler and trainer picked different ones.
        Both are then right about their own forward; a prompt's tie shows in all answers of its group.
        """
        gap_NT = ((logp.detach() - old) * mask).abs()
        beyond_NT = gap_NT > LOGP_TOLERANCE.get(self.device.type, 2e-2)
        rows = beyond_NT.any(1).nonzero().squeeze(1)
        if len(rows):
            tied_NT = closest_calls(self.model, ids[rows]) < TIE
            first_N1 = beyond_NT[rows].int().argmax(1, keepdim=True)
            before_NT = torch.arange(ids.shape[1], device=ids.device) < first_N1
            if not (tied_NT & before_NT).any(1).all():
                raise MinidsError(
                    f"{self.stage} iteration {self.step + 1}: the log-probabilities of sampling and training differ "
                    f"by up to {gap_NT.max():.2g}. The gradient would be of another policy; this is a defect of the "
                    "code, not of the recipe."
                )
        return float(gap_NT.max())

    @torch.no_grad()
    def _reference_logps(self, ids, mask):
        """Log-probabilities under the policy that RL started from: its weights are swapped in for one forward."""
        params = list(self.model.parameters())
        now = [p.data for p in params]
        for p, r in zip(params, self.reference):
            p.data = r
        try:
            return score(self.model, ids, mask, self.config)[0]
        finally:
            for p, w in zip(params, now):
                p.data = w


def _plain(config):
    """The config as JSON would give it back."""
    out = asdict(config)
    return {k: list(v) if isinstance(v, tuple) else v for k, v in out.items() if k not in ("save_every", "keep_last")}
