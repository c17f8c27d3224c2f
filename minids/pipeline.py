"""The main job, on one page: tokenizer -> pretraining -> cold-start SFT -> GRPO -> evaluation -> report.

    problems -> text -> token ids -> hidden states -> logits -> samples -> rewards -> gradients -> checkpoint -> report

Everything a run does depends on (recipe, seed, number of processes) alone. Each stage ends by writing its model and its
record into the run's folder; `--resume` skips finished stages and goes on inside the one that was cut off.

    <run>/recipe.json        what was asked for             metrics.jsonl    a line every few steps, all stages
    <run>/tokenizer/         tokenizer.json                 results.json     stages, evaluations, hardware, seconds
    <run>/base|sft|model/    the model after each stage (`model` is the last; Hugging Face layout, tokenizer beside it)
    <run>/checkpoints/       what --resume needs             report.html     drawn from metrics.jsonl and results.json
"""

import json
import os
import platform
import resource
import sys
import time
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

import minids
from minids import recipes
from minids.errors import MinidsError
from minids.model.config import ModelConfig
from minids.model.transformer import Transformer
from minids.progress import Progress
from minids.reason import documents, evaluate, rl
from minids.ship import folders, hub
from minids.text.tokenizer import Tokenizer
from minids.train import loop, parallel
from minids.train.metrics import MetricsLog


def run(
    recipe, out, *, seed=0, resume=False, controls=False, device="auto", workers=None, quiet=False, prepare=None
):  # fmt: skip
    """Runs a Recipe into the folder `out` and returns what results.json holds.
    Raises MinidsError for what a user can mend.

    prepare     called first in every process; it may put other functions into the library (`--mine`), and what it
                returns is kept in results.json as `mine`
    """
    device = pick_device(device)
    workers = workers or parallel.choose_workers(device)
    if workers > 1 and device != "cpu":
        raise MinidsError(f"--workers {workers}: several processes are for the CPU; use 1 with --device {device}.")
    out = Path(out)
    asked = {"recipe": recipe.to_dict(), "seed": seed, "workers": workers, "device": device, "mine": bool(prepare)}
    _claim(out, asked, resume)
    return parallel.run(_run, workers, recipe, str(out), seed, controls, device, quiet, prepare)


def _run(rank, world, recipe, out, seed, controls, device, quiet, prepare):
    mine = prepare() if prepare else None
    job = Job(rank, world, recipe, out, seed, device, quiet)
    if mine:
        job.results["mine"] = mine
    job.stage("tokenizer", make_tokenizer)
    job.stage("pretrain", pretrain)
    if recipe.start == "sft":
        job.stage("sft", sft)
    job.stage("grpo", grpo)
    if controls:
        job.stage("direct", direct, control=True)
        job.stage("random_reward", random_reward, control=True)
    return job.finish()


# -- the stages --------------------------------------------------------------------------------------------------------


def make_tokenizer(job):
    """Problems become text; the text becomes merges; merges turn it into ids."""
    r, folder = job.recipe, job.out / "tokenizer"
    if job.rank == 0:
        p = r.pretrain
        parts = list(
            documents.pretraining_parts(
                r.families, p["documents"], mix=p["styles"], fact_share=p.get("fact_share", 0.0), seed=job.seed
            )
        )
        texts = documents.pretraining_texts(parts[: r.tokenizer["documents"]])
        tokenizer = Tokenizer.train(texts, r.tokenizer["vocab_size"], digits=r.tokenizer.get("digits", "triples"))
        tokenizer.save_pretrained(folder)
        docs = documents.pretraining_documents(tokenizer, parts, quiet=job.quiet)
        try:
            save_file(docs.tensors(), job.out / "corpus.safetensors")
        except (OSError, SafetensorError) as error:
            raise MinidsError(
                f"{job.out}: corpus.safetensors could not be written ({error}). "
                "Free some space, then go on with --resume."
            ) from None
    job.comm.barrier()
    docs = job.corpus()
    return {"vocab_size": len(job.tokenizer), "documents": len(docs), "tokens": len(docs.ids)}


def pretrain(job):
    """The base model: plain worked solutions in every style, and lines of single-digit facts."""
    model = job.new_model()
    p = job.recipe.pretrain
    source = documents.Source(
        job.corpus(), p["tokens_per_batch"], seed=job.seed, prompt_weight=p.get("prompt_weight", 1.0), **job.share
    )
    record = job.train(model, source, "pretrain", p)
    job.keep(model, "base", "plain")
    job.evaluate(model, "base", style="plain")
    return record


def sft(job):
    """The cold start: the chat template, few long thoughts among many hasty ones."""
    model = job.load("base")
    p = job.recipe.sft
    docs = documents.chat_documents(job.tokenizer, job.recipe.families, p["documents"], mix=p["styles"], seed=job.seed)
    source = documents.Source(
        docs, p["tokens_per_batch"], seed=job.seed + 1, prompt_weight=p.get("prompt_weight", 0.0), **job.share
    )
    record = job.train(model, source, "sft", p)
    job.keep(model, "sft")
    job.evaluate(model, "sft")
    return record


def grpo(job):
    """Reinforcement learning from checked answers."""
    model, style = job.load("sft" if job.recipe.start == "sft" else "base"), job.recipe.grpo.get("style", "tags")
    record = job.reinforce(model, "grpo")
    job.keep(model, "model", style)
    job.evaluate(model, "grpo", style=style, beyond=True)
    return record


def direct(job):
    """Control: the same architecture and as many training tokens, but it answers without a thought."""
    r, p = job.recipe, job.recipe.pretrain
    model = job.new_model()
    count = r.direct.get("documents", 2 * p["documents"])
    docs = documents.chat_documents(job.tokenizer, r.families, count, mix={"none": 1.0}, seed=job.seed)
    source = documents.Source(
        docs, r.direct["tokens_per_batch"], seed=job.seed, prompt_weight=p.get("prompt_weight", 1.0), **job.share
    )
    record = job.train(
        model, source, "direct", {**p, "steps": p["steps"] + (r.sft["steps"] if r.start == "sft" else 0)}
    )
    job.keep(model, "direct", "direct")
    job.evaluate(model, "direct", style="direct", full=False)
    return record


def random_reward(job):
    """Control: the same GRPO, but rewards are coin flips; whatever it gains was not learned from the answers."""
    model, style = job.load("sft" if job.recipe.start == "sft" else "base"), job.recipe.grpo.get("style", "tags")
    record = job.reinforce(model, "random_reward", random_reward=True)
    job.keep(model, "random_reward", style)
    job.evaluate(model, "random_reward", style=style, full=False)
    return record


# -- what the stages stand on ------------------------------------------------------------------------------------------


class Job:
    """A run's folder, its processes and its results; every stage is a function of one."""

    def __init__(self, rank, world, recipe, out, seed, device, quiet):
        self.rank, self.recipe, self.out, self.seed, self.device = rank, recipe, Path(out), seed, device
        self.comm = parallel.Comm(rank, world)
        self.quiet = quiet or rank != 0
        self.share = {"rank": rank, "world": world}
        self.metrics = MetricsLog(self.out / "metrics.jsonl")
        self._tokenizer = self._corpus = None
        path = self.out / "results.json"
        self.results = _read_json(path) if path.exists() else {
            "recipe": recipe.name, "seed": seed, "versions": versions(), "hardware": hardware(device, world),
            "seconds": 0.0, "peak_bytes": 0, "stages": [], "evals": [], "beyond": [], "examples": {},
        }  # fmt: skip
        self.comm.barrier()  # nobody writes before all have read

    def stage(self, name, function, control=False):
        """Runs a stage unless its record is there, and writes its record."""
        if any(s["name"] == name for s in self.results["stages"]):
            return
        began, self._evaluation = time.monotonic(), 0.0
        for key in ("evals", "beyond"):  # of a stage that was cut off while it was evaluated
            self.results[key] = [
                row for row in self.results[key] if row["stage"] != ("base" if name == "pretrain" else name)
            ]
        record = {"name": name, **function(self), "evaluation_seconds": round(self._evaluation, 2), "control": control}
        record["seconds"] = round(record.get("seconds", time.monotonic() - began - self._evaluation), 2)
        self.results["stages"].append(record)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
        self.results["peak_bytes"] = max(self.results["peak_bytes"], sum(self.comm.gather(peak)))
        self.results["seconds"] = round(
            sum(s["seconds"] + s["evaluation_seconds"] for s in self.results["stages"] if not s["control"]), 2
        )
        self.write()

    def write(self):
        if self.rank == 0:
            temporary = self.out / "results.json.tmp"
            try:
                temporary.write_text(json.dumps(self.results, indent=1) + "\n")
                os.replace(temporary, self.out / "results.json")
            except OSError as error:
                raise MinidsError(
                    f"{self.out}: results.json could not be written ({error}). "
                    "Free some space, then go on with --resume."
                ) from None
        self.comm.barrier()

    def finish(self):
        if self.rank == 0:
            from minids.ship import report

            report.write(self.out)
        return self.results

    # -- pieces

    @property
    def tokenizer(self):
        if self._tokenizer is None:
            self._tokenizer = Tokenizer.from_pretrained(self.out / "tokenizer")
        return self._tokenizer

    def corpus(self):
        if self._corpus is None:
            path = self.out / "corpus.safetensors"
            try:
                self._corpus = documents.Documents.from_tensors(load_file(path))
            except (OSError, SafetensorError, KeyError) as error:
                raise MinidsError(f"{path}: damaged or missing ({error}). Start in a new folder with --out.") from None
        return self._corpus

    def new_model(self):
        torch.manual_seed(self.seed)
        values = recipes.model_values(self.recipe, len(self.tokenizer), self.tokenizer.eos_id)
        values["tokenizer_fingerprint"] = self.tokenizer.fingerprint  # so that another tokenizer is noticed
        config = ModelConfig.from_dict(values, where=f"recipe {self.recipe.name}")
        self.results.setdefault("model", {})
        model = Transformer(config).to(self.device)
        self.results["model"] = {
            "config": config.to_dict(),
            "parameters": model.parameter_count(),
            "active": model.parameter_count(active=True),
        }
        return model

    def load(self, name):
        model = Transformer.from_pretrained(self.out / name).to(self.device)
        hub.check_tokenizer(model.config, self.tokenizer)
        return model

    def keep(self, model, name, style="tags"):
        if self.rank == 0:
            model.save_pretrained(self.out / name)
            self.tokenizer.save_pretrained(self.out / name)
            folders.describe(self.out / name, style=style, families=self.recipe.families)
        self.comm.barrier()

    def train(self, model, source, stage, section):
        precision = {"precision": "bf16"} if self.device == "cuda" else {}
        known = {"documents", "styles", "fact_share", "tokens_per_batch", "prompt_weight"}
        config = recipes.build(
            loop.TrainConfig,
            {**precision, **{k: v for k, v in section.items() if k not in known}},
            f"recipe, [{stage}]",
            seed=self.seed,
        )
        done = loop.train(
            model,
            source,
            config,
            stage=stage,
            comm=self.comm,
            out_dir=self.out / "checkpoints" / stage,
            resume=True,
            metrics=self.metrics,
            quiet=self.quiet,
        )
        return {"seconds": done.seconds, "tokens": done.tokens, "steps": done.step, "loss": done.loss}

    def reinforce(self, model, stage, **more):
        config = recipes.build(rl.RLConfig, self.recipe.grpo, "recipe, [grpo]", seed=self.seed, **more)
        done = rl.train_rl(
            model, self.tokenizer, self.recipe.families, config, comm=self.comm,
            out_dir=self.out / "checkpoints" / stage, resume=True, metrics=self.metrics, stage=stage, quiet=self.quiet,
        )  # fmt: skip
        return {k: done[k] for k in ("seconds", "tokens", "steps", "sampling", "update")}

    def evaluate(self, model, stage, *, style="tags", full=True, beyond=False):
        began, config = time.monotonic(), evaluate.EvalConfig(**self.recipe.eval)
        families = self.recipe.families
        total = len(families) * (2 * config.problems + full * config.sampled_problems)
        with Progress(f"evaluate {stage}", total, "problem", quiet=self.quiet) as bar:
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
        if beyond:
            with Progress("longer problems", 2 * len(families) * config.beyond, "problem", quiet=self.quiet) as bar:
                self.results["beyond"] += evaluate.evaluate_beyond(
                    model, self.tokenizer, families, config, stage=stage, style=style, comm=self.comm, progress=bar
                )
        self._evaluation = time.monotonic() - began


def pick_device(name):
    """ "auto" -> "cuda", "mps" or "cpu", whichever is there in this order; others are checked."""
    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if name == "auto":
        return "cuda" if there["cuda"] else "cpu"  # a model this small runs faster on two CPU cores than on mps
    if name not in there:
        raise MinidsError(f"--device {name}: use auto, {', '.join(there)}.")
    if not there[name]:
        raise MinidsError(f"--device {name}: torch finds no such device here. Use --device cpu, or auto.")
    return name


def _claim(out, asked, resume):
    """Makes the folder and remembers what was asked for, or checks that a resumed run asks for the same."""
    path = out / "recipe.json"
    if path.exists():
        if not resume:
            raise MinidsError(
                f"{out} already holds a run. Go on with it by --resume, or choose another folder with --out."
            )
        before = {"mine": False, **_read_json(path)}
        changed = [k for k in asked if before.get(k) != asked[k]]
        if changed:
            shown = (
                "; ".join(f"{k} was {before.get(k)!r}, is {asked[k]!r}" for k in changed if k != "recipe")
                or "the recipe is another"
            )
            raise MinidsError(
                f"{out} can not be resumed with other settings: {shown}. "
                "Set them back, or choose another folder with --out."
            )
        return
    try:
        out.mkdir(parents=True, exist_ok=True)
        aside = path.with_suffix(".tmp")  # renamed when complete: a kill here must not leave half a file
        aside.write_text(json.dumps(asked, indent=1) + "\n")
        os.replace(aside, path)
    except OSError as error:
        raise MinidsError(
            f"{out}: can not be written ({error.strerror or error}). Choose another folder with --out."
        ) from None


def _read_json(path):
    try:
        values = json.loads(path.read_text())
        if not isinstance(values, dict):
            raise ValueError("no JSON object")
        return values
    except (OSError, ValueError) as error:
        raise MinidsError(f"{path}: damaged ({error}). Restore it, or start in a new folder with --out.") from None


def versions():
    return {"minids": minids.__version__, "python": platform.python_version(), "torch": torch.__version__}


def hardware(device, world):
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
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
