"""The training loop of pretraining, SFT and distillation.

One optimizer step, over all micro-batches m and processes r:

    loss = 1/W sum_{m,r} ( main_m + lambda mtp_m + alpha W_m balance_m ),    W = sum_{m,r} W_m

main_m and mtp_m are the weighted sums of train/loss.py, W_m the sum of the weights of micro-batch m. One division by
the global W makes the result independent of how a batch is cut into micro-batches and processes. (The balance loss is a
mean over a micro-batch's texts, so it is weighed by W_m; that is the same for every cut only if the cuts are equal.)

Gradients and the step's sums live in one flat buffer: one all-reduce, one norm, one scaling for all tensors.
`source(step)` gives this process's micro-batches as a pure function of the step, so resuming needs no data state.

Left out: fp16 (needs loss scaling), sharded models, accumulation over steps of different data (one source a stage).
"""

import math
import time
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from minids.errors import MinidsError
from minids.model import moe
from minids.progress import Progress
from minids.settings import Settings, setting
from minids.train import checkpoint, gradients, loss, optim
from minids.train.gradients import FlatGradients
from minids.train.metrics import MetricsLog
from minids.train.parallel import Comm
from minids.train.stop import StopOnSignal

PRECISIONS = ("fp32", "bf16", "fp8")


@dataclass
class TrainConfig(Settings):
    SHOWN = "training setting {name} = {value}"
    FREE = ("log_every", "save_every", "keep_last")  # may differ from the run that is resumed

    steps: int = setting(doc="optimizer steps", least=0)
    lr: float = setting(doc="highest learning rate", above=0)
    warmup: int = setting(0, "steps until the learning rate is reached", least=0)
    schedule: str = setting("warmup_linear", "how the learning rate goes on", choices=sorted(optim.SCHEDULES))
    optimizer: str = setting(
        "muon", "Muon for the matrices and AdamW for the rest, or AdamW", choices=("muon", "adamw")
    )
    weight_decay: float = setting(0.0, "decoupled weight decay", least=0)
    betas: tuple[float, float] = setting((0.9, 0.95), "of AdamW", least=0, below=1)
    muon_lr_factor: float = setting(8.0, "Muon's learning rate over AdamW's", above=0)
    grad_clip: float = setting(1.0, "largest gradient norm; 0: no clipping", least=0)
    bias_update_speed: float = setting(1e-3, "gamma of the router bias (arXiv 2412.19437, section 4.2)", least=0)
    balance_alpha: float = setting(1e-4, "weight of the sequence-wise balance loss (same place)", least=0)
    mtp_lambda: float = setting(0.3, "weight of the MTP loss, if the model has MTP modules (same place)", least=0)
    precision: str = setting(
        "fp32", "bf16: autocast; fp8: also FP8 linear layers; weights stay fp32", choices=PRECISIONS
    )
    seed: int = setting(0, "of the run")
    log_every: int = setting(10, "steps from one line of metrics to the next", least=1)
    save_every: int = setting(0, "steps from one checkpoint to the next; 0: at the end and on Ctrl-C", least=0)
    keep_last: int = setting(2, "checkpoints that are kept", least=1)


@dataclass
class TrainResult:
    step: int
    loss: float | None  # mean over the last logged window
    tokens: int  # over the whole stage, all processes, padding not counted
    seconds: float


# --- The loop -------------------------------------------------------------------------------------------------------


def train(
    model: nn.Module,
    source,
    config: TrainConfig,
    *,
    stage: str = "pretrain",
    comm: Comm | None = None,
    out_dir=None,
    resume: bool = False,
    metrics: MetricsLog | None = None,
    title: str | None = None,
    quiet: bool = False,
    stop=None,
    on_step=None,
    objective=None,
) -> TrainResult:
    """Trains in place. `source(step) -> list[Batch]`: this process's micro-batches of that step.

    objective the loss of a micro-batch, called as `loss.lm_loss` is, which is the default (see rl/distill.py).
    out_dir   checkpoints (and metrics.jsonl, unless `metrics` is given); None: nothing is written.
    resume    go on from the newest checkpoint in out_dir, if there is one; the rest of the run is then bit-identical.
    stop      object whose `.requested` ends the run after a step; default: Ctrl-C (see train/stop.py).
    on_step   called as on_step(step, values) on every process after every step.
    """
    run = _Run(model, config, stage, comm or Comm(), out_dir, metrics, objective)
    run.start(resume)
    first = run.comm.rank == 0
    bar = Progress(title or stage, config.steps, quiet=quiet or not first, initial=run.step)
    with StopOnSignal(enabled=first and stop is None) as caught, bar, _fp8(model, config, quiet or not first):
        stop = stop or caught
        while run.step < config.steps:
            values = run.one_step(source(run.step), stop.requested)
            bar.update(1, loss=values["loss"])
            run.log(values)
            stopping = values["stop"] and run.step < config.steps
            if run.step == config.steps or stopping or (config.save_every and run.step % config.save_every == 0):
                run.save()
            if on_step is not None:
                on_step(run.step, values)
            if stopping:
                where = f"saved in {out_dir}; go on with --resume" if out_dir else "nothing was saved (no folder given)"
                raise MinidsError(f"{stage} was stopped after step {run.step} of {config.steps}: {where}")
    return TrainResult(run.step, run.last_loss, run.tokens, run.clock())


@contextmanager
def _fp8(model, config, quiet):
    """The model's linear layers in FP8 for the time of the run, if the config says so."""
    if config.precision != "fp8":
        yield
        return
    from minids.model import fp8  # imports Triton where there is one

    fp8.convert(model)
    if not quiet:
        print(fp8.backend_of(next(model.parameters()))[1])
    try:
        yield
    finally:
        fp8.restore(model)


class _Run:
    """What changes during a run, and how it is saved."""

    def __init__(self, model, config, stage, comm, out_dir, metrics, objective=None):
        self.objective = objective
        self.model, self.config, self.stage, self.comm = model, config, stage, comm
        self.out_dir = Path(out_dir) if out_dir is not None else None
        if metrics is None and self.out_dir is not None:
            metrics = MetricsLog(self.out_dir / "metrics.jsonl")
        self.metrics = metrics if comm.rank == 0 else None
        self.device = next(model.parameters()).device
        self.optimizer = optim.build_optimizer(
            model,
            config.optimizer,
            lr=config.lr,
            weight_decay=config.weight_decay,
            betas=config.betas,
            muon_lr_factor=config.muon_lr_factor,
            comm=comm,
        )
        self.flat = FlatGradients(model)
        self.step, self.tokens, self.seconds, self.last_loss = 0, 0, 0.0, None
        self.window = self._empty_window()
        self._mark = time.monotonic()

    def start(self, resume: bool) -> None:
        self.model.train()
        found = checkpoint.latest(self.out_dir) if self.out_dir else None
        if found and not resume:
            raise MinidsError(
                f"{self.out_dir} holds a checkpoint of an earlier run ({found.name}): go on with "
                "--resume, or choose another folder (--out)"
            )
        if found:
            self._restore(*checkpoint.load(self.out_dir))
        else:
            checkpoint.seed_rng(self.config.seed * 1009 + self.comm.rank)
            self.comm.broadcast_model(self.model)
        if self.metrics:
            self.metrics.rewind(self.stage, self.step)
        self._mark = time.monotonic()

    def one_step(self, batches: list, stop_requested: bool) -> dict:
        """Forward, backward, all-reduce, clip, optimizer, router bias. A bad number raises before a weight changes."""
        config, flat = self.config, self.flat
        lr = config.lr * optim.schedule(config.schedule, self.step, config.steps, config.warmup)
        flat.zero_()
        counts = None
        for batch in batches:
            batch = batch.to(self.device)
            loads = moe.ExpertLoad()
            with self._autocast():
                objective = self.objective or loss.lm_loss
                main, mtp = objective(self.model, batch, loads=loads, mtp_lambda=config.mtp_lambda)
                weight = batch.weight_BT.sum()
                balance = loads.balance_loss.to(self.device) * weight
                (main + config.mtp_lambda * mtp + config.balance_alpha * balance).backward()
            flat.add(
                loss=main.detach(),
                mtp=mtp.detach(),
                balance=balance.detach(),
                weight=weight,
                tokens=batch.valid_BT.sum(),
            )
            if loads.counts is not None:
                counts = loads.counts if counts is None else counts + loads.counts
        flat.add(stop=float(stop_requested))
        self.comm.all_reduce_(flat.buffer)

        sums = flat.read()
        if sums["weight"] == 0:
            raise MinidsError(
                f"{self.stage} step {self.step + 1}: no token of the batch has a weight, so there is "
                "nothing to learn from: check the corpus and the prompt masking"
            )
        values = {name: sums[name] / sums["weight"] for name in ("loss", "mtp", "balance", "norm")}
        if not all(map(math.isfinite, values.values())):
            raise self._not_finite(values, lr)
        flat.grads.mul_(gradients.clip_factor(values["norm"], config.grad_clip) / sums["weight"])
        self.optimizer.set_lr(lr)
        self.optimizer.step()
        moe.update_bias(self.model, counts, config.bias_update_speed)  # sums the counts over processes itself
        self.step += 1
        self.tokens += int(sums["tokens"])
        return {
            **values,
            "lr": lr,
            "tokens": int(sums["tokens"]),
            "stop": sums["stop"] > 0,
            "counts": None if counts is None else counts.cpu(),
        }

    def _autocast(self):
        half = self.config.precision != "fp32"
        return torch.autocast(self.device.type, torch.bfloat16) if half else nullcontext()

    def _not_finite(self, values: dict, lr: float) -> MinidsError:
        last = checkpoint.latest(self.out_dir) if self.out_dir else None
        advice = f"the last good checkpoint is {last}" if last else "there is no checkpoint yet"
        return MinidsError(
            f"{self.stage} step {self.step + 1}: loss {values['loss']:.4g}, gradient norm "
            f"{values['norm']:.4g} at lr {lr:.3g}. The weights were not changed; {advice}. "
            "Lower lr or grad_clip, or look at the batch of this step"
        )

    # --- Logging: means over a window of log_every steps; a checkpoint holds the window, so lines do not change -------

    @staticmethod
    def _empty_window() -> dict:
        return {"steps": 0, "loss": 0.0, "mtp": 0.0, "balance": 0.0, "norm": 0.0, "tokens": 0, "counts": None}

    def log(self, values: dict) -> None:
        window = self.window
        for name in ("loss", "mtp", "balance", "norm", "tokens"):
            window[name] += values[name]
        window["steps"] += 1
        if values["counts"] is not None:
            window["counts"] = values["counts"] if window["counts"] is None else window["counts"] + values["counts"]
        if self.step % self.config.log_every and self.step != self.config.steps:
            return
        n = window["steps"]
        line = {
            "stage": self.stage,
            "step": self.step,
            "loss": window["loss"] / n,
            "lr": values["lr"],
            "grad_norm": window["norm"] / n,
            "tokens": self.tokens,
        }
        if len(getattr(self.model, "mtp", ())) and self.config.mtp_lambda:
            line["mtp_loss"] = window["mtp"] / n
        if window["counts"] is not None:
            load_LE = self.comm.all_reduce_(window["counts"].clone())
            load_LE = load_LE / load_LE.mean(-1, keepdim=True).clamp(min=1e-9)
            line["balance_loss"] = window["balance"] / n
            line["load_max"] = load_LE.max().item()  # busiest expert over the mean: 1 is perfect balance
            if load_LE.numel() <= 256:
                line["expert_load"] = [[round(x, 4) for x in row] for row in load_LE.tolist()]
        self.last_loss = line["loss"]
        self.window = self._empty_window()
        if self.metrics:
            self.metrics.write(**line, seconds=round(self.clock(), 3))

    def clock(self) -> float:
        """Seconds of training in this stage, those before a resume included."""
        now = time.monotonic()
        self.seconds, self._mark = self.seconds + now - self._mark, now
        return self.seconds

    # --- Checkpoints ------------------------------------------------------------------------------------------------

    def save(self) -> None:
        if self.out_dir is None:
            return
        # Generators and the window's counts differ between processes; everything else is the same on all of them.
        own = self.comm.gather({"rng": checkpoint.rng_state(), "counts": self.window["counts"]})
        if self.comm.rank != 0:
            return
        if self.metrics:
            self.metrics.sync()
        state = {
            "stage": self.stage,
            "config": asdict(self.config),
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "tokens": self.tokens,
            "seconds": self.clock(),
            "loss": self.last_loss,
            "window": {**self.window, "counts": None},
            "processes": own,
        }
        checkpoint.save(self.out_dir, self.step, state, keep_last=self.config.keep_last)

    def _restore(self, step: int, state: dict) -> None:
        try:
            saved_config, saved_model = state["config"], state["model"]
            optimizer, processes = state["optimizer"], state["processes"]
            self.tokens, self.seconds, self.last_loss = state["tokens"], state["seconds"], state["loss"]
            self.window, stage = state["window"], state["stage"]
        except KeyError as error:
            raise MinidsError(
                f"the checkpoint in {self.out_dir} is not of a training run (no {error}): choose another folder"
            ) from error
        now = asdict(self.config)
        changed = [k for k in now if k not in TrainConfig.FREE and saved_config.get(k) != now[k]]
        if changed or stage != self.stage:
            what = [f"{k} was {saved_config.get(k)!r}, is {now[k]!r}" for k in changed] or [f"it is of stage {stage!r}"]
            raise MinidsError(
                f"{self.out_dir} can not be resumed with other settings ({', '.join(what)}): "
                "set them back, or start in a new folder"
            )
        load_weights(self.model, saved_model, self.out_dir)
        self.optimizer.load_state_dict(optimizer)
        self.step = step
        if self.comm.rank < len(processes):  # a process more than before starts with the generators that it has
            own = processes[self.comm.rank]
            checkpoint.set_rng_state(own["rng"])
            self.window["counts"] = own["counts"]


def load_weights(model: nn.Module, weights: dict[str, Tensor], where) -> None:
    """model.load_state_dict with errors that name the tensor."""
    ours = model.state_dict()
    for name in sorted(ours.keys() | weights.keys()):
        if name not in weights:
            raise MinidsError(f"{where}: the checkpoint has no {name}, the model does: they are of different configs")
        if name not in ours:
            raise MinidsError(f"{where}: the checkpoint has {name}, the model does not: they are of different configs")
        if ours[name].shape != weights[name].shape:
            raise MinidsError(
                f"{where}: {name} is {list(weights[name].shape)} in the checkpoint and "
                f"{list(ours[name].shape)} in the model: they are of different configs"
            )
    model.load_state_dict(weights)
