"""What a model of these sizes costs, by arithmetic: parameters, FLOPs, hours, dollars, bytes of cache.

    FLOPs per token (training)  = 6 * N + 3 * A           forward 2 * N + A, backward twice that
    N = parameters multiplied with a token: attention, dense and chosen expert matrices, router, head; not the
        embedding, which is looked up
    A = attention's own products, forward: queries times keys, weights times values
    GPU hours                 = FLOPs / (peak FLOP/s * share of it that is reached) / 3600
    dollars                   = GPU hours * rent
    cache, bytes per token      = layers * elements * bytes of one

Left out: communication, recomputation, optimizer arithmetic, norms and softmax (together a few percent); MTP
modules; electricity.
"""

from minids.errors import MinidsError
from minids.model.config import LIKE, ModelConfig

V3_TOKENS = 14.8e12
V3_GPUS = 2048  # §3.1
V3_HOURS = {"pre-training": 2_664_000, "context extension": 119_000, "post-training": 5_000}  # of one H800
R1_HOURS = {"R1-Zero": 101_000, "SFT data": 5_000, "R1": 41_000}
DOLLARS_PER_HOUR = 2.0  # the rent that both papers assume, and the default of `bill`
V3_SOURCE = "DeepSeek-V3 report, arXiv 2412.19437, Table 1"
R1_SOURCE = (
    "R1 paper, arXiv 2501.12948 v2, Table 7 (the Nature version's Supplementary Table 7), as transcribed by several "
    "secondary sources that agree; the table itself was not read"
)
H800_BF16 = 989e12  # FLOP/s, dense, data sheet of the H100 SXM, whose tensor cores the H800 shares


def parameters(config: ModelConfig):
    """Parameters by part, and their `total`, as a dict of integers.

    The MTP modules are not counted. Equal to Transformer.parameter_count(), by arithmetic instead of by
    building it.
    """
    c, D = config, config.hidden_size
    heads, expert = c.num_attention_heads, 3 * config.hidden_size * config.moe_intermediate_size
    if LIKE[c.attention] == "mla":
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
    if c.attention_bias and LIKE[c.attention] == "mla":
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
    return {**parts, "total": sum(parts.values())}


def active(config: ModelConfig):
    """The parameters that one token meets on its way through the model, an integer.

    `parameters(config)` counts the model by part: embedding, head, attention, dense feed-forward, shared
    experts, routed experts, router, norms, and their total. A token is sent to `config.num_experts_per_tok` of
    the `config.n_routed_experts` routed experts of each MoE layer, and meets every other part whole. A model
    without MoE layers has no routed experts (its `n_routed_experts` may be 0), and every parameter is active.

    DeepSeek-V3: 37.55e9 of 671.03e9; the report says 37B of 671B (arXiv 2412.19437, abstract).
    """
    counted = parameters(config)
    # the routed experts are all of one size, so a share of them is a share of their parameters
    chosen = counted["routed experts"] * config.num_experts_per_tok // max(1, config.n_routed_experts)
    return counted["total"] - counted["routed experts"] + chosen


def multiplied(config: ModelConfig):
    """N: the active parameters that are multiplied with a token. Looking up an embedding multiplies nothing;
    a tied head does."""
    return active(config) - (0 if config.tie_word_embeddings else parameters(config)["embedding"])


def attention_flops(config: ModelConfig, length):
    """A: forward FLOPs per token that attention spends on its own products (queries times keys, weights times
    values), over all layers, averaged over a text of `length` tokens.

    A multiplication with its addition is 2 FLOPs. Each of `num_attention_heads` query heads does its own
    products, whatever the number of key heads. A query and a key have `config.qk_head_dim` numbers, a value has
    `config.v_head_dim`. The text is causal: a token looks at itself and at what stands before it, on average at
    half of the text (the half token more may be counted or left out). The projections W_Q, W_K, W_V, W_O belong
    to N, not here.
    """
    # positions that a token looks at, on average
    seen = length / 2
    # FLOPs of one head for one such position: its score, and its value added to the sum
    each = 2 * config.qk_head_dim + 2 * config.v_head_dim
    return config.num_hidden_layers * config.num_attention_heads * each * seen


def forward_flops(config: ModelConfig, tokens, length):
    """FLOPs of reading (or sampling) `tokens` tokens in texts of `length`."""
    return tokens * (2 * multiplied(config) + attention_flops(config, length))


def training_flops(config: ModelConfig, tokens, length):
    """FLOPs of training on `tokens` tokens in texts of `length` tokens: forward and backward.

    Forward: every one of the `multiplied(config)` parameters is multiplied once with each token and added to a
    sum, 2 FLOPs; attention's own products are `attention_flops(config, length)` a token. Backward: where the
    forward pass computed one product y = x W, the gradient needs two of the same size, one for x and one for W;
    the same holds for attention's products. Optimizer, norms, softmax and recomputation are left out.

    DeepSeek-V3 in texts of 4,096: 250e9 a token.
    """
    # a token's forward pass
    forward = 2 * multiplied(config) + attention_flops(config, length)
    # backward costs as much as two of them
    return tokens * 3 * forward


def gpu_hours(flops, peak, share):
    """Hours that one GPU works on `flops`, or n GPUs together: n times as many, for an n-th of the time.

    flops  floating-point operations      peak   FLOP/s on the data sheet (H800, dense bf16: 989e12)
    share  of the peak that the program reaches, above 0 and at most 1: 0.39 for 39 %. Real programs wait for
           memory and for each other.
    Raises MinidsError for any other share, NaN too: 39 is no share, and nothing is faster than its peak.
    """
    if not 0 < share <= 1:
        raise MinidsError(f"cost: share must lie above 0 and at most at 1 (0.39 for 39 %), got {share}.")
    return flops / (peak * share) / 3600


def bill(hours, dollars_per_hour=2.0, gpus=None):
    """The bill for stages of training, given as a dict {stage: GPU hours} -> dict:

    gpu_hours         the stages as given (in a dict of its own)
    gpu_hours_total   their sum
    dollars_per_hour  the rent of one GPU for one hour, as given
    dollars           for all stages together
    gpus              as given: None, or at least 1
    days              that so many GPUs work, day and night, if all work all the time; None if `gpus` is None
    """
    total = sum(hours.values())
    return {
        "gpu_hours": dict(hours),
        "gpu_hours_total": total,
        "dollars_per_hour": dollars_per_hour,
        "dollars": total * dollars_per_hour,
        "gpus": gpus,
        "days": None if gpus is None else total / gpus / 24,
    }


def cache_bytes(config: ModelConfig, attention, groups=None, bytes_per_element=2):
    """Bytes that the cache of a generating model grows by with each token, over all layers (MTP modules not
    counted), if a model of these sizes had this kind of attention.

    "mha"  a key of `config.qk_head_dim` and a value of `config.v_head_dim` numbers for each of the
           `config.num_attention_heads` heads
    "gqa"  the same for each of `groups` groups of heads, which share them (arXiv 2305.13245); 1 is MQA. `groups`
           is given for "gqa", and not looked at for the others
    "mla"  for all heads together one latent of `config.kv_lora_rank` numbers, from which keys and values are
           computed anew, and one rotated key of `config.qk_rope_head_dim` (arXiv 2405.04434 §2.1.2, §2.1.3)
    `config.attention` is not looked at. Raises MinidsError for another kind.
    """
    # what one layer keeps of one token, in numbers
    if attention == "mla":
        elements = config.kv_lora_rank + config.qk_rope_head_dim
    elif attention in ("mha", "gqa"):
        pairs = config.num_attention_heads if attention == "mha" else groups
        elements = pairs * (config.qk_head_dim + config.v_head_dim)
    else:
        raise MinidsError(f"cost: attention {attention!r} is not one of mla, gqa, mha.")
    return config.num_hidden_layers * elements * bytes_per_element


def caches(config: ModelConfig, bytes_per_element=2):
    """cache_bytes of this model's sizes as MLA, as GQA of usual grouping, and as MHA."""
    heads = config.num_attention_heads
    groups = (
        8
        if heads > 8 and heads % 8 == 0
        else max(g for g in range(1, heads + 1) if heads % g == 0 and 2 * g <= max(2, heads))
    )
    return {
        "MLA": cache_bytes(config, "mla", bytes_per_element=bytes_per_element),
        f"GQA, {groups} groups": cache_bytes(config, "gqa", groups, bytes_per_element),
        "MHA": cache_bytes(config, "mha", bytes_per_element=bytes_per_element),
    }


def v3_flops():
    """FLOPs of V3's pre-training by the formula: 14.8T tokens in texts of 4,096."""
    return training_flops(ModelConfig(), V3_TOKENS, 4096)


def v3_share():
    """Share of the bf16 peak that V3's run reached: the formula's FLOPs over what its hours could have done."""
    return v3_flops() / (V3_HOURS["pre-training"] * 3600) / H800_BF16
