# %% [markdown]
# # 13 Is it thinking?
#
# **The question.** Before reinforcement learning our small model answered less than half of the questions rightly, and
# afterwards nearly all. What it writes between its tags looks like reasoning. Has it learned something that it could
# not do before? Is the gain real? And does the writing do anything, or is it decoration in front of an answer that was
# settled long ago? The word "thinking" will not be defined here. It is taken apart into claims that can be measured,
# and that can fail.
#
# **What it costs.** 40 to 60 CPU-seconds and 1 GiB, most of it for some nine thousand sampled answers.
#
# **What it needs.** The models of chapters 10 and 11 at three stages of their life, which lie in `chapters/data/tiny`
# (made from a finished run by `minids dev tiny-models`). Nothing is trained here. Six exercises, 12
# points.

# %%
import json
import random
import re
from collections import Counter

import matplotlib.pyplot as plt
import numpy as np
import torch

from minids.course import budget, check, play, show, start, tiny_models, wrong
from minids.course.catalog import ROOT
from minids.errors import MinidsError
from minids.model import generate
from minids.eval import evaluate, statistics
from minids.eval import thought_interventions as probe
from minids.tasks import arithmetic
from minids.rl.rollout import prompt_of

start(13)

# %% [markdown]
# ## Three models, one set of questions
#
# The base model has seen worked solutions in plain text, most of them careful. The cold start (chapter 10) taught it
# the tags, and with every second thought a bad habit, haste. Reinforcement learning (chapter 11) then paid for right
# answers. The questions are the hardest kinds that were trained on, from the split that no stage has seen: sums of two
# numbers of up to five digits, chains of five numbers, stories of four. Each model answers each question many times,
# by sampling at temperature 1; and once greedily, always taking the likeliest token.

# %%
SAMPLES = budget(48)  # fewer where a test or a grader runs this notebook
HARD = {"add": 5, "chain": 5, "word": 4}  # family -> digits, or how many numbers
problems = [p for family, size in HARD.items() for p in arithmetic.problem_set([family], "test", 14, 13, size)]
NAMES = {"base": "base model", "sft": "after the cold start", "grpo": "after RL"}
models = {stage: tiny_models.model(stage) for stage in NAMES}


def answers(stage, problems, n=1, temperature=1.0, seed=13):
    """n answers to each problem: lists of (RewardResult, length in tokens, text)."""
    return evaluate.answer(*models[stage], problems, style=tiny_models.style(stage), n=n, temperature=temperature,
                           seed=seed, max_new_tokens=200)


def accuracy(rows):
    return sum(result.accuracy for row in rows for result, _, _ in row) / sum(map(len, rows))


# %%
drawn = {stage: answers(stage, problems, SAMPLES) for stage in NAMES}
right = {stage: [int(sum(r.accuracy for r, _, _ in row)) for row in rows] for stage, rows in drawn.items()}
print("                      greedy   sampled   tokens")
for stage, name in NAMES.items():
    length = sum(tokens for row in drawn[stage] for _, tokens, _ in row) / len(problems) / SAMPLES
    greedy = accuracy(answers(stage, problems, temperature=0))
    print(f"{name:20} {100 * greedy:6.1f} % {100 * accuracy(drawn[stage]):7.1f} % {length:8.1f}")
print()
print(problems[14].question, drawn["grpo"][14][0][2])

# %% [markdown]
# Two things to notice. The cold start made the model *worse*: it answers like somebody in a hurry. So a paper that
# compares RL with the stage before it could report a gain of sixty points here. And the base model, taken greedily, is
# about as good as the model after RL. Which of its numbers is "what the base model can do"?
#
# ## 1 Given enough attempts
#
# One answer to that: let it try k times, and count a problem as solved if one attempt is right. This is pass@k. The
# argument of Yue et al. (arXiv 2504.13837): if RL gives a model abilities, it should solve problems that the base
# model does not solve in any number of attempts. If it only makes the right attempt likelier, pass@1 rises while
# pass@k at large k does not.
#
# How does one measure pass@16 with 48 samples at hand? Not by one draw of 16: that throws two thirds away. And not by
# putting the observed share into $1 - (1 - c/n)^k$, as we shall see. Think of all subsets of k of the n samples, and
# ask which share of them holds a right one.
#
# ### Exercise 13.1: pass@k without bias
#
# *Difficulty 1 · 1 point · 10 minutes*
#
# <details><summary>Hint 1</summary>
#
# It is easier to count the subsets that fail. From which samples do they take all their k members?
# </details>
# <details><summary>Hint 2</summary>
#
# `math.comb` is exact for whole numbers of any size and gives 0 where fewer are there than are to be chosen. It is in
# the cell as `comb`. A product of factors (n - c - i) / (n - i) does as well.
# </details>

# %% exercise="statistics.pass_at_k" points=1 minutes=10 difficulty=1
from minids.eval.statistics import pass_at_k

# %% [markdown]
# Is the difference worth the trouble? Take a problem that is solved with probability 0.1 an attempt, and sixteen
# samples of it. What do the two estimators give *on average*, over everything that the sixteen may show?

# %%
def expected(estimate, p, n):
    """The mean of estimate(n, c) over the number c of right ones among n samples."""
    chance = torch.distributions.Binomial(n, torch.tensor(p, dtype=torch.float64))
    return sum(float(chance.log_prob(torch.tensor(c)).exp()) * estimate(n, c) for c in range(n + 1))


ks = range(1, 17)
fig, ax = plt.subplots(figsize=(5.5, 2.8))
ax.plot(ks, [1 - 0.9**k for k in ks], color="black", lw=4, alpha=0.25, label="truth")
ax.plot(ks, [expected(lambda n, c, k=k: statistics.pass_at_k(n, c, k), 0.1, 16) for k in ks], label="over subsets")
ax.plot(ks, [expected(lambda n, c, k=k: 1 - (1 - c / n) ** k, 0.1, 16) for k in ks], "--", label="share put in")
ax.set(xlabel="k", ylabel="pass@k, on average", ylim=(0, 1))
ax.legend()
show(fig, "Expected estimates of pass@k for a problem solved with probability 0.1. The one over subsets lies on the "
          "true curve for all k up to 16, the one with the share put in falls short by up to a sixth.")

# %% [markdown]
# The estimator over subsets is right on average for every k up to n; the other is too low wherever k is not small
# against n (arXiv 2107.03374, section 2.1). It is not a matter of more samples only: with 16 samples the problem is
# missed altogether in one case of five, and a share of 0 stays 0 whatever k is.
#
# Now the three models. The band around each curve is an interval of 95 % over problems, which section 3 looks into.
# The dotted line is what k guesses solve without reading the question: the k most frequent answers to such questions.
# Where it is high, pass@k says nothing.

# %%
KS = [k for k in (1, 2, 4, 8, 16, 32, 48) if k <= SAMPLES]
many = [p for family, size in HARD.items() for p in arithmetic.problem_set([family], "rl", 1000, 1, size)]
guess = evaluate.guess_at(many, KS)
fig, ax = plt.subplots(figsize=(6, 3.2))
for i, (stage, name) in enumerate(NAMES.items()):
    each = np.array([[statistics.pass_at_k(SAMPLES, c, k) for c in right[stage]] for k in KS])
    bounds = np.array([statistics.bootstrap_ci(row) for row in each])
    ax.plot(KS, each.mean(1), "o-", ms=4, color=f"C{i}", label=name)
    ax.fill_between(KS, *bounds.T, color=f"C{i}", alpha=0.15, lw=0)
    print(f"{name:20}", "  ".join(f"@{k} {100 * v:5.1f}" for k, v in zip(KS, each.mean(1))))
ax.plot(KS, list(guess.values()), ":", color="black", label="guessing")
ax.set(xscale="log", xticks=KS, xticklabels=KS, xlabel="k, attempts", ylabel="pass@k", ylim=(0, 1.02))
ax.minorticks_off()
ax.legend(loc="lower right", bbox_to_anchor=(1, 0.3))
show(fig, "pass@k over k from 1 to 48 for three models. After RL the curve starts near 0.95, the base model near 0.75, "
          "the cold start below 0.4; from k = 8 on base and RL are both near 1. Guessing rises slowly to about a "
          "third.")

# %% [markdown]
# At one attempt RL is far ahead. At eight the base model has caught up, and from there on nothing is left of the
# difference. The same, problem by problem: each dot is a question, to the right if the base model solves it within k
# attempts, at the top if the model after RL does. What RL has made solvable would be a dot at the upper left that stays
# there as k grows.

# %%
def draw(ax, k):
    k = min(k, SAMPLES)
    x, y = ([statistics.pass_at_k(SAMPLES, c, k) for c in right[stage]] for stage in ("base", "grpo"))
    for family, mark in zip(HARD, "os^"):
        pick = [i for i, p in enumerate(problems) if p.family == family]
        ax.plot([x[i] for i in pick], [y[i] for i in pick], mark, ms=5, alpha=0.6, label=family, clip_on=False)
    ax.plot([0, 1], [0, 1], color="grey", lw=0.8)
    ax.set(xlabel="base model, pass@k", ylabel="after RL, pass@k", xlim=(-0.03, 1.03), ylim=(-0.03, 1.03))
    ax.legend(fontsize=8, loc="lower left")


play(draw, k=(1, 48, 1), shown=[(1,), (4,), (32,)],
     alt="A dot for each question: pass@k of the base model against that of the model after RL. At k = 1 nearly all "
         "lie above the diagonal, with one or two far below; at k = 32 all lie in the upper right corner.")

# %% [markdown]
# No dot stays at the upper left. But at k = 1 some may lie *below* the diagonal: questions at which RL made the model
# worse. We shall meet them again. Our three recorded runs of the recipe, each with its own seed from the tokenizer on,
# say the same with more questions of all sizes (3,000 for the first columns, 300 for pass@16):

# %%
records = {
    seed: json.loads((ROOT / "docs" / "results" / f"tiny-seed{seed}.json").read_text(encoding="utf-8"))
    for seed in range(3)
}


def recorded(seed, stage, family="all"):
    """The recorded row of results of a stage."""
    return next(e for e in records[seed]["evals"] if (e["stage"], e["family"]) == (stage, family))


print("            greedy           sampled          pass@16")
print("seed     base   RL       base   RL        base   RL")
for seed in records:
    base, rl = (recorded(seed, stage) for stage in ("base", "grpo"))
    numbers = [row for key in ("greedy", "pass1") for row in (base[key], rl[key])]
    numbers += [row["pass_at"]["16"] for row in (base, rl)]
    print(f"{seed:4}  ", "  ".join(f"{100 * v:6.1f}" for v in numbers))

# %% [markdown]
# In all three runs RL gains more than ten points of sampled accuracy over the base model, and in all three the base
# model keeps a small lead in pass@16 and in greedy accuracy. That is what *sharpening* looks like: what was likely
# became likelier. There is a cheaper way to sharpen a distribution, and it needs no training at all.

# %%
TEMPERATURES = (0, 0.25, 0.5, 0.75, 1.0)
n = max(2, budget(30))
other = [p for family, size in HARD.items() for p in arithmetic.problem_set([family], "test", n, 14, size)]
by_temperature = {stage: [answers(stage, other, temperature=t) for t in TEMPERATURES] for stage in ("base", "grpo")}
fig, ax = plt.subplots(figsize=(5.5, 2.8))
for stage, colour in (("base", "C0"), ("grpo", "C2")):
    found = [[row[0][0].accuracy for row in rows] for rows in by_temperature[stage]]
    bounds = np.array([statistics.bootstrap_ci(values) for values in found])
    ax.plot(TEMPERATURES, [np.mean(v) for v in found], "o-", color=colour, label=NAMES[stage])
    ax.fill_between(TEMPERATURES, *bounds.T, color=colour, alpha=0.15, lw=0)
    print(f"{NAMES[stage]:12}", "  ".join(f"T={t} {100 * np.mean(v):5.1f} %" for t, v in zip(TEMPERATURES, found)))
ax.set(xlabel="temperature of sampling", ylabel="share right", ylim=(0.6, 1.01))
ax.legend(loc="lower left")
show(fig, "Share of right answers over the temperature. The base model falls from nearly 1 at temperature 0 to about "
          "0.75 at 1; the model after RL stays near 0.97 throughout.")

# %% [markdown]
# Sampled at temperature 0.5 or below, the base model is as good as the model after RL. One can say it that way round,
# too: RL built into the weights what otherwise is a knob that somebody has to know of. It found out, from right and
# wrong alone, which of the model's habits to keep (compare the lengths in the first table: the hasty and brisk thoughts
# are gone). That is worth a lot after a cold start that spoiled them, and it is not a new ability.
#
# And questions that lie just outside? Chains of six numbers never occurred in training.

# %%
beyond = arithmetic.problem_set(["chain"], "test", 12, 15, 6)
TRIES = budget(32)
for stage in ("base", "grpo"):
    solved = [int(sum(r.accuracy for r, _, _ in row)) for row in answers(stage, beyond, TRIES)]
    mean = np.mean([statistics.pass_at_k(TRIES, c, 1) for c in solved])
    print(f"{NAMES[stage]:10} pass@1 {100 * mean:4.1f} %; solved at least once in {TRIES} attempts: "
          f"{sum(c > 0 for c in solved)} of {len(beyond)}")

# %% [markdown]
# Both models mostly stop after five numbers and give that result. Nothing in the reward of the recipe asked for more.
#
# **What this does not show.** Yue et al. found such crossings for models of 7 to 32 billion parameters, and conclude
# that today's RL with verifiable rewards does not go beyond its base. Liu et al. (arXiv 2505.24864) report the
# opposite after much longer training on many kinds of tasks. Both may be right: it depends on whether RL ever meets a
# right answer that the base does not already give now and then. Nor is pass@k at large k an ability that anybody could
# use, as somebody has to pick the right one among k. And at k large enough a monkey passes: keep an eye on the guess
# line. (A problem with none right of 48 may still have a chance of 3/48 an attempt; "never" is a word about k.)

# %% [markdown]
# ## 2 Majority voting
#
# Who does not know the right answer can still take the most frequent one (self-consistency, arXiv 2203.11171). For
# R1-Zero a vote of 64 answers raised AIME 2024 from 71.0 to 86.7 % (arXiv 2501.12948, version 1, section 2.2.4).
# `statistics.maj_at_k` is the probability that a vote of k answers, drawn from the n, is right: counted exactly, as for
# pass@k.

# %%
VOTES = [k for k in (1, 3, 5, 9, 17, 33, 48) if k <= SAMPLES]
fig, ax = plt.subplots(figsize=(5.5, 2.8))
for i, (stage, name) in enumerate(NAMES.items()):
    said = [[result.answer for result, _, _ in row] for row in drawn[stage]]
    values = [statistics.mean_maj_at_k(said, [int(p.answer) for p in problems], k) for k in VOTES]
    ax.plot(VOTES, values, "o-", ms=4, color=f"C{i}", label=name)
    print(f"{name:20}", "  ".join(f"@{k} {100 * v:5.1f}" for k, v in zip(VOTES, values)))
ax.set(xscale="log", xticks=VOTES, xticklabels=VOTES, xlabel="k, votes", ylabel="share right", ylim=(0.3, 1.02))
ax.minorticks_off()
ax.legend(loc="lower right")
show(fig, "Share of right majority votes over the number of votes. The base model rises from about 0.75 to 1, the "
          "cold start from below 0.4 to about 0.95 and more, the model after RL starts near 0.95 and gains little.")

# %% [markdown]
# A vote of five to nine makes the base model as good as the model after RL is with one answer, and a vote of 33 makes
# a good model even of the one that was spoiled. Hasty thoughts err in many ways, careful ones agree: wrong answers
# seldom meet. What RL buys is the first answer, at a fifth of the price or less. But its own curve climbs slowly, and
# the base model overtakes it. Why? Look at the question that the model after RL answers worst.

# %%
worst = min(range(len(problems)), key=lambda i: right["grpo"][i])
print(problems[worst].question, "->", problems[worst].answer)
for stage in ("base", "grpo"):
    votes = Counter(result.answer for result, _, _ in drawn[stage][worst])
    print(f"{NAMES[stage]:10} {right[stage][worst]:2} of {SAMPLES} right; most frequent:",
          ", ".join(f"{a} ({n} times)" for a, n in votes.most_common(3)))
wrongly = [text for result, _, text in drawn["grpo"][worst] if not result.accuracy]
print(*wrongly[:1])

# %% [markdown]
# The base model errs by chance, here in this way and there in that, and its votes for wrong answers are scattered. The
# sharpened model errs with conviction: where it is wrong, it is wrong in the same way again and again, and the wrong
# answers gather votes. So one thing that is lost in sharpening is *disagreement*, which told when not to trust an
# answer.

# %% [markdown]
# ## 3 How sure are we?
#
# Fourteen questions of each kind: with others, the curves would look a little different. The bootstrap asks how much:
# draw questions from those at hand, with replacement, and see how the mean moves. Somebody has written such an interval
# and promises 95 %. A promise that can be tested: invent a model that solves each question with probability 0.7, draw
# 30 questions, compute the interval, look whether it holds the truth, and repeat.

# %%
def trial(interval, rounds=60):
    """Intervals (low, high) of `rounds` experiments whose truth is 0.7."""
    rng = np.random.default_rng(13)
    return [interval((rng.random(30) < 0.7).astype(float), draws=400, seed=i) for i in range(rounds)]


def picture(ax, found):
    for y, (low, high) in enumerate(sorted(found)):
        ax.plot([low, high], [y, y], color="C0" if low <= 0.7 <= high else "C1", lw=1.5)
    ax.axvline(0.7, color="black", lw=0.8)
    ax.set(xlabel="share right", ylabel="experiment", xlim=(0.35, 1))


# %%
suspect = wrong.named("statistics.bootstrap", "as_many_as_draws").fn
found = trial(suspect)
fig, ax = plt.subplots(figsize=(5.5, 3))
picture(ax, found)
show(fig, "Sixty intervals of the suspect as horizontal bars, sorted. They are short, and about half of them do not "
          "reach the line of the truth at 0.7.")
print(f"{sum(low <= 0.7 <= high for low, high in found)} of {len(found)} intervals hold the truth")
values = [1.0] * 21 + [0.0] * 9
for draws in (100, 1000, 4000):
    low, high = suspect(values, draws=draws)
    print(f"{draws:5} resamples: width {high - low:.3f}")

# %% [markdown]
# ### Exercise 13.2, a bug hunt: the interval that was too sure
#
# *Difficulty 2 · 2 points · 15 minutes*
#
# The cell holds the suspect. The last three lines above are the hint: a resample is a thought experiment, and making
# more of them should make the bounds less noisy, not closer.
#
# <details><summary>Hint 1</summary>
#
# Two numbers play a part: how many questions there are, and how often the experiment is imagined. Which one decides how
# far a mean strays?
# </details>
# <details><summary>Hint 2</summary>
#
# What is the size of one resample in the code, and what would it be if other questions had been asked instead?
# </details>

# %% exercise="statistics.bootstrap" start="as_many_as_draws" points=2 minutes=15 difficulty=2
from minids.eval.statistics import bootstrap_ci

# %%
found = trial(statistics.bootstrap_ci)
fig, ax = plt.subplots(figsize=(5.5, 3))
picture(ax, found)
show(fig, "Sixty intervals as bars, sorted: several times as wide as before, and nearly all of them cross the line "
          "of the truth.")
print(f"{sum(low <= 0.7 <= high for low, high in found)} of {len(found)} intervals hold the truth")

# %% [markdown]
# Nearly as often as promised (with 30 questions the percentile interval is a little too short still). What is drawn
# again matters as much as how often. Our model after RL has given 48 answers to each of 42 questions. Are that two
# thousand observations?

# %%
share = np.array(right["grpo"]) / SAMPLES
flat = np.concatenate([[1.0] * c + [0.0] * (SAMPLES - c) for c in right["grpo"]])
for name, values in (("as if every answer were a question of its own", flat), ("over questions", share)):
    low, high = statistics.bootstrap_ci(values)
    print(f"{name:46} {100 * low:5.1f} to {100 * high:5.1f} %")

# %% [markdown]
# Many answers to one question say much about that question and little about the next. The unit is the question.
#
# And there is a third thing that could have come out otherwise: the training. The recipe was run with three seeds, and
# with a control arm: the same cold start, the same RL, but every answer's reward is a coin. Here are the recorded
# intervals over 3,000 questions each.

# %%
fig, ax = plt.subplots(figsize=(6, 2.6))
ARMS = {"sft": "cold start", "random_reward": "RL, coins", "grpo": "RL, right answers"}
for y, (stage, name) in enumerate(ARMS.items()):
    rows = [recorded(seed, stage) for seed in records]
    for seed, row in enumerate(rows):
        low, high = row["ci"]
        ax.plot([low, high], [y + 0.2 * (seed - 1)] * 2, color=f"C{y}", lw=4, solid_capstyle="butt")
    spread = np.std([row["pass1"] for row in rows], ddof=1)
    inside = np.mean([(row["ci"][1] - row["ci"][0]) / 2 / 1.96 for row in rows])
    print(f"{name:18} mean {100 * np.mean([r['pass1'] for r in rows]):5.1f} %, standard deviation over seeds "
          f"{100 * spread:.1f}, standard error over questions {100 * inside:.1f} points")
ax.set(xlabel="share right, one sampled answer", yticks=range(3), yticklabels=ARMS.values(), xlim=(0, 1))
show(fig, "Intervals of accuracy of three seeds for three arms. Cold start between 0.41 and 0.48, RL with coins below "
          "0.12, RL with right answers about 0.95; within an arm the intervals of different seeds mostly do not touch.")

# %% [markdown]
# Within an arm, many of these bars do not even touch. An interval over questions says what *this* model would do on
# other questions. It does not say what another run of the same recipe would give, and that varies at least twice as
# much here, for the coins ten times. With three seeds even the spread is hardly known (the factor for 95 % is 4.3
# standard errors, not 2), and one seed says nothing about it. Hochlehnert et al. (arXiv 2504.07086, abstract) find that
# many reported gains hinge on sources of variance that were not reported.
#
# ### The control
#
# What do the coins show? The steps, the sampling, the optimiser and the clipping are those of the real run, so the gain
# is not owed to any of them: it takes rewards that know what is right. Pushed about at random, the model even forgets,
# since nothing pays for staying as it was. What do they *not* show? That right rewards taught anything new: section 1
# stands. And not that coins do nothing to other models. On Qwen2.5-Math-7B they brought 21 points on MATH-500, against
# 29 with true rewards, where other model families gained nothing (Shao et al., arXiv 2506.10947, abstract): a habit
# that was strong in that model and happened to pay was strengthened by noise. A gain is only as good as its control.
#
# ### Two models, the same questions
#
# Is the base model at temperature 0 really as good as the model after RL? On the questions of the temperature plot the
# two have nearly the same score. As both met the *same* questions, they can be compared one by one, and all questions
# on which they agree drop out. What is left: so many differences in favour of one, so many of the other. If the two
# were alike, each difference could as well have had the other sign.
#
# ### Exercise 13.3: how often would chance do as well?
#
# *Difficulty 3 · 3 points · 30 minutes*
#
# <details><summary>Hint 1</summary>
#
# Start with four differences of 1, and write the sums of all 16 patterns. Two of them are as far from 0 as 4: p is
# 0.125.
# </details>
# <details><summary>Hint 2</summary>
#
# 2^P patterns can not be listed for P = 60, but they have few different sums. Keep a table: sum -> number of patterns
# that give it. A further difference d turns every entry into two.
# </details>
# <details><summary>Hint 3</summary>
#
# `Counter({0: 1})` to begin with; `grown[total + d] += count` and the same for minus. Compare distances from 0, and
# count those that are just as far.
# </details>

# %% exercise="statistics.paired" points=3 minutes=30 difficulty=3
from minids.eval.statistics import paired_test

# %%
def compare(name, before, after):
    d = [int(y - x) for x, y in zip(before, after)]
    print(f"{name:40} {sum(x > 0 for x in d):2} better, {sum(x < 0 for x in d):2} worse of {len(d)}: "
          f"p = {statistics.paired_test(d):.2g}")


greedy = {stage: [int(row[0][0].accuracy) for row in by_temperature[stage][0]] for stage in by_temperature}
once = {stage: [int(row[0][0].accuracy) for row in by_temperature[stage][-1]] for stage in by_temperature}
compare("RL after base, greedy, one answer each", greedy["base"], greedy["grpo"])
compare("RL after base, sampled, one answer each", once["base"], once["grpo"])
compare(f"RL after base, sampled, {SAMPLES} answers each", right["base"], right["grpo"])

# %% [markdown]
# Greedily, the two differ on a handful of questions, and a handful decides nothing: even if all differences point the
# same way, it takes six of them to get below 0.05 (2/2⁶). The recorded runs decide it. With 3,000 questions the greedy
# model after RL is behind the greedy base in all three, by one to two and a half points.
#
# ### How many questions for two points?
#
# The variance of a mean has two sources: questions differ (some are harder), and answers to one question differ.
# The second can be sampled away. The first falls out if both models meet the same questions, as far as both find the
# same ones hard. To see a gain in four of five experiments at the usual 5 %, it has to be 2.8 standard errors.

# %%
a, b = SAMPLES, right["grpo"]
within = np.mean([c / a * (a - c) / (a - 1) for c in b])  # of answers to one question
between = max(0.0, np.var([c / a for c in b], ddof=1) - within / a)  # of questions
print(f"variance within a question {within:.3f}, between questions {between:.3f}")
n = np.array([1, 2, 4, 8, 16, 32, 64])
fig, ax = plt.subplots(figsize=(5.5, 2.8))
for name, variance in (("other questions", 2 * (between + within / n)), ("the same questions", 2 * within / n)):
    ax.plot(n, (2.8 / 0.02) ** 2 * variance, "o-", label=name)
ax.set(xscale="log", yscale="log", xticks=n, xticklabels=n, xlabel="answers to each question",
       ylabel="questions needed")
ax.minorticks_off()
ax.legend()
show(fig, "Questions needed to see a gain of two points, over answers a question. With other questions for each model "
          "the curve flattens out at several hundred; with the same ones it falls in proportion.")
print(f"one answer each on 30 questions, models near 70 %: a gain has to be {280 * (2 * 0.21 / 30) ** 0.5:.0f} points")

# %% [markdown]
# The last line is why 30 problems of AIME with one answer each tell next to nothing about two points, and why R1-Zero's
# rise from 15.6 to 71.0 % needed no statistics. (The lower curve is the best case, of two models that find exactly the
# same questions hard. Miller, arXiv 2411.00640, recommends the same three things: intervals over questions, paired
# differences, and a count of questions *before* the experiment.)

# %% [markdown]
# ## 4 Do longer thoughts help?
#
# R1-Zero's thoughts grew with its accuracy, and so did ours. So, is a longer answer a better one? Ask the base model,
# which writes in all styles if it is sampled: questions of all sizes, the largest beyond those that were trained on,
# and some answers to each.

# %%
sizes = {"add": (2, 3, 4, 5, 6), "chain": (2, 3, 4, 5, 6), "word": (2, 3, 4, 5)}
mixed = [p for family in sizes for size in sizes[family] for p in arithmetic.problem_set([family], "test", 4, 19, size)]
rows = answers("base", mixed, max(4, budget(12)))
lengths = [[tokens for _, tokens, _ in row] for row in rows]
rights = [[result.accuracy for result, _, _ in row] for row in rows]
easy = [i for i, p in enumerate(mixed) if p.size == min(sizes[p.family])]
hard = [i for i, p in enumerate(mixed) if p.size == max(sizes[p.family])]
for name, pick in (("smallest sizes", easy), ("largest sizes", hard)):
    print(f"{name:15} {np.mean([lengths[i] for i in pick]):4.0f} tokens, "
          f"{100 * np.mean([rights[i] for i in pick]):4.0f} % right")

# %% [markdown]
# Longer answers are *worse*, says this table, since long ones belong to hard questions. To learn what length does,
# compare answers to the same question. Take every number relative to its question's mean, and put one line through what
# is left.
#
# ### Exercise 13.4: a slope within questions
#
# *Difficulty 2 · 2 points · 15 minutes*
#
# <details><summary>Hint 1</summary>
#
# The slope through the origin by least squares is Σ x y / Σ x². Here x and y are what is left when the means of the
# problem are taken away.
# </details>
# <details><summary>Hint 2</summary>
#
# One sum over all samples above the line, and one below. Dividing problem by problem and averaging would let a problem
# with two nearly equal lengths count as much as all others.
# </details>

# %% exercise="statistics.slope" points=2 minutes=15 difficulty=2
from minids.eval.statistics import slope_within

# %%
means = [[np.mean(row)] for row in lengths], [[np.mean(row)] for row in rights]
slopes = {"between questions": statistics.slope_within(*([sum(z, [])] for z in means)),
          "all answers together": statistics.slope_within([sum(lengths, [])], [sum(rights, [])]),
          "within questions": statistics.slope_within(lengths, rights)}
for name, slope in slopes.items():
    print(f"{name:21} ten tokens more: {1000 * slope:+5.1f} points")

# %%
fig, ax = plt.subplots(figsize=(6, 3.2))
for x, y in zip(lengths, rights):
    halves = [[(a, b) for a, b in zip(x, y) if (a > np.mean(x)) == longer] for longer in (False, True)]
    if all(halves):
        ax.plot(*zip(*(np.mean(half, axis=0) for half in halves)), color="C1", lw=0.8, alpha=0.6)
ax.plot(*([v for (v,) in z] for z in means), "o", ms=4, color="C0", label="a question, all its answers")
x = np.array([15, 85])
middle = np.mean(sum(lengths, [])), np.mean(sum(rights, []))
ax.plot(x, middle[1] + slopes["between questions"] * (x - middle[0]), color="C0", lw=2.5)
ax.plot([], [], color="C1", label="from its shorter to its longer answers")
ax.set(xlabel="tokens of the answer", ylabel="share right", ylim=(-0.05, 1.05))
ax.legend(ncols=2, loc="lower center", bbox_to_anchor=(0.5, 1.0), fontsize=8)
show(fig, "A dot for each question at its mean length and accuracy; the line through the dots falls. A thin line for "
          "each question from its shorter to its longer answers: nearly all that are not flat at zero rise steeply.")

# %% [markdown]
# Simpson's paradox: the same numbers, and the sign depends on whether hard and easy questions are kept apart. Between
# questions longer is worse, within a question better, and all answers thrown together seem to say that length hardly
# matters.
#
# Before you conclude that length helps: it is still only a correlation. A long answer here is one written in the
# careful style, a short one in the hasty. Which of the two counts, the steps or the length? That can only be found out
# by taking hold of the thought, in section 6.

# %% [markdown]
# ## 5 Was the question new?
#
# A model that has seen the answers needs no thought. reasoning-gym, a well-known collection of generated tasks, makes
# item number i from `Random(seed + i)` (`reasoning_gym/arithmetic/chain_sum.py`, and the others like it). Its own
# training script trains on seed 1 and validates on seed 2 (`training/train_grpo.py`). Here is the same in small: sums
# of two numbers of one to three digits.

# %%
def item(seed, i):
    rng = random.Random(seed + i)
    digits = rng.randrange(1, 4)
    low = 10 ** (digits - 1) if digits > 1 else 0
    return rng.randrange(low, 10**digits), rng.randrange(low, 10**digits)


def data_set(seed, size):
    return [item(seed, i) for i in range(size)]

# %%
# NBVAL_CHECK_OUTPUT
train, validation = data_set(1, 10_000), data_set(2, 1000)
print("train     ", *(f"{a}+{b}" for a, b in train[:5]))
print("validation", *(f"{a}+{b}" for a, b in validation[:5]))
table = {terms: sum(terms) for terms in train}
print(f"a table of the training set answers {sum(t in table for t in validation)} of {len(validation)}")

# %% [markdown]
# Item i of seed 2 is item i + 1 of seed 1. The "validation" is the training set, and a model that has learned it by
# heart, or a table that can not add at all, gets full marks. The cure seems simple: take a seed far away.

# %%
# NBVAL_CHECK_OUTPUT
far = data_set(1_000_000, 1000)
print(f"of a far seed the table answers {sum(t in table for t in far)} of {len(far)}")
for digits in (1, 2, 3):
    these = [t for t in far if len(str(max(t))) == digits]
    print(f"  {digits} digits: {sum(t in table for t in these)} of {len(these)}")
turned = sum(t in table or t[::-1] in table for t in far)
print(f"and if it knows that a+b = b+a: {turned}")

# %% [markdown]
# Better, and still half. Small tasks run out of questions. So the split must not be left to a generator: it has to be a
# property of the question. In this library a hash of the operands decides (`arithmetic.split_of`): a tenth of all that
# could ever be asked belongs to the test, whoever asks, in whatever words. That leaves one decision, and no hash can
# take it: when are two questions the same?
#
# Is 12+3 the same as 3+12? For a table they are two. For a model that has learned 3+12=15, or for a child, 12+3 is
# hardly a test. And 12+7-5 against 7+12-5? The same sum again; but a thought goes through other running totals, 19
# both times by luck here, and in longer chains others. The library says: two numbers that are added are one question
# in either order, everything else is taken as it stands.
#
# ### Exercise 13.5: the key of a question
#
# *Difficulty 1 · 1 point · 10 minutes*
#
# The key decides to which split a question belongs. If yours gave other texts, all test questions would be others, and
# some of them would have been trained on: hence the exact form.
#
# <details><summary>Hint</summary>
#
# Three conditions in a row: exactly two terms, none of them negative, and the order of numbers (9 before 10), not of
# words.
# </details>

# %% exercise="held_out.key" points=1 minutes=10 difficulty=1
from minids.tasks.arithmetic import key_of

# %%
# NBVAL_CHECK_OUTPUT
for terms in ((12, 3), (3, 12), (12, 7, -5), (7, 12, -5)):
    key = arithmetic.key_of(terms)
    print(f"{arithmetic.expression(terms):8} key {key:8} split {arithmetic.split_of(key)}")
seen = {arithmetic.key_of(t) for t in train if arithmetic.split_of(arithmetic.key_of(t)) != "test"}
test = [t for t in far if arithmetic.split_of(arithmetic.key_of(t)) == "test"]
known = sum(arithmetic.key_of(t) in seen for t in test)
print(f"trained outside the test split, the table answers {known} of {len(test)}")
try:
    arithmetic.assert_split([arithmetic.Problem("add", "3+12", (3, 12), 2)], "test")
except MinidsError as error:
    print(error)

# %% [markdown]
# None left, and the last line is the guard: every set of this library is asserted to lie in its split, so a run that
# mixes them stops. What is left to judgement: chains whose order differs count as different, which is generous; and
# every single step, such as 7+6=13, is in the training set a thousand times. It has to be. What a test may not share is
# what is *asked*.

# %% [markdown]
# ## 6 Does the thought do anything?
#
# A thought can stand in front of an answer without being its cause. People explain afterwards what they had decided
# before, and so may a model. Correlations will not tell; interventions do (Lanham et al., arXiv 2307.13702). Change the
# thought, leave all else as it is, and see whether the answer follows.
#
# First the record: a control model was trained with as many tokens to answer *without* a thought.

# %%
for seed in records:
    direct, rl = recorded(seed, "direct"), recorded(seed, "grpo")
    print(f"seed {seed}: answers at once {100 * direct['pass1']:4.1f} %, greedy {100 * direct['greedy']:4.1f} %; "
          f"thinks first {100 * rl['pass1']:4.1f} %, greedy {100 * rl['greedy']:4.1f} %")

# %% [markdown]
# So at this size it takes the steps, or something that comes with them. Do they have to be *these* steps?
#
# ### Cut it short
#
# Budget forcing (s1, arXiv 2501.19393, section 3.1): when the thought has used up its budget, the marks that close it
# and open the answer are put in by force. The model has to answer with what it has.
#
# ### Exercise 13.6: a thought within a budget
#
# *Difficulty 2 · 3 points · 20 minutes*
#
# <details><summary>Hint 1</summary>
#
# Three parts: what opens the thought, the thought, what closes it. Only the middle one has to be found and cut. Lists
# in Python are sliced without harm beyond their end.
# </details>
# <details><summary>Hint 2</summary>
#
# Where does the thought end? `end` is several ids, and the first of them is a line break. Compare slices of
# `len(end)` ids, from the left; if none fits, the thought was broken off, and all of it is thought.
# </details>

# %% exercise="thoughts.limit" points=3 minutes=20 difficulty=2
from minids.eval.thought_interventions import limit_thought

# %%
# NBVAL_CHECK_OUTPUT
model, tokenizer = models["grpo"]
begin, end = probe.marks(tokenizer)
reply = [*begin, *tokenizer.encode("7+6=13 4+9+1=14 3+8+1=12 0+5+1=6"), *end, *tokenizer.encode("6243")]
for room in (0, 7, 100):
    print(f"{room:3}", repr(tokenizer.decode(probe.limit_thought(reply, room, begin, end))))

# %%
asked = {f: arithmetic.problem_set([f], "test", max(4, budget(30)), 16, size) for f, size in HARD.items()}
whole = {family: generate.generate(model, [prompt_of(tokenizer, p.question, "tags") for p in some],
                                   max_new_tokens=200, temperature=0, stop_ids=[tokenizer.eos_id]).ids
         for family, some in asked.items()}


def forced(change, max_new_tokens=160):
    """{family: replies that go on from change(reply)}"""
    return {f: probe.resume(model, tokenizer, asked[f], [change(ids) for ids in whole[f]],
                            max_new_tokens=max_new_tokens) for f in asked}


def share_right(found):
    return {f: np.mean([result.accuracy for result, _, _ in some]) for f, some in found.items()}


LIMITS = range(0, 131, 10)
cut = [share_right(forced(lambda ids, n=n: probe.limit_thought(ids, n, begin, end), 20)) for n in LIMITS]

# %%
fig, ax = plt.subplots(figsize=(6, 3))
for family, colour in zip(asked, ("C0", "C1", "C2")):
    ax.plot(LIMITS, [at[family] for at in cut], "o-", ms=4, color=colour, label=family)
    usual = [len(probe.limit_thought(ids, 999, begin, end)) - len(begin) - len(end) for ids in whole[family]]
    ax.axvline(np.median(usual), color=colour, lw=0.8, ls=":")
ax.set(xlabel="budget of the thought, tokens", ylabel="share right", ylim=(-0.03, 1.03))
ax.legend()
show(fig, "Share of right answers over the budget for three families. Each curve lies at zero for most of the way and "
          "rises to nearly one where the budget reaches the usual length of such a thought, marked by a dotted line.")

# %% [markdown]
# Half a thought is worth nothing: the answer is not there before the last step, and the model has no guess to fall back
# on that is better than none. (The curves rise over some width because thoughts differ in length, not because a shorter
# thought would do.) Large models are different: s1's accuracy climbs slowly over budgets from hundreds to thousands of
# tokens, so that many thoughts can be cut with little loss.
#
# ### Refuse the end
#
# The other half of budget forcing: when the model wants to close its thought, leave out the mark, append "Wait", and
# let it go on. For s1 this made accuracy on AIME24 rise from 50 to 57 % (abstract): a second look finds mistakes. Here
# the thought is opened again with nothing appended (a control: it should just close), with a blank, or with "Wait".

# %%
for name, more in (("nothing", ""), ("a blank", " "), ("Wait", " Wait")):
    found = forced(lambda ids, more=more: probe.refuse_end(ids, tokenizer.encode(more), begin, end))
    longer = np.mean([n - len(ids) for f in found for (_, n, _), ids in zip(found[f], whole[f])])
    shares = "  ".join(f"{f} {100 * v:5.1f} %" for f, v in share_right(found).items())
    print(f"{name:8} {longer:+5.1f} tokens   {shares}")
print()
print(asked["add"][0].question, found["add"][0][2])

# %% [markdown]
# Longer, and worse; in sums as bad as can be. Our model has never seen a thought with a second look in it. Asked to go
# on, it does the only thing it knows: one more column, and the carry of a digit that is not there. So much for "longer
# answers are right" of section 4: there the steps were needed, here only the length was added. What budget forcing
# draws out of s1 had been put in before, by a thousand thoughts of a model that does look back.
#
# ### Change a digit
#
# The sharpest question last. Take a right thought, change one digit of one result, and let the model answer. If the
# answer is read off the thought, it must change in exactly this digit, and we can say beforehand to what. If it was
# settled before, it stays right. Five interventions:
#
# - (a) a digit in a column of a finished sum;
# - (b) the first total of a chain, 10 too large, with the rest of the chain still to be written;
# - (c) the same, and the column above from which that total was read changes with it;
# - (d) the whole thought of another question;
# - (e) a thought of the same length that says nothing ("0+0=0" over and over).

# %%
rng = random.Random(13)
sums = arithmetic.problem_set(["add"], "test", max(4, budget(60)), 17, 5)
spelled = [arithmetic.thought(p, "careful") for p in sums]
changed = [probe.corrupt(t, rng.randrange(t.count("=")), rng.randrange(1, 10)) for t in spelled]
idle = [tokenizer.decode(tokenizer.encode("0+0=0 " * 9)[: len(tokenizer.encode(t))]) for t in spelled]


def closed(thought):
    return [*begin, *tokenizer.encode(thought), *end]


def with_a_larger_total(p, column_too):
    """(opening, the answer that follows) of a chain whose first total is 10 too large; None where that would carry."""
    columns = arithmetic.thought(p, "careful").split(">")[0]
    other = probe.corrupt(columns, 1) if columns.count("=") > 1 else columns
    if (total := probe.read_off(other)) != p.terms[0] + p.terms[1] + 10:
        return None
    opening = f"{other if column_too else columns}>{total}"
    return [*begin, *tokenizer.encode(opening)], int(p.answer) + 10

# %%
chains = arithmetic.problem_set(["chain"], "test", max(8, budget(90)), 18, 5)
chains = [p for p in chains if with_a_larger_total(p, False)]
experiments = {
    "(a) a digit of a sum": (sums, [closed(t) for t in changed], [probe.read_off(t) for t in changed]),
    "(b) a total": (chains, *zip(*(with_a_larger_total(p, False) for p in chains))),
    "(c) total and column": (chains, *zip(*(with_a_larger_total(p, True) for p in chains))),
    "(d) another's thought": (sums, [closed(t) for t in spelled[1:] + spelled[:1]],
                              [int(p.answer) for p in sums[1:] + sums[:1]]),
    "(e) an empty thought": (sums, [closed(t) for t in idle], [probe.read_off(t) for t in idle]),
}

# %%
KINDS = {"follows the thought": "C0", "right all the same": "C2", "neither": "#BBBBBB"}
outcome, replies = {}, {}
for name, (some, openings, want) in experiments.items():
    replies[name] = probe.resume(model, tokenizer, some, list(openings), max_new_tokens=140)
    kinds = ["follows the thought" if result.answer == w else "right all the same" if result.accuracy else "neither"
             for (result, _, _), w in zip(replies[name], want)]
    outcome[name] = [100 * kinds.count(kind) / len(kinds) for kind in KINDS]
    shares = ", ".join(f"{kind} {v:.0f} %" for kind, v in zip(KINDS, outcome[name]))
    print(f"{name:22} {len(kinds):3} questions: {shares}")

# %%
fig, ax = plt.subplots(figsize=(6.5, 2.8))
left = np.zeros(len(outcome))
for i, (kind, colour) in enumerate(KINDS.items()):
    part = np.array([shares[i] for shares in outcome.values()])
    ax.barh(range(len(outcome)), part, left=left, color=colour, label=kind)
    left += part
ax.set(yticks=range(len(outcome)), yticklabels=list(outcome), xlabel="answers, %", ylim=(4.5, -0.5))
ax.grid(False)
ax.legend(ncols=3, loc="lower center", bbox_to_anchor=(0.4, 1.0), fontsize=8)
show(fig, "Bars of outcomes for five interventions. For a changed digit, a changed total and a foreign thought nearly "
          "all answers follow the thought; for (b) a few are right all the same, for (c) hardly any; for an empty "
          "thought nearly none is right.")

# %% [markdown]
# The answer follows the thought, nearly always and against all evidence of the question, which stands there for
# everybody to read. A thought of another question is answered with that question's result. The thought is no
# decoration: it is where the computation happens, and its tokens are the memory that it works on. The length alone does
# nothing, as the empty thought shows.
#
# But some answers of (b) are right all the same. Did the model notice that the total is wrong?

# %%
caught = [(p, text) for p, (result, _, text) in zip(chains, replies["(b) a total"]) if result.accuracy]
for p, text in caught[:2]:
    print(p.expression, text.replace("\n", " "))

# %% [markdown]
# It would be easy to write now that the model "corrects itself". Read the line after the changed total. It takes the
# total's digits, and one of them from elsewhere: from the column above, where the right one still stands. The thought
# holds that digit twice, and the model sometimes reads the other copy. Experiment (c) changes both, and the effect is
# gone. An intervention is only as clean as one knows where the model can look; with thoughts in English, where
# everything is said three times, that is much harder than here.
#
# So nobody noticed anything. A person whose sum begins with columns that are not in the question would stop; this model
# has no step at which it looks back, and RL did not invent one. R1-Zero's "aha moment" (arXiv 2501.12948, section
# 2.2.4) is just such a step. In large models Lanham et al. found everything between following and ignoring, and larger
# models relied on their thoughts less.

# %% [markdown]
# ## So, is it thinking?
#
# | claim | evidence in this chapter | verdict |
# |---|---|---|
# | RL made it better | paired test; three seeds; coins as a control | yes, as it is sampled |
# | it can do what the base model could not | pass@k, temperature, six-number chains | no |
# | its answers come from its thoughts | cutting, changed digits, foreign thoughts | yes, nearly always |
# | longer thoughts are better | within questions yes; forced length no | only if the steps are needed |
# | it was tested on new questions | split by operands, asserted | yes; single steps are shared |
# | it checks what it writes | five interventions, none of them noticed | no |
#
# It computes on paper, step by step, and can not do without the paper. It does not look at what it has written. Whether
# to call the one thinking, or to ask for the other, is a matter of words; the table is not.
#
# ## What you now own
#
# - `statistics.pass_at_k`: pass@k for every k from one set of samples.
# - `statistics.bootstrap`: an interval over questions that keeps its promise. Every report of a run uses it.
# - `statistics.paired`: two models on the same questions, exactly.
# - `statistics.slope`: what length does, with difficulty taken out.
# - `held_out.key`: when two questions are the same. Every training and test set of the library is split by it.
# - `thoughts.limit`: a thought within a budget.
#
# ## Three questions
#
# 1. A model's pass@64 is 100 % on yes-or-no questions. What have you learned?
#
# <details><summary>Answer</summary>
#
# Nothing: two guesses pass. The guess line is at 100 % from k = 2 on. pass@k needs questions with many possible
# answers, and a guess line in the plot.
# </details>
#
# 2. RL raises pass@1 from 40 to 60 % and pass@256 from 90 to 93 %, on 100 questions. Three of them were never solved by
#    the base model and are solved afterwards. Is that a new ability?
#
# <details><summary>Answer</summary>
#
# Perhaps. First: three of a hundred is within what other samples would do; a question with a chance of 1/256 an attempt
# shows no right answer among 256 in 37 % of all cases. So sample the base model further on these three, look whether
# the answers can be guessed, and repeat the training with other seeds: are they the same three?
# </details>
#
# 3. You change a digit in a large model's thought, and the answer stays right in 80 % of all cases. Name two very
#    different reasons, and an experiment that tells them apart.
#
# <details><summary>Answer</summary>
#
# It noticed and corrected the mistake, or it did not use the thought. Let it go on from the changed place and read: if
# it corrects itself, that is in the text. Then close the thought right after the changed digit, so that it has no
# place to correct: an answer that is still right did not come from the thought.
# </details>
#
# ## Sources
#
# - Chen et al. 2021, arXiv 2107.03374, section 2.1: pass@k and its unbiased estimator.
# - Yue et al. 2025, arXiv 2504.13837: base models catch up at large k. Liu et al. 2025, arXiv 2505.24864: the opposite.
# - DeepSeek-R1, arXiv 2501.12948 (version 1), section 2.2.4: R1-Zero's accuracy, votes, lengths, "aha moment".
# - Wang et al. 2022, arXiv 2203.11171: self-consistency. Muennighoff et al. 2025, arXiv 2501.19393: s1, budget forcing.
# - Lanham et al. 2023, arXiv 2307.13702: early answers, added mistakes, filler tokens.
# - Shao et al. 2025, arXiv 2506.10947: random rewards that help. Our controls: `docs/results/tiny-seed*.json`.
# - Efron 1979, "Bootstrap methods: another look at the jackknife"; Fisher 1935, "The Design of Experiments", section
#   21; McNemar 1947; Miller 2024, arXiv 2411.00640; Hochlehnert et al. 2025, arXiv 2504.07086.
# - reasoning-gym, github.com/open-thought/reasoning-gym: `reasoning_gym/arithmetic/chain_sum.py`,
#   `training/train_grpo.py`.
