"""RL with a reward and advantages of your own: partial credit for the digits that are right, a price on length."""

import minids
from minids.train import metrics


def reward(problem, reply, ids, finished):
    said = reply.partition("<answer>")[2].partition("</answer>")[0]
    digits = sum(a == b for a, b in zip(said[::-1], problem.answer[::-1])) / len(problem.answer)
    return {"digits": digits, "exact": float(said == problem.answer), "length": -0.002 * len(ids)}


model, tokenizer = minids.load("runs/tiny/sft")
config = minids.RLConfig(steps=2, lr=3e-4, max_new_tokens=64)
minids.train_rl(
    model, tokenizer, ["add"], config, reward=reward, advantages=lambda r: r - r.mean(1, True), out_dir="own"
)
print(metrics.read("own/metrics.jsonl")[-1]["parts"])
