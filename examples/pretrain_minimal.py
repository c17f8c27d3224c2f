"""Pretraining on one page: from the text of problems to a model that answers new ones.

    python examples/pretrain_minimal.py [seed]

    text        Question: 347+58 / Thought: 7+8=15 4+5+1=10 3+0+1=4 / Answer: 405
    tokens      byte-pair merges learned from that text, digits kept single
    loss        mean_t -log p(token t | tokens before it), over thought and answer
    model       DeepSeek-V3's parts, very small: latent attention (MLA), a mixture of experts

The thought is what makes it learnable: one digit at a time, with carries, is something that a network of this size can
do. `minids.train.loop` is the same loop with checkpoints, several processes, schedules and metrics; `minids.pipeline`
goes on from here to a model that reasons. Times are CPU time. Shapes: N documents, B of them in a batch, T tokens of
the longest, V tokens in the vocabulary.
"""

import random
import sys
import time

import torch
import torch.nn.functional as F

from minids import ModelConfig, Tokenizer, Transformer, generate
from minids.model import moe
from minids.tasks import arithmetic
from minids.text.tokenizer import EOS

# settings -------------------------------------------------------------------------------------------------------------
FAMILY = "add"  # 347+58; also: chain, word
SIZES = (2, 3)  # digits of the longer number
DOCUMENTS = 12_000  # solved problems to learn from
VOCABULARY = 320  # tokens: 256 bytes, the special ones, and merges such as "Question"
STEPS = 500  # optimizer steps
BATCH = 32  # documents per step
LR = 5e-3  # peak learning rate of AdamW
WARMUP = 30  # steps in which it rises; after that it falls to 0 in a straight line
BALANCE = 1e-3  # how fast the router's biases even out the experts' load (0: leave them alone)
LENGTH = 64  # most new tokens of an answer
HELD_OUT = 500  # problems of the test split, which shares no pair of numbers with what is learned from
SEED = int(sys.argv[1]) if len(sys.argv) > 1 else 0

torch.set_num_threads(1)  # the matrices are too small to share; one thread also makes a run repeatable
torch.manual_seed(SEED)
rng = random.Random(SEED)
began = time.process_time()

# problems -> text -> tokens -------------------------------------------------------------------------------------------
problems = [arithmetic.sample(FAMILY, rng, "train", rng.choice(SIZES)) for _ in range(DOCUMENTS)]
asked = [f"Question: {p.question}\nThought:" for p in problems]
solved = [f" {arithmetic.thought(p, 'careful')}\nAnswer: {p.answer}" for p in problems]
tokenizer = Tokenizer.train([a + s for a, s in zip(asked, solved)], VOCABULARY, digits="single")
bos, eos, pad = tokenizer.bos_id, tokenizer.eos_id, tokenizer.pad_id
heads = [[bos, *ids] for ids in tokenizer.encode_batch(asked)]  # encoded apart, so that a prompt ends where a head does
tails = [[*ids, eos] for ids in tokenizer.encode_batch(solved)]
size_N = torch.tensor([len(h) + len(t) for h, t in zip(heads, tails)])
ids_NT = torch.full((DOCUMENTS, int(size_N.max())), pad)
want_NT = ids_NT.clone()  # what is to be predicted: thought and answer; nobody can guess the numbers of a question
for n, (h, t) in enumerate(zip(heads, tails)):
    ids_NT[n, : len(h) + len(t)] = torch.tensor([*h, *t])
    want_NT[n, len(h) : len(h) + len(t)] = torch.tensor(t)
print(f"{asked[0]}{solved[0]}\n\n{DOCUMENTS} documents, {int(size_N.sum())} tokens, {len(tokenizer)} different ones")

# model and optimizer --------------------------------------------------------------------------------------------------
config = ModelConfig(
    vocab_size=len(tokenizer),
    hidden_size=64,
    num_hidden_layers=3,
    first_k_dense_replace=1,  # the first layer is dense, the others choose among experts
    intermediate_size=176,
    moe_intermediate_size=48,
    n_routed_experts=4,
    num_experts_per_tok=2,
    n_shared_experts=1,
    n_group=1,
    topk_group=1,
    routed_scaling_factor=1.0,
    num_attention_heads=4,
    q_lora_rank=None,
    kv_lora_rank=32,  # keys and values of all heads come from so many numbers per token
    qk_nope_head_dim=16,
    qk_rope_head_dim=16,
    v_head_dim=16,
    rope_theta=1000.0,
    max_position_embeddings=256,
    initializer_range=0.08,
    bos_token_id=bos,
    eos_token_id=eos,
)
model = Transformer(config)
optimizer = torch.optim.AdamW(model.parameters(), lr=LR, betas=(0.9, 0.95), weight_decay=0.05)
print(f"{model.parameter_count():,} parameters, {model.parameter_count(active=True):,} of them used per token\n")

# the loop -------------------------------------------------------------------------------------------------------------
for step in range(1, STEPS + 1):
    rows = torch.randint(DOCUMENTS, (BATCH,))
    T = int(size_N[rows].max())
    input_BT, target_BT = ids_NT[rows, : T - 1], want_NT[rows, 1:T]
    loads = moe.ExpertLoad()  # counts how many tokens each expert is given
    logits_BTV = model(input_BT, valid_BT=input_BT != pad, loads=loads)
    loss = F.cross_entropy(logits_BTV.flatten(0, 1), target_BT.flatten(), ignore_index=pad)
    for group in optimizer.param_groups:
        group["lr"] = LR * min(step / WARMUP, (STEPS - step + 1) / (STEPS - WARMUP))
    optimizer.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    moe.update_bias(model, loads.counts, BALANCE)
    if step % 50 == 0:
        print(f"step {step:4}  loss {loss.item():.3f}  {time.process_time() - began:3.0f} s")

# does it answer? ------------------------------------------------------------------------------------------------------
held_out = [p for size in SIZES for p in arithmetic.problem_set([FAMILY], "test", HELD_OUT // len(SIZES), 0, size)]
prompts = [[bos, *tokenizer.encode(f"Question: {p.question}\nThought:")] for p in held_out]
out = generate(model, prompts, max_new_tokens=LENGTH, temperature=0.0)
replies = [tokenizer.decode(ids).removesuffix(EOS) for ids in out.ids]
correct = [reply.endswith(f"\nAnswer: {p.answer}") for p, reply in zip(held_out, replies)]
for p, reply, right in list(zip(held_out, replies, correct))[:: HELD_OUT // 3]:
    print(f"\nQuestion: {p.question}\nThought:{reply}\n({'correct' if right else 'wrong, it is ' + p.answer})")
share, seconds = sum(correct) / len(correct), time.process_time() - began
print(f"\nheld out: {100 * share:.1f} % of {len(correct)} problems, {seconds:.0f} s")
