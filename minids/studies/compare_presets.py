"""The presets of GRPO side by side: one very small model, and every preset from it.

    minids dev presets               prints the table
    minids dev presets --seeds 0 1 2 --out FILE.json --plot FILE.png

The comparison trains one very small model on sums of one- and two-digit numbers, some of them worked out and most
not, and then every preset from that same model, with `minibatches` x `epochs` optimizer steps on each batch, so that
ratios leave 1 and the settings differ. It shows what the settings do to a run; that one of them is best at this
size and with this learning rate says nothing about the models they were made for.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import torch

from minids.model.config import ModelConfig
from minids.model.transformer import Transformer
from minids.rl import trainer
from minids.rl.config import RLConfig
from minids.rl.presets import PRESETS, preset, table
from minids.tasks import documents
from minids.text.tokenizer import Tokenizer
from minids.train import loop

CURVES = ("reward", "accuracy", "length", "entropy", "clip_fraction", "kl", "zero_variance", "grad_norm")
SIZES = {"add": {1: 0.2, 2: 0.8}}  # digits of the sums that the comparison is about
WIDTHS = dict(
    hidden_size=48,
    intermediate_size=96,
    moe_intermediate_size=24,
    num_hidden_layers=2,
    num_attention_heads=4,
    kv_lora_rank=16,
    q_lora_rank=None,
    qk_rope_head_dim=8,
    qk_nope_head_dim=8,
    v_head_dim=12,
    n_routed_experts=4,
    n_group=1,
    topk_group=1,
    num_experts_per_tok=2,
    first_k_dense_replace=1,
    max_position_embeddings=96,
    initializer_range=0.12,
)
RUN = dict(
    steps=40,
    lr=4e-4,
    warmup=2,
    prompts_per_step=12,
    num_generations=8,
    max_new_tokens=40,
    minibatches=2,
    epochs=2,
    reward={"accuracy": 1.0, "format": 0.1},
)


def train_start(
    steps: int = 700, documents_: int = 6000, mix: dict[str, float] | None = None, seed: int = 0, quiet: bool = False
) -> tuple[Tokenizer, Transformer]:
    """A very small model after a cold start on short sums -> (tokenizer, model); `mix` weighs the styles of thought."""
    mix = mix or {"careful": 0.4, "hasty": 0.6}
    parts = list(documents.pretraining_parts(["add"], 400, mix=mix, fact_share=0.0, seed=seed, sizes=SIZES))
    tokenizer = Tokenizer.train(documents.pretraining_texts(parts), 290, digits="single")
    torch.manual_seed(seed)
    model = Transformer(ModelConfig(vocab_size=len(tokenizer), eos_token_id=tokenizer.eos_id, **WIDTHS))
    docs = documents.chat_documents(tokenizer, ["add"], documents_, mix=mix, seed=seed, sizes=SIZES)
    source = documents.Source(docs, 1500, seed=seed)
    loop.train(model, source, loop.TrainConfig(steps=steps, lr=4e-3, warmup=20), quiet=quiet)
    return tokenizer, model


class _Lines:
    """Takes the lines that a run would write into metrics.jsonl."""

    def __init__(self):
        self.lines = []

    def write(self, **line):
        self.lines.append(line)

    def sync(self):
        pass

    def rewind(self, stage, step):
        pass


def compare(
    names: Sequence[str] | None = None,
    seeds: Sequence[int] = (0,),
    start: tuple[Tokenizer, Transformer] | None = None,
    quiet: bool = False,
    **change: object,
) -> dict:
    """Runs every preset from one model, and returns what the plot is drawn from.

    start   (tokenizer, model), not changed; None trains one
    change  settings of RLConfig for all runs, over RUN
    """
    names = list(names or PRESETS)
    shared = {**RUN, **change}
    # refused before any work
    plans = {(n, s): RLConfig(preset=n, seed=s, **{"sizes": SIZES, **shared}) for n in names for s in seeds}
    tokenizer, model = start or train_start(quiet=quiet)
    begin = {k: v.clone() for k, v in model.state_dict().items()}
    record = {"shared": shared, "seeds": list(seeds), "presets": {}}
    for (name, seed), config in plans.items():
        model.load_state_dict(begin)
        lines = _Lines()
        trainer.train_rl(model, tokenizer, ["add"], config, metrics=lines, stage=f"{name} {seed}", quiet=quiet)
        entry = record["presets"].setdefault(
            name, {"title": PRESETS[name].title, "source": PRESETS[name].source, "settings": preset(name), "runs": []}
        )
        curves = {key: [line[key] for line in lines.lines] for key in CURVES}
        entry["runs"].append({"seed": seed, "seconds": lines.lines[-1]["seconds"], "curves": curves})
    model.load_state_dict(begin)
    return record


def summary(record: dict, last: int = 5) -> str:
    """Means over seeds of the last iterations, one line a preset."""
    keys = ("reward", "accuracy", "length", "entropy", "clip_fraction", "kl")
    lines = [f"{'preset':<14}" + "".join(f"{k:>15}" for k in keys)]
    for name, entry in record["presets"].items():
        ends = {k: [v for run in entry["runs"] for v in run["curves"][k][-last:]] for k in keys}
        lines.append(f"{name:<14}" + "".join(f"{sum(v) / len(v):>15.4f}" for v in ends.values()))
    return "\n".join(lines)


def _smooth(values, window):
    return [sum(part) / len(part) for part in (values[max(0, i - window + 1) : i + 1] for i in range(len(values)))]


def plot(record: dict, path: str | Path | None = None, window: int = 5) -> object:
    """One figure: reward, length, entropy and clipped tokens, each the mean of the last `window` iterations, a line a
    preset (the mean of the seeds) in a band from the lowest to the highest seed. Saved to `path`, or returned."""
    import matplotlib

    if path is not None:
        matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    panels = {
        "reward": "reward",
        "length": "tokens of an answer",
        "entropy": "entropy of a token, nats",
        "clip_fraction": "share of tokens that the clip acts on",
    }
    figure, axes = plt.subplots(2, 2, figsize=(10, 6.5), sharex=True, constrained_layout=True)
    for ax, (key, label) in zip(axes.flat, panels.items()):
        for number, entry in enumerate(record["presets"].values()):
            runs = list(zip(*(_smooth(run["curves"][key], window) for run in entry["runs"])))
            x, color = range(1, len(runs) + 1), f"C{number}"
            ax.plot(x, [sum(v) / len(v) for v in runs], color=color, label=entry["title"], linewidth=1.5)
            ax.fill_between(x, [min(v) for v in runs], [max(v) for v in runs], color=color, alpha=0.12, linewidth=0)
        ax.set_ylabel(label)
    for ax in axes[1]:
        ax.set_xlabel("iteration")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=4, fontsize=8)
    if path is None:
        return figure
    figure.savefig(path, dpi=130)
    plt.close(figure)
    return path


def main(argv: list[str] | None = None) -> int:
    """`minids dev presets`: prints the table of presets, or runs them side by side; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="minids dev presets", description="Published settings of GRPO: their table, or a comparison."
    )
    parser.add_argument("--presets", nargs="+", default=None, metavar="NAME", help=f"of {', '.join(PRESETS)}")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--steps", type=int, default=RUN["steps"], help="iterations of RL a run")
    parser.add_argument("--out", type=Path, default=None, help="run the comparison and write its curves here (JSON)")
    parser.add_argument("--plot", type=Path, default=None, help="draw the curves here")
    asked = parser.parse_args(argv)
    if asked.out is None:
        print(table())
        return 0
    torch.set_num_threads(1)
    record = compare(asked.presets, asked.seeds, steps=asked.steps)
    asked.out.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8", newline="\n")
    if asked.plot:
        plot(record, asked.plot)
    print(summary(record))
    return 0
