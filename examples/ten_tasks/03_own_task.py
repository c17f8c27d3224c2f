"""A task of your own from a model that is there: a little SFT on worked problems, then RL on graded ones."""

import minids
from minids.train import metrics

model, tokenizer = minids.load("runs/tiny/base")
done = minids.sft(model, tokenizer, "cmp.jsonl", minids.SFTConfig(steps=130))
print(f"SFT: {done.loss:.3f} nats per token after {done.step} steps")
config = minids.RLConfig(steps=20, lr=3e-4, max_new_tokens=64)
minids.train_rl(model, tokenizer, ["user:cmp.jsonl@check.py:verify"], config, out_dir="cmp-rl")
for line in metrics.read("cmp-rl/metrics.jsonl")[:: config.steps - 1]:
    print(f"RL, iteration {line['step']}: {line['accuracy']:.0%} right")
print(minids.chat(model, tokenizer, "which is larger, 53 or 47?").answer)
