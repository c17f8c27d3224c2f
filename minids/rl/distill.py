"""Distillation: a small model learns from a large one.

    from samples   next-token loss on the teacher's answers: train.loop on documents of `rl.rejection`; what R1's
                   small models were made by (arXiv 2501.12948 §2.4), and all that is possible when only text is there
    from logits    L = 1/W sum_t w_t KL( p_teacher(. | prefix) || p_student(. | prefix) )    (arXiv 1503.02531)

On the same documents the second says more: for each position a whole distribution instead of one token. Its gradient
with respect to the student's logits is  w_t (p_student - p_teacher): that of the next-token loss, with the teacher's
probabilities in the place of the one token that was drawn. The price is the teacher's forward, and one vocabulary.

Shapes: B rows, T time, D hidden, N positions with weight, V vocabulary.
Left out: temperatures other than 1; KL in the other direction, on the student's own samples (on-policy distillation);
matching hidden states.
"""

import torch

from minids.errors import MinidsError
from minids.model.transformer import Transformer
from minids.train.loss import targets_ahead


def kl_sum(student_NV, teacher_NV, weight_N):
    """sum_n weight_n * KL(teacher_n || student_n) in nats, a scalar; gradients flow into the student's logits alone.

    student_NV, teacher_NV   logits [N, V] of the same positions; weight_N [N]
    """
    log_student_NV, log_teacher_NV = student_NV.log_softmax(-1), teacher_NV.detach().log_softmax(-1)
    # sum over the vocabulary of p (log p - log q)
    kl_N = (log_teacher_NV.exp() * (log_teacher_NV - log_student_NV)).sum(-1)
    return (weight_N * kl_N).sum()


class FromLogits:
    """An objective for `train.loop.train`: the student is told the teacher's whole distribution at each position."""

    def __init__(self, teacher: Transformer):
        self.teacher = teacher.eval()

    def __call__(self, model, batch, *, loads=None, mtp_lambda=0.0):
        if model.config.vocab_size != self.teacher.config.vocab_size:
            raise MinidsError(
                f"distill: the student has {model.config.vocab_size} tokens, the teacher "
                f"{self.teacher.config.vocab_size}: logits can only be matched in one vocabulary; distil from samples"
            )
        where = dict(doc_ids_BT=batch.doc_ids_BT, valid_BT=batch.valid_BT)
        _, weight_BT = targets_ahead(batch.ids_BT, batch.weight_BT, batch.doc_ids_BT, ahead=1)
        used_N = weight_BT.flatten().nonzero()[:, 0]
        with torch.no_grad():
            teacher_NV = self._logits(self.teacher, batch, used_N, where)
        student_NV = self._logits(model, batch, used_N, {**where, "loads": loads})
        main = kl_sum(student_NV, teacher_NV, weight_BT.flatten()[used_N])
        return main, torch.zeros_like(main)

    @staticmethod
    def _logits(model, batch, used_N, where):
        return model.lm_head(model.hidden(batch.ids_BT, **where).flatten(0, 1)[used_N])
