"""What a run costs, with every assumption shown: parameters, FLOPs, GPU hours, dollars, bytes of cache a
token.

    FLOPs a token (training)  = 6 * N + 3 * A           forward 2 * N, backward twice that
    N = parameters multiplied with a token: attention, dense and chosen expert matrices, router, head; not the
        embedding, which is looked up
    A = layers * heads * (d_qk + d_v) * length          attention's own products, forward; causal, so a token
        sees half of the positions on average
    cache, bytes a token = layers * elements * bytes    elements: MLA d_c + d_rope;  GQA groups * (d_qk + d_v);
        MHA the same with as many groups as heads

`describe("v3")` compares the formula with what the DeepSeek-V3 report says it paid (arXiv 2412.19437, Table
1), `describe("r1")` adds R1's own bill, `describe("tiny")` is a plan on paper for a recipe, `of_run` measures
from a run's results.json.

Left out: communication, recomputation, optimizer arithmetic, norms and softmax (together a few percent); MTP
modules; electricity.
"""

from dataclasses import replace

from minids import recipes
from minids.errors import MinidsError
from minids.model.config import ModelConfig

V3_TOKENS = 14.8e12
V3_HOURS = {"pre-training": 2_664_000, "context extension": 119_000, "post-training": 5_000}  # of one H800
R1_HOURS = {"R1-Zero": 101_000, "SFT data": 5_000, "R1": 41_000}
DOLLARS_PER_HOUR = 2.0  # the rent that both papers assume
V3_SOURCE = "DeepSeek-V3 report, arXiv 2412.19437, Table 1"
R1_SOURCE = (
    "R1 paper (Nature, 2025), Supplementary Table 7, as quoted by several secondary sources that agree; the "
    "table itself was not read"
)
H800_BF16 = 989e12  # FLOP/s, dense, data sheet of the H100 SXM, whose tensor cores the H800 shares


def parameters(config: ModelConfig):
    """Parameters by part, `total` and `active` (one token's share: num_experts_per_tok of n_routed_experts),
    as a dict of integers.

    The MTP modules are not counted. Equal to Transformer.parameter_count(), by arithmetic instead of by
    building it.
    """
    c, D = config, config.hidden_size
    heads, expert = c.num_attention_heads, 3 * config.hidden_size * config.moe_intermediate_size
    if c.attention == "mla":
        q = D * heads * c.qk_head_dim
        if c.q_lora_rank is not None:
            q = D * c.q_lora_rank + c.q_lora_rank + c.q_lora_rank * heads * c.qk_head_dim
        kv = (
            D * (c.kv_lora_rank + c.qk_rope_head_dim)
            + c.kv_lora_rank
            + c.kv_lora_rank * heads * (c.qk_nope_head_dim + c.v_head_dim)
        )
    else:
        q, kv = D * heads * c.qk_head_dim, D * c.num_key_value_heads * (c.qk_head_dim + c.v_head_dim)
    bias = D if c.attention_bias else 0
    if c.attention_bias and c.attention == "mla":
        bias += c.kv_lora_rank + c.qk_rope_head_dim + (c.q_lora_rank or 0)
    moe = max(0, c.num_hidden_layers - c.first_k_dense_replace)
    dense = c.num_hidden_layers - moe
    parts = {
        "embedding": c.vocab_size * D,
        "head": 0 if c.tie_word_embeddings else c.vocab_size * D,
        "attention": c.num_hidden_layers * (q + kv + heads * c.v_head_dim * D + bias),
        "dense feed-forward": dense * 3 * D * c.intermediate_size,
        "shared experts": moe * c.n_shared_experts * expert,
        "routed experts": moe * c.n_routed_experts * expert,
        "router": moe * c.n_routed_experts * D,
        "norms": (2 * c.num_hidden_layers + 1) * D,
    }
    total = sum(parts.values())
    idle = moe * (c.n_routed_experts - c.num_experts_per_tok) * expert
    return {**parts, "total": total, "active": total - idle}


def multiplied(config: ModelConfig):
    """N: the active parameters that are multiplied with a token. Looking up an embedding multiplies nothing;
    a tied head does."""
    p = parameters(config)
    return p["active"] - (0 if config.tie_word_embeddings else p["embedding"])


def attention_flops(config: ModelConfig, length):
    """A: forward FLOPs a token of queries times keys and weights times values, causal, averaged over a text
    of `length` tokens."""
    return (
        config.num_hidden_layers
        * config.num_attention_heads
        * (config.qk_head_dim + config.v_head_dim)
        * length
    )


def forward_flops(config: ModelConfig, tokens, length):
    """FLOPs of reading (or sampling) `tokens` tokens in texts of `length`."""
    return tokens * (2 * multiplied(config) + attention_flops(config, length))


def training_flops(config: ModelConfig, tokens, length):
    """FLOPs of training on `tokens` tokens in texts of `length`: tokens * (6 N + 3 A). V3 at 4,096: 250 GFLOP
    a token."""
    return 3 * forward_flops(config, tokens, length)


def cache_bytes(config: ModelConfig, bytes_per_element=2):
    """Bytes of cache a token over all layers, for this model's attention sizes as MLA, as GQA and as MHA."""
    heads = config.num_attention_heads
    groups = (
        8
        if heads > 8 and heads % 8 == 0
        else max(g for g in range(1, heads + 1) if heads % g == 0 and 2 * g <= max(2, heads))
    )
    kinds = {
        "MLA": replace(config, attention="mla", num_key_value_heads=heads),
        f"GQA, {groups} groups": replace(config, attention="gqa", num_key_value_heads=groups),
        "MHA": replace(config, attention="mha", num_key_value_heads=heads),
    }
    return {
        name: kind.num_hidden_layers * kind.cache_elements * bytes_per_element for name, kind in kinds.items()
    }


def v3_flops():
    """FLOPs of V3's pre-training by the formula: 14.8T tokens in texts of 4,096."""
    return training_flops(ModelConfig(), V3_TOKENS, 4096)


# -- descriptions --------------------------------------------------------------------------------------------


def describe(name="v3", processes=2):
    """The cost of "v3", "r1" or a recipe (a name or a path to a .toml) as a dict; `text` prints it."""
    if name in ("v3", "r1"):
        out = _model(
            ModelConfig(),
            "DeepSeek-V3 (R1 is the same model)" if name == "r1" else "DeepSeek-V3",
            bytes_per_element=2,
        )
        return {**out, **(_v3() if name == "v3" else _r1())}
    return _recipe(recipes.load(name), processes)


def _model(config, title, bytes_per_element):
    counted = parameters(config)
    return {
        "name": title,
        "parameters": counted["total"], "active": counted["active"], "multiplied": multiplied(config),
        "parts": {k: v for k, v in counted.items() if k not in ("total", "active")},
        "cache_elements_per_token": config.num_hidden_layers * config.cache_elements,
        "bytes_per_element": bytes_per_element,
        "cache_bytes_per_token": cache_bytes(config, bytes_per_element),
    }  # fmt: skip


def _bill(hours):
    total = sum(hours.values())
    return {
        "gpu": "H800", "gpu_hours": hours, "gpu_hours_total": total, "dollars_per_hour": DOLLARS_PER_HOUR,
        "dollars": total * DOLLARS_PER_HOUR,
    }  # fmt: skip


def _v3():
    flops = v3_flops()
    speed = flops / (V3_HOURS["pre-training"] * 3600)
    return {
        "tokens": V3_TOKENS, "length": 4096, "flops_per_token": flops / V3_TOKENS, "flops": flops,
        **_bill(V3_HOURS),
        "flops_per_second_per_gpu": speed, "share_of_bf16_peak": speed / H800_BF16,
        "source": V3_SOURCE,
        "assumptions": [
            "sizes are the defaults of minids.ModelConfig; 14.8T tokens in texts of 4,096 (§4.1, §4.2)",
            "the MTP module (one more layer in training) is not counted",
            "GPU hours and the rent of $2 an hour are the report's own; research, ablations, data, staff excluded",
            "FLOP/s of a GPU = the formula's FLOPs / the hours of pre-training",
            "peak: 989 TFLOP/s, dense bf16 (V3 was trained mostly in FP8, whose peak is double)",
        ],
    }  # fmt: skip


def _r1():
    hours = sum(R1_HOURS.values()) + sum(V3_HOURS.values())
    return {
        **_bill(R1_HOURS),
        "with_v3": {"gpu_hours_total": hours, "dollars": hours * DOLLARS_PER_HOUR},
        "source": R1_SOURCE,
        "assumptions": [
            "only what came on top of the DeepSeek-V3 base model; V3 itself is in `minids cost v3`",
            "the rent of $2 an H800 hour is the paper's own",
        ],
    }  # fmt: skip


def _recipe(recipe, processes):
    config = ModelConfig.from_dict(
        recipes.model_values(recipe, recipe.tokenizer["vocab_size"]), where=f"recipe {recipe.name}"
    )
    length = recipe.grpo.get("max_new_tokens", 160) // 2
    stages = {"pretrain": _trained(config, recipe.pretrain, processes, length)}
    if recipe.start == "sft":
        stages["sft"] = _trained(config, recipe.sft, processes, length)
    tokens = recipe.grpo["steps"] * recipe.grpo.get("prompts", 24) * recipe.grpo.get("group", 8) * length
    stages["grpo"] = {"tokens": tokens, "flops": _rl_flops(config, tokens, length)}
    total = sum(s["flops"] for s in stages.values())
    return {
        **_model(config, f"recipe {recipe.name}", bytes_per_element=4),
        "length": length, "flops_per_token": training_flops(config, 1, length),
        "tokens": sum(s["tokens"] for s in stages.values()),
        "stages": stages, "flops": total, "share_of_v3": total / v3_flops(),
        "assumptions": [
            f"{processes} processes, each with its tokens_per_batch",
            f"a text has {length} tokens on average, half of grpo.max_new_tokens; a run's report counts its own",
            "GRPO: every answer token is sampled (2 N) and trained on (6 N); prompts and skipped groups not looked at",
            "evaluation is not counted",
            "cache in float32, as on a CPU",
        ],
    }  # fmt: skip


def _trained(config, section, processes, length):
    tokens = section["steps"] * section["tokens_per_batch"] * processes
    return {"tokens": tokens, "flops": training_flops(config, tokens, length)}


def _rl_flops(config, tokens, length):
    return forward_flops(config, tokens, length) + training_flops(config, tokens, length)


def of_run(results):
    """FLOPs and processor time of a finished (or partial) run from its results.json, controls not counted;
    None without a model in it."""
    try:
        config = ModelConfig.from_dict(results["model"]["config"], where="results.json, model.config")
        records = {s["name"]: s for s in results["stages"] if not s.get("control")}
        corpus = records.get("tokenizer", {})
        length = (
            corpus["tokens"] / corpus["documents"]
            if corpus.get("documents")
            else config.max_position_embeddings / 2
        )
        flops = {
            n: training_flops(config, records[n]["tokens"], length)
            for n in ("pretrain", "sft")
            if n in records
        }
        if "grpo" in records:
            flops["grpo"] = _rl_flops(config, records["grpo"]["tokens"], length)
        tokens = sum(records[n]["tokens"] for n in flops)
        seconds = sum(records[n]["seconds"] for n in flops)
        processes = results.get("hardware", {}).get("processes", 1)
        total = sum(flops.values())
        return {
            "flops": total, "stages": flops, "tokens": tokens, "length": length, "seconds": seconds,
            "processes": processes, "process_seconds": seconds * processes,
            "flops_per_second": total / seconds if seconds else 0.0,
        }  # fmt: skip
    except (KeyError, TypeError, AttributeError, ZeroDivisionError, MinidsError):
        return None


# -- text ----------------------------------------------------------------------------------------------------


def text(cost):
    """The dict of `describe` as lines to read."""
    c, out = cost, [cost["name"], ""]

    def line(label, value, note=""):
        out.append(f"  {label:<30} {value:>14}{'   ' + note if note else ''}")

    line("parameters", count(c["parameters"]), f"{c['parameters']:,}")
    for part, size in c["parts"].items():
        if size:
            line("  " + part, count(size))
    line(
        "active a token",
        count(c["active"]),
        f"{count(c['multiplied'])} of them are multiplied (N); the embedding is looked up",
    )
    if "flops_per_token" in c:
        line(
            "FLOPs a token, training",
            count(c["flops_per_token"]),
            f"6 N + 3 layers * heads * (d_qk + d_v) * {c['length']:,}",
        )
        line("tokens", count(c["tokens"]))
        for name, stage in c.get("stages", {}).items():
            line("  " + name, count(stage["tokens"]), f"{stage['flops']:.2e} FLOP")
        line("FLOPs", f"{c['flops']:.2e}")
    if "share_of_v3" in c:
        line("share of V3's", f"{c['share_of_v3']:.1e}", f"V3's pre-training: {v3_flops():.2e} FLOP")
    if "gpu_hours" in c:
        out.append("")
        for name, hours in c["gpu_hours"].items():
            line(
                name,
                f"{hours / 1e3:,.0f}K",
                f"{c['gpu']} hours   ${hours * c['dollars_per_hour'] / 1e6:.3f}M",
            )
        line(
            "in all",
            f"{c['gpu_hours_total'] / 1e3:,.0f}K",
            f"{c['gpu']} hours   ${c['dollars'] / 1e6:.3f}M at ${c['dollars_per_hour']:g} an hour",
        )
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
        line(f"cache a token, {name}", f"{size:,} B", note)
    out += ["", "Assumptions"] + [f"  - {a}" for a in c["assumptions"]]
    if "source" in c:
        out += [f"Source of hours and dollars: {c['source']}."]
    return "\n".join(out)


def count(value):
    """671.03B, 621.54k: a unit and two digits behind the point; B is 10^9, T is 10^12."""
    for size, unit in ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:,.2f}{unit}"
    return f"{value:,.0f}"
