"""A tiny model and a resumable source, shared by the tests of minids/train."""

from dataclasses import dataclass

import torch

from minids.model.config import ModelConfig
from minids.model.transformer import Transformer
from minids.text.corpus import Batch
from minids.train.loop import TrainConfig

VOCAB = 23


def tiny_model(seed=0, mtp=1, dtype=torch.float32, layers=3, **changes):
    torch.manual_seed(seed)
    settings = dict(
        vocab_size=VOCAB,
        hidden_size=16,
        intermediate_size=24,
        moe_intermediate_size=8,
        num_hidden_layers=layers,
        num_attention_heads=2,
        n_shared_experts=1,
        n_routed_experts=4,
        num_experts_per_tok=2,
        n_group=1,
        topk_group=1,
        kv_lora_rank=8,
        q_lora_rank=None,
        qk_rope_head_dim=4,
        qk_nope_head_dim=4,
        v_head_dim=8,
        first_k_dense_replace=1,
        num_nextn_predict_layers=mtp,
        max_position_embeddings=64,
        initializer_range=0.1,
    )
    return Transformer(ModelConfig(**{**settings, **changes})).to(dtype)


def make_batch(seed, rows=4, length=12, packed=False, ragged=True):
    """Counting texts with a random start; `ragged` pads some rows, `packed` puts two texts in a row."""
    g = torch.Generator().manual_seed(seed)
    ids = (torch.randint(0, VOCAB, (rows, 1), generator=g) + torch.arange(length)) % VOCAB
    ids[:, ::3] = torch.randint(0, VOCAB, ids[:, ::3].shape, generator=g)
    weight, valid = torch.ones(rows, length), torch.ones(rows, length, dtype=torch.bool)
    weight[:, 0], doc_ids = 0, None
    if packed:
        doc_ids = (torch.arange(length) >= length // 2).long().expand(rows, length).contiguous()
        weight[:, length // 2] = 0
    if ragged:
        lengths = torch.randint(length // 2 + 1, length + 1, (rows,), generator=g)
        valid = torch.arange(length) < lengths[:, None]
        weight, ids = weight * valid, ids * valid
        weight[:, 2] *= 0.25
    return Batch(ids, weight, valid, doc_ids)


@dataclass
class Source:
    """One global batch a step, cut into `micro` micro-batches a process."""

    rank: int = 0
    world: int = 1
    micro: int = 1
    rows: int = 4

    def __call__(self, step):
        batch = make_batch(1000 + step, rows=self.rows)
        parts = torch.arange(self.rows).chunk(self.world * self.micro)
        return [batch[p] for p in parts[self.rank * self.micro : (self.rank + 1) * self.micro]]


def settings(**changes):
    return TrainConfig(**{**dict(steps=6, lr=3e-3, warmup=2, weight_decay=0.05, log_every=2), **changes})


def state_of(model):
    return {k: v.clone() for k, v in model.state_dict().items()}


def assert_same_bits(a, b):
    assert a.keys() == b.keys()
    for key in a:
        assert torch.equal(a[key], b[key]), key


def assert_close(a, b, relative):
    """Per tensor: |a - b| / |b| in the Euclidean norm."""
    assert a.keys() == b.keys()
    for key in a:
        difference, size = (a[key] - b[key]).double().norm(), b[key].double().norm()
        error = difference / size.clamp(min=1e-12)
        assert error <= relative, f"{key}: relative error {error:.2e}"
