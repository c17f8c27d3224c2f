"""The distribution a token is drawn from, written once for the sampler and for the loss.

    p = softmax( keep( z / T ) )        z: logits of the next token, T: temperature
    keep: first top-k, then top-p; everything left out becomes -inf

Shapes: logits [..., V] in, warped logits [..., V] out, in float32 (float64 stays float64).

The order (temperature, top-k, top-p) is the one Hugging Face's `generate` uses, so the same settings give the
same distribution. Truncation is off by default: with top-k or top-p on, a policy gradient that scores the
full softmax is no longer the gradient of the policy that was sampled (`rl.grpo.token_logps` scores the
truncated distribution; tests/studies/test_exact_gradient.py measures both).

Left out: min-p, typical sampling, repetition penalties.
"""

import math
import numbers

import torch

from minids.errors import MinidsError
from minids.files import brief

LEAST = 1e-6  # below it, logits divided by the temperature leave what float32 can tell apart


def check_settings(temperature=1.0, top_k=0, top_p=1.0, *, greedy=False):
    """Refuses impossible settings by name; every sampler, every loss and every recipe asks here.

    Temperature 0 means the likeliest token, has no log-probabilities, and is accepted with `greedy` only. One between 0
    and LEAST is refused too: it would mean the same, but divides logits into infinities.
    """
    if not _number(temperature) or not (LEAST <= temperature < math.inf or (greedy and temperature == 0)):
        zero = ", or 0 for the likeliest token" if greedy else " (greedy decoding is asked for by itself, not scored)"
        raise MinidsError(
            f"sampling: temperature={brief(temperature)} has no distribution; use a number from {LEAST:g} on{zero}"
        )
    if not whole(top_k) or top_k < 0:
        raise MinidsError(f"sampling: top_k={brief(top_k)} must be a whole number, 0 for off")
    if not _number(top_p) or not 0 < top_p <= 1:
        raise MinidsError(f"sampling: top_p={brief(top_p)} must be a number in (0, 1], 1 for off")


def whole(value):
    """Whether a setting is a whole number, numpy's included; True is none."""
    return isinstance(value, numbers.Integral) and not isinstance(value, bool)


def _number(value):
    return isinstance(value, numbers.Real) and not isinstance(value, bool)


def filter_logits(logits, top_k=0, top_p=1.0):
    """Sets the logits outside top-k, then outside the nucleus top-p, to -inf. -> [..., V], the rest unchanged

    logits [..., V], already divided by the temperature; every row is cut by itself. top_k=0 and top_p=1.0 are off.
    Top-k keeps every token that ties with the k-th. Top-p keeps the smallest set of most probable tokens whose
    probabilities, renormalised after top-k, reach top_p; at least one token always stays (Holtzman et al. 2020,
    arXiv 1904.09751, section 3.1). Gradients flow through what is kept; the choice of the set has none.
    Raises MinidsError for impossible settings (see `check_settings`).
    """
    check_settings(1.0, top_k, top_p)
    # top-k: what is smaller than the k-th largest goes
    if 0 < top_k < logits.shape[-1]:
        kth = logits.detach().topk(top_k, dim=-1).values[..., -1:]
        logits = logits.masked_fill(logits < kth, float("-inf"))
    # top-p: ascending, a token goes if all that is at most as probable, itself included, sums to 1 - top_p
    if top_p < 1.0:
        ordered, index = logits.detach().sort(dim=-1, stable=True)
        drop_sorted = ordered.softmax(dim=-1).cumsum(dim=-1) <= 1 - top_p
        drop_sorted[..., -1] = False
        # back from the sorted order to that of the vocabulary
        drop = torch.zeros_like(drop_sorted).scatter(-1, index, drop_sorted)
        logits = logits.masked_fill(drop, float("-inf"))
    return logits


def warp_logits(logits, temperature=1.0, top_k=0, top_p=1.0):
    """Temperature, then top-k, then top-p, at float32 or better: softmax of the result is what is sampled."""
    check_settings(temperature, top_k, top_p)
    logits = logits if logits.dtype == torch.float64 else logits.float()
    if temperature != 1.0:
        logits = logits / temperature
    return filter_logits(logits, top_k, top_p)
