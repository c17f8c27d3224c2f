# %% [markdown]
# # 11 GRPO
#
# **The question.** A model is told nothing but whether its answer was right: one number at the end of many tokens. How
# does that number reach the tokens? DeepSeek-R1-Zero was trained so, from a base model and with no example of a
# thought (arXiv 2501.12948, section 2.2), by an algorithm that fits on one page: group relative policy optimisation
# (arXiv 2402.03300, section 4.1). It is a page on which nearly every line can be wrong without anything crashing. So we
# first go where the truth is known: to a policy so small that its gradient can be written down without sampling.
#
# **What it costs.** 45 to 70 CPU-seconds on one core that is not busy with other things, half of them for real
# reinforcement learning on a small language model; 1 GiB.
#
# **What it needs.** Chapters 02 (sampling) and 10 (masks). Six exercises, 14 points.

# %%
import json
import re
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import torch
from einops import reduce

from minids.course import budget, check, play, show, start, tiny_models, wrong
from minids.course.catalog import ROOT
from minids.eval import evaluate
from minids.studies import exact_gradient
from minids.rl import config as rl_config, grpo, importance_sampling, presets, rollout, trainer
from minids.tasks import arithmetic, reward
from minids.train import metrics

start(11)

# %% [markdown]
# ## 1 A policy one can write down
#
# Three tokens: 0 stops, 1 and 2 go on. An answer has at most four of them. That makes 15 prefixes, at each of which the
# policy has three logits, and 31 answers. Some of them are "right". The model is a table of 45 numbers, `theta`, and
# what we want to climb is the expected reward,
#
# $$J(\theta) = \sum_o p_\theta(o)\, r(o).$$
#
# For a language model that sum has more terms than there are atoms in the universe. Here it has 31.

# %%
tree = exact_gradient.tree()
theta, drawn = exact_gradient.draw(tree, seed=43)
rewards = (drawn > 0.5).double()  # 1 for a right answer, else 0
prob = exact_gradient.answer_probs(tree, theta)
order = prob.argsort(descending=True)
fig, ax = plt.subplots(figsize=(7.5, 2.4))
ax.bar(range(len(order)), prob[order], color=["#009E73" if rewards[o] else "#BBBBBB" for o in order])
ax.set_xticks(range(len(order)), ["".join(map(str, tree.answers[o])) for o in order], rotation=90, fontsize=7)
ax.set(ylabel="probability")
ax.grid(axis="x", visible=False)
show(fig, "The 31 answers by their probability, from 20 per cent down to nearly nothing. Three of them are right, "
          "drawn in green: one has 9 per cent, the others hardly any.")
print(f"{int(rewards.sum())} of {len(order)} answers are right; expected reward J = {(prob * rewards).sum():.3f}")

# %% [markdown]
# The slope of J is a sum over answers, too, and the one step that makes reinforcement learning work is the logarithm:
# since $\nabla p = p \nabla \log p$,
#
# $$\nabla J = \sum_o p(o)\, r(o)\, \nabla \log p(o) = \mathbb{E}_{o \sim p}\big[\, r(o)\, \nabla \log p(o)\, \big].$$
#
# A sum weighted with p is a mean over samples. We may draw answers, look at their rewards, and push each answer's
# log-probability up by as much as it earned (Williams 1992). And log p(o) is a sum over the answer's tokens, whose
# slopes any student of softmax can write down.
#
# ### Exercise 11.1: the slope of an answer
#
# *Difficulty 2 · 2 points · 20 minutes*
#
# <details><summary>Hint 1</summary>
#
# One token: the gradient of log softmax(z)[a] is "one-hot of a, minus softmax(z)". It is what cross-entropy's backward
# computes, with the other sign.
# </details>
# <details><summary>Hint 2</summary>
#
# `nodes_LT[l, t]` says whose row of theta made the choice. An answer can come by the same row twice, so slopes have to
# be *added* to rows: `out[rows] += x` with an index tensor adds only once for each row; `scatter_add_`, `index_add_` or
# a loop add every time.
# </details>
# <details><summary>Hint 3</summary>
#
# Is the stop token a token? It is the choice of row `nodes_LT[l, t]` like any other, and mask_LT says that it is there.
# </details>

# %% exercise="grpo.slopes" points=2 minutes=20 difficulty=2
from minids.studies.exact_gradient import slopes

# %%
slopes_LPV = exact_gradient.slopes(theta, tree.ids_LT, tree.nodes_LT, tree.mask_LT)
by_hand = torch.einsum("l,l,lpv->pv", prob, rewards, slopes_LPV)
truth = exact_gradient.exact_gradient(tree, theta, rewards)  # autograd through the sum over all answers
print("the gradient by hand is autograd's to within 1e-12:", bool((by_hand - truth).abs().max() < 1e-12))

# %% [markdown]
# ### Samples instead of sums
#
# Now forget the sum, and draw. On the left of each picture the true gradient's 45 components, upwards their estimate
# from so many answers.

# %%
def estimate(samples, shift=0.0, baseline=False, seed=11):
    """The gradient from `samples` drawn answers; `shift` is added to every reward."""
    noise = torch.Generator().manual_seed(seed)
    rows = torch.multinomial(prob, samples, replacement=True, generator=noise)
    r = rewards[rows] + shift
    return ((r - r.mean() * baseline)[:, None, None] * slopes_LPV[rows]).mean(0)


def draw_estimate(ax, samples):
    for k, (baseline, mark) in enumerate(((False, "x"), (True, "o"))):
        ax.plot(truth.flatten(), estimate(samples, 1.0, baseline).flatten(), mark, color=f"C{1 - k}", ms=4,
                label="minus their mean" if baseline else "rewards as they are")
    ax.axline((0, 0), slope=1, color="black", lw=0.6)
    ax.set(xlabel="true", ylabel="estimated", xlim=(-0.12, 0.12), ylim=(-0.5, 0.5))
    ax.legend(fontsize=7, loc="upper left")


play(draw_estimate, samples=(8, 2048, 8), shown=[(16,), (128,), (2048,)],
     alt="Estimated against true components for 16, 128 and 2048 answers. The estimates come closer to the diagonal "
         "with more answers; those with the mean reward taken off are far closer throughout.")

# %% [markdown]
# We have been unkind to the estimate: 1 was added to every reward, so that right answers get 2 and wrong ones 1. That
# changes nothing about which answer is better, and nothing about the gradient, since $\sum_o p(o) \nabla \log p(o)$ is
# the gradient of the constant 1. But every answer is now pushed up, the wrong ones too, and only the average over very
# many of them lets the difference come out. Subtracting the mean reward, a *baseline*, is the cure: an answer is pushed
# up if it was better than expected. How much is that worth? Here one can count.

# %%
def scatter(shift, baseline, samples=64, tries=400):
    """Root of the mean squared error of the estimate, over the length of the true gradient."""
    errors = [(estimate(samples, shift, baseline, seed) - truth).square().sum() for seed in range(tries)]
    return float(torch.stack(errors).mean().sqrt() / truth.norm())


print("error of an estimate from 64 answers, in lengths of the true gradient")
for shift, name in ((0.0, "rewards 0 and 1"), (1.0, "rewards 1 and 2"), (9.0, "rewards 9 and 10")):
    print(f"  {name:18} as they are {scatter(shift, False):6.2f}    minus their mean {scatter(shift, True):5.2f}")

# %% [markdown]
# The variance of an estimate falls with 1 over the number of answers. So an error that is four times as large costs
# *sixteen* times as many answers. A baseline is not a refinement; without one, whoever chooses the zero of the reward
# scale also chooses how long training takes.
#
# Enough to climb:

# %%
def climb(by_baseline, samples=32, lr=1.0, seed=0):
    """J after each step of plain gradient ascent on drawn answers, with slopes by hand."""
    noise, table, curve = torch.Generator().manual_seed(seed), theta.clone(), []
    for _ in range(budget(100)):
        p = exact_gradient.answer_probs(tree, table)
        curve.append(float((p * rewards).sum()))
        rows = torch.multinomial(p, samples, replacement=True, generator=noise)
        r = rewards[rows] + 1.0
        score = exact_gradient.slopes(table, tree.ids_LT, tree.nodes_LT, tree.mask_LT)[rows]
        table = table + lr * ((r - r.mean() * by_baseline)[:, None, None] * score).mean(0)
    return curve


# %%
fig, ax = plt.subplots(figsize=(6.5, 2.8))
for k, name in enumerate(("minus their mean", "as they are")):
    for seed in range(5):
        label = f"rewards {name}" if seed == 0 else None
        ax.plot(climb(k == 0, seed=seed), color=f"C{k}", lw=1, alpha=0.7, label=label)
ax.set(xlabel="step of 32 answers", ylabel="expected reward J", ylim=(0, 1.02))
ax.legend(loc="lower right")
show(fig, "Expected reward over the steps, five runs each. With the mean taken off all runs rise smoothly and close "
          "together to near 1; with the rewards as they are they scatter, and one of them rises much later.")

# %% [markdown]
# ## 2 The group is the baseline
#
# What is "expected"? It depends on the question: half of the answers right is good for a hard one and poor for an easy
# one. PPO (arXiv 1707.06347) learns a second network of the model's size to predict it, the critic. GRPO's answer is
# disarmingly simple: ask each question G times, and take the mean of the group.
#
# $$A_i = \frac{r_i - \mathrm{mean}(r_1 \ldots r_G)}{\mathrm{std}(r_1 \ldots r_G)}$$
#
# (DeepSeekMath, section 4.1.2; the R1 paper's equation 3.) Two decisions are hidden in it. An answer is part of the
# mean that it is compared with; RLOO (arXiv 2402.14740) leaves it out and compares with the others. And the division by
# the standard deviation makes every group count alike; Dr. GRPO (arXiv 2503.20783, section 3) leaves that out.
#
# ### Exercise 11.2: advantages
#
# *Difficulty 2 · 3 points · 25 minutes*
#
# <details><summary>Hint 1</summary>
#
# `_groups(rewards_N, group_size, baseline, scale, ddof)` does the refusing and gives you a table [P, G]; `keepdim=True`
# keeps a row's mean next to its row. `_std(table, ddof)` gives [P, 1].
# </details>
# <details><summary>Hint 2</summary>
#
# Mean of the others: $(G \bar r - r_i)/(G-1)$. Subtract that from $r_i$ and simplify. Which multiple of $r_i - \bar r$
# comes out?
# </details>
# <details><summary>Hint 3</summary>
#
# Three times 0.1 has a mean that differs from 0.1 in the last bit, and a standard deviation as tiny. Their quotient is
# anything. Decide which groups are all equal from the rewards, not from the differences.
# </details>

# %% exercise="grpo.advantages" points=3 minutes=25 difficulty=2
from minids.rl.grpo import advantages

# %%
# NBVAL_CHECK_OUTPUT
two_groups = torch.tensor([1.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0])
for settings in ({"scale": "none"}, {"baseline": "loo", "scale": "none"}, {"eps": 0.0}):
    adv, informative = grpo.advantages(two_groups, 4, **settings)
    print(*(f"{a:6.2f}" for a in adv.tolist()), "  ", settings)
print(informative.tolist())

# %% [markdown]
# Does the group's mean cost anything? Every answer is compared with a mean that it has pulled towards itself. On the
# tree we need not guess: `exact_gradient.expected_update` adds up the update of *every possible group*, each with its
# probability, and compares the result with the truth.

# %%
for G in (2, 3):
    for baseline in ("mean", "loo"):
        update = exact_gradient.expected_update(tree, theta, rewards, G, baseline=baseline)
        cosine, scale = exact_gradient.compare(update, truth)
        print(f"G = {G}, baseline {baseline:4}: cosine to the true gradient {cosine:.4f}, length {scale:.4f}")

# %% [markdown]
# Exactly $(G-1)/G$ of the gradient, and in its direction: the group's own mean costs a factor that a learning rate
# swallows. Leave-one-out gives the whole. (Should a loop tell you that one is *better* than the other, ask at which
# learning rate.) The division by the standard deviation is another matter. How hard does a question pull, on average,
# if an answer to it is right with probability p?

# %%
def pull(p, G=8, **settings):
    """The expected sum of |advantage| in a group, over all numbers of right answers."""
    chance = torch.distributions.Binomial(G, torch.tensor(p, dtype=torch.float64)).log_prob(torch.arange(G + 1)).exp()
    groups = (torch.arange(G) < torch.arange(G + 1)[:, None]).double()
    adv, _ = grpo.advantages(groups.flatten(), G, **settings)
    return float((chance * reduce(adv.abs(), "(right answer) -> right", "sum", answer=G)).sum())


ps = [i / 50 for i in range(1, 50)]
fig, ax = plt.subplots(figsize=(6, 2.8))
for style, (scale, name) in zip(("-", "--"), (("none", "without 1/std"), ("std", "with 1/std"))):
    pulls = [pull(p, G=16, scale=scale) for p in ps]
    ax.plot(ps, [x / max(pulls) for x in pulls], style, label=name)
ax.set(xlabel="share p of right answers to the question", ylabel="pull, its largest = 1", ylim=(0, 1.05))
ax.legend(loc="lower center")
show(fig, "The pull of a question against its share of right answers, groups of 16: both curves are largest in the "
          "middle and zero at 0 and 1. With the division by the standard deviation the curve is fuller: flatter in the "
          "middle, steeper at the ends.")
print(f"a question solved once in 16 pulls {pull(1 / 16, 16, scale='none') / pull(0.5, 16, scale='none'):.2f} times as "
      f"hard as one solved every second time; with 1/std {pull(1 / 16, 16) / pull(0.5, 16):.2f} times")

# %% [markdown]
# With 1/std, questions that are nearly always or nearly never solved weigh more, against those in the middle. It is a
# bias (Dr. GRPO says so): for several questions together the direction is no longer that of $\nabla J$. Others want it,
# because rare successes on hard questions are what a run is for. It is a choice, and the library's default is the
# published one.
#
# ## 3 A second step on the same batch
#
# Sampling is the expensive half of RL. One wants several optimizer steps on what was sampled, and from the second step
# on the answers come from a policy that is no longer there. Importance sampling repairs it: each token's term is
# weighed with the ratio $w = \pi(o_t)/\pi_\mathrm{old}(o_t)$. On the first step w is 1 everywhere. **Everything in this
# section does nothing at all on the first step**, and many runs only ever take one.
#
# Weighed terms can be driven as far as one likes. A batch of a few answers is a small sample; an optimizer that may go
# on will make it come true at any price. PPO's clip ends that: for a good answer nothing is to be gained beyond
# $w = 1 + \epsilon$, for a bad one nothing below $1 - \epsilon$.
#
# ### Exercise 11.3, a bug hunt: a clip that keeps what it should give back
#
# A colleague's clip, drawn as one sees it best: what the gradient makes of a token, depending on how far it has moved.

# %%
def slope_of(surrogate, sign, **settings):
    """Slope of the term along the ratio, for an advantage of 1 or -1."""
    w = torch.linspace(0.3, 1.9, 161, dtype=torch.float64)[None].requires_grad_()
    how = {"clip": "symmetric", "low": 0.2, "high": 0.2, "dual_delta": None, **settings}
    term = surrogate(w, torch.full_like(w, sign), w.detach().log(), *how.values())
    return w.detach()[0], torch.autograd.grad(term.sum(), w)[0][0]


# %%
def draw_slopes(surrogate, alt):
    fig, axes = plt.subplots(1, 2, figsize=(7, 2.3), sharey=True)
    for ax, sign in zip(axes, (1.0, -1.0)):
        w, slope = slope_of(surrogate, sign)
        ax.plot(w, slope, color="C0" if sign > 0 else "C1", lw=2)
        ax.axvline(1, color="black", lw=0.6)
        ax.set(xlabel="ratio w", title=f"a {'good' if sign > 0 else 'bad'} answer's token", ylim=(-1.2, 1.2))
    axes[0].set_ylabel("slope")
    show(fig, alt)


draw_slopes(wrong.named("grpo.surrogate", "clips_without_the_minimum").fn,
            "Slope against the ratio, for advantage 1 and -1: both are flat zero below 0.8 and above 1.2, and 1 or -1 "
            "in between.")

# %% [markdown]
# *Difficulty 2 · 2 points · 20 minutes*
#
# Look at a good answer's token whose ratio is 0.5: other tokens' updates have made it half as likely, by accident. What
# does this clip do about it? The cell below holds the colleague's function. (The library's has three more clips in
# it: `none`; `dual`, arXiv 1912.09729; and `cispo`, arXiv 2506.13585, whose slope does not vanish anywhere. They are
# right as they are.)
#
# <details><summary>Hint 1</summary>
#
# PPO's equation 7 is a *minimum* of two terms: the clipped and the plain one. When is the plain one smaller?
# </details>
# <details><summary>Hint 2</summary>
#
# Good answer, w = 0.5: plain 0.5, clipped 0.8. Bad answer, w = 1.5: plain -1.5, clipped -1.2. In both cases the token
# went the wrong way, and in both the smaller term is the one that still has a slope.
# </details>

# %% exercise="grpo.surrogate" start="clips_without_the_minimum" points=2 minutes=20 difficulty=2
from minids.rl.importance_sampling import surrogate

# %%
draw_slopes(importance_sampling.surrogate, "As it should be: a good answer's slope is 1 up to a ratio of 1.2 and "
                                           "zero beyond; a bad answer's is zero below 0.8 and -1 above it.")

# %% [markdown]
# A clip does not hold the policy back; it stops pushing. What is that worth? Let the judge err, as judges do: it passes
# most right answers and a part of the wrong ones. Many gradient steps on each batch, and after each batch the *true*
# expected reward. (This is the tree, so the truth is known. With a judge that never errs and a single question there
# would be nothing to overfit to. A language model has many questions, and its luck with one of them says as little
# about the others as this judge's.) Twice: gently, with 32 answers a batch, 8 steps and a judge that errs one time in
# four; and roughly, with 16 answers, 16 steps twice as long, and a few more errors.

# %%
def batch_of(table, groups, seed, err=0.0, judged=rewards, **settings):
    """Answers of a policy, groups of 4: (rows, old log-probabilities, advantages); the judge errs with chance `err`."""
    noise = torch.Generator().manual_seed(seed)
    rows = torch.multinomial(exact_gradient.answer_probs(tree, table), 4 * groups, replacement=True, generator=noise)
    errs = torch.rand(len(rows), generator=noise, dtype=torch.float64) < err
    adv, _ = grpo.advantages(torch.where(errs, 1 - judged[rows], judged[rows]), 4, **settings)
    return rows, grpo.token_logps(table[tree.nodes_LT[rows]], tree.ids_LT[rows]), adv


def step(table, batch, lr, mask_LT=tree.mask_LT, **settings):
    """One gradient step on a batch."""
    rows, old, adv = batch
    leaf = table.clone().requires_grad_()
    logp = grpo.token_logps(leaf[tree.nodes_LT[rows]], tree.ids_LT[rows])
    loss, _ = grpo.grpo_loss(logp, old, adv, mask_LT[rows], **settings)
    return table - lr * torch.autograd.grad(loss, leaf)[0]


# %%
def value(table, of=rewards):
    return float((exact_gradient.answer_probs(tree, table) * of).sum())


def run(seed, groups=8, steps=8, batches=12, lr=3.0, err=0.25, given=None, **settings):
    """J after each batch; `given` are settings of the advantages, `settings` of the loss; KL is that to the start."""
    table, curve = theta, [value(theta)]
    for number in range(budget(batches)):
        batch = batch_of(table, groups, 1000 * seed + number, err=err, **(given or {}))
        rows = batch[0]
        if settings.get("kl", "none") != "none":
            settings["ref_logp_NT"] = grpo.token_logps(theta[tree.nodes_LT[rows]], tree.ids_LT[rows])
        for _ in range(steps):
            table = step(table, batch, lr, **settings)
        curve.append(value(table))
    return curve


# %%
CLIPS = {"no clip": {"clip": "none"}, "clip 0.2 (PPO)": {"clip": "symmetric"}}
WAYS = {"gentle": {}, "rough": dict(groups=4, steps=16, batches=16, lr=6.0, err=0.3)}
fig, axes = plt.subplots(1, 2, figsize=(7.5, 2.8), sharey=True)
for ax, (way, how) in zip(axes, WAYS.items()):
    for k, (name, settings) in enumerate(CLIPS.items()):
        runs = torch.tensor([run(seed, **how, **settings) for seed in range(8)])
        ax.plot(runs.T, color=f"C{1 - k}", lw=0.6, alpha=0.6)
        ax.plot(runs.mean(0), color=f"C{1 - k}", lw=2.5, linestyle=("--", "-")[k], label=name)
        print(f"{way:7} {name:15} J in the end: {runs[:, -1].mean():.2f} on average, worst {runs[:, -1].min():.2f}")
    ax.set(xlabel="batch", title=way, ylim=(0, 1))
axes[0].set_ylabel("true expected reward J")
axes[1].legend(fontsize=8, loc="upper left")
show(fig, "J over the batches, eight runs each. Gently: both ways rise, without a clip faster. Roughly: without a clip "
          "most runs lie at zero most of the time, with the clip all of them rise.")

# %% [markdown]
# Both pictures are true. A clip is an insurance. Where batches mostly say the truth and steps are small, it costs:
# every token that has moved by a fifth waits for the next batch. Where a batch misleads and one may run far on it, it
# is the difference between a run and a wreck: without it a policy throws itself at one answer with all its probability,
# and if it was the wrong one, draws no other for a long time. DAPO's wider upper bound (section 3.1) and R1's bound of
# 10 are two opinions on how much insurance to buy.
#
# ## 4 The leash
#
# R1 adds a third policy: a *reference*, from which the trained one shall not drift too far, measured by the
# Kullback-Leibler divergence. Over a vocabulary it is a sum; with only the drawn token at hand one has to estimate it.
# With $x = \log \pi - \log \pi_\mathrm{ref}$ of the token, three estimates are in use (Schulman, "Approximating KL
# Divergence", 2020), and GRPO takes the third.
#
# ### Exercise 11.4: three estimates
#
# *Difficulty 1 · 1 point · 10 minutes*
#
# <details><summary>Hint</summary>
#
# The docstring has the formulas. Check yourself at x = log 2: 0.693, 0.240, 0.193. An unknown kind is refused, by
# `_choose("kl", kind, KLS[1:])`.
# </details>

# %% exercise="grpo.kl" points=1 minutes=10 difficulty=1
from minids.rl.grpo import kl_estimate

# %% [markdown]
# They are estimates of one number, and as *numbers* they behave as their inventor says. But in a loss it is not the
# number that acts, it is the gradient. One choice among six tokens, so that everything can be summed up exactly:

# %%
torch.manual_seed(4)
ref = torch.randn(6, dtype=torch.float64).log_softmax(-1)
z = (ref + 0.8 * torch.randn(6, dtype=torch.float64)).requires_grad_()
logp = z.log_softmax(-1)
p = logp.detach().exp()
forward, reverse = (logp.exp() * (logp - ref)).sum(), (ref.exp() * (ref - logp)).sum()
targets = [torch.autograd.grad(kl, z, retain_graph=True)[0] for kl in (forward, reverse)]
print(f"KL(pi || ref) = {forward:.4f}")
print("       mean      std   |mean slope|   cos to KL(pi||ref)  cos to KL(ref||pi)")
for kind in ("k1", "k2", "k3"):
    k = grpo.kl_estimate(logp, ref, kind)
    mean, std = (p * k).sum().item(), ((p * k * k).sum() - (p * k).sum() ** 2).sqrt().item()
    slope = torch.autograd.grad((p * k).sum(), z, retain_graph=True)[0]  # p as it was when the token was drawn
    cosines = [f"{torch.cosine_similarity(slope, t, dim=0):.4f}" for t in targets] if slope.norm() > 1e-9 else "--"
    print(f"{kind}{mean:9.4f}{std:9.4f}{slope.norm():14.4f}{cosines[0]:>20}{cosines[1]:>20}")

# %% [markdown]
# The value that is unbiased and noisy, k1, has no gradient at all on average: as a loss it does nothing. The one with
# the biased value, k2, has exactly the gradient of KL(π‖ref). And k3, the estimate in DeepSeekMath's equation 4,
# descends the *other* divergence, KL(ref‖π) (arXiv 2506.09477 works it out). Both pull towards the reference; far from
# it they differ. DeepSeek-V3.2 (arXiv 2512.02556, equation 7) multiplies k3 with the ratio, and then value and gradient
# belong together: `kl_unbiased`. And many runs leave the KL out: DAPO and Dr. GRPO do, and so does our recipe, whose
# rewards are rules that do not wear off. A leash also holds back where one wants to go. Both
# sides of it can be seen on the tree, with section 3's gentle and rough batches, no clip, and k2 with weight β. (Not
# k3: its exp(-x) overflows where an unclipped policy has thrown away a token that the reference likes.)

# %%
for way, how in WAYS.items():
    for coef in (0.0, 0.1, 0.4):
        ends = [run(seed, **how, clip="none", kl="k2", kl_coef=coef)[-1] for seed in range(5)]
        print(f"{way:7} β = {coef}: J in the end {sum(ends) / len(ends):.2f} on average, worst {min(ends):.2f}")

# %% [markdown]
# It is the clip's trade once more, with another currency. On rough ground a leash saves some of the runs. On gentle
# ground it costs, and unlike the clip it goes on costing: more batches do not help, because the best policy under a
# penalty is a compromise with the reference, however right the rewards are.
#
# ## 5 One token that is easy to lose
#
# The loss sees an answer through a mask: 1 on what the policy has chosen. In batches of ragged answers padded with the
# stop token's id, it takes one line, `ids != pad`, to mask *all* stop tokens. Nothing crashes, the loss looks the same.
# What is lost?

# %%
def forgotten(seed):
    """(cosine to the gradient, share of its length) without stop tokens, for a policy drawn at random."""
    table, values = exact_gradient.draw(tree, seed)
    update = exact_gradient.expected_update(tree, table, values, 2, mask_LT=exact_gradient.masks(tree)["without stop"])
    return exact_gradient.compare(update, 0.5 * exact_gradient.exact_gradient(tree, table, values))


cosines, lengths = zip(*(forgotten(seed) for seed in range(40)))
print(f"stop tokens forgotten, 40 policies and tasks: cosine to the gradient {min(cosines):.2f} to {max(cosines):.2f}, "
      f"{100 * min(lengths):.0f} to {100 * max(lengths):.0f} % of its length")

# %%
two_words = torch.tensor([float(len(a) == 3 and a[-1] == 0) for a in tree.answers], dtype=torch.float64)
forgotten = exact_gradient.masks(tree)["without stop"]
for name, mask in (("as it should be", tree.mask_LT), ("stop tokens forgotten", forgotten)):
    left = []
    for seed in range(3):
        table = theta
        for number in range(budget(100)):
            table = step(table, batch_of(table, 8, 1000 * seed + number, judged=two_words), 3.0, mask_LT=mask)
        left.append(1 - value(table, two_words))
    print(f"{name:21}: after 100 batches of the task 'two words, then stop' "
          f"{100 * min(left):.1f} to {100 * max(left):.1f} % are wrong")

# %% [markdown]
# The update can point more than fifty degrees away from the gradient, and keep a quarter of its length. And what makes
# the mistake so durable: it does not stop the learning. Whoever pushes down what goes on too long makes stopping
# likelier as well, by way of the
# softmax; so accuracy rises all the same, only less far. That is how it survives in real code. A test finds it (this
# one is among the library's, with a dozen other planted mistakes), a look at the curve does not. Chapter 10 hunted the
# same bug in another place.
#
# ## 6 The whole loss
#
# Everything is there now: advantages, ratios, clip, KL, mask. What is left is to make one number of it, and that has
# three traps of its own. *Padding* holds whatever it holds, and `nan * 0` is `nan`: replace it before anything is
# exponentiated. *The mean*: over the tokens of each answer first ($1/|o|$, DeepSeekMath's equation 3), over all tokens
# (DAPO), or over a constant (Dr. GRPO). *The denominator* of a whole optimizer step, where a step is made of several
# micro-batches: a mean of means is not the mean.
#
# How much does the first choice matter? On the tree:

# %%
for aggregation, more in (("constant", {"constant": 4}), ("sequence_mean", {}), ("token_mean", {})):
    update = exact_gradient.expected_update(tree, theta, rewards, 2, loss={"aggregation": aggregation, **more})
    print(f"{aggregation:14} cosine to the true gradient {exact_gradient.compare(update, truth)[0]:.4f}")

# %% [markdown]
# Only the constant gives the gradient. $1/|o|$ makes a token of a long answer count less than one of a short answer: a
# long wrong answer is hardly punished for each of its tokens, a short right one is strongly rewarded (Dr. GRPO,
# section 3).
#
# ### Exercise 11.5: GRPO's loss
#
# *Difficulty 3 · 5 points · 45 minutes*
#
# Six numbered steps; at hand are `loss_config`, `_check_tensors`, `_used`, `_trusted`, `_metrics`, the module
# `importance_sampling`, and what you wrote above.
#
# <details><summary>Hint 1</summary>
#
# `c = loss_config(config, settings)` has every setting of the loss: `c.clip`, `c.kl_coef`, …, and `c.bounds`, the two
# bounds of the clip. Then `_used(mask_NT, informative_N, c.skip_zero_variance, finished_N, c.mask_truncated)`
# returns the mask [N, T] and which answers count [N].
# </details>
# <details><summary>Hint 2</summary>
#
# `torch.where(mask, logp - old.detach(), 0.0)` is the log of each token's ratio, without what stands in the padding.
# `importance_sampling.sequence_log_ratio(…, length_N1, c.ratio)`, `exp`, `importance_sampling.surrogate(…)`,
# `_trusted(…)`: the gain. The loss is minus that, plus `c.kl_coef` times the KL estimate between `logp` and the
# reference (under the mask as well).
# </details>
# <details><summary>Hint 3</summary>
#
# A weight for each token: 1 under the mask; for "sequence_mean" 1/|o|. The denominator is `normalizer` if it is given;
# else the number of tokens for "token_mean" and of answers that count for the others; and "constant" divides by
# `c.constant` too.
# </details>
# <details><summary>Hint 4</summary>
#
# Metrics: `_metrics(log_ratio_NT, adv_NT, mask_NT, c.clip, low, high, c.dual_delta, kl_NT)`, what `_trusted` noted, and
# "sequences" and "policy_loss" as floats.
# </details>

# %% exercise="grpo.loss" points=5 minutes=45 difficulty=3
from minids.rl.grpo import grpo_loss

# %% [markdown]
# With it, minids trains. From here on the policy is a language model.
#
# ## 7 R1-Zero, small
#
# DeepSeek-R1-Zero is the base model V3 and this loss, with a reward for right answers and one for the form, and
# nothing else; the paper shows accuracy and the length of answers rise together over thousands of steps (2.2.4).
# Our base model is chapter 08's, trained to its end: it has read worked solutions in three manners, careful, in large
# steps, and all at once, and takes one of them by dice. Nobody tells it which to prefer. We ask it for chains of five
# numbers.

# %%
def thoughts(model, temperature=1.0, count=80, n=2):
    """Answers to held-out chains: (share right, tokens, share whose thought goes digit by digit)."""
    problems = arithmetic.problem_set(["chain"], "test", count, seed=11, size=5)
    given = evaluate.answer(model, tokenizer, problems, style="plain", n=n if temperature else 1, seed=11,
                            temperature=temperature)
    rows = [row for answers in given for row in answers]
    careful = sum(bool(re.match(r"\s*\d+[+-]\d+:", text)) for _, _, text in rows)
    return sum(r.accuracy for r, _, _ in rows) / len(rows), sum(n for _, n, _ in rows) / len(rows), careful / len(rows)


base, tokenizer = tiny_models.model("base")
before = {t: thoughts(base, t) for t in (1.0, 0.0)}
problem = arithmetic.problem_set(["chain"], "test", 1, seed=11, size=5)[0]
print(problem.question, "is", problem.answer)
for result, _, text in evaluate.answer(base, tokenizer, [problem], style="plain", n=5, temperature=1.0, seed=1)[0]:
    print("right" if result.accuracy else "wrong", "|", text.replace("\n", " ⏎ "))

# %%
config = trainer.RLConfig(
    steps=budget(16), lr=2e-4, warmup=2, prompts_per_step=10, num_generations=8, template="plain", max_new_tokens=130,
    seed=11,
    sizes={"chain": {5: 1.0}},
)
with tempfile.TemporaryDirectory() as folder:
    trainer.train_rl(base, tokenizer, ["chain"], config, out_dir=folder, quiet=True)
    lines = metrics.read(Path(folder) / "metrics.jsonl")
after = {t: thoughts(base, t) for t in (1.0, 0.0)}

# %%
fig, axes = plt.subplots(1, 3, figsize=(7.5, 2.6))
for ax, key, name, top in zip(axes, ("accuracy", "length", "zero_variance"),
                              ("answers that are right", "tokens of an answer", "groups that are all equal"),
                              (1.02, None, 1.02)):
    ax.plot(range(1, len(lines) + 1), [line[key] for line in lines], "o-", ms=3)
    ax.set(xlabel="iteration", title=name, ylim=(0 if top else None, top))
show(fig, "Three curves over the iterations of RL. The share of right answers rises from about three quarters to near "
          "1, the length of an answer by some ten tokens, and the share of groups that are all equal with them.")

# %%
for name, table in (("before", before), ("after", after)):
    for t in (1.0, 0.0):
        right, length, careful = table[t]
        print(f"{name:7} temperature {t:.0f}: {100 * right:3.0f} % right, {length:5.1f} tokens, "
              f"{100 * careful:3.0f} % digit by digit")

# %% [markdown]
# Accuracy and length rise together, and nobody asked for length. The table says why: what the model has learned is to
# *choose*. Answers in large steps are short and often wrong, careful ones are long and mostly right; groups that hold
# both push from one to the other. Two honest remarks. First, taken greedily the base model was careful from the start,
# and after RL it is no better: what has been gained at temperature 1 is the certainty with which it does what it could
# do before. (Chapter 13 asks the question properly.) Second, sixteen iterations are one and a half thousand answers.
# The recorded runs of the recipe `tiny-zero` start from a base model that has read mostly hasty solutions, and take
# 110 iterations of 288:

# %%
print("recorded runs of tiny-zero, chains, sampled at temperature 1:")
for path in sorted((ROOT / "docs" / "results").glob("tiny-zero-seed*.json")):
    rows = {
        row["stage"]: row for row in json.loads(path.read_text(encoding="utf-8"))["evals"] if row["family"] == "chain"
    }
    print(f"  {path.stem}: right {100 * rows['base']['pass1']:.0f} % -> {100 * rows['grpo']['pass1']:.0f} %, "
          f"tokens {rows['base']['length']:.0f} -> {rows['grpo']['length']:.0f}")

# %% [markdown]
# ## 8 Groups that say nothing
#
# The third curve above deserves a section. If all answers of a group are right, or all wrong, every advantage is zero,
# and the group was sampled for nothing. For a question that is solved with probability p that happens with probability
#
# $$p^G + (1-p)^G.$$
#
# Is it so? The base model answers 30 problems, some easy and some hard, 48 times each. We cut the 48 answers into
# groups and count.

# %%
base, _ = tiny_models.model("base")
kinds = (("add", 3), ("add", 5), ("chain", 3), ("chain", 5), ("chain", 6))
problems = [p for f, size in kinds for p in arithmetic.problem_set([f], "rl", 6, 8, size)]
N = max(16, budget(48) // 16 * 16)
given = evaluate.answer(base, tokenizer, problems, style="plain", n=N, temperature=1.0, seed=8)
right = torch.tensor([[r.accuracy for r, _, _ in answers] for answers in given])
share = right.mean(1)


def silent(G):
    """For each problem, the share of its groups of G in which all rewards are equal."""
    whole = right[:, : N // G * G].reshape(-1)
    return reduce((~grpo.advantages(whole, G)[1]).float(), "(problem answer) -> problem", "mean", problem=len(right))


def draw_silent(ax, G):
    grid = torch.linspace(0, 1, 101)
    ax.plot(grid, grid**G + (1 - grid) ** G, color="black", lw=1)
    ax.plot(share, silent(G), "o", ms=4, alpha=0.6)
    ax.set(xlabel="share p of right answers", ylabel="silent groups")

# %%
play(draw_silent, G=(2, 16, 1), shown=[(4,), (8,), (16,)],
     alt="For groups of 4, 8 and 16: the curve p^G + (1-p)^G, high at both ends and low in the middle, with a dot for "
         "each of the 30 problems close to it. With larger groups the valley is wider.")
for G in (4, 8, 16):
    print(f"G = {G:2}: {100 * silent(G).mean():.0f} % of the groups say nothing; "
          f"predicted {100 * (share**G + (1 - share) ** G).mean():.0f} %")

# %% [markdown]
# A run begins with questions that are too hard, ends with questions that are too easy, and learns in between. Larger
# groups widen the valley, at G times the price. One can leave silent groups out of the denominator, so that they do not
# shrink the step (`skip_zero_variance`, the default here), draw other questions in their place (DAPO's dynamic
# sampling, section 3.2: `dynamic_rounds`), or choose questions at the edge of what the model can do (recipe
# `tiny-edge`).
#
# ## 9 You get what you pay for
#
# Nothing in the gradient knows what you *meant*. R1-Zero's rewards were rules and no neural network, because a network
# is exploited sooner or later (section 2.2.2). Rules are exploited as well, wherever they are lenient. The first line
# of defence is a strict reading of an answer:
#
# ### Exercise 11.6: one integer, strictly
#
# *Difficulty 1 · 1 point · 10 minutes*
#
# <details><summary>Hint 1</summary>
#
# `int()` is far too friendly. A regular expression that has to match the *whole* text (`fullmatch`) is not.
# </details>
# <details><summary>Hint 2</summary>
#
# Zero is a case of its own: `0|-?[1-9][0-9]…`. `\d` matches the digits of every script; and after 64 digits it is
# enough.
# </details>

# %% exercise="reward.integer" points=1 minutes=10 difficulty=1
from minids.tasks.arithmetic import parse_integer

# %% [markdown]
# Three judges of the kind that one writes in five minutes, with the replies of a well-behaved model in mind, against
# the strict one.

# %%
def strict(problem, text, done=True):
    return reward.accuracy(problem.answer, text, style="plain", finished=done)


def last_number(problem, text, done=True):
    """The last number in the text is the answer."""
    found = re.findall(r"-?\d+", text)
    return float(bool(found) and found[-1] == problem.answer)


def substring(problem, text, done=True):
    """The right answer occurs in the text."""
    return float(problem.answer in text)


def brief_form(problem, text, done=True):
    """The form is right, and the shorter the better: nobody looks at the answer."""
    return reward.format_reward(text, style="plain", finished=done) * (1 - len(text) / 300)

# %%
# NBVAL_CHECK_OUTPUT
problem = arithmetic.Problem("add", "47+68", (47, 68), 2)
REPLIES = {
    "honest": " 7+8=15 4+6+1=11\nAnswer: 115", "honest, wrong": " 7+8=15 4+6=10\nAnswer: 105",
    "no answer, cut off": " 47+68=115", "hedges": " \nAnswer: 105 or 115",
    "enumerates": " " + " ".join(map(str, range(100, 120))) + "\nAnswer: 7", "empty thought": "\nAnswer: 7",
}
print(f"{'':20}{'strict':>12}{'last number':>14}{'substring':>12}{'brief form':>13}")
for name, text in REPLIES.items():
    paid = [f"{judge(problem, text):.2f}" for judge in (strict, last_number, substring, brief_form)]
    print(f"{name:20}{paid[0]:>12}{paid[1]:>14}{paid[2]:>12}{paid[3]:>13}")

# %% [markdown]
# Each lenient column pays for something that the strict one does not. Will a model find it? It need not be clever. It
# is enough that it does the profitable thing now and then, by accident; the group comparison finds it and the gradient
# does the rest. So first: how often does the untrained base model collect undeserved pay already?

# %%
for name, judge in (("last number", last_number), ("substring", substring)):
    shares = []
    for kind in kinds:
        paid = [judge(p, text) > strict(p, text, not r.truncated) for p, answers in zip(problems, given)
                if (p.family, p.size) == kind for r, _, text in answers]
        shares.append(f"{kind[0]} {kind[1]} {100 * sum(paid) / len(paid):4.1f} %")
    print(f"paid and wrong, {name:11}", *shares, sep="   ")

# %% [markdown]
# Hardly ever, or never, for the last number: this model always writes its line with the answer, so the hole is there
# and nobody falls into it. RL can only make likelier what is sometimes done. The substring pays where a long
# calculation has a short result, above all in chains of six numbers, which are longer than any it was trained on and
# which it hardly ever solves. And the third judge pays for everything that has the form, most for what is shortest.
# Here it is against the strict one, with sums of three digits. The whole training loop stands in
# the next two cells; `advantages` and `grpo_loss` are yours.

# %%
def learn(model, optimizer, config, drawn, paid):
    """Two optimizer steps on an iteration's answers."""
    adv, informative = grpo.advantages(paid, config.num_generations)
    rows = informative.nonzero()[:, 0].tolist()
    for part in filter(None, (rows[::2], rows[1::2])):
        ids, mask, old = rollout.batch(drawn, part)
        loss, _ = grpo.grpo_loss(rollout.score(model.train(), ids, mask, config)[0], old, adv[part], mask)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()


# %%
def train(judge, steps):
    """GRPO with any reward: [(paid, strictly right, tokens) of each iteration], the last problems and answers."""
    model, _ = tiny_models.model("base")
    config = trainer.RLConfig(steps=steps, lr=6e-4, prompts_per_step=8, num_generations=8, template="plain",
                              max_new_tokens=120, seed=11, sizes={"add": {3: 1.0}})
    optimizer, curve = torch.optim.AdamW(model.parameters(), lr=config.lr, betas=config.betas, weight_decay=0.0), []
    for number in range(steps):
        drawn = rollout.roll_out(model.eval(), tokenizer, config, *rollout.questions(config, ["add"], number), number)
        texts = [tokenizer.decode(ids) for ids in drawn.ids]
        paid = torch.tensor([judge(p, text, done) for p, text, done in zip(drawn.problems, texts, drawn.finished)])
        right = [r.accuracy for r in drawn.results]
        curve.append((float(paid.mean()), sum(right) / len(right), sum(map(len, drawn.ids)) / len(right)))
        learn(model, optimizer, config, drawn, paid)
    return curve, drawn.problems, texts


paid_well = {name: train(judge, budget(12)) for name, judge in (("strict", strict), ("brief form", brief_form))}

# %%
fig, axes = plt.subplots(1, 3, figsize=(7.5, 2.6))
for k, (name, (curve, *_)) in enumerate(paid_well.items()):
    titles = ("what it is paid", "answers that are right", "tokens of an answer")
    for ax, values, title in zip(axes, zip(*curve), titles):
        ax.plot(range(1, len(values) + 1), values, ("o-", "s--")[k], ms=3, color=f"C{k}", label=name)
        ax.set(xlabel="iteration", title=title, ylim=(0, None if "tokens" in title else 1.05))
axes[1].legend(title="paid for", fontsize=8)
show(fig, "Paid for right answers, the model gets them right. Paid for brevity and form, it is paid a little more with "
          "each iteration, while the share of right answers falls to zero and answers become shorter.")
for name, (_, asked, texts) in paid_well.items():
    for p, text in list(zip(asked, texts))[:2]:
        print(f"paid for {name:11}", p.question, "|", text.strip().replace("\n", " ⏎ "))

# %% [markdown]
# Within a few iterations the model has unlearned to add. Look at what it is paid: a few hundredths more, which looks
# like slow, healthy progress in a log that shows the reward only. That is the lesson of this section: log what you
# *want* beside what you *pay*, and read answers. (The library logs accuracy, form, length, and thoughts that are empty,
# whatever the reward is made of.) And mind R1-Zero's curve above: there, length rose because it was useful. Had we paid
# for length, it would have risen as well.
#
# ## 10 The family
#
# By now you can read most papers of the field as a line of settings of one loss. `presets.PRESETS` holds seven, each
# with its source and with what the source leaves open:

# %%
# NBVAL_CHECK_OUTPUT
columns = ("baseline", "scale", "loss_aggregation", "ratio", "clip", "clip_low", "clip_high", "kl", "kl_coef")
print(f"{'':13}" + "".join(f"{c:>18}" if c == "loss_aggregation" else f"{c:>10}" for c in columns))
for name, entry in presets.PRESETS.items():
    cells = [str(entry.settings.get(c, "")) for c in columns]
    print(f"{name:13}" + "".join(f"{v:>18}" if c == "loss_aggregation" else f"{v:>10}" for c, v in zip(columns, cells)))

# %% [markdown]
# What separates most of them is what a token counts once it has moved. The slope along log π, which is what the
# gradient sees, for a token whose ratio is w:

# %%
def push(name, sign):
    """d gain / d log pi of a token, against its ratio, by a preset's clip."""
    s = presets.PRESETS[name].settings
    high = s.get("clip_high", s.get("clip_low"))
    low, logp = s.get("clip_low", 0.2), torch.linspace(-1.2, 1.2, 241, dtype=torch.float64)[None].requires_grad_()
    term = importance_sampling.surrogate(logp.exp(), torch.full_like(logp, sign), logp, s["clip"], low, high, None)
    return logp.detach().exp()[0], torch.autograd.grad(term.sum(), logp)[0][0]


fig, axes = plt.subplots(1, 2, figsize=(7.5, 2.8))
for ax, sign in zip(axes, (1.0, -1.0)):
    for k, name in enumerate(("deepseekmath", "r1", "dapo", "cispo")):
        ax.plot(*push(name, sign), ("-", "--", "-.", ":")[k], color=f"C{k}", lw=(2, 4, 2, 2)[k], label=name)
    ax.set(xlabel="ratio w", ylabel="push", title=f"a {'good' if sign > 0 else 'bad'} answer's token")
axes[0].legend(fontsize=8)
show(fig, "The push on a token against its ratio, for four presets. Good answers: DeepSeekMath falls to zero at 1.2, "
          "DAPO at 1.28, R1 and CISPO go on rising. Bad answers: DeepSeekMath and DAPO are zero below 0.8, the other "
          "two never.")

# %% [markdown]
# And on the tree, with the gentle judge: four steps a batch, everything else alike. (KL is measured against the start.)

# %%
def family_run(name, seed):
    config = rl_config.RLConfig(steps=1, lr=1.0, preset=name, max_new_tokens=tree.depth)
    settings = {**config.loss_config().keywords(), "skip_zero_variance": False}
    return run(seed, steps=4, batches=25, given={"baseline": config.baseline, "scale": config.scale}, **settings)


fig, ax = plt.subplots(figsize=(6.5, 3))
for k, name in enumerate(presets.PRESETS):
    runs = torch.tensor([family_run(name, seed) for seed in range(4)])
    ax.plot(range(runs.shape[1]), runs.mean(0), ("-", "--", "-.", ":")[k % 4], color=f"C{k}", label=name)
ax.set(xlabel="batch", ylabel="true expected reward J", ylim=(0, 1))
ax.legend(fontsize=7, ncols=2, loc="lower right")
show(fig, "Expected reward over 25 batches for the seven presets. R1, CISPO and DAPO rise fastest; DeepSeekMath, "
          "Dr. GRPO and V3.2 follow; GSPO rises by far the slowest.")

# %% [markdown]
# Do not read it as a ranking. R1's bound of 10 and CISPO's weight of 5 hardly ever act here, and a gentle judge rewards
# that; section 3 had a rough one. Dr. GRPO and V3.2 do not divide by the standard deviation, so their steps are
# shorter, which another learning rate would make up for. GSPO's bounds of 0.0003 and 0.0004 are made for the mean of
# log-ratios over hundreds of tokens, in which noise cancels; over four tokens one step oversteps them, and the other
# three do nothing. What the curves show is how a setting *acts*. Which one is best is a question to your run, with its
# own noise, its own number of steps on a batch, and several seeds.
#
# ## What you now own
#
# - `grpo.slopes`: the score function, the heart of every policy gradient.
# - `grpo.advantages`: the group as its own critic.
# - `grpo.surrogate`: PPO's clip, and three others.
# - `grpo.kl`: the leash, and what its three knots pull at.
# - `grpo.loss`: the loss of DeepSeekMath, R1, Dr. GRPO, DAPO, GSPO, CISPO and V3.2, by its settings.
# - `reward.integer`: a rule that pays for one thing only.
#
# `minids run tiny --mine` uses four of them: `grpo.slopes` is for the tree of this chapter, and `grpo.kl` for recipes
# that hold the policy near a reference, which tiny does not.
#
# ## Questions
#
# 1. All rewards of a run are multiplied by 10. What changes with `scale="std"`, and what without it?
#
# <details><summary>Answer</summary>
#
# With it nothing but the share of eps: the division takes the factor out again. Without it the gradient is ten times as
# long; AdamW and clipping by norm hide most of that, plain gradient descent does not, and a KL term weighs ten times
# less against it.
# </details>
#
# 2. A run takes one optimizer step on each batch, with clip 0.2. Its log says that 0 % of the tokens are clipped. Is
#    the clip too wide?
#
# <details><summary>Answer</summary>
#
# On the first step every ratio is 1, up to rounding, whatever the clip: there is nothing to clip. If the log said 5 %,
# *that* would be a sign that the sampler's policy is not the one that is trained (other weights, another temperature,
# another precision).
# </details>
#
# 3. Your reward rises for 200 iterations and then you find that answers consist of one emoji. What should the log have
#    shown, and what do you change first?
#
# <details><summary>Answer</summary>
#
# Accuracy by a strict rule beside the reward, the length, the share of empty thoughts, and some answers in full. Change
# the reward, not the algorithm: the optimizer did what it was paid for. A KL term would only have made it slower.
# </details>
#
# ## Sources
#
# - DeepSeekMath, arXiv 2402.03300, section 4.1: GRPO, its loss (equation 3) and KL estimate (equation 4).
# - DeepSeek-R1, arXiv 2501.12948, section 2.2: R1-Zero, rewards by rules, the rise of length.
# - Williams 1992, "Simple statistical gradient-following algorithms", Machine Learning 8: REINFORCE and baselines.
# - PPO, arXiv 1707.06347, equation 7. RLOO, arXiv 2402.14740. Dr. GRPO, arXiv 2503.20783, section 3. DAPO, arXiv
#   2503.14476, section 3. GSPO, arXiv 2507.18071. CISPO (MiniMax-M1), arXiv 2506.13585, section 3.1. DeepSeek-V3.2,
#   arXiv 2512.02556, section 3.1.
# - Schulman 2020, "Approximating KL Divergence", joschu.net/blog/kl-approx.html; gradients of the three estimates:
#   arXiv 2506.09477.
