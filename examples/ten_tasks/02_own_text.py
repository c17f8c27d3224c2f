"""A model of your own text: tokenizer, model, training that goes on where it was stopped, and a sample."""

from minids import ModelConfig, Tokenizer, TrainConfig, Transformer, generate, pretrain
from minids.text import corpus

tokenizer = Tokenizer.train(corpus.load_texts("corpus.txt"), 400)
model = Transformer(ModelConfig.small(tokenizer, hidden_size=64, num_hidden_layers=2))
source = corpus.batches("corpus.txt", tokenizer, length=64, rows=8, seed=0)
result = pretrain(model, source, TrainConfig(steps=60, lr=2e-3, warmup=5), out_dir="own/checkpoints", resume=True)
print(f"{result.tokens:,} tokens, a loss of {result.loss:.2f} per token")
for part in (model, tokenizer):
    part.save_pretrained("own/model")
reply = generate(model, [[tokenizer.bos_id]], max_new_tokens=20, temperature=0.8)
print(tokenizer.decode(reply.ids[0]))
