"""bill.active"""
from fractions import Fraction


def wrong_1(config):
    "no guard against n_routed_experts = 0: ZeroDivisionError for a dense model"
    p = parameters(config)
    return p["total"] - p["routed experts"] + p["routed experts"] * config.num_experts_per_tok // config.n_routed_experts


def wrong_2(config):
    "true division: a float, not an integer"
    p = parameters(config)
    n = max(1, config.n_routed_experts)
    return p["total"] - p["routed experts"] + p["routed experts"] * config.num_experts_per_tok / n


def wrong_3(config):
    "divides the counts before multiplying: k // n is 0, no routed expert is active"
    p = parameters(config)
    share = config.num_experts_per_tok // max(1, config.n_routed_experts)
    return p["total"] - p["routed experts"] + share * p["routed experts"]


def wrong_4(config):
    "the MTP layers' experts are taken off too (they are not in the total): num_nextn_predict_layers > 0"
    p = parameters(config)
    if config.n_routed_experts == 0:
        return p["total"]
    layers = config.num_hidden_layers + config.num_nextn_predict_layers - config.first_k_dense_replace
    expert = 3 * config.hidden_size * config.moe_intermediate_size
    idle = config.n_routed_experts - config.num_experts_per_tok
    return p["total"] - max(0, layers) * idle * expert


def wrong_5(config):
    "number of MoE layers goes negative where first_k_dense_replace > num_hidden_layers (a dense model)"
    p = parameters(config)
    layers = config.num_hidden_layers - config.first_k_dense_replace
    expert = 3 * config.hidden_size * config.moe_intermediate_size
    return p["total"] - layers * (config.n_routed_experts - config.num_experts_per_tok) * expert


def wrong_6(config):
    "the router is cut to the chosen experts too"
    p = parameters(config)
    n, k = max(1, config.n_routed_experts), config.num_experts_per_tok
    both = p["routed experts"] + p["router"]
    return p["total"] - both + both * k // n


def wrong_7(config):
    "shared experts count among the num_experts_per_tok: one routed expert too few"
    p = parameters(config)
    n, k = max(1, config.n_routed_experts), config.num_experts_per_tok - config.n_shared_experts
    return p["total"] - p["routed experts"] + p["routed experts"] * k // n


def wrong_8(config):
    "the embedding is left out, as in N"
    p = parameters(config)
    n = max(1, config.n_routed_experts)
    return p["total"] - p["routed experts"] - p["embedding"] + p["routed experts"] * config.num_experts_per_tok // n


def wrong_9(config):
    "sums the parts of the printed table and forgets the norms"
    p = parameters(config)
    always = sum(p[k] for k in ("embedding", "head", "attention", "dense feed-forward", "shared experts", "router"))
    return always + p["routed experts"] * config.num_experts_per_tok // max(1, config.n_routed_experts)


def wrong_10(config):
    "dense models are told by first_k_dense_replace == 0, which means that every layer is MoE"
    p = parameters(config)
    if config.first_k_dense_replace == 0 or config.n_routed_experts == 0:
        return p["total"]
    return p["total"] - p["routed experts"] + p["routed experts"] * config.num_experts_per_tok // config.n_routed_experts


def right_1(config):
    "counts the idle experts layer by layer"
    p = parameters(config)
    idle = 0
    for layer in range(config.num_hidden_layers):
        if config.is_moe(layer):
            idle += (config.n_routed_experts - config.num_experts_per_tok) * 3 * config.hidden_size * config.moe_intermediate_size
    return p["total"] - idle


def right_2(config):
    "early return without routed experts; size of one expert first"
    p = parameters(config)
    routed = p["routed experts"]
    if not routed:
        return p["total"]
    one_each = routed // config.n_routed_experts
    return p["total"] - routed + one_each * config.num_experts_per_tok


def right_3(config):
    "adds up the parts instead of subtracting from the total"
    p = dict(parameters(config))
    p.pop("total")
    routed = p.pop("routed experts")
    if config.n_routed_experts > 0:
        routed = routed * config.num_experts_per_tok // config.n_routed_experts
    return sum(p.values()) + routed


def right_4(config):
    "an exact fraction"
    p = parameters(config)
    share = Fraction(config.num_experts_per_tok, config.n_routed_experts) if p["routed experts"] else Fraction(0)
    return int(p["total"] - p["routed experts"] * (1 - share))
