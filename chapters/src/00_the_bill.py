# %% [markdown]
# # 00 The bill
#
# **Question.** In January 2025 the press said that a model as good as the best had been trained for 5.6 million
# dollars; one text said 5.6 billion. Nvidia lost half a trillion dollars of value in a day. Which of those numbers can
# be checked with a page of arithmetic, which with a paper, and which not at all?
#
# **What it costs.** About 10 CPU-seconds and half a GiB, no network. An hour and a quarter of yours: 6 exercises,
# 8 points.
#
# **What it needs.** Python and multiplication. What attention and experts *are* comes in chapters 02 to 04; here they
# are only counted.
#
# At the end you have written the cost model behind `minids cost`, and sorted thirty claims of that month into
# right, wrong, true with conditions, and not checkable.

# %%
from datetime import date

import matplotlib.pyplot as plt
import torch
from torch.utils.flop_counter import FlopCounterMode

from minids.course import check, play, show, start, tiny_models
from minids.model.config import ModelConfig
from minids.tasks import arithmetic
from minids.model import accounting

start(0)

# %% [markdown]
# ## 1. First, the machine at the end of the course
#
# Before we ask what a reasoning model costs, let us look at one. The repository carries a very small model at three
# stages of its life: after pretraining (`base`), after the cold start with supervised examples (`sft`), and after
# reinforcement learning (`grpo`). It is the architecture of DeepSeek-V3 with fewer than a million parameters, it has
# read nothing but sums, and `minids run tiny` makes it on a laptop's processor in minutes. In chapters 08 and 10 to
# 13 you make your own.

# %%
opened = {stage: tiny_models.model(stage) for stage in tiny_models.STAGES}
story = "Ana has 14 pens. She buys 9 more and gives 5 away. How many pens does she have now?"
for question in ("347+5896", "What is 58-19+77?", story):
    print(question)
    for stage in ("sft", "grpo"):
        reply, tokens = tiny_models.ask(stage, question, opened=opened[stage])
        print(f"   {stage:<5} thinks {reply.thought!r}\n         says   {reply.answer}   ({tokens} tokens)")

# %% [markdown]
# Same architecture, same questions. Read the thoughts. The one before reinforcement learning tends to write the whole
# sum down at once and guess; the one after works digit by digit, carries included, as one does on paper, and pays for
# it in tokens. The careful way was in the data that both have read. What reinforcement learning changed is which way
# the model chooses. That is R1-Zero's observation (R1 paper, section 2.2.4: thinking time grows because it is
# rewarded) at a size where one can watch it.
#
# Three answers prove nothing. Sixty problems of each kind that no stage was trained on, one answer each:

# %%
problems = arithmetic.problem_set(arithmetic.FAMILIES, "test", 60, seed=0)
scores = {
    (stage, family): tiny_models.accuracy(stage, [p for p in problems if p.family == family], opened=opened[stage])
    for stage in tiny_models.STAGES
    for family in arithmetic.FAMILIES
}
fig, axes = plt.subplots(1, 2, figsize=(8, 2.8))
for i, stage in enumerate(tiny_models.STAGES):
    x = [n + 0.27 * (i - 1) for n in range(3)]
    axes[0].bar(x, [100 * scores[stage, f][0] for f in arithmetic.FAMILIES], 0.25, label=stage)
    axes[1].bar(x, [scores[stage, f][1] for f in arithmetic.FAMILIES], 0.25, label=stage)
for ax, label in zip(axes, ("solved, greedily (%)", "tokens an answer")):
    ax.set_xticks(range(3), ["two numbers", "chains", "stories"])
    ax.set_ylabel(label)
axes[1].legend(ncol=3, loc="upper left")
axes[1].set_ylim(0, 100)
show(fig, "Two bar charts over three kinds of problems. Left: the share solved is low after the cold start and high "
     "after reinforcement learning. Right: the answers after reinforcement learning are longer.")

# %% [markdown]
# An honest look at the first bar: the base model, continued in the style of its own documents and always given the
# likeliest next token, is about as good as the one after reinforcement learning. It has mostly read careful documents.
# The cold start teaches the chat template on examples of which half are hasty, and the model becomes hasty. So at this
# size reinforcement learning is not where arithmetic comes from; it brings out what pretraining put in. Whether that is
# also so for large models is a question of chapter 12. Here it fixes what a bill has to contain: **pretraining is
# the expensive part, and without it there is nothing to reinforce.**
#
# ## 2. The claims
#
# Five texts of those weeks, named A (podcast notes), B (The Verge's *Decoder*, 30 January) and C, D, E, said between
# them:
#
# - R1 was trained for less than \$6 million (A, B), or \$5.5 million over two months on about 2,000 H800s (E); "one
#   recent model" cost \$5.6 million (C); and, in the same text, R1 "\$5.6B, 95 % less than what OpenAI charges" (C).
# - GPT-4 cost as much as \$100 million (B); others cost more than that (C), or hundreds of millions (A).
# - V3, "the reasoning model", came on Christmas Day (C), or on 24 January 2025 (D).
# - Such a model takes "typically" 16,000 GPUs (D), and cheaper chips made no difference (D).
# - Nvidia lost nearly \$600 billion, 17 %, in a day (B); about one Stargate (C), which is \$500 billion (B).
# - By Jevons' paradox, cheap models may raise the demand for compute (A).
#
# One chain of arithmetic decides most of them:
#
# $$\text{tokens} \;\to\; \text{FLOPs} \;\to\; \text{GPU hours} \;\to\; \text{dollars}$$
#
# Each arrow is a function of `minids.model.accounting`, and each is yours to write.
#
# ## 3. How large is the model?
#
# DeepSeek-V3 has "671B total parameters with 37B activated for each token" (V3 report, abstract). The config of
# `minids` has V3's sizes as its defaults, so we can count them.

# %%
v3 = ModelConfig()
parts = accounting.parameters(v3)
for part, size in parts.items():
    print(f"{part:<20} {size:>16,}   {100 * size / parts['total']:5.1f} %")
print(f"each of the {v3.num_hidden_layers - v3.first_k_dense_replace} MoE layers has {v3.n_routed_experts} experts, "
      f"a token is sent to {v3.num_experts_per_tok} of them")

# %% [markdown]
# Almost everything is routed experts, and a token passes most of them by. That is the whole trick of a mixture of
# experts (chapter 04): the memory of a large model at the arithmetic of a small one.
#
# ### Exercise: the parameters that one token meets
# *Difficulty 1 · 1 point · 10 minutes*
#
# <details><summary>Hint 1</summary>
#
# Every part but one is met whole. Which one is not, and which share of it is?
# </details>
# <details><summary>Hint 2</summary>
#
# Take the routed experts off the total, and add `num_experts_per_tok / n_routed_experts` of them back. Keep to
# integers: multiply first, then divide with `//`. A dense model may have no experts to divide by: `max(1, ...)`.
# </details>

# %% exercise="bill.active" points=1 minutes=10 difficulty=1
from minids.model.accounting import active

# %%
# NBVAL_CHECK_OUTPUT
for name, config in (("DeepSeek-V3", v3), ("our tiny model", opened["grpo"][0].config)):
    total, met = accounting.parameters(config)["total"], accounting.active(config)
    print(f"{name:<15} {total:>15,} parameters, {met:>14,} active ({100 * met // total} %), "
          f"{accounting.multiplied(config):>14,} multiplied")

# %%
stored = parts["routed experts"]
chosen = stored * v3.num_experts_per_tok // v3.n_routed_experts
names = ("attention", "embedding", "head", "shared experts", "dense feed-forward", "routed experts")
fig, ax = plt.subplots(figsize=(7.5, 2))
for y, experts, total in ((1, stored, parts["total"]), (0, chosen, accounting.active(v3))):
    left = 0
    for i, part in enumerate(names):
        size = (experts if part == "routed experts" else parts[part]) / 1e9
        ax.barh(y, size, left=left, color=f"C{i}", label=part if y else None)
        left += size
    ax.text(left + 5, y, f"{total / 1e9:.1f} billion", va="center")
ax.set_yticks([0, 1], ["met by a token", "stored"])
ax.set_xlabel("parameters (billions)")
ax.set_xlim(0, 790)
ax.legend(fontsize=8, ncol=3, loc="lower right")
show(fig, "Two horizontal bars. All stored parameters of DeepSeek-V3, 671 billion, are nearly all routed experts; the "
     "38 billion that a token meets are a short bar in which attention and other parts can be seen.")

# %% [markdown]
# Our tiny model has the same plan and gains little from it: at 8 experts of which 2 are chosen, most of its parameters
# are active anyway. Sparsity pays when experts are most of the model.
#
# The last column, *multiplied* ($N$), is what arithmetic is counted with: the embedding is looked up, not multiplied.
#
# ## 4. Tokens to FLOPs
#
# What does one weight cost, for one token? Ask PyTorch, which can count the floating-point operations of matrix
# products while it does them. 32 tokens go through one matrix of 64 × 48, forward, then backward.

# %%
# NBVAL_CHECK_OUTPUT
x, w = torch.randn(32, 64, requires_grad=True), torch.randn(64, 48, requires_grad=True)
with FlopCounterMode(display=False) as forward:
    y = x @ w
with FlopCounterMode(display=False) as backward:
    y.sum().backward()
for name, counter in (("forward", forward), ("backward", backward)):
    print(f"{name:<9} {counter.get_total_flops():>7,} FLOPs = {counter.get_total_flops() // (32 * 64 * 48)} "
          "for each weight and token")

# %% [markdown]
# Two forward (multiply, add), four backward: the gradient of $y = xW$ needs one product for $x$ and one for $W$. So six
# FLOPs for each weight and token, the rule of thumb **6 N**.
#
# The rule forgets one thing. In attention a query is multiplied with keys, and attention weights with values: in these
# products *neither* factor is a weight of the model. Their number depends on how much text a token looks back at.
#
# ### Exercise: what attention costs a token
# *Difficulty 2 · 2 points · 15 minutes*
#
# <details><summary>Hint 1</summary>
#
# Take one layer, one head, one token that looks at one position. It computes a score (a dot product of how many
# numbers?) and adds a weighted value (of how many numbers?) to a sum.
# </details>
# <details><summary>Hint 2</summary>
#
# The first token of the text looks at 1 position, the last at `length`. What is that on average?
# </details>
# <details><summary>Hint 3</summary>
#
# layers × heads × 2 (d_qk + d_v) × length / 2.
# </details>

# %% exercise="bill.attention_flops" points=2 minutes=15 difficulty=2
from minids.model.accounting import attention_flops

# %% [markdown]
# ### Exercise: the FLOPs of training
# *Difficulty 1 · 1 point · 10 minutes*
#
# <details><summary>Hint 1</summary>
#
# Write down the forward pass of one token first: what the weights cost, and what attention costs on top.
# </details>
# <details><summary>Hint 2</summary>
#
# The experiment above has the factor between forward and everything. It is the same for attention's products, because
# a product of two tensors needs a gradient for each of the two.
# </details>

# %% exercise="bill.training_flops" points=1 minutes=10 difficulty=1
from minids.model.accounting import training_flops

# %%
per_token = accounting.training_flops(v3, 1, 4096)
v3_flops = accounting.training_flops(v3, 14.8e12, 4096)  # 14.8T tokens in texts of 4K: V3 report, sections 4.1 and 4.2
print(f"a token: {per_token / 1e9:.0f} GFLOP, of which 6 N = {6 * accounting.multiplied(v3) / 1e9:.0f}")
print(f"14.8T tokens: {v3_flops:.2e} FLOP")

# %% [markdown]
# Where does the rule of thumb hold? Draw both terms against the length of the text, for V3 and for our tiny model.

# %%
lengths = [2**n for n in range(4, 18)]
fig, axes = plt.subplots(1, 2, figsize=(8, 2.8))
for ax, (name, config) in zip(axes, (("DeepSeek-V3", v3), ("our tiny model", opened["grpo"][0].config))):
    ax.loglog(lengths, [6 * accounting.multiplied(config)] * len(lengths), label="6 N, the weights")
    ax.loglog(lengths, [3 * accounting.attention_flops(config, n) for n in lengths], label="3 A, attention")
    ax.loglog(lengths, [accounting.training_flops(config, 1, n) for n in lengths], "k:", label="both")
    ax.set_title(name, fontsize=10)
    ax.set_xlabel("length of the text (tokens)")
axes[0].axvline(4096, color="0.7", lw=1)
axes[0].set_ylabel("FLOPs a token, training")
axes[0].legend(fontsize=8)
show(fig, "FLOPs a token against length of text. The weights' part is flat, attention's part rises in proportion; for "
     "DeepSeek-V3 it is an eighth of the whole at 4,096 tokens and overtakes the weights at about 30,000.")

# %%
for name, config, length in (("V3, pretraining", v3, 4096), ("V3, context extension", v3, 131072),
                             ("tiny, its own answers", opened["grpo"][0].config, 64)):
    share = 3 * accounting.attention_flops(config, length) / accounting.training_flops(config, 1, length)
    print(f"{name:<22} {length:>7,} tokens: attention is {100 * share:4.1f} % of the work")

# %% [markdown]
# At 4K the rule of thumb is off by an eighth; at 128K, the length of V3's last context phase (section 4.3), attention
# is most of the work. For our tiny model with its short answers, counting attention hardly pays.
#
# ## 5. FLOPs to GPU hours
#
# A data sheet says what a GPU could do: 989 TFLOP/s for dense bf16 on an H800, whose arithmetic is that of an H100. No
# program reaches it. It waits for memory, for other GPUs, for the slowest expert. The share that is reached has a name,
# *model FLOPs utilisation*.
#
# ### Exercise: the hours
# *Difficulty 1 · 1 point · 5 minutes*
#
# <details><summary>Hint 1</summary>
#
# How many FLOPs does one GPU do in a second, if it reaches this share of its peak? How many in an hour?
# </details>
# <details><summary>Hint 2</summary>
#
# A share that cannot be is a mistake of the caller, and the most likely one is 39 for 39 %. Say so (`raise
# MinidsError(...)`) instead of returning a number that somebody may believe.
# </details>

# %% exercise="bill.gpu_hours" points=1 minutes=5 difficulty=1
from minids.model.accounting import gpu_hours

# %% [markdown]
# The V3 report says how many hours pretraining took: 2,664K (Table 1). So we can turn the question round: with which
# share does our count of FLOPs give these hours? And the largest open model of the year before, Llama 3.1 405B, has
# published the same numbers: 15.6T tokens in texts of 8K (Llama 3 paper, arXiv 2407.21783, sections 2 and 3.4.1) and
# 30.84M hours of an H100 (its model card).

# %%
llama = ModelConfig(vocab_size=128256, hidden_size=16384, intermediate_size=53248, num_hidden_layers=126,
                    first_k_dense_replace=126, attention="gqa", num_key_value_heads=8, qk_nope_head_dim=64,
                    qk_rope_head_dim=64, v_head_dim=128)
runs = {
    "DeepSeek-V3": (v3_flops, accounting.V3_HOURS["pre-training"]),
    "Llama 3.1 405B": (accounting.training_flops(llama, 15.6e12, 8192), 30.84e6),
}
print(f"Llama counted: {accounting.parameters(llama)['total'] / 1e9:.0f} billion parameters, all active")
for name, (flops, hours) in runs.items():
    share = accounting.gpu_hours(flops, accounting.H800_BF16, 1.0) / hours
    print(f"{name:<15} {flops:.2e} FLOP in {hours / 1e6:5.2f}M hours: {100 * share:.0f} % of the bf16 peak")
times = [a / b for a, b in zip(runs["Llama 3.1 405B"], runs["DeepSeek-V3"])]
print(f"Llama / V3: {times[0]:.1f} times the FLOPs, {times[1]:.1f} times the hours")

# %% [markdown]
# This cell is the heart of the story. DeepSeek needed less than a tenth of Meta's hours, and nearly all of that
# factor is **fewer FLOPs**: 37 billion active parameters against 405 billion, on a similar number of tokens. The GPUs
# were not driven much faster, measured against the bf16 peak. (Nor is that nothing. V3 multiplied mostly in FP8,
# whose peak is double, section 3.3; but it had GPUs with a slower interconnect, and spread every layer's experts over
# 8 machines, section 3.2.) The saving was a choice of architecture that anybody could read about, made to work at
# scale.
#
# "About 2,000 H800s for two months" (E) can now be checked in the other direction, with the bill.
#
# ## 6. GPU hours to dollars
#
# ### Exercise: the bill
# *Difficulty 1 · 1 point · 10 minutes*
#
# The docstring lists what the bill holds. The rent is an argument, because it is an assumption.
#
# <details><summary>Hint 1</summary>
#
# A GPU hour is one GPU for one hour: the number of GPUs is in it already. It matters for the days, not for the dollars.
# </details>
# <details><summary>Hint 2</summary>
#
# `dict(hours)` makes a dict of its own. Without `gpus` there are no days: `None`, not 0.
# </details>

# %% exercise="bill.dollars" points=1 minutes=10 difficulty=1
from minids.model.accounting import bill

# %%
# NBVAL_CHECK_OUTPUT
hours = {"pre-training": 2_664_000, "context extension": 119_000, "post-training": 5_000}
final = accounting.bill(hours, 2.0, gpus=2048)
for stage, hours in final["gpu_hours"].items():
    print(f"{stage:<18} {hours:>9,} H800 hours  ${hours * 2:>9,}")
print(f"{'together':<18} {final['gpu_hours_total']:>9,} H800 hours  ${final['dollars']:>9,.0f}")
print(f"on 2,048 GPUs that never rest: {final['days']:.1f} days")

# %% [markdown]
# That is Table 1 of the V3 report, to the dollar, and its section 1: 2,048 GPUs (section 3.1), less than two months for
# pretraining, \$2 an hour *assumed* as rent. Now the same for R1, which starts from V3's base model. The hours
# were published eight months later, with the article in *Nature* (Supplementary Table 7; Table 7 of the second version
# on arXiv, 2501.12948 v2).

# %%
# NBVAL_CHECK_OUTPUT
r1 = accounting.bill({"R1-Zero": 101_000, "SFT data": 5_000, "R1": 41_000}, 2.0)
both = accounting.bill({**final["gpu_hours"], **r1["gpu_hours"]}, 2.0)
print(f"R1 on top of V3-Base: {r1['gpu_hours_total']:,} hours, ${r1['dollars']:,.0f}")
print(f"V3 and R1 together:   {both['gpu_hours_total']:,} hours, ${both['dollars']:,.0f}")
print(f"R1's share of it:     {100 * r1['dollars'] / both['dollars']:.0f} %")

wrong = 5.6e9 / 2.0  # text C: "$5.6B". How many hours would that be?
years = accounting.bill({"all": wrong}, gpus=2048)["days"] / 365.25
print(f'"$5.6B" would pay for {wrong:,.0f} hours: {years:.0f} years of 2,048 GPUs')

# %% [markdown]
# So one word, "R1", hid three numbers. \$294 thousand is what R1 cost if V3-Base is there. \$5.576 million is V3. And
# 5.87 million is the way to R1 from nothing, if nothing ever fails and nobody is paid.
#
# ### What the figure leaves out
#
# The report says it itself, in the sentence after the number (section 1): only the official training run is counted,
# not earlier research, nor ablations on architectures, algorithms or data. Also missing, because rent of GPUs is all
# that is counted: staff, data, the runs that failed, the cluster that must stand there before anybody can rent it,
# and R1 itself (V3's post-training is 5K hours, and distils from an R1 model whose hours are not listed: section
# 5.4.1).
#
# How much is that? Not published. But the report prints some of its ablations, with active parameters and tokens, so a
# lower bound can be computed: Tables 4 and 5 compare eight models trained for the purpose.

# %%
ablations = 4 * [(2.4e9, 1.33e12)] + 2 * [(20.9e9, 540e9)] + 2 * [(20.9e9, 578e9)]  # (active, tokens): Tables 4 and 5
flops = sum(6 * n * tokens for n, tokens in ablations)
print(f"the eight runs of Tables 4 and 5: {flops:.1e} FLOP, {100 * flops / v3_flops:.0f} % of V3's pretraining")

for rent in (1, 2, 4, 8):
    print(f"the final run at ${rent} an hour: ${accounting.bill(final['gpu_hours'], rent)['dollars'] / 1e6:5.1f}M")

# %% [markdown]
# Two tables of one paper add a tenth. All else is larger and unknown. The report's number is right and narrow; "R1 was
# developed for less than \$6 million" (A) is wide and wrong in one word: *developed*.
#
# For GPT-4 there is no table. The number goes back to an answer that Sam Altman gave at MIT in April 2023: asked
# whether it had cost \$100 million, he said more than that (reported by *Wired*, 17 April 2023). Nobody knows what he
# counted. Comparing it with 5.576 is comparing a sum without a receipt to a receipt without the rest of the shopping.
#
# Here are the numbers of that month on one axis; it has to be logarithmic.

# %%
bars = {
    "R1 on top of V3 (rent)": r1["dollars"],
    "V3, final run (rent)": final["dollars"],
    "Llama 3.1 405B at the same rent": 2 * 30.84e6,
    "GPT-4, more than, as said in an interview": 100e6,
    "text C's misprint": 5.6e9,
    "Stargate, as announced": 500e9,
    "Nvidia's value, lost in a day": 600e9,
}
fig, ax = plt.subplots(figsize=(7.5, 2.8))
ax.barh(range(len(bars)), bars.values(), color=["C0", "C0", "C0", "C4", "C1", "C4", "C4"])
for y, dollars in enumerate(bars.values()):
    ax.text(dollars * 1.3, y, f"${dollars / 1e6:,.1f}M" if dollars < 1e9 else f"${dollars / 1e9:,.1f}B", va="center")
ax.set_yticks(range(len(bars)), bars.keys())
ax.set_xscale("log")
ax.set_xlim(1e5, 3e13)
ax.set_xlabel("US dollars (logarithmic)")
show(fig, "Seven sums on a logarithmic axis from a hundred thousand to a trillion dollars: computed rents (R1 0.3, V3 "
     "5.6, Llama 61.7 million), and quoted sums (GPT-4 100 million, 5.6, 500 and 600 billion).")

# %% [markdown]
# Blue is computed above, orange is the misprint, yellow is quoted and of different kinds: a remark, a plan, a price of
# shares. A loss of market value is not money spent, and a plan for four years is not either; that the two are of one
# size (C) is right and means nothing.
#
# ## 7. The other bill: the cache
#
# Training is paid once. Answering is paid for every token, and a model that thinks writes many. While it writes, it
# keeps keys and values of everything before, in every layer, for every conversation at once. These bytes, not the
# FLOPs, decide how many conversations fit onto a GPU.
#
# DeepSeek's answer is multi-head latent attention (V2 paper, section 2.1.2): keep one short vector for all heads, and
# compute keys and values from it when they are needed. A rotated key cannot be computed so, and is kept beside it
# (section 2.1.3). Grouped-query attention, which Llama uses, lets groups of heads share one key and one value.
#
# ### Exercise: bytes a token
# *Difficulty 2 · 2 points · 15 minutes*
#
# <details><summary>Hint 1</summary>
#
# First count the numbers that one layer keeps of one token, for each kind. Layers and bytes are factors.
# </details>
# <details><summary>Hint 2</summary>
#
# With heads: each keeps a key (`qk_head_dim`) and a value (`v_head_dim`). With groups: each *group* does. MLA: no
# factor of heads at all.
# </details>

# %% exercise="bill.cache_bytes" points=2 minutes=15 difficulty=2
from minids.model.accounting import cache_bytes

# %%
# NBVAL_CHECK_OUTPUT
tiny = opened["grpo"][0].config
for name, config, groups in (("DeepSeek-V3", v3, 8), ("our tiny model", tiny, 2)):
    sizes = {kind: accounting.cache_bytes(config, kind, groups) for kind in ("mla", "gqa", "mha")}
    print(f"{name:<15}", "   ".join(f"{kind} {size:>9,} B" for kind, size in sizes.items()),
          f"  mha / mla = {sizes['mha'] / sizes['mla']:.1f}")
print(f"Llama 3.1 405B  gqa {accounting.cache_bytes(llama, 'gqa', 8):>9,} B, with 8 groups of 128 heads")

# %%
contexts = [2**n for n in range(10, 18)]
fig, ax = plt.subplots(figsize=(6.5, 3))
for label, kind, groups in (("MHA", "mha", None), ("GQA, 8 groups", "gqa", 8), ("MLA", "mla", None)):
    ax.loglog(contexts, [n * accounting.cache_bytes(v3, kind, groups) / 1e9 for n in contexts], "o-", ms=3, label=label)
ax.axhline(80, color="0.5", ls="--", lw=1)
ax.text(1100, 95, "all memory of one H800", color="0.4", fontsize=9)
ax.set_xlabel("tokens in the conversation")
ax.set_ylabel("cache of one conversation (GB)")
ax.legend()
show(fig, "Cache of one conversation against its length for DeepSeek-V3's sizes. MHA passes the 80 GB of a GPU at "
     "16,000 tokens; with MLA a conversation of 128,000 tokens takes 9 GB.")

# %% [markdown]
# At V3's sizes MLA keeps a 71st of what MHA would, and less than a quarter of what grouping would. That is one reason
# why long thoughts can be sold cheaply. Whether R1's price covered its cost is another question, and not in the papers.
#
# And at ours? Compare with what else lies in memory.

# %%
net, _ = opened["grpo"]
weights = sum(p.numel() * 4 for p in net.parameters())
for kind in ("mla", "mha"):
    cache = 160 * accounting.cache_bytes(tiny, kind, bytes_per_element=4)
    print(f"tiny, 160 tokens as {kind}: {cache / 1e3:.0f} kB of cache beside {weights / 1e6:.1f} MB of weights")

# %% [markdown]
# Here MLA saves half a megabyte that nobody misses; at this size it is a subject of study, not an economy. Chapter 03
# builds it and measures what it costs in quality and time.
#
# ## 8. Five hundred billion dollars
#
# Stargate was announced on 21 January 2025, the day after R1: \$500 billion "over the next four years" (OpenAI's
# announcement), as an intention. What would it buy at the price of this chapter?

# %%
budget = 500e9
hours = budget / accounting.DOLLARS_PER_HOUR
print(f"{budget / final['dollars']:,.0f} final runs of V3, or {budget / r1['dollars']:,.0f} of R1 on top of one")
print(f"{hours:.1e} H800 hours: {hours / (4 * 365.25 * 24) / 1e6:.1f} million GPUs, day and night for four years")
share = accounting.v3_share()
print(f"at V3's {100 * share:.0f} % of the peak: {hours * 3600 * accounting.H800_BF16 * share:.1e} FLOP, "
      f"{hours / accounting.V3_HOURS['pre-training']:,.0f} times V3's pretraining")

lost, fell = 600e9, 0.17
print(f"Nvidia: {lost / 1e9:.0f} billion are 17 % of {lost / fell / 1e12:.1f} trillion")
print(f"V3 (26 December) to R1 (20 January): {(date(2025, 1, 20) - date(2024, 12, 26)).days} days")

# %% [markdown]
# Does ninety thousand times V3 mean that the plan was madness? Only if the point were to train V3 over and over. Which
# leads to the claim of January that is about behaviour and not about a sum.
#
# ## 9. Jevons' paradox
#
# In 1865 W. S. Jevons observed that better steam engines had not lowered the use of coal (*The Coal Question*, chapter
# 7): cheaper power found more uses than it saved coal. Whether that happens depends on one number, the *elasticity* $e$
# of demand: if the price falls to a fraction $p$, use grows to $p^{-e}$, and what is spent in all becomes $p^{1-e}$.
#
# Move the slider. The dashed line is a price that fell by 95 %.


# %%
def spending(ax, elasticity):
    price = [n / 100 for n in range(100, 1, -1)]
    ax.plot(price, [p**-elasticity for p in price], label="tokens used")
    ax.plot(price, [p ** (1 - elasticity) for p in price], label="money spent")
    ax.axvline(0.05, color="0.5", ls="--", lw=1)
    ax.axhline(1, color="0.8", lw=1, zorder=0)
    ax.set_yscale("log")
    ax.set_ylim(0.02, 500)
    ax.set_xlim(1, 0)
    ax.set_xlabel("price of a token (1 = before)")
    ax.set_ylabel("relative to before")
    ax.legend(fontsize=8, loc="upper left")


play(spending, elasticity=(0.0, 2.0, 0.1), shown=[(0.5,), (1.0,), (1.5,)],
     alt="Tokens used and money spent against a falling price, for three elasticities. At 0.5 spending falls as tokens "
         "get cheaper, at 1 it stays, at 1.5 it rises although each token is cheaper.")

# %% [markdown]
# Below 1, cheap models shrink the market for compute; above 1, they enlarge it. Both headlines of that week assumed an
# elasticity, and neither named it. Nobody had measured it either, so the claim is *true with a condition*, and the
# condition is the whole question. Note what the formula takes for granted: one elasticity, the same at every price.
#
# "95 % less than what OpenAI charges" (C) is a statement about such a price, put beside a training cost by mistake. As
# a price it holds: per million output tokens \$2.19 for R1 (DeepSeek's announcement of 20 January) against \$60 for o1
# (OpenAI's price list of that month).

# %%
# NBVAL_CHECK_OUTPUT
for what, r1_price, o1_price in (("input, not cached", 0.55, 15.0), ("output", 2.19, 60.0)):
    print(f"{what:<18} ${r1_price} against ${o1_price:.0f}: {100 * (1 - r1_price / o1_price):.0f} % less")

# %% [markdown]
# "R1 outperformed o1 across various benchmarks" (D), and V3 "surpasses GPT-4o and Llama" (D): the table of R1's paper
# (Table 4 of the first version) has columns for all of them but Llama, so let us count. For Llama 3.1 405B the V3
# report says itself: ahead "in the majority of benchmarks" (section 4.4.2). All numbers are DeepSeek's own
# measurements.

# %%
# NBVAL_CHECK_OUTPUT
r1_o1 = {"MMLU": (90.8, 91.8), "DROP": (92.2, 90.2), "GPQA": (71.5, 75.7), "SimpleQA": (30.1, 47.0),
         "LiveCodeBench": (65.9, 63.4), "Codeforces": (96.3, 96.6), "SWE": (49.2, 48.9), "Aider": (53.3, 61.7),
         "AIME": (79.8, 79.2), "MATH-500": (97.3, 96.4)}
v3_4o = {"MMLU": (88.5, 87.2), "DROP": (91.6, 83.7), "GPQA": (59.1, 49.9), "SimpleQA": (24.9, 38.2),
         "FRAMES": (73.3, 80.5), "SWE": (42.0, 38.8), "Aider": (49.6, 16.0), "AIME": (39.2, 9.3),
         "MATH-500": (90.2, 74.6)}
for title, table in (("R1 against o1", r1_o1), ("V3 against GPT-4o", v3_4o)):
    ahead = [name for name, (ours, theirs) in table.items() if ours > theirs]
    print(f"{title}: ahead on {len(ahead)} of {len(table)}; behind on {', '.join(n for n in table if n not in ahead)}")

# %% [markdown]
# ## 10. The claims, sorted
#
# <table>
# <tr><th>text</th><th>claim</th><th>verdict</th><th>why</th></tr>
# <tr><td>A</td><td>R1 was developed for less than 6 million dollars</td><td><b>wrong</b></td><td>developed, no:
# research and ablations are excluded (V3 report, section 1); rent of the final runs of V3 and R1 is 5.87 million
# dollars (section 6 above)</td></tr>
# <tr><td>A</td><td>competitors needed hundreds of millions</td><td><b>not checkable</b></td><td>no competitor
# published a bill; Llama 3.1 405B's published hours come to 62 million dollars at the same rent (model
# card)</td></tr>
# <tr><td>A</td><td>cheaper models may raise the demand for compute</td><td><b>true with conditions</b></td><td>if the
# elasticity is above 1 (section 9); not measured</td></tr>
# <tr><td>B</td><td>GPT-4 cost "as high as" 100 million dollars</td><td><b>not checkable</b></td><td>an answer in an
# interview, which said <i>more</i> than that; no table, no scope</td></tr>
# <tr><td>B</td><td>R1 cost less than 6 million dollars to train</td><td><b>true with conditions</b></td><td>rent at 2
# dollars an hour, final runs only, V3 included; R1 alone is 0.294 million dollars (R1 paper v2, Table 7)</td></tr>
# <tr><td>B</td><td>R1 came on 20 January, weeks after V3</td><td><b>right</b></td><td>26 December to 20 January, 25
# days (DeepSeek's announcements)</td></tr>
# <tr><td>B</td><td>Nvidia lost nearly 600 billion dollars, 17 %; tech stocks over 1 trillion dollars</td><td><b>not
# checkable</b></td><td>the two numbers fit each other (they imply 3.5 trillion dollars before); market data are in no
# paper</td></tr>
# <tr><td>B</td><td>Stargate is 500 billion dollars</td><td><b>true with conditions</b></td><td>an intention over four
# years (OpenAI, 21 January 2025)</td></tr>
# <tr><td>B</td><td>R1 performs at the level of OpenAI's, Meta's and Google's models</td><td><b>true with
# conditions</b></td><td>comparable to o1 by DeepSeek's own measurement (R1 paper, section 3.1); its table has no
# model of Meta's or Google's</td></tr>
# <tr><td>C</td><td>one recent model cost only 5.6 million dollars</td><td><b>true with conditions</b></td><td>V3's
# final run, rent only (V3 report, Table 1)</td></tr>
# <tr><td>C</td><td>that is a top expert's salary; others cost over 100 million dollars</td><td><b>not
# checkable</b></td><td>salaries and bills are not published</td></tr>
# <tr><td>C</td><td>R1's training cost 5.6 billion dollars</td><td><b>wrong</b></td><td>by a factor of 1,000, and it
# is V3's figure: it would be 156 years of the cluster</td></tr>
# <tr><td>C</td><td>95 % less than OpenAI charges</td><td><b>wrong</b></td><td>as said it compares a cost of training
# with a price of tokens; as a price per token, 96 % less is right (section 9)</td></tr>
# <tr><td>C</td><td>V3 is the reasoning model</td><td><b>wrong</b></td><td>the reasoning model is R1; V3 is compared
# among models without long chains of thought, and distils from R1 (V3 report, sections 1 and 5.4.1)</td></tr>
# <tr><td>C</td><td>V3 came on Christmas Day</td><td><b>wrong</b></td><td>by a day: announced on 26 December 2024
# (DeepSeek's announcements)</td></tr>
# <tr><td>C</td><td>R1 came a week before the text</td><td><b>not checkable</b></td><td>it came on 20 January
# (DeepSeek's announcements); the text has no date here</td></tr>
# <tr><td>C</td><td>DeepSeek was founded in 2023; GPUs were bought from 2021</td><td><b>not checkable</b></td><td>no
# report gives dates; a cluster of 10,000 A100s is described in a paper of 2024 (arXiv 2408.14158, abstract)</td></tr>
# <tr><td>C</td><td>it built on existing open-source models</td><td><b>wrong</b></td><td>V3 was pretrained from
# scratch on 14.8T tokens (V3 report, section 4); right for the six distilled models, made from Qwen2.5 and Llama 3
# (R1 paper, section 2.4), and for the published ideas</td></tr>
# <tr><td>C</td><td>Nvidia's loss is around the value of a Stargate</td><td><b>right</b></td><td>and empty: 600 and
# 500 billion are of one size; one is a price of shares, the other a plan</td></tr>
# <tr><td>D</td><td>V3 was introduced on 24 January 2025</td><td><b>wrong</b></td><td>the report's number, 2412.19437,
# says December 2024</td></tr>
# <tr><td>D</td><td>V3 surpasses GPT-4o and Llama</td><td><b>true with conditions</b></td><td>on most benchmarks
# (section 9 above; V3 report, section 4.4.2), not on SimpleQA or FRAMES</td></tr>
# <tr><td>D</td><td>it was built with just 6 million dollars</td><td><b>true with conditions</b></td><td>as above: the
# final run, rent</td></tr>
# <tr><td>D</td><td>this typically takes 16,000 GPUs; DeepSeek declared about 2,000</td><td><b>true with
# conditions</b></td><td>2,048 is right (V3 report, section 3.1); up to 16K H100s is right for Llama 3 405B (arXiv
# 2407.21783, section 3.3.1); "typically" is one example</td></tr>
# <tr><td>D</td><td>R1 outperformed o1 across various benchmarks</td><td><b>true with conditions</b></td><td>on 5 of
# 10 that were measured for both, on three of them by less than a point (section 9)</td></tr>
# <tr><td>D</td><td>lower-tier chips made no difference in quality</td><td><b>not checkable</b></td><td>there is no
# run on H100s to compare with; the H800 differs in its interconnect, 400 instead of 900 GB/s (arXiv 2505.09343,
# section 4.1), which costs work (sections 3.2.1, 3.2.2 of the V3 report) rather than quality</td></tr>
# <tr><td>E</td><td>R1 was trained over two months on about 2,000 H800s for 5.5 million
# dollars</td><td><b>wrong</b></td><td>the numbers are right and all belong to V3: 56.7 days on 2,048, 5.576 million
# dollars</td></tr>
# <tr><td>E</td><td>the saving may be overstated; margins are unclear</td><td><b>right</b></td><td>see section 6; in
# February 2025 DeepSeek published a <i>theoretical</i> margin (open-infra-index, day 6)</td></tr>
# <tr><td>E</td><td>a company moved its service from OpenAI to R1</td><td><b>not checkable</b></td><td>that it may is
# right: R1's weights are under the MIT licence (its repository)</td></tr>
# <tr><td>all</td><td>it is open source</td><td><b>true with conditions</b></td><td>weights, reports and inference
# code are open; training data and training code are not</td></tr>
# <tr><td>all</td><td>censorship, privacy and security are open questions</td><td><b>right</b></td><td>in two halves:
# weights that run on your own machine send nothing anywhere, as those of section 1 did; what they were taught to say
# goes with them</td></tr>
# </table>
#
# Count the verdicts. Fewer than half of the claims are plainly right or wrong. The rest either lost the conditions
# under which they are true on the way from the paper to the page, or rest on numbers that nobody has published.
#
# ## Where this model of cost does not hold
#
# - It counts FLOPs, and hours follow from an assumed share. The two large runs above reach somewhat more than a third
#   of the peak; our tiny model on a CPU is bound by overhead, and `minids cost tiny` shows for what part of a second
#   its arithmetic would occupy one H800 at V3's speed.
# - Norms, softmax, the optimizer, recomputation and V3's MTP module are left out: some percent.
# - Dollars of rent hide who owns the GPUs and how full they are.
#
# ## What you now own
#
# - `active`, `attention_flops`, `training_flops`: from a config and a number of tokens to FLOPs
# - `gpu_hours`, `bill`: from FLOPs to hours to dollars, and back
# - `cache_bytes`: the price of a long answer
#
# `minids cost v3`, `minids cost r1` and `minids cost tiny` are built of these functions.
#
# ## Three questions
#
# **1. A lab says its model of 70 billion dense parameters was trained on 2T tokens for \$500,000. Can that be?**
#
# <details><summary>Answer</summary>
#
# 6 × 70e9 × 2e12 = 8.4e23 FLOP. At 40 % of 989 TFLOP/s that is about 590,000 hours, at \$2 an hour \$1.2 million. So
# not at this price, unless the GPUs were better used than those of the large published runs, or rented for less than a
# dollar. Four lines of arithmetic against a headline.
# </details>
#
# **2. V3 has 256 experts and sends a token to 8. What would change in the bill if it sent it to 16? If it had 512?**
#
# <details><summary>Answer</summary>
#
# 16 chosen: the routed experts' active part doubles (about 20 billion more active parameters), so about 120 GFLOP a
# token more, half as much again, and more traffic between machines. 512 stored: nearly the same FLOPs (only the
# router grows), but twice the memory, so more GPUs to hold it, each with less to do. The bill counts only the first.
# Try it: `accounting.training_flops(ModelConfig(num_experts_per_tok=16), 1, 4096)`.
# </details>
#
# **3. R1's own training took 5 % of the hours of V3 and R1 together. Why is it wrong to say that reasoning costs 5 %?**
#
# <details><summary>Answer</summary>
#
# It is the training that costs 5 %. A model that reasons writes thousands of tokens where another writes a hundred, at
# every question, for ever: the price of reasoning is paid in answering, which is where the cache of section 7 comes in.
# In section 1 you saw it in miniature: more right answers, more tokens an answer.
# </details>
#
# ## Sources
#
# - DeepSeek-AI, *DeepSeek-V3 Technical Report*, arXiv 2412.19437: abstract, sections 1 (Table 1), 3.1, 3.2, 4.1–4.3,
#   4.5 (Tables 4 and 5), 5.3 (Table 6), 5.4.1
# - DeepSeek-AI, *DeepSeek-R1*, arXiv 2501.12948: sections 2.2.4, 2.4, 3.1 (version 1), Table 7 (version 2; read in
#   transcriptions that agree)
# - DeepSeek-AI, *DeepSeek-V2*, arXiv 2405.04434: sections 2.1.2, 2.1.3
# - DeepSeek-AI, *Insights into DeepSeek-V3*, arXiv 2505.09343: section 4.1; *Fire-Flyer AI-HPC*, arXiv 2408.14158
# - DeepSeek's announcements of 26 December 2024 and 20 January 2025 (api-docs.deepseek.com/news) and its repository
#   open-infra-index
# - Meta, *The Llama 3 Herd of Models*, arXiv 2407.21783: sections 2, 3.3.1, 3.4.1; model card of Llama 3.1
# - Ainslie et al., *GQA*, arXiv 2305.13245; Jevons, *The Coal Question*, 1865, chapter 7
