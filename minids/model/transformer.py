"""The whole model: embedding, layers of (attention, feed-forward or experts), final norm, head; MTP modules beside it.

    h_0 = Emb(ids);  h += Attention(RMSNorm(h));  h += FFN(RMSNorm(h));  logits = Head(RMSNorm(h_L))

The first `first_k_dense_replace` layers have a dense SwiGLU, the others experts. Submodules are named as in the
released checkpoints (without their leading "model."), so a state dict maps key by key; see minids/model/hf.py.

Shapes: B batch, T time, S cached and new positions, D hidden, V vocabulary.
"""

import torch
import torch.nn.functional as F
from torch import nn

from minids import memory
from minids.errors import MinidsError, need
from minids.files import brief
from minids.model import layers
from minids.model.attention import build_attention
from minids.model.cache import Cache
from minids.model.config import ModelConfig
from minids.model.layers import MLP, RMSNorm, rotary_table
from minids.model.moe import Experts, Gate, MoE
from minids.model.ops import linear
from minids.model.ops.linear import Linear, need_input


class Layer(nn.Module):
    """x += attention(norm(x)); x += experts(norm(x)), or a dense SwiGLU in the lowest layers."""

    def __init__(self, config, index):
        super().__init__()
        self.input_layernorm = RMSNorm(config.hidden_size, config.rms_norm_eps)
        self.self_attn = build_attention(config, index)
        self.post_attention_layernorm = RMSNorm(config.hidden_size, config.rms_norm_eps)
        if config.is_moe(index):
            self.mlp = MoE(config, index - config.first_k_dense_replace)
        else:
            self.mlp = MLP(config.hidden_size, config.intermediate_size)

    def forward(self, x_BTD, context):
        """x [B, T, D] and the forward's context -> [B, T, D]."""
        x_BTD = x_BTD + self.self_attn(
            self.input_layernorm(x_BTD), context.cos, context.sin, context.mask, context.cache, context.absorb
        )
        h_BTD = self.post_attention_layernorm(x_BTD)
        if isinstance(self.mlp, MoE):
            return x_BTD + self.mlp(h_BTD, context.loads, context.rows_BT)
        return x_BTD + self.mlp(h_BTD)


def document_mask(doc_ids_BT):
    """The attention mask where documents share a row -> bool [B, 1, T, T], True: position t (third) may see s (fourth).

    A position sees itself and what stands before it in its own document. doc_ids_BT int [B, T]: equal numbers in a row
    are one document, also with others between them; their order and sign say nothing. The one head stands for all.
    """
    T = doc_ids_BT.shape[1]
    # the same document ...
    same_BTT = doc_ids_BT[:, :, None] == doc_ids_BT[:, None, :]
    # ... and not later
    causal_TT = torch.ones(T, T, dtype=torch.bool, device=doc_ids_BT.device).tril()
    return (same_BTT & causal_TT)[:, None]


def _check_texts(model, ids_BT, doc_ids_BT, valid_BT, cache, start):
    """Refuses what does not fit together before anything is computed, or written into the cache."""
    c = model.config
    if not isinstance(ids_BT, torch.Tensor) or ids_BT.ndim != 2 or ids_BT.dtype not in (torch.int32, torch.int64):
        got = f"{ids_BT.dtype} {list(ids_BT.shape)}" if isinstance(ids_BT, torch.Tensor) else brief(ids_BT)
        raise MinidsError(f"Transformer: ids must be whole numbers [B, T], a row for each text, got {got}.")
    if ids_BT.numel() == 0:
        raise MinidsError(f"Transformer: ids {list(ids_BT.shape)} hold no token. Give each row one at least.")
    for name, value, must in (("doc_ids_BT", doc_ids_BT, "whole numbers"), ("valid_BT", valid_BT, "True or False")):
        if value is None:
            continue
        kind = value.dtype == torch.bool if name == "valid_BT" else not value.is_floating_point()
        if value.shape != ids_BT.shape or not kind:
            raise MinidsError(
                f"Transformer: {name} must be {must} of the shape of ids, {list(ids_BT.shape)}, got {value.dtype} "
                f"{list(value.shape)}."
            )
    if cache is None:
        return
    if doc_ids_BT is not None:
        raise MinidsError("Transformer: a cache holds one text a row. Leave doc_ids_BT out, or the cache.")
    if start is None:  # else one MTP module, whose attention checks its own layer
        held = cache.lengths[: c.num_hidden_layers]
        if len(held) < c.num_hidden_layers or len(set(held)) > 1:
            raise MinidsError(
                f"Transformer: {c.num_hidden_layers} layers need a cache whose layers hold equally many columns; they "
                f"hold {brief(held)}. Make it by model.new_cache, or truncate it."
            )
        cache.check("Transformer", c, *ids_BT.shape, 0, model.embed_tokens.weight)


class ForwardContext:
    """What every layer of one forward needs beside the states: angles of the positions, attention mask, cache, and
    for the experts' loads the text that each token is of."""

    def __init__(self, model, ids_BT, doc_ids_BT=None, valid_BT=None, loads=None, cache=None, absorb=None, start=None):
        _check_texts(model, ids_BT, doc_ids_BT, valid_BT, cache, start)
        self.loads, self.cache, self.absorb, self.mask, self.rows_BT = loads, cache, absorb, None, None
        (B, T), device = ids_BT.shape, ids_BT.device
        if cache is not None:
            positions_BT, self.mask = cache.positions(T, start), cache.mask(T, start)
        elif doc_ids_BT is not None:
            self.mask = document_mask(doc_ids_BT)
            index_T = torch.arange(T, device=device)
            new_BT = F.pad(doc_ids_BT[:, 1:] != doc_ids_BT[:, :-1], (1, 0), value=True)
            positions_BT = index_T - torch.where(new_BT, index_T, 0).cummax(1).values
        else:
            positions_BT = torch.arange(T, device=device)[None]
        self.cos, self.sin = model.angles(positions_BT)
        if loads is not None:
            rows_BT = torch.arange(B, device=device)[:, None].expand(B, T)
            if doc_ids_BT is not None:
                _, rows_BT = torch.unique(rows_BT * (doc_ids_BT.max() + 1) + doc_ids_BT, return_inverse=True)
            self.rows_BT = rows_BT if valid_BT is None else rows_BT.masked_fill(~valid_BT, -1)


def mtp_combine(hidden_BTD, next_BTD, hnorm_D, enorm_D, eh_proj_DX, eps):
    """What goes into the layer of an MTP module (arXiv 2412.19437 §2.2): M [norm(next); norm(hidden)] -> [B, T, D].

    hidden_BTD  states of the module below, of the main model at first
    next_BTD    embeddings of the tokens that the module is fed
    hnorm_D     weight of the hidden states' RMSNorm      enorm_D   of the embeddings'      eps   of both
    eh_proj_DX  the projection M, [D, 2D]; all in one dtype, and half precision is squared in float32

    The embedding comes first, as in the released weights; the paper writes the hidden state first.
    """
    # both to the same size, whatever their own is
    hidden_BTD = layers.rms_norm(hidden_BTD, hnorm_D, eps)
    next_BTD = layers.rms_norm(next_BTD, enorm_D, eps)
    # side by side, then from 2D numbers to D
    return linear.linear(torch.cat([next_BTD, hidden_BTD], dim=-1), eh_proj_DX)


def mtp_inputs(ids_BT, valid_BT, k):
    """The tokens that MTP module k (from 0) is fed beside the states of the module below -> (next_BT, fed_BT).

    next_BT  int [B, T]: at position t the token k + 1 further. The last k + 1 positions of a row have none; they repeat
             the row's last id, which keeps the shape.
    fed_BT   bool [B, T]: True where there is such a token and it is text.

    ids_BT int [B, T]; valid_BT bool [B, T], False for padding. Rows may be shorter than k + 1. No input is changed.
    """
    T = ids_BT.shape[1]
    # which column position t reads from; some of them lie behind the end
    column_T = torch.arange(T, device=ids_BT.device) + k + 1
    inside_T = column_T < T
    column_T = column_T.clamp(max=T - 1)
    return ids_BT[:, column_T], valid_BT[:, column_T] & inside_T


class MTPModule(nn.Module):
    """One more layer that predicts one token further (arXiv 2412.19437 §2.2). Embedding and head are shared."""

    def __init__(self, config, index):
        super().__init__()
        self.enorm = RMSNorm(config.hidden_size, config.rms_norm_eps)
        self.hnorm = RMSNorm(config.hidden_size, config.rms_norm_eps)
        self.eh_proj = Linear(2 * config.hidden_size, config.hidden_size, bias=False)
        self.layer = Layer(config, index)
        self.norm = RMSNorm(config.hidden_size, config.rms_norm_eps)

    def forward(self, hidden_BTD, next_BTD, context):
        """hidden: the state that predicted `next`, after its final norm; next: embeddings of the tokens that
        followed. Raises MinidsError where the two do not match in shape."""
        if hidden_BTD.shape != next_BTD.shape:
            raise MinidsError(
                f"MTPModule: hidden states {list(hidden_BTD.shape)} and embeddings {list(next_BTD.shape)} of the "
                "tokens that followed must have one shape, [B, T, D]."
            )
        for part in (hidden_BTD, next_BTD):
            need_input("MTPModule", part, self.hnorm.weight, len(self.hnorm.weight))
        x_BTD = mtp_combine(
            hidden_BTD, next_BTD, self.hnorm.weight, self.enorm.weight, self.eh_proj.weight, self.hnorm.eps
        )
        return self.norm(self.layer(x_BTD, context))


class Transformer(nn.Module):
    """The model: ids -> logits.

        model = Transformer(config)
        logits_BTV = model(ids_BT)                 # [B, T, V], at position t those of token t + 1
        hidden_BTD = model.hidden(ids_BT)          # states after the final norm; lm_head makes logits of them
        model.save_pretrained("folder"); model = Transformer.from_pretrained("folder")

    Weights are drawn from torch's global generator, in its default dtype. Parameters are named as in the released
    checkpoints. `generate` samples from it, `new_cache` is what a text is written on with. Raises MinidsError where the
    memory does not suffice.
    """

    style = None  # the template of text/chat.py that it was taught to answer in ("tags", "plain"), where that is known

    def __init__(self, config: ModelConfig):
        super().__init__()
        need(config, ModelConfig, "Transformer: config", "a ModelConfig; ModelConfig.from_dict makes one of a dict")
        where, number = torch.empty(0), torch.get_default_dtype().itemsize
        what = f"a model of {config.parameters:,} parameters"
        memory.afford(config.parameters * number, what, "Make it smaller.", where.device)
        self.config = config
        self.embed_tokens = nn.Embedding(config.vocab_size, config.hidden_size)
        self.layers = nn.ModuleList(Layer(config, i) for i in range(config.num_hidden_layers))
        self.norm = RMSNorm(config.hidden_size, config.rms_norm_eps)
        self.lm_head = Linear(config.hidden_size, config.vocab_size, bias=False)
        if config.tie_word_embeddings:
            self.lm_head.weight = self.embed_tokens.weight
        last = config.num_hidden_layers
        self.mtp = nn.ModuleList(MTPModule(config, last + k) for k in range(config.num_nextn_predict_layers))
        self._angles = None
        self.reset_parameters()

    def reset_parameters(self):
        """normal(0, initializer_range) for every matrix (V3: 0.006, arXiv 2412.19437 §4.2), ones for norms,
        zero biases."""
        std = self.config.initializer_range
        for module in self.modules():
            if isinstance(module, (nn.Linear, nn.Embedding, Gate)):
                nn.init.normal_(module.weight, std=std)
                if getattr(module, "bias", None) is not None:
                    nn.init.zeros_(module.bias)
            elif isinstance(module, Experts):
                nn.init.normal_(module.gate_up_proj, std=std)
                nn.init.normal_(module.down_proj, std=std)

    def angles(self, positions_BT):
        """cos and sin [B, T, R/2] at these positions, from a table that grows when a longer text comes."""
        longest = int(positions_BT.max()) + 1
        weight = self.embed_tokens.weight
        if self._angles is None or len(self._angles[0]) < longest or self._angles[0].device != weight.device:
            length = max(longest, min(self.config.max_position_embeddings, 4096))
            self._angles = rotary_table(self.config, length, device=weight.device)
        cos, sin = self._angles
        if cos.dtype != weight.dtype:
            cos, sin = cos.to(weight.dtype), sin.to(weight.dtype)
        return F.embedding(positions_BT, cos), F.embedding(positions_BT, sin)

    def hidden(self, ids_BT, *, doc_ids_BT=None, valid_BT=None, loads=None, cache=None, absorb=None):
        """ids [B, T] -> states after the final norm [B, T, D].

        doc_ids_BT   int: a position sees only its own segment (packed documents); angles start anew in each. None: one
                      text a row.
        valid_BT      bool: False is padding, which is not counted as an expert's load. Right padding needs no mask:
                      causality is one.
        loads         a moe.ExpertLoad() that collects expert loads and the balance loss of a training forward.
        cache         a Cache: ids are appended to what it holds; absorb says how (None: absorbed for few tokens,
                      naive for many).
        """
        context = ForwardContext(self, ids_BT, doc_ids_BT, valid_BT, loads, cache, absorb)
        x_BTD = self.embed(ids_BT)
        for layer in self.layers:
            x_BTD = layer(x_BTD, context)
        return self.norm(x_BTD)

    def embed(self, ids_BT):
        """ids [B, T] -> [B, T, D]. Raises MinidsError for ids that the model does not know (on a CPU; a GPU stops)."""
        try:
            return self.embed_tokens(ids_BT)
        except IndexError:
            raise MinidsError(
                f"Transformer: ids from {int(ids_BT.min())} to {int(ids_BT.max())}, but the model knows 0 to "
                f"{self.config.vocab_size - 1}. Is this the tokenizer that the model was trained with?"
            ) from None

    def forward(self, ids_BT, **where):
        """ids [B, T] -> logits [B, T, V]; keywords as in `hidden`."""
        return self.lm_head(self.hidden(ids_BT, **where))

    def mtp_hidden(self, hidden_BTD, ids_BT, *, doc_ids_BT=None, valid_BT=None, loads=None):
        """States of the MTP modules, a list of [B, T, D]: lm_head of the k-th (from 0) at position t predicts
        ids[t + 2 + k].

        The last k + 1 positions of a text have no token to be fed; whatever they get, they carry no loss and are no
        expert's load.
        """
        states = []
        valid_BT = torch.ones_like(ids_BT, dtype=torch.bool) if valid_BT is None else valid_BT
        for k, module in enumerate(self.mtp):
            next_BT, fed_BT = mtp_inputs(ids_BT, valid_BT, k)
            context = ForwardContext(self, ids_BT, doc_ids_BT, fed_BT, loads)
            hidden_BTD = module(hidden_BTD, self.embed(next_BT), context)
            states.append(hidden_BTD)
        return states

    def new_cache(self, batch, max_length, padding_B=None):
        """An empty Cache for `batch` texts of at most max_length tokens, in the model's dtype and on its device;
        padding_B [B] says how many columns at the left of each row stay empty."""
        weight = self.embed_tokens.weight
        return Cache(self.config, batch, max_length, padding_B, dtype=weight.dtype, device=weight.device)

    def parameter_count(self, active=False):
        """All parameters, or those that one token uses (K of E experts), embedding and head counted."""
        total = sum(p.numel() for p in self.parameters())
        if active:
            c = self.config
            idle = 1 - c.num_experts_per_tok / c.n_routed_experts
            total -= round(
                idle * sum(p.numel() for m in self.modules() if isinstance(m, Experts) for p in m.parameters())
            )
        return total

    @classmethod
    def from_pretrained(cls, folder, **how):
        """Reads `config.json` and `model*.safetensors` in Hugging Face's DeepSeek-V3 layout;
        see minids.model.hf.load_model."""
        from minids.model import hf  # only reading and writing files needs it

        return hf.load_model(cls, folder, **how)

    def save_pretrained(self, folder, **how):
        """Writes them; see minids.model.hf.save_model."""
        from minids.model import hf

        return hf.save_model(self, folder, **how)
