# %% [markdown]
# # 04 Mixture of experts
#
# **How can a model have 671 billion parameters and use 37 billion of them for a token, and who decides which?**
#
# In DeepSeek-V3 every feed-forward block but the first three is replaced by 256 small ones and a router that picks 8 of
# them for each token (V3 paper, arXiv 2412.19437, section 4.2). You will write that router, the experts, the sorting
# that makes them fast, and the two ways to keep them equally busy. In between, small models are trained on the texts of
# this course, and we look at what happens when nobody balances them, what balance costs, what experts specialise in,
# and when a plain dense block would have been the better buy. At our size it often is, and the chapter measures that.
#
# Costs about a minute on one CPU thread, nearly all of it in fourteen small training runs, and less than 1 GiB. Needs
# chapter 02 (what a feed-forward block is and how a model is trained). Six exercises, 14 points, two to three hours.

# %%
import math
import time
from types import SimpleNamespace
from unittest.mock import patch

import matplotlib.pyplot as plt
import torch
import torch.nn.functional as F
from einops import rearrange, repeat

from minids import ModelConfig, Tokenizer, Transformer
from minids.course import budget, check, play, show, start, tiny_models, wrong
from minids.model import layers, moe
from minids.tasks import documents
from minids.train import loop, loss

start(4)

# %% [markdown]
# ## A block that is mostly asleep
#
# Most of a transformer's parameters sit in its feed-forward blocks, and every token pays for all of them: each weight
# is read and multiplied once a token. But a token of a sum needs no French grammar. So cut the block into pieces, the
# *experts*, each a SwiGLU of its own as in chapter 02, and let each token visit a few. What a model *knows* can then
# grow with all its parameters, while what a token *costs* grows with those it visits. `ModelConfig()` has V3's sizes:

# %%
# NBVAL_CHECK_OUTPUT
v3 = ModelConfig()
expert = 3 * v3.hidden_size * v3.moe_intermediate_size  # gate, up and down
routed, shared, active = v3.n_routed_experts, v3.n_shared_experts, v3.num_experts_per_tok
print(f"one expert           {expert / 1e6:8.1f} million parameters")
print(f"a layer, {routed} + {shared}    {(routed + shared) * expert / 1e6:8.1f}")
print(f"a token uses {active} + {shared}   {(active + shared) * expert / 1e6:8.1f}   one part in"
      f" {(routed + shared) / (active + shared):.1f}")

# %% [markdown]
# The one *shared* expert sees every token. It can hold what all of them need, so that the routed ones need not each
# learn it again (V3 paper, section 2.1.2; the idea is DeepSeekMoE's, arXiv 2401.06066).
#
# ## Who works? The router
#
# The router is one small matrix with a row $e_i$ for each expert. A token's hidden state $u$ gets a score with each,
# $s_i = \mathrm{sigmoid}(u \cdot e_i)$, and the $K$ experts with the highest scores work. Their answers are added, each
# multiplied by its *gate*: its score over the sum of the $K$ chosen, times a constant $c$ (2.5 in V3). One thing is
# V3's own. To each score a number $b_i$ is added before the choice, and only there:
#
# $$\text{chosen} = \text{top-}K\,(s_i + b_i), \qquad g_i = c \cdot \frac{s_i}{\sum_{j\,\text{chosen}} s_j}$$
#
# The bias decides *who* works and never *what it counts* (section 2.1.2, eq. 12-16). Why anybody would want to
# interfere with the choice we see soon. First a picture of one token and eight experts.

# %%
scores = torch.tensor([[0.92, 0.15, 0.62, 0.55, 0.31, 0.58, 0.08, 0.44]])
bias = torch.tensor([-0.45, 0.0, 0.0, 0.1, 0.0, -0.1, 0.1, 0.1])
chosen, gates = moe.route(scores, bias, 1, 1, 2, True, 1.0)
fig, ax = plt.subplots(figsize=(6.4, 2.6))
ax.bar(torch.arange(8) - 0.2, scores[0], 0.4, label="score")
ax.bar(torch.arange(8) + 0.2, (scores + bias)[0], 0.4, label="score + bias")
for e, gate in zip(chosen[0].tolist(), gates[0].tolist()):
    ax.text(e, 0.98, f"works\ngate {gate:.2f}", ha="center", fontsize=9)
ax.set(xlabel="expert", ylabel="score", ylim=(0, 1.25))
ax.grid(axis="x", visible=False)
ax.legend(ncols=2, loc="upper right", fontsize=8)
show(fig, "Bars of the scores of eight experts, with and without bias. Expert 0 has the highest score but a bias of "
          "-0.45, so experts 2 and 3 work; their gates come from the bars without bias.")

# %% [markdown]
# Expert 0 would have been this token's favourite. It is overloaded, so its bias is negative, and experts 2 and 3 work.
# Their gates are made of the blue bars.
#
# ### Exercise: the router
#
# *Difficulty 2 · 3 points · 25 minutes.* `mask_groups` is there already; it takes some experts out of the choice, and
# you will meet it further down. The cases include biases that make every biased score negative, and gradients.
#
# <details><summary>Hint 1</summary>
#
# Two tensors, kept apart: the scores, from which gates come, and score + bias, from which the choice comes. `topk(...)`
# gives values and `.indices`; you need the indices only.
# </details>
#
# <details><summary>Hint 2</summary>
#
# `scores.gather(1, indices)` picks, in each row, the entries at that row's indices. The choice has no slope, so it
# needs no gradient: `scores.detach()`. The gates need theirs, for nothing else tells the router whether it chose well.
# </details>
#
# <details><summary>Hint 3</summary>
#
# Order matters at the end: first divide by the sum of the chosen + 1e-20 (if `norm`), then multiply by `scaling`.
# </details>

# %% exercise="moe.route" points=3 minutes=25 difficulty=2
from minids.model.moe import route

# %% [markdown]
# Note what the gates are for. The choice is a jump: move a score a little and nothing changes, then suddenly another
# expert works. No gradient comes through a jump. The router learns only through the gates, that is, only about the
# experts it has chosen. An expert that is never chosen never learns, and the router never learns that it might be worth
# choosing. Keep that in mind.

# %% [markdown]
# ## The work itself
#
# Each expert is a SwiGLU, $W_\text{down}(\mathrm{silu}(W_\text{gate}x) \cdot W_\text{up}x)$, and a token's output is
# the sum of its experts' outputs times their gates. All experts of a layer lie in two tensors, `w_gate_up` `[E, 2F, D]`
# and `w_down` `[E, D, F]`.
#
# ### Exercise: the experts
#
# *Difficulty 2 · 2 points · 20 minutes.* Go through the experts one by one, and compute each for its own tokens only.
# That is the definition. `minids` runs two faster forms of it as long as this function is its own; yours, once it
# passes, works in every model that you train or run from here on, until the next exercise brings a faster form back.
#
# <details><summary>Hint 1</summary>
#
# `token, slot = torch.where(indices == e)` gives the places of all choices that fell on expert `e`: which token, and in
# which of its K columns. `x[token]` are its inputs, `gates[token, slot]` their gates.
# </details>
#
# <details><summary>Hint 2</summary>
#
# `F.linear(x, w)` is `x @ w.T`. Gate and up come out of one product, next to each other: `.chunk(2, dim=-1)`.
# </details>
#
# <details><summary>Hint 3</summary>
#
# A token meets several experts, so results must be *added* to what is there. `out = out.index_add(0, token, y)` does it
# without changing a tensor that autograd still needs.
# </details>

# %% exercise="moe.experts" points=2 minutes=20 difficulty=2
from minids.model.moe import experts_loop

# %% [markdown]
# ## Sorting makes it fast
#
# The loop picks rows out of `x` and adds rows into `out` once for each expert, and autograd records every step. It is
# better to sort first: put all choices that fell on expert 0 next to each other, then those of expert 1, and so on.
# Each expert is then one matrix product over a slice of consecutive rows, forwards and backwards. GPUs call this a
# *grouped* matrix product. Slices are rounded up to a multiple of the block that the hardware likes (64 rows here, 128
# on a GPU), with rows that only fill up.
#
# Three tokens, two choices each, slices rounded up to multiples of 2:
#
#     token 0 chose 0 and 2        row      0  1 | 2  3  4  5 | 6  7
#     token 1 chose 2 and 0        expert   0  0 | 2  2  2  2 | 3  3      sizes 2, 0, 4, 2
#     token 2 chose 2 and 3        token    0  1 | 0  1  2  · | 2  ·
#
# `permute_tokens` computes the way there (which token is in each row) and the way back (in which row each choice
# stands).
#
# ### Exercise: where everything goes
#
# *Difficulty 3 · 3 points · 30 minutes.* No weights in it, only integers; and still, this is the exercise that most
# people get wrong first. A loop over experts is a right answer. One without a loop is a better one.
#
# <details><summary>Hint 1</summary>
#
# Flatten the indices to a list of N·K choices. Choice number `c` is of token `c // K`. `torch.bincount(...,
# minlength=experts)` counts, and `(count + m - 1) // m * m` rounds up.
# </details>
#
# <details><summary>Hint 2</summary>
#
# `order = chosen.argsort(stable=True)` lists the choices sorted by expert: `order[i]` is the choice at sorted place
# `i`. Without rounding, its row is `i`. With rounding, all rows move on by the filling of the slices *before*.
# </details>
#
# <details><summary>Hint 3</summary>
#
# Filling before expert e: `cumsum` of the sizes minus the sizes themselves is where each slice begins; the same for the
# counts; the difference is the shift. For the way back, write `row` at the places `order`: `place[order] = row`.
# </details>

# %% exercise="moe.permute" points=3 minutes=30 difficulty=3
from minids.model.moe import permute_tokens

# %% [markdown]
# How much does sorting bring? A layer with the sizes of the recipe `tiny`, 8 experts of which 2 work for each of 2048
# tokens, forwards and backwards, on the machine that made this notebook. `dense` computes all experts on all tokens and
# multiplies most of it by zero, which sounds foolish and is what `minids` does for a handful of tokens, where the
# number of calls is what costs.

# %% clock
def milliseconds(form, n, grad=True, repeats=30):
    make = torch.Generator().manual_seed(0)
    x, up = torch.randn(n, 96, generator=make), torch.randn(8, 96, 96, generator=make) / 10
    down, gates = torch.randn(8, 96, 48, generator=make) / 7, torch.rand(n, 2, generator=make)
    chosen, times = torch.rand(n, 8, generator=make).topk(2).indices, []
    inputs = [z.requires_grad_(grad) for z in (x, gates, up, down)]
    for _ in range(repeats):
        begin = time.process_time()
        y = form(inputs[0], chosen, *inputs[1:])
        if grad:
            y.sum().backward()
        times.append(1000 * (time.process_time() - begin))
    return min(times)


for form in (moe.experts_dense, moe.experts_loop, moe.experts_grouped):
    print(f"{form.__name__:16} 2048 tokens, both ways: {milliseconds(form, 2048):6.2f} CPU-ms"
          f"     8 tokens, forwards: {milliseconds(form, 8, grad=False):5.2f} CPU-ms")

# %% [markdown]
# On a processor the sorted form is usually somewhat ahead of the loop at such sizes, and with fewer tokens or smaller
# experts the two are level: no revolution. The revolution is on a GPU, where 256 slices go into a single launch, and
# between machines, where a sorted slice is what can be sent.
#
# From here on, `minids` trains with the grouped form, which runs on your `permute_tokens` if they passed. (If only
# your loop passed, that one trains.)
#
# ## Left alone, experts collapse
#
# Now train. A model of two layers, the second with 16 routed experts of which 4 work, and one shared expert; the texts
# are those that the course's reasoning model will read: sums, chains of sums, and sums told as stories, each with a
# thought and an answer.

# %%
mix = {"careful": 0.6, "brisk": 0.2, "hasty": 0.2}
parts = list(documents.pretraining_parts(("add", "chain", "word"), 3800, mix=mix, fact_share=0.1, seed=4))
tokenizer = Tokenizer.train(documents.pretraining_texts(parts), 448, digits="single")
corpus, unseen = (documents.pretraining_documents(tokenizer, p, quiet=True) for p in (parts[:3600], parts[3600:]))
SIZES = dict(
    vocab_size=448, hidden_size=64, intermediate_size=160, moe_intermediate_size=32, num_hidden_layers=2,
    first_k_dense_replace=1, num_attention_heads=4, n_routed_experts=16, num_experts_per_tok=4, n_shared_experts=1,
    n_group=4, topk_group=4, routed_scaling_factor=1.0, kv_lora_rank=32, q_lora_rank=None, qk_rope_head_dim=16,
    qk_nope_head_dim=16, v_head_dim=16, max_position_embeddings=256, initializer_range=0.08, rope_theta=1000.0,
)
print(" | ".join(next(part for part in parts if part[0])))

# %%
@torch.no_grad()
def unseen_loss(model):
    """Mean loss, in nats a token, on 200 documents that no model is trained on."""
    total = weight = 0.0
    for begin in range(0, len(unseen), 40):
        batch = unseen.batch(range(begin, begin + 40), prompt_weight=0.15)
        total += loss.lm_loss(model, batch)[0].item()
        weight += batch.weight_BT.sum().item()
    return total / weight


def recent_load(run, steps=20):
    """Load of each expert over the last steps, in units of the mean: 1 is even."""
    count = torch.stack(run.counts[-steps:]).sum(0)
    return count / count.mean()

# %%
STEPS = budget(120)  # fewer where a test or a grader runs this notebook


def train(steps=STEPS, seed=0, gamma=0.0, alpha=0.0, every=0, **changes):
    """A model trained with these settings, and what was noted on the way."""
    torch.manual_seed(seed)
    model = Transformer(ModelConfig(**SIZES | changes))
    run = SimpleNamespace(model=model, counts=[], losses={}, seconds=[])
    begin = [time.process_time()]

    def note(step, values):
        run.seconds.append(time.process_time() - begin[0])
        if values["counts"] is not None:
            run.counts.append(values["counts"][0])
        if step == steps or (every and step % every == 0):
            run.losses[step] = unseen_loss(model)
        begin[0] = time.process_time()

    how = dict(lr=2e-3, warmup=10, schedule="constant", bias_update_speed=gamma, balance_alpha=alpha)
    loop.train(model, documents.Source(corpus, 512, seed=seed), loop.TrainConfig(steps, **how), quiet=True,
               on_step=note)
    run.loss = run.losses[steps]
    return run

# %% [markdown]
# `gamma` and `alpha` are the strengths of two ways to balance that come below. Both are zero now: every token goes
# where its scores say.

# %%
alone = train()
load = torch.stack(alone.counts)
load = load / load.mean(1, keepdim=True)
load = torch.stack([part.mean(0) for part in load.split(5)])  # five steps a column
order = recent_load(alone).argsort(descending=True)
fig, ax = plt.subplots(figsize=(6.8, 3.2))
image = ax.imshow(load[:, order].T, aspect="auto", cmap="viridis", extent=(0, len(alone.counts), 16, 0), vmin=0, vmax=3)
ax.set(xlabel="step", ylabel="expert, busiest first", yticks=[])
ax.grid(False)
fig.colorbar(image, label="tokens, in units of the mean")
show(fig, "A heat map of the load of 16 experts over 120 training steps without balancing. The busiest experts get two "
          "to three times the mean all along, and the least busy ones get next to nothing.")
print(f"busiest {recent_load(alone).max():.1f} times the mean; {int((recent_load(alone) < 0.25).sum())} of 16 get less"
      f" than a quarter of it. Loss on unseen texts {alone.loss:.3f}")

# %% [markdown]
# That is *collapse*, in its beginnings. Some experts drew more tokens at the start by pure chance of initialisation.
# What works learns; what has learned is worth choosing; what is not chosen does not learn. Nothing in the loss asks for
# anything else. Left to itself this feeds on itself, and idle experts are parameters that are bought and never used
# (Shazeer et al. 2017, arXiv 1701.06538, section 4).
#
# Look at the loss, though. It is not bad at all, as we shall see. On one machine, with nobody waiting, a lopsided
# router costs little. The bill comes from the hardware.
#
# ## What imbalance costs: capacity
#
# Large models put experts on different GPUs. A layer is done when the busiest one is done, and the others wait. So
# early systems gave every expert a fixed number of places, the *capacity*: its fair share times a factor such as 1.25.
# Tokens beyond it are *dropped*, they pass the layer with nothing added (GShard, arXiv 2006.16668, section 2.2; Switch
# Transformer, arXiv 2101.03961, section 2.2). Move the factor:

# %%
def draw(ax, capacity):
    load = recent_load(alone).sort(descending=True).values
    dropped = (load - capacity).clamp(min=0).sum() / load.sum()
    ax.bar(range(16), load.clamp(max=capacity))
    ax.bar(range(16), (load - capacity).clamp(min=0), bottom=capacity, color="C1")
    ax.axhline(capacity, color="black", linewidth=1)
    ax.text(15.5, 3.0, f"{dropped:.0%} dropped\n{1 - (1 - dropped) / capacity:.0%} of places empty", ha="right")
    ax.set(xlabel="expert", ylabel="tokens / mean", ylim=(0, 3.8), xticks=[])


play(draw, capacity=(1.0, 3.5, 0.05), shown=[(1.0,), (1.25,), (2.0,)],
     alt="Loads of 16 experts sorted, cut at capacity factors 1, 1.25 and 2. At 1 a large part of the work is dropped; "
         "at 2 little is dropped, but half of the places stay empty.")

# %% [markdown]
# There is no good setting. A low capacity loses work, a high one pays for places that stay empty. DeepSeek-V3 drops no
# token, in training or in inference, and can afford it because its loads are even (section 2.1.2). How?
#
# ## Balance by bias
#
# V3's answer is almost embarrassingly simple. After every optimizer step, look at who had how much to do. Who had more
# than the mean gets a slightly lower bias, who had less a slightly higher one, by a fixed amount γ. A thermostat. No
# gradient, no loss term, and gates stay what the scores say, so the model is not asked to want anything it does not
# want (section 2.1.2; Wang et al. 2024, arXiv 2408.15664).
#
# ### Exercise: the thermostat
#
# *Difficulty 1 · 1 point · 10 minutes.*
#
# <details><summary>Hint</summary>
#
# `torch.sign` gives -1, 0 or 1. The counts are float64; the bias is float32 and must stay so (`.to(bias.dtype)`).
# </details>

# %% exercise="moe.bias" points=1 minutes=10 difficulty=1
from minids.model.moe import bias_step

# %% [markdown]
# How fast should the thermostat be? V3 takes γ = 0.001 for its first 14.3 trillion tokens (section 4.2). Our runs have
# 120 steps, not hundreds of thousands.

# %%
by_bias = {gamma: train(gamma=gamma, every=STEPS // 4) for gamma in (0.001, 0.01, 0.1)}
fig, ax = plt.subplots(figsize=(6.4, 3))
for gamma, run in {0.0: alone, **by_bias}.items():
    worst = torch.stack([c.max() / c.mean() for c in run.counts])
    means = [part.mean() for part in worst.split(5)]
    ax.plot([5 * i + 2.5 for i in range(len(means))], means, label=f"γ = {gamma:g}")
ax.set(xlabel="step", ylabel="busiest expert / mean", ylim=(1, None))
ax.legend(ncols=4, fontsize=8)
show(fig, "The load of the busiest expert against training steps for four speeds of the bias. Without it the load "
          "stays near three times the mean; with 0.001 it falls slowly, with 0.01 fast; 0.1 stays high.")
for gamma, run in {0.0: alone, **by_bias}.items():
    last = torch.stack(run.counts[-20:])
    print(f"γ = {gamma:<6g} busiest expert: {recent_load(run).max():.2f} over the last 20 steps,"
          f" {(last.amax(1) / last.mean(1)).mean():.2f} within a step;  loss {run.loss:.3f}")

# %% [markdown]
# A small γ takes its time, since all it can move in 120 steps is 120 γ. With a large one the router is thrown to and
# fro: averaged over steps all is even, but in every single step some expert has too much, and tokens keep meeting other
# experts than those that learned from their like.
#
# ## Balance by loss
#
# The older way is a term in the loss. Take for one text the share $f_i$ of choices that fell on expert i, scaled so
# that even is 1, and the mean share of the scores $P_i$ that the router *wants* to give it. Their product, summed over
# experts, is 1 when all is even and grows when busy experts are also wanted. The count has no slope, but $P_i$ has one,
# and its slope is $f_i$: the busier an expert, the harder its scores are pushed down. V3 keeps a trace of it, with α =
# 0.0001, against extremes within a single text (section 2.1.2, eq. 17-20; section 4.2).
#
# ### Exercise: the balance loss
#
# *Difficulty 3 · 3 points · 30 minutes.* A batch holds several texts, told apart by `rows`; padding has -1. Each text
# has its own f and P, and the mean is over texts. The docstring has the formulas.
#
# <details><summary>Hint 1</summary>
#
# First write it for one text: `chosen` `[T, E]` is 1 where a token chose an expert (`scatter` into zeros), then `f =
# chosen.sum(0) * E / (K * T)`, and P is a mean over tokens. A loop over the texts is a right answer.
# </details>
#
# <details><summary>Hint 2</summary>
#
# Without a loop: a matrix `[N, R]` that is 1 where token n is of text r. Its transpose times anything `[N, E]` is that
# thing summed within each text. `F.one_hot(rows + 1, n_rows + 1)[:, 1:]` drops the padding.
# </details>
#
# <details><summary>Hint 3</summary>
#
# Count tokens, not rows, when you divide, and leave texts without tokens out of the mean. `clamp(min=1)` keeps 0 / 0
# away.
# </details>

# %% exercise="moe.balance_loss" points=3 minutes=30 difficulty=3
from minids.model.moe import balance_loss

# %% [markdown]
# Three strengths of it, against three speeds of the bias. To know which differences mean anything, three of the runs
# are repeated with two other seeds, that is, with other initial weights and the texts in another order.

# %%
by_loss = {alpha: train(alpha=alpha) for alpha in (0.01, 1.0, 30.0)}
runs = {("nothing", 0, 0): alone}
runs |= {("bias, γ", gamma, 0): run for gamma, run in by_bias.items()}
runs |= {("loss, α", alpha, 0): run for alpha, run in by_loss.items()}
for seed in (1, 2):
    runs["nothing", 0, seed] = train(seed=seed)
    runs["bias, γ", 0.01, seed] = train(seed=seed, gamma=0.01)
    runs["loss, α", 30.0, seed] = train(seed=seed, alpha=30.0)
print("loss on unseen texts      seed 0   seed 1   seed 2")
for kind, value, _ in [key for key in runs if key[2] == 1]:
    print(f"{kind} {value or '':<17}", "   ".join(f"{runs[kind, value, seed].loss:6.3f}" for seed in range(3)))

# %%
fig, ax = plt.subplots(figsize=(6.4, 3.2))
look = {"nothing": ("C0", "o"), "bias, γ": ("C1", "s"), "loss, α": ("C2", "^")}
for kind, (colour, marker) in look.items():
    for seed, filled in enumerate(("full", "none", "bottom")):
        chosen = {value: run for (k, value, s), run in runs.items() if (k, s) == (kind, seed)}
        points = [(recent_load(run).max(), run.loss - runs["nothing", 0, seed].loss) for run in chosen.values()]
        ax.plot(*zip(*points), marker, color=colour, markersize=8, fillstyle=filled, label=f"{kind}, seed {seed}")
        for value, point in zip(chosen, points):
            ax.annotate(f"{value:g}", point, fontsize=9, xytext=(7, -3), textcoords="offset points")
ax.set(xlabel="busiest expert / mean, last 20 steps", ylabel="loss, less the loss of\nnothing with that seed")
ax.legend(fontsize=8, loc="upper center")
show(fig, "Loss relative to no balancing against the busiest expert's load. Bias and balance loss of moderate strength "
          "have loads near one and losses close to zero; the balance loss with weight 30 lies far above.")

# %% [markdown]
# Read it from the right. Doing nothing is nearly three times as lopsided as even. Moderate balance, by either method,
# costs nothing that one could tell from the accident of the seed: compare a full marker with the open and the half-full
# one of the same setting, and differences of a few hundredths of a nat are no finding. What is one is the extreme. With
# α = 30 the router is trained to be even first and to be useful second, and the loss is higher by a tenth of a nat or
# more with every seed. No such trade is possible with the bias, of which no gradient knows; a γ that is too large costs
# restlessness instead.
#
# So why did V3 change from one to the other? In its own ablations (section 4.5.3) models of 1 and 3 billion parameters
# reach validation losses of 2.258 and 2.085 with the sequence-wise loss, 2.253 and 2.080 with the bias. Five
# thousandths of a nat: worth having at that scale, and far below what our runs of a few seconds could ever resolve. The
# same section finds that a balance loss over the whole batch does as well as the bias. What matters is not the
# mechanism but how much freedom it leaves: to be even *within each text* is a stricter demand than to be even over a
# batch, and a text about one thing should be allowed to use the experts for that thing.

# %% [markdown]
# ## Group limits
#
# V3's 256 experts live on many machines. In its training, 64 GPUs on 8 nodes share a layer's experts (section 3.2), and
# a token's state must travel to every node that holds one of its 8. Between nodes the wires are about three times
# slower than within (section 3.2.2). Left to chance, how many nodes would a token visit?

# %%
# NBVAL_CHECK_OUTPUT
def nodes_by_chance(experts, groups, k):
    """Expected number of groups that k experts drawn at random fall into."""
    size = experts // groups
    return groups * (1 - math.comb(experts - size, k) / math.comb(experts, k))


print(f"V3, 8 of 256 experts on 8 nodes: {nodes_by_chance(256, 8, 8):.1f} nodes a token, at most 8; allowed are 4")
print(f"ours, 4 of 16 in 4 groups:       {nodes_by_chance(16, 4, 4):.1f} groups a token")

# %% [markdown]
# V3 allows four: each token first chooses its four best groups, by the sum of the two best biased scores in each, and
# then its experts inside them (section 2.1.2, "node-limited routing"). `mask_groups` does the first half. It lets the
# experts of the best groups keep their scores and makes sure that no other one can be chosen.
#
# ### Exercise: a bug hunt
#
# *Difficulty 2 · 2 points · 20 minutes.* Somebody's `mask_groups` trains well: same loss, even loads, and whoever
# counts finds no token in more than two groups. Then a colleague notes that the router has a symmetry. Adding the
# *same* number to all biases cannot change who is best, so the routing must stay as it is. Here is that test, on a
# model trained with at most 2 of 4 groups:

# %%
two_groups = train(gamma=0.01, topk_group=2)
states = []
hook = two_groups.model.layers[1].mlp.gate.register_forward_hook(lambda gate, given, result: states.append(result[0]))
unseen_loss(two_groups.model)
hook.remove()
token_scores, learned = torch.cat(states), two_groups.model.layers[1].mlp.gate.e_score_correction_bias
suspect = wrong.named("moe.groups", "a_limit_that_leaks").fn


def rerouted(limit, number):
    """The share of tokens that get other experts once `number` is added to all biases."""
    with patch.object(moe, "mask_groups", limit):
        before, after = (moe.route(token_scores, learned + n, 4, 2, 4, True, 1.0)[0] for n in (0, number))
    return (before.sort(-1).values != after.sort(-1).values).any(-1).float().mean().item()

# %%
numbers = [n / 8 for n in range(-16, 17)]
fig, ax = plt.subplots(figsize=(6.4, 2.8))
ax.plot(numbers, [100 * rerouted(suspect, n) for n in numbers], color="C1", label="the suspect")
ax.set(xlabel="number added to all biases", ylabel="tokens rerouted (%)", ylim=(-4, 104))
ax.legend()
show(fig, "The share of tokens that get other experts when one number is added to all biases. For the suspect it is "
          "zero for positive numbers and rises for negative ones. It should be zero everywhere.")

# %% [markdown]
# To the right of zero all is well; to the left it is not, and ever fewer tokens are routed as before. The next cell
# holds the suspect's code. Find the line and repair it.
#
# <details><summary>Hint 1</summary>
#
# What is special about the left side? Look at what range biased scores have there: a sigmoid lies between 0 and 1.
# </details>
#
# <details><summary>Hint 2</summary>
#
# Follow one token with biased scores of -1.2, -1.5 in its best group. What do the scores of its other groups become?
# Which of them does the top-k like best?
# </details>

# %% exercise="moe.groups" start="a_limit_that_leaks" points=2 minutes=20 difficulty=2
from minids.model.moe import mask_groups

# %%
print("rerouted by adding -2, -1, 1:", [f"{rerouted(moe.mask_groups, n):.1%}" for n in (-2, -1, 1)])

# %% [markdown]
# This bug is real. It was reported against DeepSeek's own code (issue 741 of deepseek-ai/DeepSeek-V3), was repaired in
# vLLM (pull request 13474) and SGLang (3705), and lived in transformers for longer (issue 45440). It hid well because
# V3's own biases are all positive: somebody looked, and the smallest is above 2 (transformers, pull request 45441).
# Your training run would not have noticed either. A symmetry that must hold is often a sharper test than a loss.
#
# What does the limit cost, and what does it save?

# %%
@torch.no_grad()
def groups_visited(run):
    seen = []
    gate = run.model.layers[1].mlp.gate
    hook = gate.register_forward_hook(lambda gate, given, result: seen.append(result[1]))
    unseen_loss(run.model)
    hook.remove()
    return F.one_hot(torch.cat(seen) // 4, 4).amax(1).sum(-1).double().mean()


limited = {4: by_bias[0.01], 2: two_groups, 1: train(gamma=0.01, topk_group=1)}
for groups, run in limited.items():
    print(f"at most {groups} of 4 groups: {groups_visited(run):.2f} visited by a token, busiest expert"
          f" {recent_load(run).max():.2f}, loss {run.loss:.3f}")

# %% [markdown]
# Two of four groups cost nothing that we could measure, and a third of the travel is gone. A single group tends to be a
# little worse, by one to four hundredths of a nat whenever we tried, which is no more than the seed does. One can see
# why it should be: all four experts now come as one block, so a token has 4 combinations to choose from, where before
# there were 1820. Fine-grained experts pay through their combinations. (In V3: 8 of 256 is a number with 15 digits.)
#
# ## What do experts specialise in?
#
# It is tempting to expect a grammar expert and an arithmetic expert. Let us look, and in a model that has read millions
# of tokens: the trained tiny model of this repository (`base`: 8 experts, 2 at work, 3 layers with experts). For each
# kind of token, which experts work?

# %%
base, words = tiny_models.model("base")
parts = list(documents.pretraining_parts(("add", "chain", "word"), 240, mix=mix, fact_share=0.1, seed=404))
sample, worked = documents.pretraining_documents(words, parts, quiet=True), {}
blocks = moe.moe_layers(base)
for n, block in enumerate(blocks):
    block.gate.register_forward_hook(lambda gate, given, result, n=n: worked.setdefault(n, []).append(result[1]))
batches = [sample.batch([i], 0.15) for i in range(len(sample))]
with torch.no_grad():
    for batch in batches:
        base.hidden(batch.ids_BT)
worked = [torch.cat(worked[n]) for n in range(len(blocks))]  # [tokens, 2] for each layer
texts = [[words.decode([i]) for i in batch.ids_BT[0].tolist()] for batch in batches]

# %%
def kind(token):
    token = token.strip()
    if token.isdigit():
        return "digit"
    if token and token in "+-=:>;":
        return "sign"
    return ("Word" if token[0].isupper() else "word") if token.isalpha() else "other"


kinds, E = [kind(t) for text in texts for t in text], base.config.n_routed_experts
fig, axes = plt.subplots(1, len(blocks), figsize=(7, 2.5), sharey=True)
names = ["digit", "sign", "word", "Word", "other"]
for n, (ax, chosen) in enumerate(zip(axes, worked)):
    rows = [F.one_hot(chosen[[i for i, k in enumerate(kinds) if k == name]], E).double().mean((0, 1)) for name in names]
    image = ax.imshow(torch.stack(rows) * E, cmap="viridis", vmin=0, vmax=3, aspect="auto")
    ax.set(xlabel="expert", title=f"layer {n + base.config.first_k_dense_replace}", yticks=range(5), yticklabels=names)
    ax.grid(False)
fig.colorbar(image, ax=axes, label="share / even share")
show(fig, "Three heat maps, one a layer: how often each of 8 experts works for digits, signs, lower-case words, "
          "words with a capital, and other tokens. The first is strongly patterned, the last much less.")

# %% [markdown]
# There is a pattern, and it is strongest in the first of the three layers, where some experts see hardly any digit and
# others hardly anything else. How much of the choice is explained, by what? The *mutual information* between a property
# of a token and the expert that works says it in bits; knowing everything would give 3 bits, for 8 equally busy
# experts. (A finite sample shows some bits even where there is nothing to know; that much is measured by shuffling, and
# taken off.)

# %%
def bits(labels, chosen):
    """Mutual information between labels [N] and chosen experts [N, K], less what shuffled labels show."""
    number = {label: i for i, label in enumerate(sorted(set(labels), key=str))}
    label = torch.tensor([number[x] for x in labels])

    def information(label):
        joint = torch.zeros(len(number), E, dtype=torch.float64)
        pairs = repeat(label, "n -> (n k)", k=chosen.shape[1]), rearrange(chosen, "n k -> (n k)")
        joint.index_put_(pairs, torch.ones(()).double(), True)
        joint /= joint.sum()
        ratio = joint / (joint.sum(0, keepdim=True) * joint.sum(1, keepdim=True)).clamp(min=1e-12)
        return (joint * ratio.clamp(min=1e-12).log2()).sum().item()

    shuffle = torch.randperm(len(label), generator=torch.Generator().manual_seed(0))
    return information(label) - information(label[shuffle])

# %%
flat = [t for text in texts for t in text]
before = [t for text in texts for t in ["", *text[:-1]]]
sign = []  # the last sign before each token: are we in an operand or in a result?
for text in texts:
    last = ""
    for token in text:
        sign.append(last)
        last = token.strip() if kind(token) == "sign" else last
digits = torch.tensor([k == "digit" for k in kinds])
only_digits = [i for i, d in enumerate(digits.tolist()) if d]
for what, labels, rows in (
    ("which token it is", flat, None), ("its kind (as above)", kinds, None), ("the token before it", before, None),
    ("position in the text, in steps of 16", [t // 16 for text in texts for t in range(len(text))], None),
    ("digits only: which digit", flat, only_digits), ("digits only: the sign before", sign, only_digits),
):
    found = [bits([labels[i] for i in rows] if rows else labels, chosen[rows] if rows else chosen) for chosen in worked]
    print(f"{what:38}", "  ".join(f"{b:5.2f}" for b in found), " bits")

# %% [markdown]
# So: experts of the first layer go by the token itself, and that explains about a quarter of their choice. Further up
# the token before counts for about as much, that is, experts look at context. Position explains next to nothing. Among
# digits it hardly matters *which* digit it is; what matters, in every layer, is the sign before it: is this digit an
# operand, or part of a result? That is a division of labour by role, in a model that nobody told about roles. But there
# is no "addition expert", and most of the choice stays unexplained by anything we can name. Much larger models show
# stronger patterns by subject (V3 paper, section 4.5.3 and appendix C, which finds them clearer with the bias than with
# the loss); one should still not expect experts in the everyday sense.
#
# ## Does it pay? Equal FLOPs, equal time
#
# Everything so far compared experts with experts. The honest rival is a dense block that costs a token as much: its
# width is that of the active experts together, 4 · 32 + 32 = 160.

# %%
dense = {seed: train(seed=seed, first_k_dense_replace=2) for seed in (1, 2)}
dense[0] = train(steps=STEPS * 3 // 2, every=STEPS // 4, first_k_dense_replace=2)
experts = {seed: runs["bias, γ", 0.01, seed] for seed in range(3)}
for name, pair in (("16 experts, 4 + 1 at work", experts), ("dense, as wide as 5 experts", dense)):
    model, after = pair[0].model, [f"{pair[seed].losses[STEPS]:.3f}" for seed in range(3)]
    print(f"{name:28} {model.parameter_count():7} parameters, {model.parameter_count(active=True):7} used by a token;"
          f" loss after {STEPS} steps {', '.join(after)}")

# %% [markdown]
# Half as many parameters again, the same work a token, and nothing gained: which of the two is ahead changes with the
# seed, by less than what seeds differ by. The texts of this course are arithmetic: a few rules, little to
# know. Room for knowledge is what experts add, and here it is not what is missing. Now the clock, on the machine that
# made this notebook:

# %% clock
step = {}
fig, axes = plt.subplots(1, 2, figsize=(7, 2.8), sharey=True)
for name, run, style in (("experts", experts[0], "o-"), ("dense", dense[0], "s-")):
    step[name] = sorted(run.seconds)[len(run.seconds) // 2]
    axes[0].plot(run.losses.keys(), run.losses.values(), style, label=name)
    axes[1].plot([n * step[name] for n in run.losses], run.losses.values(), style)
axes[0].set(xlabel="step (equal FLOPs)", ylabel="loss on unseen texts (nats)")
axes[1].set(xlabel="CPU-seconds (equal time)")
axes[0].legend()
show(fig, "Loss against steps and against seconds, with experts and dense. Against steps, which cost the same "
          "FLOPs, the curves lie on each other. Against seconds the dense model is ahead.")
print(f"one step takes {1000 * step['experts']:.1f} CPU-ms with experts, {1000 * step['dense']:.1f} dense: "
      f"{step['experts'] / step['dense']:.2f} times as long for the same FLOPs")

# %% [markdown]
# Equal FLOPs are not equal time. While one trains 120 steps with experts, a good deal more of them fit in without, and
# at this stage of training every step counts: at equal time the dense block wins clearly. Sixteen small products are
# slower than one large one, and sorting and adding up is work without a FLOP. The optimizer adds its part: it updates
# all parameters, not just the active ones. At this size of matrices we should expect nothing else. (The recipe `tiny`
# uses experts all the same. It is there to be looked at.)
#
# So is the idea empty at small scale? No: it does what it promises, once there is much to *know*. Take 2048 random
# keys, 16 numbers each, and give every one a random label out of 32. There is no rule to find. A block must simply
# store 2048 facts of 5 bits. Three blocks try: 16 experts of width 8 with 4 at work and one shared; a dense one as wide
# as the active experts together (40); and a dense one as wide as *all* of them (136).

# %%
def block_of(width):
    """An MoE block for width "experts", else a dense one; weights of a size that suits 16 inputs."""
    torch.manual_seed(4)
    sizes = dict(hidden_size=16, moe_intermediate_size=8, n_routed_experts=16, num_experts_per_tok=4, n_group=1,
                 topk_group=1, routed_scaling_factor=1.0)
    block = moe.MoE(ModelConfig(**sizes), 0) if width == "experts" else layers.MLP(16, width)
    for weight in block.parameters():
        torch.nn.init.normal_(weight, std=weight.shape[-1] ** -0.5)
    return block


keys, labels = torch.randn(2048, 16), torch.randint(32, (2048,))

# %%
def store(width, steps):
    """Trains a block and a linear layer above it on all facts -> (share known, CPU-seconds a step)."""
    block, head = block_of(width), torch.nn.Linear(16, 32)
    optimizer = torch.optim.Adam([*block.parameters(), *head.parameters()], lr=0.01)
    begin = time.process_time()
    for _ in range(steps):
        loads = moe.ExpertLoad()
        y = block(keys[None], loads)[0] if width == "experts" else block(keys)
        logits = head(keys + y)
        optimizer.zero_grad()
        F.cross_entropy(logits, labels).backward()
        optimizer.step()
        moe.update_bias(block, loads.counts, 0.01)
    return (logits.argmax(-1) == labels).double().mean(), (time.process_time() - begin) / steps


stored = {width: store(width, budget(200)) for width in ("experts", 40, 136)}
for width, (known, _) in stored.items():
    print(f"{width!s:8} knows {known:.0%} of the facts")

# %% clock
for width, (_, seconds) in stored.items():
    print(f"{width!s:8} {1000 * seconds:5.2f} CPU-ms a step")

# %% [markdown]
# *That* is what experts buy: at the FLOPs of the narrow block they store more than twice as much, nearly as much as the
# wide block with all their parameters. And the clock takes it back: in matrices this small the calls cost more than the
# arithmetic, and the wide dense block is both better and no slower. The trade turns where the products are large enough
# to fill the machine, and where parameters are cheap to hold compared with the FLOPs to use them all. V3's experts are
# matrices of 7168 by 2048, and a token that used all 257 would cost nearly thirty times as much in these layers. There
# it pays. Whoever shows a mixture of experts winning at the size of this notebook has not shown the clock.

# %% [markdown]
# ## What you now own
#
# - `route`: who works, by biased scores within the best groups; what they count, by scores alone.
# - `experts_loop`, the definition that every faster form is compared with, and `permute_tokens`, which makes it fast.
#   If both are yours, your models train on your `permute_tokens` and decode on your loop.
# - `bias_step` and `balance_loss`, the two ways to balance, and a measurement of what each costs.
# - `mask_groups`, repaired, and a symmetry that tests any router.
# - Three measurements of your own: no loss from balance at moderate strength, none from two groups of four, and dense
#   ahead at equal time.
#
# ## Questions
#
# 1. A router takes its gates from score + bias by mistake. The model trains. What goes wrong as γ keeps working, and
#    how would you see it?
#
# <details><summary>Answer</summary>
#
# The bias now changes what an expert counts, and the balance starts to act on the function that is computed: a popular
# expert's gate shrinks because it is popular. Gates can become negative or, normed, larger than one. In a plot of gates
# against scores the points of an expert lie off the diagonal by its bias. (vLLM had this bug: pull request 12002.)
# </details>
#
# 2. Counts are collected in float64 over a whole optimizer step, and padding is left out. What would happen if every
#    micro-batch moved the bias instead, or evaluation did too?
#
# <details><summary>Answer</summary>
#
# With m micro-batches a step the bias would move up to m times as far, on noisier counts, so γ would mean something
# else on every machine. Evaluation texts would push the router towards *their* balance: information from the test set
# enters the model, if only a little, and a run that evaluates more often would differ from one that does not. In
# `minids` a forward counts only if it is handed an `ExpertLoad`.
# </details>
#
# 3. V3 switches γ to 0 for its last 500 billion tokens (section 4.2). Why might one want that?
#
# <details><summary>Answer</summary>
#
# The paper gives no reason. One that fits what we saw: at any γ > 0 some tokens near a tie are sent back and forth from
# step to step. With the bias at rest, the experts at the end learn from exactly the tokens that they will get in use,
# and the biases that are shipped are those that training ended with.
# </details>
#
# ## Sources
#
# - DeepSeek-AI, *DeepSeek-V3 Technical Report*, arXiv 2412.19437: section 2.1.2 (DeepSeekMoE with auxiliary-loss-free
#   load balancing, node limits, no token dropping), 3.2 and 3.2.2 (expert parallelism, all-to-all), 4.2 (sizes, γ, α),
#   4.5.2 and 4.5.3 (ablations), appendix C (patterns of specialisation).
# - Dai et al., *DeepSeekMoE*, arXiv 2401.06066: fine-grained and shared experts.
# - Wang et al., *Auxiliary-Loss-Free Load Balancing Strategy for Mixture-of-Experts*, arXiv 2408.15664.
# - Shazeer et al., *Outrageously Large Neural Networks*, arXiv 1701.06538, section 4: why it collapses.
# - Lepikhin et al., *GShard*, arXiv 2006.16668, section 2.2, and Fedus et al., *Switch Transformers*, arXiv 2101.03961,
#   section 2.2: capacity and dropped tokens.
# - The bug of the hunt: deepseek-ai/DeepSeek-V3 issue 741; vllm-project/vllm pull request 13474; sgl-project/sglang
#   pull request 3705; huggingface/transformers issue 45440 and pull request 45441.
