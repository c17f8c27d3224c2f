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
from collections.abc import Callable
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass

import torch
from torch import nn

from minids.errors import MinidsError, need
from minids.model import moe
from minids.settings import Settings, setting
from minids.train import checkpoint, loss, optim
from minids.train.metrics import MetricsLog
from minids.train.parallel import Comm
from minids.train.run import TrainingRun

PRECISIONS = {
    "fp32": "float32",
    "bf16": "bfloat16, by autocast",
    "fp8": "as bf16, and the linear layers in FP8 (arXiv 2412.19437 §3.3)",
}


@dataclass
class TrainConfig(Settings):
    """The settings of `train`: of pretraining, SFT and distillation. MinidsError for a value that is none of those
    below. log_every, save_every and keep_last may differ when a run is resumed; the others may not."""

    SHOWN = "training setting {name} = {value}"
    FREE = ("log_every", "save_every", "keep_last")  # may differ from the run that is resumed

    steps: int = setting(doc="optimizer steps", least=0)
    lr: float = setting(doc="highest learning rate", above=0)
    warmup: int = setting(0, "steps until the learning rate is reached", least=0)
    schedule: str = setting("warmup_linear", "how the learning rate goes on after the warmup", choices=optim.SCHEDULES)
    optimizer: str = setting("muon", "how the gradients change the weights", choices=optim.OPTIMIZERS)
    weight_decay: float = setting(0.0, "share of a weight, times the learning rate, that an update takes off", least=0)
    betas: tuple[float, float] = setting(
        (0.9, 0.95),
        "of AdamW: how much of the running means of the gradient and of its square an update keeps",
        least=0,
        below=1,
    )
    muon_lr_factor: float = setting(8.0, "Muon's learning rate divided by AdamW's", above=0)
    grad_clip: float = setting(1.0, "largest norm of all gradients together; 0: no clipping", least=0)
    bias_update_speed: float = setting(1e-3, "gamma of the router bias (arXiv 2412.19437, section 4.2)", least=0)
    balance_alpha: float = setting(
        1e-4, "weight of the sequence-wise balance loss (arXiv 2412.19437, section 4.2)", least=0
    )
    mtp_lambda: float = setting(
        0.3, "weight of the MTP loss, if the model has MTP modules (arXiv 2412.19437, section 4.2)", least=0
    )
    precision: str = setting("fp32", "type of the numbers in products; the weights stay float32", choices=PRECISIONS)
    seed: int = setting(0, "of the run's random numbers")
    log_every: int = setting(10, "steps from one line of metrics to the next", least=1)
    save_every: int = setting(0, "steps from one checkpoint to the next; 0: at the end and on Ctrl-C", least=0)
    keep_last: int = setting(2, "newest checkpoints that are kept", least=1)


@dataclass
class TrainResult:
    """What `train` returns.

    step      steps that were taken, those before a resume included
    loss      mean over the last logged window, per weighted token, in nats; None before the first
    tokens    over the whole stage, all processes, padding not counted
    seconds   of training, those before a resume included
    stopped   whether `stop` ended it before the last step
    """

    step: int
    loss: float | None
    tokens: int
    seconds: float
    stopped: bool = False


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
    """Trains the model in place. `minids.pretrain` is this function.

        source = corpus.batches("corpus.txt", tokenizer, length=128, rows=8)
        pretrain(model, source, TrainConfig(steps=200, lr=2e-3), out_dir="runs/own/checkpoints", resume=True)

    source    called as source(step), from 0: this process's micro-batches of that step (a list of corpus.Batch), a
              function of the step alone (`corpus.batches`, `tasks.documents.Source`). What its `fingerprint` says, a
              dict of plain values, is kept in checkpoints, and a run is resumed only with a source that says the same;
              without one nothing is compared
    config    a TrainConfig
    stage     what its lines in metrics.jsonl and its checkpoints are called
    comm      of several processes (train/parallel.py)
    objective the loss of a micro-batch, called as `loss.lm_loss` is, which is the default (see rl/distill.py).
    out_dir   checkpoints (and metrics.jsonl, unless `metrics` is given); None: nothing is written.
    resume    go on from the newest checkpoint in out_dir, if there is one; the rest of the run is then bit-identical.
    metrics   a MetricsLog that takes the lines, instead of out_dir's
    title     what the progress bar says; default the stage.  quiet: no bar
    stop      object whose `.requested` ends the run after a step: it is saved, and the result says `stopped`. Without
              one Ctrl-C ends it so, and raises MinidsError (train/stop.py).
    on_step   called as on_step(step, values) on every process after every step.

    Returns a TrainResult. Raises MinidsError for settings, checkpoints and batches that cannot be trained with.
    """
    need(model, nn.Module, "train: model", "a model, as Transformer(config) makes one")
    need(source, Callable, "train: source", "called with the number of a step and give its list of batches")
    need(config, TrainConfig, "train: config", "a TrainConfig(steps=…, lr=…)")
    run = _Run(model, source, config, stage, comm or Comm(), out_dir, metrics, objective, on_step)
    run.start(resume)
    with _fp8(model, config, quiet or run.comm.rank != 0):
        run.finish(title=title, quiet=quiet, stop=stop)
    return TrainResult(run.step, run.last_loss, run.tokens, run.clock(), run.step < config.steps)


pretrain = train  # its name in `minids`, where `minids.train` is this package


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


class _Run(TrainingRun):
    SHOWN, KEPT = ("loss",), ("seconds", "loss", "window", "processes")

    def __init__(self, model, source, config, stage, comm, out_dir, metrics, objective=None, on_step=None):
        muon = {"muon_lr_factor": config.muon_lr_factor, "comm": comm}
        super().__init__(model, config, stage, comm, out_dir, metrics, optimizer_settings=muon)
        self.source, self.objective, self.on_step = source, objective or loss.lm_loss, on_step
        self.fingerprint = (self.out_dir and getattr(source, "fingerprint", None)) or {}
        self.last_loss, self.window = None, self._empty_window()
        self._mark = time.monotonic()

    def start(self, resume: bool) -> None:
        self.model.train()
        super().start(resume)
        self._mark = time.monotonic()

    def begin(self) -> None:
        checkpoint.seed_rng(self.config.seed * 1009 + self.comm.rank)
        super().begin()

    def iteration(self, stop_requested: bool) -> dict:
        values = self.one_step(self.source(self.step), stop_requested)
        self.log(values)
        return values

    def saved(self, values: dict) -> None:
        if self.on_step is not None:
            self.on_step(self.step, values)

    def one_step(self, batches: list, stop_requested: bool) -> dict:
        """Forward, backward, all-reduce, clip, optimizer, router bias. A bad number raises before a weight changes."""
        config, flat = self.config, self.flat
        lr = config.lr * optim.schedule(config.schedule, self.step, config.steps, config.warmup)
        flat.zero_()
        counts = None
        for batch in batches:
            self.check_length(batch)
            batch = batch.to(self.device)
            loads = moe.ExpertLoad()
            with self._autocast():
                main, mtp = self.objective(self.model, batch, loads=loads, mtp_lambda=config.mtp_lambda)
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
            what = f"loss {values['loss']:.4g}, gradient norm {values['norm']:.4g} at lr {lr:.3g}"
            raise self.not_finite(what, ", or look at the batch of this step")
        self.optimizer.set_lr(lr)
        self.take_step(values["norm"], sums["weight"])
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

    def check_length(self, batch) -> None:
        """Raises MinidsError for rows that are longer than the model's context."""
        length = batch.ids_BT.shape[1]
        room = getattr(getattr(self.model, "config", None), "max_position_embeddings", length)
        if length > room:
            raise MinidsError(
                f"{self.stage} step {self.step + 1}: the batch's length {length} exceeds max_position_embeddings "
                f"{room}, the model's longest text. Take shorter rows, or a model with a longer context."
            )

    def _autocast(self):
        half = self.config.precision != "fp32"
        return torch.autocast(self.device.type, torch.bfloat16) if half else nullcontext()

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

    def settings(self) -> dict:
        return asdict(self.config) | ({"source": self.fingerprint} if self.fingerprint else {})

    def changed(self, saved: dict) -> list[str]:
        now = asdict(self.config)
        names = [name for name in now if name not in TrainConfig.FREE and saved.get(name) != now[name]]
        was = saved.get("source", {})  # checkpoints of earlier versions have none
        return [f"{name} was {saved.get(name)!r}, is {now[name]!r}" for name in names] + [
            f"the source's {name} was {was[name]!r}, is {value!r}"
            for name, value in self.fingerprint.items()
            if name in was and was[name] != value
        ]

    def kept(self) -> dict:
        # Generators and the window's counts differ between processes; everything else is the same on all of them.
        own = self.comm.gather({"rng": checkpoint.rng_state(), "counts": self.window["counts"]})
        window = {**self.window, "counts": None}
        return {"seconds": self.clock(), "loss": self.last_loss, "window": window, "processes": own}

    def restore(self, state: dict) -> None:
        self.seconds, self.last_loss, self.window = state["seconds"], state["loss"], state["window"]
        if self.comm.rank < len(
            state["processes"]
        ):  # a process more than before starts with the generators that it has
            own = state["processes"][self.comm.rank]
            checkpoint.set_rng_state(own["rng"])
            self.window["counts"] = own["counts"]
