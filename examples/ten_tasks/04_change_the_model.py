"""The same training with one part of the model changed: grouped-query attention for MLA, or twice the experts."""

import torch

from minids import TrainConfig, Transformer, load, pretrain
from minids.text import corpus

base, tokenizer = load("runs/tiny")
source = corpus.batches("corpus.txt", tokenizer, length=64, rows=8, seed=0)
for change in ({}, {"attention": "gqa", "num_key_value_heads": 2}, {"n_routed_experts": 16, "num_experts_per_tok": 4}):
    torch.manual_seed(0)
    model = Transformer(base.config.replace(**change))
    loss = pretrain(model, source, TrainConfig(steps=20, lr=2e-3), quiet=True).loss
    sizes = f"{model.parameter_count():,} parameters, {model.config.cache_elements} numbers cached per token and layer"
    print(f"{change or 'as it is'}: {sizes}, loss {loss:.3f}")
