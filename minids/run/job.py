"""What the stages of a run stand on: its folder, its processes, its results, and the pieces that they share.

    job.run(stage)                     runs a stage unless its record is there, and writes its record
    job.stage, job.section()           the row of the stage that runs now, and its settings
    job.load(name), job.save_model()   the model after a stage, in Hugging Face's layout, tokenizer beside it
    job.train / train_rl / evaluate    the three things that stages do

Where a stage leaves its model, its checkpoints, its rows and its lines is in its row. The stages themselves are in
stages_main.py, stages_r1.py, stages_edge.py and controls.py; stages.py is the table of their rows.
"""

import json
import platform
import time
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

import minids
from minids.errors import MinidsError
from minids.eval import evaluate, model_folder
from minids.model import hf
from minids.model.config import ModelConfig
from minids.model.transformer import Transformer
from minids.progress import Progress
from minids.rl import config as rl_config
from minids.rl import trainer
from minids.run.results import read_json, whole
from minids.run.sections import model_values
from minids.run.stage import AnyRecipe, Stage
from minids.run.sums import Sums
from minids.settings import Settings, read
from minids.tasks import documents, registry
from minids.text.tokenizer import Tokenizer
from minids.train import loop, memory, parallel
from minids.train.metrics import MetricsLog


class Job:
    """A run's folder, its processes and its results; every stage is a function of one."""

    def __init__(self, rank: int, world: int, recipe: AnyRecipe, out: str | Path, seed: int, device: str, quiet: bool):
        self.rank, self.recipe, self.out, self.seed, self.device = rank, recipe, Path(out), seed, device
        self.comm = parallel.Comm(rank, world)
        self.quiet = quiet or rank != 0
        self.share = {"rank": rank, "world": world}
        self.metrics = MetricsLog(self.out / "metrics.jsonl")
        self.sums = Sums(self.out) if rank == 0 else None
        self._tokenizer, self._corpora, self.stage = None, {}, None
        path = self.out / "results.json"
        self.results = (
            whole(read_json(path), path)
            if path.exists()
            else {
                "recipe": recipe.name,
                "seed": seed,
                "versions": versions(),
                "hardware": hardware(device, world),
                "seconds": 0.0,
                "peak_bytes": 0,
                "stages": [],
                "evals": [],
                "beyond": [],
                "examples": {},
            }
        )
        self.comm.barrier()  # nobody writes before all have read

    def run(self, stage: Stage) -> None:
        """Runs a stage unless its record is there, and writes its record."""
        if any(s["name"] == stage.name for s in self.results["stages"]):
            return
        began, self._evaluation, self.stage = time.monotonic(), 0.0, stage
        for key in ("evals", "beyond"):  # of a stage that was cut off while it was evaluated
            self.results[key] = [row for row in self.results[key] if row["stage"] != stage.rows]
        record = {"name": stage.name, **stage.function(self)}
        record |= {"evaluation_seconds": round(self._evaluation, 2), "control": stage.control}
        record["seconds"] = round(record.get("seconds", time.monotonic() - began - self._evaluation), 2)
        self.results["stages"].append(record)
        peak = sum(self.comm.gather(memory.peak()))  # 0 where the system does not say
        self.results["peak_bytes"] = max(self.results["peak_bytes"], peak)
        self.results["seconds"] = round(
            sum(s["seconds"] + s["evaluation_seconds"] for s in self.results["stages"] if not s["control"]), 2
        )
        self.write()

    def write(self) -> None:
        """Writes results.json, by rank 0; every process waits for it. Raises MinidsError where the disk is full."""
        if self.rank == 0:
            try:
                self.sums.write("results.json", json.dumps(self.results, indent=1) + "\n")
            except OSError as error:
                raise MinidsError(
                    f"{self.out}: results.json could not be written ({error}). "
                    "Free some space, then go on with --resume."
                ) from None
        self.comm.barrier()

    # -- pieces

    def section(self) -> dict:
        """The settings of the stage that runs now."""
        return self.recipe.section(self.stage.name)

    def settings(self, section: dict, cls: type[Settings], **more: object) -> Settings:
        """A section as the dataclass that checks it, without the keys that are the stage's own."""
        also = {f.name for further in self.recipe.further(self.stage.name) for f in fields(further)}
        kept = {key: value for key, value in section.items() if key not in also}
        return read(cls, kept, f"recipe, [{self.stage.name}]", **more)

    @property
    def tokenizer(self) -> Tokenizer:
        """The run's tokenizer, read once."""
        if self._tokenizer is None:
            self._tokenizer = Tokenizer.from_pretrained(self.out / "tokenizer")
        return self._tokenizer

    def corpus(self, name: str = "corpus") -> documents.Documents:
        """Documents that an earlier stage wrote with `keep_corpus`. Raises MinidsError where the file is damaged or
        missing."""
        if name not in self._corpora:
            path = self.out / f"{name}.safetensors"
            try:
                self._corpora[name] = documents.Documents.from_tensors(load_file(path))
            except (OSError, SafetensorError, KeyError) as error:
                raise MinidsError(f"{path}: damaged or missing ({error}). Start in a new folder with --out.") from None
        return self._corpora[name]

    def keep_corpus(self, docs: documents.Documents, name: str = "corpus") -> None:
        """Called by one process; the others wait for it. Raises MinidsError where the disk is full."""
        path = self.out / f"{name}.safetensors"
        self._corpora.pop(name, None)
        try:
            self.sums.forget(lambda file, _: file == path.name)
            save_file(docs.tensors(), path)
            self.sums.note(path, self.stage.name)
        except (OSError, SafetensorError) as error:
            raise MinidsError(
                f"{self.out}: {path.name} could not be written ({error}). Free some space, then go on with --resume."
            ) from None

    def new_model(self, small: bool = False) -> Transformer:
        """The recipe's model with fresh weights, the same for the same seed; `small`: the one that is distilled
        into."""
        torch.manual_seed(self.seed)
        change = self.recipe.small if small else {}
        values = model_values(self.recipe, len(self.tokenizer), self.tokenizer.eos_id, **change)
        values["tokenizer_fingerprint"] = self.tokenizer.fingerprint  # so that another tokenizer is noticed
        config = ModelConfig.from_dict(values, where=f"recipe {self.recipe.name}")
        model = Transformer(config).to(self.device)
        self.describe_model(model, "small" if small else "model")
        return model

    def describe_model(self, model: Transformer, key: str = "model") -> None:
        """Writes into the results what the model is."""
        self.results[key] = {
            "config": model.config.to_dict(),
            "parameters": model.parameter_count(),
            "active": model.parameter_count(active=True),
        }

    def load(self, name: str) -> Transformer:
        """The model in one of the run's folders."""
        model = Transformer.from_pretrained(self.out / name).to(self.device)
        hf.check_tokenizer(model.config, self.tokenizer)
        return model

    def start_of_rl(self) -> tuple[Transformer, str]:
        """The model that the first RL stage starts from, and the style in which it answers."""
        style = self.recipe.checked(self.recipe.first_rl)["template"]
        return self.load("sft" if "sft" in self.recipe.plan else "base"), style

    def save_model(self, model: Transformer, style: str = "tags") -> None:
        """Writes the model into the stage's folder; `style` is how it answers."""
        name = self.stage.model
        if self.rank == 0:
            self.sums.forget(lambda file, _: file.startswith(f"{name}/"))
            model.save_pretrained(self.out / name)
            self.tokenizer.save_pretrained(self.out / name)
            model_folder.describe(self.out / name, style=style, families=self.recipe.families)
            self.sums.note(self.out / name, self.stage.name)
        self.comm.barrier()

    def chat_documents(self, section: dict, seed: int) -> documents.Documents:
        """Documents in the chat template as a section of SFT asks for them."""
        return documents.chat_documents(
            self.tokenizer,
            section["families"] or self.recipe.families,
            section["documents"],
            mix=section["styles"],
            seed=seed,
            mixed=section["language_mix"],
        )

    def source(self, docs: documents.Documents, section: dict, seed: int) -> documents.Source:
        """Batches of documents, this process's share."""
        return documents.Source(
            docs, section["tokens_per_batch"], seed=seed, prompt_weight=section["prompt_weight"], **self.share
        )

    def train(
        self, model: Transformer, source: documents.Source, section: dict, objective: Callable | None = None
    ) -> dict:
        """Supervised training with a section of the recipe."""
        precision = {"precision": "bf16"} if self.device == "cuda" else {}
        config = self.settings({**precision, **section}, loop.TrainConfig, seed=self.seed)
        done = loop.train(
            model,
            source,
            config,
            stage=self.stage.name,
            comm=self.comm,
            out_dir=self.out / "checkpoints" / self.stage.name,
            resume=True,
            metrics=self.metrics,
            quiet=self.quiet,
            objective=objective,
        )
        return {"seconds": done.seconds, "tokens": done.tokens, "steps": done.step, "loss": done.loss}

    def train_rl(self, model: Transformer, section: dict | None = None, **change: object) -> dict:
        """RL with the stage's section of the recipe (or `section`), changed by `change`."""
        section = {**(self.section() if section is None else section), **change}
        done = trainer.train_rl(
            model,
            self.tokenizer,
            section["families"] or self.recipe.families,
            self.settings(section, rl_config.RLConfig, seed=self.seed),
            comm=self.comm,
            out_dir=self.out / "checkpoints" / self.stage.name,
            resume=True,
            metrics=self.metrics,
            stage=self.stage.name,
            quiet=self.quiet,
        )
        return {k: done[k] for k in ("seconds", "tokens", "steps", "sampling", "scoring", "update")}

    def evaluate(self, model: Transformer, *, style: str = "tags", full: bool = True, beyond: bool = False) -> None:
        """Adds the stage's rows to the results: all curves if `full`, and sizes that nobody trained on if `beyond`;
        nothing where the recipe says that a run does not evaluate."""
        began, config = time.monotonic(), self.recipe.evaluation
        if not config.after_stages:
            return
        families, stage = self.recipe.families, self.stage.rows
        total = evaluate.answers_of(config, len(families), full)
        with Progress(f"evaluate {stage}", total, "answer", quiet=self.quiet) as bar:
            rows, examples = evaluate.evaluate(
                model,
                self.tokenizer,
                families,
                config,
                stage=stage,
                style=style,
                comm=self.comm,
                progress=bar,
                full=full,
            )
        self.results["evals"] += rows
        self.results["examples"][stage] = examples
        sizes = sum(len(registry.get(f).beyond) for f in families)
        if beyond and sizes and config.ood_problems:
            with Progress("longer problems", sizes * config.ood_problems, "answer", quiet=self.quiet) as bar:
                self.results["beyond"] += evaluate.evaluate_beyond(
                    model, self.tokenizer, families, config, stage=stage, style=style, comm=self.comm, progress=bar
                )
        self._evaluation = time.monotonic() - began


def pick_device(name: str) -> str:
    """ "auto" -> "cuda", "mps" or "cpu", whichever is there in this order; others are checked. Raises MinidsError for
    a device that torch does not find here."""
    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if name == "auto":
        return "cuda" if there["cuda"] else "cpu"  # a model this small runs faster on two CPU cores than on mps
    if name not in there:
        raise MinidsError(f"--device {name}: use auto, {', '.join(there)}.")
    if not there[name]:
        raise MinidsError(f"--device {name}: torch finds no such device here. Use --device cpu, or auto.")
    return name


def versions() -> dict:
    """Versions of what a run's numbers may depend on."""
    return {"minids": minids.__version__, "python": platform.python_version(), "torch": torch.__version__}


def hardware(device: str, world: int) -> dict:
    """The machine that a run is on, for results.json."""
    out = {
        "device": device,
        "processes": world,
        "cpu": _cpu_name(),
        "cores": parallel.available_cpus(),
        "system": platform.system(),
    }
    if device == "cuda":
        out["gpu"] = torch.cuda.get_device_name()
    return out


def _cpu_name():
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
