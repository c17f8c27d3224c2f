"""Multi-head latent attention (MLA; arXiv 2412.19437 §2.1.1), and MHA and GQA with the same interface to compare with.

    c = RMSNorm(W_DKV x)                 latent, C numbers per token: all that the cache keeps of keys and values …
    k_rope = RoPE(W_KR x)                … together with one rotated key that all heads share
    k_h = [W_UK,h c ; k_rope],  v_h = W_UV,h c,  q_h = [q_nope,h ; RoPE(q_rope,h)]
    o = W_O [softmax(scale q_h k_h) v_h]_h

Two ways to compute the same numbers. Naive: expand c into keys and values, then attend; cheapest when all positions are
computed at once. Absorbed: q_nope,h . W_UK,h c = (W_UK,h^T q_nope,h) . c, so the query moves into latent space,
attention runs on the cache itself, and W_UV is applied to the result; cheapest for one new token over a long cache.

Shapes: B batch, T new positions, S all positions, D hidden, H heads, N nope dims, R rope dims, V value dims,
C kv_lora_rank. Left out: dropout. The kernel choice is torch's `scaled_dot_product_attention`.
"""

import torch
import torch.nn.functional as F
from torch import nn

from minids.dispatch import as_written, definitions
from minids.errors import MinidsError
from minids.files import brief
from minids.model.cache import Cache, causal_mask, split_keys_and_values
from minids.model.config import LIKE
from minids.model.layers import RMSNorm, apply_rope, softmax_scale
from minids.model.ops import cpu, gpu
from minids.model.ops.linear import Linear, full_precision_cpu, fusible, linear, need_input

LATENT_EPS = 1e-6  # of the two norms on latents; the released code does not take it from rms_norm_eps


def attend(q_BHTE, k_BHSE, v_BHSV, scale, mask=None):
    """softmax(scale q k^T) v: what every query sees, averaged by how well it fits. -> [B, H, T, V]

    q [B, H, T, E], k [B, H, S, E], v [B, H, S, V]; mask bool [B or 1, 1, T, S], True = may see. Without a mask T = S,
    and position t sees 0 … t. In half precision the softmax is taken in float32. (Vaswani et al. 2017,
    arXiv 1706.03762, eq. 1)
    """
    # every query times every key
    scores_BHTS = q_BHTE @ k_BHSE.transpose(-2, -1) * scale
    # what may not be seen gets the score -inf, so that its weight is 0
    if mask is None:
        mask = torch.ones(scores_BHTS.shape[-2:], dtype=torch.bool, device=scores_BHTS.device).tril()
    scores_BHTS = scores_BHTS.masked_fill(~mask, float("-inf"))
    # weights over the keys, which sum to 1 for each query; then the mean of the values
    accurate = torch.promote_types(scores_BHTS.dtype, torch.float32)
    return scores_BHTS.softmax(-1, dtype=accurate).to(v_BHSV.dtype) @ v_BHSV


def fused_attend(q_BHTE, k_BHSE, v_BHSV, scale, mask=None):
    """`attend` by torch's fused kernel, unless it was replaced. Without a mask the T queries are the last of S
    positions, and each sees what stands before it and itself. Raises MinidsError for more queries than keys without
    a mask."""
    T, S = q_BHTE.shape[2], k_BHSE.shape[2]
    if mask is None and T != S:
        if T > S:
            raise MinidsError(f"attention: {T} queries over {S} keys need a mask that says what each may see.")
        mask = causal_mask(T, S, device=q_BHTE.device)
    compute = cpu.attend if as_written(attend) else attend
    return compute(q_BHTE, k_BHSE, v_BHSV, scale, mask)


def expand_latent(latent_BSC, k_rope_BSR, w_kv_b, heads, nope):
    """Keys and values of every head from what the cache keeps -> k [B, H, S, N+R], v [B, H, S, V].

    latent [B, S, C], normalised; k_rope [B, S, R], rotated, the same for all heads; w_kv_b [H*(N+V), C] holds, head by
    head, N rows of W_UK and V rows of W_UV; heads = H, nope = N. A key is [W_UK c ; k_rope], a value W_UV c.
    (arXiv 2412.19437 §2.1.1, eq. 2 to 5)
    """
    B, S, _ = latent_BSC.shape
    # one product for all heads, then heads before time
    kv_BHSX = F.linear(latent_BSC, w_kv_b).view(B, S, heads, -1).transpose(1, 2)
    # the one rotated key goes to every head
    k_rope_BHSR = k_rope_BSR[:, None].expand(-1, heads, -1, -1)
    # of each head's rows, the first N are its key, the rest its value
    return torch.cat([kv_BHSX[..., :nope], k_rope_BHSR], dim=-1), kv_BHSX[..., nope:]


def mla_naive(q_nope_BTHN, q_rope_BTHR, latent_BSC, k_rope_BSR, w_kv_b, scale, mask=None):
    """Attention over expanded keys and values -> [B, T, H, V].

    q_nope [B, T, H, N]; q_rope [B, T, H, R], rotated; latent, k_rope and w_kv_b as in `expand_latent`; scale a number
    that multiplies the scores. mask bool [B or 1, 1, T, S], True = may see; without a mask T = S, and position t sees
    0 … t. (arXiv 2412.19437 §2.1.1, eq. 9 and 10)
    """
    heads, nope = q_nope_BTHN.shape[2:]
    # keys and values of all positions, for all heads
    k_BHSE, v_BHSV = expand_latent(latent_BSC, k_rope_BSR, w_kv_b, heads, nope)
    # queries in the order of the keys: nope, then rope; heads before time
    q_BHTE = torch.cat([q_nope_BTHN, q_rope_BTHR], dim=-1).transpose(1, 2)
    # ordinary attention, and time before heads again
    return fused_attend(q_BHTE, k_BHSE, v_BHSV, scale, mask).transpose(1, 2)


def mla_absorbed(q_nope_BTHN, q_rope_BTHR, latent_BSC, k_rope_BSR, w_kv_b, scale, mask=None):
    """The result of `mla_naive` from the same arguments -> [B, T, H, V], without ever forming keys or values.

    q . (W_UK c) = (W_UK^T q) . c, so W_UK goes to the query; sum_s w_s (W_UV c_s) = W_UV (sum_s w_s c_s), so W_UV goes
    to the output; attention runs on the latents. In half precision the softmax is taken in float32.
    (arXiv 2405.04434 §2.1.2; no mask: causal, T = S)
    """
    B, T, heads, nope = q_nope_BTHN.shape
    # each head's own W_UK [N, C] and W_UV [V, C]
    w_HXC = w_kv_b.view(heads, -1, w_kv_b.shape[-1])
    w_uk_HNC, w_uv_HVC = w_HXC[:, :nope], w_HXC[:, nope:]
    # the query moves into latent space
    q_latent_BTHC = torch.einsum("bthn,hnc->bthc", q_nope_BTHN, w_uk_HNC)
    # scores on the cache itself: latent part and rotary part, both scaled
    scores_BHTS = torch.einsum("bthc,bsc->bhts", q_latent_BTHC, latent_BSC)
    scores_BHTS = (scores_BHTS + torch.einsum("bthr,bsr->bhts", q_rope_BTHR, k_rope_BSR)) * scale
    # what may not be seen, then softmax over the positions
    if mask is None:
        mask = torch.ones(T, T, dtype=torch.bool, device=scores_BHTS.device).tril()
    scores_BHTS = scores_BHTS.masked_fill(~mask, float("-inf"))
    accurate = torch.promote_types(scores_BHTS.dtype, torch.float32)
    weights_BHTS = scores_BHTS.softmax(-1, dtype=accurate).to(latent_BSC.dtype)
    # the mean latent of each query and head, then out of latent space
    out_BTHC = torch.einsum("bhts,bsc->bthc", weights_BHTS, latent_BSC)
    return torch.einsum("bthc,hvc->bthv", out_BTHC, w_uv_HVC)


def cached_latents(down_BTX, norm, cos, sin, interleave=True, cache=None, layer=0):
    """What attention reads, of all tokens so far: normalised latents [B, S, C] and rotated shared keys [B, S, R].

    down_BTX [B, T, C+R] is [W_DKV x ; W_KR x] of the T new tokens; norm is the RMSNorm of the latent, with C weights;
    cos, sin [B or 1, T, R/2] belong to the places of the new tokens; interleave as in `apply_rope`. Without a cache
    S = T. With one, the new tokens are stored in its `layer`, each as its C + R finished numbers [latent ; key], and
    come back behind the older ones (`cache.append(layer, new)` does both). (arXiv 2412.19437 §2.1.1, eq. 1 and 3)
    """
    rank = norm.weight.shape[0]
    latent, k_rope = down_BTX.split([rank, down_BTX.shape[-1] - rank], dim=-1)
    # finished before it is stored: what lies in the cache is never touched again
    new_BTX = torch.cat([norm(latent), apply_rope(k_rope, cos, sin, interleave)], dim=-1)
    all_BSX = new_BTX if cache is None else cache.append(layer, new_BTX)
    return all_BSX[..., :rank], all_BSX[..., rank:]


definitions(attend, expand_latent, mla_naive, mla_absorbed, cached_latents)  # they have fast forms


def rotate(x_BTHR, cos, sin, interleave):
    """`apply_rope` for every head; on a GPU by its kernel."""
    if gpu.supports(x_BTHR) and as_written(apply_rope):
        return gpu.rope(x_BTHR, cos, sin, interleave)
    return apply_rope(x_BTHR, cos[..., None, :], sin[..., None, :], interleave)


def fast_path(config, x_BTD, mask, cache, absorb):
    """Whether `cpu.mla_core` may compute this: whole short texts on a CPU, pairs side by side, no definition that it
    stands for replaced."""
    c = config
    paired = c.rope_interleave and not any(
        size % 2 for size in (c.qk_nope_head_dim, c.kv_lora_rank, c.q_lora_rank or 0)
    )
    plain = mask is None and cache is None and not absorb and paired and x_BTD.shape[1] <= cpu.LONGEST
    own = as_written(attend, expand_latent, mla_naive, cached_latents, apply_rope)
    return plain and own and full_precision_cpu(x_BTD)


def checked(module, x_BTD, cos, sin, mask=None, cache=None, absorb=None):
    """What attention is given, after refusing what does not fit together, before anything is written into the cache.

    module is the MLA or GroupedQueryAttention. cos, sin [T, R/2] come back as [1, T, R/2]; with a cache and no mask,
    the mask comes back that says what the new positions may see.
    """
    c, weight, name = module.config, module.o_proj.weight, type(module).__name__
    for what, value in (("x", x_BTD), ("cos", cos), ("sin", sin), ("mask", mask)):
        if not isinstance(value, torch.Tensor) and not (what == "mask" and value is None):
            raise MinidsError(f"{name}: {what} must be a tensor, got {brief(value)}.")
    if x_BTD.ndim != 3 or x_BTD.shape[2] != c.hidden_size or x_BTD.numel() == 0:
        raise MinidsError(
            f"{name}: x must be [B, T, {c.hidden_size}] (rows, at least one new position, hidden_size), got "
            f"{list(x_BTD.shape)}."
        )
    need_input(name, x_BTD, weight, c.hidden_size)
    if absorb not in (None, True, False):
        raise MinidsError(f"{name}: absorb must be None, True or False, got {brief(absorb)}.")
    B, T, _ = x_BTD.shape
    if cache is not None:
        if not isinstance(cache, Cache):
            raise MinidsError(f"{name}: cache must be a minids.Cache, got {brief(cache)}.")
        cache.check(name, c, B, T, module.layer, weight)
    cos, sin = (angles if angles.ndim == 3 else angles[None] for angles in (cos, sin))
    for angles in (cos, sin):
        if angles.shape not in ((1, T, c.qk_rope_head_dim // 2), (B, T, c.qk_rope_head_dim // 2)):
            raise MinidsError(
                f"{name}: cos and sin must be [T, {c.qk_rope_head_dim // 2}] or [B, T, {c.qk_rope_head_dim // 2}] with "
                f"T = {T}, the places of the new positions, and B = {B}; got {list(cos.shape)} and {list(sin.shape)}. "
                "Take these rows of minids.rotary_table(config, length)."
            )
        same = angles.dtype == weight.dtype or torch.is_autocast_enabled(weight.device.type)
        if not same or angles.device != weight.device:
            raise MinidsError(
                f"{name}: cos and sin are {angles.dtype} on {angles.device}, the layer {weight.dtype} on "
                f"{weight.device}. Make them with dtype= and device= of minids.rotary_table."
            )
    start = 0 if cache is None else cache.lengths[module.layer]
    if cache is not None and mask is None:
        mask = cache.mask(T, start)
    if mask is not None:
        _check_mask(name, mask, B, c.num_attention_heads, T, start + T, weight.device)
    return cos, sin, mask


def _check_mask(name, mask, B, H, T, S, device):
    fits = mask.ndim == 4 and mask.shape[0] in (1, B) and mask.shape[1] in (1, H) and mask.shape[2:] == (T, S)
    if not fits or mask.dtype != torch.bool or mask.device != device:
        raise MinidsError(
            f"{name}: the mask must be bool [{B} or 1, 1, {T}, {S}] on {device} (rows, heads, new positions, all "
            f"positions), True = may see; got {mask.dtype} {list(mask.shape)} on {mask.device}."
        )


def _check_kind(name, config, kind):
    """The cache and the sizes follow from `config.attention`, so a layer of another kind would not fit them."""
    if LIKE[config.attention] != kind:
        raise MinidsError(
            f"{name}: the config says attention = {config.attention!r}, which is another kind. build_attention(config, "
            "layer) makes the one that it says, config.replace(attention=…) is a config that says another."
        )


class MLA(nn.Module):
    """Multi-head latent attention, one layer of it. The equations are at the top of this module.

    config   a ModelConfig      layer   its number: where it writes in a cache

    It can be used alone; in pieces with a cache is the whole.

    >>> import torch, minids
    >>> from minids.model.attention import MLA
    >>> config = minids.ModelConfig(hidden_size=32, num_attention_heads=4, kv_lora_rank=16, q_lora_rank=None,
    ...                             qk_nope_head_dim=8, qk_rope_head_dim=8, v_head_dim=8, num_hidden_layers=1)
    >>> attention, x_BTD = MLA(config, layer=0), torch.randn(2, 10, 32)
    >>> cos, sin = minids.rotary_table(config, 10)
    >>> cache = minids.Cache(config, batch=2, max_length=10)
    >>> pieces = [attention(x_BTD[:, t], cos[t], sin[t], cache=cache) for t in (slice(0, 5), slice(5, 9), slice(9, 10))]
    >>> torch.allclose(torch.cat(pieces, dim=1), attention(x_BTD, cos, sin), atol=1e-6)
    True
    >>> latents, rotated_keys = cache.latents(layer=0)
    >>> latents.shape, rotated_keys.shape
    (torch.Size([2, 10, 16]), torch.Size([2, 10, 8]))
    """

    def __init__(self, config, layer):
        _check_kind("MLA", config, "mla")
        super().__init__()
        c, self.config, self.layer = config, config, layer
        heads = c.num_attention_heads
        if c.q_lora_rank is None:
            self.q_proj = Linear(c.hidden_size, heads * c.qk_head_dim, bias=False)
        else:
            self.q_a_proj = Linear(c.hidden_size, c.q_lora_rank, bias=c.attention_bias)
            self.q_a_layernorm = RMSNorm(c.q_lora_rank, LATENT_EPS)
            self.q_b_proj = Linear(c.q_lora_rank, heads * c.qk_head_dim, bias=False)
        self.kv_a_proj_with_mqa = Linear(c.hidden_size, c.kv_lora_rank + c.qk_rope_head_dim, bias=c.attention_bias)
        self.kv_a_layernorm = RMSNorm(c.kv_lora_rank, LATENT_EPS)
        self.kv_b_proj = Linear(c.kv_lora_rank, heads * (c.qk_nope_head_dim + c.v_head_dim), bias=False)
        self.o_proj = Linear(heads * c.v_head_dim, c.hidden_size, bias=c.attention_bias)
        self.scale = softmax_scale(c)

    def queries(self, x_BTD, cos, sin):
        """-> q_nope [B, T, H, N], rotated q_rope [B, T, H, R]."""
        c = self.config
        q = self.q_proj(x_BTD) if c.q_lora_rank is None else self.q_b_proj(self.q_a_layernorm(self.q_a_proj(x_BTD)))
        q_BTHE = q.view(*x_BTD.shape[:2], c.num_attention_heads, c.qk_head_dim)
        q_nope, q_rope = q_BTHE.split([c.qk_nope_head_dim, c.qk_rope_head_dim], dim=-1)
        return q_nope, rotate(q_rope, cos, sin, c.rope_interleave)

    def forward(self, x_BTD, cos, sin, mask=None, cache=None, absorb=None):
        """x [B, T, D] -> [B, T, D].

        cos, sin   [T, R/2] or [B or 1, T, R/2], of the places of these T positions (`rotary_table`)
        mask       bool [B or 1, 1, T, S], True = may see; each position must see one at least. None: each sees what
                   stands before it and itself, and no padding of the cache
        cache      a Cache: the T positions are stored behind the older ones of this layer and see them too
        absorb     True: `mla_absorbed`, False: `mla_naive`, the same numbers; None: the one that is cheaper

        Raises MinidsError for what does not fit together and ValueError for a cache without room; the cache is then as
        it was.
        """
        cos, sin, mask = checked(self, x_BTD, cos, sin, mask, cache, absorb)
        if fusible(self.o_proj) and fast_path(self.config, x_BTD, mask, cache, absorb):
            return self.forward_fast(x_BTD, cos, sin)
        q_nope, q_rope = self.queries(x_BTD, cos, sin)
        down, interleave = self.kv_a_proj_with_mqa(x_BTD), self.config.rope_interleave
        latent, k_rope = cached_latents(down, self.kv_a_layernorm, cos, sin, interleave, cache, self.layer)
        if absorb is None:
            absorb = cache is not None and x_BTD.shape[1] <= 4
        # layers that multiply in their own way (fp8.Linear) do so for keys and values too
        if not fusible(self.o_proj) and not absorb and as_written(expand_latent, mla_naive):
            return self.o_proj(self.attend_expanded(q_nope, q_rope, self.kv_b_proj(latent), k_rope, mask).flatten(2))
        core = mla_absorbed if absorb else mla_naive
        out_BTHV = core(q_nope, q_rope, latent, k_rope, self.kv_b_proj.weight, self.scale, mask)
        return self.o_proj(out_BTHV.flatten(2))

    def latent_queries(self, x_BTD, cos, sin):
        """Queries as `mla_decode` and the cache's columns want them -> [B, T, H, C+R]: W_UK^T q_nope, then q_rope.

        Arguments as in `forward`. The scores are self.scale times their products with the columns.
        """
        cos, sin, _ = checked(self, x_BTD, cos, sin)
        q_nope_BTHN, q_rope_BTHR = self.queries(x_BTD, cos, sin)
        w_HXC = self.kv_b_proj.weight.view(self.config.num_attention_heads, -1, self.config.kv_lora_rank)
        w_uk_HNC = w_HXC[:, : self.config.qk_nope_head_dim]
        return torch.cat([torch.einsum("bthn,hnc->bthc", q_nope_BTHN, w_uk_HNC), q_rope_BTHR], dim=-1)

    def from_latents(self, latents_BTHC):
        """What this layer returns, [B, T, D], from the mean latent of each query and head: W_O W_UV latent."""
        w_HXC = self.kv_b_proj.weight.view(self.config.num_attention_heads, -1, self.config.kv_lora_rank)
        w_uv_HVC = w_HXC[:, self.config.qk_nope_head_dim :]
        return self.o_proj(torch.einsum("bthc,hvc->bthv", latents_BTHC, w_uv_HVC).flatten(2))

    def attend_expanded(self, q_nope, q_rope, kv_BSX, k_rope, mask):
        """`mla_naive` behind its product with W_UK and W_UV: kv [B, S, H*(N+V)] -> [B, T, H, V]."""
        c, (B, S) = self.config, kv_BSX.shape[:2]
        kv_BHSX = kv_BSX.view(B, S, c.num_attention_heads, -1).transpose(1, 2)
        k_nope, v_BHSV = kv_BHSX.split([c.qk_nope_head_dim, c.v_head_dim], dim=-1)
        k_BHSE = torch.cat([k_nope, k_rope[:, None].expand(*k_nope.shape[:3], -1)], dim=-1)
        q_BHTE = torch.cat([q_nope, q_rope], dim=-1).transpose(1, 2)
        return fused_attend(q_BHTE, k_BHSE, v_BHSV, self.scale, mask).transpose(1, 2)

    def forward_fast(self, x_BTD, cos, sin):
        """The same for whole texts: both down projections are one product,
        everything up to o_proj is `cpu.mla_core`."""
        c, (B, T) = self.config, x_BTD.shape[:2]
        q_in, kv_in = self.q_proj if c.q_lora_rank is None else self.q_a_proj, self.kv_a_proj_with_mqa
        bias = None
        if kv_in.bias is not None:  # q_proj has none
            bias = torch.cat([kv_in.bias.new_zeros(q_in.out_features) if q_in.bias is None else q_in.bias, kv_in.bias])
        joined = linear(x_BTD, torch.cat([q_in.weight, kv_in.weight]), bias)
        q, latent, k_rope = joined.split([q_in.out_features, c.kv_lora_rank, c.qk_rope_head_dim], dim=-1)
        if c.q_lora_rank is not None:
            q = self.q_b_proj(self.q_a_layernorm(q))
        q_BTHE = q.view(B, T, c.num_attention_heads, c.qk_head_dim)
        kv_BTHX = self.kv_b_proj(self.kv_a_layernorm(latent)).view(B, T, c.num_attention_heads, -1)
        freqs_cis = cpu.freqs_cis(cos, sin, c.qk_nope_head_dim)
        return self.o_proj(cpu.mla_core(q_BTHE, k_rope, kv_BTHX, freqs_cis, self.scale).flatten(2))


class GroupedQueryAttention(nn.Module):
    """GQA, and MHA when there are as many key heads as query heads, one layer of it.
    Head sizes and RoPE on the last R dims as in MLA.

    config   a ModelConfig      layer   its number: where it writes in a cache

    It can be used alone; in pieces with a cache is the whole.

    >>> import torch, minids
    >>> from minids.model.attention import GroupedQueryAttention
    >>> config = minids.ModelConfig(attention="gqa", num_key_value_heads=2, hidden_size=32, num_attention_heads=4,
    ...                             qk_nope_head_dim=8, qk_rope_head_dim=8, v_head_dim=8, num_hidden_layers=1)
    >>> attention, x_BTD = GroupedQueryAttention(config, layer=0), torch.randn(2, 10, 32)
    >>> cos, sin = minids.rotary_table(config, 10)
    >>> cache = minids.Cache(config, batch=2, max_length=10)
    >>> pieces = [attention(x_BTD[:, t], cos[t], sin[t], cache=cache) for t in (slice(0, 5), slice(5, 9), slice(9, 10))]
    >>> torch.allclose(torch.cat(pieces, dim=1), attention(x_BTD, cos, sin), atol=1e-6)
    True
    >>> keys, values = cache.keys_and_values(layer=0)
    >>> keys.shape, values.shape
    (torch.Size([2, 10, 2, 16]), torch.Size([2, 10, 2, 8]))
    """

    def __init__(self, config, layer):
        _check_kind("GroupedQueryAttention", config, "gqa")
        super().__init__()
        c, self.config, self.layer = config, config, layer
        self.kv_heads = c.num_key_value_heads
        self.q_proj = Linear(c.hidden_size, c.num_attention_heads * c.qk_head_dim, bias=False)
        self.k_proj = Linear(c.hidden_size, self.kv_heads * c.qk_head_dim, bias=False)
        self.v_proj = Linear(c.hidden_size, self.kv_heads * c.v_head_dim, bias=False)
        self.o_proj = Linear(c.num_attention_heads * c.v_head_dim, c.hidden_size, bias=c.attention_bias)
        self.scale = softmax_scale(c)

    def _rotate(self, x_BTHE, cos, sin):
        nope, rope = x_BTHE.split([self.config.qk_nope_head_dim, self.config.qk_rope_head_dim], dim=-1)
        return torch.cat([nope, rotate(rope, cos, sin, self.config.rope_interleave)], dim=-1)

    def forward(self, x_BTD, cos, sin, mask=None, cache=None, absorb=None):
        """x [B, T, D] -> [B, T, D]; arguments and errors as in `MLA.forward`. There is nothing to absorb."""
        cos, sin, mask = checked(self, x_BTD, cos, sin, mask, cache, absorb)
        c, (B, T) = self.config, x_BTD.shape[:2]
        q_BTHE = self._rotate(self.q_proj(x_BTD).view(B, T, c.num_attention_heads, c.qk_head_dim), cos, sin)
        k_BTGE = self._rotate(self.k_proj(x_BTD).view(B, T, self.kv_heads, c.qk_head_dim), cos, sin)
        v_BTGV = self.v_proj(x_BTD).view(B, T, self.kv_heads, c.v_head_dim)
        if cache is not None:
            both = cache.append(self.layer, torch.cat([k_BTGE.flatten(2), v_BTGV.flatten(2)], dim=-1))
            k_BTGE, v_BTGV = split_keys_and_values(both, c)
        repeat = c.num_attention_heads // self.kv_heads
        k_BHSE, v_BHSV = (z.transpose(1, 2).repeat_interleave(repeat, dim=1) for z in (k_BTGE, v_BTGV))
        out_BHTV = fused_attend(q_BTHE.transpose(1, 2), k_BHSE, v_BHSV, self.scale, mask)
        return self.o_proj(out_BHTV.transpose(1, 2).flatten(2))


KINDS = {"mla": MLA, "mha": GroupedQueryAttention, "gqa": GroupedQueryAttention}


def register(name, cls, like="gqa"):
    """Makes `attention = name` in a ModelConfig build `cls(config, layer)`.

    like    "gqa" or "mla": whose projections it has, and whose elements it keeps in the cache
    """
    KINDS[name], LIKE[name] = cls, like


def build_attention(config, layer):
    """The attention of one layer, of the kind that `config.attention` names."""
    return KINDS[config.attention](config, layer)
