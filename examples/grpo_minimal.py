"""GRPO on one page: a model that answers in haste learns that thinking longer pays.

    python examples/grpo_minimal.py [seed]

It starts from the model that the chapters use after supervised fine-tuning. That model knows careful thoughts and hasty
ones, and mostly guesses; only the reward, one point for the correct number, tells it which of the two to prefer. One
iteration, all of it below:

    sample      GROUP answers to each of PROMPTS questions
    reward      is the answer correct?                                      r_i
    advantage   how much better than the group's other answers?             A_i = (r_i - mean(r)) / std(r)
    update      a few optimizer steps on the clipped policy gradient        L = -mean_t min(w_t A, clip(w_t) A)

with w_t the ratio of a token's probability now to that when it was sampled. `minids.rl.trainer` is the same loop with
checkpoints, several processes, metrics and the published variants. Times are CPU time. Shapes: N answers, T tokens of
the longest question with its answer, V tokens in the vocabulary.
"""

import random
import sys
import time
from pathlib import Path

import torch

from minids import Tokenizer, Transformer, generate, grpo_loss
from minids.rl.grpo import advantages, token_logps
from minids.tasks import arithmetic
from minids.text import chat
from minids.text.tokenizer import EOS

# settings -------------------------------------------------------------------------------------------------------------
START = Path(__file__).parent.parent / "chapters" / "data" / "tiny" / "sft"
FAMILY = "word"  # stories such as "Ana has 14 pens. She buys 7 more …"; also: add, chain
STEPS = 14  # iterations of the loop
PROMPTS = 16  # questions per iteration
GROUP = 8  # answers per question, which are compared with each other
MINIBATCHES = 2  # optimizer steps per iteration; from the second on the ratios are no longer 1
LENGTH = 120  # most tokens of an answer; one that is cut off earns nothing
LR = 3e-4  # learning rate of AdamW, after WARMUP
WARMUP = 5  # iterations in which it rises to LR
CLIP = {"clip": "higher", "clip_low": 0.2, "clip_high": 0.28}  # ratios count within [1 - low, 1 + high] (DAPO)
HELD_OUT = 500  # questions of the test split, asked before and after
SEED = int(sys.argv[1]) if len(sys.argv) > 1 else 0

# model, data, optimizer -----------------------------------------------------------------------------------------------
torch.set_num_threads(1)  # the matrices are too small to share; one thread also makes a run repeatable
model = Transformer.from_pretrained(START, dtype=torch.float32)
tokenizer = Tokenizer.from_pretrained(START)
optimizer = torch.optim.AdamW(model.parameters(), lr=LR, betas=(0.9, 0.95), weight_decay=0.0)
rng = random.Random(SEED)
held_out = arithmetic.problem_set([FAMILY], "test", HELD_OUT, seed=0)  # no operands in common with the split "rl"


def answer(problems, n, temperature, seed):
    """n answers to each problem -> (prompts, ids, log-probabilities, rewards), problem by problem."""
    prompts = [chat.prompt_ids(tokenizer, p.question) for p in problems]
    seeds = [seed * 1_000_000 + i for i in range(len(prompts) * n)]
    out = generate(model, prompts, n=n, max_new_tokens=LENGTH, temperature=temperature, seeds=seeds)
    owners = [i for i in range(len(prompts)) for _ in range(n)]
    rewards = [
        reward(problems[i], tokenizer.decode(ids)) if done else 0.0
        for i, ids, done in zip(owners, out.ids, out.finished)
    ]
    return [prompts[i] for i in owners], out.ids, out.logps, torch.tensor(rewards)


def reward(problem, text):
    """1 for <think>…</think><answer>N</answer> with the correct N, else 0."""
    reply = chat.parse(text, "tags")
    return float(reply.well_formed and reply.answer is not None and reply.answer.strip() == problem.answer)


def accuracy(when):
    """Prints how often the held-out questions are answered correctly."""
    for name, temperature in (("greedy", 0.0), ("sampled", 1.0)):
        _, ids, _, rewards_N = answer(held_out, 1, temperature, seed=10_000 + SEED)
        length = sum(map(len, ids)) / len(ids)
        print(
            f"{when:6} {name:7}  {100 * rewards_N.mean():4.1f} % of {len(ids)} held-out questions, {length:.0f} tokens"
        )


def padded(prompts, ids, logps):
    """Questions with their answers as tensors [N, T]: tokens, which of them were sampled, their log-probabilities."""
    T = max(len(p) + len(a) for p, a in zip(prompts, ids))
    ids_NT, mask_NT = torch.zeros(len(ids), T, dtype=torch.long), torch.zeros(len(ids), T, dtype=torch.bool)
    logp_NT = torch.zeros(len(ids), T)
    for n, (p, a, logp) in enumerate(zip(prompts, ids, logps)):
        end = len(p) + len(a)
        ids_NT[n, :end] = torch.tensor([*p, *a])
        mask_NT[n, len(p) : end] = True
        logp_NT[n, len(p) : end] = logp
    return ids_NT, mask_NT, logp_NT


# the loop -------------------------------------------------------------------------------------------------------------
began = time.process_time()
accuracy("before")
for step in range(1, STEPS + 1):
    # sample and reward
    problems = [arithmetic.sample(FAMILY, rng, "rl") for _ in range(PROMPTS)]
    prompts, ids, logps, rewards_N = answer(problems, GROUP, 1.0, seed=(SEED + 1) * 1000 + step)
    # advantage; a group of equal rewards says nothing about what to prefer
    adv_N, informative_N = advantages(rewards_N, GROUP)
    rows = informative_N.nonzero().flatten().tolist()
    rng.shuffle(rows)
    # update
    for group in optimizer.param_groups:
        group["lr"] = LR * min(1.0, step / WARMUP)
    for m in range(MINIBATCHES):
        part = rows[m::MINIBATCHES]
        if not part:
            continue
        ids_NT, mask_NT, old_logp_NT = padded(*([x[i] for i in part] for x in (prompts, ids, logps)))
        logits_NTV = model(ids_NT[:, :-1])  # position t predicts token t + 1
        logp_NT = token_logps(logits_NTV, ids_NT[:, 1:])
        loss, _ = grpo_loss(logp_NT, old_logp_NT[:, 1:], adv_N[part], mask_NT[:, 1:], **CLIP)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
    length = sum(map(len, ids)) / len(ids)
    print(f"step {step:2}  reward {rewards_N.mean():.2f}  tokens {length:3.0f}  {time.process_time() - began:3.0f} s")
accuracy("after")

# what it says now -----------------------------------------------------------------------------------------------------
_, ids, _, rewards_N = answer(held_out[:3], 1, 0.0, seed=0)
for problem, text, r in zip(held_out, ids, rewards_N):
    reply = tokenizer.decode(text).removesuffix(EOS)
    print(f"\n{problem.question}\n{reply.strip()}\n({'correct' if r else 'wrong, it is ' + problem.answer})")
