"""Sampling beside transformers' `generate` with its cache: one sequence, a batch, and a GRPO rollout with ragged
answers.

Greedy tokens of both are compared first. In the rollout both draw at temperature 1 from the same weights and stop at
the same set of tokens, which has about 2 % of the probability: answers are as ragged as real ones, and of the same
lengths on average. Only tokens up to the stop count as useful; a batch that goes on until its last answer ends works
for nothing on the others.
"""

from functools import partial

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from minids.bench.measure import alternate, fastest, row
from minids.bench.train import model_sizes, peer_name, peer_of, tiny_config
from minids.errors import MinidsError
from minids.model import generate as sampler
from minids.model.config import ModelConfig
from minids.model.transformer import Transformer

SETTINGS = [(a, e) for a in ("sdpa", "eager") for e in ("grouped_mm", "batched_mm", "eager")]
STOP_SHARE = 0.02  # of the vocabulary


def models(config: ModelConfig) -> Transformer:
    """A model with weights large enough that greedy choices are no ties."""
    torch.manual_seed(0)
    model = Transformer(config).eval()
    with torch.no_grad():
        model.lm_head.weight.mul_(3)
    return model


def prompts_of(config: ModelConfig, count: int, shortest: int, longest: int) -> list[list[int]]:
    """`count` prompts of random ids, with lengths from `shortest` to `longest` tokens."""
    lengths = torch.linspace(shortest, longest, count).long().tolist()
    return [torch.randint(0, config.vocab_size, (n,)).tolist() for n in lengths]


def peer_generate(
    peer: torch.nn.Module,
    prompts: list[list[int]],
    new: int,
    *,
    sample: bool = False,
    copies: int = 1,
    stops: list[int] | None = None,
) -> torch.Tensor:
    """-> new tokens [len(prompts) * copies, …], rectangular; what follows a stop is padding."""
    longest = max(map(len, prompts))
    ids = torch.tensor([[0] * (longest - len(p)) + p for p in prompts])
    mask = torch.tensor([[0] * (longest - len(p)) + [1] * len(p) for p in prompts])
    how = {"do_sample": True, "temperature": 1.0, "top_k": 0, "top_p": 1.0} if sample else {"do_sample": False}
    peer.generation_config.eos_token_id = stops
    with torch.no_grad():
        out = peer.generate(
            ids, attention_mask=mask, max_new_tokens=new, num_return_sequences=copies, pad_token_id=0, **how
        )
    return out[:, longest:]


def check_greedy(model: Transformer, peer: torch.nn.Module, prompts: list[list[int]], new: int) -> None:
    """Token for token. Where both differ, the two best must be a tie within rounding."""
    ours = sampler.generate(model, prompts, max_new_tokens=new, temperature=0, stop_ids=[]).ids
    theirs = peer_generate(peer, prompts, new).tolist()
    for prompt, a, b in zip(prompts, ours, theirs):
        differ = [t for t in range(new) if a[t] != b[t]]
        if differ:
            t = differ[0]
            with torch.no_grad():
                best = model(torch.tensor([prompt + a[:t]]))[0, -1].topk(2).values
            if best[0] - best[1] > 1e-3:
                raise MinidsError(f"bench: greedy tokens of minids and {peer_name()} differ; there is nothing to time.")


def decode(
    name: str, config: ModelConfig, count: int, new: int, repeats: int, shortest: int = 16, longest: int = 24
) -> dict:
    """A row of the bench: new tokens a second, greedy, beside transformers at the fastest of its settings.

    count        prompts, decoded together, of `shortest` to `longest` tokens
    new          new tokens of each
    repeats      measurements of each side, in turns

    Raises MinidsError where the two write different tokens.
    """
    config = config or tiny_config()
    model = models(config)
    prompts = prompts_of(config, count, shortest, longest)
    setting = fastest(SETTINGS, lambda s: partial(peer_generate, peer_of(model, *s).eval(), prompts, min(new, 8)))
    peer = peer_of(model, *setting).eval()
    check_greedy(model, peer, prompts, min(new, 32))
    runs = [
        lambda: sampler.generate(model, prompts, max_new_tokens=new, temperature=0, stop_ids=[]),
        lambda: peer_generate(peer, prompts, new),
    ]
    ours, theirs = alternate(runs, repeats)
    about = {
        "prompts": count,
        "prompt_tokens": [shortest, longest],
        "new_tokens": new,
        "greedy": True,
        "threads": 1,
        "peer_attention": setting[0],
        "peer_experts": setting[1],
        "clock": "process CPU time",
        "repeats": repeats,
        "model": model_sizes(config),
    }
    return row(name, count * new, ours, theirs, peer_name(), "tokens/s", about)


def decode_single(config: ModelConfig | None = None, new: int = 128, repeats: int = 5) -> dict:
    """One prompt of 20 tokens."""
    return decode("decode_single", config, 1, new, repeats, 20, 20)


def decode_batch(config: ModelConfig | None = None, count: int = 64, new: int = 64, repeats: int = 5) -> dict:
    """Many prompts at a time."""
    return decode("decode_batch", config, count, new, repeats)


def decode_rollout(
    config: ModelConfig | None = None, count: int = 24, copies: int = 8, new: int = 96, repeats: int = 4
) -> dict:
    """24 prompts x 8 samples at temperature 1; minids also keeps every token's log-probability, which GRPO needs."""
    config = config or tiny_config()
    torch.manual_seed(0)
    model = Transformer(config).eval()
    prompts = prompts_of(config, count, 12, 30)
    stops = list(range(max(1, round(STOP_SHARE * config.vocab_size))))
    how = {"sample": True, "copies": copies, "stops": stops}
    setting = fastest(SETTINGS, lambda s: partial(peer_generate, peer_of(model, *s).eval(), prompts, 8, **how))
    peer = peer_of(model, *setting).eval()
    check_greedy(model, peer, prompts, 8)
    work = [[], []]

    def ours():
        first = len(work[0]) * count * copies
        seeds = list(range(first, first + count * copies))
        out = sampler.generate(
            model, prompts, n=copies, max_new_tokens=new, temperature=1.0, seeds=seeds, stop_ids=stops
        )
        work[0].append(sum(map(len, out.ids)))

    def theirs_by(together):
        def run():
            useful = 0
            for i in range(0, count, together):
                part = prompts[i : i + together]
                out = peer_generate(peer, part, new, sample=True, copies=copies, stops=stops)
                stopped = torch.isin(out, torch.tensor(stops))
                useful += int((stopped.cumsum(1) - stopped.long() == 0).sum())
            work[1].append(useful)

        return run

    together = fastest(sorted({count, -(-count // 3)}), theirs_by, repeats=1)  # prompts in a call: it may prefer fewer
    theirs = theirs_by(together)
    seconds = alternate([ours, theirs], repeats)
    useful = [w[-repeats:] for w in work]
    rates = [[s / w for s, w in zip(side, done)] for side, done in zip(seconds, useful)]  # seconds a useful token
    answers = count * copies
    about = {
        "prompts": count,
        "samples": copies,
        "most_new_tokens": new,
        "temperature": 1.0,
        "threads": 1,
        "stop_tokens": len(stops),
        "peer_prompts_together": together,
        "mean_length": {"ours": sum(useful[0]) / repeats / answers, "peer": sum(useful[1]) / repeats / answers},
        "peer_attention": setting[0],
        "peer_experts": setting[1],
        "clock": "process CPU time",
        "repeats": repeats,
        "model": model_sizes(config),
    }
    return row("decode_rollout", 1, *rates, peer_name(), "useful tokens/s", about)


class _Count(TorchDispatchMode):
    def __init__(self):
        super().__init__()
        self.operations = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        out = function(*args, **(kwargs or {}))
        self.operations += 1
        return out


def operations_a_token(config: ModelConfig) -> int:
    """Operations that torch starts for one more token of one sequence: the difference of two lengths."""
    model, counts = models(config), []
    for new in (4, 12):
        with _Count() as count:
            sampler.generate(model, [[1, 2, 3]], max_new_tokens=new, temperature=0, stop_ids=[])
        counts.append(count.operations)
    return (counts[1] - counts[0]) // 8


ROWS = (decode_single, decode_batch, decode_rollout)
