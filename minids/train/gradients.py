"""All gradients of a model in one buffer, with room for the sums that belong to them.

One buffer means one all-reduce, one norm, one scaling and one zeroing for a model of dozens of small tensors.
"""

import torch
from torch import nn

from minids.errors import MinidsError


def clip_factor(norm: float, limit: float) -> float:
    """What to multiply all gradients with so that their common norm is at most `limit`; 0 as a limit means none.

    norm: the Euclidean norm of all gradients of the model together, as if they were one vector. One factor for all
    keeps the direction of the step. Gradients within the limit stay as they are; a norm of 0 is no error. The result
    may be too small by a relative 1e-6 / norm. Pascanu et al. 2013 (arXiv 1211.5063), algorithm 1.
    """
    return min(1.0, limit / (norm + 1e-6)) if limit else 1.0


class FlatGradients:
    """Every parameter's .grad as a view of one buffer, followed by the step's sums, so that they travel together."""

    SUMS = ("loss", "mtp", "balance", "weight", "tokens", "stop")

    def __init__(self, model: nn.Module):
        params = [p for p in model.parameters() if p.requires_grad]
        kinds = {(p.dtype, p.device) for p in params}
        if len(kinds) != 1 or params[0].dtype.itemsize < 4:
            found = ", ".join(sorted(f"{dtype} on {device}" for dtype, device in kinds)) or "none"
            raise MinidsError(
                f"the weights to train are of {found}: training needs all of them in float32 on one "
                "device (bf16 is a setting of the loop: precision = 'bf16')"
            )
        sizes = [p.numel() for p in params]
        self.buffer = torch.zeros(sum(sizes) + len(self.SUMS), dtype=params[0].dtype, device=params[0].device)
        self.grads, self.sums = self.buffer[: -len(self.SUMS)], self.buffer[-len(self.SUMS) :]
        self.params, self.views = params, [g.view_as(p) for p, g in zip(params, self.grads.split(sizes))]

    def zero_(self) -> None:
        """Sets gradients and sums to zero, and points every parameter's .grad into the buffer."""
        self.buffer.zero_()
        for p, view in zip(self.params, self.views):
            p.grad = view  # autograd adds into it

    def add(self, **sums) -> None:
        """Adds to the step's sums, by their names in SUMS."""
        for name, value in sums.items():
            self.sums[self.SUMS.index(name)] += value

    def read(self) -> dict[str, float]:
        """The sums, and the norm of the gradients, in one transfer from the device."""
        values = torch.cat([self.sums.double(), torch.linalg.vector_norm(self.grads).double()[None]]).tolist()
        return dict(zip((*self.SUMS, "norm"), values))
