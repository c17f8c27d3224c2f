"""Batched generation: one prefill a prompt, shared by its samples; a seed a sequence; log-probabilities of what was
drawn.

    tokens ~ softmax(logits / temperature), optionally cut by top-k and top-p

Every sequence has a seed of its own, and the uniform number that decides its t-th token is a hash of (seed, t): which
other sequences share the batch, and when they end, does not change what it draws. Prompts are aligned at their right
end; sequences that ended leave the batch.

Decoding one token a sequence is a chain of small products, so on a CPU what counts is their number. `FoldedDecoder`
therefore multiplies weights that follow each other once, before the first token (W_UK into the query projection, W_UV
into W_O, norm weights into what follows them), and runs all experts in two products when the batch is small.
`PlainDecoder` is the model itself with its cache, the definition that the other is tested against, and what runs where
folding does not pay (large latents, GPU).

Left out: refilling the places of finished sequences while others still run. It was built and measured (CPU time of one
thread on a busy machine, the better of two) with the tiny recipe's model and 576 answers of 44 tokens on average, at
most 96. The same tokens came out:

    places   batch after batch, finished rows leave   places filled again, 85 % kept full   useful tokens / s
    192      14,500                                   12,400  (-15 %; another time -4 %)
    96       12,800                                   10,400  (-19 %)

It saves steps (204 instead of 288 at 192 places), but on a CPU a step costs what its rows cost: a row of a batch of 50
is hardly dearer than one of 190. What it adds costs more: rows that ended and wait for company, and rows of different
age, which are all as wide as the oldest (75 columns on average in a full batch instead of 29, and up to 204 at the
end). An iteration of RL fits into one batch anyway (`max_batch`), and then there is nothing to refill.
"""

import operator
from collections.abc import Iterable
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from einops import rearrange

from minids import memory
from minids.dispatch import as_written
from minids.errors import MinidsError, need
from minids.files import brief
from minids.model import attention, cache, layers, moe
from minids.model.ops import gpu
from minids.model.sampling import check_settings, filter_logits, whole

# -- random numbers that belong to a sequence -------------------------------------------------------------------------


def uniform(seeds, length):
    """Numbers in [0, 1) that depend on (seed, index) alone: [len(seeds), length] float32
    (splitmix64, upper 24 bits)."""

    def mix(z, shift, factor):
        return (z ^ ((z >> shift) & ((1 << (64 - shift)) - 1))) * factor

    seed = torch.tensor([s & 0x7FFF_FFFF_FFFF_FFFF for s in seeds], dtype=torch.int64)[:, None]
    z = mix(seed * -0x61C8864680B583EB + 1, 32, -0x2917014799A6026D)  # separates neighbouring seeds
    z = z + (torch.arange(length, dtype=torch.int64) + 1) * -0x61C8864680B583EB
    z = mix(mix(z, 30, -0x40A7B892E31B1A47), 27, -0x6B2FB644ECCEEE15)
    z = z ^ ((z >> 31) & ((1 << 33) - 1))
    return ((z >> 40) & 0xFFFFFF).float() * 2.0**-24


def sequence_seeds(seed, step, count, offset=0):
    """`count` seeds that no other (seed, step) shares, for sequences offset, offset + 1, …"""
    return [((seed & 0xFFFF) << 46) | ((step & 0x3FFFFF) << 24) | (offset + i) for i in range(count)]


def draw(logps_BV, u_B):
    """The token where the cumulated probability passes u: [B]. Tokens of probability 0 are never drawn."""
    cdf_BV = logps_BV.exp().cumsum(-1)
    point_B1 = (u_B[:, None] * cdf_BV[:, -1:]).clamp(max=cdf_BV[:, -1:] * (1 - 2.0**-20))
    return torch.searchsorted(cdf_BV, point_B1, right=True).squeeze(1)


# -- two ways to compute the next token's logits ----------------------------------------------------------------------


class PlainDecoder:
    """The model with its cache. `step` takes the last tokens [B] and returns logits [B, V]."""

    def __init__(self, model, cache):
        self.model, self.cache = model, cache

    def step(self, tokens_B):
        """The last tokens [B] -> logits of the next [B, V]."""
        return self.model(tokens_B[:, None], cache=self.cache)[:, 0]

    def select(self, rows):
        """Keeps these rows of the batch, a tensor of row numbers."""
        self.cache.data = self.cache.data.index_select(1, rows)
        self.cache.padding_B = self.cache.padding_B.index_select(0, rows)


def folded_definitions():
    """The definitions that `FoldedDecoder` computes in its own way, as their modules hold them now."""
    yield from (layers.rms_norm, layers.swiglu, layers.apply_rope, attention.apply_rope, cache.store)
    yield from (attention.attend, attention.expand_latent, attention.mla_naive, attention.mla_absorbed)
    yield from (attention.cached_latents, moe.experts_loop)


def folds(config):
    """Whether folding W_UK into W_Q makes the product smaller, or at most a little larger;
    never while a definition that it stands for is replaced."""
    return (
        config.attention == "mla"
        and config.q_lora_rank is None
        and not config.attention_bias
        and config.kv_lora_rank <= 2 * config.qk_nope_head_dim
        and config.kv_lora_rank % 2 == 0  # the rotary part behind the latent is read as complex numbers
        and as_written(*folded_definitions())
    )


def wide(tensor):
    """The tensor in float32 if it is in half precision, else itself."""
    return tensor.to(torch.promote_types(tensor.dtype, torch.float32))


class FoldedWeights:
    """The weights of a layer, multiplied out for decoding. Made once a call; the model is not touched.

    Those of a model in half precision are multiplied, and used, in float32: a product rounded to bfloat16 would add an
    error of its own to that of its factors, and a CPU multiplies small matrices in float32 sooner.

    `w_in` gives H + 1 rows of C + R numbers from one product: for each head its query in latent space and its rotary
    part, and as the last "head" what goes into the cache. All their rotary parts are then turned by one multiplication
    of complex numbers.
    """

    def __init__(self, layer, config):
        c, attn = config, layer.self_attn
        H, N, R, C = c.num_attention_heads, c.qk_nope_head_dim, c.qk_rope_head_dim, c.kv_lora_rank
        # rows of each rotary part in pairs (2i, 2i+1), as complex numbers want them
        pairs = torch.arange(R) if c.rope_interleave else rearrange(torch.arange(R), "(two r) -> (r two)", two=2)
        w_q = rearrange(wide(attn.q_proj.weight), "(h e) d -> h e d", h=H)
        w_kv = rearrange(wide(attn.kv_b_proj.weight), "(h x) c -> h x c", h=H)
        query = torch.cat([w_kv[:, :N].transpose(1, 2) @ w_q[:, :N], w_q[:, N:][:, pairs]], dim=1) * attn.scale
        entry = wide(attn.kv_a_proj_with_mqa.weight)
        w_in = torch.cat([query, torch.cat([entry[:C], entry[C:][pairs]])[None]])
        self.w_in = rearrange(w_in * wide(layer.input_layernorm.weight), "h x d -> (h x) d")
        self.latent_norm, self.latent_eps = wide(attn.kv_a_layernorm.weight), attn.kv_a_layernorm.eps
        w_o = rearrange(wide(attn.o_proj.weight), "d (h v) -> d h v", h=H)
        w_out = torch.einsum("dhv,hvc->hcd", w_o, w_kv[:, N:])
        self.w_out = rearrange(w_out, "h c d -> (h c) d").contiguous()
        norm, mlp = wide(layer.post_attention_layernorm.weight), layer.mlp
        self.experts = None
        if not isinstance(mlp, moe.MoE):
            self.w_ffn_in = (torch.cat([wide(mlp.gate_proj.weight), wide(mlp.up_proj.weight)]) * norm).T.contiguous()
            self.w_ffn_out = wide(mlp.down_proj.weight).T.contiguous()
            return
        shared, gate_up, down = mlp.shared_experts, wide(mlp.experts.gate_up_proj), wide(mlp.experts.down_proj)
        E, X, _ = gate_up.shape
        self.gate, self.width = mlp.gate, X // 2
        self.experts = (gate_up * norm, down)
        gates, ups = gate_up.split(X // 2, dim=1)
        self.shared_width = shared.gate_proj.weight.shape[0]
        router, shared_in = wide(mlp.gate.weight), [wide(shared.gate_proj.weight), wide(shared.up_proj.weight)]
        self.w_ffn_in = (torch.cat([router, *shared_in]) * norm).T.contiguous()
        self.w_ffn_out = wide(shared.down_proj.weight).T.contiguous()
        gates, ups = (rearrange(w, "e f d -> (e f) d") for w in (gates, ups))
        dense_in = [router, shared_in[0], gates, shared_in[1], ups]
        self.w_dense_in = (torch.cat(dense_in) * norm).T.contiguous()
        self.w_dense_out = torch.cat([self.w_ffn_out, rearrange(down, "e d f -> (e f) d")]).contiguous()


class FoldedDecoder:
    """Decoding with `FoldedWeights`. The cache is that of a prefill by the model;
    its rotary columns are put into pairs first."""

    def __init__(self, model, cache, weights=None):
        c = self.config = model.config
        self.cache, self.model, self.length = cache, model, cache.length
        self.layers = weights if weights is not None else [FoldedWeights(layer, c) for layer in model.layers]
        self.w_head = (wide(model.lm_head.weight) * wide(model.norm.weight)).T
        self.embedding = wide(model.embed_tokens.weight)
        cache.data = wide(cache.data)
        C, R = c.kv_lora_rank, c.qk_rope_head_dim
        cache.data[..., C:] = rearrange(cache.data[..., C:], "... (two r) -> ... (r two)", two=2)
        self.half = R // 2
        self._mask()

    def _mask(self):
        cache = self.cache
        self.mask = None
        if cache.padding_B.any():
            column = torch.arange(cache.data.shape[2], device=cache.data.device)
            empty = column < cache.padding_B[:, None]
            self.mask = torch.zeros(empty.shape, dtype=cache.data.dtype, device=empty.device).masked_fill_(
                empty, float("-inf")
            )[:, None]

    def select(self, rows):
        """Keeps these rows of the batch, a tensor of row numbers."""
        self.cache.data = self.cache.data.index_select(1, rows)
        self.cache.padding_B = self.cache.padding_B.index_select(0, rows)
        self._mask()

    def step(self, tokens_B):
        """The last tokens [B] -> logits of the next [B, V]."""
        c, cache, t = self.config, self.cache, self.length
        B, D, H, C = len(tokens_B), c.hidden_size, c.num_attention_heads, c.kv_lora_rank
        cos, sin = self.model.angles((t - cache.padding_B)[:, None])
        turn_B1R = torch.complex(wide(cos), wide(sin))
        x_BD = F.embedding(tokens_B, self.embedding)
        for w, stored in zip(self.layers, cache.data):
            y_BHX = F.linear(F.rms_norm(x_BD, (D,), None, c.rms_norm_eps), w.w_in).view(B, H + 1, -1)
            torch.view_as_complex(y_BHX[..., C:].unflatten(-1, (self.half, 2))).mul_(turn_B1R)
            stored[:, t, :C] = F.rms_norm(y_BHX[:, H, :C], (C,), w.latent_norm, w.latent_eps)
            stored[:, t, C:] = y_BHX[:, H, C:]
            past_BSX = stored[:, : t + 1]
            q_BHX, keys_BXS = y_BHX[:, :H], past_BSX.transpose(1, 2)
            if self.mask is None and gpu.supports(q_BHX):
                out_BHC = gpu.decode(q_BHX, stored, t + 1, C)
            else:
                scores_BHS = (
                    torch.bmm(q_BHX, keys_BXS)
                    if self.mask is None
                    else torch.baddbmm(self.mask[..., : t + 1], q_BHX, keys_BXS)
                )
                out_BHC = torch.bmm(scores_BHS.softmax(-1), past_BSX[..., :C])
            x_BD = torch.addmm(x_BD, out_BHC.view(B, H * C), w.w_out)
            h_BD = F.rms_norm(x_BD, (D,), None, c.rms_norm_eps)
            x_BD = self._experts(x_BD, h_BD, w) if w.experts else _swiglu_into(x_BD, h_BD @ w.w_ffn_in, w.w_ffn_out)
        self.length = t + 1
        return F.rms_norm(x_BD, (D,), None, c.rms_norm_eps) @ self.w_head

    def _experts(self, x_BD, h_BD, w):
        c, E = self.config, self.config.n_routed_experts
        dense = len(x_BD) <= moe.DENSE_LIMIT
        y = h_BD @ (w.w_dense_in if dense else w.w_ffn_in)
        indices, gates = moe.route(
            y[:, :E].sigmoid(),
            w.gate.e_score_correction_bias,
            c.n_group,
            c.topk_group,
            c.num_experts_per_tok,
            c.norm_topk_prob,
            c.routed_scaling_factor,
        )
        if not dense:
            x_BD = _swiglu_into(x_BD, y[:, E:], w.w_ffn_out)
            return x_BD.add_(moe.experts_grouped(h_BD, indices, gates, *w.experts))
        gate, up = y[:, E:].chunk(2, dim=-1)
        hidden = F.silu(gate).mul_(up)
        gates_BE = torch.zeros_like(y[:, :E]).scatter_(1, indices, gates)
        hidden[:, w.shared_width :].view(len(x_BD), E, w.width).mul_(gates_BE[..., None])
        return torch.addmm(x_BD, hidden, w.w_dense_out)


def _swiglu_into(x_BD, gate_up, w_down):
    gate, up = gate_up.chunk(2, dim=-1)
    return torch.addmm(x_BD, F.silu(gate).mul_(up), w_down)


# -- the loop ----------------------------------------------------------------------------------------------------------


@dataclass
class Generation:
    """What `generate` returns: a list with an entry for each sequence, those of one prompt next to each other.

    ids        its new tokens, the stop token included
    logps      their log-probabilities, float32 [number of new tokens], under the distribution that they were drawn from
    finished   whether a stop token ended it
    prompts    the tokens that it continues
    """

    ids: list[list[int]] = field(default_factory=list)
    logps: list[torch.Tensor] = field(default_factory=list)
    finished: list[bool] = field(default_factory=list)
    prompts: list[list[int]] = field(default_factory=list)


def prefill(model, prompts, n, room):
    """Caches of left-padded prompts, each computed once and copied for its n sequences;
    returns (cache, last logits [B*n, V])."""
    longest = max(map(len, prompts))
    device = model.embed_tokens.weight.device
    padding_B = torch.tensor([longest - len(p) for p in prompts], device=device)
    ids_BT = torch.tensor([[0] * (longest - len(p)) + list(p) for p in prompts], device=device)
    cache = model.new_cache(len(prompts), longest + room, padding_B)
    logits_BV = model.lm_head(model.hidden(ids_BT, cache=cache)[:, -1])
    if n > 1:
        cache.data = cache.data.repeat_interleave(n, dim=1)
        cache.padding_B = cache.padding_B.repeat_interleave(n)
        logits_BV = logits_BV.repeat_interleave(n, dim=0)
    return cache, logits_BV


@torch.no_grad()
def steps(model, prompts, n, max_new_tokens, temperature, top_k, top_p, seeds, stop_ids, folded=None):
    """Yields (rows, tokens, log-probabilities) a step, for the sequences that still run;
    the core of `generate` and of streaming."""
    # an answer ends at the context, wherever the longer prompts beside it end
    rooms = [min(max_new_tokens, model.config.max_position_embeddings - len(p)) for p in prompts for _ in range(n)]
    # the numbers that decide its tokens, and those they are made from, 8 bytes each
    memory.afford(4 * 8 * len(rooms) * max(rooms), f"an answer of {max(rooms)} tokens", "Ask for fewer new tokens.")
    cache, logits_BV = prefill(model, prompts, n, max(rooms))
    decoder = PlainDecoder(model, cache) if folded is None else FoldedDecoder(model, cache, folded)
    device = logits_BV.device
    u_BT, room_B = uniform(seeds, max(rooms)).to(device), torch.tensor(rooms, device=device)
    stop = torch.tensor(sorted(stop_ids), device=device)
    rows = torch.arange(len(prompts) * n, device=device)  # which sequence each row of the batch is
    running = torch.ones_like(rows, dtype=torch.bool)
    for t in range(max(rooms)):
        if temperature == 0:
            logps_BV = logits_BV.float().log_softmax(-1)
            tokens_B = logits_BV.argmax(-1)
        else:
            logps_BV = filter_logits(logits_BV.float() / temperature, top_k, top_p).log_softmax(-1)
            tokens_B = draw(logps_BV, u_BT[rows, t])
        logps_B = logps_BV.gather(1, tokens_B[:, None]).squeeze(1)
        if running.all():
            yield rows, tokens_B, logps_B
        else:
            yield rows[running], tokens_B[running], logps_B[running]
        running = running & ~torch.isin(tokens_B, stop) & (t + 1 < room_B[rows])
        left = int(running.sum())
        if left == 0:
            return
        if left <= 0.8 * len(running):
            keep = running.nonzero().squeeze(1)
            rows, tokens_B, running = rows[keep], tokens_B[keep], running[keep]
            decoder.select(keep)
        logits_BV = decoder.step(tokens_B)


def check_prompts(model, prompts, max_new_tokens):
    """Refuses prompts that cannot be continued, by their number."""
    need(model, torch.nn.Module, "generate: model", "a Transformer, as minids.load(folder) gives one")
    config = model.config
    if not whole(max_new_tokens) or max_new_tokens < 1:
        raise MinidsError(f"generate: max_new_tokens must be a whole number, at least 1, got {brief(max_new_tokens)}.")
    need(prompts, Iterable, "generate: prompts", "a list of prompts, each a list of token ids")
    for i, prompt in enumerate(prompts):
        try:
            ids = [operator.index(token) for token in prompt]
        except TypeError:
            raise MinidsError(
                f"generate: prompt {i} is no list of token ids, but {brief(prompt)}. Encode texts with the "
                "tokenizer, and give a list of prompts: generate(model, [tokenizer.encode(text)])."
            ) from None
        if not ids:
            raise MinidsError(
                f"generate: prompt {i} is empty. Give at least one token, the beginning-of-sentence token for example."
            )
        if len(ids) >= config.max_position_embeddings:
            raise MinidsError(
                f"generate: prompt {i} has {len(ids)} tokens, but the context of this model is "
                f"{config.max_position_embeddings} tokens and must hold the answer too. Shorten the prompt."
            )
        if odd := [token for token in (max(ids), min(ids)) if not 0 <= token < config.vocab_size]:
            raise MinidsError(
                f"generate: prompt {i} holds token {odd[0]}, but the model knows ids "
                f"0 to {config.vocab_size - 1}. Is this the tokenizer that the model was trained with?"
            )


def stops(model, stop_ids=None):
    """The set of tokens that end a text: those asked for, or the model's own (eos_token_id). Raises MinidsError for
    what are no ids of the model."""
    ids = model.config.stop_ids if stop_ids is None else stop_ids
    try:
        ids = {operator.index(i) for i in ids}
    except TypeError:
        raise MinidsError(f"generate: stop_ids must be token ids, got {brief(stop_ids)}.") from None
    if ids and not 0 <= min(ids) <= max(ids) < model.config.vocab_size:
        raise MinidsError(
            f"generate: stop_ids {brief(sorted(ids))} are not all among the model's ids, 0 to "
            f"{model.config.vocab_size - 1}."
        )
    return ids


def generate(
    model,
    prompts,
    *,
    n=1,
    max_new_tokens=64,
    temperature=1.0,
    top_k=0,
    top_p=1.0,
    seeds=None,
    stop_ids=None,
    max_batch=256,
    fold=None,
):
    """Continues each prompt n times.

    model           a Transformer
    prompts         lists of token ids; an answer never exceeds the model's context
    temperature     0 is greedy (log-probabilities are then those at temperature 1)
    top_k, top_p    off at 0 and 1; when on, log-probabilities are those of the cut distribution, as `token_logps`
                    scores it
    seeds           one integer a sequence, len(prompts) * n of them, prompt by prompt; default 0, 1, 2, …
    stop_ids        tokens that end a sequence (kept at its end); default the config's eos, all of them
    max_batch       rows that are decoded together
    fold            None: FoldedDecoder where it pays; True/False: that decoder or the plain one

    Returns a Generation whose lists have len(prompts) * n entries. Raises MinidsError for prompts that cannot be
    continued.
    """
    check_prompts(model, prompts, max_new_tokens)
    check_settings(temperature, top_k, top_p, greedy=True)
    for name, value in (("n", n), ("max_batch", max_batch)):
        if not whole(value) or value < 1:
            raise MinidsError(f"generate: {name} must be a whole number, at least 1, got {brief(value)}.")
    need(seeds, Iterable | None, "generate: seeds", "a list of whole numbers, one for each answer")
    seeds = list(range(len(prompts) * n)) if seeds is None else list(seeds)
    if len(seeds) != len(prompts) * n:
        raise MinidsError(
            f"generate: {len(prompts)} prompts with n = {n} need {len(prompts) * n} seeds, got {len(seeds)}."
        )
    if not all(map(whole, seeds)):
        raise MinidsError("generate: seeds must be whole numbers.")
    stop_ids = stops(model, stop_ids)
    if fold is None:
        fold = folds(model.config) and model.embed_tokens.weight.device.type == "cpu"
    was_training, total = model.training, len(prompts) * n
    model.eval()
    ids, logps = [[] for _ in range(total)], [[] for _ in range(total)]
    try:
        with torch.no_grad():
            folded = [FoldedWeights(layer, model.config) for layer in model.layers] if fold else None
        order = sorted(range(len(prompts)), key=lambda i: len(prompts[i]))  # like lengths together: less padding
        size = max(1, max_batch // n)
        for begin in range(0, len(order), size):
            chosen = order[begin : begin + size]
            sequences = [i * n + j for i in chosen for j in range(n)]
            part = steps(
                model,
                [prompts[i] for i in chosen],
                n,
                max_new_tokens,
                temperature,
                top_k,
                top_p,
                [seeds[s] for s in sequences],
                stop_ids,
                folded,
            )
            for rows, tokens, logp in part:
                for row, token, value in zip(rows.tolist(), tokens.tolist(), logp.tolist()):
                    ids[sequences[row]].append(token)
                    logps[sequences[row]].append(value)
    finally:
        model.train(was_training)
    asked = [list(p) for p in prompts for _ in range(n)]
    return Generation(ids, [torch.tensor(p) for p in logps], [bool(i) and i[-1] in stop_ids for i in ids], asked)


def stream(model, prompt, *, max_new_tokens=256, temperature=1.0, top_k=0, top_p=1.0, seed=0, stop_ids=None):
    """An iterator over the new tokens of one prompt, as they are drawn; the stop token last. Raises as `generate`."""
    check_prompts(model, [prompt], max_new_tokens)
    check_settings(temperature, top_k, top_p, greedy=True)
    if not whole(seed):
        raise MinidsError(f"generate: seed must be a whole number, got {brief(seed)}.")
    stop_ids = stops(model, stop_ids)
    model.eval()
    part = steps(model, [prompt], 1, max_new_tokens, temperature, top_k, top_p, [seed], stop_ids)
    return (int(tokens[0]) for _, tokens, _ in part)
