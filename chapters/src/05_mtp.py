# %% [markdown]
# # 05 Multi-token prediction
#
# **The question.** A language model reads its whole text for every token that it writes, and it is trained on one
# question a position: what comes next? Can it be asked for the token after the next one as well, does that make it a
# better model, and can it then write two tokens in the time of one?
#
# **What it costs.** 40 to 80 CPU-seconds on one core that is not busy with other things, most of them for ten short
# training runs; less than 1 GiB.
#
# **What it needs.** Chapter 02 (the model, its loss, its cache). Chapter 03 is of help for the cache of the bug hunt,
# but the chapter can be read without it.
#
# Multi-token prediction (MTP) has two lives. In *training* it is a second loss: every position also has to know
# something about the token after the next one. In *decoding* it is a guesser: what it says is checked by the main
# model, and a guess that was right is a token for little. We shall measure both on our own small model, and find that
# they come out differently.

# %%
import random

import matplotlib.pyplot as plt
import torch

from minids.course import budget, check, play, show, start, wrong
from minids.model import speculative, transformer
from minids.model.config import ModelConfig
from minids.tasks import arithmetic, documents
from minids.text import chat
from minids.text.tokenizer import Tokenizer
from minids.train import loop, loss

start(5)

# %% [markdown]
# ## The text
#
# Small problems from `minids.tasks`: sums of numbers of two or three digits, and the same told as a story of two
# numbers. Each is written with its thought, one digit at a time. Every digit is a token, so half of what the model
# writes is arithmetic and the other half are words and signs. The 80 problems that we test on are of another split:
# none of their sums occurs in training.

# %%
def problems(split, count, seed):
    rng, kinds = random.Random(seed), (("add", 2), ("add", 3), ("word", 2))
    return [arithmetic.sample(family, rng, split, size) for family, size in (rng.choice(kinds) for _ in range(count))]


def written_out(p):
    return f"Question: {p.question}\nThought: {arithmetic.thought(p, 'careful')}\nAnswer: {p.answer}"


training, held_out = problems("train", 5000, 1), problems("test", 80, 2)
tokenizer = Tokenizer.train([written_out(p) for p in training[:1500]], 400, digits="single")
corpus, test = (
    documents.Documents.of(
        chat.plain_document_ids(tokenizer, p.question, arithmetic.thought(p, "careful"), p.answer) for p in some
    )
    for some in (training, held_out)
)

# %%
# NBVAL_CHECK_OUTPUT
print(written_out(held_out[0]))
print(len(tokenizer), "tokens;", len(corpus), "training documents")

# %% [markdown]
# ## The module
#
# Read what DeepSeek-V3 adds (paper section 2.2) as a chain. The main model's state $h_i$ has seen the tokens
# $t_0 \ldots t_i$ and predicts $t_{i+1}$. Now suppose that $t_{i+1}$ were known. Then *one more layer*, given $h_i$ and
# the embedding of $t_{i+1}$, could predict $t_{i+2}$, without running the whole model again. That layer with its
# input is an MTP module; further modules stand on it, each one token further:
#
# $$h^k_i = \mathrm{Layer}_k\left(M_k\,[\,\mathrm{norm}(\mathrm{Emb}(t_{i+k}))\,;\ \mathrm{norm}(h^{k-1}_i)\,]\right)$$
#
# Embedding table and output head are the main model's own. V3 has one module ($D = 1$, section 4.2), and so have we.
# (The paper counts modules from 1 and writes the state first. The weights that were released want the embedding first.
# The library counts from 0 and keeps to the weights, so that a V3 checkpoint can be read.)

# %%
def draw_chain(ax):
    words = ["4", "+", "5", "="]
    for x, word in enumerate(words):
        ax.text(x, 0, word, ha="center", va="center", bbox=dict(boxstyle="round", fc="white", ec="#555555"))
        ax.annotate("", (x, 0.85), (x, 0.2), arrowprops=dict(arrowstyle="->", color="#555555"))
        ax.text(x, 1.05, f"$h_{x}$", ha="center", va="center", color="#0072B2", fontsize=12)
        if x < 3:
            ax.annotate("", (x + 0.06, 1.95), (x, 1.22), arrowprops=dict(arrowstyle="->", color="#0072B2"))
            ax.annotate("", (x + 0.14, 1.95), (x + 0.94, 0.2), arrowprops=dict(arrowstyle="->", color="#D55E00"))
            ax.text(x + 0.1, 2.15, f"$s_{x}$", ha="center", va="center", color="#D55E00", fontsize=12)
            ax.text(x + 0.1, 2.7, f"predicts {words[x + 2]!r}" if x < 2 else "predicts $t_4$", ha="center", fontsize=8)
    ax.set(xlim=(-0.6, 3.6), ylim=(-0.4, 3.0))
    ax.axis("off")


fig, ax = plt.subplots(figsize=(6, 3))
draw_chain(ax)
show(fig, "Four tokens, above each its state h of the main model; above these the MTP module's states s, each fed "
          "by one h and by the token to the right of it, predicting the token after that. The last h has none.")

# %% [markdown]
# ### Exercise: state and embedding become one
#
# *Difficulty 1 · 2 points · 10 minutes*
#
# The two vectors come from different places: a state is the sum of everything that the layers have written, an
# embedding is one row of a table. Both are brought to the same size first, then joined and projected to the model's
# width. `layers.rms_norm(x, weight, eps)` and `linear.linear(x, weight)` are at hand.
#
# <details><summary>Hint 1</summary>
#
# Each vector has a norm weight of its own. Normalise before joining: a norm over both at once would let the larger one
# decide.
# </details>
# <details><summary>Hint 2</summary>
#
# `torch.cat([...], dim=-1)`, embedding first: shape [B, T, 2D].
# </details>

# %% exercise="mtp.combine" points=2 minutes=10 difficulty=1
from minids.model.transformer import mtp_combine

# %% [markdown]
# ### Exercise: which token goes to which position
#
# *Difficulty 1 · 2 points · 15 minutes*
#
# In training all positions run at once, so "the token after this one" is the row moved by one; for module 1 by two. A
# row ends, and its last positions have nothing to be fed. They still have to hold *some* id, or the tensor would not be
# rectangular; what the module makes of it must never count. So the function returns two things: ids, and a mask that
# says which of them are real.
#
# <details><summary>Hint 1</summary>
#
# Work out by hand what `ids = [5, 6, 7, 8]` gives for k = 0 and k = 1. How many positions lack a token in each?
# </details>
# <details><summary>Hint 2</summary>
#
# One way: a tensor of column numbers `arange(T) + k + 1`, a mask where these are below T, and `clamp` for the others.
# </details>

# %% exercise="mtp.inputs" points=2 minutes=15 difficulty=1
from minids.model.transformer import mtp_inputs

# %% [markdown]
# What two modules are fed on a short text. A position whose mask is off prints as a dot:

# %%
# NBVAL_CHECK_OUTPUT
row = torch.tensor([tokenizer.encode("12+7=19")])
pieces = [tokenizer.decode([i]) for i in row[0].tolist()]
print("state of       ", *(f"{p:>3}" for p in pieces))
for k in (0, 1):
    fed, real = transformer.mtp_inputs(row, torch.ones_like(row, dtype=torch.bool), k)
    shown = [tokenizer.decode([i]) if r else "·" for i, r in zip(fed[0].tolist(), real[0].tolist())]
    print(f"module {k} is fed", *(f"{p:>3}" for p in shown))

# %% [markdown]
# ## The loss
#
# Module k (from 0) is asked for the token $k + 2$ further. With all modules,
#
# $$L = L_\mathrm{main} + \frac{\lambda}{D} \sum_{k} L_k$$
#
# where each $L_k$ is the usual cross-entropy, only with targets further away. V3 took $\lambda = 0.3$ for its first 10T
# tokens and 0.1 for the remaining 4.8T (section 4.2). The gradient of $L_k$ goes through the module *into the main
# model's states*, and that is the point of it in training: a state that helps to say what comes after the next token
# has to hold more than the next token (section 2.2 speaks of denser training signals and of planning ahead).
#
# ### Exercise: targets further away, and what they weigh
#
# *Difficulty 2 · 3 points · 20 minutes*
#
# Each token has a weight: how much predicting it counts (here 0 for the first, 0.3 in a question, 1 in thought and
# answer). Several documents can be packed into one row; `doc_ids` numbers them. A prediction two tokens ahead can
# leave the row, and it can leave the document.
#
# <details><summary>Hint 1</summary>
#
# Weight and target are moved alike: the weight belongs to the token that is predicted, not to the position that
# predicts.
# </details>
# <details><summary>Hint 2</summary>
#
# `F.pad(x[:, ahead:], (0, ahead))` moves by `ahead` and fills up with zeros. Which shape has it for a row that is
# shorter than `ahead`?
# </details>
# <details><summary>Hint 3</summary>
#
# Position t may predict t + ahead if `doc_ids[t] == doc_ids[t + ahead]`. It is not enough to compare neighbours.
# </details>

# %% exercise="mtp.targets" points=3 minutes=20 difficulty=2
from minids.train.loss import targets_ahead

# %%
# NBVAL_CHECK_OUTPUT
ids, doc_ids = torch.arange(10, 18)[None], torch.tensor([[1, 1, 1, 1, 2, 2, 2, 2]])
print("document", *doc_ids[0].tolist(), sep="\t")
print("token", *ids[0].tolist(), sep="\t")
for ahead in (1, 2, 3):
    target, counts = loss.targets_ahead(ids, torch.ones(1, 8), doc_ids, ahead)
    print(f"{ahead} ahead", *(i if c else "·" for i, c in zip(target[0].tolist(), counts[0].tolist())), sep="\t")

# %% [markdown]
# The further ahead, the fewer predictions are left: a document loses one target a module. (V3 divides each $L_k$ by
# the length T all the same, section 2.2, equation 24. The training loop here divides both losses by the same sum of
# weights, in the same spirit.)
#
# ## Does it make a better model?
#
# Three ways to train the same main model of two layers, three seeds each:
#
# - **plain**: next token only, 150 steps;
# - **with MTP**: the same 150 batches, one module, $\lambda = 0.3$. The module is thrown away afterwards;
# - **plain, longer**: as many multiplications as *with MTP* takes, spent on more steps.
#
# The second comparison is the stricter one, and papers often leave it out: the module costs time, and time could have
# bought more steps.

# %%
def new_model(seed, modules=1):
    torch.manual_seed(seed)
    return transformer.Transformer(ModelConfig(
        vocab_size=len(tokenizer), hidden_size=64, intermediate_size=128, num_hidden_layers=2, first_k_dense_replace=9,
        moe_intermediate_size=32, n_routed_experts=2, num_experts_per_tok=1, n_group=1, topk_group=1,
        num_attention_heads=4, q_lora_rank=None, kv_lora_rank=32, qk_nope_head_dim=16, qk_rope_head_dim=16,
        v_head_dim=16, rope_theta=1000.0, max_position_embeddings=256, initializer_range=0.08,
        num_nextn_predict_layers=modules, eos_token_id=tokenizer.eos_id,
    ))


def train(model, steps, seed, mtp_lambda=0.3, first=0):
    source = documents.Source(corpus, 600, seed=seed, prompt_weight=0.3)
    config = loop.TrainConfig(steps=steps, lr=2e-3, warmup=20, mtp_lambda=mtp_lambda)
    loop.train(model, lambda step: source(first + step), config, quiet=True)
    return model.eval()


# %% [markdown]
# Multiplications a token: one for every weight of a matrix that it passes. The embedding is a table, it multiplies
# nothing; the head is passed once by the main model and once more by the module. (Attention's own products are left
# out: with fifty tokens they are small, and alike in all three.)

# %%
# NBVAL_CHECK_OUTPUT
model = new_model(0)
matrices = {name: p.numel() for name, p in model.named_parameters() if p.ndim == 2 and "embed_tokens" not in name}
module = sum(n for name, n in matrices.items() if name.startswith("mtp.")) + matrices["lm_head.weight"]
main = sum(n for name, n in matrices.items() if not name.startswith("mtp."))
print(f"main model {main}, module {module} multiplications a token")
# %%
STEPS = budget(150)  # fewer where a test or a grader runs this notebook
LONGER = round(STEPS * (main + module) / main)
print(f"{STEPS} steps with MTP cost as much as {LONGER} steps without")

# %%
@torch.no_grad()
def test_loss(model):
    """Mean loss of the next token in thoughts and answers of the held-out problems, in nats."""
    batch = test.batch(range(len(test)), prompt_weight=0.0)
    return (loss.lm_loss(model, batch)[0] / batch.weight_BT.sum()).item()


ARMS = {"plain": (0, STEPS), "with MTP": (1, STEPS), "plain, longer": (0, LONGER)}
models = {
    (arm, seed): train(new_model(seed, modules), steps, seed)
    for seed in range(3) for arm, (modules, steps) in ARMS.items()
}
losses = {key: test_loss(m) for key, m in models.items()}
for arm in ARMS:
    print(f"{arm:14}", *(f"{losses[arm, seed]:.3f}" for seed in range(3)))

# %%
fig, ax = plt.subplots(figsize=(5.5, 3))
for seed, mark in enumerate("os^"):
    values = [losses[arm, seed] for arm in ARMS]
    ax.plot(range(3), values, mark + "-", color=plt.rcParams["axes.prop_cycle"].by_key()["color"][seed],
            lw=0.8, label=f"seed {seed}")
ax.set(ylabel="test loss of the next token (nats)", xlim=(-0.3, 2.3))
ax.set_xticks(range(3), list(ARMS))
ax.legend()
show(fig, "Test loss of the next token for three ways of training, a line a seed: plain, with MTP, and plain with "
          "as much computation as MTP took.")

# %%
gain = [losses["plain", s] - losses["with MTP", s] for s in range(3)]
fair = [losses["plain, longer", s] - losses["with MTP", s] for s in range(3)]
for name, values in (("equal steps", gain), ("equal multiplications", fair)):
    mean = sum(values) / 3
    spread = (sum((v - mean) ** 2 for v in values) / 2) ** 0.5
    word = "lower" if mean > 0 else "higher"
    print(f"{name}: loss with MTP is {abs(mean):.2f} nats {word} on average; seeds differ by about {spread:.2f}")

# %% [markdown]
# Read it soberly. At equal steps the two differ by less than seeds do, and which of them is ahead changes with the
# seed. At equal computation MTP loses clearly, since a training as short as ours gains a great deal from every further
# step; a training that has flattened out would gain less. What 150 steps of two layers do not show, they do not
# disprove for others. Gloeckle et al. (arXiv 2404.19737, section 3.1), whose heads predict several tokens in parallel,
# saw the sign change with size on code: worse than next-token prediction for their smallest models, from 0.3 billion
# parameters, better for their largest, of 13 billion.
#
# ### And DeepSeek's own measurement?
#
# Table 4 of the V3 paper (section 4.5.1) trains two models with and without one module and throws the module away. It
# says that MTP "consistently" helps "on most" benchmarks. Here are its rows whose number of questions is public, with
# the error that so many questions alone would bring (two standard errors, as if both models had met different
# questions; met with the same ones, they are compared a little better than that).

# %%
# rows: questions, small without and with MTP (15.7B), large without and with (228.7B); per cent
TABLE_4 = {
    "MMLU": (14079, 50.0, 53.3, 67.5, 66.6), "GSM8K": (1319, 25.4, 31.4, 72.3, 74.0),
    "MATH": (5000, 10.7, 12.6, 38.6, 39.8), "HumanEval": (164, 20.7, 26.8, 44.5, 53.7),
}
fig, ax = plt.subplots(figsize=(6, 2.8))
for i, (n, *scores) in enumerate(TABLE_4.values()):
    for j, (without, with_mtp) in enumerate((scores[:2], scores[2:])):
        error = 2 * sum(s * (100 - s) / n for s in (without, with_mtp)) ** 0.5
        ax.errorbar(with_mtp - without, i + 0.25 * j, xerr=error, fmt="os"[j], color=("#0072B2", "#D55E00")[j],
                    capsize=3, label=("15.7B", "228.7B")[j] if i == 0 else None)
ax.axvline(0, color="black", lw=0.8)
ax.set(xlabel="points gained with MTP", yticks=[i + 0.12 for i in range(4)], yticklabels=list(TABLE_4))
ax.legend()
show(fig, "Points gained with MTP in four benchmarks of table 4, for both sizes, with error bars of two standard "
          "errors. HumanEval's bars are wide and reach below zero; MMLU gains for the small model and loses for the "
          "large one.")

# %% [markdown]
# - The largest gain, 9.2 points of HumanEval, is 15 of 164 problems, and its bar reaches below zero. GSM8K, MMLU
#   and MATH at the small size stand clear of it.
# - At the large size MMLU *falls* from 67.5 to 66.6, at the small one NaturalQuestions from 22.7 to 22.3; gains
#   elsewhere are of one or two points.
# - The loss itself, bits per byte of Pile, hardly moves: 0.729 and 0.729, 0.658 and 0.657.
# - Both arms saw the same tokens; the arm with MTP took more computation. Each model was trained once, so what another
#   seed would change is not known.
#
# So: good evidence that MTP does no harm to large models and moves some skills up, weaker evidence for how much. It is
# cheap for them, too: one module beside 61 layers, where ours stands beside two.
#
# ## Its second life: guessing
#
# Whatever it does in training, a trained module can say what comes after the next token, and its guess can be
# *checked*. Suppose that the text $t_0 \ldots t_n$ is written. The module guesses $t_{n+1}$. Now the main model reads
# both, $[t_n, \text{guess}]$, in one forward. That forward says what should stand after $t_n$, and what should stand
# after the guess. If the guess was right, two tokens are gained by one forward. If not, one is gained, as without it.
# This is speculative decoding (Leviathan et al., arXiv 2211.17192; the drafting by the model's own extra layers goes
# back to Stern et al., arXiv 1811.03115), and V3's section 5.4.3 uses its module so.
#
# What makes it attractive: the text is the one that greedy decoding would have written, token by token, *however bad
# the guesses are*. Bad guesses cost time, never quality.
#
# ### Exercise: what one check confirms
#
# *Difficulty 2 · 2 points · 15 minutes*
#
# With K guesses, the forward gives K + 1 tokens, `right`. Which of them may be written?
#
# <details><summary>Hint 1</summary>
#
# `right[1]` was computed with `guesses[0]` in the text. If `guesses[0]` is not `right[0]`, then `right[1]` answers a
# question that nobody asked.
# </details>
# <details><summary>Hint 2</summary>
#
# Count the guesses that are right before the first wrong one; `right[: count + 1]`. What if one of them is a stop
# token?
# </details>

# %% exercise="speculative.accept" points=2 minutes=15 difficulty=2
from minids.model.speculative import accept

# %%
# NBVAL_CHECK_OUTPUT
for guesses, right in (([5, 6], [5, 6, 7]), ([5, 4], [5, 6, 7]), ([4, 6], [5, 6, 7]), ([5, 2], [5, 2, 7])):
    print(f"guessed {guesses}, right {right}: writes {speculative.accept(guesses, right, stop_ids={2})}")

# %% [markdown]
# ### A better guesser
#
# The model with MTP of seed 0 is trained for another 320 steps. Then it writes: for each test problem once behind
# "Thought:", and once behind the first few letters of the question, so that it goes on by itself. (What it writes is
# often wrong or silly. It is a very small model; for what we measure, that does not matter.)

# %%
model = train(models["with MTP", 0], budget(320), seed=0, first=STEPS)
print(f"test loss {test_loss(model):.2f}")
prompts = [
    [tokenizer.bos_id, *tokenizer.encode(text)]
    for p in held_out[:24] for text in (f"Question: {p.question}\nThought:", f"Question: {p.question[:9]}")
]
for prompt in prompts[:4]:
    new, counts = speculative.speculative_greedy(model, prompt, 60)
    print(tokenizer.decode(prompt[1:]), "|", tokenizer.decode(new, skip_special=True), counts)

# %% [markdown]
# ### Bug hunt: fast, and wrong
#
# Here is a decoder that somebody has written. It runs as fast as it should, the first words look fine, and the person
# who wrote it had tested it on one prompt. We compare it with greedy decoding that uses neither guesses nor cache.

# %%
@torch.no_grad()
def plain_greedy(model, prompt, count):
    ids = list(prompt)
    while len(ids) < len(prompt) + count and (len(ids) == len(prompt) or ids[-1] != tokenizer.eos_id):
        ids.append(int(model(torch.tensor([ids]))[0, -1].argmax()))
    return ids[len(prompt):]


@torch.no_grad()
def hits(model, prompt, text):
    """For each token of a greedy text but the first: whether the module's guess for it is right."""
    ids = torch.tensor([[*prompt, *text]])
    guesses = model.lm_head(model.mtp_hidden(model.hidden(ids), ids)[0])[0].argmax(-1)
    return [int(guesses[len(prompt) + i - 2]) == text[i] for i in range(1, len(text))]


# %%
suspect = wrong.named("speculative.step", "as_many_rows_as_tokens").fn
texts = [plain_greedy(model, prompt, 50) for prompt in prompts]
rows = []
for prompt, text in zip(prompts, texts):
    got, _ = suspect(model, prompt, 50, {tokenizer.eos_id})
    good, first, i = hits(model, prompt, text), None, 1
    while i < len(text) - 1 and first is None:
        first, i = (None, i + 2) if good[i - 1] else (i, i)
    rows.append(([a == b for a, b in zip(got, text)], first, got == text))
print(sum(equal for *_, equal in rows), "of", len(rows), "texts are those of greedy decoding")

# %%
fig, ax = plt.subplots(figsize=(7, 4))
for y, (same, first, _) in enumerate(rows[:24]):
    colours = ["#CFE3F1" if s else "#D55E00" for s in same]
    ax.scatter(range(len(same)), [y] * len(same), s=16, marker="s", color=colours)
    if first is not None:
        ax.plot(first, y, "kx", ms=5)
ax.plot([], [], "s", color="#CFE3F1", label="as greedy")
ax.plot([], [], "s", color="#D55E00", label="differs from greedy")
ax.plot([], [], "kx", label="first refused guess")
ax.set(xlabel="new token", ylabel="prompt", yticks=[], ylim=(-1, 28))
ax.grid(False)
ax.legend(loc="upper center", ncols=3)
show(fig, "Each row is a text, each square a token, dark where the suspect decoder writes something else than greedy "
          "decoding. A cross marks the first guess that was refused; nothing differs before it.")

# %% [markdown]
# *Difficulty 3 · 3 points · 25 minutes*
#
# The picture is a strong hint: up to the first refused guess every text is right, and something breaks behind it. What
# is left over from a guess that was refused? The cell below holds the decoder with its bug. Find it, and mend it.
#
# <details><summary>Hint 1</summary>
#
# A forward over [t_n, guess] writes two rows into the cache of each layer of the main model. Which of them may stay if
# the guess was wrong?
# </details>
# <details><summary>Hint 2</summary>
#
# Take a prompt of 3 tokens and walk through one round with a refused guess, on paper: how long is the text after it,
# and how many rows does the cache hold? Which token of the text has not been through the model yet?
# </details>
# <details><summary>Hint 3</summary>
#
# The newest token was only just computed: it is the last entry of `confirmed`, and it gets its row in the *next*
# forward.
# </details>

# %% exercise="speculative.step" start="as_many_rows_as_tokens" points=3 minutes=25 difficulty=3
from minids.model.speculative import speculate

# %%
ours = [speculative.speculate(model, prompt, 50, {tokenizer.eos_id}) for prompt in prompts]
print(sum(new == text for (new, _), text in zip(ours, texts)), "of", len(texts), "texts are those of greedy decoding")

# %% [markdown]
# (Should one text of them differ: two logits that agree up to the last bit can change places when two positions are
# computed in one forward, as sums are then taken in another order.)
#
# Why was nobody warned? The row that stayed behind is a valid row, of a plausible token. The model reads a text that
# holds one token which was never written, and goes on fluently. This is why the tests of `minids` compare whole texts
# with greedy decoding for every pattern of right and wrong guesses, and do not look at the text.
#
# ## How often is a guess right?
#
# V3 reports that its module's guess is accepted 85 to 90 % of the time, on various topics (section 5.4.3). We can look
# closer, since we know what each of our tokens is.

# %%
def kinds(text):
    """What each token of a text is: a word, a sign, a digit that is copied, a digit that had to be computed."""
    out, computed, answer = [], False, False
    for i in text:
        piece = tokenizer.decode([i])
        answer = answer or "nswer" in piece
        if piece.strip().isdigit():
            out.append("digit of the answer" if answer else "digit after =" if computed else "other digit")
        else:
            computed = piece.endswith("=")
            out.append("word" if any(c.isalpha() for c in piece) and i != tokenizer.eos_id else "sign, space, end")
    return out


seen = {}
for prompt, text in zip(prompts, texts):
    for kind, hit in zip(kinds(text)[1:], hits(model, prompt, text)):
        seen.setdefault(kind, []).append(hit)
everything = [hit for some in seen.values() for hit in some]
rates = {kind: sum(some) / len(some) for kind, some in {**seen, "all": everything}.items()}

# %%
order = sorted(rates, key=rates.get)
fig, ax = plt.subplots(figsize=(6, 2.8))
n = {**{k: len(v) for k, v in seen.items()}, "all": len(everything)}
error = [2 * (rates[k] * (1 - rates[k]) / n[k]) ** 0.5 * 100 for k in order]
ax.barh(order, [100 * rates[k] for k in order], xerr=error, capsize=3,
        color=["#000000" if k == "all" else "#0072B2" for k in order], alpha=0.8)
ax.axvspan(85, 90, color="#E69F00", alpha=0.5, lw=0, label="V3, section 5.4.3")
ax.set(xlabel="guesses that are right (%)", xlim=(0, 105))
ax.legend(loc="lower right", bbox_to_anchor=(1, 1))
show(fig, "Share of right guesses by kind of token, with the band of 85 to 90 per cent that the V3 paper reports. "
          "Signs are guessed best, then words; digits of every kind worst.")

# %%
print(f"all tokens: {rates['all']:.0%}")
for kind in order:
    if kind != "all":
        print(f"{kind:20} {rates[kind]:4.0%} of {n[kind]}")

# %% [markdown]
# What follows from what is there is guessed almost always: after a digit of a sum comes a sign, behind "Ans" comes
# "wer". Which digit comes is guessed far less well, whether it has to be computed or only looked up in the question,
# and that is no wonder: it is the very thing that the main model has its layers for, and the guess has to do with one
# of its own.
#
# So an acceptance rate is a property of the *text* as much as of the module. V3's 85 to 90 % and ours are not to be
# compared as marks: its module stands behind 61 layers and chooses among 129 thousand tokens; ours stands behind two,
# and its text is made of 400 tokens with a grammar of a few lines. If a text were all signs, we would be ahead.
#
# ## When is it faster?
#
# Count first; clocks come later. Plain greedy decoding takes one forward of the main model a token.

# %%
tokens = sum(len(new) for new, _ in ours)
forwards, drafted, accepted = (sum(c[key] for _, c in ours) for key in ("forwards", "drafted", "accepted"))
print(f"{tokens} tokens; forwards and accepted guesses add up to {forwards + accepted}")
print(f"{accepted / drafted:.0%} of the guesses accepted; {tokens / forwards:.2f} tokens a forward")

# %% [markdown]
# That would be the speed-up if guesses were free and a forward over two tokens took as long as one over one. Neither is
# so.
#
# ### Exercise: the speed-up to expect
#
# *Difficulty 1 · 2 points · 15 minutes*
#
# Let `rates[k]` be how often guess k is right where the guesses before it were. A guess costs `draft_cost`, and each
# guess makes the checking forward longer by `check_cost`, both in forwards over one token.
#
# <details><summary>Hint 1</summary>
#
# One token is sure. The first guess adds one with probability $r_1$; the second only if both are right: $r_1 r_2$.
# </details>
# <details><summary>Hint 2</summary>
#
# Tokens a round, divided by the time of a round: $1 + K\,(\text{draft} + \text{check})$.
# </details>

# %% exercise="speculative.speedup" points=2 minutes=15 difficulty=1
from minids.model.speculative import expected_speedup

# %%
def draw_speed(ax, cost):
    """Speed-up over the acceptance rate, for a guess that costs this much all in all."""
    xs = [i / 50 for i in range(51)]
    for count in (1, 2, 4):
        speeds = [speculative.expected_speedup([x] * count, cost, 0.0) for x in xs]
        ax.plot(xs, speeds, label="1 guess" if count == 1 else f"{count} guesses")
    ax.axhline(1, color="black", lw=0.8)
    ax.axvspan(0.85, 0.9, color="#E69F00", alpha=0.4, lw=0)
    ax.set(xlabel="acceptance rate", ylabel="speed-up", ylim=(0, 4.2))
    ax.legend(fontsize=8, loc="upper left")


play(draw_speed, cost=(0.0, 1.0, 0.05), shown=[(0.05,), (0.3,), (0.8,)],
     alt="Expected speed-up over the acceptance rate for one, two and four guesses a round, at three costs of a guess. "
         "Cheap guesses pay almost always; at a cost of 0.8 even good ones hardly do.")

# %% [markdown]
# V3's numbers fit: one guess, right 85 to 90 % of the time, gives 1.85 to 1.90 tokens a forward, and the paper reports
# 1.8 times the tokens a second (section 5.4.3). Solved for the cost, a guess with its check then takes a few per cent
# of a forward. That is plausible for a module of one layer beside 61. Ours is one beside two, and it passes the head
# as well.
#
# Now suppose that time went by multiplications. Then a second token would double a forward, whether it is a guess or
# not:

# %%
rate, draft_cost = accepted / drafted, module / main
for claimed in (0.85, 0.90):
    print(f"V3 at {claimed:.0%}: 1.8 times faster means that a guess costs {(1 + claimed) / 1.8 - 1:.2f} of a forward")
by_work = speculative.expected_speedup([rate], draft_cost, check_cost=1.0)
free_check = speculative.expected_speedup([rate], draft_cost, check_cost=0.0)
print(f"ours, by multiplications: {by_work:.2f} times as fast; if checking were free: {free_check:.2f}")

# %% [markdown]
# Counted in work, guessing never pays: it is *more* work, done in fewer passes. It pays where a pass has to wait for
# something else. A forward over one token of a large model waits for its weights to come from memory, and a second
# token finds them there. A forward of our tiny model waits for Python, which calls the same operations for two tokens
# as for one. So the clock decides; what it says belongs to the machine on which this notebook was last executed:

# %% clock
import time

from minids.model.generate import generate


def seconds(run, times=5):
    """The fastest of a few runs, in CPU-seconds."""
    out = []
    for _ in range(times):
        began = time.process_time()
        run()
        out.append(time.process_time() - began)
    return min(out)


# %% clock
# 41 tokens in the cache of the main model and of the module; each run forgets the last one and computes it anew
cache = model.new_cache(1, 64)
with torch.no_grad():
    states = model.hidden(torch.tensor([[9] * 41]), cache=cache)
    speculative.mtp_step(model, 0, states, torch.tensor([[9] * 41]), cache)


@torch.no_grad()
def forward(count):
    cache.truncate(40)
    model.lm_head(model.hidden(torch.tensor([[9] * count]), cache=cache)).argmax(-1)


@torch.no_grad()
def guess():
    cache.truncate(40)
    model.lm_head(speculative.mtp_step(model, 0, states[:, -1:], torch.tensor([[9]]), cache)).argmax(-1)


# %% clock
one, two, draft = seconds(lambda: forward(1), 50), seconds(lambda: forward(2), 50), seconds(guess, 50)
check_cost, draft_cost = max(0.0, two / one - 1), draft / one
expected = speculative.expected_speedup([rate], draft_cost, check_cost)
print(f"a second token makes a forward {check_cost:.0%} longer; a guess takes {draft_cost:.0%} of a forward")
print(f"expected speed-up {expected:.2f}")

# %% clock
def decode(modules):
    kept, model.mtp = model.mtp, model.mtp[:modules]
    for prompt in prompts[:12]:
        speculative.speculative_greedy(model, prompt, 40)
    model.mtp = kept


plain, guessed = seconds(lambda: decode(0), 3), seconds(lambda: decode(1), 3)
folded = seconds(lambda: [generate(model, [p], max_new_tokens=40, temperature=0) for p in prompts[:12]], 3)
batch = seconds(lambda: generate(model, prompts[:12], max_new_tokens=40, temperature=0), 3)
print(f"measured: guessing is {plain / guessed:.2f} times as fast as the same loop without guesses")
print(f"without guesses, but with the folded weights of `generate`: {plain / folded:.1f} times as fast")
print(f"the same, all 12 prompts in one batch: {plain / batch:.1f} times as fast")

# %% [markdown]
# Where it pays and where not:
#
# - **It pays** when one text is written at a time, the model is large, and its forward waits for memory: checking a
#   guess is then almost free, and so is a module that is one layer beside sixty.
# - **It pays little or nothing here.** Beside two layers a module is a large part of the model, and it has to read the
#   prompt as well; what right guesses gain goes into making guesses. At this size it is simply better to make the
#   forward cheaper: `generate` multiplies weights that follow each other once, before it starts, and needs no guesses.
# - **It pays less and less in batches.** The rows of a batch already share the weights that are read, so a second token
#   a row is work like any other; and rows accept differently many guesses, which makes the bookkeeping harder. GRPO's
#   rollouts are large batches, and the recipe `tiny` has no MTP module.
#
# ## What you now own
#
# - `mtp.combine` and `mtp_inputs`: what goes into an MTP module, in V3's layout.
# - `mtp.targets`: targets and weights of every language-model loss in `minids`, MTP or not.
# - `speculative.accept` and `speculate`: speculative decoding that writes what greedy decoding writes.
# - `speculative.speedup`: when guessing is worth it.
#
# ## Three questions
#
# 1. The module is thrown away after training. By which way can it have changed the main model at all?
#
# <details><summary>Answer</summary>
#
# Its loss is differentiated with respect to the states that it was given, and these are the main model's. The shared
# embedding and head get gradients from it as well. Detach the states and only these two would be left.
# </details>
#
# 2. Your module guesses rightly in 60 % of all cases, a guess costs 0.5 of a forward, checking nothing. Is it worth it?
#    How good would a second module have to be?
#
# <details><summary>Answer</summary>
#
# 1.6 / 1.5: seven per cent faster. With a second module a round costs 2.0 and gives $1.6 + 0.6\,r_2$ tokens: even at
# $r_2 = 1$ that is 1.1, and to beat 1.6 / 1.5 = 1.067 it would take $r_2 > 0.89$. A second guess is worth its cost only
# where the first is good.
# </details>
#
# 3. Speculative decoding with sampling instead of greedy choice: what speaks against accepting a guess whenever it
#    is the token that was drawn from the main model?
#
# <details><summary>Answer</summary>
#
# It is enough for the text to follow the main model's distribution: at every place a token is drawn from it. But few
# guesses are accepted, since two draws agree seldom even if both distributions are equal. The rule of arXiv 2211.17192
# (section 2.3) accepts a guess x with probability min(1, p(x)/q(x)) and draws from what p has left otherwise: the same
# distribution, and as many accepted guesses as can be had.
# </details>
#
# ## Sources
#
# - DeepSeek-V3, arXiv 2412.19437: section 2.2 (modules, loss), 4.2 ($D$, $\lambda$), 4.5.1 and table 4 (ablation),
#   5.4.3 (acceptance, tokens a second); the order [embedding; state] from the published weights and their description,
#   README_WEIGHTS.md in github.com/deepseek-ai/DeepSeek-V3.
# - Gloeckle et al. 2024, arXiv 2404.19737: several heads in parallel, and what size has to do with it.
# - Leviathan et al. 2022, arXiv 2211.17192: speculative decoding, theorem 3.8; Chen et al. 2023, arXiv 2302.01318.
# - Stern et al. 2018, arXiv 1811.03115: a model that guesses its own next tokens.
# - Sizes of test sets: HumanEval arXiv 2107.03374, GSM8K 2110.14168, MATH 2103.03874, MMLU 2009.03300.
