# %% [markdown]
# # 02 Transformer
#
# **The question.** A model sees a row of token ids and is to say which comes next. What has to happen in between, and
# what is each part good for?
#
# The parts of this chapter are the ones that most open language models since 2023 share, DeepSeek-V3 among them:
# RMSNorm, rotary positions, SwiGLU, causal attention. You write them, put them together, and train a model with 0.2
# million weights until it speaks. Then you take each part out again and see what is lost. What makes V3 *different*
# (latent attention, experts, predicting several tokens) follows in chapters 03, 04 and 05.
#
# *Costs about 45 CPU-seconds and under 1 GiB. Needs chapter 01 (a text becomes token ids).*

# %%
import math
import random
import re
import time
from collections import Counter
from dataclasses import replace
from unittest.mock import patch

import matplotlib.pyplot as plt
import torch
import torch.nn.functional as F

from minids import ModelConfig, Tokenizer, Transformer, generate
from minids.course import budget, check, play, show, start  # noqa: F401 (check is used by the exercises)
from minids.model import attention, cache, layers, sampling
from minids.tasks import stories
from minids.train import optim

start(2)

# %% [markdown]
# ## 1. A text to learn from
#
# Our corpus is a small language in which everything can be checked: stories of one to three sentences about things
# that are bought, lost and given away, a question, and the answer. A program makes as many as we like. A tokenizer of
# 400 ids is trained on them, and all stories are joined to one long row of ids with an end sign after each.

# %%
rng = random.Random(2)


def story():
    terms = [rng.randint(2, 20) for _ in range(rng.choice((2, 3)))]
    if len(terms) == 3 and rng.random() < 0.5:
        terms[2] = -rng.randint(1, terms[0] + terms[1] - 1)
    return f"{stories.tell(tuple(terms), rng)} {sum(terms)}."


texts, unseen = [story() for _ in range(8000)], [story() for _ in range(200)]
tokenizer = Tokenizer.train(texts[:2000], 400)
END = tokenizer.specials["<｜end▁of▁sentence｜>"]
stream = torch.tensor([i for text in texts for i in (*tokenizer.encode(text), END)])
print(*texts[:3], sep="\n")
print([tokenizer.decode([i]) for i in tokenizer.encode(texts[0])][:12])

# %% [markdown]
# A transformer keeps one vector a token, the *residual stream*. Every layer reads it twice and adds to it twice; at the
# end a matrix turns each vector into one number (a *logit*) for each of the V tokens that could come next:
#
# $$h_0 = \mathrm{Emb}(\text{ids}) \qquad h \leftarrow h + \mathrm{Attention}(\mathrm{RMSNorm}(h)) \qquad
# h \leftarrow h + \mathrm{FFN}(\mathrm{RMSNorm}(h)) \qquad \text{logits} = W\,\mathrm{RMSNorm}(h_L)$$
#
# Attention is the only place where tokens look at each other; the feed-forward network (FFN) treats every token by
# itself. You will find these two lines in `Layer.forward` of `minids/model/transformer.py`. We build what they call.

# %% [markdown]
# ## 2. RMSNorm: keep the size, whatever happens
#
# Send a vector through fifty random matrices. If each makes it a little longer or a little shorter, what is left of it
# at the end? Guess before you run the cell.

# %%
def sizes(gain, norm=lambda x: x, depth=50):
    """Root mean square of a vector of 64 numbers after each of `depth` random matrices."""
    generator = torch.Generator().manual_seed(0)
    x, found = torch.randn(1, 64, generator=generator), []
    for _ in range(depth):
        x = norm(x) @ (torch.randn(64, 64, generator=generator) * gain / 8)
        found.append(float(x.square().mean().sqrt()))
    return found


fig, ax = plt.subplots(figsize=(5, 2.8))
for gain in (1.5, 1.0, 0.7):
    ax.semilogy(sizes(gain), label=f"gain {gain}")
ax.set(xlabel="layer", ylabel="size of the vector (RMS)")
ax.legend()
show(fig, "Size of a vector against depth on a logarithmic axis: three straight lines, one rising over eight orders of "
          "magnitude, one level, one falling over eight.")

# %% [markdown]
# Exponentially much, in both directions: training would have to balance fifty layers on the point of a needle. The
# cure is to bring every vector to the same size before a layer reads it. LayerNorm (2016) subtracts the mean of the
# entries and divides by their standard deviation. RMSNorm leaves out the first half, and nothing seems to be missed:
#
# $$\mathrm{RMSNorm}(x) = \frac{x}{\sqrt{\frac1D\sum_i x_i^2 + \epsilon}} \odot w$$
#
# with a learned weight $w_i$ for each entry, 1 at first.
#
# ### Exercise 1: `rms_norm`
#
# *Difficulty 1 · 2 points · 10 minutes*
#
# <details><summary>Hint 1</summary>
#
# The mean is taken over the last axis only. `keepdim=True` keeps that axis with size 1, so that the result can be
# divided into x.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# `torch.rsqrt(z)` is 1/sqrt(z). Where does eps stand in the formula?
#
# </details>
#
# <details><summary>Hint 3</summary>
#
# float16 ends at 65,504, so the square of 400 is infinite there. `torch.promote_types(x.dtype, torch.float32)` is the
# wider of the two types: convert first, convert the result back before you multiply by the weight.
#
# </details>

# %% exercise="layers.rms_norm" points=2 minutes=10 difficulty=1
from minids.model.layers import rms_norm

# %% [markdown]
# The same fifty matrices, now with a norm before each:

# %%
fig, ax = plt.subplots(figsize=(5, 2.8))
for gain in (1.5, 1.0, 0.7):
    ax.semilogy(sizes(gain, norm=lambda x: layers.rms_norm(x, torch.ones(64), 1e-6)), label=f"gain {gain}")
ax.set(xlabel="layer", ylabel="size of the vector (RMS)", ylim=(1e-2, 1e2))
ax.legend(ncols=3)
show(fig, "With RMSNorm before every matrix the three sizes stay level near 1.5, 1.0 and 0.7 at all depths.")

# %% [markdown]
# A real layer adds to the stream instead of replacing it, which softens the problem but does not remove it. How much
# the norm matters for a model of three layers, section 7 measures. V3 has two norms in each of its 61 layers, one
# before the head, and two more in each attention, on its compressed vectors (V3 paper, §4.2).

# %% [markdown]
# ## 3. RoPE: position as an angle
#
# Attention, which comes in section 5, is a weighted mean over tokens, and a mean does not know an order. A model that
# sees tokens as a set cannot tell "Ana gives Ben" from "Ben gives Ana". See for yourself: what the last token gets does
# not change when all tokens before it are shuffled.

# %%
# NBVAL_CHECK_OUTPUT
generator = torch.Generator().manual_seed(1)
q, k, v = (torch.randn(1, 1, 8, 8, generator=generator) for _ in range(3))
shuffled = torch.tensor([3, 0, 6, 2, 5, 1, 4, 7])
seen = torch.ones(1, 1, 1, 8, dtype=torch.bool)


def last(k, v):
    """What the last query gets from these keys and values."""
    return attention.attend(q[:, :, 7:], k, v, 0.35, seen)


print("same after shuffling:", torch.allclose(last(k, v), last(k[:, :, shuffled], v[:, :, shuffled]), atol=1e-5))

# %% [markdown]
# The idea of rotary positions (RoPE): take the numbers of a query or a key in pairs, see each pair as an arrow in the
# plane, and turn it by an angle that grows with the token's position. The first pair turns fastest, the last hardly at
# all, like the hands of a clock that shows seconds, minutes and hours. Our model will have four such pairs. Move the
# slider:

# %%
config = ModelConfig(
    vocab_size=400, hidden_size=64, num_hidden_layers=3, num_attention_heads=4, qk_nope_head_dim=8, qk_rope_head_dim=8,
    v_head_dim=16, intermediate_size=170, attention="mha", q_lora_rank=None, first_k_dense_replace=3, rope_theta=100.0,
    max_position_embeddings=1024, eos_token_id=END,
)
cos, sin = layers.rotary_table(config, 65)  # [position, pair]

# %%
arrows = torch.tensor([1.0, 0.0]).repeat(4)  # four pairs, each (1, 0)


def hands(ax, position):
    turned = layers.apply_rope(arrows, cos[position], sin[position]).view(2, 4)  # the firsts, then the seconds
    for pair, (x, y) in enumerate(turned.T.tolist()):
        right, down = 3 * (pair % 2), -3 * (pair // 2)
        ax.add_patch(plt.Circle((right, down), 1, fill=False, color="lightgrey"))
        ax.annotate("", (right + x, down + y), (right, down), arrowprops=dict(arrowstyle="-|>", color=f"C{pair}", lw=2))
        ax.text(right, down - 1.4, f"pair {pair}", ha="center", fontsize=8)
    ax.set(xlim=(-1.3, 4.3), ylim=(-4.8, 1.3), aspect="equal")
    ax.axis("off")


play(hands, position=(0, 64, 1), shown=[(0,), (1,), (4,)],
     alt="Four arrows in circles at positions 0, 1 and 4. All point right at 0; at 4 the first has turned by two "
         "thirds of a circle, the second by a fifth, the third and fourth only slightly.")

# %% [markdown]
# A pair $(a, b)$ turned by the angle $\alpha$ becomes $(a\cos\alpha - b\sin\alpha,\; b\cos\alpha + a\sin\alpha)$.
# Pair $i$ of $R/2$ has the angle $p\,\theta^{-2i/R}$ at position $p$; `layers.rotary_table` has made the table of
# cosines and sines above. Only the turning is missing.
#
# ### Exercise 2: `apply_rope`
#
# *Difficulty 2 · 3 points · 15 minutes*
#
# <details><summary>Hint 1</summary>
#
# Slices with a step: `x[..., 0::2]` are the entries 0, 2, 4, … of the last axis. The angles have half as many entries
# as x, one a pair; broadcasting does the rest.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# Without `interleave` the partner of entry i is entry i + R/2: `x.chunk(2, dim=-1)` gives the firsts and the seconds.
#
# </details>
#
# <details><summary>Hint 3</summary>
#
# Both new numbers need both old ones, so make two new tensors, then `torch.cat` them along the last axis: all firsts,
# then all seconds, whichever way they came in.
#
# </details>

# %% exercise="layers.rope" points=3 minutes=15 difficulty=2
from minids.model.layers import apply_rope

# %% [markdown]
# Why turn, and not simply add a number for the position? Because of what happens in a product. Turning the query by
# $p\,\omega$ and the key by $s\,\omega$ leaves between them the angle $(p - s)\,\omega$: the score of the two knows the
# *distance*, and nothing else about the two places. Here are one query and one key, put at all pairs of positions.

# %%
generator = torch.Generator().manual_seed(5)
one_q, one_k = torch.randn(2, 8, generator=generator)
scores = layers.apply_rope(one_q, cos[:40], sin[:40]) @ layers.apply_rope(one_k, cos[:40], sin[:40]).T
fig, (left, right) = plt.subplots(1, 2, figsize=(7, 2.8))
picture = left.imshow(scores, cmap="RdBu", vmin=-8, vmax=8)
left.set(xlabel="position of the key", ylabel="position of the query")
fig.colorbar(picture, ax=left, label="score")
for p, marker in ((10, "o"), (20, "x"), (39, "+")):
    near = scores[p, p - 10 : p + 1].flip(0)
    right.plot(range(11), near, marker, markersize=8, fillstyle="none", label=f"query at {p}")
right.set(xlabel="distance to the key", ylabel="score")
right.legend(fontsize=8)
show(fig, "Left: the scores of one query and one key at all positions form diagonal stripes. Right: as functions of "
          "the distance, the scores of queries at positions 10, 20 and 39 lie on one another.")

# %% [markdown]
# Every diagonal has one colour. So what was learned between positions 3 and 8 also holds between 103 and 108, and
# nothing in the model counts from the start of the text. And the shuffled tokens are told apart now:

# %%
# NBVAL_CHECK_OUTPUT
def at_their_places(z):
    return layers.apply_rope(z, cos[:8], sin[:8])


q = at_their_places(q)
before, after = last(at_their_places(k), v), last(at_their_places(k[:, :, shuffled]), v[:, :, shuffled])
print("same after shuffling:", torch.allclose(before, after, atol=1e-5))

# %% [markdown]
# The price: distances beyond those seen in training are angles that were never seen either. Chapter 03 looks at that,
# and at YaRN, the remedy that V3 uses.

# %% [markdown]
# ## 4. SwiGLU: a product in the feed-forward
#
# The classical FFN is two matrices with a bend between them: $W_2\,\mathrm{relu}(W_1 x)$. SwiGLU has three. One product
# goes through $\mathrm{silu}(z) = z\,\sigma(z)$ and decides, entry by entry, how much of the other gets through:
#
# $$\mathrm{FFN}(x) = W_\text{down}\big(\mathrm{silu}(W_\text{gate}\,x) \odot W_\text{up}\,x\big)$$

# %%
z = torch.linspace(-6, 6, 200)
fig, (left, right) = plt.subplots(1, 2, figsize=(7, 2.8))
left.plot(z, F.relu(z), "--", label="relu(z)")
left.plot(z, F.silu(z), label="silu(z)")
left.set(xlabel="z")
left.legend()
for up in (-1.0, 0.5, 2.0):
    right.plot(z, layers.swiglu(z, torch.full_like(z, up)), label=f"up = {up}")
right.set(xlabel="gate", ylabel="silu(gate) · up")
right.legend()
show(fig, "Left: silu follows relu but is smooth and dips slightly below zero. Right: gate times up for three values "
          "of up; shut for negative gates, and open, with the slope given by up, for positive ones.")

# %% [markdown]
# ### Exercise 3: `swiglu`
#
# *Difficulty 1 · 1 point · 5 minutes*
#
# The matrices are not part of it: both arguments have been multiplied already.
#
# <details><summary>Hint</summary>
#
# `torch.sigmoid`. Write the sigmoid by hand, as exp(z) / (1 + exp(z)), and it overflows where z is large; torch's does
# not.
#
# </details>

# %% exercise="layers.swiglu" points=1 minutes=5 difficulty=1
from minids.model.layers import swiglu

# %% [markdown]
# Three matrices cost more than two, so a fair comparison makes them narrower: a width of 8/3 D instead of 4 D. That is
# where the crooked number in our configuration comes from.

# %%
# NBVAL_CHECK_OUTPUT
D = config.hidden_size
print("SwiGLU:", 3 * D * config.intermediate_size, "weights a layer")
print("ReLU, 4 D wide:", 2 * D * 4 * D, "weights a layer")

# %% [markdown]
# ## 5. Causal attention: looking back
#
# Every token asks a question, the *query*; every token up to and including itself offers a *key*, which says what it
# has, and a *value*, which is what it gives. A query's product with each key is a score; softmax turns the scores into
# weights that sum to 1; out comes the mean of the values with these weights:
#
# $$\mathrm{out}_t = \sum_{s \le t} \frac{e^{\,\mathrm{scale}\; q_t \cdot k_s}}{\sum_{r \le t}
# e^{\,\mathrm{scale}\; q_t \cdot k_r}}\; v_s$$
#
# With $E$ random numbers of size 1 in q and k, their product has size $\sqrt E$; $\mathrm{scale} = 1/\sqrt E$ keeps
# softmax from becoming a choice of one before anything is learned. *Causal* is the condition $s \le t$: position t
# predicts token t + 1 and must not see it. All heads do this beside each other, each with its own q, k and v.
#
# ### Exercise 4: `attend`
#
# *Difficulty 2 · 4 points · 25 minutes*
#
# <details><summary>Hint 1</summary>
#
# `q @ k.transpose(-2, -1)` has shape [B, H, T, S]: the row of query t holds its scores with all keys.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# A weight of 0 is a score of -inf before the softmax: `scores.masked_fill(~mask, float("-inf"))`. The triangle for the
# case without a mask is `torch.ones(T, T, dtype=torch.bool).tril()`.
#
# </details>
#
# <details><summary>Hint 3</summary>
#
# Which axis has to sum to 1? And `softmax(..., dtype=...)` computes in another type than it was given; the result has
# the type of v.
#
# </details>

# %% exercise="attention.attend" points=4 minutes=25 difficulty=2
from minids.model.attention import attend

# %% [markdown]
# One test finds most mistakes with masks, in any model: change one token and see whose results change. Nobody before it
# may notice. We change token 5 of 8, in an untrained model of three layers.

# %%
# NBVAL_CHECK_OUTPUT
torch.manual_seed(2)
model = Transformer(config)
ids = stream[None, :8].clone()
changed = ids.clone()
changed[0, 5] = (changed[0, 5] + 7) % 400
with torch.no_grad():
    difference = (model(ids) - model(changed)).abs().amax(-1)[0]
print("positions whose logits changed:", (difference > 1e-6).nonzero()[:, 0].tolist())

# %% [markdown]
# ## 6. What does a model know that knows nothing?
#
# The loss is $-\ln p(\text{next token})$, averaged. A model that gives every one of V tokens the same chance has the
# loss $\ln V$. That is what an untrained model should show, and the cheapest test of a training run there is: a first
# loss far above $\ln V$ means that the model is *wrong with confidence*; one below means that it sees the answer.

# %%
def loss_of(model, ids):
    """Mean loss of predicting each token of ids [B, T] from those before it, in nats."""
    return F.cross_entropy(model(ids[:, :-1]).flatten(0, 1), ids[:, 1:].flatten())


first_batch = stream[: 16 * 65].view(16, 65)
spreads, found, logit_sizes = [0.006, 0.02, 0.06, 0.1, 0.2, 0.3, 0.5, 0.8], [], []
for spread in spreads:
    torch.manual_seed(2)
    fresh = Transformer(replace(config, initializer_range=spread))
    with torch.no_grad():
        found.append(loss_of(fresh, first_batch).item())
        logit_sizes.append(fresh(first_batch).std().item())
print(f"ln 400 = {math.log(400):.3f}; first loss with spread 0.006: {found[0]:.2f}, with 0.02: {found[1]:.2f}")

# %%
fig, ax = plt.subplots(figsize=(5, 2.8))
ax.loglog(spreads, found, "o-", label="first loss")
ax.loglog(spreads, [math.log(400) + size**2 / 2 for size in logit_sizes], "--", label="ln V + (size of logits)² / 2")
ax.axhline(math.log(400), color="grey", linewidth=1, label="ln V")
ax.set(xlabel="spread of the random weights", ylabel="loss (nats)", yticks=[6, 10, 20, 40], yticklabels=[6, 10, 20, 40])
ax.minorticks_off()
ax.legend()
show(fig, "First loss against the spread of the initial weights: level at ln V up to 0.06, then rising steeply; a "
          "formula with the squared size of the logits follows it up to a spread of about 0.3.")

# %% [markdown]
# Random logits of size $\sigma$ cost about $\sigma^2/2$ on top of $\ln V$, and by RMSNorm $\sigma$ is the spread of the
# head's weights times $\sqrt D$. V3 starts with a spread of 0.006 at D = 7,168 (V3 paper, §4.2), so $\sigma$ is about
# one half and the extra loss about an eighth. We take 0.02.

# %% [markdown]
# ## 7. Training until it speaks
#
# Five hundred steps of AdamW; what a step is made of, and how to choose its size, is chapter 08. Here we watch what
# comes out. Three questions of growing difficulty can be put to what the model writes:
#
# - **Words.** Are all its words English words (those of the corpus)?
# - **The same thing.** Does the question ask for a thing that the story told of? "Ana has 3 pens. How many *pens*…"
# - **The answer.** Given an unseen story, is its most likely answer right?

# %%
WORDS = set(re.findall("[A-Za-z]+", " ".join(texts)))


def speaks(written):
    """Shares of texts: whose words are all known; whose question asks for something mentioned before."""
    split = [re.findall("[A-Za-z]+", text) for text in written]
    asked = [re.search(r"How many (?:more )?(\w+)", text) for text in written]
    known = sum(all(word in WORDS for word in words) for words in split)
    same = sum(bool(match) and words.count(match[1]) > 1 for words, match in zip(split, asked))
    return known / len(written), same / len(written)


def write(model, count, **how):
    """New stories from nothing but the end sign of the one before."""
    ids = generate(model, [[END]], n=count, max_new_tokens=60, **how).ids
    return [tokenizer.decode([i for i in row if i != END]) for row in ids]


print("the corpus itself: words {:.0%}, same thing {:.0%}".format(*speaks(texts[:1000])))

# %%
def answers(model):
    """Share of unseen stories that are answered rightly."""
    questions, right = zip(*(text.rsplit(" ", 1) for text in unseen))
    prompts = [[END, *tokenizer.encode(question)] for question in questions]
    ids = generate(model, prompts, max_new_tokens=5, temperature=0.0).ids
    return sum(tokenizer.decode(row).strip().startswith(answer) for row, answer in zip(ids, right)) / len(unseen)


# %%
STEPS = budget(500)  # fewer where a test or a grader runs this notebook


def train(until, config, look=lambda step, model: None, steps=STEPS, lr=8e-3):
    """A new model after `until` steps of a training of `steps`, and the loss of each step."""
    torch.manual_seed(2)
    model, losses, places = Transformer(config), [], torch.Generator().manual_seed(0)
    optimizer = torch.optim.AdamW(model.parameters(), lr, betas=(0.9, 0.95), weight_decay=0.0)
    for step in range(until):
        look(step, model)
        begin = torch.randint(len(stream) - 65, (16, 1), generator=places)
        loss = loss_of(model, stream[begin + torch.arange(65)])
        optimizer.param_groups[0]["lr"] = lr * optim.warmup_cosine(step, steps, 20)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        losses.append(loss.item())
    look(until, model)
    return model, losses


# %%
stages = {}


def look(step, model):
    if step in (0, 20, 50, 100, 200, 350, 500):
        written = write(model, 60, temperature=0.8)
        stages[step] = (*speaks(written), answers(model))
        print(f"step {step:3}   {written[0][:150]!r}")


model, losses = train(STEPS, config, look)

# %%
fig, (left, right) = plt.subplots(1, 2, figsize=(7, 2.8))
left.plot(losses, linewidth=0.8)
left.axhline(math.log(400), color="grey", linewidth=1)
left.text(490, math.log(400) - 0.4, "ln V", color="grey", ha="right")
left.set(xlabel="step", ylabel="loss (nats)", ylim=(0, 6.3))
for values, name, style in zip(zip(*stages.values()), ("words", "same thing", "right answer"), ("o-", "s-", "^-")):
    right.plot(stages.keys(), [100 * value for value in values], style, markersize=4, label=name)
right.set(xlabel="step", ylabel="share of texts (%)", ylim=(-3, 103))
right.legend(fontsize=8)
show(fig, "Left: the loss falls from ln V, steeply during the first hundred steps, slowly afterwards. Right: over the "
          "steps, known words come first and reach most texts, asking for the same thing comes later and stays lower, "
          "right answers stay near zero.")

# %% [markdown]
# Bytes, then pieces of words, then words, then sentences, then a question that fits the story: each step reaches
# further back in the text and comes later in training. The last curve does not rise. By the loss alone the model is
# nearly done, as only one or two tokens of a story are the answer; it speaks, and it cannot count. How far next-token
# prediction carries, and what has to be added so that a model calculates, is what chapters 10 to 13 are about.
#
# ### Where does it look?
#
# To ask for the right thing, the model must find it in the story. We record the weights of all heads while it reads
# "… How many", and take the head that looks hardest at the shells.

# %%
story_ids = [END, *tokenizer.encode("Rosa has 13 shells. Then she buys 4 more. How many")]
pieces = ["END", *(tokenizer.decode([i]).replace(" ", "_") for i in story_ids[1:])]
shells = slice(len(tokenizer.encode("Rosa has 13")) + 1, len(tokenizer.encode("Rosa has 13 shells")) + 1)
recorded = []


def recording(q, k, v, scale, mask=None):
    scores = (q @ k.transpose(-2, -1) * scale).masked_fill(~torch.ones(q.shape[2], k.shape[2]).bool().tril(), -1e9)
    recorded.append(scores.softmax(-1)[0])
    return recorded[-1] @ v


with patch.object(attention, "attend", recording), torch.no_grad():
    model(torch.tensor([story_ids]))
weights = torch.cat(recorded)  # [layers · heads, T, T]
head = int(weights[:, -1, shells].sum(-1).argmax())

# %%
fig, ax = plt.subplots(figsize=(5, 4.2))
picture = ax.imshow(weights[head], cmap="Blues", vmin=0, vmax=1)
ax.set_xticks(range(len(pieces)), pieces, rotation=90, fontsize=8)
ax.set_yticks(range(len(pieces)), pieces, fontsize=8)
ax.set(xlabel="looks at", ylabel="while reading")
ax.grid(False)
fig.colorbar(picture, ax=ax, label="weight")
show(fig, "Attention weights of one head over a short story: a lower triangle; in the last row, at 'How many', the "
          "largest weights lie on the pieces of the word shells.")
print(f"layer {head // 4}, head {head % 4}")

# %% [markdown]
# A weight is no proof that it matters. So change what it looks at, and see whether the question follows:

# %%
for thing in ("shells", "pens", "cups", "eggs", "books", "stamps"):
    ids = [END, *tokenizer.encode(f"Rosa has 13 {thing}. Then she buys 4 more. How many")]
    question = tokenizer.decode(generate(model, [ids], max_new_tokens=12, temperature=0.0).ids[0])
    print(f"13 {thing:7} ... How many{question.split('?')[0]}?")

# %% [markdown]
# For some words the question follows, as for the one whose picture you were shown; for others the model falls back on a
# favourite of its own, and it may call Rosa by another name. The head was chosen because its weight is large; that is a
# hint, not an explanation. The share of texts that ask for the same thing, above, says it soberly: the model has begun
# to learn this.

# %% [markdown]
# ### Taking the parts out again
#
# The same first hundred steps, with the same batches, each time with one part replaced. `patch.object` puts another
# function where the library looks for its own, which is also how your answers get in.

# %%
def no_turn(x, cos, sin, interleave=True):
    return x


def see_all(q, k, v, scale, mask=None):
    return F.scaled_dot_product_attention(q, k, v, scale=scale)


changes = {
    "no positions": (attention, "apply_rope", no_turn, config),
    "no RMSNorm": (layers, "rms_norm", lambda x, weight, eps: x * weight, config),
    "ReLU, 4 D wide": (layers, "swiglu", lambda gate, up: F.relu(gate), replace(config, intermediate_size=4 * D)),
    "sees the future": (attention, "attend", see_all, config),
}
curves = {"all parts": losses[:100]}
for name, (module, function, other, its_config) in changes.items():
    with patch.object(module, function, other):
        without, curves[name] = train(budget(100), its_config)

# %%
fig, ax = plt.subplots(figsize=(6, 3.2))
for (name, curve), style in zip(curves.items(), ("-", "--", "-.", ":", "-")):
    smooth = torch.tensor(curve).unfold(0, 5, 1).mean(-1)
    ax.plot(range(4, len(curve)), smooth, style, label=name)
ax.set(xlabel="step", ylabel="loss (nats), mean of 5 steps", ylim=(0, 6.3))
ax.legend(fontsize=8)
show(fig, "Loss over 100 steps for five variants: without RMSNorm first level, then off the top, then far above the "
          "rest; without positions above all parts; ReLU close to all parts; seeing the future far below.")
for name, curve in curves.items():
    print(f"{name:16} {sum(curve[-20:]) / 20:.2f}")
print("written by the one that saw the future:", write(without, 1)[0][:80])

# %% [markdown]
# - **RMSNorm** is worth most, even in three layers. Without it the vectors that reach the head are as small as the
#   initial weights made them, about 0.02 instead of 1, and for a dozen steps nothing seems to happen. Then they grow
#   all at once, as nothing holds them: the loss jumps off the top of the picture before it comes down.
# - **Positions** are worth some tenths of a nat. Not more, because the causal mask leaks the order: position 0 sees one
#   token, position 1 two, and a second layer can count. Models can be trained without any positions; they learn slower.
# - **SwiGLU** against a ReLU of as many weights: a few hundredths of a nat at most, which another seed can move. At
#   this size nobody would have found it. It was taken up because it won by a little in a comparison of larger models at
#   equal numbers of weights (Shazeer 2020, Table 1), whose author offers no explanation.
# - **The future** makes for the best loss and a model that cannot write, as when it writes there is no future to look
#   at. A loss that is too good to be true is what a wrong mask looks like; the test of section 5 finds it at once.

# %% [markdown]
# ## 8. Sampling: a distribution becomes a text
#
# The model gives a probability to every token; somebody has to draw. Three settings bend the distribution first.
# **Temperature** divides the logits: below 1 the favourites gain, above 1 the rest. **Top-k** keeps the k best.
# **Top-p** (the *nucleus*) keeps as many of the best as are needed to reach the probability p together, few where the
# model is sure, many where it is not.

# %%
prompt = torch.tensor([[END, *tokenizer.encode("Rosa has 13")]])
with torch.no_grad():
    next_logits = model(prompt)[0, -1]
order = next_logits.argsort(descending=True)[:12]
names = [tokenizer.decode([int(i)]).replace(" ", "_") for i in order]


def bars(ax, temperature):
    probabilities = sampling.warp_logits(next_logits, temperature).softmax(-1)[order]
    ax.bar(range(12), probabilities)
    ax.set_xticks(range(12), names, rotation=90, fontsize=8)
    ax.set(ylim=(0, 0.6), ylabel="probability", xlabel="token after 'Rosa has 13'")


play(bars, temperature=(0.2, 3.0, 0.1), shown=[(0.5,), (1.0,), (2.0,)],
     alt="Probabilities of the twelve likeliest next tokens at temperatures 0.5, 1 and 2: a few tall bars at 0.5, an "
         "even low row of bars at 2.")

# %% [markdown]
# ### Exercise 5: `filter_logits`
#
# *Difficulty 3 · 3 points · 25 minutes*
#
# <details><summary>Hint 1</summary>
#
# Top-k: the k-th largest value of a row is `logits.topk(k).values[..., -1:]`. Compare *values* with it, not indices,
# and ties take care of themselves.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# Top-p: sort the row, softmax, cumulate. Sorted downwards, a token goes if the tokens *before* it already reach p. (The
# comment in the blank says the same from the other end. Choose one.)
#
# </details>
#
# <details><summary>Hint 3</summary>
#
# What you have then speaks of places in the sorted row. `torch.zeros_like(drop).scatter(-1, index, drop)` carries it
# back to the order of the vocabulary, with the `index` that `sort` returned. After top-k some logits are -inf: softmax
# makes zeros of them, which is what we want.
#
# </details>

# %% exercise="sampling.filter" points=3 minutes=25 difficulty=3
from minids.model.sampling import filter_logits

# %% [markdown]
# What do the settings buy? Sixty stories at each of five temperatures, with the whole distribution and with the
# nucleus of 0.9. Two things are wanted: known words only, and stories that are not all alike, measured as the share of
# different ones among all sequences of three words.

# %%
temperatures, drawn = (0.3, 0.6, 0.9, 1.2, 1.6), {}
for top_p in (1.0, 0.9):
    for temperature in temperatures:
        written = write(model, 60, temperature=temperature, top_p=top_p)
        triples = Counter(t for text in written for t in zip(text.split(), text.split()[1:], text.split()[2:]))
        drawn[top_p, temperature] = (speaks(written)[0], len(triples) / max(1, triples.total()))
fig, ax = plt.subplots(figsize=(5, 3))
for top_p, style in ((1.0, "o-"), (0.9, "s--")):
    known, different = zip(*(drawn[top_p, temperature] for temperature in temperatures))
    ax.plot([100 * x for x in different], [100 * y for y in known], style, label=f"top_p = {top_p}")
    for temperature, x, y in zip(temperatures, different, known):
        ax.annotate(f"{temperature}", (100 * x, 100 * y), fontsize=8, xytext=(4, 4), textcoords="offset points")
ax.set(xlabel="different sequences of three words (%)", ylabel="stories of known words (%)", ylim=(-3, 108))
ax.legend()
show(fig, "Known words against variety for five temperatures, with and without a nucleus of 0.9: both fall from "
          "upper left to lower right, nearly on one curve; the nucleus moves points up and to the left.")

# %% [markdown]
# No setting has both. Low temperatures repeat the likeliest story; high ones draw from the tail, where a model of this
# size has learned nothing, and each story offers thirty chances to do so. The nucleus cuts that tail: at every
# temperature it gives more stories of known words, and less variety. But look at the two as *curves*: they nearly lie
# on each other. Here the nucleus does nothing that a somewhat lower temperature would not have done. It was made for
# vocabularies with tens of thousands of tokens, each of them improbable and all together not (Holtzman et al. 2020,
# §3.1); ours has 400.
#
# And it has a price where the distribution itself is the object: reinforcement learning (chapter 12) needs the
# probability of what was drawn, and a cut distribution gives no gradient to what it never draws. There minids samples
# without cuts. No setting, by the way, makes the answers right.

# %% [markdown]
# ## 9. The KV cache: never compute a past token twice
#
# To write token t + 1, the model needs keys and values of all tokens up to t. They do not change any more, because
# attention is causal. Computing them anew for every token, as a naive loop would, makes a text of T tokens cost
# $1 + 2 + \dots + T$ token-forwards instead of $T$. The cache is a storage of fixed size with room for the longest
# text; new columns are written behind those in use.
#
# ### Exercise 6: `store`
#
# *Difficulty 1 · 2 points · 10 minutes*
#
# <details><summary>Hint 1</summary>
#
# One assignment to a slice writes, one slice returns. A slice is a *view*: no number is copied.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# Check first, write afterwards. Python's slices beyond the end do not raise an error by themselves.
#
# </details>

# %% exercise="attention.cache" points=2 minutes=10 difficulty=1
from minids.model.cache import store

# %% [markdown]
# Count what is computed: every call of the first layer notes how many positions it was given. Both ways must write the
# same text.

# %%
def greedy(model, ids, count, kept):
    """`count` tokens after ids, with the cache `kept` or, if it is None, without."""
    ids, new = list(ids), list(ids)
    with torch.no_grad():
        for _ in range(count):
            logits = model(torch.tensor([ids])) if kept is None else model(torch.tensor([new]), cache=kept)
            new = [int(logits[0, -1].argmax())]
            ids += new
    return ids


# %%
# NBVAL_CHECK_OUTPUT
computed = []
hook = model.layers[0].register_forward_hook(lambda module, inputs, output: computed.append(output.shape[1]))
plain = greedy(model, story_ids[:5], 60, None)
print("without a cache:", sum(computed), "positions for 60 tokens")
computed.clear()
kept = model.new_cache(1, 70)
cached = greedy(model, story_ids[:5], 60, kept)
print("with a cache:", sum(computed), "positions; columns in use:", kept.length)
hook.remove()
print("same text:", plain == cached)

# %% [markdown]
# What does that mean in time? One new token after texts of different lengths, both ways, each the best of several
# tries. (This cell measures your machine; the stored output is from ours.)

# %%
def milliseconds(work, tries=7):
    best = math.inf
    for _ in range(tries):
        begin = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - begin)
    return 1e3 * best


# %% clock
lengths, with_cache, without_cache = (8, 32, 128, 256, 512, 1000), [], []
with torch.no_grad():
    for length in lengths:
        text = stream[None, :length]
        kept = model.new_cache(1, length + 1)
        model(text[:, :-1], cache=kept)
        without_cache.append(milliseconds(lambda: model(text)))  # noqa: B023 (called at once)
        with_cache.append(milliseconds(lambda: (kept.truncate(length - 1), model(text[:, -1:], cache=kept))))  # noqa: B023
fig, ax = plt.subplots(figsize=(5, 2.8))
ax.loglog(lengths, without_cache, "o-", label="without a cache")
ax.loglog(lengths, with_cache, "s-", label="with a cache")
ax.set(xlabel="tokens in the text", ylabel="time for the next token (ms)")
ax.legend()
show(fig, "Time for one more token against the length of the text: growing more than proportionally without a cache, "
          "nearly level with it.")
print(f"at {lengths[0]} tokens {without_cache[0] / with_cache[0]:.1f} times, at {lengths[-1]} tokens "
      f"{without_cache[-1] / with_cache[-1]:.0f} times as fast with a cache")

# %% [markdown]
# For a text of one sentence the cache saves nothing here, it may even cost: a forward of eight tokens takes about as
# long as one of a single token, since at this size the time goes into calling operations and not into arithmetic. It
# pays with length. In training it has no place at all, because all positions of a text are computed at once anyway.
#
# Its price is memory. It is counted quickly:

# %%
# NBVAL_CHECK_OUTPUT
per_token = cache.Cache(config, 1, 1).data.numel() * 4
print("ours:", per_token, "bytes a token in float32;", model.parameter_count() * 4, "bytes of weights")
print("100 stories of 60 tokens, written together:", 100 * 60 * per_token, "bytes")
wide = replace(ModelConfig(), attention="mha")
print("the sizes of DeepSeek-V3 with this attention:", wide.cache_elements * 61 * 2, "bytes a token in BF16")

# %% [markdown]
# A hundred short stories need more than ten times the memory of the model that writes them. With V3's sizes one *token*
# would take 5 MB, and a text of 32,000 tokens two accelerators of 80 GB, for its cache alone. What DeepSeek did about
# that is the next chapter.
#
# ## What you now own
#
# - `rms_norm`, `apply_rope`, `swiglu`, `attend`: with matrices between them, a transformer;
# - `filter_logits`: top-k and top-p, for chat and for the samplers of later chapters;
# - `store`: the cache, in one assignment;
# - three tests to run on any model, before believing its loss: $\ln V$ at the start, nobody before a changed token
#   notices, and with a cache it writes the same text;
# - a model that speaks.
#
# ## Three questions
#
# **1.** You start a training with a vocabulary of 50,000 and see 10.8 as the first loss; a friend sees 14. And a third
# one sees 9.2. What do you say to each?
#
# <details><summary>Answer</summary>
#
# ln 50,000 = 10.82: fine. 14 is three nats above: logits of a size of about 2.5, the head (or what comes before it) is
# initialised too large; it will be unlearned, at the cost of some steps. 9.2 is below what is possible without
# knowledge: labels and inputs overlap, or the future is visible, or the loss is averaged over padding too.
#
# </details>
#
# **2.** Queries and keys are turned by RoPE, values are not. Why not values?
#
# <details><summary>Answer</summary>
#
# Only in the product of a query and a key do two angles meet and leave their difference. A value is added up and goes
# on; turned by its position, it would mean something else at every place of the text, and there is nothing that turns
# it back.
#
# </details>
#
# **3.** Could one cache the *queries* as well, or the outputs of the FFN?
#
# <details><summary>Answer</summary>
#
# One could, and would never read them. The query of a past token was used once, when that token was the newest; its FFN
# output went into its own stream, which ended in its own prediction. Later tokens ask a past token for its key and its
# value in each layer, and for nothing else.
#
# </details>
#
# ## Sources
#
# - Attention: Vaswani et al. 2017, arXiv 1706.03762, §3.2.
# - RMSNorm: Zhang and Sennrich 2019, arXiv 1910.07467, §3. LayerNorm: Ba et al. 2016, arXiv 1607.06450.
# - RoPE: Su et al. 2021, arXiv 2104.09864, §3.
# - SwiGLU: Shazeer 2020, arXiv 2002.05202, §2 and Table 1.
# - Nucleus sampling: Holtzman et al. 2020, arXiv 1904.09751, §3.1.
# - No positions at all: Haviv et al. 2022, arXiv 2203.16634.
# - DeepSeek-V3, arXiv 2412.19437: §4.2 sizes, norms and initialisation.
