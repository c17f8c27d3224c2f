"""ModelConfig: every size of the architecture, under the names of Hugging Face's `DeepseekV3Config`.

A config.json of a DeepSeek-V3 checkpoint reads straight into it. Keys that have no meaning for the arithmetic (dtype,
library versions) are accepted and kept; a key that nobody knows is refused by name, because a misspelt key that is
silently ignored costs a training run. Keys that name code or other files (`auto_map`) are accepted and dropped: nothing
here reads them, and what is written must not pass them on. One key is our own: `attention` ("mla", or "mha"/"gqa" to
compare with).

A file may come from anybody, so what it asks for is bounded before anything is built from it: sizes, their product (the
parameters), and every number that a formula divides by.

The defaults are those of DeepSeek-V3 (arXiv 2412.19437 §4.2), except that no size is so large by accident: every recipe
states its own.
"""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import get_args

from minids.errors import MinidsError, did_you_mean, need
from minids.files import below, brief, load_json
from minids.settings import Explained, limits, refuse_unknown, setting, within

# Keys of published DeepSeek-V3 config files that do not change what is computed here.
PASSIVE_KEYS = {
    "architectures",
    "dtype",
    "ep_size",
    "head_dim",
    "model_type",
    "moe_layer_freq",
    "pretraining_tp",
    "qk_head_dim",
    "quantization_config",
    "scoring_func",
    "seq_aux",
    "tokenizer_class",
    "topk_method",
    "torch_dtype",
    "transformers_version",
    "use_cache",
    "attention_dropout",
    "output_router_logits",
    "aux_loss_alpha",
    "id2label",
    "label2id",
    "problem_type",
    "return_dict",
    "output_attentions",
    "output_hidden_states",
    "chunk_size_feed_forward",
    "is_encoder_decoder",
    "_attn_implementation",
    "_attn_implementation_internal",
    "_experts_implementation",
    "tokenizer_fingerprint",
}
# Keys that name code or files of whoever wrote the folder.
DROPPED_KEYS = {"auto_map", "_name_or_path", "name_or_path", "custom_pipelines"}
# What a passive key has to say if it is there at all; anything else is another architecture.
FIXED = {
    "model_type": "deepseek_v3",
    "scoring_func": "sigmoid",
    "topk_method": "noaux_tc",
    "moe_layer_freq": 1,
    "attention_dropout": 0.0,
}
YARN_KEYS = {
    "type",
    "rope_type",
    "factor",
    "beta_fast",
    "beta_slow",
    "mscale",
    "mscale_all_dim",
    "original_max_position_embeddings",
    "rope_theta",
    "attention_factor",
    "truncate",
}
FOLDED_KEYS = {"rope_type", "rope_theta"}  # files may have them there; read, they are `type` and the field rope_theta

KINDS = {
    int: "an integer",
    float: "a number",
    bool: "true or false",
    str: "a string",
    dict: "an object",
    type(None): "null",
    list: "a list of integers",
}
# Far above every published model (V3: 61 layers, 256 experts, 7e11 parameters); below what building one would choke on.
MOST_LAYERS, MOST_EXPERTS, MOST_PARAMETERS, MOST = 10_000, 65_536, 10**14, 2**53


# What stands in config.json where transformers has no such model.
OUR_TYPE, OUR_ARCHITECTURE = "minids", "MinidsForCausalLM"

# kind of attention -> whose projections and cache it has; attention.register adds to it
LIKE = {"mla": "mla", "mha": "gqa", "gqa": "gqa"}
ATTENTION = {
    "mla": "multi-head latent attention: the cache keeps one latent for all heads (V2 §2.1)",
    "mha": "keys and values for each head, to compare with",
    "gqa": "keys and values for num_key_value_heads groups of heads, to compare with",
}
# Sizes of the experts; a model whose layers are all dense has none, and they are not looked at.
OF_EXPERTS = (
    "moe_intermediate_size",
    "n_routed_experts",
    "n_shared_experts",
    "n_group",
    "topk_group",
    "num_experts_per_tok",
)


@dataclass
class ModelConfig(Explained):
    """The sizes of a model, under the names and with the meaning of Hugging Face's `DeepseekV3Config`.

        config = ModelConfig(
            vocab_size=320, hidden_size=64, intermediate_size=128, num_hidden_layers=2, num_attention_heads=4,
            kv_lora_rank=32, q_lora_rank=None, qk_rope_head_dim=8, qk_nope_head_dim=16, v_head_dim=16,
            first_k_dense_replace=2, max_position_embeddings=256,
        )

    Widths are in elements. Defaults are those of DeepSeek-V3 (arXiv 2412.19437 §4.2). Raises MinidsError, with the
    name of the field, for a value that is none of those below, for sizes that do not fit together, and for more than
    1e14 parameters. first_k_dense_replace = num_hidden_layers, without MTP, is a dense model: the experts' sizes are
    then not looked at. `passive` keeps the keys of a file that change no number; they are written back.

    rope_scaling has YaRN's keys (arXiv 2309.00071): factor, how many times longer than original_max_position_embeddings
    (tokens) a text may be; beta_fast and beta_slow, the turns within that length between which frequencies go from kept
    to divided by factor; mscale and mscale_all_dim, how the attention's scale grows with the factor.

    `ModelConfig.small(tokenizer, hidden_size=96)` makes a small one, and `config.replace(name=value)` another one.
    `config.stop_ids` are the tokens that end a text, `config.parameters` is how many parameters a model has.
    """

    vocab_size: int = setting(129280, "tokens that there are", above=0)
    hidden_size: int = setting(7168, "width of the residual stream", above=0)
    intermediate_size: int = setting(18432, "width of a dense layer's SwiGLU", above=0)
    moe_intermediate_size: int = setting(2048, "width of an expert's SwiGLU", above=0)
    num_hidden_layers: int = setting(61, "layers", above=0, most=MOST_LAYERS)
    num_attention_heads: int = setting(128, "attention heads", above=0)
    num_key_value_heads: int | None = setting(
        None, 'heads of keys and values, of attention "gqa"; None: as many as heads, as MLA has', above=0
    )
    n_shared_experts: int = setting(1, "experts that every token takes", least=1)
    n_routed_experts: int = setting(256, "experts that the router chooses from", above=0, most=MOST_EXPERTS)
    routed_scaling_factor: float = setting(2.5, "factor of the routed experts' sum", above=0)
    kv_lora_rank: int = setting(512, "width of the latent that keys and values are made from", above=0)
    q_lora_rank: int | None = setting(
        1536, "width of the latent that queries are made from; None or 0: no such latent", above=0
    )
    qk_rope_head_dim: int = setting(64, "width of the part of a query and key that is rotated", above=0)
    qk_nope_head_dim: int = setting(128, "width of the part that is not", above=0)
    v_head_dim: int = setting(128, "width of a head's values", above=0)
    n_group: int = setting(8, "groups of experts", above=0)
    topk_group: int = setting(4, "groups that a token's experts come from", above=0)
    num_experts_per_tok: int = setting(8, "routed experts of a token", above=0)
    first_k_dense_replace: int = setting(3, "layers at the bottom that are dense", least=0)
    norm_topk_prob: bool = setting(True, "the chosen experts' weights are divided by their sum")
    hidden_act: str = setting("silu", "activation of the SwiGLU", choices=("silu",))
    max_position_embeddings: int = setting(4096, "longest text, in tokens", above=0)
    initializer_range: float = setting(0.02, "standard deviation of the weights at the start", least=0)
    rms_norm_eps: float = setting(1e-6, "epsilon of RMSNorm", above=0)
    rope_theta: float = setting(10000.0, "base of the rotations' wavelengths", above=0)
    rope_scaling: dict | None = setting(None, 'None, or YaRN: {"type": "yarn", "factor": 40, ...}')
    rope_interleave: bool = setting(True, "pairs of the rotation are neighbours")
    attention_bias: bool = setting(False, "projections of attention have biases")
    tie_word_embeddings: bool = setting(False, "the output uses the embedding's weights")
    num_nextn_predict_layers: int = setting(0, "MTP modules; V3 has 1", least=0, most=8)
    bos_token_id: int | None = setting(0, "token that begins a text")
    eos_token_id: int | list | None = setting(1, "token that ends a text; several: each of them does")
    pad_token_id: int | None = setting(None, "token of padding")
    attention: str = setting("mla", "kind of attention; attention.register adds others", choices=ATTENTION)
    passive: dict = field(default_factory=dict, repr=False)  # read from a file, written back, never used

    def __post_init__(self):
        if self.num_key_value_heads is None:
            self.num_key_value_heads = self.num_attention_heads
        if _is(self.q_lora_rank, int) and self.q_lora_rank == 0:
            self.q_lora_rank = None  # as recipes write it, for TOML has no null
        self._check()

    # -- made from little ---------------------------------------------------------------------------------------------
    @classmethod
    def small(cls, tokenizer, *, hidden_size: int = 96, num_hidden_layers: int = 4, **change) -> "ModelConfig":
        """A small model of the same architecture for a tokenizer (or a number of tokens): every other size follows from
        the width, in the proportions of the recipe `tiny`.

            ModelConfig.small(tokenizer, hidden_size=128, num_hidden_layers=6, attention="gqa", num_key_value_heads=2)

        A head's queries and keys are 16 wide with and 16 without rotation, its values 32. There is a head for each 32
        of the width, a latent of a third of it, one dense layer, then layers of 8 experts of half the width, of which a
        token takes 2, beside 2 that every token takes. Any field can be given instead. Raises MinidsError for a name
        that no field has, and for sizes that contradict each other.
        """
        if not _is(hidden_size, int) or not 0 < hidden_size <= MOST:
            raise MinidsError(f"config: hidden_size must be a positive integer, got {brief(hidden_size)}.")
        refuse_unknown(change, _names(cls), "ModelConfig.small")
        heads, third = max(1, hidden_size // 32), max(8, hidden_size // 24 * 8)
        values = {
            "intermediate_size": -(-8 * hidden_size // 24) * 8,
            "moe_intermediate_size": max(8, hidden_size // 2),
            "num_attention_heads": heads,
            "q_lora_rank": None,
            "kv_lora_rank": third,
            "qk_rope_head_dim": 16,
            "qk_nope_head_dim": 16,
            "v_head_dim": 32,
            "first_k_dense_replace": 1,
            "n_routed_experts": 8,
            "num_experts_per_tok": 2,
            "n_shared_experts": 2,
            "n_group": 1,
            "topk_group": 1,
            "routed_scaling_factor": 1.0,
            "max_position_embeddings": 1024,
            "initializer_range": round(0.8 / math.sqrt(hidden_size), 4),
        }
        sizes = {"hidden_size": hidden_size, "num_hidden_layers": num_hidden_layers}
        return cls(**{**_vocabulary(tokenizer), **values, **sizes, **change})

    def replace(self, **change) -> "ModelConfig":
        """The same config with other values, checked as a whole; this one stays as it is.

            config.replace(attention="gqa", num_key_value_heads=2)

        Where every head has keys and values of its own, that stays so with another number of heads. Raises MinidsError
        for a name that no field has (with the nearest one) and for values that contradict each other.
        """
        refuse_unknown(change, _names(type(self)), "config.replace")
        values = asdict(self)
        if self.num_key_value_heads == self.num_attention_heads:
            values["num_key_value_heads"] = None
        if change.keys() & {"qk_nope_head_dim", "qk_rope_head_dim"}:  # a file may have said what follows from them
            values["passive"] = {k: v for k, v in self.passive.items() if k not in ("head_dim", "qk_head_dim")}
        return type(self)(**{**values, **change})

    # -- derived ------------------------------------------------------------------------------------------------------
    @property
    def stop_ids(self):
        """All tokens that end a text, a set."""
        ids = self.eos_token_id
        return set() if ids is None else set(ids) if isinstance(ids, list) else {ids}

    @property
    def qk_head_dim(self):
        """Width of a query and key: qk_nope_head_dim + qk_rope_head_dim."""
        return self.qk_nope_head_dim + self.qk_rope_head_dim

    @property
    def cache_elements(self):
        """Elements that the cache holds a token and layer: MLA keeps one latent and one rotated key for all heads."""
        if LIKE[self.attention] == "mla":
            return self.kv_lora_rank + self.qk_rope_head_dim
        return self.num_key_value_heads * (self.qk_head_dim + self.v_head_dim)

    def is_moe(self, layer):
        """Whether a layer (from 0) has experts."""
        return layer >= self.first_k_dense_replace

    @property
    def parameters(self):
        """How many parameters a Transformer of this config has, without building one."""
        c, D, H = self, self.hidden_size, self.num_attention_heads
        N, V = c.qk_nope_head_dim, c.v_head_dim
        if LIKE[c.attention] == "mla":
            q = D * H * c.qk_head_dim
            if c.q_lora_rank is not None:
                q = D * c.q_lora_rank + c.q_lora_rank + c.q_lora_rank * H * c.qk_head_dim
                q += c.attention_bias * c.q_lora_rank
            down = c.kv_lora_rank + c.qk_rope_head_dim
            attention = q + (D + c.attention_bias) * down + c.kv_lora_rank + c.kv_lora_rank * H * (N + V)
        else:
            attention = D * H * c.qk_head_dim + D * c.num_key_value_heads * (c.qk_head_dim + V)
        attention += H * V * D + c.attention_bias * D + 2 * D
        dense = 3 * D * c.intermediate_size
        experts = 3 * D * c.moe_intermediate_size * (c.n_routed_experts + c.n_shared_experts) + D * c.n_routed_experts
        n_dense = min(c.first_k_dense_replace, c.num_hidden_layers)
        n_mtp = c.num_nextn_predict_layers
        mtp_dense = min(max(c.first_k_dense_replace - c.num_hidden_layers, 0), n_mtp)
        layers = c.num_hidden_layers + n_mtp
        moe = layers - n_dense - mtp_dense
        total = layers * attention + (n_dense + mtp_dense) * dense + (moe and moe * experts)
        return total + n_mtp * (2 * D * D + 3 * D) + D + (2 - c.tie_word_embeddings) * c.vocab_size * D

    # -- reading and writing ------------------------------------------------------------------------------------------
    @classmethod
    def from_dict(cls, values, where="config"):
        """Reads a dict with HF's names; `where` is named in errors.
        Raises MinidsError on unknown or contradictory keys."""
        need(values, Mapping, where, "a table of keys and values (a dict)")
        values = dict(values)
        known = _names(cls)
        for key, ours in (("model_type", OUR_TYPE), ("architectures", [OUR_ARCHITECTURE])):
            if values.get(key) == ours:  # it follows from `attention`
                del values[key]
        if "num_mtp_layers" in values:  # transformers 5 writes both names
            _same(values, "num_nextn_predict_layers", values.pop("num_mtp_layers"), where)
        if "num_local_experts" in values:
            _same(values, "n_routed_experts", values.pop("num_local_experts"), where)
        _read_rope(values, where)
        for key, must in FIXED.items():
            if key in values and values[key] != must:
                raise MinidsError(
                    f"{where}: {key} is {brief(values[key])}, but this architecture has {key} = {must!r}."
                )
        for key in values:
            if key not in known | PASSIVE_KEYS | DROPPED_KEYS:
                hint = did_you_mean(key, known, " See minids.ModelConfig for the keys there are.")
                raise MinidsError(f"{where}: unknown key {brief(key)}.{hint}")
        for key in ("num_key_value_heads", "n_group", "topk_group"):
            if key in values and values[key] is None:
                del values[key]
        passive = {k: values[k] for k in values if k in PASSIVE_KEYS and k not in known}
        try:
            return cls(**{k: v for k, v in values.items() if k in known}, passive=passive)
        except MinidsError as error:
            raise MinidsError(re.sub(r"^config: ", f"{where}: ", str(error))) from None

    def to_dict(self):
        """The dict that goes into config.json: HF's keys, so that transformers reads it as `DeepseekV3Config`."""
        out = {
            "architectures": ["DeepseekV3ForCausalLM"],
            "scoring_func": "sigmoid",
            "topk_method": "noaux_tc",
            **self.passive,
        }
        out |= {k: v for k, v in asdict(self).items() if k != "passive"}
        out["model_type"] = "deepseek_v3" if self.attention == "mla" else OUR_TYPE
        if self.attention == "mla":
            del out["attention"]
        else:
            out["architectures"] = [OUR_ARCHITECTURE]
        return out

    @classmethod
    def from_pretrained(cls, folder):
        """Reads `folder/config.json`. Raises MinidsError where there is none, or it is not of this architecture."""
        path = Path(folder) / "config.json"
        values = load_json(
            path,
            "Copy the file again from its source.",
            missing=f"A model folder holds config.json and model.safetensors.{below(folder, path.name)}",
        )
        if values.get("model_type") == "deepseek_v3" and values.get("attention", "mla") != "mla":
            raise MinidsError(
                f"{path}: attention is {brief(values['attention'])}, but model_type 'deepseek_v3' has MLA. "
                "Drop one of them."
            )
        return cls.from_dict(values, where=str(path))

    def save_pretrained(self, folder):
        """Writes `folder/config.json`; makes the folder where there is none."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "config.json").write_text(json.dumps(self.to_dict(), indent=2) + "\n", encoding="utf-8", newline="\n")

    # -- what cannot be ------------------------------------------------------------------------------------------------
    def _check(self):
        def need(ok, message):
            if not ok:
                raise MinidsError(f"config: {message}")

        for f in fields(self):
            kinds = [kind for kind in get_args(f.type) or (f.type,) if kind in KINDS]
            value = getattr(self, f.name)
            said = " or ".join(KINDS[kind] for kind in kinds)
            need(not kinds or any(_is(value, kind) for kind in kinds), f"{f.name} must be {said}, got {brief(value)}.")
            need(not _is(value, int) or abs(value) <= MOST, f"{f.name} must be at most {MOST}, got {brief(value)}.")
        dense = self.first_k_dense_replace >= self.num_hidden_layers and self.num_nextn_predict_layers == 0
        for f in fields(self):
            value = getattr(self, f.name)
            if value is not None and not (dense and f.name in OF_EXPERTS):
                need(within(f.metadata, value), f"{f.name} must be {limits(f)}, got {brief(value)}.")
        if isinstance(self.eos_token_id, list):
            self.eos_token_id = list(dict.fromkeys(self.eos_token_id))
            need(self.eos_token_id, "eos_token_id must be null, an integer or a list of some, got an empty list.")
            if len(self.eos_token_id) == 1:
                self.eos_token_id = self.eos_token_id[0]
        marks = [("eos_token_id", token) for token in sorted(self.stop_ids)]
        marks += [(name, getattr(self, name)) for name in ("bos_token_id", "pad_token_id")]
        for name, token in marks:
            none = token is None or (name, token) == ("pad_token_id", -1)  # -1: how older files say that there is none
            need(
                none or 0 <= token < self.vocab_size,
                f"{name} must be among the model's ids, 0 to {self.vocab_size - 1}, got {token}.",
            )
        need(
            self.qk_rope_head_dim % 2 == 0,
            f"qk_rope_head_dim must be even (RoPE turns pairs), got {self.qk_rope_head_dim}.",
        )
        need(self.hidden_act == "silu", f"hidden_act must be 'silu' (SwiGLU), got {self.hidden_act!r}.")
        kinds = f"{', '.join(map(repr, list(LIKE)[:-1]))} or {list(LIKE)[-1]!r}"
        need(self.attention in LIKE, f"attention must be {kinds}, got {self.attention!r}.")
        if self.attention not in ("mla", "mha"):
            need(
                self.num_attention_heads % self.num_key_value_heads == 0,
                f"num_attention_heads {self.num_attention_heads} is no multiple of "
                f"num_key_value_heads {self.num_key_value_heads}.",
            )
        elif self.num_key_value_heads != self.num_attention_heads:
            need(
                False,
                f"num_key_value_heads {self.num_key_value_heads} differs from num_attention_heads; "
                "only attention 'gqa' may.",
            )
        if self.rope_scaling is not None:
            self._check_yarn(need)
        if dense:
            self._check_total(need)
            return
        need(
            self.n_routed_experts % self.n_group == 0,
            f"n_routed_experts {self.n_routed_experts} is no multiple of n_group {self.n_group}.",
        )
        per_group = self.n_routed_experts // self.n_group
        need(
            per_group >= 2, f"a group needs at least 2 experts (its score is the sum of its two best), got {per_group}."
        )
        need(
            self.topk_group <= self.n_group, f"topk_group must be 1 to n_group = {self.n_group}, got {self.topk_group}."
        )
        need(
            self.num_experts_per_tok <= per_group * self.topk_group,
            f"num_experts_per_tok {self.num_experts_per_tok} exceeds the {per_group * self.topk_group} experts "
            "of topk_group groups.",
        )
        self._check_total(need)

    def _check_total(self, need):
        count = self.parameters
        need(count <= MOST_PARAMETERS, f"the sizes together ask for {count:.1e} parameters; no such model is read.")

    def _check_yarn(self, need):
        scaling = self.rope_scaling
        kind = scaling.get("type")
        need(kind == "yarn", f"rope_scaling type {brief(kind)} is not known; use null or 'yarn'.")
        _refuse_rope_keys(scaling, YARN_KEYS - FOLDED_KEYS, "config")
        need(self.rope_theta > 1, f"rope_theta must be above 1 with YaRN, got {self.rope_theta}.")
        for key in ("factor", "original_max_position_embeddings", "beta_fast", "beta_slow", "attention_factor"):
            value = scaling.get(key)
            if value is not None or key in ("factor", "original_max_position_embeddings"):
                need(_is(value, float) and value > 0, f"rope_scaling needs a positive {key!r}, got {brief(value)}.")
        for key in ("mscale", "mscale_all_dim"):
            value = scaling.get(key)
            need(
                value is None or (_is(value, float) and value >= 0),
                f"rope_scaling: {key!r} must be a number and not negative, got {brief(value)}.",
            )
        need(
            isinstance(scaling.get("truncate", True), bool),
            f"rope_scaling: 'truncate' must be true or false, got {brief(scaling.get('truncate'))}.",
        )


def _names(cls):
    """The fields that may be said; `passive` is what a file has beside them."""
    return {f.name for f in fields(cls)} - {"passive"}


def _is(value, kind):
    """Whether a value read from a file is of this kind; true is no number, 3 may stand for 3.0."""
    if kind is float:
        if not isinstance(value, int | float) or isinstance(value, bool):
            return False
        return abs(value) <= 1e30 and math.isfinite(value)  # an integer may be too long for a float: compared first
    if kind is list:
        return isinstance(value, list) and all(_is(v, int) for v in value)
    return isinstance(value, kind) and (kind is bool or not isinstance(value, bool))


def _vocabulary(tokenizer):
    """The fields that a tokenizer decides, or a number of tokens."""
    if _is(tokenizer, int):
        return {"vocab_size": tokenizer}
    try:
        values = {"vocab_size": len(tokenizer), "passive": {"tokenizer_fingerprint": tokenizer.fingerprint}}
    except (TypeError, AttributeError):
        kind = type(tokenizer).__name__
        raise MinidsError(f"ModelConfig.small: give a minids.Tokenizer, or a number of tokens, got {kind}.") from None
    for name in ("bos", "eos", "pad"):
        try:
            values[f"{name}_token_id"] = getattr(tokenizer, f"{name}_id")
        except MinidsError:  # it has no such token
            values[f"{name}_token_id"] = None
    return values


def _same(values, key, other, where):
    if values.setdefault(key, other) != other:
        raise MinidsError(f"{where}: {key} is {brief(values[key])}, but its other name says {brief(other)}. Keep one.")


def _read_rope(values, where):
    """Folds transformers 5's `rope_parameters` and the older `rope_scaling` + `rope_theta` into the latter."""
    new = values.pop("rope_parameters", None)
    if new is not None:
        if not isinstance(new, dict):
            raise MinidsError(f"{where}: rope_parameters must be an object, got {brief(new)}.")
        new = dict(new)
        theta = new.pop("rope_theta", None)
        if theta is not None:
            _same(values, "rope_theta", theta, where)
        if new.get("rope_type", new.get("type", "default")) != "default":
            values.setdefault("rope_scaling", new)
    scaling = values.get("rope_scaling")
    if scaling is None:
        return
    if not isinstance(scaling, dict):
        raise MinidsError(f"{where}: rope_scaling must be null or an object, got {brief(scaling)}.")
    _refuse_rope_keys(scaling, YARN_KEYS, where)
    scaling = dict(scaling)
    kind = scaling.pop("rope_type", None) or scaling.get("type", "default")
    theta = scaling.pop("rope_theta", None)
    if theta is not None:
        _same(values, "rope_theta", theta, where)
    values["rope_scaling"] = None if kind == "default" else {**scaling, "type": kind}


def _refuse_rope_keys(scaling, known, where):
    for key in scaling:
        if key not in known:
            raise MinidsError(f"{where}: unknown key {brief(key)} in rope_scaling.{did_you_mean(key, known)}")
