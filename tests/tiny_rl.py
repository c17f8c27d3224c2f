"""A tiny model that writes the chat template, for tests of RL; the fixture `start` (conftest.py) trains it once."""

import torch

from minids import ModelConfig, Tokenizer, Transformer
from minids.rl import config as rl_config
from minids.tasks import documents
from minids.train import loop

FAMILIES = ["add"]


def trained_start():
    """-> (tokenizer, weights, config) of a model that has seen hasty one- and two-digit sums for a moment."""
    parts = list(documents.pretraining_parts(FAMILIES, 400, mix={"hasty": 1.0}, fact_share=0.0, seed=0))
    tokenizer = Tokenizer.train(documents.pretraining_texts(parts), 290, digits="single")
    torch.manual_seed(0)
    model = Transformer(
        ModelConfig(
            vocab_size=len(tokenizer),
            hidden_size=32,
            intermediate_size=64,
            moe_intermediate_size=16,
            num_hidden_layers=2,
            num_attention_heads=2,
            kv_lora_rank=8,
            q_lora_rank=None,
            qk_rope_head_dim=4,
            qk_nope_head_dim=8,
            v_head_dim=8,
            n_routed_experts=4,
            n_group=1,
            topk_group=1,
            num_experts_per_tok=2,
            first_k_dense_replace=1,
            max_position_embeddings=128,
            initializer_range=0.15,
            eos_token_id=tokenizer.eos_id,
        )
    )
    docs = documents.chat_documents(tokenizer, FAMILIES, 600, mix={"hasty": 1.0}, seed=0)
    source = documents.Source(docs, 800, seed=0)
    loop.train(model, source, loop.TrainConfig(steps=120, lr=3e-3, warmup=10), quiet=True)
    return tokenizer, {k: v.clone() for k, v in model.state_dict().items()}, model.config


def fresh(start):
    tokenizer, weights, config = start
    model = Transformer(config)
    model.load_state_dict(weights)
    return tokenizer, model


def config(**change):
    return rl_config.RLConfig(
        **(
            dict(
                steps=4,
                lr=1e-3,
                warmup=1,
                prompts_per_step=6,
                num_generations=4,
                max_new_tokens=40,
                reward={"accuracy": 1.0, "format": 0.5},
            )
            | change
        )
    )
