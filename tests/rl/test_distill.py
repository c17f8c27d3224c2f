"""Distillation from logits against torch's own KL, and what its gradient is."""

import pytest
import torch
import torch.nn.functional as F

from minids import MinidsError, ModelConfig, Transformer
from minids.rl import distill
from minids.text.corpus import Batch
from minids.train import loop, loss


def model(seed, vocab=40, **change):
    torch.manual_seed(seed)
    return Transformer(
        ModelConfig(
            **{
                **dict(
                    vocab_size=vocab,
                    hidden_size=16,
                    intermediate_size=32,
                    moe_intermediate_size=8,
                    num_hidden_layers=2,
                    num_attention_heads=2,
                    kv_lora_rank=8,
                    q_lora_rank=None,
                    qk_rope_head_dim=4,
                    qk_nope_head_dim=4,
                    v_head_dim=4,
                    n_routed_experts=4,
                    num_experts_per_tok=2,
                    n_group=1,
                    topk_group=1,
                    first_k_dense_replace=1,
                    max_position_embeddings=64,
                    initializer_range=0.2,
                ),
                **change,
            }
        )
    )


def batch(seed=0, B=3, T=9, vocab=40):
    g = torch.Generator().manual_seed(seed)
    weight = torch.randint(0, 3, (B, T), generator=g) / 2
    weight[:, 0] = 0
    ids = torch.randint(vocab, (B, T), generator=g)
    return Batch(ids, weight, torch.ones(B, T, dtype=torch.bool))


@pytest.mark.parametrize("seed", range(3))
def test_the_sum_is_torchs(seed):
    g = torch.Generator().manual_seed(seed)
    student, teacher = (torch.randn(7, 11, generator=g, dtype=torch.float64) for _ in range(2))
    weight = torch.rand(7, generator=g, dtype=torch.float64)
    theirs = F.kl_div(student.log_softmax(-1), teacher.log_softmax(-1), log_target=True, reduction="none").sum(-1)
    torch.testing.assert_close(distill.kl_sum(student, teacher, weight), (theirs * weight).sum())


def test_its_gradient_is_the_difference_of_probabilities():
    g = torch.Generator().manual_seed(1)
    student = torch.randn(5, 8, generator=g, dtype=torch.float64, requires_grad=True)
    teacher = torch.randn(5, 8, generator=g, dtype=torch.float64, requires_grad=True)
    weight = torch.rand(5, generator=g, dtype=torch.float64)
    distill.kl_sum(student, teacher, weight).backward()
    torch.testing.assert_close(student.grad, weight[:, None] * (student.softmax(-1) - teacher.softmax(-1)).detach())
    assert teacher.grad is None


def test_the_objective_looks_where_the_next_token_loss_looks():
    """On weighted positions only, and at a teacher that is sure of the next token it is the next-token loss."""
    student, b = model(0), batch()

    class Sure(torch.nn.Module):
        config = student.config

        def hidden(self, ids, **where):
            return F.one_hot(F.pad(ids[:, 1:], (0, 1)), 40).float() * 1e3

        def lm_head(self, x):
            return x

    main, mtp = distill.FromLogits(Sure())(student, b)
    expected, _ = loss.lm_loss(student, b)
    torch.testing.assert_close(main, expected)
    assert mtp == 0


def test_a_student_comes_nearer_to_its_teacher():
    teacher, student = model(0), model(1, hidden_size=8, first_k_dense_replace=2)
    before, _ = distill.FromLogits(teacher)(student, batch(99))
    config = loop.TrainConfig(steps=150, lr=1e-2, optimizer="adamw")
    loop.train(student, lambda step: [batch(step)], config, quiet=True, objective=distill.FromLogits(teacher))
    after, _ = distill.FromLogits(teacher)(student, batch(99))
    assert after < 0.6 * before


def test_another_vocabulary_is_refused():
    with pytest.raises(MinidsError, match="vocabulary"):
        distill.FromLogits(model(0, vocab=50))(model(1), batch())
