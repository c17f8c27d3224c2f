# %% [markdown]
# # 06 FP8
#
# **The question.** DeepSeek-V3 was trained with most of its matrix products in numbers of one byte: at most 256
# different values, and no two neighbours closer than some 6 %. How can anything be learned with those, and what does it
# cost?
#
# You will round to such a format by hand, scale blocks so that they fit, multiply what was scaled, and write the
# backward pass of a layer that trains this way. In between we look: at every value there is, at what one outlier does
# to a matrix, at sums that stop growing, at where in a layer the errors come from. At the end small models train in FP8
# beside BF16, three seeds each.
#
# One thing in advance. FP8 is *emulated* here: torch's own casts give the right numbers, and are slower than no FP8 at
# all. Where the speed comes from is calculated at the end, not measured. This chapter is about what the numbers do.
#
# *Costs about a minute on one CPU thread, nearly all of it in twelve small training runs, and 2 GiB. Needs chapter 02
# (layers and their gradients); chapter 04's router turns up once. Six exercises, 15 points, about two hours.*

# %%
import struct
import time
from types import SimpleNamespace
from unittest.mock import patch

import matplotlib.pyplot as plt
import torch
import torch.nn.functional as F

from minids import ModelConfig, Tokenizer, Transformer
from minids.course import budget, check, play, show, start, tiny_models, wrong  # noqa: F401
from minids.kernels import floats, gemm, quantise
from minids.model import fp8, moe
from minids.model.ops import linear
from minids.tasks import documents
from minids.train import loop, loss

start(6)

# %% [markdown]
# ## 1. A number in a byte
#
# A floating-point number is a sign, an exponent and a mantissa. Float32 spends 1, 8 and 23 bits on them, E4M3, as its
# name says, 1, 4 and 3. Read the first line: the field of the exponent holds 125, from which a *bias* of 127 is taken,
# so that the exponent is -2; the mantissa is what stands behind "1." in binary: $1.00110011… \cdot 2^{-2} = 0.3$.


# %%
# NBVAL_CHECK_OUTPUT
def pattern(value, exponent_bits, kind):
    """The bits of a number as they lie in memory, split into sign, exponent and mantissa."""
    if kind is float:
        bits = f"{struct.unpack('>I', struct.pack('>f', value))[0]:032b}"
    else:
        bits = f"{torch.tensor(value).to(kind).view(torch.uint8).item():08b}"
    return f"{bits[0]} {bits[1 : 1 + exponent_bits]} {bits[1 + exponent_bits :]}"


print("float32   0.3    ", pattern(0.3, 8, float))
for value in (0.3, 0.3125, 1.0, 1.125, -17.0, 448.0, 2.0**-6, 2.0**-9):
    e4m3 = torch.tensor(value).to(torch.float8_e4m3fn).item()
    print(f"e4m3 {value:12.7f}   {pattern(value, 4, torch.float8_e4m3fn)}   stands for {e4m3:.7f}")

# %% [markdown]
# In E4M3 the bias is 7. 0.3 has the pattern of 0.3125, which is the nearest there is: the next one below is 0.28125.
# Behind 1 comes 1.125. And the last line has an exponent field of zero: below $2^{-6}$, the smallest *normal* number,
# the leading 1 is dropped and the values go on in even steps of $2^{-9}$ down to zero. Those are the *subnormals*.
#
# To round a number to such a format, ask how far apart the neighbours are where it lies:
#
# $$\text{step} = 2^{\max(e,\,e_{\min}) - M}, \qquad y = \text{step} \cdot \mathrm{round}(x / \text{step}),
# \qquad 2^e \le |x| < 2^{e+1}$$
#
# with $M$ bits of mantissa and $e_{\min} = 2 - 2^{E-1}$ for $E$ bits of exponent. A number in the middle of two
# neighbours goes to the one whose last bit is 0, so that ties go up as often as down. What lies beyond the largest
# value becomes the largest.
#
# ### Exercise: the cast
#
# *Difficulty 2 · 3 points · 25 minutes*
#
# <details><summary>Hint 1</summary>
#
# `torch.frexp(y)` gives mantissas in [0.5, 1) and exponents, exactly. The exponent that we want, with a mantissa in
# [1, 2), is one less.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# `clamp(min=2 - 2 ** (exponent_bits - 1))` on the exponents is all that subnormals need: below the smallest normal
# number the step no longer shrinks.
#
# </details>
#
# <details><summary>Hint 3</summary>
#
# `torch.round` already takes halves to the even neighbour. If x is clamped to ±largest first, infinity is dealt with,
# and rounding can not lead out of the range again, since `largest` is a value of the format.
#
# </details>

# %% exercise="fp8.round" points=3 minutes=25 difficulty=2
from minids.kernels.floats import round_to

# %% [markdown]
# What lies beyond the largest value is a convention, and not everybody's. NVIDIA's conversion in hardware can saturate
# as ours does or give NaN; torch's cast to E4M3 gave NaN on a CPU until the spring of 2026 and saturates since
# (pull request 178817 of pytorch/pytorch). The library therefore clamps before it casts, and your function has to.
#
# ## 2. Range against precision
#
# Here is every positive value of three formats. E5M2 is the other format of one byte that hardware knows. E5M6 takes 12
# bits and belongs to DeepSeek alone; we shall meet it in section 6.

# %%
names = ["e4m3", "e5m2", "e5m6"]
fig, ax = plt.subplots(figsize=(7, 2.4))
for row, name in enumerate(names):
    found = floats.values(*floats.FORMATS[name])[1:]
    ax.vlines(found.log2(), row - 0.35, row + 0.35, color=f"C{row}", linewidth=0.6)
    print(f"{name}: {len(found)} positive values from 2^{found[0].log2():.0f} to {found[-1]:.0f}")
ax.set(xlabel="value (powers of two)", yticks=range(3), yticklabels=[n.upper() for n in names], ylim=(2.5, -0.5))
ax.grid(axis="y", visible=False)
show(fig, "All positive values of E4M3, E5M2 and E5M6 as ticks on a logarithmic axis. E4M3 is twice as dense as E5M2 "
          "and reaches from 2^-9 to 2^8.8; E5M2 from 2^-16 to 2^15.8; E5M6 covers that range densely.")

# %% [markdown]
# One bit more for the exponent doubles the number of binades, one bit less for the mantissa halves the values in each.
# The same as an error: numbers of all sizes are rounded, and the picture says how far off they are. In the middle is a
# plateau, the *precision*: no more than $2^{-M-1}$ of the number, whatever its size. To the left of the plateau
# subnormals lose bit after bit until nothing is left, to the right everything becomes the largest value. How wide the
# plateau is, is the *range*. Divide the seven bits as you like:

# %%
sizes = torch.exp2(torch.linspace(-20, 20, 4001, dtype=torch.float64))


def split(mantissa_bits):
    """(exponent bits, mantissa bits, largest) of a format of one byte; E4M3 with its larger largest."""
    M, E = int(mantissa_bits), 7 - int(mantissa_bits)
    return E, M, 448.0 if M == 3 else 2.0 ** (2 ** (E - 1) - 1) * (2 - 2.0**-M)


def error_by_size(ax, mantissa_bits):
    E, M, largest = split(mantissa_bits)
    error = (floats.round_to(sizes, E, M, largest) - sizes).abs() / sizes
    ax.plot(sizes.log2(), 100 * error, linewidth=0.6)
    ax.axhline(100 * 2.0 ** (-M - 1), color="C1", linestyle="--", linewidth=1)
    ax.set(xlabel="number (powers of two)", ylabel="error (% of the number)", ylim=(0, 30))
    ax.text(0, 27, f"E{E}M{M}", ha="center", fontsize=9)


play(
    error_by_size, mantissa_bits=(1, 5, 1), shown=[(2,), (3,), (5,)],
    alt="Rounding error against the size of a number for E5M2, E4M3 and E2M5: plateaus of at most 12.5, 6.3 and 1.6 "
        "percent; the more bits the mantissa has, the lower and the narrower the plateau.",
)

# %% [markdown]
# Which split is the right one? That depends on what has to fit, so let us get some. The repository carries a small
# trained model, the one that chapter 04 looked into. It reads 24 documents, and we keep what enters each linear layer
# (`x`), its weights (`w`), and the gradient that comes back to its output (`dy`): the three kinds of operands that
# training multiplies.

# %%
base, words = tiny_models.model("base")
mix = {"careful": 0.6, "brisk": 0.2, "hasty": 0.2}
parts = list(documents.pretraining_parts(("add", "chain", "word"), 140, mix=mix, fact_share=0.1, seed=606))
texts = documents.pretraining_documents(words, parts, quiet=True)
weight_names, layers = {p.data_ptr(): name for name, p in base.named_parameters()}, {}


def recorder(x, w, bias=None, backend=None):
    """Stands in for fp8.linear: computes in full precision and remembers its operands."""
    y, name = F.linear(x, w, bias), weight_names.get(w.data_ptr())
    if name:
        seen = layers[name] = SimpleNamespace(x=x.detach().reshape(-1, x.shape[-1]), w=w.detach())
        y.register_hook(lambda dy: setattr(seen, "dy", dy.reshape(-1, dy.shape[-1])))
    return y


fp8.convert(base)
with patch.object(fp8, "linear", recorder):
    loss.lm_loss(base, texts.batch(range(24), 0.15))[0].backward()
fp8.restore(base)

# %%
layer = layers["layers.3.self_attn.q_proj.weight"]
counted = layer.dy.abs().amax(1) > 0  # without padding and what has no weight in the loss
layer.x, layer.dy = layer.x[counted], layer.dy[counted]
fig, ax = plt.subplots(figsize=(7, 2.9))
for name, label in (("x", "x, input"), ("w", "w, weight"), ("dy", "dy, gradient of the output")):
    z = getattr(layer, name)
    ax.hist((z[z != 0].abs() / z.abs().max()).log2(), bins=80, range=(-34, 0), density=True, histtype="step",
            linewidth=1.6, label=label)
for power, label, side in ((-6, "full precision\nto the right", 1), (-10, "zero\nto the left", -1)):
    line = power - torch.tensor(448.0).log2().item()
    ax.axvline(line, color="grey", linestyle="--", linewidth=1)
    ax.text(line + side * 0.3, 0.25, label, fontsize=8, color="grey", ha="left" if side > 0 else "right")
ax.set(xlabel="size, compared with the largest of the tensor (powers of two)", ylabel="share per power of two")
ax.legend(fontsize=8, loc="upper left")
show(fig, "Histograms of sizes relative to the largest element. Inputs and weights lie within eight powers of two; "
          "gradients spread over more than twenty, a large part of them left of where E4M3 gives zero.")

# %% [markdown]
# The dashed lines are E4M3's, if the largest element of the tensor is scaled to 448. Inputs and weights are no trouble.
# Gradients are: those of a token that the model has been sure of are thousands of times smaller than those of a token
# that surprised it.
#
# ## 3. Scales
#
# A scale brings a tensor, or a part of it, to where the format has its plateau: divide by $s$, round, multiply by $s$
# again. Nothing is lost by scaling as such, so one takes the largest $s$ can be used to avoid: the largest element
# lands on the largest value,
#
# $$s = \max_i |x_i| \;/\; 448 .$$
#
# Two details. A block of zeros must not be divided by zero, so the maximum is never taken to be less than $10^{-4}$.
# And scales can be rounded up to powers of two, so that dividing by them only moves the exponent; they then fit a byte
# of their own (called UE8M0: unsigned, 8 bits of exponent, no mantissa).
#
# That floor has a history. DeepSeek's published inference code first had none. When it was added, in summer 2025, it
# came with a bug that the next pull request had to mend (964 and 968 of deepseek-ai/DeepSeek-V3). It is one line; mind
# which of minimum and maximum you want.
#
# ### Exercise: the scale
#
# *Difficulty 1 · 2 points · 15 minutes*
#
# <details><summary>Hint 1</summary>
#
# `clamp(min=...)` is a maximum. It keeps NaN as it is, which we want: somebody should see it.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# The next power of two: either `torch.frexp` and a special case for mantissas of exactly 0.5, or the bits themselves.
# `s.view(torch.int32)` shows them: the upper nine are sign and exponent, and `>> 23` takes the mantissa away. A
# logarithm, rounded up, works too if it is taken in float64. Look at what becomes of NaN: the first two ways make a
# number of it, `torch.where(s.isnan(), s, …)` does not.
#
# </details>

# %% exercise="fp8.scale" points=2 minutes=15 difficulty=1
from minids.kernels.quantise import scale_of

# %% [markdown]
# ### One scale for a tensor
#
# With a single scale for the gradients `dy`, or with one for each token, what does each of the splits do? Two ways to
# look at the damage. The *error* is the length of what is wrong over the length of the whole, and the large elements
# decide it. *Lost* is the share of the elements that were something and are zero now, and the small ones decide that.


# %%
def rounded(x, shape, rows):
    """x in a format, with one scale a row or one for all."""
    amax = x.abs().amax(1, keepdim=True) if rows else x.abs().max()
    s = amax.clamp(min=1e-12) / shape[2]
    return floats.round_to(x / s, *shape) * s


def off(y, x):
    """Relative error, over all elements together."""
    return ((y - x).norm() / x.norm()).item()


fig, axes = plt.subplots(1, 2, figsize=(7, 2.7))
for rows, label in ((False, "one scale for dy"), (True, "one scale a token")):
    forms = [rounded(layer.dy, split(M), rows) for M in range(1, 6)]
    axes[0].plot(range(1, 6), [100 * off(y, layer.dy) for y in forms], marker="o", label=label)
    lost = [100 * ((y == 0) & (layer.dy != 0)).double().mean().item() for y in forms]
    axes[1].plot(range(1, 6), lost, marker="o")
    print(f"{label:18} E5M2: {lost[1]:5.1f} % lost    E4M3: {lost[2]:5.1f} % lost")
for ax, label in zip(axes, ("error (%)", "elements lost (%)")):
    ax.set(xticks=range(1, 6), xticklabels=[f"E{7 - M}M{M}" for M in range(1, 6)], ylabel=label)
axes[0].legend(fontsize=8)
show(fig, "Error and share of lost elements of a gradient for E6M1 to E2M5. With one scale the error has its minimum "
          "near E3M4 but E4M3 loses a large share of elements; with a scale a token E4M3 loses nothing.")

# %% [markdown]
# With one scale, E4M3 turns something like a third or more of this gradient into zeros. E5M2 keeps nearly all of it, at
# twice the error. That is why FP8 training before V3 took E4M3 for activations and weights and E5M2 for gradients (FP8
# Formats for Deep Learning, arXiv 2209.05433). With a scale for each token E4M3 loses nothing and has half the error.
# V3 draws the conclusion: finer scales, and E4M3 for everything (§3.3.2, "Mantissa over Exponents").
#
# Note what the left picture says as well. The *error* of E4M3 is under 3 % either way: what was lost was small. Whether
# that matters is not for this picture to say. What follows is a case where it does.
#
# ### The outlier
#
# Large language models have a few features that are far larger than all others, for every token ("massive activations"
# up to 100,000 times the rest: Sun et al. 2024, arXiv 2402.17762). Our small one has none, so we make one: a matrix of
# ordinary numbers, with a single column that is $A$ times as large. What becomes of the *other* columns?

# %%
generator = torch.Generator().manual_seed(60)
ordinary = torch.randn(64, 512, generator=generator)


def with_outlier(times):
    x = ordinary.clone()
    x[:, 200] *= times
    return x


def int8(x):
    s = x.abs().max() / 127
    return torch.round(x / s) * s


ways = {
    "INT8, one scale": int8,
    "E4M3, one scale": lambda x: rounded(x, floats.FORMATS["e4m3"], False),
    "E5M2, one scale": lambda x: rounded(x, floats.FORMATS["e5m2"], False),
    "E4M3, one scale a row": lambda x: rounded(x, floats.FORMATS["e4m3"], True),
}

# %%
times = 2.0 ** torch.arange(0, 25, 0.5)
others = torch.arange(512) != 200
fig, ax = plt.subplots(figsize=(6.4, 3))
for name, way in ways.items():
    error = [100 * off(way(with_outlier(t))[:, others], ordinary[:, others]) for t in times]
    ax.plot(times, error, label=name, linestyle="--" if "row" in name else "-")
ax.axvline(1e5, color="grey", linewidth=1, linestyle=":")
ax.set(xscale="log", xlabel="size of the outlier column (times the others)", ylabel="error of all other columns (%)")
ax.legend(fontsize=8)
show(fig, "Error of the ordinary columns against the size of the outlier. INT8 goes from 1 to 100 percent between 1 "
          "and 1,000; E4M3 stays at 2.7 percent up to 10,000 and then rises; E5M2 stays at 5 percent.")

# %% [markdown]
# Floating point is far more patient than integers: signed bytes are ruined by an outlier of a hundred, E4M3 does not
# even notice one of 1,000. But there is an end to it, and sizes that have been found in practice (dotted) lie there.
# E5M2 would stand them, at twice the error for every ordinary number. A scale a row is of little help against an
# outlier *column*, since every row has one. What helps is to keep the damage where it is: **blocks**. V3 cuts each row
# of an activation into blocks of 128 and a weight into squares of 128 × 128, each with a scale of its own (§3.3.2,
# figure 7).
#
# ### Exercise: quantise in blocks
#
# *Difficulty 2 · 3 points · 20 minutes.* `_padded`, `_to_fp8` and `scale_of` are there to be used. Mind the last block
# of a row when 128 does not divide it.
#
# <details><summary>Hint 1</summary>
#
# `_padded(x.float(), 1, BLOCK)` makes the row a multiple of 128 long. Then `.view(M, -1, BLOCK)` has the blocks along
# the middle axis.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# `scale_of` takes one number a block, [M, blocks]. To divide, the scales need a third axis: `s[..., None]`.
#
# </details>
#
# <details><summary>Hint 3</summary>
#
# `_to_fp8(...)` clamps and casts. After `.view(M, -1)` cut the columns that you have added: `[:, :K]`. A loop over
# the blocks is a right answer too.
#
# </details>

# %% exercise="fp8.quantise" points=3 minutes=20 difficulty=2
from minids.kernels.quantise import quantise_reference

# %% [markdown]
# Now let us see it. One outlier column, a million times as large, and ten rows that are 100,000 times smaller than the
# others, as the gradients of quiet tokens can be. White is right, as far as E4M3 can be; dark is gone.

# %%
x = torch.randn(256, 384, generator=generator)
x[:, 200] *= 1e6
x[60:70] /= 1e5
forms = {
    "one scale": rounded(x, floats.FORMATS["e4m3"], False),
    "128 × 128": quantise.dequantise(*quantise.quantise_weight(x)),
    "1 × 128": quantise.dequantise(*quantise.quantise(x)),
}
fig, axes = plt.subplots(1, 3, figsize=(7, 2.3), sharey=True)
for ax, (name, y) in zip(axes, forms.items()):
    image = ax.imshow(100 * ((y - x).abs() / x.abs()), cmap="Blues", vmin=7, vmax=100, aspect="auto")
    ax.set(title=name, xlabel="column", xticks=[0, 128, 256])
    ax.grid(False)
axes[0].set(ylabel="row", yticks=[0, 128])
fig.colorbar(image, ax=axes, label="error (%)")
show(fig, "Error of each element under three kinds of scales. One scale: all is lost but the outlier column. Squares: "
          "lost are two squares and the quiet rows. Blocks of 1 by 128: lost only beside the outlier.")

# %% [markdown]
# With one scale, a single column takes everything else with it. With squares and with 1 × 128 it takes the 128 columns
# that it lies among, and no more: a third of this matrix, under 2 % of a row of V3's 7,168. Squares lose the quiet rows
# too, which share a scale with louder ones. Blocks of 1 × 128 keep them.
#
# Why then not even smaller blocks? Each costs a scale of four bytes, and each scale a multiplication in the middle of
# the matrix product. One in 128 is 3 % of the memory. (The formats that newer GPUs know go further: MXFP8 has blocks of
# 32 with a power of two in a byte.)
#
# ## 4. A bug hunt: 192 rows
#
# The way back is short: each element times the scale of its block. A checkpoint holds weights and scales, and whoever
# loads it multiplies. Somebody wrote that, and made no assumption about the size of the blocks. It follows from the
# shapes, does it not?

# %%
suspect = wrong.named("fp8.dequantise", "block_from_the_shape").fn
fig, axes = plt.subplots(1, 3, figsize=(7, 2.6))
for ax, shape in zip(axes, ((256, 256), (192, 256), (576, 256))):
    w = torch.randn(shape, generator=generator) * torch.logspace(0, 1, shape[0])[:, None]
    y = suspect(*quantise.quantise_weight(w))
    image = ax.imshow(100 * ((y - w).abs() / w.abs()), cmap="Blues", vmin=7, vmax=100, aspect="auto")
    ax.set(title=f"{shape[0]} rows", xlabel="column", yticks=range(0, shape[0], 128))
    ax.grid(False)
    print(f"{shape[0]} x {shape[1]}: off by {100 * off(y, w):.1f} %")
axes[0].set(ylabel="row")
fig.colorbar(image, ax=axes, label="error (%)")
show(fig, "Error of each element after the suspect's dequantisation of weights with 256, 192 and 576 rows. 256 rows: "
          "none to speak of. 192 and 576 rows: stripes of rows are wrong.")

# %% [markdown]
# Weights whose sides are multiples of 128 come back right, and nearly all are. 576 = 512 + 64 is not: it is the number
# of rows of `kv_a_proj_with_mqa` in DeepSeek-V3, the latent and the shared rotary key of chapter 03. Nothing complains,
# the model loads, and writes somewhat worse.
#
# *Difficulty 2 · 2 points · 15 minutes*
#
# <details><summary>Hint 1</summary>
#
# How many rows and columns does the suspect think that a block of a 192 × 256 weight has? How many has it?
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# The size of a block is a constant of the format, `BLOCK`. The only thing that the shape decides is whether rows have a
# scale each or share one in blocks. The last block is cut off by the edge: `[:R]`, `[:, :C]`.
#
# </details>

# %% exercise="fp8.dequantise" start="block_from_the_shape" points=2 minutes=15 difficulty=2
from minids.kernels.quantise import dequantise

# %%
for shape in ((256, 256), (192, 256), (576, 256)):
    w = torch.randn(shape, generator=generator) * torch.logspace(0, 1, shape[0])[:, None]
    print(f"{shape[0]} x {shape[1]}: off by {100 * off(quantise.dequantise(*quantise.quantise_weight(w)), w):.1f} %")

# %% [markdown]
# The bug is taken from life. Version 5.23 of `transformers` (`Fp8Dequantize`) divides the rows by the rows of scales;
# with 576 it stops with an error, since 5 does not divide them, with 192 it does what you have just seen. What is left
# over at the edge is the first thing to test in any code that works in blocks.

# %% [markdown]
# ## 5. The product
#
# Why blocks along the rows of `x`, and not any other way? Because a matrix product sums along them:
#
# $$y_{mn} = \sum_j s^x_{mj}\, s^w_{nj} \sum_{k \in \text{block } j} q^x_{mk}\, q^w_{nk} .$$
#
# Within a block of 128 all products have the same two scales, so the inner sum can run on bytes, in the tensor cores,
# and the scales come in once for each 128, not for each product.
#
# ### Exercise: the product of what the bytes stand for
#
# *Difficulty 1 · 2 points · 15 minutes.* Written for being right, not fast: dequantise both, multiply. But with
# `promote` sums are kept short: one product for each so many of K, added to a running sum in float32. In a moment we
# see what for.
#
# <details><summary>Hint</summary>
#
# `dequantise(q, s, wide)` knows both kinds of scales. The running sum has the wide type to the end; only the result is
# cast to `out_dtype`. `range(0, K, promote)` and slices take care of a short last part.
#
# </details>

# %% exercise="fp8.matmul" points=2 minutes=15 difficulty=1
from minids.kernels.gemm import matmul_reference

# %% [markdown]
# ### Sums that stop growing
#
# There is a second rounding, and it hides inside the machine. The tensor cores of DeepSeek's H800 add FP8 products in
# an accumulator that keeps about 14 bits (§3.3.2 and §3.5.2). A sum of thousands of terms is soon so large that a
# single product falls below its last bit and is cut off. We have no such machine here, but a model of it:
# `gemm.accumulate_reference` does what others have worked out by experiment, step by step (MMA-Sim, arXiv 2511.10909):
# 32 products at a time, moved to the largest exponent, cut, added, cut. Number of bits and length of the sum are yours:

# %%
draws = {"all positive": torch.rand, "both signs": torch.randn}
operands = {}
for kind, draw in draws.items():
    pair = (draw(16, 4096, generator=generator) for _ in range(2))
    operands[kind] = [(448 * z / z.abs().max()).to(torch.float8_e4m3fn) for z in pair]
lengths = [128, 256, 512, 1024, 2048, 4096]


def by_length(ax, bits):
    for i, (kind, (a, b)) in enumerate(operands.items()):
        for promote, line in ((None, "-"), (128, "--")):
            errors = []
            for K in lengths:
                want = a[:, :K].double() @ b[:, :K].double().T
                got = gemm.accumulate_reference(a[:, :K], b[:, :K], int(bits), promote)
                errors.append(100 * off(got.double(), want))
            ax.plot(lengths, errors, line, color=f"C{i}", marker="o", markersize=3, label=kind if line == "-" else None)
    ax.set(xscale="log", yscale="log", xlabel="length of the sum, K", ylabel="error (%)", ylim=(1e-6, 100))
    ax.set_xticks([128, 512, 2048], ["128", "512", "2048"])
    ax.minorticks_off()
    ax.legend(fontsize=8)


play(
    by_length, bits=(8, 24, 1), shown=[(14,), (22,)],
    alt="Error of a product against K for accumulators of 14 and 22 bits, log-log. Without promotion (solid) it grows, "
        "to about 7 percent for positive numbers with 14 bits; promoted each 128 (dashed) it stays level.",
)

# %% [markdown]
# Solid: one long sum. With 14 bits and positive numbers the error grows in proportion to the length, since what is cut
# off is always cut in the same direction. At K = 4096 it is several percent, more than the rounding of the operands has
# done. (V3 reports nearly 2 % as the largest relative error in a test with K = 4096, §3.3.2; how much it is depends on
# the numbers. With both signs the errors partly cancel, and so do the sums.) Dashed: *promotion*, after each 128 the
# partial sum is added to one in float32 in ordinary registers and begun anew. The error no longer depends on the
# length. And since the scales have to be multiplied in after each 128 in any case, the two belong together.
#
# Move the slider to 22: an accumulator with eight bits more would make all this unnecessary. V3 asks the makers of
# hardware for that (§3.5.2).

# %% [markdown]
# ## 6. Backwards
#
# A linear layer $y = x w^\top$ has two more products in its backward pass, and each sums along another axis:
#
# | product | sums along | blocks of the left operand | of the right operand |
# |---|---|---|---|
# | $y = Q(x)\,Q(w)^\top$ | K, inputs | x: 1 × 128 | w: 128 × 128 |
# | $dx = Q(dy)\,Q(w)$ | N, outputs | dy: 1 × 128 | w: 128 × 128, the same ones |
# | $dw = Q'(dy)^\top Q'(x)$ | M, tokens | dy: 128 × 1 | x: 128 × 1 |
#
# Squares of 128 × 128 are the same squares when the weight is turned around. That is what they are for. Blocks of
# 1 × 128 are not: a sum over tokens needs blocks along the tokens. So `x`, of which only the FP8 copy was kept from the
# forward (a byte a number instead of two), is dequantised, turned, and quantised once more.
#
# ### Exercise: the backward pass of the FP8 layer
#
# *Difficulty 3 · 3 points · 25 minutes*
#
# <details><summary>Hint 1</summary>
#
# `gemm.matmul(a, a_scales, b, b_scales, …)` is $a\,b^\top$. For dx the second operand is therefore $w^\top$ [K, N]: the
# turned bytes with the *turned* scales, both `.t().contiguous()`.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# `quantise.quantise_t(z)` takes z [M, N] and returns it turned, [N, M], in blocks along M. That is just what both sides
# of dw want.
#
# </details>
#
# <details><summary>Hint 3</summary>
#
# Types: dx in that of dy. dw is computed in float32 and returned in that of w, whose master is float32.
#
# </details>

# %% exercise="fp8.backward" points=3 minutes=25 difficulty=3
from minids.model.fp8 import backward_products

# %% [markdown]
# ### What turning costs
#
# Rounded, turned, and rounded again with other scales: is that twice the error? Take the output of attention, which is
# the input of the layer `o_proj`, and four ways to get it into blocks along the tokens.

# %%
x = layers["layers.0.self_attn.o_proj.weight"].x


def turned(x, scales="fp32"):
    return quantise.dequantise(*quantise.quantise_t(x, scales)).t()


def twice(x, scales):
    return turned(quantise.dequantise(*quantise.quantise(x, scales)), scales)


def by_e5m6(x):
    """Kept in 12 bits with a power of two for each row, then turned."""
    s = quantise.scale_of(x.abs().amax(1, keepdim=True), "ue8m0") * 2.0**-7  # 448 becomes 57,344, within E5M6
    return turned(floats.round_to(x / s, *floats.FORMATS["e5m6"]) * s)


bars = {"from x itself": off(turned(x), x), "from FP8,\nfp32 scales": off(twice(x, "fp32"), x),
        "from FP8, powers\nof two": off(twice(x, "ue8m0"), x), "from E5M6": off(by_e5m6(x), x)}
fig, ax = plt.subplots(figsize=(6.4, 2.6))
ax.bar(bars.keys(), [100 * v for v in bars.values()], width=0.55)
ax.set(ylabel="error of the turned x (%)")
ax.grid(axis="x", visible=False)
show(fig, "Error of x in blocks along the tokens, made in four ways: from x itself lowest, from an FP8 copy with fp32 "
          "scales far above, with powers of two little above the lowest, from E5M6 as low as from x.")
once, again = (off(f(x), x) for f in (lambda x: quantise.dequantise(*quantise.quantise(x, "ue8m0")),
                                      lambda x: twice(x, "ue8m0")))
print(f"powers of two: {100 * once:.2f} % after the first rounding, {100 * again:.2f} % after the second")

# %% [markdown]
# With ordinary scales the second rounding adds its own error to the first. With powers of two it adds next to nothing:
# going from one scale to another only moves the exponents, and a number with three bits of mantissa still has three.
# (Unless it becomes subnormal on the way. And the first rounding is a little coarser, since a block whose scale was
# rounded up does not use the top of the range.) V3 does so for the output of attention, which it also keeps in E5M6,
# since attention's backward pass needs it too and is sensitive, and for what is sent to the experts (§3.3.3).
# `minids.model.fp8` leaves both out.
#
# ### The error budget of a layer
#
# Where do the errors of one layer come from? Each bar has *one* of the roundings, all else in full precision; the last
# of each group has all of them.


# %%
def blocks(x):
    return quantise.dequantise(*quantise.quantise(x))


x, w, dy = layer.x, layer.w, layer.dy
w8 = quantise.dequantise(*quantise.quantise_weight(w))
both = fp8.backward_products(dy, *quantise.quantise(x), w, "torch")
(q_x, s_x), (q_w, s_w) = quantise.quantise(x[:256]), quantise.quantise(w)  # 96 columns, so one scale a row
cut, exact = gemm.accumulate_reference(q_x, q_w) * s_x * s_w.T, gemm.matmul_reference(q_x, s_x, q_w, s_w)

# %%
shares = {
    "y = x wᵀ": {"x": off(blocks(x) @ w.T, x @ w.T), "w": off(x @ w8.T, x @ w.T), "14 bits": off(cut, exact),
                 "BF16 result": off((x @ w.T).bfloat16().float(), x @ w.T),
                 "all": off(fp8.forward_product(x, w, "torch")[0].bfloat16().float(), x @ w.T)},
    "dx = dy w": {"dy": off(blocks(dy) @ w, dy @ w), "w": off(dy @ w8, dy @ w), "all": off(both[0], dy @ w)},
    "dw = dyᵀ x": {"dy": off(turned(dy).T @ x, dy.T @ x), "x, once": off(dy.T @ turned(x), dy.T @ x),
                   "x, twice": off(dy.T @ twice(x, "fp32"), dy.T @ x), "all": off(both[1], dy.T @ x)},
}

# %%
fig, axes = plt.subplots(1, 3, figsize=(7, 2.6), sharey=True, width_ratios=[5, 3, 4])
for ax, (name, values) in zip(axes, shares.items()):
    colours = ["C1" if key == "all" else "C0" for key in values]
    ax.bar(values.keys(), [100 * v for v in values.values()], color=colours)
    for i, v in enumerate(values.values()):
        ax.text(i, 100 * v + 0.08, f"{100 * v:.2f}", ha="center", fontsize=8)
    ax.set(title=name)
    ax.tick_params(axis="x", labelrotation=40, labelsize=8)
    ax.grid(axis="x", visible=False)
axes[0].set(ylabel="error of the product (%)")
show(fig, "Bars of the error that each rounding brings into the three products of a layer. The casts of the operands "
          "bring two to three percent each; 14 bits and the BF16 result are hardly visible beside them.")

# %% [markdown]
# The casts are nearly everything. They add up like the sides of a right-angled triangle, as independent errors do:
# $\sqrt{2.4^2 + 2.4^2} \approx 3.4$. Against them a result in BF16 is nothing, and an accumulator of 14 bits is nothing
# either *in a sum of 96*, as here; section 5 has shown what it is in a long one. The largest item of all is the x that
# is rounded twice, which powers of two would spare. Whoever wants to go below that has to spend bits on the operands.
#
# Through all layers and back the errors pile up. Is that much? There is a natural measure: the gradient of a mini-batch
# is itself a noisy estimate, and another mini-batch gives another one.


# %%
def gradient(rows, precision="fp32"):
    """The gradient of all matrices on these documents, as one vector."""
    base.zero_grad()
    if precision == "fp8":
        fp8.convert(base)
    with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16"):
        batch = texts.batch(rows, 0.15)
        (loss.lm_loss(base, batch)[0] / batch.weight_BT.sum()).backward()
    fp8.restore(base)
    return torch.cat([p.grad.flatten() for p in base.parameters() if p.grad is not None and p.ndim > 1])


some, others = range(24, 40), range(40, 56)
exact = gradient(some)
found = {"BF16": gradient(some, "bf16"), "FP8": gradient(some, "fp8"), "another batch": gradient(others)}
for name, g in found.items():
    print(f"{name:14} differs by {100 * off(g, exact):6.1f} %    cosine {F.cosine_similarity(g, exact, 0):.3f}")

# %% [markdown]
# FP8 turns the gradient by some ten degrees, about ten times as far as BF16 does. That of sixteen other documents
# points somewhere else altogether: the model is trained, and what is left to learn differs from text to text. In this
# light it is less surprising that one can train like this. Stochastic gradient descent lives with far more noise than
# that, as long as the noise has no direction of its own. (Rounding halves to even, and cutting no sums, is about that.)

# %% [markdown]
# ## 7. Training
#
# Small models of two layers, trained with `TrainConfig(precision=…)`: everything the same but that. "FP8" means what
# V3 means by it: linear layers multiply in FP8, all else runs in BF16, and the weights that the optimizer moves, the
# *masters*, are float32. To see what the masters are for, two more runs round the weights themselves after every step,
# to BF16, and to E4M3 in blocks with powers of two for scales. Three seeds each, that is, other weights at the start
# and the texts in another order.

# %%
parts = list(documents.pretraining_parts(("add", "chain", "word"), 3200, mix=mix, fact_share=0.1, seed=6))
tokenizer = Tokenizer.train(documents.pretraining_texts(parts), 448, digits="single")
corpus, unseen = (documents.pretraining_documents(tokenizer, p, quiet=True) for p in (parts[:3000], parts[3000:]))
SIZES = dict(
    vocab_size=448, hidden_size=128, intermediate_size=256, num_hidden_layers=2, first_k_dense_replace=2,
    num_attention_heads=4, kv_lora_rank=32, q_lora_rank=None, qk_rope_head_dim=16, qk_nope_head_dim=16, v_head_dim=32,
    max_position_embeddings=256, initializer_range=0.06, rope_theta=1000.0,
)
STEPS = budget(70)  # fewer where a test or a grader runs this notebook


@torch.no_grad()
def mean_loss(model, held, count=200):
    """Mean loss in float32, in nats a token, on documents that the model was not trained on."""
    total = weight = 0.0
    for begin in range(0, count, 50):
        batch = held.batch(range(begin, min(begin + 50, count)), 0.15)
        total += float(loss.lm_loss(model, batch)[0])
        weight += float(batch.weight_BT.sum())
    return total / weight


# %%
def to_blocks(w):
    return quantise.dequantise(*quantise.quantise_weight(w, "ue8m0"))


def train(precision, seed, master=None):
    """A run; `master` rounds the weights after each step. -> its losses, its share of weights that moved, its end."""
    torch.manual_seed(seed)
    model, run = Transformer(ModelConfig(**SIZES)), SimpleNamespace(losses=[], moved=[])
    matrices = [p for p in model.parameters() if p.ndim > 1]

    @torch.no_grad()
    def note(step, values):
        before = run.before if step > 1 else [torch.zeros_like(p) for p in matrices]
        for p in matrices if master else ():
            p.copy_(master(p))
        run.moved.append(sum((p != b).sum().item() for p, b in zip(matrices, before)))
        run.before = [p.clone() for p in matrices]
        run.losses.append(values["loss"])

    how = loop.TrainConfig(STEPS, lr=2e-3, warmup=10, precision=precision, optimizer="adamw", seed=seed)
    loop.train(model, documents.Source(corpus, 256, seed=seed), how, quiet=True, on_step=note)
    run.moved = torch.tensor(run.moved[1:]) / sum(p.numel() for p in matrices)
    run.loss = mean_loss(model, unseen)
    return run


# %%
kinds = {
    "BF16": ("bf16", None), "FP8": ("fp8", None), "BF16, weights too": ("bf16", lambda w: w.bfloat16().float()),
    "FP8, weights too": ("fp8", to_blocks),
}
runs = {}
for name in ("BF16", "FP8"):
    runs[name] = [train(kinds[name][0], seed) for seed in range(3)]
    print(f"{name:18} loss on unseen texts  ", "  ".join(f"{run.loss:.3f}" for run in runs[name]))

# %%
for name in ("BF16, weights too", "FP8, weights too"):
    runs[name] = [train(kinds[name][0], seed, kinds[name][1]) for seed in range(3)]
    print(f"{name:18} loss on unseen texts  ", "  ".join(f"{run.loss:.3f}" for run in runs[name]))

# %%
fig, (left, right) = plt.subplots(1, 2, figsize=(7, 2.9))
window = min(10, STEPS)
for i, (name, three) in enumerate(runs.items()):
    for run in three:
        curve = torch.tensor(run.losses).unfold(0, window, 1).mean(-1)
        left.plot(torch.arange(len(curve)) + window, curve, color=f"C{i}", linewidth=1, linestyle=["-", "--"][i % 2])
        gap = run.loss - runs["BF16"][three.index(run)].loss
        right.plot(i, gap, "o", color=f"C{i}", alpha=0.7)
    left.plot([], [], color=f"C{i}", linestyle=["-", "--"][i % 2], label=name)
left.set(xlabel="step", ylabel=f"training loss, mean of {window}")
left.legend(fontsize=7)
right.axhline(0, color="grey", linewidth=1)
right.set(xticks=range(4), xticklabels=["BF16", "FP8", "BF16,\nweights too", "FP8,\nweights too"],
          ylabel="loss on unseen texts, less\nthat of BF16 with the same seed")
right.tick_params(axis="x", labelsize=8)
show(fig, "Left: training curves of twelve runs; BF16 and FP8 lie on each other, FP8 with rounded weights stays far "
          "above. Right: differences to BF16 by seed: FP8 around zero, rounded weights above it.")

# %%
def spread(values):
    return max(values) - min(values)


ends = {name: [run.loss for run in three] for name, three in runs.items()}
print(f"seeds of BF16 differ by {100 * spread(ends['BF16']) / ends['BF16'][0]:.2f} %")
for name in list(runs)[1:]:
    gaps = [100 * (a / b - 1) for a, b in zip(ends[name], ends["BF16"])]
    print(f"{name:18} against BF16, seed by seed:", "  ".join(f"{gap:+6.2f} %" for gap in gaps))

# %% [markdown]
# FP8 with float32 masters ends where BF16 ends: the differences have no common sign, or are of the size of what two
# seeds of BF16 differ by. That is all that three runs of seventy steps can say. It is *not* V3's finding, which is
# that the loss stays within 0.25 % of BF16's over a trillion tokens at 16 and 230 billion parameters (§3.3 and appendix
# B.1): our seeds differ by more than 0.25 %. A longer comparison comes with the library
# (`minids dev fp8-gap`), and has an error bar too.
#
# The weights are another matter. Rounded to E4M3 after each step, the model ends far behind, and even BF16 weights cost
# something with each of our seeds, a few tenths of a percent. The reason is not the error of a product:

# %%
fig, ax = plt.subplots(figsize=(6, 2.7))
for i, (name, three) in enumerate(runs.items()):
    moved = torch.stack([run.moved for run in three]).mean(0)
    ax.plot(range(2, len(moved) + 2), 100 * moved, color=f"C{i}", linestyle=["-", "--"][i % 2], label=name)
ax.set(xlabel="step", ylabel="weights that moved (%)", ylim=(0, 103))
ax.legend(fontsize=8)
show(fig, "The share of weights that a step changes. With float32 masters nearly all move in each step; in BF16 fewer "
          "and fewer as the learning rate falls; in E4M3 only a small part, and none at the end.")

# %% [markdown]
# A step of the optimizer moves a weight by about the learning rate, here at most 0.002. A weight of typical size has
# its E4M3 neighbours at two to four times that distance. What moves a number by less than half of the way to its
# neighbour does not move it at all: next time it starts from the same place. In a *product* rounding is noise that
# averages out. In a *sum over time* it is a wall. So masters, gradients that are accumulated, and moments stay in wide
# types (V3, §3.3.1; it keeps AdamW's moments in BF16 and the others in FP32, §3.3.3). The 8 % that move with no one are
# embeddings of tokens that have not turned up.
#
# ### What else stays out of FP8, and does it matter here?
#
# V3 leaves the embedding, the output head, the router, the norms and attention itself in BF16 or FP32 (§3.3.1). For
# the trained model of section 2 we can ask what each part would cost: forward in FP8 in that part alone, and the loss
# on texts that it has not been shown here.


# %%
class FP8Gate(moe.Gate):
    def forward(self, x_ND):
        c, scores = self.config, fp8.linear(x_ND, self.weight).sigmoid()
        return scores, *moe.route(scores, self.e_score_correction_bias, c.n_group, c.topk_group, c.num_experts_per_tok,
                                  c.norm_topk_prob, c.routed_scaling_factor)


def part_of(name, module):
    if type(module) is linear.Linear:
        return "head" if name == "lm_head" else "attention" if "attn" in name else "feed-forward"
    return {moe.Experts: "feed-forward", moe.Gate: "router"}.get(type(module))


AS_FP8 = {linear.Linear: fp8.Linear, moe.Experts: fp8.Experts, moe.Gate: FP8Gate}
plain, costs = mean_loss(base, texts, 140), {}
for part in ("attention", "feed-forward", "router", "head"):
    chosen = [(m, type(m)) for name, m in base.named_modules() if part_of(name, m) == part]
    for module, kind in chosen:
        module.__class__ = AS_FP8[kind]
    costs[part] = mean_loss(base, texts, 140) - plain
    for module, kind in chosen:
        module.__class__ = kind
print(f"loss {plain:.3f}; in FP8:", ", ".join(f"{part} {cost:+.4f}" for part, cost in costs.items()))

# %% [markdown]
# Nothing. No part costs as much as a thousandth of a nat, the head and the router included. At this size the list of
# exceptions can not be justified by the loss, and we should not pretend that it can. What one can see is what a loss of
# 0.3 nats hides. The router does not compute something smooth, it *chooses*:

# %%
inputs = []
hooks = [m.gate.register_forward_hook(lambda gate, given, out: inputs.append((gate, given[0])))
         for m in moe.moe_layers(base)]
mean_loss(base, texts, 50)
for hook in hooks:
    hook.remove()


def chosen(gate, scores):
    return moe.route(scores, gate.e_score_correction_bias, 1, 1, 2, True, 1.0)[0].sort(-1).values


share = {"BF16": [], "FP8": []}
with torch.no_grad():
    for gate, x in inputs:
        right = chosen(gate, F.linear(x, gate.weight).sigmoid())
        half = F.linear(x.bfloat16(), gate.weight.bfloat16()).float()
        for name, logits in (("BF16", half), ("FP8", fp8.linear(x, gate.weight))):
            changed = (chosen(gate, logits.sigmoid()) != right).any(-1)
            share[name].append(100 * changed.double().mean().item())
for name, values in share.items():
    print(f"router in {name}: other experts for", ", ".join(f"{v:.1f} %" for v in values), "of the tokens, by layer")

# %% [markdown]
# One token in twenty-five or so goes to another expert than it should, where BF16 errs on fewer than one in a hundred.
# The loss shrugs, because a choice that a rounding can flip was between two experts of nearly equal score. With 256
# experts there are more such pairs, and a router's product is a tiny part of a model's work, one row for each expert:
# keeping it in high precision costs nothing. That is the honest reason for most of the list. What is cheap to keep
# exact is kept exact, and nobody has to find out whether it was necessary.
#
# ## 8. Where it pays, and where it does not
#
# Here it does not. The same training step, on the machine that made this notebook:


# %% clock
def step_time(precision, steps=8):
    torch.manual_seed(0)
    model, times = Transformer(ModelConfig(**SIZES)), [time.process_time()]
    loop.train(model, documents.Source(corpus, 256, seed=0), loop.TrainConfig(steps, lr=1e-3, precision=precision),
               quiet=True, on_step=lambda step, values: times.append(time.process_time()))
    return 1000 * min(b - a for a, b in zip(times, times[1:]))


for precision in ("fp32", "bf16", "fp8"):
    print(f"{precision}: {step_time(precision):5.1f} CPU-ms a step")

# %% [markdown]
# Emulated FP8 takes two to four times as long as full precision, and it has to be slower: a processor has no unit that
# multiplies bytes of this kind, so every cast is extra work and the product is the old one.
#
# On a GPU the product itself takes half as long: an H100's data sheet has 1,979 TFLOP/s in FP8 against 989 in BF16. But
# the casts cost there too. For M tokens and a layer of width H forwards and backwards, three products are $6MH^2$
# operations. To quantise, x is read and written (2 bytes and 1 a number), for dy this happens twice, the kept x is
# turned, and the weight is done in both directions: about $11MH + 6H^2$ bytes through a memory of 3.35 TB/s. What is
# left of the factor 2?

# %%
width, M = 2.0 ** torch.arange(6.5, 14.25, 0.25), 8192
products = {kind: 6 * M * width**2 / speed for kind, speed in (("bf16", 989e12), ("fp8", 1979e12))}
casts = (11 * M * width + 6 * width**2) / 3.35e12
fig, ax = plt.subplots(figsize=(6, 2.8))
ax.plot(width, products["bf16"] / (products["fp8"] + casts), label="casts at the speed of memory")
ax.plot(width, products["bf16"] / products["fp8"], linestyle="--", label="casts for nothing")
ax.axhline(1, color="grey", linewidth=1)
for name, h in (("ours", 128), ("V3", 7168)):
    ax.axvline(h, color="grey", linestyle=":", linewidth=1)
    ax.text(h * 1.05, 0.1, name, fontsize=8, color="grey")
ax.set(xscale="log", xlabel="width of the layer, H", ylabel="FP8's speed over BF16's,\ncalculated", ylim=(0, 2.2))
ax.legend(fontsize=8)
show(fig, "Calculated speed of FP8 over BF16 against the width of a layer: below one up to a width of about 1,000, "
          "rising to 1.6 at V3's 7,168, and never reaching the dashed line at 2.")

# %% [markdown]
# This is arithmetic on data sheets, with every unit at its peak and nothing measured. It leaves out what a kernel
# fuses, what a launch costs, and everything in a model that is not a linear layer. But it has the shape that is found:
# below a width of about a thousand there is nothing to gain, at V3's sizes a good half. Around it stands the rest of a
# training step, which gains nothing at all. What the library's own kernels reach is recorded by
# `minids bench kernels` where there is a GPU; chapter 07 is about how they are written.
#
# Memory is the quieter gain. Activations that are kept for the backward pass take a byte instead of two, and so does
# what travels between machines to the experts.

# %% [markdown]
# ## What you now own
#
# - `round_to`: any small floating-point format, ties, subnormals and all;
# - `scale_of` and `quantise_reference`: blocks that fit, also at the edge and also of zeros;
# - `dequantise`, repaired, and a habit: test where 128 does not divide;
# - `matmul_reference`: what an FP8 product has to be compared with, and why its sums are short;
# - `backward_products`: the layer that trains in FP8. If it is yours, `TrainConfig(precision="fp8")` runs on it;
# - measurements of your own: the budget of a layer, FP8's noise against that of a mini-batch, and what happens to
#   weights that are rounded after every step.
#
# ## Three questions
#
# **1.** Divide the loss by the four million tokens of a large batch before the backward pass, and not after it. Why may
# that hurt an FP8 run, and a BF16 run not?
#
# <details><summary>Answer</summary>
#
# Gradients become millions of times smaller. BF16 has float32's range and does not care. Blocks are scaled by their
# largest element and would not care either, were it not for the floor: an amax below 1e-4 counts as 1e-4, so that
# blocks of much smaller gradients are not lifted to where E4M3 has values, and vanish. `minids` sums first and divides
# the gradients by the number of tokens at the end of a step.
#
# </details>
#
# **2.** Somebody quantises dy in squares of 128 × 128, as the weights are: one quantisation would then do for dx *and*
# dw, and nothing needs to be turned. What speaks against it?
#
# <details><summary>Answer</summary>
#
# 128 tokens share a scale, and gradients of tokens differ by powers of ten (section 2): those of quiet tokens are
# pushed to where E4M3 has few bits, or none. V3's authors tried it: a 16B model trained with block-wise gradients
# diverged (appendix B.2).
#
# </details>
#
# **3.** To save most of the 3 % that scales cost, somebody stores those of 1 × 128 blocks as E4M3 instead of float32.
# Name two things that go wrong.
#
# <details><summary>Answer</summary>
#
# Range: scales are amax / 448. A block whose largest element is under 0.4 has a scale below half of E4M3's smallest
# value, which becomes zero, and others become subnormal; gradients have no chance. Precision: if the elements were
# divided by the exact scale and are multiplied by a rounded one, a whole block is off in the same direction, by up to
# 6 %, and that does not average out. The scale has to be rounded first, upwards, and then divided by, as with UE8M0.
#
# </details>
#
# ## Sources
#
# - DeepSeek-V3, arXiv 2412.19437: §3.3.1 what is computed in which type, §3.3.2 fine-grained scales, accumulation,
#   E4M3 throughout, §3.3.3 moments, activations, E5M6, §3.5.2 wishes to hardware, appendix B comparisons with BF16.
# - FP8 Formats for Deep Learning: Micikevicius et al. 2022, arXiv 2209.05433. Massive activations: Sun et al. 2024,
#   arXiv 2402.17762.
# - How tensor cores add: MMA-Sim, arXiv 2511.10909.
# - deepseek-ai/DeepSeek-V3, `inference/kernel.py` and pull requests 964, 968; transformers 5.23,
#   `integrations/finegrained_fp8.py`, and the comment of 2025-04-25 on its pull request 36026 about 576 rows.
