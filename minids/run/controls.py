"""Controls: what the result of a run is compared with. They are stages whose time is counted apart."""

from minids.run.job import Job
from minids.run.stage import LEARN, SAMPLE, Stage
from minids.tasks import documents

CLASSIC = ("direct", "random_reward")  # those of `minids run --controls`


def direct(job: Job) -> dict:
    """The same architecture and as many training tokens, but it answers without a thought."""
    r, p = job.recipe, job.recipe.pretrain
    model = job.new_model()
    count = r.direct.get("documents") or 2 * p["documents"]
    docs = documents.chat_documents(job.tokenizer, r.families, count, mix={"none": 1.0}, seed=job.seed)
    steps = p["steps"] + (r.sft["steps"] if "sft" in r.plan else 0)
    record = job.train(model, job.source(docs, job.section(), job.seed), {**p, "steps": steps})
    job.save_model(model, "direct")
    job.evaluate(model, style="direct", full=False)
    return record


def more_sft(job: Job) -> dict:
    """More supervised steps instead of RL, for the same arithmetic: 6 FLOPs per token of training stand against RL's 8
    (2 to sample it, 6 to learn from it)."""
    p, model = job.section(), job.load("sft")
    sampled = next(s["tokens"] for s in job.results["stages"] if s["name"] == job.recipe.first_rl)
    source = job.source(job.chat_documents(p, job.seed + 1009), p, job.seed + 2)
    seen = sum(int(b.valid_BT.sum()) for step in range(50) for b in source(step))
    useful = sum(job.comm.gather(seen)) / 50  # of all processes, so that each takes as many steps
    steps = max(1, round(sampled * 8 / 6 / useful))
    record = job.train(model, source, {**p, "steps": steps})
    job.save_model(model)
    job.evaluate(model, full=False)
    return record


# What the first RL stage is given instead, at the same number of samples.
RL_CONTROLS = {
    "random_reward": {"random_reward": True},  # coin flips: what it gains was not learned from the answers
    "wrong_sign": {"reward": {"accuracy": -1.0, "format": 0.1}},  # wrong answers pay: RL must be able to unlearn
    # Right answers are imitated and wrong ones thrown away, batch by batch: no baseline, nothing to move away from.
    "expert_iteration": {
        "baseline": "none",
        "scale": "none",
        "clip": "none",
        "skip_zero_variance": False,
        "reward": {"accuracy": 1.0, "format": 0.0},
    },
}


def rl_control(job: Job) -> dict:
    """The first RL stage again, with the change that has the control's name."""
    model, style = job.start_of_rl()
    record = job.train_rl(model, job.recipe.section(job.recipe.first_rl), **RL_CONTROLS[job.stage.name])
    job.save_model(model, style)
    job.evaluate(model, style=style, full=False)
    return record


def _row(name, function, **more):
    return Stage(name, function, model=name, control=True, **more)


RL = {"section": "grpo", "passes": {"model": SAMPLE + LEARN}}
STAGES = [
    _row(
        "direct",
        direct,
        title="direct answers",
        colour="direct",
        label="answers without thinking",
        about="Is it the thinking?",
        below="pretrain",
        passes={"model": LEARN},
    ),
    _row(
        "random_reward",
        rl_control,
        title="random reward",
        colour="random_reward",
        label="GRPO on random rewards",
        about="Is it the reward?",
        **RL,
    ),
    _row(
        "wrong_sign",
        rl_control,
        title="wrong answers rewarded",
        colour="random_reward",
        label="GRPO paid for wrong answers",
        about="Can it unlearn?",
        **RL,
    ),
    _row(
        "expert_iteration",
        rl_control,
        title="expert iteration",
        colour="f1",
        label="expert iteration at equal samples",
        about="Is it the baseline?",
        **RL,
    ),
    _row(
        "more_sft",
        more_sft,
        title="more SFT instead of RL",
        colour="f0",
        label="more SFT for the same arithmetic",
        about="Is it just more training?",
        needs=("sft",),
        section="sft",
        passes={"model": LEARN},
    ),
]
