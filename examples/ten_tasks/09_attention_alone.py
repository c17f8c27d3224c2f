"""Attention alone: in pieces with a cache, and by the decode kernel on what lies in the cache."""

import torch

import minids
from minids.kernels.decode import mla_decode
from minids.model.attention import MLA

config, T = minids.ModelConfig.from_pretrained("runs/tiny/model"), 10
attention, x = MLA(config, layer=0).requires_grad_(False), torch.randn(2, T, config.hidden_size)
(cos, sin), cache = minids.rotary_table(config, T), minids.Cache(config, batch=2, max_length=T)
pieces = [attention(x[:, a:b], cos[a:b], sin[a:b], cache=cache) for a, b in ((0, 5), (5, 9), (9, T))]
print("pieces against the whole:", (torch.cat(pieces, dim=1) - attention(x, cos, sin)).abs().max().item())
queries = attention.latent_queries(x[:, -1:], cos[-1:], sin[-1:])
latents, _ = mla_decode(queries, cache.columns(0), torch.full((2,), T).int(), attention.scale, config.kv_lora_rank)
print("the kernel against the last piece:", (attention.from_latents(latents) - pieces[-1]).abs().max().item())
