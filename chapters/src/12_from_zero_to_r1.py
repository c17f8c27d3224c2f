# %% [markdown]
# # 12 From R1-Zero to R1
#
# **What is missing from a model that reasons well and writes so that nobody can read it?** R1-Zero shows that a reward
# for right answers is enough to make a base model reason (chapter 11). Its authors did not ship it. Between R1-Zero and
# R1 stand a cold start, a reward for keeping to one language, a model that writes its own textbook, a second training
# from the beginning, and then a handful of small models that were taught by the large one. This chapter builds each of
# these stages at the size of a notebook, measures what it does, and what it costs.
#
# *Costs about 85 CPU-seconds and 1.5 GiB. Needs chapters 10 (SFT, loss weights) and 11 (GRPO). Five exercises, 11
# points.*

# %%
import json
import random

import matplotlib.pyplot as plt
import torch
from einops import reduce

from minids.course import budget, check, play, show, start, tiny_models
from minids.course.catalog import ROOT
from minids.model import generate
from minids.model.config import ModelConfig
from minids.model.transformer import Transformer
from minids.rl import distill, grpo, rejection, trainer
from minids.tasks import arithmetic, documents, reward
from minids.eval import evaluate
from minids.text import chat
from minids.train import loop

start(12)

# %% [markdown]
# ## 1 The plan
#
# The paper names two weaknesses of R1-Zero: "poor readability, and language mixing" (arXiv 2501.12948, section 2.2.4).
# The likely reason for both: its thoughts were written for a checker that looks at nothing but the answer. Here is
# the way that section 2.3 takes instead. Read the two kinds of arrows apart: a solid one says *whose weights a training
# starts from*, a dashed one *whose answers it learns from*.

# %%
BOXES = {  # name: (x, y, text)
    "base": (0, 1, "base"), "zero": (1, 2, "R1-Zero"), "cold": (1, 1, "cold start\nSFT"),
    "rl1": (2, 1, "RL, one\nlanguage"), "data": (3, 1, "rejection\nsampling"), "sft2": (3, 0, "second\nSFT"),
    "rl2": (4, 0, "second\nRL: R1"), "other": (3, 2, "smaller\nbase"), "small": (4, 2, "distilled\nmodel"),
}
WEIGHTS = [("base", "zero"), ("base", "cold"), ("cold", "rl1"), ("base", "sft2"), ("sft2", "rl2"), ("other", "small")]
ANSWERS = [("zero", "cold"), ("rl1", "data"), ("data", "sft2"), ("data", "small")]

fig, ax = plt.subplots(figsize=(7, 3.3))
for arrows, style, colour in ((WEIGHTS, "-", "#0072B2"), (ANSWERS, "--", "#D55E00")):
    for a, b in arrows:
        ax.annotate("", BOXES[b][:2], BOXES[a][:2],
                    arrowprops=dict(arrowstyle="-|>", ls=style, color=colour, lw=1.6, shrinkA=26, shrinkB=26))
    ax.plot([], [], style, color=colour, label="weights" if style == "-" else "answers")
for x, y, text in BOXES.values():
    ax.text(x, y, text, ha="center", va="center", fontsize=9, bbox=dict(boxstyle="round", fc="white", ec="#555555"))
ax.set(xlim=(-0.5, 4.6), ylim=(-0.45, 2.45))
ax.axis("off")
ax.legend(loc="lower left")
show(fig, "The pipeline of R1. Solid arrows, weights: base to R1-Zero, to the cold start and on to the first RL, and "
          "base again to the second SFT and on to the second RL, which is R1; a smaller base to the distilled model. "
          "Dashed arrows, answers: R1-Zero to the cold start, first RL to rejection sampling, and from there to the "
          "second SFT and to the distilled model.")

# %% [markdown]
# Follow the arrows back from R1. Its weights come from the base by way of the second SFT and the second RL alone. The
# cold start and the first RL, all that was learned there, left nothing behind but documents. And R1-Zero gave answers
# only, some of which, tidied by people, became part of the cold start (section 2.3.1).
#
# `minids run tiny-r1` goes the whole way on three families of problems, in about a quarter of an hour. Here the
# problems are sums of two numbers of two to four digits, the base is the one of chapter 10, and everything stays in the
# plain form "Question: … Thought: … Answer: …" of its pretraining, so that a stage takes seconds.

# %%
base, tokenizer = tiny_models.model("base")
SIZES = {2: 0.35, 3: 0.35, 4: 0.3}  # digits of the longer number: share
tests = [p for size in SIZES for p in arithmetic.problem_set(["add"], "test", 100, seed=12, size=size)]
chains = arithmetic.problem_set(["chain"], "test", 100, seed=12, size=3)


def ask(model, problems):
    """One sampled answer to each problem: [RewardResult], [text]."""
    how = dict(style="plain", temperature=1.0, max_new_tokens=80, seed=12)
    given = evaluate.answer(model.eval(), tokenizer, problems, **how)
    return [a[0][0] for a in given], [a[0][2] for a in given]


def mean(values):
    values = list(values)
    return sum(values) / max(1, len(values))


def share(answers, what):
    """Per cent: the mean of a field of the RewardResults, accuracy or language."""
    return 100 * mean(getattr(result, what) for result in answers[0])


def words(answers):
    """Words a thought."""
    return mean(text.count("then") + text.count("再") for text in answers[1])


def sums(count, seed, split="train"):
    """Problems of addition with SIZES."""
    rng = random.Random(f"{seed} {split}")
    sizes = (rng.choices(list(SIZES), weights=SIZES.values())[0] for _ in range(count))
    return [arithmetic.sample("add", rng, split, size) for size in sizes]

# %% [markdown]
# ## 2 A model that mixes
#
# R1-Zero's base had read the web in two languages and more, and RL had no reason to keep them apart. Our base has read
# one language only, so the mixing has to be planted: a word between the steps of a thought, "then", and now and then
# its Chinese counterpart 再. It says nothing and changes nothing, which makes it a clean probe: whatever happens to it
# happens because of the training, not because one language computes better.
#
# ### Exercise 12.1: thoughts that are spoken
#
# *Difficulty 1 · 2 points · 15 minutes*
#
# <details><summary>Hint 1</summary>
#
# A chain's thought has steps inside its sums, and " >" before each sum but the first. Is there a " >" in the thought?
# That decides where to cut.
# </details>
# <details><summary>Hint 2</summary>
#
# `first, *rest = thought.split(between)`: each step of the rest gets a blank, a word and `between` in front of it.
# `WORDS[True]` is `WORDS[1]`.
# </details>

# %% exercise="r1.number_words" points=2 minutes=15 difficulty=1
from minids.tasks.arithmetic import spoken

# %%
# NBVAL_CHECK_OUTPUT
def written(problems, seed, mixed=None):
    """(ids, prompt length) of solved problems; thoughts are spoken if `mixed` is given."""
    rng = random.Random(seed)
    for p in problems:
        thought = arithmetic.thought(p, "careful")
        thought = thought if mixed is None else arithmetic.spoken(thought, rng, mixed)
        yield chat.plain_document_ids(tokenizer, p.question, thought, p.answer)


cold_start = list(written(sums(600, 1), 1, mixed=0.5))
for ids, _ in cold_start[:3]:
    print(tokenizer.decode(ids[1:-1]).replace("\n", " | "))

# %% [markdown]
# The cold start: the base on 600 such documents, loss on the reply alone, as in chapter 10.

# %%
def sft(model, pairs, updates, seed, objective=None):
    """Trains in place on (ids, prompt length) pairs; seeded."""
    source = documents.Source(documents.Documents.of(pairs), 450, seed=seed, prompt_weight=0.0)
    config = loop.TrainConfig(updates, 2.5e-3, warmup=3, optimizer="adamw", seed=seed)
    loop.train(model, source, config, quiet=True, objective=objective)
    return model.eval()


cold = sft(tiny_models.model("base")[0], cold_start, budget(90), seed=1)
found = {"base": ask(base, tests), "cold start": ask(cold, tests)}
for name, answers in found.items():
    print(f"{name:10} right {share(answers, 'accuracy'):.0f} %, {words(answers):.1f} words a thought, in Latin script "
          f"{share(answers, 'language'):.0f} % of them")
for text in found["cold start"][1][100:300:40]:
    print("  ", text.replace("\n", " | "))

# %% [markdown]
# All answers are drawn at temperature 1. After a few seconds of training the model adds about as well as before, and
# speaks two languages in one breath. (Where a � stands, it broke off: our tokenizer has no piece for 再, which is three
# byte tokens, as in chapter 01.) Nobody who wrote that to a user would be thanked for it, and an accuracy reward does
# not see it.
#
# ## 3 A reward for one language
#
# R1's remedy is a third reward beside accuracy and format: "the proportion of target language words in the CoT", simply
# added (section 2.3.2). Which language a word is of is a research question of its own. Which *script* its letters
# belong to is a table in Unicode: `LATIN SMALL LETTER A` says so in its name. That is the stand-in which `minids` uses.
# It can tell English from Chinese, and not English from French.
#
# ### Exercise 12.2: how much of a text is in one script?
#
# *Difficulty 2 · 3 points · 30 minutes*
#
# At hand: `_script(char)`, the first word of a character's Unicode name (`"LATIN"`, `"CJK"`), `"COMBINING"` for an
# accent that stands behind its letter, and `""` for what is no letter; `SCRIPTS`, which names belong to a target;
# `_NO_SPACES`, the names of scripts whose words stand without blanks; `_ANY_TAG`, a pattern that finds the template's
# marks.
#
# <details><summary>Hint 1</summary>
#
# Walk through the characters and collect the names of the current word's letters in a set. What ends a word? Anything
# that is no letter; and a character that is a word by itself ends the one before it, too.
# </details>
# <details><summary>Hint 2</summary>
#
# A word counts if *every* name in its set is one of `SCRIPTS[script]`. One Cyrillic letter in a Latin word is enough to
# make it foreign: some letters look alike, and a reward that looks at the first letter only will be found out.
# </details>
# <details><summary>Hint 3</summary>
#
# Add a blank behind the text, or the last word will never end. And what is the share of zero words of zero?
# </details>

# %% exercise="reward.language" points=3 minutes=30 difficulty=2
from minids.tasks.reward import language_consistency

# %%
# NBVAL_CHECK_OUTPUT
for text in ("7+6=13 then 4+9+1=14 then 3+8=11", "7+6=13 then 4+9+1=14 再 3+8=11", "7+6=13 4+9+1=14 3+8=11",
             "7+6=13 th\u0435n 4+9+1=14", "so weiter, und so fort"):
    print(f"{reward.language_consistency(text):.2f}  {text}")

# %% [markdown]
# Two of these lines deserve a second look. A thought *without any word* is perfectly consistent, so a model could earn
# the whole reward by falling silent; we shall have to count words, and not only shares. And the last line is German,
# which nobody asked for.
#
# ### How much should it weigh?
#
# GRPO compares the answers of one group (chapter 11), so what counts is the order of their rewards. Take a group of
# eight: two answers of each kind, where "mixed" means that a third of the words are Latin.

# %%
KINDS = [("right, pure", 1, 1.0), ("right, mixed", 1, 1 / 3), ("wrong, pure", 0, 1.0), ("wrong, mixed", 0, 1 / 3)]


def draw_advantages(ax, weight):
    """Advantages of a group's four kinds of answers, for a weight of the language reward."""
    totals = [right + 0.1 + weight * language for _, right, language in KINDS for _ in range(2)]
    adv, _ = grpo.advantages(torch.tensor(totals), len(totals))
    ax.barh([name for name, *_ in KINDS][::-1], adv[::2].tolist()[::-1], color=["C1", "C1", "C0", "C0"])
    ax.axvline(0, color="black", lw=0.8)
    ax.set(xlabel="advantage", xlim=(-2, 2))


play(draw_advantages, weight=(0.0, 4.0, 0.1), shown=[(0.3,), (1.0,), (3.0,)],
     alt="Advantages of right and wrong, pure and mixed answers at weights 0.3, 1 and 3 of the language reward. At 0.3 "
         "right answers are far ahead; at 1 a wrong pure answer comes close to a right mixed one; at 3 it is far ahead "
         "of it.")

# %% [markdown]
# Above a weight of 1.5 a wrong answer in one script beats a right one in two. Where all answers of a group are right,
# or all wrong, language decides alone at *any* weight, since advantages are relative. R1 simply adds its rewards, which
# is a weight of 1. So do we. Three seeds of RL with the reward, and the same three without it:

# %%
class Notes:
    """Takes the place of a metrics file: the lines of a run."""

    def __init__(self):
        self.lines = []

    def rewind(self, *_):
        pass

    def write(self, **line):
        self.lines.append(line)


def reinforce(model, seed, language=0.0):
    """RL on sums, in place: the lines of its log. 96 answers an iteration."""
    config = trainer.RLConfig(
        steps=budget(10), lr=5e-4, warmup=2, prompts_per_step=12, num_generations=8, max_new_tokens=80, minibatches=1,
        template="plain", sizes={"add": SIZES}, seed=seed,
        reward={"accuracy": 1.0, "format": 0.1, "language": language},
    )
    notes = Notes()
    trainer.train_rl(model, tokenizer, ["add"], config, metrics=notes, quiet=True)
    return notes.lines


def copy_of(model):
    twin = Transformer(model.config)
    twin.load_state_dict(model.state_dict())
    return twin

# %%
SEEDS, ARMS = (0, 1, 2), {"accuracy alone": 0.0, "and language": 1.0}
after, logs = {}, {}
for name, weight in ARMS.items():
    for seed in SEEDS:
        after[name, seed] = copy_of(cold)
        logs[name, seed] = reinforce(after[name, seed], seed, weight)
        found[name, seed] = ask(after[name, seed], tests)
fig, axes = plt.subplots(1, 2, figsize=(7, 2.8), sharex=True)
for ax, what in zip(axes, ("language", "accuracy")):
    for i, name in enumerate(ARMS):
        for seed in SEEDS:
            ax.plot(range(1, len(logs[name, seed]) + 1), [100 * line[what] for line in logs[name, seed]], color=f"C{i}",
                    lw=1.2, label=f"reward: {name}" if seed == 0 else None)
    ax.set(xlabel="iteration", ylim=(0, 103))
axes[0].set_ylabel("words in Latin script, %")
axes[1].set_ylabel("right answers, %")
axes[1].legend(loc="lower right", fontsize=8)
show(fig, "Left: with the language reward the share of Latin words rises to nearly 100 per cent in a few iterations, "
          "without it it wanders. Right: the share of right answers of all six runs, which overlap.")

# %%
print("on 300 test problems        right   Latin   words a thought")
for key, answers in found.items():
    name = key if isinstance(key, str) else f"{key[0]}, seed {key[1]}"
    print(f"{name:26} {share(answers, 'accuracy'):5.1f} %  {share(answers, 'language'):5.1f} %   {words(answers):.2f}")
price = [share(found["and language", s], "accuracy") - share(found["accuracy alone", s], "accuracy") for s in SEEDS]
print(f"language reward on - off, right answers: {mean(price):+.1f} points "
      f"(seeds: {', '.join(f'{p:+.1f}' for p in price)})")
for i, size in enumerate(SIZES):
    part = slice(100 * i, 100 * i + 100)
    off, on = (mean(share((found[name, s][0][part],), "accuracy") for s in SEEDS) for name in ARMS)
    before = share((found["cold start"][0][part],), "accuracy")
    print(f"  {size} digits: cold start {before:.0f} %, off {off:.0f} %, on {on:.0f} %")

# %% [markdown]
# Three things are to be read here.
#
# - *It works, and fast.* In ten iterations nearly all words are Latin. And the number of words a thought is what it
#   was: the model has learned to say "then", not to say nothing.
# - *Without the reward nothing holds the language.* The three runs drift to three different places, none of which
#   anybody asked for. R1-Zero's mixing need not have had a deeper cause: where no reward looks, chance decides.
# - *It costs.* With the reward fewer answers are right at the end, by some points, in all three seeds. (The error of
#   one such share on 300 problems is about two points.) R1's authors found a slight degradation too, and paid it, since
#   people prefer to read such thoughts (section 2.3.2).
#
# Why should it cost anything, if the two words mean the same? Not because English adds better. Look at where the price
# is paid: on the longest sums, where RL for accuracy alone gains several points on the cold start, and RL for both
# gains none. Two reasons suggest themselves, and this experiment can not tell them apart. An update that moves the
# words moves everything else a little, and long sums are where the arithmetic is the least sure. And the advantages of
# a group, which are divided by their spread, have only so much to give: while language takes its part, accuracy gets
# less. Whether it is a price for ever or a delay, ten iterations can not say either.
#
# ## 4 Rejection sampling
#
# The next model starts from the base again and needs documents. R1's came from the RL model itself: several answers to
# each question, only the right ones kept, and none with "mixed languages, long paragraphs, and code blocks" (section
# 2.3.3). About 600 thousand reasoning documents were made so. No gradient flows here, it is sampling and a filter, and
# the filter is everything: what it lets through is all that the next model will ever see.
#
# ### Exercise 12.3: what becomes a document?
#
# *Difficulty 1 · 2 points · 15 minutes*
#
# <details><summary>Hint 1</summary>
#
# Four conditions on one `RewardResult`, and two on what has been kept so far. An answer that fails any of them is
# passed over; it takes no place.
# </details>
# <details><summary>Hint 2</summary>
#
# Lists can not be put into a set; `tuple(ids)` can.
# </details>

# %% exercise="rejection.accept" points=2 minutes=15 difficulty=1
from minids.rl.rejection import accept

# %% [markdown]
# Two models draw for us: the cold start, which mixes, and the RL model that keeps to one script. Each gives eight
# answers to 80 questions of two to five digits. Five digits are new to both.

# %%
judge, DRAWN = reward.Reward(style="plain"), 8


def draw(model, problems, n, seed):
    """For each problem (token ids, RewardResults) of n sampled answers."""
    prompts = [chat.plain_prompt_ids(tokenizer, p.question) for p in problems]
    seeds = generate.sequence_seeds(seed, rejection.STEP, n * len(problems))
    out = generate.generate(model, prompts, n=n, max_new_tokens=80, seeds=seeds, stop_ids=[tokenizer.eos_id])
    rows = [(ids, judge(problems[i // n], tokenizer.decode(ids), done))
            for i, (ids, done) in enumerate(zip(out.ids, out.finished))]
    return [tuple(zip(*rows[i : i + n])) for i in range(0, len(rows), n)]


questions = [p for size in (2, 3, 4, 5) for p in arithmetic.problem_set(["add"], "rl", 20, seed=12, size=size)]
writers = {"cold start": cold, "first RL": after["and language", 0]}
drawn = {name: draw(model, questions, DRAWN, 12) for name, model in writers.items()}

# %%
def fate(ids, results):
    """How many of a question's answers: right and pure and new; copies of those; mixed; wrong or malformed."""
    right = [r.accuracy == 1 and r.format == 1 and not r.truncated for r in results]
    pure = sum(ok and r.language == 1 for ok, r in zip(right, results))
    new = len(rejection.accept(results, ids, keep=len(ids)))
    return new, pure - new, sum(right) - pure, len(ids) - sum(right)


fig, axes = plt.subplots(1, 2, figsize=(7, 2.9), sharey=True)
for ax, name in zip(axes, writers):
    below = torch.zeros(4)
    each = torch.tensor([fate(*d) for d in drawn[name]], dtype=torch.float)
    fates = reduce(each, "(size question) kind -> kind size", "sum", size=4)
    for kind, values, colour in zip(("kept", "copy", "mixed", "wrong"), fates / fates.sum(0) * 100,
                                    ("#009E73", "#99D8C4", "#E69F00", "#BBBBBB")):
        ax.bar(["2", "3", "4", "5"], values, bottom=below, color=colour, label=kind)
        below += values
    ax.set(xlabel=f"digits of the question ({name})")
    print(f"{name:10}, of {int(fates[:, 0].sum())} answers to questions of 2, 3, 4, 5 digits: right", *(
        f"{int(n)}" for n in fates[:3].sum(0)), "| pure", *(f"{int(n)}" for n in fates[:2].sum(0)),
        "| kept", *(f"{int(n)}" for n in fates[0]))
axes[0].set_ylabel("answers, %")
fig.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=4, fontsize=8)
show(fig, "What becomes of the answers to questions of two to five digits, for the cold start and the first RL: kept, "
          "a copy of one that was kept, right but mixed, or wrong. Of the cold start's right answers most are mixed, "
          "and the more so the longer they are. The RL model's right answers are mostly copies of each other. Of five "
          "digits hardly anything is kept.")

# %% [markdown]
# Each rule of the filter has a side effect, and one has to look for it.
#
# - *One script.* A thought with three words is pure less often than one with a single word, so from a model that mixes
#   the filter keeps short thoughts rather than long ones: easy questions. First RL for one language, then the filter:
#   in this order the rule costs next to nothing.
# - *Right.* Questions of five digits were a quarter of what was asked and are next to nothing of what is kept.
# - *New.* Sums leave little freedom in what to say, and RL has made the model surer still, so most of its right answers
#   are copies. At this size throwing them away acts like a limit of one or two documents a question. R1's thoughts,
#   thousands of tokens long, are never twice the same; there it takes such a limit, or easy questions fill the book.
#
# ### How much do the easy questions weigh?
#
# Suppose that the answers to a question were all different, each good with probability p. Of n answers, R are good, a
# binomial number, and at most `keep` are kept. With `keep` = n a question gives np documents: one that is solved nine
# times in ten writes nine times as many as one that is solved once in ten.
#
# ### Exercise 12.4: documents to expect from a question
#
# *Difficulty 1 · 2 points · 15 minutes*
#
# <details><summary>Hint 1</summary>
#
# Not min(np, keep): of two answers with p = 1/2, a quarter of all pairs holds no good one, and keep = 1 gives 3/4.
# </details>
# <details><summary>Hint 2</summary>
#
# Go through the answers one by one, and keep how likely each number of documents is so far. Or add up over R: the
# chance of exactly R good answers is C(n, R) pᴿ (1 - p)ⁿ⁻ᴿ, and `from math import comb` gives C(n, R).
# </details>

# %% exercise="rejection.expected" points=2 minutes=15 difficulty=1
from minids.rl.rejection import expected_kept

# %%
def draw_kept(ax, keep):
    """Documents a question gives, over its solve rate, relative to one that is always solved."""
    rates = [i / 40 for i in range(41)]
    ax.plot(rates, [rejection.expected_kept(p, DRAWN, keep) / keep for p in rates])
    ax.plot([0, 1], [0, 1], color="black", lw=0.7, ls=":")
    ax.set(xlabel="solve rate of the question", ylabel="documents (most = 1)", ylim=(0, 1.05))


play(draw_kept, keep=(1, 8, 1), shown=[(8,), (2,), (1,)],
     alt="Expected documents of a question over its solve rate, with 8 answers drawn, for at most 8, 2 and 1 kept. "
         "With 8 it is a straight line; with 1 it rises steeply and is flat above a rate of one third.")

# %% [markdown]
# A small `keep` makes the textbook more even, at the price of answers that were paid for and are thrown away. It can
# not help where the rate is 0: a filter can only choose among what the model says already. What was never solved is not
# in the book, whatever is done afterwards, and the next model will not know that it ever was in question.
#
# ## 5 A second beginning
#
# R1's curated documents, the 600 thousand and 200 thousand more on writing, facts, and translation, were used to
# fine-tune *DeepSeek-V3-Base* for two epochs (section 2.3.3), and not the RL model that had written most of them. The
# paper gives no reason. Ours can be looked at: what else has become of the model that the RL run left behind? It was
# never asked for anything but sums. We ask all models for a chain of three numbers, which the base can do. (Since
# copies are of no use, the book is made of many questions with two answers each, 960 in all.)

# %%
asked = sums(480, 2, "rl")
arithmetic.assert_split(asked, "rl")
own = []
for p, (ids, results) in zip(asked, draw(after["and language", 0], asked, 2, 2)):
    prompt = chat.plain_prompt_ids(tokenizer, p.question)
    own += [(prompt + ids[i], len(prompt)) for i in rejection.accept(results, ids, keep=2)]
if len(own) < 20:  # after a training of a few updates, as in a quick test, nothing is right yet
    own = list(written(sums(60, 3), 3, mixed=0.0))
rng = random.Random(12)
others = [arithmetic.sample("chain", rng, "train", 3) for _ in range(len(own) // 3)]  # R1: 200K to 600K
general = list(written(others, 4))
print(f"{len(own)} documents of its own, {len(general)} general ones")

# %%
stages, found["first RL"] = {"base": base, "cold start": cold}, found["and language", 0]
stages["first RL"] = after["and language", 0]
stages["second SFT, from the base"] = sft(copy_of(base), own + general, budget(80), seed=5)
stages["… from the RL model"] = sft(copy_of(stages["first RL"]), own + general, budget(80), seed=5)
print(f"{'':27} sums, right   Latin   words   chains, right")
for name, model in stages.items():
    answers = found.get(name) or ask(model, tests)
    print(f"{name:27} {share(answers, 'accuracy'):9.1f} % {share(answers, 'language'):7.1f} %  {words(answers):6.2f}"
          f" {share(ask(model, chains), 'accuracy'):13.1f} %")

# %% [markdown]
# Look at the last column first. Neither the cold start nor the first RL was ever shown a chain, and both have lost what
# the base could do: nothing in their training asked for it. A quarter of general documents brings it back within
# seconds. It can hardly have been learned anew in so short a time; it was still there, or, from the base, had never
# gone.
#
# And where to start from? From the base, the second model ends above the one that wrote its book: it learned from the
# right answers only. From the RL model it is somewhat better still on sums, which that model had practised, and worse
# on chains, which it had lost (one seed, and differences of a few points). So what speaks for the base is not a better
# score at the end of so short a training. It is that the documents are then *all* that stands between the base and the
# final model: what the first runs did by the way, forgotten abilities, a narrowed distribution, habits that no filter
# sees, can not come along, and the step may be repeated with better documents. What speaks against it is that it throws
# computation away. With 600 thousand documents that is a small loss.
#
# ### The second RL
#
# From there R1 goes on with RL over everything: rules where there are rules, reward models for helpfulness and
# harmlessness where there are none (section 2.3.4). Nothing new would be seen of it on sums. In the recipe it runs over
# all three families, by rule; what it brings there is in the last table of this chapter.
#
# ## 6 Distillation
#
# The last dashed arrow of the plan goes to a smaller model. DeepSeek fine-tuned six dense models of 1.5 to 70 billion
# parameters, Qwen's and Llama's, on the same 800 thousand documents: SFT and nothing else (section 2.4). Then they
# asked whether RL on a small model would not do as well, and trained one of 32 billion parameters for over ten thousand
# steps (section 4.1, table 6; pass@1 in per cent):

# %%
TABLE_6 = {"AIME 2024": (47.0, 72.6), "MATH-500": (91.6, 94.3), "GPQA Diamond": (55.0, 62.1),
           "LiveCodeBench": (40.2, 57.2)}
fig, ax = plt.subplots(figsize=(6, 2.4))
for i, label in enumerate(("RL on the 32B model itself", "distilled from R1")):
    ax.barh([y - 0.18 + 0.36 * i for y in range(4)], [v[i] for v in TABLE_6.values()], height=0.34, label=label)
ax.set(yticks=range(4), yticklabels=list(TABLE_6), xlabel="pass@1, %", xlim=(0, 100))
ax.invert_yaxis()
ax.legend(loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=2, fontsize=8)
show(fig, "Table 6 of the R1 paper: on four benchmarks the model distilled from R1 is ahead of the same base model "
          "with RL of its own; by 26 points on AIME 2024, by 3 on MATH-500.")

# %% [markdown]
# From documents, the student learns at each place that *one* token was said. If the teacher itself is at hand, it can
# be told how likely every token was. The loss is then the divergence of two distributions (Hinton et al., arXiv
# 1503.02531):
#
# $$L = \sum_t w_t \sum_v p_t(v)\,\bigl(\log p_t(v) - \log q_t(v)\bigr), \qquad
# \frac{\partial L}{\partial z_t} = w_t\,(q_t - p_t)$$
#
# with p the teacher's probabilities, q the student's, z the student's logits and w the weights. Compare the gradient
# with that of the next-token loss, $w_t\,(q_t - e_t)$, where $e_t$ is 1 at the token that was drawn and 0 elsewhere:
# the same on average over draws, without the dice. (Averaged over what was *kept*, the draws are no longer the
# teacher's: the filter has been at them, and only the next-token loss learns from that.)
#
# ### Exercise 12.5: the student's loss
#
# *Difficulty 2 · 2 points · 15 minutes*
#
# <details><summary>Hint 1</summary>
#
# `log_softmax` of both, and probabilities as `exp` of it. softmax and then `log` breaks where a probability rounds to
# 0.
# </details>
# <details><summary>Hint 2</summary>
#
# The teacher is given, it shall not learn: `detach`. And nothing is divided: the training loop divides by the weights
# of the whole step.
# </details>

# %% exercise="distill.kl" points=2 minutes=15 difficulty=2
from minids.rl.distill import kl_sum

# %% [markdown]
# Which of the two says more, and where? The teacher is our RL model. For each token of its own documents: how sure was
# it?

# %%
teacher = after["and language", 0]


@torch.no_grad()
def entropies(model, pairs):
    """Entropy in bits of the model at each token of the replies."""
    batch = documents.Documents.of(pairs).batch(range(len(pairs)), prompt_weight=0.0)
    logp = model.lm_head(model.hidden(batch.ids_BT, valid_BT=batch.valid_BT)).log_softmax(-1)
    bits = -(logp.exp() * logp).sum(-1) / torch.tensor(2.0).log()
    return bits[:, :-1][batch.weight_BT[:, 1:] > 0]


bits = entropies(teacher, own[:100]).sort().values
fig, ax = plt.subplots(figsize=(6, 2.4))
ax.plot(torch.linspace(0, 100, len(bits)), bits)
ax.set(xlabel="tokens of the replies, sorted, %", ylabel="teacher's entropy, bits")
show(fig, "The teacher's entropy at each token of its documents, sorted: next to nothing for most tokens, and up to "
          "about one bit for a few of them.")
print(f"half of the tokens have less than {bits[len(bits) // 2]:.3f} bits; the most uncertain tenth holds "
      f"{100 * bits[-len(bits) // 10:].sum() / bits.sum():.0f} % of all bits")

# %% [markdown]
# Nearly everywhere the teacher is sure, and there a distribution says no more than its one token does. Only at a few
# places there is something to be told. So expect little of it here, and more from a teacher of prose, where many words
# could follow.
#
# Now the student. R1's were pretrained elsewhere, on trillions of tokens; a model of this size that starts from nothing
# would take minutes to learn what a sum is (the recipe takes them). We cut one out of the base instead: its first and
# its last layer, the two in the middle left out, and some updates to grow together on the kind of documents that the
# base was pretrained on.

# %%
def two_layers(model):
    """A model of the first and the last layer of `model`."""
    last = model.config.num_hidden_layers - 1
    small = Transformer(ModelConfig.from_dict({**model.config.to_dict(), "num_hidden_layers": 2}, where="chapter 12"))
    theirs = model.state_dict()
    small.load_state_dict({k: theirs[k.replace("layers.1.", f"layers.{last}.", 1)] for k in small.state_dict()})
    return small


student = sft(two_layers(base), list(written(sums(900, 6), 6)), budget(80), seed=6)
sizes = [sum(p.numel() for p in m.parameters()) for m in (base, student)]
print(f"{sizes[1] / sizes[0]:.0%} of the parameters")

# %% [markdown]
# Three ways from there, at equal samples: RL draws 960 answers of the student, and the teacher drew 960 for its
# documents.

# %%
def distilled(seed, objective=None):
    return sft(copy_of(student), own, budget(150), seed, objective)


small = {("before", 0): student}
for seed in (0, 1):
    small["RL on the student", seed] = copy_of(student)
    reinforce(small["RL on the student", seed], seed)
    small["from samples", seed] = distilled(seed)
    small["from logits", seed] = distilled(seed, distill.FromLogits(teacher))
answers = {key: ask(m, tests) for key, m in small.items()}
rights = {key: share(a, "accuracy") for key, a in answers.items()}
for name in dict.fromkeys(name for name, _ in rights):
    print(f"{name:18}", *(f"{v:5.1f} %" for (n, _), v in rights.items() if n == name))
print(f"{'the teacher':18} {share(found['and language', 0], 'accuracy'):5.1f} %")
for name in ("before", "RL on the student", "from samples"):
    parts = [share((answers[name, 0][0][k : k + 100],), "accuracy") for k in (0, 100, 200)]
    print(f"{name}, seed 0, sums of 2, 3, 4 digits:", *(f"{part:.0f} %" for part in parts))

# %% [markdown]
# The paper's order, with two seeds: distillation is well ahead of RL on the student itself. The last lines show the
# reason. RL can only make more likely what is drawn now and then; on the longer sums the student is hardly ever right,
# so nearly all answers of a group are wrong, and nothing can be learned from them. A document of the teacher shows at
# every token what to do, for the longer sums as for the short ones.
#
# Logits or samples makes no difference that these numbers would show, as the curve above led us to expect; for that the
# logits cost a forward of the teacher for every batch, and want the teacher's very vocabulary. R1's students had other
# tokenizers than their teacher, so there was no choice.
#
# Where does distillation not pay? It needs a teacher, and somebody must have trained it: the 960 answers were cheap,
# the model that wrote them was not. The student stays far below the teacher, too, and its documents hold nothing that
# the teacher can not do. The paper draws the same line (section 4.1): the cheap way to a good small model, and not the
# way beyond the best one.
#
# ## 7 The whole recipe
#
# A notebook's stages are seconds long and have one family of problems. `minids run tiny-r1` goes the whole way: chains
# and stories beside sums, the chat template, a cold start of 300 updates, a second RL, and a smaller dense model that
# is pretrained for itself. What recorded runs of it say, if there are any in this copy of the repository:

# %%
records = [
    json.loads(path.read_text(encoding="utf-8"))
    for path in sorted((ROOT / "docs" / "results").glob("tiny-r1-seed*.json"))
]
rows = [row for record in records for row in record["evals"] if row["family"] == "all"]
print(f"recorded runs: {len(records)}; right answers at temperature 1" if records else "not recorded yet")
for stage in dict.fromkeys(row["stage"] for row in rows):
    of = [row for row in rows if row["stage"] == stage]
    latin = [r["language"] for r in of if "language" in r]  # records of the base may be older than this column
    print(f"{stage:16} {100 * mean(r['pass1'] for r in of):5.1f} %   {mean(r['length'] for r in of):5.1f} tokens   "
          + (f"Latin {100 * mean(latin):5.1f} %" if latin else ""))

# %% [markdown]
# (Stages: `sft` is the cold start, `rl1` the first RL, `sft2` and `rl2` the second ones; below these the small model.
# The cold start and the first RL see no stories, which is why they fall behind on the mean of all families.)
#
# ## What you now own
#
# - `r1.number_words`: thoughts that can mix two scripts, and so a thing to measure.
# - `reward.language`: R1's third reward, as far as Unicode goes.
# - `rejection.accept`: what a model may teach the next one.
# - `rejection.expected`: how much the easy questions will weigh in that.
# - `distill.kl`: what a student is told that can see its teacher's mind.
#
# ## Three questions
#
# 1. Your RL model's language consistency rises to 100 %. What else would you look at before you are pleased?
#
# <details><summary>Answer</summary>
#
# Whether there are words left: silence is perfectly consistent. Whether it is the language that was asked for: the
# share of Latin letters can not tell English from German. Whether accuracy fell, and for which questions. And thoughts,
# with your own eyes: a reward measures what it measures.
# </details>
#
# 2. You draw 8 answers to each question and keep all that are right and different. Half of your questions are solved 9
#    times in 10, half of them 1 time in 10. What part of the documents is about hard questions, and what part with
#    `keep = 1`?
#
# <details><summary>Answer</summary>
#
# All kept: 7.2 and 0.8 documents a question, so a tenth. With keep = 1: nearly 1.00 and $1 - 0.9^8 = 0.57$, so 36 %.
# The number of documents falls from 8.0 to 1.57 for each pair of questions, for the same sampling bill.
# </details>
#
# 3. Rejection sampling followed by SFT, again and again, is a way to train a policy as well ("expert iteration"). How
#    does it differ from GRPO with advantages, on the same samples?
#
# <details><summary>Answer</summary>
#
# It only ever says yes: right answers are made more likely, with the same weight for an easy question as for a hard
# one, and wrong answers push nothing down. GRPO measures an answer against its group: a right one among many right ones
# counts little, a right one among wrong ones a lot, and wrong ones are pushed away. (Expert iteration is one of the
# controls that a recipe can name: `expert_iteration` in `minids/run/controls.py`.)
# </details>
#
# ## Sources
#
# - DeepSeek-R1, arXiv 2501.12948; sections and tables are numbered as in its first version: 2.2.4 (weaknesses of
#   R1-Zero), 2.3.1 (cold start), 2.3.2 (language consistency), 2.3.3 (rejection sampling and second SFT), 2.3.4 (second
#   RL), 2.4 (distillation), 4.1 and table 6 (distillation against RL).
# - Hinton, Vinyals and Dean 2015, arXiv 1503.02531: distillation from logits. Kim and Rush 2016, arXiv 1606.07947:
#   distillation of sequence models from samples.
# - Zelikman et al. 2022, arXiv 2203.14465 (STaR): a model's own right answers as documents, and a new start from the
#   base each time.
# - The Unicode Standard: names of characters, as Python's `unicodedata` has them.
