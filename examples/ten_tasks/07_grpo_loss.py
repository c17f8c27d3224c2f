"""The loss of GRPO on answers that were just drawn, with a reward of your own: here, answers that repeat no token."""

import torch

import minids
from minids.rl import grpo, rollout

model, tokenizer = minids.load("runs/tiny")
drawn = minids.generate(model, [rollout.prompt_of(tokenizer, "347+5896", "tags")], n=8, max_new_tokens=64)
ids_NT, mask_NT, old_logp_NT = rollout.batch(drawn)
adv_N, _ = grpo.advantages(torch.tensor([len(set(ids)) / len(ids) for ids in drawn.ids]), group_size=8)
logp_NT, _ = rollout.score(model, ids_NT, mask_NT, minids.RLConfig(steps=1, lr=1e-3))
loss, found = minids.grpo_loss(logp_NT, old_logp_NT, adv_N, mask_NT, clip="higher", clip_high=0.28)
loss.backward()
print(f"loss {loss:.4f} on {found['tokens']:.0f} tokens; ratios from {found['ratio_min']:.4f}")
