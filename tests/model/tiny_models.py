"""Small random models, and transformers' own built from them through a folder on disk."""

import torch

from minids.model.config import ModelConfig
from minids.model.moe import Gate
from minids.model.transformer import Transformer

YARN = {
    "type": "yarn",
    "factor": 4.0,
    "original_max_position_embeddings": 16,
    "mscale": 1.0,
    "mscale_all_dim": 1.0,
    "beta_fast": 32,
    "beta_slow": 1,
}
FORMS = {
    "plain": {},
    "q_lora": dict(q_lora_rank=14),
    "yarn": dict(rope_scaling=YARN),
    "q_lora yarn": dict(q_lora_rank=14, rope_scaling=YARN),
    "half-split rope": dict(rope_interleave=False, q_lora_rank=14),
    "attention bias": dict(attention_bias=True, q_lora_rank=14),
    "tied": dict(tie_word_embeddings=True),
    "one group": dict(n_group=1, topk_group=1),
    "gates not normalised": dict(norm_topk_prob=False, routed_scaling_factor=1.0),
    "all dense": dict(first_k_dense_replace=3),
    "yarn, mscale without mscale_all_dim": dict(rope_scaling={k: v for k, v in YARN.items() if k != "mscale_all_dim"}),
    "yarn, two different mscales": dict(rope_scaling=YARN | {"mscale": 0.7, "mscale_all_dim": 0.4}),
    "yarn, range not truncated": dict(rope_scaling=YARN | {"truncate": False, "beta_fast": 3}),
}


def tiny_config(**changes):
    """Three layers, two of them with 16 experts in 4 groups; every size different from every other."""
    sizes = dict(
        vocab_size=97,
        hidden_size=40,
        intermediate_size=56,
        moe_intermediate_size=20,
        num_hidden_layers=3,
        num_attention_heads=4,
        n_routed_experts=16,
        n_group=4,
        topk_group=2,
        num_experts_per_tok=3,
        n_shared_experts=2,
        first_k_dense_replace=1,
        kv_lora_rank=16,
        q_lora_rank=None,
        qk_rope_head_dim=8,
        qk_nope_head_dim=12,
        v_head_dim=10,
        max_position_embeddings=64,
        initializer_range=0.15,
    )
    return ModelConfig(**(sizes | changes))


def random_model(seed=0, dtype=None, lowest_bias=-2.5, **changes):
    """Norm weights and router biases random too (biases down to below -1), so that none of them can be forgotten."""
    torch.manual_seed(seed)
    model = Transformer(tiny_config(**changes)).eval()
    with torch.no_grad():
        for name, p in model.named_parameters():
            if "norm" in name or p.ndim == 1:
                p.normal_(1.0, 0.2)
        for module in model.modules():
            if isinstance(module, Gate):
                module.e_score_correction_bias.uniform_(lowest_bias, lowest_bias + 2)
    return model if dtype is None else model.to(dtype)


def ids_for(model, batch=2, length=40, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, model.config.vocab_size, (batch, length), generator=generator)


def relative(ours, theirs):
    return ((ours - theirs).norm() / theirs.norm()).item()
