"""DeepSeek-R1's whole way, stage by stage (arXiv 2501.12948 §2.3, §2.4), for recipes that name these stages (tiny-r1).

    base ── sft ── rl1 ── rejection ─┐                    teacher ── distill_samples, distill_logits
     └──────────────────────────── sft2 ── rl2 ──────────────┘          from small_pretrain
                                                                        small_rl: RL alone on the same small model

    sft         cold start: few long thoughts, of the families to be reasoned about; two scripts are mixed in them
    rl1         RL on those families; rewards: right, well formed, and one script ("language consistency")
    rejection   its own answers, kept where nothing is wrong with them, and written documents of the other families
    sft2        the base model, not rl1's, learns from these documents: a clean start that knows all families
    rl2         RL over all families: the final model
    teacher     the final model's answers, kept in the same way
    small_...   a smaller dense model: pretrained; then distilled from the teacher's samples, or from its logits on
                them; or given RL alone, with as many samples as the teacher drew

What is ours and not R1's: the base is tiny, the general data are stories with numbers, the mixed languages are two
words for "then", the small model is pretrained here, and the second RL checks all families by rule, where R1 asked
reward models for what no rule decides.
"""

from minids.errors import MinidsError
from minids.progress import Progress
from minids.rl import distill, rejection
from minids.run.job import Job
from minids.run.sections import General
from minids.run.stage import LEARN, SAMPLE, Stage
from minids.tasks import documents


def rl1(job: Job) -> dict:
    """RL on the reasoning families, with a reward for thoughts in one script."""
    model = job.load("sft")
    record = job.train_rl(model)
    job.save_model(model)
    job.evaluate(model)
    return record


def rejection_sampling(job: Job) -> dict:
    """Documents from the answers of rl1's model."""
    return _documents(job, job.load("rl1"))


def sft2(job: Job) -> dict:
    """The base model learns from those documents."""
    model, p = job.load("base"), job.section()
    record = job.train(model, job.source(job.corpus("rejection"), p, job.seed + 3), p)
    job.save_model(model)
    job.evaluate(model)
    return record


def rl2(job: Job) -> dict:
    """RL over all families; its model is the final one."""
    model = job.load("sft2")
    record = job.train_rl(model)
    job.save_model(model)
    job.evaluate(model, beyond=True)
    return record


def teacher(job: Job) -> dict:
    """Documents from the answers of the final model."""
    return _documents(job, job.load("model"))


def small_pretrain(job: Job) -> dict:
    """A smaller dense model, pretrained."""
    model, p = job.new_model(small=True), job.section()
    record = job.train(model, job.source(job.corpus(), p, job.seed), p)
    job.save_model(model, "plain")
    job.evaluate(model, style="plain")
    return record


def distill_samples(job: Job) -> dict:
    """The small model learns from the teacher's answers."""
    return _distill(job, None)


def distill_logits(job: Job) -> dict:
    """The small model learns the teacher's distribution over every token of those answers."""
    return _distill(job, distill.FromLogits(job.load("model")))


def small_rl(job: Job) -> dict:
    """RL alone on the small model, to compare with."""
    model, style = job.load("small_base"), job.section().get("template", "plain")
    record = job.train_rl(model, template=style)
    job.save_model(model, style)
    job.evaluate(model, style=style)
    return record


def _documents(job, model):
    """The model's accepted answers, and written documents beside them, into the corpus named like the stage."""
    stage, p = job.stage.name, job.section()
    families = p["families"] or job.recipe.families
    others, general = p["general_families"] or families, p["num_general_documents"]
    config = job.settings(p, rejection.RejectionConfig)
    with Progress(stage, config.questions, "question", quiet=job.quiet) as bar:
        pairs, record = rejection.collect(
            model, job.tokenizer, families, config, seed=job.seed, comm=job.comm, progress=bar
        )
    pairs += documents.chat_pairs(job.tokenizer, others, general, mix={"careful": 1.0}, seed=job.seed + 2, mixed=0.0)
    if not pairs:
        raise MinidsError(
            f"{stage}: none of {record['answers']} answers could be kept ({record['right']} were right), so there is "
            "nothing to learn from. Train the stages before longer, or ask for more answers."
        )
    docs = documents.Documents.of(pairs)
    if job.rank == 0:
        job.keep_corpus(docs, stage)
    job.comm.barrier()
    return {**record, "documents": len(docs)}


def _distill(job, objective):
    model, p = job.load("small_base"), job.section()
    record = job.train(model, job.source(job.corpus("teacher"), p, job.seed + 4), p, objective)
    job.save_model(model)
    job.evaluate(model)
    return record


def questions(section: dict, length: float, processes: int) -> float:
    """Tokens of the answers that rejection sampling draws."""
    return section["questions"] * section["samples"] * length


STAGES = [
    Stage(
        "rl1",
        rl1,
        title="reasoning RL",
        colour="f3",
        label="after RL on add and chain",
        about="RL on the families to be reasoned about; one script is rewarded",
        needs=("sft",),
        below="grpo",
        passes={"model": SAMPLE + LEARN},
        model="rl1",
    ),
    Stage(
        "rejection",
        rejection_sampling,
        title="rejection sampling",
        about="its right answers in one script, and written documents of the other families",
        needs=("rl1",),
        settings=rejection.RejectionConfig,
        also=General,
        planned=questions,
        passes={"model": SAMPLE},
    ),
    Stage(
        "sft2",
        sft2,
        title="SFT on kept answers",
        colour="f0",
        about="the base model again, on those documents",
        needs=("rejection",),
        below="sft",
        passes={"model": LEARN},
        model="sft2",
    ),
    Stage(
        "rl2",
        rl2,
        title="RL on everything",
        colour="grpo",
        about="RL over all families: the final model",
        needs=("sft2",),
        below="grpo",
        passes={"model": SAMPLE + LEARN},
        model="model",
    ),
    Stage(
        "teacher",
        teacher,
        title="the teacher's answers",
        about="the final model's right answers, for a smaller model to learn from",
        needs=("rl2",),
        below="rejection",
        passes={"model": SAMPLE},
    ),
    Stage(
        "small_pretrain",
        small_pretrain,
        title="small: base",
        colour="base",
        label="small model, after pretraining",
        about="a smaller dense model, pretrained on the same documents",
        below="pretrain",
        reads=("small",),
        passes={"small": LEARN},
        model="small_base",
        rows="small_base",
    ),
    Stage(
        "distill_samples",
        distill_samples,
        title="small: distilled, samples",
        colour="f1",
        label="small model, distilled from samples",
        about="the small model learns to write the teacher's answers",
        needs=("teacher", "small_pretrain"),
        section="distill",
        below="sft",
        passes={"small": LEARN},
        model="distill_samples",
    ),
    Stage(
        "distill_logits",
        distill_logits,
        title="small: distilled, logits",
        colour="f2",
        label="small model, distilled from logits",
        about="the small model learns the teacher's probabilities at every token of its answers",
        needs=("teacher", "small_pretrain"),
        section="distill",
        below="sft",
        passes={"small": LEARN, "model": SAMPLE},
        model="distill_logits",
    ),
    Stage(
        "small_rl",
        small_rl,
        title="small: RL alone",
        colour="f3",
        label="small model, RL alone",
        about="RL on the small base model",
        needs=("small_pretrain",),
        below="grpo",
        passes={"small": SAMPLE + LEARN},
        model="small_rl",
    ),
]
