"""Supervised fine-tuning on problems of yours: a file of questions, thoughts and answers, and a model that is there.

    model, tokenizer = minids.load("runs/tiny/base")
    minids.sft(model, tokenizer, "cmp.jsonl", minids.SFTConfig(steps=130))

It is the recipe's SFT stage for a file: the chat template (`text.chat.document_ids`), the loss on the reply and its
stop token and `prompt_weight` on the question, batches of whole documents of similar length
(`tasks.documents.Source`), the schedule and the optimizer of `train.loop`. What is learned from is the file's split
"train", so that RL and evaluation on `user:cmp.jsonl` have problems that the model has not seen.

Left out: several files, conversations of several turns.
"""

from dataclasses import dataclass
from pathlib import Path

from minids.errors import MinidsError, need
from minids.model import hf
from minids.model.transformer import Transformer
from minids.settings import setting
from minids.tasks import documents, user_file
from minids.text import chat
from minids.text.tokenizer import Tokenizer
from minids.train import loop
from minids.train.metrics import MetricsLog
from minids.train.parallel import Comm


@dataclass
class SFTConfig(loop.TrainConfig):
    """The settings of `sft`: those of TrainConfig, with the values of the recipe `tiny` where it has others."""

    SHOWN = "sft setting {name} = {value}"

    lr: float = setting(1e-3, like=loop.TrainConfig.__dataclass_fields__["lr"])
    warmup: int = setting(10, like=loop.TrainConfig.__dataclass_fields__["warmup"])
    weight_decay: float = setting(0.05, like=loop.TrainConfig.__dataclass_fields__["weight_decay"])
    tokens_per_batch: int = setting(1100, "tokens of a batch of each process, padding included", least=1)
    prompt_weight: float = setting(0.1, "weight of a question's tokens in the loss", least=0, most=100)


def sft(
    model: Transformer,
    tokenizer: Tokenizer,
    source: str | Path | documents.Documents,
    config: SFTConfig,
    *,
    comm: Comm | None = None,
    out_dir: str | Path | None = None,
    resume: bool = False,
    metrics: MetricsLog | None = None,
    stage: str = "sft",
    quiet: bool = False,
    stop: object | None = None,
) -> loop.TrainResult:
    """Trains `model` in place on worked problems in the chat template, and returns a TrainResult: step, loss (mean
    over the last logged steps, in nats per token), tokens, seconds.

    source    a file with lines {"question": …, "thought": …, "answer": …}, the thought optional, as `user:FILE`
              families have them; such a family's name ("user:cmp.jsonl@check.py:verify") means its file. Only the
              problems of the split "train" are learned from, six tenths, by a hash of the question; `train_rl` draws
              from "rl" (three tenths), evaluation from "test". Or `documents.Documents`, all of which are learned from
    config    SFTConfig(steps=…); a step has `tokens_per_batch` tokens on each process
    comm, out_dir, resume, metrics, quiet, stop
              as in `train.loop.train`: checkpoints and metrics.jsonl go to out_dir; resume=True goes on from the
              newest checkpoint there, bit for bit; with another source it is an error

    Raises MinidsError for arguments of another kind, a file that cannot be read or has no problem to learn from (with
    the line), a document longer than the model or a batch can hold, and a tokenizer without the template's marks or of
    another model.

    How long to train is what RL depends on: a model that is never right has nothing to learn from, and one that always
    is has nothing left to learn. docs/library.md has figures.
    """
    need(model, Transformer, "sft: model", "a Transformer, as minids.load(folder) gives one")
    need(config, SFTConfig, "sft: config", "an SFTConfig(steps=…), which knows tokens_per_batch and prompt_weight too")
    kinds = 'a file\'s path, the name of a family of a file ("user:cmp.jsonl") or tasks.documents.Documents'
    need(source, (str, Path, documents.Documents), "sft: source", kinds)
    hf.check_tokenizer(model.config, tokenizer)
    docs = source if isinstance(source, documents.Documents) else file_documents(tokenizer, source)
    longest, room = int(docs.lengths.max()), model.config.max_position_embeddings
    if longest > room:
        raise MinidsError(
            f"sft: document {int(docs.lengths.argmax())} has {longest} tokens, and the model's longest text is {room} "
            "(max_position_embeddings). Leave it out, or shorten it."
        )
    comm = comm or Comm()
    batches = documents.Source(
        docs,
        config.tokens_per_batch,
        seed=config.seed + 1,  # as the stages of a recipe have it
        rank=comm.rank,
        world=comm.world,
        prompt_weight=config.prompt_weight,
    )
    batches.fingerprint = docs.fingerprint
    done = loop.train(
        model,
        batches,
        config,
        stage=stage,
        comm=comm,
        out_dir=out_dir,
        resume=resume,
        metrics=metrics,
        quiet=quiet,
        stop=stop,
    )
    model.style = "tags"  # the template that it answers in from now on, as `minids.load` says it
    return done


def file_documents(tokenizer: Tokenizer, source: str | Path) -> documents.Documents:
    """The problems of a file that belong to the split "train", in the chat template and in the file's order. Raises
    MinidsError where no problem is in that split."""
    path = user_file.parts(str(source))[0]
    problems = user_file.read(path, f"user:{path}")
    mine = [p for p in problems if p.split == "train"]
    if not mine:
        raise MinidsError(
            f"{path}: none of its {len(problems)} problems is in the split 'train', which SFT learns from (six tenths "
            "of all questions, by a hash). Give more."
        )
    return documents.Documents.of(chat.document_ids(tokenizer, p.question, p.data, p.answer) for p in mine)
