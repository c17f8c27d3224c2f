# %% [markdown]
# # 03 Multi-head latent attention
#
# **The question.** A model that writes must look back at every token it has read or written. What it keeps of them, the
# KV cache, soon weighs more than anything else it has to move. How can a model keep less of each token and still see as
# much?
#
# DeepSeek's answer is multi-head latent attention (MLA): keep one short vector a token, from which all heads make
# their keys and values, and arrange the algebra so that they never have to be made at all. This chapter builds it,
# shows why positions need a channel of their own, finds a bug that only a cache can show, and stretches a model to
# texts four times as long as those it was trained on.
#
# *Costs about 60 CPU-seconds and under 1 GiB. Needs chapter 02 (attention, RoPE, the KV cache).*

# %%
import copy
import random
import time
from dataclasses import replace

import matplotlib.pyplot as plt
import torch
import torch.nn.functional as F
from einops import rearrange

from minids import ModelConfig, Transformer
from minids.course import budget, check, play, show, start  # noqa: F401 (check is used by the exercises)
from minids.model import attention, layers
from minids.tasks import arithmetic
from minids.train import optim

start(3)

# %% [markdown]
# ## 1. What remembering costs
#
# For every token and every layer, ordinary multi-head attention (MHA) keeps one key and one value a head. Grouped-query
# attention (GQA) lets several heads share them. `ModelConfig()` has the sizes of DeepSeek-V3 (paper, §4.2), so we can
# ask what V3 would have to keep in each case. Count before you run: 128 heads, keys of 128 + 64 numbers, values of 128.

# %%
# NBVAL_CHECK_OUTPUT
v3 = ModelConfig()
kinds = {
    "MHA": replace(v3, attention="mha"),
    "GQA, 8 groups": replace(v3, attention="gqa", num_key_value_heads=8),
    "MLA": v3,
}
for name, config in kinds.items():
    numbers = config.cache_elements
    print(f"{name:14} {numbers:6} numbers a token and layer, {numbers * config.num_hidden_layers * 2:8} bytes a token")

# %% [markdown]
# Two bytes a number, 61 layers. Now let the text grow. The left picture asks where to put it, the right one how long it
# takes merely to *read* it, which has to happen again for every new token. It assumes a memory that delivers 3.35 TB/s,
# as the data sheet of an H100 says; no arithmetic is counted.

# %%
lengths = 2 ** torch.arange(10, 18)
fig, (left, right) = plt.subplots(1, 2, figsize=(7, 2.9))
for name, config in kinds.items():
    size = lengths * config.cache_elements * config.num_hidden_layers * 2
    left.plot(lengths, size / 1e9, marker="o", markersize=3, label=name)
    right.plot(lengths, size / 3.35e12 * 1e3, marker="o", markersize=3)
left.axhline(80, color="grey", linestyle="--", linewidth=1)
left.text(1100, 95, "memory of one H100", fontsize=8, color="grey")
for ax, label in ((left, "cache of one text (GB)"), (right, "time to read it (ms a new token)")):
    ax.set(xscale="log", yscale="log", xlabel="tokens in the text", ylabel=label)
left.legend(fontsize=8)
show(fig, "Two log-log plots against text length: cache size and reading time grow in proportion to the text; MHA lies "
          "71 times above MLA, GQA with 8 groups 4.4 times above it.")

# %% [markdown]
# With MHA a single text of 32 K tokens would fill two such cards, before any weights. A server wants dozens of texts
# beside each other, because reading the weights once then serves all of them; the cache is what decides how many fit.
# That is why the cache, and not the arithmetic, is where to save.
#
# GQA saves by having fewer different keys and values, and pays with quality: DeepSeek measured that on 7B models
# (V2 paper, Appendix D.1). MLA wants a cache as small, without giving up that every head has keys and values of its
# own.

# %% [markdown]
# ## 2. Compress
#
# Is there anything to compress? Let us look at a model that keeps everything. The cells below make small models (two
# layers, four heads) and train them for a few seconds on short stories with a question and its answer, letter by
# letter. We shall meet them again and again in this chapter.

# %%
rng = random.Random(3)
text = "".join(f"{p.question} {p.answer}\n" for p in (arithmetic.sample("word", rng, "train") for _ in range(5000)))
letters = sorted(set(text))
number = {letter: i for i, letter in enumerate(letters)}
data = torch.tensor([number[letter] for letter in text])
held_out, data = data[:50_000], data[50_000:]
print(text[:200])


def windows(source, count, length, generator):
    """`count` pieces of this length from random places: [count, length]."""
    begin = torch.randint(0, len(source) - length, (count, 1), generator=generator)
    return source[begin + torch.arange(length)]


def losses(model, ids):
    """Loss of each letter after the first, in nats: [B, T-1]."""
    logits = model(ids)[:, :-1]
    return F.cross_entropy(logits.flatten(0, 1), ids[:, 1:].flatten(), reduction="none").view(len(ids), -1)


# %%
SHORT, STEPS = 64, budget(160)  # fewer where a test or a grader runs this notebook
SMALL = ModelConfig(
    vocab_size=len(letters), hidden_size=64, intermediate_size=128, num_hidden_layers=2, first_k_dense_replace=2,
    num_attention_heads=4, q_lora_rank=None, kv_lora_rank=48, qk_nope_head_dim=16, qk_rope_head_dim=16, v_head_dim=32,
    rope_theta=1000.0, max_position_embeddings=1024, initializer_range=0.08,
)


def train(model, steps, count, length, lr, seed=0):
    """Trains on random windows; returns the loss of each step."""
    generator, history = torch.Generator().manual_seed(seed), []
    optimizer = optim.build_optimizer(model, "muon", lr=lr)
    for step in range(steps):
        optimizer.set_lr(lr * min(1, (step + 1) / 10, (steps - step) / (0.3 * steps)))  # up, level, down
        loss = losses(model, windows(data, count, length, generator)).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        history.append(loss.item())
    return history


# %%
models = {}


def trained(name, seed=0, **sizes):
    """A small model with these sizes, trained once and then remembered."""
    if (name, seed) not in models:
        torch.manual_seed(seed)
        model = Transformer(replace(SMALL, num_key_value_heads=sizes.pop("num_key_value_heads", 4), **sizes))
        train(model, STEPS, 16, SHORT, lr=3e-3, seed=seed)
        models[name, seed] = model
    return models[name, seed]


mha = trained("MHA", attention="mha")
probe = windows(held_out, 96, SHORT, torch.Generator().manual_seed(30))
print(f"{mha.parameter_count()} parameters, {mha.config.cache_elements} numbers a token and layer in the cache")
with torch.no_grad():
    trained_loss, before = losses(mha, probe).mean(), losses(Transformer(mha.config), probe).mean()
print(f"loss on stories it has not seen: {trained_loss:.1f} nats a letter ({before:.1f} before training)")

# %% [markdown]
# Its cache holds 256 numbers a token and layer. We let it read the held-out stories, take what it caches of some 6,000
# letters, and ask of how many independent directions that is made: the singular values say how much of the whole lies
# in the best one, two, three … directions.

# %%
with torch.no_grad():
    cache = mha.new_cache(len(probe), SHORT)
    mha(probe, cache=cache)
fig, ax = plt.subplots(figsize=(5.5, 2.9))
for layer, stored in enumerate(cache.data):
    table = rearrange(stored, "text position number -> (text position) number")  # [tokens, 256]
    share = torch.linalg.svdvals(table - table.mean(0)).square().cumsum(0)
    share = share / share[-1]
    ax.plot(range(1, 257), share, label=f"layer {layer}")
    print(f"layer {layer}: 90 % of the variance in {int((share < 0.9).sum()) + 1} of 256 directions")
ax.axhline(0.9, color="grey", linestyle="--", linewidth=1)
ax.set(xlabel="directions kept", ylabel="share of the variance", ylim=(0, 1.02))
ax.legend()
show(fig, "The share of variance rises steeply: a small part of the 256 directions holds 90 percent of what two layers "
          "of a trained MHA model put into their caches.")

# %% [markdown]
# Most of those numbers repeat each other: keys and values of all heads are linear images of the same vector $x$, which
# has only 64 numbers here. MLA makes the short description a part of the model and lets training choose it
# (V3 paper, §2.1.1, eq. 1 to 5):
#
# $$c = \mathrm{RMSNorm}(W_{DKV}\,x), \qquad k_h = [\,W_{UK,h}\,c\ ;\ k^{rope}\,], \qquad v_h = W_{UV,h}\,c .$$
#
# Only the *latent* $c$ is kept, and $k^{rope}$, a small key with the position in it, which section 3 explains. For V3
# that is 512 + 64 numbers instead of 40,960.
#
# The first exercise opens the latents again. The rows of `w_kv_b` are the one thing to watch: DeepSeek's checkpoints
# store $W_{UK}$ and $W_{UV}$ together, head by head.
#
# *Difficulty 1 · 2 points · 10 minutes*
#
# <details><summary>Hint 1</summary>
#
# One product gives everything: `F.linear(latent, w_kv_b)` is [B, S, H·(N+V)]. The last axis is H groups of N+V numbers.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# `.view(B, S, heads, -1).transpose(1, 2)`: first split the last axis, then exchange positions and heads. A view that
# does both at once would mix them up. `expand` repeats the rotated key for every head without copying it.
#
# </details>

# %% exercise="mla.expand" points=2 minutes=10 difficulty=1
from minids.model.attention import expand_latent

# %% [markdown]
# With keys and values at hand, MLA is ordinary attention. That is the *naive* way to compute it, and the one that
# training uses. `attend(q, k, v, scale, mask)` of chapter 02 does the rest, so what is left to do is to bring
# everything into its order.
#
# *Difficulty 1 · 2 points · 10 minutes*
#
# <details><summary>Hint 1</summary>
#
# A score is the product of [q_nope ; q_rope] with [k_nope ; k_rope]: put the queries together in the same order.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# `attend` wants and returns heads before time, [B, H, T, …]; this function takes and returns time before heads.
#
# </details>

# %% exercise="mla.naive" points=2 minutes=10 difficulty=1
from minids.model.attention import mla_naive

# %% [markdown]
# What have we won? The cache is small, but look at `expand_latent`: every time a token is written, the latents of the
# *whole* text are multiplied by `w_kv_b` again. We have exchanged memory for arithmetic, and for a lot of it. The next
# section gets rid of it.

# %% [markdown]
# ## 3. Absorb, and why positions must stand aside
#
# A score without positions is a product of three things, and brackets may be moved:
#
# $$q \cdot (W_{UK}\, c) \;=\; (W_{UK}^{\top} q) \cdot c .$$
#
# On the left a key is made for every token of the text. On the right *one* query is moved into the space of the latents
# and multiplied with the cache as it lies there. The same on the other side: the weighted mean of values
# $\sum_s w_s\, W_{UV} c_s$ is $W_{UV} \sum_s w_s c_s$, one matrix product after the mean instead of one for each token.
# Since $W_{UK}^\top$ follows $W_{UQ}$, the two could be multiplied into one matrix once and for all: $W_{UK}$ is
# *absorbed* (V2 paper, §2.1.2).
#
# Now let the keys be rotated by their positions, as RoPE wants it. Between the query at $t$ and the latent at $s$ there
# now stands a rotation:
#
# $$(R_t\, q) \cdot (R_s\, W_{UK}\, c) = q^\top R_{s-t}\, W_{UK}\, c .$$
#
# The matrix that would have to be absorbed, $W_{UK}^\top R_{t-s}$, is another one for every distance. The experiment:
# fold once, without the rotation, and see how wrong the scores get.

# %%
generator = torch.Generator().manual_seed(31)
N, C, S, trials = 32, 64, 129, 200
cos, sin = layers.rotary_table(ModelConfig(qk_rope_head_dim=N, rope_theta=1000.0), S)
w_uk = torch.randn(N, C, generator=generator) / C**0.5
latents, query = torch.randn(S, C, generator=generator), torch.randn(trials, N, generator=generator)
keys = latents @ w_uk.T
folded = query @ w_uk @ latents.T  # one matrix for all distances: [trials, S]
plain_keys = query @ keys.T
rotated_keys = layers.apply_rope(query, cos[-1], sin[-1]) @ layers.apply_rope(keys, cos, sin).T
fig, ax = plt.subplots(figsize=(5.5, 2.9))
for scores, label in ((rotated_keys, "all of the key rotated"), (plain_keys, "key not rotated")):
    error = (folded - scores).square().mean(0).sqrt() / scores.std(0)
    ax.plot(range(S - 1, -1, -1), error, label=label)
ax.set(xlabel="distance between query and key (tokens)", ylabel="error of the folded score\n(in standard deviations)")
ax.legend(loc=(0.55, 0.12))
show(fig, "Without rotation the folded score has no error at any distance. With rotated keys it is right at distance 0 "
          "only and off by about one standard deviation or more from a few tokens on.")

# %% [markdown]
# At distance 0 the two rotations cancel; a few tokens away the folded score has little to do with the true one. To be
# right one would have to go back to forming every key, or fold anew for every distance. So V2 and V3 *decouple*
# positions (V2 paper, §2.1.3): most of the key, the "nope" part, carries no position and can be absorbed; beside it
# goes a short key $k^{rope}$ that is rotated, made from $x$ directly, and shared by all heads, so that it costs 64
# numbers a token and not 64 a head. A score is then the sum of two products, and both read the cache as it is.
#
# *Difficulty 3 · 4 points · 30 minutes*
#
# <details><summary>Hint 1</summary>
#
# Give `w_kv_b` its three axes, [H, N+V, C], and cut it into `w_uk` [H, N, C] and `w_uv` [H, V, C].
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# `torch.einsum` keeps the bookkeeping short. The query in latent space: `"bthn,hnc->bthc"`; its scores on the latents:
# `"bthc,bsc->bhts"`. The rotary part gives scores of the same shape. Add, then scale.
#
# </details>
#
# <details><summary>Hint 3</summary>
#
# After mask and softmax the weights [B, H, T, S] average the *latents*: [B, T, H, C]. Only then comes `w_uv`.
#
# </details>

# %% exercise="mla.absorb" points=4 minutes=30 difficulty=3
from minids.model.attention import mla_absorbed

# %% [markdown]
# ### Which way is cheaper?
#
# Count multiplications for `new` tokens that look at `seen` tokens (with V3's sizes, one layer; the causal half is not
# taken off). Beside the two ways there is a third, which spends memory instead: keep the expanded keys and values, that
# is, go back to the cache of MHA.


# %%
# NBVAL_CHECK_OUTPUT
def multiplications(new, seen, H=128, N=128, R=64, V=128, C=512):
    kept = new * C * H * (N + V) + new * seen * H * (N + R + V)
    naive = seen * C * H * (N + V) + new * seen * H * (N + R + V)
    absorbed = new * H * C * (N + V) + new * seen * H * (C + R + C)
    return {"keys kept (MHA's cache)": kept, "naive": naive, "absorbed": absorbed}


for new, seen in ((1, 4096), (4096, 4096)):
    print(f"{new} new token(s), {seen} seen")
    for name, count in multiplications(new, seen).items():
        print(f"    {name:24} {count / 1e6:12.0f} million")

# %% [markdown]
# Writing one token, absorption needs about a hundredth of the naive way's multiplications. Reading a whole text at
# once, it needs three times *more*: each product with a latent is 512 long where a key would be 128 long. Hence the
# library absorbs for a few new tokens over a cache and expands otherwise. And look at the first line: for one token,
# keys that were kept need even fewer multiplications than absorption. Absorbing wins there because it *reads* 576
# numbers a token instead of 40,960, and reading is what a GPU waits for when it writes one token at a time.
#
# Move the slider to see where the lines cross for a longer or shorter text.


# %%
def crossing(ax, log2_seen):
    seen = 2 ** int(log2_seen)
    new = 2 ** torch.arange(0, int(log2_seen) + 1)
    for name, count in multiplications(new.double(), seen).items():
        ax.plot(new, count, label=name)
    ax.set(xscale="log", yscale="log", xlabel="new tokens at once", ylabel="multiplications")
    ax.legend(fontsize=7)


play(
    crossing, log2_seen=(6, 16, 1), shown=[(8,), (16,)],
    alt="Multiplications against the number of new tokens, for 256 and for 65,536 tokens seen: the absorbed way starts "
        "far below the naive one and crosses it between 100 and 200 new tokens.",
)

# %% [markdown]
# Counts are not seconds. The next cell times the three on this machine, one thread, in a layer small enough for a CPU
# (16 heads, latents of 128, 1,024 tokens seen). What it prints depends on the machine and is kept from one run.


# %% clock
def seconds(call, given, repeats=4):
    """The fastest of a few calls."""
    times = []
    for _ in range(repeats):
        begin = time.perf_counter()
        call(*given)
        times.append(time.perf_counter() - begin)
    return min(times)


# %% clock
H, N, R, V, C, S = 16, 32, 16, 32, 128, 1024
latent, k_rope, w_kv_b = torch.randn(1, S, C), torch.randn(1, S, R), torch.randn(H * (N + V), C) / C**0.5
news, measured = [1, 4, 16, 64, 256, 1024], {"keys kept (MHA's cache)": [], "naive": [], "absorbed": []}
keys, values = attention.expand_latent(latent, k_rope, w_kv_b, H, N)
for T in news:
    q_nope, q_rope = torch.randn(1, T, H, N), torch.randn(1, T, H, R)
    mask = torch.ones(T, S, dtype=torch.bool).tril(S - T)[None, None]
    kept = torch.cat([q_nope, q_rope], -1).transpose(1, 2), keys, values, 0.1, mask
    small = q_nope, q_rope, latent, k_rope, w_kv_b, 0.1, mask
    measured["keys kept (MHA's cache)"].append(seconds(attention.fused_attend, kept))
    measured["naive"].append(seconds(attention.mla_naive, small))
    measured["absorbed"].append(seconds(attention.mla_absorbed, small))

# %% clock
fig, ax = plt.subplots(figsize=(5.5, 2.9))
for name, times in measured.items():
    ax.plot(news, [1e3 * t for t in times], marker="o", markersize=3, label=name)
ax.set(xscale="log", yscale="log", xlabel="new tokens at once", ylabel="time of one layer (ms)")
ax.legend(fontsize=8)
show(fig, "Measured time against new tokens: absorbed is several times faster than naive for one token and slower "
          "for hundreds; keeping the keys is fastest for many tokens.")

# %% [markdown]
# The picture is that of the counts, blurred by what a call costs before it computes anything: for one token absorption
# is several times faster than expanding, for hundreds of tokens it is the slower way. What it hardly shows is the gain
# over kept keys that V3 has on a GPU, since a few megabytes of keys lie in the processor's own memory and nobody waits
# for them. At the size of this course MLA saves memory that we have plenty of. It is built here because the model at
# the end of the course is DeepSeek's in small.

# %% [markdown]
# ## 4. A bug that only the cache can show
#
# Somebody has written the piece between projection and cache: it normalises the latent, rotates the shared key, stores
# both, and hands out everything stored so far. Their model trains. Does it also write? For that, a text read in one go
# must give the same logits as the same text read 24 letters at once and then letter by letter from the cache.


# %%
def against_the_full_forward(model, ids, first=24):
    """Largest difference of the logits at each position, cached against uncached: [T]."""
    with torch.no_grad():
        cache = model.new_cache(len(ids), ids.shape[1])
        parts = [model(ids[:, :first], cache=cache)]
        parts += [model(ids[:, t : t + 1], cache=cache) for t in range(first, ids.shape[1])]
        return (torch.cat(parts, 1) - model(ids)).abs().amax((0, 2))


def train_and_compare(steps=25):
    torch.manual_seed(4)
    model = Transformer(SMALL)
    return train(model, steps, 16, SHORT, lr=3e-3), against_the_full_forward(model, probe[:4])


# %%
from minids.course import wrong

good, sound = train_and_compare()
own = attention.cached_latents
attention.cached_latents = wrong.named("mla.cache", "rotates_on_reading").fn
bad, broken = train_and_compare()
attention.cached_latents = own
fig, (left, right) = plt.subplots(1, 2, figsize=(7, 2.9))
left.plot(good, label="sound", linewidth=3, alpha=0.5)
left.plot(bad, label="with the bug", linestyle="--")
left.set(xlabel="training step", ylabel="loss (nats a letter)")
left.legend()
right.plot(sound.clamp(min=1e-8), linewidth=3, alpha=0.5)
right.plot(broken.clamp(min=1e-8), linestyle="--")
right.axvline(23.5, color="grey", linewidth=1)
right.text(24.5, 1e-4, "from here on\none by one", fontsize=8, color="grey")
right.set(yscale="log", xlabel="position", ylabel="cached against full:\nlargest difference of a logit")
show(fig, "Left: training losses with and without the bug lie on each other. Right: the sound model's cached logits "
          "differ from the full forward by rounding; with the bug they agree for 24 positions, then jump.")

# %% [markdown]
# The losses lie on each other: training sees nothing, no test of training sees anything, and the first 24 letters are
# right as well. From the first letter that is read alone, everything is wrong. Such bugs are found by this comparison
# or not at all, which is why the library's tests make it in float64, in pieces of many sizes.
#
# The cell below has the code. Read it before you change it: what exactly is in the cache, and what happens to a column
# that is read for the tenth time?
#
# *Difficulty 2 · 3 points · 15 minutes*
#
# <details><summary>Hint 1</summary>
#
# With 24 letters into an empty cache, new tokens and all tokens are the same. What is different from the 25th on? Write
# down the shapes of `cos` and of what it multiplies.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# `cos` and `sin` belong to the *new* tokens. For a single one their time axis has length 1, and torch stretches an axis
# of length 1 without a word.
#
# </details>

# %% exercise="mla.cache" start="rotates_on_reading" points=3 minutes=15 difficulty=2
from minids.model.attention import cached_latents

# %%
_, repaired = train_and_compare()
fig, ax = plt.subplots(figsize=(5.5, 2.6))
ax.plot(broken.clamp(min=1e-8), linestyle="--", color="C1", label="with the bug")
ax.plot(repaired.clamp(min=1e-8), color="C0", label="what the library runs now")
ax.set(yscale="log", xlabel="position", ylabel="cached against full:\nlargest difference of a logit")
ax.legend(fontsize=8)
show(fig, "The same comparison again: with the function that the library runs now, all positions differ by rounding.")
print("below 1e-3 at every position:", bool(repaired.max() < 1e-3))

# %% [markdown]
# Each number is finished before it is stored, and never touched again: that is the rule behind every cache. (One *can*
# store keys unrotated, if they are rotated by their own positions whenever they are read. It costs a rotation of the
# whole cache for every token.)

# %% [markdown]
# ## 5. Beyond the trained length: YaRN
#
# Our models have read windows of 64 letters. What do they do at position 200? RoPE turns pair $i$ of the rotary part by
# $p\,\theta^{-2i/R}$ at position $p$. Fast pairs have gone round many times within 64 letters and have seen every
# angle. Slow pairs have seen only the beginning of their circle; further on come angles that they have never met.
#
# *Position interpolation* (arXiv 2306.15595) divides all frequencies by the factor by which texts get longer: no new
# angles, but neighbours now differ by a fraction of the angle that the model knows. *YaRN* (arXiv 2309.00071, §3.2)
# treats each pair by how often it turns within the trained length: more than `beta_fast` turns, leave it; fewer than
# `beta_slow`, slow it by the whole factor; between them a ramp, which DeepSeek's code draws as a straight line over the
# number of the pair. V3 goes from 4 K to 128 K with 32 turns, 1 turn and a factor of 40, and only the shared rotary key
# and its queries are concerned: the nope part has no positions to stretch (V3 paper, §4.3).
#
# *Difficulty 3 · 4 points · 25 minutes*
#
# <details><summary>Hint 1</summary>
#
# Pair $i$ makes $L\,\theta^{-2i/d} / 2\pi$ turns in $L$ tokens. Set that equal to a number of turns and solve for $i$:
# a logarithm over $2 \ln\theta$.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# The pair of `beta_fast` is the low end of the ramp, rounded down; that of `beta_slow` the high end, rounded up (unless
# `truncate` is false). Keep the ends within 0 and dim-1. For V3 they are 10 and 23.
#
# </details>
#
# <details><summary>Hint 3</summary>
#
# `ramp = ((index - low) / max(high - low, 0.001)).clamp(0, 1)` is the share of slowing; the frequency is
# `inv_freq * (1 - ramp) + inv_freq / factor * ramp`.
#
# </details>

# %% exercise="yarn.frequencies" points=4 minutes=25 difficulty=3
from minids.model.layers import yarn_inv_freq

# %% [markdown]
# Longer texts also mean that more keys compete for each query's attention. YaRN therefore sharpens the softmax a
# little: its temperature $t$ has $\sqrt{1/t} = 0.1 \ln s + 1$ for a text $s$ times as long (arXiv 2309.00071, §3.4).
# Query and key are each multiplied by that root, so the scale gets its *square*. In a DeepSeek configuration the key
# `mscale_all_dim` multiplies the logarithm; there is also a key `mscale`, which concerns the rotary part alone. V3 sets
# both to 1, so a program that confuses them is right on V3 and wrong elsewhere.
#
# *Difficulty 1 · 2 points · 10 minutes*
#
# <details><summary>Hint</summary>
#
# `config.qk_head_dim` is the length of a query, nope and rope together; `yarn_mscale(factor, mscale)` is the factor
# that has to be squared. No `rope_scaling`, or no `mscale_all_dim` in it: nothing changes.
#
# </details>

# %% exercise="yarn.scale" points=2 minutes=10 difficulty=1
from minids.model.layers import softmax_scale

# %%
yarn_v3 = {"type": "yarn", "factor": 40, "beta_fast": 32, "beta_slow": 1, "mscale": 1.0, "mscale_all_dim": 1.0,
           "original_max_position_embeddings": 4096}
plain = layers.yarn_inv_freq(64, 10000.0, None)
turns = 4096 * plain / (2 * torch.pi)
fig, ax = plt.subplots(figsize=(5.5, 2.9))
ax.plot(plain / layers.yarn_inv_freq(64, 10000.0, yarn_v3), marker="o", markersize=3, label="YaRN")
ax.axhline(40, linestyle="--", color="C1", label="position interpolation")
ax.axhline(1, linestyle=":", color="grey", label="left as it is")
for pair in (0, 10, 16, 23):
    ax.annotate(f"{turns[pair]:.1f} turns", (pair, 1.0), (pair + 1, 4 + 0.3 * pair), fontsize=8, color="grey",
                arrowprops={"arrowstyle": "-", "color": "lightgrey"})
ax.set(xlabel="pair of rotary dimensions", ylabel="slowed by a factor of")
ax.legend(fontsize=8)
show(fig, "YaRN's slowing by pair for DeepSeek-V3: 1 up to pair 10, rising to 40 at pair 23 and after. Pair 0 makes "
          "about 650 turns in 4,096 tokens, pair 10 about 37, pair 23 just under one.")
print(f"softmax scale of V3 with YaRN: {layers.softmax_scale(replace(v3, rope_scaling=yarn_v3)):.5f}")

# %% [markdown]
# ### The experiment
#
# The small MLA, trained on windows of 64 letters, reads windows of 256. Its weights stay as they are; only the
# frequencies and the softmax scale are exchanged.


# %%
LONG = 256
stretch = {**yarn_v3, "factor": LONG / SHORT, "original_max_position_embeddings": SHORT}


def with_frequencies(model, inv_freq, scale):
    """A copy of the model whose rotary part turns at these frequencies."""
    twin, angles = copy.deepcopy(model), torch.arange(LONG)[:, None] * inv_freq
    twin.angles = lambda positions: (angles.cos()[positions], angles.sin()[positions])
    for layer in twin.layers:
        layer.self_attn.scale = scale
    return twin


# %%
mla, R = trained("MLA"), SMALL.qk_rope_head_dim
rope, base = layers.yarn_inv_freq(R, SMALL.rope_theta, None), layers.softmax_scale(SMALL)
slowed = layers.yarn_inv_freq(R, SMALL.rope_theta, stretch)
ways = {
    "plain RoPE": (rope, base),
    "position interpolation": (rope / stretch["factor"], base),
    "YaRN without its temperature": (slowed, base),
    "YaRN": (slowed, layers.softmax_scale(replace(SMALL, rope_scaling=stretch))),
}


# %%
long_probe = windows(held_out, 64, LONG, torch.Generator().manual_seed(32))


def by_position(model, block=16):
    """Mean loss of blocks of 16 positions."""
    with torch.no_grad():
        mean = F.pad(losses(model, long_probe).mean(0), (1, 0), value=float("nan"))
    return mean.view(-1, block).nanmean(1)


def draw(ax, twins):
    for name, twin in twins.items():
        curve = by_position(twin)
        ax.plot(torch.arange(len(curve)) * 16 + 8, curve, marker="o", markersize=3, label=name)
        print(f"{name:30} up to {SHORT}: {curve[:4].mean():.1f}    beyond: {curve[4:].mean():.1f} nats a letter")
    ax.axvline(SHORT, color="grey", linestyle="--", linewidth=1)
    ax.set(xlabel="position (letters)", ylabel="loss (nats a letter)", ylim=(0, None))
    ax.legend(fontsize=8)


# %%
twins = {name: with_frequencies(mla, *how) for name, how in ways.items()}
fig, ax = plt.subplots(figsize=(6, 3.2))
draw(ax, twins)
show(fig, "Loss by position up to 256 letters, untuned. Plain RoPE is best up to 64 and climbs steeply after; position "
          "interpolation is bad everywhere; YaRN lies between, nearly level.")

# %% [markdown]
# Plain RoPE is best where it was trained, and behind it the loss climbs and climbs. Position interpolation is bad from
# the first letters on: the fine steps by which this model knows neighbours are gone. YaRN keeps the fast pairs and is
# nearly level, but it pays for that within the 64 letters. Its temperature changes next to nothing here: 256 letters
# are no crowd.
#
# None of the three is good as it is, and nobody uses them so. V3 was trained on for 1,000 steps at 32 K and 1,000 at
# 128 K (§4.3), which is under 5 % of its GPU hours (Table 1: 119 K of 2,788 K). We give each twin 25 steps with windows
# of 256 letters.

# %%
for twin in twins.values():
    train(twin, 25, 4, LONG, lr=1e-3, seed=5)
fig, ax = plt.subplots(figsize=(6, 3.2))
draw(ax, twins)
show(fig, "After 25 steps on windows of 256 letters: YaRN is level over all positions; plain RoPE still climbs behind "
          "64; position interpolation has improved most and is still last.")

# %% [markdown]
# A few steps are enough for YaRN to be as good at position 250 as at position 50. Plain RoPE learns its new angles more
# slowly and still climbs; position interpolation has to learn all its neighbours anew. With many more steps all three
# would get there: YaRN does not let the model do something it could not do otherwise, it starts closer to the goal.
# That is worth little here, where a step costs a fraction of a second, and much where it costs hours of thousands of
# GPUs.

# %% [markdown]
# ## 6. MHA, GQA, MLA: the same bytes, the same quality
#
# V2's claim is that MLA is better than MHA with a fraction of its cache: 14 % in a small mixture of experts and 4 % in
# a large one (V2 paper, Appendix D.2). What do our stories say? Four small models, everything equal but the attention,
# three seeds each (they change the weights at the start and the order of the data). GQA with one group is as small as
# GQA gets: one key and one value for all heads. An MLA with latents of 48 keeps exactly as many numbers.

# %%
kinds = {
    "MHA": {"attention": "mha"},
    "GQA, 1 group": {"attention": "gqa", "num_key_value_heads": 1},
    "MLA": {},
    "MLA, latents of 16": {"kv_lora_rank": 16},
}
results = {}


def compare(name):
    runs = [trained(name, seed, **kinds[name]) for seed in range(3)]
    with torch.no_grad():
        results[name] = [losses(model, probe).mean().item() for model in runs]
    numbers, weights = runs[0].config.cache_elements, runs[0].parameter_count()
    print(f"{name:18} {numbers:3} numbers a token and layer, {weights} parameters: "
          f"{min(results[name]):.2f} to {max(results[name]):.2f} nats a letter")


compare("MHA")

# %%
compare("GQA, 1 group")

# %%
compare("MLA")

# %%
compare("MLA, latents of 16")

# %%
fig, ax = plt.subplots(figsize=(6, 3))
for i, (name, values) in enumerate(results.items()):
    size = trained(name).config.cache_elements * (1.06 if name == "MLA" else 1)  # beside GQA's dots, not on them
    ax.plot([size] * len(values), values, "o", color=f"C{i}", alpha=0.6, label=name)
    ax.plot([size], [sum(values) / len(values)], "_", color=f"C{i}", markersize=18, markeredgewidth=2)
ax.set(xscale="log", xlabel="numbers in the cache, a token and layer", ylabel="held-out loss (nats a letter)")
ax.set_xticks([32, 64, 128, 256], ["32", "64", "128", "256"])
ax.minorticks_off()
ax.legend(fontsize=8)
show(fig, "Held-out loss against cache size, three seeds each: the dots of MHA, GQA with one group and MLA overlap in "
          "part, MLA's highest of the three; MLA with latents of 16 lies above them all.")

# %% [markdown]
# Read the picture along its two axes.
#
# *The same bytes* (64 numbers): the MLA is not better than GQA with one group here; its runs overlap with GQA's and lie
# a little higher. *The same quality:* GQA with a quarter of the bytes is as good as MHA, within what the seeds differ
# by. The MLA comes within a few hundredths, and with latents of 16 the price of a cache of half that size is plain.
#
# So is V2 wrong? No: this experiment is too small to ask its question. Our hidden state has 64 numbers, so *one* key
# and value of 32 numbers each can already hold most of what there is to know about a token. V3's has 7,168; its heads
# would keep 40,960, and one group would keep 320. Where GQA has nothing to lose, MLA has nothing to win. The little
# that the MLA is behind is mostly time: its keys are a product of two matrices with a norm between them and are learned
# later. With `STEPS = 400` the means of the three larger caches came within two hundredths of each other in our trial.
#
# What 40 CPU-seconds can honestly say is this: a cache can be four times smaller than MHA's at hardly any loss. Which
# way of shrinking it is best at the size where it matters, they cannot say; for that DeepSeek trained models of 16 and
# 250 billion parameters.

# %% [markdown]
# ## What you now own
#
# - `expand_latent` and `mla_naive`: MLA as training computes it;
# - `mla_absorbed`: MLA as decoding computes it, on the cache itself;
# - `cached_latents`: what is kept of a token, and the one comparison that finds a wrong cache;
# - `yarn_inv_freq` and `softmax_scale`: longer texts than the model was trained on;
# - a way to say what a cache costs, in bytes, in multiplications and in milliseconds.
#
# ## Three questions
#
# **1.** A server holds 32 texts of 8,192 tokens each for DeepSeek-V3, in BF16. How large is the cache?
#
# <details><summary>Answer</summary>
#
# 32 · 8,192 · 70,272 bytes = 18.4 GB with MLA. With MHA of the same sizes it would be 1.3 TB, on sixteen or more cards
# of 80 GB before a single weight is stored.
#
# </details>
#
# **2.** Over a very long text, up to how many new tokens at once does absorbing take fewer multiplications than
# expanding, with V3's sizes?
#
# <details><summary>Answer</summary>
#
# Both are proportional to the length then: C·(N+V) for the naive way plus (N+R+V) a new token, against (2C+R) a new
# token. They meet at C·(N+V) / (2C-N-V) = 512·256 / 768, about 170 new tokens.
#
# </details>
#
# **3.** Section 4 compared the cached logits with the full forward. Name a mistake in `cached_latents` that this
# comparison can not find. What finds it?
#
# <details><summary>Answer</summary>
#
# Any mistake that is the same on both ways and concerns each token alone: no norm on the latent, or one over latent and
# key together. Both ways agree, on the wrong numbers, and the model even trains. Only an independent implementation
# finds it: this chapter's cases, or the same weights in `transformers`, which the library's tests compare with.
#
# </details>
#
# ## Sources
#
# - DeepSeek-V2, arXiv 2405.04434: §2.1.2 compression and absorption, §2.1.3 decoupled RoPE, §2.1.4 sizes of caches,
#   §3.1.4 YaRN on the shared key, Appendix D comparisons of MHA, GQA, MQA and MLA.
# - DeepSeek-V3, arXiv 2412.19437: §2.1.1 the equations, §4.2 the sizes, §4.3 context extension, Table 1 GPU hours.
# - YaRN: Peng et al. 2023, arXiv 2309.00071, §3.2 by parts, §3.4 temperature. Position interpolation: Chen et al. 2023,
#   arXiv 2306.15595.
# - MQA: Shazeer 2019, arXiv 1911.02150. GQA: Ainslie et al. 2023, arXiv 2305.13245.
