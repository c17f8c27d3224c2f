"""bill.active"""
import dataclasses


def wrong_1(config):
    "true division: a float, not an integer"
    p = parameters(config)
    return p["total"] - p["routed experts"] + p["routed experts"] * config.num_experts_per_tok / max(1, config.n_routed_experts)


def wrong_2(config):
    "ZeroDivisionError for a dense model with n_routed_experts = 0"
    p = parameters(config)
    return p["total"] - p["routed experts"] + p["routed experts"] // config.n_routed_experts * config.num_experts_per_tok


def wrong_3(config):
    "the embedding is left out (that is `multiplied`)"
    p = parameters(config)
    chosen = p["routed experts"] * config.num_experts_per_tok // max(1, config.n_routed_experts)
    return p["total"] - p["embedding"] - p["routed experts"] + chosen


def wrong_4(config):
    "the chosen experts of one layer only"
    p = parameters(config)
    expert = 3 * config.hidden_size * config.moe_intermediate_size
    chosen = config.num_experts_per_tok * expert if p["routed experts"] else 0
    return p["total"] - p["routed experts"] + chosen


def wrong_5(config):
    "chosen experts in every layer, dense ones too (differs if first_k_dense_replace > 0)"
    p = parameters(config)
    expert = 3 * config.hidden_size * config.moe_intermediate_size
    return p["total"] - p["routed experts"] + config.num_hidden_layers * config.num_experts_per_tok * expert


def wrong_6(config):
    "the router is cut to the chosen share, too"
    p = parameters(config)
    parts = p["routed experts"] + p["router"]
    return p["total"] - parts + parts * config.num_experts_per_tok // max(1, config.n_routed_experts)


def wrong_7(config):
    "shared experts count among the chosen ones: one expert fewer a layer"
    p = parameters(config)
    n = max(1, config.n_routed_experts)
    chosen = p["routed experts"] // n * (config.num_experts_per_tok - config.n_shared_experts)
    return p["total"] - p["routed experts"] + chosen


def wrong_8(config):
    "a negative number of MoE layers where first_k_dense_replace > num_hidden_layers"
    p = parameters(config)
    expert = 3 * config.hidden_size * config.moe_intermediate_size
    moe = config.num_hidden_layers - config.first_k_dense_replace
    return p["total"] - p["routed experts"] + moe * config.num_experts_per_tok * expert


def wrong_9(config):
    "a dense model (no routed experts) gives 0 active... because of an early return"
    p = parameters(config)
    if p["routed experts"] == 0:
        return 0
    return p["total"] - p["routed experts"] + p["routed experts"] * config.num_experts_per_tok // config.n_routed_experts


def wrong_10(config):
    "tied embeddings: the shared table is added a second time as head"
    p = parameters(config)
    chosen = p["routed experts"] * config.num_experts_per_tok // max(1, config.n_routed_experts)
    tied = config.vocab_size * config.hidden_size if config.tie_word_embeddings else 0
    return p["total"] - p["routed experts"] + chosen + tied


def right_1(config):
    "counts the idle experts of each MoE layer and takes them off"
    idle = 0
    for layer in range(config.num_hidden_layers):
        if layer >= config.first_k_dense_replace:
            left = config.n_routed_experts - config.num_experts_per_tok
            idle += left * 3 * config.hidden_size * config.moe_intermediate_size
    return parameters(config)["total"] - idle


def right_2(config):
    "early return for dense models; one expert's size first, then the chosen ones"
    p = parameters(config)
    if not p["routed experts"]:
        return p["total"]
    one = p["routed experts"] // config.n_routed_experts
    return p["total"] - one * (config.n_routed_experts - config.num_experts_per_tok)


def right_3(config):
    "sums the parts by name"
    out = 0
    for name, n in parameters(config).items():
        if name == "total":
            continue
        if name == "routed experts" and n > 0:
            n = n * config.num_experts_per_tok // config.n_routed_experts
        out += n
    return out


def right_4(config):
    "pop and sum, chosen from the sizes"
    p = dict(parameters(config))
    total, routed = p.pop("total"), p.pop("routed experts")
    moe = max(0, config.num_hidden_layers - config.first_k_dense_replace)
    return sum(p.values()) + moe * config.num_experts_per_tok * 3 * config.hidden_size * config.moe_intermediate_size
