"""Optimizers and learning-rate schedules: AdamW, Muon, and which parameter gets which.

AdamW (Loshchilov & Hutter 2019, alg. 2), written out in `adamw_update`. Training runs torch's own, fused: on CPU one
call for all tensors, 3-6 times faster than `foreach` at 0.5 M parameters in 40 tensors.

    m = b1 m + (1-b1) g;   v = b2 v + (1-b2) g^2;   w = w (1 - lr wd) - lr (m / (1-b1^t)) / (sqrt(v / (1-b2^t)) + eps)

Muon (Jordan 2024, kellerjordan.github.io/posts/muon) for a weight *matrix* w [rows, cols]: the step is the momentum
with all its singular values set to about 1, so every direction of the matrix moves equally far.

    m = mu m + (1-mu) g;   u = mu m + (1-mu) g  (Nesterov);   w = w (1 - lr wd) - lr sqrt(max(1, rows/cols)) polar(u)

polar(U S V^T) = U V^T comes from 5 Newton-Schulz steps (`orthogonalise`): matrix products only, no SVD.
Trade-off: 15 extra matrix products per matrix and step, a tenth of a tiny model's step, for a lower loss at equal time.

Which parameter: Muon takes the matrices inside the layers. Embedding, output head and router gate stay with AdamW
(their rows belong to single tokens or experts and are not one linear map), and so do all vectors, without weight decay.
A fused tensor is several matrices: experts [E, rows, cols] are E matrices, `gate_up_proj` [E, 2I, H] is 2E.

Left out: a learning rate or momentum warm-up of Muon's own, and shards of one matrix over devices.
"""

import copy
import math
from collections.abc import Iterable

import torch
from torch import Tensor, nn

from minids.dispatch import as_written, definitions
from minids.errors import MinidsError
from minids.train.parallel import Comm


def adamw_update(
    w: Tensor,
    g: Tensor,
    m: Tensor,
    v: Tensor,
    step: int,
    lr: float,
    beta1: float = 0.9,
    beta2: float = 0.95,
    eps: float = 1e-8,
    weight_decay: float = 0.1,
) -> tuple[Tensor, Tensor, Tensor]:
    """One AdamW update of one tensor -> the new (w, m, v); the given tensors stay as they are.

    w, g, m, v: weight, its gradient, and the running means of the gradient and of its square, all of one shape. m and v
    are zeros before the first update, which has step = 1. Returns the plain running means, without the correction for
    their start. Loshchilov & Hutter 2019 (arXiv 1711.05101), algorithm 2.
    """
    # Both means move a little towards what this batch says.
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g * g
    # They began at zero: after `step` updates only a share 1 - beta^step of each has been filled.
    m_hat, v_hat = m / (1 - beta1**step), v / (1 - beta2**step)
    # Decoupled decay: it shrinks the weight itself, and is not divided by the root of v.
    return w * (1 - lr * weight_decay) - lr * m_hat / (v_hat.sqrt() + eps), m, v


definitions(adamw_update)  # torch's fused optimizer computes it


class AdamW(torch.optim.AdamW):
    """torch's fused AdamW, as long as `adamw_update` is the one above; else that one, tensor by tensor."""

    @torch.no_grad()
    def step(self, closure=None) -> None:
        """One update of every parameter that has a gradient."""
        if as_written(adamw_update):
            return super().step(closure)
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    continue
                state = self.state[p]
                if not state:  # as torch's own keeps it, so that a checkpoint fits both
                    state.update(step=torch.tensor(0.0), exp_avg=torch.zeros_like(p), exp_avg_sq=torch.zeros_like(p))
                state["step"] += 1
                held = (p, state["exp_avg"], state["exp_avg_sq"])
                new = adamw_update(
                    p.detach(),
                    p.grad,
                    *held[1:],
                    int(state["step"]),
                    group["lr"],
                    *group["betas"],
                    group["eps"],
                    group["weight_decay"],
                )
                for old, value in zip(held, new):
                    old.copy_(value)


NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)  # Jordan 2024: steepest at 0, so that small singular values grow fast


def orthogonalise(x_NRC: Tensor, steps: int = 5, eps: float = 1e-7) -> Tensor:
    """U V^T of each matrix U S V^T of a batch [N, rows, cols], roughly: singular values land in about [0.7, 1.2].

    Each step maps every singular value s to a s + b s^3 + c s^5, with (a, b, c) = NEWTON_SCHULZ, by matrix products
    alone: x -> a x + b (x x^T) x + c (x x^T)^2 x, after x was divided by its Frobenius norm. A matrix of zeros stays
    one (`eps` is the least norm to divide by). Any shape works; rows <= cols is cheapest, as the Gram matrix x x^T is
    rows x rows. Jordan 2024.
    """
    a, b, c = NEWTON_SCHULZ
    # No singular value is above the Frobenius norm: divided by it, all are in [0, 1], where the steps converge.
    x_NRC = x_NRC / torch.linalg.vector_norm(x_NRC, dim=(1, 2), keepdim=True).clamp(min=eps)
    for _ in range(steps):
        # (b G + c G^2) x needs the Gram matrix G once.
        gram_NRR = x_NRC @ x_NRC.mT
        poly_NRR = torch.baddbmm(gram_NRR, gram_NRR, gram_NRR, beta=b, alpha=c)
        x_NRC = torch.baddbmm(x_NRC, poly_NRR, x_NRC, beta=a)
    return x_NRC


def as_matrices(w: Tensor, blocks: int = 1) -> Tensor:
    """View of a weight as matrices [N, rows, cols]: one per expert if it is 3-D, each cut into `blocks` by rows."""
    return w.view(-1, w.shape[-2] // blocks, w.shape[-1])


class Muon(torch.optim.Optimizer):
    """Momentum, Nesterov, orthogonalisation, decoupled weight decay. `blocks` is a setting of a parameter group.

    With a `comm` of several processes these share the orthogonalisation; all must step together.
    """

    def __init__(
        self,
        params,
        lr: float,
        weight_decay: float = 0.0,
        momentum: float = 0.95,
        ns_steps: int = 5,
        comm: Comm | None = None,
    ):
        self.comm = comm or Comm()
        super().__init__(params, dict(lr=lr, weight_decay=weight_decay, momentum=momentum, ns_steps=ns_steps, blocks=1))

    @torch.no_grad()
    def step(self, closure=None) -> None:
        """One update of every parameter that has a gradient: the Nesterov direction, orthogonalised, times lr
        sqrt(max(1, rows/cols))."""
        batches: dict[tuple, list] = {}
        for group in self.param_groups:
            params = [p for p in group["params"] if p.grad is not None]
            if not params:
                continue
            grads = [p.grad for p in params]
            for p in params:
                if not self.state[p]:
                    self.state[p]["momentum"] = torch.zeros_like(p)
            momenta = [self.state[p]["momentum"] for p in params]
            torch._foreach_lerp_(momenta, grads, 1 - group["momentum"])
            updates = torch._foreach_lerp(grads, momenta, group["momentum"])
            if group["weight_decay"]:
                torch._foreach_mul_(params, 1 - group["lr"] * group["weight_decay"])
            for p, update in zip(params, updates):
                target, update = as_matrices(p, group["blocks"]), as_matrices(update, group["blocks"])
                rows, cols = target.shape[1:]
                scale = -group["lr"] * math.sqrt(max(1, rows / cols))
                if rows > cols:  # wide is cheaper, and polar(x^T) = polar(x)^T
                    target, update = target.mT, update.mT
                batches.setdefault((group["ns_steps"], *target.shape[1:]), []).append((target, update, scale))

        members = list(batches.items())
        polars = self._orthogonalise([(torch.cat([update for _, update, _ in m]), steps) for (steps, *_), m in members])
        for (_, batch), x_NRC in zip(members, polars):
            targets, _, scales = zip(*batch)
            pieces = list(x_NRC.to(targets[0].dtype).split([len(t) for t in targets]))
            torch._foreach_mul_(pieces, list(scales))
            torch._foreach_add_(list(targets), pieces)

    def _orthogonalise(self, batches: list[tuple[Tensor, int]]) -> list[Tensor]:
        """Each (batch, steps) orthogonalised: one product for all matrices of a shape, as each call costs time too.

        Every process has the same momentum; it does its share of each batch, and one sum (zeros elsewhere) joins them.
        """
        # bf16 is enough on a GPU (the direction is approximate anyway) and several times faster there
        batches = [(x.bfloat16() if x.is_cuda else x, steps) for x, steps in batches]
        rank, world = self.comm.rank, self.comm.world
        if world == 1:
            return [orthogonalise(x_NRC, steps) for x_NRC, steps in batches]
        flat = torch.cat([x.new_zeros(x.numel()) for x, _ in batches])
        results = [part.view_as(x) for part, (x, _) in zip(flat.split([x.numel() for x, _ in batches]), batches)]
        for i, ((x_NRC, steps), result_NRC) in enumerate(zip(batches, results)):
            turn, n = (rank + i) % world, len(x_NRC)  # taking turns evens out what does not divide
            share = slice(n * turn // world, n * (turn + 1) // world)
            result_NRC[share] = orthogonalise(x_NRC[share], steps)
        self.comm.all_reduce_(flat)
        return results


class Optimizers:
    """Several torch optimizers behind one face. A group's learning rate is `lr * group["lr_factor"]`."""

    def __init__(self, optimizers: Iterable[torch.optim.Optimizer]):
        self.optimizers = list(optimizers)

    @property
    def param_groups(self) -> list[dict]:
        """The groups of all optimizers."""
        return [group for optimizer in self.optimizers for group in optimizer.param_groups]

    def set_lr(self, lr: float) -> None:
        """Sets each group's rate to lr * its lr_factor."""
        for group in self.param_groups:
            group["lr"] = lr * group.get("lr_factor", 1.0)

    def step(self) -> None:
        """One update of all parameters."""
        for optimizer in self.optimizers:
            optimizer.step()

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Drops the gradients, or sets them to zero."""
        for optimizer in self.optimizers:
            optimizer.zero_grad(set_to_none)

    def state_dict(self) -> dict:
        """{class name of an optimizer: its state}."""
        return {type(o).__name__: o.state_dict() for o in self.optimizers}

    def load_state_dict(self, state: dict) -> None:
        """Takes a `state_dict` back. Raises MinidsError for one of other optimizers."""
        names = [type(o).__name__ for o in self.optimizers]
        if names != list(state):
            raise MinidsError(
                f"the saved optimizer is {' + '.join(state)}, this run uses {' + '.join(names)}: "
                "set the recipe's optimizer back, or start in a new folder"
            )
        for optimizer in self.optimizers:
            saved = state[type(optimizer).__name__]
            ours = [group.get("param_names") for group in optimizer.param_groups]
            if ours != [group.get("param_names") for group in saved["param_groups"]]:
                raise MinidsError(
                    "the saved optimizer belongs to a model with other parameters: "
                    "set the recipe's model back, or start in a new folder"
                )
            optimizer.load_state_dict(copy.deepcopy(saved))  # torch would keep the given tensors as its own


def split_parameters(model: nn.Module) -> dict[str, list[tuple[str, nn.Parameter]]]:
    """Named trainable parameters by treatment: `matrix`, `fused` (gate_up_proj: two matrices), `other`, `vector`."""
    kinds: dict[str, list] = {"matrix": [], "fused": [], "other": [], "vector": []}
    for name, p in model.named_parameters():
        if not p.requires_grad:
            continue
        if p.ndim < 2:
            kind = "vector"
        elif "embed_tokens" in name or "lm_head" in name or name.endswith("gate.weight"):
            kind = "other"
        else:
            kind = "fused" if name.endswith("gate_up_proj") else "matrix"
        kinds[kind].append((name, p))
    return kinds


OPTIMIZERS = {
    "muon": "Muon for the layers' matrices (Jordan 2024), AdamW for the rest",
    "adamw": "AdamW for all weights (arXiv 1711.05101)",
}


def build_optimizer(
    model: nn.Module,
    name: str = "muon",
    *,
    lr: float,
    weight_decay: float = 0.0,
    betas: tuple[float, float] = (0.9, 0.95),
    eps: float = 1e-8,
    muon_lr_factor: float = 8.0,
    momentum: float = 0.95,
    ns_steps: int = 5,
    comm: Comm | None = None,
) -> Optimizers:
    """`muon`: Muon for the layers' matrices at `muon_lr_factor * lr`, AdamW for the rest. `adamw`: AdamW for all.

    Why a factor: AdamW moves an element by about lr a step, Muon by lr / sqrt(cols) (a matrix with unit singular values
    spreads them over its elements). sqrt(cols) ~ 10 at our size, so 8 makes the two comparable. Moonlight (Liu et al.
    2025, §2.2) puts the same thought into a rule, 0.2 sqrt(max(rows, cols)), so that one lr serves both. Raises
    MinidsError for another name.
    """
    if name not in OPTIMIZERS:
        raise MinidsError(f"optimizer {name!r} is not known: choose 'muon' or 'adamw'")
    kinds = split_parameters(model)
    matrices = kinds["matrix"] + kinds["fused"]
    decayed = kinds["other"] if name == "muon" else matrices + kinds["other"]
    groups = [{"params": decayed, "weight_decay": weight_decay}, {"params": kinds["vector"], "weight_decay": 0.0}]
    groups = [{**g, "lr_factor": 1.0} for g in groups if g["params"]]
    optimizers = []
    if groups:
        optimizers.append(AdamW(groups, lr=lr, betas=betas, eps=eps, fused=_can_fuse(model)))
    if name == "muon" and matrices:
        groups = [{"params": kinds["matrix"], "blocks": 1}, {"params": kinds["fused"], "blocks": 2}]
        groups = [{**g, "lr_factor": muon_lr_factor} for g in groups if g["params"]]
        optimizers.append(
            Muon(
                groups,
                lr=lr * muon_lr_factor,
                weight_decay=weight_decay,
                momentum=momentum,
                ns_steps=ns_steps,
                comm=comm,
            )
        )
    both = Optimizers(optimizers)
    both.set_lr(lr)
    return both


def _can_fuse(model: nn.Module) -> bool:
    return all(p.device.type in ("cpu", "cuda") and p.is_floating_point() for p in model.parameters())


# --- Schedules: (step, steps, warmup) -> factor of the peak learning rate. Updates are numbered 0 .. steps-1. -------


def constant(step: int, steps: int, warmup: int = 0) -> float:
    """Linear warm-up over `warmup` updates (the first one already moves), then 1."""
    return min(1.0, (step + 1) / warmup) if warmup else 1.0


def warmup_linear(step: int, steps: int, warmup: int = 0, final: float = 0.0) -> float:
    """Warm-up, then a straight line that would reach `final` at update `steps`, one after the last."""
    if step < warmup:
        return constant(step, steps, warmup)
    return final + (1 - final) * max(0.0, (steps - step) / max(1, steps - warmup))


def warmup_cosine(step: int, steps: int, warmup: int = 0, final: float = 0.1) -> float:
    """Warm-up, then half a cosine from 1 to `final`, reached one update after the last."""
    if step < warmup:
        return constant(step, steps, warmup)
    done = min(1.0, (step - warmup) / max(1, steps - warmup))
    return final + (1 - final) * 0.5 * (1 + math.cos(math.pi * done))


V3_TOKENS = 14.8e12


def deepseek_v3(step: int, steps: int, warmup: int = 0) -> float:
    """DeepSeek-V3's pretraining schedule (arXiv 2412.19437 §4.2) as a factor of the peak rate, which is 2.2e-4 there.

    Linear warm-up (2K updates there), (step + 1) / warmup, as in `constant`, however long it is; constant 2.2e-4 until
    10T tokens; half a cosine to 2.2e-5 over the next 4.3T; 2.2e-5 for 333B; 7.3e-6 for the last 167B of 14.8T. `step`
    counts updates from 0. The token counts are taken as fractions of the run: before update `step` of `steps`,
    V3_TOKENS * step / steps have been seen, warm-up included.
    """
    if step < warmup:
        return constant(step, steps, warmup)
    tokens = V3_TOKENS * step / steps
    # The plateau, two thirds of the run.
    if tokens < 10e12:
        return 1.0
    # Half a cosine from 1 to 0.1.
    if tokens < 14.3e12:
        return 0.1 + 0.9 * 0.5 * (1 + math.cos(math.pi * (tokens - 10e12) / 4.3e12))
    # Two flat ends.
    return 0.1 if tokens < V3_TOKENS - 167e9 else 7.3e-6 / 2.2e-4


SCHEDULES = {
    "constant": "stays",
    "deepseek_v3": "stays for two thirds, half a cosine to a tenth, at the end a third of that (arXiv 2412.19437 §4.2)",
    "warmup_cosine": "half a cosine to a tenth",
    "warmup_linear": "a straight line to 0",
}


def schedule(name: str, step: int, steps: int, warmup: int = 0) -> float:
    """The factor that the schedule of this name (one of SCHEDULES) gives; looked up when it is asked for."""
    return globals()[name](step, steps, warmup)
