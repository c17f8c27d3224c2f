"""bill.active"""
import dataclasses
from minids.model.config import ModelConfig


def wrong_1(config):
    "true division: a float instead of an integer"
    p = parameters(config)
    return p["total"] - p["routed experts"] + p["routed experts"] * config.num_experts_per_tok / max(1, config.n_routed_experts)


def wrong_2(config):
    "share computed first with //: the chosen experts count 0"
    p = parameters(config)
    return p["total"] - p["routed experts"] + p["routed experts"] * (config.num_experts_per_tok // max(1, config.n_routed_experts))


def wrong_3(config):
    "division by zero when n_routed_experts is 0"
    p = parameters(config)
    return p["total"] - p["routed experts"] + p["routed experts"] * config.num_experts_per_tok // config.n_routed_experts


def wrong_4(config):
    "the embedding is left out as well (that is `multiplied`)"
    p = parameters(config)
    routed = p["routed experts"]
    return p["total"] - p["embedding"] - routed + routed * config.num_experts_per_tok // max(1, config.n_routed_experts)


def wrong_5(config):
    "the shared experts are left out"
    p = parameters(config)
    routed = p["routed experts"]
    return p["total"] - p["shared experts"] - routed + routed * config.num_experts_per_tok // max(1, config.n_routed_experts)


def wrong_6(config):
    "counts the chosen experts by hand over ALL layers, dense ones too (first_k_dense_replace > 0)"
    p = parameters(config)
    expert = 3 * config.hidden_size * config.moe_intermediate_size
    return p["total"] - p["routed experts"] + config.num_hidden_layers * config.num_experts_per_tok * expert


def wrong_7(config):
    "counts chosen experts by hand; first_k_dense_replace beyond the number of layers gives a negative count"
    p = parameters(config)
    expert = 3 * config.hidden_size * config.moe_intermediate_size
    moe = config.num_hidden_layers - config.first_k_dense_replace
    return p["total"] - p["routed experts"] + moe * config.num_experts_per_tok * expert


def wrong_8(config):
    "sums the parts, and forgets that `total` is one of them"
    p = parameters(config)
    p["routed experts"] = p["routed experts"] * config.num_experts_per_tok // max(1, config.n_routed_experts)
    return sum(p.values())


def wrong_9(config):
    "the router counts only for the chosen experts"
    p = parameters(config)
    n, k = max(1, config.n_routed_experts), config.num_experts_per_tok
    sparse = p["routed experts"] + p["router"]
    return p["total"] - sparse + sparse * k // n


def wrong_10(config):
    "only the experts that are not chosen in ONE layer are taken off, as if there were a single MoE layer"
    p = parameters(config)
    expert = 3 * config.hidden_size * config.moe_intermediate_size
    if not p["routed experts"]:
        return p["total"]
    return p["total"] - (config.n_routed_experts - config.num_experts_per_tok) * expert


def right_1(config):
    "by hand: layers, experts, three matrices each"
    p = parameters(config)
    layers = max(0, config.num_hidden_layers - config.first_k_dense_replace)
    idle = layers * max(0, config.n_routed_experts - config.num_experts_per_tok) * 3 * config.hidden_size * config.moe_intermediate_size
    if layers == 0 or config.n_routed_experts == 0:
        return p["total"]
    return p["total"] - idle


def right_2(config):
    "sum of the parts in a loop"
    out = 0
    for name, count in parameters(config).items():
        if name == "total":
            continue
        if name == "routed experts" and count:
            count = count // config.n_routed_experts * config.num_experts_per_tok
        out += count
    return out


def right_3(config):
    "early return for a model without MoE layers"
    p = parameters(config)
    if p["routed experts"] == 0:
        return p["total"]
    unused = config.n_routed_experts - config.num_experts_per_tok
    return p["total"] - p["routed experts"] * unused // config.n_routed_experts


def right_4(config):
    "pop and sum of what remains"
    p = dict(parameters(config))
    p.pop("total")
    routed = p.pop("routed experts")
    one = routed // config.n_routed_experts if config.n_routed_experts else 0
    return sum(p.values()) + one * config.num_experts_per_tok
