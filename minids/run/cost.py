"""`minids cost`: what a recipe, a finished run, DeepSeek-V3 or R1 costs, with every assumption shown.

`describe("v3")` compares the formulas of model/accounting.py with what the DeepSeek-V3 report says it paid (arXiv
2412.19437, Table 1), `describe("r1")` adds R1's own bill, `describe("tiny")` is a plan on paper for a recipe, `of_run`
measures from a run's results.json.
"""

from minids.errors import MinidsError
from minids.model.accounting import (
    H800_BF16,
    R1_HOURS,
    R1_SOURCE,
    V3_GPUS,
    V3_HOURS,
    V3_SOURCE,
    V3_TOKENS,
    active,
    bill,
    caches,
    forward_flops,
    gpu_hours,
    multiplied,
    parameters,
    training_flops,
    v3_flops,
    v3_share,
)
from minids.model.config import ModelConfig
from minids.run import recipes, stages, stages_start

# -- descriptions --------------------------------------------------------------------------------------------


def describe(name: str = "v3", processes: int = 2) -> dict:
    """The cost of "v3", "r1" or a recipe (a name or a path to a .toml) as a dict; `text` prints it."""
    if name in ("v3", "r1"):
        out = _model(
            ModelConfig(), "DeepSeek-V3 (R1 is the same model)" if name == "r1" else "DeepSeek-V3", bytes_per_element=2
        )
        return {**out, **(_v3() if name == "v3" else _r1())}
    return _recipe(recipes.load(name), processes)


def _model(config, title, bytes_per_element):
    counted = parameters(config)
    return {
        "name": title,
        "parameters": counted["total"],
        "active": active(config),
        "multiplied": multiplied(config),
        "parts": {k: v for k, v in counted.items() if k != "total"},
        "cache_elements_per_token": config.num_hidden_layers * config.cache_elements,
        "bytes_per_element": bytes_per_element,
        "cache_bytes_per_token": caches(config, bytes_per_element),
    }


def _v3():
    flops = v3_flops()
    return {
        "tokens": V3_TOKENS,
        "length": 4096,
        "flops_per_token": flops / V3_TOKENS,
        "flops": flops,
        "gpu": "H800",
        **bill(V3_HOURS, gpus=V3_GPUS),
        "flops_per_second_per_gpu": v3_share() * H800_BF16,
        "share_of_bf16_peak": v3_share(),
        "source": V3_SOURCE,
        "assumptions": [
            "sizes are the defaults of minids.ModelConfig; 14.8T tokens in texts of 4,096 (§4.1, §4.2)",
            "the MTP module (one more layer in training) is not counted",
            "GPU hours and the rent of $2 an hour are the report's own; research, ablations, data, staff excluded",
            "FLOP/s of a GPU = the formula's FLOPs / the hours of pre-training",
            "peak: 989 TFLOP/s, dense bf16 (V3 was trained mostly in FP8, whose peak is double)",
        ],
    }


def _r1():
    both = bill({**V3_HOURS, **R1_HOURS})
    return {
        "gpu": "H800",
        **bill(R1_HOURS),
        "with_v3": {"gpu_hours_total": both["gpu_hours_total"], "dollars": both["dollars"]},
        "source": R1_SOURCE,
        "assumptions": [
            "only what came on top of the DeepSeek-V3 base model; V3 itself is in `minids cost v3`",
            "the rent of $2 an H800 hour is the paper's own",
        ],
    }


def _recipe(recipe, processes):
    config = _config(recipe)
    models = {"model": config, "small": _config(recipe, **recipe.small)}
    length = recipe.checked("grpo")["max_new_tokens"] // 2
    planned = {}
    for name in (*recipe.first, *recipe.plan):
        if stages.STAGES[name].passes:
            tokens = stages.inherited(name, "planned")(recipe.checked(name), length, processes)
            planned[name] = {"tokens": tokens, "flops": _flops(name, models, tokens, length)}
    total = sum(s["flops"] for s in planned.values())
    return {
        **_model(config, f"recipe {recipe.name}", bytes_per_element=4),
        "length": length,
        "flops_per_token": training_flops(config, 1, length),
        "tokens": sum(s["tokens"] for name, s in planned.items() if stages.STAGES[name].learns),
        "stages": planned,
        "flops": total,
        "share_of_v3": total / v3_flops(),
        "h800_seconds": 3600 * gpu_hours(total, H800_BF16, v3_share()),
        "assumptions": [
            f"{processes} processes, each with its tokens_per_batch",
            f"a text has {length} tokens on average, half of grpo.max_new_tokens; a run's report counts its own",
            "RL: every answer token is sampled (2 N) and trained on (6 N); prompts and skipped groups not looked at",
            *[f"pretraining is not part of it: the run starts from {recipe.origin}"] * bool(recipe.origin),
            *_assumed(planned),
            "evaluation and controls are not counted",
            "cache in float32, as on a CPU",
        ],
    }


def _config(recipe, **change):
    if recipe.origin and not change:
        return stages_start.opened(recipe.origin)[0]
    values = recipes.model_values(recipe, recipe.tokenizer["vocab_size"], **change)
    return ModelConfig.from_dict(values, where=f"recipe {recipe.name}")


def _assumed(planned):
    """What is said only of recipes that have such stages."""
    rows = [stages.STAGES[name] for name in planned]
    if any(not row.learns for row in rows):
        yield "answers drawn to learn from cost 2 N per token; later stages are trained on them"
    if any(row.small for row in rows):
        yield "stages of the small model are counted with its own N; its teacher's logits cost 2 N of the large one"


def _flops(name, models, tokens, length):
    """A stage's FLOPs: its row says how often each model reads a token (3 times to learn from it)."""
    return sum(n * forward_flops(models[model], tokens, length) for model, n in stages.STAGES[name].passes.items())


def of_run(results: dict) -> dict | None:
    """FLOPs and processor time of a finished (or partial) run from its results.json, controls not counted;
    None without a model in it."""
    try:
        models = {
            key: ModelConfig.from_dict(results[key]["config"], where=f"results.json, {key}.config")
            for key in ("model", "small")
            if key in results or key == "model"
        }
        records = {s["name"]: s for s in results["stages"] if not s.get("control")}
        corpus = records.get("tokenizer", {})
        length = (
            corpus["tokens"] / corpus["documents"]
            if corpus.get("documents")
            else models["model"].max_position_embeddings / 2
        )
        counted = {n: record for n, record in records.items() if n in stages.STAGES and stages.STAGES[n].passes}
        flops = {n: _flops(n, models, record["tokens"], length) for n, record in counted.items()}
        tokens = sum(record["tokens"] for n, record in counted.items() if stages.STAGES[n].learns)
        seconds = sum(record["seconds"] for record in counted.values())
        processes = results.get("hardware", {}).get("processes", 1)
        total = sum(flops.values())
        return {
            "flops": total,
            "stages": flops,
            "tokens": tokens,
            "length": length,
            "seconds": seconds,
            "processes": processes,
            "process_seconds": seconds * processes,
            "flops_per_second": total / seconds if seconds else 0.0,
        }
    except (KeyError, TypeError, AttributeError, ZeroDivisionError, MinidsError):
        return None


# -- text ----------------------------------------------------------------------------------------------------


def text(cost: dict) -> str:
    """The dict of `describe` as lines to read."""
    c, out = cost, [cost["name"], ""]

    def line(label, value, note=""):
        out.append(f"  {label:<30} {value:>14}{'   ' + note if note else ''}")

    line("parameters", count(c["parameters"]), f"{c['parameters']:,}")
    for part, size in c["parts"].items():
        if size:
            line("  " + part, count(size))
    line(
        "active per token",
        count(c["active"]),
        f"{count(c['multiplied'])} of them are multiplied (N); the embedding is looked up",
    )
    if "flops_per_token" in c:
        line(
            "FLOPs per token, training",
            count(c["flops_per_token"]),
            f"6 N + 3 layers * heads * (d_qk + d_v) * {c['length']:,}",
        )
        line("tokens", count(c["tokens"]))
        for name, stage in c.get("stages", {}).items():
            line("  " + name, count(stage["tokens"]), f"{stage['flops']:.2e} FLOP")
        line("FLOPs", f"{c['flops']:.2e}")
    if "share_of_v3" in c:
        line("share of V3's", f"{c['share_of_v3']:.1e}", f"V3's pre-training: {v3_flops():.2e} FLOP")
        line("on one H800 at V3's speed", f"{c['h800_seconds']:.3g} s", "which a small model does not reach")
    if "gpu_hours" in c:
        out.append("")
        for name, hours in c["gpu_hours"].items():
            line(name, f"{hours / 1e3:,.0f}K", f"{c['gpu']} hours   ${hours * c['dollars_per_hour'] / 1e6:.3f}M")
        line(
            "in all",
            f"{c['gpu_hours_total'] / 1e3:,.0f}K",
            f"{c['gpu']} hours   ${c['dollars'] / 1e6:.3f}M at ${c['dollars_per_hour']:g} an hour",
        )
        if c["days"]:
            line("on so many GPUs", f"{c['gpus']:,}", f"{c['days']:.1f} days")
    if "with_v3" in c:
        line(
            "with V3 below it",
            f"{c['with_v3']['gpu_hours_total'] / 1e3:,.0f}K",
            f"{c['gpu']} hours   ${c['with_v3']['dollars'] / 1e6:.3f}M",
        )
    if "flops_per_second_per_gpu" in c:
        line(
            "reached by one GPU",
            f"{c['flops_per_second_per_gpu'] / 1e12:.0f} TFLOP/s",
            f"{100 * c['share_of_bf16_peak']:.0f} % of the bf16 peak",
        )
    out.append("")
    smallest = min(c["cache_bytes_per_token"].values())
    for name, size in c["cache_bytes_per_token"].items():
        note = (
            f"{size / smallest:.1f} times the smallest"
            if size != smallest
            else f"{size / c['bytes_per_element']:,.0f} elements of {c['bytes_per_element']} bytes"
        )
        line(f"cache per token, {name}", f"{size:,} B", note)
    out += ["", "Assumptions"] + [f"  - {a}" for a in c["assumptions"]]
    if "source" in c:
        out += [f"Source of hours and dollars: {c['source']}."]
    return "\n".join(out)


def count(value: float) -> str:
    """671.03B, 621.54k: a unit and two digits behind the point; B is 10^9, T is 10^12."""
    for size, unit in ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:,.2f}{unit}"
    return f"{value:,.0f}"
