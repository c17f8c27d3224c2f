"""A trained model answers a question: its thought, its answer, and how sure it was of each token."""

import minids

model, tokenizer = minids.load("runs/tiny")
reply = minids.chat(model, tokenizer, "347+5896")
print(f"thought: {reply.thought}\nanswer:  {reply.answer}")
for token, logprob in zip(reply.tokens, reply.logprobs):
    print(f"{logprob:8.4f}  {token!r}")
