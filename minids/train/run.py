"""What every training run does, whatever it learns from: start or resume, step, save, stop.

    class MyRun(TrainingRun):
        iteration(stop_requested) -> values   one step; `values` has "stop", and a number for each name in SHOWN
        settings()   changed(saved)           what a checkpoint keeps of the config, and how another one differs
        kept()       restore(state)           what else a checkpoint holds (KEPT names it)

    run = MyRun(…)
    run.start(resume)
    run.finish()                              to the last step; Ctrl-C saves and raises MinidsError, `stop` saves and
                                              returns

Saved are weights, optimizer, step and tokens, every `save_every` steps, at the end and on Ctrl-C. A resumed run begins
with the newest checkpoint that is whole, and takes from metrics.jsonl what comes after it. On several processes all
call the same methods; rank 0 writes.
"""

from pathlib import Path

from torch import Tensor, nn

from minids.errors import MinidsError
from minids.progress import Progress
from minids.train import checkpoint, gradients, optim
from minids.train.gradients import FlatGradients
from minids.train.metrics import MetricsLog
from minids.train.parallel import Comm
from minids.train.stop import StopOnSignal


class TrainingRun:
    """What changes during a run, and how it is saved."""

    STEP = "step"  # what a step is called
    SHOWN = ()  # names of values for the progress bar
    KEPT = ()  # names of what `kept` adds to a checkpoint

    def __init__(
        self,
        model: nn.Module,
        config,
        stage: str,
        comm: Comm,
        out_dir,
        metrics: MetricsLog | None,
        optimizer_settings: dict | None = None,
    ):
        """`optimizer_settings`: of `optim.build_optimizer`, beyond those that all runs have."""
        self.model, self.config, self.stage, self.comm = model, config, stage, comm
        self.out_dir = Path(out_dir) if out_dir else None
        if metrics is None and self.out_dir is not None:
            metrics = MetricsLog(self.out_dir / "metrics.jsonl")
        self.metrics = metrics if comm.rank == 0 else None
        self.device = next(model.parameters()).device
        common = {"lr": config.lr, "weight_decay": config.weight_decay, "betas": config.betas}
        self.optimizer = optim.build_optimizer(model, config.optimizer, **common, **(optimizer_settings or {}))
        self.flat = FlatGradients(model)
        self.step, self.tokens, self.seconds = 0, 0, 0.0

    # --- What a kind of run says of itself ----------------------------------------------------------------------------

    def iteration(self, stop_requested: bool) -> dict:
        """Takes one step and returns what to log: "stop" (whether to end after it), and a number for each name in
        SHOWN."""
        raise NotImplementedError

    def settings(self) -> dict:
        """The settings that a checkpoint keeps, and that a resumed run must have."""
        raise NotImplementedError

    def changed(self, saved: dict) -> list[str]:
        """How the settings of a checkpoint differ from this run's, a line each; empty: they may go on together."""
        raise NotImplementedError

    def kept(self) -> dict:
        """Called on every process."""
        return {}

    def restore(self, state: dict) -> None:
        """Takes back what `kept` gave to a checkpoint."""
        pass

    def begin(self) -> None:
        """Where there is nothing to resume."""
        self.comm.broadcast_model(self.model)

    def saved(self, values: dict) -> None:
        """Called after every step, and after its checkpoint if there is one."""

    # --- The loop -----------------------------------------------------------------------------------------------------

    def start(self, resume: bool) -> None:
        """Begins the run, or goes on from the newest whole checkpoint of `out_dir`.

        Raises MinidsError for a folder that holds a checkpoint while `resume` is False, and for one of other settings.
        """
        found = checkpoint.latest(self.out_dir) if self.out_dir else None
        if found and not resume:
            raise MinidsError(
                f"{self.out_dir} holds a checkpoint of an earlier run ({found.name}): go on with "
                "resume=True, or choose another folder (out_dir=…)"
            )
        if found:
            self._load(*checkpoint.load(self.out_dir))
        else:
            self.begin()
        if self.metrics:
            self.metrics.rewind(self.stage, self.step)

    def finish(self, *, title: str | None = None, quiet: bool = False, stop=None) -> None:
        """Takes the steps that are left. `stop`: an object whose `.requested` ends the run after a step, saved. Without
        one Ctrl-C does, which raises MinidsError too, so that what comes after the training does not use half of it."""
        first, steps, every = self.comm.rank == 0, self.config.steps, self.config.save_every
        bar = Progress(title or self.stage, steps, quiet=quiet or not first, initial=self.step)
        with StopOnSignal(enabled=first and stop is None) as caught, bar:
            asked = caught if stop is None else stop
            while self.step < steps:
                values = self.iteration(asked.requested)
                bar.update(1, **{name: values[name] for name in self.SHOWN})
                stopping = values["stop"] and self.step < steps
                if self.step == steps or stopping or (every and self.step % every == 0):
                    self.save()
                self.saved(values)
                if stopping and stop is None:
                    raise self._stopped()
                if stopping:
                    return

    def take_step(self, norm: float, weight: float = 1.0) -> None:
        """One optimizer step with the gradients over `weight`, clipped; `norm` is that of the quotient."""
        self.flat.grads.mul_(gradients.clip_factor(norm, self.config.grad_clip) / weight)
        self.optimizer.step()

    def not_finite(self, what: str, advice: str = "") -> MinidsError:
        """The error to raise where a loss or a gradient is NaN or infinite: which step, and where the last good
        weights are."""
        last = checkpoint.latest(self.out_dir) if self.out_dir else None
        where = f"the last good checkpoint is {last}" if last else "there is no checkpoint yet"
        return MinidsError(
            f"{self.stage} {self.STEP} {self.step + 1}: {what}. The weights were not changed; {where}. "
            f"Lower lr or grad_clip{advice}"
        )

    def _stopped(self) -> MinidsError:
        where = (
            f"saved in {self.out_dir}; go on with resume=True"
            if self.out_dir
            else "nothing was saved (no folder given)"
        )
        return MinidsError(f"{self.stage} was stopped after {self.STEP} {self.step} of {self.config.steps}: {where}")

    # --- Checkpoints --------------------------------------------------------------------------------------------------

    def save(self) -> None:
        """Writes a checkpoint: weights, optimizer, step, tokens, settings, and what `kept` adds; nothing without a
        folder."""
        if self.out_dir is None:
            return
        kept = self.kept()
        if self.comm.rank != 0:
            return
        if self.metrics:
            self.metrics.sync()
        state = {
            "stage": self.stage,
            "config": self.settings(),
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "tokens": self.tokens,
            **kept,
        }
        checkpoint.save(self.out_dir, self.step, state, keep_last=self.config.keep_last)

    def _load(self, step: int, state: dict) -> None:
        for name in ("stage", "config", "model", "optimizer", "tokens", *self.KEPT):
            if name not in state:
                raise MinidsError(
                    f"the checkpoint in {self.out_dir} is not of a training run (no {name!r}): choose another folder"
                )
        what = self.changed(state["config"])
        if not what and state["stage"] != self.stage:
            what = [f"it is of stage {state['stage']!r}"]
        if what:
            raise MinidsError(
                f"{self.out_dir} cannot be resumed with other settings ({', '.join(what)}): "
                "set them back, or start in a new folder"
            )
        load_weights(self.model, state["model"], self.out_dir)
        self.optimizer.load_state_dict(state["optimizer"])
        self.step, self.tokens = step, state["tokens"]
        self.restore(state)


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
