"""minids dev fp8-gap: what training in FP8 costs in loss, against BF16, emulated on a CPU.

The same model, seed and batches twice, with `precision` "bf16" and "fp8" (minids/model/fp8.py), for several seeds. For
each pair the relative gap of the losses smoothed over 100 steps, mean over the last half of the steps, and the gap of
the losses on held-out documents. DeepSeek-V3 reports a relative gap under 0.25 % for 16 and 230 billion parameters
(arXiv 2412.19437, appendix B.1). The spread between seeds of BF16 says what such a figure can mean at this size.

    --steps N        steps of each run (2000)           --seeds 0 1      the pairs
    --out FILE       docs/results/fp8-gap.json          --plot FILE.png  the two curves of the first seed

Left out: a learning rate schedule of its own for FP8, larger models (a GPU has them: the recipe key `precision`).
"""

import argparse
import json
import time
from pathlib import Path

import torch

from minids.model.config import ModelConfig
from minids.model.transformer import Transformer
from minids.progress import Progress
from minids.run import recipes
from minids.tasks import documents
from minids.text.tokenizer import Tokenizer
from minids.train import loop, loss, memory

SIZES = dict(
    hidden_size=128,
    intermediate_size=256,
    moe_intermediate_size=64,
    num_hidden_layers=3,
    first_k_dense_replace=1,
    num_attention_heads=4,
    q_lora_rank=None,
    kv_lora_rank=64,
    qk_nope_head_dim=32,
    qk_rope_head_dim=16,
    v_head_dim=32,
    n_routed_experts=4,
    num_experts_per_tok=2,
    n_shared_experts=1,
    n_group=1,
    topk_group=1,
    routed_scaling_factor=1.0,
    rope_theta=1000.0,
    max_position_embeddings=512,
    initializer_range=0.05,
)
TOKENS = 512  # a step
WINDOW = 100  # steps that are averaged


def corpora(seed: int = 0) -> tuple[Tokenizer, documents.Documents, documents.Documents]:
    """A tokenizer, documents to train on, 300 held out."""
    recipe = recipes.load("tiny")
    parts = list(
        documents.pretraining_parts(recipe.families, 12_000, mix=recipe.pretrain["styles"], fact_share=0.1, seed=seed)
    )
    tokenizer = Tokenizer.train(documents.pretraining_texts(parts[:3000]), 512, digits="single")
    train, held = (documents.pretraining_documents(tokenizer, p, quiet=True) for p in (parts[:-300], parts[-300:]))
    return tokenizer, train, held


@torch.no_grad()
def held_out(model: Transformer, held: documents.Documents) -> float:
    """Mean loss on the held-out documents in float32, nats a token."""
    total = weight = 0.0
    for begin in range(0, len(held), 50):
        batch = held.batch(range(begin, min(begin + 50, len(held))), prompt_weight=0.15)
        total += float(loss.lm_loss(model, batch)[0])
        weight += float(batch.weight_BT.sum())
    return total / weight


def run(
    precision: str,
    seed: int,
    steps: int,
    data: tuple[Tokenizer, documents.Documents, documents.Documents],
    bar: Progress,
) -> dict:
    """One training run -> {losses: of every step, held_out, seconds}."""
    tokenizer, train, held = data
    torch.manual_seed(seed)
    model = Transformer(ModelConfig(vocab_size=len(tokenizer), **SIZES))
    config = loop.TrainConfig(steps, lr=2e-3, warmup=40, precision=precision, seed=seed, optimizer="adamw")
    source, losses, began = documents.Source(train, TOKENS, seed=seed, prompt_weight=0.15), [], time.monotonic()

    def note(step, values):
        losses.append(values["loss"])
        bar.update(1, loss=values["loss"])

    loop.train(model, source, config, quiet=True, on_step=note)
    return {
        "precision": precision,
        "seed": seed,
        "losses": losses,
        "held_out": held_out(model.eval(), held),
        "seconds": time.monotonic() - began,
    }


def smooth(losses: list[float], window: int = WINDOW) -> torch.Tensor:
    """Mean of the last `window` losses, from the step on which there are that many."""
    return torch.tensor(losses, dtype=torch.float64).unfold(0, window, 1).mean(-1)


def compare(runs: list[dict], steps: int) -> dict:
    """Gaps of each seed in percent of BF16's loss, and how far BF16's own seeds lie apart."""
    by = {(r["precision"], r["seed"]): r for r in runs}
    seeds, window = sorted({r["seed"] for r in runs}), min(WINDOW, max(1, steps // 4))
    pairs = []
    for seed in seeds:
        low, high = (smooth(by[p, seed]["losses"], window) for p in ("fp8", "bf16"))
        half = len(low) // 2
        held = [by[p, seed]["held_out"] for p in ("fp8", "bf16")]
        pairs.append(
            {
                "seed": seed,
                "gap_percent": 100 * ((low - high) / high)[half:].mean().item(),
                "largest_gap_percent": 100 * ((low - high) / high)[half:].abs().max().item(),
                "held_out_fp8": held[0],
                "held_out_bf16": held[1],
                "held_out_gap_percent": 100 * (held[0] / held[1] - 1),
            }
        )
    bf16 = torch.tensor([by["bf16", seed]["held_out"] for seed in seeds], dtype=torch.float64)
    return {"pairs": pairs, "bf16_seeds_differ_percent": 100 * ((bf16.max() - bf16.min()) / bf16.mean()).item()}


def text(found: dict) -> str:
    """What `compare` found, as a table."""
    lines = ["seed  training loss, smoothed: FP8 over BF16  (largest)   held-out: BF16     FP8     gap"]
    for p in found["pairs"]:
        lines.append(
            f"{p['seed']:4}  {p['gap_percent']:+33.2f} %  ({p['largest_gap_percent']:.2f} %)  "
            f"{p['held_out_bf16']:17.4f}  {p['held_out_fp8']:.4f}  {p['held_out_gap_percent']:+.2f} %"
        )
    lines.append(
        f"two BF16 seeds differ by up to {found['bf16_seeds_differ_percent']:.2f} % on held-out documents; "
        "V3's bar for the gap is 0.25 %"
    )
    return "\n".join(lines)


def plot(runs: list[dict], path: Path) -> None:
    """Draws the smoothed losses of the first seed into a file."""
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot as plt

    fig, ax = plt.subplots(figsize=(7, 3), constrained_layout=True)
    for run in runs:
        if run["seed"] == runs[0]["seed"]:
            ax.plot(smooth(run["losses"]), "--" if run["precision"] == "fp8" else "-", label=run["precision"].upper())
    ax.set(xlabel="step", ylabel=f"loss, mean of {WINDOW} steps (nats)", yscale="log")
    ax.legend()
    fig.savefig(path, dpi=120)


def main(argv: list[str] | None = None) -> int:
    """`minids dev fp8-gap`: trains in both types and prints the gaps; returns the exit code."""
    parser = argparse.ArgumentParser(prog="minids dev fp8-gap", description=__doc__.split("\n")[0])
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1])
    parser.add_argument("--out", type=Path)
    parser.add_argument("--plot", type=Path)
    options = parser.parse_args(argv)
    torch.set_num_threads(1)
    memory.keep()
    data, runs = corpora(), []
    with Progress("fp8 against bf16", 2 * len(options.seeds) * options.steps) as bar:
        for seed in options.seeds:
            runs += [run(precision, seed, options.steps, data, bar) for precision in ("bf16", "fp8")]
    found = compare(runs, options.steps)
    print(text(found))
    if options.out:
        record = {
            "steps": options.steps,
            "tokens_a_step": TOKENS,
            "window": WINDOW,
            "model": SIZES,
            **found,
            "seconds": {f"{r['precision']}, seed {r['seed']}": r["seconds"] for r in runs},
            "torch": torch.__version__,
            "device": "cpu, emulated",
        }
        options.out.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8", newline="\n")
    if options.plot:
        plot(runs, options.plot)
    return 0
