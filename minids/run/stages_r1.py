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
from minids.run.recipes import build
from minids.tasks import documents


def rl1(job):
    model = job.load("sft")
    record = job.reinforce(model, "rl1")
    job.keep(model, "rl1")
    job.evaluate(model, "rl1")
    return record


def rejection_sampling(job):
    return _documents(job, job.load("rl1"), "rejection")


def sft2(job):
    model, p = job.load("base"), job.recipe.section("sft2")
    record = job.train(model, job.source(job.corpus("rejection"), p, job.seed + 3), "sft2", p)
    job.keep(model, "sft2")
    job.evaluate(model, "sft2")
    return record


def rl2(job):
    model = job.load("sft2")
    record = job.reinforce(model, "rl2")
    job.keep(model, "model")
    job.evaluate(model, "rl2", beyond=True)
    return record


def teacher(job):
    return _documents(job, job.load("model"), "teacher")


def small_pretrain(job):
    model, p = job.new_model(small=True), {"prompt_weight": 1.0, **job.recipe.section("small_pretrain")}
    record = job.train(model, job.source(job.corpus(), p, job.seed), "small_pretrain", p)
    job.keep(model, "small_base", "plain")
    job.evaluate(model, "small_base", style="plain")
    return record


def distill_samples(job):
    return _distill(job, "distill_samples", None)


def distill_logits(job):
    return _distill(job, "distill_logits", distill.FromLogits(job.load("model")))


def small_rl(job):
    model, style = job.load("small_base"), job.recipe.section("small_rl").get("style", "plain")
    record = job.reinforce(model, "small_rl", {**job.recipe.section("small_rl"), "style": style})
    job.keep(model, "small_rl", style)
    job.evaluate(model, "small_rl", style=style)
    return record


STAGES = {
    "rl1": rl1,
    "rejection": rejection_sampling,
    "sft2": sft2,
    "rl2": rl2,
    "teacher": teacher,
    "small_pretrain": small_pretrain,
    "distill_samples": distill_samples,
    "distill_logits": distill_logits,
    "small_rl": small_rl,
}


def _documents(job, model, stage):
    """The model's accepted answers, and written documents beside them, into the corpus named like the stage."""
    p = dict(job.recipe.section(stage))
    families, general = p.pop("families", job.recipe.families), p.pop("general", 0)
    others = p.pop("general_families", families)
    config = build(rejection.RejectionConfig, p, f"recipe, [{stage}]")
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


def _distill(job, stage, objective):
    model, p = job.load("small_base"), job.recipe.section(stage)
    record = job.train(model, job.source(job.corpus("teacher"), p, job.seed + 4), stage, p, objective)
    job.keep(model, stage)
    job.evaluate(model, stage)
    return record
