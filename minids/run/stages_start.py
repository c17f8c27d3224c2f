"""A run that starts from a model that is there (`minids run tiny --from runs/tiny/base`), in the place of tokenizer and
pretraining.

The stage `start` copies the model, as float32, and its tokenizer into the run's folder, where the stages after it find
what pretraining would have left; from then on the origin is not needed. Where it came from is in the recipe (`origin`)
and, with the CRC-32 of its weights, in results.json. Sizes are those of the model: [model], [tokenizer] and [pretrain]
of the recipe are not read. Stages and controls that pretrain a model themselves have no corpus, and are refused.
"""

import zlib
from pathlib import Path

import torch

from minids.errors import MinidsError
from minids.eval import model_folder
from minids.files import load_json
from minids.model import hf
from minids.model.config import ModelConfig
from minids.model.transformer import Transformer
from minids.run.job import Job
from minids.run.stage import AnyRecipe, Stage
from minids.tasks import registry
from minids.text import chat
from minids.text.tokenizer import Tokenizer

UNREAD = ("model", "tokenizer", "pretrain")  # sections that such a run does not read


def start(job: Job) -> dict:
    """The stage `start`, as the module says; returns its record."""
    folder = model_folder.find_model(job.recipe.origin)
    style = model_folder.about_model(folder)["style"]
    if job.rank == 0:
        tokenizer = Tokenizer.from_pretrained(folder)
        job.sums.forget(lambda file, _: file.startswith("tokenizer/"))
        tokenizer.save_pretrained(job.out / "tokenizer")
        job.sums.note(job.out / "tokenizer", job.stage.name)
    job.comm.barrier()
    model = Transformer.from_pretrained(folder, dtype=torch.float32).to(job.device)
    hf.check_tokenizer(model.config, job.tokenizer)
    job.describe_model(model)
    job.save_model(model, style)
    job.evaluate(model, style=style)
    return {"origin": str(job.recipe.origin), "weights": weights_crc(folder), "style": style}


def weights_crc(folder: Path) -> str:
    """The CRC-32 of a model's weights, file by file, in hexadecimal."""
    crc = 0
    for path in sorted(folder.glob("*.safetensors")):
        crc = zlib.crc32(path.read_bytes(), crc)
    return f"{crc:08x}"


def check(recipe: AnyRecipe, stages: list[Stage]) -> None:
    """Refuses, before anything is made, an origin that is no model which these stages can go on with."""
    for stage in stages:
        if "pretrain" in (stage.section, stage.below):
            raise MinidsError(
                f"--from {recipe.origin}: the stage {stage.name!r} trains a model of its own on the pretraining "
                "corpus, which such a run does not have. Leave it out, or run the recipe without --from."
            )
    config, tokenizer = opened(recipe.origin)
    room = config.max_position_embeddings
    for stage in stages:
        longest = recipe.checked(stage.name).get("max_new_tokens", 0) if not stage.control else 0
        if longest >= room:
            raise MinidsError(
                f"--from {recipe.origin}: {stage.name}.max_new_tokens {longest} leaves no room for a prompt in the "
                f"{room} positions of the model."
            )
    try:
        hf.check_tokenizer(config, tokenizer)
        chat.document_ids(tokenizer, "1+1", "1+1", "2")
    except MinidsError as error:
        raise MinidsError(f"--from {recipe.origin}: the tokenizer does not do for the chat template: {error}") from None


def opened(origin: str) -> tuple[ModelConfig, Tokenizer]:
    """(config, tokenizer) of the model that is meant. Raises MinidsError, with --from, where there is none."""
    try:
        folder = model_folder.find_model(origin)
        config = ModelConfig.from_dict(load_json(folder / "config.json", "Restore it."), where=str(folder))
        return config, Tokenizer.from_pretrained(folder)
    except MinidsError as error:
        raise MinidsError(f"--from {origin}: {error}") from None


def check_problems(recipe: AnyRecipe) -> None:
    """Refuses, before anything is trained, an evaluation on more problems than a family has to be tested on: it looks
    at what the family counts, and draws all that will be asked."""
    evaluation = recipe.evaluation
    asked = {name: getattr(evaluation, name) for name in ("problems", "sampled_problems")}
    for family in recipe.families:
        there = registry.get(family).count("test")
        short = [f"eval.{name}={there}" for name, many in asked.items() if there is not None and many > there]
        if short and evaluation.after_stages:
            raise MinidsError(
                f"family {family!r} has {there} problems in the split 'test' (a tenth of all), and the evaluation asks "
                f"for {max(asked.values())}. Give more, or --set {' '.join(short)}, or evaluate nothing (--no-eval)."
            )
        if evaluation.after_stages:
            registry.problem_set([family], "test", evaluation.problems, evaluation.seed)
        if evaluation.after_stages and evaluation.ood_problems:
            for size in registry.get(family).beyond:
                registry.problem_set([family], "test", evaluation.ood_problems, evaluation.seed, size)


STAGES = [
    Stage(
        "start",
        start,
        title="start",
        colour="base",
        label="at the start",
        about="the model that the run started from, as it was",
        reads=("origin",),
        model="base",
    )
]
