"""What a stage of RL leaves behind, so that any of its answers can be drawn again (replay.py) and be checked.

    <stage>/replay/run.json          settings, families, the model's config, processes, device, versions; of hooks
                                     (hooks.py) the name and a hash
    <stage>/replay/tokenizer.json    as it was
    <stage>/replay/step-…            weights and optimizer, as iteration step + 1 finds them: of the start, and of every
                                     `save_every` iterations; checkpoints as in train/checkpoint.py
    <stage>/replay/rollouts.jsonl    a line per iteration: the CRC-32 of every answer's token ids (8 hex digits each,
                                     group by group) and one of all their log-probabilities

Bytes, with P parameters in fp32 and AdamW: 4 P for the start (there is no optimizer yet), 12 P for each later one, and
8 an answer. The tiny recipe (P = 0.75 million, 110 iterations, save_every 20) comes to 3 + 5 * 9 = 48 MB, and a quarter
of a MB for the hashes. `replay = false` in the recipe keeps nothing; then nothing can be replayed.

Weights are kept as trained, not rounded to bf16: a policy that is almost the same draws other answers. Left out:
differences between snapshots instead of the whole (neighbouring weights share few of their low bits).
"""

import json
import shutil
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import torch

import minids
from minids import files
from minids.errors import MinidsError
from minids.files import brief, load_json
from minids.model.transformer import Transformer
from minids.rl.rollout import Rollouts
from minids.text.tokenizer import Tokenizer
from minids.train import checkpoint, metrics
from minids.train.optim import Optimizers
from minids.train.parallel import Comm

AGAIN = "Restore it, or run the recipe again in a new folder."
FORMAT = 1
FOLDER, ABOUT, ROLLOUTS = "replay", "run.json", "rollouts.jsonl"


def codes(rollouts: Rollouts, numbers: Sequence[int], group: int) -> dict[str, tuple[str, int]]:
    """{number of a question: "crc32 of its first answer's ids, of its second, …"} and the CRC-32 of each group's
    log-probabilities, of this process's questions."""
    out = {}
    for i, number in enumerate(numbers):
        rows = range(i * group, (i + 1) * group)
        ids = "".join(f"{zlib.crc32(np.asarray(rollouts.ids[r], dtype='<i4').tobytes()):08x}" for r in rows)
        logps = zlib.crc32(b"".join(rollouts.logps[r].numpy().astype("<f4").tobytes() for r in rows))
        out[str(number)] = (ids, logps)
    return out


def joined(parts: Iterable[dict[str, tuple[str, int]]]) -> dict:
    """The codes of all processes as a line of rollouts.jsonl holds them."""
    groups = {number: code for part in parts for number, code in part.items()}
    order = sorted(groups, key=int)
    logps = zlib.crc32(b"".join(groups[n][1].to_bytes(4, "little") for n in order))
    return {"answers": {n: groups[n][0] for n in order}, "logps": f"{logps:08x}"}


class Record:
    """Written by `train_rl` as it goes; every process has one, and only the first writes."""

    def __init__(self, out_dir: str | Path, stage: str, comm: Comm):
        self.folder, self.stage, self.comm = Path(out_dir) / FOLDER, stage, comm
        self.lines = metrics.MetricsLog(self.folder / ROLLOUTS)

    def begin(
        self,
        model: Transformer,
        start: dict,
        tokenizer: Tokenizer,
        families: Sequence[str],
        config: dict,
        step: int,
        hooks: dict | None = None,
    ) -> None:
        """Called once a run of the program: makes the folder, or cuts it back to the `step` that a resumed run goes
        on from. `start` is the state dict that RL began with; `config` the settings as JSON holds them; `hooks` what
        `hooks.Hooks.about` says. Raises MinidsError where the folder cannot be written."""
        if self.comm.rank != 0:
            return
        try:
            if step == 0:
                shutil.rmtree(self.folder, ignore_errors=True)
            if not (self.folder / ABOUT).exists():
                self.folder.mkdir(parents=True, exist_ok=True)
                tokenizer.save_pretrained(self.folder)
                checkpoint.save(self.folder, 0, {"model": start}, keep_last=2**31)
                about = {
                    "format": FORMAT,
                    "stage": self.stage,
                    "config": config,
                    "families": list(families),
                    "processes": self.comm.world,
                    "threads": torch.get_num_threads(),
                    "device": next(model.parameters()).device.type,
                    "model": model.config.to_dict(),
                    "versions": {"minids": minids.__version__, "torch": torch.__version__},
                }
                about |= {"hooks": hooks} if hooks else {}
                files.write(self.folder / ABOUT, json.dumps(about, indent=1) + "\n")
            for found, path in snapshots(self.folder):
                if found > step:
                    shutil.rmtree(path, ignore_errors=True)
        except OSError as error:
            raise MinidsError(
                f"{self.folder} cannot be written ({error.strerror or error}). Free some space, choose another folder "
                "with out_dir=…, or do without replay (replay=False); then go on with resume=True."
            ) from None
        self.lines.rewind(self.stage, step)

    def note(self, step: int, line: dict) -> None:
        """The codes of an iteration, of all processes."""
        if self.comm.rank == 0:
            self.lines.write(stage=self.stage, step=step, **line)

    def keep(self, step: int, model: Transformer, optimizer: Optimizers) -> None:
        """A snapshot that a replay of the iterations after `step` can start from."""
        if self.comm.rank == 0:
            self.lines.sync()
            state = {"model": model.state_dict(), "optimizer": optimizer.state_dict()}
            checkpoint.save(self.folder, step, state, keep_last=2**31)


def snapshots(folder: str | Path) -> list[tuple[int, Path]]:
    """[(step, path), …], oldest first; of a step that was saved twice the later one comes later."""
    return [(int(checkpoint.NAME.fullmatch(p.name)[1]), p) for p in checkpoint.available(folder)]


def read(folder: str | Path) -> dict:
    """run.json of a stage's replay folder; raises MinidsError that says what to do."""
    path = Path(folder) / ABOUT
    about = load_json(path, AGAIN)
    try:
        if about["format"] != FORMAT:
            raise ValueError(f"format {about['format']}, this minids reads {FORMAT}")
        for key in ("stage", "config", "families", "processes", "threads", "device", "model", "versions"):
            about[key]
        if not isinstance(about["families"], list) or not all(isinstance(f, str) for f in about["families"]):
            raise ValueError("families is no list of names")
        for key in ("processes", "threads"):
            if type(about[key]) is not int or not 1 <= about[key] <= 64:
                raise ValueError(f"{key} is no number from 1 to 64")
        if about["device"] not in ("cpu", "cuda", "mps"):
            raise ValueError("device is none of cpu, cuda, mps")
        if not isinstance(about["config"], dict) or not isinstance(about["model"], dict):
            raise ValueError("config or model is no object")
        for kind, hook in about.setdefault("hooks", {}).items():
            if kind not in ("reward", "advantages") or not all(isinstance(hook[k], str) for k in ("name", "source")):
                raise ValueError("hooks is not what a run writes")
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise MinidsError(f"{path}: damaged ({brief(error, 200)}). {AGAIN}") from None
    return about


def recorded(folder: str | Path) -> dict[int, dict]:
    """{step: the iteration's line} of rollouts.jsonl; empty where there is none."""
    return {line["step"]: line for line in metrics.read(Path(folder) / ROLLOUTS)}
