# %% [markdown]
# # 10 Cold start
#
# **What does a model lack that can solve nearly everything and says nothing one can use?** The base model that chapter
# 08 began, trained to its end, solves almost every problem of our test set, if the question is put in the form of its
# pretraining documents. Asked as an assistant is asked, it babbles. DeepSeek-R1 stood at the same point, and its
# authors did not send the base model into reinforcement learning as it was: they first fine-tuned it on thousands of
# long thoughts in a form that people can read, and called that the *cold start* (arXiv 2501.12948, section 2.3.1). This
# chapter does the same with a few hundred thoughts, and asks at each step what the examples have taught.
#
# *Costs 50 to 70 CPU-seconds, nearly all of it for 16 short trainings, and 1 GiB. Needs chapters 01 (tokens, marks) and
# 08 (batches, packing). Five exercises, 10 points.*

# %%
import matplotlib.pyplot as plt
import torch
from einops import rearrange

from minids.course import budget, check, play, show, start, tiny_models, wrong
from minids.model import transformer
from minids.tasks import arithmetic, documents
from minids.tasks.reward import accuracy
from minids.eval import evaluate
from minids.text import chat, corpus
from minids.train import loop

start(10)

# %% [markdown]
# ## 1 It knows, and can not say
#
# The model in `chapters/data/tiny/base` is the tiny recipe's, after pretraining and nothing else: 2,800 updates on
# documents of the form "Question: … Thought: … Answer: …". We put the same 120 held-out problems to it twice: in that
# form, and through the chat template of chapter 01.

# %%
base, tokenizer = tiny_models.model("base")
problems = arithmetic.problem_set(arithmetic.FAMILIES, "test", 30, seed=10)  # 30 of each family


def ask(model, style="tags", temperature=0.0):
    """One answer to each problem: [(RewardResult, tokens, text)]."""
    given = evaluate.answer(model, tokenizer, problems, style=style, temperature=temperature, seed=10)
    return [answers[0] for answers in given]


def share(answers, what):
    """Per cent of the answers for which a field of their RewardResult is 1: accuracy, format, truncated."""
    return 100 * sum(float(getattr(result, what)) for result, _, _ in answers) / len(answers)


def shown(text, most=110):
    """A reply on one line."""
    return repr(text if len(text) <= most else text[:most] + " …")[1:-1]


plain, chatted = ask(base, "plain"), ask(base)
for name, answers in (("Question: … Thought:", plain), ("chat template", chatted)):
    print(f"{name:20} {share(answers, 'accuracy'):5.1f} % right, {share(answers, 'format'):5.1f} % in the right form")
for i in (0, 60):
    print(f"\n{problems[i].question}\n  plain  {shown(plain[i][2])}\n  chat   {shown(chatted[i][2])}")

# %% [markdown]
# Look at how it fails. It writes things that are like thoughts, and a sum that has little to do with the question; it
# takes the story up where the question ended, as if nobody had finished asking. The marks of the template are ids that
# the tokenizer keeps for them, and of these the pretraining documents hold two, the ones that begin and end a document.
# The others are rows of the embedding table that no text has ever trained, and rows of the head that have only ever
# learned to be unlikely. Nothing is wrong with the model's arithmetic. It is spoken to in signs that it has never seen.
#
# One way out is to reward it until it finds a form by itself, as R1-Zero does (chapter 11). What the paper holds
# against that is poor readability, mixed languages (section 2.2.4), and an unstable beginning (2.3.1). The other way is
# to show it.

# %% [markdown]
# ## 2 What is shown: the template
#
# Chapter 01 wrote one question and one answer as a document. A conversation has more turns, and what is written of the
# earlier ones is a decision. R1's chat template drops their thoughts (the `chat_template` in the released
# `tokenizer_config.json` keeps what follows `</think>`), and so does DeepSeek's interface
# (api-docs.deepseek.com/guides/reasoning_model). A thought is scratch paper. It is long, it costs context in every turn
# that follows, and its results are in the answer.
#
# ### Exercise 10.1: what the model continues
#
# *Difficulty 1 · 1 point · 10 minutes*
#
# <details><summary>Hint 1</summary>
#
# A list of ids: marks as they are (`tokenizer.user_id`), texts through `tokenizer.encode`.
# </details>
# <details><summary>Hint 2</summary>
#
# An earlier turn looks like a document without a thought, except that the beginning of the document stands once, before
# the first turn. It ends with `eos_id`: the model said that it was done.
# </details>

# %% exercise="sft.prompt" points=1 minutes=10 difficulty=1
from minids.text.chat import prompt_ids

# %%
# NBVAL_CHECK_OUTPUT
ids = chat.prompt_ids(tokenizer, "And 5 more?", [("12+7", "19")])
print(*(tokenizer.decode([i]) for i in ids), sep="|")
thought = arithmetic.thought(arithmetic.Problem("add", "12+7", (12, 7), 2), "careful")
print(len(ids), "tokens;", len(tokenizer.encode(thought)), "more, and some marks, if the thought were kept")

# %% [markdown]
# ## 3 What is shown: the thoughts
#
# R1's cold-start thoughts were long ones: written by models that had been shown an example or asked to reflect and
# verify, or picked from what R1-Zero had written, and then made readable by people (section 2.3.1). Ours are written by
# a program, which is cheap and always right. What makes a thought worth its tokens? A network does a fixed amount of
# work for each token. `347+5896=6243` asks for all of it while one digit is written. Taken column by column, each token
# needs two digits and a carry, and the carry stands in the text.
#
# ### Exercise 10.2: a sum on squared paper
#
# *Difficulty 2 · 3 points · 25 minutes*
#
# <details><summary>Hint 1</summary>
#
# `total // place % base` is a block, with `place` 1, base, base², … Go on while `place` is not larger than the larger
# number.
# </details>
# <details><summary>Hint 2</summary>
#
# A sum carries when its value is no longer one block: `value >= base`.
# </details>
# <details><summary>Hint 3</summary>
#
# A difference borrows when a is smaller than b *together with* what it owes from the step before; the step then shows a
# with the borrowed amount on it. Work 1000-1 out on paper: four steps, three of which borrow.
# </details>

# %% exercise="sft.thought" points=3 minutes=25 difficulty=2
from minids.tasks.arithmetic import digit_steps

# %%
# NBVAL_CHECK_OUTPUT
for p in (arithmetic.Problem("add", "", (347, 5896), 4), arithmetic.Problem("chain", "", (43, -18, 7), 3)):
    for style in ("careful", "brisk", "hasty"):
        text = arithmetic.thought(p, style)
        print(f"{style:8} {len(tokenizer.encode(text)):3} tokens   {text}")

# %% [markdown]
# All three are true. They differ in how much has to be known while one token is written. The base model has seen all of
# them; which one it will use is something that a cold start decides as well (section 7).

# %% [markdown]
# ## 4 What the loss sees
#
# A document is a question and a reply, and the loop of chapter 08 asks the model to predict every token of it. Should
# it? Here is what each token of three documents in their plain form costs the base model.

# %%
@torch.no_grad()
def token_losses(model, batch, **where):
    """-log p of each token but the first of its row, in nats [B, T - 1]."""
    logits = rearrange(model(batch.ids_BT[:, :-1], **where), "b t v -> b v t")  # where cross_entropy has its classes
    return torch.nn.functional.cross_entropy(logits, batch.ids_BT[:, 1:], reduction="none")


example = problems[60]
ids, n = chat.plain_document_ids(tokenizer, example.question, arithmetic.thought(example, "careful"), example.answer)
nll = token_losses(base, corpus.pad_batch([ids]))[0]
pieces = ["stop" if i == tokenizer.eos_id else tokenizer.decode([i]).replace("\n", r"\n") for i in ids[1:]]

# %%
fig, axes = plt.subplots(2, 1, figsize=(7.5, 4.2), sharey=True)
for ax, part, colour in ((axes[0], slice(0, n - 1), "#D55E00"), (axes[1], slice(n - 1, None), "#0072B2")):
    ax.bar(range(len(nll[part])), nll[part], color=colour)
    ax.set_xticks(range(len(nll[part])), pieces[part], rotation=90, fontsize=7)
    ax.set(ylabel="nats", xlim=(-1, max(n, len(ids) - n)))
    ax.grid(axis="x", visible=False)
axes[0].set_title("question", loc="left", fontsize=9)
axes[1].set_title("thought and answer", loc="left", fontsize=9)
show(fig, "Bars of the loss of each token of one document. Those of the question are high at its numbers and at words "
          "that could have been others; those of thought and answer are close to zero almost everywhere.")

# %%
batch = corpus.pad_batch([
    chat.plain_document_ids(tokenizer, p.question, arithmetic.thought(p, "careful"), p.answer)[0] for p in problems
])
asked = [len(chat.plain_prompt_ids(tokenizer, p.question)) for p in problems]
nll = token_losses(base, batch) * batch.valid_BT[:, 1:]
question = torch.arange(1, nll.shape[1] + 1) < torch.tensor(asked)[:, None]
print(f"tokens in questions: {100 * (question & batch.valid_BT[:, 1:]).sum() / batch.valid_BT[:, 1:].sum():.0f} %; "
      f"of the loss: {100 * nll[question].sum() / nll.sum():.0f} %")

# %% [markdown]
# Nearly all of what is left of the loss lies in the questions, and it can hardly be learned away: the next digit of an
# operand was drawn by dice, and so was the name. An update that follows this loss follows noise, and the model will
# never have to write questions. So fine-tuning usually weighs the question 0 and the reply 1. (In pretraining the
# recipe gives the question 0.15: that words are spelt so and stories told so can be learned.)
#
# ### Exercise 10.3: the weights of a batch
#
# *Difficulty 1 · 2 points · 15 minutes*
#
# `weight[b, t]` is what predicting token t of document b counts. The classic mistakes are all off by one, and none of
# them shows in the loss.
#
# <details><summary>Hint 1</summary>
#
# Column numbers `arange(T)` against sizes `[:, None]` give a table of yes and no.
# </details>
# <details><summary>Hint 2</summary>
#
# A question of p tokens takes the columns 0 to p - 1. The reply goes from p to size - 1, and token size - 1 is the stop
# token.
# </details>

# %% exercise="sft.loss_weights" points=2 minutes=15 difficulty=1
from minids.tasks.documents import loss_weights

# %%
dozen = documents.chat_documents(tokenizer, arithmetic.FAMILIES, 12, mix={"careful": 1.0}, seed=10)
batch = dozen.batch(range(12), prompt_weight=0.15)
picture = torch.where(batch.valid_BT, batch.weight_BT + 0.35, 0.0)
picture[:, 0] = 0.35
fig, ax = plt.subplots(figsize=(7.5, 2.6))
ax.imshow(picture, aspect="auto", interpolation="nearest", cmap="cividis", vmin=0, vmax=1.35)
for b, size in enumerate(dozen.lengths):
    ax.text(size - 1, b, "■", color="#D55E00", ha="center", va="center", fontsize=6)
ax.set(xlabel="position, tokens", ylabel="document", yticks=(0, 5, 10))
ax.grid(False)
show(fig, "Twelve documents, one a row: a dim beginning, the question; a bright part, the reply, with its last token "
          "marked; darkness behind it, the padding.")

# %% [markdown]
# Does it matter? Three seeds, each with 300 documents of its own, once with the question weighed 0 and once with 1.
# Sixty updates see each document about one and a half times; V3's fine-tuning took two epochs (arXiv 2412.19437,
# section 5.1). The learning rates are unusual, and for a reason: the marks' rows in embedding and head must be learned
# from nothing, so AdamW, which has these tables, gets a large one, 0.016; the matrices know their arithmetic, so Muon,
# which has the matrices, gets half of that, where it had eight times AdamW's in pretraining.

# %%
STEPS = budget(60)  # fewer where a test or a grader runs this notebook


def demonstrations(count, seed, style="careful"):
    """Chat documents with thoughts of one style; their problems are of the split that is kept for training."""
    return documents.chat_documents(tokenizer, arithmetic.FAMILIES, count, mix={style: 1.0}, seed=seed)


def cold_start(docs, seed, model=None, prompt_weight=0.0, change=None, losses=None):
    """The base model, or another, fine-tuned on documents; `change` may make another batch of each."""
    model = tiny_models.model("base")[0] if model is None else model
    source = documents.Source(docs, 600, seed=seed, prompt_weight=prompt_weight)
    batches = source if change is None else lambda step: [change(batch) for batch in source(step)]
    config = loop.TrainConfig(STEPS, 16e-3, warmup=4, muon_lr_factor=0.5)
    loop.train(model, batches, config, quiet=True,
               on_step=lambda step, values: losses.append(values["loss"]) if losses is not None else None)
    return model.eval()


# %%
def row(name, runs, *fields):
    """A line: one number a seed for each field."""
    said = (f"{what} " + " ".join(f"{share(answers, field):3.0f}" for answers in runs) for what, field in fields)
    print(f"{name:24}", ", ".join(said), "%")


RIGHT, FORMED, CUT = ("right", "accuracy"), ("in the template", "format"), ("cut off", "truncated")
curves = {"sound": [], "suspect": []}
models = [cold_start(demonstrations(300, seed), seed, losses=curves["sound"] if seed == 0 else None)
          for seed in range(3)]
masked = [ask(model) for model in models]
unmasked = [ask(cold_start(demonstrations(300, seed), seed, prompt_weight=1.0)) for seed in range(3)]
row("question weighs 0", masked, RIGHT, FORMED)
row("question weighs 1", unmasked, RIGHT, FORMED)
print("\n" + problems[60].question + masked[0][60][2])

# %% [markdown]
# Two things to read off. First, it works: 300 examples, and a model that said nothing useful solves more than half of
# the problems, in a template that it had never seen. Second, the mask did not do it. With the question counted in full
# the result is about the same; what lies between the two is less than what lies between seeds. The noise of the
# questions is large in the loss and small in what it does: it has no direction, so the updates average it away. Shi et
# al. (2024, arXiv 2405.14394) even found settings, with few examples or with long questions and short replies, in which
# counting the question helps. The mask's sure gain is another: a loss that says something. The masked curve, in the
# next figure, falls to a few hundredths. Unmasked it would stay up where the dice are, and a model that forgot how to
# add would hardly show in it.
#
# ## 5 The model that never stops
#
# A colleague fine-tunes the same base model on the same documents in the same batches. Their tokenizer once had no
# padding token, so they pad with the stop token, as many do. The loss is as good as ours, the first replies look
# right. Then somebody starts an evaluation, and it takes nearly three times as long.

# %%
suspect = wrong.named("sft.pad", "padding_known_by_its_id").fn


def padded_again(batch, pad):
    """The same documents, taken apart and put into a batch by `pad`, with the stop token as padding."""
    texts = [(ids[v].tolist(), w[v].tolist()) for ids, w, v in zip(batch.ids_BT, batch.weight_BT, batch.valid_BT)]
    return pad([ids for ids, _ in texts], [weights for _, weights in texts], tokenizer.eos_id)


endless = []
for seed in range(3):
    model = cold_start(demonstrations(300, seed), seed, change=lambda batch: padded_again(batch, suspect),
                       losses=curves["suspect"] if seed == 0 else None)
    endless.append(ask(model))
row("ours", masked, CUT, RIGHT)
row("the colleague's", endless, CUT, RIGHT)
print("\nthe colleague's:", shown(endless[0][60][2], 240))

# %%
fig, axes = plt.subplots(1, 2, figsize=(7.5, 2.8))
for k, (name, runs) in enumerate((("sound", masked), ("suspect", endless))):
    label = ("ours", "the colleague's")[k]
    axes[0].plot(range(1, len(curves[name]) + 1), curves[name], color=f"C{k}", linestyle=("-", "--")[k], label=label)
    axes[1].hist([length for answers in runs for _, length, _ in answers], bins=range(0, 169, 8), color=f"C{k}",
                 alpha=0.7, label=label)
axes[0].set(xlabel="update", ylabel="loss of the reply, nats a token", ylim=(0, None))
axes[1].set(xlabel="tokens of a reply", ylabel="replies, three seeds")
axes[0].legend()
show(fig, "Left: both training losses, hardly to be told apart. Right: how long replies are; ours spread between 20 "
          "and 100 tokens, the colleague's pile up at the limit of 160.")

# %% [markdown]
# The answer is there, and then the reply goes on, up to the limit. A reward that insists on an end pays nothing for it,
# a chat page shows what follows, and every evaluation pays in time. The loss cannot show it: one token in sixty is not
# trained, an easy one at that, and what is not in the mean is not missed.
#
# ### Exercise 10.4, a bug hunt: where does a document end?
#
# *Difficulty 2 · 2 points · 15 minutes*
#
# The cell below holds the colleague's function. For most ids that one might pad with, it is right. Find what is wrong,
# and mend it.
#
# <details><summary>Hint 1</summary>
#
# Write out by hand what comes back for one document [5, 6, 1], padded with 1. Which of its three weights survive?
# </details>
# <details><summary>Hint 2</summary>
#
# An id does not say whether it is padding. What does? It is known inside the loop.
# </details>

# %% exercise="sft.pad" start="padding_known_by_its_id" points=2 minutes=15 difficulty=2
from minids.text.corpus import pad_batch

# %%
# NBVAL_CHECK_OUTPUT
batch = documents.Source(demonstrations(300, 0), 600, seed=0, prompt_weight=0.0)(0)[0]
for name, pad in (("the colleague's", suspect), ("yours, or the library's", corpus.pad_batch)):
    again = padded_again(batch, pad)
    stops = int((again.weight_BT * (again.ids_BT == tokenizer.eos_id)).sum())
    print(f"{name:23}: {stops} stop tokens count in a batch of {len(batch)} documents; "
          f"all weights as they were: {torch.equal(again.weight_BT, batch.weight_BT)}")

# %% [markdown]
# The mistake is common enough to have a public record: github.com/NVIDIA-NeMo/Megatron-Bridge, pull request 4660,
# repairs it in a training library (padding is now known by its position), and github.com/mlabonne/llm-course, issue 33,
# is a reader whose fine-tuned Llama 2 would not end.
#
# ## 6 Documents that share a row
#
# Chapter 08 packed several texts into one row. In pretraining V3 lets them see each other. In fine-tuning it does not:
# there, too, several samples share a sequence, but a *sample mask* keeps them invisible to each other (arXiv
# 2412.19437, section 5.1). The recipe's batches hold one document a row and need none; where all rows have one length,
# as in large runs, it is the usual way.
#
# ### Exercise 10.5: who sees whom
#
# *Difficulty 1 · 2 points · 10 minutes*
#
# <details><summary>Hint 1</summary>
#
# `x[:, :, None] == x[:, None, :]` compares every position of a row with every other: [B, T, T].
# </details>
# <details><summary>Hint 2</summary>
#
# The third dimension of the mask is who looks, the fourth is what is looked at. `tril()` keeps what is not later.
# </details>

# %% exercise="sft.mask" points=2 minutes=10 difficulty=1
from minids.model.transformer import document_mask

# %%
docs = demonstrations(300, 0)
chats = [docs.ids[a:b].tolist() for a, b in zip(docs.starts, docs.starts[1:])]


def draw_mask(ax, row):
    """Who sees whom in one of the rows that the documents are packed into."""
    packed = corpus.pack(chats, None, row)
    packed = packed[len(packed) // 2 :][:1]
    seen = transformer.document_mask(packed.doc_ids_BT)[0, 0] & packed.valid_BT[0]
    ax.imshow(seen, cmap="cividis", interpolation="nearest")
    used = seen.sum() / (row * (row + 1) / 2)
    ax.set(xlabel=f"position seen\n({100 * used:.0f} % of the triangle)", ylabel="position")
    ax.grid(False)


play(draw_mask, row=(192, 512, 64), shown=[(192,), (320,), (512,)],
     alt="Masks of a packed row of 192, 320 and 512 tokens: one small triangle a document along the diagonal. The "
         "longer the row, the less of the large triangle they fill.")

# %% [markdown]
# A sample mask has a simple test: in a packed row a document costs what it costs alone, token by token. (The library
# also lets positions start anew in each document. With RoPE that changes nothing but rounding, since only distances
# count.)

# %%
packed, more = corpus.pack(chats[:80], None, 512), {}
alone = {tuple(ids): token_losses(models[0], corpus.pad_batch([ids]))[0] for ids in chats[:80]}
for name, where in (("mask", {"doc_ids_BT": packed.doc_ids_BT[:, :-1]}), ("none", {})):
    nll = token_losses(models[0], packed, **where)
    for b, numbers in enumerate(packed.doc_ids_BT.tolist()):
        for k in sorted(set(numbers) - {0}):
            begin, size = numbers.index(k), numbers.count(k)
            gap = nll[b, begin : begin + size - 1] - alone[tuple(packed.ids_BT[b, begin : begin + size].tolist())]
            more.setdefault((name, k), []).append(gap.abs().max() if name == "mask" else gap.mean())
places = sorted(k for name, k in more if name == "none")
worst = max(float(x) for (name, _), gaps in more.items() if name == "mask" for x in gaps)
print(f"with the mask, no token's loss differs by more than 0.001 nats: {worst < 1e-3}")

# %%
fig, ax = plt.subplots(figsize=(6, 2.6))
ax.plot(places, [sum(more["none", k]) / len(more["none", k]) for k in places], "o-", color="C1", label="without a mask")
ax.axhline(0, color="C0", linewidth=2, label="with the sample mask")
ax.set(xlabel="the document's place in its row", ylabel="more loss than alone,\nnats a token")
ax.legend()
show(fig, "Without a mask the first document of a row costs what it costs alone; those behind it cost more. With the "
          "mask all cost what they cost alone.")

# %% [markdown]
# A curve of this height says that such a row is another world to our model. It was trained with one document a row, so
# it has never met a second question behind an answer, nor positions beyond its longest documents. A model that is
# trained without a mask learns to live with it, as V3 did in pretraining. What does not work is one in training and the
# other in use; and a chat begins at position 0, alone.
#
# Where the sample mask pays: rows that are full and all of one length, and documents that cost what they cost alone.
# Where it does not: with documents as short and as easily sorted by length as ours, batches of one a row are nearly as
# full, and attention needs no mask (chapter 08 has the clock).
#
# ## 7 How many thoughts?
#
# Now to the question of the chapter. R1 took thousands of thoughts, for a model of 671 billion parameters that had to
# show its thinking about anything. Ours has three kinds of sums to talk about. Always sixty updates, on 30 or on 300
# different documents: what is few is seen more often. No documents at all is the base itself.

# %%
few = [ask(cold_start(demonstrations(30, seed), seed)) for seed in range(3)]
dose = {0: [chatted] * 3, 30: few, 300: masked}
for count in dose:
    row(f"{count} documents", dose[count], FORMED, RIGHT)
fig, axes = plt.subplots(1, 2, figsize=(7.5, 2.8), sharey=True)
for ax, (name, field) in zip(axes, (FORMED, RIGHT)):
    for seed, mark in enumerate("os^"):
        values = [share(runs[seed], field) for runs in dose.values()]
        ax.plot(range(3), values, mark + "-", linewidth=0.8, label=f"seed {seed}")
    ax.axhline(share(plain, field), color="black", linewidth=1, linestyle=":", label="base, its own form")
    ax.set(xlabel="documents", ylabel=f"{name} (%)", ylim=(-2, 104), xticks=range(3), xticklabels=dose)
axes[0].legend(fontsize=8, loc="lower right")
show(fig, "Two panels over 0, 30 and 300 documents, a line a seed: the share of replies in the template and the share "
          "of right ones. Both rise; a dotted line marks the base model in its own form, near 100.")

# %% [markdown]
# With thirty documents, each seen some fifteen times, most replies are in the template, and most of them are wrong: a
# new question gets a mixture of old replies. With 300 more than half of them are right. The form comes
# first, since it is the same in every document; to read a question through it, and to think about *this* one, takes
# variety.
#
# What have the 300 taught, then: to add, or to speak? Two controls.
#
# - **hasty**, three seeds: as many documents, about problems from the same source, but their thoughts do everything at
#   once (`347+5896=6243`). They are as true as the careful ones.
# - **without a past**, one seed: the careful documents, and a model that has not been pretrained.

# %%
hasty = [ask(cold_start(demonstrations(300, seed, "hasty"), seed)) for seed in range(3)]
torch.manual_seed(10)
new = [ask(cold_start(demonstrations(300, 0), 0, model=transformer.Transformer(base.config)))]
for name, runs in (("careful", masked), ("hasty", hasty), ("without a past", new)):
    row(name, runs, FORMED, RIGHT)
    print(" " * 24, "tokens of a reply", *(f"{sum(n for _, n, _ in answers) / len(answers):.0f}" for answers in runs))

# %% [markdown]
# Both speak. The hasty model is in the template almost always, as brief as its examples, and almost never right: it was
# shown that a thought is one line, and takes that for the rule, although it has seen in pretraining how to go column by
# column. The model without a past picks up some of the form in sixty updates, and nothing else. So the examples taught
# manner: how long to think, between which marks, and when to stop. What it takes to think *well* was there before, or
# it was not.
#
# That is the bargain of R1's cold start too. Some thousand examples settle the form in which a capable model thinks;
# what becomes of it is the business of reinforcement learning (chapter 11). The recipe `tiny` makes half of its
# cold-start thoughts hasty on purpose, to leave it something to find.
#
# ## 8 What it cost
#
# The base model solved every problem in its own form. Fine-tuned, it solves more than half in the new one. Is the rest
# a matter of reading the new form? Ask the three models in the old one:

# %%
for seed, model in enumerate(models):
    old = ask(model, "plain")
    right = sum(accuracy(p.answer, text, style="chat", finished=not result.truncated)
                for (result, _, text), p in zip(old, problems)) / len(problems)
    print(f"seed {seed}: {share(old, 'format'):.0f} % in the old form; right, in whatever form: {100 * right:.0f} %")
    if seed == 0:
        print(f"\nQuestion: {problems[60].question}\nThought:{old[60][2]}\n")

# %% [markdown]
# It is not. The old form is gone: behind "Thought:" the models go on as they have been taught, and close a tag that
# nobody opened. Yet put in the old form the questions are answered rightly about as often as in the new one, and less
# often than before. Sixty coarse updates on 300 documents have worn down some of the arithmetic that 2,800 had built.
#
# - **It pays** where a capable model is to be brought into a form: one template, an end to each reply, thoughts that
#   can be read. Hundreds of documents go far.
# - **It does not pay** as a way to teach the thing itself. And what fine-tuning does not ask for is not kept, unless
#   something holds it: smaller steps, more documents and more varied ones (the recipe's cold start takes 1,000 updates
#   on 40,000 documents), or a reward for right answers, which is what comes next.
#
# ## What you now own
#
# - `sft.prompt`: what the model is given to continue, in training, in reinforcement learning and in the chat.
# - `sft.thought`: the thoughts that every base model of this library learns to think.
# - `sft.loss_weights`: what the loss sees, from pretraining to the cold start.
# - `sft.pad`: padding that eats no stop token.
# - `sft.mask`: documents in one row that know nothing of each other.
#
# ## Three questions
#
# 1. A fine-tuned model does not end its replies. Somebody proposes to cut them all behind `</answer>`. What is gained,
#    and what is not?
#
# <details><summary>Answer</summary>
#
# The replies can be used, and if the tag becomes a stop token, no time is lost. What is not gained is a model that says
# it is done. In a form without a closing tag there is nothing to cut by, and who trains this model further, by reward
# for example, has to know of the trick and must not count what stands behind the tag.
# </details>
#
# 2. `loss_weights` gives 0 to the question. Does the question influence the gradient at all?
#
# <details><summary>Answer</summary>
#
# Yes. The reply's tokens attend to the question, so their losses are differentiated through its states, and through the
# embeddings of its tokens. Weight 0 only means that no gradient asks for *predicting* the question.
# </details>
#
# 3. Padding has weight 0 and is not valid. It stands on the right, so no token of text sees it anyway. What would go
#    wrong in a model with experts if `valid_BT` were True everywhere?
#
# <details><summary>Answer</summary>
#
# The padding's tokens would be routed and counted as load (chapter 04): the bias would balance experts between text and
# padding, which is nobody's aim. Weight 0 keeps padding out of the main loss alone.
# </details>
#
# ## Sources
#
# - DeepSeek-R1, arXiv 2501.12948: section 2.3.1 (cold start), 2.2 (R1-Zero and its template, Table 1).
# - DeepSeek-V3, arXiv 2412.19437: section 4.1 (packing without a mask), 5.1 (fine-tuning: two epochs, sample mask).
# - The template of R1 with earlier turns: `chat_template` in `tokenizer_config.json` of the released weights, and
#   api-docs.deepseek.com/guides/reasoning_model.
# - Padding that is the stop token: github.com/NVIDIA-NeMo/Megatron-Bridge, pull request 4660;
#   github.com/mlabonne/llm-course, issue 33.
