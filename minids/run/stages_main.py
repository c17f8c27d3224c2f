"""The stages of the main job: tokenizer, pretraining, cold start (SFT), GRPO. Each is a function of run/job.py:Job."""

from minids.rl.config import RLConfig
from minids.run.job import Job
from minids.run.sections import ColdStart, Pretraining, Questions, TokenizerSection
from minids.run.stage import LEARN, SAMPLE, Stage, batches, groups
from minids.tasks import documents
from minids.text.tokenizer import Tokenizer
from minids.train.loop import TrainConfig


def make_tokenizer(job: Job) -> dict:
    """Problems become text; the text becomes merges; merges turn it into ids."""
    r, t, folder = job.recipe, job.section(), job.out / "tokenizer"
    if job.rank == 0:
        p = r.section("pretrain")
        parts = list(
            documents.pretraining_parts(
                r.families, p["documents"], mix=p["styles"], fact_share=p["fact_share"], seed=job.seed
            )
        )
        texts = documents.pretraining_texts(parts[: t["documents"]])
        tokenizer = Tokenizer.train(texts, t["vocab_size"], digits=t["digits"])
        job.sums.forget(lambda file, _: file.startswith("tokenizer/"))
        tokenizer.save_pretrained(folder)
        job.sums.note(folder, "tokenizer")
        job.keep_corpus(documents.pretraining_documents(tokenizer, parts, quiet=job.quiet))
    job.comm.barrier()
    docs = job.corpus()
    return {"vocab_size": len(job.tokenizer), "documents": len(docs), "tokens": len(docs.ids)}


def pretrain(job: Job) -> dict:
    """The base model: plain worked solutions in every style, and lines of single-digit facts."""
    model = job.new_model()
    p = job.section()
    record = job.train(model, job.source(job.corpus(), p, job.seed), p)
    job.save_model(model, "plain")
    job.evaluate(model, style="plain")
    return record


def sft(job: Job) -> dict:
    """The cold start: the chat template, few long thoughts among many hasty ones."""
    model, p = job.load("base"), job.section()
    record = job.train(model, job.source(job.chat_documents(p, job.seed), p, job.seed + 1), p)
    job.save_model(model)
    job.evaluate(model)
    return record


def grpo(job: Job) -> dict:
    """Reinforcement learning from checked answers."""
    model, style = job.start_of_rl()
    record = job.train_rl(model)
    job.save_model(model, style)
    job.evaluate(model, style=style, beyond=True)
    return record


STAGES = [
    Stage("tokenizer", make_tokenizer, title="tokenizer", reads=("families", "pretrain"), also=TokenizerSection),
    Stage(
        "pretrain",
        pretrain,
        title="base model",
        colour="base",
        label="after pretraining",
        about="pretraining on worked solutions, without any template",
        reads=("model",),
        settings=TrainConfig,
        also=Pretraining,
        planned=batches,
        passes={"model": LEARN},
        model="base",
        rows="base",
    ),
    Stage(
        "sft",
        sft,
        title="cold start (SFT)",
        colour="sft",
        label="after SFT",
        about="the chat template, and few long thoughts",
        settings=TrainConfig,
        also=ColdStart,
        planned=batches,
        passes={"model": LEARN},
        model="sft",
    ),
    Stage(
        "grpo",
        grpo,
        title="GRPO",
        colour="grpo",
        about="RL from checked answers: the final model",
        settings=RLConfig,
        also=Questions,
        planned=groups,
        passes={"model": SAMPLE + LEARN},
        model="model",
    ),
]
